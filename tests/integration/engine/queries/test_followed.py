"""Which agencies a department follows: those in the plans that it supervises or has issued."""

from __future__ import annotations

import pytest
from ground.factory import Laid

from engine.queries.directory import followed_agencies

PROVINCE = {"tinh", "so-chinh", "so-ban", "huyen-a", "huyen-b", "mat-tran"}


@pytest.mark.parametrize(
    ("department", "agencies"), [("so-chinh", PROVINCE), ("tinh", PROVINCE), ("so-ban", {"so-ban"})]
)
def test_a_department_follows_the_agencies_of_its_own_plans(laid: Laid, department: str, agencies: set[str]) -> None:
    with laid.database.read() as session:
        assert followed_agencies(session, department) == agencies
