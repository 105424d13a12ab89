"""The rules once more, as plainly as Python can say them, for any list of what is known."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from botwatch import limits
from botwatch.turns import Terms
from tests.turns.talk import START_S, US, Event, Outcome, Said

Item = Said | Event
Key = tuple[str, str]


def turn(asked: Said, known: Sequence[Item], now_s: float, terms: Terms) -> Outcome | None:
    """What became of a message; None when that is not known yet."""
    story = [item for item in known if (item.bot, item.session) == (asked.bot, asked.session)]
    end = asked.at + terms.late_s
    following = [s.at for s in story if isinstance(s, Said) and s.direction == "in" and s.at > asked.at]
    before = min(following, default=float("inf"))
    about = [e for e in story if isinstance(e, Event) and asked.at <= e.at <= end and e.at < before]
    named = [
        e
        for e in story
        if isinstance(e, Event) and e.id == asked.id != "" and asked.at - limits.TURN_SKEW_S_MAX <= e.at <= end
    ]
    if any(e.event == "bot.turn.failed" for e in named) or any(
        e.event == "bot.turn.failed" and not e.id for e in about
    ):
        return Outcome("failed")
    answered, by = _reply(asked, [s for s in story if isinstance(s, Said) and s.direction == "out"], end)
    if any(e.event == "bot.handoff" for e in about):
        return Outcome("handed_off", answered, by)
    if answered is not None:
        return Outcome("answered", answered, by)
    return Outcome("unanswered") if asked.at + terms.deadline_s <= now_s else None


def _reply(asked: Said, replies: Iterable[Said], end: float) -> tuple[float | None, str]:
    order = sorted(replies, key=lambda s: (s.at, s.author))
    to_it = [s for s in order if asked.id and s.to == asked.id]
    for reply in to_it:
        if asked.at <= reply.at <= end:
            return reply.at, reply.author
    for reply in reversed(to_it):
        if asked.at - limits.TURN_SKEW_S_MAX <= reply.at < asked.at:
            return asked.at, reply.author
    for reply in order:
        if asked.at <= reply.at <= end:
            return reply.at, reply.author
    return None, ""


def stretches(known: Iterable[Item], idle_s: int) -> list[tuple[str, str, str, int, int]]:
    """When each session was active: bot, session, channel, from, to (left out), in microseconds."""
    stories: dict[Key, list[tuple[int, bool]]] = defaultdict(list)
    channels: dict[Key, str] = defaultdict(str)
    for item in known:
        key = (item.bot, item.session)
        if isinstance(item, Said):
            stories[key].append((item.at_us, False))
            channels[key] = max(channels[key], item.channel)
        elif item.event == "bot.session.end":
            stories[key].append((item.at_us, True))
    found = []
    for key, story in stories.items():
        start: int | None = None
        last = 0
        for at_us, is_end in sorted(story):
            if start is not None and (is_end or at_us - last > idle_s * US):
                found.append((*key, channels[key], start, min(at_us, last + idle_s * US)))
                start = None
            if not is_end:
                start = at_us if start is None else start
                last = at_us
        if start is not None:
            found.append((*key, channels[key], start, last + idle_s * US))
    return [stretch for stretch in found if stretch[3] < stretch[4]]


def concurrency(known: Iterable[Item], idle_s: int, through_us: int) -> Mapping[tuple[str, str, int], tuple[int, int]]:
    """Active at the end and at most, for each bot, channel and minute after the start in which it is not 0."""
    counted: dict[tuple[str, str, int], tuple[int, int]] = {}
    active = stretches(known, idle_s)
    keys = {key for bot, _, channel, *_ in active for key in ((bot, channel), (bot, ""), ("", channel), ("", ""))}
    for bot, channel in keys:
        mine = [s for s in active if bot in ("", s[0]) and channel in ("", s[2])]
        for minute in {m for s in mine for m in range(s[3] // US // 60, s[4] // US // 60 + 1)}:
            low, high = minute * 60 * US, min((minute + 1) * 60 * US, through_us + 1)
            if low > through_us:
                continue
            instants = [low] + [s[3] for s in mine if low < s[3] < high]
            peak = max(sum(s[3] <= at < s[4] for s in mine) for at in instants)
            last = sum(s[3] <= high - 1 < s[4] for s in mine)
            if peak:
                counted[bot, channel, minute - START_S // 60] = (last, peak)
    return counted
