"""Joins lines into paragraphs: text wrapped at any width, words broken over lines, bars of flattened tables. One pass
over the lines. Every line either continues the paragraph before it, begins one, or leaves a *seam*: a place where a new
paragraph may begin without a sign. How a line is read depends on how the text was wrapped, which is measured first.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from itertools import pairwise

from engine.features.plan_import.importer.base.model import Place
from engine.features.plan_import.importer.phrases import lexicon as say
from engine.features.plan_import.importer.phrases.agency_lists import speaks_to_all, unknown_label
from engine.features.plan_import.importer.phrases.labels import Label, label_of_line
from engine.features.plan_import.importer.phrases.marks import BULLETS, Mark, Rank, body_of, mark_of
from engine.features.plan_import.importer.phrases.name_words import opens_duty
from engine.features.plan_import.importer.phrases.owners import bodies_alone, owner_line
from engine.features.plan_import.importer.reading.pdf import BAR, Table, TextLine
from engine.features.plan_import.importer.reading.word import roman
from engine.rules.vietnamese import is_capital, matching, starts_small

_ENDED = re.compile(r"[.;:!?…]\s*[\"'”’»)\]]*$")
_QUOTED = re.compile(r"[\"”»]\s*$")
_LINE = r"[\s\-–—_=*.~·|+]"
_RULED = re.compile(rf"(?i){_LINE}*(?:{_LINE}{{2}}(?:page break|(?:page|trang) \d{{1,3}}){_LINE}{{2,}})?$")
_EXPECTS_MORE = re.compile(
    r"(?<!\w)(?:và|hoặc|với|của|các|cho|về|tại|theo|là|do|để|trong|đến|từ|(?<!trực )thuộc|việt|trưởng cục|giám đốc sở|"
    r"(?:của|với) ban)$"
    r"|[,\-–&/(]$"
)
_EXPECTS_NUMBER = re.compile(
    r"(?<!\w)(?<!hằng )(?<!hàng )(?<!mỗi )(?<!từng )"
    r"(?:điều|khoản|điểm|mục|tiết|tháng|ngày|năm|quý|số|lần|thứ|khóa|loại|nhóm|đội|lớp|từ|đến|khoảng|trên|dưới|"
    r"hơn|phần|chương|bảng|biểu|phụ lục|giai đoạn|đợt|tuần|cột|hàng|dòng|trang|nghị định|quyết định|luật)$"
)
_EXPECTS_LETTER = re.compile(r"(?<!\w)(?:điểm|khoản|mục|tiết|loại|nhóm|lớp|bảng|biểu|phụ lục|khối)$")
_END_OF_NAME = re.compile(
    r"[A-ZĐÀ-Ỹ][a-zà-ỹ]*(?: [A-ZĐÀ-Ỹ][a-zà-ỹ]*)?: "
)  # «Chi cục Thuế khu vực Bát Sơn - Na» «Lộc: …»
_GLUED_END = re.compile(r"[A-ZĐ0-9]{1,12}[-/]$")
_ACROSS = re.compile(r"(?<!\w)(\w{1,12}) [-–] (\w{1,12})(?!\w)")
_KNOWN_PAIRS = frozenset(pair for text in (*say.FIELDS, *say.WHOLE_NAMES) for pair in _ACROSS.findall(text))
_LONGEST_TITLE = 70
"""A longer line without final punctuation continues in the next, even if no other line shows how the text is
wrapped."""


@dataclass(frozen=True)
class Fact:
    """A labelled line of a duty: the label, its value, and the paragraph that it is."""

    label: Label
    value: str
    line: Paragraph


@dataclass(frozen=True, kw_only=True)
class Paragraph:
    """A paragraph with its mark still in ``text``. ``seams``: offsets where another may have begun; ``parted``: it
    may be part of the one before, whose last line is short. ``covers``: the (block, row) numbers of its lines.
    ``facts``: the labelled lines that follow it («Đơn vị chủ trì: …»)."""

    text: str
    place: Place
    mark: Mark | None = None
    seams: tuple[int, ...] = ()
    parted: bool = False
    covers: tuple[tuple[int, int], ...] = ()
    facts: tuple[Fact, ...] = ()

    @property
    def body(self) -> str:
        return self.text[self.mark.length :] if self.mark else self.text


@dataclass(frozen=True)
class Shape:
    """How a text was wrapped. ``width`` of full lines, 0 if lines are whole paragraphs; ``ragged``: lines
    that go on end much sooner, too, as in a text that was wrapped twice, so that a short line says nothing; whether
    breaks and blank lines of the format are true; ``pairs`` of words with a dash between."""

    width: int = 0
    ragged: bool = False
    opens: bool = True
    gaps: bool = True
    pairs: frozenset[tuple[str, str]] = frozenset()

    def trusts(self, line: TextLine) -> bool:
        """Whether the format says that a paragraph begins with a line, and says so truly."""
        return (line.opens and self.opens) or (line.gap and self.gaps)


def ended(text: str) -> bool:
    """Whether a text ends like a sentence or the entry of a list."""
    return _ENDED.search(text[-8:]) is not None or (
        len(text) > _LONGEST_TITLE and _QUOTED.search(text[-8:]) is not None
    )


def measured(lines: Sequence[TextLine]) -> Shape:
    """The shape of a text, from which lines visibly go on in the next one."""
    pairs = list(pairwise(lines))
    broken = [(a, b) for a, b in pairs if _visibly_goes_on(a.text, b.text)]
    width = _width(sorted(len(a.text) for a, _ in broken), len(pairs))
    across = frozenset(pair for line in lines for pair in _ACROSS.findall(matching(line.text)))
    return Shape(
        width=width,
        ragged=sum(len(a.text) < 0.6 * width for a, _ in broken) > 0.02 * len(broken),
        opens=_rare([b.opens for _, b in broken], [b.opens for _, b in pairs]),
        gaps=_rare([b.gap for _, b in broken], [b.gap for _, b in pairs]),
        pairs=across | _KNOWN_PAIRS,
    )


def _visibly_goes_on(text: str, following: str) -> bool:
    return not ended(text) and starts_small(following) and not mark_of(following)


def _width(broken: Sequence[int], lines: int) -> int:
    """How long full lines are by those that go on in the next, shortest first; 0 where these are too few."""
    return broken[int(0.9 * (len(broken) - 1))] if broken and len(broken) * 20 >= lines else 0


def _rare(broken: Sequence[bool], every: Sequence[bool]) -> bool:
    """Whether a sign of the format seldom stands before a line with which the one before goes on."""
    return sum(broken) <= max(2, 0.04 * sum(every))


class _Break(Enum):
    NONE = 0
    SEAM = 1
    SHORT = 2
    FULL = 3


@dataclass(kw_only=True)
class _Joiner:
    shape: Shape
    parts: list[str] = field(default_factory=list)
    seams: list[int] = field(default_factory=list)
    place: Place = field(default_factory=Place)
    last: TextLine | None = None
    length: int = 0
    counts: dict[tuple[Rank, int], int] = field(default_factory=dict)
    covers: list[tuple[int, int]] = field(default_factory=list)
    parted: bool = False

    def add(self, line: TextLine) -> Iterator[Paragraph]:
        """Takes a line; gives the paragraph that it ended, if it did."""
        mark = mark_of(line.text)
        how = self._break(line, mark, self.last.text) if self.last else _Break.FULL
        if how in (_Break.FULL, _Break.SHORT):
            yield from self.finish()
            self.parted = how is _Break.SHORT
            self.place = line.place
            if mark:
                self.counts[mark.rank, mark.depth] = mark.value
        elif how is _Break.SEAM:
            self.seams.append(self.length + 1)
        glued = self.last and _GLUED_END.search(self.last.text[-14:])  # «29/2014/QĐ-» and «TTg» are one word
        self.parts.append(line.text if glued or not self.parts else f" {line.text}")
        self.covers.append(line.place.key)
        self.length += len(self.parts[-1])
        self.last = line

    def finish(self) -> Iterator[Paragraph]:
        """The paragraph so far, if any; the next line starts another."""
        if text := "".join(self.parts):
            yield Paragraph(
                text=text,
                place=self.place,
                mark=mark_of(text),
                seams=tuple(self.seams),
                parted=self.parted,
                covers=tuple(self.covers),
            )
        self.parts, self.seams, self.covers, self.length, self.last = [], [], [], 0, None

    def _break(self, line: TextLine, mark: Mark | None, before: str) -> _Break:
        """How a line stands to the paragraph so far. ``before``: the line before it."""
        trusted = self.shape.trusts(line)
        if self._bare():
            return _Break.NONE if mark is None else _Break.FULL
        if not trusted and self._paired(mark, line, before):
            return _Break.NONE
        open_ = not ended(before) and not self._complete(line)
        if mark is not None:
            return _Break.FULL if not open_ or self._genuine(mark, line, before) else _Break.NONE
        if starts_small(line.text):
            return _Break.NONE if open_ or not trusted else _Break.FULL
        return self._before_capital(line, before, open_=open_, trusted=trusted)

    def _before_capital(self, line: TextLine, before: str, *, open_: bool, trusted: bool) -> _Break:
        """The same for a line with a capital. ``open_``: what stands before it has not ended; ``trusted``: the format
        says that a paragraph begins."""
        if label_of_line(line.text) or unknown_label(line.text) or (open_ and self._short(line.text, before)):
            return _Break.FULL
        if not trusted:
            return _Break.NONE if open_ else self._after_end(line, before)
        return _Break.NONE if open_ and _EXPECTS_MORE.search(matching(before[-20:])) else _Break.FULL

    def _short(self, text: str, before: str) -> bool:
        """Whether the line before is a title: it ends long before the width of the text, and the next has a capital."""
        title = is_capital(before) or is_capital(text)
        if self.shape.ragged or title or _EXPECTS_MORE.search(matching(before[-20:])):
            return False
        if self._goes_on(body_of("".join(self.parts)), text):
            return False
        return self._room(before, text) < (0.6 * self.shape.width or _LONGEST_TITLE)

    @staticmethod
    def _room(before: str, text: str) -> int:
        """How long a line would have been with the first word of the next."""
        return len(before) + 1 + len(text.split(" ", 1)[0])

    def _bare(self) -> bool:
        """Whether the paragraph is so far a number alone: «1.» on a line of its own."""
        text = self.parts[0] if len(self.parts) == 1 else ""
        mark = mark_of(text) if 0 < len(text) < 12 else None
        return mark is not None and mark.length >= len(text) and mark.rank is not Rank.ANNEX

    def _after_end(self, line: TextLine, before: str) -> _Break:
        """A line with a capital, after a line that ended: a new paragraph, or the next sentence?"""
        whole, width = "".join(self.parts), self.shape.width
        sure = not width or before.endswith(":") or speaks_to_all(line.text) or self._complete(line)
        sure = sure or (mark_of(whole) is None and _gives(whole) and _gives(line.text))
        if sure or line.place.page:
            return _Break.FULL
        short = not self.shape.ragged and self._room(before, line.text) < 0.6 * width
        return (_Break.FULL if mark_of(whole) else _Break.SHORT) if short else _Break.SEAM

    def _complete(self, line: TextLine) -> bool:
        """Whether the paragraph so far is a heading or names a body, and the line does not go on with it."""
        if self.length > 240 or starts_small(line.text):
            return False
        text = "".join(self.parts)
        mark, body, marked = mark_of(text), body_of(text), mark_of(line.text) is not None
        if self._expects(body, line.text):
            return False
        if is_capital(body):
            return not is_capital(line.text) or marked
        if mark is None or mark.rank in BULLETS:
            return False
        return say.DUTY_HEADING.fullmatch(matching(body)) is not None or self._is_title(body, line, marked=marked)

    @staticmethod
    def _expects(body: str, following: str) -> bool:
        """Whether a text ends in a word after which more must come, or the number with which a line begins."""
        ending = matching(body[-20:])
        if _EXPECTS_MORE.search(ending):
            return True
        number = following[:1] in "0123456789IVX" and _EXPECTS_NUMBER.search(ending) is not None
        return number and not is_capital(body)

    def _is_title(self, body: str, line: TextLine, *, marked: bool) -> bool:
        """Whether a numbered text is a body alone or a short title, and the line begins what stands below it."""
        opens = marked or opens_duty(line.text) or (not self.shape.width and _gives(line.text))
        if owner := owner_line(body, headed=opens):
            return owner.alone and (opens or not self._goes_on(body, line.text))
        return (marked or (opens and not self.shape.width)) and len(body) < 90

    @staticmethod
    def _goes_on(body: str, following: str) -> bool:
        """Whether a name goes on in the next line: with it, the line is names to its end («… Việt» «Nam tỉnh»)."""
        line = owner_line(f"{body} {following}")
        first, _, rest = following.partition(" ")  # «Phòng Giám định» «BHYT phân công …»
        short = first.isupper() and len(first) > 1 and not rest[:1].isupper()
        short = short or _END_OF_NAME.match(following) is not None
        return line is not None and (line.alone or (short and line.names[-1].end > len(body)))

    def _genuine(self, mark: Mark, line: TextLine, before: str) -> bool:
        """Whether a mark at the beginning of a line is one, although the line before has not ended."""
        rest = line.text[mark.length :]
        full = bool(self.shape.width) and len(before) >= 0.85 * self.shape.width
        own = mark_of("".join(self.parts))
        if own and mark.label == f"{own.label}.1":
            return True  # «2. Về dữ liệu số» «2.1. Tạo lập …»
        if not self._is_next(mark, line):
            return False
        if not self.shape.width and mark.rank is Rank.NUMBER and rest[:1].isupper():
            return True  # no line of the text goes on in the next
        if self._cites(mark, before):
            return bodies_alone(rest, headed=True) is not None
        return not (starts_small(rest) and full)

    def _is_next(self, mark: Mark, line: TextLine) -> bool:
        """Whether a number follows the last one of its kind: 1, the same again, or up to four more."""
        last = self.counts.get((mark.rank, mark.depth), 0)
        if mark.value <= 1 or last <= mark.value <= last + 4:
            return True
        return mark.rank is Rank.PART and line.text[: mark.length].rstrip().endswith(".")

    def _cites(self, mark: Mark, before: str) -> bool:
        """Whether the line before ends in a word that expects such a number («theo Điều» «5. …»)."""
        expects = _EXPECTS_LETTER if mark.rank in (Rank.LETTER, Rank.CAPITAL) else _EXPECTS_NUMBER
        expected = mark.rank not in BULLETS and expects.search(matching(before[-40:])) is not None
        return expected and not is_capital("".join(self.parts))

    def _paired(self, mark: Mark | None, line: TextLine, before: str) -> bool:
        """Whether a dash at the beginning of a line is the one inside a name («Lao động» «- Thương binh»)."""
        if mark is None or mark.rank is not Rank.DASH:
            return False
        left = re.search(r"\w+$", matching(before[-14:]))
        right = re.match(r"\w+", matching(line.text[mark.length :][:14]))
        if not left or not right:
            return False
        pair = (left.group(), right.group())
        return pair in self.shape.pairs or (pair[0].isdigit() and pair[1].isdigit())


def _gives(text: str) -> bool:
    """Whether a text begins with a body and goes on with its duty."""
    line = owner_line(text)
    return line is not None and not line.alone


_PAGE_NUMBER = re.compile(r"(?i)(?:[-–]\s*)?(?:trang\s*)?(?P<page>\d{1,3})(?:\s*/\s*\d{1,3})?(?:\s*[-–])?")


def is_furniture(text: str) -> bool:
    """Whether a line is a ruled line or a page number."""
    return _RULED.match(text) is not None or _PAGE_NUMBER.fullmatch(text) is not None


def _without_rules(blocks: Iterable[TextLine | Table]) -> Iterator[TextLine | Table]:
    """The blocks without ruled lines and without page numbers, which are numbers alone that go up one by one."""
    page, barred = 0, False
    for block in blocks:
        if isinstance(block, Table) or block.text == BAR:
            barred = True
            yield block
            continue
        number = _PAGE_NUMBER.fullmatch(block.text)
        if number and not barred and int(number["page"]) in ((page + 1,) if page else (1, 2, 3)):
            page = int(number["page"])
        elif not _RULED.match(block.text):
            yield block
        barred = False


def joined(blocks: Iterable[TextLine | Table]) -> Iterator[Paragraph | Table]:
    """The paragraphs of a document in order, tables left as they are. A Roman number that a scan misread and that
    stands twice («II.», later «Il.») has lost a stroke: it is the next one."""
    last = 0
    for block in _joined(blocks):
        if isinstance(block, Paragraph) and block.mark is not None and block.mark.rank <= Rank.ROMAN:
            mark = block.mark
            if mark.misread and mark.value == last:
                mark = replace(mark, label=roman(last + 1), value=last + 1)
                block = replace(block, mark=mark)
            last = mark.value if mark.rank is Rank.ROMAN else 0
        yield block


def _joined(blocks: Iterable[TextLine | Table]) -> Iterator[Paragraph | Table]:
    blocks = list(_without_rules(blocks))
    joiner = _Joiner(shape=measured([each for each in blocks if isinstance(each, TextLine)]))
    for block in blocks:
        if isinstance(block, TextLine) and block.text != BAR:
            yield from joiner.add(block)
        else:
            yield from joiner.finish()
        if isinstance(block, Table):
            yield block
    yield from joiner.finish()
