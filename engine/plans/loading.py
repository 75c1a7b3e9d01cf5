"""Loads policies, calendar days and plans into the database, each in one transaction.

The file models have validated the files; checked here is only what needs the database. Loading the same file twice
changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, delete, insert, select, update
from sqlmodel import Session

from engine.agencies.directory_loading import expand_owners, require_known_agencies
from engine.agencies.stored_directory import read_directory
from engine.assignments import calendar_change
from engine.assignments.calendar_change import Change, Preview
from engine.errors import BadInput, Conflict
from engine.files.plan import PlanFile, loading_mistakes
from engine.files.stored_plan import document_body, plan_body
from engine.files.yaml_reader import read
from engine.rules.calendar import DayException
from engine.rules.policy import Policy
from engine.store.content_digest import content_digest
from engine.store.database import table
from engine.store.event_log import append, event
from engine.store.records import CalendarDay, Duty, Plan, PolicyRecord
from engine.terms import EventKind, PlanState
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
    append(
        session, [event(EventKind.POLICY_LOADED, now, actor=actor, policy=policy.id, digest=content_digest(body)[:16])]
    )


def preview_days(session: Session, days: Iterable[DayException], now: datetime) -> tuple[int, Preview]:
    """How many days ``load_days`` would add, and what that would move."""
    change = _unknown_days(session, days)
    return len(change.set), calendar_change.preview(session, change, now) if change.set else Preview()


def load_days(
    session: Session, days: Iterable[DayException], *, actor: str, now: datetime, previewed: str = ""
) -> Preview:
    """Add the operator's exceptions that do not exist yet, and move the due dates that they move, as a change on the
    calendar's page does; days edited in the application are not overwritten. ``previewed``: see
    ``calendar_change.apply``."""
    change = _unknown_days(session, days)
    return (
        calendar_change.apply(session, change, actor=actor, now=now, previewed=previewed) if change.set else Preview()
    )


def _unknown_days(session: Session, days: Iterable[DayException]) -> Change:
    known = set(session.connection().scalars(select(table(CalendarDay).c.day)))
    return Change(tuple(each for each in days if each.day not in known))


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
    loaded = event(EventKind.PLAN_LOADED, now, actor=actor, plan_id=plan_id, key=key, duties=len(plan.duties))
    append(session, [loaded])
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


def _plan(plan: PlanFile, body: dict[str, Any], digest: str) -> dict[str, Any]:
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
            "owners": list(expand_owners(session, placed.owners)),
            "coordinating": list(expand_owners(session, placed.duty.coordinating)),
            "area": placed.duty.area,
            "repeats": placed.duty.repeats,
            "waits_for": list(placed.duty.waits_for),
        }
        for position, (citation, placed) in enumerate(plan.duties.items())
    ]
