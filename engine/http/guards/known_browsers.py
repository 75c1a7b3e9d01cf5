"""Device cookies (OWASP) of browsers that have signed in to an account before. Known browsers have their own rate
limit, so an attacker who guesses passwords does not lock the account's owner out. The cookie grants no access: the
password is still required."""

from __future__ import annotations

import secrets

from fastapi.responses import Response
from itsdangerous import BadSignature, URLSafeSerializer

from engine.accounts.secret_keys import digest_of
from engine.http.request_context import RequestContext, guarded
from engine.http.security import YEAR_SECONDS

COOKIE = "dondoc_known"


def browser_mark(ctx: RequestContext, email: str) -> str:
    """This browser's device mark for a mailbox; empty if nobody has signed in to that account from it."""
    try:
        digest, mark = _serializer(ctx).loads(ctx.request.cookies.get(guarded(COOKIE, ctx.secure), ""))
    except (BadSignature, TypeError, ValueError):
        return ""
    return str(mark) if digest == _email_digest(email) else ""


def remember(ctx: RequestContext, answer: Response, email: str) -> None:
    """Set the device cookie after signing in. It contains a digest of the mailbox, not the address."""
    sealed = str(_serializer(ctx).dumps([_email_digest(email), browser_mark(ctx, email) or secrets.token_urlsafe(16)]))
    answer.set_cookie(
        guarded(COOKIE, ctx.secure), sealed, max_age=YEAR_SECONDS, httponly=True, samesite="lax", secure=ctx.secure
    )


def _email_digest(email: str) -> str:
    return digest_of(email.strip().lower())[:32]


def _serializer(ctx: RequestContext) -> URLSafeSerializer:
    return URLSafeSerializer(ctx.app.signer.secret("known-browser"))
