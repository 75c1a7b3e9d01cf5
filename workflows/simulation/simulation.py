"""Simulate a plan's year: the live passes on a simulated clock and a scratch database.

Loads and activates the plan, then ticks at every moment at which something is due, with the production code; only the
channels are replaced by one that accepts everything.

Export a simulated year: JSON lines, CSV, iCalendar, HTML with a heat map.
"""

from __future__ import annotations

import asyncio
import gc
import hashlib
import json
import tempfile
import threading
from collections import Counter, OrderedDict
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jinja2 import FileSystemLoader, StrictUndefined
from sqlalchemy import Connection, select

from engine.accounts.signed_links import Signer
from engine.agencies import directory_loading
from engine.agencies.directory_loading import read_directory
from engine.assignments import opening
from engine.errors import Conflict
from engine.files.directory import DirectoryFile
from engine.files.plan import PlanFile
from engine.plans import loading
from engine.plans.simulated_year import SimulatedLetter, SimulatedYear, SimulateYear, TellShare
from engine.rules.calendar import PLAN_TIME, WorkCalendar, day_digits, instant, tells_of_move, written
from engine.rules.policy import Policy
from engine.rules.words import coded, period_words
from engine.store.database import Database, table
from engine.store.recipients import CHANNELS, unset_channels
from engine.store.records import Agency, Assignment, Contact, Duty, Letter, Notice, Plan
from engine.store.rulebook import read_rulebook
from engine.store.stored_rows import AnyRow
from engine.template_cache import FastEnvironment
from engine.terms import LetterState, Role, Scenario
from engine.text import Text
from engine.views.labels import label
from engine.views.spreadsheets import assignment_words, csv_field, letter_words
from notifications.contract.channel import Channel, Fate, Outcome, Outgoing
from notifications.delivery import DeliveryContext
from notifications.letters.facts import RANK, LetterFacts
from notifications.letters.renderer import InUse, LetterRenderer, RendererSettings
from workflows.run.passes import tick
from workflows.simulation.demo import fast_forward
from workflows.simulation.scenarios import simulated_agencies

if TYPE_CHECKING:
    from icalendar import Event

SIMULATION_TIMEOUT_SECONDS = 60.0
"""How long a page waits while another simulation runs."""
CACHED_YEARS = 8


class Sink(Channel):
    """A channel that accepts and discards everything; the letters are in the scratch database."""

    parallel = 50
    """Letters at once: outcomes are written in groups of twice as many, and there is no wire that could double them."""

    def __init__(self, name: str) -> None:
        self.name = name

    async def send(self, letter: Outgoing) -> Outcome:
        return Outcome(fate=Fate.DELIVERED)


class Unwritten(LetterRenderer):
    """Who is written to, when and about what is known before a letter has words, and nobody reads these."""

    words = False

    def render(self, facts: LetterFacts, now: datetime, templates: InUse | None = None) -> Outgoing:
        return Outgoing(key=facts.key, to=facts.to, text="", at=now)


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
    tell: TellShare = lambda share: None,
    unset: Collection[str] = (),
) -> SimulatedYear:
    """Simulate from ``start`` to the end of ``until``; the plans are activated at 09:00 on the first day. ``unset``:
    channels that are not set up."""
    starts = instant(start, time(9, 0))
    ends = instant(until, time(23, 59))
    with tempfile.TemporaryDirectory(prefix="dondoc-simulation-") as folder:
        database = Database(f"sqlite:///{folder}/scratch.db", durable=False)
        try:
            database.upgrade()
            with database.write() as session:
                directory_loading.load_directory(session, directory, actor="simulation", now=starts)
                loading.load_policy(session, policy, actor="simulation", now=starts)
                loading.load_days(session, calendar.exceptions.values(), actor="simulation", now=starts)
                for plan in plans:
                    plan_id = loading.load_plan(session, plan, actor="simulation", now=starts)
                    opening.activate(
                        session, plan_id, actor="simulation", now=starts, choices=opening.Choices(rehearsed=True)
                    )
            act = simulated_agencies(database, scenario, policy, seed)
            names = [name for name in CHANNELS if name not in unset]
            with no_collection():
                asyncio.run(_run_year(database, starts, ends, act, tell, names))
            return _year(database, (until - start).days + 1)
        finally:
            database.dispose()


@contextmanager
def no_collection() -> Iterator[None]:
    """A year makes little garbage in circles; to look for it again and again took a tenth of the time."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def cached_simulation(database: Database) -> SimulateYear:
    """A function that simulates with the stored directory, policy and calendar. One simulation at a time, since a year
    takes seconds of CPU; the last ``CACHED_YEARS`` are cached, so viewing another week of the same year is free."""
    lock = threading.Lock()
    kept: OrderedDict[str, SimulatedYear] = OrderedDict()

    def simulate_cached(plan: PlanFile, first: date, last: date, scenario: Scenario, tell: TellShare) -> SimulatedYear:
        with database.read() as session:
            agencies, book = read_directory(session, contacts=True), read_rulebook(session)
            unset = sorted(unset_channels(session))
        policy = book.policy(plan.policy)
        files = [each.model_dump_json() for each in (plan, agencies, policy)]
        inputs = "\n".join([*files, repr(book.calendar.exceptions), f"{first} {last} {scenario} {unset}"])
        key = hashlib.sha256(inputs.encode()).hexdigest()
        if not lock.acquire(timeout=SIMULATION_TIMEOUT_SECONDS):
            raise Conflict(
                Text("Đang xem trước một kế hoạch khác; thử lại sau.", "Another plan is being simulated; try later.")
            )
        try:
            if key not in kept:
                kept[key] = simulate(
                    [plan],
                    agencies,
                    policy,
                    book.calendar,
                    start=first,
                    until=last,
                    scenario=scenario,
                    tell=tell,
                    unset=unset,
                )
            kept.move_to_end(key)
            while len(kept) > CACHED_YEARS:
                kept.popitem(last=False)
            return kept[key]
        finally:
            lock.release()

    return simulate_cached


async def _run_year(
    database: Database,
    starts: datetime,
    ends: datetime,
    act: Callable[[datetime], None],
    tell: TellShare,
    channels: Iterable[str],
) -> None:
    renderer = Unwritten(Signer("a simulation's key signs nothing"), RendererSettings("http://127.0.0.1"))
    delivery = DeliveryContext(channels={name: Sink(name) for name in channels}, renderer=renderer)

    async def ticked(now: datetime) -> None:
        tell((now - starts) / (ends - starts))
        await tick(database, now, delivery)

    await fast_forward(database, starts, ends, ticked, act)


def _year(database: Database, days: int) -> SimulatedYear:
    a = table(Assignment)
    with database.read() as session:
        connection = session.connection()
        rows = connection.execute(select(a.c.period, a.c.due_on, a.c.due_why).where(a.c.due_on.is_not(None))).all()
        counted = Counter((period, due_on, why.get("vi", "")) for period, due_on, why in rows)
        due = tuple(
            sorted(
                (period, on, count, why if tells_of_move(why) else "") for (period, on, why), count in counted.items()
            )
        )
        g = table(Agency)
        names = {row[0]: row[1] for row in connection.execute(select(g.c.id, g.c.name))}
        return SimulatedYear(tuple(_messages(connection)), due, len(rows), days, names)


def _messages(connection: Connection) -> Iterator[SimulatedLetter]:
    """The letters that were sent, oldest first, each with its content."""
    m, n, c = table(Letter), table(Notice), table(Contact)
    a, d, p = table(Assignment), table(Duty), table(Plan)
    lines_of: dict[int, list[AnyRow]] = {}
    lines = (
        select(n.c.letter_id, n.c.kind, n.c.rung, p.c.number, p.c.urgency, d.c.citation, a.c.agency_id, a.c.period)
        .join(a, a.c.id == n.c.assignment_id)
        .join(d, d.c.id == a.c.duty_id)
        .join(p, p.c.id == a.c.plan_id)
        .where(n.c.obsolete == "")
        .order_by(n.c.id)
    )
    for line in connection.execute(lines):
        lines_of.setdefault(line.letter_id, []).append(line)
    letters = (
        select(m.c.id, m.c.key, m.c.sent_at, m.c.channel, m.c.digest_week, c.c.agency_id, c.c.role)
        .join(c, c.c.id == m.c.contact_id)
        .where(m.c.state == LetterState.DELIVERED)
        .order_by(m.c.sent_at, m.c.id)
    )
    for letter in connection.execute(letters):
        mine = sorted(lines_of.get(letter.id, ()), key=lambda line: RANK[line.kind])
        yield SimulatedLetter(
            at=letter.sent_at.astimezone(PLAN_TIME).isoformat(timespec="minutes"),
            channel=letter.channel,
            kind=str(mine[0].kind) if mine else "digest",
            rung=mine[0].rung if mine else str(letter.digest_week),
            agency=letter.agency_id,
            role=str(letter.role),
            assignments=tuple(f"{each.number} {each.citation} {each.agency_id} {each.period}" for each in mine),
            key=letter.key,
            every_day=bool(mine) and mine[0].urgency.urgent,
        )


def as_objects(year: SimulatedYear) -> Iterator[dict[str, Any]]:
    """One JSON object a message."""
    for message in year.messages:
        fields = asdict(message) | {"assignments": list(message.assignments)}
        yield {name: value for name, value in fields.items() if name != "every_day" or value}


def summary(year: SimulatedYear, language: str = "vi") -> str:
    """The summary shown before a plan is activated, in lines: totals, moved due dates, collisions, overload."""
    people_count = len({(each.agency, each.role) for each in year.messages})
    lines = [
        Text(
            f"{len(year.messages)} thư cho {people_count} người, {year.assignments} việc, {year.days} ngày.",
            f"{len(year.messages)} letters to {people_count} people, {year.assignments} assignments, {year.days} days.",
        )
    ]
    for (agency, role, week), count in year.per_week().most_common(1):
        who, since = person_words(year, agency, role, language), week_of_day(week, language)
        lines.append(
            Text(f"Nhiều thư nhất: {who}, {count} thư trong {since}.", f"Busiest: {who}, {count} letters in {since}.")
        )
    for period, due_on, count, why in year.due:
        if why:
            lines.append(
                Text(
                    f"Hạn chuyển: kỳ {period_words(period, 'vi')}, {count} việc, {why}.",
                    f"Moved: {period_words(period, 'en')}, {count} assignments, to {written(due_on, 'en')}.",
                )
            )
    for day, count in year.collisions():
        lines.append(
            Text(
                f"Trùng hạn: {written(day)} có {count} việc của nhiều kỳ.",
                f"Collision: {count} assignments of several periods on {written(day, 'en')}.",
            )
        )
    for agency, role, week, count in year.overloaded()[:10]:
        who, since = person_words(year, agency, role, language), week_of_day(week, language)
        lines.append(
            Text(f"Quá tải: {who}: {count} thư trong {since}.", f"Overloaded: {who}: {count} letters in {since}.")
        )
    return "\n".join(each.said(language) for each in lines)


def person_words(year: SimulatedYear, agency_id: str, role: str, language: str) -> str:
    """«UBND huyện Kỳ Sơn (đầu mối)»."""
    return f"{year.name(agency_id)} ({label(Role(role), language)})"


def week_of_day(week: str, language: str) -> str:
    """An ISO week by its Monday: «tuần từ 21/6/2021»."""
    monday = day_digits(date.fromisocalendar(int(week[:4]), int(week[6:]), 1))
    return f"the week of {monday}" if language == "en" else f"tuần từ {monday}"


WORDS = {
    "vi": {
        "title": "Dự kiến thư gửi trong năm (chưa kích hoạt)",
        "heat": "Số thư theo tuần",
        "who": "Người nhận",
        "at": "Lúc",
        "messages": "Từng thư",
        "what": "Nội dung",
        "count": "Phần việc",
        "channel": "Kênh",
        "agency": "Cơ quan",
        "role": "Vai trò",
        "assignments": "Về việc",
    },
    "en": {
        "title": "The year before it happens",
        "heat": "Letters per week",
        "who": "Recipient",
        "at": "At",
        "messages": "Every letter",
        "what": "What",
        "count": "Assignments",
        "channel": "Channel",
        "agency": "Agency",
        "role": "Role",
        "assignments": "About",
    },
}


def as_json(year: SimulatedYear, language: str) -> str:
    """One JSON object per line."""
    return "\n".join(json.dumps(each, ensure_ascii=False) for each in as_objects(year))


def as_csv(year: SimulatedYear, language: str) -> str:
    """One row per message, in words; the assignments joined by «; ». Cells are protected against formula injection."""
    words = WORDS[language]
    rows = [[words[each] for each in ("at", "channel", "what", "agency", "role", "assignments")]]
    rows += (
        [
            _moment(each),
            coded(each.channel, language),
            letter_words(each, language),
            year.name(each.agency),
            label(Role(each.role), language),
            "; ".join(assignment_words(year, each_one, language) for each_one in each.assignments),
        ]
        for each in year.messages
    )
    return "\n".join(f"{','.join(map(csv_field, row))}\r" for row in rows)


def _moment(message: SimulatedLetter) -> str:
    return message.at[:16].replace("T", " ")


def as_ics(year: SimulatedYear, language: str) -> str:
    """One calendar entry per message (RFC 5545)."""
    from icalendar import Calendar

    calendar = Calendar()
    calendar.add("prodid", "-//dondoc//simulation//VI")
    calendar.add("version", "2.0")
    for each in year.messages:
        calendar.add_component(_entry(year, each, language))
    return str(calendar.to_ical(), "utf-8").rstrip("\r\n")


def _entry(year: SimulatedYear, message: SimulatedLetter, language: str) -> Event:
    from icalendar import Event

    at = datetime.fromisoformat(message.at).astimezone(UTC)
    entry = Event()
    entry.add("uid", f"{message.key}@simulation.dondoc.example")
    entry.add("dtstamp", at)
    entry.add("dtstart", at)
    entry.add("dtend", at + timedelta(minutes=5))
    who = f"{year.name(message.agency)} · {label(Role(message.role), language)}"
    entry.add("summary", f"{who}: {letter_words(message, language)}")
    entry.add("description", "\n".join(assignment_words(year, each, language) for each in message.assignments))
    return entry


def as_html(year: SimulatedYear, language: str) -> str:
    """A self-contained page: the summary, a heat map of weeks × recipients with figures, every letter."""
    environment = FastEnvironment(
        loader=FileSystemLoader(Path(__file__).with_name("templates")),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    weeks, people = year.heat()
    rows = [(person_words(year, agency, role, language), counts) for agency, role, counts in people]
    messages = [
        (
            _moment(each),
            person_words(year, each.agency, each.role, language),
            letter_words(each, language),
            len(each.assignments),
        )
        for each in year.messages
    ]
    return environment.get_template("simulation.html").render(
        language=language,
        words=WORDS[language],
        lines=summary(year, language).splitlines(),
        weeks=[week_of_day(week, language) for week in weeks],
        rows=rows,
        messages=messages,
    )


FORMS: dict[str, Callable[[SimulatedYear, str], str]] = {
    "text": summary,
    "json": as_json,
    "csv": as_csv,
    "ics": as_ics,
    "html": as_html,
}
