"""Why nothing came: whether bot and host are there at all."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np

from botwatch.detect.finding import Reason, Subject
from botwatch.detect.ticks import Need, Ticks

PRESENCE: Final = Need("bot.seen", ("bot", "host"))
MACHINES: Final = Need("cpu.usage", ("host",))  # an agent tells of its host when no bot does


def why_quiet(
    labels: Mapping[str, str], presence: Ticks, machines: Ticks | None, width: int, *, counts: bool
) -> Reason:
    """`presence` tells for every bot on every host whether anything was seen of it, `machines` for every host; their
    last column is the judged tick."""
    alive = _alive(presence, width)
    hosts_alive = {host for _, host in alive} | {host for (host,) in (_alive(machines, width) if machines else ())}
    ours = [subject for subject in presence.subjects if _is(subject, labels)]
    if any(subject in alive for subject in ours):
        return _not_silent(counts)
    if "bot" not in labels and "host" not in labels:
        return Reason.SILENT
    hosts = {host for _, host in ours if host} or {host for host in (labels.get("host", ""),) if host}
    if "bot" not in labels:
        return _not_silent(counts) if hosts & hosts_alive else Reason.SILENT_HOST
    return Reason.SILENT_HOST if hosts and not hosts & hosts_alive else Reason.SILENT_BOT


def _is(subject: Subject, labels: Mapping[str, str]) -> bool:
    bot, host = subject
    return labels.get("bot", bot) == bot and labels.get("host", host) == host


def _alive(ticks: Ticks, width: int) -> set[Subject]:
    recent = np.asarray(~np.isnan(ticks.values[:, -width:]).all(axis=1))
    return {subject for subject, seen in zip(ticks.subjects, recent, strict=True) if seen}


def _not_silent(counts: bool) -> Reason:
    return Reason.NO_EVENTS if counts else Reason.NO_DATA
