"""Alerts that do not arrive: nothing judges, nobody is to be told, they are held back, or the channel fails."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from botwatch.api.diagnosis.finding import Finding, ago, notice, problem
from botwatch.clock import SECOND_NS
from botwatch.notify.route import Reason

BEHIND_S: Final = 60
TOLD_MAX: Final = 20


@dataclass(frozen=True, slots=True)
class Channel:
    name: str
    enabled: bool


@dataclass(frozen=True, slots=True)
class Undelivered:
    """Messages of a day that a channel did not take. `waiting`: they are tried again."""

    channel: str
    failed: int
    waiting: int
    attempts: int
    last_ns: int
    answer: str


@dataclass(frozen=True, slots=True)
class Untold:
    """Openings of a day that were not told, by why. `held`: for now."""

    reason: str
    channel: str
    detail: str
    held: bool
    count: int
    rule: str  # one of them


@dataclass(frozen=True, slots=True)
class Cooling:
    """A rule that does not open again for a subject until its cooldown is over."""

    rule: str
    subject: str
    until_ns: int


@dataclass(frozen=True, slots=True)
class Alerts:
    """`rules` are those enabled, `opened` incidents of a day. None: it was not to be found out."""

    now_ns: int
    channels: tuple[Channel, ...]
    rules: int | None = None
    opened: int = 0
    paused: str = ""
    troubles: tuple[tuple[str, str], ...] = ()
    undelivered: tuple[Undelivered, ...] = ()
    untold: tuple[Untold, ...] = ()
    cooling: tuple[Cooling, ...] = ()
    untaken_ns: int | None = None  # the oldest change that nobody has looked at yet
    failing: frozenset[str] = field(default_factory=frozenset)


def not_judged(facts: Alerts) -> Iterator[Finding]:
    if facts.paused:
        yield problem(
            "not_judged",
            f"No rule is judged now: {facts.paused.rstrip('.')}.",
            "mend that first: nothing can be noticed meanwhile",
        )
    if facts.rules == 0:
        yield problem("no_rules", "No rule is enabled, so nothing can open an incident.", "enable the default rules")
    for rule, why in facts.troubles[:TOLD_MAX]:
        yield problem(
            "rule_not_judged",
            f"The rule {rule} is not judged: {why.rstrip('.')}.",
            "mend it; 'botwatch rules check' tells what does not fit",
            {"rule": rule},
        )


def nobody_to_tell(facts: Alerts) -> Iterator[Finding]:
    if any(channel.enabled for channel in facts.channels):
        return
    off = ", ".join(channel.name for channel in facts.channels)
    tell = problem if facts.opened else notice
    yield tell(
        "no_channel",
        (
            f"Every channel is switched off ({off})."
            if off
            else "There is no channel: nobody can be told of an incident."
        ),
        "switch one on" if off else "add one, such as e-mail or Slack, and send its test message",
        opened=facts.opened,
    )


def channel_fails(facts: Alerts) -> Iterator[Finding]:
    for found in facts.undelivered[:TOLD_MAX]:
        lost = f"{found.failed} {'message was' if found.failed == 1 else 'messages were'} given up"
        waits = f"{found.waiting} {'waits' if found.waiting == 1 else 'wait'} to be sent again"
        told = " and ".join([lost] * bool(found.failed) + [waits] * bool(found.waiting))
        yield problem(
            "channel_failing",
            f"The channel {found.channel} does not take what it is sent: {told} "
            f"within a day, the last {ago((facts.now_ns - found.last_ns) / SECOND_NS)} ago.",
            "look at the receipt of the delivery, mend the address or the key, and send the channel a test message",
            {"channel": found.channel},
            failed=found.failed,
            waiting=found.waiting,
            attempts=found.attempts,
            answer=found.answer,
        )


def held_back(facts: Alerts) -> Iterator[Finding]:
    for found in facts.untold[:TOLD_MAX]:
        told = _WHY.get(found.reason)
        if told is None:
            continue
        code, why, remedy = told
        subject = {"rule": found.rule, **({"channel": found.channel} if found.channel else {})}
        text = why.format(channel=found.channel or "its channel", detail=found.detail or "a silence")
        tell = notice if found.reason in _MEANT else problem
        yield tell(code, f"{_openings(found)} {text}.", remedy, subject, count=found.count, detail=found.detail)


_MEANT: Final = frozenset({Reason.SILENCED, Reason.DEPENDENCY, Reason.ANSWERED, Reason.OVER})
_WHY: Final[Mapping[str, tuple[str, str, str]]] = {
    Reason.SILENCED: (
        "silenced",
        "not told because {detail} holds",
        "end the silence if it was meant to be over; what is still open is told then",
    ),
    Reason.DEPENDENCY: (
        "muted_by_dependency",
        "not told because an incident it depends on is open ({detail})",
        "mend that one first; if the two have nothing to do with each other, change depends_on of the rule",
    ),
    Reason.NO_CHANNEL: (
        "no_route",
        "not told: the route that fits names no channel",
        "give the route a channel, or add a last route without conditions",
    ),
    Reason.UNKNOWN_CHANNEL: (
        "unknown_channel",
        "not told: {channel} is named, and there is no such channel",
        "mend the name in the rule or the route, or add the channel",
    ),
    Reason.CHANNEL_OFF: ("channel_off", "not told: {channel} is switched off", "switch it on, or route to another"),
    Reason.NO_DIGEST: (
        "no_digest",
        "not told: it is of severity info, and {channel} takes no digest",
        "give the rule the severity warning, or add a channel that takes digests",
    ),
    Reason.OVER: (
        "over_before_told",
        "not told: over before its time came",
        "shorten the settle time of the route if such short ones matter",
    ),
}


def _openings(found: Untold) -> str:
    if found.count == 1:
        return f"1 incident ({found.rule}) {'is' if found.held else 'was'}"
    return f"{found.count} incidents ({found.rule} and others) {'are' if found.held else 'were'}"


def cooling_down(facts: Alerts) -> Iterator[Finding]:
    for found in facts.cooling[:TOLD_MAX]:
        left_s = (found.until_ns - facts.now_ns) / SECOND_NS
        yield notice(
            "cooldown",
            f"{found.rule} does not open again{f' for {found.subject}' if found.subject else ''} "
            f"for another {ago(left_s)}: its cooldown runs from the end of the last incident.",
            "wait, or shorten the cooldown of the rule",
            {"rule": found.rule, "subject": found.subject},
            seconds_left=round(left_s),
        )


def notifier_behind(facts: Alerts) -> Iterator[Finding]:
    late_s = 0.0 if facts.untaken_ns is None else (facts.now_ns - facts.untaken_ns) / SECOND_NS
    if late_s > BEHIND_S:
        yield problem(
            "notifier_behind",
            f"A change of an incident has waited for {ago(late_s)} to be told.",
            "look at the log: whoever writes the messages has stopped, or cannot write to the state database",
        )


FINDERS: Final = (not_judged, nobody_to_tell, channel_fails, held_back, cooling_down, notifier_behind)
