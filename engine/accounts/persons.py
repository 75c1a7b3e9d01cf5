"""Whether two actors are one person: an account, its keys, the contact with its mailbox, their telephone."""

from __future__ import annotations

from sqlalchemy import or_, select
from sqlmodel import Session

from engine.store.database import table
from engine.store.records import Account, ApiToken, Contact


def person_of(session: Session, actor: str) -> frozenset[str]:
    """Every name, mailbox and telephone of the person behind the actor of an event; of a desk or a command, its name
    alone."""
    names, mailboxes, telephones = {actor}, set[str](), set[str]()
    kind, _, number = actor.partition(":")
    a, k, c = table(Account), table(ApiToken), table(Contact)
    connection = session.connection()
    if kind in ("account", "api") and number.isdecimal():
        of_key = select(k.c.account_id).where(k.c.id == int(number)).scalar_subquery()
        owner = select(a.c.id, a.c.email).where(a.c.id == (int(number) if kind == "account" else of_key))
        for row in connection.execute(owner):
            names.add(f"account:{row.id}")
            mailboxes.add(row.email)
    if kind == "contact" and number.isdecimal():
        for row in connection.execute(select(c.c.email, c.c.phone).where(c.c.id == int(number))):
            mailboxes.add(row.email)
            telephones.add(row.phone)
    reached = or_(c.c.email.in_(mailboxes - {""}), c.c.phone.in_(telephones - {""}))
    for row in connection.execute(select(c.c.id, c.c.email, c.c.phone).where(reached)):
        names.add(f"contact:{row.id}")
        mailboxes.add(row.email)
        telephones.add(row.phone)
    names |= {f"account:{each}" for each in connection.scalars(select(a.c.id).where(a.c.email.in_(mailboxes - {""})))}
    return frozenset(names | mailboxes | telephones) - {""}


def same_person(session: Session, one: str, other: str) -> bool:
    """For every rule that wants two different people."""
    return not person_of(session, one).isdisjoint(person_of(session, other))
