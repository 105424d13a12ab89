"""Every bound of the SDK, with its unit last in its name. What is beyond a bound is dropped and counted."""

from __future__ import annotations

KIB = 1024
MIB = 1024 * KIB

# --- what waits to be sent
QUEUE_ITEMS_MAX = 8_192
QUEUE_BYTES_MAX = 32 * MIB
ITEM_BYTES_BASE = 1 * KIB  # what a record weighs without its text
BATCH_ITEMS_MAX = 512
BATCH_BYTES_MAX = 4 * MIB
SEND_EVERY_S = 1.0
SEND_TIMEOUT_S = 10.0
AWAY_PAUSE_S_MAX = 30.0
ANSWER_BYTES_MAX = 64 * KIB

# --- time the bot may lose to us when it asks for it
FLUSH_S = 5.0
EXIT_FLUSH_S = 2.0
FORK_WAIT_S_MAX = 0.5

HEARTBEAT_S = 10.0
HEARTBEAT_S_MIN = 0.1
CPU_OVER_S_MIN = 0.05  # a share of less time says nothing
CONNECTIONS_COST_SHARE_MAX = 0.01  # of the heartbeat's time; counting sockets is slow where there are many

# --- text
TEXT_CHARS_MAX = 32_000
STACK_CHARS_MAX = 16_000
ID_CHARS_MAX = 256
REASON_CHARS_MAX = 1_000
ATTRIBUTE_CHARS_MAX = 256 * KIB
PAYLOAD_BYTES_MAX = 1 * MIB
LOG_FIELDS_MAX = 100
FIELD_NODES_MAX = 1_000
FIELD_DEPTH_MAX = 8
NESTED_CHARS_MAX = 4_000
HEADERS_MAX = 256

READING_NAMES_MAX = 256
WARNINGS_MAX = 256  # different things the SDK complains about in one process

# --- what the bot calls
LIMIT_VALUES_MAX = 16  # different values of one announced limit that are remembered
LIMIT_SEEN_S = 600.0  # a value seen within it is no change: providers have one limit for each model or path
BREAKER_FAILURES = 5
BREAKER_REST_S = 30.0
HEALTH_TIMEOUT_S = 2.0
HEALTH_FRESH_S = 1.0
