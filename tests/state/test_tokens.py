from __future__ import annotations

import pytest
import sqlalchemy as sa

from botwatch import limits
from botwatch.errors import BadRequest, Conflict, NotFound
from botwatch.nouns import Role
from botwatch.state import Database, Principal, Via, audit, keys, tokens, users
from botwatch.state.rows import TokenRow
from botwatch.state.tokens import DAY_NS, Kind, Token
from botwatch.state.users import Change, User
from tests.state.conftest import NOW_NS

HOUSE = Principal("token:watcher", Role.MONITOR, Via.API, token_id=999)


def person(database: Database, name: str, role: Role = Role.MONITOR) -> User:
    return database.write_now(lambda session: users.add(session, NOW_NS, "cli", name, role, "kept"))


def principal(user: User) -> Principal:
    return Principal(user.name, user.role, Via.BROWSER, user_id=user.id)


def api(database: Database, user: User | None = None, *, role: Role = Role.ADMIN, days: int | None = None) -> Token:
    return database.write_now(
        lambda session: tokens.add_api(session, NOW_NS, "cli", label="t", role=role, user=user, days=days)
    )[0]


def browser(database: Database, user: User | None = None, now_ns: int = NOW_NS) -> Token:
    role = user.role if user else Role.ADMIN
    return database.write_now(lambda session: tokens.add_browser(session, now_ns, "x", user=user, role=role))[0]


def live(database: Database, now_ns: int = NOW_NS) -> list[Token]:
    return [token for _, token in database.read_now(lambda session: tokens.live(session, now_ns))]


def revoke(database: Database, who: Principal | str, token: Token, kind: Kind | None = None) -> None:
    database.write_now(lambda session: tokens.revoke(session, NOW_NS, who, kind or token.kind, token.id))


def test_the_secret_is_nowhere_in_the_database(database: Database) -> None:
    _, secret = database.write_now(
        lambda session: tokens.add_api(session, NOW_NS, "cli", label="t", role=Role.ADMIN, user=None, days=1)
    )
    _, key = database.write_now(lambda session: keys.add(session, NOW_NS, "cli", "bot"))
    with database.engine.connect() as connection:
        everything = "".join(
            str(row)
            for table in sa.inspect(connection).get_table_names()
            for row in connection.execute(sa.text(f'SELECT * FROM "{table}"'))
        )
    for kept in (secret, key):
        assert len(kept) > 30
        assert kept[-20:] not in everything


def test_a_token_never_does_more_than_its_user(database: Database) -> None:
    bob = person(database, "bob")
    assert api(database, bob, role=Role.ADMIN).role is Role.MONITOR
    person(database, "root", Role.ADMIN)
    eve = person(database, "eve", Role.ADMIN)
    token = api(database, eve, role=Role.ADMIN)
    assert token.role is Role.ADMIN
    database.write_now(lambda session: users.change(session, NOW_NS, "cli", "eve", Change(role=Role.MONITOR)))
    assert {found.id: found.role for found in live(database)}[token.id] is Role.MONITOR


def test_what_is_revoked_expired_or_of_someone_disabled_opens_nothing(database: Database) -> None:
    person(database, "root", Role.ADMIN)
    ann = person(database, "ann")
    revoked, expiring, of_ann, stays = api(database), api(database, days=1), api(database, ann), api(database)
    revoke(database, "cli", revoked)
    assert [token.id for token in live(database)] == [expiring.id, of_ann.id, stays.id]
    database.write_now(lambda session: users.change(session, NOW_NS, "cli", "ann", Change(disabled=True)))
    assert [token.id for token in live(database, NOW_NS + DAY_NS - 1)] == [expiring.id, stays.id]
    assert [token.id for token in live(database, NOW_NS + DAY_NS)] == [stays.id]


def test_one_revokes_ones_own_and_an_admin_anyones(database: Database) -> None:
    ann, bob, root = person(database, "ann"), person(database, "bob"), person(database, "root", Role.ADMIN)
    first, second, houses = api(database, ann), browser(database, ann), api(database)
    for token in (first, second, houses):
        for stranger in (principal(bob), HOUSE):
            with pytest.raises(NotFound):
                revoke(database, stranger, token)
    revoke(database, principal(ann), first)
    revoke(database, principal(root), second)
    revoke(database, Principal("token:t", Role.MONITOR, Via.API, token_id=houses.id), houses)
    assert live(database) == []
    with pytest.raises(NotFound, match="revoked already"):
        revoke(database, principal(root), first)


def test_a_session_is_not_revoked_as_a_token(database: Database) -> None:
    session, token = browser(database), api(database)
    with pytest.raises(NotFound, match="no such token"):
        revoke(database, "cli", session, Kind.API)
    with pytest.raises(NotFound, match="no such session"):
        revoke(database, "cli", token, Kind.BROWSER)


def test_one_sees_ones_own_and_who_asks_for_all_sees_all(database: Database) -> None:
    ann, bob = person(database, "ann"), person(database, "bob")
    of_ann, of_bob, houses = api(database, ann), api(database, bob), api(database)

    def ids(owner: Principal | None) -> list[int]:
        return [
            token.id
            for token in database.read_now(
                lambda session: tokens.listed(session, NOW_NS, Kind.API, owner=owner, count=9)
            )
        ]

    assert ids(principal(ann)) == [of_ann.id]
    assert ids(Principal("token:t", Role.MONITOR, Via.API, token_id=houses.id)) == [houses.id]
    assert ids(HOUSE) == []
    assert ids(None) == [of_ann.id, of_bob.id, houses.id]


def test_the_number_of_tokens_of_one_user_is_bounded(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "TOKENS_PER_USER_MAX", 2)
    ann = person(database, "ann")
    first = api(database, ann)
    api(database, ann)
    api(database)  # of nobody: counted by itself
    with pytest.raises(Conflict, match="2 tokens already"):
        api(database, ann)
    revoke(database, "cli", first)
    api(database, ann)


def test_the_oldest_session_goes_when_there_are_too_many(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "BROWSER_SESSIONS_PER_USER_MAX", 2)
    ann = person(database, "ann")
    other = browser(database)
    first, second, third = browser(database, ann), browser(database, ann), browser(database, ann)
    assert {token.id for token in live(database)} == {other.id, second.id, third.id}
    assert first.id not in {token.id for token in live(database)}


def test_what_ended_long_ago_is_forgotten(database: Database) -> None:
    old, kept = browser(database), api(database)
    much_later = NOW_NS + (limits.BROWSER_SESSION_DAYS_MAX + limits.ENDED_TOKENS_KEPT_DAYS + 1) * DAY_NS
    new = browser(database, now_ns=much_later)
    rows = database.read_now(lambda session: list(session.scalars(sa.select(TokenRow.id))))
    assert sorted(rows) == sorted([kept.id, new.id])
    assert old.id not in rows


@pytest.mark.parametrize("days", [0, -1, 3651])
def test_a_validity_outside_the_bound_is_refused(database: Database, days: int) -> None:
    with pytest.raises(BadRequest, match="1 to 3650 days"):
        api(database, days=days)


@pytest.mark.parametrize("label", ["", "  ", "two\nlines", "\x1b[31mred", "x" * 129, "\u202eright to left"])
def test_a_label_is_one_line_of_printable_text(database: Database, label: str) -> None:
    with pytest.raises(BadRequest, match="A label is"):
        database.write_now(lambda session: keys.add(session, NOW_NS, "cli", label))


def test_a_token_for_someone_disabled_is_refused(database: Database) -> None:
    person(database, "root", Role.ADMIN)
    person(database, "ann")
    ann = database.write_now(lambda session: users.change(session, NOW_NS, "cli", "ann", Change(disabled=True)))
    with pytest.raises(Conflict, match="disabled"):
        api(database, ann)


def test_what_happens_to_a_key_is_audited_and_it_is_listed_until_it_is_revoked(database: Database) -> None:
    key, secret = database.write_now(lambda session: keys.add(session, NOW_NS, "ann", "checkout bot"))
    assert secret.startswith(key.prefix)
    assert database.read_now(lambda session: keys.listed(session, count=9)) == [key]
    database.write_now(lambda session: keys.revoke(session, NOW_NS, "bob", key.id))
    assert database.read_now(lambda session: keys.listed(session, count=9)) == []
    with pytest.raises(NotFound):
        database.write_now(lambda session: keys.revoke(session, NOW_NS, "bob", key.id))
    found = database.read_now(lambda session: audit.entries(session, before_id=None, count=9))
    assert [(entry.who, entry.what, entry.subject) for entry in found] == [
        ("bob", "key.revoke", "checkout bot"),
        ("ann", "key.add", "checkout bot"),
    ]
    assert found[0].detail == {"id": key.id, "prefix": key.prefix}


def test_the_number_of_keys_is_bounded(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "INGEST_KEYS_MAX", 1)
    database.write_now(lambda session: keys.add(session, NOW_NS, "cli", "one"))
    with pytest.raises(Conflict, match="1 ingest keys already"):
        database.write_now(lambda session: keys.add(session, NOW_NS, "cli", "two"))


def test_the_audit_comes_newest_first_in_pages(database: Database) -> None:
    for number in range(5):
        database.write_now(lambda session, n=number: audit.record(session, NOW_NS + n, "cli", "test", f"s{n}", n=n))  # type: ignore[misc]
    first = database.read_now(lambda session: audit.entries(session, before_id=None, count=3))
    rest = database.read_now(lambda session: audit.entries(session, before_id=first[-1].id, count=3))
    assert [entry.subject for entry in first + rest] == ["s4", "s3", "s2", "s1", "s0"]


def test_of_the_audit_the_oldest_are_forgotten(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit, "AUDIT_ENTRIES_MAX", 3)
    for number in range(6):
        database.write_now(lambda session, n=number: audit.record(session, NOW_NS, "cli", "test", f"s{n}"))  # type: ignore[misc]
    found = database.read_now(lambda session: audit.entries(session, before_id=None, count=10))
    assert [entry.subject for entry in found] == ["s5", "s4", "s3"]


def test_an_overlong_subject_or_detail_is_cut(database: Database) -> None:
    database.write_now(lambda session: audit.record(session, NOW_NS, "cli", "test", "s" * 9_999, text="d" * 9_999))
    entry = database.read_now(lambda session: audit.entries(session, before_id=None, count=1))[0]
    assert len(entry.subject) == limits.LABEL_CHARS_MAX
    assert entry.detail == {"text": "d" * limits.AUDIT_DETAIL_CHARS_MAX}
