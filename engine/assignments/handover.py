"""Handover: open assignments follow their function to the agency that took it over; previewed first, then moved.

Agencies are split and merged per function, with a date and a legal basis (engine.store.records.Succession). Nothing
moves automatically: an administrator sees every open assignment with its possible successors and chooses; each is
transferred by ``engine.assignments.lifecycle`` with the basis in its reason. If the successor already has the same
assignment (two districts that became one), the old one is cancelled as merged.

Owners of a plan that have ended: each named with who took over which function, on what basis. Nothing is replaced.

Activation refuses them, since letters would go to bodies that the directory itself says have ended.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import Select, func, select
from sqlmodel import Session

from engine.assignments import situations
from engine.assignments.lifecycle import cancel, transfer
from engine.errors import BadInput, Conflict, DondocError, NotFound
from engine.files.directory import REST, fold, name_key
from engine.rules.calendar import day_digits, local_date, written
from engine.rules.situation import Action
from engine.store.data_versions import Topic, depends_on
from engine.store.database import table
from engine.store.recipients import last_day
from engine.store.records import Agency, AgencyGroup, Assignment, Duty, Plan, Succession
from engine.store.stored_rows import columns_for, objects
from engine.terms import State
from engine.text import Text


@dataclass(frozen=True, slots=True, kw_only=True)
class Successor:
    """An agency that holds a function today, after following all successions. ``words``, ``seat``, ``inferred``: see
    ``engine.store.records.Succession``."""

    agency_id: str
    agency: str
    function: str
    on: date
    basis: str
    words: tuple[str, ...] = ()
    seat: bool = False
    inferred: bool = False


@dataclass(frozen=True, kw_only=True)
class Proposal:
    """One open assignment and its possible successors. ``chosen``: the successor of the function that the duty's text
    names, else of the rest; None if ambiguous. ``merges``: successors that already have this assignment."""

    assignment_id: int
    plan_id: int
    plan: str
    citation: str
    text: str
    period: str
    due_on: date | None
    state: State
    chosen: Successor | None
    merges: frozenset[str]


@dataclass(frozen=True)
class Succeeded:
    """An agency's open assignments and its current successors; ``proposals`` is the dry run."""

    agency_id: str
    agency: str
    successors: tuple[Successor, ...]
    proposals: tuple[Proposal, ...]


@dataclass(frozen=True)
class HandedOver:
    """``moved``: old -> new assignment id; ``merged``: cancelled, the successor has it; ``left``: id -> error."""

    moved: Mapping[int, int]
    merged: tuple[int, ...]
    left: Mapping[int, DondocError]


@depends_on(Topic.PLANS, Topic.WORK, Topic.DIRECTORY)
def agencies_with_work_left(session: Session, today: date) -> tuple[tuple[str, str, int], ...]:
    """(id, name, number of open assignments) of the agencies whose functions have been taken over by today."""
    found = session.connection().execute(_counting_work_left(today))
    return tuple((row[0], row[1], row[2]) for row in found)


@lru_cache(maxsize=2)
def _counting_work_left(today: date) -> Select[Any]:
    s, a, g = table(Succession), table(Assignment), table(Agency)
    succeeded_ids = select(s.c.from_id).where(s.c.on <= today)
    return (
        select(a.c.agency_id, g.c.name, func.count())
        .join(g, g.c.id == a.c.agency_id)
        .where(situations.can(Action.TRANSFER), a.c.agency_id.in_(succeeded_ids))
        .group_by(a.c.agency_id, g.c.name)
        .order_by(g.c.name)
    )


def succeeded(session: Session, agency_id: str, now: datetime) -> Succeeded:
    """Dry run: every open assignment of an agency with its proposed successor. Raises NotFound."""
    g = table(Agency)
    name = session.connection().scalar(select(g.c.name).where(g.c.id == agency_id))
    if name is None:
        raise NotFound(Text("Không có cơ quan này trong danh bạ.", "There is no such agency in the directory."))
    successors = Successions(session, local_date(now)).of(agency_id)
    rows = _open_rows(session, agency_id)
    existing = _already_assigned(session, rows, [each.agency_id for each in successors])
    proposals = tuple(
        Proposal(
            assignment_id=row.id,
            plan_id=row.plan_id,
            plan=row.number,
            citation=row.citation,
            text=row.text,
            period=row.period,
            due_on=row.due_on,
            state=row.state,
            chosen=_proposed(successors, row.text),
            merges=frozenset(existing.get((row.duty_id, row.period), ())),
        )
        for row in rows
    )
    return Succeeded(agency_id, name, successors, proposals)


def hand_over(session: Session, agency_id: str, choices: Mapping[int, str], *, actor: str, now: datetime) -> HandedOver:
    """Transfer assignments (id -> successor's agency id). One that can no longer be moved is left, with its error; the
    others are moved."""
    dry_run = succeeded(session, agency_id, now)
    by_id = {each.assignment_id: each for each in dry_run.proposals}
    agencies = {each.agency_id: each for each in dry_run.successors}
    wrong = sorted({to for to in choices.values() if to not in agencies})
    if wrong:
        raise BadInput(Text(f"Không phải cơ quan kế thừa: {', '.join(wrong)}.", "These are not its successors."))
    moved: dict[int, int] = {}
    merged: list[int] = []
    left: dict[int, DondocError] = {}
    for assignment_id, to in sorted(choices.items()):
        proposal, successor = by_id.get(assignment_id), agencies[to]
        if proposal is None:
            left[assignment_id] = Conflict(
                Text("Không còn là việc đang mở của cơ quan này.", "It is no longer an open assignment of this agency.")
            )
            continue
        reason = f"Chuyển chức năng «{successor.function}» từ {day_digits(successor.on)}, theo {successor.basis}."
        try:
            if to in proposal.merges:
                reason = f"Nhập vào việc của {successor.agency}. {reason}"
                cancel(session, assignment_id, reason=reason, actor=actor, now=now)
                merged.append(assignment_id)
            else:
                moved[assignment_id] = transfer(
                    session, assignment_id, to_agency=to, reason=reason, actor=actor, now=now
                )
        except Conflict as error:
            left[assignment_id] = error
    return HandedOver(moved, tuple(merged), left)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Edge:
    """A succession as it is stored."""

    from_id: str
    to_id: str
    on: date
    function: str
    basis: str
    words: list[str]
    seat: bool
    inferred: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _Open:
    """An assignment to be handed over, with its duty and plan."""

    id: int
    plan_id: int
    duty_id: int
    period: str
    due_on: date | None
    state: State
    citation: str
    text: str
    number: str


class Successions:
    """All successions until a day, read once."""

    def __init__(self, session: Session, today: date) -> None:
        s, g, n = table(Succession), table(Agency), table(AgencyGroup)
        connection = session.connection()
        statement = select(*columns_for(_Edge, s)).where(s.c.on <= today).order_by(s.c.on, s.c.id)
        agencies = connection.execute(select(g.c.id, g.c.name, g.c.names)).all()
        self._names: dict[str, str] = {row.id: row.name for row in agencies}
        self._ended = {row.id for row in agencies if (last := last_day(row.names)) is not None and last < today}
        groups = connection.execute(select(n.c.name, n.c.members)).all()
        named = {name_key(row.name): len(row.members) for row in groups if len(row.members) > 1}
        self.stand_ins = {row.id for row in agencies if name_key(row.name) in named}
        """Agencies that bear the name of a group: each held the place of its members until they were known."""
        self._edges: dict[str, list[_Edge]] = {}
        for edge in objects(_Edge, connection.execute(statement)):
            self._edges.setdefault(edge.from_id, []).append(edge)

    def of(self, agency_id: str) -> tuple[Successor, ...]:
        """Who holds the agency's functions today: a successor that was itself succeeded is followed. One that only
        held the place of others is left out where those are known."""
        found: dict[tuple[str, str], Successor] = {}
        for first in self._edges.get(agency_id, ()):
            for last in self._last(first, first.function, frozenset({agency_id})):
                found[last.to_id, first.function] = Successor(
                    agency_id=last.to_id,
                    agency=self._names[last.to_id],
                    function=first.function,
                    on=last.on,
                    basis=last.basis,
                    words=tuple(first.words),
                    seat=last.seat,
                    inferred=first.inferred or last.inferred,
                )
        real = {function for (to, function) in found if to not in self.stand_ins}
        return tuple(each for (to, function), each in found.items() if to not in self.stand_ins or function not in real)

    def _last(self, edge: _Edge, function: str, passed: frozenset[str]) -> Iterator[_Edge]:
        """The last steps that a function took: on from a holder that gave it to one other, or that ended."""
        onward = self._edges.get(edge.to_id, ())
        same = [each for each in onward if each.function == function] or [e for e in onward if e.function == REST]
        further = [each for each in same if each.to_id not in passed]
        if not further or (len(same) > 1 and edge.to_id not in self._ended):
            yield edge
            return
        for each in further:
            yield from self._last(each, function, passed | {edge.to_id})


def instead_of(name: str, last_day: date, basis: str) -> Text:
    """In whose place and why something is owed, for the explanation of a due date."""
    return Text(
        f"thay cho {name} (kết thúc {written(last_day)}), theo {basis}",
        f"in place of {name} (ended {written(last_day, 'en')}), by {basis}",
    )


def holding(successors: Sequence[Successor], *texts: str) -> tuple[Successor, ...]:
    """Those who have the function that the first of the texts which names one names; where it names several, a later
    text may tell which. Else those of the rest."""
    found: Sequence[Successor] = ()
    for text in map(fold, texts):
        among = found or [each for each in successors if each.function != REST]
        found = [each for each in among if _names_function(text, each)] or found
    return tuple(found or [each for each in successors if each.function == REST] or successors)


def _names_function(text: str, successor: Successor) -> bool:
    return any(fold(words) in text for words in (successor.function, *successor.words))


def _proposed(successors: Sequence[Successor], text: str) -> Successor | None:
    """The successor whose function the duty's text names, else that of the rest; None if ambiguous."""
    candidates = holding(successors, text)
    return candidates[0] if len({each.agency_id for each in candidates}) == 1 else None


def _open_rows(session: Session, agency_id: str) -> Sequence[_Open]:
    a, d, p = table(Assignment), table(Duty), table(Plan)
    statement = (
        select(a.c.id, a.c.plan_id, a.c.duty_id, a.c.period, a.c.due_on, a.c.state, d.c.citation, d.c.text, p.c.number)
        .join(d, d.c.id == a.c.duty_id)
        .join(p, p.c.id == a.c.plan_id)
        .where(a.c.agency_id == agency_id, situations.can(Action.TRANSFER))
        .order_by(p.c.issued_on, d.c.plan_id, d.c.position, a.c.due_on)
    )
    return objects(_Open, session.connection().execute(statement))


def _already_assigned(
    session: Session, rows: Sequence[_Open], agency_ids: Sequence[str]
) -> dict[tuple[int, str], set[str]]:
    """(duty id, period) -> successors that already have this assignment, open or done."""
    a = table(Assignment)
    duties = {row.duty_id for row in rows}
    statement = select(a.c.duty_id, a.c.period, a.c.agency_id).where(
        a.c.duty_id.in_(duties), a.c.agency_id.in_(agency_ids), situations.counted()
    )
    result: dict[tuple[int, str], set[str]] = {}
    for duty_id, period, agency_id in session.connection().execute(statement):
        result.setdefault((duty_id, period), set()).add(agency_id)
    return result


NAMED = 5
"""How many are named in one sentence."""


@dataclass(frozen=True, slots=True)
class Heir:
    """Who has a function since a day."""

    name: str
    function: str
    on: date
    basis: str


@dataclass(frozen=True)
class EndedOwner:
    """``last_day``: of its last name."""

    agency_id: str
    name: str
    last_day: date
    heirs: tuple[Heir, ...]

    @property
    def text(self) -> Text:
        heirs = "; ".join(f"{each.name} ({each.function}, {each.basis})" for each in self.heirs) or "—"
        day, day_en = written(self.last_day), written(self.last_day, "en")
        return Text(f"{self.name}, đến hết {day} → {heirs}", f"{self.name}, until {day_en} → {heirs}")


def ended_owners(session: Session, plan_id: int, on: date) -> tuple[EndedOwner, ...]:
    """The plan's owners, and its supervising department, that do not exist any more on a day. Four queries."""
    d, p, g, s = table(Duty), table(Plan), table(Agency), table(Succession)
    connection = session.connection()
    owners = {each for row in connection.scalars(select(d.c.owners).where(d.c.plan_id == plan_id)) for each in row}
    owners.update(connection.scalars(select(p.c.supervisor_id).where(p.c.id == plan_id)))
    agencies = {row.id: row for row in connection.execute(select(g.c.id, g.c.name, g.c.names).order_by(g.c.id))}
    gone = {each: day for each in agencies if each in owners and (day := last_day(agencies[each].names)) and day < on}
    if not gone:
        return ()
    heirs: dict[str, list[Heir]] = {}
    for edge in connection.execute(select(s).where(s.c.from_id.in_(gone)).order_by(s.c.on, s.c.id)):
        heir = Heir(agencies[edge.to_id].name, edge.function, edge.on, edge.basis)
        heirs.setdefault(edge.from_id, []).append(heir)
    return tuple(
        EndedOwner(each, str(agencies[each].names[-1]["name"]), day, tuple(heirs.get(each, ())))
        for each, day in gone.items()
    )


def require_existing_owners(session: Session, plan_id: int, on: date) -> None:
    """Raises Conflict that names them with their successors."""
    found = ended_owners(session, plan_id, on)
    if not found:
        return
    more = len(found) - NAMED
    listed: Sequence[Text] = [each.text for each in found[:NAMED]]
    if more > 0:
        listed = [*listed, Text(f"và {more} cơ quan nữa", f"and {more} more")]
    head = Text(
        f"{len(found)} cơ quan trong kế hoạch đã kết thúc; hãy thay bằng cơ quan kế thừa rồi nạp lại",
        f"Agencies of the plan that have ended: {len(found)}; put their successors in and load it again",
    )
    raise Conflict(Text.joined(": ", (head, Text.joined("; ", listed))))
