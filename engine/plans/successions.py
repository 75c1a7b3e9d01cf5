"""A running plan follows the functions of its agencies: who owes its duties, and who follows it.

Agencies end, are merged and split while a plan runs (engine.store.records.Succession). Each owner that has ended, and a
supervising department whose function went elsewhere, is named with who took over and on what basis; an administrator
confirms one by one or all. Open work moves with its dates, later periods open with the new owner, and what happened
before keeps the names of its time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select, update
from sqlmodel import Session

from engine.agencies.agencies import MAX_BASIS_CHARS
from engine.agencies.directory_loading import expand_owners
from engine.assignments.handover import EndedOwner, Successions, ended_owners
from engine.assignments.lifecycle import supervisor_of
from engine.assignments.outbox import NoticeLine, post
from engine.errors import BadInput, Conflict, NotFound
from engine.plans.amendments import active_plan
from engine.plans.following import Following, Replaced, Reporting, follow
from engine.rules.calendar import local_date
from engine.store.database import table
from engine.store.event_log import record
from engine.store.recipients import last_day, read_recipients
from engine.store.records import Agency, Assignment, Contact, Duty, Plan
from engine.store.rulebook import read_rulebook
from engine.store.stored_rows import StoredPlan
from engine.terms import EventKind, NoticeKind, Role, State
from engine.text import Text

FOLLOWED = (State.ASSIGNED, State.ACKNOWLEDGED, State.RETURNED, State.REPORTED)
"""Assignments that somebody still follows; the others keep the department of their time."""


@dataclass(frozen=True)
class Replacement:
    """An ended owner, the duties that name it, and its successors today (``heirs``: ids; empty if none is recorded)."""

    ended: EndedOwner
    citations: tuple[str, ...]
    heirs: tuple[str, ...]
    basis: str


def proposed_replacements(session: Session, plan_id: int, now: datetime) -> tuple[Replacement, ...]:
    """The owners of an active plan's duties that have ended, with their proposed successors; ordered by name."""
    d = table(Duty)
    duties = session.connection().execute(select(d.c.citation, d.c.owners).where(d.c.plan_id == plan_id)).all()
    found, known = [], Successions(session, local_date(now))
    for each in ended_owners(session, plan_id, local_date(now)):
        citations = tuple(row.citation for row in duties if each.agency_id in row.owners)
        if citations:
            heirs = known.of(each.agency_id)
            basis = "; ".join(dict.fromkeys(heir.basis for heir in heirs))
            found.append(Replacement(each, citations, tuple(dict.fromkeys(heir.agency_id for heir in heirs)), basis))
    return tuple(sorted(found, key=lambda each: each.ended.name))


def replace_owner(
    session: Session,
    plan_id: int,
    ended_id: str,
    heirs: Sequence[str],
    *,
    basis: str,
    reporting: Reporting = Reporting.ALL,
    actor: str,
    now: datetime,
) -> Replaced:
    """Put successors (agencies or groups) in the place of an ended owner in every duty of an active plan
    (``engine.plans.following``). What it has reported is asked of nobody again. Raises BadInput, NotFound, Conflict."""
    require_basis(basis)
    plan = active_plan(session, plan_id, lock=True)
    new = expand_owners(session, heirs, local_date(now))
    if not new or ended_id in new:
        raise BadInput(Text("Chọn cơ quan kế thừa.", "Choose the successor."))
    known = Successions(session, local_date(now))
    if held := known.stand_ins & set(new):
        raise BadInput(
            Text(
                f"{', '.join(sorted(held))} chỉ giữ chỗ cho một nhóm đã có từng cơ quan; chọn các cơ quan đó.",
                f"{', '.join(sorted(held))} only held the place of agencies that are known now; choose those.",
            )
        )
    seats = frozenset(each.agency_id for each in known.of(ended_id) if each.seat)
    following = Following(
        ended_id=ended_id, heirs_of=lambda _: new, basis=basis.strip(), reporting=reporting, seats=seats
    )
    return follow(session, plan, following, actor=actor, now=now)


def change_supervisor(session: Session, plan_id: int, new_id: str, *, basis: str, actor: str, now: datetime) -> int:
    """Let another department follow an active plan from now on: what is open or waits for acceptance, its letters and
    links, and what opens later. Returns how many assignments it follows now. Raises BadInput, NotFound, Conflict."""
    require_basis(basis)
    plan = active_plan(session, plan_id, lock=True)
    a, g, c, connection = table(Assignment), table(Agency), table(Contact), session.connection()
    agency = connection.execute(select(g.c.name, g.c.names).where(g.c.id == new_id)).first()
    if agency is None:
        raise NotFound(Text("Không có cơ quan này trong danh bạ.", "There is no such agency in the directory."))
    if new_id == plan.supervisor_id:
        raise BadInput(Text("Cơ quan này đang theo dõi kế hoạch.", "This agency follows the plan already."))
    if (ended := last_day(agency.names)) is not None and ended < local_date(now):
        raise Conflict(Text(f"{agency.name} đã kết thúc.", f"{agency.name} has ended."))
    monitors = select(c.c.id).where(c.c.agency_id == new_id, c.c.role.in_((Role.MONITOR, Role.COORDINATOR, Role.HEAD)))
    if connection.scalar(monitors.limit(1)) is None:
        raise Conflict(
            Text(
                f"{agency.name} chưa có ai nhận thư; hãy thêm người theo dõi trong danh bạ trước.",
                f"{agency.name} has nobody who gets letters; add a monitor to the directory first.",
            )
        )
    connection.execute(update(table(Plan)).where(table(Plan).c.id == plan_id).values(supervisor_id=new_id))
    mine = (a.c.plan_id == plan_id, a.c.state.in_(FOLLOWED))
    followed = 0
    for owner_id in connection.scalars(select(a.c.agency_id).where(*mine).distinct()).all():
        above = supervisor_of(owner_id, new_id, plan.issuer_id)
        done = connection.execute(update(a).where(*mine, a.c.agency_id == owner_id).values(supervisor_id=above))
        followed += done.rowcount if above == new_id else 0
    said = {"was": _name(session, plan.supervisor_id), "became": str(agency.name), "basis": basis.strip()}
    for department, what in ((new_id, "follows"), (plan.supervisor_id, "left")):
        tell_department(session, plan, department, what, said, now)
    record(
        session,
        EventKind.SUPERVISOR_CHANGED,
        now,
        actor=actor,
        plan_id=plan_id,
        was=plan.supervisor_id,
        became=new_id,
        on=local_date(now).isoformat(),
        basis=basis.strip(),
    )
    return followed


def _name(session: Session, agency_id: str) -> str:
    g = table(Agency)
    return str(session.connection().scalars(select(g.c.name).where(g.c.id == agency_id)).one())


def tell_department(
    session: Session, plan: StoredPlan, department: str, what: str, said: Mapping[str, str], now: datetime
) -> None:
    """Tell the monitors of a department what changed about a plan (NoticeKind.REORGANISED). A plan of which nothing has
    opened brings no letter yet."""
    a, today = table(Assignment), local_date(now).isoformat()
    first = session.connection().scalar(select(func.min(a.c.id)).where(a.c.plan_id == plan.id))
    if first is None:
        return
    book = read_rulebook(session)
    line = NoticeLine(
        effect=f"plan:{plan.id}:{what}:{today}:{department}",
        assignment_id=first,
        agency_id=department,
        role=Role.MONITOR,
        kind=NoticeKind.REORGANISED,
        policy=book.policy(plan.policy_id),
        detail={"what": what, "on": today, **said},
    )
    post(session, [line], read_recipients(session, [department]), book, now)


def require_basis(basis: str) -> None:
    if not basis.strip():
        raise BadInput(Text("Cần ghi căn cứ, như số nghị quyết.", "Give the basis, such as a resolution's number."))
    if len(basis) > MAX_BASIS_CHARS:
        raise BadInput(
            Text(f"Căn cứ dài nhất {MAX_BASIS_CHARS} ký tự.", f"A basis has at most {MAX_BASIS_CHARS} characters.")
        )
