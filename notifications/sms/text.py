"""Text of SMS: conversion to GSM 7-bit, number of parts, shortening, sender name, cost estimate, subject words.

Pure. Used between the renderer and a gateway. Sources: 3GPP TS 23.038 §6.2.1 (the alphabet and its extension table)
and TS 23.040 §9.2.3.24.1 (each part of a longer message has 7 characters less, or 3 less with UCS-2).
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from engine.enums import complete
from engine.errors import BadInput
from engine.files.plan_parts import SUBJECT_WORDS
from engine.text import Text

MAX_PARTS = 2
"""Maximum parts of one letter: Vietnamese aggregators bill by the part."""
MAX_BRAND_CHARS = 11
"""Maximum length of an alphanumeric sender (TS 23.040 §9.1.2.5)."""

BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
EXTENSION = frozenset("\f^{}\\[~]|€")
"""Each counts as two characters: an escape and itself."""
_ASCII_FORMS = str.maketrans(
    {
        "đ": "d",
        "Đ": "D",
        "₫": "d",
        "`": "'",
        "´": "'",
        "‘": "'",
        "’": "'",
        "‚": "'",
        "‛": "'",
        "′": "'",
        "“": '"',
        "”": '"',
        "„": '"',
        "«": '"',
        "»": '"',
        "″": '"',
        "‐": "-",
        "‑": "-",
        "‒": "-",
        "–": "-",
        "—": "-",
        "―": "-",
        "−": "-",
        "•": "-",
        "·": "-",
        "→": "->",
        "×": "x",
        "⁄": "/",
        "Ø": "O",
        "ø": "o",
        "ß": "ss",
    }
)
_ENDING = {"vi": "… (còn nữa)", "en": "… (more)"}


class Coding(StrEnum):
    GSM7 = "gsm7"
    UCS2 = "ucs2"


_PART_CHARS = complete(Coding, {Coding.GSM7: (160, 153), Coding.UCS2: (70, 67)})
"""Characters in a message of one part, and in each part of a longer one."""


@dataclass(frozen=True, slots=True)
class Size:
    """Encoding of a text, the number of parts billed, and the characters left in the last part."""

    coding: Coding
    parts: int
    left: int


@dataclass(frozen=True, slots=True)
class Fitted:
    """A text that fits, its size, and whether it was shortened."""

    text: str
    size: Size
    cut: bool


def plain(text: str) -> str:
    """The text in ASCII without diacritics: «Đôn đốc – “gấp”» becomes ``Don doc - "gap"``.

    The result is always encoded in the GSM alphabet: 160 characters a part, not 70. Characters without an ASCII form
    (emoji, other scripts) become ``?``.
    """
    bare = _without_marks(unicodedata.normalize("NFKD", text.translate(_ASCII_FORMS)).translate(_ASCII_FORMS))
    return _tidy("".join(char if " " <= char <= "~" or char == "\n" else _other(char) for char in bare))


def _without_marks(decomposed: str) -> str:
    return "".join(char for char in decomposed if unicodedata.category(char) not in ("Mn", "Me", "Cf"))


def _with_marks(text: str) -> str:
    """The text with diacritics in NFC, without characters that cannot be encoded (lone surrogates)."""
    return _tidy(unicodedata.normalize("NFC", text).encode("utf-8", "replace").decode())


def _other(char: str) -> str:
    return " " if char.isspace() or unicodedata.category(char) == "Cc" else "?"


def _tidy(text: str) -> str:
    """Collapse whitespace and remove blank lines, since every character is billed."""
    lines = (" ".join(line.split()) for line in text.splitlines())
    return "\n".join(line for line in lines if line)


def measure(text: str) -> Size:
    """The parts a gateway bills. An escape and its character, or a surrogate pair, are never split, so a part may have
    one unused character at its end."""
    gsm = all(char in BASIC or char in EXTENSION for char in text)
    coding = Coding.GSM7 if gsm else Coding.UCS2
    widths = [1 + (char in EXTENSION if gsm else char > "\uffff") for char in text]
    single, each = _PART_CHARS[coding]
    if sum(widths) <= single:
        return Size(coding, 1 if text else 0, single - sum(widths))
    parts, left = 1, each
    for width in widths:
        if width > left:
            parts, left = parts + 1, each
        left -= width
    return Size(coding, parts, left)


def fit(text: str, *, marks: bool = False, language: str = "vi") -> Fitted:
    """Shorten the text at a word boundary until it fits ``MAX_PARTS``, and mark the cut («... (con nua)»). ``marks``
    keeps Vietnamese diacritics, at 70 characters a part."""
    shaped = _with_marks(text) if marks else plain(text)
    size = measure(shaped)
    if size.parts <= MAX_PARTS:
        return Fitted(shaped, size, cut=False)
    ending = _ENDING.get(language, _ENDING["en"])
    ending = plain(ending) if size.coding is Coding.GSM7 else ending

    def cut_at(stop: int) -> str:
        return shaped[:stop].rstrip() + ending

    def that_fit(stops: Sequence[int]) -> int:
        return bisect_right(stops, MAX_PARTS, key=lambda stop: measure(cut_at(stop)).parts)

    words, inside = _word_ends(shaped), range(len(shaped) + 1)
    stops = words if that_fit(words) else inside
    shortened = cut_at(stops[that_fit(stops) - 1])
    return Fitted(shortened, measure(shortened), cut=True)


def _word_ends(text: str) -> list[int]:
    return [match.start() for match in re.finditer(r"(?<=\S)(?=\s|$)", text)]


def brand(name: str) -> str:
    """Validate a sender: 1–11 letters, digits, spaces, dots, dashes (3GPP), or a short code or number of up to 15
    digits. Raises BadInput."""
    if re.fullmatch(r"\+?[0-9]{3,15}", name):
        return name
    if re.fullmatch(r"(?=.*[A-Za-z])[A-Za-z0-9][A-Za-z0-9 ._-]*", name) and len(name) <= MAX_BRAND_CHARS:
        return name
    raise BadInput(
        Text(
            f"Tên người gửi «{name}» phải có từ 1 đến {MAX_BRAND_CHARS} chữ không dấu, như DONDOC.",
            f"The sender name «{name}» must have 1 to {MAX_BRAND_CHARS} plain letters, like DONDOC.",
        )
    )


def subject_words(text: str, words: Iterable[str] = SUBJECT_WORDS) -> tuple[str, ...]:
    """The words of ``words`` that occur in ``text``, with or without diacritics, in any case, split by dashes or
    invisible characters. «mai đảm bảo» does not match «mại dâm»: it has diacritics that the word does not have.
    """
    letters = list(_letters(text))
    bare = "".join(base for base, _ in letters)
    return tuple(word for word in words if _occurs(word, bare, letters))


def _letters(text: str) -> Iterator[tuple[str, Counter[str]]]:
    """Each base letter in lower case with its diacritics; «đ» is a ``d`` with one."""
    base, marks = "", Counter[str]()
    for char in unicodedata.normalize("NFKD", text).lower():
        category = unicodedata.category(char)
        if category == "Cf":
            continue
        if category in ("Mn", "Me"):
            marks[char] += 1
            continue
        if base:
            yield base, marks
        base, marks = ("d", Counter("đ")) if char == "đ" else (char, Counter())
    if base:
        yield base, marks


def _occurs(word: str, bare: str, letters: list[tuple[str, Counter[str]]]) -> bool:
    spelt = list(_letters(word))
    marks = sum((each for _, each in spelt), Counter[str]())
    pattern = r"[\W_]*".join(re.escape(base) for base, _ in spelt if base.strip())
    for match in re.finditer(rf"(?<![^\W_]){pattern}(?![^\W\d_])", bare):
        seen = sum((each for _, each in letters[match.start() : match.end()]), Counter[str]())
        if seen <= marks:
            return True
    return False
