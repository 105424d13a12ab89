"""What may be said of a source, and what is answered where it does not fit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from botwatch.detect.drift.kinds import Kinds
from botwatch.errors import SettingError
from botwatch.settings import load
from botwatch.watch.payloads.declared import Declared, configured, parts


def test_a_table_of_the_file_and_a_variable_are_one() -> None:
    settings = load(environ={"BOTWATCH_PAYLOAD_TICKETS": "schemas/ticket.json", "BOTWATCH_PAYLOADS_DAYS": "3"})
    assert configured(settings.payloads) == [Declared("tickets", Path("schemas/ticket.json"), (), None)]
    assert settings.payloads_days == 3


def test_one_path_and_several_are_said_alike() -> None:
    table = {"critical": "order.total", "discriminator": ["type", "event.kind"]}
    assert configured({"my feed": table}) == [Declared("my feed", "", ("order.total",), Kinds(("type", "event.kind")))]


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ({"shema": "x"}, r"payloads\.t\.shema: Extra inputs"),
        ({"critical": ["a..b"]}, r"payloads\.t\.critical\.0: expected a path such as order\.total or items\[\]\.id"),
        ({"critical": ["items[]"]}, r"an element of an array cannot be missing"),
        ({"critical": [f"p{n}" for n in range(21)]}, r"at most 20 items"),
        ({"discriminator": "items[].id"}, r"payloads\.t\.discriminator\.0: expected a path"),
        ({"schema": 5}, r"payloads\.t\.schema"),
    ],
)
def test_what_does_not_fit_is_named_by_its_line(table: dict[str, Any], said: str) -> None:
    with pytest.raises(SettingError, match=said):
        configured({"t": table})


def test_a_path_is_parted_where_it_goes_into_an_array() -> None:
    assert parts("a.b[].c[][].d") == [["a", "b"], ["c"], [], ["d"]]
