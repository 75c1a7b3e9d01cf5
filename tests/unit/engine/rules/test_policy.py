"""When to say what to whom: the default ladder on its dates, catching up, and what holds for any ladder."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from ground.factory import policy
from hypothesis import given
from hypothesis import strategies as st

from engine.rules.calendar import ONE_DAY, WorkCalendar
from engine.rules.policy import (
    Decision,
    Facts,
    Fired,
    Ladder,
    Policy,
    Rung,
    Skip,
    audience,
    dates,
    decide,
    for_role,
    next_look,
    upcoming,
)
from engine.terms import NoticeKind, Quiet, Role, State

CALENDAR = WorkCalendar()
ORDER = policy().ladders["order"]
REQUEST = policy().ladders["request"]
OPENED, DUE = date(2021, 4, 7), date(2021, 6, 17)


def facts(**changes: Any) -> Facts:
    known: dict[str, Any] = {"state": State.ACKNOWLEDGED, "opened_on": OPENED, "due_on": DUE, "acted_until": OPENED}
    return Facts(**known | changes)


def rung(name: str, *to: Role, **more: Any) -> Rung:
    return Rung(rung=name, to=to or (Role.COORDINATOR,), kind=NoticeKind.REMINDER, **more)


def said(decision: Decision) -> list[str]:
    return [each.rung.rung for each in decision.fired]


def test_the_ladder_of_an_urgent_plan_counts_every_day() -> None:
    sunday, due = date(2021, 4, 11), date(2021, 4, 19)
    hurried = policy().ladder(request=False, urgent=True)
    found = {rung.rung: on for on, rung in dates(hurried, sunday, due, CALENDAR)}
    assert (found["open"], found["A+3"], found["T-1"]) == (sunday, date(2021, 4, 14), date(2021, 4, 18))
    assert found["T+3"] - due == timedelta(days=3)
    decision = decide(hurried, facts(state=State.ASSIGNED, opened_on=sunday, acted_until=None), CALENDAR, sunday)
    assert said(decision) == ["open"]
    calm = policy().ladder(request=False, urgent=False)
    assert calm == ORDER
    assert {rung.rung: on for on, rung in dates(calm, sunday, due, CALENDAR)}["open"] == date(2021, 4, 12)


def test_what_an_urgent_plan_escalates_together_waits_for_the_next_day_not_the_next_working_one() -> None:
    hurried = policy().ladder(request=False, urgent=True)
    friday = date(2021, 7, 9)
    decision = decide(hurried, facts(due_on=date(2021, 6, 17)), CALENDAR, friday)
    assert decision.next_on == date(2021, 7, 10)


def test_whether_every_day_counts_is_the_plans_mark_and_no_setting() -> None:
    ladders = {kind: ladder.model_dump() | {"every_day": True} for kind, ladder in policy().ladders.items()}
    with pytest.raises(ValueError, match="every_day"):
        policy(ladders=ladders)


def test_the_default_ladder_of_plan_188_falls_on_these_days() -> None:
    found = {rung.rung: on for on, rung in dates(ORDER, OPENED, DUE, CALENDAR)}
    assert found == {
        "open": date(2021, 4, 7),
        "A+3": date(2021, 4, 12),
        "A+4": date(2021, 4, 13),
        "A+5": date(2021, 4, 14),
        "T-10": date(2021, 6, 3),
        "T-3": date(2021, 6, 14),
        "T-1": date(2021, 6, 16),
        "T+1": date(2021, 6, 18),
        "T+3": date(2021, 6, 22),
        "T+7": date(2021, 6, 28),
        "T+15": date(2021, 7, 8),
        "T+16": date(2021, 7, 9),
    }


def test_a_plan_opened_on_a_sunday_speaks_on_monday() -> None:
    assert next_look(ORDER, facts(opened_on=date(2021, 4, 11), acted_until=None), CALENDAR)[0] == date(2021, 4, 12)


def test_a_rung_speaks_on_its_day_and_the_next_look_is_the_next_rung() -> None:
    decision = decide(ORDER, facts(), CALENDAR, date(2021, 6, 3))
    assert said(decision) == ["T-10"]
    assert (decision.acted_until, decision.next_on, decision.quiet) == (date(2021, 6, 3), date(2021, 6, 14), None)


def test_a_day_without_a_rung_says_nothing() -> None:
    decision = decide(ORDER, facts(acted_until=date(2021, 5, 31)), CALENDAR, date(2021, 6, 2))
    assert (said(decision), decision.skipped, decision.next_on) == ([], (), date(2021, 6, 3))


def test_an_acknowledged_assignment_is_not_asked_again_and_says_why() -> None:
    decision = decide(ORDER, facts(), CALENDAR, date(2021, 4, 14))
    assert said(decision) == []
    assert [(rung.rung, why) for rung, _, why in decision.skipped] == [
        ("A+3", Skip.ACKNOWLEDGED),
        ("A+4", Skip.ACKNOWLEDGED),
        ("A+5", Skip.ACKNOWLEDGED),
    ]


def test_silence_changes_the_channel_then_the_person_then_is_told_to_the_monitor() -> None:
    days = [date(2021, 4, day) for day in (12, 13, 14)]
    silent = [decide(ORDER, facts(state=State.ASSIGNED, acted_until=day - ONE_DAY), CALENDAR, day) for day in days]
    assert [(said(each), each.fired[0].rung.by, each.fired[0].roles) for each in silent] == [
        (["A+3"], "other", (Role.COORDINATOR,)),
        (["A+4"], "usual", (Role.HEAD,)),
        (["A+5"], "usual", (Role.MONITOR,)),
    ]


def test_the_next_look_passes_over_rungs_that_would_say_nothing() -> None:
    assert next_look(ORDER, facts(), CALENDAR) == (date(2021, 6, 3), None)
    assert next_look(ORDER, facts(state=State.ASSIGNED), CALENDAR) == (date(2021, 4, 12), None)


def test_after_a_week_off_the_coordinator_gets_the_latest_reminder_alone() -> None:
    decision = decide(ORDER, facts(acted_until=date(2021, 6, 2)), CALENDAR, date(2021, 6, 16))
    assert said(decision) == ["T-1"]
    assert [(each.rung, why) for each, _, why in decision.skipped] == [
        ("T-10", Skip.OVERTAKEN),
        ("T-3", Skip.OVERTAKEN),
    ]


def test_the_department_is_told_a_working_day_after_the_agencys_head() -> None:
    first = decide(ORDER, facts(acted_until=date(2021, 6, 16)), CALENDAR, date(2021, 6, 25))
    assert said(first) == ["T+1"]
    assert first.fired[0].roles == (Role.COORDINATOR, Role.HEAD)
    assert first.next_on == date(2021, 6, 28)
    then = decide(ORDER, facts(acted_until=first.acted_until), CALENDAR, date(2021, 6, 28))
    assert said(then) == ["T+7"]
    assert [(each.rung, why) for each, _, why in then.skipped] == [("T+3", Skip.OVERTAKEN)]


def test_the_leadership_is_told_after_the_head_of_the_department_and_that_after_its_monitor() -> None:
    days, acted, heard = date(2021, 9, 1), date(2021, 6, 16), []  # type: ignore[var-annotated]
    for day in (days, date(2021, 9, 6), date(2021, 9, 7), date(2021, 9, 8)):
        decision = decide(ORDER, facts(acted_until=acted), CALENDAR, day)
        acted, heard = decision.acted_until, [*heard, said(decision)]  # type: ignore[assignment]
    assert heard == [["T+1"], ["T+7"], ["T+15"], ["T+16"]]


def test_every_escalation_goes_to_the_agency_itself_before_anybody_above_the_department_hears() -> None:
    escalations = [each for each in ORDER.rungs if each.kind is NoticeKind.ESCALATION]
    assert [(each.level, each.to_agency, each.tier) for each in escalations] == [
        (1, True, 1),
        (2, True, 1),
        (3, True, 2),
        (3, False, 3),
    ]
    assert [each.rung for each in escalations if each.dispatch] == ["T+7"]


def test_sms_goes_beside_e_mail_from_the_last_day_before_the_due_date_on() -> None:
    for ladder in (ORDER, REQUEST):
        every = {each.rung for each in ladder.rungs if each.by == "every"}
        assert every == {each.rung for each in ladder.rungs if each.due is not None and each.due >= -1}


def test_two_late_rungs_of_one_day_speak_on_that_day_together() -> None:
    ladder = Ladder(name="x", rungs=(rung("a", due=1), rung("b", Role.MONITOR, due=1)))
    assert said(decide(ladder, facts(), CALENDAR, date(2021, 6, 18))) == ["a", "b"]


def test_a_ladder_that_tells_the_department_first_does_not_wait_for_itself() -> None:
    ladder = Ladder(name="x", rungs=(rung("a", Role.MONITOR, due=1), rung("b", due=3)))
    assert said(decide(ladder, facts(), CALENDAR, date(2021, 6, 30))) == ["a", "b"]


def test_a_plan_activated_after_its_dates_sends_the_opening_alone() -> None:
    opened = date(2021, 7, 20)
    decision = decide(ORDER, facts(opened_on=opened, acted_until=None, state=State.ASSIGNED), CALENDAR, opened)
    later = decide(ORDER, facts(opened_on=opened, acted_until=decision.acted_until), CALENDAR, date(2021, 7, 21))
    assert (said(decision), said(later)) == (["open"], [])
    assert {why for _, _, why in (*decision.skipped, *later.skipped)} == {Skip.BEFORE_OPENING}


def test_a_ladder_that_has_ended_says_so() -> None:
    decision = decide(ORDER, facts(acted_until=date(2021, 7, 8)), CALENDAR, date(2021, 7, 9))
    assert (decision.next_on, decision.quiet) == (None, Quiet.LADDER_ENDED)


def test_without_a_due_date_only_the_opening_rungs_speak() -> None:
    decision = decide(ORDER, facts(due_on=None, acted_until=None, state=State.ASSIGNED), CALENDAR, OPENED)
    assert (said(decision), decision.next_on) == (["open"], date(2021, 4, 12))
    assert next_look(ORDER, facts(due_on=None, acted_until=date(2021, 5, 1)), CALENDAR) == (None, Quiet.NO_DEADLINE)


PROMISED = [
    (0, ["H-3", "H-1", "H+1", "H+3", "H+7", "H+15", "H+16"]),
    (1, ["H-3", "H-1", "H+1", "H+3", "H+7", "H+15", "H+16"]),
    (2, ["H-3", "H-1", "H+1", "H+3", "H+4", "H+7", "H+15"]),
    (7, ["H-3", "H-1", "H+1", "H+3", "H+4", "H+7", "H+15"]),
]


@pytest.mark.parametrize(("broken", "rungs"), PROMISED)
def test_after_a_promise_the_ladder_is_counted_from_its_day_and_begins_higher_with_each_broken_one(
    broken: int, rungs: list[str]
) -> None:
    """With one broken before, the head of the department is told three days after the day; with two, the leadership on
    the day after that."""
    promised = facts(promised_on=date(2021, 7, 12), broken=broken, acted_until=date(2021, 6, 21))
    found = list(upcoming(ORDER, promised, CALENDAR))
    assert [rung.rung for _, rung in found] == rungs
    assert next(on for on, rung in found if rung.rung == "H+1") == date(2021, 7, 13)
    told = [{role for on, rung in found if on <= date(2021, 7, day) for role in rung.to} for day in (15, 16)]
    assert [Role.DIRECTOR in each for each in told] == [broken >= 1] * 2
    assert [Role.LEADERSHIP in each for each in told] == [False, broken >= 2]
    assert next(rung for _, rung in found if rung.level).level == min(1 + broken, 3)


def test_a_promise_before_the_due_date_leaves_the_ladder_of_the_due_date() -> None:
    plain, promised = facts(), facts(promised_on=date(2021, 6, 15))
    assert list(upcoming(ORDER, promised, CALENDAR)) == list(upcoming(ORDER, plain, CALENDAR))


def test_nobody_above_a_body_that_is_only_asked_is_told_of_its_broken_promises() -> None:
    promised = facts(promised_on=date(2021, 7, 12), broken=2, acted_until=date(2021, 6, 21))
    found = [(rung.rung, rung.to) for _, rung in upcoming(REQUEST, promised, CALENDAR)]
    assert found == [("H-3", (Role.COORDINATOR,)), ("H+1", (Role.COORDINATOR,)), ("H+3", (Role.MONITOR,))]


def test_a_policy_has_the_reason_that_stands_for_any_other() -> None:
    with pytest.raises(ValueError, match="khac"):
        Policy.model_validate(policy().model_dump(by_alias=True) | {"reasons": []})


def test_the_rungs_to_come_are_those_not_dealt_with() -> None:
    left = upcoming(ORDER, facts(acted_until=date(2021, 6, 22)), CALENDAR)
    assert [rung.rung for _, rung in left] == ["T+7", "T+15", "T+16"]


def test_every_role_belongs_to_the_owner_the_department_above_it_or_the_issuer() -> None:
    agencies = {role: for_role(role, owner="owner", supervisor="above", issuer="issuer") for role in Role}
    assert agencies == {
        Role.COORDINATOR: "owner",
        Role.HEAD: "owner",
        Role.DEPUTY: "owner",
        Role.MONITOR: "above",
        Role.DIRECTOR: "above",
        Role.LEADERSHIP: "issuer",
    }
    assert [audience(role) for role in Role] == [Role.COORDINATOR] * 3 + [Role.MONITOR] * 2 + [Role.LEADERSHIP]


def test_a_request_never_reaches_the_leadership() -> None:
    assert all(Role.LEADERSHIP not in rung.to for rung in REQUEST.rungs)
    with pytest.raises(ValueError, match="are not escalated to the leadership"):
        policy(ladders={"order": ORDER.model_dump(), "request": ORDER.model_dump()})


@pytest.mark.parametrize(("to", "allowed"), [(Role.MONITOR, True), (Role.DIRECTOR, False), (Role.LEADERSHIP, False)])
def test_a_request_reaches_the_monitor_and_nobody_above(to: Role, *, allowed: bool) -> None:
    ladders = {"order": ORDER, "request": Ladder(name="Đề nghị", rungs=(rung("T+3", to, due=3),))}
    given = {name: ladder.model_dump() for name, ladder in ladders.items()}
    if allowed:
        assert policy(ladders=given).ladders["request"].rungs[0].to == (to,)
        return
    with pytest.raises(ValueError, match=r"fix rung T\+3"):
        policy(ladders=given)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"ladders": {"order": ORDER.model_dump()}}, "both ladders are needed"),
        ({"send_at": "06:00"}, "times must run"),
        ({"ladders": {"order": {"name": "x", "rungs": [rung("a", due=1).model_dump()] * 2}}}, "duplicate rung name"),
    ],
)
def test_a_policy_that_contradicts_itself_is_refused(changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        policy(**changes)


@pytest.mark.parametrize("anchors", [{}, {"due": 1, "opened": 1}])
def test_a_rung_hangs_on_exactly_one_day(anchors: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="exactly one"):
        rung("x", **anchors)


def test_an_unquoted_time_in_yaml_is_read_as_a_time() -> None:
    assert policy(decide_at=7 * 60 + 15, send_at=450).decide_at.isoformat() == "07:15:00"


def test_the_shipped_policy_is_marked_as_configured_not_as_law() -> None:
    assert isinstance(policy(), Policy)
    assert policy().source == "local"


# --- what holds for every ladder, every pace of passes, every stop ------------------------------------------------

ROLES = st.lists(st.sampled_from(list(Role)), min_size=1, max_size=2, unique=True).map(tuple)
ANCHOR = st.one_of(
    st.fixed_dictionaries({"due": st.integers(-15, 15)}),
    st.fixed_dictionaries({"opened": st.integers(0, 8), "unless_acknowledged": st.booleans()}),
)


@st.composite
def ladders(draw: st.DrawFn) -> Ladder:
    anchors = draw(st.lists(ANCHOR, min_size=1, max_size=8))
    return Ladder(name="x", rungs=tuple(rung(f"r{n}", *draw(ROLES), **each) for n, each in enumerate(anchors)))


def walk(ladder: Ladder, opened: date, due: date | None, gaps: list[int]) -> list[tuple[date, Decision]]:
    """What passes decide on days that many apart, each from where the one before left off."""
    day, acted, found = opened, None, []
    for gap in gaps:
        day += timedelta(days=gap)
        known = Facts(State.ASSIGNED, opened, due, acted)
        decision = decide(ladder, known, CALENDAR, day)
        found.append((day, decision))
        acted = decision.acted_until
    return found


WALKS = st.tuples(
    ladders(),
    st.dates(date(2021, 1, 1), date(2021, 12, 1)),
    st.one_of(st.none(), st.integers(-20, 60)),
    st.lists(st.integers(0, 9), min_size=1, max_size=25),
).map(lambda drawn: walk(drawn[0], drawn[1], _due(drawn[1], drawn[2]), drawn[3]))


def _due(opened: date, days: int | None) -> date | None:
    return None if days is None else opened + timedelta(days=days)


@given(WALKS)
def test_no_rung_is_ever_dealt_with_twice(decided: list[tuple[date, Decision]]) -> None:
    names = [each.rung.rung for _, decision in decided for each in decision.fired]
    names += [rung.rung for _, decision in decided for rung, _, _ in decision.skipped]
    assert len(names) == len(set(names))


@given(WALKS)
def test_the_next_look_lies_ahead_and_the_cursor_never_goes_back(decided: list[tuple[date, Decision]]) -> None:
    before = date.min
    for day, decision in decided:
        assert decision.next_on is None or decision.next_on > day
        assert (decision.next_on is None) == (decision.quiet is not None)
        assert decision.acted_until is not None
        assert before <= decision.acted_until
        before = decision.acted_until


@given(WALKS)
def test_one_person_hears_of_an_assignment_once_a_pass(decided: list[tuple[date, Decision]]) -> None:
    for _, decision in decided:
        roles = [role for each in decision.fired for role in each.roles]
        assert len(roles) == len(set(roles))


@given(ladders(), st.dates(date(2021, 1, 1), date(2021, 12, 1)), st.integers(-20, 60))
def test_looking_when_told_to_deals_with_every_rung(ladder: Ladder, opened: date, days: int) -> None:
    due = opened + timedelta(days=days)
    known, dealt = Facts(State.ASSIGNED, opened, due, None), []
    day = max(opened, next_look(ladder, known, CALENDAR)[0] or opened)
    while True:
        decision = decide(ladder, known, CALENDAR, day)
        dealt += [_name(each) for each in (*decision.fired, *decision.skipped)]
        known = Facts(State.ASSIGNED, opened, due, decision.acted_until)
        if decision.next_on is None:
            break
        day = decision.next_on
    assert sorted(dealt) == sorted(rung.rung for rung in ladder.rungs)


def _name(each: Fired | tuple[Rung, date, Skip]) -> str:
    return each.rung.rung if isinstance(each, Fired) else each[0].rung
