"""The contacts to write to for an agency, a role and a day, and their addresses."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import lru_cache

from sqlalchemy import select
from sqlmodel import Session

from engine.enums import complete
from engine.rules.calendar import ONE_DAY
from engine.store.database import Database, among, table
from engine.store.facts import read_fact, write_fact
from engine.store.records import Agency, Contact
from engine.store.records.plans import AgencyName
from engine.store.stored_rows import columns_for, object_of
from engine.terms import Role
from engine.text import Text

CHANNELS = ("email", "sms")
ADDRESS_OF = complete(CHANNELS, {"email": "email", "sms": "phone"})
"""The column of a contact that holds its address on a channel; a channel without one stops at import."""
ADDRESS_WORDS = complete(CHANNELS, {"email": Text("Hộp thư", "mailbox"), "sms": Text("Số điện thoại", "number")})
SHORT = frozenset(name for name, short in complete(CHANNELS, {"email": False, "sms": True}).items() if short)
"""Channels of a short text, counted in parts, without links and answered by a code."""
WHOLE = frozenset(CHANNELS) - SHORT
"""Channels of whole letters: with a subject, HTML, the links that prove their reader, and the weekly digest."""
SET_UP, UNSET = "channels", "unset"
"""The fact that names the channels that are set up; why nobody is written to on another."""


def address_of(reader: object, channel: str) -> str:
    """The address on a channel of whatever has a contact's columns; KeyError for a channel that there is not."""
    address: str = getattr(reader, ADDRESS_OF[channel])
    return address


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipient:
    """A contact as the outbox needs it: addresses, language and validity only."""

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
    instead: bool = False
    """Of a deputy: written to instead of the coordinator, not beside."""
    proposed: bool = False
    """Of a deputy to whom nobody has agreed yet: they are nobody's contact."""

    def answers_on(self, day: date) -> bool:
        if self.proposed:
            return False
        after = self.valid_from is None or self.valid_from <= day
        return after and (self.valid_until is None or day <= self.valid_until)

    def address(self, channel: str) -> str:
        """The contact's address on a channel; empty if there is none or it is suppressed."""
        if channel in self.suppressed:
            return ""
        return address_of(self, channel)

    @property
    def reachable(self) -> bool:
        return any(self.address(channel) for channel in CHANNELS)


# Roles to write to, in order, when no contact holds the role itself: a coordinator's letters go to the head, and so on.
FALLBACK = complete(
    Role,
    {
        Role.COORDINATOR: (Role.COORDINATOR, Role.HEAD),
        Role.HEAD: (Role.HEAD,),
        Role.DEPUTY: (Role.DEPUTY,),
        Role.MONITOR: (Role.MONITOR, Role.COORDINATOR, Role.HEAD),
        Role.DIRECTOR: (Role.HEAD, Role.MONITOR),
        Role.LEADERSHIP: (Role.LEADERSHIP,),
    },
)


COORDINATING = (Role.COORDINATOR, Role.DEPUTY, Role.HEAD)
"""The roles that a coordinator's letter may go to: anybody reachable in one of them gets it."""


@dataclass(frozen=True)
class Recipients:
    """Contacts of some agencies, by agency and role."""

    by_role: Mapping[tuple[str, Role], tuple[Recipient, ...]] = field(default_factory=dict)

    def on(self, agency_id: str, role: Role, day: date) -> tuple[Recipient, ...]:
        """The contacts in a role on a day. A deputy is written to beside the coordinator, or instead if they chose
        so."""
        deputies = self._current(agency_id, Role.DEPUTY, day) if role is Role.COORDINATOR else ()
        if any(each.instead for each in deputies):
            return deputies
        for candidate in FALLBACK[role]:
            if candidate is not role and deputies:
                break  # a deputy stands before the head
            contacts = self._current(agency_id, candidate, day)
            if contacts:
                return contacts + deputies
        return deputies

    def _current(self, agency_id: str, role: Role, day: date) -> tuple[Recipient, ...]:
        everyone = self.by_role.get((agency_id, role), ())
        return tuple(each for each in everyone if each.reachable and each.answers_on(day))

    def in_turn(self, agency_id: str, role: Role, day: date) -> tuple[Recipient, ...]:
        """All contacts that may be written to in a role on a day, in the order in which they are tried."""
        return tuple(each for next_role in _turns(role) for each in self._current(agency_id, next_role, day))

    def unset(self, agency_id: str, role: Role, day: date) -> str | None:
        """A channel that is not set up and on which one of them has an address."""
        people = (each for next_role in _turns(role) for each in self.by_role.get((agency_id, next_role), ()))
        missed = (each.suppressed for each in people if each.answers_on(day))
        return next((channel for why_not in missed for channel, why in why_not.items() if why == UNSET), None)


def _turns(role: Role) -> tuple[Role, ...]:
    first = (Role.DEPUTY,) if role in (Role.COORDINATOR, Role.DEPUTY) else ()
    return first + (FALLBACK[Role.COORDINATOR] if role is Role.DEPUTY else FALLBACK[role])


def read_recipients(session: Session, agency_ids: Iterable[str], *, any_channel: bool = False) -> Recipients:
    """Read the contacts of some agencies. Nobody is written to after their agency's last day, nor on a channel that is
    not set up, unless ``any_channel``: for answers that are kept, which depend on no setting."""
    contact, agency = table(Contact), table(Agency)
    unset = frozenset[str]() if any_channel else unset_channels(session)
    grouped: dict[tuple[str, Role], list[Recipient]] = {}
    statement = (
        select(*columns_for(Recipient, contact), agency.c.names)
        .join(agency, agency.c.id == contact.c.agency_id)
        .where(among(session, contact.c.agency_id, set(agency_ids)))
        .order_by(contact.c.id)
    )
    for row in session.connection().execute(statement):
        recipient = object_of(Recipient, row)
        if (ended := last_day(row.names)) is not None and recipient.answers_on(ended + ONE_DAY):
            recipient = replace(recipient, valid_until=ended)
        if missed := {channel: UNSET for channel in unset if recipient.address(channel)}:
            recipient = replace(recipient, suppressed={**recipient.suppressed, **missed})
        grouped.setdefault((recipient.agency_id, recipient.role), []).append(recipient)
    return Recipients({key: tuple(contacts) for key, contacts in grouped.items()})


def unset_channels(session: Session) -> frozenset[str]:
    """Channels that are not set up here: no letter is made for them. None before the running system has said which
    are."""
    said = read_fact(session, SET_UP)
    return frozenset() if said is None else frozenset(CHANNELS) - set(said.split())


def remember_channels(database: Database, channels: Iterable[str]) -> None:
    """The running system says which channels are set up, for every process that makes letters. Writes only a change."""
    said = " ".join(sorted(channels))
    with database.read() as session:
        known = read_fact(session, SET_UP)
    if known != said:
        with database.write() as session:
            write_fact(session, SET_UP, said)


def last_day(names: Sequence[AgencyName]) -> date | None:
    """The last day of an agency, from its names; None if it goes on."""
    until = names[-1].get("until")
    return date.fromisoformat(until) if until else None


@lru_cache(maxsize=2048)
def lifetime(names: str) -> tuple[date | None, date | None]:
    """The first and the last day of an agency, from its names as they are stored; None if it has always been there, or
    goes on. The same text is not parsed again."""
    known = json.loads(names)
    first = known[0].get("from")
    return date.fromisoformat(first) if first else None, last_day(known)
