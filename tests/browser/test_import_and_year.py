"""Plan 188's own text comes in by the browser, is corrected and saved; its year is seen; it is activated."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from browser.conftest import Served
from browser.visitors import Visitor
from ground.factory import row, rows
from ground.paths import DATA
from playwright.sync_api import Page, expect

from engine.store.records import Plan, PlanDraft
from engine.terms import PlanState

pytestmark = pytest.mark.browser
TEXT = DATA / "188-kh-ubnd-2021.txt"


def upload(page: Page, served: Served, file: Path = TEXT) -> None:
    page.goto(f"{served.url}/plans")
    page.get_by_role("link", name="Nhập từ văn bản").click()
    page.get_by_label("Tệp văn bản").set_input_files(file)
    with page.expect_navigation():
        page.get_by_role("button", name="Đọc văn bản").click()


def next_page(page: Page) -> None:
    """Turn to the next page of the review and wait until it has arrived whole."""
    with page.expect_navigation():
        page.locator(".stick").get_by_text("Trang sau").click()


def reviewed(page: Page) -> None:
    """Wait for the review: a busy machine first shows a page that asks again until the document is read."""
    expect(page.get_by_role("heading", level=1)).to_have_text(re.compile(r"^\d+ (?:nhiệm vụ|dut)"))


def open_duty(page: Page, citation: str) -> None:
    """Open a duty's fields, on whichever page of the review it stands."""
    reviewed(page)
    duty = page.locator(".found .acts").get_by_text(f"{citation} sửa", exact=True)
    while duty.count() == 0:
        next_page(page)
    if not duty.is_visible():  # what is sure is folded
        page.locator("details").filter(has=duty).locator("summary").first.click()
    with page.expect_navigation():
        duty.click()


def keep(page: Page) -> None:
    """Keep a duty's fields and come back to the review."""
    with page.expect_navigation():
        page.get_by_role("button", name="Ghi", exact=True).click()


def test_a_document_becomes_a_plan_whose_year_is_seen_before_it_is_activated(page: Page, province: Served) -> None:
    upload(page, province)
    reviewed(page)
    while page.locator("[id='IV.14']").count() == 0:
        next_page(page)
    expect(page.locator("[id='IV.14']")).to_contain_text("văn bản không có số này")
    assert not page.evaluate("document.documentElement.scrollWidth > innerWidth")

    page.goto(page.url.partition("?")[0])
    open_duty(page, "IV.10.1")
    owner = page.locator("#owners .owner input").first
    expect(owner).to_have_value("Sở Du lịch")
    owner.fill("Sở Văn hoá & Thể thao")
    keep(page)
    page.goto(page.url.partition("?")[0])
    page.locator("details.plan-fields summary").click()
    page.get_by_label("Ngày báo cáo chung").fill("17")
    page.get_by_role("button", name="Lưu kế hoạch").click()

    expect(page.get_by_role("status")).to_contain_text("Đã lưu kế hoạch")
    for _ in each_width(page):
        expect(page.get_by_role("status")).to_be_visible()
    plan = row(province.database, Plan)
    assert (plan.number, plan.state) == ("188/KH-UBND", PlanState.LOADED)
    assert plan.file["sections"][0]["items"][9]["owners"] == ["so-van-hoa-the-thao"]

    page.locator("summary", has_text="Việc khác").click()
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
    page.locator("details.plan-fields summary").click()
    page.get_by_label("Tên trong SMS").fill("Kế hoạch một trăm tám tám")
    open_duty(page, "IV.2.1")
    page.get_by_label("Nhiệm vụ", exact=True).fill("Việc đã sửa lời.")
    keep(page)
    open_duty(page, "IV.3.1")
    page.locator("#owners .owner input").first.fill("Sở Bịa Đặt")
    keep(page)
    page.get_by_role("button", name="Lưu kế hoạch").click()

    expect(page.get_by_role("alert")).to_contain_text("Chưa lưu: còn 2 chỗ cần sửa")
    expect(page.get_by_label("Tên trong SMS")).to_have_value("Kế hoạch một trăm tám tám")
    page.get_by_role("alert").locator("a", has_text="Sở Bịa Đặt").click()
    expect(page.locator("#owners .said")).to_contain_text("danh bạ không có «Sở Bịa Đặt»")
    expect(page.locator("#owners .owner input").first).to_have_value("Sở Bịa Đặt")
    assert "Việc đã sửa lời." in str(row(province.database, PlanDraft).state)
    assert rows(province.database, Plan) == []


@pytest.mark.deep
def test_another_language_keeps_what_was_typed(page: Page, province: Served) -> None:
    upload(page, province)
    open_duty(page, "IV.1.1")
    page.get_by_label("Nhiệm vụ", exact=True).fill("Việc đã sửa lời.")
    page.locator(".me summary").click()
    page.get_by_role("button", name="English").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Duty IV.1.1")
    expect(page.get_by_label("Duty", exact=True)).to_have_value("Việc đã sửa lời.")


def large_plan(folder: Path) -> Path:
    """A plan of 67 duties of 22 bodies, of which the directory lacks two, and an aim of a third."""
    bodies = ["Sở Y tế", "Sở Nội vụ", "Công an tỉnh", "Sở Tư pháp", "Sở Tài chính", "Sở Du lịch", "Sở Công Thương"]
    bodies += [
        "Trung tâm Cứu hộ tỉnh",
        "Sở Giáo dục và Đào tạo",
        "Mạng lưới tình nguyện viên",
        "UBND các huyện, thành phố, thị xã",
    ]
    head = "ỦY BAN NHÂN DÂN\nTỈNH NGHỆ AN\nSố: 67/KH-UBND\nNghệ An, ngày 05 tháng 4 năm 2021\nKẾ HOẠCH\nNĂM 2021\n"
    lines = [
        head + "I. MỤC TIÊU",
        "1. Nâng cao nhận thức.",
        "2. Các cơ quan báo chí đăng tin trước ngày 30/6/2021.",
        "IV. TỔ CHỨC THỰC HIỆN",
    ]
    duty = "Chủ trì, phối hợp với các cơ quan liên quan rà soát, hướng dẫn và kiểm tra việc thực hiện nhiệm vụ"
    times = ("", ", hoàn thành trước ngày 15/9/2021", "; định kỳ 6 tháng, năm báo cáo UBND tỉnh")
    count = 0
    for number in range(1, 23):
        lines.append(f"{number}. {bodies[number % len(bodies)]}")
        for _ in range(3 + (number == 22)):
            lines.append(f"- {duty} số {count + 1}{times[count % 3]}.")
            count += 1
    assert count == 67
    lines.append("UBND tỉnh yêu cầu các sở, ban, ngành báo cáo trước ngày 15/12/2021./.")
    file = folder / "67.txt"
    file.write_text("\n".join(lines))
    return file


WIDTHS = (375, 1280)


@pytest.mark.deep
def test_a_plan_of_67_duties_is_shown_whole_with_unknown_bodies_first(
    page: Page, province: Served, tmp_path: Path
) -> None:
    upload(page, province, large_plan(tmp_path))
    for _ in each_width(page):
        expect(page.locator("fieldset.body")).to_have_count(3)
        body, duty = page.locator("fieldset.body").first.bounding_box(), page.locator(".found").first.bounding_box()
        assert body
        assert duty
        assert body["y"] < duty["y"]
    page.locator("fieldset.body").first.get_by_label("tạo trong danh bạ").check()
    duties = page.locator(".found").count()
    while page.locator(".stick").get_by_text("Trang sau").count():
        next_page(page)
        duties += page.locator(".found").count()
    assert duties == 68


def each_width(page: Page) -> Iterator[int]:
    """At the widths of a telephone and a desk in turn, at which nothing may scroll sideways."""
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        yield width


def test_a_file_that_is_no_plan_brings_the_form_back_with_the_reason(
    page: Page, province: Served, tmp_path: Path
) -> None:
    (tmp_path / "note.txt").write_text("Một bức thư không giao việc cho ai.")
    upload(page, province, tmp_path / "note.txt")
    expect(page.get_by_role("alert")).to_be_visible()
    expect(page.get_by_label("Tệp văn bản")).to_be_visible()


@pytest.mark.deep
def test_a_review_with_a_mistake_passes_axe(page: Page, province: Served) -> None:
    """It has no address of its own; the pages before and after it have, and are in ``test_every_page``."""
    upload(page, province)
    page.locator("details.plan-fields summary").click()
    page.get_by_label("Tên trong SMS").fill("Kế hoạch")
    page.get_by_role("button", name="Lưu kế hoạch").click()
    expect(page.get_by_role("alert")).to_be_visible()
    assert Visitor(page, province.url).looks_both_ways(set(), whole=True) == []
