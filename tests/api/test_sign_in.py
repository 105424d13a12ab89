from __future__ import annotations

import asyncio
import re
import threading

import httpx
import pytest
import sqlalchemy as sa
from fastapi import FastAPI

from botwatch import limits
from botwatch.api import Context
from botwatch.clock import ManualClock
from botwatch.settings import Settings
from botwatch.state import Database, audit, users
from botwatch.state.secrets import hash_password
from botwatch.state.users import Change
from tests.api.conftest import NOW_NS, ORIGIN, PASSWORD, Secrets, bearer, browser, error_of

pytestmark = pytest.mark.usefixtures("people")
SIGN_IN = "/api/auth/sign-in"


def given(name: str = "ann", password: str = PASSWORD) -> dict[str, str]:
    return {"name": name, "password": password}


async def test_a_name_and_a_password_sign_in_a_browser(client: httpx.AsyncClient) -> None:
    response = await client.post(SIGN_IN, json=given(" Ann "))
    assert response.json() == {
        "name": "ann",
        "role": "admin",
        "via": "browser",
        "expires": "2027-01-29T08:00:00Z",
    }
    cookie = response.headers["set-cookie"]
    assert re.fullmatch(r"botwatch_8600=bw_ses_[\w-]{43}; HttpOnly; Max-Age=1209600; Path=/; SameSite=strict", cookie)
    assert PASSWORD not in response.text
    assert (await client.get("/api/auth/me")).json()["name"] == "ann"


@pytest.mark.parametrize(
    ("name", "password"),
    [("ann", "wrong horse battery"), ("nobody", PASSWORD), ("", ""), ("ann\0", PASSWORD), ("' OR 1=1 --", PASSWORD)],
)
async def test_whatever_is_wrong_the_answer_is_the_same(client: httpx.AsyncClient, name: str, password: str) -> None:
    response = await client.post(SIGN_IN, json=given(name, password))
    assert error_of(response) == (401, "unauthorised")
    assert response.json()["error"]["message"] == "The name or the password is wrong."
    assert "set-cookie" not in response.headers


async def test_someone_disabled_does_not_sign_in(client: httpx.AsyncClient, database: Database) -> None:
    database.write_now(lambda session: users.change(session, NOW_NS, "cli", "bob", Change(disabled=True)))
    assert error_of(await client.post(SIGN_IN, json=given("bob"))) == (401, "unauthorised")


async def test_an_unknown_name_costs_as_much_as_a_known_one(
    client: httpx.AsyncClient, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Counted, not timed: each try computes one password."""
    costly = Change(password_hash=hash_password(PASSWORD))
    database.write_now(lambda session: users.change(session, NOW_NS, "cli", "ann", costly))
    tried: list[str] = []

    def count(password: str, kept: str) -> bool:
        tried.append(kept.split("$")[1])
        return False

    monkeypatch.setattr("botwatch.api.sign_in.password_fits", count)
    for name in ("ann", "nobody", "no such name!"):
        await client.post(SIGN_IN, json=given(name))
    assert len(tried) == 3
    assert len(set(tried)) == 1


async def test_the_eleventh_failure_in_a_minute_waits(client: httpx.AsyncClient, clock: ManualClock) -> None:
    for _ in range(limits.LOGIN_FAILURES_PER_MINUTE_MAX):
        assert error_of(await client.post(SIGN_IN, json=given(password="wrong"))) == (401, "unauthorised")
    for name in ("ann", "ANN "):
        response = await client.post(SIGN_IN, json=given(name))
        assert error_of(response) == (429, "throttled")
        assert response.headers["retry-after"] == "60"
    assert (await client.post(SIGN_IN, json=given("bob"))).status_code == 200
    clock.advance(60)
    assert (await client.post(SIGN_IN, json=given())).status_code == 200


async def test_another_address_is_counted_by_itself(app: FastAPI, client: httpx.AsyncClient) -> None:
    for _ in range(limits.LOGIN_FAILURES_PER_MINUTE_MAX):
        await client.post(SIGN_IN, json=given(password="wrong"))
    transport = httpx.ASGITransport(app, client=("10.0.0.9", 5000))
    async with httpx.AsyncClient(transport=transport, base_url=ORIGIN) as other:
        assert (await other.post(SIGN_IN, json=given())).status_code == 200


async def test_all_addresses_of_one_ipv6_network_count_together(app: FastAPI, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "LOGIN_FAILURES_PER_MINUTE_MAX", 2)
    status = []
    for host in ("2001:db8::1", "2001:db8::2:2", "2001:db8::3"):
        transport = httpx.ASGITransport(app, client=(host, 5000))
        async with httpx.AsyncClient(transport=transport, base_url=ORIGIN) as client:
            status.append((await client.post(SIGN_IN, json=given(password="wrong"))).status_code)
    assert status == [401, 401, 429]


async def test_one_address_cannot_try_one_password_on_everybody(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "LOGIN_FAILURES_PER_ADDRESS_PER_MINUTE_MAX", 3)
    status = [(await client.post(SIGN_IN, json=given(f"user{number}"))).status_code for number in range(4)]
    assert status == [401, 401, 401, 429]


async def test_tries_at_once_are_counted_before_they_are_answered(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "LOGIN_FAILURES_PER_MINUTE_MAX", 2)
    answers = await asyncio.gather(*(client.post(SIGN_IN, json=given(password="wrong")) for _ in range(6)))
    assert sorted(answer.status_code for answer in answers) == [401, 401, 429, 429, 429, 429]


async def test_too_many_sign_ins_at_once_are_told_to_come_again(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "LOGINS_WAITING_MAX", 1)
    refused = threading.Event()

    def long(password: str, kept: str) -> bool:
        assert refused.wait(60), "nobody was told to come again"
        return False

    monkeypatch.setattr("botwatch.api.sign_in.password_fits", long)
    asked = [asyncio.create_task(client.post(SIGN_IN, json=given(f"user{number}"))) for number in range(3)]
    for number, told in enumerate(asyncio.as_completed(asked), 1):
        await told
        if number == 2:
            refused.set()
    assert sorted(one.result().status_code for one in asked) == [401, 503, 503]


async def test_the_link_signs_in_once(client: httpx.AsyncClient, context: Context) -> None:
    code = context.sign_in.new_code()
    response = await client.get("/sign-in", params={"code": code})
    assert (response.status_code, response.headers["location"]) == (303, "/")
    assert response.headers["referrer-policy"] == "no-referrer"
    assert response.headers["cache-control"] == "no-store"
    me = (await client.get("/api/auth/me")).json()
    assert (me["name"], me["role"], me["via"]) == ("operator", "admin", "browser")
    again = await client.get("/sign-in", params={"code": code})
    assert error_of(again) == (401, "unauthorised")
    assert "set-cookie" not in again.headers


async def test_the_link_is_not_used_up_by_a_browser_that_looks_ahead(
    client: httpx.AsyncClient, context: Context
) -> None:
    code = context.sign_in.new_code()
    for header in ({"sec-purpose": "prefetch;prerender"}, {"purpose": "prefetch"}):
        assert error_of(await client.get("/sign-in", params={"code": code}, headers=header))[0] == 400
    assert (await client.head("/sign-in", params={"code": code})).status_code == 405
    assert (await client.get("/sign-in", params={"code": code})).status_code == 303


async def test_a_full_disk_is_told_and_does_not_use_the_link_up(
    client: httpx.AsyncClient, context: Context, database: Database
) -> None:
    pages = "PRAGMA max_page_count=1"  # no more than there are

    def begin(connection: sa.Connection) -> None:
        connection.exec_driver_sql(pages)

    sa.event.listen(database.engine, "begin", begin)
    for _ in range(1_000):  # until the last page is full
        code = context.sign_in.new_code()
        told = await client.get("/sign-in", params={"code": code})
        if told.status_code != 303:
            break
    assert error_of(told) == (503, "state_away")
    assert "disk of the state database is full" in told.text
    pages = "PRAGMA max_page_count=1000000"
    assert (await client.get("/sign-in", params={"code": code})).status_code == 303


async def test_the_link_ends_with_the_hour(client: httpx.AsyncClient, context: Context, clock: ManualClock) -> None:
    code = context.sign_in.new_code()
    clock.advance(limits.SIGN_IN_CODE_S_MAX)
    assert error_of(await client.get("/sign-in", params={"code": code})) == (401, "unauthorised")


async def test_only_so_many_links_wait(client: httpx.AsyncClient, context: Context) -> None:
    first = context.sign_in.new_code()
    others = [context.sign_in.new_code() for _ in range(limits.SIGN_IN_CODES_MAX)]
    assert (await client.get("/sign-in", params={"code": first})).status_code == 401
    assert (await client.get("/sign-in", params={"code": others[0]})).status_code == 303


@pytest.mark.parametrize("code", ["", "x", "é", "x" * 512, "../../etc"])
async def test_a_made_up_link_signs_nobody_in(client: httpx.AsyncClient, code: str) -> None:
    assert error_of(await client.get("/sign-in", params={"code": code})) == (401, "unauthorised")


@pytest.mark.parametrize("query", ["", "?code=", "?code=spent"])
async def test_somebody_without_a_link_that_works_is_led_to_the_page_that_asks(
    client: httpx.AsyncClient, query: str
) -> None:
    answer = await client.get(f"/sign-in{query}", headers={"accept": "text/html,*/*"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert "set-cookie" not in answer.headers


async def test_signing_out_ends_the_session_itself(app: FastAPI) -> None:
    ann = await browser(app)
    kept = dict(ann.cookies)
    response = await ann.post("/api/auth/sign-out")
    assert response.status_code == 204
    assert 'botwatch_8600=""' in response.headers["set-cookie"]
    ann.cookies.update(kept)  # whoever kept a copy is out too
    assert error_of(await ann.get("/api/auth/me")) == (401, "unauthorised")
    await ann.aclose()


async def test_a_token_does_not_sign_out(client: httpx.AsyncClient, secrets: Secrets) -> None:
    response = await client.post("/api/auth/sign-out", headers=bearer(secrets.monitor))
    assert error_of(response) == (422, "bad_request")


async def test_one_changes_ones_own_password_and_other_browsers_are_out(app: FastAPI) -> None:
    here, elsewhere = await browser(app, "bob"), await browser(app, "bob")
    wrong = await here.post("/api/auth/password", json={"old": "wrong", "new": "another long one"})
    assert error_of(wrong) == (401, "unauthorised")
    done = await here.post("/api/auth/password", json={"old": PASSWORD, "new": "another long one"})
    assert done.status_code == 204
    assert (await here.get("/api/auth/me")).json()["name"] == "bob"
    assert (await elsewhere.get("/api/auth/me")).status_code == 401
    assert (await elsewhere.post(SIGN_IN, json=given("bob"))).status_code == 401
    assert (await elsewhere.post(SIGN_IN, json=given("bob", "another long one"))).status_code == 200
    await here.aclose()
    await elsewhere.aclose()


async def test_who_is_no_user_has_no_password(client: httpx.AsyncClient, secrets: Secrets) -> None:
    body = {"old": PASSWORD, "new": "another long one"}
    response = await client.post("/api/auth/password", json=body, headers=bearer(secrets.admin))
    assert error_of(response) == (422, "bad_request")


async def test_one_sees_and_ends_ones_own_sessions_and_an_admin_all(app: FastAPI) -> None:
    ann, bob = await browser(app, "ann"), await browser(app, "bob")
    of_bob = (await bob.get("/api/auth/sessions")).json()["items"]
    assert [(item["user"], item["current"]) for item in of_bob] == [("bob", True)]
    everyone = (await ann.get("/api/auth/sessions")).json()["items"]
    assert [(item["user"], item["current"]) for item in everyone] == [("ann", True), ("bob", False)]
    assert error_of(await bob.delete(f"/api/auth/sessions/{everyone[0]['id']}")) == (404, "not_found")
    assert (await ann.delete(f"/api/auth/sessions/{of_bob[0]['id']}")).status_code == 204
    assert (await bob.get("/api/auth/me")).status_code == 401
    await ann.aclose()
    await bob.aclose()


async def test_signing_in_and_out_is_audited(app: FastAPI, database: Database) -> None:
    ann = await browser(app)
    await ann.post("/api/auth/sign-out")
    await ann.aclose()
    found = database.read_now(lambda session: audit.entries(session, before_id=None, count=2))
    assert [(entry.who, entry.what) for entry in found] == [("ann", "session.revoke"), ("ann", "session.add")]


@pytest.mark.parametrize(
    ("update", "scheme", "secure"),
    [({}, "http", False), ({}, "https", True), ({"public_url": "https://bots.example"}, "http", True)],
)
async def test_the_cookie_is_secure_where_the_page_is(
    context: Context, settings: Settings, update: dict[str, str], scheme: str, secure: bool
) -> None:
    from dataclasses import replace

    from botwatch.api import create_app

    app = create_app(replace(context, settings=settings.model_copy(update=update)))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=f"{scheme}://127.0.0.1:8600") as client:
        response = await client.post(SIGN_IN, json=given())
    assert ("Secure" in response.headers["set-cookie"]) == secure
