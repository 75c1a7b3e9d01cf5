"""A year week by week: letters sent and expected, and due dates, by agency. Data of the bar chart and of the file.

Expected letters are what the ladders and the weekly digests would send if nothing more is reported or decided: for open
assignments, and for periods that have not opened yet.
"""

from __future__ import annotations

from calendar import timegm
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cached_property
from itertools import chain
from typing import Any, NamedTuple

from sqlalchemy import BigInteger, ColumnElement, cast, exists, extract, func, select
from sqlmodel import Session

from engine.assignments import situations
from engine.assignments.backlog import backlogs
from engine.assignments.lifecycle import supervisor_of
from engine.assignments.opening import planned
from engine.assignments.outbox import WEEK, digest_day
from engine.assignments.weekly_digest import departments, is_first_of_month
from engine.queries.directory import directory_order
from engine.queries.time_class import Today
from engine.rules.calendar import ONE_DAY
from engine.rules.policy import Facts, Ladder, for_role, upcoming
from engine.store.data_versions import Topic, ask, by_agency, depends_on, of_agencies
from engine.store.database import table
from engine.store.records import Agency, Assignment, Letter, Notice, Plan
from engine.store.rulebook import Rulebook, read_rulebook
from engine.store.stored_rows import StoredPlan, object_of, objects, select_plans
from engine.terms import LetterState, PlanState, Role, State

MAX_SIMULATED_PLANS = 30
"""With more active plans than this, periods that have not opened are left out, since every plan file would be read."""
_NOT_SENT = (LetterState.SUPPRESSED, LetterState.EXPIRED, LetterState.REFUSED, LetterState.KEPT_HERE)
_QUEUED = (LetterState.QUEUED, LetterState.SENDING)
SPACE = " "
"""Between agency ids, which have none."""


@dataclass(frozen=True, slots=True)
class Week:
    """``sent``: letters sent or attempted; ``to_come``: queued letters, those the ladders will send and the weekly
    digests, counted as one per person and day; ``due``: assignments due that week, of which ``open`` are unfinished."""

    sent: int = 0
    to_come: int = 0
    due: int = 0
    open: int = 0

    def __add__(self, other: Week) -> Week:
        return Week(self.sent + other.sent, self.to_come + other.to_come, self.due + other.due, self.open + other.open)


@dataclass(frozen=True)
class AgencyYear:
    """An agency's weeks by Monday; empty weeks are left out."""

    id: str
    name: str
    level: str
    weeks: Mapping[date, Week]


@dataclass(frozen=True, slots=True)
class YearLine:
    """An agency's week, of those in which anything happens."""

    monday: date
    agency: AgencyYear
    week: Week


@dataclass(frozen=True)
class Year:
    """``mondays``: the year's weeks in order; ``foreseen``: whether periods that have not opened yet are included."""

    year: int
    mondays: tuple[date, ...]
    this_week: date
    agencies: tuple[AgencyYear, ...]
    foreseen: bool

    @cached_property
    def total(self) -> Mapping[date, Week]:
        """Weekly totals of all agencies."""
        weeks = [each.weeks for each in self.agencies]
        return {monday: sum((each[monday] for each in weeks if monday in each), Week()) for monday in self.mondays}

    def most(self, what: str, *, ahead: bool) -> tuple[date, int] | None:
        """The week with the most of a field of ``Week``, from this week on or before it; None where there is none."""
        weeks = ((monday, getattr(self.total[monday], what)) for monday in self.mondays)
        found = [(monday, n) for monday, n in weeks if n and (monday >= self.this_week) == ahead]
        return max(found, key=lambda each: each[1], default=None)

    @property
    def lines(self) -> Iterator[YearLine]:
        """Week after week, the agencies in directory order."""
        for monday in self.mondays:
            yield from (YearLine(monday, each, each.weeks[monday]) for each in self.agencies if monday in each.weeks)

    @property
    def kinds(self) -> tuple[str, ...]:
        """The levels that occur, in directory order."""
        return tuple(dict.fromkeys(each.level for each in self.agencies))

    def of_kind(self, kind: str) -> Year:
        """Only agencies of one level."""
        return replace(self, agencies=tuple(each for each in self.agencies if each.level == kind))

    def trimmed(self) -> Year:
        """Without the weeks before the first and after the last in which anything happens: on a telephone a year that
        begins in April is not to begin with an empty winter. This week stays."""
        lively = {monday for each in self.agencies for monday in each.weeks}
        if not lively:
            return self
        first, last = min(lively), max(lively)
        if self.this_week in self.mondays:
            first, last = min(first, self.this_week), max(last, self.this_week)
        return replace(self, mondays=tuple(each for each in self.mondays if first <= each <= last))


def monday_of(day: date) -> date:
    return day - timedelta(days=day.weekday())


_Cells = Counter[tuple[str, date, str]]
"""By agency, Monday and field of ``Week``."""


@depends_on(Topic.PLANS, Topic.WORK, Topic.REMINDERS, Topic.DIRECTORY, Topic.LETTERS, Topic.LOG)
def year_of(session: Session, today: Today, year: int, *, plan_id: int | None = None) -> Year:
    """The year of one plan, or of all active plans. The work and what departments are told are asked for apart: they
    stay when a letter leaves. Nine queries for one plan, eight more for what waits in all."""
    mondays = _mondays(year)
    first, last = mondays[0], mondays[-1] + timedelta(days=6)
    work = ask(session, work_of_year, today, year, plan_id)
    cells = Counter(work.cells)
    for department, role, day in ask(session, told_to_departments, today, last) if plan_id is None else ():
        if first <= day <= last and (role, day) not in work.coming.get(department, ()):
            cells[department, monday_of(day), "to_come"] += 1
    sent = ask(session, letters_by_week, year) if plan_id is None else _letters(session, year, plan_id)
    for agency_id, week, what, count in sent:
        cells[agency_id, mondays[week], what] += count
    return Year(year, mondays, monday_of(today.day), _agencies(session, cells), work.foreseen)


class WorkOfYear(NamedTuple):
    """``cells``: what is due and open, and the letters of ``coming``: by recipient, those that ladders and digests will
    send. ``foreseen``: periods that have not opened yet are in it."""

    cells: _Cells
    coming: Mapping[str, Collection[tuple[Role, date]]]
    foreseen: bool


@depends_on(Topic.PLANS, Topic.WORK, Topic.REMINDERS)
def work_of_year(session: Session, today: Today, year: int, plan_id: int | None = None) -> WorkOfYear:
    mondays = _mondays(year)
    first, last = mondays[0], mondays[-1] + timedelta(days=6)
    plans = _plans(session, plan_id)
    cells: _Cells = Counter()
    for agency_id, weeks in ask(session, dues_by_week, year, plan_id).items():
        for week, what, count in weeks:
            cells[agency_id, mondays[week], what] += count
    coming = _letters_to_come(ask(session, ladders_of_each, today, last, plan_id).values())
    if plans:
        to_open = ask(session, periods_to_open, today, last, plans, _opened(session, plan_id))
        for recipient, letters in to_open.letters.items():
            coming[recipient].update(letters)
        for (agency_id, due_on), count in to_open.dues.items():
            if first <= due_on <= last:
                cells[agency_id, monday_of(due_on), "due"] += count
                cells[agency_id, monday_of(due_on), "open"] += count
    for agency_id, of_agency in coming.items():
        for day, n in Counter(day for _, day in of_agency).items():
            if today.day < day <= last and day >= first:
                cells[agency_id, monday_of(day), "to_come"] += n
    return WorkOfYear(cells, coming, plans is not None)


def _mondays(year: int) -> tuple[date, ...]:
    first = monday_of(date(year, 1, 1))
    weeks = (monday_of(date(year, 12, 31)) - first).days // 7 + 1
    return tuple(first + timedelta(weeks=n) for n in range(weeks))


def _plans(session: Session, plan_id: int | None) -> tuple[int, ...] | None:
    """Those whose periods are foreseen; None if there are too many."""
    p = table(Plan)
    chosen = [p.c.state == PlanState.ACTIVE, *([] if plan_id is None else [p.c.id == plan_id])]
    found = session.connection().scalars(select(p.c.id).where(*chosen).limit(MAX_SIMULATED_PLANS + 1))
    some = tuple(sorted(found))
    return some if len(some) <= MAX_SIMULATED_PLANS else None


def _opened(session: Session, plan_id: int | None) -> frozenset[tuple[int, str]]:
    """(duty, period) of what has been opened, whoever owes it."""
    a, p = table(Assignment), table(Plan)
    opened = select(a.c.duty_id, a.c.period).join(p, p.c.id == a.c.plan_id).where(_plan_condition(plan_id)).distinct()
    return frozenset((duty_id, period) for duty_id, period in session.connection().execute(opened))


def _week(day: ColumnElement[date], mondays: Sequence[date]) -> tuple[ColumnElement[int], ColumnElement[bool]]:
    """SQL expressions: the position among ``mondays`` of a date's week, and whether the date lies in one of them."""
    seconds = cast(extract("epoch", day), BigInteger) - timegm(mondays[0].timetuple())
    return seconds // int(timedelta(weeks=1).total_seconds()), day.between(mondays[0], mondays[-1] + 6 * ONE_DAY)


_SentInWeek = tuple[str, int, str, int]
"""Agency, number of the week, field of ``Week``, letters."""


@depends_on(Topic.LETTERS)
def letters_by_week(session: Session, year: int) -> Sequence[_SentInWeek]:
    """Of all plans."""
    return _letters(session, year, None)


def _letters(session: Session, year: int, plan_id: int | None) -> list[_SentInWeek]:
    """Sent and queued letters by agency and week."""
    m, n, a = table(Letter), table(Notice), table(Assignment)
    week, within = _week(m.c.day, _mondays(year))
    queued = m.c.state.in_(_QUEUED)
    statement = select(m.c.agency_id, week, queued, func.count()).where(within, m.c.state.not_in(_NOT_SENT))
    if plan_id is not None:
        about = select(n.c.id).join(a, a.c.id == n.c.assignment_id)
        statement = statement.where(
            exists(about.where(n.c.letter_id == m.c.id, n.c.obsolete == "", a.c.plan_id == plan_id))
        )
    agency_id, week, queued, _ = statement.selected_columns
    rows = session.connection().execute(statement.group_by(agency_id, week, queued))
    return [(owner, number, "to_come" if waits else "sent", count) for owner, number, waits, count in rows]


_DuesByWeek = Mapping[str, Sequence[tuple[int, str, int]]]
"""By agency: the number of a week, a field of ``Week``, opened assignments that are due then."""


@by_agency(Topic.PLANS, Topic.WORK)
def dues_by_week(
    session: Session, year: int, plan_id: int | None, *, agencies: Collection[str] | None = None
) -> _DuesByWeek:
    """The due dates of one plan's tasks, or of all active plans', and how many of them are open."""
    a, p = table(Assignment), table(Plan)
    week, within = _week(a.c.due_on, _mondays(year))
    still_due = func.count().filter(situations.owed())
    statement = (
        select(a.c.agency_id, week, func.count(), still_due)
        .join(p, p.c.id == a.c.plan_id)
        .where(within, situations.counted(), _plan_condition(plan_id), *of_agencies(a.c.agency_id, agencies))
        .group_by(a.c.agency_id, week)
        .order_by(a.c.agency_id, week)
    )
    found: dict[str, list[tuple[int, str, int]]] = defaultdict(list)
    for owner, number, due_then, still_open in session.connection().execute(statement):
        found[owner].append((number, "due", due_then))
        if still_open:
            found[owner].append((number, "open", still_open))
    return dict(found)


_Days = frozenset[tuple[Role, date]]
"""On which days a ladder will send a letter to which role."""


def _letters_to_come(ladders: Iterable[Mapping[str, Collection[_Days]]]) -> dict[str, set[tuple[Role, date]]]:
    """By recipient. Its letters are collected as whole sets, of which few differ."""
    by_recipient: dict[str, set[_Days]] = defaultdict(set)
    for of_owner in ladders:
        for agency_id, sets in of_owner.items():
            by_recipient[agency_id].update(sets)
    coming: dict[str, set[tuple[Role, date]]] = defaultdict(set)
    for agency_id, sets in by_recipient.items():
        coming[agency_id].update(*sets)
    return coming


@by_agency(Topic.PLANS, Topic.WORK, Topic.REMINDERS)
def ladders_of_each(
    session: Session, today: Today, last: date, plan_id: int | None, *, agencies: Collection[str] | None = None
) -> Mapping[str, Mapping[str, Collection[_Days]]]:
    """What the ladders of each agency's open assignments will send until ``last``, by the agency that it is sent to.
    Thousands differ only in their agencies: their ladder is evaluated once."""
    a, p, book = table(Assignment), table(Plan), read_rulebook(session)
    capacities = {"owner": a.c.agency_id, "supervisor": a.c.supervisor_id, "issuer": p.c.issuer_id}
    facts = (
        a.c.ladder_id,
        a.c.state,
        a.c.opened_on,
        a.c.due_on,
        a.c.acted_until,
        a.c.promised_on,
        a.c.broken_before.label("broken"),
        a.c.request,
    )
    each = (
        select(*facts, *capacities.values())
        .join(p, p.c.id == a.c.plan_id)
        .where(
            situations.owed(),
            _plan_condition(plan_id),
            *of_agencies(a.c.agency_id, agencies),
        )
        .distinct()
        .subquery()
    )
    alike = each.c[: len(facts)]
    owner, supervisor, issuer = each.c[len(facts) :]
    together = func.aggregate_strings(owner + SPACE + supervisor + SPACE + issuer, SPACE).label("agencies")
    acts = {role: for_role(role, **{name: name for name in capacities}) for role in Role}
    digests = _digests(book, today, last)
    found: dict[str, dict[str, set[_Days]]] = defaultdict(lambda: defaultdict(set))
    for row in session.connection().execute(select(*alike, together).group_by(*alike)):
        every = _future_letters(book.ladders[row.ladder_id], object_of(Facts, row), today)
        every = chain(every, _digests_about(row.due_on, digests, request=row.request))
        days = [(role, day) for role, day in every if today.day < day <= last]
        names = row.agencies.split(SPACE)
        for n, acting in enumerate(capacities):
            its_days = frozenset(each for each in days if acts[each[0]] == acting)
            for owner_id, agency_id in set(zip(names[:: len(capacities)], names[n :: len(capacities)], strict=True)):
                found[owner_id][agency_id].add(its_days)
    return {owner_id: dict(of_owner) for owner_id, of_owner in found.items()}


@dataclass(frozen=True)
class PeriodsToOpen:
    """``letters``: what their ladders will send, by recipient; ``dues``: how many of an agency's fall due on a day."""

    letters: Mapping[str, Collection[tuple[Role, date]]]
    dues: Mapping[tuple[str, date], int]


@depends_on(Topic.PLANS)
def periods_to_open(
    session: Session, today: Today, last: date, plan_ids: tuple[int, ...], opened: frozenset[tuple[int, str]]
) -> PeriodsToOpen:
    """Of these plans, the periods that have not opened. Apart from the work, since it is worked out for each agency
    and no report changes it; ``opened``: (duty, period)."""
    book, p = read_rulebook(session), table(Plan)
    letters, dues = defaultdict[str, set[tuple[Role, date]]](set), Counter[tuple[str, date]]()
    digests = _digests(book, today, last)
    for plan in objects(StoredPlan, session.connection().execute(select_plans().where(p.c.id.in_(plan_ids)))):
        policy = book.policy(plan.policy_id)
        for each in (each for each in planned(session, plan, policy, book.calendar) if each.key not in opened):
            ladder = policy.ladder(request=each.duty.request, urgent=plan.urgency.urgent)
            opens_on, due_on = max(each.opens_on, today.day), each.due_period.due.on
            facts = Facts(State.ASSIGNED, opens_on, due_on, opens_on - ONE_DAY)
            weekly = _digests_about(due_on, digests, request=each.duty.request)
            sent = (*_future_letters(ladder, facts, today), *weekly)
            for owner in each.duty.owners:
                dues[owner, due_on] += 1
                above = supervisor_of(owner, plan.supervisor_id, plan.issuer_id)
                for role, day in sent:
                    letters[for_role(role, owner=owner, supervisor=above, issuer=plan.issuer_id)].add((role, day))
    return PeriodsToOpen(dict(letters), dues)


def _future_letters(ladder: Ladder, facts: Facts, today: Today) -> Iterator[tuple[Role, date]]:
    """(role, day) of each future rung of a ladder."""
    for on, rung in upcoming(ladder, facts, today.calendar):
        day = ladder.days(today.calendar).on_or_after(on)
        yield from ((role, day) for role in rung.to)


_Digests = Sequence[tuple[date, bool]]
"""The days of the weekly digests to come; whether it is the first of a month, which the leadership gets in any case."""


def _digests(book: Rulebook, today: Today, last: date) -> _Digests:
    policy, weeks = book.general, range((last - today.day).days // 7 + 2)
    if policy is None:
        return []
    days = (digest_day(today.day + timedelta(weeks=n), policy, book.calendar) for n in weeks)
    return [(day, is_first_of_month(day, policy, book.calendar)) for day in days if day and day > today.day]


@depends_on(Topic.PLANS, Topic.WORK, Topic.REMINDERS, Topic.DIRECTORY, Topic.LETTERS, Topic.LOG)
def told_to_departments(session: Session, today: Today, last: date) -> Sequence[tuple[str, Role, date]]:
    """The digests to departments that let others wait, and to their heads, if they go on to."""
    book = read_rulebook(session)
    digests = _digests(book, today, last)
    if book.general is None or not digests:
        return []
    waiting = backlogs(session, departments(session), book.calendar, digests[0][0], book.general).values()
    told = [(each.department, Role.MONITOR) for each in waiting if each.aging]
    told += [(each.department, Role.DIRECTOR) for each in waiting if each.old]
    return [(*to, day) for to in told for day, _ in digests]


def _digests_about(due_on: date | None, digests: _Digests, *, request: bool) -> Iterator[tuple[Role, date]]:
    """(role, day) of the digests that list a task while it is overdue; the leadership's also when that is news."""
    for day, first_of_month in digests:
        if due_on is not None and due_on < day:
            yield from ((Role.COORDINATOR, day), (Role.MONITOR, day))
            if not request and (first_of_month or due_on >= day - WEEK):
                yield Role.LEADERSHIP, day


def _plan_condition(plan_id: int | None) -> Any:
    p = table(Plan)
    return p.c.state == PlanState.ACTIVE if plan_id is None else p.c.id == plan_id


def _agencies(session: Session, cells: Counter[tuple[str, date, str]]) -> tuple[AgencyYear, ...]:
    """Non-empty agencies in directory order."""
    g = table(Agency)
    counts: dict[str, dict[date, dict[str, int]]] = defaultdict(lambda: defaultdict(dict))
    for (agency_id, monday, what), count in cells.items():
        counts[agency_id][monday][what] = count
    statement = select(g.c.id, g.c.name, g.c.level).where(g.c.id.in_(list(counts)))
    rows = session.connection().execute(statement)
    found = [
        AgencyYear(id_, name, level, {monday: Week(**each) for monday, each in counts[id_].items()})
        for id_, name, level in rows
    ]
    return tuple(sorted(found, key=directory_order))
