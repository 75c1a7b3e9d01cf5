"""The curl examples of the page /api, run by a shell against a real server: what is shown is what works.

A GET must answer 200. What is written must be understood: the act itself may be impossible by now (409), or name
something that is not there (404), but never malformed.
"""

from __future__ import annotations

import html
import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from browser.api_answers import answers, busy_spring, call, example, new_key, shape
from browser.conftest import Spring
from ground.postgres import Ground

from engine.api.operations import GROUPS
from engine.api.reference import ANSWERS

pytestmark = pytest.mark.browser
NOT_HERE = {
    "GET /wishes": (404, "an administrator is no contact"),
    "GET /plans/{plan_id}/activation": (409, "the plan runs already"),
    "PUT /policies/{policy_id}": (422, "a policy file of ten lines is not whole"),
    "POST /plans": (422, "a plan file of three lines is not whole"),
    "POST /plans/check": (422, "the same"),
    "POST /reports": (422, "the assignment is another agency's"),
    "POST /directory/{agency_id}/handover": (422, "nobody has succeeded this agency"),
    "POST /assignments/{assignment_id}/part": (403, "that agency does not help with this one"),
    "POST /contacts/{contact_id}/deputies/{deputy_id}/end": (403, "the deputy is another agency's"),
}
"""What the examples' ids do not allow in the lived province."""


@pytest.fixture(scope="module")
def busy(ground: Ground, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Spring, dict[str, Any]]]:
    with busy_spring(ground, tmp_path_factory.mktemp("api")) as found:
        yield found


def statuses(spring: Spring, names: dict[str, Any], reading: bool, expected: tuple[int, ...]) -> dict[str, int]:
    """The status of every example whose answer is none of the expected ones."""
    unexpected = {}
    for path, methods in httpx.get(f"{spring.url}/api/v1/openapi.json").json()["paths"].items():
        for method, operation in methods.items():
            if (method == "get") is not reading:
                continue
            command = example(spring, names, path, operation)
            key = f"{method.upper()} {path.removeprefix('/api/v1')}"
            status = int(call(spring, command, new_key(spring, names), "-s -o /dev/null -w '%{http_code}'"))
            if status not in expected and status != NOT_HERE.get(key, (0, ""))[0]:
                unexpected[key] = status
    return unexpected


def test_the_example_answers_have_the_names_of_today(busy: tuple[Spring, dict[str, Any]]) -> None:
    """Before the writing examples have run. Else: make api-answers, and read them."""
    assert shape(answers(*busy)) == shape(json.loads(ANSWERS.read_text(encoding="utf-8")))


def test_every_reading_example_answers(busy: tuple[Spring, dict[str, Any]]) -> None:
    assert statuses(*busy, reading=True, expected=(200,)) == {}


def test_every_writing_example_is_understood(busy: tuple[Spring, dict[str, Any]]) -> None:
    assert statuses(*busy, reading=False, expected=(200, 201, 202, 204, 404, 409)) == {}


def test_the_page_shows_the_examples_of_the_document(busy: tuple[Spring, dict[str, Any]]) -> None:
    spring, _ = busy
    document = httpx.get(f"{spring.url}/api/v1/openapi.json").json()
    pages = {tag: httpx.get(f"{spring.url}/api", params={"group": tag}).text for tag in GROUPS}
    for path, methods in document["paths"].items():
        for operation in methods.values():
            sample = operation["x-codeSamples"][0]["source"]
            assert path in pages[operation["tags"][0]]
            assert sample in html.unescape(pages[operation["tags"][0]])
