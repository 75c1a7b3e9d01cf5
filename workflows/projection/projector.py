"""Keeps Prefect's picture of our state: after the commit, from the event log, at least once, the last state wins.

How far it is lies in Prefect itself (a variable): where Prefect's database was lost, so is that, and everything is
shown anew. Nothing of ours depends on it; a pass that fails is tried again at the next.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any

import httpx
from sqlalchemy import func, select

from engine.rules.calendar import day_digits, local_date
from engine.store.clock import system_clock
from engine.store.database import Database, table
from engine.store.records import Assignment, Event, Pass
from engine.store.stored_rows import columns_for, objects
from engine.terms import EventKind, PassName
from notifications.channel_health import ChannelHealth, channel_health
from workflows.projection import events
from workflows.projection.events import Happened
from workflows.projection.prefect_api import PrefectApi
from workflows.projection.shown_runs import (
    Moment,
    RunState,
    Shown,
    ShownRun,
    ids_of_plans,
    open_ids,
    rows_of,
    rows_to_show,
    runs,
    state_of,
)

log = logging.getLogger(__name__)
PASS_SECONDS = 20.0
"""A pass goes on for this long; the next one goes on from there."""
EVENTS_AT_ONCE, OPEN_AT_ONCE = 200, 50
OVERLAP = 100
"""Events before the last that are looked at again: on PostgreSQL one with a lower id may be committed later."""
LOOK_BACK_SECONDS = 30.0
TABLE_PAUSE_SECONDS, SIGN_OF_LIFE_SECONDS = 600.0, 240.0
MAX_TABLE_ROWS = 500
OF_PLANS = (EventKind.PLAN_ENDED, EventKind.SUPERVISOR_CHANGED)


@dataclass(frozen=True, slots=True)
class Cursor:
    """``event``: the last that is shown. ``opened``: while everything is shown anew, the last assignment shown; None
    once all are. ``day``: on which overdue ones were looked for last."""

    event: int
    opened: int | None
    day: date

    @classmethod
    def read(cls, value: Any) -> Cursor | None:
        """None where there is none, and where somebody has edited it: then all is shown anew."""
        try:
            return cls(int(value["event"]), value["opened"], date.fromisoformat(value["day"]))
        except (KeyError, TypeError, ValueError):
            return None

    def json(self) -> dict[str, Any]:
        return {"event": self.event, "opened": self.opened, "day": self.day.isoformat()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Projected:
    """What a pass did: runs made or changed, events told, tables written, calls of the API."""

    runs: int = 0
    events: int = 0
    tables: int = 0
    calls: int = 0


@dataclass
class Projector:
    """One a process. ``most``: of a plan with more open assignments, a run stands for a duty: Prefect's pages and its
    SQLite carry no more. ``own_clock``: ours is not Prefect's."""

    database: Database
    api_url: str
    auth: str
    installation: str
    base_url: str
    most: int = 2000
    own_clock: bool = False
    _runs: dict[str, tuple[str, RunState]] = field(default_factory=dict)
    """Key -> id and state of the runs that this process has shown."""
    _refused: dict[str, ShownRun] = field(default_factory=dict)
    """Key -> a run that Prefect did not take, tried again in every pass."""
    _seen: set[int] = field(default_factory=set)
    _tables: dict[int, float] = field(default_factory=dict)
    _channels: dict[str, ChannelHealth] = field(default_factory=dict)
    """As they were at the last pass. One that is down already is told again: the same event twice is one."""
    _alive_at: float = -SIGN_OF_LIFE_SECONDS
    _came_at: float = 0.0

    @property
    def _variable(self) -> str:
        return f"dondoc_{self.installation}"

    def forget(self) -> None:
        """Show everything anew from the next pass on (``dondoc prefect sync``)."""
        self._clear()
        with PrefectApi(self.api_url, self.auth) as api:
            api.drop_value(self._variable)

    def run(self, now: datetime) -> Projected:
        """One pass. Raises httpx.HTTPError where Prefect does not answer."""
        until = time.monotonic() + PASS_SECONDS
        with PrefectApi(self.api_url, self.auth) as api:
            stored = api.value(self._variable)
            cursor = Cursor.read(stored) or self._begin(now)
            done = Projected(runs=sum(self._keep(api, run) for run in list(self._refused.values())))
            for part in (self._new_day, self._open, self._changes):
                cursor, did = part(api, cursor, now, until)
                done = Projected(
                    runs=done.runs + did.runs, events=done.events + did.events, tables=done.tables + did.tables
                )
            done = replace(done, events=done.events + self._signs(api, now))
            if cursor.json() != stored:
                api.set_value(self._variable, cursor.json())
            return replace(done, calls=api.calls)

    def _clear(self) -> None:
        for each in (self._runs, self._refused, self._seen):
            each.clear()

    def _begin(self, now: datetime) -> Cursor:
        self._clear()
        with self.database.read() as session:
            last = session.connection().scalar(select(func.max(table(Event).c.id))) or 0
        return Cursor(last, 0, local_date(now))

    def _new_day(self, api: PrefectApi, cursor: Cursor, now: datetime, until: float) -> tuple[Cursor, Projected]:
        """What became overdue, or whose promise has passed, at midnight."""
        today = local_date(now)
        if today <= cursor.day:
            return cursor, Projected()
        a = table(Assignment)
        since, last = cursor.day, today - timedelta(days=1)
        passed = a.c.due_on.between(since, last) | a.c.promised_on.between(since, last)
        with self.database.read() as session:
            ids = list(session.connection().scalars(select(a.c.id).where(a.c.done_on.is_(None), passed)))
        shown = self._show(api, ids, now)
        return replace(cursor, day=today), Projected(runs=shown)

    def _open(self, api: PrefectApi, cursor: Cursor, now: datetime, until: float) -> tuple[Cursor, Projected]:
        """Everything anew, in the order of its numbers."""
        shown = 0
        while cursor.opened is not None and time.monotonic() < until:
            with self.database.read() as session:
                ids = open_ids(session, cursor.opened, OPEN_AT_ONCE)
            shown += self._show(api, ids, now)
            cursor = replace(cursor, opened=ids[-1] if ids else None)
        return cursor, Projected(runs=shown)

    def _changes(self, api: PrefectApi, cursor: Cursor, now: datetime, until: float) -> tuple[Cursor, Projected]:
        shown = told = tables = 0
        while time.monotonic() < until:
            found = self._events(cursor)
            if not found:
                break
            with self.database.read() as session:
                ended = {each.plan_id for each in found if each.kind in OF_PLANS and each.plan_id is not None}
                ids = {each.assignment_id for each in found if each.assignment_id is not None}
                changed = {each.plan_id for each in found if each.plan_id is not None}
                ids |= set(ids_of_plans(session, ended)) if ended else set()
            shown += self._show(api, ids, now)
            told += self._tell(api, found)
            tables += self._write_tables(api, changed, now)
            self._seen |= {each.id for each in found}
            last = max(cursor.event, *self._seen)
            self._seen = {each for each in self._seen if each > last - OVERLAP}
            cursor = replace(cursor, event=last)
        return cursor, Projected(runs=shown, events=told, tables=tables)

    def _events(self, cursor: Cursor) -> list[Happened]:
        """The next that are not shown yet. For a while after one came, those shortly before it are looked for too."""
        e = table(Event)
        looks_back = time.monotonic() - self._came_at < LOOK_BACK_SECONDS
        with self.database.read() as session:
            newest = session.connection().scalar(select(func.max(e.c.id))) or 0
            if newest <= cursor.event and not looks_back:
                return []
            if newest > cursor.event:
                self._came_at = time.monotonic()
            statement = select(*columns_for(Happened, e)).where(e.c.id > cursor.event - OVERLAP).order_by(e.c.id)
            rows = objects(Happened, session.connection().execute(statement.limit(EVENTS_AT_ONCE + OVERLAP)))
        return [row for row in rows if row.id not in self._seen]

    def _show(self, api: PrefectApi, ids: Collection[int], now: datetime) -> int:
        """Bring the runs of assignments into their state; returns how many were made or changed."""
        if not ids:
            return 0
        with self.database.read() as session:
            rows = rows_to_show(session, ids, self.most)
        shown = 0
        for each in runs(rows, Moment(local_date(now), self.own_clock), self.installation, self.base_url):
            shown += self._keep(api, each)
        return shown

    def _keep(self, api: PrefectApi, run: ShownRun) -> bool:
        run_id, state = self._runs.get(run.key, ("", None))
        if state == run.state:
            return False
        try:
            self._runs[run.key] = api.keep(run, run_id), run.state
        except httpx.HTTPStatusError as error:
            if error.response.status_code == httpx.codes.SERVICE_UNAVAILABLE:
                raise
            if run.key not in self._refused:
                log.warning("Prefect does not take the run %s, the others go on (%s)", run.name, error)
            self._runs.pop(run.key, None)
            self._refused[run.key] = run
            return False
        self._refused.pop(run.key, None)
        return True

    def _tell(self, api: PrefectApi, found: Iterable[Happened]) -> int:
        ids = {each.assignment_id for each in found if each.assignment_id is not None}
        with self.database.read() as session:
            about = {row.id: row for row in rows_of(session, ids)}
        told = [
            one
            for each in found
            for one in events.of_event(
                each, about.get(each.assignment_id or 0), self.installation, occurred=self._prefects(each.at)
            )
        ]
        api.emit(told)
        return len(told)

    def _signs(self, api: PrefectApi, now: datetime) -> int:
        """Channels that went down or up; and that ticks go on, as long as they do."""
        with self.database.read() as session:
            channels = channel_health(session)
            p = table(Pass)
            ticked = session.connection().scalar(select(p.c.finished_at).where(p.c.name == PassName.ACT))
        before, self._channels = self._channels, channels
        at = self._prefects(now)
        told = list(events.of_channels(before, channels, at, self.installation))
        if time.monotonic() - self._alive_at > SIGN_OF_LIFE_SECONDS and ticked is not None:
            self._alive_at = time.monotonic()
            told.append(events.of_tick(at, self.installation))
        api.emit(told)
        return len(told)

    def _prefects(self, at: datetime) -> datetime:
        """When it happened by Prefect's clock, by which it keeps events and judges what is missing."""
        return system_clock() if self.own_clock else at

    def _write_tables(self, api: PrefectApi, plan_ids: Collection[int], now: datetime) -> int:
        """A table of each plan that has changed, at most one in ten minutes; its versions are the plan's history."""
        before = time.monotonic() - TABLE_PAUSE_SECONDS
        due = [each for each in plan_ids if self._tables.get(each, before) <= before]
        for plan_id in due:
            with self.database.read() as session:
                rows = rows_of(session, ids_of_plans(session, [plan_id]))
            if rows:
                self._tables[plan_id] = time.monotonic()
                done = sum(row.done_on is not None for row in rows)
                words = f"{rows[0].plan}: {done}/{len(rows)} xong · {self.base_url}/plans/{plan_id}"
                api.table(f"dondoc-plan-{plan_id}", json.dumps(_table(rows, now), ensure_ascii=False), words)
        return len(due)


def _table(rows: list[Shown], now: datetime) -> list[dict[str, str]]:
    """Those not done first, the oldest due date on top."""
    day = local_date(now)
    ordered = sorted(rows, key=lambda row: (row.done_on is not None, row.due_on or date.max, row.id))
    return [
        {
            "nhiệm vụ": row.citation,
            "cơ quan": row.agency,
            "kỳ": row.period,
            "hạn": day_digits(row.due_on) if row.due_on else "",
            "trạng thái": state_of(row, Moment(day)).name,
            "đã hẹn": day_digits(row.promised_on) if row.promised_on and row.done_on is None else "",
        }
        for row in ordered[:MAX_TABLE_ROWS]
    ]
