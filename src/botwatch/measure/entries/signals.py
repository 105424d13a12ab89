"""What bots say of themselves: logs, events, payloads, and that they are there at all."""

from __future__ import annotations

from typing import Final

from botwatch.measure.entries.expressions import share
from botwatch.measure.model import Counted, Direction, Empty, Fold, Measure, Preferred, Unit
from botwatch.measure.sources import LOGS, PAYLOADS, SEEN
from botwatch.measure.sources_points import Counters, Gauges

_EVENTS: Final = Counters(("bot.events",), inner=(("event_kind", ("bot.event.kind",)),))
_SOURCE: Final = (("source", ("bot.payload.source",)),)
_PLACE: Final = (*_SOURCE, ("path", ("bot.payload.path",)))
_MISFIT: Final = (*_PLACE, ("reason", ("bot.payload.misfit",)))
_DROPPED: Final = Counters(("bot.sdk.dropped",), (("reason", ("reason",)),))


def _event(name: str, alias: str, kind: str, what: str, otherwise: str, direction: Direction) -> tuple[Measure, ...]:
    """What a bot counts itself, or where it does not, what was counted of it."""
    aliases = (alias,) if alias else ()
    return (
        Measure(
            name,
            Unit.COUNT,
            what,
            Preferred((f"{name}.told", otherwise), ("bot",), Fold.SUM),
            empty=Empty.SEEN,
            aliases=aliases,
            direction=direction,
        ),
        Measure(
            f"{name}.told",
            Unit.COUNT,
            f"{what}, as the bot counts them",
            Counted(_EVENTS, "sum[risen]", f"event_kind = '{kind}'"),
            public=False,
        ),
    )


def _document(
    name: str,
    metric: str,
    what: str,
    bad: Direction,
    labels: tuple[tuple[str, tuple[str, ...]], ...] = _SOURCE,
    *,
    public: bool = True,
) -> Measure:
    how = Counted(Counters((metric,), labels), "sum[risen]")
    return Measure(name, Unit.COUNT, what, how, direction=bad, public=public)


MEASURES: Final = (
    Measure(
        "bot.seen",
        Unit.COUNT,
        "1 where anything came from the bot, 0 where nothing did",
        Counted(SEEN, "least(count[count], 1)"),
        empty=Empty.ZERO,
        direction=Direction.LOW,
    ),
    *_event("events.in", "eventsIn.count", "in", "incoming events: messages from users", "messages.in", Direction.LOW),
    *_event(
        "events.out", "eventsOut.count", "out", "outgoing events: messages to users", "messages.out", Direction.LOW
    ),
    *_event("warnings.count", "", "warning", "warnings", "logs.warnings", Direction.HIGH),
    *_event("errors.count", "", "error", "errors", "logs.errors", Direction.HIGH),
    Measure("logs.count", Unit.COUNT, "log records", Counted(LOGS, "sum[count]"), empty=Empty.SEEN),
    Measure(
        "logs.warnings",
        Unit.COUNT,
        "log records of level warn",
        Counted(LOGS, "sum[count]", "detail = 'warn'"),
        empty=Empty.SEEN,
        direction=Direction.HIGH,
    ),
    Measure(
        "logs.errors",
        Unit.COUNT,
        "log records of level error or fatal",
        Counted(LOGS, "sum[errors]"),
        empty=Empty.SEEN,
        direction=Direction.HIGH,
    ),
    Measure("payloads.count", Unit.COUNT, "incoming documents", Counted(PAYLOADS, "sum[count]"), empty=Empty.SEEN),
    Measure(
        "payloads.invalid",
        Unit.COUNT,
        "incoming documents that are not JSON",
        Counted(PAYLOADS, "sum[errors]"),
        empty=Empty.SEEN,
        direction=Direction.HIGH,
    ),
    _document(
        "payload.checked",
        "bot.payload.checked",
        "documents that were held against what is expected of them, by a bot or by the server",
        Direction.NEITHER,
    ),
    _document(
        "payload.schema_failures",
        "bot.payload.schema_failures",
        "documents that did not fit what is expected of them",
        Direction.HIGH,
        _MISFIT,
    ),
    Measure(
        "payload.invalid_json",
        Unit.COUNT,
        "documents that are not JSON: as the bot counts them, else as they came in",
        Preferred(("payload.invalid_json.told", "payload.invalid_json.seen"), ("bot", "source"), Fold.SUM),
        empty=Empty.SEEN,
        direction=Direction.HIGH,
    ),
    _document(
        "payload.invalid_json.told",
        "bot.payload.invalid_json",
        "documents that bots could not read as JSON",
        Direction.HIGH,
        public=False,
    ),
    Measure(
        "payload.invalid_json.seen",
        Unit.COUNT,
        "incoming documents that are not JSON",
        Counted(PAYLOADS, "sum[errors]"),
        direction=Direction.HIGH,
        public=False,
    ),
    _document(
        "payload.critical_checked",
        "bot.payload.critical_checked",
        "documents that were looked at for a critical place: all of them",
        Direction.NEITHER,
        _PLACE,
    ),
    _document(
        "payload.critical_failures",
        "bot.payload.critical_failures",
        "documents in which a critical place is missing, null or empty",
        Direction.HIGH,
        _MISFIT,
    ),
    _document(
        "payload.partly",
        "bot.payload.partly",
        "documents with more places than are looked at in one",
        Direction.NEITHER,
    ),
    Measure(
        "payload.drift",
        Unit.COUNT,
        "places of a source's documents that are not what they were",
        Counted(Gauges(("bot.payload.drift",), _SOURCE), "max[high]"),
        direction=Direction.HIGH,
    ),
    Measure(
        "payloads.invalid_rate",
        Unit.PERCENT,
        "incoming documents that are not JSON, of all",
        Counted(PAYLOADS, share("sum[errors]")),
        direction=Direction.HIGH,
    ),
    Measure(
        "sdk.dropped",
        Unit.COUNT,
        "items a bot's SDK could not send",
        Counted(_DROPPED, "sum[risen]"),
        direction=Direction.HIGH,
    ),
)
