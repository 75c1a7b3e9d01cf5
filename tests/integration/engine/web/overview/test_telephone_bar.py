"""The bar at the bottom of a telephone: five places, and how much is overdue."""

from __future__ import annotations

from pathlib import Path

from bs4 import BeautifulSoup
from ground.office import Office, as_role, looking, open_office

from engine.queries.work.assignments import AssignmentFilter
from engine.queries.work.overdue import how_many_overdue
from engine.store.database import Database


def bar(office: Office, page: str = "/plans") -> list[str]:
    return [
        " ".join(each.get_text().split()) for each in BeautifulSoup(office.get(page).text, "lxml").select(".tabs a")
    ]


def test_the_bar_says_how_much_is_overdue_as_the_page_that_it_opens_does(lived: Database, tmp_path: Path) -> None:
    with looking(lived) as (session, today):
        total = how_many_overdue(session, today, AssignmentFilter(request=False))
    assert total > 0
    office = open_office(lived, tmp_path)
    assert bar(office) == ["Bảng", f"Quá hạn {total}", "Kế hoạch", "Lãnh đạo", "Thêm"]
    assert f"{total} việc" in " ".join(BeautifulSoup(office.get("/overdue").text, "lxml").get_text(" ").split())


def test_whoever_sees_no_overdue_list_gets_no_number(lived: Database, tmp_path: Path) -> None:
    coordinator = as_role(lived, tmp_path, "coordinator", "so-ban")
    assert not any("Quá hạn" in each for each in bar(coordinator, "/agencies/so-ban"))
