"""What waits for the department: all in one list, then reports, requests for a later day, promises. One is decided at
once; several by a page that shows the effect, then the action.

Their pages are lists to tick, without heads; these are their files and their print. Pure.

Items decided by someone else meanwhile are skipped and listed.

A ``DecisionPage`` describes one kind of item (reports, extension requests); the procedure is shared.

One is decided by the button of its line, many with one answer. A promise that stands is refused from the page of its
assignment.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from enum import StrEnum
from functools import partial
from typing import Annotated, Any, Generic, Protocol, TypeVar

from fastapi import APIRouter, Depends
from fastapi.responses import RedirectResponse, Response
from sqlmodel import Session

from engine.accounts.permissions import Permission
from engine.assignments.bulk_decisions import (
    MAX_DECISIONS,
    Decided,
    accept_reports,
    check_selection,
    decide_extensions,
    decide_promises,
    return_reports,
)
from engine.assignments.undo import undoable
from engine.errors import BadInput
from engine.http.access import require_for
from engine.http.filters import Assignments, Code, Count, PageNumber
from engine.http.forms import MAX_REASON_CHARS, RESUBMITTED_BY, Form, clean
from engine.http.lists.listing import Column, ExportFormat, FileFormat, Listing, download, filter_names, number_column
from engine.http.request_context import PostedForm, RequestContext, SignedIn
from engine.queries.filter_choices import plan_choices
from engine.queries.time_class import Today
from engine.queries.work.assignments import AssignmentFilter, AssignmentRow
from engine.queries.work.ladder_steps import PlannedLetter, planned_letters
from engine.queries.work.promises import EXTENSIONS, PROMISES, ExtensionRequest, WaitingPromise, every_reason
from engine.queries.work.reports_to_accept import (
    WaitingReport,
    every_report_waiting,
    list_reports_waiting,
    reports_chosen,
    reports_waiting,
)
from engine.queries.work.todo import MAX_LINES, waiting_lines
from engine.rules.policy import Reason
from engine.rules.typed_day import reason_words
from engine.rules.words import period_words
from engine.terms import EventKind, Outcome
from engine.text import Text
from engine.views.labels import label
from engine.views.spreadsheets import Kind


class OfAssignment(Protocol):
    @property
    def assignment(self) -> AssignmentRow: ...


T = TypeVar("T", bound=OfAssignment)


def _task_columns(due: Text) -> Sequence[Column[T]]:
    """What each of them is about. ``due``: what the due date is called, of a list that asks for another."""
    return (
        Column(Text("Cơ quan chủ trì", "Owner"), lambda row, _: row.assignment.agency, width=34),
        Column(Text("Kế hoạch", "Plan"), lambda row, _: row.assignment.plan, width=16),
        Column(Text("Mục", "Citation"), lambda row, _: row.assignment.citation, width=10),
        Column(Text("Nội dung nhiệm vụ", "Duty"), lambda row, _: row.assignment.text, width=50),
        Column(Text("Kỳ", "Period"), lambda row, language: period_words(row.assignment.period, language), width=20),
        Column(due, lambda row, _: row.assignment.due_on, Kind.DAY, 12),
    )


def _figures(row: WaitingReport) -> str:
    return "; ".join(f"{name or code}: {value}" for code, name, value in row.figures)


REPORT_LIST: Listing[WaitingReport] = Listing(
    file_name="bao-cao-cho-tiep-nhan",
    title=Text("Báo cáo chờ tiếp nhận", "Reports to accept"),
    columns=(
        *_task_columns(Text("Hạn", "Due")),
        Column(Text("Gửi lúc", "Sent at"), lambda row, _: row.submitted_at, Kind.MOMENT, 18),
        Column(Text("Báo cáo lần", "Report no."), lambda row, _: row.number, Kind.NUMBER, 9),
        Column(Text("Kết quả", "Outcome"), lambda row, language: label(Outcome(row.outcome), language), width=16),
        Column(Text("Kết quả thực hiện", "What was done"), lambda row, _: row.body, width=50),
        Column(Text("Lý do chưa hoàn thành", "Why it is not finished"), lambda row, _: row.reason, width=30),
        Column(Text("Số liệu", "Figures"), lambda row, _: _figures(row), width=30),
        Column(Text("Tệp", "Files"), lambda row, _: "; ".join(str(each["name"]) for each in row.files), width=24),
        number_column(lambda row, _: row.assignment.id),
    ),
)

EXTENSION_LIST: Listing[ExtensionRequest] = Listing(
    file_name="de-nghi-gia-han",
    title=Text("Đề nghị gia hạn chờ quyết định", "Extensions to decide"),
    columns=(
        *_task_columns(Text("Hạn hiện nay", "Now due")),
        Column(Text("Đề nghị đến", "Asks for"), lambda row, _: row.until, Kind.DAY, 12),
        Column(Text("Lý do", "Reason"), lambda row, _: row.reason, width=50),
        Column(Text("Gửi lúc", "Sent at"), lambda row, _: row.asked_at, Kind.MOMENT, 18),
        number_column(lambda row, _: row.assignment.id),
    ),
)


def promise_list(reasons: Sequence[Reason]) -> Listing[WaitingPromise]:
    """``reasons``: of every policy."""

    def cause(row: WaitingPromise, language: str) -> str:
        return reason_words(row.reason_code, reasons).said(language)

    return Listing(
        file_name="loi-hen-cho-dong-y",
        title=Text("Lời hẹn chờ đồng ý", "Promises to agree to"),
        columns=(
            *_task_columns(Text("Hạn", "Due")),
            Column(Text("Hẹn ngày", "Promised for"), lambda row, _: row.promised_on, Kind.DAY, 12),
            Column(Text("Hẹn lần", "Promise no."), lambda row, _: row.number, Kind.NUMBER, 9),
            Column(Text("Nguyên nhân", "Cause"), cause, width=24),
            Column(Text("Lý do", "Reason"), lambda row, _: row.reason, width=40),
            Column(Text("Việc còn lại", "Still to be done"), lambda row, _: row.owed, width=30),
            Column(Text("Gửi lúc", "Made at"), lambda row, _: row.made_at, Kind.MOMENT, 18),
            number_column(lambda row, _: row.assignment.id),
        ),
    )


SHOWN = 60
"""Of the items to decide, on the page that asks."""


class Pending(Protocol):
    """An item of the list."""

    @property
    def id(self) -> int: ...
    @property
    def assignment(self) -> AssignmentRow: ...


A = TypeVar("A", bound=StrEnum)
W = TypeVar("W", bound=Pending)


@dataclass(frozen=True)
class ListView:
    """The list's page, whether all items are ticked, and the result of the last action."""

    page: int = 1
    tick: bool = False
    outcome: str = ""
    n: int = 0
    kept: int = 0


def _list_view(page: PageNumber = 1, tick: Code = "", said: Code = "", n: Count = 0, kept: Count = 0) -> ListView:
    return ListView(page, tick == "all", said, n, kept)


CurrentView = Annotated[ListView, Depends(_list_view)]


@dataclass(frozen=True)
class DecisionWords:
    """What was typed with a decision: the reason or answer, and a date (of resubmission), if one was chosen."""

    words: str
    until: date | None = None
    code: str = ""
    """Of the reason for returning a report."""
    ticked: frozenset[int] = frozenset()
    """Ids of the reports whose output is there."""


@dataclass(frozen=True, kw_only=True)
class DecisionPage(Generic[A, W]):
    """A list of pending decisions. ``template`` renders the list, ``<template>_sure`` the confirmation. ``acts``:
    action -> permission; ``kinds``: action -> the event that it records. ``can``: whether an action is still possible
    for a selected item. ``words``: the form field with the reason or answer. ``listing``, ``whole``: the columns and
    all rows of its files. ``needed``: the error for actions that require a reason. ``every``: the first
    ``MAX_DECISIONS`` pending items that a filter selects. ``seen``: whether an item is decided only where it is shown,
    since it is to be looked at by itself."""

    template: str
    acts: Mapping[A, Permission]
    waiting: Callable[..., Any]
    chosen: Callable[[Session, Today, Collection[int]], list[W]]
    can: Callable[[A, W], bool]
    do: Callable[[Session, A, list[int], DecisionWords, RequestContext], Decided]
    words: str
    kinds: Mapping[A, EventKind]
    listing: Callable[[Session], Listing[W]]
    whole: Callable[[Session, Today, AssignmentFilter], Iterator[W]]
    needed: Mapping[A, Text] = field(default_factory=dict)
    every: Callable[[Session, Today, AssignmentFilter], Sequence[W]] | None = None
    seen: Callable[[A, W], bool] = lambda act, row: False

    def show(self, ctx: RequestContext, wanted: AssignmentFilter, looked: ListView, sentence: str = "") -> Response:
        """The items pending at the user's department, or at any."""
        wanted = self._of_department(ctx, wanted)
        with ctx.reading() as (session, today):
            found = self.waiting(session, today, wanted, page=looked.page)
            plans, reasons = plan_choices(session, wanted.plan_id), every_reason(session)
        return ctx.kept_page(
            f"{self.template}.html",
            400 if sentence else 200,
            today=today,
            found=found,
            plans=plans,
            reasons=reasons,
            wanted=wanted,
            looked=looked,
            sentence=sentence,
        )

    def decide(self, ctx: RequestContext, form: Form, wanted: AssignmentFilter, looked: ListView) -> Response:
        """Without ``sure`` show the effect; with it, run the action. The URL keeps the list's filters."""
        try:
            act, rows = self._chosen(ctx, form, wanted)
        except BadInput as error:
            return self.show(ctx, wanted, ListView(looked.page), error.said(ctx.language))
        for row in rows:
            require_for(ctx, self.acts[act], row.assignment)
        try:
            answer = DecisionWords(
                form.text(self.words, MAX_REASON_CHARS),
                form.day_or_none("until", RESUBMITTED_BY),
                form.text("code", 32),
                frozenset(form.numbers("complete")),
            )
            if not form.has("sure"):
                return self._ask(ctx, form, act, rows)
            if act in self.needed and not answer.words:
                raise BadInput(self.needed[act])
            with ctx.writing() as session:
                decided = self._do(session, act, rows, answer, ctx)
        except BadInput as error:
            return self._ask(ctx, form, act, rows, error.said(ctx.language))
        done, kept = str(len(decided.done) or ""), str(len(decided.left) or "")
        return RedirectResponse(ctx.here(said=act.value, n=done, kept=kept), 303)

    def _do(self, session: Session, act: A, rows: Sequence[W], answer: DecisionWords, ctx: RequestContext) -> Decided:
        """So that it can be undone."""
        once = partial(self.do, session, act, [row.id for row in rows], answer, ctx)
        ids = [row.assignment.id for row in rows]
        return undoable(session, self.kinds[act], ids, once, place=ctx.path, **ctx.by)

    def export(self, ctx: RequestContext, wanted: AssignmentFilter, export_format: FileFormat) -> Response:
        """The whole list as a file or on paper."""
        wanted = self._of_department(ctx, wanted)
        with ctx.reading() as (session, today):
            rows, names = self.whole(session, today, wanted), filter_names(session, wanted.plan_id)
            return download(ctx, export_format, self.listing(session), rows, names)

    def _of_department(self, ctx: RequestContext, wanted: AssignmentFilter) -> AssignmentFilter:
        department = ctx.department(next(iter(self.acts.values())))
        return replace(wanted, supervisor_id=department or wanted.supervisor_id)

    def _chosen(self, ctx: RequestContext, form: Form, wanted: AssignmentFilter) -> tuple[A, Sequence[W]]:
        """The act and its items: that of a line's own button, the ticked ones, those of ticked agencies, those that
        were shown before, or all that the list's filter selects now."""
        single = next((act for act in self.acts if form.has(act.value)), None)
        act = single or form.choice("act", type(next(iter(self.acts))))
        with ctx.reading() as (session, today):
            every, owed = None if single else self.every, self._of_department(ctx, wanted)
            if every and form.has("all"):
                rows = every(session, today, owed)
                check_selection([row.id for row in rows])
                return act, rows
            ids = (form.number(act.value),) if single else form.numbers("id")
            if every:
                ticked = [replace(owed, agency_id=clean(each, 64)) for each in form.every("agency")[:MAX_LINES]]
                ids += tuple(row.id for each in ticked for row in every(session, today, each))
            check_selection(ids)
            return act, self.chosen(session, today, ids)

    def _ask(self, ctx: RequestContext, form: Form, act: A, rows: Sequence[W], sentence: str = "") -> Response:
        """What would be decided, of which the first ``SHOWN`` are shown, those that must be seen before the others."""
        can = sorted((row for row in rows if self.can(act, row)), key=lambda row: not self.seen(act, row))
        later = [row for row in can[SHOWN:] if self.seen(act, row)]
        kept = [row for row in rows if row not in can]
        can = [row for row in can if row not in later]
        letters = self._letters(ctx, act, [row.id for row in can]) if can else ()
        with ctx.reading() as (session, today):
            reasons = every_reason(session)
            return ctx.page(
                f"{self.template}_sure.html",
                400 if sentence else 200,
                today=today,
                act=act,
                rows=can,
                shown=can[:SHOWN],
                later=len(later),
                letters=letters,
                kept=kept,
                reasons=reasons,
                field=self.words,
                typed=form.raw(self.words)[:10_000],
                typed_until=form.raw("until")[:20],
                typed_code=form.raw("code")[:32],
                ticked=form.every("complete"),
                sentence=sentence,
            )

    def _letters(self, ctx: RequestContext, act: A, ids: list[int]) -> tuple[PlannedLetter, ...]:
        """The letters that would follow, found by running the action in a session that is rolled back."""
        with ctx.app.database.rehearse() as session:
            return planned_letters(session, lambda: self.do(session, act, ids, DecisionWords("?"), ctx))


router = APIRouter(include_in_schema=False)


class ReportAct(StrEnum):
    ACCEPT = "accept"
    RETURN = "return"


class ExtensionAct(StrEnum):
    GRANT = "grant"
    REFUSE = "refuse"


class PromiseAct(StrEnum):
    AGREE = "agree"
    REFUSE = "refuse"


def _reports(session: Session, act: ReportAct, ids: list[int], answer: DecisionWords, ctx: RequestContext) -> Decided:
    if act is ReportAct.ACCEPT:
        return accept_reports(session, ids, complete=answer.ticked, reason=answer.words, **ctx.by)
    return return_reports(session, ids, reason=answer.words, reason_code=answer.code, until=answer.until, **ctx.by)


def _extensions(
    session: Session, act: ExtensionAct, ids: list[int], answer: DecisionWords, ctx: RequestContext
) -> Decided:
    return decide_extensions(session, ids, granted=act is ExtensionAct.GRANT, answer=answer.words, **ctx.by)


def _promises(session: Session, act: PromiseAct, ids: list[int], answer: DecisionWords, ctx: RequestContext) -> Decided:
    return decide_promises(session, ids, agreed=act is PromiseAct.AGREE, answer=answer.words, **ctx.by)


REPORT_PAGE: DecisionPage[ReportAct, WaitingReport] = DecisionPage(
    template="accept",
    acts={ReportAct.ACCEPT: Permission.ACCEPT, ReportAct.RETURN: Permission.RETURN},
    waiting=reports_waiting,
    chosen=reports_chosen,
    can=lambda act, report: report.waits,
    do=_reports,
    words="reason",
    kinds={ReportAct.ACCEPT: EventKind.ACCEPTED, ReportAct.RETURN: EventKind.RETURNED},
    listing=lambda _: REPORT_LIST,
    whole=every_report_waiting,
    needed={ReportAct.RETURN: Text("Cần ghi lý do trả lại.", "Give the reason for returning it.")},
    every=lambda session, today, wanted: list_reports_waiting(session, today, wanted, limit=MAX_DECISIONS).rows,
    seen=lambda act, report: act is ReportAct.ACCEPT and report.owed is not None,
)
EXTENSION_PAGE: DecisionPage[ExtensionAct, ExtensionRequest] = DecisionPage(
    template="extensions",
    acts=dict.fromkeys(ExtensionAct, Permission.DECIDE_EXTENSION),
    waiting=EXTENSIONS.page,
    chosen=EXTENSIONS.chosen,
    can=lambda act, asked: asked.can_be_granted if act is ExtensionAct.GRANT else asked.waits,
    do=_extensions,
    words="words",
    kinds={ExtensionAct.GRANT: EventKind.EXTENSION_GRANTED, ExtensionAct.REFUSE: EventKind.EXTENSION_REFUSED},
    listing=lambda _: EXTENSION_LIST,
    whole=EXTENSIONS.every,
    every=lambda session, today, wanted: EXTENSIONS.listed(session, today, wanted, limit=MAX_DECISIONS).rows,
)
PROMISE_PAGE: DecisionPage[PromiseAct, WaitingPromise] = DecisionPage(
    template="promises",
    acts=dict.fromkeys(PromiseAct, Permission.DECIDE_EXTENSION),
    waiting=PROMISES.page,
    chosen=PROMISES.chosen,
    can=lambda act, made: made.can_be_agreed if act is PromiseAct.AGREE else made.can_be_refused,
    do=_promises,
    words="words",
    kinds={PromiseAct.AGREE: EventKind.PROMISE_AGREED, PromiseAct.REFUSE: EventKind.PROMISE_REFUSED},
    listing=lambda session: promise_list(every_reason(session)),
    whole=PROMISES.every,
    every=lambda session, today, wanted: PROMISES.listed(session, today, wanted, limit=MAX_DECISIONS).rows,
    needed={PromiseAct.REFUSE: Text("Cần ghi lý do không đồng ý.", "Say why it is refused.")},
)


@router.get("/queue")
def everything(ctx: SignedIn) -> Response:
    """A line an agency and kind; each is decided on the page of its kind."""
    wanted = AssignmentFilter(supervisor_id=ctx.department(Permission.ACCEPT))
    with ctx.reading() as (session, today):
        found = ctx.kept(session, waiting_lines, today, wanted)
    return ctx.kept_page("queue.html", today=today, found=found)


def _serve(path: str, page: DecisionPage[Any, Any]) -> None:
    @router.get(path)
    def show(ctx: SignedIn, wanted: Assignments, looked: CurrentView, export_format: ExportFormat = None) -> Response:
        return page.export(ctx, wanted, export_format) if export_format else page.show(ctx, wanted, looked)

    @router.post(path)
    def decide(ctx: SignedIn, form: PostedForm, wanted: Assignments, looked: CurrentView) -> Response:
        return page.decide(ctx, form, wanted, looked)


_serve("/accept", REPORT_PAGE)
_serve("/extensions", EXTENSION_PAGE)
_serve("/promises", PROMISE_PAGE)
