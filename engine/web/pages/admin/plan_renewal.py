"""Plans from a plan file: next year's out of this year's, checked, saved; and a plan's end.

The text goes along in the form until it is saved: nothing is kept here between requests, nothing typed is lost.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Depends
from fastapi.responses import Response
from sqlmodel import Session

from engine.accounts.permissions import Deed
from engine.agencies.stored_directory import read_directory
from engine.errors import BadInput, Conflict, DondocError, FileRefused
from engine.files.plan import PlanFile
from engine.files.plan_check import PlanReport, check
from engine.files.plan_renewal import CONFIRM, plan_number, renew
from engine.http.filters import SmallId
from engine.http.forms import REASON, clean, written_day
from engine.http.request_context import Desk, Posted, Visit
from engine.plans import loading
from engine.plans.closing import end, would_leave
from engine.queries.plans import PlanPage, plan_page
from engine.queries.system.calendar import known_until
from engine.queries.time_class import Today
from engine.text import Text
from engine.web.pages.plans.imports import Upload, received

router = APIRouter()
LONGEST = 900_000
MOST_PROBLEMS = 60


@router.get("/plans/load")
def ask(visit: Desk) -> Response:
    visit.must(Deed.LOAD_PLAN)
    return _form(visit, "")


@router.post("/plans/load")
def receive(visit: Desk, upload: Annotated[Upload, Depends(received)]) -> Response:
    """Check a plan file, or save it; one that is refused comes back with every mistake by its line."""
    visit.must(Deed.LOAD_PLAN)
    text = upload.raw.decode("utf-8-sig", errors="replace")
    if upload.do == "edit":
        return _form(visit, text)
    try:
        text = clean(text, LONGEST)
        if upload.do != "save":
            return _checked(visit, text)
        with visit.writing() as session:
            plan = loading.read_plan(session, text)
            plan_id = loading.load_plan(session, plan, actor=visit.actor.name, now=visit.now)
    except Conflict as error:
        return _checked(visit, text, error)
    except BadInput as error:
        return _form(visit, text, error)
    return visit.go(f"/plans/{plan_id}", said="loaded")


@router.get("/plans/{plan_id}/renew")
def ask_renewal(visit: Desk, plan_id: SmallId) -> Response:
    visit.must(Deed.LOAD_PLAN)
    with visit.reading() as (session, today):
        plan = plan_page(session, today, plan_id)
    year = plan.row.year + 1
    issued = _same_day(plan.row.issued_on, year)
    return _renewal(visit, plan, {"year": str(year), "number": "", "issued_on": _written(issued)}, today)


@router.post("/plans/{plan_id}/renew")
def draft(visit: Desk, form: Posted, plan_id: SmallId) -> Response:
    """The draft for another year, checked, with what a person must confirm; nothing is saved yet."""
    visit.must(Deed.LOAD_PLAN)
    typed = {name: form.raw(name)[:60] for name in ("year", "number", "issued_on")}
    with visit.reading() as (session, today):
        plan = plan_page(session, today, plan_id)
    try:
        text = renewed(plan.file, typed, today)
        return _checked(visit, text)
    except FileRefused as error:
        return _form(visit, text, error)
    except _WrongField as wrong:
        return _renewal(visit, plan, typed, today, wrong)


class _WrongField(Exception):
    """A field of the renewal form, and what is wrong with it."""

    def __init__(self, field: str, error: BadInput) -> None:
        self.field, self.error = field, error


def renewed(plan: PlanFile, typed: dict[str, str], today: Today) -> str:
    """The text of the next plan's file."""
    field = "number"
    try:
        number = plan_number(typed["number"].strip())
        field = "issued_on"
        issued = written_day(typed["issued_on"])
        field = "year"
        year = int(typed["year"]) if typed["year"].strip().isdecimal() else 0
        if not plan.year < year <= 2100:
            raise BadInput(Text(f"Năm phải sau {plan.year}.", f"The year must come after {plan.year}."))
        if issued.year != year:
            field = "issued_on"
            raise BadInput(Text(f"Ngày ban hành phải thuộc năm {year}.", f"It must be issued in {year}."))
    except BadInput as error:
        raise _WrongField(field, error) from None
    return renew(
        plan,
        year=year,
        number=number,
        issued_on=issued,
        calendar=today.calendar,
        known_until=known_until(today.calendar, year),
    )[0]


def _same_day(day: date, year: int) -> date:
    return date(year, day.month, min(day.day, 28))


def _written(day: date) -> str:
    return f"{day.day}/{day.month}/{day.year}"


def _renewal(
    visit: Visit, plan: PlanPage, typed: dict[str, str], today: Today, wrong: _WrongField | None = None
) -> Response:
    said = {wrong.field: wrong.error.said(visit.language)} if wrong else {}
    return visit.page("plan_renew.html", 422 if wrong else 200, today=today, plan=plan, typed=typed, wrong=said)


def _form(visit: Visit, text: str, refused: DondocError | None = None) -> Response:
    problems = refused.problems if isinstance(refused, FileRefused) else ()
    return visit.page(
        "plan_load.html",
        refused.status if refused else 200,
        text=text,
        problems=problems[:MOST_PROBLEMS],
        more=len(problems[MOST_PROBLEMS:]),
        sentence=refused.said(visit.language) if refused and not problems else "",
    )


def _checked(visit: Visit, text: str, stale: Conflict | None = None) -> Response:
    """What the plan comes to. Raises FileRefused and BadInput."""
    with visit.reading() as (session, today):
        plan = loading.read_plan(session, text)
        report = checked(session, plan, today)
        stands = loading.find_plan(session, plan)
    confirm = [_point(line, visit.language) for line in text.splitlines() if line.startswith(f"# {CONFIRM}: ")]
    return visit.page(
        "plan_check.html",
        stale.status if stale else 200,
        today=today,
        plan=plan,
        report=report,
        text=text,
        stands=stands,
        confirm=confirm,
        stale=stale.said(visit.language) if stale else "",
    )


PLACES = {
    "number": ("Số, ký hiệu", "Number"),
    "issued_on": ("Ngày ban hành", "Issued on"),
    "title": ("Tên văn bản", "Title"),
    "short_title": ("Tên ngắn", "Short title"),
    "sms_name": ("Tên trong SMS", "Name in SMS"),
    "supervisor": ("Cơ quan theo dõi, đôn đốc", "Supervising department"),
    "calendar": ("Lịch làm việc", "Calendar"),
    "owners": ("Cơ quan chủ trì", "Owners"),
}
"""The places of a renewal's points as people call them."""


def _point(line: str, language: str) -> tuple[str, str]:
    """(place, what to confirm) of a line at the draft's head."""
    place, _, what = line.removeprefix(f"# {CONFIRM}: ").partition(": ")
    return PLACES.get(place, (place, place))[language == "en"], what


def checked(session: Session, plan: PlanFile, today: Today) -> PlanReport:
    return check(plan, read_directory(session, contacts=True), today.calendar)


# --- the end ---------------------------------------------------------------------------------------------------------


@router.get("/plans/{plan_id}/end")
def ask_end(visit: Desk, plan_id: SmallId) -> Response:
    visit.must(Deed.RUN_PLANS)
    return _ending(visit, plan_id)


@router.post("/plans/{plan_id}/end")
def do_end(visit: Desk, form: Posted, plan_id: SmallId) -> Response:
    visit.must(Deed.RUN_PLANS)
    try:
        with visit.writing() as session:
            end(session, plan_id, reason=form.text("reason", REASON), actor=visit.actor.name, now=visit.now)
    except BadInput as error:
        return _ending(visit, plan_id, form.raw("reason"), error)
    return visit.go(f"/plans/{plan_id}", said="ended")


def _ending(visit: Visit, plan_id: int, typed: str = "", wrong: BadInput | None = None) -> Response:
    with visit.reading() as (session, today):
        plan = plan_page(session, today, plan_id)
        leaves = would_leave(session, plan_id, visit.now)
    return visit.page(
        "plan_end.html",
        422 if wrong else 200,
        today=today,
        plan=plan,
        leaves=leaves,
        typed=typed,
        sentence=wrong.said(visit.language) if wrong else "",
    )
