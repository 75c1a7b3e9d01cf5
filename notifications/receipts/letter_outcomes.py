"""Apply receipts, bounces and refusals to letters: suppress the address, retry, reroute, notify the monitor.

They arrive in any order, twice, late, even before the letter is settled. The pure state machine in ``sms.receipts``
decides the new state; unexpected cases are events under their own name. Every effect has a unique key, so processing
the same receipt again changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import func, select, update
from sqlmodel import Session

from engine.enums import complete
from engine.errors import BadInput
from engine.store.database import insert_new, table
from engine.store.event_log import record
from engine.store.recipients import ADDRESS_OF, CHANNELS, WHOLE
from engine.store.records import EARLY, Contact, Delivery, Incoming, Letter
from engine.store.stored_rows import object_of
from engine.terms import EventKind, LetterState
from notifications.contract.channel import About
from notifications.email.bounces import Bounce, Severity, status_in
from notifications.email.mime import read_address
from notifications.email.smtp_replies import about
from notifications.receipts.rerouting import RerouteResult, TriedLetter, reroute, select_letters
from notifications.sms.gateway import e164, masked
from notifications.sms.receipts import Receipt, advance

SOFT_WAITS = (timedelta(hours=4), timedelta(hours=24))
"""Waits before the letter is sent again after a soft bounce (mailbox full, phone off); then it is rerouted."""
SOFT_BOUNCE_RETRY_TIME = timedelta(days=5)
EARLY_RECEIPT_RETENTION = timedelta(days=1)
"""How long a receipt waits for a letter that is not known yet."""
ELSEWHERE = "bounced_elsewhere"
FAILED = (LetterState.BOUNCED_HARD, LetterState.REFUSED, LetterState.EXPIRED)
DEAD_NUMBERS = frozenset({"99", "105", "108"})
"""Codes of eSMS and SpeedSMS for a number that does not exist or is blocked."""


@dataclass(frozen=True, slots=True)
class ReceiptResult:
    """The effect of a receipt or bounce. ``letter_id`` is None if the letter is not known."""

    letter_id: int | None
    state: LetterState | None = None
    odd: str = ""
    early: Mapping[str, object] = field(default_factory=dict)
    """Data to store for ``settle_early`` while the letter is still being sent."""


def take_receipt(session: Session, receipt: Receipt, now: datetime, channel: str = "sms") -> ReceiptResult:
    """Apply a gateway's delivery report. If the letter is not settled yet, it is stored for ``settle_early``."""
    letter = _find(session, receipt=receipt.receipt)
    if letter is None or letter.state is LetterState.SENDING:
        insert_new(
            session,
            Incoming,
            [
                {
                    "channel": channel,
                    "external_id": f"{receipt.receipt}:{receipt.state}:{receipt.code}"[:255],
                    "at": now,
                    "kind": "receipt",
                    "outcome": "early",
                    "answered": False,
                    "detail": {
                        "receipt": receipt.receipt,
                        "state": receipt.state,
                        "code": receipt.code,
                        "at": receipt.at.isoformat(),
                    },
                }
            ],
        )
        return ReceiptResult(None)
    return _apply(session, letter, receipt.state, receipt.code, now)


def take_repeated_receipt(session: Session, receipt: Receipt, now: datetime) -> bool:
    """Apply a report that is read repeatedly from a folder: ignored, without an event, unless it changes the state.
    Returns True if it did."""
    letter = _find(session, receipt=receipt.receipt)
    if letter is None or letter.state is LetterState.SENDING or letter.reason == "bounced_soft":
        return False
    if advance(letter.state, receipt.state).state is letter.state:
        return False
    _apply(session, letter, receipt.state, receipt.code, now)
    return True


def settle_early(session: Session, now: datetime) -> int:
    """Apply stored early receipts; returns how many were applied. After a day they are closed as ``no_letter``."""
    i = table(Incoming)
    early = session.connection().execute(select(i).where(EARLY).order_by(i.c.id).limit(1000)).all()
    found = 0
    for row in early:
        detail = row.detail
        letter = (
            _find(session, receipt=str(detail["receipt"])) if "receipt" in detail else _find(session, key=detail["key"])
        )
        outcome = ""
        if letter is not None and letter.state is not LetterState.SENDING:
            _apply(session, letter, LetterState(detail["state"]), str(detail["code"]), now)
            outcome, found = "applied", found + 1
        elif now - row.at > EARLY_RECEIPT_RETENTION:
            outcome = "no_letter"
        if outcome:
            letter_id = letter.id if letter is not None else None
            session.connection().execute(
                update(i).where(i.c.id == row.id).values(outcome=outcome, letter_id=letter_id, detail={})
            )
    return found


def take_bounce(session: Session, bounce: Bounce, key: str, now: datetime) -> ReceiptResult:
    """Apply a bounce to the letter with this key, which a signed return address proves. A notice of delay does not
    change the state, nor does the bounce of another mailbox than the letter's (``ELSEWHERE``): somebody forwards their
    mail, and the copy failed."""
    letter = _find(session, key=key)
    if letter is None:
        return ReceiptResult(None)
    code = bounce.status or "bounce"
    if bounce.severity is Severity.DELAYED:
        _record_event(session, letter, letter.state, "delayed", code, now)
        return ReceiptResult(letter.id, letter.state, "delayed")
    if bounce.recipients and letter.channel in WHOLE and not _is_one_of(session, letter, bounce.recipients):
        _record_event(session, letter, letter.state, ELSEWHERE, code, now)
        return ReceiptResult(letter.id, letter.state, ELSEWHERE)
    state = LetterState.BOUNCED_HARD if bounce.severity is Severity.HARD else LetterState.BOUNCED_SOFT
    if letter.state is LetterState.SENDING:
        return ReceiptResult(letter.id, letter.state, "early", {"key": letter.key, "state": str(state), "code": code})
    dead = about(bounce.status, bounce.diagnostic) is About.ADDRESS
    return _apply(session, letter, state, code, now, dead=dead)


def undelivered(session: Session, letter_ids: Sequence[int], now: datetime) -> int:
    """Handle letters that could not be sent: refused, expired, or without an address. Called in the transaction that
    settles them. Returns how many were rerouted."""
    rerouted = 0
    for letter_id in letter_ids:
        letter = _by_id(session, letter_id)
        if letter.state not in (*FAILED, LetterState.SUPPRESSED):
            continue
        code, reply = _last_reply(session, letter)
        if code == "sandbox":
            continue
        dead = letter.state is LetterState.REFUSED and _is_dead(session, letter, code, reply)
        rerouted += (
            _handle_failure(session, letter, dead=dead, code=code or str(letter.reason), now=now)
            is RerouteResult.REROUTED
        )
    return rerouted


def suppress(
    session: Session, contact_id: int, channel: str, reason: str, now: datetime, actor: str = "system"
) -> bool:
    """Stop sending to a contact on this channel. False if it was suppressed already."""
    c = table(Contact)
    known = session.connection().scalar(select(c.c.suppressed).where(c.c.id == contact_id).with_for_update()) or {}
    if channel in known:
        return False
    session.connection().execute(
        update(c).where(c.c.id == contact_id).values(suppressed={**known, channel: reason[:200]})
    )
    record(
        session,
        EventKind.CONTACT_CHANGED,
        now,
        actor=actor,
        contact=contact_id,
        channel=channel,
        suppressed=reason[:200],
    )
    return True


# --- One letter ---------------------------------------------------------------------------------------------------


def _apply(
    session: Session, letter: TriedLetter, reported: LetterState, code: str, now: datetime, *, dead: bool = True
) -> ReceiptResult:
    """``dead``: whether a hard bounce says that the address itself does not exist."""
    step = advance(letter.state, reported)
    m = table(Letter)
    if step.state is not letter.state:
        session.connection().execute(
            update(m)
            .where(m.c.id == letter.id)
            .values(
                state=step.state,
                reason=code[:200] if step.state in (*FAILED, LetterState.BOUNCED_SOFT) else "",
                settled_at=now,
                lease_until=None,
                leased_by="",
                sent_at=func.coalesce(m.c.sent_at, now),
            )
        )
        _record_event(session, letter, step.state, step.odd or "", code, now)
        if step.state is LetterState.BOUNCED_SOFT:
            _retry(session, letter, code, now)
        elif step.state in FAILED:
            _handle_failure(session, letter, dead=dead and step.state is LetterState.BOUNCED_HARD, code=code, now=now)
    elif step.odd:
        _record_event(session, letter, step.state, step.odd, code, now)
    return ReceiptResult(letter.id, step.state, step.odd or "")


def _record_event(
    session: Session, letter: TriedLetter, state: LetterState, odd: str, code: str, now: datetime
) -> None:
    """Append the LETTER_SETTLED event, once per state; an unexpected case (``odd``) has its own key."""
    record(
        session,
        EventKind.LETTER_SETTLED,
        now,
        key=f"{letter.key}:{letter.attempts}:{odd or state}",
        letter=letter.id,
        contact=letter.contact_id,
        was=str(letter.state),
        state=str(state),
        odd=odd,
        code=code[:32],
    )


def _retry(session: Session, letter: TriedLetter, code: str, now: datetime) -> None:
    """Retry after a soft bounce as long as ``SOFT_WAITS`` allow, then treat the letter as undeliverable."""
    m, d = table(Letter), table(Delivery)
    attempts = select(func.count()).where(
        d.c.letter_id == letter.id, d.c.fate.in_(("accepted", "delivered", "unknown"))
    )
    tried = max(session.connection().scalar(attempts) or 0, 1)
    if tried > len(SOFT_WAITS) or now - letter.created_at > SOFT_BOUNCE_RETRY_TIME:
        _handle_failure(session, letter, dead=False, code=code, now=now)
        return
    session.connection().execute(
        update(m)
        .where(m.c.id == letter.id)
        .values(
            state=LetterState.QUEUED,
            send_after=now + SOFT_WAITS[tried - 1],
            settled_at=None,
            sent_at=None,
            reason="bounced_soft",
        )
    )


def _handle_failure(session: Session, letter: TriedLetter, *, dead: bool, code: str, now: datetime) -> RerouteResult:
    """Reroute the letter to the same person's other channel or the next person; suppress a dead address."""
    if dead:
        suppress(session, letter.contact_id, letter.channel, f"dead: {code}"[:200], now)
    return reroute(session, letter, dead=dead, now=now)


def _is_dead(session: Session, letter: TriedLetter, code: str, reply: str) -> bool:
    """True if a refusal concerns the address itself, not the relay or gateway."""
    contact = table(Contact)
    address = contact.c[ADDRESS_OF[letter.channel]]
    written = session.connection().scalar(select(address).where(contact.c.id == letter.contact_id)) or ""
    readable, dead = _ADDRESSES[letter.channel]
    try:
        readable(written)
    except BadInput:
        return True
    return dead(code, reply)


_ADDRESSES: Mapping[str, tuple[Callable[[str], object], Callable[[str, str], bool]]] = complete(
    CHANNELS,
    {
        "email": (
            read_address,
            lambda code, reply: about(status_in(reply), f"{code} {reply}") is About.ADDRESS,
        ),
        "sms": (e164, lambda code, reply: code in DEAD_NUMBERS),
    },
)
"""By channel: what reads an address, and whether a refusal says that it is dead."""


def _is_one_of(session: Session, letter: TriedLetter, mailboxes: Iterable[str]) -> bool:
    """True if one of the mailboxes is that of the letter's contact."""
    written = session.connection().scalar(
        select(table(Contact).c.email).where(table(Contact).c.id == letter.contact_id)
    )
    try:
        own = read_address(written or "").mailbox
    except BadInput:
        return True
    return own.lower() in {each.lower() for each in mailboxes}


def _last_reply(session: Session, letter: TriedLetter) -> tuple[str, str]:
    d = table(Delivery)
    query = select(d.c.code, d.c.reply).where(d.c.letter_id == letter.id).order_by(d.c.attempt.desc()).limit(1)
    row = session.connection().execute(query).first()
    return (row.code, masked(row.reply)) if row is not None else ("", "")


def _by_id(session: Session, letter_id: int) -> TriedLetter:
    m = table(Letter)
    return object_of(
        TriedLetter, session.connection().execute(select_letters().where(m.c.id == letter_id).with_for_update()).one()
    )


def _find(session: Session, *, receipt: str = "", key: str = "") -> TriedLetter | None:
    """The letter with this receipt or key, locked; None if there is none. The newest, in case a gateway reuses ids."""
    m = table(Letter)
    if not receipt and not key:
        return None
    equal = m.c.key == key if key else (m.c.receipt == receipt) & (m.c.receipt != "")
    query = select_letters().where(equal).order_by(m.c.id.desc()).limit(1).with_for_update()
    row = session.connection().execute(query).first()
    return None if row is None else object_of(TriedLetter, row)


def find_by_message_ids(session: Session, message_ids: Iterable[str]) -> TriedLetter | None:
    """The letter of the first known Message-ID (from In-Reply-To and References); None if none is ours."""
    return next((found for each in message_ids if (found := _find(session, receipt=each)) is not None), None)
