"""The report page: every duty of an agency for a period, one submission. At the desk by address, for a coordinator by
the link in a letter; the same page, the same rules."""

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
from engine.http.uploads import ACCEPT, LINE, MAX_FORM_PARTS, UploadedFiles, file_all, read_lines
from engine.queries.work.report_page import ReportPage, report_page
from engine.rules.privacy import PRIVATE_WORDS, Private, looks_private, warnings
from engine.text import Text

router = APIRouter()
DRAFT = "draft"
NOT_TYPED = frozenset({"token", "act", "seen", "sure"})
FREE = ("body-", "reason-")
FIELDS = ("outcome", "body", "reason")


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

    problems: Mapping[str, Text] = field(default_factory=dict)
    typed: Mapping[str, str] = field(default_factory=dict)
    sentence: str = ""
    warned: Mapping[str, str] = field(default_factory=dict)
    """By field: what looks like somebody's private life, or a total that is not its parts' sum; sent all the same
    once the reader has looked again."""
    files: Mapping[int, tuple[File, ...]] = field(default_factory=dict)
    """By assignment: what is stored already and goes with its report."""
    draft: SavedDraft | None = None
    seen: str = ""
    """When the draft that the page shows was saved: a colleague's later one is not overwritten unread."""


@router.get("/report/{agency_id}/{plan_id}/{period}")
def show(
    ctx: SignedIn, agency_id: AgencyId, plan_id: SmallId, period: PeriodKey, said: Code = "", n: PageNumber = 1
) -> Response:
    ctx.require(Permission.REPORT, agency_id)
    return report_form(ctx, Address(agency_id, plan_id, period, ctx.path), outcome=said, n=n)


async def _sent(request: Request, ctx: SignedIn, agency_id: AgencyId) -> Form:
    """Nobody's files are read before it is known who sends them."""
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
    """The page, empty, as reported or saved before, or as typed and refused."""
    with ctx.reading() as (session, today):
        page = report_page(session, today, where.agency_id, where.plan_id, where.period)
        kept = restore(session, where.agency_id, where.plan_id, where.period) if filled is None else None
    if filled is None:
        filled = _found(ctx, page, kept)
    figures = _figures_as_they_stand(page, filled.typed)
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
        private=sum(name.startswith(FREE) for name in filled.warned),
        check=_last_look(page, filled.typed, figures),
        doubtful=_doubtful(page, figures),
        ACCEPT=ACCEPT,
    )


def _last_look(page: ReportPage, typed: Mapping[str, str], figures: Mapping[str, str]) -> Checklist:
    duties = [_as_it_stands(typed, each.row.id, each.row.citation) for each in page.items if each.open]
    return checklist(duties, page.indicators, figures)


def _figures_as_they_stand(page: ReportPage, typed: Mapping[str, str]) -> dict[str, str]:
    """By what was saved or sent last; a page just opened has nothing typed but the figures reported before."""
    earlier = {} if typed else page.figures
    return {each.code: typed.get(f"figure-{each.code}", str(earlier.get(each.code, ""))) for each in page.indicators}


def _doubtful(page: ReportPage, figures: Mapping[str, str]) -> dict[str, Text]:
    """By field."""
    values, _ = read_figures(page.indicators, figures)
    return {f"figure-{code}": said for code, said in doubtful_totals(values, page.parts, page.agency_id).items()}


def _as_it_stands(typed: Mapping[str, str], assignment_id: int, citation: str) -> Typed:
    outcome, body, reason = (typed.get(f"{name}-{assignment_id}", "").strip() for name in FIELDS)
    return Typed(assignment_id, citation, outcome, body, reason)


def _found(ctx: RequestContext, page: ReportPage, kept: SavedDraft | None) -> Filled:
    """What the page opens with: the draft, else what was reported before."""
    if kept is None:
        files = {each.row.id: tuple(File(**file) for file in each.last.files) for each in page.items if each.last}
        return Filled(files=files)
    lines = {each.row.id: kept.fields.get(f"{LINE}{each.row.id}", "").splitlines() for each in page.items}
    files, _ = read_lines(ctx, page.agency_id, lines)
    return Filled(typed=kept.fields, files=files, draft=kept, seen=kept.saved_at.isoformat())


def submit(ctx: RequestContext, form: Form, where: Address) -> Response:
    """All of it or nothing; a refused one keeps what was typed and every fit file. The other button only saves it as
    it stands."""
    require(ctx.actor, Permission.REPORT, where.agency_id)
    with ctx.reading() as (session, today):
        page = report_page(session, today, where.agency_id, where.plan_id, where.period)
    filed = file_all(ctx, form, where.agency_id, (item.row.id for item in page.items if item.open))
    typed = _typed(form, filed)
    try:
        wrong = {**_secret(typed), **filed.problems}
        if wrong:
            return _again(ctx, where, form, filed, 422, problems=wrong)
        if form.raw("act") == DRAFT:
            return _save(ctx, form, where, typed)
        checked = _checked(form, page, filed)
        if checked.problems:
            return _again(ctx, where, form, filed, 422, problems=checked.problems)
        warned = _warned(ctx, page, form, typed)
        if warned and form.raw("sure") != _mark(typed, warned):
            return _again(ctx, where, form, filed, 422, warned=warned)
        with ctx.writing() as session:
            for assignment_id, text in checked.texts.items():
                report(session, assignment_id, text, actor=ctx.actor.name, now=ctx.now)
            _keep_the_rest(session, ctx, where, typed, checked)
    except (BadInput, Conflict) as error:
        return _again(ctx, where, form, filed, error.status, sentence=error.said(ctx.language))
    return ctx.go(where.path, said="reported", n=len(checked.texts), lang=_lang(ctx))


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
    return ctx.go(where.path, said="draft", lang=_lang(ctx))


def _keep_the_rest(
    session: Session, ctx: RequestContext, where: Address, typed: Mapping[str, str], sent: Submission
) -> None:
    """The draft goes; what was typed about duties that were left for later stays as a draft."""
    ids = {str(each) for each in sent.texts}
    rest = {
        name: text
        for name, text in typed.items()
        if name.startswith((*FREE, LINE)) and name.partition("-")[2] not in ids
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


def _warned(ctx: RequestContext, page: ReportPage, form: Form, typed: Mapping[str, str]) -> dict[str, str]:
    doubtful = _doubtful(page, _figures(form, page))
    doubts = {name: text.said(ctx.language) for name, text in doubtful.items()}
    return {**warnings(_free_text(typed), ctx.language), **doubts}


def _free_text(typed: Mapping[str, str]) -> dict[str, str]:
    return {name: text for name, text in typed.items() if name.startswith(FREE)}


def _secret(typed: Mapping[str, str]) -> dict[str, Text]:
    """A «MẬT» stamp is kept nowhere, not even in a draft."""
    vi, en = PRIVATE_WORDS[Private.SECRET]
    return {
        name: Text(f"Nội dung {vi}.", f"This text {en}.")
        for name, text in _free_text(typed).items()
        if any(each.what is Private.SECRET for each in looks_private(text))
    }


def _mark(typed: Mapping[str, str], warned: Mapping[str, str]) -> str:
    """What is confirmed is what was warned of: other words are asked about anew."""
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


def _again(
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
    said = {
        name: values[0]
        for name, values in form.fields.items()
        if values and name not in NOT_TYPED and not name.startswith(LINE)
    }
    return said | filed.lines


def _lang(ctx: RequestContext) -> str:
    return ctx.request.query_params.get("lang", "")
