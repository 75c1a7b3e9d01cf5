"""Contacts of an agency: add, change, set a last day, or remove at once."""

from __future__ import annotations

from datetime import date
from typing import Any

from fastapi import APIRouter
from fastapi.responses import Response

from engine.accounts.permissions import Permission
from engine.agencies import contacts
from engine.http.filters import AgencyId, SmallId
from engine.http.forms import FormFields
from engine.http.request_context import PostedForm, RequestContext, SignedIn
from engine.queries.directory.agencies import agency_page
from engine.text import Text

router = APIRouter(include_in_schema=False)
FIELDS = ("role", "label", "email", "phone", "language", "valid_from", "valid_until")


@router.get("/admin/agencies/{agency_id}/contacts/add")
def ask_new(ctx: SignedIn, agency_id: AgencyId) -> Response:
    return _new(ctx, agency_id, FormFields({"role": "coordinator", "language": "vi"}))


@router.post("/admin/agencies/{agency_id}/contacts/add")
def add(ctx: SignedIn, form: PostedForm, agency_id: AgencyId) -> Response:
    ctx.require(Permission.KEEP_CONTACTS, agency_id)
    typed = FormFields.of(form, *FIELDS, whole="email")
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
    typed = FormFields.of(form, *FIELDS[1:], whole="email")
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
    filled = typed.filled((name, _shown(getattr(found, name))) for name in FIELDS)
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


def _shown(value: object) -> str:
    return "" if value is None else value.isoformat() if isinstance(value, date) else str(value)
