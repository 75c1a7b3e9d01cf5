"""What is done from pages: each deed moves what it should, a refused one keeps what was typed, none twice."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from ground.factory import at, bring_to, happened, row, rows, swept
from ground.office import Office, as_role, open_office

from engine.plans.closing import end
from engine.store.database import Database, table
from engine.store.records import Assignment, Duty, Extension, Notice, Promise
from engine.terms import NoticeKind, State

SO_BAN, HUYEN_A, HUYEN_B, MAT_TRAN, SO_CHINH = 1, 2, 3, 4, 5


def state(lived: Database, assignment: int) -> State:
    found: State = row(lived, Assignment, id=assignment).state
    return found


def test_a_report_is_accepted_from_its_page(office: Office, lived: Database) -> None:
    answer = office.post(f"/assignments/{SO_BAN}/accept", page=f"/assignments/{SO_BAN}")

    assert (answer.status_code, answer.headers["location"]) == (303, f"/assignments/{SO_BAN}?said=accept")
    assert state(lived, SO_BAN) is State.ACCEPTED
    assert "Đã tiếp nhận báo cáo." in office.get(answer.headers["location"]).text


def test_a_report_whose_output_is_owed_is_accepted_with_a_tick_or_a_reason(office: Office, lived: Database) -> None:
    with lived.write() as session:
        owed = {"what": "Quyết định phê duyệt", "kind": "document"}
        session.connection().execute(table(Duty).update().values(output=owed))
    page = BeautifulSoup(office.get(f"/assignments/{SO_BAN}").text, "lxml")
    assert page.select_one("input[name=complete]") is not None
    refused = office.post(f"/assignments/{SO_BAN}/accept")
    assert (refused.status_code, "chưa đủ sản phẩm" in refused.text) == (400, True)
    office.post(f"/assignments/{SO_BAN}/accept", reason="Đã có bản giấy.")
    assert state(lived, SO_BAN) is State.ACCEPTED
    assert "chưa đủ sản phẩm: «Đã có bản giấy.»" in office.get(f"/assignments/{SO_BAN}").text


def test_a_report_is_returned_with_the_reason_that_was_typed(office: Office, lived: Database) -> None:
    office.post(f"/assignments/{SO_BAN}/return", reason="Thiếu\r\nsố liệu.")
    assert state(lived, SO_BAN) is State.RETURNED
    assert "Thiếu\nsố liệu." in office.get(f"/assignments/{SO_BAN}").text


def test_the_page_proposes_a_resubmission_date_and_says_it_afterwards(office: Office, lived: Database) -> None:
    field = BeautifulSoup(office.get(f"/assignments/{SO_BAN}").text, "lxml").select_one("#return-until")
    assert field is not None
    assert field["value"] == "01/7/2021"  # five working days after Thursday 24 June
    office.post(f"/assignments/{SO_BAN}/return", reason="Thiếu số liệu.", until=str(field["value"]))
    page = " ".join(BeautifulSoup(office.get(f"/assignments/{SO_BAN}").text, "lxml").get_text().split())
    assert "Đề nghị bổ sung chậm nhất thứ Năm, 01/7/2021" in page
    assert "Báo cáo lần đầu" in page
    assert "báo cáo đúng hạn" in page


def test_a_refused_deed_shows_why_beside_its_form_and_keeps_what_was_typed(office: Office, lived: Database) -> None:
    answer = office.post(f"/assignments/{HUYEN_B}/transfer", to="", reason="Sáp nhập theo Nghị quyết.")

    page = BeautifulSoup(answer.text, "lxml")
    assert answer.status_code == 400
    assert page.select_one("#transfer-reason").get_text() == "Sáp nhập theo Nghị quyết."  # type: ignore[union-attr]
    assert "Chưa chọn cơ quan nhận" in page.select_one("details[open] .said").get_text()  # type: ignore[union-attr]
    assert state(lived, HUYEN_B) is State.ASSIGNED


def test_an_assignment_is_transferred_to_the_agency_that_was_chosen(office: Office, lived: Database) -> None:
    office.post(f"/assignments/{HUYEN_B}/transfer", to="so-ban", reason="Sáp nhập.")
    assert state(lived, HUYEN_B) is State.TRANSFERRED
    assert row(lived, Assignment, transferred_from_id=HUYEN_B).agency_id == "so-ban"


def test_an_extension_is_granted_from_the_page_of_its_assignment(office: Office, lived: Database) -> None:
    page = BeautifulSoup(office.get(f"/assignments/{MAT_TRAN}").text, "lxml")
    (button,) = page.select('form[action="/extensions"] button[name=grant]')
    asked = office.post("/extensions", grant=str(button["value"]))
    assert "Đồng ý gia hạn 1" in " ".join(asked.text.split())
    answer = office.post("/extensions", act="grant", id=str(button["value"]), words="Đồng ý.", sure="1")
    assert answer.status_code == 303
    assert row(lived, Extension).granted is True
    assert str(row(lived, Assignment, id=MAT_TRAN).due_on) == "2021-06-30"


def test_a_late_task_is_promised_from_its_page_and_the_promise_stands_there(office: Office, lived: Database) -> None:
    page = f"/assignments/{HUYEN_B}"
    assert "Hẹn ngày hoàn thành…" in office.get(page).text
    fields = {"until": "2021-07-30", "reason": "Chờ dự toán.", "code": "kinh-phi"}
    assert office.post(f"{page}/ask_extension", **fields).status_code == 303
    made = row(lived, Promise, assignment_id=HUYEN_B)
    assert (made.source, made.reason_code, str(made.promised_on)) == ("extension", "kinh-phi", "2021-07-30")
    listed = BeautifulSoup(office.get(page).text, "lxml").select_one("details#promises")
    assert listed is not None
    words = " ".join(listed.get_text(" ").split())
    assert "Lần 1: thứ Sáu, 30/7/2021 · kinh phí" in words
    assert "Chờ dự toán." in words


@pytest.mark.parametrize(
    ("assignment", "deed", "fields", "status"),
    [
        (SO_BAN, "acknowledge", {}, 303),
        (HUYEN_B, "accept", {}, 409),
        (HUYEN_B, "return", {"reason": "x"}, 409),
        (SO_BAN, "return", {"reason": "  "}, 400),
        (HUYEN_B, "cancel", {"reason": ""}, 400),
        (HUYEN_B, "ask_extension", {"until": "2021-06-20", "reason": "x"}, 400),
        (HUYEN_B, "ask_extension", {"until": "31/2/2021", "reason": "x"}, 400),
        (MAT_TRAN, "decide_extension", {"answer": "granted"}, 404),
        (HUYEN_B, "transfer", {"to": "nowhere", "reason": "x"}, 400),
        (HUYEN_B, "transfer", {"to": "huyen-b", "reason": "x"}, 400),
        (HUYEN_B, "explode", {}, 404),
        (999, "accept", {}, 404),
    ],
)
def test_what_the_state_or_the_words_do_not_allow_is_a_sentence(
    office: Office, lived: Database, assignment: int, deed: str, fields: dict[str, str], status: int
) -> None:
    before = [(each.id, each.state, each.due_on) for each in rows(lived, Assignment)]

    answer = office.post(f"/assignments/{assignment}/{deed}", **fields)

    assert answer.status_code == status
    assert [(each.id, each.state, each.due_on) for each in rows(lived, Assignment)] == before


def test_acknowledging_what_was_acknowledged_says_that_nothing_changed(office: Office) -> None:
    answer = office.post(f"/assignments/{SO_BAN}/acknowledge")
    assert answer.headers["location"].endswith("said=nothing_new")
    assert "không có gì thay đổi" in office.get(answer.headers["location"]).text


def test_the_title_of_a_late_task_is_the_finding_and_beside_it_stand_its_like(office: Office) -> None:
    page = BeautifulSoup(office.get(f"/assignments/{HUYEN_B}").text, "lxml")
    title = " ".join(page.h1.get_text().split())  # type: ignore[union-attr]
    assert re.fullmatch(r"Huyen b quá hạn \d+ ngày làm việc, chưa xác nhận", title)
    facts = [" ".join(each.get_text(" ").split()) for each in page.select(".three > section")]
    assert facts[0].startswith("Đến nay")
    assert "Báo cáo tuần 14/6/2021: trong hạn; nay quá hạn 5 ngày làm việc" in facts[0]
    assert facts[1].startswith("Tiếp theo thứ Hai, 28/6/2021 còn 2 ngày làm việc: đôn đốc lần 2")
    assert facts[2] == "Lời hẹn chưa hẹn ngày"
    assert "0/2 cơ quan đã hoàn thành" in " ".join(page.select_one("#peers").get_text().split())  # type: ignore[union-attr]


def test_what_a_report_told_is_not_said_of_a_due_date_that_was_moved(lived: Database, tmp_path: Path) -> None:
    bring_to(lived, State.RETURNED, HUYEN_B, now=at("2021-06-22"))
    office = open_office(lived, tmp_path, now=at("2021-07-05"))
    page = BeautifulSoup(office.get(f"/assignments/{HUYEN_B}").text, "lxml")
    assert "quá hạn" in page.h1.get_text()  # type: ignore[union-attr]
    assert "Báo cáo tuần" not in page.select_one(".three").get_text()  # type: ignore[union-attr]


def test_a_step_that_tells_only_those_above_is_a_report_and_no_chaser(lived: Database, tmp_path: Path) -> None:
    swept(lived, at("2021-07-07", "07:00"))
    office = open_office(lived, tmp_path, now=at("2021-07-07", "08:00"))
    page = BeautifulSoup(office.get(f"/assignments/{HUYEN_B}").text, "lxml")
    first, then = (
        " ".join(each.get_text(" ").split()) for each in page.select("section[aria-labelledby=next] p.small")
    )
    assert "đôn đốc lần 3 tới đầu mối" in first
    assert then == "sau đó 09/7/2021: báo cáo tới lãnh đạo cơ quan ban hành"


def test_a_list_of_letters_has_no_week_by_its_code(lived: Database, tmp_path: Path) -> None:
    swept(lived, at("2021-06-28", "07:00"))
    page = BeautifulSoup(
        open_office(lived, tmp_path, now=at("2021-06-28", "08:00")).get("/letters?digest=true").text, "lxml"
    )
    words = page.main.get_text(" ")  # type: ignore[union-attr]
    assert "tổng hợp tuần" in words
    assert not re.search(r"2021-W\d|\b0 dòng", words)


def test_whoever_sees_one_agency_alone_is_not_told_of_the_others(lived: Database, tmp_path: Path) -> None:
    mine = as_role(lived, tmp_path, "coordinator", "huyen-b")
    page = BeautifulSoup(mine.get(f"/assignments/{HUYEN_B}").text, "lxml")
    assert page.select_one("#ladder") is not None
    assert page.select_one("#peers") is None


def test_chasing_shows_the_letters_first_and_sends_nothing(office: Office, lived: Database) -> None:
    before = len(rows(lived, Notice))

    answer = office.post("/overdue/chase", id=[str(HUYEN_B), str(SO_CHINH)])

    assert answer.status_code == 200
    assert "Đôn đốc 2 việc bằng 2 thư?" in " ".join(answer.text.split())
    assert len(rows(lived, Notice)) == before


def test_chasing_for_sure_puts_one_line_into_each_letter_and_only_once_a_day(office: Office, lived: Database) -> None:
    first = office.post("/overdue/chase", id=[str(HUYEN_B), str(SO_CHINH)], sure="1")
    again = office.post("/overdue/chase", id=[str(HUYEN_B)], sure="1")

    assert (first.headers["location"], again.headers["location"]) == ("/overdue?said=chased&n=2", "/overdue?said=none")
    assert len(rows(lived, Notice, kind=NoticeKind.CHASE)) == 2
    assert happened(lived, assignment_id=HUYEN_B).count("chased") == 1
    assert "hôm nay đã được đôn đốc" in office.get(again.headers["location"]).text
    assert "Hôm nay đã đôn đốc, không gửi thêm" in office.post("/overdue/chase", id=[str(HUYEN_B)]).text


def test_what_was_reported_meanwhile_is_left_out_of_the_chase(office: Office) -> None:
    assert "Không có gì để gửi" in office.post("/overdue/chase", id=[str(SO_BAN)]).text


def test_choosing_nothing_to_chase_is_said(office: Office) -> None:
    answer = office.post("/overdue/chase")
    assert answer.status_code == 400
    assert "Chưa chọn việc nào" in answer.text


def test_only_deeds_that_the_state_allows_are_offered(office: Office) -> None:
    def offered(assignment: int) -> set[str]:
        found = re.findall(rf"/assignments/{assignment}/(\w+)", office.get(f"/assignments/{assignment}").text)
        return set(found) - {"answer", "file"}  # a question may be asked, the file read, whatever the state

    assert offered(SO_BAN) == {"accept", "return"}
    assert offered(HUYEN_B) == {"acknowledge", "decline", "ask_extension", "transfer", "cancel"}
    assert offered(MAT_TRAN) == offered(HUYEN_B) - {"ask_extension"}, "what was asked for is decided first"


def test_of_an_ended_plan_nothing_is_asked_and_nothing_refused_any_more(office: Office, lived: Database) -> None:
    late = next(each for each in rows(lived, Assignment) if each.state is State.ASSIGNED)
    before = office.get(f"/assignments/{late.id}").text
    with lived.write() as session:
        end(session, late.plan_id, reason="Hết năm.", actor="account:1", now=at("2021-06-24", "09:00"))
    after = office.get(f"/assignments/{late.id}").text
    assert "Hỏi cơ quan" in before
    assert "không còn yêu cầu báo cáo" in after
    assert "Mở trang báo cáo" in after
    assert [words for words in ("Hỏi cơ quan", "Đôn đốc…", "Chuyển giao", "quá hạn 4") if words in after] == []


def test_the_bar_steps_the_clock_and_comes_back_to_the_page(lived: Database, tmp_path: Path) -> None:
    steps: list[str] = []
    office = open_office(lived, tmp_path, step=steps.append)

    answer = office.post("/demo/step", page="/plans", by="week", back="/plans")

    assert (answer.status_code, answer.headers["location"], steps) == (303, "/plans", ["week"])


def test_after_a_step_the_bar_says_what_happened(lived: Database, tmp_path: Path) -> None:
    office = open_office(lived, tmp_path, step=lambda how: None)
    assert 'class="demo"' in office.get("/overdue?stepped=2021-06-17T00:00:00%2B00:00").text
    page = BeautifulSoup(office.get("/?stepped=2021-06-17T00:00:00%2B00:00").text, "lxml")
    said = " ".join(page.select_one(".demo [role=status]").get_text().split())  # type: ignore[union-attr]
    assert said.startswith("Từ 07:00 17/6/2021: ")
    assert "thư" in said
    for hostile in ("x", "2999-01-01T00:00:00%2B00:00", "2021-06-17"):
        assert "Từ 07:00" not in office.get(f"/?stepped={hostile}").text


@pytest.mark.parametrize(
    "back", ["//evil.example/", "https://evil.example/", "/\\evil.example", "javascript:alert(1)", ""]
)
def test_the_bar_leads_nowhere_else(lived: Database, tmp_path: Path, back: str) -> None:
    office = open_office(lived, tmp_path, step=lambda how: None)
    assert office.post("/demo/step", page="/plans", by="day", back=back).headers["location"] == "/"


def test_outside_the_demonstration_there_is_no_bar_and_no_step(office: Office) -> None:
    assert "/demo/step" not in office.get("/").text
    assert office.post("/demo/step", by="day").status_code == 404
