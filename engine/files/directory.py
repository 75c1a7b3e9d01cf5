"""The directory file: which bodies there are, what they were called when, who answers for them, who took over what.

A name is looked up the way people write it («UBND H. Quế Phong», «Sở LĐ-TB&XH», «Quì Hợp»), and a list of owners is
never cut inside a name that the directory knows («Sở Văn hóa, Thể thao và Du lịch»). Pure but for ``load_directory``.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from functools import cached_property
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from engine.files.base_model import Day, FileModel, Mistake, Path_, Slug, did_you_mean, textual
from engine.files.yaml_reader import read
from engine.terms import Role
from engine.text import Text

NonEmpty = Annotated[str, StringConstraints(min_length=1)]
Mailbox = Annotated[
    str,
    *textual(
        r"[^\s@<>\"',;:()]+@[a-zA-Z0-9-]+(?:\.[a-zA-Z0-9-]+)+",
        Text("viết như daumoi@so-y-te.example", "write like this"),
    ),
]
Phone = Annotated[str, *textual(r"\+?[0-9]{9,15}", Text("chỉ chữ số, như +84238000000", "digits only"))]

# Written by itself in a name, a token stands for the words beside it.
_TOKENS = {
    "ub": "uyban",
    "ubnd": "uybannhandan",
    "mttq": "mattrantoquoc",
    "ubmttq": "uybanmattrantoquoc",
    "tp": "thanhpho",
    "tx": "thixa",
    "h": "huyen",
    "va": "",
    "cac": "",
}
# Where one of these begins a piece of a list, a new body begins; before a place, only with its capital letter.
_HEAD = re.compile(
    r"(?:sở|ban(?= (?!ngành))|ubnd|ủy ban|uỷ ban|công an|bộ chỉ huy|bộ tư lệnh|ngân hàng|đài|báo|hội|liên đoàn|"
    r"tỉnh đoàn|đoàn(?! thể)|thanh tra|văn phòng|cục|chi cục|kho bạc|bảo hiểm|tòa án|toà án|viện|"
    r"trường|trung tâm|công ty|các)\b",
    re.IGNORECASE,
)
_MOST_PIECES = 8
_PLACE = re.compile(r"(?:huyện|thành phố|tp\.?|thị xã|tx\.?|h\.)\s*(?P<first>\w)", re.IGNORECASE)
_SEPARATOR = re.compile(r"\s*(?:[,;\n/+&]|\bvà\b|\s[-–]\s)\s*", re.IGNORECASE)


def fold(text: str) -> str:
    """Lower case without diacritics: «Thị xã Thái Hoà» → "thi xa thai hoa". Line breaks count as spaces."""
    letters = unicodedata.normalize("NFD", text.casefold().replace("đ", "d"))
    return " ".join("".join(each for each in letters if not unicodedata.combining(each)).split())


def name_key(text: str) -> str:
    """What two ways of writing one name have in common: no case, tones, signs or «và»; i for y; short forms long."""
    tokens = re.findall(r"[a-z0-9]+", fold(text))
    return "".join(_TOKENS.get(token, token) for token in tokens).replace("y", "i")


def circle(edges: Mapping[str, Iterable[str]]) -> tuple[str, ...]:
    """A way along the edges that comes back to where it began; empty when there is none."""
    try:
        TopologicalSorter(edges).prepare()
    except CycleError as error:
        return tuple(error.args[1])
    return ()


class Dated(FileModel):
    """Holds from a day until a day, both included; open where none is given."""

    from_: Day | None = Field(default=None, alias="from")
    until: Day | None = None

    def holds_on(self, day: date) -> bool:
        return (self.from_ is None or self.from_ <= day) and (self.until is None or day <= self.until)


class NameEntry(Dated):
    """What a body is called."""

    name: NonEmpty
    short: str = ""


class SuccessionEntry(FileModel):
    """From ``on``, ``function`` of the body belongs to ``to``. ``chung`` is all that no other edge names."""

    to: Slug
    on: Day
    basis: NonEmpty
    function: NonEmpty = "chung"


class ContactEntry(Dated):
    """A role mailbox that answers for the body."""

    role: Role
    label: str = ""
    email: Mailbox
    phone: Phone | None = None
    language: Literal["vi", "en"] = "vi"


class AgencyEntry(FileModel):
    """One body. ``level`` is the directory's own word (so, huyen, doan_the …); ``code`` the statistical code."""

    id: Slug
    names: tuple[NameEntry, ...] = Field(min_length=1)
    aliases: tuple[NonEmpty, ...] = ()
    level: Annotated[str, *textual(r"[a-z]+(?:_[a-z]+)*", Text("như so, huyen, doan_the", "like these"))]
    code: str | None = None
    parent: Slug | None = None
    successors: tuple[SuccessionEntry, ...] = ()
    contacts: tuple[ContactEntry, ...] = ()

    def name_on(self, day: date) -> NameEntry:
        """The name borne on a day; before the first the first, after the last the last."""
        begun = [each for each in self.names if each.from_ is None or each.from_ <= day]
        return begun[-1] if begun else self.names[0]

    def contacts_on(self, day: date, role: Role | None = None) -> tuple[ContactEntry, ...]:
        """Who answers on a day, in the file's order."""
        return tuple(each for each in self.contacts if role in (None, each.role) and each.holds_on(day))


class GroupEntry(FileModel):
    """A named set of bodies, by id or by level."""

    id: Slug
    name: NonEmpty
    aliases: tuple[NonEmpty, ...] = ()
    members: tuple[Slug, ...] = ()
    levels: tuple[str, ...] = ()


class DirectoryFile(FileModel):
    """A directory as written. ``name`` is the place («Nghệ An»): «Sở Y tế tỉnh Nghệ An» is found as «Sở Y tế»."""

    format: Literal["dondoc/directory@1"] = Field(alias="schema")
    id: Slug
    name: NonEmpty
    agencies: tuple[AgencyEntry, ...] = Field(min_length=1)
    groups: tuple[GroupEntry, ...] = ()

    @cached_property
    def by_id(self) -> Mapping[str, AgencyEntry]:
        return {each.id: each for each in self.agencies}

    @cached_property
    def _groups(self) -> Mapping[str, tuple[str, ...]]:
        return {
            group.id: tuple(a.id for a in self.agencies if a.id in group.members or a.level in group.levels)
            for group in self.groups
        }

    @property
    def ids(self) -> tuple[str, ...]:
        """Everything that a plan may name as an owner: agencies, then groups."""
        return (*self.by_id, *self._groups)

    def name_on(self, agency: str, day: date) -> str:
        """The name of an agency id on a day."""
        return self.by_id[agency].name_on(day).name

    def members(self, name: str) -> tuple[str, ...]:
        """The agency ids of a group in the directory's order; an agency's id gives itself; () if unknown."""
        return self._groups.get(name, (name,) if name in self.by_id else ())

    def expand(self, names: Iterable[str]) -> tuple[str, ...]:
        """The agency ids behind agency and group ids, each once, in the directory's order."""
        wanted = {member for name in names for member in self.members(name)}
        return tuple(each for each in self.by_id if each in wanted)

    @cached_property
    def _known(self) -> Mapping[str, set[str]]:
        """Name key -> ids that bear it."""
        known: dict[str, set[str]] = {}
        for agency in self.agencies:
            for entry in agency.names:
                for text in (entry.name, entry.short, *agency.aliases):
                    known.setdefault(name_key(text), set()).add(agency.id)
        for group in self.groups:
            for text in (group.name, *group.aliases):
                known.setdefault(name_key(text), set()).add(group.id)
        known.pop("", None)
        return known

    def find(self, name: str) -> str | None:
        """The id of the agency or group that bears a name, however it is written; None if none or more than one."""
        key, place = name_key(name), name_key(self.name)
        for candidate in (key, key.removesuffix(place), key.removesuffix("tinh" + place)):
            found = self._known.get(candidate, set())
            if found:
                return next(iter(found)) if len(found) == 1 else None
        return None

    def split_owners(self, text: str) -> list[str]:
        """The bodies that a text names, in its order: an id where one is known, else the words as they stand.

        A comma or «và» divides only where a known name ends, or where the words after it begin a body of their own
        («Sở …», «UBND …»); what the directory does not know and cannot divide stays whole.
        """
        edges = [0, *(edge for mark in _SEPARATOR.finditer(text) for edge in mark.span()), len(text)]
        pieces = [(start, end) for start, end in zip(edges[::2], edges[1::2], strict=True) if start < end]
        found: list[str] = []
        while pieces:
            count, name = self._first_body(text, pieces)
            found.append(name or text[pieces[0][0] : pieces[count - 1][1]].strip())
            pieces = pieces[count:]
        return found

    def _first_body(self, text: str, pieces: Sequence[tuple[int, int]]) -> tuple[int, str | None]:
        """How many of the pieces make the body that begins with the first, and its id if it is known."""

        def joined(first: int, count: int) -> str | None:
            return self.find(text[pieces[first][0] : pieces[first + count - 1][1]])

        def ends(at: int) -> bool:
            if at == len(pieces) or ";" in text[pieces[at - 1][1] : pieces[at][0]]:
                return True
            reach = min(_MOST_PIECES, len(pieces) - at)
            return _begins_a_body(text[pieces[at][0] :]) or any(joined(at, n) for n in range(1, reach + 1))

        for count in range(min(_MOST_PIECES, len(pieces)), 0, -1):
            name = joined(0, count)
            if name is not None and ends(count):
                return count, name
        return next(count for count in range(1, len(pieces) + 1) if ends(count)), None

    def mistakes(self) -> Iterator[Mistake]:
        yield from self._doubled()
        for n, agency in enumerate(self.agencies):
            yield from self._agency_mistakes(agency, ("agencies", n))
        for n, group in enumerate(self.groups):
            yield from self._group_mistakes(group, ("groups", n))
        loop = circle({each.id: [each.parent] for each in self.agencies if each.parent})
        if loop:
            at = [each.id for each in self.agencies].index(loop[0])
            what = Text("vòng cấp trên", f"a circle of parents: {' → '.join(loop)}")
            yield Mistake(("agencies", at, "parent"), what, Text("sửa một «parent»", "mend one of the parents"))

    def _doubled(self) -> Iterator[Mistake]:
        places: list[tuple[Path_, str]] = [(("agencies", n, "id"), a.id) for n, a in enumerate(self.agencies)]
        places += [(("groups", n, "id"), g.id) for n, g in enumerate(self.groups)]
        seen: Counter[str] = Counter()
        for path, name in places:
            seen[name] += 1
            if seen[name] == 2:
                yield Mistake(
                    path, Text(f"mã «{name}» đã dùng rồi", "the id is taken"), Text("đặt mã khác", "choose another id")
                )

    def _agency_mistakes(self, agency: AgencyEntry, at: Path_) -> Iterator[Mistake]:
        if agency.parent is not None and agency.parent not in self.by_id:
            yield _unknown((*at, "parent"), agency.parent, self.by_id)
        for n, edge in enumerate(agency.successors):
            if edge.to not in self.by_id:
                yield _unknown((*at, "successors", n, "to"), edge.to, self.by_id)
            elif edge.to == agency.id:
                yield Mistake(
                    (*at, "successors", n, "to"),
                    Text("kế thừa chính mình", "succeeds itself"),
                    Text("sửa", "mend «to»"),
                )
        yield from _unordered(agency.names, (*at, "names"))
        yield from _unordered(agency.contacts, (*at, "contacts"))
        for n, (old, new) in enumerate(zip(agency.names, agency.names[1:], strict=False), 1):
            if new.from_ is None or (old.until or old.from_ or date.min) >= new.from_:
                yield Mistake(
                    (*at, "names", n),
                    Text(
                        "tên này bắt đầu trước khi tên trước hết hiệu lực", "the name begins before the one above ends"
                    ),
                    Text("xếp tên cũ trước, điền from và until không chồng nhau", "oldest first, without overlap"),
                )

    def _group_mistakes(self, group: GroupEntry, at: Path_) -> Iterator[Mistake]:
        for n, name in enumerate(group.members):
            if name not in self.by_id:
                yield _unknown((*at, "members", n), name, self.by_id)
        levels = {each.level for each in self.agencies}
        for n, level in enumerate(group.levels):
            if level not in levels:
                yield _unknown((*at, "levels", n), level, levels)
        if not group.members and not group.levels:
            what = Text(f"nhóm «{group.id}» không có ai", "the group has no members")
            yield Mistake(at, what, Text("điền members hoặc levels", "give members or levels"))


def _begins_a_body(text: str) -> bool:
    place = _PLACE.match(text)
    return _HEAD.match(text) is not None or (place is not None and place["first"].isupper())


def _unknown(path: Path_, name: str, known: Iterable[str]) -> Mistake:
    return Mistake(path, Text(f"danh bạ không có «{name}»", "is not in the directory"), did_you_mean(name, known))


def _unordered(entries: Sequence[Dated], at: Path_) -> Iterator[Mistake]:
    for n, each in enumerate(entries):
        if each.from_ is not None and each.until is not None and each.until < each.from_:
            what = Text(f"until {each.until} trước from {each.from_}", "until is before from")
            yield Mistake((*at, n, "until"), what, Text("đổi lại hai ngày", "put the days in order"))


def load_directory(path: Path) -> DirectoryFile:
    """The directory in a file. Raises FileRefused."""
    return read(path, DirectoryFile)
