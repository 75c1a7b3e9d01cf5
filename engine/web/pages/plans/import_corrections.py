"""Corrections of a review that change which duties there are or whose: a duty's words parted in two, a duty joined to
the one above it, lines of the document that are duties after all, a name that stands for others. Each gives the sheet
and the fields under new numbers. Pure.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import chain
from typing import Any

from engine.errors import BadInput
from engine.files.directory import DirectoryFile
from engine.http.forms import parse_day
from engine.importer.base.model import Deadline, Origin
from engine.importer.phrases.deadlines import deadlines_in
from engine.importer.phrases.known import knowing
from engine.importer.phrases.marks import body_of, mark_of
from engine.importer.phrases.name_words import opens_duty
from engine.importer.phrases.owners import owner_line, owner_of
from engine.importer.phrases.timing import timing_of
from engine.web.pages.plans.import_review import (
    DEFAULT_RULE,
    OTHERS,
    Fields,
    duty_fields,
    listed,
    number_duties,
    shown,
    time_fields,
    value_of,
)
from engine.web.pages.plans.import_review_pages import next_number
from engine.web.pages.plans.import_sheet import Sheet, matching_directory

_PLACE = re.compile(r"(?P<item>sections\[\d{1,4}\]\.items\[\d{1,4}\])\.duties\[(?P<d>\d{1,4})\](?::(?P<at>\d{1,6}))?")
_DROPPED = re.compile(r"sections\[\d{1,4}\](?:\.items\[\d{1,4}\]\.duties\[\d{1,4}\])?")
_RUN = re.compile(r"(\d{1,4})-(\d{1,4})")
_GAP = re.compile(r"\n[ \t]*\n")
_START = re.compile(r"\n\s*(?=\S)|[.;] +(?=\w)|[.;:,] +(?=\([ivx]+\) )")
_LISTED = re.compile(r"\([ivx]{1,4}\)\s*")
_QUOTED = 40
_MOST_CUTS = 8
_TIME = ("cadence", "due", "wording")


def corrected(
    sheet: Sheet, fields: Fields, directory: DirectoryFile, act: str = "", target: str = ""
) -> tuple[Sheet, dict[str, tuple[str, ...]]]:
    """The review after ``act`` on ``target``: «part» (a duty's path, a colon, where its second half begins), «join»
    (the path of the duty that ends the one above it), «drop» (a duty's or a section's path: it assigns nothing;
    once more: it does), «sure» (where owners were read: all that were read there are right) or «take» (the numbers
    of the first and the last of lines left out: each is a duty). Then each name that was said to stand for others
    is replaced by them, each empty line in a duty's words ends a duty, and each ticked line whose owner is named is
    one. What means nothing changes nothing."""
    work = _Work.of(sheet, fields, directory)
    place, run = _PLACE.fullmatch(target), _RUN.fullmatch(target)
    if act == "part" and place and place["at"]:
        work.part(place["item"], int(place["d"]), int(place["at"]))
    elif act == "join" and place:
        work.join(place["item"], int(place["d"]))
    elif act == "drop" and _DROPPED.fullmatch(target):
        work.drop(target)
    elif act == "sure":
        work.confirm(target)
    elif act == "take" and run:
        work.take(int(run[1]), int(run[2]))
    work.settle()
    return work.result()


def cuts(text: str) -> Iterator[tuple[int, str]]:
    """Where a duty's words may be parted: before each line and sentence that begins with a capital or a mark, with what
    follows. The first few. A browser sends its lines with CR and LF; places are counted without."""
    text = _typed(text)
    found = (each.end() for each in _START.finditer(text))
    begins = [at for at in found if text[at - 1] == "\n" or text[at].isupper() or _LISTED.match(text, at)]
    return ((at, text[at : at + 200]) for at in begins[:_MOST_CUTS])


def cut_before(text: str, words: str) -> int | None:
    """Where a duty's words may be parted so that the second half begins with ``words``; None where they cannot be."""
    text = _typed(text)
    at = text.find(words) if words else -1
    line = text.rfind("\n", 0, at) + 1
    mark = mark_of(text[line:])
    at = line if mark and line + mark.length == at else at
    return at if _parts_words(text, at) else None


def _typed(text: str) -> str:
    return text.replace("\r\n", "\n")


def _words(text: str) -> str:
    """A text without its mark."""
    body = body_of(text)
    mark = _LISTED.match(body)
    return body[mark.end() :] if mark else body


def _parts_words(text: str, at: int) -> bool:
    """Whether words stand before and behind a place, and it cuts none in two."""
    return 0 < at < len(text) and text[at - 1].isspace() and bool(text[:at].strip() and text[at:].strip())


@dataclass
class _Duty:
    """A duty of the review: in the draft, as it was found, and its fields by the end of their names."""

    draft: dict[str, Any]
    found: dict[str, Any]
    fields: dict[str, tuple[str, ...]]

    @property
    def text(self) -> str:
        return _typed(value_of(self.fields, "text"))

    def set_time(self, fields: Fields) -> None:
        """When it is owed, as its words say: kept to detect manual changes."""
        self.fields |= fields
        self.found = self.found | {"timed": {key: list(fields[key]) for key in _TIME}}


@dataclass(kw_only=True)
class _Work:
    sheet: Sheet
    fields: dict[str, tuple[str, ...]]
    directory: DirectoryFile
    sections: list[dict[str, Any]]
    duties: dict[str, list[_Duty]]
    """Those of each item, by its path."""
    left: list[dict[str, Any]]
    unknown: list[dict[str, Any]]
    warnings: list[dict[str, Any]]
    changed: bool = False

    @classmethod
    def of(cls, sheet: Sheet, fields: Fields, directory: DirectoryFile) -> _Work:
        own: dict[str, dict[str, tuple[str, ...]]] = {}
        for name, values in fields.items():
            place, dot, key = name.rpartition(".")
            if dot and _PLACE.fullmatch(place):
                own.setdefault(place, {})[key] = tuple(values)
        duties = {
            path: [_Duty(duty, found[d], own.get(f"{path}.duties[{d}]", {})) for d, duty in enumerate(item["duties"])]
            for path, _, item, found in sheet.items
        }
        return cls(
            sheet=sheet,
            fields=dict(fields),
            directory=directory,
            sections=list(sheet.draft["sections"]),
            duties=duties,
            left=list(sheet.found["left"]),
            unknown=list(sheet.found["unknown"]),
            warnings=list(sheet.found["warnings"]),
        )

    # -- what a person asks for ------------------------------------------------------------------------------------

    def part(self, path: str, d: int, at: int) -> None:
        """An empty line where a duty's second half begins."""
        if d < len(self.duties.get(path, ())):
            duty = self.duties[path][d]
            if _parts_words(duty.text, at):
                self._reopen(duty)
                duty.fields["text"] = (f"{duty.text[:at].rstrip()}\n\n{duty.text[at:]}",)

    def join(self, path: str, d: int) -> None:
        """A duty's words are the end of the one above it, in its item or the one before in the same section."""
        upper = self._above(path, d)
        if upper is None:
            return
        lower = self.duties[path].pop(d)
        upper.fields["open"] = upper.fields.get("open") or lower.fields.get("open", ())
        self._reopen(upper)
        deadlines = [*upper.found["deadlines"], *lower.found["deadlines"]]
        if self._as_found(upper) and self._as_found(lower) and lower.found["deadlines"]:
            self._retime(upper, _read(deadlines))
        helping = [each for duty in (upper, lower) for each in listed(value_of(duty.fields, "coordinating"))]
        upper.fields |= {"text": (f"{upper.text.rstrip()}\n{lower.text.strip()}",)}
        upper.fields |= {"coordinating": ("; ".join(dict.fromkeys(helping)),)}
        upper.found = upper.found | {"deadlines": deadlines}
        self.changed = True

    def _above(self, path: str, d: int) -> _Duty | None:
        """The duty before one in its section; None where there is none, or no such duty."""
        if d >= len(self.duties.get(path, ())):
            return None
        section = path.partition(".")[0]
        places = [(each, n) for each in self.duties for n in range(len(self.duties[each]))]
        here = places.index((path, d))
        above, n = places[here - 1] if here else ("", 0)
        return self.duties[above][n] if above.partition(".")[0] == section else None

    def _reopen(self, duty: _Duty) -> None:
        """An open duty is the one opened last."""
        if duty.fields.get("open"):
            duty.fields["open"] = (str(next_number(self.fields)),)

    def drop(self, target: str) -> None:
        """A duty or a section that assigns nothing; once more: it does."""
        among = [
            (path, each)
            for path, duties in self.duties.items()
            for d, each in enumerate(duties)
            if f"{path}.duties[{d}].".startswith(f"{target}.")
        ]
        kept = [each for path, each in among if not self._said(f"{path}.drop") and not each.fields.get("drop")]
        for path, each in among:
            each.fields["drop"] = ("1",) if kept else ()
            if not kept:
                self.fields.pop(f"{path}.drop", None)
        self.changed = bool(among)

    def confirm(self, origin: str) -> None:
        """The owners that were read in one kind of place are right."""
        for duty in chain.from_iterable(self.duties.values()):
            if duty.found.get("origin") == origin:
                duty.found = duty.found | {"origin": Origin.HEADING.value}
                self.changed = True

    def take(self, first: int, last: int) -> None:
        """Lines left out one after another, each a duty of the body that it begins with, or of the one that was named
        for all of them."""
        of_all = listed(self._said(f"left[{first}].run"))
        self._offer_unknown(of_all)
        for n in range(first, min(last + 1, len(self.left))):
            if not self.left[n]["taken"]:
                own = [each for each in self.fields.get(f"left[{n}].owners", ()) if each.strip()]
                owners = own or self._owners(_words(self.left[n]["text"])) or of_all
                self.fields |= {f"left[{n}].take": ("1",), f"left[{n}].owners": tuple(owners)}

    def settle(self) -> None:
        self._replace_names()
        for path, duties in self.duties.items():
            self.duties[path] = [part for duty in duties for part in self._parts(duty)]
        for n, left in enumerate(self.left):
            if not left["taken"] and self._said(f"left[{n}].take") and self._said(f"left[{n}].owners"):
                self._take(n)

    def _replace_names(self) -> None:
        """The bodies that a name of the document was said to stand for, in its place everywhere."""
        for n in range(len(self.unknown)):
            names = listed(value_of(self.fields, f"body[{n}].as"))
            if value_of(self.fields, f"body[{n}]") != OTHERS or not names:
                continue
            if len(names) == 1 and self.directory.find(names[0]):
                self.fields[f"body[{n}]"] = (names[0],)  # chosen like one of those that were offered
                continue
            self._replace(self.unknown[n]["name"], names)
            self._offer_unknown(names)
            self.fields = {name: values for name, values in self.fields.items() if not name.startswith(f"body[{n}]")}
            self.changed = True

    def _replace(self, name: str, others: Sequence[str]) -> None:
        """Other names among the owners of everything that bears a name."""
        for fields in (self.fields, *(duty.fields for duties in self.duties.values() for duty in duties)):
            for key, owners in fields.items():
                if key.rpartition(".")[2] == "owners" and name in owners:
                    spread = (others if owner == name else [owner] for owner in owners)
                    fields[key] = tuple(dict.fromkeys(chain.from_iterable(spread)))

    def _offer_unknown(self, typed: Iterable[str]) -> None:
        lacking = (name for name in typed if not (self.directory.members(name) or self.directory.find(name)))
        self._offer({"name": name, "group": False} for name in lacking)

    def _offer(self, bodies: Iterable[Mapping[str, Any]]) -> None:
        """Names that the directory lacks, to be chosen once for all duties."""
        known = {each["name"] for each in self.unknown}
        self.unknown += [{**each, "count": 1} for each in bodies if each["name"] not in known]

    def _said(self, name: str) -> str:
        return value_of(self.fields, name).strip()

    def _year(self) -> int:
        """The year of the days that the words name without one."""
        if found := re.match(r"20\d\d", self._said("year")):
            return int(found[0])
        try:
            return parse_day(self._said("issued_on")).year
        except BadInput:
            return 2000

    # -- parting ---------------------------------------------------------------------------------------------------

    def _parts(self, duty: _Duty) -> list[_Duty]:
        """A duty, or one for each part of its words. The times that its words name go with those words, unless somebody
        has set others; a part that begins with a body is that body's."""
        texts = [text.strip() for text in _GAP.split(duty.text) if text.strip()]
        if len(texts) < 2 or duty.fields.get("drop"):
            return [duty]
        self.changed = True
        untimed = self._as_found(duty)
        common = _read(each for each in duty.found["deadlines"] if not any(each["text"] in text for text in texts))
        parts = [self._part(duty, text, common, untimed=untimed) for text in (texts[0], *map(_words, texts[1:]))]
        for part in parts[1:]:
            part.found |= {"bodies": [], "details": []}
            if owners := self._owners(part.text):
                part.fields["owners"] = owners
            self._settled(part.text)
        return parts

    def _part(self, duty: _Duty, text: str, common: Sequence[Deadline], *, untimed: bool) -> _Duty:
        """A part of a duty with the times of its words and those of all parts."""
        deadlines = [*deadlines_in(text), *common]
        times = [{"text": each.text, "sentence": each.sentence} for each in deadlines]
        part = _Duty(dict(duty.draft), duty.found | {"deadlines": times}, duty.fields | {"text": (text,)})
        if untimed:
            self._retime(part, deadlines)
        return part

    def _retime(self, duty: _Duty, deadlines: Sequence[Deadline]) -> None:
        said = timing_of(deadlines, self._year())
        duty.set_time(time_fields(said.cadence, said.due_day, said.on, said.wording))

    def _as_found(self, duty: _Duty) -> bool:
        """Whether nobody has changed when a duty is owed."""
        base = duty.found.get("timed") or duty_fields(duty.draft, self.sheet.draft["report_rules"], self.directory)
        return all((duty.fields.get(key) or ("",)) == (tuple(base[key]) or ("",)) for key in _TIME)

    def _owners(self, text: str) -> tuple[str, ...]:
        """The bodies that a text begins with, as the form shows them; one that the directory lacks is offered there."""
        with knowing(self.directory.every_name):
            line = owner_line(text.partition("\n")[0])
        if line is None or (opens_duty(text) and not line.start):
            return ()
        matched_by = matching_directory(self.warnings, self.directory)
        bodies = [owner_of(name, matched_by) for name in line.names]
        self._offer({"name": each.name, "group": each.group} for each in bodies if not each.agency)
        return tuple(dict.fromkeys(shown(self.directory, each.agency) if each.agency else each.name for each in bodies))

    def _settled(self, text: str) -> None:
        """The doubts about words that are a duty now have been answered."""
        asked = [each for each in self.warnings if each["words"]]
        answered = [each for each in asked if _words(each["words"]).startswith(text[:_QUOTED])]
        self.warnings = [each for each in self.warnings if each not in answered]

    # -- lines left out --------------------------------------------------------------------------------------------

    def _take(self, n: int) -> None:
        """A line left out as a duty of its own owner, at the time that its words name: beside the duty before it in its
        section, or in a section of its own."""
        left, owners = self.left[n], tuple(self.fields[f"left[{n}].owners"])
        text = "\n".join(" ".join(row.split()) for row in _words(left["text"]).split("\n"))
        on = date.fromisoformat(left["on"]) if left["on"] else None
        fields: dict[str, tuple[str, ...]] = {"text": (text,), "coordinating": ("",), "owners": owners}
        times = [{"text": left["wording"], "sentence": text}] if left["wording"] else []
        found: dict[str, Any] = {"citation": "", "bodies": [], "coordinating": [], "deadlines": times, "details": []}
        found |= {"source": {"line": left["line"], "row": 0}, "order": left["order"]}
        draft = {"text": text, "cadence": ["ad_hoc"], "rule": DEFAULT_RULE}
        path = self._path_for(left) or self._new_item(left, text, owners)
        at = sum(each.found["order"] <= left["order"] for each in self.duties[path])
        duty = _Duty(draft, found, fields)
        duty.set_time(time_fields(left["cadence"], left["due_day"], on, left["wording"]))
        self.duties[path].insert(at, duty)
        self.left[n] = left | {"taken": True}
        self.fields = {name: values for name, values in self.fields.items() if not name.startswith(f"left[{n}].")}
        self._settled(text)
        self.changed = True

    def _path_for(self, left: Mapping[str, Any]) -> str:
        """The item that holds the duty before a line, where it is of the line's section; «» for none."""
        orders = sorted(each.found["order"] for duties in self.duties.values() for each in duties)
        after, before = bisect_left(orders, left["order"]), 0
        for path, duties in self.duties.items():
            first, before = before, before + len(duties)
            reached = after <= before and (after > first or first == 0 or before >= len(orders))
            if duties and reached and self._is_of_section(left, path):
                return path
        return ""

    def _is_of_section(self, left: Mapping[str, Any], path: str) -> bool:
        """Whether a line left out stands in the section of an item, and that is one of the document's own."""
        section = self.sections[int(path.partition("]")[0].removeprefix("sections["))]
        return left["section"][0] in ("", str(section["roman"]).partition(".")[0]) and "lines_of" not in section

    def _new_item(self, left: Mapping[str, Any], text: str, owners: tuple[str, ...]) -> str:
        """An item in the section of lines that were left out whole, made for the first of them."""
        label = left["section"][0]
        s = next((s for s, each in enumerate(self.sections) if each.get("lines_of") == label), len(self.sections))
        if s == len(self.sections):
            used = {str(each["roman"]) for each in self.sections}
            free = re.fullmatch("[IVXLC]+", label) and label not in used
            number = label if free else f"PL{len(self.sections) + 1}"
            heading = left["section"][1] or "Nhiệm vụ khác"
            section = {"roman": number, "heading": heading, "kind": "assignments", "items": [], "lines_of": label}
            self.sections.append(section)
        items = self.sections[s]["items"]
        heading = " ".join(text.split()[:12])
        item = {"no": len(items) + 1, "heading": heading, "owners": [], "request": False, "duties": []}
        self.sections[s] = self.sections[s] | {"items": [*items, item]}
        path = f"sections[{s}].items[{len(items)}]"
        self.duties[path] = []
        self.fields[f"{path}.owners"] = owners
        return path

    # -- the end ---------------------------------------------------------------------------------------------------

    def result(self) -> tuple[Sheet, dict[str, tuple[str, ...]]]:
        if not self.changed:
            return self.sheet, self.fields
        order: list[str] = []
        sections = []
        for s, section in enumerate(self.sections):
            paths = [f"sections[{s}].items[{i}]" for i in range(len(section["items"]))]
            drafts = ([each.draft for each in self.duties[path]] for path in paths)
            items = [item | {"duties": duties} for item, duties in zip(section["items"], drafts, strict=True)]
            sections.append(number_duties(section | {"items": items}))
            order += paths
        found = [each.found for path in order for each in self.duties[path]]
        more = {"duties": found, "left": self.left, "unknown": self.unknown, "warnings": self.warnings}
        draft = self.sheet.draft | {"sections": sections}
        return replace(self.sheet, found=self.sheet.found | more, draft=draft), self._all_fields(order)

    def _all_fields(self, order: Iterable[str]) -> dict[str, tuple[str, ...]]:
        """All fields, those of duties under their new numbers. ``order``: the paths of the items."""
        kept = {name: values for name, values in self.fields.items() if not _PLACE.fullmatch(name.rpartition(".")[0])}
        for path in order:
            for d, duty in enumerate(self.duties[path]):
                kept |= {f"{path}.duties[{d}].{key}": values for key, values in duty.fields.items() if values}
        return kept


def _read(times: Iterable[Mapping[str, Any]]) -> Sequence[Deadline]:
    return [each for time in times for each in deadlines_in(time["text"], column=True)]
