"""Letters: the filtered list, and one letter exactly as it was sent with its delivery attempts.

Counts of letters owed, sent, delivered and in doubt between two days. One indexed query.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, exists, func, select
from sqlmodel import Session

from engine.errors import NotFound
from engine.queries.filter_choices import SqlOrders, sql_order
from engine.queries.paging import PER_PAGE, Page, decode, in_order, page, streamed
from engine.store.data_versions import Topic, depends_on
from engine.store.database import among, table
from engine.store.recipients import address_of
from engine.store.records import Agency, Assignment, Contact, Delivery, Duty, Letter, LetterBody, Notice, Plan
from engine.store.records.columns import unpack
from engine.store.stored_rows import object_of, objects, objects_of
from engine.terms import LetterState, NoticeKind, Role
from engine.text import Text


@dataclass(frozen=True, slots=True, kw_only=True)
class LetterRow:
    """One letter in a list. ``lines``: how many assignments it mentions."""

    id: int
    day: date
    contact_id: int
    label: str
    role: Role
    agency_id: str
    agency: str
    channel: str
    state: LetterState
    reason: str
    urgent: bool
    digest_week: str | None
    send_after: datetime
    sent_at: datetime | None
    settled_at: datetime | None
    attempts: int
    lines: int
    subject: str | None
    language: str


@dataclass(frozen=True, kw_only=True)
class LetterFilter:
    """Which letters to list; an empty field does not filter."""

    contact_id: int | None = None
    agency_id: str = ""
    role: Role | None = None
    kind: NoticeKind | None = None
    channel: str = ""
    states: tuple[LetterState, ...] = ()
    day: date | None = None
    digest: bool = False
    within: frozenset[str] | None = None
    """The agencies that the reader may see; None: every agency."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LetterLine:
    """One line of a letter about one assignment; ``obsolete`` is the reason why it was left out just before sending."""

    assignment_id: int
    plan: str
    citation: str
    agency: str
    period: str
    due_on: date | None
    kind: NoticeKind
    rung: str
    level: int
    obsolete: str


@dataclass(frozen=True, slots=True)
class DeliveryAttempt:
    """Without the receipt: a Message-ID must not be shown to who did not get the letter."""

    attempt: int
    at: datetime
    fate: str
    code: str
    reply: str


@dataclass(frozen=True, kw_only=True)
class LetterStory:
    """``text`` is None before rendering and after the text has been pruned."""

    row: LetterRow
    key: str
    to: str
    lines: tuple[LetterLine, ...]
    attempts: tuple[DeliveryAttempt, ...]
    text: str | None
    html: bool

    def shown(self, mask: Callable[[str], str]) -> LetterStory:
        """A copy with the recipient's personal links masked in the text."""
        return replace(self, text=None if self.text is None else mask(self.text))


def _columns() -> list[Any]:
    letter, c, g, n, body = table(Letter), table(Contact), table(Agency), table(Notice), table(LetterBody)
    lines = select(func.count()).where(n.c.letter_id == letter.c.id).correlate(letter).scalar_subquery()
    return [
        letter.c.id,
        letter.c.day,
        letter.c.contact_id,
        c.c.label,
        letter.c.role,
        letter.c.agency_id,
        g.c.name.label("agency"),
        letter.c.channel,
        letter.c.state,
        letter.c.reason,
        letter.c.urgent,
        letter.c.digest_week,
        letter.c.send_after,
        letter.c.sent_at,
        letter.c.settled_at,
        letter.c.attempts,
        lines.label("lines"),
        body.c.subject,
        c.c.language,
    ]


def _joined(*selected: Any) -> Any:
    letter, c, g, body = table(Letter), table(Contact), table(Agency), table(LetterBody)
    return (
        select(*selected)
        .select_from(letter)
        .join(c, c.c.id == letter.c.contact_id)
        .join(g, g.c.id == letter.c.agency_id)
        .outerjoin(body, body.c.letter_id == letter.c.id)
    )


def _conditions(wanted: LetterFilter) -> list[ColumnElement[bool]]:
    letter, n = table(Letter), table(Notice)
    equal = {
        letter.c.contact_id: wanted.contact_id,
        letter.c.agency_id: wanted.agency_id,
        letter.c.role: wanted.role,
        letter.c.channel: wanted.channel,
        letter.c.day: wanted.day,
    }
    found: list[ColumnElement[bool]] = [column == value for column, value in equal.items() if value]
    if wanted.states:
        found.append(letter.c.state.in_(wanted.states))
    if wanted.kind:
        found.append(exists().where(n.c.letter_id == letter.c.id, n.c.kind == wanted.kind))
    if wanted.within is not None:
        found.append(letter.c.agency_id.in_(sorted(wanted.within)))
    if wanted.digest:
        found.append(letter.c.digest_week.is_not(None))
    return found


SORTS: SqlOrders = {
    "subject": [table(LetterBody).c.subject],
    "agency": [table(Agency).c.name],
    "role": [table(Letter).c.role],
    "channel": [table(Letter).c.channel],
    "day": [table(Letter).c.id],
    "state": [table(Letter).c.state],
}
OWN_SORT = "-day"


def how_many_letters(session: Session, wanted: LetterFilter, most: int | None = None) -> int:
    """``most``: no more than one above it are counted."""
    every = select(table(Letter).c.id).where(*_conditions(wanted)).limit(None if most is None else most + 1).subquery()
    return session.connection().scalar(select(func.count()).select_from(every)) or 0


def list_letters(
    session: Session,
    wanted: LetterFilter,
    *,
    after: str = "",
    limit: int = PER_PAGE,
    most: int | None = None,
    sort: str = "",
) -> Page[LetterRow]:
    """Newest first, two queries; or by one of ``SORTS``, where the cursor is a number of rows and one more query finds
    the ids. ``most``: as of ``how_many_letters``."""
    letter, total = table(Letter), how_many_letters(session, wanted, most)
    if sort:
        offset = max(decode(after, int)[0], 0) if after else 0
        ids = _sorted_ids(session, wanted, sort, offset, limit + 1)
        rows = in_order(ids, lambda some: _with_ids(session, some))
        return page(rows, limit, lambda _: (offset + limit,), total)
    statement = _joined(*_columns()).where(*_conditions(wanted)).order_by(letter.c.id.desc()).limit(limit + 1)
    if after:
        statement = statement.where(letter.c.id < decode(after, int)[0])
    rows = objects(LetterRow, session.connection().execute(statement))
    return page(rows, limit, lambda row: (row.id,), total)


def every_letter(session: Session, wanted: LetterFilter, sort: str = "") -> Iterator[LetterRow]:
    """All letters of the filter in the list's order, in constant memory."""
    statement = _joined(*_columns()).where(*_conditions(wanted)).order_by(*_order(sort or OWN_SORT))
    for some in streamed(session, statement):
        yield from objects_of(LetterRow, some)


def _sorted_ids(session: Session, wanted: LetterFilter, sort: str, offset: int, limit: int) -> Sequence[int]:
    statement = _joined(table(Letter).c.id).where(*_conditions(wanted)).order_by(*_order(sort))
    return session.connection().scalars(statement.offset(offset).limit(limit)).all()


def _order(sort: str) -> tuple[ColumnElement[Any], ...]:
    """Among equals the newest first."""
    return *(each.nulls_last() for each in sql_order(SORTS, sort)), table(Letter).c.id.desc()


def _with_ids(session: Session, ids: Sequence[int]) -> list[LetterRow]:
    statement = _joined(*_columns()).where(among(session, table(Letter).c.id, ids))
    return objects(LetterRow, session.connection().execute(statement))


FAILED = (LetterState.BOUNCED_HARD, LetterState.BOUNCED_SOFT, LetterState.REFUSED, LetterState.EXPIRED)
"""Did not reach their person."""
DAYS_SHOWN = 14


@dataclass(frozen=True, slots=True)
class DayOfLetters:
    """The letters of a day by delivery, and how many of them tell of what, with the number of a chaser."""

    day: date
    states: Counter[LetterState]
    kinds: Mapping[tuple[NoticeKind, int], int]
    digests: int

    @property
    def letters(self) -> int:
        return self.states.total() - self.states[LetterState.SUPPRESSED]


@depends_on(Topic.LETTERS)
def letters_by_day(session: Session, wanted: LetterFilter) -> Sequence[DayOfLetters]:
    """The newest days that have letters. Three queries."""
    m, n = table(Letter), table(Notice)
    mine = _conditions(wanted)
    days = select(m.c.day).where(*mine).group_by(m.c.day).order_by(m.c.day.desc()).limit(DAYS_SHOWN)
    shown = session.connection().scalars(days).all()
    mine.append(m.c.day >= (shown[-1] if shown else date.max))
    states: dict[date, Counter[LetterState]] = {day: Counter() for day in shown}
    digests: Counter[date] = Counter()
    by_state = select(m.c.day, m.c.state, func.count(), func.count(m.c.digest_week)).where(*mine)
    for day, state, count, weekly in session.connection().execute(by_state.group_by(m.c.day, m.c.state)):
        states[day][state] = count
        digests[day] += weekly
    about = [m.c.day, n.c.kind, n.c.level]
    lines = select(*about, func.count(n.c.letter_id.distinct())).join(n, n.c.letter_id == m.c.id)
    lines = lines.where(*mine, n.c.obsolete == "").group_by(*about)
    kinds: dict[date, dict[tuple[NoticeKind, int], int]] = {day: {} for day in shown}
    for line in session.connection().execute(lines):
        kinds[line.day][line.kind, line.level] = line[-1]
    return [DayOfLetters(day, states[day], kinds[day], digests[day]) for day in shown]


def letter_story(session: Session, letter_id: int) -> LetterStory:
    """One letter with its lines, attempts and text. Four queries. Raises NotFound."""
    letter, c, body = table(Letter), table(Contact), table(LetterBody)
    mine = letter.c.id == letter_id
    has_html = (func.length(body.c.html) > 0).label("has_html")
    extra = (letter.c.key, c.c.email, c.c.phone, body.c.text, has_html)
    found = session.connection().execute(_joined(*_columns(), *extra).where(mine)).first()
    if found is None:
        raise NotFound(Text(f"Không có thư số {letter_id}.", f"There is no letter {letter_id}."))
    row = object_of(LetterRow, found)
    to = address_of(found, row.channel)
    lines, attempts = _lines(session, letter_id), _attempts(session, letter_id)
    return LetterStory(
        row=row, key=found.key, to=to, lines=lines, attempts=attempts, text=found.text, html=bool(found.has_html)
    )


def letter_html(session: Session, letter_id: int) -> str:
    """The HTML part as it was sent. Raises NotFound when there is none."""
    body = table(LetterBody)
    found = session.connection().execute(select(body.c.html, body.c.text).where(body.c.letter_id == letter_id)).first()
    if found is None or not found.html:
        raise NotFound(Text("Thư này không có bản HTML.", "This letter has no HTML part."))
    return unpack(found.html, like=found.text)


def _lines(session: Session, letter_id: int) -> tuple[LetterLine, ...]:
    n, a, d, p, g = table(Notice), table(Assignment), table(Duty), table(Plan), table(Agency)
    statement = (
        select(
            a.c.id.label("assignment_id"),
            p.c.number.label("plan"),
            d.c.citation,
            g.c.name.label("agency"),
            a.c.period,
            a.c.due_on,
            n.c.kind,
            n.c.rung,
            n.c.level,
            n.c.obsolete.label("obsolete"),
        )
        .join(a, a.c.id == n.c.assignment_id)
        .join(d, d.c.id == a.c.duty_id)
        .join(p, p.c.id == a.c.plan_id)
        .join(g, g.c.id == a.c.agency_id)
        .where(n.c.letter_id == letter_id)
        .order_by(n.c.level.desc(), n.c.id)
    )
    return tuple(objects(LetterLine, session.connection().execute(statement)))


def _attempts(session: Session, letter_id: int) -> tuple[DeliveryAttempt, ...]:
    d = table(Delivery)
    statement = select(d.c.attempt, d.c.at, d.c.fate, d.c.code, d.c.reply).where(d.c.letter_id == letter_id)
    return tuple(objects(DeliveryAttempt, session.connection().execute(statement.order_by(d.c.attempt))))


SENT = (LetterState.ACCEPTED, LetterState.DELIVERED, LetterState.BOUNCED_SOFT, LetterState.BOUNCED_HARD)
"""States in which a relay or gateway had accepted the letter, whatever happened afterwards."""


@dataclass(frozen=True, slots=True)
class LetterCounts:
    """``owed`` leaves out letters that became obsolete before sending; ``in_doubt`` may or may not have arrived."""

    owed: int = 0
    sent: int = 0
    delivered: int = 0
    in_doubt: int = 0


def count_letters(session: Session, since: date, until: date) -> LetterCounts:
    """Counts of letters dated from ``since`` (included) to ``until`` (excluded)."""
    m = table(Letter)
    statement = select(m.c.state, func.count()).where(m.c.day >= since, m.c.day < until).group_by(m.c.state)
    counts: Counter[LetterState] = Counter()
    for state, count in session.connection().execute(statement):
        counts[state] = count
    return LetterCounts(
        owed=counts.total() - counts[LetterState.SUPPRESSED],
        sent=sum(counts[state] for state in SENT),
        delivered=counts[LetterState.DELIVERED],
        in_doubt=counts[LetterState.UNKNOWN],
    )


@depends_on(Topic.LETTERS)
def count_kept(session: Session, since: date) -> int:
    """Letters dated from ``since`` on that were kept on this machine and sent to nobody."""
    m = table(Letter)
    kept = select(func.count()).where(m.c.day >= since, m.c.state == LetterState.KEPT_HERE)
    return session.connection().scalar(kept) or 0
