from __future__ import annotations

import pytest
from sqlalchemy.orm import Session

from botwatch import limits
from botwatch.errors import BadRequest, Conflict, NotFound
from botwatch.nouns import Role
from botwatch.state import Database, audit, meta, tokens, users
from botwatch.state.users import Change, User
from tests.state.conftest import NOW_NS


def add(database: Database, name: str = "ann", role: Role = Role.ADMIN) -> User:
    return database.write_now(lambda session: users.add(session, NOW_NS, "cli", name, role, "kept"))


def change(database: Database, name: str, wanted: Change) -> User:
    return database.write_now(lambda session: users.change(session, NOW_NS, "cli", name, wanted))


def stamp(database: Database) -> str:
    return database.read_now(meta.access_stamp)


def audited(database: Database) -> list[tuple[str, str]]:
    found = database.read_now(lambda session: audit.entries(session, before_id=None, count=100))
    return [(entry.what, entry.subject) for entry in reversed(found)]


def test_a_name_is_kept_in_small_letters_and_there_is_one_of_it(database: Database) -> None:
    assert add(database, " Ann ").name == "ann"
    with pytest.raises(Conflict, match="a user ann already"):
        add(database, "ANN")
    assert [user.name for user in database.read_now(lambda session: users.listed(session, count=9))] == ["ann"]
    assert audited(database) == [("user.add", "ann")]


@pytest.mark.parametrize(
    "name", ["", " ", "-ann", "a b", "ann\n", "ann\x1b[2J", "<b>ann", "ænn", "token:x", "operator", "cli", "a" * 65]
)
def test_a_name_that_could_be_taken_for_something_else_is_refused(name: str) -> None:
    if name == "ann\n":  # what surrounds it is taken off, as from a password file
        assert users.clean_name(name) == "ann"
        return
    with pytest.raises(BadRequest, match="A user's name has 1 to 64"):
        users.clean_name(name)


def test_every_change_is_stamped_and_audited_and_none_is_not(database: Database) -> None:
    add(database, "root")
    add(database)
    before = stamp(database)
    assert change(database, "ann", Change(role=Role.MONITOR)).role is Role.MONITOR
    assert stamp(database) != before
    assert change(database, "ann", Change(disabled=True)).disabled
    assert not change(database, "ann", Change(disabled=False)).disabled
    change(database, "ann", Change(role=Role.MONITOR, disabled=False))
    change(database, "ann", Change(password_hash="other"))
    wanted = ["user.role", "user.disable", "user.enable", "user.password"]
    assert audited(database)[2:] == [(what, "ann") for what in wanted]


@pytest.mark.parametrize("wanted", [Change(role=Role.MONITOR), Change(disabled=True)])
def test_the_last_admin_stays(database: Database, wanted: Change) -> None:
    add(database)
    add(database, "bob", Role.MONITOR)
    with pytest.raises(Conflict, match="ann is the last admin"):
        change(database, "ann", wanted)
    add(database, "eve")
    change(database, "ann", wanted)
    with pytest.raises(Conflict, match="eve is the last admin"):
        change(database, "eve", wanted)


def test_someone_unknown_is_not_found_and_not_repeated(database: Database) -> None:
    with pytest.raises(NotFound) as missing:
        change(database, "<script>", Change(disabled=True))
    assert "script" not in missing.value.message


def test_who_is_disabled_is_not_found_for_signing_in(database: Database) -> None:
    add(database)
    add(database, "bob")
    change(database, "bob", Change(disabled=True))
    assert database.read_now(lambda session: users.find_with_password(session, "bob")) is None
    found = database.read_now(lambda session: users.find_with_password(session, "ann"))
    assert found is not None
    assert found[1] == "kept"


def test_a_new_password_ends_the_browser_sessions_and_keeps_the_tokens(database: Database) -> None:
    ann = add(database)

    def two(session: Session) -> None:
        tokens.add_browser(session, NOW_NS, "ann", user=ann, role=ann.role)
        tokens.add_api(session, NOW_NS, "ann", label="script", role=ann.role, user=ann, days=None)

    database.write_now(two)
    change(database, "ann", Change(password_hash="other"))
    left = database.read_now(lambda session: tokens.live(session, NOW_NS))
    assert [token.kind for _, token in left] == [tokens.Kind.API]


def test_the_number_of_users_is_bounded(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "USERS_MAX", 1)
    add(database)
    with pytest.raises(Conflict, match="1 users already"):
        add(database, "bob")


def test_a_long_list_comes_in_pages(database: Database) -> None:
    for number in range(5):
        add(database, f"user{number}")
    first = database.read_now(lambda session: users.listed(session, count=3))
    rest = database.read_now(lambda session: users.listed(session, after_id=first[-1].id, count=3))
    assert [user.name for user in first + rest] == [f"user{number}" for number in range(5)]
