"""An imported plan as plain values for ``--json`` and for the page that reviews it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.importer.model import (
    Accounted,
    Deadline,
    DutyText,
    ImportedPlan,
    Instruction,
    ItemText,
    Place,
    SectionText,
    Use,
)


def as_json(plan: ImportedPlan) -> dict[str, Any]:
    """``{"number", "date", "issuer", "title", "sections": […], "warnings": […]}`` with, beside them, ``found``: where
    each field of the head stands, ``recipients``, ``instructions`` to everybody, what was ``left_out``, and the
    ``account``: how many paragraphs were put to which use. Absent fields are null, never guessed."""
    head = {"number": plan.number, "date": plan.date_words, "issuer": plan.issuer, "title": plan.title}
    left = [each for each in plan.left_out if each.text]
    return {
        **{name: found.text or None for name, found in head.items()},
        "date": plan.date.isoformat() if plan.date else None,
        "recipients": list(plan.recipients),
        "found": {name: {"text": found.text, **_place(found.place)} if found else None for name, found in head.items()},
        "sections": [
            {"heading": each.heading, "roman": each.roman, **_source(each), "items": list(map(_item, each.items))}
            for each in plan.sections
        ],
        "instructions": [
            {"text": each.text, "owners": [owner.name for owner in each.owners], **_timed(each), **_source(each)}
            for each in plan.instructions
        ],
        "left_out": [
            {"text": each.text, "reason": each.reason, "serious": each.serious, **_source(each)} for each in left
        ],
        "account": {use.value: sum(each.use is use for each in plan.account) for use in Use},
        "warnings": [{"code": each.code, "message": each.message, "place": each.place} for each in plan.warnings],
    }


def _place(place: Place) -> Mapping[str, int]:
    others = {"page": place.page, "table": place.table, "row": place.row}
    return {"line": place.line, **{name: number for name, number in others.items() if number}}


def _source(each: SectionText | ItemText | DutyText | Instruction | Accounted) -> dict[str, Any]:
    return {"source": _place(each.place)}


def _timed(each: DutyText | Instruction) -> dict[str, Any]:
    return {"deadlines": [_deadline(deadline) for deadline in each.deadlines], "reports_to": list(each.reports_to)}


def _item(item: ItemText) -> dict[str, Any]:
    return {
        "no": item.no,
        "owner": item.owner,
        "owners": [owner.name for owner in item.owners],
        "request": item.request,
        "topic": item.topic or None,
        "bodies": [
            {"name": owner.name, "id": owner.agency or None, "group": owner.group, "members": owner.members or None}
            for owner in item.owners
        ],
        **_source(item),
        "duties": [_duty(duty) for duty in item.duties],
    }


def _duty(duty: DutyText) -> dict[str, Any]:
    said = {name: getattr(duty, name) or None for name in ("lead", "monitor", "product", "mark")}
    told = {"citation": duty.citation, "text": duty.text, **said, "coordinating": list(duty.coordinating)}
    return told | _timed(duty) | _source(duty)


def _deadline(deadline: Deadline) -> dict[str, Any]:
    said = {"text": deadline.text, "kind": deadline.kind.value, "days": list(deadline.days), "before": deadline.before}
    return said | {"cadence": list(deadline.cadence), "sentence": deadline.sentence}
