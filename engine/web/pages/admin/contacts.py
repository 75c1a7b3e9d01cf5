"""Who answers for an agency: added, changed, given a last day, or gone from this moment."""

from __future__ import annotations

from datetime import date
from typing import Any

from fastapi import APIRouter
from fastapi.responses import Response

from engine.accounts.permissions import Deed
from engine.agencies import contacts
from engine.http.filters import AgencyId, SmallId
from engine.http.request_context import Desk, Posted, Visit
from engine.queries.directory.agency import agency_page
from engine.text import Text
from engine.web.pages.admin.fields import Typed

router = APIRouter()
FIELDS = ("role", "label", "email", "phone", "language", "valid_from", "valid_until")


@router.get("/admin/agencies/{agency_id}/contacts/add")
def ask_new(visit: Desk, agency_id: AgencyId) -> Response:
    return _new(visit, agency_id, Typed({"role": "coordinator", "language": "vi"}))


@router.post("/admin/agencies/{agency_id}/contacts/add")
def add(visit: Desk, form: Posted, agency_id: AgencyId) -> Response:
    visit.must(Deed.KEEP_CONTACTS, agency_id)
    typed = Typed.of(form, *FIELDS, whole="email")
    given = _given(typed)

    def deed() -> int:
        with visit.writing() as session:
            return contacts.add(session, agency_id, typed.text("role"), **given, actor=visit.actor.name, now=visit.now)

    if typed.do(deed):
        return visit.go(f"/admin/agencies/{agency_id}", said="contact_added")
    return _new(visit, agency_id, typed)


@router.get("/admin/contacts/{contact_id}")
def show(visit: Desk, contact_id: SmallId) -> Response:
    return _page(visit, contact_id, Typed())


@router.post("/admin/contacts/{contact_id}")
def change(visit: Desk, form: Posted, contact_id: SmallId) -> Response:
    agency_id = _agency_of(visit, contact_id)
    typed = Typed.of(form, *FIELDS[1:], whole="email")
    given = _given(typed)

    def deed() -> bool:
        with visit.writing() as session:
            contacts.change(session, contact_id, **given, actor=visit.actor.name, now=visit.now)
        return True

    if typed.do(deed):
        return visit.go(f"/admin/agencies/{agency_id}", said="contact_changed")
    return _page(visit, contact_id, typed)


@router.post("/admin/contacts/{contact_id}/last-day")
def last_day(visit: Desk, form: Posted, contact_id: SmallId) -> Response:
    """A last day that has passed is the same as having left."""
    agency_id = _agency_of(visit, contact_id)
    typed = Typed.of(form, "on", whole="on")
    on = typed.needed_day("on")
    with visit.reading() as (session, _):
        began = contacts.find(session, contact_id).valid_from
    if not typed.wrong and began is not None and on < began:
        typed.refuse({"on": Text("Ngày cuối trước ngày bắt đầu.", "The last day is before the first.")})

    def deed() -> bool:
        with visit.writing() as session:
            contacts.end(session, contact_id, on=on, actor=visit.actor.name, now=visit.now)
        return True

    if typed.do(deed):
        return visit.go(f"/admin/agencies/{agency_id}", said="contact_ends")
    return _page(visit, contact_id, Typed(), ending=typed)


@router.post("/admin/contacts/{contact_id}/left")
def left(visit: Desk, form: Posted, contact_id: SmallId) -> Response:
    agency_id = _agency_of(visit, contact_id)
    with visit.writing() as session:
        contacts.leave_now(session, contact_id, actor=visit.actor.name, now=visit.now)
    return visit.go(f"/admin/agencies/{agency_id}", said="contact_left")


def _given(typed: Typed) -> dict[str, Any]:
    """What the deeds take, as typed; a day left empty is open."""
    words = {name: typed.text(name) for name in ("label", "email", "phone", "language")}
    days: dict[str, date | None] = {name: typed.day(name) for name in ("valid_from", "valid_until")}
    return words | days


def _agency_of(visit: Visit, contact_id: int) -> str:
    """The agency whose contact this is. Raises NotFound, and NotAllowed for another's."""
    with visit.reading() as (session, _):
        agency_id = contacts.find(session, contact_id).agency_id
    visit.must(Deed.KEEP_CONTACTS, agency_id)
    return agency_id


def _new(visit: Visit, agency_id: str, typed: Typed) -> Response:
    visit.must(Deed.KEEP_CONTACTS, agency_id)
    with visit.reading() as (session, today):
        agency = agency_page(session, agency_id)
    return visit.page(
        "admin/contact.html", typed.status, today=today, agency=agency, contact=None, typed=typed, ending=Typed()
    )


def _page(visit: Visit, contact_id: int, typed: Typed, *, ending: Typed | None = None) -> Response:
    with visit.reading() as (session, today):
        found = contacts.find(session, contact_id)
        visit.must(Deed.KEEP_CONTACTS, found.agency_id)
        agency = agency_page(session, found.agency_id)
    filled = typed.filled((name, _shown(getattr(found, name))) for name in FIELDS)
    ending = ending or Typed()
    return visit.page(
        "admin/contact.html",
        max(typed.status, ending.status),
        today=today,
        agency=agency,
        contact=found,
        typed=filled,
        ending=ending,
    )


def _shown(value: Any) -> str:
    return "" if value is None else value.isoformat() if isinstance(value, date) else str(value)
