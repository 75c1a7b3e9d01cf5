"""Zalo notifications (ZNS) to telephone numbers: approved templates, filled with values of the letter.

``POST /message/template`` of the Zalo business API, off by default. It is a way of the channel "sms", not a channel of
its own: whoever stopped SMS gets none, and what Zalo does not take (no Zalo account, refused by its owner, no template
for this kind, no money) quietly goes by the SMS gateway; without one its outcome stands, and the letter is rerouted to
e-mail as any other SMS. In doubt nothing is sent twice.

Access tokens of a Zalo Official Account: valid for 25 hours, renewed by a refresh token that works once.

Each renewal returns the next refresh token, so it is stored, sealed, before anything is sent with the new access token.
Of several processes one renews: the claim is a value in the database with a time, and no transaction waits for Zalo.

What people write to the Official Account, as Zalo's webhook brings it (``user_send_text`` and the other
``user_send_…``).

Zalo signs each call: ``X-ZEvent-Signature: mac=`` and the SHA-256 of application id, body, the body's ``timestamp`` and
the OA's secret key, written one after the other. A writer has an id of Zalo's and no telephone number; who they are is
known by the code of a letter that they send (``inbound.answers``).
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Any, Protocol, Self, Unpack

import httpx
from sqlalchemy import update

from engine.accounts.secret_keys import digest_of
from engine.accounts.signed_links import SealBroken, Signer
from engine.errors import BadInput, LinkRefused
from engine.store.database import Database, insert_new, table
from engine.store.facts import read_fact, write_fact
from engine.store.records import Fact
from engine.text import Text
from notifications.contract.channel import About, Channel, Fate, Outcome, Outgoing
from notifications.sms.gateway import (
    BALANCE,
    LOGIN,
    Answer,
    CodeMeaning,
    HttpOptions,
    JsonGateway,
    Message,
    outcome,
    prepare,
    refused,
)
from notifications.sms.replies import Incoming

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
            found = self._signer.unseal(USE, value)
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
            write_fact(session, TOKENS, self._signer.seal(USE, value))

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


URL = "https://business.openapi.zalo.me/message/template"
ANY_KIND = "*"
VALUES = ("plan", "citation", "count", "due", "days", "level", "link", "text")
"""What of a letter a template's parameters may be filled with. None of them is about a person."""
TOKEN_REFUSED = "-124"

_PERSON = Text("Số này không nhận được tin Zalo.", "This number receives no Zalo notifications.")
_TEMPLATE = Text(
    "Mẫu ZNS chưa duyệt, sai mã hoặc bị khóa; sửa DONDOC_ZALO_TEMPLATES.",
    "The ZNS template is not approved, unknown or disabled; correct DONDOC_ZALO_TEMPLATES.",
)
_DATA = Text(
    "Giá trị không hợp với mẫu ZNS; sửa tham số trong DONDOC_ZALO_TEMPLATES.",
    "The values do not fit the ZNS template; correct the parameters in DONDOC_ZALO_TEMPLATES.",
)
_ACCOUNT = Text(
    "Ứng dụng hoặc OA chưa được phép gửi ZNS; xem trang quản trị Zalo.",
    "The application or the OA may not send ZNS; see Zalo's administration.",
)
_QUOTA = Text("Hết hạn mức ZNS hôm nay.", "Today's ZNS quota is used up.")

CODES: Mapping[str, CodeMeaning] = {
    "0": CodeMeaning(Fate.ACCEPTED),
    "-100": CodeMeaning(Fate.UNKNOWN),
    **dict.fromkeys(("-101", "-102", "-103", "-105", "-106"), CodeMeaning(Fate.RETRY, _ACCOUNT)),
    "-104": CodeMeaning(Fate.RETRY, LOGIN),
    **dict.fromkeys(("-108", "-110", "-114", "-118", "-119", "-139", "-141"), CodeMeaning(Fate.REFUSED, _PERSON)),
    **dict.fromkeys(("-109", "-117", "-131", "-146"), CodeMeaning(Fate.RETRY, _TEMPLATE)),
    **dict.fromkeys(("-111", "-112", "-113", "-116", "-121", "-122", "-130", "-132"), CodeMeaning(Fate.REFUSED, _DATA)),
    **dict.fromkeys(("-115", "-137"), CodeMeaning(Fate.RETRY, BALANCE)),
    **dict.fromkeys(("-120", "-125", "-127", "-135", "-136", "-138", "-145"), CodeMeaning(Fate.RETRY, _ACCOUNT)),
    TOKEN_REFUSED: CodeMeaning(Fate.RETRY, LOGIN),
    **dict.fromkeys(("-126", "-144", "-147"), CodeMeaning(Fate.RETRY, _QUOTA)),
    "-133": CodeMeaning(Fate.RETRY, Text("Zalo không gửi mẫu này ban đêm.", "Zalo does not send it at night.")),
}
"""Codes of the ZNS error table. Other codes are UNKNOWN."""
ABOUT_THE_LETTER = frozenset(code for code, meaning in CODES.items() if meaning.fix is _DATA)


@dataclass(frozen=True)
class Template:
    """An approved template. ``parameters``: its parameter -> one of VALUES."""

    id: str
    parameters: Mapping[str, str]


def read_templates(setting: str) -> dict[str, Template]:
    """From JSON: ``{"reminder": {"id": "230001", "parameters": {"ke_hoach": "plan", "han": "due"}}, "*": …}``. Keys are
    kinds of a letter's first line (``NoticeKind``); ``*`` is for all others. Raises BadInput."""
    try:
        found = {
            str(kind): Template(str(each["id"]), {str(name): str(value) for name, value in each["parameters"].items()})
            for kind, each in json.loads(setting or "{}").items()
        }
    except (ValueError, TypeError, LookupError, AttributeError):
        found = {"": Template("", {})}
    unknown = {value for each in found.values() for value in each.parameters.values()} - set(VALUES)
    if unknown or any(not each.id for each in found.values()):
        raise BadInput(
            Text(
                f'DONDOC_ZALO_TEMPLATES viết như {{"*": {{"id": "230001", "parameters": {{"han": "due"}}}}}}; '
                f"giá trị là một trong {', '.join(VALUES)}.",
                f"DONDOC_ZALO_TEMPLATES is JSON with an id and parameters for each kind; values: {', '.join(VALUES)}.",
            )
        )
    return found


class AccessTokens(Protocol):
    """``ZaloTokens``. Raises NoToken; ``refused``: the token that Zalo has just not taken."""

    async def access_token(self, *, refused: str = "") -> str: ...


class Zalo(JsonGateway):
    """ZNS alone. Outside production Zalo's development mode is asked for: only administrators of the OA get it."""

    codes = CODES

    def __init__(
        self,
        tokens: AccessTokens,
        templates: Mapping[str, Template],
        *,
        production: bool = False,
        url: str = URL,
        **options: Unpack[HttpOptions],
    ) -> None:
        super().__init__(url, **options)
        self._tokens, self._templates, self._mode = tokens, templates, {} if production else {"mode": "development"}

    async def send(self, letter: Outgoing) -> Outcome:
        template = self._templates.get(letter.values.get("kind", ""), self._templates.get(ANY_KIND))
        if template is None:
            return Outcome(fate=Fate.REFUSED, code="no_template", about=About.LETTER)
        try:
            message = prepare(letter, marks=True)
        except BadInput as error:
            return refused(error)
        values = {**letter.values, "text": letter.text}
        data = {name: values.get(value, "") for name, value in template.parameters.items()}
        body = {
            **self._mode,
            "phone": message.number.removeprefix("+"),
            "template_id": template.id,
            "template_data": data,
            "tracking_id": message.reference,
        }
        try:
            token = await self._tokens.access_token()
            result = await self._call(message, body, token)
            if result.code == TOKEN_REFUSED:
                result = await self._call(message, body, await self._tokens.access_token(refused=token))
        except NoToken as error:
            remedy = CodeMeaning(Fate.RETRY, Text.joined(" ", (LOGIN, NEW_NEEDED)) if error.final else None)
            return outcome(remedy, error.code, error.said)
        return result

    async def _call(self, message: Message, body: Mapping[str, Any], token: str) -> Outcome:
        async with self:
            return await self._post(message, {"json": body, "headers": {"access_token": token}})

    def ask(self, message: Message) -> dict[str, Any]:
        raise NotImplementedError("a template needs the letter's values; see send")

    def interpret(self, answer: Answer, message: Message) -> Outcome:
        code = str(int(answer["error"]))
        found = self.by_code(code, str(answer.get("message") or ""), message.reference)
        return replace(found, about=About.LETTER) if code in ABOUT_THE_LETTER else found


class ZaloFirst:
    """Zalo, and where it certainly did not take the letter the SMS gateway. Neither is used when the other is in
    doubt: a person must not be told twice."""

    name = "sms"

    def __init__(self, zalo: Zalo, sms: Channel | None) -> None:
        self.zalo, self.sms = zalo, sms
        self.parallel = zalo.parallel if sms is None else min(zalo.parallel, sms.parallel)

    async def send(self, letter: Outgoing) -> Outcome:
        first = await self.zalo.send(letter)
        if self.sms is None or first.fate not in (Fate.REFUSED, Fate.RETRY):
            return first
        second = await self.sms.send(letter)
        return replace(second, reply=f"[Zalo: {first.code}] {second.reply}".strip()[:500])

    async def __aenter__(self) -> Self:
        await self.zalo.__aenter__()
        if self.sms is not None:
            await self.sms.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.sms is not None:
            await self.sms.__aexit__(kind, error, trace)
        await self.zalo.__aexit__(kind, error, trace)


SIGNATURE_HEADER = "X-ZEvent-Signature"
MAX_CALL_SECONDS = 86_400
"""A call that was kept somewhere and is repeated later is refused; Zalo tries again for minutes."""
FROM_PERSON, TEXT = "user_send_", "user_send_text"


def from_zalo(body: bytes, signature: str, app_id: str, oa_secret: str, now: datetime) -> Incoming | None:
    """The message of a webhook call; None for an event that is no message of a person. What is no text is named:
    «[user_send_image]». Raises BadInput, and LinkRefused for a call that Zalo did not sign, or signed long ago."""
    event = json_object(body)
    signed = app_id.encode() + body + str(event.get("timestamp", "")).encode() + oa_secret.encode()
    expected = hashlib.sha256(signed).hexdigest()
    if not oa_secret or not hmac.compare_digest(signature.removeprefix("mac=").strip().encode(), expected.encode()):
        raise LinkRefused(Text("Chữ ký của Zalo không đúng.", "The signature is not Zalo's."))
    if not _is_of(event.get("timestamp"), now):
        raise LinkRefused(Text("Cuộc gọi của Zalo đã cũ.", "Zalo's call is too old."))
    name, message, sender = str(event.get("event_name", "")), event.get("message"), event.get("sender")
    if not name.startswith(FROM_PERSON) or not isinstance(message, dict) or not isinstance(sender, dict):
        return None
    id, writer = str(message.get("msg_id", ""))[:160], str(sender.get("id", ""))[:64]
    if not id or not writer:
        raise BadInput(Text("Zalo gọi thiếu msg_id hoặc sender.id.", "Zalo called without msg_id or sender.id."))
    text = str(message.get("text") or "").replace("\0", "")
    kind = "" if name == TEXT else f"[{name[:40]}]"
    return Incoming(id, writer, "\n".join(filter(None, (text, kind))), answerable=True)


def json_object(body: bytes) -> dict[str, Any]:
    """What a machine sent. Raises BadInput, also for what is nested too deeply."""
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise BadInput(Text("Nội dung phải là JSON.", "The body must be a JSON object."))
    return value


def _is_of(timestamp: object, now: datetime) -> bool:
    """Whether a call's milliseconds since 1970 are of these hours."""
    digits = str(timestamp)
    return digits.isdecimal() and len(digits) < 16 and abs(now.timestamp() - int(digits) / 1000) <= MAX_CALL_SECONDS
