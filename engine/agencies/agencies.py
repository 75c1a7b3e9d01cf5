"""The directory, kept by hand: a new agency, a new name from a day on, and who took over which function.

``engine.plans.loading`` brings a directory from a file; these are the single acts between two files. Nobody is removed
and no name is overwritten: what a body was called on the day of a document stays known (engine.plans.loading.name_on).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import delete, insert, select, update
from sqlmodel import Session

from engine.agencies.directory_loading import name_on
from engine.assignments.handover import REST
from engine.errors import Conflict, FieldsRefused, NotFound
from engine.files.directory import fold
from engine.rules.calendar import ONE_DAY, local_date, written
from engine.store.database import table
from engine.store.event_log import append, event
from engine.store.records import Agency, AgencyGroup, Succession
from engine.terms import EventKind
from engine.text import Text

_ID = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_LEVEL = re.compile(r"[a-z]+(?:_[a-z]+)*")
MOST_NAME, MOST_BASIS = 200, 300


def add_agency(
    session: Session,
    agency_id: str,
    *,
    name: str,
    level: str,
    short: str = "",
    parent: str = "",
    code: str = "",
    since: date | None = None,
    groups: Sequence[str] = (),
    actor: str,
    now: datetime,
) -> None:
    """A body that was not there. ``groups``: the agency groups it joins. Raises FieldsRefused, Conflict."""
    wrong = _named(name, short)
    if not _ID.fullmatch(agency_id) or len(agency_id) > 64:
        wrong["id"] = Text("Mã viết như so-noi-vu: chữ thường không dấu, số, gạch nối.", "Write an id like so-noi-vu.")
    if not _LEVEL.fullmatch(level) or len(level) > 32:
        wrong["level"] = Text("Chọn loại cơ quan.", "Choose the kind of body.")
    if len(code) > 16:
        wrong["code"] = Text("Mã thống kê dài nhất 16 ký tự.", "A statistical code has 16 characters at most.")
    if parent and not _known(session, [parent]):
        wrong["parent"] = _UNKNOWN
    if unknown := set(groups) - set(_groups(session)):
        wrong["groups"] = Text(f"Không có nhóm: {', '.join(sorted(unknown))}.", "There is no such group.")
    _refuse(wrong)
    if _known(session, [agency_id]):
        raise Conflict(
            Text(f"Mã «{agency_id}» đã có trong danh bạ.", f"The id “{agency_id}” is in the directory already.")
        )
    session.connection().execute(
        insert(table(Agency)).values(
            id=agency_id,
            level=level,
            code=code or None,
            parent_id=parent or None,
            name=name,
            short=short or name,
            names=[_entry(name, short, since)],
            aliases=[],
        )
    )
    for group in groups:
        members = [*_groups(session)[group], agency_id]
        n = table(AgencyGroup)
        session.connection().execute(update(n).where(n.c.id == group).values(members=members))
    _tell(session, "added", agency_id, actor, now, name=name)


def rename(
    session: Session, agency_id: str, *, name: str, on: date, short: str = "", actor: str, now: datetime
) -> None:
    """From ``on`` the body bears another name; the earlier one ends the day before and stays known. A name whose day
    is still to come is taken up by ``take_up_names``. Raises FieldsRefused, NotFound."""
    names = _locked(session, agency_id)
    last, wrong = names[-1], _named(name, short)
    begun = last.get("from")
    if begun and on <= date.fromisoformat(begun):
        day = date.fromisoformat(begun)
        wrong["on"] = Text(
            f"Tên đang có bắt đầu {written(day)}; tên mới phải sau ngày ấy.",
            f"The present name began on {written(day, 'en')}; a new one begins later.",
        )
    if (name, short or name) == (last["name"], last.get("short") or last["name"]):
        wrong["name"] = Text("Đây là tên đang dùng.", "This is the name it has.")
    _refuse(wrong)
    kept = [*names[:-1], last | {"until": (on - ONE_DAY).isoformat()}, _entry(name, short, on)]
    session.connection().execute(update(table(Agency)).where(table(Agency).c.id == agency_id).values(names=kept))
    take_up_names(session, now, [agency_id])
    _tell(session, "renamed", agency_id, actor, now, name=name, was=last["name"], on=on.isoformat())


def take_up_names(session: Session, now: datetime, only: Iterable[str] = ()) -> int:
    """Let every body (or ``only`` some) bear the name of today; returns how many names changed. For a daily pass."""
    g, today, changed = table(Agency), local_date(now), 0
    wanted = tuple(only)
    chosen = select(g.c.id, g.c.name, g.c.short, g.c.names)
    for row in session.connection().execute(chosen.where(g.c.id.in_(wanted)) if wanted else chosen).all():
        entry = _borne(row.names, today)
        name, short = str(entry["name"]), str(entry.get("short") or entry["name"])
        if (name, short) != (row.name, row.short):
            session.connection().execute(update(g).where(g.c.id == row.id).values(name=name, short=short))
            changed += 1
    return changed


def succeed(
    session: Session, from_id: str, to_id: str, *, on: date, basis: str, function: str = REST, actor: str, now: datetime
) -> int:
    """From ``on``, ``function`` of one body belongs to another, by a legal basis; returns the edge's id. Nothing moves
    by itself: see ``engine.assignments.handover``. Raises FieldsRefused, NotFound, Conflict."""
    _locked(session, from_id)
    function, wrong = " ".join(function.split()) or REST, {}
    if from_id == to_id:
        wrong["to"] = Text("Cơ quan không kế thừa chính mình.", "A body does not succeed itself.")
    elif not _known(session, [to_id]):
        wrong["to"] = _UNKNOWN
    elif way := _way_back(session, from_id, to_id, function):
        wrong["to"] = Text(f"Như vậy thành vòng: {way}.", f"That would be a circle: {way}.")
    if not basis.strip():
        wrong["basis"] = Text("Cần ghi văn bản làm căn cứ.", "Give the document it rests on.")
    if len(basis) > MOST_BASIS or len(function) > MOST_NAME:
        wrong["basis" if len(basis) > MOST_BASIS else "function"] = Text(
            "Dài quá; hãy viết gọn.", "Too long; shorten it."
        )
    _refuse(wrong)
    s = table(Succession)
    edge = {"from_id": from_id, "to_id": to_id, "on": on, "function": function}
    if session.connection().scalar(select(s.c.id).filter_by(**edge)) is not None:
        raise Conflict(Text("Việc kế thừa này đã ghi rồi.", "This succession is recorded already."))
    made = session.connection().execute(insert(s).values(**edge, basis=basis.strip()))
    _tell(session, "succeeded", from_id, actor, now, to=to_id, on=on.isoformat(), function=function, basis=basis)
    return int((made.inserted_primary_key or (0,))[0])


def withdraw(session: Session, from_id: str, succession_id: int, *, actor: str, now: datetime) -> None:
    """Take back a succession that was entered by mistake. What was handed over by it stays where it went. Raises
    NotFound."""
    s = table(Succession)
    mine = (s.c.id == succession_id, s.c.from_id == from_id)
    edge = session.connection().execute(select(s).where(*mine)).first()
    if edge is None:
        raise NotFound(Text("Không có việc kế thừa này.", "There is no such succession."))
    session.connection().execute(delete(s).where(*mine))
    _tell(session, "withdrawn", from_id, actor, now, to=edge.to_id, on=edge.on.isoformat(), function=edge.function)


_UNKNOWN = Text("Danh bạ không có cơ quan này.", "It is not in the directory.")


def _named(name: str, short: str) -> dict[str, Text]:
    wrong = {}
    if not name.strip():
        wrong["name"] = Text("Cần ghi tên.", "Give the name.")
    for field, text in (("name", name), ("short", short)):
        if len(text) > MOST_NAME:
            wrong[field] = Text(f"Tên dài nhất {MOST_NAME} ký tự.", f"A name has {MOST_NAME} characters at most.")
    return wrong


def _refuse(wrong: Mapping[str, Text]) -> None:
    if wrong:
        raise FieldsRefused(wrong)


def _entry(name: str, short: str, since: date | None) -> dict[str, Any]:
    return {"from": None if since is None else since.isoformat(), "until": None, "name": name, "short": short}


def _borne(names: list[dict[str, Any]], day: date) -> dict[str, Any]:
    name = name_on(names, day)
    return next(each for each in reversed(names) if each["name"] == name)


def _known(session: Session, ids: Sequence[str]) -> bool:
    g = table(Agency)
    return len(session.connection().scalars(select(g.c.id).where(g.c.id.in_(ids))).all()) == len(set(ids))


def _groups(session: Session) -> dict[str, list[str]]:
    n = table(AgencyGroup)
    return {row.id: row.members for row in session.connection().execute(select(n.c.id, n.c.members))}


def _locked(session: Session, agency_id: str) -> list[dict[str, Any]]:
    """The names of a body, held until the deed is done. Raises NotFound."""
    g = table(Agency)
    found: list[dict[str, Any]] | None = session.connection().scalar(
        select(g.c.names).where(g.c.id == agency_id).with_for_update()
    )
    if found is None:
        raise NotFound(Text("Không có cơ quan này trong danh bạ.", "There is no such agency in the directory."))
    return found


def _way_back(session: Session, from_id: str, to_id: str, function: str) -> str:
    """The circle that one more edge would close for this function, in names; empty when it would close none."""
    s, g = table(Succession), table(Agency)
    edges: dict[str, list[str]] = {}
    for row in session.connection().execute(select(s.c.from_id, s.c.to_id, s.c.function)):
        if fold(row.function) == fold(function):
            edges.setdefault(row.from_id, []).append(row.to_id)
    ways: list[tuple[str, ...]] = [(from_id, to_id)]
    reached = {to_id}
    while ways and ways[0][-1] != from_id:
        way = ways.pop(0)
        ways += [(*way, each) for each in edges.get(way[-1], ()) if each not in reached]
        reached.update(edges.get(way[-1], ()))
    if not ways:
        return ""
    chosen = select(g.c.id, g.c.name).where(g.c.id.in_(ways[0]))
    names = {row.id: row.name for row in session.connection().execute(chosen)}
    return " → ".join(names[each] for each in ways[0])


def _tell(session: Session, what: str, agency_id: str, actor: str, now: datetime, **detail: Any) -> None:
    append(session, [event(EventKind.AGENCY_CHANGED, now, actor=actor, what=what, agency=agency_id, **detail)])
