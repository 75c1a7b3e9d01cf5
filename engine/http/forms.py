"""Posted forms: parsed once, checked for our token, each field read as the type it should have.

An unreadable field raises BadInput with a readable message, so no invalid input reaches the actions or the database.

Reads a form field by field: errors are shown beside their fields, and what was typed is shown again.

Days to come that a form asks for. A button beside the field puts a day into it, and a closed day is asked about once
with the working day that it becomes (Civil Code art. 148): nobody sends a day that they have not seen.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from enum import StrEnum
from functools import partial
from typing import TypeVar

from engine.errors import BadInput, Conflict, FieldsRefused
from engine.rules.calendar import WorkCalendar, day_digits
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
    day = read_typed_day(value, today, past=past, words=True)
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


T = TypeVar("T")


@dataclass
class FormFields:
    """Typed values and their errors; pages that show a form take one, empty for a new form.

    ``whole``: the field beside which errors without a field are shown.
    """

    fields: dict[str, str] = field(default_factory=dict)
    wrong: dict[str, Text] = field(default_factory=dict)
    status: int = 200
    whole: str = ""
    today: date = date.min

    @classmethod
    def of(cls, form: Form, *names: str, whole: str = "") -> FormFields:
        return cls({name: form.raw(name)[:MAX_FIELD_CHARS] for name in names}, whole=whole, today=form.today)

    def text(self, name: str, most: int = 300) -> str:
        """The value on one line."""
        return self._read(name, lambda raw: " ".join(clean(raw, most).split())) or ""

    def words(self, name: str, most: int = MAX_REASON_CHARS) -> str:
        """The value with its line breaks."""
        return self._read(name, lambda raw: clean(raw, most)) or ""

    def needed_words(self, name: str, missing: Text, most: int = MAX_REASON_CHARS) -> str:
        found = self.words(name, most)
        if not found and name not in self.wrong:
            self.refuse({name: missing})
        return found

    def day(self, name: str, *, past: bool = False) -> date | None:
        """The date; None when empty. ``past``: without a year it is the last such day."""
        if not self.fields.get(name, "").strip():
            return None
        return self._read(name, partial(parse_day, today=self.today, past=past))

    def needed_day(self, name: str, *, past: bool = False) -> date:
        """A required date. When it is missing an error is recorded, so ``do`` runs nothing and the returned value is
        unused."""
        found = self.day(name, past=past)
        if found is None and name not in self.wrong:
            self.refuse({name: Text("Cần ghi ngày.", "Give the day.")})
        return found or date.min

    def refuse(self, wrong: dict[str, Text], status: int = 422) -> None:
        self.wrong |= wrong
        self.status = status

    def do(self, action: Callable[[], T]) -> T | None:
        """Run the action if there are no errors, and return its result; else None, with the errors recorded."""
        if self.wrong:
            return None
        try:
            return action()
        except FieldsRefused as error:
            self.refuse(error.fields)
        except BadInput as error:
            self.refuse({self.whole: error.text})
        except Conflict as error:
            self.refuse({self.whole: error.text}, error.status)
        return None

    def filled(self, values: Iterable[tuple[str, str]]) -> FormFields:
        """The form with present values where nothing was typed."""
        return replace(self, fields=dict(values) | self.fields)

    # --- for templates --------------------------------------------------------------------------------------------

    def value(self, name: str) -> str:
        return self.fields.get(name, "")

    def said(self, name: str, language: str) -> str:
        wrong = self.wrong.get(name)
        return wrong.said(language) if wrong else ""

    def _read(self, name: str, parse: Callable[[str], T]) -> T | None:
        try:
            return parse(self.fields.get(name, ""))
        except BadInput as error:
            self.refuse({name: error.text})
            return None


FILL = "fill"
"""The field of such a button: «promise-12=30/6/2021»."""


@dataclass(frozen=True)
class AskedAgain:
    """The form with other days in it, to be shown and not carried out. ``said``: what changed by itself, by field."""

    form: Form
    said: Mapping[str, Text] = field(default_factory=dict)


def asked_again(form: Form, names: Iterable[str], calendar: WorkCalendar) -> AskedAgain | None:
    """``names``: the fields that hold days. None if the form can be carried out as it is."""
    pressed, _, day = form.raw(FILL).partition("=")
    if pressed in form.fields:
        return AskedAgain(replace(form, fields={**form.fields, pressed: (day,)}))
    said: dict[str, Text] = {}
    fields = dict(form.fields)
    for name in names:
        typed = read_typed_day(form.raw(name), form.today, words=True)
        if typed is None or typed <= form.today or calendar.is_working(typed):
            continue
        due = calendar.due(typed)
        fields[name] = (day_digits(due.on),)
        said[name] = Text(
            f"Ngày nghỉ, đề nghị xem lại rồi gửi: {due.why['vi']}.",
            f"A closed day, look again and send: {due.why['en']}.",
        )
    return AskedAgain(replace(form, fields=fields), said) if said else None
