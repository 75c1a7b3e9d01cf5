"""What an agency owes in several plans is reported on one page, in one submission; too much for a page is divided."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from bs4 import BeautifulSoup
from ground.factory import at, begin, item, opened, plan_file, row, rows, store
from ground.office import Office, contact_of, enter, join, open_office

from engine.accounts.signed_links import Purpose
from engine.store.database import Database
from engine.store.records import Draft, Promise, Report

FIRST, SECOND = "/report/so-ban/1/2021-H1", "/report/so-ban/2/2021-H1"
NOW = at("2021-06-15")
FIGURE = {"code": "II.1", "text": "x", "name": "Số xã", "unit": "count", "asked_of": ["so-ban"]}


def loaded(database: Database, number: str, *duties: str, figures: tuple[Any, ...] = (FIGURE,)) -> None:
    items = tuple(item(place, "so-ban", text=text) for place, text in enumerate(duties, 1))
    plan = plan_file(items=items, number=f"{number}/KH-UBND", short_title=f"Kế hoạch {number}", indicators=figures)
    begin(store(database, now=at("2021-06-01"), plan=plan), now=at("2021-06-01"))


@pytest.fixture
def office(sqlite_database: Database, tmp_path: Path) -> Office:
    """so-ban owes assignments 1 and 2 of plan 12 and 3 and 4 of plan 13, and a figure of the same code in each."""
    for number in ("12", "13"):
        loaded(sqlite_database, number, "Việc thứ nhất.", "Việc thứ hai.")
    return open_office(sqlite_database, tmp_path, now=NOW)


def soup(text: str) -> BeautifulSoup:
    return BeautifulSoup(text, "lxml")


def sent(office: Office, page: str = FIRST, **typed: str) -> object:
    """The form of a page as it stands, with these fields typed over."""
    form = soup(office.get(page).text).select_one("main form")
    assert form is not None
    fields = {
        str(each["name"]): str(each.get("value", "")) for each in form.select("input[type=hidden], input[type=text]")
    }
    fields |= {str(each["name"]): each.get_text() for each in form.select("textarea")}
    return office.client.post(page, data=fields | {name.replace("_", "-"): text for name, text in typed.items()})


def stands(office: Office, page: str) -> list[str]:
    return [str(each["id"]) for each in soup(office.get(page).text).select("fieldset")]


def test_the_plan_that_was_asked_for_stands_first_and_the_others_below(office: Office) -> None:
    page = soup(office.get(SECOND).text)
    assert stands(office, FIRST) == ["d-1", "d-2", "d-3", "d-4"]
    assert stands(office, SECOND) == ["d-3", "d-4", "d-1", "d-2"]
    assert page.h1 is not None
    assert " ".join(page.h1.get_text().split()) == "Báo cáo 6 tháng đầu năm 2021 và 1 kế hoạch khác"
    assert [each.get_text().split("·")[0].strip() for each in page.select(".part h2")] == ["Kế hoạch 13", "Kế hoạch 12"]
    assert len({str(each["id"]) for each in page.select("[id]")}) == len(page.select("[id]"))


def test_two_periods_of_one_plan_are_called_periods_wherever_a_duty_stands_twice(
    sqlite_database: Database, tmp_path: Path
) -> None:
    loaded(sqlite_database, "12", "Việc thứ nhất.", figures=())
    opened(sqlite_database, at("2021-12-01"))
    page = soup(open_office(sqlite_database, tmp_path, now=at("2021-12-01")).get("/report/so-ban/1/2021-Y").text)
    assert page.h1 is not None
    assert " ".join(page.h1.get_text().split()) == "Báo cáo năm 2021 và 1 kỳ khác"
    office = open_office(sqlite_database, tmp_path, now=at("2021-12-01"))
    form = soup(sent(office, "/report/so-ban/1/2021-Y", outcome_1="done", outcome_2="done").text)  # type: ignore[attr-defined]
    faults = [" ".join(each.get_text().split()) for each in form.select(".wrong li a")]
    assert [each.partition(":")[0] for each in faults] == ["năm 2021", "6 tháng đầu năm 2021"]


def test_one_submission_reports_duties_of_two_plans_with_the_figures_and_paper_of_each(office: Office) -> None:
    typed = {"outcome-1": "done", "body-1": "Đã làm.", "outcome-3": "done", "body-3": "Đã làm.", "figure-II.1": "5"}
    other = {"2:2021-H1:figure-II.1": "7", "2:2021-H1:paper-number": "45/BC-SB"}
    answer = sent(office, **typed, **other)
    assert answer.headers["location"] == f"{FIRST}?said=reported&n=2"  # type: ignore[attr-defined]
    assert [
        (each.assignment_id, each.figures, each.paper_number) for each in rows(office.context.database, Report)
    ] == [
        (1, {"II.1": 5}, ""),
        (3, {"II.1": 7}, "45/BC-SB"),
    ]
    assert stands(office, FIRST) == ["d-2", "d-4"]


def test_all_are_done_with_one_tick_and_one_sentence(office: Office) -> None:
    own = {"body-2": "Riêng.", "outcome-4": "not_yet", "reason-4": "Chờ kinh phí."}
    assert sent(office, **own, **{"all-done": "yes", "all-body": "Đã hoàn thành."}).status_code == 303  # type: ignore[attr-defined]
    made = [(each.assignment_id, each.outcome, each.body) for each in rows(office.context.database, Report)]
    assert made == [
        (1, "done", "Đã hoàn thành."),
        (2, "done", "Riêng."),
        (3, "done", "Đã hoàn thành."),
        (4, "not_yet", ""),
    ]


ALL = {"all_done": "yes"}


def said_wrong(answer: object) -> list[str]:
    return [str(each["href"]) for each in soup(answer.text).select(".wrong li a")]  # type: ignore[attr-defined]


def sent_again(office: Office, answer: object, **typed: str) -> object:
    """The form of an answer, sent once more as it stands with these fields typed over."""
    form = soup(answer.text).select_one("main form")  # type: ignore[attr-defined]
    assert form is not None
    fields = {str(each["name"]): str(each.get("value", "")) for each in form.select("input[type=hidden]")}
    fields |= {str(each["name"]): str(each["value"]) for each in form.select("input[checked]")}
    fields |= {str(each["name"]): each.get_text() for each in form.select("textarea")}
    return office.client.post(FIRST, data=fields | {name.replace("_", "-"): text for name, text in typed.items()})


def test_all_done_without_words_is_one_fault_and_words_written_then_are_taken(office: Office) -> None:
    first = sent(office, **ALL)
    assert said_wrong(first) == ["#all-body"]
    page = soup(first.text)  # type: ignore[attr-defined]
    assert page.select_one("input[name=all-done][checked]") is not None
    second = sent_again(office, first, all_body="Đã hoàn thành theo kế hoạch.")
    assert second.status_code == 303  # type: ignore[attr-defined]
    assert {each.body for each in rows(office.context.database, Report)} == {"Đã hoàn thành theo kế hoạch."}
    assert len(rows(office.context.database, Report)) == 4


def test_words_for_all_stay_on_a_page_that_was_refused_for_another_reason(office: Office) -> None:
    answer = sent(office, **ALL, all_body="Đã làm.", outcome_4="not_yet")
    assert said_wrong(answer) == ["#reason-4"]
    page = soup(answer.text)  # type: ignore[attr-defined]
    assert page.select_one("#all-body").get_text() == "Đã làm."  # type: ignore[union-attr]


def test_words_for_all_are_taken_for_what_a_draft_says_is_done(office: Office) -> None:
    sent(office, **ALL, act="draft")
    opened_again = office.get(FIRST)
    answer = sent_again(office, opened_again, all_body="Đã hoàn thành theo kế hoạch.")
    assert answer.status_code == 303  # type: ignore[attr-defined]
    assert [each.body for each in rows(office.context.database, Report)] == ["Đã hoàn thành theo kế hoạch."] * 4


def test_all_or_nothing_over_both_plans_and_each_fault_leads_to_its_field(office: Office) -> None:
    answer = sent(
        office, **{"outcome-1": "done", "body-1": "Đã làm.", "outcome-3": "done", "2:2021-H1:figure-II.1": "x"}
    )
    page = soup(answer.text)  # type: ignore[attr-defined]
    assert rows(office.context.database, Report) == []
    targets = [str(each["href"])[1:] for each in page.select(".wrong a")]
    assert targets == ["body-3", "2:2021-H1:figure-II.1"]
    assert all(page.find(id=target) for target in targets)
    field = page.select_one("#\\32 \\:2021-H1\\:figure-II\\.1")
    assert field is not None
    assert (field["value"], field["aria-invalid"]) == ("x", "true")


def test_each_plan_keeps_a_draft_of_its_own_and_an_untouched_one_none(office: Office) -> None:
    sent(office, act="draft", **{"body-1": "Đang làm."})
    assert [(each.plan_id, each.body) for each in rows(office.context.database, Draft)] == [
        (1, {"body-1": "Đang làm."})
    ]
    sent(office, act="draft", **{"body-3": "Dở dang.", "2:2021-H1:figure-II.1": "7"})
    drafts = {each.plan_id: each.body for each in rows(office.context.database, Draft)}
    assert drafts == {1: {"body-1": "Đang làm."}, 2: {"body-3": "Dở dang.", "figure-II.1": "7"}}
    page = soup(office.get(SECOND).text)
    assert [page.find(id=name).get_text() for name in ("body-3", "body-1")] == ["Dở dang.", "Đang làm."]  # type: ignore[union-attr]
    assert page.find(id="figure-II.1")["value"] == "7"  # type: ignore[index]


def test_what_was_typed_about_a_plan_that_is_not_sent_is_kept(office: Office) -> None:
    sent(office, **{"outcome-1": "done", "body-1": "Đã làm.", "body-3": "Dở dang."})
    assert [each.assignment_id for each in rows(office.context.database, Report)] == [1]
    assert [(each.plan_id, each.body) for each in rows(office.context.database, Draft)] == [(2, {"body-3": "Dở dang."})]


def test_a_colleagues_draft_of_the_other_plan_is_not_overwritten_unread(office: Office, tmp_path: Path) -> None:
    database = office.context.database
    accounts = [join(database, role, "so-ban") for role in ("coordinator", "deputy")]
    one, two = (enter(open_office(database, tmp_path, now=NOW), each) for each in accounts)
    early = {"token": one.token(FIRST), "act": "draft", "seen": "", "beside": "2:2021-H1", "body-3": "Của tôi"}
    sent(two, SECOND, act="draft", **{"body-3": "Của đồng nghiệp"})
    answer = one.client.post(FIRST, data=early)
    assert answer.status_code == 409
    assert "Của tôi</textarea>" in answer.text
    assert [each.body for each in rows(database, Draft)] == [{"body-3": "Của đồng nghiệp"}]


def test_a_plan_that_nobody_owes_any_more_takes_nothing_from_the_rest(office: Office) -> None:
    token = office.token(FIRST)
    sent(office, SECOND, **{"outcome-3": "done", "body-3": "Đã làm.", "outcome-4": "done", "body-4": "Đã làm."})
    late = {"token": token, "beside": ["2:2021-H1", "9:2021-H1", "x"], "outcome-1": "done", "body-1": "Xong."}
    assert office.client.post(FIRST, data=late | {"outcome-3": "done", "body-3": "Lần nữa."}).status_code == 303
    assert [each.assignment_id for each in rows(office.context.database, Report)] == [3, 4, 1]


def test_the_link_of_one_plans_letter_reports_both(office: Office) -> None:
    contact = contact_of(office.context.database, "so-ban")
    page = office.link(Purpose.REPORT, contact, "2:2021-H1")
    assert stands(office, page) == ["d-3", "d-4", "d-1", "d-2"]
    assert sent(office, page, **{"outcome-1": "done", "body-1": "Đã làm."}).status_code == 303  # type: ignore[attr-defined]
    thread = soup(office.get(page).text).select(".part a")[-1]["href"]
    assert str(thread).startswith("/r/")
    assert "Kế hoạch 12" in office.get(str(thread)).text


def test_an_unfinished_duty_of_the_other_plan_is_promised_by_its_own_fields(office: Office) -> None:
    typed = {"outcome-3": "not_yet", "reason-3": "Chờ.", "promise-3": "12/7", "code-3": "kinh-phi"}
    assert sent(office, **typed).status_code == 303  # type: ignore[attr-defined]
    assert row(office.context.database, Promise).promised_on == date(2021, 7, 12)


def test_what_does_not_fit_is_led_to_and_every_duty_is_asked_for_once(
    sqlite_database: Database, tmp_path: Path
) -> None:
    long = "Rà soát, thống kê và tổng hợp báo cáo theo từng xã, phường, thị trấn trên địa bàn. " * 8
    loaded(sqlite_database, "12", *(long for _ in range(60)), figures=())
    loaded(sqlite_database, "13", *(long for _ in range(5)), figures=())
    office = open_office(sqlite_database, tmp_path, now=NOW)
    asked: list[str] = []
    address: str | None = FIRST
    while address:
        answer = office.get(address)
        assert len(answer.content) < 50_000, address
        asked += [str(each["id"]) for each in soup(answer.text).select("fieldset")]
        following = soup(answer.text).select_one("#more + p + .steps a")
        address = str(following["href"]) if following and "page=" in str(following["href"]) else None
    later = soup(answer.text).select_one("#more + p + .steps a")
    if later is not None:
        asked += [each for each in stands(office, str(later["href"])) if int(each[2:]) > 60]
    assert sorted(asked, key=lambda each: int(each[2:])) == [f"d-{number}" for number in range(1, 66)]


def test_a_draft_of_one_sheet_keeps_what_another_holds(sqlite_database: Database, tmp_path: Path) -> None:
    loaded(sqlite_database, "12", *("Việc dài. " * 60 for _ in range(40)), figures=())
    office = open_office(sqlite_database, tmp_path, now=NOW)
    last = f"{FIRST}?page=3"
    sent(office, act="draft", **{"body-1": "Trang đầu."})
    answer = sent(office, last, act="draft", **{"body-40": "Trang sau."})
    assert answer.headers["location"] == f"{FIRST}?said=draft&page=3"  # type: ignore[attr-defined]
    assert row(sqlite_database, Draft).body == {"body-1": "Trang đầu.", "body-40": "Trang sau."}
    sent(office, last, **{"outcome-40": "done", "body-40": "Xong."})
    assert row(sqlite_database, Draft).body == {"body-1": "Trang đầu."}
    assert re.search("Trang đầu.</textarea>", office.get(FIRST).text)
