"""Fetch and process incoming messages: the mailbox, gammu-smsd's folders, receipts that arrived too early.

No network call inside a transaction: a message is fetched, processed and committed, and only then flagged as done at
its source. A message that fails is recorded as failed and does not block the others.

Fetch messages from our mailbox over IMAP, one at a time; each is flagged as done only after it was processed. Of a
large message its parts are looked at first, and only those that are needed are fetched.

A PDF of some megabytes may stand before the text, and nobody reads forty of them to learn that one word was written.
The parts are put together again to a message with the same head; a part that was left out says so
(``message.LEFT_OUT``).

A crash between fetching and flagging fetches the same message again; it is recognised by its Message-ID. If the server
allows our own keyword, messages that someone has read in a mail client are fetched as well. What lay unread while
nobody worked, as over Tết, is read; messages older than ``MAX_AGE`` are not.
"""

from __future__ import annotations

import imaplib
import logging
import socket
import ssl
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.utils import localtime
from pathlib import Path
from threading import Event
from typing import Any

from imapclient import SEEN, IMAPClient
from imapclient.exceptions import IMAPClientError, LoginError

from config.settings import IMAPS_PORT, LOOPBACK
from engine.assignments.reports.evidence import MAX_FILE_BYTES, MAX_FILES
from engine.correspondence.handling import ReceivedFile, receive_file
from engine.errors import BadInput, Unavailable
from engine.store.database import Database
from engine.text import Text
from notifications import arrival
from notifications.channel_health import record_fetch
from notifications.email.connection import Security
from notifications.inbound import answers
from notifications.inbound.incoming_rows import is_known
from notifications.inbound.message import LEFT_OUT, Mail, MailProof, read_mail
from notifications.receipts import letter_outcomes
from notifications.sms.gammu import Gammu
from notifications.sms.replies import from_gammu

MAX_TEXT_BYTES = 262_144
"""Fetched of a text; of a message that is no larger everything."""
MAX_PART_BYTES = MAX_FILE_BYTES * 14 // 10
"""Of a file as it travels, in base64 with its line ends."""
MAX_FETCHED_BYTES = 4 * MAX_PART_BYTES
"""Of all files of one message."""
_BOUNDARY = b"dondoc-parts-of-a-large-message"
_REPLACED = (b"content-", b"mime-version")


@dataclass(frozen=True, slots=True)
class Part:
    """A part without parts: ``number`` as IMAP counts, ``size`` as it travels."""

    number: str
    main: str
    sub: str
    size: int


def parts_of(structure: Any, number: str = "") -> Iterator[Part]:
    """The parts of a BODYSTRUCTURE as ``imapclient`` has it. A mail within a mail is one part."""
    if isinstance(structure[0], list):
        for at, each in enumerate(structure[0], 1):
            yield from parts_of(each, f"{number}.{at}" if number else str(at))
        return
    main, sub, size = _word(structure[0]), _word(structure[1]), structure[6]
    yield Part(number or "1", main, sub, int(size))


def _word(value: Any) -> str:
    return value.decode("ascii", "replace").lower() if isinstance(value, bytes) else ""


def is_report(parts: Sequence[Part]) -> bool:
    """A delivery report, which is read as a whole."""
    return any(each.sub in ("delivery-status", "disposition-notification") for each in parts)


def wanted(parts: Sequence[Part]) -> dict[str, int]:
    """How many bytes to fetch of each part: of texts the beginning, of files all or nothing."""
    fetched: dict[str, int] = {}
    room, files = MAX_FETCHED_BYTES, 0
    for part in parts:
        if part.main == "text":
            fetched[part.number] = min(part.size, MAX_TEXT_BYTES)
        elif part.main != "message" and part.size <= min(MAX_PART_BYTES, room) and files < MAX_FILES:
            fetched[part.number] = part.size
            room, files = room - part.size, files + 1
    return fetched


def assembled(head: bytes, parts: Sequence[tuple[bytes, bytes | None]]) -> bytes:
    """A message of these parts, each its own head and content; None for one that was left out."""
    lines = [head_without_content(head), b'Content-Type: multipart/mixed; boundary="%s"\r\n\r\n' % _BOUNDARY]
    for own, content in parts:
        own = own.rstrip(b"\r\n")
        if content is None:
            own = own + b"\r\n" + LEFT_OUT.encode() + b": too large"
        lines += [b"--%s\r\n" % _BOUNDARY, own.lstrip(b"\r\n"), b"\r\n\r\n", content or b"", b"\r\n"]
    return b"".join([*lines, b"--%s--\r\n" % _BOUNDARY])


def head_without_content(head: bytes) -> bytes:
    """The head of a message without what says how its content is written."""
    kept: list[bytes] = []
    keep = True
    for line in head.replace(b"\r\n", b"\n").split(b"\n"):
        if not line:
            continue
        if line[:1] not in b" \t":
            keep = not line.lower().startswith(_REPLACED)
        if keep:
            kept.append(line)
    return b"".join(line + b"\r\n" for line in kept)


DONE_KEYWORD = b"DondocDone"
MAX_AGE = timedelta(days=45)
"""As long as the links and codes of a letter hold."""
MAX_MESSAGES = 200
MAX_PARTS = 50
LOGOUT_SECONDS = 1.0
_CONNECTION_ERRORS = (IMAPClientError, imaplib.IMAP4.error, OSError, ssl.SSLError, socket.timeout)


def security_of(host: str, port: int) -> Security:
    """How a mailbox is reached, by its port (RFC 8314, 3.2): 143 begins in the clear and has to change to TLS, any
    other is TLS. Within this machine 993 alone is encrypted."""
    if host in LOOPBACK and port != IMAPS_PORT:
        return Security.NONE
    return Security.STARTTLS if port == 143 else Security.TLS


@dataclass(frozen=True, kw_only=True)
class Inbox:
    """INBOX of one account. ``timeout``: seconds for each response. Raises BadInput if the password would be sent
    unencrypted over the network."""

    host: str
    username: str
    password: str = field(repr=False)
    port: int = IMAPS_PORT
    security: Security = Security.TLS
    ca_file: str = ""
    timeout: float = 15.0

    def __post_init__(self) -> None:
        if self.security is Security.NONE and self.host not in LOOPBACK:
            raise BadInput(
                Text(
                    "Mật khẩu hộp thư sẽ đi qua mạng không mã hóa; hãy dùng TLS hoặc STARTTLS.",
                    "The mailbox's password would cross the network in the clear; use TLS or STARTTLS.",
                )
            )

    def messages(self, now: datetime, on_found: Callable[[int], None] | None = None) -> Iterator[bytes]:
        """The messages that are not done yet, oldest first, ``MAX_MESSAGES`` at most; ``on_found`` is told how many
        there are. Advancing to the next one flags the previous one as done,
        so process a message, and commit, before advancing.

        Raises BadInput if the login or the folder is refused, Unavailable if the server cannot be reached."""
        with self._opened(now) as (client, criteria, flags):
            found = sorted(client.search(criteria))
            if on_found is not None:
                on_found(len(found))
            for uid in found[:MAX_MESSAGES]:
                raw = _body(client, uid)
                if raw is not None:
                    yield raw
                _flag(client, uid, flags)

    def probe(self) -> None:
        """Log in, select the folder, log out. Raises as ``messages``."""
        with self._opened():
            pass

    def take_out(self, message_id: str) -> bytes | None:
        """A message by its Message-ID, removed from the folder; None if it is not there. Raises as ``messages``."""
        with self._opened() as (client, *_):
            uids = _uids(client, message_id)
            raw = _section(client, uids[-1], "", MAX_TEXT_BYTES) if uids else None
            _remove(client, uids)
            return raw

    def kept(self, message_id: str) -> str | None:
        """The text of a message that ``keep`` laid there; None if it is gone. Raises as ``messages``."""
        with self._opened() as (client, *_):
            uids = _uids(client, message_id)
            raw = _section(client, uids[-1], "TEXT", MAX_TEXT_BYTES) if uids else None
            return None if raw is None else raw.decode("ascii", "replace").strip()

    def keep(self, message_id: str, subject: str, text: str) -> None:
        """Lay a message of our own there, which counts as done, in place of an earlier one with this Message-ID.
        ``text``: ASCII, one line. Raises as ``messages``."""
        message = EmailMessage()
        message["Message-ID"], message["Subject"], message["Date"] = message_id, subject, localtime()
        message.set_content(text, cte="7bit")
        with self._opened() as (client, _, flags):
            earlier = _uids(client, message_id)
            client.append("INBOX", bytes(message), flags)
            _remove(client, earlier)

    @contextmanager
    def _opened(self, now: datetime | None = None) -> Iterator[tuple[Any, list[Any], tuple[bytes, ...]]]:
        """INBOX, selected, with what ``_select`` returns."""
        client = self._connect()
        try:
            yield (client, *self._select(client, now or datetime.now(UTC)))
        except _CONNECTION_ERRORS as error:
            raise _unreachable(self.host, error) from error
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
                    f"Hộp thư {self.host} từ chối đăng nhập; sửa DONDOC_IMAP_USERNAME hoặc DONDOC_IMAP_PASSWORD.",
                    f"The mailbox at {self.host} refuses the login; "
                    "correct DONDOC_IMAP_USERNAME or DONDOC_IMAP_PASSWORD.",
                )
            ) from error
        except _CONNECTION_ERRORS as error:
            _log_out(client)
            raise _unreachable(self.host, error) from error
        return client

    def _select(self, client: Any, now: datetime) -> tuple[list[Any], tuple[bytes, ...]]:
        """Select INBOX, which every account has (RFC 9051, 5.1); the search criteria, and the flags for messages that
        are done."""
        selected = client.select_folder("INBOX")
        since = ["SINCE", (now - MAX_AGE).date()]
        allowed = selected.get(b"PERMANENTFLAGS", ())
        if b"\\*" in allowed or DONE_KEYWORD in allowed:
            return ["UNKEYWORD", DONE_KEYWORD.decode(), *since], (SEEN, DONE_KEYWORD)
        return ["UNSEEN", *since], (SEEN,)


def _body(client: Any, uid: int) -> bytes | None:
    """A message, without marking it as read; None if it was deleted. Of a large one the parts that are needed."""
    size = client.fetch([uid], ["RFC822.SIZE"]).get(uid, {}).get(b"RFC822.SIZE", 0)
    if size <= MAX_TEXT_BYTES:
        return _section(client, uid, "", MAX_TEXT_BYTES)
    structure = client.fetch([uid], ["BODYSTRUCTURE"]).get(uid, {}).get(b"BODYSTRUCTURE")
    parts = list(parts_of(structure)) if structure is not None else []
    if is_report(parts) or all(part.main == "text" for part in parts):
        return _section(client, uid, "", MAX_TEXT_BYTES)
    if not structure.is_multipart:
        return _section(client, uid, "", MAX_PART_BYTES)
    return _large(client, uid, parts)


def _large(client: Any, uid: int, parts: list[Part]) -> bytes | None:
    head = _section(client, uid, "HEADER", MAX_TEXT_BYTES)
    if head is None:
        return None
    bytes_of = wanted(parts)
    fetched: list[tuple[bytes, bytes | None]] = []
    for part in parts[:MAX_PARTS]:
        own = _section(client, uid, f"{part.number}.MIME", MAX_TEXT_BYTES) or b""
        size = bytes_of.get(part.number)
        fetched.append((own, None if size is None else _section(client, uid, part.number, size)))
    return assembled(head, fetched)


def _section(client: Any, uid: int, name: str, size: int) -> bytes | None:
    """The beginning of a section of a message."""
    response = client.fetch([uid], [f"BODY.PEEK[{name}]<0.{size}>"]).get(uid, {})
    return next((bytes(value or b"") for key, value in response.items() if key.startswith(b"BODY[")), None)


def _uids(client: Any, message_id: str) -> list[int]:
    return sorted(client.search(["UNDELETED", "HEADER", "Message-ID", message_id]))


def _remove(client: Any, uids: list[int]) -> None:
    """These alone: what somebody has marked as deleted in a mail client is not ours to expunge (RFC 4315)."""
    if uids:
        client.delete_messages(uids)
    if uids and client.has_capability("UIDPLUS"):
        client.uid_expunge(uids)


def _flag(client: Any, uid: int, flags: tuple[bytes, ...]) -> None:
    client.add_flags([uid], flags, silent=True)


def _log_out(client: Any) -> None:
    try:
        client.socket().settimeout(LOGOUT_SECONDS)  # one that has just not answered is not waited for again
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


log = logging.getLogger(__name__)
SENT_FILE_RETENTION = timedelta(days=7)
"""How long sent messages stay in gammu-smsd's folders, from which receipts are read."""


@dataclass(frozen=True)
class InboundSources:
    """Sources of incoming messages. ``proof`` checks what comes from the inbox; ``gammu_inbox``: the daemon's
    InboxPath; ``files``: the folder that keeps what is attached, None: only its name is kept. Once ``stop`` is set no
    further message is taken out of the inbox."""

    proof: MailProof
    inbox: Inbox | None = None
    gammu: Gammu | None = None
    gammu_inbox: Path | None = None
    files: Path | None = None
    stop: Event = field(default_factory=Event)


def receive(database: Database, now: datetime, inbound: InboundSources) -> dict[str, int]:
    """Fetch and process; the number of messages by result. An unreachable mailbox is recorded in the channel health,
    not raised."""
    counts: Counter[str] = Counter()
    if inbound.inbox is not None:
        counts.update(_fetch_mailbox(database, now, inbound.inbox, inbound))
    if inbound.gammu_inbox is not None and inbound.gammu_inbox.is_dir():
        counts.update(_fetch_gammu_messages(database, now, inbound.gammu_inbox))
    if inbound.gammu is not None and inbound.gammu.sent.is_dir() and inbound.gammu.error.is_dir():
        counts["receipts"] += _gammu_receipts(database, now, inbound.gammu)
    with database.write() as session:
        counts["receipts"] += letter_outcomes.settle_early(session, now)
    return {name: count for name, count in counts.items() if count}


def _fetch_mailbox(database: Database, now: datetime, inbox: Inbox, inbound: InboundSources) -> Counter[str]:
    counts: Counter[str] = Counter()
    problem, waiting = "", [0]
    try:
        for raw in inbox.messages(now, waiting.append):
            if inbound.stop.is_set():
                break
            counts[_process_mail(database, raw, inbound, now)] += 1
            waiting[-1] -= 1
    except (BadInput, Unavailable) as error:
        problem = str(error)
        log.warning("%s", error)
    with database.write() as session:
        record_fetch(session, "imap", problem, now)
    counts["mailbox_failed"] += bool(problem)
    counts["left_in_mailbox"] += waiting[-1]
    return counts


def _process_mail(database: Database, raw: bytes, inbound: InboundSources, now: datetime) -> str:
    mail = read_mail(raw)
    if arrival.came_back(database, mail.id, now):
        return "canary"
    try:
        files = _stored_files(database, mail, inbound.files)
        with database.write() as session:
            return str(answers.take_mail(session, mail, inbound.proof, now, files))
    except Unavailable:
        raise
    except Exception:
        log.exception("A message could not be processed; it stays in the mailbox, flagged as done")
    with database.write() as session:
        answers.keep_failed(session, mail, now)
    return "failed"


def _stored_files(database: Database, mail: Mail, folder: Path | None) -> list[ReceivedFile]:
    """The attached files, written before the transaction that records the message. Those of strangers and machines are
    not looked at."""
    if not mail.files or mail.automatic or mail.bounce is not None:
        return []
    with database.read() as session:
        if not is_known(session, mail.sender):
            return []
    if folder is None:
        return [ReceivedFile(name=each.name) for each in mail.files]
    return [receive_file(folder, each.name, each.body) for each in mail.files]


def _fetch_gammu_messages(database: Database, now: datetime, inbox: Path) -> Counter[str]:
    counts: Counter[str] = Counter()
    for sms, files in from_gammu(inbox, now):
        with database.write() as session:
            counts[str(answers.take_sms(session, "gammu", sms, now))] += 1
        for file in files:
            file.unlink(missing_ok=True)
    return counts


def _gammu_receipts(database: Database, now: datetime, gammu: Gammu) -> int:
    """Read the daemon's folders, which report the same receipts each time; known ones change nothing."""
    applied = 0
    with database.write() as session:
        for receipt in gammu.receipts():
            applied += letter_outcomes.take_repeated_receipt(session, receipt, now)
    gammu.prune(now - SENT_FILE_RETENTION)
    return applied
