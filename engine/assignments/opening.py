"""Opening assignments: duty × owner agency × period, when a period comes within the policy's horizon.

A plan has ``next_open_at``, so a tick without a plan to open costs one index lookup. A period of a duty is opened once,
for its owners of that day: who becomes an owner later gets what an amendment or a succession gives them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import func, select, update
from sqlmodel import Session

from engine.assignments import weekly_digest
from engine.assignments.escalation import run_escalations
from engine.assignments.handover import instead_of, require_existing_owners
from engine.assignments.lifecycle import open_new, supervisor_of
from engine.errors import BadInput, Conflict, NotFound
from engine.files.plan import DuePeriod, PlanFile, due_periods
from engine.files.plan_renewal import PlanYear, plan_year
from engine.files.stored_plan import with_cadences, with_days
from engine.rules.calendar import ONE_DAY, Due, WorkCalendar, instant, local_date, written
from engine.rules.periods import Cadence, days_ahead
from engine.rules.policy import Policy
from engine.rules.situation import is_past
from engine.store.database import Database, table
from engine.store.event_log import record
from engine.store.records import Assignment, Duty, Letter, Plan
from engine.store.rulebook import Rulebook, read_rulebook, store_ladder
from engine.store.stored_rows import StoredPlan, columns_for, object_of, objects, select_plans
from engine.terms import EventKind, PastPeriods, PlanState, State
from engine.text import Text


@dataclass(frozen=True, slots=True)
class PlannedDuty:
    """A duty as it is stored."""

    id: int
    citation: str
    owners: list[str]
    request: bool


@dataclass(frozen=True, slots=True)
class Opening:
    """A duty, one of its periods, and the local date on which its assignments open."""

    duty: PlannedDuty
    due_period: DuePeriod
    opens_on: date

    @property
    def key(self) -> tuple[int, str]:
        return self.duty.id, self.due_period.period.key


@dataclass(frozen=True, kw_only=True)
class Choices:
    """What the office chooses at activation. ``cadences``: by citation, where the plan leaves a choice. ``days``: of
    reports, as typed, by the rule for which the document names none. ``past``: what becomes of periods that are over
    already."""

    cadences: Mapping[str, Cadence] = field(default_factory=dict)
    days: Mapping[str, str] = field(default_factory=dict)
    past: PastPeriods = PastPeriods.EXTEND
    rehearsed: bool = False
    """Days may still be missing."""


def activate(session: Session, plan_id: int, *, actor: str, now: datetime, choices: Choices | None = None) -> None:
    """Activate a loaded plan; the next opening pass opens the assignments within its horizon. Raises Conflict if an
    owner has ended, naming its successors; BadInput where a choice is wrong, or a day is still to be named."""
    choices = choices or Choices()
    plans = table(Plan)
    changed = session.connection().execute(
        update(plans)
        .where(plans.c.id == plan_id, plans.c.state == PlanState.LOADED)
        .values(state=PlanState.ACTIVE, activated_at=now, past_periods=choices.past, next_open_at=now)
    )
    if changed.rowcount != 1:
        state = session.connection().scalar(select(plans.c.state).where(plans.c.id == plan_id))
        if state is None:
            raise NotFound(Text(f"Không có kế hoạch số {plan_id}.", f"There is no plan {plan_id}."))
        raise Conflict(Text("Kế hoạch này đã được kích hoạt rồi.", "This plan has already been activated."))
    require_existing_owners(session, plan_id, local_date(now))
    _choose(session, plan_id, choices)
    record(
        session,
        EventKind.PLAN_ACTIVATED,
        now,
        actor=actor,
        plan_id=plan_id,
        key=f"plan:{plan_id}:activated",
        cadences={citation: cadence.value for citation, cadence in choices.cadences.items()},
        days=dict(choices.days),
        past=choices.past.value,
    )


def _choose(session: Session, plan_id: int, choices: Choices) -> None:
    """Keep what was chosen with the plan. Its digest stays that of the document, so that loading the same file again
    changes nothing."""
    plans, duties = table(Plan), table(Duty)
    connection = session.connection()
    body = connection.scalars(select(plans.c.file).where(plans.c.id == plan_id)).one()
    chosen = with_days(with_cadences(body, choices.cadences), choices.days)
    open_ = PlanFile.model_validate(chosen).days_to_ask
    if open_ and not choices.rehearsed:
        raise BadInput(
            Text(
                f"Kế hoạch không nêu ngày báo cáo: còn {len(open_)} ngày phải chọn trước khi kích hoạt "
                f"({', '.join(open_)}).",
                f"The plan names no day of reports: choose the day of {', '.join(open_)} before activating.",
            )
        )
    if chosen == body:
        return
    connection.execute(update(plans).where(plans.c.id == plan_id).values(file=chosen))
    for citation, cadence in choices.cadences.items():
        of_plan = duties.c.plan_id == plan_id, duties.c.citation == citation
        connection.execute(update(duties).where(*of_plan).values(cadence=[cadence.value]))


@dataclass(frozen=True, slots=True)
class Departure:
    """Letters that leave at one moment, and to how many people."""

    at: datetime
    letters: int
    people: int


@dataclass(frozen=True, kw_only=True)
class Activation:
    """The immediate effect of activating a plan."""

    assignments: Mapping[str, int]
    """Period -> number of assignments that would open now."""
    past: int
    """Assignments of periods whose due date has passed already, whatever becomes of them."""
    resubmit_days: int
    """Working days until the new due date of those."""
    overdue: int
    """How many of those opened would already be overdue."""
    letters: int
    """Letters that would leave at once; at most one per person."""
    people: int
    next: Departure | None
    """The letters that would leave next, if nobody acts before; None if none is in sight."""
    year: PlanYear
    """The plan's year, with its first and last period, by the cadences chosen."""
    opens_next: date | None = None
    """The day on which the next period would open; None if there is none."""
    first_due: date | None = None
    """The first due date that has not passed, of ``first_due_count`` of the assignments."""
    first_due_count: int = 0


def rehearse(database: Database, plan_id: int, now: datetime, choices: Choices | None = None) -> Activation:
    """Dry run: activate, open, escalate and digest in a transaction that is rolled back; gives the exact numbers."""
    a, m = table(Assignment), table(Letter)
    with database.rehearse() as session:
        before = session.connection().scalar(select(func.max(m.c.id))) or 0
        activate(session, plan_id, actor="system", now=now, choices=replace(choices or Choices(), rehearsed=True))
        past, resubmit_days = _of_past_periods(session, plan_id, local_date(now))
        while open_due(session, now) >= 0:
            pass
        book = read_rulebook(session)
        while run_escalations(session, book, now, limit=5000).seen == 5000:
            pass
        if weekly_digest.is_owed(session, now):  # in the first week of an office
            weekly_digest.make(session, now)
        rows = (
            session.connection()
            .execute(
                select(a.c.period, a.c.due_on, func.count())
                .where(a.c.plan_id == plan_id)
                .group_by(a.c.period, a.c.due_on)
            )
            .all()
        )
        periods: dict[str, int] = {}
        for period, _, count in rows:
            periods[period] = periods.get(period, 0) + count
        today = local_date(now)
        ahead = [(due_on, count) for _, due_on, count in rows if due_on and not is_past(due_on, today)]
        first_due = min((due_on for due_on, _ in ahead), default=None)
        queued = _queued(session, before)
        leaving = [contact_id for send_after, contact_id in queued if send_after <= now]
        overdue = sum(count for _, due_on, count in rows if is_past(due_on, today))
        p = table(Plan)
        plan = session.connection().execute(select(p.c.next_open_at, p.c.file).where(p.c.id == plan_id)).one()
        return Activation(
            assignments=periods,
            past=past,
            resubmit_days=resubmit_days,
            overdue=overdue,
            letters=len(leaving),
            people=len(set(leaving)),
            next=_next_departure(session, book, plan_id, before, now),
            year=plan_year(PlanFile.model_validate(plan.file)),
            opens_next=local_date(plan.next_open_at) if plan.next_open_at else None,
            first_due=first_due,
            first_due_count=sum(count for due_on, count in ahead if due_on == first_due),
        )


def _of_past_periods(session: Session, plan_id: int, today: date) -> tuple[int, int]:
    """``Activation.past`` and ``resubmit_days``."""
    row = session.connection().execute(select_plans().where(table(Plan).c.id == plan_id)).one()
    plan, book = object_of(StoredPlan, row), read_rulebook(session)
    policy = book.policy(plan.policy_id)
    openings = _all_periods(session, plan, policy, book.calendar)
    return sum(len(each.duty.owners) for each in openings if each.due_period.due.on < today), policy.resubmit_days


def _queued(session: Session, before: int) -> list[tuple[datetime, int]]:
    """(when it leaves, contact) of the letters with ids after ``before``."""
    m = table(Letter)
    rows = session.connection().execute(select(m.c.send_after, m.c.contact_id).where(m.c.id > before))
    return [(send_after, contact_id) for send_after, contact_id in rows]


def _next_departure(session: Session, book: Rulebook, plan_id: int, before: int, now: datetime) -> Departure | None:
    """What leaves after ``now``: letters that are queued for a later moment, else those of the plan's next rungs, for
    which the pass runs at their moment. To be rolled back."""
    later = [each for each in _queued(session, before) if each[0] > now]
    if not later:
        a = table(Assignment)
        of_plan = (a.c.plan_id == plan_id, a.c.next_action_at > now)
        moment = session.connection().scalar(select(func.min(a.c.next_action_at)).where(*of_plan))
        if moment is None:
            return None
        ids = session.connection().scalars(select(a.c.id).where(a.c.plan_id == plan_id, a.c.next_action_at <= moment))
        due = ids.all()
        run_escalations(session, book, moment, limit=len(due), ids=due)
        later = [each for each in _queued(session, before) if each[0] > now]
    leaves = min((send_after for send_after, _ in later), default=None)
    if leaves is None:
        return None
    people = [contact_id for send_after, contact_id in later if send_after == leaves]
    return Departure(leaves, len(people), len(set(people)))


def open_due(session: Session, now: datetime) -> int:
    """Open what is due in one active plan; returns how many assignments are new, -1 if no plan is due."""
    plans = table(Plan)
    statement = (
        select_plans()
        .where(plans.c.next_open_at.is_not(None), plans.c.next_open_at <= now)
        .order_by(plans.c.next_open_at, plans.c.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    row = session.connection().execute(statement).first()
    if row is None:
        return -1
    plan = object_of(StoredPlan, row)
    book = read_rulebook(session)
    policy = book.policy(plan.policy_id)
    openings = planned(session, plan, policy, book.calendar)
    today, open_already = local_date(now), opened_periods(session, plan.id)
    due = [each for each in openings if each.opens_on <= today and each.key not in open_already]
    opened = _open(session, plan, due, policy, book, now)
    later = min((each.opens_on for each in openings if each.opens_on > today), default=None)
    next_open_at = None if later is None else instant(later, policy.decide_at)
    session.connection().execute(update(plans).where(plans.c.id == plan.id).values(next_open_at=next_open_at))
    return opened


def opened_periods(session: Session, plan_id: int) -> set[tuple[int, str]]:
    """(duty id, period) of what has been opened in a plan, whoever owes it."""
    a = table(Assignment)
    statement = select(a.c.duty_id, a.c.period).where(a.c.plan_id == plan_id).distinct()
    return {(duty_id, period) for duty_id, period in session.connection().execute(statement)}


def planned(session: Session, plan: StoredPlan, policy: Policy, calendar: WorkCalendar) -> list[Opening]:
    """All periods of a plan's duties that are asked for, with the day on which each opens."""
    skipped = plan.activated_at is not None and plan.past_periods is PastPeriods.SKIP
    first = local_date(plan.activated_at) if plan.activated_at and skipped else date.min
    return [each for each in _all_periods(session, plan, policy, calendar) if each.due_period.due.on >= first]


def _all_periods(session: Session, plan: StoredPlan, policy: Policy, calendar: WorkCalendar) -> list[Opening]:
    file = PlanFile.model_validate(plan.file)
    d = table(Duty)
    statement = select(*columns_for(PlannedDuty, d)).where(d.c.plan_id == plan.id).order_by(d.c.position)
    duties = objects(PlannedDuty, session.connection().execute(statement))
    start = local_date(plan.activated_at) if plan.activated_at else plan.issued_on
    return [
        Opening(
            duty, each, max(start, each.due.on - timedelta(days_ahead(each.period.cadence, policy.open_days_before)))
        )
        for duty in duties
        if duty.citation in file.duties
        for each in due_periods(file, file.duties[duty.citation].duty, calendar)
    ]


def _open(
    session: Session, plan: StoredPlan, openings: list[Opening], policy: Policy, book: Rulebook, now: datetime
) -> int:
    urgent = plan.urgency.urgent
    ladders = {
        request: store_ladder(session, policy.ladder(request=request, urgent=urgent)) for request in (False, True)
    }
    today, late = local_date(now), plan.past_periods is PastPeriods.OVERDUE
    rows = [
        _assignment(plan, opening, due, agency_id, ladders[opening.duty.request], now)
        for opening in openings
        for planned_due in [opening.due_period.due]
        for due in [planned_due if late else not_past(planned_due, policy, book.calendar, today)]
        for agency_id in opening.duty.owners
    ]
    if plan.followed and rows:
        _say_who_is_followed(session, plan, rows)
    return open_new(session, rows, now)


def _say_who_is_followed(session: Session, plan: StoredPlan, rows: Iterable[dict[str, Any]]) -> None:
    """The first time that a successor is asked for anything of the plan, it reads in whose place and why."""
    a = table(Assignment)
    of_plan = select(a.c.agency_id).where(a.c.plan_id == plan.id).distinct()
    asked_before = set(session.connection().scalars(of_plan))
    why: dict[str, Text] = {}
    for each in plan.followed.values():
        text = instead_of(each["name"], date.fromisoformat(each["on"]) - ONE_DAY, each["basis"])
        why |= {heir: text for heir in each["by"] if heir not in asked_before}
    for row in rows:
        if row["agency_id"] in why:
            followed, due = why[row["agency_id"]], row["due_why"]
            row["due_why"] = {
                "vi": f"{followed.vi}; {due.get('vi', '')}",
                "en": f"{followed.en}; {due.get('en', '')}",
            }


def not_past(due: Due, policy: Policy, calendar: WorkCalendar, today: date) -> Due:
    """A due date that has passed when it is first asked for gives the policy's ``resubmit_days`` from then on."""
    if due.on >= today:
        return due
    on = policy.resubmission(today, None, calendar)
    why = Text(
        f"giao ngày {written(today)}, sau hạn {written(due.on)}: thêm {policy.resubmit_days} ngày làm việc",
        f"assigned on {written(today, 'en')}, after the due date of {written(due.on, 'en')}: "
        f"{policy.resubmit_days} more working days",
    )
    return Due(due.nominal, on, {"vi": why.vi, "en": why.en})


def _assignment(
    plan: StoredPlan, opening: Opening, due: Due, agency_id: str, ladder_id: int, now: datetime
) -> dict[str, Any]:
    period = opening.due_period.period
    once = period.cadence is Cadence.ONCE
    return {
        "plan_id": plan.id,
        "duty_id": opening.duty.id,
        "agency_id": agency_id,
        "supervisor_id": supervisor_of(agency_id, plan.supervisor_id, plan.issuer_id),
        "period": period.key,
        "window_start": None if once else period.start,
        "window_end": None if once else period.end,
        "nominal_due": due.nominal,
        "original_due_on": opening.due_period.due.on,
        "due_on": due.on,
        "due_why": dict(due.why),
        "ladder_id": ladder_id,
        "state": State.ASSIGNED,
        "opened_at": now,
        "opened_on": local_date(now),
        "next_action_at": now,
        "level": 0,
        "request": opening.duty.request,
    }
