"""Whatever is asked of any page, by anybody: an answer in words, never a 5xx, and looking changes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from ground.office import Office, as_role, everything, open_office
from ground.walk import HOSTILE, NUL, Address, Watched, hostile_queries, routes, survey, trouble

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


def hostile(address: Address) -> Iterator[str]:
    """Each parameter of the path hostile in turn; then the queries."""
    for name in address.parameters:
        for value in HOSTILE:
            yield address.filled(**{name: value})
    for query in hostile_queries(address):
        yield f"{address.filled()}?{query}"


def walk(office: Office, paths: Iterator[str], language: str = "vi") -> list[str]:
    return [f"{path[:120]}: {wrong}" for path in paths if (wrong := trouble(office.get(path), language))]


def test_the_walk_knows_the_pages() -> None:
    known = {address.path for address in PAGES}
    assert {"/", "/overdue", "/assignments/{assignment_id}", "/report/{agency_id}/{plan_id}/{period}"} <= known


@pytest.mark.deep  # what the walk says of a page: below, of one hostile value
def test_no_address_however_hostile_breaks_a_page(office: Office, watched: Watched) -> None:
    assert walk(office, (path for each in found(office) for path in hostile(each))) == []
    assert not watched.changed()


def test_an_error_is_told_in_the_language_of_who_asked(office: Office) -> None:
    office.client.cookies.set("dondoc_language", "en")
    assert walk(office, (path for each in found(office) for path in _some(each)), "en") == []


@pytest.mark.parametrize("role", list(ActorRole))
def test_every_role_gets_an_answer_in_words_at_every_address(lived: Database, tmp_path: Path, role: ActorRole) -> None:
    visitor = as_role(lived, tmp_path, role.value, WHOSE.get(role, "huyen-b"))
    before = everything(lived)
    assert walk(visitor, (path for address in PAGES for path in _some(address))) == []
    assert everything(lived) == before


def _some(address: Address) -> Iterator[str]:
    """As it is linked to, and with NUL for every parameter: whether a page reads hostile values is asked above."""
    yield address.filled()
    query = "&".join(f"{name}=%00" for name in address.queries)
    yield f"{address.filled(**dict.fromkeys(address.parameters, NUL))}?{query}"


def test_nobody_is_led_to_signing_in_or_told_why_not(lived: Database, tmp_path: Path) -> None:
    as_role(lived, tmp_path, "administrator", "tinh")
    nobody = open_office(lived, tmp_path)
    assert walk(nobody, (path for address in PAGES for path in _some(address))) == []
