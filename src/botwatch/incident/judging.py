"""What the ticks that have just ended do to incidents: pure, given what is live and what was before."""

from __future__ import annotations

import itertools
import math
import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from botwatch.clock import SECOND_NS
from botwatch.detect import judge
from botwatch.detect.finding import NEVER_S, Call, Reason, Subject, Verdicts
from botwatch.detect.past import Pasts
from botwatch.detect.presence import MACHINES, PRESENCE, why_quiet
from botwatch.detect.rule import TICK_S, Aggregation, Kind, NoData, Operand, Rule
from botwatch.detect.ticks import Need, last_heard
from botwatch.detect.view import Series, View
from botwatch.detect.windows import ticks_of
from botwatch.errors import CannotJudge
from botwatch.incident import words
from botwatch.incident.machine import Move, moves
from botwatch.incident.memory import Changed, Memory
from botwatch.incident.nouns import Live, Opening, Resolving, Worsening
from botwatch.incident.steps import Step, subject_of

OPENS: Final = np.int8(Call.OPENS)
CHART_TICKS: Final = 90  # before the moment, as far as they are held
Points = tuple[tuple[int, float | None], ...]


@dataclass(slots=True)
class Outcome:
    """In the order of time, so that what opens and ends within one round is written so."""

    changes: list[Changed] = field(default_factory=list)
    troubles: dict[str, str] = field(default_factory=dict)
    crowded: dict[str, str] = field(default_factory=dict)
    judged: int = 0  # rules
    left_out: int = 0  # openings there was no room for


def quiet_reach(rule: Rule) -> int:
    """How far back it matters who was there, if the rule can open because nothing came."""
    waits = rule.kind is Kind.ABSENCE or rule.no_data is NoData.OPEN or rule.operand is Operand.AT_MOST
    return ticks_of(rule.timeframe) if waits and rule.kind is not Kind.COMPOSITE else 0


class Round:
    """The judgement of `columns` ticks of which the last ends at `end_s`, for all rules."""

    def __init__(
        self,
        series: Series,
        rules: Mapping[str, Rule],
        memory: Memory,
        past: Pasts | None = None,
        *,
        end_s: int,
        columns: int,
        room: int,
    ) -> None:
        self._series = series
        self._view: View = judge.view(series, rules, past)
        self._rules = rules
        self._memory = memory
        self._end_s = end_s
        self._columns = columns
        self._room = room
        self.outcome = Outcome()

    def judge(self, names: Sequence[str]) -> Outcome:
        """The enabled rules, by name. A rule that cannot be judged is told, and leaves its incidents as they are."""
        for name in names:
            rule = self._rules[name]
            try:
                verdicts = self._view.judge(rule, self._columns)
                self.outcome.changes += self._of(rule, verdicts)
                self.outcome.judged += 1
            except CannotJudge as error:
                self.outcome.troubles[name] = error.message + (f" ({error.hint})" if error.hint else "")
        self.outcome.changes.sort(key=_at_ns)
        return self.outcome

    def _of(self, rule: Rule, verdicts: Verdicts) -> Iterator[Changed]:
        live = self._memory.of(rule.name)
        if not live and not (verdicts.calls == OPENS).any():
            return
        rows = self._rows(verdicts, live)
        yield from self._lost(rule, verdicts, live, rows)
        yield from self._worse(rule, live)
        self._note(verdicts, live, rows)
        opened: dict[int, tuple[Opening, int]] = {}
        left_out: set[int] = set()
        for move in self._moves(rule, verdicts, rows):
            if move.step is Step.OPENED and self._room <= 0:
                self.outcome.left_out += 1
                left_out.add(move.row)
            elif move.step is Step.OPENED:
                self._room -= 1
                opened[move.row] = self._opening(rule, verdicts, move), move.column
                yield opened[move.row][0]
            elif move.row in left_out:
                left_out.remove(move.row)
            else:
                yield self._resolving(rule, verdicts, move, rows.get(move.row), opened.pop(move.row, None))

    def _rows(self, verdicts: Verdicts, live: Mapping[str, Live]) -> dict[int, Live]:
        """The rows of those that have an incident."""
        if not live:
            return {}
        place: dict[Subject, int] = {subject: row for row, subject in enumerate(verdicts.subjects)}
        found = {}
        for incident in live.values():
            if incident.labels.keys() == set(verdicts.labels):
                row = place.get(tuple(incident.labels[label] for label in verdicts.labels))
                if row is not None:
                    found[row] = incident
        return found

    def _moves(self, rule: Rule, verdicts: Verdicts, rows: Mapping[int, Live]) -> list[Move]:
        ended: dict[int, int] = {}
        if rule.cooldown:
            opening = np.flatnonzero((verdicts.calls == OPENS).any(axis=1))
            for row in opening.tolist():
                at_s = self._memory.ended_s.get((rule.name, subject_of(verdicts.labelled(row))))
                if at_s is not None:
                    ended[row] = at_s
        first_end_s = self._end_s - (self._columns - 1) * TICK_S
        return moves(verdicts.calls, first_end_s=first_end_s, live=rows, resolved_s=ended, cooldown_s=rule.cooldown)

    def _lost(
        self, rule: Rule, verdicts: Verdicts, live: Mapping[str, Live], rows: Mapping[int, Live]
    ) -> Iterator[Resolving]:
        """Incidents of subjects that are not judged any more."""
        kept = {incident.id for incident in rows.values()}
        for incident in live.values():
            if incident.id not in kept:
                same = incident.labels.keys() == set(verdicts.labels)
                reason = Reason.GONE if same else Reason.RULE_CHANGED
                yield ending(incident, self._end_s, reason, words.resolved(rule, reason, None))

    def _worse(self, rule: Rule, live: Mapping[str, Live]) -> Iterator[Worsening]:
        for incident in live.values():
            if rule.severity.rank > incident.severity.rank:
                why = f"the rule is {rule.severity} now"
                yield Worsening(incident.id, self._end_s * SECOND_NS, rule.severity, why)

    def _note(self, verdicts: Verdicts, live: Mapping[str, Live], rows: Mapping[int, Live]) -> None:
        """The last value, and the worst so far."""
        for row, incident in rows.items():
            found = verdicts.found[row]
            known = found[~np.isnan(found)]
            if len(known):
                incident.note(float(known[-1]), float(known.min() if incident.low_is_bad else known.max()))

    def _opening(self, rule: Rule, verdicts: Verdicts, move: Move) -> Opening:
        at_s = self._time_of(move)
        labels = verdicts.labelled(move.row)
        reason = self._reason(rule, verdicts, move, labels)
        value = _known(verdicts.found[move.row, move.column])
        points = self._points(rule, verdicts.subjects[move.row], at_s)
        evidence: dict[str, Any] = {
            "measure": rule.field,
            "unit": words.unit_of(rule),
            "points": list(map(list, points)),
        }
        if reason not in (Reason.BREACHED, Reason.COMBINED):
            evidence["last_heard_s"] = self._last_heard(rule, labels, at_s)
        usual = words.Usual.of(rule, verdicts, move.row, move.column)
        if usual is not None:
            evidence["usual"] = usual.row()
        if rule.parts:
            evidence["parts"] = list(rule.parts)
        return Opening(
            secrets.token_hex(16),
            rule.name,
            subject_of(labels),
            labels,
            rule.severity,
            reason,
            words.opened(rule, labels, reason, value, usual),
            value,
            began_s(rule, points, at_s, quiet=bool(verdicts.quiet[move.row, move.column]), usual=usual) * SECOND_NS,
            at_s * SECOND_NS,
            rule.model_dump(mode="json", by_alias=True),
            evidence,
        )

    def _resolving(
        self, rule: Rule, verdicts: Verdicts, move: Move, live: Live | None, opened: tuple[Opening, int] | None
    ) -> Resolving:
        at_s = self._time_of(move)
        value = _known(verdicts.found[move.row, move.column])
        reason = Reason.GONE if verdicts.gone[move.row, move.column] else Reason.RECOVERED
        points = self._points(rule, verdicts.subjects[move.row], at_s)
        why = words.resolved(rule, reason, value)
        if opened is not None:
            opening, column = opened
            found = verdicts.found[move.row, column : move.column + 1]
            worst = np.fmin if rule.operand is Operand.AT_MOST else np.fmax
            return Resolving(opening.id, at_s * SECOND_NS, reason, why, value, _known(worst.reduce(found)), points)
        incident_id, peak = (live.id, live.peak) if live else ("", None)
        return Resolving(incident_id, at_s * SECOND_NS, reason, why, value, peak, points)

    def _reason(self, rule: Rule, verdicts: Verdicts, move: Move, labels: Mapping[str, str]) -> Reason:
        if rule.kind is Kind.COMPOSITE:
            return Reason.COMBINED
        if not verdicts.quiet[move.row, move.column]:
            return Reason.BREACHED
        counts = self._series(Need(rule.field, rule.labels, rule.where)).counts
        at_s, width = self._time_of(move), ticks_of(rule.timeframe)
        try:
            presence = self._series(PRESENCE).until(at_s)
        except CannotJudge:
            return Reason.NO_EVENTS if counts else Reason.NO_DATA
        try:
            machines = self._series(MACHINES).until(at_s)
        except CannotJudge:
            machines = None
        return why_quiet(labels, presence, machines, width, counts=counts)

    def _points(self, rule: Rule, subject: Subject, at_s: int) -> Points:
        """The ticks of the measure before the moment; a ratio's are those of what is divided."""
        if not rule.field:
            return ()
        ticks = self._series(Need(rule.field, rule.labels, rule.where)).until(at_s).tail(CHART_TICKS)
        if subject not in ticks.subjects:
            return ()
        values = ticks.values[ticks.subjects.index(subject)]
        starts = range(ticks.first_s, at_s, TICK_S)
        points = [(start, _known(value)) for start, value in zip(starts, values, strict=True)]
        return tuple(itertools.dropwhile(lambda point: point[1] is None, points))

    def _last_heard(self, rule: Rule, labels: Mapping[str, str], at_s: int) -> dict[str, int]:
        """Of the series itself and of bot and host: to the tick, or to the hour where it is longer ago."""
        found: dict[str, int] = {}
        asked = (("series", Need(rule.field, rule.labels, rule.where), labels), *_places(labels))
        for name, need, wanted in asked:
            try:
                ticks = self._series(need).until(at_s)
            except CannotJudge:
                continue
            places = [(ticks.labels.index(label), value) for label, value in wanted.items() if label in ticks.labels]
            rows = [row for row, s in enumerate(ticks.subjects) if all(s[place] == value for place, value in places)]
            values = ticks.values[rows]
            values = np.where(values == 0, np.nan, values) if ticks.counts else values
            heard = max(
                last_heard(values, ticks.first_s).max(initial=NEVER_S), ticks.heard_s[rows].max(initial=NEVER_S)
            )
            if heard > NEVER_S:
                found[name] = int(heard)
        return found

    def _time_of(self, move: Move) -> int:
        """A verdict is of the moment its last tick ended."""
        return self._end_s - (self._columns - 1 - move.column) * TICK_S


def ending(incident: Live, end_s: int, reason: Reason, why: str) -> Resolving:
    """Of an incident that no verdict ends."""
    return Resolving(incident.id, end_s * SECOND_NS, reason, why, None, incident.peak)


def began_s(rule: Rule, points: Points, at_s: int, *, quiet: bool, usual: words.Usual | None = None) -> int:
    """When what is wrong began, as far as the ticks show: the silence, the first of what was summed up, or the
    first tick of those beyond the limit that led to this."""
    window_s = at_s - ticks_of(rule.timeframe) * TICK_S
    hold_s = at_s - ticks_of(rule.hold) * TICK_S
    if usual is not None:
        return usual.since_s(at_s)
    if quiet:
        heard = [start for start, value in points if value]
        return heard[-1] + TICK_S if heard else min(window_s, hold_s)
    if rule.kind is Kind.RATIO and rule.aggregation is Aggregation.SUM and rule.operand is Operand.AT_LEAST:
        return _rose_s(points, window_s, at_s)
    one_measure = rule.kind in (Kind.THRESHOLD, Kind.CONTRACT)
    if one_measure and rule.aggregation is Aggregation.SUM:
        counted = [start for start, value in points if value and start >= min(window_s, hold_s)]
        return counted[0] if counted else hold_s
    began = at_s - TICK_S
    for start, value in reversed(points if one_measure else ()):
        if value is None:
            continue
        if not rule.operand.holds(value, rule.value):
            break
        began = start
    return min(began, hold_s)


def _rose_s(points: Points, from_s: int, at_s: int) -> int:
    """The first tick of the window since which what is counted comes at a higher rate, best told so."""
    counts = [(start, value or 0.0) for start, value in points]
    total, best, began, before = sum(value for _, value in counts), 0.0, at_s - TICK_S, 0.0
    for place, (start, value) in enumerate(counts):
        after, rest = total - before, len(counts) - place
        if start >= from_s and value and (not place or after / rest > before / place):
            told = _likely(before, place) + _likely(after, rest) - _likely(total, len(counts))
            if told > best or not place:
                best, began = told, start
        before += value
    return began


def _likely(count: float, ticks: int) -> float:
    return count * math.log(count / ticks) if count and ticks else 0.0


def _known(value: float) -> float | None:
    return None if math.isnan(value) else float(value)


def _places(labels: Mapping[str, str]) -> Iterator[tuple[str, Need, dict[str, str]]]:
    for label in ("bot", "host"):
        if labels.get(label):
            yield label, PRESENCE, {label: labels[label]}


def _at_ns(change: Changed) -> int:
    return change.started_ns if isinstance(change, Opening) else change.at_ns
