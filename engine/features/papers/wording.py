"""The office's own words in a draft dispatch, kept until its number is recorded or they are taken back."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import delete, insert, select
from sqlmodel import Session

from engine.errors import FieldsRefused
from engine.rules.privacy import PRIVATE_WORDS, looks_private
from engine.store.database import table
from engine.store.records import DispatchWording
from engine.text import Text

MAX_PARAGRAPH_CHARS = 3_000
MOMENT = re.compile(r"\d\d giờ \d\d phút ngày \d\d tháng \d{1,2} năm \d{4}")
"""The moment at which a draft was opened: another one is no other proposal."""


@dataclass(frozen=True)
class DraftKey:
    """Which draft: of a plan and period, to those who are ordered or asked, to all that are late ("") or to some."""

    plan_id: int
    period: str
    request: bool
    addressees: str = ""

    @staticmethod
    def chosen(agency_ids: Iterable[str]) -> str:
        return hashlib.sha256("\n".join(sorted(agency_ids)).encode()).hexdigest()[:32]


@dataclass(frozen=True)
class Wording:
    """By paragraph: (as it was proposed when it was written, as it was written)."""

    texts: Mapping[str, tuple[str, str]] = field(default_factory=dict)

    @property
    def written(self) -> dict[str, str]:
        return {key: text for key, (_, text) in self.texts.items()}

    def outdated(self, proposed: Mapping[str, str]) -> tuple[str, ...]:
        """The written paragraphs of which another text would be proposed by now."""
        now = {key: MOMENT.sub("", text) for key, text in proposed.items()}
        return tuple(key for key, (then, _) in self.texts.items() if MOMENT.sub("", then) != now.get(key, ""))


def read_wording(session: Session, key: DraftKey) -> Wording:
    texts = session.connection().scalar(select(table(DispatchWording).c.texts).where(*_same(key)))
    return Wording({name: (then, text) for name, (then, text) in (texts or {}).items()})


def keep_wording(
    session: Session,
    key: DraftKey,
    proposed: Mapping[str, str],
    written: Mapping[str, str],
    *,
    actor: str,
    now: datetime,
) -> None:
    """Keep the paragraphs that differ from what is proposed, in place of those that were kept. Raises FieldsRefused for
    text that looks like personal data, and for a letter without words."""
    wrong: dict[str, Text] = {}
    for name, text in written.items():
        for found in looks_private(text)[:1]:
            vi, en = PRIVATE_WORDS[found.what]
            wrong[name] = Text(f"Nội dung {vi} ({found.masked}).", f"This text {en} ({found.masked}).")
    if not any(written.get(name, text).strip() for name, text in proposed.items()):
        wrong[next(iter(written))] = Text("Công văn cần có nội dung.", "A dispatch needs words.")
    if wrong:
        raise FieldsRefused(wrong)
    texts = {name: [proposed[name], text] for name, text in written.items() if text.split() != proposed[name].split()}
    drop_wording(session, key)
    if texts:
        session.connection().execute(
            insert(table(DispatchWording)).values(**key.__dict__, texts=texts, actor=actor, at=now)
        )


def drop_wording(session: Session, key: DraftKey) -> None:
    """The proposed text stands again."""
    session.connection().execute(delete(table(DispatchWording)).where(*_same(key)))


def _same(key: DraftKey) -> list[Any]:
    columns = table(DispatchWording).c
    return [columns[name] == value for name, value in key.__dict__.items()]
