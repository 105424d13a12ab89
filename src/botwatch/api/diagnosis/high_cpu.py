"""Much CPU and few sessions: a loop in a dialog, models called over and over, a leak, or another program."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Final

from botwatch.api.diagnosis.facts import Busy, Load
from botwatch.api.diagnosis.finding import Finding, notice, problem

CPU_PERCENT_MIN: Final = 70  # of one core, on average over the window
HOST_PERCENT_MIN: Final = 85
FEW_SESSIONS_MAX: Final = 5
LOOP_COUNT_MIN: Final = 60
LOOP_PER_MESSAGE_MIN: Final = 20
MODEL_CALLS_MIN: Final = 30
MODEL_CALLS_PER_MESSAGE_MIN: Final = 10
LEAK_GROWTH_MIN: Final = 0.1
LEAK_LOWS_MIN: Final = 4
REPEATED_TOLD_MAX: Final = 3


def busy(facts: Load) -> Iterator[Finding]:
    for bot in facts.bots:
        if bot.cpu_percent < CPU_PERCENT_MIN or bot.sessions > FEW_SESSIONS_MAX:
            continue
        causes = [*_loops(bot), *_models(bot), *_leak(bot)]
        yield from causes or [_unexplained(bot)]


def _loops(bot: Busy) -> Iterator[Finding]:
    loops = [
        found
        for found in bot.repeated
        if found.count >= LOOP_COUNT_MIN and found.count >= LOOP_PER_MESSAGE_MIN * max(found.said, 1)
    ]
    for found in loops[:REPEATED_TOLD_MAX]:
        where = f"in session {found.session}" if found.session else "outside of any session"
        yield problem(
            "dialog_loop",
            f"{_busy(bot)}: '{found.action}' ran {found.count} times {where} within {_minutes(bot)}, "
            f"where the user wrote {_times(found.said)}.",
            f"look at the transcript of that session and give '{found.action}' a way out or a limit of tries; "
            "restart the bot to end the loop",
            {"bot": bot.bot, "action": found.action, **({"session": found.session} if found.session else {})},
            count=found.count,
            messages=found.said,
            cpu_percent=round(bot.cpu_percent),
        )


def _models(bot: Busy) -> Iterator[Finding]:
    if bot.model_calls >= max(MODEL_CALLS_MIN, MODEL_CALLS_PER_MESSAGE_MIN * bot.messages):
        yield problem(
            "model_calls",
            f"{_busy(bot)}: it called models {bot.model_calls} times within {_minutes(bot)}, "
            f"where users wrote {_times(bot.messages)}.",
            "bound the steps of the agent and the tries of a failed call; keep answers that come again",
            {"bot": bot.bot},
            calls=bot.model_calls,
            models=bot.models,
            messages=bot.messages,
            cpu_percent=round(bot.cpu_percent),
        )


def _leak(bot: Busy) -> Iterator[Finding]:
    """The least of each sixth of an hour, so that what is freed again is no growth."""
    lows = bot.memory_lows
    if len(lows) < LEAK_LOWS_MIN or not all(after > before for before, after in pairwise(lows)):
        return
    if lows[-1] - lows[0] >= LEAK_GROWTH_MIN * lows[0]:
        yield problem(
            "memory_grows",
            f"{_busy(bot)}, and its memory only grows: from {_mib(lows[0])} to {_mib(lows[-1])} MiB within an hour. "
            "Cleaning up what grows takes the time.",
            "restart the bot for now; look for caches and lists without a bound (tracemalloc shows who allocates)",
            {"bot": bot.bot},
            from_bytes=round(lows[0]),
            to_bytes=round(lows[-1]),
            cpu_percent=round(bot.cpu_percent),
        )


def _unexplained(bot: Busy) -> Finding:
    memory = "its memory does not grow" if bot.memory_lows else "of its memory nothing is known"
    return notice(
        "busy_without_a_trace",
        f"{_busy(bot)}. No action repeats, no model is called too often, and {memory}.",
        "it works on what it does not tell: look with 'py-spy top --pid PID', and put @bot.action on what that shows",
        {"bot": bot.bot},
        cpu_percent=round(bot.cpu_percent),
        messages=bot.messages,
        model_calls=bot.model_calls,
    )


def busy_hosts(facts: Load) -> Iterator[Finding]:
    """A machine that is busy with something else than its bots."""
    for host in facts.hosts:
        if host.cpu_percent < HOST_PERCENT_MIN or host.sessions > FEW_SESSIONS_MAX:
            continue
        if host.bots_percent is None or host.bots_percent < CPU_PERCENT_MIN:
            told = "" if host.bots_percent is None else f"; its bots use {host.bots_percent:.0f} % of one core together"
            yield problem(
                "other_program",
                f"{host.host} is {host.cpu_percent:.0f} % busy while {_sessions(host.sessions)}{told}.",
                "look with 'top' on that machine which program it is: it is not a bot that tells Botwatch of itself",
                {"host": host.host},
                cpu_percent=round(host.cpu_percent),
            )


FINDERS: Final = (busy, busy_hosts)


def _busy(bot: Busy) -> str:
    return f"{bot.bot} uses {bot.cpu_percent:.0f} % of a core while {_sessions(bot.sessions)}"


def _sessions(count: int) -> str:
    return f"{count or 'no'} session is active" if count < 2 else f"{count} sessions are active"


def _minutes(bot: Busy) -> str:
    return f"{bot.window_s / 60:.0f} minutes"


def _times(count: int) -> str:
    return {0: "nothing", 1: "once"}.get(count, f"{count} times")


def _mib(size: float) -> str:
    return f"{size / 2**20:,.0f}"
