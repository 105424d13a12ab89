"""/api/queues: what brokers and bots last told, through the same reports a watch writes."""

from __future__ import annotations

from typing import Any

import pytest

from botwatch.api.routes_queues import QueuesAsked
from botwatch.clock import SECOND_NS, ManualClock
from botwatch.store.client import Store
from botwatch.watch.asking import Reason, Trouble
from botwatch.watch.queues.configured import watched
from botwatch.watch.queues.look import Look, Looks, Part
from botwatch.watch.queues.runner import Watch
from tests.api.telemetry.conftest import NOW_S, Asker
from tests.measure.facts import Facts, measures_of
from tests.watch.queues.parts import Told


class Script:
    """A broker that tells what a test gives it."""

    def __init__(self) -> None:
        self.next: Looks | Trouble = Looks([])

    async def look(self, now_s: float) -> Looks:
        del now_s
        if isinstance(self.next, Trouble):
            raise self.next
        return self.next

    async def close(self) -> None: ...


class Watcher:
    """A watch over the script, whose reports are put into the store as they would arrive."""

    def __init__(self, store: Store, name: str = "jobs", **table: Any) -> None:
        self.clock = ManualClock(NOW_S * SECOND_NS)
        self.told, self.script = Told(), Script()
        (found,) = watched({name: {"url": "redis://elsewhere", **table}}, this_host="here")
        self.watch = Watch(found, self.script, self.told, self.clock)
        self.facts = Facts(store, measures_of(store))

    async def sees(self, ago_s: int, *looks: Look, trouble: Trouble | None = None) -> None:
        self.clock.advance(NOW_S - ago_s - self.clock.now_ns() / SECOND_NS)
        self.script.next = trouble or Looks(looks)
        await self.watch.once()
        resource = dict(self.told.resources[-1])
        self.facts.points(
            *(
                {
                    "metric": reading.name,
                    "value": float(reading.value),
                    "at": NOW_S - ago_s,
                    "bot": resource.get("bot.name", ""),
                    "host": resource.get("host.name", ""),
                    "labels": {name: str(value) for name, value in reading.attributes.items()},
                }
                for reading in self.told.reports[-1]
            )
        )


async def test_nothing_is_told_where_nothing_is_watched(monitor: Asker) -> None:
    assert await monitor.get("/api/queues") == {"items": [], "next": None, "brokers": []}


async def test_a_queue_is_told_with_its_trend(store: Store, monitor: Asker) -> None:
    watcher = Watcher(store, bot="shop", host="box")
    await watcher.sees(20, Look("mail", 10, entered=100, consumers=0))
    await watcher.sees(10, Look("mail", 30, entered=130, consumers=0, age_s=12.5))
    page = await monitor.get("/api/queues")
    (item,) = page["items"]
    assert item == {
        "queue": "mail",
        "broker": "jobs",
        "system": "redis",
        "group": None,
        "bot": "shop",
        "host": "box",
        "seen": "2027-01-15T07:59:50Z",
        "current": True,
        "trend": "growing",
        "depth": 30,
        "pending": None,
        "age_seconds": 12.5,
        "age_exact": True,
        "consumers": 0,
        "unattended": 30,
        "in_per_second": 3,
        "out_per_second": 1,
        "rates_exact": True,
        "growth_per_second": 2,
        "time_to_drain_seconds": None,
        "growing_seconds": 10,
        "stalled_seconds": 0,
        "partitions": [],
    }
    (broker,) = page["brokers"]
    assert (broker["name"], broker["answers"], broker["reason"], broker["current"]) == ("jobs", True, None, True)


async def test_what_was_true_of_the_look_before_is_not_told_of_the_last(
    store: Store, monitor: Asker, clock: ManualClock
) -> None:
    watcher = Watcher(store)
    for ago_s, depth in ((40, 30), (30, 20), (20, 10)):
        await watcher.sees(ago_s, Look("mail", depth))
    (item,) = (await monitor.get("/api/queues"))["items"]
    assert (item["trend"], item["time_to_drain_seconds"]) == ("draining", 10)
    await watcher.sees(10, Look("mail", 90))
    clock.advance(3)  # one answer serves all who ask within two seconds
    (item,) = (await monitor.get("/api/queues", broker="jobs", limit=7))["items"]
    assert (item["trend"], item["time_to_drain_seconds"], item["rates_exact"]) == ("growing", None, False)


async def test_a_broker_that_does_not_answer_leaves_its_queues_unknown(store: Store, monitor: Asker) -> None:
    watcher = Watcher(store)
    await watcher.sees(20, Look("mail", 10))
    await watcher.sees(10, trouble=Trouble(Reason.TIMEOUT, "there was no answer"))
    page = await monitor.get("/api/queues")
    (item,), (broker,) = page["items"], page["brokers"]
    assert (item["depth"], item["current"], item["trend"]) == (10, False, "unknown")
    assert (broker["answers"], broker["reason"], broker["current"]) == (False, "timeout", True)


async def test_a_watch_that_ended_is_not_current(store: Store, monitor: Asker) -> None:
    await Watcher(store).sees(600, Look("mail", 10))
    page = await monitor.get("/api/queues")
    assert [page[what][0]["current"] for what in ("items", "brokers")] == [False, False]


async def test_a_queue_that_went_is_not_current(store: Store, monitor: Asker) -> None:
    watcher = Watcher(store)
    await watcher.sees(20, Look("mail", 10), Look("sms", 5))
    await watcher.sees(10, Look("mail", 10))
    found = {item["queue"]: item["current"] for item in (await monitor.get("/api/queues"))["items"]}
    assert found == {"mail": True, "sms": False}


async def test_groups_and_partitions_are_told_apart(store: Store, monitor: Asker) -> None:
    parts = (Part(2, 5, 7.0), Part(10, 1))
    looks = [Look("orders", 6, group="shop", parts=parts), Look("orders", 0, group="audit", pending=0)]
    await Watcher(store).sees(10, *looks)
    shop, audit = (await monitor.get("/api/queues"))["items"]
    assert [(item["group"], item["depth"], item["trend"]) for item in (shop, audit)] == [
        ("shop", 6, "unknown"),
        ("audit", 0, "empty"),
    ]
    assert shop["partitions"] == [
        {"partition": "2", "depth": 5, "age_seconds": 7.0},
        {"partition": "10", "depth": 1, "age_seconds": None},
    ]


async def test_what_a_bot_tells_of_its_own_queue_stands_beside(store: Store, monitor: Asker) -> None:
    await Watcher(store).sees(10, Look("mail", 10))
    labels = {"bot.queue.name": "inbox"}
    Facts(store, measures_of(store)).points(
        {"metric": "bot.queue.depth", "value": 40, "at": NOW_S - 30, "labels": labels},
        {"metric": "bot.queue.age", "value": 9, "at": NOW_S - 30, "labels": labels},
    )
    inbox, mail = (await monitor.get("/api/queues"))["items"]
    assert (inbox["queue"], inbox["broker"], inbox["bot"], inbox["depth"]) == ("inbox", None, "shop", 40)
    assert (inbox["age_seconds"], inbox["current"], inbox["trend"]) == (9, True, "unknown")
    assert mail["queue"] == "mail"
    assert [item["queue"] for item in (await monitor.get("/api/queues", bot="shop"))["items"]] == ["inbox"]


async def test_they_come_in_pages_and_by_broker(store: Store, monitor: Asker) -> None:
    await Watcher(store, "a").sees(10, *(Look(f"q{i}", i) for i in range(5)))
    await Watcher(store, "b").sees(10, Look("q", 9))
    pages = await monitor.pages("/api/queues", limit=2, broker="a")
    assert [[item["queue"] for item in page] for page in pages] == [["q4", "q3"], ["q2", "q1"], ["q0"]]
    assert [broker["name"] for broker in (await monitor.get("/api/queues", broker="b"))["brokers"]] == ["b"]


@pytest.mark.parametrize("asked", [{"limit": "0"}, {"cursor": "x"}, {"color": "red"}, {"broker": ""}])
async def test_a_bad_question_is_refused(monitor: Asker, asked: dict[str, str]) -> None:
    assert (await monitor.response("/api/queues", **asked)).status_code == 422


async def test_it_needs_someone_signed_in(asking: Any) -> None:
    assert (await asking.get("/api/queues")).status_code == 401
    assert QueuesAsked.model_config["extra"] == "forbid"


async def test_the_measures_speak_of_the_same(store: Store) -> None:
    watcher = Watcher(store)
    await watcher.sees(30, Look("mail", 10, entered=10, consumers=0), Look("sms", 700, consumers=2))
    await watcher.sees(20, Look("mail", 40, entered=70, consumers=0), Look("sms", 650, consumers=2))
    ask = {"start_s": NOW_S - 20, "end_s": NOW_S}
    facts = watcher.facts
    assert await facts.value("queue.depth", by=("queue",), **ask) == {("mail",): 40, ("sms",): 650}
    assert await facts.one("queue.depth", **ask) == 650
    assert await facts.value("queue.growth", by=("queue",), **ask) == {("mail",): 3, ("sms",): -5}
    assert await facts.one("queue.in_rate", **ask) == 6
    assert await facts.one("queue.unattended", **ask) == 40
    assert await facts.one("queue.consumers", **ask) == 0
    assert await facts.value("queue.time_to_drain", by=("broker", "queue"), **ask) == {("jobs", "sms"): 130}
    assert await facts.one("queue.watched", **ask) == 1
