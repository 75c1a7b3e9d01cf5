"""What stands before a paragraph: «IV.», «1.2.», «a)», «(1)», «-», «+», «*», «Điều 3.», «Phụ lục II».

Pure; one table of patterns, tried in order. Recognition errors such as «lV.» or «Ill.» are read as what they stand for.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum

from engine.importer.vietnamese import is_capital, matching


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


@dataclass(frozen=True)
class Mark:
    """``label`` as printed without its sign; ``value`` its place in its row (0: it has none); ``depth`` 2 for «1.2»;
    ``length`` how much of the paragraph it takes."""

    rank: Rank
    label: str
    value: int
    length: int
    depth: int = 1


_ROMAN_VALUES = {"I": 1, "V": 5, "X": 10}


def roman_value(text: str) -> int:
    """IV → 4; 0 for what is no Roman number up to 39."""
    total = 0
    for here, after in zip(text, f"{text} "[1:], strict=True):
        value = _ROMAN_VALUES.get(here, 0)
        total += -value if value < _ROMAN_VALUES.get(after, 0) else value
    return total if re.fullmatch(r"X{0,3}(?:IX|IV|V?I{0,3})", text) else 0


_ANNEX = re.compile(
    r"(?:phụ\s*lục|phụ\s*biểu|biểu\s*(?:số|mẫu))(?!\w)\s*(?:số\s*)?(?P<label>[ivx]{1,4}|\d{1,2}[a-z]?|[a-z])?(?!\w)[.:)]?\s*"
)
_PART = re.compile(
    r"(?:phần|chương|mục)\s+(?:thứ\s+)?(?P<label>[ivx]{1,5}|\d{1,2}|nhất|hai|ba|tư|bốn|năm|sáu)(?!\w)\s*[.:)-]?\s*"
)
_ARTICLE = re.compile(r"điều\s+(?P<label>\d{1,3})(?!\w)\s*[.:)]?\s*(?!\d)")
_ROMAN = re.compile(r"(?P<label>[IVX]{1,6})(?:\s*(?:[.):]|/(?![a-z]))\s*[-–]?\s*|\s*[-–]\s+)(?=\S|$)")
_ROMAN_BARE = re.compile(r"(?P<label>[IVX]{2,6})\s+(?=[A-ZĐÀ-Ỹ]{2})")
_ROMAN_MISREAD = re.compile(r"(?P<label>[IVXl1|]{1,5})\s*[.)/]\s*(?=[^\W\d_])")
_CAPITAL = re.compile(r"(?P<label>[A-HK-UĐ])\s*[.)/]\s+(?=[A-ZĐÀ-Ỹ])")
_NUMBER = re.compile(
    r"(?P<label>\d{1,3}(?:\.\d{1,2}){0,3})(?:\s*(?:[.)/:](?!\d)\s*[-–]?|[-–](?=\s))\s*|\s+(?=[A-ZĐÀ-Ỹ])(?<=\.\d\s)|(?<=\.\d\d)\s+(?=[A-ZĐÀ-Ỹ]))(?=\S|$)"
)
_LETTER = re.compile(r"(?P<label>[a-zđăâêôơư])\s*(?:\)|/(?=\s)|\.(?=\s))\s*[-–]?\s*(?=\S|$)")
_BRACKET = re.compile(r"\(\s*(?P<label>\d{1,2}|[a-zđ]|[ivx]{2,4})\s*\)\s*(?=\S|$)")
_BULLETS = (
    (Rank.DASH, re.compile(r"[-–—−‒‑\uf02d]\s*(?=[^\s\-–—])")),
    (Rank.PLUS, re.compile(r"\+\s*(?=\S)")),
    (
        Rank.STAR,
        re.compile(r"(?:[*•●▪■♦◆◊○◦·►▶➢➤✓✔⁃§¤\uf0b7\uf0a7\uf0d8\uf076\uf0fc\uf0a8]\s*|o\s+(?=[A-ZĐÀ-Ỹ]))(?=[^\s*])"),
    ),
)


def mark_of(text: str) -> Mark | None:
    """The mark that a paragraph begins with, None if it has none."""
    for attempt in _ATTEMPTS:
        found = attempt(text)
        if found is not None:
            return found
    return None


def body_of(text: str) -> str:
    """A paragraph's text without its mark."""
    mark = mark_of(text)
    return text[mark.length :] if mark else text


_ORDINALS = {"nhất": "I", "hai": "II", "ba": "III", "tư": "IV", "bốn": "IV", "năm": "V", "sáu": "VI"}


def _named(text: str) -> Mark | None:
    """«Phụ lục II», «Phần thứ nhất», «Điều 3.»: said in words."""
    plain = matching(text[:60])
    for rank, pattern in ((Rank.ANNEX, _ANNEX), (Rank.PART, _PART), (Rank.PART, _ARTICLE)):
        found = pattern.match(plain)
        if found and (rank is not Rank.ANNEX or _titled(text, found.end())) and text[0].isupper():
            label = _ORDINALS.get(found["label"] or "", (found["label"] or "").upper())
            value = int(label) if label.isdigit() else roman_value(label)
            shown = f"Điều {label}" if pattern is _ARTICLE else label
            if pattern is _PART and not (is_capital(text) or value or len(text) < 80):
                return None
            return Mark(rank, shown, value, found.end())
    return None


def _titled(text: str, end: int) -> bool:
    """An annex is a title: alone, in capitals, or with a sign after it; «Phụ lục kèm theo …» in a sentence is not."""
    said = text[:end].rstrip()
    return end >= len(text) or is_capital(text) or said[-1] in ".:" or is_capital(said)


def _roman(text: str) -> Mark | None:
    found = _ROMAN.match(text) or _ROMAN_BARE.match(text)
    if found:
        value = roman_value(found["label"])
        return Mark(Rank.ROMAN, found["label"], value, found.end()) if value else None
    found = _ROMAN_MISREAD.match(text)
    if found and not found["label"].isdigit() and (len(found["label"]) > 1 or is_capital(text[found.end() :])):
        label = re.sub(r"[l1|]", "I", found["label"])
        value = roman_value(label)
        return Mark(Rank.ROMAN, label, value, found.end()) if value else None
    return None


def _capital(text: str) -> Mark | None:
    found = _CAPITAL.match(text)
    if found is None:
        return None
    return Mark(Rank.CAPITAL, found["label"], LETTERS.upper().find(found["label"]) + 1, found.end())


def _number(text: str) -> Mark | None:
    found = _NUMBER.match(text)
    if found is None:
        return None
    parts = [int(part) for part in found["label"].split(".")]
    if parts[0] > 150 or (
        found.end() < len(text) and text[found.end()].isdigit() and not text[found.end() - 1].isspace()
    ):
        return None
    return Mark(Rank.NUMBER, found["label"].lstrip("0") or "0", parts[-1], found.end(), len(parts))


def _letter(text: str) -> Mark | None:
    found = _LETTER.match(text)
    return Mark(Rank.LETTER, found["label"], LETTERS.find(found["label"]) + 1, found.end()) if found else None


def _bracket(text: str) -> Mark | None:
    found = _BRACKET.match(text)
    if found is None:
        return None
    label = found["label"]
    value = (
        int(label) if label.isdigit() else LETTERS.find(label) + 1 if len(label) == 1 else roman_value(label.upper())
    )
    return Mark(Rank.BRACKET, label, value, found.end())


def _bullet(text: str) -> Mark | None:
    for rank, pattern in _BULLETS:
        found = pattern.match(text)
        if found:
            return Mark(rank, text[0], 0, found.end())
    return None


_ATTEMPTS: tuple[Callable[[str], Mark | None], ...] = (_named, _roman, _capital, _number, _letter, _bracket, _bullet)
