"""The sweep in SQL: how many sessions were active at once, minute by minute, exactly.

A session is active from a message until `idle_s` after it, or until the session's end, or until the
next message takes over. Between two messages not further apart than that it stays active; after an
end the next message opens it again. So what is true in a minute follows from the messages of the
`idle_s` before it, and from nothing older.

`peak` is the highest number at any instant of the minute, `active` the number at its end; in the
minute that is not over yet, what they were when something was last received. A session has one
channel: where its messages name none it is only in the rows for all channels, and where they
disagree it is the last in the alphabet. Labels that became a crowd are folded as in other rollups.

The row for all bots and channels is written for every minute, zeros included: how far the numbers
reach is the last of these. Any other row is written while something is active, and once when nothing
is any more; a minute without a row is 0.
"""

from __future__ import annotations

from typing import Final

_KNOWN: Final = "received <= fromUnixTimestamp64Milli({received_to_ms:Int64}, 'UTC')"
_IDLE_US: Final = "({idle_s:Int64} * 1000000)"
_RECEIVED: Final = f"received > fromUnixTimestamp64Milli({{received_from_ms:Int64}}, 'UTC') AND {_KNOWN}"

# The minutes to count again, as one stretch in each hour: those in which something was received that
# has its effect there, and those that ended. The one that goes on is counted when something is received.
STRETCHES: Final = f"""
SELECT min(minute) AS from_s, max(minute) AS to_s
FROM
(
    SELECT arrayJoin(range(start, least(start + {{idle_s:Int64}}, {{until_s:Int64}}) + 1, 60)) AS minute
    FROM
    (
        SELECT DISTINCT toInt64(toUnixTimestamp(toStartOfMinute(at))) AS start
        FROM
        (
            SELECT at FROM messages WHERE {_RECEIVED} AND session_id != ''
            UNION ALL
            SELECT at FROM events WHERE {_RECEIVED} AND session_id != '' AND event = 'bot.session.end'
        )
    )
    WHERE start <= {{until_s:Int64}}
    UNION ALL
    SELECT arrayJoin(range({{ended_s:Int64}}, {{until_s:Int64}}, 60)) AS minute
)
GROUP BY intDiv(minute, 3600)
ORDER BY from_s
"""

_REACH: Final = """toStartOfHour(at) >= toStartOfHour(toDateTime({from_s:Int64} - {idle_s:Int64}, 'UTC'))
            AND at >= toDateTime64({from_s:Int64} - {idle_s:Int64}, 6, 'UTC')
            AND at < fromUnixTimestamp64Micro({end_us:Int64}, 'UTC')"""

_STORY: Final = f"""
    SELECT bot, session_id, toUnixTimestamp64Micro(at) AS us, 0 AS is_end, toString(channel) AS channel
    FROM messages WHERE {_REACH} AND session_id != '' AND {_KNOWN}
    UNION ALL
    SELECT bot, session_id, toUnixTimestamp64Micro(at) AS us, 1 AS is_end, '' AS channel
    FROM events WHERE {_REACH} AND session_id != '' AND event = 'bot.session.end' AND {_KNOWN}
"""

# +1 where a session becomes active and -1 where it stops: not at messages that only carry it on.
_CHANGES: Final = f"""
    SELECT bot, channel, change.1 AS changed_us, change.2 AS delta
    FROM
    (
        SELECT bot, us, is_end, max(channel) OVER session AS channel,
            lagInFrame(us, 1, 0) OVER story AS last_us, lagInFrame(is_end, 1, 1) OVER story AS after_end,
            leadInFrame(us, 1, us + {_IDLE_US}) OVER story AS next_us,
            leadInFrame(is_end, 1, 1) OVER story AS before_end
        FROM ({_STORY})
        WINDOW
            session AS (PARTITION BY bot, session_id),
            story AS (PARTITION BY bot, session_id ORDER BY us, is_end
                ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)
    )
    ARRAY JOIN arrayConcat(
        if(after_end = 1 OR us - last_us > {_IDLE_US}, [(us, 1)], []),
        if(before_end = 1 OR next_us - us > {_IDLE_US}, [(least(next_us, us + {_IDLE_US}), -1)], [])) AS change
    WHERE is_end = 0
"""

# The same changes for each row they count in, from the beginning of the stretch on.
_COUNTED: Final = f"""
    WITH
        (SELECT groupUniqArray(cityHash64(label, bot)) FROM crowded_labels) AS crowds,
        (label, owner, value) -> if(
            has(crowds, cityHash64(label, owner))
                AND cityHash64(label, owner, value) NOT IN (SELECT hash FROM admitted_names),
            '(other)', value) AS admitted,
        admitted('bot', '', toString(changes.bot)) AS of_bot,
        if(changes.channel = '', '', admitted('channel', changes.bot, changes.channel)) AS of_channel
    SELECT row.1 AS bot, row.2 AS channel, greatest(changed_us, {{from_s:Int64}} * 1000000) AS us,
        sum(changes.delta) AS delta, countIf(changed_us >= {{from_s:Int64}} * 1000000) AS changed
    FROM ({_CHANGES}) AS changes
    ARRAY JOIN arrayDistinct([(of_bot, of_channel), (of_bot, ''), ('', of_channel), ('', '')]) AS row
    WHERE changed_us < {{end_us:Int64}}
    GROUP BY bot, channel, us
"""

# The state at the beginning of each minute, and what changes it within.
_RUNNING: Final = f"""
    SELECT bot, channel, us, changed, sum(delta) OVER (PARTITION BY bot, channel ORDER BY us) AS running
    FROM
    (
        SELECT bot, channel, point.1 AS us, sum(point.2) AS delta, sum(point.3) AS changed
        FROM
        (
            SELECT bot, channel, groupArray((us, delta, changed)) AS found
            FROM
            (
                SELECT bot, channel, us, delta, changed FROM ({_COUNTED})
                UNION ALL
                SELECT '', '', {{from_s:Int64}} * 1000000, 0, 0
            )
            GROUP BY bot, channel
        )
        ARRAY JOIN arrayConcat(
            found,
            arrayMap(m -> (m * 1000000, toInt64(0), toUInt64(0)), range({{from_s:Int64}}, {{to_s:Int64}} + 1, 60))
        ) AS point
        GROUP BY bot, channel, us
    )
"""

# A row that is written and no longer counted becomes 0.
SWEEP: Final = f"""
INSERT INTO concurrency
SELECT
    minute, bot, channel, counted.active AS active, counted.peak AS peak,
    greatest(fromUnixTimestamp64Micro({{as_of_us:Int64}}, 'UTC'), written.last_settled + toIntervalMicrosecond(1))
FROM
(
    SELECT toString(bot) AS bot, toString(channel) AS channel, toDateTime(intDiv(us, 60000000) * 60, 'UTC') AS minute,
        toUInt32(argMax(running, us)) AS active, toUInt32(max(running)) AS peak, sum(changed) AS changed
    FROM ({_RUNNING})
    GROUP BY bot, channel, minute
    HAVING peak > 0 OR changed > 0 OR (bot = '' AND channel = '')
) AS counted
FULL JOIN
(
    SELECT toString(bot) AS bot, toString(channel) AS channel, minute,
        argMax((active, peak), settled) AS latest, max(settled) AS last_settled
    FROM concurrency
    WHERE minute >= toDateTime({{from_s:Int64}}, 'UTC') AND minute <= toDateTime({{to_s:Int64}}, 'UTC')
    GROUP BY bot, channel, minute
) AS written USING (bot, channel, minute)
WHERE written.last_settled = 0 OR (counted.active, counted.peak) != written.latest
SETTINGS join_use_nulls = 0
"""
