"""What the pages ask of the letters' words. The engine knows no letters: another package answers, wired in the
composition root."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from engine.errors import Problem


@dataclass(frozen=True)
class Preview:
    """A letter that has not left yet, as it would be if it left now."""

    subject: str
    text: str
    html: str = ""


@dataclass(frozen=True)
class TemplateFile:
    """One file of a kind of letter. ``part`` is its own name («subject.txt»), ``name`` its path
    («vi/duties/subject.txt»); ``text`` is what letters are made from now, ``shipped`` what comes with the program."""

    part: str
    name: str
    text: str
    shipped: str

    @property
    def own(self) -> bool:
        return self.text != self.shipped


class TemplateEditor(Protocol):
    """The words of letters, which an office may change. ``texts`` are part -> text."""

    @property
    def kinds(self) -> Sequence[str]: ...
    @property
    def languages(self) -> Sequence[str]: ...
    def files(self, language: str, kind: str) -> Sequence[TemplateFile]:
        """Raises NotFound for a kind or language that is none."""
        ...

    def problems(self, language: str, kind: str, texts: Mapping[str, str]) -> Sequence[Problem]: ...
    def shown(self, language: str, kind: str, texts: Mapping[str, str], now: datetime) -> Preview:
        """The newest real letter as these texts would write it; only of texts that have no problems."""
        ...

    def save(self, language: str, kind: str, texts: Mapping[str, str], *, actor: str, now: datetime) -> int:
        """How many files changed."""
        ...

    def letter(self, letter_id: int, now: datetime) -> Preview | None:
        """A letter that has not left, as it would leave now; None when nothing in it stands any more."""
        ...
