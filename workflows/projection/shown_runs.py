"""What Prefect shows of an assignment: a flow run that is kept without any process, its name, tags, parameters, state.

========================  ==============================================================================
ours                      Prefect's state
========================  ==============================================================================
assigned                  Scheduled for the end of its due day: Prefect's server turns it Late by itself
acknowledged              Running «Đã xác nhận», and Late from the day after its due day
returned, promised,       AwaitingRetry, for the end of its due or promised day; Late after it
reported unfinished
done, to be accepted      Completed «Chờ tiếp nhận»: nobody waits for its owner
done, accepted            Completed
cancelled, transferred,   Cancelled
not asked for any more
========================  ==============================================================================

Where the clock is not Prefect's (the demonstration) nothing is *Scheduled* under that name, so that the server turns
nothing Late: the projector does.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from textwrap import shorten
from typing import Any
from uuid import uuid4

from sqlalchemy import Select, func, or_, select
from sqlmodel import Session

from config.settings import KEPT_RUN
from engine.assignments import situations
from engine.enums import complete
from engine.rules.calendar import PLAN_TIME, instant, written
from engine.rules.policy import Facts, current, dates
from engine.rules.situation import Action, Owed, Situation, is_past, situation
from engine.rules.words import period_words, short_day
from engine.store.database import among, table
from engine.store.records import Agency, Assignment, Duty, Plan
from engine.store.rulebook import Rulebook
from engine.store.stored_rows import objects
from engine.terms import PlanState, State, TimeClass
from engine.views.next_step import Bodies, next_step

FLOW, TICK_FLOW = "dondoc-duty", "dondoc-tick"
NAME_CHARS = 180
LATE, TO_ACCEPT = "Late", "Chờ tiếp nhận"
ABOVE, LISTED = timedelta(seconds=30), timedelta(days=6)
"""Prefect's list of runs shows what was expected within a week: a Late run that is older is made again."""


@dataclass(frozen=True, slots=True)
class RunState:
    """``type``: one of Prefect's; ``name``: shown instead of it; ``at``: the time for which a run is scheduled."""

    type: str
    name: str
    at: datetime | None = None
    message: str = field(default="", compare=False)

    def json(self) -> dict[str, Any]:
        details = {"scheduled_time": self.at.isoformat()} if self.at else {}
        return {"type": self.type, "name": self.name, "message": self.message or None, "state_details": details}

    def stands(self, there: Mapping[str, Any]) -> bool:
        """Whether a run of Prefect has it. Since when it is called Late does not matter."""
        if (self.type, self.name) != (there["state_type"], there["state_name"]):
            return False
        at = there["next_scheduled_start_time"]
        return self.name == LATE or self.at == (datetime.fromisoformat(at) if at else None)

    @property
    def is_open(self) -> bool:
        """Somebody is waited for."""
        return self.type not in ("COMPLETED", "CANCELLED") or self.name == TO_ACCEPT


@dataclass(frozen=True, slots=True)
class ShownRun:
    """``key``: of an assignment, the same for ever. ``words``: name, tags, parameters. ``wanted``: it is made if it is
    not there."""

    key: str
    words: Mapping[str, Any]
    state: RunState
    wanted: bool = True

    @property
    def name(self) -> str:
        return str(self.words["name"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """An assignment, as far as its run depends on it."""

    id: int
    plan_id: int
    plan: str
    plan_state: PlanState
    policy_id: str
    duty_id: int
    citation: str
    text: str
    request: bool
    period: str
    agency_id: str
    agency: str
    agency_name: str
    supervisor_id: str
    supervisor: str
    issuer: str
    state: State
    opened_on: date
    due_on: date | None
    done_on: date | None
    promised_on: date | None
    broken_before: int
    acted_until: date | None
    not_asked_on: date | None
    next_action_at: datetime | None
    ladder_id: int


@dataclass(frozen=True, slots=True)
class Moment:
    """``day``: by our clock. ``own_clock``: whether it is another than Prefect's, which says ``there``. ``many``: there
    are so many open assignments that of those whose run is not there only what is overdue or due soon gets one;
    ``soon``: policy -> the last due date that counts as due soon."""

    day: date
    own_clock: bool = False
    there: datetime | None = None
    many: bool = False
    soon: Mapping[str, date] = field(default_factory=dict)

    def unlisted(self, since: str) -> bool:
        """Whether Prefect's list does not show a run that it places there any more."""
        return self.there is not None and datetime.fromisoformat(since) < self.there - LISTED

    def late_since(self, until: date | None) -> datetime:
        """The time of a run that is Late: the end of the day for which it was due, if Prefect's list reaches so far;
        else after this pass, so that it stands above what is shown by it."""
        ended = _end_of(until)
        if self.there is None or (not self.own_clock and ended >= self.there - LISTED):
            return ended
        return self.there + ABOVE


def rows_of(session: Session, ids: Collection[int]) -> list[Shown]:
    """Assignments by id, in order."""
    a = table(Assignment)
    return objects(Shown, session.connection().execute(_rows().where(among(session, a.c.id, ids)).order_by(a.c.id)))


def next_ids(session: Session, after: int, limit: int) -> list[int]:
    """Ids of assignments, whatever became of them, in order."""
    a = table(Assignment)
    return list(session.connection().scalars(select(a.c.id).where(a.c.id > after).order_by(a.c.id).limit(limit)))


def count_open(session: Session) -> int:
    """Of running plans, not done, or with a report that waits to be accepted."""
    a, p = table(Assignment), table(Plan)
    waits = or_(situations.unfinished(), situations.can(Action.ACCEPT))
    counted = select(func.count()).select_from(a).join(p, p.c.id == a.c.plan_id).where(p.c.state == PlanState.ACTIVE)
    return session.connection().scalar(counted.where(waits)) or 0


def ids_of_plans(session: Session, plan_ids: Collection[int]) -> list[int]:
    """Ids of all assignments of plans, in order."""
    a = table(Assignment)
    statement = select(a.c.id).where(among(session, a.c.plan_id, plan_ids)).order_by(a.c.id)
    return list(session.connection().scalars(statement))


def run_of(row: Shown, moment: Moment, book: Rulebook, installation: str, base_url: str) -> ShownRun:
    state, soon = state_of(row, moment), moment.soon.get(row.policy_id, date.min)
    urgent = situation(row, moment.day, soon).box in (TimeClass.OPEN_OVERDUE, TimeClass.DUE_SOON)
    due = f"hạn {short_day(row.due_on)}" if row.due_on else "không có hạn"
    hope = f", hẹn {short_day(row.promised_on)}" if row.promised_on else ""
    tags = {KEPT_RUN, row.plan, f"{row.plan} {row.citation}", row.agency_id, f"theo dõi: {row.supervisor_id}"}
    parameters = {
        "assignment": row.id,
        "nhiệm vụ": row.text,
        "hạn": written(row.due_on) if row.due_on else "",
        "đã hẹn": written(row.promised_on) if row.promised_on else "",
        "cơ quan": row.agency_name,
        "theo dõi": row.supervisor,
        "kỳ": period_words(row.period, "vi"),
        "trang": f"{base_url}/assignments/{row.id}",
        "lịch nhắc": [f"{short_day(on)}: {what}" for on, what in steps(row, book)],
    }
    name = shorten(f"{row.plan} {row.citation} · {row.agency} · {due}{hope} · {row.text}", NAME_CHARS, placeholder="…")
    words = {"name": name, "tags": sorted(tags), "parameters": parameters}
    return ShownRun(f"{installation}:assignment:{row.id}", words, state, state.is_open and (urgent or not moment.many))


def run_of_tick(now: datetime) -> ShownRun:
    """One that a process does, while it goes on. Its key is nobody else's."""
    words = {"name": f"{now.astimezone(PLAN_TIME):%Y-%m-%d %H:%M}", "tags": ["dondoc"]}
    return ShownRun(uuid4().hex, words, RunState("RUNNING", "Running"))


def steps(row: Shown, book: Rulebook) -> list[tuple[date, str]]:
    """All rungs of the ladder that runs, past and coming: what is done on the day if nothing is reported before."""
    facts = Facts(row.state, row.opened_on, row.due_on, row.acted_until, row.promised_on, row.broken_before)
    ladder, bodies = current(book.ladders[row.ladder_id], facts), Bodies(row.supervisor, row.issuer)
    return [
        (on, next_step(rung, bodies, "vi", request=row.request))
        for on, rung in dates(ladder, facts.opened_on, facts.chased_from, book.calendar)
        if rung.opened is None or not facts.again
    ]


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
            return (
                RunState("COMPLETED", TO_ACCEPT, message=f"chờ {row.supervisor} tiếp nhận báo cáo") if waits else DONE
            )
    return None


DONE = RunState("COMPLETED", "Completed")
WAITED: Mapping[Owed, str] = complete(
    Owed,
    {Owed.REPORT: "báo cáo", Owed.CORRECTED: "báo cáo bổ sung", Owed.REST: "làm nốt phần còn lại"},
    but=(Owed.NOTHING, Owed.ACCEPTANCE),
)


def _waited_for(row: Shown, now: Situation, moment: Moment) -> RunState:
    until = f" đến hết {written(now.until)}" if now.until else ""
    message = f"chờ {row.agency} {WAITED[now.owner_owes]}{until}"
    if is_past(now.until, moment.day):
        return RunState("SCHEDULED", LATE, moment.late_since(now.until), f"quá hạn: {message}")
    again = now.owner_owes is not Owed.REPORT or now.until != row.due_on
    if row.state is State.ACKNOWLEDGED and not again:
        return RunState("RUNNING", "Đã xác nhận", message=message)
    if now.until is None:
        return RunState("RUNNING", "Không có hạn", message=message)
    first = "Đã giao" if moment.own_clock else "Scheduled"
    return RunState("SCHEDULED", "AwaitingRetry" if again else first, _end_of(now.until), message)


def _end_of(day: date | None) -> datetime:
    """The midnight after a day, plan time."""
    assert day is not None
    return instant(day + timedelta(days=1), time())


def _rows() -> Select[Any]:
    a, d, p, g = table(Assignment), table(Duty), table(Plan), table(Agency)
    above, issuer = table(Agency, "above"), table(Agency, "issuer")
    columns = (a.c.id, a.c.plan_id, a.c.duty_id, a.c.period, a.c.agency_id, a.c.supervisor_id, a.c.state, a.c.due_on)
    work = (a.c.opened_on, a.c.done_on, a.c.promised_on, a.c.broken_before, a.c.acted_until, a.c.not_asked_on)
    return (
        select(*columns, *work, a.c.next_action_at, a.c.ladder_id, a.c.request, d.c.citation, d.c.text)
        .add_columns(p.c.number.label("plan"), p.c.state.label("plan_state"), p.c.policy_id)
        .add_columns(func.coalesce(func.nullif(g.c.short, ""), g.c.name).label("agency"), g.c.name.label("agency_name"))
        .add_columns(above.c.name.label("supervisor"), issuer.c.name.label("issuer"))
        .join(d, d.c.id == a.c.duty_id)
        .join(p, p.c.id == a.c.plan_id)
        .join(g, g.c.id == a.c.agency_id)
        .join(above, above.c.id == a.c.supervisor_id)
        .join(issuer, issuer.c.id == p.c.issuer_id)
    )
