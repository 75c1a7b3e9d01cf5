"""The described document: no operation without a name in both languages, an example and its curl."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from functools import cache
from typing import Any

import jsonschema
import pytest
from fastapi import FastAPI

from config.settings import Settings
from engine import errors
from engine.accounts.signed_links import Signer
from engine.api.operations import ERROR_CATALOGUE, ERRORS, GROUPS, PATH_VALUES, WITHOUT_KEY
from engine.application.app import make_app
from engine.errors import DondocError
from engine.http.app_context import AppContext
from engine.store.clock import system_clock
from engine.store.database import Database


@cache
def application() -> FastAPI:
    settings = Settings(_env_file=None, secret="for tests")  # type: ignore[call-arg]
    return make_app(
        AppContext(database=Database("sqlite://"), clock=system_clock, signer=Signer("x"), settings=settings)
    )


def document() -> dict[str, Any]:
    return application().openapi()


def operations() -> dict[str, dict[str, Any]]:
    return {
        f"{method.upper()} {path}": found
        for path, methods in document()["paths"].items()
        for method, found in methods.items()
    }


@pytest.mark.parametrize("key", sorted(operations()))
def test_an_operation_has_a_name_an_example_and_its_curl(key: str) -> None:
    found = operations()[key]
    assert found["summary"] != found["x-summary-vi"]
    assert found["tags"][0] in GROUPS
    (sample,) = found["x-codeSamples"]
    assert sample["source"].startswith("curl ")
    assert "{" not in sample["source"].split('"')[1]
    assert ("requestBody" in found) == (not key.startswith("GET "))
    if "requestBody" in found:
        (content,) = found["requestBody"]["content"].values()
        assert "schema" in content
        assert f"-d '{json.dumps(content['example'], ensure_ascii=False)}'" in sample["source"]


def test_an_example_of_a_body_is_of_its_schema() -> None:
    for found in operations().values():
        for content in found.get("requestBody", {}).get("content", {}).values():
            schema = {**content["schema"], "components": document()["components"]}
            jsonschema.Draft202012Validator(schema).validate(content["example"])


def test_the_document_of_a_heading_says_of_its_operations_what_the_whole_says() -> None:
    parts = [application().state.openapi_of(heading)["paths"] for heading in GROUPS]
    found = {
        (path, method): said for part in parts for path, methods in part.items() for method, said in methods.items()
    }
    whole = document()["paths"]
    assert found == {(path, method): said for path, methods in whole.items() for method, said in methods.items()}


def test_names_are_told_apart() -> None:
    for name in ("summary", "x-summary-vi"):
        assert len({found[name] for found in operations().values()}) == len(operations())


def test_every_parameter_of_an_address_has_a_value() -> None:
    named = {
        parameter["name"]
        for found in operations().values()
        for parameter in found.get("parameters", [])
        if parameter["in"] == "path"
    }
    assert named == set(PATH_VALUES)


def test_the_document_says_how_to_sign_in() -> None:
    assert document()["components"]["securitySchemes"]["bearer"]["scheme"] == "bearer"
    assert document()["security"] == [{"bearer": []}]


def test_every_example_is_what_its_schema_allows() -> None:
    """Generators make calls of them: 60 numbers stood there as text. And each operation says what it is for."""
    definitions = {"components": document()["components"]}
    for key, found in operations().items():
        assert found["description"], key
        for each in found.get("parameters", []):
            if "example" in each:
                jsonschema.validate(each["example"], each["schema"] | definitions)
    assert document()["servers"]
    assert document()["info"]["contact"]
    arrays = [each for each in nested(document()) if each.get("type") == "array"]
    assert [each for each in arrays if not each.get("items")] == []


def nested(value: object) -> Iterator[dict[str, Any]]:
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for each in parts:
        yield from nested(each)
    if isinstance(value, dict):
        yield value


def test_every_error_is_in_the_catalogue() -> None:
    kinds = [each for each in vars(errors).values() if isinstance(each, type) and issubclass(each, DondocError)]
    assert {each.status for each in kinds} | {int(each) for each in ERRORS} <= {each.status for each in ERROR_CATALOGUE}


def test_a_generated_client_has_a_function_for_each_operation_and_a_class_for_each_model() -> None:
    """A generator writes a file an operation and a class a title: of two that are called the same it loses one."""
    found = operations()
    names = [each["operationId"] for each in found.values()]
    assert [name for name in names if not re.fullmatch(r"[a-z]+(_[a-z]+)+", name)] == []
    assert [name for name, count in Counter(names).items() if count > 1] == []
    assert {"list_agencies", "get_agency", "report_assignment", "replace_policy"} <= set(names)
    schemas = document()["components"]["schemas"]
    titles = Counter(each.get("title") for each in schemas.values())
    assert [title for title, count in titles.items() if title and count > 1] == []
    assert [name for name in schemas if "__" in name] == []


def test_an_idempotency_key_is_offered_only_where_it_works() -> None:
    """It was shown at every GET, and at writes that return a secret."""
    offered = {
        each["operationId"]
        for each in operations().values()
        if any(parameter["name"] == "Idempotency-Key" for parameter in each.get("parameters", []))
    }
    ids = {key: each["operationId"] for key, each in operations().items()}
    reads = {name for key, name in ids.items() if key.startswith("GET ")}
    assert offered == set(ids.values()) - reads - WITHOUT_KEY
    assert set(ids.values()) >= WITHOUT_KEY
