"""What a release says of itself: one version, sections that stay, two locks whose files are known by their digests."""

from __future__ import annotations

import hashlib
import re
import tomllib
from importlib.metadata import version as installed

import pytest
from ground.paths import ROOT

from engine.store.version import age_of, newest_schema, version, version_line

CHANGES = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
SECTIONS = re.findall(r"^## \[([\d.]+)\](?: - (\S+))?\n(.*?)(?=^## |\Z)", CHANGES, re.MULTILINE | re.DOTALL)
RELEASED = {"0.1.0": "41dffecc", "0.2.0": "ec15dbfb"}
"""How the digest of each dated section begins: what was released is not told anew; the next change begins a section."""
LOCKS = {name: (ROOT / name).read_text() for name in ("requirements.lock", "requirements-dev.lock")}


def test_dated_sections_of_the_change_log_never_change() -> None:
    dated = {name: hashlib.sha256(text.encode()).hexdigest()[:8] for name, day, text in SECTIONS if day[:2] == "20"}
    assert dated == RELEASED


def test_the_newest_section_is_the_version_that_is_installed() -> None:
    assert installed("dondoc").partition(".dev")[0] == SECTIONS[0][0]
    assert version_line("en") == f"{version()}, schema {newest_schema()}"
    assert version_line("vi") == f"{version()}, lược đồ {newest_schema()}"


def test_commits_after_a_release_are_newer_and_those_before_it_older() -> None:
    written = ["", "0.1.0", "0.2.0.dev0", "0.2.0.dev9+g1c1b653a", "0.2.0.dev12+g00000009", "0.2.0", "0.10.0"]
    assert sorted(written, key=age_of) == written
    assert age_of("0.2.0.dev9+g1c1b653a") == age_of("0.2.0.dev9")


def _pins(lock: str) -> dict[str, str]:
    return dict(re.findall(r"^([a-z0-9-]+)==(\S+)", lock, re.MULTILINE))


@pytest.mark.parametrize("name", LOCKS)
def test_every_pinned_file_is_known_by_its_digest_and_no_registry_by_its_address(name: str) -> None:
    lock = LOCKS[name]
    entries = re.split(r"\n(?=\S)", lock.strip())
    assert all(
        re.match(r"[a-z0-9-]+==\S+( ; .+?)? \\\n( +--hash=sha256:[0-9a-f]{64}( \\\n)?)+$", each) for each in entries
    )
    assert not re.search(r"https?://|index-url", lock)


def test_the_lock_of_the_tests_holds_all_that_runs_in_the_same_versions() -> None:
    runs, tests = map(_pins, LOCKS.values())
    assert runs.items() <= tests.items()
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    for asked, pins in ((project["dependencies"], runs), (project["optional-dependencies"]["dev"], tests)):
        assert {re.split(r"[\[><=]", each)[0].replace(".", "-") for each in asked} <= set(pins)
    assert {"pytest", "mypy", "setuptools-scm"}.isdisjoint(runs)


@pytest.mark.parametrize("path", ["Makefile", "packaging/Dockerfile"])
def test_what_a_lock_names_is_installed_and_nothing_else(path: str) -> None:
    """pip asks for a digest of `httpx[http2]` though httpx has one; the locks are complete without its looking."""
    lines = [each for each in (ROOT / path).read_text().splitlines() if re.search(r"pip.* -r requirements", each)]
    assert lines
    assert all("--no-deps -r" in each for each in lines)
