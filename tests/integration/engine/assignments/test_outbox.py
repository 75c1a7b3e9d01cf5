"""Letters owed: one a person, channel and day, whatever is put into it, by whomever, how often."""

from __future__ import annotations

import json
import threading
from dataclasses import replace
from datetime import date, datetime
from typing import Any

import pytest
from ground.databases import closing_database
from ground.factory import Laid, add_contact, at, lay, policy, row, rows
from sqlalchemy import update

from engine.assignments.lifecycle import decline
from engine.assignments.outbox import (
    LetterDay,
    NoticeLine,
    PostResult,
    hold_lines,
    letter_day,
    post,
    send_day,
    unreachable_event,
)
from engine.rules.calendar import DayException, DayKind, WorkCalendar
from engine.rules.policy import Policy
from engine.store.data_versions import Topic, changed_agencies, read_versions
from engine.store.database import Database, table
from engine.store.recipients import lifetime, read_recipients, remember_channels
from engine.store.records import Contact, Event, Letter, Notice
from engine.store.rulebook import Rulebook
from engine.terms import EventKind, LetterState, NoticeKind, Role
from engine.views.event_sentences import said

WEDNESDAY = at("2021-06-16")
CALENDAR = WorkCalendar()


@pytest.fixture
def laid(database: Database) -> Laid:
    return lay(database, now=at("2021-04-07"))


def line(laid: Laid, effect: str = "T-1", **changes: Any) -> NoticeLine:
    known = NoticeLine(
        effect=f"assignment:1:2021-06-17:{effect}",
        assignment_id=laid.assignment("IV.1.1", "so-ban"),
        agency_id="so-ban",
        role=Role.COORDINATOR,
        kind=NoticeKind.REMINDER,
        policy=policy(),
        rung=effect,
    )
    return replace(known, **changes)


def ruled(calendar: WorkCalendar = CALENDAR, **policies: Policy) -> Rulebook:
    return Rulebook(calendar, {"default": policy(), **policies}, {})


def posted(laid: Laid, *lines: NoticeLine, now: datetime = WEDNESDAY, calendar: WorkCalendar = CALENDAR) -> PostResult:
    with laid.database.write() as session:
        readers = read_recipients(session, {each.agency_id for each in lines})
        return post(session, lines, readers, ruled(calendar), now)


def letters(laid: Laid) -> list[tuple[date, int]]:
    """(day, how many lines) of each letter."""
    return [(each.day, len(rows(laid.database, Notice, letter_id=each.id))) for each in rows(laid.database, Letter)]


def test_all_that_is_due_for_one_person_on_one_day_goes_into_one_letter(laid: Laid) -> None:
    assert posted(laid, line(laid, "T-1"), line(laid, "returned")).notices == 2
    assert posted(laid, line(laid, "chase"), now=at("2021-06-16", "15:00")).notices == 1
    assert letters(laid) == [(date(2021, 6, 16), 3)]


def test_the_same_line_twice_changes_nothing(laid: Laid) -> None:
    posted(laid, line(laid))
    assert posted(laid, line(laid), line(laid)) == PostResult()
    assert letters(laid) == [(date(2021, 6, 16), 1)]


def test_each_channel_has_its_own_letter(laid: Laid) -> None:
    with laid.database.write() as session:
        session.connection().execute(
            update(table(Contact)).where(table(Contact).c.role == Role.COORDINATOR).values(phone="+84238000000")
        )
    posted(laid, line(laid, policy=policy(channels=("email", "sms"))))
    assert [each.channel for each in rows(laid.database, Letter)] == ["email", "sms"]


def by_telephone_alone(laid: Laid, **where: Any) -> None:
    """Of so-ban's coordinator, or of ``where``, the mailbox is taken away."""
    with laid.database.write() as session:
        c = table(Contact)
        mine = [c.c[name] == value for name, value in (where or {"role": Role.COORDINATOR}).items()]
        session.connection().execute(
            update(c).where(c.c.agency_id == "so-ban", *mine).values(email="", phone="+84238000000")
        )


def test_on_a_channel_that_is_not_set_up_there_is_no_letter_until_it_is(laid: Laid) -> None:
    with laid.database.write() as session:
        session.connection().execute(update(table(Contact)).values(phone="+84238000000"))
    both = policy(channels=("email", "sms"))
    remember_channels(laid.database, ["email"])
    posted(laid, line(laid, policy=both), line(laid, "T+1", policy=both, by="every"))
    assert [each.channel for each in rows(laid.database, Letter)] == ["email"]
    remember_channels(laid.database, ["email", "sms"])
    posted(laid, line(laid, "T+3", policy=both))
    (by_sms,) = rows(laid.database, Letter, channel="sms")
    assert [each.rung for each in rows(laid.database, Notice, letter_id=by_sms.id)] == ["T+3"]


def test_who_has_a_telephone_alone_has_no_address_there_and_the_next_person_gets_it(laid: Laid) -> None:
    by_telephone_alone(laid)
    remember_channels(laid.database, ["email"])
    posted(laid, line(laid))
    assert [(each.role, each.channel) for each in rows(laid.database, Letter)] == [(Role.HEAD, "email")]


def test_where_only_such_a_channel_reaches_somebody_that_is_the_reason(laid: Laid) -> None:
    for role in (Role.COORDINATOR, Role.HEAD):
        by_telephone_alone(laid, role=role)
    remember_channels(laid.database, ["email"])
    (missed,) = posted(laid, line(laid)).unreachable
    happened = unreachable_event(missed, laid.plan_id, WEDNESDAY)
    told = Event(kind=EventKind.UNREACHABLE, at=WEDNESDAY, detail=happened["detail"])
    assert said(told, "vi") == "Không liên lạc được: trước hạn 1 ngày làm việc: đầu mối, tin nhắn chưa đặt"
    assert said(told, "en").endswith("coordinator, SMS not set up")
    assert letters(laid) == []


def test_a_claimed_letter_takes_no_more_lines_they_go_into_the_next_working_days(laid: Laid) -> None:
    friday = at("2021-06-18")
    posted(laid, line(laid, "T+1"), now=friday)
    with laid.database.write() as session:
        session.connection().execute(update(table(Letter)).values(state=LetterState.SENDING))
    posted(laid, line(laid, "returned"), now=friday)
    assert letters(laid) == [(date(2021, 6, 18), 1), (date(2021, 6, 21), 1)]
    assert rows(laid.database, Letter)[1].send_after == at("2021-06-21", "07:30")


def test_a_letter_records_for_whom_and_from_when(laid: Laid) -> None:
    posted(laid, line(laid))
    letter = row(laid.database, Letter)
    assert (letter.agency_id, letter.role, letter.state) == ("so-ban", Role.COORDINATOR, LetterState.QUEUED)
    assert letter.key == f"letter:{letter.contact_id}:email:2021-06-16"
    assert letter.send_after == at("2021-06-16", "07:30")


def test_a_line_for_nobody_is_given_back(laid: Laid) -> None:
    lost = line(laid, agency_id="tinh", role=Role.HEAD)
    assert posted(laid, lost).unreachable == [lost]
    assert letters(laid) == []


def test_a_suppressed_mailbox_is_written_to_no_more(laid: Laid) -> None:
    with laid.database.write() as session:
        session.connection().execute(update(table(Contact)).values(suppressed={"email": "hard bounce"}))
    assert len(posted(laid, line(laid)).unreachable) == 1


@pytest.mark.parametrize("instead", [False, True])
def test_a_deputy_stands_in_from_the_first_day_to_the_last(laid: Laid, instead: bool) -> None:
    days = {"valid_from": date(2021, 6, 16), "valid_until": date(2021, 6, 17)}
    deputy = add_contact(laid.database, "so-ban", Role.DEPUTY, instead=instead, **days)
    for day in ("2021-06-15", "2021-06-16", "2021-06-17", "2021-06-18"):
        posted(laid, line(laid, day), now=at(day))
    letters = rows(laid.database, Letter)
    assert [each.day.day for each in letters if each.contact_id == deputy] == [16, 17]
    assert [each.day.day for each in letters if each.contact_id != deputy] == (
        [15, 18] if instead else [15, 16, 17, 18]
    )


def test_without_a_coordinator_the_head_is_written_to(laid: Laid) -> None:
    with laid.database.write() as session:
        gone = table(Contact).c.role == Role.COORDINATOR
        session.connection().execute(update(table(Contact)).where(gone).values(email=""))
    posted(laid, line(laid))
    assert row(laid.database, Letter).role is Role.HEAD


@pytest.mark.parametrize(
    ("now", "day"),
    [
        (at("2021-06-18", "06:00"), date(2021, 6, 18)),
        (at("2021-06-18", "20:59"), date(2021, 6, 18)),
        (at("2021-06-18", "21:00"), date(2021, 6, 21)),
        (at("2021-06-19"), date(2021, 6, 21)),
        (at("2021-04-30"), date(2021, 5, 4)),
    ],
)
def test_letters_leave_on_working_days_inside_the_window(now: datetime, day: date) -> None:
    assert send_day(now, policy(), CALENDAR) == day


def test_a_weekly_letter_is_of_the_week_s_day_although_the_day_before_it_is_worked(laid: Laid) -> None:
    with laid.database.write() as session:
        session.connection().execute(update(table(Contact)).values(pace={"email": "weekly"}))
    worked = WorkCalendar.of([DayException(date(2021, 6, 20), DayKind.WORKED, "Làm bù")])  # a Sunday
    for day in ("2021-06-15", "2021-06-16", "2021-06-17", "2021-06-18", "2021-06-20", "2021-06-21"):
        posted(laid, line(laid, day), now=at(day), calendar=worked)
    assert letters(laid) == [(date(2021, 6, 21), 6)]


def test_a_weekly_letter_is_of_the_day_of_the_digest_whatever_the_plan_s_own_policy_says(laid: Laid) -> None:
    """A policy of its own had its own weekday: its reader had two weekly letters, one of them without the digest."""
    with laid.database.write() as session:
        session.connection().execute(update(table(Contact)).values(pace={"email": "weekly"}))
    posted(laid, line(laid, policy=policy(id="huyen", digest_weekday=4)), now=at("2021-06-15"))
    assert letters(laid) == [(date(2021, 6, 21), 1)]


def test_while_the_letters_of_a_reader_are_held_nothing_but_what_is_urgent_goes_to_them(laid: Laid) -> None:
    posted(laid, line(laid))
    (first,) = rows(laid.database, Notice)
    until = at("2021-07-06", "09:00")
    with laid.database.write() as session:
        assert hold_lines(session, [first.id], until)
    posted(laid, line(laid, "T+1"), now=at("2021-06-18"))
    posted(laid, line(laid, "chase", urgent=True), now=at("2021-06-18", "10:00"))
    leaves = [(each.day, each.send_after) for each in rows(laid.database, Letter)]
    assert leaves == [
        (date(2021, 6, 16), until),
        (date(2021, 7, 6), until),
        (date(2021, 6, 18), at("2021-06-18", "10:00")),
    ]


def test_a_line_for_another_agency_is_about_that_agency_too(laid: Laid) -> None:
    with laid.database.read() as session:
        before = {Topic.LETTERS: read_versions(session)[Topic.LETTERS]}
    with laid.database.write() as session:
        decline(session, laid.assignment("IV.1.1", "so-ban"), actor="contact:1", now=WEDNESDAY)
    with laid.database.read() as session:
        assert changed_agencies(session, before, read_versions(session)) == frozenset({"so-ban", "so-chinh"})


@pytest.mark.parametrize(
    ("role", "turn"),
    [
        (Role.COORDINATOR, [Role.DEPUTY, Role.COORDINATOR, Role.HEAD]),
        (Role.DEPUTY, [Role.DEPUTY, Role.COORDINATOR, Role.HEAD]),
        (Role.HEAD, [Role.HEAD]),
        (Role.MONITOR, [Role.MONITOR, Role.COORDINATOR, Role.HEAD]),
        (Role.DIRECTOR, [Role.HEAD, Role.MONITOR]),
        (Role.LEADERSHIP, []),
    ],
)
def test_whom_a_letter_that_failed_goes_to_next_is_each_of_the_agency_once(
    laid: Laid, role: Role, turn: list[Role]
) -> None:
    add_contact(laid.database, "so-chinh", Role.DEPUTY)
    with laid.database.read() as session:
        found = read_recipients(session, ["so-chinh"]).in_turn("so-chinh", role, date(2021, 6, 16))
    assert [each.role for each in found] == turn


def test_an_agency_lives_from_its_first_name_s_first_day_to_its_last_name_s_last() -> None:
    names = [{"name": "Sở Cũ", "from": "2015-03-01", "until": "2020-12-31"}, {"name": "Sở Mới", "from": "2021-01-01"}]
    assert lifetime(json.dumps(names)) == (date(2015, 3, 1), None)
    assert lifetime(json.dumps(names[:1])) == (date(2015, 3, 1), date(2020, 12, 31))


def test_a_worked_saturday_is_a_day_for_letters() -> None:
    swapped = WorkCalendar.of([DayException(date(2021, 6, 19), DayKind.WORKED, "Làm bù")])
    assert send_day(at("2021-06-19"), policy(), swapped) == date(2021, 6, 19)


def test_an_urgent_letter_leaves_at_once_on_any_day() -> None:
    sunday_night = at("2021-06-20", "23:00")
    leaves = letter_day(sunday_night, ruled(), policy(), urgent=True)
    assert leaves == LetterDay(date(2021, 6, 20), sunday_night)


@pytest.mark.postgres
def test_two_passes_at_once_make_one_letter_and_each_line_once(postgres_url: str) -> None:
    with closing_database(postgres_url) as database:
        laid = lay(database, now=at("2021-04-07"))
        lines = [line(laid, f"line-{n}") for n in range(40)]
        start, counts = threading.Barrier(2), []

        def work(mine: list[NoticeLine]) -> None:
            start.wait()
            counts.append(posted(laid, *mine).notices)

        both = [threading.Thread(target=work, args=(mine,)) for mine in (lines[:30], lines[10:])]
        for each in both:
            each.start()
        for each in both:
            each.join()
        assert sum(counts) == 40
        assert letters(laid) == [(date(2021, 6, 16), 40)]
