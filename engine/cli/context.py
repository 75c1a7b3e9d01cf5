"""Where a command stands: settings, database, what time it is, who acts; and how a day or an instant is typed."""

from __future__ import annotations

import getpass
from datetime import date, datetime

from config.settings import Settings, read_settings
from engine.errors import BadInput
from engine.rules.calendar import PLAN_TIME
from engine.store.clock import DemoClock, system_clock
from engine.store.database import Database
from engine.text import Text


def moment(at: str) -> datetime:
    """An instant as typed: ISO, in plan time when it names no zone. Raises BadInput."""
    try:
        parsed = datetime.fromisoformat(at)
    except ValueError:
        raise BadInput(
            Text(
                f"«{at}» không phải thời điểm; viết như 2021-06-07T08:00.",
                f"“{at}” is no instant; write 2021-06-07T08:00.",
            )
        ) from None
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=PLAN_TIME)


def day(text: str) -> date:
    """A local date as typed: ISO. Raises BadInput."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise BadInput(Text(f"«{text}» không phải ngày; viết như 2021-06-25.", f"“{text}” is no date.")) from None


def opened(at: str = "") -> tuple[Settings, Database, datetime, str]:
    """Settings, database, now, and who is acting."""
    settings = read_settings()
    database = Database(settings.database)
    now = moment(at) if at else (DemoClock(database)() if settings.demo else system_clock())
    return settings, database, now, f"cli:{getpass.getuser()}"
