"""People who act in working hours: acknowledge, report, promise, accept, return, ask for another day, answer that."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from simulated.hosts import Host
from simulated.script import HOUR
from simulated.world import Died, current
from sqlalchemy import select

from engine.assignments import lifecycle
from engine.assignments.lifecycle import ReportText
from engine.assignments.promise_rows import PromiseText
from engine.errors import DondocError, NotFound, Unavailable
from engine.rules.calendar import PLAN_TIME
from engine.store.database import table
from engine.store.records import Assignment, Extension
from engine.terms import EventKind, Outcome, State
from engine.text import Text

Act = Callable[[Any, int, datetime], None]


def _acknowledge(session: Any, assignment_id: int, now: datetime) -> None:
    lifecycle.acknowledge(session, assignment_id, actor="contact:1", now=now)


def _report(session: Any, assignment_id: int, now: datetime) -> None:
    lifecycle.report(session, assignment_id, ReportText(body="Đã làm."), actor="contact:1", now=now)


def _promise(session: Any, assignment_id: int, now: datetime) -> None:
    promise = PromiseText(on=(now + timedelta(days=14)).date())
    text = ReportText(outcome=Outcome.PARTLY, body="Một phần.", reason="Chờ số liệu.", promise=promise)
    lifecycle.report(session, assignment_id, text, actor="contact:1", now=now)


def _accept(session: Any, assignment_id: int, now: datetime) -> None:
    lifecycle.accept(session, assignment_id, actor="contact:2", now=now)


def _return(session: Any, assignment_id: int, now: datetime) -> None:
    lifecycle.return_report(session, assignment_id, reason="Thiếu số liệu.", actor="contact:2", now=now)


def _ask(session: Any, assignment_id: int, now: datetime) -> None:
    until = (now + timedelta(days=12)).date()
    lifecycle.ask_extension(session, assignment_id, until=until, reason="Mưa lũ.", actor="contact:1", now=now)


def _answer(session: Any, assignment_id: int, now: datetime, *, granted: bool) -> None:
    e = table(Extension)
    waiting = select(e.c.id).where(e.c.assignment_id == assignment_id, e.c.decided_at.is_(None))
    asked = session.connection().scalar(waiting)
    if asked is None:
        raise NotFound(Text("Không có.", "There is none."))
    lifecycle.decide_extension(session, asked, granted=granted, answer="Đã xem.", actor="contact:2", now=now)


OPEN = frozenset({State.ASSIGNED, State.ACKNOWLEDGED})
ACTS: Sequence[tuple[EventKind, Act, frozenset[State]]] = (
    (EventKind.ACKNOWLEDGED, _acknowledge, frozenset({State.ASSIGNED})),
    (EventKind.REPORTED, _report, OPEN | {State.RETURNED}),
    (EventKind.REPORTED, _promise, OPEN),
    (EventKind.ACCEPTED, _accept, frozenset({State.REPORTED})),
    (EventKind.RETURNED, _return, frozenset({State.REPORTED})),
    (EventKind.EXTENSION_ASKED, _ask, OPEN),
    (EventKind.EXTENSION_GRANTED, partial(_answer, granted=True), OPEN),
    (EventKind.EXTENSION_REFUSED, partial(_answer, granted=False), OPEN),
)


@dataclass(frozen=True)
class Confirmed:
    """What somebody was told is recorded."""

    kind: EventKind
    assignment_id: int
    at: float


@dataclass
class People:
    """They reach the product through the web process ``web``, which dies and fails as others do."""

    web: Host
    confirmed: list[Confirmed] = field(default_factory=list)
    dice: random.Random = field(default_factory=random.Random)

    def live(self) -> None:
        while self.web.world.now < self.web.until:
            rest = self.dice.uniform(HOUR, 9 * HOUR)
            try:
                self.web.steps.open = False
                if self.web.killed():
                    raise Died
                if self._at_work():
                    self._act(*self.dice.choice(ACTS))
                else:
                    rest = HOUR
            except Died:
                self.web._again()
            except Unavailable:
                rest = 600.0
            except DondocError:
                rest = 60.0
            runner = current()
            assert runner is not None
            runner.pause(rest)

    def _at_work(self) -> bool:
        """By a clock that is right: nobody reports under a date of years ahead."""
        local = self.web.world.true.astimezone(PLAN_TIME)
        return local.weekday() < 5 and 7 <= local.hour < 18 and abs(self.web.machine.error) < HOUR

    def _act(self, kind: EventKind, act: Act, states: frozenset[State]) -> None:
        a, now = table(Assignment), self.web.machine.wall()
        with self.web.slot.database.write() as session:
            ids = session.connection().scalars(select(a.c.id).where(a.c.state.in_(states)).order_by(a.c.id)).all()
            chosen = self.dice.choice(ids) if ids else None
            if chosen is not None:
                act(session, chosen, now)
        if chosen is not None:
            self.confirmed.append(Confirmed(kind, chosen, self.web.world.now))
