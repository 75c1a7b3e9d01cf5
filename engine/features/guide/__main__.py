"""``python -m engine.features.guide`` writes the manuals of the roles under ``docs``; a test compares them."""

from __future__ import annotations

from pathlib import Path

from engine.features.guide.pages import MANUALS, manual

DOCS = Path(__file__).parents[3] / "docs"


def main() -> None:
    for each in MANUALS:
        target = DOCS / each.path
        target.parent.mkdir(exist_ok=True)
        target.write_text(manual(each), encoding="utf-8")


if __name__ == "__main__":
    main()
