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
    values Map(String, UInt64),
    free Bool,
    documents UInt64,
    written DateTime64(3, 'UTC')
)
ENGINE = {engine}ReplacingMergeTree(written)
PARTITION BY toStartOfMonth(hour)
ORDER BY (source, variant, hour, path);

-- A part of a document, sent where the whole was not, lacks places that the document had.
ALTER TABLE payloads {on_cluster} ADD COLUMN IF NOT EXISTS partial Bool DEFAULT false;

DROP VIEW IF EXISTS logs_to_payloads {on_cluster};

CREATE MATERIALIZED VIEW logs_to_payloads {on_cluster} TO payloads AS
SELECT
    attributes['bot.payload.source'] AS source, bot, session_id, at, body AS document, trace_id, correlation_id, received,
    attributes['bot.payload.partial'] IN ('true', '1') AS partial
FROM logs
WHERE event = 'bot.payload';
