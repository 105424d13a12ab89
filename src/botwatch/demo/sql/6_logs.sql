-- Messages, events, documents and log lines: all of them are log records, and the views make the rest of them.

CREATE TABLE demo_records
(
    bot LowCardinality(String),
    host LowCardinality(String),
    instance LowCardinality(String),
    resource LowCardinality(String),
    key UInt64,
    at_ns Int64,
    severity UInt8,
    event LowCardinality(String),
    body String,
    in_trace UInt8,
    span UInt8,
    trace_id FixedString(16),
    session_id String,
    user_id String,
    channel LowCardinality(String),
    correlation_id String,
    attributes Map(LowCardinality(String), String)
)
ENGINE = Memory;

-- What was said, and the documents that came in.
INSERT INTO demo_records
WITH
    (SELECT ticket_source FROM demo_world) AS source,
    lower(hex(sipHash128(key, 'in'))) AS message_id,
    lower(hex(sipHash128(key, 'out'))) AS reply_id
SELECT
    bot, host, instance, resource, key, r.1 AS at_ns, 9 AS severity, r.2 AS event, r.3 AS body,
    r.5 AS in_trace, 1 AS span, trace_id, session_id, user_id, channel, correlation_id, mapConcat(scope_attributes, r.4) AS attributes
FROM demo_turns
ARRAY JOIN arrayFilter(r -> r.1 > 0, [
    (if(part = 'ticket', asked_ns, 0), 'bot.payload', say, map('bot.payload.source', source), 1),
    (if(part = 'ticket', 0, asked_ns), 'bot.message', say,
        map('bot.message.direction', 'in', 'bot.message.author', 'user', 'bot.message.id', message_id), 1),
    (replied_ns, 'bot.message', reply,
        map('bot.message.direction', 'out', 'bot.message.author', if(part = 'agent', 'agent', 'bot'), 'bot.message.id', reply_id, 'bot.message.reply_to', message_id),
        toUInt8(replied_ns = done_ns)),
    (if(fate = 'handoff', done_ns, 0), 'bot.handoff', '', map('bot.handoff.reason', 'asked for a person', 'bot.handoff.to', 'service desk'), 1),
    (joined_ns, 'bot.message', reply,
        map('bot.message.direction', 'out', 'bot.message.author', 'agent', 'bot.message.id', reply_id), 0)
]) AS r;

-- What became of the turns that failed, with the line the bot logged about it.
INSERT INTO demo_records
WITH (SELECT retry_after_ms FROM demo_world) AS retry_after_ms
SELECT
    bot, host, instance, resource, key, done_ns AS at_ns, r.2 AS severity, r.1 AS event, r.3 AS body,
    1 AS in_trace, 1 AS span, trace_id, session_id, user_id, channel, correlation_id, mapConcat(scope_attributes, r.4) AS attributes
FROM demo_turns AS t
INNER JOIN demo_faults AS f ON f.step = t.step AND f.i = t.failed_at AND f.failure = t.failure
ARRAY JOIN arrayFilter(r -> r.2 > 0, [
    ('rate_limited', if(t.failure = 3, 13, 0), message,
        map('logger', bot, 'event.name', 'rate_limited', 'dependency', dependency, 'status_code', '429', 'retry_after_ms', toString(retry_after_ms))),
    ('', if(t.failure != 3, if(fate = 'failed', 17, 13), 0), message, map('logger', bot, 'dependency', dependency)),
    ('bot.turn.failed', if(part != 'ticket' AND fate = 'failed', 9, 0), '',
        map('bot.message.id', lower(hex(sipHash128(key, 'in'))), 'error.type', exception))
]) AS r;

-- What the bot logs while it works.
INSERT INTO demo_records
WITH
    asked_ns + ticks[toUInt8(i + size - 1)] AS end_ns,
    toInt64((ticks[toUInt8(i + size - 1)] - if(i = 1, 0, ticks[i - 1])) / 1e6) AS ms
SELECT
    bot, host, instance, resource, key, end_ns AS at_ns, if(role = 'call', 13, 9) AS severity, '' AS event,
    if(role = 'call', concat(dependency, ' is slow: ', toString(ms), ' ms'), log) AS body,
    1 AS in_trace, if(role = 'call', parent, i) AS span, trace_id, session_id, user_id, t.channel, correlation_id,
    mapConcat(scope_attributes, if(role = 'call',
        map('logger', bot, 'dependency', dependency, 'duration_ms', toString(ms)),
        map('logger', bot, 'action', action, 'intent', script))) AS attributes
FROM demo_turns AS t
INNER JOIN demo_spans AS s ON s.step = t.step
WHERE (failed_at = 0 OR i + size - 1 < failed_at) AND (role = 'action' AND log != '' OR role = 'call' AND ms > slow_ms);

-- How conversations end, and what people think of them.
INSERT INTO demo_records
WITH
    (SELECT (praise, blame, abandon_share, abandon_s, feedback_share) FROM demo_world) AS w,
    (key, what) -> bitShiftRight(cityHash64(key, what), 32) / 4294967296. AS chance,
    chance(session_key, 'mood') < 0.85 AS plain,
    if(plain, score, -score) AS felt,
    if(felt > 0, w.1, w.2) AS words
SELECT
    bot, host, instance, resource, key, r.1 AS at_ns, 9 AS severity, r.2 AS event, '' AS body,
    0 AS in_trace, 0 AS span, trace_id, session_id, user_id, channel, correlation_id, mapConcat(scope_attributes, r.3) AS attributes
FROM
(
    SELECT
        bot, host, instance, resource, session_key, session_id, any(key) AS key, any(trace_id) AS trace_id,
        any(user_id) AS user_id, any(channel) AS channel, '' AS correlation_id, any(scope_attributes) AS scope_attributes, any(outcome) AS outcome, any(score) AS score,
        max(ends) AS ended, max(greatest(done_ns, replied_ns, joined_ns)) AS last_ns, argMax(leaves, k) AS left
    FROM demo_turns AS t
    WHERE t.part != 'ticket'
    GROUP BY bot, host, instance, resource, session_key, session_id
)
ARRAY JOIN arrayFilter(r -> r.1 > 0, [
    (if(ended AND chance(session_key, 'feedback') < w.5, last_ns + 2000000000, 0), 'bot.feedback',
        mapFilter((n, v) -> v != '', map('bot.feedback.score', toString(felt),
            'bot.feedback.text', if(chance(session_key, 'says') < 0.4, arrayElement(words, toUInt8(1 + session_key % length(words))), '')))),
    (if(ended, last_ns + 4000000000, 0), 'bot.session.end', map('bot.session.outcome', outcome)),
    (if(left AND chance(session_key, 'abandons') < w.3, last_ns + toInt64(w.4 * 1e9), 0), 'bot.session.end', map('bot.session.outcome', 'abandoned'))
]) AS r
WHERE at_ns < (SELECT to_ns FROM demo_world);

-- The last words of a process that goes down, and is not replaced by a newer one.
INSERT INTO demo_records (bot, host, instance, resource, at_ns, severity, event, attributes)
SELECT bot, host, instance, resource, to_ns - 20000000 AS at_ns, 21 AS severity, 'exception' AS event,
    map('exception.type', 'MemoryError', 'exception.message', 'out of memory while reading 48211 rows',
        'exception.stacktrace', 'Traceback (most recent call last):\n  File "/app/booking/calendar.py", line 214, in refresh\n    rows = list(cursor)\nMemoryError: out of memory while reading 48211 rows\n')
FROM demo_lives
WHERE to_ns < (SELECT to_ns FROM demo_world) AND bot NOT IN (SELECT bot FROM demo_stories WHERE what = 'deploy');

INSERT INTO logs
(
    bot, host, instance, at, severity, level, event, body, scope, trace_id, span_id, session_id, user_id, channel, correlation_id,
    attributes, resource, received
)
SETTINGS materialize_skip_indexes_on_insert = 0, max_partitions_per_insert_block = 1000
WITH (SELECT scope FROM demo_world) AS scope_name
SELECT
    bot, host, instance,
    fromUnixTimestamp64Nano(at_ns, 'UTC') AS at,
    severity, botwatch_level(severity) AS level, event, body, scope_name,
    if(in_trace, demo_records.trace_id, toFixedString('', 16)) AS trace_id,
    if(in_trace, reinterpretAsFixedString(cityHash64(key, span, 'span')), toFixedString('', 8)) AS span_id,
    session_id, user_id, channel, correlation_id, attributes, resource,
    fromUnixTimestamp64Milli(intDiv(at_ns, 1000000) + 400, 'UTC') AS received
FROM demo_records;
