"""Of a kept answer by agency only the agencies are read again whose work has changed, and it is then what a new process
would read."""

from __future__ import annotations

import pickle
import random
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from ground.factory import Laid, begin, real_plan
from ground.office import Office, contact_of, letter_of, looking, open_office
from httpx import Response
from sqlalchemy import select, update
from sqlmodel import Session, SQLModel

from engine.accounts.signed_links import Purpose
from engine.assignments import lifecycle, promises
from engine.assignments.lifecycle import ReportText
from engine.assignments.promise_rows import PromiseText
from engine.correspondence import entries
from engine.correspondence.entries import NewEntry
from engine.errors import DondocError
from engine.plans.closing import end
from engine.queries import kept as kept_module
from engine.queries.figures.board import board, cells_of_each
from engine.queries.figures.outlook import (
    Selection,
    behind_of_each,
    chased_on,
    dues_of_each,
    next_dates,
)
from engine.queries.figures.plan_progress import cells_on, standings
from engine.queries.figures.year import dues_by_week, ladders_of_each, work_of_year
from engine.queries.kept import KeptAnswers
from engine.queries.time_class import Today
from engine.queries.work.assignments import AssignmentFilter, list_assignments, tasks_of_each
from engine.queries.work.conduct import conduct, times_of_each, times_of_one, words_of_each
from engine.queries.work.desk import desk, owed_by, sections_of
from engine.queries.work.overdue import (
    late_contacts,
    late_of_each,
    late_periods,
    late_rows,
    overdue,
    unheard_of_each,
)
from engine.queries.work.promises import causes_of_each, reasons_counted
from engine.queries.work.reports_to_accept import waiting_of_each
from engine.queries.work.todo import todo
from engine.store import data_versions
from engine.store.data_versions import (
    BY_AGENCY,
    TOPICS_OF,
    Topic,
    about,
    about_agency,
    changed_agencies,
    read_topics,
    read_versions,
)
from engine.store.database import Database, table
from engine.store.records import Agency, Assignment, Plan
from engine.terms import EntryKind, Outcome, Waiting

START = datetime.fromisoformat("2021-06-10T02:00:00+00:00")
WANTED = (
    AssignmentFilter(),
    AssignmentFilter(kind="huyen"),
    AssignmentFilter(plan_id=1),
    AssignmentFilter(agency_id="ubnd-huyen-ky-son"),
    AssignmentFilter(past=False),
)
SELECTED = (Selection(), Selection(1), Selection(period="2021-H1"), Selection(without=(77,)))
OF_PLANS = ((None, ()), (None, (77,)), (1, ()))
AGENCY = "ubnd-huyen-ky-son"
OWN = AssignmentFilter(agency_id=AGENCY)
SHOWN = ("cong-an-tinh", "so-ldtbxh", AGENCY)
DAYS = (date(2021, 6, 3), date(2021, 6, 11), date(2021, 6, 14))
ASKED: dict[Callable[..., Any], Callable[[Today], list[tuple[Any, ...]]]] = {
    cells_of_each: lambda today: [(today, each) for each in WANTED],
    cells_on: lambda today: [(day, plan, without) for day in (today.day, *DAYS) for plan, without in OF_PLANS],
    behind_of_each: lambda today: [(today, each) for each in SELECTED],
    dues_of_each: lambda today: [(today.day, each) for each in (*SELECTED, Selection(1, "2021-H1"))],
    chased_on: lambda today: [(today, each, today.day + timedelta(5)) for each in SELECTED],
    dues_by_week: lambda today: [(2021, None), (2021, 1)],
    ladders_of_each: lambda today: [(today, date(2021, 12, 31), None), (today, date(2021, 12, 31), 1)],
    tasks_of_each: lambda today: [(today,)],
    waiting_of_each: lambda today: [(today, replace(each, waiting=Waiting.ACCEPT)) for each in WANTED],
    late_periods: lambda today: [(today, each) for each in WANTED],
    unheard_of_each: lambda today: [(today, each) for each in WANTED],
    late_of_each: lambda today: [(today.day,)],
    late_rows: lambda today: [(today, each, SHOWN) for each in WANTED],
    late_contacts: lambda today: [(today, each, SHOWN) for each in WANTED],
    words_of_each: lambda today: [(today, each) for each in WANTED],
    times_of_each: lambda today: [(today, each, 100) for each in WANTED],
    times_of_one: lambda today: [(today, OWN)],
    causes_of_each: lambda today: [(today, each) for each in WANTED],
    sections_of: lambda today: [(today, OWN)],
    owed_by: lambda today: [(AGENCY,)],
}
MADE_OF_THEM: dict[Callable[..., Any], Callable[[Today], list[tuple[Any, ...]]]] = {
    board: lambda today: [(today, AssignmentFilter()), (today, AssignmentFilter(period="2021-H1"))],
    standings: lambda today: [((today.day, today.day - timedelta(7)),)],
    next_dates: lambda today: [(today, each) for each in SELECTED],
    work_of_year: lambda today: [(today, 2021)],
    todo: lambda today: [(today, each) for each in WANTED],
    overdue: lambda today: [(today, each) for each in WANTED],
    conduct: lambda today: [(today, each) for each in WANTED],
    reasons_counted: lambda today: [(today, AssignmentFilter())],
    desk: lambda today: [(today, AGENCY)],
    list_assignments: lambda today: [(today, AssignmentFilter())],
}
TABLES = set(SQLModel.metadata.tables)


def test_every_query_by_agency_is_asked_here() -> None:
    assert ASKED.keys() == BY_AGENCY


@pytest.mark.parametrize("query", ASKED, ids=lambda query: query.__name__)
def test_it_reads_no_table_of_a_topic_it_does_not_name_and_of_some_agencies_what_it_reads_of_all(
    lived: Database, query: Any, counting: Any
) -> None:
    with looking(lived) as (session, today):
        for arguments in ASKED[query](today):
            arguments = _here(arguments)
            with counting(lived) as sent:
                of_all = query(session, *arguments)
            assert frozenset[Topic | None]().union(*map(read_topics, sent)) <= TOPICS_OF[query]
            assert pickle.loads(pickle.dumps(of_all)) == of_all
            for agencies in (frozenset(list(of_all)[:1]), frozenset({"huyen-b", "mat-tran"}), frozenset({"nobody"})):
                of_some = query(session, *arguments, agencies=agencies)
                assert of_some == {each: of_all[each] for each in of_all if each in agencies}


def _here(arguments: tuple[Any, ...]) -> tuple[Any, ...]:
    """Of the small plan's agencies."""
    known = {AGENCY: "huyen-b", SHOWN: ("huyen-a", "huyen-b", "so-ban")}
    found = (replace(each, agency_id="huyen-b") if each == OWN else each for each in arguments)
    return tuple(known.get(each, each) if isinstance(each, str | tuple) else each for each in found)


@pytest.fixture
def laid(database: Database) -> Laid:
    return begin(real_plan(database, now=START), now=START)


@pytest.fixture
def whole(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """For each time that one was brought up to date: whether it was read whole."""
    found: list[bool] = []

    def changed(*given: Any) -> Any:
        found.append((agencies := changed_agencies(*given)) is None)
        return agencies

    monkeypatch.setattr(kept_module, "changed_agencies", changed)
    return found


def answers(kept: KeptAnswers, database: Database, now: datetime) -> list[Any]:
    """By name, in no order of agencies."""
    found = []
    with looking(database, now) as (session, today):
        for query, asked in (ASKED | MADE_OF_THEM).items():
            for arguments in asked(today):
                answer = kept.ask(session, query, *arguments)
                found.append((query.__name__, arguments[1:], answer))
    return found


def act(session: Session, choose: random.Random, ids: list[int], now: datetime) -> None:
    one = choose.choice(ids)
    by: dict[str, Any] = {"actor": "contact:1", "now": now}
    promise = PromiseText(on=date(2021, 6, choose.randrange(12, 29)), reason="Chờ kinh phí.")
    match choose.randrange(10):
        case 0 | 1:
            lifecycle.report(session, one, ReportText(), **by)
        case 2:
            text = ReportText(outcome=Outcome.NOT_YET, reason="Chờ kinh phí.", promise=promise)
            lifecycle.report(session, one, text, **by)
        case 3:
            lifecycle.return_report(session, one, reason="Thiếu số liệu.", **by)
        case 4:
            lifecycle.cancel(session, one, reason="Trùng nhiệm vụ.", **by)
        case 5:
            lifecycle.transfer(session, one, to_agency="ubnd-huyen-ky-son", reason="Chuyển địa bàn.", **by)
        case 6:
            lifecycle.accept(session, one, reason="Đủ.", **by)
        case 7:
            promises.make_promise(session, one, promise, "thread", **by)
        case 8:
            entries.write(session, one, NewEntry(EntryKind.DIFFICULTY, f"Khó {now}."), **by)
        case _:
            lifecycle.acknowledge(session, one, **by)


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.deep) for seed in (1, 2))])
def test_after_any_acts_it_is_what_a_new_process_reads(laid: Laid, whole: list[bool], seed: int) -> None:
    choose, kept, now = random.Random(seed), KeptAnswers(), START
    with laid.database.read() as session:
        ids = list(session.connection().scalars(select(table(Assignment).c.id)))
    answers(kept, laid.database, now)
    done = 0
    for _ in range(40):
        now += timedelta(hours=6)
        with laid.database.write() as session:
            for _ in range(choose.randrange(1, 3)):
                with suppress(DondocError), session.begin_nested():  # not in this state
                    act(session, choose, ids, now)
                    done += 1
        assert answers(kept, laid.database, now) == answers(KeptAnswers(), laid.database, now)
    assert done > 20
    assert whole.count(False) > 100 * whole.count(True)  # some answers are of a day that is asked for again days later


def test_the_end_of_a_plan_and_a_new_name_are_read_whole(laid: Laid, whole: list[bool]) -> None:
    kept, now = KeptAnswers(), START
    answers(kept, laid.database, now)
    with laid.database.write() as session:
        named = update(table(Agency)).where(table(Agency).c.id == AGENCY)
        session.connection().execute(named.values(name="Tên mới"))
    assert answers(kept, laid.database, now) == answers(KeptAnswers(), laid.database, now)
    with laid.database.write() as session:
        end(session, laid.plan_id, reason="Hết hiệu lực.", actor="account:1", now=now)
    assert answers(kept, laid.database, now) == answers(KeptAnswers(), laid.database, now)
    assert True in whole


# --- whose work a change is about -------------------------------------------------------------------------------


def changed_by(database: Database, *writes: Callable[[Session], object]) -> Any:
    """Whose work changes in these transactions, one after the other."""
    with database.read() as session:
        before = read_versions(session)
    for write in writes:
        with database.write() as session:
            write(session)
    with database.read() as session:
        topics = {topic: before[topic] for topic in (Topic.WORK, Topic.LOG, Topic.PLANS)}
        return changed_agencies(session, topics, read_versions(session))


def acknowledging(laid: Laid, agency: str) -> Callable[[Session], object]:
    a = table(Assignment)
    with laid.database.read() as session:
        one = session.connection().scalars(select(a.c.id).where(a.c.agency_id == agency)).first()
    assert one is not None
    return lambda session: lifecycle.acknowledge(session, one, actor="contact:1", now=START)


def rename_plan(session: Session) -> None:
    session.connection().execute(update(table(Plan)).values(short_title="Khác"))


def test_an_act_of_one_agency_is_about_its_work_alone(laid: Laid) -> None:
    first, second = acknowledging(laid, "cong-an-tinh"), acknowledging(laid, AGENCY)
    assert changed_by(laid.database) == frozenset()
    assert changed_by(laid.database, first) == {"cong-an-tinh"}
    assert changed_by(laid.database, second, rename_plan) is None


def test_what_is_written_outside_of_an_act_is_about_anybodys(laid: Laid) -> None:
    one = acknowledging(laid, "cong-an-tinh")

    def with_a_hand(session: Session) -> None:
        one(session)
        session.connection().execute(update(table(Assignment)).values(level=table(Assignment).c.level))

    assert changed_by(laid.database, with_a_hand) is None


def test_an_act_that_names_nobody_is_about_anybodys(laid: Laid) -> None:
    def act(session: Session) -> None:
        with about(session):
            rename_plan(session)

    assert changed_by(laid.database, act) is None


def test_within_an_act_the_innermost_says_whose_work_it_is(laid: Laid) -> None:
    def acting(session: Session) -> None:
        with about(session, "a"):
            with about(session, "b"):
                rename_plan(session)
                about_agency(session, ["c"])
            about_agency(session, ["d"])
            session.connection().execute(update(table(Assignment)).values(level=table(Assignment).c.level))

    assert changed_by(laid.database, acting) == {"a", "b", "c", "d"}


def test_of_too_many_agencies_nothing_is_told(laid: Laid) -> None:
    def acting(session: Session) -> None:
        with about(session, *[f"xa-{n}" for n in range(41)]):
            rename_plan(session)

    assert changed_by(laid.database, acting) is None


def test_what_happened_too_long_ago_is_not_told_any_more(laid: Laid, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(data_versions, "SLOTS", 1)

    def acting(session: Session) -> None:
        with about(session, "so-ldtbxh"):
            rename_plan(session)

    monkeypatch.setattr(data_versions, "MOST_ROWS", 20)
    assert changed_by(laid.database, *[acting] * 20) == {"so-ldtbxh"}
    assert changed_by(laid.database, *[acting] * 21) is None


def test_what_was_forgotten_is_about_anybodys(laid: Laid, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(data_versions, "SLOTS", 1)
    monkeypatch.setattr(data_versions, "KEPT_ROWS", 2)

    def acting(session: Session) -> None:
        with about(session, "so-ldtbxh"):
            rename_plan(session)

    assert changed_by(laid.database, acting, acting, data_versions.forget_old_changes) == {"so-ldtbxh"}
    assert changed_by(laid.database, acting, acting, acting, data_versions.forget_old_changes) is None


def test_changes_about_anybodys_work_of_another_topic_do_not_hide_whose_work_it_was(laid: Laid) -> None:
    """Ten thousand letters leave, and what was told of the work stays."""
    one = acknowledging(laid, AGENCY)

    def settling(session: Session) -> None:
        session.connection().execute(update(table(Agency)).values(short=table(Agency).c.short))

    assert changed_by(laid.database, one, *[settling] * 30) == {AGENCY}


def test_what_the_program_before_this_one_wrote_is_about_anybodys(laid: Laid, monkeypatch: pytest.MonkeyPatch) -> None:
    """It gives new versions and tells nothing."""
    monkeypatch.setattr(data_versions, "SLOTS", 1)

    def acting(session: Session) -> None:
        with about(session, "so-ldtbxh"):
            rename_plan(session)

    def before(session: Session) -> None:
        statement = (
            "INSERT INTO data_version (slot, plans) VALUES (0, '0123456789abcdef') ON CONFLICT (slot) DO UPDATE "
        )
        session.connection().exec_driver_sql(statement + "SET plans = excluded.plans")

    assert changed_by(laid.database, acting) == {"so-ldtbxh"}
    assert changed_by(laid.database, before) is None
    assert changed_by(laid.database, acting) == {"so-ldtbxh"}
    assert changed_by(laid.database, acting, before, acting) is None


# --- through the doors that people use ------------------------------------------------------------------------------


def by_report_page(office: Office, laid: Laid) -> Response:
    duty = laid.assignment("IV.2.1", "huyen-b")
    fields = {f"outcome-{duty}": "done", f"body-{duty}": "Đã xong."}
    return office.post(f"/report/huyen-b/{laid.plan_id}/2021-H1", page="/report/huyen-b/1/2021-H1", **fields)


def by_report_link(office: Office, laid: Laid) -> Response:
    path = office.link(Purpose.REPORT, contact_of(laid.database, "huyen-b"), f"{laid.plan_id}:2021-H1")
    duty = laid.assignment("IV.2.1", "huyen-b")
    fields = {f"outcome-{duty}": "not_yet", f"body-{duty}": "Chưa.", f"reason-{duty}": "Chờ số liệu."}
    return office.post(path, page=path, **fields)


def by_acknowledging_link(office: Office, laid: Laid) -> Response:
    contact = contact_of(laid.database, "huyen-b")
    path = office.link(Purpose.ACKNOWLEDGE, contact, str(letter_of(laid.database, contact)))
    return office.post(path, page=path)


def by_saving_a_draft(office: Office, laid: Laid) -> Response:
    duty = laid.assignment("IV.2.1", "huyen-b")
    page = f"/report/huyen-b/{laid.plan_id}/2021-H1"
    return office.post(page, page=page, **{f"body-{duty}": "Đang làm.", "act": "draft"})


def by_cancelling(office: Office, laid: Laid) -> Response:
    return office.post(f"/assignments/{laid.assignment('IV.2.1', 'huyen-b')}/cancel", reason="Trùng nhiệm vụ.")


@pytest.mark.parametrize(
    "act",
    [by_report_page, by_report_link, by_acknowledging_link, by_saving_a_draft, by_cancelling],
    ids=lambda act: act.__name__,
)
def test_what_an_agency_does_is_about_its_work_alone(
    fresh: Laid, tmp_path: Path, act: Callable[[Office, Laid], Response]
) -> None:
    office = open_office(fresh.database, tmp_path)

    def acting(_: Session) -> None:
        answer = act(office, fresh)
        assert answer.status_code in (200, 303), answer.text

    changed = changed_by(fresh.database, acting)
    assert changed is not None
    assert changed <= {"huyen-b", "so-chinh"}
