-- Metric points. A point knows its series by a hash; what the series is stands once, in `series`.
-- In the rollup each series has its own rows: `total` and `count` for gauges and deltas, `first`,
-- `last` and `rise` for what only ever grows, so that a restart of the sender is not a fall.

CREATE TABLE inbox_points {on_cluster}
(
    received_ns UInt64,
    resource_metrics Array(Tuple(
        resource Tuple(attributes Array(Tuple(key String, value Tuple(
            value Enum8('no' = 0, 'string_value' = 1, 'bool_value' = 2, 'int_value' = 3, 'double_value' = 4, 'array_value' = 5, 'kvlist_value' = 6, 'bytes_value' = 7),
            string_value String, bool_value Bool, int_value Int64, double_value Float64, array_value String, kvlist_value String, bytes_value String)))),
        scope_metrics Array(Tuple(
            scope Tuple(name String, version String),
            metrics Array(Tuple(
                name String, description String, unit String,
                gauge Tuple(data_points Array(Tuple(
                    attributes Array(Tuple(key String, value Tuple(
                        value Enum8('no' = 0, 'string_value' = 1, 'bool_value' = 2, 'int_value' = 3, 'double_value' = 4, 'array_value' = 5, 'kvlist_value' = 6, 'bytes_value' = 7),
                        string_value String, bool_value Bool, int_value Int64, double_value Float64, array_value String, kvlist_value String, bytes_value String))),
                    start_time_unix_nano UInt64, time_unix_nano UInt64,
                    value Enum8('no' = 0, 'as_double' = 4, 'as_int' = 6), as_double Float64, as_int Int64, flags UInt32))),
                sum Tuple(aggregation_temporality Int32, is_monotonic Bool, data_points Array(Tuple(
                    attributes Array(Tuple(key String, value Tuple(
                        value Enum8('no' = 0, 'string_value' = 1, 'bool_value' = 2, 'int_value' = 3, 'double_value' = 4, 'array_value' = 5, 'kvlist_value' = 6, 'bytes_value' = 7),
                        string_value String, bool_value Bool, int_value Int64, double_value Float64, array_value String, kvlist_value String, bytes_value String))),
                    start_time_unix_nano UInt64, time_unix_nano UInt64,
                    value Enum8('no' = 0, 'as_double' = 4, 'as_int' = 6), as_double Float64, as_int Int64, flags UInt32))),
                histogram Tuple(aggregation_temporality Int32, data_points Array(Tuple(
                    attributes Array(Tuple(key String, value Tuple(
                        value Enum8('no' = 0, 'string_value' = 1, 'bool_value' = 2, 'int_value' = 3, 'double_value' = 4, 'array_value' = 5, 'kvlist_value' = 6, 'bytes_value' = 7),
                        string_value String, bool_value Bool, int_value Int64, double_value Float64, array_value String, kvlist_value String, bytes_value String))),
                    start_time_unix_nano UInt64, time_unix_nano UInt64, count UInt64, sum Float64, bucket_counts Array(UInt64),
                    explicit_bounds Array(Float64), flags UInt32, min Float64, max Float64))),
                exponential_histogram Tuple(aggregation_temporality Int32, data_points Array(Tuple(
                    attributes Array(Tuple(key String, value Tuple(
                        value Enum8('no' = 0, 'string_value' = 1, 'bool_value' = 2, 'int_value' = 3, 'double_value' = 4, 'array_value' = 5, 'kvlist_value' = 6, 'bytes_value' = 7),
                        string_value String, bool_value Bool, int_value Int64, double_value Float64, array_value String, kvlist_value String, bytes_value String))),
                    start_time_unix_nano UInt64, time_unix_nano UInt64, count UInt64, sum Float64, scale Int32, zero_count UInt64,
                    positive Tuple(offset Int32, bucket_counts Array(UInt64)), negative Tuple(offset Int32, bucket_counts Array(UInt64)),
                    flags UInt32, min Float64, max Float64, zero_threshold Float64))),
                summary Tuple(data_points Array(Tuple(
                    attributes Array(Tuple(key String, value Tuple(
                        value Enum8('no' = 0, 'string_value' = 1, 'bool_value' = 2, 'int_value' = 3, 'double_value' = 4, 'array_value' = 5, 'kvlist_value' = 6, 'bytes_value' = 7),
                        string_value String, bool_value Bool, int_value Int64, double_value Float64, array_value String, kvlist_value String, bytes_value String))),
                    start_time_unix_nano UInt64, time_unix_nano UInt64, count UInt64, sum Float64,
                    quantile_values Array(Tuple(quantile Float64, value Float64)), flags UInt32)))
            ))
        ))
    ))
)
ENGINE = Null;

-- Between the decoding and the tables: one row a point, with what its series is still beside it.
CREATE TABLE number_points {on_cluster}
(
    bot LowCardinality(String),
    host LowCardinality(String),
    metric LowCardinality(String),
    kind LowCardinality(String),
    series UInt64,
    at DateTime64(9, 'UTC'),
    start DateTime64(9, 'UTC'),
    value Float64,
    unit LowCardinality(String),
    description LowCardinality(String),
    label_names Array(String),
    label_values Array(String),
    resource LowCardinality(String),
    received DateTime64(3, 'UTC')
)
ENGINE = Null;

CREATE TABLE points {on_cluster}
(
    bot LowCardinality(String),
    host LowCardinality(String),
    metric LowCardinality(String),
    kind LowCardinality(String),
    series UInt64,
    at DateTime64(9, 'UTC') CODEC(DoubleDelta, ZSTD(1)),
    start DateTime64(9, 'UTC') CODEC(Delta, ZSTD(1)),
    value Float64 CODEC(ZSTD(1)),
    received DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1))
)
ENGINE = {engine}MergeTree
PARTITION BY toDate(at)
ORDER BY (metric, bot, series, at)
SETTINGS non_replicated_deduplication_window = 10000;

-- Histograms of both kinds and summaries, as they were sent.
CREATE TABLE distributions {on_cluster}
(
    bot LowCardinality(String),
    host LowCardinality(String),
    metric LowCardinality(String),
    kind LowCardinality(String),
    series UInt64,
    at DateTime64(9, 'UTC') CODEC(DoubleDelta, ZSTD(1)),
    start DateTime64(9, 'UTC') CODEC(Delta, ZSTD(1)),
    count UInt64,
    sum Float64,
    low Float64,
    high Float64,
    bounds Array(Float64) CODEC(ZSTD(1)),
    buckets Array(UInt64) CODEC(ZSTD(1)),
    scale Int32,
    zero_count UInt64,
    zero_threshold Float64,
    positive_offset Int32,
    positive Array(UInt64) CODEC(ZSTD(1)),
    negative_offset Int32,
    negative Array(UInt64) CODEC(ZSTD(1)),
    quantiles Array(Tuple(quantile Float64, value Float64)) CODEC(ZSTD(1)),
    unit LowCardinality(String),
    description LowCardinality(String),
    label_names Array(LowCardinality(String)),
    label_values Array(String),
    resource LowCardinality(String),
    received DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1))
)
ENGINE = {engine}MergeTree
PARTITION BY toDate(at)
ORDER BY (metric, bot, series, at)
SETTINGS non_replicated_deduplication_window = 10000;

CREATE TABLE series {on_cluster}
(
    bot LowCardinality(String),
    metric LowCardinality(String),
    series UInt64,
    kind LowCardinality(String),
    unit LowCardinality(String),
    description LowCardinality(String),
    labels Map(LowCardinality(String), String),
    resource LowCardinality(String),
    last_seen DateTime('UTC')
)
ENGINE = {engine}ReplacingMergeTree(last_seen)
ORDER BY (metric, bot, series)
SETTINGS non_replicated_deduplication_window = 10000;

CREATE MATERIALIZED VIEW inbox_points_to_number_points {on_cluster} TO number_points AS
WITH
    arrayMap(v -> botwatch_text(v), point.attributes.value) AS labels,
    labels[indexOf(point.attributes.key, 'bot.name')] AS labelled
SELECT
    multiIf(labelled != '', labelled, owner != 'unknown_service', owner, match(name, '^(system|hw)[.]'), '', owner) AS bot,
    host,
    name AS metric,
    multiIf(NOT is_sum, 'gauge', temporality = 1, 'delta', monotonic, 'cumulative', 'gauge') AS kind,
    cityHash64(resource, scope, name, kind, point.attributes.key, labels) AS series,
    fromUnixTimestamp64Nano(toInt64(point.time_unix_nano), 'UTC') AS at,
    fromUnixTimestamp64Nano(toInt64(point.start_time_unix_nano), 'UTC') AS start,
    multiIf(point.value = 'as_double', point.as_double, point.value = 'as_int', toFloat64(point.as_int), nan) AS value,
    unit,
    description,
    point.attributes.key AS label_names,
    labels AS label_values,
    resource,
    fromUnixTimestamp64Milli(intDiv(received_ns, 1000000), 'UTC') AS received
FROM
(
    SELECT received_ns, owner, host, resource, scope, name, unit, description, notEmpty(sum) AS is_sum, temporality, monotonic, arrayConcat(gauge, sum) AS points
    FROM
    (
        SELECT
            received_ns, scopes2, names2, units2, descriptions2, gauges2, sums2, temporalitys2, monotonics2,
            CAST(mapFromArrays(resource_attributes.key, arrayMap(v -> botwatch_text(v), resource_attributes.value)), 'Map(LowCardinality(String), String)') AS carrier,
            CAST(toJSONString(carrier), 'LowCardinality(String)') AS resource,
            CAST(carrier['host.name'], 'LowCardinality(String)') AS host,
            CAST(multiIf(carrier['bot.name'] != '', carrier['bot.name'], carrier['botwatch.observer'] != '', '',
                carrier['gen_ai.agent.name'] != '', carrier['gen_ai.agent.name'],
                carrier['service.name'] != '', carrier['service.name'], 'unknown_service'), 'LowCardinality(String)') AS owner
        FROM inbox_points
        ARRAY JOIN
            resource_metrics.resource.attributes AS resource_attributes,
            resource_metrics.scope_metrics.scope.name AS scopes2,
            resource_metrics.scope_metrics.metrics.name AS names2,
            resource_metrics.scope_metrics.metrics.unit AS units2,
            resource_metrics.scope_metrics.metrics.description AS descriptions2,
            resource_metrics.scope_metrics.metrics.gauge.data_points AS gauges2,
            resource_metrics.scope_metrics.metrics.sum.data_points AS sums2,
            resource_metrics.scope_metrics.metrics.sum.aggregation_temporality AS temporalitys2,
            resource_metrics.scope_metrics.metrics.sum.is_monotonic AS monotonics2
    )
    ARRAY JOIN
        scopes2 AS scope,
        names2 AS names1,
        units2 AS units1,
        descriptions2 AS descriptions1,
        gauges2 AS gauges1,
        sums2 AS sums1,
        temporalitys2 AS temporalitys1,
        monotonics2 AS monotonics1
    ARRAY JOIN names1 AS name, units1 AS unit, descriptions1 AS description, gauges1 AS gauge, sums1 AS sum, temporalitys1 AS temporality, monotonics1 AS monotonic
)
ARRAY JOIN points AS point;

CREATE MATERIALIZED VIEW inbox_points_to_histograms {on_cluster} TO distributions AS
WITH
    arrayMap(v -> botwatch_text(v), point.attributes.value) AS labels,
    labels[indexOf(point.attributes.key, 'bot.name')] AS labelled
SELECT
    if(labelled != '', labelled, owner) AS bot,
    host,
    name AS metric,
    if(temporality = 1, 'histogram_delta', 'histogram_cumulative') AS kind,
    cityHash64(resource, scope, name, kind, point.attributes.key, labels) AS series,
    fromUnixTimestamp64Nano(toInt64(point.time_unix_nano), 'UTC') AS at,
    fromUnixTimestamp64Nano(toInt64(point.start_time_unix_nano), 'UTC') AS start,
    point.count AS count, point.sum AS sum, point.min AS low, point.max AS high,
    point.explicit_bounds AS bounds, point.bucket_counts AS buckets,
    unit,
    description,
    point.attributes.key AS label_names,
    labels AS label_values,
    resource,
    fromUnixTimestamp64Milli(intDiv(received_ns, 1000000), 'UTC') AS received
FROM
(
    SELECT received_ns, owner, host, resource, scope, name, unit, description, temporality, data AS points
    FROM
    (
        SELECT
            received_ns, scopes2, names2, units2, descriptions2, temporalitys2, datas2,
            CAST(mapFromArrays(resource_attributes.key, arrayMap(v -> botwatch_text(v), resource_attributes.value)), 'Map(LowCardinality(String), String)') AS carrier,
            CAST(toJSONString(carrier), 'LowCardinality(String)') AS resource,
            CAST(carrier['host.name'], 'LowCardinality(String)') AS host,
            CAST(multiIf(carrier['bot.name'] != '', carrier['bot.name'],
                carrier['gen_ai.agent.name'] != '', carrier['gen_ai.agent.name'],
                carrier['service.name'] != '', carrier['service.name'], 'unknown_service'), 'LowCardinality(String)') AS owner
        FROM inbox_points
        ARRAY JOIN
            resource_metrics.resource.attributes AS resource_attributes,
            resource_metrics.scope_metrics.scope.name AS scopes2,
            resource_metrics.scope_metrics.metrics.name AS names2,
            resource_metrics.scope_metrics.metrics.unit AS units2,
            resource_metrics.scope_metrics.metrics.description AS descriptions2,
            resource_metrics.scope_metrics.metrics.histogram.aggregation_temporality AS temporalitys2,
            resource_metrics.scope_metrics.metrics.histogram.data_points AS datas2
    )
    ARRAY JOIN
        scopes2 AS scope,
        names2 AS names1,
        units2 AS units1,
        descriptions2 AS descriptions1,
        temporalitys2 AS temporalitys1,
        datas2 AS datas1
    ARRAY JOIN names1 AS name, units1 AS unit, descriptions1 AS description, temporalitys1 AS temporality, datas1 AS data
)
ARRAY JOIN points AS point;

CREATE MATERIALIZED VIEW inbox_points_to_exponential_histograms {on_cluster} TO distributions AS
WITH
    arrayMap(v -> botwatch_text(v), point.attributes.value) AS labels,
    labels[indexOf(point.attributes.key, 'bot.name')] AS labelled
SELECT
    if(labelled != '', labelled, owner) AS bot,
    host,
    name AS metric,
    if(temporality = 1, 'exponential_delta', 'exponential_cumulative') AS kind,
    cityHash64(resource, scope, name, kind, point.attributes.key, labels) AS series,
    fromUnixTimestamp64Nano(toInt64(point.time_unix_nano), 'UTC') AS at,
    fromUnixTimestamp64Nano(toInt64(point.start_time_unix_nano), 'UTC') AS start,
    point.count AS count, point.sum AS sum, point.min AS low, point.max AS high,
    point.scale AS scale, point.zero_count AS zero_count, point.zero_threshold AS zero_threshold,
    point.positive.offset AS positive_offset, point.positive.bucket_counts AS positive,
    point.negative.offset AS negative_offset, point.negative.bucket_counts AS negative,
    unit,
    description,
    point.attributes.key AS label_names,
    labels AS label_values,
    resource,
    fromUnixTimestamp64Milli(intDiv(received_ns, 1000000), 'UTC') AS received
FROM
(
    SELECT received_ns, owner, host, resource, scope, name, unit, description, temporality, data AS points
    FROM
    (
        SELECT
            received_ns, scopes2, names2, units2, descriptions2, temporalitys2, datas2,
            CAST(mapFromArrays(resource_attributes.key, arrayMap(v -> botwatch_text(v), resource_attributes.value)), 'Map(LowCardinality(String), String)') AS carrier,
            CAST(toJSONString(carrier), 'LowCardinality(String)') AS resource,
            CAST(carrier['host.name'], 'LowCardinality(String)') AS host,
            CAST(multiIf(carrier['bot.name'] != '', carrier['bot.name'],
                carrier['gen_ai.agent.name'] != '', carrier['gen_ai.agent.name'],
                carrier['service.name'] != '', carrier['service.name'], 'unknown_service'), 'LowCardinality(String)') AS owner
        FROM inbox_points
        ARRAY JOIN
            resource_metrics.resource.attributes AS resource_attributes,
            resource_metrics.scope_metrics.scope.name AS scopes2,
            resource_metrics.scope_metrics.metrics.name AS names2,
            resource_metrics.scope_metrics.metrics.unit AS units2,
            resource_metrics.scope_metrics.metrics.description AS descriptions2,
            resource_metrics.scope_metrics.metrics.exponential_histogram.aggregation_temporality AS temporalitys2,
            resource_metrics.scope_metrics.metrics.exponential_histogram.data_points AS datas2
    )
    ARRAY JOIN
        scopes2 AS scope,
        names2 AS names1,
        units2 AS units1,
        descriptions2 AS descriptions1,
        temporalitys2 AS temporalitys1,
        datas2 AS datas1
    ARRAY JOIN names1 AS name, units1 AS unit, descriptions1 AS description, temporalitys1 AS temporality, datas1 AS data
)
ARRAY JOIN points AS point;

CREATE MATERIALIZED VIEW inbox_points_to_summaries {on_cluster} TO distributions AS
WITH
    arrayMap(v -> botwatch_text(v), point.attributes.value) AS labels,
    labels[indexOf(point.attributes.key, 'bot.name')] AS labelled
SELECT
    if(labelled != '', labelled, owner) AS bot,
    host,
    name AS metric,
    'summary' AS kind,
    cityHash64(resource, scope, name, kind, point.attributes.key, labels) AS series,
    fromUnixTimestamp64Nano(toInt64(point.time_unix_nano), 'UTC') AS at,
    fromUnixTimestamp64Nano(toInt64(point.start_time_unix_nano), 'UTC') AS start,
    point.count AS count, point.sum AS sum, point.quantile_values AS quantiles,
    unit,
    description,
    point.attributes.key AS label_names,
    labels AS label_values,
    resource,
    fromUnixTimestamp64Milli(intDiv(received_ns, 1000000), 'UTC') AS received
FROM
(
    SELECT received_ns, owner, host, resource, scope, name, unit, description, data AS points
    FROM
    (
        SELECT
            received_ns, scopes2, names2, units2, descriptions2, datas2,
            CAST(mapFromArrays(resource_attributes.key, arrayMap(v -> botwatch_text(v), resource_attributes.value)), 'Map(LowCardinality(String), String)') AS carrier,
            CAST(toJSONString(carrier), 'LowCardinality(String)') AS resource,
            CAST(carrier['host.name'], 'LowCardinality(String)') AS host,
            CAST(multiIf(carrier['bot.name'] != '', carrier['bot.name'],
                carrier['gen_ai.agent.name'] != '', carrier['gen_ai.agent.name'],
                carrier['service.name'] != '', carrier['service.name'], 'unknown_service'), 'LowCardinality(String)') AS owner
        FROM inbox_points
        ARRAY JOIN
            resource_metrics.resource.attributes AS resource_attributes,
            resource_metrics.scope_metrics.scope.name AS scopes2,
            resource_metrics.scope_metrics.metrics.name AS names2,
            resource_metrics.scope_metrics.metrics.unit AS units2,
            resource_metrics.scope_metrics.metrics.description AS descriptions2,
            resource_metrics.scope_metrics.metrics.summary.data_points AS datas2
    )
    ARRAY JOIN
        scopes2 AS scope,
        names2 AS names1,
        units2 AS units1,
        descriptions2 AS descriptions1,
        datas2 AS datas1
    ARRAY JOIN names1 AS name, units1 AS unit, descriptions1 AS description, datas1 AS data
)
ARRAY JOIN points AS point;

CREATE MATERIALIZED VIEW number_points_to_points {on_cluster} TO points AS
SELECT bot, host, metric, kind, series, at, start, value, received
FROM number_points;

CREATE MATERIALIZED VIEW number_points_to_series {on_cluster} TO series AS
SELECT
    bot, metric, series, kind, any(unit) AS unit, any(description) AS description,
    CAST(mapFromArrays(any(label_names), any(label_values)), 'Map(LowCardinality(String), String)') AS labels,
    any(resource) AS resource, toDateTime(max(at), 'UTC') AS last_seen
FROM number_points
GROUP BY bot, metric, series, kind;

CREATE MATERIALIZED VIEW distributions_to_series {on_cluster} TO series AS
SELECT
    bot, metric, series, kind, any(unit) AS unit, any(description) AS description,
    mapFromArrays(any(label_names), any(label_values)) AS labels,
    any(resource) AS resource, toDateTime(max(at), 'UTC') AS last_seen
FROM distributions
GROUP BY bot, metric, series, kind;

CREATE MATERIALIZED VIEW number_points_to_ticks {on_cluster} TO ticks AS
SELECT
    'point' AS kind, toStartOfInterval(at, INTERVAL 10 SECOND) AS tick, bot, host, metric AS name, number_points.kind AS detail, series,
    count() AS count, sum(value) AS total, min(value) AS low, max(value) AS high,
    min((toUnixTimestamp64Nano(at), value)) AS first, max((toUnixTimestamp64Nano(at), value)) AS last,
    deltaSumTimestampState(value, toUnixTimestamp64Nano(at)) AS rise
FROM number_points
WHERE NOT isNaN(value)
GROUP BY tick, bot, host, name, detail, series;

-- Of a distribution `x` the rollup keeps `x.count` and `x.sum`; its quantiles are read from the points.
CREATE MATERIALIZED VIEW distributions_to_ticks {on_cluster} TO ticks AS
SELECT
    'point' AS kind, toStartOfInterval(at, INTERVAL 10 SECOND) AS tick, bot, host, part.1 AS name, distributions.kind AS detail, series,
    count() AS count, sum(part.2) AS total, min(part.2) AS low, max(part.2) AS high,
    min((toUnixTimestamp64Nano(at), part.2)) AS first, max((toUnixTimestamp64Nano(at), part.2)) AS last,
    deltaSumTimestampState(part.2, toUnixTimestamp64Nano(at)) AS rise
FROM distributions
ARRAY JOIN [(concat(metric, '.count'), toFloat64(distributions.count)), (concat(metric, '.sum'), distributions.sum)] AS part
WHERE NOT isNaN(part.2)
GROUP BY tick, bot, host, name, detail, series;

-- What only grows is counted by its growth, and the first point of a series has none before it to grow from.
-- Where its sender says that the count began shortly before, it began there at 0.
CREATE MATERIALIZED VIEW number_points_to_births {on_cluster} TO ticks AS
SELECT
    'point' AS kind, toStartOfInterval(start, INTERVAL 10 SECOND) AS tick, bot, host, metric AS name, 'birth' AS detail, series,
    min((toUnixTimestamp64Nano(start), 0.)) AS first, max((toUnixTimestamp64Nano(start), 0.)) AS last
FROM number_points
WHERE number_points.kind = 'cumulative' AND value > 0 AND start < at AND at <= start + toIntervalSecond(120)
GROUP BY tick, bot, host, name, detail, series;

CREATE MATERIALIZED VIEW distributions_to_births {on_cluster} TO ticks AS
SELECT
    'point' AS kind, toStartOfInterval(start, INTERVAL 10 SECOND) AS tick, bot, host, concat(metric, part) AS name, 'birth' AS detail, series,
    min((toUnixTimestamp64Nano(start), 0.)) AS first, max((toUnixTimestamp64Nano(start), 0.)) AS last
FROM distributions
ARRAY JOIN ['.count', '.sum'] AS part
WHERE (endsWith(distributions.kind, '_cumulative') OR distributions.kind = 'summary')
    AND distributions.count > 0 AND start < at AND at <= start + toIntervalSecond(120)
GROUP BY tick, bot, host, name, detail, series;
