"""Generate a migration from the difference between the table models and the existing migrations.

python -m engine.store.migrations "what changes"   the next migration; review it before committing.

A step has no way down: an installation goes back by its backup (docs/operating/upgrade.md).
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from alembic import command

from engine.store.database import Database

VERSIONS = Path(__file__).with_name("versions")
FIRST = 100
"""The schema of 0.1.0; numbers below it were steps from before any release."""


def write_step(what: str) -> Path:
    """Write the next numbered migration, formatted, by autogenerate on an SQLite database with the existing ones."""
    number = max((int(step.name[:4]) for step in VERSIONS.glob("[0-9]*.py")), default=FIRST - 1) + 1
    with TemporaryDirectory() as folder:
        database = Database(f"sqlite:///{folder}/empty.db")
        database.upgrade()
        with database.migrating() as settings:
            settings.set_main_option("file_template", "%%(rev)s_%%(slug)s")
            command.revision(settings, what, autogenerate=True, rev_id=f"{number:04}")
        database.dispose()
    (written,) = VERSIONS.glob(f"{number:04}_*.py")
    lines = written.read_text().splitlines(keepends=True)
    written.write_text("".join(line for line in lines if not line.lstrip().startswith("# ###")))
    for tidy in (["check", "--fix", "--select", "I,F401"], ["format"]):
        subprocess.run([sys.executable, "-m", "ruff", *tidy, "--quiet", str(written)], check=True)
    return written


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit("Hãy nêu bước mới đổi gì. / Say what the new step changes.")
    write_step(" ".join(sys.argv[1:]))
