"""Tells Botwatch what a bot does.

    import botwatch_sdk as bot

    bot.init("helpdesk")

    with bot.turn("where is my parcel?", session=chat_id) as turn:
        turn.reply(answer)

A thin layer over the stock OpenTelemetry SDK. Nothing in here raises into the bot or makes it wait; what could
not be sent is counted and told. See the README for all of it.
"""

from __future__ import annotations

from botwatch_sdk._action import Action, action
from botwatch_sdk._breaker import Breaker, BreakerOpen, breaker
from botwatch_sdk._carry import Correlation, Current, correlation, current, extract, inject
from botwatch_sdk._checked import checked
from botwatch_sdk._conversation import Session, Turn, end_session, feedback, handoff, message, session, turn
from botwatch_sdk._health import Health, health
from botwatch_sdk._instrument import instrument
from botwatch_sdk._logs import LogFilter, LogHandler, StructlogProcessor
from botwatch_sdk._payload import payload
from botwatch_sdk._runtime import flush, init, shutdown
from botwatch_sdk._signals import Expectation, expect, met, queue, state
from botwatch_sdk._sockets import Socket, socket
from botwatch_sdk._version import __version__

__all__ = [
    "Action",
    "Breaker",
    "BreakerOpen",
    "Correlation",
    "Current",
    "Expectation",
    "Health",
    "LogFilter",
    "LogHandler",
    "Session",
    "Socket",
    "StructlogProcessor",
    "Turn",
    "__version__",
    "action",
    "breaker",
    "checked",
    "correlation",
    "current",
    "end_session",
    "expect",
    "extract",
    "feedback",
    "flush",
    "handoff",
    "health",
    "init",
    "inject",
    "instrument",
    "message",
    "met",
    "payload",
    "queue",
    "session",
    "shutdown",
    "socket",
    "state",
    "turn",
]
