"""A simulated year is the year that happens: the same letters as the live passes send on a real database, whose clock
goes on by half hours and not from event to event; and the forms in which a year is taken away."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import re
import shlex
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from functools import cache
from typing import Any

import pytest
from bs4 import BeautifulSoup
from ground.factory import CONFIG, Laid, at, directory, item, plan_file, policy, real_plan, store
from ground.paths import ROOT
from ground.post import post_office
from icalendar import Calendar
from sqlalchemy import select, update
from typer.testing import CliRunner

from engine.assignments import opening
from engine.errors import BadInput
from engine.files.calendar import load_calendar
from engine.files.directory import load_directory
from engine.files.plan import PlanFile, load_plan
from engine.plans.simulated_year import SimulatedLetter, SimulatedYear
from engine.rules.calendar import PLAN_TIME, WorkCalendar, instant
from engine.store.database import Database, table
from engine.store.recipients import remember_channels
from engine.store.records import Assignment, Contact, Duty, Letter, Notice
from engine.terms import LetterState, Scenario
from workflows.cli import app
from workflows.run.passes import tick
from workflows.simulation.demo import fast_forward
from workflows.simulation.scenarios import simulated_agencies
from workflows.simulation.simulation import as_csv, as_html, as_ics, as_json, cached_simulation, simulate, summary

FIRST, LAST, YEAR_ENDS = date(2021, 4, 7), date(2021, 7, 9), date(2022, 1, 31)
BEATS = [time(7, 0), time(7, 30), time(8, 0), time(9, 0), time(9, 30), time(12, 0), time(16, 30)]
PLAN = CONFIG / "plans/188-kh-ubnd-2021.yaml"


def sent(database: Database) -> list[tuple[Any, ...]]:
    """Every letter that went out: (local time, key, its lines as (kind, rung, citation, agency))."""
    m, n, a, d, c = map(table, (Letter, Notice, Assignment, Duty, Contact))
    lines: dict[int, set[tuple[str, ...]]] = {}
    said = select(n.c.letter_id, n.c.kind, n.c.rung, d.c.citation, a.c.agency_id, a.c.period).join(
        a, a.c.id == n.c.assignment_id
    )
    with database.read() as session:
        connection = session.connection()
        for letter, *line in connection.execute(said.join(d, d.c.id == a.c.duty_id).where(n.c.obsolete == "")):
            lines.setdefault(letter, set()).add(tuple(map(str, line)))
        chosen = select(m.c.id, m.c.sent_at, m.c.key, c.c.agency_id, c.c.role).join(c, c.c.id == m.c.contact_id)
        rows = connection.execute(chosen.where(m.c.state == LetterState.DELIVERED)).all()
    return sorted(
        (
            row.sent_at.astimezone(PLAN_TIME).isoformat(timespec="minutes"),
            row.key,
            row.agency_id,
            str(row.role),
            tuple(sorted(lines.get(row.id, ()))),
        )
        for row in rows
    )


def matches(year: SimulatedYear, happened: list[tuple[Any, ...]]) -> None:
    """The same letters at the same minute to the same people, each about the same lines, worst line first."""
    foreseen = sorted((each.at, each.key, each.agency, each.role) for each in year.messages)
    assert foreseen == [letter[:4] for letter in happened]
    by_key = {each.key: each for each in year.messages}
    for _, key, _, _, lines in happened:
        each = by_key[key]
        about = [tuple(one.split(" ")[1:]) for one in each.assignments]
        assert sorted(about) == sorted(line[2:] for line in lines)
        assert (each.kind, each.rung) in {line[:2] for line in lines} or (each.kind == "digest" and not lines)


async def beat(laid: Laid, last: date, act: Callable[[datetime], None]) -> None:
    """As the heartbeat of a live process does: every so often, whether or not anything is due."""
    office = post_office()
    for days in range((last - FIRST).days + 1):
        for moment in (instant(FIRST + timedelta(days=days), wall) for wall in BEATS):
            if moment >= at(FIRST.isoformat(), "09:00"):
                await tick(laid.database, moment, office)
                act(moment)


def activated(laid: Laid) -> Laid:
    with laid.database.write() as session:
        opening.activate(session, laid.plan_id, actor="cli:test", now=at(FIRST.isoformat(), "09:00"))
    return laid


def lived(plan: PlanFile, scenario: Scenario = Scenario.SILENT, until: date = LAST) -> SimulatedYear:
    return simulate([plan], directory(), policy(), WorkCalendar(), start=FIRST, until=until, scenario=scenario, seed=3)


@cache
def small(scenario: Scenario) -> SimulatedYear:
    return lived(plan_file(), scenario)


@cache
def real() -> SimulatedYear:
    """Plan 188 to the end of its year."""
    bodies = load_directory(CONFIG / "agencies/nghe-an-2021.yaml")
    calendar = load_calendar(CONFIG / "calendars/vn.yaml")
    return simulate(
        [load_plan(PLAN, bodies)],
        bodies,
        policy(),
        calendar,
        start=FIRST,
        until=YEAR_ENDS,
        scenario=Scenario.MIXED,
    )


@pytest.mark.parametrize("scenario", list(Scenario))
def test_the_live_passes_send_the_letters_that_were_foreseen(sqlite_database: Database, scenario: Scenario) -> None:
    laid = activated(store(sqlite_database, now=at(FIRST.isoformat(), "09:00")))
    asyncio.run(beat(laid, LAST, simulated_agencies(sqlite_database, scenario, policy(), 3)))
    happened = sent(sqlite_database)
    assert len(happened) >= 10
    matches(small(scenario), happened)


@pytest.mark.deep
def test_plan_188_lives_its_year_on_both_databases_as_it_was_foreseen(database: Database) -> None:
    office = post_office()
    activated(real_plan(database, now=at("2021-04-07", "09:00")))

    async def step(now: datetime) -> object:
        return await tick(database, now, office)

    began, ends = at("2021-04-07", "09:00"), at(YEAR_ENDS.isoformat(), "23:59")
    asyncio.run(fast_forward(database, began, ends, step, simulated_agencies(database, Scenario.MIXED, policy())))
    matches(real(), sent(database))


def test_foreseeing_leaves_no_trace(sqlite_database: Database) -> None:
    laid = store(sqlite_database, now=at("2021-04-07"))
    told: list[float] = []
    cached_simulation(sqlite_database)(plan_file(), FIRST, date(2021, 5, 31), Scenario.SILENT, told.append)
    assert told == sorted(told)
    assert 0 <= told[0] < told[-1] <= 1
    assert sent(laid.database) == []
    with laid.database.read() as session:
        assert session.connection().execute(select(table(Assignment))).all() == []


def test_without_a_gateway_a_year_foresees_no_message_by_telephone(sqlite_database: Database) -> None:
    store(sqlite_database, now=at("2021-04-07"))
    with sqlite_database.write() as session:
        session.connection().execute(update(table(Contact)).values(phone="+84912345678"))
    foresee = cached_simulation(sqlite_database)

    def channels() -> set[str]:
        year = foresee(plan_file(), FIRST, LAST, Scenario.SILENT, lambda share: None)
        return {each.channel for each in year.messages}

    assert channels() == {"email", "sms"}
    remember_channels(sqlite_database, ["email"])
    assert channels() == {"email"}


def test_the_same_seed_gives_the_same_year() -> None:
    short = [lived(plan_file(), Scenario.MIXED, date(2021, 4, 20)) for _ in range(2)]
    assert short[0] == short[1]


def test_punctual_agencies_get_fewer_letters_than_silent_ones() -> None:
    assert len(small(Scenario.PUNCTUAL).messages) < len(small(Scenario.SILENT).messages)


def test_late_agencies_get_as_many_as_punctual_ones_or_more_and_as_silent_ones_or_fewer() -> None:
    counts = [len(small(each).messages) for each in (Scenario.PUNCTUAL, Scenario.LATE, Scenario.SILENT)]
    assert counts == sorted(counts)


def test_what_rolls_collides_and_is_too_much_is_named() -> None:
    early = item(5, "so-ban", cadence=["once"], rule="mot-lan")
    rules = {name: rule.model_dump() for name, rule in plan_file().report_rules.items()}
    rules["mot-lan"]["on"] = date(2021, 6, 17)
    items = (item(1, "so-ban"), item(4, "so-chinh", rule="gui-tinh"), early)
    year = lived(plan_file(items=items, report_rules=rules), until=date(2021, 4, 20))
    assert (date(2021, 6, 17), 2) in year.collisions()
    assert (
        next(why for _, _, _, why in year.due if why)
        == "ngày 20/6/2021 là Chủ nhật, hạn chuyển sang thứ Hai, 21/6/2021"
    )
    assert "Hạn chuyển: kỳ 6 tháng đầu năm 2021" in summary(year)
    assert "Moved: first half of 2021" in summary(year, "en")


def test_the_heat_map_has_every_week_and_adds_up() -> None:
    year = small(Scenario.SILENT)
    weeks, rows = year.heat()
    assert weeks == sorted(set(weeks))
    assert len(weeks) >= (date.fromisoformat(year.messages[-1].at[:10]) - FIRST).days // 7
    assert sum(sum(counts) for _, _, counts in rows) == len(year.messages)
    assert all(len(counts) == len(weeks) for _, _, counts in rows)


def test_the_silent_year_of_plan_188_has_the_letters_that_the_readme_gives_with_its_command() -> None:
    documents = [(ROOT / name).read_text() for name in ("README.md", "docs/scale.md")]
    (command,) = re.findall(r"`dondoc (simulate .*?)`", documents[0])
    told = CliRunner().invoke(app, shlex.split(command.replace("config/", f"{CONFIG}/")))
    assert told.exit_code == 0, told.output
    letters = f"{int(told.stdout.split()[0]):,}"
    assert [text.count(letters) for text in documents] == [1, 1]


# --- the forms ----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def year() -> SimulatedYear:
    return small(Scenario.SILENT)


def test_json_is_one_object_a_line_with_the_keys_that_are_promised(year: SimulatedYear) -> None:
    lines = [json.loads(line) for line in as_json(year, "vi").splitlines()]
    assert len(lines) == len(year.messages)
    assert {tuple(line) for line in lines} == {
        ("at", "channel", "kind", "rung", "agency", "role", "assignments", "key")
    }
    assert all(isinstance(line["assignments"], list) for line in lines)


@pytest.mark.parametrize("language", ["vi", "en"])
def test_csv_and_page_have_a_row_a_message_and_no_codes(year: SimulatedYear, language: str) -> None:
    rows = list(csv.DictReader(io.StringIO(as_csv(year, language))))
    at, *_, about = rows[0]
    assert [row[at] for row in rows] == [each.at[:16].replace("T", " ") for each in year.messages]
    assert [len(row[about].split("; ")) for row in rows if row[about]] == [
        len(each.assignments) for each in year.messages if each.assignments
    ]
    codes = re.compile(r"\b[AT][+-]\d|\brung\b|\bfate\b|so-ban|huyen-a|2021-(H1|Y|W)|reminder_|_")
    for text in (as_csv(year, language), as_html(year, language).partition("<body>")[2], summary(year, language)):
        assert codes.findall(text) == []
    assert "Huyen a" in as_csv(year, language)


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_a_cell_that_a_spreadsheet_would_run_is_disarmed(start: str) -> None:
    bad = f"{start}HYPERLINK(1)"
    about = (f"{bad} IV.1 a once",)
    made = SimulatedLetter(
        at="2021-04-07T09:00+07:00",
        channel="email",
        kind="assigned",
        rung="open",
        agency=bad,
        role="head",
        assignments=about,
        key="letter:1",
    )
    (row,) = csv.DictReader(io.StringIO(as_csv(SimulatedYear((made,), (), 1, 1), "vi"), newline=""))
    assert row["Cơ quan"] == f"'{bad}"
    assert row["Về việc"].startswith(f"'{bad}")


def test_ics_is_read_back_with_every_message_at_its_instant(year: SimulatedYear) -> None:
    entries = Calendar.from_ical(as_ics(year, "vi") + "\r\n").walk("VEVENT")
    assert [entry.decoded("dtstart").astimezone(PLAN_TIME).isoformat(timespec="minutes") for entry in entries] == [
        each.at for each in year.messages
    ]
    assert len({str(entry["uid"]) for entry in entries}) == len(year.messages)


@pytest.mark.parametrize("language", ["vi", "en"])
def test_html_stands_alone_and_shows_every_figure(year: SimulatedYear, language: str) -> None:
    page = BeautifulSoup(as_html(year, language), "lxml")
    assert not page.find_all(["script", "link", "img", "iframe"])
    assert page.html["lang"] == language  # type: ignore[index]
    heat = page.find("table")
    assert sum(int(cell.get_text() or 0) for cell in heat.select("tbody td[class^=h]")) == len(year.messages)  # type: ignore[union-attr, misc]


def test_html_escapes_what_a_plan_holds() -> None:
    bad = "<script>alert(1)</script>"
    made = SimulatedLetter(
        at="2021-04-07T09:00+07:00",
        channel="email",
        kind="assigned",
        rung="open",
        agency=bad,
        role="head",
        assignments=(),
        key="letter:1",
    )
    assert "<script>" not in as_html(SimulatedYear((made,), (), 1, 1), "vi")


# --- the command --------------------------------------------------------------------------------------------------


def test_the_command_prints_plan_188s_first_days_as_json() -> None:
    done = CliRunner().invoke(app, ["simulate", str(PLAN), "--from", "2021-04-07", "--until", "2021-04-08", "--json"])
    letters = [json.loads(line) for line in done.stdout.splitlines()]
    assert {letter["rung"] for letter in letters} == {"open"}
    assert len(letters) == len({letter["agency"] for letter in letters}) == 53


@pytest.mark.parametrize("words", [["--from", "2021-05-01", "--until", "2021-04-01"], ["--from", "hôm nay"]])
def test_the_command_says_what_days_it_cannot_take(words: list[str]) -> None:
    assert isinstance(CliRunner().invoke(app, ["simulate", str(PLAN), *words]).exception, BadInput)
