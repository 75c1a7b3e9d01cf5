"""Working time: the hours in which letters are sent, on working days. What waits outside of them is not late."""

from __future__ import annotations

from datetime import datetime, timedelta

from engine.rules.calendar import ONE_DAY, WorkCalendar, instant, local_date
from engine.rules.policy import SendWindow
from engine.store.rulebook import Rulebook

MOST_DAYS = 60
"""How far back it is looked; no holidays are longer."""


def working_time_ago(book: Rulebook, now: datetime, spent: timedelta) -> datetime:
    """The instant since which so much working time has passed; without policies, ``now - spent``."""
    windows = [policy.window for policy in book.policies.values()]
    if not windows:
        return now - spent
    opens, closes = max(each.opens for each in windows), min(each.closes for each in windows)
    return _back(book.calendar, SendWindow(opens=opens, closes=closes), now, spent)


def _back(calendar: WorkCalendar, window: SendWindow, now: datetime, spent: timedelta) -> datetime:
    day = local_date(now)
    for _ in range(MOST_DAYS):
        if calendar.is_working(day):
            begins, ends = instant(day, window.opens), min(instant(day, window.closes), now)
            if ends - begins >= spent:
                return ends - spent
            spent -= max(ends - begins, timedelta())
        day -= ONE_DAY
    return instant(day, window.opens)
