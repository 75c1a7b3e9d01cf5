"""Browsers that an account was signed in to before. They are limited apart, so that whoever guesses at a password locks
himself out and not the rightful one (after OWASP's device cookies). The mark opens nothing: the password is asked for
as ever.
"""

from __future__ import annotations

import secrets

from fastapi.responses import Response
from itsdangerous import BadSignature, URLSafeSerializer

from engine.accounts.secret_keys import digest_of
from engine.http.request_context import RequestContext, guarded
from engine.http.security import YEAR

COOKIE = "dondoc_known"


def mark_here(ctx: RequestContext, email: str) -> str:
    """This browser's mark for an address; empty where nobody has signed in to it."""
    try:
        whose, mark = _seal(ctx).loads(ctx.request.cookies.get(guarded(COOKIE, ctx.secure), ""))
    except (BadSignature, TypeError, ValueError):
        return ""
    return str(mark) if whose == _whose(email) else ""


def remember(ctx: RequestContext, answer: Response, email: str) -> None:
    """Mark the browser that signed in: the cookie holds no address, but a digest of one."""
    sealed = str(_seal(ctx).dumps([_whose(email), mark_here(ctx, email) or secrets.token_urlsafe(16)]))
    answer.set_cookie(
        guarded(COOKIE, ctx.secure), sealed, max_age=YEAR, httponly=True, samesite="lax", secure=ctx.secure
    )


def _whose(email: str) -> str:
    return digest_of(email.strip().lower())[:32]


def _seal(ctx: RequestContext) -> URLSafeSerializer:
    return URLSafeSerializer(ctx.app.signer.secret("known-browser"))
