"""The interface through which pages and API edit letter templates. The engine knows nothing of letters: another package
implements it, wired in the composition root."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from engine.errors import Problem


@dataclass(frozen=True)
class Preview:
    """A letter as it would be if it were sent now."""

    subject: str
    text: str
    html: str = ""


@dataclass(frozen=True)
class TemplateFile:
    """One template file of a letter kind. ``part`` is its name («subject.txt»), ``name`` its path
    («vi/duties/subject.txt»); ``text`` is the text in use, ``shipped`` the text that comes with the program."""

    part: str
    name: str
    text: str
    shipped: str

    @property
    def own(self) -> bool:
        return self.text != self.shipped


class TemplateEditor(Protocol):
    """Editor of letter templates. ``texts`` are part -> text."""

    @property
    def kinds(self) -> Sequence[str]: ...
    @property
    def languages(self) -> Sequence[str]: ...
    def files(self, language: str, kind: str) -> Sequence[TemplateFile]:
        """The files of a template. Raises NotFound for an unknown kind or language."""
        ...

    def problems(self, language: str, kind: str, texts: Mapping[str, str]) -> Sequence[Problem]: ...
    def shown(self, language: str, kind: str, texts: Mapping[str, str], now: datetime) -> Preview:
        """The newest real letter rendered with these texts, which must have no problems."""
        ...

    def save(self, language: str, kind: str, texts: Mapping[str, str], *, actor: str, now: datetime) -> int:
        """Save the texts; returns how many files changed."""
        ...
