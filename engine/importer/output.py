"""An imported plan as plain values for ``--json`` and for the page that reviews it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.importer.model import (
    Accounted,
    Deadline,
    DutyText,
    Found,
    ImportedPlan,
    Instruction,
    ItemText,
    Owner,
    Place,
    SectionText,
    Use,
)


def as_json(plan: ImportedPlan) -> dict[str, Any]:
    """``{"number", "date", "issuer", "title", "sections": […], "warnings": […]}`` with, beside them, ``found``: where
    each field of the head stands, ``recipients``, ``instructions`` to everybody, what was ``left_out``, and the
    ``account``: how many paragraphs were put to which use. Absent fields are null, never guessed."""
    return {
        "number": plan.number.text or None,
        "date": plan.date.isoformat() if plan.date else None,
        "issuer": plan.issuer.text or None,
        "title": plan.title.text or None,
        "recipients": list(plan.recipients),
        "found": {
            "number": _found(plan.number),
            "date": _found(plan.date_words),
            "issuer": _found(plan.issuer),
            "title": _found(plan.title),
        },
        "sections": [_section(section) for section in plan.sections],
        "instructions": [_instruction(each) for each in plan.instructions],
        "left_out": [_left_out(each) for each in plan.left_out if each.text],
        "account": {use.value: sum(each.use is use for each in plan.account) for use in Use},
        "warnings": [{"code": each.code, "message": each.message, "place": each.place} for each in plan.warnings],
    }


def _instruction(said: Instruction) -> dict[str, Any]:
    return {
        "text": said.text,
        "owners": [owner.name for owner in said.owners],
        "deadlines": [_deadline(each) for each in said.deadlines],
        "reports_to": list(said.reports_to),
        "source": _place(said.place),
    }


def _left_out(entry: Accounted) -> dict[str, Any]:
    return {"text": entry.text, "reason": entry.reason, "serious": entry.serious, "source": _place(entry.place)}


def _found(found: Found) -> dict[str, Any] | None:
    return {"text": found.text, **_place(found.place)} if found else None


def _place(place: Place) -> Mapping[str, int]:
    others = {"page": place.page, "table": place.table, "row": place.row}
    return {"line": place.line, **{name: number for name, number in others.items() if number}}


def _section(section: SectionText) -> dict[str, Any]:
    return {
        "heading": section.heading,
        "roman": section.roman,
        "source": _place(section.place),
        "items": [_item(item) for item in section.items],
    }


def _item(item: ItemText) -> dict[str, Any]:
    return {
        "no": item.no,
        "owner": item.owner,
        "owners": [owner.name for owner in item.owners],
        "request": item.request,
        "topic": item.topic or None,
        "bodies": [_owner(owner) for owner in item.owners],
        "source": _place(item.place),
        "duties": [_duty(duty) for duty in item.duties],
    }


def _owner(owner: Owner) -> dict[str, Any]:
    return {"name": owner.name, "id": owner.agency or None, "group": owner.group, "members": owner.members or None}


def _duty(duty: DutyText) -> dict[str, Any]:
    return {
        "citation": duty.citation,
        "text": duty.text,
        "lead": duty.lead or None,
        "coordinating": list(duty.coordinating),
        "monitor": duty.monitor or None,
        "product": duty.product or None,
        "deadlines": [_deadline(each) for each in duty.deadlines],
        "reports_to": list(duty.reports_to),
        "mark": duty.mark or None,
        "source": _place(duty.place),
    }


def _deadline(deadline: Deadline) -> dict[str, Any]:
    return {
        "text": deadline.text,
        "kind": deadline.kind.value,
        "days": list(deadline.days),
        "before": deadline.before,
        "cadence": list(deadline.cadence),
        "sentence": deadline.sentence,
    }
