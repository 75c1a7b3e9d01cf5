"""Signing in, by password or by a link sent to the mailbox, and out. The single sign-on is ``sso``'s, one's own
account ``account``'s."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query
from fastapi.responses import Response
from starlette.background import BackgroundTask

from engine.accounts.accounts import AccountLine, find, mailbox
from engine.accounts.devices import device_words
from engine.accounts.secret_keys import MOST, digest_of
from engine.accounts.sign_in import (
    LinkStale,
    SignInRefused,
    ask_link,
    behind_link,
    end_session,
    open_by_link,
    reset_by_link,
    sign_in,
)
from engine.errors import BadInput, DondocError, NotFound, TooOften, Unavailable
from engine.http.app_context import SignInLetter
from engine.http.filters import Code
from engine.http.known_browsers import mark_here, remember
from engine.http.render import url
from engine.http.request_context import Anybody, Posted, Visit, local
from engine.text import Text

router = APIRouter()
To = Annotated[str, Query(max_length=2_000)]
Key = Annotated[str, Path(max_length=MOST)]
MOST_PASSWORD = 1_000
TYPED_DIFFERENTLY = Text("Hai lần gõ mật khẩu mới không giống nhau.", "The new password was typed differently twice.")


@router.get("/sign-in")
def ask(visit: Anybody, to: To = "", said: Code = "") -> Response:
    if visit.account is not None:
        return visit.go(local(to) or visit.home)
    return sign_in_page(visit, local(to), outcome=said)


@router.post("/sign-in")
def take(visit: Anybody, form: Posted) -> Response:
    """A refused one keeps the address, never the password; what is said does not tell whether the address is known."""
    email, to = form.text("email", 254), local(form.raw("to"))
    try:
        key = sign_in(
            visit.context.database,
            email=email,
            password=form.raw("password")[:MOST_PASSWORD],
            ip=visit.ip,
            device=visit.device,
            now=visit.now,
            known=mark_here(visit, email),
        )
    except (SignInRefused, TooOften) as error:
        return sign_in_page(visit, to, email=email, trouble=error)
    return entered(visit, to, key, email)


@router.post("/sign-in/link")
def send_link(visit: Anybody, form: Posted) -> Response:
    """The same is said, and as fast, whether the address has an account or not: the letter leaves after the answer.
    Whether letters can leave at all is looked at before, for everybody."""
    post, typed, to = visit.context.links, form.raw("email")[:254], local(form.raw("to"))
    if post is None:
        raise NotFound
    try:
        letter = _letter(visit, mailbox(typed), to)
        if not post.reachable():
            raise Unavailable(
                Text(
                    "Lúc này chưa gửi được thư; hãy thử lại sau ít phút, hoặc đăng nhập bằng mật khẩu.",
                    "Letters cannot be sent at this moment; try again in a few minutes, or use your password.",
                )
            )
    except (BadInput, TooOften, Unavailable) as error:
        return sign_in_page(visit, to, email=typed, trouble=error)
    answer = visit.go("/sign-in", said="sent", to=to)
    if letter is not None:
        answer.background = BackgroundTask(post.send, letter)
    return answer


@router.get("/sign-in/link/{key}")
def show_link(visit: Anybody, key: Key, to: To = "") -> Response:
    """A page with one button: scanners of mail look at it and sign nobody in."""
    try:
        with visit.context.database.read() as session:
            line = behind_link(session, key, visit.now)
    except LinkStale as error:
        return sign_in_page(visit, local(to), trouble=error)
    return _link_page(visit.speaking(line.language), line, key, local(to))


@router.post("/sign-in/link/{key}")
def take_link(visit: Anybody, form: Posted, key: Key) -> Response:
    to = local(form.raw("to"))
    try:
        with visit.writing() as session:
            line = behind_link(session, key, visit.now)
            cookie = open_by_link(session, key, device=visit.device, now=visit.now)
    except LinkStale as error:
        return sign_in_page(visit, to, trouble=error)
    return entered(visit, to, cookie, line.email)


@router.post("/sign-in/link/{key}/password")
def reset(visit: Anybody, form: Posted, key: Key) -> Response:
    """A password that was forgotten: set anew by the link, which is used up only if the new one will do."""
    to, new = local(form.raw("to")), form.raw("new")[:MOST_PASSWORD]
    try:
        if new != form.raw("again")[:MOST_PASSWORD]:
            raise BadInput(TYPED_DIFFERENTLY)
        with visit.writing() as session:
            line = behind_link(session, key, visit.now)
            cookie = reset_by_link(session, key, new, device=visit.device, now=visit.now)
    except LinkStale as error:
        return sign_in_page(visit, to, trouble=error)
    except BadInput as error:
        with visit.context.database.read() as session:
            line = behind_link(session, key, visit.now)
        return _link_page(visit, line, key, to, error)
    return entered(visit, to, cookie, line.email)


@router.post("/sign-out")
def leave(visit: Anybody, form: Posted) -> Response:
    _end_here(visit)
    return visit.with_session(visit.go("/sign-in"), "")


def entered(visit: Visit, to: str, key: str, email: str) -> Response:
    """On to where he was going. Whoever was signed in here before is not any more: the cookie is taken over."""
    _end_here(visit)
    answer = visit.with_session(visit.go(to or "/"), key)
    remember(visit, answer, email)
    return answer


def _end_here(visit: Visit) -> None:
    if visit.account is not None:
        with visit.writing() as session:
            end_session(session, visit.account.id, visit.session_id, visit.now)


def _letter(visit: Visit, email: str, to: str) -> SignInLetter | None:
    with visit.writing() as session:
        key = ask_link(session, email=email, ip=visit.ip, now=visit.now, known=mark_here(visit, email))
        line = find(session, email)
    if key is None or line is None:
        return None
    device = device_words(visit.device, line.language)
    path = url(f"/sign-in/link/{key}", to=to)
    return SignInLetter(digest_of(key)[:32], line.email, line.agency, line.language, path, device, visit.now)


def _link_page(visit: Visit, line: AccountLine, key: str, to: str, trouble: DondocError | None = None) -> Response:
    sentence, status = (trouble.said(visit.language), trouble.status) if trouble else ("", 200)
    return visit.page("signin_link.html", status, line=line, key=key, to=to, sentence=sentence)


def sign_in_page(
    visit: Visit, to: str, *, email: str = "", outcome: str = "", trouble: DondocError | None = None
) -> Response:
    sentence, status = (trouble.said(visit.language), trouble.status) if trouble else ("", 200)
    return visit.page(
        "signin.html",
        status,
        to=to,
        email=email,
        outcome=outcome,
        sentence=sentence,
        by_link=visit.context.links is not None,
        by_sign_on=visit.context.single_sign_on is not None,
    )
