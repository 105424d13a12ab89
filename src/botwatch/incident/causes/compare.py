"""Whether what is wrong with a bot is wrong with one version of it only, where two ran side by side."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import inf, isfinite, sqrt
from typing import Final

from botwatch.incident.causes.behind import Behind
from botwatch.incident.causes.change import Change
from botwatch.measure.sources import Binder
from botwatch.store.client import Store

_ENOUGH: Final = 20  # of each version
_FAR: Final = 3.3  # standard errors: one in a thousand by chance


@dataclass(frozen=True, slots=True)
class Tally:
    """What was counted of one version: how many, how many of them badly, and their times in milliseconds."""

    count: int = 0
    bad: int = 0
    mean_ms: float = 0.0
    spread_ms: float = 0.0


@dataclass(frozen=True, slots=True)
class Comparison:
    """`of_times`: what is wrong is how long it takes, and not how often it fails."""

    version: str
    before: str
    now: Tally
    old: Tally
    of_times: bool
    noun: str
    verb: str = "fail"

    @property
    def known(self) -> bool:
        return min(self.now.count, self.old.count) >= _ENOUGH

    @property
    def worse(self) -> bool:
        return self.known and (self._slower if self.of_times else self._fails_more) >= _FAR

    @property
    def _fails_more(self) -> float:
        now, old = self.now, self.old
        both = (now.bad + old.bad) / (now.count + old.count)
        error = sqrt(both * (1 - both) * (1 / now.count + 1 / old.count))
        return (now.bad / now.count - old.bad / old.count) / error if error else 0.0

    @property
    def _slower(self) -> float:
        now, old = self.now, self.old
        error = sqrt(now.spread_ms**2 / now.count + old.spread_ms**2 / old.count)
        gap = now.mean_ms - old.mean_ms
        return gap / error if error else inf * gap if gap else 0.0

    @property
    def sentence(self) -> str:
        if self.of_times:
            now, old = f"take {self.now.mean_ms:,.0f} ms", f"{self.old.mean_ms:,.0f} ms"
        else:
            now, old = f"{self.verb} in {_percent(self.now)}", _percent(self.old)
        counts = f"of {self.now.count:,} and {self.old.count:,}"
        return f"its {self.noun} {now} with {self.version}, and {old} with {self.before} beside it ({counts})"


def _percent(of: Tally) -> str:
    return f"{100 * of.bad / of.count:.3g} %"


async def compared(
    store: Store, what: Behind, labels: Mapping[str, str], deploy: Change, until_ns: int
) -> Comparison | None:
    """Since the new version was first seen; None where there is nothing to compare. May raise `StoreAway`."""
    version, before = deploy.said("version"), deploy.said("before")
    if not before or what.table not in ("spans", "logs", "turns"):
        return None
    bind = Binder()
    conditions = " AND ".join(what.conditions({**labels, "bot": deploy.bot}, deploy.at_ns, until_ns, bind))
    if what.table == "turns":
        own = replace(what, moment="at", condition="event = 'bot.message' AND session_id != ''", labels=())
        logs = " AND ".join(own.conditions({"bot": deploy.bot}, deploy.at_ns, until_ns, bind))
        of_version = _by_session(what, conditions, logs)
    else:
        of_version = _by_resource(what, conditions)
    sql = (
        "SELECT version, sum(n), sum(bad), sum(total) / sum(timed) AS mean, "
        "sqrt(greatest(0, sum(squares) / sum(timed) - mean * mean)) "
        f"FROM ({of_version}) WHERE version IN {bind([version, before], 'Array(String)')} GROUP BY version"
    )
    rows = await store.fetch(sql, bind.values)
    told = {row[0]: Tally(int(row[1]), int(row[2]), _finite(row[3]), _finite(row[4])) for row in rows}
    return Comparison(version, before, told.get(version, Tally()), told.get(before, Tally()), what.of_times, what.noun)


_VERSION: Final = "JSONExtractString(toString(resource), 'service.version')"


def _by_resource(what: Behind, conditions: str) -> str:
    return (
        f"SELECT {_VERSION} AS version, count() AS n, n AS timed, countIf({what.bad}) AS bad, "
        f"sum({what.ms}) AS total, sum(pow({what.ms}, 2)) AS squares "
        f"FROM {what.table} WHERE {conditions} GROUP BY resource"
    )


def _by_session(what: Behind, conditions: str, logs: str) -> str:
    """A turn knows its session, and what was said in that knows its version."""
    return (
        "SELECT version, count() AS n, countIf(isNotNull(answered)) AS timed, "
        f"countIf({what.bad}) AS bad, sumIf(ms, isNotNull(answered)) AS total, "
        "sumIf(pow(ms, 2), isNotNull(answered)) AS squares "
        f"FROM (SELECT session_id, outcome, answered, {what.ms} AS ms FROM turns FINAL WHERE {conditions}) AS one "
        f"INNER JOIN (SELECT session_id, any({_VERSION}) AS version FROM logs WHERE {logs} "
        "GROUP BY session_id) AS said USING (session_id) GROUP BY version"
    )


def _finite(value: float | None) -> float:
    return float(value) if value is not None and isfinite(value) else 0.0
