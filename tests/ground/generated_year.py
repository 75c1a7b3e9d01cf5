"""A year of a small plan in which people do whatever they like, on any day: acts by number, on a task by number."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from itertools import count
from random import Random
from typing import Any

from ground.factory import at, item, lay, opened, plan_file, rows, swept
from hypothesis import strategies as st
from sqlalchemy import select

from engine.assignments import calendar_change, lifecycle
from engine.assignments.calendar_change import CalendarChange
from engine.assignments.lifecycle import ReportText
from engine.assignments.promise_rows import PromiseText
from engine.assignments.promises import decide_promise, make_promise
from engine.errors import DondocError
from engine.plans.amendments import Amendment, amend_duty, drop_duty
from engine.plans.closing import end, redate_all
from engine.plans.following import replace_owner
from engine.rules.calendar import ONE_DAY, DayException, DayKind, local_date
from engine.store.database import Database, table
from engine.store.records import Assignment, Extension, Promise
from engine.terms import Outcome, PromiseState, Quiet, State

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
            self._follow,
            self._drop,
            self._end,
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
        calendar_change.apply(session, CalendarChange((day,)), actor="account:1", now=self.now)

    def _dispatch(self, session: Any, task: int, value: int) -> None:
        redate_all(session, [task], day=self._ahead(value), basis="CV 9", actor="account:1", now=self.now)

    def _owners(self, session: Any, _: int, value: int) -> None:
        owners = (("so-ban",), ("so-ban", "huyen-a"), ("huyen-a", "huyen-b"))[value % 3]
        change = Amendment(basis="CV 7", owners=owners)
        amend_duty(session, 1 + value % 3, change, actor="account:1", now=self.now)

    def _succeed(self, session: Any, _: int, value: int) -> None:
        heirs = (("huyen-b",), ("so-chinh",))[value % 2]
        replace_owner(session, 1, "huyen-a", heirs, basis="NQ 1", actor="account:1", now=self.now)

    def _follow(self, session: Any, task: int, value: int) -> None:
        if value % 3 == 0:
            lifecycle.keep_for_figures(
                session, task, followed_by=("so-chinh",), basis="NQ 1", actor="x:1", now=self.now
            )

    def _drop(self, session: Any, _: int, value: int) -> None:
        if value % 9 == 0:
            drop_duty(session, 1 + value % 3, basis="CV 8", actor="account:1", now=self.now)

    def _end(self, session: Any, _: int, value: int) -> None:
        if value % 30 == 0:
            end(session, 1, reason="Hết năm.", actor="account:1", now=self.now)

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
            and each.quiet not in (Quiet.LADDER_ENDED, Quiet.FOLLOWED, Quiet.PLAN_ENDED)
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


ACTS = 18
STEPS = st.tuples(st.integers(0, 12), st.integers(0, ACTS - 1), st.integers(0, 30), st.integers(0, 89))
"""Days that pass, then an act on a task, with a number of its own."""


def drawn(seed: int, number: int) -> list[tuple[int, int, int, int]]:
    """So many steps of days and acts that a year holds."""
    chance = Random(seed)
    return [
        (chance.choice((0, 0, 1, 2, 5)), chance.randrange(ACTS), chance.randrange(31), chance.randrange(90))
        for _ in range(number)
    ]
