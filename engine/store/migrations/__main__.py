"""Generate a migration from the difference between the table models and the existing migrations.

python -m engine.store.migrations                  before the first release: rewrites 0001
python -m engine.store.migrations "what changes"   afterwards: the next migration; review it before committing
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from alembic import command

from engine.store.database import Database

VERSIONS = Path(__file__).with_name("versions")


def rewrite_first() -> None:
    """Replace the only migration. Refused once there is a second one."""
    steps = sorted(VERSIONS.glob("[0-9]*.py"))
    if len(steps) > 1:
        sys.exit("Đã có bước thứ hai; hãy nêu tên bước mới. / There is a second migration: name the new one.")
    for step in steps:
        step.unlink()
    write_step("begin")


def write_step(what: str) -> Path:
    """Write the next numbered migration, formatted, by autogenerate on an SQLite database with the existing ones."""
    number = len(list(VERSIONS.glob("[0-9]*.py"))) + 1
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
    if len(sys.argv) > 1:
        write_step(" ".join(sys.argv[1:]))
    else:
        rewrite_first()
