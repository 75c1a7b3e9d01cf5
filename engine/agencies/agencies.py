"""Manual changes of the directory: a new agency, a new name from a day on, a succession of functions.

``engine.agencies.directory_loading`` loads a directory from a file; these are the single changes in between. Agencies
are never deleted and names never overwritten: the name on the day of a document stays known
(engine.agencies.directory_loading.name_on).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import delete, insert, select, update
from sqlmodel import Session

from engine.agencies.directory_loading import name_on
from engine.errors import Conflict, FieldsRefused, NotFound
from engine.files.directory import REST, fold
from engine.rules.calendar import ONE_DAY, local_date, written
from engine.rules.vietnamese import HIDDEN_CHARACTER, has_hidden_character
from engine.store.database import table
from engine.store.event_log import record
from engine.store.records import Agency, AgencyGroup, Succession
from engine.store.records.plans import AgencyName
from engine.store.stored_rows import members_of_groups
from engine.terms import EventKind
from engine.text import Text

_ID = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_LEVEL = re.compile(r"[a-z]+(?:_[a-z]+)*")
MAX_NAME_CHARS, MAX_BASIS_CHARS = 200, 300


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
    """Add an agency. ``groups``: the agency groups it joins. Raises FieldsRefused, Conflict."""
    _raise_if_any(_agency_errors(session, agency_id, name, short, level, code=code, parent=parent, groups=groups))
    if _known(session, [agency_id]):
        raise Conflict(
            Text(f"Mã «{agency_id}» đã có trong danh bạ.", f"The id “{agency_id}” is already in the directory.")
        )
    _raise_if_any({"name": NAME_TAKEN} if _name_taken(session, name, parent or None) else {})
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
        members = [*members_of_groups(session)[group], agency_id]
        n = table(AgencyGroup)
        session.connection().execute(update(n).where(n.c.id == group).values(members=members))
    _log_change(session, "added", agency_id, actor, now, name=name)


def new_agency_id(session: Session, name: str) -> str:
    """An id for a new agency, made from its name («Sở Y tế» → "so-y-te"), with a number where that is taken."""
    taken = set(session.connection().scalars(select(table(Agency).c.id)))
    plain = "-".join(re.findall(r"[a-z0-9]+", fold(name)))[:56].strip("-") or "co-quan"
    return next(each for each in (plain, *(f"{plain}-{n}" for n in range(2, 10_000))) if each not in taken)


def rename(
    session: Session, agency_id: str, *, name: str, on: date, short: str = "", actor: str, now: datetime
) -> None:
    """Give the agency another name from ``on``; the earlier one ends the day before and is kept. A future name takes
    effect by ``apply_current_names``. Raises FieldsRefused, NotFound."""
    names = _locked(session, agency_id)
    last, wrong = names[-1], _name_errors(name, short)
    start = last.get("from")
    if start and on <= date.fromisoformat(start):
        day = date.fromisoformat(start)
        wrong["on"] = Text(
            f"Tên đang có bắt đầu {written(day)}; tên mới phải sau ngày ấy.",
            f"The current name began on {written(day, 'en')}; a new one must begin later.",
        )
    if (name, short or name) == (last["name"], last.get("short") or last["name"]):
        wrong["name"] = Text("Đây là tên đang dùng.", "This is the current name.")
    g = table(Agency)
    parent_id = session.connection().scalar(select(g.c.parent_id).where(g.c.id == agency_id))
    if "name" not in wrong and _name_taken(session, name, parent_id, but=agency_id):
        wrong["name"] = NAME_TAKEN
    _raise_if_any(wrong)
    new_names = [*names[:-1], last | {"until": (on - ONE_DAY).isoformat()}, _entry(name, short, on)]
    session.connection().execute(update(table(Agency)).where(table(Agency).c.id == agency_id).values(names=new_names))
    apply_current_names(session, now, [agency_id])
    _log_change(session, "renamed", agency_id, actor, now, name=name, was=last["name"], on=on.isoformat())


def apply_current_names(session: Session, now: datetime, only: Iterable[str] = ()) -> int:
    """Update the current name of every agency (or of ``only`` some) to that of today; returns how many changed. For a
    daily pass."""
    g, today, changed = table(Agency), local_date(now), 0
    ids = tuple(only)
    statement = select(g.c.id, g.c.name, g.c.short, g.c.names)
    for row in session.connection().execute(statement.where(g.c.id.in_(ids)) if ids else statement).all():
        entry = _entry_on(row.names, today)
        name, short = str(entry["name"]), str(entry.get("short") or entry["name"])
        if (name, short) != (row.name, row.short):
            session.connection().execute(update(g).where(g.c.id == row.id).values(name=name, short=short))
            changed += 1
    return changed


def succeed(
    session: Session, from_id: str, to_id: str, *, on: date, basis: str, function: str = REST, actor: str, now: datetime
) -> int:
    """Record that from ``on``, ``function`` of one agency belongs to another, on a legal basis; returns the row id.
    Assignments are not moved: see ``engine.assignments.handover``. Raises FieldsRefused, NotFound, Conflict."""
    _locked(session, from_id)
    function, wrong = " ".join(function.split()) or REST, {}
    if from_id == to_id:
        wrong["to"] = Text("Cơ quan không kế thừa chính mình.", "An agency cannot succeed itself.")
    elif not _known(session, [to_id]):
        wrong["to"] = _UNKNOWN
    elif cycle := _cycle(session, from_id, to_id, function):
        wrong["to"] = Text(f"Như vậy thành vòng: {cycle}.", f"That would be a cycle: {cycle}.")
    if not basis.strip():
        wrong["basis"] = Text("Cần ghi văn bản làm căn cứ.", "Give the document that is its legal basis.")
    if len(basis) > MAX_BASIS_CHARS or len(function) > MAX_NAME_CHARS:
        wrong["basis" if len(basis) > MAX_BASIS_CHARS else "function"] = Text(
            "Dài quá; hãy viết gọn.", "Too long; shorten it."
        )
    _raise_if_any(wrong)
    s = table(Succession)
    edge = {"from_id": from_id, "to_id": to_id, "on": on, "function": function}
    if session.connection().scalar(select(s.c.id).filter_by(**edge)) is not None:
        raise Conflict(Text("Việc kế thừa này đã ghi rồi.", "This succession is already recorded."))
    inserted = session.connection().execute(insert(s).values(**edge, basis=basis.strip()))
    _log_change(session, "succeeded", from_id, actor, now, to=to_id, on=on.isoformat(), function=function, basis=basis)
    return int((inserted.inserted_primary_key or (0,))[0])


def withdraw(session: Session, from_id: str, succession_id: int, *, actor: str, now: datetime) -> None:
    """Delete a succession that was entered by mistake. Assignments already handed over are not moved back. Raises
    NotFound."""
    s = table(Succession)
    own = (s.c.id == succession_id, s.c.from_id == from_id)
    edge = session.connection().execute(select(s).where(*own)).first()
    if edge is None:
        raise NotFound(Text("Không có việc kế thừa này.", "There is no such succession."))
    session.connection().execute(delete(s).where(*own))
    _log_change(
        session, "withdrawn", from_id, actor, now, to=edge.to_id, on=edge.on.isoformat(), function=edge.function
    )


NAME_TAKEN = Text(
    "Cơ quan khác đã mang tên này; hãy ghi tên phân biệt được.",
    "Another agency bears this name; give one that tells them apart.",
)
_UNKNOWN = Text("Danh bạ không có cơ quan này.", "This agency is not in the directory.")


def _agency_errors(
    session: Session,
    agency_id: str,
    name: str,
    short: str,
    level: str,
    *,
    code: str,
    parent: str,
    groups: Sequence[str],
) -> dict[str, Text]:
    """What is wrong with a new agency, by field."""
    wrong = _name_errors(name, short)
    if not _ID.fullmatch(agency_id) or len(agency_id) > 64:
        wrong["id"] = Text("Mã viết như so-noi-vu: chữ thường không dấu, số, gạch nối.", "Write an id like so-noi-vu.")
    if not _LEVEL.fullmatch(level) or len(level) > 32:
        wrong["level"] = Text("Chọn loại cơ quan.", "Choose the kind of agency.")
    if len(code) > 16:
        wrong["code"] = Text("Mã thống kê dài nhất 16 ký tự.", "A statistical code has at most 16 characters.")
    if parent and not _known(session, [parent]):
        wrong["parent"] = _UNKNOWN
    if unknown := set(groups) - set(members_of_groups(session)):
        wrong["groups"] = Text(f"Không có nhóm: {', '.join(sorted(unknown))}.", "There is no such group.")
    return wrong


def _name_taken(session: Session, name: str, parent_id: str | None, *, but: str = "") -> bool:
    """Whether another agency under the same one bears the name, however it is typed: people could not tell whose
    letters are whose. Agencies of different parents may: two districts can have a commune of one name; without a
    parent nothing tells them apart."""
    g = table(Agency)
    siblings = select(g.c.names).where(g.c.id != but)
    if parent_id is not None:
        siblings = siblings.where((g.c.parent_id == parent_id) | g.c.parent_id.is_(None))
    return any(
        _as_read(names[-1]["name"]) == _as_read(name) and not names[-1].get("until")
        for names in session.connection().scalars(siblings)
    )


def _as_read(name: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())


def _foreign_letter(text: str) -> str:
    """The first letter of another script than the Latin one, as «а» of Cyrillic, which looks like ours; else empty."""
    letters = (each for each in text if each.isalpha() and not unicodedata.name(each, "").startswith("LATIN"))
    return next(letters, "")


def _name_errors(name: str, short: str) -> dict[str, Text]:
    wrong = {}
    if not name.strip():
        wrong["name"] = Text("Cần ghi tên.", "Give the name.")
    for field, text in (("name", name), ("short", short)):
        if has_hidden_character(text):
            wrong[field] = HIDDEN_CHARACTER
        elif strange := _foreign_letter(text):
            wrong[field] = Text(
                f"«{strange}» không phải chữ cái tiếng Việt dù trông giống; hãy gõ lại.",
                f"“{strange}” is a letter of another script that only looks alike; type it again.",
            )
        if len(text) > MAX_NAME_CHARS:
            wrong[field] = Text(
                f"Tên dài nhất {MAX_NAME_CHARS} ký tự.", f"A name has at most {MAX_NAME_CHARS} characters."
            )
    return wrong


def _raise_if_any(wrong: Mapping[str, Text]) -> None:
    if wrong:
        raise FieldsRefused(wrong)


def _entry(name: str, short: str, since: date | None) -> AgencyName:
    return {"from": None if since is None else since.isoformat(), "until": None, "name": name, "short": short}


def _entry_on(names: Sequence[AgencyName], day: date) -> AgencyName:
    name = name_on(names, day)
    return next(each for each in reversed(names) if each["name"] == name)


def _known(session: Session, ids: Sequence[str]) -> bool:
    g = table(Agency)
    return len(session.connection().scalars(select(g.c.id).where(g.c.id.in_(ids))).all()) == len(set(ids))


def _locked(session: Session, agency_id: str) -> list[AgencyName]:
    """The names of an agency, with its row locked. Raises NotFound."""
    g = table(Agency)
    names: list[AgencyName] | None = session.connection().scalar(
        select(g.c.names).where(g.c.id == agency_id).with_for_update()
    )
    if names is None:
        raise NotFound(Text("Không có cơ quan này trong danh bạ.", "There is no such agency in the directory."))
    return names


def _cycle(session: Session, from_id: str, to_id: str, function: str) -> str:
    """The cycle that one more succession of this function would close, as agency names; empty if none."""
    s, g = table(Succession), table(Agency)
    edges: dict[str, list[str]] = {}
    for row in session.connection().execute(select(s.c.from_id, s.c.to_id, s.c.function)):
        if fold(row.function) == fold(function):
            edges.setdefault(row.from_id, []).append(row.to_id)
    paths: list[tuple[str, ...]] = [(from_id, to_id)]
    reached = {to_id}
    while paths and paths[0][-1] != from_id:
        path = paths.pop(0)
        paths += [(*path, each) for each in edges.get(path[-1], ()) if each not in reached]
        reached.update(edges.get(path[-1], ()))
    if not paths:
        return ""
    statement = select(g.c.id, g.c.name).where(g.c.id.in_(paths[0]))
    names = {row.id: row.name for row in session.connection().execute(statement)}
    return " → ".join(names[each] for each in paths[0])


def _log_change(session: Session, what: str, agency_id: str, actor: str, now: datetime, **detail: Any) -> None:
    record(session, EventKind.AGENCY_CHANGED, now, actor=actor, what=what, agency=agency_id, **detail)
