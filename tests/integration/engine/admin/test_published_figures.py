"""A printed number never changes; what was learnt later is shown beside it, and why."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from ground.factory import Laid, at, do, happened, lay, row, rows, store
from sqlalchemy import update

from engine.admin import published_figures
from engine.admin.published_figures import Published, Restatement
from engine.assignments import lifecycle
from engine.assignments.situations import Boxes
from engine.assignments.told import compared
from engine.errors import BadInput, Conflict, NotFound
from engine.queries.figures.plan_progress import Standing, standing
from engine.rules.situation import Action
from engine.store.database import Database, table
from engine.store.records import PublishedFigures
from engine.terms import Outcome, TimeClass, Timing

OPENED = at("2021-04-07")
CUT_OFF = date(2021, 6, 20)
LATER = at("2021-06-22")


@pytest.fixture
def laid(database: Database) -> Laid:
    """so-ban and huyen-a reported in time, huyen-b late; mat-tran, which is only asked, has not answered; so-chinh is
    not due yet."""
    made = lay(database, now=OPENED)
    do(database, Action.REPORT, made.assignment("IV.1.1", "so-ban"), now=at("2021-06-16"))
    do(database, Action.REPORT, made.assignment("IV.2.1", "huyen-a"), now=at("2021-06-17", "23:59"))
    do(database, Action.REPORT, made.assignment("IV.2.1", "huyen-b"), now=at("2021-06-18"))
    return made


def stands(laid: Laid, as_of: date = CUT_OFF, **more: Any) -> Standing:
    with laid.database.read() as session:
        return standing(session, as_of, plan_id=laid.plan_id, **more)


def freeze(laid: Laid, now: Any = LATER, **more: Any) -> int:
    with laid.database.write() as session:
        given = {"period": "2021-H1", "cut_off": CUT_OFF} | more
        return published_figures.publish_figures(
            session, laid.plan_id, given["period"], given["cut_off"], actor="account:1", now=now
        )


def printed(laid: Laid, frozen_id: int) -> Published:
    with laid.database.read() as session:
        return published_figures.published(session, frozen_id)


def restated(laid: Laid, frozen_id: int) -> tuple[Restatement, ...]:
    with laid.database.read() as session:
        return published_figures.restatements(session, frozen_id)


def test_the_boxes_and_the_rate_speak_of_a_day(laid: Laid) -> None:
    found = stands(laid)
    assert found.total == Boxes(on_time=2, late=1, in_term=1, reported=3, reported_on_time=2)
    assert (found.total.rate, found.total.judged, found.total.expected) == (66.7, 3, 4)
    assert (found.asked_total, [each.id for each in found.asked]) == (Boxes(overdue=1), ["mat-tran"])
    assert stands(laid, date(2021, 6, 17)).total == Boxes(on_time=2, in_term=2, reported=2, reported_on_time=2)
    assert stands(laid, date(2021, 4, 1)).total == Boxes()


def test_agencies_stand_worst_first_and_those_not_judged_last(laid: Laid) -> None:
    assert [(each.id, each.tally.rate) for each in stands(laid).agencies] == [
        ("huyen-b", 0.0),
        ("huyen-a", 100.0),
        ("so-ban", 100.0),
        ("so-chinh", None),
    ]


def test_what_changed_since_last_week_names_the_newly_overdue_first(laid: Laid) -> None:
    found = compared(date(2021, 6, 13), stands(laid, date(2021, 6, 13)).boxes, stands(laid).boxes, {}).agencies
    assert [(each.id, each.done, each.overdue) for each in found] == [
        ("huyen-a", 1, 0),
        ("huyen-b", 1, 0),
        ("so-ban", 1, 0),
    ]


def test_what_changed_most_stands_first_for_better_or_worse() -> None:
    then = {"a": Boxes(in_term=1), "b": Boxes(overdue=9), "c": Boxes(in_term=2), "d": Boxes(on_time=4)}
    now = {"a": Boxes(overdue=1), "b": Boxes(late=9), "c": Boxes(overdue=2), "d": Boxes(on_time=4)}
    assert [(each.id, each.done, each.overdue) for each in compared(CUT_OFF, then, now, {}).agencies] == [
        ("b", 9, -9),
        ("c", 0, 2),
        ("a", 0, 1),
    ]


def test_all_active_plans_stand_together_when_none_is_named(laid: Laid) -> None:
    with laid.database.read() as session:
        assert standing(session, CUT_OFF) == stands(laid)
        assert standing(session, CUT_OFF, period="2021-Y").total == Boxes()


def test_what_is_frozen_is_what_the_page_showed(laid: Laid) -> None:
    found = printed(laid, freeze(laid))
    assert (found.standing, found.cut_off, found.plan, found.intact) == (stands(laid), CUT_OFF, "12/KH-UBND", True)
    assert happened(laid.database, kind="figures_frozen") == ["figures_frozen"]
    assert restated(laid, found.id) == ()


def test_a_printed_number_never_changes_whatever_happens_afterwards(laid: Laid) -> None:
    made = freeze(laid)
    before, stored = printed(laid, made), rows(laid.database, PublishedFigures)
    do(laid.database, Action.RETURN, laid.assignment("IV.1.1", "so-ban"), now=LATER)
    do(laid.database, Action.CANCEL, laid.assignment("IV.3.1", "mat-tran"), now=LATER)
    do(laid.database, Action.REPORT, laid.assignment("IV.4.1", "so-chinh"), now=LATER)
    assert printed(laid, made) == before
    assert rows(laid.database, PublishedFigures) == stored
    assert stands(laid) != before.standing


def test_a_report_returned_later_is_a_restatement_with_its_event(laid: Laid) -> None:
    made, task = freeze(laid), laid.assignment("IV.1.1", "so-ban")
    do(laid.database, Action.RETURN, task, now=LATER)
    (found,) = restated(laid, made)
    was, now = (
        Boxes(on_time=1, reported=1, reported_on_time=1),
        Boxes(in_term=1, reported=1, reported_on_time=1, returned=1),
    )
    assert (found.agency_id, found.was, found.now) == ("so-ban", was, now)
    (one,) = found.assignments
    assert (one.assignment_id, one.citation, one.was, one.now) == (
        task,
        "IV.1.1",
        TimeClass.DONE_ON_TIME,
        TimeClass.OPEN_IN_TIME,  # by its resubmission date
    )
    assert [each.kind.value for each in one.events] == ["returned"]
    assert one.events[0].detail["reason"] == "Thiếu số liệu."


def test_what_is_cancelled_later_leaves_the_count_and_says_so(laid: Laid) -> None:
    made = freeze(laid)
    do(laid.database, Action.CANCEL, laid.assignment("IV.3.1", "mat-tran"), now=LATER)
    (found,) = restated(laid, made)
    assert (found.was, found.now, found.assignments[0].now) == (Boxes(overdue=1), Boxes(), None)
    assert [each.kind.value for each in found.assignments[0].events] == ["cancelled"]


def test_a_report_of_after_the_cut_off_restates_nothing(laid: Laid) -> None:
    made = freeze(laid)
    do(laid.database, Action.REPORT, laid.assignment("IV.3.1", "mat-tran"), now=LATER)
    do(laid.database, Action.ACCEPT, laid.assignment("IV.1.1", "so-ban"), now=LATER)
    assert restated(laid, made) == ()


def test_an_extension_granted_before_the_cut_off_and_freezing_counts_at_once(laid: Laid) -> None:
    task = laid.assignment("IV.4.1", "so-chinh")
    with laid.database.write() as session:
        asked = lifecycle.ask_extension(
            session, task, until=date(2021, 6, 30), reason="Chờ.", actor="contact:1", now=at("2021-06-18")
        )
        lifecycle.decide_extension(session, asked, granted=True, actor="account:1", now=at("2021-06-18"))
    made = freeze(laid, at("2021-06-25"), cut_off=date(2021, 6, 24))
    assert printed(laid, made).standing.total.overdue == 0


def test_figures_are_published_once(laid: Laid) -> None:
    freeze(laid)
    with pytest.raises(Conflict, match="đã chốt"):
        freeze(laid)
    assert freeze(laid, cut_off=date(2021, 6, 21)) != freeze(laid, period="")
    with laid.database.read() as session:
        listed = published_figures.list_published(session, laid.plan_id)
    assert [(each.cut_off.day, each.period) for each in listed] == [(21, "2021-H1"), (20, ""), (20, "2021-H1")]


def test_a_row_that_somebody_changed_is_no_longer_intact(laid: Laid) -> None:
    made = freeze(laid)
    body = dict(row(laid.database, PublishedFigures, id=made).body) | {"plan": "13/KH-UBND"}
    with laid.database.write() as session:
        session.connection().execute(update(table(PublishedFigures)).values(body=body))
    assert not printed(laid, made).intact


@pytest.mark.parametrize("more", [{"cut_off": date(2021, 6, 23)}, {"period": "2021-Y"}])
def test_nothing_is_frozen_before_its_day_or_before_there_is_anything(laid: Laid, more: dict[str, Any]) -> None:
    with pytest.raises(BadInput):
        freeze(laid, **more)


def test_a_plan_that_never_ran_has_nothing_to_publish(database: Database) -> None:
    with pytest.raises(NotFound):
        freeze(store(database, now=OPENED))
    with database.read() as session, pytest.raises(NotFound):
        published_figures.published(session, 1)


def test_figures_of_the_first_definitions_are_shown_and_restated_by_their_own(laid: Laid) -> None:
    """Then a task was done when its report was in, whatever it said, and requests were counted among orders."""
    task = laid.assignment("IV.3.1", "mat-tran")
    with laid.database.write() as session:
        undone = lifecycle.ReportText(outcome=Outcome.NOT_YET, reason="Chờ kinh phí.")
        lifecycle.report(session, task, undone, actor="contact:1", now=at("2021-06-18"))
    made = freeze(laid)
    body = dict(row(laid.database, PublishedFigures, id=made).body)
    old = {key: [row[0], *row[1:4]] for key, row in body["classes"].items()}
    old[str(task)][1] = "done_late"
    keys = ("on_time", "late", "in_term", "overdue", "no_deadline")
    standing = body["standing"] | {
        "total": dict(zip(keys, (2, 2, 1, 0, 0), strict=True)),
        "agencies": [],
        "periods": [],
    }
    del standing["asked"], standing["asked_total"], body["definitions"]
    with laid.database.write() as session:
        session.connection().execute(
            update(table(PublishedFigures)).values(body=body | {"classes": old, "standing": standing})
        )
    found = printed(laid, made)
    assert (found.definitions, found.standing.total, found.standing.asked) == (
        1,
        Boxes(on_time=2, late=2, in_term=1),
        (),
    )
    assert restated(laid, made) == ()
    assert published_figures.DEFINITIONS == 2


def test_every_number_of_published_figures_opens_onto_the_rows_it_counted(laid: Laid) -> None:
    with laid.database.read() as session:
        kept = published_figures.published_rows(session, made := freeze(laid))
    total = printed(laid, made).standing.total
    orders = [each for each in kept if not each.request]
    assert len(orders) == total.expected
    assert sum(each.time_class is TimeClass.DONE_ON_TIME for each in orders) == total.on_time
    assert sum(each.reporting is not Timing.OPEN for each in orders) == total.reported
    assert [each.agency_id for each in kept if each.request] == ["mat-tran"]
