"""The report page: all duties of an agency for a period, and what it owes in other plans, in one submission. Used at
the desk and, by the link in a letter, by coordinators without an account."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
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
from engine.assignments.reports.submission import (
    NO_OUTCOME,
    PromiseChoices,
    Submission,
    checklist,
    submission,
)
from engine.errors import BadInput, Conflict
from engine.http.filters import AgencyId, Code, PageNumber, PeriodKey, SmallId, YesNo
from engine.http.forms import Form, asked_again, clean
from engine.http.render import url
from engine.http.request_context import RequestContext, SignedIn, read_form
from engine.http.request_context import checked as token_checked
from engine.http.uploads import ACCEPT, MAX_FORM_PARTS, UploadedFiles, read_lines, store_uploads
from engine.queries.directory import agencies_named
from engine.queries.time_class import Today
from engine.queries.work.promises import waiting_days
from engine.queries.work.report_page import (
    FOR_ALL,
    ReportPage,
    ReportSheet,
    SheetLayout,
    previous_reports,
    report_sheet,
)
from engine.rules.privacy import PRIVATE_WORDS, Private, fingerprint, looks_private, warnings
from engine.text import Text
from engine.web.pages.work.report_parts import (
    ALL_BODY,
    ALL_DONE,
    BESIDE,
    FREE_TEXT_PREFIXES,
    MAX_SEEN_CHARS,
    NO_COMMON_WORDS,
    OTHER_PREFIXES,
    SEEN,
    FormPart,
    ReportForm,
    copied,
    ids_of,
    is_touched,
    lacks_common_words,
    on_page,
    prefixes,
    read_report_form,
    split,
    without_words,
)

router = APIRouter(include_in_schema=False)
DRAFT = "draft"
Key = tuple[int, str]
"""A plan and a period."""


@dataclass(frozen=True)
class Address:
    """Identifies a report page, and the path its form is posted to. ``path_of``: the page of another plan and period of
    the agency."""

    agency_id: str
    plan_id: int
    period: str
    path: str
    path_of: Callable[[int, str], str]


def at_desk(agency_id: str, plan_id: int, period: str) -> Address:
    """The page of somebody signed in."""

    def path_of(plan_id: int, period: str) -> str:
        return f"/report/{agency_id}/{plan_id}/{period}"

    return Address(agency_id, plan_id, period, path_of(plan_id, period), path_of)


@dataclass(frozen=True, kw_only=True)
class Rejected:
    """What was typed into each part and not taken. ``sentence``: what is wrong with the whole."""

    posted: Form
    layout: SheetLayout
    forms: Mapping[Key, ReportForm]
    sentence: str = ""


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
    return report_form(ctx, at_desk(agency_id, plan_id, period), outcome=said, n=n, copy=bool(copy))


async def _sent(request: Request, ctx: SignedIn, agency_id: AgencyId) -> Form:
    """Check the permission before reading uploads."""
    ctx.require(Permission.REPORT, agency_id)
    return token_checked(request, await read_form(request, MAX_FORM_PARTS, MAX_FILE_BYTES))


@router.post("/report/{agency_id}/{plan_id}/{period}")
def send(
    ctx: SignedIn, form: Annotated[Form, Depends(_sent)], agency_id: AgencyId, plan_id: SmallId, period: PeriodKey
) -> Response:
    return submit(ctx, form, at_desk(agency_id, plan_id, period))


def report_form(
    ctx: RequestContext,
    where: Address,
    *,
    rejected: Rejected | None = None,
    status: int = 200,
    outcome: str = "",
    n: int = 0,
    copy: bool = False,
) -> Response:
    """The page: empty, as reported or saved before, or as typed and rejected. ``copy``: the empty boxes begin with what
    was reported for the period before; nothing is saved by that."""
    with ctx.reading() as (session, today):
        sheet = _sheet(ctx, session, today, where, rejected.layout if rejected else None)
        parts = tuple(
            _part(ctx, session, where, page, prefix, rejected=rejected, copy=copy)
            for page, prefix in zip(sheet.parts, prefixes(sheet.parts), strict=True)
        )
        waiting = waiting_days(session, [item.row.id for page in sheet.parts for item in page.items])
    forms = tuple(part.form for part in parts)
    return ctx.page(
        "report.html",
        status,
        today=today,
        report=sheet.first,
        sheet=sheet,
        parts=parts,
        waiting=waiting,
        **_said_of_all(rejected),
        wordless=any(ALL_BODY in form.problems for form in forms),
        NO_COMMON_WORDS=NO_COMMON_WORDS,
        action=where.path,
        path_of=where.path_of,
        post_to=_post_to(ctx, where),
        helpers=sorted({name for page in sheet.parts for name in page.helpers}),
        outcome=outcome,
        n=n,
        copied=copy and rejected is None and any(part.previous.reports for part in parts),
        confirm=_mark(forms),
        private=sum(name.startswith(FREE_TEXT_PREFIXES) for form in forms for name in form.warned),
        warned=sum(len(form.warned) for form in forms),
        ACCEPT=ACCEPT,
    )


def _said_of_all(rejected: Rejected | None) -> dict[str, object]:
    """What was typed above the parts, and what is wrong with the whole."""
    if rejected is None:
        return {"sentence": "", "all_done": False, "all_body": ""}
    typed = {"all_done": rejected.posted.has(ALL_DONE), "all_body": rejected.posted.raw(ALL_BODY)}
    return {"sentence": rejected.sentence, **typed}


def _sheet(
    ctx: RequestContext, session: Session, today: Today, where: Address, layout: SheetLayout | None
) -> ReportSheet:
    return report_sheet(
        session, today, where.agency_id, where.plan_id, where.period, page=_page_number(ctx), layout=layout
    )


def _page_number(ctx: RequestContext) -> int:
    """Of the sheets of a plan that one page cannot hold."""
    text = ctx.request.query_params.get("page", "")
    return max(1, int(text)) if text.isascii() and text.isdecimal() and len(text) < 4 else 1


def _post_to(ctx: RequestContext, where: Address) -> str:
    number, by_link = _page_number(ctx), ctx.link is not None
    return url(where.path, lang=ctx.language if by_link and ctx.chosen else "", page=number if number > 1 else "")


def _part(
    ctx: RequestContext,
    session: Session,
    where: Address,
    page: ReportPage,
    prefix: str,
    *,
    rejected: Rejected | None,
    copy: bool,
) -> FormPart:
    refused = rejected.forms.get(_key(page)) if rejected is not None else None
    draft = restore(session, page.agency_id, page.plan_id, page.period) if refused is None else None
    previous = previous_reports(session, page)
    if refused is not None:
        # Parsed again: by now somebody else may have reported some of the duties.
        form = replace(
            read_report_form(page, refused.typed, refused.files, seen=refused.seen),
            problems=refused.problems,
            warned=refused.warned,
        )
    else:
        form = _opened_form(session, page, draft, copied(page, previous) if copy else {})
    check = checklist(form.duties, page.indicators, form.figures, _with_agencies(session, page, form))
    owed = {item.row.id for item in page.items if item.open}
    return FormPart(
        page=page,
        prefix=prefix,
        path=where.path if not prefix else where.path_of(page.plan_id, page.period),
        form=form,
        check=replace(check, later=tuple(duty for duty in check.later if duty.assignment_id in owed)),
        previous=previous,
    )


def _with_agencies(session: Session, page: ReportPage, form: ReportForm) -> PromiseChoices:
    """With the agencies that were named as waited for."""
    named = {duty.promise.waits_for for duty in form.duties} - {""}
    return replace(page.choices, agencies=agencies_named(session, named)) if named else page.choices


def _opened_form(session: Session, page: ReportPage, draft: SavedDraft | None, before: Mapping[str, str]) -> ReportForm:
    """The boxes of a page just opened: with the draft over what is copied, or with what was reported."""
    if draft is not None:
        lines = {each.row.id: draft.fields.get(f"{KEPT_PREFIX}{each.row.id}", "").splitlines() for each in page.items}
        files, _ = read_lines(session, page.agency_id, lines)
        typed = {**before, **draft.fields}
        return replace(read_report_form(page, typed, files, seen=draft.saved_at.isoformat()), draft=draft)
    if before:
        return read_report_form(page, before, {})
    reported = {each.row.id: tuple(File(**file) for file in each.last.files) for each in page.items if each.last}
    return read_report_form(page, {}, reported)


def submit(ctx: RequestContext, posted: Form, where: Address) -> Response:
    """Submit the report: all or nothing. A rejected one keeps what was typed and every valid file. The other button
    saves a draft."""
    ctx.require(Permission.REPORT, where.agency_id)
    layout = _layout(posted)
    with ctx.reading() as (session, today):
        pages = _sheet(ctx, session, today, where, layout).parts
    uploaded = store_uploads(ctx, posted, where.agency_id, ids_of(pages))
    forms = _read(posted, pages, uploaded)
    again = asked_again(posted, [name for name in posted.fields if "promise-" in name], today.calendar)
    if again is not None:
        changed = _read(again.form, pages, uploaded, again.said)
        rejected = Rejected(posted=again.form, layout=layout, forms=changed)
        return report_form(ctx, where, rejected=rejected, status=422 if again.said else 200)

    def refused(forms: Mapping[Key, ReportForm], sentence: str = "", status: int = 422) -> Response:
        rejected = Rejected(posted=posted, layout=layout, forms=forms, sentence=sentence)
        return report_form(ctx, where, rejected=rejected, status=status)

    try:
        if faulty := _with_problems(forms, {key: _secret_problems(form) for key, form in forms.items()}):
            return refused(faulty)
        if posted.raw("act") == DRAFT:
            return _save(ctx, pages, forms, where)
        checked = _checked(ctx, pages, forms)
        if faulty := _with_problems(forms, _problems(posted, checked, _key(pages[0]))):
            return refused(faulty)
        if (unsure := _warned(ctx, forms)) and posted.raw("sure") != _mark(tuple(unsure.values())):
            return refused(unsure)
        return _send(ctx, pages, forms, checked, where)
    except (BadInput, Conflict) as error:
        return refused(forms, error.said(ctx.language), error.status)


def _send(
    ctx: RequestContext,
    pages: tuple[ReportPage, ...],
    forms: Mapping[Key, ReportForm],
    checked: Mapping[Key, Submission],
    where: Address,
) -> Response:
    reports = [each for one in checked.values() for each in one.texts.items()]
    with ctx.writing() as session:
        for assignment_id, text in reports:
            report(session, assignment_id, text, **ctx.by)
        for page in pages:
            _keep_unreported(session, ctx, page, forms[_key(page)], checked.get(_key(page)))
    return ctx.go(where.path, said="reported", n=len(reports), lang=language_parameter(ctx))


def _key(page: ReportPage) -> Key:
    return page.plan_id, page.period


def _layout(posted: Form) -> SheetLayout:
    """The parts that the page was sent with, and how it asked for promises."""
    named = (each.partition(":") for each in posted.every(BESIDE))
    beside = tuple((int(plan), period) for plan, _, period in named if plan.isdecimal() and len(plan) < 10 and period)
    promises = [name for name in posted.fields if "promise-" in name]
    apart = not any(name.endswith(f"promise-{FOR_ALL}") for name in promises) if promises else None
    return SheetLayout(beside, apart)


def _read(
    posted: Form, pages: tuple[ReportPage, ...], uploaded: UploadedFiles, said: Mapping[str, Text] | None = None
) -> dict[Key, ReportForm]:
    """The forms of the parts; what is wrong with a file stands among its problems, with what is ``said`` by field of
    the page."""
    forms = {}
    for page, prefix, typed in zip(pages, prefixes(pages), split(posted, pages), strict=True):
        ids = {item.row.id for item in page.asked}
        kept = {number: files for number, files in uploaded.kept.items() if number in ids}
        own = replace(uploaded, kept=kept)
        form = read_report_form(page, typed | own.lines, kept, seen=posted.raw(prefix + SEEN)[:MAX_SEEN_CHARS])
        wrong = {name: each for name, each in uploaded.problems.items() if name in {f"file-{number}" for number in ids}}
        wrong |= {own: said[name] for own in typed if said and (name := on_page(prefix, own)) in said}
        forms[_key(page)] = replace(form, problems=wrong)
    return forms


def _with_problems(
    forms: Mapping[Key, ReportForm], found: Mapping[Key, Mapping[str, Text]]
) -> dict[Key, ReportForm] | None:
    """The forms with what is wrong in each; None if nothing is."""
    faulty = {key: replace(form, problems={**found.get(key, {}), **form.problems}) for key, form in forms.items()}
    return faulty if any(form.problems for form in faulty.values()) else None


def _checked(
    ctx: RequestContext, pages: tuple[ReportPage, ...], forms: Mapping[Key, ReportForm]
) -> dict[Key, Submission]:
    """What is sent of the parts in which an outcome is chosen. Raises BadInput for a text that cannot be sent."""
    checked: dict[Key, Submission] = {}
    with ctx.app.database.read() as session:
        for page in pages:
            form = forms[_key(page)]
            if not form.chosen:
                continue
            if form.unreadable is not None:
                raise form.unreadable
            choices = _with_agencies(session, page, form)
            checked[_key(page)] = submission(form.duties, page.indicators, form.figures, choices, form.paper)
    return checked or {_key(pages[0]): Submission(problems={"form": NO_OUTCOME})}


def _problems(posted: Form, checked: Mapping[Key, Submission], first: Key) -> dict[Key, dict[str, Text]]:
    """What is wrong, by part; where the words for all duties are missing, once on their field."""
    problems = {key: dict(one.problems) for key, one in checked.items()}
    if not lacks_common_words(posted):
        return problems
    others = {key: without_words(found) for key, found in problems.items()}
    if others != problems:
        others.setdefault(first, {})[ALL_BODY] = NO_COMMON_WORDS
    return others


def _warned(ctx: RequestContext, forms: Mapping[Key, ReportForm]) -> dict[Key, ReportForm]:
    """The forms with what is warned about in the parts that are sent; empty if nothing is."""
    found = {}
    for key, form in forms.items():
        totals = {name: text.said(ctx.language) for name, text in form.doubtful.items()}
        warned = {**warnings(form.free_text, ctx.language), **totals} if form.chosen else {}
        found[key] = replace(form, warned=warned)
    return found if any(form.warned for form in found.values()) else {}


def _save(
    ctx: RequestContext, pages: tuple[ReportPage, ...], forms: Mapping[Key, ReportForm], where: Address
) -> Response:
    with ctx.writing() as session:
        for page in pages:
            form = forms[_key(page)]
            if page is pages[0] or is_touched(page, form):
                _save_draft(session, ctx, page, form)
    number = _page_number(ctx)
    return ctx.go(where.path, said="draft", lang=language_parameter(ctx), page=number if number > 1 else "")


def _save_draft(session: Session, ctx: RequestContext, page: ReportPage, form: ReportForm) -> None:
    try:
        moment = datetime.fromisoformat(form.seen)
    except ValueError:
        moment = None
    stored = restore(session, page.agency_id, page.plan_id, page.period)
    fields = {**_on_other_sheets(page, stored), **form.typed}
    seen = moment if moment is not None and moment.tzinfo else None
    save(session, page.agency_id, page.plan_id, page.period, fields, seen=seen, **ctx.by)


def _on_other_sheets(page: ReportPage, stored: SavedDraft | None) -> dict[str, str]:
    """What the draft holds of duties that this sheet does not show."""
    if stored is None or page.shown is None:
        return {}
    ends = {str(item.row.id) for item in page.items if item.reportable and item.row.id not in page.shown}
    return {name: text for name, text in stored.fields.items() if name.partition("-")[2] in ends}


def _keep_unreported(
    session: Session, ctx: RequestContext, page: ReportPage, form: ReportForm, sent: Submission | None
) -> None:
    """Delete the draft, but keep what was typed about duties not yet reported as a new draft. Of a part that is not
    sent everything typed is kept."""
    if sent is None:
        if is_touched(page, form):
            _save_draft(session, ctx, page, form)
        return
    ids = {*map(str, sent.texts), FOR_ALL}
    rest = {
        name: text
        for name, text in form.typed.items()
        if name.startswith((*FREE_TEXT_PREFIXES, *OTHER_PREFIXES, KEPT_PREFIX)) and name.partition("-")[2] not in ids
    }
    rest = {**_on_other_sheets(page, restore(session, page.agency_id, page.plan_id, page.period)), **rest}
    discard(session, page.agency_id, page.plan_id, page.period)
    if any(rest.values()):
        save(session, page.agency_id, page.plan_id, page.period, rest, **ctx.by)


def _secret_problems(form: ReportForm) -> dict[str, Text]:
    """Errors for text with a «MẬT» (secret) stamp, which is not stored, not even in a draft."""
    vi, en = PRIVATE_WORDS[Private.SECRET]
    return {
        name: Text(f"Nội dung {vi}.", f"This text {en}.")
        for name, text in form.free_text.items()
        if any(each.what is Private.SECRET for each in looks_private(text))
    }


def _mark(forms: tuple[ReportForm, ...]) -> str:
    """Fingerprint of the texts that were warned about: changed text has to be confirmed again."""
    texts = {
        f"{number}:{name}" if number else name: clean(form.typed.get(name, ""))
        for number, form in enumerate(forms)
        for name in form.warned
    }
    return fingerprint(texts)


def language_parameter(ctx: RequestContext) -> str:
    return ctx.request.query_params.get("lang", "")
