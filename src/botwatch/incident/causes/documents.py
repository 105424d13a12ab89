"""Whether documents changed with one version of a bot only, where two ran side by side."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from botwatch.detect.rows_drift import DriftRow
from botwatch.incident.causes.change import Change, Kind
from botwatch.incident.causes.compare import Comparison, Tally


def compared(rows: Sequence[DriftRow], changes: Iterable[Change]) -> dict[Change, Comparison]:
    """For each deploy of which enough documents are known, of the changed place that tells most."""
    found: dict[Change, Comparison] = {}
    for deploy in changes:
        if deploy.kind is Kind.DEPLOY and deploy.said("before"):
            of_each = [one for row in rows if (one := _compared(row, deploy)) is not None and one.known]
            if of_each:
                found[deploy] = max(of_each, key=lambda one: (one.worse, min(one.now.count, one.old.count)))
    return found


def _compared(row: DriftRow, deploy: Change) -> Comparison | None:
    if deploy.bot not in row.evidence.get("bots", ()):
        return None
    version, before = deploy.said("version"), deploy.said("before")
    now, old = (_tally(row.evidence.get("versions", {}).get(name, (0, 0))) for name in (version, before))
    return Comparison(version, before, now, old, of_times=False, noun="documents", verb="show the change")


def _tally(counts: Sequence[int]) -> Tally:
    showing, of = counts
    return Tally(int(of), int(showing))
