"""The persons of an office at their work, by touches: a monitor on a Monday, a coordinator on a telephone, the
leadership, an administrator. Each touch of a link, button or box counts; typing does not. The counts are printed."""

from __future__ import annotations

import io

import docx
import pytest
from browser.conftest import Spring
from browser.visitors import Come, Visitor, within
from openpyxl import load_workbook
from playwright.sync_api import Locator, expect

from engine.terms import Role

pytestmark = pytest.mark.browser


def saved(who: Visitor, on: Locator) -> tuple[str, bytes]:
    """The name and bytes of the file that a touch downloads."""
    with who.page.expect_download() as coming:
        who.taps += 1
        if who.telephone:
            on.tap()
        else:
            on.click()
    return coming.value.suggested_filename, coming.value.path().read_bytes()


def test_a_monitor_takes_a_paper_out_and_records_its_number(come: Come, capsys: pytest.CaptureFixture[str]) -> None:
    monitor = come("monitor")
    monitor.goes("/")
    with within(monitor, 5, "paper out, number recorded", capsys):
        monitor.follows("Quá hạn", "Overdue")
        monitor.follows("Soạn công văn đôn đốc", "Draft a dispatch")
        name, body = saved(monitor, monitor.finds("button", "Tải một công văn chung", "Download one for all"))
        monitor.types("Số và ký hiệu", "Number and sign", "412/SLĐTBXH-PCTNXH")
        monitor.types("Ngày văn bản", "Date", "24/6/2021")
        monitor.presses("Ghi số và ngày", "Record number and date")
    assert name.startswith("cv-don-doc_188-KH-UBND-2021")
    assert "V/v đôn đốc" in " ".join(
        cell.text for row in docx.Document(io.BytesIO(body)).tables[0].rows for cell in row.cells
    )
    monitor.is_told("Đã ghi số và ngày", "Number and date are recorded")
    monitor.goes("/search?q=412")
    monitor.sees("412/SLĐTBXH-PCTNXH", "412/SLĐTBXH-PCTNXH")


@pytest.mark.deep
def test_a_monitor_takes_the_overdue_list_along(come: Come, capsys: pytest.CaptureFixture[str]) -> None:
    monitor = come("monitor")
    monitor.goes("/overdue")
    with within(monitor, 1, "overdue list as Excel", capsys):
        name, body = saved(monitor, monitor.finds("link", "Excel", "Excel"))
    assert name.endswith(".xlsx")
    page = load_workbook(io.BytesIO(body)).active
    assert page is not None
    assert page.max_row == 2 + 21
    with within(monitor, 1, "overdue list on paper", capsys):
        monitor.follows("In", "Print")
    expect(monitor.page.locator("main.printed tbody tr")).to_have_count(21)
    expect(monitor.page.locator("main.printed .qr svg")).to_have_count(1)


@pytest.mark.deep
def test_a_duty_is_found_by_three_words(come: Come, capsys: pytest.CaptureFixture[str]) -> None:
    monitor = come("monitor")
    monitor.goes("/letters")
    with within(monitor, 2, "a duty by three words", capsys):
        monitor.types("Tìm kế hoạch", "Find plans", "phong su truyen")
        monitor.page.keyboard.press("Enter")
        monitor.follows("IV.15.1", "IV.15.1")
    monitor.sees("phóng sự", "phóng sự")


@pytest.mark.deep
def test_the_leadership_takes_one_page_along(come: Come, capsys: pytest.CaptureFixture[str]) -> None:
    leader = come("leadership")
    leader.goes("/")
    with within(leader, 2, "the leadership's page as a paper", capsys):
        leader.follows("Lãnh đạo", "Leadership")
        name, body = saved(leader, leader.finds("link", "Báo cáo để ký", "Report for signature"))
    assert name.startswith("bao-cao-nhanh_")
    assert any("Đã hoàn thành" in each.text for each in docx.Document(io.BytesIO(body)).paragraphs)


@pytest.mark.deep
def test_an_administrator_adds_a_reminder(come: Come, spring: Spring, capsys: pytest.CaptureFixture[str]) -> None:
    administrator = come("administrator")
    administrator.goes("/admin/policies/default")
    with within(administrator, 5, "a reminder added to the policy", capsys):
        administrator.follows("Thêm mốc…", "Add a step…")
        step = administrator.page.locator("#step")
        step.get_by_role("textbox").fill("5")
        step.get_by_role("combobox").first.select_option("after")
        administrator.ticks(step.locator(f'input[value="{Role.HEAD}"]'))
        administrator.presses("Xem điều gì thay đổi", "See what changes")
        administrator.sees("Nếu thêm mốc này", "With this step")
        administrator.presses("Lưu mốc này", "Save this step")
    administrator.is_told("Đã lưu chính sách", "The policy is saved")


@pytest.mark.deep
def test_a_monitor_gives_several_another_due_date(come: Come, capsys: pytest.CaptureFixture[str]) -> None:
    monitor = come("monitor")
    monitor.goes("/assignments?class=open_overdue")
    boxes = monitor.page.locator("input[name=id]")
    with within(monitor, 5, "two assignments re-dated", capsys):
        monitor.ticks(boxes.nth(0))
        monitor.ticks(boxes.nth(1))
        monitor.presses("Đặt lại hạn…", "Re-date…")
        monitor.types("Hạn mới", "New due date", "30/9/2021")
        monitor.types("Căn cứ", "Basis", "Công văn 88/UBND")
        assert not monitor.looks()
        monitor.presses("Xem trước", "See what would happen")
        monitor.sees("Thư sẽ gửi", "Letters that follow")
        assert not monitor.looks()
        monitor.presses("Đặt lại hạn 2 việc", "Set another due date for 2 assignments")
    monitor.is_told("Đã đặt lại hạn: 2 việc", "Given another due date: 2 assignments")
