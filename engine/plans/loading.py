"""Loads policies, calendar days and plans into the database, each in one transaction.

The file models have validated the files; checked here is only what needs the database. Loading the same file twice
changes nothing.

Open work that keeps the ladder of an earlier policy, and its move to that of today where nothing has been reminded.

An assignment keeps the ladder it was opened with, so that a changed policy changes nothing behind anybody's back. What
none of its reminders has reached may be moved: an administrator is told how much that is, and decides.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, delete, func, insert, select, update
from sqlmodel import Session

from engine.agencies.directory_loading import expand_owners, read_directory, require_known_agencies
from engine.assignments import calendar_change, situations
from engine.assignments.calendar_change import CalendarChange, Preview
from engine.errors import BadInput, Conflict
from engine.files.plan import PlanFile, loading_mistakes
from engine.files.stored_plan import document_body, plan_body
from engine.files.yaml_reader import read
from engine.rules.calendar import DayException, DayKind, instant, local_date
from engine.rules.policy import Facts, Ladder, Policy, dates, next_look
from engine.store.database import table
from engine.store.event_log import content_digest, record
from engine.store.records import Assignment, CalendarDay, Duty, Event, Plan, PolicyRecord
from engine.store.rulebook import Rulebook, read_rulebook, store_ladder
from engine.store.stored_rows import columns_for, object_of
from engine.terms import EventKind, PlanState, State
from engine.text import Text


def load_policy(session: Session, policy: Policy, *, actor: str, now: datetime) -> None:
    """Make this the current policy of its id. Open assignments keep the ladder they were opened with; openings are
    planned again, since the horizon may have changed. Loading it again changes nothing."""
    body = policy.model_dump(mode="json", by_alias=True)
    policies, plans, connection = table(PolicyRecord), table(Plan), session.connection()
    current = connection.execute(select(policies.c.body).where(policies.c.id == policy.id).with_for_update()).first()
    if current is not None and current.body == body:
        return
    if current is None:
        connection.execute(insert(policies).values(id=policy.id, body=body, loaded_at=now))
    else:
        connection.execute(update(policies).where(policies.c.id == policy.id).values(body=body, loaded_at=now))
    to_plan_again = (
        plans.c.policy_id == policy.id,
        plans.c.state == PlanState.ACTIVE,
        plans.c.next_open_at.is_not(None),
    )
    connection.execute(update(plans).where(*to_plan_again).values(next_open_at=now))
    record(session, EventKind.POLICY_LOADED, now, actor=actor, policy=policy.id, digest=content_digest(body)[:16])


def load_days(session: Session, days: Iterable[DayException], *, actor: str, now: datetime) -> None:
    """Add the days that are not stored yet, and move the due dates that they move, as a change on the calendar's page
    does. For the days that ship with the product: what an office has is not changed by them."""
    known = set(session.connection().scalars(select(table(CalendarDay).c.day)))
    change = CalendarChange(tuple(each for each in days if each.day not in known))
    if change.set:
        calendar_change.apply(session, change, actor=actor, now=now)


@dataclass(frozen=True)
class FileDays:
    """What a calendar file changes. ``changed``: stored days that it gives otherwise. ``kept``: those that were edited
    or dropped in the application since, which stay so. ``missing``: days of its years that a file gave and this one
    does not; they are in ``change`` only if they are to be dropped."""

    change: CalendarChange
    changed: tuple[date, ...] = ()
    kept: tuple[date, ...] = ()
    missing: tuple[date, ...] = ()

    @property
    def anything(self) -> bool:
        return bool(self.change.set or self.change.drop)

    @property
    def added(self) -> int:
        return len(self.change.set) - len(self.changed)


def file_days(session: Session, days: Iterable[DayException], *, drop: bool = False) -> FileDays:
    """Compare the days of a calendar file with the stored ones. ``drop``: days that it no longer has are dropped."""
    d = table(CalendarDay)
    stored = {
        row.day: DayException(row.day, DayKind(row.kind), row.name, row.basis)
        for row in session.connection().execute(select(d.c.day, d.c.kind, d.c.name, d.c.basis))
    }
    given = {each.day: each for each in days}
    edited = _edited_in_the_application(session)
    differing = [day for day, each in given.items() if stored.get(day) != each]
    years = {day.year for day in given}
    missing = tuple(sorted(day for day in stored if day.year in years and day not in given and day not in edited))
    change = CalendarChange(tuple(given[day] for day in differing if day not in edited), missing if drop else ())
    return FileDays(
        change=change,
        changed=tuple(sorted(each.day for each in change.set if each.day in stored)),
        kept=tuple(sorted(day for day in differing if day in edited)),
        missing=missing,
    )


def preview_file_days(session: Session, found: FileDays, now: datetime) -> Preview:
    """What the file would move."""
    return calendar_change.preview(session, found.change, now) if found.anything else Preview()


def load_file_days(session: Session, found: FileDays, *, actor: str, now: datetime, previewed: str = "") -> None:
    """Change the days and move what they move, as the calendar's page does. ``previewed``: see
    ``calendar_change.apply``."""
    if found.anything:
        calendar_change.apply(session, found.change, actor=actor, now=now, previewed=previewed)


def _edited_in_the_application(session: Session) -> set[date]:
    """The days that somebody signed in changed or dropped last; the command line changes days by files alone."""
    e = table(Event)
    events = select(e.c.actor, e.c.detail).where(e.c.kind == EventKind.CALENDAR_CHANGED).order_by(e.c.id)
    last: dict[str, str] = {}
    for actor, detail in session.connection().execute(events):
        last |= dict.fromkeys((*detail["set"], *detail["drop"]), actor)
    return {date.fromisoformat(day) for day, actor in last.items() if not actor.startswith("cli")}


def load_plan(session: Session, plan: PlanFile, *, actor: str, now: datetime) -> int:
    """Store a plan and its duties; returns its id. Replaces a plan that is loaded but never one that is active."""
    plans = table(Plan)
    connection = session.connection()
    require_known_agencies(session, [plan.issuer, plan.supervisor])
    if not connection.scalar(select(table(PolicyRecord).c.id).where(table(PolicyRecord).c.id == plan.policy)):
        raise BadInput(Text(f"Chưa nạp chính sách «{plan.policy}».", f"Policy “{plan.policy}” is not loaded."))
    body = plan_body(plan)
    digest = content_digest(document_body(plan))
    columns = (plans.c.id, plans.c.state, plans.c.digest, plans.c.file)
    known = connection.execute(select(*columns).where(*_same(plan)).with_for_update()).first()
    if known is not None and known.digest == digest and (known.state is not PlanState.LOADED or known.file == body):
        return int(known.id)
    if known is not None and known.state is not PlanState.LOADED:
        raise Conflict(
            Text(
                f"Kế hoạch {plan.number} ban hành năm {plan.issued_on.year} đang thực hiện nên không thay bằng tệp "
                "khác được; hãy sửa từng nhiệm vụ.",
                f"Plan {plan.number} is active: it cannot be replaced by a file; change its duties one by one.",
            )
        )
    values = _plan(plan, body, digest)
    if known is None:
        plan_id = int((connection.execute(insert(plans).values(**values)).inserted_primary_key or (0,))[0])
    else:
        plan_id = int(known.id)
        connection.execute(update(plans).where(plans.c.id == plan_id).values(**values))
        connection.execute(delete(table(Duty)).where(table(Duty).c.plan_id == plan_id))
    connection.execute(insert(table(Duty)), _duties(session, plan, plan_id))
    key = f"plan:{plan_id}:{digest[:16]}"
    record(session, EventKind.PLAN_LOADED, now, actor=actor, plan_id=plan_id, key=key, duties=len(plan.duties))
    return plan_id


def read_plan(session: Session, text: str) -> PlanFile:
    """Parse the text of a plan and check its agencies against the loaded directory. Raises FileRefused."""
    directory = read_directory(session)
    return read(text, PlanFile, also=lambda plan: loading_mistakes(plan, directory))


def find_plan(session: Session, plan: PlanFile) -> tuple[int, PlanState] | None:
    """The id and state of the stored plan with the same key: number, issuer and year of issue."""
    p = table(Plan)
    row = session.connection().execute(select(p.c.id, p.c.state).where(*_same(plan))).first()
    return None if row is None else (int(row.id), row.state)


def _same(plan: PlanFile) -> tuple[ColumnElement[bool], ...]:
    """Condition: a stored plan of the same key. Not of the year that it plans: 25/KH-UBND of November for the next year
    and 25/KH-UBND of that January are two plans."""
    p = table(Plan)
    year = plan.issued_on.year
    issued = p.c.issued_on.between(date(year, 1, 1), date(year, 12, 31))
    return p.c.number == plan.number, p.c.issuer_id == plan.issuer, issued


def _plan(plan: PlanFile, body: dict[str, object], digest: str) -> dict[str, Any]:
    return {
        "number": plan.number,
        "issuer_id": plan.issuer,
        "year": plan.year,
        "issued_on": plan.issued_on,
        "title": plan.title,
        "short_title": plan.short_title,
        "sms_name": plan.sms_name,
        "supervisor_id": plan.supervisor,
        "urgency": plan.urgency,
        "policy_id": plan.policy,
        "state": PlanState.LOADED,
        "digest": digest,
        "file": body,
    }


def _duties(session: Session, plan: PlanFile, plan_id: int) -> list[dict[str, Any]]:
    return [
        {
            "plan_id": plan_id,
            "position": position,
            "citation": citation,
            "heading": placed.item.heading,
            "text": placed.duty.text,
            "request": placed.item.request,
            "kind": placed.section.kind,
            "cadence": list(placed.duty.cadence),
            "rule": placed.duty.rule,
            "owners": list(expand_owners(session, placed.owners, plan.issued_on)),
            "coordinating": list(expand_owners(session, placed.duty.coordinating)),
            "area": placed.duty.area,
            "repeats": placed.duty.repeats,
            "waits_for": list(placed.duty.waits_for),
            "output": placed.duty.output and placed.duty.output.model_dump(mode="json"),
        }
        for position, (citation, placed) in enumerate(plan.duties.items())
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Alike:
    """Assignments of one plan to which the same rungs come on the same days."""

    plan_id: int
    ladder_id: int
    state: State
    opened_on: date
    due_on: date | None
    acted_until: date | None
    promised_on: date | None
    broken_before: int
    request: bool


@dataclass(frozen=True, slots=True)
class KeptLadders:
    """How many open assignments of running plans keep an earlier ladder, and of how many no reminder has fired."""

    kept: int = 0
    movable: int = 0


def kept_ladders(session: Session, policy_id: str, changed: Policy | None = None) -> KeptLadders:
    """``changed``: the policy as it would be. Raises NotFound."""
    book = read_rulebook(session)
    kept = movable = 0
    for alike, count, ladder in _with_old(session, book, changed or book.policy(policy_id)):
        kept += count
        movable += count if _unreminded(book, alike, ladder) else 0
    return KeptLadders(kept, movable)


def move_to_new_ladders(session: Session, policy_id: str, *, actor: str, now: datetime) -> int:
    """Give the policy's ladder of today to what no reminder has reached; returns how many. Raises NotFound."""
    book, a = read_rulebook(session), table(Assignment)
    policy, moved = book.policy(policy_id), 0
    for alike, _, ladder in list(_with_old(session, book, policy)):
        if not _unreminded(book, alike, ladder):
            continue
        facts = Facts(alike.state, alike.opened_on, alike.due_on, alike.acted_until)
        on, quiet = next_look(ladder, facts, book.calendar)
        at = None if on is None else instant(max(on, local_date(now)), policy.decide_at)
        same = [getattr(a.c, each.name).is_not_distinct_from(getattr(alike, each.name)) for each in fields(alike)]
        values = {"ladder_id": store_ladder(session, ladder), "next_action_at": at, "quiet": quiet}
        statement = update(a).where(situations.owed(), *same).values(**values)
        moved += session.connection().execute(statement).rowcount
    if moved:
        record(session, EventKind.POLICY_LOADED, now, actor=actor, policy=policy_id, moved=moved)
    return moved


def _with_old(session: Session, book: Rulebook, policy: Policy) -> Iterator[tuple[_Alike, int, Ladder]]:
    """What keeps another ladder than its policy has now, how many of each, and the ladder of now."""
    a, p = table(Assignment), table(Plan)
    of_plans = (p.c.policy_id == policy.id, p.c.state == PlanState.ACTIVE)
    urgent = {
        row.id: row.urgency.urgent for row in session.connection().execute(select(p.c.id, p.c.urgency).where(*of_plans))
    }
    columns = columns_for(_Alike, a)
    statement = (
        select(*columns, func.count().label("n"))
        .where(situations.owed(), a.c.plan_id.in_(list(urgent)))
        .group_by(*columns)
    )
    for row in session.connection().execute(statement).all():
        alike = object_of(_Alike, row)
        ladder = policy.ladder(request=alike.request, urgent=urgent[alike.plan_id])
        if book.ladders[alike.ladder_id] != ladder:
            yield alike, row.n, ladder


def _unreminded(book: Rulebook, alike: _Alike, new: Ladder) -> bool:
    """No rung that is counted from the due date has fired, nor lies behind on the new ladder."""
    if alike.promised_on is not None or alike.state not in (State.ASSIGNED, State.ACKNOWLEDGED):
        return False
    acted = alike.acted_until or alike.opened_on
    return all(
        on > acted
        for ladder in (book.ladders[alike.ladder_id], new)
        for on, rung in dates(ladder, alike.opened_on, alike.due_on, book.calendar)
        if rung.due is not None
    )
