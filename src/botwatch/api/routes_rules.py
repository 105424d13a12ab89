"""The rules: looking at them for everyone, changing them for admins.

A change is a row, and a row stands in place of the default rule or the file's of that name; without it, that one
counts again. The files themselves are changed where they lie.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Final

import sqlalchemy as sa
from fastapi import APIRouter, Body, Depends, Query

from botwatch import limits
from botwatch.api.auth import Admin, SignedIn
from botwatch.api.context import Context, Ctx
from botwatch.api.contract_trials import SavedRule, Tried, before_saving
from botwatch.api.pages import Cursor, Limit, cursor_of, moment, parts_of
from botwatch.api.shapes_rules import CostShape, ProblemShape, RuleItem, RulesChecked, RulesPage, RulesToCheck
from botwatch.api.telemetry import Telemetry
from botwatch.clock import SECOND_NS
from botwatch.detect import check, rows
from botwatch.detect.book import Entry, RuleBook
from botwatch.detect.files import read_text
from botwatch.detect.problems import Misfits, Problem, read_rule, unknown
from botwatch.detect.rule import TICK_S, Rule
from botwatch.errors import BadRequest, Conflict, NotFound, StateAway
from botwatch.incident.health import Health
from botwatch.incident.rows import IncidentRow
from botwatch.measure.query import Query as Asked

router = APIRouter(prefix="/api/rules", tags=["rules"])

SOURCE: Final = "api"
_SEEN_S: Final = 600
GivenRule = Annotated[dict[str, Any], Body(description="a rule, as the API gives it or as Botpress writes it")]
Unseen = Annotated[bool, Query(description="save a contract also if what it speaks of was never seen")]


async def book_of(context: Ctx) -> RuleBook:
    if context.rules is None:
        raise StateAway("This server was started without its rules.")
    return context.rules


Book = Annotated[RuleBook, Depends(book_of)]


@router.get("")
async def list_rules(
    context: Ctx,
    _: SignedIn,
    book: Book,
    source: Annotated[str, Query(max_length=limits.FILTER_CHARS_MAX, description="that begin with it")] = "",
    enabled: Annotated[bool | None, Query(description="null: both")] = None,
    cursor: Cursor = None,
    limit: Limit = 100,
) -> RulesPage:
    """By name."""
    after = "" if cursor is None else str(parts_of(cursor, str)[0])
    chosen = [
        entry
        for name, entry in sorted(book.entries.items())
        if name > after and entry.rule.source.startswith(source) and enabled in (None, entry.rule.enabled)
    ]
    shown = chosen[:limit]
    counts, health = await _open_incidents(context), _health(context)
    return RulesPage(
        items=[RuleItem.of(entry, counts[entry.rule.name], health) for entry in shown],
        next=cursor_of(shown[-1].rule.name) if len(chosen) > limit else None,
        problems=[ProblemShape.of(problem) for problem in book.problems[: limits.PAGE_ITEMS_MAX]],
        judged_until=moment(health.judged_s * SECOND_NS) if health.judged_s else None,
        paused=health.paused,
    )


@router.post("", status_code=201)
async def add_rule(context: Ctx, principal: Admin, book: Book, given: GivenRule, unseen: Unseen = False) -> SavedRule:
    """A contract is tried on the last days first."""
    rule = _fitting(book, given)
    if rule.name in book.entries:
        raise Conflict(f"There is a rule called {rule.name!r} already.", hint="change that one with PUT")
    return await _put(context, book, principal.name, rule, unseen=unseen)


@router.post("/check")
async def check_rules(context: Ctx, _: SignedIn, book: Book, given: RulesToCheck) -> RulesChecked:
    """What is wrong with them, and what they would cost, before anybody saves them."""
    rules, problems = await asyncio.to_thread(_checked, book, given)
    judged = {rule.name: rule for rule in rules}
    known = {name: entry.rule for name, entry in book.entries.items()} | judged
    cost = await asyncio.to_thread(check.cost, judged, known)
    subjects = await _subjects(context, check.series(judged, known))
    return RulesChecked(
        rules=rules, problems=[ProblemShape.of(problem) for problem in problems], cost=CostShape.of(cost, subjects)
    )


@router.get("/{name:path}")
async def show_rule(context: Ctx, _: SignedIn, book: Book, name: str) -> RuleItem:
    return await _shown(context, _entry(book, name))


@router.put("/{name:path}")
async def put_rule(
    context: Ctx, principal: Admin, book: Book, name: str, given: GivenRule, unseen: Unseen = False
) -> SavedRule:
    """Make it or change it; what is left out becomes what it is for a new rule. A contract is tried first."""
    name = name.strip()
    rule = _fitting(book, {"name": name, **given})
    if rule.name != name:
        raise BadRequest(
            f"name: expected {name!r}, as in the address, found {rule.name!r}",
            hint="to give a rule another name, add it under that name and delete the old one",
        )
    return await _put(context, book, principal.name, rule, unseen=unseen)


@router.patch("/{name:path}")
async def change_rule(
    context: Ctx, principal: Admin, book: Book, name: str, given: GivenRule, unseen: Unseen = False
) -> SavedRule:
    """Change only the fields that are given; one that is null becomes what it is for a new rule."""
    before = _entry(book, name).rule.model_dump(mode="json", by_alias=True, exclude_unset=True)
    if "field" in given:
        before.pop("by", None)
    wanted = {field: value for field, value in {**before, **given}.items() if value is not None}
    rule = _fitting(book, wanted)
    if rule.name != name.strip():
        raise BadRequest("name: a rule keeps its name", hint="add it under the other name and delete this one")
    return await _put(context, book, principal.name, rule, unseen=unseen)


@router.delete("/{name:path}", status_code=204)
async def delete_rule(context: Ctx, principal: Admin, book: Book, name: str) -> None:
    """What it stood in place of counts again."""
    entry = _entry(book, name)
    users = sorted(other for other, found in book.entries.items() if name in found.rule.parts)
    if users and entry.over is None:
        raise Conflict(f"The rule is a part of {', '.join(users[:5])}.", hint="change or delete that first")
    now_ns = context.clock.now_ns()
    if not await context.database.write(lambda session: rows.delete(session, now_ns, principal.name, name)):
        where = entry.rule.source
        raise Conflict(
            f"The rule comes from {where} and cannot be deleted here.", hint="change it with PUT to enabled: false"
        )
    await asyncio.to_thread(book.reload)


def _entry(book: RuleBook, name: str) -> Entry:
    entry = book.entries.get(name)
    if entry is None:
        raise NotFound(f"{unknown('rule', name, list(book.entries))}.", hint="/api/rules lists them all")
    return entry


def _fitting(book: RuleBook, given: Mapping[str, Any]) -> Rule:
    """The rule, if nothing at all is wrong with it."""
    try:
        rule = read_rule(given, SOURCE)
    except Misfits as error:
        raise _refused(error.problems) from None
    known = {name: entry.rule for name, entry in book.entries.items()} | {rule.name: rule}
    problems = tuple(check.problems([check.settled(rule, known)], known, book.channels, {}))
    if problems:
        raise _refused(problems)
    return rule


def _refused(problems: Iterable[Problem]) -> BadRequest:
    told = [f"{problem.field}: {problem.text}" if problem.field else problem.text for problem in problems]
    more = (
        [f"and {len(told) - limits.RULE_PROBLEMS_TOLD_MAX} more"] if len(told) > limits.RULE_PROBLEMS_TOLD_MAX else []
    )
    return BadRequest("; ".join(told[: limits.RULE_PROBLEMS_TOLD_MAX] + more), hint="POST /api/rules/check tells more")


async def _put(context: Context, book: RuleBook, who: str, rule: Rule, *, unseen: bool) -> SavedRule:
    before = book.entries.get(rule.name)
    counts_anew = before is None or not before.rule.enabled or before.rule.options != rule.options
    tried = await before_saving(context, rule, unseen=unseen) if rule.enabled and counts_anew else Tried()
    now_ns = context.clock.now_ns()
    await context.database.write(lambda session: rows.put(session, now_ns, who, rule))
    await asyncio.to_thread(book.reload)
    shown = await _shown(context, _entry(book, rule.name))
    return SavedRule(**shown.model_dump(), trial=tried.trial, warnings=list(tried.warnings))


async def _shown(context: Context, entry: Entry) -> RuleItem:
    return RuleItem.of(entry, (await _open_incidents(context))[entry.rule.name], _health(context))


def _health(context: Context) -> Health:
    return context.judgement.health if context.judgement else Health()


async def _open_incidents(context: Context) -> Counter[str]:
    query = sa.select(IncidentRow.rule, sa.func.count()).where(IncidentRow.resolved_ns.is_(None))
    found = await context.database.read(lambda session: session.execute(query.group_by(IncidentRow.rule)).all())
    return Counter({row[0]: row[1] for row in found})


def _checked(book: RuleBook, given: RulesToCheck) -> tuple[list[Rule], list[Problem]]:
    """Those that can be read, and all that is wrong, also among the rules there are."""
    rules, problems = _read(given)
    known = {name: entry.rule for name, entry in book.entries.items()} | {rule.name: rule for rule in rules}
    rules = [check.settled(rule, known) for rule in rules]
    return rules, [*problems, *check.problems(rules, known, book.channels, {})]


def _read(given: RulesToCheck) -> tuple[list[Rule], list[Problem]]:
    rules, problems = list[Rule](), list[Problem]()
    for place, one in enumerate(given.rules):
        try:
            rules.append(read_rule(one, SOURCE, f"number {place + 1}"))
        except Misfits as error:
            problems += error.problems
    if given.text:
        try:
            rules += read_text(given.text, given.format, SOURCE).rules
        except Misfits as error:
            problems += error.problems
    return rules, problems


async def _subjects(context: Context, series: Iterable[Asked]) -> int | None:
    """How many there are to judge, by what was heard of in the last minutes."""
    asked = list(series)
    if not isinstance(context.telemetry, Telemetry) or len(asked) > limits.RULES_CHECKED_MAX:
        return None
    end_s = context.clock.now_ns() // SECOND_NS // TICK_S * TICK_S
    queries = [Asked(one.measure, end_s - _SEEN_S, end_s, None, one.by, one.where) for one in asked]
    answers = await context.telemetry.measures.many(queries)
    counted = [len(answer) for answer in answers if isinstance(answer, list)]
    return sum(counted) if len(counted) == len(asked) else None
