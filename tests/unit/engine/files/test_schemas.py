"""The printed schemas say what the models say, and the shipped files keep to them."""

import json

import jsonschema
import pytest

from engine.files.schemas import FOLDER, KINDS, printed, published
from engine.files.yaml_reader import read

SHIPPED = [
    (kind, path)
    for kind, folder in {
        "plan": "plans",
        "directory": "agencies",
        "calendar": "calendars",
        "policy": "policies",
    }.items()
    for path in sorted((FOLDER.parent / folder).glob("*.yaml"))
]


@pytest.mark.parametrize("kind", list(KINDS))
def test_the_printed_schema_is_that_of_the_model(kind):
    assert (FOLDER / f"{kind}.json").read_text(encoding="utf-8") == printed(published()[kind]), (
        "run: python -m engine.files.schemas"
    )


@pytest.mark.parametrize(("kind", "path"), SHIPPED, ids=[path.name for _, path in SHIPPED])
def test_the_shipped_files_keep_to_the_printed_schema(kind, path):
    schema = json.loads((FOLDER / f"{kind}.json").read_text(encoding="utf-8"))
    written = read(path, KINDS[kind]).model_dump(mode="json", by_alias=True, exclude_unset=True)
    jsonschema.Draft202012Validator(schema).validate(written)


@pytest.mark.parametrize("kind", list(KINDS))
def test_the_printed_schema_refuses_an_unknown_key(kind):
    validator = jsonschema.Draft202012Validator(published()[kind])
    assert any("nmae" in error.message for error in validator.iter_errors({"nmae": 1}))


def test_every_kind_of_file_is_shipped():
    assert {kind for kind, _ in SHIPPED} == set(KINDS)
