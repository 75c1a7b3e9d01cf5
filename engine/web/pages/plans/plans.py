"""Plans, and one plan as its document says it: duties, gaps, focus areas, indicators, and whence its dates come."""

from __future__ import annotations

from collections import Counter

from fastapi import APIRouter
from fastapi.responses import Response

from engine.accounts.permissions import Deed
from engine.http.filters import Code, Cursor, SmallId, Typed
from engine.http.request_context import Desk
from engine.queries.plans import list_plans, plan_page

router = APIRouter()


@router.get("/plans")
def listing(visit: Desk, after: Cursor = "", q: Typed = "") -> Response:
    visit.must(Deed.SEE_PLANS)
    with visit.reading() as (session, today):
        found = list_plans(session, today, after=after, words=q)
    return visit.page("plans.html", today=today, found=found, after=after, words=q)


@router.get("/plans/{plan_id}")
def show(visit: Desk, plan_id: SmallId, said: Code = "") -> Response:
    visit.must(Deed.SEE_PLANS)
    with visit.reading() as (session, today):
        found = plan_page(session, today, plan_id)
    per_section = Counter(duty.citation.partition(".")[0] for duty in found.duties)
    return visit.page("plan.html", today=today, plan=found, per_section=per_section, outcome=said)
