"""The result of an import: the plan as the document states it, every field with its place, and every doubt as a
warning. Frozen dataclasses only; no reading or guessing here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from engine.enums import complete
from engine.text import Text


@dataclass(frozen=True, order=True)
class Place:
    """Where something stands: ``line`` of the text (1-based; paragraph of a Word or web page), page of a PDF,
    table and row when it stands in one. 0 is "not there". ``order``: the block's place in the document, from 1."""

    line: int = 0
    page: int = 0
    table: int = 0
    row: int = 0
    order: int = field(default=0, compare=False)

    @property
    def key(self) -> tuple[int, int]:
        """The (block, row) by which the account knows it, in the document's order."""
        return self.order, self.row

    def __str__(self) -> str:
        parts = [("trang", self.page), ("bảng", self.table), ("hàng", self.row), ("dòng", self.line)]
        return ", ".join(f"{name} {number}" for name, number in parts if number) or "cả văn bản"


@dataclass(frozen=True)
class Found:
    """A text of the document and its place. Empty: the document does not state it."""

    text: str = ""
    place: Place = Place()

    def __bool__(self) -> bool:
        return bool(self.text)


class DeadlineKind(StrEnum):
    """The kind of a deadline: a last day, a period, a term, a repeating cycle, or a standing or ad hoc obligation."""

    DATE = "date"
    PERIOD = "period"
    TERM = "term"
    CYCLE = "cycle"
    STANDING = "standing"
    AD_HOC = "ad_hoc"


@dataclass(frozen=True, kw_only=True)
class Deadline:
    """Words about time, their sentence, and what can be read from them without guessing.

    ``days`` are the points named: ``2021-12-15``, ``--12-15`` without a year, ``---15`` without a month, ``2021-Q3``,
    ``2021-09``, ``2021``. ``before``: the day itself is not included («trước»). ``cadence``: ``periods.Cadence``.
    ``uncounted``: they return as no cadence does («10 ngày/lần»).
    """

    text: str
    kind: DeadlineKind
    sentence: str
    days: tuple[str, ...] = ()
    before: bool = False
    cadence: tuple[str, ...] = ()
    uncounted: bool = False


class Origin(StrEnum):
    """Where an item's owners were read. All but the first are a guess of the importer that a person confirms."""

    HEADING = "heading"
    SENTENCE = "sentence"
    BRACKET = "bracket"
    REGARDING = "regarding"
    POINT = "point"
    ABOVE = "above"


ORIGIN_WORDS: Mapping[Origin, Text] = complete(
    Origin,
    {
        Origin.SENTENCE: Text("cơ quan đọc trong câu", "agency read in a sentence"),
        Origin.BRACKET: Text("cơ quan đọc trong câu, ở trong ngoặc", "agency read in a sentence, in brackets"),
        Origin.REGARDING: Text("cơ quan đọc trong câu, sau «Đối với»", "agency read in a sentence, after “regarding”"),
        Origin.POINT: Text("cơ quan đọc trong câu, ở mục của cơ quan khác", "agency read in another agency's item"),
        Origin.ABOVE: Text("cơ quan đọc trong câu dẫn ở trên", "agency read in the sentence above"),
    },
    but=(Origin.HEADING,),
)
"""The remark beside owners that a person must confirm; none if the item's heading or a label names them."""


@dataclass(frozen=True)
class Owner:
    """A body that is given duties. ``name`` as written; ``agency`` the directory's id, empty if it knows none."""

    name: str
    agency: str = ""
    members: int = 1
    group: bool = False


@dataclass(frozen=True)
class Doubt:
    """Something missing, duplicated or doubtful. ``place`` is a citation or words like «dòng 12»; ``words``: the first
    of those that may be a duty."""

    code: str
    message: str
    place: str
    words: str = ""


@dataclass(frozen=True, kw_only=True)
class DutyText:
    """One duty, its words whole. ``lead`` only where the document says «chủ trì». ``details``: what labelled lines say
    of it beside this («Địa điểm: …»). ``doubts``: what a person has to confirm of its time."""

    citation: str
    text: str
    place: Place
    mark: str = ""
    lead: str = ""
    coordinating: tuple[str, ...] = ()
    monitor: str = ""
    product: str = ""
    deadlines: tuple[Deadline, ...] = ()
    reports_to: tuple[str, ...] = ()
    details: tuple[str, ...] = ()
    doubts: tuple[Doubt, ...] = ()


@dataclass(frozen=True, kw_only=True)
class ItemText:
    """One numbered entry and the bodies it names. ``no`` as printed. ``inline``: the entry itself is its only duty."""

    no: str
    owner: str
    owners: tuple[Owner, ...]
    duties: tuple[DutyText, ...]
    place: Place
    request: bool = False
    topic: str = ""
    inline: bool = False
    origin: Origin = Origin.HEADING


@dataclass(frozen=True)
class Instruction:
    """An instruction to everybody at the end of a plan («UBND tỉnh yêu cầu …»): not a duty of one owner. ``owners``:
    who is addressed, if stated."""

    text: str
    place: Place
    owners: tuple[Owner, ...] = ()
    deadlines: tuple[Deadline, ...] = ()
    reports_to: tuple[str, ...] = ()


class Use(StrEnum):
    """The use of a paragraph or table row. Each has exactly one."""

    HEAD = "head"
    HEADING = "heading"
    OWNER = "owner"
    DUTY = "duty"
    FACT = "fact"
    INSTRUCTION = "instruction"
    LEFT_OUT = "left_out"


@dataclass(frozen=True, kw_only=True)
class Accounted:
    """A paragraph or table row with its use. ``reason``: why it is left out. ``serious``: though it begins with a body,
    names a lead or a last day. ``owner``: the body that it begins with. ``section``: number and heading of the section
    around it. ``covers``: its (block, row) numbers. The text of a signature and of persons' names is not kept."""

    text: str
    place: Place
    use: Use
    citation: str = ""
    reason: str = ""
    serious: bool = False
    owner: str = ""
    section: tuple[str, str] = ("", "")
    covers: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True)
class SectionText:
    """A part of the document that gives duties. ``roman`` is its number as printed, whatever kind it is."""

    heading: str
    roman: str
    items: tuple[ItemText, ...]
    place: Place


@dataclass(frozen=True, kw_only=True)
class ImportedPlan:
    """A document as read. ``date`` is None unless day, month and year are all given. ``year``: the year that it plans,
    which is not always that of its issue; None where it names neither."""

    name: str
    number: Found
    date: date | None
    date_words: Found
    issuer: Found
    title: Found
    recipients: tuple[str, ...]
    sections: tuple[SectionText, ...]
    warnings: tuple[Doubt, ...] = ()
    instructions: tuple[Instruction, ...] = ()
    account: tuple[Accounted, ...] = ()
    year: int | None = None
    last_year: int | None = None

    @property
    def items(self) -> Iterator[ItemText]:
        return (item for section in self.sections for item in section.items)

    @property
    def duties(self) -> Iterator[DutyText]:
        return (duty for item in self.items for duty in item.duties)

    @property
    def left_out(self) -> tuple[Accounted, ...]:
        return tuple(each for each in self.account if each.use is Use.LEFT_OUT)
