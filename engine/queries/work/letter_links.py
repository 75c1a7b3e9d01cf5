"""Resolves a link in a letter: the contact it was sent to, and the duties that the letter listed for their agency.

A link is refused with a reason when it was revoked, has expired or the person is no longer a contact. Read-only;
changes made by the page go through ``engine.assignments.lifecycle``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import ColumnElement, and_, exists, func, or_, select
from sqlmodel import Session

from engine.accounts.signed_links import Link, Purpose, Signer
from engine.assignments import situations
from engine.assignments.chasing import SENT
from engine.assignments.handover import Successions
from engine.errors import LinkRefused
from engine.queries.time_class import Today
from engine.queries.work.assignments import AssignmentRow, columns, from_rows, joined
from engine.rules.calendar import day_digits
from engine.rules.policy import Facts, Rung, upcoming
from engine.rules.situation import lacks_report
from engine.store.database import table
from engine.store.recipients import last_day
from engine.store.records import Agency, Assignment, Contact, Duty, LadderRecord, Letter, Notice, Plan
from engine.store.rulebook import ladder_text, parsed_ladder
from engine.store.stored_rows import AnyRow, object_of
from engine.terms import NoticeKind, Role, State
from engine.text import Text

NAMED = 8
"""How many agencies a sentence names."""
AFTER_DUE = timedelta(days=15)
"""How long after the due date a link of the newest letter works, whatever became of the duty."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkHolder:
    """The contact a link was made for, as in the directory today."""

    id: int
    agency_id: str
    agency: str
    role: Role
    label: str
    language: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkedDuties:
    """One duty that a letter listed. ``next_on`` and ``next_rung``: the next letter if nothing changes, whoever it goes
    to; ``supervisor`` and ``issuer`` are the agencies above its owner."""

    row: AssignmentRow
    heading: str
    due_why: Mapping[str, str]
    next_on: date | None
    next_rung: Rung | None
    supervisor: str
    issuer: str
    acknowledged_at: datetime | None

    @property
    def new(self) -> bool:
        return self.row.state is State.ASSIGNED

    @property
    def open(self) -> bool:
        return lacks_report(self.row.state)


def open_link(session: Session, signer: Signer, purpose: Purpose, token: str, today: date) -> Link:
    """The link of a token. Past its last day it works on while its letter is the newest about its duties, and one of
    them is unfinished or was due at most ``AFTER_DUE`` ago. Raises LinkRefused."""
    link = signer.verify(purpose, token)
    if today > link.until and not _outlives(session, link, today):
        raise _of_ended_agency(session, link, today) or link.expired
    return link


def _of_ended_agency(session: Session, link: Link, today: date) -> LinkRefused | None:
    """What the link of an agency that has ended says: who follows it, and where the work went. None if it goes on."""
    c, g, a = table(Contact), table(Agency), table(Assignment)
    connection = session.connection()
    of_contact = select(g.c.id, g.c.names).join(c, c.c.agency_id == g.c.id).where(c.c.id == link.contact_id)
    agency = connection.execute(of_contact).first()
    until = last_day(agency.names) if agency else None
    if agency is None or until is None or until >= today:
        return None
    old = table(Assignment, "old")
    went = (
        select(g.c.name, func.count())
        .select_from(a.join(old, old.c.id == a.c.transferred_from_id).join(g, g.c.id == a.c.agency_id))
        .where(old.c.agency_id == agency.id)
        .group_by(g.c.name)
        .order_by(g.c.name)
    )
    moved = [f"{name} ({count})" for name, count in connection.execute(went)]
    heirs = [each.agency for each in Successions(session, today).of(agency.id)]
    followed, work = _listed(heirs), _listed(moved)
    name = agency.names[-1]["name"]
    vi = f"{name} đã kết thúc ngày {day_digits(until)}."
    en = f"{name} ended on {day_digits(until)}."
    if followed:
        vi, en = f"{vi} Cơ quan kế thừa: {followed}.", f"{en} It is followed by {followed}."
    if work:
        vi, en = f"{vi} Phần việc còn lại do {work} báo cáo.", f"{en} What it still owed is reported by {work}."
    return LinkRefused(Text(vi, en))


def _listed(names: Sequence[str]) -> str:
    more = len(names) - NAMED
    return ", ".join(names[:NAMED]) + (f" … (+{more})" if more > 0 else "")


def _outlives(session: Session, link: Link, today: date) -> bool:
    """True if a letter that bore the link is still the newest, on its channel, about a duty of which it tells. A letter
    that did not leave, and a weekly digest, take no letter's place."""
    a, p, m = table(Assignment), table(Plan), table(Letter)
    if link.purpose is Purpose.ACKNOWLEDGE:
        bore = m.c.id == _letter_id(link)
    elif link.purpose is Purpose.REPORT:
        bore = m.c.day == link.made_on
    else:
        return False
    concerned = or_(a.c.due_on >= today - AFTER_DUE, situations.owed())
    statement = (
        select(m.c.id)
        .select_from(m.join(a, _subject(link)).join(p, p.c.id == a.c.plan_id))
        .where(bore, m.c.contact_id == link.contact_id, concerned, ~_superseded(link.purpose))
    )
    return session.connection().scalars(statement.limit(1)).first() is not None


def living_letters(session: Session, made_until: date, lifetime: timedelta, today: date) -> int:
    """How many letters of days until ``made_until`` have a link that opens something: for ``lifetime`` after their day,
    or while they are the newest about a duty that is not over. Some whose links have ended are counted as well."""
    a, m, n, reported = table(Assignment), table(Letter), table(Notice), table(Assignment, "reported")
    same = and_(
        reported.c.plan_id == a.c.plan_id,
        reported.c.period == a.c.period,
        reported.c.agency_id == a.c.agency_id,
        a.c.agency_id == m.c.agency_id,
    )
    tells = select(n.c.id).where(n.c.letter_id == m.c.id)
    newest = tells.join(reported, reported.c.id == n.c.assignment_id).join(a, same)
    newest = newest.where(or_(a.c.due_on >= today - AFTER_DUE, situations.owed()), ~_superseded(Purpose.ACKNOWLEDGE))
    helped = tells.join(a, a.c.id == n.c.assignment_id).where(
        n.c.kind == NoticeKind.COORDINATES, a.c.due_on >= today - AFTER_DUE
    )
    lives = or_(
        m.c.day >= today - lifetime,
        newest.exists(),
        helped.exists(),
    )
    statement = select(func.count()).select_from(m).where(m.c.day <= made_until, m.c.state.in_(SENT), lives)
    return session.connection().scalar(statement) or 0


def _subject(link: Link) -> ColumnElement[bool]:
    """The assignments a link is about: those that its letter named, or those of the agency in a plan and period."""
    a, m, n = table(Assignment), table(Letter), table(Notice)
    if link.purpose is Purpose.ACKNOWLEDGE:
        named: ColumnElement[bool] = a.c.id.in_(select(n.c.assignment_id).where(n.c.letter_id == _letter_id(link)))
        return named
    plan_id, period = report_subject(link)
    return and_(a.c.plan_id == plan_id, a.c.period == period, a.c.agency_id == m.c.agency_id)


def _superseded(purpose: Purpose) -> ColumnElement[bool]:
    """A newer letter about the same assignment, or about the same report, left for the contact on the same channel."""
    a, m, n = table(Assignment), table(Letter), table(Notice)
    newer, named = table(Letter, "newer"), table(Assignment, "named")
    same: ColumnElement[bool] = named.c.id == a.c.id
    if purpose is Purpose.REPORT:
        same = and_(named.c.plan_id == a.c.plan_id, named.c.period == a.c.period, named.c.agency_id == a.c.agency_id)
    found: ColumnElement[bool] = (
        exists()
        .where(newer.c.contact_id == m.c.contact_id, newer.c.channel == m.c.channel, newer.c.state.in_(SENT))
        .where(or_(newer.c.day > m.c.day, and_(newer.c.day == m.c.day, newer.c.id > m.c.id)))
        .where(n.c.letter_id == newer.c.id, n.c.obsolete == "", named.c.id == n.c.assignment_id, same)
        .correlate(m, a)
    )
    return found


def holder(session: Session, link: Link, today: date) -> LinkHolder:
    """The contact a link was made for. Raises LinkRefused with the reason."""
    c, g = table(Contact), table(Agency)
    found = (
        session.connection()
        .execute(select(c, g.c.name.label("agency")).join(g, g.c.id == c.c.agency_id).where(c.c.id == link.contact_id))
        .first()
    )
    if found is None:
        raise LinkRefused
    if ended := _of_ended_agency(session, link, today):
        raise ended
    if link.revoked(found.links_since):
        raise LinkRefused(
            Text(
                "Liên kết này đã bị thu hồi; hãy mở thư mới nhất hoặc hỏi bộ phận theo dõi.",
                "This link has been revoked; open the newest letter or ask the monitor.",
            )
        )
    inactive = (
        found.proposed
        or (found.valid_until is not None and found.valid_until < today)
        or (found.valid_from is not None and found.valid_from > today)
    )
    if inactive or not (found.email or found.phone):
        raise LinkRefused(
            Text(
                f"Người nhận thư này hiện không còn làm đầu mối cho {found.agency}; hãy chuyển cho đầu mối mới.",
                f"The person this letter went to no longer answers for {found.agency}; forward it to the new contact.",
            )
        )
    return object_of(LinkHolder, found)


def linked_duties(session: Session, today: Today, link: Link, who: LinkHolder) -> tuple[LinkedDuties, ...]:
    """The duties that the letter listed for the contact's agency, by due date. Raises LinkRefused if the letter was
    sent to someone else.

    Cancelled and transferred ones are left out: they no longer need acknowledging.
    """
    letter, n = table(Letter), table(Notice)
    letter_id = _letter_id(link)
    to = session.connection().scalar(select(letter.c.contact_id).where(letter.c.id == letter_id))
    if to != who.id:
        raise LinkRefused
    a, d, p, ladder = table(Assignment), table(Duty), table(Plan), table(LadderRecord)
    above, issuer = table(Agency, "above"), table(Agency, "issuer")
    named = select(n.c.assignment_id).where(n.c.letter_id == letter_id)
    statement = (
        joined(
            select(
                *columns(today),
                d.c.heading,
                a.c.due_why,
                a.c.acted_until,
                a.c.promised_on,
                a.c.broken_before,
                ladder_text(),
            )
        )
        .add_columns(above.c.name.label("supervisor"), issuer.c.name.label("issuer"))
        .join(ladder, ladder.c.id == a.c.ladder_id)
        .join(above, above.c.id == a.c.supervisor_id)
        .join(issuer, issuer.c.id == p.c.issuer_id)
        .where(
            a.c.id.in_(named), a.c.agency_id == who.agency_id, a.c.state.not_in((State.CANCELLED, State.TRANSFERRED))
        )
        .order_by(a.c.due_on, d.c.position)
    )
    found = session.connection().execute(statement).all()
    return tuple(_linked_duty(row, extra, today) for row, extra in zip(from_rows(found), found, strict=True))


def linked_assignments(session: Session, link: Link) -> tuple[int, ...]:
    """The assignments that the letter of a link names, whoever owes them."""
    n = table(Notice)
    named = select(n.c.assignment_id).where(n.c.letter_id == _letter_id(link)).distinct()
    return tuple(session.connection().scalars(named))


def _letter_id(link: Link) -> int:
    """The letter of an acknowledging link; 0 for a malformed subject."""
    return int(link.subject) if link.subject.isdecimal() and len(link.subject) <= 18 else 0


def _linked_duty(row: AssignmentRow, extra: AnyRow, today: Today) -> LinkedDuties:
    """With the next rung; of a request the next that writes to the agency: nobody else is named to it."""
    coming: tuple[date, Rung] | None = None
    if row.unfinished and row.quiet is None:
        facts = Facts(row.state, row.opened_on, row.due_on, extra.acted_until, extra.promised_on, extra.broken_before)
        rungs = upcoming(parsed_ladder(extra.ladder), facts, today.calendar)
        left = ((on, rung) for on, rung in rungs if on > today.day and (rung.to_agency or not row.request))
        coming = next(left, None)
    on, rung = coming or (None, None)
    return object_of(
        LinkedDuties,
        extra,
        row=row,
        next_on=on,
        next_rung=rung,
    )


def report_subject(link: Link) -> tuple[int, str]:
    """Plan id and period of a report link. Raises LinkRefused for a malformed subject."""
    plan_id, _, period = link.subject.partition(":")
    if not plan_id.isdecimal() or len(plan_id) > 9 or not period:
        raise LinkRefused
    return int(plan_id), period
