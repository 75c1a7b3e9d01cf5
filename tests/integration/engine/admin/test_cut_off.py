"""The figures of a period are published by themselves on the day after its last due date, once."""

from __future__ import annotations

from datetime import date, datetime

import pytest
from ground.factory import Laid, at, lay, policy, rows

from engine.admin.cut_off import publish_before, publish_closed
from engine.store.database import Database
from engine.store.records import PublishedFigures

OPENED = at("2021-04-07")


def published(laid: Laid) -> list[tuple[str, date]]:
    return sorted((each.period, each.cut_off) for each in rows(laid.database, PublishedFigures))


def daily(laid: Laid, now: datetime) -> int:
    with laid.database.write() as session:
        return publish_closed(session, now)


def test_the_day_after_the_last_due_date_publishes_the_period_and_no_later_day_does(database: Database) -> None:
    laid = lay(database, now=OPENED)  # the last report of the half-year is due on Monday 21 June
    assert daily(laid, at("2021-06-21")) == 0
    assert daily(laid, at("2021-06-22")) == 1
    assert daily(laid, at("2021-06-23")) == 0
    assert published(laid) == [("2021-H1", date(2021, 6, 22))]


@pytest.mark.parametrize(("days", "found"), [(0, []), (5, [("2021-H1", date(2021, 6, 26))])])
def test_the_policy_says_how_many_days_after(database: Database, days: int, found: list[tuple[str, date]]) -> None:
    laid = lay(database, now=OPENED, rules=policy().model_copy(update={"cut_off_days": days}))
    assert daily(laid, at("2021-06-25")) == 0
    daily(laid, at("2021-06-28"))
    assert published(laid) == found


def test_before_an_act_that_reorganises_what_is_over_is_published_at_once(database: Database) -> None:
    laid = lay(database, now=OPENED)
    with database.write() as session:
        assert publish_before(session, [laid.plan_id], at("2021-12-01"), actor="account:1") == 1
        assert publish_before(session, [laid.plan_id + 1], at("2021-12-01"), actor="account:1") == 0
    assert published(laid) == [("2021-H1", date(2021, 6, 22))]
    assert rows(database, PublishedFigures)[0].actor == "account:1"
