"""The examples that ship with the product: a directory, and a plan with the days on which its demonstration begins."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from config import DATA
from engine.enums import complete
from engine.rules.calendar import instant
from engine.text import Text

if TYPE_CHECKING:
    from engine.store.database import Database


class Example(StrEnum):
    NGHE_AN_2021 = "nghe-an-2021"
    """Plan 188 with 21 districts."""
    NGHE_AN_2025 = "nghe-an-2025"
    """Two levels: 130 communes and wards; a plan made after plan 188."""


@dataclass(frozen=True, kw_only=True)
class ExampleData:
    """``issued_at``: when the demonstration loads the plan; ``clock_start``: where its clock stops first."""

    directory: Path
    plan: Path
    issued_at: datetime
    clock_start: datetime
    plan_name: str
    what: Text


EXAMPLES = complete(
    Example,
    {
        Example.NGHE_AN_2021: ExampleData(
            directory=DATA / "agencies/nghe-an-2021.yaml",
            plan=DATA / "plans/188-kh-ubnd-2021.yaml",
            issued_at=instant(date(2021, 4, 7), time(9, 0)),
            clock_start=instant(date(2021, 6, 28), time(8, 0)),
            plan_name="Kế hoạch 188",
            what=Text(
                "Kế hoạch 188/KH-UBND năm 2021: sở, ngành và 21 huyện, thành phố, thị xã",
                "Plan 188/KH-UBND of 2021: departments and 21 districts",
            ),
        ),
        Example.NGHE_AN_2025: ExampleData(
            directory=DATA / "agencies/nghe-an-2025.yaml",
            plan=DATA / "plans/188-example-2026.yaml",
            issued_at=instant(date(2026, 4, 7), time(9, 0)),
            clock_start=instant(date(2026, 6, 29), time(8, 0)),
            plan_name="Kế hoạch ví dụ 2026",
            what=Text(
                "Kế hoạch ví dụ năm 2026, hai cấp: sở, ngành của hôm nay và 130 xã, phường",
                "An example plan of 2026, two levels: the departments of today and 130 communes and wards",
            ),
        ),
    },
)


def load_example(database: Database, example: Example, now: datetime, *, actor: str = "cli") -> None:
    """Load the example's agencies, groups and contacts. Loading again changes nothing."""
    from engine.agencies import directory_loading
    from engine.files.directory import load_directory

    with database.write() as session:
        directory_loading.load_directory(session, load_directory(EXAMPLES[example].directory), actor=actor, now=now)
