"""The letters' words as an office may change them in the browser: read, tried, shown with real data, saved, taken back.

Files lie in the office's folder under the shipped ones' names. A text that is the shipped one is no file there, so a
better one that ships later is used at once. What stood before is in the event that tells of the change.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from engine.errors import NotFound, Problem
from engine.http.template_editor import Preview, TemplateFile
from engine.store.atomic_file import atomic_write
from engine.store.database import Database
from engine.store.event_log import append, event
from engine.store.rulebook import read_rulebook
from engine.terms import EventKind
from notifications.channel import Outgoing
from notifications.letters.facts import gather
from notifications.letters.renderer import LANGUAGES, TEMPLATES, LetterRenderer
from notifications.letters.template_check import EDITED, check_template, name_of, parts_of, preview


@dataclass(frozen=True)
class OfficeTemplates:
    """What ``engine.http.app_context.Wording`` asks for."""

    database: Database
    folder: Path
    base_url: str
    renderer: LetterRenderer
    kinds: tuple[str, ...] = EDITED
    languages: tuple[str, ...] = LANGUAGES

    def files(self, language: str, kind: str) -> tuple[TemplateFile, ...]:
        """Raises NotFound for a kind or language that is none."""
        if kind not in EDITED or language not in LANGUAGES:
            raise NotFound
        return tuple(self._file(part, name_of(part, language, kind)) for part in parts_of(language, kind))

    def problems(self, language: str, kind: str, texts: Mapping[str, str]) -> list[Problem]:
        return check_template(texts, language, kind, self._office)

    def shown(self, language: str, kind: str, texts: Mapping[str, str], now: datetime) -> Preview:
        with self.database.read() as session:
            return _preview(preview(session, texts, language, kind, self.base_url, now, self._office))

    def save(self, language: str, kind: str, texts: Mapping[str, str], *, actor: str, now: datetime) -> int:
        """Keep what differs from the shipped texts; returns how many files changed. The event is written first: a
        crash between leaves an event that tells of a change not made, never a change that nobody is told of."""
        changed = [each for each in self.files(language, kind) if texts.get(each.part, each.text) != each.text]
        if not changed:
            return 0
        with self.database.write() as session:
            append(
                session,
                [
                    event(EventKind.TEMPLATE_CHANGED, now, actor=actor, name=each.name, was=each.text)
                    for each in changed
                ],
            )
        for each in changed:
            self._keep(each, texts[each.part])
        return len(changed)

    def letter(self, letter_id: int, now: datetime) -> Preview | None:
        """A letter that has not left, as it would leave now; None when nothing in it stands any more."""
        with self.database.read() as session:
            facts = gather(session, [letter_id], read_rulebook(session), now)[0]
        if facts.empty:
            return None
        return _preview(self.renderer.render(facts, now))

    def _keep(self, file: TemplateFile, text: str) -> None:
        path = self.folder / file.name
        if text == file.shipped:
            path.unlink(missing_ok=True)
        else:
            atomic_write(path, text.encode(), 0o644)

    @property
    def _office(self) -> Path | None:
        return self.folder if self.folder.is_dir() else None

    def _file(self, part: str, name: str) -> TemplateFile:
        shipped = (TEMPLATES / name).read_text(encoding="utf-8")
        try:
            own = (self.folder / name).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            own = shipped
        return TemplateFile(part, name, own, shipped)


def _preview(letter: Outgoing) -> Preview:
    return Preview(letter.subject, letter.text, letter.html)
