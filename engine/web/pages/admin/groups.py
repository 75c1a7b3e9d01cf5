"""Groups of agencies that plans name by general words, and other ways of writing an agency's name."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import Response

from engine.accounts.permissions import Permission
from engine.agencies.groups import save_aliases, save_group
from engine.errors import NotFound
from engine.http.filters import AgencyId, Code
from engine.http.forms import Form, FormFields
from engine.http.request_context import PostedForm, RequestContext, SignedIn
from engine.queries.directory.agencies import agency_page, group_lines
from engine.queries.work.duty_changes import owner_choices
from engine.text import Text
from engine.web.agency_picker import picked, picks

router = APIRouter(include_in_schema=False)
MAX_LINES_CHARS = 8_000


@router.get("/admin/groups")
def listing(ctx: SignedIn, said: Code = "") -> Response:
    ctx.require(Permission.SEE_AGENCIES)
    with ctx.reading() as (session, today):
        found = group_lines(session)
    return ctx.page("admin/groups.html", today=today, groups=found, outcome=said)


@router.get("/admin/groups/new")
def ask_new(ctx: SignedIn) -> Response:
    return _group(ctx, "", FormFields())


@router.post("/admin/groups/new")
def add(ctx: SignedIn, form: PostedForm) -> Response:
    return _save(ctx, form, "")


@router.get("/admin/groups/{group_id}")
def show(ctx: SignedIn, group_id: AgencyId) -> Response:
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
