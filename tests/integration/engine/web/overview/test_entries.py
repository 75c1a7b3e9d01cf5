"""What leads to the pages: seven entries, four and three by role, five places on a telephone, and how much waits."""

from __future__ import annotations

from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from ground.office import Office, as_role, looking, open_office

from engine.queries.work.assignments import AssignmentFilter
from engine.queries.work.overdue import how_many_overdue
from engine.queries.work.todo import waiting_counts
from engine.store.database import Database


def said(office: Office, page: str, where: str) -> list[str]:
    found = BeautifulSoup(office.get(page).text, "lxml").select(where)
    return [" ".join(each.get_text(" ").split()) for each in found]


@pytest.fixture
def numbers(lived: Database) -> tuple[int, int]:
    """What is overdue, and what waits for a decision."""
    with looking(lived) as (session, today):
        late = how_many_overdue(session, today, AssignmentFilter(request=False))
        waiting = sum(waiting_counts(session, today, AssignmentFilter()).values())
    assert late > 0 < waiting
    return late, waiting


def test_whoever_follows_plans_has_seven_entries_with_what_is_late_and_what_waits(
    lived: Database, tmp_path: Path, numbers: tuple[int, int]
) -> None:
    late, waiting = numbers
    office = open_office(lived, tmp_path)
    entries = ["Bảng theo dõi", f"Chờ xử lý {waiting}", f"Quá hạn {late}", "Kế hoạch", "Cơ quan", "Thư, văn bản"]
    assert said(office, "/plans", "#pages a") == [*entries, "Lãnh đạo"]
    assert said(office, "/plans", ".tabs a") == ["Bảng", f"Chờ xử lý {waiting}", f"Quá hạn {late}", "Kế hoạch", "Thêm"]
    assert f"{late} việc" in " ".join(said(office, "/overdue", "main"))


def test_leadership_has_four_and_a_coordinator_three(lived: Database, tmp_path: Path) -> None:
    leader = as_role(lived, tmp_path, "leadership", "tinh")
    names = [each.rstrip(" 0123456789") for each in said(leader, "/plans", "#pages a")]
    assert names == ["Lãnh đạo", "Quá hạn", "Cơ quan", "Kế hoạch"]  # letters and papers are not theirs to see
    coordinator = as_role(lived, tmp_path, "coordinator", "so-ban")
    assert said(coordinator, "/agencies/so-ban", "#pages a") == ["Việc của tôi", "Kế hoạch", "Thư, văn bản"]
    assert said(coordinator, "/agencies/so-ban", ".tabs a") == ["Việc", "Kế hoạch", "Thư", "Thêm"]


@pytest.mark.parametrize(
    ("page", "entry", "under"),
    [
        ("/year", "Lãnh đạo", "Cả năm"),
        ("/papers", "Thư, văn bản", "Văn bản"),
        ("/incoming", "Thư, văn bản", "Thư đến"),
        ("/letters", "Thư, văn bản", "Thư đã gửi"),
    ],
)
def test_a_page_that_has_no_entry_of_its_own_stands_under_one(
    office: Office, page: str, entry: str, under: str
) -> None:
    assert [each.rstrip(" 0123456789") for each in said(office, page, "#pages [aria-current]")] == [entry]
    assert said(office, page, ".under [aria-current]") == [under]


def test_what_waits_has_one_entry_that_opens_where_something_does(lived: Database, tmp_path: Path) -> None:
    office = open_office(lived, tmp_path)
    page = BeautifulSoup(office.get("/plans").text, "lxml")
    [entry] = (each for each in page.select("#pages a") if "Chờ xử lý" in each.get_text())
    opened = office.get(str(entry["href"]))
    assert opened.status_code == 200
    assert [each.startswith("Chờ xử lý") for each in said(office, str(entry["href"]), "#pages [aria-current]")] == [
        True
    ]


def test_system_and_administration_stand_under_the_account_with_a_mark_where_something_is_wrong(office: Office) -> None:
    page = BeautifulSoup(office.get("/plans").text, "lxml")
    assert [each["href"] for each in page.select(".me li > a")][-4:-2] == ["/admin", "/health"]
    assert "hệ thống có điều cần xem" in page.select_one(".me summary").get_text()  # type: ignore[union-attr]
    assert not any("Hệ thống" in each for each in said(office, "/plans", "#pages a"))
