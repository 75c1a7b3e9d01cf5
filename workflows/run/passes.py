"""The passes: plain functions (database, now) -> PassReport. Each may crash, overlap, run twice or catch up.

``tick`` runs those that have something to do, in order of their dependencies. Independent of schedulers:
``workflows.serving.heartbeat`` calls the passes, ``workflows.run.flows`` wraps them for Prefect.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path

from sqlalchemy import func, select, update

from engine.admin import unreferenced_uploads
from engine.application import daily_cleanup as daily
from engine.assignments import escalation, opening
from engine.assignments import weekly_digest as digests
from engine.assignments.due_work import Due, in_window, what_is_due
from engine.assignments.escalation import DueBatch, DueDuty, EscalationResult
from engine.correspondence.handling import blank_settled
from engine.errors import DondocError, NotFound, Unavailable
from engine.rules.calendar import day_digits, local_date
from engine.store.clock import system_clock
from engine.store.database import Database, insert_new, table
from engine.store.facts import add_waits, last_tick, remember_tick
from engine.store.recipients import remember_channels
from engine.store.records import Event, Pass
from engine.store.rulebook import read_rulebook
from engine.terms import PassName
from engine.text import Text
from engine.views.event_sentences import said
from notifications.delivery import Delivered, DeliveryContext, OpenChannels
from notifications.delivery import deliver as deliver_letters
from notifications.webhooks import WebhookDelivery, send_owed
from workflows.projection.events import happened_to
from workflows.projection.shown_runs import rows_of, steps

log = logging.getLogger(__name__)
ESCALATION_BATCH_ROWS = 1000
TICKED_EVERY = timedelta(minutes=1)
EARLY_SECONDS = 5.0
"""How long acting waits for the letters of a batch."""


@dataclass(frozen=True)
class PassReport:
    """What one pass did: counts by name, and the duration in seconds."""

    name: PassName
    counts: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0

    def __str__(self) -> str:
        counts = ", ".join(f"{name} {count}" for name, count in self.counts.items() if count) or "nothing to do"
        return f"{self.name}: {counts} ({self.seconds:.2f} s)"


class DutiesFailed(DondocError):
    """Acting on some duties failed; the others have been acted on."""

    def __init__(self, duties: Mapping[DueDuty, Exception]) -> None:
        said = (f"{duty}: {type(error).__name__}: {error}" for duty, error in duties.items())
        super().__init__(Text.same("; ".join(said)))


def open_assignments(database: Database, now: datetime) -> PassReport:
    """Open the assignments of active plans whose opening date has come."""
    began, opened, plans = time.monotonic(), 0, 0
    while True:
        with database.write() as session:
            count = opening.open_due(session, now)
        if count < 0:
            break
        opened, plans = opened + count, plans + 1
    return finish(database, PassName.OPEN, now, began, {"plans": plans, "assignments": opened})


def act(database: Database, now: datetime) -> PassReport:
    """Act on everything that is due: remind, remind again, escalate. If processing everything at once fails, each duty
    is processed alone, so that one failing duty does not block the others. Raises DutiesFailed at the end."""
    batches = act_in_batches(database, now)
    while True:
        try:
            next(batches)
        except StopIteration as done:
            report: PassReport = done.value
            return report


def act_in_batches(database: Database, now: datetime) -> Generator[list[str], None, PassReport]:
    """As ``act``. Yields after each batch the agencies whose letters are complete: the pass adds nothing to them."""
    began = time.monotonic()
    total, failed = EscalationResult(), {}
    try:
        with database.read() as session:
            due = escalation.due_assignments(session, now)
        for start in range(0, len(due.ids), ESCALATION_BATCH_ROWS):
            end = start + ESCALATION_BATCH_ROWS
            total.add(_run_escalations(database, now, ids=due.ids[start:end]))
            paused = time.monotonic()
            yield due.complete(start, end)
            began += time.monotonic() - paused
    except Unavailable:
        raise
    except Exception as error:  # noqa: BLE001 - each duty's own error is raised below
        log.warning("acting on everything at once failed (%s); each duty is processed alone", type(error).__name__)
        failed = _act_on_each_duty(database, now, total)
    report = acted(database, now, began, total)
    if failed:
        raise DutiesFailed(failed)
    return report


def act_on(database: Database, now: datetime, batch: DueBatch) -> EscalationResult:
    """Act on what of a batch is still due: another process may have been quicker. If processing it at once fails, each
    duty is processed alone; raises DutiesFailed at the end."""
    total = EscalationResult()
    try:
        total.add(_run_escalations(database, now, ids=batch.ids))
    except Unavailable:
        raise
    except Exception as error:  # noqa: BLE001 - each duty's own error is raised below
        log.warning("acting on %s at once failed (%s); each duty is processed alone", batch, type(error).__name__)
        if failed := _act_on_each_duty(database, now, total, batch.ids):
            raise DutiesFailed(failed) from None
    return total


@dataclass(frozen=True)
class ActedOnOne:
    """``said``: what was done and what comes next, in words. ``next_at``: when the assignment is due again."""

    said: str
    next_at: datetime | None


def act_on_one(database: Database, now: datetime, assignment: int) -> ActedOnOne:
    """Act on one assignment, if anything of it is due. Raises NotFound, DutiesFailed."""
    with database.read() as session:
        last = session.connection().scalar(select(func.max(table(Event).c.id))) or 0
    with failures_recorded(database, PassName.ACT, now):
        act_on(database, now, DueBatch((), (assignment,)))
    with database.read() as session:
        found, done = rows_of(session, [assignment]), happened_to(session, [assignment], last)
        book = read_rulebook(session)
    if not found:
        raise NotFound(Text(f"Không có việc số {assignment}.", f"There is no assignment {assignment}."))
    next_at = found[0].next_action_at
    day = date.max if next_at is None else local_date(next_at)
    coming = next((f"{day_digits(on)} {what}" for on, what in steps(found[0], book) if on >= day), "không còn mốc nào")
    acted = "; ".join(said(event, "vi") for event in done) or "Chưa có gì đến hạn"
    return ActedOnOne(f"{acted}. Tiếp theo: {coming}.", next_at)


def acted(database: Database, now: datetime, began: float, total: EscalationResult) -> PassReport:
    """The report of acting that ``began`` at a reading of time.monotonic()."""
    return finish(database, PassName.ACT, now, began, _counts(total))


def _counts(total: EscalationResult) -> dict[str, int]:
    return {
        "assignments": total.seen,
        "rungs": total.fired,
        "skipped": total.skipped,
        "notices": total.notices,
        "unreachable": total.unreachable,
    }


def _run_escalations(
    database: Database, now: datetime, *, duty_id: int | None = None, ids: Sequence[int] | None = None
) -> EscalationResult:
    with database.write() as session:
        return escalation.run_escalations(
            session, read_rulebook(session), now, limit=ESCALATION_BATCH_ROWS, duty_id=duty_id, ids=ids
        )


def _act_on_each_duty(
    database: Database, now: datetime, total: EscalationResult, ids: Sequence[int] | None = None
) -> dict[DueDuty, Exception]:
    """Act on each due duty separately, or on those of ``ids``. Returns the failed ones."""
    with database.read() as session:
        duties = escalation.due_duties(session, now, ids)
    failed: dict[DueDuty, Exception] = {}
    for duty in duties:
        try:
            seen = ESCALATION_BATCH_ROWS
            while seen == ESCALATION_BATCH_ROWS:
                result = _run_escalations(database, now, duty_id=duty.duty_id, ids=ids)
                total.add(result)
                seen = result.seen
        except Exception as error:
            log.exception("%s could not be acted on", duty)
            failed[duty] = error
    return failed


def digest(database: Database, now: datetime) -> PassReport:
    """Create this week's digests if they are due and not created yet."""
    began = time.monotonic()
    counts = {}
    with database.write() as session:
        if digests.is_owed(session, now):
            letters, empty = digests.make(session, now)
            counts = {"digests": letters, "empty": empty}
    return finish(database, PassName.DIGEST, now, began, counts)


def upkeep(database: Database, now: datetime, files: Path, keep_bodies: timedelta | None = None) -> PassReport:
    """Once per local day: delete data that is no longer needed and apply agency names that become valid today.

    ``files``: the evidence folder; files without a row are deleted after the rows. ``keep_bodies``: how long the texts
    of letters are kept; they are deleted in chunks, so that nobody waits for them."""
    began, counts = time.monotonic(), {}
    with database.read() as session:
        owed = daily.is_owed(session, now)
    if owed:
        with database.write() as session:
            counts = daily.run_daily_cleanup(session, now)
    if counts:
        counts["bytes"] = unreferenced_uploads.sweep(database, files, now)
        counts["bodies"] = daily.prune_bodies(database, now - keep_bodies) if keep_bodies else 0
        if keep_bodies:
            with database.write() as session:
                counts["messages"] = blank_settled(session, now - keep_bodies)
        database.optimize()
    return finish(database, PassName.UPKEEP, now, began, counts)


async def deliver(
    database: Database,
    now: datetime,
    delivery: DeliveryContext,
    early: Delivered | None = None,
    channels: OpenChannels | None = None,
) -> PassReport:
    """Send every letter that is due. ``early``: what this tick has sent before, while it acted."""
    began = time.monotonic()
    done = early or Delivered()
    done.add(await deliver_letters(database, now, delivery, channels=channels))
    if done.waits:
        with database.write() as session:
            add_waits(session, done.waits, done.waited)
    return finish(database, PassName.DELIVER, now, began, {"letters": done.claimed} | done.fates)


async def _act_and_deliver(
    database: Database, now: datetime, delivery: DeliveryContext, early: Delivered, channels: OpenChannels
) -> PassReport:
    """As ``act``, and sends what is complete after each batch, so that the first letter need not wait for the last
    assignment. A relay that does not keep up does not hold up the acting: the rest is sent after it."""
    batches, keeps_up = act_in_batches(database, now), True
    while True:
        try:
            agencies = next(batches)
        except StopIteration as done:
            report: PassReport = done.value
            return report
        if keeps_up:
            try:
                sent = await deliver_letters(database, now, delivery, agencies, EARLY_SECONDS, channels)
            except Exception:  # the pass that follows the acting meets it again, and raises it
                log.exception("nothing more is sent while acting")
                keeps_up = False
            else:
                early.add(sent)
                keeps_up = not sent.fates.get("released")


async def tell_webhooks(database: Database, now: datetime, delivery: WebhookDelivery) -> PassReport:
    """Send every webhook message that is due; apart from letters, so that neither holds up the other."""
    began = time.monotonic()
    counts = await send_owed(database, now, delivery)
    return finish(database, PassName.WEBHOOKS, now, began, counts)


async def tick(
    database: Database, now: datetime, delivery: DeliveryContext, found: Due | None = None, *, letters: bool = True
) -> list[PassReport]:
    """Run all passes that are due, in order: open, act, digest, deliver. No reports if nothing is due (one query).
    ``letters`` False leaves sending to another process.

    ``found``: what is due, if the caller has asked. Asked again only after opening, which makes other work due; letters
    are looked for after any pass. If a pass fails, the others still run; then the first error is raised."""
    found = found or due(database, now)
    if not found.anything:
        return []
    look_before(database, now, delivery)
    async with OpenChannels(delivery.channels) as channels:  # the relay's connections are kept from batch to batch
        return await _run_due(database, now, delivery, found, channels, letters=letters)


def look_before(database: Database, now: datetime, delivery: DeliveryContext) -> None:
    """What a tick does before its passes: holds a database that is older than this machine knows, and says on which
    channels letters can leave."""
    if delivery.mark is not None:
        delivery.mark.observe(database, now)
    remember_channels(database, delivery.channels)


async def _run_due(
    database: Database, now: datetime, delivery: DeliveryContext, found: Due, channels: OpenChannels, *, letters: bool
) -> list[PassReport]:
    reports: list[PassReport] = []
    failed: list[Exception] = []
    early = Delivered()
    for name, run in DATABASE_PASSES.items():
        try:
            if getattr(found, name):
                with failures_recorded(database, name, now):
                    if name is PassName.ACT and letters and not found.digest:  # a digest goes into the same letters
                        reports.append(await _act_and_deliver(database, now, delivery, early, channels))
                    else:
                        reports.append(run(database, now))
        except Exception as error:  # noqa: BLE001 - raised again below, after the other passes
            failed.append(error)
        if name is PassName.OPEN and found.open:
            found = due(database, now)
    if letters:
        with failures_recorded(database, PassName.DELIVER, now):
            reports.append(await deliver(database, now, delivery, early, channels))
    if failed:
        raise failed[0]
    return reports


def ticked(database: Database) -> None:
    """A tick has come to its end. Written once a minute: whoever watches counts in minutes."""
    now = system_clock()
    with database.read() as session:
        last = last_tick(session)
    if last is None or abs(now - last) >= TICKED_EVERY:
        with database.write() as session:
            remember_tick(session, now)


def due(database: Database, now: datetime) -> Due:
    with database.read() as session:
        return what_is_due(session, now)


def may_send(database: Database, now: datetime) -> bool:
    """True within the sending hours of letters that are not urgent."""
    with database.read() as session:
        return in_window(now, read_rulebook(session))


def finish(database: Database, name: PassName, now: datetime, began: float, counts: dict[str, int]) -> PassReport:
    """The report of a pass that ``began`` at a reading of time.monotonic(); stored if it did anything."""
    report = PassReport(name, counts, time.monotonic() - began)
    if any(counts.values()) or _has_failed(database, name):
        record_run(database, report, now)
    return report


def _has_failed(database: Database, name: PassName) -> bool:
    passes = table(Pass)
    with database.read() as session:
        failed = select(passes.c.name).where(passes.c.name == name.value, passes.c.error != "")
        return session.connection().scalar(failed) is not None


@contextmanager
def failures_recorded(database: Database, name: PassName, now: datetime) -> Iterator[None]:
    """An error of a pass is on the health page until the pass has succeeded, and stops the heartbeat ping."""
    try:
        yield
    except Exception as error:
        if not isinstance(error, Unavailable):  # what cannot be reached cannot be written to
            record_failure(database, name, error, now)
        raise


def record_failure(database: Database, name: PassName, error: Exception, now: datetime) -> None:
    _record(database, name, now, {"error": f"{type(error).__name__}: {error}"[:500]})


def record_run(database: Database, report: PassReport, now: datetime) -> None:
    """Store the last run of each pass for the health page."""
    _record(database, report.name, now, {"finished_at": now, "counts": report.counts, "error": ""})


def _record(database: Database, name: PassName, now: datetime, values: dict[str, object]) -> None:
    passes, row = table(Pass), {"started_at": now, **values}
    with database.write() as session:
        changed = session.connection().execute(update(passes).where(passes.c.name == name.value).values(**row))
        if changed.rowcount == 0:
            insert_new(session, Pass, [{"name": name.value, "finished_at": None, "counts": {}, "error": "", **row}])


DATABASE_PASSES: dict[PassName, Callable[[Database, datetime], PassReport]] = {
    PassName.OPEN: open_assignments,
    PassName.ACT: act,
    PassName.DIGEST: digest,
}
"""The passes that need only the database, in order."""
