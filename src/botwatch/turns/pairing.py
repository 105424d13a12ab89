"""Pairing in SQL: each inbound message with what became of it, and what of that is new.

The rules, in the order in which they decide:

    failed      the event `bot.turn.failed` names the message, or names none and comes at or after it
                and before the next inbound message of the session
    handed_off  a `bot.handoff` at or after it and before the next inbound message
    answered    a reply that names it (`reply_to`), else the first outbound message at or after it,
                by the bot or by a human; several messages in a row share the next reply
    unanswered  nothing of this, and the deadline has passed

Nothing counts that comes later than `late_s`. A reply that names its message may carry an earlier
time, by as much as two clocks differ: it counts as given at once. A handed-off turn keeps its reply,
a failed one has none, whatever was said after it.

A turn is a pure function of what is stored, so it does not matter in which order things arrive, and
looking twice changes nothing. What differs from the row in `turns` is written with sign 1, and the
row it replaces with sign -1. An outcome that is not yet known changes nothing either.

Messages without a session, or with ids beyond all measure, cannot be paired: they have no turn, and
are counted as unpaired.
"""

from __future__ import annotations

from typing import Final

from botwatch import limits
from botwatch.turns.plan import EVENTS, KNOWN, NAMES_BYTES, PLACE

_NEVER: Final = f"toInt64({2**62})"
_ROW_BYTES: Final = 50  # of a row in the inbox, without its ids


def _there(at: str) -> str:
    """The rows of the hours and sessions of a piece."""
    return f"""toStartOfHour({at}) IN (SELECT toDateTime(arrayJoin({{hours:Array(UInt32)}}), 'UTC'))
        AND {PLACE.replace("hour", f"toStartOfHour({at})")} IN (SELECT arrayJoin({{places:Array(UInt64)}}))"""


# One row for each message, event and settled turn, in microseconds: 1 inbound, 2 outbound, 3 failed,
# 4 handoff, 5 a turn. `link` is the id by which a reply or a failure names its message; `fresh` are
# the rows for which the session is looked at.
_STORY: Final = f"""
    SELECT bot, session_id, toUnixTimestamp64Micro(at) AS us, if(direction = 'in', 1, 2) AS kind,
        if(direction = 'in', message_id, reply_to) AS link, toString(author) AS author, toString(host) AS host,
        toString(channel) AS channel, user_id, trace_id,
        '' AS outcome, toInt64(0) AS answered_us, toInt64(0) AS settled_us,
        received > fromUnixTimestamp64Milli({{received_from_ms:Int64}}, 'UTC')
            OR (kind = 1 AND us > {{asked_from_us:Int64}} AND us <= {{asked_to_us:Int64}}) AS fresh
    FROM messages
    WHERE {_there("at")} AND {KNOWN}
    UNION ALL
    SELECT bot, session_id, toUnixTimestamp64Micro(at), if(event = 'bot.turn.failed', 3, 4),
        if(event = 'bot.turn.failed', message_id, ''), '', '', '', '', toFixedString('', 16), '', 0, 0,
        received > fromUnixTimestamp64Milli({{received_from_ms:Int64}}, 'UTC')
    FROM events
    WHERE {_there("at")} AND {EVENTS} AND {KNOWN}
    ORDER BY at LIMIT {{session_messages_max:UInt64}} BY bot, session_id
    UNION ALL
    SELECT bot, session_id, toUnixTimestamp64Micro(asked), 5, message_id, toString(answered_by), toString(host),
        toString(channel), user_id, trace_id, toString(outcome), ifNull(toUnixTimestamp64Micro(answered), 0),
        toUnixTimestamp64Micro(settled), false
    FROM turns
    WHERE {_there("asked")}
"""

_FOLLOWED: Final = f"""
    SELECT *,
        minIf(us, fresh) OVER session AS low, maxIf(us, fresh) OVER session AS high,
        min(if(kind = 2, (us, author), ({_NEVER}, ''))) OVER later AS next_reply,
        min(if(kind = 4, us, {_NEVER})) OVER later AS handoff_us,
        min(if(kind = 3 AND link = '', us, {_NEVER})) OVER later AS failure_us,
        min(if(kind = 1, us, {_NEVER})) OVER after AS next_asked,
        min(if(kind = 2 AND link != '', (us, author), ({_NEVER}, ''))) OVER named_later AS named_reply,
        max(if(kind = 2 AND link != '', (us, author), (0, ''))) OVER named_before AS early_reply,
        min(if(kind = 3 AND link != '', us, {_NEVER})) OVER named_later AS named_failure_us,
        max(if(kind = 3 AND link != '', us, 0)) OVER named_before AS early_failure_us
    FROM ({_STORY})
    WINDOW
        session AS (PARTITION BY bot, session_id),
        later AS (PARTITION BY bot, session_id ORDER BY us DESC),
        after AS (PARTITION BY bot, session_id ORDER BY us DESC RANGE BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING),
        named_later AS (PARTITION BY bot, session_id, link ORDER BY us DESC),
        named_before AS (PARTITION BY bot, session_id, link ORDER BY us)
"""

# Each inbound message with its outcome, and each settled turn with the one it has; '' is not known yet.
_JUDGED: Final = f"""
    SELECT bot, session_id, us, kind, link AS message_id, host, channel, user_id, trace_id, settled_us,
        us + {{late_s:Int64}} * 1000000 AS latest,
        us - {{skew_s:Int64}} * 1000000 AS earliest,
        least(latest + 1, if(next_asked = 0, {_NEVER}, next_asked)) AS before,
        multiIf(
            kind = 5, (followed.answered_us, author),
            link != '' AND named_reply.1 <= latest, named_reply,
            link != '' AND early_reply.1 >= earliest, (us, early_reply.2),
            next_reply.1 <= latest, next_reply,
            (0, '')) AS reply,
        multiIf(
            kind = 5, followed.outcome,
            failure_us < before
                OR (link != '' AND (named_failure_us <= latest OR early_failure_us >= earliest)), 'failed',
            handoff_us < before, 'handed_off',
            reply.1 != 0, 'answered',
            us <= {{asked_to_us:Int64}}, 'unanswered',
            '') AS judged,
        if(judged = 'failed', (0, ''), reply) AS answer
    FROM ({_FOLLOWED}) AS followed
    WHERE kind IN (1, 5) AND {NAMES_BYTES} <= {limits.TURN_ID_BYTES_MAX}
        AND us >= low - {{late_s:Int64}} * 1000000 AND us <= high + {{skew_s:Int64}} * 1000000
"""

# What was sent twice is one message: it has one turn.
_COMPARED: Final = f"""
    SELECT bot, session_id, us, message_id,
        minIf((host, channel, user_id, trace_id, judged, answer.1, answer.2), kind = 1) AS now,
        argMaxIf((host, channel, user_id, trace_id, judged, answer.1, answer.2), settled_us, kind = 5) AS was,
        max(settled_us) AS was_settled_us
    FROM ({_JUDGED})
    GROUP BY bot, session_id, us, message_id
    HAVING now.5 != '' AND (was_settled_us = 0 OR now != was)
"""
_OUTCOME: Final = "Enum8('answered' = 1, 'handed_off' = 2, 'failed' = 3, 'unanswered' = 4)"

# What to put into the inbox, at most so many bytes of it: a turn and the one it replaces stay together.
# All rows come out of one array, so that the answer is one block and can be counted by its head.
CHANGES: Final = f"""
SELECT
    toLowCardinality(change.1) AS bot,
    toLowCardinality(turn.1) AS host,
    toLowCardinality(turn.2) AS channel,
    change.2 AS session_id,
    turn.3 AS user_id,
    fromUnixTimestamp64Micro(change.3, 'UTC') AS asked,
    change.4 AS message_id,
    CAST(turn.5 AS {_OUTCOME}) AS outcome,
    if(turn.6 = 0, NULL, fromUnixTimestamp64Micro(turn.6, 'UTC')) AS answered,
    toLowCardinality(turn.7) AS answered_by,
    turn.4 AS trace_id,
    fromUnixTimestamp64Micro(if(sign = 1, greatest({{as_of_us:Int64}}, change.7 + 1), change.7), 'UTC') AS settled,
    change.8 AS sign
FROM
(
    SELECT arraySort(groupArrayArray(arrayMap(
        sign -> (toString(bot), session_id, us, message_id, now, was, was_settled_us, sign),
        if(was_settled_us = 0, [toInt8(1)], [toInt8(-1), toInt8(1)])))) AS changes
    FROM
    (
        SELECT *, sum(
            if(was_settled_us = 0, 1, 2) * ({_ROW_BYTES} + length(session_id) + length(message_id))
                + length(now.3) + length(was.3)
            ) OVER (ORDER BY bot, session_id, us, message_id ROWS UNBOUNDED PRECEDING) AS bytes
        FROM ({_COMPARED})
    )
    WHERE bytes <= {{bytes_max:UInt64}}
)
ARRAY JOIN changes AS change, arrayMap(c -> if(c.8 = 1, c.5, c.6), changes) AS turn
SETTINGS max_block_size = 1000000
"""
