"""The page behind «Báo khó khăn, hỏi, xin gia hạn, cử người thay»: what an owner may do beside reporting; and the same
thread behind the links of letters.

Used at the desk and, by the link in any letter, without an account; and the page of the duties that an agency helps
with.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from engine.accounts.permissions import Permission
from engine.accounts.signed_links import Link, Purpose
from engine.agencies import contacts
from engine.agencies.contacts import ContactLine
from engine.agencies.preferences import MAY_NAME
from engine.assignments.bulk_decisions import ask_for_days
from engine.assignments.promise_rows import PromiseText
from engine.assignments.reports.evidence import MAX_FILE_BYTES, StoredFile, keep
from engine.assignments.reports.submission import TypedPromise, read_promise
from engine.correspondence.entries import MAX_TEXT_CHARS, OWNER_KINDS, NewEntry, add_part, answer, write
from engine.errors import BadInput, Conflict, FieldsRefused, NotFound
from engine.http.access import own_contact
from engine.http.filters import AgencyId, Code, Count, PeriodKey, SmallId
from engine.http.forms import MAX_REASON_CHARS, Form, asked_again
from engine.http.request_context import RequestContext, SignedIn, Unauthenticated, read_form
from engine.http.request_context import checked as token_checked
from engine.http.uploads import ACCEPT, MAX_FORM_PARTS, store_uploads
from engine.queries.directory import monitors
from engine.queries.filter_choices import plan_of
from engine.queries.time_class import Today
from engine.queries.work.assignment_story import assignment_row
from engine.queries.work.desk import agency_name
from engine.queries.work.incoming import messages_about
from engine.queries.work.letter_links import linked_assignments
from engine.queries.work.promises import promise_choices, waiting_days
from engine.queries.work.report_page import ReportItem, report_page
from engine.queries.work.threads import Coordinated, EntryLine, coordinated, threads_of
from engine.queries.work.todo import waiting_extensions
from engine.rules.privacy import fingerprint, warnings
from engine.rules.situation import is_ahead
from engine.terms import EntryKind
from engine.text import Text
from engine.web.pages.account.preferences import check_deputy, name_deputy
from engine.web.pages.work import letter_links
from engine.web.pages.work.report import Address, at_desk, language_parameter

router = APIRouter(include_in_schema=False)
FILES = 0
"""The number of the form's file field; report forms number theirs by assignment."""
WHOLE_PLAN = "plan"
NEW_DUE, EXPECTED_ON = Text("Hạn mới", "New due date"), Text("Dự kiến xong ngày", "Expected to be done on")
MAX_DAY_CHARS, MAX_CODE_CHARS, MAX_NAME_CHARS = 20, 32, 300


class ThreadAct(StrEnum):
    """What a form of the page does."""

    WRITE = "write"
    ANSWER = "answer"
    EXTEND = "extend"
    PROMISE = "promise"
    DEPUTY = "deputy"


@dataclass(frozen=True, kw_only=True)
class Rejected:
    """A form that was not carried out: which, why, and what was typed. ``sure``: what its warning tick must say."""

    form: str = ""
    sentence: str = ""
    fields: Mapping[str, str] = field(default_factory=dict)
    typed: Mapping[str, Sequence[str]] = field(default_factory=dict)
    warned: str = ""
    sure: str = ""
    status: int = 200

    def value(self, name: str) -> str:
        return next(iter(self.typed.get(name, ())), "")


@router.get("/report/{agency_id}/{plan_id}/{period}/thread")
def show(
    ctx: SignedIn, agency_id: AgencyId, plan_id: SmallId, period: PeriodKey, said: Code = "", n: Count = 0
) -> Response:
    ctx.require(Permission.RAISE, agency_id)
    where = at_desk(agency_id, plan_id, period)
    return thread_page(ctx, where, _own(ctx), outcome=said, n=n)


async def _sent(request: Request, ctx: SignedIn, agency_id: AgencyId) -> Form:
    """Check the permission before reading uploads."""
    ctx.require(Permission.RAISE, agency_id)
    return token_checked(request, await read_form(request, MAX_FORM_PARTS, MAX_FILE_BYTES))


@router.post("/report/{agency_id}/{plan_id}/{period}/thread")
def send(
    ctx: SignedIn, form: Annotated[Form, Depends(_sent)], agency_id: AgencyId, plan_id: SmallId, period: PeriodKey
) -> Response:
    where = at_desk(agency_id, plan_id, period)
    return thread_sent(ctx, form, where, _own(ctx))


def _own(ctx: RequestContext) -> ContactLine | None:
    with ctx.app.database.read() as session:
        return own_contact(ctx, session)


def thread_page(
    ctx: RequestContext,
    where: Address,
    contact: ContactLine | None,
    *,
    outcome: str = "",
    n: int = 0,
    rejected: Rejected | None = None,
) -> Response:
    rejected = rejected or Rejected()
    with ctx.reading() as (session, today):
        page = report_page(session, today, where.agency_id, where.plan_id, where.period)
        lines = threads_of(session, where.agency_id, where.plan_id)
        messages = messages_about(session, where.agency_id, {item.row.id for item in page.items})
        asked = waiting_extensions(session, [item.row.id for item in page.items])
        waiting = waiting_days(session, [item.row.id for item in page.items])
        above = page.items[0].row.supervisor_id
        enquiries = monitors(session, [above], today.day)[above]
    may_name = contact is not None and contact.role in MAY_NAME and ctx.may(Permission.NAME_DEPUTY, where.agency_id)
    return ctx.page(
        "threads/thread.html",
        rejected.status,
        today=today,
        report=page,
        lines=_by_question(lines),
        messages=messages,
        extendable=[item for item in page.items if _extendable(item, asked, today)],
        promisable=[item for item in page.items if item.late_on(today.day)],
        asked=asked,
        waiting=waiting,
        call=enquiries,
        path=where.path,
        rejected=rejected,
        outcome=outcome,
        n=n,
        may_name=may_name,
        OWNER_KINDS=OWNER_KINDS,
        EntryKind=EntryKind,
        WHOLE_PLAN=WHOLE_PLAN,
        ACCEPT=ACCEPT,
    )


def _by_question(lines: Sequence[EntryLine]) -> list[tuple[EntryLine, list[EntryLine]]]:
    """Each entry with its answers: what waits for this agency first, then the newest."""
    answers: dict[int, list[EntryLine]] = {}
    for each in lines:
        if each.answers_id is not None:
            answers.setdefault(each.answers_id, []).append(each)
    questions = [each for each in lines if each.answers_id is None]
    questions.sort(key=lambda each: (not (each.waits and not each.of_owner), -each.id))
    return [(each, answers.get(each.id, [])) for each in questions]


def _extendable(item: ReportItem, asked: Collection[int], today: Today) -> bool:
    return item.reportable and is_ahead(item.row.due_on, today.day) and item.row.id not in asked


def thread_sent(ctx: RequestContext, form: Form, where: Address, contact: ContactLine | None) -> Response:
    """One of the page's forms. A rejected one is shown again with everything typed."""
    act = form.choice("act", ThreadAct)
    with ctx.reading() as (_, today):
        again = asked_again(form, ("until", "promise"), today.calendar)
    if again is not None:
        said = {name: text.said(ctx.language) for name, text in again.said.items()}
        rejected = _again(act, again.form, fields=said, status=422 if said else 200)
        return thread_page(ctx, where, contact, rejected=rejected)
    by_act: Mapping[ThreadAct, Callable[[], int]] = {
        ThreadAct.WRITE: lambda: _write(ctx, form, where),
        ThreadAct.ANSWER: lambda: _answer(ctx, form, where),
        ThreadAct.EXTEND: lambda: _extend(ctx, form, where),
        ThreadAct.PROMISE: lambda: _promise(ctx, form, where),
        ThreadAct.DEPUTY: lambda: _deputy(ctx, form, where, contact),
    }
    warned, sure = _warned(ctx, form)
    if warned and form.raw("sure") != sure:
        return thread_page(ctx, where, contact, rejected=_again(act, form, warned=warned, sure=sure))
    try:
        n = by_act[act]()
    except (BadInput, Conflict) as error:
        fields = error.fields if isinstance(error, FieldsRefused) else {}
        said = {name: text.said(ctx.language) for name, text in fields.items()}
        rejected = _again(act, form, sentence=error.said(ctx.language), fields=said, status=error.status)
        return thread_page(ctx, where, contact, rejected=rejected)
    done = ThreadAct.WRITE if act is ThreadAct.PROMISE and not form.has("promise") else act
    language = ctx.request.query_params.get("lang", "")
    return ctx.go(f"{where.path}/thread", said=done if n else "nothing_new", n=n or "", lang=language)


def _again(
    act: ThreadAct,
    form: Form,
    *,
    sentence: str = "",
    fields: Mapping[str, str] | None = None,
    warned: str = "",
    sure: str = "",
    status: int = 422,
) -> Rejected:
    typed = {name: values for name, values in form.fields.items() if name not in ("token", "act", "sure")}
    return Rejected(
        form=f"{act}-{form.raw('entry')}" if act is ThreadAct.ANSWER else act,
        sentence=sentence,
        fields=fields or {},
        typed=typed,
        warned=warned,
        sure=sure,
        status=status,
    )


def _warned(ctx: RequestContext, form: Form) -> tuple[str, str]:
    """A warning about possible personal data in what was typed, and its fingerprint."""
    texts = {name: form.raw(name) for name in ("text", "reason", "owed") if form.has(name)}
    found = warnings(texts, ctx.language)
    return " ".join(found.values()), fingerprint({name: texts[name] for name in found})


def _items(ctx: RequestContext, where: Address) -> Mapping[int, ReportItem]:
    """What the page is about, by assignment."""
    with ctx.reading() as (session, today):
        page = report_page(session, today, where.agency_id, where.plan_id, where.period)
    return {item.row.id: item for item in page.items}


def _write(ctx: RequestContext, form: Form, where: Address) -> int:
    ctx.require(Permission.RAISE, where.agency_id)
    kind, whole = form.choice("kind", EntryKind), form.raw("about") == WHOLE_PLAN
    assignment_id = _about(form, _items(ctx, where), whole=whole)
    if whole and kind is EntryKind.PROGRESS:
        raise BadInput(Text("Tiến độ ghi theo từng nhiệm vụ.", "Progress is told duty by duty."))
    expected = form.day_or_none("expected", EXPECTED_ON) if kind is EntryKind.PROGRESS else None
    text = form.text("text", MAX_TEXT_CHARS)
    files = tuple(each.as_entry for each in store_files(ctx, form, where.agency_id))
    with ctx.writing() as session:
        new = NewEntry(kind, text, whole, expected, files)
        return int(write(session, assignment_id, new, **ctx.by))


def _about(form: Form, items: Mapping[int, ReportItem], *, whole: bool) -> int:
    """The assignment that an entry is kept with: about the whole plan, the first open one of the page."""
    if whole:
        return next((one for one, item in items.items() if item.open), next(iter(items)))
    if (assignment_id := form.number("about")) not in items:
        raise NotFound
    return assignment_id


def _answer(ctx: RequestContext, form: Form, where: Address) -> int:
    ctx.require(Permission.RAISE, where.agency_id)
    with ctx.writing() as session:
        return int(
            answer(
                session, form.number("entry"), form.text("text", MAX_TEXT_CHARS), agency_id=where.agency_id, **ctx.by
            )
        )


def _extend(ctx: RequestContext, form: Form, where: Address) -> int:
    ctx.require(Permission.ASK_EXTENSION, where.agency_id)
    ids = form.numbers("id")
    if set(ids) - set(_items(ctx, where)):
        raise NotFound
    until, reason = form.day("until", NEW_DUE), form.text("reason", MAX_REASON_CHARS)
    files = tuple(each.as_entry for each in store_files(ctx, form, where.agency_id))
    with ctx.writing() as session:
        asked = ask_for_days(session, ids, PromiseText(on=until, reason=reason), files=files, **ctx.by)
    return len(asked.done)


def _promise(ctx: RequestContext, form: Form, where: Address) -> int:
    """One promise for tasks that are late already. Without a day nothing is promised: the reason is a difficulty.
    Raises FieldsRefused with what is wrong by field."""
    ctx.require(Permission.ASK_EXTENSION, where.agency_id)
    ids = form.numbers("id")
    if set(ids) - set(_items(ctx, where)):
        raise NotFound
    typed = TypedPromise(
        on=form.text("promise", MAX_DAY_CHARS),
        code=form.text("code", MAX_CODE_CHARS),
        waits_for=form.text("waits", MAX_NAME_CHARS),
        owed=form.text("owed", MAX_REASON_CHARS),
    )
    with ctx.reading() as (session, today):
        policy_id = plan_of(session, where.plan_id).policy_id
        choices = promise_choices(session, today, policy_id, {typed.waits_for})
    text, wrong = read_promise(typed, choices)
    if wrong:
        raise FieldsRefused(wrong)
    text = replace(text, reason=form.text("reason", MAX_REASON_CHARS))
    with ctx.writing() as session:
        if text.on is None:
            return sum(write(session, each, NewEntry(EntryKind.DIFFICULTY, text.reason), **ctx.by) for each in ids)
        return len(ask_for_days(session, ids, text, **ctx.by).done)


def _deputy(ctx: RequestContext, form: Form, where: Address, contact: ContactLine | None) -> int:
    ctx.require(Permission.NAME_DEPUTY, where.agency_id)
    if contact is None:
        raise NotFound
    check_deputy(form)
    with ctx.writing() as session:
        name_deputy(ctx, session, form, contact)
    return 1


def store_files(ctx: RequestContext, form: Form, agency_id: str) -> tuple[StoredFile, ...]:
    """The files of the form, stored for the agency. Raises FieldsRefused for one that is not accepted."""
    uploaded = store_uploads(ctx, form, agency_id, (FILES,))
    if uploaded.problems:
        raise FieldsRefused(uploaded.problems)
    return uploaded.kept.get(FILES, ())


# --- what an agency helps with ----------------------------------------------------------------------------------------


@router.get("/agencies/{agency_id}/coordinated")
def coordinated_shown(ctx: SignedIn, agency_id: AgencyId, said: Code = "") -> Response:
    ctx.require(Permission.SEE_ASSIGNMENT, agency_id)
    return coordinated_page(ctx, agency_id, f"/agencies/{agency_id}/coordinated", outcome=said)


async def _part_sent(request: Request, ctx: SignedIn, agency_id: AgencyId) -> Form:
    ctx.require(Permission.ADD_PART, agency_id)
    return token_checked(request, await read_form(request, MAX_FORM_PARTS, MAX_FILE_BYTES))


@router.post("/agencies/{agency_id}/coordinated")
def coordinated_sent(ctx: SignedIn, form: Annotated[Form, Depends(_part_sent)], agency_id: AgencyId) -> Response:
    path = f"/agencies/{agency_id}/coordinated"
    try:
        changed = part_sent(ctx, form, agency_id)
    except (BadInput, Conflict) as error:
        return coordinated_page(ctx, agency_id, path, sentence=error.said(ctx.language), form=form, status=error.status)
    return ctx.go(path, said="part" if changed else "nothing_new")


def coordinated_page(
    ctx: RequestContext,
    agency_id: str,
    path: str,
    *,
    outcome: str = "",
    sentence: str = "",
    form: Form | None = None,
    status: int = 200,
) -> Response:
    with ctx.reading() as (session, today):
        name, _ = agency_name(session, agency_id)
        found: tuple[Coordinated, ...] = coordinated(session, today, agency_id)
    return ctx.page(
        "coordinated.html",
        status,
        today=today,
        agency_id=agency_id,
        agency=name,
        coordinated=found,
        may_add=ctx.may(Permission.ADD_PART, agency_id),
        part_path=path,
        outcome=outcome,
        sentence=sentence,
        typed=(form.raw("id"), form.raw("text")) if form else ("", ""),
        ACCEPT=ACCEPT,
    )


def part_sent(ctx: RequestContext, form: Form, agency_id: str) -> bool:
    """Add the part of a coordinating agency; its files are handed to the owner. False if it was given today before."""
    ctx.require(Permission.ADD_PART, agency_id)
    text = form.text("text", MAX_TEXT_CHARS)
    files = store_files(ctx, form, agency_id)
    assignment_id = form.number("id")
    with ctx.reading() as (session, today):
        owner_id = assignment_row(session, today, assignment_id).agency_id
    with ctx.writing() as session:
        new = NewEntry(EntryKind.PART, text, files=tuple(each.as_entry for each in files))
        changed = add_part(session, assignment_id, agency_id, new, **ctx.by)
        for each in files if changed else ():
            keep(session, each, agency_id=owner_id, **ctx.by)
    return changed


PartForm = Annotated[Form, Depends(letter_links.uploads(Purpose.ACKNOWLEDGE))]


@router.post("/l/{token}/part")
def part(ctx: Unauthenticated, form: PartForm, token: str) -> Response:
    """The part of a coordinating agency in a duty that the letter named."""
    link = letter_links.checked(ctx, form.raw("token"), token, Purpose.ACKNOWLEDGE)
    assignment_id = form.number("id")
    with ctx.reading() as (session, today):
        contact, _ = letter_links.linked(session, today, link)
        named = linked_assignments(session, link)
    ctx = letter_links.as_contact(ctx, contact, token, link.purpose)
    if assignment_id not in named:
        raise NotFound(Text("Thư này không nói về việc ấy.", "This letter does not mention that assignment."))
    try:
        changed = part_sent(ctx, form, contact.agency_id)
    except (BadInput, Conflict) as error:
        return letter_links.acknowledge_page(
            ctx, token, link, "", error.said(ctx.language), (form.raw("id"), form.raw("text")), error.status
        )
    return ctx.go(f"/l/{token}", said="part" if changed else "already", lang=language_parameter(ctx))


@router.get("/r/{token}/thread")
def thread_shown(ctx: Unauthenticated, token: str, said: Code = "", n: Count = 0) -> Response:
    ctx, where, contact = _thread(ctx, token, letter_links.opened(ctx, Purpose.REPORT, token))
    return thread_page(ctx, where, contact, outcome=said, n=n)


@router.post("/r/{token}/thread")
def thread_posted(ctx: Unauthenticated, form: letter_links.ReportForm, token: str) -> Response:
    ctx, where, contact = _thread(ctx, token, letter_links.checked(ctx, form.raw("token"), token, Purpose.REPORT))
    return thread_sent(ctx, form, where, contact)


def _thread(ctx: RequestContext, token: str, link: Link) -> tuple[RequestContext, Address, ContactLine]:
    """The page of a report link's thread, and the contact in whose name a deputy may be named."""
    ctx, where = letter_links.report_address(ctx, token, link)
    ctx.require(Permission.RAISE, where.agency_id)
    with ctx.app.database.read() as session:
        return ctx, where, contacts.find(session, link.contact_id)
