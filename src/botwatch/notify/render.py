"""The words of a message: what is wrong, since when, how far beyond its limit, where to look, what to do.

One set of sentences for all channels; each escapes them for its own place.
"""

from __future__ import annotations

import datetime as dt
import zoneinfo
from collections.abc import Iterator
from typing import Final

from botwatch import limits
from botwatch.clock import SECOND_NS
from botwatch.incident.steps import Step
from botwatch.measure import amounts
from botwatch.notify.escape import cut, gsm7, gsm7_cut, plain, quoted
from botwatch.notify.note import DRILL_MARK, ESCALATED, Note, Purpose, Told

_LIMITS: Final = {"equalOrMoreThan": "or more is too much", "equalOrLessThan": "or less is too little"}
_REASONS: Final = {
    "breached": "the value passed its limit",
    "no_events": "bot and host are alive, and nothing came",
    "silent_bot": "nothing at all comes from the bot, though its host is alive",
    "silent_host": "nothing at all comes from the host",
    "silent": "nothing at all comes from anybody",
    "no_data": "there is no value",
    "combined": "other rules are breached together",
    "too_many": "too many incidents are open",
}
_VERBS: Final = {
    Step.OPENED: "", Step.WORSENED: "worse: ", Step.ACKNOWLEDGED: "acknowledged: ", Step.RESOLVED: "resolved: ",
    ESCALATED: "nobody acknowledged: ",
}  # fmt: skip
CODED: Final = ("What", "Suspected")  # sentences of ours, with names of fields between backticks
_MARKS: Final = {DRILL_MARK: "[DRILL] "}


def title(note: Note) -> str:
    """One line that says it all: for a subject, a summary, a headline."""
    if note.purpose is Purpose.TEST:
        return f"[TEST] Botwatch can reach the channel {note.channel}"
    if note.purpose is Purpose.DIGEST:
        count = len(note.told) + note.more
        return f"Botwatch, the last day: {count} {'incident' if count == 1 else 'incidents'} of severity info"
    if note.purpose is Purpose.TROUBLE:
        return plain(f"Botwatch cannot deliver: {note.text}", 300)
    if note.purpose is Purpose.REPORT:
        return plain(f"Report: {note.subject}", 300)
    if len(note.told) == 1:
        return headline(note.told[0])
    return _several(note)


def headline(told: Told) -> str:
    word = "opened and resolved meanwhile: " if told.late and told.over else _VERBS.get(told.step, "")
    urgency = "" if told.over else f"{told.severity.value.upper()} "
    return plain(f"{_MARKS.get(told.mark, '')}{urgency}{word}{told.rule} on {told.subject}", 300)


def _several(note: Note) -> str:
    open_, over = len(note.firing), len(note.told) - len(note.firing)
    counts = [f"{open_} open"] * bool(open_) + [f"{over} resolved"] * bool(over)
    rules = list(dict.fromkeys(told.rule for told in note.told))
    what = rules[0] if len(rules) == 1 else f"{len(rules)} rules"
    urgency = f"{note.severity.value.upper()} " if open_ else ""
    return plain(f"{'[DRILL] ' if note.drill else ''}{urgency}{what}: {', '.join(counts)}", 300)


def facts(told: Told, zone: str) -> Iterator[tuple[str, str]]:
    """Name and text of each thing there is to know, the most urgent first; as plain text."""
    for name, value in marked(told, zone):
        yield name, quoted(value) if name in CODED else value


def marked(told: Told, zone: str) -> Iterator[tuple[str, str]]:
    """The same for who can set as code what is between backticks in `CODED`."""
    if told.message and told.message not in told.summary:
        yield "Message", plain(told.message, limits.RULE_TEXT_CHARS_MAX)
    if told.summary:
        yield "What", plain(told.summary, limits.RULE_TEXT_CHARS_MAX)
    if told.cause and not told.over:
        yield "Suspected", plain(told.cause, limits.RULE_TEXT_CHARS_MAX)
    yield "Where", plain(told.subject, 500)
    if value := _value(told):
        yield "Value", value
    if told.reason:
        yield "Why", _REASONS.get(told.reason) or plain(told.reason.replace("_", " "), 100)
    yield (
        "Since",
        f"{clock(told.began_ns, zone)}"
        + (f", opened {clock(told.started_ns, zone)}" if told.began_ns != told.started_ns else ""),
    )
    if told.resolved_ns is not None:
        lasted = duration(told.resolved_ns - told.started_ns)
        yield "Resolved", f"{clock(told.resolved_ns, zone)}, after {lasted}"
    if told.acknowledged_by:
        yield "Acknowledged by", plain(told.acknowledged_by, 144)
    if told.why and told.step != Step.OPENED:
        yield "Note", plain(told.why, 500)
    if told.story:
        steps = ", ".join(f"{moment.step} {clock(moment.at_ns, zone)}" for moment in told.story)
        yield "Late" if told.late else "So far", plain(steps, 1_000)


def advice(told: Told, url: str) -> str:
    """How to say that somebody is on it."""
    if told.over or told.acknowledged_by:
        return ""
    where = f"open {url}/incidents/{told.incident}" if url else f"open the incident {told.incident} in Botwatch"
    return f"To acknowledge, {where}"


def preface(note: Note) -> str:
    """What must be said of the message itself, before what it tells."""
    if note.purpose is Purpose.TEST:
        return (
            f"This is a test of the channel {plain(note.channel)}, asked for by {plain(note.text)}. Nothing is wrong."
        )
    if note.purpose is Purpose.TROUBLE:
        told = " What it should have told is below." if note.told else ""
        return f"{plain(note.text)}{told}"
    if note.purpose is Purpose.REPORT:
        return plain(note.text)
    if note.drill:
        return "This is a drill: nothing is wrong with a real bot."
    if note.late:
        return "This comes late: this channel could not be reached when it happened."
    return ""


def text(note: Note) -> str:
    """The whole message as plain text of many lines."""
    lines = [preface(note)] if preface(note) else []
    for told in note.told:
        lines += ["", headline(told)] if len(note.told) > 1 or note.purpose is not Purpose.INCIDENT else []
        lines += [f"{name + ':':<16} {value}" for name, value in facts(told, note.zone)]
        if told.runbook:
            lines.append(f"{'Runbook:':<16} {plain(told.runbook)}")
        lines += [f"{plain(each.name) + ':':<16} {each.url}" for each in told.links]
        if note.purpose is Purpose.INCIDENT and advice(told, note.url):
            lines.append(advice(told, note.url))
    if note.more:
        lines += ["", f"and {note.more} more"]
    lines += [f"{plain(each.name) + ':':<16} {each.url}" for each in note.links]
    return "\n".join(lines).strip("\n") + "\n"


def short(note: Note) -> str:
    """At most one SMS: the alphabet of 160 characters, the link whole or left out."""
    words = gsm7(title(note))
    if note.purpose is Purpose.INCIDENT and len(note.told) == 1 and (brief := _brief(note.told[0])):
        words += gsm7(f": {brief}")
    if note.late:
        words = f"Late: {words}"
    link = " " + gsm7(f"{note.url}/incidents/{note.told[0].incident}") if note.url and len(note.told) == 1 else ""
    if len(link) > limits.SMS_CHARS_MAX // 2:
        link = ""
    return gsm7_cut(words, limits.SMS_CHARS_MAX - len(link)) + link


def _value(told: Told) -> str:
    judged = told.judged
    if told.value is None and judged.value is None:
        return ""
    what = judged.field + (f" / {judged.per}" if judged.per else "")
    window = f" over {duration(judged.timeframe_s * SECOND_NS)}" if judged.timeframe_s else ""
    how = f" ({judged.aggregation}{window})" if judged.aggregation else ""
    peak = f", at worst {_amount(told, told.peak)}" if told.peak is not None and told.peak != told.value else ""
    limit = f"; {_amount(told, judged.value)} {_LIMITS.get(judged.operand, 'is its limit')}"
    return plain(f"{what} {_amount(told, told.value)}{how}{peak}{limit if judged.value is not None else ''}", 500)


def _brief(told: Told) -> str:
    if told.value is None or told.judged.value is None:
        return ""
    return f"{_amount(told, told.value)}, limit {_amount(told, told.judged.value)}"


def _amount(told: Told, value: float | None) -> str:
    return amounts.told(value, told.judged.unit)


def duration(span_ns: int) -> str:
    seconds = max(0, round(span_ns / SECOND_NS))
    parts: list[str] = []
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s")):
        if seconds >= size or (unit == "s" and not parts):
            parts.append(f"{seconds // size} {unit}")
            seconds %= size
    return " ".join(parts[:2])


def clock(at_ns: int, zone: str) -> str:
    at = dt.datetime.fromtimestamp(at_ns / SECOND_NS, zoneinfo.ZoneInfo(zone))
    return f"{at:%Y-%m-%d %H:%M:%S} {at.tzname()}"


def iso(at_ns: int) -> str:
    at = dt.datetime.fromtimestamp(at_ns // SECOND_NS, dt.UTC)
    return f"{at:%Y-%m-%dT%H:%M:%S}.{at_ns % SECOND_NS // 1_000_000:03d}Z"


__all__ = [
    "CODED",
    "advice",
    "clock",
    "cut",
    "duration",
    "facts",
    "headline",
    "iso",
    "marked",
    "preface",
    "short",
    "text",
    "title",
]
