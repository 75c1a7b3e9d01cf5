"""``plan check``: summary of a plan file before it is used. Number of items, duties and owners; missing numbers; what
would be due when, and the source of each date. Pure.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from engine.files.directory import DirectoryFile
from engine.files.plan import DuePeriod, PlanFile, due_periods, owners_of
from engine.files.plan_parts import RuleSource
from engine.files.plan_renewal import EndedName, PlanYear, ended_names, plan_year
from engine.rules.calendar import Due, WorkCalendar, day_digits
from engine.rules.periods import Cadence
from engine.terms import Role


@dataclass(frozen=True, kw_only=True)
class DueLine:
    """One due date of a period, and the duties that share it."""

    period: str
    due: Due
    source: RuleSource
    basis: str
    wording: str
    to: str
    citations: tuple[str, ...]
    assignments: int


@dataclass(frozen=True)
class DutyLine:
    """One row per duty: its cadence, whether it is a request, and the number of owners."""

    citation: str
    heading: str
    cadence: tuple[Cadence, ...]
    request: bool
    owners: int


@dataclass(frozen=True, kw_only=True)
class PlanReport:
    """Summary of a plan. ``assignments`` counts duty × owner per period; ``warnings`` is by language."""

    number: str
    issuer: str
    issued_on: date
    year: PlanYear
    items: int
    gaps: tuple[str, ...]
    sections: Mapping[str, int]
    duties: tuple[DutyLine, ...]
    assignments: Mapping[str, int]
    due: tuple[DueLine, ...]
    warnings: tuple[Mapping[str, str], ...]
    ended: tuple[EndedName, ...] = ()

    def json(self) -> dict[str, object]:
        """As plain data; the keys are part of the public interface."""
        return {
            "number": self.number,
            "year": {
                "year": self.year.year,
                "first": self.year.first,
                "last": self.year.last,
                "last_year": self.year.last_year,
            },
            "items": self.items,
            "gaps": list(self.gaps),
            "duties": dict(self.sections),
            "owners": {duty.citation: duty.owners for duty in self.duties},
            "assignments": dict(self.assignments),
            "due": [
                {
                    "period": line.period,
                    "nominal": line.due.nominal.isoformat(),
                    "due": line.due.on.isoformat(),
                    "why": line.due.why["vi"],
                    "source": line.source.value,
                    "basis": line.basis,
                    "citations": list(line.citations),
                    "assignments": line.assignments,
                }
                for line in self.due
            ],
            "warnings": [warning["vi"] for warning in self.warnings],
            "ended": [
                {
                    "owner": each.id,
                    "name": each.name,
                    "until": each.last_day.isoformat(),
                    "citations": list(each.citations),
                    "successors": [
                        {"to": heir.id, "name": heir.name, "function": heir.function, "basis": heir.basis}
                        for heir in each.heirs
                    ],
                    "proposed": list(each.proposed),
                }
                for each in self.ended
            ],
        }

    def text(self, language: str = "vi") -> str:
        """As plain-text tables for people."""
        words = _WORDS[language]
        parts = [
            words["head"].format(number=self.number, issuer=self.issuer, day=day_digits(self.issued_on))
            + f"\n{self.year.text.said(language)}",
            words["sum"].format(
                items=self.items,
                sections=", ".join(f"{roman}: {count}" for roman, count in self.sections.items()),
                gaps=", ".join(self.gaps) or words["none"],
                total=sum(self.assignments.values()),
            ),
            _table(words["duties"], [self._duty_row(duty, language) for duty in self.duties], right=(4,)),
            _table(words["due"], [_due_row(line, language, words) for line in self.due], right=(2, 3)),
            words["configured"] if any(line.source is RuleSource.LOCAL for line in self.due) else "",
            "\n".join(f"! {each.text.said(language)}" for each in self.ended),
            "\n".join(f"! {warning[language]}" for warning in self.warnings),
        ]
        return "\n\n".join(part for part in parts if part) + "\n"

    @staticmethod
    def _duty_row(duty: DutyLine, language: str) -> tuple[str, ...]:
        cadence = ", ".join(cadence.words.said(language) for cadence in duty.cadence)
        request = _WORDS[language]["request"] if duty.request else ""
        return duty.citation, _cut(duty.heading, 44), cadence, request, str(duty.owners)


_WORDS: Mapping[str, Mapping[str, str]] = {
    "vi": {
        "head": "Kế hoạch {number} của {issuer}, ban hành {day}",
        "sum": "{items} cơ quan đánh số; nhiệm vụ {sections}; số bị thiếu trong văn bản: {gaps}; {total} việc",
        "none": "không",
        "duties": "Nhiệm vụ|Cơ quan chủ trì|Kỳ báo cáo||Số cơ quan",
        "due": "Kỳ|Hạn|Nhiệm vụ|Phần việc|Gửi về|Nguồn|Cách nói",
        "configured": "[cấu hình]: ngày do tỉnh đặt trong report_rules, kế hoạch không ghi.",
        "request": "đề nghị",
        "local": "[cấu hình]",
        "law": "[luật]",
        "plan": "[kế hoạch]",
    },
    "en": {
        "head": "Plan {number} of {issuer}, issued {day}",
        "sum": "{items} numbered agencies; duties {sections}; numbers missing in the document: {gaps}; "
        "{total} assignments",
        "none": "none",
        "duties": "Duty|Owner|Cadence||Owners",
        "due": "Period|Due|Duties|Assignments|To|Source|Wording",
        "configured": "[configured]: dates set by the province in report_rules; they are not from the plan.",
        "request": "request",
        "local": "[configured]",
        "law": "[law]",
        "plan": "[plan]",
    },
}


def check(plan: PlanFile, directory: DirectoryFile, calendar: WorkCalendar) -> PlanReport:
    """Summarise the plan with this directory and calendar. Raises BadInput for an unknown owner."""
    owners = owners_of(plan, directory)
    due = _due_lines(plan, directory, calendar, owners)
    assignments: Counter[str] = Counter()
    for line in due:
        assignments[line.period] += line.assignments
    return PlanReport(
        number=plan.number,
        issuer=_short_name(directory, plan.issuer, plan.issued_on),
        issued_on=plan.issued_on,
        year=plan_year(plan),
        items=sum(len(section.items) for section in plan.sections if section.kind == "assignments"),
        gaps=plan.all_gaps,
        sections={each.roman: sum(len(item.duties) for item in each.items) for each in plan.sections},
        duties=tuple(
            DutyLine(citation, placed.item.heading, placed.duty.cadence, placed.item.request, len(owners[citation]))
            for citation, placed in plan.duties.items()
        ),
        assignments=dict(assignments),
        due=tuple(due),
        warnings=tuple(_warnings(plan, directory, calendar, owners)),
        ended=ended_names(plan, directory),
    )


def _due_lines(
    plan: PlanFile, directory: DirectoryFile, calendar: WorkCalendar, owners: Mapping[str, Sequence[str]]
) -> list[DueLine]:
    """The due dates of all duties, by date; duties with the same period and rule share a line."""
    citations: dict[tuple[date, str, str], list[str]] = {}
    by_key: dict[tuple[date, str, str], DuePeriod] = {}
    for citation, placed in plan.duties.items():
        for each in due_periods(plan, placed.duty, calendar):
            key = (each.due.on, each.period.key, placed.duty.rule)
            citations.setdefault(key, []).append(citation)
            by_key[key] = each
    return [
        DueLine(
            period=key[1],
            due=by_key[key].due,
            source=by_key[key].source,
            basis=by_key[key].basis,
            wording=by_key[key].wording,
            to=_short_name(directory, plan.report_rules[key[2]].to, plan.issued_on),
            citations=tuple(citations[key]),
            assignments=sum(len(owners[citation]) for citation in citations[key]),
        )
        for key in sorted(citations)
    ]


def _short_name(directory: DirectoryFile, agency: str, day: date) -> str:
    """The short name if there is one, else the name; the id of an agency that is not in the directory."""
    if agency not in directory.by_id:
        return agency
    entry = directory.by_id[agency].name_on(day)
    return entry.short or entry.name


_GAP = {
    "vi": "Văn bản thiếu số {citation}, chưa khai trong gaps: xem có chép sót không.",
    "en": "Number {citation} is missing in the document and not declared in gaps: was it left out by mistake?",
}
_UNUSED_OVERRIDE = {
    "vi": "{basis} đổi hạn kỳ {period}, nhưng không nhiệm vụ nào theo «{rule}» có kỳ đó.",
    "en": "{basis} moves {period}, but no duty under “{rule}” has that period.",
}
_ASKED_AT_ACTIVATION = {
    "vi": "Quy tắc «{rule}»: kế hoạch không nêu ngày gửi, sẽ hỏi khi kích hoạt; nhiệm vụ {citations}.",
    "en": "Rule “{rule}”: the plan names no day; it is asked for at activation; duties {citations}.",
}
_NO_COORDINATOR = {
    "vi": "{name} chưa có đầu mối: thư sẽ gửi cho người theo dõi.",
    "en": "{name} has no coordinator: letters will go to the monitor.",
}


def _warnings(
    plan: PlanFile, directory: DirectoryFile, calendar: WorkCalendar, owners: Mapping[str, Sequence[str]]
) -> Iterator[Mapping[str, str]]:
    """Conditions that are allowed but worth checking: undeclared gaps, overrides without effect, owners without a
    coordinator."""
    for citation in plan.undeclared_gaps:
        yield _filled(_GAP, citation=citation)
    duties = [placed.duty for placed in plan.duties.values()]
    owed = {(duty.rule, each.period.key) for duty in duties for each in due_periods(plan, duty, calendar)}
    for name, rule in plan.report_rules.items():
        for override in rule.overrides:
            if (name, override.period) not in owed:
                yield _filled(_UNUSED_OVERRIDE, basis=override.basis, period=override.period, rule=name)
    for name in plan.days_to_ask:
        yield _filled(
            _ASKED_AT_ACTIVATION, rule=name, citations=", ".join(d.citation for d in duties if d.rule == name)
        )
    for agency in dict.fromkeys(agency for each in owners.values() for agency in each):
        if not directory.by_id[agency].contacts_on(plan.issued_on, Role.COORDINATOR):
            yield _filled(_NO_COORDINATOR, name=directory.name_on(agency, plan.issued_on))


def _filled(words: Mapping[str, str], **facts: str) -> Mapping[str, str]:
    return {language: text.format(**facts) for language, text in words.items()}


def _due_row(line: DueLine, language: str, words: Mapping[str, str]) -> tuple[str, ...]:
    duties, count = str(len(line.citations)), str(line.assignments)
    if len(line.citations) == 1:
        duties = line.citations[0]
    return line.period, line.due.why[language], duties, count, line.to, words[line.source.value], _cut(line.wording, 56)


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 1] + "…"


def _width(text: str) -> int:
    return sum(not unicodedata.combining(letter) for letter in unicodedata.normalize("NFC", text))


def _table(head: str, rows: Sequence[Sequence[str]], right: tuple[int, ...]) -> str:
    """Columns as wide as their widest cell; ``right``: indices of right-aligned columns."""
    lines = [head.split("|"), *rows]
    widths = [max(_width(line[n]) for line in lines) for n in range(len(lines[0]))]
    shown = []
    for line in lines:
        cells = (
            " " * (widths[n] - _width(cell)) + cell if n in right else cell + " " * (widths[n] - _width(cell))
            for n, cell in enumerate(line)
        )
        shown.append("  ".join(cells).rstrip())
    shown.insert(1, "  ".join("-" * width for width in widths))
    return "\n".join(shown)
