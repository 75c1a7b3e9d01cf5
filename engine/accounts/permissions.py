"""Permissions: one table of role × permission -> reach. The pages, the API and the command line all check here.

A permission applies to one agency: the owner of an assignment for an owner's actions, the department above it for the
department's decisions. ``OWN`` allows it within the actor's own agency, ``FOLLOWED`` also
within those of the plans that it supervises, ``ANY`` within every agency.

What a link in a letter may do: a closed table, purpose × permission.

Letters are forwarded, so whoever holds a link may be anybody. A link therefore acts for its letter's reader only within
what its purpose names here, besides what the reader's role allows. Who gets an agency's letters is not changed by one:
it proposes (``agencies.preferences.name_deputy``), and a link of its own, in a letter of its own, agrees.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TypedDict

from engine.accounts.signed_links import Purpose
from engine.enums import complete
from engine.errors import NotAllowed
from engine.terms import CONTACT_ROLES, Role


class ActorRole(StrEnum):
    """The role in which somebody acts. The first five are those of contacts (``engine.terms.Role``)."""

    COORDINATOR = "coordinator"
    HEAD = "head"
    DEPUTY = "deputy"
    MONITOR = "monitor"
    LEADERSHIP = "leadership"
    ADMINISTRATOR = "administrator"

    @classmethod
    def of(cls, role: Role) -> ActorRole:
        return cls(role.value)


for _role in CONTACT_ROLES:
    ActorRole.of(_role)  # ValueError if somebody who may hold it could not act


class Permission(StrEnum):
    """What may be seen and done."""

    SEE_BOARD = "see_board"
    SEE_ASSIGNMENT = "see_assignment"
    SEE_LETTERS = "see_letters"
    SEE_PLANS = "see_plans"
    SEE_HEALTH = "see_health"
    SEE_EVIDENCE = "see_evidence"
    SEE_FIGURES = "see_figures"
    """The consolidated report: who submitted which figure, and the totals."""
    SEE_STANDING = "see_standing"
    """The leadership's page: on-time rates, published figures, the year."""
    SEE_CONTACTS = "see_contacts"
    """Including addresses: personal data (Law 91/2025/QH15)."""
    SEE_AGENCIES = "see_agencies"
    """Groups and other spellings of the directory; its contacts are SEE_CONTACTS."""
    SEE_POLICIES = "see_policies"
    SEE_CALENDAR = "see_calendar"
    SEE_ACCOUNTS = "see_accounts"
    SEE_WEBHOOKS = "see_webhooks"
    SEE_PAPERS = "see_papers"
    """Drafts of dispatches, and what was issued."""
    SEE_SETTINGS = "see_settings"
    KEEP_SETTINGS = "keep_settings"
    """Those of mail and SMS, on a page."""
    SEE_LOG = "see_log"
    ACKNOWLEDGE = "acknowledge"
    DECLINE = "decline"
    REPORT = "report"
    ASK_EXTENSION = "ask_extension"
    RAISE = "raise"
    """Write into the thread as its owner: a difficulty, a question, how the work goes, an ad hoc report."""
    ADD_PART = "add_part"
    """Give the part of a coordinating agency."""
    HANDLE_MESSAGES = "handle_messages"
    """Read what an agency answered by mail or SMS, and do what it asks: of one's own agency, and of a department for
    those that write to it."""
    ACCEPT = "accept"
    RETURN = "return"
    DECIDE_EXTENSION = "decide_extension"
    ANSWER = "answer"
    """Answer what an owner raised, or ask it something."""
    CHASE = "chase"
    CANCEL = "cancel"
    TRANSFER = "transfer"
    NAME_DEPUTY = "name_deputy"
    SET_PREFERENCES = "set_preferences"
    MAKE_FEED = "make_feed"
    MAKE_TOKEN = "make_token"
    ADD_DUTY = "add_duty"
    AMEND_DUTY = "amend_duty"
    FREEZE = "freeze"
    LOAD_PLAN = "load_plan"
    """Read a plan's document or file, check it and store it."""
    RUN_PLANS = "run_plans"
    """Activate, end, renew."""
    KEEP_AGENCIES = "keep_agencies"
    """The directory, successions and handover."""
    KEEP_CONTACTS = "keep_contacts"
    KEEP_POLICIES = "keep_policies"
    KEEP_CALENDAR = "keep_calendar"
    KEEP_ACCOUNTS = "keep_accounts"
    KEEP_WEBHOOKS = "keep_webhooks"
    """Which other systems are told of events."""
    STEP_CLOCK = "step_clock"


class Reach(StrEnum):
    OWN = "own"
    FOLLOWED = "followed"
    """The agencies in the plans that the actor's department supervises, and its own."""
    ANY = "any"


ABOVE = frozenset(
    {
        Permission.ACCEPT,
        Permission.RETURN,
        Permission.DECIDE_EXTENSION,
        Permission.ANSWER,
        Permission.CHASE,
        Permission.CANCEL,
        Permission.TRANSFER,
    }
)
"""Permissions of the department above the owner."""

OF_THE_PLAN = frozenset({Permission.ADD_DUTY, Permission.AMEND_DUTY, Permission.FREEZE})
"""Permissions of the department that a plan names as its supervisor."""


def _reach(reach: Reach, *permissions: Permission) -> Mapping[Permission, Reach]:
    return dict.fromkeys(permissions, reach)


_PERSONAL = _reach(Reach.OWN, Permission.MAKE_FEED, Permission.MAKE_TOKEN, Permission.SET_PREFERENCES)
_OWNER = {
    **_reach(Reach.OWN, Permission.ACKNOWLEDGE, Permission.DECLINE, Permission.REPORT, Permission.ASK_EXTENSION),
    **_reach(Reach.OWN, Permission.RAISE, Permission.ADD_PART, Permission.HANDLE_MESSAGES),
    **_reach(Reach.OWN, Permission.SEE_ASSIGNMENT, Permission.SEE_EVIDENCE, Permission.SEE_CONTACTS),
    **_reach(Reach.ANY, Permission.SEE_PLANS),
    **_PERSONAL,
}
_VIEWER = {
    **_reach(
        Reach.ANY,
        Permission.SEE_BOARD,
        Permission.SEE_ASSIGNMENT,
        Permission.SEE_PLANS,
        Permission.SEE_FIGURES,
        Permission.SEE_STANDING,
    ),
    **_PERSONAL,
}

TABLE: Mapping[ActorRole, Mapping[Permission, Reach]] = complete(
    ActorRole,
    {
        ActorRole.COORDINATOR: {**_OWNER, **_reach(Reach.OWN, Permission.NAME_DEPUTY)},
        ActorRole.DEPUTY: _OWNER,
        ActorRole.HEAD: {**_OWNER, **_reach(Reach.OWN, Permission.NAME_DEPUTY, Permission.KEEP_CONTACTS)},
        ActorRole.MONITOR: {
            **_VIEWER,
            **_reach(Reach.FOLLOWED, Permission.SEE_LETTERS, Permission.SEE_EVIDENCE, Permission.SEE_CONTACTS),
            **_reach(Reach.OWN, *ABOVE, *OF_THE_PLAN, Permission.SEE_PAPERS, Permission.HANDLE_MESSAGES),
        },
        ActorRole.LEADERSHIP: _VIEWER,
        ActorRole.ADMINISTRATOR: _reach(Reach.ANY, *Permission),
    },
)


@dataclass(frozen=True, slots=True)
class Actor:
    """The person or program that acts. ``kind``: contact, account, api, cli or desk; ``name`` is recorded in events."""

    kind: str
    id: str
    agency_id: str
    role: ActorRole

    @property
    def name(self) -> str:
        return f"{self.kind}:{self.id}" if self.id else self.kind


class Acting(TypedDict):
    """Who acts and when, as the keywords of every action."""

    actor: str
    now: datetime


DESK = Actor("desk", "", "", ActorRole.ADMINISTRATOR)
"""The local user without an account: until there are accounts, all but signed links is served on loopback only."""


def reach_of(actor: Actor, action: Permission) -> Reach | None:
    """How far the actor may do this; None if nowhere."""
    return TABLE[actor.role].get(action)


def may(actor: Actor, action: Permission, agency_id: str = "", followed: Collection[str] = ()) -> bool:
    """True if the actor may do this within an agency; without an agency, true if within any. ``followed``: the agencies
    that the actor's department follows (``engine.queries.directory``)."""
    reach = reach_of(actor, action)
    if reach is Reach.ANY:
        return True
    own = bool(agency_id) and agency_id == actor.agency_id
    return (reach is not None and own) or (reach is Reach.FOLLOWED and agency_id in followed)


def concerned(action: Permission, owner_id: str, supervisor_id: str) -> str:
    """The agency to which an action on an assignment applies."""
    return supervisor_id if action in ABOVE else owner_id


def require(actor: Actor, action: Permission, agency_id: str = "", followed: Collection[str] = ()) -> None:
    """Raises NotAllowed unless the actor has the permission."""
    if not may(actor, action, agency_id, followed):
        raise NotAllowed


POWERS: Mapping[Purpose, frozenset[Permission]] = complete(
    Purpose,
    {
        Purpose.ACKNOWLEDGE: frozenset({Permission.ACKNOWLEDGE, Permission.DECLINE, Permission.ADD_PART}),
        Purpose.REPORT: frozenset(
            {
                Permission.REPORT,
                Permission.ASK_EXTENSION,
                Permission.RAISE,
                Permission.SEE_EVIDENCE,
                Permission.NAME_DEPUTY,
            }
        ),
        Purpose.UNSUBSCRIBE: frozenset({Permission.SET_PREFERENCES, Permission.NAME_DEPUTY}),
        Purpose.CALENDAR: frozenset(),
        Purpose.DEPUTY: frozenset({Permission.NAME_DEPUTY}),
    },
)
"""``NAME_DEPUTY``: to propose one in REPORT, to end one in UNSUBSCRIBE, to agree or refuse in DEPUTY."""
