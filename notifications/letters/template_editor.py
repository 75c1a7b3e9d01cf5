"""Edit the letter templates in the browser: read, check, preview with real data, save, reset.

Customised files are stored under the names of the shipped ones. A text equal to the shipped one is not stored, so that
later versions of it take effect. The previous text is kept in the TEMPLATE_CHANGED event.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from engine.errors import FileRefused, NotFound, Problem
from engine.http.template_editor import Preview, TemplateFile
from engine.limited_process import CallFailed, LimitExceeded, shared_process
from engine.store.atomic_file import atomic_write
from engine.store.database import Database
from engine.store.event_log import append, event
from engine.terms import EventKind
from engine.text import LANGUAGES, Text
from notifications.contract.channel import Outgoing
from notifications.letters.renderer import TEMPLATES
from notifications.letters.template_check import EDITED, check_template, facts_to_preview, name_of, parts_of, preview

CHECK_SECONDS = 10.0


@dataclass(frozen=True, kw_only=True)
class OfficeTemplates:
    """Implements ``engine.http.app_context.Wording``."""

    database: Database
    folder: Path
    base_url: str
    check_seconds: float = CHECK_SECONDS
    kinds: tuple[str, ...] = EDITED
    languages: tuple[str, ...] = LANGUAGES

    def files(self, language: str, kind: str) -> tuple[TemplateFile, ...]:
        """The files of a kind in a language. Raises NotFound for an unknown kind or language."""
        if kind not in EDITED or language not in LANGUAGES:
            raise NotFound
        return tuple(self._file(part, name_of(part, language, kind)) for part in parts_of(language, kind))

    def problems(self, language: str, kind: str, texts: Mapping[str, str]) -> list[Problem]:
        """The problems of these texts, tried in a child process under limits: what somebody types may loop for ever."""
        try:
            return shared_process("templates").call(
                self.check_seconds, check_template, dict(texts), language, kind, self._custom_folder
            )
        except (LimitExceeded, CallFailed):
            return [_too_much(kind)]

    def shown(self, language: str, kind: str, texts: Mapping[str, str], now: datetime) -> Preview:
        with self.database.read() as session:
            facts = facts_to_preview(session, language, kind, now)
        try:
            letter = shared_process("templates").call(
                self.check_seconds,
                preview,
                facts,
                dict(texts),
                kind,
                self.base_url,
                now=now,
                custom_folder=self._custom_folder,
            )
        except (LimitExceeded, CallFailed) as error:
            raise FileRefused([_too_much(kind)]) from error
        return _preview(letter)

    def save(self, language: str, kind: str, texts: Mapping[str, str], *, actor: str, now: datetime) -> int:
        """Save the given texts; returns the number of files changed. The event is written first, so that after a crash
        there may be an event without a change, but never a change without an event."""
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
            self._store(each, texts[each.part])
        return len(changed)

    def _store(self, file: TemplateFile, text: str) -> None:
        path = self.folder / file.name
        if text == file.shipped:
            path.unlink(missing_ok=True)
        else:
            atomic_write(path, text.encode(), 0o644)

    @property
    def _custom_folder(self) -> Path | None:
        return self.folder if self.folder.is_dir() else None

    def _file(self, part: str, name: str) -> TemplateFile:
        shipped = (TEMPLATES / name).read_text(encoding="utf-8")
        try:
            current = (self.folder / name).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            current = shipped
        return TemplateFile(part, name, current, shipped)


def _preview(letter: Outgoing) -> Preview:
    return Preview(letter.subject, letter.text, letter.html)


def _too_much(kind: str) -> Problem:
    return Problem(
        kind,
        0,
        "template",
        Text("chạy quá lâu hoặc tốn quá nhiều bộ nhớ", "takes too long or too much memory"),
        Text("bỏ vòng lặp hoặc phép nhân lớn", "leave out the large loop or multiplication"),
    )
