"""Editing the directory: search for agencies, their names over time, successions."""

from __future__ import annotations

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import Response

from engine.accounts.permissions import Permission
from engine.agencies import agencies
from engine.http.filters import AgencyId, Code, Cursor, Plain, SmallId
from engine.http.forms import FormFields
from engine.http.lists.list_columns import DIRECTORY_LIST
from engine.http.lists.listing import ExportFormat, download
from engine.http.request_context import PostedForm, RequestContext, SignedIn
from engine.queries.directory.agencies import (
    agency_choices,
    agency_page,
    directory_lines,
    group_choices,
    level_choices,
    search,
)
from engine.queries.paging import DOWNLOAD_ROWS, every_row
from engine.rules.words import LEVELS

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
