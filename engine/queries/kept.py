"""Answers of queries kept in the process for as long as nothing that they depend on has changed.

A query says by ``depends_on`` which topics it reads (``engine.store.data_versions``). Its answer is kept by its
arguments and handed to every reader until a topic has another version, so it must depend on nothing else: not on the
reader, their language, or the hour. Whether a reader may see it is asked before, every time. Of an answer by agency
only the agencies are read again whose work has changed, where that is known (``engine.store.data_versions``).
"""

from __future__ import annotations

import pickle
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, ParamSpec, TypeVar

from sqlmodel import Session

from engine.queries.time_class import Today
from engine.store.data_versions import (
    BY_AGENCY,
    KEEPER,
    TOPICS_OF,
    Query,
    Topic,
    Versions,
    changed_agencies,
    note_read,
    noting_reads,
    read_versions,
)

P = ParamSpec("P")
T = TypeVar("T")
MOST_BYTES = 32 * 1024 * 1024
OBJECT_BYTES = 4
"""Bytes in memory for a byte that pickling an answer takes; measured on boards."""
MEASURED_SECONDS = 3600
"""For so long an answer is taken to be as large as the last one to the same question: pickling a board takes as long as
reading it."""
KEPT_SECONDS = 60
"""A change that was written by something else than ``Database.write``, as by hand in the database, shows after this
time."""
KEPT_BY_AGENCY_SECONDS = 86_400
"""The same of an answer by agency, which is the dearest to read: it is of one day in any case."""
_VERSIONS = "data versions"
"""In ``Session.info``: read once a session."""


@dataclass(frozen=True, slots=True)
class _Cached:
    versions: tuple[Versions, ...]
    answer: object
    size: int
    measured: float
    until: float
    """The end of its life, counted from when it was read whole."""


class KeptAnswers:
    """At most ``most_bytes`` of them; the one unused for longest goes first. Safe to use from many threads: of those
    who ask the same at once, one reads and the others wait for it."""

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self.most_bytes = most_bytes
        self._kept: OrderedDict[Hashable, _Cached] = OrderedDict()
        self._size = 0
        self._lock = threading.Lock()
        self._turns: dict[Hashable, threading.Lock] = {}

    def ask(self, session: Session, query: Query[P, T], *arguments: P.args, **named: P.kwargs) -> T:
        """The answer of a query, read or kept. ``session`` is of a transaction that reads."""
        session.info[KEEPER] = self
        stored = _versions(session)
        topics = sorted(TOPICS_OF[query])
        note_read(topics)
        versions = tuple(stored[topic] for topic in topics)
        key = (query, *map(_key, arguments), *((name, _key(value)) for name, value in sorted(named.items())))
        with self._lock:
            found = self._find(key, versions)
            if found is not None:
                return found.answer  # type: ignore[return-value]  # kept by its query
            turn = self._turns.setdefault((key, versions), threading.Lock())
        try:
            with turn:
                with self._lock:
                    found, before = self._find(key, versions), self._kept.get(key)
                if found is not None:
                    return found.answer  # type: ignore[return-value]
                with noting_reads(None):  # noted above, as the query declares them
                    read = partial(query, session, *arguments, **named)
                    answer = _renewed(session, before, topics, read) if before and query in BY_AGENCY else None
                    until = before.until if before and answer is not None else time.monotonic() + _seconds(query)
                    answer = read() if answer is None else answer
                self._keep(key, _Cached(versions, answer, *self._weight(key, answer), until))
                return answer
        finally:
            with self._lock:
                self._turns.pop((key, versions), None)

    def _find(self, key: Hashable, versions: tuple[Versions, ...]) -> _Cached | None:
        found = self._kept.get(key)
        if found is None or found.versions != versions or found.until < time.monotonic():
            return None
        self._kept.move_to_end(key)
        return found

    def _weight(self, key: Hashable, answer: object) -> tuple[int, float]:
        """Bytes in memory, and when they were measured."""
        last, now = self._kept.get(key), time.monotonic()
        if last is not None and now - last.measured < MEASURED_SECONDS:
            return last.size, last.measured
        return len(pickle.dumps(answer, pickle.HIGHEST_PROTOCOL)) * OBJECT_BYTES, now

    def _keep(self, key: Hashable, made: _Cached) -> None:
        with self._lock:
            before = self._kept.pop(key, None)
            self._size -= before.size if before else 0
            if made.size > self.most_bytes:
                return
            self._kept[key] = made
            self._size += made.size
            while self._size > self.most_bytes:
                self._size -= self._kept.popitem(last=False)[1].size


def _renewed(session: Session, before: _Cached, topics: Sequence[Topic], read: Callable[..., Any]) -> Any:
    """The answer from before, with the agencies read again whose work has changed; None if these are not known."""
    if before.until < time.monotonic():
        return None
    changed = changed_agencies(session, dict(zip(topics, before.versions, strict=True)), _versions(session))
    if not changed:
        return None if changed is None else before.answer
    known: Any = before.answer
    return {agency_id: of for agency_id, of in known.items() if agency_id not in changed} | read(agencies=changed)


def _seconds(query: Callable[..., object]) -> int:
    return KEPT_BY_AGENCY_SECONDS if query in BY_AGENCY else KEPT_SECONDS


def _key(argument: object) -> Hashable:
    """A day stands for the moment: what is kept depends on no hour."""
    if isinstance(argument, Today):
        return argument.thresholds
    assert isinstance(argument, Hashable)
    return argument


def _versions(session: Session) -> Mapping[Topic, Versions]:
    found: Mapping[Topic, Versions] | None = session.info.get(_VERSIONS)
    if found is None:
        found = session.info[_VERSIONS] = read_versions(session)
    return found
