"""Kannel's ``sendsms`` (user guide, «Using the HTTP interface to send SMS messages»): a province's own gateway.

Uses POST with ``X-Kannel-`` headers, not GET: a URL with password, number and text in it would be written to every
access log. ``202`` means that Kannel has stored the message, not that it was delivered.
"""

from __future__ import annotations

from typing import Any, Unpack

import httpx

from engine.errors import BadInput
from engine.text import Text
from notifications.contract.channel import Fate, Outcome
from notifications.sms.gateway import CodeMeaning, HttpGateway, HttpOptions, Message, by_status, outcome
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
