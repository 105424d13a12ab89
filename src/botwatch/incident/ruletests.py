"""Tests of rules: given these series, exactly these incidents open and end, at these times.

They are judged by the very code that judges in production, over the ticks that the test writes down.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from botwatch import limits
from botwatch.clock import SECOND_NS, ManualClock
from botwatch.detect import check, files
from botwatch.detect.documents import Document
from botwatch.detect.durations import EXPECTED, duration_s, written
from botwatch.detect.files import read_document, read_file, text_of
from botwatch.detect.finding import Reason
from botwatch.detect.problems import Misfits, Problem
from botwatch.detect.rule import TICK_S, Rule
from botwatch.errors import BadRequest, CannotJudge
from botwatch.incident.backtest import Backtester, Would
from botwatch.incident.notation import values_of
from botwatch.incident.recorded import Recorded, Series
from botwatch.incident.steps import subject_of
from botwatch.measure.query import near

_START_S: Final = 1_800_000_000  # the beginning of an hour; tests have no date
_PIECE: Final = re.compile(r"(\d+(?:\.\d+)?) *([a-z]*)", re.IGNORECASE)


def moment_s(value: object) -> int:
    """`3m30s` after the beginning; a number counts seconds."""
    if not isinstance(value, str):
        return duration_s(value)
    text = value.replace(" ", "")
    if not re.fullmatch(rf"(?:{_PIECE.pattern})+", text, re.IGNORECASE):
        raise ValueError(f"{EXPECTED}, or several such as '3m30s', found {value[:40]!r}")
    return sum(duration_s("".join(found)) for found in _PIECE.findall(text))


def _ticks(value: object) -> Any:
    return tuple(values_of(value)) if isinstance(value, str) else value


class _Given(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)


class GivenSeries(_Given):
    measure: Annotated[str, Field(min_length=1)]
    labels: dict[str, str] = {}
    values: Annotated[tuple[float | None, ...], BeforeValidator(_ticks)]


class Expected(_Given):
    """`opens` and `ends` name a rule; `subject` is the labels of the incident, as `{host: web-1}`."""

    at: Annotated[int, BeforeValidator(moment_s)]
    opens: str = ""
    ends: str = ""
    subject: dict[str, str] = {}
    reason: Reason | None = None

    @model_validator(mode="after")
    def _one(self) -> Expected:
        if bool(self.opens) == bool(self.ends):
            raise ValueError("expected the name of a rule in either opens or ends")
        if self.at % TICK_S:
            raise ValueError(f"at: expected the end of a tick of {TICK_S} s, found {self.at} s")
        return self

    @property
    def rule(self) -> str:
        return self.opens or self.ends


class Case(_Given):
    name: Annotated[str, Field(min_length=1)]
    rules: tuple[str, ...] = ()  # only these are judged; none: all of the file
    series: Annotated[tuple[GivenSeries, ...], Field(min_length=1)]
    expect: tuple[Expected, ...] = ()


class CaseFile(_Given):
    """`rules` names files beside it, or holds rules; without it the rules there are by default are tested."""

    tests: Annotated[tuple[Case, ...], Field(min_length=1)]
    rules: Any = None


@dataclass(frozen=True, slots=True, order=True)
class Event:
    at_s: int
    what: str  # opens, ends
    rule: str
    subject: str
    told: str = field(default="", compare=False)

    def __str__(self) -> str:
        subject = f" {self.subject}" if self.subject else ""
        return f"{clock(self.at_s)} {self.what} {self.rule}{subject}{self.told}"


@dataclass(frozen=True, slots=True)
class Result:
    """`trouble` says why the test could not be run."""

    test: str
    missing: tuple[Event, ...] = ()
    surplus: tuple[Event, ...] = ()
    trouble: str = ""

    @property
    def passed(self) -> bool:
        return not (self.missing or self.surplus or self.trouble)

    def lines(self) -> Iterator[str]:
        yield f"{'pass' if self.passed else 'FAIL'}  {self.test}"
        if self.trouble:
            yield f"      {self.trouble}"
        for event in self.missing:
            yield f"      expected, but did not happen: {event}"
        for event in self.surplus:
            yield f"      happened, but not expected:  {event}"


def clock(seconds: int) -> str:
    """`3m30s`, as it is written in a test."""
    hours, minutes, rest = seconds // 3_600, seconds // 60 % 60, seconds % 60
    parts = [f"{hours}h"] * bool(hours) + [f"{minutes}m"] * bool(minutes) + [f"{rest}s"] * bool(rest)
    return "".join(parts) or "0s"


async def run_file(path: Path, defaults: Sequence[Rule]) -> list[Result]:
    """Raises `Misfits` where the file, or a file of rules it names, cannot be read."""
    given, rules = read(path, defaults)
    return [await _run(test, rules) for test in given.tests]


def read(path: Path, defaults: Sequence[Rule]) -> tuple[CaseFile, dict[str, Rule]]:
    kind = files.KINDS.get(path.suffix.lower())
    if kind is None:
        raise Misfits([Problem(str(path), "", "", f"expected a file that ends in {', '.join(files.KINDS)}")])
    document = read_document(text_of(path, str(path)), kind, str(path))
    try:
        given = CaseFile.model_validate(document.value)
    except ValidationError as error:
        raise Misfits(_problems(error, document, str(path))) from None
    rules = {rule.name: rule for rule in (_rules(given.rules, path, document) if given.rules else defaults)}
    for name, rule in list(rules.items()):
        rules[name] = check.settled(rule, rules)
    _check_names(given, rules, path)
    return given, rules


def _rules(given: Any, path: Path, document: Document) -> Iterator[Rule]:
    names = [given] if isinstance(given, str) else given
    if isinstance(names, list) and all(isinstance(name, str) for name in names):
        for name in names:
            yield from read_file(path.parent / name, name).rules
        return
    lines = {place[1:]: line for place, line in document.lines.items() if place[:1] == ("rules",)}
    yield from files.read_rules(Document(given, lines), str(path)).rules


def _check_names(given: CaseFile, rules: Mapping[str, Rule], path: Path) -> None:
    problems = [
        Problem(str(path), "", f"test {test.name!r}", f"there is no rule called {name!r}{near(name, list(rules))}")
        for test in given.tests
        for name in dict.fromkeys((*test.rules, *(expected.rule for expected in test.expect)))
        if name not in rules
    ]
    if problems:
        raise Misfits(problems)


def _problems(error: ValidationError, document: Document, source: str) -> Iterable[Problem]:
    told = error.errors(include_url=False)
    places = [tuple(found["loc"]) for found in told]
    for found in told:
        # What is missing only because a part of it could not be read is told by that part.
        if found["type"] == "too_short" and any(_within(place, found["loc"]) for place in places):
            continue
        place = tuple(found["loc"])
        where = ".".join(str(part) for part in place)
        text = found["msg"].removeprefix("Value error, ")
        yield Problem(source, "", where, text, document.line(place))


def _within(place: tuple[int | str, ...], other: tuple[int | str, ...]) -> bool:
    return len(place) > len(other) and place[: len(other)] == other


async def _run(test: Case, rules: Mapping[str, Rule]) -> Result:
    wanted = {_event(expected) for expected in test.expect}
    reasons = {_event(expected): expected.reason for expected in test.expect if expected.reason}
    ticks = max(*(len(series.values) for series in test.series), *(event.at_s // TICK_S for event in wanted), 1)
    if ticks > limits.RULE_TEST_TICKS_MAX:
        return Result(test.name, trouble=f"expected at most {limits.RULE_TEST_TICKS_MAX} ticks, found {ticks}")
    source = Recorded(_START_S, [Series(one.measure, one.labels, one.values) for one in test.series])
    end_s = _START_S + ticks * TICK_S
    backtester = Backtester(source, ManualClock(end_s * SECOND_NS))
    happened: list[Event] = []
    for rule in (rules[name] for name in test.rules) if test.rules else rules.values():
        try:
            found = await backtester.run(rule, rules, _START_S, end_s)
        except (BadRequest, CannotJudge) as error:
            return Result(test.name, trouble=f"{rule.name}: {error.message}")
        happened += [event for would in found.incidents for event in _events(rule, would, reasons)]
    missing = wanted - set(happened)
    return Result(test.name, tuple(sorted(missing)), tuple(sorted(event for event in happened if event not in wanted)))


def _event(expected: Expected) -> Event:
    what = "opens" if expected.opens else "ends"
    told = f" ({expected.reason})" if expected.reason else ""
    return Event(expected.at, what, expected.rule, subject_of(expected.subject), told)


def _events(rule: Rule, would: Would, reasons: Mapping[Event, Reason | None]) -> Iterator[Event]:
    subject = subject_of(dict(would.labels))
    value = "" if would.value is None else f", {would.value:.6g} over {written(rule.timeframe)}"
    opens = Event(would.opened_s - _START_S, "opens", rule.name, subject, f" ({would.reason}{value})")
    expected = reasons.get(opens, would.reason)
    # One for another reason is not the one that was expected.
    yield opens if expected is would.reason else Event(opens.at_s, "opens", rule.name, f"{subject} ", opens.told)
    if would.resolved_s is not None:
        yield Event(would.resolved_s - _START_S, "ends", rule.name, subject)
