"""Automatic numbers and bullets of a Word document: what Word shows before a paragraph is not in its text.

Reads ``word/numbering.xml`` (ECMA-376 part 1, 17.9) and counts as Word does: a level restarts after a higher one.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import NamedTuple

from lxml.etree import _Element  # the type of a parsed element; lxml gives it no public name

W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_ROMAN = {1000: "M", 900: "CM", 500: "D", 400: "CD", 100: "C", 90: "XC", 50: "L", 40: "XL", 10: "X", 9: "IX"}
_ROMAN |= {5: "V", 4: "IV", 1: "I"}


def roman(number: int) -> str:
    """4 → IV. Empty for numbers below 1."""
    found = ""
    for value, letters in _ROMAN.items():
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
    "none": lambda _: "",
}
_BULLETS = {"-": "-", "–": "-", "—": "-", "\uf02d": "-", "+": "+", "*": "*"}


class _Level(NamedTuple):
    shape: str
    text: str
    start: int


class Numbering:
    """The lists that a parsed ``numbering.xml`` declares, if there is one; counts as paragraphs are read in order."""

    def __init__(self, root: _Element | None) -> None:
        abstracts, lists = (root.findall(W + name) if root is not None else () for name in ("abstractNum", "num"))
        self._levels = {
            (str(abstract.get(f"{W}abstractNumId")), whole(level.get(f"{W}ilvl"))): _Level(
                value(level, "numFmt", "decimal"), value(level, "lvlText"), whole(value(level, "start"), 1)
            )
            for abstract in abstracts
            for level in abstract.findall(f"{W}lvl")
        }
        self._abstracts = {str(each.get(f"{W}numId")): value(each, "abstractNumId") for each in lists}
        self._restarts = {
            (str(each.get(f"{W}numId")), whole(change.get(f"{W}ilvl"))): whole(value(change, "startOverride"), 1)
            for each in lists
            for change in each.findall(f"{W}lvlOverride")
            if change.find(f"{W}startOverride") is not None
        }
        self._counts: dict[str, dict[int, int]] = defaultdict(dict)

    def label(self, list_id: str, depth: int) -> str:
        """What stands before the next paragraph of a list at a depth; empty if nothing does."""
        abstract = self._abstracts.get(list_id, "")
        level = self._levels.get((abstract, depth))
        if level is None:
            return ""
        if level.shape == "bullet":
            return _BULLETS.get(level.text.strip(), "•")
        counts = self._counts[abstract]
        following = counts.get(depth, level.start - 1) + 1
        counts[depth] = self._restarts.pop((list_id, depth), following)  # a restart holds once
        for deeper in [each for each in counts if each > depth]:
            del counts[deeper]
        return re.sub(r"%(\d)", lambda found: self._number(abstract, int(found[1]) - 1), level.text).strip()

    def _number(self, abstract: str, depth: int) -> str:
        level = self._levels.get((abstract, depth))
        if level is None:
            return ""
        return SHAPES.get(level.shape, str)(self._counts[abstract].get(depth, level.start))


def value(element: _Element | None, name: str, otherwise: str = "") -> str:
    """The ``w:val`` of an element's child; ``otherwise`` where there is no such child."""
    found = element.find(f"{W}{name}") if element is not None else None
    return str(found.get(f"{W}val") or "") if found is not None else otherwise


def whole(text: str | None, otherwise: int = 0) -> int:
    """The number that an attribute holds; ``otherwise`` where it holds none of up to six digits."""
    return int(text) if text and re.fullmatch(r"\d{1,6}", text) else otherwise
