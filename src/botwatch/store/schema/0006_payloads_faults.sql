-- Incoming documents, and exceptions grouped by what they are.

CREATE TABLE inbox_payloads {on_cluster}
(
    received_ns UInt64,
    payload Array(Tuple(source String, document String, invalid Bool, sender String, session String, bot String,
        version String))
)
ENGINE = Null;

CREATE TABLE payloads {on_cluster}
(
    source LowCardinality(String),
    bot LowCardinality(String),
    session_id String CODEC(ZSTD(1)),
    at DateTime64(6, 'UTC') CODEC(Delta, ZSTD(1)),
    document String CODEC(ZSTD(1)),
    trace_id FixedString(16) CODEC(ZSTD(1)),
    correlation_id String CODEC(ZSTD(1)),
    received DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    partial Bool, -- a part of a document, sent where the whole was not, lacks places that the document had
    invalid Bool, -- no JSON object or array, and perhaps only the beginning of what was sent
    sender LowCardinality(String), -- of what is invalid and came without a bot: the key, and the program
    version LowCardinality(String) -- of the bot
)
ENGINE = {engine}MergeTree
PARTITION BY toDate(at)
ORDER BY (source, at)
SETTINGS non_replicated_deduplication_window = 10000;

-- The engine's reader takes no half surrogate pairs and no numbers beyond 64 bits, which JSON has: they are put aside
-- before it is asked again.
CREATE OR REPLACE FUNCTION botwatch_is_document {on_cluster} AS (text) ->
    ascii(trim(LEADING ' \t\r\n' FROM text)) IN (91, 123) AND (isValidJSON(text) OR isValidJSON(replaceRegexpAll(replaceRegexpAll(replaceRegexpAll(
        text, '\\\\u[dD][89a-fA-F][0-9a-fA-F][0-9a-fA-F]', '\\\\u0020'), '[0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9]*', '1'), '([0-9])[eE][+-]?[0-9][0-9]+', '\\1')));

CREATE MATERIALIZED VIEW inbox_payloads_to_payloads {on_cluster} TO payloads AS
SELECT
    item.source AS source,
    item.bot AS bot,
    item.session AS session_id,
    fromUnixTimestamp64Micro(intDiv(received_ns, 1000), 'UTC') AS at,
    item.document AS document,
    fromUnixTimestamp64Milli(intDiv(received_ns, 1000000), 'UTC') AS received,
    item.invalid OR NOT botwatch_is_document(document) AS invalid,
    if(invalid AND bot = '', item.sender, '') AS sender,
    item.version AS version
FROM inbox_payloads
ARRAY JOIN payload AS item;

CREATE MATERIALIZED VIEW logs_to_payloads {on_cluster} TO payloads AS
SELECT
    attributes['bot.payload.source'] AS source, bot, session_id, at, body AS document, trace_id, correlation_id, received,
    attributes['bot.payload.partial'] IN ('true', '1') AS partial,
    NOT botwatch_is_document(document) AS invalid,
    JSONExtractString(toString(resource), 'service.version') AS version
FROM logs
WHERE event = 'bot.payload';

CREATE MATERIALIZED VIEW payloads_to_ticks {on_cluster} TO ticks AS
SELECT
    'payload' AS kind, toStartOfInterval(at, INTERVAL 10 SECOND) AS tick, bot, source AS name, count() AS count,
    countIf(invalid) AS errors
FROM payloads
GROUP BY tick, bot, name;

CREATE TABLE faults {on_cluster}
(
    day Date,
    bot LowCardinality(String),
    fault UInt64,
    type SimpleAggregateFunction(any, String),
    message SimpleAggregateFunction(anyLast, String),
    stack SimpleAggregateFunction(anyLast, String),
    trace_id SimpleAggregateFunction(anyLast, FixedString(16)),
    session_id SimpleAggregateFunction(anyLast, String),
    hosts SimpleAggregateFunction(groupUniqArrayArray, Array(String)),
    count SimpleAggregateFunction(sum, Int64),
    first_seen SimpleAggregateFunction(min, DateTime64(6, 'UTC')),
    last_seen SimpleAggregateFunction(max, DateTime64(6, 'UTC'))
)
ENGINE = {engine}AggregatingMergeTree
PARTITION BY toStartOfMonth(day)
ORDER BY (bot, fault, day)
SETTINGS non_replicated_deduplication_window = 10000;

-- Two exceptions are the same fault when their type and the functions they went through are: line
-- numbers and addresses change with every release. Without a stack the message decides, its numbers aside.
CREATE OR REPLACE FUNCTION botwatch_fault {on_cluster} AS (bot, type, message, stack) -> cityHash64(bot, type, if(
    match(stack, '(?m)^\\s*(File "|at )'),
    arrayStringConcat(arrayMap(f -> replaceRegexpAll(f, '(line \\d+|:\\d+|0x[0-9a-fA-F]+)', ''), extractAll(stack, '(?m)^\\s*((?:File "[^"\\n]+", line \\d+, in [^\\n]+|at [^\\n]+))')), '\n'),
    replaceRegexpAll(message, '0x[0-9a-fA-F]+|[0-9a-fA-F-]{8,}|\\d+|\'[^\']*\'|"[^"]*"', '#')));

CREATE MATERIALIZED VIEW spans_to_faults {on_cluster} TO faults AS
SELECT
    toDate(seen) AS day, bot, botwatch_fault(bot, what['exception.type'], what['exception.message'], what['exception.stacktrace']) AS fault,
    any(what['exception.type']) AS type, anyLast(substring(what['exception.message'], 1, 4000)) AS message,
    anyLast(substring(what['exception.stacktrace'], 1, 16000)) AS stack, anyLast(trace_id) AS trace_id, anyLast(session_id) AS session_id,
    groupUniqArray(20)(toString(host)) AS hosts, count() AS count, min(seen) AS first_seen, max(seen) AS last_seen
FROM spans
ARRAY JOIN events.at AS seen, events.name AS event, events.attributes AS what
WHERE event = 'exception'
GROUP BY day, bot, fault;

CREATE MATERIALIZED VIEW logs_to_faults {on_cluster} TO faults AS
SELECT
    toDate(at) AS day, bot, botwatch_fault(bot, attributes['exception.type'], attributes['exception.message'], attributes['exception.stacktrace']) AS fault,
    any(attributes['exception.type']) AS type, anyLast(substring(attributes['exception.message'], 1, 4000)) AS message,
    anyLast(substring(attributes['exception.stacktrace'], 1, 16000)) AS stack, anyLast(trace_id) AS trace_id, anyLast(session_id) AS session_id,
    groupUniqArray(20)(toString(host)) AS hosts, count() AS count, min(at) AS first_seen, max(at) AS last_seen
FROM logs
WHERE attributes['exception.type'] != ''
GROUP BY day, bot, fault;
