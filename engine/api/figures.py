"""The leadership's figures under /api/v1: progress of plans on a day, changes, published figures."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query
from fastapi.responses import Response

from engine.accounts.permissions import Permission
from engine.admin import published_figures
from engine.admin.published_figures import published, restatements
from engine.api.caller import Caller
from engine.api.models import Day
from engine.api.monitoring_models import (
    ChangeOut,
    ConductOfAllOut,
    FreezeBody,
    PublishedDetail,
    PublishedOut,
    ReasonOut,
    RestatementOut,
    StandingOut,
)
from engine.api.operations import reads, router_of, writes
from engine.assignments.told import agency_names, compared
from engine.errors import BadInput, NotFound
from engine.http.filters import Assignments, Code, PlanId, SmallId
from engine.plans.closing import past_plan_ids
from engine.queries.figures import plan_progress as queries
from engine.queries.figures.outlook import Selection, since_told
from engine.queries.figures.plans import plan_page
from engine.queries.filter_choices import period_choices
from engine.queries.time_class import read_today
from engine.queries.work.conduct import conduct
from engine.queries.work.promises import reasons_counted
from engine.text import Text

router = router_of("standing")
AsOf = Annotated[Day | None, Query()]


@router.get("/standing")
@reads("Tiến độ tại một ngày", "Read the progress on a day", "as_of=2021-06-17")
def get_standing(caller: Caller, plan: PlanId, as_of: AsOf = None, period: Code = "") -> StandingOut:
    """Progress on a day by what is known now; today by default. Without a plan: of the active plans that are not past
    their last date."""
    caller.require(Permission.SEE_STANDING)
    with caller.reading() as (session, _):
        past = past_plan_ids(session, caller.today)
        found = queries.standing(session, as_of or caller.today, plan_id=plan, period=period, without=past)
        return StandingOut.model_validate(found)


@router.get("/standing/changes")
@reads("Thay đổi giữa hai ngày", "List changes between two days", "since=2021-06-16")
def list_standing_changes(
    caller: Caller, plan: PlanId, since: AsOf = None, until: AsOf = None, period: Code = ""
) -> list[ChangeOut]:
    """Agencies whose figures differ between two days. Without ``since``: from what the weekly digest of the week before
    told, as on the page «Lãnh đạo»; 404 if nothing was told then."""
    caller.require(Permission.SEE_STANDING)
    last = until or caller.today
    with caller.reading() as (session, _):
        chosen = Selection(plan, period, past_plan_ids(session, caller.today))
        now = queries.standing(session, last, **chosen._asdict())
        if since is None:
            found = since_told(session, chosen, now)
        else:
            then = queries.standing(session, since, **chosen._asdict())
            found = compared(since, then.boxes, now.boxes, agency_names(session))
    if found is None:
        raise NotFound(
            Text("Chưa có báo cáo tuần trước để so sánh.", "There is no earlier weekly report to compare with.")
        )
    return [ChangeOut.model_validate(each) for each in found.agencies]


@router.get("/reasons")
@reads("Nguyên nhân chưa hoàn thành", "Count why tasks are not finished")
def list_reasons(caller: Caller, wanted: Assignments) -> list[ReasonOut]:
    """Unfinished tasks by the reason code of their last promise, or of the return of their last report, most first, of
    a plan, period or department."""
    caller.require(Permission.SEE_STANDING)
    with caller.reading() as (session, today):
        found = reasons_counted(session, today, wanted)
    return [
        ReasonOut(reason_code=each.code, reason=each.words.said(caller.language), tasks=each.tasks) for each in found
    ]


@router.get("/conduct")
@reads("Giữ hẹn, sản phẩm, thời gian xử lý", "Read promises kept, outputs and time taken", "plan=1")
def get_how_work_is_done(caller: Caller, wanted: Assignments) -> ConductOfAllOut:
    """Promises kept, outputs complete at acceptance, and medians of working days to acknowledge, to report and to
    accept, of a plan, period or agency; by agency and department."""
    caller.require(Permission.SEE_STANDING)
    with caller.reading() as (session, today):
        return ConductOfAllOut.model_validate(conduct(session, today, wanted))


@router.post("/plans/{plan_id}/freeze", response_model=PublishedOut)
@writes("Công bố số liệu", "Publish figures", cut_off="2021-06-17")
def publish_figures(caller: Caller, plan_id: SmallId, payload: FreezeBody) -> Response:
    """Publish a plan's figures for a day; published figures never change."""
    with caller.writing() as session:
        plan = plan_page(session, read_today(session, caller.now), plan_id)
        caller.require(Permission.FREEZE, plan.supervisor_id)
        if payload.period and payload.period not in period_choices(session, plan_id):
            raise BadInput(Text("Kế hoạch này không có kỳ ấy.", "The plan has no such period."))

        def done() -> PublishedOut:
            made = published_figures.publish_figures(session, plan_id, payload.period, payload.cut_off, **caller.by)
            return PublishedOut.model_validate(published(session, made))

        return caller.once(session, done)


@router.get("/published")
@reads("Các số liệu đã công bố", "List published figures")
def list_published(caller: Caller, plan: PlanId) -> list[PublishedOut]:
    """Newest first."""
    caller.require(Permission.SEE_STANDING)
    with caller.reading() as (session, _):
        return [PublishedOut.model_validate(each) for each in published_figures.list_published(session, plan)]


@router.get("/published/{frozen_id}")
@reads("Một lần công bố", "Read published figures")
def get_published(caller: Caller, frozen_id: SmallId) -> PublishedDetail:
    """Published figures unchanged, and by agency the differences known since."""
    caller.require(Permission.SEE_STANDING)
    with caller.reading() as (session, _):
        found, later = published(session, frozen_id), restatements(session, frozen_id)
    return PublishedDetail(
        published=PublishedOut.model_validate(found),
        standing=StandingOut.model_validate(found.standing),
        restatements=[RestatementOut.model_validate(each) for each in later],
    )
