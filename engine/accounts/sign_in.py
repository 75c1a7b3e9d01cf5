"""Signing in by password or by a link sent to the mailbox, and the sessions of accounts.

The cookie is a random key of which only the digest is stored. A session is extended while it is used and expires by
itself; users see all their sessions and may end any of them. An unknown address gets the same response, after the same
time, as a wrong password.

Name of the browser and system of a request, in our own words: a User-Agent is untrusted and never quoted.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, insert, select, update
from sqlmodel import Session

from engine.accounts.accounts import AccountLine, account, end_tokens, find, set_password
from engine.accounts.passwords import hashed, is_dated, matches
from engine.accounts.rate_limit import Limit, count, enforce_rate_limit, forget, give_back
from engine.accounts.second_factor import Proof, has_factor
from engine.accounts.secret_keys import digest_of, new_key
from engine.errors import LinkRefused, NotAllowed, NotFound
from engine.store.database import Database, table
from engine.store.event_log import record
from engine.store.records import Account, SignInLink, UserSession
from engine.store.stored_rows import objects
from engine.terms import EventKind
from engine.text import Text

SESSION_IDLE_TIME, MAX_SESSION_TIME = timedelta(hours=12), timedelta(days=14)
"""An unused session ends after the idle time (a working day and the evening), any session after a fortnight."""
SLIDE_INTERVAL = timedelta(minutes=10)
"""Extending a session costs a write, so it is done at most this often."""
LINK_LIFETIME = timedelta(minutes=15)
LINKS_A_DAY = Limit(12, timedelta(days=1))
"""Per mailbox, so that nobody can be flooded by repeated requests for their address."""
SIGN_IN, LINK, SINGLE_SIGN_ON = "sign_in", "link", "single_sign_on"
_QUARTER, _HOUR = timedelta(minutes=15), timedelta(hours=1)
BY_ADDRESS = {SIGN_IN: Limit(5, _QUARTER), LINK: Limit(3, _QUARTER)}
BY_NETWORK = {SIGN_IN: Limit(50, _QUARTER), LINK: Limit(30, _HOUR)}
"""Higher, because a whole agency may share one network address."""


@dataclass(frozen=True, slots=True)
class SessionHolder:
    """The account behind a cookie. ``stale``: the caller should call ``slide`` (one write in ten minutes). ``factor``:
    what the session has shown of a second factor; while it is pending, the session opens nothing."""

    account: AccountLine
    session_id: int
    expires_at: datetime
    stale: bool
    factor: Proof = Proof.NONE


@dataclass(frozen=True, slots=True)
class SessionLine:
    """One of an account's sessions, as shown to the user."""

    id: int
    device: str
    created_at: datetime
    seen_at: datetime
    expires_at: datetime
    way: str
    proved_at: datetime | None

    def is_fresh(self, now: datetime) -> bool:
        """Its holder has shown who they are within the last quarter of an hour."""
        return now - (self.proved_at or self.created_at) <= LINK_LIFETIME


class SignInRefused(NotAllowed):
    default = Text("Địa chỉ thư điện tử hoặc mật khẩu không đúng.", "The address or the password is wrong.")

    status = 401


class LinkStale(LinkRefused):
    default = Text(
        "Liên kết đăng nhập đã dùng hoặc quá 15 phút; hãy xin liên kết mới.",
        "This link was used or has expired; request a new one.",
    )


def sign_in(
    database: Database, *, email: str, password: str, ip: str, device: str, now: datetime, known: str = ""
) -> str:
    """Sign in by password; returns the cookie's value. Raises SignInRefused (also for an unknown address) or TooOften.
    Takes the database, not a session: hashing is slow on purpose and must not hold a transaction, and failed attempts
    are counted. ``known`` identifies a browser that signed in to this account before; it is counted separately, so that
    other people's guesses do not lock the owner out."""
    row_id, stored = verify_password(database, email=email, password=password, ip=ip, now=now, known=known)
    new_hash = hashed(password) if is_dated(stored) else stored
    accounts = table(Account)
    with database.write() as session:
        unchanged = (accounts.c.id == row_id, accounts.c.password == stored, accounts.c.active)
        if session.connection().execute(update(accounts).where(*unchanged).values(password=new_hash)).rowcount != 1:
            raise SignInRefused  # changed or deactivated during hashing
        return open_session(session, row_id, way="password", device=device, now=now)


def verify_password(
    database: Database, *, email: str, password: str, ip: str, now: datetime, known: str = ""
) -> tuple[int, str]:
    """The account's id and stored hash. Raises SignInRefused (also for an unknown address) or TooOften. The attempt is
    counted before the password is looked at, so that attempts at the same moment are limited too, and given back if it
    was right."""
    email = email.strip().lower()
    who, accounts = _counted(email, known), table(Account)
    count_network(database, SIGN_IN, ip=ip, known=known, now=now)
    with database.write() as session:
        enforce_rate_limit(session, SIGN_IN, {who: BY_ADDRESS[SIGN_IN]}, now)
        count(session, SIGN_IN, (who,), now)
        row = (
            session.connection()
            .execute(select(accounts.c.id, accounts.c.password).where(accounts.c.email == email, accounts.c.active))
            .first()
        )
    if not matches(row.password if row else "", password) or row is None:
        raise SignInRefused
    with database.write() as session:
        forget(session, SIGN_IN, who)
        if not known:
            give_back(session, SIGN_IN, ip, now)
    return row.id, row.password


def count_network(database: Database, what: str, *, ip: str, known: str, now: datetime) -> None:
    """Count an attempt from a network, before the address and in a transaction of its own: whoever tries one address
    after another, or one that is limited already, is counted all the same. A known browser is not counted by its
    network. Raises TooOften."""
    if not known:
        with database.write() as session:
            enforce_rate_limit(session, what, {ip: BY_NETWORK[what]}, now)
            count(session, what, (ip,), now)


def request_link(session: Session, *, email: str, now: datetime, known: str = "") -> str | None:
    """Create a sign-in link; returns its key for the caller to mail. None for an address without an account (the page
    answers the same either way). Earlier links keep working for their quarter of an hour: a stranger's request must not
    end a person's link. Call ``count_network`` first. Raises TooOften."""
    email = email.strip().lower()
    who = _counted(email, known)
    enforce_rate_limit(session, LINK, {who: BY_ADDRESS[LINK]}, now)
    enforce_rate_limit(session, LINK, {who: LINKS_A_DAY}, now)
    count(session, LINK, (who,), now)
    line = find(session, email)
    if line is None or not line.active:
        return None
    key, digest = new_key()
    session.connection().execute(
        insert(table(SignInLink)).values(digest=digest, account_id=line.id, expires_at=now + LINK_LIFETIME)
    )
    return key


def _counted(email: str, known: str) -> str:
    """The subject that an attempt is counted under: the address, in a known browser one of its own."""
    return f"{email} {known}" if known else email


def open_by_link(session: Session, key: str, *, device: str, now: datetime) -> str:
    """Sign in by link, once; returns the cookie's value. Only by POST, because mail scanners open links. Raises
    LinkStale."""
    line = _use_link(session, key, now)
    return open_session(session, line.id, way="link", device=device, now=now)


def reset_by_link(session: Session, key: str, password: str, *, device: str, now: datetime) -> str:
    """Sign in by link and set a new password; ends all other sessions. Raises LinkStale, or BadInput for a weak
    password."""
    line = _use_link(session, key, now)
    set_password(session, line.id, password, actor=line.actor.name, now=now)
    return open_session(session, line.id, way="link", device=device, now=now)


def account_of_link(session: Session, key: str, now: datetime) -> AccountLine:
    """The account that a sign-in link belongs to. Writes nothing. Raises LinkStale."""
    account_id = session.connection().scalar(select(table(SignInLink).c.account_id).where(*_unused(key, now)))
    if account_id is None:
        raise LinkStale
    return account(session, account_id)


def _use_link(session: Session, key: str, now: datetime) -> AccountLine:
    line = account_of_link(session, key, now)
    used = update(table(SignInLink)).where(*_unused(key, now)).values(used_at=now)
    if session.connection().execute(used).rowcount != 1:
        raise LinkStale
    return line


def _unused(key: str, now: datetime) -> tuple[Any, ...]:
    links = table(SignInLink)
    return links.c.digest == digest_of(key), links.c.used_at.is_(None), links.c.expires_at > now


def open_session(
    session: Session, account_id: int, *, way: str, device: str, now: datetime, proven: bool = False
) -> str:
    """Open a session of an active account; returns the cookie's value. ``way``: password, link, single_sign_on, setup.
    If the account has a second factor the session waits for a code, unless it was ``proven`` a moment ago."""
    if not account(session, account_id).active:
        raise SignInRefused
    if way == SINGLE_SIGN_ON:
        factor = Proof.ELSEWHERE
    elif has_factor(session, account_id):
        factor = Proof.CODE if proven else Proof.PENDING
    else:
        factor = Proof.NONE
    key, digest = new_key()
    session.connection().execute(
        insert(table(UserSession)).values(
            account_id=account_id,
            digest=digest,
            created_at=now,
            seen_at=now,
            expires_at=now + SESSION_IDLE_TIME,
            device=device[:120],
            factor=factor.value,
            way=way,
        )
    )
    record(session, EventKind.SIGNED_IN, now, actor=f"account:{account_id}", way=way)
    return key


def holder_of(
    session: Session,
    key: str,
    now: datetime,
    idle: timedelta = SESSION_IDLE_TIME,
    most: timedelta = MAX_SESSION_TIME,
) -> SessionHolder | None:
    """The account behind a cookie; None if the session has ended or the account is inactive. ``idle`` and ``most``: the
    office's own, shorter ends. Writes nothing."""
    signed = table(UserSession)
    row = (
        session.connection()
        .execute(
            select(signed).where(
                signed.c.digest == digest_of(key),
                signed.c.ended_at.is_(None),
                signed.c.expires_at > now,
                signed.c.seen_at > now - idle,
                signed.c.created_at > now - most,
            )
        )
        .first()
    )
    if row is None:
        return None
    line = account(session, row.account_id)
    if not line.active:
        return None
    ends_at = min(row.expires_at, row.seen_at + idle, row.created_at + most)
    return SessionHolder(line, row.id, ends_at, now - row.seen_at >= SLIDE_INTERVAL, Proof(row.factor))


def is_known_session(session: Session, key: str) -> bool:
    """True if the cookie belongs to a session of an active account that was not ended; it may have expired."""
    signed, accounts = table(UserSession), table(Account)
    statement = select(signed.c.id).join(accounts, accounts.c.id == signed.c.account_id)
    known = (signed.c.digest == digest_of(key), signed.c.ended_at.is_(None), accounts.c.active)
    return session.connection().scalar(statement.where(*known)) is not None


def slide(session: Session, session_id: int, now: datetime) -> None:
    """Extend a session by ``SESSION_IDLE_TIME`` from now, up to ``MAX_SESSION_TIME`` from its start."""
    signed = table(UserSession)
    live = (signed.c.id == session_id, signed.c.ended_at.is_(None))
    began = session.connection().scalar(select(signed.c.created_at).where(*live))
    if began is not None:
        values = {"seen_at": now, "expires_at": min(now + SESSION_IDLE_TIME, began + MAX_SESSION_TIME)}
        session.connection().execute(update(signed).where(*live).values(**values))


def sessions_of(session: Session, account_id: int, now: datetime) -> tuple[SessionLine, ...]:
    """An account's open sessions, most recently used first."""
    signed = table(UserSession)
    columns = [signed.c[each.name] for each in fields(SessionLine)]
    live = (signed.c.account_id == account_id, signed.c.ended_at.is_(None), signed.c.expires_at > now)
    rows = session.connection().execute(select(*columns).where(*live).order_by(signed.c.seen_at.desc(), signed.c.id))
    return tuple(objects(SessionLine, rows))


def note_proof(session: Session, session_id: int, now: datetime) -> None:
    """The holder has typed the password again."""
    signed = table(UserSession)
    session.connection().execute(update(signed).where(signed.c.id == session_id).values(proved_at=now))


def end_session(session: Session, account_id: int, session_id: int, now: datetime) -> None:
    """End one session of an account. Raises NotFound if it belongs to another account or has ended."""
    if _end(session, now, table(UserSession).c.account_id == account_id, table(UserSession).c.id == session_id) == 0:
        raise NotFound(Text("Phiên này đã kết thúc.", "This session has ended already."))


def end_sessions(session: Session, account_id: int, now: datetime, *, but: int = 0) -> int:
    """End all sessions of an account except ``but`` (0: end all), and its API tokens; returns how many sessions."""
    end_tokens(session, account_id, now)
    return _end(session, now, table(UserSession).c.account_id == account_id, table(UserSession).c.id != but)


def _end(session: Session, now: datetime, *which: ColumnElement[bool]) -> int:
    signed = table(UserSession)
    return (
        session.connection()
        .execute(update(signed).where(signed.c.ended_at.is_(None), *which).values(ended_at=now))
        .rowcount
    )


BROWSERS = (
    ("zalo", "Zalo"),
    ("coc_coc", "Cốc Cốc"),
    ("edg", "Edge"),
    ("opr/", "Opera"),
    ("samsungbrowser", "Samsung Internet"),
    ("firefox", "Firefox"),
    ("fxios", "Firefox"),
    ("crios", "Chrome"),
    ("chrome", "Chrome"),
    ("safari", "Safari"),
)
"""Marker and name, the more specific first: Edge's User-Agent also contains Chrome, and Chrome's also Safari."""
SYSTEMS = (
    ("android", "Android"),
    ("iphone", "iPhone"),
    ("ipad", "iPad"),
    ("windows", "Windows"),
    ("mac os x", "macOS"),
    ("cros", "ChromeOS"),
    ("linux", "Linux"),
)


def device_words(agent: str, language: str) -> str:
    """«Chrome trên Android» from a User-Agent; empty if it is not recognised."""
    lowered = agent.lower()
    browser, system = (next((name for mark, name in marks if mark in lowered), "") for marks in (BROWSERS, SYSTEMS))
    if browser and system:
        return f"{browser} on {system}" if language == "en" else f"{browser} trên {system}"
    return browser or system
