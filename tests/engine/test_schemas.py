"""The printed schemas say what the models say, and the shipped files keep to them."""

import json

import jsonschema
import pytest
import yaml

from engine.schemas import FOLDER, KINDS, printed, published

SHIPPED = [(kind, path) for kind, folder in
           {"plan": "plans", "directory": "agencies", "calendar": "calendars", "policy": "policies"}.items()
           for path in sorted((FOLDER.parent / folder).glob("*.yaml"))]  # fmt: skip


@pytest.mark.parametrize("kind", list(KINDS))
def test_the_printed_schema_is_that_of_the_model(kind):
    assert (FOLDER / f"{kind}.json").read_text(encoding="utf-8") == printed(published()[kind]), (
        "run: python -m engine.schemas"
    )


@pytest.mark.parametrize(("kind", "path"), SHIPPED, ids=[path.name for _, path in SHIPPED])
def test_the_shipped_files_keep_to_the_printed_schema(kind, path):
    schema = json.loads((FOLDER / f"{kind}.json").read_text(encoding="utf-8"))
    data = yaml.load(path.read_text(encoding="utf-8"), yaml.BaseLoader)  # every scalar as text, as it stands
    wrong = [each for each in jsonschema.Draft202012Validator(schema).iter_errors(data) if each.validator != "type"]
    assert [error.message for error in wrong if error.validator not in {"anyOf"}] == []


def test_every_kind_of_file_is_shipped():
    assert {kind for kind, _ in SHIPPED} == set(KINDS)
