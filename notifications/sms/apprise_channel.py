"""Whatever Apprise knows and we do not: the catch-all. One address with ``{to}`` in it, one letter at a time.

Apprise says only yes or no. Its reasons are in its log alone, so they are read there while it works: a status or a
connection that was never made is understood, anything else is UNKNOWN. It blocks, so it runs in a thread.
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
from notifications.channel import Fate, Outcome, Outgoing
from notifications.sms.gateway import CodeMeaning, Message, outcome, prepare, refused
from notifications.sms.permanent_errors import LOGIN

_NEVER_MADE = re.compile(
    r"NewConnectionError|ConnectTimeout|Connection refused|NameResolutionError|No route to host|getaddrinfo"
)
_TURN = threading.Lock()  # Apprise's log is one for the whole process: two letters at once would mix their reasons
_STATUS = re.compile(r"error=(\d{3})")
_SANDBOX = Text("Ngoài môi trường thật, kênh này không gửi gì.", "Outside production this channel sends nothing.")
_UNREAD = Text("Không đọc được địa chỉ Apprise với số này.", "Apprise cannot read its address with this number in it.")


class AppriseSms:
    """``address`` is an Apprise URL with ``{to}`` where the number goes: ``twilio://SID:TOKEN@FROM/{to}``. Apprise
    has no sandbox, so outside production nothing leaves."""

    name = "sms"
    parallel = 1

    def __init__(self, address: str, *, production: bool = False, marks: bool = False) -> None:
        with warnings.catch_warnings(), _TURN, _reasons():
            # The first look at an address loads every service that Apprise knows, some of them with old imports.
            warnings.simplefilter("ignore", DeprecationWarning)
            known = Apprise().add(self._filled(address, "+84912345678"))
        if not known or "{to}" not in address:
            raise BadInput(
                Text(
                    "Địa chỉ Apprise không đọc được hoặc thiếu {to}; hãy sửa cấu hình.",
                    "The Apprise address cannot be read or lacks {to}; mend the settings.",
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
        with _TURN, _reasons() as reasons:
            if not service.add(self._filled(self.address, message.number)):
                return outcome(CodeMeaning(Fate.RETRY, _UNREAD))
            taken = service.notify(body=message.text, body_format=NotifyFormat.TEXT)
        return outcome(CodeMeaning(Fate.ACCEPTED)) if taken else _failed("\n".join(reasons))

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
    if _NEVER_MADE.search(reasons):
        return outcome(CodeMeaning(Fate.RETRY), "unreachable")
    return outcome(CodeMeaning(Fate.UNKNOWN), "unclear")


@contextmanager
def _reasons() -> Iterator[list[str]]:
    """What Apprise logs meanwhile, kept from every other log: its lines and urllib3's hold the number and the text."""
    apprise, urllib3 = logging.getLogger(LOGGER_NAME), logging.getLogger("urllib3")
    heard, level, handlers = _Heard(), apprise.level, apprise.handlers
    apprise.handlers = [heard]
    apprise.setLevel(logging.DEBUG)
    apprise.propagate = urllib3.propagate = False
    try:
        yield heard.lines
    finally:
        apprise.propagate = urllib3.propagate = True
        apprise.setLevel(level)
        apprise.handlers = handlers


class _Heard(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())
