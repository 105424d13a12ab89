"""What the pages cost: first load, tab switch, a chart of 50 series, an hour open, 200 viewers.

    uv run python bench/web.py [--data DIR] [--viewers 200] [--seconds 60] [--minutes 60]

A real Chromium looks at the demo, whose bots go on talking; `--data DIR` serves a folder that is there
already instead, such as one filled by bench/query.py.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
from playwright.sync_api import Browser, CDPSession, Page, Route, sync_playwright
from shared import TOKEN, Running, free_port, percentile, print_machine, wait_ready

TABS = ("Overview", "Conversations", "System", "Actions", "Alerts", "Explore", "Insights")
# What an open overview asks for, beside the stream.
OVERVIEW = (
    "/api/monitoring/history?measure=sessions.active&measure=messages.count&measure=response.time"
    "&measure=response.time.p95&period=24h&step=900s",
    "/api/bots?limit=500",
    "/api/actions?period=24h&limit=12",
    "/api/dependencies?period=24h&limit=12",
    "/api/hosts?limit=500",
)
OVERVIEW_EVERY_S = 30
LAUNCH = ("--headless=new", "--no-sandbox", "--disable-gpu")
FIGURES = "() => document.querySelector('.figure strong') !== null"
SHOWN = "document.querySelector('h1')?.textContent === name && !document.body.innerText.includes('Loading…')"


@contextlib.contextmanager
def looked_at(data: Path | None) -> Iterator[tuple[Running, str]]:
    """The demo, or a server over that folder, and its sign-in link."""
    with tempfile.TemporaryDirectory(prefix="botwatch-bench-") as folder:
        web, log = free_port(), Path(folder) / "server.log"
        ports = ["--port", str(web), "--otlp-port", str(free_port()), "--grpc-port", str(free_port())]
        command = ["serve", "--data", str(data)] if data else ["demo", "--data", str(Path(folder) / "demo")]
        with log.open("wb") as out:
            process = subprocess.Popen(
                [sys.executable, "-m", "botwatch", *command, *ports],
                env={**os.environ, "BOTWATCH_ADMIN_TOKEN": TOKEN, "PYTHONUNBUFFERED": "1"},
                stdout=out,
                stderr=subprocess.STDOUT,
            )
            running = Running(process, web, 0, 0, data or Path(folder))
            try:
                wait_ready(running)
                yield running, _link(log)
            finally:
                running.stop()


def _link(log: Path) -> str:
    until_s = time.monotonic() + 120
    while time.monotonic() < until_s:
        found = re.search(r"http://\S+/sign-in\?code=\S+", log.read_text(errors="replace"))
        if found:
            return found[0]
        time.sleep(0.1)
    raise SystemExit(f"no sign-in link was printed:\n{log.read_text(errors='replace')[-2_000:]}")


def first_load(browser: Browser, state: Any, base: str, runs: int) -> None:
    sizes, times = [], []
    for _ in range(runs):
        context = browser.new_context(storage_state=state)
        page = context.new_page()
        session = context.new_cdp_session(page)
        session.send("Network.enable")
        kinds: dict[str, str] = {}
        counted: dict[str, float] = {}
        session.on(
            "Network.responseReceived", lambda event, kinds=kinds: kinds.update({event["requestId"]: event["type"]})
        )
        session.on(
            "Network.loadingFinished",
            lambda event, counted=counted: counted.update({event["requestId"]: event["encodedDataLength"]}),
        )
        page.goto(base)
        page.wait_for_function(FIGURES)
        times.append(page.evaluate("performance.now()"))
        page.wait_for_timeout(200)
        files = ("Document", "Script", "Stylesheet", "Image")
        sizes.append(sum(size for id, size in counted.items() if kinds.get(id) in files))
        context.close()
    print(f"first load       {max(sizes) / 1e3:.0f} kB compressed (bound 200)")
    print(
        f"interactive      p50 {percentile(times, 0.5):.0f} ms, max {max(times):.0f} ms, figures on the page (bound 1000)"
    )


def tab_switches(page: Page, runs: int) -> None:
    """From the key to the frame in which the other tab stands there with its data."""
    drawn: list[float] = []
    for _ in range(runs):
        for key, name in enumerate(TABS, 1):
            took = page.evaluate(
                f"""([key, name]) => new Promise((done) => {{
                  const began = performance.now();
                  document.body.dispatchEvent(new KeyboardEvent("keydown", {{ key, bubbles: true, cancelable: true }}));
                  const look = () => {SHOWN} ? done(performance.now() - began) : requestAnimationFrame(look);
                  requestAnimationFrame(look);
                }})""",
                [str(key), name],
            )
            drawn.append(took)
    print(
        f"tab switch       p50 {percentile(drawn, 0.5):.0f} ms, p95 {percentile(drawn, 0.95):.0f} ms, "
        f"max {max(drawn):.0f} ms, data included (bound 150; {len(drawn)} switches)"
    )


def fifty_series(page: Page, session: CDPSession, base: str, runs: int) -> None:
    """What the main thread does when such a chart is drawn anew, the table below it included."""
    start = int(time.time()) // 300 * 300 - 86_400

    def many(route: Route) -> None:
        series = [
            {"measure": "response.time.p95", "labels": {"host": f"host-{n}"}, "step_seconds": 300, "notes": [],
             "points": [[start + 300 * place, random.random() * 1_000 + n] for place in range(288)]}
            for n in range(50)
        ]  # fmt: skip
        route.fulfill(json={**route.fetch().json(), "series": series})

    page.route("**/api/monitoring/history*", many)
    page.goto(base + "/explore/measures?by=host")
    page.locator("tbody tr").nth(49).wait_for()
    page.wait_for_timeout(1_000)  # what loading it left to do is no part of it
    times = []
    for place in range(2 * runs):
        before = _busy_s(session)
        page.emulate_media(color_scheme="light" if place % 2 else "dark")  # the chart is made and drawn anew
        page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
        page.wait_for_timeout(200)  # what is put off counts as well
        times.append((_busy_s(session) - before) * 1e3)
    print(
        f"50 series, 24 h  p50 {percentile(times, 0.5):.0f} ms, max {max(times):.0f} ms of the main thread (bound 50)"
    )
    page.unroute("**/api/monitoring/history*")


def _busy_s(session: CDPSession) -> float:
    found = session.send("Performance.getMetrics")["metrics"]
    return float(next(one["value"] for one in found if one["name"] == "TaskDuration"))


def open_for(page: Page, session: CDPSession, base: str, minutes: float) -> None:
    page.goto(base)
    page.wait_for_function(FIGURES)
    page.wait_for_timeout(20_000)
    before = _heap_mib(session)
    page.wait_for_timeout(minutes * 60_000)
    grown = _heap_mib(session) - before
    print(f"heap             {before:.1f} MiB, grew by {grown:+.1f} MiB in {minutes:g} min (bound 10 in 60)")


def _heap_mib(session: CDPSession) -> float:
    session.send("HeapProfiler.collectGarbage")
    return float(session.send("Runtime.getHeapUsage")["usedSize"]) / 2**20


async def viewers(running: Running, count: int, seconds: float) -> None:
    """As many open overviews as asked for, without the browsers around them."""
    before = await _share(running, seconds)
    ticks = 0
    limits = httpx.Limits(max_connections=None)
    headers = {"authorization": f"Bearer {TOKEN}"}
    base = f"http://127.0.0.1:{running.web}"
    async with httpx.AsyncClient(base_url=base, headers=headers, timeout=60, limits=limits) as http:

        async def watch() -> None:
            nonlocal ticks
            async with http.stream("GET", "/api/live") as answer:
                async for line in answer.aiter_lines():
                    ticks += line.startswith("event: tick")

        async def ask() -> None:
            await asyncio.sleep(random.random() * OVERVIEW_EVERY_S)
            while True:
                await asyncio.gather(*(http.get(path) for path in OVERVIEW))
                await asyncio.sleep(OVERVIEW_EVERY_S)

        tasks = [asyncio.create_task(work()) for _ in range(count) for work in (watch, ask)]
        await asyncio.sleep(OVERVIEW_EVERY_S / 2)
        seen, began_s = ticks, time.monotonic()
        share = await _share(running, seconds)
        rate = (ticks - seen) / (time.monotonic() - began_s) / count
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    print(
        f"{count} viewers      {100 * (share - before):.0f} % of a core more than without (bound 30; "
        f"{100 * before:.0f} % before), {rate:.2f} ticks a second each"
    )


async def _share(running: Running, seconds: float) -> float:
    before_s, began_s = running.cpu_s(), time.monotonic()
    await asyncio.sleep(seconds)
    return (running.cpu_s() - before_s) / (time.monotonic() - began_s)


def in_a_browser(browser: Browser, running: Running, link: str, runs: int, minutes: float) -> None:
    context = browser.new_context()
    page = context.new_page()
    page.goto(link)
    page.wait_for_function(FIGURES)
    base, state = f"http://127.0.0.1:{running.web}", context.storage_state()
    session = context.new_cdp_session(page)
    session.send("Performance.enable", {"timeDomain": "threadTicks"})  # of the processor, whoever else wants it
    print(f"browser          chromium {browser.version}")
    first_load(browser, state, base, runs)
    tab_switches(page, runs)
    fifty_series(page, session, base, runs)
    if minutes:
        open_for(page, session, base, minutes)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--viewers", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--minutes", type=float, default=60)
    arguments = parser.parse_args()
    program = shutil.which("chromium")
    if program is None:
        raise SystemExit("the program chromium is not installed; install the package chromium")
    print_machine()
    with looked_at(arguments.data) as (running, link):
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=program, args=list(LAUNCH))
            in_a_browser(browser, running, link, arguments.runs, arguments.minutes)
            browser.close()
        asyncio.run(viewers(running, arguments.viewers, arguments.seconds))


if __name__ == "__main__":
    main()
