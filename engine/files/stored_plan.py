"""The form in which a plan is stored and digested.

A plan is recognised by the digest of this form. An optional field added to the file format later is therefore left out
while it has its default, so that plans stored before it existed keep their digest and load again unchanged.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from engine.files.plan import PlanFile
from engine.files.plan_parts import DutyEntry, Gap, Indicator, ItemEntry, ReportRule

_STORED_AT_DEFAULT: Mapping[type[BaseModel], frozenset[str]] = {
    PlanFile: frozenset({"urgency", "policy", "gaps", "focus_areas", "indicators"}),
    ReportRule: frozenset(
        {
            "basis",
            "due_day",
            "roll",
            "wording",
            "window",
            "overrides",
            "year_covers_h2",
            "on",
            "months_after_issue",
        }
    ),
    Gap: frozenset({"note"}),
    Indicator: frozenset({"asked_of", "aggregate", "min", "max", "target", "part_of"}),
    DutyEntry: frozenset({"coordinating", "area", "owners", "repeats", "waits_for"}),
    ItemEntry: frozenset({"request"}),
}
"""The optional fields of the first stored plans, which are written even if they have their default. Closed: a new field
added here would change the digest of every stored plan."""


def plan_body(plan: PlanFile) -> dict[str, Any]:
    """The plan as JSON data, to be stored and digested."""
    body: dict[str, Any] = plan.model_dump(mode="json", by_alias=True)
    _drop_later_defaults(plan, body)
    return body


def _drop_later_defaults(value: object, written: Any) -> None:
    """``written``: the JSON data of ``value``, changed in place."""
    if isinstance(value, BaseModel):
        stored = frozenset[str]().union(*(_STORED_AT_DEFAULT.get(each, ()) for each in type(value).__mro__))
        for name, field in type(value).model_fields.items():
            key, part = field.alias or name, getattr(value, name)
            optional = not field.is_required() and name not in stored
            if optional and part == field.get_default(call_default_factory=True, validated_data={}):
                del written[key]
            else:
                _drop_later_defaults(part, written[key])
    elif isinstance(value, tuple):
        for part, each in zip(value, written, strict=True):
            _drop_later_defaults(part, each)
    elif isinstance(value, Mapping):
        for key, part in value.items():
            _drop_later_defaults(part, written[key])
