"""HTTP with rules, TCP, DNS, gRPC, and certificates."""

from __future__ import annotations

from concurrent import futures
from pathlib import Path
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from botwatch.errors import SettingError
from botwatch.watch.probes.http import rule
from botwatch.watch.probes.model import Status
from tests.watch.probes.answering import Said, http, serving, silent
from tests.watch.probes.conftest import certificate
from tests.watch.probes.looking import described, figure, look
from tests.watch.probes.parts import Part

HEALTH = {
    "status": "ok",
    "version": "5.0.1",
    "sessions": {"active": 247},
    "database": {"connected": True, "lag": None},
    "parts": [{"name": "db", "up": 1}],
}


async def test_a_bot_server_is_judged_by_rules_on_its_json() -> None:
    async with http({"/health": Said(HEALTH)}) as endpoint:
        url = f"http://127.0.0.1:{endpoint.port}/health?full=1"
        figures = {"sessions": "sessions.active"}
        view = await look("botserver", url, expect_json=["status == ok", "database.connected"], figures=figures)
        broken = await look("botserver", url, expect_json=["sessions.active < 200", "status == ok"])
        assert endpoint.asked[0] == "GET /health?full=1 HTTP/1.1"
    assert (view.service.kind, view.status, view.reason) == ("http", Status.RUNNING, "")
    assert (view.version, view.headline, figure(view, "sessions")) == ("5.0.1", "247 sessions", 247)
    assert (broken.status, broken.reason) == (
        Status.DEGRADED,
        "expected sessions.active to be less than 200, found 247",
    )


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("status == ok", True),
        ("status == 'ok'", True),
        ("status != ok", False),
        ("sessions.active >= 247", True),
        ("sessions.active > 247", False),
        ("sessions.active == '247'", False),
        ("database.connected == true", True),
        ("database.connected == 1", False),
        ("database.connected != 1", True),
        ("database.connected", True),
        ("database.lag", False),
        ("database.lag == null", True),
        ("nothing.here", False),
        ("nothing.here != 1", False),
        ("parts[0].up == 1", True),
        ("parts.0.name == db", True),
        ("parts[7].up", False),
        ("status < 5", False),
    ],
)
def test_a_rule_is_read_as_it_is_written(text: str, holds: bool) -> None:
    assert rule(text).holds(HEALTH) is holds
    assert rule(text).holds([]) is False
    assert bool(rule(text).wrong(HEALTH)) is not holds


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("status == starting", "expected status to be starting, found ok"),
        ("database.lag", "expected database.lag, found null"),
        ("nothing.here != 1", "expected nothing.here not to be 1, found nothing there"),
        ("parts >= 1", "expected parts to be at least 1, found a list"),
        ("status != ok", "expected status not to be ok, found ok"),
        ("long == a", f"expected long to be a, found {'b' * 40}"),
    ],
)
def test_what_was_expected_and_what_was_found_is_said_plainly(text: str, wrong: str) -> None:
    assert rule(text).wrong({**HEALTH, "long": "b\x1b\n" + "b" * 500}) == wrong


@pytest.mark.parametrize("text", ["", "== 1", "a ==", "a b", "a = 1", "$.a == 1"])
def test_a_rule_that_cannot_be_read_is_an_error_at_once(text: str) -> None:
    with pytest.raises(SettingError, match="expected a rule such as"):
        rule(text)


@pytest.mark.parametrize(
    ("said", "given", "status", "words"),
    [
        (Said(b"all is well"), {"expect_text": "well"}, Status.RUNNING, ""),
        (Said(b"all is ill"), {"expect_text": "well"}, Status.DEGRADED, "is not in the answer"),
        (Said(b"", 404), {}, Status.DEGRADED, "expected HTTP 200 to 399, found 404"),
        (Said(b"", 404), {"expect_status": [404]}, Status.RUNNING, ""),
        (Said(b"", 200), {"expect_status": [204, 206]}, Status.DEGRADED, "expected HTTP 204, 206, found 200"),
        (Said(b"", 503), {}, Status.STOPPED, "cannot serve (HTTP 503)"),
        (Said(b"", 401), {}, Status.UNKNOWN, "not accepted"),
        (Said(b"no json"), {"expect_json": ["a == 1"]}, Status.UNKNOWN, "expected JSON"),
    ],
)
async def test_status_and_text_decide(said: Said, given: dict[str, Any], status: Status, words: str) -> None:
    async with http({"/": said}) as endpoint:
        view = await look("web", f"http://127.0.0.1:{endpoint.port}", **given)
    assert (view.status, words in view.reason) == (status, True), view.reason


async def test_a_redirect_is_never_followed() -> None:
    async with http({"/inside": Said(b"a secret of another host")}) as inner:
        away = Said(status=302, headers={"location": f"http://127.0.0.1:{inner.port}/inside"})
        async with http({"/": away}) as endpoint:
            view = await look("web", f"http://127.0.0.1:{endpoint.port}", expect_text="secret")
        assert inner.asked == []
    assert view.status is Status.DEGRADED


async def test_user_and_password_are_sent_to_the_address_they_are_for() -> None:
    basic = {"authorization": "Basic dTpw"}
    async with http({"/": Said(b"in", needs=basic)}) as endpoint:
        view = await look("web", f"http://u:p@127.0.0.1:{endpoint.port}")
        assert view.service.address == f"http://127.0.0.1:{endpoint.port}"
    assert view.status is Status.RUNNING


@pytest.mark.parametrize(
    ("days", "status", "words"),
    [(90, Status.RUNNING, ""), (3, Status.DEGRADED, "valid for only"), (0, Status.DEGRADED, "no longer valid")],
)
@pytest.mark.parametrize("scheme", ["https", "tls"])
async def test_a_certificate_that_ends_soon_is_a_fault(
    tmp_path: Path, scheme: str, days: int, status: Status, words: str
) -> None:
    made = certificate(tmp_path, days)
    async with http({"/": Said(b"ok")}, made.context) as endpoint:
        view = await look("web", f"{scheme}://127.0.0.1:{endpoint.port}", ca_file=made.file)
    assert (view.status, words in view.reason) == (status, True), view.reason
    if days:
        assert figure(view, "certificate.days") == pytest.approx(days, abs=0.1)


@pytest.mark.parametrize("url", ["https://127.0.0.1", "tls://127.0.0.1", "rediss://127.0.0.1"])
async def test_a_certificate_nobody_known_signed_is_not_trusted(tmp_path: Path, url: str) -> None:
    async with http({"/": Said(b"ok")}, certificate(tmp_path, 90).context) as endpoint:
        view = await look("web", f"{url}:{endpoint.port}")
    assert (view.status, "is not trusted here" in view.reason) == (Status.UNKNOWN, True), view.reason


async def test_tcp_is_a_connection() -> None:
    async with serving(silent) as port:
        view = await look("tcp", f"tcp://127.0.0.1:{port}")
    assert (view.status, view.reason) == (Status.RUNNING, "")
    assert view.latency_s is not None
    assert (await look("tcp", f"tcp://127.0.0.1:{port}")).status is Status.STOPPED


async def test_dns_answers_for_a_name(dnsmasq: Part) -> None:
    view = await look("dns", f"dns://127.0.0.1:{dnsmasq.port}/known.test")
    assert (view.status, view.headline) == (Status.RUNNING, "1 records")
    gone = await look("dns", f"dns://127.0.0.1:{dnsmasq.port}/gone.test?type=a")
    assert (gone.status, gone.reason) == (Status.DEGRADED, "it says that there is no such name (NXDOMAIN)")


@pytest.mark.parametrize("question", ["", "/", "/a..b", f"/{'x' * 64}.test", "/known.test?type=ANY", f"/{'a.' * 200}b"])
def test_a_dns_question_that_cannot_be_asked_is_an_error_at_once(question: str) -> None:
    with pytest.raises(SettingError, match=r"services\.dns: url: expected dns://server/name"):
        described("dns", f"dns://127.0.0.1{question}")


async def test_grpc_is_asked_by_the_standard_health_check() -> None:
    server = grpc.server(futures.ThreadPoolExecutor(1))
    servicer = health.HealthServicer()
    health_pb2_grpc.add_HealthServicer_to_server(servicer, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        url = f"grpc://127.0.0.1:{port}"
        assert (await look("grpc", url)).status is Status.RUNNING
        servicer.set("bots.Talk", health_pb2.HealthCheckResponse.NOT_SERVING)
        closed = await look("grpc", f"{url}/bots.Talk")
        unheard = await look("grpc", f"{url}/never.Heard")
    finally:
        server.stop(None).wait()
    assert (closed.status, closed.reason) == (Status.STOPPED, "it says that it does not serve")
    assert (unheard.status, "does not know the service" in unheard.reason) == (Status.UNKNOWN, True)
    assert (await look("grpc", url)).status is Status.STOPPED


async def test_grpc_without_the_health_check_is_unknown() -> None:
    server = grpc.server(futures.ThreadPoolExecutor(1))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        view = await look("grpc", f"grpc://127.0.0.1:{port}")
    finally:
        server.stop(None).wait()
    assert (view.status, "does not offer the standard health check" in view.reason) == (Status.UNKNOWN, True)
