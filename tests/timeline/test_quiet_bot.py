"""A bot that stops answering while everything around it is well: its process, its health endpoint, its queue's broker.

The broker is a real Redis, the endpoint a real socket, and both are asked by the probes that watch them in earnest:
what those tell stands beside the turns. Only time is moved by hand.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from botwatch.clock import SystemClock
from botwatch.detect.defaults import DEFAULTS
from botwatch.detect.rule import Kind
from botwatch.incident.recorded import Series
from botwatch.watch.given import configured
from botwatch.watch.probes.model import Status
from botwatch.watch.services import Services
from tests.timeline.story import Story
from tests.watch.queues.parts import Eye, Redis, Told

ANSWERING, DEADLINE, SETTLES, TICKS = 30, 6, 1, 50
SHOP = {"bot": "shop", "channel": "web"}
QUEUE = {"broker": "jobs", "queue": "inbox", "group": ""}
SERVICE = {"service": "shop-health"}


class Healthy(BaseHTTPRequestHandler):
    """The process is there, and says so; that is all such endpoints know."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("content-length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def endpoint() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Healthy)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/health"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


async def test_it_is_told_within_a_minute_of_the_first_deadline_and_nothing_else_is(
    story: Story, tmp_path: Path
) -> None:
    """Its worker takes each job from the queue and answers none: 300 messages an hour."""
    for rule in DEFAULTS:
        if rule.enabled and rule.kind not in (Kind.CONTRACT, Kind.BASELINE):
            story.book.put(rule)
    told = Told()
    with Redis(tmp_path) as redis, endpoint() as health:
        services = Services(told, SystemClock(), "web-1")
        (service,) = configured({"shop-health": {"url": health, "kind": "http", "timeout_seconds": 60}})
        services.configure([service])
        count, unanswered, seen, up, status, watched, depth, stalled = [list[float]() for _ in range(8)]
        story.store.series += [
            Series("turns.count", SHOP, count),
            Series("turns.unanswered", SHOP, unanswered),
            Series("bot.seen", {"bot": "shop", "host": "web-1"}, seen),
            Series("service.up", SERVICE, up),
            Series("service.status", SERVICE, status),
            Series("queue.watched", {"broker": "jobs"}, watched),
            Series("queue.depth", QUEUE, depth),
            Series("queue.stalled", QUEUE, stalled),
        ]
        async with Eye(redis.url, include=["inbox"]) as eye:
            for tick in range(TICKS):
                redis.cli("LPUSH", "inbox", f"message {tick}")
                if tick % 2:  # sometimes one waits for the moment in which the broker is looked at
                    redis.cli("DEL", "inbox")
                queue = (await eye.look()).last("inbox")
                view = await services.tried(service)
                up.append(float(view.status is Status.RUNNING))
                status.append(3.0 if view.status is Status.RUNNING else 0.0)
                watched.append(next(one.value for one in eye.told.reports[-1] if one.name == "queue.watched"))
                depth.append(queue.get("depth", 0.0))
                stalled.append(queue.get("stalled", 0.0))
                seen.append(1.0)
                # A turn is told when it is settled: one that is not answered, after its deadline.
                for values in (count, unanswered):
                    values.append(0.0)
                asked = tick if tick < ANSWERING else tick - DEADLINE - SETTLES
                if tick < ANSWERING or asked >= ANSWERING:
                    count[asked] = float(asked % 6 != 5)
                    unanswered[asked] = count[asked] if asked >= ANSWERING else 0.0
                await story.until(f"{10 * (tick + 1)}s")
    assert set(up) == {1.0}
    assert set(watched) == {1.0}
    assert max(depth) >= 1
    first_deadline_s = 10 * (ANSWERING + DEADLINE)
    (opened,) = story.told
    assert opened.endswith("Bot stopped answering opened bot=shop,channel=web: breached")
    minutes, seconds = map(int, opened.split(" ")[0].split(":"))
    assert first_deadline_s < 60 * minutes + seconds <= first_deadline_s + 60
