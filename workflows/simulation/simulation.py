"""The year before it happens: the live passes under another clock, on a scratch database.

Not a second implementation: it loads the plan, activates it and ticks through every moment at which something is
due, with the very code that runs live; only the post is a box that delivers everything.
"""

from __future__ import annotations

import asyncio
import hashlib
import tempfile
import threading
from collections import Counter, OrderedDict
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from datetime import date, datetime, time
from typing import Any, Self

from sqlalchemy import select

from engine.accounts.signed_links import Signer
from engine.agencies import directory_loading
from engine.agencies.stored_directory import read_directory
from engine.assignments import opening
from engine.errors import Conflict
from engine.files.directory import DirectoryFile
from engine.files.plan import PlanFile
from engine.plans import loading
from engine.plans.simulated_year import Scenario, SimulatedLetter, SimulatedYear, SimulateYear
from engine.rules.calendar import PLAN_TIME, WorkCalendar, instant, written
from engine.rules.policy import Policy
from engine.store.database import Database, table
from engine.store.records import Assignment, Contact, Duty, Letter, Notice, Plan
from engine.store.rulebook import read_rulebook
from engine.terms import LetterState
from engine.text import Text
from notifications.channel import Fate, Outcome, Outgoing
from notifications.delivery import DeliveryContext
from notifications.letters.facts import RANK
from notifications.letters.renderer import LetterRenderer
from workflows.passes import tick
from workflows.simulation.fast_forward import live
from workflows.simulation.scenarios import people

SIMULATION_TIMEOUT_SECONDS = 60.0
"""Seconds that a page waits while another year is being lived through."""
CACHED_YEARS = 8


class Sink:
    """A channel that delivers everything and keeps nothing: what was said is in the scratch database."""

    parallel = 1

    def __init__(self, name: str) -> None:
        self.name = name

    async def send(self, letter: Outgoing) -> Outcome:
        return Outcome(Fate.DELIVERED)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        return None


def simulate(
    plans: Iterable[PlanFile],
    directory: DirectoryFile,
    policy: Policy,
    calendar: WorkCalendar,
    *,
    start: date,
    until: date,
    scenario: Scenario = Scenario.SILENT,
    seed: int = 0,
) -> SimulatedYear:
    """Live through ``start`` to the end of ``until``; the plans are activated at nine on the first morning."""
    began = instant(start, time(9, 0))
    ends = instant(until, time(23, 59))
    with tempfile.TemporaryDirectory(prefix="dondoc-simulation-") as folder:
        database = Database(f"sqlite:///{folder}/scratch.db", durable=False)
        try:
            database.upgrade()
            with database.write() as session:
                directory_loading.load_directory(session, directory, actor="simulation", now=began)
                loading.load_policy(session, policy, actor="simulation", now=began)
                loading.load_days(session, calendar.exceptions.values())
                for plan in plans:
                    plan_id = loading.load_plan(session, plan, actor="simulation", now=began)
                    opening.activate(session, plan_id, actor="simulation", now=began)
            asyncio.run(_live(database, began, ends, people(database, scenario, policy, seed)))
            return _year(database, (until - start).days + 1)
        finally:
            database.dispose()


def cached_simulation(database: Database) -> SimulateYear:
    """Simulate with an office's own directory, policy and calendar. One at a time, since a year takes seconds of one
    core; the last few are kept, so that looking at another week of the same year costs nothing."""
    lock = threading.Lock()
    kept: OrderedDict[str, SimulatedYear] = OrderedDict()

    def ahead(plan: PlanFile, first: date, last: date, scenario: Scenario) -> SimulatedYear:
        with database.read() as session:
            bodies, book = read_directory(session, contacts=True), read_rulebook(session)
        policy = book.policy(plan.policy)
        files = [each.model_dump_json() for each in (plan, bodies, policy)]
        said = "\n".join([*files, repr(book.calendar.exceptions), f"{first} {last} {scenario}"])
        key = hashlib.sha256(said.encode()).hexdigest()
        if not lock.acquire(timeout=SIMULATION_TIMEOUT_SECONDS):
            raise Conflict(
                Text("Đang xem trước một kế hoạch khác; thử lại sau.", "Another plan is being simulated; try later.")
            )
        try:
            if key not in kept:
                kept[key] = simulate([plan], bodies, policy, book.calendar, start=first, until=last, scenario=scenario)
            kept.move_to_end(key)
            while len(kept) > CACHED_YEARS:
                kept.popitem(last=False)
            return kept[key]
        finally:
            lock.release()

    return ahead


async def _live(database: Database, began: datetime, ends: datetime, act: Any) -> None:
    renderer = LetterRenderer(Signer("a simulation's key signs nothing"), "http://127.0.0.1", 45)
    delivery = DeliveryContext({name: Sink(name) for name in ("email", "sms")}, renderer)
    await live(database, began, ends, lambda now: tick(database, now, delivery), act)


def _year(database: Database, days: int) -> SimulatedYear:
    a = table(Assignment)
    with database.read() as session:
        connection = session.connection()
        rows = connection.execute(select(a.c.period, a.c.due_on, a.c.due_why).where(a.c.due_on.is_not(None))).all()
        counted = Counter((period, due_on, why.get("vi", "")) for period, due_on, why in rows)
        due = tuple(
            sorted((period, on, count, why if "→" in why else "") for (period, on, why), count in counted.items())
        )
        return SimulatedYear(tuple(_messages(connection)), due, len(rows), days)


def _messages(connection: Any) -> Iterator[SimulatedLetter]:
    """The letters that went out, oldest first, each with what it said."""
    m, n, c = table(Letter), table(Notice), table(Contact)
    a, d, p = table(Assignment), table(Duty), table(Plan)
    said: dict[int, list[Any]] = {}
    lines = (
        select(n.c.letter_id, n.c.kind, n.c.rung, p.c.number, d.c.citation, a.c.agency_id, a.c.period)
        .join(a, a.c.id == n.c.assignment_id)
        .join(d, d.c.id == a.c.duty_id)
        .join(p, p.c.id == a.c.plan_id)
        .where(n.c.moot == "")
        .order_by(n.c.id)
    )
    for line in connection.execute(lines):
        said.setdefault(line.letter_id, []).append(line)
    letters = (
        select(m.c.id, m.c.key, m.c.sent_at, m.c.channel, m.c.digest_week, c.c.agency_id, c.c.role)
        .join(c, c.c.id == m.c.contact_id)
        .where(m.c.state == LetterState.DELIVERED)
        .order_by(m.c.sent_at, m.c.id)
    )
    for letter in connection.execute(letters):
        mine = sorted(said.get(letter.id, ()), key=lambda line: RANK[line.kind])
        yield SimulatedLetter(
            at=letter.sent_at.astimezone(PLAN_TIME).isoformat(timespec="minutes"),
            channel=letter.channel,
            kind=str(mine[0].kind) if mine else "digest",
            rung=mine[0].rung if mine else str(letter.digest_week),
            agency=letter.agency_id,
            role=str(letter.role),
            assignments=tuple(f"{each.number} {each.citation} {each.agency_id} {each.period}" for each in mine),
            key=letter.key,
        )


def as_objects(year: SimulatedYear) -> Iterator[dict[str, Any]]:
    """One JSON object a message."""
    for message in year.messages:
        yield asdict(message) | {"assignments": list(message.assignments)}


def summary(year: SimulatedYear, language: str = "vi") -> str:
    """What an officer wants to know before pressing «activate», in lines."""
    vi = language != "en"
    people_count = len({(each.agency, each.role) for each in year.messages})
    busiest = year.per_week().most_common(1)
    lines = [
        f"{len(year.messages)} thư cho {people_count} người, {year.assignments} phần việc, {year.days} ngày."
        if vi
        else f"{len(year.messages)} letters to {people_count} people, {year.assignments} assignments, {year.days} days."
    ]
    if busiest:
        (agency, role, week), count = busiest[0]
        lines.append(
            f"Nhiều thư nhất: {agency} ({role}), {count} thư trong tuần {week}."
            if vi
            else f"Busiest: {agency} ({role}), {count} letters in {week}."
        )
    for period, due_on, count, why in year.due:
        if why:
            lines.append(
                f"Hạn dời: kỳ {period}, {count} phần việc, {why}."
                if vi
                else f"Moved: {period}, {count} assignments, to {written(due_on, 'en')}."
            )
    for day, count in year.collisions():
        lines.append(
            f"Trùng hạn: {written(day)} có {count} phần việc của nhiều kỳ."
            if vi
            else f"Collision: {count} assignments of several periods on {written(day, 'en')}."
        )
    for agency, role, week, count in year.overloaded()[:10]:
        lines.append(
            f"Quá tải: {agency} ({role}) {count} thư trong tuần {week}."
            if vi
            else f"Overloaded: {agency} ({role}) {count} letters in {week}."
        )
    return "\n".join(lines)
