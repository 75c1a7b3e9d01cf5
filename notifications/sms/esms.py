"""eSMS over its documented ``SendMultipleMessage_V4_post_json`` (customer care messages, SmsType 2).

Code 100 means that the request was received; delivery is reported by the callback. ``RequestId`` is derived from the
letter's key: for the rest of the day eSMS answers a second copy with 124, which resolves an unknown outcome.
"""

from __future__ import annotations

from typing import Any, Unpack

import httpx

from engine.errors import BadInput
from engine.text import Text
from notifications.contract.channel import Fate, Outcome
from notifications.sms.gateway import CodeMeaning, HttpGateway, HttpOptions, Message, by_status, outcome
from notifications.sms.numbers import national
from notifications.sms.permanent_errors import BALANCE, LOGIN
from notifications.sms.text import Coding, brand

URL = "https://rest.esms.vn/MainService.svc/json/SendMultipleMessage_V4_post_json/"
CODES = {
    "99": CodeMeaning(Fate.REFUSED, Text("Số bị chặn trên hệ thống.", "eSMS has blocked the number.")),
    "100": CodeMeaning(Fate.ACCEPTED),
    "101": CodeMeaning(Fate.RETRY, LOGIN),
    "102": CodeMeaning(
        Fate.RETRY, Text("Tài khoản chưa có bảng giá; liên hệ eSMS.", "The account has no price list; ask eSMS.")
    ),
    "103": CodeMeaning(Fate.RETRY, BALANCE),
    "104": CodeMeaning(
        Fate.RETRY, Text("Brandname chưa đăng ký hoặc sai.", "The brand name is wrong or not registered.")
    ),
    "108": CodeMeaning(
        Fate.REFUSED, Text("Số sai định dạng; sửa danh bạ.", "The number is malformed; correct the directory.")
    ),
    "140": CodeMeaning(
        Fate.RETRY, Text("Máy chủ chưa được eSMS cho phép (IP).", "eSMS has not allowed this server's address.")
    ),
    "146": CodeMeaning(
        Fate.RETRY, Text("Mẫu tin chưa đăng ký với nhà mạng.", "The text's template is not registered.")
    ),
    "177": CodeMeaning(
        Fate.REFUSED, Text("Brandname chưa đăng ký với mạng của số này.", "Not registered with this network.")
    ),
    "300": CodeMeaning(
        Fate.RETRY, Text("Thiếu loại tin; sửa cấu hình.", "The message type is missing; correct the settings.")
    ),
}
"""Documented error codes that apply to customer care messages. Other codes are UNKNOWN."""
TAKEN_BEFORE = {"1": Fate.ACCEPTED, "2": Fate.ACCEPTED, "4": Fate.REFUSED, "5": Fate.ACCEPTED, "7": Fate.ACCEPTED}
"""SendStatus with code 124: waiting for approval, waiting, refused, sent, sent and waiting for the report."""


class Esms(HttpGateway):
    """Outside production every request has ``Sandbox: 1``: eSMS checks it, but neither sends nor charges it."""

    def __init__(
        self,
        api_key: str,
        secret_key: str,
        sender: str,
        *,
        production: bool = False,
        callback_url: str = "",
        url: str = URL,
        **options: Unpack[HttpOptions],
    ) -> None:
        super().__init__(url, **options)
        if not api_key or not secret_key:
            raise BadInput(Text("eSMS cần api_key và secret_key.", "eSMS needs an api_key and a secret_key."))
        self.production = production
        self._fixed = {
            "ApiKey": api_key,
            "SecretKey": secret_key,
            "Brandname": brand(sender),
            "SmsType": "2",
            "Sandbox": "0" if production else "1",
            "CallbackUrl": callback_url,
        }

    def ask(self, message: Message) -> dict[str, Any]:
        unicode = "1" if message.size.coding is Coding.UCS2 else "0"
        varying = {"Content": message.text, "Phone": national(message.number), "IsUnicode": unicode}
        return {"json": {**self._fixed, **varying, "RequestId": message.reference}}

    def read(self, response: httpx.Response, message: Message) -> Outcome:
        if not response.is_success:
            return by_status(response)
        answer = response.json()
        if "CodeResult" not in answer and "error" in answer:
            return outcome(CodeMeaning(Fate.RETRY, LOGIN), "error", str(answer["error"]))
        code, words = str(answer["CodeResult"]), str(answer.get("ErrorMessage") or "")
        if code == "124":
            fate = TAKEN_BEFORE.get(str(answer.get("SendStatus")), Fate.UNKNOWN)
            return outcome(CodeMeaning(fate), code, words, message.reference)
        meaning = CODES.get(code, CodeMeaning(Fate.UNKNOWN))
        if meaning.fate is Fate.ACCEPTED and not self.production:
            words = str(Text("sandbox: eSMS không gửi tin này.", "sandbox: eSMS does not send this one."))
        kept = meaning.fate in (Fate.ACCEPTED, Fate.UNKNOWN)
        return outcome(meaning, code, words, message.reference if kept else "")
