"""The directory kept by hand: agencies found by name, their names in time, who took over what."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.responses import Response

from engine.accounts.permissions import Deed
from engine.agencies import agencies
from engine.http.filters import AgencyId, Code, Cursor, Plain, SmallId
from engine.http.request_context import Desk, Posted, Visit
from engine.queries.directory.agencies import agency_choices
from engine.queries.directory.agency import agency_page, group_choices, level_choices, search
from engine.rules.words import LEVELS
from engine.web.pages.admin.fields import Typed

router = APIRouter()
Sought = Annotated[str, Plain, Query(max_length=100)]
NEW = ("id", "name", "short", "level", "code", "parent", "since", "groups")


@router.get("/admin/agencies")
def listing(visit: Desk, q: Sought = "", after: Cursor = "") -> Response:
    """Whoever keeps but one agency's contacts goes there at once."""
    visit.must(Deed.SEE_CONTACTS, visit.actor.agency_id)
    if not visit.may(Deed.SEE_CONTACTS):
        return visit.go(f"/admin/agencies/{visit.actor.agency_id}")
    with visit.reading() as (session, today):
        found = search(session, today, q, after=after)
    return visit.page("admin/agencies.html", today=today, found=found, q=q)


@router.get("/admin/add-agency")
def ask_new(visit: Desk) -> Response:
    return _new(visit, Typed())


@router.post("/admin/add-agency")
def add(visit: Desk, form: Posted) -> Response:
    visit.must(Deed.KEEP_AGENCIES)
    typed = Typed.of(form, *NEW, whole="id")
    said = {name: typed.text(name) for name in NEW if name not in ("since", "groups")}
    agency_id, since, groups = said.pop("id"), typed.day("since"), form.fields.get("groups", ())

    def deed() -> str:
        with visit.writing() as session:
            agencies.add_agency(
                session, agency_id, **said, since=since, groups=groups, actor=visit.actor.name, now=visit.now
            )
        return agency_id

    made = typed.do(deed)
    return visit.go(f"/admin/agencies/{made}", said="added") if made else _new(visit, typed)


@router.get("/admin/agencies/{agency_id}")
def show(visit: Desk, agency_id: AgencyId, said: Code = "") -> Response:
    return _page(visit, agency_id, Typed(), outcome=said)


@router.post("/admin/agencies/{agency_id}/names")
def rename(visit: Desk, form: Posted, agency_id: AgencyId) -> Response:
    visit.must(Deed.KEEP_AGENCIES)
    typed = Typed.of(form, "name", "short", "on", whole="name")
    name, short, on = typed.text("name"), typed.text("short"), typed.needed_day("on")

    def deed() -> bool:
        with visit.writing() as session:
            agencies.rename(session, agency_id, name=name, short=short, on=on, actor=visit.actor.name, now=visit.now)
        return True

    if typed.do(deed):
        return visit.go(f"/admin/agencies/{agency_id}", said="renamed")
    return _page(visit, agency_id, typed)


@router.get("/admin/agencies/{agency_id}/succession")
def ask_succession(visit: Desk, agency_id: AgencyId) -> Response:
    return _succession(visit, agency_id, Typed())


@router.post("/admin/agencies/{agency_id}/succession")
def succeed(visit: Desk, form: Posted, agency_id: AgencyId) -> Response:
    visit.must(Deed.KEEP_AGENCIES)
    typed = Typed.of(form, "to", "on", "function", "basis", whole="to")
    to, function, basis = typed.text("to"), typed.text("function"), typed.text("basis")
    on = typed.needed_day("on")

    def deed() -> int:
        with visit.writing() as session:
            return agencies.succeed(
                session, agency_id, to, on=on, function=function, basis=basis, actor=visit.actor.name, now=visit.now
            )

    if typed.do(deed):
        return visit.go(f"/admin/agencies/{agency_id}", said="succeeded")
    return _succession(visit, agency_id, typed)


@router.post("/admin/agencies/{agency_id}/succession/{succession_id}/withdraw")
def withdraw(visit: Desk, form: Posted, agency_id: AgencyId, succession_id: SmallId) -> Response:
    visit.must(Deed.KEEP_AGENCIES)
    with visit.writing() as session:
        agencies.withdraw(session, agency_id, succession_id, actor=visit.actor.name, now=visit.now)
    return visit.go(f"/admin/agencies/{agency_id}", said="withdrawn")


def _page(visit: Visit, agency_id: str, typed: Typed, *, outcome: str = "") -> Response:
    visit.must(Deed.SEE_CONTACTS, agency_id)
    with visit.reading() as (session, today):
        found = agency_page(session, agency_id)
    return visit.page("admin/agency.html", typed.status, today=today, agency=found, typed=typed, outcome=outcome)


def _new(visit: Visit, typed: Typed) -> Response:
    visit.must(Deed.KEEP_AGENCIES)
    with visit.reading() as (session, today):
        choices: dict[str, Any] = {"parents": agency_choices(session), "groups": group_choices(session)}
        levels = tuple(dict.fromkeys((*LEVELS, *level_choices(session))))
    return visit.page("admin/add_agency.html", typed.status, today=today, typed=typed, levels=levels, **choices)


def _succession(visit: Visit, agency_id: str, typed: Typed) -> Response:
    visit.must(Deed.KEEP_AGENCIES)
    with visit.reading() as (session, today):
        found, others = agency_page(session, agency_id), agency_choices(session)
    return visit.page(
        "admin/succession.html",
        typed.status,
        today=today,
        agency=found,
        typed=typed,
        others=[each for each in others if each[0] != agency_id],
    )
