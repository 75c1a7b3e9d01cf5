"""Days to come that a form asks for. A button beside the field puts a day into it, and a closed day is asked about once
with the working day that it becomes (Civil Code art. 148): nobody sends a day that they have not seen."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from engine.http.forms import Form
from engine.rules.calendar import WorkCalendar, day_digits
from engine.rules.typed_day import read_typed_day
from engine.text import Text

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
