"""Receipts: what a gateway or a mailbox says later about a letter, and what that makes of the letter's fate.

``advance`` is pure and total. Receipts come in any order, twice and late, so it takes the strongest thing ever said:
the fate after a set of receipts does not depend on their order. What is odd is named for the event log, never lost.
The e-mail side (RFC 3464 bounces) uses the same machine. Below it: the documented callbacks of the SMS gateways.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from engine.errors import BadInput, LinkRefused
from engine.terms import LetterState
from engine.text import Text

STRENGTH = (
    LetterState.QUEUED,
    LetterState.SENDING,
    LetterState.UNKNOWN,
    LetterState.ACCEPTED,
    LetterState.BOUNCED_SOFT,
    LetterState.EXPIRED,
    LetterState.REFUSED,
    LetterState.DELIVERED,
    LetterState.BOUNCED_HARD,
    LetterState.SUPPRESSED,
)
"""Weakest first. Delivered beats a soft bounce, an expiry and a refusal: it was read after all. A hard bounce beats
even that: to believe a letter arrived that did not is the worse mistake (relays confirm, then bounce). A suppressed
letter was never sent, and stays so whatever is said."""
REPORTED = (
    LetterState.ACCEPTED,
    LetterState.DELIVERED,
    LetterState.BOUNCED_SOFT,
    LetterState.BOUNCED_HARD,
    LetterState.REFUSED,
    LetterState.UNKNOWN,
    LetterState.EXPIRED,
)
"""What a receipt may say; the other three are ours alone."""
_RANK = {state: rank for rank, state in enumerate(STRENGTH)}
_FINAL = STRENGTH[_RANK[LetterState.EXPIRED] :]
_PLAIN = {
    (LetterState.UNKNOWN, LetterState.UNKNOWN),
    (LetterState.ACCEPTED, LetterState.ACCEPTED),
    (LetterState.BOUNCED_SOFT, LetterState.BOUNCED_SOFT),
}
"""Said again and again by a patient relay or SMSC: not odd."""


@dataclass(frozen=True, slots=True)
class Step:
    """The letter's new state, and the name of what was odd: ``delivered_twice``, ``bounced_hard_after_delivered``,
    ``accepted_after_delivered``, ``delivered_before_sending``, ``receipt_for_suppressed`` …"""

    state: LetterState
    odd: str | None = None


def advance(current: str, reported: str) -> Step:
    """The state of a letter after a receipt. Raises BadInput for a word that is no state or no receipt."""
    try:
        now, said = LetterState(current), LetterState(reported)
    except ValueError as error:
        raise BadInput(
            Text(f"Không có trạng thái thư như vậy: {error}.", f"No such fate of a letter: {error}.")
        ) from error
    if said not in REPORTED:
        raise BadInput(Text(f"«{reported}» không phải là báo phát.", f"«{reported}» is not something a receipt says."))
    return Step(max(now, said, key=_RANK.__getitem__), _odd(now, said))


def _odd(now: LetterState, said: LetterState) -> str | None:
    if now is LetterState.SUPPRESSED:
        return "receipt_for_suppressed"
    if now is LetterState.QUEUED:
        # An attempt that we gave up as lost had arrived after all.
        return f"{said}_before_sending"
    if now is LetterState.SENDING or (now, said) in _PLAIN:
        return None
    if now is said:
        return f"{said}_twice"
    if now in _FINAL or _RANK[said] < _RANK[now]:
        return f"{said}_after_{now}"
    return None


@dataclass(frozen=True, slots=True)
class Receipt:
    """``receipt`` is the Outcome's; ``code`` the gateway's own; ``at`` when it says it happened, aware UTC."""

    receipt: str
    state: LetterState
    code: str
    at: datetime


def verify(given: str, secret: str) -> None:
    """None of the gateways signs its callbacks, so the address they were given holds a secret. Raises LinkRefused."""
    if not secret or not hmac.compare_digest(given.encode(), secret.encode()):
        raise LinkRefused(
            Text("Báo phát không đúng mã bí mật.", "The callback does not carry the secret of its address.")
        )


KANNEL = {
    1: LetterState.DELIVERED,
    2: LetterState.BOUNCED_HARD,
    4: LetterState.ACCEPTED,
    8: LetterState.ACCEPTED,
    16: LetterState.REFUSED,
    34: LetterState.EXPIRED,
    66: LetterState.UNKNOWN,
}
"""Kannel's ``%d``: delivered, not delivered, buffered, taken by the SMSC, refused by it; 34 and 66 are 2 with its
reason (expired, unknown)."""
_SMPP = {"EXPIRED": LetterState.EXPIRED, "REJECTD": LetterState.REFUSED, "UNKNOWN": LetterState.UNKNOWN}
"""What an SMSC's own words (``%A``, ``stat:EXPIRED``) make of a bare 2."""


def from_kannel(query: Mapping[str, str], now: datetime) -> Receipt:
    """The report address as ``Kannel.ask`` wrote it: ``receipt``, ``type`` (%d), ``answer`` (%A), ``time`` (%T)."""
    receipt, kind = _needed(query, "receipt"), _whole(query, "type")
    answer = query.get("answer", "")
    state = KANNEL.get(kind, LetterState.UNKNOWN)
    said = re.search(r"stat:([A-Z]+)", answer)
    if kind == 2 and said:
        state = _SMPP.get(said.group(1), state)
    code = f"{kind} {said.group() if said else answer}".strip()[:32]
    return Receipt(receipt, state, code, _instant(query.get("time", ""), now))


def from_esms(query: Mapping[str, str], now: datetime) -> Receipt:
    """eSMS's CallbackUrl (GET): ``SendStatus`` 5 is finished, and only the counts tell how. No reason is given, so a
    failure is a soft bounce. Matched by ``RequestId``, which we made; the callback carries no time."""
    receipt, status = _needed(query, "RequestId"), _whole(query, "SendStatus")
    if status == 5 and _whole(query, "SendFailed"):
        state = LetterState.BOUNCED_SOFT
    elif status == 5 and _whole(query, "SendSuccess"):
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
        raise _unreadable("type")
    receipt, status = _needed(texts, "tranId"), _whole(texts, "status")
    if status == 0:
        state = LetterState.DELIVERED
    else:
        state = LetterState.BOUNCED_SOFT if 0 < status < 64 else LetterState.BOUNCED_HARD
    return Receipt(receipt, state, str(status), now)


def _needed(fields: Mapping[str, str], name: str) -> str:
    value = fields.get(name, "").strip()
    if not value or len(value) > 160:
        raise _unreadable(name)
    return value


def _whole(fields: Mapping[str, str], name: str) -> int:
    value = _needed(fields, name)
    if not re.fullmatch(r"-?[0-9]{1,9}", value):
        raise _unreadable(name)
    return int(value)


def _unreadable(name: str) -> BadInput:
    return BadInput(Text(f"Báo phát thiếu hoặc sai «{name}».", f"The callback lacks «{name}» or has it malformed."))


def _instant(seconds: str, now: datetime) -> datetime:
    """A gateway's clock may be wrong: it is believed only about the last month."""
    if not re.fullmatch(r"[0-9]{1,11}", seconds):
        return now
    at = datetime.fromtimestamp(int(seconds), UTC)
    return at if 0 <= (now - at).total_seconds() <= 31 * 86400 else now
