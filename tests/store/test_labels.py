"""A flood of label values: bounded, counted, old series unharmed."""

from __future__ import annotations

import time

import pytest

from botwatch.store import labels
from botwatch.store.client import Store

NOW_S = int(time.time()) // 10 * 10


def flood(store: Store, first: int, count: int, *, bot: str = "b") -> None:
    store.command(
        f"INSERT INTO spans (bot, host, start, action, duration_ns) SELECT '{bot}', 'h', toDateTime64({NOW_S}, 9), "
        f"concat('action-', toString(number)), 1000000 FROM numbers({first}, {count})"
    )


def test_the_log_names_the_label_and_whose_it_is(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    for label, owner in (("action", "b"), ("series", "b\0queue.size")):
        labels.hold(store, labels.Crowd(label, owner, 5_000), NOW_S)
    told = [(record.__dict__["label"], record.__dict__["of"], record.__dict__["values"]) for record in caplog.records]
    assert told == [("action", "b", 5_000), ("series", "b queue.size", 5_000)]


def test_what_a_bot_had_first_stays_and_the_rest_is_other(store: Store) -> None:
    flood(store, 0, 20)
    flood(store, 20, 100)
    flood(store, 0, 5, bot="calm")
    found = labels.crowds(store, 10)
    assert [(c.label, c.bot, c.values) for c in found] == [("action", "b", 120)]
    labels.hold(store, found[0], NOW_S, 10)
    assert labels.crowds(store, 10) == []
    distinct = "SELECT DISTINCT label, bot, name FROM names WHERE label = 'action'"
    before = store.read(f"SELECT count() FROM ({distinct})").first
    flood(store, 0, 1000)
    flood(store, 0, 5, bot="calm")
    assert store.read(f"SELECT count() FROM ({distinct} AND name != '(other)')").first == before
    rows = store.read("SELECT bot, name, sum(count) FROM ticks_1h WHERE kind = 'action' GROUP BY bot, name")
    counts = {(row[0], row[1]): row[2] for row in rows}
    assert (counts["b", "action-0"], counts["b", "(other)"]) == (2, 990)
    assert sum(count for (bot, _), count in counts.items() if bot == "calm") == 10
    assert sum(count for (bot, _), count in counts.items() if bot == "b") == 1120, "nothing is lost"


def test_new_bots_and_hosts_are_bounded_too(store: Store) -> None:
    for column in ("bot", "host"):
        store.command(
            f"INSERT INTO spans ({column}, start, action) "
            f"SELECT concat('x', toString(number)), toDateTime64({NOW_S}, 9), 'a' FROM numbers(50)"
        )
    found = {(c.label, c.bot) for c in labels.crowds(store, 20)}
    assert found == {("bot", ""), ("host", "")}


def test_the_series_of_a_metric_are_bounded(store: Store) -> None:
    owner = "SELECT 'b', 'm', number, 'gauge', toDateTime64({0}, 9), 1.5 FROM numbers({1})"
    insert = "INSERT INTO number_points (bot, metric, series, kind, at, value) " + owner
    store.command(insert.format(NOW_S, 100))
    crowd = labels.Crowd("series", "b\0m", 100)
    labels.hold(store, crowd, NOW_S, 10)
    store.command(insert.format(NOW_S + 10, 1000))
    counted = "SELECT uniqExact(series), sumIf(count, series = 0), sum(count) FROM ticks_10s WHERE kind = 'point'"
    assert store.read(counted).first == (100, 902, 1100), "one of the first hundred is itself number 0"


def test_hostile_names_do_no_harm(store: Store) -> None:
    store.command(
        "INSERT INTO spans (bot, start, action) "
        "SELECT 'it''s \\\\ b', toDateTime64({t:UInt32}, 9), concat('a\\'); DROP', toString(number)) FROM numbers(20)",
        {"t": NOW_S},
    )
    for crowd in labels.crowds(store, 10):
        labels.hold(store, crowd, NOW_S, 10)
    assert store.read("SELECT bot FROM crowded_labels").rows == [("it's \\ b",)]
