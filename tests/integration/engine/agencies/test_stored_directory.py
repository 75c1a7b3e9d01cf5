"""The directory read back from the database is the one that was loaded."""

from __future__ import annotations

from datetime import date

import pytest
from ground.factory import CONFIG, at, directory, rows, store

from engine.agencies.directory_loading import load_directory as store_directory
from engine.agencies.directory_loading import read_directory
from engine.errors import NotFound
from engine.files.directory import load_directory
from engine.store.database import Database
from engine.store.records import Event

NOW = at("2021-04-07")


def test_names_aliases_groups_and_the_place_are_found_again(sqlite_database: Database) -> None:
    shipped = load_directory(CONFIG / "agencies/nghe-an-2021.yaml")
    with sqlite_database.write() as session:
        store_directory(session, shipped, actor="cli:test", now=NOW)
    with sqlite_database.read() as session:
        found = read_directory(session)
    assert (found.id, found.name, set(found.ids)) == (shipped.id, shipped.name, set(shipped.ids))
    for name in ("Sở LĐ-TB&XH", "Sở Y tế tỉnh Nghệ An", "UBND các huyện, thành, thị", "UBND H. Quì Hợp"):
        assert found.find(name) == shipped.find(name) is not None
    assert found.expand(["huyen-21"]) == tuple(sorted(shipped.expand(["huyen-21"])))


def test_a_later_file_says_whom_each_follows_and_loading_it_again_changes_what_is_said(
    sqlite_database: Database,
) -> None:
    earlier, later = (load_directory(CONFIG / f"agencies/nghe-an-{year}.yaml") for year in (2021, 2025))
    for file in (later, earlier, later):
        with sqlite_database.write() as session:
            store_directory(session, file, actor="cli:test", now=NOW)
    with sqlite_database.read() as session:
        district = read_directory(session).by_id["ubnd-huyen-anh-son"]
    followed = {edge.to: edge for edge in district.successors}
    assert len(followed) == 7  # six communes, and who held their place until they were known
    seat = followed["ubnd-xa-anh-son"]
    assert (seat.on, seat.seat, seat.inferred) == (date(2025, 7, 1), True, True)
    assert seat.basis == "Nghị quyết 1678/NQ-UBTVQH15, 16/6/2025"
    unknown = [each.detail["unknown_predecessors"] for each in rows(sqlite_database, Event)]
    assert [len(each) for each in unknown] == [20, 0]  # the third loading says nothing new


def test_contacts_come_only_when_asked_for(sqlite_database: Database) -> None:
    store(sqlite_database, now=NOW)
    with sqlite_database.read() as session:
        without, with_them = read_directory(session), read_directory(session, contacts=True)
    assert not any(each.contacts for each in without.agencies)
    assert with_them.by_id["so-ban"].contacts == directory().by_id["so-ban"].contacts


def test_without_a_directory_it_says_how_one_comes(sqlite_database: Database) -> None:
    with sqlite_database.read() as session, pytest.raises(NotFound, match="dondoc load contacts"):
        read_directory(session)
