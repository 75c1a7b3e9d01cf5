"""Creating an API key or a first password requires fresh proof of identity: the password, or a sign-in within the last
15 minutes. An unattended browser must not be enough for something that outlives the session."""

from __future__ import annotations

from engine.accounts.accounts import AccountLine
from engine.accounts.sign_in import LINK_LIFETIME, SignInRefused, sessions_of, verify_password
from engine.errors import BadInput
from engine.http.request_context import RequestContext
from engine.text import Text

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
