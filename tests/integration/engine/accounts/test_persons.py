"""Two different actors are not always two different people."""

from __future__ import annotations

from datetime import timedelta

import pytest
from ground.factory import at, lay, row
from ground.office import join
from sqlalchemy import update

from engine.accounts.accounts import create, same_person
from engine.accounts.api_tokens import make_token, tokens_of
from engine.store.database import Database, table
from engine.store.records import Contact
from engine.terms import Role

NOW = at("2021-06-07")


@pytest.fixture
def peopled(sqlite_database: Database) -> tuple[Database, dict[str, str]]:
    """Names of actors: an account, its key, its contact; who shares the contact's telephone; and somebody else."""
    lay(sqlite_database, now=NOW)
    mine = join(sqlite_database, "coordinator", "so-ban")
    contact = row(sqlite_database, Contact, agency_id="so-ban", role=Role.COORDINATOR)
    with sqlite_database.write() as session:
        c = table(Contact)
        session.connection().execute(update(c).where(c.c.id == contact.id).values(phone="+84912345678"))
        by_phone = row(sqlite_database, Contact, agency_id="huyen-a", role=Role.COORDINATOR)
        session.connection().execute(update(c).where(c.c.id == by_phone.id).values(phone="+84912345678"))
        make_token(session, mine, label="x", scopes=["read"], lasts=timedelta(days=9), actor="cli", now=NOW)
        (key,) = tokens_of(session, mine)
        other = create(session, email="khac@so.example", role="monitor", agency_id="so-chinh", actor="cli", now=NOW)
    return sqlite_database, {
        "account": f"account:{mine}",
        "key": f"api:{key.id}",
        "mailbox": f"contact:{contact.id}",
        "telephone": f"contact:{by_phone.id}",
        "other": f"account:{other}",
    }


@pytest.mark.parametrize("whose", ["key", "mailbox", "telephone"])
def test_an_account_s_key_mailbox_and_telephone_are_its_owner(
    peopled: tuple[Database, dict[str, str]], whose: str
) -> None:
    database, names = peopled
    with database.read() as session:
        assert same_person(session, names["account"], names[whose])
        assert same_person(session, names[whose], names["account"])
        assert not same_person(session, names[whose], names["other"])


def test_a_desk_and_a_command_are_nobody_else(sqlite_database: Database) -> None:
    with sqlite_database.read() as session:
        assert same_person(session, "desk", "desk")
        assert not same_person(session, "desk", "cli")
