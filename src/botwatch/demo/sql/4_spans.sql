-- The spans of every turn. A failed call fails the action around it, and the turn where the bot gives up.

INSERT INTO spans
(
    bot, host, instance, start, duration_ns, trace_id, span_id, parent_span_id, name, kind, status, failure, status_message,
    scope, session_id, user_id, channel, correlation_id, action, dependency, model, provider, tokens_in, tokens_out,
    attributes, resource, `events.at`, `events.name`, `events.attributes`, received
)
SETTINGS materialize_skip_indexes_on_insert = 0
WITH
    (SELECT (scope, call_scope) FROM demo_world) AS scopes,
    (SELECT exceptions FROM demo_world) AS exceptions,
    (key, i, what) -> exp(0.3 * 0.5513 * log((bitShiftRight(cityHash64(key, i, what), 32) / 4294967296. + 1e-4) / (1.0001 - bitShiftRight(cityHash64(key, i, what), 32) / 4294967296.))) AS about,
    part = 'ticket' AS is_ticket,
    i = failed_at AS broke,
    failure > 0 AND i < failed_at AND i + s.size - 1 >= failed_at AND (s.role = 'action' OR fate = 'failed') AS carries,
    spans[failed_at].faults[failure] AS fault,
    concat(splitByChar('.', exceptions[failure])[-1], ': ', fault.message) AS told,
    asked_ns + ticks[toUInt8(i + s.size - 1)] AS end_ns,
    asked_ns + if(i = 1, 0, ticks[i - 1]) AS start_ns,
    s.tokens_in > 0 AND NOT broke AS has_tokens
SELECT
    bot, host, instance,
    fromUnixTimestamp64Nano(start_ns, 'UTC') AS start,
    end_ns - start_ns AS duration_ns,
    trace_id,
    reinterpretAsFixedString(cityHash64(key, i, 'span')) AS span_id,
    reinterpretAsFixedString(if(s.parent = 0, 0, cityHash64(key, s.parent, 'span'))) AS parent_span_id,
    s.name, s.kind,
    if(broke OR carries, 'error', 'unset') AS status,
    if(status = 'error', ['timeout', 'error', 'rate_limited'][failure], '') AS failure_name,
    if(status = 'error', if(broke, fault.message, told), '') AS status_message,
    if(s.role = 'call' OR is_ticket AND i = 1, scopes.2, scopes.1) AS scope,
    if(is_ticket, '', demo_turns.session_id) AS session_id,
    if(is_ticket, '', demo_turns.user_id) AS user_id,
    if(is_ticket, s.channel, demo_turns.channel) AS channel,
    demo_turns.correlation_id AS correlation_id,
    s.action, s.dependency, s.model, s.provider,
    if(has_tokens, toUInt32(s.tokens_in * about(key, i, 'tokens in')), 0) AS tokens_in,
    if(has_tokens, toUInt32(s.tokens_out * about(key, i, 'tokens out')), 0) AS tokens_out,
    mapConcat(
        if(is_ticket, map('correlation_id', demo_turns.correlation_id),
            map('session.id', demo_turns.session_id, 'user.id', demo_turns.user_id, 'bot.channel', demo_turns.channel)),
        if(broke, fault.attributes, s.attributes),
        if(carries, map('error.type', exceptions[failure]), map()),
        if(i = 1 AND NOT is_ticket, map('bot.message.id', lower(hex(sipHash128(key, 'in')))), map()),
        if(has_tokens, map('gen_ai.usage.input_tokens', toString(tokens_in), 'gen_ai.usage.output_tokens', toString(tokens_out)), map())
    ) AS attributes,
    resource,
    if(failure > 0 AND i = spans[failed_at].parent, [fromUnixTimestamp64Nano(end_ns, 'UTC')], []) AS event_at,
    if(empty(event_at), [], ['exception']) AS event_name,
    if(empty(event_at), [], [map('exception.type', exceptions[failure], 'exception.message', fault.message, 'exception.stacktrace', fault.stack)]) AS event_attributes,
    fromUnixTimestamp64Milli(intDiv(end_ns, 1000000) + 400, 'UTC') AS received
FROM demo_turns
INNER JOIN demo_steps USING (bot, script, k)
ARRAY JOIN spans AS s, arrayEnumerate(spans) AS i
WHERE failed_at = 0 OR i <= failed_at;
