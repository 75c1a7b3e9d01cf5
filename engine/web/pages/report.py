"""The report page: every duty of an agency for a period, one submission. At the desk by address, for a coordinator by
the link in a letter; the same page, the same rules."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from fastapi import APIRouter
from fastapi.responses import Response

from engine.access import Deed, must
from engine.errors import BadInput, Conflict, DondocError
from engine.lifecycle import report
from engine.queries.reporting import ReportPage, report_page
from engine.submission import LATER, Said, Submission, Typed, submission
from engine.web.filters import AgencyId, Code, PageNumber, PeriodKey, SmallId
from engine.web.forms import REASON, Form
from engine.web.visit import Desk, Posted, Visit

router = APIRouter()


@dataclass(frozen=True)
class Address:
    """Which report page, and where its form is sent."""

    agency_id: str
    plan_id: int
    period: str
    path: str


@dataclass(frozen=True)
class Filled:
    """What stands in the form: as typed, or as reported before."""

    problems: Mapping[str, Said] = field(default_factory=dict)
    typed: Mapping[str, str] = field(default_factory=dict)
    sentence: str = ""


@router.get("/report/{agency_id}/{plan_id}/{period}")
def show(visit: Desk, agency_id: AgencyId, plan_id: SmallId, period: PeriodKey, said: Code = "", n: PageNumber = 1
         ) -> Response:  # fmt: skip
    visit.must(Deed.REPORT, agency_id)
    return report_form(visit, Address(agency_id, plan_id, period, visit.path), outcome=said, n=n)


@router.post("/report/{agency_id}/{plan_id}/{period}")
def send(visit: Desk, form: Posted, agency_id: AgencyId, plan_id: SmallId, period: PeriodKey) -> Response:
    return submit(visit, form, Address(agency_id, plan_id, period, visit.path))


def report_form(
    visit: Visit, where: Address, *, filled: Filled | None = None, status: int = 200, outcome: str = "", n: int = 0
) -> Response:
    """The page, empty, as reported before, or as typed and refused."""
    with visit.reading() as (session, today):
        page = report_page(session, today, where.agency_id, where.plan_id, where.period)
    return visit.page("report.html", status, today=today, report=page, filled=filled or Filled(), action=where.path,
                      outcome=outcome, n=n)  # fmt: skip


def submit(visit: Visit, form: Form, where: Address) -> Response:
    """All of it or nothing; a refused one keeps what was typed."""
    must(visit.actor, Deed.REPORT, where.agency_id)
    with visit.reading() as (session, today):
        page = report_page(session, today, where.agency_id, where.plan_id, where.period)
    try:
        checked = _checked(form, page)
        if checked.problems:
            return _again(visit, form, where, Filled(checked.problems, _typed(form)), 422)
        with visit.writing() as session:
            for assignment_id, text in checked.texts.items():
                report(session, assignment_id, text, actor=visit.actor.name, now=visit.now)
    except (BadInput, Conflict) as error:
        return _again(visit, form, where, Filled({}, _typed(form), _sentence(visit, error)), error.status)
    chosen = visit.request.query_params.get("lang", "")
    return visit.go(where.path, said="reported", n=len(checked.texts), lang=chosen)


def _checked(form: Form, page: ReportPage) -> Submission:
    duties = [_duty(form, item.row.id, item.row.citation) for item in page.items if item.open]
    figures = {each.code: form.text(f"figure-{each.code}", REASON) for each in page.indicators}
    return submission(duties, page.indicators, figures)


def _duty(form: Form, assignment_id: int, citation: str) -> Typed:
    outcome = form.text(f"outcome-{assignment_id}", 16)
    if outcome == LATER:
        return Typed(assignment_id, citation)
    body, reason = form.text(f"body-{assignment_id}"), form.text(f"reason-{assignment_id}", REASON)
    return Typed(assignment_id, citation, outcome, body, reason)


def _again(visit: Visit, form: Form, where: Address, filled: Filled, status: int) -> Response:
    return report_form(visit, where, filled=filled, status=status)


def _typed(form: Form) -> dict[str, str]:
    return {name: values[0] for name, values in form.fields.items() if values}


def _sentence(visit: Visit, error: DondocError) -> str:
    return error.said(visit.language)
