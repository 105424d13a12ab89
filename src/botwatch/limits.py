"""Every bound in the house, its unit last in its name. What people may change is a setting, bounded here."""

from __future__ import annotations

KIB = 1024
MIB = 1024 * KIB
GIB = 1024 * MIB

# --- receive: what a single request may be
BODY_WIRE_BYTES_MAX = 64 * MIB
BODY_INFLATED_BYTES_MAX = 64 * MIB
BODIES_IN_FLIGHT_BYTES_MAX = 256 * MIB  # all requests being read or checked at once
BODY_READ_S_MAX = 60  # from the head of a request to the end of its body
BODY_LINGER_BYTES_MAX = 8 * MIB  # still read after a refusal, so that the client sees the answer
BODY_LINGER_S_MAX = 2
ZSTD_WINDOW_LOG_MAX = 23  # 8 MiB, what RFC 9659 grants a sender over HTTP
COMPRESSED_STREAMS_MAX = 16  # gzip members or zstd frames in one body
INFLATE_INLINE_BYTES_MAX = 64 * KIB  # a larger compressed body is inflated in a thread
PIECE_BYTES_MAX = 2 * MIB  # a larger body is parsed in pieces: tiny messages take 86 times their bytes
ITEM_BYTES_MAX = 4 * MIB  # one span, log record or metric
CONTAINERS_PER_PIECE_MAX = 50_000  # resources and scopes
ITEMS_PER_REQUEST_MAX = 1_000_000
CHECK_INLINE_BYTES_MAX = 512 * KIB  # a larger body is checked in a thread, one at a time
CLOCK_AHEAD_S_MAX = 26 * 3600  # a sender's clock or zone may be wrong by a day
GRPC_STREAMS_MAX = 256
GRPC_READS_MAX = 16  # requests being read at once; the others wait, unread, at the sender
JSON_CHECK_INLINE_BYTES_MAX = 32 * KIB
JSON_VALUES_MAX = 8_000_000  # what one parse may build: 2 for an object, 1 for an array or a comma
JSON_NESTING_MAX = 64
JSON_LINE_BYTES_MAX = 1 * MIB
JSON_LINES_MAX = 100_000
JSON_CANONICAL_BYTES_MAX = 64 * MIB  # of a request's lines as they are handed on; then no more are taken
JSON_FLAT_FIELDS_MAX = 1_024  # nested fields of one line that get a path of their own
JSON_FLAT_PATH_CHARS_MAX = 256
LINE_ERRORS_TOLD_MAX = 20
IDEMPOTENCY_KEY_CHARS_MAX = 256
PAYLOAD_BYTES_MAX = 1 * MIB
PAYLOAD_SOURCE_CHARS_MAX = 200
PAYLOAD_INVALID_BYTES_MAX = 4 * KIB  # kept of what was sent for a document and is none

# --- spool: the durable queue
SPOOL_COMMIT_PARCELS_MAX = 256
SPOOL_COMMIT_BYTES_MAX = 32 * MIB
SPOOL_COMMITS_PER_SECOND_MAX = 200  # each writes whole pages and flushes the disk, however small its parcels
SPOOL_WAITING_PARCELS_MAX = 4096
SPOOL_WAITING_BYTES_MAX = 256 * MIB  # in memory, before their commit
SPOOL_PARCELS_MAX = 1_000_000  # on disk, whatever their size
SPOOL_KEPT_BYTES_MAX = 64 * MIB  # committed bodies still in memory, so that the writer need not read them back
SPOOL_DIGESTS_MAX = 2_000_000  # how many bodies a retry is recognised among
SPOOL_DEAD_BYTES_MAX = 256 * MIB  # refused by the engine, kept aside
SPOOL_DEAD_PARCELS_MAX = 10_000
SPOOL_DEAD_REASON_CHARS_MAX = 200
SPOOL_LOG_BYTES_MAX = 32 * MIB  # SQLite's write-ahead log before it is folded into the file
SPOOL_CACHE_BYTES_MAX = 8 * MIB
SPOOL_FREE_BYTES_MAX = 64 * MIB  # unused pages the file may keep for what comes next
SPOOL_RETRY_AFTER_S = 5  # what a client is asked to wait when it is full or cannot write
SPOOL_META_KEYS_MAX = 1_000
SPOOL_META_CHARS_MAX = 4_096

# --- store
BATCH_BYTES_MAX = 40 * MIB
BATCH_ITEMS_MAX = 150_000  # what one insert holds in memory grows with them: points are small and many
BATCH_PARCELS_MAX = 1024
STORE_QUERY_S_MAX = 30
STORE_QUERY_ROWS_MAX = 1_000_000
STORE_READERS_MAX = 4
STORE_WRITERS_MAX = 2
STORE_LONG_QUERY_S_MAX = 3_600  # one that is read as it is made: as slowly as its reader takes it
STORE_LONG_THREADS_MAX = 2
STORE_LONG_BLOCK_ROWS_MAX = 8_192
STORE_LONG_SORT_BYTES_MAX = 128 * MIB  # in memory, then on the disk
DAYS_KEPT_MAX = 3_650

# --- labels: how many different values one bot may bring before the rest is folded into '(other)'
LABEL_VALUES_PER_BOT_MAX = 2_000
SERIES_PER_METRIC_MAX = 10_000

# --- measure
MEASURE_POINTS_MAX = 11_000
MEASURE_SERIES_MAX = 1_000
MEASURE_WHERE_MAX = 16
MEASURE_BY_MAX = 8
MEASURE_CONDITION_VALUES_MAX = 1_000
MEASURE_TEXT_CHARS_MAX = 1_024  # of a name, a label or a value in a question
MEASURE_ROWS_MAX = 300_000  # what one statement may answer
MEASURE_CELLS_MAX = 2_000_000  # groups times points, gaps included
MEASURE_VALUES_MAX = 50_000  # groups, where each is one value
MEASURE_NOTES_MAX = 20
MEASURES_TOGETHER_MAX = 32  # metrics that one statement reads
BOTS_DEFINED_MAX = 200  # bots with a definition of done of their own
DONE_WAYS_MAX = 20  # that one definition names
PRICES_REMEMBERED_MAX = 10_000
LABEL_VALUES_TOLD_MAX = 1_000

# --- turns
SETTLE_EVERY_S = 5
CLOCK_BACK_S_MAX = 3600  # how far is looked back when our own clock was set back
TURN_SKEW_S_MAX = 300  # a reply that names its message may be dated so much before it
TURN_PLAN_SESSIONS_MAX = 100_000  # for which it is worked out at once what to read
TURN_PIECE_MESSAGES_MAX = 50_000  # paired in one query
TURN_PIECE_PLACES_MAX = 4_000  # hours of sessions in one query: they travel as a parameter
TURN_ID_BYTES_MAX = 64 * KIB  # of session, message and user together; a message with more is not paired
TURN_SESSION_MESSAGES_MAX = 200_000  # of one session within reach of a turn
TURN_PARCEL_BYTES_MAX = 8 * MIB
SWEEP_AGAIN_S = 600  # minutes of concurrency a new process counts again

# --- detect: what must follow what
CONTRACTS_MAX = 100  # that are counted
CONTRACT_TERMS_MAX = 50
CONTRACT_CLOSED_DAYS_MAX = 200
CONTRACT_DUE_DAYS_MAX = 92  # from what has to be followed to its deadline, closing hours included
CONTRACT_EXPECTED_S_MAX = 86_400  # within which a bot may say that something must follow; longer counts as that
CONTRACTS_EVERY_S = 10
CONTRACT_BACK_S = 3_600  # of a contract that is new or has changed, what fell due within is counted at once
CONTRACT_KEYS_MAX = 50_000  # sessions, jobs and so on that are paired in one query
CONTRACT_ROWS_PER_KEY_MAX = 200_000
CONTRACT_CHECK_DAYS_MAX = 31
CONTRACT_EXAMPLES_MAX = 20
CONTRACT_NAMES_READ_MAX = 5_000  # that were seen, among which one that is asked for is looked for
CONTRACT_ROWS_LOOKED_AT_MAX = 500  # for their fields

# --- watch: what is asked of hosts, services and queues
ASKED_ANSWER_BYTES_MAX = 8 * MIB  # one answer; what is longer is not read on
# --- watch: queues
BROKERS_MAX = 200  # watched by one process
BROKER_EVERY_S_MIN = 1
BROKER_EVERY_S_MAX = 3_600
QUEUES_PER_BROKER_MAX = 500  # in the order of their names; how many were left out is told
GROUPS_PER_BROKER_MAX = 2_000  # consumer groups of all queues of one broker
QUEUE_PARTS_PER_BROKER_MAX = 2_000  # partitions of all topics of one Kafka
QUEUE_KEYS_SCANNED_MAX = 20_000  # of one Redis, to find its queues
REDIS_ANSWER_VALUES_MAX = 200_000  # of one round trip
REDIS_ANSWER_DEPTH_MAX = 8
QUEUE_PATTERNS_MAX = 100
QUEUE_NAME_CHARS_MAX = 256
QUEUE_LOOKS_KEPT_MAX = 64  # of one queue, from which its rates and trend are worked out
QUEUE_ITEM_BYTES_MAX = 64 * KIB  # of one waiting message that is looked into for its time
QUEUE_FRESH_S = 900  # a queue nothing was heard of for longer is no longer listed
# --- watch: services
SERVICES_MAX = 1_000  # watched by one process
SERVICE_EVERY_S_MIN = 1
SERVICE_EVERY_S_MAX = 3_600
SERVICE_WAIT_S_MAX = 60  # for one answer
SERVICE_LOOKS_KEPT_MAX = 20  # answers of one service a judgement may count
SERVICE_LINGERING_MAX = 3  # questions of one service that were given up and have not ended yet
SERVICE_LINE_BYTES_MAX = 1 * MIB  # of what is not HTTP
SERVICE_FETCHES_MAX = 4  # connections of one HTTP service
SERVICE_LISTS_MAX = 50  # folders of secrets that are counted
SERVICE_SLOW_S = 300  # between questions that cost the service more than a look
SERVICE_TEXT_CHARS_MAX = 200
SERVICE_VERSION_CHARS_MAX = 64
SERVICE_TOLD_AGAIN_S = 60  # an event of a service whose state does not change
SERVICE_UNHEARD_MAX = 3  # intervals without a word; then its state is unknown
SERVICE_RULES_MAX = 20
SERVICE_CHANGES_TOLD_MAX = 100  # of one service, the newest
SERVICE_READ_AGAIN_S = 15  # what another node was told to watch
# --- watch: what bots store
STATES_MAX = 200  # watched by one process
STATE_EVERY_S_MIN = 1
STATE_EVERY_S_MAX = 86_400
STATE_WAIT_S_MAX = 60
STATE_QUERY_CHARS_MAX = 10_000

# --- api
PAGE_ITEMS_MAX = 500
SEARCH_CHARS_MAX = 256
SESSION_MESSAGES_MAX = 2_000
SESSION_TRACES_MAX = 200  # the newest
SESSION_LOGS_MAX = 100  # the newest; a cursor leads to the others
TRACE_SPANS_MAX = 10_000
TRACE_LOGS_MAX = 1_000
TRACE_SPREAD_S_MAX = 300  # how far apart spans of one trace may be for a list to see them as one
FILTER_CHARS_MAX = 1_024  # of an id or a name that is asked for
FILTER_WORDS_MAX = 16  # words of one search, attributes of one filter
PAGED_ITEMS_MAX = 10_000  # as far as page numbers go; cursors go on
HISTOGRAM_BUCKETS_MAX = 500
INSIGHT_ITEMS_MAX = 100  # on a page of messages with those around them
INSIGHT_DAYS_MAX = 400
INSIGHT_WEEKS_MAX = 26
FALLBACK_NAMES_MAX = 50  # patterns of names that mean the bot did not understand
PHRASE_CHARS_MAX = 500
QUESTIONS_GROUPED_MAX = 3_000  # different phrases of a window that are put together by what they mean
QUESTION_TERMS_MAX = 60  # words of one that are looked at
QUESTION_HEADS_LOOKED_AT_MAX = 100  # groups with a word in common that one is compared to
QUESTION_VARIANTS_MAX = 20  # phrases of a group that are told
QUESTION_FRAMES_MAX = 200  # phrases with a word left open that are compared to find slots
TREATED_PHRASES_MAX = 20_000
TREATED_PAGES_LOOKED_AT_MAX = 50  # for one page of what is not treated yet
ANSWERS_KEPT_MAX = 256  # answers many clients poll for, each for a second or so
LIVE_VIEWERS_MAX = 1_000  # pages that are told what is new
LIVE_EVERY_S = 2
LIVE_INCIDENTS_MAX = 100  # that a tick names
LIVE_LOOK_S_MAX = 5  # then the tick says that the store does not answer
STREAM_SEND_S_MAX = 20  # a client that takes nothing for so long is let go
EXPORTS_AT_ONCE_MAX = 4
EXPORT_ROWS_MAX = 5_000_000
EXPORT_PAGES_PER_GROUP_MAX = 20  # pages that make one row group of a Parquet file
EXPORT_GROUP_ROWS_MAX = 20_000  # about so many make one, of those the engine writes
EXPORT_PIECE_ROWS_MAX = 50_000  # about so many are put in order at once
REQUEST_JSON_BYTES_MAX = 1 * MIB
TOKENS_PER_USER_MAX = 100
INGEST_KEYS_MAX = 10_000
LOGIN_FAILURES_PER_MINUTE_MAX = 10  # of one user from one address
LOGIN_FAILURES_PER_ADDRESS_PER_MINUTE_MAX = 60
LOGIN_ADDRESSES_TRACKED_MAX = 10_000
LOGINS_WAITING_MAX = 16  # each costs a deliberate third of a second of one core
SIGN_IN_CODES_MAX = 16
SIGN_IN_CODE_S_MAX = 3600
BROWSER_SESSION_DAYS_MAX = 14
BROWSER_SESSIONS_PER_USER_MAX = 100
API_TOKEN_DAYS_MAX = 3_650
USERS_MAX = 10_000
READY_CHECK_S_MAX = 5

# --- state: users, tokens, keys and whatever else must survive a restart
STATE_THREADS_MAX = 4
STATE_WORK_WAITING_MAX = 1_024
STATE_BUSY_S_MAX = 5  # how long a write waits for another writer
STATE_CONNECT_S_MAX = 5
ACCESS_STALE_S_MAX = 2  # a key revoked elsewhere still opens for this long
LAST_USED_WRITE_S_MIN = 60
ENDED_TOKENS_KEPT_DAYS = 30
NAME_CHARS_MAX = 64
LABEL_CHARS_MAX = 128
SECRET_CHARS_MAX = 512
PASSWORD_CHARS_MIN = 10
PASSWORD_CHARS_MAX = 1_024
ADMIN_TOKEN_CHARS_MIN = 16  # where other machines can try it
AUDIT_DETAIL_CHARS_MAX = 2_000
AUDIT_ENTRIES_MAX = 200_000

# --- detect, incident
RULES_MAX = 10_000
RULE_NAME_CHARS_MAX = 200
RULE_TEXT_CHARS_MAX = 1_000
RULE_WORDS_MAX = 100  # names in a list of a rule
RULE_TIMEFRAME_S_MAX = 31 * 86_400
RULE_OPTIONS_BYTES_MAX = 16 * KIB
RULE_PROBLEMS_TOLD_MAX = 20
RULES_CHECKED_MAX = 1_000  # in one request
RULE_DEPTH_MAX = 5  # composites of composites
RULE_FILES_MAX = 1_000
RULE_FILE_BYTES_MAX = 1 * MIB
RULE_FILE_VALUES_MAX = 300_000  # in one file, with what its aliases stand for
SUBJECT_CHARS_MAX = 1_024
RELATED_CHANGES_MAX = 10  # that an incident is told with
SUBJECT_EXPECTED_S = 86_400  # one that nothing was heard of for longer is gone, and no longer silent
RULE_SUBJECTS_MAX = 10_000  # of one series
JUDGED_CELLS_MAX = 16_000_000  # ticks of all series held for judging
PAST_CELLS_MAX = 12_000_000  # hours of all series held for what is learned from them
JUDGED_READ_AGAIN_TICKS_MAX = 60  # now and then, for what comes late
JUDGED_LATE_TICKS_MIN = 6  # read again at every tick
JUDGE_SETTLE_MS = 500  # after its end a tick is not judged before
JUDGE_BEHIND_TICKS_MAX = 360  # judged one by one after a pause; of a longer one the newest
UNWATCHED_S_MIN = 20  # a pause of the process for longer is a time nobody watched
UNWATCHED_KEPT_MAX = 1_000
JUDGE_RETRY_S = 60  # a series that could not be read alone is tried again
LEASE_S = 15  # one whose holder shows no sign of life is taken over
INCIDENTS_OPEN_MAX = 10_000
INCIDENTS_EXPLAINED_MAX = 50  # of those that open in one tick: what else changed is looked up for each
INCIDENTS_COMPARED_MAX = 5  # of those: for which their bot's calls and versions are looked at
INCIDENT_EXPLAINED_S_MAX = 5  # then it opens without
CHANGES_READ_MAX = 500  # of one kind, the newest
INCIDENT_EXAMPLES_MAX = 2  # of what it touched
EXAMPLES_SORTED_MAX = 10_000  # among which they are found
EXAMPLE_CHARS_MAX = 200
INCIDENT_POINTS_MAX = 360  # of its chart
INCIDENT_CHANGES_MAX = 1_000  # of one incident
INCIDENT_VALUES_WRITTEN_S = 60  # peak and last value of those that stay open
BACKTEST_TICKS_MAX = 31 * 8_640
BACKTEST_CELLS_MAX = 8_000_000
BACKTEST_CELLS_KEPT_MAX = 12_000_000  # ticks kept for the next one over the same time
BACKTESTS_MAX = 2  # at once
BACKTEST_TOLD_MAX = 1_000  # incidents in an answer
RULE_TEST_TICKS_MAX = 100_000
BASELINE_SERIES_MAX = 50  # drawn at once
BASELINE_STEPS_MAX = 1_500
NOISE_INCIDENTS_MAX = 100_000  # the newest, over which rules are reviewed

# --- watch: what is seen from outside the bots
REPORTS_WAITING_BYTES_MAX = 8 * MIB  # in memory, before the spool or the agent's disk has them
REPORT_TROUBLES_TOLD_MAX = 20  # different ones; each is logged once
AGENT_BUFFER_BYTES_MAX = 64 * MIB  # on disk while the server is away; then the oldest go
AGENT_BUFFER_PARCELS_MAX = 100_000
AGENT_SEND_S_MAX = 15
AGENT_ANSWER_BYTES_MAX = 64 * KIB
AGENT_RETRY_S_MIN = 1  # doubled with each failure
AGENT_RETRY_S_MAX = 10
AGENT_RETRY_AFTER_S_MAX = 600  # a server may ask to be left alone for so long
AGENT_STOP_S_MAX = 3
HOST_LOOK_EVERY_S = 10  # a tick of the rollup
HOST_DISKS_MAX = 64
HOST_INTERFACES_MAX = 32
HOST_GPUS_MAX = 32
WATCHED_TREES_MAX = 200  # processes of bots, each with its children
TREE_PROCESSES_MAX = 1_000
TREE_SOCKETS_MAX = 100_000
LEAKS_EVERY_S = 60
LEAK_SERIES_MAX = 5_000  # processes judged at once
COMMAND_CHARS_MAX = 16_384  # of a command line, where a bot is looked for

# --- notify
CHANNELS_MAX = 200
ROUTES_MAX = 500
ROUTE_STEPS_MAX = 10  # of one escalation
SETTLE_S_MAX = 3_600
ESCALATION_S_MAX = 7 * 86_400
SILENCES_MAX = 10_000  # that are not over
SILENCE_DAYS_MAX = 366
OPTION_CHARS_MAX = 4_096  # of one option of a channel
NOTICES_PER_PASS_MAX = 2_000  # changes taken, or notices put into deliveries, in one transaction
TOLD_PER_DELIVERY_MAX = 20  # incidents in one message; the next go into another
DIGEST_ITEMS_MAX = 200
DELIVERIES_KEPT_DAYS = 90
DELIVERY_ATTEMPTS_KEPT_MAX = 20  # in a receipt: the first and the latest
DELIVERY_ANSWER_CHARS_MAX = 500
DELIVERY_ANSWER_BYTES_MAX = 64 * KIB  # read of what a receiver answers
DELIVERY_S_MAX = 15  # from connecting to the end of the answer
DELIVERY_CONNECT_S_MAX = 5
DELIVERIES_AT_ONCE_MAX = 64  # to one channel
DELIVERY_BACKOFF_S_MAX = 300
DELIVERY_RETRY_AFTER_S_MAX = 86_400  # as long as a receiver may ask us to wait
DELIVERY_GIVE_UP_DAYS = 3  # until then a dead receiver loses nothing
DELIVERY_TROUBLE_S = 300  # a receiver dead for so long is told of on another channel
TROUBLE_AGAIN_S = 3_600  # a channel that only test messages and hooks fail on is told of so often
HELD_AGAIN_S = 10  # how often it is looked again whether a silence or a dependency is over
MAILS_AT_ONCE_MAX = 4
HOOKS_AT_ONCE_MAX = 4  # runs of one hook
HOOKS_MAX = 50
HOOK_S_MAX = 300
HOOK_OUTPUT_BYTES_MAX = 16 * KIB
APPRISE_S_MAX = 60
SLACK_BLOCKS_MAX = 50
SLACK_TEXT_CHARS_MAX = 3_000
PAGERDUTY_SUMMARY_CHARS_MAX = 1_024
PAGERDUTY_BYTES_MAX = 512 * KIB
SMS_CHARS_MAX = 160
ALERTMANAGER_AGAIN_S = 60
ALERTMANAGER_ALERTS_MAX = 500  # in one request
HEARTBEAT_S_MIN = 5
DRILL_S_MAX = 180

# --- reports
REPORTS_MAX = 500
REPORTS_PER_OWNER_MAX = 100
REPORT_PANELS_MAX = 20
REPORT_TITLE_CHARS_MAX = 120
REPORT_PERIOD_S_MIN = 60
REPORT_PERIOD_DAYS_MAX = 400
REPORT_SERIES_MAX = 50  # of one panel
REPORT_LINES_NAMED_MAX = 10  # under a chart of a PDF
REPORT_ROWS_MAX = 40  # of a table in a PDF
REPORT_RECIPIENTS_MAX = 50
REPORT_FILE_BYTES_MAX = 10 * MIB  # that goes with a mail
REPORTS_MADE_AT_ONCE_MAX = 2
REPORTS_WAITING_MAX = 16  # for one of those to be done
REPORT_SETTLE_S = 30  # after its time a report is made, so that what came until then is counted
REPORT_SHARES_MAX = 20  # links to one report
REPORT_SHARE_DAYS_MAX = 366

# --- detect: the shapes of documents
DRIFT_DEPTH_MAX = 12
DRIFT_KEYS_PER_OBJECT_MAX = 200  # of an object with more, the keys are taken for data
DRIFT_ELEMENTS_PER_ARRAY_MAX = 20
DRIFT_PLACES_PER_DOCUMENT_MAX = 2_000
DRIFT_PLACES_PER_PROFILE_MAX = 2_000
DRIFT_KEY_CHARS_MAX = 64
DRIFT_VALUE_CHARS_MAX = 64
DRIFT_NUMBERS_AS_VALUES_MAX = 1_000
DRIFT_VALUES_PER_PLACE_MAX = 50  # of a place with more, the values are no choice
DRIFT_VARIANTS_PER_SOURCE_MAX = 50
DRIFT_VARIANT_CHARS_MAX = 200
DRIFT_PATH_CHARS_MAX = 1_000
DRIFT_SOURCES_MAX = 500
DRIFTS_PER_SOURCE_MAX = 200  # live at once; more say nothing new
DRIFT_DOCUMENT_BYTES_MAX = 256 * KIB  # of a source that sends longer ones, fewer are looked at
DRIFT_LARGE_SOURCES_MAX = 8  # that longer ones are looked at of, in one step
DRIFT_LARGE_SOURCE_BYTES_MAX = 32 * MIB  # read of one of them in one step
DRIFT_DOCUMENTS_PER_TICK_MAX = 300  # of one source in five minutes
DRIFT_DOCUMENTS_PER_PAST_HOUR_MAX = 120
DRIFT_DOCUMENTS_PER_STEP_MAX = 20_000
CRITICAL_PLACES_PER_SOURCE_MAX = 20
SCHEMA_CHECK_S_MAX = 2  # for some documents together, then for one
SCHEMA_CHECKS_S_MAX = 10  # of one source in one step; what is left is not checked, and not counted as if it were
SCHEMA_DOCUMENTS_PER_STEP_MAX = 10_000  # of one source; of more, some from all over the time
DRIFT_EXAMPLES_MAX = 20  # documents that a finding points to
DRIFT_KEYS_PER_EXAMPLE_MAX = 60
DRIFT_DOCUMENTS_KEPT_MAX = 2_000  # to find out which kinds there are
# --- demo
DEMO_RATE_MAX = 1_000  # conversations a minute
DEMO_DAYS_MAX = 31
DEMO_TALKS_MAX = 500  # at once, of one process
DEMO_QUEUE_ITEMS_MAX = 500
DEMO_STOP_S_MAX = 3
# --- console
CONSOLE_ROWS_MAX = 200  # of a table in a terminal
CONSOLE_LOG_LINES_MAX = 2_000  # kept of the live tail
CONSOLE_EVERY_S_MAX = 86_400
