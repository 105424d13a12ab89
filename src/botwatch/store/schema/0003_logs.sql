-- Log records and events, from OTLP and from JSON lines, in one table.

CREATE TABLE inbox_logs {on_cluster}
(
    received_ns UInt64,
    resource_logs Array(Tuple(
        resource Tuple(attributes Array(Tuple(key String, value String))),
        scope_logs Array(Tuple(
            scope Tuple(name String, version String),
            log_records Array(Tuple(
                time_unix_nano UInt64, observed_time_unix_nano UInt64, severity_number Int32, severity_text String,
                body String,
                attributes Array(Tuple(key String, value String)),
                trace_id String, span_id String, event_name String
            ))
        ))
    ))
)
ENGINE = Null;

-- The door has already given each line this shape; `t` is nanoseconds since 1970 as text.
CREATE TABLE inbox_json_logs {on_cluster}
(
    received_ns UInt64,
    line Array(String)
)
ENGINE = Null;

CREATE TABLE logs {on_cluster}
(
    bot LowCardinality(String),
    host LowCardinality(String),
    instance LowCardinality(String),
    at DateTime64(9, 'UTC') CODEC(Delta, ZSTD(1)),
    severity UInt8,
    level LowCardinality(String),
    event LowCardinality(String),
    body String CODEC(ZSTD(1)),
    scope LowCardinality(String),
    trace_id FixedString(16) CODEC(ZSTD(1)),
    span_id FixedString(8) CODEC(ZSTD(1)),
    session_id String CODEC(ZSTD(1)),
    user_id String CODEC(ZSTD(1)),
    channel LowCardinality(String),
    correlation_id String CODEC(ZSTD(1)),
    attributes Map(LowCardinality(String), String) CODEC(ZSTD(1)),
    resource LowCardinality(String),
    received DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    INDEX by_trace trace_id TYPE bloom_filter(0.01) GRANULARITY 4,
    INDEX by_session session_id TYPE bloom_filter(0.01) GRANULARITY 4,
    INDEX by_correlation correlation_id TYPE bloom_filter(0.01) GRANULARITY 4
)
ENGINE = {engine}MergeTree
PARTITION BY toDate(at)
ORDER BY (bot, at)
SETTINGS non_replicated_deduplication_window = 10000;

CREATE OR REPLACE FUNCTION botwatch_level {on_cluster} AS (severity) -> multiIf(
    severity = 0, 'info', severity <= 4, 'trace', severity <= 8, 'debug', severity <= 12, 'info',
    severity <= 16, 'warn', severity <= 20, 'error', severity <= 24, 'fatal', 'info');

-- Where the number is missing, the word decides.
CREATE OR REPLACE FUNCTION botwatch_severity {on_cluster} AS (number, word) -> if(number BETWEEN 1 AND 24, number, transform(
    lower(word), ['trace', 'debug', 'info', 'notice', 'warn', 'warning', 'error', 'err', 'critical', 'crit', 'alert', 'fatal', 'emergency', 'panic'],
    [1, 5, 9, 10, 13, 13, 17, 17, 21, 21, 21, 21, 21, 21], 9));

CREATE MATERIALIZED VIEW inbox_logs_to_logs {on_cluster} TO logs AS
SELECT
    botwatch_owner(attributes, carrier) AS bot,
    carrier['host.name'] AS host,
    carrier['service.instance.id'] AS instance,
    fromUnixTimestamp64Nano(toInt64(if(record.time_unix_nano != 0, record.time_unix_nano, record.observed_time_unix_nano)), 'UTC') AS at,
    number AS severity,
    botwatch_level(number) AS level,
    if(record.event_name != '', record.event_name, attributes['event.name']) AS event,
    if(event = 'bot.message' AND words = '', attributes['bot.message.text'], words) AS body,
    if(scope.version = '', scope.name, concat(scope.name, ' ', scope.version)) AS scope,
    toFixedString(substring(record.trace_id, 1, 16), 16) AS trace_id,
    toFixedString(substring(record.span_id, 1, 8), 8) AS span_id,
    multiIf(attributes['session.id'] != '', attributes['session.id'],
            attributes['gen_ai.conversation.id'] != '', attributes['gen_ai.conversation.id'],
            attributes['messaging.message.conversation_id'] != '', attributes['messaging.message.conversation_id'],
            carrier['session.id']) AS session_id,
    multiIf(attributes['user.id'] != '', attributes['user.id'], attributes['enduser.id'] != '', attributes['enduser.id'], carrier['user.id']) AS user_id,
    multiIf(attributes['bot.channel'] != '', attributes['bot.channel'], carrier['bot.channel'] != '', carrier['bot.channel'], attributes['messaging.system']) AS channel,
    if(attributes['correlation_id'] != '', attributes['correlation_id'], attributes['correlation.id']) AS correlation_id,
    attributes,
    resource,
    fromUnixTimestamp64Milli(intDiv(received_ns, 1000000), 'UTC') AS received
FROM
(
    SELECT
        record, carrier, resource, scope, received_ns,
        CAST(mapFromArrays(record.attributes.key, arrayMap(v -> botwatch_text(v), record.attributes.value)), 'Map(LowCardinality(String), String)') AS attributes,
        botwatch_text(record.body) AS words,
        botwatch_severity(record.severity_number, record.severity_text) AS number
    FROM
    (
        SELECT
            received_ns,
            CAST(mapFromArrays(resource_log.resource.attributes.key, arrayMap(v -> botwatch_text(v), resource_log.resource.attributes.value)), 'Map(LowCardinality(String), String)') AS carrier,
            toJSONString(carrier) AS resource,
            scope_log.scope AS scope,
            scope_log.log_records AS records
        FROM (SELECT received_ns, arrayJoin(resource_logs) AS resource_log FROM inbox_logs)
        ARRAY JOIN resource_log.scope_logs AS scope_log
    )
    ARRAY JOIN records AS record
);

CREATE MATERIALIZED VIEW inbox_json_logs_to_logs {on_cluster} TO logs AS
WITH JSONExtract(json, 'Tuple(t String, severity UInt8, bot String, host String, event String, body String, trace String, span String, session String, user String, channel String, correlation String, attributes Map(String, String))') AS r
SELECT
    if(r.bot != '', r.bot, 'unknown_service') AS bot,
    r.host AS host,
    fromUnixTimestamp64Nano(toInt64OrZero(r.t), 'UTC') AS at,
    if(r.severity BETWEEN 1 AND 24, r.severity, 9) AS severity,
    botwatch_level(severity) AS level,
    r.event AS event,
    r.body AS body,
    toFixedString(substring(unhex(r.trace), 1, 16), 16) AS trace_id,
    toFixedString(substring(unhex(r.span), 1, 8), 8) AS span_id,
    r.session AS session_id,
    r.user AS user_id,
    r.channel AS channel,
    r.correlation AS correlation_id,
    CAST(r.attributes, 'Map(LowCardinality(String), String)') AS attributes,
    fromUnixTimestamp64Milli(intDiv(received_ns, 1000000), 'UTC') AS received
FROM inbox_json_logs
ARRAY JOIN line AS json;

CREATE MATERIALIZED VIEW logs_to_ticks {on_cluster} TO ticks AS
SELECT
    'log' AS kind, toStartOfInterval(at, INTERVAL 10 SECOND) AS tick, bot, host, '' AS channel,
    event AS name, level AS detail, count() AS count, countIf(severity >= 17) AS errors
FROM logs
GROUP BY tick, bot, host, name, detail;
