"""Log records whole."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from botwatch.api.exports.cells import Cell
from botwatch.api.exports.pieces import Piece, cut
from botwatch.api.exports.whole import Whole
from botwatch.api.masking import IDENTITIES, Eyes
from botwatch.api.reads import logs
from botwatch.api.reads.values import attributes_reader, sql_inside
from botwatch.api.shapes_telemetry import LogItem
from botwatch.reports.tables import Kind, columns_of
from botwatch.store.client import Store

_NO_TRACE: Final = "toFixedString('', 16)"
_NO_SPAN: Final = "toFixedString('', 8)"
# The engine wrote the resource as JSON with every slash escaped.
_RESOURCE: Final = (
    r"if(resource = '', '{}', replaceAll(replaceAll(replaceAll(resource, '\\\\', '\x01'), '\\/', '/'), '\x01', '\\\\'))"
)
_CELLS: Final = (
    Cell("at", "intDiv(toUnixTimestamp64Nano(at), 1000)", Kind.TIME),
    Cell("level", "level"),
    Cell("severity", "severity", Kind.WHOLE),
    Cell("event", "event"),
    Cell("text", "body"),
    Cell("bot", "bot"),
    Cell("host", "host"),
    Cell("instance", "instance"),
    Cell("channel", "channel"),
    Cell("scope", "scope"),
    Cell("session_id", "session_id", blank=True),
    Cell("user", "user_id", blank=True),
    Cell("trace_id", f"if(trace_id = {_NO_TRACE}, '', lower(hex(trace_id)))", blank=True, plain=True),
    Cell("span_id", f"if(span_id = {_NO_SPAN}, '', lower(hex(span_id)))", blank=True, plain=True),
    Cell("correlation_id", "correlation_id", blank=True),
    Cell("attributes", "toJSONString(attributes)", json=True),
    Cell("resource", _RESOURCE, json=True),
)
_KEYS: Final = "mapKeys(attributes)"
_NESTED: Final = (
    r"startsWith(body, '\0')",
    r"arrayExists(v -> startsWith(v, '\0'), mapValues(attributes))",
    r"position(resource, '\\u0000') > 0",
)
_UNLIKE: Final = (
    f"length({_KEYS}) != arrayUniq({_KEYS})",
    *(f"NOT isValidUTF8({text})" for text in ("body", "event", "c15", "session_id", "user_id", "correlation_id")),
)


async def whole(store: Store, wanted: logs.Filter, eyes: Eyes) -> tuple[Whole, int]:
    """And how many rows there are."""
    where, params = logs.conditions(wanted, eyes)
    pieces = await cut(store, "logs", "at", where, params, wanted.window)
    read = attributes_reader()

    def item(row: Sequence[Any]) -> LogItem:
        return logs.item(row, eyes, read(row[17]))

    def of(piece: Piece) -> dict[str, Any]:
        return {**params, "lower": piece.window.from_ns, "upper": piece.window.to_ns}

    found = Whole(
        columns=columns_of(LogItem),
        raw=logs.COLUMNS,
        item=item,
        source=f"FROM logs WHERE {' AND '.join([*where, sql_inside('at')])}",
        order="r0 DESC, r1 DESC",
        pieces=tuple(map(of, pieces)),
        cells=_CELLS,
        odd=_odd(eyes),
    )
    return found, sum(piece.rows for piece in pieces)


def _odd(eyes: Eyes) -> str:
    """A record in which something is nested, is not Unicode, or is to be masked."""
    odd = [*_NESTED, *_UNLIKE]
    if not eyes.users:
        names = ", ".join(f"'{name}'" for name in sorted(IDENTITIES))
        quoted = ", ".join(f"""'"{name}"'""" for name in sorted(IDENTITIES))
        odd += ["user_id != ''", f"hasAny({_KEYS}, [{names}])", f"multiSearchAny(resource, [{quoted}])"]
    return " OR ".join(odd)
