"""Fetch messages from our mailbox over IMAP, one at a time; each is flagged as done only after it was processed.

A crash between fetching and flagging fetches the same message again; it is recognised by its Message-ID. If the server
allows our own keyword, messages that someone has read in a mail client are fetched as well. Messages older than two
weeks are ignored.
"""

from __future__ import annotations

import imaplib
import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from imapclient import SEEN, IMAPClient
from imapclient.exceptions import IMAPClientError, LoginError

from config.settings import LOOPBACK
from engine.errors import BadInput, Unavailable
from engine.text import Text
from notifications.email.relay import Security

DONE_KEYWORD = b"DondocDone"
MAX_AGE = timedelta(days=14)
MAX_MESSAGE_BYTES = 262_144
"""Bytes fetched of one message: headers and text come first, attachments are not needed."""
MAX_MESSAGES = 200
_CONNECTION_ERRORS = (IMAPClientError, imaplib.IMAP4.error, OSError, ssl.SSLError, socket.timeout)


@dataclass(frozen=True, kw_only=True)
class Inbox:
    """One folder of one account. ``timeout``: seconds for each response. Raises BadInput if the password would be sent
    unencrypted over the network."""

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
        """The messages that are not done yet, oldest first. Advancing to the next one flags the previous one as done,
        so process a message, and commit, before advancing.

        Raises BadInput if the login or the folder is refused, Unavailable if the server cannot be reached."""
        client = self._connect()
        try:
            criteria, flags = self._select(client, now)
            for uid in _search(client, criteria):
                raw = _body(client, uid)
                if raw is not None:
                    yield raw
                _flag(client, uid, flags)
        except _CONNECTION_ERRORS as error:
            raise _unreachable(self.host, error) from error
        finally:
            _log_out(client)

    def probe(self) -> None:
        """Log in, select the folder, log out. Raises as ``messages``."""
        client = self._connect()
        try:
            self._select(client, datetime.now(UTC))
        finally:
            _log_out(client)

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
        except _CONNECTION_ERRORS as error:
            raise _unreachable(self.host, error) from error
        try:
            if self.security is Security.STARTTLS:
                client.starttls(trust)
            client.login(self.username, self.password)
        except LoginError as error:
            _log_out(client)
            raise BadInput(
                Text(
                    f"Hộp thư {self.host} từ chối đăng nhập; sửa imap_username hoặc imap_password.",
                    f"The mailbox at {self.host} refuses the login; correct imap_username or imap_password.",
                )
            ) from error
        except _CONNECTION_ERRORS as error:
            _log_out(client)
            raise _unreachable(self.host, error) from error
        return client

    def _select(self, client: Any, now: datetime) -> tuple[list[Any], tuple[bytes, ...]]:
        """Select the folder; the search criteria, and the flags for messages that are done."""
        try:
            selected = client.select_folder(self.folder)
        except IMAPClientError as error:
            raise BadInput(
                Text(
                    f"Hộp thư không có thư mục «{self.folder}»; sửa imap_folder.",
                    f"The mailbox has no folder “{self.folder}”; correct imap_folder.",
                )
            ) from error
        since = ["SINCE", (now - MAX_AGE).date()]
        allowed = selected.get(b"PERMANENTFLAGS", ())
        if b"\\*" in allowed or DONE_KEYWORD in allowed:
            return ["UNKEYWORD", DONE_KEYWORD.decode(), *since], (SEEN, DONE_KEYWORD)
        return ["UNSEEN", *since], (SEEN,)


def _search(client: Any, criteria: list[Any]) -> list[int]:
    return sorted(client.search(criteria))[:MAX_MESSAGES]


def _body(client: Any, uid: int) -> bytes | None:
    """The first ``MAX_MESSAGE_BYTES`` of a message, without marking it as read; None if it was deleted."""
    response = client.fetch([uid], [f"BODY.PEEK[]<0.{MAX_MESSAGE_BYTES}>"]).get(uid, {})
    return next((bytes(value) for name, value in response.items() if name.startswith(b"BODY[]")), None)


def _flag(client: Any, uid: int, flags: tuple[bytes, ...]) -> None:
    client.add_flags([uid], flags, silent=True)


def _log_out(client: Any) -> None:
    try:
        client.logout()
    except _CONNECTION_ERRORS:
        client.shutdown()


def _unreachable(host: str, error: BaseException) -> Unavailable:
    return Unavailable(
        Text(
            f"Không đọc được hộp thư ở {host} ({error}); thư trả lời vẫn ở đó, sẽ đọc lại sau.",
            f"The mailbox at {host} cannot be read; the replies stay there and are read later.",
        )
    )
