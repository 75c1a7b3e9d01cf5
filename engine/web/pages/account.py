"""One's own account: where one is signed in, and the password."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import Response

from engine.accounts import AccountLine, set_password
from engine.errors import BadInput, DondocError, NotFound, TooOften
from engine.passwords import must_be_good
from engine.signing import SignInRefused, end_session, end_sessions, open_session, sessions_of, sign_in
from engine.web.filters import Code, SmallId
from engine.web.pages.signin import MOST_PASSWORD, TYPED_DIFFERENTLY
from engine.web.visit import Desk, Posted, Visit

router = APIRouter()


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
            sign_in(visit.context.database, email=mine.email, password=old, ip=visit.ip, device=visit.device,
                    now=visit.now)  # fmt: skip
    except SignInRefused:
        wrong = BadInput("Mật khẩu đang dùng không đúng. / The present password is wrong.")
        return _page(visit, status=422, trouble=wrong)
    except (BadInput, TooOften) as error:
        return _page(visit, status=error.status, trouble=error)
    with visit.writing() as session:
        set_password(session, mine.id, new, actor=visit.actor.name, now=visit.now)
        key = open_session(session, mine.id, way="password", device=visit.device, now=visit.now)
    return visit.with_session(visit.go("/account", said="password"), key)


def _page(visit: Visit, *, outcome: str = "", status: int = 200, trouble: DondocError | None = None) -> Response:
    mine = _mine(visit)
    with visit.reading() as (session, today):
        found = sessions_of(session, mine.id, visit.now)
    sentence = trouble.said(visit.language) if trouble else ""
    return visit.page("account.html", status, today=today, mine=mine, sessions=found, outcome=outcome,
                      sentence=sentence)  # fmt: skip


def _mine(visit: Visit) -> AccountLine:
    if visit.account is None:
        raise NotFound("Chưa đăng nhập bằng tài khoản nào. / Nobody is signed in here.")
    return visit.account
