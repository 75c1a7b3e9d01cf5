"""Detect what looks like personal data or a state secret in free text, to warn about it and to mask it. Pure.

Law 91/2025/QH15 and HIV law 64/2006 arts 4 and 8: nothing that identifies a person is stored. The result is a warning,
not a refusal: a long number may be a contract number.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from engine.enums import complete


class Private(StrEnum):
    """What a match looks like."""

    SECRET = "secret"
    """A «MẬT» (secret) stamp: not allowed in this system at all."""
    IDENTITY = "identity"
    PHONE = "phone"
    EMAIL = "email"


PRIVATE_WORDS: Mapping[Private, tuple[str, str]] = complete(
    Private,
    {
        Private.SECRET: (
            "có chữ đóng dấu MẬT: văn bản mật không được đưa lên hệ thống này",
            "bears a «MẬT» stamp: secret documents are not allowed in this system",
        ),
        Private.IDENTITY: ("có dãy số giống số định danh cá nhân", "contains digits that look like an identity number"),
        Private.PHONE: ("có dãy số giống số điện thoại", "contains digits that look like a telephone number"),
        Private.EMAIL: ("có địa chỉ thư điện tử", "contains an e-mail address"),
    },
)


@dataclass(frozen=True, slots=True)
class Found:
    """One match: its kind, its position, and the matched text masked."""

    what: Private
    start: int
    end: int
    masked: str


# Amounts of money and counts are not personal numbers, however long.
_NOT_MONEY = r"(?!\s*(?:đồng|VNĐ|VND|đ\b|triệu|nghìn|tỷ|USD))"
_EDGE, _END = r"(?<![\w.,/-])", rf"(?![\w/-]|[.,]\d){_NOT_MONEY}"
# From the beginning of a word; or right after another address («a@x.vn/b@x.vn»), where it is bounded: tried at each
# character of a word of 20,000, an unbounded one took a second and a half.
_IN_MAILBOX = r"[^\s@<>()\[\],;:]"
_MAILBOX = rf"(?:(?<!{_IN_MAILBOX}){_IN_MAILBOX}+|{_IN_MAILBOX}{{1,64}})"
_PATTERNS: tuple[tuple[Private, re.Pattern[str]], ...] = (
    (Private.SECRET, re.compile(r"(?<!\w)(?:TUYỆT |TỐI )?MẬT(?!\w)|(?i:độ mật\s*:)")),
    (Private.PHONE, re.compile(rf"{_EDGE}(?:\+?84[ .-]?|0)(?:2\d|[35789])(?:[ .-]?\d){{7,8}}{_END}")),
    (Private.IDENTITY, re.compile(rf"{_EDGE}\d{{3}}(?:[ -]?\d{{3}}){{2}}(?:[ -]?\d{{3}})?{_END}")),
    (Private.EMAIL, re.compile(rf"{_MAILBOX}@[\w-]+(?:\.[\w-]+)+")),
)


def looks_private(text: str) -> tuple[Found, ...]:
    """All matches in the order of the text, without overlaps."""
    matches: list[Found] = []
    for what, pattern in _PATTERNS:
        for piece in pattern.finditer(text):
            if all(piece.end() <= each.start or each.end <= piece.start() for each in matches):
                matches.append(Found(what, piece.start(), piece.end(), _masked(what, piece.group())))
    return tuple(sorted(matches, key=lambda each: each.start))


def masked(text: str) -> str:
    """The text with every match masked, for logs and exports: «09xx xxx x21»."""
    parts, last = [], 0
    for each in looks_private(text):
        parts += [text[last : each.start], each.masked]
        last = each.end
    return "".join(parts) + text[last:]


def warnings(fields: dict[str, str], language: str) -> dict[str, str]:
    """Warnings by field name: what to check again, with the match masked."""
    result = {}
    for name, text in fields.items():
        sentences = list(_sentences(text, language))
        if sentences:
            result[name] = " ".join(sentences)
    return result


def fingerprint(texts: Mapping[str, str]) -> str:
    """Of the texts, by field name, that were warned about; "" if there are none. Whoever sends them with it has read
    the warning."""
    words = "\0".join(f"{name}={texts[name]}" for name in sorted(texts))
    return hashlib.sha256(words.encode()).hexdigest()[:16] if texts else ""


def _sentences(text: str, language: str) -> Iterator[str]:
    kinds = {each.what: each for each in reversed(looks_private(text))}
    for what, each in sorted(kinds.items(), key=lambda pair: list(Private).index(pair[0])):
        vi, en = PRIVATE_WORDS[what]
        yield (
            f"This text {en} ({each.masked}). Remove personal details."
            if language == "en"
            else f"Nội dung {vi} ({each.masked}). Hãy bỏ thông tin về cá nhân."
        )


def _masked(what: Private, piece: str) -> str:
    if what is Private.SECRET:
        return piece
    if what is Private.EMAIL:
        mailbox, _, host = piece.partition("@")
        return f"{mailbox[:1]}…@{host}"
    digits = len(re.sub(r"\D", "", piece))
    seen = 0
    out = []
    for each in piece:
        if each.isdigit():
            seen += 1
            each = each if seen <= 2 or seen > digits - 2 else "x"
        out.append(each)
    return "".join(out)
