"""Whom the reader of a letter can call: the monitor of the department above; for the department itself, whoever
administers the system.

The list of accounts, searched by mailbox, label or agency regardless of case and tone marks.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlmodel import Session

from engine.accounts.accounts import AccountLine, list_accounts
from engine.accounts.permissions import ActorRole
from engine.files.directory import fold
from engine.queries.filter_choices import active_plans
from engine.queries.paging import PER_PAGE, Page, decode, page
from engine.store.data_versions import Topic, depends_on
from engine.store.database import among, table
from engine.store.recipients import read_recipients
from engine.store.records import Account, Agency, Contact
from engine.terms import Role


@dataclass(frozen=True, slots=True)
class Enquiries:
    """``office``: the role or section as the directory words it; may be empty, like each address."""

    agency: str
    office: str = ""
    phone: str = ""
    email: str = ""


def monitors(session: Session, departments: Iterable[str], today: date) -> Mapping[str, Enquiries]:
    """Who answers for each department today; its name alone where nobody can be reached."""
    g, c = table(Agency), table(Contact)
    ids = set(departments)
    names = session.connection().execute(select(g.c.id, g.c.name).where(among(session, g.c.id, ids))).all()
    recipients = read_recipients(session, ids, any_channel=True)
    people = {agency_id: next(iter(recipients.on(agency_id, Role.MONITOR, today)), None) for agency_id, _ in names}
    numbers = [each.id for each in people.values() if each is not None]
    labels = session.connection().execute(select(c.c.id, c.c.label).where(among(session, c.c.id, numbers)))
    label_of = {row.id: row.label for row in labels}
    found = {}
    for agency_id, name in names:
        person = people[agency_id]
        found[agency_id] = (
            Enquiries(name)
            if person is None
            else Enquiries(name, label_of[person.id], person.address("sms"), person.address("email"))
        )
    return found


@depends_on(Topic.PLANS, Topic.DIRECTORY)
def enquiries_of_plan(session: Session, today: date, plan_id: int | None) -> Enquiries | None:
    """Who answers at the department of the plan, or of the newest active one."""
    of_plan = (supervisor for each, supervisor in active_plans(session) if plan_id in (None, each))
    department = next(of_plan, None)
    return None if department is None else monitors(session, [department], today).get(department)


def administrator(session: Session) -> Enquiries | None:
    """The first active administrator; None before there is an account."""
    t, g = table(Account), table(Agency)
    statement = (
        select(g.c.name, t.c.label, t.c.email)
        .join(g, g.c.id == t.c.agency_id)
        .where(t.c.active, t.c.role == ActorRole.ADMINISTRATOR)
        .order_by(t.c.id)
        .limit(1)
    )
    found = session.connection().execute(statement).first()
    return None if found is None else Enquiries(found.name, found.label, "", found.email)


def search(session: Session, text: str = "", *, after: str = "", limit: int = PER_PAGE) -> Page[AccountLine]:
    """Active accounts first, by agency and mailbox. One query that reads all accounts: a province has some hundreds."""
    wanted = fold(text)
    matches = [
        each
        for each in list_accounts(session)
        if not wanted or any(wanted in fold(field) for field in (each.email, each.label, each.agency))
    ]
    offset = decode(after, int)[0] if after else 0
    return page(matches[max(offset, 0) :][: limit + 1], limit, lambda _: (offset + limit,), len(matches))
