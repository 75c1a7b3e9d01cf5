"""Whether this machine's wall clock can be believed. A clock two years ahead for three hours silenced a year.

Each audit stores the wall clock beside the time since this machine started (CLOCK_BOOTTIME, which goes on during
suspend). Later readings must agree: a wall clock that has moved by more than a day against the machine's own time, or
that stands before the last event or reading, holds every pass until a second clock agrees or an operator confirms it.

A machine that has just started has no time of its own to compare with. Then the clocks of other machines are asked, and
if none of those that answer agrees, everything is held. It is held, too, if a whole working day has passed since the
last reading of any machine, unless a time service keeps this clock or another one agrees: no office is closed then. A
machine that was off over a night, a weekend or Tết goes on at once, and a clock that is wrong by as much is believed
where nothing can be asked.

On PostgreSQL a machine more than a minute from the server's clock does nothing until one of them is set; or, where no
other machine agrees with the server, until a person has said that it is the server's clock that is wrong: then by the
difference of that moment, until a machine agrees with the server again. The demonstration and ``--at`` keep their own
time.

Clocks of other machines, by which this one's is judged: of the database server, where it is elsewhere, and of the
heartbeat's monitor. And what this machine's kernel knows of a time service, which asks other machines itself.
"""

from __future__ import annotations

import ctypes
import email.utils
import json
import logging
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path

import httpx
from sqlalchemy import select
from sqlmodel import Session

from config.settings import LOOPBACK, Settings
from engine.errors import Unavailable
from engine.rules.calendar import ONE_DAY, PLAN_TIME, WorkCalendar, local_date
from engine.store.clock import shared_clock, system_clock
from engine.store.database import Database, table
from engine.store.event_log import record
from engine.store.facts import Hold, hold, hold_letters, read_as, read_fact, write_fact
from engine.store.machines import forget as forget_machines
from engine.store.machines import machines
from engine.store.records import Event
from engine.store.rulebook import read_calendar
from engine.terms import EventKind
from engine.text import Text
from workflows.run.installation import MARK_SECONDS, observe_in_mailbox
from workflows.run.system import System

log = logging.getLogger(__name__)
SecondClock = Callable[[], datetime | None]
SECONDS = 5.0
TIMEX_BYTES, TIME_ERROR = 512, 5
"""More than ``struct timex`` has; zeros only read. The answer where nobody keeps the clock."""
SYSTEMD = Path("/run/systemd/system")
"""There where systemd runs: sd_booted(3)."""


def second_clocks(settings: Settings, database: Database) -> list[SecondClock]:
    """Each answers None where it cannot be read."""
    clocks: list[SecondClock] = []
    if database.url.host not in {None, "", *LOOPBACK}:
        clocks.append(lambda: _off_confirmed(database)[0])
    if settings.heartbeat_url:
        clocks.append(lambda: _http_clock(settings.heartbeat_url))
    return clocks


def kept_by_time_service() -> bool:
    """Whether NTP keeps this machine's clock. Under systemd ``timedatectl`` is asked: the unit's filter answers
    adjtimex(2) with EPERM, which says nothing. Elsewhere any answer of the kernel but TIME_ERROR says yes."""
    if SYSTEMD.exists():
        return _said_by_systemd()
    ask = getattr(ctypes.CDLL(None), "adjtimex", None)
    return ask is not None and 0 <= ask(ctypes.create_string_buffer(TIMEX_BYTES)) < TIME_ERROR


def _said_by_systemd() -> bool:
    command = ["timedatectl", "show", "--property=NTPSynchronized", "--value"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.stdout.strip() == "yes"


def database_clock(database: Database) -> datetime | None:
    """Of PostgreSQL's server; None on SQLite, which has none of its own."""
    if database.url.get_backend_name() != "postgresql":
        return None
    with database.read() as session:
        return shared_clock(session, system_clock())


def _off_confirmed(database: Database) -> tuple[datetime | None, timedelta]:
    """The time by the server's clock, set right by the difference that a person has confirmed, and that difference."""
    at = database_clock(database)
    with database.read() as session:
        off = read_as(read_fact(session, SERVER_OFF), lambda seconds: timedelta(seconds=seconds), timedelta())
    return (None if at is None else at + off), off


def _http_clock(url: str) -> datetime | None:
    """The Date header of the URL's server. Its root is asked: a monitor would take its own URL for a sign of life."""
    try:
        said = httpx.head(httpx.URL(url).copy_with(raw_path=b"/"), timeout=5).headers.get("date", "")
        return email.utils.parsedate_to_datetime(said).astimezone(UTC) if said else None
    except (httpx.HTTPError, httpx.InvalidURL, ValueError):
        return None


FACT = "clock"
MAX_MOVE = timedelta(days=1)
MAX_BEHIND = timedelta(hours=1)
"""How far this clock may stand before the last event: several machines never agree to the second."""
AGREE = timedelta(minutes=10)
LONGEST_CLOSURE = timedelta(days=31)
"""No office is closed for so long, whatever its calendar says."""
MAX_OFF_DATABASE = timedelta(minutes=1)
SERVER_OFF = "clock_server_off"
"""Fact: seconds by which this machine's clock was before the database server's when a person confirmed it."""
KEPT_READINGS = 8
"""Machine starts that are remembered: one for each of several servers on one database."""
BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


class Suspicion(StrEnum):
    """Why the wall clock is not believed."""

    MOVED = "moved"
    """By more than a day against the machine's own uptime."""
    BEHIND = "behind"
    """It stands before the last event or reading."""
    SILENCE = "silence"
    """This start is the first sign of any machine for a working day: its battery may be empty, its date wrong."""
    ELSEWHERE = "elsewhere"
    """At this start the clocks of other machines say another time."""
    DATABASE = "database"
    """More than a minute from the clock of the database's server."""


class ClockNotBelieved(Unavailable):
    """The passes are held until a second clock agrees or an operator confirms the clock."""

    def __init__(
        self, why: Suspicion, here: datetime | None = None, there: datetime | None = None, by: str = ""
    ) -> None:
        """``here``, ``there``: by this clock and by the database server's. ``by``: machines that agree with the
        server."""
        times = " / ".join(f"{at.astimezone(PLAN_TIME):%H:%M:%S}" for at in (here, there) if at)
        off = round((here - there).total_seconds()) if here and there else 0
        vi, en = {
            Suspicion.MOVED: ("đã nhảy quá một ngày so với thời gian máy chạy", "moved by more than a day"),
            Suspicion.BEHIND: ("chậm hơn lần ghi cuối cùng", "stands before what was recorded last"),
            Suspicion.SILENCE: (
                "chưa có gì đối chiếu sau ít nhất một ngày làm việc máy không chạy",
                "cannot be compared with anything after a working day or more of silence",
            ),
            Suspicion.ELSEWHERE: (
                "lệch hơn 10 phút so với giờ của máy khác",
                "is more than ten minutes from what other machines say",
            ),
            Suspicion.DATABASE: (
                f"lệch {off:+d} giây so với máy chủ cơ sở dữ liệu ({times})",
                f"is {off:+d} seconds from the database server's ({times})",
            ),
        }[why]
        if why is Suspicion.DATABASE and by:
            cure_vi = f"Máy khác ({by}) khớp với máy chủ ấy: chỉnh đồng hồ máy này (timedatectl)"
            cure_en = f"Another machine ({by}) agrees with that server: set this one's clock (timedatectl)"
        elif why is Suspicion.DATABASE:
            cure_vi = (
                "Đồng hồ nào sai? Chỉnh máy sai (timedatectl); nếu máy chủ cơ sở dữ liệu sai mà chưa chỉnh được: "
                "«dondoc clock --confirm»"
            )
            cure_en = (
                "Which one is wrong? Set it (timedatectl); if it is the server's, which cannot be set now: "
                "“dondoc clock --confirm”"
            )
        else:
            cure_vi = "Chỉnh lại giờ, hoặc nếu giờ đúng: «dondoc clock --confirm»"
            cure_en = "Set it, or if it is right: “dondoc clock --confirm”"
        super().__init__(
            Text(
                f"Đồng hồ máy chủ {vi}; mọi việc tạm dừng. {cure_vi}.",
                f"The server's clock {en}; all passes are held. {cure_en}.",
            )
        )


@dataclass(frozen=True, slots=True)
class ClockReading:
    """One look at the clocks: wall clock, seconds since the machine started, and which start that was. ``kept``: a time
    service keeps the wall clock; not stored."""

    wall: datetime
    uptime: float
    boot: str
    kept: bool = False


def judge(
    readings: Sequence[ClockReading], current: ClockReading, last_event: datetime | None, calendar: WorkCalendar
) -> Suspicion | None:
    """``readings``: earlier ones, of which those of this start of the machine count."""
    for earlier in readings:
        if earlier.boot == current.boot:
            passed = timedelta(seconds=current.uptime - earlier.uptime)
            if abs(current.wall - earlier.wall - passed) > MAX_MOVE:
                return Suspicion.MOVED
    latest = max((each.wall for each in readings), default=None)
    if latest is not None and not _known_start(readings, current):
        if not current.kept and _working_day_missed(latest, current.wall, calendar):
            return Suspicion.SILENCE
        if current.wall < latest - MAX_BEHIND:
            return Suspicion.BEHIND
    if last_event is not None and current.wall < last_event - MAX_BEHIND:
        return Suspicion.BEHIND
    return None


def _known_start(readings: Sequence[ClockReading], current: ClockReading) -> bool:
    return current.boot in {each.boot for each in readings}


def _working_day_missed(latest: datetime, now: datetime, calendar: WorkCalendar) -> bool:
    """Whether a whole working day lies between."""
    if now - latest > LONGEST_CLOSURE:
        return True
    first, last = local_date(latest) + ONE_DAY, local_date(now) - ONE_DAY
    return any(calendar.is_working(first + timedelta(n)) for n in range((last - first).days + 1))


def read_clock(now: datetime) -> ClockReading:
    boot = BOOT_ID.read_text().strip() if BOOT_ID.exists() else ""
    return ClockReading(now, time.clock_gettime(time.CLOCK_BOOTTIME), boot)


def suspicion(system: System, current: ClockReading | None = None) -> Suspicion | None:
    """Why the clock is not believed now; None if it is, or if a second clock agrees with it."""
    if system.settings.demo:
        return None
    current = current or read_clock(system.clock())
    if _off_database(system.database, current.wall):
        return Suspicion.DATABASE
    with system.database.read() as session:
        readings = _readings(session)
        if not _known_start(readings, current):
            current = replace(current, kept=kept_by_time_service())
        found = judge(readings, current, _last_event(session), read_calendar(session))
    if found is None and _known_start(readings, current):
        return None
    return _by_other_clocks(system, current, found)


def _by_other_clocks(system: System, current: ClockReading, found: Suspicion | None) -> Suspicion | None:
    """Those that answer decide where they agree; where none agrees, a clock without suspicion gets one."""
    clocks = second_clocks(system.settings, system.database)
    agreeing = [abs(current.wall - at) <= AGREE for each in clocks if (at := each()) is not None]
    if agreeing and all(agreeing):
        believe(system, current)
        return None
    if agreeing and not any(agreeing):
        return found or Suspicion.ELSEWHERE
    return found


def require_belief(system: System) -> None:
    """Raises ClockNotBelieved."""
    if (why := suspicion(system)) is not None:
        here, by = system.clock(), _agreeing(system) if why is Suspicion.DATABASE else ""
        raise ClockNotBelieved(why, here, database_clock(system.database), by)


def go_by_clock(system: System) -> None:
    """For whoever acts: as ``require_belief``, and the first reading of a start is remembered before anything is
    done. Raises ClockNotBelieved."""
    require_belief(system)
    current = read_clock(system.clock())
    with system.database.read() as session:
        known = _known_start(_readings(session), current)
    if not known:
        believe(system, current)


def believe(system: System, current: ClockReading) -> None:
    """Remember a reading. The first of a start, after a whole working day without a sign of any machine, may be that of
    a snapshot, which has forgotten what was sent on that day: letters are held until somebody has decided, unless the
    mark in the mailbox says that nothing was."""
    with system.database.read() as session:
        readings = _readings(session)
        latest, known = max((each.wall for each in readings), default=current.wall), _known_start(readings, current)
        missed = not known and _working_day_missed(latest, current.wall, read_calendar(session))
    if missed and system.delivery.mark is not None and not observe_in_mailbox(system, MARK_SECONDS):
        log.error("No machine gave a sign since %s: brought back from a snapshot? Letters are held", latest)
        with system.database.write() as session:
            hold_letters(session, hold(session) or Hold(latest, current.wall))
    remember(system.database, current)


def _agreeing(system: System) -> str:
    """Other machines that are heard and whose clock is the database server's."""
    with system.database.read() as session:
        known = machines(session, system.clock())
    near = [each for each in known if not each.silent and abs(each.ahead) <= MAX_OFF_DATABASE.total_seconds()]
    return ", ".join(each.name for each in near if each.name != system.machine)


def require_agreement(database: Database, wall: datetime) -> None:
    """For a worker, which judges nothing else. Raises ClockNotBelieved if its clock is not the database server's."""
    if _off_database(database, wall):
        raise ClockNotBelieved(Suspicion.DATABASE, wall, database_clock(database))


def _off_database(database: Database, wall: datetime) -> bool:
    at, confirmed = _off_confirmed(database)
    if at is None or abs(wall - system_clock()) > MAX_MOVE:  # ``--at``, a simulation: a time not this machine's
        return False
    if confirmed and abs(wall - at + confirmed) <= MAX_OFF_DATABASE:
        _confirm_off(database, timedelta())
        return False
    return abs(wall - at) > MAX_OFF_DATABASE


def _confirm_off(database: Database, off: timedelta) -> None:
    with database.write() as session:
        write_fact(session, SERVER_OFF, json.dumps(off.total_seconds()))


def remember(database: Database, current: ClockReading) -> None:
    """Store a reading that is believed, in place of earlier ones of the same start of this machine."""
    with database.write() as session:
        others = [each for each in _readings(session) if each.boot != current.boot][-KEPT_READINGS + 1 :]
        value = json.dumps([[each.wall.isoformat(), each.uptime, each.boot] for each in (*others, current)])
        write_fact(session, FACT, value)


def forget(session: Session) -> None:
    """Of a copy from another day, whose readings are as old as itself and would make this machine seem silent, and of
    machines that were there."""
    write_fact(session, FACT, "[]")
    forget_machines(session)


def confirm(system: System, actor: str) -> None:
    """An operator says that the clock is right: it is believed from now on, and the log says who said so. Raises
    ClockNotBelieved where it is not the database server's and another machine's is."""
    current, there = read_clock(system.clock()), database_clock(system.database)
    if _off_database(system.database, current.wall) and there is not None:
        if by := _agreeing(system):
            raise ClockNotBelieved(Suspicion.DATABASE, current.wall, there, by)
        _confirm_off(system.database, current.wall - there)
    with system.database.write() as session:
        record(session, EventKind.CLOCK_CONFIRMED, current.wall, actor=actor)
    believe(system, current)


def _readings(session: Session) -> list[ClockReading]:
    return read_as(read_fact(session, FACT), _kept, [])


def _kept(stored: Sequence[tuple[str, float, str]]) -> list[ClockReading]:
    return [
        ClockReading(datetime.fromisoformat(at).astimezone(UTC), float(uptime), str(boot))
        for at, uptime, boot in stored
    ]


def _last_event(session: Session) -> datetime | None:
    events = table(Event)
    at: datetime | None = session.connection().scalar(select(events.c.at).order_by(events.c.id.desc()).limit(1))
    return at
