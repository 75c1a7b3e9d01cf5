"""The report page: all duties of an agency for a period, in one submission. Used at the desk and, by the link in a
letter, by coordinators without an account."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response
from sqlmodel import Session

from engine.accounts.permissions import Permission
from engine.assignments.lifecycle import report
from engine.assignments.reports.drafts import KEPT_PREFIX, SavedDraft, discard, restore, save
from engine.assignments.reports.evidence import MAX_FILE_BYTES
from engine.assignments.reports.evidence import StoredFile as File
from engine.assignments.reports.indicators import doubtful_totals
from engine.assignments.reports.outputs import TypedOutput
from engine.assignments.reports.submission import (
    LATER,
    PromiseChoices,
    Submission,
    Typed,
    TypedPromise,
    checklist,
    read_figures,
    submission,
)
from engine.errors import BadInput, Conflict
from engine.http.filters import AgencyId, Code, PageNumber, PeriodKey, SmallId, YesNo
from engine.http.forms import MAX_FIELD_CHARS, MAX_REASON_CHARS, Form, clean
from engine.http.request_context import RequestContext, SignedIn, read_form
from engine.http.request_context import checked as token_checked
from engine.http.uploads import ACCEPT, MAX_FORM_PARTS, read_lines, store_uploads
from engine.queries.directory.agencies import agencies_named
from engine.queries.work.report_page import FOR_ALL, PreviousReports, ReportPage, previous_reports, report_page
from engine.rules.privacy import PRIVATE_WORDS, Private, fingerprint, looks_private, warnings
from engine.text import Text

router = APIRouter(include_in_schema=False)
DRAFT = "draft"
NOT_TYPED = frozenset({"token", "act", "seen", "sure"})
FREE_TEXT_PREFIXES = ("body-", "reason-", "owed-", "output-")
OTHER_PREFIXES = ("promise-", "code-", "waits-", "outputon-")
MAX_OUTCOME_CHARS, MAX_SEEN_CHARS, MAX_PAPER_CHARS, MAX_NAME_CHARS = 16, 40, 80, 300


@dataclass(frozen=True)
class Address:
    """Identifies a report page, and the path its form is posted to."""

    agency_id: str
    plan_id: int
    period: str
    path: str


@dataclass(frozen=True, kw_only=True)
class ReportForm:
    """The form of a report page, parsed: to be shown, saved as a draft, or sent."""

    typed: Mapping[str, str]
    """By field, unchanged, with a line for each stored file: what a draft stores."""
    free_text: dict[str, str]
    duties: tuple[Typed, ...]
    """The duties of the page that may be reported now."""
    figures: Mapping[str, str]
    """By indicator code."""
    doubtful: Mapping[str, Text]
    """Warnings by field about totals that differ from the sum of their parts."""
    unreadable: BadInput | None
    """The first error of a text that cannot be sent: too long, or with control characters."""
    files: Mapping[int, tuple[File, ...]]
    """By assignment: stored files that belong to its report."""
    seen: str = ""
    """When the shown draft was saved, so that a colleague's later draft is not overwritten."""
    paper: tuple[str, str] = ("", "")
    """Number and date of the signed paper."""
    draft: SavedDraft | None = None
    problems: Mapping[str, Text] = field(default_factory=dict)
    warned: Mapping[str, str] = field(default_factory=dict)
    """Warnings by field: possible personal data, or a total that differs from the sum of its parts. The report is sent
    anyway once the user confirms."""
    sentence: str = ""


def read_report_form(
    page: ReportPage, typed: Mapping[str, str], files: Mapping[int, tuple[File, ...]], *, seen: str = ""
) -> ReportForm:
    """Parse what was typed, now or in a draft. A page just opened starts with the figures reported before."""
    errors: list[BadInput] = []

    def text(name: str, most: int = MAX_FIELD_CHARS) -> str:
        value = typed.get(name, "")
        try:
            return clean(value, most)
        except BadInput as error:
            errors.append(error)
            return value.strip()

    duties = []
    for item in (each for each in page.items if each.reportable):
        row = item.row
        outcome = text(f"outcome-{row.id}", MAX_OUTCOME_CHARS)
        if outcome == LATER:  # not sent now, so it may still be unreadable
            body, reason = (typed.get(f"{name}-{row.id}", "").strip() for name in ("body", "reason"))
            duties.append(Typed(assignment_id=row.id, citation=row.citation, outcome=LATER, body=body, reason=reason))
            continue
        body, reason = text(f"body-{row.id}"), text(f"reason-{row.id}", MAX_REASON_CHARS)
        entries = tuple(each.as_entry for each in files.get(row.id, ()))
        end = page.promise_field(row.id)
        promise = TypedPromise(
            on=text(f"promise-{end}", MAX_PAPER_CHARS),
            code=text(f"code-{end}", MAX_PAPER_CHARS),
            waits_for=text(f"waits-{end}", MAX_NAME_CHARS),
            owed=text(f"owed-{end}", MAX_REASON_CHARS),
            field=end,
        )
        output = TypedOutput(text(f"output-{row.id}", MAX_NAME_CHARS), text(f"outputon-{row.id}", MAX_PAPER_CHARS))
        duties.append(
            Typed(
                assignment_id=row.id,
                citation=row.citation,
                outcome=outcome,
                body=body,
                reason=reason,
                files=entries,
                promise=promise,
                owed=item.output,
                output=output,
            )
        )
    if typed:
        figures = {each.code: text(f"figure-{each.code}", MAX_REASON_CHARS) for each in page.indicators}
    else:
        figures = {each.code: str(page.figures.get(each.code, "")) for each in page.indicators}
    paper = text("paper-number", MAX_PAPER_CHARS), text("paper-on", MAX_PAPER_CHARS)
    values, _ = read_figures(page.indicators, figures)
    totals = doubtful_totals(values, page.parts, page.agency_id)
    return ReportForm(
        typed=typed,
        free_text={name: value for name, value in typed.items() if name.startswith(FREE_TEXT_PREFIXES)},
        duties=tuple(duties),
        figures=figures,
        doubtful={f"figure-{code}": warning for code, warning in totals.items()},
        unreadable=errors[0] if errors else None,
        files=files,
        seen=seen,
        paper=paper,
    )


@router.get("/report/{agency_id}/{plan_id}/{period}")
def show(
    ctx: SignedIn,
    agency_id: AgencyId,
    plan_id: SmallId,
    period: PeriodKey,
    said: Code = "",
    n: PageNumber = 1,
    copy: YesNo = None,
) -> Response:
    ctx.require(Permission.REPORT, agency_id)
    return report_form(ctx, Address(agency_id, plan_id, period, ctx.path), outcome=said, n=n, copy=bool(copy))


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
    rejected: ReportForm | None = None,
    status: int = 200,
    outcome: str = "",
    n: int = 0,
    copy: bool = False,
) -> Response:
    """The page: empty, as reported or saved before, or as typed and rejected. ``copy``: the empty boxes begin with what
    was reported for the period before; nothing is saved by that."""
    with ctx.reading() as (session, today):
        page = report_page(session, today, where.agency_id, where.plan_id, where.period)
        draft = restore(session, where.agency_id, where.plan_id, where.period) if rejected is None else None
        previous = previous_reports(session, page)
    copied = _copied(page, previous) if copy and rejected is None and previous.reports else None
    if rejected is not None:
        # Parsed again: by now somebody else may have reported some of the duties.
        form = replace(
            read_report_form(page, rejected.typed, rejected.files, seen=rejected.seen),
            problems=rejected.problems,
            warned=rejected.warned,
            sentence=rejected.sentence,
        )
    else:
        form = _opened_form(ctx, page, draft, copied)
    check = checklist(form.duties, page.indicators, form.figures, _with_agencies(ctx, page, form))
    owed = {item.row.id for item in page.items if item.open}
    return ctx.page(
        "report.html",
        status,
        today=today,
        report=page,
        form=form,
        action=where.path,
        outcome=outcome,
        n=n,
        previous=previous.reports,
        previous_period=previous.period,
        copied=copied is not None,
        confirm=_mark(form),
        private=sum(name.startswith(FREE_TEXT_PREFIXES) for name in form.warned),
        check=replace(check, later=tuple(duty for duty in check.later if duty.assignment_id in owed)),
        ACCEPT=ACCEPT,
    )


def _with_agencies(ctx: RequestContext, page: ReportPage, form: ReportForm) -> PromiseChoices:
    """With the agencies that were named as waited for."""
    named = {duty.promise.waits_for for duty in form.duties} - {""}
    if not named:
        return page.choices
    with ctx.app.database.read() as session:
        return replace(page.choices, agencies=agencies_named(session, named))


def _opened_form(
    ctx: RequestContext, page: ReportPage, draft: SavedDraft | None, copied: Mapping[str, str] | None
) -> ReportForm:
    """The boxes of a page just opened: with the draft over what is copied, or with what was reported."""
    if draft is not None:
        lines = {each.row.id: draft.fields.get(f"{KEPT_PREFIX}{each.row.id}", "").splitlines() for each in page.items}
        files, _ = read_lines(ctx, page.agency_id, lines)
        typed = {**(copied or {}), **draft.fields}
        return replace(read_report_form(page, typed, files, seen=draft.saved_at.isoformat()), draft=draft)
    if copied is not None:
        return read_report_form(page, copied, {})
    reported = {each.row.id: tuple(File(**file) for file in each.last.files) for each in page.items if each.last}
    return read_report_form(page, {}, reported)


def _copied(page: ReportPage, previous: PreviousReports) -> dict[str, str]:
    """Texts and figures of the period before, by field of this page. Outcomes are not copied: each is chosen again."""
    typed: dict[str, str] = {}
    for item in page.items:
        last = previous.reports.get(item.row.duty_id)
        if last is not None and item.reportable:
            typed |= {f"body-{item.row.id}": last.body, f"reason-{item.row.id}": last.reason}
    figures = {f"figure-{each.code}": str(previous.figures.get(each.code, "")) for each in page.indicators}
    return {name: text for name, text in (typed | figures).items() if text}


def submit(ctx: RequestContext, posted: Form, where: Address) -> Response:
    """Submit the report: all or nothing. A rejected one keeps what was typed and every valid file. The other button
    saves a draft."""
    ctx.require(Permission.REPORT, where.agency_id)
    with ctx.reading() as (session, today):
        page = report_page(session, today, where.agency_id, where.plan_id, where.period)
    uploaded = store_uploads(ctx, posted, where.agency_id, (item.row.id for item in page.items if item.reportable))
    typed = {
        name: values[0]
        for name, values in posted.fields.items()
        if values and name not in NOT_TYPED and not name.startswith(KEPT_PREFIX)
    }
    form = read_report_form(page, typed | uploaded.lines, uploaded.kept, seen=posted.raw("seen")[:MAX_SEEN_CHARS])
    try:
        problems = {**_secret_problems(form), **uploaded.problems}
        if problems:
            return report_form(ctx, where, rejected=replace(form, problems=problems), status=422)
        if posted.raw("act") == DRAFT:
            return _save(ctx, form, where)
        if form.unreadable is not None:
            raise form.unreadable
        choices = _with_agencies(ctx, page, form)
        checked = submission(form.duties, page.indicators, form.figures, choices, form.paper)
        if checked.problems:
            return report_form(ctx, where, rejected=replace(form, problems=checked.problems), status=422)
        totals = {name: text.said(ctx.language) for name, text in form.doubtful.items()}
        warned = replace(form, warned={**warnings(form.free_text, ctx.language), **totals})
        if warned.warned and posted.raw("sure") != _mark(warned):
            return report_form(ctx, where, rejected=warned, status=422)
        with ctx.writing() as session:
            for assignment_id, text in checked.texts.items():
                report(session, assignment_id, text, **ctx.by)
            _keep_unreported(session, ctx, where, form, checked)
    except (BadInput, Conflict) as error:
        rejected = replace(form, sentence=error.said(ctx.language))
        return report_form(ctx, where, rejected=rejected, status=error.status)
    return ctx.go(where.path, said="reported", n=len(checked.texts), lang=_language_parameter(ctx))


def _save(ctx: RequestContext, form: ReportForm, where: Address) -> Response:
    try:
        moment = datetime.fromisoformat(form.seen)
    except ValueError:
        moment = None
    with ctx.writing() as session:
        save(
            session,
            where.agency_id,
            where.plan_id,
            where.period,
            form.typed,
            seen=moment if moment is not None and moment.tzinfo else None,
            **ctx.by,
        )
    return ctx.go(where.path, said="draft", lang=_language_parameter(ctx))


def _keep_unreported(session: Session, ctx: RequestContext, where: Address, form: ReportForm, sent: Submission) -> None:
    """Delete the draft, but keep what was typed about duties not yet reported as a new draft."""
    ids = {*map(str, sent.texts), FOR_ALL}
    rest = {
        name: text
        for name, text in form.typed.items()
        if name.startswith((*FREE_TEXT_PREFIXES, *OTHER_PREFIXES, KEPT_PREFIX)) and name.partition("-")[2] not in ids
    }
    discard(session, where.agency_id, where.plan_id, where.period)
    if any(rest.values()):
        save(session, where.agency_id, where.plan_id, where.period, rest, **ctx.by)


def _secret_problems(form: ReportForm) -> dict[str, Text]:
    """Errors for text with a «MẬT» (secret) stamp, which is not stored, not even in a draft."""
    vi, en = PRIVATE_WORDS[Private.SECRET]
    return {
        name: Text(f"Nội dung {vi}.", f"This text {en}.")
        for name, text in form.free_text.items()
        if any(each.what is Private.SECRET for each in looks_private(text))
    }


def _mark(form: ReportForm) -> str:
    """Fingerprint of the texts that were warned about: changed text has to be confirmed again."""
    return fingerprint({name: clean(form.typed.get(name, "")) for name in form.warned})


def _language_parameter(ctx: RequestContext) -> str:
    return ctx.request.query_params.get("lang", "")
