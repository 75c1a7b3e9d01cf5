"""A plan document under review, as stored: the document paragraph by paragraph, and the resulting plan; and the names
in it that the directory lacks: similar names, and the kind of agencies they stand for.

A duty keeps its key through all corrections, so that two people can work on a draft at once.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from difflib import SequenceMatcher
from functools import lru_cache
from math import log

from pydantic import BaseModel, ConfigDict, Field

from engine.features.plan_import.importer.base.model import ORIGIN_WORDS, Doubt, Origin, Place, Use
from engine.features.plan_import.importer.phrases.owners import Directory, NullDirectory
from engine.files.directory import AgencyEntry, DirectoryFile, fold
from engine.rules.words import level_rank
from engine.terms import OutputKind
from engine.text import Text

NEW = "+"
"""The choice of a name that is to be added to the directory."""
OTHERS = "="
"""The choice of a name that stands for agencies typed beside it."""
KIND = "kind:"
"""The choice of a name that stands for all agencies of some levels: «kind:so+doan_the»."""
TO_ALL = "yêu cầu chung"
AS_HEADING = "đọc là tiêu đề"
LEAD_IN = "câu dẫn nêu cơ quan và việc"
DEFAULT_RULE = "mac-dinh"
ELSEWHERE = frozenset({"no_due_date", "unknown_owner", "left_out", "other_province"})
"""The doubts that the review shows in a place of their own."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Times(_Part):
    """When a duty is due, as typed. ``due``: days of the month and last days, «15; 30/6/2021»."""

    cadence: list[str] = ["ad_hoc"]
    due: str = ""
    wording: str = ""


class TimeWords(_Part):
    """Words about time and the sentence that contains them."""

    text: str
    sentence: str


class Paragraph(_Part):
    """A paragraph or table row of the document. ``reason``: why it became no duty, or may be one after all (then it is
    ``doubted``). ``serious``: it looks like a duty. ``owner``: whose it would be. ``section``: number and heading."""

    text: str
    source: Place
    order: int
    use: Use
    reason: str = ""
    serious: bool = False
    doubted: bool = False
    owner: str = ""
    section: tuple[str, str] = ("", "")

    @property
    def may_be_duty(self) -> bool:
        """Whether a person may turn it into a duty: it has no other use."""
        return self.doubted or (self.use is Use.LEFT_OUT and any(map(str.isalpha, self.text)))


class DraftDuty(_Part):
    """A duty. ``owners``, ``coordinating``: names, as the directory or else the document writes them. ``read_times``:
    what its words say, to detect manual changes. ``doubts``: what is to be confirmed of them, until a person does so or
    changes them. ``paragraphs``: those of the document that it was made of. ``named_at``: where its owners are named.
    ``changes``: how often a person corrected it."""

    key: int
    text: str
    owners: list[str]
    times: Times
    read_times: Times
    coordinating: list[str] = []
    output: str = ""
    output_kind: OutputKind = OutputKind.DOCUMENT
    dropped: bool = False
    origin: Origin = Origin.HEADING
    deadlines: list[TimeWords] = []
    doubts: list[Doubt] = []
    details: list[str] = []
    partners: list[str] = []
    paragraphs: list[int] = []
    printed: str = ""
    source: Place = Place()
    named_at: Place | None = None
    order: int = 0
    changes: int = 0

    @property
    def guessed(self) -> bool:
        """Whether its owners were guessed and nobody has confirmed them."""
        return self.origin is not Origin.HEADING

    @property
    def open_doubts(self) -> list[Doubt]:
        """The doubts that are asked beside it; those without words about time have one question for all."""
        return [] if self.dropped else [each for each in self.doubts if each.code not in ELSEWHERE]


class DraftItem(_Part):
    """``printed``: the document's number, where it is another; empty for none."""

    no: int
    heading: str
    request: bool = False
    duties: list[DraftDuty]
    printed: str | None = None


class DraftSection(_Part):
    """``lines_of``: made of lines left out, under the number that the document prints. ``printed``: as of an item."""

    roman: str
    heading: str
    kind: str
    items: list[DraftItem]
    lines_of: str | None = None
    printed: str | None = None


class UnknownName(_Part):
    """A name that the directory lacks, and what it stands for: ``chosen`` is NEW, OTHERS (``others``), KIND with levels
    (all of these but ``without``), or a name of the directory; empty until somebody has chosen."""

    name: str
    group: bool = False
    chosen: str = ""
    others: list[str] = []
    without: list[str] = []

    @property
    def levels(self) -> tuple[str, ...]:
        return tuple(self.chosen.removeprefix(KIND).split("+")) if self.chosen.startswith(KIND) else ()


class Gap(_Part):
    """A number that the document leaves out."""

    citation: str
    note: str


class Head(_Part):
    """The plan's own fields, as typed."""

    number: str = ""
    title: str = ""
    short_title: str = ""
    sms_name: str = ""
    issued_on: str = ""
    year: str = ""
    issuer: str = ""
    supervisor: str = ""
    due_day: str = ""
    undated: str = "none"


@dataclass(frozen=True, kw_only=True)
class DutyPlace:
    """A duty with where it stands. ``citation``: as the plan numbers it."""

    section: DraftSection
    item: DraftItem
    duty: DraftDuty
    citation: str

    @property
    def number(self) -> str:
        """That of its item: «IV.3»."""
        return f"{self.section.roman}.{self.item.no}"

    @property
    def is_first(self) -> bool:
        return self.duty is self.item.duties[0]


class PlanDraft(_Part):
    """``found``: where each field of the head stands in the document; None where it does not say. ``stated``: how the
    document says a field, ``to_confirm``: what a person has to settle of one, both until somebody changes it.
    ``remember``: the chosen spellings are kept in the directory. ``asked_to_save``: somebody has tried to save, so
    errors are shown."""

    name: str
    format: str
    head: Head
    found: dict[str, Place | None]
    stated: dict[str, str] = {}
    to_confirm: dict[str, str] = {}
    sections: list[DraftSection]
    document: list[Paragraph]
    unknown: list[UnknownName] = []
    warnings: list[Doubt] = []
    gaps: list[Gap] = []
    remember: bool = False
    asked_to_save: bool = False
    next_key: int = Field(default=1, ge=1)

    def new_key(self) -> int:
        self.next_key += 1
        return self.next_key - 1

    def places(self) -> Iterator[DutyPlace]:
        """The duties in the plan's order."""
        for section in self.sections:
            for item in section.items:
                for duty, citation in zip(item.duties, citations(section, item), strict=True):
                    yield DutyPlace(section=section, item=item, duty=duty, citation=citation)

    def place(self, key: int) -> DutyPlace | None:
        return next((each for each in self.places() if each.duty.key == key), None)

    @property
    def duties(self) -> list[DraftDuty]:
        return [each.duty for each in self.places()]

    def used(self) -> set[int]:
        """The paragraphs that duties were made of."""
        return {n for duty in self.duties for n in duty.paragraphs}

    def left(self) -> list[int]:
        """The paragraphs that a person may make duties."""
        used = self.used()
        return [n for n, each in enumerate(self.document) if n not in used and each.may_be_duty]

    def named(self) -> set[str]:
        """The names used by duties and the head, and those that other names stand for."""
        names = {name for duty in self.duties if not duty.dropped for name in (*duty.owners, *duty.coordinating)}
        names |= {self.head.issuer, self.head.supervisor}
        others = {name for each in self.unknown if each.name in names and each.chosen == OTHERS for name in each.others}
        return names | others

    def open_names(self) -> list[tuple[int, UnknownName]]:
        """The unknown names in use, each with its number among all."""
        named = self.named()
        return [(n, each) for n, each in enumerate(self.unknown) if each.name in named]

    def guesses(self) -> list[tuple[Origin, Text, list[str]]]:
        """For each kind of place where owners were guessed: the place, what the page says of it, and the duties
        concerned."""
        numbers: dict[Origin, list[str]] = {}
        for each in self.places():
            if not each.duty.dropped:
                numbers.setdefault(each.duty.origin, []).append(each.citation)
        return [(origin, said, numbers[origin]) for origin, said in ORIGIN_WORDS.items() if origin in numbers]

    def to_settle(self) -> int:
        """How many questions are open: names, guesses, doubts, lines that look like duties."""
        names = sum(not each.chosen for _, each in self.open_names())
        serious = sum(self.document[n].serious or self.document[n].doubted for n in self.left())
        return names + len(self.guesses()) + len(self.duty_doubts()) + len(self.other_doubts) + serious

    def duty_doubts(self) -> dict[str, list[DutyPlace]]:
        """The messages of the open doubts about duties, each with the duties concerned."""
        found: dict[str, list[DutyPlace]] = {}
        for place in self.places():
            for doubt in place.duty.open_doubts:
                found.setdefault(doubt.message, []).append(place)
        return found

    @property
    def other_doubts(self) -> list[Doubt]:
        """The doubts about the document that are not shown elsewhere in the review."""
        return [each for each in self.warnings if each.code not in ELSEWHERE]

    @property
    def of_another_province(self) -> bool:
        return any(each.code == "other_province" for each in self.warnings)


def citations(section: DraftSection, item: DraftItem) -> list[str]:
    """The numbers of an item's duties: «IV.3.1», or the item's own where a section lists single duties."""
    stem = f"{section.roman}.{item.no}"
    if section.kind == "standing" and len(item.duties) == 1:
        return [stem]
    return [f"{stem}.{n}" for n in range(1, len(item.duties) + 1)]


_KINDS: Sequence[tuple[str, re.Pattern[str]]] = (
    ("huyen", re.compile(r"\b(?:quan huyen|huyen|thi xa|thanh pho|cap huyen)\b")),
    ("xa", re.compile(r"\b(?:xa|phuong|dac khu|thi tran|cap xa)\b")),
    ("so", re.compile(r"\b(?:so|nganh)\b")),
    ("doan_the", re.compile(r"\b(?:doan the|to chuc chinh tri xa hoi)\b")),
    ("bao_chi", re.compile(r"\b(?:co quan (?:bao chi|truyen thong|thong tin))\b")),
    ("ngan_hang", re.compile(r"\bngan hang\b")),
)
_SEVERAL = re.compile(r"(?:ubnd |uy ban nhan dan |lanh dao |thu truong )?(?:\d+ |cac |tat ca )|(?:so|xa|huyen)[,;] ")
_NEUTRAL = re.compile(
    r"(?:ubnd|uy|ban|nhan|dan|cac|tat|ca|va|cap|tinh|toan|tren|dia|thuoc|trong|thanh|pho|thi|xa|tran|quan|huyen|phuong"
    r"|dac|khu|so|nganh|doan|the|lanh|dao|thu|truong|\d+)"
)
"""The words of a name that stands for all agencies of a kind; any other word narrows it («các sở, ngành liên quan»)."""
_ALIKE, _SAME_WORD = 0.5, 0.8
_EMPTY = frozenset({"va", "cac", "tinh", "cua", "cap", "tren", "dia", "ban"})


def lives_on(agency: AgencyEntry, day: date) -> bool:
    """Whether one of an agency's names is its name on a day."""
    return any(each.holds_on(day) for each in agency.names)


def kind_members(levels: Iterable[str], directory: DirectoryFile, on: date | None) -> list[str]:
    """The ids of all agencies of some levels that exist on a day, in the directory's order; without one, of all."""
    wanted = set(levels)
    return [each.id for each in directory.agencies if each.level in wanted and (on is None or lives_on(each, on))]


def kinds_in(name: str) -> tuple[str, ...]:
    """The levels of agencies that a general name stands for: «các sở, ban, ngành», «UBND các xã, phường»; () for the
    name of one agency."""
    plain = " ".join(re.sub(r"[^a-z0-9,; ]+", " ", fold(name)).split())
    if _SEVERAL.match(plain) is None:
        return ()
    words = re.sub(r"[,;]", "", plain)
    if "huyen" in (found := {level for level, pattern in _KINDS if pattern.search(words)}):
        rest = re.sub(r"\bthi xa\b", "", words)
        found -= {"xa"} if _KINDS[1][1].search(rest) is None else set()
    return tuple(sorted(found, key=level_rank))


def kind_choice(name: str, directory: DirectoryFile, on: date | None) -> str:
    """The choice of all agencies of the kinds that a name stands for; empty if there is none on that day."""
    here = [each for each in kinds_in(name) if kind_members([each], directory, on)]
    return KIND + "+".join(here) if here else ""


def speaks_of_all(name: str, directory: DirectoryFile) -> bool:
    """Whether nothing in a name of a kind narrows it to some of them."""
    words = re.findall(r"[a-z0-9]+", fold(name).removesuffix(fold(directory.name)))
    return all(_NEUTRAL.fullmatch(word) for word in words)


def offer(draft: PlanDraft, names: Iterable[tuple[str, bool]], directory: DirectoryFile, on: date | None) -> None:
    """Add names that the directory lacks (each with whether it stands for several), to be resolved once for all duties.
    A name of a kind stands for all of that kind unless somebody chooses otherwise."""
    known = {each.name for each in draft.unknown}
    for name, group in names:
        if name not in known:
            known.add(name)
            kind = "" if draft.of_another_province else kind_choice(name, directory, on)
            chosen = kind if kind and speaks_of_all(name, directory) else ""
            draft.unknown.append(UnknownName(name=name, group=group or bool(kind), chosen=chosen))


def matching_directory(draft: PlanDraft, directory: DirectoryFile) -> Directory:
    """The directory by which the names of a document are matched: none where it is another province's."""
    return NullDirectory() if draft.of_another_province else directory


def nearest(name: str, directory: DirectoryFile, on: date | None = None, most: int = 3) -> list[str]:
    """The names of the directory that are like a name, by their words: a rare word that both have weighs more than one
    that many have («Hiệp hội Doanh nghiệp» is not «Hội Nông dân»). The same name elsewhere comes first."""
    there = {each.id for each in directory.agencies if on is None or lives_on(each, on)}
    names = {n: i for i, n in directory.latest_names.items() if i in there or i not in directory.by_id}
    same = directory.find(name)
    first = [each for each, agency in names.items() if same and agency == same][:1]
    weights = _weights(tuple(names))
    scored = [(_likeness(_words(name), _words(each), weights), each) for each in names]
    near = [each for score, each in sorted(scored, reverse=True)[:most] if score >= _ALIKE]
    return list(dict.fromkeys([*first, *near]))[:most]


@lru_cache(maxsize=4_096)
def _words(name: str) -> frozenset[str]:
    return frozenset(re.findall(r"[a-z0-9]+", fold(name))) - _EMPTY


@lru_cache(maxsize=8)
def _weights(names: tuple[str, ...]) -> dict[str, float]:
    """The weight of each word: the fewer names contain it, the higher."""
    counts = Counter(word for name in names for word in _words(name))
    return {word: log(1 + len(names) / count) for word, count in counts.items()}


def _likeness(ours: frozenset[str], theirs: frozenset[str], weights: dict[str, float]) -> float:
    """The weight of the words that two names share among that of all their words, 0 to 1."""
    most = max(weights.values(), default=1.0)
    pairs = {word: next((each for each in theirs if _is_word(word, each)), "") for word in ours}
    shared = sum(weights.get(other, most) for other in pairs.values() if other)
    alone = sum(weights.get(word, most) for word, other in pairs.items() if not other)
    missing = sum(weights.get(word, most) for word in theirs - set(pairs.values()))
    return shared / ((shared + alone + missing) or 1.0)


def _is_word(one: str, other: str) -> bool:
    """Whether two words are the same, allowing one mistyped letter in long ones."""
    if one == other:
        return True
    return min(len(one), len(other)) >= 4 and SequenceMatcher(None, one, other).ratio() > _SAME_WORD
