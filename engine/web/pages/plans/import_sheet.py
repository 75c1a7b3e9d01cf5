"""What the review of an imported plan carries from request to request: the draft of the plan file, and beside it what a
person has to see. Plain values, made once from the document. Pure."""

from __future__ import annotations

import difflib
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from engine.files.directory import DirectoryFile
from engine.files.yaml_reader import load_plain
from engine.importer import Accounted, ImportedPlan, as_json, as_plan_yaml
from engine.importer.arrangement import arranged
from engine.importer.base.model import ORIGIN_WORDS, DutyText, ItemText, Use
from engine.importer.phrases.deadlines import deadlines_in
from engine.importer.phrases.known import knowing
from engine.importer.phrases.owners import Directory, NullDirectory
from engine.importer.phrases.timing import timing_of
from engine.text import Text

MAX_LEFT = 400
"""How many lines left out are shown; a plan of provinces has a hundred."""
MAX_LEFT_CHARS = 1_500
TO_ALL = "yêu cầu chung"
AS_HEADING = "đọc là tiêu đề"


@dataclass(frozen=True, kw_only=True)
class Row:
    """A duty of the review: where it stands in the draft, and what was found for it."""

    path: str
    item_path: str
    section: Mapping[str, Any]
    item: Mapping[str, Any]
    duty: Mapping[str, Any]
    found: Mapping[str, Any]

    @property
    def number(self) -> str:
        """That of its item: «IV.3»."""
        return f"{self.section['roman']}.{self.item['no']}"

    @property
    def is_first(self) -> bool:
        return self.path.endswith(".duties[0]")


@dataclass(frozen=True)
class Sheet:
    """What was found in a document, and the draft made from it: plain values carried by the form."""

    name: str
    found: dict[str, Any]
    draft: dict[str, Any]

    @property
    def items(self) -> Iterator[tuple[str, dict[str, Any], dict[str, Any], list[dict[str, Any]]]]:
        """(path, section, draft item, what was found for each of its duties) in document order."""
        at = 0
        for s, section in enumerate(self.draft["sections"]):
            for i, item in enumerate(section["items"]):
                count = len(item["duties"])
                yield f"sections[{s}].items[{i}]", section, item, self.found["duties"][at : at + count]
                at += count

    @cached_property
    def rows(self) -> Sequence[Row]:
        """The duties in document order."""
        return [
            Row(path=f"{path}.duties[{d}]", item_path=path, section=section, item=item, duty=duty, found=found[d])
            for path, section, item, found in self.items
            for d, duty in enumerate(item["duties"])
        ]

    @property
    def unknown(self) -> list[dict[str, Any]]:
        """The names that the directory does not have, in a lasting order: ``name``, ``group``, ``count``."""
        return list(self.found["unknown"])

    @property
    def guessed(self) -> list[tuple[str, Text, list[str]]]:
        """Where owners were read that no heading names, what is said of it, and the duties that have such owners."""
        numbers: dict[str, list[str]] = {}
        for row in self.rows:
            numbers.setdefault(row.found.get("origin", ""), []).append(row.duty["citation"])
        return [(origin.value, said, found) for origin, said in ORIGIN_WORDS.items() if (found := numbers.get(origin))]

    @cached_property
    def _orders(self) -> list[int]:
        return sorted(duty["order"] for duty in self.found["duties"])

    def after(self, n: int) -> int:
        """How many duties stand before a line left out."""
        return bisect_left(self._orders, self.found["left"][n]["order"])

    @property
    def asked(self) -> list[dict[str, Any]]:
        """What everybody is asked to do, as far as nobody has made a duty of it."""
        return [each for each in self.found["left"] if each["reason"] == TO_ALL and not each["taken"]]

    @property
    def undated(self) -> list[str]:
        return [duty["citation"] for duty in self.found["duties"] if not duty["deadlines"]]


def sheet_of(plan: ImportedPlan, directory: DirectoryFile) -> Sheet:
    """The review of an imported plan."""
    draft: dict[str, Any] = load_plain(as_plan_yaml(plan, directory))
    for section in draft["sections"]:
        for item in section["items"]:
            item["no"] = int(item["no"])
    found = as_json(plan)
    kept = {name: found[name] for name in ("number", "issuer", "found", "warnings")}
    placed = (each for section in arranged(plan) for item in section.items for each in item.duties)
    duties = [_found(duty, item) for duty, item in placed]
    matched_by = matching_directory(kept["warnings"], directory)
    lines = [_left(each, matched_by, plan.year or 2000) for each in _shown_lines(plan, directory)]
    return Sheet(plan.name, kept | {"duties": duties, "left": lines, "unknown": _unknown(duties)}, draft)


def _found(duty: DutyText, item: ItemText) -> dict[str, Any]:
    """What was found for a duty, beside the draft."""
    return {
        "citation": duty.citation,
        "origin": item.origin.value,
        "bodies": [{"name": owner.name, "id": owner.agency, "group": owner.group} for owner in item.owners],
        "coordinating": list(duty.coordinating),
        "details": list(duty.details),
        "order": duty.place.order,
        "deadlines": [{"text": each.text, "sentence": each.sentence} for each in duty.deadlines],
        "source": {"line": duty.place.line, "row": duty.place.row},
    }


def _shown_lines(plan: ImportedPlan, directory: DirectoryFile) -> list[Accounted]:
    """The lines left out, serious ones first where they are too many, and those read with a doubt, in order."""
    left = [each for each in plan.left_out if any(map(str.isalpha, each.text))]
    with knowing(directory.every_name):
        shown = sorted(left, key=lambda each: not each.serious)[:MAX_LEFT] + _doubted(plan)
    return sorted(shown, key=lambda each: each.place.order)


def matching_directory(warnings: Iterable[Mapping[str, Any]], directory: DirectoryFile) -> Directory:
    """The directory by which the names of a document are matched: none where it is another province's."""
    return NullDirectory() if any(each["code"] == "other_province" for each in warnings) else directory


def _unknown(duties: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The names that the directory does not have, the most frequent first."""
    counts: dict[str, dict[str, Any]] = {}
    for duty in duties:
        for body in duty["bodies"]:
            if not body["id"]:
                entry = counts.setdefault(body["name"], {"name": body["name"], "group": body["group"], "count": 0})
                entry["count"] += 1
    return sorted(counts.values(), key=lambda each: -each["count"])


def _doubted(plan: ImportedPlan) -> list[Accounted]:
    """What was read as an instruction to everybody, or with a doubt as a heading: a person may make it a duty."""
    asked = [
        Accounted(
            text=each.text,
            place=each.place,
            use=Use.INSTRUCTION,
            reason=TO_ALL,
            owner="".join(o.name for o in each.owners[:1]),
        )
        for each in plan.instructions
    ]
    at = {str(each.place): each for each in plan.account if each.use in (Use.HEADING, Use.OWNER)}
    doubts = [each for each in plan.warnings if each.code == "overlooked" and each.place in at]
    headings = {each.place: at[each.place] for each in doubts}
    return [
        *asked,
        *(replace(each, reason=AS_HEADING) for each in headings.values()),
    ]


def _left(entry: Accounted, directory: Directory, year: int) -> dict[str, Any]:
    """A line that became no duty. ``taken``: somebody has made it one. ``doubted``: it was read as something else.
    ``owner``: whose it would be, if known. ``on``, ``due_day``, ``cadence``, ``wording``: when it would be owed, as far
    as its words say."""
    time = timing_of(deadlines_in(entry.text[:MAX_LEFT_CHARS]), year)
    return {
        "on": time.on.isoformat() if time.on else None,
        "due_day": time.due_day,
        "cadence": list(time.cadence) if time.wording else [],
        "wording": time.wording,
        "text": entry.text[:MAX_LEFT_CHARS],
        "reason": entry.reason,
        "serious": entry.serious,
        "owner": directory.find(entry.owner) or "" if entry.owner else "",
        "order": entry.place.order,
        "taken": False,
        "doubted": entry.use is not Use.LEFT_OUT,
        "section": list(entry.section),
        "line": entry.place.line,
    }


def nearest(name: str, directory: DirectoryFile, most: int = 3) -> list[str]:
    """The names of the directory that are like a name: the same name elsewhere first."""
    names = list(directory.latest_names.values())
    same = directory.find(name)
    first = [each for each in names if same and directory.find(each) == same][:1]
    plain = {each.lower(): each for each in names}
    near = difflib.get_close_matches(name.lower(), plain, n=most, cutoff=0.55)
    return list(dict.fromkeys([*first, *(plain[each] for each in near)]))[:most]
