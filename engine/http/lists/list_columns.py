"""The columns of every list that can be taken along as a spreadsheet, declared once a list. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

from engine.admin.published_figures import PublishedRow
from engine.assignments.reports.indicators import Consolidated
from engine.queries.directory.agencies import AgencyRow
from engine.queries.directory.agency import DirectoryLine
from engine.queries.figures.board import AgencyLine, Board, Counts
from engine.queries.figures.plan_progress import AgencyStanding
from engine.queries.figures.plans import PlanRow
from engine.queries.system.letters import LetterRow
from engine.queries.system.log import LogRow
from engine.queries.time_class import Today
from engine.queries.work.assignment_story import Person
from engine.queries.work.assignments import AssignmentRow
from engine.queries.work.overdue import OverdueRow
from engine.rules.words import coded, level_name, period_words
from engine.terms import TimeClass
from engine.text import Text
from engine.views.event_sentences import actor_words, said
from engine.views.labels import label
from engine.views.spreadsheets import Cell, Column, Kind

T = TypeVar("T")
ORDERED, ASKED = Text("giao việc", "order"), Text("đề nghị", "request")


def _kind(request: bool, language: str) -> str:
    return (ASKED if request else ORDERED).said(language)


def _label(value: StrEnum | None, language: str) -> str | None:
    return None if value is None else label(value, language)


def assignment_columns(today: Today) -> list[Column[AssignmentRow]]:
    return [
        Column(Text("Kế hoạch", "Plan"), lambda row, _: row.plan, width=16),
        Column(Text("Mục", "Citation"), lambda row, _: row.citation, width=10),
        Column(Text("Nội dung nhiệm vụ", "Duty"), lambda row, _: row.text, width=60),
        Column(Text("Cơ quan chủ trì", "Owner"), lambda row, _: row.agency, width=34),
        Column(Text("Loại", "Kind"), lambda row, language: _kind(row.request, language), width=11),
        Column(Text("Kỳ", "Period"), lambda row, language: period_words(row.period, language), width=22),
        Column(Text("Hạn", "Due"), lambda row, _: row.due_on, Kind.DAY, 12),
        Column(Text("Hạn gốc", "First due"), lambda row, _: row.original_due_on, Kind.DAY, 12),
        Column(Text("Trạng thái", "State"), lambda row, language: label(row.state, language), width=24),
        Column(Text("Thời hạn", "Time class"), lambda row, language: _label(row.time_class, language), width=20),
        Column(
            Text("Còn (ngày làm việc)", "Left (working days)"),
            lambda row, _: today.days_left(row.due_on) if row.unfinished else None,
            Kind.NUMBER,
            12,
        ),
        Column(Text("Đã gửi đôn đốc lần", "Chased, time"), lambda row, _: row.level or None, Kind.NUMBER, 10),
        Column(Text("Báo cáo ngày", "Reported"), lambda row, _: row.first_reported_on, Kind.DAY, 12),
        Column(Text("Kết quả", "Outcome"), lambda row, language: _label(row.outcome, language), width=16),
        Column(Text("Hoàn thành ngày", "Done"), lambda row, _: row.done_on, Kind.DAY, 12),
        Column(Text("Số lần trả lại", "Returns"), lambda row, _: row.returns or None, Kind.NUMBER, 9),
        Column(Text("Mã phần việc", "Assignment no."), lambda row, _: row.id, Kind.NUMBER, 9),
    ]


def overdue_columns() -> list[Column[OverdueRow]]:
    return [
        Column(Text("Cơ quan chủ trì", "Owner"), lambda row, _: row.assignment.agency, width=34),
        Column(Text("Kế hoạch", "Plan"), lambda row, _: row.assignment.plan, width=16),
        Column(Text("Mục", "Citation"), lambda row, _: row.assignment.citation, width=10),
        Column(Text("Nội dung nhiệm vụ", "Duty"), lambda row, _: row.assignment.text, width=60),
        Column(Text("Kỳ", "Period"), lambda row, language: period_words(row.assignment.period, language), width=22),
        Column(Text("Hạn", "Due"), lambda row, _: row.assignment.due_on, Kind.DAY, 12),
        Column(Text("Hạn gốc", "First due"), lambda row, _: row.assignment.original_due_on, Kind.DAY, 12),
        Column(Text("Quá hạn (ngày làm việc)", "Overdue (working days)"), lambda row, _: row.late, Kind.NUMBER, 12),
        Column(Text("Trạng thái", "State"), lambda row, language: label(row.assignment.state, language), width=24),
        Column(
            Text("Báo cáo nói", "Report says"),
            lambda row, language: _label(row.assignment.outcome, language),
            width=16,
        ),
        Column(Text("Số lần nhắc", "Reminders"), lambda row, _: row.chased.times if row.chased else 0, Kind.NUMBER, 9),
        Column(
            Text("Nhắc gần nhất", "Last on"), lambda row, _: row.chased.last_on if row.chased else None, Kind.DAY, 12
        ),
        Column(
            Text("Đã gửi đôn đốc lần", "Chased, time"),
            lambda row, _: (row.chased.level or None) if row.chased else None,
            Kind.NUMBER,
            10,
        ),
        Column(
            Text("Ngày đôn đốc", "Chased on"), lambda row, _: row.chased.level_on if row.chased else None, Kind.DAY, 12
        ),
        Column(Text("Mã phần việc", "Assignment no."), lambda row, _: row.assignment.id, Kind.NUMBER, 9),
    ]


BoardLine = tuple[AgencyLine, bool]
"""A line of the board, and whether it counts requests."""


def board_columns(board: Board) -> list[Column[BoardLine]]:
    """The agency, its totals, and three numbers a period, as the matrix shows them."""
    fixed: list[Column[BoardLine]] = [
        Column(Text("Cơ quan", "Agency"), lambda row, _: row[0].name, width=40),
        Column(Text("Loại cơ quan", "Kind of body"), lambda row, lang: level_name(row[0].level, lang), width=20),
        Column(Text("Loại", "Kind"), lambda row, lang: _kind(row[1], lang), width=11),
        Column(Text("Quá hạn", "Overdue"), lambda row, _: row[0].total.overdue, Kind.NUMBER, 10),
        Column(Text("Quá hạn từ", "Overdue since"), lambda row, _: row[0].total.late_since, Kind.DAY, 12),
        Column(Text("Phải báo cáo", "Expected"), lambda row, _: row[0].total.expected, Kind.NUMBER, 10),
        Column(Text("Đã báo cáo", "Reported"), lambda row, _: row[0].total.reported, Kind.NUMBER, 10),
        Column(Text("Hoàn thành", "Done"), lambda row, _: row[0].total.done, Kind.NUMBER, 10),
    ]
    return fixed + [column for period in board.periods for column in _period_columns(period)]


def _period_columns(period: str) -> Iterator[Column[BoardLine]]:
    names = Text(period_words(period, "vi"), period_words(period, "en"))
    for heading, field in (
        (Text("phải báo cáo", "expected"), "expected"),
        (Text("đã báo cáo", "reported"), "reported"),
        (Text("hoàn thành", "done"), "done"),
    ):

        def value(row: BoardLine, _: str, field: str = field) -> Cell:
            cell: Counts | None = row[0].cells.get(period)
            return None if cell is None else int(getattr(cell, field))

        yield Column(Text.joined(": ", (names, heading)), value, Kind.NUMBER, 14)


StandingLine = tuple[AgencyStanding, bool]
"""A line of the leadership's table, and whether it counts requests."""


def standing_columns(old: bool = False) -> list[Column[StandingLine]]:
    """``old``: by definitions 1, of reports alone."""
    on_time, late = (
        (Text("Báo cáo đúng hạn", "Reported on time"), Text("Báo cáo quá hạn", "Reported late"))
        if old
        else (Text("Hoàn thành đúng hạn", "Done on time"), Text("Hoàn thành quá hạn", "Done late"))
    )
    columns: list[Column[StandingLine]] = [
        Column(Text("Cơ quan", "Agency"), lambda row, _: row[0].name, width=40),
        Column(Text("Loại", "Kind"), lambda row, lang: _kind(row[1], lang), width=11),
        Column(on_time, lambda row, _: row[0].tally.on_time, Kind.NUMBER, 12),
        Column(Text("Tỷ lệ (%)", "Rate (%)"), lambda row, _: _rounded(row[0].tally.rate), Kind.NUMBER, 9),
        Column(late, lambda row, _: row[0].tally.late, Kind.NUMBER, 12),
        Column(Text("Quá hạn", "Overdue"), lambda row, _: row[0].tally.overdue, Kind.NUMBER, 10),
        Column(
            Text("Trong hạn", "In term"),
            lambda row, _: row[0].tally.in_term + row[0].tally.no_deadline,
            Kind.NUMBER,
            10,
        ),
    ]
    if old:
        return columns
    return [
        *columns,
        Column(Text("Đã báo cáo", "Reported"), lambda row, _: row[0].tally.reported, Kind.NUMBER, 10),
        Column(
            Text("Báo cáo đúng hạn", "Reported on time"),
            lambda row, _: row[0].tally.reported_on_time,
            Kind.NUMBER,
            12,
        ),
        Column(
            Text("Báo cáo, chưa xong", "Reported, not finished"), lambda row, _: row[0].tally.undone, Kind.NUMBER, 12
        ),
        Column(Text("Bị trả lại", "Returned"), lambda row, _: row[0].tally.returned, Kind.NUMBER, 10),
    ]


def _rounded(rate: float | None) -> float | None:
    return None if rate is None else round(rate, 1)


def published_columns(names: Mapping[str, str]) -> list[Column[PublishedRow]]:
    return [
        Column(Text("Mục", "Citation"), lambda row, _: row.citation, width=10),
        Column(Text("Cơ quan", "Agency"), lambda row, _: names.get(row.agency_id, row.agency_id), width=40),
        Column(Text("Kỳ", "Period"), lambda row, language: period_words(row.period, language), width=22),
        Column(Text("Loại", "Kind"), lambda row, language: _kind(row.request, language), width=11),
        Column(
            Text("Thời hạn", "Time class"), lambda row, language: label(TimeClass(row.time_class), language), width=20
        ),
        Column(Text("Báo cáo", "Report"), lambda row, language: _label(row.reporting, language), width=20),
        Column(Text("Mã phần việc", "Assignment no."), lambda row, _: row.assignment_id, Kind.NUMBER, 9),
    ]


LETTER_COLUMNS: Sequence[Column[LetterRow]] = (
    Column(Text("Số", "No."), lambda row, _: row.id, Kind.NUMBER, 9),
    Column(Text("Ngày", "Day"), lambda row, _: row.day, Kind.DAY, 12),
    Column(Text("Tiêu đề", "Subject"), lambda row, _: row.subject, width=50),
    Column(Text("Cơ quan nhận", "Agency"), lambda row, _: row.agency, width=34),
    Column(Text("Người nhận", "Recipient"), lambda row, language: label(row.role, language), width=18),
    Column(Text("Chức danh", "Position"), lambda row, _: row.label, width=24),
    Column(Text("Kênh", "Channel"), lambda row, language: coded(row.channel, language), width=14),
    Column(Text("Số dòng", "Lines"), lambda row, _: row.lines, Kind.NUMBER, 8),
    Column(Text("Tổng hợp tuần", "Weekly digest"), lambda row, _: row.digest_week, width=12),
    Column(Text("Kết quả", "Fate"), lambda row, language: label(row.state, language), width=22),
    Column(Text("Lý do", "Reason"), lambda row, language: coded(row.reason, language), width=22),
    Column(Text("Hẹn gửi lúc", "Leaves at"), lambda row, _: row.send_after, Kind.MOMENT, 18),
    Column(Text("Gửi lúc", "Sent at"), lambda row, _: row.sent_at, Kind.MOMENT, 18),
    Column(Text("Số lần gửi", "Attempts"), lambda row, _: row.attempts, Kind.NUMBER, 9),
)

AGENCY_COLUMNS: Sequence[Column[AgencyRow]] = (
    Column(Text("Mã", "Id"), lambda row, _: row.id, width=20),
    Column(Text("Cơ quan", "Agency"), lambda row, _: row.name, width=44),
    Column(Text("Tên tắt", "Short name"), lambda row, _: row.short, width=24),
    Column(Text("Loại cơ quan", "Kind of body"), lambda row, language: level_name(row.level, language), width=24),
    Column(Text("Đang mở", "Open"), lambda row, _: row.open, Kind.NUMBER, 10),
    Column(Text("Quá hạn", "Overdue"), lambda row, _: row.overdue, Kind.NUMBER, 10),
)


DIRECTORY_COLUMNS: Sequence[Column[DirectoryLine]] = (
    Column(Text("Mã cơ quan", "Agency id"), lambda row, _: row.agency.id, width=20),
    Column(Text("Cơ quan", "Agency"), lambda row, _: row.agency.name, width=44),
    Column(Text("Loại cơ quan", "Kind of body"), lambda row, lang: level_name(row.agency.level, lang), width=24),
    Column(Text("Vai trò", "Role"), lambda row, lang: label(row.contact.role, lang) if row.contact else None, width=18),
    Column(Text("Chức danh", "Position"), lambda row, _: row.contact.label if row.contact else None, width=28),
    Column(Text("Thư điện tử", "E-mail"), lambda row, _: row.contact.email if row.contact else None, width=32),
    Column(Text("Điện thoại", "Telephone"), lambda row, _: row.contact.phone if row.contact else None, width=16),
    Column(Text("Ngôn ngữ", "Language"), lambda row, _: row.contact.language if row.contact else None, width=9),
    Column(Text("Từ ngày", "From"), lambda row, _: row.contact.valid_from if row.contact else None, Kind.DAY, 12),
    Column(
        Text("Đến hết ngày", "Until"), lambda row, _: row.contact.valid_until if row.contact else None, Kind.DAY, 12
    ),
)


PLAN_COLUMNS: Sequence[Column[PlanRow]] = (
    Column(Text("Kế hoạch", "Plan"), lambda row, _: row.number, width=18),
    Column(Text("Tên", "Title"), lambda row, _: row.title, width=60),
    Column(Text("Cơ quan ban hành", "Issued by"), lambda row, _: row.issuer, width=34),
    Column(Text("Ngày ban hành", "Issued"), lambda row, _: row.issued_on, Kind.DAY, 12),
    Column(Text("Trạng thái", "State"), lambda row, language: label(row.state, language), width=22),
    Column(Text("Số nhiệm vụ", "Duties"), lambda row, _: row.duties, Kind.NUMBER, 10),
    Column(Text("Phải báo cáo", "Expected"), lambda row, _: row.counts.expected, Kind.NUMBER, 10),
    Column(Text("Đã báo cáo", "Reported"), lambda row, _: row.counts.reported, Kind.NUMBER, 10),
    Column(Text("Hoàn thành", "Done"), lambda row, _: row.counts.done, Kind.NUMBER, 10),
    Column(Text("Quá hạn", "Overdue"), lambda row, _: row.counts.overdue, Kind.NUMBER, 10),
)


def log_columns(people: Mapping[str, Person]) -> list[Column[LogRow]]:
    return [
        Column(Text("Số", "No."), lambda row, _: row.id, Kind.NUMBER, 9),
        Column(Text("Lúc", "When"), lambda row, _: row.at, Kind.MOMENT, 18),
        Column(Text("Ai", "Who"), lambda row, language: actor_words(row.actor, people, language), width=34),
        Column(Text("Mã người làm", "Actor"), lambda row, _: row.actor, width=16),
        Column(Text("Việc gì", "What"), lambda row, language: said(row, language), width=60),
        Column(Text("Kế hoạch", "Plan"), lambda row, _: row.plan, width=16),
        Column(Text("Nhiệm vụ", "Citation"), lambda row, _: row.citation, width=10),
        Column(Text("Cơ quan", "Agency"), lambda row, _: row.agency, width=34),
    ]


@dataclass(frozen=True, kw_only=True)
class FigureRow:
    """A figure's total, or one agency's value of it."""

    code: str
    name: str
    agency: str | Text
    value: int | float | str | None
    target: int | float | None = None
    reached: float | None = None
    remark: Text | None = None


def figure_rows(found: Consolidated) -> Iterator[FigureRow]:
    """For each figure its total, then the value of each agency; missing values are empty."""
    for line in found.lines:
        each, missing = line.indicator, len(line.missing)
        notes = [line.problem] if line.problem else []
        if missing:
            notes.append(Text(f"còn thiếu {missing} cơ quan", f"{missing} missing"))
        total = Text("Tổng", "Total")
        yield FigureRow(
            code=each.code,
            name=each.name,
            agency=total,
            value=line.total,
            target=each.target,
            reached=line.reached,
            remark=Text.joined("; ", notes),
        )
        for given in line.given:
            yield FigureRow(code=each.code, name=each.name, agency=given.agency, value=given.value)


FIGURE_COLUMNS: Sequence[Column[FigureRow]] = (
    Column(Text("Mã", "Code"), lambda row, _: row.code, width=10),
    Column(Text("Chỉ tiêu", "Figure"), lambda row, _: row.name, width=50),
    Column(
        Text("Cơ quan", "Agency"),
        lambda row, language: row.agency.said(language) if isinstance(row.agency, Text) else row.agency,
        width=40,
    ),
    Column(Text("Giá trị", "Value"), lambda row, _: row.value, Kind.NUMBER, 12),
    Column(Text("Chỉ tiêu đặt ra", "Target"), lambda row, _: row.target, Kind.NUMBER, 12),
    Column(Text("Đạt (%)", "Reached (%)"), lambda row, _: row.reached, Kind.NUMBER, 10),
    Column(
        Text("Ghi chú", "Remark"),
        lambda row, language: row.remark.said(language) if row.remark else None,
        width=40,
    ),
)
