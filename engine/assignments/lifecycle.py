"""The only module that writes an assignment's state: one function for each action, possible by the table of
``engine.rules.situation``.

Every action runs inside the caller's transaction: it locks the assignment, changes the state, computes the next action,
appends an event and puts notices into the outbox. An invalid transition raises ForbiddenMove.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, insert, or_, select, update
from sqlmodel import Session

from engine.assignments.coordinating import tell_of_opening, tell_waited_for
from engine.assignments.outbox import NoticeLine, PostResult, post
from engine.assignments.promise_rows import MadePromise, PromiseText, add_promise, end_promises, require_reason
from engine.enums import complete
from engine.errors import BadInput, Conflict, ForbiddenMove, NotFound
from engine.files.directory import fold
from engine.rules.calendar import ONE_DAY, Due, instant, local_date, written
from engine.rules.outputs import GivenOutput, Output, read_output
from engine.rules.policy import OTHER_REASON, Facts, Policy, for_role, next_look
from engine.rules.situation import LEADS_TO, NEEDS, Action, given, is_unfinished
from engine.rules.words import STATES
from engine.store.data_versions import about, about_agency, of_one
from engine.store.database import insert_returning, table
from engine.store.event_log import append, event, record
from engine.store.recipients import read_recipients
from engine.store.records import Assignment, Duty, Extension, Plan, Report
from engine.store.rulebook import Rulebook, read_rulebook
from engine.store.stored_rows import StoredAssignment, columns_for, is_agency, object_of, select_assignments
from engine.terms import EventKind, NoticeKind, Outcome, PlanState, Quiet, Role, State, Urgency
from engine.text import Text

ACTION_WORDS = complete(
    Action,
    {
        Action.ACKNOWLEDGE: Text("xác nhận đã nhận", "be acknowledged"),
        Action.REPORT: Text("báo cáo", "be reported"),
        Action.ACCEPT: Text("tiếp nhận", "be accepted"),
        Action.RETURN: Text("trả lại", "be returned"),
        Action.CANCEL: Text("hủy", "be cancelled"),
        Action.TRANSFER: Text("chuyển giao", "be transferred"),
        Action.DECLINE: Text("báo là không thuộc nhiệm vụ của cơ quan", "be declined"),
        Action.ASK_EXTENSION: Text("xin gia hạn", "be extended"),
        Action.PROMISE: Text("hẹn ngày", "be promised"),
        Action.CHASE: Text("đôn đốc", "be chased"),
        Action.REDATE: Text("đặt hạn khác", "be given another due date"),
        Action.FOLLOW: Text("ngừng nhắc", "be left"),
    },
)

PLAN_HAS_ENDED = Text(
    "Kế hoạch này đã kết thúc; cơ quan vẫn nộp báo cáo được nhưng không đôn đốc, gia hạn hay chuyển giao nữa.",
    "This plan has ended: reports are still accepted, but nothing can be chased, extended or transferred.",
)
AGENCY_HAS_ENDED = Text(
    "Cơ quan này đã kết thúc hoạt động; việc chỉ còn tính trong số liệu của kỳ, không đòi ai báo cáo nữa.",
    "This agency has ended: the task only counts in its period's figures, and nobody is asked for it.",
)

OF_REPORTS = (
    "reported_at",
    "reported_on",
    "accepted_at",
    "outcome",
    "done_on",
    "promised_on",
    "first_reported_on",
    "first_due_on",
)
"""Columns that tell of the owner's reports; another owner begins without them."""


@dataclass(frozen=True)
class SignedPaper:
    """The signed paper that a report goes with: «45/BC-UBND» of a day, which may be unknown."""

    number: str
    on: date | None = None


def search_key(number: str) -> str:
    """A paper's number as ``Report.paper_key`` holds it and as it is searched: «45/BC - UBND» -> "45/bc-ubnd"."""
    return fold(number).replace(" ", "")


@dataclass(frozen=True, kw_only=True)
class ReportText:
    """The content of a report about one assignment. ``figures``: indicator code -> number or text."""

    outcome: Outcome = Outcome.DONE
    body: str = ""
    reason: str = ""
    figures: Mapping[str, object] | None = None
    files: tuple[Mapping[str, object], ...] = ()
    paper: SignedPaper | None = None
    promise: PromiseText = field(default_factory=PromiseText)
    """Of a task that is not done: by when, why, and what is still owed. Its reason is that of the report."""
    output: GivenOutput | None = None


def open_new(session: Session, rows: Sequence[Mapping[str, object]], now: datetime) -> int:
    """Insert assignments, given as columns; existing ones are left unchanged. Returns how many are new."""
    with about(session, *{str(row["agency_id"]) for row in rows}):
        return _open_new(session, rows, now)


def _opened_for(due_on: date | None, planned: date | None) -> dict[str, Any]:
    """Of the event: the due date, and the plan's own where it had passed."""
    said = {"due": due_on} if due_on == planned else {"due": due_on, "planned": planned}
    return {name: None if day is None else day.isoformat() for name, day in said.items()}


def _open_new(session: Session, rows: Sequence[Mapping[str, object]], now: datetime) -> int:
    a = table(Assignment)
    opened = insert_returning(session, Assignment, rows, a.c.id, a.c.plan_id, a.c.due_on, a.c.original_due_on)
    append(
        session,
        [
            event(
                EventKind.OPENED,
                now,
                row,
                key=f"assignment:{row.id}:opened",
                **_opened_for(row.due_on, row.original_due_on),
            )
            for row in opened
        ],
    )
    tell_of_opening(session, [row.id for row in opened], now)
    return len(opened)


@of_one
def acknowledge(session: Session, assignment_id: int, *, actor: str, now: datetime) -> bool:
    """Acknowledge receipt by the owner. False if it was acknowledged (or done) before."""
    row = _locked(session, assignment_id)
    if row.state not in (State.ASSIGNED, State.CANCELLED, State.TRANSFERRED):
        return False
    _move(session, row, Action.ACKNOWLEDGE, now, acknowledged_at=now)
    record(session, EventKind.ACKNOWLEDGED, now, row, actor=actor)
    return True


@of_one
def decline(session: Session, assignment_id: int, *, actor: str, now: datetime, reason: str = "") -> None:
    """«Không thuộc nhiệm vụ của cơ quan» (not mine): the state stays, the monitor is notified and decides."""
    row = _locked(session, assignment_id)
    require(session, row, Action.DECLINE, now)
    record(session, EventKind.DECLINED, now, row, actor=actor, reason=reason)
    day = local_date(now).isoformat()
    _notify(session, row, now, Role.MONITOR, NoticeKind.NOT_MINE, f"declined:{day}", reason=reason)


@of_one
def report(session: Session, assignment_id: int, text: ReportText, *, actor: str, now: datetime) -> int:
    """Submit a report; returns its id. Late or on time is judged by ``now``'s local date. One that leaves the task
    unfinished may be followed by another, accepted or not; the earlier one is superseded. It may carry a promise: by
    when the task will be done. Without one nothing stands that did not stand before, and chasing goes on."""
    if "reason" in text.outcome.needs and not text.reason.strip():
        raise BadInput(Text("Chưa hoàn thành thì cần ghi lý do.", "Say why it is not finished yet."))
    row = _locked(session, assignment_id)
    today, done = local_date(now), text.outcome.ends
    promised = _promise_of_report(session, row, text, actor=actor, now=now) if "promise" in text.outcome.needs else None
    if done:
        end_promises(session, row, now, done=True)
    changes: Mapping[str, Any] = {"promised_on": None} if done else promised.changes if promised is not None else {}
    _move(
        session,
        row,
        Action.REPORT,
        now,
        **changes,
        reported_at=now,
        reported_on=today,
        accepted_at=None,
        outcome=text.outcome,
        done_on=today if done else None,
        first_reported_on=row.first_reported_on or today,
        acknowledged_at=row.acknowledged_at or now,
    )
    report_id, number = _store_report(session, assignment_id, text, actor, now)
    if promised is None and not done:
        _tell_waited_for(session, row, text, f"report:{report_id}:waits", now)
    record(session, EventKind.REPORTED, now, row, actor=actor, outcome=text.outcome.value, number=number)
    if promised is not None and promised.waits:
        _ask_about_promise(session, row, promised, text.reason, now)
    return report_id


def _store_report(session: Session, assignment_id: int, text: ReportText, actor: str, now: datetime) -> tuple[int, int]:
    """Insert the report, in the place of the one that stood; returns its id and its number."""
    reports = table(Report)
    connection = session.connection()
    connection.execute(update(reports).where(*standing_report(assignment_id)).values(superseded_at=now))
    earlier = connection.scalars(select(reports.c.number).where(reports.c.assignment_id == assignment_id)).all()
    number = max(earlier, default=0) + 1
    inserted = connection.execute(
        insert(reports).values(
            assignment_id=assignment_id,
            number=number,
            submitted_at=now,
            actor=actor,
            outcome=text.outcome.value,
            reason=_reason(text),
            reason_code="" if text.outcome.ends else text.promise.reason_code or OTHER_REASON,
            body=text.body,
            figures=dict(text.figures or {}),
            files=[dict(each) for each in text.files],
            returned_reason="",
            paper_number=text.paper.number if text.paper else "",
            paper_on=text.paper.on if text.paper else None,
            paper_key=search_key(text.paper.number) if text.paper else "",
            output=text.output.stored if text.output else None,
        )
    )
    return int((inserted.inserted_primary_key or (0,))[0]), number


def _reason(text: ReportText) -> str:
    """Why it is not done. What is still to be done stands with the promise; without one it goes with the reason."""
    owed = "" if text.promise.on is not None else text.promise.owed.strip()
    return f"{text.reason}\n\nViệc còn lại: {owed}" if owed else text.reason


@of_one
def accept(
    session: Session, assignment_id: int, *, complete: bool = False, reason: str = "", actor: str, now: datetime
) -> None:
    """Accept the report, by the monitor: it was received. What it says of the task stays, so an unfinished task is
    still open and its owner may report again. ``complete``: of a task that is done and owes an output, that the output
    is there; without it, raises BadInput unless there is a ``reason``."""
    row = _locked(session, assignment_id)
    owed = row.done_on is not None and output_of(session, row.duty_id) is not None
    if owed and not complete:
        _require_text(reason, Text("lý do tiếp nhận khi chưa đủ sản phẩm", "why it is accepted without its output"))
    _move(session, row, Action.ACCEPT, now, accepted_at=now)
    if not owed:
        record(session, EventKind.ACCEPTED, now, row, actor=actor)
        return
    of_report = update(table(Report)).where(*standing_report(assignment_id))
    session.connection().execute(of_report.values(output_complete=complete))
    detail: dict[str, Any] = {"complete": True} if complete else {"complete": False, "lacking": reason.strip()}
    record(session, EventKind.ACCEPTED, now, row, actor=actor, **detail)


def output_of(session: Session, duty_id: int) -> Output | None:
    """What a duty owes beside the work."""
    d = table(Duty)
    return read_output(session.connection().scalar(select(d.c.output).where(d.c.id == duty_id)))


def output_of_assignment(session: Session, assignment_id: int) -> Output | None:
    """What the duty of an assignment owes beside the work; None, too, if there is no such assignment."""
    a = table(Assignment)
    duty_id = session.connection().scalar(select(a.c.duty_id).where(a.c.id == assignment_id))
    return None if duty_id is None else output_of(session, duty_id)


@of_one
def return_report(
    session: Session,
    assignment_id: int,
    *,
    reason: str,
    reason_code: str = "",
    actor: str,
    now: datetime,
    until: date | None = None,
) -> date:
    """Return the report with a reason, its code of the policy and a date by which to resubmit it; returns that date.
    The task is open until a corrected report says it is done, and is judged by this date; the first report keeps its
    own timeliness. The ladder begins again. ``until``: chosen by the monitor instead of the policy's number of working
    days; a closed day rolls over. Raises BadInput for a date that has come, or that would leave less time than the due
    date did."""
    _require_text(reason, Text("lý do trả lại", "the reason for returning it"))
    row = _locked(session, assignment_id)
    book, today = read_rulebook(session), local_date(now)
    policy, code = book.policy(_plan(session, row).policy_id), reason_code or OTHER_REASON
    require_reason(policy, code)
    proposed = policy.resubmission(today, row.due_on, book.calendar)
    due = Due(proposed, proposed, {}) if until is None else book.calendar.due(until)
    if until is not None and (until <= today or (row.due_on is not None and due.on < row.due_on)):
        after = max(today, row.due_on - ONE_DAY) if row.due_on else today
        raise BadInput(
            Text(f"Hạn bổ sung phải sau {written(after)}.", f"The date must be after {written(after, 'en')}.")
        )
    end_promises(session, row, now)
    _move(
        session,
        row,
        Action.RETURN,
        now,
        reported_at=None,
        reported_on=None,
        outcome=None,
        done_on=None,
        promised_on=None,
        broken_before=0,
        first_due_on=row.first_due_on or row.due_on,
        due_on=due.on,
        nominal_due=due.nominal,
        due_why=_resubmission_words(row, due.on),
        returns=row.returns + 1,
        level=0,
        acted_until=today,
    )
    reports = table(Report)
    last_id = session.connection().scalar(select(reports.c.id).where(*standing_report(assignment_id)))
    values = {"returned_at": now, "returned_reason": reason, "returned_code": code, "resubmit_on": due.on}
    session.connection().execute(update(reports).where(reports.c.id == last_id).values(**values))
    day = due.on.isoformat()
    record(session, EventKind.RETURNED, now, row, actor=actor, reason=reason, code=code, until=day)
    kind, effect = NoticeKind.RETURNED, f"returned:{last_id}"
    _notify(session, row, now, Role.COORDINATOR, kind, effect, reason=reason, until=day)
    return due.on


def standing_report(assignment_id: int | ColumnElement[int]) -> tuple[ColumnElement[bool], ...]:
    """WHERE conditions: the report of an assignment (an id or a column) that was neither returned nor superseded."""
    reports = table(Report)
    return (
        reports.c.assignment_id == assignment_id,
        reports.c.returned_at.is_(None),
        reports.c.superseded_at.is_(None),
    )


@of_one
def ask_extension(
    session: Session,
    assignment_id: int,
    *,
    until: date,
    reason: str,
    actor: str,
    now: datetime,
    files: Sequence[Mapping[str, object]] = (),
) -> int:
    """Ask for a later due date, with a reason and before the due date has passed; a closed day becomes the next working
    day (Civil Code art. 148). Returns the request's id."""
    _require_text(reason, Text("lý do xin gia hạn", "the reason for an extension"))
    row = _locked(session, assignment_id)
    require(session, row, Action.ASK_EXTENSION, now)
    assert row.due_on is not None
    until = read_rulebook(session).calendar.due(until).on
    if until <= row.due_on:
        raise BadInput(
            Text(f"Hạn mới phải sau {written(row.due_on)}.", f"The new date must be after {written(row.due_on, 'en')}.")
        )
    extensions = table(Extension)
    waiting = select(extensions.c.id).where(
        extensions.c.assignment_id == assignment_id, extensions.c.decided_at.is_(None)
    )
    if session.connection().scalars(waiting).first() is not None:
        raise Conflict(Text("Đã có một đề nghị gia hạn đang chờ.", "An extension request is already pending."))
    inserted = session.connection().execute(
        insert(extensions).values(
            assignment_id=assignment_id,
            asked_at=now,
            actor=actor,
            until=until,
            reason=reason,
            decided_by="",
            answer="",
            files=[dict(each) for each in files],
        )
    )
    extension_id = int((inserted.inserted_primary_key or (0,))[0])
    record(session, EventKind.EXTENSION_ASKED, now, row, actor=actor, until=until.isoformat(), reason=reason)
    _notify(
        session,
        row,
        now,
        Role.MONITOR,
        NoticeKind.EXTENSION_ASKED,
        f"extension:{extension_id}:asked",
        until=until.isoformat(),
        reason=reason,
    )
    return extension_id


@of_one
def decide_extension(
    session: Session, extension_id: int, *, granted: bool, answer: str = "", actor: str, now: datetime
) -> None:
    """Grant or refuse an extension. Granting moves the due date, by the calendar as it is now; the original due date is
    kept as well."""
    extensions = table(Extension)
    request = session.connection().execute(select(extensions).where(extensions.c.id == extension_id)).first()
    if request is None:
        raise NotFound(Text("Không có đề nghị gia hạn này.", "There is no such extension request."))
    row = _locked(session, request.assignment_id)
    decided = session.connection().execute(
        update(extensions)
        .where(extensions.c.id == extension_id, extensions.c.decided_at.is_(None))
        .values(decided_at=now, decided_by=actor, granted=granted, answer=answer)
    )
    if decided.rowcount != 1:
        raise Conflict(Text("Đề nghị này đã được quyết định.", "This request has already been decided."))
    until: date = request.until
    if granted:
        require(session, row, Action.REDATE, now)
        due = read_rulebook(session).calendar.due(request.until)
        until = due.on
        move_due(session, row, replace(due, why=_extension_words(row, due)), now)
    kind = EventKind.EXTENSION_GRANTED if granted else EventKind.EXTENSION_REFUSED
    record(session, kind, now, row, actor=actor, until=until.isoformat(), answer=answer)
    _notify(
        session,
        row,
        now,
        Role.COORDINATOR,
        NoticeKind.EXTENSION_DECIDED,
        f"extension:{extension_id}:decided",
        granted=granted,
        until=until.isoformat(),
        answer=answer,
    )


@of_one
def cancel(session: Session, assignment_id: int, *, reason: str, actor: str, now: datetime) -> None:
    """Cancel an assignment that is no longer owed (the plan changed, it was entered by mistake), with a reason."""
    _require_text(reason, Text("lý do hủy", "the reason for cancelling it"))
    row = _locked(session, assignment_id)
    end_promises(session, row, now)
    _move(session, row, Action.CANCEL, now)
    record(session, EventKind.CANCELLED, now, row, actor=actor, reason=reason)
    _notify(session, row, now, Role.COORDINATOR, NoticeKind.CANCELLED, "cancelled", reason=reason)


@of_one
def keep_for_figures(
    session: Session, assignment_id: int, *, followed_by: Sequence[str], basis: str, actor: str, now: datetime
) -> None:
    """Nobody asks any more for what an agency owed of a period that was over when it ended: it goes on counting in the
    figures of that period, under the name of its time. ``followed_by``: who reports instead; may be none."""
    row = _locked(session, assignment_id)
    require(session, row, Action.FOLLOW, now)
    end_promises(session, row, now)
    a = table(Assignment)
    values = {"next_action_at": None, "quiet": Quiet.FOLLOWED, "not_asked_on": local_date(now)}
    session.connection().execute(update(a).where(a.c.id == row.id).values(**values))
    record(session, EventKind.FOLLOWED, now, row, actor=actor, followed_by=list(followed_by), basis=basis)


def note_not_asked(session: Session, now: datetime) -> None:
    """The day of the act, where the version before did it, beside this one. Goes with the next release."""
    a, p = table(Assignment), table(Plan)
    of_ended = a.c.plan_id.in_(select(p.c.id).where(p.c.state == PlanState.ENDED))
    undated = a.c.not_asked_on.is_(None), or_(a.c.quiet == Quiet.FOLLOWED, of_ended)
    session.connection().execute(update(a).where(*undated).values(not_asked_on=local_date(now)))


@of_one
def transfer(
    session: Session,
    assignment_id: int,
    *,
    to_agency: str,
    reason: str,
    actor: str,
    now: datetime,
    due: Due | None = None,
) -> int:
    """Transfer it to another agency; returns the new assignment's id. The ladder stays, and the due date unless ``due``
    is another; reminders restart."""
    _require_text(reason, Text("lý do và căn cứ chuyển giao", "the reason and basis of the transfer"))
    row = _locked(session, assignment_id)
    if row.agency_id == to_agency:
        raise BadInput(Text("Cơ quan nhận trùng với cơ quan đang được giao.", "That agency already holds it."))
    if not is_agency(session, to_agency):
        raise BadInput(Text(f"Danh bạ không có «{to_agency}».", f"“{to_agency}” is not in the directory."))
    assignments = table(Assignment)
    existing = select(assignments.c.id).where(
        assignments.c.duty_id == row.duty_id, assignments.c.agency_id == to_agency, assignments.c.period == row.period
    )
    if session.connection().scalars(existing).first() is not None:
        raise Conflict(Text("Cơ quan ấy đã có việc này trong kỳ.", "That agency already has this assignment."))
    end_promises(session, row, now)
    _move(session, row, Action.TRANSFER, now)
    values = {field.name: getattr(row, field.name) for field in fields(row) if field.name != "id"}
    plans = table(Plan)
    above = select(plans.c.supervisor_id, plans.c.issuer_id).where(plans.c.id == row.plan_id)
    values |= {
        "agency_id": to_agency,
        "supervisor_id": supervisor_of(to_agency, *session.connection().execute(above).one()),
        "state": State.ASSIGNED,
        "opened_at": now,
        "opened_on": local_date(now),
        "not_asked_on": None,
        "acknowledged_at": None,
        "acted_until": None,
        "next_action_at": now,
        "quiet": None,
        "level": 0,
        "returns": 0,
        "broken_before": 0,
        "transferred_from_id": assignment_id,
    } | dict.fromkeys(OF_REPORTS)
    if due is not None:
        values |= {"nominal_due": due.nominal, "due_on": due.on, "due_why": dict(due.why)}
    inserted = session.connection().execute(insert(assignments).values(**values))
    new_id = int((inserted.inserted_primary_key or (0,))[0])
    about_agency(session, [to_agency])
    record(session, EventKind.TRANSFERRED, now, row, actor=actor, to=to_agency, reason=reason, became=new_id)
    record(
        session,
        EventKind.OPENED,
        now,
        actor=actor,
        plan_id=row.plan_id,
        assignment_id=new_id,
        transferred_from=assignment_id,
    )
    _notify(session, row, now, Role.COORDINATOR, NoticeKind.TRANSFERRED, "transferred", to=to_agency, reason=reason)
    return new_id


@of_one
def chase(session: Session, assignment_id: int, *, actor: str, now: datetime) -> bool:
    """Chase («đôn đốc») an unfinished task manually: adds one line to the agency's next letter, at most one a day.
    False if it was already chased today. Raises Conflict if the agency has no reachable contact."""
    row = _locked(session, assignment_id)
    require(session, row, Action.CHASE, now)
    today = local_date(now).isoformat()
    posted = _notify(session, row, now, Role.COORDINATOR, NoticeKind.CHASE, f"chase:{today}")
    if posted.unreachable:
        raise Conflict(
            Text(
                "Cơ quan này chưa có đầu mối liên lạc được; hãy thêm đầu mối rồi đôn đốc.",
                "This agency has no reachable contact; add one, then chase.",
            )
        )
    if posted.notices:
        record(session, EventKind.CHASED, now, row, actor=actor)
    return posted.notices > 0


def move_due(
    session: Session,
    row: StoredAssignment,
    due: Due,
    now: datetime,
    *,
    book: Rulebook | None = None,
    anew: bool = False,
) -> None:
    """Set another due date, which only the calendar makes, and compute the next action. The original date is kept.
    ``anew``: by order of the province, chasing begins with the first time again. ``book``: pass it when moving many
    assignments."""
    assignments = table(Assignment)
    values: dict[str, object] = {"due_on": due.on, "nominal_due": due.nominal, "due_why": dict(due.why)}
    if anew:
        values["level"] = 0
    values |= _schedule(session, row, row.state, values, book)
    session.connection().execute(update(assignments).where(assignments.c.id == row.id).values(**values))


@of_one
def put_back(
    session: Session, assignment_id: int, before: Mapping[str, Any], after: Mapping[str, Any]
) -> StoredAssignment:
    """Give an assignment its columns from before an act that is undone, if they are still as the act left them
    (``after``); returns it as it was found. Raises Conflict."""
    row = _locked(session, assignment_id)
    if any(getattr(row, name) != value for name, value in after.items()):
        raise Conflict(Text("Phần việc đã thay đổi từ đó.", "The assignment has changed since."))
    if before:
        a = table(Assignment)
        session.connection().execute(update(a).where(a.c.id == assignment_id).values(**before))
    return row


@dataclass(frozen=True, slots=True)
class _Plan:
    """The plan of an assignment."""

    policy_id: str
    urgency: Urgency
    issuer_id: str
    state: PlanState


# --- shared by all actions ---------------------------------------------------------------------------------------


def supervisor_of(agency_id: str, supervisor_id: str, issuer_id: str) -> str:
    """The agency notified when an owner is late: the supervising department, or for its own duties the issuer."""
    return issuer_id if agency_id == supervisor_id else supervisor_id


def _locked(session: Session, assignment_id: int) -> StoredAssignment:
    statement = select_assignments().where(table(Assignment).c.id == assignment_id).with_for_update()
    row = session.connection().execute(statement).first()
    if row is None:
        raise NotFound(Text(f"Không có việc số {assignment_id}.", f"There is no assignment {assignment_id}."))
    about_agency(session, [row.agency_id])
    return object_of(StoredAssignment, row)


def _move(session: Session, row: StoredAssignment, action: Action, now: datetime, **changes: Any) -> None:
    """Change the state by the table, guarded by the old state, and set the next action."""
    require(session, row, action, now)
    state = LEADS_TO[action]
    assignments = table(Assignment)
    changes |= {"state": state} | _schedule(session, row, state, changes)
    moved = session.connection().execute(
        update(assignments).where(assignments.c.id == row.id, assignments.c.state == row.state).values(**changes)
    )
    if moved.rowcount != 1:
        raise Conflict


def _schedule(
    session: Session,
    row: StoredAssignment,
    state: State,
    changes: Mapping[str, Any],
    book: Rulebook | None = None,
) -> dict[str, Any]:
    """``next_action_at`` and ``quiet`` after a change to ``state`` and of the given columns."""
    due_on, acted_until, promised_on, broken_before, done_on = (
        changes.get(name, getattr(row, name))
        for name in ("due_on", "acted_until", "promised_on", "broken_before", "done_on")
    )
    if not is_unfinished(state, done_on):
        return {"next_action_at": None, "quiet": Quiet.AWAITING_ACCEPTANCE if state is State.REPORTED else None}
    book = book or read_rulebook(session)
    plan = _plan(session, row)
    if row.not_asked_on is not None:
        ended = plan.state is PlanState.ENDED
        return {"next_action_at": None, "quiet": Quiet.PLAN_ENDED if ended else Quiet.FOLLOWED}
    facts = Facts(state, row.opened_on, due_on, acted_until, promised_on, broken_before)
    on, quiet = next_look(book.ladders[row.ladder_id], facts, book.calendar)
    policy = book.policy(plan.policy_id)
    return {"next_action_at": None if on is None else instant(on, policy.decide_at), "quiet": quiet}


def _promise_of_report(
    session: Session, row: StoredAssignment, text: ReportText, *, actor: str, now: datetime
) -> MadePromise | None:
    """The promise that a report of an unfinished task carries; None without a promised day or a due date."""
    if row.due_on is None or text.promise.on is None:
        return None
    book = read_rulebook(session)
    policy = book.policy(_plan(session, row).policy_id)
    promised = replace(text.promise, reason=text.reason)
    return add_promise(session, row, promised, "report", policy=policy, book=book, actor=actor, now=now)


def _tell_waited_for(session: Session, row: StoredAssignment, text: ReportText, effect: str, now: datetime) -> None:
    """Tell the agency that a task without a promise waits for."""
    book = read_rulebook(session)
    policy = book.policy(_plan(session, row).policy_id)
    tell_waited_for(
        session,
        row,
        text.promise.waits_for,
        effect=effect,
        on=None,
        reason=text.reason,
        policy=policy,
        book=book,
        now=now,
    )


def _ask_about_promise(session: Session, row: StoredAssignment, made: MadePromise, reason: str, now: datetime) -> None:
    """Tell the monitor of a promise that waits for an agreement."""
    effect, day = f"promise:{made.id}:asked", made.on.isoformat()
    _notify(session, row, now, Role.MONITOR, NoticeKind.PROMISE_ASKED, effect, until=day, reason=reason, n=made.number)


@dataclass(frozen=True, kw_only=True)
class Acting:
    """An unfinished task of a running plan, locked, for an action that is written elsewhere and leaves its state."""

    row: StoredAssignment
    book: Rulebook
    policy: Policy
    now: datetime

    def change(self, session: Session, changes: Mapping[str, Any]) -> None:
        """Change columns, and the next action with them."""
        a = table(Assignment)
        values = dict(changes) | _schedule(session, self.row, self.row.state, changes, self.book)
        session.connection().execute(update(a).where(a.c.id == self.row.id).values(**values))

    def notify(self, session: Session, role: Role, kind: NoticeKind, effect: str, **detail: object) -> None:
        _notify(session, self.row, self.now, role, kind, effect, **detail)


def acting_on(session: Session, assignment_id: int, action: Action, now: datetime) -> Acting:
    """Lock a task for an action. Raises NotFound, and ForbiddenMove where it is not possible."""
    row = _locked(session, assignment_id)
    require(session, row, action, now)
    book = read_rulebook(session)
    return Acting(row=row, book=book, policy=book.policy(_plan(session, row).policy_id), now=now)


def apply_promise(session: Session, acting: Acting, made: MadePromise, *, reason: str) -> None:
    """What follows from a promise that was made apart from a report."""
    if made.waits:
        _ask_about_promise(session, acting.row, made, reason, acting.now)
    else:
        acting.change(session, made.changes)


def _plan(session: Session, row: StoredAssignment) -> _Plan:
    plans = table(Plan)
    found = session.connection().execute(select(*columns_for(_Plan, plans)).where(plans.c.id == row.plan_id))
    return object_of(_Plan, found.one())


def _notify(
    session: Session, row: StoredAssignment, now: datetime, role: Role, kind: NoticeKind, effect: str, **detail: object
) -> PostResult:
    """Post a line about an action to the contacts concerned."""
    book = read_rulebook(session)
    plan = _plan(session, row)
    policy, urgent = book.policy(plan.policy_id), plan.urgency.urgent
    agency_id = for_role(role, owner=row.agency_id, supervisor=row.supervisor_id, issuer=plan.issuer_id)
    line = NoticeLine(
        effect=f"assignment:{row.id}:{effect}",
        assignment_id=row.id,
        agency_id=agency_id,
        role=role,
        kind=kind,
        policy=policy,
        urgent=urgent,
        detail=detail,
    )
    return post(session, [line], read_recipients(session, [agency_id]), book, now)


def _resubmission_words(row: StoredAssignment, until: date) -> dict[str, str]:
    """How the resubmission date came about, as shown beside it."""
    first = row.first_due_on or row.due_on
    if first is None:
        return {}
    return {
        "vi": f"hạn báo cáo {written(first)} → hạn bổ sung {written(until)}",
        "en": f"due {written(first, 'en')} → to be resubmitted by {written(until, 'en')}",
    }


def _extension_words(row: StoredAssignment, due: Due) -> dict[str, str]:
    """How an extended due date came about, as shown beside it."""
    assert row.due_on is not None
    words = {
        "vi": f"hạn cũ {written(row.due_on)} → gia hạn đến {written(due.on)}",
        "en": f"was due {written(row.due_on, 'en')} → extended to {written(due.on, 'en')}",
    }
    return words if due.on == due.nominal else {each: f"{said} ({due.why[each]})" for each, said in words.items()}


def require(session: Session, row: StoredAssignment, action: Action, now: datetime) -> None:
    """Raises ForbiddenMove if the action is not possible now (``engine.rules.situation.NEEDS``)."""
    match NEEDS[action].lacks(given(row, local_date(now))):
        case None:
            return
        case "states" | "done":
            what, at = ACTION_WORDS[action], STATES[row.state]
            raise ForbiddenMove(
                Text(
                    f"Không thể {what.vi}: việc đang ở trạng thái «{at.vi}».",
                    f"It cannot {what.en}: it is {at.en}.",
                )
            )
        case "asked":
            raise ForbiddenMove(PLAN_HAS_ENDED if _plan(session, row).state is PlanState.ENDED else AGENCY_HAS_ENDED)
    if row.due_on is None:
        raise ForbiddenMove(Text("Việc này không có thời hạn.", "It has no due date."))
    raise ForbiddenMove(
        Text(
            f"Đã quá hạn ({written(row.due_on)}); đề nghị gia hạn cần gửi trước khi hết hạn.",
            "The due date has passed; an extension must be requested before it ends.",
        )
    )


def _require_text(text: str, what: Text) -> None:
    if not text.strip():
        raise BadInput(Text(f"Cần ghi {what.vi}.", f"Give {what.en}."))
