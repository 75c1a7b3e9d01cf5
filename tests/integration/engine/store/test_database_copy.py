"""An installation moves from SQLite to PostgreSQL: every row as it was, and nothing is said a second time."""

from __future__ import annotations

import asyncio

import pytest
from ground.databases import closing_database
from ground.factory import at
from ground.post import LetterBox, post_office
from sqlalchemy import select
from sqlmodel import SQLModel

from engine.errors import Conflict
from engine.store.database import Database
from engine.store.database_copy import copy_database
from workflows.run import passes

pytestmark = pytest.mark.postgres


def contents(database: Database) -> dict[str, list[tuple[object, ...]]]:
    """Without the versions: whoever copies has written, so the copy has others."""
    with database.read() as session:
        return {
            each.name: sorted(map(tuple, session.connection().execute(select(each))), key=repr)
            for each in SQLModel.metadata.sorted_tables
            if each.name != "data_version"
        }


def test_every_row_is_the_same_and_the_next_pass_does_the_same_in_both(lived: Database, postgres_url: str) -> None:
    with closing_database(postgres_url) as target:
        told: dict[str, int] = {}
        assert copy_database(lived, target, told.__setitem__) == told
        assert told["letter"] > 20
        assert contents(target) == contents(lived)
        sent = []
        for each in (lived, target):
            box = LetterBox()
            asyncio.run(passes.tick(each, at("2021-06-28", "07:30"), post_office(box)))
            sent.append(sorted((letter.key, letter.to) for letter in box.letters))
        assert sent[0] == sent[1] != []
        with pytest.raises(Conflict, match="already has rows"):
            copy_database(lived, target, told.__setitem__)
