"""A flood of label values: bounded, counted, old series unharmed."""

from __future__ import annotations

import time

from botwatch.store import labels
from botwatch.store.client import Store

NOW_S = int(time.time()) // 10 * 10


def flood(store: Store, first: int, count: int, *, bot: str = "b") -> None:
    store.command(
        f"INSERT INTO spans (bot, host, start, action, duration_ns) SELECT '{bot}', 'h', toDateTime64({NOW_S}, 9), "
        f"concat('action-', toString(number)), 1000000 FROM numbers({first}, {count})"
    )


def test_what_a_bot_had_first_stays_and_the_rest_is_other(store: Store) -> None:
    flood(store, 0, 20)
    flood(store, 20, 100)
    flood(store, 0, 5, bot="calm")
    found = labels.crowds(store, 10)
    assert [(c.label, c.bot, c.values) for c in found] == [("action", "b", 120)]
    labels.hold(store, found[0], NOW_S, 10)
    assert labels.crowds(store, 10) == []
    before = store.read("SELECT count() FROM names WHERE label = 'action'").first
    flood(store, 0, 1000)
    flood(store, 0, 5, bot="calm")
    assert store.read("SELECT count() FROM (SELECT DISTINCT label, bot, name FROM names WHERE label = 'action' AND name != '(other)')").first == before
    rows = store.read("SELECT name, sum(count) FROM ticks_1h WHERE kind = 'action' AND bot = 'b' AND name IN ('action-0', '(other)') GROUP BY name")
    assert dict((r[0], r[1]) for r in rows) == {"action-0": 2, "(other)": 990}
    assert store.read("SELECT sum(count) FROM ticks_1h WHERE kind = 'action' AND bot = 'calm'").first == (10,)
    assert store.read("SELECT sum(count) FROM ticks_1h WHERE kind = 'action' AND bot = 'b'").first == (1120,), "nothing is lost"


def test_new_bots_and_hosts_are_bounded_too(store: Store) -> None:
    for column in ("bot", "host"):
        store.command(
            f"INSERT INTO spans ({column}, start, action) SELECT concat('x', toString(number)), toDateTime64({NOW_S}, 9), 'a' FROM numbers(50)"
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
    rows = store.read("SELECT uniqExact(series), sumIf(count, series = 0) FROM ticks_10s WHERE kind = 'point'").first
    assert rows is not None
    assert rows[0] <= 101
    assert rows[1] >= 990 - 90


def test_hostile_names_do_no_harm(store: Store) -> None:
    store.command("INSERT INTO spans (bot, start, action) SELECT 'it''s \\\\ b', toDateTime64({t:UInt32}, 9), concat('a\\'); DROP', toString(number)) FROM numbers(20)", {"t": NOW_S})
    for crowd in labels.crowds(store, 10):
        labels.hold(store, crowd, NOW_S, 10)
    assert store.read("SELECT bot FROM crowded_labels").rows == [("it's \\ b",)]
