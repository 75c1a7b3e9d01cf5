"""Letters owed. A line is put into the recipient's letter of the day; the database's unique keys do the rest.

``letter:<contact>:<channel>:<day>`` makes one letter a person, channel and day; the notice's key makes one effect
once. A letter that has already been claimed for sending takes no more lines: they go into the next working day's.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sqlalchemy import select
from sqlmodel import Session

from engine.calendar import ONE_DAY, WorkCalendar, instant, local_date
from engine.database import insert_new, table
from engine.policy import Policy
from engine.records import Letter, Notice
from engine.rulebook import Answering, Recipient
from engine.terms import LetterState, NoticeKind, Role

CHUNK = 500
"""Keys in one IN list: safely below the parameter limits of both databases."""


@dataclass(frozen=True, slots=True)
class Line:
    """One thing to say about one assignment to whoever answers for ``agency_id`` as ``role``. ``effect`` is the
    effect's key without its recipient: ``assignment:418:2021-06-17:T-3``."""

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


@dataclass(slots=True)
class Posted:
    """How many lines were new, and the lines that reach nobody."""

    notices: int = 0
    unreachable: list[Line] = field(default_factory=list)


def send_day(now: datetime, policy: Policy, calendar: WorkCalendar, *, urgent: bool = False) -> date:
    """The day on which a letter decided now leaves: today inside the window of a working day, else the next one."""
    today = local_date(now)
    if urgent or (calendar.is_working(today) and now < instant(today, policy.window.closes)):
        return today
    return calendar.on_or_after(today + ONE_DAY)


def leaves_at(day: date, now: datetime, policy: Policy, *, urgent: bool = False) -> datetime:
    """The instant from which the letter of a day may be sent."""
    return now if urgent else instant(day, policy.send_at)


def channels_for(recipient: Recipient, policy: Policy) -> list[str]:
    """The policy's channels that reach the recipient, else the first that does at all."""
    wanted = [channel for channel in policy.channels if recipient.address(channel)]
    return wanted or [channel for channel in ("email", "sms") if recipient.address(channel)][:1]


@dataclass(frozen=True, slots=True)
class _Slot:
    """A line on its way into one recipient's letter on one channel."""

    line: Line
    recipient: Recipient
    channel: str

    def letter_key(self, day: date) -> str:
        return f"letter:{self.recipient.id}:{self.channel}:{day.isoformat()}"


def post(
    session: Session, lines: Iterable[Line], answering: Answering, calendar: WorkCalendar, now: datetime
) -> Posted:
    """Put lines into letters. Idempotent: a line whose key exists changes nothing."""
    posted = Posted()
    slots: list[_Slot] = []
    for line in lines:
        reached = False
        for recipient in answering.on(line.agency_id, line.role, local_date(now)):
            for channel in channels_for(recipient, line.policy):
                slots.append(_Slot(line, recipient, channel))
                reached = True
        if not reached:
            posted.unreachable.append(line)
    pending = [(slot, send_day(now, slot.line.policy, calendar, urgent=slot.line.urgent)) for slot in slots]
    while pending:
        letters = _open_letters(session, pending, now)
        rows, later = [], []
        for slot, day in pending:
            letter_id = letters.get(slot.letter_key(day))
            if letter_id is None:
                later.append((slot, calendar.on_or_after(day + ONE_DAY)))
            else:
                rows.append(_notice(slot, letter_id))
        posted.notices += insert_new(session, Notice, rows)
        pending = later
    return posted


def _open_letters(session: Session, pending: Sequence[tuple[_Slot, date]], now: datetime) -> dict[str, int]:
    """Make the letters that are missing, lock them all in one order, and return the ids of those still open."""
    wanted = {slot.letter_key(day): _letter(slot, day, now) for slot, day in pending}
    keys = sorted(wanted)
    return open_letters(session, [wanted[key] for key in keys])


def open_letters(session: Session, rows: Sequence[dict[str, Any]]) -> dict[str, int]:
    """Insert letters (sorted by key) unless they exist; the ids, by key, of those not yet claimed for sending.

    The rows stay locked until the transaction ends, so a delivering pass on another machine cannot claim a letter
    between our looking and our adding a line. Always in key order: two passes never wait for each other in a ring.
    """
    insert_new(session, Letter, list(rows))
    letter = table(Letter)
    found: dict[str, int] = {}
    keys = [row["key"] for row in rows]
    for start in range(0, len(keys), CHUNK):
        chosen = select(letter.c.key, letter.c.id, letter.c.state).where(letter.c.key.in_(keys[start : start + CHUNK]))
        for key, letter_id, state in session.connection().execute(chosen.order_by(letter.c.key).with_for_update()):
            if state is LetterState.QUEUED:
                found[key] = letter_id
    return found


def _letter(slot: _Slot, day: date, now: datetime) -> dict[str, Any]:
    return letter_row(
        slot.recipient, slot.channel, day, leaves_at(day, now, slot.line.policy, urgent=slot.line.urgent), now,
        urgent=slot.line.urgent,
    )  # fmt: skip


def letter_row(
    recipient: Recipient, channel: str, day: date, send_after: datetime, now: datetime, *, urgent: bool = False
) -> dict[str, Any]:
    """A letter as a row to insert."""
    return {
        "key": f"letter:{recipient.id}:{channel}:{day.isoformat()}", "contact_id": recipient.id,
        "agency_id": recipient.agency_id, "role": recipient.role, "channel": channel, "day": day, "urgent": urgent,
        "send_after": send_after, "state": LetterState.QUEUED, "created_at": now,
        "reason": "", "leased_by": "", "attempts": 0, "receipt": "",
    }  # fmt: skip


def _notice(slot: _Slot, letter_id: int) -> dict[str, Any]:
    line = slot.line
    return {
        "key": f"{line.effect}:{slot.recipient.id}:{slot.channel}", "letter_id": letter_id,
        "assignment_id": line.assignment_id, "kind": line.kind, "rung": line.rung, "level": line.level,
        "detail": line.detail, "moot": "",
    }  # fmt: skip
