"""The tables. The state of an assignment is written only by ``engine.assignments.lifecycle``, letters only by
``engine.assignments.outbox`` and the delivery pass. Instants are aware UTC, deadlines are local dates. Bulk work uses
``Model.__table__`` (Core).
"""

from engine.store.records.accounts import (
    Account,
    ApiToken,
    Attempt,
    Feed,
    IdempotencyKey,
    SecondFactor,
    SignedIn,
    SignInLink,
)
from engine.store.records.agencies import Agency, AgencyGroup, Contact, Succession
from engine.store.records.letters import (
    EARLY,
    STILL_OWED,
    WITH_RECEIPT,
    AnswerCode,
    Delivery,
    Digest,
    Incoming,
    Letter,
    LetterBody,
    Notice,
)
from engine.store.records.plans import HAS_OPENING, Duty, Plan
from engine.store.records.rules import CalendarDay, LadderRecord, PolicyRecord
from engine.store.records.running import Fact, Pass
from engine.store.records.work import (
    DECLINED,
    HAS_NEXT,
    LOST,
    TO_ACCEPT,
    WAITING,
    Assignment,
    Draft,
    Event,
    Evidence,
    Extension,
    Frozen,
    Report,
    Tally,
    TallyChange,
)

__all__ = [
    "DECLINED",
    "EARLY",
    "HAS_NEXT",
    "HAS_OPENING",
    "LOST",
    "STILL_OWED",
    "TO_ACCEPT",
    "WAITING",
    "WITH_RECEIPT",
    "Account",
    "Agency",
    "AgencyGroup",
    "AnswerCode",
    "ApiToken",
    "Assignment",
    "Attempt",
    "CalendarDay",
    "Contact",
    "Delivery",
    "Digest",
    "Draft",
    "Duty",
    "Event",
    "Evidence",
    "Extension",
    "Fact",
    "Feed",
    "Frozen",
    "IdempotencyKey",
    "Incoming",
    "LadderRecord",
    "Letter",
    "LetterBody",
    "Notice",
    "Pass",
    "Plan",
    "PolicyRecord",
    "Report",
    "SecondFactor",
    "SignInLink",
    "SignedIn",
    "Succession",
    "Tally",
    "TallyChange",
]
