"""Policies: when whom is told what, in words; edited as text, after a look at what changes for what is to come."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path
from fastapi.responses import Response

from engine.accounts.permissions import Deed
from engine.admin.policy_editor import LADDERS, differences, keep, manners, mark_of, policy_text, read_policy, steps
from engine.errors import BadInput, Conflict, DondocError, FileRefused
from engine.http.filters import Code, Plain
from engine.http.forms import clean
from engine.http.request_context import Desk, Posted, Visit
from engine.queries.system.policies import find_policy, list_policies, policy_line, reach
from engine.rules.policy import Policy

router = APIRouter()
LONGEST = 60_000
PolicyId = Annotated[str, Plain, Path(max_length=64)]


@router.get("/admin/policies")
def listing(visit: Desk) -> Response:
    visit.must(Deed.KEEP_POLICIES)
    with visit.reading() as (session, _):
        found = list_policies(session)
    return visit.page("admin/policies.html", found=found, LADDERS=LADDERS)


@router.get("/admin/policies/{policy_id}")
def show(visit: Desk, policy_id: PolicyId, said: Code = "") -> Response:
    visit.must(Deed.KEEP_POLICIES)
    with visit.reading() as (session, _):
        line = policy_line(session, policy_id)
    ladders = [
        (words, steps(line.policy.ladders[kind], visit.language))  # type: ignore[index]
        for kind, words in LADDERS.items()
    ]
    return visit.page(
        "admin/policy.html", line=line, ladders=ladders, rows=manners(line.policy, visit.language), said_it=said
    )


@router.get("/admin/policies/{policy_id}/edit")
def edit(visit: Desk, policy_id: PolicyId) -> Response:
    visit.must(Deed.KEEP_POLICIES)
    with visit.reading() as (session, _):
        line = policy_line(session, policy_id)
    return _form(visit, policy_text(line.policy), policy_id)


@router.post("/admin/policies")
def decide(visit: Desk, form: Posted) -> Response:
    """Look at what a text changes, or save it; a text that is refused comes back with every mistake by its line."""
    visit.must(Deed.KEEP_POLICIES)
    text, of = form.raw("text"), form.raw("of")[:64]
    if form.raw("do") == "edit":
        return _form(visit, text, of)
    try:
        policy = read_policy(clean(text, LONGEST))
        if form.raw("do") == "save":
            with visit.writing() as session:
                keep(
                    session,
                    policy,
                    actor=visit.actor.name,
                    now=visit.now,
                    instead_of=form.raw("instead_of")[:64] or "-",
                )
            return visit.go(f"/admin/policies/{policy.id}", said="saved")
    except Conflict as error:
        return _preview(visit, policy, text, of, error)
    except BadInput as error:
        return _form(visit, text, of, error)
    return _preview(visit, policy, text, of)


def _form(visit: Visit, text: str, of: str, refused: DondocError | None = None) -> Response:
    problems = refused.problems if isinstance(refused, FileRefused) else ()
    return visit.page(
        "admin/policy_edit.html",
        refused.status if refused else 200,
        text=text,
        of=of,
        problems=problems,
        sentence=refused.said(visit.language) if refused and not problems else "",
        rows=min(max(text.count("\n") + 3, 12), 44),
        longest=LONGEST,
    )


def _preview(visit: Visit, policy: Policy, text: str, of: str, stale: Conflict | None = None) -> Response:
    with visit.reading() as (session, today):
        current = find_policy(session, policy.id)
        reached = reach(session, policy, today.calendar, visit.today)
    changed = differences(current, policy, visit.language) if current else ()
    return visit.page(
        "admin/policy_preview.html",
        stale.status if stale else 200,
        policy=policy,
        current=current,
        changed=changed,
        reach=reached,
        mark=mark_of(current),
        text=text,
        of=of,
        stale=stale.said(visit.language) if stale else "",
        ladders=[
            (words, steps(policy.ladders[kind], visit.language))  # type: ignore[index]
            for kind, words in LADDERS.items()
        ],
    )
