"""What one run has to pair, in pieces that fit: in which hours which sessions have to be read.

A session is looked at when something of it was received, or when one of its messages has passed its
deadline. What that may change lies within `late_s` before it, and depends on what came within
`late_s` after that; `session_hours` says in which of these hours the session was seen at all.
"""

from __future__ import annotations

from typing import Final

from botwatch import limits

RECEIVED: Final = """received > fromUnixTimestamp64Milli({received_from_ms:Int64}, 'UTC')
            AND received <= fromUnixTimestamp64Milli({received_to_ms:Int64}, 'UTC')"""
KNOWN: Final = "received <= fromUnixTimestamp64Milli({received_to_ms:Int64}, 'UTC')"
EVENTS: Final = "event IN ('bot.turn.failed', 'bot.handoff')"
NAMES_BYTES: Final = "length(session_id) + length(message_id) + length(user_id)"
PLACE: Final = "cityHash64(toUnixTimestamp(hour), bot, session_id)"

# The touched sessions, and between which times something is new in them.
_TOUCHED: Final = f"""
    SELECT bot, session_id, min(at) AS low, max(at) AS high
    FROM
    (
        SELECT bot, session_id, at FROM messages WHERE {RECEIVED}
        UNION ALL
        SELECT bot, session_id, at FROM events WHERE {RECEIVED} AND {EVENTS}
        UNION ALL
        SELECT bot, session_id, at FROM messages
        WHERE at > fromUnixTimestamp64Micro({{asked_from_us:Int64}}, 'UTC')
            AND at <= fromUnixTimestamp64Micro({{asked_to_us:Int64}}, 'UTC') AND direction = 'in' AND {KNOWN}
    )
    WHERE session_id != '' AND length(session_id) <= {limits.TURN_ID_BYTES_MAX}
        AND cityHash64(bot, session_id) % {{parts:UInt64}} = {{part:UInt64}}
    GROUP BY bot, session_id
"""

EXTENT: Final = f"""
SELECT
    count() AS sessions,
    toUnixTimestamp64Micro(min(low)) AS low_us,
    toUnixTimestamp64Micro(max(high)) AS high_us,
    (
        SELECT count() FROM messages
        WHERE {RECEIVED} AND direction = 'in' AND (session_id = '' OR {NAMES_BYTES} > {limits.TURN_ID_BYTES_MAX})
    ) AS unpaired
FROM ({_TOUCHED})
"""

# A session so busy that its hours do not fit is looked back into only as far as they do; `needed` is
# what its pairing cannot do without.
_HOURS: Final = f"""
    SELECT hour, bot, session_id, messages, needed <= {{session_messages_max:UInt64}} AS pairs,
        pairs AND (hour >= latest OR through <= {{session_messages_max:UInt64}}) AS fits,
        min(hour) OVER (PARTITION BY bot, session_id) AS first_hour
    FROM
    (
        SELECT *, maxIf(through, hour >= latest) OVER (PARTITION BY bot, session_id) AS needed
        FROM
        (
            SELECT *, sum(messages) OVER (PARTITION BY bot, session_id ORDER BY hour DESC) AS through
            FROM
            (
                SELECT hour, bot, session_id, sum(messages_in + messages_out) AS messages,
                    toStartOfHour(any(touched.low) - toIntervalSecond({{skew_s:UInt32}})) AS latest
                FROM session_hours
                INNER JOIN ({_TOUCHED}) AS touched USING (bot, session_id)
                WHERE hour >= toStartOfHour(fromUnixTimestamp64Micro({{hours_from_us:Int64}}, 'UTC'))
                    AND hour <= fromUnixTimestamp64Micro({{hours_to_us:Int64}}, 'UTC')
                    AND hour >= toStartOfHour(touched.low - toIntervalSecond({{reach_s:UInt32}}))
                    AND hour <= touched.high + toIntervalSecond({{reach_s:UInt32}})
                GROUP BY hour, bot, session_id
            )
        )
    )
"""

# Sessions go into pieces by the hour they were first seen in, so that a piece has few hours to read.
# What does not fit is in a piece of its own, which is only counted.
PIECES: Final = f"""
SELECT
    if(fits, intDiv(weight, {{piece_messages_max:UInt64}}), -1) AS piece,
    groupUniqArrayIf(toUnixTimestamp(hour), fits) AS hours,
    groupArrayIf({PLACE}, fits) AS places,
    uniqExactIf((bot, session_id), NOT pairs) AS oversized
FROM
(
    SELECT *, if(fits, messages + {{place_messages:UInt64}}, 0) AS own,
        sum(own) OVER (ORDER BY first_hour, bot, session_id) AS weight
    FROM ({_HOURS})
)
GROUP BY piece
ORDER BY piece
SETTINGS distributed_product_mode = 'global'
"""
