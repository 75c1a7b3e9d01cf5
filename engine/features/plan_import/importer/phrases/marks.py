"""What stands before a paragraph: «IV.», «1.2.», «a)», «(1)», «-», «+», «*», «Điều 3.», «Phụ lục II».

Pure; one table of patterns, tried in order. Recognition errors such as «lV.», «Ill.» or «HI.» are read as what they
stand for.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from enum import IntEnum
from functools import lru_cache

from engine.rules.vietnamese import is_capital, matching


class Rank(IntEnum):
    """Kinds of marks; the first five always enclose the later ones, the others nest in the order they are met."""

    ANNEX = 0
    PART = 1
    CAPITAL = 2
    ROMAN = 3
    NUMBER = 4
    LETTER = 10
    BRACKET = 11
    DASH = 12
    PLUS = 13
    STAR = 14


STRUCTURE = frozenset({Rank.ANNEX, Rank.PART, Rank.CAPITAL, Rank.ROMAN, Rank.NUMBER})
BULLETS = frozenset({Rank.DASH, Rank.PLUS, Rank.STAR})
LETTERS = "abcdđeghiklmnopqrstuvxy"


@dataclass(frozen=True, kw_only=True)
class Mark:
    """``label``: as printed, without punctuation; ``value``: its position in its sequence (0: none); ``depth``: 2 for
    «1.2»; ``length``: characters of the paragraph that it takes; ``misread``: recognised wrongly in a scan."""

    rank: Rank
    label: str
    value: int
    length: int
    depth: int = 1
    misread: bool = False


_ROMAN_VALUES = {"I": 1, "V": 5, "X": 10}


def roman_value(text: str) -> int:
    """IV → 4; 0 for what is no Roman number up to 39."""
    total = 0
    for here, after in zip(text, f"{text} "[1:], strict=True):
        value = _ROMAN_VALUES.get(here, 0)
        total += -value if value < _ROMAN_VALUES.get(after, 0) else value
    return total if re.fullmatch(r"X{0,3}(?:IX|IV|V?I{0,3})", text) else 0


_ORDINALS = {"nhất": "I", "hai": "II", "ba": "III", "tư": "IV", "bốn": "IV", "năm": "V", "sáu": "VI"}
_ANNEX = re.compile(
    r"(?:phụ\s*lục|phụ\s*biểu|biểu\s*(?:số|mẫu))(?!\w)\s*(?:số\s*)?(?P<label>[ivx]{1,4}|\d{1,2}[a-z]?|[a-z])?(?!\w)[.:)]?\s*"
)
_PART = re.compile(
    r"(?:phần|chương|mục)\s+(?:thứ\s+)?(?P<label>[ivx]{1,5}|\d{1,2}|nhất|hai|ba|tư|bốn|năm|sáu)(?!\w)\s*[.:)-]?\s*"
)
_ARTICLE = re.compile(r"điều\s+(?P<label>\d{1,3})(?!\w)\s*[.:)]?\s*(?!\d)")
_MISREAD = re.compile(r"(?P<label>[IVXl1|]{1,5}|H[Il|]|[Il|]H)\s*[.)/]\s*(?=[^\W\d_])")
_SHAPES = (
    (Rank.NUMBER, re.compile(r"(?P<label>[IVX]{1,5}(?:\.\d{1,2}){1,3})(?:\s*[.)/:]\s*|\s+)(?=[^\W\d_])")),
    (Rank.ROMAN, re.compile(r"(?P<label>[IVX]{1,6})(?:\s*(?:[.):]|/(?![a-z]))\s*[-–]?\s*|\s*[-–]\s+)(?=\S|$)")),
    (Rank.ROMAN, re.compile(r"(?P<label>[IVX]{2,6})\s+(?=[A-ZĐÀ-Ỹ]{2})")),
    (Rank.CAPITAL, re.compile(r"(?P<label>[A-HK-UĐ])\s*[.)/]\s+(?=[A-ZĐÀ-Ỹ])")),
    (Rank.NUMBER, re.compile(r"(?P<label>\d{1,3}(?:\.\d{1,2}){1,2}\.[a-zđ])\s*[.)]\s*(?=\S|$)")),
    (
        Rank.NUMBER,
        re.compile(
            r"(?P<label>\d{1,3}(?:\.\d{1,2}){0,3})(?:\s*[.)/:](?!\d)\s*[-–]?|\s*[-–](?=\s))(?:\s+(?=\S)|(?=\D)|$)"
        ),
    ),
    (Rank.NUMBER, re.compile(r"(?P<label>\d{1,3}(?:\.\d{1,2}){1,3})\s+(?=[A-ZĐÀ-Ỹ])")),
    (Rank.LETTER, re.compile(r"(?P<label>[a-zđăâêôơư])(?:\s*(?:\)|/(?=\s)|\.(?=\s))|[-–,](?=\s))\s*[-–]?\s*(?=\S|$)")),
    (Rank.BRACKET, re.compile(r"\(\s*(?P<label>\d{1,2}|[a-zđ]|[ivx]{2,4})\s*\)\s*(?=\S|$)")),
    (Rank.DASH, re.compile(r"(?P<label>[-–—−‒‑~\uf02d])\s*(?=[^\s\-–—~])")),
    (Rank.PLUS, re.compile(r"(?P<label>\+)\s*(?=\S)")),
    (Rank.STAR, re.compile(r"(?P<label>[*•●▪■♦◆◊○◦·►▶➢➤✓✔⁃§¤\uf0b7\uf0a7\uf0d8\uf076\uf0fc\uf0a8])\s*(?=[^\s*])")),
    (Rank.STAR, re.compile(r"(?P<label>o)\s+(?=[A-ZĐÀ-Ỹ])")),
)


@lru_cache(maxsize=2048)
def mark_of(text: str) -> Mark | None:
    """The mark that a paragraph begins with, None if it has none."""
    if named := _named(text):
        return named
    found = _MISREAD.match(text)
    if found and _is_misread(found["label"], text[found.end() :]):
        label = re.sub(r"[l1|]", "I", found["label"]).replace("H", "II")
        mark = _mark(Rank.ROMAN, label, found.end())
        return mark and replace(mark, misread=label != found["label"])
    shapes = ((rank, pattern.match(text)) for rank, pattern in _SHAPES)
    return next((_mark(rank, found["label"], found.end()) for rank, found in shapes if found), None)


def _is_misread(label: str, rest: str) -> bool:
    """Whether a label is a Roman number that a scan may have misread: several letters, or one before capitals."""
    return not label.isdigit() and (len(label) > 1 or is_capital(rest))


def _mark(rank: Rank, label: str, length: int) -> Mark | None:
    parts = label.split(".")
    value = _value(rank, label)
    roman = roman_value(parts[0]) > 0 and len(parts) > 1  # «II.1» stands under «II» as «1» does
    if (rank is Rank.ROMAN and not value) or (rank is Rank.NUMBER and not roman and int(parts[0]) > 150):
        return None
    label = (label.lstrip("0") or "0") if rank is Rank.NUMBER else label
    return Mark(rank=rank, label=label, value=value, length=length, depth=len(parts) - roman)


def _value(rank: Rank, label: str) -> int:
    """The place of a label in its row: a number, a Roman one, a letter; 0 for none."""
    last = label.rpartition(".")[2]
    if last.isdigit() and int(last):
        return int(last)
    if rank is Rank.ROMAN or len(label) > 1:
        return roman_value(label.upper())
    return 0 if rank in BULLETS else LETTERS.find(label.lower()) + 1


def body_of(text: str) -> str:
    """A paragraph's text without its mark."""
    mark = mark_of(text)
    return text[mark.length :] if mark else text


def lines_of(text: str) -> list[str]:
    """The lines of a text, each without its mark."""
    return [body_of(line.strip()) for line in text.split("\n")]


def is_step(text: str) -> bool:
    """Whether a line without a mark is the heading of a step: «Giai đoạn 2: Thí điểm (từ tháng 9)»."""
    return len(text) < 200 and _STEP.match(text) is not None


_STEP = re.compile(r"(?:giai đoạn|bước|đợt|chặng)\s+(?:\d{1,2}|[ivx]{1,4})\s*[:(]", re.IGNORECASE)


def _named(text: str) -> Mark | None:
    """«Phụ lục II», «Phần thứ nhất», «Điều 3.»: said in words."""
    plain = matching(text[:60])
    for rank, pattern in ((Rank.ANNEX, _ANNEX), (Rank.PART, _PART), (Rank.PART, _ARTICLE)):
        found = pattern.match(plain)
        if found and text[0].isupper() and (rank is not Rank.ANNEX or _titled(text, found.end())):
            label = _ORDINALS.get(found["label"] or "", (found["label"] or "").upper())
            value = int(label) if label.isdigit() else roman_value(label)
            return Mark(
                rank=rank, label=f"Điều {label}" if pattern is _ARTICLE else label, value=value, length=found.end()
            )
    return None


def _titled(text: str, end: int) -> bool:
    """An annex is a title: alone, in capitals, or with a sign after it; «Phụ lục kèm theo …» in a sentence is not."""
    said = text[:end].rstrip()
    return end >= len(text) or is_capital(text) or said[-1] in ".:" or is_capital(said)
