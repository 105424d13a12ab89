"""People's own programs: run, timed, cut, refused; and nothing waits for them."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from botwatch.incident.steps import Step
from botwatch.notify import hooks
from tests.notify.house import House
from tests.notify.receiver import Receiver


@pytest.fixture
def folder(house: House) -> Path:
    found = house.notifier._hooks / hooks.EVENT
    found.mkdir(parents=True)
    return found


def script(folder: Path, name: str, text: str, mode: int = 0o755) -> Path:
    file = folder / name
    file.write_text(text, encoding="utf-8")
    file.chmod(mode)
    return file


async def test_a_program_and_a_python_function_hear_of_opening_and_end_as_botpress_told_it(
    house: House, folder: Path, tmp_path: Path
) -> None:
    script(folder, "keep.sh", f"#!/bin/sh\ncat >> {tmp_path}/heard\necho >> {tmp_path}/heard\necho done\n")
    script(
        folder,
        "alert.py",
        "def on_incident_status_changed(incident):\n"
        "    print('closed' if 'endTime' in incident else 'opened', incident['ruleName'])\n",
        0o644,
    )
    script(folder, "README", "not a hook", 0o644)
    incident = house.open()
    await house.run(1)
    house.change(incident, Step.ACKNOWLEDGED, "ann")
    house.change(incident, Step.RESOLVED)
    await house.run(1)
    heard = [json.loads(line) for line in (tmp_path / "heard").read_text().splitlines()]
    assert [set(each) >= {"id", "ruleName", "hostName", "startTime", "triggerValue"} for each in heard] == [True, True]
    assert ["endTime" in each for each in heard] == [False, True]
    receipts = [(row.channel, row.status, row.answer) for row in house.deliveries(purpose="hook")]
    assert sorted(receipts) == [
        ("hook:alert.py", "delivered", "exit code 0: closed High CPU"),
        ("hook:alert.py", "delivered", "exit code 0: opened High CPU"),
        ("hook:keep.sh", "delivered", "exit code 0: done"),
        ("hook:keep.sh", "delivered", "exit code 0: done"),
    ]


async def test_bad_hooks_have_a_receipt_are_told_of_and_delay_nobody(
    house: House, folder: Path, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind_of = house.notifier._kind

    def impatient(name: str) -> Any:
        """With the one that hangs; the others have all the time that a busy machine gives them."""
        kind, options = kind_of(name)
        if isinstance(options, hooks.HookOptions):
            options = options.model_copy(update={"seconds": 5 if "hangs" in name else 60})
        return kind, options

    monkeypatch.setattr(house.notifier, "_kind", impatient)
    house.channel("ops", "webhook", url=receiver.url)
    script(folder, "hangs.sh", "#!/bin/sh\necho before\nsleep 600 & sleep 600\n")
    script(folder, "fails.py", "def on_incident_status_changed(incident):\n    raise ValueError('no')\n", 0o644)
    script(folder, "noisy.sh", "#!/bin/sh\nyes 0123456789 | head -c 3000000\nexit 3\n")
    script(folder, "leaves.sh", "#!/bin/sh\nsleep 600 &\necho gone\n")
    house.open()
    await house.notifier.step()
    house.clock.advance(1)
    await house.notifier.step()
    await house.notifier.step()
    while not (told := [got.json for got in receiver.got if got.json["incidents"]]):
        await receiver.wait(len(receiver.got) + 1)  # while the hook that hangs still hangs
    assert told[0]["incidents"][0]["step"] == "opened"
    await house.run(2)
    found = {row.channel: row for row in house.deliveries(purpose="hook")}
    assert {name: row.status for name, row in found.items()} == {
        "hook:hangs.sh": "failed",
        "hook:fails.py": "failed",
        "hook:noisy.sh": "failed",
        "hook:leaves.sh": "delivered",
    }
    assert found["hook:hangs.sh"].answer == "ended after 5 s: before"
    assert "ValueError: no" in found["hook:fails.py"].answer
    assert found["hook:noisy.sh"].answer.startswith("exit code 3: …")
    assert found["hook:noisy.sh"].answer.endswith("more than is kept")
    trouble = sorted(got.json["text"].split(" ")[0] for got in receiver.got if not got.json["incidents"])
    assert trouble == ["hook:fails.py", "hook:hangs.sh", "hook:noisy.sh"]


async def test_what_everybody_can_write_is_not_run(house: House, folder: Path, tmp_path: Path) -> None:
    script(folder, "open.sh", f"#!/bin/sh\ntouch {tmp_path}/ran\n", 0o777)
    house.open()
    await house.run(1)
    (row,) = house.deliveries(purpose="hook")
    assert row.status == "failed"
    assert "can be written by everybody" in row.answer
    assert not (tmp_path / "ran").exists()


async def test_nothing_in_a_folder_that_everybody_can_write_is_run(house: House, folder: Path, tmp_path: Path) -> None:
    script(folder, "fine.sh", f"#!/bin/sh\ntouch {tmp_path}/ran\n")
    os.chmod(folder, 0o777)
    house.open()
    await house.run(1)
    assert house.deliveries(purpose="hook")[0].status == "failed"
    assert not (tmp_path / "ran").exists()


async def test_a_hook_sees_no_secret_of_the_server(house: House, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BOTWATCH_ADMIN_TOKEN", "hush")
    script(folder, "env.sh", "#!/bin/sh\nenv | grep -c hush\ntrue\n")
    house.open()
    await house.run(1)
    assert house.deliveries(purpose="hook")[0].answer == "exit code 0: 0"


def test_a_link_to_what_somebody_else_can_write_is_refused(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir(mode=0o755)
    real = script(outside, "real.sh", "#!/bin/sh\n", 0o757)
    inside = tmp_path / "inside"
    inside.mkdir(mode=0o755)
    os.symlink(real, inside / "link.sh")
    assert "can be written by everybody" in hooks.refusal(inside / "link.sh")
    real.chmod(0o755)
    assert hooks.refusal(inside / "link.sh") == ""
    assert "cannot be read" in hooks.refusal(inside / "gone.sh")
