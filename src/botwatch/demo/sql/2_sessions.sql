-- Who talks with which bot, and when: as many conversations begin in a minute as its weight says.

CREATE TABLE demo_sessions
(
    bot LowCardinality(String),
    host LowCardinality(String),
    instance LowCardinality(String),
    resource LowCardinality(String),
    channel LowCardinality(String),
    session_id String,
    user_id String,
    key UInt64,
    at_ns Int64,
    script LowCardinality(String),
    steps UInt8,
    outcome LowCardinality(String),
    score Float64,
    words Array(Tuple(String, String))
)
ENGINE = Memory;

INSERT INTO demo_sessions
WITH
    (SELECT seed FROM demo_world) AS seed,
    (SELECT slots FROM demo_world) AS slots,
    (key, what) -> bitShiftRight(cityHash64(key, what), 32) / 4294967296. AS chance,
    arrayElement(places, toUInt8(1 + floor(chance(key, 'place') * length(places)))) AS place,
    arrayFirst(c -> chance(key, 'channel') < c.below, channels) AS door
SELECT
    bot, place.host, place.instance, place.resource, door.name AS channel,
    concat(bot, '-', lower(hex(cityHash64(key, 'session')))) AS session_id,
    -- Some users come often: the square puts half of all conversations with a third of them.
    arrayElement(door.users, toUInt32(1 + floor(pow(chance(key, 'user'), 2) * length(door.users)))) AS user_id,
    key, at_ns, script, steps, outcome, score,
    arrayMap(s -> (concat('{', s.name, '}'), arrayElement(s.choices, toUInt32(1 + floor(chance(key, s.name) * length(s.choices))))), slots) AS words
FROM
(
    SELECT
        bot, places, channels, cityHash64(seed, bot, minute_ns, i) AS key,
        minute_ns + toInt64(chance(key, 'second') * 60e9) AS at_ns
    FROM
    (
        SELECT
            demo_bots.bot AS bot, places, channels, demo_minutes.at_ns AS minute_ns,
            range(toUInt32(floor(per_minute * weight + chance(cityHash64(seed, bot, minute_ns), 'how many')))) AS many
        FROM demo_minutes
        CROSS JOIN demo_bots
    )
    ARRAY JOIN many AS i
) AS begun
INNER JOIN demo_scripts USING (bot)
WHERE chance(key, 'script') >= low AND chance(key, 'script') < high AND at_ns < (SELECT to_ns FROM demo_world);
