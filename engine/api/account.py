"""/api/v1/account: the caller's own account: sessions, and API tokens.

A caller with a token needs the scope ``administer`` for everything except reading the account, and cannot create a
token with more scopes than their own. A token is returned once and not stored, so creating one takes no
``Idempotency-Key``.
"""

from __future__ import annotations

from dataclasses import asdict
from datetime import timedelta
from typing import Annotated

from fastapi import BackgroundTasks
from fastapi.responses import Response
from pydantic import BaseModel, BeforeValidator, Field

from engine.accounts import api_tokens, sign_in
from engine.accounts.accounts import AccountLine
from engine.accounts.accounts import account as find_account
from engine.accounts.api_tokens import MAX_TOKEN_LIFETIME, Scope, TokenLine, tokens_of
from engine.accounts.permissions import ActorRole, Permission
from engine.accounts.sign_in import SessionLine, end_sessions, sessions_of
from engine.api.caller import Call, Caller
from engine.api.models import Body, Listed, Nothing, Short, no_truth
from engine.api.operations import reads, router_of, writes
from engine.errors import NotAllowed, NotFound
from engine.http.filters import SmallId
from engine.http.guards.known_browsers import note, require_fresh_proof
from engine.http.security import SecurityEvent
from engine.text import Text

router = router_of("account")


class AccountOut(BaseModel):
    """The caller's account. ``scopes`` are those of the token used; null for a signed-in user."""

    id: int
    email: str
    label: str
    role: ActorRole
    agency_id: str
    agency: str
    language: str
    scopes: list[Scope] | None


class TokenBody(Body):
    """``days``: lifetime of the token. ``password``: of a signed-in caller who has one."""

    label: Annotated[Short, Field(min_length=1, max_length=120)]
    scopes: Annotated[list[Scope], Field(min_length=1, max_length=len(Scope))]
    password: Annotated[str, Field(max_length=1_000)] = ""
    days: Annotated[int, BeforeValidator(no_truth), Field(ge=1, le=MAX_TOKEN_LIFETIME.days)]


class TokenMade(BaseModel):
    """``key`` is shown only here."""

    key: str
    token: TokenLine


class Ended(BaseModel):
    ended: int


@router.get("/account")
@reads("Khóa này là của ai, làm được gì", "Read whose key this is and what it may do")
def get_account(caller: Caller) -> AccountOut:
    """The caller's account, agency, role and, of a key, its scopes."""
    account = _own_account(caller)
    scopes = sorted(caller.bearer.scopes) if caller.bearer else None
    return AccountOut.model_validate({**asdict(account), "scopes": scopes})


@router.get("/account/sessions")
@reads("Đang đăng nhập ở đâu", "List sessions")
def list_sessions(caller: Caller) -> Listed[SessionLine]:
    """The active sessions, last used first; on one page."""
    account = _own_account_to_change(caller)
    with caller.app.database.read() as session:
        found = sessions_of(session, account.id, caller.now)
    return Listed[SessionLine](items=list(found), next=None, total=len(found))


@router.post("/account/sessions/{session_id}/end")
@writes("Kết thúc một phiên", "End a session")
def end_session(caller: Caller, session_id: SmallId, payload: Nothing) -> Ended:
    """Of the caller; whoever used it has to sign in again."""
    account = _own_account_to_change(caller)
    with caller.writing() as session:
        sign_in.end_session(session, account.id, session_id, caller.now)
    _note(caller, SecurityEvent.SESSIONS_ENDED, account)
    return Ended(ended=1)


@router.post("/account/sessions/end-others")
@writes("Kết thúc mọi phiên khác", "End all other sessions")
def end_other_sessions(caller: Caller, payload: Nothing) -> Ended:
    """End all sessions but the caller's own, and all tokens; a caller with a token ends all."""
    account = _own_account_to_change(caller)
    with caller.writing() as session:
        ended = end_sessions(session, account.id, caller.now, but=caller.session_id)
    _note(caller, SecurityEvent.SESSIONS_ENDED, account)
    return Ended(ended=ended)


@router.get("/account/tokens")
@reads("Các khóa của tôi", "List the caller's keys")
def list_tokens(caller: Caller) -> Listed[TokenLine]:
    """Newest first, including expired and revoked ones; on one page."""
    account = _own_account_to_change(caller)
    with caller.app.database.read() as session:
        found = tokens_of(session, account.id)
    return Listed[TokenLine](items=list(found), next=None, total=len(found))


@router.post("/account/tokens", status_code=201)
@writes("Lập khóa", "Make a key", label="Kho số liệu", scopes=["read"], days=90)
def make_token(caller: Caller, payload: TokenBody, background: BackgroundTasks) -> TokenMade:
    """Shown this once. At most the scopes of the key that asks; asks for the password."""
    account = _own_account_to_change(caller)
    if caller.bearer is not None and not set(payload.scopes) <= caller.bearer.scopes:
        raise NotAllowed(
            Text("Khóa không lập được khóa rộng hơn chính nó.", "A token cannot create a token with more scopes.")
        )
    require_fresh_proof(caller, account, payload.password)
    with caller.writing() as session:
        key = api_tokens.make_token(
            session,
            account.id,
            label=payload.label,
            scopes=payload.scopes,
            lasts=timedelta(days=payload.days),
            **caller.by,
        )
        made = TokenMade(key=key, token=tokens_of(session, account.id)[0])
    _note(caller, SecurityEvent.KEY_MADE, account, background)
    return made


@router.post("/account/tokens/{token_id}/revoke", status_code=204)
@writes("Thu hồi khóa", "Revoke a key")
def revoke_token(caller: Caller, token_id: SmallId, payload: Nothing) -> Response:
    """From then on it opens nothing."""
    account = _own_account_to_change(caller)
    with caller.writing() as session:
        api_tokens.revoke_token(session, account.id, token_id, **caller.by)
    _note(caller, SecurityEvent.KEY_REVOKED, account)
    return Response(status_code=204)


def _note(caller: Call, event: SecurityEvent, line: AccountLine, background: BackgroundTasks | None = None) -> None:
    task = note(caller, event, line)
    if task is not None and background is not None:
        background.tasks.append(task)


def _own_account(caller: Call) -> AccountLine:
    account_id = caller.account.id if caller.account else caller.bearer.account_id if caller.bearer else 0
    if not account_id:
        raise NotFound(Text("Chưa đăng nhập bằng tài khoản nào.", "No account is signed in."))
    with caller.app.database.read() as session:
        return find_account(session, account_id)


def _own_account_to_change(caller: Call) -> AccountLine:
    account = _own_account(caller)
    caller.require(Permission.MAKE_TOKEN, account.agency_id)
    return account
