"""The tables. State of an assignment is written by ``engine.lifecycle`` alone; letters by ``engine.outbox`` and the
delivering pass. Instants are aware UTC, deadlines local dates. Bulk work goes through ``Model.__table__`` (Core).
"""

from engine.records.accounts import Account, ApiToken, Attempt, Feed, IdempotencyKey, SignedIn, SignInLink
from engine.records.bodies import Agency, AgencyGroup, Contact, Succession
from engine.records.letters import (
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
from engine.records.plans import HAS_OPENING, Duty, Plan
from engine.records.rules import CalendarDay, LadderRecord, PolicyRecord
from engine.records.running import Fact, Pass
from engine.records.work import (
    DECLINED,
    HAS_NEXT,
    LOST,
    STILL_OPEN,
    TO_ACCEPT,
    WAITING,
    Assignment,
    Draft,
    Event,
    Evidence,
    Extension,
    Frozen,
    Report,
)

__all__ = [
    "DECLINED",
    "EARLY",
    "HAS_NEXT",
    "HAS_OPENING",
    "LOST",
    "STILL_OPEN",
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
    "SignInLink",
    "SignedIn",
    "Succession",
]
