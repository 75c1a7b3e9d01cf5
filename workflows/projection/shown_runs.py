"""What Prefect shows of an assignment: a flow run that is kept without any process, its name, tags and state.

========================  ==============================================================================
ours                      Prefect's state
========================  ==============================================================================
assigned                  Scheduled for the end of its due day: Prefect's server turns it Late by itself
acknowledged              Running «Đã xác nhận», and Late from the day after its due day
returned, promised,       AwaitingRetry, for the end of its due or promised day; Late after it
reported unfinished
done, to be accepted      Pending «Chờ tiếp nhận»
done, accepted            Completed
cancelled, transferred,   Cancelled
not asked for any more
========================  ==============================================================================

Where the clock is not Prefect's (the demonstration) nothing is *Scheduled* under that name, so that the server turns
nothing Late: the projector does.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import groupby
from typing import Any

from sqlalchemy import Select, func, or_, select
from sqlmodel import Session

from engine.assignments import situations
from engine.rules.calendar import PLAN_TIME
from engine.rules.situation import Action, Owed, Situation, is_past, situation
from engine.rules.words import period_words
from engine.store.database import among, table
from engine.store.records import Agency, Assignment, Duty, Plan
from engine.store.stored_rows import objects
from engine.terms import PlanState, State, TimeClass

FLOW = "dondoc-duty"
MAX_NAME_CHARS = 180


@dataclass(frozen=True, slots=True)
class RunState:
    """``type``: one of Prefect's; ``name``: shown instead of it; ``at``: the time for which a run is scheduled."""

    type: str
    name: str
    at: datetime | None = None

    def json(self) -> dict[str, Any]:
        details = {"scheduled_time": self.at.isoformat()} if self.at else {}
        return {"type": self.type, "name": self.name, "state_details": details}


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownRun:
    """``key``: of an assignment, or of a duty of one period where a plan has too many; the same run for ever."""

    key: str
    name: str
    tags: tuple[str, ...]
    parameters: Mapping[str, Any]
    state: RunState


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """An assignment, as far as its run depends on it."""

    id: int
    plan_id: int
    plan: str
    plan_state: PlanState
    duty_id: int
    citation: str
    period: str
    agency_id: str
    agency: str
    supervisor_id: str
    state: State
    due_on: date | None
    done_on: date | None
    promised_on: date | None
    not_asked_on: date | None
    many: bool = False
    """Whether its plan has so many in this period that a run stands for all owners of a duty."""


@dataclass(frozen=True, slots=True)
class Moment:
    """``day``: by our clock. ``own_clock``: whether it is another than Prefect's."""

    day: date
    own_clock: bool = False


def rows_of(session: Session, ids: Collection[int]) -> list[Shown]:
    """Assignments by id."""
    return objects(Shown, session.connection().execute(_rows().where(among(session, table(Assignment).c.id, ids))))


def rows_to_show(session: Session, ids: Collection[int], most: int) -> list[Shown]:
    """Assignments by id; where a plan has more than ``most`` in a period, all those of the same duties and period."""
    found = rows_of(session, ids)
    large = _large(session, {row.plan_id for row in found}, most)
    together = {(row.duty_id, row.period) for row in found if (row.plan_id, row.period) in large}
    if not together:
        return found
    duties = {duty_id for duty_id, _ in together}
    of_duties = _rows().where(among(session, table(Assignment).c.duty_id, duties))
    whole = objects(Shown, session.connection().execute(of_duties), many=True)
    alone = [row for row in found if (row.duty_id, row.period) not in together]
    return alone + [row for row in whole if (row.duty_id, row.period) in together]


def open_ids(session: Session, after: int, limit: int) -> list[int]:
    """Ids of assignments of running plans that are not done, or whose report waits to be accepted, in order."""
    a, p = table(Assignment), table(Plan)
    statement = (
        select(a.c.id)
        .join(p, p.c.id == a.c.plan_id)
        .where(p.c.state == PlanState.ACTIVE, a.c.id > after)
        .where(or_(situations.unfinished(), situations.can(Action.ACCEPT)))
    )
    return list(session.connection().scalars(statement.order_by(a.c.id).limit(limit)))


def ids_of_plans(session: Session, plan_ids: Collection[int]) -> list[int]:
    """Ids of all assignments of plans, in order."""
    a = table(Assignment)
    statement = select(a.c.id).where(among(session, a.c.plan_id, plan_ids)).order_by(a.c.id)
    return list(session.connection().scalars(statement))


def runs(rows: Iterable[Shown], moment: Moment, installation: str, base_url: str) -> list[ShownRun]:
    """One run an assignment; of a plan with too many, one a duty and period, in the state of its furthest behind."""
    ordered = sorted(rows, key=lambda row: (row.many, row.duty_id, row.period, row.id))
    shown = []
    for (many, duty_id, period), same in groupby(ordered, key=lambda row: (row.many, row.duty_id, row.period)):
        if many:
            shown.append(_of_duty(list(same), moment, f"{installation}:duty:{duty_id}:{period}", base_url))
        else:
            shown += [_of_assignment(row, moment, f"{installation}:assignment:{row.id}", base_url) for row in same]
    return shown


def state_of(row: Shown, moment: Moment) -> RunState:
    """The state of an assignment's run: what is waited for, from whom, until when (``engine.rules.situation``)."""
    now = situation(row, moment.day)
    return _settled(row, now) or _waited_for(row, now, moment)


def _settled(row: Shown, now: Situation) -> RunState | None:
    """Of a task from whose owner nothing is waited for; None if something is."""
    match now.box:
        case None:
            return RunState("CANCELLED", "Đã hủy" if row.state is State.CANCELLED else "Đã chuyển giao")
        case TimeClass.NOT_ASKED:
            ended = row.plan_state is PlanState.ENDED
            return RunState("CANCELLED", "Kế hoạch đã kết thúc" if ended else "Không còn yêu cầu báo cáo")
        case TimeClass.DONE_ON_TIME | TimeClass.DONE_LATE:
            waits = now.department_owes is Owed.ACCEPTANCE
            return RunState("PENDING", "Chờ tiếp nhận") if waits else RunState("COMPLETED", "Completed")
    return None


def _waited_for(row: Shown, now: Situation, moment: Moment) -> RunState:
    if is_past(now.until, moment.day):
        return RunState("SCHEDULED", "Late", _end_of(now.until))
    again = now.owner_owes is not Owed.REPORT or now.until != row.due_on
    if row.state is State.ACKNOWLEDGED and not again:
        return RunState("RUNNING", "Đã xác nhận")
    if now.until is None:
        return RunState("PENDING", "Không có hạn")
    first = "Đã giao" if moment.own_clock else "Scheduled"
    return RunState("SCHEDULED", "AwaitingRetry" if again else first, _end_of(now.until))


_WORST_FIRST = ("Late", "AwaitingRetry", "Scheduled", "Đã giao", "Đã xác nhận", "Không có hạn", "Chờ tiếp nhận")


def _of_assignment(row: Shown, moment: Moment, key: str, base_url: str) -> ShownRun:
    name = f"{row.plan} {row.citation} · {row.agency} · {period_words(row.period, 'vi')}"
    return ShownRun(
        key=key,
        name=name[:MAX_NAME_CHARS],
        tags=("dondoc", row.plan, f"{row.plan} {row.citation}", row.agency_id, f"theo dõi: {row.supervisor_id}"),
        parameters={"page": f"{base_url}/assignments/{row.id}", "period": row.period},
        state=state_of(row, moment),
    )


def _of_duty(rows: list[Shown], moment: Moment, key: str, base_url: str) -> ShownRun:
    first, states = rows[0], [state_of(row, moment) for row in rows]
    name = f"{first.plan} {first.citation} · {len(rows)} cơ quan · {period_words(first.period, 'vi')}"
    return ShownRun(
        key=key,
        name=name[:MAX_NAME_CHARS],
        tags=("dondoc", first.plan, f"{first.plan} {first.citation}", f"theo dõi: {first.supervisor_id}"),
        parameters={"page": f"{base_url}/assignments?plan={first.plan_id}&period={first.period}"},
        state=min(states, key=lambda state: (_rank(state), state.at or datetime.max.replace(tzinfo=PLAN_TIME))),
    )


def _rank(state: RunState) -> int:
    return _WORST_FIRST.index(state.name) if state.name in _WORST_FIRST else len(_WORST_FIRST)


def _end_of(day: date | None) -> datetime:
    """The midnight after a day, plan time."""
    assert day is not None
    return datetime.combine(day + timedelta(days=1), time(), PLAN_TIME)


def _rows() -> Select[Any]:
    a, d, p, g = table(Assignment), table(Duty), table(Plan), table(Agency)
    agency = func.coalesce(func.nullif(g.c.short, ""), g.c.name).label("agency")
    columns = (a.c.id, a.c.plan_id, a.c.duty_id, a.c.period, a.c.agency_id, a.c.supervisor_id, a.c.state, a.c.due_on)
    return (
        select(*columns, a.c.done_on, a.c.promised_on, a.c.not_asked_on, agency, d.c.citation)
        .add_columns(p.c.number.label("plan"), p.c.state.label("plan_state"))
        .join(d, d.c.id == a.c.duty_id)
        .join(p, p.c.id == a.c.plan_id)
        .join(g, g.c.id == a.c.agency_id)
    )


def _large(session: Session, plan_ids: Collection[int], most: int) -> frozenset[tuple[int, str]]:
    """Plans and periods with more than ``most`` assignments. Counted whatever became of them, so that a period which
    opened so stays so."""
    a = table(Assignment)
    counted = (
        select(a.c.plan_id, a.c.period)
        .where(among(session, a.c.plan_id, plan_ids))
        .group_by(a.c.plan_id, a.c.period)
        .having(func.count() > most)
    )
    return frozenset((plan_id, period) for plan_id, period in session.connection().execute(counted))
