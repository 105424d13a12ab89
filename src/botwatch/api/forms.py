"""What a form asks for, read off the model that will check the answer: a new option is in the form at once.

Channels, services, rules, routes and silences are all made with the one form that these shapes describe. What a model
cannot know of its own fields (what to call them for people, what to offer, what few people need) is a `Hint`.
"""

from __future__ import annotations

import datetime as dt
import types
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum, StrEnum
from typing import Annotated, Any, Final, Self, Union, get_args, get_origin

from pydantic import AwareDatetime, BaseModel, BeforeValidator, Field, SecretStr
from pydantic.fields import FieldInfo

from botwatch.detect.durations import duration_s, written


class FieldType(StrEnum):
    """How it is asked for."""

    TEXT = "text"
    NUMBER = "number"
    PERCENT = "percent"  # a share: 0.05 is asked for as 5
    FLAG = "flag"
    CHOICE = "choice"
    DURATION = "duration"  # 5m, 1h
    TIME = "time"  # of a day
    MOMENT = "moment"
    WORDS = "words"  # several, each a text
    PAIRS = "pairs"  # names, and a text for each
    GROUP = "group"
    GROUPS = "groups"  # several of them, in order


class Suggest(StrEnum):
    """Where a page finds words to offer. Others may be given all the same."""

    MEASURES = "measures"
    LABELS = "labels"  # of the measure
    CONDITIONS = "conditions"  # over those labels
    RULES = "rules"
    CHANNELS = "channels"
    BOTS = "bots"
    ZONES = "zones"


class FieldShape(BaseModel):
    name: str
    title: str = Field(description="for people")
    help: str
    type: FieldType
    secret: bool = Field(default=False, description="kept, and never shown again")
    required: bool = False
    default: Any = None
    choices: list[str] = Field(default=[], description="of a choice all there are; of a text some to offer")
    suggest: Suggest | None = None
    more: bool = Field(default=False, description="seldom needed")
    least: float | None = None
    most: float | None = None
    example: str = ""
    fields: list[FieldShape] = Field(default=[], description="of a group")


class KindShape(BaseModel):
    """One thing that can be made, and what it is asked for."""

    name: str
    help: str
    options: list[FieldShape]
    given: dict[str, Any] = Field(default={}, description="what it is beside that")


@dataclass(frozen=True, slots=True)
class Hint:
    """What stands in place of what the model says; None: nothing does."""

    title: str = ""
    help: str = ""
    type: FieldType | None = None
    suggest: Suggest | None = None
    more: bool = False
    example: str = ""
    choices: tuple[str, ...] = ()
    required: bool | None = None
    default: Any = None
    left_out: bool = False


Hints = Mapping[str, Hint]  # by the path of the field, as in options.when.what
_NUMBERS: Final = (int, float)
_PLAIN: Final[Mapping[Any, FieldType]] = {
    bool: FieldType.FLAG,
    int: FieldType.NUMBER,
    float: FieldType.NUMBER,
    dt.time: FieldType.TIME,
    AwareDatetime: FieldType.MOMENT,
}


def fields_of(
    model: type[BaseModel], hints: Hints | None = None, names: Iterable[str] | None = None, path: str = ""
) -> list[FieldShape]:
    """In the order of `names`, else in that of the model."""
    found, known = model.model_fields, hints or {}
    asked = [_field(name, found[name], known, path) for name in (found if names is None else names)]
    return [one for one in asked if not known.get(_place(path, one.name), Hint()).left_out]


def _place(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _field(name: str, field: FieldInfo, hints: Hints, path: str) -> FieldShape:
    called = field.alias or name
    place = _place(path, called)
    hint, read = hints.get(place, Hint()), _Read.of(field.annotation, field.metadata)
    secret = "SecretStr" in str(field.annotation)
    required = field.is_required() if hint.required is None else hint.required
    default = None if secret or required else _plain(field.get_default(call_default_factory=True), read)
    return FieldShape(
        name=called,
        title=hint.title or called.replace("_", " ").strip().capitalize(),
        help=hint.help or field.description or "",
        type=hint.type or read.how,
        secret=secret,
        required=required,
        default=hint.default if hint.default is not None else default,
        choices=list(hint.choices or read.choices),
        suggest=hint.suggest,
        more=hint.more,
        least=read.least,
        most=read.most,
        example=hint.example,
        fields=fields_of(read.model, hints, path=place) if read.model is not None else [],
    )


def _plain(default: Any, read: _Read) -> Any:
    if isinstance(default, BaseModel):
        return default.model_dump(mode="json", by_alias=True)
    if read.how is FieldType.DURATION and isinstance(default, _NUMBERS):
        return written(int(default)) if default else None
    return default


@dataclass(frozen=True, slots=True)
class _Read:
    """What an annotation says of how to ask."""

    how: FieldType
    choices: tuple[str, ...] = ()
    model: type[BaseModel] | None = None
    least: float | None = None
    most: float | None = None

    @classmethod
    def of(cls, annotation: Any, metadata: Iterable[Any]) -> Self:
        annotation, more = _bare(annotation)
        told = [*metadata, *more]
        least, most = _bound(told, "ge", "gt"), _bound(told, "le", "lt")
        if any(isinstance(one, BeforeValidator) and one.func is duration_s for one in told):
            return cls(FieldType.DURATION)
        origin, inner = get_origin(annotation), get_args(annotation)
        if origin in (tuple, list, frozenset):
            element = _bare(inner[0])[0]
            if _is(element, BaseModel):
                return cls(FieldType.GROUPS, model=element)
            return cls(FieldType.WORDS, choices=_members(element))
        if origin is dict:
            return cls(FieldType.PAIRS)
        if _is(annotation, BaseModel):
            return cls(FieldType.GROUP, model=annotation)
        if members := _members(annotation):
            return cls(FieldType.CHOICE, choices=members)
        return cls(_PLAIN.get(annotation, FieldType.TEXT), least=least, most=most)


def _bare(annotation: Any) -> tuple[Any, list[Any]]:
    """Without what stands around it: Annotated, and `or None`."""
    metadata: list[Any] = []
    while True:
        origin, inner = get_origin(annotation), get_args(annotation)
        others = [one for one in inner if one is not type(None)]
        if origin is Annotated:
            annotation, metadata = inner[0], [*metadata, *inner[1:]]
        elif origin in (Union, types.UnionType) and len(others) == 1:
            annotation = others[0]
        else:
            break
    told = [one for each in metadata for one in (each.metadata if isinstance(each, FieldInfo) else (each,))]
    return (str if annotation is SecretStr else annotation), told


def _is(annotation: Any, base: type) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, base)


def _members(annotation: Any) -> tuple[str, ...]:
    return tuple(str(one.value) for one in annotation) if _is(annotation, Enum) else ()


def _bound(metadata: Iterable[Any], *names: str) -> float | None:
    bounds = (getattr(one, name, None) for one in metadata for name in names)
    return next((float(bound) for bound in bounds if isinstance(bound, _NUMBERS)), None)
