"""Contacts of an agency: add, change, set a last day, or remove at once; and agencies and contacts by spreadsheet:
upload an office's own list, say what its columns and words mean where they are not known, look at what would
change.

Rows that are wrong come back as a spreadsheet.

The server keeps nothing in between but the choices of the sheets before: the form carries the sheets, signed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date
from functools import cached_property
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response
from itsdangerous import BadSignature, URLSafeSerializer

from engine.accounts.permissions import Permission
from engine.agencies import contact_import, contacts
from engine.agencies.contact_import import CHANGING, Comparison, RowFate, RowResult, as_cell
from engine.errors import BadInput, Conflict
from engine.files.contact_columns import FIELDS, NOT_TAKEN, Heading, Layout, field_words
from engine.files.contact_sheet import (
    AskedWord,
    ContactSheet,
    contact_sheet,
    first_headings,
    guessed_choices,
    write_contact_sheet,
    write_wrong_rows,
)
from engine.files.spreadsheet import MAX_FILE_BYTES, Table, read_tables
from engine.http.filters import AgencyId, SmallId
from engine.http.forms import Form, FormFields
from engine.http.request_context import PostedForm, RequestContext, SignedIn, checked, read_form
from engine.http.security import MAX_BODY_BYTES
from engine.queries.directory import agency_page
from engine.rules.words import LEVELS, ROLES
from engine.terms import CONTACT_ROLES
from engine.text import Text

router = APIRouter(include_in_schema=False)
TYPED = ("role", "label", "email", "phone", "language", "valid_from", "valid_until")


@router.get("/admin/agencies/{agency_id}/contacts/add")
def ask_new(ctx: SignedIn, agency_id: AgencyId) -> Response:
    return _new(ctx, agency_id, FormFields({"role": "coordinator", "language": "vi"}))


@router.post("/admin/agencies/{agency_id}/contacts/add")
def add(ctx: SignedIn, form: PostedForm, agency_id: AgencyId) -> Response:
    ctx.require(Permission.KEEP_CONTACTS, agency_id)
    typed = FormFields.of(form, *TYPED, whole="email")
    values = _values(typed)

    def action() -> int:
        with ctx.writing() as session:
            return contacts.add(session, agency_id, typed.text("role"), **values, **ctx.by)

    if typed.do(action):
        return ctx.go(f"/admin/agencies/{agency_id}", said="contact_added")
    return _new(ctx, agency_id, typed)


@router.get("/admin/contacts/{contact_id}")
def show(ctx: SignedIn, contact_id: SmallId) -> Response:
    return _page(ctx, contact_id, FormFields())


@router.post("/admin/contacts/{contact_id}")
def change(ctx: SignedIn, form: PostedForm, contact_id: SmallId) -> Response:
    agency_id = _agency_of(ctx, contact_id)
    typed = FormFields.of(form, *TYPED[1:], whole="email")
    values = _values(typed)

    def action() -> bool:
        with ctx.writing() as session:
            contacts.change(session, contact_id, **values, **ctx.by)
        return True

    if typed.do(action):
        return ctx.go(f"/admin/agencies/{agency_id}", said="contact_changed")
    return _page(ctx, contact_id, typed)


@router.post("/admin/contacts/{contact_id}/last-day")
def last_day(ctx: SignedIn, form: PostedForm, contact_id: SmallId) -> Response:
    """Set a contact's last day; one in the past is the same as having left."""
    agency_id = _agency_of(ctx, contact_id)
    typed = FormFields.of(form, "on", whole="on")
    on = typed.needed_day("on")
    with ctx.reading() as (session, _):
        began = contacts.find(session, contact_id).valid_from
    if not typed.wrong and began is not None and on < began:
        typed.refuse({"on": Text("Ngày cuối trước ngày bắt đầu.", "The last day is before the first.")})

    def action() -> bool:
        with ctx.writing() as session:
            contacts.end(session, contact_id, on=on, **ctx.by)
        return True

    if typed.do(action):
        return ctx.go(f"/admin/agencies/{agency_id}", said="contact_ends")
    return _page(ctx, contact_id, FormFields(), ending=typed)


@router.post("/admin/contacts/{contact_id}/left")
def left(ctx: SignedIn, form: PostedForm, contact_id: SmallId) -> Response:
    agency_id = _agency_of(ctx, contact_id)
    with ctx.writing() as session:
        contacts.leave_now(session, contact_id, **ctx.by)
    return ctx.go(f"/admin/agencies/{agency_id}", said="contact_left")


def _values(typed: FormFields) -> dict[str, Any]:
    """The form's values as the actions take them; an empty day is open-ended."""
    words = {name: typed.text(name) for name in ("label", "email", "phone", "language")}
    days: dict[str, date | None] = {name: typed.day(name) for name in ("valid_from", "valid_until")}
    return words | days


def _agency_of(ctx: RequestContext, contact_id: int) -> str:
    """The contact's agency. Raises NotFound, and NotAllowed for another agency's contact."""
    with ctx.reading() as (session, _):
        agency_id = contacts.find(session, contact_id).agency_id
    ctx.require(Permission.KEEP_CONTACTS, agency_id)
    return agency_id


def _new(ctx: RequestContext, agency_id: str, typed: FormFields) -> Response:
    ctx.require(Permission.KEEP_CONTACTS, agency_id)
    with ctx.reading() as (session, today):
        agency = agency_page(session, agency_id)
    return ctx.page(
        "admin/contact.html", typed.status, today=today, agency=agency, contact=None, typed=typed, ending=FormFields()
    )


def _page(ctx: RequestContext, contact_id: int, typed: FormFields, *, ending: FormFields | None = None) -> Response:
    with ctx.reading() as (session, today):
        found = contacts.find(session, contact_id)
        ctx.require(Permission.KEEP_CONTACTS, found.agency_id)
        agency = agency_page(session, found.agency_id)
    filled = typed.filled((name, as_cell(getattr(found, name))) for name in TYPED)
    ending = ending or FormFields()
    return ctx.page(
        "admin/contact.html",
        max(typed.status, ending.status),
        today=today,
        agency=agency,
        contact=found,
        typed=filled,
        ending=ending,
    )


PATH = "/admin/contact-sheet"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
CHOSEN = ("column:", "role:", "level:", "kind:")
"""How the names of the form's choices begin."""
MAX_SAMPLES, MAX_SHOWN_COLUMNS, MAX_WORDS, MAX_ROWS_SHOWN = 3, 16, 30, 80
THIRD = ":3"
MAX_CARRIED_CHARS = MAX_BODY_BYTES - 50_000
"""The form that confirms carries the sheets."""
TOO_LONG = Text(
    "Bảng dài quá, chưa đọc: hãy xóa bớt cột ghi chú, hoặc chia làm hai tệp.",
    "The sheet is too long and was not read: remove columns of notes, or make two files of it.",
)


@dataclass(frozen=True)
class SheetColumns:
    """The columns of a sheet, with its first rows below them."""

    name: str
    headings: tuple[Heading, ...]
    samples: tuple[tuple[str, ...], ...]

    @classmethod
    def of(cls, table: Table, layout: Layout) -> SheetColumns:
        shown = [each for each in layout.headings if _is_used(table, layout, each)][:MAX_SHOWN_COLUMNS]
        filled = [row for row in table.rows[layout.first :] if sum(map(bool, row)) > 1][:MAX_SAMPLES]
        samples = tuple(tuple(row[each.at] if each.at < len(row) else "" for each in shown) for row in filled)
        return cls(table.name, tuple(shown), samples)


@dataclass(frozen=True, kw_only=True)
class SheetReading:
    """An uploaded file as it is read. ``sheet`` is None while no column holds the agencies; ``trouble`` says so."""

    tables: tuple[Table, ...]
    choices: Mapping[str, str]
    sheet: ContactSheet | None = None
    found: Comparison | None = None
    trouble: BadInput | None = None
    saved: Comparison | None = None
    """What was just done; then only wrong rows are left."""
    fields: Mapping[str, Text] = field(default_factory=lambda: {each: field_words(each) for each in FIELDS})

    @cached_property
    def columns(self) -> list[SheetColumns]:
        """Of each sheet that has a column which those before have not."""
        if self.sheet is None:
            first = first_headings(self.tables, self.choices)
            return [SheetColumns.of(*first)] if first else []
        known: set[str] = set()
        result = []
        for table, layout in zip(self.sheet.tables, self.sheet.layouts, strict=True):
            columns = SheetColumns.of(table, layout)
            if {each.key for each in columns.headings} - known:
                result.append(columns)
            known |= {each.key for each in columns.headings}
        return result

    @property
    def options(self) -> list[str]:
        """What a column may hold; a third person only where the sheet has one."""
        third = any(each.field.endswith(THIRD) for columns in self.columns for each in columns.headings)
        return [each for each in FIELDS if third or not each.endswith(THIRD)]

    @property
    def unknown_words(self) -> list[AskedWord]:
        return [each for each in self._words if not each.meaning]

    @property
    def guessed_words(self) -> list[AskedWord]:
        return [each for each in self._words if each.meaning]

    @property
    def _words(self) -> Sequence[AskedWord]:
        return self.sheet.words[:MAX_WORDS] if self.sheet else ()

    @property
    def told(self) -> list[RowResult]:
        """Rows to be shown: what is wrong first, then what would change."""
        changing = [row for row in self.found.rows if row.fate in CHANGING] if self.found else []
        return [*(self.found.wrong if self.found else ()), *changing]


def _is_used(table: Table, layout: Layout, heading: Heading) -> bool:
    return any(heading.at < len(row) and row[heading.at] for row in table.rows[max(layout.first - 1, 0) :])


async def _uploaded(request: Request, ctx: SignedIn) -> Form:
    ctx.require(Permission.KEEP_AGENCIES)
    return checked(request, await read_form(request, most_files=1, most_bytes=MAX_FILE_BYTES))


@router.get(PATH)
def ask(ctx: SignedIn) -> Response:
    return _sheet_page(ctx)


@router.get(f"{PATH}/template.xlsx")
def template(ctx: SignedIn) -> Response:
    """The sheet with the contacts that are stored; telephone numbers are in it, so administrators alone get it."""
    ctx.require(Permission.KEEP_AGENCIES)
    with ctx.reading() as (session, _):
        rows = list(contact_import.exported(session, ctx.now, ctx.language))
    body = write_contact_sheet(rows, contact_import.choices(ctx.language), ctx.language)
    return _file(body, "dau-moi.xlsx")


@router.post(PATH)
def preview(ctx: SignedIn, form: Annotated[Form, Depends(_uploaded)]) -> Response:
    """What each row would do, read as the sheets before. Nothing is changed."""
    try:
        files = form.files.get("sheet", ())
        if not files or not files[0].body:
            raise BadInput(Text("Chưa chọn tệp, hoặc tệp trống.", "No file was chosen, or it is empty."))
        tables = read_tables(files[0].body)
    except BadInput as error:
        return _sheet_page(ctx, sentence=error.said(ctx.language), status=error.status)
    with ctx.reading() as (session, _):
        kept = contact_import.kept_choices(session)
    return _sheet_page(ctx, _reading(ctx, tables, kept))


@router.post(f"{PATH}/read")
def read_again(ctx: SignedIn, form: PostedForm) -> Response:
    """The same file, read as the form says. Nothing is changed."""
    ctx.require(Permission.KEEP_AGENCIES)
    tables, _ = _carried(ctx, form)
    return _sheet_page(ctx, _reading(ctx, tables, _chosen(form)))


@router.post(f"{PATH}/load")
def load(ctx: SignedIn, form: PostedForm) -> Response:
    """Do what was shown, and keep how the sheet was read. Wrong rows are left out and shown again."""
    ctx.require(Permission.KEEP_AGENCIES)
    tables, mark = _carried(ctx, form)
    choices = _chosen(form)
    rows = contact_sheet(tables, choices).rows
    try:
        with ctx.writing() as session:
            saved = contact_import.apply(session, rows, choices=choices, previewed=mark, **ctx.by)
            guesses = guessed_choices(tables)  # what was guessed is not kept: it may be anybody's name
            said = {key: value for key, value in choices.items() if guesses.get(key) != value}
            contact_import.keep_choices(session, said)
    except (BadInput, Conflict) as error:
        return _sheet_page(ctx, _reading(ctx, tables, choices), sentence=error.said(ctx.language), status=error.status)
    if not saved.count(RowFate.WRONG):
        return ctx.go("/admin/agencies", said="sheet_loaded")
    return _sheet_page(ctx, _reading(ctx, tables, choices, saved))


@router.post(f"{PATH}/wrong.xlsx")
def wrong_rows(ctx: SignedIn, form: PostedForm) -> Response:
    """The rows that are wrong as they stood in the sheet, each with the reason."""
    ctx.require(Permission.KEEP_AGENCIES)
    tables, _ = _carried(ctx, form)
    reading = _reading(ctx, tables, _chosen(form))
    if reading.sheet is None or reading.found is None:
        raise reading.trouble or BadInput
    wrong = [(each.row, each.reason.said(ctx.language)) for each in reading.found.wrong]
    return _file(write_wrong_rows(reading.sheet, wrong, ctx.language), "dong-can-sua.xlsx")


def _reading(
    ctx: RequestContext, tables: tuple[Table, ...], choices: Mapping[str, str], saved: Comparison | None = None
) -> SheetReading:
    try:
        sheet = contact_sheet(tables, choices)
    except BadInput as error:
        return SheetReading(tables=tables, choices=choices, trouble=error)
    with ctx.reading() as (session, _):
        found = contact_import.compare(session, sheet.rows, ctx.now, choices)
    return SheetReading(tables=tables, choices=choices, sheet=sheet, found=found, saved=saved)


def _sheet_page(
    ctx: RequestContext, reading: SheetReading | None = None, *, sentence: str = "", status: int = 200
) -> Response:
    ctx.require(Permission.KEEP_AGENCIES)
    carried = None
    if reading is not None:
        mark = reading.found.mark if reading.found else ""
        tables = reading.sheet.tables if reading.sheet else reading.tables
        carried = _serializer(ctx).dumps([[asdict(each) for each in tables], mark])
        if len(carried) > MAX_CARRIED_CHARS:
            return _sheet_page(ctx, sentence=TOO_LONG.said(ctx.language), status=400)
        if reading.trouble is not None:
            sentence, status = reading.trouble.said(ctx.language), reading.trouble.status
    return ctx.page(
        "admin/contact_sheet.html",
        status,
        reading=reading,
        carried=carried,
        sentence=sentence,
        roles={role: ROLES[role] for role in CONTACT_ROLES},
        levels=LEVELS,
        not_taken=NOT_TAKEN,
        most=MAX_ROWS_SHOWN,
    )


def _chosen(form: Form) -> dict[str, str]:
    """The choices of the form; what is left open is none."""
    return {name: form.raw(name)[:40] for name in form.fields if name.startswith(CHOSEN) and form.raw(name)}


def _carried(ctx: RequestContext, form: Form) -> tuple[tuple[Table, ...], str]:
    """The sheets and the mark that the form carries. Raises BadInput unless the signature is ours."""
    try:
        tables, mark = _serializer(ctx).loads(form.raw("rows"))
        return tuple(
            Table(each["name"], tuple(map(tuple, each["rows"])), tuple(map(tuple, each["across"]))) for each in tables
        ), str(mark)
    except (BadSignature, KeyError, TypeError, ValueError):
        raise BadInput(
            Text("Bảng không còn đọc được; hãy tải lên lại.", "The sheet cannot be read; upload it again.")
        ) from None


def _file(body: bytes, name: str) -> Response:
    headers = {"content-disposition": f'attachment; filename="{name}"', "cache-control": "no-store"}
    return Response(body, media_type=XLSX, headers=headers)


def _serializer(ctx: RequestContext) -> URLSafeSerializer:
    return ctx.app.signer.serializer("contacts")
