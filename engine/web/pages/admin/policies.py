"""Reminder policies in words; edited as text, with a preview of what changes for future assignments."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Path
from fastapi.responses import Response

from engine.accounts.permissions import Permission
from engine.admin.policy_editor import LADDERS, differences, keep, mark_of, policy_rows, policy_text, read_policy, steps
from engine.admin.policy_rows import KINDS, ROLES, RungRow, changed_rows, rows_in, rows_of, with_rows
from engine.errors import BadInput, Conflict, DondocError, FieldsRefused, FileRefused
from engine.http.filters import Code, Plain
from engine.http.forms import FormFields, clean
from engine.http.request_context import PostedForm, RequestContext, SignedIn
from engine.plans.loading import kept_ladders, move_to_new_ladders
from engine.queries.system.policies import find_policy, list_policies, policy_line, reach
from engine.rules.policy import MAX_LEVEL, Policy
from engine.store.rulebook import read_rulebook
from engine.terms import NoticeKind
from engine.text import Text
from engine.views.labels import label

router = APIRouter(include_in_schema=False)
MAX_POLICY_CHARS = 60_000
PolicyId = Annotated[str, Plain, Path(max_length=64)]


@router.get("/admin/policies")
def listing(ctx: SignedIn) -> Response:
    ctx.require(Permission.SEE_POLICIES)
    with ctx.reading() as (session, _):
        found = list_policies(session)
    return ctx.page("admin/policies.html", found=found, LADDERS=LADDERS)


@router.get("/admin/policies/{policy_id}")
def show(ctx: SignedIn, policy_id: PolicyId, said: Code = "") -> Response:
    ctx.require(Permission.SEE_POLICIES)
    with ctx.reading() as (session, _):
        line = policy_line(session, policy_id)
        kept, general = kept_ladders(session, policy_id), read_rulebook(session).general
    kind, _, count = said.partition(".")
    ladders = [
        (name, steps(line.policy.ladders[kind], ctx.language))  # type: ignore[index]
        for kind, name in LADDERS.items()
    ]
    return ctx.page(
        "admin/policy.html",
        line=line,
        ladders=ladders,
        rows=policy_rows(line.policy, ctx.language, general=general == line.policy),
        said_it=kind,
        moved=int(count) if count.isdecimal() else 0,
        kept=kept,
    )


@router.post("/admin/policies/{policy_id}/ladders")
def move_ladders(ctx: SignedIn, form: PostedForm, policy_id: PolicyId) -> Response:
    """Give today's ladder to the open work that no reminder has reached."""
    ctx.require(Permission.KEEP_POLICIES)
    with ctx.writing() as session:
        moved = move_to_new_ladders(session, policy_id, **ctx.by)
    return ctx.go(f"/admin/policies/{policy_id}", said=f"moved.{moved}")


@router.get("/admin/policies/{policy_id}/edit")
def edit(ctx: SignedIn, policy_id: PolicyId, ladder: Code = "order") -> Response:
    """One ladder as a table; the whole policy as text below it."""
    ctx.require(Permission.KEEP_POLICIES)
    with ctx.reading() as (session, _):
        line = policy_line(session, policy_id)
    kind = ladder if ladder in LADDERS else "order"
    return _form(ctx, policy_text(line.policy), policy_id, kind, rows_of(line.policy.ladders[kind]))  # type: ignore[index]


@router.post("/admin/policies")
def decide(ctx: SignedIn, form: PostedForm) -> Response:
    """Preview a table or a text, or save it; what is rejected is shown again with every mistake."""
    ctx.require(Permission.KEEP_POLICIES)
    text, of, deed = form.raw("text"), form.raw("of")[:64], form.raw("do")
    kind = form.raw("ladder") if form.raw("ladder") in LADDERS else "order"
    rows = rows_in(form.fields)
    if deed == "edit" or deed.partition("-")[0] in ("add", "drop", "up"):
        return _form(ctx, text, of, kind, changed_rows(rows, deed) or _rows_in_text(text, kind))
    try:
        if deed == "table":
            text = with_rows(clean(text, MAX_POLICY_CHARS), kind, rows)
        policy = read_policy(clean(text, MAX_POLICY_CHARS))
        if form.raw("do") == "save":
            with ctx.writing() as session:
                keep(session, policy, instead_of=form.raw("instead_of")[:64] or "-", **ctx.by)
            return ctx.go(f"/admin/policies/{policy.id}", said="saved")
    except Conflict as error:
        return _preview(ctx, policy, text, of, error)
    except BadInput as error:
        return _form(ctx, text, of, kind, rows, error)
    return _preview(ctx, policy, text, of)


def _rows_in_text(text: str, kind: str) -> Sequence[RungRow]:
    """The ladder's rows as the text has them; none while it cannot be read."""
    try:
        return rows_of(read_policy(clean(text, MAX_POLICY_CHARS)).ladders[kind])  # type: ignore[index]
    except BadInput:
        return ()


def _form(
    ctx: RequestContext,
    text: str,
    of: str,
    kind: str = "order",
    rows: Sequence[RungRow] = (),
    refused: DondocError | None = None,
) -> Response:
    problems = refused.problems if isinstance(refused, FileRefused) else ()
    wrong = refused.fields if isinstance(refused, FieldsRefused) else {}
    typed = FormFields(wrong=dict(wrong))
    return ctx.page(
        "admin/policy_edit.html",
        refused.status if refused else 200,
        text=text,
        of=of,
        problems=problems,
        sentence=refused.said(ctx.language) if refused and not problems and not wrong else "",
        rows=min(max(text.count("\n") + 3, 12), 44),
        longest=MAX_POLICY_CHARS,
        typed=typed,
        kind=kind,
        table=rows,
        ladders=LADDERS,
        ROLES=ROLES,
        letters=[(each.value, label(each, ctx.language)) for each in KINDS]
        + [
            (f"{NoticeKind.ESCALATION}-{n}", Text(f"đôn đốc lần {n}", f"escalation, level {n}").said(ctx.language))
            for n in range(1, MAX_LEVEL + 1)
        ],
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
        ladders=[
            (name, steps(policy.ladders[kind], ctx.language))  # type: ignore[index]
            for kind, name in LADDERS.items()
        ],
    )
