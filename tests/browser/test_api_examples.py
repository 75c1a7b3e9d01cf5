"""The curl examples of the page /api, run by a shell against a real server: what is shown is what works.

A GET must answer 200. What is written must be understood: the act itself may be impossible by now (409), or name
something that is not there (404), but never malformed.
"""

from __future__ import annotations

import html
import os
import subprocess
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import httpx
import pytest
from browser.conftest import Spring, spring_of
from ground.office import join
from ground.postgres import Ground
from ground.province import MANY, NOW, fill

from engine.accounts.api_tokens import Scope, make_token
from engine.api.operations import GROUPS, PATH_VALUES

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
    with spring_of(ground, tmp_path_factory.mktemp("api")) as spring:
        names = fill(spring.system)
        caller = join(spring.database, "administrator", "tinh-doan", password="mot cau dai de nho 7")
        yield spring, names | {"caller": caller}


def new_key(spring: Spring, names: dict[str, Any]) -> str:
    """A key for one call: the one before may have ended all others."""
    words: dict[str, Any] = {"label": "thử", "scopes": tuple(Scope), "lasts": timedelta(days=9), "actor": "cli"}
    with spring.database.write() as session:
        return make_token(session, names["caller"], **words, now=NOW)


def values(spring: Spring, names: dict[str, Any]) -> dict[str, str]:
    """The examples' addresses with what is there."""
    there = {
        "account_id": names["account"],
        "agency_id": MANY,
        "assignment_id": names["reported"],
        "contact_id": names["contact"],
        "digest": names["digest"],
        "duty_id": names["duty"],
        "frozen_id": names["frozen"],
        "letter_id": names["letter"],
        "plan_id": names["plan"],
        "webhook_id": names["webhook"],
    }
    return {**PATH_VALUES, **{name: str(value) for name, value in there.items()}}


def run(spring: Spring, command: str, key: str) -> int:
    """The command with the documented variables; returns the status of the answer."""
    environment = {"PATH": os.environ["PATH"], "DONDOC": spring.url, "DONDOC_KEY": key, "LC_ALL": "C.UTF-8"}
    quiet = command.replace("curl ", "curl -s -o /dev/null -w '%{http_code}' ", 1)
    done = subprocess.run(["bash", "-c", quiet], env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, f"{command}\n{done.stderr}"
    return int(done.stdout)


def answers(spring: Spring, names: dict[str, Any], reading: bool, expected: tuple[int, ...]) -> dict[str, int]:
    """The status of every example whose answer is none of the expected ones."""
    there, unexpected = values(spring, names), {}
    for path, methods in httpx.get(f"{spring.url}/api/v1/openapi.json").json()["paths"].items():
        for method, operation in methods.items():
            if (method == "get") is not reading:
                continue
            sample = operation["x-codeSamples"][0]["source"]
            assert path.format(**PATH_VALUES) in sample
            command = sample.replace(path.format(**PATH_VALUES), path.format(**there), 1)
            key = f"{method.upper()} {path.removeprefix('/api/v1')}"
            status = run(spring, command, new_key(spring, names))
            if status not in expected and status != NOT_HERE.get(key, (0, ""))[0]:
                unexpected[key] = status
    return unexpected


def test_every_reading_example_answers(busy: tuple[Spring, dict[str, Any]]) -> None:
    assert answers(*busy, reading=True, expected=(200,)) == {}


def test_every_writing_example_is_understood(busy: tuple[Spring, dict[str, Any]]) -> None:
    assert answers(*busy, reading=False, expected=(200, 201, 202, 204, 404, 409)) == {}


def test_the_page_shows_the_examples_of_the_document(busy: tuple[Spring, dict[str, Any]]) -> None:
    spring, _ = busy
    document = httpx.get(f"{spring.url}/api/v1/openapi.json").json()
    pages = {tag: httpx.get(f"{spring.url}/api", params={"group": tag}).text for tag in GROUPS}
    for path, methods in document["paths"].items():
        for operation in methods.values():
            sample = operation["x-codeSamples"][0]["source"]
            assert path in pages[operation["tags"][0]]
            assert sample in html.unescape(pages[operation["tags"][0]])
