"""The report page: all duties of an agency for a period, in one submission. Used at the desk and, by the link in a
letter, by coordinators without an account."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response
from sqlmodel import Session

from engine.accounts.permissions import Permission, require
from engine.assignments.evidence import MAX_FILE_BYTES
from engine.assignments.evidence import StoredFile as File
from engine.assignments.indicators import doubtful_totals
from engine.assignments.lifecycle import report
from engine.assignments.report_drafts import SavedDraft, discard, restore, save
from engine.assignments.report_submission import (
    LATER,
    Checklist,
    Submission,
    Typed,
    checklist,
    read_figures,
    submission,
)
from engine.errors import BadInput, Conflict
from engine.http.filters import AgencyId, Code, PageNumber, PeriodKey, SmallId
from engine.http.forms import MAX_REASON_CHARS, Form, clean
from engine.http.request_context import RequestContext, SignedIn, read_form
from engine.http.request_context import checked as token_checked
from engine.http.uploads import ACCEPT, KEPT_PREFIX, MAX_FORM_PARTS, UploadedFiles, read_lines, store_uploads
from engine.queries.work.report_page import ReportPage, report_page
from engine.rules.privacy import PRIVATE_WORDS, Private, looks_private, warnings
from engine.text import Text

router = APIRouter()
DRAFT = "draft"
NOT_TYPED = frozenset({"token", "act", "seen", "sure"})
FREE_TEXT_PREFIXES = ("body-", "reason-")
FIELDS = ("outcome", "body", "reason")


@dataclass(frozen=True)
class Address:
    """Identifies a report page, and the path its form is posted to."""

    agency_id: str
    plan_id: int
    period: str
    path: str


@dataclass(frozen=True)
class Filled:
    """The contents of the form: as typed, or as reported before."""

    problems: Mapping[str, Text] = field(default_factory=dict)
    typed: Mapping[str, str] = field(default_factory=dict)
    sentence: str = ""
    warned: Mapping[str, str] = field(default_factory=dict)
    """Warnings by field: possible personal data, or a total that differs from the sum of its parts. The report is sent
    anyway once the user confirms."""
    files: Mapping[int, tuple[File, ...]] = field(default_factory=dict)
    """By assignment: stored files that belong to its report."""
    draft: SavedDraft | None = None
    seen: str = ""
    """When the shown draft was saved, so that a colleague's later draft is not overwritten."""


@router.get("/report/{agency_id}/{plan_id}/{period}")
def show(
    ctx: SignedIn, agency_id: AgencyId, plan_id: SmallId, period: PeriodKey, said: Code = "", n: PageNumber = 1
) -> Response:
    ctx.require(Permission.REPORT, agency_id)
    return report_form(ctx, Address(agency_id, plan_id, period, ctx.path), outcome=said, n=n)


async def _sent(request: Request, ctx: SignedIn, agency_id: AgencyId) -> Form:
    """Check the permission before reading uploads."""
    ctx.require(Permission.REPORT, agency_id)
    return token_checked(request, await read_form(request, MAX_FORM_PARTS, MAX_FILE_BYTES))


@router.post("/report/{agency_id}/{plan_id}/{period}")
def send(
    ctx: SignedIn, form: Annotated[Form, Depends(_sent)], agency_id: AgencyId, plan_id: SmallId, period: PeriodKey
) -> Response:
    return submit(ctx, form, Address(agency_id, plan_id, period, ctx.path))


def report_form(
    ctx: RequestContext,
    where: Address,
    *,
    filled: Filled | None = None,
    status: int = 200,
    outcome: str = "",
    n: int = 0,
) -> Response:
    """The page: empty, as reported or saved before, or as typed and rejected."""
    with ctx.reading() as (session, today):
        page = report_page(session, today, where.agency_id, where.plan_id, where.period)
        draft = restore(session, where.agency_id, where.plan_id, where.period) if filled is None else None
    if filled is None:
        filled = _initial(ctx, page, draft)
    figures = _current_figures(page, filled.typed)
    return ctx.page(
        "report.html",
        status,
        today=today,
        report=page,
        filled=filled,
        action=where.path,
        outcome=outcome,
        n=n,
        confirm=_mark(filled.typed, filled.warned),
        private=sum(name.startswith(FREE_TEXT_PREFIXES) for name in filled.warned),
        check=_checklist(page, filled.typed, figures),
        doubtful=_total_warnings(page, figures),
        ACCEPT=ACCEPT,
    )


def _checklist(page: ReportPage, typed: Mapping[str, str], figures: Mapping[str, str]) -> Checklist:
    duties = [_current_report(typed, each.row.id, each.row.citation) for each in page.items if each.open]
    return checklist(duties, page.indicators, figures)


def _current_figures(page: ReportPage, typed: Mapping[str, str]) -> dict[str, str]:
    """The figures as saved or submitted last; a page just opened starts with the figures reported before."""
    earlier = {} if typed else page.figures
    return {each.code: typed.get(f"figure-{each.code}", str(earlier.get(each.code, ""))) for each in page.indicators}


def _total_warnings(page: ReportPage, figures: Mapping[str, str]) -> dict[str, Text]:
    """Warnings by field about totals that differ from the sum of their parts."""
    values, _ = read_figures(page.indicators, figures)
    return {f"figure-{code}": text for code, text in doubtful_totals(values, page.parts, page.agency_id).items()}


def _current_report(typed: Mapping[str, str], assignment_id: int, citation: str) -> Typed:
    outcome, body, reason = (typed.get(f"{name}-{assignment_id}", "").strip() for name in FIELDS)
    return Typed(assignment_id, citation, outcome, body, reason)


def _initial(ctx: RequestContext, page: ReportPage, draft: SavedDraft | None) -> Filled:
    """The initial contents: the draft, else the last reports."""
    if draft is None:
        files = {each.row.id: tuple(File(**file) for file in each.last.files) for each in page.items if each.last}
        return Filled(files=files)
    lines = {each.row.id: draft.fields.get(f"{KEPT_PREFIX}{each.row.id}", "").splitlines() for each in page.items}
    files, _ = read_lines(ctx, page.agency_id, lines)
    return Filled(typed=draft.fields, files=files, draft=draft, seen=draft.saved_at.isoformat())


def submit(ctx: RequestContext, form: Form, where: Address) -> Response:
    """Submit the report: all or nothing. A rejected one keeps what was typed and every valid file. The other button
    saves a draft."""
    require(ctx.actor, Permission.REPORT, where.agency_id)
    with ctx.reading() as (session, today):
        page = report_page(session, today, where.agency_id, where.plan_id, where.period)
    uploaded = store_uploads(ctx, form, where.agency_id, (item.row.id for item in page.items if item.open))
    typed = _typed(form, uploaded)
    try:
        wrong = {**_secret_problems(typed), **uploaded.problems}
        if wrong:
            return _rejected(ctx, where, form, uploaded, 422, problems=wrong)
        if form.raw("act") == DRAFT:
            return _save(ctx, form, where, typed)
        checked = _checked(form, page, uploaded)
        if checked.problems:
            return _rejected(ctx, where, form, uploaded, 422, problems=checked.problems)
        warned = _warnings(ctx, page, form, typed)
        if warned and form.raw("sure") != _mark(typed, warned):
            return _rejected(ctx, where, form, uploaded, 422, warned=warned)
        with ctx.writing() as session:
            for assignment_id, text in checked.texts.items():
                report(session, assignment_id, text, actor=ctx.actor.name, now=ctx.now)
            _keep_unreported(session, ctx, where, typed, checked)
    except (BadInput, Conflict) as error:
        return _rejected(ctx, where, form, uploaded, error.status, sentence=error.said(ctx.language))
    return ctx.go(where.path, said="reported", n=len(checked.texts), lang=_language_parameter(ctx))


def _save(ctx: RequestContext, form: Form, where: Address, typed: Mapping[str, str]) -> Response:
    with ctx.writing() as session:
        save(
            session,
            where.agency_id,
            where.plan_id,
            where.period,
            typed,
            actor=ctx.actor.name,
            now=ctx.now,
            seen=_moment(form.raw("seen")),
        )
    return ctx.go(where.path, said="draft", lang=_language_parameter(ctx))


def _keep_unreported(
    session: Session, ctx: RequestContext, where: Address, typed: Mapping[str, str], sent: Submission
) -> None:
    """Delete the draft, but keep what was typed about duties not yet reported as a new draft."""
    ids = {str(each) for each in sent.texts}
    rest = {
        name: text
        for name, text in typed.items()
        if name.startswith((*FREE_TEXT_PREFIXES, KEPT_PREFIX)) and name.partition("-")[2] not in ids
    }
    discard(session, where.agency_id, where.plan_id, where.period)
    if any(rest.values()):
        save(session, where.agency_id, where.plan_id, where.period, rest, actor=ctx.actor.name, now=ctx.now)


def _moment(text: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else None


def _warnings(ctx: RequestContext, page: ReportPage, form: Form, typed: Mapping[str, str]) -> dict[str, str]:
    total_warnings = _total_warnings(page, _figures(form, page))
    texts = {name: text.said(ctx.language) for name, text in total_warnings.items()}
    return {**warnings(_free_text(typed), ctx.language), **texts}


def _free_text(typed: Mapping[str, str]) -> dict[str, str]:
    return {name: text for name, text in typed.items() if name.startswith(FREE_TEXT_PREFIXES)}


def _secret_problems(typed: Mapping[str, str]) -> dict[str, Text]:
    """Errors for text with a «MẬT» (secret) stamp, which is not stored, not even in a draft."""
    vi, en = PRIVATE_WORDS[Private.SECRET]
    return {
        name: Text(f"Nội dung {vi}.", f"This text {en}.")
        for name, text in _free_text(typed).items()
        if any(each.what is Private.SECRET for each in looks_private(text))
    }


def _mark(typed: Mapping[str, str], warned: Mapping[str, str]) -> str:
    """Fingerprint of the texts that were warned about: changed text has to be confirmed again."""
    words = "\0".join(f"{name}={clean(typed.get(name, ''))}" for name in sorted(warned))
    return hashlib.sha256(words.encode()).hexdigest()[:16] if warned else ""


def _checked(form: Form, page: ReportPage, filed: UploadedFiles) -> Submission:
    duties = [
        _duty(form, item.row.id, item.row.citation, filed.kept.get(item.row.id, ())) for item in page.items if item.open
    ]
    return submission(duties, page.indicators, _figures(form, page))


def _figures(form: Form, page: ReportPage) -> dict[str, str]:
    return {each.code: form.text(f"figure-{each.code}", MAX_REASON_CHARS) for each in page.indicators}


def _duty(form: Form, assignment_id: int, citation: str, files: tuple[File, ...]) -> Typed:
    outcome = form.text(f"outcome-{assignment_id}", 16)
    if outcome == LATER:
        return Typed(assignment_id, citation)
    body, reason = form.text(f"body-{assignment_id}"), form.text(f"reason-{assignment_id}", MAX_REASON_CHARS)
    return Typed(assignment_id, citation, outcome, body, reason, tuple(each.as_entry for each in files))


def _rejected(
    ctx: RequestContext,
    where: Address,
    form: Form,
    filed: UploadedFiles,
    status: int,
    *,
    problems: Mapping[str, Text] | None = None,
    warned: Mapping[str, str] | None = None,
    sentence: str = "",
) -> Response:
    filled = Filled(
        problems or {}, _typed(form, filed), sentence, warned or {}, filed.kept, None, form.raw("seen")[:40]
    )
    return report_form(ctx, where, filled=filled, status=status)


def _typed(form: Form, filed: UploadedFiles) -> dict[str, str]:
    typed_values = {
        name: values[0]
        for name, values in form.fields.items()
        if values and name not in NOT_TYPED and not name.startswith(KEPT_PREFIX)
    }
    return typed_values | filed.lines


def _language_parameter(ctx: RequestContext) -> str:
    return ctx.request.query_params.get("lang", "")
