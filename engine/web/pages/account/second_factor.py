"""The second factor: the code page behind a password or a link, and its set-up and removal by the account's owner."""

from __future__ import annotations

import segno
from fastapi import APIRouter
from fastapi.responses import Response
from markupsafe import Markup

from engine.accounts.second_factor import (
    Enrolment,
    WrongCode,
    confirm,
    has_factor,
    propose,
    prove,
    remove,
    reopen,
)
from engine.errors import BadInput, DondocError, TooOften
from engine.http.guards.account_notices import noted
from engine.http.guards.fresh_proof import require_fresh_proof
from engine.http.request_context import Anonymous, PostedForm, RequestContext, SignedIn, local
from engine.http.security_log import SecurityEvent
from engine.text import Text
from engine.web.pages.account.account import own_account
from engine.web.pages.account.sign_in import MAX_PASSWORD_CHARS, To

router = APIRouter(include_in_schema=False)
MAX_CODE_CHARS = 20


@router.get("/sign-in/code")
def ask_code(ctx: Anonymous, to: To = "") -> Response:
    if ctx.pending is None:
        return ctx.go("/sign-in", to=local(to))
    return ctx.page("signin_code.html", to=local(to), line=ctx.pending.account, sentence="")


@router.post("/sign-in/code")
def take_code(ctx: Anonymous, form: PostedForm) -> Response:
    to = local(form.raw("to"))
    if ctx.pending is None:
        return ctx.go("/sign-in", to=to)
    line = ctx.pending.account
    code = form.text("code", MAX_CODE_CHARS)
    try:
        session_id = ctx.pending.session_id
        prove(ctx.app.database, ctx.app.signer, line.id, session_id, code, network=ctx.ip, now=ctx.now)
    except (WrongCode, TooOften) as error:
        ctx.tools.security.refused(ctx.request, error, line.actor.name)
        return ctx.page("signin_code.html", error.status, to=to, line=line, sentence=error.said(ctx.language))
    return noted(ctx, ctx.go(to or "/"), SecurityEvent.SIGNED_IN, line)


@router.get("/account/second-factor")
def show(ctx: SignedIn) -> Response:
    line = own_account(ctx)
    return _page(ctx, propose(ctx.app.signer, line.id, line.email, ctx.now))


@router.post("/account/second-factor")
def set_up(ctx: SignedIn, form: PostedForm) -> Response:
    """Store the factor if the code is right. The recovery codes are shown in this response alone."""
    ctx.require_lasting()
    line = own_account(ctx)
    enrolment = propose(ctx.app.signer, line.id, line.email, ctx.now)
    try:
        require_fresh_proof(ctx, line, form.raw("password")[:MAX_PASSWORD_CHARS])
        enrolment = reopen(ctx.app.signer, form.raw("sealed")[:1_000], line.id, line.email, ctx.now)
        code = form.text("code", MAX_CODE_CHARS).replace(" ", "")
        with ctx.writing() as session:
            recovery = confirm(session, ctx.app.signer, enrolment, line.id, ctx.session_id, code, ctx.now)
    except WrongCode as error:
        return _page(ctx, enrolment, trouble=error, status=422)
    except (BadInput, TooOften) as error:
        return _page(ctx, enrolment, trouble=error, status=error.status)
    return noted(ctx, _page(ctx, None, recovery=recovery), SecurityEvent.FACTOR_SET, line)


@router.post("/account/second-factor/remove")
def take_away(ctx: SignedIn, form: PostedForm) -> Response:
    line = own_account(ctx)
    if line.role in ctx.app.settings.needs_second_factor:
        return _page(ctx, None, trouble=BadInput(REQUIRED), status=409)
    try:
        require_fresh_proof(ctx, line, form.raw("password")[:MAX_PASSWORD_CHARS])
    except (BadInput, TooOften) as error:
        return _page(ctx, None, trouble=error, status=error.status)
    with ctx.writing() as session:
        remove(session, line.id, **ctx.by)
    return noted(ctx, ctx.go("/account", said="factor_removed"), SecurityEvent.FACTOR_REMOVED, line)


REQUIRED = Text(
    "Cơ quan yêu cầu vai trò này có lớp xác thực thứ hai; có thể đặt lại trên máy khác, không gỡ được.",
    "The office asks this role for a second factor: it can be set up again on another device, not removed.",
)


def _page(
    ctx: RequestContext,
    enrolment: Enrolment | None,
    *,
    recovery: tuple[str, ...] = (),
    trouble: DondocError | None = None,
    status: int = 200,
) -> Response:
    line = own_account(ctx)
    with ctx.app.database.read() as session:
        present = has_factor(session, line.id)
    picture = enrolment and segno.make(enrolment.uri, micro=False).svg_inline(scale=5, border=2, omitsize=False)
    return ctx.page(
        "second_factor.html",
        status,
        mine=line,
        present=present,
        enrolment=enrolment,
        picture=Markup(picture or ""),
        recovery=recovery,
        required=line.role in ctx.app.settings.needs_second_factor,
        sentence=trouble.said(ctx.language) if trouble else "",
    )
