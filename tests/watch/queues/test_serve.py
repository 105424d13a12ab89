"""As a user has it: a running server, a variable, and a Redis with jobs and no worker alive."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx

from tests.fault.harness import NO_AUTHORITY, TOKEN, Botwatch
from tests.real.parts import START_S
from tests.watch.queues.parts import Redis


def asked(server: Botwatch, path: str, ready: Callable[[Any], bool]) -> Any:
    """The answer, once it is as it should be."""
    url = f"http://127.0.0.1:{server.web}{path}"
    answer: Any = None
    deadline_s = time.monotonic() + START_S
    while time.monotonic() < deadline_s:
        got = httpx.get(url, headers={"authorization": f"Bearer {TOKEN}"}, verify=NO_AUTHORITY, timeout=60)
        answer = got.json()
        if got.status_code == 200 and ready(answer):
            return answer
        time.sleep(0.1)
    raise AssertionError(answer)


def test_queues_are_watched_with_no_worker_alive(tmp_path: Path) -> None:
    with Redis(tmp_path, "--requirepass", "hush-hush") as redis:
        redis.cli("-a", "hush-hush", "LPUSH", "mail", "a", "b", "c")
        (tmp_path / "password").write_text("hush-hush\n")
        config = tmp_path / "botwatch.toml"
        config.write_text('[queues.jobs]\nevery_s = 1\ninclude = ["mail", "s*"]\nbot = "shop"\n')
        extra = {
            "BOTWATCH_QUEUE_JOBS": f"redis://127.0.0.1:{redis.port}/0",
            "BOTWATCH_QUEUE_JOBS_PASSWORD_FILE": str(tmp_path / "password"),
        }
        server = Botwatch(tmp_path, extra, ("--config", str(config)))
        process = server.start()
        with process:
            found = asked(server, "/api/queues", lambda page: bool(page.get("items")))
            (item,) = found["items"]
            assert (item["queue"], item["depth"], item["bot"], item["current"]) == ("mail", 3, "shop", True)
            redis.cli("-a", "hush-hush", "LPUSH", "mail", "d", "e")
            found = asked(server, "/api/queues", lambda page: page["items"][0]["trend"] == "growing")
            assert found["items"][0]["depth"] == 5
            where = "measure=queue.depth&by=bot,broker,queue&period=5m&step=5m"
            history = asked(server, f"/api/monitoring/history?{where}", lambda found: bool(found["series"]))
            assert history["series"][0]["labels"] == {"bot": "shop", "broker": "jobs", "queue": "mail"}
            bots = asked(server, "/api/bots", lambda page: bool(page["items"]))
            assert [bot["name"] for bot in bots["items"]] == ["shop"]
            redis.stop()
            found = asked(server, "/api/queues", lambda page: not page["brokers"][0]["answers"])
            assert found["brokers"][0]["reason"] in ("refused", "closed")
            assert (found["items"][0]["current"], found["items"][0]["trend"]) == (False, "unknown")
            assert process.stop() == 0
        assert "hush-hush" not in process.output()
        assert "Traceback" not in process.output()


def test_a_bad_table_stops_the_start_and_shows_no_value(tmp_path: Path) -> None:
    config = tmp_path / "botwatch.toml"
    config.write_text('[queues.jobs]\nurl = "redis://bot:hush-hush@h"\nincluded = ["mail"]\n')
    command = [sys.executable, "-m", "botwatch", "serve", "--data", str(tmp_path / "data"), "--config", str(config)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=START_S, check=False)
    assert done.returncode != 0
    assert "queues.jobs.included: is not a setting of a queue" in done.stderr
    assert "hush-hush" not in done.stdout + done.stderr
