"""E-mail over SMTP, as text and as HTML; TLS from the first byte or by STARTTLS."""

from __future__ import annotations

import asyncio
import smtplib
import socket
import ssl
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from email import policy
from email.message import EmailMessage
from email.utils import format_datetime
from enum import StrEnum
from typing import Annotated, Any, ClassVar, Final

from pydantic import Field, SecretStr, StringConstraints, field_validator, model_validator

from botwatch import limits
from botwatch.notify import html, render
from botwatch.notify.channels.kind import (
    WITHOUT_ACKNOWLEDGED,
    Kind,
    Means,
    Options,
    Secret,
    Sent,
    Text,
    Undelivered,
    cleaned,
)
from botwatch.notify.escape import plain
from botwatch.notify.note import Note, Purpose
from botwatch.notify.silence import moment
from botwatch.notify.targets import TargetRefused

_ADDRESS: Final = r"^[^\s@<>\"(),:;\\]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,250}[A-Za-z0-9])?$"
Address = Annotated[str, StringConstraints(strip_whitespace=True, pattern=_ADDRESS)]
_TEMPORARY: Final = range(400, 500)
_READY: Final = 220
_THREADS: Final = ThreadPoolExecutor(limits.MAILS_AT_ONCE_MAX, thread_name_prefix="mail")


class Security(StrEnum):
    STARTTLS = "starttls"
    TLS = "tls"
    NONE = "none"


class EmailOptions(Options):
    host: Annotated[Text, Field(min_length=1)] = Field(description="the SMTP server")
    port: int = Field(default=587, ge=1, le=65_535)
    security: Security = Field(default=Security.STARTTLS, description="starttls (587), tls (465) or none")
    username: Text = ""
    password: Secret = SecretStr("")
    sender: Address = Field(description="the address messages come from")
    to: Annotated[tuple[Address, ...], Field(min_length=1, max_length=50)]

    @field_validator("to", mode="before")
    @classmethod
    def _listed(cls, value: Any) -> Any:
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value

    @model_validator(mode="after")
    def _no_password_in_the_clear(self) -> EmailOptions:
        if self.username and self.security is Security.NONE:
            raise ValueError("a password is only sent over TLS: set security to starttls or tls")
        return self


class Email(Kind[EmailOptions]):
    name = "email"
    help = "sends mail through an SMTP server"
    options: ClassVar[type[EmailOptions]] = EmailOptions
    steps = WITHOUT_ACKNOWLEDGED
    attaches = True
    at_once_max = limits.MAILS_AT_ONCE_MAX

    async def send(self, options: EmailOptions, note: Note, means: Means) -> Sent:
        mail = message(options, note)
        try:
            addresses = await means.targets.resolve(options.host, options.port)
        except TargetRefused as error:
            raise Undelivered(str(error), retryable=False) from None
        except (OSError, UnicodeError):
            raise Undelivered(f"the name {options.host} is not known", retryable=True) from None
        recipients = note.to or options.to
        session = _Session(options, addresses, recipients)
        loop = asyncio.get_running_loop()
        work = loop.run_in_executor(_THREADS, session.run, mail)
        try:
            refused = await asyncio.wait_for(asyncio.shield(work), limits.DELIVERY_S_MAX)
        except TimeoutError:
            session.cut()
            raise Undelivered("the mail server took too long", retryable=True) from None
        except Undelivered:
            raise
        except (smtplib.SMTPException, OSError, ValueError) as error:
            raise _undelivered(error, options) from None
        told = "".join(f"; refused {plain(to)}: {_answer(code, text)}" for to, (code, text) in refused.items())
        return Sent(cleaned(f"250 taken for {len(recipients) - len(refused)} of {len(recipients)}{told}", options))


def message(options: EmailOptions, note: Note) -> EmailMessage:
    """The same bytes however often it is sent: the id, by which mail programs tell doubles, comes from the delivery."""
    mail = EmailMessage(policy=policy.SMTP)
    domain = options.sender.rpartition("@")[2]
    mail["Subject"] = plain(render.title(note), 250)
    mail["From"] = f"Botwatch <{options.sender}>"
    mail["To"] = ", ".join(note.to or options.to)
    mail["Date"] = format_datetime(moment(note.created_ns))
    mail["Message-ID"] = f"<{note.id}@{domain}>"
    if note.purpose is Purpose.INCIDENT:
        thread = f"<thread-{note.told[0].incident}@{domain}>"  # mail programs show an incident as one conversation
        mail["In-Reply-To"], mail["References"] = thread, thread
    mail["Auto-Submitted"] = "auto-generated"
    mail["X-Botwatch-Delivery"] = note.id
    mail.set_content(render.text(note))
    mail.add_alternative(html.page(note), subtype="html")
    for file in note.files:
        main, _, sub = file.media_type.partition("/")
        mail.add_attachment(file.body, maintype=main, subtype=sub, filename=file.name)
    return mail


class _Session:
    """One conversation with the server, in a thread; `cut` ends it from outside."""

    def __init__(self, options: EmailOptions, addresses: list[str], recipients: tuple[str, ...]) -> None:
        self.options = options
        self.addresses = addresses
        self.recipients = recipients
        self.sock: socket.socket | None = None
        self.server: smtplib.SMTP | None = None

    def run(self, mail: EmailMessage) -> dict[str, tuple[int, bytes]]:
        options = self.options
        context = ssl.create_default_context()
        with self._open(context) as server:
            server.ehlo_or_helo_if_needed()
            if options.security is Security.STARTTLS:
                server.starttls(context=context)
                server.ehlo()
            if options.username:
                server.login(options.username, options.password.get_secret_value())
            return server.send_message(mail, options.sender, list(self.recipients))

    def cut(self) -> None:
        """Wakes the thread, whatever it waits for."""
        for sock in (self.sock, self.server.sock if self.server is not None else None):
            if sock is not None:
                with suppress(OSError):
                    sock.shutdown(socket.SHUT_RDWR)

    def _open(self, context: ssl.SSLContext) -> smtplib.SMTP:
        tls = self.options.security is Security.TLS
        name = socket.gethostname()  # its full name would have to be looked up
        server = _PinnedTls(context=context, local_hostname=name) if tls else _Pinned(local_hostname=name)
        server.timeout = limits.DELIVERY_S_MAX
        server.open_socket = self._connect
        self.server = server
        server._host = self.options.host  # the name that its certificate must have
        code, text = server.connect(self.options.host, self.options.port)
        if code != _READY:
            raise smtplib.SMTPConnectError(code, text)
        return server

    def _connect(self, port: int) -> socket.socket:
        problem = OSError("no address")
        for address in self.addresses:
            try:
                self.sock = socket.create_connection((address, port), limits.DELIVERY_CONNECT_S_MAX)
            except OSError as error:
                problem = error
            else:
                self.sock.settimeout(limits.DELIVERY_S_MAX)
                return self.sock
        raise problem


class _Pinned(smtplib.SMTP):
    """Connects to an address that was checked, under the name it was asked for."""

    _host: str
    open_socket: Callable[[int], socket.socket]

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        return self.open_socket(port)


class _PinnedTls(smtplib.SMTP_SSL, _Pinned):
    pass


def _undelivered(error: Exception, options: EmailOptions) -> Undelivered:
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        codes = [code for code, _ in error.recipients.values()]
        words = "; ".join(f"{plain(to)}: {_answer(code, text)}" for to, (code, text) in error.recipients.items())
        return Undelivered(cleaned(words, options), retryable=any(code in _TEMPORARY for code in codes))
    if isinstance(error, smtplib.SMTPResponseException):
        words = cleaned(_answer(error.smtp_code, error.smtp_error), options)
        return Undelivered(words, retryable=not 500 <= error.smtp_code < 600)
    if isinstance(error, smtplib.SMTPNotSupportedError):
        return Undelivered("the mail server offers no STARTTLS, or no sign-in; see security", retryable=False)
    if isinstance(error, ssl.SSLCertVerificationError):
        return Undelivered(f"the certificate of the mail server is not right: {error.verify_message}", retryable=True)
    return Undelivered(f"could not be reached: {cleaned(str(error), options)}", retryable=True)


def _answer(code: int, text: bytes | str) -> str:
    return f"{code} {text.decode('utf-8', 'replace') if isinstance(text, bytes) else text}"
