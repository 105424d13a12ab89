-- What is known of each service that is asked from outside: how it is now, and every change of that.

CREATE TABLE services {on_cluster}
(
    service String,
    host LowCardinality(String),
    kind LowCardinality(String),
    address String,
    at DateTime64(3, 'UTC'),
    since DateTime('UTC'),
    status LowCardinality(String),
    reason String,
    version String,
    figure String,
    latency_ms Float64,
    every_s Float64
)
ENGINE = {engine}ReplacingMergeTree(at)
PARTITION BY toStartOfMonth(at)
ORDER BY (service, host);

CREATE TABLE service_changes {on_cluster}
(
    service String,
    host LowCardinality(String),
    at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    status LowCardinality(String),
    before LowCardinality(String),
    reason String CODEC(ZSTD(1)),
    version String CODEC(ZSTD(1))
)
ENGINE = {engine}MergeTree
PARTITION BY toStartOfMonth(at)
ORDER BY (service, at)
SETTINGS non_replicated_deduplication_window = 10000;

CREATE MATERIALIZED VIEW logs_to_services {on_cluster} TO services AS
SELECT
    attributes['botwatch.service.name'] AS service, host, attributes['botwatch.service.kind'] AS kind,
    attributes['botwatch.service.address'] AS address, toDateTime64(logs.at, 3, 'UTC') AS at,
    toDateTime(toUInt32OrZero(attributes['botwatch.service.since_s']), 'UTC') AS since,
    attributes['botwatch.service.status'] AS status, attributes['botwatch.service.reason'] AS reason,
    attributes['botwatch.service.version'] AS version, attributes['botwatch.service.figure'] AS figure,
    if(attributes['botwatch.service.latency_ms'] = '', nan, toFloat64OrZero(attributes['botwatch.service.latency_ms'])) AS latency_ms,
    toFloat64OrZero(attributes['botwatch.service.every_s']) AS every_s
FROM logs
WHERE event = 'botwatch.service' AND attributes['botwatch.service.name'] != '';

CREATE MATERIALIZED VIEW logs_to_service_changes {on_cluster} TO service_changes AS
SELECT
    attributes['botwatch.service.name'] AS service, host, toDateTime64(logs.at, 3, 'UTC') AS at,
    attributes['botwatch.service.status'] AS status, attributes['botwatch.service.before'] AS before,
    attributes['botwatch.service.reason'] AS reason, attributes['botwatch.service.version'] AS version
FROM logs
WHERE event = 'botwatch.service' AND attributes['botwatch.service.name'] != ''
    AND attributes['botwatch.service.status'] != attributes['botwatch.service.before'];
