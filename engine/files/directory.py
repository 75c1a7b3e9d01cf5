"""The directory file: agencies, their names over time, their contacts and their successions.

Names are matched in the ways people write them («UBND H. Quế Phong», «Sở LĐ-TB&XH», «Quì Hợp»), and a list of owners is
never split inside a name in the directory («Sở Văn hóa, Thể thao và Du lịch»). Pure, except for ``load_directory``.
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

from pydantic import AfterValidator, Field, StringConstraints

from engine.files.base_model import Day, FileModel, Mistake, Path_, Slug, did_you_mean, field_error, textual
from engine.files.yaml_reader import read
from engine.rules.vietnamese import has_hidden_character
from engine.terms import ContactRole, Role
from engine.text import Text

NonEmpty = Annotated[str, StringConstraints(min_length=1)]


def _visible(text: str) -> str:
    if has_hidden_character(text):
        raise field_error(
            Text("có ký tự ẩn hoặc đổi chiều chữ", "holds an invisible or direction-changing character"),
            Text("gõ lại bằng tay", "type it by hand"),
        )
    return text


Name = Annotated[NonEmpty, AfterValidator(_visible)]
Mailbox = Annotated[
    str,
    *textual(
        r"[^\s@<>\"',;:()]+@[a-zA-Z0-9-]+(?:\.[a-zA-Z0-9-]+)+",
        Text("viết như daumoi@so-y-te.example", "write it like daumoi@so-y-te.example"),
    ),
]
Phone = Annotated[str, *textual(r"\+?[0-9]{9,15}", Text("chỉ chữ số, như +84238000000", "digits, like +84238000000"))]

# Abbreviated tokens of a name and their long form.
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


def fold(text: str) -> str:
    """Lower case without diacritics: «Thị xã Thái Hoà» → "thi xa thai hoa". Line breaks count as spaces."""
    letters = unicodedata.normalize("NFD", text.casefold().replace("đ", "d"))
    return " ".join("".join(each for each in letters if not unicodedata.combining(each)).split())


def name_key(text: str) -> str:
    """Normalised form of a name: no case, tones, punctuation or «và»; y becomes i; abbreviations are expanded."""
    tokens = re.findall(r"[a-z0-9]+", fold(text))
    return "".join(_TOKENS.get(token, token) for token in tokens).replace("y", "i")


def find_cycle(edges: Mapping[str, Iterable[str]]) -> tuple[str, ...]:
    """A cycle in a graph, as its nodes; empty if there is none."""
    try:
        TopologicalSorter(edges).prepare()
    except CycleError as error:
        return tuple(error.args[1])
    return ()


class Dated(FileModel):
    """Valid from a day until a day, both included; open-ended where none is given."""

    from_: Day | None = Field(default=None, alias="from")
    until: Day | None = None

    def holds_on(self, day: date) -> bool:
        return (self.from_ is None or self.from_ <= day) and (self.until is None or day <= self.until)


class NameEntry(Dated):
    """A name of an agency."""

    name: Name
    short: str = ""


REST = "chung"
"""The function of a succession that covers everything not named by another one."""


class HandedOver(FileModel):
    """What an ended agency hands over, from ``on``."""

    on: Day
    basis: NonEmpty
    function: NonEmpty = REST
    words: tuple[NonEmpty, ...] = ()
    """Words by which the text of a duty is known to belong to the function, besides its name."""
    seat: bool = False
    """The one of several successors that reports for the ended agency, unless another choice is made."""
    inferred: bool = False
    """The basis does not say this itself: the office confirms it."""


class SuccessionEntry(HandedOver):
    """From ``on``, ``function`` of the agency belongs to ``to``. ``chung``: everything not named by another entry."""

    to: Slug


class PredecessorEntry(HandedOver):
    """The same, at the successor: from ``on``, it has ``function`` of the agency ``of``, which the file need not hold.
    It is stored if the directory knows that agency when the file is loaded."""

    of: Slug


class ContactEntry(Dated):
    """A role mailbox of the agency."""

    role: ContactRole
    label: str = ""
    email: Mailbox
    phone: Phone | None = None
    language: Literal["vi", "en"] = "vi"


class AgencyEntry(FileModel):
    """One agency. ``level`` is the directory's own word (so, huyen, doan_the …); ``code`` the statistical code;
    ``source`` the document that this entry is taken from, and what in it is inferred (not stored)."""

    id: Slug
    names: tuple[NameEntry, ...] = Field(min_length=1)
    aliases: tuple[Name, ...] = ()
    level: Annotated[str, *textual(r"[a-z]+(?:_[a-z]+)*", Text("như so, huyen, doan_the", "like these"))]
    code: str | None = None
    parent: Slug | None = None
    source: str = ""
    successors: tuple[SuccessionEntry, ...] = ()
    follows: tuple[PredecessorEntry, ...] = ()
    contacts: tuple[ContactEntry, ...] = ()

    def name_on(self, day: date) -> NameEntry:
        """The name on a day: the first for days before it, the last for days after it."""
        started = [each for each in self.names if each.from_ is None or each.from_ <= day]
        return started[-1] if started else self.names[0]

    @property
    def begins(self) -> date | None:
        """The first day of its first name; None where that is not known."""
        return self.names[0].from_

    def contacts_on(self, day: date, role: Role | None = None) -> tuple[ContactEntry, ...]:
        """The contacts valid on a day, in the order of the file."""
        return tuple(each for each in self.contacts if role in (None, each.role) and each.holds_on(day))


class GroupEntry(FileModel):
    """A named set of agencies, by id or by level."""

    id: Slug
    name: Name
    aliases: tuple[Name, ...] = ()
    members: tuple[Slug, ...] = ()
    levels: tuple[str, ...] = ()


class DirectoryFile(FileModel):
    """A directory file. ``name`` is the place («Nghệ An»), so that «Sở Y tế tỉnh Nghệ An» is found as «Sở Y tế»."""

    format: Literal["dondoc/directory@1"] = Field(alias="schema")
    id: Slug
    name: Name
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
        """All ids that a plan may name as an owner: agencies, then groups."""
        return (*self.by_id, *self._groups)

    @cached_property
    def latest_names(self) -> Mapping[str, str]:
        """Agency or group id -> its latest name."""
        found = {agency.id: agency.names[-1].name for agency in self.agencies}
        return found | {group.id: group.name for group in self.groups}

    def _written(self) -> Iterator[tuple[str, str]]:
        """The id of each agency and group with each way of writing its name: former names and short ones, too."""
        for agency in self.agencies:
            for entry in agency.names:
                yield from ((agency.id, text) for text in (entry.name, entry.short))
            yield from ((agency.id, text) for text in agency.aliases)
        for group in self.groups:
            yield from ((group.id, text) for text in (group.name, *group.aliases))

    @cached_property
    def every_name(self) -> tuple[str, ...]:
        """All names of all agencies and groups, former ones and short ones, too."""
        return tuple(dict.fromkeys(text for _, text in self._written() if text))

    def name_on(self, agency: str, day: date) -> str:
        """The name of an agency id on a day."""
        return self.by_id[agency].name_on(day).name

    def members(self, name: str) -> tuple[str, ...]:
        """The agency ids of a group, in the directory's order; an agency id gives itself; () if unknown."""
        return self._groups.get(name, (name,) if name in self.by_id else ())

    def expand(self, names: Iterable[str]) -> tuple[str, ...]:
        """Expand agency and group ids to agency ids, each once, in the directory's order."""
        selected = {member for name in names for member in self.members(name)}
        return tuple(each for each in self.by_id if each in selected)

    @cached_property
    def _known(self) -> Mapping[str, set[str]]:
        """Name key -> ids with that name."""
        known: dict[str, set[str]] = {}
        for agency, text in self._written():
            known.setdefault(name_key(text), set()).add(agency)
        known.pop("", None)
        return known

    def find(self, name: str) -> str | None:
        """The id of the agency or group with this name in any spelling; of several the one that has not ended. None if
        there is none, or more than one."""
        key, place = name_key(name), name_key(self.name)
        for candidate in (key, key.removesuffix(place), key.removesuffix("tinh" + place)):
            ids = self._known.get(candidate, set())
            if len(ids) > 1:
                ids = {each for each in ids if each not in self.by_id or self.by_id[each].names[-1].until is None}
            if ids:
                return next(iter(ids)) if len(ids) == 1 else None
        return None

    def mistakes(self) -> Iterator[Mistake]:
        yield from self._duplicate_ids()
        for n, agency in enumerate(self.agencies):
            yield from self._agency_mistakes(agency, ("agencies", n))
        for n, group in enumerate(self.groups):
            yield from self._group_mistakes(group, ("groups", n))
        loop = find_cycle({each.id: [each.parent] for each in self.agencies if each.parent})
        if loop:
            at = [each.id for each in self.agencies].index(loop[0])
            what = Text("vòng cấp trên", f"a cycle of parents: {' → '.join(loop)}")
            yield Mistake(("agencies", at, "parent"), what, Text("sửa một «parent»", "correct one of the parents"))

    def _duplicate_ids(self) -> Iterator[Mistake]:
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
                yield _own_successor((*at, "successors", n, "to"))
        yield from (
            _own_successor((*at, "follows", n, "of")) for n, e in enumerate(agency.follows) if e.of == agency.id
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


def _own_successor(path: Path_) -> Mistake:
    return Mistake(path, Text("kế thừa chính mình", "succeeds itself"), Text("sửa", f"correct «{path[-1]}»"))


def _unknown(path: Path_, name: str, known: Iterable[str]) -> Mistake:
    return Mistake(path, Text(f"danh bạ không có «{name}»", "is not in the directory"), did_you_mean(name, known))


def _unordered(entries: Sequence[Dated], at: Path_) -> Iterator[Mistake]:
    for n, each in enumerate(entries):
        if each.from_ is not None and each.until is not None and each.until < each.from_:
            what = Text(f"until {each.until} trước from {each.from_}", "until is before from")
            yield Mistake((*at, n, "until"), what, Text("đổi lại hai ngày", "swap the two days"))


def load_directory(path: Path) -> DirectoryFile:
    """Load a directory file. Raises FileRefused."""
    return read(path, DirectoryFile)
