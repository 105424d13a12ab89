-- What documents of a source looked like, hour by hour. It is counted outside the engine, from a bounded
-- sample, and written anew until the hour is over: the last writing of a row is the one that counts.

CREATE TABLE profiles {on_cluster}
(
    source LowCardinality(String),
    variant LowCardinality(String),
    hour DateTime('UTC'),
    path String,
    parent String,
    types Map(LowCardinality(String), UInt64),
    empty UInt64,
    loose UInt64, -- of those seen, in objects that were not gone through to their end
    values Map(String, UInt64),
    free Bool,
    documents UInt64,
    written DateTime64(3, 'UTC')
)
ENGINE = {engine}ReplacingMergeTree(written)
PARTITION BY toStartOfMonth(hour)
ORDER BY (source, variant, hour, path);

-- What was found of critical places, in all documents. `kinds` says how their variants were told apart, `through` up to
-- which moment of receiving documents have been counted.
CREATE TABLE criticals {on_cluster}
(
    source LowCardinality(String),
    kinds LowCardinality(String),
    path LowCardinality(String),
    variant LowCardinality(String),
    tick DateTime('UTC') CODEC(Delta, ZSTD(1)),
    states SimpleAggregateFunction(sumMap, Map(String, UInt64)),
    through SimpleAggregateFunction(max, DateTime64(3, 'UTC'))
)
ENGINE = {engine}AggregatingMergeTree
PARTITION BY toStartOfMonth(tick)
ORDER BY (source, kinds, path, variant, tick)
SETTINGS non_replicated_deduplication_window = 10000;
