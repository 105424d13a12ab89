-- Each process of a bot, by its resource, and from when to when it was heard of on a day: that is how deploys are known,
-- and bots that start again and again. Written for every insert, so as plainly as can be; what it says is read from it.
CREATE TABLE runs {on_cluster}
(
    day Date,
    bot String,
    host String,
    resource String,
    first_seen SimpleAggregateFunction(min, DateTime64(3, 'UTC')),
    last_seen SimpleAggregateFunction(max, DateTime64(3, 'UTC')),
    observer String ALIAS JSONExtractString(resource, 'botwatch.observer'),
    instance String ALIAS if(JSONExtractString(resource, 'service.instance.id') != '', JSONExtractString(resource, 'service.instance.id'), JSONExtractString(resource, 'process.pid')),
    version String ALIAS JSONExtractString(resource, 'service.version'),
    environment String ALIAS if(JSONExtractString(resource, 'deployment.environment.name') != '', JSONExtractString(resource, 'deployment.environment.name'), JSONExtractString(resource, 'deployment.environment')),
    revision String ALIAS JSONExtractString(resource, 'vcs.ref.head.revision')
)
ENGINE = {engine}AggregatingMergeTree
PARTITION BY toStartOfMonth(day)
ORDER BY (day, bot, host, resource)
SETTINGS non_replicated_deduplication_window = 10000;

CREATE MATERIALIZED VIEW spans_to_runs {on_cluster} TO runs AS
SELECT toDate(start) AS day, bot, host, resource, min(start) AS first_seen, max(start) AS last_seen
FROM spans
WHERE bot NOT IN ('', 'unknown_service')
GROUP BY day, bot, host, resource;

-- JSON lines come without a resource.
CREATE MATERIALIZED VIEW logs_to_runs {on_cluster} TO runs AS
SELECT toDate(at) AS day, bot, host, resource, min(at) AS first_seen, max(at) AS last_seen
FROM logs
WHERE bot NOT IN ('', 'unknown_service') AND resource != ''
GROUP BY day, bot, host, resource;

CREATE MATERIALIZED VIEW number_points_to_runs {on_cluster} TO runs AS
SELECT toDate(at) AS day, bot, host, resource, min(at) AS first_seen, max(at) AS last_seen
FROM number_points
WHERE bot NOT IN ('', 'unknown_service')
GROUP BY day, bot, host, resource;
