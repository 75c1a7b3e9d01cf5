"""The closed sets of the domain (states, roles, kinds), stored by value; docs/architecture.md and docs/glossary.md
define them. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal, get_args

from engine.enums import complete
from engine.text import Text


class State(StrEnum):
    """The work state of an assignment. Time classes (on time, late, overdue) are derived from it, never stored."""

    ASSIGNED = "assigned"
    ACKNOWLEDGED = "acknowledged"
    REPORTED = "reported"
    RETURNED = "returned"
    ACCEPTED = "accepted"
    CANCELLED = "cancelled"
    TRANSFERRED = "transferred"


COUNTED_STATES = (State.ACCEPTED, State.ACKNOWLEDGED, State.ASSIGNED, State.REPORTED, State.RETURNED)
"""Counted in the four boxes; cancelled and transferred assignments are not. Ordered by frequency, because the database
compares each row with them in this order."""


class TimeClass(StrEnum):
    """The four boxes of Decision 42/2014/QĐ-TTg, plus ``DUE_SOON`` (part of open_in_time), ``NO_DEADLINE`` and
    ``NOT_ASKED``: unfinished, of an agency that has ended; nobody is asked for it any more."""

    DONE_ON_TIME = "done_on_time"
    DONE_LATE = "done_late"
    OPEN_IN_TIME = "open_in_time"
    DUE_SOON = "due_soon"
    OPEN_OVERDUE = "open_overdue"
    NO_DEADLINE = "no_deadline"
    NOT_ASKED = "not_asked"


class Timing(StrEnum):
    """A report, or a task, relative to its due date and independent of today."""

    OPEN = "open"
    ON_TIME = "on_time"
    LATE = "late"


class Role(StrEnum):
    """The capacity in which a contact acts for an agency, and in which a rung addresses people."""

    COORDINATOR = "coordinator"
    HEAD = "head"
    DEPUTY = "deputy"
    MONITOR = "monitor"
    DIRECTOR = "director"
    """The head of the department above the owner. Addressed by rungs; the contact who reads it is that agency's
    ``HEAD``."""
    LEADERSHIP = "leadership"


ContactRole = Literal[Role.COORDINATOR, Role.HEAD, Role.DEPUTY, Role.MONITOR, Role.LEADERSHIP]
CONTACT_ROLES: tuple[Role, ...] = get_args(ContactRole)
"""The roles that a contact may hold."""


class Urgency(StrEnum):
    """Degrees of urgency of Decree 30/2020/NĐ-CP; all but NORMAL may be sent at night and on closed days."""

    NORMAL = "normal"
    KHAN = "khan"
    THUONG_KHAN = "thuong_khan"
    HOA_TOC = "hoa_toc"

    @property
    def urgent(self) -> bool:
        return self is not Urgency.NORMAL


class PlanState(StrEnum):
    LOADED = "loaded"
    ACTIVE = "active"
    ENDED = "ended"


class NoticeKind(StrEnum):
    """The kind of one line of a letter about one assignment."""

    ASSIGNED = "assigned"
    ACKNOWLEDGE = "acknowledge"
    UNACKNOWLEDGED = "unacknowledged"
    REMINDER = "reminder"
    OVERDUE = "overdue"
    ESCALATION = "escalation"
    RETURNED = "returned"
    EXTENSION_ASKED = "extension_asked"
    EXTENSION_DECIDED = "extension_decided"
    PROMISE_ASKED = "promise_asked"
    """A promise that waits for the monitor: too far ahead, or one too many."""
    PROMISE_DECIDED = "promise_decided"
    """To the agency: its promise was agreed to, or refused."""
    NOT_MINE = "not_mine"
    CHASE = "chase"
    TRANSFERRED = "transferred"
    CANCELLED = "cancelled"
    DUE_MOVED = "due_moved"
    AMENDED = "amended"
    """The words of a duty have changed, by a paper."""
    PLAN_ENDED = "plan_ended"
    REORGANISED = "reorganised"
    """To the department of a plan: agencies ended and who follows them, or that it follows the plan, or no longer."""
    UNREACHABLE = "unreachable"
    WROTE = "wrote"
    """A reply that could not be parsed; it is forwarded to the monitor."""
    RAISED = "raised"
    """A difficulty, a question or an ad hoc report that the reader is to answer."""
    ANSWERED = "answered"
    PROGRESS = "progress"
    """How the work goes, or the part of a coordinating agency: told, nothing to decide."""
    COORDINATES = "coordinates"
    """To a coordinating agency: what it helps with, and who leads. It is never chased."""


class EntryKind(StrEnum):
    """What an entry of an assignment's thread is."""

    DIFFICULTY = "difficulty"
    """«Khó khăn, vướng mắc», about the duty or the plan as a whole."""
    QUESTION = "question"
    """By the owner, or by the department above."""
    AD_HOC = "ad_hoc"
    """«Báo cáo đột xuất» that nobody asked for."""
    PROGRESS = "progress"
    """«Đang làm, dự kiến xong …»: never counted as a report."""
    ANSWER = "answer"
    PART = "part"
    """The part of a coordinating agency, for the owner."""


RAISED_KINDS = (EntryKind.DIFFICULTY, EntryKind.QUESTION, EntryKind.AD_HOC)
"""Entries that wait for an answer of the other side."""


class WaitReason(StrEnum):
    """Why an incoming message waits for a person."""

    NOT_UNDERSTOOD = "not_understood"
    REFUSED = "refused"
    """Understood, and not possible as it stands: the writer was asked back."""
    LEFT_OVER = "left_over"
    """Something was done, and something else is said."""
    FILES = "files"
    """Files wait to be handed in with a report."""
    NOT_THE_READER = "not_the_reader"
    """Written from a mailbox that is no contact of the agency which had the letter."""
    UNPROVEN = "unproven"
    """Nothing in it proves that the writer had the letter."""
    UNAUTHENTICATED = "unauthenticated"
    """The sender could have been forged, so only an acknowledgement acts."""
    FAILED = "failed"
    """The system stumbled over it."""
    PROPOSED = "proposed"
    """It was read, and nothing is done before a person says that it was read right."""


class Ask(StrEnum):
    """What an incoming message asks."""

    ACKNOWLEDGE = "acknowledge"
    DAY = "day"
    """An extension, or a promise where the due date has passed."""
    NOT_YET = "not_yet"
    """The report that a task is not done, with the day that is promised."""
    DECLINE = "decline"
    DIFFICULTY = "difficulty"
    QUESTION = "question"
    ANSWER = "answer"
    """To the only question that waits for the writer."""
    ATTACH = "attach"
    """Its files belong to the draft of a report."""


class AnswerRead(StrEnum):
    """What became of an answer: the honest counter of how well answers are read."""

    AT_ONCE = "at_once"
    """It acted by itself."""
    CONFIRMED = "confirmed"
    """A person recorded it as it was proposed."""
    CORRECTED = "corrected"
    """A person recorded something else than was proposed, or what nothing was proposed for."""
    DROPPED = "dropped"
    """A person read it, and nothing was recorded."""
    TAKEN_BACK = "taken_back"
    """What had been recorded was wrong, and was undone."""
    WAITING = "waiting"


class MessageAct(StrEnum):
    """What was done because of an incoming message."""

    ACKNOWLEDGED = "acknowledged"
    EXTENSION_ASKED = "extension_asked"
    PROMISED = "promised"
    DIFFICULTY = "difficulty"
    QUESTION = "question"
    ANSWERED = "answered"
    DECLINED = "declined"
    DRAFTED = "drafted"
    """Its files stand in the draft of a report."""
    STOPPED = "stopped"
    SET_ASIDE = "set_aside"
    """Somebody read it, and nothing was to be done."""


class LetterState(StrEnum):
    """Delivery state of a letter. ``accepted`` by a relay or gateway does not mean ``delivered`` to a person."""

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
    KEPT_HERE = "kept_here"
    """Written into a folder of this machine since no relay is configured: not sent."""


class EventKind(StrEnum):
    """Kinds of event in the log, in the past tense."""

    PLAN_LOADED = "plan_loaded"
    PLAN_ACTIVATED = "plan_activated"
    PLAN_ENDED = "plan_ended"
    PLAN_YEARS_CORRECTED = "plan_years_corrected"
    PLAN_DRAFT_MADE = "plan_draft_made"
    PLAN_DRAFT_CORRECTED = "plan_draft_corrected"
    PLAN_DRAFT_ENDED = "plan_draft_ended"
    SUPERVISOR_CHANGED = "supervisor_changed"
    OPENED = "opened"
    ACKNOWLEDGED = "acknowledged"
    REPORTED = "reported"
    ACCEPTED = "accepted"
    RETURNED = "returned"
    PROMISED = "promised"
    PROMISE_AGREED = "promise_agreed"
    PROMISE_REFUSED = "promise_refused"
    PROMISE_KEPT = "promise_kept"
    PROMISE_BROKEN = "promise_broken"
    EXTENSION_ASKED = "extension_asked"
    EXTENSION_GRANTED = "extension_granted"
    EXTENSION_REFUSED = "extension_refused"
    CANCELLED = "cancelled"
    TRANSFERRED = "transferred"
    FOLLOWED = "followed"
    REORGANISED = "reorganised"
    DECLINED = "declined"
    UNDONE = "undone"
    DUE_MOVED = "due_moved"
    RUNG_FIRED = "rung_fired"
    RUNG_SKIPPED = "rung_skipped"
    CHASED = "chased"
    DIGEST_MADE = "digest_made"
    DIGEST_EMPTY = "digest_empty"
    LETTER_SETTLED = "letter_settled"
    LETTER_SUPPRESSED = "letter_suppressed"
    LETTERS_RELEASED = "letters_released"
    UNREACHABLE = "unreachable"
    LINKS_REVOKED = "links_revoked"
    CONTACT_CHANGED = "contact_changed"
    DIRECTORY_LOADED = "directory_loaded"
    POLICY_LOADED = "policy_loaded"
    CALENDAR_CHANGED = "calendar_changed"
    AUDIT_FAILED = "audit_failed"
    CLOCK_CONFIRMED = "clock_confirmed"
    ACCOUNT_CHANGED = "account_changed"
    SIGNED_IN = "signed_in"
    DUTY_ADDED = "duty_added"
    DUTY_AMENDED = "duty_amended"
    DUTY_DROPPED = "duty_dropped"
    EVIDENCE_STORED = "evidence_stored"
    EVIDENCE_REMOVED = "evidence_removed"
    FIGURES_FROZEN = "figures_frozen"
    FEED_CHANGED = "feed_changed"
    TEMPLATE_CHANGED = "template_changed"
    """In a browser, by releases up to 0.1: recorded no more."""
    AGENCY_CHANGED = "agency_changed"
    PAPER_RECORDED = "paper_recorded"
    PAPER_DROPPED = "paper_dropped"
    PAPER_SETTINGS = "paper_settings"
    DIFFICULTY_RAISED = "difficulty_raised"
    QUESTION_ASKED = "question_asked"
    AD_HOC_REPORTED = "ad_hoc_reported"
    PROGRESS_TOLD = "progress_told"
    ENTRY_ANSWERED = "entry_answered"
    PART_ADDED = "part_added"
    WEBHOOK_CHANGED = "webhook_changed"
    SETTINGS_CHANGED = "settings_changed"


class WebhookEvent(StrEnum):
    """What other systems are told of; the ``type`` of a message (Standard Webhooks)."""

    OPENED = "assignment.opened"
    ACKNOWLEDGED = "assignment.acknowledged"
    REPORTED = "assignment.reported"
    ACCEPTED = "assignment.accepted"
    RETURNED = "assignment.returned"
    UNDONE = "assignment.undone"
    REMINDED = "assignment.reminded"
    OVERDUE = "assignment.overdue"
    ESCALATED = "assignment.escalated"
    PROMISED = "assignment.promised"
    PROMISE_BROKEN = "assignment.promise_broken"
    DIGEST_MADE = "digest.made"
    MESSAGE_WAITS = "message.waits"
    """An answer waits for a person."""
    TEST = "test"
    """Sent by an administrator to see whether it arrives."""


class Quiet(StrEnum):
    """Why an open assignment has no next action; every one without a next action has a reason."""

    AWAITING_ACCEPTANCE = "awaiting_acceptance"
    LADDER_ENDED = "ladder_ended"
    PLAN_ENDED = "plan_ended"
    NO_DEADLINE = "no_deadline"
    FOLLOWED = "followed"
    """Its agency ended after the period was over: it counts in the period's figures, and a successor reports."""


class PastPeriods(StrEnum):
    """What becomes of periods whose due date has passed when their plan is activated."""

    SKIP = "skip"
    """Nobody is asked."""
    EXTEND = "extend"
    """Asked, with a new due date after the policy's ``resubmit_days``."""
    OVERDUE = "overdue"
    """Asked, and overdue from the first moment."""


class PromiseState(StrEnum):
    """What became of a promise. At most one of a task waits, and at most one stands."""

    WAITING = "waiting"
    """For the monitor's agreement: it counts for nothing yet."""
    STANDING = "standing"
    KEPT = "kept"
    """The task was reported done by its day."""
    BROKEN = "broken"
    """Its day passed, and the task was not done."""
    REFUSED = "refused"
    """The monitor did not agree."""
    REPLACED = "replaced"
    """Another promise, a return of the report, or the end of the assignment came before its day."""


class Outcome(StrEnum):
    """The outcome that a report states for the duty. Its answers stand in one row below, without which it cannot be
    imported."""

    DONE = "done"
    PARTLY = "partly"
    NOT_YET = "not_yet"

    @property
    def words(self) -> Text:
        return _OUTCOMES[self].words

    @property
    def ends(self) -> bool:
        """The task ends by it."""
        return _OUTCOMES[self].ends

    @property
    def needs(self) -> frozenset[str]:
        """What stands beside it: «body», «reason»; «promise»: it may name the day by which it will be done."""
        return _OUTCOMES[self].needs


@dataclass(frozen=True, slots=True)
class _Answers:
    words: Text
    ends: bool
    needs: frozenset[str]


_OUTCOMES = complete(
    Outcome,
    {
        Outcome.DONE: _Answers(Text("đã hoàn thành", "done"), True, frozenset({"body"})),
        Outcome.PARTLY: _Answers(
            Text("hoàn thành một phần", "partly done"), False, frozenset({"body", "reason", "promise"})
        ),
        Outcome.NOT_YET: _Answers(Text("chưa thực hiện", "not yet done"), False, frozenset({"reason", "promise"})),
    },
)


class OutputKind(StrEnum):
    """What an output («sản phẩm») is, and so what a report gives of it."""

    DOCUMENT = "document"
    """Number and date of the paper."""
    FIGURE = "figure"
    EVENT = "event"
    """The day on which it was held."""


class Waiting(StrEnum):
    """Decisions that the supervising department has to make."""

    ACCEPT = "accept"
    EXTENSION = "extension"
    DECLINED = "declined"
    RAISED = "raised"
    PROMISE = "promise"


class PassName(StrEnum):
    """The passes of ``workflows.run.passes``."""

    OPEN = "open"
    ACT = "act"
    DIGEST = "digest"
    DELIVER = "deliver"
    AUDIT = "audit"
    RECEIVE = "receive"
    WATCH = "watch"
    UPKEEP = "upkeep"
    WEBHOOKS = "webhooks"


class Scenario(StrEnum):
    """How the simulated agencies behave."""

    SILENT = "silent"
    PUNCTUAL = "punctual"
    LATE = "late"
    MIXED = "mixed"
