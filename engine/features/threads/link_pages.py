"""An agency's thread, and its part in another's duty, behind the links of letters."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends
from fastapi.responses import Response

from engine.accounts.permissions import Permission
from engine.accounts.signed_links import Link, Purpose
from engine.agencies import contacts
from engine.agencies.contacts import ContactLine
from engine.errors import BadInput, Conflict, NotFound
from engine.features.threads.pages import part_sent, thread_page, thread_sent
from engine.http.filters import Code, Count
from engine.http.forms import Form
from engine.http.request_context import RequestContext, Unauthenticated
from engine.queries.work.letter_links import linked_assignments
from engine.text import Text
from engine.web.pages.work.letter_links import (
    ReportForm,
    acknowledge_page,
    as_contact,
    checked,
    language_parameter,
    linked,
    opened,
    report_address,
    uploads,
)
from engine.web.pages.work.report import Address

router = APIRouter(include_in_schema=False)
PartForm = Annotated[Form, Depends(uploads(Purpose.ACKNOWLEDGE))]


@router.post("/l/{token}/part")
def part(ctx: Unauthenticated, form: PartForm, token: str) -> Response:
    """The part of a coordinating agency in a duty that the letter named."""
    link = checked(ctx, form.raw("token"), token, Purpose.ACKNOWLEDGE)
    assignment_id = form.number("id")
    with ctx.reading() as (session, today):
        contact, _ = linked(session, today, link)
        named = linked_assignments(session, link)
    ctx = as_contact(ctx, contact, token, link.purpose)
    if assignment_id not in named:
        raise NotFound(Text("Thư này không nói về việc ấy.", "This letter does not mention that assignment."))
    try:
        changed = part_sent(ctx, form, contact.agency_id)
    except (BadInput, Conflict) as error:
        return acknowledge_page(
            ctx, token, link, "", error.said(ctx.language), (form.raw("id"), form.raw("text")), error.status
        )
    return ctx.go(f"/l/{token}", said="part" if changed else "already", lang=language_parameter(ctx))


@router.get("/r/{token}/thread")
def thread_shown(ctx: Unauthenticated, token: str, said: Code = "", n: Count = 0) -> Response:
    ctx, where, contact = _thread(ctx, token, opened(ctx, Purpose.REPORT, token))
    return thread_page(ctx, where, contact, outcome=said, n=n)


@router.post("/r/{token}/thread")
def thread_posted(ctx: Unauthenticated, form: ReportForm, token: str) -> Response:
    ctx, where, contact = _thread(ctx, token, checked(ctx, form.raw("token"), token, Purpose.REPORT))
    return thread_sent(ctx, form, where, contact)


def _thread(ctx: RequestContext, token: str, link: Link) -> tuple[RequestContext, Address, ContactLine]:
    """The page of a report link's thread, and the contact in whose name a deputy may be named."""
    ctx, where = report_address(ctx, token, link)
    ctx.require(Permission.RAISE, where.agency_id)
    with ctx.app.database.read() as session:
        return ctx, where, contacts.find(session, link.contact_id)
