"""The weekly digest: whose, when, what it counts; once a recipient and week, late rather than lost, never empty."""

from __future__ import annotations

import threading
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from ground.databases import closing_database
from ground.factory import Laid, add_contact, at, do, happened, lay, policy, row, rows, swept
from ground.office import contact_of
from sqlalchemy import delete, update

from engine.assignments.backlog import backlogs
from engine.assignments.lifecycle import ReportText, report
from engine.assignments.opening import open_due
from engine.assignments.outbox import digest_day, hold_lines
from engine.assignments.promise_rows import PromiseText
from engine.assignments.situations import Boxes
from engine.assignments.told import counted, since
from engine.assignments.weekly_digest import (
    is_owed,
    make,
    overdue,
    week_of,
)
from engine.rules.calendar import DayException, DayKind, WorkCalendar
from engine.rules.situation import Action
from engine.store.database import Database, insert_new, table
from engine.store.recipients import remember_channels
from engine.store.records import Assignment, Contact, Digest, Event, Letter, Notice, Plan
from engine.store.rulebook import read_rulebook
from engine.terms import EventKind, LetterState, Outcome, Role
from notifications.letters.facts import gather
from notifications.letters.view import letter_kind

MONDAY = at("2021-06-21", "07:00")
LEADERSHIP = Role.LEADERSHIP, "tinh"
MAILBOXES = ("coordinator@so-ban.example", "coordinator@huyen-a.example")


@pytest.fixture
def laid(database: Database) -> Laid:
    """Everybody acknowledged long ago; due on Thursday 17 June, on Monday 21 June everything is overdue."""
    laid = lay(database, now=at("2021-04-07"))
    swept(database, at("2021-04-07"))
    for each in (("IV.1.1", "so-ban"), ("IV.2.1", "huyen-a"), ("IV.2.1", "huyen-b"), ("IV.3.1", "mat-tran")):
        do(database, Action.ACKNOWLEDGE, laid.assignment(*each), now=at("2021-04-07"))
    with database.write() as session:
        session.connection().execute(update(table(Letter)).values(state=LetterState.DELIVERED))
    return laid


def made(laid: Laid, now: datetime = MONDAY) -> tuple[int, int]:
    with laid.database.write() as session:
        return make(session, now) if is_owed(session, now) else (0, 0)


def owed(laid: Laid, now: datetime) -> bool:
    with laid.database.read() as session:
        return is_owed(session, now)


def carried(laid: Laid) -> dict[str, date]:
    """Mailbox -> the day of the letter that carries its digest."""
    mailboxes = {each.id: each.email for each in rows(laid.database, Contact)}
    letters = {each.id: each for each in rows(laid.database, Letter)}
    found = [each for each in rows(laid.database, Digest) if each.letter_id is not None]
    assert all(letters[each.letter_id].digest_week == each.week for each in found)
    return {mailboxes[each.contact_id]: letters[each.letter_id].day for each in found}


def test_where_no_gateway_is_set_up_the_head_reads_it_for_who_has_a_telephone_alone(laid: Laid) -> None:
    with laid.database.write() as session:
        c = table(Contact)
        alone = update(c).where(c.c.agency_id == "so-ban", c.c.role == Role.COORDINATOR)
        session.connection().execute(alone.values(email="", phone="+84912345678"))
    remember_channels(laid.database, ["email"])
    made(laid)
    assert "head@so-ban.example" in carried(laid)


def test_everybody_concerned_has_one_digest_on_monday_and_no_second_one_in_the_week(laid: Laid) -> None:
    assert made(laid) == (6, 2)
    assert set(carried(laid)) == {
        "coordinator@so-ban.example",
        "coordinator@huyen-a.example",
        "coordinator@huyen-b.example",
        "coordinator@mat-tran.example",
        "monitor@so-chinh.example",
        "leadership@tinh.example",
    }
    assert [made(laid, at(day, "09:00")) for day in ("2021-06-21", "2021-06-23", "2021-06-27")] == [(0, 0)] * 3
    assert len(rows(laid.database, Digest)) == 8


def test_who_comes_in_the_week_has_its_digest_on_the_next_working_day_and_nobody_a_second_one(laid: Laid) -> None:
    made(laid)
    add_contact(laid.database, "so-chinh", Role.MONITOR, email="monitor2@so-chinh.example")
    assert not owed(laid, at("2021-06-21", "23:00"))
    assert [made(laid, at(day, "07:00")) for day in ("2021-06-22", "2021-06-23")] == [(1, 0), (0, 0)]
    assert carried(laid)["monitor2@so-chinh.example"] == date(2021, 6, 22)
    assert happened(laid.database, kind=EventKind.DIGEST_MADE) == ["digest_made"] * 2


def test_a_reader_who_had_the_week_s_digest_takes_it_from_nobody_else(laid: Laid) -> None:
    early = {"contact_id": contact_of(laid.database, "so-ban"), "week": "2021-W25", "letter_id": None, "at": MONDAY}
    with laid.database.write() as session:
        insert_new(session, Digest, [early])
    assert made(laid) == (5, 2)
    assert "coordinator@so-ban.example" not in carried(laid)


def test_without_a_monitor_the_digest_goes_to_whoever_stands_in_and_reads_as_a_monitor_s(laid: Laid) -> None:
    """The coordinator of so-chinh owes nothing late itself."""
    do(laid.database, Action.REPORT, laid.assignment("IV.4.1", "so-chinh"), now=at("2021-06-15"))
    with laid.database.write() as session:
        c = table(Contact)
        session.connection().execute(delete(c).where(c.c.agency_id == "so-chinh", c.c.role == Role.MONITOR))
    made(laid)
    stands_in = row(laid.database, Contact, agency_id="so-chinh", role=Role.COORDINATOR)
    letter = row(laid.database, Letter, contact_id=stands_in.id, digest_week="2021-W25")
    with laid.database.read() as session:
        (facts,) = gather(session, [letter.id], read_rulebook(session), MONDAY)
    assert facts.digest is not None
    assert {each.agency_id for each, _ in facts.digest.rows} == {"so-ban", "huyen-a", "huyen-b"}
    assert letter_kind(facts) == "watch"


def test_nothing_overdue_is_no_letter_but_a_row_and_an_event(laid: Laid) -> None:
    assert made(laid, at("2021-06-14", "07:00")) == (0, 8)
    assert rows(laid.database, Letter, day=date(2021, 6, 14)) == []
    assert {each.letter_id for each in rows(laid.database, Digest)} == {None}
    assert happened(laid.database, kind=EventKind.DIGEST_EMPTY) == ["digest_empty"] * 8


def test_the_leadership_reads_of_what_changed_and_of_all_of_it_once_a_month(laid: Laid) -> None:
    """In the silent weeks of a month it gets no letter; the agencies and their department do."""
    days = ("2021-06-21", "2021-06-28", "2021-07-05", "2021-07-12", "2021-07-19")
    told = []
    for day in days:
        made(laid, at(day, "07:00"))
        told.append(carried(laid).get("leadership@tinh.example"))
        with laid.database.write() as session:
            session.connection().execute(delete(table(Digest)))
    assert told == [date(2021, 6, 21), date(2021, 6, 28), date(2021, 7, 5), None, None]  # one more was due on 21 June
    do(laid.database, Action.REPORT, laid.assignment("IV.2.1", "huyen-a"), now=at("2021-07-22"))
    made(laid, at("2021-07-26", "07:00"))
    assert carried(laid)["leadership@tinh.example"] == date(2021, 7, 26)


def test_what_changed_since_the_week_before_is_counted_by_agency(laid: Laid) -> None:
    task = laid.assignment("IV.1.1", "so-ban")
    with laid.database.write() as session:
        text = ReportText(outcome=Outcome.NOT_YET, reason="Chờ.", promise=PromiseText(on=date(2021, 6, 24)))
        report(session, task, text, actor="contact:1", now=at("2021-06-17"))
    monitor, weeks = (Role.MONITOR, "so-chinh"), []
    for day in ("2021-06-14", "2021-06-21", "2021-06-28"):
        with laid.database.read() as session:
            weeks.append(counted(session, at(day, "07:00"))[monitor])
        if day == "2021-06-21":
            do(laid.database, Action.REPORT, laid.assignment("IV.2.1", "huyen-a"), now=at("2021-06-23"))
            swept(laid.database, at("2021-06-25", "07:00"))
    found = [since(then, now, {}) for then, now in pairwise(weeks)]
    changed = [
        {each.id: (each.newly_overdue, each.done, each.broken) for each in week.agencies} for week in found if week
    ]
    assert changed == [
        {"huyen-a": (1, 0, 0), "huyen-b": (1, 0, 0), "mat-tran": (1, 0, 0), "so-ban": (1, 0, 0)},
        {"huyen-a": (0, 1, 0), "so-ban": (0, 0, 1)},
    ]


def test_a_plan_long_past_its_end_writes_to_its_department_alone(laid: Laid) -> None:
    """Its last due date is 20 December: agencies hear for ``past_days`` more, then the monitor is asked to end it."""
    with laid.database.write() as session:
        open_due(session, at("2021-10-01", "07:00"))
    made(laid, at("2022-02-07", "07:00"))  # 49 days after, the first of its month
    assert {"coordinator@huyen-a.example", "leadership@tinh.example"} <= set(carried(laid))
    with laid.database.write() as session:
        session.connection().execute(delete(table(Digest)))
    made(laid, at("2022-02-21", "07:00"))
    assert set(carried(laid)) == {"monitor@so-chinh.example"}
    with laid.database.read() as session:
        book = read_rulebook(session)
        waiting = backlogs(session, ["so-chinh"], book.calendar, date(2022, 2, 21), book.policies["default"])
    assert waiting["so-chinh"].plans is not None
    assert (waiting["so-chinh"].plans.count, waiting["so-chinh"].plans.since) == (1, date(2021, 12, 20))


def rows_read_by(laid: Laid, role: Role, agency_id: str, now: datetime) -> list[str]:
    """The agencies of the rows in a reader's digest, [] without one."""
    made(laid, now)
    reader = row(laid.database, Contact, agency_id=agency_id, role=role)
    with laid.database.read() as session:
        book = read_rulebook(session)
        ids = [each.id for each in rows(laid.database, Letter, contact_id=reader.id) if each.digest_week]
        found = gather(session, ids[-1:], book, now)
    return [each.agency_id for facts in found if facts.digest for each, _ in facts.digest.rows]


def test_an_owner_s_digest_never_reaches_back_more_than_a_year_but_for_what_was_promised(laid: Laid) -> None:
    """A plan of 2022 goes on, so that of 2021 is not what keeps the week's letter alone."""
    now, a = at("2022-06-27", "07:00"), table(Assignment)
    with laid.database.write() as session:  # still opening something, so that it is not past
        session.connection().execute(update(table(Plan)).values(next_open_at=at("2022-12-01")))
    assert rows_read_by(laid, Role.COORDINATOR, "so-ban", now) == []
    assert "so-ban" in rows_read_by(laid, Role.MONITOR, "so-chinh", now)
    with laid.database.write() as session:
        promised = update(a).where(a.c.agency_id == "so-ban").values(promised_on=date(2022, 6, 1))
        session.connection().execute(promised)
    assert rows_read_by(laid, Role.COORDINATOR, "so-ban", now + timedelta(days=7)) == ["so-ban"]


def test_the_digest_goes_into_the_letter_of_the_day(laid: Laid) -> None:
    swept(laid.database, MONDAY)
    made(laid)
    mondays = rows(laid.database, Letter, day=date(2021, 6, 21))
    assert len({each.contact_id for each in mondays}) == len(mondays)
    with_both = [each for each in mondays if each.digest_week and rows(laid.database, Notice, letter_id=each.id)]
    assert with_both


def test_when_the_day_s_letter_has_left_the_digest_goes_into_the_next_day_s(laid: Laid) -> None:
    swept(laid.database, MONDAY)
    with laid.database.write() as session:
        session.connection().execute(update(table(Letter)).values(state=LetterState.DELIVERED))
    made(laid, at("2021-06-21", "09:00"))
    assert carried(laid)["coordinator@so-ban.example"] == date(2021, 6, 22)


def test_the_digest_of_a_reader_whose_letters_are_held_waits_with_them(laid: Laid) -> None:
    """A quiet fortnight was broken by the digest, whose letter of Monday was made beside the one that was held."""
    swept(laid.database, at("2021-06-18", "07:00"))
    (held,) = rows(laid.database, Letter, contact_id=contact_of(laid.database, "so-ban"), state=LetterState.QUEUED)
    with laid.database.write() as session:
        hold_lines(session, [rows(laid.database, Notice, letter_id=held.id)[0].id], at("2021-07-06", "07:30"))
    made(laid)
    assert carried(laid)["coordinator@so-ban.example"] == date(2021, 7, 6)
    assert carried(laid)["coordinator@huyen-a.example"] == MONDAY.date()


@pytest.mark.parametrize(
    ("now", "comes"),
    [
        (at("2021-06-20", "23:00"), False),
        (at("2021-06-21", "06:59"), False),
        (at("2021-06-21", "07:00"), True),
        (at("2021-06-24", "15:00"), True),
        (at("2021-06-27", "10:00"), True),
    ],
)
def test_it_is_owed_from_monday_seven_o_clock_to_the_end_of_the_week(laid: Laid, now: datetime, comes: bool) -> None:
    made(laid, at("2021-06-14", "07:00"))
    assert owed(laid, now) is comes


def test_down_on_monday_it_is_made_late_and_goes_on_the_same_day(laid: Laid) -> None:
    assert made(laid, at("2021-06-23", "10:00")) == (8, 0)  # the Sở itself is late by then
    assert set(carried(laid).values()) == {date(2021, 6, 23)}


def test_made_on_saturday_it_shares_monday_s_letter_with_the_next_week_s(laid: Laid) -> None:
    made(laid, at("2021-06-26", "10:00"))
    made(laid, at("2021-06-28", "07:00"))
    assert set(carried_weeks(laid)) == {"2021-W25", "2021-W26"}
    days = [each.day for each in rows(laid.database, Letter) if each.digest_week]
    assert days == [date(2021, 6, 28)] * 8


def carried_weeks(laid: Laid) -> list[str]:
    return [each.week for each in rows(laid.database, Digest) if each.letter_id]


CLOSED_MONDAY = WorkCalendar.of([DayException(date(2021, 6, 21), DayKind.HOLIDAY, "Nghỉ bù")])
CLOSED_WEEK = WorkCalendar.of([DayException(date(2021, 6, day), DayKind.HOLIDAY, "Tết") for day in range(21, 26)])


@pytest.mark.parametrize(
    ("calendar", "weekday", "day"),
    [
        (WorkCalendar(), 0, date(2021, 6, 21)),
        (WorkCalendar(), 3, date(2021, 6, 24)),
        (CLOSED_MONDAY, 0, date(2021, 6, 22)),
        (WorkCalendar(), 5, date(2021, 6, 25)),
        (WorkCalendar(), 6, date(2021, 6, 25)),
        (CLOSED_WEEK, 0, None),
    ],
)
def test_a_closed_day_gives_way_to_the_next_one_of_its_week_else_to_the_last(
    calendar: Any, weekday: int, day: date | None
) -> None:
    rules = policy(digest_weekday=weekday)
    assert {digest_day(date(2021, 6, 21 + n), rules, calendar) for n in range(7)} == {day}


def test_weeks_are_iso_weeks_and_sort_as_text() -> None:
    assert [week_of(date(2021, 1, 3)), week_of(date(2021, 6, 14)), week_of(date(2022, 1, 3))] == [
        "2020-W53",
        "2021-W24",
        "2022-W01",
    ]


def test_what_was_only_asked_for_is_not_told_to_the_leadership(laid: Laid) -> None:
    for each in (("IV.1.1", "so-ban"), ("IV.2.1", "huyen-a"), ("IV.2.1", "huyen-b"), ("IV.4.1", "so-chinh")):
        do(laid.database, Action.REPORT, laid.assignment(*each), now=at("2021-06-16"))
    assert made(laid) == (2, 6)
    assert set(carried(laid)) == {"coordinator@mat-tran.example", "monitor@so-chinh.example"}
    with laid.database.read() as session:
        assert counted(session, MONDAY)[LEADERSHIP].total == Boxes(on_time=4, reported=4, reported_on_time=4)


def test_the_four_boxes_count_on_time_by_when_it_was_reported(laid: Laid) -> None:
    do(laid.database, Action.REPORT, laid.assignment("IV.1.1", "so-ban"), now=at("2021-06-17", "23:59"))
    do(laid.database, Action.REPORT, laid.assignment("IV.2.1", "huyen-a"), now=at("2021-06-18", "00:00"))
    do(laid.database, Action.CANCEL, laid.assignment("IV.4.1", "so-chinh"), now=at("2021-06-18"))
    with laid.database.read() as session:
        found = counted(session, at("2021-06-18"))[LEADERSHIP].total
    assert found == Boxes(on_time=1, late=1, overdue=1, reported=2, reported_on_time=1)


def test_overdue_begins_the_day_after_the_due_date_worst_first(laid: Laid) -> None:
    with laid.database.read() as session:
        on_the_day = overdue(session, date(2021, 6, 17), supervisors=["so-chinh"])
        a_week_later = overdue(session, date(2021, 6, 24), supervisors=["so-chinh", "tinh"])
    assert on_the_day == []
    assert [(each.citation, each.agency_id, each.due_on.day) for each in a_week_later] == [
        ("IV.2.1", "huyen-a", 17),
        ("IV.2.1", "huyen-b", 17),
        ("IV.3.1", "mat-tran", 17),
        ("IV.1.1", "so-ban", 17),
        ("IV.4.1", "so-chinh", 21),
    ]


def test_who_has_left_gets_none_and_who_came_gets_it(laid: Laid) -> None:
    with laid.database.write() as session:
        old = table(Contact).c.email == "coordinator@so-ban.example"
        session.connection().execute(update(table(Contact)).where(old).values(valid_until=date(2021, 6, 1)))
    add_contact(laid.database, "so-ban", Role.COORDINATOR, valid_from=date(2021, 6, 2))
    made(laid)
    assert "coordinator2@so-ban.example" in carried(laid)
    assert "coordinator@so-ban.example" not in carried(laid)


def test_two_passes_at_once_make_one_digest(laid: Laid) -> None:
    """The second one finds the week taken, even when the first one's letters have left in between."""
    counts: list[tuple[int, int]] = []

    def one() -> None:
        with closing_database(laid.database.url.render_as_string(hide_password=False)) as mine:
            counts.append(made(Laid(mine, laid.plan_id), at("2021-06-21", "09:00")))

    threads = [threading.Thread(target=one) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(counts) == [(0, 0), (0, 0), (0, 0), (6, 2)]
    assert len(rows(laid.database, Digest)) == 8


def test_the_second_of_two_passes_finds_the_week_taken(laid: Laid) -> None:
    assert made(laid) == (6, 2)
    with laid.database.write() as session:
        session.connection().execute(update(table(Letter)).values(state=LetterState.DELIVERED))
        assert make(session, at("2021-06-21", "09:00")) == (0, 0)
    assert row(laid.database, Event, key="digest:1:2021-W25:empty").kind is EventKind.DIGEST_EMPTY
    assert len([each for each in rows(laid.database, Letter) if each.digest_week]) == 6


def test_reports_that_nobody_accepts_are_told_to_the_monitor_and_after_ten_working_days_to_the_head(laid: Laid) -> None:
    do(laid.database, Action.REPORT, laid.assignment("IV.1.1", "so-ban"), now=at("2021-05-24"))
    written = {}
    for monday in ("2021-05-24", "2021-05-31", "2021-06-07", "2021-06-14"):
        made(laid, at(monday, "07:00"))
        written[monday] = {mailbox for mailbox, day in carried(laid).items() if day == date.fromisoformat(monday)}
        with laid.database.write() as session:
            session.connection().execute(update(table(Letter)).values(state=LetterState.DELIVERED))
    monitor, head = "monitor@so-chinh.example", "head@so-chinh.example"
    assert written == {
        "2021-05-24": set(),
        "2021-05-31": {monitor},
        "2021-06-07": {monitor},  # ten working days, not yet more
        "2021-06-14": {monitor, head},
    }
