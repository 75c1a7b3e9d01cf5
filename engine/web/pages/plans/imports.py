"""Importing a plan document: upload, review, correct, save. The server keeps nothing between requests: the form carries
the imported data, signed, and the typed values, so nothing is lost on an error and no document is left behind."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response
from itsdangerous import BadSignature, URLSafeSerializer
from starlette.datastructures import FormData, UploadFile

from engine.accounts.permissions import Permission
from engine.agencies.agencies import add_agency
from engine.agencies.groups import remember_names
from engine.agencies.stored_directory import read_directory
from engine.errors import BadInput, Conflict, DondocError, NotAllowed
from engine.files.directory import DirectoryFile
from engine.files.plan_successions import EndedName, ended_among, ended_names
from engine.files.yaml_reader import dump
from engine.http.forms import Form
from engine.http.guards.waiting import answered
from engine.http.request_context import RequestContext, SignedIn, binding_of, tools_of
from engine.http.security import MAX_REVIEW_BYTES, same_origin
from engine.plans import loading
from engine.rules.calendar import read_day
from engine.text import Text
from engine.web.pages.plans.checked_plan import CheckedPlan, check_text, show_checked
from engine.web.pages.plans.import_corrections import corrected, cut_before, cuts
from engine.web.pages.plans.import_review import (
    UNDATED,
    Fields,
    checked,
    fields_of,
    level_of,
    reviewed,
    unfinished,
    value_of,
)
from engine.web.pages.plans.import_review_pages import (
    ReviewPages,
    hidden_values,
    is_dropped,
    merged,
    next_number,
    part_of,
)
from engine.web.pages.plans.import_sheet import Sheet, nearest, sheet_of

router = APIRouter(include_in_schema=False)
MAX_FORM_FIELDS = 20_000


@dataclass(frozen=True)
class Upload:
    """A document: an uploaded file or pasted text. ``raw`` is empty when there was none."""

    name: str
    raw: bytes
    do: str = ""
    """The button that was pressed, where there are several."""


def _check_origin(request: Request) -> None:
    if not same_origin(request.headers, tools_of(request).context.settings.base_url):
        raise NotAllowed(Text("Biểu mẫu gửi từ trang khác bị từ chối.", "A form sent from another site is refused."))


def _check_token(request: Request, sent: FormData) -> None:
    token = sent.get("token")
    tools_of(request).tokens.check(token if isinstance(token, str) else "", binding_of(request))


async def received(request: Request, ctx: SignedIn) -> Upload:
    from engine.importer.reading.limits import LIMITS

    ctx.require(Permission.LOAD_PLAN)
    _check_origin(request)
    async with request.form(max_files=1, max_fields=10, max_part_size=LIMITS.characters * 4) as sent:
        _check_token(request, sent)
        file, pasted, pressed = sent.get("document"), sent.get("text"), sent.get("do")
        do = pressed if isinstance(pressed, str) else ""
        if isinstance(file, UploadFile) and file.filename:
            name = re.split(r"[/\\]", file.filename)[-1]
            return Upload(_printable(name) or "văn bản", await file.read(LIMITS.file_bytes + 1), do)
        return Upload("văn bản dán vào", pasted.encode() if isinstance(pasted, str) else b"", do)


def _printable(name: str) -> str:
    return "".join(char for char in name if char.isprintable())[:120].strip()


async def typed_form(request: Request, ctx: SignedIn) -> Form:
    ctx.require(Permission.LOAD_PLAN)
    _check_origin(request)
    fields: dict[str, tuple[str, ...]] = {}
    async with request.form(max_files=0, max_fields=MAX_FORM_FIELDS, max_part_size=MAX_REVIEW_BYTES) as sent:
        _check_token(request, sent)
        for name, value in sent.multi_items():
            if isinstance(value, str):
                fields[name] = (*fields.get(name, ()), value)
    return Form(fields)


@router.get("/plans/import")
def ask(ctx: SignedIn) -> Response:
    ctx.require(Permission.LOAD_PLAN)
    return ctx.page("import.html", sentence="")


@router.post("/plans/import")
def receive(ctx: SignedIn, upload: Annotated[Upload, Depends(received)]) -> Response:
    """Show the review page of a document; a rejected document shows the form again, with the reason."""
    from engine.importer.limited import read_limited

    def read() -> tuple[Sheet, DirectoryFile]:
        if not upload.raw.strip():
            raise BadInput(Text("Chưa chọn tệp, hoặc tệp trống.", "No file was chosen, or it is empty."))
        with ctx.reading() as (session, _):
            directory = read_directory(session)
        return sheet_of(read_limited(upload.raw, upload.name, directory), directory), directory

    return answered(ctx, READING, ("import", upload.name, digest_of(upload.raw)), read, _read_page)


SHOWING = ("open", "close", "page", "look", "part", "join", "drop", "take", "sure")
"""What a button of the review does that ends neither in a plan nor in a file."""
READING, SAVING = Text("Đang đọc văn bản", "Reading the document"), Text("Đang lưu kế hoạch", "Saving the plan")


def digest_of(raw: bytes) -> str:
    return hashlib.sha256(raw).hexdigest()


def _read_page(ctx: RequestContext, read: Callable[[], tuple[Sheet, DirectoryFile]]) -> Response:
    try:
        sheet, directory = read()
    except BadInput as error:
        return ctx.page("import.html", error.status, sentence=error.said(ctx.language))
    return _page(ctx, ShownReview(sheet, directory, fields_of(sheet, directory)))


@router.get("/plans/review")
def again(ctx: SignedIn) -> Response:
    """The review exists only in its form, so a GET starts again."""
    return ctx.go("/plans/import")


@router.post("/plans/review")
def decide(ctx: SignedIn, form: Annotated[Form, Depends(typed_form)]) -> Response:
    """Save the plan, download its file, turn the page, or render the page again (in another language)."""
    sheet = _load_sheet(ctx, form.raw("sheet"))
    elsewhere, number = _load_hidden(ctx, form.raw("aside"))
    with ctx.reading() as (session, _):
        directory = read_directory(session)
    leaves, do = ReviewPages.of(sheet, {**elsewhere, **form.fields}), form.raw("do")
    at = leaves.clamp(number)
    fields = merged(fields_of(sheet, directory), elsewhere, form.fields, leaves.shown(at))
    act, _, target = do.partition(":")
    sheet, fields = corrected(sheet, fields, directory, act, target)
    after = ReviewPages.of(sheet, fields)
    moved = act in ("part", "join") and target.partition(":")[0] in leaves.shown(at) and after.opened
    shown = ShownReview(sheet, directory, fields, after.page_of(after.opened[-1]) if moved else after.clamp(at))
    if act in SHOWING:
        shown = shown.turned(act, target)
        if not form.has("wrong"):
            return _page(ctx, shown)
    out = reviewed(sheet, fields, directory)
    plan = checked(out, directory)
    if act in SHOWING:  # after a rejected save, errors stay beside their fields
        return _page(ctx, shown, problems=out.problems)
    if do == "file":
        return plan_download(str(out.data["number"]), dump(plan) if plan else unfinished(out))
    if plan is None:
        return _page(ctx, shown.at_first(out.problems), problems=out.problems, status=422)

    def save() -> int | CheckedPlan:
        with ctx.writing() as session:
            for agency, name in out.new.items():
                ctx.require(Permission.KEEP_AGENCIES)
                add_agency(session, agency, name=name, level=level_of(name), **ctx.by)
            if "remember" in fields:
                ctx.require(Permission.KEEP_AGENCIES)
                remember_names(session, out.matched(directory), **ctx.by)
            if not ended_names(plan, directory):
                return loading.load_plan(session, plan, **ctx.by)
        return check_text(ctx, dump(plan))  # a person confirms who took over before it is saved

    def saved(after: RequestContext, result: Callable[[], int | CheckedPlan]) -> Response:
        try:
            found = result()
            return after.go(f"/plans/{found}", said="loaded") if isinstance(found, int) else show_checked(after, found)
        except (BadInput, Conflict) as error:
            return _page(after, shown, error=error, status=error.status)

    return answered(ctx, SAVING, ("save", plan, out.new, "remember" in fields), save, saved)


def plan_download(number: str, text: str) -> Response:
    """A plan file as a download."""
    name = re.sub(r"[^A-Za-z0-9]+", "-", number).strip("-").lower() or "plan"
    headers = {"content-disposition": f'attachment; filename="{name}.yaml"'}
    return Response(text, media_type="application/yaml; charset=utf-8", headers=headers)


@dataclass(frozen=True)
class ShownReview:
    """The state of a review: all fields, and the page shown."""

    sheet: Sheet
    directory: DirectoryFile
    fields: Fields
    at: int = 0

    @cached_property
    def leaves(self) -> ReviewPages:
        return ReviewPages.of(self.sheet, self.fields)

    def turned(self, act: str, target: str) -> ShownReview:
        """Another page, or a duty opened or closed."""
        if act == "page" and re.fullmatch(r"[0-9]{1,4}", target):
            return replace(self, at=self.leaves.clamp(int(target)))
        if act not in ("open", "close") or target not in {row.path for row in self.sheet.rows}:
            return self
        number = str(next_number(self.fields)) if act == "open" else ""
        turned = replace(self, fields={**self.fields, f"{target}.open": (number,)})
        return replace(turned, at=turned.leaves.page_of(target))

    def at_first(self, problems: Iterable[str]) -> ShownReview:
        """The page of the first problem, with the duties open that have one."""
        rows, number = self.sheet.rows, next_number(self.fields) + len(self.sheet.rows)
        of_item = {row.item_path: row.path for row in reversed(rows)}
        parts = dict.fromkeys(of_item.get(part_of(name), part_of(name)) for name in problems)
        opened = {f"{part}.open": (str(number - n),) for n, part in enumerate(parts) if part.startswith("sections[")}
        turned = replace(self, fields={**self.fields, **opened})
        return replace(turned, at=min(map(turned.leaves.page_of, problems), default=self.at))


def _page(
    ctx: RequestContext,
    shown: ShownReview,
    *,
    problems: Mapping[str, list[Text]] | None = None,
    error: DondocError | None = None,
    status: int = 200,
) -> Response:
    sheet, fields, agencies = shown.sheet, shown.fields, shown.directory.latest_names
    unknown = _unknown(sheet, fields)
    carried = _serializer(ctx).dumps({"name": sheet.name, "found": sheet.found, "draft": sheet.draft})
    leaves = shown.leaves
    closed = {f"{row.path}.open" for row in sheet.rows if row.path not in leaves.opened}
    fields = {name: values for name, values in fields.items() if name not in closed}
    elsewhere = hidden_values(fields_of(sheet, shown.directory), fields, leaves.shown(shown.at))
    kept = _serializer(ctx).dumps([elsewhere, shown.at])
    return ctx.page(
        "review.html",
        status,
        sheet=sheet,
        carried=carried,
        fields=fields,
        problems=problems or {},
        bodies=agencies,
        leaves=leaves,
        leaf=shown.at,
        blocks=list(leaves.blocks(shown.at, fields)),
        unknown=unknown,
        suggested={each["name"]: nearest(each["name"], shown.directory) for _, each in unknown if shown.at == 0},
        may_add=ctx.may(Permission.KEEP_AGENCIES),
        aside=kept,
        known={*agencies, *agencies.values()},
        doubts=_doubts(sheet, fields),
        cuts=cuts,
        undated_choices=UNDATED,
        gaps=_gaps(sheet),
        dropped_sections=_dropped_sections(sheet, fields),
        ended=_ended(shown),
        sentence=error.said(ctx.language) if error else "",
    )


def _unknown(sheet: Sheet, fields: Fields) -> list[tuple[int, dict[str, Any]]]:
    """The names that the directory does not have and some duty still bears, each with its number among all."""
    named = {value for name, values in fields.items() if name.endswith(".owners") for value in values}
    return [(n, each) for n, each in enumerate(sheet.unknown) if each["name"] in named]


def _ended(shown: ShownReview) -> list[EndedName]:
    """The owners found in the document that have ended by its date."""
    on = read_day(shown.fields.get("issued_on", ("",))[0])
    places: dict[str, list[str]] = {}
    for _, _, item, _ in shown.sheet.items:
        for duty in item["duties"]:
            for owner in duty.get("owners") or item["owners"]:
                places.setdefault(owner, []).append(duty["citation"])
    return list(ended_among(places, shown.directory, on)) if on else []


def _dropped_sections(sheet: Sheet, fields: Fields) -> set[str]:
    """The sections of which no duty is left, by their paths."""
    rows = [(row.path.partition(".")[0], row) for row in sheet.rows]
    kept = {s for s, row in rows if not is_dropped(row, fields)}
    return {s for s, _ in rows} - kept


def _gaps(sheet: Sheet) -> dict[str, list[str]]:
    """Path of an item -> the numbers that the document leaves out before it."""
    missing = {gap["citation"] for gap in sheet.draft.get("gaps", ())}
    found: dict[str, list[str]] = {}
    last: dict[str, int] = {}
    for path, section, item, _ in sheet.items:
        roman, no = str(section["roman"]), int(item["no"])
        found[path] = [each for n in range(last.get(roman, 0) + 1, no) if (each := f"{roman}.{n}") in missing]
        last[roman] = no
    return found


def _doubts(sheet: Sheet, fields: Fields) -> dict[str, Any]:
    """Warnings grouped for the page: those that no part of it shows by itself, each with what answers it, and all by
    place."""
    first = [each for each in sheet.found["warnings"] if each["code"] == "other_province"]
    elsewhere = {"no_due_date", "unknown_owner", "left_out", "other_province"}
    others = [each for each in sheet.found["warnings"] if each["code"] not in elsewhere]
    by_place: dict[str, list[str]] = {}
    for each in others:
        by_place.setdefault(each["place"], []).append(each["message"])
    duties: dict[str, list[str]] = {}
    for path, _, _, found in sheet.items:
        for d, duty in enumerate(found):
            duties.setdefault(duty["citation"], []).append(f"{path}.duties[{d}]")
    answered = [each | _answer(each, sheet, fields, duties.get(each["place"], ())) for each in others]
    return {"first": first, "others": answered, "by_place": by_place}


def _answer(doubt: Mapping[str, Any], sheet: Sheet, fields: Fields, duties: Iterable[str]) -> dict[str, Any]:
    """``part``: where one of ``duties`` is parted so that the words of a doubt are a duty; ``left``: the line that they
    begin."""
    words = doubt["words"] or ""
    for place in duties:
        at = cut_before(value_of(fields, f"{place}.text"), words)
        if at is not None:
            return {"part": f"{place}:{at}", "left": None}
    left = (n for n, each in enumerate(sheet.found["left"]) if words and words in each["text"] and not each["taken"])
    return {"part": "", "left": next(left, None)}


def _serializer(ctx: RequestContext) -> URLSafeSerializer:
    # The salt names the shape of what is carried: a form that was open over an upgrade is asked for again in words.
    return URLSafeSerializer(ctx.app.settings.signing_key(), salt="dondoc.import@4")


def _load_hidden(ctx: RequestContext, carried: str) -> tuple[Fields, int]:
    """Values typed elsewhere, and the page shown. Raises BadInput unless the signature is ours."""
    try:
        fields, at = _serializer(ctx).loads(carried)
        return {str(name): tuple(map(str, values)) for name, values in fields.items()}, int(at)
    except (BadSignature, AttributeError, TypeError, ValueError):
        raise _unreadable() from None


def _unreadable() -> BadInput:
    return BadInput(
        Text(
            "Bản nháp không còn đọc được; hãy tải lại văn bản.", "The draft cannot be read; upload the document again."
        )
    )


def _load_sheet(ctx: RequestContext, carried: str) -> Sheet:
    """The imported data carried by the form. Raises BadInput unless the signature is ours."""
    try:
        return Sheet(**_serializer(ctx).loads(carried))
    except (BadSignature, TypeError, ValueError):
        raise _unreadable() from None
