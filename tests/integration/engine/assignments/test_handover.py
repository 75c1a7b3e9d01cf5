"""Open work follows its function when agencies change: a dry run, then each by an explicit act."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from ground.factory import Laid, agency, at, bring_to, directory, happened, item, lay, plan_file, row, rows

from engine.assignments import handover
from engine.assignments.handover import HandedOver, Succeeded
from engine.errors import BadInput, NotFound
from engine.rules.calendar import local_date
from engine.store.database import Database
from engine.store.records import Assignment, Event
from engine.terms import Role, State

OPENED, NOW = at("2021-04-07"), at("2021-06-07")


def edge(to: str, function: str = "chung", on: str = "2021-06-01") -> dict[str, Any]:
    return {"to": to, "on": date.fromisoformat(on), "function": function, "basis": "NQ 27"}


def province(**successors: list[dict[str, Any]]) -> Any:
    """The made-up province with a new department, and who took over from whom."""
    new = agency("so-moi", Role.COORDINATOR, Role.HEAD, parent="tinh")
    changes = {name: {"successors": edges} for name, edges in successors.items()}
    return directory(so_moi=new | changes.pop("so_moi", {}), **changes)


def set_up(database: Database, **successors: list[dict[str, Any]]) -> Laid:
    return lay(database, now=OPENED, bodies=province(**successors))


def dry_run(laid: Laid, agency_id: str = "so-ban", now: Any = NOW) -> Succeeded:
    with laid.database.read() as session:
        return handover.succeeded(session, agency_id, now)


def hand_over(laid: Laid, choices: dict[int, str], agency_id: str = "so-ban") -> HandedOver:
    with laid.database.write() as session:
        return handover.hand_over(session, agency_id, choices, actor="account:1", now=NOW)


def test_one_successor_is_proposed_for_everything_and_nothing_moves_yet(database: Database) -> None:
    laid = set_up(database, so_ban=[edge("so-moi")])
    found = dry_run(laid)
    (proposal,) = found.proposals
    assert (proposal.citation, proposal.chosen and proposal.chosen.agency_id) == ("IV.1.1", "so-moi")
    assert happened(database, kind="transferred") == []


def test_the_act_transfers_with_the_legal_basis_in_the_reason(database: Database) -> None:
    laid = set_up(database, so_ban=[edge("so-moi")])
    task = laid.assignment("IV.1.1", "so-ban")
    done = hand_over(laid, {task: "so-moi"})
    fresh = row(database, Assignment, id=done.moved[task])
    assert (fresh.agency_id, fresh.state, fresh.due_on) == ("so-moi", State.ASSIGNED, date(2021, 6, 17))
    reason = row(database, Event, kind="transferred").detail["reason"]
    assert "NQ 27" in reason
    assert "«chung»" in reason


def test_a_function_that_the_duty_names_goes_to_whoever_took_it(database: Database) -> None:
    plan = plan_file(items=(item(1, "so-ban", text="Thông tin cơ sở cho xã."), item(2, "so-ban")))
    bodies = province(so_ban=[edge("so-moi"), edge("so-chinh", "thông tin cơ sở")])
    laid = lay(database, now=OPENED, plan=plan, bodies=bodies)
    chosen = {each.citation: each.chosen.agency_id for each in dry_run(laid).proposals if each.chosen}
    assert chosen == {"IV.1.1": "so-chinh", "IV.2.1": "so-moi"}


def test_where_it_is_not_clear_nothing_is_proposed_and_the_administrator_chooses(database: Database) -> None:
    laid = set_up(database, so_ban=[edge("so-moi", "việc một"), edge("so-chinh", "việc hai")])
    found = dry_run(laid)
    assert [each.chosen for each in found.proposals] == [None]
    assert {each.agency_id for each in found.successors} == {"so-moi", "so-chinh"}
    assert len(hand_over(laid, {found.proposals[0].assignment_id: "so-chinh"}).moved) == 1


def test_a_succession_of_a_later_day_is_not_one_yet(database: Database) -> None:
    laid = set_up(database, so_ban=[edge("so-moi", on="2021-07-01")])
    assert dry_run(laid).successors == ()
    with pytest.raises(BadInput, match="kế thừa"):
        hand_over(laid, {laid.assignment("IV.1.1", "so-ban"): "so-moi"})
    assert len(dry_run(laid, now=at("2021-07-01")).successors) == 1


def test_a_successor_that_was_itself_succeeded_is_followed_to_today(database: Database) -> None:
    laid = set_up(database, so_ban=[edge("huyen-a")], huyen_a=[edge("so-moi")])
    assert [each.agency_id for each in dry_run(laid).successors] == ["so-moi"]


def test_bodies_that_succeed_each_other_end_somewhere(database: Database) -> None:
    laid = set_up(database, so_ban=[edge("so-moi")], so_moi=[edge("so-ban")])
    assert [each.agency_id for each in dry_run(laid).successors] == ["so-moi"]


def test_two_districts_that_became_one_owe_it_once(database: Database) -> None:
    laid = set_up(database, huyen_b=[edge("huyen-a")])
    (proposal,) = dry_run(laid, "huyen-b").proposals
    assert proposal.merges == {"huyen-a"}
    done = hand_over(laid, {proposal.assignment_id: "huyen-a"}, "huyen-b")
    assert (done.moved, done.merged) == ({}, (proposal.assignment_id,))
    assert row(database, Assignment, id=proposal.assignment_id).state is State.CANCELLED
    assert "Nhập vào" in row(database, Event, kind="cancelled").detail["reason"]


def test_what_can_no_longer_move_is_left_with_the_reason_and_the_rest_moves(database: Database) -> None:
    plan = plan_file(items=(item(1, "so-ban"), item(2, "so-ban")))
    laid = lay(database, now=OPENED, plan=plan, bodies=province(so_ban=[edge("so-moi")]))
    first, second = (laid.assignment(citation, "so-ban") for citation in ("IV.1.1", "IV.2.1"))
    bring_to(database, State.REPORTED, first, now=NOW)
    done = hand_over(laid, {first: "so-moi", second: "so-moi"})
    assert (list(done.moved), list(done.left)) == ([second], [first])
    assert row(database, Assignment, id=first).state is State.REPORTED


def test_doing_it_twice_moves_nothing_twice(database: Database) -> None:
    laid = set_up(database, so_ban=[edge("so-moi")])
    task = laid.assignment("IV.1.1", "so-ban")
    hand_over(laid, {task: "so-moi"})
    again = hand_over(laid, {task: "so-moi"})
    assert (again.moved, list(again.left)) == ({}, [task])
    assert len(rows(database, Assignment, agency_id="so-moi")) == 1


def test_agencies_whose_functions_have_gone_but_not_their_work_are_named(database: Database) -> None:
    laid = set_up(database, so_ban=[edge("so-moi")])
    with database.read() as session:
        assert handover.agencies_with_work_left(session, date(2021, 5, 31)) == ()
        assert handover.agencies_with_work_left(session, local_date(NOW)) == (("so-ban", "So ban", 1),)
    hand_over(laid, {laid.assignment("IV.1.1", "so-ban"): "so-moi"})
    with database.read() as session:
        assert handover.agencies_with_work_left(session, local_date(NOW)) == ()


def test_an_unknown_agency_is_not_found(database: Database) -> None:
    laid = set_up(database)
    with pytest.raises(NotFound):
        dry_run(laid, "so-khong-co")
