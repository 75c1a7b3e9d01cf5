"""Who answers for an agency, and what is forgotten when somebody leaves."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from ground.factory import at, directory, happened, row, rows
from ground.remembered import once

from engine.agencies import contacts
from engine.agencies.contacts import ContactLine
from engine.agencies.directory_loading import load_directory
from engine.errors import BadInput, Conflict, NotFound
from engine.store.database import Database
from engine.store.recipients import read_recipients
from engine.store.records import Contact, Event
from engine.terms import Role

NOW, TODAY = at("2021-06-07"), date(2021, 6, 7)


@pytest.fixture
def laid(database: Database) -> Database:
    def fill() -> None:
        with database.write() as session:
            load_directory(session, directory(), actor="cli:test", now=NOW)

    once(database, ("directory alone", NOW), fill)
    return database


def do(database: Database, deed: Any, *given: Any, now: Any = NOW, **more: Any) -> Any:
    with database.write() as session:
        return deed(session, *given, actor="account:1", now=now, **more)


def add(database: Database, **more: Any) -> int:
    given = {"email": "Moi@So-Ban.example", "phone": "0912 345.678"} | more
    made: int = do(database, contacts.add, "so-ban", given.pop("role", "coordinator"), **given)
    return made


def found(database: Database, contact_id: int) -> ContactLine:
    with database.read() as session:
        return contacts.find(session, contact_id)


def test_a_new_contact_answers_at_once_with_its_addresses_tidied(laid: Database) -> None:
    made = found(laid, add(laid))
    assert (made.email, made.phone, made.role) == ("moi@so-ban.example", "0912345678", Role.COORDINATOR)
    with laid.read() as session:
        answering = read_recipients(session, ["so-ban"]).on("so-ban", Role.COORDINATOR, TODAY)
    assert made.id in [each.id for each in answering]


@pytest.mark.parametrize(
    "more",
    [
        {"email": "", "phone": ""},
        {"email": "x"},
        {"phone": "gọi sau"},
        {"role": "boss"},
        {"language": "fr"},
        {"valid_from": date(2021, 7, 1), "valid_until": date(2021, 6, 1)},
    ],
)
def test_what_cannot_be_a_contact_is_said_in_words(laid: Database, more: dict[str, Any]) -> None:
    with pytest.raises(BadInput, match=" / "):
        add(laid, **more)


def test_a_mailbox_answers_once_in_a_role_but_may_come_back(laid: Database) -> None:
    first = add(laid)
    with pytest.raises(Conflict):
        add(laid)
    do(laid, contacts.end, first, on=date(2021, 6, 4))
    assert add(laid) != first


def test_an_unknown_agency_is_not_found(laid: Database) -> None:
    with pytest.raises(NotFound):
        do(laid, contacts.add, "so-khong-co", "head", email="x@y.example")


def test_a_person_who_has_left_is_forgotten_and_old_links_stop(laid: Database) -> None:
    made = add(laid, label="Chuyên viên")
    do(laid, contacts.leave_now, made)
    gone = row(laid, Contact, id=made)
    assert (gone.email, gone.phone, gone.label, gone.links_since) == ("", "", "", NOW)
    assert found(laid, made).gone
    assert "moi@" not in str(rows(laid, Event)) + str(rows(laid, Contact))


def test_who_leaves_later_answers_until_then_and_is_forgotten_the_day_after(laid: Database) -> None:
    made = add(laid)
    do(laid, contacts.end, made, on=date(2021, 6, 30))
    with laid.write() as session:
        assert contacts.blank_former_contacts(session, at("2021-06-30", "23:59")) == 0
    assert found(laid, made).answers_on(date(2021, 6, 30))
    with laid.write() as session:
        assert contacts.blank_former_contacts(session, at("2021-07-01", "00:01")) == 1
        assert contacts.blank_former_contacts(session, at("2021-07-02")) == 0
    assert found(laid, made).gone


def test_a_new_mailbox_begins_with_a_clean_record_and_ends_old_links(laid: Database) -> None:
    made = add(laid)
    with laid.write() as session:
        from sqlalchemy import update

        from engine.store.database import table

        both = {"email": "bounced", "sms": "bounced"}
        session.connection().execute(update(table(Contact)).where(table(Contact).c.id == made).values(suppressed=both))
    do(laid, contacts.change, made, email="khac@so-ban.example")
    changed = row(laid, Contact, id=made)
    assert (changed.email, changed.suppressed, changed.links_since) == ("khac@so-ban.example", {"sms": "bounced"}, NOW)


def test_a_new_label_changes_nothing_else(laid: Database) -> None:
    made = add(laid)
    do(laid, contacts.change, made, label="Phó phòng")
    changed = row(laid, Contact, id=made)
    assert (changed.label, changed.phone, changed.links_since) == ("Phó phòng", "0912345678", None)


@pytest.mark.parametrize("phone", ["0912 345 679", ""])
def test_a_changed_number_ends_the_links_that_were_sent_to_the_old_one(laid: Database, phone: str) -> None:
    made = add(laid, phone="0912 345 678")
    with laid.write() as session:
        contacts.change(session, made, phone=phone, actor="cli", now=NOW)
    assert row(laid, Contact, id=made).links_since == NOW


def test_every_change_is_an_event_without_addresses(laid: Database) -> None:
    made = add(laid)
    do(laid, contacts.change, made, phone="")
    do(laid, contacts.leave_now, made)
    assert happened(laid, kind="contact_changed") == ["contact_changed"] * 3
    assert "0912" not in str(rows(laid, Event))


def test_those_who_have_left_stand_last(laid: Database) -> None:
    first = add(laid)
    do(laid, contacts.leave_now, first)
    with laid.read() as session:
        listed = contacts.contacts_of(session, "so-ban")
    assert listed[-1].id == first
    assert [each.gone for each in listed] == [False, False, True]
