"""What is due now, and when something next will be: what a heartbeat and the demonstration's clock look at."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from ground.factory import CONFIG, Laid, at, begin, lay, policy, row, rows, store, swept
from sqlalchemy import insert, update

from engine.assignments.due_work import Due, next_moment, opens_at, what_is_due
from engine.assignments.opening import activate
from engine.assignments.weekly_digest import LAST_LOOK, week_day
from engine.files.calendar import load_calendar
from engine.plans.loading import load_days, load_policy
from engine.store.database import Database, table
from engine.store.records import Assignment, Contact, Fact, Letter
from engine.store.rulebook import Rulebook, read_rulebook
from engine.terms import LetterState, Role

MADE, NIGHT, MORNING = at("2021-06-16", "08:00"), at("2021-06-16", "22:00"), at("2021-06-17", "07:00")


@pytest.fixture
def quiet(database: Database) -> Laid:
    """A plan whose next rung is far away, and today's digests made."""
    laid = lay(database, now=at("2021-04-07"))
    with database.write() as session:
        session.connection().execute(update(table(Assignment)).values(next_action_at=at("2021-12-01")))
        session.connection().execute(insert(table(Fact)).values(name=LAST_LOOK, value=week_day(MADE.date())))
    return laid


def letter(laid: Laid, send_after: datetime = MADE, **more: Any) -> None:
    contact = row(laid.database, Contact, email="coordinator@so-ban.example")
    values = {
        "key": "letter:1:email:2021-06-16",
        "contact_id": contact.id,
        "agency_id": "so-ban",
        "role": Role.COORDINATOR,
        "channel": "email",
        "day": MADE.date(),
        "send_after": send_after,
        "created_at": MADE,
        "urgent": False,
        "state": LetterState.QUEUED,
        "reason": "",
        "leased_by": "",
        "attempts": 0,
        "receipt": "",
    } | more
    with laid.database.write() as session:
        session.connection().execute(insert(table(Letter)).values(**values))


def due(laid: Laid, now: datetime) -> Due:
    with laid.database.read() as session:
        return what_is_due(session, now)


def following(laid: Laid, after: datetime) -> datetime | None:
    with laid.database.read() as session:
        return next_moment(session, after)


def test_nothing_is_due_between_two_moments(quiet: Laid) -> None:
    assert due(quiet, MADE) == Due(open=False, act=False, digest=False, deliver=False)
    assert not due(quiet, MADE).anything


def test_an_active_plan_is_due_to_open_and_its_digest_waits_for_that(database: Database) -> None:
    laid = store(database, now=at("2021-04-07"))
    assert not due(laid, at("2021-04-07")).open
    with database.write() as session:
        activate(session, laid.plan_id, actor="cli:test", now=at("2021-04-07"))
    assert due(laid, at("2021-04-07")) == Due(open=True, act=False, digest=False, deliver=False)


def test_what_opened_is_due_to_be_acted_on(database: Database) -> None:
    laid = begin(store(database, now=at("2021-04-07")), now=at("2021-04-07"))
    assert due(laid, at("2021-04-07")) == Due(open=False, act=True, digest=True, deliver=False)
    swept(database, at("2021-04-07"))
    assert due(laid, at("2021-04-07")).act is False


@pytest.mark.parametrize(
    ("now", "more", "leaves"),
    [
        (MADE, {}, True),
        (MADE - timedelta(seconds=1), {}, False),
        (NIGHT, {}, False),
        (NIGHT, {"urgent": True}, True),
        (MORNING, {}, True),
        (at("2021-06-19", "10:00"), {}, False),  # Saturday
        (MADE, {"state": LetterState.SENDING, "lease_until": timedelta(minutes=5)}, False),
        (MADE, {"state": LetterState.SENDING, "lease_until": timedelta(minutes=-1)}, True),
        (MADE, {"state": LetterState.DELIVERED}, False),
        (MADE, {"state": LetterState.UNKNOWN}, False),
    ],
)
def test_a_letter_is_due_when_it_may_really_leave(
    quiet: Laid, now: datetime, more: dict[str, Any], leaves: bool
) -> None:
    if "lease_until" in more:  # on PostgreSQL it is the server's clock that judges a lease
        clock = datetime.now(UTC) if quiet.database.dialect == "postgresql" else now
        more = more | {"lease_until": clock + more["lease_until"]}
    letter(quiet, **more)
    assert due(quiet, now).deliver is leaves


@pytest.mark.parametrize(
    ("send_after", "more", "after", "comes"),
    [
        (MADE, {}, MADE - timedelta(hours=1), MADE),
        (MADE, {}, NIGHT, MORNING),
        (NIGHT, {}, MADE, MORNING),
        (NIGHT, {"urgent": True}, MADE, NIGHT),
        (at("2021-06-18", "21:00"), {}, at("2021-06-18", "20:00"), at("2021-06-21", "07:00")),
    ],
)
def test_the_next_moment_of_a_letter_is_when_it_may_leave(
    quiet: Laid, send_after: datetime, more: dict[str, Any], after: datetime, comes: datetime
) -> None:
    letter(quiet, send_after, **more)
    assert following(quiet, after) == comes


def test_the_next_moment_is_the_earliest_of_all_that_is_coming(quiet: Laid) -> None:
    one = rows(quiet.database, Assignment)[0]
    with quiet.database.write() as session:
        session.connection().execute(
            update(table(Assignment)).where(table(Assignment).c.id == one.id).values(next_action_at=NIGHT)
        )
    assert following(quiet, MADE) == NIGHT
    assert following(quiet, NIGHT) == at("2021-06-21", "07:00")  # the digest


def test_without_a_plan_there_is_no_next_moment(database: Database) -> None:
    laid = store(database, now=at("2021-04-07"))
    assert following(laid, at("2021-04-07")) is None


def test_the_window_opens_on_the_next_working_day(sqlite_database: Database) -> None:
    with sqlite_database.write() as session:
        load_policy(session, policy(), actor="cli:test", now=MADE)
        days = load_calendar(CONFIG / "calendars/vn.yaml").exceptions.values()
        load_days(session, days, actor="cli:test", now=MADE)
        book: Rulebook = read_rulebook(session)
    opens = {
        moment: opens_at(at(*moment), book)
        for moment in (
            ("2021-09-01", "20:59"),
            ("2021-09-01", "21:00"),
            ("2021-09-02", "09:00"),
            ("2021-09-06", "05:00"),
        )
    }
    monday = at("2021-09-06", "07:00")
    assert list(opens.values()) == [at("2021-09-01", "20:59"), monday, monday, monday]
    assert opens_at(MADE, Rulebook(book.calendar, {}, {})) is None
