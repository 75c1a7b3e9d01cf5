"""The form in which a plan is stored and digested.

A plan is recognised by the digest of this form. An optional field added to the file format later is therefore left out
while it has its default, so that plans stored before it existed keep their digest and load again unchanged.
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import replace
from typing import Any

from pydantic import BaseModel

from engine.errors import BadInput
from engine.files.plan import CYCLES, PlanFile
from engine.files.plan_parts import DutyEntry, Gap, Indicator, ItemEntry, ReportRule, rule_fields
from engine.rules.periods import Cadence, ReportDays
from engine.rules.typed_day import TYPED_AS, read_report_days
from engine.text import Text

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
    body: dict[str, object] = plan.model_dump(mode="json", by_alias=True)
    _drop_later_defaults(plan, body)
    return body


def document_body(plan: PlanFile) -> dict[str, Any]:
    """What is digested: the plan without the choices that it leaves to the office, so that a plan stored before they
    were written down is recognised."""
    body = plan_body(plan)
    for section in body["sections"]:
        for item in section["items"]:
            for duty in item["duties"]:
                duty.pop("cadence_choices", None)
    return body


def with_cadences(body: dict[str, Any], chosen: Mapping[str, Cadence]) -> dict[str, Any]:
    """The stored plan with the cadences that the office chose, by citation. Raises BadInput where there is no such
    choice."""
    body, left = deepcopy(body), dict(chosen)
    for section in body["sections"]:
        for item in section["items"]:
            for duty in item["duties"]:
                cadence = left.pop(duty["citation"], None)
                if cadence is None:
                    continue
                if cadence not in duty.get("cadence_choices", ()):
                    raise BadInput(
                        Text(
                            f"{duty['citation']} không có chu kỳ «{cadence}» để chọn.",
                            f"{duty['citation']} has no cadence “{cadence}” to choose.",
                        )
                    )
                duty["cadence"] = [cadence.value]
    if left:
        raise BadInput(Text(f"Kế hoạch không có {', '.join(left)}.", f"The plan has no {', '.join(left)}."))
    return body


def asked_cycles(plan: PlanFile, rule: str) -> tuple[Cadence, ...]:
    """The cycles of the duties under a rule, in the order of their length."""
    duties = [placed.duty for placed in plan.duties.values() if placed.duty.rule == rule]
    return tuple(each for each in Cadence if each in CYCLES and any(each in duty.cadence for duty in duties))


def named_days(plan: PlanFile, rule: str, typed: str) -> dict[str, object]:
    """The fields of a rule for the days that the office names («17», «5 tháng sau», «15/6; 15/12»): a number alone is a
    day of the last month of its period. Raises BadInput."""
    cycles = asked_cycles(plan, rule)
    found, unread = read_report_days(typed, None, cycles)
    if unread or found.on or found.days == ReportDays():
        what = Text(f"Không đọc được ngày báo cáo «{typed[:40]}»", f"The day of reports “{typed[:40]}” cannot be read")
        raise BadInput(Text.joined("; ", (what, TYPED_AS)))
    days = found.days
    longer = not set(cycles) & {Cadence.WEEK, Cadence.HALF_MONTH, Cadence.MONTH}
    if days.day and longer and not days.in_next_month:
        days = replace(days, in_last_month=True)
    return rule_fields(days)


def with_days(body: dict[str, Any], typed: Mapping[str, str]) -> dict[str, Any]:
    """The stored plan with the days that the office named, by rule. Raises BadInput where a rule asks for none, or for
    others than these."""
    if not typed:
        return body
    body, plan = deepcopy(body), PlanFile.model_validate(body)
    for name, text in typed.items():
        if name not in plan.days_to_ask:
            raise BadInput(Text(f"Quy tắc «{name}» không hỏi ngày.", f"The rule “{name}” asks for no day."))
        rule = {key: value for key, value in body["report_rules"][name].items() if key != "ask_day"}
        basis = f"Ngày do cơ quan đặt khi kích hoạt: {text.strip()[:60]}"
        body["report_rules"][name] = rule | named_days(plan, name, text) | {"source": "local", "basis": basis}
    wrong = next(PlanFile.model_validate(body).mistakes(), None)
    if wrong is not None:
        raise BadInput(Text.joined("; ", (wrong.what, wrong.fix)))
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
