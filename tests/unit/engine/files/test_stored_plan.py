"""The digest of a plan: pinned for plan 188, and indifferent to optional fields that are added later and not used."""

from __future__ import annotations

from typing import Any

import pytest
from ground.paths import CONFIG
from pydantic import Field

from engine.errors import BadInput
from engine.files.plan import PlanFile, load_plan
from engine.files.plan_parts import DutyEntry, Indicator, ItemEntry, ReportRule, Section
from engine.files.stored_plan import document_body, plan_body, with_cadences
from engine.rules.periods import Cadence
from engine.store.event_log import content_digest

PLAN = load_plan(CONFIG / "plans/188-kh-ubnd-2021.yaml")
DIGEST = "7b6970f43f805d77fe2cc14b4a23e887ce23534e6eb3144b825f7a11373705ea"


class LaterDuty(DutyEntry):
    colour: str = "none"


class LaterItem(ItemEntry):
    duties: tuple[LaterDuty, ...] = Field(min_length=1)  # type: ignore[assignment]
    marks: tuple[str, ...] = Field(default_factory=tuple)


class LaterSection(Section):
    items: tuple[LaterItem, ...] = Field(min_length=1)  # type: ignore[assignment]


class LaterRule(ReportRule):
    grace_days: int | None = None


class LaterIndicator(Indicator):
    hint: str = ""


class LaterPlan(PlanFile):
    stamp: bool = False
    indicators: tuple[LaterIndicator, ...] = ()  # type: ignore[assignment]
    report_rules: dict[str, LaterRule] = Field(min_length=1)  # type: ignore[assignment]
    sections: tuple[LaterSection, ...] = Field(min_length=1)  # type: ignore[assignment]


def later(**changes: Any) -> PlanFile:
    return LaterPlan.model_validate(PLAN.model_dump(mode="json", by_alias=True) | changes)


def test_the_digest_of_plan_188_is_that_of_the_plans_stored_already() -> None:
    assert content_digest(document_body(PLAN)) == DIGEST


def test_an_optional_field_added_anywhere_and_not_used_changes_no_digest() -> None:
    assert content_digest(document_body(later())) == DIGEST


def test_an_added_field_that_is_used_changes_the_digest() -> None:
    assert plan_body(later(stamp=True)) == plan_body(PLAN) | {"stamp": True}


def test_a_stored_plan_is_read_back_equal() -> None:
    assert PlanFile.model_validate(plan_body(PLAN)) == PLAN


def test_the_office_chooses_a_cadence_where_the_plan_leaves_a_choice() -> None:
    chosen = PlanFile.model_validate(with_cadences(plan_body(PLAN), {"IV.15.1": Cadence.MONTH}))
    assert chosen.duties["IV.15.1"].duty.cadence == (Cadence.MONTH,)
    assert {c for c, placed in chosen.duties.items() if placed.duty != PLAN.duties[c].duty} == {"IV.15.1"}
    for wrong in ({"IV.15.1": Cadence.YEAR}, {"IV.1.1": Cadence.MONTH}, {"IV.99.1": Cadence.MONTH}):
        with pytest.raises(BadInput):
            with_cadences(plan_body(PLAN), wrong)
