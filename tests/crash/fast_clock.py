"""A clock for real processes: days in minutes. It runs at a speed, and jumps over hours in which nothing is to be seen,
as over a machine that was suspended. ``sitecustomize`` in ``fast`` reads it in the processes; a PostgreSQL has it, too.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from engine.store.database import Database

FOLDER = Path(__file__).parent / "fast"
_SERVER = """
CREATE TABLE public.fast_clock (at timestamptz, seen timestamptz, speed float8);
INSERT INTO public.fast_clock VALUES (now(), now(), 1);
CREATE FUNCTION public.clock_timestamp() RETURNS timestamptz LANGUAGE sql AS
$$ SELECT at + (pg_catalog.clock_timestamp() - seen) * speed FROM public.fast_clock $$
"""


@dataclass
class FastClock:
    """``file``: where processes read it. ``speed``: seconds of it in a real one. ``error``: seconds by which the wall
    clock of the product's machine is wrong. ``database``: a PostgreSQL whose clock it is."""

    file: Path
    now_at: datetime
    speed: float = 300.0
    error: float = 0.0
    database: Database | None = None
    seen: float = 0.0

    def __post_init__(self) -> None:
        self.seen = time.monotonic()
        if self.database is not None:
            name = self.database.url.database
            with self.database.bind.connect() as connection:
                connection.exec_driver_sql(_SERVER)
                connection.exec_driver_sql(f'ALTER DATABASE "{name}" SET search_path = public, pg_catalog')
                connection.commit()
        self._write()

    def __call__(self) -> datetime:
        return self.now_at + timedelta(seconds=(time.monotonic() - self.seen) * self.speed)

    def jump(self, to: datetime) -> None:
        """On to a moment; never back."""
        self.now_at, self.seen = max(to, self()), time.monotonic()
        self._write()

    def be_wrong(self, by: timedelta) -> None:
        self.now_at, self.seen, self.error = self(), time.monotonic(), by.total_seconds()
        self._write()

    @property
    def environment(self) -> dict[str, str]:
        """Of the processes that shall read it."""
        return {"PYTHONPATH": str(FOLDER), "FAST_CLOCK": str(self.file), "FAST_SPEED": str(self.speed)}

    def _write(self) -> None:
        new = self.file.with_suffix(".new")
        new.write_text(f"{self.now_at.timestamp()} {self.seen} {self.speed} {self.error}")
        os.replace(new, self.file)
        if self.database is not None:
            at = (self.now_at + timedelta(seconds=(time.monotonic() - self.seen) * self.speed)).astimezone(UTC)
            told = f"UPDATE public.fast_clock SET at = '{at.isoformat()}', seen = pg_catalog.clock_timestamp(), "
            with self.database.bind.connect() as connection:
                connection.exec_driver_sql(f"{told} speed = {self.speed}")
                connection.commit()
