"""Keeps Prefect's picture of our state: after the commit, from the event log, at least once, the last state wins.

How far it is lies in Prefect itself (a variable): where Prefect's database was lost, so is that, and everything is
shown anew. Once a day, too, what is there is read back and mended: what somebody deleted or cancelled by hand, what a
database that was put back has forgotten. Nothing of ours depends on it; a pass that fails is tried again at the next.
"""

from __future__ import annotations

import contextlib
import json
import logging
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

import httpx
from pydantic import BaseModel, ValidationError
from sqlalchemy import func, select
from sqlmodel import Session

from engine.queries.time_class import read_day
from engine.rules.calendar import day_digits, local_date
from engine.rules.situation import situation
from engine.rules.words import period_words
from engine.store.clock import lease_clock, system_clock
from engine.store.database import Database, table
from engine.store.facts import last_tick
from engine.store.records import Event, Letter, Plan
from engine.store.rulebook import read_rulebook
from engine.store.stored_rows import columns_for, objects
from engine.terms import EventKind, PlanState, TimeClass
from notifications.channel_health import ChannelHealth, channel_health
from workflows.projection import events, shown_runs
from workflows.projection.events import Happened, happened_to, lines_of
from workflows.projection.prefect_api import AT_ONCE, PrefectApi

log = logging.getLogger(__name__)
PASS_SECONDS = 20.0
"""A pass goes on for this long; the next one goes on from there."""
OVERLAP = 100
"""Events before the last that are looked at again: on PostgreSQL one with a lower id may be committed later."""
LOOK_BACK_SECONDS = 30.0
TABLE_PAUSE_SECONDS = 600.0
SIGN_OF_LIFE = timedelta(minutes=4)
MAX_TABLE_ROWS = 500
OF_PLANS = (EventKind.PLAN_ENDED, EventKind.SUPERVISOR_CHANGED)


class Cursor(BaseModel, frozen=True):
    """``event``: the last that is shown. ``opened``: while everything is gone through, the last assignment; None once
    all are. ``day``: on which that was begun last."""

    event: int
    opened: int | None
    day: date


@dataclass(slots=True, kw_only=True)
class Projected:
    """What a pass did: runs made or changed, lines of their logs, events, tables written, calls of the API."""

    runs: int = 0
    lines: int = 0
    events: int = 0
    tables: int = 0
    calls: int = 0


@dataclass
class Projector:
    """One a process. ``most``: where more assignments are open, Prefect shows what is overdue or due soon, and the life
    of what it has shown: its pages and its SQLite carry no more. ``overdue``: the page of Prefect that lists what is
    Late. ``own_clock``: ours is not Prefect's."""

    database: Database
    api_url: str
    auth: str
    installation: str
    base_url: str
    overdue: str = ""
    most: int = 2000
    own_clock: bool = False
    prepare: Callable[[PrefectApi], object] = lambda api: None
    """Called before everything is gone through: at the start, once a day, and where Prefect's database was lost."""
    _refused: set[int] = field(default_factory=set)
    """Assignments whose runs Prefect did not take, tried again in every pass."""
    _seen: set[int] = field(default_factory=set)
    _owed: set[int] = field(default_factory=set)
    """Plans whose tables are to be written, when their pauses are over."""
    _written: dict[int, float] = field(default_factory=dict)
    _channels: dict[str, ChannelHealth] = field(default_factory=dict)
    """As they were at the last pass. One that is down already is told again: the same event twice is one."""
    _alive_at: datetime | None = None
    _came_at: float = 0.0

    @property
    def _variable(self) -> str:
        return f"dondoc_{self.installation}"

    def run(self, now: datetime) -> Projected:
        """One pass. Raises httpx.HTTPError where Prefect does not answer."""
        until, did = time.monotonic() + PASS_SECONDS, Projected()
        with PrefectApi(self.api_url, self.auth) as api:
            cursor = self._read(api, now)
            if cursor.day < local_date(now) or cursor.opened == 0:
                cursor = self._first_of_day(api, cursor, now)
            self._show(api, list(self._refused), now, did)
            while found := self._events(cursor) if time.monotonic() < until else []:
                cursor = self._tell(api, cursor, found, now, did)
            while cursor.opened is not None and time.monotonic() < until:
                with self.database.read() as session:
                    ids = shown_runs.next_ids(session, cursor.opened, AT_ONCE)
                self._show(api, ids, now, did)
                cursor = self._move(api, cursor.model_copy(update={"opened": ids[-1] if len(ids) == AT_ONCE else None}))
            did.tables = self._write_tables(api, now, until)
            did.events += self._signs(api, now)
            did.calls = api.calls
        return did

    def _read(self, api: PrefectApi, now: datetime) -> Cursor:
        """Where there is none, or somebody has edited it, one at the beginning: all is shown again."""
        with contextlib.suppress(ValidationError):
            return Cursor.model_validate(api.value(self._variable))
        with self.database.read() as session:
            last = session.connection().scalar(select(func.max(table(Event).c.id))) or 0
        self._written.clear()
        return Cursor(event=last, opened=0, day=local_date(now))

    def _first_of_day(self, api: PrefectApi, cursor: Cursor, now: datetime) -> Cursor:
        """From here on everything is gone through: what became overdue, or whose promise has passed, at midnight."""
        with self.database.read() as session:
            p = table(Plan)
            self._owed |= set(session.connection().scalars(select(p.c.id).where(p.c.state == PlanState.ACTIVE)))
        self.prepare(api)
        return cursor.model_copy(update={"opened": 0, "day": local_date(now)})

    def _move(self, api: PrefectApi, cursor: Cursor) -> Cursor:
        api.set_value(self._variable, cursor.model_dump(mode="json"))
        return cursor

    def _tell(
        self, api: PrefectApi, cursor: Cursor, found: Sequence[Happened], now: datetime, did: Projected
    ) -> Cursor:
        ids = {event.assignment_id for event in found if event.assignment_id is not None}
        ended = {event.plan_id for event in found if event.kind in OF_PLANS and event.plan_id is not None}
        with self.database.read() as session:
            about = {row.id: row for row in shown_runs.rows_of(session, ids)}
            shown = ids.union(shown_runs.ids_of_plans(session, ended)) if ended else ids
        runs = self._show(api, shown, now, did)
        did.events += api.emit(
            told
            for event in found
            for told in events.of_event(
                event,
                about.get(event.assignment_id or 0),
                runs.get(event.assignment_id or 0),
                self.installation,
                occurred=self._prefects(event.at),
            )
        )
        self._owed |= {event.plan_id for event in found if event.plan_id is not None}
        self._seen |= {event.id for event in found}
        last = max(cursor.event, *self._seen)
        self._seen = {each for each in self._seen if each > last - OVERLAP}
        return self._move(api, cursor.model_copy(update={"event": last}))

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
            rows = objects(Happened, session.connection().execute(statement.limit(AT_ONCE + OVERLAP)))
        return [row for row in rows if row.id not in self._seen]

    def _show(self, api: PrefectApi, ids: Collection[int], now: datetime, did: Projected) -> dict[int, str]:
        """Bring the runs of assignments into their state, and write what their logs do not say yet. Returns the ids of
        those that are there, by assignment."""
        runs: dict[int, str] = {}
        ordered = sorted(ids)
        for start in range(0, len(ordered), AT_ONCE):
            runs |= self._show_some(api, ordered[start : start + AT_ONCE], now, did)
        return runs

    def _show_some(self, api: PrefectApi, ids: Sequence[int], now: datetime, did: Projected) -> dict[int, str]:
        with self.database.read() as session:
            rows, moment, book = shown_runs.rows_of(session, ids), self._moment(session, now), read_rulebook(session)
        wanted = {row.id: shown_runs.run_of(row, moment, book, self.installation, self.base_url) for row in rows}
        there = api.runs([run.key for run in wanted.values()])
        runs: dict[int, str] = {}
        for assignment, run in wanted.items():
            try:
                run_id, changed = _keep(api, run, there.get(run.key), moment)
            except httpx.HTTPStatusError as error:
                if error.response.status_code == httpx.codes.SERVICE_UNAVAILABLE:
                    raise
                if assignment not in self._refused:
                    log.warning("Prefect does not take the run %s, the others go on (%s)", run.name, error)
                self._refused.add(assignment)
            else:
                self._refused.discard(assignment)
                did.runs += changed
                if run_id:
                    runs[assignment] = run_id
        said = api.lines([row["id"] for row in there.values()])
        with self.database.read() as session:
            past = happened_to(session, runs)
            lines = [line for line in lines_of(session, past, {row.id: row for row in rows}, runs) if line not in said]
        api.write(lines)
        did.lines += len(lines)
        return runs

    def _moment(self, session: Session, now: datetime) -> shown_runs.Moment:
        day = read_day(session, local_date(now))
        many = shown_runs.count_open(session) > self.most
        return shown_runs.Moment(day.day, self.own_clock, self._prefects(now), many, day.soon)

    def _signs(self, api: PrefectApi, now: datetime) -> int:
        """Channels that went down or up; and that ticks come to an end, or letters are being sent, as long as they
        do."""
        at = self._prefects(now)
        with self.database.read() as session:
            channels, wall = channel_health(session), system_clock()
            ended, letter = last_tick(session), table(Letter)
            clock = lease_clock(session.connection().dialect.name, wall)
            sending = session.connection().scalar(select(letter.c.id).where(letter.c.lease_until > clock).limit(1))
        before, self._channels = self._channels, channels
        told = list(events.of_channels(before, channels, at, self.installation))
        lives = sending is not None or (ended is not None and wall - ended < SIGN_OF_LIFE)
        if lives and (self._alive_at is None or wall - self._alive_at > SIGN_OF_LIFE):
            self._alive_at = wall
            told.append(events.of_tick(at, self.installation))
        return api.emit(told)

    def _prefects(self, at: datetime) -> datetime:
        """When it happened by Prefect's clock, by which it keeps events and judges what is missing."""
        return system_clock() if self.own_clock else at

    def _write_tables(self, api: PrefectApi, now: datetime, until: float) -> int:
        """A table of each plan that has changed, at most one in ten minutes; its versions are the plan's history."""
        before, written = time.monotonic() - TABLE_PAUSE_SECONDS, 0
        for plan_id in [each for each in self._owed if self._written.get(each, before) <= before]:
            if time.monotonic() > until:
                break
            with self.database.read() as session:
                rows = shown_runs.rows_of(session, shown_runs.ids_of_plans(session, [plan_id]))
            if rows:
                body = {"key": f"dondoc-plan-{plan_id}", "type": "table", "description": self._head(rows, now)}
                api.ask("POST", "/artifacts/", {**body, "data": json.dumps(_table(rows, now), ensure_ascii=False)})
                written += 1
            self._written[plan_id] = time.monotonic()
            self._owed.discard(plan_id)
        return written

    def _head(self, rows: Sequence[shown_runs.Shown], now: datetime) -> str:
        """What stands over the table, as Markdown."""
        done = sum(row.done_on is not None for row in rows)
        late = sum(situation(row, local_date(now)).box is TimeClass.OPEN_OVERDUE for row in rows)
        left_out = max(0, len(rows) - MAX_TABLE_ROWS)
        words = f"**{rows[0].plan}**: {done}/{len(rows)} xong · [{late} quá hạn]({self.overdue})"
        words += f" · [kế hoạch]({self.base_url}/plans/{rows[0].plan_id})"
        return words + (f" · bảng này không hiện {left_out} việc" if left_out else "")


def _keep(api: PrefectApi, run: shown_runs.ShownRun, there: Any, moment: shown_runs.Moment) -> tuple[str, bool]:
    """The id of a run, empty if there is none and none is wanted; and whether it was made or changed. ``there``: as
    Prefect has it. A Late one that its list would not show any more is made again: nothing moves it there."""
    if (
        there
        and run.state.name == shown_runs.LATE
        and moment.unlisted(there["start_time"] or there["expected_start_time"])
    ):
        there = api.ask("DELETE", f"/flow_runs/{there['id']}")
    if not there:
        return (api.make(run), True) if run.wanted else ("", False)
    told, stands = all(there[name] == value for name, value in run.words.items()), run.state.stands(there)
    if not told:
        api.ask("PATCH", f"/flow_runs/{there['id']}", run.words)
    if not stands:
        api.set_state(there["id"], run.state)
    return str(there["id"]), not (told and stands)


def _table(rows: Sequence[shown_runs.Shown], now: datetime) -> list[dict[str, str]]:
    """Those not done first, the oldest due date on top."""
    day = local_date(now)
    ordered = sorted(rows, key=lambda row: (row.done_on is not None, row.due_on or date.max, row.id))
    return [
        {
            "nhiệm vụ": row.citation,
            "cơ quan": row.agency,
            "kỳ": period_words(row.period, "vi"),
            "hạn": day_digits(row.due_on) if row.due_on else "",
            "trạng thái": shown_runs.state_of(row, shown_runs.Moment(day)).name,
            "đã hẹn": day_digits(row.promised_on) if row.promised_on and row.done_on is None else "",
        }
        for row in ordered[:MAX_TABLE_ROWS]
    ]
