"""The world as rows for the engine: one JSON line a row, one list for each table of `sql/1_world.sql`."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from itertools import accumulate, pairwise
from typing import Final
from zoneinfo import ZoneInfo

from botwatch.clock import SECOND_NS
from botwatch.demo import machines, steps, world
from botwatch.demo.cast import FLEET
from botwatch.demo.scripts import SLOTS
from botwatch.demo.steps import Row
from botwatch.demo.stories import Story, What
from botwatch.demo.world import Bot, Failure, Place

_MINUTE_NS: Final = 60 * SECOND_NS
_DEPLOYED_NS: Final = 31 * 3_600 * SECOND_NS  # before history begins
_SCOPE: Final = f"botwatch_sdk {version('botwatch-sdk')}"


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
    turns = list(steps.turns())
    rows: dict[str, list[Row]] = {
        "demo_world": [_world(frame)],
        "demo_minutes": list(_minutes(frame)),
        "demo_bots": [_bot(bot, stories) for bot in FLEET],
        "demo_users": [row for bot in FLEET for row in _user_ids(bot)],
        "demo_machines": list(machines.past(frame.from_ns, frame.to_ns, frame.time_zone)),
        "demo_lives": [life for bot in FLEET for life in _lives(bot, stories, frame)],
        "demo_scripts": [row for bot in FLEET for row in _scripts(bot)],
        "demo_steps": [turn.row() for turn in turns],
        "demo_spans": [span.row(turn.number) for turn in turns for span in turn.spans],
        "demo_faults": [row for turn in turns for row in turn.faults()],
        "demo_stories": [_story(story) for story in stories],
    }
    return {table: b"\n".join(json.dumps(row).encode() for row in found) for table, found in rows.items()}


def resource(bot: Bot, place: Place, version: str = world.VERSION) -> dict[str, str]:
    """What each of a process' items carries."""
    return {
        "service.name": bot.name,
        "service.version": version,
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
        "scope": _SCOPE,
        "call_scope": world.CALL_SCOPE,
        "ticket_source": world.TICKET_SOURCE,
    }


def _minutes(frame: Frame) -> Iterator[Row]:
    zone = ZoneInfo(frame.time_zone)
    for at_ns in range(frame.from_ns, frame.to_ns, _MINUTE_NS):
        yield {"at_ns": at_ns, "weight": world.rhythm(dt.datetime.fromtimestamp(at_ns / SECOND_NS, zone))}


def _bot(bot: Bot, stories: tuple[Story, ...]) -> Row:
    below = list(accumulate(channel.share for channel in bot.channels))
    return {
        "bot": bot.name,
        "per_minute": world.RATE_DEFAULT * bot.share,
        "places": [
            {
                "host": place.host,
                "instance": place.instance,
                "resource": _compact(resource(bot, place)),
                "before": _compact(resource(bot, place, world.VERSION_BEFORE)),
            }
            for place in bot.places
        ],
        "deployed_ns": max((s.from_ns for s in stories if s.what is What.DEPLOY and s.bot == bot.name), default=0),
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
    """From its deployment before history began, from outage to outage, and from one version to the next."""
    own = [s for s in stories if s.bot == bot.name]
    deployed_ns = max((s.from_ns for s in own if s.what is What.DEPLOY), default=0)
    out = sorted((s.from_ns, s.to_ns) for s in own if s.what is What.OUTAGE)
    out = sorted([*out, *([(deployed_ns, deployed_ns)] if deployed_ns else [])])
    edges = [(0, frame.from_ns - _DEPLOYED_NS), *out, (frame.to_ns, 0)]
    for (_, started_ns), (ended_ns, _) in pairwise(edges):
        for place in bot.places:
            yield {
                "bot": bot.name,
                "host": place.host,
                "instance": place.instance,
                "resource": _compact(
                    resource(bot, place, world.VERSION if started_ns >= deployed_ns else world.VERSION_BEFORE)
                ),
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


def _story(story: Story) -> Row:
    return {
        "what": story.what,
        "bot": story.bot,
        "subject": story.subject,
        "from_ns": story.from_ns,
        "to_ns": story.to_ns,
        "factor": story.factor,
    }
