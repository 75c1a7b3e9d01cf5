"""SpeedSMS over its documented ``POST /index.php/sms/send`` (HTTP basic: the access token as user name).

It has no client reference and no sandbox: a second copy cannot be recognised there, and outside production nothing is
sent. The limit is 60 requests a minute; ``X-Rate-Limit-Reset`` gives the wait.
"""

from __future__ import annotations

from typing import Any, Unpack

import httpx

from engine.errors import BadInput
from engine.text import Text
from notifications.contract.channel import Fate, Outcome, Outgoing
from notifications.sms.gateway import CodeMeaning, HttpGateway, HttpOptions, Message, by_status, outcome
from notifications.sms.permanent_errors import BALANCE
from notifications.sms.text import brand

URL = "https://api.speedsms.vn/index.php/sms/send"
RANDOM_NUMBER, BRAND, DEFAULT_BRAND = 2, 3, 4
"""``sms_type``: from any number, from the registered brand name, from SpeedSMS's own «Notify»."""
_SANDBOX = Text("Ngoài môi trường thật, SpeedSMS không gửi gì.", "Outside production SpeedSMS sends nothing.")
CODES = {
    "007": CodeMeaning(Fate.RETRY, Text("SpeedSMS đã khóa IP này.", "SpeedSMS has locked this server's address.")),
    "008": CodeMeaning(
        Fate.RETRY, Text("Tài khoản bị khóa; liên hệ SpeedSMS.", "The account is blocked; ask SpeedSMS.")
    ),
    "009": CodeMeaning(Fate.RETRY, Text("Tài khoản chưa được dùng API.", "The account may not use the API yet.")),
    "101": CodeMeaning(
        Fate.RETRY, Text("Thiếu hoặc sai tham số; xem lại sender và sms_type.", "Check sender and sms_type.")
    ),
    "105": CodeMeaning(
        Fate.REFUSED, Text("Số không hợp lệ; sửa danh bạ.", "The number is not valid; correct the directory.")
    ),
    "110": CodeMeaning(
        Fate.REFUSED,
        Text("Loại tin này không nhận chữ có dấu; tắt marks.", "Diacritics are not allowed; turn sms_marks off."),
    ),
    "113": CodeMeaning(Fate.REFUSED, Text("Tin quá dài.", "The message is too long.")),
    "300": CodeMeaning(Fate.RETRY, BALANCE),
    "500": CodeMeaning(
        Fate.RETRY, Text("SpeedSMS lỗi nội bộ và đề nghị gửi lại.", "SpeedSMS failed and asks to try again.")
    ),
}
"""Documented error codes. Other codes are UNKNOWN."""


class SpeedSms(HttpGateway):
    """``sender`` is the registered brand name (``sms_type`` 3); empty with the other types."""

    parallel = 1

    def __init__(
        self,
        token: str,
        sender: str = "",
        *,
        production: bool = False,
        sms_type: int = BRAND,
        url: str = URL,
        **options: Unpack[HttpOptions],
    ) -> None:
        super().__init__(url, **options)
        if not token or not token.isascii():
            raise BadInput(Text("SpeedSMS cần mã truy cập (access token).", "SpeedSMS needs an access token."))
        self.production, self._token = production, token
        self._fixed = {"sms_type": sms_type, "sender": brand(sender) if sms_type == BRAND else sender}

    async def send(self, letter: Outgoing) -> Outcome:
        if not self.production:
            return outcome(CodeMeaning(Fate.REFUSED, _SANDBOX), "sandbox")
        return await super().send(letter)

    def ask(self, message: Message) -> dict[str, Any]:
        body = {"to": [message.number.removeprefix("+")], "content": message.text, **self._fixed}
        return {"json": body, "auth": (self._token, "x")}

    def read(self, response: httpx.Response, message: Message) -> Outcome:
        if not response.is_success:
            return by_status(response)
        answer = response.json()
        code, words = str(answer["code"]), str(answer.get("message") or "")
        if answer["status"] != "success":
            return outcome(CODES.get(code, CodeMeaning(Fate.UNKNOWN)), code, words)
        data = answer["data"]
        if data.get("invalidPhone"):
            return outcome(CODES["105"], "105", words)
        return outcome(CodeMeaning(Fate.ACCEPTED), code, words, str(data["tranId"]))
