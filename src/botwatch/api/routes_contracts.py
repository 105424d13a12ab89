"""What must follow what: how often it did, where it did not, and what a contract would have counted.

A contract is a rule: it is made, changed and deleted as any other, under /api/rules.
"""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import APIRouter, Query

from botwatch.api.asking import Listed, Name, Timed
from botwatch.api.context import Ctx
from botwatch.api.contract_trials import trial_of, way_of
from botwatch.api.pages import Page, moment
from botwatch.api.reads import contracts as reads
from botwatch.api.reads.contracts import REPLIES, Counts
from botwatch.api.routes_rules import Book
from botwatch.api.shapes_contracts import (
    BreachShape,
    ContractShape,
    ContractsShape,
    ContractState,
    ContractToCheck,
    TermShape,
    TrialShape,
    words,
)
from botwatch.api.shapes_rules import ProblemShape
from botwatch.api.telemetry import Asks
from botwatch.clock import SECOND_NS
from botwatch.detect.book import Entry, RuleBook
from botwatch.detect.contract import Terms, read
from botwatch.detect.problems import Misfits, Problem, read_rule, unknown
from botwatch.detect.rule import Kind, Rule
from botwatch.errors import BadRequest, NotFound
from botwatch.limits import CONTRACTS_MAX
from botwatch.settings import Settings
from botwatch.watch.contracts.settler import enabled

router = APIRouter(prefix="/api/contracts", tags=["contracts"])

_FEW: Final = 10


class BreachesAsked(Listed, Timed):
    bot: Name | None = None
    channel: Name | None = None
    followed: bool | None = None


@router.get("")
async def list_contracts(asks: Asks, book: Book, asked: Annotated[Timed, Query()]) -> ContractsShape:
    """All contracts and how they were kept over a window (the last day if none is said)."""
    window = asked.window(asks.now_ns, asks.zone, "24h")
    counted = await reads.counts(asks.telemetry.measures, window.from_ns // SECOND_NS, -(-window.to_ns // SECOND_NS))
    first = await reads.first_counted(asks.store, window)
    items = [_replies(asks.settings, counted.get(REPLIES, Counts()), first.get(REPLIES))]
    beyond = {rule.name for rule in enabled(book.rules())[CONTRACTS_MAX:]}
    for name, entry in book.entries.items():
        if entry.rule.kind is Kind.CONTRACT:
            items.append(_contract(entry, counted.get(name, Counts()), first.get(name), beyond=name in beyond))
    items.sort(key=lambda item: item.name)
    return ContractsShape(items=items, start=moment(window.from_ns), end=moment(window.to_ns))


@router.post("/check")
async def check_contract(context: Ctx, asks: Asks, book: Book, given: ContractToCheck) -> TrialShape:
    """What a contract would have counted over stored history, with its newest breaches. Nothing is saved."""
    rule = _wanted(book, given)
    window = Timed.model_validate({"period": given.period}).window(asks.now_ns, asks.zone, "24h")
    return await trial_of(asks.store, way_of(context), rule, window, asks.now_ns)


@router.get("/{name:path}/breaches")
async def list_breaches(
    asks: Asks, book: Book, name: str, asked: Annotated[BreachesAsked, Query()]
) -> Page[BreachShape]:
    """What was not followed in time, the newest first: its session, and the pages that show it."""
    if name != REPLIES:
        _entry(book, name)
    window = asked.window(asks.now_ns, asks.zone, "24h")
    deadline_us = asks.settings.turn_deadline_seconds * 1_000_000
    wanted = reads.Wanted(name, window, asked.bot, asked.channel, asked.followed, deadline_us)
    return await reads.breaches(asks.store, wanted, asked.limit, asked.cursor)


def _entry(book: RuleBook, name: str) -> Entry:
    entry = book.entries.get(name)
    if entry is None or entry.rule.kind is not Kind.CONTRACT:
        known = [REPLIES, *(known for known, found in book.entries.items() if found.rule.kind is Kind.CONTRACT)]
        raise NotFound(f"{unknown('contract', name, known)}.", hint="GET /api/contracts lists them")
    return entry


def _wanted(book: RuleBook, given: ContractToCheck) -> Rule:
    if isinstance(given.rule, str):
        return _entry(book, given.rule).rule
    try:
        rule = read_rule(given.rule, "api")
    except Misfits as error:
        raise BadRequest("; ".join(f"{one.field}: {one.text}" for one in error.problems)) from None
    if rule.kind is not Kind.CONTRACT:
        raise BadRequest(
            f"kind: expected contract, found {rule.kind}", hint="POST /api/rules/backtest tries other rules"
        )
    return rule


def _contract(entry: Entry, counts: Counts, first_ns: int | None, *, beyond: bool) -> ContractShape:
    contract = read(entry.rule.options)
    when, then = words(contract)
    text = f"only the first {CONTRACTS_MAX} contracts by name are counted"
    problems = (*entry.problems, *([Problem(entry.rule.source, entry.rule.name, "", text)] if beyond else []))
    return ContractShape(
        name=entry.rule.name,
        source=entry.rule.source,
        enabled=entry.rule.enabled,
        state=_state(counts, enabled=entry.rule.enabled, sound=entry.judged and not beyond),
        when=when,
        then=then,
        same=contract.same,
        terms=[TermShape.of(terms) for terms in contract.all_terms()],
        kept=counts.kept,
        breached=counts.breached,
        late=counts.late,
        rate=counts.rate,
        counted_since=moment(first_ns),
        problems=[ProblemShape.of(problem) for problem in problems],
    )


def _replies(settings: Settings, counts: Counts, first_ns: int | None) -> ContractShape:
    """Settled with the turns and judged by their rules; here so that all promises stand in one place."""
    return ContractShape(
        name=REPLIES,
        source="turns",
        enabled=True,
        state=_state(counts, enabled=True, sound=True),
        when="message in",
        then=["message out", "event bot.handoff"],
        same="session",
        terms=[TermShape.of(Terms(None, None, settings.turn_deadline_seconds, None))],
        kept=counts.kept,
        breached=counts.breached,
        late=counts.late,
        rate=counts.rate,
        counted_since=moment(first_ns),
        problems=[],
    )


def _state(counts: Counts, *, enabled: bool, sound: bool) -> ContractState:
    if not enabled or not sound:
        return ContractState.OFF if not enabled else ContractState.BROKEN
    if not counts.known:
        return ContractState.NO_DATA
    if counts.breached:
        return ContractState.BREACHED
    return ContractState.FEW if counts.known < _FEW else ContractState.KEPT
