"""Every bound in the house, with its unit last in its name. Nothing here is a setting.

A bound that people need to change is a setting with a maximum here.
"""

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
BATCH_BYTES_MAX = 16 * MIB
BATCH_PARCELS_MAX = 512
STORE_QUERY_S_MAX = 30
STORE_QUERY_ROWS_MAX = 1_000_000
STORE_READERS_MAX = 4
STORE_WRITERS_MAX = 2
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
ANSWERS_KEPT_MAX = 256  # answers many clients poll for, each for a second or so
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

# --- detect, incident
RULES_MAX = 10_000
RULE_NAME_CHARS_MAX = 200
RULE_TEXT_CHARS_MAX = 1_000
RULE_WORDS_MAX = 100  # names in a list of a rule
RULE_TIMEFRAME_S_MAX = 31 * 86_400
SUBJECT_CHARS_MAX = 1_024

# --- demo
DEMO_RATE_MAX = 1_000  # conversations a minute
DEMO_DAYS_MAX = 31
DEMO_TALKS_MAX = 500  # at once, of one process
DEMO_QUEUE_ITEMS_MAX = 500
DEMO_STOP_S_MAX = 3
