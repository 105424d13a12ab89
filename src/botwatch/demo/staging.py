"""The world as rows for the engine: one JSON line a row, one list for each table of `sql/1_world.sql`."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from botwatch.clock import SECOND_NS
from botwatch.demo import world
from botwatch.demo.cast import FLEET
from botwatch.demo.scripts import SLOTS
from botwatch.demo.stories import Story, What
from botwatch.demo.world import Bot, Call, Failure, Part, Place, Script, Step

Row = Mapping[str, object]
_MINUTE_NS: Final = 60 * SECOND_NS
_DEPLOYED_NS: Final = 31 * 3_600 * SECOND_NS  # before history begins
_SDK: Final = "botwatch_sdk"


@dataclass(frozen=True, slots=True)
class Frame:
    """Which days, where, and with which dice."""

    seed: int
    from_ns: int
    to_ns: int
    time_zone: str
    deadline_s: int
    idle_s: int


def tables(frame: Frame, stories: tuple[Story, ...]) -> dict[str, bytes]:
    """Table and rows, ready for `FORMAT JSONEachRow`."""
    turns = list(_turns())
    rows: dict[str, list[Row]] = {
        "demo_world": [_world(frame)],
        "demo_minutes": list(_minutes(frame)),
        "demo_bots": [_bot(bot) for bot in FLEET],
        "demo_users": [row for bot in FLEET for row in _user_ids(bot)],
        "demo_lives": [life for bot in FLEET for life in _lives(bot, stories, frame)],
        "demo_scripts": [row for bot in FLEET for row in _scripts(bot)],
        "demo_steps": [turn.row() for turn in turns],
        "demo_spans": [span.row(turn.number) for turn in turns for span in turn.spans],
        "demo_faults": [row for turn in turns for row in turn.faults()],
        "demo_stories": [_story(story) for story in stories],
    }
    return {table: b"\n".join(json.dumps(row).encode() for row in found) for table, found in rows.items()}


def resource(bot: Bot, place: Place) -> dict[str, str]:
    """What each of a process' items carries."""
    return {
        "service.name": bot.name,
        "service.version": world.VERSION,
        "service.instance.id": place.instance,
        "host.name": place.host,
        "bot.name": bot.name,
        "bot.messages": "events",
        "telemetry.sdk.language": "python",
        "telemetry.sdk.name": "opentelemetry",
        "telemetry.distro.name": "botwatch-sdk",
    }


def _compact(values: Mapping[str, str]) -> str:
    """As the engine writes a map."""
    return json.dumps(values, separators=(",", ":"))


def _world(frame: Frame) -> Row:
    return {
        "seed": frame.seed,
        "from_ns": frame.from_ns,
        "to_ns": frame.to_ns,
        "deadline_s": frame.deadline_s,
        "idle_s": frame.idle_s,
        "slots": [{"name": name, "choices": choices} for name, choices in SLOTS.items()],
        "apologies": [world.APOLOGIES[failure] for failure in Failure],
        "praise": world.PRAISE,
        "blame": world.BLAME,
        "silent_share": world.SILENT_SHARE,
        "late_share": world.LATE_SHARE,
        "late_s": world.LATE_S,
        "apology_share": world.APOLOGY_SHARE,
        "leave_share": world.LEAVE_SHARE,
        "abandon_share": world.ABANDON_SHARE,
        "abandon_s": world.ABANDON_S,
        "feedback_share": world.FEEDBACK_SHARE,
        "agent_joins_s": world.AGENT_JOINS_S,
        "agent_types_s": world.AGENT_TYPES_S,
        "typing_sigma": world.TYPING_SIGMA,
        "retry_after_ms": world.RETRY_AFTER_S * 1_000,
        "scope": _SDK,
        "call_scope": world.CALL_SCOPE,
        "ticket_source": world.TICKET_SOURCE,
    }


def _minutes(frame: Frame) -> Iterator[Row]:
    zone = ZoneInfo(frame.time_zone)
    for at_ns in range(frame.from_ns, frame.to_ns, _MINUTE_NS):
        yield {"at_ns": at_ns, "weight": world.rhythm(dt.datetime.fromtimestamp(at_ns / SECOND_NS, zone))}


def _bot(bot: Bot) -> Row:
    below = list(accumulate(channel.share for channel in bot.channels))
    return {
        "bot": bot.name,
        "per_minute": world.RATE_DEFAULT * bot.share,
        "places": [
            {"host": place.host, "instance": place.instance, "resource": _compact(resource(bot, place))}
            for place in bot.places
        ],
        "channels": [
            {
                "name": channel.name,
                "below": share / below[-1] + 1e-9,
                "users": bot.users_on(channel),
            }
            for channel, share in zip(bot.channels, below, strict=True)
        ],
    }


def _user_ids(bot: Bot) -> Iterator[Row]:
    for channel in bot.channels:
        for n in range(bot.users_on(channel)):
            yield {"bot": bot.name, "channel": channel.name, "number": n, "user_id": world.user_id(channel.contact, n)}


def _lives(bot: Bot, stories: tuple[Story, ...], frame: Frame) -> Iterator[Row]:
    """From its deployment before history began, from outage to outage."""
    out = sorted((s.from_ns, s.to_ns) for s in stories if s.what is What.OUTAGE and s.bot == bot.name)
    edges = [(0, frame.from_ns - _DEPLOYED_NS), *out, (frame.to_ns, 0)]
    for (_, started_ns), (ended_ns, _) in pairwise(edges):
        for place in bot.places:
            yield {
                "bot": bot.name,
                "host": place.host,
                "instance": place.instance,
                "resource": _compact(resource(bot, place)),
                "queue": bot.queue,
                "cpu": place.cpu,
                "memory_mib": place.memory_mib,
                "connections": place.connections,
                "start_ns": started_ns,
                "from_ns": max(started_ns, frame.from_ns),
                "to_ns": ended_ns,
            }


def _scripts(bot: Bot) -> Iterator[Row]:
    total = sum(script.weight for script in bot.scripts)
    edges = [0.0, *accumulate(script.weight / total for script in bot.scripts)]
    edges[-1] = 1.0
    for script, (low, high) in zip(bot.scripts, pairwise(edges), strict=True):
        yield {
            "bot": bot.name,
            "script": script.name,
            "low": low,
            "high": high,
            "steps": len(script.steps),
            "outcome": script.outcome,
            "score": script.score,
        }


@dataclass(frozen=True, slots=True)
class _Span:
    """One span of a step: its place in the tree, and what it is or which call it makes."""

    i: int
    parent: int
    size: int
    named: Mapping[str, object]
    median_ms: float
    call: Call | None = None

    def row(self, step: int) -> Row:
        call = self.call
        if call is None:
            return {
                "step": step,
                "i": self.i,
                "parent": self.parent,
                "size": self.size,
                "kind": "internal",
                **self.named,
            }
        return {
            "step": step,
            "i": self.i,
            "parent": self.parent,
            "size": 1,
            "role": "call",
            "name": call.name,
            "kind": "client",
            "dependency": call.dependency,
            "model": call.attributes.get("gen_ai.request.model", ""),
            "provider": call.attributes.get("gen_ai.provider.name", ""),
            "slow_ms": call.slow_ms,
            "tokens_in": call.tokens_in,
            "tokens_out": call.tokens_out,
            "attributes": _texts(call.attributes),
        }


@dataclass(frozen=True, slots=True)
class _Turn:
    """A step of a script, under a number of its own."""

    number: int
    bot: Bot
    script: Script
    k: int
    step: Step
    spans: tuple[_Span, ...]

    def row(self) -> Row:
        step, calls = self.step, [span.call for span in self.spans]
        return {
            "bot": self.bot.name,
            "script": self.script.name,
            "step": self.number,
            "k": self.k,
            "part": step.part,
            "say": step.say,
            "later": self.script.later,
            "reply": step.reply,
            "pause_s": step.pause_s,
            "sizes": [span.size for span in self.spans],
            "dependencies": [call.dependency if call else "" for call in calls],
            "median_ms": [span.median_ms for span in self.spans],
            "sigma": [call.sigma if call else world.OWN_SIGMA for call in calls],
            "timeout_ms": [call.timeout_ms if call else 0 for call in calls],
            "timeouts": [call.timeout.share if call else 0 for call in calls],
            "errors": [call.error.share if call else 0 for call in calls],
            "limited": [call.limited.share if call else 0 for call in calls],
        }

    def faults(self) -> Iterator[Row]:
        calls = ((span.i, span.call) for span in self.spans if span.call is not None)
        for i, call in calls:
            for number, failure in enumerate(Failure, 1):
                fault = call.fault(failure)
                yield {
                    "step": self.number,
                    "i": i,
                    "failure": number,
                    "dependency": call.dependency,
                    "exception": world.exception_name(failure),
                    "message": fault.message,
                    "stack": stack(failure, fault.message),
                    "attributes": _texts(fault.attributes),
                }


def _turns() -> Iterator[_Turn]:
    steps = (
        (bot, script, k, step) for bot in FLEET for script in bot.scripts for k, step in enumerate(script.steps, 1)
    )
    for number, (bot, script, k, step) in enumerate(steps, 1):
        yield _Turn(number, bot, script, k, step, tuple(_spans(bot, step)))


def _spans(bot: Bot, step: Step) -> Iterator[_Span]:
    """The turn, then each action with its calls, in the order they begin."""
    actions = [bot.actions[name] for name in step.actions]
    size = 1 + sum(1 + len(action.calls) for action in actions)
    yield _Span(1, 0, size, _root(step), world.GATEWAY_MS)
    i = 1
    for action in actions:
        i = parent = i + 1
        named = {"role": "action", "name": action.name, "action": action.name, "log": action.log}
        named_and_said = {**named, "attributes": {"bot.action": action.name}}
        yield _Span(i, 1, 1 + len(action.calls), named_and_said, action.median_ms)
        for call in action.calls:
            i += 1
            yield _Span(i, parent, 1, {}, call.median_ms, call)


def _root(step: Step) -> Row:
    if step.part is not Part.TICKET:
        return {"role": "turn", "name": "turn", "action": "turn", "attributes": {"bot.action": "turn"}}
    return {
        "role": "turn",
        "name": world.TICKET_SPAN,
        "action": world.TICKET_SPAN,
        "kind": "consumer",
        "channel": world.TICKET_ATTRIBUTES["messaging.system"],
        "attributes": world.TICKET_ATTRIBUTES,
    }


def _texts(values: Mapping[str, str | int]) -> dict[str, str]:
    return {name: str(value) for name, value in values.items()}


def stack(failure: Failure, message: str) -> str:
    """The traceback a bot of the live fleet records for this, so that both are one and the same fault."""
    file = Path(__file__).with_name("play.py")
    return (
        "Traceback (most recent call last):\n"
        f'  File "{file}", line 150, in act\n    await self.call(call)\n'
        f'  File "{file}", line 168, in call\n    raise world.EXCEPTIONS[failure](fault.message, call.dependency)\n'
        f"{world.exception_name(failure)}: {message}\n"
    )


def _story(story: Story) -> Row:
    return {
        "what": story.what,
        "bot": story.bot,
        "subject": story.subject,
        "from_ns": story.from_ns,
        "to_ns": story.to_ns,
        "factor": story.factor,
    }
