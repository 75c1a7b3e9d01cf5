"""Plan 188's own text comes in by the browser, is corrected and saved; its year is seen; it is activated."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from browser.conftest import Served
from ground.factory import row, rows
from ground.paths import DATA
from playwright.sync_api import Browser, Page, expect

from engine.store.records import Plan
from engine.terms import PlanState

pytestmark = pytest.mark.browser
TEXT = DATA / "188-kh-ubnd-2021.txt"


def upload(page: Page, served: Served, file: Path = TEXT) -> None:
    page.goto(f"{served.url}/plans")
    page.get_by_role("link", name="Nhập từ văn bản").click()
    page.get_by_label("Tệp văn bản").set_input_files(file)
    with page.expect_navigation():
        page.get_by_role("button", name="Đọc văn bản").click()


def test_a_document_becomes_a_plan_whose_year_is_seen_before_it_is_activated(page: Page, province: Served) -> None:
    upload(page, province)
    expect(page.locator(".outline li:has(b)")).to_have_count(17)
    page.locator(".outline button", has_text="16").click()
    expect(page.locator("[id='IV.14']")).to_contain_text("văn bản không có số này")
    assert not page.evaluate("document.documentElement.scrollWidth > innerWidth")
    page.get_by_role("button", name="Trang trước").click()

    owner = page.locator("[id='IV.10'] .owner input").first
    expect(owner).to_have_value("Sở Du lịch")
    owner.fill("Sở Văn hoá & Thể thao")
    page.get_by_role("button", name="Lưu kế hoạch").click()

    expect(page.get_by_role("status")).to_contain_text("Đã lưu kế hoạch")
    plan = row(province.database, Plan)
    assert (plan.number, plan.state) == ("188/KH-UBND", PlanState.LOADED)
    assert plan.file["sections"][0]["items"][9]["owners"] == ["so-van-hoa-the-thao"]

    page.get_by_role("link", name="Xem trước cả năm").click()
    expect(page.locator("table.heat tbody tr")).to_have_count(36, timeout=90_000)
    expect(page.locator(".lead")).to_contain_text(re.compile(r"\d\.\d{3} thư"))
    page.locator("table.heat thead a").nth(9).click()
    expect(page.locator("table.heat thead th.on")).to_have_count(1)
    for width in (1280, 375):
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth") <= width

    page.get_by_role("link", name="Sang bước kích hoạt").click()
    page.get_by_role("button", name=re.compile("Kích hoạt")).click()
    expect(page.get_by_role("status")).to_contain_text("Đã kích hoạt")
    assert row(province.database, Plan).state is PlanState.ACTIVE


def test_a_mistake_is_said_beside_its_field_and_nothing_typed_is_lost(page: Page, province: Served) -> None:
    upload(page, province)
    page.get_by_label("Tên trong SMS").fill("Kế hoạch một trăm tám tám")
    page.get_by_role("button", name="Trang sau").click()
    page.locator("[id='IV.3'] .owner input").first.fill("Sở Bịa Đặt")
    page.locator("[id='IV.2.1'] textarea").fill("Việc đã sửa lời.")
    page.get_by_role("button", name="Lưu kế hoạch").click()

    expect(page.get_by_role("alert")).to_contain_text("Chưa lưu: còn 2 chỗ cần sửa")
    expect(page.get_by_label("Tên trong SMS")).to_have_value("Kế hoạch một trăm tám tám")
    page.get_by_role("alert").get_by_role("button", name=re.compile("Sở Bịa Đặt")).click()
    expect(page.locator("[id='IV.3'] .said")).to_contain_text("danh bạ không có «Sở Bịa Đặt»")
    expect(page.locator("[id='IV.3'] .owner input").first).to_have_value("Sở Bịa Đặt")
    expect(page.locator("[id='IV.2.1'] textarea")).to_have_value("Việc đã sửa lời.")
    assert rows(province.database, Plan) == []


def test_another_language_keeps_what_was_typed(page: Page, province: Served) -> None:
    upload(page, province)
    page.locator("[id='IV.1.1'] textarea").fill("Việc đã sửa lời.")
    page.get_by_role("button", name="English").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Review the draft")
    expect(page.locator("[id='IV.1.1'] textarea")).to_have_value("Việc đã sửa lời.")


@pytest.mark.parametrize("width", [375, 1280])
def test_the_review_fits_a_phone_and_a_desk(page: Page, province: Served, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    upload(page, province)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.get_by_role("button", name="Lưu kế hoạch").click()
    expect(page.get_by_role("status")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_a_file_that_is_no_plan_brings_the_form_back_with_the_reason(
    page: Page, province: Served, tmp_path: Path
) -> None:
    (tmp_path / "note.txt").write_text("Một bức thư không giao việc cho ai.")
    upload(page, province, tmp_path / "note.txt")
    expect(page.get_by_role("alert")).to_be_visible()
    expect(page.get_by_label("Tệp văn bản")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_review_with_a_mistake_passes_axe(
    chromium: Browser, province: Served, scheme: Literal["light", "dark"]
) -> None:
    """It has no address of its own; the pages before and after it have, and are in ``test_every_page``."""
    context = chromium.new_context(color_scheme=scheme, locale="vi-VN", bypass_csp=True)  # axe is a script
    page = context.new_page()
    upload(page, province)
    page.get_by_label("Tên trong SMS").fill("Kế hoạch")
    page.get_by_role("button", name="Lưu kế hoạch").click()
    expect(page.get_by_role("alert")).to_be_visible()
    found = [each["id"] for each in Axe().run(page).response["violations"]]
    context.close()
    assert found == []
