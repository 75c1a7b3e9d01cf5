"""The plan data of a draft, as in a plan file, and its errors by the field where they are corrected.

A field's name is ``head.year``, ``names.3``, ``line.12``, or a duty's with its key (``duty.17.due``). Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from engine.errors import FileRefused
from engine.features.plan_import.drafts.model import (
    DEFAULT_RULE,
    NEW,
    OTHERS,
    DraftDuty,
    DraftItem,
    DraftSection,
    PlanDraft,
    UnknownName,
    citations,
    kind_members,
    nearest,
)
from engine.features.plan_import.importer.phrases.deadlines import deadlines_in
from engine.features.plan_import.importer.phrases.timing import timing_of
from engine.files.directory import AgencyEntry, DirectoryFile, fold
from engine.files.plan import DuePeriod, PlanFile, due_periods, lacking_day, loading_mistakes
from engine.files.plan_parts import DutyEntry, ReportRule, rule_fields
from engine.files.plan_renewal import YEARS_AS, read_years
from engine.files.yaml_reader import dump_plain, read
from engine.rules.calendar import WorkCalendar
from engine.rules.outputs import MAX_WHAT_CHARS
from engine.rules.periods import Cadence, ReportDays
from engine.rules.typed_day import TYPED_AS, read_report_days, read_typed_day
from engine.text import Text

PLAIN = ("number", "title", "short_title", "sms_name")
UNDATED = ("none", "year", "half_year year", "quarter")
"""How duties without words about time report: not on their own, or by a cycle."""
UNKNOWN = Text(
    "chọn trong danh sách gợi ý, hoặc thêm vào danh bạ trước", "choose a suggestion, or add it to the directory first"
)
NO_DAY = Text("Văn bản không nêu ngày gửi: hỏi khi kích hoạt", "The document names no day: asked for at activation")
NO_OWNER = Text("chưa có cơ quan chủ trì", "no owner")
_SHOWN_AT = {"citation": "text", "rule": "due", "heading": "owners"}
_MAX_ID_CHARS, _MAX_NEW_ID_CHARS = 60, 56
_LEVELS = (
    ("so ", "so"),
    ("ubnd xa", "xa"),
    ("ubnd phuong", "xa"),
    ("ubnd dac khu", "xa"),
    ("ubnd huyen", "huyen"),
    ("ubnd tinh", "tinh"),
    ("hoi ", "doan_the"),
)


@dataclass
class Reviewed:
    """The plan's data, errors by field, and the key of each duty by its place in the plan file."""

    data: dict[str, Any]
    problems: dict[str, list[Text]] = field(default_factory=dict)
    origin: dict[str, int] = field(default_factory=dict)
    matched: dict[str, str] = field(default_factory=dict)
    """Unknown name -> the id of the agency or group that was chosen for it."""
    new: dict[str, str] = field(default_factory=dict)
    """Ids of agencies to be added -> their names."""
    lacking: set[str] = field(default_factory=set)
    """Names that the directory lacks and nobody has settled."""

    def wrong(self, name: str, what: Text) -> None:
        self.problems.setdefault(name, []).append(what)


def reviewed(draft: PlanDraft, directory: DirectoryFile) -> Reviewed:
    """The plan's data as corrected, with errors by field."""
    out = Reviewed({"schema": draft.format})
    names = _Names(draft, directory, out)
    _read_head(draft, names, out)
    rules = _Rules(draft, out)
    out.data["sections"] = sections = _sections(draft, names, rules, out)
    out.data["report_rules"] = rules.made
    missing = {number for each in sections for number in _missing(each)}
    out.data["gaps"] = [each.model_dump() for each in draft.gaps if each.citation in missing]
    if not sections:
        out.wrong("", Text("không còn nhiệm vụ nào", "no duty is left"))
    return out


def checked(out: Reviewed, directory: DirectoryFile) -> PlanFile | None:
    """The plan if it is valid; else None, with errors by field in ``out.problems`` («» for the whole plan)."""
    directory = extended(directory, out.new)
    try:
        plan = read(dump_plain(out.data), PlanFile, also=lambda plan: loading_mistakes(plan, directory))
    except FileRefused as refused:
        for problem in refused.problems:
            name = _shown_field(problem.field, out.origin)
            if name not in out.problems or name == "":
                where = f"{problem.field}: " if name == "" else ""
                said = Text(where + problem.what.vi, where + problem.what.en)
                out.wrong(name, Text.joined(" → ", (said, problem.fix)))
        return None
    return None if out.problems else plan


def asked_days(out: Reviewed, calendar: WorkCalendar) -> dict[int, list[DuePeriod] | None]:
    """For each duty's key the reports that would be asked for; None where the day is asked for at activation. Duties
    with mistakes of their own are left out, and all while the plan has no day of issue or year."""
    data, found = out.data, dict[int, list[DuePeriod] | None]()
    if not (data["issued_on"] and data["year"]):
        return found
    rules = {name: ReportRule.model_validate(rule | {"to": "x"}) for name, rule in data["report_rules"].items()}
    head: dict[str, Any] = {"year": data["year"], "last_year": data.get("last_year"), "report_rules": rules}
    plan = PlanFile.model_construct(**head, issued_on=date.fromisoformat(data["issued_on"]))
    entries = [entry for section in data["sections"] for item in section["items"] for entry in item["duties"]]
    for entry, key in zip(entries, out.origin.values(), strict=True):
        rule = rules[entry["rule"]]
        of_duty: dict[str, Any] = {"cadence": tuple(map(Cadence, entry["cadence"])), "rule": entry["rule"]}
        duty = DutyEntry.model_construct(**of_duty)
        once = Cadence.ONCE in duty.cadence
        if lacking_day(duty, rule) is None and (rule.on or not once):
            found[key] = None if rule.ask_day and not once else due_periods(plan, duty, calendar)
    return found


def unfinished(out: Reviewed) -> list[str]:
    """The remaining errors as comments at the top of a file that is to be continued elsewhere."""
    problems = [f"# CÒN SỬA / TO FIX: {name}: {each}" for name, all_ in out.problems.items() for each in all_]
    return [" ".join(line.split()) for line in problems]


def level_of(name: str) -> str:
    """The level that a new agency is given by its name; an administrator changes it on its page."""
    plain = fold(name).replace("uy ban nhan dan", "ubnd")
    return next((level for begin, level in _LEVELS if plain.startswith(begin)), "khac")


def extended(directory: DirectoryFile, new: Mapping[str, str]) -> DirectoryFile:
    """The directory with the agencies that are to be added."""
    entries = [
        AgencyEntry.model_validate({"id": agency, "names": [{"name": name}], "level": level_of(name)})
        for agency, name in new.items()
    ]
    parts = {"schema": directory.format, "id": directory.id, "name": directory.name, "groups": directory.groups}
    return DirectoryFile.model_validate(parts | {"agencies": (*directory.agencies, *entries)}) if entries else directory


# --- names -----------------------------------------------------------------------------------------------------------


@dataclass
class _Names:
    """The ids of names; errors are recorded in ``out``."""

    draft: PlanDraft
    directory: DirectoryFile
    out: Reviewed

    def __post_init__(self) -> None:
        self._chosen = {each.name: each for each in self.draft.unknown if each.chosen}
        self._on = read_typed_day(self.draft.head.issued_on, None)

    def ids(self, typed: Iterable[str], field_name: str) -> list[str]:
        found = (agency for name in typed for agency in self._ids(name, field_name))
        return list(dict.fromkeys(found))

    def one(self, typed: str, field_name: str) -> str:
        """The id for a field that takes one agency; empty for an unknown one."""
        found = self._ids(typed, field_name)
        if len(found) != 1:
            said = Text("đang chỉ nhiều cơ quan; chọn một", "stands for several agencies; choose one")
            self.out.wrong(field_name, said)
        return "" if typed in self.out.lacking else next(iter(found), "")

    def _ids(self, typed: str, field_name: str) -> list[str]:
        choice = self._chosen.get(typed)
        if choice is None:
            return [self._id(typed, field_name)]
        if choice.chosen == NEW:
            return [self._new_id(typed)]
        if choice.chosen == OTHERS:
            others = [each for each in choice.others if each != typed]
            return [agency for each in others for agency in self._ids(each, field_name)]
        if choice.levels:
            return self._of_kind(choice, field_name)
        agency = self._id(choice.chosen, field_name)
        self.out.matched[typed] = agency
        return [agency]

    def _of_kind(self, choice: UnknownName, field_name: str) -> list[str]:
        members = kind_members(choice.levels, self.directory, self._on)
        kept = [each for each in members if each not in choice.without]
        if not kept:
            said = Text("không có cơ quan nào thuộc loại này", "there is no agency of this kind")
            self.out.wrong(field_name, said)
        return kept

    def _id(self, typed: str, field_name: str) -> str:
        """The id of one name; for an unknown one an error is recorded and a slug of the name returned."""
        found = typed if self.directory.members(typed) else self.directory.find(typed)
        if not found:
            self.out.wrong(field_name, self._unknown(typed) if typed else Text("để trống", "is empty"))
            self.out.lacking.add(typed)
            return _slug(typed)
        return found

    def _new_id(self, name: str) -> str:
        """The id of an agency that is to be added."""
        agency = _slug(name)[:_MAX_NEW_ID_CHARS].strip("-")
        while self.directory.members(agency):
            agency += "-2"
        self.out.new[agency] = name
        return agency

    def _unknown(self, typed: str) -> Text:
        likely = nearest(typed, self.directory, self._on)
        said = ", ".join(f"«{each}»" for each in likely)
        near = Text(f"gần giống: {said}", f"similar: {said}") if likely else UNKNOWN
        missing = Text(f"danh bạ không có «{typed[:80]}»", f"the directory has no “{typed[:80]}”")
        return Text.joined("; ", (missing, near))


def _slug(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", fold(name)).strip("-")[:_MAX_ID_CHARS].strip("-") or "chua-ro"


# --- the head --------------------------------------------------------------------------------------------------------


def _read_head(draft: PlanDraft, names: _Names, out: Reviewed) -> None:
    """The plan's own data."""
    head = draft.head
    out.data |= {name: " ".join(getattr(head, name).split()) for name in PLAIN}
    out.data |= {name: names.one(getattr(head, name).strip(), f"head.{name}") for name in ("issuer", "supervisor")}
    issued = _day("head.issued_on", head.issued_on, out)
    out.data |= {"issued_on": issued and issued.isoformat(), **_years(head.year.strip(), issued, out)}
    out.data["directory"] = names.directory.id


def _years(typed: str, issued: date | None, out: Reviewed) -> dict[str, int | None]:
    """The years that the plan is for, «2027» or «2026–2030»; that of its issue where none is typed."""
    if not typed:
        return {"year": None if issued is None else issued.year}
    if years := read_years(typed):
        return {"year": years.first, **({"last_year": years.last} if years.last else {})}
    out.wrong("head.year", YEARS_AS)
    return {"year": None}


def _day(name: str, typed: str, out: Reviewed) -> date | None:
    day = read_typed_day(typed, None)
    if day is None:
        said = typed.strip()[:20]
        out.wrong(
            name,
            Text(
                f"Không đọc được ngày «{said}»; hãy viết như 17/6/2021.",
                f"The date “{said}” cannot be read; write it like 17/6/2021.",
            ),
        )
    return day


def _day_of_month(name: str, typed: str, out: Reviewed) -> int | None:
    if re.fullmatch(r"0?[1-9]|[12]\d|3[01]", typed.strip()):
        return int(typed)
    out.wrong(name, Text("ngày trong tháng, từ 1 đến 31", "a day of the month, 1 to 31"))
    return None


# --- duties ----------------------------------------------------------------------------------------------------------


def _sections(draft: PlanDraft, names: _Names, rules: _Rules, out: Reviewed) -> list[dict[str, Any]]:
    """The sections with the items of which a duty is kept."""
    cycle = [each for each in draft.head.undated.split() if each in tuple(Cadence)]
    found: list[dict[str, Any]] = []
    for section in draft.sections:
        kept = [(item, [duty for duty in item.duties if not duty.dropped]) for item in section.items]
        items: list[dict[str, Any]] = []
        for item, duties in kept:
            if duties:
                place = f"sections[{len(found)}].items[{len(items)}]"
                out.origin |= {f"{place}.duties[{n}]": duty.key for n, duty in enumerate(duties)}
                items.append(_item(section, item, duties, names, rules, cycle))
        if items:
            found.append({"roman": section.roman, "heading": section.heading, "kind": section.kind, "items": items})
    return found


def _item(
    section: DraftSection,
    item: DraftItem,
    duties: Sequence[DraftDuty],
    names: _Names,
    rules: _Rules,
    cycle: Sequence[str],
) -> dict[str, Any]:
    """An item with its kept duties; those whose owners are not the first one's name their own."""
    numbered = citations(section, item.model_copy(update={"duties": list(duties)}))
    owners = [_owners(duty, names) for duty in duties]
    entries = [
        _duty(duty, names, rules, cycle) | {"citation": citation} | ({} if own == owners[0] else {"owners": own})
        for duty, citation, own in zip(duties, numbered, owners, strict=True)
    ]
    about = {"no": item.no, "heading": item.heading, "request": item.request}
    return about | {"owners": owners[0], "duties": entries}


def _owners(duty: DraftDuty, names: _Names) -> list[str]:
    if not duty.owners:
        names.out.wrong(f"duty.{duty.key}.owners", NO_OWNER)
    return names.ids(duty.owners, f"duty.{duty.key}.owners")


def _output(duty: DraftDuty, out: Reviewed) -> dict[str, Any]:
    if len(duty.output) > MAX_WHAT_CHARS:
        said = Text(f"dài quá {MAX_WHAT_CHARS} ký tự", f"longer than {MAX_WHAT_CHARS} characters")
        out.wrong(f"duty.{duty.key}.output", said)
    return {"output": {"what": duty.output, "kind": duty.output_kind.value}} if duty.output else {}


def _duty(duty: DraftDuty, names: _Names, rules: _Rules, cycle: Sequence[str]) -> dict[str, Any]:
    """``cycle``: of a duty without words about time, as long as nobody has given it another."""
    place, out = f"duty.{duty.key}", names.out
    known = [each for each in duty.times.cadence if each in tuple(Cadence)]
    if known == ["ad_hoc"] and cycle and not duty.deadlines:
        known = list(cycle)
    if not known:
        out.wrong(f"{place}.cadence", Text("chưa chọn chu kỳ", "no cadence chosen"))
    if not duty.text.strip():
        said = Text("để trống; không phải nhiệm vụ thì bỏ nó", "empty; drop it if it is no duty")
        out.wrong(f"{place}.text", said)
    return _output(duty, out) | {
        "text": "\n".join(" ".join(row.split()) for row in duty.text.splitlines()),
        "cadence": known or ["ad_hoc"],
        "rule": rules.rule(duty, known),
        "coordinating": names.ids(duty.coordinating, f"{place}.coordinating"),
    }


@dataclass
class _Rules:
    """The report rules needed by the duties: one for each distinct day and wording."""

    draft: PlanDraft
    out: Reviewed
    made: dict[str, dict[str, Any]] = field(default_factory=dict)
    ids: dict[tuple[object, ...], str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.issued_on = read_typed_day(self.draft.head.issued_on, None)
        self.made[DEFAULT_RULE] = {"source": "local", "basis": "Không có ngày báo cáo riêng", "to": self._to}
        typed = self.draft.head.due_day.strip()
        self.common_day = _day_of_month("head.due_day", typed, self.out) if typed else None
        if self.common_day:
            self.made[DEFAULT_RULE] |= {
                "basis": f"Đặt khi soát văn bản: ngày {self.common_day} của tháng cuối kỳ",
                "due_day": self.common_day,
                "in_last_month": True,
            }

    @property
    def _to(self) -> str:
        return str(self.out.data["supervisor"])

    def rule(self, duty: DraftDuty, cadences: Sequence[str]) -> str:
        """The id of a duty's rule, made for the first that needs it. ``cadences``: of its reports."""
        wording = " ".join(duty.times.wording.split())
        typed, unread = read_report_days(duty.times.due, self.issued_on, cadences)
        for part in unread:
            said = Text(f"Không đọc được ngày «{part[:20]}»", f"The date “{part[:20]}” cannot be read")
            self.out.wrong(f"duty.{duty.key}.due", Text.joined("; ", (said, TYPED_AS)))
        days = _said_more(typed.days, wording)
        returns = [each for each in cadences if Cadence(each).cycle]
        asks = bool(returns) and days == ReportDays()
        if typed.on is None and (not returns or (asks and self.common_day)):
            return DEFAULT_RULE
        if typed.on is None and asks:
            return self._asked(returns, wording)
        return self._named(typed.on, days, wording, asks)

    def _asked(self, cadences: Sequence[str], wording: str) -> str:
        """The rule of duties whose words name their cycle and no day: one question at activation for all of them."""
        name = "-".join(("hoi-ngay", *cadences)).replace("_", "-")
        asked = {"source": "local", "basis": NO_DAY.vi, "to": self._to, "wording": wording, "ask_day": True}
        self.made.setdefault(name, asked)
        return name

    def _named(self, on: date | None, days: ReportDays, wording: str, asks: bool) -> str:
        key = (on, days, wording, asks)
        if key not in self.ids:
            said = [str(each) for each in (on, days.day) if each]
            self.ids[key] = "-".join(("ngay", *said, str(len(self.ids) + 1)))
            rule = {
                "source": "plan" if wording else "local",
                "to": self._to,
                "on": on and on.isoformat(),
                **rule_fields(days),
                "ask_day": asks,
                "wording": wording,
            }
            self.made[self.ids[key]] = {name: value for name, value in rule.items() if value or name == "to"}
        return self.ids[key]


def _said_more(days: ReportDays, wording: str) -> ReportDays:
    """A number alone beside words that say of which month it is («trước ngày 10 của tháng cuối quý», and 9)."""
    if days != ReportDays(day=days.day) or not wording:
        return days
    meant = timing_of(deadlines_in(wording), None).days.days
    return meant if days.day == meant.day or {days.day} == {each.day for each in meant.on} else days


def _missing(section: Mapping[str, Any]) -> set[str]:
    numbers = {item["no"] for item in section["items"]}
    return {f"{section['roman']}.{no}" for no in range(1, max(numbers)) if no not in numbers}


def gaps_before(draft: PlanDraft) -> dict[int, list[str]]:
    """Key of the first duty of an item -> the numbers that the document leaves out before it."""
    missing = {gap.citation for gap in draft.gaps}
    found: dict[int, list[str]] = {}
    for section in draft.sections:
        last = 0
        for item in section.items:
            numbers = [each for n in range(last + 1, item.no) if (each := f"{section.roman}.{n}") in missing]
            if numbers and item.duties:
                found[item.duties[0].key] = numbers
            last = item.no
    return found


def _shown_field(path: str, origin: Mapping[str, int]) -> str:
    """The field beside which a problem of the plan file is shown; «» if there is none."""
    if re.fullmatch(r"report_rules\.[^.]+\.to", path):
        return "head.supervisor"
    for place in sorted(origin, key=len, reverse=True):
        if path.startswith(f"{place}."):
            key = re.split(r"[.\[]", path.removeprefix(f"{place}."))[0]
            return f"duty.{origin[place]}.{_SHOWN_AT.get(key, key)}"
    item = re.match(r"sections\[\d+\]\.items\[\d+\]", path)
    if item and f"{item[0]}.duties[0]" in origin:
        return f"duty.{origin[f'{item[0]}.duties[0]']}.owners"
    path = "year" if path == "last_year" else path
    return f"head.{path}" if path in (*PLAIN, "issued_on", "year", "issuer", "supervisor") else ""
