"""What changed since the reader was last told: letter, page and paper of a week say the same."""

from __future__ import annotations

from datetime import date

from ground.factory import Laid, at, do, item, lay, plan_file, rows, swept
from ground.office import looking

from engine.assignments.weekly_digest import make
from engine.features.papers.quick_report import quick_report, text_of
from engine.queries.figures.outlook import outlook
from engine.queries.stored_plans import plan_of
from engine.rules.situation import Action
from engine.store.database import Database
from engine.store.records import Letter
from engine.store.rulebook import read_rulebook
from engine.terms import Role
from notifications.letters.digests import DigestFacts
from notifications.letters.facts import gather


def weekly_letter(laid: Laid, day: str) -> DigestFacts:
    """The leadership's weekly part of the letter that is made on a Monday."""
    now = at(day, "07:00")
    with laid.database.write() as session:
        make(session, now)
    (letter,) = [
        each for each in rows(laid.database, Letter, day=date.fromisoformat(day)) if each.role is Role.LEADERSHIP
    ]
    with laid.database.read() as session:
        (facts,) = gather(session, [letter.id], read_rulebook(session), now)
    assert facts.digest is not None
    return facts.digest


def test_what_is_reported_on_a_monday_after_the_letter_is_a_change_in_the_next(database: Database) -> None:
    plan = plan_file(items=(item(1, "so-ban"), item(2, "cac-huyen")))
    laid = lay(database, now=at("2021-04-07"), plan=plan)
    swept(database, at("2021-04-07"))
    told = weekly_letter(laid, "2021-06-21")
    assert told.boxes is not None
    assert (told.boxes.done, told.boxes.overdue) == (0, 3)
    do(database, Action.REPORT, laid.assignment("IV.1.1", "so-ban"), now=at("2021-06-21", "09:00"))

    letter = weekly_letter(laid, "2021-06-28")

    assert letter.boxes is not None
    assert letter.changes is not None
    assert (letter.boxes.done, letter.boxes.overdue) == (1, 2)
    assert (letter.done_more, letter.overdue_more, letter.changes.done.count) == (1, -1, 1)
    for day in ("2021-06-28", "2021-06-30", "2021-07-02"):
        with looking(database, at(day)) as (session, today):
            page = outlook(session, today)
            paper = text_of(quick_report(session, today, plan_of(session, laid.plan_id), "", whole_plans=False))
        assert page.week is not None
        assert (page.week.done, page.week.overdue) == (1, -1)
        assert [each.id for each in page.better] == ["so-ban"]
        (first,) = [each for each in paper if each.startswith("1.")]
        assert "hoàn thành 01 nhiệm vụ, tăng 01" in first
        assert "quá hạn 02, giảm 01" in first
