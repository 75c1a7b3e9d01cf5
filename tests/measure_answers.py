"""Measures how answers are read: ``.venv/bin/python tests/measure_answers.py FILE_OR_FOLDER [-v]``.

What the files look like: ``tests/ground/incoming/labelled.py``. ``-v`` prints each answer that was not right.
"""

from __future__ import annotations

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

sys.path.insert(0, str(Path(__file__).parent))

from ground.incoming.labelled import KEPT, LOST, OTHERWISE, WRONGLY, labelled, measure, reminded

from engine.store.database import Database


def main(path: Path, *, verbose: bool) -> int:
    with TemporaryDirectory() as folder:
        database = Database(f"sqlite:///{folder}/measured.db")
        database.upgrade()
        measured = measure(database, reminded(database), list(labelled(path)), Path(folder))
    print(measured)
    for outcome in (WRONGLY, LOST, OTHERWISE, *([KEPT] if verbose else [])):
        print(*(f"{outcome}: {line}" for line in measured.shown(outcome)), sep="\n", end="\n")
    return bool(measured.shown(WRONGLY, LOST))


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), verbose="-v" in sys.argv))
