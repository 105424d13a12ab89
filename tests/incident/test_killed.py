"""A real server, killed at any moment: no incident opens twice, and none that is over stays open."""

from __future__ import annotations

import json
import random
import threading
import time
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.fault.harness import Botwatch, running

TICK_S = 10
BAD_OF = 2  # every second tick is bad
RULE = """
- {name: Errors, field: errors.count, aggregation: sum, value: 1, timeframe: 10s, by: bot}
"""


class Sender:
    """For each tick one record in its first second, an error in every second one; repeated until it is taken."""

    def __init__(self, server: Botwatch) -> None:
        self._server = server
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.calm = False
        self.sent = 0
        self.in_time: list[int] = []  # ticks with an error that was taken before they were over

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join()

    def wait_for_another(self) -> int:
        """The tick of the next error that is taken in time."""
        seen, until_s = len(self.in_time), time.monotonic() + 180
        while len(self.in_time) == seen:
            assert time.monotonic() < until_s, "no error was taken"
            time.sleep(0.05)
        return self.in_time[-1]

    def _run(self) -> None:
        last = 0
        while not self._stop.is_set():
            tick = int(time.time()) // TICK_S * TICK_S
            if tick > last and time.time() - tick > 1:
                self._send(tick)
                last = tick
            time.sleep(0.05)

    def _send(self, tick: int) -> None:
        bad = not self.calm and tick // TICK_S % BAD_OF == 0
        self.sent += bad
        line = {"bot": "shop", "host": "h", "timestamp": tick + 1, "message": "m", "level": "error" if bad else "info"}
        while not self._stop.is_set():
            if self._taken(line):
                if bad and time.time() < tick + TICK_S - 1:
                    self.in_time.append(tick)
                return
            time.sleep(0.05)

    def _taken(self, line: dict[str, Any]) -> bool:
        url, headers = f"http://127.0.0.1:{self._server.web}/v1/logs/json", {"content-type": "application/json"}
        try:
            answer = httpx.post(url, content=json.dumps(line), headers=headers, timeout=5)
        except httpx.HTTPError:
            return False
        assert answer.status_code in (200, 429, 503), answer.text
        return answer.status_code == 200


@pytest.mark.long
@pytest.mark.timeout(600)
def test_an_incident_is_opened_once_and_ended_once(tmp_path: Path) -> None:
    chance = random.Random(7)
    folder = tmp_path / "data" / "rules"
    folder.mkdir(parents=True)
    (folder / "rules.yaml").write_text(RULE, encoding="utf-8")
    with running(tmp_path) as server:
        sender = Sender(server)
        sender.start()
        for _ in range(2):
            # A tick is judged in the second or two after its end: there it is killed.
            over_s = sender.wait_for_another() + TICK_S
            time.sleep(max(0.0, over_s + chance.uniform(0.2, 2.5) - time.time()))
            assert server.process is not None
            server.process.kill()
            server.start()
        sender.calm = True
        incidents = wait_until_calm(server)
        sender.stop()
        starts = [incident["startTime"] for incident in incidents]
        assert len(set(starts)) == len(starts)
        spans = [(seconds(incident["startTime"]), seconds(incident["endTime"])) for incident in incidents]
        for tick in sender.in_time:
            told = f"the error in the tick at {tick} opened nothing: {spans}"
            assert any(start <= tick + TICK_S < end for start, end in spans), told
        for incident in incidents:
            changes = server.get(f"/api/incidents/{incident['id']}")["changes"]
            assert [change["what"] for change in changes] == ["opened", "resolved"]
        assert {start % TICK_S for start, _ in spans} == {0}, "it opened at another moment than the end of a tick"
        assert len(incidents) <= sender.sent
        server.stop()


def seconds(time_: str) -> float:
    return datetime.fromisoformat(time_).timestamp()


def wait_until_calm(server: Botwatch) -> list[dict[str, Any]]:
    """Until two ticks without an error have been judged, and so everything is over."""
    calm_s = time.time() // TICK_S * TICK_S + 2 * TICK_S
    until_s = time.monotonic() + 300
    while time.monotonic() < until_s:
        judged = server.get("/api/incidents/judging")["judged"]
        if judged and seconds(judged) >= calm_s:
            incidents: list[dict[str, Any]] = server.get("/api/incidents?rule=Errors")["items"]
            if all(incident["endTime"] for incident in incidents):
                return incidents
        time.sleep(0.2)
    judging = server.get("/api/incidents/judging")
    raise AssertionError(f"still open: {server.get('/api/incidents?rule=Errors')}, judging: {judging}")
