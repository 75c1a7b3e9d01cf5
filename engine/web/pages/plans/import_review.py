"""Review of an imported plan: converts the draft to form fields, and the fields to a plan file.

A field's name is its path in the draft («sections[0].items[2].owners»), which does not change during the review: typed
values override the imported ones. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any

import yaml

from engine.errors import BadInput, FileRefused
from engine.files.base_model import did_you_mean
from engine.files.directory import DirectoryFile, fold
from engine.files.plan import PlanFile, directory_mistakes
from engine.files.yaml_reader import read
from engine.http.forms import parse_day
from engine.rules.calendar import day_digits
from engine.rules.periods import Cadence
from engine.text import Text

if TYPE_CHECKING:
    from engine.importer import ImportedPlan

DEFAULT_RULE = "mac-dinh"
PLAIN = ("number", "title", "short_title", "sms_name")
UNKNOWN = Text(
    "chọn trong danh sách gợi ý, hoặc thêm vào danh bạ trước", "choose a suggestion, or add it to the directory first"
)
SHOWN_AT = {"citation": "text", "rule": "due", "cadence": "cadence", "owners": "owners", "heading": "owners"}
Fields = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True)
class Sheet:
    """What was found in a document, and the draft made from it: plain values carried by the form."""

    name: str
    found: dict[str, Any]
    draft: dict[str, Any]

    @property
    def items(self) -> Iterator[tuple[str, dict[str, Any], dict[str, Any], dict[str, Any]]]:
        """(path, section, draft item, found item) in document order."""
        found = [each for section in self.found["sections"] for each in section["items"] if each["duties"]]
        for s, section in enumerate(self.draft["sections"]):
            for i, item in enumerate(section["items"]):
                yield f"sections[{s}].items[{i}]", section, item, found.pop(0)


@dataclass
class Reviewed:
    """The parsed fields: the plan's data, errors by field, and the origin of each duty."""

    data: dict[str, Any]
    problems: dict[str, list[Text]] = field(default_factory=dict)
    origin: dict[str, str] = field(default_factory=dict)

    def wrong(self, name: str, what: Text) -> None:
        self.problems.setdefault(name, []).append(what)


def sheet_of(plan: ImportedPlan, directory: DirectoryFile) -> Sheet:
    """The review of an imported plan; ``found`` contains what has to be confirmed."""
    from engine.importer import as_json, as_plan_yaml

    draft: dict[str, Any] = yaml.load(as_plan_yaml(plan, directory), Loader=yaml.BaseLoader)  # dates stay text
    for section in draft["sections"]:
        for item in section["items"]:
            item["no"] = int(item["no"])
    found = as_json(plan)
    for section in found["sections"]:
        for item in section["items"]:
            for duty in item["duties"]:
                del duty["text"]  # the draft has it
    return Sheet(plan.name, found, draft)


# --- from draft to fields ------------------------------------------------------------------------------------------


def fields_of(sheet: Sheet, directory: DirectoryFile) -> dict[str, tuple[str, ...]]:
    """The initial values of the form."""
    draft, rules = sheet.draft, sheet.draft["report_rules"]
    fields: dict[str, tuple[str, ...]] = {name: (str(draft.get(name) or ""),) for name in PLAIN}
    fields["issued_on"] = (written(draft.get("issued_on")),)
    fields["issuer"] = (shown(directory, draft.get("issuer") or "") or sheet.found["issuer"] or "",)
    fields["supervisor"] = (shown(directory, draft.get("supervisor") or ""),)
    fields["due_day"] = (str(rules[DEFAULT_RULE]["due_day"]),)
    for path, _, item, found in sheet.items:
        names = {each["id"]: each["name"] for each in found["bodies"] if each["id"]}
        unknown = iter([each["name"] for each in found["bodies"] if not each["id"]])
        fields[f"{path}.owners"] = tuple(
            shown(directory, each) if directory.members(each) else next(unknown, names.get(each, each))
            for each in item["owners"]
        )
        if item.get("request"):
            fields[f"{path}.request"] = ("1",)
        for d, duty in enumerate(item["duties"]):
            rule = {} if duty["rule"] == DEFAULT_RULE else rules[duty["rule"]]
            due = [str(rule["due_day"])] if rule.get("due_day") else []
            due += [written(rule["on"])] if rule.get("on") else []
            place = f"{path}.duties[{d}]"
            fields |= {
                f"{place}.text": (duty["text"].strip(),),
                f"{place}.cadence": tuple(duty["cadence"]),
                f"{place}.due": ("; ".join(due),),
                f"{place}.wording": (rule.get("wording", ""),),
                f"{place}.coordinating": ("; ".join(shown(directory, x) for x in duty.get("coordinating", ())),),
            }
    return fields


def written(day: object) -> str:
    """An ISO date as d/m/yyyy; empty for none."""
    try:
        found = date.fromisoformat(str(day))
    except ValueError:
        return ""
    return day_digits(found)


def shown(directory: DirectoryFile, agency: str) -> str:
    """How the form shows an agency: by name, or by id where the name would resolve to another agency."""
    name = names(directory).get(agency, agency)
    return name if directory.find(name) == agency else agency


def names(directory: DirectoryFile) -> dict[str, str]:
    """Agency or group id -> its latest name."""
    found = {agency.id: agency.names[-1].name for agency in directory.agencies}
    return found | {group.id: group.name for group in directory.groups}


# --- from fields to plan -------------------------------------------------------------------------------------------


def reviewed(sheet: Sheet, fields: Fields, directory: DirectoryFile) -> Reviewed:
    """The plan's data as typed, with errors by field."""

    def text(name: str) -> str:
        return next(iter(fields.get(name, ())), "").strip()

    out = Reviewed({"schema": sheet.draft["schema"]})
    out.data |= {name: " ".join(text(name).split()) for name in PLAIN}
    out.data |= {name: _agency_id(text(name), name, directory, out) for name in ("issuer", "supervisor")}
    issued = _day(text("issued_on"), "issued_on", out)
    out.data |= {"issued_on": issued and issued.isoformat(), "year": issued and issued.year, "directory": directory.id}
    rules = _Rules(out, _number(text("due_day"), "due_day", out) or 17)
    sections: dict[int, dict[str, Any]] = {}
    for path, section, item, _ in sheet.items:
        kept = [d for d in range(len(item["duties"])) if not text(f"{path}.duties[{d}].drop")]
        if text(f"{path}.drop") or not kept:
            continue
        at = sections.setdefault(id(section), {**section, "items": []})
        new = f"sections[{len(sections) - 1}].items[{len(at['items'])}]"
        out.origin[new] = path
        at["items"].append(_item(path, item, at, new, kept, fields, directory, rules))
    out.data["report_rules"] = rules.made
    out.data["sections"] = list(sections.values())
    out.data["gaps"] = [each for each in sheet.draft.get("gaps", ()) if each["citation"] in _missing(sections.values())]
    if not sections:
        out.wrong("sections", Text("không còn nhiệm vụ nào", "no duty is left"))
    return out


def _item(
    path: str,
    item: dict[str, Any],
    section: dict[str, Any],
    new: str,
    kept: Sequence[int],
    fields: Fields,
    directory: DirectoryFile,
    rules: _Rules,
) -> dict[str, Any]:
    """An item with the kept duties, renumbered. ``new`` is its path in the new plan."""
    out, name = rules.out, f"{path}.owners"
    typed = [each.strip() for each in fields.get(name, ()) if each.strip()]
    owners = list(dict.fromkeys(_agency_id(each, name, directory, out) for each in typed))
    if not owners:
        out.wrong(name, Text("chưa có cơ quan chủ trì", "no owner"))
    duties: list[dict[str, Any]] = []
    for d in kept:
        place = f"{path}.duties[{d}]"
        body = next(iter(fields.get(f"{place}.text", ())), "")
        parts = [part.strip() for part in re.split(r"\n[ \t]*\n", body.replace("\r\n", "\n")) if part.strip()]
        if not parts:
            out.wrong(f"{place}.text", Text("để trống; không phải nhiệm vụ thì đánh dấu bỏ", "empty; tick to drop it"))
        shared = _shared(place, item["duties"][d], fields, directory, rules)
        for part in parts or [""]:
            duties.append(shared | {"text": "\n".join(" ".join(row.split()) for row in part.split("\n"))})
            out.origin[f"{new}.duties[{len(duties) - 1}]"] = place
    short = section["kind"] == "standing" and len(duties) == 1
    stem = f"{section['roman']}.{item['no']}"
    for n, duty in enumerate(duties, 1):
        duty["citation"] = stem if short else f"{stem}.{n}"
    request = bool(next(iter(fields.get(f"{path}.request", ())), ""))
    return {"no": item["no"], "heading": item["heading"], "owners": owners, "request": request, "duties": duties}


def _shared(
    place: str, duty: dict[str, Any], fields: Fields, directory: DirectoryFile, rules: _Rules
) -> dict[str, Any]:
    """What the parts of a split duty share: cadence, rule, coordinating agencies."""
    out = rules.out
    known = [each for each in fields.get(f"{place}.cadence", ()) if each in tuple(Cadence)]
    if not known:
        out.wrong(f"{place}.cadence", Text("chưa chọn chu kỳ", "no cadence chosen"))
    typed = next(iter(fields.get(f"{place}.coordinating", ())), "")
    agencies = [each.strip() for each in typed.split(";") if each.strip()]
    return {
        "cadence": known or ["ad_hoc"],
        "rule": rules.rule(place, fields),
        "coordinating": list(
            dict.fromkeys(_agency_id(each, f"{place}.coordinating", directory, out) for each in agencies)
        ),
    }


@dataclass
class _Rules:
    """The report rules needed by the duties: one for each distinct day and wording."""

    out: Reviewed
    default_day: int
    made: dict[str, dict[str, Any]] = field(default_factory=dict)
    ids: dict[tuple[object, ...], str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        basis = f"Đặt khi soát văn bản: ngày {self.default_day} của tháng cuối kỳ"
        rule = {"source": "local", "basis": basis, "to": self.out.data["supervisor"], "due_day": self.default_day}
        self.made[DEFAULT_RULE] = rule

    def rule(self, place: str, fields: Fields) -> str:
        due_text = next(iter(fields.get(f"{place}.due", ())), "").strip()
        wording = " ".join(next(iter(fields.get(f"{place}.wording", ())), "").split())
        if not due_text and not wording:
            return DEFAULT_RULE
        due_day, on = None, None
        for part in filter(None, re.split(r"[;,\s]+", due_text)):
            if re.fullmatch(r"\d{1,2}", part):
                due_day = _number(part, f"{place}.due", self.out)
            else:
                on = _day(part, f"{place}.due", self.out)
        if due_day is None and on is None:
            due_day = self.default_day
        key = (due_day, on, wording)
        if key not in self.ids:
            self.ids[key] = f"han-{len(self.ids) + 1}"
            rule = {
                "source": "plan" if wording else "local",
                "to": self.out.data["supervisor"],
                "due_day": due_day,
                "on": on and on.isoformat(),
                "wording": wording,
            }
            self.made[self.ids[key]] = {name: value for name, value in rule.items() if value}
        return self.ids[key]


def _agency_id(typed: str, name: str, directory: DirectoryFile, out: Reviewed) -> str:
    """The id of a typed agency; for an unknown one an error is recorded and a slug of the name returned."""
    found = typed if directory.members(typed) else directory.find(typed)
    if found:
        return found
    if typed:
        near = did_you_mean(typed, names(directory).values())
        near = near if near.vi.startswith("có phải") else UNKNOWN
        missing = Text(f"danh bạ không có «{typed[:80]}»", f"the directory has no “{typed[:80]}”")
        out.wrong(name, Text.joined("; ", (missing, near)))
    else:
        out.wrong(name, Text("để trống", "is empty"))
    return re.sub(r"[^a-z0-9]+", "-", fold(typed)).strip("-")[:60].strip("-") or "chua-ro"


def _day(typed: str, name: str, out: Reviewed) -> date | None:
    try:
        return parse_day(typed)
    except BadInput as error:
        out.wrong(name, error.text)
        return None


def _number(typed: str, name: str, out: Reviewed) -> int | None:
    if re.fullmatch(r"0?[1-9]|[12]\d|3[01]", typed):
        return int(typed)
    out.wrong(name, Text("ngày trong tháng, từ 1 đến 31", "a day of the month, 1 to 31"))
    return None


def _missing(sections: Iterable[dict[str, Any]]) -> set[str]:
    found = set()
    for section in sections:
        numbers = {item["no"] for item in section["items"]}
        found |= {f"{section['roman']}.{no}" for no in range(1, max(numbers)) if no not in numbers}
    return found


def checked(out: Reviewed, directory: DirectoryFile) -> PlanFile | None:
    """The plan if it is valid; else None, with errors by field in ``out.problems`` («» for the whole plan)."""
    try:
        plan = read(_text(out.data), PlanFile, also=lambda plan: directory_mistakes(plan, directory))
    except FileRefused as refused:
        for problem in refused.problems:
            name = _shown_field(problem.field, out.origin)
            if name not in out.problems or name == "":
                where = f"{problem.field}: " if name == "" else ""
                out.wrong(
                    name, Text.joined(" → ", (Text(where + problem.what.vi, where + problem.what.en), problem.fix))
                )
        return None
    return None if out.problems else plan


def unfinished(out: Reviewed) -> str:
    """The draft as a file with the remaining errors as comments at the top, to be continued elsewhere."""
    problems = [f"# CÒN SỬA / TO FIX: {name}: {each}" for name, all_ in out.problems.items() for each in all_]
    return "\n".join([*(" ".join(line.split()) for line in problems), _text(out.data)])


def _text(data: dict[str, Any]) -> str:
    text: str = yaml.safe_dump(data, allow_unicode=True, sort_keys=False, width=110)
    return text


def _shown_field(path: str, origin: Mapping[str, str]) -> str:
    """The form field beside which a problem of the plan file is shown; «» if there is none."""
    if re.fullmatch(r"report_rules\.[^.]+\.to", path):
        return "supervisor"
    for new in sorted(origin, key=len, reverse=True):
        if path.startswith(f"{new}."):
            key = re.split(r"[.\[]", path.removeprefix(f"{new}."))[0]
            return f"{origin[new]}.{SHOWN_AT.get(key, key)}"
    return path if path in (*PLAIN, "issued_on", "issuer", "supervisor") else ""
