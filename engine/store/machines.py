"""The machines on which passes run: what each said of itself last, once a minute and with each audit (a fact each).

What one machine alone can see (its disk, its files, its clock, a job that hangs) stands there until it says otherwise:
a clean audit of another machine does not wipe it, and what audits tell and call for is of all machines. On PostgreSQL
they are compared by the server's clock, as leases are.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta

from pydantic import AwareDatetime, BaseModel
from sqlalchemy import delete
from sqlmodel import Session

from engine.rules.words import coded, moment
from engine.store.clock import shared_clock
from engine.store.database import Database, table
from engine.store.facts import read_as, read_fact, read_facts, write_fact
from engine.store.records import Fact
from engine.store.version import OLDEST, age_of, version
from engine.text import LANGUAGES, Text

PREFIX = "machine:"
SILENT_AFTER = timedelta(minutes=15)
FORGOTTEN_AFTER = timedelta(days=1)
"""One that was given up is a finding for so long."""


class Machine(BaseModel, frozen=True):
    """``ahead``: seconds of its clock before the database server's, 0 on SQLite. ``findings``: what it alone sees.
    ``silent``: not heard for a quarter of an hour. ``older``: another one that is heard runs a newer version."""

    name: str
    seen_at: AwareDatetime
    ahead: int
    version: str
    findings: Mapping[str, int]
    silent: bool = False
    older: bool = False

    @property
    def finds(self) -> Mapping[str, int]:
        """What is wrong with it; of one that is silent nothing else is known."""
        return {"machines_silent": 1} if self.silent else {**self.findings, "machines_older": int(self.older)}

    @property
    def words(self) -> Text:
        wrong = [name for name, count in self.finds.items() if count]
        vi, en = ("; ".join((moment(self.seen_at, each), *(coded(name, each) for name in wrong))) for each in LANGUAGES)
        words = Text("phiên bản {version}, đồng hồ {ahead} giây; {said}", "version {version}, clock {ahead} s; {said}")
        return words.filled(version=self.version, ahead=f"{self.ahead:+d}", said=Text(vi, en))


def say(database: Database, now: datetime, name: str, findings: Mapping[str, int]) -> None:
    """The machine of that name lives, and finds this; what it is not asked now it finds as before. Others that have not
    been heard for a day are forgotten."""
    with database.write() as session:
        at = shared_clock(session, now)
        before = read_as(read_fact(session, PREFIX + name), Machine.model_validate, None)
        found = {**(before.findings if before else {}), **findings}
        ahead = round((now - at).total_seconds())
        machine = Machine(name=name, seen_at=at, ahead=ahead, version=version(), findings=found)
        write_fact(session, PREFIX + name, machine.model_dump_json(exclude={"silent", "older"}))
        forget(session, but=[each.name for each in machines(session, now)])


def forget(session: Session, but: Collection[str] = ()) -> None:
    f, kept = table(Fact), [PREFIX + name for name in but]
    session.connection().execute(delete(f).where(f.c.name.startswith(PREFIX), f.c.name.not_in(kept)))


def machines(session: Session, now: datetime) -> tuple[Machine, ...]:
    """Those that were heard within a day, by name. One that spoke by a clock that was ahead is not heard until then."""
    at = shared_clock(session, now)
    kept = (read_as(value, Machine.model_validate, None) for _, value in sorted(read_facts(session, PREFIX).items()))
    known = [(each, abs(at - each.seen_at)) for each in kept if each is not None]
    newest = max((age_of(each.version) for each, ago in known if ago <= SILENT_AFTER), default=OLDEST)
    return tuple(
        each.model_copy(update={"silent": ago > SILENT_AFTER, "older": age_of(each.version) < newest})
        for each, ago in known
        if ago < FORGOTTEN_AFTER
    )


def findings(session: Session, now: datetime) -> dict[str, int]:
    """What the machines find, how many are not heard, and how many run an older version."""
    return dict(sum((Counter(each.finds) for each in machines(session, now)), Counter[str]()))
