"""Counters of assignments of active plans, by agency, policy, period, due date, the two measures, outcome and whether
the duty is asked for: the data of the board.

A province has hundreds of thousands of assignments, of which a few change in an hour. ``Tally`` holds the last count;
every change of an assignment (``engine.assignments.lifecycle``) appends a ``TallyChange`` in the same transaction, so
writers never wait for a shared row, and the sum of both is always exact. Whoever makes them ``FOLD_FROM`` adds the
changes to the counters, in a transaction after their own; ``recount`` rebuilds the counters.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date
from functools import cache
from secrets import token_hex
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Integer,
    Select,
    and_,
    bindparam,
    case,
    cast,
    delete,
    func,
    insert,
    literal,
    select,
    text,
    tuple_,
    union_all,
)
from sqlmodel import Session

from engine.assignments.measures import report_timing, report_timing_column, task_timing, task_timing_column
from engine.store.changed_work import about, about_agency
from engine.store.data_versions import of_agencies
from engine.store.database import after_commit, among, insert_rows, table, update_rows
from engine.store.facts import read_fact, write_fact
from engine.store.records import Assignment, Plan, Tally, TallyChange
from engine.store.stored_rows import StoredAssignment
from engine.terms import COUNTED_STATES, Outcome, PlanState, Timing

KEYS = ("agency_id", "policy_id", "period", "due_on", "timing", "reporting", "outcome", "request")
FOLD_FROM = 32
"""So many changes are added to the counters: fewer cost a province's board a tenth (``tests.bench.province``)."""
MAX_PENDING_CHANGES = 5_000
"""Adding this many changes takes as long as counting; from it on the counters are rebuilt."""
RECOUNT_FACT = "recount"
"""Name of the fact that differs after every recount or fold."""
RECOUNT_LOCK_ID = 20_210_408
"""PostgreSQL advisory lock that serialises recounts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CounterKey:
    """The counter that an assignment belongs to; without the last three, of one that has just been opened."""

    plan_id: int
    agency_id: str
    period: str
    due_on: date | None
    request: bool
    timing: Timing = Timing.OPEN
    reporting: Timing = Timing.OPEN
    outcome: Outcome | None = None


@dataclass(frozen=True, slots=True)
class _Measured:
    due_on: date | None
    done_on: date | None
    first_reported_on: date | None
    first_due_on: date | None


def counter_key(row: StoredAssignment, **changes: object) -> CounterKey | None:
    """The counter of an assignment, as it is or with ``changes``; None if it is cancelled or transferred."""

    def value(name: str) -> Any:
        return changes[name] if name in changes else getattr(row, name)

    if value("state") not in COUNTED_STATES:
        return None
    each = _Measured(**{field.name: value(field.name) for field in fields(_Measured)})
    return CounterKey(
        plan_id=row.plan_id,
        agency_id=row.agency_id,
        period=row.period,
        due_on=each.due_on,
        request=row.request,
        timing=task_timing(each),
        reporting=report_timing(each),
        outcome=value("outcome"),
    )


def record_transition(session: Session, old: Iterable[CounterKey | None], new: Iterable[CounterKey | None]) -> None:
    """Append the changes of counters when assignments move from ``old`` to ``new``; equal keys cancel out."""
    change: Counter[CounterKey] = Counter(each for each in new if each is not None)
    change.subtract(each for each in old if each is not None)
    about_agency(session, (key.agency_id for key in change))
    insert_rows(
        session,
        TallyChange,
        [
            {
                "plan_id": key.plan_id,
                "agency_id": key.agency_id,
                "period": key.period,
                "due_on": key.due_on,
                "timing": key.timing,
                "reporting": key.reporting,
                "outcome": key.outcome,
                "request": key.request,
                "n": n,
            }
            for key, n in change.items()
            if n
        ],
    )
    if len(_pending(session, FOLD_FROM)) >= FOLD_FROM:
        after_commit(session, fold)


@dataclass(frozen=True)
class Counted:
    """What a reading transaction counted: the counters, how many were wrong, the last change that they include, and the
    recount before it."""

    rows: Sequence[Mapping[str, object]]
    wrong: int
    last_change: int
    recount_before: str | None


def count_ahead(session: Session) -> Counted | None:
    """SQLite: count for ``replace_counters`` while others may write. None on PostgreSQL, where ``recount`` makes nobody
    wait."""
    connection = session.connection()
    if connection.dialect.name == "postgresql":
        return None
    rows = connection.execute(_actual_counts()).mappings().all()
    last_change = connection.scalar(select(func.max(table(TallyChange).c.id))) or 0
    return Counted(
        [dict(row) for row in rows], count_mismatches(session), last_change, read_fact(session, RECOUNT_FACT)
    )


def replace_counters(session: Session, counted: Counted) -> bool:
    """Put what was counted ahead in place of the counters; changes made since are kept. False, and nothing is done, if
    another recount or the end of a plan came between: ids of changes mean something else then."""
    t, c, connection = table(Tally), table(TallyChange), session.connection()
    if read_fact(session, RECOUNT_FACT) != counted.recount_before:
        return False
    connection.execute(delete(t))
    connection.execute(delete(c).where(c.c.id <= counted.last_change))
    insert_rows(session, Tally, counted.rows)
    write_fact(session, RECOUNT_FACT, token_hex(8))
    return True


def recount(session: Session) -> None:
    """Rebuild the counters. On PostgreSQL a single statement has one snapshot, so each change is either counted and
    deleted, or not counted and kept."""
    t, c, connection = table(Tally), table(TallyChange), session.connection()
    counted = insert(t).from_select([*KEYS, "n"], _actual_counts())
    if connection.dialect.name == "postgresql":
        connection.execute(text(f"SELECT pg_advisory_xact_lock({RECOUNT_LOCK_ID})"))
        deletions = (delete(t).cte("gone"), delete(c).cte("passed"))
        connection.execute(counted.add_cte(*deletions))
    else:
        connection.execute(delete(t))
        connection.execute(delete(c))
        connection.execute(counted)
    write_fact(session, RECOUNT_FACT, token_hex(8))


def fold(session: Session) -> None:
    """Add the changes to the counters if there are ``FOLD_FROM``; rebuild them from ``MAX_PENDING_CHANGES`` on. In a
    transaction of its own: whoever waits for it holds no other row. If another process folds or recounts, nothing is
    done."""
    connection = session.connection()
    locked = text(f"SELECT pg_try_advisory_xact_lock({RECOUNT_LOCK_ID})")
    if connection.dialect.name == "postgresql" and not connection.scalar(locked):
        return
    pending = _pending(session, MAX_PENDING_CHANGES)
    if len(pending) >= MAX_PENDING_CHANGES:
        recount(session)
    elif len(pending) >= FOLD_FROM:
        with about(session, nobody=True):
            _add(session, pending)


def _pending(session: Session, most: int) -> Sequence[int]:
    """The ids of the oldest changes."""
    return session.connection().scalars(_oldest(), {"most": most}).all()


@cache
def _oldest() -> Any:
    c = table(TallyChange)
    return select(c.c.id).order_by(c.c.id).limit(bindparam("most"))


def _add(session: Session, pending: Sequence[int]) -> None:
    """Add these changes to the counters, by their ids: on PostgreSQL a lower one may become visible later."""
    t, c, connection = table(Tally), table(TallyChange), session.connection()
    chosen = among(session, c.c.id, pending)
    since = _changes().where(chosen).subquery()
    keys = [since.c[name] for name in KEYS]
    summed = select(*keys, func.sum(since.c.n)).group_by(*keys)
    change = {key: int(n) for *key_values, n in connection.execute(summed) if n for key in [tuple(key_values)]}
    touched = tuple_(t.c.agency_id, t.c.period).in_(select(c.c.agency_id, c.c.period))
    counted = connection.execute(select(t.c.id, t.c.n, *(t.c[name] for name in KEYS)).where(touched))
    updated = [{"n": n + change.pop(tuple(key)), "id": number} for number, n, *key in counted if tuple(key) in change]
    update_rows(session, Tally, updated)
    connection.execute(delete(t).where(t.c.n == 0))
    insert_rows(session, Tally, [dict(zip(KEYS, key, strict=True), n=n) for key, n in change.items()])
    connection.execute(delete(c).where(chosen))
    write_fact(session, RECOUNT_FACT, token_hex(8))


def count_mismatches(session: Session) -> int:
    """Number of counters that differ from the assignments; anything but 0 is a defect."""
    actual = _actual_counts().subquery()
    both = union_all(*_lines(), select(*(actual.c[name] for name in KEYS), -actual.c.n)).subquery()
    differences = select(literal(1)).select_from(both).group_by(*(both.c[name] for name in KEYS))
    number = select(func.count()).select_from(differences.having(func.sum(both.c.n) != 0).subquery())
    return session.connection().scalar(number) or 0


def counter_totals() -> Any:
    """A subquery with columns ``KEYS`` and ``n``, the number of assignments; one row per counter. Only counters of an
    agency and period of which something has changed since the last count are summed anew."""
    t, c = table(Tally), table(TallyChange)
    changed = tuple_(t.c.agency_id, t.c.period).in_(select(c.c.agency_id, c.c.period))
    last, since = _lines()
    lines = union_all(last.where(changed), since).subquery()
    keys = [lines.c[name] for name in KEYS]
    n = func.sum(lines.c.n).label("n")
    return union_all(last.where(~changed), select(*keys, n).group_by(*keys).having(n > 0)).subquery()


def counter_lines(*, without: ColumnElement[bool] | None = None) -> Any:
    """A subquery with columns ``KEYS`` and ``n``, of which only sums are meant: some lines are negative, and take away
    from others. Cheaper than ``counter_totals``. ``without``: a condition on assignments that are not to be counted."""
    taken_away = [] if without is None else [_assignments(literal(-1)).where(without)]
    return union_all(*_lines(), *taken_away).subquery()


def counter_lines_on(day: date, changed: ColumnElement[bool], *, without_plans: Collection[int] = ()) -> Any:
    """``counter_lines`` at the end of an earlier day, by what is known now: what was opened since is not counted, what
    was done or first reported since is open. ``changed``: the condition that one of the three has happened since; such
    assignments are read once, taken away as they are and added as they were. ``without_plans``: of these nothing is
    counted."""
    a = table(Assignment)
    since = {"opened": a.c.opened_on, "done": a.c.done_on, "reported": a.c.first_reported_on}
    each = _assignments(*(func.coalesce(on > day, False).label(name) for name, on in since.items()))
    each = each.where(changed, a.c.plan_id.not_in(without_plans)).subquery()
    groups = select(*each.c, func.count().label("n")).group_by(*each.c).cte("changed").c
    was = {
        "timing": case((groups.done, Timing.OPEN.value), else_=groups.timing),
        "reporting": case((groups.reported, Timing.OPEN.value), else_=groups.reporting),
    }
    as_they_are = select(*(groups[name] for name in KEYS), -groups.n)
    as_they_were = select(*(was.get(name, groups[name]).label(name) for name in KEYS), groups.n).where(~groups.opened)
    taken_away = [_assignments(literal(-1)).where(a.c.plan_id.in_(without_plans))] if without_plans else []
    return union_all(*_lines(), as_they_are, as_they_were, *taken_away).subquery()


def late_counts(day: date, agencies: Collection[str] | None = None) -> Select[str, int]:
    """(agency, number of tasks) that are open and were due before the day, without requests; of some agencies, if they
    are given."""
    lines = counter_lines().c
    late = and_(lines.timing == Timing.OPEN.value, lines.due_on < day, ~lines.request)
    n = cast(func.sum(lines.n), Integer)
    counted = select(lines.agency_id, n).where(late, *of_agencies(lines.agency_id, agencies))
    return counted.group_by(lines.agency_id).having(n > 0)


def _lines() -> tuple[Any, Any]:
    """The last count and the changes since, to be summed. Changes of plans that have ended are left out."""
    t = table(Tally)
    return select(*(t.c[name] for name in KEYS), t.c.n), _changes()


def _changes() -> Any:
    """The changes since the last count by ``KEYS``, without those of plans that have ended."""
    c, p = table(TallyChange), table(Plan)
    since = select(*((p if name == "policy_id" else c).c[name] for name in KEYS), c.c.n)
    return since.join(p, p.c.id == c.c.plan_id).where(p.c.state == PlanState.ACTIVE)


def _actual_counts() -> Any:
    """The counters computed from all assignments of active plans."""
    each = _assignments().subquery()
    keys = [each.c[name] for name in KEYS]
    return select(*keys, func.count().label("n")).group_by(*keys)


def _assignments(*columns: Any) -> Any:
    """The counted assignments of active plans by ``KEYS``."""
    a, p = table(Assignment), table(Plan)
    measured = {"policy_id": p.c.policy_id, "timing": task_timing_column(), "reporting": report_timing_column()}
    keys = [measured[name].label(name) if name in measured else a.c[name] for name in KEYS]
    return (
        select(*keys, *columns)
        .select_from(a)
        .join(p, p.c.id == a.c.plan_id)
        .where(p.c.state == PlanState.ACTIVE, a.c.state.in_(COUNTED_STATES))
    )
