"""The report page: one submission, every duty tracked alone, nothing lost on an error."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from ground.factory import at, begin, bring_to, item, plan_file, row, rows, store
from ground.office import Office, looking, open_office

from engine.assignments.lifecycle import return_report
from engine.features.papers.period_report import period_report
from engine.queries.filter_choices import plan_of
from engine.store.database import Database
from engine.store.records import Assignment, Draft, Promise, Report
from engine.terms import State

PAGE = "/report/so-ban/1/2021-H1"
FIGURES = (
    {"code": "II.1", "text": "x", "name": "Số xã", "unit": "count", "asked_of": ["so-ban"], "max": 460},
    {
        "code": "II.3",
        "text": "x",
        "name": "Số xã lành mạnh",
        "unit": "count",
        "asked_of": ["so-ban"],
        "part_of": "II.1",
    },
    {"code": "II.2", "text": "x", "name": "Số tin", "unit": "count", "asked_of": ["IV.2.1"]},
    {"code": "II.9", "text": "x", "name": "Của huyện", "unit": "count", "asked_of": ["cac-huyen"]},
)


@pytest.fixture
def office(sqlite_database: Database, tmp_path: Path) -> Office:
    """so-ban owns IV.1.1 and IV.2.1 (assignments 1 and 2), due on 17 June."""
    plan = plan_file(items=(item(1, "so-ban"), item(2, "so-ban")), indicators=FIGURES)
    begin(store(sqlite_database, now=at("2021-06-01"), plan=plan), now=at("2021-06-01"))
    return open_office(sqlite_database, tmp_path, now=at("2021-06-15"))


def both(outcome: str = "done", **more: str) -> dict[str, str]:
    fields = {
        f"{name}-{number}": value for number in (1, 2) for name, value in (("outcome", outcome), ("body", "Đã làm."))
    }
    return fields | more


def states(office: Office) -> list[State]:
    return [each.state for each in rows(office.context.database, Assignment)]


def test_all_duties_of_the_agency_stand_on_one_page_with_the_figures_asked_of_it(office: Office) -> None:
    page = BeautifulSoup(office.get(PAGE).text, "lxml")
    assert [legend.b.get_text() for legend in page.select("fieldset > legend")] == ["IV.1.1", "IV.2.1"]  # type: ignore[union-attr]
    assert [field["name"] for field in page.select(".figures input")] == ["figure-II.2", "figure-II.1", "figure-II.3"]
    assert page.select_one("#d-2 [name='figure-II.2']") is not None, "it stands with the duty that asks for it"
    assert "Đã báo cáo 0/2" in page.get_text()


def folds(office: Office) -> list[bool]:
    """Whether what is asked of each duty and the figures stand open."""
    page = BeautifulSoup(office.get(PAGE).text, "lxml")
    return [each.has_attr("open") for each in page.select("details.each, details#figures")]


def test_each_duty_and_the_figures_are_folded_until_something_stands_in_them(office: Office) -> None:
    assert folds(office) == [False, False]
    refused = BeautifulSoup(office.post(PAGE, page=PAGE, **both(**{"body-2": ""})).text, "lxml")
    assert refused.select_one("details.each[open] #body-2[aria-invalid]") is not None
    office.post(PAGE, page=PAGE, act="draft", **{"outcome-1": "partly"})
    assert folds(office) == [True, True]


def test_what_was_reported_before_opens_the_duties_and_their_figures(office: Office) -> None:
    typed = {"outcome-1": "partly", "body-1": "Đã rà soát.", "reason-1": "Thiếu kinh phí.", "figure-II.1": "0"}
    office.post(PAGE, page=PAGE, **typed)
    assert folds(office) == [True, True]
    office.post(PAGE, page=PAGE, **both(**{"outcome-1": ""}))
    assert BeautifulSoup(office.get(PAGE).text, "lxml").select(".each") == [], "one alone is not folded"


def test_a_duty_stands_in_its_whole_text(sqlite_database: Database, tmp_path: Path) -> None:
    long = "Rà soát, lập danh sách từng xã, phường, thị trấn trên địa bàn; tổng hợp, báo cáo, đề xuất hình thức khen."
    plan = plan_file(items=(item(1, "so-ban", text=long),))
    begin(store(sqlite_database, now=at("2021-06-01"), plan=plan), now=at("2021-06-01"))
    page = open_office(sqlite_database, tmp_path, now=at("2021-06-15")).get(PAGE).text
    assert BeautifulSoup(page, "lxml").select_one("legend > span").get_text() == long  # type: ignore[union-attr]


def test_one_submission_reports_each_duty_alone_with_its_figures(office: Office) -> None:
    answer = office.post(
        PAGE,
        page=PAGE,
        **both(**{"figure-II.1": "1.0", "figure-II.2": "12", "figure-II.3": ""}) | {"figure-II.1": "460"},
    )

    assert answer.headers["location"] == f"{PAGE}?said=reported&n=2"
    assert [(each.outcome, each.figures) for each in rows(office.context.database, Report)] == [
        ("done", {"II.1": 460}),
        ("done", {"II.2": 12}),
    ]
    assert states(office) == [State.REPORTED, State.REPORTED]
    assert "<form" not in office.get(PAGE).text.partition("<main")[2]


def test_only_duties_with_an_outcome_are_sent_the_others_remain_owed(office: Office) -> None:
    office.post(PAGE, page=PAGE, **both(**{"outcome-2": ""}))
    assert states(office) == [State.REPORTED, State.ASSIGNED]
    page = office.get(PAGE).text
    assert "Đã báo cáo 1/2" in page
    assert 'name="outcome-2"' in page
    assert 'name="outcome-1"' not in page


def test_a_refused_submission_sends_nothing_keeps_all_and_names_each_field(office: Office) -> None:
    typed = both("partly", **{"reason-1": "Thiếu kinh phí.", "figure-II.1": "461", "body-2": ""})

    answer = office.post(PAGE, page=PAGE, **typed)

    page = BeautifulSoup(answer.text, "lxml")
    assert answer.status_code == 422
    assert states(office) == [State.ASSIGNED, State.ASSIGNED]
    assert "còn 3 chỗ cần sửa" in " ".join(page.get_text().split())
    assert {said["id"] for said in page.select(".said")} == {"body-2-said", "reason-2-said", "figure-II.1-said"}
    assert page.select_one("#reason-1").get_text() == "Thiếu kinh phí."  # type: ignore[union-attr]
    assert page.select_one("#figure-II\\.1")["value"] == "461"  # type: ignore[index]
    assert page.select_one('input[name="outcome-1"][value="partly"]').has_attr("checked")  # type: ignore[union-attr]
    assert page.select_one("#reason-2")["aria-invalid"] == "true"  # type: ignore[index]


def test_an_unfinished_task_is_promised_on_the_page_with_its_cause_and_the_agency_it_waits_for(office: Office) -> None:
    page = BeautifulSoup(office.get(PAGE).text, "lxml")
    assert "để trống là chưa hẹn" in page.select_one("label[for=promise-1]").get_text()  # type: ignore[union-attr]
    assert [each["value"] for each in page.select("#code-1 option")][:3] == ["", "huong-dan", "phoi-hop"]
    typed = {"outcome-1": "not_yet", "reason-1": "Chờ thẩm định.", "promise-1": "2021-07-12", "code-1": "phoi-hop"}
    refused = office.post(PAGE, page=PAGE, **typed, **{"waits-1": "Sở Không Có"})
    page = BeautifulSoup(refused.text, "lxml")
    assert [said["id"] for said in page.select(".said")] == ["waits-1-said"]
    assert page.select_one("#promise-1")["value"] == "12/7/2021"  # type: ignore[index]
    assert page.select_one("#code-1 option[selected]")["value"] == "phoi-hop"  # type: ignore[index]

    answer = office.post(PAGE, page=PAGE, **typed, **{"waits-1": "so chinh", "owed-1": "Thẩm định dự toán."})

    assert answer.status_code == 303, answer.text
    made = row(office.context.database, Promise)
    assert (made.promised_on, made.reason_code, made.waits_for, made.owed, made.source) == (
        date(2021, 7, 12),
        "phoi-hop",
        "so-chinh",
        "Thẩm định dự toán.",
        "report",
    )
    assert row(office.context.database, Report).reason_code == "phoi-hop"
    assert rows(office.context.database, Draft) == []


def test_a_draft_keeps_what_is_promised(office: Office) -> None:
    typed = {"outcome-1": "partly", "promise-1": "2021-07-12", "code-1": "kinh-phi", "owed-1": "Hai xã."}
    office.post(PAGE, page=PAGE, act="draft", **typed)
    page = BeautifulSoup(office.get(PAGE).text, "lxml")
    assert [page.select_one(f"#{name}-1")["value"] for name in ("promise", "owed")] == ["12/7/2021", "Hai xã."]  # type: ignore[index]
    assert page.select_one("#code-1 option[selected]")["value"] == "kinh-phi"  # type: ignore[index]


def test_nothing_chosen_is_said_and_a_figure_alone_is_not_lost(office: Office) -> None:
    answer = office.post(PAGE, page=PAGE, **{"figure-II.1": "3"})
    assert answer.status_code == 422
    assert "Chưa chọn kết quả cho việc nào." in answer.text
    assert 'value="3"' in answer.text


def test_a_part_larger_than_its_whole_is_refused_by_name(office: Office) -> None:
    answer = office.post(PAGE, page=PAGE, **both(**{"figure-II.1": "10", "figure-II.3": "11"}))
    assert "Không thể lớn hơn «Số xã» (10)." in answer.text


def test_a_returned_report_comes_back_with_its_words_and_the_reason(office: Office) -> None:
    office.post(PAGE, page=PAGE, **both(**{"figure-II.1": "400"}))
    with office.context.database.write() as session:
        return_report(session, 1, reason="Ghi rõ số buổi.", actor="desk", now=office.clock.now)

    page = BeautifulSoup(office.get(PAGE).text, "lxml")

    assert "Ghi rõ số buổi." in page.get_text()
    assert page.select_one("#body-1").get_text() == "Đã làm."  # type: ignore[union-attr]
    assert page.select_one("#figure-II\\.1")["value"] == "400"  # type: ignore[index]
    office.post(PAGE, page=PAGE, **{"outcome-1": "done", "body-1": "12 buổi."})
    assert [each.number for each in rows(office.context.database, Report, assignment_id=1)] == [1, 2]


def test_a_report_sent_twice_from_two_windows_is_taken_once(office: Office) -> None:
    token = office.token(PAGE)
    first = office.client.post(PAGE, data=both() | {"token": token})
    second = office.client.post(PAGE, data=both() | {"token": token})
    assert (first.status_code, second.status_code) == (303, 422)
    assert len(rows(office.context.database, Report)) == 2


def test_late_or_on_time_is_judged_by_the_day_it_was_sent(office: Office) -> None:
    office.clock.now = at("2021-06-17", "23:59")
    office.post(PAGE, page=PAGE, **both(**{"outcome-2": ""}))
    office.clock.now = at("2021-06-18", "00:00")
    office.post(PAGE, page=PAGE, **both())
    reported = [row(office.context.database, Assignment, id=number).reported_on for number in (1, 2)]
    assert reported == [date(2021, 6, 17), date(2021, 6, 18)]


def words(page: BeautifulSoup, selector: str) -> list[str]:
    return [" ".join(each.get_text().split()) for each in page.select(selector)]


def test_the_last_check_leads_to_what_is_missing_and_the_title_says_how_late_it_is(office: Office) -> None:
    office.post(PAGE, page=PAGE, **both(**{"outcome-2": ""}))
    office.post(PAGE, page=PAGE, act="draft", **{"outcome-2": "partly", "body-2": "Một phần."})
    page = BeautifulSoup(office.get(PAGE).text, "lxml")
    targets = [str(each["href"])[1:] for each in page.select(".checks a")]
    assert targets == ["reason-2", "figure-II.1", "figure-II.3", "figure-II.2"]
    assert all(page.find(id=target) for target in targets)
    assert words(page, "details[id^=d-] > summary")[0].startswith("IV.1.1 · đã báo cáo, chờ tiếp nhận")
    assert re.fullmatch(r"Báo cáo 6 tháng đầu năm 2021, (còn|quá hạn) \d+ ngày làm việc", words(page, "h1")[0])


def test_the_last_check_says_what_would_be_sent_and_what_stays_owed(office: Office) -> None:
    typed = {"outcome-1": "done", "body-1": "Đã làm.", "body-2": "Đang viết", "figure-II.1": "x"}
    office.post(PAGE, page=PAGE, act="draft", **typed)
    page = BeautifulSoup(office.get(f"{PAGE}?said=draft").text, "lxml")
    said = " ".join(words(page, ".checks li"))
    assert "Sẽ gửi: 1 việc (IV.1.1)" in said
    assert "II.1: Hãy ghi một số đếm, như 12." in said
    assert "Chưa có số: II.3, II.2" in said
    assert "Chưa báo cáo lần này, vẫn còn phải báo cáo: IV.2.1 (đã ghi, chưa chọn kết quả)" in said
    assert "Còn thiếu 1 chỗ" in page.select_one(".note.good").get_text()  # type: ignore[union-attr]


def test_what_is_wrong_leads_to_its_field(office: Office) -> None:
    page = BeautifulSoup(office.post(PAGE, page=PAGE, **both(**{"body-2": "", "outcome-1": "x"})).text, "lxml")
    targets = [str(each["href"])[1:] for each in page.select(".wrong a")]
    assert targets == ["outcome-1", "body-2"]
    assert all(page.find(id=target) for target in targets)


def test_an_agency_with_two_dozen_duties_has_a_page_under_fifty_kilobytes(
    sqlite_database: Database, tmp_path: Path
) -> None:
    plan = plan_file(items=tuple(item(number, "so-ban", text="Việc cần làm. " * 12) for number in range(1, 25)))
    begin(store(sqlite_database, now=at("2021-06-01"), plan=plan), now=at("2021-06-01"))
    page = open_office(sqlite_database, tmp_path, now=at("2021-06-15")).get(PAGE)
    assert page.text.count("<fieldset") == 24
    assert len(page.content) < 50_000


def test_on_a_long_page_one_promise_holds_for_all_that_are_sent_together(
    sqlite_database: Database, tmp_path: Path
) -> None:
    plan = plan_file(items=tuple(item(number, "so-ban") for number in range(1, 14)))
    begin(store(sqlite_database, now=at("2021-06-01"), plan=plan), now=at("2021-06-01"))
    office = open_office(sqlite_database, tmp_path, now=at("2021-06-15"))
    both = {f"{name}-{n}": value for n in (1, 2) for name, value in (("outcome", "not_yet"), ("reason", "Chờ."))}
    shared = {"promise-all": "2021-06-15", "code-all": "kinh-phi"}
    refused = BeautifulSoup(office.post(PAGE, page=PAGE, **both, **shared).text, "lxml")
    assert [said["id"] for said in refused.select(".said")] == ["promise-all-said"]
    assert office.post(PAGE, page=PAGE, **both, **shared | {"promise-all": "2021-07-12"}).status_code == 303
    made = rows(sqlite_database, Promise)
    assert [(each.promised_on, each.reason_code) for each in made] == [(date(2021, 7, 12), "kinh-phi")] * 2
    assert rows(sqlite_database, Draft) == []


def test_a_consolidating_report_says_which_reports_are_in_and_counts_shorter_periods(
    sqlite_database: Database, tmp_path: Path
) -> None:
    quarterly = item(1, "so-ban", cadence=["quarter"])
    whole = item(4, "so-chinh", rule="gui-tinh", waits_for=["IV.1.1", "IV.2.1"])
    plan = plan_file(items=(quarterly, item(2, "huyen-a"), whole))
    laid = begin(store(sqlite_database, now=at("2021-04-07"), plan=plan), now=at("2021-06-01"))
    office = open_office(sqlite_database, tmp_path, now=at("2021-06-15"))
    page = "/report/so-chinh/1/2021-H1"

    def note() -> str:
        found = BeautifulSoup(office.get(page).text, "lxml").select_one("[id^=sum-]")
        return " ".join(found.get_text(" ").split()) if found is not None else ""

    assert "Tổng hợp từ báo cáo của các cơ quan: 0/2." in note()
    assert "So ban (IV.1.1 quý II/2021)" in note()
    bring_to(sqlite_database, State.REPORTED, laid.assignment("IV.1.1", "so-ban", "2021-Q2"), now=at("2021-06-15"))
    assert "1/2." in note()
    assert "So ban" not in note()
    with looking(sqlite_database, at("2021-06-15")) as (session, today):
        assert period_report(session, today, plan_of(session, 1), "2021-H1").missing == ("Huyen a", "So chinh")


def test_the_report_page_offers_an_extension_only_before_the_due_date(office: Office) -> None:
    office.clock.now = at("2021-06-17")
    assert "xin gia hạn" in office.get(PAGE).text
    office.clock.now = at("2021-06-18")
    assert "xin gia hạn" not in office.get(PAGE).text


@pytest.fixture
def owing(sqlite_database: Database, tmp_path: Path) -> Office:
    """so-ban owes a decision with assignment 1, a figure with 2 and a meeting with 3."""
    outputs = (("Quyết định", "document"), ("Số xã đạt", "figure"), ("Hội nghị", "event"))
    items = tuple(item(n, "so-ban", output={"what": what, "kind": kind}) for n, (what, kind) in enumerate(outputs, 1))
    begin(store(sqlite_database, now=at("2021-06-01"), plan=plan_file(items=items)), now=at("2021-06-01"))
    return open_office(sqlite_database, tmp_path, now=at("2021-06-15"))


def test_each_output_is_asked_for_by_its_kind_and_kept_as_given(owing: Office) -> None:
    page = BeautifulSoup(owing.get(PAGE).text, "lxml")
    asked = [" ".join(page.select_one(f"label[for=output-{n}]").get_text().split()) for n in (1, 2, 3)]  # type: ignore[union-attr]
    assert asked == ["Số, ký hiệu văn bản như 12/QĐ-UBND", "Số liệu đạt được", "Nơi, quy mô"]
    done = {f"outcome-{n}": "done" for n in (1, 2, 3)} | {f"body-{n}": "Đã làm." for n in (1, 2, 3)}
    given = {"output-1": "12/QĐ-UBND", "outputon-1": "2021-06-10", "output-2": "41 xã", "outputon-3": "2021-06-11"}
    assert owing.post(PAGE, **done, **given).status_code == 303
    assert [each.output for each in rows(owing.context.database, Report)] == [
        {"number": "12/QĐ-UBND", "on": "2021-06-10"},
        {"figure": "41 xã"},
        {"on": "2021-06-11"},
    ]


def test_an_output_that_cannot_be_is_said_beside_its_field(owing: Office) -> None:
    typed = {"outcome-1": "done", "body-1": "Đã làm.", "output-1": "quyết định", "outputon-1": "2021-06-16"}
    answer = owing.post(PAGE, **typed)
    page = BeautifulSoup(answer.text, "lxml")
    assert answer.status_code == 422
    assert "12/QĐ-UBND" in page.select_one("#output-1-said").get_text()  # type: ignore[union-attr]
    assert "chưa đến" in page.select_one("#outputon-1-said").get_text()  # type: ignore[union-attr]


def test_the_last_check_names_the_duties_that_name_no_output(owing: Office) -> None:
    owing.post(PAGE, act="draft", **{"outcome-1": "done", "body-1": "Đã làm."})
    check = BeautifulSoup(owing.get(PAGE).text, "lxml").select_one("#check ~ .checks")
    assert check is not None
    assert "Chưa nêu sản phẩm, chưa kèm tệp: IV.1.1" in " ".join(check.get_text().split())


def test_the_offered_day_is_put_into_its_field_and_nothing_is_sent_by_that(office: Office) -> None:
    page = BeautifulSoup(office.get(PAGE).text, "lxml")
    *_, offer = taps = page.select('button[name=fill][value^="promise-1="]')
    assert 1 < len(taps) == len({each["value"] for each in taps}) <= 3
    typed = {"outcome-1": "not_yet", "reason-1": "Chờ.", "promise-1": "", "fill": str(offer["value"])}
    filled = office.post(PAGE, page=PAGE, **typed)
    assert filled.status_code == 200
    page = BeautifulSoup(filled.text, "lxml")
    assert page.select_one("#promise-1")["value"] == str(offer["value"]).partition("=")[2]  # type: ignore[index]
    assert page.select_one("#reason-1").get_text() == "Chờ."  # type: ignore[union-attr]
    assert rows(office.context.database, Report) == []
    assert page.select("main form button")[0].get_text() == "Gửi báo cáo"  # what the Enter key presses


def test_without_a_day_nothing_is_promised(office: Office) -> None:
    answer = office.post(PAGE, page=PAGE, **{"outcome-1": "not_yet", "reason-1": "Chờ.", "promise-1": ""})
    assert answer.status_code == 303
    assert rows(office.context.database, Promise) == []


def test_a_promise_for_a_closed_day_is_asked_about_once(office: Office) -> None:
    typed = {"outcome-1": "not_yet", "reason-1": "Chờ."}
    again = office.post(PAGE, page=PAGE, **typed, **{"promise-1": "4/7/2021"})
    assert again.status_code == 422
    page = BeautifulSoup(again.text, "lxml")
    assert "là Chủ nhật, hạn chuyển sang thứ Hai, 05/7/2021" in page.select_one("#promise-1-said").get_text()  # type: ignore[union-attr]
    becomes = str(page.select_one("#promise-1")["value"])  # type: ignore[index]
    assert office.post(PAGE, page=PAGE, **typed, **{"promise-1": becomes}).status_code == 303
    assert row(office.context.database, Promise).promised_on == date(2021, 7, 5)


def test_the_confirmation_says_that_a_day_waits_for_the_monitor(office: Office) -> None:
    typed = {"outcome-1": "not_yet", "reason-1": "Chờ.", "promise-1": "30/12/2021"}
    answer = office.post(PAGE, page=PAGE, **typed)
    page = BeautifulSoup(office.get(answer.headers["location"]).text, "lxml")
    notes = [" ".join(each.get_text().split()) for each in page.select(".note")]
    assert any("đã hẹn hoàn thành thứ Năm, 30/12/2021, đang chờ bộ phận theo dõi đồng ý" in each for each in notes)
