-- The spans of every turn. A failed call fails the action around it, and the turn where the bot gives up.

INSERT INTO spans
(
    bot, host, instance, start, duration_ns, trace_id, span_id, parent_span_id, name, kind, status, failure, status_message,
    scope, session_id, user_id, channel, correlation_id, action, dependency, model, provider, tokens_in, tokens_out,
    attributes, resource, `events.at`, `events.name`, `events.attributes`, received
)
SETTINGS materialize_skip_indexes_on_insert = 0, max_partitions_per_insert_block = 1000
WITH
    (SELECT (scope, call_scope) FROM demo_world) AS scopes,
    (n, what) -> exp(0.3 * 0.5513 * log((bitShiftRight(cityHash64(t.key, n, what), 32) / 4294967296. + 1e-4)
        / (1.0001 - bitShiftRight(cityHash64(t.key, n, what), 32) / 4294967296.))) AS about,
    part = 'ticket' AS is_ticket,
    failed_at > 0 AND s.i = failed_at AS broke,
    failed_at > 0 AND s.i < failed_at AND s.i + size - 1 >= failed_at AND (role = 'action' OR fate = 'failed') AS carries,
    carries AND role = 'action' AS tells,
    asked_ns + ticks[toUInt8(s.i + size - 1)] AS end_ns,
    asked_ns + if(s.i = 1, 0, ticks[s.i - 1]) AS start_ns,
    s.tokens_in > 0 AND NOT broke AS has_tokens
SELECT
    bot, host, instance,
    fromUnixTimestamp64Nano(start_ns, 'UTC') AS start,
    end_ns - start_ns AS duration_ns,
    trace_id,
    reinterpretAsFixedString(cityHash64(t.key, s.i, 'span')) AS span_id,
    reinterpretAsFixedString(if(parent = 0, 0, cityHash64(t.key, parent, 'span'))) AS parent_span_id,
    name, kind,
    if(broke OR carries, 'error', 'unset') AS status,
    if(status = 'error', ['timeout', 'error', 'rate_limited'][t.failure], '') AS failure_name,
    multiIf(broke, message, carries, concat(splitByChar('.', exception)[-1], ': ', message), '') AS status_message,
    if(role = 'call' OR is_ticket AND s.i = 1, scopes.2, scopes.1) AS scope,
    t.session_id, t.user_id,
    if(is_ticket, s.channel, t.channel) AS channel,
    correlation_id,
    action, s.dependency, model, provider,
    if(has_tokens, toUInt32(s.tokens_in * about(s.i, 'tokens in')), 0) AS tokens_in,
    if(has_tokens, toUInt32(s.tokens_out * about(s.i, 'tokens out')), 0) AS tokens_out,
    mapConcat(
        t.scope_attributes,
        if(broke, f.attributes, s.attributes),
        if(carries, map('error.type', exception), map()),
        if(s.i = 1 AND NOT is_ticket, map('bot.message.id', lower(hex(sipHash128(t.key, 'in')))), map()),
        if(has_tokens, map('gen_ai.usage.input_tokens', toString(tokens_in), 'gen_ai.usage.output_tokens', toString(tokens_out)), map())
    ) AS attributes,
    resource,
    if(tells, [fromUnixTimestamp64Nano(end_ns, 'UTC')], []) AS event_at,
    if(tells, ['exception'], []) AS event_name,
    if(tells, [map('exception.type', exception, 'exception.message', message, 'exception.stacktrace', stack)], []) AS event_attributes,
    fromUnixTimestamp64Milli(intDiv(end_ns, 1000000) + 400, 'UTC') AS received
FROM demo_turns AS t
INNER JOIN demo_spans AS s ON s.step = t.step
LEFT JOIN demo_faults AS f ON f.step = t.step AND f.i = t.failed_at AND f.failure = t.failure
WHERE t.failed_at = 0 OR s.i <= t.failed_at;
