"""Every topic with the question it answers. A new one is a file of finders, one of reads, and an entry here."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from botwatch.api.diagnosis import alerts, high_cpu, no_conversations, no_data, unknown_users
from botwatch.api.diagnosis.finding import Finding, Topic
from botwatch.errors import BotwatchError

Finder = Callable[[Any], Iterator[Finding]]


@dataclass(frozen=True, slots=True)
class Question:
    topic: Topic
    asks: str
    finders: tuple[Finder, ...]


QUESTIONS: Final = (
    Question(Topic.NO_DATA, "Why does nothing arrive?", no_data.FINDERS),
    Question(Topic.NO_CONVERSATIONS, "Why are there no conversations?", no_conversations.FINDERS),
    Question(Topic.UNKNOWN_USERS, "Why are users unknown?", unknown_users.FINDERS),
    Question(Topic.ALERTS, "Why do alerts not arrive?", alerts.FINDERS),
    Question(Topic.HIGH_CPU, "Why is there so much CPU with so few sessions?", high_cpu.FINDERS),
)


@dataclass(frozen=True, slots=True)
class Looked:
    """`why_not` is set where the facts could not be read: then there are no findings, and that is no good news."""

    question: Question
    findings: Sequence[Finding]
    why_not: str = ""


async def look(question: Question, gather: Callable[[], Awaitable[object]]) -> Looked:
    try:
        facts = await gather()
    except BotwatchError as error:
        return Looked(question, (), error.message)
    return Looked(question, [finding for finder in question.finders for finding in finder(facts)])
