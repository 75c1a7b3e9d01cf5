"""Signing in, by password or by a mailed link, and out. Single sign-on is in ``oidc``, the account page in
``account``.

The two endpoints of single sign-on: redirect to the provider, and the callback. The request's state is kept in a
signed cookie for ten minutes, not on the server.

The callback is the only GET that changes something, because the provider returns by redirect. A scanner or another
person following the address changes nothing, since they lack the cookie.
"""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Annotated

from fastapi import APIRouter, Path, Query
from fastapi.responses import RedirectResponse, Response
from itsdangerous import BadSignature, URLSafeSerializer
from starlette.background import BackgroundTask

from engine.accounts import oidc
from engine.accounts.accounts import AccountLine, any_active, find, mailbox, match_subject
from engine.accounts.secret_keys import MAX_KEY_CHARS, digest_of
from engine.accounts.sign_in import (
    LINK,
    MAX_SESSION_TIME,
    LinkStale,
    SignInRefused,
    account_of_link,
    count_network,
    device_words,
    end_session,
    open_by_link,
    open_session,
    request_link,
    reset_by_link,
    sign_in,
)
from engine.errors import BadInput, DondocError, NotFound, TooOften, Unavailable
from engine.http.app_context import SignInLetter
from engine.http.filters import Code
from engine.http.guards.known_browsers import browser_mark, noted, remember
from engine.http.render import url
from engine.http.request_context import NOBODY, SESSION_COOKIE, Anonymous, PostedForm, RequestContext, guarded, local
from engine.http.security import SecurityEvent
from engine.text import Text

router = APIRouter(include_in_schema=False)
To = Annotated[str, Query(max_length=2_000)]
Key = Annotated[str, Path(max_length=MAX_KEY_CHARS)]
MAX_PASSWORD_CHARS = 1_000
TYPED_DIFFERENTLY = Text("Hai lần gõ mật khẩu mới không giống nhau.", "The new password was typed differently twice.")


@router.get("/sign-in")
def ask(ctx: Anonymous, to: To = "", said: Code = "") -> Response:
    if ctx.account is not None:
        return ctx.go(local(to) or ctx.home)
    if ctx.pending is not None:
        return ctx.go("/sign-in/code", to=local(to))
    return sign_in_page(ctx, local(to), outcome=said)


@router.post("/sign-in")
def take(ctx: Anonymous, form: PostedForm) -> Response:
    """Sign in by password. A rejected form keeps the address, never the password; the message does not reveal whether
    the address has an account."""
    email, to = form.text("email", 254), local(form.raw("to"))
    try:
        key = sign_in(
            ctx.app.database,
            email=email,
            password=form.raw("password")[:MAX_PASSWORD_CHARS],
            ip=ctx.ip,
            device=ctx.device,
            now=ctx.now,
            known=browser_mark(ctx, email),
        )
    except (SignInRefused, TooOften) as error:
        return sign_in_page(ctx, to, email=email, trouble=error)
    return entered(ctx, to, key, email)


@router.post("/sign-in/link")
def send_link(ctx: Anonymous, form: PostedForm) -> Response:
    """Send a sign-in link. The response and its timing are the same whether or not the address has an account: the
    letter is sent after the response. Whether mail can be sent at all is checked first, for every address."""
    mailer, typed, to = ctx.app.links, form.raw("email")[:254], local(form.raw("to"))
    if mailer is None:
        raise NotFound
    try:
        letter = _letter(ctx, mailbox(typed), to)
        if not mailer.reachable():
            raise Unavailable(
                Text(
                    "Lúc này chưa gửi được thư; hãy thử lại sau ít phút, hoặc đăng nhập bằng mật khẩu.",
                    "Letters cannot be sent at this moment; try again in a few minutes, or use your password.",
                )
            )
    except (BadInput, TooOften, Unavailable) as error:
        return sign_in_page(ctx, to, email=typed, trouble=error)
    response = ctx.go("/sign-in", said="sent", to=to)
    if letter is not None:
        response.background = BackgroundTask(mailer.send, letter)
    return response


@router.get("/sign-in/link/{key}")
def show_link(ctx: Anonymous, key: Key, to: To = "") -> Response:
    """A page with one button, so that mail scanners following the link sign nobody in."""
    try:
        with ctx.app.database.read() as session:
            line = account_of_link(session, key, ctx.now)
    except LinkStale as error:
        return sign_in_page(ctx, local(to), trouble=error)
    return _link_page(ctx.in_contact_language(line.language), line, key, local(to))


@router.post("/sign-in/link/{key}")
def take_link(ctx: Anonymous, form: PostedForm, key: Key) -> Response:
    to = local(form.raw("to"))
    try:
        with ctx.writing() as session:
            line = account_of_link(session, key, ctx.now)
            cookie = open_by_link(session, key, device=ctx.device, now=ctx.now)
    except LinkStale as error:
        return sign_in_page(ctx, to, trouble=error)
    return entered(ctx, to, cookie, line.email, by_link=True)


@router.post("/sign-in/link/{key}/password")
def reset(ctx: Anonymous, form: PostedForm, key: Key) -> Response:
    """Set a new password by the link, which is used up only if the password is accepted."""
    to, new = local(form.raw("to")), form.raw("new")[:MAX_PASSWORD_CHARS]
    try:
        if new != form.raw("again")[:MAX_PASSWORD_CHARS]:
            raise BadInput(TYPED_DIFFERENTLY)
        with ctx.writing() as session:
            line = account_of_link(session, key, ctx.now)
            cookie = reset_by_link(session, key, new, device=ctx.device, now=ctx.now)
    except LinkStale as error:
        return sign_in_page(ctx, to, trouble=error)
    except BadInput as error:
        with ctx.app.database.read() as session:
            line = account_of_link(session, key, ctx.now)
        return _link_page(ctx, line, key, to, error)
    return noted(ctx, entered(ctx, to, cookie, line.email, by_link=True), SecurityEvent.PASSWORD_SET, line)


BY_SINGLE_SIGN_ON = "dondoc_by_sso"


@router.post("/sign-out")
def leave(ctx: Anonymous, form: PostedForm) -> Response:
    """Who came by the single sign-on is signed out there, too: else one press of the button lets the next one in. A
    page leads there, since browsers follow no redirect of a form to another site (``form-action``)."""
    _end_here(ctx)
    name, provider = guarded(BY_SINGLE_SIGN_ON, ctx.secure), ctx.app.single_sign_on
    email = ctx.account.email if ctx.account is not None else ""
    known = provider is not None and ctx.request.cookies.get(name)
    there = provider.sign_out_address(ctx.now, email) if provider is not None and known else ""
    answer: Response = ctx.go("/sign-in")
    if there:
        answer = sign_in_page(_signed_out(ctx), "")
        answer.headers["refresh"] = f"0; url={there}"
    answer.delete_cookie(name, httponly=True, samesite="lax", secure=ctx.secure)
    return with_session(ctx, answer, "")


def _signed_out(ctx: RequestContext) -> RequestContext:
    return replace(ctx, account=None, pending=None, actor=NOBODY)


def by_single_sign_on(ctx: RequestContext, answer: Response) -> Response:
    """Mark the browser: its session came from the provider."""
    name = guarded(BY_SINGLE_SIGN_ON, ctx.secure)
    answer.set_cookie(name, "1", httponly=True, samesite="lax", secure=ctx.secure)
    return answer


def entered(ctx: RequestContext, to: str, key: str, email: str, *, by_link: bool = False) -> Response:
    """Redirect to where the user was going. A session that was open in this browser ends. The account's owner is told
    of a browser that is new to it, unless they used a link: that letter said who asked for it."""
    _end_here(ctx)
    new_browser = not browser_mark(ctx, email)
    response = with_session(ctx, ctx.go(to or "/"), key)
    remember(ctx, response, email)
    with ctx.app.database.read() as session:
        line = find(session, email)
    event = SecurityEvent.SIGNED_IN_NEW_BROWSER if new_browser and not by_link else SecurityEvent.SIGNED_IN
    return response if line is None else noted(ctx, response, event, line)


def _end_here(ctx: RequestContext) -> None:
    with ctx.writing() as session:
        if ctx.account is not None:
            end_session(session, ctx.account.id, ctx.session_id, ctx.now)
        elif ctx.pending is not None:
            end_session(session, ctx.pending.account.id, ctx.pending.session_id, ctx.now)


def _letter(ctx: RequestContext, email: str, to: str) -> SignInLetter | None:
    known = browser_mark(ctx, email)
    count_network(ctx.app.database, LINK, ip=ctx.ip, known=known, now=ctx.now)
    with ctx.writing() as session:
        key = request_link(session, email=email, now=ctx.now, known=known)
        line = find(session, email)
    if key is None or line is None:
        return None
    device = device_words(ctx.device, line.language)
    path = url(f"/sign-in/link/{key}", to=to)
    return SignInLetter(
        name=digest_of(key)[:32],
        to=line.email,
        agency=line.agency,
        language=line.language,
        path=path,
        device=device,
        at=ctx.now,
    )


def _link_page(
    ctx: RequestContext, line: AccountLine, key: str, to: str, trouble: DondocError | None = None
) -> Response:
    sentence, status = (trouble.said(ctx.language), trouble.status) if trouble else ("", 200)
    return ctx.page("signin_link.html", status, line=line, key=key, to=to, sentence=sentence)


def sign_in_page(
    ctx: RequestContext, to: str, *, email: str = "", outcome: str = "", trouble: DondocError | None = None
) -> Response:
    sentence, status = (trouble.said(ctx.language), trouble.status) if trouble else ("", 200)
    if trouble is not None:
        ctx.tools.security.refused(ctx.request, trouble)
    with ctx.app.database.read() as session:
        has_accounts = any_active(session)
    return ctx.page(
        "signin.html",
        status,
        to=to,
        email=email,
        outcome=outcome,
        sentence=sentence,
        has_accounts=has_accounts,
        by_link=ctx.app.links is not None,
        by_sign_on=ctx.app.single_sign_on is not None,
    )


def with_session(ctx: RequestContext, response: Response, key: str) -> Response:
    """Set the session cookie; an empty key deletes it."""
    name, secure = guarded(SESSION_COOKIE, ctx.secure), ctx.secure
    if key:
        age = int(MAX_SESSION_TIME.total_seconds())
        response.set_cookie(name, key, max_age=age, httponly=True, samesite="lax", secure=secure)
    else:
        response.delete_cookie(name, httponly=True, samesite="lax", secure=secure)
    return response


COOKIE = "dondoc_sso"


@router.get("/sign-in/sso")
def go(ctx: Anonymous, to: To = "") -> Response:
    provider, auth_request = _provider(ctx), oidc.AuthorizationRequest.now(local(to), ctx.now)
    try:
        answer = RedirectResponse(provider.address(auth_request, ctx.now), 303)
    except oidc.ProviderUnavailable as error:
        return sign_in_page(ctx, local(to), trouble=error)
    sealed = str(_serializer(ctx).dumps(asdict(auth_request)))
    answer.set_cookie(
        guarded(COOKIE, ctx.secure),
        sealed,
        max_age=int(oidc.ROUND_TRIP_LIFETIME.total_seconds()),
        httponly=True,
        samesite="lax",
        secure=ctx.secure,
    )
    return answer


@router.get(oidc.RETURN)
def come(ctx: Anonymous) -> Response:
    provider, auth_request = _provider(ctx), _stored_request(ctx)
    try:
        if auth_request is None:
            raise oidc.SingleSignOnRefused(
                Text(
                    "Lần đăng nhập chung này đã quá mười phút, hoặc không bắt đầu từ trình duyệt này; hãy làm lại.",
                    "This single sign-on is older than ten minutes, or did not begin in this browser; start again.",
                )
            )
        with ctx.writing() as session:
            oidc.consume_state(session, auth_request.state, ip=ctx.ip, now=ctx.now)
        who = provider.verify_return(dict(ctx.request.query_params), auth_request, ctx.now)
        line = _account(ctx, who)
        with ctx.writing() as session:
            key = open_session(session, line.id, way="single_sign_on", device=ctx.device, now=ctx.now)
    except (oidc.SingleSignOnRefused, oidc.ProviderUnavailable, TooOften, SignInRefused) as error:
        return _without_cookie(ctx, sign_in_page(ctx, auth_request.to if auth_request else "", trouble=error))
    return _without_cookie(ctx, by_single_sign_on(ctx, entered(ctx, auth_request.to, key, line.email)))


def _account(ctx: RequestContext, who: oidc.VerifiedIdentity) -> AccountLine:
    """The account for a verified identity. Accounts are not created here: an administrator creates them for the mailbox
    that the provider has verified."""
    with ctx.writing() as session:
        line = match_subject(session, who.subject, email=who.email, verified=who.verified, now=ctx.now)
    if line is not None:
        return line
    if not who.verified:
        raise oidc.SingleSignOnRefused(
            Text(
                "Hệ thống đăng nhập chung chưa xác minh hộp thư của ông/bà, nên chưa gắn được với tài khoản nào ở đây.",
                "The single sign-on has not verified your mailbox, so it cannot be matched to an account here.",
            )
        )
    raise oidc.SingleSignOnRefused(
        Text(
            "Hộp thư này chưa có tài khoản ở đây, hoặc tài khoản đã gắn với một người khác; hãy hỏi người quản trị.",
            "This mailbox has no account here, or its account belongs to another sign-on; ask the administrator.",
        )
    )


def _provider(ctx: RequestContext) -> oidc.Provider:
    if ctx.app.single_sign_on is None:
        raise NotFound
    return ctx.app.single_sign_on


def _serializer(ctx: RequestContext) -> URLSafeSerializer:
    return ctx.app.signer.serializer("single-sign-on")


def _stored_request(ctx: RequestContext) -> oidc.AuthorizationRequest | None:
    try:
        sealed = ctx.request.cookies.get(guarded(COOKIE, ctx.secure), "")
        auth_request = oidc.AuthorizationRequest(**_serializer(ctx).loads(sealed))
    except (BadSignature, TypeError):
        return None
    return None if auth_request.is_over(ctx.now) else auth_request


def _without_cookie(ctx: RequestContext, answer: Response) -> Response:
    answer.delete_cookie(guarded(COOKIE, ctx.secure), httponly=True, samesite="lax", secure=ctx.secure)
    return answer
