"""What a page hands to a worker and gets back: files in a folder that both read (``DONDOC_FILES_DIR``), named by a
random word and removed by the page. Prefect itself is given that word alone: what a document says is none of its data.
"""

from __future__ import annotations

import json
import re
import secrets
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from engine.errors import BadInput, DondocError
from engine.store.atomic_file import atomic_write
from engine.text import Text

KEPT_SECONDS = 86_400
"""What a page that was killed has left."""
_WORD = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class Handover:
    """``folder``: of the settings (``handover``)."""

    folder: Path

    def give(self, body: bytes) -> str:
        """Keep what a worker is to read; returns its word."""
        self._remove_old()
        word = secrets.token_hex(16)
        self._write(word, "given", body)
        return word

    def given(self, word: str) -> bytes:
        """Raises BadInput where there is no such file: taken back, or this machine has another folder."""
        return self._read(word, "given")

    def answer(self, word: str, body: bytes) -> None:
        self._write(word, "answer", body)

    def answered(self, word: str) -> bytes:
        """Raises BadInput where nothing was answered."""
        return self._read(word, "answer")

    def refuse(self, word: str, error: DondocError) -> None:
        said = {language: error.said(language) for language in ("vi", "en")}
        self._write(word, "refusal", json.dumps(said).encode())

    def refused(self, word: str) -> BadInput | None:
        """Why the worker did not take what was given, if it said so."""
        try:
            said = json.loads(self._read(word, "refusal"))
        except BadInput:
            return None
        return BadInput(Text(said["vi"], said["en"]))

    def tell(self, word: str, share: float) -> None:
        """How much of the work is done, from 0 to 1."""
        self._write(word, "share", f"{share:.3f}".encode())

    def share(self, word: str) -> float | None:
        with suppress(BadInput, ValueError):
            return float(self._read(word, "share"))
        return None

    def take_back(self, word: str) -> None:
        for path in self.folder.glob(f"{word}.*"):
            path.unlink(missing_ok=True)

    def _path(self, word: str, what: str) -> Path:
        if not _WORD.fullmatch(word):
            raise BadInput(Text(f"«{word}» không phải tên hồ sơ.", f"“{word}” names nothing that was handed over."))
        return self.folder / f"{word}.{what}"

    def _write(self, word: str, what: str, body: bytes) -> None:
        atomic_write(self._path(word, what), body, 0o600)

    def _read(self, word: str, what: str) -> bytes:
        try:
            return self._path(word, what).read_bytes()
        except OSError:
            raise BadInput(
                Text(
                    "Máy này không thấy hồ sơ: các máy phải dùng chung thư mục DONDOC_FILES_DIR.",
                    "This machine does not see what was handed over: all machines must share DONDOC_FILES_DIR.",
                )
            ) from None

    def _remove_old(self) -> None:
        until = time.time() - KEPT_SECONDS
        for path in self.folder.glob("*.*"):
            with suppress(OSError):
                if path.stat().st_mtime < until:
                    path.unlink()
