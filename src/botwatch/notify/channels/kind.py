"""What a kind of channel is: its options, what it is told, and how it sends.

A kind is one file with all there is to know of its provider, named once in `channels/__init__.py`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, Final, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field, SecretStr, StringConstraints

from botwatch import limits
from botwatch.clock import Clock
from botwatch.incident.steps import Step
from botwatch.notify.escape import plain
from botwatch.notify.note import ESCALATED, Note
from botwatch.notify.targets import Targets
from botwatch.notify.wire import Http

Text = Annotated[str, StringConstraints(strip_whitespace=True, max_length=limits.OPTION_CHARS_MAX)]
Url = Annotated[
    str, StringConstraints(strip_whitespace=True, max_length=limits.OPTION_CHARS_MAX, pattern=r"^https?://[^\s/]+")
]
Secret = Annotated[SecretStr, Field(max_length=limits.OPTION_CHARS_MAX)]

EVERY_STEP: Final = frozenset({Step.OPENED, Step.WORSENED, ESCALATED, Step.ACKNOWLEDGED, Step.RESOLVED})
WITHOUT_ACKNOWLEDGED: Final = EVERY_STEP - {Step.ACKNOWLEDGED}


class Options(BaseModel):
    """What a channel of this kind is given. A `Secret` is stored and never shown."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    hidden: ClassVar[frozenset[str]] = frozenset()  # no answer shows these: `SecretStr`, or a mapping of them

    @classmethod
    def __pydantic_init_subclass__(cls, **_: Any) -> None:
        cls.hidden = frozenset(name for name, field in cls.model_fields.items() if "SecretStr" in str(field.annotation))


@dataclass(frozen=True, slots=True)
class Sent:
    """The receiver took it. `ref` is what it calls the message, where it has a name for it."""

    answer: str
    ref: Mapping[str, str] = field(default_factory=dict)


class Undelivered(Exception):
    """It was not taken. `retryable` says whether it may be taken later, `retry_after_s` when at the earliest."""

    def __init__(self, answer: str, *, retryable: bool, retry_after_s: float | None = None) -> None:
        super().__init__(answer)
        self.answer = plain(answer, limits.DELIVERY_ANSWER_CHARS_MAX)
        self.retryable = retryable
        self.retry_after_s = retry_after_s


@dataclass(frozen=True, slots=True)
class Means:
    """What sending takes from outside."""

    http: Http
    targets: Targets
    clock: Clock


Given = TypeVar("Given", bound=Options)


class Kind(ABC, Generic[Given]):
    """Without state: whatever it needs comes with the note."""

    name: ClassVar[str]
    help: ClassVar[str]
    options: ClassVar[type[Any]]
    steps: ClassVar[frozenset[str]] = EVERY_STEP
    digests: ClassVar[bool] = True  # takes a daily summary
    at_once_max: ClassVar[int] = limits.DELIVERIES_AT_ONCE_MAX
    total_s_max: ClassVar[float] = limits.DELIVERY_S_MAX
    attaches: ClassVar[bool] = False  # takes files
    keeps: ClassVar[bool] = False  # needs the `ref` of the message before, to bring it up to date
    again_s: ClassVar[int | None] = None  # how often what is firing is sent again, where a receiver forgets

    def groups(self, options: Given) -> bool:
        """Whether several incidents may come in one message."""
        return True

    @abstractmethod
    async def send(self, options: Given, note: Note, means: Means) -> Sent:
        """Raises `Undelivered`. A second call with the same note must look the same to the receiver."""


def secrets_of(options: Options) -> list[str]:
    found: list[str] = []
    for name in options.hidden:
        value = getattr(options, name)
        each = value.values() if isinstance(value, Mapping) else (value,)
        found += [secret.get_secret_value() for secret in each if secret.get_secret_value()]
    return found


def cleaned(answer: str, options: Options) -> str:
    """A receiver's words, bounded, on one line, and without our own secrets should it repeat them."""
    for secret in sorted(secrets_of(options), key=len, reverse=True):
        answer = answer.replace(secret, "***")
    return plain(answer, limits.DELIVERY_ANSWER_CHARS_MAX)
