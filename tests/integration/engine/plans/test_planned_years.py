"""A plan that was activated for the wrong year is corrected, with what that cancels and opens told beforehand."""

from __future__ import annotations

from datetime import date

import pytest
from ground.factory import at, do, item, lay, opened, plan_file, report_partly, row, rows, swept, told

from engine.errors import BadInput, Conflict
from engine.files.plan_renewal import Years
from engine.plans.closing import end
from engine.plans.plan_today import correct_years, rehearse_years
from engine.rules.situation import Action
from engine.store.database import Database
from engine.store.records import Assignment, Event, Plan
from engine.terms import EventKind, State

ISSUED = at("2021-11-20")
WRONG = plan_file(items=(item(1, "so-ban"), item(2, "huyen-a")), issued_on=date(2021, 11, 20), year=2021)
NEXT = Years(2022)


def running(database: Database) -> int:
    """A plan of November for 2022 that was taken for one of 2021: its yearly report is due in December."""
    laid = lay(database, now=ISSUED, plan=WRONG)
    swept(database, ISSUED)
    return laid.plan_id


def states(database: Database) -> list[tuple[str, str, State]]:
    return sorted((each.period, each.agency_id, each.state) for each in rows(database, Assignment))


def test_what_is_not_of_the_right_year_is_cancelled_and_its_periods_open(database: Database) -> None:
    plan_id = running(database)
    assert {period for period, _, _ in states(database)} == {"2021-Y"}
    with database.write() as session:
        was, cancelled = correct_years(session, plan_id, NEXT, reason="Kế hoạch của năm sau.", actor="tay", now=ISSUED)
    assert (was.year, cancelled) == (2021, 2)
    assert {state for _, _, state in states(database)} == {State.CANCELLED}
    plan = row(database, Plan)
    assert (plan.year, plan.file["year"], plan.next_open_at) == (2022, 2022, ISSUED)
    opened(database, at("2022-05-03"))
    later = [each for each in states(database) if each[0] != "2021-Y"]
    assert later == [("2022-H1", "huyen-a", State.ASSIGNED), ("2022-H1", "so-ban", State.ASSIGNED)]
    detail = row(database, Event, kind=EventKind.PLAN_YEARS_CORRECTED).detail
    assert (detail["was"], detail["years"], detail["cancelled"]) == ("2021", "2022", 2)


def test_a_report_that_came_in_stays(database: Database) -> None:
    plan_id = running(database)
    mine = next(each for each in rows(database, Assignment) if each.agency_id == "so-ban")
    assert mine.id is not None
    do(database, Action.REPORT, mine.id, now=ISSUED)
    with database.write() as session:
        _, cancelled = correct_years(session, plan_id, NEXT, reason="Nhầm năm.", actor="tay", now=ISSUED)
    assert cancelled == 1
    assert ("2021-Y", "so-ban", State.REPORTED) in states(database)


def test_a_report_that_leaves_the_task_unfinished_does_not_keep_it_in_the_wrong_year(database: Database) -> None:
    plan_id = running(database)
    mine = next(each for each in rows(database, Assignment) if each.agency_id == "so-ban")
    report_partly(database, mine.id, now=ISSUED)
    with database.write() as session:
        _, cancelled = correct_years(session, plan_id, NEXT, reason="Nhầm năm.", actor="tay", now=ISSUED)
    assert cancelled == 2
    assert ("2021-Y", "so-ban", State.CANCELLED) in states(database)


def test_the_rehearsal_says_what_follows_and_changes_nothing(database: Database) -> None:
    plan_id = running(database)
    before = states(database)
    would = rehearse_years(database, plan_id, Years(2021, 2023), now=ISSUED)
    assert (would.cancelled, would.opened, would.becomes.last) == (0, 0, "2023-Y")
    would = rehearse_years(database, plan_id, NEXT, now=ISSUED)
    assert (would.cancelled, would.opened, would.becomes.first) == (2, 0, "2022-H1")
    assert (states(database), row(database, Plan).year) == (before, 2021)


def test_agencies_are_told_that_it_is_not_asked_for_any_more(database: Database) -> None:
    plan_id = running(database)
    with database.write() as session:
        correct_years(session, plan_id, NEXT, reason="Nhầm năm.", actor="tay", now=at("2021-11-22"))
    assert {mailbox for mailbox, *_ in told(database, at("2021-11-22").date())} >= {"coordinator@so-ban.example"}


@pytest.mark.parametrize(
    ("years", "said"), [(Years(2021), "Không có gì thay đổi"), (Years(2019), "2019"), (Years(2022, 2021), "2021")]
)
def test_years_that_do_not_fit_are_refused(database: Database, years: Years, said: str) -> None:
    plan_id = running(database)
    with database.write() as session, pytest.raises(BadInput, match=said):
        correct_years(session, plan_id, years, reason="Thử.", actor="tay", now=ISSUED)


def test_a_plan_that_ended_keeps_its_year(database: Database) -> None:
    plan_id = running(database)
    with database.write() as session:
        end(session, plan_id, reason="Xong.", actor="tay", now=ISSUED)
    with database.write() as session, pytest.raises(Conflict):
        correct_years(session, plan_id, NEXT, reason="Thử.", actor="tay", now=ISSUED)
