"""The reports that are kept, and the links that show one. Functions take a `Session`: a change and its audit are one.

Whoever is signed in may put a report together; it is changed by its owner and by admins. That it is sent, or shown
to whoever has a link, is for admins.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from botwatch import limits
from botwatch.clock import SECOND_NS
from botwatch.errors import Conflict, Forbidden, NotFound, Unauthorised
from botwatch.measure.query import DAY_S
from botwatch.reports import due
from botwatch.reports.report import Report
from botwatch.reports.rows import ReportRow, ShareRow
from botwatch.state import audit
from botwatch.state.people import Principal, clean_label
from botwatch.state.secrets import Prefix, digest_of, new_secret


@dataclass(frozen=True, slots=True)
class Kept:
    """A report with what is known of it; times are nanoseconds since 1970."""

    id: int
    report: Report
    revision: int
    owner: str
    created_ns: int
    changed_ns: int
    changed_by: str
    due_ns: int | None
    sent_ns: int | None
    delivery_id: str | None
    problem: str

    def may_change(self, who: Principal) -> bool:
        return who.is_admin or who.name == self.owner


@dataclass(frozen=True, slots=True)
class Share:
    id: int
    label: str
    created_ns: int
    created_by: str
    expires_ns: int


def listed(session: Session, *, after_id: int = 0, count: int) -> list[Kept]:
    query = sa.select(ReportRow).where(ReportRow.id > after_id).order_by(ReportRow.id).limit(count)
    return [kept(row) for row in session.scalars(query)]


def find(session: Session, report_id: int) -> Kept:
    return kept(_row(session, report_id))


def add(session: Session, now_ns: int, who: Principal, report: Report) -> Kept:
    count = sa.select(sa.func.count(ReportRow.id))
    if (session.scalar(count) or 0) >= limits.REPORTS_MAX:
        raise Conflict(f"There are {limits.REPORTS_MAX} reports already, which is the most there can be.")
    if (session.scalar(count.where(ReportRow.owner == who.name)) or 0) >= limits.REPORTS_PER_OWNER_MAX:
        raise Conflict(
            f"{who.name} has {limits.REPORTS_PER_OWNER_MAX} reports already, which is the most one can have.",
            hint="delete one that is no longer used",
        )
    _only_admins_send(who, None, report)
    row = ReportRow(revision=1, owner=who.name, created_ns=now_ns, problem="")
    _write(row, now_ns, who, report)
    session.add(row)
    session.flush()
    audit.record(session, now_ns, who.name, "report.add", report.name, id=row.id, panels=len(report.panels))
    return kept(row)


def change(session: Session, now_ns: int, who: Principal, report_id: int, revision: int, report: Report) -> Kept:
    """`revision` is the one that was changed: another means that somebody else was faster."""
    row = _own(session, who, report_id)
    if row.revision != revision:
        raise Conflict(
            f"{row.changed_by} has changed this report meanwhile.", hint="load it again, and change it there"
        )
    before = Report.model_validate(row.report)
    _only_admins_send(who, before, report)
    row.revision += 1
    due_ns = row.due_ns
    _write(row, now_ns, who, report)
    if before.schedule == report.schedule:
        row.due_ns = due_ns  # what is due now is still sent
    audit.record(session, now_ns, who.name, "report.change", report.name, id=row.id, revision=row.revision)
    return kept(row)


def remove(session: Session, now_ns: int, who: Principal, report_id: int) -> None:
    row = _own(session, who, report_id)
    audit.record(session, now_ns, who.name, "report.remove", row.report["name"], id=row.id)
    session.delete(row)


def shares(session: Session, now_ns: int, report_id: int) -> list[Share]:
    _row(session, report_id)
    query = sa.select(ShareRow).where(ShareRow.report_id == report_id, ShareRow.expires_ns > now_ns)
    return [_share(row) for row in session.scalars(query.order_by(ShareRow.id))]


def share(session: Session, now_ns: int, who: str, report_id: int, label: str, days: int) -> tuple[Share, str]:
    """The secret is in the answer and nowhere else."""
    row = _row(session, report_id)
    label = clean_label(label)
    session.execute(sa.delete(ShareRow).where(ShareRow.expires_ns <= now_ns))
    if len(shares(session, now_ns, report_id)) >= limits.REPORT_SHARES_MAX:
        raise Conflict(
            f"There are {limits.REPORT_SHARES_MAX} links to this report already, which is the most there can be.",
            hint="revoke one that is no longer used",
        )
    secret = new_secret(Prefix.SHARE)
    made = ShareRow(
        report_id=report_id,
        digest=digest_of(secret),
        label=label,
        created_ns=now_ns,
        created_by=who,
        expires_ns=now_ns + days * DAY_S * SECOND_NS,
    )
    session.add(made)
    session.flush()
    audit.record(session, now_ns, who, "report.share", row.report["name"], id=report_id, share=made.id, days=days)
    return _share(made), secret


def unshare(session: Session, now_ns: int, who: str, report_id: int, share_id: int) -> None:
    row = session.get(ShareRow, share_id)
    if row is None or row.report_id != report_id:
        raise NotFound("There is no such link, or it was revoked already.")
    name = _row(session, report_id).report["name"]
    session.delete(row)
    audit.record(session, now_ns, who, "report.unshare", name, id=report_id, share=share_id)


def shared(session: Session, now_ns: int, secret: str) -> Kept:
    """The report that a link shows."""
    query = sa.select(ShareRow).where(ShareRow.digest == digest_of(secret), ShareRow.expires_ns > now_ns)
    row = session.scalars(query).first()
    if row is None:
        raise Unauthorised(
            "This link is not known, has expired or was revoked.", hint="ask whoever gave it to you for a new one"
        )
    return find(session, row.report_id)


def sent(session: Session, report_id: int, delivery: str) -> None:
    """By hand: when it is due stays as it is."""
    _row(session, report_id).delivery_id = delivery


def waiting(session: Session, now_ns: int) -> Iterator[Kept]:
    """Those that are due, the longest first."""
    query = sa.select(ReportRow).where(ReportRow.due_ns <= now_ns).order_by(ReportRow.due_ns)
    return (kept(row) for row in session.scalars(query))


def kept(row: ReportRow) -> Kept:
    return Kept(
        row.id,
        Report.model_validate(row.report),
        row.revision,
        row.owner,
        row.created_ns,
        row.changed_ns,
        row.changed_by,
        row.due_ns,
        row.sent_ns,
        row.delivery_id,
        row.problem,
    )


def _write(row: ReportRow, now_ns: int, who: Principal, report: Report) -> None:
    row.report = report.model_dump(mode="json")
    row.changed_ns, row.changed_by = now_ns, who.name
    row.due_ns = due.next_ns(report.schedule, now_ns) if report.schedule else None
    row.problem = ""


def _only_admins_send(who: Principal, before: Report | None, report: Report) -> None:
    if not who.is_admin and report.schedule != (before.schedule if before else None):
        raise Forbidden(f"When and to whom a report is sent needs the role admin; {who.name} has {who.role}.")


def _own(session: Session, who: Principal, report_id: int) -> ReportRow:
    row = _row(session, report_id, to_change=True)
    if not kept(row).may_change(who):
        raise Forbidden(f"This report is {row.owner}'s.", hint="duplicate it, and change your own")
    return row


def _row(session: Session, report_id: int, *, to_change: bool = False) -> ReportRow:
    row = session.get(ReportRow, report_id, with_for_update=to_change or None)
    if row is None:
        raise NotFound("There is no report of that id.", hint="see the list of reports")
    return row


def _share(row: ShareRow) -> Share:
    return Share(row.id, row.label, row.created_ns, row.created_by, row.expires_ns)
