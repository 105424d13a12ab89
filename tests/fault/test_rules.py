"""Rules while a real server runs: files edited under it, an import beside it, a restart."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.detect.botpress import NAMES, PASTED
from tests.fault.harness import TOKEN, Botwatch, running

WAIT_S = 60


def rules(server: Botwatch) -> dict[str, dict[str, Any]]:
    return {item["rule"]["name"]: item for item in server.get("/api/rules?limit=500")["items"]}


def wait_for(what: Callable[[], bool]) -> None:
    until_s = time.monotonic() + WAIT_S
    while not what():
        assert time.monotonic() < until_s
        time.sleep(0.1)


def write(file: Path, *given: dict[str, Any]) -> None:
    """As editors do it: beside, then over."""
    draft = file.with_suffix(".draft")
    draft.write_text(json.dumps(given, indent=1))
    draft.replace(file)


@pytest.mark.timeout(300)
def test_files_are_read_again_while_it_runs_and_a_broken_one_keeps_its_rules(tmp_path: Path) -> None:
    folder = tmp_path / "data" / "rules"
    folder.mkdir(parents=True)
    (folder / "botpress.json").write_text(",\n".join(part.removesuffix(",") for part in PASTED) + ",\n")
    with running(tmp_path) as server:
        found = rules(server)
        assert {found[name]["source"] for name in NAMES} == {"file:botpress.json"}
        assert found["CPU usage critical"]["source"] == "default"

        disk = {"name": "Disk", "field": "disk.usage", "value": 90}
        write(folder / "ours.json", disk)
        wait_for(lambda: "Disk" in rules(server))
        write(folder / "ours.json", {**disk, "value": 95, "operand": "more"})
        wait_for(lambda: bool(server.get("/api/rules")["problems"]))
        [problem] = server.get("/api/rules")["problems"]
        assert (problem["source"], problem["field"], problem["line"]) == ("file:ours.json", "operand", 6)
        assert rules(server)["Disk"]["rule"]["value"] == 90
        assert server.process is not None
        server.process.wait_for_line("file:ours.json:6: rule 'Disk': operand: expected one of")

        write(folder / "ours.json", {**disk, "value": 95})
        os.kill(server.process.pid, signal.SIGHUP)
        wait_for(lambda: rules(server)["Disk"]["rule"]["value"] == 95)
        wait_for(lambda: server.get("/api/rules")["problems"] == [])
        (folder / "ours.json").unlink()
        wait_for(lambda: "Disk" not in rules(server))
        server.stop()


@pytest.mark.timeout(300)
def test_an_import_beside_a_running_server_is_seen_and_survives_a_kill(tmp_path: Path) -> None:
    (tmp_path / "config.csv").write_text(
        "name,value\nalert-cpu-threshold,1\nalert-slack-webhook,https://hooks.slack.com/services/T/B/secret\n"
    )
    with running(tmp_path) as server:
        assert rules(server)["CPU usage critical"]["rule"]["value"] == 85
        command = [sys.executable, "-m", "botwatch", "import", "config.csv", "--data", "data"]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stderr
        wait_for(lambda: rules(server)["CPU usage critical"]["rule"]["value"] == 1)
        assert rules(server)["CPU usage critical"]["replaces"] == "default"

        url = f"http://127.0.0.1:{server.web}/api/rules"
        headers = {"authorization": f"Bearer {TOKEN}"}
        rule = {"name": "told", "field": "cpu.usage", "value": 1, "notify": "alert-slack-webhook"}
        answers: list[httpx.Response] = []

        def taken() -> bool:
            answers.append(httpx.post(url, json=rule, headers=headers, timeout=30))
            return answers[-1].status_code == 201

        wait_for(taken)
        assert server.process is not None
        server.process.kill()
        server.start()
        assert rules(server)["CPU usage critical"]["source"] == "import:config.csv"
        assert rules(server)["told"]["rule"]["notify"] == ["alert-slack-webhook"]
        answer = httpx.delete(f"{url}/CPU usage critical", headers=headers, timeout=30)
        assert answer.status_code == 204
        assert rules(server)["CPU usage critical"]["rule"]["value"] == 85
        server.stop()
