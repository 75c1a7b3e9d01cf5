"""An imported plan as plain values for ``--json``."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from engine.features.plan_import.importer.base import model

_FIELDS: Mapping[type, str] = {
    model.SectionText: "heading roman source items",
    model.ItemText: "no owner owners origin request topic? source duties",
    model.DutyText: (
        "citation text lead? monitor? product? mark? coordinating reports_to deadlines details doubts source"
    ),
    model.Deadline: "text kind days before cadence sentence",
    model.Instruction: "text owners deadlines reports_to source",
    model.Accounted: "text reason serious source",
    model.Doubt: "code message place words?",
    model.Found: "text",
}
"""The fields written for each type. «?»: null if the document has none. ``source``: its place."""


def as_json(plan: model.ImportedPlan) -> dict[str, Any]:
    """``{"number", "date", "issuer", "title", "sections": […], "warnings": […]}`` with, beside them, ``year``: the one
    planned, ``found``: where each field of the head stands, ``recipients``, ``instructions`` to everybody, what was
    ``left_out``, and the ``account``: how many paragraphs were put to which use. Absent fields are null."""
    head = {"number": plan.number, "date": plan.date_words, "issuer": plan.issuer, "title": plan.title}
    return {
        **{name: found.text or None for name, found in head.items()},
        "date": plan.date.isoformat() if plan.date else None,
        "year": plan.year,
        "last_year": plan.last_year,
        "recipients": list(plan.recipients),
        "found": {name: _fields(each) | _place(each.place) if each else None for name, each in head.items()},
        "sections": _plain(plan.sections),
        "instructions": _plain(plan.instructions),
        "left_out": [_plain(each) for each in plan.left_out if each.text],
        "account": {use.value: sum(each.use is use for each in plan.account) for use in model.Use},
        "warnings": _plain(plan.warnings),
    }


def _plain(value: object) -> object:
    """A value of the model as lists, dicts and texts; an owner of a duty is its name."""
    match value:
        case tuple():
            return [_plain(each) for each in value]
        case StrEnum():
            return value.value
        case model.Owner():
            return value.name
        case model.Place():
            return _place(value)
        case _ if type(value) in _FIELDS:
            return _fields(value)
    return value


def _place(place: model.Place) -> dict[str, int]:
    others = {"page": place.page, "table": place.table, "row": place.row}
    return {"line": place.line} | {name: number for name, number in others.items() if number}


def _fields(value: object) -> dict[str, object]:
    plain: dict[str, object] = {}
    for field in _FIELDS[type(value)].split():
        name = field.rstrip("?")
        found = _plain(getattr(value, "place" if name == "source" else name))
        plain[name] = (found or None) if field.endswith("?") else found
    if isinstance(value, model.ItemText):
        plain["bodies"] = [
            {"name": owner.name, "id": owner.agency or None, "group": owner.group, "members": owner.members or None}
            for owner in value.owners
        ]
    return plain
