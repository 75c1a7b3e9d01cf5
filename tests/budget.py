"""The budget of ``make lint``: code, templates and modules may not grow above the last row of docs/budget.md. Whoever
raises it adds a row that says what it bought and what went.

Code lines are lines of the product without blanks, comments and docstrings.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("config", "engine", "notifications", "workflows")
ROW = re.compile(r"^\| \d{4}-\d\d-\d\d \| ([\d,]+) \| ([\d,]+) \| (\d+) \|", re.MULTILINE)
COUNTED = ("code lines", "template lines", "modules")


def code_lines(text: str) -> int:
    docstrings: set[int] = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and node.body:
            first = node.body[0]
            if (
                isinstance(first, ast.Expr)
                and isinstance(first.value, ast.Constant)
                and isinstance(first.value.value, str)
            ):
                docstrings.update(range(first.lineno, (first.end_lineno or first.lineno) + 1))
    lines = ((number, line.strip()) for number, line in enumerate(text.splitlines(), 1))
    return sum(bool(line) and not line.startswith("#") and number not in docstrings for number, line in lines)


def counted(root: Path) -> tuple[int, int, int]:
    """Code lines, lines of HTML templates and modules of the product; steps of the schema are code, and no modules."""
    modules = [path for package in PACKAGES for path in (root / package).rglob("*.py")]
    templates = [path for package in PACKAGES for path in (root / package).rglob("templates/**/*.html")]
    return (
        sum(code_lines(path.read_text(encoding="utf8")) for path in modules),
        sum(len(path.read_text(encoding="utf8").splitlines()) for path in templates),
        sum("versions" not in path.parts for path in modules),
    )


def over(found: tuple[int, ...], budget: str) -> Iterator[str]:
    """What is above the last row of the budget's table."""
    rows = ROW.findall(budget)
    for name, count, most in zip(COUNTED, found, (int(each.replace(",", "")) for each in rows[-1]), strict=True):
        if count > most:
            above = f"{name}: {count:,}, {count - most:,} above the budget."
            yield f"{above} Take as much away, or add a row to docs/budget.md."


if __name__ == "__main__":
    sys.exit("\n".join(over(counted(ROOT), (ROOT / "docs/budget.md").read_text())) or 0)
