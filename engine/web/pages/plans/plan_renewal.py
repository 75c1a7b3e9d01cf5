"""Plan files: load one, draft next year's from this year's, and end a plan. A file without mistakes is shown before it
is saved: its summary, what to confirm, and each owner that has ended.

The text travels in the form until it is saved: the server keeps nothing between requests, and nothing typed is lost.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Annotated

from fastapi import APIRouter, Depends
from fastapi.responses import Response
from sqlmodel import Session

from engine.accounts.permissions import Permission
from engine.agencies.directory_loading import read_directory
from engine.errors import BadInput, Conflict, DondocError, FileRefused
from engine.files import plan_renewal
from engine.files.directory import DirectoryFile
from engine.files.plan import PlanFile
from engine.files.plan_check import PlanReport, check
from engine.files.yaml_reader import dump
from engine.http.filters import SmallId
from engine.http.forms import MAX_REASON_CHARS, Form, clean, parse_day
from engine.http.guards.waiting import answered
from engine.http.request_context import PostedForm, RequestContext, SignedIn
from engine.plans import loading
from engine.plans.closing import end, plans_to_end, preview_end
from engine.plans.plan_today import plan_today
from engine.queries.figures.plans import PlanPage, plan_page
from engine.queries.system.policies import known_until
from engine.queries.time_class import Today
from engine.rules.calendar import day_digits
from engine.terms import PlanState
from engine.text import Text
from engine.web.plan_uploads import SAVING, Upload, digest_of, received, typed_form

ALL, TICKED, AS_PROPOSED = "all", "ticked", "*"


@dataclass(frozen=True)
class CheckedPlan:
    """A plan file that has no mistakes. ``stands``: the stored plan of the same key; ``stale``: why it is not saved."""

    text: str
    plan: PlanFile
    report: PlanReport
    stands: tuple[int, PlanState] | None
    stale: Conflict | None = None


def check_text(ctx: RequestContext, text: str) -> CheckedPlan:
    """Raises FileRefused and BadInput."""
    with ctx.reading() as (session, today):
        plan = loading.read_plan(session, text)
        return CheckedPlan(text, plan, report_of(session, plan, today), loading.find_plan(session, plan))


def report_of(session: Session, plan: PlanFile, today: Today) -> PlanReport:
    return check(plan, read_directory(session, contacts=True), today.calendar)


def replaced(ctx: RequestContext, text: str, form: Form) -> CheckedPlan:
    """The text with successors in the place of owners that have ended: of all that are proposed (``do=all``) or those
    that are ticked, each by what is chosen beside it. Raises FileRefused and BadInput."""
    found = check_text(ctx, text)
    ended = {each.id: each for each in found.report.ended}
    everything = form.raw("do") == ALL
    chosen: dict[str, tuple[str, ...]] = {}
    for name, each in ended.items():
        if everything or name in form.every("ended"):
            to = form.raw(f"to-{name}")
            new = each.proposed if to in ("", AS_PROPOSED) else (to,)
            if new:
                chosen[name] = new
    if not chosen:
        raise BadInput(Text("Chưa chọn cơ quan nào để thay.", "No agency was ticked."))
    with ctx.reading() as (session, _):
        directory = read_directory(session)
    changed = plan_renewal.with_successors(found.plan, directory, chosen)
    head = [f"# {plan_renewal.CONFIRM}: {place}: {what}" for place, what in _to_confirm(text) if place not in chosen]
    return check_text(ctx, "\n".join([*head, dump(changed)]))


def show_checked(ctx: RequestContext, found: CheckedPlan, error: DondocError | None = None) -> Response:
    """The page with the plan's summary."""
    ended = {each.id for each in found.report.ended}  # shown by themselves
    trouble = error or found.stale
    with ctx.reading() as (session, today):
        directory = read_directory(session)
        return ctx.page(
            "plan_check.html",
            trouble.status if trouble else 200,
            today=today,
            plan=found.plan,
            report=found.report,
            text=found.text,
            stands=found.stands,
            confirm=[
                (PLACES.get(place, (place, place))[ctx.language == "en"], what)
                for place, what in _to_confirm(found.text)
                if place not in ended
            ],
            stale=trouble.said(ctx.language) if trouble else "",
            names=directory.latest_names,
            groups=directory.groups,
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
"""Plan file fields as people call them."""


def _to_confirm(text: str) -> list[tuple[str, str]]:
    """(field, what to confirm) of the comment lines at the top of a draft."""
    head = f"# {plan_renewal.CONFIRM}: "
    parted = (line.removeprefix(head).partition(": ") for line in text.splitlines() if line.startswith(head))
    return [(place, what) for place, _, what in parted]


router = APIRouter(include_in_schema=False)
MAX_PLAN_CHARS = 900_000
MAX_PROBLEMS_SHOWN = 60
CHECKING = Text("Đang kiểm tra tệp kế hoạch", "Checking the plan file")


@router.get("/plans/load")
def ask(ctx: SignedIn) -> Response:
    ctx.require(Permission.LOAD_PLAN)
    return _form(ctx, "")


@router.post("/plans/load")
def receive(ctx: SignedIn, upload: Annotated[Upload, Depends(received)]) -> Response:
    """Check a plan file, or save it; a rejected one is shown again with every mistake by line."""
    ctx.require(Permission.LOAD_PLAN)
    text = upload.raw.decode("utf-8-sig", errors="replace")
    if upload.do == "edit":
        return _form(ctx, text)
    saves = upload.do == "save"

    def work() -> int | CheckedPlan:
        cleaned = clean(text, MAX_PLAN_CHARS)
        if not saves:
            return check_text(ctx, cleaned)
        with ctx.writing() as session:
            plan = loading.read_plan(session, cleaned)
            try:
                return loading.load_plan(session, plan, **ctx.by)
            except Conflict as error:
                session.rollback()
                return replace(check_text(ctx, cleaned), stale=error)

    def shown(after: RequestContext, result: Callable[[], int | CheckedPlan]) -> Response:
        try:
            found = result()
        except BadInput as error:
            return _form(after, text, error)
        return after.go(f"/plans/{found}", said="loaded") if isinstance(found, int) else show_checked(after, found)

    return answered(ctx, SAVING if saves else CHECKING, ("load", saves, digest_of(upload.raw)), work, shown)


@router.post("/plans/load/ended")
def replace_ended(ctx: SignedIn, form: Annotated[Form, Depends(typed_form)]) -> Response:
    """Put successors in the place of owners that have ended, in the text that the form carries; nothing is saved."""
    text = form.raw("text")
    try:
        return show_checked(ctx, replaced(ctx, clean(text, MAX_PLAN_CHARS), form))
    except FileRefused as error:
        return _form(ctx, text, error)
    except BadInput as error:
        return show_checked(ctx, check_text(ctx, clean(text, MAX_PLAN_CHARS)), error)


@router.get("/plans/{plan_id}/renew")
def ask_renewal(ctx: SignedIn, plan_id: SmallId) -> Response:
    ctx.require(Permission.LOAD_PLAN)
    with ctx.reading() as (session, today):
        plan = plan_page(session, today, plan_id)
    year = plan.file.final_year + 1
    issued = plan_renewal.same_day(plan.file, year)
    return _renewal(ctx, plan, {"year": str(year), "number": "", "issued_on": day_digits(issued)}, today)


@router.post("/plans/{plan_id}/renew")
def draft(ctx: SignedIn, form: PostedForm, plan_id: SmallId) -> Response:
    """The checked draft for another year, with the points to confirm; nothing is saved yet."""
    ctx.require(Permission.LOAD_PLAN)
    typed = {name: form.raw(name)[:60] for name in ("year", "number", "issued_on")}
    with ctx.reading() as (session, today):
        plan, directory = plan_page(session, today, plan_id), read_directory(session)
        file, changed = plan_today(session, plan_id, directory)
    try:
        text = renewed(file, typed, today, directory, changed)
        return show_checked(ctx, check_text(ctx, text))
    except FileRefused as error:
        return _form(ctx, text, error)
    except _WrongField as wrong:
        return _renewal(ctx, plan, typed, today, wrong)


class _WrongField(Exception):
    """An invalid field of the renewal form, with its error."""

    def __init__(self, field: str, error: BadInput) -> None:
        self.field, self.error = field, error


def renewed(
    plan: PlanFile, typed: dict[str, str], today: Today, directory: DirectoryFile, changed: Sequence[plan_renewal.Point]
) -> str:
    """The text of the new plan file. Raises _WrongField."""
    field = "number"
    try:
        number = plan_renewal.plan_number(typed["number"].strip())
        field = "issued_on"
        issued = parse_day(typed["issued_on"], today.day, past=True)
        field = "year"
        year = int(typed["year"]) if typed["year"].strip().isdecimal() else 0
        plan_renewal.require_later(plan, year)
        field = "issued_on"
        plan_renewal.require_issue_for(issued, year)
    except BadInput as error:
        raise _WrongField(field, error) from None
    return plan_renewal.renew(
        plan,
        year=year,
        number=number,
        issued_on=issued,
        calendar=today.calendar,
        known_until=known_until(today.calendar, year),
        directory=directory,
        changed=changed,
    )[0]


def _renewal(
    ctx: RequestContext, plan: PlanPage, typed: dict[str, str], today: Today, wrong: _WrongField | None = None
) -> Response:
    errors = {wrong.field: wrong.error.said(ctx.language)} if wrong else {}
    with ctx.reading() as (session, _):
        to_end = len(plans_to_end(session, today.day)) if ctx.may(Permission.RUN_PLANS) else 0
    status = 422 if wrong else 200
    return ctx.page("plan_renew.html", status, today=today, plan=plan, typed=typed, wrong=errors, to_end=to_end)


def _form(ctx: RequestContext, text: str, refused: DondocError | None = None) -> Response:
    problems = refused.problems if isinstance(refused, FileRefused) else ()
    return ctx.page(
        "plan_load.html",
        refused.status if refused else 200,
        text=text,
        problems=problems[:MAX_PROBLEMS_SHOWN],
        more=len(problems[MAX_PROBLEMS_SHOWN:]),
        sentence=refused.said(ctx.language) if refused and not problems else "",
    )


# --- the end ---------------------------------------------------------------------------------------------------------


@router.get("/plans/{plan_id}/end")
def ask_end(ctx: SignedIn, plan_id: SmallId) -> Response:
    ctx.require(Permission.RUN_PLANS)
    return _ending(ctx, plan_id)


@router.post("/plans/{plan_id}/end")
def do_end(ctx: SignedIn, form: PostedForm, plan_id: SmallId) -> Response:
    ctx.require(Permission.RUN_PLANS)
    try:
        with ctx.writing() as session:
            end(session, plan_id, reason=form.text("reason", MAX_REASON_CHARS), **ctx.by)
    except BadInput as error:
        return _ending(ctx, plan_id, form.raw("reason"), error)
    return ctx.go(f"/plans/{plan_id}", said="ended")


def _ending(ctx: RequestContext, plan_id: int, typed: str = "", wrong: BadInput | None = None) -> Response:
    with ctx.reading() as (session, today):
        plan = plan_page(session, today, plan_id)
        leaves = preview_end(session, plan_id, ctx.now)
    return ctx.page(
        "plan_end.html",
        422 if wrong else 200,
        today=today,
        plan=plan,
        leaves=leaves,
        typed=typed,
        sentence=wrong.said(ctx.language) if wrong else "",
    )
