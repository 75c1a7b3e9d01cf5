"""A list as a file: ``?as=xlsx`` or ``?as=csv`` on its own address, with its filter and the permissions of its page."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from enum import StrEnum
from typing import IO, Annotated, Any, TypeVar

from fastapi import Query
from fastapi.responses import Response, StreamingResponse
from sqlmodel import Session

from engine.enums import complete
from engine.http.filters import Empty
from engine.http.lists.listing import Listing
from engine.http.request_context import NOT_FILTERS, RequestContext
from engine.queries.directory.agencies import agency_choices
from engine.queries.filter_choices import plan_choices
from engine.rules.words import LEVELS, coded, level_name, moment, period_words
from engine.terms import EventKind, LetterState, NoticeKind, Role, Scenario, State, TimeClass, Timing, Waiting
from engine.text import Text
from engine.views.labels import label
from engine.views.paper_list import paper_list
from engine.views.spreadsheets import Sheet, write_csv, write_xlsx

T = TypeVar("T")
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
    "assignment": Text("phần việc số", "task no."),
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
