"""Tell the operator what the audit finds, once a day each: a page that nobody opens tells nobody. That they have not
confirmed a letter they are told once a week, as they are asked.

What is found for a quarter of an hour is told by day, over every channel that works and for which the operator has an
address. Channels that are down have an alarm of their own (``alarm``).

Notify the operator, once a day, of a channel that is down, over another channel; if none works, only log it.

The alarm is sent directly on a channel, not through the outbox, so that it does not wait behind the queued letters.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from typing import Any

from sqlalchemy import select
from sqlmodel import Session

from engine.assignments.weekly_digest import week_of
from engine.queries.system.health import AUDIT, findings_of
from engine.rules.calendar import PLAN_TIME, local_date
from engine.rules.words import coded
from engine.store.database import Database, table
from engine.store.event_log import record
from engine.store.facts import read_as, read_fact, read_facts, write_fact
from engine.store.machines import Machine, machines
from engine.store.recipients import SHORT, address_of
from engine.store.records import Pass
from engine.terms import EventKind
from engine.text import Text
from notifications.channel_health import ChannelHealth, channel_health
from notifications.contract.channel import Channel, Outgoing

log = logging.getLogger(__name__)
ALARM_PREFIX = "alarm:"
MAX_TOLD_CHARS, MAX_FACT_CHARS = 500, 64
NAMES = {"email": ("thư điện tử", "e-mail"), "sms": ("tin nhắn SMS", "SMS"), "imap": ("hộp thư đến", "the mailbox")}


@dataclass(frozen=True, slots=True)
class Operator:
    """Contact details of the operator of this installation."""

    email: str = ""
    phone: str = ""
    language: str = "vi"

    def address(self, channel: str) -> str:
        return address_of(self, channel)

    def letter(self, channel: str, key: str, at: datetime, subject: str, message: str, more: str = "") -> Outgoing:
        """``more``: for e-mail alone; it may be long and contain personal data."""
        to = self.address(channel)
        if channel in SHORT:
            return Outgoing(key=key, to=to, text=f"Don Doc: {message}", at=at, language=self.language)
        return Outgoing(key=key, to=to, text=f"{message}\n{more}", at=at, subject=subject, language=self.language)


async def alarm(
    database: Database, now: datetime, channels: Mapping[str, Channel], operator: Operator
) -> dict[str, int]:
    """Send an alarm for every channel that is down and has none today. Returns the counts ``down`` and ``told``."""
    with database.read() as session:
        by_name = channel_health(session)
        alarmed = read_facts(session, ALARM_PREFIX)
    today = local_date(now).isoformat()
    down = {name: health for name, health in by_name.items() if health.down}
    counts = {"down": len(down), "told": 0}
    for name, health in down.items():
        if alarmed.get(name) == today:
            continue
        log.error("The channel %s has been down since %s: %s", name, health.down_since, health.why)
        letter = partial(alarm_letter, name, health, now, operator=operator)
        if await _tell(letter, _working(channels, down, operator), once=True):
            counts["told"] += 1
            _record_alarm(database, name, health, now)
    return counts


def alarm_letter(name: str, health: ChannelHealth, now: datetime, channel: str, operator: Operator) -> Outgoing:
    """The alarm. By SMS without the server's message, which may be long and contain personal data."""
    vi, en = NAMES.get(name, (name, name))
    at = f"{datetime.fromisoformat(health.down_since).astimezone(PLAN_TIME):%H:%M %d/%m/%Y}"
    message = Text(
        f"Kênh {vi} không hoạt động từ {at} ({health.failures} lần liên tiếp). Thư đang chờ sẽ tự gửi khi kênh "
        "hoạt động lại.",
        f"The channel {en} has failed since {at} ({health.failures} times in a row). Queued letters will be sent "
        "automatically once it works again.",
    ).said(operator.language)
    subject = Text(f"[Đôn Đốc] Kênh gửi không hoạt động: {vi}", f"[Đôn Đốc] Channel down: {en}").said(operator.language)
    key = f"alarm:{name}:{local_date(now).isoformat()}"
    return operator.letter(channel, key, now, subject, message, f"\n{health.why}\n")


def _record_alarm(database: Database, name: str, health: ChannelHealth, now: datetime) -> None:
    today = local_date(now).isoformat()
    with database.write() as session:
        write_fact(session, ALARM_PREFIX + name, today)
        record(
            session,
            EventKind.AUDIT_FAILED,
            now,
            key=f"audit:channel_{name}:{today}",
            finding=f"channel_{name}",
            count=health.failures,
        )


FACT = "alarmed_findings"
TOLD_ELSEWHERE = "channels_down"
ONCE_A_WEEK = ("arrival_unconfirmed",)
LASTING = timedelta(minutes=15)
BEGINS, ENDS = time(7), time(21)
"""Local hours in which somebody is told."""


@dataclass(frozen=True, slots=True)
class Told:
    """``since``: when each standing finding was seen first, as ISO instants. ``told``: those of ``day``."""

    day: str = ""
    since: Mapping[str, str] = field(default_factory=dict)
    told: Sequence[str] = ()


def _told(kept: Mapping[str, Any]) -> Told:
    since = {str(name): datetime.fromisoformat(at).astimezone(UTC).isoformat() for name, at in kept["since"].items()}
    return Told(str(date.fromisoformat(kept["day"])), since, [str(each) for each in kept["told"]])


async def alarm_findings(database: Database, now: datetime, channels: Mapping[str, Channel], operator: Operator) -> int:
    """How many findings were told now."""
    with database.read() as session:
        found, before = _findings(session), read_as(read_fact(session, FACT), _told, Told())
        hosts = machines(session, now)
        down = {name for name, health in channel_health(session).items() if health.down}
    today, at = local_date(now).isoformat(), now.isoformat()
    told = [name for name in before.told if _told_lately(name, before.day, today)]
    since = {name: min(before.since.get(name, at), at) for name in sorted(found)}  # the clock may have been ahead
    lasting = [name for name in since if now - datetime.fromisoformat(since[name]) >= LASTING and name not in told]
    working = _working(channels, down, operator)
    by_day = BEGINS <= now.astimezone(PLAN_TIME).time() < ENDS
    letter = partial(finding_letter, _said(lasting, found, hosts, operator.language), now, operator=operator)
    new = lasting if by_day and lasting and await _tell(letter, working) else []
    after = Told(today, since, [*told, *new])
    if asdict(after) != asdict(before):
        with database.write() as session:
            write_fact(session, FACT, json.dumps(asdict(after)))
    return len(new)


def _told_lately(name: str, day: str, today: str) -> bool:
    """Told on a day, and not to be told again today."""
    if name in ONCE_A_WEEK:
        return week_of(date.fromisoformat(day)) == week_of(date.fromisoformat(today))
    return day == today


def _findings(session: Session) -> dict[str, int]:
    p = table(Pass)
    counts = session.connection().scalar(select(p.c.counts).where(p.c.name == AUDIT)) or {}
    return {name: count for name, count in findings_of(counts).items() if name != TOLD_ELSEWHERE}


def _said(names: Sequence[str], found: Mapping[str, int], hosts: Sequence[Machine], language: str) -> str:
    """Of several machines those are named that find it."""
    where = {name: ", ".join(each.name for each in hosts if each.finds.get(name)) for name in names if len(hosts) > 1}
    at = {name: f" ({named})" for name, named in where.items() if named}
    return "; ".join(f"{coded(name, language)}: {found[name]}{at.get(name, '')}" for name in names)


def _working(channels: Mapping[str, Channel], down: Collection[str], operator: Operator) -> Mapping[str, Channel]:
    return {name: channel for name, channel in channels.items() if name not in down and operator.address(name)}


async def _tell(letter: Callable[[str], Outgoing], channels: Mapping[str, Channel], *, once: bool = False) -> bool:
    """True if a channel accepted it; ``once``: further ones are not tried then."""
    accepted = False
    for name, channel in channels.items():
        if not (once and accepted):
            async with channel as opened:
                accepted |= (await opened.send(letter(name))).taken
    return accepted


async def alarm_from_prefect(
    database: Database, now: datetime, channels: Mapping[str, Channel], operator: Operator, told: Mapping[str, object]
) -> bool:
    """Pass on what an automation of Prefect calls about, once a day each; whether it was. ``told``: its ``name``,
    ``what`` it says, and ``about`` which assignment if it is one."""
    title, what, about = (str(told.get(name) or "")[:MAX_TOLD_CHARS] for name in ("name", "what", "about"))
    fact, today = f"{ALARM_PREFIX}{title}"[:MAX_FACT_CHARS], local_date(now).isoformat()
    with database.read() as session:
        known = read_fact(session, fact) == today
        down = {name for name, health in channel_health(session).items() if health.down}

    def letter(channel: str) -> Outgoing:
        message = " · ".join(filter(None, (what, about)))
        return operator.letter(channel, f"{fact}:{today}", now, f"[Đôn Đốc] {title}", message)

    working = _working(channels, down, operator)
    if known or not await _tell(letter, working):
        return False
    with database.write() as session:
        write_fact(session, fact, today)
    return True


def finding_letter(said: str, now: datetime, channel: str, operator: Operator) -> Outgoing:
    key = f"findings:{now:%Y-%m-%dT%H%M}"
    subject = Text("[Đôn Đốc] Tự kiểm tra thấy lỗi", "[Đôn Đốc] The self-audit finds something")
    found = Text("Tự kiểm tra thấy: {said}. Xem trang Hệ thống.", "The self-audit finds: {said}. See the page Health.")
    message = found.filled(said=said).said(operator.language)
    return operator.letter(channel, key, now, subject.said(operator.language), message)
