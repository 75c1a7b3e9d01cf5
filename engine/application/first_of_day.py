"""What the first reader of a day would wait for: the whole reads of board, overdue, leadership, year and lists."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from engine.plans.closing import plans_to_end
from engine.queries.figures.board import board
from engine.queries.figures.outlook import outlook
from engine.queries.figures.year import year_of
from engine.queries.kept import KeptAnswers
from engine.queries.time_class import read_day
from engine.queries.work.assignments import AssignmentFilter, list_assignments
from engine.queries.work.overdue import counted_overdue, how_many_overdue, overdue
from engine.queries.work.reports_to_accept import done_unaccepted
from engine.queries.work.todo import todo
from engine.rules.calendar import local_date
from engine.store.database import Database
from engine.terms import State


def read_first(database: Database, kept: KeptAnswers, clock: Callable[[], datetime]) -> None:
    """Ask what the pages ask of all active plans, so that it is kept."""
    now = clock()
    with database.read() as session:
        today = replace(kept.ask(session, read_day, local_date(now)), now=now)
        every = AssignmentFilter()
        running = replace(every, past=False) if kept.ask(session, plans_to_end, today.day) else every
        kept.ask(session, board, today, running)
        outlook(session, today)
        done_unaccepted(session, today, running)
        kept.ask(session, overdue, today, replace(every, request=False))
        kept.ask(session, how_many_overdue, today, replace(every, request=True))
        kept.ask(session, how_many_overdue, today, replace(every, request=False, states=(State.ASSIGNED,)))
        counted_overdue(session, today)
        kept.ask(session, year_of, today, today.day.year)
        kept.ask(session, todo, today, every)
        kept.ask(session, list_assignments, today, every)
