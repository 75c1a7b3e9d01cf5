"""The essential flows by the keyboard alone: in a sensible order, the focus always seen, Enter sends."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from browser.conftest import Spring, visitors
from browser.visitors import DESK, Come
from ground.office import join
from ground.province import ALONE, SILENT
from playwright.sync_api import Browser

pytestmark = pytest.mark.browser
PASSWORD = "sông Lam nước trong xanh"


@pytest.fixture
def at_keys(chromium: Browser, spring: Spring) -> Iterator[Come]:
    with visitors(chromium, spring, DESK, "vi") as coming:
        yield coming


def test_the_skip_link_comes_first_and_leads_past_the_pages(at_keys: Come) -> None:
    monitor = at_keys("monitor")
    monitor.goes("/")
    assert monitor.tabs_to("link", "Đến nội dung", "Skip to content") == 1
    monitor.page.keyboard.press("Enter")
    monitor.page.keyboard.press("Tab")
    assert monitor.page.evaluate("document.activeElement.closest('main') !== null")


def test_a_letter_is_acknowledged_by_keys(at_keys: Come, spring: Spring) -> None:
    coordinator = at_keys()
    letter = spring.folder / "letter.html"
    letter.write_text(spring.newest_letter(f"daumoi@{SILENT}.nghean.example", "l"))
    coordinator.page.goto(letter.as_uri())
    for _ in range(2):  # the report is due soon and stands first
        coordinator.page.keyboard.press("Tab")
    coordinator.page.keyboard.press("Enter")
    coordinator.sees("4 việc chờ xác nhận đã nhận", "")
    coordinator.tabs_to("button", "Xác nhận đã nhận", "Acknowledge")
    coordinator.page.keyboard.press("Enter")
    coordinator.is_told("Cảm ơn, đã ghi nhận.", "")


def test_signing_in_and_reporting_need_no_mouse(at_keys: Come, spring: Spring) -> None:
    join(spring.database, "coordinator", ALONE, password=PASSWORD)
    coordinator, keys = at_keys(), None
    coordinator.goes("/sign-in")
    keys = coordinator.page.keyboard
    coordinator.tabs_to("textbox", "Địa chỉ thư điện tử", "")
    keys.type(f"coordinator@{ALONE}.example")
    keys.press("Tab")
    keys.type(PASSWORD)
    keys.press("Enter")
    coordinator.arrives(f"/agencies/{ALONE}")

    coordinator.tabs_to("link", "Báo cáo 6 tháng đầu năm 2021", "")
    keys.press("Enter")
    coordinator.arrives(f"/report/{ALONE}/1/2021-H1")
    coordinator.tabs_to("radio", "Chưa báo cáo lần này", "")
    keys.press("ArrowRight")  # «đã hoàn thành»
    keys.press("Tab")
    keys.type("Đã rà soát 12 tuyến.")
    coordinator.tabs_to("button", "Gửi báo cáo", "")
    keys.press("Enter")
    coordinator.is_told("Đã gửi báo cáo", "")


def test_chasing_needs_no_mouse(at_keys: Come) -> None:
    monitor = at_keys("monitor")
    monitor.goes("/overdue")
    monitor.tabs_to("checkbox", "Chọn cả", "")
    monitor.page.keyboard.press("Space")
    monitor.tabs_to("button", "Đôn đốc…", "", most=120)
    monitor.page.keyboard.press("Enter")
    monitor.sees("bằng 1 thư?", "")
    monitor.tabs_to("button", "Đôn đốc ngay", "")
    monitor.page.keyboard.press("Enter")
    monitor.is_told("Đã đưa", "")
