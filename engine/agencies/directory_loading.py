"""Loads a directory file into the database, in one transaction, and expands lists of owners.

Reads the directory back from the database, for example to match the owners named in an imported document.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import Table, insert, select, update
from sqlmodel import Session

from engine.errors import BadInput, NotFound
from engine.files.directory import AgencyEntry, DirectoryFile, HandedOver
from engine.store.database import insert_new, table
from engine.store.event_log import content_digest, record
from engine.store.records import Agency, AgencyGroup, Contact, Event, Succession
from engine.store.records.plans import AgencyName
from engine.terms import EventKind
from engine.text import Text


def load_directory(session: Session, directory: DirectoryFile, *, actor: str, now: datetime) -> None:
    """Insert or update agencies, groups and successions; insert missing contacts. Nothing is deleted: a contact ends by
    its dates, an agency by its successors."""
    connection = session.connection()
    for entry in _parents_first(directory.agencies):
        _write(session, table(Agency), _agency(entry))
    for group in directory.groups:
        members = list(directory.members(group.id))
        row = {"id": group.id, "name": group.name, "aliases": list(group.aliases), "members": members}
        _write(session, table(AgencyGroup), row)
    unknown = _write_successions(session, directory)
    contacts = table(Contact)
    known = set(map(tuple, connection.execute(select(contacts.c.agency_id, contacts.c.role, contacts.c.email))))
    rows: list[dict[str, object]] = [
        {
            "agency_id": entry.id,
            "role": each.role,
            "label": each.label,
            "email": each.email,
            "phone": each.phone or "",
            "language": each.language,
            "valid_from": each.from_,
            "valid_until": each.until,
            "suppressed": {},
        }
        for entry in directory.agencies
        for each in entry.contacts
        if (entry.id, each.role, each.email) not in known
    ]
    if rows:
        connection.execute(insert(contacts), rows)
    digest = content_digest(directory.model_dump(mode="json"))
    record(
        session,
        EventKind.DIRECTORY_LOADED,
        now,
        actor=actor,
        key=f"directory:{directory.id}:{digest[:16]}",
        directory=directory.id,
        name=directory.name,
        agencies=len(directory.agencies),
        unknown_predecessors=unknown,
    )


def _write_successions(session: Session, directory: DirectoryFile) -> list[str]:
    """Insert or update the successions that the entries name on either side. Returns the predecessors that the
    directory does not know, whose successions are left out until the file is loaded again."""
    s, connection = table(Succession), session.connection()
    known = set(connection.scalars(select(table(Agency).c.id)))
    edges: list[tuple[str, str, HandedOver]] = []
    for entry in directory.agencies:
        edges += [(entry.id, each.to, each) for each in entry.successors]
        edges += [(each.of, entry.id, each) for each in entry.follows]
    unknown = sorted({from_id for from_id, _, _ in edges} - known)
    rows: list[dict[str, object]] = []
    for from_id, to_id, each in edges:
        if from_id in known:
            key = {"from_id": from_id, "to_id": to_id, "on": each.on, "function": each.function}
            said = {"basis": each.basis, "words": list(each.words), "seat": each.seat, "inferred": each.inferred}
            if connection.execute(update(s).filter_by(**key).values(**said)).rowcount == 0:
                rows.append(key | said)
    insert_new(session, Succession, rows)
    return unknown


def _write(session: Session, target: Table, row: Mapping[str, object]) -> None:
    """Update the row with this id, or insert it."""
    connection = session.connection()
    if connection.execute(update(target).where(target.c.id == row["id"]).values(**row)).rowcount == 0:
        connection.execute(insert(target).values(**row))


def expand_owners(session: Session, owners: Iterable[str], on: date | None = None) -> tuple[str, ...]:
    """Expand agencies and groups to agency ids, each once, in order; with a day, a group to its members that exist on
    it, as far as any does. Raises BadInput for an unknown one."""
    g = table(Agency)
    groups = {row.id: row.members for row in session.connection().execute(select(table(AgencyGroup)))}
    result: dict[str, None] = {}
    for owner in owners:
        members = groups.get(owner, [owner])
        if on is not None and owner in groups:
            named = session.connection().execute(select(g.c.id, g.c.names).where(g.c.id.in_(members)))
            there = {row.id for row in named if exists_on(row.names, on)}
            members = [each for each in members if each in there] or members
        result.update(dict.fromkeys(members))
    require_known_agencies(session, result)
    return tuple(result)


def name_on(names: Sequence[AgencyName], day: date) -> str:
    """An agency's name on a day: the first entry whose dates include it, else the last."""
    for entry in names:
        begins, ends = entry.get("from"), entry.get("until")
        if (not begins or begins <= day.isoformat()) and (not ends or day.isoformat() <= ends):
            return str(entry["name"])
    return str(names[-1]["name"])


def exists_on(names: Sequence[AgencyName], day: date) -> bool:
    """Whether an agency with these names exists on a day: one of them is its name then."""
    text = day.isoformat()
    return any((each.get("from") or "") <= text <= (each.get("until") or "9999-12-31") for each in names)


def require_known_agencies(session: Session, ids: Iterable[str]) -> None:
    known = set(session.connection().scalars(select(table(Agency).c.id)))
    unknown = [each for each in ids if each not in known]
    if unknown:
        raise BadInput(
            Text(
                f"Danh bạ chưa có: {', '.join(unknown)}; nạp danh bạ trước.",
                f"Not in the directory: {', '.join(unknown)}; load the directory first.",
            )
        )


def _agency(entry: AgencyEntry) -> dict[str, Any]:
    latest = entry.names[-1]
    return {
        "id": entry.id,
        "level": entry.level,
        "code": entry.code,
        "parent_id": entry.parent,
        "name": latest.name,
        "short": latest.short or latest.name,
        "aliases": list(entry.aliases),
        "names": [each.model_dump(mode="json", by_alias=True) for each in entry.names],
    }


def _parents_first(agencies: Iterable[AgencyEntry]) -> list[AgencyEntry]:
    """Order agencies so that each comes after its parent (cycles were refused by the file model)."""
    waiting = {entry.id: entry for entry in agencies}
    ordered: list[AgencyEntry] = []

    def place(entry: AgencyEntry) -> None:
        if entry.id in waiting:
            del waiting[entry.id]
            if entry.parent in waiting:
                place(waiting[entry.parent])
            ordered.append(entry)

    for entry in list(waiting.values()):
        place(entry)
    return ordered


ENTERED_BY_HAND = {"directory": "co-quan", "name": "cơ quan"}
"""Id and name of a directory that was never loaded from a file."""


def read_directory(session: Session, *, contacts: bool = False) -> DirectoryFile:
    """Agencies and groups, under the id of the last loaded directory; optionally with their reachable contacts. Four
    or five queries. Raises NotFound if there is no agency."""
    connection = session.connection()
    e, g, n, s = table(Event), table(Agency), table(AgencyGroup), table(Succession)
    newest = select(e.c.detail).where(e.c.kind == EventKind.DIRECTORY_LOADED).order_by(e.c.id.desc()).limit(1)
    loaded: Mapping[str, str] = connection.scalar(newest) or ENTERED_BY_HAND
    successors: dict[str, list[dict[str, object]]] = {}
    for edge in connection.execute(select(s).order_by(s.c.on, s.c.id)):
        step = {
            "to": edge.to_id,
            **{name: getattr(edge, name) for name in HandedOver.model_fields},
        }
        successors.setdefault(edge.from_id, []).append(step)
    contacts_by_agency = _contacts(session) if contacts else {}
    agencies = [
        {
            "id": row.id,
            "names": row.names,
            "aliases": row.aliases,
            "level": row.level,
            "code": row.code,
            "parent": row.parent_id,
            "contacts": contacts_by_agency.get(row.id, []),
            "successors": successors.get(row.id, []),
        }
        for row in connection.execute(select(g).order_by(g.c.id))
    ]
    if not agencies:
        raise NotFound(
            Text(
                "Danh bạ còn trống; chạy «dondoc load contacts TỆP» hoặc «dondoc load directory TỆP».",
                "The directory is empty; run “dondoc load contacts FILE” or “dondoc load directory FILE”.",
            )
        )
    groups = [
        {"id": row.id, "name": row.name, "aliases": row.aliases, "members": row.members}
        for row in connection.execute(select(n).order_by(n.c.id))
    ]
    name = loaded.get("name") or loaded["directory"]
    plain = {"schema": "dondoc/directory@1", "id": loaded["directory"], "name": name}
    return DirectoryFile.model_validate(plain | {"agencies": agencies, "groups": groups})


def _contacts(session: Session) -> dict[str, list[dict[str, object]]]:
    """Contacts with a mailbox; those who left have none."""
    c = table(Contact)
    result: dict[str, list[dict[str, object]]] = {}
    for row in session.connection().execute(select(c).where(c.c.email != "").order_by(c.c.id)):
        entry = {
            "role": row.role,
            "label": row.label,
            "email": row.email,
            "phone": row.phone or None,
            "language": row.language,
            "from": row.valid_from,
            "until": row.valid_until,
        }
        result.setdefault(row.agency_id, []).append(entry)
    return result
