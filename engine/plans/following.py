"""A running plan follows the functions of its agencies: an owner has ended, who follows it takes over its duties and
what it still owed; or another department follows the plan.

Of a period that was over on its last day nothing is taken out of the figures: it stays in its name, nobody asks for it
any more, and who follows reports on a line of its own («sau 01/7/2025»: ``engine.rules.periods.after``). What was due
later moves with its dates. Later periods open with the new owners.

Agencies end, are merged and split while a plan runs (engine.store.records.Succession). Each owner that has ended, and a
supervising department whose function went elsewhere, is named with who took over and on what basis; an administrator
confirms one by one or all. Open work moves with its dates, later periods open with the new owner, and what happened
before keeps the names of its time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import func, select, update
from sqlmodel import Session

from engine.agencies.agencies import MAX_BASIS_CHARS
from engine.agencies.directory_loading import expand_owners
from engine.assignments import situations
from engine.assignments.handover import EndedOwner, Successions, ended_owners, instead_of
from engine.assignments.lifecycle import cancel, keep_for_figures, open_new, supervisor_of, transfer
from engine.assignments.outbox import NoticeLine, post
from engine.errors import BadInput, Conflict, NotFound
from engine.plans.amendments import active_plan
from engine.rules.calendar import ONE_DAY, Due, local_date, written
from engine.rules.periods import after
from engine.rules.policy import Policy
from engine.rules.situation import Action, is_ahead, is_past
from engine.store.database import table
from engine.store.event_log import record
from engine.store.recipients import last_day, read_recipients
from engine.store.records import Agency, Assignment, Contact, Duty, Plan
from engine.store.rulebook import Rulebook, read_rulebook, store_ladder
from engine.store.stored_rows import StoredAssignment, StoredPlan, columns_for, objects, select_assignments
from engine.terms import EventKind, NoticeKind, Role, State
from engine.text import Text


class Reporting(StrEnum):
    """Who reports what an ended agency still owed, where several follow it."""

    SEAT = "seat"
    ALL = "all"
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class DutyOfPlan:
    """A duty as it is stored."""

    id: int
    citation: str
    heading: str
    text: str
    owners: list[str]
    coordinating: list[str]


@dataclass(frozen=True, kw_only=True)
class Following:
    """How an agency is followed. ``heirs_of``: a duty -> the ids of who takes it over. ``seats``: who reports alone
    where ``reporting`` says so. ``basis``: the legal one."""

    ended_id: str
    heirs_of: Callable[[DutyOfPlan], Sequence[str]]
    basis: str
    reporting: Reporting = Reporting.ALL
    seats: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Replaced:
    """How many assignments were ``moved`` with their dates, ``merged`` into one that the successor has, ``opened`` for
    successors, ``cancelled`` because of them, and ``kept`` in the figures of a period that was over."""

    moved: int = 0
    merged: int = 0
    opened: int = 0
    cancelled: int = 0
    kept: int = 0

    def __add__(self, other: Replaced) -> Replaced:
        return Replaced(**{name: getattr(self, name) + getattr(other, name) for name in self.__slots__})


@dataclass(frozen=True, slots=True, kw_only=True)
class _Act:
    """What every step of one act needs."""

    session: Session
    plan: StoredPlan
    following: Following
    name: str
    begins: date
    """The day after the agency's last."""
    book: Rulebook
    actor: str
    now: datetime

    @property
    def policy(self) -> Policy:
        return self.book.policy(self.plan.policy_id)

    @property
    def instead(self) -> Text:
        return instead_of(self.name, self.begins - ONE_DAY, self.following.basis)


def follow(session: Session, plan: StoredPlan, following: Following, *, actor: str, now: datetime) -> Replaced:
    """Put those who follow into the place of an ended agency, in every duty of an active plan that names it. Raises
    BadInput, Conflict."""
    d, g, p = table(Duty), table(Agency), table(Plan)
    connection = session.connection()
    ended = connection.execute(select(g.c.name, g.c.names).where(g.c.id == following.ended_id)).one()
    until = last_day(ended.names)
    act = _Act(
        session=session,
        plan=plan,
        following=following,
        name=str(ended.names[-1]["name"]),
        begins=local_date(now) if until is None else until + ONE_DAY,
        book=read_rulebook(session),
        actor=actor,
        now=now,
    )
    statement = select(*columns_for(DutyOfPlan, d)).where(d.c.plan_id == plan.id).order_by(d.c.position)
    done, new_owners = Replaced(), dict[str, None]()
    for duty in objects(DutyOfPlan, connection.execute(statement)):
        if following.ended_id in (*duty.owners, *duty.coordinating):
            heirs = tuple(following.heirs_of(duty))
            if following.ended_id in duty.owners:
                done += _settle_duty(act, duty, heirs)
                new_owners |= dict.fromkeys(heirs)
            _replace_in(act, duty, heirs)
    by = {"by": list(new_owners), "on": act.begins.isoformat(), "basis": following.basis, "name": act.name}
    before: dict[str, Any] = connection.scalars(select(p.c.followed).where(p.c.id == plan.id)).one()
    followed = {**before, following.ended_id: by}
    connection.execute(update(p).where(p.c.id == plan.id).values(followed=followed))
    return done


def _replace_in(act: _Act, duty: DutyOfPlan, heirs: Sequence[str]) -> None:
    was = {"owners": duty.owners, "coordinating": duty.coordinating}
    became = {name: _in_place(agencies, act.following.ended_id, heirs) for name, agencies in was.items()}
    became["coordinating"] = [each for each in became["coordinating"] if each not in became["owners"]]
    changed = {name: agencies for name, agencies in became.items() if agencies != was[name]}
    act.session.connection().execute(update(table(Duty)).where(table(Duty).c.id == duty.id).values(**changed))
    record(
        act.session,
        EventKind.DUTY_AMENDED,
        act.now,
        actor=act.actor,
        plan_id=act.plan.id,
        duty=duty.id,
        citation=duty.citation,
        basis=act.following.basis,
        was={name: was[name] for name in changed},
        became=changed,
        due={},
    )


def _in_place(agencies: Sequence[str], ended_id: str, heirs: Sequence[str]) -> list[str]:
    """The agencies with the successors where the ended one stood, each once."""
    return list(dict.fromkeys(heir for each in agencies for heir in (heirs if each == ended_id else [each])))


def _settle_duty(act: _Act, duty: DutyOfPlan, heirs: Sequence[str]) -> Replaced:
    """What the ended agency still owes of a duty."""
    a = table(Assignment)
    owed = (a.c.duty_id == duty.id, a.c.agency_id == act.following.ended_id, situations.can(Action.FOLLOW))
    found = act.session.connection().execute(select_assignments().where(*owed).order_by(a.c.due_on, a.c.id))
    done = Replaced()
    for row in objects(StoredAssignment, found):
        done += _settle(act, row, _reporting(act, row, heirs))
    return done


def _reporting(act: _Act, row: StoredAssignment, heirs: Sequence[str]) -> Sequence[str]:
    """Who reports in the place of the ended agency: all of a period that goes on, of another those who were chosen."""
    goes_on = row.window_end is not None and row.window_end >= act.begins
    if len(heirs) == 1 or goes_on or act.following.reporting is Reporting.ALL:
        return heirs
    if act.following.reporting is Reporting.NONE:
        return ()
    seat = [each for each in heirs if each in act.following.seats]
    if not seat:
        raise BadInput(
            Text(
                f"Danh bạ chưa ghi cơ quan nào ở nơi đặt trụ sở của {act.name}; hãy chọn cách khác.",
                f"The directory does not say which agency has the seat of {act.name}; choose otherwise.",
            )
        )
    return seat[:1]


def _settle(act: _Act, row: StoredAssignment, to: Sequence[str]) -> Replaced:
    basis = act.following.basis
    over = row.state is State.REPORTED or is_past(row.due_on, act.begins)
    if over:
        keep_for_figures(act.session, row.id, followed_by=to, basis=basis, actor=act.actor, now=act.now)
        return Replaced(kept=1, opened=_open(act, row, after(row.period, act.begins), to))
    have = _have(act.session, row, to)
    if len(to) == 1 and not have:
        transfer(
            act.session,
            row.id,
            to_agency=to[0],
            reason=f"{act.instead.vi}.",
            due=_due(act, row),
            actor=act.actor,
            now=act.now,
        )
        return Replaced(moved=1)
    opened = _open(act, row, row.period, [each for each in to if each not in have])
    why = f"{act.name} kết thúc, theo {basis}." if to else f"{act.name} kết thúc; không yêu cầu báo cáo, theo {basis}."
    cancel(act.session, row.id, reason=why, actor=act.actor, now=act.now)
    return Replaced(merged=1) if len(to) == 1 else Replaced(opened=opened, cancelled=1)


def _have(session: Session, row: StoredAssignment, agencies: Sequence[str]) -> set[str]:
    """Those of the agencies that have the same assignment already, open or done."""
    a = table(Assignment)
    same = (a.c.duty_id == row.duty_id, a.c.period == row.period, situations.counted())
    return set(session.connection().scalars(select(a.c.agency_id).where(*same, a.c.agency_id.in_(list(agencies)))))


def _due(act: _Act, row: StoredAssignment) -> Due | None:
    """The due date of who follows, which names the ended agency: the same, or if it has passed some days more."""
    if row.due_on is None:
        return None
    today, instead = local_date(act.now), act.instead
    if is_ahead(row.due_on, today):
        kept = Text(f"{instead.vi}; hạn giữ nguyên", f"{instead.en}; the same due date")
        return Due(row.nominal_due or row.due_on, row.due_on, {"vi": kept.vi, "en": kept.en})
    on, days = act.policy.resubmission(today, None, act.book.calendar), act.policy.resubmit_days
    more = Text(
        f"{instead.vi}; hạn cũ {written(row.due_on)}, thêm {days} ngày làm việc từ {written(today)}",
        f"{instead.en}; was due {written(row.due_on, 'en')}, {days} more working days from {written(today, 'en')}",
    )
    return Due(on, on, {"vi": more.vi, "en": more.en})


def _open(act: _Act, row: StoredAssignment, period: str, to: Sequence[str]) -> int:
    """Open an assignment for each who reports in the place of the owner of ``row``; returns how many are new."""
    if not to:
        return 0
    due, plan = _due(act, row), act.plan
    ladder = act.policy.ladder(request=row.request, urgent=plan.urgency.urgent)
    common: Mapping[str, object] = {
        "plan_id": plan.id,
        "duty_id": row.duty_id,
        "period": period,
        "window_start": row.window_start,
        "window_end": row.window_end,
        "nominal_due": due.nominal if due else None,
        "original_due_on": due.on if due else None,
        "due_on": due.on if due else None,
        "due_why": dict(due.why) if due else {},
        "ladder_id": store_ladder(act.session, ladder),
        "state": State.ASSIGNED,
        "opened_at": act.now,
        "opened_on": local_date(act.now),
        "next_action_at": act.now,
        "level": 0,
        "request": row.request,
        "transferred_from_id": row.id,
    }
    return open_new(
        act.session,
        [
            {**common, "agency_id": each, "supervisor_id": supervisor_of(each, plan.supervisor_id, plan.issuer_id)}
            for each in to
        ],
        act.now,
    )


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
