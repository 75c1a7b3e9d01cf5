"""Device cookies (OWASP) of browsers that have signed in to an account before. Known browsers have their own rate
limit, so an attacker who guesses passwords does not lock the account's owner out. The cookie grants no access: the
password is still required.

Creating an API key or a first password requires fresh proof of identity: the password, or a sign-in within the last
15 minutes. An unattended browser must not be enough for something that outlives the session.

Notifies the owner of an account by e-mail of changes to it: a new password, a new key, a sign-in from a new browser.
The letter is sent after the response and contains no link.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping

from fastapi.responses import Response
from itsdangerous import BadSignature, URLSafeSerializer
from starlette.background import BackgroundTask

from engine.accounts.accounts import AccountLine
from engine.accounts.secret_keys import digest_of
from engine.accounts.sign_in import LINK_LIFETIME, SignInRefused, device_words, sessions_of, verify_password
from engine.enums import complete
from engine.errors import BadInput
from engine.http.app_context import AccountLetter
from engine.http.request_context import RequestContext, guarded
from engine.http.security import REFUSALS, YEAR_SECONDS, SecurityEvent
from engine.text import Text

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


WRONG_PASSWORD = Text("Mật khẩu đang dùng không đúng.", "The current password is wrong.")
SIGN_IN_AGAIN = Text(
    "Để chắc là chính ông/bà: hãy đăng xuất, đăng nhập lại bằng liên kết mới, rồi làm việc này trong 15 phút.",
    "To be sure that it is you: sign out, sign in again by a new link, and do this within 15 minutes.",
)


def require_fresh_proof(ctx: RequestContext, line: AccountLine, password: str) -> None:
    """Raises BadInput or TooOften. An account without a password needs a new session; a program uses its key, which
    cannot create a key with wider scopes."""
    if ctx.bearer is not None:
        return
    if line.has_password:
        try:
            verify_password(
                ctx.app.database,
                email=line.email,
                password=password,
                ip=ctx.ip,
                now=ctx.now,
                known=f"session {ctx.session_id}",
            )
        except SignInRefused as error:
            ctx.tools.security.refused(ctx.request, error, ctx.actor.name)
            raise BadInput(WRONG_PASSWORD) from error
        return
    with ctx.app.database.read() as session:
        own = next((each for each in sessions_of(session, line.id, ctx.now) if each.id == ctx.session_id), None)
    if own is None or ctx.now - own.created_at > LINK_LIFETIME:
        raise BadInput(SIGN_IN_AGAIN)


_WITHOUT_LETTER = (
    *REFUSALS,
    SecurityEvent.SIGNED_IN,
    SecurityEvent.KEY_REVOKED,
    SecurityEvent.SESSIONS_ENDED,
    SecurityEvent.ACCOUNT_CHANGED,
    SecurityEvent.DEPUTY_REFUSED,
)
SENTENCES: Mapping[SecurityEvent, Text] = {
    SecurityEvent.PASSWORD_SET: Text(
        "Tài khoản của ông/bà vừa được đặt mật khẩu mới. Các phiên đăng nhập khác và mọi khóa của chương trình đã hết "
        "hiệu lực.",
        "A new password was set for your account. Other sessions and all keys of programs have ended.",
    ),
    SecurityEvent.KEY_MADE: Text(
        "Tài khoản của ông/bà vừa có một khóa mới cho chương trình. Xem và thu hồi khóa ở trang «Tài khoản của tôi».",
        "A new key for a program was made for your account. See and revoke keys on the page “My account”.",
    ),
    SecurityEvent.FACTOR_SET: Text(
        "Tài khoản của ông/bà vừa được đặt lớp xác thực thứ hai; từ nay đăng nhập cần thêm mã của ứng dụng.",
        "A second factor was set for your account; signing in now also needs a code of the app.",
    ),
    SecurityEvent.FACTOR_REMOVED: Text(
        "Lớp xác thực thứ hai của tài khoản ông/bà vừa được gỡ.",
        "The second factor of your account was removed.",
    ),
    SecurityEvent.SIGNED_IN_NEW_BROWSER: Text(
        "Có người vừa đăng nhập tài khoản của ông/bà từ một trình duyệt chưa từng dùng. Xem và kết thúc các phiên ở "
        "trang «Tài khoản của tôi».",
        "Somebody signed in to your account from a browser that was not used before. See and end sessions on the page "
        "“My account”.",
    ),
}
complete(SecurityEvent, SENTENCES, but=_WITHOUT_LETTER)


def noted(ctx: RequestContext, response: Response, event: SecurityEvent, line: AccountLine) -> Response:
    """The response, after which the letter is sent; the event is recorded now."""
    response.background = note(ctx, event, line) or response.background
    return response


def note(ctx: RequestContext, event: SecurityEvent, line: AccountLine) -> BackgroundTask | None:
    """Record the event; the task that sends the letter, or None if the event needs none or nothing can be mailed."""
    ctx.tools.security.record(event, ctx.request, account=line.id, actor=ctx.actor.name)
    sentence = SENTENCES.get(event)
    if sentence is None or ctx.app.links is None:
        return None
    letter = AccountLetter(
        name=secrets.token_hex(16),
        to=line.email,
        agency=line.agency,
        language=line.language,
        sentence=sentence.said(line.language),
        device=device_words(ctx.device, line.language),
        at=ctx.now,
    )
    return BackgroundTask(ctx.app.links.tell, letter)
