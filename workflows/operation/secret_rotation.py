"""``dondoc secret``: another secret takes the old one's place, and both are valid until nothing depends on the old one.

What is sealed in the database is sealed again at once. Links in letters that have left cannot be called back: they are
counted, and so are gateways that still call at the address of before.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select, true, update
from sqlmodel import Session

from config.settings import Settings, new_secret
from engine.accounts import second_factor
from engine.accounts.key_ring import begin_rotation, end_rotation, keep_secret, load_keys, read_ring
from engine.accounts.signed_links import Key, SealBroken, numbered
from engine.admin import settings_view
from engine.errors import Conflict
from engine.features.webhooks import subscriptions
from engine.queries.work.letter_links import living_letters
from engine.rules.calendar import local_date
from engine.store.database import Database, table
from engine.store.event_log import record
from engine.store.facts import read_fact
from engine.store.high_water import SECRET_ROTATED
from engine.store.records import Fact, SecondFactor, Webhook
from engine.terms import EventKind
from engine.text import Text
from notifications.inbound.callbacks import OLD_CALLBACK
from notifications.letters.renderer import LINK_LIFETIME
from notifications.sms import zalo
from workflows.run.installation import note_secret

SETTLES = timedelta(hours=1)
"""After this every process signs by the new key, a letter that was being sent included."""
QUIET = timedelta(days=7)
"""A gateway that has not called at the old address for so long was given the new one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """``number``: of the key that signs. ``since``: when the one before began to go; None where there is none.
    ``letters`` whose links, ``sealed`` values and ``called_at``, a gateway's last call, that depend on it."""

    number: int
    since: datetime | None = None
    letters: int = 0
    sealed: int = 0
    called_at: datetime | None = None

    @property
    def free(self) -> bool:
        """Nothing depends on the old key any more."""
        return not (self.letters or self.sealed or self.called_at)


def rotate(
    settings: Settings, database: Database, keys: Sequence[Key], now: datetime, *, actor: str, secret: str = ""
) -> Key:
    """Let a new secret sign, a random one unless it is given. ``keys``: those that are valid. The database knows of it
    first: where the process ends before its file is written, the next one writes it. Raises Conflict while there are
    two keys."""
    with database.write() as session:
        new = begin_rotation(session, keys, secret or new_secret(), now)
        _seal_again(session, (new, *keys))
        note_secret(session, new.secret)
        _log(session, (new, *keys), SECRET_ROTATED, actor, now)
    keep_secret(settings, new.secret)
    return new


def standing(database: Database, keys: Sequence[Key], now: datetime) -> Standing:
    with database.read() as session:
        ring = read_ring(session)
        if not ring.old:
            return Standing(number=ring.number)
        since = datetime.fromisoformat(ring.since)
        called = read_fact(session, OLD_CALLBACK)
        called_at = datetime.fromisoformat(called) if called else None
        return Standing(
            number=ring.number,
            since=since,
            letters=living_letters(session, local_date(since + SETTLES), LINK_LIFETIME, local_date(now)),
            sealed=sum(1 for _ in _by_old(session, keys)),
            called_at=called_at if called_at and called_at > max(since, now - QUIET) else None,
        )


def retire(settings: Settings, database: Database, now: datetime, *, actor: str, at_once: bool = False) -> Standing:
    """End the old key; returns what depended on it. Raises Conflict where something does, unless ``at_once``, where
    there is none, and where this machine's secret is the old one still."""
    keys = load_keys(settings, database)
    with database.write() as session:
        _seal_again(session, keys)
    left = standing(database, keys, now)
    if left.since is None:
        raise Conflict(Text("Chỉ có một khóa đang dùng.", "Only one key is in use."))
    if settings.signing_key() != keys[0].secret:
        raise Conflict(Text("DONDOC_SECRET ở đây vẫn là khóa trước.", "DONDOC_SECRET here is still the key before."))
    if not left.free and not at_once:
        raise Conflict(
            Text("Khóa trước vẫn còn được dùng; xem «dondoc secret status».", "The key before is still in use.")
        )
    with database.write() as session:
        end_rotation(session)
        _log(session, keys[:1], "secret_retired", actor, now)
    return left


def _sealed() -> Sequence[tuple[Any, str, Any]]:
    """(column, use, which rows) of all that is sealed in the database."""
    w, f = table(Webhook), table(Fact)
    facts = {settings_view.FACT: settings_view.USE, zalo.TOKENS: zalo.USE}
    return [
        (table(SecondFactor).c.secret, second_factor.USE, true()),
        (w.c.secret, subscriptions.USE, true()),
        (w.c.last_secret, subscriptions.USE, true()),
        *((f.c.value, use, f.c.name == name) for name, use in facts.items()),
    ]


def _by_old(session: Session, keys: Sequence[Key]) -> Iterator[tuple[Any, str, str, Any]]:
    """(column, sealed value, use, what it holds) of what the old keys have sealed."""
    old = {each.number: each for each in keys[1:]}
    for column, use, rows in _sealed():
        for value in session.connection().scalars(select(column).where(rows, column != "")).all():
            key = old.get(numbered(value)[0])
            if key is not None:
                with suppress(SealBroken):  # it opened nothing before, either
                    yield column, value, use, key.unseal(use, value)


def _seal_again(session: Session, keys: Sequence[Key]) -> None:
    """What somebody writes meanwhile is left to the next time."""
    for column, value, use, held in list(_by_old(session, keys)):
        sealed = {column.name: keys[0].seal(use, held)}
        session.connection().execute(update(column.table).where(column == value).values(sealed))


def _log(session: Session, keys: Sequence[Key], what: str, actor: str, now: datetime) -> None:
    valid = ", ".join(f"#{each.number}" for each in keys)
    record(session, EventKind.SETTINGS_CHANGED, now, actor=actor, what=what, changes=f"DONDOC_SECRET: {valid}")
