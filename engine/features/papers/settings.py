"""Stores what a department's papers say of it, and its own letterhead."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime

from sqlmodel import Session

from engine.errors import FieldsRefused
from engine.features.papers.facts import SIGNERS, IssuerSettings
from engine.store.event_log import record
from engine.store.records import PaperSettings
from engine.terms import EventKind
from engine.text import Text

MAX_CHARS = 160


def save(
    session: Session,
    agency_id: str,
    settings: IssuerSettings,
    *,
    form: tuple[str, bytes] | None = None,
    drop_form: bool = False,
    actor: str,
    now: datetime,
) -> None:
    """Store them; ``form``: a new letterhead (name, bytes) that has passed ``letterhead.check``, which takes seconds
    and is no work for a transaction; ``drop_form``: use the built-in form again. Raises FieldsRefused."""
    _check(settings)
    row = session.get(PaperSettings, agency_id) or PaperSettings(agency_id=agency_id, body={}, actor=actor, at=now)
    row.body, row.actor, row.at = asdict(settings), actor, now
    if form is not None:
        row.letterhead_name, row.letterhead = form[0][:200], form[1]
    elif drop_form:
        row.letterhead_name, row.letterhead = "", None
    session.add(row)
    record(session, EventKind.PAPER_SETTINGS, now, actor=actor, agency_id=agency_id)


def _check(settings: IssuerSettings) -> None:
    wrong: dict[str, Text] = {}
    for name, value in asdict(settings).items():
        if len(value) > MAX_CHARS:
            wrong[name] = Text(f"Nhiều nhất {MAX_CHARS} ký tự.", f"{MAX_CHARS} characters at most.")
        if name.endswith("_signer") and value and value not in SIGNERS:
            wrong[name] = Text("Chọn trong danh sách.", "Choose from the list.")
    for name in ("sign", "report_sign"):
        value = getattr(settings, name)
        if value != value.upper() or set(value) & set("/ "):
            wrong[name] = Text(
                "Ký hiệu viết hoa, không có dấu / và khoảng trắng, như SLĐTBXH-PCTNXH.",
                "The sign is in capitals without / and spaces, like SLĐTBXH-PCTNXH.",
            )
    if wrong:
        raise FieldsRefused(wrong)
