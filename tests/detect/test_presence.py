"""Why nothing came: the bot, its host, or only the events."""

from __future__ import annotations

import numpy as np
import pytest

from botwatch.detect.finding import NEVER_S, Reason
from botwatch.detect.presence import why_quiet
from botwatch.detect.ticks import Ticks

SEEN: dict[tuple[str, ...], list[float | None]] = {
    ("shop", "a"): [1, 1, None, None],
    ("shop", "b"): [1, None, None, None],
    ("help", "b"): [1, 1, 1, 1],
    ("lone", "c"): [1, None, None, None],
    ("lone2", "d"): [1, None, None, None],
}
MACHINES: dict[tuple[str, ...], list[float | None]] = {("c",): [5, 5, 5, 5], ("a",): [5, None, None, None]}


def ticks(rows: dict[tuple[str, ...], list[float | None]], *labels: str) -> Ticks:
    values = np.array([[np.nan if value is None else value for value in row] for row in rows.values()])
    none = np.full(len(rows), NEVER_S)
    return Ticks(labels, tuple(rows), values, 0, True, none, np.zeros(values.shape[1], dtype=np.bool_))


@pytest.mark.parametrize(
    ("labels", "reason"),
    [
        ({"bot": "help"}, Reason.NO_EVENTS),
        ({"bot": "shop"}, Reason.SILENT_BOT),  # b is alive: help runs there
        ({"bot": "shop", "host": "a"}, Reason.SILENT_HOST),
        ({"bot": "shop", "host": "b"}, Reason.SILENT_BOT),
        ({"host": "a"}, Reason.SILENT_HOST),
        ({"host": "b"}, Reason.NO_EVENTS),
        ({"bot": "lone"}, Reason.SILENT_BOT),  # an agent tells of c
        ({"bot": "lone2"}, Reason.SILENT_HOST),
        ({"host": "c"}, Reason.NO_EVENTS),
        ({"host": "x"}, Reason.SILENT_HOST),
        ({"bot": "nobody"}, Reason.SILENT_BOT),
        ({}, Reason.NO_EVENTS),
        ({"queue": "q"}, Reason.NO_EVENTS),
    ],
)
def test_the_reason_names_who_is_silent(labels: dict[str, str], reason: Reason) -> None:
    presence, machines = ticks(SEEN, "bot", "host"), ticks(MACHINES, "host")
    assert why_quiet(labels, presence, machines, 2, counts=True) is reason


def test_where_nobody_is_seen_everything_is_silent() -> None:
    nobody = ticks({("shop", "a"): [1, None, None]}, "bot", "host")
    assert why_quiet({}, nobody, None, 2, counts=True) is Reason.SILENT


def test_a_reading_that_stopped_while_its_bot_lives_is_no_data() -> None:
    presence = ticks(SEEN, "bot", "host")
    assert why_quiet({"bot": "help"}, presence, None, 2, counts=False) is Reason.NO_DATA
