"""A fortnight of ``dondoc serve``, the process itself, by a clock that runs fast: a relay with moods, power cuts, a
database that is away, a full disk, a clock that jumps, backups that stop, people who acknowledge, and an operator with
mailbox, telephone and monitor. What was planted is known, and so is by when somebody has to hear of it.
"""

from __future__ import annotations

import contextlib
import os
import random
import re
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email import message_from_bytes, policy
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import httpx
from crash.campaign import CONNECTIONS, communes
from crash.fast_clock import FastClock
from crash.faults import Strike, Struck, crashed, disk_full, write_lock
from crash.forms import Form, Serve, wait_until
from crash.relay import Readers, SlowRelay
from ground.factory import at, lay, rows
from ground.serving import install
from ground.web_servers import served
from sqlalchemy import select

from engine.rules.calendar import PLAN_TIME, WorkCalendar
from engine.store.database import Database, table
from engine.store.facts import remember_backup
from engine.store.records import Assignment, Contact, Letter
from engine.terms import LetterState
from notifications.sms.text import plain
from workflows.run.prefect_server import descendants

BEGINS, ENDS = at("2021-06-09", "17:00"), at("2021-06-24", "12:00")
COMMUNES, OPERATOR = 80, "vanhanh@tinh.example"
PAUSE_SECONDS = 0.4
"""Real ones, between two jumps: a tick, and every other time an audit."""
SENDS = b"workflows.serving.sending"
_FORM_TOKEN, _ARRIVED = re.compile(r'name="token" value="([^"]+)"'), re.compile(r"/arrived/\w+")
REFUSALS: dict[str, dict[bytes, bytes]] = {
    "dead": {b"EHLO": b""},
    "password": {b"MAIL": b"530 5.7.0 Authentication required\r\n"},
    "grey": {b"RCPT": b"451 4.7.1 Greylisted\r\n"},
    "drops": {b".": b""},
}
"""By the mood of the relay: what it says to a command; nothing, and the connection is gone."""


@dataclass(frozen=True)
class Planted:
    """What was wrong from ``begins`` on until ``ends``, and by when (``within``) the monitor is not called any more and
    the operator has been told by telephone, in ``words``."""

    name: str
    begins: datetime
    ends: datetime
    within: timedelta
    words: str


@dataclass
class MoodyRelay(SlowRelay):
    """``hours``: when letters to people were sent, as they say themselves; ``to_operator``: the texts of the others."""

    mood: str = ""
    hours: list[datetime] = field(default_factory=list)
    to_operator: list[str] = field(default_factory=list)

    def refusal(self, word: bytes) -> bytes | None:
        return REFUSALS.get(self.mood, {}).get(word)

    def take(self, text: bytes) -> None:
        letter = message_from_bytes(text, policy=policy.default)
        if OPERATOR in str(letter["To"]):
            body = letter.get_body(("plain",))
            self.to_operator.append(body.get_content() if body is not None else "")
            return
        self.hours.append(letter["Date"].datetime)
        super().take(text)


@dataclass
class Outside:
    """The monitor and the SMS gateway (Kannel), on one port. They have the fast clock."""

    clock: Callable[[], datetime]
    url: str = ""
    calls: list[datetime] = field(default_factory=list)
    messages: list[tuple[datetime, str]] = field(default_factory=list)

    @contextmanager
    def running(self) -> Iterator[Outside]:
        outside = self

        class Answer(BaseHTTPRequestHandler):
            def do_HEAD(self) -> None:
                self.send_response(200)
                self.end_headers()

            def do_GET(self) -> None:
                outside.calls.append(outside.clock())
                self.do_HEAD()

            def do_POST(self) -> None:
                said = self.rfile.read(int(self.headers["content-length"])).decode()
                outside.messages.append((outside.clock(), said))
                self.send_response(202)
                self.end_headers()
                self.wfile.write(b"0: Accepted for delivery")

            def date_time_string(self, timestamp: float | None = None) -> str:
                return super().date_time_string(outside.clock().timestamp())

            def log_message(self, *_: object) -> None:
                return

        with served(Answer) as self.url:
            yield self


@dataclass
class Lived:
    """``told``: of each planted fault, when by telephone after it began, and the last call to the monitor in it.
    ``unheard``: those of which somebody was told too late, or not at all. ``fates``: of letters, by day."""

    letters: int
    fates: Counter[str]
    lost: int
    second: int
    third: int
    doubtful: int
    kills: int
    confirmed: int
    forgotten: int
    at_closed_hours: list[str]
    told: dict[str, tuple[timedelta | None, timedelta]]
    unheard: list[str]
    silent_after: timedelta
    """From the last call to the monitor to the end."""
    seconds: float

    def __str__(self) -> str:
        heard = ", ".join(
            f"{name} after {_minutes(by)} (monitor {_minutes(calls)})" for name, (by, calls) in self.told.items()
        )
        return (
            f"{self.letters} letters, {self.kills} kills: lost {self.lost}, second copies {self.second} (at most "
            f"{2 * CONNECTIONS} a kill), third {self.third}, in doubt {self.doubtful}; acknowledgements confirmed "
            f"{self.confirmed}, lost {self.forgotten}; told: {heard}; {self.seconds:.0f} s"
        )


def _minutes(span: timedelta | None) -> str:
    return "–" if span is None else f"{span.total_seconds() / 60:.0f} min"


class Fortnight:
    """``lives`` is the story; what befalls the process stands in it day by day."""

    def __init__(self, database: Database, folder: Path, clock: FastClock, relay: MoodyRelay, outside: Outside) -> None:
        self.database, self.clock, self.relay, self.outside = database, clock, relay, outside
        settings = {
            **install(database.bind.url.render_as_string(hide_password=False), folder),
            **clock.environment,
            "DONDOC_SMTP_HOST": "127.0.0.1",
            "DONDOC_SMTP_PORT": str(relay.port),
            "DONDOC_SMTP_SECURITY": "none",
            "DONDOC_SMS_GATEWAY": "kannel",
            "DONDOC_SMS_URL": f"{outside.url}/sendsms",
            "DONDOC_SMS_USERNAME": "dondoc",
            "DONDOC_SMS_PASSWORD": "x",
            "DONDOC_OPERATOR_EMAIL": OPERATOR,
            "DONDOC_OPERATOR_PHONE": "+84912000000",
            "DONDOC_HEARTBEAT_URL": f"{outside.url}/ping",
        }
        lay(database, now=at("2021-06-09", "16:00"), bodies=communes(COMMUNES))
        self.form = Serve(folder, settings, every=60)
        self.readers = Readers(relay)
        self.planted: list[Planted] = []
        self.kills, self.backs_up = 0, True
        self.dice = random.Random(1)

    # --- time -----------------------------------------------------------------------------------------------------

    def until(self, day: str, wall: str) -> None:
        """At the clock's own speed."""
        while self.clock() < at(day, wall):
            time.sleep(0.05)

    def jump(self, day: str, wall: str, hours: float = 1.0) -> None:
        """In steps of so many hours, each with time for the passes; a backup is made as long as somebody makes them."""
        while self.clock() < at(day, wall):
            self.clock.jump(min(self.clock() + timedelta(hours=hours), at(day, wall)))
            self.rest()
            if self.backs_up:
                with self.database.write() as session:
                    remember_backup(session, self.clock())

    def rest(self) -> None:
        """For a moment, and until no letter is on the wire."""
        taken = -1
        while taken != len(self.relay.taken):
            taken = len(self.relay.taken)
            time.sleep(PAUSE_SECONDS)

    def morning(self, day: str) -> None:
        self.jump(day, "07:27", hours=4)
        self.until(day, "07:30")

    # --- what befalls it -------------------------------------------------------------------------------------------

    def start(self) -> None:
        self.form.start()
        assert wait_until(self.form.is_ready, 60)
        self.readers.address = self.form.address

    def under_way(self, letters: int = 8) -> None:
        before = len(self.relay.taken)
        assert wait_until(lambda: len(self.relay.taken) >= before + letters, 30), self.clock()

    def in_doubt(self, letters: int) -> None:
        """Until so many are: more than ten a day are no single readers. The breaker lets them go one by one."""
        unknown = {"state": LetterState.UNKNOWN}
        assert wait_until(lambda: len(rows(self.database, Letter, **unknown)) >= letters, 30), self.clock()

    def all_sent(self) -> None:
        """A relay that is away is tried again after real seconds, in which a fast clock goes on by half an hour; on a
        busy machine it is evening by that clock before a sender that was killed has started again."""
        owed = (LetterState.QUEUED, LetterState.SENDING)

        def sent() -> bool:
            letters = rows(self.database, Letter)
            return not any(each.state in owed and each.send_after <= self.clock() for each in letters)

        assert wait_until(sent, 120), self.clock()

    def kill_sender(self) -> None:
        """The process that sends; that of the pages starts another."""
        for pid in descendants(self.form.process.pid if self.form.process else 0):
            with contextlib.suppress(OSError):
                if SENDS in Path(f"/proc/{pid}/cmdline").read_bytes():
                    os.kill(pid, signal.SIGKILL)
                    self.kills += 1

    def power_cut(self) -> None:
        self.form.strike(signal.SIGKILL)
        self.kills += 1
        self.start()

    def strike(self, how: Strike) -> None:
        how(self.form, self.database, self.dice)

    @contextmanager
    def wrong(self, name: str, words: str, within: timedelta = timedelta(hours=1)) -> Iterator[None]:
        began = self.clock()
        yield
        self.planted.append(Planted(name, began, self.clock(), within, words))

    @contextmanager
    def mood(self, mood: str) -> Iterator[None]:
        self.relay.mood = mood
        yield
        self.relay.mood = ""

    def confirm_arrival(self) -> None:
        """The operator waits for this week's letter, opens its link, and taps."""
        with httpx.Client(base_url=self.form.address, timeout=30) as http:

            def tapped() -> bool:
                letters = (found[0] for text in reversed(self.relay.to_operator) if (found := _ARRIVED.search(text)))
                path = next(letters, "/")
                token = _FORM_TOKEN.search(http.get(path).text)
                answer = http.post(path, data={"token": token[1] if token else ""})
                return answer.status_code == httpx.codes.SEE_OTHER

            assert wait_until(tapped, 30), self.clock()

    def lives(self, database_fails: Strike) -> None:
        """Letters leave on the 10th, 14th, 16th, 18th and 22nd; the 17th is the due date."""
        self.start()
        self.morning("2021-06-10")
        self.under_way()
        self.kill_sender()
        self.all_sent()
        self.until("2021-06-10", "08:10")
        self.confirm_arrival()
        self.morning("2021-06-11")
        self.jump("2021-06-13", "12:00", hours=4)
        self.jump("2021-06-14", "07:26", hours=4)
        with self.wrong("the relay is dead", "Kênh thư điện tử không hoạt động"), self.mood("dead"):
            self.until("2021-06-14", "07:50")
            self.jump("2021-06-14", "10:00", hours=0.25)
        self.all_sent()
        self.confirm_arrival()
        self.morning("2021-06-15")
        self.jump("2021-06-15", "17:00")
        self.morning("2021-06-16")
        self.under_way()
        self.power_cut()
        self.strike(database_fails)
        self.all_sent()
        self.until("2021-06-16", "08:30")
        self.jump("2021-06-17", "09:55", hours=4)
        with self.wrong("the clock is three days ahead", "đồng hồ máy chủ không đáng tin"):
            self.clock.be_wrong(timedelta(days=3))
            self.until("2021-06-17", "10:40")
            self.jump("2021-06-17", "11:30", hours=0.25)
        self.clock.be_wrong(timedelta())
        self.jump("2021-06-18", "07:27", hours=4)
        with self.wrong("letters in doubt", "thư hôm nay bị từ chối hoặc chưa rõ kết quả"):
            self.under_way(4)
            with self.mood("drops"):
                self.in_doubt(12)
            self.until("2021-06-18", "08:30")
            self.jump("2021-06-18", "17:00", hours=0.5)
        self.backs_up = False
        stopped = self.clock()
        self.jump("2021-06-21", "07:26", hours=4)
        with self.wrong("the password is refused", "Kênh thư điện tử không hoạt động"), self.mood("password"):
            self.until("2021-06-21", "07:50")
            self.jump("2021-06-21", "09:30", hours=0.25)
        self.all_sent()
        self.jump("2021-06-21", "17:00", hours=0.5)
        self.jump("2021-06-21", "20:00", hours=0.25)
        late = timedelta(days=3, hours=2)
        self.planted.append(Planted("backups stop", stopped, self.clock(), late, "quá 3 ngày chưa có bản sao lưu tốt"))
        self.backs_up = True
        self.morning("2021-06-22")
        self.under_way()
        if self.database.dialect == "sqlite":
            self.strike(disk_full)
        self.kill_sender()
        self.all_sent()
        self.until("2021-06-22", "08:30")
        asked = at("2021-06-22", "17:00")
        self.jump("2021-06-22", "17:00", hours=0.5)
        self.jump("2021-06-22", "19:00", hours=0.25)
        self.jump("2021-06-23", "08:00", hours=4)
        words = "chưa ai xác nhận thư thử hằng tuần đã đến"
        self.planted.append(Planted("nobody confirms", asked, self.clock(), timedelta(hours=2), words))
        self.confirm_arrival()
        self.jump("2021-06-24", "07:27", hours=2)
        self.until("2021-06-24", "07:45")
        self.jump("2021-06-24", "12:00", hours=0.25)


def live(database: Database, folder: Path, server: Database | None = None) -> Lived:
    """``server``: the same database, where it is a PostgreSQL's."""
    began = time.monotonic()
    clock = FastClock(folder / "clock", BEGINS, database=server)
    office = folder / "office"
    office.mkdir(mode=0o700)
    relay, outside = MoodyRelay(seconds=(0.05, 0.2), sample=4), Outside(clock)
    with relay.running(), outside.running():
        fortnight = Fortnight(database, office, clock, relay, outside)
        with fortnight.readers.running() as readers:
            try:
                fortnight.lives(locked_for_a_while if server is None else crashed)
            finally:
                readers.end()
                fortnight.form.end()
    return _account(fortnight, time.monotonic() - began)


def locked_for_a_while(form: Form, database: Database, dice: random.Random) -> Struck:
    """As ``crash.faults.locked``, but a quarter of an hour by the fast clock."""
    with write_lock(database):
        time.sleep(3)
    return Struck(stopped=False)


def _account(lived: Fortnight, seconds: float) -> Lived:
    copies = Counter(lived.relay.taken)
    states = Counter(each.state for each in rows(lived.database, Letter))
    sent, doubtful = states[LetterState.ACCEPTED], states[LetterState.UNKNOWN]
    gone = sent + doubtful + states[LetterState.SUPPRESSED]
    a, c = table(Assignment), table(Contact)
    known = select(c.c.email).join(a, a.c.agency_id == c.c.agency_id).where(a.c.acknowledged_at.is_not(None))
    with lived.database.read() as session:
        acknowledged = set(session.connection().scalars(known))
    return Lived(
        letters=states.total() - states[LetterState.SUPPRESSED],
        fates=Counter(f"{each.day:%d/%m} {each.state} {each.reason}".strip() for each in rows(lived.database, Letter)),
        lost=states.total() - gone + max(0, sent - len(copies)),
        second=sum(count == 2 for count in copies.values()),
        third=sum(count > 2 for count in copies.values()),
        doubtful=doubtful,
        kills=lived.kills,
        confirmed=len(lived.readers.confirmed),
        forgotten=len(lived.readers.confirmed - acknowledged),
        at_closed_hours=[f"{each:%d/%m %H:%M}" for each in map(_local, lived.relay.hours) if _closed(each)],
        told={each.name: _told(lived.outside, each) for each in lived.planted},
        unheard=[each.name for each in lived.planted if _late(each, *_told(lived.outside, each))],
        silent_after=ENDS - max(lived.outside.calls),
        seconds=seconds,
    )


def _told(outside: Outside, planted: Planted) -> tuple[timedelta | None, timedelta]:
    by_telephone = (at - planted.begins for at, said in outside.messages if plain(planted.words) in said)
    calls = [at - planted.begins for at in outside.calls if planted.begins <= at < planted.ends]
    return min((each for each in by_telephone if each >= timedelta()), default=None), max(calls, default=timedelta())


def _late(planted: Planted, by_telephone: timedelta | None, last_call: timedelta) -> bool:
    return by_telephone is None or max(by_telephone, last_call) > planted.within


def _local(moment: datetime) -> datetime:
    return moment.astimezone(PLAN_TIME)


def _closed(local: datetime) -> bool:
    return not WorkCalendar().is_working(local.date()) or not 7.45 <= local.hour + local.minute / 60 <= 21.1
