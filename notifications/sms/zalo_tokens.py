"""Access tokens of a Zalo Official Account: valid for 25 hours, renewed by a refresh token that works once.

Each renewal returns the next refresh token, so it is stored, sealed, before anything is sent with the new access token.
Of several processes one renews: the claim is a value in the database with a time, and no transaction waits for Zalo.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import httpx
from sqlalchemy import update

from engine.accounts.sealing import SealBroken, seal, unseal
from engine.accounts.secret_keys import digest_of
from engine.accounts.signed_links import Signer
from engine.store.database import Database, insert_new, table
from engine.store.facts import read_fact, write_fact
from engine.store.records import Fact
from engine.text import Text

RENEWAL_URL = "https://oauth.zaloapp.com/v4/oa/access_token"
USE, TOKENS, CLAIM = "zalo", "zalo_tokens", "zalo_renewal"
RENEW_BEFORE = timedelta(minutes=10)
CLAIM_TIME = timedelta(minutes=1)
"""Longer than a renewal may take; after it the claim of a process that died is free."""
WAIT_STEPS, WAIT_SECONDS = 80, 0.25
DEFAULT_LIFETIME = timedelta(hours=1)
"""Of an answer that does not say how long its token lasts."""
NEW_NEEDED = Text(
    "Zalo không nhận mã làm mới; hãy cấp quyền lại và đặt DONDOC_ZALO_REFRESH_TOKEN mới.",
    "Zalo does not take the refresh token; authorise again and set a new DONDOC_ZALO_REFRESH_TOKEN.",
)


class NoToken(Exception):
    """There is no access token now. ``final``: a person has to authorise again."""

    def __init__(self, code: str, said: str, *, final: bool) -> None:
        super().__init__(said)
        self.code, self.said, self.final = code, said, final


@dataclass(frozen=True, slots=True)
class _Stored:
    access: str
    refresh: str
    until: datetime


class ZaloTokens:
    """``refresh_token``: from the settings; used the first time, and again when another one is set there."""

    def __init__(
        self,
        database: Database,
        signer: Signer,
        app_id: str,
        app_secret: str,
        refresh_token: str,
        *,
        url: str = RENEWAL_URL,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._database, self._signer = database, signer
        self._app_id, self._app_secret, self._refresh_token = app_id, app_secret, refresh_token
        self._url, self._now, self._transport = url, now, transport

    async def access_token(self, *, refused: str = "") -> str:
        """The token to send with. ``refused``: the one that Zalo has just not taken. Raises NoToken."""
        now = self._now()
        for _ in range(WAIT_STEPS):
            usable = self._usable(now, refused)
            if usable is not None and now < usable.until - RENEW_BEFORE:
                return usable.access
            if self._claimed(now):
                try:
                    return await self._renew_once(now, refused, usable)
                finally:
                    self._release()
            if usable is not None:
                return usable.access
            await asyncio.sleep(WAIT_SECONDS)
        raise NoToken("renewing", "another process renews the token", final=False)

    async def _renew_once(self, now: datetime, refused: str, before: _Stored | None) -> str:
        """Renew, unless another process has done so just before the claim."""
        stored = self._stored()
        if stored is not None and stored != before and stored.access != refused and now < stored.until:
            return stored.access
        return await self._renew(stored.refresh if stored else self._refresh_token, now)

    def _usable(self, now: datetime, refused: str) -> _Stored | None:
        stored = self._stored()
        return stored if stored is not None and stored.access != refused and now < stored.until else None

    async def _renew(self, refresh_token: str, now: datetime) -> str:
        form = {"refresh_token": refresh_token, "app_id": self._app_id, "grant_type": "refresh_token"}
        try:
            async with httpx.AsyncClient(transport=self._transport, trust_env=False, timeout=20.0) as client:
                response = await client.post(self._url, data=form, headers={"secret_key": self._app_secret})
            answer = response.json()
            access, following = str(answer.get("access_token") or ""), str(answer.get("refresh_token") or "")
        except (httpx.HTTPError, ValueError, AttributeError) as error:
            # It may have been used up: the next renewal tells.
            raise NoToken("no_renewal", type(error).__name__, final=False) from error
        if not access or not following:
            code = str(answer.get("error", response.status_code))
            raise NoToken(code, str(answer.get("error_name") or "no token"), final=response.status_code < 500)
        lifetime = str(answer.get("expires_in", ""))
        lasts = timedelta(seconds=int(lifetime)) if lifetime.isdecimal() and len(lifetime) < 9 else DEFAULT_LIFETIME
        self._store(_Stored(access, following, now + lasts))
        return access

    def _stored(self) -> _Stored | None:
        """None without a token that belongs to the refresh token of the settings."""
        with self._database.read() as session:
            value = read_fact(session, TOKENS)
        if not value:
            return None
        try:
            found = unseal(self._signer, USE, value)
        except SealBroken:
            return None
        if found["of"] != digest_of(self._refresh_token):
            return None
        return _Stored(found["access"], found["refresh"], datetime.fromisoformat(found["until"]))

    def _store(self, tokens: _Stored) -> None:
        value = {
            "access": tokens.access,
            "refresh": tokens.refresh,
            "until": tokens.until.isoformat(),
            "of": digest_of(self._refresh_token),
        }
        with self._database.write() as session:
            write_fact(session, TOKENS, seal(self._signer, USE, value))

    def _claimed(self, now: datetime) -> bool:
        """Whether this process renews now; the next claim is possible when this one's time is over."""
        f, until = table(Fact), (now + CLAIM_TIME).isoformat()
        with self._database.write() as session:
            insert_new(session, Fact, [{"name": CLAIM, "value": ""}])
            free = update(f).where(f.c.name == CLAIM, f.c.value <= now.isoformat()).values(value=until)
            return session.connection().execute(free).rowcount == 1

    def _release(self) -> None:
        with self._database.write() as session:
            write_fact(session, CLAIM, "")
