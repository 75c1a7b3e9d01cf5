"""Names that are known while a document is read: those of the office's directory, and in places those that the document
writes on lines of their own. They take precedence over the word tables in deciding where a name begins and ends.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import lru_cache

from engine.rules.vietnamese import matching

_TOKEN = re.compile(r"[^\W_]+|[.;:()\n]")
_WRITTEN_OUT = {
    short: tuple(words.split())
    for short, words in (
        ("ubnd", "ủy ban nhân dân"),
        ("hđnd", "hội đồng nhân dân"),
        ("mttq", "mặt trận tổ quốc"),
        ("tp", "thành phố"),
    )
}


@dataclass(slots=True)
class _Branch:
    """The words that may follow those that led here. ``ends``: they are a name."""

    following: dict[str, _Branch] = field(default_factory=dict)
    ends: bool = False


_NOWHERE = _Branch()


class KnownNames:
    """A trie of names by words, so that a lookup takes as many steps as the name has words. Punctuation between words
    is ignored («Lao động-Thương binh»), nor is whether «UBND» is written out."""

    def __init__(self, names: Iterable[str] = (), others: KnownNames | None = None) -> None:
        """``others``: names that are known, too."""
        self._others = others
        self._first = _Branch()
        for name in names:
            branch = self._first
            for word in _words(matching(name), 0):
                for each in _WRITTEN_OUT.get(word.group(), (word.group(),)):
                    branch = branch.following.setdefault(each, _Branch())
            branch.ends = branch is not self._first

    def end(self, plain: str, at: int) -> int | None:
        """Where the longest known name at a place of a text in its spelling for matching ends; None for no name."""
        branch, end = self._first, self._others.end(plain, at) if self._others else None
        for word in _words(plain, at):
            for each in _WRITTEN_OUT.get(word.group(), (word.group(),)):
                branch = branch.following.get(each, _NOWHERE)
            if branch is _NOWHERE:
                break
            end = max(end or 0, word.end()) if branch.ends else end
        return end


def _words(plain: str, at: int) -> Iterator[re.Match[str]]:
    """The words of a text from a place on, up to a sign that no name holds."""
    for word in _TOKEN.finditer(plain, at):
        if not word.group()[0].isalnum():
            return
        yield word


_NONE = KnownNames()
_KNOWN: ContextVar[KnownNames] = ContextVar("known", default=_NONE)


def known_names() -> KnownNames:
    """Those of the document that is read."""
    return _KNOWN.get()


@lru_cache(maxsize=8)
def _set_out(names: frozenset[str], others: KnownNames) -> KnownNames:
    """Kept, since a review asks for the same directory line by line, and that of a province takes a twentieth of a
    second."""
    return KnownNames(names, others)


@contextmanager
def knowing(names: Iterable[str]) -> Iterator[None]:
    """Within it these names are known, too."""
    before = _KNOWN.set(_set_out(frozenset(names), known_names()))
    try:
        yield
    finally:
        _KNOWN.reset(before)
