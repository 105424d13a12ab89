"""What bots store, checked from outside by a query that was declared: how fresh it is, and how much of it is invalid.

    [states.basket]
    url = "postgresql://reader@db/shop"
    age = "SELECT max(updated_at) FROM baskets"
    stale_s = 3600
    invalid = "SELECT count(*) FROM baskets WHERE total < 0"
    bot = "shop"

It becomes the same `bot.state.*` metrics a bot sends itself. Where the store does not answer, nothing is said of what
it holds: `bot.state.watched` is 0 then, with the reason.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError

from botwatch import limits
from botwatch.clock import SECOND_NS, Clock
from botwatch.errors import SettingError
from botwatch.watch import states_ask
from botwatch.watch.asking import Reason, Target, Trouble, asked, every, offset_s
from botwatch.watch.reading import Attributes, Happening, Kind, Reading, Reporter

log = logging.getLogger(__name__)

NAME: Final = "bot.state.name"
AGE, INVALID, ITEMS, WATCHED = "bot.state.age", "bot.state.invalid", "bot.state.invalid_items", "bot.state.watched"
REASON: Final = "bot.state.reason"
_SQLITE: Final = "sqlite:///"
_NAMES: Final = re.compile(rf"[\w.-]{{1,{limits.NAME_CHARS_MAX}}}")


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    url: str = Field(min_length=1, max_length=2_048)
    user: str = Field(default="", max_length=limits.SECRET_CHARS_MAX)
    password: SecretStr = SecretStr("")
    password_file: Path | None = None
    age: str = Field(default="", max_length=limits.STATE_QUERY_CHARS_MAX)
    stale_s: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    invalid: str = Field(default="", max_length=limits.STATE_QUERY_CHARS_MAX)
    every_s: float = Field(default=60.0, ge=limits.STATE_EVERY_S_MIN, le=limits.STATE_EVERY_S_MAX)
    timeout_s: float = Field(default=5.0, gt=0, le=limits.STATE_WAIT_S_MAX)
    bot: str = Field(default="", max_length=limits.NAME_CHARS_MAX)


@dataclass(frozen=True, slots=True)
class State:
    """One thing that is stored. `age` answers a moment or seconds, `invalid` how many items do not hold.

    Where a look finds it older than `stale_s`, or anything of it invalid, it has failed its check.
    """

    name: str
    target: Target
    age: str
    stale_s: float | None
    invalid: str
    every_s: float
    timeout_s: float
    bot: str


def configured(tables: Mapping[str, Mapping[str, Any]]) -> list[State]:
    """All of them, or a `SettingError` that names the table and its line, and shows no value."""
    if len(tables) > limits.STATES_MAX:
        raise SettingError(f"states: expected at most {limits.STATES_MAX} tables, found {len(tables)}")
    return [_state(name, table) for name, table in sorted(tables.items())]


def _state(name: str, given: Mapping[str, Any]) -> State:
    if not _NAMES.fullmatch(name):
        raise SettingError(f"states: a table's name is 1 to {limits.NAME_CHARS_MAX} letters, digits, dots and dashes")
    try:
        table = _Table.model_validate(given)
        target = _target(table)
        questions = {"age": table.age, "invalid": table.invalid}
        if not any(questions.values()):
            raise SettingError("age: expected a query in age or invalid, found none")
        if table.stale_s is not None and not table.age:
            raise SettingError("stale_s: expected a query in age too, that tells how old it is")
        for line, question in questions.items():
            if question:
                _checked(target, line, question)
    except ValidationError as error:
        problems = error.errors(include_input=False, include_url=False)
        told = "; ".join(f"states.{name}.{'.'.join(map(str, p['loc']))}: {p['msg']}" for p in problems)
        raise SettingError(told) from None
    except SettingError as error:
        raise SettingError(f"states.{name}.{error.message}") from None
    return State(name, target, table.age, table.stale_s, table.invalid, table.every_s, table.timeout_s, table.bot)


def _target(table: _Table) -> Target:
    if table.url.startswith(_SQLITE):
        if len(table.url) == len(_SQLITE):
            raise SettingError("url: expected a file, as in sqlite:////var/lib/bot/state.db")
        return Target(table.url)
    target = Target.of(table.url, user=table.user, password=table.password, password_file=table.password_file)
    known = sorted(states_ask.SQL | states_ask.REDIS)
    if target.scheme not in known:
        raise SettingError(f"url: expected one of {', '.join(f'{scheme}://' for scheme in known)}")
    return target


def _checked(target: Target, line: str, question: str) -> None:
    try:
        states_ask.check(target, question)
    except SettingError as error:
        raise SettingError(f"{line}: {error.message}") from None


class StateWatch:
    """All that are watched. `run` until told to stop."""

    def __init__(self, states: Sequence[State], reporter: Reporter, clock: Clock) -> None:
        self._watches = [Watch(state, reporter, clock) for state in states]

    async def run(self, stop: asyncio.Event) -> None:
        async with asyncio.TaskGroup() as group:
            for watch in self._watches:
                group.create_task(watch.run(stop))


class Watch:
    """One state, and what was last found of it."""

    def __init__(self, state: State, reporter: Reporter, clock: Clock) -> None:
        self._state = state
        self._store = states_ask.made(state.target, state.timeout_s)
        self._reporter = reporter
        self._clock = clock
        self._failed = 0  # looks that found it stale or invalid
        self._invalid = False
        self._trouble: Trouble | None = None

    async def run(self, stop: asyncio.Event) -> None:
        beat_s = self._state.every_s
        if self._is_checked:
            self._report([self._failures()], ())  # from 0 on, so that the first failure counts
        try:
            await every(beat_s, stop, self.once, after_s=min(1.0, offset_s(self._state.name, beat_s)))
        finally:
            await self._store.close()

    async def once(self) -> None:
        """Look, and report whatever came of it."""
        try:
            age_s, items = await asked(self._look, self._state.timeout_s)
        except Trouble as trouble:
            self._away(trouble)
            return
        readings = [Reading(WATCHED, 1, "1", self._about({}))]
        if age_s is not None:
            readings.append(Reading(AGE, age_s, "s", self._about({})))
        if items is not None:
            readings.append(Reading(ITEMS, items, "{item}", self._about({})))
        wrong = self._wrong(age_s, items)
        if self._is_checked:
            self._failed += bool(wrong)
            readings.append(self._failures())
        self._report(readings, [*self._back(), *self._judged(wrong)])

    @property
    def _is_checked(self) -> bool:
        return bool(self._state.invalid) or self._state.stale_s is not None

    def _failures(self) -> Reading:
        return Reading(INVALID, self._failed, "{check}", self._about({}), Kind.COUNTER)

    def _wrong(self, age_s: float | None, items: float | None) -> str:
        """What its check found; empty where it holds."""
        name, stale_s = self._state.name, self._state.stale_s
        if items:
            return f"{items:g} items of {name} are invalid"
        if stale_s is not None and age_s is not None and age_s > stale_s:
            return f"{name} was last made fresh {age_s:.0f} s ago, and is stale after {stale_s:g} s"
        return ""

    async def _look(self) -> tuple[float | None, float | None]:
        age_s = items = None
        if self._state.age:
            age_s = states_ask.seconds_of(await self._store.value(self._state.age), self._clock.now_ns() / SECOND_NS)
            if age_s is None:
                raise Trouble(Reason.ANSWER, "the query for its age answered no time and no number of seconds")
        if self._state.invalid:
            items = states_ask.number_of(await self._store.value(self._state.invalid))
            if items is None or items < 0:
                raise Trouble(Reason.ANSWER, "the query for what is invalid answered no count")
        return age_s, items

    def _judged(self, wrong: str) -> Iterator[Happening]:
        """Told when it changes."""
        if bool(wrong) != self._invalid:
            self._invalid = bool(wrong)
            event, text = (
                ("bot.state.broken", wrong) if wrong else ("bot.state.mended", f"{self._state.name} holds again")
            )
            yield Happening(event, text, self._about({}), warning=bool(wrong))

    def _away(self, trouble: Trouble) -> None:
        happenings = []
        if self._trouble is None or self._trouble.reason is not trouble.reason:
            text = f"the state {self._state.name} is not seen: {trouble.message}"
            log.warning(text)
            happenings = [Happening("bot.state.away", text, self._about({REASON: trouble.reason}), warning=True)]
        self._trouble = trouble
        self._report([Reading(WATCHED, 0, "1", self._about({REASON: trouble.reason}))], happenings)

    def _back(self) -> Iterator[Happening]:
        if self._trouble is not None:
            text = f"the state {self._state.name} is seen again"
            log.info(text)
            yield Happening("bot.state.back", text, self._about({}))
        self._trouble = None

    def _report(self, readings: Sequence[Reading], happenings: Sequence[Happening]) -> None:
        resource = {"bot.name": self._state.bot} if self._state.bot else {}
        self._reporter.report(resource, readings, happenings)

    def _about(self, more: Attributes) -> Attributes:
        return {NAME: self._state.name, **more}
