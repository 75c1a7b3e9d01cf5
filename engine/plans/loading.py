"""Files into the database: directory, policy, calendar and plan, each whole or not at all.

The file models have checked the files already; here only what the database alone can know is checked. Loading the
same file twice changes nothing.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

from sqlalchemy import delete, insert, select, update
from sqlmodel import Session

from engine.agencies.stored_directory import read_directory
from engine.assignments.lifecycle import append, event
from engine.errors import BadInput, Conflict
from engine.files.directory import AgencyEntry, DirectoryFile
from engine.files.plan import PlanFile, against_directory
from engine.files.yaml_reader import read
from engine.rules.calendar import DayException
from engine.rules.policy import Policy
from engine.store.database import insert_new, table
from engine.store.records import Agency, AgencyGroup, CalendarDay, Contact, Duty, Plan, PolicyRecord, Succession
from engine.terms import EventKind, PlanState


def load_directory(session: Session, directory: DirectoryFile, *, actor: str, now: datetime) -> None:
    """Add or rename agencies, groups and successions; add contacts that are not there yet. Nobody is removed: a
    contact ends by its dates, an agency by its successors."""
    connection = session.connection()
    for entry in _parents_first(directory.agencies):
        row = _agency(entry)
        if connection.execute(update(table(Agency)).where(table(Agency).c.id == entry.id).values(**row)).rowcount == 0:
            connection.execute(insert(table(Agency)).values(**row))
    for group in directory.groups:
        members = list(directory.members(group.id))
        row = {"id": group.id, "name": group.name, "aliases": list(group.aliases), "members": members}
        groups = table(AgencyGroup)
        if connection.execute(update(groups).where(groups.c.id == group.id).values(**row)).rowcount == 0:
            connection.execute(insert(groups).values(**row))
    insert_new(session, Succession, [
        {"from_id": entry.id, "to_id": each.to, "on": each.on, "function": each.function, "basis": each.basis}
        for entry in directory.agencies for each in entry.successors
    ])  # fmt: skip
    contacts = table(Contact)
    known = set(map(tuple, connection.execute(select(contacts.c.agency_id, contacts.c.role, contacts.c.email))))
    rows: list[dict[str, Any]] = [
        {"agency_id": entry.id, "role": each.role, "label": each.label, "email": each.email, "phone": each.phone or "",
         "language": each.language, "valid_from": each.from_, "valid_until": each.until, "suppressed": {}}
        for entry in directory.agencies for each in entry.contacts if (entry.id, each.role, each.email) not in known
    ]  # fmt: skip
    if rows:
        connection.execute(insert(contacts), rows)
    digest = _digest(directory.model_dump(mode="json"))
    append(session, [event(EventKind.DIRECTORY_LOADED, now, actor=actor, key=f"directory:{directory.id}:{digest[:16]}",
                           directory=directory.id, name=directory.name, agencies=len(directory.agencies))])  # fmt: skip


def load_policy(session: Session, policy: Policy, *, actor: str, now: datetime) -> None:
    """Make this the current policy of its id. Open assignments keep the ladder they were opened with; what is still to
    open is looked at anew, since the horizon may be another. Loading it again changes nothing."""
    body = policy.model_dump(mode="json", by_alias=True)
    policies, plans, connection = table(PolicyRecord), table(Plan), session.connection()
    current = connection.execute(select(policies.c.body).where(policies.c.id == policy.id).with_for_update()).first()
    if current is not None and current.body == body:
        return
    if current is None:
        connection.execute(insert(policies).values(id=policy.id, body=body, loaded_at=now))
    else:
        connection.execute(update(policies).where(policies.c.id == policy.id).values(body=body, loaded_at=now))
    waiting = (plans.c.policy_id == policy.id, plans.c.state == PlanState.ACTIVE, plans.c.next_open_at.is_not(None))
    connection.execute(update(plans).where(*waiting).values(next_open_at=now))
    append(session, [event(EventKind.POLICY_LOADED, now, actor=actor, policy=policy.id, digest=_digest(body)[:16])])


def load_days(session: Session, days: Iterable[DayException]) -> int:
    """Add the operator's exceptions that are not known yet; days edited here later are not overwritten."""
    rows = [{"day": each.day, "kind": each.kind.value, "name": each.name, "basis": each.basis} for each in days]
    return insert_new(session, CalendarDay, rows)


def load_plan(session: Session, plan: PlanFile, *, actor: str, now: datetime) -> int:
    """Store a plan and its duties; returns its id. A loaded plan is replaced by a new text, an active one never."""
    plans = table(Plan)
    connection = session.connection()
    _must_know(session, [plan.issuer, plan.supervisor])
    if not connection.scalar(select(table(PolicyRecord).c.id).where(table(PolicyRecord).c.id == plan.policy)):
        raise BadInput(f"Chưa nạp chính sách «{plan.policy}». / Policy “{plan.policy}” is not loaded.")
    body = plan.model_dump(mode="json", by_alias=True)
    digest = _digest(body)
    same = (plans.c.number == plan.number, plans.c.issuer_id == plan.issuer, plans.c.year == plan.year)
    known = connection.execute(select(plans.c.id, plans.c.state, plans.c.digest).where(*same).with_for_update()).first()
    if known is not None and known.digest == digest:
        return int(known.id)
    if known is not None and known.state is not PlanState.LOADED:
        raise Conflict(
            f"Kế hoạch {plan.number} năm {plan.year} đang chạy nên không thể nạp đè; hãy sửa từng nhiệm vụ. "
            f"/ Plan {plan.number} is active: it cannot be replaced by a file; change its duties one by one."
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
    told = event(EventKind.PLAN_LOADED, now, actor=actor, plan_id=plan_id, key=key, duties=len(plan.duties))
    append(session, [told])
    return plan_id


def read_plan(session: Session, text: str) -> PlanFile:
    """The plan in a text, every body that it names known to the loaded directory. Raises FileRefused."""
    directory = read_directory(session)
    return read(text, PlanFile, also=lambda plan: against_directory(plan, directory))


def find_plan(session: Session, plan: PlanFile) -> tuple[int, PlanState] | None:
    """The id and state of the plan with this one's key: number, issuer and year."""
    p = table(Plan)
    same = (p.c.number == plan.number, p.c.issuer_id == plan.issuer, p.c.year == plan.year)
    found = session.connection().execute(select(p.c.id, p.c.state).where(*same)).first()
    return None if found is None else (int(found.id), found.state)


def expand_owners(session: Session, owners: Iterable[str]) -> tuple[str, ...]:
    """Agency ids of a list of agencies and groups, each once, in order. Raises BadInput for one nobody knows."""
    groups = {row.id: row.members for row in session.connection().execute(select(table(AgencyGroup)))}
    found: dict[str, None] = {}
    for owner in owners:
        found.update(dict.fromkeys(groups.get(owner, [owner])))
    _must_know(session, found)
    return tuple(found)


def name_on(names: list[dict[str, Any]], day: date) -> str:
    """The name an agency bore on a day: the first whose dates hold it, else its last."""
    for entry in names:
        begins, ends = entry.get("from"), entry.get("until")
        if (not begins or begins <= day.isoformat()) and (not ends or day.isoformat() <= ends):
            return str(entry["name"])
    return str(names[-1]["name"])


def _must_know(session: Session, ids: Iterable[str]) -> None:
    known = set(session.connection().scalars(select(table(Agency).c.id)))
    unknown = [each for each in ids if each not in known]
    if unknown:
        raise BadInput(
            f"Danh bạ chưa có: {', '.join(unknown)}; nạp danh bạ trước. "
            f"/ Not in the directory: {', '.join(unknown)}; load the directory first."
        )


def _plan(plan: PlanFile, body: dict[str, Any], digest: str) -> dict[str, Any]:
    return {
        "number": plan.number, "issuer_id": plan.issuer, "year": plan.year, "issued_on": plan.issued_on,
        "title": plan.title, "short_title": plan.short_title, "sms_name": plan.sms_name,
        "supervisor_id": plan.supervisor, "urgency": plan.urgency, "policy_id": plan.policy,
        "state": PlanState.LOADED, "digest": digest, "file": body,
    }  # fmt: skip


def _duties(session: Session, plan: PlanFile, plan_id: int) -> list[dict[str, Any]]:
    return [
        {
            "plan_id": plan_id, "position": position, "citation": citation, "heading": placed.item.heading,
            "text": placed.duty.text, "request": placed.item.request, "kind": placed.section.kind,
            "cadence": list(placed.duty.cadence), "rule": placed.duty.rule,
            "owners": list(expand_owners(session, placed.owners)), "coordinating": list(placed.duty.coordinating),
            "area": placed.duty.area, "repeats": placed.duty.repeats, "waits_for": list(placed.duty.waits_for),
        }
        for position, (citation, placed) in enumerate(plan.duties.items())
    ]  # fmt: skip


def _agency(entry: AgencyEntry) -> dict[str, Any]:
    latest = entry.names[-1]
    return {
        "id": entry.id, "level": entry.level, "code": entry.code, "parent_id": entry.parent,
        "name": latest.name, "short": latest.short or latest.name, "aliases": list(entry.aliases),
        "names": [each.model_dump(mode="json", by_alias=True) for each in entry.names],
    }  # fmt: skip


def _parents_first(agencies: Iterable[AgencyEntry]) -> list[AgencyEntry]:
    """An order in which every agency comes after its parent (the file model has refused circles)."""
    waiting = {entry.id: entry for entry in agencies}
    ordered: list[AgencyEntry] = []

    def place(entry: AgencyEntry) -> None:
        if entry.id in waiting:
            del waiting[entry.id]
            if entry.parent in waiting:
                place(waiting[entry.parent])
            ordered.append(entry)

    for entry in list(waiting.values()):
        place(entry)
    return ordered


def _digest(body: Any) -> str:
    return hashlib.sha256(json.dumps(body, sort_keys=True, ensure_ascii=False).encode()).hexdigest()
