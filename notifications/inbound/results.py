"""The result of processing a message."""

from __future__ import annotations

from enum import StrEnum


class AnswerResult(StrEnum):
    """Stored with the message."""

    ACKNOWLEDGED = "acknowledged"
    EXTENSION_ASKED = "extension_asked"
    """Of a task that was late already it is a promise."""
    REPORTED = "reported"
    """That a task is not done, with the day that is promised."""
    DECLINED = "declined"
    """A duty is not the agency's; the department above decides."""
    SAID = "said"
    """A difficulty, a question or an answer stands in the thread of an assignment."""
    FILED = "filed"
    """A file was kept, and nothing else was asked."""
    STOPPED = "stopped"
    ALREADY = "already"
    """It had been done before."""
    REFUSED = "refused"
    """Understood, but not allowed or not possible: answered with the reason."""
    NOT_UNDERSTOOD = "not_understood"
    AUTOMATIC = "automatic"
    BOUNCED = "bounced"
    BOUNCED_ELSEWHERE = "bounced_elsewhere"
    """The mailbox that failed is not the letter's: forwarded to the monitor."""
    EARLY = "early"
    STRANGER = "stranger"
    """The sender is not a contact: recorded, not answered."""
    NOT_THE_READER = "not_the_reader"
    """It names a letter that was sent to another agency, or comes from an unknown mailbox: it waits for the monitor."""
    LIMITED = "limited"
    """Too many wrong codes from this number: recorded, neither acted on nor answered."""
    UNPROVEN = "unproven"
    """Nothing in it proves that the writer had the letter: answered, and it waits for the monitor."""
    UNAUTHENTICATED = "unauthenticated"
    """The relay could not confirm the sender: it waits for the monitor, not answered."""
    FAILED = "failed"
    """The system stumbled over it; it waits for a person."""
    AGAIN = "again"
    """The message was processed before."""


REJECTED = frozenset({AnswerResult.REFUSED, AnswerResult.NOT_UNDERSTOOD})
"""Something of it was not done: the writer was told, and it waits for the monitor."""
