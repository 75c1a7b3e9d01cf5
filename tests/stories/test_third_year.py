"""Plan 188 and its renewals from 7 April 2021 to the end of 2025, with the changes that Nghệ An went through.

What is expected was worked out by hand from the calendar, the ladder and the directory before it was lived, and stands
here as dates and names: who owes what on 2 July 2025, which letters leave that week, which figures stay. In a second
life nobody ever ends a plan.
"""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta

import pytest
from ground.factory import CONFIG, at, begin, rows, store
from ground.post import LetterBox, post_office
from sqlalchemy import func, select
from stories.letter_rules import RecordingRenderer, faults_of
from stories.ten_plans import ten_plans

from engine.accounts.signed_links import Purpose
from engine.admin.published_figures import list_published
from engine.admin.reorganisation import reorganise
from engine.agencies.directory_loading import load_directory as store_directory
from engine.agencies.directory_loading import read_directory
from engine.application import daily_cleanup
from engine.assignments import situations
from engine.assignments.lifecycle import ReportText, report
from engine.assignments.opening import activate
from engine.assignments.situations import Boxes
from engine.assignments.told import REACH
from engine.errors import LinkRefused
from engine.files.calendar import load_calendar_file
from engine.files.directory import load_directory
from engine.files.plan import PlanFile, load_plan
from engine.files.plan_renewal import renew
from engine.files.yaml_reader import read
from engine.plans import closing, loading
from engine.plans.following import Reporting
from engine.plans.plan_today import plan_today
from engine.plans.reorganisation import Decision, ended_agencies
from engine.queries.figures.plan_progress import Standing, standing
from engine.queries.work.letter_links import AFTER_DUE, open_link
from engine.rules.calendar import local_date
from engine.store.database import Database, table
from engine.store.records import Agency, Assignment, Contact, Letter, Plan
from engine.store.rulebook import read_calendar
from engine.terms import LetterState, Role
from workflows.run import passes
from workflows.simulation.demo import fast_forward

REPORT_LINK = re.compile(r"/r/([^/\s]+)")
BEGIN, LAST = at("2021-04-07"), at("2025-12-31", "18:00")
SILENT = ("ubnd-huyen-anh-son", "ubnd-huyen-con-cuong", "ubnd-xa-anh-son", "ubnd-xa-con-cuong")
"""Two districts that never report, and who follows them at their seat."""

# --- worked out by hand ---------------------------------------------------------------------------------------------

FIRST_HALF = "2025-H1"
OWED_ON_2_JULY = {("ubnd-xa-anh-son", "2025-H1~250701", date(2025, 7, 8)): 4} | {
    ("ubnd-xa-con-cuong", "2025-H1~250701", date(2025, 7, 8)): 4
}
"""IV.16.1 to 3 and V.1 of the two districts, five working days from Tuesday 1 July; of no other commune anything."""
WEEK = date(2025, 7, 1), date(2025, 7, 7)
LETTERS_OF_THE_WEEK = {
    ("coordinator", date(2025, 7, 1)),  # opened
    ("coordinator", date(2025, 7, 3)),  # three working days before the 8th
    ("coordinator", date(2025, 7, 4)),  # three working days without an acknowledgement
    ("coordinator", date(2025, 7, 7)),  # one working day before the 8th
    ("head", date(2025, 7, 7)),  # four without an acknowledgement
}
"""To each of the two communes; no other commune is written to."""
COMMUNES_ASKED_FROM = date(2025, 9, 16)
"""92 days before 17 December: the year's report opens for all 130."""
SUPERVISORS = {
    2021: "so-ldtbxh",
    2022: "so-ldtbxh",
    2023: "so-ldtbxh",
    2024: "so-ldtbxh",
    2025: "so-y-te",
    2026: "so-y-te",
}
YEARS = tuple(range(2022, 2027))


# --- the life -------------------------------------------------------------------------------------------------------


@dataclass
class Life:
    database: Database
    ends: bool
    plans: dict[int, int] = field(default_factory=dict)
    before: Standing | None = None
    after: Standing | None = None
    asked_on_2_july: Counter[tuple[str, str, date]] = field(default_factory=Counter)
    renderer: RecordingRenderer = field(default_factory=RecordingRenderer)
    beside: dict[int, PlanFile] = field(default_factory=dict)
    links: Counter[str] = field(default_factory=Counter)
    """How many newest links of owners with unfinished work were tried, and how many did not work."""

    async def live(self) -> None:
        office, moment = post_office(LetterBox(), renderer=self.renderer), BEGIN

        async def tick(now: datetime) -> object:
            done = await passes.tick(self.database, now, office)
            with self.database.write() as session:
                if daily_cleanup.is_owed(session, now):
                    daily_cleanup.run_daily_cleanup(session, now)
            return done

        for now, act in sorted(self._acts(), key=lambda each: each[0]):
            while (stop := self._next_stop(moment)) < now:
                moment = await fast_forward(self.database, moment, stop, tick)
                self._report(stop)
                moment += timedelta(seconds=1)
            moment = await fast_forward(self.database, moment, now, tick)
            act(now)
            moment += timedelta(seconds=1)
        await fast_forward(self.database, moment, LAST, tick)

    def _acts(self) -> Iterator[tuple[datetime, Callable[[datetime], None]]]:
        for year in YEARS:
            yield at(f"{year - 1}-11-20", "09:00"), self._renew
            if self.ends:
                yield at(f"{year}-02-14", "09:00"), self._end
        for day in ("2024-12-01", "2025-03-01", "2025-07-01"):
            yield at(day, "06:30"), self._reorganise
        yield at("2025-06-25", "09:00"), self._load_communes
        yield at("2025-07-02", "18:00"), self._look
        for year in range(2021, 2026):
            for month in range(2 if year > 2021 else 5, 13):
                yield at(f"{year}-{month:02}-25", "17:00"), self._follow_links
        yield LAST, lambda now: None

    def begin(self) -> None:
        bodies = load_directory(CONFIG / "agencies" / "nghe-an-2021.yaml")
        plan = load_plan(CONFIG / "plans" / "188-kh-ubnd-2021.yaml", bodies)
        days = tuple(load_calendar_file(CONFIG / "calendars" / "vn.yaml").calendar().exceptions.values())
        self.plans[2021] = begin(
            store(self.database, now=BEGIN, plan=plan, bodies=bodies, days=days), now=BEGIN
        ).plan_id

        if self.ends:
            self._begin_beside()

    def _begin_beside(self) -> None:
        with self.database.write() as session:
            for plan in ten_plans():
                number = loading.load_plan(session, plan, actor="account:1", now=BEGIN)
                activate(session, number, actor="account:1", now=BEGIN)
                self.beside[number] = plan

    def _next_stop(self, now: datetime) -> datetime:
        """The afternoon of the next day on which somebody reports; within ten days, since more opens meanwhile."""
        a, today = table(Assignment), local_date(now)
        owed = (situations.owed(), a.c.agency_id.not_in(SILENT), a.c.due_on >= today)
        with self.database.read() as session:
            days = session.connection().scalars(select(a.c.due_on).where(*owed).distinct().order_by(a.c.due_on)).all()
        due = next((due for day in days if (due := at(day.isoformat(), "15:00")) > now), None)
        return min(due or LAST, now + timedelta(days=10))

    def _report(self, now: datetime) -> None:
        a = table(Assignment)
        owed = (situations.owed(), a.c.agency_id.not_in(SILENT), a.c.due_on == local_date(now))
        with self.database.write() as session:
            for task in session.connection().scalars(select(a.c.id).where(*owed).order_by(a.c.id)).all():
                report(session, task, ReportText(body="Đã làm xong."), actor="contact:1", now=now)

    def _renew(self, now: datetime) -> None:
        year = now.year + 1
        with self.database.write() as session:
            directory = read_directory(session)
            file, changed = plan_today(session, self.plans[year - 1], directory)
            text, points = renew(
                file,
                year=year,
                number=f"{year - 2000}/KH-UBND",
                issued_on=local_date(now),
                calendar=read_calendar(session),
                directory=directory,
                changed=changed,
            )
            assert not {"so-ldtbxh", "huyen-21"} & {each.place for each in points}
            asked_of = {name for figure in file.indicators for name in figure.asked_of}
            assert year <= 2025 or not {"huyen-21", *SILENT[:2]} & asked_of  # its seven figures are asked of the heirs
            self.plans[year] = loading.load_plan(session, read(text, PlanFile), actor="account:1", now=now)
            activate(session, self.plans[year], actor="account:1", now=now)

    def _end(self, now: datetime) -> None:
        with self.database.write() as session:
            over = [number for number, plan in self.beside.items() if plan.final_year == now.year - 1]
            for number in (self.plans[now.year - 1], *over):
                closing.end(session, number, reason="Hết năm.", actor="account:1", now=now)

    def _load_communes(self, now: datetime) -> None:
        with self.database.write() as session:
            store_directory(session, load_directory(CONFIG / "agencies" / "nghe-an-2025.yaml"), actor="cli:x", now=now)

    def _reorganise(self, now: datetime) -> None:
        last = local_date(now) == date(2025, 7, 1)
        if last:
            self.before = self.figures(now)
        with self.database.write() as session:
            found = ended_agencies(session, local_date(now))
            decided = [
                Decision(agency_id=each.id, reporting=Reporting.SEAT if each.seat else Reporting.ALL) for each in found
            ]
            reorganise(session, decided, actor="account:1", now=now)
        if last:
            self.after = self.figures(now)

    def figures(self, now: datetime) -> Standing:
        with self.database.read() as session:
            return standing(session, local_date(now), plan_id=self.plans[2025], period=FIRST_HALF)

    def _look(self, now: datetime) -> None:
        a = table(Assignment)
        asked = (
            situations.owed(),
            a.c.plan_id == self.plans[2025],
            a.c.due_on >= date(2025, 7, 1),
        )
        with self.database.read() as session:
            found = session.connection().execute(select(a.c.agency_id, a.c.period, a.c.due_on).where(*asked)).all()
        self.asked_on_2_july = Counter((row.agency_id, row.period, row.due_on) for row in found)

    def _follow_links(self, now: datetime) -> None:
        """Try the newest link of each owner of what is unfinished and not overdue by more than a fortnight."""
        a, today, signer = table(Assignment), local_date(now), self.renderer.signer
        newest: dict[tuple[str, str], str] = {}
        for facts, letter in self.renderer.rendered:
            if facts.role is Role.COORDINATOR:
                for token in REPORT_LINK.findall(letter.text):
                    newest[facts.agency, signer.verify(Purpose.REPORT, token).subject] = token
        owed = (situations.owed(), a.c.due_on >= today - AFTER_DUE)
        wanted = select(table(Agency).c.name, a.c.plan_id, a.c.period).join(a, a.c.agency_id == table(Agency).c.id)
        with self.database.read() as session:
            rows = session.connection().execute(wanted.where(*owed).distinct()).all()
            for row in rows:
                token = newest.get((row.name, f"{row.plan_id}:{row.period}"))
                self.links["tried"] += token is not None
                try:
                    open_link(session, signer, Purpose.REPORT, token or "", today)
                except LinkRefused:
                    self.links["refused"] += token is not None

    @property
    def monday_letters(self) -> Iterator[tuple[date, str, int]]:
        """(day, agency, days back of its oldest line without a promise) of each owner's weekly letter."""
        for facts, _ in self.renderer.rendered:
            if facts.role is Role.COORDINATOR and facts.digest and not facts.digest.watching:
                late = [row.due_on for row, _ in facts.digest.rows if not row.promised_on]
                if late:
                    yield facts.day, facts.agency, (facts.day - min(late)).days


def lived(database: Database, *, ends: bool) -> Life:
    life = Life(database, ends)
    life.begin()
    asyncio.run(life.live())
    return life


def sent(database: Database) -> list[Letter]:
    return [each for each in rows(database, Letter) if each.state is not LetterState.SUPPRESSED]


@pytest.mark.deep
def test_the_life_of_2021_to_2025_is_the_one_that_was_worked_out_by_hand(sqlite_database: Database) -> None:
    life = lived(sqlite_database, ends=True)
    database = sqlite_database
    communes = {each.id for each in rows(database, Agency) if each.level == "xa" and each.id != "ubnd-cap-xa"}
    of_communes = {key: n for key, n in life.asked_on_2_july.items() if key[0] in communes}
    assert of_communes == OWED_ON_2_JULY
    letters = sent(database)
    in_week = Counter((each.agency_id, str(each.role), each.day) for each in letters if WEEK[0] <= each.day <= WEEK[1])
    to_communes = {key: n for key, n in in_week.items() if key[0] in communes}
    assert to_communes == {(name, *each): 1 for name in SILENT[2:] for each in LETTERS_OF_THE_WEEK}
    first = min(each.day for each in letters if each.agency_id in communes - set(SILENT))
    assert first == COMMUNES_ASKED_FROM

    assert life.before is not None
    assert life.after is not None
    assert by_agency(life.after) == by_agency(life.before, not_asked=SILENT[:2])
    with database.read() as session:
        published = {each.period: each for each in list_published(session, life.plans[2025])}
    assert published[FIRST_HALF].cut_off == date(2025, 6, 21)  # the last report was due on Friday the 20th
    supervisors = {each.year: each.supervisor_id for each in rows(database, Plan) if each.id in life.plans.values()}
    assert supervisors == SUPERVISORS

    every_letter_keeps_the_rules(life)
    assert life.links["tried"] > 500
    assert life.links["refused"] == 0
    twice = Counter((each.contact_id, each.channel, each.day) for each in letters if not each.urgent)
    assert max(twice.values()) == 1
    until = {each.id: each.names[-1].get("until") or "9999-12-31" for each in rows(database, Agency)}
    assert [each.id for each in letters if each.day.isoformat() > until[each.agency_id]] == []
    gone = [each for each in rows(database, Contact) if until[each.agency_id] < "2025-12-01"]
    assert {each.email for each in gone} == {""}


def by_agency(standing: Standing, not_asked: Collection[str] = ()) -> dict[str, Boxes]:
    """The figures; those bodies' overdue work as what nobody is asked for any more."""
    return {
        each.id: replace(each.tally, overdue=0, not_asked=each.tally.overdue) if each.id in not_asked else each.tally
        for each in standing.agencies
    }


def every_letter_keeps_the_rules(life: Life) -> None:
    """The ten plans beside bring what plan 188 has not: other cadences, urgent work, several plans in a letter."""
    found = faults_of(life.renderer.rendered)
    assert not found.wrong, "\n".join(found.wrong[:20])
    assert {"level", "dates", "overdue first", "returning", "named", "explained once", "urgent", "monthly"} <= set(
        found.about
    )
    told = {item.plan for facts, _ in life.renderer.rendered for item in facts.items}
    assert {plan.number for plan in life.beside.values()} <= told
    print(f"letters {len(life.renderer.rendered)}, looked at: {dict(found.about)}; links: {dict(life.links)}")


@pytest.mark.deep
def test_a_life_in_which_nobody_ever_ends_anything_stays_bearable(sqlite_database: Database) -> None:
    """Not more letters a year to one who reports in time than the ladder has for one plan, and no Monday letter that
    reaches back more than a year."""
    life = lived(sqlite_database, ends=False)
    database = sqlite_database
    assert len(life.plans) == 6
    m, c = table(Letter), table(Contact)
    yearly = func.strftime("%Y", m.c.day)
    statement = (
        select(c.c.agency_id, yearly.label("year"), func.count().label("n"))
        .join(c, c.c.id == m.c.contact_id)
        .where(m.c.role == Role.COORDINATOR, m.c.state != LetterState.SUPPRESSED)
        .group_by(c.c.agency_id, yearly)
    )
    with database.read() as session:
        found = {(row.agency_id, row.year): row.n for row in session.connection().execute(statement)}
    in_time = [n for (agency_id, _), n in found.items() if agency_id == "ubnd-huyen-quy-hop"]
    silent = {year: n for (agency_id, year), n in found.items() if agency_id == "ubnd-huyen-anh-son"}
    assert max(in_time) <= 12
    mondays = list(life.monday_letters)
    assert len(mondays) > 100
    assert max(days for _, _, days in mondays) <= REACH.days  # of no more than one year of a plan
    print(f"letters a year to one in time: {sorted(in_time)}, to one that is silent: {silent}")
    print(f"Monday letters {len(mondays)}, the oldest line {max(days for _, _, days in mondays)} days back")
    # A year of silence brings no more letters in the fourth year than in the second: what is old adds nothing.
    assert silent["2024"] <= silent["2022"] + 4
    with database.read() as session:
        waiting = closing.plans_to_end(session, date(2025, 12, 31))
    assert {each.number for each in waiting} == {"188/KH-UBND", "22/KH-UBND", "23/KH-UBND", "24/KH-UBND"}
