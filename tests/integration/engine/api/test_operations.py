"""The described document: no operation without a name in both languages, an example and its curl."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest

from config.settings import Settings
from engine import errors
from engine.accounts.signed_links import Signer
from engine.api.operations import ERROR_CATALOGUE, GROUPS, OPERATIONS, PATH_VALUES
from engine.api.reference import METHODS, PREFIX
from engine.api.routes import ERRORS
from engine.application.app import make_app
from engine.errors import DondocError
from engine.http.app_context import AppContext
from engine.store.clock import system_clock
from engine.store.database import Database


@cache
def document() -> dict[str, Any]:
    settings = Settings(_env_file=None, secret="for tests")  # type: ignore[call-arg]
    return make_app(
        AppContext(database=Database("sqlite://"), clock=system_clock, signer=Signer("x"), settings=settings)
    ).openapi()


def operations() -> dict[str, dict[str, Any]]:
    return {
        f"{method.upper()} {path.removeprefix(PREFIX)}": found
        for path, methods in document()["paths"].items()
        for method, found in methods.items()
        if method in METHODS and path.startswith(PREFIX)
    }


def test_the_table_and_the_routes_name_the_same_operations() -> None:
    assert sorted(OPERATIONS) == sorted(operations())


@pytest.mark.parametrize("key", sorted(OPERATIONS))
def test_an_operation_has_a_name_an_example_and_its_curl(key: str) -> None:
    found, name = operations()[key], OPERATIONS[key].name
    assert (found["summary"], found["x-summary-vi"]) == (name.en, name.vi)
    assert name.en != name.vi
    assert found["tags"][0] in GROUPS
    (sample,) = found["x-codeSamples"]
    assert sample["source"].startswith("curl ")
    assert "{" not in sample["source"].split('"')[1]
    if "requestBody" in found:
        (content,) = found["requestBody"]["content"].values()
        assert content["example"] == OPERATIONS[key].body
    else:
        assert OPERATIONS[key].body is None


def test_names_are_told_apart() -> None:
    assert len({each.name.en for each in OPERATIONS.values()}) == len(OPERATIONS)
    assert len({each.name.vi for each in OPERATIONS.values()}) == len(OPERATIONS)


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


def test_every_error_is_in_the_catalogue() -> None:
    kinds = [each for each in vars(errors).values() if isinstance(each, type) and issubclass(each, DondocError)]
    assert {each.status for each in kinds} | {int(each) for each in ERRORS} <= {each.status for each in ERROR_CATALOGUE}
