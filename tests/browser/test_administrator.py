"""What the administrator does: a plan's document comes in, is corrected, and is activated once its effect is seen."""

from __future__ import annotations

import pytest
from browser.conftest import Served
from browser.visitors import Come
from ground.factory import row
from ground.paths import DATA

from engine.store.records import Plan
from engine.terms import PlanState

pytestmark = pytest.mark.browser
TEXT = DATA / "188-kh-ubnd-2021.txt"


@pytest.mark.deep
def test_a_plan_comes_in_and_is_activated_once_its_effect_is_seen(come_early: Come, province: Served) -> None:
    administrator = come_early("administrator")
    administrator.goes("/plans")
    administrator.follows("Nhập từ văn bản", "Import a document")
    administrator.page.get_by_label(administrator.words("Tệp văn bản", "Document")).set_input_files(TEXT)
    administrator.presses("Đọc văn bản", "Read the document")
    administrator.sees("28 nhiệm vụ", "28 duties")
    administrator.presses("Lưu kế hoạch", "Save the plan")
    administrator.is_told("Đã lưu kế hoạch", "The plan is saved")

    administrator.follows("Kích hoạt", "Activate")
    administrator.sees("Mở ngay", "Opened at once")
    assert not administrator.looks()
    assert row(province.database, Plan).state is PlanState.LOADED
    administrator.sees("Còn 1 ngày phải chọn", "1 day to choose")
    administrator.page.locator("[id=day-hoi-ngay-half-year-year]").fill("17")
    administrator.presses("Xem lại với các ngày này", "Look again with these days")
    administrator.presses("Kích hoạt", "Activate")
    administrator.is_told("Đã kích hoạt", "Activated")
    assert row(province.database, Plan).state is PlanState.ACTIVE
