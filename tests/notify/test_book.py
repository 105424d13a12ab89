"""What is set up: from the settings, from rows; secrets kept and never shown; errors that name their place."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from botwatch.errors import BadRequest, Conflict, SettingError
from botwatch.notify import book
from botwatch.notify.book import Base
from botwatch.notify.channels import KINDS
from botwatch.settings import Settings, load
from botwatch.state import Database
from tests.notify.house import NOW_NS

HOOK = "https://hooks.example.com/T0/secret"
TOML = """
[channels.chat]
kind = "slack"
webhook_url_file = "{file}"

[channels.mail]
kind = "email"
host = "mail.example.com"
sender = "botwatch@example.com"
to = "ops@example.com, boss@example.com"

[[routes]]
severities = ["critical"]
channels = "chat"
continue = true

[[routes]]
channels = "mail"
settle = "30s"
escalate = [{{ after = "10m", channels = ["chat"] }}]
"""


def base(channels: Any = None, routes: Any = None) -> Base:
    return Base.of(Settings.model_validate({"channels": channels or "", "routes": routes or ""}))


def test_channels_and_routes_come_from_the_file_with_secrets_in_files_of_their_own(tmp_path: Path) -> None:
    (tmp_path / "url").write_text(f"{HOOK}\n", encoding="utf-8")
    (tmp_path / "botwatch.toml").write_text(TOML.format(file=tmp_path / "url"), encoding="utf-8")
    settings = load(file=tmp_path / "botwatch.toml", environ={})
    found = Base.of(settings)
    assert found.channels["chat"].options.webhook_url.get_secret_value() == HOOK  # type: ignore[attr-defined]
    assert found.channels["mail"].options.to == ("ops@example.com", "boss@example.com")  # type: ignore[attr-defined]
    assert [route.settle for route in found.routes] == [0.2, 30]
    assert [route.proceed for route in found.routes] == [True, False]
    assert HOOK not in repr(settings)


def test_the_same_comes_from_the_environment_as_json() -> None:
    channels = json.dumps({"ops": {"kind": "webhook", "url": HOOK}})
    found = Base.of(load(environ={"BOTWATCH_CHANNELS": channels, "BOTWATCH_ROUTES": '[{"channels": "ops"}]'}))
    assert list(found.channels) == ["ops"]
    assert found.routes[0].channels == ("ops",)


@pytest.mark.parametrize(
    ("channels", "routes", "says"),
    [
        ({"a": {"kind": "slak"}}, None, "a: kind: expected one of email, slack"),
        ({"a": {"kind": "slack", "webhok_url": HOOK}}, None, "did you mean webhook_url?"),
        ({"a": {"kind": "slack", "webhook_url_file": "/nowhere"}}, None, "webhook_url_file: the file cannot be read"),
        ({"a": {"kind": "webhook", "url": "ftp://x"}}, None, "a: url: .*https://example.com/hook"),
        ({"a": {"kind": "pagerduty", "routing_key": "short"}}, None, "32 letters and digits"),
        ({"a": {"kind": "sms"}}, None, "a: account_sid: Field required"),
        ({"a": "slack"}, None, "expected a table"),
        ("not json", None, r"tables, as \[channels.NAME\]"),
        ({"hook:x": {"kind": "webhook", "url": HOOK}}, None, "does not begin with hook:"),
        (None, [{"channels": "gone"}], "route 1: there is no channel 'gone'"),
        (None, [{"chanels": "a"}], "did you mean channels?"),
        (None, [{"where": "host"}], "expected label=value"),
    ],
)
def test_what_is_wrong_in_the_settings_is_told_with_its_place(channels: Any, routes: Any, says: str) -> None:
    with pytest.raises(SettingError, match=says) as error:
        base(channels, routes)
    assert HOOK not in f"{error.value.message} {error.value.hint}"


def put(database: Database, name: str, kind: str, enabled: bool = True, **options: Any) -> book.Channel:
    given = (name, kind, options, enabled)
    return database.write_now(lambda session: book.put_channel(session, NOW_NS, "ann", base(), given))


def test_a_secret_that_is_left_out_stays_and_goes_with_another_kind(database: Database) -> None:
    put(database, "ops", "webhook", url=HOOK, secret="s3cret")
    changed = put(database, "ops", "webhook", format="alertmanager")
    assert changed.options.url.get_secret_value() == HOOK  # type: ignore[attr-defined]
    with pytest.raises(BadRequest, match="url: Field required"):
        put(database, "ops", "webhook", url=None)
    with pytest.raises(BadRequest, match="either webhook_url, or token"):
        put(database, "ops", "slack")


def test_a_row_stands_in_place_of_a_channel_of_the_settings(database: Database) -> None:
    given = base({"ops": {"kind": "webhook", "url": HOOK}})
    wanted = ("ops", "webhook", {"url": "https://other.example.com/"}, False)
    database.write_now(lambda session: book.put_channel(session, NOW_NS, "ann", given, wanted))
    found = database.read_now(lambda session: book.channels(session, given))
    assert [(each.name, each.source, each.enabled) for each in found.values()] == [("ops", "api", False)]
    database.write_now(lambda session: book.remove_channel(session, NOW_NS, "ann", given, "ops"))
    with pytest.raises(Conflict, match="comes from the settings"):
        database.write_now(lambda session: book.remove_channel(session, NOW_NS, "ann", given, "ops"))


def test_no_kind_has_an_option_without_a_word_for_what_it_is_and_secrets_are_secret() -> None:
    hidden = {kind.name: kind.options.hidden for kind in KINDS.values()}
    assert hidden == {
        "email": {"password"},
        "slack": {"webhook_url", "token"},
        "sms": {"auth_token"},
        "pagerduty": {"routing_key"},
        "webhook": {"url", "secret", "headers"},
        "alertmanager": {"password", "token"},
        "apprise": {"url"},
    }
    assert all(kind.help for kind in KINDS.values())
