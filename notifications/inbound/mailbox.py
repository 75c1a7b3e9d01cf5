"""Our mailbox: messages fetched over IMAP, handed on one at a time, marked as done only after they were acted upon.

A crash between fetching and marking brings the same message again; it is recognised by its Message-ID where it is
recorded. What was read by somebody with a mail program meanwhile is fetched all the same, if the server lets us keep
a mark of our own; only what is older than two weeks is left alone.
"""

from __future__ import annotations

import imaplib
import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from imapclient import SEEN, IMAPClient
from imapclient.exceptions import IMAPClientError, LoginError

from engine.errors import BadInput, Unavailable
from engine.text import Text

OUR_MARK = b"DondocDone"
BACK = timedelta(days=14)
MAX_MESSAGE_BYTES = 262_144
"""Of one message: its words and its headers come first, attachments are not wanted."""
MAX_MESSAGES = 200
_BROKEN = (IMAPClientError, imaplib.IMAP4.error, OSError, ssl.SSLError, socket.timeout)
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


class Security(StrEnum):
    """As in ``relay``: what is asked for is required."""

    NONE = "none"
    STARTTLS = "starttls"
    TLS = "tls"


@dataclass(frozen=True)
class Inbox:
    """One folder of one account. ``timeout`` is seconds for each answer. Raises BadInput for a password that would
    cross the network in the clear."""

    host: str
    username: str
    password: str = field(repr=False)
    port: int = 993
    security: Security = Security.TLS
    folder: str = "INBOX"
    ca_file: str = ""
    timeout: float = 30.0

    def __post_init__(self) -> None:
        if self.security is Security.NONE and self.host not in LOOPBACK:
            raise BadInput(
                Text(
                    "Mật khẩu hộp thư sẽ đi qua mạng không mã hóa; hãy đặt imap_security là tls hoặc starttls.",
                    "The mailbox's password would cross the network in the clear; set imap_security to tls "
                    "or starttls.",
                )
            )

    def messages(self, now: datetime) -> Iterator[bytes]:
        """The messages that are not done yet, oldest first. Going on to the next one marks the one before as done, so
        act on a message, and commit, before asking for more.

        Raises BadInput when the login or the folder is refused, Unavailable when the server is out of reach."""
        client = self._connect()
        try:
            criteria, marks = self._select(client, now)
            for uid in _fetched(client, criteria):
                raw = _body(client, uid)
                if raw is not None:
                    yield raw
                _mark(client, uid, marks)
        except _BROKEN as error:
            raise _out_of_reach(self.host, error) from error
        finally:
            _leave(client)

    def _connect(self) -> Any:
        trust = ssl.create_default_context(cafile=self.ca_file or None)
        try:
            client = IMAPClient(
                self.host,
                port=self.port,
                ssl=self.security is Security.TLS,
                ssl_context=trust,
                timeout=self.timeout,
                use_uid=True,
            )
        except _BROKEN as error:
            raise _out_of_reach(self.host, error) from error
        try:
            if self.security is Security.STARTTLS:
                client.starttls(trust)
            client.login(self.username, self.password)
        except LoginError as error:
            _leave(client)
            raise BadInput(
                Text(
                    f"Hộp thư {self.host} từ chối đăng nhập; sửa imap_username hoặc imap_password.",
                    f"The mailbox at {self.host} refuses our login; correct imap_username or imap_password.",
                )
            ) from error
        except _BROKEN as error:
            _leave(client)
            raise _out_of_reach(self.host, error) from error
        return client

    def _select(self, client: Any, now: datetime) -> tuple[list[Any], tuple[bytes, ...]]:
        """What to look for, and what to mark it with."""
        try:
            selected = client.select_folder(self.folder)
        except IMAPClientError as error:
            raise BadInput(
                Text(
                    f"Hộp thư không có thư mục «{self.folder}»; sửa imap_folder.",
                    f"The mailbox has no folder “{self.folder}”; correct imap_folder.",
                )
            ) from error
        since = ["SINCE", (now - BACK).date()]
        allowed = selected.get(b"PERMANENTFLAGS", ())
        if b"\\*" in allowed or OUR_MARK in allowed:
            return ["UNKEYWORD", OUR_MARK.decode(), *since], (SEEN, OUR_MARK)
        return ["UNSEEN", *since], (SEEN,)


def _fetched(client: Any, criteria: list[Any]) -> list[int]:
    return sorted(client.search(criteria))[:MAX_MESSAGES]


def _body(client: Any, uid: int) -> bytes | None:
    """The first part of a message, without marking it as read; None when it is gone."""
    found = client.fetch([uid], [f"BODY.PEEK[]<0.{MAX_MESSAGE_BYTES}>"]).get(uid, {})
    return next((bytes(value) for name, value in found.items() if name.startswith(b"BODY[]")), None)


def _mark(client: Any, uid: int, marks: tuple[bytes, ...]) -> None:
    client.add_flags([uid], marks, silent=True)


def _leave(client: Any) -> None:
    try:
        client.logout()
    except _BROKEN:
        client.shutdown()


def _out_of_reach(host: str, error: BaseException) -> Unavailable:
    return Unavailable(
        Text(
            f"Không đọc được hộp thư ở {host} ({error}); thư trả lời vẫn ở đó, sẽ đọc lại sau.",
            f"The mailbox at {host} cannot be read; the answers stay there and are read later.",
        )
    )
