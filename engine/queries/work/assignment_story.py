"""One assignment in full: its state, ladder, events, letters, reports and extensions, and what it waits for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby
from typing import Any, TypeVar

from sqlalchemy import select
from sqlmodel import Session, SQLModel

from engine.accounts.permissions import ActorRole
from engine.errors import NotFound
from engine.queries.time_class import Today
from engine.queries.work.assignments import AssignmentFilter, AssignmentRow, columns, conditions, from_rows, joined
from engine.queries.work.ladder_steps import RUNG_EVENTS, EventLine, Notified, RungLine, RungState, rung_lines
from engine.rules.outputs import GivenOutput, Output, read_given, read_output
from engine.rules.periods import within
from engine.rules.policy import Facts, Ladder, Reason
from engine.store.database import table
from engine.store.records import (
    Account,
    Agency,
    Assignment,
    Contact,
    Duty,
    Event,
    Extension,
    LadderRecord,
    Letter,
    Notice,
    Plan,
    Promise,
    Report,
)
from engine.store.rulebook import ladder_text, parsed_ladder, read_policies
from engine.store.stored_rows import columns_for, object_of, objects
from engine.terms import COUNTED_STATES, PlanState, PromiseState, Role
from engine.text import Text

EVENTS_SHOWN = 300
Line = TypeVar("Line")


@dataclass(frozen=True, kw_only=True)
class DutyHead:
    """What the plan says about the duty; ``source`` of the due date is local («configured»), law or plan."""

    plan_title: str
    short_title: str
    heading: str
    position: int
    cadence: tuple[str, ...]
    area: str
    coordinating: tuple[str, ...]
    repeats: str
    waits_for: tuple[str, ...]
    output: Output | None
    indicators: Mapping[str, str]
    """The names of the plan's figures, by code."""
    issuer_id: str
    issuer: str
    supervisor: str
    nominal_due: date | None
    due_why: Mapping[str, str]
    window: tuple[date, date] | None
    source: str
    basis: str
    wording: str
    accepted_at: datetime | None
    transferred_from_id: int | None
    policy_id: str
    plan_supervisor_id: str
    plan_state: PlanState
    """The department that may change the plan; ``AssignmentRow.supervisor_id`` is the agency above this owner."""
    resubmit_on: date
    """By when the report would be asked for again, were it returned today."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportLine:
    id: int
    number: int
    submitted_at: datetime
    actor: str
    outcome: str
    reason: str
    body: str
    figures: Mapping[str, object]
    files: Sequence[Mapping[str, Any]]
    returned_at: datetime | None
    returned_reason: str
    resubmit_on: date | None
    paper_number: str
    paper_on: date | None
    output: Mapping[str, str] | None
    output_complete: bool | None
    returned_code: str

    @property
    def given(self) -> GivenOutput | None:
        """What it says of the duty's output."""
        return read_given(self.output)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtensionLine:
    id: int
    asked_at: datetime
    actor: str
    until: date
    reason: str
    decided_at: datetime | None
    decided_by: str
    granted: bool | None
    answer: str
    files: Sequence[Mapping[str, object]]


@dataclass(frozen=True, slots=True, kw_only=True)
class PromiseLine:
    id: int
    number: int
    made_at: datetime
    actor: str
    promised_on: date
    reason_code: str
    reason: str
    owed: str
    waits_for: str | None
    state: PromiseState
    decided_at: datetime | None
    answer: str
    ended_on: date | None

    @property
    def decidable(self) -> bool:
        """The department above may still refuse it."""
        return self.state in (PromiseState.WAITING, PromiseState.STANDING)


@dataclass(frozen=True, slots=True)
class Person:
    """Who the actor of an event is: role and agency of a contact or account, or an agency as such."""

    role: Role | ActorRole | None
    agency: str


@dataclass(frozen=True, kw_only=True)
class Story:
    """``events`` newest first. ``reasons``: of the plan's policy; ``waited_names``: of the agencies that promises wait
    for. ``waits_for``: the assignments that this one consolidates. ``people``:
    actor -> who it is, for the contacts, accounts and agencies that acted. ``every_day``: the rungs count every day."""

    row: AssignmentRow
    head: DutyHead
    rungs: tuple[RungLine, ...]
    every_day: bool
    events: tuple[EventLine, ...]
    letters: tuple[Notified, ...]
    reports: tuple[ReportLine, ...]
    extensions: tuple[ExtensionLine, ...]
    promises: tuple[PromiseLine, ...]
    reasons: tuple[Reason, ...]
    waited_names: Mapping[str, str]
    waits_for: tuple[AssignmentRow, ...]
    people: Mapping[str, Person]

    @property
    def phases(self) -> list[tuple[RungLine, ...]]:
        """The rungs by date, those side by side that do the same, or nothing for the same reason, together."""
        same = groupby(self.rungs, lambda each: (each.state, each.why or (each.kind, each.level)))
        return [tuple(run) for _, run in same]

    @property
    def coming(self) -> list[RungLine]:
        """The rungs that will send something; none while the task is quiet."""
        ahead = (RungState.DUE, RungState.NEXT, RungState.LATER)
        return [] if self.row.quiet else [each for each in self.rungs if each.state in ahead]

    @property
    def acts(self) -> list[EventLine]:
        """The events that no rung tells, newest first."""
        return [each for each in self.events if each.kind not in RUNG_EVENTS]

    @property
    def waiting_extension(self) -> ExtensionLine | None:
        return next((each for each in self.extensions if each.decided_at is None), None)


def assignment_row(session: Session, today: Today, assignment_id: int) -> AssignmentRow:
    """One assignment as a list row. Raises NotFound."""
    statement = joined(select(*columns(today))).where(table(Assignment).c.id == assignment_id)
    rows = from_rows(session.connection().execute(statement).all())
    if not rows:
        raise NotFound(Text(f"Không có việc số {assignment_id}.", f"There is no assignment {assignment_id}."))
    return rows[0]


def story(session: Session, today: Today, assignment_id: int) -> Story:
    """One assignment in full; about ten queries. Raises NotFound."""
    row = assignment_row(session, today, assignment_id)
    facts, ladder, head = _head(session, row, today)
    events = _events(session, assignment_id)
    notified = _notified(session, assignment_id)
    reports = _list(session, Report, ReportLine, assignment_id)
    extensions = _list(session, Extension, ExtensionLine, assignment_id)
    promises = _list(session, Promise, PromiseLine, assignment_id)
    rungs = rung_lines(
        assignment_id,
        ladder,
        facts,
        events,
        notified,
        today.calendar,
        today.day,
        ended=head.plan_state is PlanState.ENDED,
        returns=row.returns,
        unfinished=row.unfinished,
    )
    waits_for: tuple[AssignmentRow, ...] = ()
    if head.waits_for:
        waits_for = waited_for(session, today, row.plan_id, row.period, head.waits_for)
    actors = [each.actor for some in (events, reports, extensions, promises) for each in some]
    people = people_of(session, actors)
    return Story(
        row=row,
        head=head,
        rungs=rungs,
        every_day=ladder.every_day,
        events=events[::-1],
        letters=notified,
        reports=reports,
        extensions=extensions,
        promises=promises,
        reasons=read_policies(session)[head.policy_id].reasons,
        waited_names=_waited_names(session, promises),
        waits_for=waits_for,
        people=people,
    )


def _head(session: Session, row: AssignmentRow, today: Today) -> tuple[Facts, Ladder, DutyHead]:
    a, d, p, ladder = table(Assignment), table(Duty), table(Plan), table(LadderRecord)
    supervisor, issuer = table(Agency, "above"), table(Agency, "issuer")
    statement = (
        select(
            a,
            d.c.heading,
            d.c.position,
            d.c.cadence,
            d.c.area,
            d.c.coordinating,
            d.c.repeats,
            d.c.waits_for,
            d.c.output,
            d.c.rule,
            p.c.title,
            p.c.short_title,
            p.c.issuer_id,
            p.c.policy_id,
            p.c.supervisor_id.label("plan_supervisor_id"),
            p.c.state.label("plan_state"),
            issuer.c.name.label("issuer"),
            supervisor.c.name.label("supervisor"),
            p.c.file["report_rules"].label("rules"),
            p.c.file["focus_areas"].label("areas"),
            p.c.file["indicators"].label("figures"),
            ladder_text(),
        )
        .join(d, d.c.id == a.c.duty_id)
        .join(p, p.c.id == a.c.plan_id)
        .join(supervisor, supervisor.c.id == a.c.supervisor_id)
        .join(issuer, issuer.c.id == p.c.issuer_id)
        .join(ladder, ladder.c.id == a.c.ladder_id)
        .where(a.c.id == row.id)
    )
    found = session.connection().execute(statement).one()
    rule = (found.rules or {}).get(found.rule, {})
    area = next((f"{each['code']} {each['title']}" for each in found.areas or () if each["code"] == found.area), "")
    window = (found.window_start, found.window_end) if found.window_start and found.window_end else None
    head = object_of(
        DutyHead,
        found,
        plan_title=found.title,
        cadence=tuple(found.cadence),
        area=area,
        coordinating=tuple(_names(session, found.coordinating)),
        repeats=found.repeats or "",
        waits_for=tuple(found.waits_for),
        output=read_output(found.output),
        indicators={each["code"]: each["name"] for each in found.figures or ()},
        window=window,
        source=str(rule.get("source", "")),
        basis=str(rule.get("basis", "")),
        wording=str(rule.get("wording", "")),
        resubmit_on=max(today.calendar.shift(today.day, today.resubmit_days[found.policy_id]), row.due_on or today.day),
    )
    facts = Facts(found.state, found.opened_on, found.due_on, found.acted_until, found.promised_on, found.broken_before)
    return facts, parsed_ladder(found.ladder), head


def _names(session: Session, ids: Sequence[str]) -> list[str]:
    """Names of agencies; for a group or an unknown id, the id itself."""
    if not ids:
        return []
    g = table(Agency)
    statement = select(g.c.id, g.c.name).where(g.c.id.in_(ids))
    known = {row[0]: row[1] for row in session.connection().execute(statement)}
    return [known.get(each, each) for each in ids]


def _waited_names(session: Session, promises: Sequence[PromiseLine]) -> dict[str, str]:
    ids = sorted({each.waits_for for each in promises if each.waits_for})
    return dict(zip(ids, _names(session, ids), strict=True))


def _events(session: Session, assignment_id: int) -> tuple[EventLine, ...]:
    """The last events, oldest first."""
    e = table(Event)
    statement = select(e.c.at, e.c.kind, e.c.actor, e.c.detail, e.c.key).where(e.c.assignment_id == assignment_id)
    rows = session.connection().execute(statement.order_by(e.c.id.desc()).limit(EVENTS_SHOWN))
    return tuple(reversed(objects(EventLine, rows)))


def _notified(session: Session, assignment_id: int) -> tuple[Notified, ...]:
    """All letter lines about it, in order of creation."""
    n, letter, c, g = table(Notice), table(Letter), table(Contact), table(Agency)
    statement = (
        select(
            n.c.key,
            n.c.kind,
            n.c.rung,
            n.c.level,
            n.c.obsolete.label("obsolete"),
            n.c.detail,
            letter.c.id.label("letter_id"),
            letter.c.day,
            letter.c.channel,
            letter.c.role,
            c.c.label,
            g.c.name.label("agency"),
            letter.c.state,
            letter.c.reason,
            letter.c.send_after,
            letter.c.sent_at,
            letter.c.settled_at,
        )
        .join(letter, letter.c.id == n.c.letter_id)
        .join(c, c.c.id == letter.c.contact_id)
        .join(g, g.c.id == letter.c.agency_id)
        .where(n.c.assignment_id == assignment_id)
        .order_by(n.c.id)
    )
    return tuple(objects(Notified, session.connection().execute(statement)))


def _list(session: Session, record: type[SQLModel], line: type[Line], assignment_id: int) -> tuple[Line, ...]:
    """The rows of a table about an assignment as ``line`` objects, oldest first."""
    source = table(record)
    statement = select(*columns_for(line, source)).where(source.c.assignment_id == assignment_id)
    return tuple(objects(line, session.connection().execute(statement.order_by(source.c.id))))


def waited_for(
    session: Session, today: Today, plan_id: int, period: str, citations: Sequence[str]
) -> tuple[AssignmentRow, ...]:
    """The assignments that a report of a period consolidates: of the same period, and of a duty that is reported more
    often (by the quarter, say) those whose period falls into it."""
    a, d = table(Assignment), table(Duty)
    of_plan = conditions(AssignmentFilter(plan_id=plan_id, states=COUNTED_STATES), today)
    periods = session.connection().scalars(select(a.c.period).where(a.c.plan_id == plan_id).distinct())
    fitting = [each for each in periods if within(period, each)]
    statement = joined(select(*columns(today))).where(*of_plan, d.c.citation.in_(citations), a.c.period.in_(fitting))
    found = from_rows(session.connection().execute(statement.order_by(d.c.position, a.c.agency_id, a.c.due_on)).all())
    same = {row.duty_id for row in found if row.period == period}
    return tuple(row for row in found if row.period == period or row.duty_id not in same)


def people_of(session: Session, actors: Iterable[str]) -> dict[str, Person]:
    """The actors found in the directory or among the accounts; three queries at most."""
    named = [actor.partition(":") for actor in set(actors)]
    agency_ids = [rest for kind, _, rest in named if kind == "agency"]
    g = table(Agency)
    found: dict[str, Person] = {}
    for own_kind, people, role in (("contact", table(Contact), Role), ("account", table(Account), ActorRole)):
        ids = [int(rest) for kind, _, rest in named if kind == own_kind and rest.isdecimal()]
        if ids:
            statement = select(people.c.id, people.c.role, g.c.name).join(g, g.c.id == people.c.agency_id)
            rows = session.connection().execute(statement.where(people.c.id.in_(ids)))
            found |= {f"{own_kind}:{row.id}": Person(role(row.role), row.name) for row in rows}
    if agency_ids:
        agencies = select(g.c.id, g.c.name).where(g.c.id.in_(agency_ids))
        found |= {f"agency:{row.id}": Person(None, row.name) for row in session.connection().execute(agencies)}
    return found
