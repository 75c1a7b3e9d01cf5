"""The leadership's page, what is published for good, the year, and calendars by their secret address."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from ground.factory import at, begin, real_plan, rows
from ground.office import NOW, Office, enter, everything, join, open_office
from icalendar import Calendar

from engine.agencies.feed_addresses import make_feed, revoke_feed
from engine.assignments.lifecycle import ReportText, report
from engine.store.database import Database
from engine.store.records import Assignment
from engine.terms import Outcome

FIGURES = "/leadership?plan=1&whole=true"


def main(page: str) -> str:
    return " ".join(BeautifulSoup(page, "lxml").main.get_text(" ").split())  # type: ignore[union-attr]


def publish(office: Office, day: str = "24/6/2021") -> str:
    return str(
        office.post("/leadership/freeze", page=FIGURES, plan="1", period="", cut_off=day).headers.get("location", "")
    )


def test_what_is_done_of_what_is_due_leads_beside_what_was_last_told(office: Office) -> None:
    page = BeautifulSoup(office.get("/leadership").text, "lxml")
    assert page.h1 is not None
    assert page.h1.get_text(strip=True) == "Quá hạn tăng từ 0 lên 3 việc; lâu nhất: 2 cơ quan, đều có hạn 17/6/2021"
    large = words(page, ".large")
    assert large.startswith("Đã hoàn thành 25,0% 1 trong 4 việc đã đến hạn Theo báo cáo của cơ quan; chưa việc nào")
    beside = words(page, ".aside > div")
    assert "đã hoàn thành 1 1 không đổi quá hạn 0 3 ▲ tăng 3 cơ quan quá hạn 0 3 ▲ tăng 3" in beside
    assert "1 việc hoàn thành đúng hạn, 0 sau hạn, không được tính là đúng hạn" in beside


def test_what_is_done_by_reports_nobody_has_accepted_is_said_so(office: Office, lived: Database) -> None:
    (waiting,) = (each.id for each in rows(lived, Assignment) if each.done_on)
    large = words(BeautifulSoup(office.get("/leadership").text, "lxml"), ".large")
    assert "Theo báo cáo của cơ quan; chưa việc nào được tiếp nhận" in large
    office.post(f"/assignments/{waiting}/accept")
    assert "tiếp nhận" not in words(BeautifulSoup(office.get("/leadership").text, "lxml"), ".large")


def words(page: BeautifulSoup, selector: str) -> str:
    found = page.select_one(selector)
    assert found is not None
    return " ".join(found.get_text(" ").split())


def test_every_number_opens_what_it_counts(office: Office) -> None:
    page = BeautifulSoup(office.get("/leadership").text, "lxml")
    links = {str(each["href"]): each.get_text(strip=True) for each in page.select(".overview a[href*=assignments]")}
    assert len(links) >= 5
    for address, number in links.items():
        rows = BeautifulSoup(office.get(address).text, "lxml").select(".list tbody tr")
        assert len(rows) == int(number.removeprefix("quá hạn")), address


def test_worse_stands_apart_from_better_with_the_largest_change_first(office: Office) -> None:
    page = BeautifulSoup(office.get("/leadership?whole=true").text, "lxml")
    assert words(page, "#changed").endswith("3 cơ quan xấu đi, 0 cơ quan tốt lên")
    changes = [" ".join(each.span.get_text(" ").split()) for each in page.select("#changed ~ ul li")]  # type: ignore[union-attr]
    assert changes == ["hoàn thành không đổi, quá hạn ▲ tăng 1"] * 3


def test_the_next_dates_are_always_said(office: Office) -> None:
    dates = words(BeautifulSoup(office.get("/leadership").text, "lxml"), "section[aria-labelledby=next]")
    assert "đôn đốc lần" in dates
    assert "báo cáo lãnh đạo" in dates
    assert office.get("/leadership?period=2021-Y").status_code == 200


def test_the_leadership_is_asked_to_direct_agencies_by_name_and_by_a_day(office: Office) -> None:
    asked = words(BeautifulSoup(office.get("/leadership").text, "lxml"), ".ask")
    whom = "Huyen a, Huyen b (mỗi cơ quan 1 việc) và 1 cơ quan khác"
    by = "hoàn thành chậm nhất thứ Năm, 01/7/2021 , hoặc đúng ngày đã hẹn."
    assert asked == f"Kính xin ý kiến chỉ đạo Kính đề nghị yêu cầu {whom} {by}"


def test_each_task_has_one_mark_with_its_words_and_requests_stand_apart(office: Office) -> None:
    page = BeautifulSoup(office.get("/leadership").text, "lxml")
    lines = {each.th.get_text(strip=True): each for each in page.select(".kind-marks tr") if each.th}
    assert len(lines) >= 4
    assert words(page, ".key") == "quá hạn 3 trong đó đã hẹn 1 hoàn thành đúng hạn 1"
    late = [name for name, line in lines.items() if "bad" in (line.get("class") or [])]
    assert len(late) == 3
    for name in late:
        assert "quá hạn" in lines[name].get_text()
    asked = next(each for each in page.select(".kind-marks") if "đề nghị" in each.get_text())
    assert not asked.select(".bad")


def test_agencies_stand_worst_first_among_the_figures_and_a_picture_has_a_table(office: Office) -> None:
    page = BeautifulSoup(office.get("/leadership?whole=true").text, "lxml")
    names = [each.get_text() for each in page.select("#agencies ~ .scroll tbody th")]
    assert len(names) == len(set(names)) >= 4
    screen = BeautifulSoup(office.get("/leadership").text, "lxml")
    assert screen.select_one("svg.picture[role=img]") is not None
    assert screen.select_one("details table caption") is not None


def test_a_published_figure_never_changes_and_what_is_learnt_later_stands_beside_it(
    office: Office, lived: Database
) -> None:
    there = publish(office)
    printed = main(office.get(there).text).partition("Phát sinh sau khi chốt")[0]
    late = next(each.id for each in rows(lived, Assignment, agency_id="huyen-b"))
    with lived.write() as session:
        said = ReportText(outcome=Outcome.DONE, body="Xong.")
        report(session, late, said, actor="desk", now=NOW - timedelta(days=5))
    after = main(office.get(there).text)
    assert after.partition("Phát sinh sau khi chốt")[0] == printed
    assert "→" in after.partition("Phát sinh sau khi chốt")[2]


def test_the_same_is_not_published_twice_and_not_before_its_day(office: Office) -> None:
    assert publish(office) == "/leadership/frozen/1"
    again = office.post("/leadership/freeze", page=FIGURES, plan="1", period="", cut_off="24/6/2021")
    early = office.post("/leadership/freeze", page=FIGURES, plan="1", period="", cut_off="25/6/2021")
    absurd = office.post("/leadership/freeze", page=FIGURES, plan="1", period="", cut_off="hôm nay")
    assert (again.status_code, early.status_code, absurd.status_code) == (409, 400, 400)
    assert "chưa tới" in early.text
    assert office.get("/leadership/frozen/2").status_code == 404


@pytest.mark.parametrize(
    ("period", "day", "field"),
    [
        ("2021-Q3", "24/6/2021", "period"),
        ("x" * 65, "24/6/2021", "period"),
        ("2021-H1", "25/6/2021", "cut_off"),
        ("2021-H1", "ngày mai", "cut_off"),
    ],
)
def test_what_is_wrong_with_publishing_stands_beside_its_field(
    office: Office, period: str, day: str, field: str
) -> None:
    answer = office.post("/leadership/freeze", page=FIGURES, plan="1", period=period, cut_off=day)
    page = BeautifulSoup(answer.text, "lxml")
    assert answer.status_code == 400
    wrong = page.select("[aria-invalid=true]")
    assert [each["name"] for each in wrong] == [field]
    assert page.select_one(f"#{wrong[0]['aria-describedby']}") is not None
    assert page.select_one("#cut_off")["value"] == day  # type: ignore[index]
    assert office.get("/leadership/frozen/1").status_code == 404


def test_leadership_looks_and_publishes_nothing(office: Office, lived: Database) -> None:
    token = office.token(FIGURES)
    enter(office, join(lived, "leadership", "tinh"))
    assert "/leadership/freeze" not in office.get(FIGURES).text
    answer = office.client.post("/leadership/freeze", data={"token": token, "plan": "1", "cut_off": "24/6/2021"})
    assert answer.status_code == 403


@pytest.mark.parametrize("path", ["/year?year=1", "/year?year=x", "/leadership?plan=999", "/leadership?plan=x"])
def test_a_hostile_address_is_answered_in_words(office: Office, path: str) -> None:
    assert office.get(path).status_code in (404, 422)


def test_a_calendar_opens_by_its_secret_address_alone_and_looking_changes_nothing(
    office: Office, lived: Database
) -> None:
    with lived.write() as session:
        key = make_feed(session, "huyen-b", actor="desk", now=NOW)
    join(lived, "coordinator", "huyen-b")
    before = everything(lived)
    answer = office.get(f"/feed/{key}.ics")
    assert answer.headers["content-type"] == "text/calendar; charset=utf-8"
    assert [each["dtstart"].dt.year for each in Calendar.from_ical(answer.content).walk("VEVENT")] != []
    assert office.client.head(f"/feed/{key}.ics").content == b""
    assert everything(lived) == before


@pytest.mark.parametrize("name", ["x.ics", "{key}", "{key}.txt", "{key}.ICS", ".ics", "a" * 500 + ".ics", "%00.ics"])
def test_another_address_opens_no_calendar(office: Office, lived: Database, name: str) -> None:
    with lived.write() as session:
        key = make_feed(session, "huyen-b", actor="desk", now=NOW)
    assert office.get(f"/feed/{name.format(key=key)}").status_code == 404


def test_a_revoked_calendar_is_gone(office: Office, lived: Database, tmp_path: Path) -> None:
    with lived.write() as session:
        key = make_feed(session, "huyen-b", actor="desk", now=NOW)
        revoke_feed(session, "huyen-b", 1, actor="desk", now=NOW)
    assert office.get(f"/feed/{key}.ics").status_code == 404


def test_the_year_of_many_bodies_is_weeks_and_kinds_and_small(sqlite_database: Database, tmp_path: Path) -> None:
    begin(real_plan(sqlite_database, now=at("2021-04-07")), now=at("2021-04-07"))
    office = open_office(sqlite_database, tmp_path, now=at("2021-06-07"))
    answer = office.get("/year")
    page = BeautifulSoup(answer.text, "lxml")
    assert page.h1 is not None
    assert words(page, "h1").startswith("Nặng nhất là tuần ")
    kinds = [str(each["value"]) for each in page.select("select[name=kind] option[value]") if each["value"]]
    assert len(kinds) == 8
    assert len(answer.content) < 50_000
    weeks = page.select("tbody tr")
    for kind in kinds:
        assert 0 < len(BeautifulSoup(office.get(f"/year?kind={kind}").text, "lxml").select("tbody tr")) <= len(weeks)
