"""The kinds of difficulty: figures of the labelled texts, and the promise that what is lost is named."""

from functools import cache

import pytest
from ground.paths import CONFIG, DATA
from import_figures.kinds import by_kind, read, samples, table

from engine.files.directory import load_directory

KINDS = DATA / "import" / "kinds"
LEAST = {"duties": 0.99, "owners": 0.98, "deadlines": 0.95, "citations": 0.97, "instructions": 1.0}
"""What is found of a set (of owners: what is right of what was found), but where the docs tell what is missed:"""
BELOW = {
    "fifteenth": {"duties": 0.98, "instructions": 0.85},
    "sixteenth": {"owners": 0.95},
    "seventeenth": {"owners": 0.97},
    "twentysecond": {"duties": 0.98},
    "twentysixth": {"duties": 0.98},
    "twentyeighth": {"owners": 0.96},
    "eighteenth": {"owners": 0.94, "deadlines": 0.91, "instructions": 0.75},
}
OWN = {
    "thirtyfirst": {"citations": 0.96, "instructions": 0.85},
    "thirtysecond": {"instructions": 0.62},
    "thirtythird": {"citations": 0.93, "instructions": 0.75},
    "thirtyfourth": {"owners": 0.97, "citations": 0.95, "instructions": 0.85},
    "thirtyfifth": {"owners": 0.94, "citations": 0.88, "instructions": 0.85},
    "thirtysixth": {"duties": 0.98, "instructions": 0.85},
}
"""Read with the directory of their own office, which knows the bodies."""
HALVES = sorted(file.stem for file in KINDS.glob("*.yaml"))
figures_of = cache(lambda half: by_kind(KINDS / f"{half}.yaml", 100 if half in OWN else None))


@pytest.mark.parametrize("half", HALVES)
def test_duties_owners_and_deadlines_are_found(half):
    found = figures_of(half)["all"]
    said = "\n".join(found.errors)
    least = LEAST | BELOW.get(half, {}) | OWN.get(half, {})
    assert found.precision("duties") >= 0.95, said
    assert found.precision("owners") >= least.pop("owners"), said
    for measure, bound in least.items():
        assert found.recall(measure) >= bound, f"{measure}\n{said}"


@pytest.mark.parametrize("half", HALVES)
def test_no_duty_is_lost_silently_and_no_person_is_kept(half):
    found = figures_of(half)["all"]
    assert found.found["lost silently"] == 0, "\n".join(found.errors)
    assert found.found["persons kept"] == 0
    assert found.missed["issuers"] == 0


@pytest.mark.parametrize("half", HALVES)
def test_every_paragraph_has_one_use(half):
    found = figures_of(half)["all"]
    assert found.found["faults"] == 0, "\n".join(found.errors)


def test_the_directory_of_a_province_cuts_no_name_that_goes_on():
    """«Sở Y tế các tỉnh», «UBND các xã, phường có chợ»: longer than the names that a province's directory knows."""
    file = load_directory(CONFIG / "agencies/nghe-an-2025.yaml")
    directory = file.model_copy(update={"name": "Cơ quan"})  # so that no plan is another province's
    texts = [each for name in sorted(OWN) for each in samples(KINDS / f"{name}.yaml")]
    for sample in texts:
        plain, known = (read(sample, each) for each in (None, directory))
        for before, after in zip(plain.items, known.items, strict=True):
            assert [each.name for each in after.owners] == [each.name for each in before.owners], sample.name
            helping = [each.coordinating for each in before.duties]
            assert [each.coordinating for each in after.duties] == helping, sample.name


@pytest.mark.parametrize("half", HALVES)
def test_the_figures_written_down_are_those_of_today(half, request):
    shown = (request.config.rootpath / "tests/data/import/figures-of-today.md").read_text(encoding="utf-8")
    for row in table(figures_of(half)).splitlines()[2:]:
        assert row in shown, f"figures-of-today.md: {half}: {row}"
