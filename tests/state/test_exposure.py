from __future__ import annotations

from pathlib import Path

import pytest

from botwatch.errors import SettingError
from botwatch.nouns import Role
from botwatch.settings import Settings
from botwatch.state import Database, check_exposure, keys, tokens, users
from botwatch.state.tokens import DAY_NS
from botwatch.state.users import Change
from tests.state.conftest import NOW_NS

OPEN = {"host": "0.0.0.0"}


def check(database: Database, given: dict[str, str], now_ns: int = NOW_NS) -> None:
    check_exposure(Settings.model_validate({"data": Path("folder"), **given}), database, now_ns)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1"])
def test_loopback_needs_nobody(database: Database, host: str) -> None:
    check(database, {"host": host})


@pytest.mark.parametrize("given", [OPEN, {"host": "::"}, {"host": "10.0.0.7"}, {"public_url": "https://b.example"}])
def test_what_others_can_reach_is_refused_until_somebody_can_sign_in(database: Database, given: dict[str, str]) -> None:
    with pytest.raises(SettingError, match="botwatch user add NAME --role admin --data folder"):
        check(database, given)
    database.write_now(lambda session: users.add(session, NOW_NS, "cli", "ann", Role.ADMIN, "x"))
    check(database, given)


def test_a_token_is_enough_while_it_is_valid(database: Database) -> None:
    database.write_now(
        lambda session: tokens.add_api(session, NOW_NS, "cli", label="t", role=Role.ADMIN, user=None, days=1)
    )
    check(database, OPEN)
    with pytest.raises(SettingError):
        check(database, OPEN, NOW_NS + DAY_NS)


def test_an_admin_token_is_enough_if_it_cannot_be_guessed(database: Database) -> None:
    check(database, OPEN | {"admin_token": "x" * 16})
    with pytest.raises(SettingError, match="only 15 characters") as refused:
        check(database, OPEN | {"admin_token": "hush-hush-hush!"})
    assert "hush" not in str(refused.value)
    check(database, {"admin_token": "x"})


def test_an_ingest_key_or_a_disabled_user_or_an_old_session_is_nobody(database: Database) -> None:
    database.write_now(lambda session: keys.add(session, NOW_NS, "cli", "bot"))
    database.write_now(lambda session: users.add(session, NOW_NS, "cli", "ann", Role.MONITOR, "x"))
    database.write_now(lambda session: users.change(session, NOW_NS, "cli", "ann", Change(disabled=True)))
    database.write_now(lambda session: tokens.add_browser(session, NOW_NS, "x", user=None, role=Role.ADMIN))
    with pytest.raises(SettingError, match="nobody could sign in"):
        check(database, OPEN)


def test_the_url_of_the_state_database_is_not_repeated(database: Database) -> None:
    with pytest.raises(SettingError, match="--state URL") as refused:
        check(database, OPEN | {"state": "postgresql://u:hush-hush@h/d"})
    assert "hush" not in str(refused.value)
