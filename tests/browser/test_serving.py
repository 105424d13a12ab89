"""The files of the pages as the server gives them."""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from botwatch.api import web
from tests.fault.harness import Botwatch

FIRST_LOAD_BYTES_MAX = 200_000
BROWSER = "text/html,application/xhtml+xml,*/*;q=0.8"


@pytest.fixture
def client(server: Botwatch) -> Iterator[httpx.Client]:
    url = f"http://127.0.0.1:{server.web}"
    with httpx.Client(base_url=url, headers={"accept": BROWSER}, timeout=60) as client:
        yield client


def _files(client: httpx.Client) -> list[str]:
    return re.findall(r'(?:src|href)="([^"]+)"', client.get("/").text)


@pytest.mark.parametrize("path", ["/", "/conversations", "/conversations/a%2Fb", "/no/such/place"])
def test_every_view_is_the_same_page_and_never_kept(client: httpx.Client, path: str) -> None:
    answer = client.get(path, headers={"accept-encoding": "identity"})
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert answer.headers["cache-control"] == "no-store"
    assert '<div id="root">' in answer.text
    assert client.head(path).status_code == 200


def test_nothing_stands_in_the_page_that_the_policy_would_refuse(client: httpx.Client) -> None:
    answer = client.get("/")
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'self';")
    assert "unsafe" not in policy
    assert re.findall(r"<script(?![^>]*\bsrc=)|<style|\bstyle=|\bon\w+=|javascript:|https?:", answer.text) == []


def test_what_has_its_hash_in_its_name_is_kept_for_ever_and_packed(client: httpx.Client) -> None:
    files = _files(client)
    assert len(files) >= 3
    total = 0
    for path in files:
        packed = client.get(path, headers={"accept-encoding": "gzip, br"})
        plain = client.get(path, headers={"accept-encoding": "identity"})
        assert packed.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert packed.headers["x-content-type-options"] == "nosniff"
        assert packed.headers["vary"] == "accept-encoding"
        assert packed.content == plain.content
        assert "content-encoding" not in plain.headers
        total += int(packed.headers["content-length"])
    assert total < FIRST_LOAD_BYTES_MAX, "what a browser loads first"


@pytest.mark.parametrize(
    "path", ["/api/nothing", "/api", "/v1/nothing", "/assets/old-1234.js", "/assets/%2e%2e/%2e%2e/web.py"]
)
def test_what_is_no_view_is_no_page(client: httpx.Client, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 404
    assert answer.json()["error"]["code"] == "not_found"


@pytest.mark.parametrize("path", ["/nothing", "/docs", "/%00/%ff"])
def test_a_program_that_asks_for_nothing_is_told_so(client: httpx.Client, path: str) -> None:
    answer = client.get(path, headers={"accept": "*/*"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "not_found")


def test_a_program_finds_the_first_page(client: httpx.Client) -> None:
    assert client.get("/", headers={"accept": "*/*"}).status_code == 200


def test_a_view_is_only_read(client: httpx.Client) -> None:
    assert client.post("/conversations", json={}).status_code == 404


async def test_without_the_pages_it_says_so_and_the_api_goes_on(tmp_path: Path) -> None:
    app = FastAPI(openapi_url="/api/openapi.json")
    web.install(app, tmp_path / "none")
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
        answer = await client.get("/")
        assert answer.status_code == 404
        assert "installed without its web pages" in answer.json()["error"]["message"]
        assert (await client.get("/api/openapi.json")).status_code == 200


def test_only_what_was_built_is_served(tmp_path: Path) -> None:
    (tmp_path / "assets").mkdir()
    (tmp_path / "assets" / "a-1.js").write_text("a" * 5_000)
    (tmp_path / "index.html").write_text("<html>")
    (tmp_path / ".stamp").write_text("x")
    files = web.load(tmp_path)
    assert sorted(files) == ["/assets/a-1.js", "/index.html"]
    packed = files["/assets/a-1.js"].packed
    assert packed is not None
    assert gzip.decompress(packed) == b"a" * 5_000
    assert files["/index.html"].packed is None
