"""Due dates in people's calendars, read back by a calendar library as a calendar would."""

from __future__ import annotations

from datetime import date, timedelta
from functools import partial
from typing import Any

import pytest
from ground.factory import Laid, at, begin, do, happened, lay, real_plan, rows
from icalendar import Calendar, Event
from sqlalchemy import select

from engine.accounts import accounts
from engine.accounts.permissions import Acting
from engine.agencies import contacts, feed_addresses
from engine.assignments import calendar_change, lifecycle
from engine.assignments.promise_rows import PromiseText
from engine.errors import BadInput, NotFound
from engine.features import feeds
from engine.rules.calendar import DayException, DayKind
from engine.rules.situation import Action
from engine.store.database import Database, table
from engine.store.records import Contact, Feed
from engine.terms import Outcome, Role

OPENED, NOW = at("2021-04-07"), at("2021-06-07")


@pytest.fixture
def laid(database: Database) -> Laid:
    return lay(database, now=OPENED)


def make(laid: Laid, agency_id: str = "so-ban", contact_id: int | None = None) -> str:
    with laid.database.write() as session:
        return feed_addresses.make_feed(session, agency_id, contact_id=contact_id, actor="account:1", now=NOW)


def read(laid: Laid, key: str, now: Any = NOW) -> Calendar:
    with laid.database.read() as session:
        body = feeds.feed(session, feed_addresses.reader_of(session, key, now), now, base_url="https://dondoc.example")
    return Calendar.from_ical(body)


def only(calendar: Calendar) -> Event:
    (event,) = calendar.walk("VEVENT")
    assert isinstance(event, Event)
    return event


def person(laid: Laid, agency_id: str, role: Role) -> int:
    c = table(Contact)
    with laid.database.read() as session:
        chosen = select(c.c.id).where(c.c.agency_id == agency_id, c.c.role == role)
        return int(session.connection().scalars(chosen).one())


def test_a_due_date_is_an_all_day_entry_with_alarms_at_the_hour_letters_leave(laid: Laid) -> None:
    event = only(read(laid, make(laid)))
    assert event.decoded("dtstart") == date(2021, 6, 17)
    assert event.decoded("dtend") == date(2021, 6, 18)
    assert str(event["summary"]) == "Hạn báo cáo: 12/KH-UBND IV.1.1 (6 tháng đầu năm 2021)"
    assert [alarm.decoded("trigger") for alarm in event.walk("VALARM")] == [
        at("2021-06-14", "07:30"),
        at("2021-06-16", "07:30"),
    ]
    assert (str(event["status"]), event.decoded("sequence")) == ("CONFIRMED", 0)
    assert f"https://dondoc.example/assignments/{laid.assignment('IV.1.1', 'so-ban')}" in str(event["description"])


def test_a_body_that_is_only_asked_has_no_deadline_in_its_calendar(laid: Laid) -> None:
    summaries = [str(each["summary"]) for each in read(laid, make(laid, "mat-tran")).walk("VEVENT")]
    assert summaries
    assert all(each.startswith("Thời gian đề nghị: ") for each in summaries)


def test_every_entry_has_what_the_standard_demands_and_lines_fit(laid: Laid) -> None:
    key = make(laid)
    with laid.database.read() as session:
        body = feeds.feed(session, feed_addresses.reader_of(session, key, NOW), NOW)
    calendar = Calendar.from_ical(body)
    assert (str(calendar["version"]), "prodid" in calendar) == ("2.0", True)
    assert {"uid", "dtstamp", "dtstart", "last-modified"} <= {name.lower() for name in only(calendar)}
    lines = body.split(b"\r\n")
    assert lines[-1] == b""
    assert all(len(line) <= 75 for line in lines)


def test_an_alarm_whose_moment_has_passed_is_left_out(laid: Laid) -> None:
    event = only(read(laid, make(laid), at("2021-06-16", "08:00")))
    assert list(event.walk("VALARM")) == []


def test_a_moved_date_moves_the_entry_under_the_same_uid_and_raises_its_sequence(laid: Laid) -> None:
    key = make(laid)
    before = only(read(laid, key))
    storm = calendar_change.CalendarChange((DayException(date(2021, 6, 17), DayKind.DAY_OFF, "Nghỉ bão"),))
    with laid.database.write() as session:
        calendar_change.apply(session, storm, actor="account:1", now=NOW)
    after = only(read(laid, key))
    assert (after["uid"], after.decoded("dtstart")) == (before["uid"], date(2021, 6, 18))
    assert after.decoded("sequence") == before.decoded("sequence") + 1
    assert after.decoded("last-modified") == NOW > before.decoded("last-modified")


def test_an_extension_moves_it_too(laid: Laid) -> None:
    key, task = make(laid), laid.assignment("IV.1.1", "so-ban")
    with laid.database.write() as session:
        asked = lifecycle.ask_extension(
            session, task, until=date(2021, 6, 25), reason="Chờ.", actor="contact:1", now=NOW
        )
        lifecycle.decide_extension(session, asked, granted=True, actor="account:1", now=NOW)
    event = only(read(laid, key))
    assert (event.decoded("dtstart"), event.decoded("sequence")) == (date(2021, 6, 25), 1)


def test_a_promise_behind_the_due_date_moves_the_entry_of_an_unfinished_task(laid: Laid) -> None:
    key, task = make(laid), laid.assignment("IV.1.1", "so-ban")
    promise = PromiseText(on=date(2021, 7, 12))
    report = lifecycle.ReportText(outcome=Outcome.NOT_YET, reason="Chờ.", promise=promise)
    with laid.database.write() as session:
        lifecycle.report(session, task, report, actor="contact:1", now=NOW)
    event = only(read(laid, key))
    assert (str(event["status"]), event.decoded("dtstart")) == ("CONFIRMED", date(2021, 7, 12))
    assert str(event["summary"]).startswith("Ngày hẹn: 12/KH-UBND IV.1.1")
    do(laid.database, Action.REPORT, task, now=at("2021-06-08"))
    assert str(only(read(laid, key))["status"]) == "CANCELLED"


def test_what_is_reported_is_cancelled_in_the_calendar_and_comes_back_when_returned(laid: Laid) -> None:
    key, task = make(laid), laid.assignment("IV.1.1", "so-ban")
    do(laid.database, Action.REPORT, task, now=NOW)
    done = only(read(laid, key))
    assert (str(done["status"]), list(done.walk("VALARM")), done.decoded("sequence")) == ("CANCELLED", [], 1)
    assert str(done["summary"]).startswith("Đã báo cáo")
    do(laid.database, Action.RETURN, task, now=at("2021-06-08"))
    back = only(read(laid, key))
    assert (str(back["status"]), back.decoded("sequence")) == ("CONFIRMED", 2)


def test_what_is_long_over_leaves_the_feed(laid: Laid) -> None:
    key = make(laid)
    do(laid.database, Action.REPORT, laid.assignment("IV.1.1", "so-ban"), now=NOW)
    assert list(read(laid, key, at("2021-06-17") + feeds.ENTRY_RETENTION + timedelta(days=1)).walk("VEVENT")) == []


def test_a_monitor_sees_what_the_department_watches_one_entry_a_date(laid: Laid) -> None:
    key = make(laid, "so-chinh", person(laid, "so-chinh", Role.MONITOR))
    do(laid.database, Action.REPORT, laid.assignment("IV.1.1", "so-ban"), now=NOW)
    event = only(read(laid, key))
    assert str(event["summary"]) == "12/KH-UBND: 1/4 đã báo cáo, kỳ 6 tháng đầu năm 2021"
    assert event.decoded("sequence") == 1


def test_a_coordinator_s_feed_is_his_agency_s_in_his_language(laid: Laid) -> None:
    made = person(laid, "so-ban", Role.COORDINATOR)
    with laid.database.write() as session:
        contacts.change(session, made, language="en", actor="account:1", now=NOW)
    assert str(only(read(laid, make(laid, contact_id=made)))["summary"]).startswith("Due: 12/KH-UBND")


def test_a_key_is_kept_nowhere_and_opens_nothing_once_revoked(laid: Laid) -> None:
    key = make(laid)
    assert key not in str(rows(laid.database, Feed))
    with laid.database.write() as session:
        (line,) = feed_addresses.feeds_of(session, "so-ban", NOW)
        with pytest.raises(NotFound):
            feed_addresses.revoke_feed(session, "huyen-a", line.id, actor="account:1", now=NOW)
        feed_addresses.revoke_feed(session, "so-ban", line.id, actor="account:1", now=NOW)
        assert feed_addresses.feeds_of(session, "so-ban", NOW) == ()
    with pytest.raises(NotFound):
        read(laid, key)
    assert happened(laid.database, kind="feed_changed") == ["feed_changed"] * 2


def test_a_contact_s_new_feed_takes_the_old_one_s_place_and_ends_with_the_person(laid: Laid) -> None:
    made = person(laid, "so-ban", Role.COORDINATOR)
    first, second = make(laid, contact_id=made), make(laid, contact_id=made)
    with pytest.raises(NotFound):
        read(laid, first)
    read(laid, second)
    with laid.database.write() as session:
        contacts.leave_now(session, made, actor="account:1", now=NOW)
    with pytest.raises(NotFound):
        read(laid, second)


def test_a_feed_of_nobody_or_of_another_s_contact_is_not_made(laid: Laid) -> None:
    with pytest.raises(NotFound):
        make(laid, "so-khong-co")
    with pytest.raises(BadInput):
        make(laid, "huyen-a", person(laid, "so-ban", Role.COORDINATOR))


@pytest.mark.parametrize("key", ["", "x", "ị" * 10_000])
def test_a_key_nobody_made_opens_nothing(laid: Laid, key: str) -> None:
    with pytest.raises(NotFound):
        read(laid, key)


def test_plan_188_in_a_calendar_names_no_subject(database: Database) -> None:
    laid = begin(real_plan(database, now=OPENED), now=OPENED)
    key = make(laid, "so-ldtbxh")
    calendar = read(laid, key)
    events = calendar.walk("VEVENT")
    assert len(events) >= 6
    assert len({str(event["uid"]) for event in events}) == len(events)
    text = calendar.to_ical().decode().lower().replace("\r\n ", "")
    assert not any(word in text for word in ("mại dâm", "hiv", "ma túy"))


def test_an_address_ends_after_a_year(laid: Laid) -> None:
    key = make(laid)
    day = NOW + feed_addresses.FEED_LIFETIME
    with laid.database.read() as session:
        assert feed_addresses.reader_of(session, key, day - timedelta(minutes=1)).agency_id == "so-ban"
        assert feed_addresses.feeds_of(session, "so-ban", day) == ()
        with pytest.raises(NotFound):
            feed_addresses.reader_of(session, key, day)


@pytest.mark.parametrize("end", [accounts.deactivate, partial(accounts.change, agency_id="huyen-a")])
def test_an_address_ends_with_the_account_that_made_it(laid: Laid, end: Any) -> None:
    by: Acting = {"actor": "cli", "now": NOW}
    with laid.database.write() as session:
        account_id, other = (
            accounts.create(session, email=f"{n}@so-ban.example", role="coordinator", agency_id="so-ban", **by)
            for n in (1, 2)
        )
        key = feed_addresses.make_feed(session, "so-ban", account_id=account_id, **by)
        kept = feed_addresses.make_feed(session, "so-ban", account_id=other, **by)
        end(session, account_id, **by)
        assert feed_addresses.reader_of(session, kept, NOW).agency_id == "so-ban"
        with pytest.raises(NotFound):
            feed_addresses.reader_of(session, key, NOW)
