"""What an incident touched: how much of what a bot did, in how many conversations, and two of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from botwatch import limits
from botwatch.incident.causes.behind import Behind
from botwatch.measure.sources import Binder
from botwatch.store.client import Store

_NO_TRACE: Final = "0" * 32


@dataclass(frozen=True, slots=True)
class Example:
    at_ns: int
    text: str
    session: str
    trace: str

    def row(self) -> dict[str, Any]:
        return {"at_ns": self.at_ns, "text": self.text, "session": self.session, "trace": self.trace}


@dataclass(frozen=True, slots=True)
class Touched:
    """Of times, the slowest are what it touched; else what went wrong."""

    noun: str
    count: int
    of: int
    sessions: int
    examples: tuple[Example, ...]

    def row(self) -> dict[str, Any]:
        return {
            "noun": self.noun,
            "count": self.count,
            "of": self.of,
            "sessions": self.sessions,
            "examples": [one.row() for one in self.examples],
        }


async def touched(store: Store, what: Behind, labels: Mapping[str, str], from_ns: int, to_ns: int) -> Touched:
    """May raise `StoreAway`."""
    bind = Binder()
    conditions = " AND ".join(what.conditions(labels, from_ns, to_ns, bind))
    table = f"{what.table} FINAL" if what.table in ("turns", "contract_outcomes") else what.table
    bad = "true" if what.of_times else what.bad
    example = (
        f"(toUnixTimestamp64Nano(toDateTime64({what.moment}, 9, 'UTC')), "
        f"toValidUTF8(substring(toString({what.named}), 1, {limits.EXAMPLE_CHARS_MAX})), "
        "toValidUTF8(session_id), lower(hex(trace_id)))"
    )
    by = what.ms if what.of_times else f"toFloat64(toUnixTimestamp({what.moment}))"
    sql = (
        f"SELECT countIf({bad}), count(), uniqExactIf(session_id, session_id != '' AND {bad}), "
        f"arrayMap(one -> one.2, arrayReverseSort(groupArrayIf({limits.EXAMPLES_SORTED_MAX})"
        f"(({by}, {example}), {bad}))) "
        f"FROM {table} WHERE {conditions}"
    )
    count, of, sessions, examples = (await store.fetch(sql, bind.values)).rows[0]
    found = tuple(
        Example(int(at_ns), text, session, "" if trace == _NO_TRACE else trace)
        for at_ns, text, session, trace in examples[: limits.INCIDENT_EXAMPLES_MAX]
    )
    return Touched(what.noun, int(count), int(of), int(sessions), found)
