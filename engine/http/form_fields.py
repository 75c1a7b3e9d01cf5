"""Reads a form field by field: errors are shown beside their fields, and what was typed is shown again."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import date
from functools import partial
from typing import TypeVar

from engine.errors import BadInput, Conflict, FieldsRefused
from engine.http.forms import MAX_FIELD_CHARS, MAX_REASON_CHARS, Form, clean, parse_day
from engine.text import Text

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
