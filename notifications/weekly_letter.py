"""A letter a week to the operator, with a link that says «this letter has arrived»: where no mailbox is fetched, nobody
else can say that letters arrive and do not only leave (where one is: ``canary``).

It goes with the first letters of the first working day of a week. A person is asked once a week, however often a relay
was tried; what nobody has confirmed by the end of the next working day is a finding of the audit until somebody does.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, time

from sqlmodel import Session

from engine.admin.first_steps import WeeklyLetter, read_weekly_letter, write_weekly_letter
from engine.assignments.weekly_digest import week_of
from engine.queries.work.incoming import answers_read
from engine.rules.calendar import instant, local_date
from engine.store import event_log
from engine.store.database import Database
from engine.store.rulebook import read_rulebook
from engine.text import Text
from engine.views.labels import answers_read_words
from notifications.canary import TRY_AGAIN, is_hour_to_send
from notifications.contract.channel import Channel, Outgoing
from notifications.finding_alarm import Operator

log = logging.getLogger(__name__)
DAY_ENDS = time(17)
WEEK_DAYS = 7


def is_due(session: Session, now: datetime) -> bool:
    """Once a week, on a working day from the hour of sending on; again after ten minutes if no relay took it."""
    today, last = local_date(now), read_weekly_letter(session)
    tried = last.week == week_of(today)
    if tried and (last.accepted_at or now - datetime.fromisoformat(last.tried_at) < TRY_AGAIN):
        return False
    return is_hour_to_send(session, now, DAY_ENDS)


async def send(
    database: Database, now: datetime, channel: Channel, operator: Operator, link: Callable[[str], str]
) -> bool:
    """Send this week's, if it is due; True if a relay accepted it. ``link``: the address of a week's page."""
    with database.read() as session:
        if not is_due(session, now):
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
