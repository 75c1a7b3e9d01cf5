"""Promises where people meet them: agreed to and refused from one list, and said beside how late a task is."""

from __future__ import annotations

import asyncio
import csv
import io
from datetime import date
from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from ground.factory import Laid, at, item, lay, plan_file, row, rows
from ground.office import Office, as_role, everything, looking, open_office
from ground.post import LetterBox, post_office

from engine.accounts.permissions import ActorRole
from engine.assignments import lifecycle
from engine.assignments.lifecycle import ReportText
from engine.assignments.promise_rows import PromiseText
from engine.assignments.promises import make_promise
from engine.features.papers.drafts import dispatch_draft
from engine.features.papers.period_report import period_report
from engine.features.papers.report import text_of
from engine.queries.filter_choices import plan_of
from engine.store.database import Database
from engine.store.records import Notice, Promise
from engine.terms import NoticeKind, Outcome, PromiseState
from notifications.delivery import deliver

PROMISED_ON, FAR = date(2021, 7, 12), date(2021, 9, 30)


def promise(database: Database, assignment: int, on: date, day: str, code: str = "kinh-phi") -> None:
    text = PromiseText(on=on, reason_code=code, owed="Thẩm định dự toán.")
    with database.write() as session:
        report = ReportText(outcome=Outcome.NOT_YET, reason="Chờ kinh phí.", promise=text)
        lifecycle.report(session, assignment, report, actor="contact:1", now=at(day, "09:00"))


@pytest.fixture
def laid(sqlite_database: Database) -> Laid:
    """so-ban owes IV.1.1 to IV.3.1 by 17 June; the second waits for an agreement, the first counts."""
    items = tuple(item(number, "so-ban") for number in (1, 2, 3))
    laid = lay(sqlite_database, now=at("2021-06-01"), plan=plan_file(items=items))
    promise(laid.database, 1, PROMISED_ON, "2021-06-18")
    promise(laid.database, 2, FAR, "2021-06-18")
    return laid


@pytest.fixture
def office(laid: Laid, tmp_path: Path) -> Office:
    return open_office(laid.database, tmp_path, now=at("2021-06-25"))


def words(page: str) -> str:
    return " ".join(BeautifulSoup(page, "lxml").main.get_text(" ").split())  # type: ignore[union-attr]


def test_what_waits_for_an_agreement_stands_in_a_list_with_its_cause(office: Office) -> None:
    said = words(office.get("/promises").text)
    assert "1 lời hẹn chờ đồng ý" in said
    assert "Hẹn thứ Năm, 30/9/2021 (lần 1) · kinh phí" in said
    assert "Thẩm định dự toán." in said
    todo = words(office.get("/").text)
    assert "1 lời hẹn chờ đồng ý" in todo


def test_a_button_asks_first_and_changes_nothing(office: Office, laid: Laid) -> None:
    token, before = office.token("/promises"), everything(laid.database)
    answer = office.client.post("/promises", data={"token": token, "agree": "2"})
    assert "Đồng ý 1 lời hẹn?" in words(answer.text)
    assert everything(laid.database) == before


def test_those_chosen_are_agreed_to_or_refused_with_a_reason(office: Office, laid: Laid) -> None:
    refused = office.post("/promises", act="refuse", id="2", sure="1", words="")
    assert refused.status_code == 400
    assert "Cần ghi lý do không đồng ý." in words(refused.text)
    answer = office.post("/promises", act="agree", id="2", sure="1", words="")
    assert answer.headers["location"] == "/promises?said=agree&n=1"
    assert row(laid.database, Promise, id=2).state is PromiseState.STANDING
    assert len(rows(laid.database, Notice, kind=NoticeKind.PROMISE_DECIDED)) == 1


def test_one_that_stands_is_refused_from_the_page_of_its_assignment(office: Office, laid: Laid) -> None:
    page = BeautifulSoup(office.get("/assignments/1").text, "lxml")
    assert page.select_one('form[action="/promises"] button[name=refuse]')["value"] == "1"  # type: ignore[index]
    office.post("/promises", act="refuse", id="1", sure="1", words="Việc gấp.")
    assert row(laid.database, Promise, id=1).state is PromiseState.REFUSED


def test_the_owner_reads_that_a_promise_waits(office: Office) -> None:
    said = words(office.get("/report/so-ban/1/2021-H1/thread").text)
    assert "IV.2.1: đã hẹn hoàn thành thứ Năm, 30/9/2021, đang chờ bộ phận theo dõi đồng ý" in said


def test_the_owner_does_not_decide(laid: Laid, tmp_path: Path) -> None:
    owner = as_role(laid.database, tmp_path, ActorRole.COORDINATOR, "so-ban")
    assert owner.get("/promises").status_code == 403


@pytest.mark.parametrize("page", ["/assignments", "/assignments/1", "/agencies/so-ban"])
def test_the_promise_is_said_beside_how_late_the_task_is(office: Office, page: str) -> None:
    said = words(office.get(page).text)
    if page == "/assignments/1":  # its title, and a fact below it
        assert "quá hạn 6 ngày làm việc" in said
        assert "Lời hẹn đã hẹn thứ Hai, 12/7/2021" in said
    else:
        assert "quá hạn 6 ngày làm việc đã hẹn thứ Hai, 12/7/2021" in said


def test_the_promised_day_is_said_on_the_line_of_the_agency(office: Office) -> None:
    assert "đã hẹn 1, 12/7/2021" in words(office.get("/overdue").text)


def test_a_promise_whose_day_has_passed_is_said_to_be_past_and_the_second_by_its_number(
    laid: Laid, tmp_path: Path
) -> None:
    past = open_office(laid.database, tmp_path, now=at("2021-07-14"))
    assert "lời hẹn thứ Hai, 12/7/2021 đã qua" in words(past.get("/assignments/1").text)
    promise(laid.database, 1, date(2021, 7, 30), "2021-07-14")
    assert "đã hẹn thứ Sáu, 30/7/2021 (lần 2)" in words(past.get("/assignments/1").text)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("promised=standing", ["IV.1.1"]),
        ("promised=past", []),
        ("reason=kinh-phi", ["IV.1.1", "IV.2.1"]),
        ("reason=nhan-luc", []),
        ("waiting=promise", ["IV.2.1"]),
    ],
)
def test_lists_are_narrowed_to_what_was_promised(office: Office, query: str, found: list[str]) -> None:
    table = BeautifulSoup(office.get(f"/assignments?{query}").text, "lxml").select_one("tbody")
    said = table.get_text() if table else ""
    assert [each for each in ("IV.1.1", "IV.2.1", "IV.3.1") if each in said] == found


@pytest.mark.parametrize("path", ["/overdue", "/assignments"])
def test_files_of_lists_hold_the_promised_day(office: Office, path: str) -> None:
    text = office.get(f"{path}?as=csv").content.decode("utf-8-sig")
    _, heads, *lines = csv.reader(io.StringIO(text, newline=""))
    told = [dict(zip(heads, line, strict=True)) for line in lines]
    assert [(each["Đã hẹn ngày"], each["Hẹn lần"]) for each in told] == [("2021-07-12", "1"), ("", ""), ("", "")]


def test_the_program_interface_lists_decides_and_shows_promises(office: Office, laid: Laid) -> None:
    (waiting,) = office.client.get("/api/v1/promises").json()["items"]
    assert (waiting["id"], waiting["promised_on"], waiting["reason_code"]) == (2, "2021-09-30", "kinh-phi")
    body = {"promises": [2], "agreed": False, "answer": "Việc gấp."}
    assert office.client.post("/api/v1/promises/decide", json=body).json()["done"] == [2]
    assert row(laid.database, Promise, id=2).answer == "Việc gấp."
    (shown,) = office.client.get("/api/v1/assignments?promised=standing").json()["items"]
    assert (shown["promised_on"], shown["promises"]) == ("2021-07-12", 1)


def test_a_late_promise_without_a_report_is_said_too(laid: Laid, tmp_path: Path) -> None:
    with laid.database.write() as session:
        text = PromiseText(on=PROMISED_ON, reason="Chờ.")
        make_promise(session, 3, text, "extension", actor="contact:1", now=at("2021-06-21"))
    office = open_office(laid.database, tmp_path, now=at("2021-06-25"))
    assert "đã hẹn thứ Hai, 12/7/2021" in words(office.get("/assignments/3").text)


def test_the_draft_of_a_dispatch_says_who_has_promised(laid: Laid) -> None:
    with looking(laid.database, at("2021-06-25")) as (session, today):
        draft = dispatch_draft(session, today, plan_of(session, laid.plan_id))
    assert [each.note for each in draft.dispatch.overdue] == ["Đã hẹn thứ Hai, 12/7/2021", "", ""]


def test_causes_are_summed_for_the_leadership_in_the_report_and_for_programs(office: Office, laid: Laid) -> None:
    promise(laid.database, 3, PROMISED_ON, "2021-06-18", "nhan-luc")
    page = BeautifulSoup(office.get("/leadership?whole=true").text, "lxml")
    causes = page.select("section[aria-labelledby=causes] li")
    assert [" ".join(each.get_text(" ").split()) for each in causes] == ["Kinh phí 2 việc", "Nhân lực 1 việc"]
    listed = office.get(str(causes[0].a["href"])).text  # type: ignore[index]
    assert [each for each in ("IV.1.1", "IV.2.1", "IV.3.1") if f"{each}<" in listed] == ["IV.1.1", "IV.2.1"]
    counted = office.client.get("/api/v1/reasons?plan=1").json()
    assert [(each["reason_code"], each["tasks"]) for each in counted] == [("kinh-phi", 2), ("nhan-luc", 1)]
    with looking(laid.database, at("2021-06-25")) as (session, today):
        report = period_report(session, today, plan_of(session, laid.plan_id), "2021-H1")
    said = [text for text, _ in text_of(report)]
    assert "Nguyên nhân các nhiệm vụ chưa hoàn thành: kinh phí (02 nhiệm vụ); nhân lực (01 nhiệm vụ)." in said


def test_the_agency_that_is_waited_for_is_told_and_sees_it_on_its_desk(office: Office, laid: Laid) -> None:
    text = PromiseText(on=PROMISED_ON, reason="Chờ thẩm định.", reason_code="phoi-hop", waits_for="huyen-a")
    with laid.database.write() as session:
        make_promise(session, 3, text, "extension", actor="contact:1", now=at("2021-06-21"))
    (line,) = rows(laid.database, Notice, kind=NoticeKind.COORDINATES)
    assert (line.detail["said"], line.detail["until"]) == ("Chờ thẩm định.", "2021-07-12")
    box = LetterBox()
    asyncio.run(deliver(laid.database, at("2021-06-22", "08:00"), post_office(box)))
    (letter,) = [each for each in box.letters if each.to == "coordinator@huyen-a.example"]
    assert "đang chờ cơ quan phối hợp: “Chờ thẩm định.”; hẹn hoàn thành thứ Hai, 12/7/2021" in letter.text
    desk = words(office.get("/agencies/huyen-a").text)
    assert "Cơ quan khác đang chờ phối hợp · 1" in desk
    assert "Chờ thẩm định." in desk


def test_the_desk_leads_to_promising_and_the_old_address_leads_to_the_desk(office: Office) -> None:
    assert office.get("/agencies/so-ban/promises").headers["location"] == "/agencies/so-ban"
    desk = BeautifulSoup(office.get("/agencies/so-ban").text, "lxml")
    (link,) = (each for each in desk.select("a") if "Hẹn ngày" in each.get_text())
    assert 'name="promise"' in office.get(str(link["href"])).text


def test_a_secret_paper_is_not_quoted_in_a_promise(office: Office, laid: Laid) -> None:
    path = "/report/so-ban/1/2021-H1/thread"
    typed = {"promise": "2021-07-20", "code": "kinh-phi", "reason": "Theo công văn đóng dấu MẬT số 12/CV-UBND."}
    answer = office.post(path, page=path, act="promise", id="3", **typed)
    assert answer.status_code in (400, 422)
    assert len(rows(laid.database, Promise)) == 2
