"""Owners in a plan file whose names end before the plan is issued: who took over what, on what basis, and what is
proposed. Nothing is replaced until a person has confirmed it. Pure.

A group counts as one owner: «UBND các huyện» of 2021 becomes the group of communes that its districts were split into.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from engine.errors import BadInput
from engine.files.directory import REST, AgencyEntry, DirectoryFile
from engine.files.plan import PlanFile
from engine.files.plan_parts import ItemEntry, Section
from engine.rules.calendar import written
from engine.text import Text


@dataclass(frozen=True, slots=True)
class Heir:
    """Who holds a function on the plan's date. ``basis``: of each step that led there."""

    id: str
    name: str
    function: str
    basis: str


@dataclass(frozen=True, kw_only=True)
class EndedName:
    """An owner as the file writes it: an agency, or a group with ``ended`` members. ``proposed``: what would stand in
    its place; empty where no successor is recorded."""

    id: str
    name: str
    ended: tuple[str, ...]
    last_day: date
    citations: tuple[str, ...]
    heirs: tuple[Heir, ...]
    proposed: tuple[str, ...]

    @property
    def clear(self) -> bool:
        """One reading is possible: nobody has to choose between functions."""
        return len({each.id for each in self.heirs}) == 1 or {each.function for each in self.heirs} == {REST}

    @property
    def text(self) -> Text:
        heirs = "; ".join(f"{each.name} ({each.function}, {each.basis})" for each in self.heirs[:5]) or "—"
        more = len(self.heirs) - 5
        heirs += f" … (+{more})" if more > 0 else ""
        day, day_en = written(self.last_day), written(self.last_day, "en")
        return Text(f"{self.name}, đến hết {day} → {heirs}", f"{self.name}, until {day_en} → {heirs}")


def ended_names(plan: PlanFile, directory: DirectoryFile) -> tuple[EndedName, ...]:
    """The owners, coordinating agencies, supervisor and recipients of reports that have ended when it is issued, in the
    order of the plan."""
    places: dict[str, list[str]] = {plan.supervisor: []}
    for rule in plan.report_rules.values():
        places.setdefault(rule.to, [])
    for citation, placed in plan.duties.items():
        for name in (*placed.owners, *placed.duty.coordinating):
            cited = places.setdefault(name, [])
            if citation not in cited:
                cited.append(citation)
    return tuple(ended_among(places, directory, plan.issued_on))


def ended_among(places: Mapping[str, Sequence[str]], directory: DirectoryFile, on: date) -> Iterator[EndedName]:
    """Of agency and group ids (each with citations) those that have ended by a day, or some of whose members have."""
    groups = {each.id: each.name for each in directory.groups}
    for name, citations in places.items():
        members = [directory.by_id[each] for each in directory.members(name)]
        gone = [each for each in members if not _lives(each, on)]
        if gone:
            living = [each.id for each in members if _lives(each, on)]
            last_names = [each.names[-1] for each in gone]
            heirs = tuple(dict.fromkeys(heir for each in gone for heir in _heirs(each, directory, on)))
            yield EndedName(
                id=name,
                name=groups.get(name, last_names[0].name),
                ended=tuple(each.name for each in last_names if name in groups),
                last_day=max(each.until or date.min for each in last_names),
                citations=tuple(citations),
                heirs=heirs,
                proposed=shortest(directory, [*living, *(each.id for each in heirs)], on),
            )


def with_successors(plan: PlanFile, directory: DirectoryFile, chosen: Mapping[str, Sequence[str]]) -> PlanFile:
    """The plan with what was chosen in the place of each name. Raises BadInput for an agency that is not there, and for
    several in a place that has room for one."""
    for name in (each for names in chosen.values() for each in names):
        if not directory.members(name):
            raise BadInput(Text(f"Danh bạ không có «{name}».", f"“{name}” is not in the directory."))

    def many(names: Iterable[str]) -> tuple[str, ...]:
        return tuple(dict.fromkeys(new for each in names for new in chosen.get(each) or (each,)))

    def one(name: str) -> str:
        new = chosen.get(name, ())
        if not new:
            return name
        if len(new) != 1 or new[0] not in directory.by_id:
            raise BadInput(
                Text(
                    f"«{directory.name_on(name, plan.issued_on)}» là cơ quan theo dõi hoặc nhận báo cáo: "
                    "chọn đúng một cơ quan thay.",
                    f"“{name}” follows the plan or receives its reports: choose one agency in its place.",
                )
            )
        return new[0]

    def item_of(item: ItemEntry) -> ItemEntry:
        duties = tuple(
            each.model_copy(update={"owners": many(each.owners), "coordinating": many(each.coordinating)})
            for each in item.duties
        )
        return item.model_copy(update={"owners": many(item.owners), "duties": duties})

    def section_of(section: Section) -> Section:
        return section.model_copy(update={"items": tuple(map(item_of, section.items))})

    changes = {
        "supervisor": one(plan.supervisor),
        "report_rules": {
            name: rule.model_copy(update={"to": one(rule.to)}) for name, rule in plan.report_rules.items()
        },
        "indicators": tuple(each.model_copy(update={"asked_of": many(each.asked_of)}) for each in plan.indicators),
        "sections": tuple(map(section_of, plan.sections)),
    }
    return PlanFile.model_validate({name: getattr(plan, name) for name in PlanFile.model_fields} | changes)


def _lives(agency: AgencyEntry, on: date) -> bool:
    last = agency.names[-1].until
    return last is None or last >= on


def _heirs(agency: AgencyEntry, directory: DirectoryFile, on: date) -> Iterator[Heir]:
    """Successions are followed until an agency that exists on the day; the function is that of the first step unless a
    later one divides the rest."""
    waiting = [(edge, edge.function, edge.basis, frozenset({agency.id})) for edge in agency.successors if edge.on <= on]
    while waiting:
        edge, function, basis, passed = waiting.pop(0)
        heir = directory.by_id.get(edge.to)
        if heir is None or heir.id in passed:
            continue
        if _lives(heir, on):
            yield Heir(heir.id, heir.name_on(on).name, function, basis)
            continue
        waiting += [
            (
                further,
                further.function if function == REST else function,
                basis if further.basis in basis else f"{basis}; {further.basis}",
                passed | {heir.id},
            )
            for further in heir.successors
            if further.on <= on
        ]


def shortest(directory: DirectoryFile, ids: Sequence[str], on: date = date.max) -> tuple[str, ...]:
    """A group with exactly these members, else the agencies. One that bears a group's name stands for it: «UBND các xã,
    phường» holds the place of communes that were entered one by one later."""
    named = {each.name: each.id for each in directory.groups if len(each.members) > 1}
    ids = tuple(dict.fromkeys(named.get(directory.by_id[each].name_on(on).name, each) for each in ids))
    wanted = set(ids)
    for group in directory.groups:
        members = {each for each in directory.members(group.id) if _lives(directory.by_id[each], on)}
        if len(wanted) > 1 and members == wanted == set(directory.members(group.id)):
            return (group.id,)
    return tuple(dict.fromkeys(ids))
