"""The names on the wire, as `docs/conventions.md` of Botwatch fixes them."""

from __future__ import annotations

from typing import Final

BOT_NAME: Final = "bot.name"
BOT_MESSAGES: Final = "bot.messages"
SERVICE_NAME: Final = "service.name"
SERVICE_VERSION: Final = "service.version"
SERVICE_INSTANCE: Final = "service.instance.id"
HOST_NAME: Final = "host.name"

SESSION: Final = "session.id"
USER: Final = "user.id"
CHANNEL: Final = "bot.channel"
CORRELATION: Final = "correlation_id"

ACTION: Final = "bot.action"
ERROR_TYPE: Final = "error.type"

EXCEPTION: Final = "exception"
EXCEPTION_TYPE: Final = "exception.type"
EXCEPTION_MESSAGE: Final = "exception.message"
EXCEPTION_STACK: Final = "exception.stacktrace"

MESSAGE: Final = "bot.message"
MESSAGE_DIRECTION: Final = "bot.message.direction"
MESSAGE_AUTHOR: Final = "bot.message.author"
MESSAGE_ID: Final = "bot.message.id"
MESSAGE_REPLY_TO: Final = "bot.message.reply_to"

TURN_FAILED: Final = "bot.turn.failed"

HANDOFF: Final = "bot.handoff"
HANDOFF_REASON: Final = "bot.handoff.reason"
HANDOFF_TO: Final = "bot.handoff.to"

SESSION_END: Final = "bot.session.end"
SESSION_OUTCOME: Final = "bot.session.outcome"

FEEDBACK: Final = "bot.feedback"
FEEDBACK_SCORE: Final = "bot.feedback.score"
FEEDBACK_TEXT: Final = "bot.feedback.text"

EXPECTED: Final = "bot.expected"
EXPECTED_NAME: Final = "bot.expected.name"
EXPECTED_ID: Final = "bot.expected.id"
EXPECTED_STATE: Final = "bot.expected.state"
EXPECTED_WITHIN: Final = "bot.expected.within_s"

PAYLOAD: Final = "bot.payload"
PAYLOAD_SOURCE: Final = "bot.payload.source"
PAYLOAD_SAMPLE: Final = "bot.payload.sample"
PAYLOAD_PARTIAL: Final = "bot.payload.partial"

CPU: Final = "process.cpu.utilization"
MEMORY: Final = "process.memory.usage"
CONNECTIONS: Final = "process.open_connections"
UPTIME: Final = "process.uptime"
EVENTS: Final = "bot.events"
EVENT_KIND: Final = "bot.event.kind"
DROPPED: Final = "bot.sdk.dropped"
DROPPED_REASON: Final = "reason"
QUEUE_DEPTH: Final = "bot.queue.depth"
QUEUE_AGE: Final = "bot.queue.age"
QUEUE_NAME: Final = "bot.queue.name"
STATE_AGE: Final = "bot.state.age"
STATE_INVALID: Final = "bot.state.invalid"
STATE_NAME: Final = "bot.state.name"

PEER_SERVICE: Final = "peer.service"
SERVER_ADDRESS: Final = "server.address"
DEPENDENCY_NAME: Final = "bot.dependency.name"
DEPENDENCY_LIMIT: Final = "bot.dependency.limit"
DEPENDENCY_REMAINING: Final = "bot.dependency.remaining"
DEPENDENCY_RETRY_AFTER: Final = "bot.dependency.retry_after"
LIMIT_NAME: Final = "bot.dependency.limit.name"
LIMIT_CHANGED: Final = "bot.dependency.limit_changed"
LIMIT_BEFORE: Final = "bot.dependency.limit.before"
LIMIT_AFTER: Final = "bot.dependency.limit.after"

BREAKER: Final = "bot.breaker"
BREAKER_NAME: Final = "bot.breaker.name"
BREAKER_BEFORE: Final = "bot.breaker.before"
BREAKER_AFTER: Final = "bot.breaker.after"
BREAKER_STATE: Final = "bot.breaker.state"
BREAKER_REJECTED: Final = "bot.breaker.rejected"
BREAKER_OPENED: Final = "bot.breaker.opened"
BREAKER_HEALED: Final = "bot.breaker.healed"

SOCKET_NAME: Final = "bot.socket.name"
SOCKET_OPEN: Final = "bot.socket.open"
SOCKET_DROPS: Final = "bot.socket.drops"
SOCKET_RECONNECTS: Final = "bot.socket.reconnects"
