"""Forms as they arrive: read once, checked for our token, every field fetched by what it should be.

A field that cannot be read raises BadInput with its name in words; nothing hostile reaches a deed or the database.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import TypeVar

from engine.errors import BadInput
from engine.rules.calendar import read_day
from engine.text import Text

MAX_FIELD_CHARS = 10_000
MAX_REASON_CHARS = 2_000
E = TypeVar("E", bound=StrEnum)
ALLOWED_CONTROLS = "\n\t"


def plain(text: str) -> str:
    """Text in one form: NFC, one kind of line break. Raises BadInput for control characters."""
    text = unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n"))
    if any(unicodedata.category(char) in ("Cc", "Cs") and char not in ALLOWED_CONTROLS for char in text):
        raise BadInput(
            Text("Nội dung có ký tự điều khiển không đọc được.", "The text holds unreadable control characters.")
        )
    return text


def clean(text: str, most: int = MAX_FIELD_CHARS) -> str:
    """Text as it may be stored: ``plain``, nothing empty around it, not longer than ``most``."""
    text = plain(text.strip())
    if len(text) > most:
        raise BadInput(
            Text(
                f"Nội dung dài {len(text)} ký tự, nhiều nhất {most}.",
                f"The text has {len(text)} characters, {most} at most.",
            )
        )
    return text


def written_day(value: str) -> date:
    """A date as a browser sends it (2021-06-17) or as people write it (17/6/2021). Raises BadInput."""
    value = value.strip()
    found = read_day(value)
    if found is None:
        raise BadInput(
            Text(
                f"Không đọc được ngày «{value[:20]}»; hãy viết như 17/6/2021.",
                f"The date “{value[:20]}” cannot be read; write it like 17/6/2021.",
            )
        )
    return found


@dataclass(frozen=True, slots=True)
class Upload:
    """A file as a browser sent it: its own name for it, never believed, and its bytes."""

    name: str
    body: bytes


@dataclass(frozen=True)
class Form:
    """Field name -> values. Made by the page's dependency after the token was checked. ``files`` only where a page
    asks for them."""

    fields: Mapping[str, tuple[str, ...]]
    files: Mapping[str, tuple[Upload, ...]] = field(default_factory=dict)

    def raw(self, name: str) -> str:
        """What was typed, to be shown again."""
        return next(iter(self.fields.get(name, ())), "")

    def every(self, name: str) -> tuple[str, ...]:
        """All that was sent under one name, as it came."""
        return tuple(self.fields.get(name, ()))

    def text(self, name: str, most: int = MAX_FIELD_CHARS) -> str:
        return clean(self.raw(name), most)

    def day(self, name: str) -> date:
        return written_day(self.raw(name))

    def number(self, name: str) -> int:
        """A positive id."""
        return _id(self.raw(name))

    def numbers(self, name: str) -> tuple[int, ...]:
        """The ids that were ticked, each once."""
        return tuple(dict.fromkeys(_id(value) for value in self.fields.get(name, ())))

    def choice(self, name: str, kind: type[E]) -> E:
        try:
            return kind(self.raw(name))
        except ValueError:
            raise BadInput(
                Text("Chưa chọn, hoặc lựa chọn không có.", "Nothing, or no such thing, was chosen.")
            ) from None

    def has(self, name: str) -> bool:
        return bool(self.raw(name))


def _id(value: str) -> int:
    if not (value.isascii() and value.isdecimal()) or len(value) > 18 or int(value) < 1:
        raise BadInput(Text(f"«{value[:20]}» không phải số hiệu.", f"“{value[:20]}” is not a number of anything here."))
    return int(value)
