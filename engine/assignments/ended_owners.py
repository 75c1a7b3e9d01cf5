"""Owners of a plan that have ended: each named with who took over which function, on what basis. Nothing is replaced.

Activation refuses them, since letters would go to bodies that the directory itself says have ended.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlmodel import Session

from engine.errors import Conflict
from engine.rules.calendar import written
from engine.store.database import table
from engine.store.recipients import last_day
from engine.store.records import Agency, Duty, Plan, Succession
from engine.text import Text

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
