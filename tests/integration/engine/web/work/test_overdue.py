"""Chasing from the overdue list: all of a filter, an agency, or single assignments."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from ground.factory import at, rows
from ground.office import Office, as_role
from sqlalchemy import update

from engine.store.database import Database, table
from engine.store.records import Contact, Letter, Notice
from engine.terms import NoticeKind

TASKS = "table.list .codes a[href^='/assignments/']"


def ids(page: str, name: str = "id") -> set[str]:
    return {str(each["value"]) for each in BeautifulSoup(page, "lxml").select(f"input[name={name}]")}


def chased(database: Database) -> set[str]:
    return {str(each.assignment_id) for each in rows(database, Notice, kind=NoticeKind.CHASE)}


def overdue(office: Office, path: str = "/overdue") -> set[str]:
    """The tasks that the list names."""
    return {str(each["href"]).rpartition("/")[2] for each in BeautifulSoup(office.get(path).text, "lxml").select(TASKS)}


def test_all_of_the_filter_are_chased_by_two_presses_after_their_letters_were_seen(
    office: Office, lived: Database
) -> None:
    wanted = overdue(office)
    asked = office.post("/overdue/chase", all="1")
    assert ids(asked.text) == wanted
    assert not chased(lived)
    office.post("/overdue/chase", id=sorted(wanted), sure="1")
    assert chased(lived) == wanted


def test_all_means_all_of_the_filter_and_no_more(office: Office) -> None:
    some = overdue(office, "/overdue?kind=huyen")
    assert ids(office.post("/overdue/chase?kind=huyen", all="1").text) == some < overdue(office)


def test_an_agency_is_ticked_as_a_whole_and_a_task_can_be_left_out_of_it(office: Office, lived: Database) -> None:
    page = BeautifulSoup(office.get("/overdue").text, "lxml")
    for line in page.select("tbody tr"):
        agency = str(line.input["value"])  # type: ignore[index]
        asked = BeautifulSoup(office.post("/overdue/chase", agency=agency).text, "lxml")
        shown = asked.select("input[name=id][type=checkbox][checked]")
        assert {str(each["value"]) for each in shown} == {
            str(each["href"]).rpartition("/")[2] for each in line.select(TASKS)
        }
    assert {"huyen-a", "huyen-b"} <= ids(str(page), "agency")


@pytest.mark.parametrize(("role", "agency"), [("monitor", "so-chinh"), ("monitor", "tinh")])
def test_a_department_chases_all_of_its_own(lived: Database, tmp_path: Path, role: str, agency: str) -> None:
    office = as_role(lived, tmp_path, role, agency)
    mine = BeautifulSoup(office.get("/overdue").text, "lxml").select("tbody tr:has(input) .codes a")
    assert ids(office.post("/overdue/chase", all="1").text) == {str(each["href"]).rpartition("/")[2] for each in mine}


def test_who_only_looks_has_nothing_to_tick(lived: Database, tmp_path: Path) -> None:
    page = as_role(lived, tmp_path, "leadership", "tinh").get("/overdue").text
    assert not ids(page) | ids(page, "all") | ids(page, "agency")


def test_a_chase_is_seen_in_the_list_at_once_and_when_its_letter_leaves(office: Office, lived: Database) -> None:
    assert "Đã đôn đốc" not in office.get("/overdue").text
    task = sorted(overdue(office))[0]
    office.clock.now = at("2021-06-24", "09:12")
    office.post("/overdue/chase", id=[task], sure="1")
    said = " ".join(BeautifulSoup(office.get("/overdue").text, "lxml").get_text(" ").split())
    assert said.count("Đã đôn đốc hôm nay 09:12, gửi") == 1
    (letter,) = (each for each in rows(lived, Notice, kind=NoticeKind.CHASE))
    with lived.write() as session:
        session.connection().execute(
            table(Letter)
            .update()
            .where(table(Letter).c.id == letter.letter_id)
            .values(send_after=at("2021-06-25", "07:30"))
        )
    said = " ".join(BeautifulSoup(office.get("/overdue").text, "lxml").get_text(" ").split())
    assert "Đã đôn đốc hôm nay 09:12, gửi 07:30 mai" in said
    with lived.write() as session:
        session.connection().execute(table(Letter).update().values(state="delivered"))
    assert "hôm nay 09:12" not in office.get("/overdue").text


def test_an_agency_is_one_line_with_its_letters_and_what_was_heard(office: Office) -> None:
    page = BeautifulSoup(office.get("/overdue").text, "lxml")
    lines = page.select("table.list tbody tr")
    assert lines
    for line in lines:
        assert line.select(TASKS)
        picture = line.select_one("svg[role=img]")
        assert picture is not None
        assert re.match(r"hạn (17|21)/6/2021; đã nhắc \d\d/6/2021", str(picture["aria-label"]))
        assert line.select("td")[-1].get_text(strip=True)
    named = {each.b.get_text() for each in page.select("form li, main .stack > ul > li")}  # type: ignore[union-attr]
    assert named == {each.get_text() for each in page.select(TASKS)}


def test_a_promise_is_said_on_the_line(office: Office) -> None:
    page = BeautifulSoup(office.get("/overdue").text, "lxml")
    shown = [" ".join(each.get_text(" ").split()) for each in page.select("table.list td:last-child")]
    heard = [each.partition(" · ") for each in shown]
    assert {re.sub(r"\d+/\d+/2021", "", said) for said, _, _ in heard} == {"đã hẹn 1, ", "chưa xác nhận"}
    coming = [said for _, _, said in heard]  # of the day that the fact above has nothing is said
    assert coming == ["thư tới 01/7", "thêm số điện thoại", "thêm số điện thoại · thư tới 30/6"]


def test_the_title_is_the_finding_and_what_was_told_before(office: Office) -> None:
    page = BeautifulSoup(office.get("/overdue").text, "lxml")
    title = " ".join(page.h1.get_text(" ").split())  # type: ignore[union-attr]
    assert title == "3 cơ quan còn 3 việc quá hạn ; tăng 3 so với báo cáo tuần 14/6/2021"
    assert len(page.select(".three > section")) == 3


def today_of(office: Office, path: str) -> set[str]:
    box = BeautifulSoup(office.get(path).text, "lxml").select_one(".now")
    assert box is not None
    said = [each.get_text(" ", strip=True) for each in box.select("b, p:not(.small) a:not(.button)")]
    return {" ".join(each.split()) for each in said}


def test_what_is_to_be_done_today_is_the_same_list_on_board_and_overdue(office: Office) -> None:
    calls = "2 cơ quan cần gọi điện"
    assert today_of(office, "/") == today_of(office, "/overdue") > {calls, "2 báo cáo chờ tiếp nhận"}
    first = BeautifulSoup(office.get("/overdue").text, "lxml").select_one(".now b")
    assert first is not None
    assert first.get_text() == calls


def test_whom_to_call_stands_beside_who_has_not_acknowledged(office: Office, lived: Database) -> None:
    lines = BeautifulSoup(office.get("/overdue").text, "lxml").select("table.list tbody tr")
    lacking = [line for line in lines if line.select_one("a[href^='/admin/agencies/']")]
    assert [line.select("td")[-1].get_text(" ", strip=True).partition(" · ")[0] for line in lacking] == [
        "chưa xác nhận",
        "chưa xác nhận",
    ]
    agency = str(lacking[0].select("th a")[0]["href"]).rpartition("/")[2]
    with lived.write() as session:
        c = table(Contact)
        session.connection().execute(update(c).where(c.c.agency_id == agency).values(phone="+842380000001"))
    call = BeautifulSoup(office.get("/overdue").text, "lxml").select_one("a[href^='tel:']")
    assert call is not None
    assert (call["href"], " ".join(call.get_text().split())) == ("tel:+842380000001", "gọi 02380000001")


def test_a_part_of_the_agencies_has_no_report_to_compare_with(office: Office) -> None:
    page = BeautifulSoup(office.get("/overdue?kind=huyen").text, "lxml")
    assert "báo cáo tuần" not in page.h1.get_text()  # type: ignore[union-attr]
