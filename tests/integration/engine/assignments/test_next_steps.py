"""Nothing that is open and overdue is without a next step, whatever people do and in whatever order.

A state machine: every act of lifecycle, promises, extensions, calendar, amendments and succession, on any day of a
year, with a sweep each morning. After each step every overdue task has a rung to come, a promise that stands, or the
decision of somebody, because a promise waits for it or the ladder has ended.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from itertools import count
from pathlib import Path
from random import Random
from typing import Any

import pytest
from ground.databases import reopened_database, sqlite_copy
from ground.factory import at, item, lay, opened, plan_file, rows, swept
from ground.postgres import Ground
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from engine.assignments import calendar_change, lifecycle
from engine.assignments.calendar_change import Change
from engine.assignments.lifecycle import ReportText
from engine.assignments.promise_rows import PromiseText
from engine.assignments.promises import decide_promise, make_promise
from engine.errors import DondocError
from engine.plans.amendments import Amendment, amend_duty
from engine.plans.closing import redate_all
from engine.plans.successions import replace_owner
from engine.rules.calendar import ONE_DAY, DayException, DayKind, local_date
from engine.store.database import Database, table
from engine.store.records import Assignment, Extension, Promise
from engine.terms import Outcome, PromiseState, Quiet, State
from workflows.checks.audit import run_checks

BEGUN = at("2021-04-07")
PLAN = plan_file(items=(item(1, "so-ban"), item(2, "cac-huyen"), item(3, "mat-tran", request=True)))
OPEN_PROMISES = (PromiseState.WAITING, PromiseState.STANDING)


class Year:
    """A year of a small plan: acts by number, on a task by number; one that is not possible now is refused."""

    def __init__(self, database: Database) -> None:
        self.database, self.now, self.done = database, BEGUN, count(1)
        lay(database, now=BEGUN, plan=PLAN)
        self.acts: tuple[Callable[[Any, int, int], None], ...] = (
            self._acknowledge,
            self._report,
            self._accept,
            self._return,
            self._ask,
            self._grant,
            self._promise,
            self._decide,
            self._cancel,
            self._transfer,
            self._chase,
            self._holiday,
            self._dispatch,
            self._owners,
            self._succeed,
        )

    @property
    def today(self) -> date:
        return local_date(self.now)

    def step(self, days: int, act: int, task: int, value: int) -> None:
        for _ in range(days):
            self.now += ONE_DAY
            self._sweep()
        tasks = rows(self.database, Assignment)
        chosen = tasks[task % len(tasks)]
        try:
            with self.database.write() as session:
                self.acts[act % len(self.acts)](session, chosen.id, value)
        except DondocError:
            pass  # not possible now, and nothing has changed
        self._sweep()

    def _sweep(self) -> None:
        opened(self.database, self.now)
        swept(self.database, self.now)

    def _ahead(self, days: int) -> date:
        return self.today + timedelta(days=1 + days % 90)

    def _acknowledge(self, session: Any, task: int, _: int) -> None:
        lifecycle.acknowledge(session, task, actor="contact:1", now=self.now)

    def _report(self, session: Any, task: int, value: int) -> None:
        outcome = tuple(Outcome)[value % 3]
        promise = PromiseText(on=self._ahead(value) if value % 2 else None, reason_code="kinh-phi")
        text = ReportText(outcome=outcome, reason="Chờ kinh phí.", promise=promise)
        lifecycle.report(session, task, text, actor="contact:1", now=self.now)

    def _accept(self, session: Any, task: int, _: int) -> None:
        lifecycle.accept(session, task, actor="account:1", now=self.now)

    def _return(self, session: Any, task: int, _: int) -> None:
        lifecycle.return_report(session, task, reason="Thiếu số liệu.", actor="account:1", now=self.now)

    def _ask(self, session: Any, task: int, value: int) -> None:
        day = self._ahead(value)
        lifecycle.ask_extension(session, task, until=day, reason="Bão.", actor="contact:1", now=self.now)

    def _grant(self, session: Any, _: int, value: int) -> None:
        e = table(Extension)
        asked = session.connection().scalar(select(e.c.id).where(e.c.decided_at.is_(None)).limit(1))
        granted = bool(value % 2)
        if asked:
            lifecycle.decide_extension(session, asked, granted=granted, actor="account:1", now=self.now)

    def _promise(self, session: Any, task: int, value: int) -> None:
        text = PromiseText(on=self._ahead(value), reason="Chờ kinh phí.")
        make_promise(session, task, text, "difficulty", actor="contact:1", now=self.now)

    def _decide(self, session: Any, _: int, value: int) -> None:
        p = table(Promise)
        some = session.connection().scalars(select(p.c.id).where(p.c.state.in_(OPEN_PROMISES))).all()
        if not some:
            return
        agreed, chosen = bool(value % 2), some[value % len(some)]
        decide_promise(session, chosen, agreed=agreed, answer="Việc gấp.", actor="account:1", now=self.now)

    def _cancel(self, session: Any, task: int, value: int) -> None:
        if value % 5 == 0:
            lifecycle.cancel(session, task, reason="Thôi.", actor="account:1", now=self.now)

    def _transfer(self, session: Any, task: int, value: int) -> None:
        to = ("so-chinh", "huyen-b", "so-ban")[value % 3]
        lifecycle.transfer(session, task, to_agency=to, reason="QĐ 5.", actor="account:1", now=self.now)

    def _chase(self, session: Any, task: int, _: int) -> None:
        lifecycle.chase(session, task, actor="account:1", now=self.now)

    def _holiday(self, session: Any, _: int, value: int) -> None:
        day = DayException(self._ahead(value % 40), DayKind.DAY_OFF, f"Nghỉ {next(self.done)}", "QĐ")
        calendar_change.apply(session, Change((day,)), actor="account:1", now=self.now)

    def _dispatch(self, session: Any, task: int, value: int) -> None:
        redate_all(session, [task], day=self._ahead(value), basis="CV 9", actor="account:1", now=self.now)

    def _owners(self, session: Any, _: int, value: int) -> None:
        owners = (("so-ban",), ("so-ban", "huyen-a"), ("huyen-a", "huyen-b"))[value % 3]
        change = Amendment(basis="CV 7", owners=owners)
        amend_duty(session, 1 + value % 3, change, actor="account:1", now=self.now)

    def _succeed(self, session: Any, _: int, value: int) -> None:
        heirs = (("huyen-b",), ("so-chinh",))[value % 2]
        replace_owner(session, 1, "huyen-a", heirs, basis="NQ 1", actor="account:1", now=self.now)

    def without_next_step(self) -> list[str]:
        """Overdue tasks with nothing ahead. Told from the rows alone, not by the engine's own word for it."""
        promises = [each for each in rows(self.database, Promise) if each.state in OPEN_PROMISES]
        ahead = {
            each.assignment_id
            for each in promises
            if each.state is PromiseState.WAITING or each.promised_on >= self.today
        }
        return [
            f"{each.id} {each.state.value} due {each.due_on} quiet {each.quiet}"
            for each in rows(self.database, Assignment)
            if each.done_on is None and each.state not in (State.CANCELLED, State.TRANSFERRED)
            if each.due_on is not None and each.due_on < self.today
            if each.next_action_at is None
            and each.id not in ahead
            and each.quiet not in (Quiet.LADDER_ENDED, Quiet.FOLLOWED)
        ]

    def promises_in_order(self) -> Iterator[str]:
        """At most one stands and one waits; what has ended has a day."""
        by_task: dict[tuple[int, PromiseState], int] = {}
        for each in rows(self.database, Promise):
            if each.state in OPEN_PROMISES:
                key = each.assignment_id, each.state
                by_task[key] = by_task.get(key, 0) + 1
            elif each.ended_on is None:
                yield f"promise {each.id} {each.state.value} without a day"
        yield from (f"{key}" for key, number in by_task.items() if number > 1)


STEPS = st.tuples(st.integers(0, 12), st.integers(0, 14), st.integers(0, 30), st.integers(0, 89))


def lived(database: Database, steps: list[tuple[int, int, int, int]]) -> datetime:
    year = Year(database)
    for step in steps:
        year.step(*step)
        assert year.without_next_step() == [], step
        assert list(year.promises_in_order()) == [], step
    findings = run_checks(database, year.now).findings
    assert {"without_next_step", "looks_too_late", "overdue_looks", "reported_without_report"} & set(findings) == set()
    return year.now


@settings(
    max_examples=max(3, settings().max_examples // 8),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(steps=st.lists(STEPS, min_size=5, max_size=25))
def test_whatever_people_do_what_is_overdue_has_a_next_step(
    ground: Ground, worker_folder: Path, steps: list[tuple[int, int, int, int]]
) -> None:
    with reopened_database(sqlite_copy(ground, worker_folder / "steps")) as database:
        lived(database, steps)


@pytest.mark.deep
@pytest.mark.parametrize("seed", range(10))
def test_ten_thousand_steps_leave_nothing_without_a_next_step(database: Database, seed: int) -> None:
    """A thousand steps a seed, of days and acts that a year holds, on both databases."""
    chance = Random(seed)
    steps = [
        (chance.choice((0, 0, 1, 2, 5)), chance.randrange(15), chance.randrange(31), chance.randrange(90))
        for _ in range(1000)
    ]
    lived(database, steps)
