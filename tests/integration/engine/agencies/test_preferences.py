"""What a contact may set for himself, and what nobody may."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from ground.factory import Laid, at, lay, policy, row, rows, swept, told
from sqlalchemy import select, update

from engine.agencies import contacts, preferences
from engine.errors import BadInput, Conflict, ForbiddenMove, NotAllowed, TooOften
from engine.store.database import Database, table
from engine.store.recipients import read_recipients, remember_channels
from engine.store.records import Contact, Letter
from engine.terms import Role

OPENED, NOW = at("2021-04-07"), at("2021-06-07")


@pytest.fixture
def laid(database: Database) -> Laid:
    return lay(database, now=OPENED)


def person(laid: Laid, role: Role = Role.COORDINATOR, agency: str = "so-ban", phone: str = "+84912345678") -> int:
    c = table(Contact)
    with laid.database.write() as session:
        chosen = select(c.c.id).where(c.c.agency_id == agency, c.c.role == role)
        contact_id = int(session.connection().scalars(chosen).one())
        session.connection().execute(update(c).where(c.c.id == contact_id).values(phone=phone))
    return contact_id


def do(laid: Laid, deed: Any, *given: Any, now: Any = NOW, **more: Any) -> Any:
    with laid.database.write() as session:
        return deed(session, *given, actor="contact:1", now=now, **more)


def stands(laid: Laid, contact_id: int) -> tuple[dict[str, str], dict[str, str]]:
    found = row(laid.database, Contact, id=contact_id)
    return found.suppressed, found.pace


def test_a_channel_is_stopped_while_another_reaches_the_person(laid: Laid) -> None:
    who = person(laid)
    do(laid, preferences.stop, who, "sms")
    assert stands(laid, who) == ({"sms": "asked"}, {})
    with pytest.raises(ForbiddenMove, match="duy nhất"):
        do(laid, preferences.stop, who, "email")
    do(laid, preferences.resume, who, "sms")
    assert stands(laid, who) == ({}, {})


def test_the_only_address_is_never_stopped(laid: Laid) -> None:
    who = person(laid, phone="")
    with pytest.raises(ForbiddenMove):
        do(laid, preferences.stop, who, "email")


def test_a_telephone_that_no_gateway_reaches_is_no_other_channel(laid: Laid) -> None:
    who = person(laid)
    remember_channels(laid.database, ["email"])
    with pytest.raises(ForbiddenMove):
        do(laid, preferences.stop, who, "email")


def test_a_dead_address_is_not_brought_back_by_a_wish(laid: Laid) -> None:
    who = person(laid)
    with laid.database.write() as session:
        c = table(Contact)
        session.connection().execute(update(c).where(c.c.id == who).values(suppressed={"email": "bounced"}))
    do(laid, preferences.resume, who, "email")
    assert stands(laid, who) == ({"email": "bounced"}, {})
    with pytest.raises(ForbiddenMove):
        do(laid, preferences.stop, who, "sms")


def test_reminders_slowed_to_once_a_week_wait_for_monday_and_what_is_late_does_not(laid: Laid) -> None:
    who = person(laid)
    with laid.database.read() as session:
        assert [each.value for each in preferences.preferences_of(session, who, NOW).may_wait] == ["reminder"]
    do(laid, preferences.slow, who, "email")
    swept(laid.database, at("2021-06-03", "07:00"))  # Thursday, T-10 of 17 June
    mine = ("coordinator@so-ban.example", "T-10", "IV.1.1 so-ban")
    assert mine not in told(laid.database, date(2021, 6, 3))
    assert mine in told(laid.database, date(2021, 6, 7))
    swept(laid.database, at("2021-06-18", "07:00"))
    assert ("coordinator@so-ban.example", "T+1", "IV.1.1 so-ban") in told(laid.database, date(2021, 6, 18))


def test_where_the_policy_lets_nothing_wait_nothing_is_slowed(database: Database) -> None:
    laid = lay(database, now=OPENED, rules=policy(may_stop=()))
    who = person(laid)
    with pytest.raises(ForbiddenMove, match="Chính sách"):
        do(laid, preferences.slow, who, "email")


def test_an_unknown_channel_is_refused(laid: Laid) -> None:
    with pytest.raises(BadInput):
        do(laid, preferences.stop, person(laid), "zalo")


def deputy(laid: Laid, who: int, first: date, last: date, *, instead: bool = False) -> int:
    days = {"valid_from": first, "valid_until": last}
    made: int = do(laid, preferences.name_deputy, who, email="thay@so-ban.example", instead=instead, **days)
    return made


def answers(laid: Laid, day: date) -> list[str]:
    with laid.database.read() as session:
        return [each.email for each in read_recipients(session, ["so-ban"]).on("so-ban", Role.COORDINATOR, day)]


@pytest.mark.parametrize("instead", [False, True])
def test_a_deputy_is_written_to_beside_or_instead_from_the_first_to_the_last_day(laid: Laid, instead: bool) -> None:
    deputy(laid, person(laid), date(2021, 6, 14), date(2021, 6, 18), instead=instead)
    both = ["thay@so-ban.example"] if instead else ["coordinator@so-ban.example", "thay@so-ban.example"]
    assert answers(laid, date(2021, 6, 13)) == ["coordinator@so-ban.example"]
    assert answers(laid, date(2021, 6, 14)) == answers(laid, date(2021, 6, 18)) == both
    assert answers(laid, date(2021, 6, 19)) == ["coordinator@so-ban.example"]


def test_a_deputy_reads_the_language_of_the_coordinator(laid: Laid) -> None:
    who = person(laid)
    do(laid, contacts.change, who, language="en")
    assert row(laid.database, Contact, id=deputy(laid, who, date(2021, 6, 14), date(2021, 6, 18))).language == "en"


def test_the_coordinator_comes_back_early(laid: Laid) -> None:
    who = person(laid)
    made = deputy(laid, who, date(2021, 6, 1), date(2021, 6, 30))
    with laid.database.read() as session:
        assert [each.id for each in preferences.preferences_of(session, who, NOW).deputies] == [made]
    do(laid, preferences.end_deputy, who, made)
    assert answers(laid, date(2021, 6, 7)) == ["coordinator@so-ban.example"]
    assert row(laid.database, Contact, id=made).email == ""


@pytest.mark.parametrize(
    ("first", "last"),
    [(date(2021, 6, 1), date(2021, 6, 4)), (date(2021, 6, 9), date(2021, 6, 8)), (date(2021, 6, 9), date(2022, 7, 9))],
)
def test_days_that_have_passed_run_backwards_or_last_too_long_are_refused(laid: Laid, first: date, last: date) -> None:
    with pytest.raises(BadInput):
        deputy(laid, person(laid), first, last)


def test_a_monitor_names_no_deputy_and_nobody_ends_another_agency_s(laid: Laid) -> None:
    with pytest.raises(NotAllowed):
        deputy(laid, person(laid, Role.MONITOR, "so-chinh"), date(2021, 6, 9), date(2021, 6, 10))
    made = deputy(laid, person(laid), date(2021, 6, 9), date(2021, 6, 10))
    with pytest.raises(NotAllowed):
        do(laid, preferences.end_deputy, person(laid, agency="huyen-a"), made)
    assert len(rows(laid.database, Contact, role=Role.DEPUTY)) == 1


def proposed(laid: Laid, email: str, *, day: date = date(2021, 6, 9), now: Any = NOW, **more: Any) -> int:
    """By whoever holds the link of a letter to the coordinator of so-ban."""
    days = {"valid_from": day, "valid_until": day}
    made: int = do(laid, preferences.name_deputy, person(laid), email=email, by_link=True, now=now, **days, **more)
    return made


def test_a_forwarded_letter_is_no_mail_cannon(laid: Laid) -> None:
    """Thirty-one proposals by one link queued sixty-two official letters."""
    who, before = person(laid), len(rows(laid.database, Letter))
    for number in range(3):
        made = proposed(laid, f"x{number}@evil.example")
        with pytest.raises(Conflict, match="đề nghị"):
            proposed(laid, f"y{number}@evil.example")
        do(laid, preferences.end_deputy, who, made)
    with pytest.raises(TooOften):
        proposed(laid, "x3@evil.example")
    told = len(preferences_told(laid))
    assert len(rows(laid.database, Letter)) == before + 3 * told
    proposed(laid, "x4@evil.example", now=NOW + timedelta(days=1))


def preferences_told(laid: Laid) -> set[int]:
    """Coordinators and heads of so-ban."""
    roles = (Role.COORDINATOR, Role.HEAD)
    return {each.id for role in roles for each in rows(laid.database, Contact, agency_id="so-ban", role=role)}  # type: ignore[misc]


def test_no_text_of_a_stranger_stands_in_the_letter_of_a_proposal(laid: Laid) -> None:
    with pytest.raises(BadInput, match="chức danh"):
        proposed(laid, "x@evil.example", label="Xem ngay https://evil.example/x")


def test_a_proposal_does_not_keep_its_mailbox_from_being_named(laid: Laid) -> None:
    open_proposal = proposed(laid, "thay@so-ban.example")
    named = deputy(laid, person(laid), date(2021, 6, 9), date(2021, 6, 18))
    assert row(laid.database, Contact, id=open_proposal).email == ""
    assert row(laid.database, Contact, id=named).email == "thay@so-ban.example"
