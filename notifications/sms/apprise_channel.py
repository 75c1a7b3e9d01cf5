"""SMS over any service that Apprise supports. One URL with ``{to}`` in it, one letter at a time.

Apprise returns only success or failure; the reasons are in its log, which is captured during the call. An HTTP status
or a connection that was never made is recognised, anything else is UNKNOWN. Apprise blocks, so it runs in a thread.
"""

from __future__ import annotations

import asyncio
import logging
import re
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Self
from urllib.parse import quote

from apprise import Apprise, NotifyFormat
from apprise.logger import LOGGER_NAME

from engine.errors import BadInput
from engine.text import Text
from notifications.contract.channel import Fate, Outcome, Outgoing
from notifications.sms.gateway import CodeMeaning, Message, outcome, prepare, refused
from notifications.sms.permanent_errors import LOGIN

_NOT_CONNECTED = re.compile(
    r"NewConnectionError|ConnectTimeout|Connection refused|NameResolutionError|No route to host|getaddrinfo"
)
_APPRISE_LOCK = threading.Lock()  # Apprise has one log per process: two letters at once would mix their reasons
_STATUS = re.compile(r"error=(\d{3})")
_SANDBOX = Text("Ngoài môi trường thật, kênh này không gửi gì.", "Outside production this channel sends nothing.")
_UNREAD = Text("Không đọc được địa chỉ Apprise với số này.", "Apprise cannot read its address with this number in it.")


class AppriseSms:
    """``address``: an Apprise URL with ``{to}`` in place of the number: ``twilio://SID:TOKEN@FROM/{to}``. Apprise has
    no sandbox, so outside production nothing is sent."""

    name = "sms"
    parallel = 1

    def __init__(self, address: str, *, production: bool = False, marks: bool = False) -> None:
        with warnings.catch_warnings(), _APPRISE_LOCK, _reasons():
            # The first URL loads every service of Apprise, some of which raise DeprecationWarning on import.
            warnings.simplefilter("ignore", DeprecationWarning)
            known = Apprise().add(self._filled(address, "+84912345678"))
        if not known or "{to}" not in address:
            raise BadInput(
                Text(
                    "Địa chỉ Apprise không đọc được hoặc thiếu {to}; hãy sửa cấu hình.",
                    "The Apprise address cannot be read or lacks {to}; correct the settings.",
                )
            )
        self.address, self.production, self.marks = address, production, marks

    @staticmethod
    def _filled(address: str, number: str) -> str:
        return address.replace("{to}", quote(number, safe=""))

    async def send(self, letter: Outgoing) -> Outcome:
        if not self.production:
            return outcome(CodeMeaning(Fate.REFUSED, _SANDBOX), "sandbox")
        try:
            message = prepare(letter, marks=self.marks)
        except BadInput as error:
            return refused(error)
        return await asyncio.to_thread(self._notify, message)

    def _notify(self, message: Message) -> Outcome:
        service = Apprise()
        with _APPRISE_LOCK, _reasons() as reasons:
            if not service.add(self._filled(self.address, message.number)):
                return outcome(CodeMeaning(Fate.RETRY, _UNREAD))
            accepted = service.notify(body=message.text, body_format=NotifyFormat.TEXT)
        return outcome(CodeMeaning(Fate.ACCEPTED)) if accepted else _failed("\n".join(reasons))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None


def _failed(reasons: str) -> Outcome:
    status = _STATUS.search(reasons)
    if status:
        code = status.group(1)
        if code in ("401", "403"):
            return outcome(CodeMeaning(Fate.RETRY, LOGIN), code)
        known = {"429": Fate.RETRY, "503": Fate.RETRY, "408": Fate.UNKNOWN}
        return outcome(CodeMeaning(known.get(code, Fate.REFUSED if code < "500" else Fate.UNKNOWN)), code)
    if _NOT_CONNECTED.search(reasons):
        return outcome(CodeMeaning(Fate.RETRY), "unreachable")
    return outcome(CodeMeaning(Fate.UNKNOWN), "unclear")


@contextmanager
def _reasons() -> Iterator[list[str]]:
    """Capture Apprise's log, and keep it and urllib3's out of ours: they contain the number and the text."""
    apprise, urllib3 = logging.getLogger(LOGGER_NAME), logging.getLogger("urllib3")
    capture, level, handlers = _LogCapture(), apprise.level, apprise.handlers
    apprise.handlers = [capture]
    apprise.setLevel(logging.DEBUG)
    apprise.propagate = urllib3.propagate = False
    try:
        yield capture.lines
    finally:
        apprise.propagate = urllib3.propagate = True
        apprise.setLevel(level)
        apprise.handlers = handlers


class _LogCapture(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())
