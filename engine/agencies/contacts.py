"""Contacts of agencies: adding, changing, and leaving. Telephone and e-mail are personal data.

When a person leaves, the addresses are blanked, the links in old letters stop working and calendar feeds are revoked.
The row is kept, since events refer to it (Law 91/2025/QH15: what is no longer needed is removed).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import insert, select, update
from sqlmodel import Session

from engine.accounts.accounts import mailbox
from engine.errors import BadInput, Conflict, FieldsRefused, NotFound
from engine.rules.calendar import ONE_DAY, local_date
from engine.rules.vietnamese import require_visible
from engine.store.database import among, table
from engine.store.event_log import record
from engine.store.recipients import ADDRESS_OF
from engine.store.records import Contact, Feed
from engine.store.stored_rows import is_agency, object_of, objects
from engine.terms import CONTACT_ROLES, EventKind, Role
from engine.text import LANGUAGES, Text

_PHONE = re.compile(r"\+?[0-9]{9,15}")


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactLine:
    """A contact as shown to administrators and to its own agency."""

    id: int
    agency_id: str
    role: Role
    label: str
    email: str
    phone: str
    language: str
    valid_from: date | None
    valid_until: date | None
    suppressed: dict[str, str]
    pace: dict[str, str]
    instead: bool
    proposed: bool

    def answers_on(self, day: date) -> bool:
        started = self.valid_from is None or self.valid_from <= day
        return started and not self.proposed and (self.valid_until is None or day <= self.valid_until)

    @property
    def gone(self) -> bool:
        return not (self.email or self.phone)


def add(
    session: Session,
    agency_id: str,
    role: str,
    *,
    email: str = "",
    phone: str = "",
    label: str = "",
    language: str = "vi",
    valid_from: date | None = None,
    valid_until: date | None = None,
    instead: bool = False,
    named_by: int | None = None,
    proposed: bool = False,
    actor: str,
    now: datetime,
) -> int:
    """Add a contact; returns its id. ``instead``: a deputy who replaces the coordinator; ``named_by``: the contact in
    whose name a deputy is named; ``proposed``: nobody has agreed to them yet. Raises FieldsRefused, NotFound,
    Conflict."""
    values = checked_values(role, email, phone, language, valid_from, valid_until)
    require_visible(label)
    if not is_agency(session, agency_id):
        raise NotFound(Text(f"Danh bạ không có «{agency_id}».", f"“{agency_id}” is not in the directory."))
    c = table(Contact)
    same = (c.c.agency_id == agency_id, c.c.role == values["role"], c.c.email == values["email"], c.c.email != "")
    overlapping = c.c.valid_until.is_(None) | (c.c.valid_until >= (valid_from or local_date(now)))
    if session.connection().scalar(select(c.c.id).where(*same, overlapping, ~c.c.proposed)) is not None:
        raise Conflict(
            Text("Hộp thư này đã làm đầu mối với vai trò ấy.", "This mailbox is already a contact in that role.")
        )
    if not proposed:  # a stranger's proposal does not stand in the way of who is really named
        for overtaken in session.connection().scalars(select(c.c.id).where(*same, overlapping, c.c.proposed)).all():
            leave_now(session, overtaken, actor=actor, now=now)
    inserted = session.connection().execute(
        insert(c).values(
            agency_id=agency_id,
            label=label.strip()[:120],
            suppressed={},
            pace={},
            instead=instead,
            named_by=named_by,
            proposed=proposed,
            **values,
        )
    )
    contact_id = int((inserted.inserted_primary_key or (0,))[0])
    _log_change(session, "added", contact_id, actor, now, role=role, agency=agency_id)
    return contact_id


def change(session: Session, contact_id: int, *, actor: str, now: datetime, **changes: Any) -> None:
    """Change ``email``, ``phone``, ``label``, ``language``, ``valid_from`` or ``valid_until``. A new mailbox or
    number is not suppressed, and links sent to the old one stop working."""
    current = find(session, contact_id)
    if current.gone:
        raise Conflict(
            Text(
                "Người này đã thôi làm đầu mối, địa chỉ đã xóa; hãy thêm đầu mối mới.",
                "This person has left; add a new contact.",
            )
        )
    unknown = set(changes) - {"email", "phone", "label", "language", "valid_from", "valid_until"}
    if unknown:
        raise BadInput(Text(f"Không đổi được: {', '.join(sorted(unknown))}.", "These cannot be changed."))
    merged = {
        name: changes.get(name, getattr(current, name))
        for name in ("email", "phone", "language", "valid_from", "valid_until")
    }
    values = checked_values(current.role, **merged)
    require_visible(str(changes.get("label", "")))
    moved = {channel for channel, name in ADDRESS_OF.items() if values[name] != getattr(current, name)}
    suppressed = {channel: why for channel, why in current.suppressed.items() if channel not in moved}
    values |= {"label": str(changes.get("label", current.label)).strip()[:120], "suppressed": suppressed}
    if moved:
        values["links_since"] = now
    session.connection().execute(update(table(Contact)).where(table(Contact).c.id == contact_id).values(**values))
    _log_change(session, "changed", contact_id, actor, now, fields=sorted(changes), agency=current.agency_id)
    if moved:
        _end_deputies(session, [contact_id], now, actor)


def end(session: Session, contact_id: int, *, on: date, actor: str, now: datetime) -> None:
    """Set the person's last day. If it has passed, the addresses are blanked at once; otherwise
    ``blank_former_contacts`` does so once it has passed."""
    current, today = find(session, contact_id), local_date(now)
    session.connection().execute(update(table(Contact)).where(table(Contact).c.id == contact_id).values(valid_until=on))
    _log_change(session, "ended", contact_id, actor, now, on=on.isoformat(), agency=current.agency_id)
    if on < today:
        _blank(session, [contact_id], now, actor)


def leave_now(session: Session, contact_id: int, *, actor: str, now: datetime) -> None:
    """The person has left: nothing more is sent from now on, and their personal data is removed."""
    end(session, contact_id, on=local_date(now) - ONE_DAY, actor=actor, now=now)


def revoke_links(session: Session, contact_id: int, *, actor: str, now: datetime) -> None:
    """Revoke every link sent to a contact until now, and end the deputies named in their name. Raises NotFound."""
    c = table(Contact)
    changed = session.connection().execute(update(c).where(c.c.id == contact_id).values(links_since=now))
    if changed.rowcount == 0:
        raise NotFound(Text(f"Không có liên hệ số {contact_id}.", f"There is no contact {contact_id}."))
    record(session, EventKind.LINKS_REVOKED, now, actor=actor, contact=contact_id)
    _end_deputies(session, [contact_id], now, actor)


def blank_former_contacts(session: Session, now: datetime) -> int:
    """Blank the addresses of all contacts whose last day has passed; returns how many. For a daily pass."""
    c = table(Contact)
    gone = (c.c.valid_until < local_date(now), (c.c.email != "") | (c.c.phone != ""))
    ids = list(session.connection().scalars(select(c.c.id).where(*gone).order_by(c.c.id)))
    _blank(session, ids, now, "system")
    for contact_id in ids:
        _log_change(session, "blanked", contact_id, "system", now)
    return len(ids)


def find(session: Session, contact_id: int) -> ContactLine:
    """The contact with this id. Raises NotFound."""
    row = session.connection().execute(_lines().where(table(Contact).c.id == contact_id)).first()
    if row is None:
        raise NotFound(Text(f"Không có liên hệ số {contact_id}.", f"There is no contact {contact_id}."))
    return object_of(ContactLine, row)


def contacts_of(session: Session, agency_id: str) -> tuple[ContactLine, ...]:
    """An agency's contacts, those who have left at the end; one query."""
    c = table(Contact)
    rows = session.connection().execute(_lines().where(c.c.agency_id == agency_id).order_by(c.c.id))
    return tuple(sorted(objects(ContactLine, rows), key=lambda each: (each.gone, each.id)))


def contact_lines(session: Session) -> tuple[ContactLine, ...]:
    """Every contact, those who left too, by id."""
    return tuple(objects(ContactLine, session.connection().execute(_lines().order_by(table(Contact).c.id))))


def contacts_among(session: Session, agency_ids: Sequence[str]) -> tuple[ContactLine, ...]:
    """The contacts of several agencies, by id; one query."""
    c = table(Contact)
    rows = session.connection().execute(_lines().where(among(session, c.c.agency_id, agency_ids)).order_by(c.c.id))
    return tuple(objects(ContactLine, rows))


def phone_number(text: str) -> str:
    """Normalise a telephone number: digits, optionally after a plus; empty for none. Raises BadInput."""
    plain = re.sub(r"[\s.()-]", "", text)
    if plain and not _PHONE.fullmatch(plain):
        raise BadInput(Text("Số điện thoại viết như 0912 345 678 hoặc +84 912 345 678.", "Write it like +84912345678."))
    return plain


def _lines() -> Any:
    c = table(Contact)
    return select(
        c.c.id,
        c.c.agency_id,
        c.c.role,
        c.c.label,
        c.c.email,
        c.c.phone,
        c.c.language,
        c.c.valid_from,
        c.c.valid_until,
        c.c.suppressed,
        c.c.pace,
        c.c.instead,
        c.c.proposed,
    )


def checked_values(
    role: str, email: str, phone: str, language: str, valid_from: date | None, valid_until: date | None
) -> dict[str, Any]:
    """The normalised values. Raises FieldsRefused with everything that is wrong."""
    wrong: dict[str, Text] = {}

    def normalised(field: str, normalise: Callable[[str], str], text: str) -> str:
        try:
            return normalise(text)
        except BadInput as error:
            wrong[field] = error.text
            return ""

    email_value = normalised("email", mailbox, email) if email.strip() else ""
    phone_value = normalised("phone", phone_number, phone)
    if role not in CONTACT_ROLES:
        wrong["role"] = Text(f"Vai trò là một trong: {', '.join(CONTACT_ROLES)}.", "The role is one of these.")
    if language not in LANGUAGES:
        wrong["language"] = Text("Ngôn ngữ là vi hoặc en.", "The language is vi or en.")
    if not email.strip() and not phone.strip():
        wrong["email"] = Text("Cần hộp thư hoặc số điện thoại.", "Give a mailbox or a telephone number.")
    if valid_from is not None and valid_until is not None and valid_until < valid_from:
        wrong["valid_until"] = Text("Ngày kết thúc trước ngày bắt đầu.", "The last day is before the first.")
    if wrong:
        raise FieldsRefused(wrong)
    return {
        "role": Role(role),
        "email": email_value,
        "phone": phone_value,
        "language": language,
        "valid_from": valid_from,
        "valid_until": valid_until,
    }


def _end_deputies(session: Session, contact_ids: Sequence[int], now: datetime, actor: str) -> None:
    """End the deputies named in the name of these contacts: their letters may have been somebody else's."""
    c = table(Contact)
    current = (c.c.valid_until.is_(None) | (c.c.valid_until >= local_date(now)), (c.c.email != "") | (c.c.phone != ""))
    deputies = select(c.c.id).where(c.c.named_by.in_(contact_ids), *current).order_by(c.c.id)
    for deputy_id in session.connection().scalars(deputies).all():
        leave_now(session, deputy_id, actor=actor, now=now)


def _blank(session: Session, contact_ids: list[int], now: datetime, actor: str) -> None:
    c, f = table(Contact), table(Feed)
    session.connection().execute(
        update(c)
        .where(c.c.id.in_(contact_ids))
        .values(email="", phone="", label="", suppressed={}, pace={}, links_since=now)
    )
    session.connection().execute(
        update(f).where(f.c.contact_id.in_(contact_ids), f.c.revoked_at.is_(None)).values(revoked_at=now)
    )
    _end_deputies(session, contact_ids, now, actor)


def _log_change(session: Session, what: str, contact_id: int, actor: str, now: datetime, **detail: Any) -> None:
    record(session, EventKind.CONTACT_CHANGED, now, actor=actor, what=what, contact=contact_id, **detail)
