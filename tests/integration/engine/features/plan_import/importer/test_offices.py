"""Plans as offices write them, labelled by hand before the importer read them; nothing was mended for one of them."""

from functools import cache

import pytest
from ground.paths import DATA
from import_figures.kinds import by_kind
from import_figures.scores import Figures

OFFICES = sorted((DATA / "import" / "offices").glob("*.yaml"))


@cache
def figures(percent):
    """Of all offices together. ``percent``: how many of a hundred of the labelled bodies the directory knows."""
    total = Figures()
    for file in OFFICES:
        found = by_kind(file, percent)["all"]
        total.errors += found.errors
        for mine, theirs in ((total.found, found.found), (total.extra, found.extra), (total.missed, found.missed)):
            mine.update(theirs)
    return total


@pytest.mark.parametrize("percent", [None, 50, 100])
def test_of_a_hundred_duties_one_at_most_is_lost_silently_and_no_wrong_owner_is_unmarked(percent):
    found = figures(percent)
    said = "\n".join(found.errors)
    assert found.found["lost silently"] <= 0.01 * (found.found["duties"] + found.missed["duties"]), said
    assert found.found["owners wrong, unmarked"] == 0, said
    assert found.found["faults"] == 0, said


def test_duties_owners_and_days_are_found_as_the_docs_say(request):
    """As first read, but for the causes that docs/import.md names."""
    found = figures(100)
    shown = (request.config.rootpath / "docs" / "import.md").read_text(encoding="utf-8")
    cells = (f"{found.precision(each):.0%} / {found.recall(each):.0%}" for each in ("duties", "owners", "deadlines"))
    lost = f"{found.found['owners wrong, unmarked']} | {found.found['lost silently']}"
    assert f"| {' | '.join(cells)} | {lost} |" in shown, "\n".join(found.errors)
