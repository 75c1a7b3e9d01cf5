"""Whatever is asked of any page, by anybody: an answer in words, never a 5xx, and looking changes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from ground.depth import part
from ground.office import Office, open_office
from ground.people import as_role, everything
from ground.walk import HOSTILE, WORST, Address, Watched, hostile_queries, routes, survey, trouble

from engine.accounts.permissions import ActorRole
from engine.store.database import Database

PAGES = routes("GET")
WHOSE = {ActorRole.MONITOR: "so-chinh", ActorRole.LEADERSHIP: "tinh", ActorRole.ADMINISTRATOR: "tinh"}

_FOUND: list[Address] = []


@pytest.fixture
def watched(lived: Database) -> Iterator[Watched]:
    file = Watched(Path(str(lived.url.database)))
    yield file
    file.close()


def found(office: Office) -> list[Address]:
    """The pages with parameters that exist; looked up once a run."""
    if not _FOUND:
        _FOUND.extend(each for each in survey(office).addresses if each.method == "GET")
    return _FOUND


def hostile(address: Address, turn: int) -> Iterator[str]:
    """Each parameter of the path hostile in turn; then the queries."""
    for n, name in enumerate(address.parameters):
        for value in part(HOSTILE, turn + n, len(HOSTILE)):
            yield address.filled(**{name: value})
    for query in part([*hostile_queries(address)], turn, 20):
        yield f"{address.filled()}?{query}"


def walk(office: Office, paths: Iterator[str], language: str = "vi") -> list[str]:
    return [f"{path[:120]}: {wrong}" for path in paths if (wrong := trouble(office.get(path), language))]


def test_the_walk_knows_the_pages() -> None:
    known = {address.path for address in PAGES}
    assert {"/", "/overdue", "/assignments/{assignment_id}", "/report/{agency_id}/{plan_id}/{period}"} <= known


@pytest.mark.parametrize("language", ["vi", "en"])
def test_no_address_however_hostile_breaks_a_page(office: Office, watched: Watched, language: str) -> None:
    office.client.cookies.set("dondoc_language", language)
    addresses = found(office)[:: 1 if language == "vi" else 8]
    assert walk(office, (path for n, each in enumerate(addresses) for path in hostile(each, n)), language) == []
    assert not watched.changed()


@pytest.mark.parametrize("role", list(ActorRole))
def test_every_role_gets_an_answer_in_words_at_every_address(lived: Database, tmp_path: Path, role: ActorRole) -> None:
    visitor = as_role(lived, tmp_path, role.value, WHOSE.get(role, "huyen-b"))
    before = everything(lived)
    pages = part([*enumerate(PAGES)], list(ActorRole).index(role), 6)
    paths = (path for turn, address in pages for path in _some(address, turn))
    assert walk(visitor, paths) == []
    assert everything(lived) == before


def _some(address: Address, turn: int) -> Iterator[str]:
    yield address.filled()
    for value in part(WORST, turn, len(WORST)):
        query = "&".join(f"{name}=%00" for name in address.queries)
        yield f"{address.filled(**dict.fromkeys(address.parameters, value))}?{query}"


def test_nobody_is_led_to_signing_in_or_told_why_not(lived: Database, tmp_path: Path) -> None:
    as_role(lived, tmp_path, "administrator", "tinh")
    nobody = open_office(lived, tmp_path)
    wrong = [path for n, address in enumerate(PAGES) for path in _some(address, n) if trouble(nobody.get(path))]
    assert wrong == []
