"""What letters say beside their lines: the weekly summary of what is overdue, and what waits for the department.

A constant number of queries for a batch of letters.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import lru_cache
from typing import Any, Protocol

from sqlalchemy import and_, func, select
from sqlmodel import Session

from engine.assignments import situations, told
from engine.assignments.backlog import Backlog, backlogs, past_plans
from engine.assignments.chasing import ANSWER_WORKING_DAYS, drafts_waiting
from engine.assignments.outbox import WEEK
from engine.assignments.promise_rows import tasks_with_broken_promises
from engine.assignments.situations import Boxes
from engine.assignments.told import AUDIENCES, REACH, AgencyChange, Since
from engine.assignments.weekly_digest import (
    OverdueRow,
    is_first_of_month,
    monitors_standing_in,
    overdue,
)
from engine.queries.figures.outlook import Behind, by_lateness
from engine.queries.system.letters import LetterCounts, count_letters
from engine.rules.calendar import local_date
from engine.rules.policy import audience, for_role
from engine.rules.words import name_order
from engine.store.database import table
from engine.store.records import Agency, Assignment, Plan
from engine.store.rulebook import Rulebook
from engine.terms import Role

MOST_NAMED = 3
"""Agencies named beside a number of what changed."""

MAX_QUOTED_WORDS = 18
"""Words of a duty's text that a letter quotes; the page shows the full text."""


@dataclass(frozen=True, slots=True)
class Change:
    """How many tasks changed so since the last digest, and at which agencies: (name, number), most first. ``what``: a
    name in ``change_words`` of the templates."""

    what: str
    agencies: tuple[tuple[str, int], ...]

    @property
    def count(self) -> int:
        return sum(number for _, number in self.agencies)

    @property
    def named(self) -> tuple[tuple[str, int], ...]:
        return self.agencies if len(self.agencies) <= MOST_NAMED else ()


_CHANGES: Mapping[str, Callable[[AgencyChange], int]] = {
    "overdue": lambda change: change.newly_overdue if change.now.overdue else 0,
    "no_longer_overdue": lambda change: -change.newly_overdue,
    "done": lambda change: change.done,
    "late_done": lambda change: 0 if change.now.overdue else change.newly_overdue,
    "no_longer_done": lambda change: -change.done,
    "broken": lambda change: change.broken,
}


@dataclass(frozen=True, slots=True)
class StandsStill:
    """What stands still of one department: ``since`` the earliest due date."""

    supervisor_id: str
    supervisor: str
    count: int
    since: date
    promised: int
    """How many of its tasks have broken a promise."""


@dataclass(frozen=True, slots=True)
class PastPlans:
    """An issuer's plans past their last date, which wait to be ended, and how many of their tasks are unfinished."""

    count: int
    unfinished: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DigestFacts:
    """The weekly part of a letter: overdue rows worst first, and for the leadership the four boxes."""

    week: str
    at: datetime
    """When the boxes were counted and the changes found."""
    rows: tuple[tuple[OverdueRow, int], ...]
    boxes: Boxes | None
    proof: LetterCounts
    """Delivery figures of the letters of the previous seven days."""
    asked: tuple[tuple[OverdueRow, int], ...] = ()
    """Requests past their time, which are not counted among ``rows``; for an agency that is only asked, and where
    nothing that was ordered is overdue, requests are the rows."""
    agency_id: str = ""
    """Of the reader: what its links show only the rows of."""
    asked_overdue: int = 0
    """How many requests of the leadership's plans are past their time."""
    late_agencies: int = 0
    """For the leadership: how many agencies have overdue tasks."""
    late_undone: int = 0
    """Of these tasks, how many have a report which says that they are not finished."""
    since: Since | None = None
    """What has changed since the last digest; None if the reader was never told anything."""
    watching: bool = False
    """The reader stands in for the monitor that their department does not have."""
    past: PastPlans | None = None
    """For the leadership: plans that are in none of these figures."""
    still: tuple[StandsStill, ...] = ()
    """For the leadership, in the first digest of a month: by department, most first."""
    drafts: int = 0
    """For the leadership: draft dispatches about its plans that wait to be signed."""
    answer_by: date | None = None
    """For the leadership: the day by which what is overdue is asked for."""

    @property
    def running(self) -> str:
        """What narrows a list to the plans of these figures, as the end of its address."""
        return "&past=no" if self.past else ""

    @property
    def on(self) -> date:
        return local_date(self.at)

    @property
    def behind(self) -> tuple[Behind, ...]:
        """The agencies of the rows, longest overdue first, then most."""
        found = dict[str, Behind]()
        for row, late in self.rows:
            first = Behind(
                id=row.agency_id, name=row.agency, level="", overdue=0, expected=0, since=row.due_on, late=late
            )
            was = found.get(row.agency_id, first)
            found[row.agency_id] = replace(was, overdue=was.overdue + 1, expected=was.expected + 1)
        return by_lateness(found.values())

    @property
    def changes(self) -> tuple[Change, ...]:
        """What has changed, by kind."""
        found = sorted(self.since.agencies, key=lambda each: name_order(each.name)) if self.since else []
        counted = {what: [(each.name, number(each)) for each in found] for what, number in _CHANGES.items()}
        most_first = {what: sorted(each, key=lambda named: -named[1]) for what, each in counted.items()}
        changed = [Change(what, tuple(named for named in each if named[1] > 0)) for what, each in most_first.items()]
        return tuple(change for change in changed if change.agencies)


class WeeklyLetter(Protocol):
    """What the weekly part needs of a letter."""

    @property
    def id(self) -> int: ...
    @property
    def agency_id(self) -> str: ...
    @property
    def contact_id(self) -> int: ...
    @property
    def role(self) -> Role: ...
    @property
    def digest_week(self) -> str | None: ...


def digests(
    session: Session, letters: Sequence[WeeklyLetter], book: Rulebook, now: datetime, *, words: bool = True
) -> dict[int, DigestFacts]:
    """The weekly part of the given letters, by letter id; without ``words`` not what has changed since the last."""
    if not letters:
        return {}
    today = local_date(now)
    owners, monitors, issuers = _readers(letters)
    standing_in = monitors_standing_in(session, owners, today) if owners else frozenset()
    monitors |= {letter.agency_id for letter in letters if letter.contact_id in standing_in}
    rows = overdue(session, today, agencies=owners, supervisors=monitors, issuers=issuers)
    past = _past(session, book, today)
    rows = [row for row in rows if row.plan_id not in past]  # their department is asked to end them
    week = count_letters(session, today - WEEK, today)
    late = {due: -book.calendar.distance(today, due) for due in {row.due_on for row in rows}}
    concerned = _by_agency(rows)
    above = _above(session, rows, sorted(issuers), book, today, past) if issuers and words else {}
    found, readers = {}, {}
    for letter in letters:
        watching = letter.contact_id in standing_in and (Role.MONITOR, letter.agency_id) in concerned
        if shown := _shown(letter, concerned, today, watching=watching):
            digest = _digest(letter, [(row, late[row.due_on]) for row in shown], week, now)
            readers[letter.id] = (Role.MONITOR if watching else audience(letter.role)), letter.agency_id
            more = above.get((letter.role, letter.agency_id), {})
            found[letter.id] = replace(digest, watching=watching, **more)
    return _told(session, found, readers, now, past) if words else found


def _told(
    session: Session,
    found: Mapping[int, DigestFacts],
    readers: Mapping[int, told.Reader],
    now: datetime,
    past: Collection[int],
) -> dict[int, DigestFacts]:
    """With the figures that each reader's week was claimed with. A machine of the version before has kept none: then
    they are counted now."""
    agencies, weeks = {agency for _, agency in readers.values()}, {digest.week for digest in found.values()}
    kept = {week: told.of_week(session, agencies, week) for week in weeks}
    before = {week: told.last(session, agencies, week) for week in weeks}
    missing = any(readers[letter] not in kept[digest.week] for letter, digest in found.items())
    counted = told.counted(session, now, past) if missing else {}
    names = told.agency_names(session)
    filled = dict(found)
    for letter, digest in found.items():
        reader = readers[letter]
        figures = kept[digest.week].get(reader) or counted.get(reader)
        if figures is not None:
            since = told.since(before[digest.week].get(reader), figures, names)
            boxes = _boxes(figures) if reader[0] is Role.LEADERSHIP else {}
            filled[letter] = replace(digest, at=figures.at, since=since, **boxes)
    return filled


def _boxes(figures: told.Figures) -> dict[str, Any]:
    return {
        "boxes": figures.total,
        "late_agencies": sum(each.overdue > 0 for each in figures.boxes.values()),
        "late_undone": figures.count("undone_late").total(),
    }


def _readers(letters: Sequence[WeeklyLetter]) -> tuple[set[str], set[str], set[str]]:
    """The agencies that read as owners, as supervisors and as issuers."""
    owners: set[str] = set()
    monitors: set[str] = set()
    issuers: set[str] = set()
    for letter in letters:
        for_role(letter.role, owner=owners, supervisor=monitors, issuer=issuers).add(letter.agency_id)
    return owners, monitors, issuers


def _past(session: Session, book: Rulebook, today: date) -> frozenset[int]:
    """The plans that are closed to letters."""
    policy = book.general
    return frozenset(past_plans(session, today, policy)) if policy else frozenset()


def _shown(
    letter: WeeklyLetter, concerned: Mapping[tuple[Role, str], Sequence[OverdueRow]], today: date, *, watching: bool
) -> list[OverdueRow]:
    """The rows of a letter, with the first words of each duty: an owner's of the last year or promised, and beside
    them those that the reader watches in the place of a monitor."""
    role = audience(letter.role)
    rows = list(concerned.get((role, letter.agency_id), ()))
    if role is Role.COORDINATOR:
        rows = [row for row in rows if row.promised_on or row.due_on >= today - REACH]
    if watching:
        rows = list(dict.fromkeys((*concerned[Role.MONITOR, letter.agency_id], *rows)))
    return [replace(row, text=first_words(row.text)) for row in rows]


def _above(
    session: Session,
    rows: Sequence[OverdueRow],
    issuers: Sequence[str],
    book: Rulebook,
    today: date,
    past: Collection[int],
) -> Mapping[tuple[Role, str], dict[str, Any]]:
    """(leadership, issuer) -> the fields that only its digest has."""
    policy = book.general
    left = _past_plans(session, past) if past else {}
    monthly = policy is not None and is_first_of_month(today, policy, book.calendar)
    still = _standing_still(session, rows) if monthly else {}
    asked = Counter(row.issuer_id for row in rows if row.request)
    issuer_of = {row.plan_id: row.issuer_id for row in rows}
    departments = {row.supervisor_id for row in rows}
    drafts = Counter(issuer_of.get(plan) for _, plan in drafts_waiting(session, today, departments))
    return {
        (Role.LEADERSHIP, issuer): {
            "asked_overdue": asked[issuer],
            "still": still.get(issuer, ()),
            "past": left.get(issuer),
            "drafts": drafts[issuer],
            "answer_by": book.calendar.shift(today, ANSWER_WORKING_DAYS),
        }
        for issuer in issuers
    }


def _past_plans(session: Session, past: Collection[int]) -> Mapping[str, PastPlans]:
    """By issuer."""
    a, p = table(Assignment), table(Plan)
    plans, left = func.count(p.c.id.distinct()).label("plans"), func.count(a.c.id).label("unfinished")
    counted = (
        select(p.c.issuer_id, plans, left)
        .select_from(p.outerjoin(a, and_(a.c.plan_id == p.c.id, situations.unfinished())))
        .where(p.c.id.in_(past))
    )
    rows = session.connection().execute(counted.group_by(p.c.issuer_id))
    return {row.issuer_id: PastPlans(row.plans, row.unfinished) for row in rows}


def _standing_still(session: Session, rows: Sequence[OverdueRow]) -> Mapping[str, tuple[StandsStill, ...]]:
    """Issuer -> what stands still of each department."""
    still = [row for row in rows if row.stands_still and not row.request]
    broke = tasks_with_broken_promises(session, [row.assignment_id for row in still])
    g = table(Agency)
    departments = select(g.c.id, g.c.name).where(g.c.id.in_({row.supervisor_id for row in still}))
    names = {row.id: row.name for row in session.connection().execute(departments)} if still else {}
    grouped: dict[tuple[str, str], list[OverdueRow]] = {}
    for row in still:
        grouped.setdefault((row.issuer_id, row.supervisor_id), []).append(row)
    found: dict[str, list[StandsStill]] = {}
    for (issuer, supervisor), each in grouped.items():
        promised = sum(row.assignment_id in broke for row in each)
        since = min(row.due_on for row in each)
        entry = StandsStill(supervisor, names.get(supervisor, supervisor), len(each), since, promised)
        found.setdefault(issuer, []).append(entry)
    return {issuer: tuple(sorted(each, key=lambda still: -still.count)) for issuer, each in found.items()}


def _digest(
    letter: WeeklyLetter, rows: Sequence[tuple[OverdueRow, int]], week: LetterCounts, now: datetime
) -> DigestFacts:
    orders = tuple(each for each in rows if not each[0].request)
    return DigestFacts(
        week=letter.digest_week or "",
        at=now,
        rows=orders or tuple(rows),
        boxes=None,
        proof=week,
        asked=tuple(each for each in rows if each[0].request) if orders else (),
        agency_id=letter.agency_id,
    )


def waiting_lists(session: Session, letters: Sequence[WeeklyLetter], book: Rulebook, today: date) -> dict[int, Backlog]:
    """What waits for the department of each letter, by letter id: for its monitor in every letter, for its head in the
    weekly one, once something has waited for too long."""
    policy = book.general
    readers = [each for each in letters if each.role is Role.MONITOR or (each.role is Role.HEAD and each.digest_week)]
    if policy is None or not readers:
        return {}
    found = backlogs(session, {each.agency_id for each in readers}, book.calendar, today, policy)
    return {
        each.id: found[each.agency_id]
        for each in readers
        if each.agency_id in found and (each.role is Role.MONITOR or found[each.agency_id].old)
    }


def _by_agency(rows: Sequence[OverdueRow]) -> Mapping[tuple[Role, str], Sequence[OverdueRow]]:
    """The overdue rows for the digest of each (audience, agency). Requests are listed for the agency and the monitor,
    not for the leadership."""
    found: dict[tuple[Role, str], list[OverdueRow]] = {}
    for row in rows:
        for role in AUDIENCES:
            if not row.request or role is not Role.LEADERSHIP:
                agency_id = for_role(role, owner=row.agency_id, supervisor=row.supervisor_id, issuer=row.issuer_id)
                found.setdefault((role, agency_id), []).append(row)
    return found


@lru_cache(maxsize=2048)
def first_words(text: str) -> str:
    words = text.split()
    return " ".join(words[:MAX_QUOTED_WORDS]).rstrip(";,.") + " …" if len(words) > MAX_QUOTED_WORDS else text
