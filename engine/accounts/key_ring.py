"""The installation's secret and how another takes its place: which keys are valid, and what says which of them.

From the rotation until the old key is retired two are valid: the database holds each sealed by the other, so
that the one secret of a machine, whichever it is, opens both; a machine that has the old one takes the new one over.
Nothing is lost where a process is killed in between, or a machine is away meanwhile.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlmodel import Session

from config.settings import Settings
from engine.accounts.signed_links import FIRST, Key, SealBroken
from engine.errors import Conflict
from engine.store.database import Database
from engine.store.facts import fact_if_made, read_as, read_fact, swap_fact, write_fact
from engine.store.high_water import atomic_write
from engine.text import Text

FACT, USE = "secret_keys", "secret keys"
SECRET = "secret"
"""The file of the data folder."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ring:
    """What the database knows of the keys. ``number``: of the key that signs; ``since``: ISO instant at which it took
    the other's place. ``old``: that key, sealed by the new one, ``new``: the new one, sealed by the old; both empty
    when the old one is retired."""

    number: int = FIRST
    since: str = ""
    old: str = ""
    new: str = ""

    def keys(self, own: str) -> tuple[Key, ...]:
        """The valid keys, the one that signs first, for a machine whose secret is ``own``. A secret that belongs to
        neither stands alone and opens nothing."""
        mine = Key(self.number, own)
        if not self.old:
            return (mine,)
        earlier = Key(self.number - 1, own)
        try:
            return Key(self.number, earlier.unseal(USE, self.new)), earlier
        except SealBroken:
            pass
        try:
            return mine, Key(self.number - 1, mine.unseal(USE, self.old))
        except SealBroken:
            return (mine,)

    def text(self) -> str:
        return json.dumps(asdict(self))


def read_ring(session: Session) -> Ring:
    return _ring(read_fact(session, FACT))


def _ring(kept: str | None) -> Ring:
    return read_as(kept, lambda each: Ring(**each), Ring())


def load_keys(settings: Settings, database: Database) -> Sequence[Key]:
    """The valid keys, the one that signs first. A secret file that holds the old key gets the new one."""
    own = settings.signing_key()
    keys = _ring(fact_if_made(database, FACT)).keys(own)
    if keys[0].secret != own:
        keep_secret(settings, keys[0].secret)
    return keys


def keep_secret(settings: Settings, secret: str) -> None:
    """Put another one in the place of the file's; what the environment gives stays as it is."""
    if not settings.secret.get_secret_value():
        atomic_write(settings.data_dir / SECRET, secret.encode(), 0o600)


def begin_rotation(session: Session, keys: Sequence[Key], secret: str, now: datetime) -> Key:
    """Let a new secret sign; the one before stays valid until ``end_rotation``. Raises Conflict where there are two
    already, or another rotation was quicker."""
    old = keys[0]
    new = Key(old.number + 1, secret)
    sealed = {"old": new.seal(USE, old.secret), "new": old.seal(USE, secret)}
    ring = Ring(number=new.number, since=now.isoformat(), **sealed)
    before = read_fact(session, FACT) or ""
    known = _ring(before)
    if known.old or known.number != old.number or not swap_fact(session, FACT, before, ring.text()):
        raise Conflict(
            Text(
                "Khóa trước vẫn còn hiệu lực; xem «dondoc secret status».",
                "The key before is still valid; see “dondoc secret status”.",
            )
        )
    return new


def end_rotation(session: Session) -> None:
    """Only the key that signs now is valid from here on."""
    ring = read_ring(session)
    write_fact(session, FACT, Ring(number=ring.number, since=ring.since).text())
