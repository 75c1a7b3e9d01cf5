"""Next year's plan from this year's: moves what can be moved, and lists everything that a person must confirm, among
it owners whose names end before the plan is issued: who took over what, on what basis.

The new text is checked by ``plan check`` and reviewed by a person like any other. Pure.

The year that a plan is for, with its first and last period, as it is said before the plan is used. Pure.

A group counts as one owner: «UBND các huyện» of 2021 becomes the group of communes that its districts were split into.

Nothing is replaced until a person has confirmed it. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from pydantic import TypeAdapter, ValidationError

from engine.errors import BadInput
from engine.files.directory import REST, AgencyEntry, DirectoryFile, NameEntry
from engine.files.plan import PlanFile, cycle_periods, due_periods
from engine.files.plan_parts import ItemEntry, Number, ReportRule, Section
from engine.files.yaml_reader import dump
from engine.rules.calendar import WorkCalendar, add_months, written
from engine.rules.words import period_words
from engine.text import LANGUAGES, Text


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


CONFIRM = "XÁC NHẬN"
LAST_YEAR = 2100
_DAY = re.compile(r"\b\d{1,2}/\d{1,2}(?:/\d{4})?\b|(?:ngày \d{1,2}|tháng \d{1,2})\b|\b(?:19|20)\d{2}\b", re.IGNORECASE)


@dataclass(frozen=True)
class Point:
    """One thing to confirm: its place in the file and the text in both languages."""

    place: str
    vi: str
    en: str

    def said(self, language: str) -> str:
        return f"{self.place}: {self.en if language == 'en' else self.vi}"


def renew(
    plan: PlanFile,
    *,
    year: int,
    number: str,
    issued_on: date,
    calendar: WorkCalendar,
    known_until: int = 9999,
    directory: DirectoryFile | None = None,
    changed: Sequence[Point] = (),
) -> tuple[str, tuple[Point, ...]]:
    """The text of the new plan file and the points to confirm. ``known_until``: last year whose Tết is in the calendar.
    ``directory``: the new plan's, where owners that have ended by its date are looked up, with their successors; they
    are kept in the text, since a person decides who takes over which function. ``changed``: points about what was
    changed while the plan ran (``engine.plans.plan_today``).

    Raises pydantic's ValidationError if the new number has the wrong format (``plan_parts.Number``).
    """
    changes = {
        "number": number,
        "year": year,
        "last_year": plan.last_year and plan.last_year + year - plan.year,
        "issued_on": issued_on,
        "title": _replace_year(plan.title, plan.year, year),
        "short_title": _replace_year(plan.short_title.replace(plan.number, number), plan.year, year),
        "sms_name": _sms_name(plan.sms_name, plan.number, number),
        "report_rules": {name: _rule(rule, plan.year, year) for name, rule in plan.report_rules.items()},
        "directory": directory.id if directory else plan.directory,
    }
    renewed = PlanFile.model_validate({**{name: getattr(plan, name) for name in PlanFile.model_fields}, **changes})
    points = (*changed, *_points(plan, renewed, calendar, known_until), *_ended(renewed, directory))
    head = [f"# {CONFIRM}: {point.said('vi')}" for point in points]
    return "\n".join([*head, dump(renewed)]), points


def same_day(plan: PlanFile, year: int) -> date:
    """The proposed issue of the plan for another year: the same day, as long before as this one."""
    issued = plan.issued_on
    return date(issued.year + year - plan.year, issued.month, min(issued.day, 28))


def require_issue_for(issued_on: date, year: int) -> None:
    """A plan is issued in its year, or in the one before. Raises BadInput."""
    if not issued_on.year <= year <= issued_on.year + 1:
        raise BadInput(
            Text(f"Ngày ban hành phải thuộc năm {year} hoặc {year - 1}.", f"It must be issued in {year} or {year - 1}.")
        )


def require_later(plan: PlanFile, year: int) -> None:
    """A renewal is for a year after the plan's last. Raises BadInput."""
    if not plan.final_year < year <= LAST_YEAR:
        raise BadInput(Text(f"Năm phải sau {plan.final_year}.", f"The year must come after {plan.final_year}."))


def plan_number(text: str) -> str:
    """Validate the number of a plan. Raises BadInput."""
    try:
        return TypeAdapter(Number).validate_python(text)
    except ValidationError:
        raise BadInput(
            Text(f"Số «{text[:40]}» không đúng dạng; viết như 25/KH-UBND.", "Write the number like 25/KH-UBND.")
        ) from None


def _replace_year(text: str, old: int, new: int) -> str:
    return re.sub(rf"(?<!\d){old}(?!\d)", str(new), text)


def _sms_name(name: str, old: str, new: str) -> str:
    """«KH188» of 188/KH-UBND becomes «KH25» of 25/KH-UBND; other names are kept."""
    was, now = (re.match(r"\d+", number) for number in (old, new))
    changed = name.replace(was[0], now[0], 1) if was and now else name
    return changed if len(changed) <= 11 else name


def _rule(rule: ReportRule, old: int, new: int) -> ReportRule:
    """Move fixed dates by the difference in years (29 February becomes the 28th); drop overrides."""
    on = None if rule.on is None else add_months(rule.on, (new - old) * 12)
    return rule.model_copy(update={"on": on, "overrides": ()})


def _points(old: PlanFile, new: PlanFile, calendar: WorkCalendar, known_until: int) -> Iterator[Point]:
    for field in ("number", "issued_on", "title", "short_title", "sms_name"):
        yield Point(field, f"«{getattr(new, field)}»", f"“{getattr(new, field)}”")
    yield Point("supervisor", f"vẫn là {new.supervisor}", f"still {new.supervisor}")
    if new.year > known_until:
        yield Point(
            "calendar",
            f"chưa nhập lịch nghỉ Tết và hoán đổi năm {new.year}; các hạn có thể còn chuyển",
            f"Tết and swapped days of {new.year} are not entered; due dates may still move",
        )
    yield from _due_points(new, calendar)
    for name, rule in old.report_rules.items():
        for override in rule.overrides:
            yield Point(
                f"report_rules.{name}",
                f"đã bỏ hạn riêng kỳ {override.period} ({override.basis})",
                f"the override of {override.period} ({override.basis}) is left out",
            )
    yield from _kept_points(new)
    owners = {name for placed in new.duties.values() for name in placed.owners}
    yield Point(
        "owners",
        f"{len(owners)} cơ quan, nhóm chủ trì giữ nguyên; soát sáp nhập, đổi tên",
        f"{len(owners)} owners are kept; check for mergers and new names",
    )


def _kept_points(new: PlanFile) -> Iterator[Point]:
    """What is taken over from the old document and may differ in the new one."""
    for gap in new.gaps:
        yield Point(
            gap.citation,
            "văn bản cũ bỏ số này; văn bản mới có thể không",
            "this number is missing in the old document; the new one may have it",
        )
    for indicator in new.indicators:
        if indicator.target is not None:
            yield Point(
                indicator.code, f"chỉ tiêu vẫn là {indicator.target:g}", f"the target is still {indicator.target:g}"
            )
    for citation, placed in new.duties.items():
        dates = ", ".join(dict.fromkeys(each[0] for each in _DAY.finditer(placed.duty.text)))
        if dates:
            yield Point(citation, f"lời văn giữ nguyên, có nêu «{dates}»", f"the text is kept; it mentions “{dates}”")


def _ended(plan: PlanFile, directory: DirectoryFile | None) -> Iterator[Point]:
    """Each owner (or supervisor) that no longer exists when the new plan is issued."""
    if directory is None:
        return
    for each in ended_names(plan, directory):
        yield Point(each.id, each.text.vi, each.text.en)
    living = {name.name for each in directory.agencies for name in each.names if not _over(name, plan)}
    past = {name.name for each in directory.agencies for name in each.names if _over(name, plan)}
    gone = sorted(past - living, key=len, reverse=True)
    for section in plan.sections:
        for item in section.items:
            named = next((name for name in gone if name in item.heading), "")
            if named:
                said = f"đề mục vẫn ghi «{named}», tên đã hết", f"the heading still says “{named}”, a name of the past"
                yield Point(f"{section.roman}.{item.no}", *said)


def _over(name: NameEntry, plan: PlanFile) -> bool:
    return name.until is not None and name.until < plan.issued_on


def _due_points(plan: PlanFile, calendar: WorkCalendar) -> Iterator[Point]:
    """Each due date of the new year once, with its explanation."""
    seen: set[tuple[str, str, date]] = set()
    for placed in plan.duties.values():
        rule = placed.duty.rule
        for each in due_periods(plan, placed.duty, calendar):
            key = (rule, each.period.key, each.due.on)
            if key not in seen:
                seen.add(key)
                on = {"vi": f"hạn {written(each.due.on)}", "en": f"due {written(each.due.on, 'en')}"}
                why = each.due.why if each.due.on != each.due.nominal else on
                place = f"report_rules.{rule}, {each.period.key}"
                yield Point(place, why["vi"], why["en"])


_YEARS = re.compile(r"(?P<first>20\d\d)(?:\s*[-–—]\s*(?P<last>20\d\d))?")


@dataclass(frozen=True)
class Years:
    """The years of a plan; ``last`` of a programme of several."""

    first: int
    last: int | None = None


def read_years(text: str) -> Years | None:
    """«2027» or «2026–2030» as a person types it; None for anything else."""
    found = _YEARS.fullmatch(text.strip())
    return found and Years(int(found["first"]), int(found["last"]) if found["last"] else None)


YEARS_AS = Text("năm viết như 2027 hoặc 2026–2030", "a year like 2027, or 2026–2030")


@dataclass(frozen=True)
class PlanYear:
    """``first`` and ``last``: keys of the first and the last periodic report; None where there is none."""

    year: int
    first: str | None = None
    last: str | None = None
    last_year: int | None = None

    @property
    def head(self) -> Text:
        """«Kế hoạch của năm 2027»; «Kế hoạch của các năm 2026–2030»."""
        if self.last_year is None:
            return Text(f"Kế hoạch của năm {self.year}", f"Plan of {self.year}")
        years = f"{self.year}–{self.last_year}"
        return Text(f"Kế hoạch của các năm {years}", f"Plan of {years}")

    @property
    def text(self) -> Text:
        """«Kế hoạch của năm 2027: kỳ đầu quý I/2027, kỳ cuối năm 2027»."""
        if self.first is None or self.last is None:
            return Text(
                f"{self.head.vi}, không có báo cáo định kỳ",
                f"{self.head.en}, without periodic reports",
            )
        first, last = ({each: period_words(key, each) for each in LANGUAGES} for key in (self.first, self.last))
        return Text(
            f"{self.head.vi}: kỳ đầu {first['vi']}, kỳ cuối {last['vi']}",
            f"{self.head.en}: first period {first['en']}, last period {last['en']}",
        )


def plan_year(plan: PlanFile) -> PlanYear:
    """Of periods that close on one day the shorter is first and the longer last: the year after its fourth quarter."""
    found = {each for placed in plan.duties.values() for each in cycle_periods(plan, placed.duty)}
    if not found:
        return PlanYear(plan.year, last_year=plan.last_year)
    first = min(found, key=lambda each: (each.end, (each.end - each.start).days))
    last = max(found, key=lambda each: (each.end, (each.end - each.start).days))
    return PlanYear(plan.year, first.key, last.key, plan.last_year)
