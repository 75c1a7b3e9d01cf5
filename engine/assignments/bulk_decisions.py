"""Bulk decisions of the department above: accept or return reports, grant or refuse extensions, agree to promises or
refuse them; and an owner's request for one later day of several tasks.

Each item is decided by the same function as a single one. Items that somebody else decided meanwhile are left, with the
reason; the others are done. A report is given by its own id, not its assignment's, so that the report that was read is
the one accepted, never a later one.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select
from sqlmodel import Session

from engine.assignments.lifecycle import accept, decide_extension, return_report, standing_report
from engine.assignments.promise_rows import PromiseText
from engine.assignments.promises import ask_for_day, decide_promise
from engine.errors import BadInput, Conflict, NotFound
from engine.store.database import table
from engine.store.records import Assignment, Report
from engine.text import Text

MAX_DECISIONS = 500


@dataclass(frozen=True)
class Decided:
    """``done``: ids that were decided; ``left``: ids that were not, with the error."""

    done: tuple[int, ...]
    left: Mapping[int, Conflict | NotFound]


def accept_reports(
    session: Session,
    report_ids: Sequence[int],
    *,
    complete: Collection[int] = (),
    reason: str = "",
    actor: str,
    now: datetime,
) -> Decided:
    """Accept the reports. ``complete``: those whose output is there; ``reason``: why the others are accepted without
    theirs. Raises BadInput without a reason if one of them owes an output."""

    def receive(assignment_id: int, report_id: int) -> None:
        accept(session, assignment_id, complete=report_id in complete, reason=reason, actor=actor, now=now)

    return _reports(session, report_ids, receive)


def return_reports(
    session: Session,
    report_ids: Sequence[int],
    *,
    reason: str,
    reason_code: str = "",
    actor: str,
    now: datetime,
    until: date | None = None,
) -> Decided:
    """Return the reports, all with the same reason, its code and resubmission date (by default each policy's). Raises
    BadInput without a reason, for a code that a policy lacks, or for a date that one of them cannot have."""

    def send_back(one: int, _: int) -> None:
        return_report(session, one, reason=reason, reason_code=reason_code, actor=actor, now=now, until=until)

    return _reports(session, report_ids, send_back)


def ask_for_days(
    session: Session,
    assignment_ids: Sequence[int],
    text: PromiseText,
    *,
    files: Sequence[Mapping[str, object]] = (),
    actor: str,
    now: datetime,
) -> Decided:
    """Ask for the same later day for several assignments, with one reason and the same files: an extension of those
    that are not late, a promise for those that are. Raises BadInput without a reason, or for a date that one of them
    has already."""

    def ask(assignment_id: int) -> None:
        ask_for_day(session, assignment_id, text, files=files, actor=actor, now=now)

    return decide_each(session, assignment_ids, ask)


def decide_extensions(
    session: Session, extension_ids: Sequence[int], *, granted: bool, answer: str = "", actor: str, now: datetime
) -> Decided:
    """Grant or refuse the requests, all with the same answer."""

    def decide(extension_id: int) -> None:
        decide_extension(session, extension_id, granted=granted, answer=answer, actor=actor, now=now)

    return decide_each(session, extension_ids, decide)


def decide_promises(
    session: Session, promise_ids: Sequence[int], *, agreed: bool, answer: str = "", actor: str, now: datetime
) -> Decided:
    """Agree to the promises, or refuse them with one reason. Raises BadInput without a reason to refuse."""

    def decide(promise_id: int) -> None:
        decide_promise(session, promise_id, agreed=agreed, answer=answer, actor=actor, now=now)

    return decide_each(session, promise_ids, decide)


def _reports(session: Session, report_ids: Sequence[int], act: Callable[[int, int], None]) -> Decided:
    """``act``: on an assignment and its report."""
    assignments = _lock_assignments(session, report_ids)

    def decide(report_id: int) -> None:
        if report_id not in assignments:
            raise Conflict(Text("Báo cáo này không còn chờ nữa.", "This report is no longer pending."))
        act(assignments[report_id], report_id)

    return decide_each(session, report_ids, decide)


def _lock_assignments(session: Session, report_ids: Sequence[int]) -> dict[int, int]:
    """Report id -> assignment id, locked, for reports that stand."""
    a, r = table(Assignment), table(Report)
    statement = select(r.c.id, a.c.id).join(a, a.c.id == r.c.assignment_id)
    statement = statement.where(r.c.id.in_(report_ids), *standing_report(a.c.id)).order_by(a.c.id)
    return dict(map(tuple, session.connection().execute(statement.with_for_update(of=a))))


def decide_each(session: Session, ids: Sequence[int], decide: Callable[[int], None]) -> Decided:
    """Decide each in a savepoint, so that a failed one leaves no partial change."""
    check_selection(ids)
    done: list[int] = []
    left: dict[int, Conflict | NotFound] = {}
    for one in sorted(set(ids)):
        try:
            with session.begin_nested():
                decide(one)
            done.append(one)
        except (Conflict, NotFound) as error:
            left[one] = error
    return Decided(tuple(done), left)


def check_selection(ids: Sequence[int]) -> None:
    """Raises BadInput if no id or more than MAX_DECISIONS were chosen."""
    if not ids:
        raise BadInput(Text("Chưa chọn việc nào.", "Nothing was chosen."))
    if len(ids) > MAX_DECISIONS:
        raise BadInput(Text(f"Chọn nhiều nhất {MAX_DECISIONS} việc một lần.", f"Choose {MAX_DECISIONS} at most."))
