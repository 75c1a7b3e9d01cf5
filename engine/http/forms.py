"""Posted forms: parsed once, checked for our token, each field read as the type it should have.

An unreadable field raises BadInput with a readable message, so no invalid input reaches the actions or the database.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import TypeVar

from engine.errors import BadInput
from engine.rules.typed_day import read_typed_day
from engine.text import Text

MAX_FIELD_CHARS = 10_000
MAX_REASON_CHARS = 2_000
E = TypeVar("E", bound=StrEnum)
RESUBMITTED_BY = Text("Đề nghị bổ sung chậm nhất", "To be resubmitted by")
NOT_GIVEN = Text("Cần ghi ngày, như 17/6/2021.", "Give the day, like 17/6/2021.")
UNREAD = Text(
    "Không đọc được ngày “{value}”; viết như 17/6/2021.",
    "The date “{value}” cannot be read; write it like 17/6/2021.",
)
ALLOWED_CONTROLS = "\n\t"


def plain(text: str) -> str:
    r"""Text in NFC with ``\n`` line breaks. Raises BadInput for control characters."""
    text = unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n"))
    if any(unicodedata.category(char) in ("Cc", "Cs") and char not in ALLOWED_CONTROLS for char in text):
        raise BadInput(
            Text("Nội dung có ký tự điều khiển không đọc được.", "The text holds unreadable control characters.")
        )
    return text


def clean(text: str, most: int = MAX_FIELD_CHARS) -> str:
    """Text ready to be stored: ``plain``, stripped, at most ``most`` characters. Raises BadInput."""
    text = plain(text.strip())
    if len(text) > most:
        raise BadInput(
            Text(
                f"Nội dung dài {len(text)} ký tự, nhiều nhất {most}.",
                f"The text has {len(text)} characters, {most} at most.",
            )
        )
    return text


def parse_day(value: str, today: date, *, what: Text | None = None, past: bool = False) -> date:
    """A date as people write it (``read_typed_day``). Raises BadInput, which begins with ``what``: the field's name."""
    value = value.strip()
    day = read_typed_day(value, today, past=past)
    if day is None:
        wrong = UNREAD.filled(value=value[:20]) if value else NOT_GIVEN
        raise BadInput(wrong if what is None else Text.joined(": ", (what, wrong)))
    return day


@dataclass(frozen=True, slots=True)
class Upload:
    """An uploaded file: the name given by the browser, which is not trusted, and its bytes."""

    name: str
    body: bytes


@dataclass(frozen=True)
class Form:
    """Field name -> values. Created by a dependency after the token check. ``files`` is filled only for pages that
    accept uploads. ``today`` decides the year of a day that was typed without one."""

    fields: Mapping[str, tuple[str, ...]]
    files: Mapping[str, tuple[Upload, ...]] = field(default_factory=dict)
    today: date = date.min

    def raw(self, name: str) -> str:
        """The raw value, to show it again."""
        return next(iter(self.fields.get(name, ())), "")

    def every(self, name: str) -> tuple[str, ...]:
        """All raw values of a field."""
        return tuple(self.fields.get(name, ()))

    def text(self, name: str, most: int = MAX_FIELD_CHARS) -> str:
        return clean(self.raw(name), most)

    def day(self, name: str, what: Text | None = None, *, past: bool = False) -> date:
        """The date in a field that the page calls ``what``. ``past``: without a year it is the last such day."""
        return parse_day(self.raw(name), self.today, what=what, past=past)

    def day_or_none(self, name: str, what: Text | None = None) -> date | None:
        """None for an empty field."""
        return self.day(name, what) if self.raw(name).strip() else None

    def number(self, name: str) -> int:
        """A positive id."""
        return _id(self.raw(name))

    def numbers(self, name: str) -> tuple[int, ...]:
        """The ticked ids without duplicates."""
        return tuple(dict.fromkeys(_id(value) for value in self.fields.get(name, ())))

    def choice(self, name: str, kind: type[E]) -> E:
        try:
            return kind(self.raw(name))
        except ValueError:
            raise BadInput(
                Text("Chưa chọn, hoặc lựa chọn không có.", "Nothing was chosen, or the choice does not exist.")
            ) from None

    def has(self, name: str) -> bool:
        return bool(self.raw(name))


def _id(value: str) -> int:
    if not (value.isascii() and value.isdecimal()) or len(value) > 18 or int(value) < 1:
        raise BadInput(Text(f"«{value[:20]}» không phải số hiệu.", f"“{value[:20]}” is not a valid id."))
    return int(value)
