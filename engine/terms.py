"""The field's words as closed sets. Stored by value; see DESIGN for what each means. Pure."""

from __future__ import annotations

from enum import StrEnum


class State(StrEnum):
    """The work state of an assignment. Time classes (on time, late, overdue) are derived, never stored."""

    ASSIGNED = "assigned"
    ACKNOWLEDGED = "acknowledged"
    REPORTED = "reported"
    RETURNED = "returned"
    ACCEPTED = "accepted"
    CANCELLED = "cancelled"
    TRANSFERRED = "transferred"


OPEN_STATES = (State.ASSIGNED, State.ACKNOWLEDGED, State.RETURNED)
"""The owner still owes a report."""
DONE_STATES = (State.REPORTED, State.ACCEPTED)
"""A report is in; on time is judged by when it was submitted."""
COUNTED_STATES = (State.ACCEPTED, State.ACKNOWLEDGED, State.ASSIGNED, State.REPORTED, State.RETURNED)
"""What the four boxes count; cancelled and transferred assignments are nobody's any more. The most frequent first: a
database tries a province's rows against them in this order."""


class TimeClass(StrEnum):
    """The four boxes of Decision 42/2014/QĐ-TTg, with ``DUE_SOON`` inside open_in_time and ``NO_DEADLINE`` beside."""

    DONE_ON_TIME = "done_on_time"
    DONE_LATE = "done_late"
    OPEN_IN_TIME = "open_in_time"
    DUE_SOON = "due_soon"
    OPEN_OVERDUE = "open_overdue"
    NO_DEADLINE = "no_deadline"


class Timing(StrEnum):
    """How an assignment stands to its due date, whatever day it is: with today's date it makes the time class."""

    OPEN = "open"
    ON_TIME = "on_time"
    LATE = "late"


class Role(StrEnum):
    """In what capacity a contact answers for an agency."""

    COORDINATOR = "coordinator"
    HEAD = "head"
    DEPUTY = "deputy"
    MONITOR = "monitor"
    LEADERSHIP = "leadership"


class Urgency(StrEnum):
    """Decree 30/2020/NĐ-CP degrees; anything but NORMAL may be sent at night and on closed days."""

    NORMAL = "normal"
    KHAN = "khan"
    THUONG_KHAN = "thuong_khan"
    HOA_TOC = "hoa_toc"


class PlanState(StrEnum):
    LOADED = "loaded"
    ACTIVE = "active"
    ENDED = "ended"


class NoticeKind(StrEnum):
    """What one line of a letter says about one assignment."""

    ASSIGNED = "assigned"
    ACKNOWLEDGE = "acknowledge"
    UNACKNOWLEDGED = "unacknowledged"
    REMINDER = "reminder"
    OVERDUE = "overdue"
    ESCALATION = "escalation"
    RETURNED = "returned"
    EXTENSION_ASKED = "extension_asked"
    EXTENSION_DECIDED = "extension_decided"
    NOT_MINE = "not_mine"
    CHASE = "chase"
    TRANSFERRED = "transferred"
    CANCELLED = "cancelled"
    DUE_MOVED = "due_moved"
    UNREACHABLE = "unreachable"
    WROTE = "wrote"
    """Somebody answered a letter with what no machine understands: the monitor reads it."""


class LetterState(StrEnum):
    """The fate of a letter. ``accepted`` by a relay or gateway is not ``delivered`` to a person."""

    QUEUED = "queued"
    SENDING = "sending"
    ACCEPTED = "accepted"
    DELIVERED = "delivered"
    BOUNCED_SOFT = "bounced_soft"
    BOUNCED_HARD = "bounced_hard"
    REFUSED = "refused"
    UNKNOWN = "unknown"
    SUPPRESSED = "suppressed"
    EXPIRED = "expired"


class EventKind(StrEnum):
    """Everything that can have happened; past tense throughout."""

    PLAN_LOADED = "plan_loaded"
    PLAN_ACTIVATED = "plan_activated"
    PLAN_ENDED = "plan_ended"
    OPENED = "opened"
    ACKNOWLEDGED = "acknowledged"
    REPORTED = "reported"
    ACCEPTED = "accepted"
    RETURNED = "returned"
    EXTENSION_ASKED = "extension_asked"
    EXTENSION_GRANTED = "extension_granted"
    EXTENSION_REFUSED = "extension_refused"
    CANCELLED = "cancelled"
    TRANSFERRED = "transferred"
    DECLINED = "declined"
    DUE_MOVED = "due_moved"
    RUNG_FIRED = "rung_fired"
    RUNG_SKIPPED = "rung_skipped"
    CHASED = "chased"
    DIGEST_EMPTY = "digest_empty"
    LETTER_SETTLED = "letter_settled"
    LETTER_SUPPRESSED = "letter_suppressed"
    UNREACHABLE = "unreachable"
    LINKS_REVOKED = "links_revoked"
    CONTACT_CHANGED = "contact_changed"
    DIRECTORY_LOADED = "directory_loaded"
    POLICY_LOADED = "policy_loaded"
    CALENDAR_CHANGED = "calendar_changed"
    AUDIT_FAILED = "audit_failed"
    ACCOUNT_CHANGED = "account_changed"
    SIGNED_IN = "signed_in"
    DUTY_ADDED = "duty_added"
    DUTY_AMENDED = "duty_amended"
    EVIDENCE_STORED = "evidence_stored"
    EVIDENCE_REMOVED = "evidence_removed"
    FIGURES_FROZEN = "figures_frozen"
    FEED_CHANGED = "feed_changed"
    TEMPLATE_CHANGED = "template_changed"
    AGENCY_CHANGED = "agency_changed"


class Quiet(StrEnum):
    """Why a live assignment has no next action: never silence without a reason."""

    AWAITING_ACCEPTANCE = "awaiting_acceptance"
    LADDER_ENDED = "ladder_ended"
    PLAN_ENDED = "plan_ended"
    NO_DEADLINE = "no_deadline"


class Outcome(StrEnum):
    """What a report says about the duty."""

    DONE = "done"
    PARTLY = "partly"
    NOT_YET = "not_yet"
