"""Reads what the rules need from the database, once a pass: the calendar, the policies and the ladders.

The pure modules never use a session; this one turns rows into their frozen objects.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from functools import cache, lru_cache
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Select, cast, select
from sqlalchemy import types as sql_types
from sqlmodel import Session

from engine.errors import NotFound
from engine.rules.calendar import DayException, DayKind, WorkCalendar
from engine.rules.policy import Ladder, Policy
from engine.store.database import insert_new, table
from engine.store.records import CalendarDay, LadderRecord, PolicyRecord
from engine.text import Text

R = TypeVar("R")


@dataclass(frozen=True)
class Rulebook:
    """Calendar, policies by id and ladders by row id, as of the beginning of the pass."""

    calendar: WorkCalendar
    policies: Mapping[str, Policy]
    ladders: Mapping[int, Ladder]

    @property
    def general(self) -> Policy | None:
        """The policy that sets what is one for all: the weekday and hours of digests, the send window. «default», else
        the first."""
        return self.policies.get("default") or next(iter(self.policies.values()), None)

    def policy(self, policy_id: str) -> Policy:
        result = self.policies.get(policy_id)
        if result is None:
            raise NotFound(Text(f"Chưa nạp chính sách «{policy_id}».", f"Policy “{policy_id}” is not loaded."))
        return result


def read_calendar(session: Session) -> WorkCalendar:
    return _calendar(tuple(map(tuple, session.connection().execute(_days()))))


def read_policies(session: Session) -> Mapping[str, Policy]:
    return _readable(_policy, session.connection().execute(_bodies(PolicyRecord)))


def read_ladders(session: Session) -> Mapping[int, Ladder]:
    return _readable(parsed_ladder, session.connection().execute(_bodies(LadderRecord)))


def _readable(read: Callable[[str], R], rows: Iterable[Any]) -> dict[Any, R]:
    """What a hand has left in one row must not end the work of the others; the audit and ``dondoc repair`` name it."""
    found = {}
    for key, body in rows:
        with suppress(ValueError):
            found[key] = read(body)
    return found


def read_rulebook(session: Session) -> Rulebook:
    """Read the current rules in three small queries. Content that has not changed is not parsed again."""
    return Rulebook(read_calendar(session), read_policies(session), read_ladders(session))


@cache
def _days() -> Select[Any]:
    d = table(CalendarDay)
    return select(d.c.day, d.c.kind, d.c.name, d.c.basis).order_by(d.c.day)


def ladder_text() -> ColumnElement[str]:
    """Column for a query of ladders, for ``parsed_ladder``."""
    return cast(table(LadderRecord).c.body, sql_types.Text).label("ladder")


@cache
def _bodies(model: type[PolicyRecord | LadderRecord]) -> Select[Any]:
    each = table(model)
    return select(each.c.id, cast(each.c.body, sql_types.Text))


@lru_cache(maxsize=8)
def _calendar(rows: tuple[tuple[date, str, str, str], ...]) -> WorkCalendar:
    return WorkCalendar.of(
        DayException(day, DayKind(kind), name, basis) for day, kind, name, basis in rows if kind in set(DayKind)
    )


@lru_cache(maxsize=64)
def _policy(body: str) -> Policy:
    return Policy.model_validate(json.loads(body))


@lru_cache(maxsize=256)
def parsed_ladder(body: str) -> Ladder:
    """The same object for the same text (``ladder_text``): dates of rungs are kept by it."""
    return Ladder.model_validate(json.loads(body))


def store_ladder(session: Session, ladder: Ladder) -> int:
    """The row id of the ladder with exactly this content; inserted if it is new."""
    body = ladder.model_dump(mode="json")
    digest = hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()
    insert_new(session, LadderRecord, [{"digest": digest, "body": body}])
    ladders = table(LadderRecord)
    return int(session.scalars(select(ladders.c.id).where(ladders.c.digest == digest)).one())
