"""Reads the directory back from the database, for example to match the owners named in an imported document."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import select
from sqlmodel import Session

from engine.errors import NotFound
from engine.files.directory import DirectoryFile, HandedOver
from engine.store.database import table
from engine.store.records import Agency, AgencyGroup, Contact, Event, Succession
from engine.terms import EventKind
from engine.text import Text

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
