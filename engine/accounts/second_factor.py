"""A second factor: one-time codes of an authenticator app (TOTP, RFC 6238), and recovery codes for a lost telephone.

A session that is opened by password or link waits for a code if its account has a factor; single sign-on has its own.
The app's secret is stored encrypted by the installation's key, recovery codes as digests. A code works once.
"""

from __future__ import annotations

import hmac
import re
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

import pyotp
from sqlalchemy import delete, func, insert, select, update
from sqlmodel import Session

from engine.accounts.rate_limit import Limit, count, enforce_rate_limit, forget
from engine.accounts.secret_keys import digest_of
from engine.accounts.signed_links import SealBroken, Signer
from engine.errors import BadInput, NotAllowed
from engine.store.database import Database, table
from engine.store.event_log import record
from engine.store.records import Account, SecondFactor, UserSession
from engine.store.stored_rows import AnyRow
from engine.terms import EventKind
from engine.text import Text

ISSUER = "Đôn Đốc"
STEP_SECONDS = 30
DRIFT_STEPS = 1
"""A telephone's clock may be this many steps before or behind."""
ENROLMENT_LIFETIME = timedelta(minutes=15)
RECOVERY_CODES = 8
ATTEMPTS, ATTEMPTS_IN_ALL = Limit(5, timedelta(minutes=15)), Limit(25, timedelta(minutes=15))
"""Of an account's codes from one network, and from all: whoever has a password and guesses elsewhere does not keep the
owner out, and guessing one of a million codes, three valid at a time, still takes years."""
CODE = "second_factor"
RECOVERY = re.compile("[0-9a-f]{6}-[0-9a-f]{6}")
USE = "second factor"
"""What its secrets are sealed for."""


class Proof(StrEnum):
    """What a session has shown of a second factor."""

    NONE = ""
    """The account had no factor when it signed in."""
    PENDING = "pending"
    """The code is still to come; until then the session opens nothing."""
    CODE = "code"
    ELSEWHERE = "elsewhere"
    """Single sign-on, which asks for its own."""


class WrongCode(NotAllowed):
    default = Text(
        "Mã không đúng hoặc đã dùng; hãy nhập mã đang hiện trong ứng dụng, hoặc một mã dự phòng.",
        "The code is wrong or was used; type the one that the app shows now, or a recovery code.",
    )

    status = 401


@dataclass(frozen=True, slots=True)
class Enrolment:
    """A factor that is being set up. ``sealed`` travels in the form, so that nothing is stored before it works."""

    secret: str
    uri: str
    sealed: str


def propose(signer: Signer, account_id: int, email: str, now: datetime) -> Enrolment:
    """A new secret for an authenticator app."""
    secret = pyotp.random_base32()
    sealed = signer.seal(USE, {"account": account_id, "secret": secret, "at": now.isoformat()})
    return Enrolment(secret, _uri(secret, email), sealed)


def reopen(signer: Signer, sealed: str, account_id: int, email: str, now: datetime) -> Enrolment:
    """The enrolment of a form. Raises BadInput if it is older than a quarter of an hour, or another account's."""
    try:
        held = signer.unseal(USE, sealed)
    except SealBroken:
        held = {}
    made_at = datetime.fromisoformat(held.get("at", "1970-01-01T00:00:00+00:00"))
    if held.get("account") != account_id or not timedelta() <= now - made_at <= ENROLMENT_LIFETIME:
        raise BadInput(
            Text("Trang này đã quá 15 phút; hãy mở lại.", "This page is over 15 minutes old; open it again.")
        )
    return Enrolment(held["secret"], _uri(held["secret"], email), sealed)


def confirm(
    session: Session, signer: Signer, enrolment: Enrolment, account_id: int, session_id: int, code: str, now: datetime
) -> tuple[str, ...]:
    """Store the factor once the app shows the right code. Returns the recovery codes, which are shown once. Raises
    WrongCode."""
    step = _matching_step(enrolment.secret, code, now, after=0)
    if step is None:
        raise WrongCode
    recovery = tuple(f"{secrets.token_hex(3)}-{secrets.token_hex(3)}" for _ in range(RECOVERY_CODES))
    factors = table(SecondFactor)
    session.connection().execute(delete(factors).where(factors.c.account_id == account_id))
    session.connection().execute(
        insert(factors).values(
            account_id=account_id,
            secret=signer.seal(USE, {"secret": enrolment.secret}),
            made_at=now,
            last_step=step,
            recovery=[digest_of(each) for each in recovery],
        )
    )
    _mark(session, session_id)
    record(
        session, EventKind.ACCOUNT_CHANGED, now, actor=f"account:{account_id}", what="factor_set", account=account_id
    )
    return recovery


def prove(
    database: Database, signer: Signer, account_id: int, session_id: int, code: str, *, network: str, now: datetime
) -> None:
    """Let a waiting session in. The attempt is counted before the code is looked at; a recovery code, which nobody can
    guess, is counted apart, so that others' guesses do not stop it. Raises WrongCode, TooOften."""
    factors, who = table(SecondFactor), str(account_id)
    here = f"{who} {network}"
    limits = {here: ATTEMPTS, who: ATTEMPTS_IN_ALL}
    if RECOVERY.fullmatch(code.strip().lower()):
        limits = {f"{here} recovery": ATTEMPTS}
    with database.write() as session:
        enforce_rate_limit(session, CODE, limits, now)
        count(session, CODE, tuple(limits), now)
    with database.write() as session:
        row = session.connection().execute(select(factors).where(factors.c.account_id == account_id)).first()
        used = _use(session, signer, row, code.strip().lower(), now) if row is not None else False
        if used:
            for subject in (here, who):
                forget(session, CODE, subject)
            _mark(session, session_id)
    if not used:
        raise WrongCode


def remove(session: Session, account_id: int, *, actor: str, now: datetime) -> bool:
    """Remove an account's factor: by its owner, or by an administrator for a lost telephone. False if there is none."""
    factors = table(SecondFactor)
    gone = session.connection().execute(delete(factors).where(factors.c.account_id == account_id)).rowcount == 1
    if gone:
        record(session, EventKind.ACCOUNT_CHANGED, now, actor=actor, what="factor_removed", account=account_id)
    return gone


def has_factor(session: Session, account_id: int) -> bool:
    factors = table(SecondFactor)
    return bool(session.connection().scalar(select(func.count()).where(factors.c.account_id == account_id)))


def accounts_without(session: Session, roles: Collection[str]) -> tuple[tuple[int, str], ...]:
    """(id, mailbox) of the active accounts of roles that must have a factor and have none; those of single sign-on have
    its own."""
    a, f = table(Account), table(SecondFactor)
    statement = select(a.c.id, a.c.email).where(
        a.c.active, a.c.role.in_(roles), a.c.subject.is_(None), a.c.id.not_in(select(f.c.account_id))
    )
    return tuple((row.id, row.email) for row in session.connection().execute(statement.order_by(a.c.email)))


def _use(session: Session, signer: Signer, row: AnyRow, code: str, now: datetime) -> bool:
    """Use up a code of the app or a recovery code; of two requests with the same code one succeeds."""
    factors = table(SecondFactor)
    digest = digest_of(code)
    if any(hmac.compare_digest(digest, each) for each in row.recovery):
        values: dict[str, object] = {"recovery": [each for each in row.recovery if each != digest]}
    else:
        secret = signer.unseal(USE, row.secret)["secret"]
        step = _matching_step(secret, code.replace(" ", ""), now, after=row.last_step)
        if step is None:
            return False
        values = {"last_step": step}
    unchanged = (factors.c.account_id == row.account_id, factors.c.last_step == row.last_step)
    return session.connection().execute(update(factors).where(*unchanged).values(**values)).rowcount == 1


def _matching_step(secret: str, code: str, now: datetime, *, after: int) -> int | None:
    """The step whose code this is, if it lies after the last one that was used."""
    totp, current = pyotp.TOTP(secret, interval=STEP_SECONDS), int(now.timestamp()) // STEP_SECONDS
    for step in range(current - DRIFT_STEPS, current + DRIFT_STEPS + 1):
        if step > after and hmac.compare_digest(totp.generate_otp(step), code):
            return step
    return None


def _uri(secret: str, email: str) -> str:
    return pyotp.TOTP(secret, interval=STEP_SECONDS).provisioning_uri(name=email, issuer_name=ISSUER)


def _mark(session: Session, session_id: int) -> None:
    signed = table(UserSession)
    session.connection().execute(update(signed).where(signed.c.id == session_id).values(factor=Proof.CODE.value))
