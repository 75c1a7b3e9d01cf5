"""System health: last run of each pass, letters owed, today's letters, findings of the last audit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from sqlalchemy import func, select
from sqlmodel import Session

from engine.assignments.weekly_digest import LAST_WEEK
from engine.enums import complete
from engine.queries.system.channels import ChannelLine, Silenced, channels, silenced
from engine.queries.system.letter_counts import LetterCounts, count_letters
from engine.queries.time_class import Today
from engine.queries.work.incoming import waiting_messages
from engine.store.database import table
from engine.store.facts import read_fact
from engine.store.markers import hold
from engine.store.named_rows import objects
from engine.store.records import Letter, Pass
from engine.terms import LetterState

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
    """Letters are held since a restore."""
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
    live: bool
    """Whether the clock is real; with the demonstration's fixed clock no pass counts as silent."""

    @property
    def well(self) -> bool:
        return not self.troubles


def health(session: Session, today: Today, *, live: bool = True) -> Health:
    """Eleven queries."""
    passes, now = _passes(session), today.now
    letter = table(Letter)
    owed_states = (LetterState.QUEUED, LetterState.SENDING)
    owed, oldest = (
        session.connection()
        .execute(select(func.count(), func.min(letter.c.send_after)).where(letter.c.state.in_(owed_states)))
        .one()
    )
    waiting = select(func.count()).where(letter.c.state.in_(owed_states), letter.c.send_after <= now - STUCK_AFTER)
    stuck = session.connection().scalar(waiting) or 0
    by_state = _letters_of(session, today.day)
    in_doubt = by_state.get(LetterState.UNKNOWN, 0)
    week = read_fact(session, LAST_WEEK) or ""
    findings = findings_of(next((each.counts for each in passes if each.name == AUDIT), {}))
    channel_lines = channels(session)
    down = any(not each.up for each in channel_lines)
    troubles = _troubles(
        passes,
        now,
        held=hold(session) is not None,
        down=down,
        stuck=stuck,
        in_doubt=in_doubt,
        findings=findings,
        live=live,
        by_state=by_state,
    )
    seven_days = count_letters(session, today.day - timedelta(days=6), today.day + timedelta(days=1))
    messages, messages_since = waiting_messages(session)
    late = oldest if oldest is not None and oldest <= now else None
    return Health(
        now=now,
        passes=passes,
        owed=owed,
        overdue_letters=stuck,
        oldest=late,
        today=by_state,
        in_doubt=in_doubt,
        digest_week=week,
        findings=findings,
        channels=channel_lines,
        silenced=silenced(session, today.day),
        week=seven_days,
        troubles=troubles,
        messages=messages,
        messages_since=messages_since,
        live=live,
    )


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


def _troubles(
    passes: tuple[PassLine, ...],
    now: datetime,
    *,
    held: bool,
    down: bool,
    stuck: int,
    in_doubt: int,
    findings: Mapping[str, int],
    live: bool,
    by_state: Mapping[LetterState, int],
) -> tuple[Trouble, ...]:
    last = next((each.finished_at for each in passes if each.name == AUDIT), None)
    is_present = complete(
        Trouble,
        {
            Trouble.HELD: held,
            Trouble.NO_PASS: not passes,
            Trouble.PASS_FAILED: any(each.error for each in passes),
            Trouble.PASS_SILENT: live and bool(passes) and (last is None or now - last > SILENT_AFTER),
            Trouble.CHANNEL_DOWN: down,
            Trouble.LETTERS_STUCK: stuck > 0,
            Trouble.AUDIT: bool(findings),
            Trouble.KEPT_HERE: bool(findings.get("letters_kept_here")) or by_state.get(LetterState.KEPT_HERE, 0) > 0,
            Trouble.IN_DOUBT: in_doubt > 0,
        },
    )
    return tuple(trouble for trouble in Trouble if is_present[trouble])
