"""The province of the first example, as ``dondoc init --example nghe-an-2021`` loads it; the second time its rows are
copied."""

from __future__ import annotations

from datetime import datetime

from ground.remembered import once

from engine.store.database import Database
from workflows.installation import load_defaults
from workflows.simulation.examples import Example, load_example


def load_province(database: Database, now: datetime) -> None:
    def load() -> None:
        load_defaults(database, now)
        load_example(database, Example.NGHE_AN_2021, now)

    once(database, ("province", now), load)
