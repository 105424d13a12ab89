-- The heartbeats: what each process uses and has counted. Every ten seconds in the last hour, before
-- that once a minute: nobody looks closer at yesterday, and history is written while someone waits.

CREATE TABLE demo_counts (instance String, start_ns Int64, kind String, at_ns Int64, total UInt64) ENGINE = Memory;

-- What a process had counted when; zero at its start.
INSERT INTO demo_counts
SELECT instance, start_ns, kind, at_ns, sum(n) OVER (PARTITION BY instance, start_ns, kind ORDER BY at_ns) AS total
FROM
(
    SELECT counted.instance AS instance, l.start_ns AS start_ns, counted.kind AS kind, counted.at_ns AS at_ns, count() AS n
    FROM
    (
        SELECT
            instance, at_ns,
            multiIf(event = 'bot.message', attributes['bot.message.direction'], severity >= 17, 'error', 'warning') AS kind
        FROM demo_records
        WHERE event = 'bot.message' OR severity >= 13
        UNION ALL
        SELECT instance, done_ns AS at_ns, 'error' AS kind FROM demo_turns WHERE failure > 0
    ) AS counted
    INNER JOIN demo_lives AS l ON l.instance = counted.instance
    WHERE counted.at_ns >= l.from_ns AND counted.at_ns < l.to_ns
    GROUP BY instance, start_ns, kind, at_ns
    UNION ALL
    SELECT instance, start_ns, arrayJoin(['in', 'out', 'warning', 'error']) AS kind, start_ns AS at_ns, 0 AS n
    FROM demo_lives
);

INSERT INTO number_points (bot, host, metric, kind, series, at, start, value, unit, label_names, label_values, resource, received)
SETTINGS max_partitions_per_insert_block = 1000
WITH
    (SELECT to_ns FROM demo_world) AS ends_ns,
    (SELECT seed FROM demo_world) AS seed,
    (SELECT groupArray((at_ns, weight)) FROM (SELECT * FROM demo_minutes ORDER BY at_ns)) AS minutes,
    minutes[toUInt32(1 + intDiv(beat_ns - minutes[1].1, 60000000000))].2 AS weight,
    (key, what) -> bitShiftRight(cityHash64(key, what), 32) / 4294967296. AS chance,
    cityHash64(seed, instance, beat_ns) AS key,
    floor(9 * weight * pow(chance(key, 'queue'), 4)) AS waiting,
    (beat_ns - start_ns) / 1e9 AS up_s
SELECT
    bot, host, m.1 AS metric, m.2 AS kind,
    cityHash64(resource, 'botwatch_sdk', metric, kind, label_names, label_values) AS series,
    fromUnixTimestamp64Nano(beat_ns, 'UTC') AS at,
    fromUnixTimestamp64Nano(start_ns, 'UTC') AS start,
    m.3 AS value, m.4 AS unit,
    if(m.5 = '', [], [m.5]) AS label_names,
    if(m.5 = '', [], [m.6]) AS label_values,
    resource,
    fromUnixTimestamp64Milli(intDiv(beat_ns, 1000000) + 300, 'UTC') AS received
FROM
(
    SELECT
        l.bot AS bot, l.host AS host, l.instance AS instance, l.resource AS resource, l.queue AS queue, l.cpu AS cpu, l.memory_mib AS memory_mib,
        l.connections AS connections, l.start_ns AS start_ns, beat_ns,
        maxIf(c.total, c.kind = 'in') AS said_in, maxIf(c.total, c.kind = 'out') AS said_out,
        maxIf(c.total, c.kind = 'warning') AS warned, maxIf(c.total, c.kind = 'error') AS failed
    FROM
    (
        SELECT *, arrayJoin(arrayConcat(
            range(from_ns, least(to_ns, ends_ns - 3600000000000), 60000000000),
            range(greatest(from_ns, ends_ns - 3600000000000), to_ns, 10000000000))) AS beat_ns,
            arrayJoin(['in', 'out', 'warning', 'error']) AS kind
        FROM demo_lives
    ) AS l
    ASOF LEFT JOIN demo_counts AS c
        ON c.instance = l.instance AND c.start_ns = l.start_ns AND c.kind = l.kind AND l.beat_ns >= c.at_ns
    GROUP BY bot, host, instance, resource, queue, cpu, memory_mib, connections, start_ns, beat_ns
)
ARRAY JOIN arrayFilter(m -> m.1 != '', [
    ('process.cpu.utilization', 'gauge', cpu * (0.3 + weight) * (0.6 + 0.8 * chance(key, 'cpu')), '1', '', ''),
    ('process.memory.usage', 'gauge', toFloat64(toInt64(1048576 * memory_mib * (1 + 0.04 * weight + 0.01 * chance(key, 'memory') + 0.02 * least(up_s / 86400, 3)))), 'By', '', ''),
    ('process.open_connections', 'gauge', connections + floor(weight * 6 * chance(key, 'connections')), '{connection}', '', ''),
    ('process.uptime', 'gauge', up_s, 's', '', ''),
    ('bot.events', 'cumulative', toFloat64(said_in), '{event}', 'bot.event.kind', 'in'),
    ('bot.events', 'cumulative', toFloat64(said_out), '{event}', 'bot.event.kind', 'out'),
    ('bot.events', 'cumulative', toFloat64(warned), '{event}', 'bot.event.kind', 'warning'),
    ('bot.events', 'cumulative', toFloat64(failed), '{event}', 'bot.event.kind', 'error'),
    (if(queue = '', '', 'bot.queue.depth'), 'gauge', waiting, '{message}', 'bot.queue.name', queue),
    (if(queue = '', '', 'bot.queue.age'), 'gauge', if(waiting = 0, 0, round(waiting * (0.6 + chance(key, 'age')), 1)), 's', 'bot.queue.name', queue)
]) AS m;
