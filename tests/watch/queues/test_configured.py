"""Tables, variables and patterns."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from botwatch.errors import SettingError
from botwatch.limits import BROKERS_MAX, QUEUES_PER_BROKER_MAX
from botwatch.settings import load
from botwatch.watch.queues.choice import Choice
from botwatch.watch.queues.configured import KINDS, Watched, watched
from botwatch.watch.queues.registry import MAKERS, broker


def one(**table: Any) -> Watched:
    (found,) = watched({"jobs": table}, this_host="here")
    return found


@pytest.mark.parametrize(
    ("url", "kind", "plain"),
    [
        ("redis://h:1/2", "redis", "redis://h:1/2"),
        ("celery+redis://h", "celery", "redis://h"),
        ("rq+rediss://h", "rq", "rediss://h"),
        ("arq+redis://h", "arq", "redis://h"),
        ("dramatiq+redis://h", "dramatiq", "redis://h"),
        ("http://h:15672", "rabbitmq", "http://h:15672"),
        ("celery+http://h:15672", "rabbitmq", "http://h:15672"),
        ("dramatiq+amqp://h", "amqp", "amqp://h"),
        ("nats://h", "nats", "nats://h"),
        ("kafka://a:1,b:2", "kafka", "kafka://a:1,b:2"),
        ("sqs://eu-west-1", "sqs", "sqs://eu-west-1"),
        ("sqs+https://h/", "sqs", "https://h/"),
    ],
)
def test_the_address_tells_the_kind(url: str, kind: str, plain: str) -> None:
    found = one(url=url, include=["a"])
    assert (found.kind, found.target.url) == (kind, plain)


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ({}, "queues.jobs.url: Field required"),
        ({"url": "hush"}, "queues.jobs.kind: expected one of amqp, arq"),
        ({"url": "ftp://u:hush@h"}, "queues.jobs.kind: expected one of"),
        ({"url": "kafka+redis://u:hush@h"}, "queues.jobs.url: for kafka expected kafka:// or kafkas://"),
        ({"url": "redis://h:hush"}, "queues.jobs.url: expected an address"),
        ({"url": "redis://h", "kind": "hush"}, "queues.jobs.kind: Input should be"),
        ({"url": "redis://h", "colour": "hush"}, "queues.jobs.colour: is not a setting of a queue"),
        ({"url": "redis://h", "every_s": 0}, "queues.jobs.every_s: Input should be greater"),
        ({"url": "redis://h", "include": "hush"}, "queues.jobs.include: "),
        ({"url": "redis://h", "password_file": "/no/such"}, "queues.jobs.password_file: /no/such cannot be read"),
    ],
)
def test_a_bad_table_is_told_by_name_and_line(table: dict[str, Any], words: str) -> None:
    with pytest.raises(SettingError) as raised:
        one(**table)
    assert words in raised.value.message
    assert "hush" not in raised.value.message


def test_there_is_a_bound_on_brokers() -> None:
    with pytest.raises(SettingError, match=f"at most {BROKERS_MAX}"):
        watched({f"q{i}": {"url": "redis://h"} for i in range(BROKERS_MAX + 1)}, this_host="")


def test_a_password_is_never_part_of_what_is_printed(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text("hush-hush\n")
    for found in (
        one(url="redis://bot:hush-hush@h"),
        one(url="redis://bot@h", password="hush-hush"),
        one(url="redis://bot@h", password_file=str(file)),
    ):
        assert "hush-hush" not in repr(found)
        assert found.target.login == ("bot", "hush-hush")
        assert found.target.with_password == "redis://bot:hush-hush@h"


def test_a_broker_on_this_machine_belongs_to_it() -> None:
    assert one(url="redis://127.0.0.1").host == "here"
    assert one(url="redis://elsewhere").host == ""
    assert one(url="redis://elsewhere", host="box").host == "box"
    assert one(url="sqs://eu-west-1").every_s == 60


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_can_be_made(kind: str) -> None:
    scheme = {"rabbitmq": "http", "amqp": "amqp", "nats": "nats", "kafka": "kafka", "sqs": "sqs"}.get(kind, "redis")
    assert broker(one(url=f"{scheme}://h", kind=kind, include=["a"])) is not None
    assert set(MAKERS) == set(KINDS)


def test_variables_are_joined_with_the_file(tmp_path: Path) -> None:
    (tmp_path / "url").write_text("redis://bot:hush@jobs\n")
    file = tmp_path / "botwatch.toml"
    file.write_text('[queues.mail]\nurl = "redis://old"\ninclude = ["a*"]\n[queues.sms]\nurl = "nats://sms"\n')
    environ = {
        "BOTWATCH_QUEUE_MAIL": "redis://new",
        "BOTWATCH_QUEUE_MAIL_PASSWORD_FILE": "/run/secret",
        "BOTWATCH_QUEUE_JOBS_FILE": str(tmp_path / "url"),
    }
    assert load({}, environ, file).queues == {
        "mail": {"url": "redis://new", "include": ["a*"], "password_file": "/run/secret"},
        "sms": {"url": "nats://sms"},
        "jobs": {"url": "redis://bot:hush@jobs"},
    }
    assert "hush" not in repr(load({}, environ, file))


@pytest.mark.parametrize(
    ("include", "exclude", "name", "wanted"),
    [
        ((), (), "any", True),
        (("jobs:*",), (), "jobs:a", True),
        (("jobs:*",), (), "other", False),
        (("a", "b?"), (), "b1", True),
        ((), ("*.dead",), "x.dead", False),
        (("*",), ("a",), "a", False),
        (("a.c",), (), "abc", False),
        ((), (), "x" * 300, False),
    ],
)
def test_patterns(include: tuple[str, ...], exclude: tuple[str, ...], name: str, wanted: bool) -> None:
    assert Choice(include, exclude).wants(name) is wanted


def test_queues_are_bounded_and_named_ones_come_first() -> None:
    choice = Choice(("zz", "q*"))
    names, left_out = choice.of([*(f"q{i:04}" for i in range(600)), "zz"])
    assert (len(names), names[0], left_out) == (QUEUES_PER_BROKER_MAX, "zz", 601 - QUEUES_PER_BROKER_MAX)
