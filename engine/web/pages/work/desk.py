"""The directory, and one agency's desk."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import Response

from engine.accounts.permissions import Deed
from engine.http.bulk_acknowledge import MOST_AT_ONCE, acknowledged
from engine.http.filters import AgencyId, Code, Cursor, PlanId
from engine.http.request_context import Desk, Posted
from engine.queries.directory.agencies import list_agencies
from engine.queries.work.desk import SECTIONS, desk

router = APIRouter()
Count = Annotated[int, Query(ge=0, le=MOST_AT_ONCE)]


@router.get("/agencies")
def listing(visit: Desk, after: Cursor = "") -> Response:
    visit.must(Deed.SEE_BOARD)
    with visit.reading() as (session, today):
        found = list_agencies(session, today, after=after)
    return visit.page("agencies.html", today=today, found=found, after=after)


@router.get("/agencies/{agency_id}")
def show(visit: Desk, agency_id: AgencyId, plan: PlanId, period: Code = "", said: Code = "", n: Count = 0) -> Response:
    visit.must(Deed.SEE_ASSIGNMENT, agency_id)
    with visit.reading() as (session, today):
        found = desk(session, today, agency_id, plan_id=plan, period=period)
    return visit.page(
        "desk.html", today=today, desk=found, plan=plan, period_key=period, SECTIONS=SECTIONS, outcome=said, n=n
    )


@router.post("/agencies/{agency_id}/acknowledge")
def acknowledge_shown(visit: Desk, form: Posted, agency_id: AgencyId, plan: PlanId, period: Code = "") -> Response:
    """The one whose button was pressed, else all that the section showed as new."""
    visit.must(Deed.ACKNOWLEDGE, agency_id)
    ids = (form.number("one"),) if form.has("one") else form.numbers("id")
    with visit.writing() as session:
        news = acknowledged(visit, session, ids)
    return visit.go(f"/agencies/{agency_id}", said="acknowledged", n=len(news), plan=plan, period=period)
