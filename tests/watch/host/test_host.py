"""The whole look: parts that fail, why something is unknown, who is watched."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from botwatch.clock import SystemClock
from botwatch.errors import SettingError
from botwatch.settings import Settings
from botwatch.watch.host.cgroup import Cgroups
from botwatch.watch.host.host import Host, host_name
from botwatch.watch.host.part import Unknown
from botwatch.watch.host.processes import Processes
from botwatch.watch.host.wanted import Finder, Wanted, parse
from botwatch.watch.reading import Attributes, Happening, Reading


@dataclass
class Part:
    name: str
    error: Exception | None = None

    def read(self, now_s: float) -> Sequence[Reading]:
        if self.error:
            raise self.error
        return [Reading(self.name, now_s, "1")]


@dataclass
class Heard:
    reports: list[tuple[Attributes, Sequence[Reading], Sequence[Happening]]] = field(default_factory=list)

    def report(
        self, resource: Attributes, readings: Sequence[Reading] = (), happenings: Sequence[Happening] = ()
    ) -> None:
        self.reports.append((resource, readings, happenings))


def host(*parts: Part) -> Host:
    return Host("web-1", parts, Processes(Finder(()), Cgroups()), SystemClock())


def test_a_part_that_fails_leaves_the_others_and_its_reason_is_told_once() -> None:
    gpu, disk = Part("gpu", Unknown("no driver")), Part("disk", OSError("/secret/path"))
    machine, heard = host(gpu, disk, Part("cpu")), Heard()
    machine.report(heard)
    (resource, readings, happenings), *_ = heard.reports
    assert resource["host.name"] == "web-1"
    assert {"cpu", "system.uptime"} <= {reading.name for reading in readings}
    reasons = {r.attributes["part"]: r.attributes["reason"] for r in readings if r.name == "botwatch.unknown"}
    assert reasons == {"gpu": "no driver", "disk": "it cannot be read (OSError)"}
    assert [happening.name for happening in happenings] == ["host.part.unknown"] * 2
    assert machine.look().changed == []
    gpu.error = None
    look = machine.look()
    assert [(one.name, one.attributes["part"]) for one in look.changed] == [("host.part.known", "gpu")]
    assert list(look.unknown) == ["disk"]


def test_this_machine_has_every_part_but_a_gpu() -> None:
    machine = Host.of(Settings(), SystemClock())
    machine.look()
    time.sleep(0.05)  # for the processors' time is counted in hundredths of a second
    look = machine.look()
    names = {reading.name for reading in look.readings}
    assert {
        "system.cpu.utilization",
        "system.memory.usage",
        "system.filesystem.utilization",
        "system.network.connection.count",
        "system.open_files",
        "system.cpu.load_average.1m",
    } <= names
    assert "hw.gpu.utilization" in names or look.unknown["gpu"]
    assert len(list(look.rows())) > 20


def test_a_machine_is_called_what_the_setting_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("socket.gethostname", lambda: "")
    assert host_name(Settings()) == "localhost"
    assert host_name(Settings(host_name="bots-1")) == "bots-1"


def test_bots_are_named_by_text_by_process_id_or_by_a_file() -> None:
    assert parse(" shop = python -m shop --key=x ;; triage=/run/triage.pid;x=12 ") == (
        Wanted("shop", text="python -m shop --key=x"),
        Wanted("triage", file=Path("/run/triage.pid")),
        Wanted("x", pid=12),
    )
    assert parse("") == ()


@pytest.mark.parametrize("setting", ["shop", "=x", "shop=", "a=b; c"])
def test_a_setting_that_names_nothing_is_told(setting: str) -> None:
    with pytest.raises(SettingError, match="watch_processes: expected NAME=TEXT"):
        parse(setting)


def test_a_file_without_a_process_id_fits_nobody(tmp_path: Path) -> None:
    wanted = Wanted("shop", file=tmp_path / "bot.pid")
    assert not wanted.fits(12, "x")
    (tmp_path / "bot.pid").write_text("twelve")
    assert not wanted.fits(12, "x")
    (tmp_path / "bot.pid").write_text(" 12\n")
    assert wanted.fits(12, "x")
