"""A list, declared once: a ``Listing`` defines the column heads of its page, their sort orders, its cells; and the
list as a file, ``?as=xlsx`` or ``?as=csv`` on its own address, with its filter and the permissions of its page."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property, partial
from typing import IO, Annotated, Any, Generic, TypeVar

from fastapi import Query
from fastapi.responses import Response, StreamingResponse
from jinja2.environment import TemplateModule
from markupsafe import Markup
from sqlmodel import Session

from engine.enums import complete
from engine.http.filters import Empty
from engine.http.request_context import NOT_FILTERS, RequestContext
from engine.queries.directory import agency_choices
from engine.queries.filter_choices import plan_choices
from engine.rules.words import LEVELS, coded, level_name, moment, period_words
from engine.terms import EventKind, LetterState, NoticeKind, Role, Scenario, State, TimeClass, Timing, Waiting
from engine.text import Text
from engine.views.labels import label
from engine.views.spreadsheets import Kind, Sheet, SheetColumn, paper_list, write_csv, write_xlsx

T = TypeVar("T")


@dataclass(frozen=True)
class Head:
    """The head of a column on the page. ``key``: of its order in the query and in the URL. ``number``: right-aligned,
    and sorted with the largest first. ``cell``: the macro of its cells, if it shares it with others."""

    key: str
    words: Text
    number: bool = False
    cell: str = ""


@dataclass(frozen=True)
class Column(SheetColumn[T]):
    """A column of the files and, if it has a key, of the page, where a cell may show the values of its neighbours too.
    ``head``: the words on the page, if they differ from those in the files."""

    key: str = ""
    head: Text | None = None
    number: bool = False
    cell: str = ""

    @property
    def page_head(self) -> Head:
        return Head(self.key, self.head or self.heading, self.number, self.cell)


def number_column(value: Callable[[T, str], int | None]) -> Column[T]:
    """By which a row of a file is found again; paper, which nobody sorts or sends back, goes without."""
    return Column(Text("Mã việc", "Assignment no."), value, Kind.NUMBER, 9, on_paper=False)


@dataclass(frozen=True, kw_only=True)
class Listing(Generic[T]):
    """A list. Its constructor raises TypeError if the query has a sort order that no column head uses."""

    file_name: str
    """Plain ASCII, without date and ending."""
    title: Text
    columns: Sequence[Column[T]]
    """In the order of the files."""
    on_page: Sequence[str] = ()
    """The keys in the order of the page, if that is another."""
    groups: Sequence[Head] = ()
    """The heads of a page that shows the rows in groups, and sorts these."""
    sorts: Collection[str] = ()
    """The keys of the query's orders. A head without one does not sort."""
    own_sort: str = ""
    """The default order, if a head has it."""

    def __post_init__(self) -> None:
        keys = {head.key for head in self.heads}
        if idle := {*self.sorts, *filter(None, [self.own_sort.removeprefix("-")])} - keys:
            raise TypeError(f"{self.file_name}: no head asks for the order {', '.join(sorted(idle))}")

    @cached_property
    def heads(self) -> Sequence[Head]:
        """In the order of the page."""
        if self.groups:
            return self.groups
        shown = {column.key: column.page_head for column in self.columns if column.key}
        return [shown.pop(key) for key in self.on_page] + list(shown.values())

    def cells(self, macros: TemplateModule) -> Callable[..., Markup]:
        """The macros that render a row's cells: ``<key>_cell`` for each head; a macro shared by columns gets the key as
        its first argument."""
        each = [
            partial(getattr(macros, head.cell), head.key) if head.cell else getattr(macros, f"{head.key}_cell")
            for head in self.heads
        ]
        return lambda row, *more: Markup("".join([cell(row, *more) for cell in each]))

    def known_order(self, sort: str) -> str:
        """The order in the URL; "" for the default order and for unknown ones."""
        return sort if sort.removeprefix("-") in self.sorts and sort != self.own_sort else ""

    def direction(self, head: Head, sort: str) -> str:
        """The value of ``aria-sort`` for the head; "" if the list is sorted by another."""
        return {head.key: "ascending", f"-{head.key}": "descending"}.get(sort or self.own_sort, "")

    def turned(self, head: Head, sort: str) -> str:
        """The order after a click on the head: ascending first, for numbers descending first; then the reverse."""
        direction = self.direction(head, sort)
        down = direction == "ascending" or (head.number and not direction)
        asked = f"-{head.key}" if down else head.key
        return "" if asked == self.own_sort else asked

    def order_words(self, sort: str, language: str) -> str:
        """«cơ quan ▼»: the order that the URL names, in the first line of a file; "" for one that the list does not
        have."""
        key = sort.removeprefix("-")
        words = next((head.words.said(language) for head in self.heads if head.key == key and key in self.sorts), "")
        return words and words[0].lower() + words[1:] + " ▼" * sort.startswith("-")


CHUNK_BYTES = 64 * 1024
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"


class FileFormat(StrEnum):
    XLSX = "xlsx"
    CSV = "csv"
    PRINT = "print"
    """A page made for paper, with every row."""


ExportFormat = Annotated[FileFormat | None, Empty, Query(alias="as")]
MEDIA_TYPES = complete(
    FileFormat,
    {
        FileFormat.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        FileFormat.CSV: "text/csv; charset=utf-8",
    },
    but=(FileFormat.PRINT,),
)
WRITERS: Mapping[FileFormat, Callable[[Sheet[Any], str, IO[bytes]], None]] = complete(
    FileFormat,
    {
        FileFormat.XLSX: write_xlsx,
        FileFormat.CSV: write_csv,
    },
    but=(FileFormat.PRINT,),
)
MAX_PRINTED_ROWS = 3_000
"""About 150 sheets of paper."""
PARAMETERS: Mapping[str, Text] = {
    "plan": Text("kế hoạch", "plan"),
    "number": Text("kế hoạch", "plan"),
    "period": Text("kỳ", "period"),
    "agency": Text("cơ quan", "agency"),
    "kind": Text("loại", "kind"),
    "department": Text("cơ quan theo dõi", "followed by"),
    "supervisor": Text("cơ quan cấp trên", "agency above"),
    "issuer": Text("cơ quan ban hành", "issued by"),
    "duty": Text("nhiệm vụ", "duty"),
    "year": Text("năm", "year"),
    "week": Text("tuần", "week"),
    "state": Text("trạng thái", "state"),
    "class": Text("thời hạn", "time class"),
    "report": Text("báo cáo", "report"),
    "waiting": Text("đang chờ", "waiting"),
    "finished": Text("đã hoàn thành", "finished"),
    "done_since": Text("hoàn thành sau ngày", "done after"),
    "request": Text("đề nghị", "requests"),
    "past": Text("kế hoạch chờ kết thúc", "plans to be ended"),
    "late": Text("quá hạn ít nhất (ngày làm việc)", "overdue for at least (working days)"),
    "sort": Text("xếp theo", "order"),
    "contact": Text("người nhận số", "recipient no."),
    "assignment": Text("việc số", "task no."),
    "role": Text("vai trò", "role"),
    "channel": Text("kênh", "channel"),
    "day": Text("ngày", "day"),
    "digest": Text("tổng hợp tuần", "weekly digest"),
    "actor": Text("ai", "who"),
    "from": Text("từ ngày", "from"),
    "to": Text("đến ngày", "to"),
    "q": Text("tìm", "search"),
    "indicator": Text("chỉ tiêu", "figure"),
    "scenario": Text("các cơ quan", "the agencies are"),
    "until": Text("đến ngày", "to"),
}
"""What a list's parameters are called in the first line of its file."""
WORDS: Mapping[str, tuple[type[StrEnum], ...]] = {
    "state": (State, LetterState),
    "class": (TimeClass,),
    "report": (Timing,),
    "waiting": (Waiting,),
    "kind": (NoticeKind, EventKind),
    "role": (Role,),
    "scenario": (Scenario,),
}
YES_NO = {"yes": Text("có", "yes"), "no": Text("không", "no"), "true": Text("có", "yes")}
Names = Mapping[str, Mapping[str, str]]
"""Parameter -> value -> name, of plans and agencies."""


def filter_names(session: Session, plan_id: int | None) -> Names:
    """The names of the chosen plan and of all agencies."""
    agencies = dict(agency_choices(session))
    plans = {"plan": dict(plan_choices(session, plan_id).listed)}
    return plans | dict.fromkeys(("agency", "department", "supervisor", "issuer"), agencies)


def download(
    ctx: RequestContext,
    export_format: FileFormat,
    listing: Listing[T],
    rows: Iterable[T],
    names: Names | None = None,
) -> Response:
    """The list as a file to save. It is written to a temporary file first: while the session is open, with errors
    still answered as such, and in constant memory."""
    sheet = Sheet(listing.title, _caption(ctx, listing, names or {}), listing.columns, rows)
    if export_format is FileFormat.PRINT:
        paper = paper_list(sheet, ctx.language, MAX_PRINTED_ROWS)
        return ctx.page("printed.html", today=None, sheet=sheet, paper=paper)
    file = tempfile.TemporaryFile()  # noqa: SIM115 - closed by the generator that sends it
    try:
        WRITERS[export_format](sheet, ctx.language, file)
        file.seek(0)
    except BaseException:
        file.close()
        raise
    headers = {
        "content-disposition": f'attachment; filename="{listing.file_name}_{ctx.today.isoformat()}.{export_format}"',
        "x-content-type-options": "nosniff",
    }
    return StreamingResponse(_chunks(file), media_type=MEDIA_TYPES[export_format], headers=headers)


def attachment(body: bytes, media_type: str, name: str) -> Response:
    """A file to save; its name is made plain ASCII."""
    plain = re.sub(r"[^A-Za-z0-9._-]", "-", name)
    headers = {"content-disposition": f'attachment; filename="{plain}"', "x-content-type-options": "nosniff"}
    return Response(body, media_type=media_type, headers=headers)


def _chunks(file: IO[bytes]) -> Iterator[bytes]:
    with file:
        while chunk := file.read(CHUNK_BYTES):
            yield chunk


def _caption(ctx: RequestContext, listing: Listing[T], names: Names) -> str:
    """«Quá hạn. Tính đến 07:30 Thứ Năm 24/6/2021. Lọc: kỳ: 6 tháng đầu năm 2021»."""
    filters = [
        f"{PARAMETERS[name].said(ctx.language)}: {words}"
        for name, value in ctx.request.query_params.multi_items()
        if value and name in PARAMETERS and (name == "sort" or name not in NOT_FILTERS)
        if (words := _value_words(name, value, names, listing, ctx.language))
    ]
    which = "; ".join(filters) or Text("không lọc", "none").said(ctx.language)
    as_of = Text("Tính đến {at}. Lọc: {which}", "As of {at}. Filter: {which}")
    as_of = as_of.filled(at=moment(ctx.now, ctx.language), which=which)
    return f"{listing.title.said(ctx.language)}. {as_of.said(ctx.language)}"


def _value_words(name: str, value: str, names: Names, listing: Listing[T], language: str) -> str:
    if value in names.get(name, {}):
        return names[name][value]
    for kinds in WORDS.get(name, ()):
        if value in tuple(kinds):
            return label(kinds(value), language)
    if value == "all":
        return Text("tất cả", "all").said(language)
    if name == "period":
        return period_words(value, language)
    if name == "sort":
        return listing.order_words(value, language)
    if name == "kind" and value in LEVELS:
        return level_name(value, language)
    if value in YES_NO and name in ("finished", "request", "digest"):
        return YES_NO[value].said(language)
    return coded(value, language) if name in ("channel", "actor") else value
