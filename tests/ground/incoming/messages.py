"""Messages of people as the inbound pass keeps them: ``keep_message(session, ...)`` returns the id."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from hashlib import sha256
from typing import Any

from sqlmodel import Session

from engine.correspondence.message_acts import Done, Request
from engine.store.database import insert_rows
from engine.store.records import IncomingMessage
from engine.terms import WaitReason
from notifications.inbound.incoming_rows import record


def keep_message(
    session: Session,
    agency_id: str | None,
    text: str,
    *,
    now: datetime,
    about: Sequence[int] = (),
    supervisor_id: str | None = None,
    waits: WaitReason | None = None,
    done: Sequence[Done] = (),
    proposed: Sequence[Request] = (),
    files: Sequence[Mapping[str, Any]] = (),
    contact_id: int | None = None,
) -> int:
    message_id = record(
        session, "email", f"<{agency_id}.{now:%m%d%H}.{sha256(text.encode()).hexdigest()[:12]}@may.example>", now
    )
    assert message_id is not None
    row = {
        "incoming_id": message_id,
        "at": now,
        "channel": "email",
        "letter_id": None,
        "contact_id": contact_id,
        "agency_id": agency_id,
        "supervisor_id": supervisor_id,
        "sender": f"coordinator@{agency_id or 'may'}.example",
        "subject": "Re: nhiệm vụ",
        "own_text": text,
        "raw_text": f"{text}\n\nVào Th 5, 17 thg 6, 2021 đã viết:\n> Kính gửi",
        "rest": text if waits else "",
        "files": [dict(each) for each in files],
        "about": list(about),
        "done": [each.as_entry for each in done],
        "proposed": [each.as_entry for each in proposed],
        "waits": waits,
        "settled_at": None,
        "settled_by": "",
    }
    insert_rows(session, IncomingMessage, [row])
    return message_id
