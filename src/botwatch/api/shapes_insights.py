"""What the conversations show, as the API gives it."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from botwatch import limits
from botwatch.nouns import Author, Direction


class Every(StrEnum):
    DAY = "day"
    WEEK = "week"
    MONTH = "month"


class EngagementItem(BaseModel):
    start: date = Field(
        description="first day of the day, week (from Monday) or month, in the time zone of the settings"
    )
    users: int = Field(description="who wrote")
    new: int = Field(description="who wrote for the first time since `known_since`")
    returning: int
    sessions: int = Field(description="with a message of a user, known or not")
    messages: int = Field(description="of users")


class Engagement(BaseModel):
    every: Every
    known_since: datetime | None = Field(
        description="the first message that is still kept; who came before it counts as new"
    )
    items: list[EngagementItem]


class CommonQuery(BaseModel):
    phrase: str = Field(description="without case, punctuation and figures; a figure is 0")
    count: int
    sessions: int
    example: str
    answered_share: float | None = Field(description="percent of those whose outcome is known")


class CommonQueries(BaseModel):
    items: list[CommonQuery] = Field(description="the most frequent first")


class Reason(StrEnum):
    """Why a message counts as misunderstood."""

    FAILED = "failed"
    UNANSWERED = "unanswered"
    HANDED_OFF = "handed_off"
    REPEATED = "repeated"
    FEEDBACK = "feedback"


class Uttered(BaseModel):
    at: datetime
    direction: Direction
    author: Author
    text: str
    message_id: str | None


class Misunderstood(BaseModel):
    at: datetime
    bot: str
    session_id: str
    channel: str
    user: str | None
    message_id: str | None
    text: str
    phrase: str = Field(description="as in the list of common queries")
    trace_id: str | None
    reasons: list[Reason]
    treated: datetime | None = Field(description="when somebody had dealt with this phrase; null: nobody has")
    treated_by: str | None
    note: str
    before: list[Uttered]
    after: list[Uttered]


class ToTreat(BaseModel):
    """`phrase` as the list of what was not understood gives it."""

    model_config = ConfigDict(extra="forbid")

    bot: Annotated[str, Field(min_length=1, max_length=limits.LABEL_CHARS_MAX)]
    phrase: Annotated[str, Field(min_length=1, max_length=limits.PHRASE_CHARS_MAX)]
    note: Annotated[str, Field(max_length=limits.RULE_TEXT_CHARS_MAX)] = ""


class FeedbackItem(BaseModel):
    at: datetime
    bot: str
    session_id: str
    channel: str
    user: str | None
    score: float | None
    text: str
    about: Uttered | None = Field(description="the message it names, else the newest of the bot before it")
    question: Uttered | None = Field(description="what the user had written before that")
    response_ms: float | None = Field(description="how long that had waited for its reply")
    trace_id: str | None
