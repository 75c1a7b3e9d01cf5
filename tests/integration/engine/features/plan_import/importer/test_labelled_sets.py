"""The labelled sets: precision and recall, held at what tests/data/import/figures-of-today.md says."""

from functools import cache

import pytest
from ground.paths import DATA
from import_figures.scores import MEASURES, labels_in, measured, table

LABELLED = DATA / "import"
SETS = [LABELLED, *(LABELLED / name for name in ("heldout", "second", "third", "fourth", "fifth"))]


figures_of = cache(measured)


@pytest.fixture(scope="module", params=SETS, ids=lambda folder: folder.name)
def figures(request):
    return figures_of(request.param)


@pytest.mark.parametrize("measure", ["owners", "duties", "deadlines"])
def test_nearly_everything_is_found_and_nearly_nothing_else(figures, measure):
    assert figures.precision(measure) >= 0.95, table(figures)
    assert figures.recall(measure) >= 0.95, table(figures)


@pytest.mark.parametrize("measure", [each for each in MEASURES if each not in ("owners", "duties", "deadlines")])
def test_roles_requests_and_heads_are_found_too(figures, measure):
    if not figures.found[measure] + figures.missed[measure]:
        assert not figures.extra[measure], table(figures)
        return
    assert figures.precision(measure) >= 0.8, table(figures)
    assert figures.recall(measure) >= 0.9, table(figures)


def test_the_first_set_has_thirty_texts_and_every_text_has_its_labels():
    for folder, least in zip(SETS, (30, 16, 10, 8, 7, 5), strict=True):
        labels = labels_in(folder / "labels.yaml")
        texts = {path.name for path in folder.iterdir() if path.suffix in (".txt", ".html")}
        assert texts == set(labels)
        assert len(texts) >= least


def test_the_figures_written_down_are_those_of_today(request):
    shown = (request.config.rootpath / "tests/data/import/figures-of-today.md").read_text(encoding="utf-8")
    for folder in SETS:
        for row in table(figures_of(folder)).splitlines()[2:]:
            assert row in shown, f"figures-of-today.md: {folder.name}: {row}"
