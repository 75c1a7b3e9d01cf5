"""The consolidated figures: sums, who gave which, what is wrong in words, whom to chase, and a table to take away."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import docx
import pytest
from bs4 import BeautifulSoup
from ground.factory import Laid, at, lay, plan_file, rows
from ground.office import Office, as_role, looking, open_office

from engine.assignments import lifecycle
from engine.assignments.lifecycle import ReportText
from engine.features.papers.period_report import period_report
from engine.queries.figures.board import board
from engine.queries.filter_choices import plan_of
from engine.queries.time_class import read_today
from engine.queries.work.assignments import AssignmentFilter
from engine.store.database import Database
from engine.store.records import Notice
from engine.terms import NoticeKind

PAGE = "/plans/1/figures?period=2021-H1"
INDICATORS = (
    {
        "code": "II.1.a",
        "name": "Số xã",
        "text": "Số xã.",
        "unit": "count",
        "asked_of": ["cac-huyen"],
        "aggregate": "sum",
        "max": 460,
    },
    {
        "code": "II.1",
        "name": "Số xã có truyền thông",
        "text": "Truyền thông.",
        "unit": "count",
        "asked_of": ["cac-huyen"],
        "aggregate": "sum",
        "max": 460,
        "target": 40,
        "part_of": "II.1.a",
    },
    {"code": "II.3", "name": "Ghi chú", "text": "Ghi chú.", "unit": "text", "asked_of": ["so-ban"]},
    {
        "code": "II.1.b",
        "name": "Toàn tỉnh",
        "text": "Toàn tỉnh.",
        "unit": "count",
        "asked_of": ["IV.4.1"],
        "total_of": "II.1.a",
    },
)


@pytest.fixture
def laid(sqlite_database: Database) -> Laid:
    return lay(sqlite_database, now=at("2021-04-07"), plan=plan_file(indicators=INDICATORS))


@pytest.fixture
def office(laid: Laid, tmp_path: Path) -> Office:
    report(laid, "IV.2.1", "huyen-a", {"II.1.a": 20, "II.1": 30})
    report(laid, "IV.1.1", "so-ban", {"II.3": "=1+1"})
    return open_office(laid.database, tmp_path)


def report(laid: Laid, citation: str, agency_id: str, figures: dict[str, Any]) -> None:
    with laid.database.write() as session:
        said = ReportText(body="Đã làm.", figures=figures)
        task = laid.assignment(citation, agency_id)
        lifecycle.report(session, task, said, actor="contact:1", now=at("2021-06-16"))


def words(page: str) -> str:
    return " ".join(BeautifulSoup(page, "lxml").main.get_text(" ").split())  # type: ignore[union-attr]


def test_sums_stand_against_their_targets_and_what_is_wrong_is_said(office: Office) -> None:
    said = words(office.get(PAGE).text)
    assert "2/4 cơ quan đã báo cáo đủ, còn chờ 2 cơ quan" in said
    assert "Tổng 30 lớn hơn «Số xã» (20)." in said
    assert "II.1 Số xã có truyền thông trong số II.1.a xem lại 30 40 75,0% 1/2" in said


def test_a_count_opens_onto_who_gave_what_and_who_is_missing(office: Office) -> None:
    page = BeautifulSoup(office.get(PAGE).text, "lxml")
    link = next(each for each in page.select("td a") if "1/2" in each.get_text())
    opened = BeautifulSoup(office.get(str(link["href"])).text, "lxml")
    lines = [each.get_text(" ").split() for each in opened.select("#one ~ .scroll tbody tr")]
    assert lines == [["Huyen", "b", "chưa", "có"], ["Huyen", "a", "20"]]


def test_a_total_that_cannot_be_checked_names_who_is_missing_in_both_languages(office: Office, laid: Laid) -> None:
    report(laid, "IV.4.1", "so-chinh", {"II.1.b": 31})
    vi = "31 chưa đối chiếu được: mới 1/2 đơn vị báo, cộng lại 20; còn thiếu Huyen b."
    said = words(office.get(PAGE).text)
    assert f"II.1.b Toàn tỉnh : {vi}" in said
    assert "II.1.b Toàn tỉnh tổng của II.1.a xem lại 31 –" in said
    assert vi in words(office.get(f"{PAGE}&indicator=II.1.b").text).partition("Đóng")[0].rpartition("1/1")[2]
    english = words(office.get(f"{PAGE}&lang=en").text)
    assert "31 cannot be checked yet: 1 of 2 agencies have reported, 20 in total; missing: Huyen b." in english


def test_a_total_that_is_not_the_districts_sum_says_by_how_much_on_the_page_and_in_the_table(
    office: Office, laid: Laid
) -> None:
    report(laid, "IV.4.1", "so-chinh", {"II.1.b": 31})
    report(laid, "IV.2.1", "huyen-b", {"II.1.a": 10})
    assert "31 khác tổng các đơn vị (30): hơn 1." in words(office.get(PAGE).text)
    answer = office.get("/plans/1/figures?period=2021-H1&as=csv&lang=en")
    table = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert [each[3:] for each in table if each[0] == "II.1.b"] == [
        ["31", "", "", "31 is not the sum of the agencies (30): 1 more."],
        ["31", "", "", ""],
    ]


def test_a_total_that_is_the_districts_sum_is_nothing_to_look_at(office: Office, laid: Laid) -> None:
    report(laid, "IV.4.1", "so-chinh", {"II.1.b": 30})
    report(laid, "IV.2.1", "huyen-b", {"II.1.a": 10, "II.1": 0})
    assert "II.1.b Toàn tỉnh :" not in words(office.get(PAGE).text)


def test_those_who_are_missing_are_chased_after_their_letters_were_seen(office: Office, laid: Laid) -> None:
    asked = office.post("/overdue/chase", page=PAGE, plan="1", period="2021-H1")
    assert "Đôn đốc 3 việc bằng 3 thư?" in words(asked.text)
    ids = [str(each["value"]) for each in BeautifulSoup(asked.text, "lxml").select("input[name=id]")]
    office.post("/overdue/chase", page=PAGE, id=ids, sure="1")
    assert len(rows(laid.database, Notice, kind=NoticeKind.CHASE)) == 3


def test_the_table_is_taken_away_with_its_totals_and_runs_no_formula(office: Office) -> None:
    answer = office.get("/plans/1/figures?period=2021-H1&as=csv")
    table = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert answer.content.startswith(b"\xef\xbb\xbf")
    assert answer.headers["content-disposition"] == 'attachment; filename="figures-1-2021_2021-06-24.csv"'
    assert table[1][:4] == ["Mã", "Chỉ tiêu", "Cơ quan", "Giá trị"]
    assert ["II.1", "Số xã có truyền thông", "Tổng", "30", "40.0", "75.0"] in [each[:6] for each in table]
    assert [each[3] for each in table if each[0] == "II.3"] == ["", "'=1+1"]


def test_figures_are_for_those_who_watch_and_chasing_for_the_department(laid: Laid, tmp_path: Path) -> None:
    leader = as_role(laid.database, tmp_path, "leadership", "tinh")
    assert "/overdue/chase" not in leader.get(PAGE).text
    assert leader.post("/overdue/chase", page="/account", plan="1", period="2021-H1").status_code == 403
    assert "/overdue/chase" in as_role(laid.database, tmp_path, "monitor", "so-chinh").get(PAGE).text
    assert as_role(laid.database, tmp_path, "coordinator", "so-ban").get(PAGE).status_code == 403


@pytest.mark.parametrize(
    "path",
    [
        "/plans/9/figures",
        "/plans/1/figures?period=2021-Q3",
        "/plans/1/figures?period=2021-H1&indicator=x",
        "/plans/1/figures?period=%3D1&as=csv",
        "/plans/x/figures",
    ],
)
def test_what_does_not_exist_is_said(office: Office, path: str) -> None:
    assert office.get(path).status_code in (404, 422)


def test_where_it_is_needed_it_is_linked(office: Office, laid: Laid) -> None:
    consolidating = laid.assignment("IV.4.1", "so-chinh")
    for path in ("/?plan=1", "/plans/1", f"/assignments/{consolidating}"):
        assert "/plans/1/figures" in office.get(path).text, path


def test_the_periods_report_counts_what_the_board_counts(office: Office, laid: Laid) -> None:
    report(laid, "IV.4.1", "so-chinh", {"II.1.b": 31})
    answer = office.get("/plans/1/report.docx?period=2021-H1")
    document = docx.Document(io.BytesIO(answer.content))
    said = " ".join(each.text for each in document.paragraphs)
    with laid.database.read() as session:
        today = read_today(session, office.clock.now)
        counted = board(session, today, AssignmentFilter(plan_id=1, period="2021-H1")).total
    assert f"Đã gửi {counted.reported:02d}/{counted.expected:02d} báo cáo" in said
    assert "bao-cao_12-KH-UBND-2021_2021-H1.docx" in answer.headers["content-disposition"]
    assert office.get("/plans/1/report.docx?period=2021-Q3").status_code == 404


def test_the_page_and_the_report_count_the_same_agencies(office: Office, laid: Laid) -> None:
    """A returned report is owed again; who is only asked is in neither."""
    task = laid.assignment("IV.1.1", "so-ban")
    with laid.database.write() as session:
        lifecycle.return_report(session, task, reason="Thiếu.", actor="account:1", now=office.clock.now)
    with looking(laid.database, office.clock.now) as (session, today):
        missing = period_report(session, today, plan_of(session, 1), "2021-H1").missing
    page = BeautifulSoup(office.get(PAGE).text, "lxml")
    listed = [each.get_text() for each in page.select("#waiting ~ ul li > span > span")]
    assert sorted(listed) == sorted(missing)
    assert "So ban" in missing
    assert "Mat tran" not in missing
    assert f"· {len(missing)}" in page.select_one("#waiting").get_text()  # type: ignore[union-attr]


def test_figures_have_their_names_on_the_page_of_an_assignment(office: Office, laid: Laid) -> None:
    assert "Số xã (II.1.a) : 20" in words(office.get(f"/assignments/{laid.assignment('IV.2.1', 'huyen-a')}").text)
