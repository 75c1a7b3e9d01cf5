"""What must hold after every run, as sentences about what did not.

Judged by what was planted and by the letters that the relays took, not by what the product says of itself; where its
own audit is asked, it has to agree with both.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import date, time, timedelta
from typing import TYPE_CHECKING

from crash.steps import CONNECTIONS
from ground.factory import rows
from simulated.script import DAY, HOUR
from sqlalchemy import select

from engine.rules.calendar import PLAN_TIME, DayException, DayKind, WorkCalendar, instant
from engine.store import event_log
from engine.store.database import Database, table
from engine.store.records import Assignment, CalendarDay, Contact, Event, Letter, Notice
from engine.terms import LetterState, NoticeKind, State
from workflows.checks.audit import run_checks

if TYPE_CHECKING:
    from simulated.simulation import Ran

OWED = (LetterState.QUEUED, LetterState.SENDING)
LONGEST_WAIT = timedelta(hours=5)
"""Between two attempts, and until a host looks again."""
SENT = (LetterState.ACCEPTED, LetterState.DELIVERED)
OVERDUE = (NoticeKind.OVERDUE, NoticeKind.ESCALATION)
OF_MACHINES = {"backup_old", "holidays_missing", "disk_low", "machines_silent", "open_files", "unknown_letters"}
"""Findings and counts of the audit that nothing here is about; a machine is heard by its audits alone, which are rare.
"""
LATENESS = timedelta(minutes=5)
AFTERMATH = 10 * HOUR
"""So long after a fault the audit may still tell of it: a letter waits up to four hours for its next attempt, and for
the morning of a working day."""


def wrongs(ran: Ran) -> Iterator[str]:
    """Empty if everything held."""
    letters = {row.key: row for row in rows(ran.watch, Letter)}
    yield from ran.account.errors
    yield from _log_differs(ran)
    yield from _lost(ran, letters)
    yield from _silenced(ran)
    yield from _doubled(ran)
    yield from _at_closed_hours(ran)
    yield from _falsely_overdue(ran)
    yield from _without_next_step(ran)
    yield from _rungs_missing(ran)
    yield from _acts_forgotten(ran)
    yield from _audits(ran)


def log_stands(watch: Database) -> tuple[event_log.Head, int]:
    """As ``dondoc audit log`` looks: how far the log is whole, and the first event that does not fit."""
    with watch.read() as session:
        connection = session.connection()
        found = event_log.verify(connection)
        return found.head, found.event or event_log.loose(connection)


def _log_differs(ran: Ran) -> Iterator[str]:
    """After a fault or at the end; or the log was made again, with other events before the ones that were there."""
    if event := log_stands(ran.watch)[1]:
        yield f"event {event} is not as it was logged"
    with ran.watch.read() as session:
        for at, head in ran.account.heads:
            given_up = any(gone <= at <= back for gone, back in ran.put_back)
            if not given_up and not head.stands(session.connection()):
                yield f"the log is another than after {at / DAY:.2f} days"


def _lost(ran: Ran, letters: dict[str, Letter]) -> Iterator[str]:
    """Letters that have not gone at the end, or are said to have gone and were taken by nobody."""
    taken = {copy.key for relay in ran.relays.values() for copy in relay.taken}
    dropped = set().union(*(relay.dropped for relay in ran.relays.values()))
    refused = set().union(*(relay.refused for relay in ran.relays.values()))
    for key, row in letters.items():
        state = row.state
        if state in SENT and key not in taken:
            yield f"{key} is {state} and was taken by nobody"
        elif state is LetterState.UNKNOWN and not (key in dropped or ran.account.doubtful[key] > 1):
            yield f"{key} is in doubt without a cause"
        elif state is LetterState.REFUSED and key not in refused:
            yield f"{key} is refused ({row.reason}) by nobody"
        elif state in OWED and max(row.send_after, row.created_at) < ran.end - LONGEST_WAIT:
            yield f"{key} is still {state} at the end"
        elif state in (LetterState.EXPIRED, LetterState.KEPT_HERE):
            yield f"{key} ended as {state}"
    since = min((gone for gone, _ in ran.put_back), default=ran.world.now)
    for copy in (copy for relay in ran.relays.values() for copy in relay.taken):
        if copy.key not in letters and (copy.at - ran.world.began).total_seconds() < since:
            yield f"{copy.key} was taken and is not in the database"


def _silenced(ran: Ran) -> Iterator[str]:
    """A relay that says of everybody that there is no such mailbox says it of itself."""
    for row in rows(ran.watch, Contact):
        for channel in row.suppressed:
            relay = ran.relays[channel]
            if not {row.email, row.phone} & (relay.alone | relay.unknown):
                yield f"{row.email or row.phone} is not written to by {channel} any more"


def _doubled(ran: Ran) -> Iterator[str]:
    """A second copy only of what was on the wire of a process that died or stood still, never a third; and one more for
    each snapshot of all there is."""
    copies = Counter(copy.key for relay in ran.relays.values() for copy in relay.taken)
    most = 2 + sum(each.what == "snapshot" for each in ran.happened)
    for key, count in copies.items():
        if count > min(most, 1 + ran.account.doubtful[key]):
            sent = [copy for relay in ran.relays.values() for copy in relay.taken if copy.key == key]
            when = ", ".join(f"{copy.process} {copy.at:%d/%m %H:%M:%S}" for copy in sent)
            yield f"{key}: {count} copies, {ran.account.doubtful[key]} times on the wire of one that fell ({when})"
    ids = {(copy.key, copy.message_id) for relay in ran.relays.values() for copy in relay.taken}
    for key, count in Counter(key for key, _ in ids).items():
        if count > 1:
            yield f"{key}: copies with different Message-IDs"
    if ran.account.most_on_wire > 2 * CONNECTIONS * len(ran.relays):
        yield f"{ran.account.most_on_wire} letters on the wire of one process"


def _calendar(ran: Ran) -> WorkCalendar:
    return WorkCalendar.of(DayException(row.day, DayKind(row.kind), row.name) for row in rows(ran.watch, CalendarDay))


def _at_closed_hours(ran: Ran) -> Iterator[str]:
    calendar = _calendar(ran)
    for relay in ran.relays.values():
        for copy in relay.taken:
            local = copy.at.astimezone(PLAN_TIME)
            early, late = local + timedelta(minutes=1), local - LATENESS
            if not calendar.is_working(local.date()) or early.time() < time(7, 30) or late.time() > time(21):
                yield f"{copy.key} was taken {local:%A %d/%m %H:%M}"


def _falsely_overdue(ran: Ran) -> Iterator[str]:
    """Who got a letter that a task is overdue on a day on which it was not."""
    m, n, a = table(Letter), table(Notice), table(Assignment)
    told = (
        select(m.c.key, n.c.key.label("line"), a.c.due_on, a.c.original_due_on)
        .join(n, n.c.letter_id == m.c.id)
        .join(a, a.c.id == n.c.assignment_id)
        .where(n.c.kind.in_(OVERDUE), n.c.obsolete == "")
    )
    with ran.watch.read() as session:
        lines = session.connection().execute(told).all()
    taken = [(copy.key, copy.at.astimezone(PLAN_TIME).date()) for r in ran.relays.values() for copy in r.taken]
    for key, day in taken:
        for line in lines:
            due: date = min(line.due_on, line.original_due_on)
            if line.key == key and day <= due:
                yield f"{key} said on {day} that {line.line} is overdue, which is due on {due}"


def _without_next_step(ran: Ran) -> Iterator[str]:
    today = ran.end.astimezone(PLAN_TIME).date()
    for row in rows(ran.watch, Assignment):
        open_overdue = row.done_on is None and row.due_on < today and row.state in (State.ASSIGNED, State.ACKNOWLEDGED)
        if open_overdue and row.next_action_at is None and row.quiet is None and row.promised_on is None:
            yield f"task {row.id} is open and overdue since {row.due_on}, and nothing will happen"
        if open_overdue and row.next_action_at is not None and row.next_action_at < ran.end - timedelta(hours=6):
            yield f"task {row.id} was to be looked at {row.next_action_at}"


def _rungs_missing(ran: Ran) -> Iterator[str]:
    """What was not reported and not put off has been chased, whatever else happened."""
    keys = {row.key for row in rows(ran.watch, Event) if row.key}
    today = ran.end.astimezone(PLAN_TIME).date()
    for row in rows(ran.watch, Assignment):
        quiet = row.state in (State.ASSIGNED, State.ACKNOWLEDGED) and row.promised_on is None
        if quiet and row.due_on == row.original_due_on and row.due_on < today - timedelta(days=6):
            for rung in ("T+1", "T+3"):
                found = any(f"assignment:{row.id}:{row.due_on}:{rung}:{end}" in keys for end in ("fired", "skipped"))
                if not found and not (row.request and rung == "T+3"):
                    yield f"task {row.id}, due on {row.due_on}, was not told of at {rung}"


def _acts_forgotten(ran: Ran) -> Iterator[str]:
    known = Counter((row.kind, row.assignment_id) for row in rows(ran.watch, Event))
    forgotten = [act for act in ran.confirmed if any(gone <= act.at <= back for gone, back in ran.put_back)]
    told = Counter((act.kind, act.assignment_id) for act in ran.confirmed if act not in forgotten)
    for act, count in told.items():
        if known[act] < count:
            yield f"«{act[0]}» of task {act[1]} was confirmed and is not in the database"


def _healed_by(ran: Ran, calendar: WorkCalendar, fell: float) -> float:
    after = ran.world.began + timedelta(seconds=fell + AFTERMATH)
    day = after.astimezone(PLAN_TIME).date()
    opens = instant(calendar.on_or_after(day), time(13))
    return fell + AFTERMATH + max(0.0, (opens - after).total_seconds())


def _sent_since(ran: Ran, fell: float, at: float) -> bool:
    taken = (copy for relay in ran.relays.values() for copy in relay.taken)
    return any(fell < (copy.at - ran.world.began).total_seconds() < at for copy in taken)


def _audits(ran: Ran) -> Iterator[str]:
    calendar = _calendar(ran)
    for audited in ran.account.audits:
        found = set(audited.findings) - OF_MACHINES
        if audited.wrong_clock and "clock_wrong" not in found:
            yield f"a clock {audited.error / HOUR:+.1f} h off is believed ({audited.at / DAY:.2f} days)"
        if audited.held and "letters_held" not in found:
            yield f"letters are held and the audit says nothing ({audited.at / DAY:.2f} days)"
        if audited.down and not found & {"channels_down", "late_letters", "stuck_letters"}:
            yield f"{audited.down} serves nobody and the audit says nothing ({audited.at / DAY:.2f} days)"
        if not _sent_since(ran, audited.fell, audited.at):
            found.discard("channels_down")  # until a letter is accepted nobody knows that it serves again
        if found and audited.at > _healed_by(ran, calendar, audited.fell):
            yield f"nothing is wrong and the audit finds {sorted(found)} ({audited.at / DAY:.2f} days)"
    now = ran.end
    left = set(run_checks(ran.watch, now, may_rest=True).findings)
    if left:
        yield f"at the end the audit finds {sorted(left)}"
