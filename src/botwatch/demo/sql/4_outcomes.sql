-- The turns as the settler would find them, so that it has nothing to catch up with. A silence whose
-- deadline has not passed yet is left to it.

INSERT INTO inbox_turns
(bot, host, channel, session_id, user_id, asked, message_id, outcome, answered, answered_by, trace_id, settled, sign)
WITH
    (SELECT (to_ns, deadline_s) FROM demo_world) AS w,
    asked_ns + w.2 * 1000000000 AS deadline_ns,
    greatest(replied_ns, joined_ns) AS answered_ns
SELECT
    bot, host, channel, session_id, user_id,
    fromUnixTimestamp64Micro(intDiv(asked_ns, 1000), 'UTC') AS asked,
    lower(hex(sipHash128(key, 'in'))) AS message_id,
    multiIf(fate = 'failed', 'failed', fate = 'handoff', 'handed_off', fate = 'silent', 'unanswered', 'answered') AS outcome,
    if(answered_ns = 0, NULL, fromUnixTimestamp64Micro(intDiv(answered_ns, 1000), 'UTC')) AS answered,
    multiIf(answered_ns = 0, '', fate = 'handoff' OR part = 'agent', 'agent', 'bot') AS answered_by,
    trace_id,
    fromUnixTimestamp64Micro(intDiv(if(fate = 'silent', deadline_ns, greatest(done_ns, answered_ns)), 1000) + 1000000, 'UTC') AS settled,
    1 AS sign
FROM demo_turns
WHERE part != 'ticket' AND NOT (fate = 'silent' AND deadline_ns >= w.1);
