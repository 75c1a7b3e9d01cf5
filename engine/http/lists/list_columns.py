"""The columns of every list, on its page and in its files, with heads and sort orders. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import TypeVar

from engine.admin.published_figures import PublishedRow
from engine.assignments.reports.indicators import Consolidated
from engine.assignments.situations import Boxes
from engine.http.lists.listing import Column, Head, Listing, number_column
from engine.plans.simulated_year import SimulatedLetter, SimulatedYear
from engine.queries import directory
from engine.queries.directory import AgencyRow, DirectoryLine
from engine.queries.figures import plan_progress, plans
from engine.queries.figures.board import AgencyLine, Board, Counts
from engine.queries.figures.plan_progress import AgencyStanding
from engine.queries.figures.plans import PlanRow
from engine.queries.figures.year import YearLine
from engine.queries.system import letters, log
from engine.queries.system.letters import LetterRow
from engine.queries.system.log import LogRow
from engine.queries.time_class import Today
from engine.queries.work import assignments, incoming, overdue
from engine.queries.work.assignment_story import Person
from engine.queries.work.assignments import AssignmentRow
from engine.queries.work.incoming import MessageRow
from engine.queries.work.overdue import OverdueRow
from engine.rules.words import coded, level_name, period_text, period_words
from engine.terms import Role, TimeClass
from engine.text import Text
from engine.views.event_sentences import actor_words, done_words, said
from engine.views.labels import label
from engine.views.spreadsheets import Cell, Kind, assignment_words, letter_words

T = TypeVar("T")
ORDERED, ASKED = Text("giao việc", "order"), Text("đề nghị", "request")


def _kind(request: bool, language: str) -> str:
    return (ASKED if request else ORDERED).said(language)


def _label(value: StrEnum | None, language: str) -> str | None:
    return None if value is None else label(value, language)


def _promised_on(row: AssignmentRow) -> date | None:
    return row.promised_on if row.unfinished else None


def assignment_list(today: Today) -> Listing[AssignmentRow]:
    return Listing(
        file_name="phan-viec",
        title=Text("Phần việc", "Assignments"),
        sorts=assignments.SORTS,
        own_sort=assignments.OWN_SORT,
        columns=(
            Column(Text("Kế hoạch", "Plan"), lambda row, _: row.plan, width=16),
            Column(
                Text("Mục", "Citation"),
                lambda row, _: row.citation,
                width=10,
                key="duty",
                head=Text("Nhiệm vụ", "Duty"),
            ),
            Column(Text("Nội dung nhiệm vụ", "Duty"), lambda row, _: row.text, width=60),
            Column(
                Text("Cơ quan chủ trì", "Owner"),
                lambda row, _: row.agency,
                width=34,
                key="agency",
                head=Text("Cơ quan", "Agency"),
            ),
            Column(Text("Loại", "Kind"), lambda row, language: _kind(row.request, language), width=11),
            Column(
                Text("Kỳ", "Period"), lambda row, language: period_words(row.period, language), width=22, key="period"
            ),
            Column(Text("Hạn", "Due"), lambda row, _: row.due_on, Kind.DAY, 12, key="due"),
            Column(Text("Hạn gốc", "First due"), lambda row, _: row.original_due_on, Kind.DAY, 12),
            Column(
                Text("Trạng thái", "State"), lambda row, language: label(row.state, language), width=24, key="state"
            ),
            Column(Text("Thời hạn", "Time class"), lambda row, language: _label(row.time_class, language), width=20),
            Column(
                Text("Còn (ngày làm việc)", "Left (working days)"),
                lambda row, _: today.days_left(row.due_on) if row.unfinished else None,
                Kind.NUMBER,
                12,
            ),
            Column(Text("Đã hẹn ngày", "Promised for"), lambda row, _: _promised_on(row), Kind.DAY, 12),
            Column(Text("Hẹn lần", "Promise no."), lambda row, _: row.promises or None, Kind.NUMBER, 9),
            Column(Text("Đã gửi đôn đốc lần", "Chased, time"), lambda row, _: row.level or None, Kind.NUMBER, 10),
            Column(Text("Báo cáo ngày", "Reported"), lambda row, _: row.first_reported_on, Kind.DAY, 12),
            Column(Text("Kết quả", "Outcome"), lambda row, language: _label(row.outcome, language), width=16),
            Column(Text("Hoàn thành ngày", "Done"), lambda row, _: row.done_on, Kind.DAY, 12),
            Column(Text("Số lần trả lại", "Returns"), lambda row, _: row.returns or None, Kind.NUMBER, 9),
            number_column(lambda row, _: row.id),
        ),
    )


OVERDUE_LIST: Listing[OverdueRow] = Listing(
    file_name="qua-han",
    title=Text("Nhiệm vụ quá hạn", "Overdue tasks"),
    sorts=overdue.SORTS,
    own_sort=overdue.OWN_SORT,
    groups=(
        Head("agency", Text("Cơ quan", "Agency")),
        Head("count", Text("Số việc", "Assignments"), number=True),
        Head("since", Text("Quá hạn lâu nhất", "Longest overdue")),
        Head("duties", Text("Nhiệm vụ", "Duties")),
        Head("letters", Text("● Thư nhắc ■ đôn đốc □ sắp tới", "● Reminded ■ chased □ to come")),
        Head("heard", Text("Trả lời", "Heard")),
    ),
    columns=(
        Column(Text("Cơ quan chủ trì", "Owner"), lambda row, _: row.assignment.agency, width=34),
        Column(Text("Kế hoạch", "Plan"), lambda row, _: row.assignment.plan, width=16),
        Column(Text("Mục", "Citation"), lambda row, _: row.assignment.citation, width=10),
        Column(Text("Nội dung nhiệm vụ", "Duty"), lambda row, _: row.assignment.text, width=60),
        Column(Text("Kỳ", "Period"), lambda row, language: period_words(row.assignment.period, language), width=22),
        Column(Text("Hạn", "Due"), lambda row, _: row.assignment.due_on, Kind.DAY, 12),
        Column(Text("Hạn gốc", "First due"), lambda row, _: row.assignment.original_due_on, Kind.DAY, 12),
        Column(Text("Quá hạn (ngày làm việc)", "Overdue (working days)"), lambda row, _: row.late, Kind.NUMBER, 12),
        Column(Text("Đã hẹn ngày", "Promised for"), lambda row, _: _promised_on(row.assignment), Kind.DAY, 12),
        Column(Text("Hẹn lần", "Promise no."), lambda row, _: row.assignment.promises or None, Kind.NUMBER, 9),
        Column(Text("Trạng thái", "State"), lambda row, language: label(row.assignment.state, language), width=24),
        Column(
            Text("Báo cáo nói", "Report says"), lambda row, language: _label(row.assignment.outcome, language), width=16
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
        number_column(lambda row, _: row.assignment.id),
    ),
)


BoardLine = tuple[AgencyLine, bool]
"""A line of the board, and whether it counts requests."""


def board_list(board: Board) -> Listing[BoardLine]:
    """The agency, its totals, and three numbers a period, as the matrix shows them."""
    return Listing(
        file_name="bang-theo-doi",
        title=Text("Bảng theo dõi: cơ quan × kỳ báo cáo", "Board: agency × period"),
        sorts=board.sorts,
        on_page=("name", *board.periods, "late"),
        columns=(
            Column(Text("Cơ quan", "Agency"), lambda row, _: row[0].name, width=40, key="name"),
            Column(Text("Loại cơ quan", "Kind of agency"), lambda row, lang: level_name(row[0].level, lang), width=20),
            Column(Text("Loại", "Kind"), lambda row, lang: _kind(row[1], lang), width=11),
            Column(Text("Quá hạn", "Overdue"), lambda row, _: row[0].total.overdue, Kind.NUMBER, 10, key="late"),
            Column(Text("Quá hạn từ", "Overdue since"), lambda row, _: row[0].total.late_since, Kind.DAY, 12),
            Column(Text("Phải báo cáo", "Expected"), lambda row, _: row[0].total.expected, Kind.NUMBER, 10),
            Column(Text("Đã báo cáo", "Reported"), lambda row, _: row[0].total.reported, Kind.NUMBER, 10),
            Column(Text("Hoàn thành", "Done"), lambda row, _: row[0].total.done, Kind.NUMBER, 10),
            *(column for period in board.periods for column in _period_columns(period)),
        ),
    )


def _period_columns(period: str) -> Iterator[Column[BoardLine]]:
    """Three numbers in the files; on the page one cell, with the head of the second."""
    name = period_text(period)

    def column(heading: Text, field: str, key: str = "") -> Column[BoardLine]:
        def value(row: BoardLine, _: str) -> Cell:
            cell: Counts | None = row[0].cells.get(period)
            return None if cell is None else int(getattr(cell, field))

        head = Text(name.vi[:1].upper() + name.vi[1:], name.en[:1].upper() + name.en[1:])
        joined = Text.joined(": ", (name, heading))
        return Column(joined, value, Kind.NUMBER, 14, key=key, head=head, cell="period_cell")

    yield column(Text("phải báo cáo", "expected"), "expected")
    yield column(Text("đã báo cáo", "reported"), "reported", key=period)
    yield column(Text("hoàn thành", "done"), "done")


StandingLine = tuple[AgencyStanding, bool]
"""A line of the leadership's table, and whether it counts requests."""
RATE, UNDONE = Text("Tỷ lệ", "Rate"), Text("Đã báo cáo, chưa hoàn thành", "Reported, not finished")


def standing_list(
    file_name: str = "tinh-hinh",
    title: Text = Text("Tình hình thực hiện theo cơ quan", "Progress by agency"),
    *,
    old: bool = False,
) -> Listing[StandingLine]:
    """``old``: by definitions 1, of reports alone."""
    on_time, late = (
        (Text("Báo cáo đúng hạn", "Reported on time"), Text("Báo cáo quá hạn", "Reported late"))
        if old
        else (Text("Hoàn thành đúng hạn", "Done on time"), Text("Hoàn thành quá hạn", "Done late"))
    )
    columns: list[Column[StandingLine]] = [
        Column(Text("Cơ quan", "Agency"), lambda row, _: row[0].name, width=40, key="name"),
        Column(Text("Loại", "Kind"), lambda row, lang: _kind(row[1], lang), width=11),
        _tally_column("on_time", on_time, lambda tally: tally.on_time, 12),
        _tally_column("rate", Text("Tỷ lệ (%)", "Rate (%)"), lambda tally: _rounded(tally.rate), 9, RATE),
        _tally_column("done_late", late, lambda tally: tally.late, 12),
        _tally_column("overdue", Text("Quá hạn", "Overdue"), lambda tally: tally.overdue),
        _tally_column("in_term", Text("Trong hạn", "Not yet due"), lambda tally: tally.in_term + tally.no_deadline),
    ]
    if not old:
        reported_on_time, undone = Text("Báo cáo đúng hạn", "Reported on time"), Text("Báo cáo, chưa xong", UNDONE.en)
        columns += [
            _tally_column("reported", Text("Đã báo cáo", "Reported"), lambda tally: tally.reported),
            _tally_column("reported_on_time", reported_on_time, lambda tally: tally.reported_on_time, 12),
            _tally_column("undone", undone, lambda tally: tally.undone, 12, UNDONE),
            _tally_column("returned", Text("Bị trả lại", "Returned"), lambda tally: tally.returned),
        ]
    return Listing(file_name=file_name, title=title, columns=columns, sorts=plan_progress.STANDING_SORTS)


def _tally_column(
    key: str, heading: Text, value: Callable[[Boxes], float | None], width: int = 10, head: Text | None = None
) -> Column[StandingLine]:
    def of_row(row: StandingLine, _: str) -> Cell:
        return value(row[0].tally)

    return Column(heading, of_row, Kind.NUMBER, width, key=key, head=head, number=True)


def _rounded(rate: float | None) -> float | None:
    return None if rate is None else round(rate, 1)


def published_list(frozen_id: int, title: Text, names: Mapping[str, str]) -> Listing[PublishedRow]:
    """What published figures count. ``names``: of the agencies."""
    return Listing(
        file_name=f"da-tinh-{frozen_id}",
        title=title,
        columns=(
            Column(Text("Mục", "Citation"), lambda row, _: row.citation, width=10),
            Column(Text("Cơ quan", "Agency"), lambda row, _: names.get(row.agency_id, row.agency_id), width=40),
            Column(Text("Kỳ", "Period"), lambda row, language: period_words(row.period, language), width=22),
            Column(Text("Loại", "Kind"), lambda row, language: _kind(row.request, language), width=11),
            Column(
                Text("Thời hạn", "Time class"),
                lambda row, language: label(TimeClass(row.time_class), language),
                width=20,
            ),
            Column(Text("Báo cáo", "Report"), lambda row, language: _label(row.reporting, language), width=20),
            number_column(lambda row, _: row.assignment_id),
        ),
    )


LETTER_LIST: Listing[LetterRow] = Listing(
    file_name="thu",
    title=Text("Thư", "Letters"),
    sorts=letters.SORTS,
    own_sort=letters.OWN_SORT,
    on_page=("subject", "agency", "role", "channel", "day", "state"),
    columns=(
        Column(Text("Số", "No."), lambda row, _: row.id, Kind.NUMBER, 9),
        Column(Text("Ngày", "Day"), lambda row, _: row.day, Kind.DAY, 12, key="day"),
        Column(Text("Tiêu đề", "Subject"), lambda row, _: row.subject, width=50, key="subject"),
        Column(Text("Cơ quan nhận", "Agency"), lambda row, _: row.agency, width=34, key="agency"),
        Column(Text("Người nhận", "Recipient"), lambda row, language: label(row.role, language), width=18, key="role"),
        Column(Text("Chức danh", "Position"), lambda row, _: row.label, width=24),
        Column(Text("Kênh", "Channel"), lambda row, language: coded(row.channel, language), width=14, key="channel"),
        Column(Text("Số dòng", "Lines"), lambda row, _: row.lines, Kind.NUMBER, 8),
        Column(Text("Tổng hợp tuần", "Weekly digest"), lambda row, _: row.digest_week, width=12),
        Column(Text("Kết quả", "Delivery"), lambda row, language: label(row.state, language), width=22, key="state"),
        Column(Text("Lý do", "Reason"), lambda row, language: coded(row.reason, language), width=22),
        Column(Text("Hẹn gửi lúc", "Leaves at"), lambda row, _: row.send_after, Kind.MOMENT, 18),
        Column(Text("Gửi lúc", "Sent at"), lambda row, _: row.sent_at, Kind.MOMENT, 18),
        Column(Text("Số lần gửi", "Attempts"), lambda row, _: row.attempts, Kind.NUMBER, 9),
    ),
)

MESSAGE_LIST: Listing[MessageRow] = Listing(
    file_name="thu-den",
    title=Text("Thư đến", "Incoming messages"),
    sorts=incoming.SORTS,
    on_page=("words", "agency", "at", "state"),
    columns=(
        Column(Text("Nhận lúc", "Received"), lambda row, _: row.at, Kind.MOMENT, 18, key="at"),
        Column(Text("Cơ quan", "Agency"), lambda row, _: row.agency, width=40, key="agency"),
        Column(Text("Người gửi", "Sender"), lambda row, _: row.sender, width=32),
        Column(Text("Kênh", "Channel"), lambda row, language: coded(row.channel, language), width=14),
        Column(Text("Nội dung", "Text"), lambda row, _: row.words, width=60, key="words"),
        Column(
            Text("Đã ghi nhận", "Recorded"),
            lambda row, language: "; ".join(done_words(each).said(language) for each in row.acts),
            width=50,
        ),
        Column(Text("Tệp", "Files"), lambda row, _: ", ".join(str(each["name"]) for each in row.files), width=30),
        Column(
            Text("Tình trạng", "State"), lambda row, language: message_state(row).said(language), width=34, key="state"
        ),
    ),
)


def message_state(row: MessageRow) -> Text:
    """Why it waits, or that it waits no longer."""
    if row.open and row.waits is not None:
        return Text(label(row.waits, "vi"), label(row.waits, "en"))
    return Text("đã xử lý", "settled") if row.settled_at else Text("đã ghi nhận", "recorded")


AGENCY_LIST: Listing[AgencyRow] = Listing(
    file_name="co-quan",
    title=Text("Cơ quan", "Agencies"),
    sorts=directory.SORTS,
    own_sort=directory.OWN_SORT,
    columns=(
        Column(Text("Mã", "Id"), lambda row, _: row.id, width=20),
        Column(Text("Cơ quan", "Agency"), lambda row, _: row.name, width=44, key="name"),
        Column(Text("Tên tắt", "Short name"), lambda row, _: row.short, width=24),
        Column(Text("Loại cơ quan", "Kind of agency"), lambda row, language: level_name(row.level, language), width=24),
        Column(Text("Đang mở", "Open"), lambda row, _: row.open, Kind.NUMBER, 10, key="open", number=True),
        Column(Text("Quá hạn", "Overdue"), lambda row, _: row.overdue, Kind.NUMBER, 10, key="overdue", number=True),
        Column(Text("Lâu nhất", "Longest"), lambda row, _: row.since, Kind.DAY, 12, key="since"),
        Column(Text("Đã hẹn", "Promised"), lambda row, _: row.promised, Kind.NUMBER, 10, key="promised", number=True),
    ),
)


DIRECTORY_LIST: Listing[DirectoryLine] = Listing(
    file_name="danh-ba",
    title=Text("Danh bạ cơ quan và đầu mối", "Agencies and contacts"),
    columns=(
        Column(Text("Mã cơ quan", "Agency id"), lambda row, _: row.agency.id, width=20),
        Column(Text("Cơ quan", "Agency"), lambda row, _: row.agency.name, width=44),
        Column(Text("Loại cơ quan", "Kind of agency"), lambda row, lang: level_name(row.agency.level, lang), width=24),
        Column(
            Text("Vai trò", "Role"), lambda row, lang: label(row.contact.role, lang) if row.contact else None, width=18
        ),
        Column(Text("Chức danh", "Position"), lambda row, _: row.contact.label if row.contact else None, width=28),
        Column(Text("Thư điện tử", "E-mail"), lambda row, _: row.contact.email if row.contact else None, width=32),
        Column(Text("Điện thoại", "Telephone"), lambda row, _: row.contact.phone if row.contact else None, width=16),
        Column(Text("Ngôn ngữ", "Language"), lambda row, _: row.contact.language if row.contact else None, width=9),
        Column(Text("Từ ngày", "From"), lambda row, _: row.contact.valid_from if row.contact else None, Kind.DAY, 12),
        Column(
            Text("Đến hết ngày", "Until"), lambda row, _: row.contact.valid_until if row.contact else None, Kind.DAY, 12
        ),
    ),
)


PLAN_LIST: Listing[PlanRow] = Listing(
    file_name="ke-hoach",
    title=Text("Kế hoạch", "Plans"),
    sorts=plans.SORTS,
    own_sort=plans.OWN_SORT,
    on_page=("number", "issued", "duties", "state", "reported", "overdue"),
    columns=(
        Column(Text("Kế hoạch", "Plan"), lambda row, _: row.number, width=18, key="number"),
        Column(Text("Tên", "Title"), lambda row, _: row.title, width=60),
        Column(Text("Cơ quan ban hành", "Issued by"), lambda row, _: row.issuer, width=34),
        Column(
            Text("Ngày ban hành", "Issued"),
            lambda row, _: row.issued_on,
            Kind.DAY,
            12,
            key="issued",
            head=Text("Ban hành", "Issued"),
        ),
        Column(Text("Trạng thái", "State"), lambda row, language: label(row.state, language), width=22, key="state"),
        Column(
            Text("Số nhiệm vụ", "Duties"),
            lambda row, _: row.duties,
            Kind.NUMBER,
            10,
            key="duties",
            head=Text("Nhiệm vụ", "Duties"),
            number=True,
        ),
        Column(Text("Phải báo cáo", "Expected"), lambda row, _: row.counts.expected, Kind.NUMBER, 10),
        Column(
            Text("Đã báo cáo", "Reported"),
            lambda row, _: row.counts.reported,
            Kind.NUMBER,
            10,
            key="reported",
            head=Text("Đã báo cáo · hoàn thành", "Reported · done"),
        ),
        Column(Text("Hoàn thành", "Done"), lambda row, _: row.counts.done, Kind.NUMBER, 10),
        Column(
            Text("Quá hạn", "Overdue"), lambda row, _: row.counts.overdue, Kind.NUMBER, 10, key="overdue", number=True
        ),
    ),
)


def log_list(people: Mapping[str, Person]) -> Listing[LogRow]:
    return Listing(
        file_name="nhat-ky",
        title=Text("Nhật ký", "Log"),
        sorts=log.SORTS,
        own_sort=log.OWN_SORT,
        columns=(
            Column(Text("Số", "No."), lambda row, _: row.id, Kind.NUMBER, 9),
            Column(Text("Lúc", "When"), lambda row, _: row.at, Kind.MOMENT, 18, key="at"),
            Column(Text("Ai", "Who"), lambda row, language: actor_words(row.actor, people, language), width=34),
            Column(Text("Mã người làm", "Actor"), lambda row, _: row.actor, width=16),
            Column(Text("Việc gì", "What"), lambda row, language: said(row, language), width=60),
            Column(Text("Kế hoạch", "Plan"), lambda row, _: row.plan, width=16),
            Column(Text("Nhiệm vụ", "Citation"), lambda row, _: row.citation, width=10),
            Column(Text("Cơ quan", "Agency"), lambda row, _: row.agency, width=34),
        ),
    )


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


def figure_list(plan_id: int, plan: PlanRow, period: str) -> Listing[FigureRow]:
    return Listing(
        file_name=f"figures-{plan_id}-{plan.year}",
        title=Text(
            f"Số liệu tổng hợp {plan.number}, {period_words(period, 'vi')}",
            f"Consolidated figures of {plan.number}, {period_words(period, 'en')}",
        ),
        columns=(
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
        ),
    )


def year_list(year: int) -> Listing[YearLine]:
    """The year's map in lines: a week of an agency each."""
    return Listing(
        file_name=f"lich-nam-{year}",
        title=Text(f"Lịch năm {year}: thư và hạn theo tuần", f"The year {year}: letters and due dates by week"),
        columns=(
            Column(Text("Tuần từ", "Week of"), lambda row, _: row.monday, Kind.DAY, 12),
            Column(Text("Cơ quan", "Agency"), lambda row, _: row.agency.name, width=44),
            Column(
                Text("Loại cơ quan", "Kind of agency"), lambda row, lang: level_name(row.agency.level, lang), width=24
            ),
            Column(Text("Thư đã gửi", "Letters sent"), lambda row, _: row.week.sent or None, Kind.NUMBER, 10),
            Column(Text("Thư sẽ gửi", "Letters to come"), lambda row, _: row.week.to_come or None, Kind.NUMBER, 10),
            Column(Text("Phần việc đến hạn", "Assignments due"), lambda row, _: row.week.due or None, Kind.NUMBER, 12),
            Column(
                Text("Trong đó chưa hoàn thành", "Of them unfinished"),
                lambda row, _: row.week.open if row.week.due else None,
                Kind.NUMBER,
                12,
            ),
        ),
    )


def simulated_list(plan: PlanRow, year: SimulatedYear) -> Listing[SimulatedLetter]:
    """Every letter of a simulated year, in order."""
    return Listing(
        file_name=f"du-kien-thu-{plan.id}-{plan.year}",
        title=Text(f"Dự kiến thư của {plan.number}", f"Letters that {plan.number} would send"),
        columns=(
            Column(Text("Lúc", "When"), lambda row, _: datetime.fromisoformat(row.at), Kind.MOMENT, 18),
            Column(Text("Kênh", "Channel"), lambda row, language: coded(row.channel, language), width=14),
            Column(Text("Thư", "Letter"), lambda row, language: letter_words(row, language), width=44),
            Column(Text("Cơ quan", "Agency"), lambda row, _: year.name(row.agency), width=40),
            Column(Text("Vai trò", "Role"), lambda row, language: label(Role(row.role), language), width=22),
            Column(Text("Số việc", "Assignments"), lambda row, _: len(row.assignments), Kind.NUMBER, 12),
            Column(
                Text("Về việc", "About"),
                lambda row, language: "; ".join(assignment_words(year, each, language) for each in row.assignments),
                width=80,
            ),
        ),
    )
