"""Correct the year of a plan that was loaded or activated for the wrong one.

What nobody has reported of periods that the plan does not have in its right years is cancelled, with a notice to its
owners; the periods of the right years open in the next pass. What was reported stays. The duties, their words and their
single dates are those of the document and do not change.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select, update
from sqlmodel import Session

from engine.assignments.escalation import run_escalations
from engine.assignments.lifecycle import cancel
from engine.assignments.measures import unfinished
from engine.assignments.opening import open_due, planned
from engine.errors import BadInput, Conflict, FileRefused, NotFound
from engine.files.plan import ONCE, PlanFile, year_mistakes
from engine.files.plan_year import PlanYear, Years, plan_year
from engine.files.stored_plan import document_body, plan_body
from engine.files.yaml_reader import dump, read
from engine.rules.calendar import WorkCalendar
from engine.rules.policy import Policy
from engine.store.content_digest import content_digest
from engine.store.database import Database, table
from engine.store.event_log import record
from engine.store.named_rows import object_of
from engine.store.records import Assignment, Letter, Plan
from engine.store.rulebook import read_rulebook
from engine.store.stored_rows import StoredPlan, select_plans
from engine.terms import EventKind, PlanState
from engine.text import Text


@dataclass(frozen=True, kw_only=True)
class YearChange:
    """What a correction comes to: assignments ``cancelled``, those that would open at once, letters about both."""

    was: PlanYear
    becomes: PlanYear
    cancelled: int
    opened: int
    letters: int


def correct_years(
    session: Session, plan_id: int, years: Years, *, reason: str, actor: str, now: datetime
) -> tuple[PlanYear, int]:
    """Change the years of a plan that is loaded or active; returns its year as it was and how many assignments were
    cancelled. Raises BadInput for years that do not fit its issue or hold none of its reports; NotFound, Conflict."""
    if not reason.strip():
        raise BadInput(Text("Cần ghi lý do sửa năm.", "Say why the year is corrected."))
    p = table(Plan)
    row = session.connection().execute(select_plans().where(p.c.id == plan_id).with_for_update()).first()
    if row is None:
        raise NotFound(Text(f"Không có kế hoạch số {plan_id}.", f"There is no plan {plan_id}."))
    plan = object_of(StoredPlan, row)
    if plan.state is PlanState.ENDED:
        raise Conflict(Text("Kế hoạch này đã kết thúc rồi.", "This plan has already ended."))
    was = PlanFile.model_validate(plan.file)
    file = _with_years(was, years)
    body, active = plan_body(file), plan.state is PlanState.ACTIVE
    values = {"year": file.year, "file": body, "digest": content_digest(document_body(file))}
    session.connection().execute(
        update(p).where(p.c.id == plan_id).values(**values, **({"next_open_at": now} if active else {}))
    )
    cancelled = 0
    if active:
        book = read_rulebook(session)
        after = StoredPlan(**{name: getattr(plan, name) for name in StoredPlan.__slots__} | {"file": body})
        for assignment_id in _not_of(session, after, book.policy(plan.policy_id), book.calendar):
            cancel(
                session, assignment_id, reason=f"Kế hoạch của năm {file.years}: {reason.strip()}", actor=actor, now=now
            )
            cancelled += 1
    record(
        session,
        EventKind.PLAN_YEARS_CORRECTED,
        now,
        actor=actor,
        plan_id=plan_id,
        was=was.years,
        years=file.years,
        reason=reason.strip(),
        cancelled=cancelled,
    )
    return plan_year(was), cancelled


def rehearse_years(database: Database, plan_id: int, years: Years, *, now: datetime) -> YearChange:
    """Dry run: correct, open and escalate in a transaction that is rolled back; gives the exact numbers."""
    a, m, p = table(Assignment), table(Letter), table(Plan)
    with database.rehearse() as session:
        connection = session.connection()
        last_letter = connection.scalar(select(func.max(m.c.id))) or 0
        last_assignment = connection.scalar(select(func.max(a.c.id))) or 0
        was, cancelled = correct_years(session, plan_id, years, reason="-", actor="system", now=now)
        while open_due(session, now) >= 0:
            pass
        book = read_rulebook(session)
        while run_escalations(session, book, now, limit=5000).seen == 5000:
            pass
        return YearChange(
            was=was,
            becomes=plan_year(PlanFile.model_validate(connection.scalar(select(p.c.file).where(p.c.id == plan_id)))),
            cancelled=cancelled,
            opened=connection.scalar(select(func.count()).where(a.c.id > last_assignment)) or 0,
            letters=connection.scalar(select(func.count()).where(m.c.id > last_letter)) or 0,
        )


def _with_years(plan: PlanFile, years: Years) -> PlanFile:
    """The plan of other years, checked as a file is."""
    if (plan.year, plan.last_year) == (years.first, years.last):
        raise BadInput(Text("Không có gì thay đổi.", "Nothing changes."))
    changed = plan.model_copy(update={"year": years.first, "last_year": years.last})
    try:
        return read(dump(changed), PlanFile, also=year_mistakes)
    except FileRefused as refused:
        wrong = refused.problems[0]
        raise BadInput(Text.joined("; ", (wrong.what, wrong.fix))) from None


def _not_of(session: Session, plan: StoredPlan, policy: Policy, calendar: WorkCalendar) -> list[int]:
    """Unfinished assignments of periods that the plan does not have."""
    a = table(Assignment)
    owed = {opening.key for opening in planned(session, plan, policy, calendar)}
    statement = select(a.c.id, a.c.duty_id, a.c.period).where(a.c.plan_id == plan.id, unfinished(), a.c.period != ONCE)
    rows = session.connection().execute(statement.order_by(a.c.id))
    return [row.id for row in rows if (row.duty_id, row.period) not in owed]
