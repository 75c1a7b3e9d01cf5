"""System health: last run of each pass, letters owed, today's letters, findings of the last audit.

Whether each channel works, as recorded by the deliver pass (``notifications.channel_health`` writes the facts).

What this installation has and lacks before it can do its work: agencies, people, calendar, plans, letters.

What happened while the demonstration's clock was advanced: letters by what they say, reports that came in.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, TextClause, func, or_, select
from sqlmodel import Session, SQLModel

from engine.agencies.directory_loading import exists_on
from engine.assignments.weekly_digest import LAST_LOOK
from engine.enums import complete
from engine.queries.system.letters import LetterCounts, count_letters
from engine.queries.system.policies import calendar_year
from engine.queries.time_class import Today
from engine.queries.work.incoming import answers_read, waiting_messages
from engine.store.database import table
from engine.store.facts import hold, read_as, read_fact, read_facts, read_instant
from engine.store.recipients import unset_channels
from engine.store.records import STILL_OWED, Account, Agency, Contact, Event, Letter, Notice, Pass, Plan
from engine.store.stored_rows import objects
from engine.terms import AnswerRead, EventKind, LetterState, NoticeKind, PlanState, Role

PREFIX = "channel:"
"""Prefix of the facts that hold the channels' health."""
LOOKED_BACK, MANY_SILENCED = timedelta(days=7), 5
RECENT_LETTERS = 100
"""How many recent letters are read to find channels that have never failed and so have no fact."""


@dataclass(frozen=True, slots=True)
class ChannelLine:
    """``down_since`` is None while the channel works; ``why`` is the gateway's or mail server's own message.
    ``set_up``: False of one on which this installation sends nothing."""

    name: str
    down_since: datetime | None
    why: str
    set_up: bool = True

    @property
    def up(self) -> bool:
        return self.down_since is None


def channels(session: Session) -> tuple[ChannelLine, ...]:
    """Every channel that has ever failed or carried one of the latest letters, by name; then those not set up."""
    m, unset = table(Letter), unset_channels(session)
    health: dict[str, dict[str, object]] = {
        channel: read_as(value, dict, {}) for channel, value in read_facts(session, PREFIX).items()
    }
    recent = (
        select(m.c.channel).where(m.c.state != LetterState.SUPPRESSED).order_by(m.c.id.desc()).limit(RECENT_LETTERS)
    )
    names = sorted({*session.connection().scalars(recent), *health} - unset)
    lines = (_line(name, health.get(name, {})) for name in names)
    return (*lines, *(ChannelLine(name, None, "", set_up=False) for name in sorted(unset)))


@dataclass(frozen=True, slots=True)
class Silenced:
    """Addresses that a relay's refusals of these days have silenced, and still do: so many that it may have been the
    relay's fault, and ``dondoc contact lift`` is proposed."""

    count: int
    first: date
    last: date


def silenced(session: Session, today: date) -> Silenced | None:
    m, c = table(Letter), table(Contact)
    refused = (m.c.day > today - LOOKED_BACK, m.c.state == LetterState.REFUSED)
    statement = select(m.c.day, m.c.contact_id, m.c.channel, c.c.suppressed).join(c, c.c.id == m.c.contact_id)
    rows = session.connection().execute(statement.where(*refused)).all()
    found = {(row.contact_id, row.channel): row.day for row in rows if _by_refusal(row.suppressed, row.channel)}
    if len(found) < MANY_SILENCED:
        return None
    return Silenced(len(found), min(found.values()), max(found.values()))


def _by_refusal(suppressed: Mapping[str, str] | None, channel: str) -> bool:
    return (suppressed or {}).get(channel, "").startswith("dead: 5")


def _line(name: str, health: dict[str, Any]) -> ChannelLine:
    since = read_instant(health.get("down_since"))
    return ChannelLine(name, since, str(health.get("why", "")) if since else "")


SILENT_AFTER = timedelta(minutes=15)
"""A pass that has not finished for this long has stopped."""
STUCK_AFTER = timedelta(hours=1)
"""A letter that should have been sent this long ago is stuck."""
AUDIT = "audit"
"""The pass that runs every few minutes even if nothing is due, so its silence is meaningful."""
INFORMATIVE = ("unknown_letters",)


class Trouble(StrEnum):
    """What is wrong, worst first."""

    HELD = "held"
    """Letters are held: the database is an earlier copy."""
    NO_PASS = "no_pass"
    PASS_FAILED = "pass_failed"
    PASS_SILENT = "pass_silent"
    CHANNEL_DOWN = "channel_down"
    LETTERS_STUCK = "letters_stuck"
    AUDIT = "audit"
    KEPT_HERE = "kept_here"
    IN_DOUBT = "in_doubt"


@dataclass(frozen=True, slots=True)
class PassLine:
    name: str
    started_at: datetime
    finished_at: datetime | None
    counts: Mapping[str, int]
    error: str


@dataclass(frozen=True, kw_only=True)
class Health:
    """``today``: letters of today by delivery state. ``oldest``: when the oldest owed letter should have been sent.
    ``findings``: counts of the last audit that should be zero. ``week``: the letters of the last seven days."""

    now: datetime
    passes: tuple[PassLine, ...]
    owed: int
    overdue_letters: int
    oldest: datetime | None
    today: Mapping[LetterState, int]
    in_doubt: int
    digest_week: str
    findings: Mapping[str, int]
    channels: tuple[ChannelLine, ...]
    silenced: Silenced | None
    week: LetterCounts
    troubles: tuple[Trouble, ...]
    messages: int
    """Incoming messages that wait for a person, since ``messages_since``."""
    messages_since: datetime | None
    answers: Mapping[AnswerRead, int]
    """What became of those of the last days."""
    live: bool
    """Whether the clock is real; with the demonstration's fixed clock no pass counts as silent."""

    @property
    def well(self) -> bool:
        return not self.troubles


def health(session: Session, today: Today, *, live: bool = True) -> Health:
    """Eleven queries."""
    passes, now = _passes(session), today.now
    letter = table(Letter)
    late = func.count().filter(letter.c.send_after <= now - STUCK_AFTER)
    waiting = select(func.count(), func.min(letter.c.send_after), late).where(STILL_OWED)
    owed, oldest, stuck = session.connection().execute(waiting).one()
    by_state = _letters_of(session, today.day)
    in_doubt = by_state.get(LetterState.UNKNOWN, 0)
    findings = findings_of(next((each.counts for each in passes if each.name == AUDIT), {}))
    seven_days = count_letters(session, today.day - timedelta(days=6), today.day + timedelta(days=1))
    messages, messages_since = waiting_messages(session)
    found = Health(
        now=now,
        passes=passes,
        owed=owed,
        overdue_letters=stuck,
        oldest=oldest if oldest is not None and oldest <= now else None,
        today=by_state,
        in_doubt=in_doubt,
        digest_week=(read_fact(session, LAST_LOOK) or "")[: len("2021-W24")],
        findings=findings,
        channels=channels(session),
        silenced=silenced(session, today.day),
        week=seven_days,
        troubles=(),
        messages=messages,
        messages_since=messages_since,
        answers=answers_read(session, now),
        live=live,
    )
    return replace(found, troubles=_troubles(found, held=hold(session) is not None))


def _passes(session: Session) -> tuple[PassLine, ...]:
    p = table(Pass)
    statement = select(p.c.name, p.c.started_at, p.c.finished_at, p.c.counts, p.c.error).order_by(p.c.started_at.desc())
    return tuple(objects(PassLine, session.connection().execute(statement)))


def last_self_check(session: Session) -> datetime | None:
    """When it last ended; None if it never did."""
    p = table(Pass)
    return session.connection().scalar(select(p.c.finished_at).where(p.c.name == AUDIT))


def _letters_of(session: Session, day: date) -> dict[LetterState, int]:
    letter = table(Letter)
    statement = select(letter.c.state, func.count()).where(letter.c.day == day).group_by(letter.c.state)
    return {row[0]: row[1] for row in session.connection().execute(statement)}


def findings_of(counts: Mapping[str, int]) -> dict[str, int]:
    """The non-zero problem counts of an audit."""
    return {name: count for name, count in counts.items() if count and name not in INFORMATIVE}


def _troubles(found: Health, *, held: bool) -> tuple[Trouble, ...]:
    last = next((each.finished_at for each in found.passes if each.name == AUDIT), None)
    is_present = complete(
        Trouble,
        {
            Trouble.HELD: held,
            Trouble.NO_PASS: not found.passes,
            Trouble.PASS_FAILED: any(each.error for each in found.passes),
            Trouble.PASS_SILENT: found.live
            and bool(found.passes)
            and (last is None or found.now - last > SILENT_AFTER),
            Trouble.CHANNEL_DOWN: any(not each.up for each in found.channels),
            Trouble.LETTERS_STUCK: found.overdue_letters > 0,
            Trouble.AUDIT: bool(found.findings),
            Trouble.KEPT_HERE: bool(found.findings.get("letters_kept_here") or found.today.get(LetterState.KEPT_HERE)),
            Trouble.IN_DOUBT: found.in_doubt > 0,
        },
    )
    return tuple(trouble for trouble in Trouble if is_present[trouble])


EXAMPLE_DOMAINS = ("%.example", "%@example")
"""Mailboxes that nobody has (RFC 2606)."""
PROVINCE = "tinh"
"""The level of the People's Committee: it gives duties and has none."""


@dataclass(frozen=True, kw_only=True)
class SetupState:
    """``without_coordinator``: names of agencies that exist today and that nobody answers for. ``calendar_known``: the
    holidays of this year and the next, as far as they are entered. ``stuck``: letters owed for an hour."""

    agencies: int
    contacts: int
    example_contacts: int
    without_coordinator: tuple[str, ...]
    accounts: int
    calendar_known: tuple[int, ...]
    plans: int
    loaded_plans: int
    active_plans: int
    stuck: int


def setup_state(session: Session, today: Today) -> SetupState:
    """Six queries."""
    c, p, m, a, g = table(Contact), table(Plan), table(Letter), table(Account), table(Agency)
    by_state = select(p.c.state, func.count()).group_by(p.c.state)
    plans: dict[PlanState, int] = dict(session.connection().execute(by_state).all())
    answers = answers_on(today.day)
    examples = or_(*(func.lower(c.c.email).like(pattern) for pattern in EXAMPLE_DOMAINS))
    agencies = session.connection().execute(select(g.c.id, g.c.name, g.c.names, g.c.level)).all()
    current = [row for row in agencies if exists_on(row.names, today.day)]
    covered = set(
        session.connection().scalars(select(c.c.agency_id).where(*answers, c.c.role == Role.COORDINATOR).distinct())
    )
    years = (today.day.year, today.day.year + 1)
    return SetupState(
        agencies=len(current),
        contacts=_count(session, Contact, *answers),
        example_contacts=_count(session, Contact, *answers, examples),
        without_coordinator=tuple(
            sorted(row.name for row in current if row.id not in covered and row.level != PROVINCE)
        ),
        accounts=_count(session, Account, a.c.active),
        calendar_known=tuple(year for year in years if calendar_year(today.calendar, year).known),
        plans=sum(plans.values()),
        loaded_plans=plans.get(PlanState.LOADED, 0),
        active_plans=plans.get(PlanState.ACTIVE, 0),
        stuck=_count(session, Letter, STILL_OWED, m.c.send_after <= today.now - STUCK_AFTER),
    )


def answers_on(day: date) -> tuple[Any, ...]:
    """Conditions: a contact that can be written to on a day."""
    c = table(Contact)
    return (
        (c.c.email != "") | (c.c.phone != ""),
        or_(c.c.valid_from.is_(None), c.c.valid_from <= day),
        or_(c.c.valid_until.is_(None), c.c.valid_until >= day),
    )


def _count(session: Session, model: type[SQLModel], *conditions: ColumnElement[bool] | TextClause) -> int:
    return session.connection().scalar(select(func.count()).select_from(table(model)).where(*conditions)) or 0


@dataclass(frozen=True)
class StepNews:
    """``lines``: (kind, escalation level, how many) of the letters' lines, most first."""

    since: datetime
    letters: int
    lines: tuple[tuple[NoticeKind, int, int], ...]
    reports: int


def step_news(session: Session, since: datetime, until: datetime) -> StepNews:
    """Three queries."""
    letter, n, e = table(Letter), table(Notice), table(Event)
    sent = (letter.c.sent_at > since, letter.c.sent_at <= until)
    count = func.count().label("n")
    by_kind = (
        select(n.c.kind, n.c.level, count)
        .join(letter, letter.c.id == n.c.letter_id)
        .where(*sent, n.c.obsolete == "")
        .group_by(n.c.kind, n.c.level)
        .order_by(count.desc(), n.c.kind, n.c.level)
    )
    reported = select(func.count()).where(e.c.kind == EventKind.REPORTED, e.c.at > since, e.c.at <= until)
    connection = session.connection()
    return StepNews(
        since,
        connection.scalar(select(func.count()).select_from(letter).where(*sent)) or 0,
        tuple((row[0], row[1], row[2]) for row in connection.execute(by_kind)),
        connection.scalar(reported) or 0,
    )
