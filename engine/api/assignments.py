"""POST under /api/v1: one action per request, answered with the resulting assignment."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar, Unpack, get_type_hints

from fastapi.responses import Response
from pydantic import BaseModel
from sqlmodel import Session

from engine.accounts.permissions import Acting, Permission
from engine.api import models
from engine.api.caller import Call, Caller
from engine.api.operations import BASIS, router_of, writes
from engine.assignments import lifecycle
from engine.assignments.lifecycle import report
from engine.assignments.promises import ask_for_day
from engine.assignments.reports.evidence import find_all
from engine.assignments.reports.indicators import doubtful_totals
from engine.assignments.reports.submission import Submission, Typed, read_figures, submission
from engine.errors import Conflict, FieldsRefused
from engine.http.access import Action, require_for
from engine.http.error_pages import answer
from engine.http.filters import AssignmentId
from engine.http.forms import MAX_REASON_CHARS, clean
from engine.http.request_context import RequestContext
from engine.queries.directory import agencies_named
from engine.queries.time_class import read_today
from engine.queries.work.assignment_story import assignment_row
from engine.queries.work.report_page import ReportPage, report_page
from engine.queries.work.todo import waiting_extensions
from engine.text import Text

router = router_of("writing")
_Payload = TypeVar("_Payload", bound=BaseModel)


def _do(
    caller: Call,
    assignment_id: int,
    permission: Permission,
    action: Action,
    warnings: Mapping[str, str] | None = None,
) -> Response:
    """Authorise, run the action and read the assignment again, in one transaction."""
    with caller.writing() as session:
        today = read_today(session, caller.now)
        require_for(caller, permission, assignment_row(session, today, assignment_id))

        def done() -> models.Done:
            result = action(session, assignment_id, **caller.by)
            row = assignment_row(session, today, assignment_id)
            new_id = result if permission is Permission.TRANSFER and isinstance(result, int) else None
            return models.Done(assignment=row, news=result is not False, became=new_id, warnings=dict(warnings or {}))

        return caller.once(session, done)


def _endpoint(path: str, permission: Permission) -> Callable[[Callable[[_Payload], Action]], None]:
    """Make an endpoint of what reads its body into an action; it is named and described as this is."""

    def register(read: Callable[[_Payload], Action]) -> None:
        def endpoint(caller: Caller, assignment_id: AssignmentId, payload: _Payload) -> Response:
            return _do(caller, assignment_id, permission, read(payload))

        endpoint.__annotations__["payload"] = get_type_hints(read)["payload"]
        endpoint.__name__, endpoint.__doc__ = read.__name__, read.__doc__
        vars(endpoint).update(vars(read))
        router.post(f"/assignments/{{assignment_id}}/{path}", response_model=models.Done)(endpoint)

    return register


@_endpoint("acknowledge", Permission.ACKNOWLEDGE)
@writes("Xác nhận đã nhận", "Acknowledge")
def acknowledge_assignment(payload: models.Nothing) -> Action:
    """Idempotent: ``news`` is false when it was acknowledged before."""
    return lifecycle.acknowledge


@_endpoint("decline", Permission.DECLINE)
@writes("Báo không thuộc nhiệm vụ", "Decline as not theirs", reason="Việc của Phòng Tư pháp.")
def decline_assignment(payload: models.MaybeReason) -> Action:
    """«Not mine»: the state is unchanged, the monitor is notified."""
    return partial(lifecycle.decline, reason=payload.reason)


@_endpoint("accept", Permission.ACCEPT)
@writes("Tiếp nhận báo cáo", "Accept the report")
def accept_report(payload: models.AcceptBody) -> Action:
    """Of a task that is done and owes an output: ``complete``, or a ``reason``."""
    return partial(lifecycle.accept, complete=payload.complete, reason=payload.reason)


@_endpoint("return", Permission.RETURN)
@writes("Trả lại báo cáo", "Return the report", reason="Đề nghị bổ sung số liệu cấp xã.")
def return_report(payload: models.ReturnOneBody) -> Action:
    """The resubmission date is the assignment's ``due_on`` from then on."""
    return partial(lifecycle.return_report, reason=payload.reason, reason_code=payload.reason_code, until=payload.until)


@_endpoint("extension", Permission.ASK_EXTENSION)
@writes("Xin gia hạn", "Ask for an extension", until="2021-07-30", reason="Chờ số liệu xã.")
def ask_extension(payload: models.ExtensionBody) -> Action:
    """The department above decides. Of a task that is late already: its promise to be done by that day."""
    return partial(ask_for_day, text=payload.text)


@_endpoint("extension/decision", Permission.DECIDE_EXTENSION)
@writes("Quyết định gia hạn", "Decide the extension", granted=True, answer="Đồng ý.")
def decide_extension(payload: models.DecisionBody) -> Action:
    """Decide the pending request."""

    def decide(session: Session, assignment_id: int, **by: Unpack[Acting]) -> None:
        waiting = waiting_extensions(session, [assignment_id]).get(assignment_id)
        if waiting is None:
            raise Conflict(Text("Không có đề nghị gia hạn nào chờ quyết định.", "No extension request waits."))
        lifecycle.decide_extension(session, waiting.id, granted=payload.granted, answer=payload.answer, **by)

    return decide


@_endpoint("cancel", Permission.CANCEL)
@writes("Hủy việc", "Cancel", reason=BASIS)
def cancel_assignment(payload: models.ReasonBody) -> Action:
    """Nobody is asked for it any more; the reason stays."""
    return partial(lifecycle.cancel, reason=payload.reason)


@_endpoint("transfer", Permission.TRANSFER)
@writes("Chuyển giao", "Transfer", to="so-noi-vu", reason=BASIS)
def transfer_assignment(payload: models.TransferBody) -> Action:
    """``became`` is the receiving agency's assignment."""
    return partial(lifecycle.transfer, to_agency=payload.to, reason=payload.reason)


@_endpoint("chase", Permission.CHASE)
@writes("Đôn đốc", "Chase")
def chase_assignment(payload: models.Nothing) -> Action:
    """Add a line to the coordinator's next letter; ``news`` is false when it was already chased today."""
    return lifecycle.chase


@router.post("/assignments/{assignment_id}/report", response_model=models.Done)
@writes("Báo cáo một việc", "Report one", outcome="done", body="Đã tổ chức 12 lớp tập huấn.", figures={})
def report_assignment(caller: Caller, assignment_id: AssignmentId, payload: models.ReportBody) -> Response:
    """An outcome with what must come with it: text, reason, the day that is promised, uploads."""
    with caller.reading() as (session, today):
        row = assignment_row(session, today, assignment_id)
        require_for(caller, Permission.REPORT, row)
        page = report_page(session, today, row.agency_id, row.plan_id, row.period)
        files = _files(session, row.agency_id, {assignment_id: payload.files})
        agencies = agencies_named(session, {payload.waits_for})
    typed = Typed(
        assignment_id=assignment_id,
        citation=row.citation,
        outcome=payload.outcome,
        body=payload.body,
        reason=payload.reason,
        files=files[assignment_id],
        promise=payload.promise,
        owed=next((item.output for item in page.items if item.row.id == assignment_id), None),
        output=payload.output.typed,
    )
    checked = _checked(page, [typed], payload.figures, payload.paper, agencies)
    if checked.problems:
        return _refused(caller, checked)
    text = checked.texts[assignment_id]
    return _do(
        caller,
        assignment_id,
        Permission.REPORT,
        partial(report, text=text),
        _total_warnings(caller, page, payload.figures),
    )


@router.post("/reports", response_model=models.Submitted)
@writes(
    "Báo cáo cả kỳ",
    "Report a period",
    agency="so-van-hoa-the-thao",
    plan=1,
    period="2021-H1",
    duties=[{"assignment": 418, "outcome": "done", "body": "Đã tổ chức 12 lớp tập huấn."}],
)
def report_assignments(caller: Caller, payload: models.ReportsBody) -> Response:
    """Report several duties of one agency in one submission: all or nothing."""
    caller.require(Permission.REPORT, payload.agency)
    with caller.reading() as (session, today):
        page = report_page(session, today, payload.agency, payload.plan, payload.period)
        files = _files(session, payload.agency, {each.assignment: each.files for each in payload.duties})
        agencies = agencies_named(session, {each.waits_for for each in payload.duties})
    known = {item.row.id: item.row.citation for item in page.items}
    owed = {item.row.id: item.output for item in page.items}
    typed = [
        Typed(
            assignment_id=each.assignment,
            citation=known.get(each.assignment, ""),
            outcome=each.outcome,
            body=each.body,
            reason=each.reason,
            files=files[each.assignment],
            promise=each.promise,
            owed=owed.get(each.assignment),
            output=each.output.typed,
        )
        for each in payload.duties
    ]
    foreign = {
        f"assignment-{each.assignment}": Text("Không thuộc trang báo cáo này.", "Not on this report page.")
        for each in payload.duties
        if each.assignment not in known
    }
    checked = (
        Submission(problems=foreign) if foreign else _checked(page, typed, payload.figures, payload.paper, agencies)
    )
    if checked.problems:
        return _refused(caller, checked)
    warnings = _total_warnings(caller, page, payload.figures)
    with caller.writing() as session:

        def done() -> models.Submitted:
            for assignment_id, text in checked.texts.items():
                report(session, assignment_id, text, **caller.by)
            return models.Submitted(assignments=list(checked.texts), warnings=warnings)

        return caller.once(session, done)


def _files(
    session: Session, agency_id: str, requested: Mapping[int, Sequence[str]]
) -> dict[int, tuple[Mapping[str, Any], ...]]:
    """The uploaded files by assignment, as reports store them. Raises FieldsRefused for a file the agency has not
    uploaded."""
    known = find_all(session, agency_id, {digest for digests in requested.values() for digest in digests})
    unknown = {
        f"files-{number}": Text("Cơ quan chưa tải tệp này lên.", "The agency has not uploaded this file.")
        for number, digests in requested.items()
        if set(digests) - set(known)
    }
    if unknown:
        raise FieldsRefused(unknown)
    return {
        number: tuple(known[each].as_entry for each in dict.fromkeys(digests)) for number, digests in requested.items()
    }


def _checked(
    page: ReportPage,
    typed: Sequence[Typed],
    figures: models.Figures,
    paper: tuple[str, str],
    agencies: Mapping[str, str],
) -> Submission:
    requested = {indicator.code for indicator in page.indicators}
    unknown = {
        f"figure-{code}": Text("Không hỏi số liệu này.", "This figure is not asked for.")
        for code in figures
        if code not in requested
    }
    if unknown:
        return Submission(problems=unknown)
    choices = replace(page.choices, agencies=agencies)
    return submission(typed, page.indicators, _typed(figures), choices, paper)


def _typed(figures: models.Figures) -> dict[str, str]:
    return {code: clean(str(value), MAX_REASON_CHARS) for code, value in figures.items()}


def _total_warnings(caller: RequestContext, page: ReportPage, figures: models.Figures) -> dict[str, str]:
    """By field: warnings about totals that differ from the sum of their parts. They are accepted all the same."""
    values, _ = read_figures(page.indicators, _typed(figures))
    totals = doubtful_totals(values, page.parts, page.agency_id)
    return {f"figure-{code}": text.said(caller.language) for code, text in totals.items()}


def _refused(caller: RequestContext, checked: Submission) -> Response:
    """All problems at once, by field."""
    problems = [{"field": field, "what": text.said(caller.language)} for field, text in checked.problems.items()]
    sentence = "; ".join(f"{each['field']}: {each['what']}" for each in problems)
    return answer(caller.request, 422, sentence, problems)
