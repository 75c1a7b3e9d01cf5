"""An owner of a running plan has ended: who follows it takes over its duties, and what it still owed.

Of a period that was over on its last day nothing is taken out of the figures: it stays in its name, nobody asks for it
any more, and who follows reports on a line of its own («sau 01/7/2025»: ``engine.rules.periods.after``). What was due
later moves with its dates. Later periods open with the new owners.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import select, update
from sqlmodel import Session

from engine.assignments import situations
from engine.assignments.handover import instead_of
from engine.assignments.lifecycle import cancel, keep_for_figures, open_new, supervisor_of, transfer
from engine.errors import BadInput
from engine.rules.calendar import ONE_DAY, Due, local_date, written
from engine.rules.periods import after
from engine.rules.policy import Policy
from engine.rules.situation import Action, is_ahead, is_past
from engine.store.database import table
from engine.store.event_log import record
from engine.store.recipients import last_day
from engine.store.records import Agency, Assignment, Duty, Plan
from engine.store.rulebook import Rulebook, read_rulebook, store_ladder
from engine.store.stored_rows import StoredAssignment, StoredPlan, columns_for, objects, select_assignments
from engine.terms import EventKind, State
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
