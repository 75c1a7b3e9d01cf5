"""What each window says is overdue: the same tasks, or as many, in all of them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime

from ground.factory import rows
from sqlmodel import Session

from engine.assignments import told, weekly_digest
from engine.queries.directory import list_agencies
from engine.queries.figures.board import board
from engine.queries.figures.outlook import outlook
from engine.queries.figures.plan_progress import standing
from engine.queries.figures.plans import list_plans
from engine.queries.time_class import Today, read_today
from engine.queries.work import overdue
from engine.queries.work.assignments import AssignmentFilter, list_assignments
from engine.queries.work.desk import desk
from engine.queries.work.report_page import report_page
from engine.rules.situation import Owed, Situation, is_past, situation
from engine.store.database import Database
from engine.store.records import Assignment
from engine.terms import PlanState, Role, TimeClass
from engine.views.prometheus import render
from workflows.projection.shown_runs import Moment, Shown, rows_of, state_of

LATE = AssignmentFilter(classes=(TimeClass.OPEN_OVERDUE,))
MANY = 500


def disagreements(database: Database, now: datetime) -> list[str]:
    """Windows that show other overdue tasks than those of the table, or another number of them."""
    tasks = rows(database, Assignment)
    with database.read() as session:
        today = read_today(session, now)
        late = {task.id for task in tasks if _of(task, today).box is TimeClass.OPEN_OVERDUE}
        orders = len(late & {task.id for task in tasks if not task.request})
        shown = {name: found for name, found in _lists(session, today, tasks) if found != late}
        everything = sum(agency.overdue for agency in list_agencies(session, today, limit=MANY).rows)
        counted = {"agencies": everything - len(late) + orders} if everything != len(late) else {}
        counted |= {name: n for name, n in _numbers(session, today) if n != orders}
    return [f"{name}: {found}, not {late}" for name, found in shown.items()] + [
        f"{name}: {n}, not {orders}" for name, n in counted.items()
    ]


def _of(task: Assignment, today: Today) -> Situation:
    return situation(task, today.day)


def _lists(session: Session, today: Today, tasks: list[Assignment]) -> Iterator[tuple[str, set[int | None]]]:
    yield "list", {row.id for row in list_assignments(session, today, LATE, limit=MANY).rows}
    found = overdue.overdue(session, today, AssignmentFilter())
    yield "overdue page", {row.assignment.id for agency in found.agencies for row in agency.rows}
    agencies = {task.agency_id for task in tasks}
    desks = [section for agency in agencies for section in desk(session, today, agency).sections]
    yield "desks", {row.id for each in desks for row in each.rows if row.time_class is TimeClass.OPEN_OVERDUE}
    by_issuer = weekly_digest.overdue(session, today.day, agencies=agencies)
    yield "weekly letters", {row.assignment_id for row in by_issuer}
    sheets = {(task.agency_id, task.plan_id, task.period) for task in tasks if _of(task, today).box is not None}
    items = [item for sheet in sheets for item in report_page(session, today, *sheet).items]
    yield "report pages", {item.row.id for item in items if item.late_on(today.day) and item.row.not_asked_on is None}
    runs = {row.id: state_of(row, Moment(today.day)) for row in rows_of(session, [int(task.id or 0) for task in tasks])}
    waits = {task.id for task in tasks if not is_past(_of(task, today).until, today.day)}
    late_runs: set[int | None] = {id_ for id_, state in runs.items() if state.name == "Late"}
    yield "Prefect", late_runs | {id_ for id_ in waits if _overdue_by_its_due_date(tasks, id_, today)}


def _overdue_by_its_due_date(tasks: list[Assignment], id_: int | None, today: Today) -> bool:
    """Promised for a day to come: its run waits for that day, and every list says so beside it."""
    task = next(task for task in tasks if task.id == id_)
    return _of(task, today).box is TimeClass.OPEN_OVERDUE and task.promised_on is not None


def late_runs(database: Database, now: datetime) -> tuple[int, int]:
    """How many runs of what is ordered are Late in Prefect or, overdue, wait for a promised day; and how many the board
    counts as overdue."""
    with database.read() as session:
        today = read_today(session, now)
        tasks = rows_of(session, [task.id or 0 for task in rows(database, Assignment, request=False)])
        hoped = [task for task in tasks if _hoped_for(task, today.day)]
        late = [task for task in tasks if state_of(task, Moment(today.day)).name == "Late"]
        return len(late) + len(hoped), board(session, today, AssignmentFilter()).total.overdue


def _hoped_for(task: Shown, day: date) -> bool:
    now = situation(task, day)
    return now.box is TimeClass.OPEN_OVERDUE and not is_past(now.until, day)


def _numbers(session: Session, today: Today) -> Iterator[tuple[str, int]]:
    """Of what is ordered."""
    yield "board", board(session, today, AssignmentFilter()).total.overdue
    yield "bar", overdue.counted_overdue(session, today)
    yield "leadership", sum(each.overdue for each in outlook(session, today).behind)
    yield "leadership's boxes", outlook(session, today).now.total.overdue
    yield "standing", standing(session, today.day).total.overdue
    figures = told.counted(session, today.now)
    yield "figures of the letter", sum(f.total.overdue for (role, _), f in figures.items() if role is Role.LEADERSHIP)
    plans = list_plans(session, today).rows
    yield "plans", sum(plan.counts.overdue for plan in plans if plan.state is PlanState.ACTIVE)
    lines = render(session, today.now, {}).decode().splitlines()
    metric = 'dondoc_assignments{class="open_overdue",kind="order"}'
    yield "metrics", int(float(next(line.split()[-1] for line in lines if line.startswith(metric))))


def asked_for_nothing(database: Database, now: datetime) -> list[str]:
    """Tasks that nobody owes, and for which somebody is yet to be reminded; and open ones without a reason why not."""
    with database.read() as session:
        today = read_today(session, now)
    wrong = []
    for task in rows(database, Assignment):
        owes = _of(task, today).owner_owes is not Owed.NOTHING
        if task.next_action_at is not None and not owes:
            wrong.append(f"{task.id} {task.state.value} is looked at again, though nobody owes it")
        if owes and task.next_action_at is None and task.quiet is None:
            wrong.append(f"{task.id} {task.state.value} has no next step, and nothing says why")
    return wrong
