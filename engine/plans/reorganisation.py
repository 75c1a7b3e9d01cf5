"""Agencies are reorganised on a day («sắp xếp lại tổ chức»): who owns, coordinates and follows every running plan.

The directory says which agency has which function since when, on what basis (``engine.store.records.Succession``); a
person looks at each ended agency and decides who reports what it still owed. Then its duties go to who follows it
(``engine.plans.following``), its people get a last day, and groups name who lives.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from sqlalchemy import func, or_, select, update
from sqlmodel import Session

from engine.assignments import situations
from engine.assignments.handover import Successions, Successor, holding
from engine.errors import Conflict
from engine.plans import following
from engine.plans.amendments import active_plan
from engine.rules.calendar import ONE_DAY, local_date
from engine.store.database import table
from engine.store.event_log import record
from engine.store.recipients import last_day
from engine.store.records import Agency, AgencyGroup, Assignment, Contact, Duty, Plan
from engine.store.stored_rows import StoredPlan, columns_for, object_of, select_plans
from engine.terms import EventKind, PlanState
from engine.text import Text

NAMED = 5
"""How many agencies are named in one sentence."""


@dataclass(frozen=True, kw_only=True)
class PlanShare:
    """What an ended agency has in one running plan. ``duties``: citation -> who takes it over; ``asked``: how many
    reports it still owes; ``follows``: it is the department that follows the plan."""

    plan_id: int
    number: str
    duties: Mapping[str, tuple[Successor, ...]]
    asked: int
    follows: bool


@dataclass(frozen=True, kw_only=True)
class EndedAgency:
    """An agency that running plans still name after its last day."""

    id: str
    name: str
    level: str
    last_day: date
    successors: tuple[Successor, ...]
    plans: tuple[PlanShare, ...]

    @property
    def begins(self) -> date:
        return self.last_day + ONE_DAY

    @property
    def basis(self) -> str:
        return "; ".join(dict.fromkeys(each.basis for each in self.successors))

    @property
    def asked(self) -> int:
        return sum(each.asked for each in self.plans)

    @property
    def inferred(self) -> bool:
        return any(each.inferred for each in self.successors)

    @property
    def seat(self) -> Successor | None:
        return next((each for each in self.successors if each.seat), None)

    @property
    def heirs(self) -> tuple[Successor, ...]:
        """Who takes over any of its duties, or the plans that it follows."""
        found = {each.agency_id: each for share in self.plans for heirs in share.duties.values() for each in heirs}
        return tuple(found.values())

    @property
    def divided(self) -> bool:
        """Some duty goes to several."""
        return any(len(heirs) > 1 for share in self.plans for heirs in share.duties.values())


@dataclass(frozen=True, kw_only=True)
class Decision:
    """What a person decided about an ended agency after looking at it."""

    agency_id: str
    reporting: following.Reporting
    basis: str = ""
    """Empty: that of the directory."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reorganised:
    """What one act did: ``agencies`` and ``plans`` concerned, ``supervisors`` changed, ``contacts`` given a last day,
    ``groups`` changed."""

    agencies: int = 0
    plans: int = 0
    supervisors: int = 0
    contacts: int = 0
    groups: int = 0
    work: following.Replaced = field(default_factory=following.Replaced)


def ended_agencies(session: Session, on: date) -> tuple[EndedAgency, ...]:
    """The agencies that running plans name and that do not exist any more on a day, by level and name. Six queries."""
    g, d, p = table(Agency), table(Duty), table(Plan)
    connection = session.connection()
    rows = connection.execute(select(g.c.id, g.c.level, g.c.names).order_by(g.c.level, g.c.name)).all()
    ended = {row.id: row for row in rows if (day := last_day(row.names)) is not None and day < on}
    plans = [
        object_of(StoredPlan, row)
        for row in connection.execute(select_plans().where(p.c.state == PlanState.ACTIVE).order_by(p.c.id))
    ]
    of_plan: dict[int, list[following.DutyOfPlan]] = {plan.id: [] for plan in plans}
    statement = select(d.c.plan_id, *columns_for(following.DutyOfPlan, d)).where(d.c.plan_id.in_(list(of_plan)))
    for row in connection.execute(statement.order_by(d.c.plan_id, d.c.position)):
        of_plan[row.plan_id].append(object_of(following.DutyOfPlan, row))
    asked, known = _asked(session, ended), Successions(session, on)
    found = []
    for agency_id, row in ended.items():
        successors = known.of(agency_id)
        shares = [_share(plan, of_plan[plan.id], agency_id, successors, asked) for plan in plans]
        if concerned := tuple(each for each in shares if each.duties or each.follows):
            last = last_day(row.names)
            assert last is not None
            name = str(row.names[-1]["name"])
            found.append(
                EndedAgency(
                    id=agency_id, name=name, level=row.level, last_day=last, successors=successors, plans=concerned
                )
            )
    return tuple(found)


def _asked(session: Session, ended: Sequence[str] | Mapping[str, object]) -> dict[tuple[int, str], int]:
    """(plan, agency) -> how many reports it still owes."""
    a = table(Assignment)
    key = (a.c.plan_id, a.c.agency_id)
    owed = select(*key, func.count().label("n")).where(situations.owed(), a.c.agency_id.in_(list(ended)))
    return {(row.plan_id, row.agency_id): row.n for row in session.connection().execute(owed.group_by(*key))}


def _share(
    plan: StoredPlan,
    duties: Sequence[following.DutyOfPlan],
    agency_id: str,
    successors: Sequence[Successor],
    asked: Mapping[tuple[int, str], int],
) -> PlanShare:
    named = [duty for duty in duties if agency_id in (*duty.owners, *duty.coordinating)]
    return PlanShare(
        plan_id=plan.id,
        number=plan.number,
        duties={duty.citation: _heirs(duty, plan, successors) for duty in named},
        asked=asked.get((plan.id, agency_id), 0),
        follows=plan.supervisor_id == agency_id,
    )


def _heirs(duty: following.DutyOfPlan, plan: StoredPlan, successors: Sequence[Successor]) -> tuple[Successor, ...]:
    """Who takes a duty over: by the function that is the subject of the plan, else by the one that its text names."""
    found = {each.agency_id: each for each in holding(successors, plan.title, duty.text, duty.heading)}
    return tuple(found.values())


def reorganise(session: Session, decisions: Sequence[Decision], *, actor: str, now: datetime) -> Reorganised:
    """Put those who follow into the place of each agency decided about, in every running plan. An agency that has
    ended after one that it followed itself is taken first. Raises Conflict, BadInput."""
    today = local_date(now)
    found = {each.id: each for each in ended_agencies(session, today)}
    gone = [each.agency_id for each in decisions if each.agency_id not in found]
    if gone or not decisions:
        raise Conflict(
            Text("Danh sách đã thay đổi hoặc chưa chọn; hãy xem lại.", "The list has changed, or nothing was chosen.")
        )
    plans: set[int] = set()
    work, supervisors = following.Replaced(), 0
    for decision in sorted(decisions, key=lambda each: found[each.agency_id].last_day):
        ended = found[decision.agency_id]
        basis = decision.basis.strip() or ended.basis
        following.require_basis(basis)
        _require_heirs(ended)
        for share in ended.plans:
            plan = active_plan(session, share.plan_id, lock=True)
            plans.add(plan.id)
            if plan.supervisor_id == ended.id:
                heir = _supervisor(ended, plan)
                following.change_supervisor(session, plan.id, heir.agency_id, basis=basis, actor=actor, now=now)
                supervisors += 1
                plan = active_plan(session, share.plan_id)
            work += following.follow(session, plan, _following(ended, plan, decision, basis), actor=actor, now=now)
    ids = [each.agency_id for each in decisions]
    _tell_departments(session, [found[each] for each in ids], now)
    result = Reorganised(
        agencies=len(ids),
        plans=len(plans),
        supervisors=supervisors,
        contacts=_end_contacts(session, [found[each] for each in ids]),
        groups=_replace_in_groups(session, [found[each] for each in ids], today),
        work=work,
    )
    basis = "; ".join(dict.fromkeys(each.basis.strip() or found[each.agency_id].basis for each in decisions))
    record(session, EventKind.REORGANISED, now, actor=actor, ended=ids, basis=basis, plans=sorted(plans))
    return result


def _tell_departments(session: Session, ended: Sequence[EndedAgency], now: datetime) -> None:
    """Tell the department of each plan which agencies ended, by the basis, and who follows them."""
    for plan_id in sorted({share.plan_id for each in ended for share in each.plans}):
        plan = active_plan(session, plan_id)
        alike: dict[tuple[date, str], list[EndedAgency]] = {}
        for each in ended:
            if any(share.plan_id == plan_id and share.duties for share in each.plans):
                alike.setdefault((each.last_day, each.basis), []).append(each)
        for n, ((until, basis), some) in enumerate(alike.items()):
            heirs = dict.fromkeys(heir.agency for each in some for heir in each.heirs)
            said = {
                "names": _named([each.name for each in some]),
                "heirs": _named(list(heirs)),
                "basis": basis,
                "on": until.isoformat(),
            }
            following.tell_department(session, plan, plan.supervisor_id, f"ended:{n}", said, now)


def _named(names: Sequence[str]) -> str:
    """«UBND huyện A, UBND huyện B và 18 cơ quan nữa»."""
    more = len(names) - NAMED
    return ", ".join(names[:NAMED]) + (f" và {more} cơ quan nữa" if more > 0 else "")


def _require_heirs(ended: EndedAgency) -> None:
    missing = [c for share in ended.plans for c, heirs in share.duties.items() if not heirs]
    if missing:
        raise Conflict(
            Text(
                f"Danh bạ chưa ghi cơ quan kế thừa {ended.name} ({', '.join(missing[:5])}); hãy ghi ở trang cơ quan.",
                f"The directory does not say who follows {ended.name} ({', '.join(missing[:5])}); enter it first.",
            )
        )


def _supervisor(ended: EndedAgency, plan: StoredPlan) -> Successor:
    heirs = {each.agency_id: each for each in holding(ended.successors, plan.title)}
    if len(heirs) != 1:
        raise Conflict(
            Text(
                f"Kế hoạch {plan.number}: chọn cơ quan theo dõi thay {ended.name} ở trang kế hoạch trước.",
                f"Plan {plan.number}: choose on its page who follows it in place of {ended.name}.",
            )
        )
    return next(iter(heirs.values()))


def _following(ended: EndedAgency, plan: StoredPlan, decision: Decision, basis: str) -> following.Following:
    return following.Following(
        ended_id=ended.id,
        heirs_of=lambda duty: [each.agency_id for each in _heirs(duty, plan, ended.successors)],
        basis=basis,
        reporting=decision.reporting,
        seats=frozenset(each.agency_id for each in ended.successors if each.seat),
    )


def _end_contacts(session: Session, ended: Sequence[EndedAgency]) -> int:
    """Give the people of the ended agencies a last day; the daily cleanup blanks their addresses after it."""
    c, count = table(Contact), 0
    for each in ended:
        goes_on = or_(c.c.valid_until.is_(None), c.c.valid_until > each.last_day)
        last = update(c).where(c.c.agency_id == each.id, goes_on).values(valid_until=each.last_day)
        count += session.connection().execute(last).rowcount
    return count


def _replace_in_groups(session: Session, ended: Sequence[EndedAgency], on: date) -> int:
    """Name those who follow in the groups in which others live on. A group whose members have all ended stays as it
    was, for the documents of its time."""
    g, n = table(Agency), table(AgencyGroup)
    connection = session.connection()
    heirs = {each.id: [heir.agency_id for heir in holding(each.successors)] for each in ended}
    until = {row.id: last_day(row.names) for row in connection.execute(select(g.c.id, g.c.names))}
    changed = 0
    for row in connection.execute(select(n.c.id, n.c.members).order_by(n.c.id)).all():
        lives = any((last := until.get(each)) is None or last >= on for each in row.members)
        if lives and set(row.members) & set(heirs):
            members = list(dict.fromkeys(new for each in row.members for new in heirs.get(each, [each])))
            connection.execute(update(n).where(n.c.id == row.id).values(members=members))
            changed += 1
    return changed
