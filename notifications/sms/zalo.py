"""Zalo notifications (ZNS) to telephone numbers: approved templates, filled with values of the letter.

``POST /message/template`` of the Zalo business API, off by default. It is a way of the channel "sms", not a channel of
its own: whoever stopped SMS gets none, and what Zalo does not take (no Zalo account, refused by its owner, no template
for this kind, no money) quietly goes by the SMS gateway; without one its outcome stands, and the letter is rerouted to
e-mail as any other SMS. In doubt nothing is sent twice.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Any, Protocol, Self, Unpack

from engine.errors import BadInput
from engine.text import Text
from notifications.contract.channel import About, Channel, Fate, Outcome, Outgoing
from notifications.sms.gateway import (
    Answer,
    CodeMeaning,
    HttpOptions,
    JsonGateway,
    Message,
    outcome,
    prepare,
    refused,
)
from notifications.sms.permanent_errors import BALANCE, LOGIN
from notifications.sms.zalo_tokens import NEW_NEEDED, NoToken

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
