"""The self-audit: nothing is forgotten, stuck or wrong without somebody being told.

Each check counts what should be zero. Findings are shown on the health page and appended as events, each once a day.
Only a clean audit pings the heartbeat URL, so an external monitor hears of a channel that is down, of refusals and
doubts, of a failed pass or a spoiled row as it hears of a machine that is off. ``dondoc repair`` (``repair``) corrects
what can be computed again.

Working time: the hours in which letters are sent, on working days. What waits outside of them is not late.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from time import monotonic

import httpx
from sqlalchemy import ColumnElement, and_, exists, func, or_, select
from sqlmodel import Session

from engine.application.daily_cleanup import LAST_CLEANUP_FACT
from engine.assignments import situations
from engine.assignments.lifecycle import standing_report
from engine.assignments.outbox import ON_HOLD, WEEK, LetterDay, letter_day
from engine.assignments.weekly_digest import LAST_LOOK, week_day
from engine.errors import Unavailable
from engine.queries.system.health import channels
from engine.rules.calendar import ONE_DAY, WorkCalendar, instant, local_date
from engine.rules.policy import Facts, SendWindow, next_look
from engine.store import search_index
from engine.store.database import Database, table
from engine.store.event_log import append, event
from engine.store.facts import hold, read_as, read_fact, write_fact
from engine.store.records import LOST, STILL_OWED, Assignment, Delivery, Fact, Letter, Pass, Plan
from engine.store.rulebook import Rulebook, read_rulebook
from engine.store.stored_rows import AnyRow
from engine.terms import EventKind, LetterState, PassName, PlanState, State
from workflows.checks import log_checks, record_checks
from workflows.checks.log_checks import CHECKED_ASSIGNMENTS, CURSOR, checked_now
from workflows.checks.record_checks import count_rows
from workflows.run.passes import PassReport, record_run

MOST_DAYS = 60
"""How far back it is looked; no holidays are longer."""


def working_time_ago(book: Rulebook, now: datetime, spent: timedelta) -> datetime:
    """The instant since which so much working time has passed; without policies, ``now - spent``."""
    windows = [policy.window for policy in book.policies.values()]
    if not windows:
        return now - spent
    opens, closes = max(each.opens for each in windows), min(each.closes for each in windows)
    return _back(book.calendar, SendWindow(opens=opens, closes=closes), now, spent)


def _back(calendar: WorkCalendar, window: SendWindow, now: datetime, spent: timedelta) -> datetime:
    day = local_date(now)
    for _ in range(MOST_DAYS):
        if calendar.is_working(day):
            begins, ends = instant(day, window.opens), min(instant(day, window.closes), now)
            if ends - begins >= spent:
                return ends - spent
            spent -= max(ends - begins, timedelta())
        day -= ONE_DAY
    return instant(day, window.opens)


log = logging.getLogger(__name__)
STUCK_TOLERANCE = timedelta(minutes=30)
"""How long something may be due before it counts as stuck: several ticks and a slow relay."""
LATE_TOLERANCE = timedelta(hours=1)
"""How long after the first attempt a letter may still be owed."""
MAX_FAILED_LETTERS, MAX_FAILED_SHARE = 10, 0.2
"""Letters of a day that were refused or are in doubt; more, or a larger share, is the way and not the readers."""
SHARE_FROM_LETTERS = 10
"""Of fewer letters a share says nothing: one dead mailbox of three is the directory's finding."""
KEPT_WITHIN = timedelta(days=31)
SETTLED_WITHIN = timedelta(days=2)
"""How far back settled letters and reports are compared with their records."""
TRIED_WITHIN = timedelta(days=14)
"""How old a letter may be that was tried today; letters are found by their day."""
OUTSIDE = (
    "open_files",
    "clock_wrong",
    "passes_hang",
    "mark_unusable",
    "evidence_lost",
    "disk_low",
    "backup_old",
    "holidays_missing",
    "canary_missing",
    "arrival_unconfirmed",
    "machines_silent",
    "machines_older",
)
"""Findings that do not come from the rows: what machines say of themselves, and ``workflows.checks.record_checks``."""
UNREADABLE = "unreadable_rows"
"""Finding: so many checks could not be made, since a row holds what it cannot hold."""

Check = Callable[[Session, datetime], int]


@dataclass(frozen=True)
class Audit:
    """``findings``: what should be zero and is not. ``in_doubt`` and ``oldest_unsent`` are for information."""

    findings: Mapping[str, int]
    in_doubt: int
    oldest_unsent: datetime | None

    @property
    def clean(self) -> bool:
        return not self.findings


def _without_next_step(session: Session, now: datetime) -> int:
    """Unfinished tasks of running plans with neither a rung to come, nor a promise that stands, nor a decision that is
    owed because the ladder has ended."""
    a, p = table(Assignment), table(Plan)
    plans = session.connection().scalars(select(a.c.plan_id).where(LOST)).all()
    if not plans:
        return 0
    running = session.connection().scalars(select(p.c.id).where(p.c.state == PlanState.ACTIVE))
    return sum(map(Counter(plans).__getitem__, running))


def _overdue_looks(session: Session, now: datetime) -> int:
    a = table(Assignment)
    return count_rows(session, a, a.c.next_action_at.is_not(None), a.c.next_action_at < now - STUCK_TOLERANCE)


def _stuck_letters(session: Session, now: datetime) -> int:
    m, late = table(Letter), working_time_ago(read_rulebook(session), now, STUCK_TOLERANCE)
    made = m.c.created_at < late  # a letter made at noon may have send_after 07:30
    untried = (m.c.attempts == 0) | (m.c.state == LetterState.SENDING)
    return count_rows(session, m, STILL_OWED, m.c.send_after < late, made, untried)


def _late_letters(session: Session, now: datetime) -> int:
    """Tried over a working hour ago for the first time and still owed; a full mailbox is waited for. One that a relay
    put off on Friday evening is not late on Sunday."""
    m, d, since = table(Letter), table(Delivery), working_time_ago(read_rulebook(session), now, LATE_TOLERANCE)
    tried = exists().where(d.c.letter_id == m.c.id, d.c.at < since)
    return count_rows(session, m, STILL_OWED, m.c.attempts > 0, m.c.reason != "bounced_soft", tried)


def _channels_down(session: Session, now: datetime) -> int:
    return sum(not each.up for each in channels(session))


def _failed_letters(session: Session, now: datetime) -> int:
    """Refused or in doubt today, where that is more than single readers explain."""
    m = table(Letter)
    states = (LetterState.REFUSED, LetterState.UNKNOWN, LetterState.ACCEPTED, LetterState.DELIVERED)
    statement = (
        select(m.c.state, func.count()).where(m.c.day == local_date(now), m.c.state.in_(states)).group_by(m.c.state)
    )
    counts: dict[LetterState, int] = dict(map(tuple, session.connection().execute(statement)))
    failed, settled = counts.get(LetterState.REFUSED, 0) + counts.get(LetterState.UNKNOWN, 0), sum(counts.values())
    share = failed > MAX_FAILED_SHARE * settled if settled >= SHARE_FROM_LETTERS else 1 < failed == settled
    return failed if failed > MAX_FAILED_LETTERS or share else 0


def _failed_passes(session: Session, now: datetime) -> int:
    return count_rows(session, table(Pass), table(Pass).c.error != "")


@dataclass(frozen=True, slots=True)
class Recomputed:
    """An assignment's row, and what its ladder says now: ``acted_until`` no later than today, the next look ``at`` an
    instant, or why there is none."""

    row: AnyRow
    acted_until: date | None
    at: datetime | None
    quiet: str | None


def recomputed(
    session: Session, now: datetime, *conditions: ColumnElement[bool], most: int | None = None
) -> Iterator[Recomputed]:
    """Open assignments of running plans, in the order of their ids; at most so many."""
    a, p, today, book = table(Assignment), table(Plan), local_date(now), read_rulebook(session)
    columns = (a.c.id, a.c.state, a.c.opened_on, a.c.due_on, a.c.acted_until, a.c.next_action_at, a.c.quiet)
    statement = (
        select(*columns, a.c.promised_on, a.c.broken_before, a.c.ladder_id, p.c.policy_id)
        .join(p, p.c.id == a.c.plan_id)
        .where(situations.owed(), p.c.state == PlanState.ACTIVE, *conditions)
        .order_by(a.c.id)
        .limit(most)
    )
    for row in session.connection().execute(statement):
        acted = min(row.acted_until, today) if row.acted_until else None
        facts = Facts(row.state, row.opened_on, row.due_on, acted, row.promised_on, row.broken_before)
        on, quiet = next_look(book.ladders[row.ladder_id], facts, book.calendar)
        at = None if on is None else instant(on, book.policy(row.policy_id).decide_at)
        yield Recomputed(row, acted, at, quiet)


def _looks_too_late(session: Session, now: datetime) -> int:
    """Open assignments that would be looked at later than their policy says, or believe to have acted in the future.
    Recomputed, a part in each audit: what a wrong clock or a hand in the database did is found within hours."""
    after = read_as(read_fact(session, CURSOR), int, 0)
    late = 0
    for each in recomputed(session, now, table(Assignment).c.id > after, most=CHECKED_ASSIGNMENTS):
        row, at = each.row, each.at
        if each.acted_until != row.acted_until:
            late += 1
        elif at is not None:
            # One that is due may be held back on purpose; what counts is a look that comes later than it should.
            silent = row.next_action_at is None and row.quiet is not None
            late += at > now and (silent or (row.next_action_at is not None and row.next_action_at > at))
    return late


def letters_far_ahead(session: Session, now: datetime) -> dict[int, LetterDay]:
    """Letters that nobody holds and that leave later than even a weekly letter decided in a week would, by id; with the
    day that they should have: their own, if that is not as far ahead."""
    m, book = table(Letter), read_rulebook(session)
    if book.general is None:
        return {}
    latest = letter_day(now + WEEK, book, book.general, weekly=True)
    late = (STILL_OWED, m.c.reason != ON_HOLD, m.c.send_after >= latest.left)
    found = {}
    for row in session.connection().execute(select(m.c.id, m.c.day, m.c.urgent).where(*late)):
        decided = max(now, instant(row.day, time())) if row.day <= latest.day else now
        found[row.id] = letter_day(decided, book, book.general, urgent=row.urgent)
    return found


def _letters_kept_here(session: Session, now: datetime) -> int:
    m = table(Letter)
    return count_rows(session, m, m.c.day >= local_date(now - KEPT_WITHIN), m.c.state == LetterState.KEPT_HERE)


def _digest_in_future(session: Session, now: datetime) -> int:
    """The day of the last look for readers of the weekly digest, or of the last cleanup."""
    f, today = table(Fact), local_date(now)
    digest = and_(f.c.name == LAST_LOOK, f.c.value > week_day(today))
    cleanup = and_(f.c.name == LAST_CLEANUP_FACT, f.c.value > today.isoformat())
    return count_rows(session, f, or_(digest, cleanup))


def _sent_without_record(session: Session, now: datetime) -> int:
    m, d = table(Letter), table(Delivery)
    sent = m.c.state.in_((LetterState.ACCEPTED, LetterState.DELIVERED))
    recorded = exists().where(d.c.letter_id == m.c.id)
    return count_rows(session, m, m.c.day >= local_date(now - SETTLED_WITHIN), sent, ~recorded)


def _reported_without_report(session: Session, now: datetime) -> int:
    a = table(Assignment)
    recorded = exists().where(*standing_report(a.c.id))
    recent = or_(a.c.reported_at.is_(None), a.c.reported_at > now - SETTLED_WITHIN)
    return count_rows(session, a, and_(a.c.state == State.REPORTED, recent, ~recorded))


CHECKS: Mapping[str, Check] = {
    "letters_held": lambda session, now: int(hold(session) is not None),
    "without_next_step": _without_next_step,
    "overdue_looks": _overdue_looks,
    "stuck_letters": _stuck_letters,
    "late_letters": _late_letters,
    "channels_down": _channels_down,
    "failed_letters": _failed_letters,
    "failed_passes": _failed_passes,
    "looks_too_late": _looks_too_late,
    "letters_far_ahead": lambda session, now: len(letters_far_ahead(session, now)),
    "letters_kept_here": _letters_kept_here,
    "digest_in_future": _digest_in_future,
    "sent_without_record": _sent_without_record,
    "reported_without_report": _reported_without_report,
    "search_lost": lambda session, now: int(not search_index.intact(session.connection())),
    "openings_forgotten": record_checks.openings_forgotten,
    "plans_without_work": record_checks.plans_without_work,
    "letters_of_another_day": record_checks.letters_of_another_day,
    "sending_without_lease": record_checks.sending_without_lease,
    "contacts_without_address": record_checks.contacts_without_address,
    "suppressed_without_cause": record_checks.suppressed_without_cause,
    "promises_differ": record_checks.promises_differ,
    "plans_of_another_state": record_checks.plans_of_another_state,
    "letters_without_lines": record_checks.letters_without_lines,
    "impossible_values": log_checks.impossible_values,
    "calendar_differs": log_checks.calendar_differs,
    "policies_differ": log_checks.policies_differ,
    "levels_without_letters": log_checks.levels_without_letters,
    "rungs_missed": log_checks.rungs_missed,
    "dues_moved_by_nobody": log_checks.dues_moved_by_nobody,
    "dropped_by_nobody": log_checks.dropped_by_nobody,
    "done_without_report": log_checks.done_without_report,
    "facts_unreadable": log_checks.facts_unreadable,
    "log_differs": log_checks.log_differs,
    "rows_differ": lambda session, now: len(record_checks.differing(session)),
}


def run_checks(
    database: Database, now: datetime, *, may_rest: bool = False, outside: Mapping[str, int] | None = None
) -> Audit:
    """Ask the database. ``may_rest``: outside sending hours, when untried letters wait as they should. ``outside``: see
    OUTSIDE."""
    m = table(Letter)
    with database.read() as session:
        scalar = session.connection().scalar
        counts = counted(session, now, may_rest=may_rest)
        lately = (m.c.day >= local_date(now - TRIED_WITHIN), m.c.settled_at > now - timedelta(days=1))
        in_doubt = count_rows(session, m, m.c.state == LetterState.UNKNOWN, *lately)
        oldest = scalar(select(func.min(m.c.send_after)).where(STILL_OWED, m.c.send_after <= now))
    unreadable = sum(count < 0 for count in counts.values())
    counts |= {UNREADABLE: unreadable, **(outside or {})}
    return Audit({name: count for name, count in counts.items() if count > 0}, in_doubt, oldest)


def counted(session: Session, now: datetime, *, may_rest: bool = False) -> dict[str, int]:
    """What each check counts; -1 where it cannot be made."""
    return {name: _checked(session, name, now) for name in CHECKS if not (may_rest and name == "stuck_letters")}


def _checked(session: Session, name: str, now: datetime) -> int:
    """What a check counts, in a transaction of its own; -1 where it cannot be made: the others go on."""
    try:
        with session.begin_nested():
            return CHECKS[name](session, now)
    except Unavailable:
        raise
    except Exception as error:  # noqa: BLE001 - an impossible value in one row must not end the audit
        log.error("audit: %s cannot be checked (%s)", name, type(error).__name__)
        return -1


def audit(
    database: Database,
    now: datetime,
    heartbeat_url: str = "",
    *,
    may_rest: bool = False,
    outside: Mapping[str, int] | None = None,
    logs: bool = True,
) -> PassReport:
    """Run the checks, record findings, and ping if there are none. ``logs``: whether events are written; by a clock
    that is not believed they would stand in the log's future after it is set."""
    began = monotonic()
    try:
        record_checks.look_once_a_night(database, now)
    except Unavailable:
        raise
    except Exception as error:  # noqa: BLE001 - as ``_checked``: the others say which row cannot be read
        log.error("audit: rows cannot be compared (%s)", type(error).__name__)
    result = run_checks(database, now, may_rest=may_rest, outside=outside)
    today = local_date(now).isoformat()
    recorded = result.findings if logs else {}
    log_checks.move_link_cursor(database)
    with database.write() as session:
        _move_cursor(session)
        record_checks.move_cursor(session)
        append(
            session,
            [
                event(EventKind.AUDIT_FAILED, now, key=f"audit:{name}:{today}", finding=name, count=count)
                for name, count in recorded.items()
            ],
        )
    if not result.clean:
        log.error("audit: %s", ", ".join(f"{name} {count}" for name, count in result.findings.items()))
    counts = dict.fromkeys((*CHECKS, *OUTSIDE, UNREADABLE), 0) | dict(result.findings)
    counts["unknown_letters"] = result.in_doubt
    report = PassReport(PassName.AUDIT, counts, monotonic() - began)
    record_run(database, report, now)
    if heartbeat_url and result.clean:
        _ping(heartbeat_url)
    return report


def _move_cursor(session: Session) -> None:
    """On to the assignments behind those that were recomputed; from the first again behind the last."""
    after = read_as(read_fact(session, CURSOR), int, 0)
    seen = session.connection().scalars(checked_now(session)).all()
    last = str(seen[-1] if len(seen) == CHECKED_ASSIGNMENTS else 0)
    if last != str(after):
        write_fact(session, CURSOR, last)


def _ping(url: str) -> None:
    try:
        httpx.get(url, timeout=5).raise_for_status()
    except httpx.HTTPError as error:
        log.warning("the heartbeat URL did not answer: %s", _reason(error))


def _reason(error: httpx.HTTPError) -> str:
    """Without the URL, which holds a key."""
    return str(error.response.status_code) if isinstance(error, httpx.HTTPStatusError) else type(error).__name__
