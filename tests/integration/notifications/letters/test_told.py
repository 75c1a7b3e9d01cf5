"""What was told is kept: a change is one letter's figures less those of the one before, in letter, page, paper, API."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from ground.factory import Laid, at, do, item, lay, plan_file, report_partly, row, rows, swept
from ground.office import looking, open_office
from sqlalchemy import delete, update

from engine.application.daily_cleanup import delete_expired
from engine.assignments.weekly_digest import make
from engine.features.papers.quick_report import quick_report, text_of
from engine.queries.figures.outlook import outlook
from engine.queries.filter_choices import plan_of
from engine.rules.situation import Action
from engine.store.database import Database, table
from engine.store.records import Contact, Letter, Told
from engine.store.rulebook import read_rulebook
from engine.terms import Role
from notifications.letters.digests import DigestFacts
from notifications.letters.facts import gather

FIRST, NEXT = "2021-06-21", "2021-06-28"
TASK = "IV.1.1", "so-ban"


@pytest.fixture
def laid(database: Database) -> Laid:
    """Three agencies owe a report by Thursday 17 June, their department by Monday the 21st."""
    items = item(1, "so-ban"), item(2, "cac-huyen"), item(3, "so-chinh", rule="gui-tinh")
    laid = lay(database, now=at("2021-04-07"), plan=plan_file(items=items))
    swept(database, at("2021-04-07"))
    return laid


def made(laid: Laid, day: str, hour: str = "07:00") -> None:
    with laid.database.write() as session:
        make(session, at(day, hour))


def read(
    laid: Laid, day: str, now: datetime | None = None, role: Role = Role.LEADERSHIP, agency: str = "tinh"
) -> DigestFacts:
    """The weekly part of a letter of a day, as it is rendered then or later."""
    reader = row(laid.database, Contact, agency_id=agency, role=role)
    letter = row(laid.database, Letter, contact_id=reader.id, day=date.fromisoformat(day))
    with laid.database.read() as session:
        (facts,) = gather(session, [letter.id], read_rulebook(session), now or at(day, "07:30"))
    assert facts.digest is not None
    return facts.digest


def figures(digest: DigestFacts) -> tuple[int, int]:
    assert digest.boxes is not None
    return digest.boxes.done, digest.boxes.overdue


@pytest.mark.parametrize("hour", ["00:10", "06:59", "07:00", "07:20", "09:00", "16:45", "23:59"])
def test_a_change_is_the_letter_s_figures_less_those_of_the_letter_before(laid: Laid, hour: str) -> None:
    """Whatever happens at whatever hour of the Monday on which the first letter is made."""
    acts = ((at(FIRST, hour), lambda: report(laid, hour)), (at(FIRST, "07:00"), lambda: made(laid, FIRST)))
    for _, act in sorted(acts, key=lambda each: each[0]):
        act()
    first = read(laid, FIRST)
    made(laid, NEXT)
    second = read(laid, NEXT)

    assert second.since is not None
    assert second.since.on == date(2021, 6, 21)
    differences = tuple(now - was for was, now in zip(figures(first), figures(second), strict=True))
    assert (second.since.done, second.since.overdue) == differences
    assert differences == ((1, 0) if hour > "07:00" else (0, 1))
    changed = {change.what: change.agencies for change in second.changes}
    assert changed.pop("overdue") == (("So chinh", 1),)
    assert changed == ({"done": (("So ban", 1),)} if hour > "07:00" else {})


def report(laid: Laid, hour: str, day: str = FIRST) -> None:
    do(laid.database, Action.REPORT, laid.assignment(*TASK), now=at(day, hour))


def test_what_is_reported_on_a_monday_after_the_letter_is_a_change_everywhere_the_week_after(
    laid: Laid, tmp_path: Path
) -> None:
    made(laid, FIRST)
    report(laid, "09:00")
    made(laid, NEXT)
    for day in (NEXT, "2021-06-30", "2021-07-02"):
        with looking(laid.database, at(day)) as (session, today):
            page = outlook(session, today)
            paper = text_of(quick_report(session, today, plan_of(session, laid.plan_id), "2021-H1", whole_plans=False))
        assert page.since is not None
        assert (page.since.on, page.since.done, page.since.overdue) == (date(2021, 6, 21), 1, 0)
        assert [change.id for change in page.since.better] == ["so-ban"]
        assert [change.id for change in page.since.worse] == ["so-chinh"]
        (first,) = [point for point in paper if point.startswith("1.")]
        assert "So với báo cáo tuần ngày 21/6/2021: hoàn thành tăng 01, quá hạn không đổi." in first
        office = open_office(laid.database, tmp_path, now=at(day), open_desk=True)
        other, change = office.get("/api/v1/standing/changes").json()
        assert (change["since"], change["agency_id"]) == ("2021-06-21", "so-ban")
        assert (change["was"]["overdue"], change["now"]["late"], other["agency_id"]) == (1, 1, "so-chinh")
        words = " ".join(office.get("/leadership").text.split())
        assert "3 việc quá hạn" in words
        assert "so với báo cáo tuần 21/6/2021" in words


def test_the_first_week_compares_with_nothing_and_says_so(laid: Laid, tmp_path: Path) -> None:
    made(laid, FIRST)
    digest = read(laid, FIRST)
    assert digest.since is None
    assert digest.changes == ()
    office = open_office(laid.database, tmp_path, now=at(FIRST), open_desk=True)
    assert office.get("/api/v1/standing/changes").status_code == 404
    words = " ".join(re.sub(r"<[^>]+>", " ", office.get("/leadership").text).split())
    assert "chưa có báo cáo tuần trước để so sánh" in words
    assert "không đổi" not in words
    with looking(laid.database, at(FIRST)) as (session, today):
        paper = list(text_of(quick_report(session, today, plan_of(session, laid.plan_id), "", whole_plans=False)))
    assert "(chưa có báo cáo tuần trước để so sánh)" in paper[1]


def test_a_letter_that_is_sent_a_second_time_keeps_its_numbers(laid: Laid) -> None:
    made(laid, FIRST)
    made(laid, NEXT)
    told = read(laid, NEXT)
    report(laid, "08:00", NEXT)
    again = read(laid, NEXT, now=at("2021-06-29", "07:30"))
    assert (again.at, again.boxes, again.since) == (told.at, told.boxes, told.since)
    assert again.since is not None
    assert again.late_agencies == told.late_agencies == 4


def test_a_digest_that_is_made_late_is_the_day_that_changes_are_counted_from(laid: Laid) -> None:
    made(laid, "2021-06-23", "10:00")
    report(laid, "15:00", "2021-06-23")
    made(laid, NEXT)
    second = read(laid, NEXT)
    assert second.since is not None
    assert (second.since.on, second.since.done) == (date(2021, 6, 23), 1)


def test_a_machine_of_the_version_before_kept_nothing_and_its_letters_are_counted_now(laid: Laid) -> None:
    made(laid, FIRST)
    with laid.database.write() as session:
        session.connection().execute(delete(table(Told)))
    digest = read(laid, FIRST)
    assert (figures(digest), digest.since) == ((0, 3), None)


def test_an_owner_and_a_department_read_what_changed_of_their_own_work(laid: Laid) -> None:
    report_partly(laid.database, laid.assignment(*TASK), now=at("2021-06-16"), promised=date(2021, 6, 23))
    made(laid, FIRST)
    do(laid.database, Action.REPORT, laid.assignment("IV.2.1", "huyen-a"), now=at(FIRST, "15:00"))
    made(laid, NEXT)
    owner = read(laid, NEXT, role=Role.COORDINATOR, agency="so-ban")
    assert [(change.what, change.count) for change in owner.changes] == [("broken", 1)]
    department = read(laid, NEXT, role=Role.MONITOR, agency="so-chinh")
    assert {change.what: change.agencies for change in department.changes} == {
        "done": (("Huyen a", 1),),
        "broken": (("So ban", 1),),
    }


def test_a_returned_report_is_told_as_one_done_less(laid: Laid) -> None:
    report(laid, "15:00", "2021-06-16")
    made(laid, FIRST)
    do(laid.database, Action.RETURN, laid.assignment(*TASK), now=at(FIRST, "15:00"))
    made(laid, NEXT)
    second = read(laid, NEXT)
    assert [(change.what, change.count) for change in second.changes] == [("overdue", 1), ("no_longer_done", 1)]


def test_a_plan_that_ended_in_between_is_no_change(laid: Laid) -> None:
    made(laid, FIRST)
    kept = row(laid.database, Told, role=Role.LEADERSHIP)
    with laid.database.write() as session:  # as if the plan that has ended since had counted one task of so-ban
        ended = {"plan": laid.plan_id + 1, "period": "2021-H1", "counts": {"late": 5}}
        more = {**kept.figures, "so-ban": [*kept.figures["so-ban"], ended]}
        session.connection().execute(update(table(Told)).where(table(Told).c.id == kept.id).values(figures=more))
    made(laid, NEXT)
    second = read(laid, NEXT)
    assert second.since is not None
    assert (second.since.was.done, second.since.done) == (0, 0)


def test_after_a_silent_week_letter_and_page_compare_with_its_figures(laid: Laid) -> None:
    days = [at("2021-07-05") + timedelta(7 * weeks) for weeks in range(3)]
    for now in days:
        made(laid, now.date().isoformat())
    kept = [each for each in rows(laid.database, Told) if each.role is Role.LEADERSHIP]
    assert [each.occasion for each in kept] == ["2021-W27", "2021-W28", "2021-W29"]
    mondays = [each.day.day for each in rows(laid.database, Letter, role=Role.LEADERSHIP) if each.digest_week]
    assert mondays == [5]
    report(laid, "09:00", "2021-07-20")
    made(laid, "2021-07-26")
    letter = read(laid, "2021-07-26")
    with looking(laid.database, at("2021-07-26")) as (session, today):
        page = outlook(session, today)
    for found in (letter.since, page.since):
        assert found is not None
        assert (found.on, found.done) == (date(2021, 7, 19), 1)


def test_what_was_told_is_kept_for_sixty_weeks(laid: Laid) -> None:
    made(laid, FIRST)
    with laid.database.write() as session:
        assert delete_expired(session, at("2022-08-15", "06:00"))["told"] == 0
        assert delete_expired(session, at("2022-08-15", "08:00"))["told"] == 5
    assert rows(laid.database, Told) == []
