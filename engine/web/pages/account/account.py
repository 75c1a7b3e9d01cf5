"""One's own account: where one is signed in, the password, the language, and keys for programs."""

from __future__ import annotations

from datetime import timedelta

from fastapi import APIRouter
from fastapi.responses import Response

from engine.accounts.accounts import AccountLine, change, set_password
from engine.accounts.api_tokens import Scope, make_token, revoke_token, tokens_of
from engine.accounts.passwords import must_be_good
from engine.accounts.permissions import Deed
from engine.accounts.sign_in import SignInRefused, end_session, end_sessions, open_session, sessions_of, sign_in
from engine.errors import BadInput, DondocError, NotFound, TooOften
from engine.http.filters import Code, SmallId
from engine.http.forms import Form
from engine.http.request_context import Desk, Posted, Visit
from engine.text import Text
from engine.web.pages.account.sign_in import MOST_PASSWORD, TYPED_DIFFERENTLY

router = APIRouter()
DAYS = (30, 90, 366)
"""How long a key may be made to last."""
MAIN: dict[Scope, tuple[Deed, ...]] = {
    Scope.READ: (Deed.SEE_PLANS,),
    Scope.REPORT: (Deed.REPORT,),
    Scope.DECIDE: (Deed.ACCEPT,),
    Scope.ADMINISTER: (Deed.KEEP_ACCOUNTS, Deed.KEEP_CONTACTS),
}
"""What an account must be able to do one of, to be offered a scope."""


@router.get("/account")
def account(visit: Desk, said: Code = "") -> Response:
    return _page(visit, outcome=said)


@router.post("/account/sessions/{session_id}/end")
def end_one(visit: Desk, form: Posted, session_id: SmallId) -> Response:
    mine = _mine(visit)
    with visit.writing() as session:
        end_session(session, mine.id, session_id, visit.now)
    return visit.go("/account", said="ended")


@router.post("/account/sessions/end-others")
def end_others(visit: Desk, form: Posted) -> Response:
    mine = _mine(visit)
    with visit.writing() as session:
        end_sessions(session, mine.id, visit.now, but=visit.session_id)
    return visit.go("/account", said="ended")


@router.post("/account/password")
def change_password(visit: Desk, form: Posted) -> Response:
    """The old one is asked for, and counted as signing in is: an unattended desk is not enough. Whoever is signed in
    with the old one elsewhere is signed out; this browser stays."""
    mine = _mine(visit)
    old, new = form.raw("old")[:MOST_PASSWORD], form.raw("new")[:MOST_PASSWORD]
    try:
        must_be_good(new, mine.email)
        if new != form.raw("again")[:MOST_PASSWORD]:
            raise BadInput(TYPED_DIFFERENTLY)
        if mine.has_password:
            sign_in(
                visit.context.database,
                email=mine.email,
                password=old,
                ip=visit.ip,
                device=visit.device,
                now=visit.now,
                known=f"session {visit.session_id}",
            )
    except SignInRefused:
        wrong = BadInput(Text("Mật khẩu đang dùng không đúng.", "The present password is wrong."))
        return _page(visit, status=422, trouble=wrong)
    except (BadInput, TooOften) as error:
        return _page(visit, status=error.status, trouble=error)
    with visit.writing() as session:
        set_password(session, mine.id, new, actor=visit.actor.name, now=visit.now)
        key = open_session(session, mine.id, way="password", device=visit.device, now=visit.now)
    return visit.with_session(visit.go("/account", said="password"), key)


@router.post("/account/language")
def speak(visit: Desk, form: Posted) -> Response:
    mine, language = _mine(visit), form.text("language", 5)
    with visit.writing() as session:
        change(session, mine.id, language=language, actor=visit.actor.name, now=visit.now)
    return visit.go("/account", said="language", lang=language)


@router.post("/account/tokens")
def make(visit: Desk, form: Posted) -> Response:
    """The key stands in this answer alone: it is kept nowhere, so there is no page to go to that could show it."""
    mine = _mine(visit)
    visit.must(Deed.MAKE_TOKEN, mine.agency_id)
    try:
        days = form.number("days")
        if days not in DAYS:
            raise BadInput(Text("Chọn khóa dùng được bao lâu.", "Choose how long the key lasts."))
        with visit.writing() as session:
            key = make_token(
                session,
                mine.id,
                label=form.text("label", 120),
                scopes=form.fields.get("scope", ()),
                lasts=timedelta(days=days),
                actor=visit.actor.name,
                now=visit.now,
            )
    except BadInput as error:
        return _page(visit, status=422, trouble_with_key=error, typed=form)
    return _page(visit, outcome="key", key=key)


@router.post("/account/tokens/{token_id}/revoke")
def revoke(visit: Desk, form: Posted, token_id: SmallId) -> Response:
    mine = _mine(visit)
    with visit.writing() as session:
        revoke_token(session, mine.id, token_id, actor=visit.actor.name, now=visit.now)
    return visit.go("/account", said="revoked")


def _page(
    visit: Visit,
    *,
    outcome: str = "",
    status: int = 200,
    trouble: DondocError | None = None,
    key: str = "",
    trouble_with_key: DondocError | None = None,
    typed: Form | None = None,
) -> Response:
    mine = _mine(visit)
    with visit.reading() as (session, today):
        found, keys = sessions_of(session, mine.id, visit.now), tokens_of(session, mine.id)
    said, said_of_key = (each.said(visit.language) if each else "" for each in (trouble, trouble_with_key))
    live = [each for each in keys if each.holds(visit.now)]
    offered = [scope for scope, deeds in MAIN.items() if any(visit.may(deed, mine.agency_id) for deed in deeds)]
    return visit.page(
        "account.html",
        status,
        today=today,
        mine=mine,
        sessions=found,
        outcome=outcome,
        sentence=said,
        key=key,
        keys=live,
        former=[each for each in keys if each not in live],
        offered=offered,
        days=DAYS,
        typed=typed or Form({}),
        said_of_key=said_of_key,
    )


def _mine(visit: Visit) -> AccountLine:
    if visit.account is None:
        raise NotFound(Text("Chưa đăng nhập bằng tài khoản nào.", "Nobody is signed in here."))
    return visit.account
