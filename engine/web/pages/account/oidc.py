"""The single sign-on's two addresses: away to the provider, and back. What the reader takes along stands sealed in a
cookie of ten minutes, not on the server.

Coming back is the one GET that changes something: the provider sends the browser by a redirect. A scanner that follows
the address changes nothing, for it has no such cookie; neither does anybody who was sent the address.
"""

from __future__ import annotations

from dataclasses import astuple

from fastapi import APIRouter
from fastapi.responses import RedirectResponse, Response
from itsdangerous import BadSignature, URLSafeSerializer

from engine.accounts.accounts import AccountLine, match_subject
from engine.accounts.oidc import LASTS, RETURN, Begun, Proven, Provider, ProviderAway, SingleSignOnRefused, take_once
from engine.accounts.sign_in import SignInRefused, open_session
from engine.errors import NotFound, TooOften
from engine.http.request_context import Anybody, Visit, guarded, local
from engine.text import Text
from engine.web.pages.account.sign_in import To, entered, sign_in_page

router = APIRouter()
COOKIE = "dondoc_sso"


@router.get("/sign-in/sso")
def go(visit: Anybody, to: To = "") -> Response:
    provider, begun = _provider(visit), Begun.now(local(to), visit.now)
    try:
        answer = RedirectResponse(provider.address(begun, visit.now), 303)
    except ProviderAway as error:
        return sign_in_page(visit, local(to), trouble=error)
    sealed = str(_seal(visit).dumps(astuple(begun)))
    answer.set_cookie(
        guarded(COOKIE, visit.secure),
        sealed,
        max_age=int(LASTS.total_seconds()),
        httponly=True,
        samesite="lax",
        secure=visit.secure,
    )
    return answer


@router.get(RETURN)
def come(visit: Anybody) -> Response:
    provider, begun = _provider(visit), _kept(visit)
    try:
        if begun is None:
            raise SingleSignOnRefused(
                Text(
                    "Lần đăng nhập chung này đã quá mười phút, hoặc không bắt đầu từ trình duyệt này; hãy làm lại.",
                    "This single sign-on is older than ten minutes, or did not begin in this browser; begin again.",
                )
            )
        with visit.writing() as session:
            take_once(session, begun.state, ip=visit.ip, now=visit.now)
        line = _account(visit, provider.proven(dict(visit.request.query_params), begun, visit.now))
        with visit.writing() as session:
            key = open_session(session, line.id, way="single_sign_on", device=visit.device, now=visit.now)
    except (SingleSignOnRefused, ProviderAway, TooOften, SignInRefused) as error:
        return _forgotten(visit, sign_in_page(visit, begun.to if begun else "", trouble=error))
    return _forgotten(visit, entered(visit, begun.to, key, line.email))


def _account(visit: Visit, who: Proven) -> AccountLine:
    """No account makes itself: an administrator makes it, for the mailbox that the provider has verified."""
    with visit.writing() as session:
        line = match_subject(session, who.subject, email=who.email, verified=who.verified, now=visit.now)
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


def _provider(visit: Visit) -> Provider:
    if visit.context.single_sign_on is None:
        raise NotFound
    return visit.context.single_sign_on


def _seal(visit: Visit) -> URLSafeSerializer:
    return URLSafeSerializer(visit.context.signer.secret("single-sign-on"))


def _kept(visit: Visit) -> Begun | None:
    try:
        begun = Begun(*_seal(visit).loads(visit.request.cookies.get(guarded(COOKIE, visit.secure), "")))
    except (BadSignature, TypeError):
        return None
    return None if begun.is_over(visit.now) else begun


def _forgotten(visit: Visit, answer: Response) -> Response:
    answer.delete_cookie(guarded(COOKIE, visit.secure), httponly=True, samesite="lax", secure=visit.secure)
    return answer
