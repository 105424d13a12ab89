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


class Variant(BaseModel):
    phrase: str = Field(description="without case, punctuation and figures; a figure is 0")
    count: int
    example: str


class CommonQuery(BaseModel):
    """Phrases of much the same meaning, told by their words."""

    phrase: str = Field(description="the most frequent of them, without case, punctuation and figures; a figure is 0")
    count: int
    sessions: int
    example: str
    answered_share: float | None = Field(description="percent of those whose outcome is known")
    phrases: int = Field(description="how many different ones there are")
    variants: list[Variant] = Field(description=f"the most frequent first, at most {limits.QUESTION_VARIANTS_MAX}")


class CommonQueries(BaseModel):
    items: list[CommonQuery] = Field(description="the most frequent first")
    left_out: int = Field(description="messages whose phrases were too rare, among too many, to be put together")


class Reason(StrEnum):
    """Why a message counts as misunderstood."""

    FAILED = "failed"
    UNANSWERED = "unanswered"
    HANDED_OFF = "handed_off"
    REPEATED = "repeated"
    FALLBACK = "fallback"
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


class Stop(StrEnum):
    """What a conversation stopped at: the last thing the bot did, or the last it said."""

    ACTION = "action"
    MESSAGE = "message"


class SessionName(BaseModel):
    bot: str
    session_id: str


class DropOffItem(BaseModel):
    step: str | None = Field(description="the action, or the phrase of the message; null: there was none")
    said: str | None = Field(description="the bot's last message in the newest of these conversations")
    sessions: int
    share: float = Field(description="percent of the conversations that were left")
    examples: list[SessionName] = Field(description="the newest")


class DropOff(BaseModel):
    stop: Stop
    over: int = Field(description="conversations whose last message lies in the window, and which ended or are idle")
    done: int = Field(description="of these, by the bot's own definition or by what holds for any bot")
    left: int = Field(description="of these, the others")
    items: list[DropOffItem] = Field(description="where those stopped, the most frequent first")


class WeekHour(BaseModel):
    day: int = Field(description="0 is Monday")
    hour: int
    mean: float | None = Field(description="of the weeks; null: nothing is known of this hour")
    weeks: int


class WeekSpike(BaseModel):
    day: int
    hour: int
    weeks: int = Field(description="in which it stood out")
    of: int = Field(description="weeks it is known in")
    mean: float
    times: float | None = Field(description="what the hours before and after it have; null: they have nothing")
    sentence: str


class Week(BaseModel):
    measure: str
    unit: str
    zone: str = Field(description="the hours are those of this time zone, that of the settings")
    from_: datetime = Field(serialization_alias="from")
    to: datetime = Field(description="the hour that is going on is left out")
    hours: list[WeekHour] = Field(description="all 168, from Monday 00:00")
    spikes: list[WeekSpike] = Field(description="hours that stand out week after week")


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
