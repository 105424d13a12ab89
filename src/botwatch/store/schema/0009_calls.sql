-- What changes in how bots call others: an announced limit, a circuit breaker. With the other events, so that they are
-- found without reading all logs. One outside of a session has none: it must not make one up.
CREATE MATERIALIZED VIEW logs_to_events_of_calls {on_cluster} TO events AS
SELECT
    bot, host, channel, session_id, user_id, at, event, '' AS message_id, attributes, body, trace_id, correlation_id, received
FROM logs
WHERE event IN ('bot.dependency.limit_changed', 'bot.breaker');
