"""Delivery receipts: the state machine of a letter's outcome, and parsers for the gateways' documented callbacks.

``advance`` is pure and total. Receipts arrive in any order, twice and late, so it keeps the strongest state reported:
the result does not depend on their order. Unexpected cases are named for the event log. E-mail bounces (RFC 3464) use
the same state machine.

What SMS lately cost, in the parts that a gateway charges for.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import ceil

from sqlalchemy import func
from sqlmodel import Session, col, select

from engine.errors import BadInput, LinkRefused
from engine.store.recipients import SHORT
from engine.store.records import Letter, LetterBody
from engine.terms import LetterState
from engine.text import Text
from notifications.sms.text import fit

STRENGTH = (
    LetterState.QUEUED,
    LetterState.SENDING,
    LetterState.KEPT_HERE,
    LetterState.UNKNOWN,
    LetterState.ACCEPTED,
    LetterState.BOUNCED_SOFT,
    LetterState.EXPIRED,
    LetterState.REFUSED,
    LetterState.DELIVERED,
    LetterState.BOUNCED_HARD,
    LetterState.SUPPRESSED,
)
"""Weakest first. Delivered overrides a soft bounce, an expiry and a refusal. A hard bounce overrides delivered, since
relays may confirm and then bounce, and wrongly assuming delivery is the worse mistake. A suppressed letter was never
sent, and stays suppressed."""
REPORTED = (
    LetterState.ACCEPTED,
    LetterState.DELIVERED,
    LetterState.BOUNCED_SOFT,
    LetterState.BOUNCED_HARD,
    LetterState.REFUSED,
    LetterState.UNKNOWN,
    LetterState.EXPIRED,
)
"""The states that a receipt may report; the others are set only by ourselves."""
_RANK = {state: rank for rank, state in enumerate(STRENGTH)}
_FINAL = STRENGTH[_RANK[LetterState.EXPIRED] :]
_EXPECTED_REPEATS = {
    (LetterState.UNKNOWN, LetterState.UNKNOWN),
    (LetterState.ACCEPTED, LetterState.ACCEPTED),
    (LetterState.BOUNCED_SOFT, LetterState.BOUNCED_SOFT),
}
"""Repetitions that relays and SMSCs send normally: not unexpected."""


@dataclass(frozen=True, slots=True)
class Step:
    """The letter's new state; ``odd`` names an unexpected case: ``delivered_twice``, ``bounced_hard_after_delivered``,
    ``accepted_after_delivered``, ``delivered_before_sending``, ``receipt_for_suppressed`` …"""

    state: LetterState
    odd: str | None = None


def advance(current: str, reported: str) -> Step:
    """The state of a letter after a receipt. Raises BadInput for an unknown state or one that is not reportable."""
    try:
        now, reported_state = LetterState(current), LetterState(reported)
    except ValueError as error:
        raise BadInput(
            Text(f"Không có trạng thái thư như vậy: {error}.", f"There is no such state of a letter: {error}.")
        ) from error
    if reported_state not in REPORTED:
        raise BadInput(
            Text(f"«{reported}» không phải là báo phát.", f"«{reported}» is not a state that a receipt can report.")
        )
    return Step(max(now, reported_state, key=_RANK.__getitem__), _odd(now, reported_state))


def _odd(now: LetterState, reported_state: LetterState) -> str | None:
    if now is LetterState.SUPPRESSED:
        return "receipt_for_suppressed"
    if now is LetterState.QUEUED:
        # An earlier attempt that was considered lost had arrived after all.
        return f"{reported_state}_before_sending"
    if now is LetterState.SENDING or (now, reported_state) in _EXPECTED_REPEATS:
        return None
    if now is reported_state:
        return f"{reported_state}_twice"
    if now in _FINAL or _RANK[reported_state] < _RANK[now]:
        return f"{reported_state}_after_{now}"
    return None


@dataclass(frozen=True, slots=True)
class Receipt:
    """``receipt``: as in the Outcome; ``code``: the gateway's code; ``at``: time reported by the gateway, aware UTC."""

    receipt: str
    state: LetterState
    code: str
    at: datetime


def verify(given: str, secrets: Sequence[str]) -> None:
    """Check the secret in a callback URL (no gateway signs its callbacks). Raises LinkRefused."""
    if not any(each and hmac.compare_digest(given.encode(), each.encode()) for each in secrets):
        raise LinkRefused(Text("Báo phát không đúng mã bí mật.", "The callback URL does not contain the right secret."))


KANNEL = {
    1: LetterState.DELIVERED,
    2: LetterState.BOUNCED_HARD,
    4: LetterState.ACCEPTED,
    8: LetterState.ACCEPTED,
    16: LetterState.REFUSED,
    34: LetterState.EXPIRED,
    66: LetterState.UNKNOWN,
}
"""Kannel's ``%d``: delivered, not delivered, buffered, accepted by the SMSC, refused by it; 34 and 66 are 2 with a
reason (expired, unknown)."""
_SMPP = {"EXPIRED": LetterState.EXPIRED, "REJECTD": LetterState.REFUSED, "UNKNOWN": LetterState.UNKNOWN}
"""State for type 2 by the status text of the SMSC (``%A``, e.g. ``stat:EXPIRED``)."""


def from_kannel(query: Mapping[str, str], now: datetime) -> Receipt:
    """Kannel's report URL as built by ``Kannel.ask``: ``receipt``, ``type`` (%d), ``answer`` (%A), ``time`` (%T)."""
    receipt, kind = _required(query, "receipt"), _integer(query, "type")
    answer = query.get("answer", "")
    state = KANNEL.get(kind, LetterState.UNKNOWN)
    reported_state = re.search(r"stat:([A-Z]+)", answer)
    if kind == 2 and reported_state:
        state = _SMPP.get(reported_state.group(1), state)
    code = f"{kind} {reported_state.group() if reported_state else answer}".strip()[:32]
    return Receipt(receipt, state, code, _timestamp(query.get("time", ""), now))


def from_esms(query: Mapping[str, str], now: datetime) -> Receipt:
    """eSMS's CallbackUrl (GET): ``SendStatus`` 5 is finished; the counts give the result. There is no reason, so a
    failure is a soft bounce. Matched by our ``RequestId``; the callback has no timestamp."""
    receipt, status = _required(query, "RequestId"), _integer(query, "SendStatus")
    if status == 5 and _integer(query, "SendFailed"):
        state = LetterState.BOUNCED_SOFT
    elif status == 5 and _integer(query, "SendSuccess"):
        state = LetterState.DELIVERED
    elif status == 5:
        state = LetterState.UNKNOWN
    else:
        state = {4: LetterState.REFUSED}.get(status, LetterState.ACCEPTED)
    return Receipt(receipt, state, str(status), now)


def from_speedsms(body: Mapping[str, object], now: datetime) -> Receipt:
    """SpeedSMS's webhook (``type: report``): 0 delivered, up to 63 failed for now, 64 and more failed for good."""
    texts = {name: str(value) for name, value in body.items()}
    if texts.get("type") != "report":
        raise _invalid("type")
    receipt, status = _required(texts, "tranId"), _integer(texts, "status")
    if status == 0:
        state = LetterState.DELIVERED
    else:
        state = LetterState.BOUNCED_SOFT if 0 < status < 64 else LetterState.BOUNCED_HARD
    return Receipt(receipt, state, str(status), now)


def _required(fields: Mapping[str, str], name: str) -> str:
    value = fields.get(name, "").strip()
    if not value or len(value) > 160:
        raise _invalid(name)
    return value


def _integer(fields: Mapping[str, str], name: str) -> int:
    value = _required(fields, name)
    if not re.fullmatch(r"-?[0-9]{1,9}", value):
        raise _invalid(name)
    return int(value)


def _invalid(name: str) -> BadInput:
    return BadInput(Text(f"Báo phát thiếu hoặc sai «{name}».", f"The callback has no valid «{name}»."))


def _timestamp(seconds: str, now: datetime) -> datetime:
    """The gateway's timestamp if it is within the last 31 days, else ``now``: its clock may be wrong."""
    if not re.fullmatch(r"[0-9]{1,11}", seconds):
        return now
    at = datetime.fromtimestamp(int(seconds), UTC)
    return at if 0 <= (now - at).total_seconds() <= 31 * 86400 else now


DAYS = 30
SAMPLE = 1000
CHARGED = (
    LetterState.ACCEPTED,
    LetterState.DELIVERED,
    LetterState.BOUNCED_SOFT,
    LetterState.BOUNCED_HARD,
    LetterState.UNKNOWN,
)
"""A gateway charges what it has accepted, and perhaps what nobody knows of."""


@dataclass(frozen=True, slots=True)
class Usage:
    """``parts`` is counted exactly up to 1,000 messages; of more, the latest 1,000 stand for all. Texts that are no
    longer kept count as one part each if none is."""

    messages: int
    parts: int


def usage(session: Session, now: datetime) -> Usage:
    """The SMS of the 30 days before ``now``. Reads at most 1,000 texts."""
    sent = (
        col(Letter.channel).in_(SHORT),
        col(Letter.day) > (now - timedelta(days=DAYS)).date(),
        col(Letter.state).in_(CHARGED),
    )
    messages = session.exec(select(func.count()).where(*sent)).one()
    texts = select(LetterBody.text).where(LetterBody.letter_id == Letter.id, *sent)
    counted = [fit(text).size.parts for text in session.exec(texts.order_by(col(Letter.id).desc()).limit(SAMPLE))]
    return Usage(messages, ceil(sum(counted) * messages / len(counted)) if counted else messages)
