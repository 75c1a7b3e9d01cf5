"""However much is stored, a page sends the same number of statements."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from ground.factory import Laid, begin, plan_file, store, swept
from ground.office import NOW, OPENED, looking
from sqlmodel import Session

from engine.queries.directory import agency_choices, list_agencies
from engine.queries.figures.board import board
from engine.queries.figures.plans import list_plans, plan_page
from engine.queries.system.health import health
from engine.queries.system.letters import LetterFilter, letter_story, list_letters
from engine.queries.system.policies import list_policies
from engine.queries.time_class import Today
from engine.queries.work.assignment_story import story
from engine.queries.work.assignments import AssignmentFilter, list_assignments
from engine.queries.work.desk import desk
from engine.queries.work.overdue import overdue
from engine.queries.work.promises import EXTENSIONS
from engine.queries.work.report_page import SheetLayout, report_page, report_sheet
from engine.queries.work.reports_to_accept import reports_waiting
from engine.queries.work.todo import todo

ASKED: dict[str, Callable[[Session, Today], Any]] = {
    "board": lambda session, today: board(session, today, AssignmentFilter()),
    "todo": lambda session, today: todo(session, today, AssignmentFilter()),
    "overdue": lambda session, today: overdue(session, today, AssignmentFilter()),
    "assignments": lambda session, today: list_assignments(session, today, AssignmentFilter()),
    "accept": lambda session, today: reports_waiting(session, today, AssignmentFilter()),
    "extensions": lambda session, today: EXTENSIONS.page(session, today, AssignmentFilter()),
    "letters": lambda session, today: list_letters(session, LetterFilter()),
    "letter": lambda session, today: letter_story(session, 1),
    "desk": lambda session, today: desk(session, today, "huyen-b"),
    "report": lambda session, today: report_page(session, today, "huyen-b", 1, "2021-H1"),
    "sheet": lambda session, today: report_sheet(session, today, "huyen-b", 1, "2021-H1", layout=SheetLayout((), None)),
    "plans": lambda session, today: list_plans(session, today),
    "policies": lambda session, today: list_policies(session),
    "plan": lambda session, today: plan_page(session, today, 1),
    "story": lambda session, today: story(session, today, 5),
    "agencies": lambda session, today: (list_agencies(session, today), agency_choices(session)),
    "health": lambda session, today: health(session, today),
}


@pytest.fixture
def crowded(fresh: Laid) -> Laid:
    """Three plans more, all overdue, with letters."""
    for number in range(30, 33):
        plan = plan_file(number=f"{number}/KH-UBND")
        begin(store(fresh.database, now=OPENED, plan=plan), now=OPENED)
    while swept(fresh.database, NOW).seen:
        pass
    return fresh


def count(laid: Laid, name: str, counting: Any) -> int:
    with looking(laid.database) as (session, today), counting(laid.database) as statements:
        ASKED[name](session, today)
    return len(statements)


def test_no_query_sends_more_statements_when_more_is_stored(laid: Laid, crowded: Laid, counting: Any) -> None:
    few = {name: count(laid, name, counting) for name in ASKED}
    many = {name: count(crowded, name, counting) for name in ASKED}
    assert many == few


def test_no_page_sends_more_than_twenty_statements(laid: Laid, counting: Any) -> None:
    assert max(count(laid, name, counting) for name in ASKED) <= 20
