"""Many decided at once, on both databases: each by itself, what cannot be decided left whole."""

from __future__ import annotations

import pytest
from ground.factory import Laid, do, row, rows
from ground.office import NOW

from engine.assignments.bulk_decisions import MAX_DECISIONS, accept_reports, decide_extensions, return_reports
from engine.assignments.lifecycle import ReportText, report
from engine.errors import BadInput
from engine.rules.situation import Action
from engine.store.records import Assignment, Extension, Report
from engine.terms import State

BY = {"actor": "account:1", "now": NOW}
SO_BAN, HUYEN_A, MAT_TRAN = 1, 2, 4


def state(fresh: Laid, assignment: int) -> State:
    found: State = row(fresh.database, Assignment, id=assignment).state
    return found


def test_reports_are_taken_each_by_itself_and_one_taken_before_is_left(fresh: Laid) -> None:
    do(fresh.database, Action.ACCEPT, SO_BAN, now=NOW)
    with fresh.database.write() as session:
        decided = accept_reports(session, [1, 2, 2, 99], **BY)  # type: ignore[arg-type]
    assert (decided.done, sorted(decided.left)) == ((2,), [1, 99])
    assert state(fresh, HUYEN_A) is State.ACCEPTED


def test_reports_go_back_with_one_reason_and_none_without(fresh: Laid) -> None:
    with pytest.raises(BadInput, match="lý do"), fresh.database.write() as session:
        return_reports(session, [1, 2], reason=" ", **BY)  # type: ignore[arg-type]
    assert state(fresh, SO_BAN) is State.REPORTED
    with fresh.database.write() as session:
        assert return_reports(session, [1, 2], reason="Thiếu.", **BY).done == (1, 2)  # type: ignore[arg-type]
    assert {each.returned_reason for each in rows(fresh.database, Report)} == {"Thiếu."}


def test_an_extension_that_cannot_be_granted_any_more_is_left_undecided(fresh: Laid) -> None:
    with fresh.database.write() as session:
        report(session, MAT_TRAN, ReportText(body="Xong."), actor="contact:1", now=NOW)
        decided = decide_extensions(session, [1, 7], granted=True, **BY)  # type: ignore[arg-type]
    assert (decided.done, sorted(decided.left)) == ((), [1, 7])
    assert row(fresh.database, Extension).decided_at is None


@pytest.mark.parametrize("ids", [[], range(1, MAX_DECISIONS + 2)])
def test_nothing_and_too_many_are_refused(fresh: Laid, ids: list[int]) -> None:
    with pytest.raises(BadInput), fresh.database.write() as session:
        accept_reports(session, list(ids), **BY)  # type: ignore[arg-type]
