"""Load the content of a batch of letters in a constant number of queries, checked against the current state.

A line that has become obsolete (already reported, cancelled, extended) is left out with its reason: a reminder is
never sent for something already done.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any

from sqlalchemy import select
from sqlmodel import Session

from engine.assignments.measures import is_unfinished, report_timing
from engine.assignments.weekly_digest import AUDIENCES, Boxes, OverdueRow, boxes, overdue, schedule
from engine.queries.system.letter_counts import LetterCounts, count_letters
from engine.rules.calendar import local_date
from engine.rules.policy import audience, dates, for_role
from engine.store.database import among, table
from engine.store.records import Agency, Assignment, Contact, Duty, Incoming, Letter, Notice, Plan
from engine.store.rulebook import Rulebook
from engine.terms import OPEN_STATES, NoticeKind, Outcome, PlanState, Role, State, Timing
from engine.text import Text

MAX_QUOTED_WORDS = 18
"""Words of a duty's text that a letter quotes; the page shows the full text."""

# Worst first: the order of a letter's parts. Of several lines about one assignment only the first is kept.
ORDER = (
    NoticeKind.RETURNED,
    NoticeKind.ESCALATION,
    NoticeKind.OVERDUE,
    NoticeKind.CHASE,
    NoticeKind.REMINDER,
    NoticeKind.UNACKNOWLEDGED,
    NoticeKind.UNREACHABLE,
    NoticeKind.WROTE,
    NoticeKind.NOT_MINE,
    NoticeKind.EXTENSION_ASKED,
    NoticeKind.ACKNOWLEDGE,
    NoticeKind.ASSIGNED,
    NoticeKind.EXTENSION_DECIDED,
    NoticeKind.DUE_MOVED,
    NoticeKind.TRANSFERRED,
    NoticeKind.CANCELLED,
)
RANK = {kind: position for position, kind in enumerate(ORDER)}
ONLY_WHILE_OPEN = {
    NoticeKind.REMINDER,
    NoticeKind.OVERDUE,
    NoticeKind.ESCALATION,
    NoticeKind.NOT_MINE,
    NoticeKind.UNREACHABLE,
}
"""Kinds that ask for a report, or are of use only while one is owed."""
ONLY_WHILE_UNFINISHED = {NoticeKind.CHASE, NoticeKind.EXTENSION_ASKED, NoticeKind.DUE_MOVED}
"""Kinds about the task: still true of one whose report says «một phần» or «chưa làm»."""
ONLY_UNACKNOWLEDGED = {NoticeKind.ASSIGNED, NoticeKind.ACKNOWLEDGE, NoticeKind.UNACKNOWLEDGED}
ONLY_WHILE_LATE = {NoticeKind.OVERDUE, NoticeKind.ESCALATION}
ALWAYS_KEPT = {NoticeKind.WROTE, NoticeKind.UNREACHABLE}
"""Kinds that are kept even if another line is about the same assignment."""
ANSWER = "answer:"
"""Key prefix of letters that answer an incoming message; the message's id follows the last colon."""


@dataclass(frozen=True, slots=True)
class Item:
    """One line about one assignment. ``days``: working days to the due date, negative when late. ``next_on``: date of
    the next action; ``told_on`` and ``told``: when and to which role it is escalated next if nothing changes."""

    assignment_id: int
    plan_id: int
    plan: str
    short_title: str
    sms_name: str
    citation: str
    position: int
    text: str
    agency: str
    period: str
    due_on: date | None
    due_why: str
    days: int | None
    kind: NoticeKind
    rung: str
    level: int
    state: State
    request: bool
    outcome: Outcome | None
    """What the report that stands says of the task; None without one."""
    first_reported_on: date | None
    report_late: bool
    """The first report was late."""
    next_on: date | None
    told_on: date | None
    told: Role | None
    supervisor: str
    detail: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class DigestFacts:
    """The weekly part of a letter: overdue rows worst first, and for the leadership the four boxes."""

    week: str
    rows: tuple[tuple[OverdueRow, int], ...]
    boxes: Boxes | None
    proof: LetterCounts
    """Delivery figures of the letters of the previous seven days."""
    supervisor: str = ""
    """The supervising department, the agency's contact for questions."""
    asked: tuple[tuple[OverdueRow, int], ...] = ()
    """Requests past their time, which are not counted among ``rows``; for an agency that is only asked, and where
    nothing that was ordered is overdue, requests are the rows."""
    agency_id: str = ""
    """Of the reader: what its links show only the rows of."""
    asked_overdue: int = 0
    """How many requests of the leadership's plans are past their time."""


@dataclass(frozen=True, slots=True)
class AnswerFacts:
    """The message that a letter answers. ``problem``: one sentence; ``in_reply_to``: the message's Message-ID."""

    problem: Text | None
    in_reply_to: str


@dataclass(frozen=True, slots=True)
class SignInFacts:
    """A sign-in link: its full URL, the requesting device (empty: unknown) and the time of the request."""

    url: str
    device: str
    at: datetime


@dataclass(frozen=True, slots=True)
class AccountFacts:
    """What changed about an account: one sentence, the device that did it (empty: unknown) and the time."""

    sentence: str
    device: str
    at: datetime


@dataclass(frozen=True, slots=True)
class LetterFacts:
    """The input for rendering one letter."""

    letter_id: int
    key: str
    contact_id: int
    role: Role
    channel: str
    day: date
    language: str
    to: str
    label: str
    agency: str
    items: tuple[Item, ...]
    digest: DigestFacts | None
    obsolete: Mapping[int, str] = field(default_factory=dict)
    """Notice id -> why it was left out."""
    unsendable: str = ""
    """Why the letter cannot be sent to this contact; empty if it can."""
    answer: AnswerFacts | None = None
    slowable: bool = False
    """The reader could choose to get some of its lines once a week, and has not yet."""
    code: str = ""
    """The short code for a reply by SMS."""
    sign_in: SignInFacts | None = None
    account: AccountFacts | None = None
    links_since: datetime | None = None
    """Time at which the contact's earlier links were revoked."""

    @property
    def empty(self) -> bool:
        parts = (self.digest, self.answer, self.sign_in, self.account)
        return not self.items and all(each is None for each in parts)


def obsolete_reason(
    kind: NoticeKind,
    state: State,
    due_on: date | None,
    today: date,
    plan: PlanState = PlanState.ACTIVE,
    *,
    unfinished: bool | None = None,
) -> str:
    """Why a line is obsolete; empty if it still applies. ``unfinished``: the task is; by default while a report is
    owed."""
    if plan is PlanState.ENDED and kind in ONLY_WHILE_OPEN | ONLY_WHILE_UNFINISHED | ONLY_UNACKNOWLEDGED:
        return "plan_ended"
    if kind in ONLY_WHILE_UNFINISHED and not (state in OPEN_STATES if unfinished is None else unfinished):
        return str(state)
    if kind in ONLY_UNACKNOWLEDGED and state is not State.ASSIGNED:
        return "acknowledged" if state in OPEN_STATES else str(state)
    if kind in ONLY_WHILE_OPEN and state not in OPEN_STATES:
        return str(state)
    if kind is NoticeKind.RETURNED and state is not State.RETURNED:
        return str(state)
    if kind in ONLY_WHILE_LATE and due_on is not None and due_on >= today:
        return "due_moved"
    return ""


def gather(session: Session, letter_ids: Sequence[int], book: Rulebook, now: datetime) -> list[LetterFacts]:
    """The facts of a batch of letters, in the order of ``letter_ids``."""
    today = local_date(now)
    letters = _letters(session, letter_ids)
    notices = _notices(session, letter_ids)
    supervisors = _names(session, {row.supervisor_id for rows in notices.values() for row in rows})
    digests = _digests(session, [row for row in letters.values() if row.digest_week], book, today)
    answers = _answers(session, [row for row in letters.values() if row.key.startswith(ANSWER)])
    policy = schedule(book)
    batch = _Batch(book, today, supervisors, frozenset() if policy is None else frozenset(policy.may_stop))
    return [
        _facts(letters[each], notices.get(each, ()), digests.get(each) or answers.get(each), batch)
        for each in letter_ids
    ]


@dataclass(frozen=True, slots=True)
class _Batch:
    """Shared context for the lines of a batch; caches values that depend on dates only."""

    book: Rulebook
    today: date
    supervisors: Mapping[str, str]
    may_stop: frozenset[NoticeKind]
    counts: dict[date, int] = field(default_factory=dict)
    told: dict[Any, tuple[date | None, Role | None]] = field(default_factory=dict)

    def days(self, due_on: date | None) -> int | None:
        if due_on is None:
            return None
        if due_on not in self.counts:
            self.counts[due_on] = self.book.calendar.distance(self.today, due_on)
        return self.counts[due_on]

    def next_escalation(self, row: Any) -> tuple[date | None, Role | None]:
        """Date and role of the next escalation above the agency if nothing changes, (None, None) if there is none."""
        same_dates = row.ladder_id, row.opened_on, row.due_on
        if same_dates not in self.told:
            rungs = dates(self.book.ladders[row.ladder_id], row.opened_on, row.due_on, self.book.calendar)
            above = ((on, rung.tier) for on, rung in rungs if on > self.today and rung.level and rung.tier)
            on, tier = next(above, (None, 0))
            self.told[same_dates] = on, (None, Role.MONITOR, Role.LEADERSHIP)[tier]
        return self.told[same_dates]


def _facts(letter: Any, notices: Sequence[Any], extra: DigestFacts | AnswerFacts | None, batch: _Batch) -> LetterFacts:
    obsolete: dict[int, str] = {}
    kept: dict[Any, Any] = {}
    for row in sorted(notices, key=lambda each: RANK[each.kind]):
        unfinished = is_unfinished(row.state, row.done_on)
        reason = obsolete_reason(row.kind, row.state, row.due_on, batch.today, row.plan_state, unfinished=unfinished)
        topic = (row.kind, row.id) if row.kind in ALWAYS_KEPT else row.assignment_id
        if not reason and topic in kept:
            reason = "said_already"
        if reason:
            obsolete[row.id] = reason
        else:
            kept[topic] = row
    items = tuple(sorted((_item(row, letter.language, batch) for row in kept.values()), key=_worst_first))
    address = letter.phone if letter.channel == "sms" else letter.email
    return LetterFacts(
        letter.id,
        letter.key,
        letter.contact_id,
        letter.role,
        letter.channel,
        letter.day,
        letter.language,
        address,
        letter.label,
        letter.agency,
        items,
        extra if isinstance(extra, DigestFacts) else None,
        obsolete,
        _unsendable(letter, address, batch.today),
        extra if isinstance(extra, AnswerFacts) else None,
        letter.channel not in letter.pace and any(item.kind in batch.may_stop for item in items),
        links_since=letter.links_since,
    )


def _unsendable(letter: Any, address: str, today: date) -> str:
    if not address:
        return "no_address"
    if letter.channel in letter.suppressed:
        return "address_suppressed"
    over = letter.valid_until is not None and letter.valid_until < today
    return "no_longer_answers" if over else ""


def _worst_first(item: Item) -> tuple[int, date, int, int, str]:
    return RANK[item.kind], item.due_on or date.max, item.plan_id, item.position, item.agency


def _item(row: Any, language: str, batch: _Batch) -> Item:
    told_on, told = batch.next_escalation(row)
    return Item(
        row.assignment_id,
        row.plan_id,
        row.number,
        row.short_title,
        row.sms_name,
        row.citation,
        row.position,
        first_words(row.text),
        row.agency,
        row.period,
        row.due_on,
        _due_explanation(row.due_why, language),
        batch.days(row.due_on),
        row.kind,
        row.rung,
        row.level,
        row.state,
        row.request,
        row.outcome,
        row.first_reported_on,
        report_timing(row) is Timing.LATE,
        None if row.next_action_at is None else local_date(row.next_action_at),
        told_on,
        told,
        batch.supervisors.get(row.supervisor_id, ""),
        row.detail,
    )


def _due_explanation(why: Mapping[str, str], language: str) -> str:
    """The explanation of a due date that was moved («… → …»), else ""."""
    words = why.get(language, "")
    return words if "→" in words else ""


@lru_cache(maxsize=2048)
def first_words(text: str) -> str:
    words = text.split()
    return " ".join(words[:MAX_QUOTED_WORDS]).rstrip(";,.") + " …" if len(words) > MAX_QUOTED_WORDS else text


def _letters(session: Session, letter_ids: Sequence[int]) -> dict[int, Any]:
    m, c, g = table(Letter), table(Contact), table(Agency)
    query = (
        select(
            m.c.id,
            m.c.key,
            m.c.contact_id,
            m.c.agency_id,
            m.c.role,
            m.c.channel,
            m.c.day,
            m.c.digest_week,
            c.c.email,
            c.c.phone,
            c.c.language,
            c.c.label,
            c.c.valid_until,
            c.c.suppressed,
            c.c.pace,
            c.c.links_since,
            g.c.name.label("agency"),
        )
        .join(c, c.c.id == m.c.contact_id)
        .join(g, g.c.id == m.c.agency_id)
        .where(among(session, m.c.id, letter_ids))
    )
    return {row.id: row for row in session.connection().execute(query).all()}


def _notices(session: Session, letter_ids: Sequence[int]) -> dict[int, list[Any]]:
    n, a, d, p, g = table(Notice), table(Assignment), table(Duty), table(Plan), table(Agency)
    query = (
        select(
            n.c.id,
            n.c.letter_id,
            n.c.assignment_id,
            n.c.kind,
            n.c.rung,
            n.c.level,
            n.c.detail,
            a.c.state,
            a.c.period,
            a.c.due_on,
            a.c.due_why,
            a.c.opened_on,
            a.c.ladder_id,
            a.c.next_action_at,
            a.c.supervisor_id,
            a.c.plan_id,
            d.c.citation,
            d.c.position,
            d.c.text,
            a.c.request,
            a.c.outcome,
            a.c.done_on,
            a.c.first_reported_on,
            a.c.first_due_on,
            p.c.number,
            p.c.short_title,
            p.c.sms_name,
            p.c.state.label("plan_state"),
            g.c.name.label("agency"),
        )
        .join(a, a.c.id == n.c.assignment_id)
        .join(d, d.c.id == a.c.duty_id)
        .join(p, p.c.id == a.c.plan_id)
        .join(g, g.c.id == a.c.agency_id)
        .where(among(session, n.c.letter_id, letter_ids))
        .order_by(n.c.id)
    )
    grouped: dict[int, list[Any]] = {}
    for row in session.connection().execute(query).all():
        grouped.setdefault(row.letter_id, []).append(row)
    return grouped


def _answers(session: Session, letters: Sequence[Any]) -> dict[int, AnswerFacts]:
    """The content of letters that answer an incoming message, by letter id."""
    if not letters:
        return {}
    by_message = {int(row.key.rpartition(":")[2]): row.id for row in letters}
    i = table(Incoming)
    query = select(i.c.id, i.c.external_id, i.c.detail).where(i.c.id.in_(list(by_message)))
    return {
        by_message[row.id]: AnswerFacts(
            Text(*row.detail["problem"]) if "problem" in row.detail else None, row.external_id
        )
        for row in session.connection().execute(query)
    }


def _names(session: Session, ids: Iterable[str]) -> dict[str, str]:
    g = table(Agency)
    query = select(g.c.id, g.c.name).where(among(session, g.c.id, ids))
    return {row.id: row.name for row in session.connection().execute(query)}


def _digests(session: Session, letters: Sequence[Any], book: Rulebook, today: date) -> dict[int, DigestFacts]:
    """The weekly part of the given letters, by letter id; a constant number of queries."""
    if not letters:
        return {}
    owners: set[str] = set()
    monitors: set[str] = set()
    leaders: set[str] = set()
    for letter in letters:
        for_role(letter.role, owner=owners, supervisor=monitors, issuer=leaders).add(letter.agency_id)
    rows = overdue(session, today, agencies=owners, supervisors=monitors, issuers=leaders)
    counts = boxes(session, today, sorted(leaders)) if leaders else {}
    week = count_letters(session, today - timedelta(days=7), today)
    late = {due: -book.calendar.distance(today, due) for due in {row.due_on for row in rows}}
    concerned = _by_agency(rows)
    names = _names(session, {row.supervisor_id for row in rows})
    found = {}
    for letter in letters:
        key = audience(letter.role), letter.agency_id
        mine = tuple((row, late[row.due_on]) for row in concerned.get(key, ()))
        if mine:
            orders = tuple(each for each in mine if not each[0].request)
            asked = tuple(each for each in mine if each[0].request) if orders else ()
            leads = letter.role is Role.LEADERSHIP
            found[letter.id] = DigestFacts(
                letter.digest_week,
                orders or mine,
                counts.get(letter.agency_id) if leads else None,
                week,
                names[mine[0][0].supervisor_id],
                asked,
                letter.agency_id,
                sum(row.request and row.issuer_id == letter.agency_id for row in rows) if leads else 0,
            )
    return found


def _by_agency(rows: Sequence[OverdueRow]) -> dict[tuple[Role, str], list[OverdueRow]]:
    """The overdue rows for the digest of each (audience, agency). Requests are listed for the agency and the monitor,
    not for the leadership."""
    found: dict[tuple[Role, str], list[OverdueRow]] = {}
    for row in rows:
        for role in AUDIENCES:
            if not row.request or role is not Role.LEADERSHIP:
                agency_id = for_role(role, owner=row.agency_id, supervisor=row.supervisor_id, issuer=row.issuer_id)
                found.setdefault((role, agency_id), []).append(row)
    return found
