"""How a selection of plans stands, worked out once for the leadership's page, its paper and the API: what is done and
overdue against what was last told, which agencies changed most for better and for worse, who is furthest behind, the
rate of twelve weeks, and what comes next.

Requests («Đề nghị») are in none of it but ``Standing.asked``.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, time, timedelta
from enum import StrEnum
from itertools import chain
from typing import NamedTuple

from sqlalchemy import ColumnElement, func, or_, select
from sqlmodel import Session

from engine.assignments import situations, told
from engine.assignments.situations import rate
from engine.assignments.told import Since
from engine.assignments.weekly_digest import week_of
from engine.plans.closing import PlanToEnd, plans_to_end
from engine.queries.figures.plan_progress import (
    Standing,
    counted_on,
    standings,
)
from engine.queries.time_class import Today
from engine.rules.calendar import ONE_DAY, instant, local_date
from engine.rules.policy import Facts, Ladder, applicable, is_report
from engine.rules.words import name_order
from engine.store.data_versions import Topic, ask, by_agency, depends_on, of_agencies
from engine.store.database import table, unindexed
from engine.store.records import Agency, Assignment, Plan
from engine.store.rulebook import read_ladders
from engine.store.stored_rows import object_of
from engine.terms import Quiet, State

WEEK = timedelta(days=7)
WEEKS = 12
MAX_DUE_DATES = 2
MAX_LOOKED_AT = 100_000
"""With more tasks than this the weeks and the next chasing are left out: they are read from the assignments."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Behind:
    """An agency with overdue tasks: ``overdue`` of ``expected``, the oldest due ``since``, ``late`` working days
    ago."""

    id: str
    name: str
    level: str
    overdue: int
    expected: int
    since: date
    late: int


@dataclass(frozen=True, slots=True)
class Furthest:
    """The agencies that have been overdue for longest, all since the same day; ``most``: those of them with the most
    overdue tasks, which are equally many."""

    agencies: tuple[Behind, ...]
    most: tuple[Behind, ...]

    @property
    def tied(self) -> bool:
        """Nobody is further behind than the others, not by the number of tasks either."""
        return len(self.most) == len(self.agencies) > 1


def furthest_of(behind: Sequence[Behind]) -> Furthest | None:
    """Of agencies with overdue tasks, those furthest behind first; None if nothing is overdue."""
    if not behind:
        return None
    agencies = tuple(each for each in behind if each.since == behind[0].since)
    return Furthest(agencies, tuple(each for each in agencies if each.overdue == agencies[0].overdue))


@dataclass(frozen=True, slots=True)
class WeekPoint:
    """Of the tasks due before a day, those done before it, as a report of that morning counts; of today's, so far."""

    day: date
    done: int
    due: int

    @property
    def rate(self) -> float | None:
        return rate(self.done, self.due)


class Coming(StrEnum):
    DUE = "due"
    CHASED = "chased"
    REMINDED = "reminded"
    """An overdue task's next letter that is no numbered chasing: after a promise, or of a ladder without levels."""
    REPORTED = "reported"
    """Those above are told of it, and nobody is chased."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NextDate:
    """``tasks`` of ``agencies`` for which something comes on a day: due, by period, or chased for the ``level``-th
    time. ``reported_on``: the day after it on which those above are told of what is still overdue."""

    on: date
    what: Coming
    tasks: int
    agencies: int
    period: str = ""
    level: int = 0
    reported_on: date | None = None


@dataclass(frozen=True, kw_only=True)
class Outlook:
    """``since``: what has changed since the weekly digest of the week before; None if nothing of the selection was told
    then. ``behind``: every agency with overdue tasks, longest overdue first, then most. ``choices``: the periods that
    may be selected. ``past``: plans past their last date, which are in none of the figures."""

    now: Standing
    since: Since | None
    behind: tuple[Behind, ...]
    weeks: tuple[WeekPoint, ...]
    next_dates: tuple[NextDate, ...]
    still: int = 0
    """Overdue tasks that have passed every rung: what follows is a decision of those above."""
    choices: tuple[str, ...] = ()
    past: tuple[PlanToEnd, ...] = ()

    @property
    def past_unfinished(self) -> int:
        return sum(each.unfinished for each in self.past)

    @property
    def furthest(self) -> Furthest | None:
        return furthest_of(self.behind)

    @property
    def judged(self) -> WeekPoint:
        """Of what was due: tasks that open for a day to come do not lower it. Of many, also of what is done early."""
        total = self.now.total
        return self.weeks[-1] if self.weeks else WeekPoint(self.now.as_of, total.done, total.judged)

    @property
    def behind_before(self) -> int:
        """How many agencies had overdue tasks when it was last told."""
        changes = self.since.agencies if self.since else ()
        return len(self.behind) - sum(bool(each.now.overdue) - bool(each.was.overdue) for each in changes)


class Selection(NamedTuple):
    """Of all active plans but those ``without`` which, or of one plan; of one period or all."""

    plan_id: int | None = None
    period: str = ""
    without: tuple[int, ...] = ()


def outlook(session: Session, today: Today, *, plan_id: int | None = None, period: str = "") -> Outlook:
    """Of all active plans but those past their last date, unless one is given. Its parts are asked for one by one: a
    letter that leaves changes the next dates and not the standing. Fifteen queries at most."""
    past = ask(session, plans_to_end, today.day) if plan_id is None else ()
    chosen = Selection(plan_id, period, tuple(each.id for each in past))
    progress = ask(session, standings, (today.day,), **chosen._asdict())
    now = progress.days[0]
    small = now.total.expected <= MAX_LOOKED_AT
    expected = {each.id: each.tally.expected for each in now.agencies}
    return Outlook(
        now=now,
        since=since_told(session, chosen, now),
        behind=tuple(
            replace(each, expected=expected.get(each.id, each.overdue))
            for each in furthest_behind(session, today, chosen)
        ),
        weeks=_weeks(ask(session, due_and_done, today.day, chosen), today.day) if small else (),
        next_dates=ask(session, next_dates, today, chosen, chasing=small),
        still=ask(session, standing_still, today, chosen) if small else 0,
        choices=progress.choices,
        past=past,
    )


def told_before(session: Session, chosen: Selection, day: date) -> told.Figures | None:
    """What the weekly digest of the week before a day told of the plans that run, or of the one that was selected."""
    then = ask(session, told.last_of_all, week_of(day))
    if then is None:
        return None
    running = ask(session, told.issuers_of_plans).keys() - set(chosen.without)
    was = then.of(running if chosen.plan_id is None else {chosen.plan_id}, chosen.period)
    return was if was.cells else None


def since_told(session: Session, chosen: Selection, now: Standing) -> Since | None:
    """What has changed since the weekly digest of the week before."""
    was = told_before(session, chosen, now.as_of)
    return None if was is None else told.compared(was.on, was.boxes, now.boxes, ask(session, told.agency_names))


def _selected(chosen: Selection, overdue_on: date | None = None) -> list[ColumnElement[bool]]:
    """Conditions on orders that are owed; ``overdue_on``: and overdue on a day."""
    a = table(Assignment)
    found = [situations.owed() if overdue_on is None else situations.overdue(overdue_on), ~a.c.request]
    if chosen.without:
        found.append(a.c.plan_id.not_in(chosen.without))
    if chosen.plan_id is not None:
        found.append(a.c.plan_id == chosen.plan_id)
    return [*found, a.c.period == chosen.period] if chosen.period else found


def furthest_behind(session: Session, today: Today, chosen: Selection) -> tuple[Behind, ...]:
    """Every agency with overdue tasks, longest overdue first, then most; ``expected`` is not counted here."""
    return by_lateness(ask(session, behind_of_each, today, chosen).values())


def by_lateness(found: Iterable[Behind]) -> tuple[Behind, ...]:
    """Longest overdue first, then most."""
    return tuple(sorted(found, key=lambda each: (each.since, -each.overdue, name_order(each.name))))


@by_agency(Topic.PLANS, Topic.WORK, Topic.DIRECTORY)
def behind_of_each(
    session: Session, today: Today, chosen: Selection, *, agencies: Collection[str] | None = None
) -> Mapping[str, Behind]:
    a, g = table(Assignment), table(Agency)
    late = (
        select(a.c.agency_id, func.count().label("overdue"), func.min(a.c.due_on).label("since"))
        .where(*_selected(chosen, today.day), *of_agencies(a.c.agency_id, agencies))
        .group_by(a.c.agency_id)
        .subquery()
    )
    statement = select(g.c.id, g.c.name, g.c.level, late.c.overdue, late.c.since).join(late, late.c.agency_id == g.c.id)
    return {
        row.id: object_of(Behind, row, expected=row.overdue, late=-(today.days_left(row.since) or 0))
        for row in session.connection().execute(statement)
    }


@depends_on(Topic.PLANS, Topic.WORK, Topic.REMINDERS)
def standing_still(session: Session, today: Today, chosen: Selection) -> int:
    """How many overdue tasks have passed every rung."""
    a = table(Assignment)
    still = select(func.count()).where(*_selected(chosen, today.day), a.c.quiet == Quiet.LADDER_ENDED)
    return session.connection().scalar(still) or 0


@depends_on(Topic.PLANS, Topic.WORK)
def due_and_done(session: Session, day: date, chosen: Selection) -> Sequence[tuple[date, date | None, int]]:
    """When the tasks that were due before a day were due, and done, and how many."""
    a, p = table(Assignment), table(Plan)
    owed = or_(a.c.done_on.is_not(None), situations.overdue(day))
    counted = *counted_on(day, chosen.plan_id, chosen.period), a.c.plan_id.not_in(chosen.without), ~a.c.request, owed
    found = select(a.c.due_on, a.c.done_on, func.count()).join(p, p.c.id == a.c.plan_id).where(*counted)
    found = found.where(a.c.due_on < day).group_by(a.c.due_on, a.c.done_on)
    return [(due, done, n) for due, done, n in session.connection().execute(found)]


def _weeks(found: Sequence[tuple[date, date | None, int]], today: date) -> tuple[WeekPoint, ...]:
    """The days of twelve weeks."""
    return tuple(
        WeekPoint(
            day,
            sum(n for due, done, n in found if due < day and done and (done < day or day == today)),
            sum(n for due, _, n in found if due < day),
        )
        for day in (today - n * WEEK for n in reversed(range(WEEKS)))
    )


@depends_on(Topic.PLANS, Topic.WORK, Topic.REMINDERS)
def next_dates(session: Session, today: Today, chosen: Selection, *, chasing: bool = True) -> tuple[NextDate, ...]:
    """The next due dates, and the next chasing unless that is not to be looked for."""
    counted: dict[tuple[date, str], list[int]] = defaultdict(list)
    for on, period, n in chain(*ask(session, dues_of_each, today.day, chosen).values()):
        counted[on, period].append(n)
    found = [
        NextDate(
            on=on, what=Coming.DUE, tasks=sum(counted[on, period]), agencies=len(counted[on, period]), period=period
        )
        for on, period in sorted(counted)[:MAX_DUE_DATES]
    ]
    if chasing and (chase := next_chase(session, today, chosen)) is not None:
        found.append(chase)
    return tuple(sorted(found, key=lambda each: (each.on, each.what)))


_Dues = Mapping[str, Sequence[tuple[date, str, int]]]
"""By agency its next due dates and their periods, with how many tasks are open."""


@by_agency(Topic.PLANS, Topic.WORK)
def dues_of_each(session: Session, day: date, chosen: Selection, *, agencies: Collection[str] | None = None) -> _Dues:
    a = table(Assignment)
    keys = a.c.agency_id, a.c.due_on, a.c.period
    statement = select(*keys, func.count()).group_by(*keys).order_by(*keys)
    statement = statement.where(*_selected(chosen), a.c.due_on >= day, *of_agencies(a.c.agency_id, agencies))
    found: dict[str, list[tuple[date, str, int]]] = defaultdict(list)
    for agency_id, *due in session.connection().execute(statement):
        if len(found[agency_id]) < MAX_DUE_DATES:
            found[agency_id].append((due[0], due[1], due[2]))
    return dict(found)


@depends_on(Topic.PLANS, Topic.WORK, Topic.REMINDERS)
def next_chase(session: Session, today: Today, chosen: Selection, agency_id: str = "") -> NextDate | None:
    """The day on which something is next sent about what is overdue, of one agency or all."""
    a = table(Assignment)
    mine = [a.c.agency_id == agency_id] if agency_id else []
    first = select(a.c.next_action_at).where(*_overdue_acting(today, chosen), *mine)
    at = session.connection().scalar(first.order_by(a.c.next_action_at).limit(1))
    if at is None:
        return None
    day = local_date(at)
    each_of = ask(session, chased_on, today, chosen, day)
    found = [each_of[agency_id]] if agency_id else each_of.values()
    level = max(each.level for each in found)
    reported = min((each.reported_on for each in found if each.reported_on), default=None)
    return NextDate(
        on=day,
        what=Coming.CHASED if level else Coming.REPORTED if reported == day else Coming.REMINDED,
        tasks=sum(each.tasks for each in found),
        agencies=len(found),
        level=level,
        reported_on=None if reported == day else reported,
    )


def _overdue_acting(today: Today, chosen: Selection) -> list[ColumnElement[bool]]:
    """Found by what acts next, which is soon one that is overdue."""
    a = table(Assignment)
    return [*_selected(chosen), unindexed(a.c.due_on) < today.day, a.c.next_action_at.is_not(None)]


class _Chased(NamedTuple):
    """``reported_on``: the next day on which those above are told."""

    tasks: int
    level: int
    reported_on: date | None


@by_agency(Topic.PLANS, Topic.WORK, Topic.REMINDERS)
def chased_on(
    session: Session, today: Today, chosen: Selection, day: date, *, agencies: Collection[str] | None = None
) -> Mapping[str, _Chased]:
    """The overdue tasks of each agency about which something is sent by the end of a day, and the highest level that a
    rung of that day has. Thousands differ only in their agencies: their ladder is looked at once."""
    a = table(Assignment)
    alike = [a.c.ladder_id, a.c.state, a.c.opened_on, a.c.due_on, a.c.acted_until, a.c.promised_on]
    alike.append(a.c.broken_before.label("broken"))
    statement = select(a.c.agency_id, func.count().label("tasks"), *alike)
    acts = a.c.next_action_at < instant(day + ONE_DAY, time())
    statement = statement.where(*_overdue_acting(today, chosen), acts, *of_agencies(a.c.agency_id, agencies)).group_by(
        a.c.agency_id, *alike
    )
    ladders, comes = read_ladders(session), dict[_Acting, tuple[int, date | None]]()
    found: dict[str, _Chased] = {}
    for row in session.connection().execute(statement):
        acting = object_of(_Acting, row)
        if acting not in comes:
            comes[acting] = _coming(ladders[acting.ladder_id], acting, today, day)
        level, reported = comes[acting]
        was = found.get(row.agency_id, _Chased(0, 0, None))
        first = min(filter(None, (was.reported_on, reported)), default=None)
        found[row.agency_id] = _Chased(was.tasks + row.tasks, max(was.level, level), first)
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class _Acting:
    """What the next rung of an assignment depends on."""

    ladder_id: int
    state: State
    opened_on: date
    due_on: date
    acted_until: date | None
    promised_on: date | None
    broken: int


def _coming(ladder: Ladder, acting: _Acting, today: Today, day: date) -> tuple[int, date | None]:
    """Of the rungs that were not acted on before: the highest level of those that chase by a day, 0 without one, and
    the first day on which one tells only those above."""
    facts = Facts(acting.state, acting.opened_on, acting.due_on, acting.acted_until, acting.promised_on, acting.broken)
    since = acting.acted_until or date.min
    left = [(on, rung) for on, rung in applicable(ladder, facts, today.calendar) if on > since]
    level = max((rung.level for on, rung in left if on <= day and not is_report(rung.to)), default=0)
    return level, min((on for on, rung in left if is_report(rung.to)), default=None)
