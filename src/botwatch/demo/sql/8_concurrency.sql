-- How many sessions were active at once in each whole minute, as the sweep of the turns would count.
-- No conversation here pauses for longer than the idle time, so each is active from its first message
-- until its end, or until the idle time after its last message.

INSERT INTO concurrency (minute, bot, channel, active, peak, settled)
WITH
    (SELECT (intDiv(from_ns, 60000000000), intDiv(to_ns, 60000000000), idle_s, to_ns) FROM demo_world) AS w
SELECT
    toDateTime(intDiv(us, 60000000) * 60, 'UTC') AS minute, bot, channel,
    toUInt32(argMax(running, us)) AS active, toUInt32(max(running)) AS peak,
    fromUnixTimestamp64Micro(intDiv(w.4, 1000), 'UTC') AS settled
FROM
(
    SELECT bot, channel, us, changes, sum(delta) OVER (PARTITION BY bot, channel ORDER BY us) AS running
    FROM
    (
        SELECT bot, channel, point.1 AS us, sum(point.2) AS delta, sum(point.3) AS changes
        FROM
        (
            SELECT (arrayJoin([(of_bot, of_channel), (of_bot, ''), ('', of_channel), ('', '')]) AS place).1 AS bot, place.2 AS channel, groupArray((change.1, change.2, 1)) AS found
            FROM
            (
                SELECT toString(t.bot) AS of_bot, toString(t.channel) AS of_channel, first_us,
                    if(e.ended_us > 0, e.ended_us, last_us + toInt64(w.3) * 1000000) AS until_us
                FROM
                (
                    SELECT bot, channel, session_id, intDiv(min(asked_ns), 1000) AS first_us,
                        intDiv(max(greatest(asked_ns, replied_ns, joined_ns)), 1000) AS last_us
                    FROM demo_turns
                    WHERE part != 'ticket'
                    GROUP BY bot, channel, session_id
                ) AS t
                LEFT JOIN
                (
                    SELECT session_id, intDiv(max(at_ns), 1000) AS ended_us
                    FROM demo_records
                    WHERE event = 'bot.session.end'
                    GROUP BY session_id
                ) AS e ON e.session_id = t.session_id
            )
            ARRAY JOIN [(first_us, 1), (until_us, -1)] AS change
            WHERE change.1 < w.2 * 60000000
            GROUP BY place
        )
        ARRAY JOIN arrayConcat(found, arrayMap(m -> (m * 60000000, 0, 0), range(w.1, w.2))) AS point
        GROUP BY bot, channel, us
    )
)
GROUP BY bot, channel, minute
HAVING peak > 0 OR sum(changes) > 0 OR bot = '' AND channel = '';
