"""The list of agencies by level, with the numbers of unfinished and overdue tasks; and one agency with names,
successions and contacts, and the search in the directory by name.

The agencies that a department follows: those in the plans that it supervises or has issued.

Whom the reader of a letter can call: the monitor of the department above; for the department itself, whoever
administers the system. And the list of accounts.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from operator import attrgetter
from typing import Any

from sqlalchemy import Exists, Table, exists, func, or_, select, union
from sqlmodel import Session

from engine.accounts.accounts import AccountLine, list_accounts
from engine.accounts.permissions import ActorRole
from engine.agencies.contacts import ContactLine, contacts_among, contacts_of
from engine.agencies.directory_loading import exists_on
from engine.assignments import situations
from engine.errors import NotFound
from engine.files.directory import fold, name_key
from engine.queries.filter_choices import Orders, active_plans, sorted_by_order
from engine.queries.paging import PER_PAGE, Page, decode, page
from engine.queries.time_class import Today
from engine.rules.words import level_rank, name_order
from engine.store.data_versions import Topic, depends_on
from engine.store.database import among, table
from engine.store.recipients import read_recipients
from engine.store.records import Account, Agency, AgencyGroup, Assignment, Contact, Plan, Succession
from engine.store.records.plans import AgencyName
from engine.store.stored_rows import AnyRow, object_of
from engine.terms import Role
from engine.text import Text

AGENCIES_PER_PAGE = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class AgencyRow:
    id: str
    name: str
    short: str
    level: str
    parent_id: str | None
    open: int
    overdue: int
    since: date | None
    """The oldest due date of what is overdue."""
    promised: int
    """Of what is overdue, for a day that has not passed."""


SORTS: Orders[AgencyRow] = {
    "name": lambda row: name_order(row.name),
    "open": attrgetter("open"),
    "overdue": attrgetter("overdue"),
    "since": lambda row: row.since or date.max,
}
OWN_SORT = "-overdue"


def list_agencies(
    session: Session, today: Today, *, after: str = "", limit: int = AGENCIES_PER_PAGE, sort: str = ""
) -> Page[AgencyRow]:
    """As in the directory, or by one of ``SORTS``; one query, which reads it whole."""
    a, g = table(Assignment), table(Agency)
    overdue = situations.overdue(today.day)
    counts = (
        select(
            a.c.agency_id,
            func.count().label("open"),
            func.count().filter(overdue).label("overdue"),
            func.count().filter(overdue, situations.promise_ahead(today.day)).label("promised"),
            func.min(a.c.due_on).filter(overdue).label("since"),
        )
        .where(situations.owed())
        .group_by(a.c.agency_id)
        .subquery()
    )
    numbers = [func.coalesce(counts.c[name], 0).label(name) for name in ("open", "overdue", "promised")]
    statement = select(g, *numbers, counts.c.since).outerjoin(counts, counts.c.agency_id == g.c.id)
    found = sorted(session.connection().execute(statement), key=directory_order)
    rows = sorted_by_order((object_of(AgencyRow, row) for row in found), SORTS, sort)
    offset = max(decode(after, int)[0], 0) if after else 0
    return page(rows[offset : offset + limit + 1], limit, lambda _: (offset + limit,), len(rows))


def directory_order(row: Any) -> tuple[int, tuple[str, str], str]:
    """Sort key of agencies in all lists: level, name."""
    return level_rank(row.level), name_order(row.name), row.id


@depends_on(Topic.WORK, Topic.DIRECTORY)
def agency_choices(
    session: Session, plan_id: int | None = None, *, on: date | None = None
) -> tuple[tuple[str, str], ...]:
    """(id, name) of every agency: the options of a select. With a plan, of those that owe something in it: an old
    plan's districts, not the communes that came after them. With a day, of those that exist on it."""
    g, a = table(Agency), table(Assignment)
    statement = select(g.c.id, g.c.name, g.c.names, g.c.level)
    if plan_id is not None:
        statement = statement.where(g.c.id.in_(select(a.c.agency_id).where(a.c.plan_id == plan_id).distinct()))
    rows = sorted(session.connection().execute(statement), key=directory_order)
    return tuple((row.id, row.name) for row in rows if on is None or exists_on(row.names, on))


def agencies_named(session: Session, typed: Collection[str]) -> dict[str, str]:
    """By what was typed, the id of the agency with this id, name, short name or alias; without those that nothing, or
    more than one agency, answers to. No query if nothing was typed."""
    wanted = {words: name_key(words) for words in typed if words.strip()}
    if not wanted:
        return {}
    g = table(Agency)
    known: dict[str, set[str]] = {}
    by_id: dict[str, set[str]] = {}
    for row in session.connection().execute(select(g.c.id, g.c.name, g.c.short, g.c.aliases)):
        by_id[row.id] = {row.id}
        for name in (row.name, row.short, *row.aliases):
            known.setdefault(name_key(name), set()).add(row.id)
    found = {words: by_id.get(words) or known.get(key, set()) for words, key in wanted.items()}
    return {words: next(iter(ids)) for words, ids in found.items() if len(ids) == 1}


def followed_agencies(session: Session, department_id: str) -> frozenset[str]:
    """Owners of assignments in its plans, the supervisors and issuers of these plans, and the department itself."""
    g, a, p = table(Agency), table(Assignment), table(Plan)
    its_own = (p.c.supervisor_id == department_id) | (p.c.issuer_id == department_id)
    plans = select(p.c.id).where(its_own)
    owners = select(g.c.id).where(exists().where(a.c.agency_id == g.c.id, a.c.plan_id.in_(plans)))
    issuers, supervisors = (select(column).where(its_own) for column in (p.c.issuer_id, p.c.supervisor_id))
    return frozenset(session.connection().scalars(union(owners, issuers, supervisors))) | {department_id}


@dataclass(frozen=True, slots=True)
class NameLine:
    """A name of an agency with its validity, both days included; None means open-ended."""

    name: str
    short: str
    since: date | None
    until: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """A succession seen from one of its two agencies: ``agency`` is the other one."""

    id: int
    agency_id: str
    agency: str
    on: date
    function: str
    basis: str


@dataclass(frozen=True, kw_only=True)
class AgencyPage:
    """``names`` newest first. ``went_to``: agencies that took over its functions; ``came_from``: agencies whose
    functions it took over."""

    id: str
    name: str
    level: str
    code: str | None
    parent_id: str | None
    parent: str | None
    aliases: tuple[str, ...]
    names: tuple[NameLine, ...]
    groups: tuple[str, ...]
    went_to: tuple[Edge, ...]
    came_from: tuple[Edge, ...]
    contacts: tuple[ContactLine, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AgencyMatch:
    """A search result. ``was``: the earlier or alternative name that matched. ``coordinators``: how many can be reached
    today."""

    id: str
    name: str
    short: str
    level: str
    was: str
    coordinators: int
    succeeded: bool


@dataclass(frozen=True, slots=True)
class DirectoryLine:
    """An agency with one of its contacts, or None where it has none."""

    agency: AgencyMatch
    contact: ContactLine | None


def agency_page(session: Session, agency_id: str) -> AgencyPage:
    """Four queries. Raises NotFound."""
    g, n = table(Agency), table(AgencyGroup)
    above = g.alias()
    statement = select(g, above.c.name.label("parent")).outerjoin(above, above.c.id == g.c.parent_id)
    row = session.connection().execute(statement.where(g.c.id == agency_id)).first()
    if row is None:
        raise NotFound(Text("Không có cơ quan này trong danh bạ.", "There is no such agency in the directory."))
    groups = session.connection().execute(select(n.c.name, n.c.members).order_by(n.c.name)).all()
    went_to, came_from = _edges(session, agency_id)
    return object_of(
        AgencyPage,
        row,
        aliases=tuple(row.aliases),
        names=tuple(_name(each) for each in reversed(row.names)),
        groups=tuple(each.name for each in groups if agency_id in each.members),
        went_to=went_to,
        came_from=came_from,
        contacts=contacts_of(session, agency_id),
    )


def search(
    session: Session,
    today: Today,
    text: str = "",
    *,
    after: str = "",
    limit: int = PER_PAGE,
    within: Collection[str] | None = None,
) -> Page[AgencyMatch]:
    """Agencies with a name that contains the text, ignoring tone marks and case, of those ``within``; always two
    queries. Reads the whole directory: a province has some hundreds of agencies."""
    g, c, s = table(Agency), table(Contact), table(Succession)
    agencies = session.connection().execute(select(g, _succeeded(s, today.day).label("succeeded")))
    reachable = (
        or_(c.c.email != "", c.c.phone != ""),
        c.c.role == Role.COORDINATOR,
        or_(c.c.valid_from.is_(None), c.c.valid_from <= today.day),
        or_(c.c.valid_until.is_(None), c.c.valid_until >= today.day),
    )
    statement = select(c.c.agency_id, func.count()).where(*reachable).group_by(c.c.agency_id)
    coordinators: dict[str, int] = {row[0]: row[1] for row in session.connection().execute(statement)}
    wanted = fold(text)
    matches = [
        object_of(AgencyMatch, row, was=was or "", coordinators=coordinators.get(row.id, 0))
        for row in sorted(agencies, key=directory_order)
        if (within is None or row.id in within) and (was := _matched_name(row, wanted)) is not None
    ]
    offset = decode(after, int)[0] if after else 0
    return page(matches[max(offset, 0) :][: limit + 1], limit, lambda _: (offset + limit,), len(matches))


def directory_lines(session: Session, agencies: Sequence[AgencyMatch]) -> Iterator[DirectoryLine]:
    """The agencies with their present contacts, in the agencies' order. One query."""
    by_agency: dict[str, list[ContactLine]] = {}
    for each in contacts_among(session, [agency.id for agency in agencies]):
        if not each.gone:
            by_agency.setdefault(each.agency_id, []).append(each)
    for agency in agencies:
        yield from (DirectoryLine(agency, each) for each in by_agency.get(agency.id, [None]))


def level_choices(session: Session) -> tuple[str, ...]:
    """The levels that occur in the directory."""
    g = table(Agency)
    return tuple(session.connection().scalars(select(g.c.level).distinct().order_by(g.c.level)))


@dataclass(frozen=True, slots=True)
class GroupLine:
    """A group of agencies; ``members``: their ids."""

    id: str
    name: str
    aliases: tuple[str, ...]
    members: tuple[str, ...]


def group_lines(session: Session) -> tuple[GroupLine, ...]:
    """All groups by name. One query."""
    n = table(AgencyGroup)
    rows = session.connection().execute(select(n.c.id, n.c.name, n.c.aliases, n.c.members).order_by(n.c.name))
    return tuple(GroupLine(row.id, row.name, tuple(row.aliases), tuple(row.members)) for row in rows)


def group_choices(session: Session) -> tuple[tuple[str, str], ...]:
    n = table(AgencyGroup)
    rows = session.connection().execute(select(n.c.id, n.c.name).order_by(n.c.name))
    return tuple((row[0], row[1]) for row in rows)


def _succeeded(s: Table, day: date) -> Exists:
    return select(s.c.id).where(s.c.from_id == table(Agency).c.id, s.c.on <= day).exists()


def _matched_name(row: AnyRow, wanted: str) -> str | None:
    """The other name that matches; "" when the present name or id matches, None when nothing does."""
    if not wanted or any(wanted in fold(each) for each in (row.name, row.short, row.id)):
        return ""
    others = [text for each in row.names for text in (each["name"], each.get("short") or "")]
    return next((text for text in (*others, *row.aliases) if wanted in fold(text)), None)


def _name(entry: AgencyName) -> NameLine:
    begins, ends = entry.get("from"), entry.get("until")
    return NameLine(
        entry["name"],
        entry.get("short") or "",
        date.fromisoformat(begins) if begins else None,
        date.fromisoformat(ends) if ends else None,
    )


def _edges(session: Session, agency_id: str) -> tuple[tuple[Edge, ...], tuple[Edge, ...]]:
    """(successors, predecessors), oldest first."""
    s, g = table(Succession), table(Agency)
    other = g.alias()
    statement = (
        select(s, g.c.name.label("giver"), other.c.name.label("taker"))
        .join(g, g.c.id == s.c.from_id)
        .join(other, other.c.id == s.c.to_id)
        .where(or_(s.c.from_id == agency_id, s.c.to_id == agency_id))
        .order_by(s.c.on, s.c.id)
    )
    rows = session.connection().execute(statement).all()
    went = (object_of(Edge, row, agency_id=row.to_id, agency=row.taker) for row in rows if row.from_id == agency_id)
    came = (object_of(Edge, row, agency_id=row.from_id, agency=row.giver) for row in rows if row.to_id == agency_id)
    return tuple(went), tuple(came)


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


def search_accounts(session: Session, text: str = "", *, after: str = "", limit: int = PER_PAGE) -> Page[AccountLine]:
    """The list of accounts, searched by mailbox, label or agency regardless of case and tone marks. Active accounts
    first, by agency and mailbox. One query that reads all accounts: a province has some hundreds."""
    wanted = fold(text)
    matches = [
        each
        for each in list_accounts(session)
        if not wanted or any(wanted in fold(field) for field in (each.email, each.label, each.agency))
    ]
    offset = decode(after, int)[0] if after else 0
    return page(matches[max(offset, 0) :][: limit + 1], limit, lambda _: (offset + limit,), len(matches))
