"""Gateways over HTTP: Kannel's ``sendsms`` (user guide, «Using the HTTP interface to send SMS messages»), a province's
own; eSMS and SpeedSMS, which Vietnamese offices have contracts with: their requests and documented codes.

Uses POST with ``X-Kannel-`` headers, not GET: a URL with password, number and text in it would be written to every
access log. ``202`` means that Kannel has stored the message, not that it was delivered.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Unpack

import httpx

from engine.errors import BadInput
from engine.text import Text
from notifications.contract.channel import Fate, Outcome, Outgoing
from notifications.sms.gateway import (
    BALANCE,
    LOGIN,
    Answer,
    CodeMeaning,
    HttpGateway,
    HttpOptions,
    JsonGateway,
    Message,
    by_status,
    national,
    outcome,
)
from notifications.sms.text import brand

EVERY_REPORT = 1 | 2 | 4 | 8 | 16
"""dlr-mask: delivered, not delivered, buffered, accepted by the SMSC, refused by the SMSC."""
_NO_SENDER = Text("Thiếu tên người gửi; đặt sender của kênh này.", "No sender; set this channel's sender.")


class Kannel(HttpGateway):
    """``report_url``: callback URL for delivery reports, including the secret; empty: no reports. It must not contain
    ``%``, which starts an escape code in Kannel."""

    name = "sms"
    parallel = 4

    def __init__(
        self,
        url: str,
        username: str,
        password: str,
        sender: str,
        *,
        report_url: str = "",
        **options: Unpack[HttpOptions],
    ) -> None:
        super().__init__(url, **options)
        if not all(each.isascii() and each.isprintable() for each in (username, password, report_url)):
            raise BadInput(
                Text(
                    "Tên, mật khẩu và địa chỉ báo phát của Kannel chỉ dùng chữ không dấu.",
                    "Kannel's user name, password and report address must be plain ASCII.",
                )
            )
        if "%" in report_url:
            raise BadInput(
                Text(
                    "Địa chỉ báo phát của Kannel không được có dấu %.",
                    "Kannel's report address must not contain %.",
                )
            )
        self.report_url = report_url
        self._login = {"X-Kannel-Username": username, "X-Kannel-Password": password, "X-Kannel-From": brand(sender)}

    def ask(self, message: Message) -> dict[str, Any]:
        headers = {
            **self._login,
            "X-Kannel-To": message.number,
            "X-Kannel-Coding": "0",
            # Not X-Kannel-Charset: by POST Kannel reads the character set here and nowhere else.
            "Content-Type": "text/plain; charset=UTF-8",
        }
        if self.report_url:
            joint = "&" if "?" in self.report_url else "?"
            codes = f"receipt={message.reference}&type=%d&answer=%A&time=%T"
            headers["X-Kannel-DLR-Mask"] = str(EVERY_REPORT)
            headers["X-Kannel-DLR-Url"] = f"{self.report_url}{joint}{codes}"
        return {"headers": headers, "content": message.text.encode()}

    def read(self, response: httpx.Response, message: Message) -> Outcome:
        words = response.text.strip()
        if response.status_code == 202:
            return outcome(CodeMeaning(Fate.ACCEPTED), words.partition(":")[0], words, message.reference)
        if response.status_code == 400 and words.startswith("Sender missing"):
            return outcome(CodeMeaning(Fate.RETRY, _NO_SENDER), "400", words)
        return by_status(response)


def _refused(vi: str, en: str) -> CodeMeaning:
    return CodeMeaning(Fate.REFUSED, Text(vi, en))


def _retry(vi: str, en: str) -> CodeMeaning:
    return CodeMeaning(Fate.RETRY, Text(vi, en))


ESMS_CODES: Mapping[str, CodeMeaning] = {
    "99": _refused("Số bị chặn trên hệ thống.", "eSMS has blocked the number."),
    "100": CodeMeaning(Fate.ACCEPTED),
    "101": CodeMeaning(Fate.RETRY, LOGIN),
    "102": _retry("Tài khoản chưa có bảng giá; liên hệ eSMS.", "The account has no price list; ask eSMS."),
    "103": CodeMeaning(Fate.RETRY, BALANCE),
    "104": _retry("Brandname chưa đăng ký hoặc sai.", "The brand name is wrong or not registered."),
    "108": _refused("Số sai định dạng; sửa danh bạ.", "The number is malformed; correct the directory."),
    "118": _refused("Loại tin nhắn không hợp lệ.", "The message type is not valid."),
    "140": _retry("Máy chủ chưa được eSMS cho phép (IP).", "eSMS has not allowed this server's address."),
    "146": _retry("Mẫu tin chưa đăng ký với nhà mạng.", "The text's template is not registered."),
    "177": _refused("Brandname chưa đăng ký với mạng của số này.", "Not registered with this network."),
    "300": _retry("Thiếu loại tin; sửa cấu hình.", "The message type is missing; correct the settings."),
}
"""Codes that apply to customer care messages."""
ESMS_SEEN_BEFORE: Mapping[str, Fate] = {
    "1": Fate.ACCEPTED,
    "2": Fate.ACCEPTED,
    "4": Fate.REFUSED,
    "5": Fate.ACCEPTED,
    "7": Fate.ACCEPTED,
}
"""SendStatus with code 124: waiting for approval, waiting, refused, sent, sent and waiting for the report."""
SPEEDSMS_CODES: Mapping[str, CodeMeaning] = {
    "007": _retry("SpeedSMS đã khóa IP này.", "SpeedSMS has locked this server's address."),
    "008": _retry("Tài khoản bị khóa; liên hệ SpeedSMS.", "The account is blocked; ask SpeedSMS."),
    "009": _retry("Tài khoản chưa được dùng API.", "The account may not use the API yet."),
    "101": _retry("Thiếu hoặc sai tham số; xem lại sender và sms_type.", "Check sender and sms_type."),
    "105": _refused("Số không hợp lệ; sửa danh bạ.", "The number is not valid; correct the directory."),
    "110": _refused("Loại tin này không nhận chữ có dấu.", "Diacritics are not allowed in this kind of message."),
    "113": _refused("Tin quá dài.", "The message is too long."),
    "300": CodeMeaning(Fate.RETRY, BALANCE),
    "500": _retry("SpeedSMS lỗi nội bộ và đề nghị gửi lại.", "SpeedSMS failed and asks to try again."),
}


class Esms(JsonGateway):
    """``SendMultipleMessage_V4_post_json``, customer care messages (SmsType 2). Outside production every request has
    ``Sandbox: 1``: eSMS checks it, but neither sends nor charges it.

    Code 100 means that the request was received; delivery is reported by the callback. ``RequestId`` is derived from
    the letter's key: for the rest of the day eSMS answers a second copy with 124, which resolves an unknown outcome.
    """

    url = "https://rest.esms.vn/MainService.svc/json/SendMultipleMessage_V4_post_json/"
    codes = ESMS_CODES

    def __init__(
        self,
        api_key: str,
        secret_key: str,
        sender: str,
        *,
        production: bool = False,
        callback_url: str = "",
        **options: Unpack[HttpOptions],
    ) -> None:
        super().__init__(self.url, **options)
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
        varying = {"Content": message.text, "Phone": national(message.number), "IsUnicode": "0"}
        return {"json": {**self._fixed, **varying, "RequestId": message.reference}}

    def interpret(self, answer: Answer, message: Message) -> Outcome:
        if "CodeResult" not in answer and "error" in answer:
            return outcome(CodeMeaning(Fate.RETRY, LOGIN), "error", str(answer["error"]))
        code, words = str(answer["CodeResult"]), str(answer.get("ErrorMessage") or "")
        if code == "124":
            fate = ESMS_SEEN_BEFORE.get(str(answer.get("SendStatus")), Fate.UNKNOWN)
            return outcome(CodeMeaning(fate), code, words, message.reference)
        if code == "100" and not self.production:
            words = str(Text("sandbox: eSMS không gửi tin này.", "sandbox: eSMS does not send this one."))
        return self.by_code(code, words, message.reference)


class SpeedSms(JsonGateway):
    """``POST /index.php/sms/send`` (HTTP basic: the access token as user name) from a registered brand name.

    It has no client reference and no sandbox: a second copy cannot be recognised there, and outside production nothing
    is sent. The limit is 60 requests a minute; ``X-Rate-Limit-Reset`` gives the wait.
    """

    parallel = 1
    url = "https://api.speedsms.vn/index.php/sms/send"
    codes = SPEEDSMS_CODES
    sandbox = _refused("Ngoài môi trường thật, SpeedSMS không gửi gì.", "Outside production SpeedSMS sends nothing.")

    def __init__(self, token: str, sender: str, *, production: bool = False, **options: Unpack[HttpOptions]) -> None:
        super().__init__(self.url, **options)
        if not token or not token.isascii():
            raise BadInput(Text("SpeedSMS cần mã truy cập (access token).", "SpeedSMS needs an access token."))
        self.production, self._token, self._sender = production, token, brand(sender)

    async def send(self, letter: Outgoing) -> Outcome:
        return await super().send(letter) if self.production else outcome(self.sandbox, "sandbox")

    def ask(self, message: Message) -> dict[str, Any]:
        to = [message.number.removeprefix("+")]
        body = {"to": to, "content": message.text, "sms_type": 3, "sender": self._sender}  # 3: from a brand name
        return {"json": body, "auth": (self._token, "x")}

    def interpret(self, answer: Answer, message: Message) -> Outcome:
        code, words = str(answer["code"]), str(answer.get("message") or "")
        if answer["status"] != "success":
            return self.by_code(code, words)
        if answer["data"].get("invalidPhone"):
            return self.by_code("105", words)
        return outcome(CodeMeaning(Fate.ACCEPTED), code, words, str(answer["data"]["tranId"]))
