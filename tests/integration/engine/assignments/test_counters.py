"""The board's tally is at every moment what counting every assignment would give, whoever writes and whenever."""

from __future__ import annotations

import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date

import pytest
from ground.databases import closing_database
from ground.factory import Laid, at, bring_to, do, lay, plan_file, row, rows
from sqlalchemy import delete

from engine.application.daily_cleanup import run_daily_cleanup
from engine.assignments import counters, lifecycle
from engine.assignments.calendar_change import Change, apply
from engine.assignments.lifecycle import Action, ReportText
from engine.assignments.measures import Boxes
from engine.errors import DondocError
from engine.plans.amendments import Amendment, NewDuty, add_duty, amend_duty
from engine.plans.closing import end
from engine.queries.figures.board import board
from engine.queries.figures.plan_progress import standings
from engine.queries.time_class import read_today
from engine.queries.work.assignments import AssignmentFilter
from engine.rules.calendar import ONE_DAY, DayException, DayKind
from engine.store.database import Database, table
from engine.store.records import Assignment, Duty, Event, Tally, TallyChange
from engine.terms import OPEN_STATES, EventKind, Outcome, State, TimeClass

NOW = at("2021-06-10")
LATE = at("2021-06-22")


@pytest.fixture
def laid(database: Database) -> Laid:
    return lay(database, now=at("2021-04-07"))


def wrong(database: Database) -> int:
    with database.read() as session:
        return counters.count_mismatches(session)


def test_opening_counts_what_it_opens_once(laid: Laid) -> None:
    assert wrong(laid.database) == 0
    with laid.database.read() as session:
        found = board(session, read_today(session, NOW), AssignmentFilter())
        assert found.total.expected + found.asked_total.expected == len(rows(laid.database, Assignment)) > 0


@pytest.mark.parametrize("state", list(State))
def test_every_way_into_every_state_is_counted(laid: Laid, state: State) -> None:
    bring_to(laid.database, state, laid.assignment("IV.1.1", "so-ban"), now=LATE)
    assert wrong(laid.database) == 0


def test_whatever_is_done_in_whatever_order_the_tally_holds(laid: Laid) -> None:
    chance = random.Random(188)
    ids = [each.id for each in rows(laid.database, Assignment)]
    done = set()
    for _ in range(60):
        action = chance.choice(list(Action))
        try:
            do(laid.database, action, chance.choice(ids), now=chance.choice([NOW, LATE]))
            done.add(action)
        except DondocError:
            continue
        assert wrong(laid.database) == 0
    assert len(done) > 3


@pytest.mark.parametrize("outcome", list(Outcome))
def test_what_a_report_says_of_the_task_is_counted_and_so_is_the_report_after_it(laid: Laid, outcome: Outcome) -> None:
    task = laid.assignment("IV.1.1", "so-ban")
    for day in (NOW, LATE):
        said = ReportText(outcome=outcome if day is NOW else Outcome.DONE, reason="Chờ kinh phí.")
        if outcome is Outcome.DONE and day is LATE:
            do(laid.database, Action.RETURN, task, now=day)
        with laid.database.write() as session:
            lifecycle.report(session, task, said, actor="contact:1", now=day)
        assert wrong(laid.database) == 0
    with laid.database.read() as session:
        found = board(session, read_today(session, LATE), AssignmentFilter(agency_id="so-ban")).total
    assert (found.reported, found.measures.on_time, found.done) == (1, 1, 1)
    late = outcome is not Outcome.DONE  # a corrected report is judged by its resubmission date
    assert found.by_class == {TimeClass.DONE_LATE if late else TimeClass.DONE_ON_TIME: 1}


def test_an_extension_and_a_changed_calendar_move_what_is_counted(laid: Laid) -> None:
    asked = laid.assignment("IV.1.1", "so-ban")
    with laid.database.write() as session:
        extension = lifecycle.ask_extension(
            session, asked, until=date(2021, 6, 28), reason="Chờ số liệu.", actor="contact:1", now=NOW
        )
        lifecycle.decide_extension(session, extension, granted=True, actor="cli:test", now=NOW)
        closed = DayException(day=date(2021, 6, 17), kind=DayKind.HOLIDAY, name="Nghỉ")
        apply(session, Change((closed,)), actor="cli:test", now=NOW)
    assert wrong(laid.database) == 0
    assert row(laid.database, Assignment, id=asked).due_on == date(2021, 6, 28)


def test_duties_that_are_added_and_amended_are_counted(laid: Laid) -> None:
    new = NewDuty(text="Báo cáo nhanh.", owners=("so-ban", "cac-huyen"), due=date(2021, 6, 25), basis="12/CV")
    with laid.database.write() as session:
        added = add_duty(session, laid.plan_id, new, actor="cli:test", now=NOW)
        amend_duty(session, added, Amendment(basis="13/CV", owners=("so-ban", "mat-tran")), actor="cli:test", now=NOW)
        first = row(laid.database, Duty, citation="IV.1.1")
        due = {"2021-H1": date(2021, 6, 30)}
        amend_duty(session, first.id, Amendment(basis="14/CV", due=due), actor="cli:test", now=NOW)
    assert wrong(laid.database) == 0


def test_a_plan_that_ended_is_counted_no_more_whatever_comes_in_later(laid: Laid) -> None:
    other = lay(laid.database, now=at("2021-04-07"), plan=plan_file(number="13/KH-UBND", sms_name="KH13"))
    late = laid.assignment("IV.1.1", "so-ban")
    with laid.database.write() as session:
        end(session, laid.plan_id, reason="Hết hiệu lực.", actor="cli:test", now=NOW)
    do(laid.database, Action.REPORT, late, now=NOW)
    assert wrong(laid.database) == 0
    with laid.database.read() as session:
        today = read_today(session, NOW)
        assert board(session, today, AssignmentFilter()) == board(
            session, today, AssignmentFilter(plan_id=other.plan_id)
        )


def test_the_board_out_of_the_tally_is_the_board_out_of_the_assignments(laid: Laid) -> None:
    bring_to(laid.database, State.RETURNED, laid.assignment("IV.1.1", "so-ban"), now=LATE)
    bring_to(laid.database, State.ACCEPTED, laid.assignment("IV.2.1", "huyen-a"), now=NOW)
    bring_to(laid.database, State.REPORTED, laid.assignment("IV.2.1", "huyen-b"), now=LATE)
    with laid.database.read() as session:
        for day in (NOW, LATE):
            today = read_today(session, day)
            counter_totals = board(session, today, AssignmentFilter())
            assert counter_totals == board(session, today, AssignmentFilter(plan_id=laid.plan_id))


def test_the_progress_of_any_day_out_of_the_tally_is_that_out_of_the_assignments(laid: Laid) -> None:
    bring_to(laid.database, State.RETURNED, laid.assignment("IV.1.1", "so-ban"), now=LATE)
    bring_to(laid.database, State.ACCEPTED, laid.assignment("IV.2.1", "huyen-a"), now=NOW)
    bring_to(laid.database, State.REPORTED, laid.assignment("IV.2.1", "huyen-b"), now=LATE)
    with laid.database.write() as session:
        counters.recount(session)
        added = NewDuty(
            text="Báo cáo nhanh.", owners=("so-ban", "cac-huyen"), due=date(2021, 6, 12), basis="12/CV"
        )  # due before the others
        add_duty(session, laid.plan_id, added, actor="cli:test", now=NOW)
    days = [date(2021, 4, 1) + ONE_DAY * n for n in range(100)]
    with laid.database.read() as session:
        found = standings(session, days)
        assert found == standings(session, days, plan_id=laid.plan_id)
    totals = [each.total for each in found.days]
    assert totals[0] == Boxes()
    assert len(set(totals)) > 4


def test_the_day_is_told_of_a_miscount_which_is_mended(laid: Laid) -> None:
    with laid.database.write() as session:
        session.connection().execute(delete(table(TallyChange)))
    assert wrong(laid.database) > 0
    with laid.database.write() as session:
        assert run_daily_cleanup(session, NOW)["miscounted"] > 0
    assert wrong(laid.database) == 0
    assert row(laid.database, Event, kind=EventKind.AUDIT_FAILED).detail["finding"] == "tally"


def test_many_changes_are_folded_into_one_count(laid: Laid, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counters, "MAX_PENDING_CHANGES", 3)
    with laid.database.write() as session:
        counters.fold(session)
    assert rows(laid.database, TallyChange) == []
    assert rows(laid.database, Tally) != []
    assert wrong(laid.database) == 0


def test_whoever_changes_the_most_that_may_wait_folds_them_after_committing(
    laid: Laid, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counters, "FOLD_FROM", 4)
    _recount(laid.database)
    chance = random.Random(39)
    ids, most, acted = [each.id for each in rows(laid.database, Assignment)], 0, 0
    with laid.database.read() as session:
        days = read_today(session, LATE)
    for _ in range(60):
        try:
            do(laid.database, chance.choice(list(Action)), chance.choice(ids), now=chance.choice([NOW, LATE]))
        except DondocError:
            continue
        acted += 1
        most = max(most, len(rows(laid.database, TallyChange)))
        assert wrong(laid.database) == 0
        with laid.database.read() as session:
            kept = board(session, days, AssignmentFilter())
            assert kept == board(session, days, AssignmentFilter(plan_id=laid.plan_id))
    assert most < 4 < acted
    assert all(each.n > 0 for each in rows(laid.database, Tally))


def test_changes_of_a_write_that_fails_are_neither_kept_nor_folded(laid: Laid, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counters, "FOLD_FROM", 1)
    before, task = rows(laid.database, TallyChange), laid.assignment("IV.1.1", "so-ban")

    def fail() -> None:
        with laid.database.write() as session:
            lifecycle.report(session, task, ReportText(), actor="contact:1", now=NOW)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert rows(laid.database, TallyChange) == before
    assert wrong(laid.database) == 0


@pytest.fixture
def on_sqlite(sqlite_database: Database) -> Laid:
    return lay(sqlite_database, now=at("2021-04-07"))


def test_what_changes_between_counting_ahead_and_replacing_is_kept(on_sqlite: Laid) -> None:
    database = on_sqlite.database
    with database.read() as session:
        counted = counters.count_ahead(session)
    assert counted is not None
    bring_to(database, State.REPORTED, on_sqlite.assignment("IV.1.1", "so-ban"), now=LATE)
    with database.write() as session:
        assert counters.replace_counters(session, counted)
    assert rows(database, TallyChange) != []
    assert wrong(database) == 0


@pytest.mark.parametrize("between", ["recount", "end", "fold"])
def test_what_was_counted_ahead_of_a_recount_or_a_plans_end_is_not_used(
    on_sqlite: Laid, between: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = on_sqlite.database
    monkeypatch.setattr(counters, "FOLD_FROM", 1)
    with database.read() as session:
        counted = counters.count_ahead(session)
    assert counted is not None
    acts: dict[str, Callable[[], object]] = {
        "recount": lambda: _recount(database),
        "end": lambda: _end(on_sqlite),
        "fold": lambda: do(database, Action.REPORT, on_sqlite.assignment("IV.1.1", "so-ban"), now=LATE),
    }
    acts[between]()
    with database.write() as session:
        assert not counters.replace_counters(session, counted)
    assert wrong(database) == 0


def test_a_miscount_that_was_counted_ahead_is_mended_and_told(on_sqlite: Laid) -> None:
    with on_sqlite.database.write() as session:
        session.connection().execute(delete(table(TallyChange)))
    with on_sqlite.database.read() as session:
        counted = counters.count_ahead(session)
    with on_sqlite.database.write() as session:
        assert run_daily_cleanup(session, NOW, counted)["miscounted"] > 0
    assert wrong(on_sqlite.database) == 0
    assert rows(on_sqlite.database, TallyChange) == []


@pytest.mark.postgres
@pytest.mark.parametrize("fold_from", [1, 5, 1_000])
def test_counting_anew_while_others_report_and_a_plan_ends_loses_nothing(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch, fold_from: int
) -> None:
    monkeypatch.setattr(counters, "FOLD_FROM", fold_from)
    with closing_database(postgres_url) as database:
        plans = [
            lay(database, now=at("2021-04-07"), plan=plan_file(number=f"{n}/KH-UBND", sms_name=f"KH{n}"))
            for n in range(1, 5)
        ]
        open_ones = [each.id for each in rows(database, Assignment) if each.state in OPEN_STATES]
        acts: list[Callable[[], object]] = [
            *(lambda each=each: do(database, Action.REPORT, each, now=LATE) for each in open_ones),
            *(lambda: _recount(database) for _ in range(12)),
            *(lambda each=each: _end(each) for each in plans[:2]),
        ]
        random.Random(7).shuffle(acts)
        with ThreadPoolExecutor(6) as people:
            for done in [people.submit(act) for act in acts]:
                done.result(timeout=60)
        assert wrong(database) == 0


def _recount(database: Database) -> None:
    with database.write() as session:
        counters.recount(session)


def _end(laid: Laid) -> None:
    with laid.database.write() as session:
        end(session, laid.plan_id, reason="Hết hiệu lực.", actor="cli:test", now=LATE)
