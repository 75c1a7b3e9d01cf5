"""Who may see and do what: one table of role x deed -> reach. Every face asks here, and nowhere else.

A deed concerns one body: the owner of an assignment for what an owner does, the department above it for what the
department decides. ``OWN`` is a deed within one's own body, ``ANY`` within every body.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from engine.errors import NotAllowed
from engine.terms import Role


class ActorRole(StrEnum):
    """In what capacity somebody acts. The first five are those of contacts (``engine.terms.Role``)."""

    COORDINATOR = "coordinator"
    HEAD = "head"
    DEPUTY = "deputy"
    MONITOR = "monitor"
    LEADERSHIP = "leadership"
    ADMINISTRATOR = "administrator"

    @classmethod
    def of(cls, role: Role) -> ActorRole:
        return cls(role.value)


class Deed(StrEnum):
    """What may be seen and done."""

    SEE_BOARD = "see_board"
    SEE_ASSIGNMENT = "see_assignment"
    SEE_LETTERS = "see_letters"
    SEE_PLANS = "see_plans"
    SEE_HEALTH = "see_health"
    ACKNOWLEDGE = "acknowledge"
    DECLINE = "decline"
    REPORT = "report"
    ASK_EXTENSION = "ask_extension"
    ACCEPT = "accept"
    RETURN = "return"
    DECIDE_EXTENSION = "decide_extension"
    CHASE = "chase"
    CANCEL = "cancel"
    TRANSFER = "transfer"
    STEP_CLOCK = "step_clock"


class Reach(StrEnum):
    OWN = "own"
    ANY = "any"


ABOVE = frozenset({Deed.ACCEPT, Deed.RETURN, Deed.DECIDE_EXTENSION, Deed.CHASE, Deed.CANCEL, Deed.TRANSFER})
"""Deeds of the department above the owner."""

_OWNER = dict.fromkeys((Deed.ACKNOWLEDGE, Deed.DECLINE, Deed.REPORT, Deed.ASK_EXTENSION), Reach.OWN)
_SEE = {Deed.SEE_ASSIGNMENT: Reach.OWN, Deed.SEE_PLANS: Reach.ANY}
_WATCH = {Deed.SEE_BOARD: Reach.ANY, Deed.SEE_ASSIGNMENT: Reach.ANY, Deed.SEE_PLANS: Reach.ANY}

TABLE: Mapping[ActorRole, Mapping[Deed, Reach]] = {
    ActorRole.COORDINATOR: _OWNER | _SEE,
    ActorRole.DEPUTY: _OWNER | _SEE,
    ActorRole.HEAD: _OWNER | _SEE,
    ActorRole.MONITOR: _WATCH | {Deed.SEE_LETTERS: Reach.ANY} | dict.fromkeys(ABOVE, Reach.OWN),
    ActorRole.LEADERSHIP: _WATCH,
    ActorRole.ADMINISTRATOR: dict.fromkeys(Deed, Reach.ANY),
}


@dataclass(frozen=True, slots=True)
class Actor:
    """Somebody who acts. ``kind`` is contact, account, api, cli or desk; ``name`` is what events record."""

    kind: str
    id: str
    agency_id: str
    role: ActorRole

    @property
    def name(self) -> str:
        return f"{self.kind}:{self.id}" if self.id else self.kind


DESK = Actor("desk", "", "", ActorRole.ADMINISTRATOR)
"""Whoever sits at the machine itself: until there are accounts, everything but signed links binds to loopback."""


def may(actor: Actor, action: Deed, agency_id: str = "") -> bool:
    """Whether an actor may do this within a body; without one, whether within any."""
    reach = TABLE[actor.role].get(action)
    return reach is Reach.ANY or (reach is Reach.OWN and bool(agency_id) and agency_id == actor.agency_id)


def concerned(action: Deed, owner_id: str, supervisor_id: str) -> str:
    """The body that a deed about an assignment concerns."""
    return supervisor_id if action in ABOVE else owner_id


def must(actor: Actor, action: Deed, agency_id: str = "") -> None:
    """Raises NotAllowed unless the actor may."""
    if not may(actor, action, agency_id):
        raise NotAllowed
