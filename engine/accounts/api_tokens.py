"""API tokens: an account's permissions, narrowed by scopes, until a day. Shown once; only the digest is stored."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from sqlalchemy import insert, select, update
from sqlmodel import Session

from engine.accounts.accounts import account
from engine.accounts.permissions import ABOVE, OF_THE_PLAN, TABLE, Actor, ActorRole, Permission
from engine.accounts.second_factor import has_factor
from engine.accounts.secret_keys import digest_of, new_key
from engine.enums import complete
from engine.errors import BadInput, NotAllowed, NotFound
from engine.rules.calendar import local_date
from engine.rules.vietnamese import require_visible
from engine.store.database import table
from engine.store.event_log import record
from engine.store.records import Account, ApiToken
from engine.store.stored_rows import object_of
from engine.terms import EventKind
from engine.text import Text

PREFIX = "dondoc_"
"""Makes a token recognisable when it turns up in a file or a log."""
MAX_TOKEN_LIFETIME = timedelta(days=366)
OWNERS = frozenset(
    {
        Permission.ACKNOWLEDGE,
        Permission.DECLINE,
        Permission.REPORT,
        Permission.ASK_EXTENSION,
        Permission.RAISE,
        Permission.ADD_PART,
        Permission.NAME_DEPUTY,
        Permission.SET_PREFERENCES,
        Permission.MAKE_FEED,
    }
)


class Scope(StrEnum):
    """What a token may be used for, within the permissions of its account."""

    READ = "read"
    REPORT = "report"
    """Actions of an owner: acknowledge, report, ask for an extension."""
    DECIDE = "decide"
    """Actions of the department above: accept, return, decide, chase, transfer."""
    ADMINISTER = "administer"


NEEDED: Mapping[Scope, tuple[Permission, ...]] = complete(
    Scope,
    {
        Scope.READ: (Permission.SEE_PLANS,),
        Scope.REPORT: (Permission.REPORT,),
        Scope.DECIDE: (Permission.ACCEPT,),
        Scope.ADMINISTER: (Permission.KEEP_ACCOUNTS, Permission.KEEP_CONTACTS),
    },
)
"""Scope -> the permissions of which a role needs at least one for it."""


def scopes_of(role: ActorRole) -> tuple[Scope, ...]:
    """What a token of this role may be made for."""
    return tuple(scope for scope, permissions in NEEDED.items() if any(each in TABLE[role] for each in permissions))


def scope_of(permission: Permission) -> Scope:
    """The scope that a permission requires; unlisted permissions require the highest."""
    if permission.value.startswith("see_"):
        return Scope.READ
    if permission in OWNERS:
        return Scope.REPORT
    return Scope.DECIDE if permission in ABOVE | OF_THE_PLAN else Scope.ADMINISTER


@dataclass(frozen=True, slots=True, kw_only=True)
class Bearer:
    """The holder of a valid token. ``actor.name`` is ``api:<token id>``. ``stale``: the caller should call
    ``note_use`` (one write a day). ``lacks_factor``: the role must have a second factor and the account has none, so
    the token opens nothing."""

    actor: Actor
    token_id: int
    account_id: int
    scopes: frozenset[Scope]
    stale: bool
    lacks_factor: bool = False

    def require(self, permission: Permission) -> None:
        """Raises NotAllowed unless the token has the scope. The account's own permissions are checked separately, by
        ``engine.accounts.permissions``."""
        needed = scope_of(permission)
        if needed not in self.scopes:
            raise NotAllowed(Text(f"Khóa này thiếu phạm vi «{needed}».", f"This token lacks the scope “{needed}”."))


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenLine:
    id: int
    label: str
    scopes: tuple[str, ...]
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    used_on: date | None

    def holds(self, now: datetime) -> bool:
        return self.revoked_at is None and (self.expires_at is None or self.expires_at > now)


def make_token(
    session: Session, account_id: int, *, label: str, scopes: Iterable[str], lasts: timedelta, actor: str, now: datetime
) -> str:
    """Create a token; the returned key is shown once and cannot be read again. Raises BadInput or NotAllowed."""
    wanted = sorted(set(scopes))
    if not wanted or not set(wanted) <= set(Scope):
        raise BadInput(Text(f"Phạm vi là một hay nhiều trong: {', '.join(Scope)}.", "Scopes are one or more of these."))
    if not label.strip():
        raise BadInput(Text("Ghi khóa dùng cho chương trình nào.", "Say which program the token is for."))
    require_visible(label)
    if not timedelta(0) < lasts <= MAX_TOKEN_LIFETIME:
        raise BadInput(Text("Khóa dùng được nhiều nhất 366 ngày.", "A token lasts at most 366 days."))
    line = account(session, account_id)
    if not line.active:
        raise NotAllowed(Text("Tài khoản này đã khóa.", "This account is deactivated."))
    beyond = sorted(set(wanted) - set(scopes_of(line.role)))
    if beyond:
        names = ", ".join(f"«{each}»" for each in beyond)
        raise BadInput(
            Text(
                f"Vai trò của tài khoản không có phạm vi {names}; bỏ chọn phạm vi ấy.",
                f"The account's role has no scope {names}; leave it out.",
            )
        )
    key, digest = new_key(PREFIX)
    inserted = session.connection().execute(
        insert(table(ApiToken)).values(
            account_id=account_id,
            digest=digest,
            label=label.strip()[:120],
            scopes=wanted,
            created_at=now,
            expires_at=now + lasts,
        )
    )
    _log_change(session, "token_made", account_id, int((inserted.inserted_primary_key or (0,))[0]), actor, now)
    return key


def bearer_of(session: Session, key: str, now: datetime, needs_factor: Collection[str] = ()) -> Bearer | None:
    """The holder of a token; None if it is unknown, expired or revoked, or its account is inactive. Writes nothing.
    Its scopes are those that the account's role may still have. ``needs_factor``: the roles that must have a second
    factor; an account of single sign-on has its own."""
    tokens = table(ApiToken)
    row = (
        session.connection()
        .execute(
            select(tokens.c.id, tokens.c.account_id, tokens.c.scopes, tokens.c.used_on).where(
                tokens.c.digest == digest_of(key),
                tokens.c.revoked_at.is_(None),
                tokens.c.expires_at.is_(None) | (tokens.c.expires_at > now),
            )
        )
        .first()
    )
    if row is None:
        return None
    line = account(session, row.account_id)
    if not line.active:
        return None
    scopes = frozenset(Scope(each) for each in row.scopes) & {*scopes_of(line.role)}
    stale = row.used_on is None or row.used_on < local_date(now)
    lacks = line.role in needs_factor and line.subject is None and not has_factor(session, line.id)
    actor = Actor("api", str(row.id), line.agency_id, line.role)
    return Bearer(actor=actor, token_id=row.id, account_id=line.id, scopes=scopes, stale=stale, lacks_factor=lacks)


def note_use(session: Session, token_id: int, now: datetime) -> None:
    """Record that a token was used today; further calls on the same day change nothing."""
    t, today = table(ApiToken), local_date(now)
    earlier = t.c.used_on.is_(None) | (t.c.used_on < today)
    session.connection().execute(update(t).where(t.c.id == token_id, earlier).values(used_on=today))


def tokens_of(session: Session, account_id: int) -> tuple[TokenLine, ...]:
    """An account's tokens, newest first."""
    t = table(ApiToken)
    statement = select(t.c.id, t.c.label, t.c.scopes, t.c.created_at, t.c.expires_at, t.c.revoked_at, t.c.used_on)
    rows = session.connection().execute(statement.where(t.c.account_id == account_id).order_by(t.c.id.desc()))
    return tuple(object_of(TokenLine, row, scopes=tuple(row.scopes)) for row in rows)


@dataclass(frozen=True, slots=True)
class OwnedToken:
    """A token with the account that it belongs to."""

    account_id: int
    email: str
    token: TokenLine


def active_tokens(session: Session, now: datetime) -> tuple[OwnedToken, ...]:
    """Every token that works, of all accounts: the ones unused for longest first."""
    t, a = table(ApiToken), table(Account)
    columns = (t.c.id, t.c.label, t.c.scopes, t.c.created_at, t.c.expires_at, t.c.revoked_at, t.c.used_on)
    statement = select(a.c.id.label("account_id"), a.c.email, *columns).join(a, a.c.id == t.c.account_id)
    rows = session.connection().execute(statement.where(t.c.revoked_at.is_(None), a.c.active).order_by(t.c.id))
    found = (OwnedToken(row.account_id, row.email, object_of(TokenLine, row, scopes=tuple(row.scopes))) for row in rows)
    return tuple(sorted((each for each in found if each.token.holds(now)), key=_last_use))


def _last_use(each: OwnedToken) -> date:
    return each.token.used_on or date.min


def revoke_token(session: Session, account_id: int, token_id: int, *, actor: str, now: datetime) -> None:
    """Revoke a token. Raises NotFound if it belongs to another account or is already revoked."""
    t = table(ApiToken)
    own = (t.c.id == token_id, t.c.account_id == account_id, t.c.revoked_at.is_(None))
    if session.connection().execute(update(t).where(*own).values(revoked_at=now)).rowcount != 1:
        raise NotFound(Text("Không có khóa này, hoặc đã thu hồi.", "There is no such token, or it was revoked."))
    _log_change(session, "token_revoked", account_id, token_id, actor, now)


def _log_change(session: Session, what: str, account_id: int, token_id: int, actor: str, now: datetime) -> None:
    record(session, EventKind.ACCOUNT_CHANGED, now, actor=actor, what=what, account=account_id, token=token_id)
