"""Base class of the HTTP gateways: final checks of a message, the HTTP client, error handling.

Each gateway's module only builds the request and interprets the documented responses. Once the request may have been
sent, a missing response means UNKNOWN, never RETRY, since a second copy costs money and trust.

Mobile numbers of Viet Nam: validation, formatting, and masking for logs. Pure.

The rules of the numbering plan are those of the ``phonenumbers`` package (ITU national plans), so a change of
prefixes is an update of that package and not of this file.

Messages for errors that retrying cannot fix; ``channel_health`` recognises them in the outcome's reply.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from types import TracebackType
from typing import Any, ClassVar, Self, TypedDict

import httpx
import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberType

from engine.errors import BadInput
from engine.text import Text
from notifications.contract.channel import Fate, Outcome, Outgoing
from notifications.sms.text import Size, fit, subject_words

COUNTRY = 84
_MOBILE = (PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE)
_LONG_NUMBER = re.compile(r"\+?\d(?:[ .()-]?\d){7,14}")


def e164(written: str) -> str:
    """``0912 345 678``, ``84912345678`` or ``+84 91.234.5678`` as ``+84912345678``.

    Raises BadInput if it is not a mobile number of Viet Nam in use today: landlines receive no SMS, numbers with 11
    digits were replaced in 2018. The message does not contain the number.
    """
    try:
        number = phonenumbers.parse(written, "VN")
    except NumberParseException as error:
        raise _refused("không phải là số điện thoại", "is not a telephone number") from error
    if number.country_code != COUNTRY:
        raise _refused("không phải số của Việt Nam", "is not a number of Viet Nam")
    if re.fullmatch(r"1(2\d|6[2-9]|86|88|99)\d{7}", str(number.national_number)):
        raise _refused("là số 11 chữ số đã đổi đầu năm 2018", "has 11 digits, which were replaced in 2018")
    if not phonenumbers.is_valid_number(number):
        raise _refused("không có trong quy hoạch số", "does not exist in the numbering plan")
    if phonenumbers.number_type(number) not in _MOBILE:
        raise _refused("không phải số di động, không nhận được tin nhắn", "is not a mobile number and receives no SMS")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _refused(vi: str, en: str) -> BadInput:
    # The message does not contain the number: it is personal data, and messages are stored and exported.
    return BadInput(
        Text(f"Số điện thoại {vi}; hãy sửa trong danh bạ.", f"The number {en}; correct it in the directory.")
    )


def national(number: str) -> str:
    """``+84912345678`` as ``0912345678``, the national format, which eSMS documents."""
    return "0" + number.removeprefix(f"+{COUNTRY}")


def mask(number: str) -> str:
    """A number for logs and exports: ``+84 91****678``. Anything with fewer than 8 digits becomes ``****``."""
    digits = re.sub(r"\D", "", number)
    if len(digits) < 8:
        return "****"
    if digits.startswith("0"):
        digits = f"{COUNTRY}{digits[1:]}"
    return f"+{digits[:2]} {digits[2:4]}****{digits[-3:]}"


def masked(text: str) -> str:
    """The text with every number of 8 to 15 digits masked: messages of gateways are stored without personal data."""
    return _LONG_NUMBER.sub(lambda found: mask(found.group()), text)


LOGIN = Text("Sai thông tin đăng nhập; sửa cấu hình của kênh SMS này.", "Wrong login; correct this channel's settings.")
BALANCE = Text("Tài khoản hết tiền; hãy nạp thêm.", "The account has no money left; top it up.")


Answer = Mapping[str, Any]
"""A gateway's JSON. Reading what it lacks raises as ``HttpGateway.read`` may."""
MAX_RETRY_AFTER = timedelta(hours=1)
"""Upper limit for a requested wait, so that a wrong header does not stop a channel for days."""
_ADDRESS = Text(
    "Địa chỉ cổng sai; sửa cấu hình của kênh SMS này.", "Wrong gateway address; correct this channel's settings."
)
_SILENT = Text("Không rõ cổng đã nhận hay chưa.", "It is not known whether the gateway accepted it.")
_UNSENT = Text("Không kết nối được tới cổng.", "The gateway could not be reached.")


@dataclass(frozen=True, slots=True)
class CodeMeaning:
    """The fate that a documented code stands for, and advice for the operator."""

    fate: Fate
    fix: Text | None = None


@dataclass(frozen=True, slots=True)
class Message:
    """A letter ready for a gateway. ``reference`` is derived from the letter's key."""

    number: str
    text: str
    size: Size
    reference: str


def reference(key: str) -> str:
    """The client reference of a letter: 35 characters of ``[a-z0-9-]``, short enough for every gateway (eSMS: 50)."""
    return "dd-" + hashlib.sha256(key.encode()).hexdigest()[:32]


def prepare(letter: Outgoing, *, marks: bool = False) -> Message:
    """Final checks of a letter; an SMS goes without diacritics, 160 characters a part instead
    of 70. Raises BadInput if it has no mobile number, no text, or a subject word."""
    found = subject_words(letter.text)
    if found:
        raise BadInput(
            Text(
                "Tin nhắn có từ ngữ nhạy cảm của lĩnh vực; hãy sửa mẫu thư hoặc tên ngắn của kế hoạch.",
                "The text names the subject; correct the template or the plan's short title.",
            )
        )
    fitted = fit(letter.text, marks=marks, language=letter.language)
    if not fitted.text:
        raise BadInput(
            Text("Tin nhắn không có chữ nào; hãy sửa mẫu thư.", "The message is empty; correct the template.")
        )
    return Message(e164(letter.to), fitted.text, fitted.size, reference(letter.key))


def outcome(
    meaning: CodeMeaning, code: str = "", words: str = "", receipt: str = "", after: timedelta | None = None
) -> Outcome:
    """An Outcome with the gateway's message, phone numbers masked, followed by advice; safe to store."""
    reply = " → ".join(part for part in (masked(_printable(words)), str(meaning.fix or "")) if part)
    return Outcome(
        fate=meaning.fate, code=_printable(code)[:32], reply=reply[:500], receipt=_printable(receipt)[:160], after=after
    )


def _printable(words: str) -> str:
    """One printable line: gateways may send what a database rejects (zero bytes, lone surrogates)."""
    return " ".join("".join(char if char.isprintable() else " " for char in words).split())


def refused(error: BadInput) -> Outcome:
    return Outcome(fate=Fate.REFUSED, code="bad_input", reply=str(error)[:500])


def by_status(response: httpx.Response) -> Outcome:
    """The outcome of an HTTP status without a usable body: 4xx were not accepted, most of 5xx may have been."""
    status = response.status_code
    if status in (401, 403, 407):
        meaning = CodeMeaning(Fate.RETRY, LOGIN)
    elif status in (429, 503):
        meaning = CodeMeaning(Fate.RETRY)
    elif 300 <= status < 400 or status in (404, 405, 410):
        meaning = CodeMeaning(Fate.RETRY, _ADDRESS)
    elif 400 <= status < 500 and status != 408:
        meaning = CodeMeaning(Fate.REFUSED)
    else:
        meaning = CodeMeaning(Fate.UNKNOWN, _SILENT)
    return outcome(meaning, str(status), response.text[:200], after=_wait(response))


def _wait(response: httpx.Response) -> timedelta | None:
    for name in ("retry-after", "x-rate-limit-reset"):
        seconds = response.headers.get(name, "")
        if seconds.isdecimal() and len(seconds) < 9:
            return min(timedelta(seconds=int(seconds)), MAX_RETRY_AFTER)
    return None


class HttpOptions(TypedDict, total=False):
    """The keywords of ``HttpGateway``."""

    timeout: float
    transport: httpx.AsyncBaseTransport | None


class HttpGateway(ABC):
    """A channel over one ``httpx.AsyncClient``. Reentrant: the first ``async with`` opens the client, leaving the last
    one closes it. A letter sent outside of one gets its own client."""

    name = "sms"
    parallel = 2

    def __init__(
        self,
        url: str,
        *,
        timeout: float = 20.0,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        if not url.startswith(("http://", "https://")) or not url.isascii():
            raise BadInput(
                Text(
                    f"Địa chỉ cổng «{url}» phải bắt đầu bằng http:// hoặc https://.",
                    f"The gateway address «{url}» must begin with http:// or https://.",
                )
            )
        self.url, self._time_limit = url, 2 * timeout
        self._options: dict[str, Any] = {
            "timeout": timeout,
            "transport": transport,
            "trust_env": False,
            "follow_redirects": False,
        }
        self._open_count = 0
        self._client: httpx.AsyncClient | None = None

    @abstractmethod
    def ask(self, message: Message) -> dict[str, Any]:
        """The arguments of ``httpx.AsyncClient.post`` besides the URL."""

    @abstractmethod
    def read(self, response: httpx.Response, message: Message) -> Outcome:
        """The outcome of a documented response. May raise ValueError or TypeError for undocumented bodies."""

    async def send(self, letter: Outgoing) -> Outcome:
        try:
            message = prepare(letter)
        except BadInput as error:
            return refused(error)
        async with self:
            return await self._post(message, self.ask(message))

    async def _post(self, message: Message, asked: dict[str, Any]) -> Outcome:
        assert self._client is not None
        try:
            # httpx's own time-out is per read: a gateway that sends byte by byte would outlast the letter's lease.
            async with asyncio.timeout(self._time_limit):
                response = await self._client.post(self.url, **asked)
            return self.read(response, message)
        except (
            httpx.ConnectError,
            httpx.ConnectTimeout,
            httpx.PoolTimeout,
            httpx.ProxyError,
            httpx.UnsupportedProtocol,
        ) as error:
            return outcome(CodeMeaning(Fate.RETRY, _UNSENT), type(error).__name__, str(error))
        except (httpx.HTTPError, TimeoutError, ValueError, TypeError, LookupError, AttributeError) as error:
            # Time-out, disconnect, or an undocumented response: the message may have been accepted.
            return outcome(CodeMeaning(Fate.UNKNOWN, _SILENT), type(error).__name__, str(error), message.reference)

    async def __aenter__(self) -> Self:
        if self._client is None:
            self._client = httpx.AsyncClient(**self._options)
        self._open_count += 1
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open_count -= 1
        if not self._open_count and self._client is not None:
            client, self._client = self._client, None
            await client.aclose()


class JsonGateway(HttpGateway):
    """A gateway that answers in JSON with one of the codes of a documented table. Other codes are UNKNOWN."""

    codes: ClassVar[Mapping[str, CodeMeaning]]

    @abstractmethod
    def interpret(self, answer: Answer, message: Message) -> Outcome:
        """The outcome of a documented answer. May raise as ``read``."""

    def read(self, response: httpx.Response, message: Message) -> Outcome:
        return self.interpret(response.json(), message) if response.is_success else by_status(response)

    def by_code(self, code: str, words: str, receipt: str = "") -> Outcome:
        """The outcome of a code, with the receipt if the message may have been accepted."""
        meaning = self.codes.get(code, CodeMeaning(Fate.UNKNOWN))
        return outcome(meaning, code, words, receipt if meaning.fate in (Fate.ACCEPTED, Fate.UNKNOWN) else "")
