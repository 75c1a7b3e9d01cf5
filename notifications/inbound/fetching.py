"""Fetch and process incoming messages: the mailbox, gammu-smsd's folders, receipts that arrived too early.

No network call inside a transaction: a message is fetched, processed and committed, and only then flagged as done at
its source. A message that fails is recorded as failed and does not block the others.
"""

from __future__ import annotations

import logging
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from threading import Event

from engine.correspondence.handling import ReceivedFile, receive_file
from engine.errors import BadInput, Unavailable
from engine.store.database import Database
from notifications import canary
from notifications.channel_health import record_fetch
from notifications.inbound import answers
from notifications.inbound.incoming_rows import is_known
from notifications.inbound.mailbox import Inbox
from notifications.inbound.message import Mail, read_mail
from notifications.inbound.proof import MailProof
from notifications.receipts import letter_outcomes
from notifications.sms.gammu import Gammu
from notifications.sms.replies import from_gammu

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
    if canary.came_back(database, mail.id, now):
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
