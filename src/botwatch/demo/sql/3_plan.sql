-- What happens in each turn, to the nanosecond: how long every span takes, which call fails, and what
-- becomes of the message. A turn that has not ended when history ends did not happen.
-- Whether a story touches a turn is decided by when it would come about (`soon_ns`): when it does come
-- depends on how long the turns before it take, and so on the stories.
-- `fate`: normal, late, silent (no answer and no error), sorry (a call failed, the bot says so),
-- failed (the bot gives up), handoff.

CREATE TABLE demo_turns
(
    bot LowCardinality(String),
    host LowCardinality(String),
    instance LowCardinality(String),
    resource LowCardinality(String),
    channel LowCardinality(String),
    session_id String,
    user_id String,
    script LowCardinality(String),
    step UInt32,
    outcome LowCardinality(String),
    score Float64,
    k UInt8,
    part LowCardinality(String),
    session_key UInt64,
    key UInt64,
    trace_id FixedString(16),
    correlation_id String,
    ticks Array(Int64),
    failed_at UInt8,
    failure UInt8,
    fate LowCardinality(String),
    ends UInt8,
    leaves UInt8,
    asked_ns Int64,
    done_ns Int64,
    replied_ns Int64,
    joined_ns Int64,
    say String,
    reply String,
    scope_attributes Map(LowCardinality(String), String)
)
ENGINE = Memory;

INSERT INTO demo_turns
WITH
    (SELECT groupArray((what, bot, subject, from_ns, to_ns, factor)) FROM demo_stories) AS stories,
    (SELECT to_ns FROM demo_world) AS ends_ns,
    (SELECT silent_share FROM demo_world) AS silent_share,
    (SELECT late_share FROM demo_world) AS late_share,
    (SELECT (late_s, agent_joins_s, agent_types_s) FROM demo_world) AS waits,
    (SELECT apology_share FROM demo_world) AS apology_share,
    (SELECT leave_share FROM demo_world) AS leave_share,
    (SELECT apologies FROM demo_world) AS apologies,
    (SELECT typing_sigma FROM demo_world) AS typing_sigma,
    (key, what) -> bitShiftRight(cityHash64(key, what), 32) / 4294967296. AS chance,
    -- A logistic deviate stands in for the normal one; its tails are a little longer, as those of real latencies.
    (key, what) -> 0.5513 * log((chance(key, what) + 1e-4) / (1.0001 - chance(key, what))) AS deviate,
    (text, words) -> arrayFold((t, w) -> replaceAll(t, w.1, w.2), words, text) AS fill
SELECT
    bot, host, instance, resource, if(part = 'ticket', '', inner.channel) AS channel, if(part = 'ticket', '', inner.session_id) AS session_id,
    if(part = 'ticket', '', inner.user_id) AS user_id, script, step, outcome, score, k, part, session_key, key,
    sipHash128(key, 'trace') AS trace_id, if(part = 'ticket', arrayFirst(w -> w.1 = '{ticket}', words).2, '') AS correlation_id,
    ticks, failed_at, failure, fate,
    leaves = 0 AND k = steps AS ends, leaves,
    asked_ns, asked_ns + total_ns AS done_ns,
    if(part = 'ticket' OR fate IN ('silent', 'failed', 'handoff'), 0, done_ns + wait_ns) AS replied_ns,
    if(fate = 'handoff', done_ns + wait_ns, 0) AS joined_ns,
    replaceAll(replaceAll(
        fill(if(later != '' AND arrayExists(s -> s.1 = 'drift' AND s.2 = bot AND asked_ns >= s.4 AND asked_ns < s.5, stories), later, say), words),
        '{at}', formatDateTime(fromUnixTimestamp64Nano(asked_ns, 'UTC'), '%FT%TZ')), '{user}', inner.user_id) AS say,
    if(fate = 'sorry', apologies[failure], fill(reply, words)) AS reply,
    if(part = 'ticket', map('correlation_id', correlation_id),
        map('session.id', session_id, 'user.id', user_id, 'bot.channel', channel)) AS scope_attributes
FROM
(
    SELECT
        *,
        at_ns + ifNull(sum(total_ns + wait_ns + pause_ns) OVER before, 0) AS asked_ns,
        ifNull(sum(leaves) OVER before, 0) AS left_before
    FROM
    (
        SELECT
            *,
            arraySum(own) AS total_ns,
            arrayCumSum(own) AS ticks,
            multiIf(
                failed_at > 0, if(part != 'ticket' AND chance(key, 'apology') < apology_share, 'sorry', 'failed'),
                part = 'handoff', 'handoff',
                arrayExists(s -> s.1 = 'mute' AND s.2 = bot AND s.3 = channel AND soon_ns >= s.4 AND soon_ns < s.5, stories), 'silent',
                part = 'bot' AND chance(key, 'silent') < silent_share, 'silent',
                part = 'bot' AND chance(key, 'late') < late_share, 'late',
                'normal') AS fate,
            -- From the end of the bot's own work: a late answer, a human who joins, a human who writes.
            multiIf(fate = 'late', waits.1, fate = 'handoff', waits.2, part = 'agent' AND failed_at = 0, waits.3, [0., 0.]) AS wait_s,
            toInt64((wait_s[1] + (wait_s[2] - wait_s[1]) * chance(key, 'waits')) * 1e9) AS wait_ns,
            fate IN ('silent', 'failed') OR part = 'handoff' AND failed_at > 0 OR part = 'bot' AND k < steps AND chance(key, 'leaves') < leave_share AS leaves,
            toInt64(pause_s * exp(typing_sigma * deviate(key, 'pause')) * 1e9) AS pause_ns
        FROM
        (
            SELECT
                *,
                arrayFirstIndex(f -> f > 0, fails) AS failed_at,
                if(failed_at > 0, fails[failed_at], 0) AS failure,
                arrayMap((ms, i) -> if(failed_at > 0 AND i > failed_at, 0, toInt64(ms * 1e6)), sampled, arrayEnumerate(sampled)) AS own
            FROM
            (
                SELECT
                    *,
                    arrayMap((dependency, ms, most, p1, p2, p3, i) -> if(dependency = '', 0, multiIf(
                        chance(cityHash64(key, i), 'fails') < p1 OR ms >= most, 1,
                        chance(cityHash64(key, i), 'fails') < p1 + p2, 2,
                        chance(cityHash64(key, i), 'limited') < greatest(p3, arrayMax(arrayMap(
                            t -> if(t.1 = 'limited' AND t.2 = bot AND t.3 = dependency AND soon_ns >= t.4 AND soon_ns < t.5, t.6, 0), stories))), 3,
                        0)), dependencies, wished, timeout_ms, timeouts, errors, limited, arrayEnumerate(sizes)) AS fails,
                    arrayMap((ms, most, f) -> multiIf(f = 1, most, f = 3, least(ms, 90), ms), wished, timeout_ms, fails) AS sampled
                FROM
                (
                    SELECT
                        bot, host, instance, resource, channel, session_id, user_id, script, step, steps, outcome, score, words, at_ns,
                        demo_sessions.key AS session_key, k, part, later, pause_s, say, reply,
                        sizes, dependencies, timeout_ms, timeouts, errors, limited,
                        cityHash64(session_key, k) AS key,
                        at_ns + toInt64(k - 1) * 30000000000 AS soon_ns,
                        arrayMap((median, s, dependency, i) -> median * exp(s * deviate(cityHash64(key, i), 'takes')) * arrayMax(arrayMap(
                            t -> if(t.1 = 'slow' AND t.2 = bot AND t.3 = dependency AND soon_ns >= t.4 AND soon_ns < t.5, t.6, 1), stories)),
                            median_ms, sigma, dependencies, arrayEnumerate(sizes)) AS wished
                    FROM demo_sessions
                    INNER JOIN demo_steps USING (bot, script)
                )
            )
        )
    )
    WINDOW before AS (PARTITION BY session_key ORDER BY k ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
) AS inner
WHERE left_before = 0 AND done_ns + wait_ns < ends_ns
    AND NOT arrayExists(s -> s.1 = 'outage' AND s.2 = bot AND at_ns < s.5 AND done_ns >= s.4, stories);
