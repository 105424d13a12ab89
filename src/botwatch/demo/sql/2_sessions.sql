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
    (SELECT (seed, to_ns, slots) FROM demo_world) AS w,
    (key, what) -> bitShiftRight(cityHash64(key, what), 32) / 4294967296. AS chance
SELECT
    bot, place.host, place.instance, if(at_ns < deployed_ns, place.before, place.resource) AS resource, channel,
    concat(bot, '-', lower(hex(cityHash64(key, 'session')))) AS session_id,
    user_id, key, at_ns, script, steps, outcome, score,
    arrayMap(s -> (concat('{', s.1, '}'), arrayElement(s.2, toUInt32(1 + floor(chance(key, s.1) * length(s.2))))), w.3) AS words
FROM
(
    SELECT
        bot, deployed_ns, arrayElement(places, toUInt8(1 + floor(chance(key, 'place') * length(places)))) AS place,
        arrayFirst(c -> chance(key, 'channel') < c.below, channels) AS door, door.name AS channel,
        -- Some users come often: the square puts half of all conversations with a quarter of them.
        toUInt32(floor(pow(chance(key, 'user'), 2) * door.users)) AS number,
        cityHash64(w.1, bot, minute_ns, i) AS key,
        minute_ns + toInt64(chance(key, 'second') * 60e9) AS at_ns
    FROM
    (
        SELECT
            demo_bots.bot AS bot, places, channels, deployed_ns, demo_minutes.at_ns AS minute_ns,
            range(toUInt32(floor(per_minute * weight + chance(cityHash64(w.1, bot, minute_ns), 'how many')))) AS many
        FROM demo_minutes
        CROSS JOIN demo_bots
    )
    ARRAY JOIN many AS i
    WHERE at_ns < w.2
) AS begun
INNER JOIN demo_users USING (bot, channel, number)
INNER JOIN demo_scripts USING (bot)
WHERE chance(key, 'script') >= low AND chance(key, 'script') < high;
