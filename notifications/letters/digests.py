"""What letters say beside their lines: the weekly summary of what is overdue, and what waits for the department.

A constant number of queries for a batch of letters.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Protocol

from sqlmodel import Session

from engine.assignments.backlog import Backlog, backlogs
from engine.assignments.weekly_digest import AUDIENCES, Boxes, OverdueRow, boxes, boxes_on, overdue, schedule
from engine.queries.system.letter_counts import LetterCounts, count_letters
from engine.rules.policy import audience, for_role
from engine.store.rulebook import Rulebook
from engine.terms import Role

WEEK = timedelta(days=7)


@dataclass(frozen=True, slots=True, kw_only=True)
class DigestFacts:
    """The weekly part of a letter: overdue rows worst first, and for the leadership the four boxes."""

    week: str
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
    before: Boxes | None = None
    """The boxes of a week ago; None if there was nothing then."""

    @property
    def done_more(self) -> int:
        """How many more tasks are done than a week ago."""
        return self.boxes.done - self.before.done if self.boxes and self.before else 0

    @property
    def overdue_more(self) -> int:
        return self.boxes.open_overdue - self.before.open_overdue if self.boxes and self.before else 0


class WeeklyLetter(Protocol):
    """What the weekly part needs of a letter."""

    @property
    def id(self) -> int: ...
    @property
    def agency_id(self) -> str: ...
    @property
    def role(self) -> Role: ...
    @property
    def digest_week(self) -> str | None: ...


def digests(session: Session, letters: Sequence[WeeklyLetter], book: Rulebook, today: date) -> dict[int, DigestFacts]:
    """The weekly part of the given letters, by letter id."""
    if not letters:
        return {}
    owners: set[str] = set()
    monitors: set[str] = set()
    issuers: set[str] = set()
    for letter in letters:
        for_role(letter.role, owner=owners, supervisor=monitors, issuer=issuers).add(letter.agency_id)
    rows = overdue(session, today, agencies=owners, supervisors=monitors, issuers=issuers)
    counts = boxes(session, today, sorted(issuers)) if issuers else {}
    earlier = boxes_on(session, today - WEEK, sorted(issuers)) if issuers else {}
    week = count_letters(session, today - WEEK, today)
    late = {due: -book.calendar.distance(today, due) for due in {row.due_on for row in rows}}
    concerned = _by_agency(rows)
    found = {}
    for letter in letters:
        key = audience(letter.role), letter.agency_id
        if key not in concerned:
            continue
        digest = _digest(letter, [(row, late[row.due_on]) for row in concerned[key]], week)
        if letter.role is Role.LEADERSHIP:
            before = earlier.get(letter.agency_id)
            digest = replace(
                digest,
                boxes=counts.get(letter.agency_id),
                asked_overdue=sum(row.request and row.issuer_id == letter.agency_id for row in rows),
                before=before if before and before.expected else None,
            )
        found[letter.id] = digest
    return found


def _digest(letter: WeeklyLetter, rows: Sequence[tuple[OverdueRow, int]], week: LetterCounts) -> DigestFacts:
    orders = tuple(each for each in rows if not each[0].request)
    return DigestFacts(
        week=letter.digest_week or "",
        rows=orders or tuple(rows),
        boxes=None,
        proof=week,
        asked=tuple(each for each in rows if each[0].request) if orders else (),
        agency_id=letter.agency_id,
    )


def waiting_lists(session: Session, letters: Sequence[WeeklyLetter], book: Rulebook, today: date) -> dict[int, Backlog]:
    """What waits for the department of each letter, by letter id: for its monitor in every letter, for its head in the
    weekly one, once something has waited for too long."""
    policy = schedule(book)
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
