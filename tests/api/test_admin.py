from __future__ import annotations

import httpx
import pytest
from fastapi import FastAPI

from botwatch import limits
from botwatch.api import Context
from botwatch.settings import Settings
from botwatch.state import Database, Keys, audit
from tests.api.conftest import PASSWORD, Secrets, bearer, browser, error_of


@pytest.fixture
async def admin(client: httpx.AsyncClient, secrets: Secrets) -> httpx.AsyncClient:
    client.headers["authorization"] = f"Bearer {secrets.admin}"
    return client


async def test_a_key_is_made_shown_once_used_and_revoked_at_once(admin: httpx.AsyncClient, context: Context) -> None:
    made = (await admin.post("/api/keys", json={"label": "checkout"})).json()
    receivers = Keys(context.access, required=True)
    assert await receivers.admits(made["secret"])
    listed = (await admin.get("/api/keys")).json()
    assert made["secret"] not in str(listed)
    assert made["key"]["prefix"] == made["secret"][:12]
    assert [key["label"] for key in listed["items"]] == ["bot", "checkout"]
    assert (await admin.delete(f"/api/keys/{made['key']['id']}")).status_code == 204
    assert not await receivers.admits(made["secret"])
    assert error_of(await admin.delete(f"/api/keys/{made['key']['id']}")) == (404, "not_found")


async def test_a_token_works_until_it_is_revoked_and_not_once_more(
    admin: httpx.AsyncClient, client: httpx.AsyncClient
) -> None:
    made = (await admin.post("/api/tokens", json={"label": "status board", "role": "monitor", "days": 30})).json()
    assert made["token"]["expires"] == "2027-02-14T08:00:00Z"
    me = await client.get("/api/auth/me", headers=bearer(made["secret"]))
    assert (me.json()["name"], me.json()["role"]) == ("token:status board", "monitor")
    assert (await admin.delete(f"/api/tokens/{made['token']['id']}")).status_code == 204
    assert error_of(await client.get("/api/auth/me", headers=bearer(made["secret"]))) == (401, "unauthorised")


@pytest.mark.usefixtures("people")
async def test_a_monitor_makes_tokens_only_for_themselves_and_never_stronger(app: FastAPI) -> None:
    bob = await browser(app, "bob")
    made = (await bob.post("/api/tokens", json={"label": "mine", "role": "admin"})).json()
    assert (made["token"]["user"], made["token"]["role"]) == ("bob", "monitor")
    assert error_of(await bob.post("/api/tokens", json={"label": "x", "user": "ann"})) == (403, "forbidden")
    assert [token["label"] for token in (await bob.get("/api/tokens")).json()["items"]] == ["mine"]
    await bob.aclose()


@pytest.mark.usefixtures("people")
async def test_an_admin_makes_tokens_for_others(app: FastAPI) -> None:
    ann = await browser(app, "ann")
    for_bob = (await ann.post("/api/tokens", json={"label": "x", "role": "admin", "user": "Bob"})).json()["token"]
    assert (for_bob["user"], for_bob["role"]) == ("bob", "monitor")
    assert (await ann.post("/api/tokens", json={"label": "x"})).json()["token"]["user"] == "ann"
    assert error_of(await ann.post("/api/tokens", json={"label": "x", "user": "nobody"})) == (404, "not_found")
    await ann.aclose()


async def test_a_token_of_nobody_makes_no_others_unless_it_is_an_admins(
    client: httpx.AsyncClient, secrets: Secrets
) -> None:
    response = await client.post("/api/tokens", json={"label": "x"}, headers=bearer(secrets.monitor))
    assert error_of(response) == (403, "forbidden")
    response = await client.post("/api/tokens", json={"label": "x"}, headers=bearer(secrets.admin))
    assert (response.status_code, response.json()["token"]["user"]) == (201, None)


async def test_a_monitors_token_sees_itself_and_no_other(client: httpx.AsyncClient, secrets: Secrets) -> None:
    items = (await client.get("/api/tokens", headers=bearer(secrets.monitor))).json()["items"]
    assert [item["label"] for item in items] == ["monitors"]


async def test_a_user_is_added_changed_and_shut_out(admin: httpx.AsyncClient, app: FastAPI) -> None:
    new = {"name": "Ann", "role": "admin", "password": PASSWORD}
    added = await admin.post("/api/users", json=new)
    assert (added.status_code, added.json()["name"], added.json()["disabled"]) == (201, "ann", False)
    assert error_of(await admin.post("/api/users", json=new)) == (409, "conflict")
    ann = await browser(app)
    await admin.post("/api/users", json=new | {"name": "eve"})
    assert (await admin.patch("/api/users/ann", json={"role": "monitor"})).json()["role"] == "monitor"
    assert error_of(await ann.get("/api/users")) == (403, "forbidden")
    assert error_of(await admin.patch("/api/users/eve", json={"disabled": True})) == (409, "conflict")
    assert (await admin.patch("/api/users/ann", json={"disabled": True})).json()["disabled"]
    assert error_of(await ann.get("/api/auth/me")) == (401, "unauthorised")
    assert [user["name"] for user in (await admin.get("/api/users")).json()["items"]] == ["ann", "eve"]
    await ann.aclose()


@pytest.mark.usefixtures("people")
async def test_a_password_set_by_an_admin_ends_the_sessions(admin: httpx.AsyncClient, app: FastAPI) -> None:
    bob = await browser(app, "bob")
    assert (await admin.patch("/api/users/bob", json={"password": "quite another one"})).status_code == 200
    assert error_of(await bob.get("/api/auth/me")) == (401, "unauthorised")
    await bob.aclose()


@pytest.mark.parametrize(
    "change",
    [
        {"name": "no spaces please"},
        {"name": "operator"},
        {"name": ""},
        {"role": "root"},
        {"password": "short"},
        {"password": None},
        {"more": 1},
    ],
)
async def test_a_user_that_does_not_fit_is_refused(admin: httpx.AsyncClient, change: dict[str, object]) -> None:
    body = {"name": "ann", "role": "admin", "password": PASSWORD} | change
    assert error_of(await admin.post("/api/users", json=body)) == (422, "bad_request")
    assert (await admin.get("/api/users")).json()["items"] == []


@pytest.mark.parametrize("name", ["nobody", "%00", "%F0%9F%92%A9", "a" * 5_000, "..%2f..", "<script>"])
async def test_a_user_nobody_knows_is_not_found_and_not_repeated(admin: httpx.AsyncClient, name: str) -> None:
    response = await admin.patch(f"/api/users/{name}", json={"role": "monitor"})
    assert error_of(response) == (404, "not_found")
    assert name not in response.text


@pytest.mark.parametrize("number", ["0", "-1", "1.5", "abc", str(2**63), "9" * 4_000])
@pytest.mark.parametrize("path", ["/api/keys/", "/api/tokens/", "/api/auth/sessions/"])
async def test_a_number_that_cannot_be_one_of_ours_is_refused(admin: httpx.AsyncClient, path: str, number: str) -> None:
    assert error_of(await admin.delete(path + number)) == (422, "bad_request")
    assert error_of(await admin.delete(path + str(2**63 - 1))) == (404, "not_found")


async def test_long_lists_come_in_pages(admin: httpx.AsyncClient) -> None:
    for number in range(4):
        await admin.post("/api/keys", json={"label": f"key {number}"})
    for path, label in (("/api/keys", "label"), ("/api/audit", "subject")):
        seen, cursor, pages = [], None, 0
        while pages == 0 or cursor:
            params = {"limit": "2"} | ({"cursor": cursor} if cursor else {})
            page = (await admin.get(path, params=params)).json()
            assert 1 <= len(page["items"]) <= 2
            seen += [item[label] for item in page["items"]]
            cursor, pages = page["next"], pages + 1
        whole = (await admin.get(path)).json()
        assert whole["next"] is None
        assert seen == [item[label] for item in whole["items"]]
        assert pages == -(-len(seen) // 2)


@pytest.mark.parametrize("path", ["/api/keys", "/api/audit", "/api/users", "/api/tokens", "/api/auth/sessions"])
@pytest.mark.parametrize("params", [{"cursor": "x"}, {"cursor": "WyJhIl0"}, {"limit": "0"}, {"limit": "501"}])
async def test_a_page_that_there_is_not_is_refused(admin: httpx.AsyncClient, path: str, params: dict[str, str]) -> None:
    assert error_of(await admin.get(path, params=params)) == (422, "bad_request")


async def test_who_did_what_is_in_the_audit_and_no_secret_is(admin: httpx.AsyncClient, database: Database) -> None:
    key = (await admin.post("/api/keys", json={"label": "checkout"})).json()
    await admin.delete(f"/api/keys/{key['key']['id']}")
    token = (await admin.post("/api/tokens", json={"label": "board"})).json()
    await admin.delete(f"/api/tokens/{token['token']['id']}")
    await admin.post("/api/users", json={"name": "ann", "role": "admin", "password": PASSWORD})
    await admin.patch("/api/users/ann", json={"password": "quite another one"})
    shown = (await admin.get("/api/audit")).json()
    assert [(item["who"], item["what"], item["subject"]) for item in shown["items"][:6]] == [
        ("token:admins", "user.password", "ann"),
        ("token:admins", "user.add", "ann"),
        ("token:admins", "token.revoke", "board"),
        ("token:admins", "token.add", "board"),
        ("token:admins", "key.revoke", "checkout"),
        ("token:admins", "key.add", "checkout"),
    ]
    assert shown["items"][0]["at"] == "2027-01-15T08:00:00Z"
    for secret in (key["secret"], token["secret"], PASSWORD, "scrypt"):
        assert secret not in str(shown)


async def test_a_change_that_is_refused_is_not_audited(admin: httpx.AsyncClient, database: Database) -> None:
    before = database.read_now(lambda session: audit.entries(session, before_id=None, count=1))[0].id
    await admin.delete("/api/keys/999")
    await admin.post("/api/keys", json={"label": "\n"})
    assert database.read_now(lambda session: audit.entries(session, before_id=None, count=1))[0].id == before


async def test_a_full_house_of_tokens_is_told(admin: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "TOKENS_PER_USER_MAX", 2)
    assert error_of(await admin.post("/api/tokens", json={"label": "one more"})) == (409, "conflict")


class TestAdminToken:
    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        return Settings.model_validate({**settings.model_dump(), "admin_token": "a long word"})

    async def test_the_admin_token_of_the_settings_is_an_admin(self, client: httpx.AsyncClient) -> None:
        me = await client.get("/api/auth/me", headers=bearer("a long word"))
        assert me.json() == {"name": "admin-token", "role": "admin", "via": "setting", "expires": None}
        assert (await client.get("/api/audit", headers=bearer("a long word"))).status_code == 200
        assert (await client.get("/api/audit", headers=bearer("a long wor"))).status_code == 401
