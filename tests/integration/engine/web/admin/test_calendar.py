"""The calendar in the browser: seen by year, changed after a preview that says what moves, never by surprise."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from bs4 import BeautifulSoup
from ground.factory import at, happened, lay, row, rows
from ground.office import Office, as_role, everything, open_office
from httpx import Response

from engine.store.database import Database
from engine.store.records import Assignment, CalendarDay

NOW = at("2021-06-07", "10:00")
STORM = "17/6/2021 nghỉ bù Bão (12/CĐ)"  # a Thursday, when IV.1.1, IV.2.1 and IV.3.1 are due


@pytest.fixture
def office(sqlite_database: Database, tmp_path: Path) -> Office:
    lay(sqlite_database, now=at("2021-04-07"))
    return open_office(sqlite_database, tmp_path, now=NOW)


def preview(office: Office, **typed: Any) -> Response:
    return office.get("/admin/calendar/preview", params=typed)


def fields(page: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for each in BeautifulSoup(page, "lxml").select("main form input"):
        found.setdefault(str(each["name"]), []).append(str(each.get("value", "")))
    return found


def words(page: str) -> str:
    return " ".join(BeautifulSoup(page, "lxml").main.get_text(" ").split())  # type: ignore[union-attr]


def test_a_preview_says_what_moves_with_its_arithmetic_and_changes_nothing(office: Office) -> None:
    before = everything(office.context.database)
    said = words(preview(office, list=STORM).text)
    assert "4 hạn sẽ chuyển , 4 cơ quan được báo" in said
    assert "ngày 17/6/2021 là ngày nghỉ (Nghỉ bù Bão), hạn chuyển sang thứ Sáu, 18/6/2021" in said
    assert "Quá hạn 1 ngày làm việc thứ Sáu, 18/6/2021 thứ Hai, 21/6/2021" in said
    assert "Lưu 1 ngày, chuyển 4 hạn và báo 4 cơ quan?" in said
    assert everything(office.context.database) == before


def test_what_was_previewed_is_saved_by_its_own_form(office: Office) -> None:
    answer = office.client.post("/admin/calendar", data=fields(preview(office, list=STORM).text))
    assert answer.status_code == 303
    assert answer.headers["location"] == "/admin/calendar?year=2021&days=1&moved=4&told=4"
    assert "4 hạn đã chuyển; 4 cơ quan được báo" in words(office.get(answer.headers["location"]).text)
    day = row(office.context.database, CalendarDay)
    assert (day.kind, day.name, day.basis) == ("day_off", "Nghỉ bù Bão", "12/CĐ")
    assert happened(office.context.database)[-1] == "due_moved"
    assert {str(each.due_on) for each in rows(office.context.database, Assignment, period="2021-H1")} == {
        "2021-06-18",
        "2021-06-21",
    }


def test_a_preview_that_is_stale_is_shown_anew_and_not_saved(office: Office) -> None:
    first = fields(preview(office, list=STORM).text)
    second = fields(preview(office, list="17/6/2021 - 18/6/2021 nghỉ Bão lớn").text)
    office.client.post("/admin/calendar", data=second)
    answer = office.client.post("/admin/calendar", data=first)
    assert answer.status_code == 409
    assert "kết quả sẽ khác" in words(answer.text)
    assert "thay cho: nghỉ lễ, Tết, Bão lớn" in words(answer.text)
    assert row(office.context.database, CalendarDay, day=NOW.date().replace(day=17)).name == "Bão lớn"
    assert office.client.post("/admin/calendar", data=fields(answer.text)).status_code == 303


def test_a_form_without_a_preview_is_shown_one_first(office: Office) -> None:
    answer = office.post("/admin/calendar", page="/admin/calendar/preview?list=" + STORM, list=STORM)
    assert answer.status_code == 409
    assert rows(office.context.database, CalendarDay) == []


def test_a_day_that_was_entered_is_dropped_by_its_box_and_changed_by_its_link(office: Office) -> None:
    office.client.post("/admin/calendar", data=fields(preview(office, list=STORM).text))
    listed = BeautifulSoup(office.get("/admin/calendar?year=2021").text, "lxml").select_one("#d2021-06-17")
    assert listed is not None
    form = BeautifulSoup(office.get(str(listed.a["href"])).text, "lxml")  # type: ignore[index]
    assert form.select_one("#name")["value"] == "Nghỉ bù Bão"  # type: ignore[index]
    said = words(preview(office, drop="2021-06-17").text)
    assert "trở lại là ngày làm việc" in said
    assert "4 hạn sẽ chuyển" in said


def test_one_day_by_itself_goes_beside_a_list(office: Office) -> None:
    one = {"day": "1/7/2021", "kind": "worked", "name": "Làm bù", "basis": ""}
    said = words(preview(office, list=STORM, **one).text)
    assert "2 ngày thay đổi" in said


@pytest.mark.parametrize(
    ("typed", "field", "sentence"),
    [
        ({"day": "hôm qua", "kind": "holiday", "name": "Bão"}, "day-said", "Không đọc được ngày"),
        ({"day": "1/7/2021", "kind": "storm", "name": "Bão"}, "kind-said", "Chưa chọn nghỉ hay làm bù"),
        ({"day": "1/7/2021", "kind": "holiday", "name": ""}, "name-said", "Cần một tên gọi"),
        ({"list": "1/7/2021 nghỉ Bão\nngày mai nghỉ"}, "list-said", "Dòng 2"),
        ({}, "list-said", "Chưa chọn ngày nào"),
        ({"list": STORM, "day": "17/6/2021", "kind": "holiday", "name": "Bão"}, "list-said", "ghi hai lần"),
    ],
)
def test_what_cannot_be_read_is_said_beside_its_field_and_stays(
    office: Office, typed: dict[str, str], field: str, sentence: str
) -> None:
    answer = preview(office, **typed)
    page = BeautifulSoup(answer.text, "lxml")
    assert answer.status_code == 422
    assert sentence in " ".join(page.select_one(f"#{field}").get_text().split())  # type: ignore[union-attr]
    assert page.select_one(f'[aria-describedby="{field}"]')
    assert page.select_one("#pasted").get_text().strip() == typed.get("list", "")  # type: ignore[union-attr]
    assert page.select_one("#name")["value"] == typed.get("name", "")  # type: ignore[index]


def test_a_year_whose_days_nobody_entered_warns(office: Office) -> None:
    assert "Chưa nhập ngày nghỉ năm 2022" in words(office.get("/admin/calendar?year=2022").text)
    office.client.post("/admin/calendar", data=fields(preview(office, list="31/1/2022 nghỉ Tết Nhâm Dần").text))
    assert "Chưa nhập ngày nghỉ năm 2022" not in words(office.get("/admin/calendar?year=2022").text)


def test_in_the_last_quarter_next_year_is_asked_for(office: Office) -> None:
    asked = "Chưa nhập ngày nghỉ năm 2022"
    assert asked not in words(office.get("/admin/calendar").text)
    office.clock.now = at("2021-10-01", "10:00")
    assert asked in words(office.get("/admin/calendar").text)


@pytest.mark.parametrize("bad", ["year=1999", "year=x", "list=" + "x" * 9000, "days=-1"])
def test_an_address_that_is_none_is_refused(office: Office, bad: str) -> None:
    assert office.get(f"/admin/calendar?{bad}").status_code == 422


@pytest.mark.parametrize(("role", "agency"), [("monitor", "so-chinh"), ("head", "so-ban"), ("leadership", "tinh")])
def test_the_calendar_is_the_administrators_alone(office: Office, tmp_path: Path, role: str, agency: str) -> None:
    somebody = as_role(office.context.database, tmp_path, role, agency)
    assert somebody.get("/admin/calendar").status_code == 403
    assert preview(somebody, list=STORM).status_code == 403
    assert somebody.client.post("/admin/calendar", data={"token": somebody.token("/account")}).status_code == 403
