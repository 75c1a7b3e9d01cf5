"""How plans say their times: 196 sentences of issued documents with the days meant, from the words to the days that
the loaded plan asks for. The reader was written with this table, so each row is right; another one that it was not is
reported once in docs/import-figures.md."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from ground.paths import DATA
from import_figures.times import Row, figures, rows_of


@pytest.fixture(scope="module")
def rows() -> Sequence[Row]:
    return rows_of(DATA / "import" / "days" / "times.table")


def test_the_days_asked_for_are_those_that_plans_mean(rows: Sequence[Row]) -> None:
    wrong = [f"{row.outcome}: {row.text}" for row in rows if row.outcome != "right"]
    assert len(rows) >= 150
    assert not wrong, figures(rows)


def test_a_doubt_is_left_where_only_a_person_can_say_the_day(rows: Sequence[Row]) -> None:
    """At most one in ten of the times that plans say plainly is asked about."""
    plain = [row for row in rows if None not in row.meant]
    doubted = [row.text for row in plain if row.doubts]
    assert len(doubted) <= 0.1 * len(plain), "\n".join(doubted)
