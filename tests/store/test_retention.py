"""What is old goes, and what is oldest goes first when there is no room."""

from __future__ import annotations

import datetime as dt

from botwatch.clock import SECOND_NS
from botwatch.settings import Settings
from botwatch.store import retention
from botwatch.store.client import Store
from botwatch.store.retention import KEPT, Partition, expired, surplus

TODAY = dt.date(2026, 3, 20)
NOW_NS = int(dt.datetime(2026, 3, 20, 23, 30, tzinfo=dt.UTC).timestamp()) * SECOND_NS


def fill(store: Store, days_ago: int) -> None:
    at = f"toDateTime64('{TODAY - dt.timedelta(days=days_ago)} 12:00:00', 9, 'UTC')"
    store.command(f"INSERT INTO spans (bot, start, action) SELECT 'b', {at}, 'a' FROM numbers(1000)")


def test_every_table_with_telemetry_has_its_days(store: Store) -> None:
    rows = store.read(
        "SELECT name FROM system.tables WHERE database = {d:String} AND partition_key != ''", {"d": store.database}
    )
    assert {row[0] for row in rows} == set(KEPT)


def test_raw_data_goes_after_its_days_and_rollups_stay(store: Store) -> None:
    for days_ago in (0, 14, 15, 40):
        fill(store, days_ago)
    far_east = Settings(disk_percent_max=99, time_zone="Pacific/Auckland")  # where it is tomorrow
    dropped = retention.sweep(store, far_east, NOW_NS)
    assert {d.reason for d in dropped} == {"age"}
    rows = store.read("SELECT DISTINCT toDate(start) AS day FROM spans ORDER BY day")
    assert [TODAY - row[0] for row in rows] == [dt.timedelta(days=14), dt.timedelta(0)]
    assert store.read("SELECT sum(count) FROM ticks_1h").first == (4000,)


def test_a_day_is_kept_until_its_last_hour_is_old_enough() -> None:
    day = Partition("spans", "2026-03-06", dt.date(2026, 3, 7), 1)
    assert expired([day], Settings(), dt.date(2026, 3, 20)) == []
    assert expired([day], Settings(), dt.date(2026, 3, 21)) == [day]


def test_the_disk_ceiling_takes_the_oldest_first_and_holds(store: Store) -> None:
    for days_ago in range(5):
        fill(store, days_ago)
    size = sum(p.bytes for p in retention.partitions(store))
    settings = Settings(disk_bytes_max=size * 2 // 3, disk_percent_max=99)
    dropped = retention.sweep(store, settings, NOW_NS)
    assert {d.reason for d in dropped} == {"disk"}
    assert [d.partition.end for d in dropped] == sorted(d.partition.end for d in dropped)
    assert sum(p.bytes for p in retention.partitions(store)) <= settings.disk_bytes_max
    assert store.read("SELECT max(toDate(start)) FROM spans").first == (TODAY,)


def test_the_newest_of_each_table_is_never_dropped_to_make_room() -> None:
    found = [
        Partition("spans", "2026-03-19", dt.date(2026, 3, 20), 10),
        Partition("logs", "2026-03-19", dt.date(2026, 3, 20), 10),
    ]
    assert surplus(found, 10**9) == []
