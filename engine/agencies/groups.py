"""Groups of agencies, and the other ways of writing a name: what a plan's general words («các sở, ban, ngành», «UBND
các xã, phường») stand for when a document is read and a plan is loaded.

What runs already keeps the members that it was activated with.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Table, insert, select, update
from sqlmodel import Session

from engine.agencies.agencies import MAX_NAME_CHARS, new_agency_id
from engine.agencies.directory_loading import exists_on
from engine.errors import FieldsRefused, NotFound
from engine.files.directory import name_key
from engine.rules.calendar import local_date
from engine.rules.vietnamese import HIDDEN_CHARACTER, has_hidden_character
from engine.store.database import table
from engine.store.event_log import record
from engine.store.records import Agency, AgencyGroup
from engine.terms import EventKind
from engine.text import Text

MAX_ALIASES = 50


def save_group(
    session: Session,
    group_id: str,
    *,
    name: str,
    aliases: Sequence[str],
    members: Sequence[str],
    actor: str,
    now: datetime,
) -> str:
    """Add a group (``group_id`` "": its id is made from the name) or change one; returns its id. Raises FieldsRefused,
    NotFound."""
    n = table(AgencyGroup)
    before = session.connection().scalar(select(n.c.members).where(n.c.id == group_id).with_for_update())
    if group_id and before is None:
        raise NotFound(Text("Không có nhóm này.", "There is no such group."))
    name, wrong = " ".join(name.split()), {}
    aliases, bearers = _cleaned(aliases, name), _bearers(session)
    if not name:
        wrong["name"] = Text("Cần ghi tên nhóm.", "Give the group's name.")
    elif said := _refused([name], group_id, bearers):
        wrong["name"] = said
    if said := _refused(aliases, group_id, bearers):
        wrong["aliases"] = said
    if said := _members_refused(session, members, before or (), now):
        wrong["members"] = said
    if wrong:
        raise FieldsRefused(wrong)
    values: dict[str, Any] = {"name": name, "aliases": aliases, "members": list(dict.fromkeys(members))}
    if group_id:
        session.connection().execute(update(n).where(n.c.id == group_id).values(**values))
    else:
        group_id = new_agency_id(session, f"nhóm {name}")
        session.connection().execute(insert(n).values(id=group_id, **values))
    record(session, EventKind.AGENCY_CHANGED, now, actor=actor, what="group", agency=group_id, **values)
    return group_id


def _members_refused(session: Session, members: Sequence[str], before: Sequence[str], now: datetime) -> Text | None:
    """Why these cannot be a group: none, unknown ones, or such as have ended and were not in it before."""
    g, today = table(Agency), local_date(now)
    rows = session.connection().execute(select(g.c.id, g.c.names).where(g.c.id.in_(list(members))))
    known = {row.id: exists_on(row.names, today) for row in rows}
    if not members:
        return Text("Chọn ít nhất một cơ quan.", "Choose at least one agency.")
    if set(members) - set(known):
        return Text("Danh bạ không có cơ quan này.", "This agency is not in the directory.")
    if gone := [each for each in members if not known[each] and each not in before]:
        return Text(f"Hôm nay không có: {', '.join(gone)}.", f"Does not exist today: {', '.join(gone)}.")
    return None


def save_aliases(session: Session, agency_id: str, aliases: Sequence[str], *, actor: str, now: datetime) -> None:
    """Set the other ways in which documents write an agency's name. Raises FieldsRefused, NotFound."""
    g = table(Agency)
    name = session.connection().scalar(select(g.c.name).where(g.c.id == agency_id).with_for_update())
    if name is None:
        raise NotFound(Text("Không có cơ quan này trong danh bạ.", "There is no such agency in the directory."))
    aliases = _cleaned(aliases, name)
    if said := _refused(aliases, agency_id, _bearers(session)):
        raise FieldsRefused({"aliases": said})
    _set_aliases(session, g, agency_id, aliases, actor=actor, now=now)


def remember_names(session: Session, written: Mapping[str, str], *, actor: str, now: datetime) -> None:
    """Add ways of writing a name to those of the agency or group that each stands for (``written``: name -> its id).
    One that somebody else bears, or that is one too many, is left out."""
    bearers = _bearers(session)
    for kind in (table(Agency), table(AgencyGroup)):
        chosen = select(kind.c.id, kind.c.name, kind.c.aliases).where(kind.c.id.in_(set(written.values())))
        for row in session.connection().execute(chosen.order_by(kind.c.id).with_for_update()).all():
            names = [name for name, of in written.items() if of == row.id and _refused([name], row.id, bearers) is None]
            aliases = _cleaned([*row.aliases, *names], row.name)[:MAX_ALIASES]
            if aliases != row.aliases:
                _set_aliases(session, kind, row.id, aliases, actor=actor, now=now)
                _note(bearers, row.id, row.name, aliases)


def _set_aliases(
    session: Session, kind: Table, own_id: str, aliases: Sequence[str], *, actor: str, now: datetime
) -> None:
    session.connection().execute(update(kind).where(kind.c.id == own_id).values(aliases=aliases))
    record(session, EventKind.AGENCY_CHANGED, now, actor=actor, what="aliases", agency=own_id, names=aliases)


def _cleaned(aliases: Sequence[str], name: str) -> list[str]:
    """Without blanks, doubles and the name itself."""
    found = {each.casefold(): each for each in (" ".join(alias.split()) for alias in aliases) if each}
    found.pop(name.casefold(), None)
    return list(found.values())


_Bearers = dict[str, list[tuple[str, str]]]
"""The key of a name -> the id and the name of each agency and group that bears it."""


def _bearers(session: Session) -> _Bearers:
    n, g = table(AgencyGroup), table(Agency)
    found: _Bearers = {}
    for row in session.connection().execute(select(g.c.id, g.c.name, g.c.short, g.c.names, g.c.aliases)):
        _note(found, row.id, row.name, [row.name, row.short, *(each["name"] for each in row.names), *row.aliases])
    for row in session.connection().execute(select(n.c.id, n.c.name, n.c.aliases)):
        _note(found, row.id, row.name, [row.name, *row.aliases])
    return found


def _note(bearers: _Bearers, own_id: str, name: str, borne: Sequence[str]) -> None:
    for key in {*map(name_key, borne)}:
        bearers.setdefault(key, []).append((own_id, name))


def _refused(names: Sequence[str], own_id: str, bearers: _Bearers) -> Text | None:
    """Why these names cannot be given: too long, too many, or borne by somebody else."""
    if any(has_hidden_character(each) for each in names):
        return HIDDEN_CHARACTER
    if any(len(each) > MAX_NAME_CHARS for each in names):
        return Text(f"Tên dài nhất {MAX_NAME_CHARS} ký tự.", f"A name has at most {MAX_NAME_CHARS} characters.")
    if len(names) > MAX_ALIASES:
        return Text(f"Nhiều nhất {MAX_ALIASES} cách viết.", f"At most {MAX_ALIASES} ways of writing it.")
    wanted = {name_key(each): each for each in names}
    if "" in wanted:
        return Text(f"«{wanted['']}» không có chữ nào để nhận ra.", f"“{wanted['']}” has no letters to go by.")
    for key, name in wanted.items():
        for other_id, other in bearers.get(key, ()):
            if other_id != own_id:
                return _taken_by(name, other)
    return None


def _taken_by(name: str, other: str) -> Text:
    return Text(
        f"«{name}» đang chỉ {other}; văn bản viết vậy thì không biết là ai.",
        f"“{name}” already means {other}; a document that says so would be ambiguous.",
    )
