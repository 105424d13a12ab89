"""Reports are sent by the clock, each time once, through a real mail server, with files that can be opened."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pypdf
import pytest
import sqlalchemy as sa

from botwatch import limits
from botwatch.clock import ManualClock
from botwatch.errors import StoreAway
from botwatch.measure.reader import Measures
from botwatch.notify import outbox
from botwatch.notify.rows import AttachmentRow
from botwatch.reports import book
from botwatch.reports.book import Kept
from botwatch.reports.post import Post
from botwatch.settings import Settings
from botwatch.state import Database, open_database
from botwatch.state.lease import Lease
from botwatch.store.client import Params, Rows, Store
from tests.api.telemetry.conftest import Bots
from tests.notify.house import House
from tests.notify.test_email import Inbox, serving
from tests.reports.conftest import ANN, NOW_NS, report, scheduled

HOUR_S, DAY_S = 3_600, 86_400
LATE_S = limits.REPORT_SETTLE_S


class Posts:
    """A node: its post over the shared state, and the notifier that takes what it puts into the outbox."""

    def __init__(self, house: House, measures: Measures) -> None:
        self.house = house
        self.measures = measures
        self.post = self.node("a")

    def node(self, name: str) -> Post:
        """A process that was started anew, or another one."""
        house = self.house
        lease = Lease(house.database, "reports", name, house.clock)
        return Post(house.database, self.measures, house.notifier, house.clock, lease)

    async def at(self, hours: float, *posts: Post) -> None:
        """So many hours later, a moment after the full one."""
        self.house.clock.advance(hours * HOUR_S)
        for post in posts or (self.post,):
            await post.step()
        await self.house.settle()

    def kept(self) -> Kept:
        return self.house.database.read_now(lambda session: book.listed(session, count=1))[0]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data=tmp_path / "data", notify_networks="127.0.0.0/8", time_zone="UTC")


@pytest.fixture
def store(shared_store: Store) -> Store:
    return shared_store


@pytest.fixture
async def posts(settings: Settings, store: Store) -> AsyncIterator[Posts]:
    database, clock = open_database(settings), ManualClock(NOW_NS + LATE_S * 10**9)
    house = House(database, settings, clock)
    yield Posts(house, Measures(store, settings, clock))
    await house.close()
    database.close()


@pytest.fixture
async def inbox(posts: Posts) -> AsyncIterator[Inbox]:
    """A mail server, and a report of each day at 09:00: in an hour."""
    inbox = Inbox()
    async with serving(inbox) as port:
        posts.house.channel(
            "mail",
            "email",
            host="127.0.0.1",
            port=port,
            security="none",
            sender="b@example.com",
            to=["ops@example.com"],
        )
        schedule(posts.house.database, at="09:00")
        yield inbox


def schedule(database: Database, **more: Any) -> Kept:
    known = report("Неделя shop", schedule=scheduled(**more))
    return database.write_now(lambda session: book.add(session, NOW_NS, ANN, known))


def files_of(mail: EmailMessage) -> dict[str, bytes]:
    return {
        part.get_content_type(): part.get_payload(decode=True)  # type: ignore[misc]
        for part in mail.iter_attachments()
    }


async def test_a_report_is_sent_once_at_its_hour_with_its_files(posts: Posts, inbox: Inbox, store: Store) -> None:
    Bots(store).talk("s1", -1_800, channel="web")  # in half an hour
    await posts.at(0)
    assert inbox.mails == []
    await posts.at(1)
    (mail,) = inbox.mails
    assert (mail["Subject"], mail["To"]) == ("Report: Неделя shop", "ops@example.com")
    body = mail.get_body(("plain",))
    assert body is not None
    assert "Неделя shop, 24 hours: 2027-01-14 09:00 – 2027-01-15 09:00 UTC." in body.get_content()
    assert "https://bots.example.com/insights/reports/1" in body.get_content()
    files = files_of(mail)
    assert set(files) == {"application/pdf", "text/csv"}
    assert [part.get_filename() for part in mail.iter_attachments()] == [
        "shop-20270115-0900.pdf",
        "shop-20270115-0900.csv",
    ]
    (page,) = pypdf.PdfReader(io.BytesIO(files["application/pdf"])).pages
    assert "Неделя shop" in page.extract_text()
    rows = list(csv.DictReader(io.StringIO(files["text/csv"].decode())))
    assert sum(float(row["value"]) for row in rows if row["value"]) == 2
    (delivery,) = posts.house.deliveries()
    assert (delivery.status, delivery.purpose, delivery.attempts) == ("delivered", "report", 1)
    kept = posts.kept()
    assert (kept.delivery_id, kept.sent_ns) == (delivery.id, NOW_NS + HOUR_S * 10**9)
    assert kept.due_ns == NOW_NS + 25 * HOUR_S * 10**9
    assert left(posts.house.database) == 0
    await posts.at(0.1)
    await posts.at(0, posts.node("a"))  # a process that was started anew
    await posts.at(22)
    assert len(inbox.mails) == 1
    await posts.at(2)
    assert len(inbox.mails) == 2


async def test_it_goes_to_its_own_recipients_with_the_files_that_were_asked_for(posts: Posts, inbox: Inbox) -> None:
    schedule(posts.house.database, at="10:00", to=["board@example.com", "ann@example.com"], files=["csv"])
    await posts.at(2)
    mail = next(mail for mail in inbox.mails if mail["To"] == "board@example.com, ann@example.com")
    assert set(files_of(mail)) == {"text/csv"}
    assert {row.answer for row in posts.house.deliveries()} >= {"250 taken for 2 of 2"}


async def test_a_server_that_was_off_sends_the_latest_one_and_not_those_before(posts: Posts, inbox: Inbox) -> None:
    await posts.at(3 * 24 + 5)
    (mail,) = inbox.mails
    body = mail.get_body(("plain",))
    assert body is not None
    assert "2027-01-17 09:00 – 2027-01-18 09:00 UTC." in body.get_content()
    assert posts.kept().due_ns == NOW_NS + (4 * 24 + 1) * HOUR_S * 10**9


async def test_of_two_nodes_one_sends(posts: Posts, inbox: Inbox) -> None:
    other = posts.node("b")
    await posts.at(1, posts.post, other)
    await posts.at(24, other, posts.post)
    assert len(inbox.mails) == 2
    assert len(posts.house.deliveries()) == 2


async def test_one_that_lost_its_lease_meanwhile_sends_nothing(posts: Posts, inbox: Inbox) -> None:
    asleep = posts.node("asleep")
    await posts.at(0, asleep)
    awake = posts.node("awake")
    await awake.step()  # sees the beat of the other
    posts.house.clock.advance(limits.LEASE_S)
    await posts.at(1, awake)
    assert len(inbox.mails) == 1
    asleep._lease.held, asleep._lease._beaten_s = True, posts.house.clock.monotonic_s()  # as it thinks
    due(posts)
    await asleep._guarded()
    await posts.house.settle()
    assert len(inbox.mails) == 1


async def test_after_a_crash_between_making_and_writing_it_is_sent_once(
    posts: Posts, inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(*_: Any) -> None:
        raise RuntimeError("killed here")

    with monkeypatch.context() as patch:
        patch.setattr(outbox, "add", crash)
        with pytest.raises(RuntimeError, match="killed"):
            await posts.at(1)
    assert (posts.house.deliveries(), left(posts.house.database)) == ([], 0)
    await posts.at(0, posts.node("a"))
    await posts.at(0, posts.node("a"))
    assert len(inbox.mails) == 1


async def test_while_the_store_is_away_it_says_so_and_is_sent_later(
    posts: Posts, inbox: Inbox, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(sql: str, params: Params | None = None) -> Rows:
        raise StoreAway("the telemetry store does not answer (code 210)")

    with monkeypatch.context() as patch:
        patch.setattr(store, "fetch", away)
        await posts.at(1)
    assert (inbox.mails, posts.kept().problem) == ([], "the telemetry store does not answer (code 210)")
    await posts.at(0.1)
    (mail,) = inbox.mails
    body = mail.get_body(("plain",))
    assert body is not None
    assert "2027-01-15 09:00 UTC." in body.get_content()  # and not when it could be made
    assert posts.kept().problem == ""


async def test_a_mail_that_is_not_taken_is_tried_again_with_its_files(posts: Posts, inbox: Inbox) -> None:
    inbox.refusals["DATA"] = "451 try later"
    await posts.at(1)
    assert left(posts.house.database) == 2
    inbox.refusals.clear()
    await posts.house.run(5)
    (mail,) = inbox.mails
    assert len(files_of(mail)) == 2
    (delivery,) = posts.house.deliveries()
    assert (delivery.status, delivery.attempts, left(posts.house.database)) == ("delivered", 2, 0)


async def test_a_channel_that_takes_no_files_is_a_failure_that_is_told(posts: Posts, inbox: Inbox) -> None:
    """Somebody made it another kind after the report was scheduled."""
    posts.house.channel("mail", "webhook", url="http://127.0.0.1:9/hook")
    await posts.at(1)
    (delivery,) = posts.house.deliveries()
    assert (delivery.status, left(posts.house.database)) == ("failed", 0)
    assert delivery.answer == "a channel of the kind webhook takes no files"
    assert posts.kept().due_ns == NOW_NS + 25 * HOUR_S * 10**9


async def test_a_file_that_is_too_large_for_a_mail_stays_behind_and_that_is_said(
    posts: Posts, inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = report("Short", panels=[{"measure": "messages.count", "drawn": "number"}], schedule=scheduled(at="09:00"))
    posts.house.database.write_now(lambda session: book.change(session, NOW_NS, ANN, 1, 1, number))
    monkeypatch.setattr(limits, "REPORT_FILE_BYTES_MAX", 1_000)
    await posts.at(1)
    (mail,) = inbox.mails
    assert set(files_of(mail)) == {"text/csv"}
    body = mail.get_body(("plain",))
    assert body is not None
    assert "The PDF would be too large for a mail" in body.get_content()


async def test_what_was_changed_meanwhile_is_sent_as_it_is_now(posts: Posts, inbox: Inbox) -> None:
    kept = posts.kept()
    later = report("Later", schedule=scheduled(at="11:00"))
    posts.house.database.write_now(lambda session: book.change(session, NOW_NS, ANN, kept.id, 1, later))
    await posts.at(1)
    assert inbox.mails == []
    await posts.at(2)
    assert [mail["Subject"] for mail in inbox.mails] == ["Report: Later"]
    posts.house.database.write_now(lambda session: book.remove(session, NOW_NS, ANN, kept.id))
    await posts.at(24)
    assert len(inbox.mails) == 1


def due(posts: Posts) -> None:
    """At once, for the test."""
    posts.house.database.write_now(
        lambda session: session.execute(sa.text("UPDATE reports SET due_ns = :now"), {"now": NOW_NS})
    )


def left(database: Database) -> int:
    """Files that still wait."""
    return database.read_now(lambda session: session.scalar(sa.select(sa.func.count()).select_from(AttachmentRow)) or 0)
