"""A changed policy: how many open works keep the old ladder, and the move of those that no reminder has reached."""

from __future__ import annotations

from datetime import datetime

import pytest
from ground.factory import Laid, at, do, lay, policy, rows, swept

from engine.errors import NotFound
from engine.plans.loading import KeptLadders, kept_ladders, load_policy, move_to_new_ladders
from engine.rules.policy import Ladder, Policy
from engine.rules.situation import Action
from engine.store.database import Database
from engine.store.records import Assignment, Notice
from engine.terms import NoticeKind

OPENED = at("2021-04-07")


def changed() -> Policy:
    """Reminds five working days before the due date in place of three."""
    old = policy()
    order = old.ladders["order"]
    rungs = [each.model_copy(update={"rung": "T-5", "due": -5}) if each.due == -3 else each for each in order.rungs]
    return old.model_copy(update={"ladders": {**old.ladders, "order": Ladder(name=order.name, rungs=tuple(rungs))}})


def change(laid: Laid, now: datetime) -> None:
    with laid.database.write() as session:
        load_policy(session, changed(), actor="account:1", now=now)


def kept(laid: Laid) -> KeptLadders:
    with laid.database.read() as session:
        return kept_ladders(session, "default")


def moved(laid: Laid, now: datetime) -> int:
    with laid.database.write() as session:
        return move_to_new_ladders(session, "default", actor="account:1", now=now)


def test_what_no_reminder_has_reached_is_moved_and_reminded_by_the_new_ladder(database: Database) -> None:
    laid = lay(database, now=OPENED)
    swept(database, OPENED)
    for each in (("IV.1.1", "so-ban"), ("IV.2.1", "huyen-a"), ("IV.2.1", "huyen-b")):
        do(database, Action.ACKNOWLEDGE, laid.assignment(*each), now=OPENED)
    assert kept(laid) == KeptLadders()
    now = at("2021-04-20")
    change(laid, now)
    assert kept(laid) == KeptLadders(kept=4, movable=4)  # the request keeps its own, which is the same
    assert moved(laid, now) == 4
    assert kept(laid) == KeptLadders()
    swept(database, at("2021-06-10", "07:00"))  # five working days before 17 June
    reminded = {each.assignment_id for each in rows(database, Notice) if each.rung == "T-5"}
    assert laid.assignment("IV.1.1", "so-ban") in reminded


def test_what_was_reminded_keeps_the_ladder_it_was_opened_with(database: Database) -> None:
    laid = lay(database, now=OPENED)
    swept(database, OPENED)
    for day in ("2021-06-14", "2021-06-15"):
        swept(database, at(day, "07:00"))
    assert NoticeKind.REMINDER in {each.kind for each in rows(database, Notice)}
    now = at("2021-06-15", "09:00")
    change(laid, now)
    before = {each.id: each.ladder_id for each in rows(database, Assignment)}
    found = kept(laid)
    assert found.kept == 4
    assert found.movable < 4
    moved(laid, now)
    after = {each.id: each.ladder_id for each in rows(database, Assignment)}
    assert before[laid.assignment("IV.1.1", "so-ban")] == after[laid.assignment("IV.1.1", "so-ban")]


def test_of_no_policy_nothing_is_kept(database: Database) -> None:
    laid = lay(database, now=OPENED)
    with laid.database.read() as session, pytest.raises(NotFound):
        kept_ladders(session, "khong-co")
