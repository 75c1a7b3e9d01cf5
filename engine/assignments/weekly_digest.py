"""The weekly digest of overdue assignments: who gets it, when it is due, and what it counts.

One per recipient and ISO week, claimed by its row; for a department also what waits for its decision. It goes into the
recipient's letter of the day, so a Monday brings one letter, not two. If nothing is overdue there is no letter, but a
row and an event record the check. A digest whose own day was missed is made on any later day of the week, that of who
comes in the week on the next working day.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any, Literal

from sqlalchemy import ColumnElement, Select, and_, exists, func, select, update
from sqlmodel import Session

from engine.assignments.backlog import backlogs, past_plans
from engine.assignments.chasing import Chased, chased
from engine.assignments.measures import BOX, Boxes, still_asked, time_class_column, unfinished
from engine.assignments.outbox import WEEK, digest_day, holds, letter_day, letter_row, open_letters
from engine.assignments.promise_rows import promise_waits, promises_made
from engine.rules.calendar import ONE_DAY, WorkCalendar, instant, local_date
from engine.rules.policy import Policy, audience
from engine.store.database import among, insert_new, table
from engine.store.event_log import append, event, record
from engine.store.facts import advance_fact, read_fact
from engine.store.recipients import Recipient, read_recipients
from engine.store.records import Agency, Assignment, Digest, Duty, Letter, Plan, Promise
from engine.store.rulebook import Rulebook, read_rulebook
from engine.store.stored_rows import object_of, objects
from engine.terms import (
    COUNTED_STATES,
    EventKind,
    Outcome,
    PlanState,
    PromiseState,
    Quiet,
    Role,
    State,
    TimeClass,
    Urgency,
)

LAST_LOOK = "digest_week"
"""The fact that says on which day readers without this week's digest were last looked for, as ``week_day``."""
REACH = timedelta(days=366)
"""How far back an owner's digest goes: one year of a plan, but for what was promised."""
AUDIENCES = (Role.COORDINATOR, Role.MONITOR, Role.LEADERSHIP)


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


@dataclass(frozen=True, slots=True)
class Changed:
    """What changed about one task since the digest of the week before: it became ``overdue``, was ``done``, or a
    promise about it was ``broken``."""

    what: Literal["overdue", "done", "broken"]
    agency_id: str
    agency: str
    supervisor_id: str
    issuer_id: str
    request: bool


def week_of(day: date) -> str:
    """ISO week as ``2021-W24``."""
    year, week, _ = day.isocalendar()
    return f"{year}-W{week:02d}"


def week_day(day: date) -> str:
    """ISO week date, ``2021-W24-1``; sorts after its week."""
    return f"{week_of(day)}-{day.isoweekday()}"


def told_until(day: date, policy: Policy | None, calendar: WorkCalendar) -> date:
    """The last day that was told by the digest of the week before ``day``'s: that digest left in the morning after it.
    What has changed since is a change to its reader, whoever reads a letter, a page or a paper of this week."""
    week_before = day - day.weekday() * ONE_DAY - WEEK
    told_on = digest_day(week_before, policy, calendar) if policy else None
    return (told_on or week_before) - ONE_DAY


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
    with_overdue, empty = _readers(session, today, policy, book.calendar, claimed)
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
    session: Session, today: date, policy: Policy, calendar: WorkCalendar, claimed: Collection[int]
) -> tuple[list[Recipient], list[Recipient]]:
    """Who has anything to read of this week, and who has not; but for who had it. The heads of departments that keep
    others waiting are told once a week."""
    past = set(past_plans(session, today, policy))
    late = _late_by_audience(session, today, past)
    waiting = backlogs(session, _departments(session), calendar, today, policy)
    kept_waiting = {department for department, backlog in waiting.items() if backlog.old}
    backlog_readers = {(Role.MONITOR, department) for department, backlog in waiting.items() if backlog.aging}
    backlog_readers |= {(Role.HEAD, department) for department in kept_waiting}
    new = _with_news(session, today, past, policy, calendar)
    with_overdue: list[Recipient] = []
    empty: list[Recipient] = []
    standing_in = monitors_standing_in(session, _departments(session), today)
    for recipient in _recipients(session, today, () if claimed else kept_waiting):
        if recipient.id in claimed:
            continue
        has_late = bool(late.get((recipient.agency_id, audience(recipient.role))))
        if recipient.id in standing_in:
            has_late = has_late or bool(late.get((recipient.agency_id, Role.MONITOR)))
        if recipient.role is Role.LEADERSHIP and new is not None:
            has_late = has_late and recipient.agency_id in new
        concerned = has_late or (recipient.role, recipient.agency_id) in backlog_readers
        (with_overdue if concerned else empty).append(recipient)
    return with_overdue, empty


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
            d.c.citation,
            d.c.text,
            a.c.period,
            a.c.due_on,
            a.c.request,
            a.c.outcome,
            (a.c.state == State.RETURNED).label("returned"),
            a.c.promised_on,
            promises_made(),
            func.coalesce(a.c.promised_on < today, False).label("promise_past"),
            promise_waits(),
            func.coalesce(a.c.quiet == Quiet.LADDER_ENDED, False).label("stands_still"),
        )
        .join(d, d.c.id == a.c.duty_id)
        .join(p, p.c.id == a.c.plan_id)
        .join(g, g.c.id == a.c.agency_id)
        .where(unfinished(), still_asked(), a.c.due_on < today, p.c.state == PlanState.ACTIVE)
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


def changes(session: Session, since: date, today: date, past: Collection[int] = ()) -> list[Changed]:
    """What changed in active plans but those of ``past`` between two days, the second not included: three queries, each
    by an index of the days that it asks for. Plans are looked up here and not joined: see ``_late_by_audience``."""
    a, g, promised = table(Assignment), table(Agency), table(Promise)
    columns = a.c.agency_id, a.c.supervisor_id, a.c.plan_id, a.c.request
    became = unfinished(), still_asked(), a.c.due_on >= since, a.c.due_on < today
    done = a.c.done_on >= since, a.c.done_on < today
    broken = promised.c.state == PromiseState.BROKEN, promised.c.ended_on > since, promised.c.ended_on <= today
    kinds: tuple[tuple[Literal["overdue", "done", "broken"], Select[Any]], ...] = (
        ("overdue", select(*columns).where(*became)),
        ("done", select(*columns).where(*done)),
        ("broken", select(*columns).join(promised, promised.c.assignment_id == a.c.id).where(*broken, unfinished())),
    )
    issuers = {plan: issuer for plan, issuer in _issuers(session).items() if plan not in past}
    rows = [(what, row) for what, statement in kinds for row in session.connection().execute(statement)]
    owners = {row.agency_id for _, row in rows}
    named = select(g.c.id, g.c.name).where(among(session, g.c.id, sorted(owners)))
    names = {row.id: row.name for row in session.connection().execute(named)} if owners else {}
    return [
        object_of(Changed, row, what=what, agency=names[row.agency_id], issuer_id=issuers[row.plan_id])
        for what, row in rows
        if row.plan_id in issuers
    ]


def _issuers(session: Session) -> dict[int, str]:
    """The issuer of each active plan."""
    p = table(Plan)
    statement = select(p.c.id, p.c.issuer_id).where(p.c.state == PlanState.ACTIVE)
    return {row.id: row.issuer_id for row in session.connection().execute(statement)}


def boxes_on(session: Session, day: date, issuers: Sequence[str], past: Collection[int] = ()) -> dict[str, Boxes]:
    """``boxes`` at the end of an earlier day, by what is known now."""
    a = table(Assignment)
    running = a.c.opened_on <= day, a.c.plan_id.not_in(past)
    return _boxes(session, time_class_column(day, day - ONE_DAY, day), issuers, *running)


def boxes(session: Session, today: date, issuers: Sequence[str], past: Collection[int] = ()) -> dict[str, Boxes]:
    """The four boxes of each issuer's active plans but those of ``past``. Requests (not orders) to an agency are not
    counted."""
    running = table(Assignment).c.plan_id.not_in(past)
    return _boxes(session, time_class_column(today, today - ONE_DAY), issuers, running)


def _boxes(
    session: Session, found: ColumnElement[TimeClass], issuers: Sequence[str], *conditions: ColumnElement[bool]
) -> dict[str, Boxes]:
    """``found``: the class of each assignment."""
    a, p = table(Assignment), table(Plan)
    statement = (
        select(p.c.issuer_id, *(func.count().filter(found == name).label(box) for name, box in BOX.items()))
        .select_from(a.join(p, p.c.id == a.c.plan_id))
        .where(p.c.state == PlanState.ACTIVE, p.c.issuer_id.in_(issuers))
        .where(a.c.state.in_(COUNTED_STATES), ~a.c.request, *conditions)
        .group_by(p.c.issuer_id)
    )
    rows = session.connection().execute(statement)
    return {row.issuer_id: Boxes(**{box: row._mapping[box] for box in BOX.values()}) for row in rows}


def _late_by_audience(session: Session, today: date, past: set[int]) -> dict[tuple[str, Role], int]:
    """Number of overdue tasks by agency and role: as owner, as supervisor, as the plan's issuer. Those of plans in
    ``past`` bring no letter; the monitor is asked to end such a plan. Nor do those past ``REACH`` bring an owner one.
    Plans are joined here and not in SQL: with statistics SQLite's planner began with the plans and walked all their
    assignments."""
    a, issuers = table(Assignment), _issuers(session)
    old = and_(a.c.due_on < today - REACH, a.c.promised_on.is_(None)).label("old")
    group = (a.c.plan_id, a.c.agency_id, a.c.supervisor_id, a.c.request, old)
    statement = select(*group, func.count()).where(unfinished(), still_asked(), a.c.due_on < today).group_by(*group)
    counted: Counter[tuple[str, Role]] = Counter()
    for plan_id, agency_id, supervisor_id, request, too_old, count in session.connection().execute(statement):
        if plan_id in issuers and plan_id not in past:
            counted[agency_id, Role.COORDINATOR] += 0 if too_old else count
            counted[supervisor_id, Role.MONITOR] += count
            if not request:
                counted[issuers[plan_id], Role.LEADERSHIP] += count
    return counted


def is_first_of_month(day: date, policy: Policy, calendar: WorkCalendar) -> bool:
    """True for a digest whose week before had its own in another month: it also lists what stands still."""
    before = digest_day(day - WEEK, policy, calendar)
    return before is None or before.month != day.month


def _with_news(
    session: Session, today: date, past: set[int], policy: Policy, calendar: WorkCalendar
) -> set[str] | None:
    """The issuers of plans in which something changed since the week before: their leadership reads of it. None in the
    first digest of a month, which every leadership with overdue work gets."""
    if is_first_of_month(today, policy, calendar):
        return None
    told = told_until(today, policy, calendar)
    return {each.issuer_id for each in changes(session, told + ONE_DAY, today, past) if not each.request}


def monitors_standing_in(session: Session, departments: Collection[str], today: date) -> frozenset[int]:
    """The contacts who read what a monitor would at a department that has none: as with escalations, its coordinator,
    else its head."""
    recipients = read_recipients(session, departments)
    found = (each for department in departments for each in recipients.on(department, Role.MONITOR, today))
    return frozenset(each.id for each in found if each.role is not Role.MONITOR)


def _departments(session: Session) -> set[str]:
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
) -> dict[int, int | None]:
    """Mark each recipient's letter of the day as containing the digest; contact id -> letter id."""
    letters = table(Letter)
    placed: dict[int, int | None] = {}
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
            update(letters).where(letters.c.id.in_([each for each in placed.values() if each])).values(digest_week=week)
        )
    return placed
