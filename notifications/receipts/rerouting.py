"""Reroute a letter that was not delivered: the person's other channel, else the next contact of the agency.

A line that the same person gets by another channel beside this one goes no further. Each line keeps the key of its
effect with the new recipient in it, so rerouting twice is a no-op and the chain ends when no contact is left. The
monitor is notified of a dead address and of an agency that cannot be reached at all.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from functools import cache
from typing import Any

from sqlalchemy import Select, select, update
from sqlmodel import Session

from engine.assignments import outbox
from engine.rules.calendar import local_date
from engine.rules.policy import Policy, audience
from engine.rules.situation import is_unfinished
from engine.store.database import among, insert_new, table
from engine.store.event_log import append
from engine.store.recipients import CHANNELS, WHOLE, Recipient, Recipients, read_recipients
from engine.store.records import Assignment, Digest, Letter, Notice, Plan
from engine.store.rulebook import Rulebook, read_rulebook
from engine.store.stored_rows import columns_for, objects
from engine.terms import LetterState, NoticeKind, PlanState, Role, State, Urgency
from notifications.letters.obsolete import obsolete_reason


class RerouteResult(StrEnum):
    """The result for the lines of a letter that was not delivered."""

    REROUTED = "on"
    NOBODY = "nobody"
    NOTHING = "nothing"
    """All its lines are obsolete, or reach the same person by another channel."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TriedLetter:
    """A letter that was sent, or could not be, as it is stored."""

    id: int
    key: str
    contact_id: int
    agency_id: str
    role: Role
    channel: str
    day: date
    digest_week: str | None
    state: LetterState
    reason: str
    attempts: int
    created_at: datetime


@cache
def select_letters() -> Select[*tuple[Any, ...]]:
    """The columns of ``TriedLetter``."""
    return select(*columns_for(TriedLetter, table(Letter)))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Line:
    """One of its lines, with what is known of the assignment now."""

    key: str
    assignment_id: int
    kind: NoticeKind
    rung: str
    level: int
    detail: Mapping[str, object]
    state: State
    due_on: date | None
    done_on: date | None
    promised_on: date | None
    agency_id: str
    supervisor_id: str
    plan_id: int
    policy_id: str
    urgency: Urgency
    plan_state: PlanState


ON_THEIR_WAY = (
    LetterState.QUEUED,
    LetterState.SENDING,
    LetterState.ACCEPTED,
    LetterState.DELIVERED,
    LetterState.UNKNOWN,
    LetterState.KEPT_HERE,
)
"""States of a letter that has not failed."""


def reroute(session: Session, letter: TriedLetter, *, dead: bool, now: datetime) -> RerouteResult:
    """Move the lines of a letter to the letter of the next contact or channel. ``letter``: read with a lock."""
    book, today = read_rulebook(session), local_date(now)
    rows = [
        row
        for row in _lines(session, letter)
        if not obsolete_reason(
            row.kind,
            row.state,
            row.due_on,
            today,
            row.plan_state,
            unfinished=is_unfinished(row.state, row.done_on),
            promised_on=row.promised_on,
            rung=row.rung,
        )
    ]
    if not rows and not letter.digest_week:
        return RerouteResult.NOTHING
    recipients = read_recipients(session, {letter.agency_id} | {row.supervisor_id for row in rows})
    # A letter expires because its channel is down, so other recipients on that channel are no alternative.
    dead_channel = letter.channel if letter.state is LetterState.EXPIRED else ""
    alternatives = [each for each in _alternatives(letter, recipients, now) if each[1] != dead_channel]
    tried = _tried_keys(session, rows, letter, alternatives)
    beside = _said_beside(session, rows, letter)
    slots, unreachable = [], []
    for row in (row for row in rows if _effect_key(row, letter) not in beside):
        untried = (each for each in alternatives if _notice_key(row, letter, *each) not in tried)
        alternative = next(untried, None)
        if alternative is None:
            unreachable.append(row)
        else:
            slots.append(outbox.Slot(_line(row, letter, book), *alternative))
    outbox.place(session, slots, book, now)
    digest = _reroute_digest(session, letter, alternatives, book, now)
    _notify_monitor(session, letter, rows, unreachable, recipients, book, dead=dead, now=now)
    if slots or digest:
        return RerouteResult.REROUTED
    return RerouteResult.NOBODY if unreachable or not rows else RerouteResult.NOTHING


def _alternatives(letter: TriedLetter, recipients: Recipients, now: datetime) -> Iterator[tuple[Recipient, str]]:
    """Alternatives (recipient, channel), best first: the same person's other channel, then the other contacts."""
    everyone = recipients.in_turn(letter.agency_id, letter.role, local_date(now))
    for recipient in sorted(everyone, key=lambda each: each.id != letter.contact_id):
        for channel in CHANNELS:
            if recipient.address(channel) and (recipient.id, channel) != (letter.contact_id, letter.channel):
                yield recipient, channel


def _lines(session: Session, letter: TriedLetter) -> Sequence[_Line]:
    n, a, p = table(Notice), table(Assignment), table(Plan)
    query = (
        select(
            n.c.key,
            n.c.assignment_id,
            n.c.kind,
            n.c.rung,
            n.c.level,
            n.c.detail,
            a.c.state,
            a.c.due_on,
            a.c.done_on,
            a.c.promised_on,
            a.c.agency_id,
            a.c.supervisor_id,
            a.c.plan_id,
            p.c.policy_id,
            p.c.urgency,
            p.c.state.label("plan_state"),
        )
        .join(a, a.c.id == n.c.assignment_id)
        .join(p, p.c.id == a.c.plan_id)
        .where(n.c.letter_id == letter.id, n.c.obsolete != outbox.WITHDRAWN)
        .order_by(n.c.id)
    )
    return objects(_Line, session.connection().execute(query))


def _effect_key(row: _Line, letter: TriedLetter) -> str:
    return str(row.key).removesuffix(f":{letter.contact_id}:{letter.channel}")


def _notice_key(row: _Line, letter: TriedLetter, recipient: Recipient, channel: str) -> str:
    return f"{_effect_key(row, letter)}:{recipient.id}:{channel}"


def _tried_keys(
    session: Session, rows: Sequence[_Line], letter: TriedLetter, alternatives: Sequence[tuple[Recipient, str]]
) -> set[str]:
    """The notice keys of earlier attempts for these lines and alternatives."""
    n = table(Notice)
    keys = [_notice_key(row, letter, *alternative) for row in rows for alternative in alternatives]
    found: set[str] = set()
    for start in range(0, len(keys), 500):
        found.update(session.connection().scalars(select(n.c.key).where(n.c.key.in_(keys[start : start + 500]))))
    return found


def _said_beside(session: Session, rows: Sequence[_Line], letter: TriedLetter) -> set[str]:
    """The effects that the same person gets by another channel, in a letter that has not failed."""
    n, m = table(Notice), table(Letter)
    effect_of = {
        f"{_effect_key(row, letter)}:{letter.contact_id}:{channel}": _effect_key(row, letter)
        for row in rows
        for channel in CHANNELS
        if channel != letter.channel
    }
    query = (
        select(n.c.key)
        .join(m, m.c.id == n.c.letter_id)
        .where(among(session, n.c.key, effect_of), n.c.obsolete == "", m.c.state.in_(ON_THEIR_WAY))
    )
    return {effect_of[key] for key in session.connection().scalars(query)}


def _line(row: _Line, letter: TriedLetter, book: Rulebook) -> outbox.NoticeLine:
    return outbox.NoticeLine(
        effect=_effect_key(row, letter),
        assignment_id=row.assignment_id,
        agency_id=letter.agency_id,
        role=letter.role,
        kind=row.kind,
        policy=book.policy(row.policy_id),
        urgent=row.urgency.urgent,
        rung=row.rung,
        level=row.level,
        detail=dict(row.detail),
    )


def _notify_monitor(
    session: Session,
    letter: TriedLetter,
    rows: Sequence[_Line],
    unreachable: Sequence[_Line],
    recipients: Recipients,
    book: Rulebook,
    *,
    dead: bool,
    now: datetime,
) -> None:
    """Notify the monitor: one line about a dead address, one about each duty without a reachable contact. Appends an
    event for each of the latter."""
    append(session, [outbox.unreachable_event(_line(row, letter, book), row.plan_id, now) for row in unreachable])
    if audience(letter.role) is not Role.COORDINATOR or not rows:
        return
    detail: Mapping[str, object] = {"channel": letter.channel, "next": not unreachable} if dead else {}
    reported = rows[:1] if dead and not unreachable else unreachable
    lines = [
        outbox.unreachable_line(
            _line(row, letter, book), f"letter:{letter.id}:{row.assignment_id}:unreachable", row.supervisor_id, **detail
        )
        for row in reported
    ]
    outbox.post(session, lines, recipients, book, now)


def _reroute_digest(
    session: Session, letter: TriedLetter, alternatives: Sequence[tuple[Recipient, str]], book: Rulebook, now: datetime
) -> bool:
    """Send the weekly digest to the next person by e-mail, unless they have one of their own this week."""
    policy: Policy | None = book.general
    reader, channel = next((each for each in alternatives if each[1] in WHOLE), (None, ""))
    g, m = table(Digest), table(Letter)
    if not letter.digest_week or policy is None or reader is None:
        return False
    has_one = select(g.c.id).where(g.c.contact_id == reader.id, g.c.week == letter.digest_week)
    if session.connection().scalar(has_one) is not None:
        return False
    when = outbox.letter_day(now, book, policy, held=outbox.holds(session, [reader.id]).get(reader.id))
    opened = outbox.open_letters(session, [outbox.letter_row(reader, channel, when, now)])
    letter_id = next(iter(opened.values()), None)
    if letter_id is None:
        return False
    insert_new(
        session, Digest, [{"contact_id": reader.id, "week": letter.digest_week, "letter_id": letter_id, "at": now}]
    )
    session.connection().execute(update(m).where(m.c.id == letter_id).values(digest_week=letter.digest_week))
    return True
