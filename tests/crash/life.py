"""The scenario of the crash tests: five weeks of a part of plan 188, run by the real passes.

The weeks around the half-year due date of 2021, with everything that creates letters: opening, reminders, a request,
three levels of escalation, two digests, acknowledgements, a report between deciding and sending, a returned report.
``live`` can be resumed at any moment, as after a restart.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from ground.factory import CONFIG, at, store
from ground.post import leases_run_out
from sqlalchemy import select

from engine.assignments import lifecycle
from engine.assignments.lifecycle import ReportText
from engine.assignments.opening import activate
from engine.files.calendar import load_calendar
from engine.files.directory import load_directory
from engine.files.plan import PlanFile, load_plan
from engine.store.database import Database, table
from engine.store.records import Assignment, Duty
from engine.terms import State
from notifications.delivery import DeliveryContext
from workflows.run import passes

Act = Callable[[Any, int, datetime], object]
BEGAN = at("2021-06-02", "09:00")
KEPT = {"IV": {1: 2, 2: 1, 12: 1, 15: 1, 16: 2}, "V": {1: 1}}
"""Section -> item -> number of its duties that are used."""
DISTRICTS = ["ubnd-huyen-ky-son", "ubnd-tp-vinh"]
LEASE = timedelta(minutes=5)


def some_of_plan_188(plan: PlanFile) -> PlanFile:
    """Seven unchanged duties of plan 188, and two of its 21 districts."""
    body = plan.model_dump(mode="json", by_alias=True)
    for section in body["sections"]:
        actions = KEPT[section["roman"]]
        section["items"] = [item for item in section["items"] if item["no"] in actions]
        for item in section["items"]:
            item["duties"] = item["duties"][: actions[item["no"]]]
            item["owners"] = DISTRICTS if item["owners"] == ["huyen-21"] else item["owners"]
    cited = {duty["citation"] for section in body["sections"] for item in section["items"] for duty in item["duties"]}
    for section in body["sections"]:
        for item in section["items"]:
            for duty in item["duties"]:
                duty["waits_for"] = [citation for citation in duty["waits_for"] if citation in cited]
    return PlanFile.model_validate(body | {"gaps": [], "indicators": []})


def prepare(database: Database) -> None:
    """Load directory, calendar, policy and plan, and activate the plan; nothing is opened yet."""
    plan = some_of_plan_188(load_plan(CONFIG / "plans/188-kh-ubnd-2021.yaml"))
    agencies = load_directory(CONFIG / "agencies/nghe-an-2021.yaml")
    days = tuple(load_calendar(CONFIG / "calendars/vn.yaml").exceptions.values())
    laid = store(database, now=BEGAN, plan=plan, bodies=agencies, days=days)
    with database.write() as session:
        activate(session, laid.plan_id, actor="cli:test", now=BEGAN)


@dataclass(frozen=True)
class Moment:
    """A point in time of the scenario: a tick, or an action by people."""

    now: datetime
    act: Callable[[Database, datetime], None] | None = None


def _people(citation: str, agency: str, states: set[State], act: Act) -> Callable[[Database, datetime], None]:
    """An action on one assignment, skipped unless its state is one of ``states``."""

    def done(database: Database, now: datetime) -> None:
        a, d = table(Assignment), table(Duty)
        query = (
            select(a.c.id, a.c.state)
            .join(d, d.c.id == a.c.duty_id)
            .where(d.c.citation == citation, a.c.agency_id == agency, a.c.period == "2021-H1")
        )
        with database.write() as session:
            row = session.connection().execute(query.with_for_update(of=a)).one()
            if row.state in states:
                act(session, row.id, now)

    return done


def _acknowledge(session: Any, assignment_id: int, now: datetime) -> None:
    lifecycle.acknowledge(session, assignment_id, actor="contact:1", now=now)


def _report(session: Any, assignment_id: int, now: datetime) -> None:
    lifecycle.report(session, assignment_id, ReportText(body="Đã thực hiện."), actor="contact:1", now=now)


def _return(session: Any, assignment_id: int, now: datetime) -> None:
    lifecycle.return_report(session, assignment_id, reason="Thiếu số liệu.", actor="contact:2", now=now)


def moments() -> list[Moment]:
    """The whole scenario. A day's letters are decided at 07:00 and sent at 07:30; people may act in between."""
    actions: dict[datetime, Callable[[Database, datetime], None]] = {
        at("2021-06-07", "07:05"): _people("IV.2.1", "cong-an-tinh", {State.ASSIGNED}, _acknowledge),
        at("2021-06-14", "07:10"): _people("IV.16.1", "ubnd-tp-vinh", {State.ASSIGNED}, _report),
        at("2021-06-18", "07:10"): _people("IV.12.1", "mttq-tinh", {State.ASSIGNED}, _report),
        at("2021-06-21", "07:20"): _people("IV.16.1", "ubnd-tp-vinh", {State.REPORTED}, _return),
    }
    timeline = [Moment(BEGAN)]
    for day in (
        "2021-06-03",
        "2021-06-07",
        "2021-06-09",
        "2021-06-14",
        "2021-06-18",
        "2021-06-21",
        "2021-06-22",
        "2021-06-28",
        "2021-07-08",
    ):
        timeline += [Moment(at(day, "07:00")), Moment(at(day, "07:30"))]
    timeline += [Moment(now, act) for now, act in actions.items()]
    # Final ticks: leases of crashed processes have expired, and late lines are sent on the next day.
    timeline += [Moment(at("2021-07-08", "08:30")), Moment(at("2021-07-09", "08:30"))]
    return sorted(timeline, key=lambda moment: moment.now)


async def live(
    database: Database,
    delivery: DeliveryContext,
    *,
    begin: int = 0,
    late: timedelta = timedelta(),
    told: Callable[[int], None] = lambda _: None,
) -> None:
    """Run the moments from number ``begin`` on, the first of them delayed by ``late``. ``told`` is called with each
    moment's number before it runs. At the end a tick follows when every lease has run out: one that was killed at the
    last moment may have been later than the one that came after it."""
    scenario = moments()
    for number, moment in list(enumerate(scenario))[begin:]:
        if number > begin or late >= LEASE:
            _pass_the_lease(database)
        told(number)
        now = moment.now + (late if number == begin else timedelta())
        if moment.act is not None:
            moment.act(database, now)
        else:
            await _tick_until_done(database, delivery, now)
    _pass_the_lease(database)
    told(len(scenario))  # the others have come so far, too: nobody is still sending in what is the past now
    await _tick_until_done(database, delivery, scenario[-1].now + 3 * LEASE)


def _pass_the_lease(database: Database) -> None:
    """On PostgreSQL a lease runs out by the server's clock, which does not know that a moment is minutes after the one
    before. Called before the others are met, so that nobody has claimed for the next moment yet."""
    if database.dialect == "postgresql":
        leases_run_out(database)


async def _tick_until_done(database: Database, delivery: DeliveryContext, now: datetime) -> None:
    """Tick until nothing is due, as the heartbeat does. Rows still locked by another process, or by the connection of a
    killed one, are skipped and processed by the next tick."""
    for _ in range(500):
        await passes.tick(database, now, delivery)
        if not passes.due(database, now).anything:
            return
        await asyncio.sleep(0.01)
