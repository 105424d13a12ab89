-- Spans: decoded once from protobuf by the engine, flattened, and counted into the rollup.
-- `resource` is JSON text behind a dictionary: it repeats for thousands of spans. Random ids are not
-- compressed and the rest only lightly, which is what made inserting cheap (ZSTD would save a sixth of the bytes and
-- cost as much again in time), and the skip indexes are built by merges.
-- Attribute values that are arrays or maps are kept as their protobuf bytes behind a zero byte and
-- the field number ('5' array, '6' map, '7' bytes); whoever reads them decodes them.

CREATE TABLE inbox_traces {on_cluster}
(
    received_ns UInt64,
    resource_spans Array(Tuple(
        resource Tuple(attributes Array(Tuple(key String, value String))),
        scope_spans Array(Tuple(
            scope Tuple(name String, version String),
            spans Array(Tuple(
                trace_id String, span_id String, trace_state String, parent_span_id String,
                name String, kind Int32, start_time_unix_nano UInt64, end_time_unix_nano UInt64,
                attributes Array(Tuple(key String, value String)),
                events Array(Tuple(time_unix_nano UInt64, name String, attributes Array(Tuple(key String, value String)))),
                links Array(Tuple(trace_id String, span_id String)),
                status Tuple(message String, code Int32)
            ))
        ))
    ))
)
ENGINE = Null;

CREATE TABLE spans {on_cluster}
(
    bot LowCardinality(String),
    host LowCardinality(String),
    instance LowCardinality(String),
    start DateTime64(9, 'UTC') CODEC(Delta, LZ4),
    duration_ns UInt64,
    trace_id FixedString(16) CODEC(NONE),
    span_id FixedString(8) CODEC(NONE),
    parent_span_id FixedString(8) CODEC(NONE),
    name LowCardinality(String),
    kind Enum8('unspecified' = 0, 'internal' = 1, 'server' = 2, 'client' = 3, 'producer' = 4, 'consumer' = 5),
    status Enum8('unset' = 0, 'ok' = 1, 'error' = 2),
    failure LowCardinality(String),
    status_message String,
    scope LowCardinality(String),
    trace_state String,
    session_id String,
    user_id String,
    channel LowCardinality(String),
    correlation_id String,
    action LowCardinality(String),
    request LowCardinality(String),
    dependency LowCardinality(String),
    model LowCardinality(String),
    provider LowCardinality(String),
    tokens_in UInt32,
    tokens_out UInt32,
    attributes Map(LowCardinality(String), String),
    resource LowCardinality(String),
    events Nested(at DateTime64(9, 'UTC'), name LowCardinality(String), attributes Map(LowCardinality(String), String)),
    links Nested(trace_id FixedString(16), span_id FixedString(8)),
    received DateTime64(3, 'UTC') CODEC(Delta, LZ4),
    INDEX by_trace trace_id TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX by_session session_id TYPE bloom_filter(0.01) GRANULARITY 4,
    INDEX by_correlation correlation_id TYPE bloom_filter(0.01) GRANULARITY 4
)
ENGINE = {engine}MergeTree
PARTITION BY toDate(start)
ORDER BY (bot, start)
SETTINGS non_replicated_deduplication_window = 10000;

-- An attribute's value comes as the bytes of its AnyValue: a tag that says what it is and, where it has a length, that
-- length, which is told by how long the whole is.
CREATE OR REPLACE FUNCTION botwatch_inside {on_cluster} AS (v) ->
    substring(v, 3 + (length(v) > 129) + (length(v) > 16386) + (length(v) > 2097155));

-- Seven bits a byte, the lowest first. Most numbers have one or two.
CREATE OR REPLACE FUNCTION botwatch_whole {on_cluster} AS (v) -> if(
    length(v) <= 3,
    toInt64(bitAnd(reinterpretAsUInt16(substring(v, 2)), 127) + bitShiftRight(bitAnd(reinterpretAsUInt16(substring(v, 2)), 32512), 1)),
    toInt64(arraySum(i -> bitShiftLeft(toUInt64(bitAnd(ascii(substring(v, i, 1)), 127)), 7 * (i - 2)), range(2, length(v) + 1))));

CREATE OR REPLACE FUNCTION botwatch_text {on_cluster} AS (v) -> multiIf(
    startsWith(v, '\x0a'), botwatch_inside(v),
    startsWith(v, '\x18'), toString(botwatch_whole(v)),
    startsWith(v, '\x10'), if(endsWith(v, '\x01'), 'true', 'false'),
    startsWith(v, '\x21'), toString(reinterpretAsFloat64(substring(v, 2))),
    ascii(v) IN (42, 50, 58), concat('\0', toString(intDiv(ascii(v), 8)), botwatch_inside(v)),
    '');

-- Whose a fact is, by what it says itself and by what its resource does. An observer tells of others.
CREATE OR REPLACE FUNCTION botwatch_owner {on_cluster} AS (told, carrier) -> multiIf(
    told['bot.name'] != '', told['bot.name'], carrier['bot.name'] != '', carrier['bot.name'], carrier['botwatch.observer'] != '', '',
    told['gen_ai.agent.name'] != '', told['gen_ai.agent.name'], carrier['gen_ai.agent.name'] != '', carrier['gen_ai.agent.name'],
    carrier['service.name'] != '', carrier['service.name'], 'unknown_service');

-- Times outside what an engine can partition never get here: the door refuses them. What is asked for more than once is a
-- column of an inner query: a name for an expression is analysed anew, for every insert, wherever it stands.
CREATE MATERIALIZED VIEW inbox_traces_to_spans {on_cluster} TO spans AS
SELECT
    botwatch_owner(attributes, carrier) AS bot,
    carrier['host.name'] AS host,
    carrier['service.instance.id'] AS instance,
    fromUnixTimestamp64Nano(toInt64(span.start_time_unix_nano), 'UTC') AS start,
    if(span.end_time_unix_nano > span.start_time_unix_nano, span.end_time_unix_nano - span.start_time_unix_nano, 0) AS duration_ns,
    toFixedString(substring(span.trace_id, 1, 16), 16) AS trace_id,
    toFixedString(substring(span.span_id, 1, 8), 8) AS span_id,
    toFixedString(substring(span.parent_span_id, 1, 8), 8) AS parent_span_id,
    span.name AS name,
    if(span.kind BETWEEN 0 AND 5, span.kind, 0) AS kind,
    if(span.status.code BETWEEN 0 AND 2, span.status.code, 0) AS status,
    multiIf(
        http_status = '429' OR error_type = '429' OR match(error_type, '(?i)rate.?limit'), 'rate_limited',
        http_status IN ('408', '504') OR failed AND match(error_type, '(?i)timeout|timed.?out|deadline.?exceeded'), 'timeout',
        failed, 'error',
        '') AS failure,
    span.status.message AS status_message,
    if(scope.version = '', scope.name, concat(scope.name, ' ', scope.version)) AS scope,
    span.trace_state AS trace_state,
    multiIf(attributes['session.id'] != '', attributes['session.id'],
            attributes['gen_ai.conversation.id'] != '', attributes['gen_ai.conversation.id'],
            attributes['messaging.message.conversation_id'] != '', attributes['messaging.message.conversation_id'],
            carrier['session.id']) AS session_id,
    multiIf(attributes['user.id'] != '', attributes['user.id'], attributes['enduser.id'] != '', attributes['enduser.id'], carrier['user.id']) AS user_id,
    multiIf(attributes['bot.channel'] != '', attributes['bot.channel'], carrier['bot.channel'] != '', carrier['bot.channel'], attributes['messaging.system']) AS channel,
    if(attributes['correlation_id'] != '', attributes['correlation_id'], attributes['correlation.id']) AS correlation_id,
    multiIf(attributes['bot.action'] != '', attributes['bot.action'],
            span.kind = 5 OR span.parent_span_id = '' AND span.kind NOT IN (3, 4), span.name, '') AS action,
    multiIf(span.kind != 2 OR attributes['http.request.method'] = '' AND attributes['http.method'] = '', '',
            attributes['http.route'] != '', attributes['http.route'], span.name) AS request,
    multiIf(span.kind NOT IN (3, 4), '',
            attributes['peer.service'] != '', attributes['peer.service'],
            attributes['server.address'] != '', attributes['server.address'],
            attributes['net.peer.name'] != '', attributes['net.peer.name'],
            attributes['db.system.name'] != '', attributes['db.system.name'],
            attributes['db.system'] != '', attributes['db.system'],
            attributes['gen_ai.provider.name'] != '', attributes['gen_ai.provider.name'],
            attributes['gen_ai.system'] != '', attributes['gen_ai.system'],
            attributes['messaging.system'] != '', attributes['messaging.system'],
            attributes['rpc.service'] != '', attributes['rpc.service'],
            span.name) AS dependency,
    -- What stands around the calls of a model names it too, and sums up what they used.
    multiIf(attributes['gen_ai.operation.name'] IN ('invoke_agent', 'invoke_workflow', 'create_agent', 'execute_tool'), '',
            attributes['gen_ai.response.model'] != '', attributes['gen_ai.response.model'],
            attributes['gen_ai.request.model']) AS model,
    if(attributes['gen_ai.provider.name'] != '', attributes['gen_ai.provider.name'], attributes['gen_ai.system']) AS provider,
    toUInt32OrZero(if(attributes['gen_ai.usage.input_tokens'] != '', attributes['gen_ai.usage.input_tokens'], attributes['gen_ai.usage.prompt_tokens'])) AS tokens_in,
    toUInt32OrZero(if(attributes['gen_ai.usage.output_tokens'] != '', attributes['gen_ai.usage.output_tokens'], attributes['gen_ai.usage.completion_tokens'])) AS tokens_out,
    attributes,
    resource,
    arrayMap(t -> fromUnixTimestamp64Nano(toInt64(t), 'UTC'), span.events.time_unix_nano) AS `events.at`,
    span.events.name AS `events.name`,
    happened AS `events.attributes`,
    arrayMap(t -> toFixedString(substring(t, 1, 16), 16), span.links.trace_id) AS `links.trace_id`,
    arrayMap(s -> toFixedString(substring(s, 1, 8), 8), span.links.span_id) AS `links.span_id`,
    fromUnixTimestamp64Milli(intDiv(received_ns, 1000000), 'UTC') AS received
FROM
(
    SELECT
        span, carrier, resource, scope, received_ns, attributes, happened,
        span.status.code = 2 AS failed,
        if(attributes['http.response.status_code'] != '', attributes['http.response.status_code'], attributes['http.status_code']) AS http_status,
        if(attributes['error.type'] != '' OR NOT failed, attributes['error.type'], happened[indexOf(span.events.name, 'exception')]['exception.type']) AS error_type
    FROM
    (
        SELECT
            span, carrier, resource, scope, received_ns,
            CAST(mapFromArrays(span.attributes.key, arrayMap(v -> botwatch_text(v), span.attributes.value)), 'Map(LowCardinality(String), String)') AS attributes,
            arrayMap(a -> mapFromArrays(a.key, arrayMap(v -> botwatch_text(v), a.value)), span.events.attributes) AS happened
        FROM
        (
            SELECT
                received_ns,
                CAST(mapFromArrays(resource_span.resource.attributes.key, arrayMap(v -> botwatch_text(v), resource_span.resource.attributes.value)), 'Map(LowCardinality(String), String)') AS carrier,
                toJSONString(carrier) AS resource,
                scope_span.scope AS scope,
                scope_span.spans AS spans
            FROM (SELECT received_ns, arrayJoin(resource_spans) AS resource_span FROM inbox_traces)
            ARRAY JOIN resource_span.scope_spans AS scope_span
        )
        ARRAY JOIN spans AS span
    )
);

-- A span counts under each part it plays. Counting by bucket first keeps the histograms cheap.
CREATE MATERIALIZED VIEW spans_to_ticks {on_cluster} TO ticks AS
SELECT
    kind, tick, bot, host, '' AS channel, name, detail, 0 AS series,
    sum(n) AS count, sum(errors) AS errors, sum(timeouts) AS timeouts, sum(rate_limited) AS rate_limited,
    sum(total) AS total, min(low) AS low, max(high) AS high,
    mapFromArrays(groupArray(bucket), groupArray(toInt64(n))) AS spread,
    sum(tokens_in) AS tokens_in, sum(tokens_out) AS tokens_out
FROM
(
    SELECT
        part.1 AS kind, tick, bot, host, part.2 AS name, part.3 AS detail, bucket,
        sum(n) AS n, sum(errors) AS errors, sum(timeouts) AS timeouts, sum(rate_limited) AS rate_limited,
        sum(total) AS total, min(low) AS low, max(high) AS high, sum(tokens_in) AS tokens_in, sum(tokens_out) AS tokens_out
    FROM
    (
        SELECT
            toStartOfInterval(start, INTERVAL 10 SECOND) AS tick, bot, host, action, request, dependency, model, provider,
            botwatch_bucket(duration_ns / 1e6) AS bucket,
            count() AS n, countIf(status = 'error') AS errors, countIf(failure = 'timeout') AS timeouts,
            countIf(failure = 'rate_limited') AS rate_limited,
            sum(duration_ns) / 1e6 AS total, min(duration_ns) / 1e6 AS low, max(duration_ns) / 1e6 AS high,
            sum(spans.tokens_in) AS tokens_in, sum(spans.tokens_out) AS tokens_out
        FROM spans
        WHERE NOT (action = '' AND request = '' AND dependency = '' AND model = '')
        GROUP BY tick, bot, host, action, request, dependency, model, provider, bucket
    )
    ARRAY JOIN arrayFilter(p -> p.2 != '', [
        ('action', action, ''), ('request', request, ''), ('dependency', dependency, ''), ('model', model, provider)
    ]) AS part
    GROUP BY kind, tick, bot, host, name, detail, bucket
)
GROUP BY kind, tick, bot, host, name, detail;
