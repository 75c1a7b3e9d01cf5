"""Passing a letter on that did not reach its reader: his other channel, else the next person who answers for the body.

Each line keeps its effect's key with the new reader's name in it, so passing on twice is a no-op and the chain ends
where nobody is left. The monitor hears of an address that is dead, and of an agency that nobody can be reached at.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import select, update
from sqlmodel import Session

from engine.assignments.outbox import NoticeLine, Slot, letter_row, open_letters, place, post, send_day
from engine.assignments.weekly_digest import schedule
from engine.rules.calendar import instant, local_date
from engine.rules.policy import Policy
from engine.store.database import insert_new, table
from engine.store.event_log import append, event
from engine.store.recipients import CHANNELS, Recipient, Recipients, read_recipients
from engine.store.records import Assignment, Digest, Letter, Notice, Plan
from engine.store.rulebook import Rulebook, read_rulebook
from engine.terms import EventKind, LetterState, NoticeKind, Role, Urgency
from notifications.letters.facts import obsolete_reason


class RerouteResult(StrEnum):
    """What became of the lines of a letter that did not arrive."""

    ON = "on"
    NOBODY = "nobody"
    NOTHING = "nothing"
    """Nothing in it has a point any more."""


def reroute(session: Session, letter: Any, *, dead: bool, now: datetime) -> RerouteResult:
    """Put what a letter had to say into the letter of whoever is next. ``letter`` is its row, locked."""
    book, today = read_rulebook(session), local_date(now)
    rows = [
        row
        for row in _lines(session, letter)
        if not obsolete_reason(row.kind, row.state, row.due_on, today, row.plan_state)
    ]
    if not rows and not letter.digest_week:
        return RerouteResult.NOTHING
    answering = read_recipients(session, {letter.agency_id} | {row.supervisor_id for row in rows})
    # A letter expires because its channel stood still, which a letter to somebody else on it would do as well.
    useless = letter.channel if letter.state is LetterState.EXPIRED else ""
    ways = [way for way in _ways(letter, answering, now) if way[1] != useless]
    tried = _tried(session, rows, letter, ways)
    slots, stranded = [], []
    for row in rows:
        way = next((way for way in ways if _key(row, letter, *way) not in tried), None)
        if way is None:
            stranded.append(row)
        else:
            slots.append(Slot(_line(row, letter, book), *way))
    place(session, slots, book.calendar, now)
    digest = _pass_digest_on(session, letter, ways, book, now)
    _tell_monitor(session, letter, rows, stranded, answering, book, dead=dead, now=now)
    return RerouteResult.ON if slots or digest else RerouteResult.NOBODY


def _ways(letter: Any, answering: Recipients, now: datetime) -> Iterator[tuple[Recipient, str]]:
    """(recipient, channel) still to be tried, best first: the same person otherwise, then the others in their turn."""
    everyone = answering.in_turn(letter.agency_id, letter.role, local_date(now))
    for recipient in sorted(everyone, key=lambda each: each.id != letter.contact_id):
        for channel in CHANNELS:
            if recipient.address(channel) and (recipient.id, channel) != (letter.contact_id, letter.channel):
                yield recipient, channel


def _lines(session: Session, letter: Any) -> Sequence[Any]:
    n, a, p = table(Notice), table(Assignment), table(Plan)
    chosen = (
        select(
            n.c.key,
            n.c.assignment_id,
            n.c.kind,
            n.c.rung,
            n.c.level,
            n.c.detail,
            a.c.state,
            a.c.due_on,
            a.c.agency_id,
            a.c.supervisor_id,
            a.c.plan_id,
            p.c.policy_id,
            p.c.urgency,
            p.c.state.label("plan_state"),
        )
        .join(a, a.c.id == n.c.assignment_id)
        .join(p, p.c.id == a.c.plan_id)
        .where(n.c.letter_id == letter.id)
        .order_by(n.c.id)
    )
    return session.connection().execute(chosen).all()


def _effect(row: Any, letter: Any) -> str:
    return str(row.key).removesuffix(f":{letter.contact_id}:{letter.channel}")


def _key(row: Any, letter: Any, recipient: Recipient, channel: str) -> str:
    return f"{_effect(row, letter)}:{recipient.id}:{channel}"


def _tried(session: Session, rows: Sequence[Any], letter: Any, ways: Sequence[tuple[Recipient, str]]) -> set[str]:
    """Which lines were said to whom on which channel before."""
    n = table(Notice)
    keys = [_key(row, letter, *way) for row in rows for way in ways]
    found: set[str] = set()
    for start in range(0, len(keys), 500):
        found.update(session.connection().scalars(select(n.c.key).where(n.c.key.in_(keys[start : start + 500]))))
    return found


def _line(row: Any, letter: Any, book: Rulebook) -> NoticeLine:
    return NoticeLine(
        _effect(row, letter),
        row.assignment_id,
        letter.agency_id,
        letter.role,
        row.kind,
        book.policy(row.policy_id),
        row.urgency is not Urgency.NORMAL,
        row.rung,
        row.level,
        dict(row.detail),
    )


def _tell_monitor(
    session: Session,
    letter: Any,
    rows: Sequence[Any],
    stranded: Sequence[Any],
    answering: Recipients,
    book: Rulebook,
    *,
    dead: bool,
    now: datetime,
) -> None:
    """One line about a dead address; one about each duty that nobody could be told of. Always an event."""
    append(
        session,
        [
            event(
                EventKind.UNREACHABLE,
                now,
                plan_id=row.plan_id,
                assignment_id=row.assignment_id,
                key=f"{_effect(row, letter)}:{letter.role}:unreachable",
                role=letter.role,
                agency=letter.agency_id,
                rung=row.rung,
            )
            for row in stranded
        ],
    )
    if letter.role in (Role.MONITOR, Role.LEADERSHIP) or not rows:
        return
    detail: Mapping[str, Any] = {"channel": letter.channel, "next": not stranded} if dead else {}
    about = rows[:1] if dead and not stranded else stranded
    post(
        session,
        [
            NoticeLine(
                f"letter:{letter.id}:{row.assignment_id}:unreachable",
                row.assignment_id,
                row.supervisor_id,
                Role.MONITOR,
                NoticeKind.UNREACHABLE,
                book.policy(row.policy_id),
                row.urgency is not Urgency.NORMAL,
                row.rung,
                detail=dict(detail),
            )
            for row in about
        ],
        answering,
        book.calendar,
        now,
    )


def _pass_digest_on(
    session: Session, letter: Any, ways: Sequence[tuple[Recipient, str]], book: Rulebook, now: datetime
) -> bool:
    """A weekly digest goes to the next person by e-mail, unless he has one of his own this week."""
    policy: Policy | None = schedule(book)
    reader = next((recipient for recipient, channel in ways if channel == "email"), None)
    g, m = table(Digest), table(Letter)
    if not letter.digest_week or policy is None or reader is None:
        return False
    has_one = select(g.c.id).where(g.c.contact_id == reader.id, g.c.week == letter.digest_week)
    if session.connection().scalar(has_one) is not None:
        return False
    day = send_day(now, policy, book.calendar)
    opened = open_letters(session, [letter_row(reader, "email", day, instant(day, policy.send_at), now)])
    letter_id = next(iter(opened.values()), None)
    if letter_id is None:
        return False
    insert_new(
        session, Digest, [{"contact_id": reader.id, "week": letter.digest_week, "letter_id": letter_id, "at": now}]
    )
    session.connection().execute(update(m).where(m.c.id == letter_id).values(digest_week=letter.digest_week))
    return True
