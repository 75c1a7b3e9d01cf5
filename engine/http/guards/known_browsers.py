"""Device cookies (OWASP) of browsers that have signed in to an account before. Known browsers have their own rate
limit, so an attacker who guesses passwords does not lock the account's owner out. The cookie grants no access: the
password is still required.

Creating an API key or a first password requires fresh proof of identity: the password, or a sign-in within the last
15 minutes. An unattended browser must not be enough for something that outlives the session; an act of an administrator
(``require_proof``) asks for it on a page of its own, once in 15 minutes.

Notifies the owner of an account by e-mail of changes to it: a new password, a new key, a sign-in from a new browser.
The letter is sent after the response and contains no link.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import timedelta

from fastapi.responses import Response
from itsdangerous import BadSignature, URLSafeSerializer
from starlette.background import BackgroundTask

from engine.accounts.accounts import AccountLine, list_accounts
from engine.accounts.permissions import ActorRole
from engine.accounts.rate_limit import Limit, count, enforce_rate_limit
from engine.accounts.secret_keys import digest_of
from engine.accounts.sign_in import SignInRefused, device_words, note_proof, sessions_of, verify_password
from engine.enums import complete
from engine.errors import BadInput, TooOften
from engine.http.app_context import AccountLetter
from engine.http.error_pages import ProofFirst
from engine.http.forms import Form
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
    return ctx.app.signer.serializer("known-browser")


MAX_PROOF_CHARS = 1_000
PROOF = Text(
    "Việc này có hiệu lực lâu dài; đề nghị nhập mật khẩu đang dùng để xác nhận.",
    "This lasts beyond your session; type your current password to confirm it.",
)
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
    if own is None or not own.is_fresh(ctx.now):
        raise BadInput(SIGN_IN_AGAIN)


def require_proof(ctx: RequestContext, form: Form | None = None) -> None:
    """Raises ProofFirst unless the account's holder has shown who they are within the last 15 minutes: signed in, or
    typed the password in the page that ``ProofFirst`` becomes. Programs use a key; the open desk has no account."""
    if ctx.account is None or ctx.bearer is not None:
        return
    line, typed = ctx.account, form.raw("proof")[:MAX_PROOF_CHARS] if form is not None else ""
    if typed and line.has_password:
        try:
            require_fresh_proof(ctx, line, typed)
        except (BadInput, TooOften) as error:
            raise ProofFirst(error.text, form, asks=True) from error
        with ctx.writing() as session:
            note_proof(session, ctx.session_id, ctx.now)
        return
    with ctx.app.database.read() as session:
        own = next((each for each in sessions_of(session, line.id, ctx.now) if each.id == ctx.session_id), None)
    if own is None or not own.is_fresh(ctx.now):
        raise ProofFirst(PROOF if line.has_password else SIGN_IN_AGAIN, form, asks=line.has_password)


_WITHOUT_LETTER = (
    *REFUSALS,
    SecurityEvent.SIGNED_IN,
    SecurityEvent.KEY_REVOKED,
    SecurityEvent.SESSIONS_ENDED,
    SecurityEvent.ACCOUNT_CHANGED,
    SecurityEvent.WEBHOOK_CHANGED,
    SecurityEvent.SETTINGS_CHANGED,
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
TOLD_TO_ADMINISTRATORS: Mapping[SecurityEvent, Text] = {
    SecurityEvent.ACCOUNT_CHANGED: Text(
        "Tài khoản {of} vừa được lập, sửa, khóa hoặc mở.", "The account {of} was made, changed, closed or opened."
    ),
    SecurityEvent.PASSWORD_SET: Text(
        "Tài khoản {of} vừa được đặt mật khẩu mới.", "A new password was set for the account {of}."
    ),
    SecurityEvent.FACTOR_REMOVED: Text(
        "Lớp xác thực thứ hai của tài khoản {of} vừa được gỡ.", "The second factor of the account {of} was removed."
    ),
    SecurityEvent.WEBHOOK_CHANGED: Text(
        "Một kết nối gửi sự kiện sang hệ thống khác (webhook) vừa được lập hoặc sửa.",
        "A webhook, which tells another system of events, was made or changed.",
    ),
    SecurityEvent.SETTINGS_CHANGED: Text(
        "Địa chỉ của hệ thống, máy chủ gửi thư hoặc cổng tin nhắn vừa được đặt lại.",
        "The address of the pages, or the server or gateway through which letters leave, was changed.",
    ),
}
"""Acts of an administrator that last. All are told, so that a thief of one is noticed by the others."""
BY_WHOM = Text(
    " Người thực hiện: {by}. Nếu ông/bà không biết việc này, đề nghị khóa tài khoản ấy và xem «Nhật ký».",
    " Done by {by}. If you do not know of it, deactivate that account and look at the log.",
)
TOLD, MOST_TOLD = "told_administrators", Limit(20, timedelta(hours=1))
"""Of one actor: a program that makes a hundred accounts fills no mailbox; the log has the rest."""


def noted(ctx: RequestContext, response: Response, event: SecurityEvent, line: AccountLine | None = None) -> Response:
    """The response, after which the letter is sent; the event is recorded now."""
    response.background = note(ctx, event, line) or response.background
    return response


def note(ctx: RequestContext, event: SecurityEvent, line: AccountLine | None = None) -> BackgroundTask | None:
    """Record the event; the task that sends the letters, or None if the event needs none or nothing can be mailed.
    ``line``: the account concerned."""
    ctx.tools.security.record(event, ctx.request, account=line.id if line else 0, actor=ctx.actor.name)
    letters = letters_about(ctx, event, line)
    return BackgroundTask(_send, ctx, letters) if letters else None


def letters_about(ctx: RequestContext, event: SecurityEvent, line: AccountLine | None) -> list[AccountLetter]:
    """To the account's owner, and, of an administrator's act on another account or of what an administrator's account
    is, to all administrators."""
    if ctx.app.links is None:
        return []
    told = [(line, SENTENCES[event])] if line is not None and event in SENTENCES else []
    own = line is not None and line == ctx.account and line.role is not ActorRole.ADMINISTRATOR
    if event in TOLD_TO_ADMINISTRATORS and not own and _may_tell(ctx):
        of, by = line.email if line else "", ctx.account.email if ctx.account else ctx.actor.name
        sentence = Text.joined("", (TOLD_TO_ADMINISTRATORS[event], BY_WHOM)).filled(of=of, by=by)
        with ctx.app.database.read() as session:
            administrators = [each for each in list_accounts(session) if each.role is ActorRole.ADMINISTRATOR]
        told += [(each, sentence) for each in administrators if each.active]
    return [_letter(ctx, to, sentence) for to, sentence in told]


def _may_tell(ctx: RequestContext) -> bool:
    try:
        with ctx.writing() as session:
            enforce_rate_limit(session, TOLD, {ctx.actor.name: MOST_TOLD}, ctx.now)
            count(session, TOLD, (ctx.actor.name,), ctx.now)
    except TooOften:
        return False
    return True


def _letter(ctx: RequestContext, to: AccountLine, sentence: Text) -> AccountLetter:
    return AccountLetter(
        name=secrets.token_hex(16),
        to=to.email,
        agency=to.agency,
        language=to.language,
        sentence=sentence.said(to.language),
        device=device_words(ctx.device, to.language),
        at=ctx.now,
    )


def _send(ctx: RequestContext, letters: list[AccountLetter]) -> None:
    for letter in letters:
        if ctx.app.links is not None:
            ctx.app.links.tell(letter)


def tell_before(ctx: RequestContext, event: SecurityEvent) -> None:
    """Record the event and send its letters now: what follows may change how letters leave."""
    ctx.tools.security.record(event, ctx.request, actor=ctx.actor.name)
    _send(ctx, letters_about(ctx, event, None))
