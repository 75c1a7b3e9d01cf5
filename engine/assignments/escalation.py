"""The escalation pass: assignments whose ``next_action_at`` has passed -> policy -> events, notices, next action.

One transaction a batch. Rows are read as Core rows and written back in bulk, so the cost depends on what is due, not on
what is stored. Writes only the scheduling columns; the state is written by ``engine.assignments.lifecycle``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sqlalchemy import select
from sqlmodel import Session

from engine.assignments import situations
from engine.assignments.coordinating import remind_of_help
from engine.assignments.outbox import NoticeLine, post, unreachable_event, unreachable_line
from engine.assignments.promise_rows import break_past
from engine.rules.calendar import instant, local_date
from engine.rules.policy import Decision, Facts, Policy, audience, decide, for_role
from engine.rules.situation import is_past
from engine.store.data_versions import about
from engine.store.database import among, table, update_rows
from engine.store.event_log import append, event
from engine.store.recipients import read_recipients
from engine.store.records import Assignment, Duty, Plan
from engine.store.rulebook import Rulebook
from engine.store.stored_rows import AnyRow, objects
from engine.terms import EventKind, NoticeKind, Role, State, Urgency

NAMED_AT_ONCE = 1000
"""Ids in one statement; databases take some 30,000."""


@dataclass(frozen=True, slots=True)
class DueDuty:
    """A duty with work due, as logged."""

    duty_id: int
    plan: str
    citation: str
    owners: tuple[str, ...]

    def __str__(self) -> str:
        owners = self.owners[0] if len(self.owners) == 1 else f"{len(self.owners)} owners"
        return f"{self.plan} {self.citation} · {owners}"


@dataclass(slots=True, kw_only=True)
class EscalationResult:
    """Counts of one batch, or of several. ``seen``: assignments processed."""

    seen: int = 0
    fired: int = 0
    skipped: int = 0
    notices: int = 0
    unreachable: int = 0

    def add(self, other: EscalationResult) -> None:
        self.seen += other.seen
        self.fired += other.fired
        self.skipped += other.skipped
        self.notices += other.notices
        self.unreachable += other.unreachable


@dataclass(slots=True)
class _Batch:
    """The rows that a batch will write."""

    lines: list[NoticeLine] = field(default_factory=list)
    events: list[dict[str, object]] = field(default_factory=list)
    schedule: list[dict[str, object]] = field(default_factory=list)
    reminded: list[_DueRow] = field(default_factory=list)
    """Tasks whose owners are reminded before the due date."""


def due_duties(session: Session, now: datetime, ids: Sequence[int] | None = None) -> list[DueDuty]:
    """The duties with work due and the owners concerned, in the order of the plans; those of ``ids``, if given."""
    a = table(Assignment)
    due: dict[int, list[str]] = {}
    statement = select(a.c.duty_id, a.c.agency_id).where(a.c.next_action_at.is_not(None), a.c.next_action_at <= now)
    if ids is not None:
        statement = statement.where(among(session, a.c.id, ids))
    for duty_id, agency_id in session.connection().execute(statement):
        due.setdefault(duty_id, []).append(agency_id)
    d, p = table(Duty), table(Plan)
    columns = (d.c.plan_id, d.c.position, d.c.id, p.c.number, d.c.citation)
    named = select(*columns).join(p, p.c.id == d.c.plan_id)
    duties = list(due)
    rows: list[AnyRow] = []
    for start in range(0, len(duties), NAMED_AT_ONCE):
        rows += session.connection().execute(named.where(d.c.id.in_(duties[start : start + NAMED_AT_ONCE])))
    return [
        DueDuty(duty_id, number, citation, tuple(sorted(set(due[duty_id]))))
        for _, _, duty_id, number, citation in sorted(map(tuple, rows))
    ]


@dataclass(frozen=True, slots=True)
class DueAssignments:
    """What is due at the beginning of a pass, one owner's assignments after another's."""

    ids: tuple[int, ...]
    last: Mapping[str, int]
    """Position of the last assignment that can put a line into letters of an agency: as owner, supervisor or issuer."""

    def complete(self, start: int, end: int) -> list[str]:
        """Agencies into whose letters nothing goes any more once ``ids[start:end]`` are processed."""
        return [agency for agency, at in self.last.items() if start <= at < end]


def due_assignments(session: Session, now: datetime) -> DueAssignments:
    a, p = table(Assignment), table(Plan)
    statement = (
        select(a.c.id, a.c.agency_id, a.c.supervisor_id, p.c.issuer_id)
        .join(p, p.c.id == a.c.plan_id)
        .where(*_due(now))
        .order_by(a.c.agency_id, a.c.id)
    )
    ids: list[int] = []
    last: dict[str, int] = {}
    for at, (assignment_id, *agencies) in enumerate(session.connection().execute(statement)):
        ids.append(assignment_id)
        last |= dict.fromkeys(agencies, at)
    return DueAssignments(tuple(ids), last)


@dataclass(frozen=True, slots=True)
class DueBatch:
    """Due assignments that are acted on in one transaction, of one owner or several."""

    owners: tuple[str, ...]
    ids: tuple[int, ...]

    def __str__(self) -> str:
        return self.owners[0] if len(self.owners) == 1 else f"{self.owners[0]} … {self.owners[-1]}"


def due_batches(session: Session, now: datetime, most: int) -> list[DueBatch]:
    """What is due of all plans, one owner's assignments after another's, in batches of ``most``. A person's letter
    takes in what all plans say: by owners two batches write to different letters and do not wait for each other."""
    a = table(Assignment)
    statement = select(a.c.id, a.c.agency_id).where(*_due(now))
    rows = [tuple(row) for row in session.connection().execute(statement.order_by(a.c.agency_id, a.c.id))]
    batches = [rows[start : start + most] for start in range(0, len(rows), most)]
    return [
        DueBatch(tuple(dict.fromkeys(row[1] for row in batch)), tuple(row[0] for row in batch)) for batch in batches
    ]


def run_escalations(
    session: Session,
    book: Rulebook,
    now: datetime,
    *,
    limit: int,
    duty_id: int | None = None,
    ids: Sequence[int] | None = None,
) -> EscalationResult:
    """Process up to ``limit`` due assignments, oldest first; of one duty, or those of ``ids`` that are still due, if
    given. ``seen`` < limit: none is left."""
    rows = _claim(session, now, limit, duty_id, ids)
    result = EscalationResult(seen=len(rows))
    if not rows:
        return result
    batch, today = _Batch(), local_date(now)
    promised = [row for row in rows if is_past(row.promised_on, today)]
    if promised:
        with about(session, *{row.agency_id for row in promised}):
            break_past(session, [row.id for row in promised], now)
    # Most assignments of a plan and period have the same facts, so each distinct decision is computed once.
    decided: dict[tuple[int, Facts], Decision] = {}
    for row in rows:
        facts = Facts(row.state, row.opened_on, row.due_on, row.acted_until, row.promised_on, row.broken_before)
        decision = decided.get((row.ladder_id, facts))
        if decision is None:
            decision = decide(book.ladders[row.ladder_id], facts, book.calendar, today)
            decided[row.ladder_id, facts] = decision
        every_day = book.ladders[row.ladder_id].every_day
        _apply(row, facts, book.policy(row.policy_id), decision, now, batch, every_day=every_day)
        result.fired += len(decision.fired)
        result.skipped += len(decision.skipped)
    recipients = read_recipients(session, (line.agency_id for line in batch.lines))
    posted = post(session, batch.lines, recipients, book, now)
    result.notices, result.unreachable = posted.notices, len(posted.unreachable)
    if posted.unreachable:
        result.notices += _report_unreachable(session, posted.unreachable, rows, book, now)
    result.notices += remind_of_help(session, batch.reminded, book, now)
    append(session, batch.events)
    update_rows(session, Assignment, batch.schedule)
    return result


def _due(now: datetime) -> tuple[Any, ...]:
    a = table(Assignment)
    return a.c.next_action_at.is_not(None), a.c.next_action_at <= now, situations.owed()


@dataclass(frozen=True, slots=True, kw_only=True)
class _DueRow:
    """A due assignment as it is stored, with its plan."""

    id: int
    plan_id: int
    duty_id: int
    agency_id: str
    supervisor_id: str
    state: State
    opened_on: date
    due_on: date | None
    acted_until: date | None
    promised_on: date | None
    broken_before: int
    ladder_id: int
    level: int
    returns: int
    policy_id: str
    urgency: Urgency
    issuer_id: str


def _claim(
    session: Session, now: datetime, limit: int, duty_id: int | None, ids: Sequence[int] | None
) -> Sequence[_DueRow]:
    """The due rows, locked; rows locked by another worker are skipped."""
    a, p = table(Assignment), table(Plan)
    statement = (
        select(
            a.c.id,
            a.c.plan_id,
            a.c.duty_id,
            a.c.agency_id,
            a.c.supervisor_id,
            a.c.state,
            a.c.opened_on,
            a.c.due_on,
            a.c.acted_until,
            a.c.promised_on,
            a.c.broken_before,
            a.c.ladder_id,
            a.c.level,
            a.c.returns,
            p.c.policy_id,
            p.c.urgency,
            p.c.issuer_id,
        )
        .join(p, p.c.id == a.c.plan_id)
        .where(*_due(now))
        .order_by(a.c.next_action_at)
        .limit(limit)
        .with_for_update(skip_locked=True, of=a)
    )
    if duty_id is not None:
        statement = statement.where(a.c.duty_id == duty_id)
    if ids is not None:
        statement = statement.where(among(session, a.c.id, ids))
    return objects(_DueRow, session.connection().execute(statement))


def effect_base(assignment_id: int, chased_from: date | None, returns: int) -> str:
    """The key of a ladder's effects, without the rung: ``assignment:418:2021-06-17``; after a return, with which the
    ladder begins again, ``assignment:418:R1:2021-07-12``. ``chased_from``: of its facts."""
    again = f":R{returns}" if returns else ""
    return f"assignment:{assignment_id}{again}:{'-' if chased_from is None else chased_from.isoformat()}"


def _apply(
    row: _DueRow, facts: Facts, policy: Policy, decision: Decision, now: datetime, batch: _Batch, *, every_day: bool
) -> None:
    """Add the lines, events and next action of one decision to the batch. ``every_day``: its rungs count every day."""
    base = effect_base(row.id, facts.chased_from, row.returns)
    urgent = row.urgency.urgent
    counted: dict[str, Any] = {"every_day": True} if every_day else {}
    level = row.level
    for fired in decision.fired:
        rung = fired.rung
        effect = f"{base}:{rung.rung}"
        level = max(level, rung.level)
        if rung.kind is NoticeKind.REMINDER and row.promised_on is None:
            batch.reminded.append(row)
        for role in fired.roles:
            batch.lines.append(
                NoticeLine(
                    effect=effect,
                    assignment_id=row.id,
                    agency_id=for_role(role, owner=row.agency_id, supervisor=row.supervisor_id, issuer=row.issuer_id),
                    role=role,
                    kind=rung.kind,
                    policy=policy,
                    urgent=urgent,
                    rung=rung.rung,
                    level=rung.level,
                    by=rung.by,
                )
            )
        batch.events.append(
            event(
                EventKind.RUNG_FIRED,
                now,
                plan_id=row.plan_id,
                assignment_id=row.id,
                key=f"{effect}:fired",
                rung=rung.rung,
                on=fired.on.isoformat(),
                roles=list(fired.roles),
                letter=rung.kind,
                level=rung.level,
                **counted,
            )
        )
    for rung, on, reason in decision.skipped:
        batch.events.append(
            event(
                EventKind.RUNG_SKIPPED,
                now,
                plan_id=row.plan_id,
                assignment_id=row.id,
                key=f"{base}:{rung.rung}:skipped",
                rung=rung.rung,
                on=on.isoformat(),
                reason=reason,
                **counted,
            )
        )
    batch.schedule.append(
        {
            "id": row.id,
            "acted_until": decision.acted_until,
            "level": level,
            "quiet": decision.quiet,
            "next_action_at": None if decision.next_on is None else instant(decision.next_on, policy.decide_at),
        }
    )


def _report_unreachable(
    session: Session, lines: Sequence[NoticeLine], rows: Sequence[_DueRow], book: Rulebook, now: datetime
) -> int:
    """An agency without a reachable contact: log an event for each line, and add one to the monitor's letter."""
    by_id = {row.id: row for row in rows}
    append(session, [unreachable_event(line, by_id[line.assignment_id].plan_id, now) for line in lines])
    notices = [
        unreachable_line(line, f"{line.effect}:unreachable", by_id[line.assignment_id].supervisor_id)
        for line in lines
        if audience(line.role) is Role.COORDINATOR
    ]
    recipients = read_recipients(session, (line.agency_id for line in notices))
    return post(session, notices, recipients, book, now).notices
