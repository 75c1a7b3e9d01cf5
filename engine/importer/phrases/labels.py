"""Lines that give one fact of a duty under a label: «Cơ quan chủ trì: …», «Thời gian hoàn thành: …».

The same labels, shorter, stand over the columns of duty tables; one table serves both.
"""

from __future__ import annotations

import re
from enum import StrEnum
from functools import lru_cache

from engine.importer.vietnamese import matching, phrase


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
    OTHER = "other"


_WHO = (
    r"(?:các )?(?:(?:cơ quan|đơn vị|phòng|ban|bộ phận|sở|ngành|cá nhân|cấp|địa phương|tổ chức|lãnh đạo)"
    r"(?:,| và| ?/)? ?){0,4}"
)
_LINES = (
    (
        Label.COORDINATING,
        _WHO + r"(?:tham gia )?(?:phối hợp|cùng phối hợp|hỗ trợ|tham gia)(?: thực hiện| chính|, giám sát)?",
    ),
    (
        Label.MONITOR,
        _WHO + r"(?:theo dõi|đôn đốc|giám sát|theo dõi, đôn đốc|kiểm tra, đôn đốc|"
        r"lãnh đạo phụ trách|lãnh đạo chỉ đạo)",
    ),
    (
        Label.LEAD,
        _WHO + r"(?:tham mưu,? (?:và )?)?(?:chủ trì|thực hiện|đầu mối|chịu trách nhiệm|phụ trách|"
        r"trách nhiệm thực hiện)"
        r"(?: thực hiện| tham mưu)?",
    ),
    (Label.LEAD, r"(?:trách nhiệm|phân công|phân công thực hiện|giao)"),
    (
        Label.DEADLINE,
        r"(?:(?:thời gian|thời hạn|tiến độ|kỳ hạn|mốc thời gian|lộ trình)[^:.;()]{0,40}|"
        r"hoàn thành|hạn(?:,? (?:thực hiện|hoàn thành|báo cáo|xong|kết thúc))*)",
    ),
    (
        Label.PRODUCT,
        r"(?:dự kiến )?(?:sản phẩm|kết quả|đầu ra|hình thức văn bản|sản phẩm đầu ra|kết quả đầu ra|"
        r"sản phẩm, kết quả)"
        r"(?: (?:đầu ra|dự kiến|đạt được|hoàn thành|cần đạt|thực hiện))*",
    ),
)
_LINE = tuple(
    (label, re.compile(phrase(rf"(?P<label>{pattern}) ?(?:\([^()]{{0,60}}\))?(?: ?: |\s-\s+)")))
    for label, pattern in _LINES
)
_BETWEEN = re.compile(r"[.;]\s+(?=\w)")
_NEXT = re.compile(r"[.;,]\s+(?=\w)")

_COLUMNS = (
    (Label.NUMBER, r"(?:stt|tt|số tt|số thứ tự|số|thứ tự|no)$"),
    (
        Label.TASK,
        r"(?:tên |các )?(?:nội dung|nhiệm vụ|công việc|hoạt động|đầu việc|giải pháp|"
        r"việc)(?!.{0,40}(?:chủ trì|phân công|phối hợp))",
    ),
    (Label.PERSON, r"(?:họ (?:và )?tên|người (?:thực hiện|phụ trách|chủ trì)|cán bộ|chuyên viên|công chức)"),
    (Label.LEAD, r".{0,30}chủ trì.{0,20}phối hợp"),
    (Label.COORDINATING, r".{0,40}phối hợp"),
    (Label.MONITOR, r".{0,30}(?:theo dõi|đôn đốc|giám sát|lãnh đạo|chỉ đạo|phụ trách chung)"),
    (
        Label.DEADLINE,
        r".{0,25}(?:thời gian|thời hạn|tiến độ|hạn hoàn thành|kỳ hạn|mốc|lộ trình|hạn xử lý|"
        r"ngày hoàn|hoàn thành)",
    ),
    (Label.PRODUCT, r".{0,30}(?:sản phẩm|kết quả|đầu ra|hình thức văn bản)"),
    (
        Label.OTHER,
        r".{0,20}(?:ghi chú|kinh phí|nguồn lực|nguồn vốn|đối tượng|thành phần|tham dự|địa điểm|phương pháp|số lượng|"
        r"đơn vị tính|chỉ tiêu|mức độ|căn cứ)",
    ),
    (
        Label.LEAD,
        r".{0,60}(?:chủ trì|đầu mối|trách nhiệm|phân công|phụ trách|thực hiện$|người thực hiện|"
        r"đơn vị thực hiện|cơ quan thực hiện)",
    ),
    (
        Label.LEAD,
        r"(?:tên )?(?:cơ quan|đơn vị|cơ quan, đơn vị|sở, ngành|sở, ban, ngành|đơn vị, địa phương|"
        r"phòng, ban|cơ quan ?/ ?đơn vị)$",
    ),
    (Label.TASK, r".{0,40}(?:nội dung|nhiệm vụ|công việc|hoạt động|tên văn bản)"),
)
_COLUMN = tuple((label, re.compile(phrase(pattern))) for label, pattern in _COLUMNS)


def label_of_line(text: str) -> tuple[Label, str] | None:
    """The label that a line begins with and what follows it; None if it begins with none."""
    plain = matching(text[:160])
    for label, pattern in _LINE:
        found = pattern.match(plain)
        if found and found["label"].strip():
            return label, text[found.end() :].strip()
    return None


def labels_in(text: str) -> list[tuple[Label, str]]:
    """The labels and values of a text that begins with a label: «Chủ trì: Sở A; phối hợp: Sở B. Thời gian: …»."""
    first = label_of_line(text)
    if first is None:
        return []
    cuts = [each.end() for each in _NEXT.finditer(text, text.find(":")) if label_of_line(text[each.end() :])]
    parts = [text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    return [(label, value.strip(" .;,")) for label, value in filter(None, map(label_of_line, parts))]


def label_inside(text: str) -> int:
    """Where the labelled facts at the end of a text begin («Trồng cây. Đơn vị chủ trì: …»); -1 if it has none."""
    cuts = (each.end() for each in _BETWEEN.finditer(text))
    return next((at for at in cuts if label_of_line(text[at:]) is not None), -1)


def label_of_column(text: str) -> Label | None:
    """What the words over a column say that it holds; None for words that no table here knows."""
    return _column_label(text) if len(text) <= 160 else None


@lru_cache(maxsize=4096)
def _column_label(text: str) -> Label | None:
    plain = re.sub(r"\s+", " ", matching(text)).strip(" :.-*")
    if not plain or len(plain) > 120:
        return None
    return next((label for label, pattern in _COLUMN if pattern.match(plain)), None)
