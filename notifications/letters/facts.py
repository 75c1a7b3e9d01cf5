"""Load the content of a batch of letters in a constant number of queries, checked against the current state.

A line that has become obsolete (already reported, cancelled, extended) is left out with its reason: a reminder is
never sent for something already done.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, case, exists, false, select, true
from sqlmodel import Session

from engine.agencies.preferences import DEPUTY_NAMED
from engine.assignments.backlog import Backlog, open_refusal
from engine.assignments.chasing import Chased, asked_to_acknowledge, being_escalated, chased
from engine.assignments.handover import Successions
from engine.assignments.outbox import WITHDRAWN
from engine.assignments.promise_rows import promise_waits, promises_made
from engine.assignments.situations import report_timing
from engine.correspondence.entries import waiting_entries
from engine.correspondence.handling import ANSWER
from engine.enums import complete
from engine.queries.directory import Enquiries, administrator, monitors
from engine.rules.calendar import local_date, tells_of_move
from engine.rules.policy import Facts, Rung, upcoming
from engine.rules.situation import behind_due, is_past, is_unfinished, lacks_report
from engine.store.database import among, table
from engine.store.recipients import address_of, last_day
from engine.store.records import Agency, Assignment, Contact, Duty, Event, Extension, Incoming, Letter, Notice, Plan
from engine.store.records.plans import AgencyName
from engine.store.rulebook import Rulebook
from engine.store.stored_rows import object_of, objects
from engine.terms import NoticeKind, Outcome, PlanState, Role, State, Timing, Urgency
from engine.text import Text
from engine.views.next_step import Bodies, next_step
from notifications.letters.digests import DigestFacts, digests, first_words, waiting_lists
from notifications.letters.obsolete import ALWAYS_KEPT, ONLY_WHILE_LATE, obsolete_reason

MAX_HEIRS = 6
"""Successors that are named of an agency that has ended."""
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
    NoticeKind.PROMISE_ASKED,
    NoticeKind.RAISED,
    NoticeKind.ANSWERED,
    NoticeKind.ACKNOWLEDGE,
    NoticeKind.ASSIGNED,
    NoticeKind.EXTENSION_DECIDED,
    NoticeKind.PROMISE_DECIDED,
    NoticeKind.DUE_MOVED,
    NoticeKind.AMENDED,
    NoticeKind.TRANSFERRED,
    NoticeKind.CANCELLED,
    NoticeKind.PLAN_ENDED,
    NoticeKind.REORGANISED,
    NoticeKind.PROGRESS,
    NoticeKind.COORDINATES,
)
RANK = complete(NoticeKind, {kind: position for position, kind in enumerate(ORDER)})
ASKED_TO_ACKNOWLEDGE = (NoticeKind.ASSIGNED, NoticeKind.ACKNOWLEDGE)
FOLLOWING = (Role.MONITOR, Role.DIRECTOR)
"""Roles that are written to because their department follows the plan."""


def about_duties() -> ColumnElement[bool]:
    """Condition: a letter about duties, as the day's are, and none that answers a message or tells of a deputy."""
    key = table(Letter).c.key
    return and_(~key.startswith(ANSWER), ~key.startswith(DEPUTY_NAMED))


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One line about one assignment. ``days``: working days to the due date, negative when late. ``next_on`` and
    ``next_step``: when the system acts next if nothing changes, and what it does, in the reader's language. ``own``:
    the reader's own agency owes it. ``chased``: what was sent to the owner before today; ``escalating``: an escalation
    goes to the owner today. ``asks_paper``: the monitor is asked for a chasing letter on paper. ``asked``: when the
    owner was asked to acknowledge it before today."""

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
    state: State
    request: bool
    outcome: Outcome | None
    """What the report that stands says of the task; None without one."""
    first_reported_on: date | None
    report_late: bool
    """The first report was late."""
    next_on: date | None
    next_step: str
    supervisor: str
    issuer: str
    detail: Mapping[str, Any]
    own: bool = True
    chased: Chased | None = None
    escalating: bool = False
    asks_paper: bool = False
    asked: Sequence[date] = ()
    reported_on: date | None = None
    """The day of the report that stands."""
    extension_waits: bool = False
    """An extension is asked for and not decided."""
    urgency: Urgency = Urgency.NORMAL
    """Of the plan."""
    chased_from: date | None = None
    """The day from which chasing is counted, if a report that leaves the task unfinished moved it past ``due_on``."""
    promised_on: date | None = None
    """The day of its last promise that counts, kept or not, while it is unfinished."""
    promises: int = 0
    """How many promises were made."""
    promise_past: bool = False
    promise_waits: date | None = None
    """A promised day that waits for the department's agreement."""
    title: str = ""
    """Of the plan."""
    output: str = ""
    """What the duty owes beside the work, in its first words."""
    returning: bool = False
    """Its agency has had the duty before, in an earlier period."""

    @property
    def undone(self) -> bool:
        """The report that stands leaves the task unfinished."""
        return self.outcome is not None and not self.outcome.ends

    @property
    def unreported(self) -> bool:
        return lacks_report(self.state)

    @property
    def open(self) -> bool:
        """A report is waited for: none is in, or the one that stands leaves the task unfinished."""
        return self.undone or self.unreported

    @property
    def level(self) -> int:
        """The number of this escalation, of those that left for the owner: «đôn đốc lần n»."""
        return (self.chased.level if self.chased else 0) + self.escalating


@dataclass(frozen=True, slots=True)
class AnswerFacts:
    """The message that a letter answers. ``problem``: what was not done; ``in_reply_to``: the message's Message-ID;
    ``done``: something that it asked was done; ``left_open``: something was not. ``problem`` says both."""

    problem: Text | None
    in_reply_to: str
    done: bool = False
    left_open: bool = False


@dataclass(frozen=True, slots=True)
class SignInFacts:
    """A sign-in link: its full URL, the requesting device (empty: unknown) and the time of the request."""

    url: str
    device: str
    at: datetime
    until: date | None = None
    """Of a letter's link that is sent anew: its last day."""


@dataclass(frozen=True, slots=True)
class AccountFacts:
    """What changed about an account: one sentence, the device that did it (empty: unknown) and the time."""

    sentence: str
    device: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class DeputyFacts:
    """A deputy who was just named or ``proposed``: mailbox or number, position, days, and the role of the contact in
    whose name. ``id``: of the deputy. ``refused``: a proposal that the agency did not make, told to the monitors; who
    it was is blanked by then."""

    id: int
    address: str
    label: str
    valid_from: date | None
    valid_until: date | None
    instead: bool
    named_by: Role
    agency: str = ""
    proposed: bool = False
    refused: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
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
    slowed: bool = False
    """They have, or somebody to whom a letter was forwarded: each letter says so."""
    code: str = ""
    """The short code for a reply by SMS."""
    sign_in: SignInFacts | None = None
    account: AccountFacts | None = None
    deputy: DeputyFacts | None = None
    links_since: datetime | None = None
    """Time at which the contact's earlier links were revoked."""
    backlog: Backlog | None = None
    """What waits for the reader's department."""
    weekly: bool = False
    """It is the week's digest, which is sent even if all it says is what waits for the department."""
    enquiries: Enquiries | None = None
    """Whom the reader can call."""

    @property
    def empty(self) -> bool:
        weekly = self.weekly and self.backlog is not None
        parts = (self.digest, self.answer, self.sign_in, self.account, self.deputy)
        return not (self.items or weekly or any(each is not None for each in parts))


def gather(
    session: Session, letter_ids: Sequence[int], book: Rulebook, now: datetime, *, words: bool = True
) -> list[LetterFacts]:
    """The facts of a batch of letters, in the order of ``letter_ids``; without ``words`` those alone that decide
    whether a letter is sent."""
    today = local_date(now)
    letters = _letters(session, letter_ids)
    notices = _notices(session, letter_ids)
    weekly = digests(session, [row for row in letters.values() if row.digest_week], book, now, words=words)
    waiting = waiting_lists(session, list(letters.values()), book, today)
    answers = _answers(session, [row for row in letters.values() if row.key.startswith(ANSWER)])
    named = _deputies(session, [row for row in letters.values() if row.key.startswith(DEPUTY_NAMED)])
    batch = _batch(session, [row for rows in notices.values() for row in rows], book, today, words=words)
    above = {each: _department(letters[each], notices.get(each, ()), weekly.get(each)) for each in letter_ids}
    departments = monitors(session, {each for each in above.values() if each}, today) if words else {}
    helpdesk = administrator(session) if words else None
    return [
        replace(
            _facts(letters[each], notices.get(each, ()), weekly.get(each), answers.get(each), batch),
            deputy=named.get(each),
            backlog=waiting.get(each),
            enquiries=departments.get(above[each], helpdesk),
        )
        for each in letter_ids
    ]


def _department(letter: _Letter, notices: Sequence[_Notice], digest: DigestFacts | None) -> str:
    """The department above the duties that a letter is about; of a letter about one's own department, to its head that
    department itself; else empty."""
    rows = [row.supervisor_id for row in notices]
    rows += [row.supervisor_id for row, _ in digest.rows] if digest else []
    own = letter.agency_id if letter.role is Role.HEAD else ""
    return next((each for each in rows if each != letter.agency_id), own)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Letter:
    """A letter with its recipient and their agency, as stored."""

    id: int
    key: str
    contact_id: int
    agency_id: str
    role: Role
    channel: str
    day: date
    digest_week: str | None
    email: str
    phone: str
    language: str
    label: str
    valid_until: date | None
    suppressed: Mapping[str, str]
    pace: Mapping[str, str]
    links_since: datetime | None
    agency: str
    agency_names: Sequence[AgencyName]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Notice:
    """A line of a letter with its assignment, duty and plan, as stored."""

    id: int
    letter_id: int
    assignment_id: int
    kind: NoticeKind
    rung: str
    detail: Mapping[str, Any]
    owner_id: str
    state: State
    period: str
    due_on: date | None
    due_why: Mapping[str, str]
    opened_on: date
    ladder_id: int
    next_action_at: datetime | None
    supervisor_id: str
    plan_id: int
    citation: str
    position: int
    text: str
    output: Mapping[str, str] | None
    request: bool
    outcome: Outcome | None
    done_on: date | None
    reported_on: date | None
    promised_on: date | None
    promises: int
    promise_waits: date | None
    broken_before: int
    first_reported_on: date | None
    first_due_on: date | None
    number: str
    short_title: str
    title: str
    sms_name: str
    plan_state: PlanState
    urgency: Urgency
    extension_waits: bool
    agency: str
    supervisor: str
    issuer_id: str
    issuer: str
    undecided: bool
    comes_again: bool


_Dates = tuple[int, date, date | None, State, date | None, int]
"""What the next rung depends on: ladder, opening, due date, state, promised day, promises broken before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Batch:
    """Shared context for the lines of a batch; caches values that depend on dates only."""

    book: Rulebook
    today: date
    may_stop: frozenset[NoticeKind]
    chased: Mapping[int, Chased]
    escalating: frozenset[int]
    asked: Mapping[int, Sequence[date]]
    raised: frozenset[int]
    """Entries that wait for an answer."""
    ended: Mapping[str, Mapping[str, object]]
    """Owners that have ended, with their last day and who follows them."""
    counts: dict[date, int] = field(default_factory=dict)
    rungs: dict[_Dates, tuple[date | None, Rung | None]] = field(default_factory=dict)

    def days(self, due_on: date | None) -> int | None:
        if due_on is None:
            return None
        if due_on not in self.counts:
            self.counts[due_on] = self.book.calendar.distance(self.today, due_on)
        return self.counts[due_on]

    def detail(self, row: _Notice) -> Mapping[str, Any]:
        """The line's own; of an agency that cannot be reached since it has ended, with who follows it."""
        ended = self.ended.get(row.owner_id, {}) if row.kind is NoticeKind.UNREACHABLE else {}
        return {**row.detail, **ended} if ended else row.detail

    def next_rung(self, row: _Notice) -> tuple[date | None, Rung | None]:
        """The next rung and its date if nothing changes; (None, None) if none is left."""
        if row.next_action_at is None:
            return None, None
        same_dates = row.ladder_id, row.opened_on, row.due_on, row.state, row.promised_on, row.broken_before
        if same_dates not in self.rungs:
            facts = Facts(row.state, row.opened_on, row.due_on, self.today, row.promised_on, row.broken_before)
            left = upcoming(self.book.ladders[row.ladder_id], facts, self.book.calendar)
            self.rungs[same_dates] = next(left, (None, None))
        return self.rungs[same_dates]


def _batch(session: Session, notices: Sequence[_Notice], book: Rulebook, today: date, *, words: bool) -> _Batch:
    late = {row.assignment_id for row in notices if words and row.kind in ONLY_WHILE_LATE}
    again = {NoticeKind.ACKNOWLEDGE, NoticeKind.UNACKNOWLEDGED}
    fresh = {row.assignment_id for row in notices if words and row.kind in again}
    raised = {row.detail["entry"] for row in notices if row.kind is NoticeKind.RAISED and "entry" in row.detail}
    policy = book.general
    return _Batch(
        book=book,
        today=today,
        may_stop=frozenset() if policy is None else frozenset(policy.may_stop),
        chased=chased(session, late, before=today) if late else {},
        escalating=being_escalated(session, late, today) if late else frozenset(),
        asked=asked_to_acknowledge(session, fresh, before=today) if fresh else {},
        raised=waiting_entries(session, raised) if raised else frozenset(),
        ended=_ended(session, {row.owner_id for row in notices if row.kind is NoticeKind.UNREACHABLE}, today),
    )


def _ended(session: Session, agency_ids: Collection[str], today: date) -> dict[str, dict[str, object]]:
    """Those of the agencies that have ended: nobody is to be named there, but who follows them is to be told."""
    if not agency_ids:
        return {}
    g = table(Agency)
    rows = session.connection().execute(select(g.c.id, g.c.names).where(g.c.id.in_(list(agency_ids)))).all()
    gone = {row.id: day for row in rows if (day := last_day(row.names)) is not None and day < today}
    if not gone:
        return {}
    known = Successions(session, today)
    return {
        each: {"ended": day.isoformat(), "heirs": [heir.agency for heir in known.of(each)][:MAX_HEIRS]}
        for each, day in gone.items()
    }


def _facts(
    letter: _Letter, notices: Sequence[_Notice], digest: DigestFacts | None, answer: AnswerFacts | None, batch: _Batch
) -> LetterFacts:
    obsolete: dict[int, str] = {}
    kept: dict[tuple[NoticeKind, int] | int, _Notice] = {}
    for row in sorted(notices, key=lambda each: RANK[each.kind]):
        reason = _obsolete_reason(row, letter, batch)
        topic = (row.kind, row.id) if row.kind in ALWAYS_KEPT else row.assignment_id
        if not reason and topic in kept:
            reason = "said_already"
        if reason:
            obsolete[row.id] = reason
        else:
            kept[topic] = row
    items = tuple(sorted((_item(row, letter, batch) for row in kept.values()), key=_worst_first))
    if all(item.own for item in items):
        items = tuple(_explained_once(items))
    address = address_of(letter, letter.channel)
    return LetterFacts(
        letter_id=letter.id,
        key=letter.key,
        contact_id=letter.contact_id,
        role=letter.role,
        channel=letter.channel,
        day=letter.day,
        language=letter.language,
        to=address,
        label=letter.label,
        agency=letter.agency,
        items=items,
        digest=digest,
        obsolete=obsolete,
        unsendable=_unsendable(letter, address, batch.today),
        answer=answer,
        slowable=letter.channel not in letter.pace and any(item.kind in batch.may_stop for item in items),
        slowed=letter.channel in letter.pace,
        links_since=letter.links_since,
        weekly=letter.digest_week is not None,
    )


def _explained_once(items: Iterable[Item]) -> Iterator[Item]:
    """The explanation of a due date stands at the first line that it is true of."""
    said: set[tuple[str, date | None]] = set()
    for item in items:
        yield replace(item, due_why="") if (item.due_why, item.due_on) in said else item
        said.add((item.due_why, item.due_on))


def _obsolete_reason(row: _Notice, letter: _Letter, batch: _Batch) -> str:
    concerned = (row.owner_id, row.supervisor_id, row.issuer_id)
    if row.kind is not NoticeKind.REORGANISED and letter.role in FOLLOWING and letter.agency_id not in concerned:
        return "followed_elsewhere"
    return obsolete_reason(
        row.kind,
        row.state,
        row.due_on,
        batch.today,
        row.plan_state,
        undecided=row.undecided and (row.kind is not NoticeKind.RAISED or row.detail.get("entry") in batch.raised),
        unfinished=is_unfinished(row.state, row.done_on),
        promised_on=row.promised_on,
        rung=row.rung,
    )


def _unsendable(letter: _Letter, address: str, today: date) -> str:
    if not address:
        return "no_address"
    if letter.channel in letter.suppressed:
        return "address_suppressed"
    ends = [day for day in (letter.valid_until, last_day(letter.agency_names)) if day is not None]
    return "no_longer_answers" if any(day < today for day in ends) else ""


def _worst_first(item: Item) -> tuple[int, date, int, int, str]:
    return RANK[item.kind], item.due_on or date.max, item.plan_id, item.position, item.agency


def _item(row: _Notice, letter: _Letter, batch: _Batch) -> Item:
    next_on, rung = batch.next_rung(row)
    bodies = Bodies(row.supervisor, row.issuer)
    rung_of_line = batch.book.ladders[row.ladder_id].find(row.rung)
    promised_on = row.promised_on if is_unfinished(row.state, row.done_on) else None
    return Item(
        assignment_id=row.assignment_id,
        plan_id=row.plan_id,
        plan=row.number,
        short_title=row.short_title,
        title=row.title,
        sms_name=row.sms_name,
        citation=row.citation,
        position=row.position,
        text=first_words(row.text),
        agency=row.agency,
        period=row.period,
        due_on=row.due_on,
        due_why=_due_explanation(row.due_why, letter.language),
        days=batch.days(row.due_on),
        kind=row.kind,
        rung=row.rung,
        state=row.state,
        request=row.request,
        outcome=row.outcome,
        first_reported_on=row.first_reported_on,
        report_late=report_timing(row) is Timing.LATE,
        next_on=next_on,
        next_step="" if rung is None else next_step(rung, bodies, letter.language, request=row.request),
        supervisor=row.supervisor,
        issuer=row.issuer,
        detail=batch.detail(row),
        own=row.owner_id == letter.agency_id,
        chased=batch.chased.get(row.assignment_id),
        escalating=row.assignment_id in batch.escalating,
        asks_paper=rung_of_line is not None and rung_of_line.dispatch,
        asked=batch.asked.get(row.assignment_id, ()),
        reported_on=row.reported_on,
        extension_waits=row.extension_waits,
        urgency=row.urgency,
        chased_from=behind_due(row),
        promised_on=promised_on,
        promises=row.promises,
        promise_past=is_past(promised_on, batch.today),
        promise_waits=row.promise_waits,
        output=first_words(row.output["what"]) if row.output else "",
        returning=bool(row.comes_again),
    )


def _due_explanation(why: Mapping[str, str], language: str) -> str:
    """The explanation of a due date that was moved, else ""."""
    words = why.get(language, "")
    return words if tells_of_move(words) else ""


def _letters(session: Session, letter_ids: Sequence[int]) -> dict[int, _Letter]:
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
            g.c.names.label("agency_names"),
        )
        .join(c, c.c.id == m.c.contact_id)
        .join(g, g.c.id == m.c.agency_id)
        .where(among(session, m.c.id, letter_ids))
    )
    return {letter.id: letter for letter in objects(_Letter, session.connection().execute(query))}


def _notices(session: Session, letter_ids: Sequence[int]) -> dict[int, list[_Notice]]:
    n, a, d, p, g = table(Notice), table(Assignment), table(Duty), table(Plan), table(Agency)
    x, e, above, issuer = table(Extension), table(Event), table(Agency, "above"), table(Agency, "issuer")
    pending = exists().where(x.c.assignment_id == a.c.id, x.c.decided_at.is_(None))
    refused = exists().where(e.c.assignment_id == a.c.id, open_refusal())
    past = table(Assignment, "past")
    before = exists().where(past.c.duty_id == a.c.duty_id, past.c.agency_id == a.c.agency_id, past.c.id < a.c.id)
    query = (
        select(
            n.c.id,
            n.c.letter_id,
            n.c.assignment_id,
            n.c.kind,
            n.c.rung,
            n.c.detail,
            a.c.agency_id.label("owner_id"),
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
            d.c.output,
            a.c.request,
            a.c.outcome,
            a.c.done_on,
            a.c.reported_on,
            a.c.promised_on,
            promises_made(),
            promise_waits(),
            a.c.broken_before,
            a.c.first_reported_on,
            a.c.first_due_on,
            p.c.number,
            p.c.short_title,
            p.c.title,
            p.c.sms_name,
            p.c.state.label("plan_state"),
            p.c.urgency,
            pending.label("extension_waits"),
            g.c.name.label("agency"),
            above.c.name.label("supervisor"),
            p.c.issuer_id,
            issuer.c.name.label("issuer"),
            case(
                (n.c.kind == NoticeKind.EXTENSION_ASKED, pending),
                (n.c.kind == NoticeKind.NOT_MINE, refused),
                else_=true(),
            ).label("undecided"),
            case((n.c.kind.in_(ASKED_TO_ACKNOWLEDGE), before), else_=false()).label("comes_again"),
        )
        .join(a, a.c.id == n.c.assignment_id)
        .join(d, d.c.id == a.c.duty_id)
        .join(p, p.c.id == a.c.plan_id)
        .join(g, g.c.id == a.c.agency_id)
        .join(above, above.c.id == a.c.supervisor_id)
        .join(issuer, issuer.c.id == p.c.issuer_id)
        .where(among(session, n.c.letter_id, letter_ids), n.c.obsolete != WITHDRAWN)
        .order_by(n.c.id)
    )
    grouped: dict[int, list[_Notice]] = {}
    for row in objects(_Notice, session.connection().execute(query)):
        grouped.setdefault(row.letter_id, []).append(row)
    return grouped


def _answers(session: Session, letters: Sequence[_Letter]) -> dict[int, AnswerFacts]:
    """The content of letters that answer an incoming message, by letter id."""
    if not letters:
        return {}
    by_message = {int(row.key.rpartition(":")[2]): row.id for row in letters}
    i = table(Incoming)
    query = select(i.c.id, i.c.external_id, i.c.detail).where(i.c.id.in_(list(by_message)))
    return {
        by_message[row.id]: AnswerFacts(
            _problem(row.detail),
            row.external_id,
            bool(row.detail.get("done")),
            bool(row.detail.get("open")),
        )
        for row in session.connection().execute(query)
    }


def _problem(detail: Mapping[str, Any]) -> Text | None:
    if "problem" not in detail:
        return None
    vi, en = detail["problem"]
    return Text(vi, en)


def _deputies(session: Session, letters: Sequence[_Letter]) -> dict[int, DeputyFacts]:
    """The deputies that letters tell of, by letter id; without those who have ended since, but for proposals that were
    refused."""
    if not letters:
        return {}
    by_letter = {row.id: int(row.key.split(":")[1]) for row in letters}
    c, g = table(Contact), table(Agency)
    by = table(Contact, "by")
    query = (
        select(c.c.id, c.c.email, c.c.phone, c.c.label, c.c.valid_from, c.c.valid_until, c.c.instead, c.c.proposed)
        .add_columns(by.c.role.label("named_by"), g.c.name.label("agency"))
        .join(by, by.c.id == c.c.named_by)
        .join(g, g.c.id == c.c.agency_id)
        .where(c.c.id.in_(set(by_letter.values())), (c.c.email != "") | (c.c.phone != "") | c.c.proposed)
    )
    found = {
        row.id: object_of(
            DeputyFacts, row, address=row.email or row.phone, refused=row.proposed and not (row.email or row.phone)
        )
        for row in session.connection().execute(query)
    }
    return {letter: found[deputy] for letter, deputy in by_letter.items() if deputy in found}
