"""The audit log: all events, newest first, filtered by kind, actor, plan, agency, task and date.

The log only grows, so it is never counted, and its only orders are those of the primary key: newest or oldest first. A
page walks along it and reads at most ``MAX_SCANNED_EVENTS`` events; when these are used up it shows what it found and
where to continue. Days are found by binary search on the ids, since events are written in order of time.

Webhooks that cannot be reached, and what came back, in words.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, and_, case, cast, exists, func, literal, or_, select
from sqlmodel import Session

from engine.queries.paging import PER_PAGE, decode, encode
from engine.queries.work.assignment_story import Person, people_of
from engine.rules.calendar import ONE_DAY, instant
from engine.store.database import table
from engine.store.records import Agency, Assignment, Duty, Event, Plan, Webhook
from engine.store.stored_rows import objects
from engine.terms import EventKind
from engine.text import Text

SORTS = ("at",)
"""By time: the list's own order, or ``oldest_first``."""
OWN_SORT = "-at"
MAX_SCANNED_EVENTS = 50_000
"""How many events one page may read: some tens of milliseconds, however rare the matches."""
OUT_OF_ORDER = 1_000
"""How far apart in id two events of the same moment can be when several processes write at once."""


@dataclass(frozen=True, kw_only=True)
class LogFilter:
    """Which events; an empty field does not filter. ``actor``: one («account:3») or all of a kind («account»);
    ``agency_id``: of the assignment, or of the directory; ``since`` and ``until``: local days, both included."""

    kind: EventKind | None = None
    actor: str = ""
    plan_id: int | None = None
    agency_id: str = ""
    assignment_id: int | None = None
    since: date | None = None
    until: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LogRow:
    """One event with its subject. ``plan`` is the plan's number; ``agency`` the assignment's owner."""

    id: int
    at: datetime
    kind: EventKind
    actor: str
    plan_id: int | None
    plan: str | None
    assignment_id: int | None
    citation: str | None
    agency: str | None
    detail: Mapping[str, object]
    key: str | None


@dataclass(frozen=True)
class Log:
    """``next``: cursor of the next page ("" on the last). ``unfinished``: the limit on events read was reached before
    the page was full, so there may be more. ``people``: actor -> who it is."""

    rows: tuple[LogRow, ...]
    next: str
    unfinished: bool
    people: Mapping[str, Person]


def log(
    session: Session,
    wanted: LogFilter,
    *,
    after: str = "",
    limit: int = PER_PAGE,
    span: int = MAX_SCANNED_EVENTS,
    oldest_first: bool = False,
) -> Log:
    """A page of the log, in at most five statements that do not grow with the log."""
    first, last = _id_range(session, wanted)
    if oldest_first:
        return _forwards(session, wanted, max(first, decode(after, int)[0] + 1) if after else first, last, limit, span)
    if after:
        last = min(last, decode(after, int)[0] - 1)
    lowest = max(first, last - span + 1)
    rows = objects(LogRow, session.connection().execute(_rows(wanted, lowest, last, limit + 1)))
    shown = tuple(rows[:limit])
    people = people_of(session, (row.actor for row in shown))
    if len(rows) > limit:
        return Log(shown, encode(shown[-1].id), False, people)
    return Log(shown, encode(lowest) if lowest > first else "", lowest > first, people)


def _forwards(session: Session, wanted: LogFilter, first: int, last: int, limit: int, span: int) -> Log:
    """From the oldest event on; the cursor is the last event looked at."""
    highest = min(last, first + span - 1)
    found = session.connection().execute(_rows(wanted, first, highest, limit + 1, oldest_first=True))
    rows = objects(LogRow, found)
    shown = tuple(rows[:limit])
    people = people_of(session, (row.actor for row in shown))
    if len(rows) > limit:
        return Log(shown, encode(shown[-1].id), False, people)
    return Log(shown, encode(highest) if highest < last else "", highest < last, people)


def _rows(wanted: LogFilter, lowest: int, last: int, limit: int, *, oldest_first: bool = False) -> Any:
    e, p, a, d, g = table(Event), table(Plan), table(Assignment), table(Duty), table(Agency)
    found = select(e).where(e.c.id.between(lowest, last), *_conditions(wanted)).limit(limit)
    f = found.order_by(e.c.id.asc() if oldest_first else e.c.id.desc()).subquery()
    return (
        select(
            f.c.id,
            f.c.at,
            f.c.kind,
            f.c.actor,
            f.c.plan_id,
            p.c.number.label("plan"),
            f.c.assignment_id,
            d.c.citation,
            g.c.name.label("agency"),
            f.c.detail,
            f.c.key,
        )
        .outerjoin(p, p.c.id == f.c.plan_id)
        .outerjoin(a, a.c.id == f.c.assignment_id)
        .outerjoin(d, d.c.id == a.c.duty_id)
        .outerjoin(g, g.c.id == a.c.agency_id)
        .order_by(f.c.id.asc() if oldest_first else f.c.id.desc())
    )


def _conditions(wanted: LogFilter) -> list[ColumnElement[bool]]:
    e, a = table(Event), table(Assignment)
    found: list[ColumnElement[bool]] = []
    if wanted.kind:
        found.append(e.c.kind == wanted.kind)
    if wanted.actor:
        found.append(or_(e.c.actor == wanted.actor, e.c.actor.startswith(f"{wanted.actor}:", autoescape=True)))
    if wanted.plan_id:
        found.append(e.c.plan_id == wanted.plan_id)
    if wanted.agency_id:
        owns = exists().where(a.c.id == e.c.assignment_id, a.c.agency_id == wanted.agency_id)
        in_directory = and_(e.c.assignment_id.is_(None), e.c.detail["agency"].as_string() == wanted.agency_id)
        found.append(or_(owns, in_directory))
    if wanted.assignment_id:
        found.append(e.c.assignment_id == wanted.assignment_id)
    if wanted.since:
        found.append(e.c.at >= instant(wanted.since, time()))
    if wanted.until:
        found.append(e.c.at < instant(wanted.until + ONE_DAY, time()))
    return found


def _id_range(session: Session, wanted: LogFilter) -> tuple[int, int]:
    """The range of ids that the days allow, with a margin; one statement."""
    newest = select(func.coalesce(func.max(table(Event).c.id), 0)).scalar_subquery()
    begins = _first_since(wanted.since, "begins") if wanted.since else literal(1)
    ends = _first_since(wanted.until + ONE_DAY, "ends") if wanted.until else newest + 1
    first, last, max_id = session.connection().execute(select(begins, ends, newest)).one()
    margin = OUT_OF_ORDER if wanted.since or wanted.until else 0
    return max(1, first - margin), min(max_id, last - 1 + margin)


def _first_since(day: date, name: str) -> Any:
    """Scalar subquery: the first id of an event on that day or later, by binary search on the primary key (about twenty
    reads)."""
    e = table(Event)
    newest = select(func.coalesce(func.max(e.c.id), 0)).scalar_subquery()
    one = cast(literal(1), BigInteger)
    low_high = select(one.label("low"), cast(newest + 1, BigInteger).label("high")).cte(name, recursive=True)
    middle = (low_high.c.low + low_high.c.high) // 2
    event_at = select(e.c.at).where(e.c.id >= middle).order_by(e.c.id).limit(1).correlate(low_high).scalar_subquery()
    earlier = event_at < instant(day, time())
    step = select(
        case((earlier, middle + 1), else_=low_high.c.low), case((earlier, low_high.c.high), else_=middle)
    ).where(low_high.c.low < low_high.c.high)
    steps = low_high.union_all(step)
    return select(steps.c.low).where(steps.c.low >= steps.c.high).limit(1).scalar_subquery()


ANSWERS: Mapping[str, Text] = {
    "timeout": Text("không trả lời trong 10 giây", "no answer within 10 seconds"),
    "refused_address": Text(
        "tên máy trỏ vào mạng nội bộ mà máy chủ chưa cho phép, không gọi",
        "the name leads into the private network, not allowed on the server: not called",
    ),
    "unknown_host": Text("không tìm thấy tên máy này (DNS)", "the host's name is unknown (DNS)"),
    "unreachable": Text("không kết nối được", "no connection"),
    "tls": Text("chứng thư TLS không tin được", "its TLS certificate is not trusted"),
    "broken_off": Text("kết nối đứt giữa chừng", "the connection broke off"),
    "demo": Text("bản trình diễn không gửi ra ngoài", "the demonstration sends nothing outside"),
    "no_secret": Text(
        "không mở được bí mật: khóa của hệ thống đã đổi; hãy đổi bí mật",
        "the secret cannot be opened: the installation's key has changed; make a new secret",
    ),
    "410": Text("nơi nhận trả lời 410: không nhận nữa, đã tắt", "answered 410: wants no more, switched off"),
}
_BY_STATUS: tuple[tuple[str, Text], ...] = (
    ("2", Text("đã nhận ({code})", "accepted ({code})")),
    ("3", Text("muốn chuyển sang địa chỉ khác ({code}), không theo", "redirects elsewhere ({code}), not followed")),
    ("429", Text("báo gọi quá nhiều (429)", "says that it is called too often (429)")),
    ("4", Text("không chấp nhận ({code})", "does not accept it ({code})")),
    ("5", Text("nơi nhận có lỗi ({code})", "an error at the receiver ({code})")),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class FailingWebhook:
    """``why``: a code of ``answer``."""

    id: int
    url: str
    label: str
    active: bool
    down_since: datetime
    retry_at: datetime | None
    why: str


def answer(code: str) -> Text:
    """What came back, in words; empty before the first attempt."""
    if not code:
        return Text("", "")
    if code in ANSWERS:
        return ANSWERS[code]
    found = next((text for prefix, text in _BY_STATUS if code.startswith(prefix)), Text("{code}", "{code}"))
    return found.filled(code=code)


def failing(session: Session) -> tuple[FailingWebhook, ...]:
    """Those that cannot be reached, or that have switched themselves off. One query."""
    w = table(Webhook)
    columns = (w.c.id, w.c.url, w.c.label, w.c.active, w.c.down_since, w.c.retry_at, w.c.why)
    statement = select(*columns).where(w.c.down_since.is_not(None)).order_by(w.c.id)
    return tuple(objects(FailingWebhook, session.connection().execute(statement)))
