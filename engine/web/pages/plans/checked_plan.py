"""The page of a plan file without mistakes, before it is saved: its summary, what to confirm, and each owner that has
ended with its proposed successors."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi.responses import Response
from sqlmodel import Session

from engine.agencies.directory_loading import read_directory
from engine.errors import BadInput, Conflict, DondocError
from engine.files.plan import PlanFile
from engine.files.plan_check import PlanReport, check
from engine.files.plan_renewal import CONFIRM
from engine.files.plan_successions import with_successors
from engine.files.yaml_reader import dump
from engine.http.forms import Form
from engine.http.request_context import RequestContext
from engine.plans import loading
from engine.queries.time_class import Today
from engine.terms import PlanState
from engine.text import Text

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
    changed = with_successors(found.plan, directory, chosen)
    head = [f"# {CONFIRM}: {place}: {what}" for place, what in _to_confirm(text) if place not in chosen]
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
    head = f"# {CONFIRM}: "
    parted = (line.removeprefix(head).partition(": ") for line in text.splitlines() if line.startswith(head))
    return [(place, what) for place, _, what in parted]
