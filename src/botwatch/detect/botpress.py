"""Where rules stand in what Botpress reads: one rule, a list, `rules`, or a whole botpress.config.json.

Its own words: `pro.monitoring` collects, `pro.alerting` judges, and judges only what is collected.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from botwatch.detect.documents import Path
from botwatch.detect.durations import duration_s
from botwatch.detect.problems import found, unknown

MONITORING: Final = ("enabled", "collectionInterval", "retentionPeriod", "janitorInterval")
ALERTING: Final = ("enabled", "watcherInterval", "retentionPeriod", "janitorInterval", "rules")


def place_of_rules(value: Any) -> Path | None:
    """The path of the list of rules; empty for a document that is the list, None for one that is a single rule."""
    if not isinstance(value, Mapping):
        return ()
    if isinstance(value.get("pro"), Mapping):
        return ("pro", "alerting", "rules")
    if isinstance(value.get("alerting"), Mapping):
        return ("alerting", "rules")
    return ("rules",) if "rules" in value else None


def at(value: Any, path: Path) -> Any:
    """What stands there, None where nothing does."""
    for part in path:
        value = value.get(part) if isinstance(value, Mapping) else None
    return value


def switched_off(value: Any, path: Path) -> bool:
    """Whether the document says that its rules are not to be judged."""
    around = path[:-1]
    off = path != () and at(value, (*around, "enabled")) is False
    return off or (len(around) > 0 and at(value, (*around[:-1], "monitoring", "enabled")) is False)


def misfits(value: Any, path: Path) -> Iterator[tuple[Path, str]]:
    """What is wrong around the rules: keys and values of the blocks that are Botpress's."""
    around = path[:-1]
    if around:
        yield from _block(at(value, (*around[:-1], "monitoring")), (*around[:-1], "monitoring"), MONITORING)
    if path:
        yield from _block(at(value, around), around, ALERTING)


def _block(block: Any, path: Path, known: tuple[str, ...]) -> Iterator[tuple[Path, str]]:
    if block is None:
        return
    if not isinstance(block, Mapping):
        yield path, f"expected an object, found {found(block)}"
        return
    for key, value in block.items():
        if key not in known and key != "$schema":
            yield (*path, key), f"{unknown('key', key, known)}; expected {', '.join(known)}"
        elif key == "enabled" and not isinstance(value, bool):
            yield (*path, key), f"expected true or false, found {found(value)}"
        elif key.endswith(("Interval", "Period")):
            try:
                duration_s(value)
            except ValueError as error:
                yield (*path, key), str(error)
