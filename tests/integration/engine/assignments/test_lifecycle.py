"""Every act in every state: the allowed ones move and are recorded, the others are a sentence and change nothing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from functools import partial
from typing import Any

import pytest
from ground.factory import Laid, at, bring_to, directory, do, happened, item, lay, plan_file, row, rows, swept, told
from sqlmodel import Session

from engine.assignments import lifecycle
from engine.assignments.lifecycle import ReportText
from engine.assignments.promise_rows import PromiseText
from engine.assignments.situations import report_timing, task_timing
from engine.errors import BadInput, Conflict, ForbiddenMove, NotFound
from engine.plans.amendments import Amendment, amend_duty
from engine.plans.closing import redate_all
from engine.rules.calendar import Due
from engine.rules.situation import LEADS_TO, NEEDS, NO_REPORT, Action
from engine.store.database import Database
from engine.store.records import Assignment, Event, Extension, Letter, Notice, Report
from engine.terms import EventKind, Outcome, Quiet, State, Timing

OPENED, NOW = at("2021-04-07"), at("2021-06-16", "09:00")
BY = "contact:1"
JULY = [date(2021, 6, 25), date(2021, 6, 28), date(2021, 6, 29), date(2021, 7, 1), date(2021, 7, 5)]


@pytest.fixture
def laid(database: Database) -> Laid:
    return lay(database, now=OPENED)


@pytest.fixture
def task(laid: Laid) -> int:
    """The assignment of so-ban, due Thursday 17 June 2021."""
    return laid.assignment("IV.1.1", "so-ban")


def act(database: Database, deed: Callable[..., Any], task: int, **words: Any) -> Any:
    with database.write() as session:
        return deed(session, task, **{"actor": BY, "now": NOW} | words)


def stored(database: Database) -> list[Any]:
    return [rows(database, model) for model in (Assignment, Report, Extension, Event, Letter, Notice)]


def tried(database: Database, action: Action, task: int) -> State | str:
    """The state that an act led to; or «refused» or «no news», and then nothing at all has changed."""
    before = stored(database)
    try:
        news = do(database, action, task, now=NOW)
    except Conflict:
        news = "refused"
    if news in (False, "refused"):
        assert stored(database) == before
        return str(news or "no news")
    return State(row(database, Assignment, id=task).state)


TABLE = """
              acknowledge   report    accept    return    cancel     transfer
assigned      acknowledged  reported  -         -         cancelled  transferred
acknowledged  -             reported  -         -         cancelled  transferred
reported      -             reported  accepted  returned  cancelled  transferred
returned      -             reported  -         -         cancelled  transferred
accepted      -             reported  -         -         cancelled  transferred
cancelled     -             -         -         -         -          -
transferred   -             -         -         -         -          -
"""


def test_every_cell_of_the_table_of_moves_is_the_one_written_here() -> None:
    actions, *lines = (line.split() for line in TABLE.strip().splitlines())
    written = {(state, action): to for state, *cells in lines for action, to in zip(actions, cells, strict=True)}
    assert set(written) == {(state, action) for state in State for action in LEADS_TO}
    moves = {(state, action): to for action, to in LEADS_TO.items() for state in NEEDS[action].states}
    assert {move: to for move, to in written.items() if to != "-"} == moves


@pytest.mark.parametrize("state", State)
def test_the_table_of_moves_is_the_whole_machine(database: Database, state: State) -> None:
    plan = plan_file(items=tuple(item(n, "so-ban") for n, _ in enumerate(LEADS_TO, 1)))
    laid = lay(database, now=OPENED, plan=plan)
    for n, action in enumerate(LEADS_TO, 1):
        task = laid.assignment(f"IV.{n}.1", "so-ban")
        bring_to(database, state, task, now=OPENED)
        # an old letter's link may be opened again: that is no mistake
        again = action is Action.ACKNOWLEDGE and state not in (State.CANCELLED, State.TRANSFERRED)
        done = state not in NO_REPORT.states  # the report of ``bring_to`` says that the task is done
        possible = state in NEEDS[action].states and done in NEEDS[action].done
        wanted = LEADS_TO[action] if possible else "no news" if again else "refused"
        assert (action, tried(database, action, task)) == (action, wanted)


@pytest.mark.parametrize(
    ("action", "kind"),
    [
        (Action.ACKNOWLEDGE, EventKind.ACKNOWLEDGED),
        (Action.REPORT, EventKind.REPORTED),
        (Action.CANCEL, EventKind.CANCELLED),
        (Action.TRANSFER, EventKind.TRANSFERRED),
    ],
)
def test_an_act_is_recorded_once_with_who_and_when(
    database: Database, task: int, action: Action, kind: EventKind
) -> None:
    do(database, action, task, now=NOW, actor="account:7")
    event = row(database, Event, assignment_id=task, kind=kind)
    assert (event.actor, event.at) == ("account:7", NOW)


def test_a_refusal_says_in_both_languages_what_state_it_is_in(database: Database, task: int) -> None:
    with pytest.raises(ForbiddenMove) as refused:
        do(database, Action.ACCEPT, task, now=NOW)
    assert refused.value.said("vi") == "Không thể tiếp nhận: việc đang ở trạng thái «mới giao»."
    assert refused.value.said("en") == "It cannot be accepted: it is assigned."


def test_an_unknown_assignment_is_not_found(database: Database) -> None:
    with pytest.raises(NotFound):
        do(database, Action.ACCEPT, 4180, now=NOW)


# --- reports -----------------------------------------------------------------------------------------------------


def test_a_report_counts_from_the_local_date_it_was_submitted(database: Database, task: int) -> None:
    just_before_midnight = at("2021-06-17", "23:59")
    do(database, Action.REPORT, task, now=just_before_midnight)
    found = row(database, Assignment, id=task)
    assert (found.reported_on, found.reported_at) == (date(2021, 6, 17), just_before_midnight)
    assert (found.next_action_at, found.quiet) == (None, Quiet.AWAITING_ACCEPTANCE)
    assert found.acknowledged_at == just_before_midnight


def test_what_was_said_in_a_report_is_kept(database: Database, task: int) -> None:
    said = ReportText(
        outcome=Outcome.PARTLY,
        body="Đã làm 3 xã.",
        reason="Chờ kinh phí.",
        figures={"II.1": 3},
        files=({"name": "bao-cao.pdf"},),
    )
    report_id = act(database, partial(lifecycle.report, text=said), task)
    kept = row(database, Report, id=report_id)
    assert (kept.outcome, kept.body, kept.reason) == ("partly", "Đã làm 3 xã.", "Chờ kinh phí.")
    assert (kept.figures, kept.files, kept.actor) == ({"II.1": 3}, [{"name": "bao-cao.pdf"}], BY)


def test_not_finished_needs_a_reason(database: Database, task: int) -> None:
    with pytest.raises(BadInput, match="lý do"):
        act(database, partial(lifecycle.report, text=ReportText(outcome=Outcome.NOT_YET, reason=" ")), task)


def test_a_returned_report_counts_as_not_done_and_the_next_one_is_number_two(database: Database, task: int) -> None:
    do(database, Action.REPORT, task, now=at("2021-06-14"))
    do(database, Action.RETURN, task, now=NOW, actor="account:3")
    returned = row(database, Assignment, id=task)
    assert (returned.state, returned.reported_on, returned.quiet) == (State.RETURNED, None, None)
    assert returned.next_action_at is not None
    do(database, Action.REPORT, task, now=at("2021-06-18"))
    first, second = rows(database, Report, assignment_id=task)
    assert (first.returned_reason, first.returned_at) == ("Thiếu số liệu.", NOW)
    assert (second.number, second.returned_at) == (2, None)
    assert ("coordinator@so-ban.example", "returned", "IV.1.1 so-ban") in told(database)


def test_a_punctual_report_returned_after_the_due_date_begins_a_ladder_of_its_own(
    database: Database, task: int
) -> None:
    swept(database, OPENED)
    do(database, Action.REPORT, task, now=at("2021-06-10"))
    do(database, Action.RETURN, task, now=at("2021-06-25"))  # five working days: Friday 2 July
    found = row(database, Assignment, id=task)
    assert (found.due_on, found.first_due_on, found.first_reported_on) == (
        date(2021, 7, 2),
        date(2021, 6, 17),
        date(2021, 6, 10),
    )
    for day in ("2021-06-25", "2021-06-28", "2021-06-29", "2021-07-01", "2021-07-05"):
        swept(database, at(day))
    said = {day: [each[:2] for each in told(database, day) if each[2] == "IV.1.1 so-ban"] for day in JULY}
    assert said == {
        date(2021, 6, 25): [("coordinator@so-ban.example", "returned")],
        date(2021, 6, 28): [],
        date(2021, 6, 29): [("coordinator@so-ban.example", "T-3")],
        date(2021, 7, 1): [("coordinator@so-ban.example", "T-1")],
        date(2021, 7, 5): [("coordinator@so-ban.example", "T+1"), ("head@so-ban.example", "T+1")],
    }
    assert f"assignment:{task}:R1:2021-07-02:T+1:fired" in {each.key for each in rows(database, Event)}


def test_a_second_return_begins_yet_another_ladder_and_the_first_report_stays_punctual(
    database: Database, task: int
) -> None:
    do(database, Action.REPORT, task, now=at("2021-06-10"))
    for returned, again in (("2021-06-25", "2021-07-01"), ("2021-07-05", "2021-07-20")):
        do(database, Action.RETURN, task, now=at(returned))
        do(database, Action.REPORT, task, now=at(again))
    found = row(database, Assignment, id=task)
    assert (found.returns, found.due_on, found.first_due_on) == (2, date(2021, 7, 12), date(2021, 6, 17))
    assert (report_timing(found), task_timing(found)) == (Timing.ON_TIME, Timing.LATE)  # eight days after 12 July
    assert [each.resubmit_on for each in rows(database, Report, assignment_id=task)] == [
        date(2021, 7, 2),
        date(2021, 7, 12),
        None,
    ]


def test_the_monitor_may_choose_the_resubmission_date_but_not_one_before_the_due_date(
    database: Database, task: int
) -> None:
    do(database, Action.REPORT, task, now=at("2021-06-10"))
    send_back = partial(lifecycle.return_report, reason="Thiếu số liệu.", now=at("2021-06-11"))
    for bad in (date(2021, 6, 11), date(2021, 6, 16)):
        with pytest.raises(BadInput, match="Hạn bổ sung phải sau"):
            act(database, send_back, task, until=bad)
    assert act(database, send_back, task, until=date(2021, 6, 19)) == date(2021, 6, 21)  # a Saturday rolls on


def test_a_report_returned_before_its_due_date_has_until_then_at_least(database: Database, task: int) -> None:
    do(database, Action.REPORT, task, now=OPENED)
    do(database, Action.RETURN, task, now=at("2021-04-08"))
    assert row(database, Assignment, id=task).due_on == date(2021, 6, 17)


def test_a_return_does_not_make_a_late_task_punctual(database: Database, task: int) -> None:
    do(database, Action.REPORT, task, now=at("2021-06-22"))
    do(database, Action.RETURN, task, now=at("2021-06-23"))
    do(database, Action.REPORT, task, now=at("2021-06-24"))
    found = row(database, Assignment, id=task)
    assert (report_timing(found), task_timing(found)) == (Timing.LATE, Timing.LATE)


def test_an_unfinished_task_is_open_after_acceptance_and_may_be_reported_again(database: Database, task: int) -> None:
    partly = ReportText(
        outcome=Outcome.PARTLY,
        body="Đã làm 3 xã.",
        reason="Chờ kinh phí.",
        figures={"II.1": 3},
        promise=PromiseText(on=date(2021, 6, 30)),
    )
    act(database, lifecycle.report, task, text=partly)
    do(database, Action.ACCEPT, task, now=NOW)
    accepted = row(database, Assignment, id=task)
    assert (accepted.state, accepted.outcome, accepted.done_on) == (State.ACCEPTED, Outcome.PARTLY, None)
    assert (accepted.promised_on, accepted.next_action_at) == (date(2021, 6, 30), at("2021-06-25", "07:00"))
    do(database, Action.REPORT, task, now=at("2021-06-18"))
    done = row(database, Assignment, id=task)
    assert (done.state, done.outcome, done.done_on) == (State.REPORTED, Outcome.DONE, date(2021, 6, 18))
    assert (report_timing(done), task_timing(done)) == (Timing.ON_TIME, Timing.LATE)
    first, second = rows(database, Report, assignment_id=task)
    assert (first.superseded_at, second.superseded_at) == (at("2021-06-18"), None)
    with pytest.raises(ForbiddenMove):
        do(database, Action.REPORT, task, now=at("2021-06-19"))


def test_an_unfinished_task_may_be_chased_extended_and_cancelled_though_its_report_is_in(
    database: Database, task: int
) -> None:
    act(database, lifecycle.report, task, text=ReportText(outcome=Outcome.NOT_YET, reason="Chờ kinh phí."))
    assert act(database, lifecycle.chase, task)
    decide(database, ask(database, task), granted=True)
    assert row(database, Assignment, id=task).due_on == date(2021, 6, 24)
    do(database, Action.ACCEPT, task, now=NOW)
    do(database, Action.CANCEL, task, now=NOW)
    assert row(database, Assignment, id=task).state is State.CANCELLED


def test_what_a_receiving_agency_owes_begins_without_the_reports_of_the_one_before(
    database: Database, task: int
) -> None:
    do(database, Action.REPORT, task, now=at("2021-06-10"))
    do(database, Action.RETURN, task, now=at("2021-06-25"))
    became = row(database, Assignment, id=do(database, Action.TRANSFER, task, now=at("2021-06-28")))
    assert (became.returns, became.outcome, became.first_reported_on, became.first_due_on) == (0, None, None, None)


@pytest.mark.parametrize("deed", [lifecycle.return_report, lifecycle.cancel])
def test_a_return_or_a_cancellation_needs_words(database: Database, task: int, deed: Callable[..., Any]) -> None:
    before = stored(database)
    with pytest.raises(BadInput, match="Cần ghi"):
        act(database, deed, task, reason="  ")
    assert stored(database) == before


# --- extensions --------------------------------------------------------------------------------------------------


def ask(database: Database, task: int, until: date = date(2021, 6, 24), **words: Any) -> int:
    return int(act(database, lifecycle.ask_extension, task, until=until, reason="Chờ số liệu.", **words))


def decide(database: Database, extension_id: int, *, granted: bool, now: Any = NOW) -> None:
    with database.write() as session:
        lifecycle.decide_extension(
            session, extension_id, granted=granted, answer="Ghi nhận.", actor="account:3", now=now
        )


def test_a_granted_extension_moves_the_due_date_and_keeps_the_original(database: Database, task: int) -> None:
    do(database, Action.ACKNOWLEDGE, task, now=OPENED)
    decide(database, ask(database, task), granted=True)
    found = row(database, Assignment, id=task)
    assert (found.due_on, found.original_due_on) == (date(2021, 6, 24), date(2021, 6, 17))
    swept(database, NOW)
    assert row(database, Assignment, id=task).next_action_at == at("2021-06-21", "07:00")  # T-3 of the new date


def test_a_refused_extension_moves_nothing_and_both_sides_hear(database: Database, task: int) -> None:
    decide(database, ask(database, task), granted=False)
    assert row(database, Assignment, id=task).due_on == date(2021, 6, 17)
    assert told(database) == [
        ("coordinator@so-ban.example", "extension_decided", "IV.1.1 so-ban"),
        ("monitor@so-chinh.example", "extension_asked", "IV.1.1 so-ban"),
    ]
    assert happened(database, assignment_id=task) == ["opened", "extension_asked", "extension_refused"]


def test_an_extension_may_be_asked_for_on_the_last_day_but_not_after(database: Database, task: int) -> None:
    ask(database, task, now=at("2021-06-17", "23:00"))
    other = 2
    with pytest.raises(ForbiddenMove, match="trước khi hết hạn"):
        ask(database, other, now=at("2021-06-18", "00:01"))


def test_one_request_waits_at_a_time(database: Database, task: int) -> None:
    first = ask(database, task)
    with pytest.raises(Conflict, match="đang chờ"):
        ask(database, task)
    decide(database, first, granted=False)
    assert ask(database, task) != first


def test_an_extension_goes_beyond_the_due_date_and_gives_a_reason(database: Database, task: int) -> None:
    with pytest.raises(BadInput, match="Hạn mới phải sau"):
        ask(database, task, until=date(2021, 6, 17))
    with pytest.raises(BadInput, match="Cần ghi"):
        act(database, lifecycle.ask_extension, task, until=date(2021, 6, 24), reason="")
    assert rows(database, Extension) == []


def test_a_request_is_decided_once(database: Database, task: int) -> None:
    asked = ask(database, task)
    decide(database, asked, granted=True)
    with pytest.raises(Conflict, match="đã được quyết định"):
        decide(database, asked, granted=False)
    with pytest.raises(NotFound):
        decide(database, 999, granted=True)


def test_nothing_is_extended_once_it_is_reported(database: Database, task: int) -> None:
    asked = ask(database, task)
    do(database, Action.REPORT, task, now=NOW)
    with pytest.raises(ForbiddenMove):
        decide(database, asked, granted=True)
    assert row(database, Extension, id=asked).decided_at is None


# --- the next look -----------------------------------------------------------------------------------------------

TUESDAY = at("2021-06-08")


def extended(session: Session, task: int, day: date) -> None:
    asked = lifecycle.ask_extension(session, task, until=day, reason="Chờ số liệu.", actor=BY, now=TUESDAY)
    lifecycle.decide_extension(session, asked, granted=True, actor="account:3", now=TUESDAY)


def returned(session: Session, task: int, day: date) -> None:
    lifecycle.report(session, task, ReportText(body="Đã làm."), actor=BY, now=TUESDAY)
    lifecycle.return_report(session, task, reason="Thiếu số liệu.", until=day, actor="account:3", now=TUESDAY)


def transferred(session: Session, task: int, day: date) -> int:
    due = Due(day, day, {})
    return lifecycle.transfer(
        session, task, to_agency="huyen-b", reason="Sáp nhập.", due=due, actor="account:3", now=TUESDAY
    )


def amended(session: Session, task: int, day: date) -> None:
    change = Amendment(basis="40/UBND-VX", due={"2021-H1": day})
    amend_duty(session, 1, change, actor="account:1", now=TUESDAY)


def dispatched(session: Session, task: int, day: date) -> None:
    redate_all(session, [task], day=day, basis="CV 9", actor="account:1", now=TUESDAY)


@pytest.mark.parametrize(
    ("way", "due", "rung"),
    [
        (extended, "2021-06-25", "2021-06-11"),  # T-10
        (returned, "2021-06-25", "2021-06-11"),
        (transferred, "2021-06-25", "2021-06-11"),
        (transferred, "2021-06-15", "2021-06-10"),  # T-3
        (amended, "2021-06-25", "2021-06-11"),
        (amended, "2021-06-15", "2021-06-10"),
        (dispatched, "2021-06-25", "2021-06-11"),
        (dispatched, "2021-06-15", "2021-06-10"),
    ],
)
def test_whatever_moves_a_due_date_the_next_look_is_at_the_next_rung_of_the_new_one(
    database: Database, task: int, way: Callable[[Session, int, date], int | None], due: str, rung: str
) -> None:
    do(database, Action.ACKNOWLEDGE, task, now=OPENED)
    swept(database, TUESDAY)
    assert row(database, Assignment, id=task).next_action_at == at("2021-06-14", "07:00")  # T-3 of the old date
    with database.write() as session:
        moved = way(session, task, date.fromisoformat(due)) or task
    swept(database, TUESDAY)
    found = row(database, Assignment, id=moved)
    assert (found.due_on, found.next_action_at) == (date.fromisoformat(due), at(rung, "07:00"))


# --- other acts --------------------------------------------------------------------------------------------------


def test_a_transfer_opens_a_new_assignment_with_the_same_dates_for_the_other_agency(
    database: Database, laid: Laid, task: int
) -> None:
    new_id = do(database, Action.TRANSFER, task, now=NOW)
    old, new = row(database, Assignment, id=task), row(database, Assignment, id=new_id)
    assert (old.state, old.next_action_at) == (State.TRANSFERRED, None)
    assert (new.agency_id, new.state, new.transferred_from_id) == ("huyen-b", State.ASSIGNED, task)
    assert (new.due_on, new.ladder_id, new.period) == (old.due_on, old.ladder_id, old.period)
    assert (new.opened_on, new.acted_until, new.next_action_at) == (date(2021, 6, 16), None, NOW)
    assert happened(database, assignment_id=new_id) == ["opened"]


def test_the_new_owner_is_told_at_once_and_the_old_one_that_it_is_gone(database: Database, task: int) -> None:
    swept(database, OPENED)
    do(database, Action.TRANSFER, task, now=at("2021-06-10"))
    swept(database, at("2021-06-10"))
    said = [each for each in told(database, date(2021, 6, 10)) if each[2].startswith("IV.1.1")]
    assert said == [
        ("coordinator@huyen-b.example", "open", "IV.1.1 huyen-b"),
        ("coordinator@so-ban.example", "transferred", "IV.1.1 so-ban"),
    ]


def test_what_the_department_takes_over_is_supervised_by_the_body_above_it(database: Database, task: int) -> None:
    taken = act(database, lifecycle.transfer, task, to_agency="so-chinh", reason="Điều chỉnh.")
    given = act(database, lifecycle.transfer, taken, to_agency="huyen-a", reason="Điều chỉnh.")
    assert row(database, Assignment, id=taken).supervisor_id == "tinh"
    assert row(database, Assignment, id=given).supervisor_id == "so-chinh"


def test_a_transfer_to_the_holder_to_one_who_has_it_or_without_a_basis_is_refused(
    database: Database, laid: Laid, task: int
) -> None:
    with pytest.raises(BadInput, match="trùng"):
        act(database, lifecycle.transfer, task, to_agency="so-ban", reason="x")
    with pytest.raises(Conflict, match="đã có"):
        act(database, lifecycle.transfer, laid.assignment("IV.2.1", "huyen-a"), to_agency="huyen-b", reason="x")
    with pytest.raises(BadInput, match="Cần ghi"):
        act(database, lifecycle.transfer, task, to_agency="huyen-a", reason="")


def test_a_transfer_to_an_agency_nobody_knows_is_refused(database: Database, task: int) -> None:
    with pytest.raises(BadInput, match="so-khong-co"):
        act(database, lifecycle.transfer, task, to_agency="so-khong-co", reason="x")


def test_a_cancelled_assignment_is_never_reminded_of_again(database: Database, task: int) -> None:
    do(database, Action.CANCEL, task, now=OPENED)
    swept(database, NOW)
    assert [each for each in told(database) if each[2] == "IV.1.1 so-ban"] == [
        ("coordinator@so-ban.example", "cancelled", "IV.1.1 so-ban")
    ]


def test_not_mine_leaves_the_state_and_tells_the_monitor_once_a_day(database: Database, task: int) -> None:
    for wall in ("06:30", "09:00"):  # one day here, two in UTC
        act(database, lifecycle.decline, task, reason="Thuộc Công an tỉnh.", now=at("2021-06-16", wall))
    assert row(database, Assignment, id=task).state is State.ASSIGNED
    assert told(database) == [("monitor@so-chinh.example", "not_mine", "IV.1.1 so-ban")]


def test_chasing_by_hand_says_one_line_a_day(database: Database, task: int) -> None:
    assert act(database, lifecycle.chase, task) is True
    assert act(database, lifecycle.chase, task, now=at("2021-06-16", "15:00")) is False
    assert act(database, lifecycle.chase, task, now=at("2021-06-17")) is True
    assert told(database) == [("coordinator@so-ban.example", "chase", "IV.1.1 so-ban")] * 2
    assert happened(database, assignment_id=task) == ["opened", "chased", "chased"]


def test_an_agency_that_nobody_can_reach_is_not_chased_in_silence(database: Database) -> None:
    bodies = directory(so_ban={"contacts": []})
    task = lay(database, now=at("2021-04-07"), bodies=bodies).assignment("IV.1.1", "so-ban")
    with pytest.raises(Conflict, match="liên lạc"):
        act(database, lifecycle.chase, task)
    assert "chased" not in happened(database, assignment_id=task)


def test_what_is_done_is_not_chased_extended_or_declined(database: Database, task: int) -> None:
    do(database, Action.REPORT, task, now=OPENED)
    for deed in (lifecycle.chase, lifecycle.decline, partial(ask, until=date(2021, 7, 1))):
        with pytest.raises(ForbiddenMove):
            deed(database, task) if isinstance(deed, partial) else act(database, deed, task)


def test_an_act_that_fails_half_way_leaves_nothing_behind(database: Database, task: int) -> None:
    before = stored(database)

    def twice(session: Session) -> None:
        lifecycle.cancel(session, task, reason="x", actor=BY, now=NOW)
        lifecycle.cancel(session, task, reason="x", actor=BY, now=NOW)

    with pytest.raises(ForbiddenMove), database.write() as session:
        twice(session)
    assert stored(database) == before
