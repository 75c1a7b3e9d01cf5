"""Notifies the owner of an account by e-mail of changes to it: a new password, a new key, a sign-in from a new browser.
The letter is sent after the response and contains no link."""

from __future__ import annotations

import secrets
from collections.abc import Mapping

from fastapi.responses import Response
from starlette.background import BackgroundTask

from engine.accounts.accounts import AccountLine
from engine.accounts.devices import device_words
from engine.enums import complete
from engine.http.app_context import AccountLetter
from engine.http.request_context import RequestContext
from engine.http.security_log import REFUSALS, SecurityEvent
from engine.text import Text

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
