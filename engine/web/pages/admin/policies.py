"""Reminder policies in words; edited as text, with a preview of what changes for future assignments."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path
from fastapi.responses import Response

from engine.accounts.permissions import Permission
from engine.admin.policy_editor import LADDERS, differences, keep, mark_of, policy_rows, policy_text, read_policy, steps
from engine.errors import BadInput, Conflict, DondocError, FileRefused
from engine.http.filters import Code, Plain
from engine.http.forms import clean
from engine.http.request_context import PostedForm, RequestContext, SignedIn
from engine.queries.system.policies import find_policy, list_policies, policy_line, reach
from engine.rules.policy import Policy

router = APIRouter()
MAX_POLICY_CHARS = 60_000
PolicyId = Annotated[str, Plain, Path(max_length=64)]


@router.get("/admin/policies")
def listing(ctx: SignedIn) -> Response:
    ctx.require(Permission.KEEP_POLICIES)
    with ctx.reading() as (session, _):
        found = list_policies(session)
    return ctx.page("admin/policies.html", found=found, LADDERS=LADDERS)


@router.get("/admin/policies/{policy_id}")
def show(ctx: SignedIn, policy_id: PolicyId, said: Code = "") -> Response:
    ctx.require(Permission.KEEP_POLICIES)
    with ctx.reading() as (session, _):
        line = policy_line(session, policy_id)
    ladders = [
        (name, steps(line.policy.ladders[kind], ctx.language))  # type: ignore[index]
        for kind, name in LADDERS.items()
    ]
    return ctx.page(
        "admin/policy.html", line=line, ladders=ladders, rows=policy_rows(line.policy, ctx.language), said_it=said
    )


@router.get("/admin/policies/{policy_id}/edit")
def edit(ctx: SignedIn, policy_id: PolicyId) -> Response:
    ctx.require(Permission.KEEP_POLICIES)
    with ctx.reading() as (session, _):
        line = policy_line(session, policy_id)
    return _form(ctx, policy_text(line.policy), policy_id)


@router.post("/admin/policies")
def decide(ctx: SignedIn, form: PostedForm) -> Response:
    """Preview a text, or save it; a rejected text is shown again with every mistake by line."""
    ctx.require(Permission.KEEP_POLICIES)
    text, of = form.raw("text"), form.raw("of")[:64]
    if form.raw("do") == "edit":
        return _form(ctx, text, of)
    try:
        policy = read_policy(clean(text, MAX_POLICY_CHARS))
        if form.raw("do") == "save":
            with ctx.writing() as session:
                keep(
                    session,
                    policy,
                    actor=ctx.actor.name,
                    now=ctx.now,
                    instead_of=form.raw("instead_of")[:64] or "-",
                )
            return ctx.go(f"/admin/policies/{policy.id}", said="saved")
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
    changed = differences(current, policy, ctx.language) if current else ()
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
