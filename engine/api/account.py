"""/api/v1/account: one's own account as its page has it: sessions, and keys for programs.

Whoever calls with a key needs the scope ``administer`` for all but seeing who he is, and makes no key that reaches
further than his own. A key is answered once and kept nowhere, so making one takes no ``Idempotency-Key``.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter
from fastapi.responses import Response
from pydantic import BaseModel, Field

from engine.accounts.accounts import AccountLine
from engine.accounts.accounts import account as find_account
from engine.accounts.api_tokens import MAX_TOKEN_LIFETIME, Scope, TokenLine, make_token, revoke_token, tokens_of
from engine.accounts.permissions import ActorRole, Permission
from engine.accounts.sign_in import SessionLine, end_session, end_sessions, sessions_of
from engine.api.caller import Call, Caller
from engine.api.models import Body, Listed, Nothing, Short
from engine.errors import NotAllowed, NotFound
from engine.http.filters import SmallId
from engine.text import Text

router = APIRouter()


class AccountOut(BaseModel):
    """Who calls. ``scopes`` are those of the key that was used; null for whoever is signed in."""

    id: int
    email: str
    label: str
    role: ActorRole
    agency_id: str
    agency: str
    language: str
    scopes: list[Scope] | None


class TokenBody(Body):
    """``days``: how long it lasts."""

    label: Annotated[Short, Field(min_length=1, max_length=120)]
    scopes: Annotated[list[Scope], Field(min_length=1, max_length=len(Scope))]
    days: Annotated[int, Field(ge=1, le=MAX_TOKEN_LIFETIME.days)]


class TokenMade(BaseModel):
    """``key`` is shown here and never again."""

    key: str
    token: TokenLine


class Ended(BaseModel):
    ended: int


@router.get("/account")
def who(caller: Caller) -> AccountOut:
    mine = _mine(caller)
    scopes = sorted(caller.bearer.scopes) if caller.bearer else None
    return AccountOut(
        id=mine.id,
        email=mine.email,
        label=mine.label,
        role=mine.role,
        agency_id=mine.agency_id,
        agency=mine.agency,
        language=mine.language,
        scopes=scopes,
    )


@router.get("/account/sessions")
def sessions(caller: Caller) -> Listed[SessionLine]:
    """The live ones, the last used first; on one page."""
    mine = _myself(caller)
    with caller.app.database.read() as session:
        found = sessions_of(session, mine.id, caller.now)
    return Listed[SessionLine](items=list(found), next=None, total=len(found))


@router.post("/account/sessions/{session_id}/end")
def end_one(caller: Caller, session_id: SmallId, said: Nothing) -> Ended:
    mine = _myself(caller)
    with caller.writing() as session:
        end_session(session, mine.id, session_id, caller.now)
    return Ended(ended=1)


@router.post("/account/sessions/end-others")
def end_others(caller: Caller, said: Nothing) -> Ended:
    """All but the one that calls; a key's caller ends all."""
    mine = _myself(caller)
    with caller.writing() as session:
        return Ended(ended=end_sessions(session, mine.id, caller.now, but=caller.session_id))


@router.get("/account/tokens")
def tokens(caller: Caller) -> Listed[TokenLine]:
    """Newest first, those that are over too; on one page."""
    mine = _myself(caller)
    with caller.app.database.read() as session:
        found = tokens_of(session, mine.id)
    return Listed[TokenLine](items=list(found), next=None, total=len(found))


@router.post("/account/tokens", status_code=201)
def make(caller: Caller, said: TokenBody) -> TokenMade:
    mine = _myself(caller)
    if caller.bearer is not None and not set(said.scopes) <= caller.bearer.scopes:
        raise NotAllowed(
            Text("Khóa không lập được khóa rộng hơn chính nó.", "A key makes no key that reaches further.")
        )
    with caller.writing() as session:
        key = make_token(
            session,
            mine.id,
            label=said.label,
            scopes=said.scopes,
            lasts=timedelta(days=said.days),
            actor=caller.actor.name,
            now=caller.now,
        )
        return TokenMade(key=key, token=tokens_of(session, mine.id)[0])


@router.post("/account/tokens/{token_id}/revoke", status_code=204)
def revoke(caller: Caller, token_id: SmallId, said: Nothing) -> Response:
    mine = _myself(caller)
    with caller.writing() as session:
        revoke_token(session, mine.id, token_id, actor=caller.actor.name, now=caller.now)
    return Response(status_code=204)


def _mine(caller: Call) -> AccountLine:
    account_id = caller.account.id if caller.account else caller.bearer.account_id if caller.bearer else 0
    if not account_id:
        raise NotFound(Text("Chưa đăng nhập bằng tài khoản nào.", "Nobody is signed in here."))
    with caller.app.database.read() as session:
        return find_account(session, account_id)


def _myself(caller: Call) -> AccountLine:
    mine = _mine(caller)
    caller.require(Permission.MAKE_TOKEN, mine.agency_id)
    return mine
