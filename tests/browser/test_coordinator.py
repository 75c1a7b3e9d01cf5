"""What a coordinator does: from the letter to acknowledged in two taps; a report, returned, mended and accepted."""

from __future__ import annotations

from datetime import date

import pytest
from browser.conftest import Spring
from browser.visitors import Come, Visitor, within
from ground.office import join
from ground.province import ALONE, SILENT
from sqlalchemy import func, select, update

from engine.store.database import table
from engine.store.records import Assignment, Extension
from engine.terms import State

pytestmark = pytest.mark.browser
PASSWORD = "sông Lam nước trong xanh"


def states(spring: Spring, agency_id: str) -> dict[State, int]:
    a = table(Assignment)
    with spring.database.read() as session:
        counted = select(a.c.state, func.count().label("count")).where(a.c.agency_id == agency_id).group_by(a.c.state)
        return {row.state: row.count for row in session.connection().execute(counted)}  # type: ignore[misc]


def opens_the_letter(coordinator: Visitor, spring: Spring, to: str, purpose: str) -> None:
    """The very letter that came, in a mail program that runs no scripts."""
    letter = spring.folder / "letter.html"
    letter.write_text(spring.newest_letter(to, purpose))
    coordinator.page.goto(letter.as_uri())


def test_from_the_letter_to_acknowledged_in_two_taps(come: Come, spring: Spring) -> None:
    coordinator = come()
    opens_the_letter(coordinator, spring, f"daumoi@{SILENT}.nghean.example", "l")
    coordinator.follows("Xác nhận đã nhận", "Xác nhận đã nhận")  # the letter is in the contact's own language
    assert states(spring, SILENT) == {State.ASSIGNED: 4}
    coordinator.presses("Xác nhận đã nhận", "Acknowledge")

    coordinator.is_told("Cảm ơn, đã ghi nhận.", "Thank you, it is recorded.")
    assert states(spring, SILENT) == {State.ACKNOWLEDGED: 4}
    assert not coordinator.looks()


def test_a_report_goes_back_and_forth_until_it_is_accepted(come: Come, spring: Spring) -> None:
    join(spring.database, "coordinator", ALONE, password=PASSWORD)
    coordinator, monitor = come(), come("monitor")
    coordinator.goes("/")
    coordinator.arrives("/sign-in")
    coordinator.types("Địa chỉ thư điện tử", "E-mail address", f"coordinator@{ALONE}.example")
    coordinator.types("Mật khẩu", "Password", PASSWORD)
    coordinator.presses("Đăng nhập", "Sign in")
    coordinator.arrives(f"/agencies/{ALONE}")

    coordinator.follows("Báo cáo 6 tháng đầu năm 2021", "Report first half of 2021")
    coordinator.chooses("Hoàn thành một phần", "Partly")
    coordinator.types("Kết quả thực hiện", "What was done", "Đã rà soát 12 tuyến.")
    coordinator.presses("Gửi báo cáo", "Send the report")
    coordinator.is_refused("Chưa gửi", "Not sent")  # why it is not finished must be said
    coordinator.types(
        "Lý do chưa hoàn thành, khó khăn, vướng mắc", "Why, if not finished", "Còn ba tuyến đang thi công."
    )
    coordinator.presses("Gửi báo cáo", "Send the report")
    coordinator.is_told("Đã gửi báo cáo", "Reported")

    monitor.goes(f"/agencies/{ALONE}")
    monitor.sees("Đã báo cáo nhưng chưa hoàn thành", "Reported, not finished")
    monitor.follows("IV.", "IV.")
    monitor.sees("Đã rà soát 12 tuyến.", "Đã rà soát 12 tuyến.")
    monitor.opens("Trả lại để sửa", "Return it")
    monitor.types("Nội dung cần sửa", "What needs correcting?", "Đề nghị ghi rõ tên tuyến.")
    monitor.presses("Trả lại báo cáo", "Return the report")
    monitor.is_told("Đã trả lại", "Returned")

    coordinator.goes("/")
    coordinator.arrives(f"/agencies/{ALONE}")
    coordinator.sees("Báo cáo bị trả lại, cần sửa", "Returned for correction")
    coordinator.follows("Báo cáo 6 tháng đầu năm 2021", "Report first half of 2021")
    coordinator.sees("Đề nghị ghi rõ tên tuyến.", "Đề nghị ghi rõ tên tuyến.")
    coordinator.chooses("Đã hoàn thành", "Done")
    coordinator.types("Kết quả thực hiện", "What was done", "Đã rà soát 12 tuyến, từ tuyến 1 đến tuyến 12.")
    coordinator.presses("Gửi báo cáo", "Send the report")
    coordinator.is_told("Đã gửi báo cáo", "Reported")

    monitor.page.reload()
    monitor.opens("Tiếp nhận…", "Accept…")
    monitor.presses("Tiếp nhận", "Accept")
    monitor.is_told("Đã tiếp nhận báo cáo.", "The report is accepted.")
    assert states(spring, ALONE) == {State.ACCEPTED: 1}


def test_all_done_is_one_box_and_what_it_does_is_seen_at_each_duty(come: Come, spring: Spring) -> None:
    coordinator = come("coordinator", SILENT)
    coordinator.goes(f"/report/{SILENT}/1/2021-H1")
    answers = coordinator.page.locator(".choices").first
    assert not answers.is_visible()
    coordinator.opens("Từng nhiệm vụ", "Each duty")
    assert coordinator.finds("radio", "Chưa báo cáo lần này", "Later").is_checked()
    tops = {each.bounding_box()["y"] for each in answers.locator("label").all()}  # type: ignore[index]
    assert coordinator.telephone or len(tops) == 1, "the answers stand in one row"
    coordinator.ticks(coordinator.finds("checkbox", "Tất cả đã hoàn thành", "All of them are done"))
    assert coordinator.finds("radio", "Như đã chọn cho tất cả", "As chosen for all").is_checked()
    coordinator.types("Kết quả thực hiện chung", "What was done, for all", "Đã ban hành kế hoạch.")
    assert not coordinator.looks()
    coordinator.presses("Gửi báo cáo", "Send the report")
    coordinator.is_told("Đã gửi báo cáo 4", "Reported 4")
    assert states(spring, SILENT) == {State.REPORTED: 4}


def test_a_likely_day_stands_under_its_field(come: Come) -> None:
    coordinator = come("coordinator", SILENT)
    coordinator.goes(f"/report/{SILENT}/1/2021-H1/thread")
    day, offer = (
        coordinator.page.locator(each).first.bounding_box() for each in ("#promise-promise", "#promise [name=fill]")
    )
    assert day is not None
    assert offer is not None
    assert (offer["x"], offer["width"] < day["width"]) == (day["x"], True), "its words begin where the field does"


def test_an_extension_for_a_whole_period_is_asked_from_the_letter_in_three_taps_and_words(
    come: Come, spring: Spring, capsys: pytest.CaptureFixture[str]
) -> None:
    """From the letter, without an account. The duties are ticked already; date and reason are typed."""
    a, extensions = table(Assignment), table(Extension)
    with spring.database.write() as session:
        later = update(a).where(a.c.agency_id == SILENT).values(due_on=date(2021, 6, 30))
        session.connection().execute(later)
    coordinator = come()
    opens_the_letter(coordinator, spring, f"daumoi@{SILENT}.nghean.example", "r")
    with within(coordinator, 3, "an extension for a period, and words", capsys):
        coordinator.follows("Báo khó khăn, hỏi", "Báo khó khăn, hỏi")  # it was overdue when the letter left
        coordinator.types("Hạn mới", "New due date", "2021-07-09")
        coordinator.types("Lý do", "Reason", "Chờ số liệu của hai xã.")
        coordinator.presses("Gửi đề nghị gia hạn", "Ask for the extension")
    coordinator.is_told("Đã gửi đề nghị gia hạn", "Asked to extend")
    with spring.database.read() as session:
        asked = (
            session.connection()
            .execute(select(extensions).where(extensions.c.reason == "Chờ số liệu của hai xã."))
            .all()
        )
    assert len(asked) == 4
    assert not coordinator.looks()
