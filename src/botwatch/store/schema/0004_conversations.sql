-- What bots are for: messages, the turns they make up, and the sessions those stand in.

CREATE TABLE messages {on_cluster}
(
    bot LowCardinality(String),
    host LowCardinality(String),
    channel LowCardinality(String),
    session_id String,
    user_id String CODEC(ZSTD(1)),
    at DateTime64(6, 'UTC') CODEC(Delta, ZSTD(1)),
    direction Enum8('in' = 1, 'out' = 2),
    author LowCardinality(String),
    text String CODEC(ZSTD(1)),
    message_id String CODEC(ZSTD(1)),
    reply_to String CODEC(ZSTD(1)),
    trace_id FixedString(16) CODEC(ZSTD(1)),
    span_id FixedString(8) CODEC(ZSTD(1)),
    correlation_id String CODEC(ZSTD(1)),
    source Enum8('event' = 1, 'model' = 2),
    received DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    INDEX by_received received TYPE minmax GRANULARITY 1
)
ENGINE = {engine}MergeTree
PARTITION BY toDate(at)
ORDER BY (toStartOfHour(at), bot, session_id, at)
SETTINGS non_replicated_deduplication_window = 10000;

-- A conversation without an id of its own is told by its user and channel, or else by its trace.
CREATE OR REPLACE FUNCTION botwatch_session {on_cluster} AS (session_id, bot, channel, user_id, trace_id) -> multiIf(
    session_id != '', session_id,
    user_id != '', concat('user-', lower(hex(sipHash64(bot, channel, user_id)))),
    trace_id != toFixedString('', 16), concat('trace-', lower(hex(trace_id))),
    '');

CREATE MATERIALIZED VIEW logs_to_messages {on_cluster} TO messages AS
SELECT
    bot, host, channel,
    botwatch_session(logs.session_id, bot, channel, user_id, trace_id) AS session_id,
    user_id,
    at,
    multiIf(attributes['bot.message.direction'] IN ('in', 'out'), attributes['bot.message.direction'],
            attributes['bot.message.author'] IN ('bot', 'agent'), 'out', 'in') AS direction,
    multiIf(attributes['bot.message.author'] IN ('user', 'bot', 'agent'), attributes['bot.message.author'], direction = 'in', 'user', 'bot') AS author,
    if(attributes['bot.message.text'] != '', attributes['bot.message.text'], body) AS text,
    attributes['bot.message.id'] AS message_id,
    attributes['bot.message.reply_to'] AS reply_to,
    trace_id, span_id, correlation_id,
    'event' AS source,
    received
FROM logs
WHERE event = 'bot.message';

-- What a `gen_ai` message says: its content, or the text among its parts.
CREATE OR REPLACE FUNCTION botwatch_words {on_cluster} AS (message) -> if(
    JSONExtractString(message, 'content') != '', JSONExtractString(message, 'content'),
    arrayStringConcat(arrayFilter(t -> t != '', arrayMap(
        p -> if(JSONExtractString(p, 'type') IN ('text', ''), JSONExtractString(p, 'content'), ''),
        JSONExtractArrayRaw(message, 'parts'))), '\n'));

-- Model calls carry the whole history each time: only the newest message of each side is new, and
-- of several calls in one trace with the same text only one is a message. Where no text is to be kept the door leaves
-- nothing of a message but who spoke.
CREATE MATERIALIZED VIEW spans_to_messages {on_cluster} TO messages AS
SELECT
    bot, host, channel,
    botwatch_session(call.session_id, bot, channel, user_id, trace_id) AS session_id,
    user_id,
    if(direction = 'in', start, addNanoseconds(start, duration_ns)) AS at,
    said.1 AS direction,
    if(direction = 'in', 'user', 'bot') AS author,
    said.2 AS text,
    trace_id, span_id, correlation_id,
    'model' AS source,
    received
FROM
(
    SELECT
        bot, host, channel, session_id, user_id, start, duration_ns, trace_id, span_id, correlation_id, received,
        JSONExtractArrayRaw(attributes['gen_ai.input.messages'])[-1] AS asked,
        JSONExtractArrayRaw(attributes['gen_ai.output.messages'])[-1] AS answered
    FROM spans
    WHERE (attributes['gen_ai.input.messages'] != '' OR attributes['gen_ai.output.messages'] != '')
        AND attributes['gen_ai.operation.name'] IN ('', 'chat', 'generate_content', 'text_completion')
        AND JSONExtractString(toString(resource), 'bot.messages') != 'events'
) AS call
ARRAY JOIN arrayFilter(s -> s.2 != '' OR s.3, [
    ('in', if(JSONExtractString(asked, 'role') = 'user', botwatch_words(asked), ''), asked = '{"role":"user"}'),
    ('out', if(JSONExtractString(answered, 'role') IN ('assistant', 'model', ''), botwatch_words(answered), ''),
        answered IN ('{"role":"assistant"}', '{"role":"model"}'))
]) AS said
LIMIT 1 BY trace_id, direction, text;

CREATE MATERIALIZED VIEW messages_to_ticks {on_cluster} TO ticks AS
SELECT
    'message' AS kind, toStartOfInterval(at, INTERVAL 10 SECOND) AS tick, bot, host, channel, author AS name,
    toString(direction) AS detail, count() AS count
FROM messages
GROUP BY tick, bot, host, channel, name, detail;

-- Everything else that happens in a conversation: handoffs, ends, feedback, failures, expectations.
CREATE TABLE events {on_cluster}
(
    bot LowCardinality(String),
    host LowCardinality(String),
    channel LowCardinality(String),
    session_id String,
    user_id String CODEC(ZSTD(1)),
    at DateTime64(6, 'UTC') CODEC(Delta, ZSTD(1)),
    event LowCardinality(String),
    message_id String CODEC(ZSTD(1)),
    attributes Map(LowCardinality(String), String) CODEC(ZSTD(1)),
    body String CODEC(ZSTD(1)),
    trace_id FixedString(16) CODEC(ZSTD(1)),
    correlation_id String CODEC(ZSTD(1)),
    received DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    INDEX by_received received TYPE minmax GRANULARITY 1
)
ENGINE = {engine}MergeTree
PARTITION BY toDate(at)
ORDER BY (toStartOfHour(at), bot, session_id, at)
SETTINGS non_replicated_deduplication_window = 10000;

CREATE MATERIALIZED VIEW logs_to_events {on_cluster} TO events AS
SELECT
    bot, host, channel, botwatch_session(logs.session_id, bot, channel, user_id, trace_id) AS session_id, user_id, at, event,
    attributes['bot.message.id'] AS message_id, attributes, body, trace_id, correlation_id, received
FROM logs
WHERE event IN ('bot.turn.failed', 'bot.handoff', 'bot.session.end', 'bot.feedback', 'bot.expected');

-- A session by the hours it was seen in: for lists by time. By its id: for one session.
CREATE TABLE session_hours {on_cluster}
(
    hour DateTime('UTC'),
    bot LowCardinality(String),
    session_id String,
    channel SimpleAggregateFunction(max, LowCardinality(String)),
    user_id SimpleAggregateFunction(max, String),
    host SimpleAggregateFunction(max, LowCardinality(String)),
    first_seen SimpleAggregateFunction(min, DateTime64(6, 'UTC')),
    last_seen SimpleAggregateFunction(max, DateTime64(6, 'UTC')),
    first_message SimpleAggregateFunction(min, Nullable(DateTime64(6, 'UTC'))),
    last_message SimpleAggregateFunction(max, Nullable(DateTime64(6, 'UTC'))),
    messages_in SimpleAggregateFunction(sum, Int64),
    messages_out SimpleAggregateFunction(sum, Int64),
    spans SimpleAggregateFunction(sum, Int64),
    failures SimpleAggregateFunction(sum, Int64),
    ended SimpleAggregateFunction(max, Nullable(DateTime64(6, 'UTC'))),
    outcome SimpleAggregateFunction(max, String),
    handed_off SimpleAggregateFunction(max, Nullable(DateTime64(6, 'UTC'))),
    feedback_count SimpleAggregateFunction(sum, Int64),
    feedback_sum SimpleAggregateFunction(sum, Float64)
)
ENGINE = {engine}AggregatingMergeTree
PARTITION BY toDate(hour)
ORDER BY (hour, bot, session_id)
SETTINGS non_replicated_deduplication_window = 10000;

CREATE TABLE sessions {on_cluster}
(
    month Date,
    bot LowCardinality(String),
    session_id String,
    channel SimpleAggregateFunction(max, LowCardinality(String)),
    user_id SimpleAggregateFunction(max, String),
    host SimpleAggregateFunction(max, LowCardinality(String)),
    first_seen SimpleAggregateFunction(min, DateTime64(6, 'UTC')),
    last_seen SimpleAggregateFunction(max, DateTime64(6, 'UTC')),
    first_message SimpleAggregateFunction(min, Nullable(DateTime64(6, 'UTC'))),
    last_message SimpleAggregateFunction(max, Nullable(DateTime64(6, 'UTC'))),
    messages_in SimpleAggregateFunction(sum, Int64),
    messages_out SimpleAggregateFunction(sum, Int64),
    spans SimpleAggregateFunction(sum, Int64),
    failures SimpleAggregateFunction(sum, Int64),
    ended SimpleAggregateFunction(max, Nullable(DateTime64(6, 'UTC'))),
    outcome SimpleAggregateFunction(max, String),
    handed_off SimpleAggregateFunction(max, Nullable(DateTime64(6, 'UTC'))),
    feedback_count SimpleAggregateFunction(sum, Int64),
    feedback_sum SimpleAggregateFunction(sum, Float64)
)
ENGINE = {engine}AggregatingMergeTree
PARTITION BY month
ORDER BY (session_id, bot)
SETTINGS non_replicated_deduplication_window = 10000;

CREATE MATERIALIZED VIEW messages_to_session_hours {on_cluster} TO session_hours AS
SELECT
    toStartOfHour(at) AS hour, bot, session_id, max(channel) AS channel, max(user_id) AS user_id, max(host) AS host,
    min(at) AS first_seen, max(at) AS last_seen, min(at) AS first_message, max(at) AS last_message,
    countIf(direction = 'in') AS messages_in, countIf(direction = 'out') AS messages_out
FROM messages
WHERE session_id != ''
GROUP BY hour, bot, session_id;

CREATE MATERIALIZED VIEW events_to_session_hours {on_cluster} TO session_hours AS
SELECT
    toStartOfHour(at) AS hour, bot, session_id, max(channel) AS channel, max(user_id) AS user_id, max(host) AS host,
    min(at) AS first_seen, max(at) AS last_seen,
    maxOrNullIf(at, event = 'bot.session.end') AS ended,
    maxIf(attributes['bot.session.outcome'], event = 'bot.session.end') AS outcome,
    maxOrNullIf(at, event = 'bot.handoff') AS handed_off,
    countIf(event = 'bot.turn.failed') AS failures,
    countIf(event = 'bot.feedback') AS feedback_count,
    sumIf(toFloat64OrZero(attributes['bot.feedback.score']), event = 'bot.feedback') AS feedback_sum
FROM events
WHERE session_id != ''
GROUP BY hour, bot, session_id;

CREATE MATERIALIZED VIEW spans_to_session_hours {on_cluster} TO session_hours AS
SELECT
    toStartOfHour(start) AS hour, bot, session_id, max(channel) AS channel, max(user_id) AS user_id, max(host) AS host,
    min(start) AS first_seen, max(start) AS last_seen, count() AS spans, countIf(status = 'error') AS failures
FROM spans
WHERE session_id != ''
GROUP BY hour, bot, session_id;

CREATE MATERIALIZED VIEW session_hours_to_sessions {on_cluster} TO sessions AS
SELECT
    toStartOfMonth(hour) AS month, bot, session_id, max(channel) AS channel, max(user_id) AS user_id, max(host) AS host,
    min(first_seen) AS first_seen, max(last_seen) AS last_seen, min(first_message) AS first_message, max(last_message) AS last_message,
    sum(messages_in) AS messages_in, sum(messages_out) AS messages_out, sum(spans) AS spans, sum(failures) AS failures,
    max(ended) AS ended, max(outcome) AS outcome, max(handed_off) AS handed_off,
    sum(feedback_count) AS feedback_count, sum(feedback_sum) AS feedback_sum
FROM session_hours
GROUP BY month, bot, session_id;

-- A turn is written when its outcome is known and again when a late reply corrects it. What changed
-- comes in here with a sign, so that the rollup takes back what it had counted.
CREATE TABLE inbox_turns {on_cluster}
(
    bot LowCardinality(String),
    host LowCardinality(String),
    channel LowCardinality(String),
    session_id String,
    user_id String,
    asked DateTime64(6, 'UTC'),
    message_id String,
    outcome Enum8('answered' = 1, 'handed_off' = 2, 'failed' = 3, 'unanswered' = 4),
    answered Nullable(DateTime64(6, 'UTC')),
    answered_by LowCardinality(String),
    trace_id FixedString(16),
    settled DateTime64(6, 'UTC'),
    sign Int8
)
ENGINE = Null;

CREATE TABLE turns {on_cluster}
(
    bot LowCardinality(String),
    host LowCardinality(String),
    channel LowCardinality(String),
    session_id String,
    user_id String CODEC(ZSTD(1)),
    asked DateTime64(6, 'UTC') CODEC(Delta, ZSTD(1)),
    message_id String CODEC(ZSTD(1)),
    outcome Enum8('answered' = 1, 'handed_off' = 2, 'failed' = 3, 'unanswered' = 4),
    answered Nullable(DateTime64(6, 'UTC')),
    answered_by LowCardinality(String),
    trace_id FixedString(16) CODEC(ZSTD(1)),
    settled DateTime64(6, 'UTC') CODEC(Delta, ZSTD(1))
)
ENGINE = {engine}ReplacingMergeTree(settled)
PARTITION BY toDate(asked)
ORDER BY (toStartOfHour(asked), bot, session_id, asked, message_id)
SETTINGS non_replicated_deduplication_window = 10000;

CREATE MATERIALIZED VIEW inbox_turns_to_turns {on_cluster} TO turns AS
SELECT bot, host, channel, session_id, user_id, asked, message_id, outcome, answered, answered_by, trace_id, settled
FROM inbox_turns
WHERE sign = 1;

CREATE MATERIALIZED VIEW inbox_turns_to_ticks {on_cluster} TO ticks AS
SELECT
    'turn' AS kind, tick, bot, host, channel, answered_by AS name, detail,
    sum(n) AS count, sum(total) AS total, min(low) AS low, max(high) AS high,
    mapFilter((k, v) -> v != 0, mapFromArrays(groupArray(bucket), groupArray(replied))) AS spread
FROM
(
    SELECT
        toStartOfInterval(asked, INTERVAL 10 SECOND) AS tick, bot, host, channel, answered_by, toString(outcome) AS detail,
        isNotNull(answered) AS has_reply,
        if(has_reply, dateDiff('microsecond', asked, assumeNotNull(answered)) / 1e3, 0) AS ms,
        botwatch_bucket(ms) AS bucket,
        sum(sign) AS n, sum(sign * ms) AS total, min(ms) AS low, max(ms) AS high, toInt64(sumIf(sign, has_reply)) AS replied
    FROM inbox_turns
    GROUP BY tick, bot, host, channel, answered_by, detail, has_reply, ms, bucket
)
GROUP BY kind, tick, bot, host, channel, name, detail;

-- How many sessions were active at once, minute by minute: `peak` is the true maximum inside the
-- minute. Rows stand for every bot and channel, and with '' for all bots or all channels together.
CREATE TABLE concurrency {on_cluster}
(
    minute DateTime('UTC') CODEC(Delta, ZSTD(1)),
    bot LowCardinality(String),
    channel LowCardinality(String),
    active UInt32,
    peak UInt32,
    settled DateTime64(6, 'UTC')
)
ENGINE = {engine}ReplacingMergeTree(settled)
PARTITION BY toStartOfMonth(minute)
ORDER BY (bot, channel, minute);
