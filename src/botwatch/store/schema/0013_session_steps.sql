-- What a session went through: its actions, its events and the outcomes of its turns, each with when it was last. This tells
-- whether a session was done by its bot's own definition, and where one stopped that was not.

CREATE TABLE session_steps {on_cluster}
(
    month Date,
    bot LowCardinality(String),
    session_id String,
    kind Enum8('action' = 1, 'event' = 2, 'turn' = 3),
    name LowCardinality(String),
    done SimpleAggregateFunction(sum, Int64),
    last SimpleAggregateFunction(max, Tuple(DateTime64(6, 'UTC'), DateTime64(6, 'UTC')))
)
ENGINE = {engine}AggregatingMergeTree
PARTITION BY month
ORDER BY (session_id, bot, kind, name)
SETTINGS non_replicated_deduplication_window = 10000;

CREATE MATERIALIZED VIEW spans_to_session_steps {on_cluster} TO session_steps AS
WITH toDateTime64(max(start), 6, 'UTC') AS seen
SELECT
    toStartOfMonth(start) AS month, bot, session_id, 'action' AS kind, action AS name,
    countIf(status != 'error') AS done, (seen, seen) AS last
FROM spans
WHERE session_id != '' AND action != ''
GROUP BY month, bot, session_id, name;

CREATE MATERIALIZED VIEW logs_to_session_steps {on_cluster} TO session_steps AS
WITH toDateTime64(max(at), 6, 'UTC') AS seen
SELECT
    toStartOfMonth(at) AS month, bot, session_id, 'event' AS kind, event AS name,
    count() AS done, (seen, seen) AS last
FROM logs
WHERE session_id != '' AND event NOT IN ('', 'bot.message', 'bot.payload')
GROUP BY month, bot, session_id, name;

-- A corrected outcome is settled later than what it corrects.
CREATE MATERIALIZED VIEW inbox_turns_to_session_steps {on_cluster} TO session_steps AS
SELECT
    toStartOfMonth(asked) AS month, bot, session_id, 'turn' AS kind, toString(outcome) AS name,
    count() AS done, max((asked, settled)) AS last
FROM inbox_turns
WHERE session_id != '' AND sign = 1
GROUP BY month, bot, session_id, name;
