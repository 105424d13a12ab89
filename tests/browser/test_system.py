"""The living picture is drawn from what is so: a service that is really stopped turns red."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
from playwright.sync_api import expect

from tests.browser.conftest import Opened
from tests.fault.harness import TOKEN, Botwatch


class _Answers(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path.startswith("/v1/sys/health"):
            body = b'{"initialized": true, "sealed": true, "standby": false, "version": "1.15.0"}'
        else:
            body = b"{}"
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass


class Service:
    """A small service on this machine that can be stopped."""

    def __init__(self) -> None:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _Answers)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05})
        self._thread.start()

    def stop(self) -> None:
        if self._thread.is_alive():
            self._server.shutdown()
            self._server.server_close()
            self._thread.join()


@contextmanager
def watched(server: Botwatch, name: str, **more: object) -> Iterator[Service]:
    """Asked by the server every second."""
    service = Service()
    http = httpx.Client(
        base_url=f"http://127.0.0.1:{server.web}", headers={"authorization": f"Bearer {TOKEN}"}, timeout=60
    )
    quick = {"interval_seconds": 1, "fails": 1, "of": 1}
    answer = http.post("/api/services", json={"name": name, "url": service.url, **quick, **more})
    assert answer.status_code == 201, answer.text
    try:
        yield service
    finally:
        assert http.delete(f"/api/services/{name}").is_success
        http.close()
        service.stop()


def test_a_service_that_stops_turns_red(server: Botwatch, open_page: Opened) -> None:
    with watched(server, "carrier-api", kind="http") as service:
        look = open_page()
        page = look.at("/system")
        node = page.locator(".picture a.service", has_text="carrier-api")
        expect(node).to_have_attribute("class", "service ok")
        expect(node).to_have_accessible_name("carrier-api ● running")
        row = page.locator("tr", has_text="carrier-api").first
        expect(row).to_contain_text(re.compile("●\\s*running"))
        look.shot("system-light-1440")
        service.stop()
        expect(node).to_have_attribute("class", "service critical")
        expect(node).to_have_accessible_name("carrier-api ■ stopped")
        expect(row).to_contain_text("nobody listens")
        expect(page.get_by_role("group", name=re.compile("carrier-api is stopped"))).to_be_visible()
        node.press("Enter")
        expect(page.get_by_role("heading", name="Service: carrier-api")).to_be_visible()
        expect(page.locator(".plain-list li").first).to_contain_text("running → stopped")
        page.emulate_media(color_scheme="dark")
        look.shot("system-stopped-dark-1440")


def test_a_sealed_vault_is_not_green(server: Botwatch, open_page: Opened) -> None:
    with watched(server, "vault", kind="vault"):
        page = open_page().at("/system")
        node = page.locator(".picture a.service", has_text="vault")
        expect(node).to_have_accessible_name("vault ▲ sealed · 1.15.0")
        expect(node).to_have_attribute("class", "service warning")
        expect(page.locator("tr", has_text="vault")).to_contain_text("1.15.0")
        expect(page.locator("section", has=page.get_by_role("heading", name="Service health"))).to_contain_text(
            "0 of 1"
        )


def test_packets_move_only_where_there_is_traffic(open_page: Opened) -> None:
    look = open_page()
    # The server may have been sent its calls more than five minutes ago.
    look.page.route(
        "**/api/monitoring/history*",
        lambda route: route.continue_(url=route.request.url.replace("period=5m", "period=6h")),
    )
    page = look.at("/system")
    busy = page.locator(".way", has=page.locator("title", has_text="support to carrier-api"))
    expect(busy).to_have_count(1)
    expect(busy.locator("circle")).not_to_have_count(0)
    words = busy.locator("title").text_content()
    assert words is not None
    assert re.search(r"[\d.]+ calls a minute, 100 % of them failed", words)
    expect(busy).to_have_class(re.compile("failing"))
    expect(page.locator(".way")).to_have_count(2)  # what nobody calls has no way
    page.emulate_media(reduced_motion="reduce")
    expect(page.locator("circle.packet")).to_have_count(0)
    expect(busy).to_have_count(1)
