"""Keys for programs: an account's own reach, narrowed by scopes, until a day. Shown once, kept as a digest."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from sqlalchemy import insert, select, update
from sqlmodel import Session

from engine.accounts.accounts import account
from engine.accounts.permissions import ABOVE, OF_THE_PLAN, Actor, Permission
from engine.accounts.secret_keys import digest_of, fresh_key
from engine.errors import BadInput, NotAllowed, NotFound
from engine.rules.calendar import local_date
from engine.store.database import table
from engine.store.event_log import append, event
from engine.store.records import ApiToken
from engine.terms import EventKind
from engine.text import Text

PREFIX = "dondoc_"
"""So that a key left in a file or a log is recognised for what it is."""
MAX_TOKEN_LIFETIME = timedelta(days=366)
OWNERS = frozenset(
    {
        Permission.ACKNOWLEDGE,
        Permission.DECLINE,
        Permission.REPORT,
        Permission.ASK_EXTENSION,
        Permission.NAME_DEPUTY,
        Permission.SET_WISHES,
        Permission.MAKE_FEED,
    }
)


class Scope(StrEnum):
    """What a token may be used for, within what its account may do anyway."""

    READ = "read"
    REPORT = "report"
    """What an owner does: acknowledge, report, ask for an extension."""
    DECIDE = "decide"
    """What the department above does: accept, return, decide, chase, transfer."""
    ADMINISTER = "administer"


def scope_of(deed: Permission) -> Scope:
    """The scope that a deed needs; whatever is not named needs the highest."""
    if deed.value.startswith("see_"):
        return Scope.READ
    return Scope.REPORT if deed in OWNERS else Scope.DECIDE if deed in ABOVE | OF_THE_PLAN else Scope.ADMINISTER


@dataclass(frozen=True, slots=True)
class Bearer:
    """Whoever a token speaks for. ``actor.name`` is ``api:<token id>``. ``stale``: the caller should ``note_use`` (one
    write a day)."""

    actor: Actor
    token_id: int
    account_id: int
    scopes: frozenset[Scope]
    stale: bool

    def require(self, deed: Permission) -> None:
        """Raises NotAllowed unless the token has the scope; that the account may is ``engine.accounts.permissions``'s
        to say."""
        needed = scope_of(deed)
        if needed not in self.scopes:
            raise NotAllowed(Text(f"Khóa này thiếu phạm vi «{needed}».", f"This token lacks the scope “{needed}”."))


@dataclass(frozen=True, slots=True)
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
    """A new token; the returned key is shown once and never again."""
    wanted = sorted(set(scopes))
    if not wanted or not set(wanted) <= set(Scope):
        raise BadInput(Text(f"Phạm vi là một hay nhiều trong: {', '.join(Scope)}.", "Scopes are one or more of these."))
    if not label.strip():
        raise BadInput(Text("Ghi khóa dùng cho chương trình nào.", "Say which program the token is for."))
    if not timedelta(0) < lasts <= MAX_TOKEN_LIFETIME:
        raise BadInput(Text("Khóa dùng được nhiều nhất 366 ngày.", "A token lasts at most 366 days."))
    if not account(session, account_id).active:
        raise NotAllowed(Text("Tài khoản này đã khóa.", "This account is closed."))
    key, digest = fresh_key(PREFIX)
    made = session.connection().execute(
        insert(table(ApiToken)).values(
            account_id=account_id,
            digest=digest,
            label=label.strip()[:120],
            scopes=wanted,
            created_at=now,
            expires_at=now + lasts,
        )
    )
    _tell(session, "token_made", account_id, int((made.inserted_primary_key or (0,))[0]), actor, now)
    return key


def bearer_of(session: Session, key: str, now: datetime) -> Bearer | None:
    """Whom a token speaks for; None when it is unknown, over, revoked, or its account is closed. Changes nothing."""
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
    scopes = frozenset(Scope(each) for each in row.scopes)
    stale = row.used_on is None or row.used_on < local_date(now)
    return Bearer(Actor("api", str(row.id), line.agency_id, line.role), row.id, line.id, scopes, stale)


def note_use(session: Session, token_id: int, now: datetime) -> None:
    """Write down that a token was used today; later calls of the day find it written."""
    t, today = table(ApiToken), local_date(now)
    earlier = t.c.used_on.is_(None) | (t.c.used_on < today)
    session.connection().execute(update(t).where(t.c.id == token_id, earlier).values(used_on=today))


def tokens_of(session: Session, account_id: int) -> tuple[TokenLine, ...]:
    """An account's tokens, newest first."""
    t = table(ApiToken)
    chosen = select(t.c.id, t.c.label, t.c.scopes, t.c.created_at, t.c.expires_at, t.c.revoked_at, t.c.used_on)
    rows = session.connection().execute(chosen.where(t.c.account_id == account_id).order_by(t.c.id.desc()))
    return tuple(TokenLine(row[0], row[1], tuple(row[2]), *row[3:]) for row in rows)


def revoke_token(session: Session, account_id: int, token_id: int, *, actor: str, now: datetime) -> None:
    """Raises NotFound for another's, or one revoked before."""
    t = table(ApiToken)
    mine = (t.c.id == token_id, t.c.account_id == account_id, t.c.revoked_at.is_(None))
    if session.connection().execute(update(t).where(*mine).values(revoked_at=now)).rowcount != 1:
        raise NotFound(Text("Không có khóa này, hoặc đã thu hồi.", "There is no such token, or it was revoked."))
    _tell(session, "token_revoked", account_id, token_id, actor, now)


def _tell(session: Session, what: str, account_id: int, token_id: int, actor: str, now: datetime) -> None:
    append(session, [event(EventKind.ACCOUNT_CHANGED, now, actor=actor, what=what, account=account_id, token=token_id)])
