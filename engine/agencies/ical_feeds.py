"""Due dates in people's own calendars (RFC 5545): a feed an agency or contact, by a secret, revocable address.

An entry is a due date: an all-day event with alarms, the same UID for ever. ``SEQUENCE`` and ``LAST-MODIFIED`` are read
from the events of the assignment, so a moved date moves in the calendar too; what is reported or cancelled stays as a
cancelled entry without alarms, or a calendar that has it would keep it. Only neutral words: a calendar is seen by many.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from icalendar import Alarm, Calendar, Event
from sqlalchemy import case, func, insert, select, update
from sqlmodel import Session

from engine.accounts.secret_keys import digest_of, fresh_key
from engine.agencies.contacts import find as find_contact
from engine.errors import BadInput, NotFound
from engine.rules.calendar import ONE_DAY, WorkCalendar, instant, local_date
from engine.rules.words import period_words
from engine.store.database import table
from engine.store.event_log import append, event
from engine.store.records import Agency, Assignment, Contact, Duty, Feed, Plan
from engine.store.records import Event as EventRecord
from engine.store.rulebook import read_rulebook
from engine.terms import COUNTED_STATES, DONE_STATES, OPEN_STATES, EventKind, PlanState, Role, State
from engine.text import Text

ENTRY_RETENTION = timedelta(days=120)
"""How long an entry that is over stays in the feed: longer than anybody's calendar goes without looking."""
ALARMS = (3, 1)
"""Working days before the due date on which the calendar speaks, at the hour that letters leave."""
HALF_PAST_SEVEN = time(7, 30)
CHANGING = (
    EventKind.DUE_MOVED,
    EventKind.EXTENSION_GRANTED,
    EventKind.REPORTED,
    EventKind.RETURNED,
    EventKind.CANCELLED,
    EventKind.TRANSFERRED,
)
"""What changes an entry: each adds one to its SEQUENCE, which therefore never goes back."""


@dataclass(frozen=True, slots=True)
class FeedLine:
    """A feed as its holder sees it; the address itself is shown once."""

    id: int
    contact_id: int | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Reader:
    """Whose calendar an address is: an agency's, or one contact's of it, in that person's language."""

    agency_id: str
    agency: str
    contact_id: int | None
    role: Role | None
    language: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One due date as a calendar shows it."""

    uid: str
    on: date
    summary: str
    description: str
    over: bool
    sequence: int
    made_at: datetime
    modified_at: datetime


def make_feed(session: Session, agency_id: str, *, contact_id: int | None = None, actor: str, now: datetime) -> str:
    """A new secret address; returns its key, shown once. A contact has one at a time: the one before is revoked."""
    if session.connection().scalar(select(table(Agency).c.id).where(table(Agency).c.id == agency_id)) is None:
        raise NotFound(Text("Không có cơ quan này trong danh bạ.", "There is no such agency in the directory."))
    if contact_id is not None:
        if find_contact(session, contact_id).agency_id != agency_id:
            raise BadInput(Text("Liên hệ này thuộc cơ quan khác.", "This contact is of another agency."))
        f = table(Feed)
        mine = (f.c.contact_id == contact_id, f.c.revoked_at.is_(None))
        session.connection().execute(update(f).where(*mine).values(revoked_at=now))
    key, digest = fresh_key()
    session.connection().execute(
        insert(table(Feed)).values(digest=digest, agency_id=agency_id, contact_id=contact_id, created_at=now)
    )
    _tell(session, "made", agency_id, contact_id, actor, now)
    return key


def revoke_feed(session: Session, agency_id: str, feed_id: int, *, actor: str, now: datetime) -> None:
    """The address answers nothing any more. Raises NotFound for another agency's, or one revoked before."""
    f = table(Feed)
    mine = (f.c.id == feed_id, f.c.agency_id == agency_id, f.c.revoked_at.is_(None))
    row = session.connection().execute(select(f.c.contact_id).where(*mine)).first()
    if row is None or session.connection().execute(update(f).where(*mine).values(revoked_at=now)).rowcount != 1:
        raise NotFound(Text("Không có địa chỉ lịch này, hoặc đã thu hồi.", "There is no such feed, or it was revoked."))
    _tell(session, "revoked", agency_id, row.contact_id, actor, now)


def feeds_of(session: Session, agency_id: str) -> tuple[FeedLine, ...]:
    """An agency's live feeds, oldest first."""
    f = table(Feed)
    chosen = select(f.c.id, f.c.contact_id, f.c.created_at).where(f.c.agency_id == agency_id, f.c.revoked_at.is_(None))
    return tuple(FeedLine(*row) for row in session.connection().execute(chosen.order_by(f.c.id)))


def reader_of(session: Session, key: str, now: datetime) -> Reader:
    """Whose feed a key opens. Raises NotFound for one that is unknown, revoked, or whose contact has left: a wrong
    address says nothing of which."""
    f, g, c = table(Feed), table(Agency), table(Contact)
    row = (
        session.connection()
        .execute(
            select(f.c.agency_id, g.c.name, f.c.contact_id, c.c.role, c.c.language, c.c.valid_until)
            .join(g, g.c.id == f.c.agency_id)
            .outerjoin(c, c.c.id == f.c.contact_id)
            .where(f.c.digest == digest_of(key), f.c.revoked_at.is_(None))
        )
        .first()
    )
    if row is None or (row.valid_until is not None and row.valid_until < local_date(now)):
        raise NotFound(Text("Địa chỉ lịch này không còn dùng được.", "This calendar address is no longer valid."))
    return Reader(row.agency_id, row.name, row.contact_id, row.role, row.language or "vi")


def feed(session: Session, reader: Reader, now: datetime, *, base_url: str = "") -> bytes:
    """The calendar, as RFC 5545 has it, in a constant number of queries. A monitor sees what his department watches,
    one entry a plan, period and due date; everybody else what the agency owes."""
    book = read_rulebook(session)
    policy = book.policies.get("default")
    speaks = policy.send_at if policy is not None else HALF_PAST_SEVEN
    look = _watched if reader.role is Role.MONITOR else _owed
    entries = look(session, reader, now, base_url)
    return as_ics(entries, _name(reader), book.calendar, speaks, now)


def as_ics(entries: Sequence[Entry], name: str, calendar: WorkCalendar, speaks: time, now: datetime) -> bytes:
    """Entries as a calendar. ``speaks``: the wall time of alarms."""
    made = Calendar()
    for key, value in (
        ("prodid", "-//dondoc//han bao cao//VI"),
        ("version", "2.0"),
        ("method", "PUBLISH"),
        ("x-wr-calname", name),
        ("x-wr-timezone", "Asia/Ho_Chi_Minh"),
        ("x-published-ttl", "PT6H"),
    ):
        made.add(key, value)
    made.add("refresh-interval", timedelta(hours=6), parameters={"VALUE": "DURATION"})
    for each in entries:
        made.add_component(_component(each, calendar, speaks, now))
    return bytes(made.to_ical())


def _component(each: Entry, calendar: WorkCalendar, speaks: time, now: datetime) -> Event:
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
            at = instant(calendar.shift(each.on, -days), speaks)
            if at > now:
                entry.add_component(_alarm(at, each.summary))
    return entry


def _alarm(at: datetime, summary: str) -> Alarm:
    alarm = Alarm()
    alarm.add("action", "DISPLAY")
    alarm.add("description", summary)
    alarm.add("trigger", at.astimezone(UTC), parameters={"VALUE": "DATE-TIME"})
    return alarm


def _rows(session: Session, agency_id: str, now: datetime) -> Sequence[Any]:
    """What an agency owes by a date: the open ones and those over of late."""
    a, d, p = table(Assignment), table(Duty), table(Plan)
    chosen = (
        select(a.c.id, a.c.period, a.c.due_on, a.c.state, a.c.opened_at, d.c.citation, p.c.number, p.c.short_title)
        .join(d, d.c.id == a.c.duty_id)
        .join(p, p.c.id == a.c.plan_id)
        .where(*_of_late(now), a.c.agency_id == agency_id)
        .order_by(a.c.due_on, d.c.plan_id, d.c.position, a.c.id)
    )
    return session.connection().execute(chosen).all()


def _of_late(now: datetime) -> tuple[Any, ...]:
    a, p = table(Assignment), table(Plan)
    recent = a.c.state.in_(OPEN_STATES) | (a.c.due_on >= local_date(now) - ENTRY_RETENTION)
    return p.c.state != PlanState.LOADED, a.c.due_on.is_not(None), recent


def _told(session: Session, assignment_ids: Sequence[int]) -> dict[int, tuple[int, datetime]]:
    """Assignment -> how often its entry changed, and when last."""
    e = table(EventRecord)
    found: dict[int, tuple[int, datetime]] = {}
    for start in range(0, len(assignment_ids), 500):
        chosen = (
            select(e.c.assignment_id, func.count(), func.max(e.c.at))
            .where(e.c.assignment_id.in_(assignment_ids[start : start + 500]), e.c.kind.in_(CHANGING))
            .group_by(e.c.assignment_id)
        )
        found |= {row[0]: (row[1], row[2]) for row in session.connection().execute(chosen)}
    return found


_OVER = {
    State.CANCELLED: ("Đã hủy", "Cancelled"),
    State.TRANSFERRED: ("Đã chuyển cơ quan khác", "Transferred"),
    State.REPORTED: ("Đã báo cáo", "Reported"),
    State.ACCEPTED: ("Đã hoàn thành", "Accepted"),
}


def _owed(session: Session, reader: Reader, now: datetime, base_url: str) -> list[Entry]:
    """One entry an assignment."""
    english = reader.language == "en"
    rows = _rows(session, reader.agency_id, now)
    told = _told(session, [row.id for row in rows])
    entries = []
    for row in rows:
        sequence, modified = told.get(row.id, (0, row.opened_at))
        over = row.state not in OPEN_STATES
        head = _OVER[row.state][english] if over else "Due" if english else "Hạn báo cáo"
        summary = f"{head}: {row.number} {row.citation} ({period_words(row.period, reader.language)})"
        link = f"\n{base_url}/assignments/{row.id}" if base_url else ""
        entries.append(
            Entry(
                f"assignment-{row.id}@dondoc",
                row.due_on,
                summary,
                row.short_title + link,
                over,
                sequence,
                row.opened_at,
                modified,
            )
        )
    return entries


def _watched(session: Session, reader: Reader, now: datetime, base_url: str) -> list[Entry]:
    """One entry a plan, period and due date: how many of how many are in. What happened in the whole period counts as
    a change of each, so that no SEQUENCE goes back when an assignment leaves for another date."""
    a, p, e = table(Assignment), table(Plan), table(EventRecord)
    mine = a.c.supervisor_id == reader.agency_id
    grouped = (
        select(
            a.c.plan_id,
            a.c.period,
            a.c.due_on,
            p.c.number,
            p.c.short_title,
            func.count().label("all"),
            func.sum(case((a.c.state.in_(DONE_STATES), 1), else_=0)).label("done"),
            func.min(a.c.opened_at).label("opened"),
        )
        .join(p, p.c.id == a.c.plan_id)
        .where(*_of_late(now), mine, a.c.state.in_(COUNTED_STATES))
        .group_by(a.c.plan_id, a.c.period, a.c.due_on, p.c.number, p.c.short_title)
        .order_by(a.c.due_on, a.c.plan_id)
    )
    changed = (
        select(a.c.plan_id, a.c.period, func.count(), func.max(e.c.at))
        .join(e, e.c.assignment_id == a.c.id)
        .where(mine, e.c.kind.in_(CHANGING))
        .group_by(a.c.plan_id, a.c.period)
    )
    happened = {(row[0], row[1]): (row[2], row[3]) for row in session.connection().execute(changed)}
    entries = []
    for row in session.connection().execute(grouped):
        sequence, modified = happened.get((row.plan_id, row.period), (0, row.opened))
        count, words = f"{row.done}/{row.all}", period_words(row.period, reader.language)
        said = f"{count} reported, {words}" if reader.language == "en" else f"{count} đã báo cáo, kỳ {words}"
        link = f"\n{base_url}/?plan={row.plan_id}&period={row.period}" if base_url else ""
        uid = f"plan-{row.plan_id}-{row.period}-{row.due_on.isoformat()}@dondoc"
        entries.append(
            Entry(
                uid,
                row.due_on,
                f"{row.number}: {said}",
                row.short_title + link,
                row.done == row.all,
                sequence,
                row.opened,
                modified,
            )
        )
    return entries


def _name(reader: Reader) -> str:
    watching = reader.role is Role.MONITOR
    if reader.language == "en":
        return f"{'Followed by' if watching else 'Due dates of'} {reader.agency}"
    return f"{'Theo dõi của' if watching else 'Hạn báo cáo của'} {reader.agency}"


def _tell(session: Session, what: str, agency_id: str, contact_id: int | None, actor: str, now: datetime) -> None:
    append(session, [event(EventKind.FEED_CHANGED, now, actor=actor, what=what, agency=agency_id, contact=contact_id)])
