"""The columns of what the department above decides: reports, extension requests, promises. Their pages are lists to
tick, without heads; these are their files and their print. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, TypeVar

from engine.http.lists.listing import Column, Listing, number_column
from engine.queries.work.assignments import AssignmentRow
from engine.queries.work.promises import ExtensionRequest, WaitingPromise
from engine.queries.work.reports_to_accept import WaitingReport
from engine.rules.policy import Reason
from engine.rules.typed_day import reason_words
from engine.rules.words import period_words
from engine.terms import Outcome
from engine.text import Text
from engine.views.labels import label
from engine.views.spreadsheets import Kind


class OfAssignment(Protocol):
    @property
    def assignment(self) -> AssignmentRow: ...


W = TypeVar("W", bound=OfAssignment)


def _task_columns(due: Text) -> Sequence[Column[W]]:
    """What each of them is about. ``due``: what the due date is called, of a list that asks for another."""
    return (
        Column(Text("Cơ quan chủ trì", "Owner"), lambda row, _: row.assignment.agency, width=34),
        Column(Text("Kế hoạch", "Plan"), lambda row, _: row.assignment.plan, width=16),
        Column(Text("Mục", "Citation"), lambda row, _: row.assignment.citation, width=10),
        Column(Text("Nội dung nhiệm vụ", "Duty"), lambda row, _: row.assignment.text, width=50),
        Column(Text("Kỳ", "Period"), lambda row, language: period_words(row.assignment.period, language), width=20),
        Column(due, lambda row, _: row.assignment.due_on, Kind.DAY, 12),
    )


def _figures(row: WaitingReport) -> str:
    return "; ".join(f"{name or code}: {value}" for code, name, value in row.figures)


REPORT_LIST: Listing[WaitingReport] = Listing(
    file_name="bao-cao-cho-tiep-nhan",
    title=Text("Báo cáo chờ tiếp nhận", "Reports to accept"),
    columns=(
        *_task_columns(Text("Hạn", "Due")),
        Column(Text("Gửi lúc", "Sent at"), lambda row, _: row.submitted_at, Kind.MOMENT, 18),
        Column(Text("Báo cáo lần", "Report no."), lambda row, _: row.number, Kind.NUMBER, 9),
        Column(Text("Kết quả", "Outcome"), lambda row, language: label(Outcome(row.outcome), language), width=16),
        Column(Text("Kết quả thực hiện", "What was done"), lambda row, _: row.body, width=50),
        Column(Text("Lý do chưa hoàn thành", "Why it is not finished"), lambda row, _: row.reason, width=30),
        Column(Text("Số liệu", "Figures"), lambda row, _: _figures(row), width=30),
        Column(Text("Tệp", "Files"), lambda row, _: "; ".join(str(each["name"]) for each in row.files), width=24),
        number_column(lambda row, _: row.assignment.id),
    ),
)

EXTENSION_LIST: Listing[ExtensionRequest] = Listing(
    file_name="de-nghi-gia-han",
    title=Text("Đề nghị gia hạn chờ quyết định", "Extensions to decide"),
    columns=(
        *_task_columns(Text("Hạn hiện nay", "Now due")),
        Column(Text("Đề nghị đến", "Asks for"), lambda row, _: row.until, Kind.DAY, 12),
        Column(Text("Lý do", "Reason"), lambda row, _: row.reason, width=50),
        Column(Text("Gửi lúc", "Sent at"), lambda row, _: row.asked_at, Kind.MOMENT, 18),
        number_column(lambda row, _: row.assignment.id),
    ),
)


def promise_list(reasons: Sequence[Reason]) -> Listing[WaitingPromise]:
    """``reasons``: of every policy."""

    def cause(row: WaitingPromise, language: str) -> str:
        return reason_words(row.reason_code, reasons).said(language)

    return Listing(
        file_name="loi-hen-cho-dong-y",
        title=Text("Lời hẹn chờ đồng ý", "Promises to agree to"),
        columns=(
            *_task_columns(Text("Hạn", "Due")),
            Column(Text("Hẹn ngày", "Promised for"), lambda row, _: row.promised_on, Kind.DAY, 12),
            Column(Text("Hẹn lần", "Promise no."), lambda row, _: row.number, Kind.NUMBER, 9),
            Column(Text("Nguyên nhân", "Cause"), cause, width=24),
            Column(Text("Lý do", "Reason"), lambda row, _: row.reason, width=40),
            Column(Text("Việc còn lại", "Still to be done"), lambda row, _: row.owed, width=30),
            Column(Text("Gửi lúc", "Made at"), lambda row, _: row.made_at, Kind.MOMENT, 18),
            number_column(lambda row, _: row.assignment.id),
        ),
    )
