"""Answers are kept for as long as nothing they depend on has changed: whoever writes, the next reader sees it."""

from __future__ import annotations

import asyncio
import pickle
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from pathlib import Path
from threading import Barrier, Event
from typing import Any

import pytest
from ground.factory import Laid, add_letters, at, begin, plan_file, rows, store
from ground.office import NOW, OPENED, Office, as_role, looking, open_office
from ground.paths import ROOT
from ground.post import post_office
from sqlalchemy import false, select, update
from sqlmodel import Session, SQLModel

from engine.admin.published_figures import list_published
from engine.assignments import lifecycle
from engine.assignments.chasing import drafts_waiting
from engine.assignments.handover import agencies_with_work_left
from engine.assignments.lifecycle import ReportText
from engine.assignments.told import agency_names, issuers_of_plans, last_of_all
from engine.assignments.weekly_digest import week_of
from engine.plans.closing import plans_to_end
from engine.queries.directory import agency_choices, enquiries_of_plan
from engine.queries.figures.board import board, promised_counts
from engine.queries.figures.grid import grid
from engine.queries.figures.outlook import (
    Selection,
    behind_of_each,
    due_and_done,
    next_chase,
    next_dates,
    standing_still,
)
from engine.queries.figures.plan_progress import standings
from engine.queries.figures.plans import list_plans, plan_page
from engine.queries.figures.year import letters_by_week, periods_to_open, told_to_departments, work_of_year, year_of
from engine.queries.filter_choices import active_plans, department_choices, kind_choices, plan_choices
from engine.queries.kept import KeptAnswers
from engine.queries.system.letters import LetterFilter, count_kept, letters_by_day
from engine.queries.time_class import Today, read_day
from engine.queries.work.assignments import AssignmentFilter, Promised, list_assignments
from engine.queries.work.conduct import conduct
from engine.queries.work.desk import desk
from engine.queries.work.overdue import how_many_overdue, overdue, telephones
from engine.queries.work.promises import reasons_counted
from engine.queries.work.todo import todo, waiting_counts, waiting_lines
from engine.store import data_versions
from engine.store.data_versions import (
    BY_AGENCY,
    TOPICS,
    TOPICS_OF,
    Topic,
    depends_on,
    read_topics,
    read_versions,
    topics_written,
)
from engine.store.database import Database, insert_new, table, update_rows
from engine.store.records import Agency, Assignment, Letter, Notice, Plan
from engine.terms import LetterState, Waiting
from workflows.run import passes

WANTED = (
    AssignmentFilter(),
    AssignmentFilter(plan_id=1),
    AssignmentFilter(kind="huyen", department="so-chinh", supervisor_id="so-chinh", promised=Promised.PAST),
    AssignmentFilter(citation="IV.1.1", period="2021-H1"),
    AssignmentFilter(past=False),
)
ASKED: dict[Callable[..., Any], Callable[[Today], list[tuple[Any, ...]]]] = {
    board: lambda today: [(today, each) for each in WANTED],
    promised_counts: lambda today: [(today, each) for each in WANTED],
    todo: lambda today: [(today, each) for each in WANTED],
    waiting_lines: lambda today: [(today, each) for each in WANTED],
    waiting_counts: lambda today: [(today, each) for each in WANTED],
    overdue: lambda today: [(today, each) for each in WANTED],
    telephones: lambda today: [(today.day, ("so-chinh", "huyen-a"))],
    how_many_overdue: lambda today: [(today, each) for each in WANTED],
    conduct: lambda today: [(today, each) for each in WANTED],
    reasons_counted: lambda today: [(today, each) for each in WANTED],
    letters_by_week: lambda today: [(2021,)],
    standing_still: lambda today: [(today, Selection())],
    due_and_done: lambda today: [(today.day, Selection())],
    next_dates: lambda today: [(today, Selection())],
    next_chase: lambda today: [(today, Selection()), (today, Selection(), "so-chinh")],
    grid: lambda today: [(today, WANTED[1])],
    desk: lambda today: [(today, "so-chinh")],
    drafts_waiting: lambda today: [(today.day,)],
    standings: lambda today: [((today.day, today.day - timedelta(7)),)],
    year_of: lambda today: [(today, 2021)],
    periods_to_open: lambda today: [(today, date(2022, 1, 2), (1,), frozenset())],
    work_of_year: lambda today: [(today, 2021), (today, 2021, 1)],
    told_to_departments: lambda today: [(today, date(2022, 1, 2))],
    list_plans: lambda today: [(today,)],
    plan_page: lambda today: [(today, 1)],
    letters_by_day: lambda today: [(LetterFilter(),), (LetterFilter(within=frozenset({"so-chinh"})),)],
    list_published: lambda today: [(), (1,)],
    read_day: lambda today: [(today.day,)],
    department_choices: lambda today: [()],
    plan_choices: lambda today: [(), (1,)],
    kind_choices: lambda today: [(today.day,), (today.day, 1)],
    count_kept: lambda today: [(today.day,)],
    plans_to_end: lambda today: [(today.day,), (date(2023, 3, 1),)],
    agencies_with_work_left: lambda today: [(today.day,)],
    active_plans: lambda today: [()],
    issuers_of_plans: lambda today: [()],
    agency_names: lambda today: [()],
    last_of_all: lambda today: [(week_of(today.day),)],
    list_assignments: lambda today: [(today, each) for each in (*WANTED, AssignmentFilter(waiting=Waiting.DECLINED))],
    agency_choices: lambda today: [(), (1,)],
    enquiries_of_plan: lambda today: [(today.day, None), (today.day, 1)],
}
TABLES = sorted(SQLModel.metadata.tables)


def test_every_table_has_its_topic_or_is_named_as_having_none() -> None:
    assert sorted(TOPICS) == TABLES


def test_every_query_that_may_be_kept_is_asked_here() -> None:
    assert TOPICS_OF.keys() - BY_AGENCY == ASKED.keys()  # those by agency are asked in test_kept_by_agency.py


@pytest.mark.parametrize("query", ASKED, ids=lambda query: query.__name__)
def test_a_query_reads_no_table_of_a_topic_it_does_not_name(laid: Laid, query: Any, counting: Any) -> None:
    with looking(laid.database) as (session, today), counting(laid.database) as sent:
        answers = [query(session, *arguments) for arguments in ASKED[query](today)]
    read = frozenset[Topic | None]().union(*map(read_topics, sent))
    assert read
    assert read <= TOPICS_OF[query]
    assert pickle.loads(pickle.dumps(answers)) is not None


def test_a_write_to_any_table_with_rows_changes_the_version_of_its_topic_alone(fresh: Laid) -> None:
    seen = set()
    for name in TABLES:
        t = SQLModel.metadata.tables[name]
        column = next(each for each in t.c if not each.primary_key)
        before = _versions(fresh.database)
        with fresh.database.write() as session:
            written = session.connection().execute(update(t).values({column: column})).rowcount
        after = _versions(fresh.database)
        topics = set(topics_written(name)) if written else set()
        assert {each for each in Topic if before[each] != after[each]} == topics
        seen |= topics
    assert seen >= set(Topic) - {Topic.CALENDAR, Topic.ACCOUNTS}


def test_a_write_that_meets_no_row_and_a_tick_with_nothing_to_do_change_no_version(fresh: Laid) -> None:
    for now in (NOW, NOW + timedelta(minutes=1)):
        before = _versions(fresh.database)
        asyncio.run(passes.tick(fresh.database, now, post_office()))
    with fresh.database.write() as session:
        session.connection().execute(update(table(Plan)).where(false()).values(short_title="Khác"))
    assert _versions(fresh.database) == before


def test_rows_written_in_bulk_and_as_objects_change_it_too(laid: Laid, fresh: Laid) -> None:
    agency = {"id": "so-moi", "name": "So moi", "short": "", "aliases": [], "level": "so", "code": "9", "names": []}
    seen = [_versions(fresh.database)[Topic.DIRECTORY]]
    for write in (
        lambda session: insert_new(session, Agency, [agency]),
        lambda session: update_rows(session, Agency, [{"name": "So khac", "id": "so-moi"}]),
        lambda session: setattr(session.get(Agency, "so-moi"), "name", "So nua"),
    ):
        with fresh.database.write() as session:
            write(session)
        seen.append(_versions(fresh.database)[Topic.DIRECTORY])
    assert len(set(seen)) == 4


def test_a_write_that_fails_and_a_rehearsal_change_no_version(fresh: Laid) -> None:
    before = _versions(fresh.database)
    with fresh.database.rehearse() as session:
        session.connection().execute(update(table(Plan)).values(short_title="Khác"))
    assert _versions(fresh.database) == before


def test_a_statement_is_known_by_the_table_it_writes_and_not_by_those_it_reads(fresh: Laid) -> None:
    letter, notice, assignment = table(Letter), table(Notice), table(Assignment)
    told_of = letter.c.id.in_(select(notice.c.letter_id))
    with fresh.database.write() as session:
        session.connection().execute(select(assignment).with_for_update()).all()
        session.connection().execute(update(letter).where(told_of).values(state=LetterState.QUEUED))
        written = session.info[data_versions.WRITTEN]
        assert set(written.topics) == {Topic.LETTERS}


def test_what_a_pass_notes_of_its_reminders_is_a_topic_of_its_own(fresh: Laid) -> None:
    """Else the board would be read again after each."""
    one = rows(fresh.database, Assignment)[0]
    for values, topics in (
        ({"acted_until": NOW.date(), "quiet": None}, {Topic.REMINDERS}),
        ({"acted_until": NOW.date(), "due_on": NOW.date()}, {Topic.REMINDERS, Topic.WORK}),
    ):
        before = _versions(fresh.database)
        with fresh.database.write() as session:
            update_rows(session, Assignment, [values | {"id": one.id}])
        after = _versions(fresh.database)
        assert {each for each in Topic if before[each] != after[each]} == topics


def test_only_the_store_writes_by_text() -> None:
    """What ``Database.write`` cannot see changes no version."""
    raw = re.compile(r'(?:exec_driver_sql|\btext)\(\s*f?"(?:INSERT|UPDATE|DELETE)', re.IGNORECASE)
    found = {
        path.relative_to(ROOT).as_posix()
        for package in ("engine", "notifications", "workflows")
        for path in (ROOT / package).rglob("*.py")
        if "migrations" not in path.parts and raw.search(path.read_text(encoding="utf8"))
    }
    assert found == {"engine/store/data_versions.py", "engine/store/database.py"}


def test_letters_that_are_sent_and_settled_do_not_make_board_and_standing_read_again(fresh: Laid) -> None:
    add_letters(fresh, 3)
    with fresh.database.write() as session:
        session.connection().execute(update(table(Letter)).values(state=LetterState.QUEUED, send_after=NOW))
    before = _versions(fresh.database)
    asyncio.run(passes.deliver(fresh.database, NOW, post_office()))
    after = _versions(fresh.database)
    changed = {each for each in Topic if before[each] != after[each]}
    assert Topic.LETTERS in changed
    for query in (board, standings, behind_of_each, due_and_done, grid):
        assert not changed & TOPICS_OF[query]


def test_an_answer_is_read_once_until_a_topic_changes(fresh: Laid, counting: Any) -> None:
    kept = KeptAnswers()

    def ask() -> tuple[object, int]:
        with looking(fresh.database) as (session, today), counting(fresh.database) as sent:
            return kept.ask(session, board, today, AssignmentFilter()), len(sent)

    first, _ = ask()
    again, statements = ask()
    assert again is first
    assert statements == 1  # the versions
    with fresh.database.write() as session:
        lifecycle.report(session, fresh.assignment("IV.2.1", "huyen-b"), ReportText(), actor="contact:1", now=NOW)
    changed, _ = ask()
    assert changed != first


def test_what_is_kept_of_a_day_is_not_given_on_another(fresh: Laid) -> None:
    kept = KeptAnswers()
    found = []
    for day in (at("2021-06-01"), NOW):
        with looking(fresh.database, day) as (session, today):
            found.append(kept.ask(session, board, today, AssignmentFilter()).total.overdue)
    assert found[0] < found[1]


asked: list[int] = []
going = Event()


@depends_on(Topic.WORK)
def slow(session: Session, n: int) -> str:
    asked.append(n)
    going.wait(10)
    return "x" * n


del TOPICS_OF[slow]


@pytest.fixture
def slow_query(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setitem(TOPICS_OF, slow, frozenset({Topic.WORK}))
    asked.clear()
    going.clear()
    return slow


def test_of_those_who_ask_at_once_one_reads(lived: Database, slow_query: Any) -> None:
    kept, together = KeptAnswers(), Barrier(6)

    def ask() -> str:
        with lived.read() as session:
            together.wait(10)
            return str(kept.ask(session, slow_query, 5))

    with ThreadPoolExecutor(6) as readers:
        answers = [readers.submit(ask) for _ in range(6)]
        going.set()
        assert {each.result(20) for each in answers} == {"xxxxx"}
    assert asked == [5]


def test_what_is_kept_is_bounded_in_bytes_and_goes_by_its_last_use(lived: Database, slow_query: Any) -> None:
    kept = KeptAnswers(most_bytes=20_000)
    going.set()
    for n in (1_000, 2_000, 1_000, 3_000, 1_000, 2_000, 9_000, 9_000, 1_000):
        with lived.read() as session:
            assert len(kept.ask(session, slow_query, n)) == n
    assert asked == [1_000, 2_000, 3_000, 2_000, 9_000, 9_000]


def test_an_error_is_nobodys_answer(lived: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(session: Session) -> None:
        raise ZeroDivisionError

    monkeypatch.setitem(TOPICS_OF, fails, frozenset({Topic.WORK}))
    kept = KeptAnswers()
    for _ in range(2):
        with lived.read() as session, pytest.raises(ZeroDivisionError):
            kept.ask(session, fails)


# --- pages: one reader has them kept, somebody acts, another reads ---------------------------------------------


PAGES = (
    "/",
    "/overdue",
    "/queue",
    "/leadership",
    "/year?year=2021",
    "/plans",
    "/api/v1/board",
    "/api/v1/overdue",
    "/api/v1/plans",
)


def _by_another_process(office: Office, laid: Laid) -> None:
    with Database(laid.database.url.render_as_string(hide_password=False)).write() as session:
        lifecycle.report(session, laid.assignment("IV.2.1", "huyen-b"), ReportText(), actor="contact:1", now=NOW)


def _by_page(office: Office, laid: Laid) -> None:
    duty = laid.assignment("IV.2.1", "huyen-b")
    sent = office.post(f"/assignments/{duty}/cancel", reason="Trùng nhiệm vụ.")
    assert sent.status_code < 400, sent.text[:500]


def _by_api(office: Office, laid: Laid) -> None:
    duty = laid.assignment("IV.2.1", "huyen-b")
    answer = office.client.post(f"/api/v1/assignments/{duty}/cancel", json={"reason": "Trùng nhiệm vụ."})
    assert answer.status_code < 400, answer.text[:500]


def _by_a_new_plan(office: Office, laid: Laid) -> None:
    begin(store(laid.database, now=OPENED, plan=plan_file(number="30/KH-UBND", sms_name="KH30")), now=OPENED)


@pytest.mark.parametrize(
    "act", [_by_another_process, _by_page, _by_api, _by_a_new_plan], ids=lambda act: act.__name__.strip("_")
)
def test_after_any_act_the_next_reader_sees_what_a_new_process_would_show(
    fresh: Laid, tmp_path: Path, act: Callable[[Office, Laid], None]
) -> None:
    office = open_office(fresh.database, tmp_path)
    before = {page: _plain(office, page) for page in PAGES}
    assert before == {page: _plain(office, page) for page in PAGES}
    act(office, fresh)
    after = {page: _plain(office, page) for page in PAGES}
    new = open_office(fresh.database, tmp_path)
    assert after == {page: _plain(new, page) for page in PAGES}
    assert before["/"] != after["/"]


def test_nothing_is_kept_across_a_change_of_permission(lived: Database, tmp_path: Path) -> None:
    administrator = as_role(lived, tmp_path, "administrator", "tinh")
    assert administrator.get("/leadership").status_code == 200
    owner = as_role(lived, tmp_path, "coordinator", "huyen-b")
    owner.client._transport = administrator.client._transport
    assert owner.get("/leadership").status_code == 403


def _versions(database: Database) -> Any:
    with database.read() as session:
        return read_versions(session)


def _plain(office: Office, page: str) -> str:
    """A page without its form tokens."""
    answer = office.get(page)
    assert answer.status_code == 200
    return re.sub(r'name="token" value="[^"]*"', "", answer.text)
