"""Balancers and containers ask without signing in, and learn nothing but yes or no."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import pytest
from ground.office import Office, everything, open_office

from engine.http.guards.request_limits import access
from engine.store.database import Database
from workflows.serving.sending import JsonLines


@pytest.fixture
def closed(lived: Database, tmp_path: Path) -> Office:
    return open_office(lived, tmp_path, open_desk=False)


def test_both_probes_answer_strangers_without_facts_and_change_nothing(closed: Office, lived: Database) -> None:
    before = everything(lived)
    assert [closed.get(path).text for path in ("/healthz", "/readyz")] == ["ok\n", "ready\n"]
    assert everything(lived) == before
    assert closed.get("/readyz").headers["cache-control"] == "no-store"


def test_a_stranger_reads_where_a_weakness_is_reported(closed: Office) -> None:
    """RFC 9116: an address, and a day until which it holds."""
    lines = dict(each.split(": ", 1) for each in closed.get("/.well-known/security.txt").text.splitlines())
    assert lines["Contact"] == f"mailto:{closed.context.settings.mail_from}"
    assert lines["Expires"] == "2022-06-24T01:00:00Z"


def test_browsers_and_password_keepers_find_what_they_ask_every_address_for(closed: Office) -> None:
    assert closed.get("/robots.txt").text == "User-agent: *\nDisallow: /\n"
    manifest = closed.get("/manifest.webmanifest").json()
    for address in (manifest["icons"][0]["src"], closed.get("/favicon.ico").headers["location"]):
        assert closed.get(address).headers["content-type"] == "image/svg+xml"
    changes = closed.get("/.well-known/change-password")
    assert (changes.status_code, changes.headers["location"]) == (302, "/account#password")


@pytest.mark.parametrize("url", ["sqlite:////nowhere/at/all.db", "sqlite://"])
def test_a_database_that_is_away_or_has_no_schema_is_not_ready_but_alive(
    tmp_path: Path, lived: Database, url: str
) -> None:
    office = open_office(Database(url), tmp_path, open_desk=False)
    assert (office.get("/healthz").status_code, office.get("/readyz").status_code) == (200, 503)
    assert office.get("/readyz").text == "not ready\n"


@pytest.mark.parametrize(
    ("given", "kept"), [("abc-12345", True), ("short", False), ("a b c d e f", False), ("", False)]
)
def test_each_answer_has_an_id_that_a_proxy_may_give(closed: Office, given: str, kept: bool) -> None:
    answers = [closed.get("/healthz", headers={"x-request-id": given} if given else {}) for _ in range(2)]
    first, second = (each.headers["x-request-id"] for each in answers)
    assert (first == given) is kept
    assert (first == second) is kept


def test_a_json_line_has_the_request_and_the_route_and_never_the_path(
    closed: Office, caplog: pytest.LogCaptureFixture
) -> None:
    formatter, lines = JsonLines(), []

    class Sink(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(json.loads(formatter.format(record)))

    sink = Sink()
    access.addHandler(sink)
    try:
        with caplog.at_level(logging.INFO, "dondoc.access"):
            answer = closed.get("/l/a-secret-of-a-letter")
    finally:
        access.removeHandler(sink)
    (line,) = lines
    assert line["request"] == answer.headers["x-request-id"]
    assert (line["route"], line["status"], line["method"]) == ("/l/{token}", answer.status_code, "GET")
    assert "a-secret-of-a-letter" not in json.dumps(line)


def test_a_json_line_holds_its_error_on_one_line() -> None:
    try:
        raise ValueError("spoiled")
    except ValueError:
        record = logging.getLogger("dondoc.x").makeRecord(
            "dondoc.x", 40, "", 0, "said %s", ("so",), __import__("sys").exc_info()
        )
    line = JsonLines().format(record)
    assert "\n" not in line
    assert json.loads(line)["message"] == "said so"
    assert "ValueError: spoiled" in json.loads(line)["error"]
