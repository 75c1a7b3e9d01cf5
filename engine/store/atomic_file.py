"""Write a file atomically: after a crash it is complete or absent."""

from __future__ import annotations

import os
import secrets
from pathlib import Path


def atomic_write(path: Path, body: bytes, mode: int) -> None:
    """Write and fsync a temporary file, then rename it; readers see either the old content or the new. ``mode``: the
    permission bits, masked by the process's umask."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        with os.fdopen(handle, "wb") as out:
            out.write(body)
            out.flush()
            os.fsync(out.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
