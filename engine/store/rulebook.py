"""What the rules need from the database, read once a pass: the calendar, the policies, the ladders, who answers.

The pure modules never see a session; this one turns rows into their frozen objects.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from datetime import date
from functools import lru_cache

from sqlalchemy import Text, cast, select
from sqlmodel import Session

from engine.errors import NotFound
from engine.rules.calendar import DayException, DayKind, WorkCalendar
from engine.rules.policy import Ladder, Policy
from engine.store.database import among, insert_new, table
from engine.store.records import CalendarDay, Contact, LadderRecord, PolicyRecord
from engine.terms import Role


@dataclass(frozen=True)
class Rulebook:
    """Calendar, policies by id and ladders by row id, as they stood at the beginning of the pass."""

    calendar: WorkCalendar
    policies: Mapping[str, Policy]
    ladders: Mapping[int, Ladder]

    def policy(self, policy_id: str) -> Policy:
        found = self.policies.get(policy_id)
        if found is None:
            raise NotFound(f"Chưa nạp chính sách «{policy_id}». / Policy “{policy_id}” is not loaded.")
        return found


def read_calendar(session: Session) -> WorkCalendar:
    d = table(CalendarDay)
    rows = session.connection().execute(select(d.c.day, d.c.kind, d.c.name, d.c.basis).order_by(d.c.day))
    return _calendar(tuple(map(tuple, rows)))


def read_rulebook(session: Session) -> Rulebook:
    """As it stands now: three small queries. What has not changed since it was last read is not parsed again."""
    p, ladders = table(PolicyRecord), table(LadderRecord)
    connection = session.connection()
    policies = {name: _policy(body) for name, body in connection.execute(select(p.c.id, cast(p.c.body, Text)))}
    frozen = connection.execute(select(ladders.c.id, cast(ladders.c.body, Text)))
    return Rulebook(read_calendar(session), policies, {number: _ladder(body) for number, body in frozen})


@lru_cache(maxsize=8)
def _calendar(rows: tuple[tuple[date, str, str, str], ...]) -> WorkCalendar:
    return WorkCalendar.of(DayException(day, DayKind(kind), name, basis) for day, kind, name, basis in rows)


@lru_cache(maxsize=64)
def _policy(body: str) -> Policy:
    return Policy.model_validate(json.loads(body))


@lru_cache(maxsize=256)
def _ladder(body: str) -> Ladder:
    return Ladder.model_validate(json.loads(body))


def freeze_ladder(session: Session, ladder: Ladder) -> int:
    """The row id of a ladder with exactly this content, made if it is new."""
    body = ladder.model_dump(mode="json")
    digest = hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()
    insert_new(session, LadderRecord, [{"digest": digest, "body": body}])
    ladders = table(LadderRecord)
    return int(session.scalars(select(ladders.c.id).where(ladders.c.digest == digest)).one())


CHANNELS = ("email", "sms")


@dataclass(frozen=True, slots=True)
class Recipient:
    """A contact as the outbox needs it: no more than where letters go and in which language."""

    id: int
    agency_id: str
    role: Role
    email: str
    phone: str
    language: str
    valid_from: date | None
    valid_until: date | None
    suppressed: Mapping[str, str]
    pace: Mapping[str, str] = field(default_factory=dict)

    def answers_on(self, day: date) -> bool:
        after = self.valid_from is None or self.valid_from <= day
        return after and (self.valid_until is None or day <= self.valid_until)

    def address(self, channel: str) -> str:
        """Where a channel reaches this contact; empty if it does not, or must not any more."""
        if channel in self.suppressed:
            return ""
        return self.phone if channel == "sms" else self.email

    @property
    def reachable(self) -> bool:
        return any(self.address(channel) for channel in CHANNELS)


# Who is written to when nobody holds the role itself: a coordinator's letters go to the head, and so on.
FALLBACK = {
    Role.COORDINATOR: (Role.COORDINATOR, Role.HEAD),
    Role.HEAD: (Role.HEAD,),
    Role.MONITOR: (Role.MONITOR, Role.COORDINATOR, Role.HEAD),
    Role.LEADERSHIP: (Role.LEADERSHIP,),
}


@dataclass(frozen=True)
class Answering:
    """Who answers for some agencies, by agency and role."""

    by_role: Mapping[tuple[str, Role], tuple[Recipient, ...]] = field(default_factory=dict)

    def on(self, agency_id: str, role: Role, day: date) -> tuple[Recipient, ...]:
        """Those who answer in a role on a day. A deputy named from a date on stands in for the coordinator."""
        if role is Role.COORDINATOR:
            deputies = self._current(agency_id, Role.DEPUTY, day)
            if deputies:
                return deputies
        for candidate in FALLBACK.get(role, (role,)):
            found = self._current(agency_id, candidate, day)
            if found:
                return found
        return ()

    def _current(self, agency_id: str, role: Role, day: date) -> tuple[Recipient, ...]:
        everyone = self.by_role.get((agency_id, role), ())
        return tuple(each for each in everyone if each.reachable and each.answers_on(day))

    def in_turn(self, agency_id: str, role: Role, day: date) -> tuple[Recipient, ...]:
        """Everyone who may be written to in a role on a day, in the order in which they are tried."""
        first = (Role.DEPUTY,) if role in (Role.COORDINATOR, Role.DEPUTY) else ()
        after = FALLBACK[Role.COORDINATOR] if role is Role.DEPUTY else FALLBACK.get(role, (role,))
        return tuple(each for next_role in first + after for each in self._current(agency_id, next_role, day))


def read_answering(session: Session, agency_ids: Iterable[str]) -> Answering:
    """The contacts of some agencies, in one query."""
    contact = table(Contact)
    columns = [contact.c[each.name] for each in fields(Recipient)]
    grouped: dict[tuple[str, Role], list[Recipient]] = {}
    chosen = select(*columns).where(among(session, contact.c.agency_id, set(agency_ids))).order_by(contact.c.id)
    for row in session.connection().execute(chosen):
        recipient = Recipient(*row)
        grouped.setdefault((recipient.agency_id, recipient.role), []).append(recipient)
    return Answering({key: tuple(found) for key, found in grouped.items()})
