"""What an office does on other days: proof with a report, all acknowledged and accepted at once, a day off that moves
a due date, a new contact, a sign-in by a letter."""

from __future__ import annotations

from datetime import date

import pytest
from browser.conftest import Spring
from browser.visitors import Come, within
from ground.factory import rows
from ground.office import join
from ground.province import ALONE, PNG, SILENT
from playwright.sync_api import expect

from engine.store.records import Assignment, Contact
from engine.terms import Role, State

pytestmark = pytest.mark.browser


def of(spring: Spring, agency_id: str, period: str = "2021-H1") -> list[Assignment]:
    return [each for each in rows(spring.database, Assignment) if (each.agency_id, each.period) == (agency_id, period)]


def test_a_file_sent_with_a_report_comes_back_byte_by_byte(come: Come, spring: Spring) -> None:
    coordinator, monitor = come("coordinator", ALONE), come("monitor")
    coordinator.goes(f"/report/{ALONE}/1/2021-H1")
    coordinator.chooses("Đã hoàn thành", "Done")
    coordinator.types("Kết quả thực hiện", "What was done", "Đã rà soát 12 tuyến.")
    proof = {"name": "bien-ban.png", "mimeType": "image/png", "buffer": PNG}
    coordinator.page.get_by_label(coordinator.words("Tệp đính kèm", "Attached files")).first.set_input_files([proof])
    coordinator.presses("Gửi báo cáo", "Send the report")
    coordinator.is_told("Đã gửi báo cáo", "Reported")

    monitor.goes(f"/assignments/{of(spring, ALONE)[0].id}")
    with monitor.page.expect_download() as coming:
        monitor.follows("bien-ban.png", "bien-ban.png")
    assert coming.value.suggested_filename == "bien-ban.png"
    assert coming.value.path().read_bytes() == PNG


@pytest.mark.deep
def test_everything_new_is_acknowledged_at_once(come: Come, spring: Spring, capsys: pytest.CaptureFixture[str]) -> None:
    coordinator = come("coordinator", SILENT)
    coordinator.goes("/")
    with within(coordinator, 2, "acknowledge all that is new", capsys):
        coordinator.presses("Xác nhận đã nhận cả", "Acknowledge all")
    coordinator.is_told("Đã ghi nhận: cơ quan đã nhận 4 nhiệm vụ", "Acknowledged 4 assignments")
    assert {each.state for each in of(spring, SILENT)} == {State.ACKNOWLEDGED}


@pytest.mark.deep
def test_a_page_of_reports_is_accepted_at_once(come: Come, spring: Spring) -> None:
    monitor = come("monitor")
    monitor.goes("/accept")
    monitor.follows("Chọn tất cả trên trang này", "Tick all on this page")
    expect(monitor.page.get_by_role("checkbox").first).to_be_checked()
    chosen = monitor.page.locator("input[type=checkbox]:checked").count()  # not the one for the whole filter
    monitor.presses("Tiếp nhận các việc đã chọn", "Accept those chosen")
    monitor.presses(f"Tiếp nhận {chosen} báo cáo", f"Accept {chosen} reports")
    monitor.is_told(f"Đã tiếp nhận {chosen} báo cáo", f"Accepted {chosen} reports")
    assert [each.state for each in rows(spring.database, Assignment)].count(State.ACCEPTED) == chosen


def test_a_day_off_moves_a_due_date_once_it_has_been_previewed(come: Come, spring: Spring) -> None:
    administrator = come("administrator")
    administrator.goes("/admin/calendar")
    administrator.page.get_by_label(administrator.words("Ngày", "Day"), exact=True).fill("17/9/2021")
    administrator.types("Tên gọi", "Name", "Nghỉ bù")
    administrator.types("Căn cứ", "Legal basis", "Công văn 88/UBND")
    administrator.presses("Xem trước tác động", "Preview the effect")
    administrator.sees("2 hạn sẽ chuyển", "2 due dates move")
    assert {each.due_on for each in of(spring, "bao-nghe-an", "2021-Q3")} == {date(2021, 9, 17)}
    administrator.presses("Lưu và chuyển 2 hạn", "Save and move 2 due dates")
    administrator.is_told("Đã lưu", "Saved")
    assert {each.due_on for each in of(spring, "bao-nghe-an", "2021-Q3")} == {date(2021, 9, 20)}
    administrator.goes(f"/assignments/{of(spring, 'bao-nghe-an', '2021-Q3')[0].id}")
    administrator.sees("20/9/2021", "20/9/2021")


@pytest.mark.deep
def test_a_contact_is_added(come: Come, spring: Spring) -> None:
    administrator = come("administrator")
    administrator.goes(f"/admin/agencies/{ALONE}")
    administrator.follows("Thêm đầu mối", "Add a contact")
    administrator.page.get_by_label(administrator.words("Vai trò", "Role")).select_option(Role.COORDINATOR)
    administrator.types("Hộp thư", "Mailbox", f"daumoi2@{ALONE}.nghean.example")
    administrator.presses("Thêm đầu mối", "Add a contact")
    administrator.arrives(f"/admin/agencies/{ALONE}")
    administrator.sees(f"daumoi2@{ALONE}.nghean.example", f"daumoi2@{ALONE}.nghean.example")
    assert f"daumoi2@{ALONE}.nghean.example" in {each.email for each in rows(spring.database, Contact)}


def test_a_sign_in_link_comes_by_letter(come: Come, spring: Spring) -> None:
    join(spring.database, "coordinator", ALONE)
    coordinator = come()
    coordinator.goes("/sign-in")
    coordinator.types("Địa chỉ thư điện tử", "E-mail address", f"coordinator@{ALONE}.example")
    coordinator.presses("Gửi tôi liên kết đăng nhập", "Send me a sign-in link")
    coordinator.is_told("liên kết đăng nhập", "link")

    letter = spring.folder / "letter.html"
    letter.write_text(spring.newest_letter(f"coordinator@{ALONE}.example", "link"))
    coordinator.page.goto(letter.as_uri())
    coordinator.follows("Mở trang đăng nhập", "Mở trang đăng nhập")
    coordinator.presses("Đăng nhập", "Sign in")
    coordinator.arrives(f"/agencies/{ALONE}")
