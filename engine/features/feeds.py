"""Calendar feeds of due dates (RFC 5545), per agency or contact, at a secret and revocable address.

An entry is a due date: an all-day event with alarms and a permanent UID. ``SEQUENCE`` and ``LAST-MODIFIED`` come from
the assignment's events, so a moved date moves in the user's calendar. Reported and cancelled assignments stay as
cancelled entries without alarms, because calendars would otherwise keep the old entry. Texts are neutral, since
calendars are often shared.

Calendar feeds at secret addresses: anyone with the address can read the feed, so it holds no more than a letter
would.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter
from fastapi.responses import Response
from sqlalchemy import case, func, select
from sqlmodel import Session

from engine.agencies.feed_addresses import Reader, reader_of
from engine.assignments import situations
from engine.enums import complete
from engine.errors import NotFound
from engine.http.page_store import unless_known
from engine.http.request_context import Unauthenticated
from engine.rules.calendar import ONE_DAY, WorkCalendar, instant, local_date
from engine.rules.situation import NO_REPORT, behind_due, lacks_report
from engine.rules.words import period_words
from engine.store.database import table
from engine.store.records import Assignment, Duty, Plan
from engine.store.records import Event as EventRecord
from engine.store.rulebook import read_rulebook
from engine.terms import EventKind, PlanState, Role, State

if TYPE_CHECKING:
    from icalendar import Alarm, Event


ENTRY_RETENTION = timedelta(days=120)
"""How long a finished entry stays in the feed: longer than any calendar goes without refreshing."""
ALARMS = (3, 1)
"""Working days before the due date for alarms, at the hour at which letters are sent."""
HALF_PAST_SEVEN = time(7, 30)
CHANGING = (
    EventKind.DUE_MOVED,
    EventKind.EXTENSION_GRANTED,
    EventKind.REPORTED,
    EventKind.RETURNED,
    EventKind.UNDONE,
    EventKind.CANCELLED,
    EventKind.TRANSFERRED,
    EventKind.PROMISED,
    EventKind.PROMISE_AGREED,
    EventKind.PROMISE_REFUSED,
)
"""Events that change an entry: each adds one to its SEQUENCE, which therefore never decreases."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One due date as shown in a calendar."""

    uid: str
    on: date
    summary: str
    description: str
    over: bool
    sequence: int
    made_at: datetime
    modified_at: datetime


def feed(session: Session, reader: Reader, now: datetime, *, base_url: str = "") -> bytes:
    """The feed as iCalendar (RFC 5545), in a constant number of queries. A monitor gets the assignments that their
    department supervises, one entry per plan, period and due date; others get what the agency owes."""
    book = read_rulebook(session)
    policy = book.policies.get("default")
    alarm_time = policy.send_at if policy is not None else HALF_PAST_SEVEN
    read_entries = _supervised if reader.role is Role.MONITOR else _owed
    entries = read_entries(session, reader, now, base_url)
    return as_ics(entries, _name(reader), book.calendar, alarm_time, now)


def as_ics(entries: Sequence[Entry], name: str, calendar: WorkCalendar, alarm_time: time, now: datetime) -> bytes:
    """Entries as iCalendar. ``alarm_time``: local wall time of the alarms."""
    from icalendar import Calendar

    ics = Calendar()
    for key, value in (
        ("prodid", "-//dondoc//han bao cao//VI"),
        ("version", "2.0"),
        ("method", "PUBLISH"),
        ("x-wr-calname", name),
        ("x-wr-timezone", "Asia/Ho_Chi_Minh"),
        ("x-published-ttl", "PT6H"),
    ):
        ics.add(key, value)
    ics.add("refresh-interval", timedelta(hours=6), parameters={"VALUE": "DURATION"})
    for each in entries:
        ics.add_component(_component(each, calendar, alarm_time, now))
    return bytes(ics.to_ical())


def _component(each: Entry, calendar: WorkCalendar, alarm_time: time, now: datetime) -> Event:
    from icalendar import Event

    entry = Event()
    for key, value in (
        ("uid", each.uid),
        ("summary", each.summary),
        ("description", each.description),
        ("dtstart", each.on),
        ("dtend", each.on + ONE_DAY),
        ("dtstamp", each.modified_at.astimezone(UTC)),
        ("created", each.made_at.astimezone(UTC)),
        ("last-modified", each.modified_at.astimezone(UTC)),
        ("sequence", each.sequence),
        ("status", "CANCELLED" if each.over else "CONFIRMED"),
        ("transp", "TRANSPARENT"),
        ("class", "CONFIDENTIAL"),
    ):
        entry.add(key, value)
    if not each.over:
        for days in ALARMS:
            at = instant(calendar.shift(each.on, -days), alarm_time)
            if at > now:
                entry.add_component(_alarm(at, each.summary))
    return entry


def _alarm(at: datetime, summary: str) -> Alarm:
    from icalendar import Alarm

    alarm = Alarm()
    alarm.add("action", "DISPLAY")
    alarm.add("description", summary)
    alarm.add("trigger", at.astimezone(UTC), parameters={"VALUE": "DATE-TIME"})
    return alarm


def _rows(session: Session, agency_id: str, now: datetime) -> Sequence[Any]:
    """An agency's assignments with a due date: open ones and recently finished ones."""
    a, d, p = table(Assignment), table(Duty), table(Plan)
    statement = (
        select(
            a.c.id,
            a.c.period,
            a.c.due_on,
            a.c.promised_on,
            a.c.done_on,
            a.c.state,
            a.c.opened_at,
            p.c.number,
            p.c.short_title,
        )
        .add_columns(d.c.citation, d.c.request)
        .join(d, d.c.id == a.c.duty_id)
        .join(p, p.c.id == a.c.plan_id)
        .where(*_recent(now), a.c.agency_id == agency_id)
        .order_by(a.c.due_on, d.c.plan_id, d.c.position, a.c.id)
    )
    return session.connection().execute(statement).all()


def _recent(now: datetime) -> tuple[Any, ...]:
    a, p = table(Assignment), table(Plan)
    recent = situations.without_report() | (a.c.due_on >= local_date(now) - ENTRY_RETENTION)
    return p.c.state != PlanState.LOADED, a.c.due_on.is_not(None), recent


def _revisions(session: Session, assignment_ids: Sequence[int]) -> dict[int, tuple[int, datetime]]:
    """Assignment id -> how often its entry changed, and when last."""
    e = table(EventRecord)
    result: dict[int, tuple[int, datetime]] = {}
    for start in range(0, len(assignment_ids), 500):
        statement = (
            select(e.c.assignment_id, func.count(), func.max(e.c.at))
            .where(e.c.assignment_id.in_(assignment_ids[start : start + 500]), e.c.kind.in_(CHANGING))
            .group_by(e.c.assignment_id)
        )
        result |= {row[0]: (row[1], row[2]) for row in session.connection().execute(statement)}
    return result


_OVER = complete(
    State,
    {
        State.CANCELLED: ("Đã hủy", "Cancelled"),
        State.TRANSFERRED: ("Đã chuyển cơ quan khác", "Transferred"),
        State.REPORTED: ("Đã báo cáo", "Reported"),
        State.ACCEPTED: ("Đã tiếp nhận", "Accepted"),
    },
    but=NO_REPORT.states,
)
_DUE = ("Hạn báo cáo", "Due")
_PROMISED = ("Ngày hẹn", "Promised for")
_ASKED = ("Thời gian đề nghị", "Hoped for by")
"""Of a request: a body that is only asked has no deadline."""


def _owed(session: Session, reader: Reader, now: datetime, base_url: str) -> list[Entry]:
    """One entry per assignment."""
    english = reader.language == "en"
    rows = _rows(session, reader.agency_id, now)
    revisions = _revisions(session, [row.id for row in rows])
    entries = []
    for row in rows:
        sequence, modified = revisions.get(row.id, (0, row.opened_at))
        promised = behind_due(row)
        over = not lacks_report(row.state) and promised is None
        head = _PROMISED if promised else _OVER[row.state] if over else _ASKED if row.request else _DUE
        summary = f"{head[english]}: {row.number} {row.citation} ({period_words(row.period, reader.language)})"
        link = f"\n{base_url}/assignments/{row.id}" if base_url else ""
        entries.append(
            Entry(
                uid=f"assignment-{row.id}@dondoc",
                on=promised or row.due_on,
                summary=summary,
                description=row.short_title + link,
                over=over,
                sequence=sequence,
                made_at=row.opened_at,
                modified_at=modified,
            )
        )
    return entries


def _supervised(session: Session, reader: Reader, now: datetime, base_url: str) -> list[Entry]:
    """One entry per plan, period and due date, with the number of reports received. Events of the whole period count as
    changes of each entry, so that SEQUENCE does not decrease when an assignment moves to another date."""
    a, p, e = table(Assignment), table(Plan), table(EventRecord)
    supervised = a.c.supervisor_id == reader.agency_id
    grouped = (
        select(
            a.c.plan_id,
            a.c.period,
            a.c.due_on,
            p.c.number,
            p.c.short_title,
            func.count().label("all"),
            func.sum(case((situations.without_report(), 0), else_=1)).label("done"),
            func.min(a.c.opened_at).label("opened"),
        )
        .join(p, p.c.id == a.c.plan_id)
        .where(*_recent(now), supervised, situations.counted())
        .group_by(a.c.plan_id, a.c.period, a.c.due_on, p.c.number, p.c.short_title)
        .order_by(a.c.due_on, a.c.plan_id)
    )
    changes = (
        select(a.c.plan_id, a.c.period, func.count(), func.max(e.c.at))
        .join(e, e.c.assignment_id == a.c.id)
        .where(supervised, e.c.kind.in_(CHANGING))
        .group_by(a.c.plan_id, a.c.period)
    )
    revisions = {(row[0], row[1]): (row[2], row[3]) for row in session.connection().execute(changes)}
    entries = []
    for row in session.connection().execute(grouped):
        sequence, modified = revisions.get((row.plan_id, row.period), (0, row.opened))
        count, words = f"{row.done}/{row.all}", period_words(row.period, reader.language)
        summary = f"{count} reported, {words}" if reader.language == "en" else f"{count} đã báo cáo, kỳ {words}"
        link = f"\n{base_url}/?plan={row.plan_id}&period={row.period}" if base_url else ""
        uid = f"plan-{row.plan_id}-{row.period}-{row.due_on.isoformat()}@dondoc"
        entries.append(
            Entry(
                uid=uid,
                on=row.due_on,
                summary=f"{row.number}: {summary}",
                description=row.short_title + link,
                over=row.done == row.all,
                sequence=sequence,
                made_at=row.opened,
                modified_at=modified,
            )
        )
    return entries


def _name(reader: Reader) -> str:
    supervising = reader.role is Role.MONITOR
    if reader.language == "en":
        return f"{'Followed by' if supervising else 'Due dates of'} {reader.agency}"
    return f"{'Theo dõi của' if supervising else 'Hạn báo cáo của'} {reader.agency}"


router = APIRouter(include_in_schema=False)
MAX_ADDRESS_CHARS = 200


@router.get("/feed/{name}")
def show(ctx: Unauthenticated, name: str) -> Response:
    """The feed (RFC 5545). Calendar programs poll it; reading changes nothing. What has not changed is not sent again
    (RFC 9110, 13.1.2)."""
    key, dot, ending = name.rpartition(".")
    if not dot or ending != "ics" or len(key) > MAX_ADDRESS_CHARS:
        raise NotFound
    with ctx.app.database.read() as session:
        reader = reader_of(session, key, ctx.now)
        body = feed(session, reader, ctx.now, base_url=ctx.app.settings.base_url)
    headers = {"content-disposition": 'inline; filename="don-doc.ics"', "x-robots-tag": "noindex"}
    headers["cache-control"] = "private, no-cache"
    calendar = Response(body, media_type="text/calendar; charset=utf-8", headers=headers)
    return unless_known(ctx.request.headers, calendar)
