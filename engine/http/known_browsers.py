"""Browsers that an account was signed in to before. They are limited apart, so that whoever guesses at a password locks
himself out and not the rightful one (after OWASP's device cookies). The mark opens nothing: the password is asked for
as ever.
"""

from __future__ import annotations

import secrets

from fastapi.responses import Response
from itsdangerous import BadSignature, URLSafeSerializer

from engine.accounts.secret_keys import digest_of
from engine.http.request_context import Visit, guarded
from engine.http.security import YEAR

COOKIE = "dondoc_known"


def mark_here(visit: Visit, email: str) -> str:
    """This browser's mark for an address; empty where nobody has signed in to it."""
    try:
        whose, mark = _seal(visit).loads(visit.request.cookies.get(guarded(COOKIE, visit.secure), ""))
    except (BadSignature, TypeError, ValueError):
        return ""
    return str(mark) if whose == _whose(email) else ""


def remember(visit: Visit, answer: Response, email: str) -> None:
    """Mark the browser that signed in: the cookie holds no address, but a digest of one."""
    sealed = str(_seal(visit).dumps([_whose(email), mark_here(visit, email) or secrets.token_urlsafe(16)]))
    answer.set_cookie(
        guarded(COOKIE, visit.secure), sealed, max_age=YEAR, httponly=True, samesite="lax", secure=visit.secure
    )


def _whose(email: str) -> str:
    return digest_of(email.strip().lower())[:32]


def _seal(visit: Visit) -> URLSafeSerializer:
    return URLSafeSerializer(visit.context.signer.secret("known-browser"))
