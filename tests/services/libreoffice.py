"""LibreOffice prints Word documents: ``as_pdf(folder / "a.docx", …)`` leaves ``a.pdf`` beside it.

All starts of a process share a profile: a new one costs twice as much as a start (1.3 s of processor, then 0.4).
"""

from __future__ import annotations

import atexit
import os
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path


def as_pdf(*documents: Path) -> list[Path]:
    """The PDF of each, in the folder of the first."""
    folder = documents[0].parent
    command = ["soffice", f"-env:UserInstallation=file://{_profile()}", "--headless", "--convert-to", "pdf"]
    subprocess.run([*command, "--outdir", folder, *documents], check=True, capture_output=True, timeout=240)
    return [folder / f"{each.stem}.pdf" for each in documents]


@cache
def _profile() -> str:
    folder = tempfile.mkdtemp(prefix=f"dondoc-test-{os.getpid()}-office-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder
