"""The values of a report's panels as one table: a row for each value, with its panel, its time and its labels."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from botwatch.reports.answer import Answer
from botwatch.reports.tables import Column, CsvWriter, Kind

_BEFORE: Final = ("panel", "from", "to", "measure")
_AFTER: Final = ("value", "unit")
_ROWS_AT_ONCE: Final = 5_000


def csv(answers: Sequence[Answer]) -> bytes:
    labels = sorted({label for answer in answers for series in answer.series for label in series.labels})
    named = {label: f"label.{label}" if label in (*_BEFORE, *_AFTER) else label for label in labels}
    columns = [*_BEFORE, *named.values(), *_AFTER]
    writer = CsvWriter([Column(name, Kind.NUMBER if name == "value" else Kind.TEXT, (name,)) for name in columns])
    out, rows = bytearray(), list[dict[str, Any]]()
    for row in _rows(answers, named):
        rows.append(row)
        if len(rows) == _ROWS_AT_ONCE:
            out += writer.rows(rows)
            rows.clear()
    return bytes(out + writer.rows(rows) + writer.end())


def _rows(answers: Sequence[Answer], named: dict[str, str]) -> Iterator[dict[str, Any]]:
    for answer in answers:
        for series in answer.series:
            labels = {named[label]: value for label, value in series.labels.items()}
            known = {"panel": answer.panel.name, "measure": series.measure, "unit": answer.unit, **labels}
            for at_s, value in series.points:
                start_s = at_s if series.step_s else answer.window.start_s
                end_s = at_s + series.step_s if series.step_s else answer.window.end_s
                yield {**known, "from": _time(start_s), "to": _time(end_s), "value": value}


def _time(at_s: int) -> str:
    return datetime.fromtimestamp(at_s, UTC).isoformat().replace("+00:00", "Z")
