"""The weekly digest of overdue assignments: who gets it, when it is due, and what it counts.

One per recipient and ISO week, claimed by its row; for a department also what waits for its decision. It goes into the
recipient's letter of the day, so a Monday brings one letter, not two. If nothing is overdue there is no letter, but a
row and an event record the check. A digest whose own day was missed is made on any later day of the week, that of who
comes in the week on the next working day.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from sqlalchemy import exists, func, select, update
from sqlmodel import Session

from engine.assignments import situations, told
from engine.assignments.backlog import backlogs, past_plans
from engine.assignments.chasing import Chased, chased
from engine.assignments.outbox import WEEK, digest_day, holds, letter_day, letter_row, open_letters
from engine.assignments.promise_rows import promise_waits, promises_made
from engine.rules.calendar import WorkCalendar, instant, local_date
from engine.rules.policy import Policy, audience
from engine.store.database import insert_new, table
from engine.store.event_log import append, event, record
from engine.store.facts import advance_fact, read_fact
from engine.store.recipients import Recipient, read_recipients
from engine.store.records import Agency, Assignment, Digest, Duty, Letter, Plan
from engine.store.rulebook import Rulebook, read_rulebook
from engine.store.stored_rows import objects
from engine.terms import (
    EventKind,
    Outcome,
    PlanState,
    Quiet,
    Role,
    State,
    Urgency,
)

LAST_LOOK = "digest_week"
"""The fact that says on which day readers without this week's digest were last looked for, as ``week_day``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OverdueRow:
    """One overdue task, as listed in a digest, with what was really sent to its owner. ``outcome``: what its report
    says, if one stands; ``returned``: its report was sent back."""

    assignment_id: int
    agency_id: str
    agency: str
    supervisor_id: str
    issuer_id: str
    plan_id: int
    plan: str
    citation: str
    text: str
    period: str
    due_on: date
    request: bool
    outcome: Outcome | None
    returned: bool
    stands_still: bool
    """Every rung has passed: what follows is a decision of those above."""
    chased: Chased | None = None
    promised_on: date | None = None
    """The day of its last promise that counts, kept or not."""
    promises: int = 0
    promise_past: bool = False
    promise_waits: date | None = None
    """A promised day that waits for the department's agreement."""
    urgency: Urgency = Urgency.NORMAL
    """Of the plan."""
    next_action_at: datetime | None = None
    """When it is chased next."""
    title: str = ""
    """Of the plan."""


def week_of(day: date) -> str:
    """ISO week as ``2021-W24``."""
    year, week, _ = day.isocalendar()
    return f"{year}-W{week:02d}"


def week_day(day: date) -> str:
    """ISO week date, ``2021-W24-1``; sorts after its week."""
    return f"{week_of(day)}-{day.isoweekday()}"


def is_owed(session: Session, now: datetime) -> bool:
    """True if this week's digest is due and nobody has looked today who has not got it. Costs one row when somebody
    has."""
    last_look = read_fact(session, LAST_LOOK) or ""
    today = local_date(now)
    if last_look >= week_day(today):
        return False
    book = read_rulebook(session)
    policy = book.general
    if policy is None:
        return False
    send_on = digest_day(today, policy, book.calendar)
    if send_on is None or now < instant(send_on, policy.decide_at):
        return False
    return last_look < week_day(send_on) or now >= instant(book.calendar.on_or_after(today), policy.decide_at)


def make(session: Session, now: datetime) -> tuple[int, int]:
    """Make this week's digests; returns (letters, empty digests). Call it only if ``is_owed``, in the same transaction.

    The day is claimed first: of two passes at once the second waits here and then has nothing to do. Otherwise it
    could find the first one's letters already sent, and put the same digest into the next day's letters.
    """
    today = local_date(now)
    week = week_of(today)
    if not advance_fact(session, LAST_LOOK, week_day(today)):
        return 0, 0
    book = read_rulebook(session)
    policy = book.general
    assert policy is not None
    g = table(Digest)
    claimed = frozenset(session.connection().scalars(select(g.c.contact_id).where(g.c.week == week)))
    with_overdue, empty = _readers(session, week, now, policy, book.calendar, claimed)
    if not with_overdue and not empty:
        return 0, 0
    rows: dict[int, int | None] = dict.fromkeys(recipient.id for recipient in empty)
    rows |= _add_to_letters(session, with_overdue, week, policy, book, now)
    insert_new(
        session,
        Digest,
        [
            {"contact_id": contact_id, "week": week, "letter_id": letter_id, "at": now}
            for contact_id, letter_id in sorted(rows.items())
        ],
    )
    append(
        session,
        [
            event(
                EventKind.DIGEST_EMPTY, now, key=f"digest:{recipient.id}:{week}:empty", contact=recipient.id, week=week
            )
            for recipient in empty
        ],
    )
    letters, nothing = len(with_overdue), len(empty)
    record(session, EventKind.DIGEST_MADE, now, key=f"digest:{today}:made", week=week, letters=letters, empty=nothing)
    return letters, nothing


def _readers(
    session: Session, week: str, now: datetime, policy: Policy, calendar: WorkCalendar, claimed: Collection[int]
) -> tuple[list[Recipient], list[Recipient]]:
    """Who has anything to read of this week, and who has not, but for who had it; what they are told is kept. The heads
    of departments that keep others waiting are told once a week."""
    today = local_date(now)
    if claimed and all(each.id in claimed for each in _recipients(session, today, ())):
        return [], []  # as on most days: nothing is counted
    past = set(past_plans(session, today, policy))
    waiting = backlogs(session, departments(session), calendar, today, policy)
    backlog_readers = {(Role.MONITOR, department) for department, backlog in waiting.items() if backlog.aging}
    kept_waiting = {department for department, backlog in waiting.items() if backlog.old and not claimed}
    backlog_readers |= {(Role.HEAD, department) for department in kept_waiting}
    figures = told.counted(session, now, past)
    late = _late_readers(session, week, figures, every=is_first_of_month(today, policy, calendar))
    reading: set[told.Reader] = set()
    with_overdue: list[Recipient] = []
    empty: list[Recipient] = []
    standing_in = monitors_standing_in(session, departments(session), today)
    unclaimed = (each for each in _recipients(session, today, kept_waiting) if each.id not in claimed)
    for recipient in unclaimed:
        roles = {audience(recipient.role), *((Role.MONITOR,) if recipient.id in standing_in else ())}
        mine = late.intersection((role, recipient.agency_id) for role in roles)
        reading |= mine
        concerned = mine or (recipient.role, recipient.agency_id) in backlog_readers
        (with_overdue if concerned else empty).append(recipient)
    told.keep(session, week, figures, reading)
    return with_overdue, empty


def _late_readers(
    session: Session, week: str, figures: Mapping[told.Reader, told.Figures], *, every: bool
) -> set[told.Reader]:
    """Who has something overdue to read of; of the leadership ``every`` one, or those to whom it says something new."""
    late = {reader for reader, found in figures.items() if _is_late(reader[0], found)}
    if every:
        return late
    above = {reader for reader in late if reader[0] is Role.LEADERSHIP}
    before = told.last(session, {agency_id for _, agency_id in above}, week)
    return late - {reader for reader in above if not _has_news(before.get(reader), figures[reader])}


def _is_late(role: Role, figures: told.Figures) -> bool:
    """Whether anything is overdue that a digest lists; plans that are past bring nobody but their monitor a letter."""
    return bool(figures.count("recent").total() if role is Role.COORDINATOR else figures.total.overdue)


def _has_news(then: told.Figures | None, now: told.Figures) -> bool:
    """Whether more, or less, is done or overdue, or a promise was broken; all is news to who was never told."""
    found = told.since(then, now, {})
    return found is None or any(each.done or each.newly_overdue or each.broken for each in found.agencies)


def overdue(
    session: Session,
    today: date,
    *,
    agencies: Iterable[str] = (),
    supervisors: Iterable[str] = (),
    issuers: Iterable[str] = (),
) -> list[OverdueRow]:
    """Unfinished tasks past their due date that concern any of the given agencies, longest overdue first: those without
    a report, and those whose report says «một phần» or «chưa làm»."""
    a, d, p, g = table(Assignment), table(Duty), table(Plan), table(Agency)
    statement = (
        select(
            a.c.id.label("assignment_id"),
            a.c.agency_id,
            g.c.name.label("agency"),
            a.c.supervisor_id,
            p.c.issuer_id,
            p.c.id.label("plan_id"),
            p.c.number.label("plan"),
            p.c.urgency,
            p.c.title,
            d.c.citation,
            d.c.text,
            a.c.period,
            a.c.due_on,
            a.c.next_action_at,
            a.c.request,
            a.c.outcome,
            (a.c.state == State.RETURNED).label("returned"),
            a.c.promised_on,
            promises_made(),
            func.coalesce(situations.promise_past(today), False).label("promise_past"),
            promise_waits(),
            func.coalesce(a.c.quiet == Quiet.LADDER_ENDED, False).label("stands_still"),
        )
        .join(d, d.c.id == a.c.duty_id)
        .join(p, p.c.id == a.c.plan_id)
        .join(g, g.c.id == a.c.agency_id)
        .where(situations.overdue(today), p.c.state == PlanState.ACTIVE)
        .where(
            a.c.agency_id.in_(list(agencies))
            | a.c.supervisor_id.in_(list(supervisors))
            | p.c.issuer_id.in_(list(issuers))
        )
        .order_by(a.c.due_on, a.c.agency_id, d.c.plan_id, d.c.position)
    )
    rows = objects(OverdueRow, session.connection().execute(statement))
    sent = chased(session, [row.assignment_id for row in rows])
    return [replace(row, chased=sent.get(row.assignment_id)) for row in rows]


def is_first_of_month(day: date, policy: Policy, calendar: WorkCalendar) -> bool:
    """True for a digest whose week before had its own in another month: it also lists what stands still."""
    before = digest_day(day - WEEK, policy, calendar)
    return before is None or before.month != day.month


def monitors_standing_in(session: Session, departments: Collection[str], today: date) -> frozenset[int]:
    """The contacts who read what a monitor would at a department that has none: as with escalations, its coordinator,
    else its head."""
    recipients = read_recipients(session, departments)
    found = (each for department in departments for each in recipients.on(department, Role.MONITOR, today))
    return frozenset(each.id for each in found if each.role is not Role.MONITOR)


def departments(session: Session) -> set[str]:
    """The agencies that supervise anything of an active plan."""
    return {agency_id for agency_id, role in _audiences(session) if role is Role.MONITOR}


def _recipients(session: Session, today: date, kept_waiting: Iterable[str]) -> list[Recipient]:
    """All coordinators, monitors and leaders of agencies concerned by an active plan, and the heads of the departments
    that keep others waiting; each contact once."""
    audiences = _audiences(session) | {(agency_id, Role.DIRECTOR) for agency_id in kept_waiting}
    recipients = read_recipients(session, {agency_id for agency_id, _ in audiences})
    by_id = {each.id: each for agency_id, role in sorted(audiences) for each in recipients.on(agency_id, role, today)}
    return [each for each in by_id.values() if each.address("email")]


def _audiences(session: Session) -> set[tuple[str, Role]]:
    """(agency, role) of whoever has assignments in an active plan: one look into an index for each agency and plan,
    however many assignments they have."""
    a, p, g = table(Assignment), table(Plan), table(Agency)
    active = p.c.state == PlanState.ACTIVE
    owns = exists().where(a.c.agency_id == g.c.id, a.c.plan_id == p.c.id, active)
    audiences = {(each, Role.COORDINATOR) for each in session.connection().scalars(select(g.c.id).where(owns))}
    opened = exists().where(a.c.plan_id == p.c.id)
    plans = session.connection().execute(select(p.c.id, p.c.supervisor_id, p.c.issuer_id).where(active, opened)).all()
    own = select(a.c.plan_id).where(a.c.agency_id.in_({each.supervisor_id for each in plans})).distinct()
    of_supervisors = set(session.connection().scalars(own))
    for each in plans:
        audiences |= {(each.supervisor_id, Role.MONITOR), (each.issuer_id, Role.LEADERSHIP)}
        if each.id in of_supervisors:  # whose own work the issuer watches
            audiences.add((each.issuer_id, Role.MONITOR))
    return audiences


def _add_to_letters(
    session: Session, recipients: Sequence[Recipient], week: str, policy: Policy, book: Rulebook, now: datetime
) -> dict[int, int]:
    """Mark each recipient's letter of the day as containing the digest; contact id -> letter id."""
    letters = table(Letter)
    placed: dict[int, int] = {}
    held = holds(session, (each.id for each in recipients))
    days = {each.id: letter_day(now, book, policy, held=held.get(each.id)) for each in recipients}
    waiting = sorted(recipients, key=lambda each: f"letter:{each.id}")
    while waiting:
        rows = [letter_row(each, "email", days[each.id], now) for each in waiting]
        rows.sort(key=lambda row: str(row["key"]))
        opened = open_letters(session, rows)
        by_contact = {row["contact_id"]: opened.get(str(row["key"])) for row in rows}
        placed |= {contact: letter for contact, letter in by_contact.items() if letter is not None}
        waiting = [each for each in waiting if by_contact[each.id] is None]
        days |= {each.id: letter_day(days[each.id].left, book, policy) for each in waiting}
    if placed:
        session.connection().execute(
            update(letters).where(letters.c.id.in_(list(placed.values()))).values(digest_week=week)
        )
    return placed
