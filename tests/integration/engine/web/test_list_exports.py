"""Every list as a spreadsheet: the rows and the order of the screen, its filter in the first line, its permissions."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from bs4 import BeautifulSoup
from ground.office import NOW, Office, as_role, looking, open_office
from openpyxl import load_workbook

from engine.assignments.chasing import record_paper
from engine.assignments.promise_rows import PromiseText
from engine.assignments.promises import make_promise
from engine.queries.figures.year import Week, year_of
from engine.queries.work.assignments import AssignmentFilter, list_assignments
from engine.store.database import Database
from engine.terms import TimeClass


@dataclass(frozen=True)
class Shown:
    """How to find the rows of a list on its page (an attribute, or the text), and the column that says the same."""

    path: str
    rows: str
    column: str
    attribute: str = ""


ASSIGNMENTS = Shown("/assignments", '.list .what > a[href^="/assignments/"]', "Mã việc", "href")
OVERDUE = Shown("/overdue", '.codes > a[href^="/assignments/"]', "Mã việc", "href")
LETTERS = Shown("/letters?whole=true", '.list .what > a[href^="/letters/"]', "Số", "href")
DECIDED = ".rows .what > a[href^='/assignments/']"
LISTS = (
    Shown("/accept", DECIDED, "Mã việc", "href"),
    Shown("/accept?agency=huyen-a&period=2021-H1", DECIDED, "Mã việc", "href"),
    Shown("/extensions", DECIDED, "Mã việc", "href"),
    Shown("/promises", DECIDED, "Mã việc", "href"),
    OVERDUE,
    Shown("/overdue?request=yes", OVERDUE.rows, "Mã việc", "href"),
    Shown("/overdue?period=2021-H1&kind=huyen", OVERDUE.rows, "Mã việc", "href"),
    ASSIGNMENTS,
    Shown("/assignments?class=open_overdue", ASSIGNMENTS.rows, "Mã việc", "href"),
    Shown("/assignments?agency=so-ban&finished=yes", ASSIGNMENTS.rows, "Mã việc", "href"),
    Shown("/assignments?sort=-agency", ASSIGNMENTS.rows, "Mã việc", "href"),
    Shown("/assignments?sort=duty&agency=huyen-b", ASSIGNMENTS.rows, "Mã việc", "href"),
    Shown("/", ".matrix tbody th[scope=row]", "Cơ quan"),
    Shown("/?sort=late&late=1", ".matrix tbody th[scope=row]", "Cơ quan"),
    Shown("/leadership?whole=true", "#agencies ~ .scroll th[scope=row], #requests ~ .scroll th[scope=row]", "Cơ quan"),
    Shown(
        "/leadership?sort=-overdue",
        "#agencies ~ .scroll th[scope=row], #requests ~ .scroll th[scope=row]",
        "Cơ quan",
    ),
    Shown(
        "/leadership/frozen/1?sort=name",
        "#agencies ~ .scroll th[scope=row], #requests ~ .scroll th[scope=row]",
        "Cơ quan",
    ),
    Shown("/leadership/frozen/1", "#agencies ~ .scroll th[scope=row], #requests ~ .scroll th[scope=row]", "Cơ quan"),
    Shown("/leadership/frozen/1/rows?class=open_overdue", '.rows li > span > a[href^="/a"]', "Mã việc", "href"),
    Shown("/?sort=-name", ".matrix tbody th[scope=row]", "Cơ quan"),
    Shown("/?sort=2021-H1", ".matrix tbody th[scope=row]", "Cơ quan"),
    Shown("/overdue?sort=-agency", OVERDUE.rows, "Mã việc", "href"),
    Shown("/overdue?sort=-count&period=2021-H1", OVERDUE.rows, "Mã việc", "href"),
    LETTERS,
    Shown("/letters?kind=overdue&agency=huyen-b", LETTERS.rows, "Số", "href"),
    *(Shown(f"/letters?sort={each}", LETTERS.rows, "Số", "href") for each in ("day", "-agency", "state", "subject")),
    Shown("/plans", "tbody th b", "Kế hoạch"),
    Shown("/plans?sort=number", "tbody th b", "Kế hoạch"),
    Shown("/admin/log?sort=at", ".story > li .what > span:first-child", "Việc gì"),
    Shown("/agencies", "tbody th[scope=row]", "Cơ quan"),
    Shown("/agencies?sort=-overdue", "tbody th[scope=row]", "Cơ quan"),
    Shown("/admin/agencies", ".rows .what > a", "Cơ quan"),
    Shown("/admin/agencies?q=huyen", ".rows .what > a", "Cơ quan"),
    Shown("/admin/log", ".story > li .what > span:first-child", "Việc gì"),
    Shown("/admin/log?kind=acknowledged&agency=so-ban", ".story > li .what > span:first-child", "Việc gì"),
)


def taken(office: Office, path: str, export_format: str = "xlsx") -> tuple[str, list[dict[str, Any]]]:
    """The first line of a list's file, and its rows by heading."""
    answer = office.get(f"{path}{'&' if '?' in path else '?'}as={export_format}")
    assert answer.status_code == 200, answer.text
    assert f".{export_format}" in answer.headers["content-disposition"]
    if export_format == "xlsx":
        page = load_workbook(io.BytesIO(answer.content)).active
        assert page is not None
        lines: list[list[Any]] = [list(row) for row in page.iter_rows(values_only=True)]
    else:
        lines = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"), newline="")))
    return lines[0][0], [dict(zip(lines[1], line, strict=True)) for line in lines[2:]]


def on_screen(office: Office, shown: Shown) -> list[str]:
    """What identifies each row on the list's pages, following «Xem tiếp» to the end."""
    found: list[str] = []
    path = shown.path
    while path:
        page = BeautifulSoup(office.get(path).text, "lxml")
        for each in page.select(shown.rows):
            text = str(each[shown.attribute]).rpartition("/")[2] if shown.attribute else each.get_text(" ")
            found.append(" ".join(text.split()))
        following = page.select_one('.more a.button[href*="after="], .actions a.button[href*="after="]')
        path = str(following["href"]) if following else ""
    return found


def publish(office: Office) -> None:
    office.post("/leadership/freeze", page="/leadership?plan=1&whole=true", plan="1", period="", cut_off="24/6/2021")


def promise_and_issue(database: Database) -> None:
    """A promise that lies too far ahead waits for an agreement, and a paper is issued, about what huyen-b is late
    with."""
    with looking(database) as (session, today):
        (late,) = list_assignments(
            session, today, AssignmentFilter(agency_id="huyen-b", classes=(TimeClass.OPEN_OVERDUE,))
        ).rows
    text = PromiseText(on=date(2021, 12, 30), reason="Chờ hướng dẫn.", owed="Hai xã.")
    with database.write() as session:
        make_promise(session, late.id, text, "extension", actor="cli", now=NOW)
        record_paper(session, "so-chinh", 1, [late.id], number="45/SC-VP", on=date(2021, 6, 23), actor="cli", now=NOW)


@pytest.fixture(scope="module")
def published(copy_of_lived: Callable[[], Database], tmp_path_factory: pytest.TempPathFactory) -> Office:
    """With figures that are published; nothing else is written there."""
    database = copy_of_lived()
    promise_and_issue(database)
    office = open_office(database, tmp_path_factory.mktemp("published"))
    publish(office)
    return office


@pytest.mark.parametrize("shown", LISTS, ids=lambda shown: str(shown.path))
def test_a_file_holds_the_rows_of_the_screen_in_their_order(published: Office, shown: Shown) -> None:
    screen = on_screen(published, shown)
    assert screen
    for export_format in ("xlsx", "csv"):
        _, rows = taken(published, shown.path, export_format)
        found = [" ".join(str(row[shown.column]).split()) for row in rows]
        if shown.path.startswith("/admin/agencies"):
            found = list(dict.fromkeys(found))  # a line a contact
        assert found == screen, export_format


@pytest.mark.parametrize("path", ["/overdue", "/assignments?agency=huyen-b", "/admin/log"])
def test_the_page_for_paper_holds_what_the_file_holds(office: Office, path: str) -> None:
    said, rows = taken(office, path, "csv")
    page = BeautifulSoup(office.get(f"{path}{'&' if '?' in path else '?'}as=print").text, "lxml")
    assert page.select_one("h1 + p").get_text() == said  # type: ignore[union-attr]
    common = [each.get_text().partition(": ")[0] for each in page.select(".common span")]
    heads = [each for head in page.select("thead th") for each in head.get_text().split(" · ")]
    with_values = {each for row in rows for each, value in row.items() if value}
    assert {*common, *heads} == with_values - {"Mã việc"}
    assert not {*common} & {*heads}
    assert len(page.select("tbody tr")) == len(rows)


def test_a_file_of_the_year_adds_up_to_the_page(published: Office) -> None:
    """The page is a picture; its sums stand below it."""
    _, rows = taken(published, "/year?year=2021")
    with looking(published.context.database) as (session, today):
        found = year_of(session, today, 2021)
    assert len(rows) == sum(len(each.weeks) for each in found.agencies) > 4
    assert [row["Tuần từ"] for row in rows] == sorted(row["Tuần từ"] for row in rows)
    whole = sum(found.total.values(), Week())
    headings = ("Thư đã gửi", "Thư sẽ gửi", "Phần việc đến hạn", "Trong đó chưa hoàn thành")
    sums = [sum(row[each] or 0 for row in rows) for each in headings]
    assert sums == [whole.sent, whole.to_come, whole.due, whole.open]
    said, of_kind = taken(published, "/year?year=2021&kind=huyen")
    assert {row["Cơ quan"] for row in of_kind} == {"Huyen a", "Huyen b"}
    assert said.endswith("Lọc: năm: 2021; loại: " + of_kind[0]["Loại cơ quan"])


def test_papers_are_taken_along_with_what_waits_and_what_was_issued(published: Office) -> None:
    _, rows = taken(published, "/papers")
    issued = [row for row in rows if row["Tình trạng"] == "đã phát hành"]
    assert [(row["Số công văn"], row["Ngày ban hành"].date(), row["Số việc"]) for row in issued] == [
        ("45/SC-VP", date(2021, 6, 23), 1)
    ]
    assert len(rows) == len(
        BeautifulSoup(published.get("/papers").text, "lxml").select("#waiting ~ ul li, #issued ~ ul li")
    )


def test_days_and_numbers_of_a_list_to_decide_are_days_and_numbers(published: Office) -> None:
    (row,) = taken(published, "/extensions")[1]
    assert (row["Hạn hiện nay"].date(), row["Đề nghị đến"].date()) == (date(2021, 6, 17), date(2021, 6, 30))
    assert isinstance(row["Gửi lúc"], datetime)
    assert isinstance(row["Mã việc"], int)
    (promised,) = taken(published, "/promises")[1]
    assert (promised["Hẹn ngày"].date(), promised["Hẹn lần"]) == (date(2021, 12, 30), 1)
    reports = taken(published, "/accept")[1]
    assert {type(row["Báo cáo lần"]) for row in reports} == {int}
    assert {row["Kết quả"] for row in reports} == {"đã hoàn thành", "hoàn thành một phần"}


@pytest.mark.parametrize("path", sorted({"/year", "/papers"} | {each.path.partition("?")[0] for each in LISTS}))
def test_every_list_offers_its_file_with_its_filter(published: Office, path: str) -> None:
    page = BeautifulSoup(published.get(f"{path}?lang=vi").text, "lxml")
    links = [(each.get_text(), str(each["href"])) for each in page.select(".take a")]
    assert links == [
        ("Excel", f"{path}?lang=vi&as=xlsx"),
        ("CSV", f"{path}?lang=vi&as=csv"),
        ("In", f"{path}?lang=vi&as=print"),
    ]


def test_the_first_line_says_what_it_is_of_when_and_by_which_filter(office: Office) -> None:
    said, _ = taken(office, "/assignments?plan=1&period=2021-H1&class=open_overdue&agency=huyen-b")
    assert said == (
        "Phần việc. Tính đến 08:00 thứ Năm, 24/6/2021. Lọc: kế hoạch: 12/KH-UBND (2021); "
        "kỳ: 6 tháng đầu năm 2021; thời hạn: quá hạn; cơ quan: Huyen b"
    )
    english, rows = taken(office, "/overdue?lang=en")
    assert english == "Overdue tasks. As of 08:00 Thursday, 24/6/2021. Filter: none"
    assert "Overdue (working days)" in rows[0]


def test_a_contact_stands_beside_its_agency_and_an_agency_without_one_still_stands(office: Office) -> None:
    _, rows = taken(office, "/admin/agencies")
    assert {"coordinator@so-ban.example", "head@so-ban.example"} <= {row["Thư điện tử"] for row in rows}
    assert all(row["Vai trò"] for row in rows if row["Thư điện tử"])


@pytest.mark.parametrize(
    ("role", "agency", "refused"),
    [
        (
            "coordinator",
            "so-ban",
            (
                "/accept",
                "/extensions",
                "/promises",
                "/year",
                "/papers",
                "/overdue",
                "/agencies",
                "/leadership",
                "/admin/log",
            ),
        ),
        ("monitor", "so-chinh", ("/admin/log",)),
        ("leadership", "tinh", ("/admin/log", "/admin/agencies")),
    ],
)
def test_a_file_is_for_those_who_may_see_the_list(
    lived: Database, tmp_path: Path, role: str, agency: str, refused: tuple[str, ...]
) -> None:
    office = as_role(lived, tmp_path, role, agency)
    assert {office.get(f"{path}?as=xlsx").status_code for path in refused} == {403}


def test_an_agency_takes_along_only_its_own(lived: Database, tmp_path: Path) -> None:
    office = as_role(lived, tmp_path, "coordinator", "so-ban")
    _, rows = taken(office, "/assignments")
    assert {row["Cơ quan chủ trì"] for row in rows} == {"So ban"}


@pytest.mark.parametrize("path", ["/overdue?as=pdf", "/assignments?as=xlsx&class=x", "/admin/log?as=csv&kind=x"])
def test_an_unknown_format_or_filter_is_refused(office: Office, path: str) -> None:
    assert office.get(path).status_code in (400, 422)
