"""The plan file: an administrative plan as data, and what follows from it: who owes what, for which periods, by when.

The text of the document is kept word for word. What it does not say (due dates above all) is in ``report_rules`` with
its source, so that pages can show it as "configured" and never as "from the plan". Pure, except for ``load_plan``.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from engine.errors import BadInput
from engine.files.base_model import Day, FileModel, Mistake, Path_, Slug, Whole, did_you_mean
from engine.files.directory import DirectoryFile, Name, find_cycle
from engine.files.plan_parts import (
    DutyEntry,
    FocusArea,
    Gap,
    Indicator,
    ItemEntry,
    Neutral,
    Number,
    PlacedDuty,
    ReportRule,
    RuleSource,
    Section,
    SmsName,
)
from engine.files.yaml_reader import read
from engine.rules.calendar import Due, WorkCalendar, add_months, day_digits, written
from engine.rules.periods import Cadence, DayOfYear, Period, named, periods
from engine.terms import Urgency
from engine.text import LANGUAGES, Text

ONCE = "once"
CYCLES = frozenset(cadence for cadence in Cadence if cadence.cycle)
SHORT = frozenset({Cadence.WEEK, Cadence.HALF_MONTH})
_BEFORE = re.compile(r"trước (?:ngày )?(\d{1,2})\b(?:/(\d{1,2})\b)?", re.IGNORECASE)


Year = Annotated[Whole, Field(ge=2000, le=2100)]
MOST_YEARS = 15
"""Of one plan: the longest programmes of the Government run over ten years and are carried out from the first on."""


class PlanFile(FileModel):
    """A plan file. Its key is number, issuer and year of issue, because numbers restart each January. ``year``: the
    year that it plans: that of its issue, or the next one for a plan of November. ``last_year``: of a programme of
    several years («giai đoạn 2026–2030»), whose periodic reports are owed in each."""

    format: Literal["dondoc/plan@1"] = Field(alias="schema")
    number: Number
    issuer: Slug
    issued_on: Day
    year: Year
    last_year: Year | None = None
    title: Name
    short_title: Neutral
    sms_name: SmsName
    supervisor: Slug
    urgency: Urgency = Urgency.NORMAL
    policy: Slug = "default"
    directory: Slug
    gaps: tuple[Gap, ...] = ()
    focus_areas: tuple[FocusArea, ...] = ()
    indicators: tuple[Indicator, ...] = ()
    report_rules: dict[Slug, ReportRule] = Field(min_length=1)
    sections: tuple[Section, ...] = Field(min_length=1)

    @property
    def final_year(self) -> int:
        return self.last_year or self.year

    @property
    def years(self) -> str:
        """«2027», «2026–2030»."""
        return str(self.year) if self.last_year is None else f"{self.year}–{self.last_year}"

    @cached_property
    def duties(self) -> Mapping[str, PlacedDuty]:
        """Citation -> duty, in the document's order."""
        return {
            duty.citation: PlacedDuty(section, item, duty)
            for section in self.sections
            for item in section.items
            for duty in item.duties
        }

    @property
    def all_gaps(self) -> tuple[str, ...]:
        """Numbers missing in the document, whether or not the file declares them."""
        return tuple(citation for section in self.sections for citation in section.missing)

    @property
    def undeclared_gaps(self) -> tuple[str, ...]:
        declared = {gap.citation for gap in self.gaps}
        return tuple(citation for citation in self.all_gaps if citation not in declared)

    def rule_of(self, duty: DutyEntry) -> ReportRule:
        return self.report_rules[duty.rule]

    @property
    def days_to_ask(self) -> tuple[str, ...]:
        """The rules of periodic duties whose day the office names when it activates the plan."""
        duties = [placed.duty for placed in self.duties.values()]
        periodic = {duty.rule for duty in duties if CYCLES & {*duty.cadence, *duty.cadence_choices}}
        return tuple(name for name, rule in self.report_rules.items() if rule.ask_day and name in periodic)

    def mistakes(self) -> Iterator[Mistake]:
        yield from self._numbering()
        yield from self._gap_mistakes()
        for name, rule in self.report_rules.items():
            yield from self._rule_mistakes(rule, ("report_rules", name))
        for path, _, duty in self.walk():
            yield from self._duty_mistakes(duty, path)
        for n, indicator in enumerate(self.indicators):
            yield from self._indicator_mistakes(indicator, n)
        loop = find_cycle({citation: placed.duty.waits_for for citation, placed in self.duties.items()})
        if loop:
            what = Text("chờ nhau thành vòng", f"they wait for each other: {' → '.join(loop)}")
            yield Mistake(("sections",), what, Text("bỏ một «waits_for»", "drop one of them"))

    def walk(self) -> Iterator[tuple[Path_, ItemEntry, DutyEntry]]:
        """Every duty with its item and its path in the file."""
        for s, section in enumerate(self.sections):
            for i, item in enumerate(section.items):
                for d, duty in enumerate(item.duties):
                    yield ("sections", s, "items", i, "duties", d), item, duty

    def _numbering(self) -> Iterator[Mistake]:
        """Numbers must rise, and citations must match their position and be unique."""
        issued = self.issued_on.year
        if not issued <= self.year <= issued + 1:
            what = Text(
                f"năm {self.year} không phải năm ban hành ({self.issued_on}) hay năm sau đó",
                f"is neither the year of its issue ({self.issued_on}) nor the next",
            )
            yield Mistake(("year",), what, Text.same(f"year: {issued}"))
        if self.last_year is not None and not self.year < self.last_year < self.year + MOST_YEARS:
            what = Text(
                f"năm cuối {self.last_year} không phải năm sau {self.year}, trong vòng {MOST_YEARS} năm",
                f"{self.last_year} does not come after {self.year}, within {MOST_YEARS} years",
            )
            yield Mistake(("last_year",), what, Text("kế hoạch một năm thì bỏ dòng này", "leave it out for one year"))
        for s, section in enumerate(self.sections):
            last = 0
            for i, item in enumerate(section.items):
                at: Path_ = ("sections", s, "items", i)
                if item.no <= last:
                    what = Text(f"mục {item.no} đứng sau mục {last}", f"item {item.no} comes after item {last}")
                    yield Mistake(
                        (*at, "no"), what, Text("xếp theo thứ tự, không trùng số", "in order, without duplicates")
                    )
                last = max(last, item.no)
                place = f"{section.roman}.{item.no}"
                alone = section.kind == "standing" and len(item.duties) == 1
                for n, duty in enumerate(item.duties, 1):
                    right = [f"{place}.{n}", place] if alone else [f"{place}.{n}"]
                    if duty.citation not in right:
                        what = Text(f"«{duty.citation}» không khớp vị trí", "does not match its place in the document")
                        yield Mistake((*at, "duties", n - 1, "citation"), what, Text.same(f"citation: {right[-1]}"))
        seen = Counter(duty.citation for _, _, duty in self.walk())
        for path, _, duty in self.walk():
            if seen[duty.citation] > 1:
                what = Text(f"«{duty.citation}» đứng {seen[duty.citation]} lần", f"occurs {seen[duty.citation]} times")
                yield Mistake((*path, "citation"), what, Text("mỗi nhiệm vụ một số", "one number per duty"))

    def _gap_mistakes(self) -> Iterator[Mistake]:
        for n, gap in enumerate(self.gaps):
            if gap.citation not in self.all_gaps:
                what = Text(f"«{gap.citation}» không phải số bị thiếu", "is not a missing number")
                yield Mistake(("gaps", n, "citation"), what, did_you_mean(gap.citation, self.all_gaps))

    def _rule_mistakes(self, rule: ReportRule, at: Path_) -> Iterator[Mistake]:
        if rule.on is not None and rule.months_after_issue is not None:
            what = Text("có cả on và months_after_issue", "both are given")
            yield Mistake((*at, "on"), what, Text("giữ một", "keep one of them"))
        yield from _day_mistakes(rule, at)
        for n, override in enumerate(rule.overrides):
            path = (*at, "overrides", n, "period")
            try:
                year = self.year if override.period == ONCE else int(named(override.period).key[:4])
            except BadInput as error:
                yield Mistake(path, error.text, Text("sửa tên kỳ", "correct the period"))
                continue
            if not self.year <= year <= self.final_year:
                what = Text(f"kỳ {override.period} không thuộc năm kế hoạch", "is not in the plan's year")
                yield Mistake(path, what, Text(f"kỳ của năm {self.years}", f"a period of {self.years}"))

    def _duty_mistakes(self, duty: DutyEntry, at: Path_) -> Iterator[Mistake]:
        yield from self._duty_rule_mistakes(duty, (*at, "rule"))
        periodic = CYCLES & set(duty.cadence_choices)
        if duty.cadence_choices and (periodic != set(duty.cadence_choices) or not periodic.issuperset(duty.cadence)):
            what = Text("cadence_choices phải là các chu kỳ, trong đó có cadence", "must be cycles, cadence among them")
            yield Mistake((*at, "cadence_choices"), what, Text.same("cadence_choices: [quarter, month]"))
        areas = [area.code for area in self.focus_areas]
        if duty.area is not None and duty.area not in areas:
            what = Text(f"không có trọng tâm «{duty.area}»", "there is no such focus area")
            yield Mistake((*at, "area"), what, did_you_mean(duty.area, areas))
        if duty.repeats is not None:
            yield from self._citation_mistakes(duty.citation, duty.repeats, (*at, "repeats"))
        for n, citation in enumerate(duty.waits_for):
            yield from self._citation_mistakes(duty.citation, citation, (*at, "waits_for", n))

    def _duty_rule_mistakes(self, duty: DutyEntry, at: Path_) -> Iterator[Mistake]:
        rule = self.report_rules.get(duty.rule)
        if rule is None:
            what = Text(f"không có quy tắc «{duty.rule}»", "there is no such rule")
            yield Mistake(at, what, did_you_mean(duty.rule, self.report_rules))
        elif lacking := lacking_day(duty, rule):
            what = Text(f"quy tắc «{duty.rule}» không có ngày gửi", "the rule has no day for this periodic duty")
            yield Mistake(at, what, Text(f"thêm {lacking.vi} vào «{duty.rule}»", f"give the rule {lacking.en}"))
        elif Cadence.ONCE in duty.cadence and rule.on is None and rule.months_after_issue is None:
            what = Text(
                f"quy tắc «{duty.rule}» không có ngày cho việc làm một lần", "the rule has no date for a one-time duty"
            )
            yield Mistake(at, what, Text("thêm on hoặc months_after_issue", "give it on or months_after_issue"))

    def _citation_mistakes(self, own: str, citation: str, path: Path_) -> Iterator[Mistake]:
        if citation == own:
            yield Mistake(path, Text("dẫn chính mình", "cites itself"), Text("xóa", "remove it"))
        elif citation not in self.duties:
            what = Text(f"không có nhiệm vụ «{citation}»", "there is no such duty")
            yield Mistake(path, what, did_you_mean(citation, self.duties))

    def _indicator_mistakes(self, each: Indicator, n: int) -> Iterator[Mistake]:
        at: Path_ = ("indicators", n)
        codes = [indicator.code for indicator in self.indicators]
        if codes.index(each.code) < n:
            what = Text(f"mã «{each.code}» đã dùng", "the code is taken")
            yield Mistake((*at, "code"), what, Text("đặt mã khác", "another code"))
        others = set(codes) - {each.code}
        if each.part_of is not None and each.part_of not in others:
            what = Text(f"không có chỉ tiêu «{each.part_of}»", "there is no such indicator")
            yield Mistake((*at, "part_of"), what, did_you_mean(each.part_of, others))
        if each.unit == "percent" and each.aggregate == "sum":
            what = Text("không cộng được tỷ lệ phần trăm", "percentages cannot be added up")
            yield Mistake((*at, "aggregate"), what, Text("hỏi hai số đếm, dùng part_of", "ask two counts, use part_of"))
        if each.min is not None and each.max is not None and each.max < each.min:
            what = Text("max nhỏ hơn min", "max is below min")
            yield Mistake((*at, "max"), what, Text("đổi lại", "put them in order"))
        for m, name in enumerate(each.asked_of):
            if name[:1].isupper() and name not in self.duties:
                what = Text(f"không có nhiệm vụ «{name}»", "there is no such duty")
                yield Mistake((*at, "asked_of", m), what, did_you_mean(name, self.duties))
        if each.total_of is not None:
            yield from self._total_mistakes(each, each.total_of, at)

    def _total_mistakes(self, total: Indicator, code: str, at: Path_) -> Iterator[Mistake]:
        """A total is one figure of one agency. Aggregation, ``part_of`` and target are stated once, on its parts; a
        total of totals is not allowed."""
        others = {each.code: each for each in self.indicators if each.code != total.code}
        parts = others.get(code)
        if code == total.code:
            yield Mistake(
                (*at, "total_of"), Text("là tổng của chính mình", "is its own total"), Text("xóa", "remove it")
            )
        elif parts is None:
            what = Text(f"không có chỉ tiêu «{code}»", "there is no such indicator")
            yield Mistake((*at, "total_of"), what, did_you_mean(code, others))
        elif parts.total_of is not None:
            what = Text(f"«{code}» đã là số tổng", "is a total itself")
            yield Mistake(
                (*at, "total_of"), what, Text("chọn số do các đơn vị báo", "choose the figure that agencies give")
            )
        elif parts.unit != total.unit:
            what = Text(f"khác đơn vị tính của «{code}»", "has another unit")
            yield Mistake((*at, "unit"), what, Text.same(f"unit: {parts.unit}"))
        elif parts.unit != "count" or parts.aggregate != "sum":
            what = Text(f"«{code}» không phải số đếm được cộng", "is not a summed count")
            yield Mistake((*at, "total_of"), what, Text("chọn số có aggregate: sum", "choose one with aggregate: sum"))
        for name, unset in (("aggregate", "none"), ("part_of", None), ("target", None)):
            if getattr(total, name) != unset:
                what = Text(f"số tổng không có {name} riêng", f"a total has no {name} of its own")
                yield Mistake((*at, name), what, Text(f"bỏ đi, ghi ở «{code}»", f"remove it; it belongs to “{code}”"))
        if len(total.asked_of) != 1:
            what = Text("số tổng do một đơn vị báo", "a total is given by one agency")
            yield Mistake(
                (*at, "asked_of"), what, Text("ghi một cơ quan hoặc nhiệm vụ tổng hợp", "name the consolidating one")
            )


def _day_mistakes(rule: ReportRule, at: Path_) -> Iterator[Mistake]:
    """Days that say more than the wording, or that exclude each other."""
    before = _BEFORE.search(rule.wording)
    if before and rule.due_day == int(before[1]):
        yield Mistake((*at, "due_day"), _day_before(before), Text.same(f"due_day: {int(before[1]) - 1 or 31}"))
    if before and before[2] and str(DayOfYear(int(before[1]), int(before[2]))) in rule.due_on:
        yield Mistake((*at, "due_on"), _day_before(before), Text("ghi ngày hôm trước", "name the day before"))
    given = [name for name in ("due_day", "due_on", "due_days", "weekday") if getattr(rule, name)]
    if (rule.ask_day and given) or {"due_day", "due_on"} <= set(given):
        what = Text(f"có cả {', '.join(given)}", f"{', '.join(given)} are given")
        yield Mistake((*at, "ask_day" if rule.ask_day else "due_on"), what, Text("giữ một", "keep one of them"))
    if rule.in_next_month and (rule.in_last_month or rule.due_day is None):
        what = Text("chỉ đi cùng due_day, không cùng in_last_month", "goes with due_day, without in_last_month")
        yield Mistake((*at, "in_next_month"), what, Text("xóa dòng này", "remove this line"))


def _day_before(before: re.Match[str]) -> Text:
    return Text(f"«{before[0]}» là chậm nhất ngày hôm trước", "“before” means the day before at the latest")


def lacking_day(duty: DutyEntry, rule: ReportRule) -> Text | None:
    """What a rule lacks to name a day for each period of a duty; None if it lacks nothing."""
    cycles = CYCLES & set(duty.cadence)
    if not cycles or rule.ask_day:
        return None
    if Cadence.WEEK in cycles and rule.weekday is None:
        return Text.same("weekday")
    if Cadence.HALF_MONTH in cycles and len(set(rule.due_days)) != 2:
        return Text("due_days gồm hai ngày", "two due_days")
    longer = cycles - SHORT
    if not longer or rule.due_day is not None:
        return None
    whole = date(2021, 1, 1), date(2021, 12, 31)
    count = len([*periods(longer, *whole, year_covers_h2=rule.year_covers_h2)])
    if not rule.due_on:
        return Text.same("due_day")
    return None if len(rule.due_on) == count else Text(f"đủ {count} ngày due_on", f"{count} days of due_on")


@dataclass(frozen=True)
class DuePeriod:
    """One period of one duty: its due date, the rule's wording, and the source of the date."""

    period: Period
    due: Due
    wording: str
    basis: str
    source: RuleSource


def due_periods(plan: PlanFile, duty: DutyEntry, calendar: WorkCalendar) -> list[DuePeriod]:
    """The periods of a duty from the plan's issue to the end of its last year, by due date.
    ``ad_hoc`` yields nothing."""
    rule = plan.rule_of(duty)
    result = [
        _due_period(rule, each, _due(rule, each, calendar.due(nominal, roll=rule.roll)), calendar)
        for each, nominal in _nominal_days(plan, duty)
        if nominal is not None
    ]
    if Cadence.ONCE in duty.cadence:
        nominal = rule.on or add_months(plan.issued_on, rule.months_after_issue or 0)
        once = Period(ONCE, Cadence.ONCE, plan.issued_on, nominal)
        result.append(_due_period(rule, once, _due(rule, once, calendar.due(nominal, roll=rule.roll)), calendar))
    return sorted(result, key=lambda each: (each.due.on, each.period.start, each.period.key))


def cycle_periods(plan: PlanFile, duty: DutyEntry) -> Iterator[Period]:
    """The periods of a duty's cycles in the plan's years, by closing date. One whose data window closed or whose report
    was due before the issue is not owed, nor is one of the year in which a plan for the next was issued."""
    return (each for each, _ in _nominal_days(plan, duty))


def _nominal_days(plan: PlanFile, duty: DutyEntry) -> Iterator[tuple[Period, date | None]]:
    """The same with the day of each, before days off move it; None as long as nobody has named one."""
    rule, days = plan.rule_of(duty), plan.rule_of(duty).days
    first, last = max(plan.issued_on, date(plan.year, 1, 1)), date(plan.final_year, 12, 31)
    of_year: Counter[int] = Counter()
    for each in periods(
        duty.cadence, date(plan.year, 1, 1), last, rule.data_window, year_covers_h2=rule.year_covers_h2
    ):
        nominal = days.nominal(each, of_year[each.year])
        of_year[each.year] += 1
        if each.end >= first and (nominal is None or nominal >= plan.issued_on):
            yield each, nominal


def year_mistakes(plan: PlanFile) -> Iterator[Mistake]:
    """A plan that asks for periodic reports, none of which lies in its year: it would run without asking for any."""
    cyclic = [placed.duty for placed in plan.duties.values() if CYCLES & set(placed.duty.cadence)]
    if cyclic and plan.year <= plan.final_year and not any(True for duty in cyclic for _ in cycle_periods(plan, duty)):
        what = Text(
            f"không kỳ báo cáo nào thuộc năm {plan.years}: ban hành {day_digits(plan.issued_on)} thì các kỳ đã qua",
            f"no periodic report lies in {plan.years}: issued on {day_digits(plan.issued_on)}, it comes after all",
        )
        following = plan.final_year + 1
        fix = Text(
            f"kế hoạch của năm sau thì ghi year: {following}; báo cáo một lần thì ghi cadence: [once]",
            f"a plan for the next year has year: {following}; a single report has cadence: [once]",
        )
        yield Mistake(("year",), what, fix)


def _due(rule: ReportRule, each: Period, due: Due) -> Due:
    """The explanation of a day that the plan names before the data closes says until when the data runs."""
    if rule.source is RuleSource.PLAN and due.on > due.nominal and "trước" in rule.wording.lower():
        due = Due(due.nominal, due.on, _moved_past(rule.wording, due.why))
    if due.on >= each.end:
        return due
    closes = day_digits(each.end)
    beside = Text(
        f"{due.why['vi']} (kỳ số liệu đến {closes}: báo số liệu có đến ngày gửi)",
        f"{due.why['en']} (the data window ends {closes}: report what there is by then)",
    )
    return Due(due.nominal, due.on, {language: beside.said(language) for language in LANGUAGES})


def _moved_past(wording: str, why: Mapping[str, str]) -> Mapping[str, str]:
    """A day off moves what the plan wants «trước ngày 31/10» past the day that it names: by which law is said."""
    law = Text("Điều 148 Bộ luật Dân sự", "Civil Code art. 148")
    said = Text("kế hoạch: {wording}; {why} ({law})", "the plan: {wording}; {why} ({law})")
    return {
        language: said.said(language).format(wording=wording, why=why[language], law=law.said(language))
        for language in LANGUAGES
    }


def _due_period(rule: ReportRule, each: Period, due: Due, calendar: WorkCalendar) -> DuePeriod:
    """Apply the override of a period, if a dispatch set another date for it; the explanation names it."""
    override = next((override for override in rule.overrides if override.period == each.key), None)
    if override is None:
        return DuePeriod(each, due, rule.wording, rule.basis, rule.source)
    moved = calendar.due(override.due, roll=rule.roll)
    why = {
        "vi": f"{moved.why['vi']} (theo {override.basis}, thay hạn {written(due.on, 'vi')})",
        "en": f"{moved.why['en']} (by {override.basis}, instead of {written(due.on, 'en')})",
    }
    return DuePeriod(each, Due(moved.nominal, moved.on, why), rule.wording, override.basis, rule.source)


def owners_of(plan: PlanFile, directory: DirectoryFile) -> dict[str, tuple[str, ...]]:
    """Citation -> agency ids of the duty's owners, groups expanded, in the directory's order. Raises BadInput for an
    unknown owner."""
    for placed in plan.duties.values():
        for name in placed.owners:
            if not directory.members(name):
                what = Text(
                    f"{placed.duty.citation}: danh bạ «{directory.id}» không có «{name}»",
                    f"{placed.duty.citation}: the directory “{directory.id}” has no “{name}”",
                )
                raise BadInput(Text.joined("; ", (what, did_you_mean(name, directory.ids))))
    return {citation: directory.expand(placed.owners) for citation, placed in plan.duties.items()}


def directory_mistakes(plan: PlanFile, directory: DirectoryFile) -> Iterator[Mistake]:
    """Agencies named in the plan that are missing in the directory."""
    agencies: list[tuple[Path_, str]] = [(("issuer",), plan.issuer), (("supervisor",), plan.supervisor)]
    agencies += [(("report_rules", name, "to"), rule.to) for name, rule in plan.report_rules.items()]
    for known, named_here in ((tuple(directory.by_id), agencies), (directory.ids, _named_owners(plan))):
        for place, name in dict.fromkeys(named_here):
            if name not in known:
                what = Text(f"danh bạ «{directory.id}» không có «{name}»", "is not in the directory")
                yield Mistake(place, what, did_you_mean(name, known))
    yield from _not_begun(plan, directory)
    for n, indicator in enumerate(plan.indicators):
        asked = len(_asked(plan, directory, indicator))
        if indicator.total_of is not None and asked > 1:
            what = Text(f"số tổng hỏi {asked} đơn vị", f"a total is asked of {asked} agencies")
            yield Mistake(("indicators", n, "asked_of"), what, Text("hỏi đơn vị tổng hợp", "ask the consolidating one"))
    if plan.directory != directory.id:
        what = Text(f"kế hoạch dùng danh bạ «{plan.directory}», không phải «{directory.id}»", "uses another directory")
        yield Mistake(("directory",), what, Text.same(f"directory: {directory.id}"))


def _not_begun(plan: PlanFile, directory: DirectoryFile) -> Iterator[Mistake]:
    """Owners that exist only after the plan is issued: nobody there would be written to, and what they owe would
    escalate unseen. Those that have ended by then are asked for when the plan is loaded."""
    for place, name in _named_owners(plan):
        begins = [each for member in directory.members(name) if (each := directory.by_id[member].begins) is not None]
        if begins and len(begins) == len(directory.members(name)) and min(begins) > plan.issued_on:
            day = min(begins)
            what = Text(
                f"«{directory.latest_names[name]}» chỉ có từ {written(day)}, sau ngày ban hành",
                f"“{directory.latest_names[name]}” exists from {written(day, 'en')} only, after the day of issue",
            )
            yield Mistake(place, what, Text("chọn cơ quan có vào ngày ấy", "name one that exists on that day"))


def _named_owners(plan: PlanFile) -> Iterator[tuple[Path_, str]]:
    """Where agencies or groups may stand, with the path of each."""
    for n, indicator in enumerate(plan.indicators):
        yield from ((("indicators", n, "asked_of", m), x) for m, x in enumerate(indicator.asked_of) if x.islower())
    for path, item, duty in plan.walk():
        lists = {(*path[:-2], "owners"): item.owners}
        lists |= {(*path, "owners"): duty.owners, (*path, "coordinating"): duty.coordinating}
        for place, names in lists.items():
            yield from (((*place, m), name) for m, name in enumerate(names))


def _asked(plan: PlanFile, directory: DirectoryFile, indicator: Indicator) -> tuple[str, ...]:
    """The agencies that an indicator is asked of; a citation stands for the owners of the duty."""
    names = (plan.duties[name].owners if name in plan.duties else (name,) for name in indicator.asked_of)
    return directory.expand(each for owners in names for each in owners)


def loading_mistakes(plan: PlanFile, directory: DirectoryFile | None) -> Iterator[Mistake]:
    """What is refused when a file is checked or loaded; a stored plan is read without it."""
    yield from year_mistakes(plan)
    if directory is not None:
        yield from directory_mistakes(plan, directory)


def load_plan(path: Path, directory: DirectoryFile | None = None) -> PlanFile:
    """Load a plan file; with a directory, also check the agencies that it names. Raises FileRefused."""
    return read(path, PlanFile, also=lambda plan: loading_mistakes(plan, directory))
