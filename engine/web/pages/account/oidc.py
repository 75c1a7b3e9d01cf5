"""The two endpoints of single sign-on: redirect to the provider, and the callback. The request's state is kept in a
signed cookie for ten minutes, not on the server.

The callback is the only GET that changes something, because the provider returns by redirect. A scanner or another
person following the address changes nothing, since they lack the cookie.
"""

from __future__ import annotations

from dataclasses import asdict

from fastapi import APIRouter
from fastapi.responses import RedirectResponse, Response
from itsdangerous import BadSignature, URLSafeSerializer

from engine.accounts.accounts import AccountLine, match_subject
from engine.accounts.oidc import (
    RETURN,
    ROUND_TRIP_LIFETIME,
    AuthorizationRequest,
    Provider,
    ProviderUnavailable,
    SingleSignOnRefused,
    VerifiedIdentity,
    consume_state,
)
from engine.accounts.sign_in import SignInRefused, open_session
from engine.errors import NotFound, TooOften
from engine.http.request_context import Anonymous, RequestContext, guarded, local
from engine.text import Text
from engine.web.pages.account.sign_in import To, by_single_sign_on, entered, sign_in_page

router = APIRouter(include_in_schema=False)
COOKIE = "dondoc_sso"


@router.get("/sign-in/sso")
def go(ctx: Anonymous, to: To = "") -> Response:
    provider, auth_request = _provider(ctx), AuthorizationRequest.now(local(to), ctx.now)
    try:
        answer = RedirectResponse(provider.address(auth_request, ctx.now), 303)
    except ProviderUnavailable as error:
        return sign_in_page(ctx, local(to), trouble=error)
    sealed = str(_serializer(ctx).dumps(asdict(auth_request)))
    answer.set_cookie(
        guarded(COOKIE, ctx.secure),
        sealed,
        max_age=int(ROUND_TRIP_LIFETIME.total_seconds()),
        httponly=True,
        samesite="lax",
        secure=ctx.secure,
    )
    return answer


@router.get(RETURN)
def come(ctx: Anonymous) -> Response:
    provider, auth_request = _provider(ctx), _stored_request(ctx)
    try:
        if auth_request is None:
            raise SingleSignOnRefused(
                Text(
                    "Lần đăng nhập chung này đã quá mười phút, hoặc không bắt đầu từ trình duyệt này; hãy làm lại.",
                    "This single sign-on is older than ten minutes, or did not begin in this browser; start again.",
                )
            )
        with ctx.writing() as session:
            consume_state(session, auth_request.state, ip=ctx.ip, now=ctx.now)
        who = provider.verify_return(dict(ctx.request.query_params), auth_request, ctx.now)
        line = _account(ctx, who)
        with ctx.writing() as session:
            key = open_session(session, line.id, way="single_sign_on", device=ctx.device, now=ctx.now)
    except (SingleSignOnRefused, ProviderUnavailable, TooOften, SignInRefused) as error:
        return _without_cookie(ctx, sign_in_page(ctx, auth_request.to if auth_request else "", trouble=error))
    return _without_cookie(ctx, by_single_sign_on(ctx, entered(ctx, auth_request.to, key, line.email)))


def _account(ctx: RequestContext, who: VerifiedIdentity) -> AccountLine:
    """The account for a verified identity. Accounts are not created here: an administrator creates them for the mailbox
    that the provider has verified."""
    with ctx.writing() as session:
        line = match_subject(session, who.subject, email=who.email, verified=who.verified, now=ctx.now)
    if line is not None:
        return line
    if not who.verified:
        raise SingleSignOnRefused(
            Text(
                "Hệ thống đăng nhập chung chưa xác minh hộp thư của ông/bà, nên chưa gắn được với tài khoản nào ở đây.",
                "The single sign-on has not verified your mailbox, so it cannot be matched to an account here.",
            )
        )
    raise SingleSignOnRefused(
        Text(
            "Hộp thư này chưa có tài khoản ở đây, hoặc tài khoản đã gắn với một người khác; hãy hỏi người quản trị.",
            "This mailbox has no account here, or its account belongs to another sign-on; ask the administrator.",
        )
    )


def _provider(ctx: RequestContext) -> Provider:
    if ctx.app.single_sign_on is None:
        raise NotFound
    return ctx.app.single_sign_on


def _serializer(ctx: RequestContext) -> URLSafeSerializer:
    return URLSafeSerializer(ctx.app.signer.secret("single-sign-on"))


def _stored_request(ctx: RequestContext) -> AuthorizationRequest | None:
    try:
        sealed = ctx.request.cookies.get(guarded(COOKIE, ctx.secure), "")
        auth_request = AuthorizationRequest(**_serializer(ctx).loads(sealed))
    except (BadSignature, TypeError):
        return None
    return None if auth_request.is_over(ctx.now) else auth_request


def _without_cookie(ctx: RequestContext, answer: Response) -> Response:
    answer.delete_cookie(guarded(COOKIE, ctx.secure), httponly=True, samesite="lax", secure=ctx.secure)
    return answer
