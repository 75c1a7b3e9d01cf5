"""Bulk decisions of the supervising department: the list, a page that shows the effect, then the action. Items decided
by someone else meanwhile are skipped and listed.

A ``DecisionPage`` describes one kind of item (reports, extension requests); the procedure is shared.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from enum import StrEnum
from functools import partial
from typing import Annotated, Any, Generic, Protocol, TypeVar

from fastapi import Depends
from fastapi.responses import RedirectResponse, Response
from sqlmodel import Session

from engine.accounts.permissions import Permission
from engine.assignments.acts.undo import undoable
from engine.assignments.bulk_decisions import Decided, check_selection
from engine.errors import BadInput
from engine.http.contact_access import require_for
from engine.http.filters import Code, Count, PageNumber
from engine.http.forms import MAX_REASON_CHARS, RESUBMITTED_BY, Form
from engine.http.lists.listing import FileFormat, Listing, download, filter_names
from engine.http.request_context import RequestContext
from engine.queries.filter_choices import plan_choices
from engine.queries.time_class import Today
from engine.queries.work.assignments import AssignmentFilter, AssignmentRow
from engine.queries.work.ladder_steps import PlannedLetter, planned_letters
from engine.queries.work.promises import every_reason
from engine.terms import EventKind
from engine.text import Text

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
        """The act and its items: that of a line's own button, the ticked ones, those that were shown before, or all
        that the list's filter selects now."""
        single = next((act for act in self.acts if form.has(act.value)), None)
        act = single or form.choice("act", type(next(iter(self.acts))))
        with ctx.reading() as (session, today):
            if single is None and form.has("all") and self.every is not None:
                rows = self.every(session, today, self._of_department(ctx, wanted))
                check_selection([row.id for row in rows])
                return act, rows
            ids = (form.number(act.value),) if single else form.numbers("id")
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
