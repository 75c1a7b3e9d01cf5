"""Automatic numbers and bullets of a Word document: what Word shows before a paragraph is not in its text.

Reads ``word/numbering.xml`` (ECMA-376 part 1, 17.9) and counts as Word does: a level restarts after a higher one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_VALUES = (1000, 900, 500, 400, 100, 90, 50, 40, 10, 9, 5, 4, 1)
_ROMAN = tuple(zip(_VALUES, ["M", "CM", "D", "CD", "C", "XC", "L", "XL", "X", "IX", "V", "IV", "I"], strict=True))


def roman(number: int) -> str:
    """4 → IV. Empty for numbers below 1."""
    found = ""
    for value, letters in _ROMAN:
        while number >= value and len(found) < 20:
            found, number = found + letters, number - value
    return found


def _letter(number: int) -> str:
    return chr(ord("a") + (number - 1) % 26) * ((number - 1) // 26 + 1) if 0 < number < 1000 else ""


SHAPES: Mapping[str, Callable[[int], str]] = {
    "decimal": str,
    "decimalZero": lambda n: f"{n:02d}",
    "upperRoman": roman,
    "lowerRoman": lambda n: roman(n).lower(),
    "upperLetter": lambda n: _letter(n).upper(),
    "lowerLetter": _letter,
}
_BULLETS = {"-": "-", "–": "-", "—": "-", "\uf02d": "-", "+": "+", "*": "*"}


@dataclass(frozen=True)
class Level:
    shape: str
    text: str
    start: int


@dataclass
class Numbering:
    """The lists of one document, counting as its paragraphs are read in order."""

    levels: Mapping[str, Mapping[int, Level]] = field(default_factory=dict)
    lists: Mapping[str, str] = field(default_factory=dict)
    restarts: Mapping[tuple[str, int], int] = field(default_factory=dict)
    _counts: dict[str, dict[int, int]] = field(default_factory=dict)
    _begun: set[tuple[str, int]] = field(default_factory=set)

    def label(self, list_id: str, depth: int) -> str:
        """What stands before the next paragraph of a list at a depth; empty if nothing does."""
        abstract = self.lists.get(list_id, "")
        level = self.levels.get(abstract, {}).get(depth)
        if level is None:
            return ""
        if level.shape == "bullet":
            return _BULLETS.get(level.text.strip(), "•")
        counts = self._counts.setdefault(abstract, {})
        self._count(list_id, depth, level, counts)
        return re.sub(r"%(\d)", lambda found: self._shown(abstract, int(found[1]) - 1, counts), level.text).strip()

    def _count(self, list_id: str, depth: int, level: Level, counts: dict[int, int]) -> None:
        restart = self.restarts.get((list_id, depth))
        if restart is not None and (list_id, depth) not in self._begun:
            self._begun.add((list_id, depth))
            counts[depth] = restart
        else:
            counts[depth] = counts.get(depth, level.start - 1) + 1
        for deeper in [each for each in counts if each > depth]:
            del counts[deeper]

    def _shown(self, abstract: str, depth: int, counts: dict[int, int]) -> str:
        level = self.levels[abstract].get(depth)
        if level is None:
            return ""
        number = counts.get(depth, level.start)
        return SHAPES.get(level.shape, str)(number) if level.shape != "none" else ""


def read_numbering(root: Any) -> Numbering:
    """The lists that a parsed ``numbering.xml`` declares (lxml elements are untyped)."""
    levels, lists, restarts = {}, {}, {}
    for abstract in root.findall(f"{W}abstractNum"):
        found = {_whole(each.get(f"{W}ilvl")): _level(each) for each in abstract.findall(f"{W}lvl")}
        levels[str(abstract.get(f"{W}abstractNumId"))] = found
    for each in root.findall(f"{W}num"):
        list_id = str(each.get(f"{W}numId"))
        lists[list_id] = value(each, "abstractNumId")
        for change in each.findall(f"{W}lvlOverride"):
            if change.find(f"{W}startOverride") is not None:
                restarts[list_id, _whole(change.get(f"{W}ilvl"))] = _whole(value(change, "startOverride"), 1)
    return Numbering(levels, lists, restarts)


def value(element: Any, name: str, otherwise: str = "") -> str:
    """The ``w:val`` of an element's child; ``otherwise`` where there is no such child."""
    found = element.find(f"{W}{name}") if element is not None else None
    return str(found.get(f"{W}val") or "") if found is not None else otherwise


def _level(element: Any) -> Level:
    return Level(value(element, "numFmt", "decimal"), value(element, "lvlText"), _whole(value(element, "start"), 1))


def _whole(text: str | None, otherwise: int = 0) -> int:
    return int(text) if text and re.fullmatch(r"\d{1,6}", text) else otherwise
