"""What a rule is: one shape for all of them, a superset of Botpress's.

A rule is plain data. It says which measure is judged, how its ticks become one value, what that value
must not be, and for whom it is judged (`by`: one incident for each subject). Whoever reads one from a
file, the API or a foreign configuration makes this; whoever judges takes this.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, Final

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from botwatch import limits
from botwatch.errors import BadRequest
from botwatch.measure.query import Condition, parse_condition, parse_duration_s


class Kind(StrEnum):
    THRESHOLD = "threshold"
    RATIO = "ratio"  # `field` divided by `per`
    ABSENCE = "absence"  # nothing came although the subject was known
    COMPOSITE = "composite"  # `all` or `any` of other rules
    CONTRACT = "contract"
    DRIFT = "drift"
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


def _seconds(value: Any) -> Any:
    """Botpress writes `2m`; a bare number counts seconds."""
    if isinstance(value, str):
        try:
            return parse_duration_s(value) if value.strip() not in ("0", "0s") else 0
        except BadRequest as error:
            raise ValueError(f"{error.message}, found {value[:40]!r}") from None
    return value


def _conditions(value: Any) -> Any:
    texts = [value] if isinstance(value, str) else value
    if isinstance(texts, (list, tuple)):
        try:
            return tuple(parse_condition(text) if isinstance(text, str) else text for text in texts)
        except BadRequest as error:
            raise ValueError(error.message) from None
    return value


def _words(value: Any) -> Any:
    return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value


Duration = Annotated[int, BeforeValidator(_seconds), Field(ge=0, le=limits.RULE_TIMEFRAME_S_MAX)]
Words = Annotated[tuple[str, ...], BeforeValidator(_words), Field(max_length=limits.RULE_WORDS_MAX)]
Name = Annotated[str, Field(min_length=1, max_length=limits.RULE_NAME_CHARS_MAX)]
Text = Annotated[str, Field(max_length=limits.RULE_TEXT_CHARS_MAX)]

EVERYTHING: Final = ("everything",)  # `by` of a rule that is judged once, over all there is


class Rule(BaseModel):
    """`source` says where it came from (`default`, `file:…`, `api`, `import:…`) and is not part of the rule itself."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True, populate_by_name=True)

    name: Name
    kind: Kind = Kind.THRESHOLD
    field: Annotated[str, Field(max_length=limits.RULE_NAME_CHARS_MAX)] = ""
    per: Annotated[str, Field(max_length=limits.RULE_NAME_CHARS_MAX)] = ""
    all: Words = ()
    any: Words = ()
    aggregation: Aggregation = Aggregation.AVG
    operand: Operand = Operand.AT_LEAST
    value: Annotated[float, Field(allow_inf_nan=False)] = 0.0
    timeframe: Duration = 60
    cooldown: Duration = 0
    where: Annotated[tuple[Condition, ...], BeforeValidator(_conditions)] = ()
    by: Words = ("host",)
    hold: Annotated[Duration, Field(alias="for")] = 0
    recover: Annotated[float | None, Field(allow_inf_nan=False)] = (
        None  # where an open incident ends; `value` if not set
    )
    severity: Severity = Severity.WARNING
    no_data: NoData = NoData.KEEP
    notify: Words = ()  # channels by name; none: as the routes say
    runbook: Text = ""
    message: Text = ""
    depends_on: Words = ()  # rules whose open incident on the same subject mutes this one's
    enabled: bool = True
    source: Annotated[str, Field(exclude=True)] = "api"
    options: dict[str, Any] = Field(default_factory=dict)  # what a kind of its own needs; that kind checks it

    @model_validator(mode="after")
    def _fits_its_kind(self) -> Rule:
        measured = self.kind in (Kind.THRESHOLD, Kind.RATIO, Kind.ABSENCE, Kind.BASELINE)
        if measured and not self.field:
            raise ValueError(f"a {self.kind} rule needs a field: the name of a measure")
        if (self.kind is Kind.RATIO) != bool(self.per):
            raise ValueError("a ratio, and nothing else, needs per: the measure that field is divided by")
        if (self.kind is Kind.COMPOSITE) != (bool(self.all) != bool(self.any)):
            raise ValueError("a composite rule, and nothing else, names other rules in either all or any")
        if measured and self.timeframe < TICK_S:
            raise ValueError(f"timeframe: expected at least one tick of {TICK_S} s")
        return self

    @property
    def labels(self) -> tuple[str, ...]:
        return () if self.by == EVERYTHING else self.by


TICK_S: Final = 10
