"""Review of an imported plan: converts the draft to form fields, and the fields to a plan file.

A field's name is its path in the draft («sections[0].items[2].owners»), which does not change during the review: typed
values override the imported ones. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from engine.errors import BadInput, FileRefused
from engine.files.directory import AgencyEntry, DirectoryFile, fold
from engine.files.plan import PlanFile, loading_mistakes
from engine.files.plan_year import YEARS_AS, read_years
from engine.files.yaml_reader import dump_plain, read
from engine.http.forms import parse_day
from engine.importer.phrases.deadlines import deadlines_in
from engine.importer.phrases.timing import lies_in_last_month
from engine.rules.calendar import day_digits
from engine.rules.periods import DECREE_09, Cadence
from engine.text import Text
from engine.web.pages.plans.import_sheet import Sheet, nearest

DEFAULT_RULE = "mac-dinh"
PLAIN = ("number", "title", "short_title", "sms_name")
UNKNOWN = Text(
    "chọn trong danh sách gợi ý, hoặc thêm vào danh bạ trước", "choose a suggestion, or add it to the directory first"
)
SHOWN_AT = {"citation": "text", "rule": "due", "cadence": "cadence", "owners": "owners", "heading": "owners"}
Fields = Mapping[str, tuple[str, ...]]


NEW = "+"
"""The choice of a body that is to be added to the directory."""
OTHERS = "="
"""The choice of a name that stands for bodies typed beside it."""
NO_OWNER = Text("chưa có cơ quan chủ trì", "no owner")
UNDATED = ("none", "year", "half_year year", "quarter")
"""What duties without words about time report: nothing of their own, or by a cycle."""
_LEVELS = (("so ", "so"), ("ubnd xa", "xa"), ("ubnd phuong", "xa"), ("ubnd huyen", "huyen"), ("hoi ", "doan_the"))


@dataclass
class Reviewed:
    """The parsed fields: the plan's data, errors by field, and the origin of each duty."""

    data: dict[str, Any]
    problems: dict[str, list[Text]] = field(default_factory=dict)
    origin: dict[str, str] = field(default_factory=dict)
    chosen: dict[str, str] = field(default_factory=dict)
    """Unknown name -> what was chosen for it: a name of the directory, or NEW."""
    new: dict[str, str] = field(default_factory=dict)
    """Ids of agencies to be added -> their names."""

    def matched(self, directory: DirectoryFile) -> dict[str, str]:
        """Names that the directory lacks -> the ids of the agencies and groups that were chosen for them."""
        found = {name: directory.find(what) for name, what in self.chosen.items() if what != NEW}
        return {name: agency for name, agency in found.items() if agency}

    def wrong(self, name: str, what: Text) -> None:
        self.problems.setdefault(name, []).append(what)


def value_of(fields: Fields, name: str) -> str:
    """The first value of a field as it was sent; empty for none."""
    return next(iter(fields.get(name, ())), "")


# --- from draft to fields ------------------------------------------------------------------------------------------


def fields_of(sheet: Sheet, directory: DirectoryFile) -> dict[str, tuple[str, ...]]:
    """The initial values of the form."""
    draft, rules = sheet.draft, sheet.draft["report_rules"]
    fields: dict[str, tuple[str, ...]] = {name: (str(draft.get(name) or ""),) for name in PLAIN}
    fields["issued_on"] = (written(draft.get("issued_on")),)
    fields["year"] = ("–".join(str(draft[name]) for name in ("year", "last_year") if draft.get(name)),)
    fields["issuer"] = (shown(directory, draft.get("issuer") or "") or sheet.found["issuer"] or "",)
    fields["supervisor"] = (shown(directory, draft.get("supervisor") or ""),)
    fields["due_day"] = (str(rules[DEFAULT_RULE]["due_day"]),)
    fields["undated"] = (UNDATED[0],)
    for n, left in enumerate(sheet.found["left"]):
        if left["owner"]:
            fields[f"left[{n}].owners"] = (shown(directory, left["owner"]),)
    for path, _, item, found in sheet.items:
        if found:  # else its only duty was joined to the one above
            fields |= _item_fields(path, item, found, rules, directory)
    return fields


def _item_fields(
    path: str,
    item: Mapping[str, Any],
    found: Sequence[Mapping[str, Any]],
    rules: Mapping[str, Any],
    directory: DirectoryFile,
) -> dict[str, tuple[str, ...]]:
    fields = {f"{path}.owners": _owners(found[0], directory)}
    if item.get("request"):
        fields[f"{path}.request"] = ("1",)
    for d, duty in enumerate(item["duties"]):
        place = f"{path}.duties[{d}]"
        if "owners" in duty:
            fields[f"{place}.owners"] = _owners(found[d], directory)
        fields |= {f"{place}.{key}": values for key, values in duty_fields(duty, rules, directory).items()}
    return fields


def duty_fields(
    duty: Mapping[str, Any], rules: Mapping[str, Any], directory: DirectoryFile
) -> dict[str, tuple[str, ...]]:
    """The initial values of a duty's fields but its owners, by the end of their names."""
    rule = {} if duty["rule"] == DEFAULT_RULE else rules[duty["rule"]]
    due = [str(rule["due_day"])] if rule.get("due_day") else []
    due += [written(rule["on"])] if rule.get("on") else []
    return {
        "text": (duty["text"].strip(),),
        "cadence": tuple(duty["cadence"]),
        "due": ("; ".join(due),),
        "wording": (rule.get("wording", ""),),
        "coordinating": ("; ".join(shown(directory, x) for x in duty.get("coordinating", ())),),
    }


def time_fields(
    cadence: Sequence[str], due_day: int | None, on: date | None, wording: str
) -> dict[str, tuple[str, ...]]:
    """The values of a duty's fields about time, as words were read."""
    due = [str(due_day)] if due_day else []
    due += [day_digits(on)] if on else []
    return {"cadence": tuple(cadence) or ("ad_hoc",), "due": ("; ".join(due),), "wording": (wording if due else "",)}


def _owners(found: Mapping[str, Any], directory: DirectoryFile) -> tuple[str, ...]:
    """The owners of a duty as the form shows them: a known one by its name, another as the document writes it."""
    written = (shown(directory, each["id"]) if each["id"] else each["name"] for each in found["bodies"])
    return tuple(dict.fromkeys(written))


def written(day: object) -> str:
    """An ISO date as d/m/yyyy; empty for none."""
    try:
        found = date.fromisoformat(str(day))
    except ValueError:
        return ""
    return day_digits(found)


def shown(directory: DirectoryFile, agency: str) -> str:
    """How the form shows an agency: by name, or by id where the name would resolve to another agency."""
    name = directory.latest_names.get(agency, agency)
    return name if directory.find(name) == agency else agency


# --- from fields to plan -------------------------------------------------------------------------------------------


def reviewed(sheet: Sheet, fields: Fields, directory: DirectoryFile) -> Reviewed:
    """The plan's data as typed, with errors by field."""
    out = Reviewed({"schema": sheet.draft["schema"]})
    form = _Form(fields, directory, out)
    named = {each["name"]: form.text(f"body[{n}]") for n, each in enumerate(sheet.unknown)}
    out.chosen = {name: what for name, what in named.items() if what}
    form.read_head()
    rules = _Rules(form, form.number("due_day") or 17)
    for n, left in enumerate(sheet.found["left"]):
        if form.text(f"left[{n}].take") and not left["taken"]:
            out.wrong(f"left[{n}].owners", NO_OWNER)
    sections = _sections(sheet, form, rules)
    missing = _missing(sections)
    out.data["report_rules"] = rules.made
    out.data["sections"] = [number_duties(section) for section in sections]
    out.data["gaps"] = [each for each in sheet.draft.get("gaps", ()) if each["citation"] in missing]
    if not sections:
        out.wrong("sections", Text("không còn nhiệm vụ nào", "no duty is left"))
    return out


def _sections(sheet: Sheet, form: _Form, rules: _Rules) -> list[dict[str, Any]]:
    """The sections with the items of which a duty is kept."""
    cycle = tuple(each for each in form.text("undated").split() if each in tuple(Cadence))
    sections: dict[int, dict[str, Any]] = {}
    for path, section, item, found in sheet.items:
        kept = [d for d in range(len(item["duties"])) if not form.text(f"{path}.duties[{d}].drop")]
        if form.text(f"{path}.drop") or not kept:
            continue
        about = {key: section[key] for key in ("roman", "heading", "kind")}
        items = sections.setdefault(id(section), {**about, "items": []})["items"]
        new = f"sections[{len(sections) - 1}].items[{len(items)}]"
        form.out.origin[new] = path
        form.out.origin |= {f"{new}.duties[{n}]": f"{path}.duties[{d}]" for n, d in enumerate(kept)}
        undated = {f"{path}.duties[{d}]" for d in kept if not found[d]["deadlines"]}
        items.append(_item(item, path, kept, form, rules, dict.fromkeys(undated, cycle)))
    return list(sections.values())


def _item(
    item: dict[str, Any],
    path: str,
    kept: Sequence[int],
    form: _Form,
    rules: _Rules,
    cycles: Mapping[str, tuple[str, ...]],
) -> dict[str, Any]:
    """An item with the kept duties. ``cycles``: those of duties whose time nobody has named."""
    places = [f"{path}.duties[{d}]" for d in kept]
    alone = [place for place in places if any(map(str.strip, form.fields.get(f"{place}.owners", ())))]
    of_item = path if alone != places else places[0]  # else no duty is left that is the item's
    owners = form.owner_ids(f"{of_item}.owners")
    duties: list[dict[str, Any]] = []
    for place in places:
        body = form.text(f"{place}.text")
        if not body:
            form.out.wrong(
                f"{place}.text", Text("để trống; không phải nhiệm vụ thì đánh dấu bỏ", "empty; tick to drop it")
            )
        duty = _duty(place, form, rules, cycles.get(place, ()))
        if place in alone:
            duty["owners"] = form.owner_ids(f"{place}.owners")
        duties.append(duty | {"text": "\n".join(" ".join(row.split()) for row in body.splitlines())})
    request = bool(value_of(form.fields, f"{path}.request"))
    return {"no": item["no"], "heading": item["heading"], "owners": owners, "request": request, "duties": duties}


def number_duties(section: dict[str, Any]) -> dict[str, Any]:
    """A section with the duties of its items numbered from one."""

    def numbered(item: dict[str, Any]) -> dict[str, Any]:
        short = section["kind"] == "standing" and len(item["duties"]) == 1
        stem = f"{section['roman']}.{item['no']}"
        duties = [duty | {"citation": stem if short else f"{stem}.{n}"} for n, duty in enumerate(item["duties"], 1)]
        return item | {"duties": duties}

    return section | {"items": [numbered(item) for item in section["items"]]}


def listed(typed: str) -> list[str]:
    """The bodies that a field names, separated by «;»."""
    return [each.strip() for each in typed.split(";") if each.strip()]


def _duty(place: str, form: _Form, rules: _Rules, cycle: tuple[str, ...]) -> dict[str, Any]:
    """A duty's cadence, rule and coordinating agencies. ``cycle``: of a duty without words
    about time, as long as nobody has given it another."""
    known = [each for each in form.fields.get(f"{place}.cadence", ()) if each in tuple(Cadence)]
    if known == ["ad_hoc"] and cycle:
        known = list(cycle)
    if not known:
        form.out.wrong(f"{place}.cadence", Text("chưa chọn chu kỳ", "no cadence chosen"))
    name = f"{place}.coordinating"
    rule = rules.rule(place)
    agencies = dict.fromkeys(form.agency_id(each, name) for each in listed(value_of(form.fields, name)))
    return {"cadence": known or ["ad_hoc"], "rule": rule, "coordinating": list(agencies)}


@dataclass
class _Form:
    """Reads fields as they were typed; what is wrong with one is recorded in ``out``."""

    fields: Fields
    directory: DirectoryFile
    out: Reviewed

    def text(self, name: str) -> str:
        return value_of(self.fields, name).strip()

    def read_head(self) -> None:
        """The plan's own data."""
        data = self.out.data
        data |= {name: " ".join(self.text(name).split()) for name in PLAIN}
        data |= {name: self.agency_id(self.text(name), name) for name in ("issuer", "supervisor")}
        issued = self.day("issued_on", self.text("issued_on"))
        data |= {"issued_on": issued and issued.isoformat(), **self._years(issued)}
        data["directory"] = self.directory.id

    def owner_ids(self, name: str) -> list[str]:
        typed = [each.strip() for each in self.fields.get(name, ()) if each.strip()]
        if not typed:
            self.out.wrong(name, NO_OWNER)
        return list(dict.fromkeys(self.agency_id(each, name) for each in typed))

    def agency_id(self, typed: str, name: str) -> str:
        """The id of a typed agency; for an unknown one an error is recorded and a slug of the name returned."""
        chosen = self.out.chosen.get(typed, typed)
        if chosen == NEW and typed in self.out.chosen:
            return self._new_id(typed)
        found = chosen if self.directory.members(chosen) else self.directory.find(chosen)
        if not found:
            self.out.wrong(name, self._unknown(chosen) if chosen else Text("để trống", "is empty"))
        return found or _slug(chosen)

    def _new_id(self, name: str) -> str:
        """The id of an agency that is to be added."""
        agency = _slug(name)
        while self.directory.members(agency):
            agency += "-2"
        self.out.new[agency] = name
        return agency

    def _unknown(self, typed: str) -> Text:
        likely = nearest(typed, self.directory)
        said = ", ".join(f"«{each}»" for each in likely)
        near = Text(f"gần giống: {said}", f"similar: {said}") if likely else UNKNOWN
        missing = Text(f"danh bạ không có «{typed[:80]}»", f"the directory has no “{typed[:80]}”")
        return Text.joined("; ", (missing, near))

    def day(self, name: str, typed: str) -> date | None:
        try:
            return parse_day(typed)
        except BadInput as error:
            self.out.wrong(name, error.text)
            return None

    def number(self, name: str, typed: str | None = None) -> int | None:
        """A day of the month; by default the whole field."""
        typed = self.text(name) if typed is None else typed
        if re.fullmatch(r"0?[1-9]|[12]\d|3[01]", typed):
            return int(typed)
        self.out.wrong(name, Text("ngày trong tháng, từ 1 đến 31", "a day of the month, 1 to 31"))
        return None

    def _years(self, issued: date | None) -> dict[str, int | None]:
        """The years that the plan is for, «2027» or «2026–2030»; that of its issue where none is typed."""
        typed = self.text("year")
        if not typed:
            return {"year": None if issued is None else issued.year}
        if years := read_years(typed):
            return {"year": years.first, **({"last_year": years.last} if years.last else {})}
        self.out.wrong("year", YEARS_AS)
        return {"year": None}


@dataclass
class _Rules:
    """The report rules needed by the duties: one for each distinct day and wording."""

    form: _Form
    default_day: int
    made: dict[str, dict[str, Any]] = field(default_factory=dict)
    ids: dict[tuple[object, ...], str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        basis = f"Đặt khi soát văn bản: ngày {self.default_day} của tháng cuối kỳ"
        rule = {"source": "local", "basis": basis, "to": self._to, "due_day": self.default_day}
        if self.default_day < DECREE_09.end_day:  # else the data is complete by then
            rule["in_last_month"] = True
        self.made[DEFAULT_RULE] = rule

    @property
    def _to(self) -> str:
        return str(self.form.out.data["supervisor"])

    def rule(self, place: str) -> str:
        """The id of a duty's rule, made for the first that needs it."""
        due_text = self.form.text(f"{place}.due")
        wording = " ".join(self.form.text(f"{place}.wording").split())
        if not due_text and not wording:
            return DEFAULT_RULE
        due_day, on = self._due(f"{place}.due", due_text)
        cycles = self.form.fields.get(f"{place}.cadence", ())
        in_last_month = due_day is not None and lies_in_last_month(deadlines_in(wording), cycles)
        key = (due_day, on, wording, in_last_month)
        if key not in self.ids:
            self.ids[key] = f"han-{len(self.ids) + 1}"
            rule = {
                "source": "plan" if wording else "local",
                "to": self._to,
                "due_day": due_day,
                "on": on and on.isoformat(),
                "wording": wording,
                "in_last_month": in_last_month,
            }
            self.made[self.ids[key]] = {name: value for name, value in rule.items() if value}
        return self.ids[key]

    def _due(self, name: str, typed: str) -> tuple[int | None, date | None]:
        """The day of the month and the last day that a field names; the default day where it names neither."""
        due_day, on = None, None
        for part in filter(None, re.split(r"[;,\s]+", typed)):
            if re.fullmatch(r"\d{1,2}", part):
                due_day = self.form.number(name, part)
            else:
                on = self.form.day(name, part)
        return (self.default_day if due_day is None and on is None else due_day), on


def _slug(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", fold(name)).strip("-")[:56].strip("-") or "chua-ro"


def level_of(name: str) -> str:
    """The level that a new agency is given by its name; an administrator changes it on its page."""
    plain = fold(name)
    return next((level for begin, level in _LEVELS if plain.startswith(begin)), "khac")


def extended(directory: DirectoryFile, new: Mapping[str, str]) -> DirectoryFile:
    """The directory with the agencies that are to be added."""
    entries = [
        AgencyEntry.model_validate({"id": agency, "names": [{"name": name}], "level": level_of(name)})
        for agency, name in new.items()
    ]
    parts = {"schema": directory.format, "id": directory.id, "name": directory.name, "groups": directory.groups}
    return DirectoryFile.model_validate(parts | {"agencies": (*directory.agencies, *entries)}) if entries else directory


def _missing(sections: Iterable[dict[str, Any]]) -> set[str]:
    found = set()
    for section in sections:
        numbers = {item["no"] for item in section["items"]}
        found |= {f"{section['roman']}.{no}" for no in range(1, max(numbers)) if no not in numbers}
    return found


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
                out.wrong(
                    name, Text.joined(" → ", (Text(where + problem.what.vi, where + problem.what.en), problem.fix))
                )
        return None
    return None if out.problems else plan


def unfinished(out: Reviewed) -> str:
    """The draft as a file with the remaining errors as comments at the top, to be continued elsewhere."""
    problems = [f"# CÒN SỬA / TO FIX: {name}: {each}" for name, all_ in out.problems.items() for each in all_]
    return "\n".join([*(" ".join(line.split()) for line in problems), dump_plain(out.data)])


def _shown_field(path: str, origin: Mapping[str, str]) -> str:
    """The form field beside which a problem of the plan file is shown; «» if there is none."""
    if re.fullmatch(r"report_rules\.[^.]+\.to", path):
        return "supervisor"
    for new in sorted(origin, key=len, reverse=True):
        if path.startswith(f"{new}."):
            key = re.split(r"[.\[]", path.removeprefix(f"{new}."))[0]
            return f"{origin[new]}.{SHOWN_AT.get(key, key)}"
    path = "year" if path == "last_year" else path
    return path if path in (*PLAIN, "issued_on", "year", "issuer", "supervisor") else ""
