"""The outbox: puts notices into the recipient's letter of the day; unique keys make it idempotent.

``letter:<contact>:<channel>:<day>`` allows one letter per person, channel and day; the notice's key allows each effect
once. A letter already claimed for sending takes no more lines: they go into the letter of the next working day.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from typing import Any

from sqlalchemy import bindparam, case, func, select, update
from sqlmodel import Session

from engine.rules.calendar import ONE_DAY, WorkCalendar, instant, local_date
from engine.rules.policy import Policy, Way
from engine.store.data_versions import about_agency
from engine.store.database import among, insert_new, table
from engine.store.event_log import event
from engine.store.recipients import CHANNELS, UNSET, Recipient, Recipients
from engine.store.records import STILL_OWED, Letter, Notice
from engine.store.rulebook import Rulebook
from engine.terms import EventKind, LetterState, NoticeKind, Role

WITHDRAWN = "undone"
"""Why a line was left out that was taken back before its letter left."""
ON_HOLD = "on_hold"
"""Why a letter waits beyond its day: somebody holds it. Nothing else goes to its reader before."""
WEEK = timedelta(days=7)
WEEKS_AHEAD = 5
"""Offices are never closed for longer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeLine:
    """One line about one assignment for the contacts of ``agency_id`` in ``role``. ``effect`` is the key without the
    recipient: ``assignment:418:2021-06-17:T-3``."""

    effect: str
    assignment_id: int
    agency_id: str
    role: Role
    kind: NoticeKind
    policy: Policy
    urgent: bool = False
    rung: str = ""
    level: int = 0
    detail: dict[str, Any] = field(default_factory=dict)
    by: Way = "usual"


def unreachable_event(line: NoticeLine, plan_id: int, now: datetime) -> dict[str, Any]:
    """The event of a line for which nobody can be reached; ``unset``: but on a channel that is not set up."""
    return event(
        EventKind.UNREACHABLE,
        now,
        plan_id=plan_id,
        assignment_id=line.assignment_id,
        key=f"{line.effect}:{line.role}:unreachable",
        role=line.role,
        agency=line.agency_id,
        rung=line.rung,
        **{name: line.detail[name] for name in (UNSET,) if name in line.detail},
    )


def unreachable_line(line: NoticeLine, effect: str, supervisor_id: str, **detail: object) -> NoticeLine:
    """What the monitor is told of such a line."""
    return NoticeLine(
        effect=effect,
        assignment_id=line.assignment_id,
        agency_id=supervisor_id,
        role=Role.MONITOR,
        kind=NoticeKind.UNREACHABLE,
        policy=line.policy,
        urgent=line.urgent,
        rung=line.rung,
        detail=detail,
    )


@dataclass(slots=True)
class PostResult:
    """The number of new lines, and the lines without a reachable recipient."""

    notices: int = 0
    unreachable: list[NoticeLine] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class LetterDay:
    """The day of a letter, and the earliest instant at which it may be sent."""

    day: date
    send_after: datetime

    @classmethod
    def at_once(cls, moment: datetime) -> LetterDay:
        return cls(local_date(moment), moment)

    @property
    def left(self) -> datetime:
        """When the next letter is decided, once that of the day has left."""
        return instant(self.day + ONE_DAY, time())


def letter_day(
    moment: datetime,
    book: Rulebook,
    policy: Policy,
    *,
    urgent: bool = False,
    weekly: bool = False,
    held: datetime | None = None,
) -> LetterDay:
    """When what is decided at a moment leaves: at once if it is urgent, else in the letter of a day, from the hour of
    its policy on. ``weekly``: it waits for the weekly letter, as its reader prefers. ``held``: until when the reader's
    letters are held (``holds``)."""
    if urgent:
        return LetterDay.at_once(moment)
    held = max(moment, held or moment)
    day = send_day(held, policy, book.calendar)
    if weekly and book.general is not None:
        day = next_digest_day(day, book.general, book.calendar) or day
    send_after = instant(day, policy.send_at)
    return LetterDay(day, max(send_after, held) if held > moment else send_after)


def send_day(moment: datetime, policy: Policy, calendar: WorkCalendar) -> date:
    """The day on which a letter decided at a moment is sent: that day before the window closes on a working day, else
    the next working day."""
    day = local_date(moment)
    if calendar.is_working(day) and moment < instant(day, policy.window.closes):
        return day
    return calendar.on_or_after(day + ONE_DAY)


def digest_day(day: date, policy: Policy, calendar: WorkCalendar) -> date | None:
    """The working day of the digest in ``day``'s ISO week: its weekday or the next one, else the last one of the week;
    None if the week has none."""
    monday = day - day.weekday() * ONE_DAY
    wanted, last = monday + policy.digest_weekday * ONE_DAY, calendar.shift(monday + WEEK, -1)
    send_on = min(calendar.on_or_after(wanted), last)
    return send_on if send_on >= monday else None


def next_digest_day(day: date, policy: Policy, calendar: WorkCalendar) -> date | None:
    """The first day of a digest from ``day`` on; None if none of the next weeks has one."""
    days = (digest_day(day + weeks * WEEK, policy, calendar) for weeks in range(WEEKS_AHEAD))
    return next((found for found in days if found is not None and found >= day), None)


def holds(session: Session, contact_ids: Iterable[int]) -> dict[int, datetime]:
    """Until when letters to these contacts are held."""
    m = table(Letter)
    mine = among(session, m.c.contact_id, set(contact_ids))
    until = select(m.c.contact_id, func.max(m.c.send_after)).where(STILL_OWED, mine, m.c.reason == ON_HOLD)
    return dict(map(tuple, session.connection().execute(until.group_by(m.c.contact_id))))


def channels_for(recipient: Recipient, policy: Policy, way: Way = "usual") -> list[str]:
    """The channels that reach the recipient in this way; where it has none, those of the policy, else the first."""
    reached = [channel for channel in CHANNELS if recipient.address(channel)]
    if way == "every":
        return reached
    usual = [channel for channel in policy.channels if channel in reached]
    other = [channel for channel in reached if channel not in policy.channels]
    if way == "other" and other:
        return other[:1]
    return usual or reached[:1]


@dataclass(frozen=True, slots=True)
class Slot:
    """A line for one recipient's letter on one channel. ``number``: which of the day's letters."""

    line: NoticeLine
    recipient: Recipient
    channel: str
    number: int = 1

    def letter_key(self, day: date) -> str:
        return letter_key(self.recipient, self.channel, day, self.number)

    def first_day(self, now: datetime, book: Rulebook, held: datetime | None) -> LetterDay:
        line, weekly = self.line, self.channel in self.recipient.pace and self.line.kind in self.line.policy.may_stop
        return letter_day(now, book, line.policy, urgent=line.urgent, weekly=weekly, held=held)


def letter_key(recipient: Recipient, channel: str, day: date, number: int = 1) -> str:
    """The unique key of a letter. The first of a day has no number; only urgent lines create further ones."""
    key = f"letter:{recipient.id}:{channel}:{day.isoformat()}"
    return key if number == 1 else f"{key}:{number}"


def post(
    session: Session, lines: Iterable[NoticeLine], recipients: Recipients, book: Rulebook, now: datetime
) -> PostResult:
    """Put lines into the letters of their recipients. Idempotent: a line whose key exists changes nothing."""
    posted, today = PostResult(), local_date(now)
    slots: list[Slot] = []
    for line in lines:
        reached = False
        for recipient in recipients.on(line.agency_id, line.role, today):
            for channel in channels_for(recipient, line.policy, line.by):
                slots.append(Slot(line, recipient, channel))
                reached = True
        if not reached:
            unset = recipients.unset(line.agency_id, line.role, today)
            posted.unreachable.append(replace(line, detail={**line.detail, UNSET: unset}) if unset else line)
    posted.notices = place(session, slots, book, now)
    return posted


def place(session: Session, slots: Sequence[Slot], book: Rulebook, now: datetime) -> int:
    """Put lines into the letters of the given recipients; returns how many were new. Idempotent."""
    placed = 0
    about_agency(session, (slot.recipient.agency_id for slot in slots))
    held = holds(session, (slot.recipient.id for slot in slots)) if slots else {}
    pending = [(slot, slot.first_day(now, book, held.get(slot.recipient.id))) for slot in slots]
    while pending:
        letters = _open_letters(session, pending, now)
        rows, later = [], []
        for slot, when in pending:
            letter_id = letters.get(slot.letter_key(when.day))
            if letter_id is None:
                later.append(_next_letter(slot, when, book))
            else:
                rows.append(_notice(slot, letter_id))
        placed += insert_new(session, Notice, rows)
        pending = later
    return placed


def _next_letter(slot: Slot, when: LetterDay, book: Rulebook) -> tuple[Slot, LetterDay]:
    """The next letter to try: for an urgent line another one today, up to the daily cap; else the next day's."""
    line = slot.line
    if line.urgent and slot.number < line.policy.urgent_per_day:
        return replace(slot, number=slot.number + 1), when
    return replace(slot, number=1), letter_day(when.left, book, line.policy, urgent=line.urgent)


def _open_letters(session: Session, pending: Sequence[tuple[Slot, LetterDay]], now: datetime) -> dict[str, int]:
    """Insert missing letters, lock all of them in key order, and return the ids of those not yet claimed. One urgent
    line makes its whole letter urgent."""
    rows: dict[str, dict[str, Any]] = {}
    for slot, when in pending:
        key = slot.letter_key(when.day)
        if key not in rows or slot.line.urgent:
            rows[key] = letter_row(slot.recipient, slot.channel, when, now, urgent=slot.line.urgent, number=slot.number)
    ids = open_letters(session, [rows[key] for key in sorted(rows)])
    _make_urgent(session, {ids[key]: row["send_after"] for key, row in rows.items() if row["urgent"] and key in ids})
    return ids


def _make_urgent(session: Session, send_after_by_id: Mapping[int, datetime]) -> None:
    """Mark letters as urgent and send them sooner; a letter being retried keeps the time of its next attempt."""
    if not send_after_by_id:
        return
    m = table(Letter)
    soon = bindparam("soon", type_=m.c.send_after.type)
    session.connection().execute(
        update(m)
        .where(m.c.id == bindparam("row_id"), ~m.c.urgent)
        .values(urgent=True, send_after=case((m.c.attempts > 0, m.c.send_after), else_=soon)),
        [{"row_id": letter_id, "soon": send_after} for letter_id, send_after in send_after_by_id.items()],
    )


def open_letters(session: Session, rows: Sequence[dict[str, object]]) -> dict[str, int]:
    """Insert letters (sorted by key) unless they exist; returns ids by key of those not yet claimed for sending.

    The rows stay locked until the transaction ends, so a delivery pass on another machine cannot claim a letter between
    this check and the insertion of a line. They are locked in key order, so that two passes cannot deadlock.
    """
    insert_new(session, Letter, list(rows))
    letter = table(Letter)
    keys = among(session, letter.c.key, [row["key"] for row in rows])
    statement = select(letter.c.key, letter.c.id, letter.c.state).where(keys).order_by(letter.c.key).with_for_update()
    locked = session.connection().execute(statement).all()
    return {key: letter_id for key, letter_id, state in locked if state is LetterState.QUEUED}


class LineLeft(Exception):
    """The letter of a line has left, or is being sent."""


def hold_lines(session: Session, notice_ids: Sequence[int], until: datetime) -> bool:
    """The letters of these lines leave no earlier than ``until``, nor do others of their readers that are not urgent.
    False if there is none."""
    if not notice_ids:
        return False
    m, n = table(Letter), table(Notice)
    letters = select(n.c.letter_id).where(among(session, n.c.id, notice_ids))
    waiting = m.c.id.in_(letters), m.c.state == LetterState.QUEUED, m.c.send_after < until
    session.connection().execute(update(m).where(*waiting).values(send_after=until, reason=ON_HOLD))
    return True


def withdraw_lines(session: Session, notice_ids: Sequence[int], suffix: str) -> None:
    """Take lines out of their letters, with a reason; the key is free for the same effect once more. Raises LineLeft
    if one of the letters has left."""
    if not notice_ids:
        return
    m, n = table(Letter), table(Notice)
    letters = select(n.c.letter_id).where(among(session, n.c.id, notice_ids))
    statement = select(m.c.state, m.c.attempts).where(m.c.id.in_(letters)).order_by(m.c.key).with_for_update()
    if any(state is not LetterState.QUEUED or tried for state, tried in session.connection().execute(statement)):
        raise LineLeft
    values = {"obsolete": WITHDRAWN, "key": n.c.key + f":{suffix}"}
    session.connection().execute(update(n).where(among(session, n.c.id, notice_ids)).values(**values))


def letter_row(
    recipient: Recipient, channel: str, when: LetterDay, now: datetime, *, urgent: bool = False, number: int = 1
) -> dict[str, Any]:
    """The row of a new letter."""
    return {
        "key": letter_key(recipient, channel, when.day, number),
        "contact_id": recipient.id,
        "agency_id": recipient.agency_id,
        "role": recipient.role,
        "channel": channel,
        "day": when.day,
        "urgent": urgent,
        "send_after": when.send_after,
        "state": LetterState.QUEUED,
        "created_at": now,
        "reason": "",
        "leased_by": "",
        "attempts": 0,
        "receipt": "",
    }


def _notice(slot: Slot, letter_id: int) -> dict[str, Any]:
    line = slot.line
    return {
        "key": f"{line.effect}:{slot.recipient.id}:{slot.channel}",
        "letter_id": letter_id,
        "assignment_id": line.assignment_id,
        "kind": line.kind,
        "rung": line.rung,
        "level": line.level,
        "detail": line.detail,
        "obsolete": "",
    }
