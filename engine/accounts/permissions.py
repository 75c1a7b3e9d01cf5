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


class Permission(StrEnum):
    """What may be seen and done."""

    SEE_BOARD = "see_board"
    SEE_ASSIGNMENT = "see_assignment"
    SEE_LETTERS = "see_letters"
    SEE_PLANS = "see_plans"
    SEE_HEALTH = "see_health"
    SEE_EVIDENCE = "see_evidence"
    SEE_FIGURES = "see_figures"
    """The consolidated report: who has given which figure, and the sums."""
    SEE_STANDING = "see_standing"
    """The leadership's page: on-time rates, what is frozen, the year."""
    SEE_CONTACTS = "see_contacts"
    """With their addresses: personal data (Law 91/2025)."""
    SEE_SETTINGS = "see_settings"
    SEE_LOG = "see_log"
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
    NAME_DEPUTY = "name_deputy"
    SET_WISHES = "set_wishes"
    MAKE_FEED = "make_feed"
    MAKE_TOKEN = "make_token"
    ADD_DUTY = "add_duty"
    AMEND_DUTY = "amend_duty"
    FREEZE = "freeze"
    LOAD_PLAN = "load_plan"
    """Read a plan's document or file, check and store it."""
    RUN_PLANS = "run_plans"
    """Activate, end, renew."""
    KEEP_AGENCIES = "keep_agencies"
    """The directory, its successions and handing over."""
    KEEP_CONTACTS = "keep_contacts"
    KEEP_POLICIES = "keep_policies"
    KEEP_TEMPLATES = "keep_templates"
    """The words of the letters."""
    KEEP_CALENDAR = "keep_calendar"
    KEEP_ACCOUNTS = "keep_accounts"
    STEP_CLOCK = "step_clock"


class Reach(StrEnum):
    OWN = "own"
    ANY = "any"


ABOVE = frozenset(
    {
        Permission.ACCEPT,
        Permission.RETURN,
        Permission.DECIDE_EXTENSION,
        Permission.CHASE,
        Permission.CANCEL,
        Permission.TRANSFER,
    }
)
"""Deeds of the department above the owner."""

OF_THE_PLAN = frozenset({Permission.ADD_DUTY, Permission.AMEND_DUTY, Permission.FREEZE})
"""Deeds of the department that a plan names as its supervisor."""


def _reach(reach: Reach, *deeds: Permission) -> Mapping[Permission, Reach]:
    return dict.fromkeys(deeds, reach)


_MYSELF = _reach(Reach.OWN, Permission.MAKE_FEED, Permission.MAKE_TOKEN, Permission.SET_WISHES)
_OWNER = {
    **_reach(Reach.OWN, Permission.ACKNOWLEDGE, Permission.DECLINE, Permission.REPORT, Permission.ASK_EXTENSION),
    **_reach(Reach.OWN, Permission.SEE_ASSIGNMENT, Permission.SEE_EVIDENCE, Permission.SEE_CONTACTS),
    **_reach(Reach.ANY, Permission.SEE_PLANS),
    **_MYSELF,
}
_WATCH = {
    **_reach(
        Reach.ANY,
        Permission.SEE_BOARD,
        Permission.SEE_ASSIGNMENT,
        Permission.SEE_PLANS,
        Permission.SEE_FIGURES,
        Permission.SEE_STANDING,
    ),
    **_MYSELF,
}

TABLE: Mapping[ActorRole, Mapping[Permission, Reach]] = {
    ActorRole.COORDINATOR: {**_OWNER, **_reach(Reach.OWN, Permission.NAME_DEPUTY)},
    ActorRole.DEPUTY: _OWNER,
    ActorRole.HEAD: {**_OWNER, **_reach(Reach.OWN, Permission.NAME_DEPUTY, Permission.KEEP_CONTACTS)},
    ActorRole.MONITOR: {
        **_WATCH,
        **_reach(Reach.ANY, Permission.SEE_LETTERS, Permission.SEE_EVIDENCE, Permission.SEE_CONTACTS),
        **_reach(Reach.OWN, *ABOVE, *OF_THE_PLAN),
    },
    ActorRole.LEADERSHIP: _WATCH,
    ActorRole.ADMINISTRATOR: _reach(Reach.ANY, *Permission),
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


def may(actor: Actor, action: Permission, agency_id: str = "") -> bool:
    """Whether an actor may do this within a body; without one, whether within any."""
    reach = TABLE[actor.role].get(action)
    return reach is Reach.ANY or (reach is Reach.OWN and bool(agency_id) and agency_id == actor.agency_id)


def concerned(action: Permission, owner_id: str, supervisor_id: str) -> str:
    """The body that a deed about an assignment concerns."""
    return supervisor_id if action in ABOVE else owner_id


def require(actor: Actor, action: Permission, agency_id: str = "") -> None:
    """Raises NotAllowed unless the actor may."""
    if not may(actor, action, agency_id):
        raise NotAllowed
