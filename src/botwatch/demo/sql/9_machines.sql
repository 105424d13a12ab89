-- What agents on the machines would have told.

INSERT INTO number_points (bot, host, metric, kind, series, at, start, value, unit, label_names, label_values, resource, received)
SETTINGS max_partitions_per_insert_block = 1000
SELECT
    '' AS bot, host, metric, 'gauge' AS kind,
    cityHash64(resource, 'botwatch.watch', metric, kind, label_names, label_values) AS series,
    fromUnixTimestamp64Nano(at_ns, 'UTC') AS at,
    fromUnixTimestamp64Nano(toInt64(0), 'UTC') AS start,
    value, unit, label_names, label_values,
    concat('{"host.name":"', host, '","botwatch.observer":"', host, '"}') AS resource,
    fromUnixTimestamp64Milli(intDiv(at_ns, 1000000) + 300, 'UTC') AS received
FROM demo_machines;
