"""What a rule of each kind is asked for, in the words of the pages."""

from __future__ import annotations

from typing import Any, Final

from botwatch.api.forms import FieldShape, FieldType, Hint, KindShape, Suggest, fields_of
from botwatch.detect.contract import Contract
from botwatch.detect.plan import Options as BaselineOptions
from botwatch.detect.rule import Kind, Rule

DRIFT: Final = "drift"
_DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_HAPPENS: Final = (
    "message in", "message out", "message bot", "message human", "handoff", "event NAME", "action NAME",
    "payload SOURCE", "put QUEUE", "expected NAME",
)  # fmt: skip
_FOLLOWS: Final = (
    "message out", "message bot", "message human", "handoff", "event NAME", "action NAME", "payload SOURCE",
    "done QUEUE", "met NAME",
)  # fmt: skip
_LEFT_OUT: Final = Hint(left_out=True)  # it is written in one with what
_ATTRIBUTES: Final = Hint("Whose attributes are", "name=value; of a payload the fields of its document", more=True)

_OF_RULES: Final = {
    "field": Hint("Measure", suggest=Suggest.MEASURES, example="errors.count"),
    "per": Hint("Divided by the measure", suggest=Suggest.MEASURES, example="turns.count", required=True),
    "aggregation": Hint("Its", "how the values of that time become one"),
    "operand": Hint("is"),
    "value": Hint("Value", required=True),
    "timeframe": Hint("Over", "the time that is looked at, again every ten seconds"),
    "for": Hint("And stays so for", "before anybody hears of it", more=True),
    "by": Hint("For each", "one incident for each; everything: one for all together", suggest=Suggest.LABELS),
    "where": Hint("Only where", suggest=Suggest.CONDITIONS, example="bot=shop"),
    "recover": Hint("Over again at", "where an open incident ends; empty: at the value itself", more=True),
    "guard": Hint("Only where enough came of", "a measure", suggest=Suggest.MEASURES, more=True),
    "guard_min": Hint("Enough is", "so much of it over that time", more=True),
    "no_data": Hint(
        "Without any value",
        "ok: nothing is wrong; keep: nothing changes; open: as bad as a breach; resolve: what is open is over",
        more=True,
    ),
    "cooldown": Hint("Not again within", "of the end of the last incident", more=True),
    "depends_on": Hint("Quiet while these are open", "of the same subject", suggest=Suggest.RULES, more=True),
    "severity": Hint("Severity", "critical pages, a warning is told, info waits for the daily digest"),
    "notify": Hint("Notify", "none: as the routes say", suggest=Suggest.CHANNELS),
    "message": Hint("What to do about it"),
    "runbook": Hint("Runbook", "an address", example="https://wiki.example/runbook"),
    "all": Hint("All of these at once", suggest=Suggest.RULES),
    "any": Hint("Any of these", "name all or any, and not both", suggest=Suggest.RULES),
}  # fmt: skip
_OF_BASELINES: Final = {
    "options.side": Hint("Which side is bad", "empty: as the measure says, else both"),
    "options.sensitivity": Hint("Sensitivity", "how seldom it may be wrong by chance: low tells least"),
    "options.change": Hint("Differs by at least", "of what is usual", type=FieldType.PERCENT, more=True),
    "options.expected_min": Hint("Where at least so many are usual", more=True),
    "options.beside": Hint("Against the others of the same bot", "a holiday, when all fall, is none of it", more=True),
}
_OF_CONTRACTS: Final = {
    "options.when": Hint("When"),
    "options.when.name": _LEFT_OUT,
    "options.then.name": _LEFT_OUT,
    "options.when.what": Hint("this happens", type=FieldType.TEXT, choices=_HAPPENS, example="handoff"),
    "options.when.where": _ATTRIBUTES,
    "options.then": Hint("Then one of these must follow", required=True),
    "options.then.what": Hint("this follows", type=FieldType.TEXT, choices=_FOLLOWS, example="message human"),
    "options.then.where": _ATTRIBUTES,
    "options.within": Hint("Within", required=True, default="15m"),
    "options.same": Hint("Of the same", "what both have in common; empty: as it suits what happens", more=True),
    "options.hours": Hint("Only while somebody is there", "time counts in these hours only", more=True),
    "options.hours.days": Hint("Days", choices=_DAYS, default=_DAYS[:5]),
    "options.hours.from": Hint("From", type=FieldType.TIME),
    "options.hours.to": Hint("To", type=FieldType.TIME),
    "options.hours.zone": Hint("Time zone", "empty: the server's", suggest=Suggest.ZONES),
    "options.hours.closed": Hint("Closed on", "days such as 2026-12-25"),
    "options.terms": Hint("Another deadline", "the first that fits a bot and channel counts", more=True),
    "options.terms.bot": Hint("Bot", suggest=Suggest.BOTS),
    "options.terms.channel": Hint("Channel"),
    "options.terms.within": Hint("Within"),
    "options.terms.hours": Hint("Hours"),
    "options.terms.hours.days": Hint("Days", choices=_DAYS, default=_DAYS[:5]),
    "options.terms.hours.from": Hint("From", type=FieldType.TIME),
    "options.terms.hours.to": Hint("To", type=FieldType.TIME),
    "options.terms.hours.zone": Hint("Time zone", suggest=Suggest.ZONES),
    "options.terms.hours.closed": Hint("Closed on"),
}
_TOLD: Final = ("severity", "notify", "message", "runbook")
_SELDOM: Final = ("for", "guard", "guard_min", "no_data", "cooldown", "depends_on")
_LIMIT: Final = ("aggregation", "operand", "value", "timeframe", "by", "where")
_CALLED: Final = {"for": "hold"}


def kinds() -> list[KindShape]:
    """The kinds of the engine, and those that are one of them with something already said."""
    return [
        _kind(Kind.THRESHOLD, "a measure against a limit", ("field", *_LIMIT), "recover"),
        _kind(
            Kind.RATIO,
            "one measure divided by another, such as failures of all",
            ("field", "per", *_LIMIT),
            "recover",
            given={"kind": Kind.RATIO.value, "aggregation": "sum"},
            hints={
                "field": Hint("Measure", suggest=Suggest.MEASURES, example="turns.unanswered", required=True),
                "aggregation": Hint("Their", default="sum"),
                "value": Hint("Value", type=FieldType.PERCENT, required=True),
                "recover": Hint("Over again at", type=FieldType.PERCENT, more=True),
            },
        ),
        _kind(
            Kind.ABSENCE,
            "nothing comes any more of what came within the last day",
            ("field", "timeframe", "by", "where"),
            given={"kind": Kind.ABSENCE.value, "timeframe": "10m"},
            hints={"timeframe": Hint("Nothing for", default="10m")},
        ),
        _kind(
            Kind.BASELINE,
            "what is unusual for this hour of the week",
            ("field", "by", "where"),
            "timeframe",
            hints={"timeframe": Hint("Over", "of shares and means only", default="15m", more=True)},
        ),
        _kind(Kind.COMPOSITE, "other rules, all at once or any of them", ("all", "any", "by")),
        _kind(
            Kind.CONTRACT,
            "what must follow what, and within which time",
            (),
            "value", "timeframe", "by",
            hints={
                "value": Hint("So many breaches open an incident", default=1, more=True),
                "timeframe": Hint("Over", default="15m", more=True),
                "by": Hint("For each", suggest=Suggest.LABELS, default=("bot", "channel"), more=True),
                "no_data": Hint("Without any value", "nothing had to follow", default="ok", more=True),
            },
        ),
        _kind(
            DRIFT,
            "documents of a source are not what they were",
            ("where", "value"),
            given={"kind": Kind.THRESHOLD.value, "field": "payload.drift", "aggregation": "last", "timeframe": "3m"},
            hints={
                "where": Hint("Only where", suggest=Suggest.CONDITIONS, example="source=orders"),
                "value": Hint("Changed places, at least", required=True, default=1),
            },
        ),
    ]  # fmt: skip


def _kind(
    name: str,
    help: str,
    fields: tuple[str, ...],
    *more: str,
    given: dict[str, Any] | None = None,
    hints: dict[str, Hint] | None = None,
) -> KindShape:
    measured = {"field": Hint("Measure", suggest=Suggest.MEASURES, required=True, example="errors.count")}
    told = _OF_RULES | (measured if "field" in fields else {}) | (hints or {})
    alone = name in (Kind.COMPOSITE, Kind.ABSENCE)  # nothing to count beside it
    seldom = [one for one in (*more, *_SELDOM) if one not in fields and not (alone and "guard" in one)]
    named = fields_of(Rule, told, [_CALLED.get(one, one) for one in ("name", *fields, *_TOLD, *seldom)])
    if options := _options(name):
        named.insert(1 + len(fields), options)
    return KindShape(name=name, help=help, options=named, given=given or {"kind": str(name)})


def _options(name: str) -> FieldShape | None:
    model, hints = {
        Kind.BASELINE: (BaselineOptions, _OF_BASELINES),
        Kind.CONTRACT: (Contract, _OF_CONTRACTS),
    }.get(name, (None, {}))  # type: ignore[call-overload]
    if model is None:
        return None
    fields = fields_of(model, hints, path="options")
    return FieldShape(
        name="options", title="", help="", type=FieldType.GROUP, secret=False, required=True, fields=fields
    )
