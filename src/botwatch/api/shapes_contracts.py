"""Contracts, what was kept of them and what was not, as the API gives them."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any, Self
from urllib.parse import quote, urlencode

from pydantic import BaseModel, Field

from botwatch.api.pages import moment
from botwatch.api.shapes_auth import Given
from botwatch.api.shapes_rules import ProblemShape
from botwatch.detect.contract import Contract, Terms
from botwatch.detect.durations import written
from botwatch.watch.contracts.trial import Breach, Trial


class ContractState(StrEnum):
    """How a contract is doing in the window."""

    OFF = "off"
    BROKEN = "broken"  # it cannot be counted or judged as it stands
    NO_DATA = "no_data"  # nothing had to be followed, as far as is known
    FEW = "few"  # too few for the rate to say much
    KEPT = "kept"
    BREACHED = "breached"


class TermShape(BaseModel):
    bot: str | None = Field(description="null: any")
    channel: str | None
    within: str
    hours: str | None = Field(description="when the time counts; null: always")

    @classmethod
    def of(cls, terms: Terms) -> Self:
        hours = None
        if terms.hours is not None:
            days = ", ".join(("mon", "tue", "wed", "thu", "fri", "sat", "sun")[day] for day in terms.hours.days)
            times = "-".join(f"{at // 60:02}:{at % 60:02}" for at in (terms.hours.from_, terms.hours.to))
            hours = " ".join(filter(None, (days, times, terms.hours.zone)))
        return cls(bot=terms.bot, channel=terms.channel, within=written(terms.within_s), hours=hours)


class ContractShape(BaseModel):
    """`late` is part of `breached`: it was followed, after its deadline."""

    name: str
    source: str = Field(
        description="of its rule: default, file:NAME, api; turns: settled with the turns, without a rule"
    )
    enabled: bool
    state: ContractState
    when: str
    then: list[str]
    same: str = Field(description="what both have in common")
    terms: list[TermShape] = Field(description="the first that fits a bot and channel counts; the last fits all")
    kept: int
    breached: int
    late: int
    rate: float | None = Field(description="percent followed in time, of all of which it is known; null: of none")
    counted_since: datetime | None = Field(description="the first in the window; null: there is none")
    problems: list[ProblemShape]


class ContractsShape(BaseModel):
    items: list[ContractShape] = Field(description="by name")
    start: datetime
    end: datetime


class BreachShape(BaseModel):
    bot: str
    channel: str
    session: str | None
    id: str = Field(description="what both have in common: the session, or an id of a job, trace or expectation")
    at: datetime
    due: datetime
    followed: datetime | None = Field(description="late; null: not at all, as far as is known")
    about: str
    trace: str | None
    correlation: str | None
    links: list[dict[str, str]] = Field(description="`name` and `url` of the pages that show it")

    @classmethod
    def of(cls, found: Breach) -> Self:
        return cls(
            bot=found.bot,
            channel=found.channel,
            session=found.session_id or None,
            id=found.id.replace("\0", " "),
            at=moment(found.at_us * 1_000),
            due=moment(found.due_us * 1_000),
            followed=moment(None if found.followed_us is None else found.followed_us * 1_000),
            about=found.about,
            trace=found.trace_id or None,
            correlation=found.correlation_id or None,
            links=_links(found),
        )


class ContractToCheck(Given):
    """A rule of kind contract: as a whole, or the name of one there is."""

    rule: dict[str, Any] | str
    period: str = "24h"


class TrialShape(BaseModel):
    """What it would have counted; `open` is not due yet."""

    name: str
    start: datetime
    end: datetime
    kept: int
    breached: int
    late: int
    open: int
    rate: float | None = Field(description="percent followed in time; null: nothing had to be followed")
    examples: list[BreachShape] = Field(description="the newest breaches")
    warnings: list[str] = Field(default=[], description="what whoever saves it should know: what of it was never seen")

    @classmethod
    def of(cls, name: str, found: Trial, from_ns: int, to_ns: int) -> Self:
        return cls(
            name=name,
            start=moment(from_ns),
            end=moment(to_ns),
            kept=found.kept,
            breached=found.breached + found.late,
            late=found.late,
            open=found.open,
            rate=found.rate,
            examples=[BreachShape.of(one) for one in found.examples],
        )


def words(contract: Contract) -> tuple[str, list[str]]:
    told = [
        " ".join((one.what, one.name, *(f"{path}={value}" for path, value in one.where.items())))
        for one in (contract.when, *contract.then)
    ]
    return told[0], told[1:]


def _links(found: Breach) -> list[dict[str, str]]:
    links = []
    if found.session_id:
        page = f"/conversations/{quote(found.session_id, safe='')}?{urlencode({'bot': found.bot})}"
        links.append({"name": "Conversation", "url": page})
    if found.trace_id:
        links.append({"name": "Trace", "url": f"/traces/{found.trace_id}"})
    return links
