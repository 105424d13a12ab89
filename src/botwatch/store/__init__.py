"""The telemetry store: one ClickHouse dialect, embedded or on a server."""
