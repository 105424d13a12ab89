-- Metric points. A point knows its series by a hash; what the series is stands once, in `series`.
-- In the rollup each series has its own rows: `total` and `count` for gauges and deltas, `first`,
-- `last` and `rise` for what only ever grows, so that a restart of the sender is not a fall.

CREATE TABLE inbox_points {on_cluster}
(
    received_ns UInt64,
    resource_metrics Array(Tuple(
        resource Tuple(attributes Array(Tuple(key String, value String))),
        scope_metrics Array(Tuple(
            scope Tuple(name String, version String),
            metrics Array(Tuple(
                name String, description String, unit String,
                gauge Tuple(data_points Array(Tuple(
                    attributes Array(String),
                    start_time_unix_nano UInt64, time_unix_nano UInt64,
                    value Enum8('no' = 0, 'as_double' = 4, 'as_int' = 6), as_double Float64, as_int Int64, flags UInt32))),
                sum Tuple(aggregation_temporality Int32, is_monotonic Bool, data_points Array(Tuple(
                    attributes Array(String),
                    start_time_unix_nano UInt64, time_unix_nano UInt64,
                    value Enum8('no' = 0, 'as_double' = 4, 'as_int' = 6), as_double Float64, as_int Int64, flags UInt32))),
                histogram Tuple(aggregation_temporality Int32, data_points Array(Tuple(
                    attributes Array(Tuple(key String, value String)),
                    start_time_unix_nano UInt64, time_unix_nano UInt64, count UInt64, sum Float64, bucket_counts Array(UInt64),
                    explicit_bounds Array(Float64), flags UInt32, min Float64, max Float64))),
                exponential_histogram Tuple(aggregation_temporality Int32, data_points Array(Tuple(
                    attributes Array(Tuple(key String, value String)),
                    start_time_unix_nano UInt64, time_unix_nano UInt64, count UInt64, sum Float64, scale Int32, zero_count UInt64,
                    positive Tuple(offset Int32, bucket_counts Array(UInt64)), negative Tuple(offset Int32, bucket_counts Array(UInt64)),
                    flags UInt32, min Float64, max Float64, zero_threshold Float64))),
                summary Tuple(data_points Array(Tuple(
                    attributes Array(Tuple(key String, value String)),
                    start_time_unix_nano UInt64, time_unix_nano UInt64, count UInt64, sum Float64,
                    quantile_values Array(Tuple(quantile Float64, value Float64)), flags UInt32)))
            ))
        ))
    ))
)
ENGINE = Null;

-- Between the decoding and the tables: one row a point, with what its series is still beside it: `labels` as they came, or
-- by names and values where rows are written by hand.
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
    labels Array(String),
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

-- What holds for all points of a metric is worked out once for each metric.
CREATE MATERIALIZED VIEW inbox_points_to_number_points {on_cluster} TO number_points AS
SELECT
    if(labelled != '', labelled, owner) AS bot,
    host,
    metric,
    kind,
    cityHash64(identity, labels) AS series,
    at,
    start,
    value,
    unit,
    description,
    labels,
    resource,
    received
FROM
(
    SELECT
        host, resource, owner, metric, unit, description, kind, identity, received,
        point.attributes AS labels,
        botwatch_text(botwatch_inside(substring(arrayFirst(label -> startsWith(label, '\x0a\x08bot.name'), labels), 11))) AS labelled,
        fromUnixTimestamp64Nano(toInt64(point.time_unix_nano), 'UTC') AS at,
        fromUnixTimestamp64Nano(toInt64(point.start_time_unix_nano), 'UTC') AS start,
        multiIf(point.value = 'as_double', point.as_double, point.value = 'as_int', toFloat64(point.as_int), nan) AS value
    FROM
    (
        SELECT
            host, resource,
            CAST(if(carrier_owner = 'unknown_service' AND match(name, '^(system|hw)[.]'), '', carrier_owner), 'LowCardinality(String)') AS owner,
            CAST(name, 'LowCardinality(String)') AS metric,
            CAST(unit_text, 'LowCardinality(String)') AS unit,
            CAST(description_text, 'LowCardinality(String)') AS description,
            CAST(multiIf(empty(sum), 'gauge', temporality = 1, 'delta', monotonic, 'cumulative', 'gauge'), 'LowCardinality(String)') AS kind,
            cityHash64(resource, scope, name, kind) AS identity,
            arrayConcat(gauge, sum) AS points,
            fromUnixTimestamp64Milli(intDiv(received_ns, 1000000), 'UTC') AS received
        FROM
        (
            SELECT
                received_ns, scopes2, names2, units2, descriptions2, gauges2, sums2, temporalitys2, monotonics2,
                CAST(toJSONString(carrier), 'LowCardinality(String)') AS resource,
                CAST(carrier['host.name'], 'LowCardinality(String)') AS host,
                CAST(botwatch_owner(carrier, carrier), 'LowCardinality(String)') AS carrier_owner
            FROM
            (
                SELECT
                    received_ns, scopes2, names2, units2, descriptions2, gauges2, sums2, temporalitys2, monotonics2,
                    CAST(mapFromArrays(resource_attributes.key, arrayMap(v -> botwatch_text(v), resource_attributes.value)), 'Map(LowCardinality(String), String)') AS carrier
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
        ARRAY JOIN names1 AS name, units1 AS unit_text, descriptions1 AS description_text, gauges1 AS gauge, sums1 AS sum, temporalitys1 AS temporality, monotonics1 AS monotonic
    )
    ARRAY JOIN points AS point
);

-- The three kinds of distributions as one, each with what it has: every view more costs each insert milliseconds.
CREATE MATERIALIZED VIEW inbox_points_to_distributions {on_cluster} TO distributions AS
SELECT
    if(labelled != '', labelled, owner) AS bot,
    host, metric, kind,
    cityHash64(identity, label_names, label_values) AS series,
    fromUnixTimestamp64Nano(toInt64(point.2), 'UTC') AS at,
    fromUnixTimestamp64Nano(toInt64(point.3), 'UTC') AS start,
    point.4 AS count, point.5 AS sum, point.6 AS low, point.7 AS high, point.8 AS bounds, point.9 AS buckets,
    point.10 AS scale, point.11 AS zero_count, point.12 AS zero_threshold,
    point.13 AS positive_offset, point.14 AS positive, point.15 AS negative_offset, point.16 AS negative,
    point.17 AS quantiles,
    unit, description, label_names, label_values, resource, received
FROM
(
    SELECT
        host, resource, owner, metric, unit, description, kind, identity, received, point,
        point.1.key AS label_names,
        arrayMap(v -> botwatch_text(v), point.1.value) AS label_values,
        label_values[indexOf(label_names, 'bot.name')] AS labelled
    FROM
    (
        SELECT
            host, resource, owner, received,
            CAST(name, 'LowCardinality(String)') AS metric,
            CAST(unit_text, 'LowCardinality(String)') AS unit,
            CAST(description_text, 'LowCardinality(String)') AS description,
            CAST(multiIf(notEmpty(summary), 'summary',
                concat(if(notEmpty(exponential), 'exponential', 'histogram'), if(temporality = 1, '_delta', '_cumulative'))), 'LowCardinality(String)') AS kind,
            cityHash64(resource, scope, name, kind) AS identity,
            arrayConcat(
                arrayMap(p -> (p.attributes, p.time_unix_nano, p.start_time_unix_nano, p.count, p.sum, p.min, p.max,
                    p.explicit_bounds, p.bucket_counts, 0, 0, 0., 0, [], 0, [], []), histogram),
                arrayMap(p -> (p.attributes, p.time_unix_nano, p.start_time_unix_nano, p.count, p.sum, p.min, p.max,
                    [], [], p.scale, p.zero_count, p.zero_threshold, p.positive.offset, p.positive.bucket_counts,
                    p.negative.offset, p.negative.bucket_counts, []), exponential),
                arrayMap(p -> (p.attributes, p.time_unix_nano, p.start_time_unix_nano, p.count, p.sum, 0., 0.,
                    [], [], 0, 0, 0., 0, [], 0, [], p.quantile_values), summary)) AS points
        FROM
        (
            SELECT
                fromUnixTimestamp64Milli(intDiv(received_ns, 1000000), 'UTC') AS received,
                scopes2, names2, units2, descriptions2, histograms2, exponentials2, summaries2, temporalitys2, fine_temporalitys2,
                CAST(toJSONString(carrier), 'LowCardinality(String)') AS resource,
                CAST(carrier['host.name'], 'LowCardinality(String)') AS host,
                CAST(botwatch_owner(carrier, carrier), 'LowCardinality(String)') AS owner
            FROM
            (
                SELECT
                    received_ns, scopes2, names2, units2, descriptions2, histograms2, exponentials2, summaries2, temporalitys2, fine_temporalitys2,
                    CAST(mapFromArrays(resource_attributes.key, arrayMap(v -> botwatch_text(v), resource_attributes.value)), 'Map(LowCardinality(String), String)') AS carrier
                FROM inbox_points
                ARRAY JOIN
                    resource_metrics.resource.attributes AS resource_attributes,
                    resource_metrics.scope_metrics.scope.name AS scopes2,
                    resource_metrics.scope_metrics.metrics.name AS names2,
                    resource_metrics.scope_metrics.metrics.unit AS units2,
                    resource_metrics.scope_metrics.metrics.description AS descriptions2,
                    resource_metrics.scope_metrics.metrics.histogram.data_points AS histograms2,
                    resource_metrics.scope_metrics.metrics.exponential_histogram.data_points AS exponentials2,
                    resource_metrics.scope_metrics.metrics.summary.data_points AS summaries2,
                    resource_metrics.scope_metrics.metrics.histogram.aggregation_temporality AS temporalitys2,
                    resource_metrics.scope_metrics.metrics.exponential_histogram.aggregation_temporality AS fine_temporalitys2
            )
        )
        ARRAY JOIN
            scopes2 AS scope,
            names2 AS names1,
            units2 AS units1,
            descriptions2 AS descriptions1,
            histograms2 AS histograms1,
            exponentials2 AS exponentials1,
            summaries2 AS summaries1,
            arrayMap((a, b) -> arrayMap((c, d) -> if(c != 0, c, d), a, b), temporalitys2, fine_temporalitys2) AS temporalitys1
        ARRAY JOIN
            names1 AS name, units1 AS unit_text, descriptions1 AS description_text,
            histograms1 AS histogram, exponentials1 AS exponential, summaries1 AS summary, temporalitys1 AS temporality
    )
    ARRAY JOIN points AS point
);

CREATE MATERIALIZED VIEW number_points_to_points {on_cluster} TO points AS
SELECT bot, host, metric, kind, series, at, start, value, received
FROM number_points;

-- What a series is hardly changes: it is written when it is new, and once in five minutes. Only then are its labels read. Each
-- is the bytes of a KeyValue, the name in field 1 and the value in field 2, either missing where it is empty: `heads` is how
-- many bytes stand before the name, the last of them its length. A step of this is a query of its own, or is analysed anew.
CREATE MATERIALIZED VIEW number_points_to_series {on_cluster} TO series AS
SELECT
    bot, metric, series, kind, unit, description,
    CAST(mapFromArrays(
        arrayConcat(label_names, arrayMap((label, head, size) -> substring(label, head + 1, size), told, heads, sizes)),
        arrayConcat(label_values, arrayMap(value -> botwatch_text(value), arrayMap(value -> botwatch_inside(value),
            arrayMap((label, head, size) -> substring(label, head + size + 1), told, heads, sizes))))),
        'Map(LowCardinality(String), String)') AS labels,
    resource, toDateTime(at, 'UTC') AS last_seen
FROM
(
    SELECT *, arrayMap((label, head) -> botwatch_whole(substring(label, 1, head)), told, heads) AS sizes
    FROM
    (
        SELECT
            bot, metric, series, kind, unit, description, labels AS told, label_names, label_values, resource, at,
            arrayMap(label -> if(startsWith(label, '\x0a'), 2 + (ascii(substring(label, 2, 1)) > 127) * (
                1 + (ascii(substring(label, 3, 1)) > 127) * (1 + (ascii(substring(label, 4, 1)) > 127))), 0), labels) AS heads
        FROM number_points
        WHERE (series, toStartOfFiveMinutes(at)) NOT IN (
            SELECT series, toStartOfFiveMinutes(last_seen) FROM series WHERE last_seen > now() - INTERVAL 10 MINUTE)
        LIMIT 1 BY series, metric, bot
    )
);

CREATE MATERIALIZED VIEW distributions_to_series {on_cluster} TO series AS
SELECT
    bot, metric, series, kind, unit, description, mapFromArrays(label_names, label_values) AS labels,
    resource, toDateTime(at, 'UTC') AS last_seen
FROM distributions
WHERE (series, toStartOfFiveMinutes(at)) NOT IN (
    SELECT series, toStartOfFiveMinutes(last_seen) FROM series WHERE last_seen > now() - INTERVAL 10 MINUTE)
LIMIT 1 BY series, metric, bot;

CREATE MATERIALIZED VIEW number_points_to_ticks {on_cluster} TO ticks AS
SELECT
    'point' AS kind, toStartOfInterval(at, INTERVAL 10 SECOND) AS tick, bot, host, metric AS name, number_points.kind AS detail, series,
    count() AS count, sum(value) AS total, min(value) AS low, max(value) AS high,
    (toUnixTimestamp64Nano(min(at)), argMin(value, at)) AS first, (toUnixTimestamp64Nano(max(at)), argMax(value, at)) AS last,
    deltaSumTimestampState(value, toUnixTimestamp64Nano(at)) AS rise
FROM number_points
WHERE NOT isNaN(value)
GROUP BY tick, bot, host, name, detail, series;

-- Of a distribution `x` the rollup keeps `x.count` and `x.sum`; its quantiles are read from the points.
CREATE MATERIALIZED VIEW distributions_to_ticks {on_cluster} TO ticks AS
SELECT
    'point' AS kind, toStartOfInterval(at, INTERVAL 10 SECOND) AS tick, bot, host, part.1 AS name, distributions.kind AS detail, series,
    count() AS count, sum(part.2) AS total, min(part.2) AS low, max(part.2) AS high,
    (toUnixTimestamp64Nano(min(at)), argMin(part.2, at)) AS first, (toUnixTimestamp64Nano(max(at)), argMax(part.2, at)) AS last,
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
