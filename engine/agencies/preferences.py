"""Notification preferences of a contact: fewer letters, another channel, a deputy for some days.

Notifications can never be turned off completely: a channel can be stopped only while another one reaches the person,
and only the kinds that the policy names (``may_stop``) can be moved to the weekly letter; overdue notices never are.

The letter that tells an agency's coordinators and heads of a new deputy, at once and with a way to end it; and the
one that tells the monitors above of a proposal that the agency did not make.

A link in a letter is enough to name one, and letters are forwarded: who gets an agency's letters must not change in
silence.

Lift suppressions in bulk: after a bad day at the relay, write again to addresses that were silenced by mistake.

Only what a refusal or a bounce suppressed is lifted, found by its event; what a person asked for stays.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta

from sqlalchemy import select, update
from sqlmodel import Session

from engine.accounts.rate_limit import Limit, count, enforce_rate_limit
from engine.agencies import contacts
from engine.agencies.contacts import ContactLine
from engine.assignments.outbox import LetterDay, letter_row
from engine.errors import BadInput, Conflict, ForbiddenMove, NotAllowed
from engine.rules.calendar import ONE_DAY, instant, local_date
from engine.store.database import among, insert_new, table
from engine.store.event_log import append, event, record
from engine.store.recipients import CHANNELS, WHOLE, Recipient, address_of, read_recipients, unset_channels
from engine.store.records import Assignment, Contact, Event, Letter, Plan
from engine.store.rulebook import read_rulebook
from engine.terms import EventKind, NoticeKind, Role
from engine.text import Text

DEPUTY_NAMED = "deputy:"
"""Key prefix of these letters; the deputy's contact id and the recipient's follow."""


def announce_deputy(session: Session, deputy_id: int, agency_id: str, now: datetime) -> None:
    """Queue a letter for each coordinator and head, on the first channel that reaches them."""
    found = read_recipients(session, [agency_id])
    told = [each for role in (Role.COORDINATOR, Role.HEAD) for each in found.by_role.get((agency_id, role), ())]
    _queue(session, deputy_id, told, now)


def report_refusal(session: Session, deputy_id: int, agency_id: str, now: datetime) -> None:
    """Queue a letter for the monitors of each department that follows the agency: a letter of theirs went further than
    it should, and its links still work."""
    p, a = table(Plan), table(Assignment)
    departments = list(
        session.connection().scalars(
            select(p.c.supervisor_id).join(a, a.c.plan_id == p.c.id).where(a.c.agency_id == agency_id).distinct()
        )
    )
    found = read_recipients(session, departments)
    told = [each for department in departments for each in found.by_role.get((department, Role.MONITOR), ())]
    _queue(session, deputy_id, told, now)


def _queue(session: Session, deputy_id: int, told: Iterable[Recipient], now: datetime) -> None:
    today = local_date(now)
    rows = [
        letter_row(each, channel, LetterDay.at_once(now), now) | {"key": f"{DEPUTY_NAMED}{deputy_id}:{each.id}"}
        for each in told
        if each.answers_on(today)
        for channel in [name for name in CHANNELS if each.address(name)][:1]
    ]
    insert_new(session, Letter, rows)


ASKED = "asked"
"""Reason in ``Contact.suppressed`` for a channel that the person stopped."""
WEEKLY = "weekly"
MAX_DEPUTY_TIME = timedelta(days=366)
MAX_DEPUTY_TIME_BY_LINK = timedelta(days=30)
"""Who holds a letter's link may be anybody to whom the letter was forwarded."""
PROPOSAL, PROPOSALS = "deputy", Limit(3, timedelta(days=1))
"""Of an agency, by links."""
MAY_NAME = (Role.COORDINATOR, Role.HEAD)


@dataclass(frozen=True, slots=True)
class Channel:
    """One channel of a contact, with its address there. ``stopped``: the reason, ``asked`` or that of an invalid
    address."""

    name: str
    address: str
    stopped: str
    weekly: bool
    may_be_stopped: bool
    whole: bool
    """It carries whole letters, and so the link that stops it."""


@dataclass(frozen=True)
class Preferences:
    """``may_wait``: kinds that the policy allows to be sent weekly; empty if none."""

    contact: ContactLine
    channels: tuple[Channel, ...]
    may_wait: tuple[NoticeKind, ...]
    deputies: tuple[ContactLine, ...]


def preferences_of(session: Session, contact_id: int, now: datetime) -> Preferences:
    """The current preferences and what may be changed. Raises NotFound."""
    who = contacts.find(session, contact_id)
    others = contacts.contacts_of(session, who.agency_id)
    today = local_date(now)
    deputies = tuple(
        each
        for each in others
        if each.role is Role.DEPUTY and not each.gone and (each.valid_until is None or each.valid_until >= today)
    )
    return Preferences(who, tuple(_channel(session, who, name) for name in CHANNELS), _may_wait(session), deputies)


def own(session: Session, agency_id: str, email: str, role: str, now: datetime) -> ContactLine | None:
    """The contact that belongs to an account: same mailbox and agency, preferably with the account's role."""
    today = local_date(now)
    matching = [
        each
        for each in contacts.contacts_of(session, agency_id)
        if email and each.email.casefold() == email.casefold() and each.answers_on(today)
    ]
    return next((each for each in matching if each.role == role), matching[0] if matching else None)


def stop(session: Session, contact_id: int, channel: str, *, actor: str, now: datetime) -> None:
    """Stop letters on a channel. Raises ForbiddenMove if no other channel reaches the person."""
    who = _locked(session, contact_id, channel)
    if channel in who.suppressed:
        return
    if not _channel(session, who, channel).may_be_stopped:
        raise ForbiddenMove(
            Text(
                "Đây là kênh duy nhất còn gửi được cho ông/bà nên không thể dừng; có thể chọn gộp theo tuần.",
                "This is the only channel that reaches you, so it cannot be stopped; you can choose weekly letters.",
            )
        )
    suppressed = {**who.suppressed, channel: ASKED}
    _write(session, replace(who, suppressed=suppressed), "stopped", channel, actor=actor, now=now)


def slow(session: Session, contact_id: int, channel: str, *, actor: str, now: datetime) -> None:
    """Send non-urgent notices weekly on a channel. Raises ForbiddenMove if the policy allows none to wait."""
    who = _locked(session, contact_id, channel)
    if who.pace.get(channel) == WEEKLY:
        return
    if not _may_wait(session):
        raise ForbiddenMove(Text("Chính sách không cho gộp thư nào.", "The policy does not allow weekly letters."))
    _write(session, replace(who, pace={**who.pace, channel: WEEKLY}), "slowed", channel, actor=actor, now=now)


def resume(session: Session, contact_id: int, channel: str, *, actor: str, now: datetime) -> None:
    """Undo ``stop`` and ``slow``. A channel suppressed for an invalid address stays so until a new address is entered
    in the directory."""
    who = _locked(session, contact_id, channel)
    suppressed = _without(who.suppressed, channel) if who.suppressed.get(channel) == ASKED else who.suppressed
    pace = _without(who.pace, channel)
    if (suppressed, pace) != (who.suppressed, who.pace):
        changed = replace(who, suppressed=suppressed, pace=pace)
        _write(session, changed, "resumed", channel, actor=actor, now=now)


def name_deputy(
    session: Session,
    contact_id: int,
    *,
    email: str,
    phone: str = "",
    label: str = "",
    language: str = "",
    valid_from: date,
    valid_until: date,
    instead: bool = False,
    by_link: bool = False,
    actor: str,
    now: datetime,
) -> int:
    """Add a deputy between two days, both included, who is written to beside the agency's coordinator, or ``instead``,
    in ``language`` or else the coordinator's; returns the contact id. Coordinators and heads are told at once. Only a
    coordinator or head may, for at most a year. The holder of a link in their letter (``by_link``) may be anybody to
    whom it was forwarded: they propose one, for at most ``MAX_DEPUTY_TIME_BY_LINK`` and beside the coordinator, and it
    counts once a coordinator or head agrees (``agree_to_deputy``). Raises NotAllowed, BadInput, Conflict, TooOften."""
    who = contacts.find(session, contact_id)
    if who.role not in MAY_NAME or not who.answers_on(local_date(now)):
        raise NotAllowed(
            Text(
                "Chỉ đầu mối hoặc người đứng đầu đang đương nhiệm cử được người thay.",
                "Only a current coordinator or head may name a deputy.",
            )
        )
    if valid_until < local_date(now):
        raise BadInput(Text("Những ngày này đã qua.", "These days have passed."))
    if valid_until - valid_from > MAX_DEPUTY_TIME:
        raise BadInput(
            Text("Cử người thay nhiều nhất một năm; lâu hơn thì đổi đầu mối.", "A deputy is named for at most a year.")
        )
    if by_link and instead:
        raise BadInput(
            Text(
                "Qua liên kết trong thư, người thay chỉ nhận thư cùng đầu mối. Muốn thư chỉ gửi người thay: đăng nhập "
                "rồi cử ở trang «Cách nhận thư».",
                "By a letter's link a deputy is only written to beside the coordinator. Sign in to choose otherwise.",
            )
        )
    if by_link and label.strip():  # it would stand in an official letter
        raise BadInput(
            Text(
                "Qua liên kết trong thư không ghi chức danh của người thay; cơ quan ghi sau trong danh bạ.",
                "By a letter's link no position is written; the agency enters it in its directory.",
            )
        )
    if by_link and valid_until - max(valid_from, local_date(now)) >= MAX_DEPUTY_TIME_BY_LINK:
        raise BadInput(
            Text(
                f"Qua liên kết trong thư, cử người thay nhiều nhất {MAX_DEPUTY_TIME_BY_LINK.days} ngày; lâu hơn thì "
                "đăng nhập rồi cử ở trang «Cách nhận thư».",
                f"By a letter's link a deputy is named for at most {MAX_DEPUTY_TIME_BY_LINK.days} days; sign in to "
                "name one for longer.",
            )
        )
    if by_link:
        _count_proposal(session, who.agency_id, now)
    deputy_id = contacts.add(
        session,
        who.agency_id,
        Role.DEPUTY,
        email=email,
        phone=phone,
        label=label,
        language=language or who.language,
        valid_from=valid_from,
        valid_until=valid_until,
        instead=instead,
        named_by=contact_id,
        proposed=by_link,
        actor=actor,
        now=now,
    )
    announce_deputy(session, deputy_id, who.agency_id, now)
    return deputy_id


def _count_proposal(session: Session, agency_id: str, now: datetime) -> None:
    """A letter to each coordinator and head leaves for each: one waits for them at a time, three are proposed a day.
    Raises Conflict, TooOften."""
    c = table(Contact)
    waits = (c.c.agency_id == agency_id, c.c.proposed, c.c.valid_until >= local_date(now))
    if session.connection().scalar(select(c.c.id).where(*waits).limit(1)) is not None:
        raise Conflict(
            Text(
                "Đã có một đề nghị cử người thay chờ đầu mối hoặc lãnh đạo cơ quan trả lời; xem thư đã gửi.",
                "A proposed deputy waits for the answer of the coordinator or head; see the letter to them.",
            )
        )
    enforce_rate_limit(session, PROPOSAL, {agency_id: PROPOSALS}, now)
    count(session, PROPOSAL, (agency_id,), now)


def agree_to_deputy(session: Session, contact_id: int, deputy_id: int, *, actor: str, now: datetime) -> bool:
    """Agree to a proposed deputy of the same agency; False if that was done before. Raises NotAllowed, NotFound."""
    who, deputy = contacts.find(session, contact_id), contacts.find(session, deputy_id)
    if deputy.role is not Role.DEPUTY or deputy.agency_id != who.agency_id or who.role not in MAY_NAME:
        raise NotAllowed
    c = table(Contact)
    agreed = update(c).where(c.c.id == deputy_id, c.c.proposed).values(proposed=False)
    if session.connection().execute(agreed).rowcount != 1:
        return False
    record(session, EventKind.CONTACT_CHANGED, now, actor=actor, what="deputy_agreed", contact=deputy_id)
    return True


def refuse_deputy(session: Session, contact_id: int, deputy_id: int, *, actor: str, now: datetime) -> None:
    """«Không phải tôi đề nghị»: the proposal is ended, and the monitors above are told, since somebody else has a link
    of this agency's letters. Nothing happens where it has ended already. Raises NotAllowed, NotFound."""
    if contacts.find(session, deputy_id).gone:
        return
    end_deputy(session, contact_id, deputy_id, actor=actor, now=now)
    record(session, EventKind.CONTACT_CHANGED, now, actor=actor, what="deputy_refused", contact=deputy_id)
    report_refusal(session, deputy_id, contacts.find(session, contact_id).agency_id, now)


def end_deputy(session: Session, contact_id: int, deputy_id: int, *, actor: str, now: datetime) -> None:
    """End a deputy of the same agency at once; the coordinator is back. Raises NotAllowed."""
    who, deputy = contacts.find(session, contact_id), contacts.find(session, deputy_id)
    if deputy.role is not Role.DEPUTY or deputy.agency_id != who.agency_id or who.role not in MAY_NAME:
        raise NotAllowed
    contacts.leave_now(session, deputy_id, actor=actor, now=now)


def _channel(session: Session, who: ContactLine, name: str) -> Channel:
    unset = unset_channels(session)

    def reaches(channel: str) -> bool:
        return channel not in who.suppressed and bool(address_of(who, channel))

    others = any(reaches(other) for other in CHANNELS if other != name and other not in unset)
    return Channel(
        name,
        address_of(who, name),
        who.suppressed.get(name, ""),
        who.pace.get(name) == WEEKLY,
        others and reaches(name),
        name in WHOLE,
    )


def _may_wait(session: Session) -> tuple[NoticeKind, ...]:
    policy = read_rulebook(session).general
    return () if policy is None else policy.may_stop


def _locked(session: Session, contact_id: int, channel: str) -> ContactLine:
    if channel not in CHANNELS:
        raise BadInput(Text(f"Kênh là một trong: {', '.join(CHANNELS)}.", "The channel is one of these."))
    c = table(Contact)
    session.connection().execute(select(c.c.id).where(c.c.id == contact_id).with_for_update())
    return contacts.find(session, contact_id)


def _write(session: Session, who: ContactLine, what: str, channel: str, *, actor: str, now: datetime) -> None:
    """Store the preferences of ``who`` as they are to be."""
    c = table(Contact)
    values = {"suppressed": who.suppressed, "pace": who.pace}
    session.connection().execute(update(c).where(c.c.id == who.id).values(**values))
    record(session, EventKind.CONTACT_CHANGED, now, actor=actor, what=what, contact=who.id, channel=channel)


def _without(values: Mapping[str, str], channel: str) -> dict[str, str]:
    return {name: value for name, value in values.items() if name != channel}


@dataclass(frozen=True, slots=True)
class Lifted:
    """A channel of a contact that is written to again. ``at``: when it was suppressed."""

    contact_id: int
    agency_id: str
    channel: str
    reason: str
    at: datetime

    @property
    def on(self) -> date:
        return local_date(self.at)


def lift_suppressions(session: Session, first: date, last: date, *, actor: str, now: datetime) -> list[Lifted]:
    """Lift what was suppressed on the local days ``first`` to ``last`` and still is. One event each."""
    since, until = instant(first, time.min), instant(last + ONE_DAY, time.min)
    return lift_between(session, since, until, actor=actor, now=now)


def lift_between(
    session: Session,
    since: datetime,
    until: datetime,
    *,
    actor: str,
    now: datetime,
    only: Callable[[str, str], bool] = lambda channel, reason: True,
) -> list[Lifted]:
    """The same of what was suppressed from one instant until before another. ``only``: of which channels and
    reasons."""
    c, e = table(Contact), table(Event)
    statement = (
        select(e.c.at, e.c.detail)
        .where(e.c.kind == EventKind.CONTACT_CHANGED)
        .where(e.c.at >= since, e.c.at < until)
        .order_by(e.c.id)
    )
    suppressed = {
        (detail["contact"], detail["channel"]): (detail["suppressed"], at)
        for at, detail in session.connection().execute(statement)
        if detail.get("suppressed")
    }
    rows = (
        session.connection()
        .execute(
            select(c.c.id, c.c.agency_id, c.c.suppressed)
            .where(among(session, c.c.id, {contact_id for contact_id, _ in suppressed}))
            .with_for_update()
        )
        .all()
    )
    lifted = [
        Lifted(contact_id, agency_id, channel, reason, suppressed[contact_id, channel][1])
        for contact_id, agency_id, current in rows
        for channel, reason in current.items()
        if reason != ASKED and only(channel, reason) and suppressed.get((contact_id, channel), ("",))[0] == reason
    ]
    gone = {(each.contact_id, each.channel) for each in lifted}
    for contact_id, _, current in rows:
        remaining = {name: why for name, why in current.items() if (contact_id, name) not in gone}
        session.connection().execute(update(c).where(c.c.id == contact_id).values(suppressed=remaining))
    append(
        session,
        [
            event(
                EventKind.CONTACT_CHANGED,
                now,
                actor=actor,
                what="resumed",
                contact=each.contact_id,
                channel=each.channel,
            )
            for each in lifted
        ],
    )
    return lifted
