"""What every command needs: settings, database, current time, actor; and parsing of dates and instants."""

from __future__ import annotations

import getpass
from datetime import date, datetime
from typing import TYPE_CHECKING

from engine.errors import BadInput
from engine.rules.calendar import PLAN_TIME
from engine.text import Text

if TYPE_CHECKING:
    from config.settings import Settings
    from engine.store.database import Database


def moment(at: str) -> datetime:
    """Parse an ISO instant; plan time if it has no zone. Raises BadInput."""
    try:
        parsed = datetime.fromisoformat(at)
    except ValueError:
        raise BadInput(
            Text(
                f"«{at}» không phải thời điểm; viết như 2021-06-07T08:00.",
                f"“{at}” is not an instant; write it like 2021-06-07T08:00.",
            )
        ) from None
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=PLAN_TIME)


def day(text: str) -> date:
    """Parse an ISO date. Raises BadInput."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise BadInput(Text(f"«{text}» không phải ngày; viết như 2021-06-25.", f"“{text}” is not a date.")) from None


def open_context(at: str = "") -> tuple[Settings, Database, datetime, str]:
    """(settings, database, now, actor)."""
    from config.settings import read_settings
    from engine.store.clock import DemoClock, system_clock
    from engine.store.database import Database

    settings = read_settings()
    database = Database(settings.database)
    now = moment(at) if at else (DemoClock(database)() if settings.demo else system_clock())
    return settings, database, now, operator_name()


def operator_name() -> str:
    """The actor of what is done on the command line: «cli:root»."""
    return f"cli:{getpass.getuser()}"
