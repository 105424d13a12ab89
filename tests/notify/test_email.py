"""E-mail against a real SMTP server that speaks TLS, asks for a password and refuses as mail servers do."""

from __future__ import annotations

import asyncio
import datetime as dt
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

from botwatch.incident.steps import Step
from botwatch.notify.channels import KINDS
from botwatch.notify.channels.kind import Undelivered
from botwatch.notify.note import Note
from tests.notify.notes import means, note, told
from tests.real.parts import require_module

BASE = {"sender": "botwatch@example.com", "to": ["ops@example.com", "boss@example.com"]}


def certificate(folder: Path) -> tuple[Path, Path]:
    """For localhost, signed by itself."""
    x509 = require_module("cryptography.x509", "cryptography")
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    cert_file, key_file = folder / "cert.pem", folder / "key.pem"
    cert_file.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    plain = serialization.NoEncryption()
    key_file.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain))
    return cert_file, key_file


class Inbox:
    """What an SMTP server does with a mail; `refusals` are its answers to recipients and to the mail."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.signed_in = False
        self.encrypted: list[bool] = []
        self.refusals: dict[str, str] = {}

    async def handle_RCPT(self, _: Any, session: Any, envelope: Any, address: str, __: list[str]) -> str:
        if address in self.refusals:
            return self.refusals[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _: Any, session: Any, envelope: Any) -> str:
        if "DATA" in self.refusals:
            return self.refusals["DATA"]
        self.encrypted.append(session.ssl is not None)
        found = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(found, EmailMessage)
        self.mails.append(found)
        return "250 2.0.0 queued as 4711"

    def authenticate(self, *given: Any) -> Any:
        from aiosmtpd.smtp import AuthResult

        login, password = given[4].login, given[4].password
        self.signed_in = (login, password) == (b"bot", b"s3cret")
        return AuthResult(success=self.signed_in, handled=False)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return certificate(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def trusted(files: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(files[0]))


@pytest.fixture
def inbox() -> Inbox:
    return Inbox()


@pytest.fixture
def tls(files: tuple[Path, Path]) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*files)
    return context


@asynccontextmanager
async def serving(inbox: Inbox, **options: Any) -> AsyncIterator[int]:
    """The port of an SMTP server."""
    smtp = require_module("aiosmtpd.smtp", "aiosmtpd")
    encrypted = options.pop("ssl", None)
    loop = asyncio.get_running_loop()
    spoken: list[Any] = []

    def speak() -> Any:
        spoken.append(smtp.SMTP(inbox, **options))
        return spoken[-1]

    made = await loop.create_server(speak, "127.0.0.1", 0, ssl=encrypted)
    async with made:
        yield made.sockets[0].getsockname()[1]
        for each in spoken:
            if each.transport is not None:
                each.transport.abort()
        await asyncio.sleep(0.01)


@pytest.fixture
async def server(inbox: Inbox, tls: ssl.SSLContext) -> AsyncIterator[int]:
    """STARTTLS, and a password before anything else."""
    options = {"require_starttls": True, "auth_required": True, "authenticator": inbox.authenticate}
    async with serving(inbox, tls_context=tls, **options) as port:
        yield port


async def send(given: dict[str, Any], message: Note) -> str:
    kind, tools = KINDS["email"], means()
    try:
        sent = await kind.send(kind.options.model_validate({**BASE, "host": "localhost", **given}), message, tools)
    finally:
        await tools.http.close()
    return sent.answer


async def test_a_mail_arrives_signed_in_over_starttls_as_text_and_html(
    server: int, inbox: Inbox, trusted: None
) -> None:
    given = {"port": server, "username": "bot", "password": "s3cret"}
    assert await send(given, note(told())) == "250 taken for 2 of 2"
    (mail,) = inbox.mails
    assert inbox.signed_in
    assert inbox.encrypted == [True]
    assert mail["Subject"] == "CRITICAL High CPU on bot shop, host web-1"
    assert mail["Message-ID"] == f"<{note().id}@example.com>"
    assert mail["Auto-Submitted"] == "auto-generated"
    text, html = mail.get_body(("plain",)), mail.get_body(("html",))
    assert text is not None
    assert html is not None
    assert "85 % or more is too much" in text.get_content()
    assert 'href="https://bots.example.com/incidents/5f3c"' in html.get_content()


async def test_sent_again_it_is_the_same_mail_and_one_incident_is_one_conversation(
    server: int, inbox: Inbox, trusted: None
) -> None:
    given = {"port": server, "username": "bot", "password": "s3cret"}
    for message in (note(told()), note(told()), note(told(Step.RESOLVED), id="f" * 32)):
        await send(given, message)
    first, again, end = inbox.mails
    assert first.as_bytes().split(b"\n\n")[0].splitlines()[:8] == again.as_bytes().split(b"\n\n")[0].splitlines()[:8]
    assert first["Message-ID"] == again["Message-ID"] != end["Message-ID"]
    assert first["References"] == end["References"]


async def test_a_mail_over_tls_from_the_first_byte(inbox: Inbox, tls: ssl.SSLContext, trusted: None) -> None:
    async with serving(inbox, ssl=tls) as port:
        await send({"port": port, "security": "tls"}, note(told()))
    assert len(inbox.mails) == 1


async def test_a_certificate_nobody_vouches_for_is_not_spoken_to(server: int, inbox: Inbox) -> None:
    with pytest.raises(Undelivered, match="certificate") as error:
        await send({"port": server, "username": "bot", "password": "s3cret"}, note(told()))
    assert error.value.retryable
    assert not inbox.signed_in


async def test_a_wrong_password_is_refused_for_good_and_not_repeated(server: int, inbox: Inbox, trusted: None) -> None:
    with pytest.raises(Undelivered, match="535") as error:
        await send({"port": server, "username": "bot", "password": "hunter2hunter2"}, note(told()))
    assert not error.value.retryable
    assert "hunter2" not in error.value.answer


@pytest.mark.parametrize(
    ("refusals", "retryable", "says"),
    [
        ({"ops@example.com": "550 5.1.1 no such user", "boss@example.com": "550 5.1.1 no such user"}, False, "550"),
        ({"ops@example.com": "450 4.2.1 busy", "boss@example.com": "550 no"}, True, "450 4.2.1 busy"),
        ({"DATA": "451 4.3.0 try later"}, True, "451"),
        ({"DATA": "554 5.7.1 spam"}, False, "554"),
    ],
)
async def test_a_mail_server_refuses_for_now_or_for_good(
    server: int, inbox: Inbox, trusted: None, refusals: dict[str, str], retryable: bool, says: str
) -> None:
    inbox.refusals = refusals
    with pytest.raises(Undelivered, match=says) as error:
        await send({"port": server, "username": "bot", "password": "s3cret"}, note(told()))
    assert error.value.retryable is retryable


async def test_one_recipient_of_two_is_refused_and_the_receipt_says_so(
    server: int, inbox: Inbox, trusted: None
) -> None:
    inbox.refusals = {"boss@example.com": "550 5.1.1 no such user"}
    answer = await send({"port": server, "username": "bot", "password": "s3cret"}, note(told()))
    assert answer == "250 taken for 1 of 2; refused boss@example.com: 550 5.1.1 no such user"


async def test_a_server_without_starttls_gets_no_password(inbox: Inbox) -> None:
    async with serving(inbox) as port:
        with pytest.raises(Undelivered, match="STARTTLS") as error:
            await send({"port": port, "username": "bot", "password": "s3cret"}, note(told()))
    assert not error.value.retryable


async def test_a_server_that_never_says_a_word_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("botwatch.limits.DELIVERY_S_MAX", 0.3)

    ended = asyncio.Event()

    async def mute(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()
        await writer.wait_closed()
        ended.set()

    async with await asyncio.start_server(mute, "127.0.0.1", 0) as server:
        with pytest.raises(Undelivered, match=r"too long|could not be reached") as error:
            await send({"port": server.sockets[0].getsockname()[1]}, note(told()))
        await ended.wait()  # our side has hung up
    assert error.value.retryable


def test_a_password_is_never_sent_in_the_clear() -> None:
    with pytest.raises(ValueError, match="only sent over TLS"):
        KINDS["email"].options.model_validate({**BASE, "host": "h", "security": "none", "username": "bot"})
