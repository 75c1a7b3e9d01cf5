"""Editing the directory: search for agencies, their names over time, successions; groups of agencies that plans name
by general words, and other ways of writing an agency's name.

Handover: the open assignments of an agency whose functions went elsewhere, with the proposed receiver of each.
Previewed, confirmed, then done.
"""

from __future__ import annotations

from collections import Counter
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import Response

from engine.accounts.permissions import Permission
from engine.agencies import agencies
from engine.agencies.groups import save_aliases, save_group
from engine.assignments.handover import HandedOver, Succeeded, hand_over, succeeded
from engine.errors import BadInput, DondocError, NotFound
from engine.http.filters import AgencyId, Code, Cursor, Plain, SmallId
from engine.http.forms import Form, FormFields
from engine.http.lists.list_columns import DIRECTORY_LIST
from engine.http.lists.listing import ExportFormat, download
from engine.http.request_context import PostedForm, RequestContext, SignedIn
from engine.queries.directory import (
    agency_choices,
    agency_page,
    directory_lines,
    group_choices,
    group_lines,
    level_choices,
    search,
)
from engine.queries.paging import DOWNLOAD_ROWS, every_row
from engine.queries.work.duty_changes import owner_choices
from engine.rules.words import LEVELS
from engine.text import Text
from engine.web.agency_picker import picked, picks

router = APIRouter(include_in_schema=False)
SearchText = Annotated[str, Plain, Query(max_length=100)]
NEW = ("id", "name", "short", "level", "code", "parent", "since", "groups")


@router.get("/admin/agencies")
def listing(
    ctx: SignedIn, q: SearchText = "", export_format: ExportFormat = None, after: Cursor = "", said: Code = ""
) -> Response:
    """The list; users who keep the contacts of one agency only are redirected to it."""
    ctx.require(Permission.SEE_CONTACTS, ctx.actor.agency_id)
    within = ctx.agencies_within(Permission.SEE_CONTACTS)
    if within == frozenset({ctx.actor.agency_id}):
        return ctx.go(f"/admin/agencies/{ctx.actor.agency_id}")
    with ctx.reading() as (session, today):
        if export_format:
            some = partial(search, session, today, q, within=within, limit=DOWNLOAD_ROWS)
            found_all = tuple(every_row(lambda cursor: some(after=cursor)))
            rows = directory_lines(session, found_all)
            return download(ctx, export_format, DIRECTORY_LIST, rows)
        found = search(session, today, q, after=after, within=within)
    return ctx.page("admin/agencies.html", today=today, found=found, q=q, outcome=said)


@router.get("/admin/add-agency")
def ask_new(ctx: SignedIn) -> Response:
    return _new(ctx, FormFields())


@router.post("/admin/add-agency")
def add(ctx: SignedIn, form: PostedForm) -> Response:
    ctx.require(Permission.KEEP_AGENCIES)
    typed = FormFields.of(form, *NEW, whole="id")
    values = {name: typed.text(name) for name in NEW if name not in ("since", "groups")}
    agency_id, since, groups = values.pop("id"), typed.day("since", past=True), form.fields.get("groups", ())

    def action() -> str:
        with ctx.writing() as session:
            agencies.add_agency(session, agency_id, **values, since=since, groups=groups, **ctx.by)
        return agency_id

    created = typed.do(action)
    return ctx.go(f"/admin/agencies/{created}", said="added") if created else _new(ctx, typed)


@router.get("/admin/agencies/{agency_id}")
def show(ctx: SignedIn, agency_id: AgencyId, said: Code = "") -> Response:
    return _page(ctx, agency_id, FormFields(), outcome=said)


@router.post("/admin/agencies/{agency_id}/names")
def rename(ctx: SignedIn, form: PostedForm, agency_id: AgencyId) -> Response:
    ctx.require(Permission.KEEP_AGENCIES)
    typed = FormFields.of(form, "name", "short", "on", whole="name")
    name, short, on = typed.text("name"), typed.text("short"), typed.needed_day("on")

    def action() -> bool:
        with ctx.writing() as session:
            agencies.rename(session, agency_id, name=name, short=short, on=on, **ctx.by)
        return True

    if typed.do(action):
        return ctx.go(f"/admin/agencies/{agency_id}", said="renamed")
    return _page(ctx, agency_id, typed)


@router.get("/admin/agencies/{agency_id}/succession")
def ask_succession(ctx: SignedIn, agency_id: AgencyId) -> Response:
    return _succession(ctx, agency_id, FormFields())


@router.post("/admin/agencies/{agency_id}/succession")
def succeed(ctx: SignedIn, form: PostedForm, agency_id: AgencyId) -> Response:
    ctx.require(Permission.KEEP_AGENCIES)
    typed = FormFields.of(form, "to", "on", "function", "basis", whole="to")
    to, function, basis = typed.text("to"), typed.text("function"), typed.text("basis")
    on = typed.needed_day("on")

    def action() -> int:
        with ctx.writing() as session:
            return agencies.succeed(session, agency_id, to, on=on, function=function, basis=basis, **ctx.by)

    if typed.do(action):
        return ctx.go(f"/admin/agencies/{agency_id}", said="succeeded")
    return _succession(ctx, agency_id, typed)


@router.post("/admin/agencies/{agency_id}/succession/{succession_id}/withdraw")
def withdraw(ctx: SignedIn, form: PostedForm, agency_id: AgencyId, succession_id: SmallId) -> Response:
    ctx.require(Permission.KEEP_AGENCIES)
    with ctx.writing() as session:
        agencies.withdraw(session, agency_id, succession_id, **ctx.by)
    return ctx.go(f"/admin/agencies/{agency_id}", said="withdrawn")


def _page(ctx: RequestContext, agency_id: str, typed: FormFields, *, outcome: str = "") -> Response:
    ctx.require(Permission.SEE_CONTACTS, agency_id)
    with ctx.reading() as (session, today):
        found = agency_page(session, agency_id)
    return ctx.page("admin/agency.html", typed.status, today=today, agency=found, typed=typed, outcome=outcome)


def _new(ctx: RequestContext, typed: FormFields) -> Response:
    ctx.require(Permission.KEEP_AGENCIES)
    with ctx.reading() as (session, today):
        choices: dict[str, object] = {"parents": agency_choices(session), "groups": group_choices(session)}
        levels = tuple(dict.fromkeys((*LEVELS, *level_choices(session))))
    return ctx.page("admin/add_agency.html", typed.status, today=today, typed=typed, levels=levels, **choices)


def _succession(ctx: RequestContext, agency_id: str, typed: FormFields) -> Response:
    ctx.require(Permission.KEEP_AGENCIES)
    with ctx.reading() as (session, today):
        found, others = agency_page(session, agency_id), agency_choices(session)
    return ctx.page(
        "admin/succession.html",
        typed.status,
        today=today,
        agency=found,
        typed=typed,
        others=[each for each in others if each[0] != agency_id],
    )


MAX_LINES_CHARS = 8_000


@router.get("/admin/groups")
def list_groups(ctx: SignedIn, said: Code = "") -> Response:
    ctx.require(Permission.SEE_AGENCIES)
    with ctx.reading() as (session, today):
        found = group_lines(session)
    return ctx.page("admin/groups.html", today=today, groups=found, outcome=said)


@router.get("/admin/groups/new")
def ask_new_group(ctx: SignedIn) -> Response:
    return _group(ctx, "", FormFields())


@router.post("/admin/groups/new")
def add_group(ctx: SignedIn, form: PostedForm) -> Response:
    return _save(ctx, form, "")


@router.get("/admin/groups/{group_id}")
def show_group(ctx: SignedIn, group_id: AgencyId) -> Response:
    ctx.require(Permission.KEEP_AGENCIES)
    with ctx.reading() as (session, _):
        found = next((each for each in group_lines(session) if each.id == group_id), None)
    if found is None:
        raise NotFound(Text("Không có nhóm này.", "There is no such group."))
    typed = FormFields({"name": found.name, "aliases": "\n".join(found.aliases)})
    return _group(ctx, group_id, typed, tuple(found.members))


@router.post("/admin/groups/{group_id}")
def change(ctx: SignedIn, form: PostedForm, group_id: AgencyId) -> Response:
    return _save(ctx, form, group_id)


@router.get("/admin/agencies/{agency_id}/aliases")
def ask_aliases(ctx: SignedIn, agency_id: AgencyId) -> Response:
    ctx.require(Permission.KEEP_AGENCIES)
    with ctx.reading() as (session, _):
        found = agency_page(session, agency_id)
    return _aliases(ctx, agency_id, FormFields({"aliases": "\n".join(found.aliases)}))


@router.post("/admin/agencies/{agency_id}/aliases")
def change_aliases(ctx: SignedIn, form: PostedForm, agency_id: AgencyId) -> Response:
    ctx.require(Permission.KEEP_AGENCIES)
    typed = FormFields.of(form, "aliases", whole="aliases")
    lines = typed.words("aliases", MAX_LINES_CHARS).splitlines()

    def action() -> bool:
        with ctx.writing() as session:
            save_aliases(session, agency_id, lines, **ctx.by)
        return True

    if typed.do(action):
        return ctx.go(f"/admin/agencies/{agency_id}", said="aliases")
    return _aliases(ctx, agency_id, typed)


def _save(ctx: RequestContext, form: Form, group_id: str) -> Response:
    ctx.require(Permission.KEEP_AGENCIES)
    typed, members = FormFields.of(form, "name", "aliases", whole="name"), form.every("owners")
    name, lines = typed.text("name"), typed.words("aliases", MAX_LINES_CHARS).splitlines()

    def action() -> str:
        with ctx.writing() as session:
            return save_group(session, group_id, name=name, aliases=lines, members=members, **ctx.by)

    if not picks(form) and typed.do(action) is not None:
        return ctx.go("/admin/groups", said="saved")
    return _group(ctx, group_id, typed, members, form)


def _group(
    ctx: RequestContext, group_id: str, typed: FormFields, members: tuple[str, ...] = (), form: Form | None = None
) -> Response:
    ctx.require(Permission.KEEP_AGENCIES)
    with ctx.reading() as (session, today):
        picker = picked(owner_choices(session, ctx.today, members), members, form)
    return ctx.page("admin/group.html", typed.status, today=today, group_id=group_id, typed=typed, picker=picker)


def _aliases(ctx: RequestContext, agency_id: str, typed: FormFields) -> Response:
    with ctx.reading() as (session, today):
        found = agency_page(session, agency_id)
    return ctx.page("admin/aliases.html", typed.status, today=today, agency=found, typed=typed)


MAX_HANDOVERS = 50
"""Assignments per page; the others follow once these are handed over."""


@router.get("/admin/agencies/{agency_id}/handover")
def look(ctx: SignedIn, agency_id: AgencyId, said: Code = "") -> Response:
    return _handover_page(ctx, agency_id, outcome=said)


@router.post("/admin/agencies/{agency_id}/handover")
def give(ctx: SignedIn, form: PostedForm, agency_id: AgencyId) -> Response:
    """Without ``sure``, show the effect; with it, hand over. Assignments that cannot move are listed, the others
    move."""
    ctx.require(Permission.KEEP_AGENCIES)
    choices = _choices(form)
    with ctx.reading() as (session, today):
        found = succeeded(session, agency_id, ctx.now)
    if not choices:
        return _handover_page(
            ctx, agency_id, trouble=BadInput(Text("Chưa chọn cơ quan nhận cho việc nào.", "Nothing was chosen."))
        )
    if not form.has("sure"):
        moves, merges = _effect(found, choices)
        return ctx.page(
            "admin/handover_sure.html", today=today, found=found, chosen=choices, moves=moves, merges=merges
        )
    try:
        with ctx.writing() as session:
            done = hand_over(session, agency_id, choices, **ctx.by)
    except BadInput as error:
        return _handover_page(ctx, agency_id, trouble=error)
    if done.left:
        return _handover_page(ctx, agency_id, done=done)
    return ctx.go(f"/admin/agencies/{agency_id}/handover", said=f"{len(done.moved)}.{len(done.merged)}")


def _choices(form: Form) -> dict[int, str]:
    """Assignment id -> receiving agency, from the non-empty fields ``to-<id>``."""
    fields = {name.removeprefix("to-"): form.text(name, 64) for name in form.fields if name.startswith("to-")}
    wrong = [name for name in fields if not (name.isascii() and name.isdecimal() and len(name) <= 18)]
    if wrong or len(fields) > MAX_HANDOVERS:
        raise BadInput(
            Text("Biểu mẫu không đọc được; hãy mở lại trang bàn giao.", "The form cannot be read; open it again.")
        )
    return {int(name): to for name, to in fields.items() if to}


def _effect(found: Succeeded, choices: dict[int, str]) -> tuple[list[tuple[str, int]], list[tuple[str, int]]]:
    """((receiving agency's name, number of moves), …), and the same for assignments that merge with existing ones."""
    names = {each.agency_id: each.agency for each in found.successors}
    moves, merges = Counter[str](), Counter[str]()
    for each in found.proposals:
        to = choices.get(each.assignment_id, "")
        if to in names:
            (merges if to in each.merges else moves)[names[to]] += 1
    return moves.most_common(), merges.most_common()


def _handover_page(
    ctx: RequestContext,
    agency_id: str,
    *,
    outcome: str = "",
    trouble: DondocError | None = None,
    done: HandedOver | None = None,
) -> Response:
    ctx.require(Permission.KEEP_AGENCIES)
    with ctx.reading() as (session, today):
        found = succeeded(session, agency_id, ctx.now)
    status = 422 if trouble else 409 if done else 200
    moved, _, merged = outcome.partition(".")
    counts = (int(moved), int(merged)) if moved.isdecimal() and merged.isdecimal() else None
    agencies = {each.agency_id: each.agency for each in found.successors}
    return ctx.page(
        "admin/handover.html",
        status,
        today=today,
        found=found,
        shown=found.proposals[:MAX_HANDOVERS],
        bodies=agencies,
        counted=counts,
        done=done,
        sentence=trouble.said(ctx.language) if trouble else "",
    )
