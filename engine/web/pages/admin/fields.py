"""A form read field by field, the administration's and whose else: what cannot be read is said beside its field, and
what was typed comes back."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import TypeVar

from engine.errors import BadInput, Conflict, FieldsRefused
from engine.http.forms import MAX_FIELD_CHARS, MAX_REASON_CHARS, Form, clean, parse_day
from engine.text import Text

T = TypeVar("T")


@dataclass
class FormFields:
    """What was typed and what is wrong with it; a page that shows a form takes one, empty for a new form.

    ``whole``: the field beside which a refusal that names no field is said."""

    fields: dict[str, str] = field(default_factory=dict)
    wrong: dict[str, Text] = field(default_factory=dict)
    status: int = 200
    whole: str = ""

    @classmethod
    def of(cls, form: Form, *names: str, whole: str = "") -> FormFields:
        return cls({name: form.raw(name)[:MAX_FIELD_CHARS] for name in names}, whole=whole)

    def text(self, name: str, most: int = 300) -> str:
        """On one line."""
        return self._read(name, lambda raw: " ".join(clean(raw, most).split())) or ""

    def words(self, name: str, most: int = MAX_REASON_CHARS) -> str:
        """As it was typed, line by line."""
        return self._read(name, lambda raw: clean(raw, most)) or ""

    def needed_words(self, name: str, missing: Text, most: int = MAX_REASON_CHARS) -> str:
        found = self.words(name, most)
        if not found and name not in self.wrong:
            self.refuse({name: missing})
        return found

    def day(self, name: str) -> date | None:
        """None when nothing was typed."""
        return self._read(name, parse_day) if self.fields.get(name, "").strip() else None

    def needed_day(self, name: str) -> date:
        """A day that must be given; without one nothing is done, so what is returned does not matter then."""
        found = self.day(name)
        if found is None and name not in self.wrong:
            self.refuse({name: Text("Cần ghi ngày.", "Give the day.")})
        return found or date.min

    def refuse(self, wrong: dict[str, Text], status: int = 422) -> None:
        self.wrong |= wrong
        self.status = status

    def do(self, deed: Callable[[], T]) -> T | None:
        """The deed's answer, when everything could be read and nothing was refused; else None, and why beside it."""
        if self.wrong:
            return None
        try:
            return deed()
        except FieldsRefused as error:
            self.refuse(error.fields)
        except BadInput as error:
            self.refuse({self.whole: error.text})
        except Conflict as error:
            self.refuse({self.whole: error.text}, error.status)
        return None

    def filled(self, values: Iterable[tuple[str, str]]) -> FormFields:
        """A form that shows what stands, where nothing was typed."""
        return FormFields(dict(values) | self.fields, self.wrong, self.status, self.whole)

    # --- what templates ask ---------------------------------------------------------------------------------------

    def value(self, name: str) -> str:
        return self.fields.get(name, "")

    def said(self, name: str, language: str) -> str:
        wrong = self.wrong.get(name)
        return wrong.said(language) if wrong else ""

    def _read(self, name: str, reading: Callable[[str], T]) -> T | None:
        try:
            return reading(self.fields.get(name, ""))
        except BadInput as error:
            self.refuse({name: error.text})
            return None
