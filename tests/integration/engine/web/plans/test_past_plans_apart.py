"""What is counted for the leadership is of running plans; those past their last date stand on a line of their own."""

from __future__ import annotations

import asyncio
from datetime import date
from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from ground.factory import Laid, at, begin, do, item, lay, opened, plan_file
from ground.office import Office, looking, open_office
from ground.post import LetterBox, post_office

from engine.assignments.weekly_digest import make
from engine.features.papers.quick_report import quick_report, text_of
from engine.plans.loading import load_plan
from engine.queries.filter_choices import plan_of
from engine.rules.situation import Action
from engine.store.database import Database
from workflows.run import passes

MONDAY = at("2022-07-04", "09:00")
LEFT, COUNTED = 10, 2
"""Of the plan of 2021 ten tasks with the two requests (mat-tran), of the plan of 2022 two agencies' half-year."""


@pytest.fixture
def two_years(database: Database) -> Laid:
    """The plan of 2021, of which nobody reported, and one of 2022, of which huyen-a reported in time."""
    lay(database, now=at("2021-04-07"))
    opened(database, at("2021-12-01"))
    changes = {"number": "34/KH-UBND", "year": 2022, "issued_on": date(2022, 4, 7), "short_title": "Kế hoạch 34"}
    with database.write() as session:
        file = plan_file(items=(item(1, "huyen-a"), item(2, "huyen-b")), **changes)
        newer = load_plan(session, file, actor="cli:test", now=at("2022-04-07"))
    laid = begin(Laid(database, newer), now=at("2022-04-07"))
    do(database, Action.REPORT, laid.assignment("IV.1.1", "huyen-a", "2022-H1"), now=at("2022-06-14"))
    return laid


@pytest.fixture
def office(two_years: Laid, tmp_path: Path) -> Office:
    return open_office(two_years.database, tmp_path, now=MONDAY, open_desk=True)


def listed(office: Office, address: str) -> int:
    return len(BeautifulSoup(office.get(address).text, "lxml").select(".list tbody tr"))


def test_the_page_counts_running_plans_and_names_the_others_on_a_line(office: Office) -> None:
    page = BeautifulSoup(office.get("/leadership").text, "lxml")
    line = page.select_one('a[href*="past=yes"]')
    assert line is not None
    words = f"1 kế hoạch đã quá ngày cuối, chờ kết thúc: còn {LEFT} việc; không tính vào số liệu dưới đây."
    words = f"{words} Kết thúc kế hoạch."
    assert " ".join(line.parent.get_text().split()) == words  # type: ignore[union-attr]
    assert listed(office, str(line["href"])) == LEFT
    large = " ".join(page.select_one(".large").get_text(" ").split())  # type: ignore[union-attr]
    assert f"1 trong {COUNTED} việc đã đến hạn" in large
    links = page.select(".overview a[href*=assignments]")
    assert len(links) >= 4
    for each in links:
        number = each.get_text(strip=True).removeprefix("quá hạn").removeprefix("hoàn thành đúng hạn")
        assert listed(office, str(each["href"])) == int(number), each["href"]


def test_a_plan_that_is_chosen_is_counted_whole(office: Office) -> None:
    page = BeautifulSoup(office.get("/leadership?plan=1").text, "lxml")
    assert page.select('a[href*="past="]') == []
    large = " ".join(page.select_one(".large").get_text(" ").split())  # type: ignore[union-attr]
    assert "0 trong 8 việc đã đến hạn" in large  # without the two requests


def test_the_table_taken_along_and_the_api_count_the_same(office: Office) -> None:
    assert office.get("/leadership?as=csv").text.count("\n") == office.get("/leadership?as=csv&plan=2").text.count("\n")
    with office.context.database.write() as session:
        make(session, at("2022-06-13", "07:00"))
    api = open_office(office.context.database, office.context.settings.data_dir, now=MONDAY, open_desk=True)
    assert api.get("/api/v1/standing").json() == api.get("/api/v1/standing?plan=2").json()
    changes = api.get("/api/v1/standing/changes").json()
    assert changes == api.get("/api/v1/standing/changes?plan=2").json() != []


def test_the_paper_to_sign_counts_the_same(two_years: Laid) -> None:
    with looking(two_years.database, MONDAY) as (session, today):
        facts = quick_report(session, today, plan_of(session, two_years.plan_id), "", whole_plans=True)
        of_plan = quick_report(session, today, plan_of(session, two_years.plan_id), "", whole_plans=False)
    assert facts.rows == of_plan.rows
    (line,) = [each for each in text_of(facts) if "chờ kết thúc" in each]
    assert line.endswith(
        f"01 kế hoạch đã quá ngày cuối, chờ kết thúc; số việc còn lại {LEFT} (không tính vào số liệu trên)."
    )
    assert not [each for each in text_of(of_plan) if "chờ kết thúc" in each]


def test_the_weekly_letter_of_the_leadership_counts_the_same(two_years: Laid, office: Office) -> None:
    box = LetterBox()
    asyncio.run(passes.tick(two_years.database, MONDAY, post_office(box)))
    (letter,) = [each for each in box.letters if each.to == "leadership@tinh.example"]
    assert f"1 kế hoạch đã quá ngày cuối, chờ kết thúc: còn {LEFT} việc; không tính vào số liệu trên" in letter.text
    assert "Hoàn thành đúng hạn: 1 ·" in letter.text
    assert "Đang thực hiện, quá hạn: 1 ·" in letter.text
    assert "1 việc quá hạn của 1 cơ quan; hoàn thành 1" in letter.subject
    html = BeautifulSoup(letter.html, "lxml")
    links = html.select('a[href*="/assignments?"]')
    assert len(links) >= 5
    for each in links:
        number = each.get_text(strip=True).removesuffix("việc")
        there = str(each["href"]).partition("8188")[2]
        assert listed(office, there) == int(number), there
