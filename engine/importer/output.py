"""An imported plan as plain values for ``--json`` and for the page that reviews it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.importer.model import Deadline, DutyText, Found, ImportedPlan, ItemText, Place, Use


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
            name: _found(each)
            for name, each in zip(
                ("number", "date", "issuer", "title"),
                (plan.number, plan.date_words, plan.issuer, plan.title),
                strict=True,
            )
        },
        "sections": [
            {
                "heading": each.heading,
                "roman": each.roman,
                "source": _place(each.place),
                "items": list(map(_item, each.items)),
            }
            for each in plan.sections
        ],
        "instructions": [
            {
                "text": each.text,
                "owners": [owner.name for owner in each.owners],
                "deadlines": [_deadline(deadline) for deadline in each.deadlines],
                "reports_to": list(each.reports_to),
                "source": _place(each.place),
            }
            for each in plan.instructions
        ],
        "left_out": [
            {"text": each.text, "reason": each.reason, "serious": each.serious, "source": _place(each.place)}
            for each in plan.left_out
            if each.text
        ],
        "account": {use.value: sum(each.use is use for each in plan.account) for use in Use},
        "warnings": [{"code": each.code, "message": each.message, "place": each.place} for each in plan.warnings],
    }


def _found(found: Found) -> dict[str, Any] | None:
    return {"text": found.text, **_place(found.place)} if found else None


def _place(place: Place) -> Mapping[str, int]:
    others = {"page": place.page, "table": place.table, "row": place.row}
    return {"line": place.line, **{name: number for name, number in others.items() if number}}


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
        "source": _place(item.place),
        "duties": [_duty(duty) for duty in item.duties],
    }


def _duty(duty: DutyText) -> dict[str, Any]:
    said = {name: getattr(duty, name) or None for name in ("lead", "monitor", "product", "mark")}
    lists = {"coordinating": list(duty.coordinating), "reports_to": list(duty.reports_to)}
    timed = {"deadlines": [_deadline(each) for each in duty.deadlines], "source": _place(duty.place)}
    return {"citation": duty.citation, "text": duty.text, **said, **lists, **timed}


def _deadline(deadline: Deadline) -> dict[str, Any]:
    said = {"text": deadline.text, "kind": deadline.kind.value, "days": list(deadline.days), "before": deadline.before}
    return said | {"cadence": list(deadline.cadence), "sentence": deadline.sentence}
