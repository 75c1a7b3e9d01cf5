"""A letter a day to the office's own mailbox, fetched back from it: that the whole way works, not only its beginning.

It goes by the channel by which letters go, with the first of a working day, and not through the table of letters, which
knows people alone. Its name is random, so that nobody else can send it. What has not come back by eight o'clock is a
finding of the audit.
"""

from __future__ import annotations

import json
import logging
import secrets
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from datetime import datetime, time, timedelta

from sqlmodel import Session

from engine.rules.calendar import instant, local_date
from engine.store import event_log
from engine.store.database import Database
from engine.store.facts import dated, read_as, read_fact, write_fact
from engine.store.rulebook import read_rulebook
from notifications.contract.channel import Channel, Outgoing

log = logging.getLogger(__name__)
FACT = "canary"
MISSED_AT = time(8)
GRACE = timedelta(minutes=15)
"""So long one that left late, since the server was off, may take."""
TRY_AGAIN = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Canary:
    """The last one. ``tried_at``, ``back_at``: ISO instants; ``message_id``: empty if no relay has accepted it."""

    day: str = ""
    message_id: str = ""
    tried_at: str = ""
    back_at: str = ""


def read_canary(session: Session) -> Canary:
    return read_as(read_fact(session, FACT), lambda kept: dated(Canary(**kept), "tried_at", "back_at"), Canary())


def is_due(session: Session, now: datetime) -> bool:
    """On a working day from the hour of sending on, once; again after ten minutes if no relay took it."""
    today, last = local_date(now), read_canary(session)
    tried = last.day == today.isoformat()
    if tried and (last.message_id or now - datetime.fromisoformat(last.tried_at) < TRY_AGAIN):
        return False  # asked each minute: the rules are read only where they decide
    return is_hour_to_send(session, now)


def is_hour_to_send(session: Session, now: datetime, ends: time | None = None) -> bool:
    """Whether it is a working day, and between the hour of sending and ``ends``; None: until the window closes."""
    book, today = read_rulebook(session), local_date(now)
    policy = book.general
    if policy is None or not book.calendar.is_working(today):
        return False
    return instant(today, policy.send_at) <= now < instant(today, ends or policy.window.closes)


async def send(database: Database, now: datetime, channel: Channel, address: Callable[[str], str]) -> bool:
    """Send today's, if it is due; True if a relay accepted it. ``address``: of our mailbox, for a key."""
    with database.read() as session:
        if not is_due(session, now):
            return False
        log_head = event_log.head(session.connection())
    key = f"canary:{local_date(now)}:{secrets.token_hex(6)}"
    letter = Outgoing(
        key=key,
        to=address(key),
        subject="Thử đường thư hằng ngày / The daily test of mail",
        text="Thư này do hệ thống gửi cho chính mình mỗi ngày làm việc.\nThe system sends this to itself.\n"
        f"Nhật ký / log: {log_head}\n",
        at=now,
        headers={"Auto-Submitted": "auto-generated"},
    )
    async with channel as opened:
        outcome = await opened.send(letter)
    if not outcome.taken:
        log.warning("the daily test letter did not leave: %s %s", outcome.code, outcome.reply)
    sent = Canary(local_date(now).isoformat(), outcome.receipt if outcome.taken else "", now.isoformat())
    with database.write() as session:
        write_fact(session, FACT, json.dumps(asdict(sent)))
    return outcome.taken


def came_back(database: Database, message_id: str, now: datetime) -> bool:
    """True if this message is the last canary; that it came is recorded."""
    with database.read() as session:
        last = read_canary(session)
    if not last.message_id or message_id != last.message_id:
        return False
    if not last.back_at:
        with database.write() as session:
            write_fact(session, FACT, json.dumps(asdict(replace(last, back_at=now.isoformat()))))
    return True


def missing(session: Session, now: datetime) -> int:
    """1 from eight o'clock on, on a working day on which it was not sent or did not come back."""
    today, last = local_date(now), read_canary(session)
    if now < instant(today, MISSED_AT) or not read_rulebook(session).calendar.is_working(today):
        return 0
    if last.day != today.isoformat():
        return int(bool(last.day))  # one that has never been sent is not missed: the office has just begun
    return int(not last.back_at and now - datetime.fromisoformat(last.tried_at) >= GRACE)
