"""A channel that is down is told to the operator by another one, once a day; with none left, the log alone is told.

The alarm goes straight to a channel and not through the outbox: it must not wait behind the letters that it is about.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, update

from engine.rules.calendar import PLAN_TIME, local_date
from engine.store.database import Database, insert_new, table
from engine.store.event_log import append, event
from engine.store.records import Fact
from engine.terms import EventKind
from notifications.channel import Channel, Fate, Outgoing
from notifications.channel_health import ChannelHealth, pulses

log = logging.getLogger(__name__)
TOLD = "alarm:"
NAMES = {"email": ("thư điện tử", "e-mail"), "sms": ("tin nhắn SMS", "SMS"), "imap": ("hộp thư đến", "the mailbox")}


@dataclass(frozen=True, slots=True)
class Operator:
    """Who looks after this installation, and where he is reached."""

    email: str = ""
    phone: str = ""
    language: str = "vi"

    def address(self, channel: str) -> str:
        return self.phone if channel == "sms" else self.email


async def alarm(
    database: Database, now: datetime, channels: Mapping[str, Channel], operator: Operator
) -> dict[str, int]:
    """Tell of every channel that is down and was not told of today. Counts: down, told."""
    with database.read() as session:
        found = pulses(session)
        told = {
            row.name: row.value
            for row in session.connection().execute(
                select(table(Fact).c.name, table(Fact).c.value).where(table(Fact).c.name.startswith(TOLD))
            )
        }
    today = local_date(now).isoformat()
    down = {name: pulse for name, pulse in found.items() if pulse.down}
    counts = {"down": len(down), "told": 0}
    for name, pulse in down.items():
        if told.get(TOLD + name) == today:
            continue
        log.error("The channel %s is down since %s: %s", name, pulse.down_since, pulse.why)
        working = {each: channel for each, channel in channels.items() if each != name and each not in down}
        if await _say(name, pulse, now, working, operator):
            counts["told"] += 1
            _remember(database, name, pulse, now)
    return counts


async def _say(
    name: str, pulse: ChannelHealth, now: datetime, working: Mapping[str, Channel], operator: Operator
) -> bool:
    """Whether some other channel took the alarm."""
    for channel_name, channel in working.items():
        to = operator.address(channel_name)
        if not to:
            continue
        async with AsyncExitStack() as stack:
            opened = await stack.enter_async_context(channel)
            outcome = await opened.send(letter(name, pulse, now, channel_name, to, operator.language))
        if outcome.fate in (Fate.ACCEPTED, Fate.DELIVERED, Fate.UNKNOWN):
            return True
    return False


def letter(name: str, pulse: ChannelHealth, now: datetime, channel: str, to: str, language: str) -> Outgoing:
    """The alarm. By SMS without the other side's words, which may be long and name people."""
    vi, en = NAMES.get(name, (name, name))
    since = datetime.fromisoformat(pulse.down_since).astimezone(PLAN_TIME)
    said = (
        f"The channel {en} has failed since {since:%H:%M %d/%m/%Y} ({pulse.failures} times in a row). "
        "What is owed waits and leaves by itself once it works."
        if language == "en"
        else f"Kênh {vi} không hoạt động từ {since:%H:%M %d/%m/%Y} ({pulse.failures} lần liên tiếp). "
        "Thư đang chờ sẽ tự gửi khi kênh hoạt động lại."
    )
    subject = (
        f"[Đôn Đốc] {'Channel down' if language == 'en' else 'Kênh gửi bị hỏng'}: {en if language == 'en' else vi}"
    )
    key = f"alarm:{name}:{local_date(now).isoformat()}"
    if channel == "sms":
        return Outgoing(key, to, f"Don Doc: {said}", now, language=language)
    return Outgoing(key, to, f"{said}\n\n{pulse.why}\n", now, subject=subject, language=language)


def _remember(database: Database, name: str, pulse: ChannelHealth, now: datetime) -> None:
    today = local_date(now).isoformat()
    f = table(Fact)
    with database.write() as session:
        changed = session.connection().execute(update(f).where(f.c.name == TOLD + name).values(value=today))
        if changed.rowcount == 0:
            insert_new(session, Fact, [{"name": TOLD + name, "value": today}])
        append(
            session,
            [
                event(
                    EventKind.AUDIT_FAILED,
                    now,
                    key=f"audit:channel_{name}:{today}",
                    finding=f"channel_{name}",
                    count=pulse.failures,
                )
            ],
        )
