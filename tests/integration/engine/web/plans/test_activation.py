"""The pages around activation say what leaves now, what leaves next, and what to do next."""

from __future__ import annotations

import io
from datetime import date
from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from ground.factory import at, item, plan_file, row, store
from ground.office import Office, enter, join, open_office
from openpyxl import load_workbook

from engine.errors import Conflict
from engine.files.plan import PlanFile
from engine.plans.simulated_year import SimulatedLetter, SimulatedYear, TellShare
from engine.store.database import Database
from engine.store.records import Plan
from engine.terms import PastPeriods, Scenario

SUNDAY = at("2021-05-09", "09:00")


def simulated(plan: PlanFile, first: date, last: date, scenario: Scenario, tell: TellShare) -> SimulatedYear:
    letter = SimulatedLetter(
        at="2021-05-10T07:30+07:00",
        channel="email",
        kind="assigned",
        rung="open",
        agency="so-ban",
        role="coordinator",
        assignments=("12/KH-UBND IV.1.1 so-ban 2021-H1",),
        key="letter:1:email:2021-05-10",
    )
    return SimulatedYear((letter,), (), 1, 300, {"so-ban": "Sở Ban"})


@pytest.fixture
def office(sqlite_database: Database, tmp_path: Path) -> Office:
    store(sqlite_database, now=SUNDAY)
    office = open_office(sqlite_database, tmp_path, now=SUNDAY, smtp_host="smtp.tinh.example", simulate=simulated)
    return enter(office, join(sqlite_database, "administrator", "tinh"))


def words(office: Office, path: str) -> str:
    return " ".join(BeautifulSoup(office.get(path).text, "lxml").get_text(" ").split())


def test_on_a_sunday_it_says_what_leaves_on_monday(office: Office) -> None:
    said = words(office, "/plans/1/activate")
    assert "Kích hoạt: chưa có thư nào đi ngay" in said
    assert "07:30 thứ Hai, 10/5/2021: 5 thư cho 5 người" in said
    assert "07:30 Monday" in words(office, "/plans/1/activate?lang=en")


def test_letters_are_drawn_by_day_before_anything_leaves(office: Office) -> None:
    page = BeautifulSoup(office.get("/plans/1/activate").text, "lxml")
    (drawn,) = page.select(".bars li")
    assert " ".join(drawn.get_text(" ").split()) == "thứ Hai, 10/5/2021 · giao việc: đầu mối 1"
    assert drawn.select_one("rect")["width"] == "100.0"  # type: ignore[index]


def test_without_a_simulated_year_a_plan_can_be_activated(sqlite_database: Database, tmp_path: Path) -> None:
    def busy(*_: object) -> SimulatedYear:
        raise Conflict

    store(sqlite_database, now=SUNDAY)
    office = open_office(sqlite_database, tmp_path, now=SUNDAY, simulate=busy)
    assert "Kích hoạt" in enter(office, join(sqlite_database, "administrator", "tinh")).get("/plans/1/activate").text


def test_a_day_that_the_plan_does_not_name_is_asked_for_before_anything_leaves(office: Office) -> None:
    rules = {"hoi-ngay": {"source": "local", "to": "so-chinh", "ask_day": True, "wording": "định kỳ 6 tháng, năm"}}
    plan = plan_file(number="13/KH-UBND", items=(item(1, "so-ban", "huyen-a", rule="hoi-ngay"),), report_rules=rules)
    path = f"/plans/{store(office.context.database, now=SUNDAY, plan=plan).plan_id}/activate"
    page = BeautifulSoup(office.get(path).text, "lxml")
    assert "Còn 1 ngày phải chọn; sau đó chưa có thư nào đi ngay" in " ".join(page.h1.get_text().split())  # type: ignore[union-attr]
    assert page.select("button.big") == []
    assert "1 nhiệm vụ, 2 cơ quan “định kỳ 6 tháng, năm” (IV.1.1)" in words(office, path)
    assert office.post(path, page=path).status_code == 400
    assert "Không đọc được ngày báo cáo «mai»" in words(office, f"{path}?day-hoi-ngay=mai")
    chosen = BeautifulSoup(office.get(f"{path}?day-hoi-ngay=20").text, "lxml")
    assert "thứ Hai, 21/6/2021; thứ Hai, 20/12/2021" in " ".join(chosen.get_text(" ").split())
    assert office.post(path, page=f"{path}?day-hoi-ngay=20", **{"day-hoi-ngay": "20"}).status_code == 303
    assert row(office.context.database, Plan, number="13/KH-UBND").file["report_rules"]["hoi-ngay"]["due_day"] == 20


def test_what_was_done_says_what_comes_next(office: Office) -> None:
    page = BeautifulSoup(office.get("/plans/1?said=loaded").text, "lxml")
    assert page.select_one(".note.good a[href='/plans/1/activate']") is not None
    page = BeautifulSoup(office.get("/plans/1?said=activated").text, "lxml")
    assert [each["href"] for each in page.select(".note.good a")] == ["/?plan=1", "/letters"]


def test_the_year_s_letters_are_taken_along_by_a_button(office: Office) -> None:
    page = BeautifulSoup(office.get("/plans/1/simulate?scenario=late").text, "lxml")
    button = page.select_one("#letters ~ p a.button")
    assert button is not None
    assert "1 thư" in button.get_text()
    assert page.h1 is not None
    assert "chưa kích hoạt" in page.h1.get_text()
    answer = office.get(str(button["href"]))
    assert 'filename="du-kien-thu-1-2021' in answer.headers["content-disposition"]
    rows = list(load_workbook(io.BytesIO(answer.content)).worksheets[0].iter_rows(values_only=True))
    assert rows[1] == ("Lúc", "Kênh", "Thư", "Cơ quan", "Vai trò", "Số việc", "Về việc")
    assert rows[2][1:] == (
        "thư điện tử",
        "giao việc: khi giao",
        "Sở Ban",
        "đầu mối",
        1,
        "12/KH-UBND IV.1.1 Sở Ban, 6 tháng đầu năm 2021",
    )


def test_the_file_of_a_simulated_year_holds_the_week_and_agency_of_the_page(office: Office) -> None:
    page = BeautifulSoup(office.get("/plans/1/simulate?scenario=late&week=2021-W19&agency=so-ban").text, "lxml")
    links = {each.get_text(): str(each["href"]) for each in page.select(".head > .take a")}
    assert list(links) == ["Excel", "CSV", "In"]
    said, _, *rows = office.get(links["CSV"]).text.removeprefix("\ufeff").splitlines()
    assert said.endswith('Lọc: các cơ quan: chậm; tuần: 2021-W19; cơ quan: Sở Ban"')
    assert len(rows) == 1
    other = office.get(links["CSV"].replace("so-ban", "huyen-a")).text
    assert len(other.splitlines()) == 2
    assert "12/KH-UBND IV.1.1" in BeautifulSoup(office.get(links["In"]).text, "lxml").tbody.get_text()  # type: ignore[union-attr]


def test_the_preview_asks_what_becomes_of_periods_that_are_over(database: Database, tmp_path: Path) -> None:
    laid = store(database, now=at("2021-06-28"))
    office = open_office(database, tmp_path, now=at("2021-06-28"))
    page = BeautifulSoup(office.get("/plans/1/activate").text, "lxml")
    asked = page.select_one("main fieldset")
    assert asked is not None
    said = " ".join(asked.get_text().split())
    assert "5 việc thuộc kỳ đã qua hạn trước hôm nay" in said
    assert "Hỏi, đặt hạn mới: 5 ngày làm việc nữa" in said
    assert [each["value"] for each in page.select("input[name=past][checked]")] == ["extend"]
    page = BeautifulSoup(office.get("/plans/1/activate?past=skip").text, "lxml")
    assert [each["value"] for each in page.select("form[method=post] input[name=past]")] == ["skip"]
    assert office.get("/plans/1/activate?past=la").status_code == 400
    assert office.post("/plans/1/activate", past="skip").status_code == 303
    assert row(database, Plan, id=laid.plan_id).past_periods is PastPeriods.SKIP
