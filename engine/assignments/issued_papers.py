"""Records that a drafted paper was issued: its number and date stand in the story of each assignment it was about, and
in later letters. No state changes, nothing is sent."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, datetime

from sqlalchemy import select
from sqlmodel import Session

from engine.errors import Conflict, FieldsRefused
from engine.rules.calendar import local_date
from engine.store.database import table
from engine.store.event_log import append, event
from engine.store.records import Event
from engine.terms import EventKind
from engine.text import Text

NUMBER = re.compile(r"(\d{1,5})/([A-ZĐ][\wĐƯƠ.&-]{1,39})")
"""«412/SLĐTBXH-PCTNXH»: the number, then the sign."""


def record_paper(
    session: Session,
    supervisor_id: str,
    plan_id: int,
    assignment_ids: Sequence[int],
    *,
    number: str,
    on: date,
    actor: str,
    now: datetime,
) -> int:
    """Record the paper for these assignments; returns how many are new. The same paper may be recorded for more
    assignments, but not with another date (a number is unique in the issuer's year: art. 15.1). Raises FieldsRefused,
    Conflict."""
    plain = " ".join(number.split())
    wrong: dict[str, Text] = {}
    if not NUMBER.fullmatch(plain):
        wrong["number"] = Text("Số và ký hiệu viết như 412/SLĐTBXH.", "Write number and sign like 412/SLĐTBXH.")
    if on > local_date(now):
        wrong["on"] = Text("Ngày văn bản không thể ở tương lai.", "A paper's date cannot lie in the future.")
    if wrong:
        raise FieldsRefused(wrong)
    key = f"paper:{supervisor_id}:{on.year}:{plain}"
    e = table(Event)
    same = select(e.c.detail, e.c.assignment_id).where(e.c.key.startswith(f"{key}:", autoescape=True))
    known = session.connection().execute(same).all()
    if any(row.detail["on"] != on.isoformat() for row in known):
        raise Conflict(
            Text(f"Công văn số {plain} đã ghi với một ngày khác.", f"Dispatch {plain} is recorded with another date.")
        )
    new = [each for each in assignment_ids if each not in {row.assignment_id for row in known}]
    append(
        session,
        (
            event(
                EventKind.PAPER_RECORDED,
                now,
                actor=actor,
                plan_id=plan_id,
                assignment_id=each,
                key=f"{key}:{each}",
                number=plain,
                on=on.isoformat(),
            )
            for each in new
        ),
    )
    return len(new)
