"""The directory, and one agency's desk."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import Response

from engine.access import Deed
from engine.queries.agencies import list_agencies
from engine.queries.desk import SECTIONS, desk
from engine.web.filters import AgencyId, Code, Cursor, PlanId
from engine.web.visit import Desk

router = APIRouter()


@router.get("/agencies")
def listing(visit: Desk, after: Cursor = "") -> Response:
    visit.must(Deed.SEE_BOARD)
    with visit.reading() as (session, today):
        found = list_agencies(session, today, after=after)
    return visit.page("agencies.html", today=today, found=found, after=after)


@router.get("/agencies/{agency_id}")
def show(visit: Desk, agency_id: AgencyId, plan: PlanId = None, period: Code = "") -> Response:
    visit.must(Deed.SEE_ASSIGNMENT, agency_id)
    with visit.reading() as (session, today):
        found = desk(session, today, agency_id, plan_id=plan, period=period)
    return visit.page("desk.html", today=today, desk=found, plan=plan, period_key=period, SECTIONS=SECTIONS)
