"""Saved views: a list with its filters and order under a name of one's own."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from urllib.parse import parse_qsl, urlencode, urlsplit

from sqlalchemy import delete, func, select
from sqlmodel import Session

from engine.errors import BadInput, Conflict, FieldsRefused
from engine.store.database import insert_new, table
from engine.store.records import SavedView
from engine.store.stored_rows import objects
from engine.text import Text

LISTS = (
    "/",
    "/overdue",
    "/assignments",
    "/agencies",
    "/plans",
    "/letters",
    "/leadership",
    "/accept",
    "/extensions",
    "/promises",
    "/admin/log",
)
MAX_VIEWS, MAX_NAME, MAX_PATH = 30, 60, 400
NOT_KEPT = ("after", "page", "said", "n", "kept", "tick", "lang", "as", "stepped", "col")
"""Parameters of a moment, not of a view. "col": of the release before."""


@dataclass(frozen=True, slots=True)
class View:
    id: int
    name: str
    path: str


def views_of(session: Session, owner: str, of_list: str = "") -> tuple[View, ...]:
    """By name; of one list, or of all."""
    v = table(SavedView)
    found = session.connection().execute(
        select(v.c.id, v.c.name, v.c.path).where(v.c.owner == owner).order_by(v.c.name)
    )
    return tuple(each for each in objects(View, found) if not of_list or urlsplit(each.path).path == of_list)


def save_view(session: Session, owner: str, name: str, path: str, now: datetime) -> str:
    """Keep a list's address under a name; returns the address as kept. Raises FieldsRefused, BadInput, Conflict."""
    plain = " ".join(name.split())
    if not plain or len(plain) > MAX_NAME:
        raise FieldsRefused({"name": Text(f"Đặt tên, nhiều nhất {MAX_NAME} ký tự.", f"A name of at most {MAX_NAME}.")})
    kept = kept_path(path)
    v = table(SavedView)
    if (session.connection().scalar(select(func.count()).where(v.c.owner == owner)) or 0) >= MAX_VIEWS:
        raise Conflict(Text(f"Đã có {MAX_VIEWS} cách xem; xóa bớt.", f"There are {MAX_VIEWS} views; delete some."))
    row = {"owner": owner, "name": plain, "path": kept, "created_at": now}
    if not insert_new(session, SavedView, [row]):
        raise FieldsRefused({"name": Text("Tên này đã dùng.", "This name is taken.")})
    return kept


def kept_path(path: str) -> str:
    """The address of a list on this server, without what belongs to the moment. Raises BadInput for another."""
    parts = urlsplit(path)
    query = urlencode([(name, value) for name, value in parse_qsl(parts.query) if name not in NOT_KEPT])
    kept = f"{parts.path}?{query}" if query else parts.path
    if parts.scheme or parts.netloc or parts.path not in LISTS or len(kept) > MAX_PATH:
        raise BadInput(Text("Danh sách này không lưu được.", "This list cannot be saved."))
    return kept


def delete_view(session: Session, owner: str, view_id: int) -> None:
    """Of one's own; nothing happens for another's."""
    v = table(SavedView)
    session.connection().execute(delete(v).where(v.c.id == view_id, v.c.owner == owner))
