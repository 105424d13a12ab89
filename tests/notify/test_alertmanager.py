"""A real Alertmanager takes, groups and resolves ours; its own webhook has the shape of ours."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from botwatch.clock import SECOND_NS, SystemClock
from botwatch.detect.rule import Severity
from botwatch.incident.steps import Step
from botwatch.notify.channels import KINDS, labels, webhook
from botwatch.notify.channels.kind import Means
from botwatch.notify.note import Note
from botwatch.notify.wire import Http
from tests.notify.notes import LOOPBACK, note, told
from tests.notify.receiver import Receiver
from tests.real.parts import Process, free_port, require_part

CONFIG = """
route: {{receiver: back, group_by: [alertname], group_wait: 0s, group_interval: 1s, repeat_interval: 1h}}
receivers: [{{name: back, webhook_configs: [{{url: "{url}", send_resolved: true}}]}}]
"""


@pytest.fixture
async def alertmanager(tmp_path: Path, receiver: Receiver) -> AsyncIterator[str]:
    program = require_part("prometheus-alertmanager", "prometheus-alertmanager")
    config, port = tmp_path / "alertmanager.yml", free_port()
    config.write_text(CONFIG.format(url=receiver.url), encoding="utf-8")
    command: list[str | Path] = [program, f"--config.file={config}", f"--storage.path={tmp_path / 'data'}"]
    command += ["--cluster.listen-address=", f"--web.listen-address=127.0.0.1:{port}"]
    with Process(command, tmp_path / "alertmanager.log") as process:
        await asyncio.to_thread(process.wait_for_port, port)
        yield f"http://127.0.0.1:{port}"


class Sender:
    def __init__(self, url: str) -> None:
        clock = SystemClock()
        self.now_ns = clock.now_ns()
        self.means = Means(Http(LOOPBACK), LOOPBACK, clock)
        self.kind = KINDS["alertmanager"]
        self.options = self.kind.options.model_validate({"url": url})
        self.url = url

    async def send(self, message: Note) -> None:
        await self.kind.send(self.options, message, self.means)

    async def alerts(self, reached: Callable[[list[Any]], bool]) -> list[Any]:
        """What it knows, once that is so."""
        async with asyncio.timeout(60), httpx.AsyncClient(base_url=self.url, trust_env=False, timeout=60) as client:
            while True:
                found = (await client.get("/api/v2/alerts")).json()
                if reached(found):
                    return list(found)
                await asyncio.sleep(0.05)

    def note(self, *steps: tuple[str, str], **more: Any) -> Note:
        began_ns = self.now_ns - 60 * SECOND_NS
        items = [
            told(
                step,
                incident=host,
                labels={"host": host, "gen_ai.system": "x"},
                began_ns=began_ns,
                started_ns=began_ns,
                at_ns=self.now_ns,
                resolved_ns=self.now_ns if step == Step.RESOLVED else None,
                **more,
            )
            for host, step in steps
        ]
        return note(*items)


@pytest.fixture
async def sender(alertmanager: str) -> AsyncIterator[Sender]:
    made = Sender(alertmanager)
    yield made
    await made.means.http.close()


async def test_alertmanager_takes_groups_and_resolves_ours_and_its_webhook_has_the_shape_of_ours(
    sender: Sender, receiver: Receiver
) -> None:
    await sender.send(sender.note(("web-1", Step.OPENED), ("web-2", Step.OPENED)))
    found = await sender.alerts(lambda alerts: len(alerts) == 2)
    assert {alert["status"]["state"] for alert in found} <= {"active", "unprocessed"}
    assert {alert["labels"]["host"] for alert in found} == {"web-1", "web-2"}
    theirs = (await receiver.wait(1))[0].json
    while len(theirs["alerts"]) < 2:  # the second may come with the next flush of the group
        theirs = (await receiver.wait(len(receiver.got) + 1))[-1].json
    ours = webhook.version_4(sender.note(("web-1", Step.OPENED), ("web-2", Step.OPENED)))
    same_shape(theirs, ours)
    assert ours["version"] == theirs["version"] == "4"
    assert ours["commonLabels"] == theirs["commonLabels"]
    prints = {alert["labels"]["host"]: alert["fingerprint"] for alert in theirs["alerts"]}
    assert {alert["labels"]["host"]: alert["fingerprint"] for alert in ours["alerts"]} == prints

    await sender.send(sender.note(("web-1", Step.RESOLVED)))
    await sender.alerts(lambda alerts: [alert["labels"]["host"] for alert in alerts] == ["web-2"])
    await sender.send(sender.note(("web-2", Step.RESOLVED)))
    async with asyncio.timeout(60):
        while receiver.got[-1].json["status"] != "resolved":
            await receiver.wait(len(receiver.got) + 1)
    ended = receiver.got[-1].json
    same_shape(ended, webhook.version_4(sender.note(("web-2", Step.RESOLVED))))
    assert all(alert["endsAt"] > alert["startsAt"] for alert in ended["alerts"])


async def test_what_became_more_severe_is_one_alert_and_not_two(sender: Sender) -> None:
    await sender.send(sender.note(("web-1", Step.OPENED), severity=Severity.WARNING))
    await sender.alerts(lambda alerts: len(alerts) == 1)
    await sender.send(sender.note(("web-1", Step.WORSENED), severity=Severity.CRITICAL))
    found = await sender.alerts(lambda alerts: [each["labels"]["severity"] for each in alerts] == ["critical"])
    assert len(found) == 1


def same_shape(theirs: Any, ours: Any, place: str = "payload") -> None:
    """The same keys with the same kinds of values; labels and annotations are free."""
    assert type(theirs) is type(ours), place
    if isinstance(theirs, dict) and not place.endswith(("abels", "nnotations")):
        assert set(theirs) == set(ours), place
        for key in theirs:
            same_shape(theirs[key], ours[key], f"{place}.{key}")
    if isinstance(theirs, list):
        assert bool(theirs) == bool(ours), place
        for each in ours:
            same_shape(theirs[0], each, f"{place}[]")


def test_labels_fit_prometheus_and_do_not_change_while_an_incident_is_open() -> None:
    first = labels.of(told(labels={"gen_ai.system": "x", "1st": "a", "severity": "fake", "empty": ""}))
    assert first == {
        "alertname": "High CPU",
        "severity": "critical",
        "gen_ai_system": "x",
        "_1st": "a",
        "label_severity": "fake",
    }
    assert labels.of(told(value=1.0)) == labels.of(told(Step.RESOLVED, value=99.0, summary="other"))
