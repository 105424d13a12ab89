"""What a rule is: one shape for all of them, a superset of Botpress's.

A rule is plain data. It says which measure is judged, how its ticks become one value, what that value
must not be, and for whom it is judged (`by`: one incident for each subject). Whoever reads one from a
file, the API or a foreign configuration makes this; whoever judges takes this.

Where `by` is not said it is the host if the measure has that label, else the bot, else the measure's
first label. A composite's is what its parts have in common: that is settled where all rules are known.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from enum import StrEnum
from typing import Annotated, Any, Final

import orjson
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, field_validator, model_validator
from pydantic_core import PydanticCustomError

from botwatch import limits
from botwatch.detect import contract
from botwatch.detect.durations import duration_s, written
from botwatch.errors import BadRequest
from botwatch.measure import catalogue, query
from botwatch.measure.query import METRIC, Condition, Op, parse_condition


class Kind(StrEnum):
    THRESHOLD = "threshold"
    RATIO = "ratio"  # `field` divided by `per`, both brought to one value by `aggregation` first
    ABSENCE = "absence"  # nothing came although the subject was known
    COMPOSITE = "composite"  # `all` or `any` of other rules, whether these are enabled or not
    CONTRACT = "contract"  # what must follow what, as `options` say: by default none may be breached
    BASELINE = "baseline"


class Aggregation(StrEnum):
    """How the ticks of the time frame become one value."""

    AVG = "avg"
    SUM = "sum"
    MIN = "min"
    MAX = "max"
    LAST = "last"
    COUNT = "count"  # the number of ticks that have a value


class Operand(StrEnum):
    """Both include the value itself."""

    AT_MOST = "equalOrLessThan"
    AT_LEAST = "equalOrMoreThan"

    def holds(self, found: float, value: float) -> bool:
        return found <= value if self is Operand.AT_MOST else found >= value


class Severity(StrEnum):
    """Critical pages somebody, a warning waits for somebody to look, info is for the digest."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        return list(Severity).index(self)


class NoData(StrEnum):
    """What a time frame without any value means for the subject."""

    OK = "ok"  # not breached; an open incident is resolved
    KEEP = "keep"  # nothing changes
    OPEN = "open"  # as bad as a breach
    RESOLVE = "resolve"  # an open incident is resolved, none is opened


TICK_S: Final = query.TICK_S
EVERYTHING: Final = ("everything",)  # `by` of a rule that is judged once, over all there is
MEASURED: Final = (Kind.THRESHOLD, Kind.RATIO, Kind.ABSENCE, Kind.BASELINE, Kind.CONTRACT)
VALUED: Final = (Kind.THRESHOLD, Kind.RATIO)
_BREACHES: Final[Mapping[str, Any]] = {
    "field": "contract.breached",
    "aggregation": "sum",
    "value": 1,
    "timeframe": "15m",
    "by": "bot,channel",
    "no_data": "ok",
}  # what a contract leaves out
_BASELINE: Final[Mapping[str, Any]] = {"timeframe": "15m", "no_data": "keep"}
_LABELS: Final = {"hostName": "host"}  # as Botpress's incidents call it


def misfit(field: str, text: str) -> PydanticCustomError:
    """What is wrong with a rule as a whole, told under the field that has to change."""
    return PydanticCustomError("rule", "{text}", {"field": field, "text": text})


def _conditions(value: Any) -> Any:
    texts = [value] if isinstance(value, str) else value
    if not isinstance(texts, list | tuple):
        return value
    try:
        found = [parse_condition(text) if isinstance(text, str) else text for text in texts]
    except BadRequest as error:
        raise ValueError(f"{error.message.removeprefix('where: ')}; {error.hint}") from None
    return tuple(
        Condition(_LABELS.get(c.label, c.label), c.op, c.values) if isinstance(c, Condition) else c for c in found
    )


def _of_contract(rule: Mapping[str, Any]) -> Any:
    """A contract is judged by its own outcomes, whatever it is called now."""
    name, where = rule.get("name"), rule.get("where") or ()
    given = [where] if isinstance(where, str) else where
    if not isinstance(name, str) or not 0 < len(name.strip()) <= limits.RULE_NAME_CHARS_MAX:
        return where
    if not isinstance(given, list | tuple):
        return where
    others = [one for one in given if getattr(one, "label", str(one).partition("=")[0]) != "contract"]
    return [*others, Condition("contract", Op.IS, (name.strip(),))]


def _condition_text(condition: Condition) -> str:
    patterns = condition.op is Op.LIKE  # its backslashes are written already
    values = [(value if patterns else value.replace("\\", "\\\\")).replace("|", "\\|") for value in condition.values]
    return f"{condition.label}{condition.op}{'|'.join(values)}"


def _words(value: Any) -> Any:
    return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value


def _labels(value: Any) -> Any:
    words = _words(value)
    return tuple(_LABELS.get(word, word) for word in words) if isinstance(words, list | tuple) else words


def _number(value: Any) -> Any:
    if isinstance(value, bool):
        raise ValueError("expected a number, found true or false")
    return value


_WRITTEN_S: Final = PlainSerializer(written, return_type=str, when_used="json")
_WRITTEN_CONDITIONS: Final = PlainSerializer(
    lambda where: [_condition_text(condition) for condition in where], return_type=list[str], when_used="json"
)
Duration = Annotated[
    int, Field(ge=0, le=limits.RULE_TIMEFRAME_S_MAX, strict=True), BeforeValidator(duration_s), _WRITTEN_S
]
Where = Annotated[
    tuple[Condition, ...],
    Field(max_length=limits.MEASURE_WHERE_MAX),
    BeforeValidator(_conditions),
    _WRITTEN_CONDITIONS,
]
Text = Annotated[str, Field(max_length=limits.RULE_TEXT_CHARS_MAX)]
Name = Annotated[str, Field(min_length=1, max_length=limits.RULE_NAME_CHARS_MAX)]
Measured = Annotated[str, Field(max_length=limits.RULE_NAME_CHARS_MAX)]
Words = Annotated[tuple[Name, ...], Field(max_length=limits.RULE_WORDS_MAX), BeforeValidator(_words)]
Labels = Annotated[tuple[Name, ...], Field(max_length=limits.MEASURE_BY_MAX), BeforeValidator(_labels)]
Number = Annotated[float, Field(allow_inf_nan=False), BeforeValidator(_number)]


class Rule(BaseModel):
    """`source` says where it came from (`default`, `file:…`, `api`, `import:…`) and is not part of the rule itself.

    `guard` keeps a rule from judging by too little: where that measure does not sum up to `guard_min` over the
    time frame, the time frame counts as one without data. One failure of one call is no error rate.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True, populate_by_name=True)

    name: Name
    kind: Kind = Kind.THRESHOLD
    field: Measured = ""
    per: Measured = ""
    all: Words = ()
    any: Words = ()
    aggregation: Aggregation = Aggregation.AVG
    operand: Operand = Operand.AT_LEAST
    value: Number = 0.0
    timeframe: Duration = 60
    cooldown: Duration = 0
    where: Where = ()
    by: Labels = ()
    hold: Annotated[Duration, Field(alias="for")] = 0
    recover: Number | None = None  # where an open incident ends; `value` if not set
    guard: Measured = ""
    guard_min: Number = 1.0
    severity: Severity = Severity.WARNING
    no_data: NoData = NoData.KEEP
    notify: Words = ()  # channels by name; none: as the routes say
    runbook: Text = ""
    message: Text = ""
    depends_on: Words = ()  # rules whose open incident on the same subject mutes this one's
    enabled: bool = True
    source: Annotated[str, Field(exclude=True)] = "api"
    options: dict[str, Any] = Field(default_factory=dict)  # what a kind of its own needs; that kind checks it

    @property
    def labels(self) -> tuple[str, ...]:
        return () if self.by == EVERYTHING else self.by

    @property
    def parts(self) -> tuple[str, ...]:
        """The rules a composite is made of."""
        return self.all or self.any

    @model_validator(mode="before")
    @classmethod
    def _what_it_leaves_out(cls, given: Any) -> Any:
        if not isinstance(given, Mapping):
            return given
        rule = dict(given)
        if "kind" not in rule:
            composite = rule.get("all") or rule.get("any")
            rule["kind"] = Kind.COMPOSITE if composite else Kind.RATIO if rule.get("per") else Kind.THRESHOLD
        if rule["kind"] == Kind.CONTRACT:
            rule = {**({} if rule.get("field") else _BREACHES), **rule, "where": _of_contract(rule)}
        if rule["kind"] == Kind.BASELINE:
            rule = {**_BASELINE, "operand": _worse_side(rule), **rule}
        if not rule.get("by") and isinstance(rule.get("field"), str) and rule["field"].strip():
            per = rule.get("per")
            rule["by"] = default_subject(rule["field"].strip(), per.strip() if isinstance(per, str) else "")
        return rule

    @field_validator("name")
    @classmethod
    def _readable(cls, name: str) -> str:
        if not name.isprintable():
            raise ValueError("expected a name in one line, without control characters")
        return name

    @field_validator("by")
    @classmethod
    def _different(cls, by: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(by)) < len(by) or ("everything" in by and by != EVERYTHING):
            raise ValueError("expected different labels, or 'everything' alone")
        return by

    @field_validator("options")
    @classmethod
    def _bounded(cls, options: dict[str, Any]) -> dict[str, Any]:
        try:
            written_ = orjson.dumps(options)
        except orjson.JSONEncodeError:
            raise ValueError("expected what JSON can hold") from None
        if len(written_) > limits.RULE_OPTIONS_BYTES_MAX:
            raise ValueError(f"expected at most {limits.RULE_OPTIONS_BYTES_MAX} bytes, found {len(written_)}")
        plain: dict[str, Any] = orjson.loads(written_)
        return plain

    @model_validator(mode="after")
    def _fits_its_kind(self) -> Rule:
        measured, composite = self.kind in MEASURED, self.kind is Kind.COMPOSITE
        if measured and not self.field:
            raise misfit("field", f"a {self.kind} rule needs the name of a measure, such as cpu.usage")
        if (self.kind is Kind.RATIO) != bool(self.per):
            raise misfit("per", "a ratio, and nothing else, names the measure that field is divided by")
        if composite != (bool(self.all) != bool(self.any)) or (self.all and self.any):
            raise misfit("all", "a composite rule, and nothing else, names other rules in either all or any")
        if composite and (self.field or self.guard):
            raise misfit("field", "a composite rule judges other rules and no measure")
        if self.kind in VALUED and "value" not in self.model_fields_set:
            raise misfit("value", "expected the number to compare with, found none")
        if measured and self.timeframe < TICK_S:
            raise misfit("timeframe", f"expected at least one tick of {TICK_S} s, found {self.timeframe} s")
        if self.recover is not None and self.operand.holds(self.recover, self.value) and self.recover != self.value:
            side = "at most" if self.operand is Operand.AT_LEAST else "at least"
            raise misfit("recover", f"expected {side} the value {self.value:g}, found {self.recover:g}")
        if self.kind is Kind.CONTRACT:
            self._fits_a_contract()
        if self.name in (*self.parts, *self.depends_on):
            raise misfit("depends_on" if self.name in self.depends_on else "all", "a rule cannot name itself")
        return self

    def _fits_a_contract(self) -> None:
        if not self.field.startswith("contract."):
            raise misfit("field", f"a contract is judged by its own measures, contract.*; found {self.field!r}")
        if "value" not in self.model_fields_set:
            raise misfit("value", "expected the number to compare with, found none")
        try:
            contract.read(self.options)
        except ValueError as error:
            raise misfit("options", str(error)) from None


def _worse_side(rule: Mapping[str, Any]) -> Operand:
    """Of a baseline: low where only that is bad."""
    options, field = rule.get("options"), rule.get("field")
    side = options.get("side") if isinstance(options, Mapping) else None
    if side is None and isinstance(field, str) and not field.startswith(METRIC):
        with suppress(BadRequest):
            side = catalogue.find(field.strip()).direction
    return Operand.AT_MOST if side == "low" else Operand.AT_LEAST


def default_subject(field: str, per: str = "") -> tuple[str, ...]:
    """For whom a rule over these measures is judged when it does not say."""
    if field.startswith(METRIC):
        return ("host",)
    try:
        found = catalogue.labels(catalogue.find(field))
        others = catalogue.labels(catalogue.find(per)) if per and not per.startswith(METRIC) else found
    except BadRequest:
        return ("host",)
    common = [label for label in found if label in others]
    return next(((label,) for label in ("host", "bot", *common) if label in common), EVERYTHING)
