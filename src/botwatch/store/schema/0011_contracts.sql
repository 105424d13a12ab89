-- What had to be followed by something, and whether it was. It is written when that is known and again when something
-- that arrives later corrects it; with a sign, so that the rollup takes back what it had counted.

CREATE TABLE inbox_contracts {on_cluster}
(
    contract LowCardinality(String),
    bot LowCardinality(String),
    channel LowCardinality(String),
    session_id String,
    id String,
    at DateTime64(6, 'UTC'),
    due DateTime64(6, 'UTC'),
    followed Nullable(DateTime64(6, 'UTC')),
    outcome Enum8('kept' = 1, 'late' = 2, 'breached' = 3),
    about String,
    trace_id FixedString(16),
    correlation_id String,
    settled DateTime64(6, 'UTC'),
    sign Int8
)
ENGINE = Null;

-- `id` is what both have in common; `about` says in a word what it is about.
CREATE TABLE contract_outcomes {on_cluster}
(
    contract LowCardinality(String),
    bot LowCardinality(String),
    channel LowCardinality(String),
    session_id String,
    id String CODEC(ZSTD(1)),
    at DateTime64(6, 'UTC') CODEC(Delta, ZSTD(1)),
    due DateTime64(6, 'UTC') CODEC(Delta, ZSTD(1)),
    followed Nullable(DateTime64(6, 'UTC')),
    outcome Enum8('kept' = 1, 'late' = 2, 'breached' = 3),
    about String CODEC(ZSTD(1)),
    trace_id FixedString(16) CODEC(ZSTD(1)),
    correlation_id String CODEC(ZSTD(1)),
    settled DateTime64(6, 'UTC') CODEC(Delta, ZSTD(1))
)
ENGINE = {engine}ReplacingMergeTree(settled)
PARTITION BY toDate(at)
ORDER BY (contract, toStartOfHour(at), bot, session_id, at, id)
SETTINGS non_replicated_deduplication_window = 10000;

CREATE MATERIALIZED VIEW inbox_contracts_to_contract_outcomes {on_cluster} TO contract_outcomes AS
SELECT
    contract, bot, channel, session_id, id, at, due, followed, outcome, about, trace_id, correlation_id, settled
FROM inbox_contracts
WHERE sign = 1;

-- Counted when it was decided: kept when it was followed, breached at its deadline.
CREATE MATERIALIZED VIEW inbox_contracts_to_ticks {on_cluster} TO ticks AS
SELECT
    'contract' AS kind, tick, bot, channel, contract AS name, detail,
    sum(n) AS count, sum(total) AS total, min(low) AS low, max(high) AS high,
    mapFilter((k, v) -> v != 0, mapFromArrays(groupArray(bucket), groupArray(followed_n))) AS spread
FROM
(
    SELECT
        toStartOfInterval(if(outcome = 'kept', assumeNotNull(followed), due), INTERVAL 10 SECOND) AS tick,
        bot, channel, contract, toString(outcome) AS detail,
        isNotNull(followed) AS was_followed,
        if(was_followed, dateDiff('microsecond', at, assumeNotNull(followed)) / 1e3, 0) AS ms,
        botwatch_bucket(ms) AS bucket,
        sum(sign) AS n, sum(sign * ms) AS total, min(ms) AS low, max(ms) AS high,
        toInt64(sumIf(sign, was_followed)) AS followed_n
    FROM inbox_contracts
    GROUP BY tick, bot, channel, contract, detail, was_followed, ms, bucket
)
GROUP BY kind, tick, bot, channel, name, detail;

-- That every message gets a reply is a contract too. Turns are what became of it: nothing is paired a second time.
CREATE MATERIALIZED VIEW inbox_turns_to_contract_ticks {on_cluster} TO ticks AS
SELECT
    'contract' AS kind, toStartOfInterval(asked, INTERVAL 10 SECOND) AS tick, bot, channel,
    'Messages get a reply' AS name, if(outcome IN ('answered', 'handed_off'), 'kept', 'breached') AS detail,
    sum(sign) AS count
FROM inbox_turns
GROUP BY tick, bot, channel, detail;

-- What has just been received is looked for again and again.
ALTER TABLE logs {on_cluster} ADD INDEX IF NOT EXISTS by_received received TYPE minmax GRANULARITY 1;

ALTER TABLE spans {on_cluster} ADD INDEX IF NOT EXISTS by_received received TYPE minmax GRANULARITY 1;

ALTER TABLE payloads {on_cluster} ADD INDEX IF NOT EXISTS by_received received TYPE minmax GRANULARITY 1;
