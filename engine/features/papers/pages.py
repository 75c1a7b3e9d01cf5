"""Papers: what waits to be issued and what was; a công văn đôn đốc as a draft, as the file to sign, and the record of
its number and date.

Papers that state figures: a period's consolidated report, the leadership's quick report, a published ranking.
"""

from __future__ import annotations

import io
import re
import zipfile
from dataclasses import replace
from datetime import date
from enum import StrEnum
from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import Response

from engine.accounts.permissions import Permission
from engine.admin.published_figures import published
from engine.assignments.chasing import drop_draft, record_paper
from engine.errors import BadInput, Conflict, NotFound
from engine.features.papers.dispatch import addressed, dispatch_docx, for_one, proposed, subject_line, text_of
from engine.features.papers.drafts import PAPER_LIST, Draft, PaperLine, dispatch_draft, issued_papers, waiting_drafts
from engine.features.papers.duty_file import duty_file_docx
from engine.features.papers.facts import (
    MAX_PARAGRAPH_CHARS,
    SIGNERS,
    Dispatch,
    DraftKey,
    PaperKind,
    departments_of,
    drop_wording,
    issuer_of,
    keep_wording,
    letterhead_of,
    read_wording,
)
from engine.features.papers.letterhead import fill, fill_each
from engine.features.papers.period_report import period_report
from engine.features.papers.quick_report import quick_report, quick_report_docx, rank_rows, ranking_docx
from engine.features.papers.report import report_docx, report_name
from engine.http.access import require_for
from engine.http.filters import AssignmentId, Code, Empty, Plain, PlanId, Several, SmallId, YesNo, queried_day
from engine.http.forms import FormFields
from engine.http.lists.listing import DOCX, ExportFormat, attachment, download
from engine.http.render import url
from engine.http.request_context import PostedForm, RequestContext, SignedIn
from engine.queries.filter_choices import PlanChoices, active_plans, find_plan, plan_choices, plan_of
from engine.queries.work.assignments import rows_of
from engine.rules.privacy import looks_private
from engine.rules.words import period_words
from engine.text import Text
from engine.web.pages.plans.plans import read_figures
from engine.web.pages.work.assignments import story_page
from engine.web.plan_uploads import draftable_plan

router = APIRouter(include_in_schema=False)
ANSWER_BY = Text("Trả lời chậm nhất ngày", "Answer by")
COMMON_FROM = 3
"""From so many addressees a common letter is offered first."""
PARTS = {
    "basis": Text("Căn cứ", "Basis"),
    "state": Text("Tình hình", "Where things stand"),
    "ask": Text("Đề nghị", "Request"),
    "report": Text("Điểm: báo cáo", "Point: report"),
    "difficulty": Text("Điểm: khó khăn, vướng mắc", "Point: difficulties"),
    "upcoming": Text("Điểm: nhiệm vụ sắp đến hạn", "Point: what comes due"),
    "more": Text("Thêm đoạn", "More"),
    "consequence": Text("Quá thời hạn", "After that date"),
    "close": Text("Kết", "Close"),
}
Words = Annotated[str, Plain, Query(max_length=120)]


class PaperFile(StrEnum):
    DOCX = "docx"
    """One letter to all."""
    ZIP = "zip"
    """A letter each."""


@router.get("/papers")
def listing(ctx: SignedIn, said: Code = "", export_format: ExportFormat = None) -> Response:
    """The drafts that the ladder asks for, and the papers that are recorded."""
    if export_format:
        with ctx.reading() as (session, today):
            waiting = waiting_drafts(session, today, ctx.department(Permission.SEE_PAPERS))
            issued = issued_papers(session, ctx.agencies_within(Permission.SEE_ASSIGNMENT), limit=None)
            lines: tuple[PaperLine, ...] = (*waiting, *issued)
            return download(ctx, export_format, PAPER_LIST, lines)
    return _listing(ctx, FormFields(), outcome=said)


@router.post("/papers/drop")
def drop(ctx: SignedIn, form: PostedForm) -> Response:
    """Nothing is issued about what a waiting draft holds; the reason stands in the story."""
    plan_id, typed = form.number("plan"), FormFields.of(form, "reason", "plan", whole="reason")
    department, reason = ctx.department(Permission.CHASE), typed.words("reason")

    def action() -> bool:
        with ctx.reading() as (session, today):
            waiting = [each for each in waiting_drafts(session, today, department) if each.plan_id == plan_id]
        for each in waiting:
            ctx.require(Permission.CHASE, each.supervisor_id)
            with ctx.writing() as session:
                drop_draft(session, plan_id, each.assignment_ids, reason=reason, **ctx.by)
        return True

    return ctx.go("/papers", said="dropped") if typed.do(action) else _listing(ctx, typed)


def _listing(ctx: RequestContext, typed: FormFields, *, outcome: str = "") -> Response:
    department = ctx.department(Permission.SEE_PAPERS)
    with ctx.reading() as (session, today):
        waiting = waiting_drafts(session, today, department)
        issued = issued_papers(session, ctx.agencies_within(Permission.SEE_ASSIGNMENT))
        departments = [(each, name) for each, name in departments_of(session) if ctx.may(Permission.CHASE, each)]
    return ctx.page(
        "papers/papers.html",
        typed.status,
        today=today,
        waiting=waiting,
        issued=issued,
        departments=departments,
        typed=typed,
        outcome=outcome,
    )


@router.get("/papers/dispatch")
def draft(
    ctx: SignedIn,
    plan: PlanId,
    agency: Annotated[list[str], Several, Query(max_length=500)] = [],  # noqa: B006 - read only
    period: Code = "",
    request: YesNo = None,
    sign: Words = "",
    place: Words = "",
    unit: Words = "",
    signer: Words = "",
    answer_by: Annotated[date | None, queried_day("answer_by", ANSWER_BY, past=False)] = None,
    file: Annotated[PaperFile | None, Empty, Query()] = None,
    said: Code = "",
) -> Response:
    """The draft as a page, or as a file. Drafting moves no level and sends nothing."""
    found, plans = _draft(ctx, plan, agency, period, bool(request))
    issuer = found.dispatch.issuer
    dispatch = replace(
        found.dispatch,
        issuer=replace(
            issuer,
            sign=sign or issuer.sign,
            place=place or issuer.place,
            unit=unit or issuer.unit,
            signer=signer if signer in SIGNERS else issuer.signer,
        ),
        answer_by=answer_by or found.dispatch.answer_by,
    )
    if file is not None:
        with ctx.reading() as (session, _):
            own = letterhead_of(session, found.supervisor_id)
        here = url("/papers/dispatch", plan=found.plan_id, period=period, request="yes" if dispatch.request else "")
        dispatch = replace(dispatch, source=f"{ctx.app.settings.base_url}{here}")
        return _file(dispatch, found, period, file, own[1] if own else None)
    return _page(ctx, replace(found, dispatch=dispatch), plans, period, FormFields(), outcome=said)


@router.post("/papers/dispatch")
def record(ctx: SignedIn, form: PostedForm) -> Response:
    """Record the number and date that the registry gave."""
    plan_id, ids = form.number("plan"), form.numbers("id")
    with ctx.reading() as (session, today):
        rows = rows_of(session, today, ids) if ids else []
    for row in rows:
        require_for(ctx, Permission.CHASE, row)
    found, plans = _draft(
        ctx, plan_id, list({row.agency_id for row in rows}), form.raw("period")[:64], form.has("request")
    )
    ctx.require(Permission.CHASE, found.supervisor_id)
    typed = FormFields.of(form, "number", "on", whole="number")
    number, on = typed.text("number", 64), typed.needed_day("on", past=True)
    if not ids:
        typed.refuse({"number": Text("Không còn việc nào để ghi.", "There is nothing left to record.")})

    def action() -> bool:
        with ctx.writing() as session:
            record_paper(session, found.supervisor_id, plan_id, ids, number=number, on=on, **ctx.by)
            drop_wording(session, _key(found, form.raw("period")[:16]))
        return True

    if typed.do(action):
        return ctx.go(
            "/papers/dispatch",
            plan=plan_id,
            agency=[each for each, _ in found.agencies],
            request="yes" if form.has("request") else "",
            said="recorded",
        )
    return _page(ctx, found, plans, "", typed)


@router.post("/papers/dispatch/words")
def words(ctx: SignedIn, form: PostedForm) -> Response:
    """Keep what the office wrote in place of the proposed paragraphs, or take it back."""
    period, agencies = form.raw("period")[:16], [each[:64] for each in form.every("agency")[:500]]
    ctx.require(Permission.CHASE, ctx.actor.agency_id)
    found, plans = _draft(ctx, form.number("plan"), agencies, period, form.has("request"))
    ctx.require(Permission.CHASE, found.supervisor_id)
    key, parts = _key(found, period), {part.key: part.text for part in proposed(found.dispatch)}
    typed = FormFields.of(form, *parts, whole=next(iter(parts)))
    written = {} if form.has("reset") else {name: typed.words(name, MAX_PARAGRAPH_CHARS) for name in parts}

    def action() -> bool:
        with ctx.writing() as session:
            if form.has("reset"):
                drop_wording(session, key)
            else:
                keep_wording(session, key, parts, written, **ctx.by)
        return True

    if typed.do(action):
        to = [each for each, _ in found.agencies] if found.narrowed else []
        asked = "yes" if found.dispatch.request else ""
        said = "reset" if form.has("reset") else "words"
        return ctx.go("/papers/dispatch", plan=found.plan_id, agency=to, period=period, request=asked, said=said)
    return _page(ctx, found, plans, period, typed)


def _key(found: Draft, period: str) -> DraftKey:
    chosen = DraftKey.chosen(each for each, _ in found.agencies) if found.narrowed else ""
    return DraftKey(found.plan_id, period, found.dispatch.request, chosen)


def _draft(
    ctx: RequestContext, plan_id: int | None, agencies: list[str], period: str, request: bool
) -> tuple[Draft, PlanChoices]:
    """The draft of the plan, or of the only active one. Raises NotFound, NotAllowed."""
    ctx.require(Permission.SEE_PAPERS, ctx.actor.agency_id)
    with ctx.reading() as (session, today):
        plans = plan_choices(session, plan_id)
        row = find_plan(session, plan_id or draftable_plan(ctx, session, None) or 0)
        if row is None:
            raise NotFound(Text("Không có kế hoạch này.", "There is no such plan."))
        ctx.require(Permission.SEE_PAPERS, row.supervisor_id)
        found = dispatch_draft(session, today, row, agencies, request=request, period=period)
        if (
            not found.dispatch.overdue
        ):  # those that are asked get a letter of their own, and so do those that are ordered
            other = dispatch_draft(session, today, row, agencies, request=not request, period=period)
            found = other if other.dispatch.overdue else found
        written = read_wording(session, _key(found, period)).written
        return replace(found, dispatch=replace(found.dispatch, wording=written)), plans


def _page(
    ctx: RequestContext, found: Draft, plans: PlanChoices, period: str, typed: FormFields, *, outcome: str = ""
) -> Response:
    dispatch = found.dispatch
    parts = proposed(dispatch)
    with ctx.reading() as (session, today):
        wording = read_wording(session, _key(found, period))
        return ctx.page(
            "papers/dispatch.html",
            typed.status,
            today=today,
            draft=found,
            dispatch=dispatch,
            addressed=addressed(dispatch),
            subject=subject_line(dispatch),
            paragraphs=text_of(dispatch),
            parts=parts,
            part_words=PARTS,
            edited=typed.filled((part.key, wording.written.get(part.key, part.text)) for part in parts),
            wording=wording,
            outdated=wording.outdated({part.key: part.text for part in parts}),
            most_chars=MAX_PARAGRAPH_CHARS,
            signers=[
                (key, f"{key.replace('/', ' / ')} ({words.said(ctx.language)})") for key, words in SIGNERS.items()
            ],
            plans=plans,
            period_key=period,
            common_first=len(found.agencies) >= COMMON_FROM,
            typed=typed,
            outcome=outcome,
        )


def _file(dispatch: Dispatch, found: Draft, period: str, kind: PaperFile, own: bytes | None) -> Response:
    """The letter, or a ZIP with one for each agency; in the department's ``own`` form if it has one. Raises BadInput
    when nothing is overdue, or when a text of the plan looks like personal data: that never goes into a paper."""
    if not dispatch.overdue:
        raise BadInput(Text("Không còn việc nào quá hạn để soạn công văn.", "Nothing is overdue: there is no letter."))
    private = [row.citation for row in (*dispatch.overdue, *dispatch.upcoming) if looks_private(row.text)]
    if private:
        raise BadInput(
            Text(
                f"Nội dung {private[0]} có dãy số giống dữ liệu cá nhân; không đưa vào công văn.",
                f"The text of {private[0]} holds what looks like personal data; it does not go into a paper.",
            )
        )
    plan = re.sub(r"[^A-Za-z0-9]+", "-", dispatch.plan.number.replace("Đ", "D"))
    level = f"lan{max(dispatch.level, 1)}" if not dispatch.request else "de-nghi"
    stem = "_".join(("cv-don-doc", f"{plan}-{dispatch.plan.issued_on.year}", period or "moi-ky", level))
    if kind is PaperFile.DOCX:
        whose = found.agencies[0][0] if len(found.agencies) == 1 else "chung"
        body = dispatch_docx(dispatch) if own is None else fill(own, dispatch)
        return attachment(body, DOCX, f"{stem}_{whose}.docx")
    letters = (for_one(dispatch, agency_id) for agency_id, _ in found.agencies)
    bodies = map(dispatch_docx, letters) if own is None else fill_each(own, letters)
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as out:
        for (agency_id, _), body in zip(found.agencies, bodies, strict=True):
            out.writestr(f"{stem}_{agency_id}.docx", body)
    return attachment(archive.getvalue(), "application/zip", f"{stem}.zip")


@router.get("/assignments/{assignment_id}/file.docx")
def duty_file(ctx: SignedIn, assignment_id: AssignmentId) -> Response:
    """All that is kept of one task, as its printed page says it."""
    page = story_page(ctx, assignment_id, template="duty_file.html")
    here = f"{ctx.app.settings.base_url}/assignments/{assignment_id}"
    body = duty_file_docx(bytes(page.body), ctx.actor.agency_id, here, ctx.now)
    return attachment(body, DOCX, f"ho-so-viec-{assignment_id}.docx")


@router.get("/plans/{plan_id}/report.docx")
def report_paper(ctx: SignedIn, plan_id: SmallId, period: Code = "") -> Response:
    """The consolidated report of the period as a draft to be signed."""
    plan, _, period, _ = read_figures(ctx, plan_id, period)
    with ctx.reading() as (session, today):
        facts = period_report(session, today, plan_of(session, plan_id), period)
    here = url(f"/plans/{plan_id}/figures", period=period)
    facts = replace(facts, source=f"{ctx.app.settings.base_url}{here}")
    return attachment(report_docx(facts), DOCX, report_name(plan.row.number, plan.row.year, period))


@router.get("/leadership/report.docx")
def quick_paper(ctx: SignedIn, plan: PlanId, period: Code = "") -> Response:
    """The page as a paper to sign, with the ranking as its annex."""
    ctx.require(Permission.SEE_STANDING)
    with ctx.reading() as (session, today):
        row = find_plan(session, plan or next((each for each, _ in active_plans(session)), 0))
        if row is None:
            raise NotFound(Text("Không có kế hoạch đang thực hiện.", "There is no active plan."))
        facts = quick_report(session, today, row, period, whole_plans=plan is None)
    here = url("/leadership", plan=plan, period=period)
    facts = replace(facts, source=f"{ctx.app.settings.base_url}{here}")
    return attachment(quick_report_docx(facts), DOCX, f"bao-cao-nhanh_{row.number.replace('Đ', 'D')}_{ctx.today}.docx")


@router.get("/leadership/frozen/{frozen_id}/ranking.docx")
def ranking_paper(ctx: SignedIn, frozen_id: SmallId) -> Response:
    """The ranking of published figures, as published. Raises Conflict when the row was changed since."""
    ctx.require(Permission.SEE_STANDING)
    with ctx.reading() as (session, _):
        found = published(session, frozen_id)
        row = plan_of(session, found.plan_id)
        issuer = issuer_of(session, row, PaperKind.QUICK)
    if not found.intact:
        raise Conflict(
            Text("Bản lưu khác với lúc chốt; không in để công bố.", "What is stored differs from what was published.")
        )
    period = f" {period_words(found.period, 'vi')}" if found.period else ""
    subject = f"Kế hoạch số {found.plan}{period}"
    source = f"{ctx.app.settings.base_url}/leadership/frozen/{frozen_id}"
    body = ranking_docx(issuer.name, subject, found.cut_off, found.at, rank_rows(found.standing), source)
    return attachment(body, DOCX, f"xep-hang_{found.plan.replace('Đ', 'D')}_{found.cut_off}.docx")
