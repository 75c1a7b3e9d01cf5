"""Days on pages: typed as people write them, understood, told of, refused by the name of their field."""

from __future__ import annotations

from pathlib import Path

import pytest
from bs4 import BeautifulSoup, Tag
from ground.factory import at, lay, row
from ground.office import Office, open_office

from engine.http.render import TEMPLATE_FOLDERS
from engine.store.database import Database
from engine.store.records import Extension

DUTY = "/assignments/1"
TODAY = "2021-06-08"


@pytest.fixture
def office(sqlite_database: Database, tmp_path: Path) -> Office:
    laid = lay(sqlite_database, now=at("2021-04-07"))
    return open_office(laid.database, tmp_path, now=at(TODAY))


def part(office_page: str, selector: str) -> Tag:
    found = BeautifulSoup(office_page, "lxml").select_one(selector)
    assert found is not None, selector
    return found


def test_no_page_leaves_the_order_of_day_and_month_to_the_browser() -> None:
    sources = [path for folder in TEMPLATE_FOLDERS for path in folder.rglob("*.html")]
    assert len(sources) > 100
    assert [path.name for path in sources if 'type="date"' in path.read_text(encoding="utf-8")] == []


def test_the_field_has_an_example_a_pattern_and_likely_days(office: Office) -> None:
    page = office.get(DUTY).text
    field = part(page, "#ask_extension-until")
    assert (field["type"], field["inputmode"], field["placeholder"]) == ("text", "numeric", "như 17/6/2021")
    options = part(page, f"datalist#{field['list']}").select("option")
    assert (options[0]["value"], options[0].get_text()) == ("09/6/2021", "thứ Tư, 09/6/2021: ngày làm việc kế tiếp")


@pytest.mark.parametrize("typed", ["25/6/2021", "25-6-21", "25.6.2021", "2021-06-25", "25/6", "250621"])
def test_an_extension_is_asked_for_however_its_day_is_written(office: Office, typed: str) -> None:
    office.post(f"{DUTY}/ask_extension", page=DUTY, until=typed, reason="Chờ thẩm định.")
    assert row(office.context.database, Extension).until.isoformat() == "2021-06-25"


def test_what_was_understood_stands_beside_it_when_something_else_is_wrong(office: Office) -> None:
    page = office.post(f"{DUTY}/ask_extension", page=DUTY, until="25-6-21", reason="").text
    field = part(page, "#ask_extension-until")
    assert field["value"] == "25-6-21"
    assert part(page, f"#{field['aria-describedby']}").get_text() == "Thứ Sáu, 25/6/2021"


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("", "Ngày đề nghị: Cần ghi ngày, như 17/6/2021."),
        ("tuần sau", "Ngày đề nghị: Không đọc được ngày “tuần sau”; viết như 17/6/2021."),
    ],
)
def test_a_day_that_cannot_be_read_is_refused_by_name_and_kept(office: Office, typed: str, said: str) -> None:
    answer = office.post(f"{DUTY}/ask_extension", page=DUTY, until=typed, reason="Chờ thẩm định.")
    assert answer.status_code == 400
    assert said in answer.text
    assert part(answer.text, "#ask_extension-until")["value"] == typed


def test_a_filter_reads_the_last_such_day(office: Office) -> None:
    assert part(office.get("/letters?day=7/6").text, "#f-day")["value"] == "07/6/2021"
    assert part(office.get("/letters?day=9/6").text, "#f-day")["value"] == "09/6/2020"
    refused = office.get("/admin/log?from=hôm+qua")
    assert (refused.status_code, "Từ: Không đọc được ngày “hôm qua”" in refused.text) == (400, True)


def test_programs_write_days_as_they_did(office: Office) -> None:
    assert office.get("/api/v1/letters?day=2021-06-07").status_code == 200
    refused = office.get("/api/v1/letters?day=7/6/2021")
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "day")
