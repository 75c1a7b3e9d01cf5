"""A short life of a part of plan 188, lived by real passes: what the crash tests kill, restart and compare.

Five weeks of 2021 around the half-year's due date, with everything in them that moves a letter: opening, reminders,
a request, three levels of escalation, two digests, acknowledgements, a report that comes between deciding and
sending, a report sent back. ``live`` may be begun again at any moment of it, which is all that a restart does.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from ground.factory import CONFIG, at, store
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
from workflows import passes

Act = Callable[[Any, int, datetime], object]
BEGAN = at("2021-06-02", "09:00")
KEPT = {"IV": {1: 2, 2: 1, 12: 1, 15: 1, 16: 2}, "V": {1: 1}}
"""Section -> item -> how many of its duties."""
DISTRICTS = ["ubnd-huyen-ky-son", "ubnd-tp-vinh"]
LEASE = timedelta(minutes=5)


def some_of_plan_188(plan: PlanFile) -> PlanFile:
    """Seven duties of it, word for word, and two districts of the twenty-one."""
    body = plan.model_dump(mode="json", by_alias=True)
    for section in body["sections"]:
        kept = KEPT[section["roman"]]
        section["items"] = [item for item in section["items"] if item["no"] in kept]
        for item in section["items"]:
            item["duties"] = item["duties"][: kept[item["no"]]]
            item["owners"] = DISTRICTS if item["owners"] == ["huyen-21"] else item["owners"]
    cited = {duty["citation"] for section in body["sections"] for item in section["items"] for duty in item["duties"]}
    for section in body["sections"]:
        for item in section["items"]:
            for duty in item["duties"]:
                duty["waits_for"] = [citation for citation in duty["waits_for"] if citation in cited]
    return PlanFile.model_validate(body | {"gaps": [], "indicators": []})


def prepare(database: Database) -> None:
    """The directory, the calendar, the policy and the plan in the database; the plan active, nothing opened."""
    plan = some_of_plan_188(load_plan(CONFIG / "plans/188-kh-ubnd-2021.yaml"))
    bodies = load_directory(CONFIG / "agencies/nghe-an.yaml")
    days = tuple(load_calendar(CONFIG / "calendars/vn.yaml").exceptions.values())
    laid = store(database, now=BEGAN, plan=plan, bodies=bodies, days=days)
    with database.write() as session:
        activate(session, laid.plan_id, actor="cli:test", now=BEGAN)


@dataclass(frozen=True)
class Moment:
    """An instant of the life: a tick, or something people do."""

    now: datetime
    act: Callable[[Database, datetime], None] | None = None


def _people(citation: str, agency: str, states: set[State], act: Act) -> Callable[[Database, datetime], None]:
    """Somebody does something about one assignment, unless it is done already: what a person at a page would do."""

    def done(database: Database, now: datetime) -> None:
        a, d = table(Assignment), table(Duty)
        chosen = (
            select(a.c.id, a.c.state)
            .join(d, d.c.id == a.c.duty_id)
            .where(d.c.citation == citation, a.c.agency_id == agency, a.c.period == "2021-H1")
        )
        with database.write() as session:
            row = session.connection().execute(chosen.with_for_update(of=a)).one()
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
    """The whole life. A day's letters are decided at 07:00 and leave at 07:30; people may act in between."""
    kept: dict[datetime, Callable[[Database, datetime], None]] = {
        at("2021-06-07", "07:05"): _people("IV.2.1", "cong-an-tinh", {State.ASSIGNED}, _acknowledge),
        at("2021-06-14", "07:10"): _people("IV.16.1", "ubnd-tp-vinh", {State.ASSIGNED}, _report),
        at("2021-06-18", "07:10"): _people("IV.12.1", "mttq-tinh", {State.ASSIGNED}, _report),
        at("2021-06-21", "07:20"): _people("IV.16.1", "ubnd-tp-vinh", {State.REPORTED}, _return),
    }
    found = [Moment(BEGAN)]
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
        found += [Moment(at(day, "07:00")), Moment(at(day, "07:30"))]
    found += [Moment(now, act) for now, act in kept.items()]
    # The last looks: what a crash left leased is free again, and a line too late for its day goes the day after.
    found += [Moment(at("2021-07-08", "08:30")), Moment(at("2021-07-09", "08:30"))]
    return sorted(found, key=lambda moment: moment.now)


async def live(
    database: Database,
    office: DeliveryContext,
    *,
    begin: int = 0,
    late: timedelta = timedelta(),
    told: Callable[[int], None] = lambda _: None,
) -> None:
    """Live from the ``begin``-th moment on, the first of them ``late`` by so much. ``told`` hears each as it begins."""
    for number, moment in list(enumerate(moments()))[begin:]:
        told(number)
        now = moment.now + (late if number == begin else timedelta())
        if moment.act is not None:
            moment.act(database, now)
        else:
            await _beat(database, office, now)


async def _beat(database: Database, office: DeliveryContext, now: datetime) -> None:
    """Tick as a heartbeat does, until nothing is due: what another process, or a dead one's connection that the
    database has not yet missed, still holds is passed over and had at the next beat, not a week later."""
    for _ in range(500):
        await passes.tick(database, now, office)
        if not passes.due(database, now).anything:
            return
        await asyncio.sleep(0.01)
