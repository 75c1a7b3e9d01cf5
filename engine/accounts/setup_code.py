"""One-time set-up codes: until the first account exists, a code printed on the server lets its holder create the first
administrator. Only digests are stored; a code expires, works once, and all of them end with the first account."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, insert, select
from sqlmodel import Session

from engine.accounts.accounts import any_active, create
from engine.accounts.permissions import ActorRole
from engine.accounts.rate_limit import Limit, count, enforce_rate_limit
from engine.accounts.secret_keys import digest_of, new_key
from engine.errors import NotAllowed
from engine.store.database import Database, table
from engine.store.records import Fact
from engine.text import Text

CODE_LIFETIME = timedelta(hours=24)
SETUP = "setup"
BY_NETWORK = Limit(10, timedelta(minutes=15))
_PREFIX = "setup_code:"


class SetupRefused(NotAllowed):
    default = Text(
        "Mã thiết lập sai, đã dùng hoặc đã hết hạn; chạy lại «dondoc init» hay «dondoc serve» để có mã mới.",
        "The set-up code is wrong, used or expired; run “dondoc init” or “dondoc serve” again for a new one.",
    )


def issue_setup_code(session: Session, now: datetime) -> str | None:
    """A new code, valid for ``CODE_LIFETIME`` beside the codes issued earlier; None once there is an active account."""
    facts = table(Fact)
    codes = facts.c.name.startswith(_PREFIX, autoescape=True)
    if any_active(session):
        session.connection().execute(delete(facts).where(codes))
        return None
    session.connection().execute(delete(facts).where(codes, facts.c.value <= now.isoformat()))
    code, digest = new_key()
    session.connection().execute(insert(facts).values(name=_name(digest), value=(now + CODE_LIFETIME).isoformat()))
    return code


def check_setup_code(database: Database, code: str, *, ip: str, now: datetime) -> None:
    """Check a code without using it. Raises SetupRefused, TooOften; wrong codes are counted by network. The right code
    (256 bits) is never refused for the wrong ones of others, who share a network behind a proxy that names nobody."""
    with database.read() as session:
        usable = not any_active(session) and session.connection().scalar(
            select(table(Fact).c.name).where(*_is(code, now))
        )
    if not usable:
        with database.write() as session:
            enforce_rate_limit(session, SETUP, {ip: BY_NETWORK}, now)
            count(session, SETUP, (ip,), now)
        raise SetupRefused


def create_first_administrator(session: Session, code: str, *, now: datetime, **fields: Any) -> int:
    """Use up the code and create the account; returns its id. ``fields`` are those of ``accounts.create``. Raises
    SetupRefused, FieldsRefused (the code remains usable, since the transaction is rolled back)."""
    facts = table(Fact)
    used = session.connection().execute(delete(facts).where(*_is(code, now))).rowcount
    if used != 1 or any_active(session):
        raise SetupRefused
    session.connection().execute(delete(facts).where(facts.c.name.startswith(_PREFIX, autoescape=True)))
    return create(session, role=ActorRole.ADMINISTRATOR, actor="setup", now=now, **fields)


def _is(code: str, now: datetime) -> tuple[Any, ...]:
    facts = table(Fact)
    return facts.c.name == _name(digest_of(code)), facts.c.value > now.isoformat()


def _name(digest: str) -> str:
    return _PREFIX + digest[:50]
