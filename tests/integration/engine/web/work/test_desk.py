"""The coordinator's desk: what is new is acknowledged in one tap, all that is shown."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from ground.factory import at, begin, bring_to, happened, item, plan_file, row, rows, store
from ground.office import Office, as_role, open_office

from engine.queries.work.desk import SHOWN_ROWS
from engine.store.database import Database, table
from engine.store.records import Assignment, Told
from engine.terms import State

DESK, DEED = "/agencies/so-ban", "/agencies/so-ban/acknowledge"


@pytest.fixture
def office(sqlite_database: Database, tmp_path: Path) -> Office:
    """so-ban owns three new assignments (1, 2, 3); assignment 4 is huyen-a's."""
    plan = plan_file(items=(item(1, "so-ban"), item(2, "so-ban"), item(3, "so-ban"), item(4, "huyen-a")))
    begin(store(sqlite_database, now=at("2021-06-01"), plan=plan), now=at("2021-06-01"))
    return open_office(sqlite_database, tmp_path, now=at("2021-06-02"))


def states(office: Office) -> list[str]:
    return [each.state.value for each in rows(office.context.database, Assignment, agency_id="so-ban")]


def shown(office: Office) -> list[str]:
    return [str(each["value"]) for each in BeautifulSoup(office.get(DESK).text, "lxml").select('input[name="id"]')]


def test_one_button_acknowledges_all_that_is_shown_as_new_and_says_how_many(office: Office) -> None:
    ids = shown(office)
    answer = office.post(DEED, page=DESK, id=ids)
    assert (ids, answer.headers["location"]) == (["1", "2", "3"], f"{DESK}?said=acknowledged&n=3")
    assert states(office) == ["acknowledged"] * 3
    page = office.get(answer.headers["location"]).text
    assert "Đã ghi nhận: cơ quan đã nhận 3 nhiệm vụ." in page
    assert "Xác nhận đã nhận cả" not in page


def test_the_title_says_what_is_worst_and_the_facts_what_to_do_and_what_comes(office: Office) -> None:
    page = BeautifulSoup(office.get(DESK).text, "lxml")
    title = " ".join(page.h1.get_text().split())  # type: ignore[union-attr]
    assert title == "So ban: 3 việc mới giao, chưa xác nhận, còn 11 ngày làm việc"
    facts = [" ".join(each.get_text(" ").split()) for each in page.select(".three > section")]
    assert "Báo cáo 6 tháng đầu năm 2021" in facts[0]
    assert facts[1].startswith("Nếu chưa báo cáo thứ Ba, 01/6/2021 thư nhắc")
    assert facts[2] == "Lời hẹn chưa hẹn ngày"


def test_the_agency_has_its_buttons_and_who_watches_has_them_folded(office: Office, tmp_path: Path) -> None:
    mine = as_role(office.context.database, tmp_path, "coordinator", "so-ban")
    for desk, buttons, folded in ((mine, ["Báo cáo 6 tháng đầu năm 2021"], 0), (office, [], 1)):
        page = BeautifulSoup(desk.get(DESK).text, "lxml")
        assert [each.get_text() for each in page.select(".three .button")] == buttons
        assert len(page.select('details form[action*="acknowledge"]')) == folded
        assert len(page.select('form[action*="acknowledge"]')) == 1


def test_what_was_acknowledged_or_cancelled_meanwhile_is_left_as_it_is(office: Office) -> None:
    bring_to(office.context.database, State.ACKNOWLEDGED, 1, now=office.clock.now)
    bring_to(office.context.database, State.CANCELLED, 2, now=office.clock.now)
    answer = office.post(DEED, page=DESK, id=["1", "2", "3"])
    assert answer.headers["location"].endswith("said=acknowledged&n=1")
    assert states(office) == ["acknowledged", "cancelled", "acknowledged"]
    again = office.post(DEED, page="/report/so-ban/1/2021-H1", id=["1", "3"]).headers["location"]
    assert "đã được xác nhận từ trước" in office.get(again).text


def test_another_agencys_assignment_among_them_refuses_all(office: Office, tmp_path: Path) -> None:
    mine = as_role(office.context.database, tmp_path, "coordinator", "so-ban")
    mine.clock.now = office.clock.now
    answers = [mine.post(DEED, page=DESK, id=ids).status_code for ids in (["1", "4"], ["4"], ["1", "99"])]
    assert answers == [403, 403, 404]
    assert mine.post("/agencies/huyen-a/acknowledge", page=DESK, id=["1"]).status_code == 403
    assert "acknowledged" not in happened(office.context.database)


@pytest.mark.parametrize("ids", [[], ["x"], ["0"], ["9" * 19], [str(n) for n in range(1, 202)]])
def test_what_names_nothing_or_too_much_is_refused_in_words(office: Office, ids: list[str]) -> None:
    answer = office.post(DEED, page=DESK, id=ids)
    assert (answer.status_code, "<h1" in answer.text) == (400, True)


def test_only_who_may_acknowledge_is_offered_it(office: Office, tmp_path: Path) -> None:
    for role, agency_id, offered in (("deputy", "so-ban", True), ("monitor", "so-chinh", False)):
        theirs = as_role(office.context.database, tmp_path, role, agency_id)
        theirs.clock.now = office.clock.now
        assert ("Xác nhận đã nhận cả" in theirs.get(DESK).text) is offered


def test_what_comes_next_of_an_overdue_agency_says_the_round(lived: Database, tmp_path: Path) -> None:
    page = BeautifulSoup(open_office(lived, tmp_path).get("/agencies/huyen-b").text, "lxml")
    (fact,) = page.select("section[aria-labelledby=next]")
    said = " ".join(fact.get_text(" ").split())
    assert said.startswith("Nếu chưa báo cáo thứ Hai, 28/6/2021 đôn đốc lần 2")


def test_an_overdue_agency_shows_its_change_the_report_above_and_whom_to_call(lived: Database, tmp_path: Path) -> None:
    page = BeautifulSoup(open_office(lived, tmp_path).get("/agencies/huyen-b").text, "lxml")
    title = " ".join(page.h1.get_text().split())  # type: ignore[union-attr]
    assert title.endswith("; tăng 1 so với báo cáo tuần 14/6/2021")
    now, coming, _ = (" ".join(each.get_text(" ").split()) for each in page.select(".three > section"))
    assert "Đôn đốc… thêm số điện thoại" in now
    assert re.search(r"; \d\d/7 báo cáo lãnh đạo", coming)
    assert page.select_one('.folds form[action*="acknowledge"]') is not None


def test_what_is_alike_of_all_tasks_of_a_section_is_said_once(office: Office) -> None:
    page = BeautifulSoup(office.get(DESK).text, "lxml")
    rows_of_it = page.select("#s-new ~ .rows li")
    assert len(rows_of_it) == 3
    (said,) = page.select("#s-new ~ p")
    assert "· 6 tháng đầu năm 2021 ·" in " ".join(said.get_text().split())
    assert "6 tháng đầu năm 2021" not in " ".join(each.get_text() for each in rows_of_it)


def title_of(database: Database, folder: Path) -> str:
    office = open_office(database, folder, now=at("2021-06-28"))
    page = BeautifulSoup(office.get("/agencies/huyen-b").text, "lxml")
    return " ".join(page.h1.get_text().split())  # type: ignore[union-attr]


def test_a_change_of_what_is_overdue_is_not_said_of_what_was_reported(lived: Database, tmp_path: Path) -> None:
    assert title_of(lived, tmp_path).endswith("ngày làm việc; không đổi so với báo cáo tuần 21/6/2021")
    bring_to(lived, State.REPORTED, row(lived, Assignment, agency_id="huyen-b").id, now=at("2021-06-25"))
    said = "đã báo cáo, chờ tiếp nhận; quá hạn giảm 1 so với báo cáo tuần 21/6/2021"
    assert title_of(lived, tmp_path) == f"Huyen b: 1 việc {said}"


def test_an_agency_that_was_not_in_the_report_has_no_change_from_it(lived: Database, tmp_path: Path) -> None:
    with lived.write() as session:
        for each in rows(lived, Told):
            left = {agency: cells for agency, cells in each.figures.items() if agency != "huyen-b"}
            session.connection().execute(table(Told).update().where(table(Told).c.id == each.id).values(figures=left))
    assert "báo cáo tuần" not in title_of(lived, tmp_path)


def test_nothing_is_said_of_all_tasks_of_a_section_while_some_are_not_shown(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(SHOWN_ROWS, "new", 2)
    page = BeautifulSoup(office.get(DESK).text, "lxml")
    beside = [each.get_text() for each in page.select("#s-new ~ .rows li .what .small")]
    assert (len(beside), page.select("#s-new ~ p")) == (2, [])
