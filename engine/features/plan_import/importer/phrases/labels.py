"""Lines that give one fact of a duty under a label: «Cơ quan chủ trì: …», «Thời gian hoàn thành: …».

The same labels, shorter, stand over the columns of duty tables; one table serves both.

Names that are known while a document is read: those of the office's directory, and in places those that the document
writes on lines of their own. They take precedence over the word tables in deciding where a name begins and ends.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache

from engine.rules.vietnamese import matching, spelled


class Label(StrEnum):
    """What a labelled line or a column holds."""

    NUMBER = "number"
    TASK = "task"
    LEAD = "lead"
    COORDINATING = "coordinating"
    MONITOR = "monitor"
    DEADLINE = "deadline"
    PRODUCT = "product"
    PERSON = "person"
    DETAIL = "detail"
    OTHER = "other"


_WHO = (
    "(?:các )?(?:(?:cơ quan|đơn vị|phòng|khoa|ban|bộ phận|sở|ngành|cá nhân|cấp|địa phương|tổ chức|lãnh đạo|trung tâm|"
    "trường|bệnh viện|công ty|doanh nghiệp|xã|phường|chi bộ|tổ|đội|nhóm|bên|nơi)"
    "(?:,| và| ?/)? ?){0,4}"
)
_WHAT = (
    "kinh phí|nguồn lực|nguồn vốn|đối tượng|chỉ tiêu|thành phần|tham dự|địa điểm|địa bàn|phương pháp|số lượng|quy mô"
)


def _table(rows: str, pattern: str) -> tuple[tuple[Label, re.Pattern[str]], ...]:
    """Rows «label  words» as patterns, in their order; ``who`` stands for the bodies that a label speaks of, ``what``
    for circumstances that are neither a time nor a body's part."""
    parts = (row.split(None, 1) for row in rows.replace("<who>", _WHO).replace("<what>", _WHAT).strip().splitlines())
    return tuple((Label(name), spelled(pattern.replace("<words>", words))) for name, words in parts)


_LINE = _table(
    """
coordinating  <who>(?:tham gia )?(?:phối hợp|cùng phối hợp|hỗ trợ|tham gia)(?: thực hiện| chính|, giám sát)?
monitor       <who>(?:(?:theo dõi|kiểm tra)(?:, đôn đốc)?|đôn đốc|giám sát|lãnh đạo (?:phụ trách|chỉ đạo))
lead          <who>(?:tham mưu,? (?:và )?)?(?:chủ trì|thực hiện|đầu mối|phụ trách)(?: thực hiện| tham mưu){0,2}
lead          <who>(?:chịu trách nhiệm|trách nhiệm thực hiện|phân công thực hiện|trách nhiệm|phân công|giao)
deadline      (?:thời gian|thời hạn|tiến độ|kỳ hạn|mốc thời gian|lộ trình)[^:.;()]{0,40}
deadline      (?:hoàn thành|hạn(?:,? (?:thực hiện|hoàn thành|báo cáo|xong|kết thúc))*)
product       (?:dự kiến )?(?:sản phẩm|kết quả|đầu ra|hình thức văn bản)[^:.;()]{0,30}
detail        (?:<what>|hình thức)[^:.;()]{0,30}
""",
    r"(?:<words>) ?(?:\([^()]{0,60}\))?(?: ?: |\s-\s+)",
)
_BETWEEN = re.compile(r"[.;]\s+(?=\w)|\((?=\w)")
_NEXT = re.compile(r"[.;,]\s+(?=\w)")

_COLUMN = _table(
    """
number        (?:stt|tt|số tt|số thứ tự|số|thứ tự|no)$
task          (?!.{0,60}(?:chủ trì|phân công|phối hợp))(?:tên |các )?(?:nội dung|nhiệm vụ|công việc|hoạt động)
task          (?!.{0,60}(?:chủ trì|phân công|phối hợp))(?:tên |các )?(?:đầu việc|giải pháp|việc)
person        (?:họ (?:và )?tên|người (?:thực hiện|phụ trách|chủ trì)|cán bộ|chuyên viên|công chức)
lead          .{0,30}chủ trì.{0,20}phối hợp
coordinating  .{0,40}phối hợp
monitor       .{0,30}(?:theo dõi|đôn đốc|giám sát|lãnh đạo|chỉ đạo|phụ trách chung)
deadline      .{0,25}(?:thời gian|thời hạn|tiến độ|kỳ hạn|mốc|lộ trình|hạn xử lý|ngày hoàn|hoàn thành)
product       .{0,30}(?:sản phẩm|kết quả|đầu ra|hình thức văn bản)
other         .{0,20}(?:<what>|ghi chú|đơn vị tính|mức độ|căn cứ)
lead          .{0,60}(?:chủ trì|đầu mối|trách nhiệm|phân công|phụ trách|thực hiện$|(?:người|đơn vị|cơ quan) thực hiện)
lead          (?:cơ quan|đơn vị) soạn thảo
lead          (?:tên )?(?:cơ quan|đơn vị|sở|phòng)(?:(?:,| ?/) ?(?:đơn vị|ban|ngành|địa phương))*$
task          .{0,40}(?:nội dung|nhiệm vụ|công việc|hoạt động|tên văn bản)
""",
    "<words>",
)


def label_of_line(text: str) -> tuple[Label, str] | None:
    """The label that a line begins with and what follows it, of a detail the whole; None if it begins with none."""
    plain = matching(text[:160])
    for label, pattern in _LINE:
        if found := pattern.match(plain):
            return label, text[0 if label is Label.DETAIL else found.end() :].strip()
    return None


def labels_in(text: str) -> list[tuple[Label, str]]:
    """The labels and values of a text that begins with a label: «Chủ trì: Sở A; phối hợp: Sở B. Thời gian: …»."""
    ends = [each.end() for each in _NEXT.finditer(text, text.find(":"))]
    cuts = [at for at in (0, *ends) if label_of_line(text[at:]) is not None]
    parts = [text[a:b] for a, b in zip(cuts, [*cuts[1:], len(text)], strict=True)] if cuts[:1] == [0] else []
    return [(label, value.strip(" .;,")) for label, value in filter(None, map(label_of_line, parts))]


def label_inside(text: str) -> int:
    """Where the labelled facts at the end of a text begin («Trồng cây. Đơn vị chủ trì: …»); -1 if it has none."""
    cuts = (each.end() for each in _BETWEEN.finditer(text))
    return next((at for at in cuts if label_of_line(text[at:]) is not None), -1)


def labels_at_end(text: str) -> dict[Label, str]:
    """What the labels at the end of a text say («Diễn tập. Thời gian: tháng 5. Chủ trì: …»); the first of a kind."""
    at = label_inside(text)
    return dict(reversed(labels_in(text[at:]))) if at >= 0 else {}


def product_in(text: str, labelled: str) -> str:
    """What a label or column says is a duty's output, else the end of its words («…. Sản phẩm: Quyết định của UBND
    tỉnh.»); the words stay."""
    if labelled:
        return labelled
    return labels_at_end(text).get(Label.PRODUCT, "") if "sản phẩm" in text.lower() else ""


@lru_cache(maxsize=4096)
def label_of_column(text: str) -> Label | None:
    """What the words over a column say that it holds; None for words that no table here knows."""
    if len(text) > 160:
        return None
    plain = re.sub(r"\s+", " ", matching(text)).strip(" :.-*")
    if not plain or len(plain) > 120:
        return None
    return next((label for label, pattern in _COLUMN if pattern.match(plain)), None)


def is_task_title(text: str) -> bool:
    """Whether a line only announces what is to be done: «Nội dung», «Nội dung, biện pháp»."""
    return len(text) < 60 and ":" not in text and label_of_column(text) is Label.TASK


_TOKEN = re.compile(r"[^\W_]+|[.;:()\n]")
_WRITTEN_OUT = {
    short: tuple(words.split())
    for short, words in (
        ("ubnd", "ủy ban nhân dân"),
        ("hđnd", "hội đồng nhân dân"),
        ("mttq", "mặt trận tổ quốc"),
        ("tp", "thành phố"),
    )
}


@dataclass(slots=True)
class _Branch:
    """The words that may follow those that led here. ``ends``: they are a name."""

    following: dict[str, _Branch] = field(default_factory=dict)
    ends: bool = False


_NOWHERE = _Branch()


class KnownNames:
    """A trie of names by words, so that a lookup takes as many steps as the name has words. Punctuation between words
    is ignored («Lao động-Thương binh»), nor is whether «UBND» is written out."""

    def __init__(self, names: Iterable[str] = (), others: KnownNames | None = None) -> None:
        """``others``: names that are known, too."""
        self._others = others
        self._first = _Branch()
        for name in names:
            branch = self._first
            for word in _words(matching(name), 0):
                for each in _WRITTEN_OUT.get(word.group(), (word.group(),)):
                    branch = branch.following.setdefault(each, _Branch())
            branch.ends = branch is not self._first

    def end(self, plain: str, at: int) -> int | None:
        """Where the longest known name at a place of a text in its spelling for matching ends; None for no name."""
        branch, end = self._first, self._others.end(plain, at) if self._others else None
        for word in _words(plain, at):
            for each in _WRITTEN_OUT.get(word.group(), (word.group(),)):
                branch = branch.following.get(each, _NOWHERE)
            if branch is _NOWHERE:
                break
            end = max(end or 0, word.end()) if branch.ends else end
        return end


def _words(plain: str, at: int) -> Iterator[re.Match[str]]:
    """The words of a text from a place on, up to a sign that no name holds."""
    for word in _TOKEN.finditer(plain, at):
        if not word.group()[0].isalnum():
            return
        yield word


_NONE = KnownNames()
_KNOWN: ContextVar[KnownNames] = ContextVar("known", default=_NONE)


def known_names() -> KnownNames:
    """Those of the document that is read."""
    return _KNOWN.get()


@lru_cache(maxsize=8)
def _set_out(names: frozenset[str], others: KnownNames) -> KnownNames:
    """Kept, since a review asks for the same directory line by line, and that of a province takes a twentieth of a
    second."""
    return KnownNames(names, others)


@contextmanager
def knowing(names: Iterable[str]) -> Iterator[None]:
    """Within it these names are known, too."""
    before = _KNOWN.set(_set_out(frozenset(names), known_names()))
    try:
        yield
    finally:
        _KNOWN.reset(before)
