"""The budget of ``make lint``."""

from __future__ import annotations

from pathlib import Path

import budget

ROWS = "| date | code |\n| 2026-12-01 | 1,000 | 20 | 3 | the start |\n| 2026-12-02 | 900 | 20 | 3 | less |\n"


def test_what_is_above_the_last_row_is_said_with_how_much() -> None:
    assert list(budget.over((900, 20, 3), ROWS)) == []
    (said,) = budget.over((901, 20, 2), ROWS)
    assert said.startswith("code lines: 901, 1 above the budget.")


def test_code_is_counted_without_blanks_comments_and_docstrings(tmp_path: Path) -> None:
    (tmp_path / "engine/web/templates").mkdir(parents=True)
    (tmp_path / "engine/versions").mkdir()
    (tmp_path / "engine/a.py").write_text(
        '"""Two\nlines."""\n\n# why\nA = 1\n\n\ndef f():\n    """What."""\n    return A\n'
    )
    (tmp_path / "engine/versions/step.py").write_text("B = 2\n")
    (tmp_path / "engine/web/templates/page.html").write_text("<p>\n</p>\n")
    assert budget.counted(tmp_path) == (4, 2, 1)


def test_the_house_is_within_its_budget() -> None:
    assert list(budget.over(budget.counted(budget.ROOT), (budget.ROOT / "docs/budget.md").read_text())) == []
