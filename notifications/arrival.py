"""That letters arrive: one a day to the own mailbox of the office, fetched back from it, so that the whole way works;
where no mailbox is fetched, one a week to the operator, with a link that says «this letter has arrived».

It goes by the channel by which letters go, with the first of a working day, and not through the table of letters, which
knows people alone. Its name is random, so that nobody else can send it. What has not come back by eight o'clock is a
finding of the audit.

It goes with the first letters of the first working day of a week. A person is asked once a week, however often a relay
was tried; what nobody has confirmed by the end of the next working day is a finding of the audit until somebody does.
"""

from __future__ import annotations

import json
import logging
import secrets
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime, time, timedelta

from sqlmodel import Session

from engine.admin.first_steps import WeeklyLetter, read_weekly_letter, write_weekly_letter
from engine.assignments.weekly_digest import week_of
from engine.queries.work.incoming import answers_read
from engine.rules.calendar import instant, local_date
from engine.store import event_log
from engine.store.database import Database
from engine.store.facts import dated, read_as, read_fact, write_fact
from engine.store.rulebook import read_rulebook
from engine.text import Text
from engine.views.labels import answers_read_words
from notifications.contract.channel import Channel, Outgoing
from notifications.finding_alarm import Operator

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


DAY_ENDS = time(17)
WEEK_DAYS = 7


def is_weekly_due(session: Session, now: datetime) -> bool:
    """Once a week, on a working day from the hour of sending on; again after ten minutes if no relay took it."""
    today, last = local_date(now), read_weekly_letter(session)
    tried = last.week == week_of(today)
    if tried and (last.accepted_at or now - datetime.fromisoformat(last.tried_at) < TRY_AGAIN):
        return False
    return is_hour_to_send(session, now, DAY_ENDS)


async def send_weekly(
    database: Database, now: datetime, channel: Channel, operator: Operator, link: Callable[[str], str]
) -> bool:
    """Send this week's, if it is due; True if a relay accepted it. ``link``: the address of a week's page."""
    with database.read() as session:
        if not is_weekly_due(session, now):
            return False
        before, log_head = read_weekly_letter(session), event_log.head(session.connection())
        read = answers_read_words(answers_read(session, now, WEEK_DAYS), WEEK_DAYS)
    today = local_date(now)
    week, since = week_of(today), before.waits_since or today.isoformat()
    with database.write() as session:  # before it leaves: somebody may open its link at once
        write_weekly_letter(session, WeeklyLetter(week=week, tried_at=now.isoformat(), waits_since=since))
    async with channel as opened:
        outcome = await opened.send(question(week, now, operator, link(week), read, log_head))
    if not outcome.taken:
        log.warning("the weekly test letter did not leave: %s %s", outcome.code, outcome.reply)
        return False
    with database.write() as session:
        write_weekly_letter(session, replace(read_weekly_letter(session), accepted_at=now.isoformat()))
    return True


def question(week: str, now: datetime, operator: Operator, link: str, read: Text, log_head: event_log.Head) -> Outgoing:
    """``read``: how well the answers of the week were read. ``log_head``: of the log's chain. Kept in a mailbox, it
    shows later that the log is the same until then."""
    if operator.language == "en":
        subject = "[Đôn Đốc] Weekly test letter: please confirm that it has arrived"
        text = (
            f"This letter has arrived (one tap, no signing in):\n{link}\n\n"
            "Once a week the system asks whether its letters arrive. Nobody else gets this letter.\n\n"
            f"The log stands at {log_head} (dondoc audit log --head).\n"
        )
    else:
        subject = "[Đôn Đốc] Thư thử hằng tuần: đề nghị xác nhận đã đến"
        text = (
            f"Thư này đã đến (bấm một lần, không cần đăng nhập):\n{link}\n\n"
            "Mỗi tuần một lần hệ thống hỏi thư gửi đi có đến nơi không. Không ai khác nhận thư này.\n\n"
            f"Nhật ký đến lúc này: {log_head} (dondoc audit log --head).\n"
        )
    automatic = {"Auto-Submitted": "auto-generated"}
    return Outgoing(
        key=f"weekly:{week}",
        to=operator.email,
        subject=subject,
        text="\n".join(filter(None, (text, read.said(operator.language)))),
        at=now,
        headers=automatic,
        language=operator.language,
    )


def unconfirmed(session: Session, now: datetime) -> int:
    """1 from the end of the working day after that of the first letter that nobody has confirmed."""
    waits_since = read_weekly_letter(session).waits_since
    if not waits_since:
        return 0
    next_day = read_rulebook(session).calendar.shift(date.fromisoformat(waits_since), 1)
    return int(now >= instant(next_day, DAY_ENDS))
