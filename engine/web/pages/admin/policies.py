"""Reminder policies in words: a step is edited in its place, the rest as text; what would change is shown first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Annotated

from fastapi import APIRouter, Path
from fastapi.responses import Response
from sqlmodel import Session

from engine.accounts.permissions import Permission
from engine.admin.policy_editor import (
    KINDS,
    LADDERS,
    ROLES,
    RungRow,
    differences,
    keep,
    mark_of,
    policy_rows,
    policy_text,
    read_policy,
    row_of,
    steps,
    typed_row,
    with_rung,
)
from engine.errors import BadInput, Conflict, DondocError, FieldsRefused, FileRefused
from engine.http.filters import Code, Plain
from engine.http.forms import FormFields, clean
from engine.http.request_context import PostedForm, RequestContext, SignedIn
from engine.plans.loading import kept_ladders, move_to_new_ladders
from engine.queries.system.policies import Reach, find_policy, list_policies, policy_line, reach
from engine.rules.calendar import WorkCalendar
from engine.rules.policy import MAX_LEVEL, Policy, Rung
from engine.store.rulebook import read_rulebook
from engine.terms import NoticeKind, Role
from engine.text import Text
from engine.views.labels import label
from engine.views.svg_charts import ladder_line

router = APIRouter(include_in_schema=False)
MAX_POLICY_CHARS = 60_000
PolicyId = Annotated[str, Plain, Path(max_length=64)]


@router.get("/admin/policies")
def listing(ctx: SignedIn) -> Response:
    ctx.require(Permission.SEE_POLICIES)
    with ctx.reading() as (session, _):
        found = list_policies(session)
    return ctx.page("admin/policies.html", found=found, LADDERS=LADDERS)


@dataclass(frozen=True, kw_only=True)
class OpenStep:
    """The step that is open on the page. ``name``: of its rung, empty for a new one; ``changed``: the policy with it as
    typed, None while nothing is; then with whom it reaches, on which days, and how many open tasks could follow it."""

    ladder: str
    name: str
    row: RungRow
    was: Rung | None = None
    becomes: Rung | None = None
    changed: Policy | None = None
    reach: Reach = field(default_factory=Reach)
    moves: Sequence[tuple[date, date | None, date | None, int]] = ()
    """(due date, day of the letter now, day then, tasks)"""
    movable: int = 0


@router.get("/admin/policies/{policy_id}")
def show(ctx: SignedIn, policy_id: PolicyId, said: Code = "", ladder: Code = "", step: Code = "") -> Response:
    """The policy; with ``ladder`` one of its steps is open (an empty ``step``: a new one), and what it would change as
    the address says it."""
    ctx.require(Permission.KEEP_POLICIES if ladder else Permission.SEE_POLICIES)
    wrong: Mapping[str, Text] = {}
    with ctx.reading() as (session, today):
        line, open_step = policy_line(session, policy_id), None
        kept, general = kept_ladders(session, policy_id), read_rulebook(session).general
        if ladder in LADDERS:
            open_step, wrong = _open_step(ctx, session, today.calendar, line.policy, ladder, step)
    kind, _, count = said.partition(".")
    rungs = line.policy.ladders["order"].rungs
    return ctx.page(
        "admin/policy.html",
        422 if wrong else 200,
        line=line,
        ladders=[
            (kind, name, steps(line.policy.ladders[kind], ctx.language))  # type: ignore[index]
            for kind, name in LADDERS.items()
        ],
        drawn=ladder_line(line.policy.ladders["order"], ctx.language),
        above=[
            (role, min(days))
            for role in (Role.MONITOR, Role.DIRECTOR, Role.LEADERSHIP)
            if (days := [rung.due for rung in rungs if role in rung.to and rung.due and rung.due > 0])
        ],
        rows=policy_rows(line.policy, ctx.language, general=general == line.policy),
        said_it=kind,
        moved=int(count) if count.isdecimal() else 0,
        kept=kept,
        step=open_step,
        typed=_fields(open_step.row if open_step else RungRow(), wrong),
        mark=mark_of(line.policy),
        text=policy_text(open_step.changed) if open_step and open_step.changed else "",
        ROLES=ROLES,
        letters=[(each.value, label(each, ctx.language)) for each in KINDS]
        + [
            (f"{NoticeKind.ESCALATION}-{n}", Text(f"đôn đốc lần {n}", f"escalation, level {n}").said(ctx.language))
            for n in range(1, MAX_LEVEL + 1)
        ],
    )


def _open_step(
    ctx: RequestContext, session: Session, calendar: WorkCalendar, policy: Policy, ladder: str, name: str
) -> tuple[OpenStep, Mapping[str, Text]]:
    """The step with what the address asks of it: «look» at it as typed, or «drop» it; and what is wrong by field."""
    query = ctx.request.query_params
    was = policy.ladders[ladder].find(name)  # type: ignore[index]
    step, do = OpenStep(ladder=ladder, name=name, row=row_of(was) if was else RungRow(), was=was), query.get("do")
    if do not in ("look", "drop"):
        return step, {}
    typed = typed_row(query, query.getlist("to")) if do == "look" else None
    step = replace(step, row=typed or step.row)
    try:
        changed, becomes = with_rung(policy, ladder, name, typed)
    except FieldsRefused as error:
        return step, error.fields
    if changed == policy:
        return step, {}
    moves = Counter[tuple[date, date | None, date | None]]()
    found = reach(session, changed, calendar, ctx.today)
    for each in found.coming:
        if each.request is (ladder == "request"):
            days = (each.day_of(rung, policy, calendar) if rung else None for rung in (was, becomes))
            moves[each.due_on, *days] += each.tasks  # type: ignore[index]
    return replace(
        step,
        becomes=becomes,
        changed=changed,
        reach=found,
        moves=[(*days, tasks) for days, tasks in sorted(moves.items())],
        movable=kept_ladders(session, policy.id, changed).movable,
    ), {}


def _fields(row: RungRow, wrong: Mapping[str, Text]) -> FormFields:
    return FormFields({"when": row.when, "days": row.days, "letter": row.letter, "by": row.by}, dict(wrong))


@router.post("/admin/policies/{policy_id}/ladders")
def move_ladders(ctx: SignedIn, form: PostedForm, policy_id: PolicyId) -> Response:
    """Give today's ladder to the open work that no reminder has reached."""
    ctx.require(Permission.KEEP_POLICIES)
    with ctx.writing() as session:
        moved = move_to_new_ladders(session, policy_id, **ctx.by)
    return ctx.go(f"/admin/policies/{policy_id}", said=f"moved.{moved}")


@router.get("/admin/policies/{policy_id}/edit")
def edit(ctx: SignedIn, policy_id: PolicyId) -> Response:
    """The whole policy as text."""
    ctx.require(Permission.KEEP_POLICIES)
    with ctx.reading() as (session, _):
        line = policy_line(session, policy_id)
    return _form(ctx, policy_text(line.policy), policy_id)


@router.post("/admin/policies")
def decide(ctx: SignedIn, form: PostedForm) -> Response:
    """Preview a text, or save it; what is rejected is shown again with every mistake."""
    ctx.require(Permission.KEEP_POLICIES)
    text, of = form.raw("text"), form.raw("of")[:64]
    if form.raw("do") == "edit":
        return _form(ctx, text, of)
    try:
        policy = read_policy(clean(text, MAX_POLICY_CHARS))
        if form.raw("do") == "save":
            with ctx.writing() as session:
                keep(session, policy, instead_of=form.raw("instead_of")[:64] or "-", **ctx.by)
                moved = move_to_new_ladders(session, policy.id, **ctx.by) if form.raw("move") else 0
            return ctx.go(f"/admin/policies/{policy.id}", said=f"saved.{moved}")
    except Conflict as error:
        return _preview(ctx, policy, text, of, error)
    except BadInput as error:
        return _form(ctx, text, of, error)
    return _preview(ctx, policy, text, of)


def _form(ctx: RequestContext, text: str, of: str, refused: DondocError | None = None) -> Response:
    problems = refused.problems if isinstance(refused, FileRefused) else ()
    return ctx.page(
        "admin/policy_edit.html",
        refused.status if refused else 200,
        text=text,
        of=of,
        problems=problems,
        sentence=refused.said(ctx.language) if refused and not problems else "",
        rows=min(max(text.count("\n") + 3, 12), 44),
        longest=MAX_POLICY_CHARS,
    )


def _preview(ctx: RequestContext, policy: Policy, text: str, of: str, stale: Conflict | None = None) -> Response:
    with ctx.reading() as (session, today):
        current = find_policy(session, policy.id)
        reached = reach(session, policy, today.calendar, ctx.today)
        general = read_rulebook(session).general
    changed = differences(current, policy, ctx.language, general=general == current) if current else ()
    return ctx.page(
        "admin/policy_preview.html",
        stale.status if stale else 200,
        policy=policy,
        current=current,
        changed=changed,
        reach=reached,
        mark=mark_of(current),
        text=text,
        of=of,
        stale=stale.said(ctx.language) if stale else "",
    )
