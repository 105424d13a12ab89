"""Rules, and what is wrong with them, as the API gives them."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal, Self

from pydantic import BaseModel, Field

from botwatch import limits
from botwatch.api.pages import Page, moment
from botwatch.api.shapes_auth import Given
from botwatch.detect.book import Entry
from botwatch.detect.check import Cost
from botwatch.detect.problems import Problem
from botwatch.detect.rule import Rule
from botwatch.incident.health import Health


class ProblemShape(BaseModel):
    source: str
    rule: str = Field(description="its name, or which one it is where it has none; empty: the file as a whole")
    field: str
    message: str = Field(description="what was expected, and what was found")
    line: int | None = Field(description="of the file")

    @classmethod
    def of(cls, found: Problem) -> Self:
        return cls(source=found.source, rule=found.rule, field=found.field, message=found.text, line=found.line)


class RuleItem(BaseModel):
    rule: Rule
    source: str = Field(description="where it came from: default, file:NAME, api, import:NAME")
    replaces: str | None = Field(description="the source of the rule in whose place it stands; deleting it brings that")
    judged: bool = Field(description="false: it cannot be, as `problems` tells")
    problems: list[ProblemShape]
    changed: datetime | None = Field(description="null: nobody changed it here")
    changed_by: str | None
    open_incidents: int

    @classmethod
    def of(cls, entry: Entry, open_incidents: int, health: Health) -> Self:
        """With why the judge could not answer it the last time, or not of everybody."""
        rule, trouble = entry.rule, health.troubles.get(entry.rule.name, "")
        said = (text for text in (trouble, health.crowded.get(rule.name, "")) if text)
        problems = [*entry.problems, *(Problem(rule.source, rule.name, "", text) for text in said)]
        return cls(
            rule=entry.rule,
            source=entry.rule.source,
            replaces=entry.over,
            judged=entry.judged and not trouble,
            problems=[ProblemShape.of(problem) for problem in problems],
            changed=moment(entry.changed_ns),
            changed_by=entry.changed_by,
            open_incidents=open_incidents,
        )


class RulesPage(Page[RuleItem]):
    problems: list[ProblemShape] = Field(description="all there are now, also of files whose rules are not here")
    judged_until: datetime | None = Field(
        description="the end of the newest ten seconds this server has judged; null: none, as where another one judges"
    )
    paused: str = Field(description="why nothing is judged now; empty: it is")


class RulesToCheck(Given):
    """Rules as they are, or the text of a file that holds them."""

    rules: list[dict[str, Any]] = Field(default=[], max_length=limits.RULES_CHECKED_MAX)
    text: str = ""
    format: Literal["json", "toml", "yaml"] = "json"


class CostShape(BaseModel):
    """Of judging once, every ten seconds."""

    rules: int = Field(description="those that are enabled")
    series: int = Field(description="questions to the store, each answered for all subjects at once")
    statements: int
    subjects: int | None = Field(description="how many those series have now; null: not known")

    @classmethod
    def of(cls, cost: Cost, subjects: int | None) -> Self:
        return cls(rules=cost.rules, series=cost.series, statements=cost.statements, subjects=subjects)


class RulesChecked(BaseModel):
    rules: list[Rule] = Field(description="those whose shape is right, with all they leave out")
    problems: list[ProblemShape] = Field(description="empty: they can be saved")
    cost: CostShape
