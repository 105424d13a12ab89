-- The rollup: every count, rate and latency the measures need, in ticks of 10 seconds, merged upward.
--
-- One table serves all kinds of facts, so that a new kind is one view and no new table:
--
--   kind        name               detail              filled from
--   action      the action         ''                  spans
--   request     the route          ''                  spans
--   dependency  what was called    ''                  spans
--   model       the model          the provider        spans
--   log         the event          the level           logs
--   message     the author         the direction       messages
--   turn        ''                 the outcome         turns
--   point       the metric         the kind of metric  points, one row for each series; and 'birth',
--                                                      without a sample: when its sender says it began at 0
--   payload     the source         ''                  payloads
--
-- `spread` is a histogram with buckets that grow by 2 %: bucket k holds the milliseconds in
-- [1.02^k, 1.02^(k+1)), bucket -32768 what is 0 or less. Its counts merge exactly and can be taken
-- back, and a quantile read from it is within 1 % of the sample.

CREATE OR REPLACE FUNCTION botwatch_bucket {on_cluster} AS (ms) ->
    toInt16(if(ms > 0, greatest(-32767, least(32767, floor(log(ms) / log(1.02)))), -32768));

-- Everything is counted through this door, so that labels are bounded in one place.
CREATE TABLE ticks {on_cluster}
(
    kind LowCardinality(String),
    tick DateTime('UTC') CODEC(Delta, ZSTD(1)),
    bot LowCardinality(String),
    host LowCardinality(String),
    channel LowCardinality(String),
    name LowCardinality(String),
    detail LowCardinality(String),
    series UInt64,
    count SimpleAggregateFunction(sum, Int64),
    errors SimpleAggregateFunction(sum, Int64),
    timeouts SimpleAggregateFunction(sum, Int64),
    rate_limited SimpleAggregateFunction(sum, Int64),
    total SimpleAggregateFunction(sum, Float64),
    low SimpleAggregateFunction(min, Float64),
    high SimpleAggregateFunction(max, Float64),
    first SimpleAggregateFunction(min, Tuple(Int64, Float64)),
    last SimpleAggregateFunction(max, Tuple(Int64, Float64)),
    rise AggregateFunction(deltaSumTimestamp, Float64, Int64),
    spread SimpleAggregateFunction(sumMap, Map(Int16, Int64)),
    tokens_in SimpleAggregateFunction(sum, Int64),
    tokens_out SimpleAggregateFunction(sum, Int64)
)
ENGINE = Null;

CREATE TABLE ticks_10s {on_cluster}
(
    kind LowCardinality(String),
    tick DateTime('UTC') CODEC(Delta, ZSTD(1)),
    bot LowCardinality(String),
    host LowCardinality(String),
    channel LowCardinality(String),
    name LowCardinality(String),
    detail LowCardinality(String),
    series UInt64,
    count SimpleAggregateFunction(sum, Int64),
    errors SimpleAggregateFunction(sum, Int64),
    timeouts SimpleAggregateFunction(sum, Int64),
    rate_limited SimpleAggregateFunction(sum, Int64),
    total SimpleAggregateFunction(sum, Float64),
    low SimpleAggregateFunction(min, Float64),
    high SimpleAggregateFunction(max, Float64),
    first SimpleAggregateFunction(min, Tuple(Int64, Float64)),
    last SimpleAggregateFunction(max, Tuple(Int64, Float64)),
    rise AggregateFunction(deltaSumTimestamp, Float64, Int64),
    spread SimpleAggregateFunction(sumMap, Map(Int16, Int64)),
    tokens_in SimpleAggregateFunction(sum, Int64),
    tokens_out SimpleAggregateFunction(sum, Int64)
)
ENGINE = {engine}AggregatingMergeTree
PARTITION BY toDate(tick)
ORDER BY (kind, toStartOfHour(tick), bot, name, host, channel, detail, series, tick)
SETTINGS non_replicated_deduplication_window = 10000;

CREATE TABLE ticks_5m {on_cluster}
(
    kind LowCardinality(String),
    tick DateTime('UTC') CODEC(Delta, ZSTD(1)),
    bot LowCardinality(String),
    host LowCardinality(String),
    channel LowCardinality(String),
    name LowCardinality(String),
    detail LowCardinality(String),
    series UInt64,
    count SimpleAggregateFunction(sum, Int64),
    errors SimpleAggregateFunction(sum, Int64),
    timeouts SimpleAggregateFunction(sum, Int64),
    rate_limited SimpleAggregateFunction(sum, Int64),
    total SimpleAggregateFunction(sum, Float64),
    low SimpleAggregateFunction(min, Float64),
    high SimpleAggregateFunction(max, Float64),
    first SimpleAggregateFunction(min, Tuple(Int64, Float64)),
    last SimpleAggregateFunction(max, Tuple(Int64, Float64)),
    rise AggregateFunction(deltaSumTimestamp, Float64, Int64),
    spread SimpleAggregateFunction(sumMap, Map(Int16, Int64)),
    tokens_in SimpleAggregateFunction(sum, Int64),
    tokens_out SimpleAggregateFunction(sum, Int64)
)
ENGINE = {engine}AggregatingMergeTree
PARTITION BY toStartOfMonth(tick)
ORDER BY (kind, toDate(tick), bot, name, host, channel, detail, series, tick)
SETTINGS non_replicated_deduplication_window = 10000;

CREATE TABLE ticks_1h {on_cluster}
(
    kind LowCardinality(String),
    tick DateTime('UTC') CODEC(Delta, ZSTD(1)),
    bot LowCardinality(String),
    host LowCardinality(String),
    channel LowCardinality(String),
    name LowCardinality(String),
    detail LowCardinality(String),
    series UInt64,
    count SimpleAggregateFunction(sum, Int64),
    errors SimpleAggregateFunction(sum, Int64),
    timeouts SimpleAggregateFunction(sum, Int64),
    rate_limited SimpleAggregateFunction(sum, Int64),
    total SimpleAggregateFunction(sum, Float64),
    low SimpleAggregateFunction(min, Float64),
    high SimpleAggregateFunction(max, Float64),
    first SimpleAggregateFunction(min, Tuple(Int64, Float64)),
    last SimpleAggregateFunction(max, Tuple(Int64, Float64)),
    rise AggregateFunction(deltaSumTimestamp, Float64, Int64),
    spread SimpleAggregateFunction(sumMap, Map(Int16, Int64)),
    tokens_in SimpleAggregateFunction(sum, Int64),
    tokens_out SimpleAggregateFunction(sum, Int64)
)
ENGINE = {engine}AggregatingMergeTree
PARTITION BY toStartOfMonth(tick)
ORDER BY (kind, toStartOfMonth(tick), bot, name, host, channel, detail, series, tick)
SETTINGS non_replicated_deduplication_window = 10000;

-- Which values each label of a bot has had, and when. A job reads it to find crowds, people to choose.
-- The label 'bot' has no bot of its own; 'host' and 'channel' are labels too; every kind is one.
CREATE TABLE names {on_cluster}
(
    label LowCardinality(String),
    bot LowCardinality(String),
    name String,
    count SimpleAggregateFunction(sum, Int64),
    first_seen SimpleAggregateFunction(min, DateTime('UTC')),
    last_seen SimpleAggregateFunction(max, DateTime('UTC'))
)
ENGINE = {engine}AggregatingMergeTree
ORDER BY (label, bot, name)
SETTINGS non_replicated_deduplication_window = 10000;

-- A bot that brings too many values of a label is crowded: what it had by then stays admitted, the
-- rest is counted as '(other)'. Hashes, because a set of them is looked up for every row.
CREATE TABLE crowded_labels {on_cluster}
(
    label LowCardinality(String),
    bot String,
    since DateTime('UTC')
)
ENGINE = {engine}ReplacingMergeTree
ORDER BY (label, bot);

CREATE TABLE admitted_names {on_cluster}
(
    hash UInt64
)
ENGINE = {engine}ReplacingMergeTree
ORDER BY hash;

-- What comes here is counted by tick already. Rows that become equal on the way up are merged by the tables, at once.
CREATE MATERIALIZED VIEW ticks_to_10s {on_cluster} TO ticks_10s AS
WITH
    (SELECT groupUniqArray(cityHash64(label, bot)) FROM crowded_labels) AS crowds,
    (label, owner, value) -> if(
        notEmpty(crowds) AND value != '' AND has(crowds, cityHash64(label, owner))
            AND cityHash64(label, owner, value) NOT IN (SELECT hash FROM admitted_names),
        '(other)', value) AS admitted
SELECT
    kind, tick, admitted('bot', '', ticks.bot) AS bot, admitted('host', ticks.bot, ticks.host) AS host,
    admitted('channel', ticks.bot, ticks.channel) AS channel, admitted(toString(ticks.kind), ticks.bot, ticks.name) AS name, detail,
    if(admitted('series', concat(ticks.bot, '\0', ticks.name), toString(ticks.series)) = '(other)', 0, ticks.series) AS series,
    count, errors, timeouts, rate_limited, total, low, high, first, last, rise, spread, tokens_in, tokens_out
FROM ticks;

CREATE MATERIALIZED VIEW ticks_10s_to_names {on_cluster} TO names AS
SELECT value.1 AS label, value.2 AS bot, value.3 AS name, sum(n) AS count, min(first_tick) AS first_seen, max(last_tick) AS last_seen
FROM
(
    SELECT kind, bot AS owner, host, channel, ticks_10s.name AS title, sum(ticks_10s.count) AS n, min(tick) AS first_tick, max(tick) AS last_tick
    FROM ticks_10s
    GROUP BY kind, owner, host, channel, title
)
ARRAY JOIN [('bot', '', owner), ('host', owner, host), ('channel', owner, channel), (toString(kind), owner, title)] AS value
WHERE value.3 != ''
GROUP BY label, bot, name;

-- In the order of their time, so that `rise` is merged in it here and above.
CREATE MATERIALIZED VIEW ticks_10s_to_5m {on_cluster} TO ticks_5m AS
SELECT
    kind, toStartOfFiveMinutes(tick) AS tick, bot, host, channel, name, detail, series,
    count, errors, timeouts, rate_limited, total, low, high, first, last, rise, spread, tokens_in, tokens_out
FROM ticks_10s
ORDER BY ticks_10s.tick;

CREATE MATERIALIZED VIEW ticks_5m_to_1h {on_cluster} TO ticks_1h AS
SELECT
    kind, toStartOfHour(tick) AS tick, bot, host, channel, name, detail, series,
    count, errors, timeouts, rate_limited, total, low, high, first, last, rise, spread, tokens_in, tokens_out
FROM ticks_5m;
