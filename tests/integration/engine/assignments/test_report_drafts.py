"""A report page as typed so far: kept as it stands, never overwriting what somebody else typed."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from ground.factory import Laid, at, lay, rows

from engine.assignments.reports import drafts as report_drafts
from engine.errors import BadInput, Conflict
from engine.store.database import Database
from engine.store.records import Draft

NOW = at("2021-06-07")
HOUR = timedelta(hours=1)
TYPED = {"body-12": "Đã mở 3 lớp <b>tập huấn</b>", "figure-II.1": "không phải số", "reason-12": ""}


@pytest.fixture
def laid(database: Database) -> Laid:
    return lay(database, now=at("2021-04-07"))


def save(laid: Laid, fields: dict[str, str], **more: Any) -> Any:
    given = {"actor": "account:1", "now": NOW} | more
    with laid.database.write() as session:
        return report_drafts.save(session, "so-ban", laid.plan_id, "2021-H1", fields, **given)


def restore(laid: Laid, period: str = "2021-H1") -> report_drafts.SavedDraft | None:
    with laid.database.read() as session:
        return report_drafts.restore(session, "so-ban", laid.plan_id, period)


def test_what_was_typed_comes_back_as_typed_right_or_wrong(laid: Laid) -> None:
    save(laid, TYPED)
    kept = restore(laid)
    assert kept is not None
    assert kept.fields == {name: text for name, text in TYPED.items() if text}
    assert (kept.actor, kept.saved_at) == ("account:1", NOW)
    assert restore(laid, "2021-Y") is None


def test_saving_again_takes_the_place_of_what_was_there(laid: Laid) -> None:
    save(laid, TYPED)
    save(laid, {"body-12": "Khác"}, now=NOW + HOUR)
    kept = restore(laid)
    assert kept is not None
    assert (kept.fields, len(rows(laid.database, Draft))) == ({"body-12": "Khác"}, 1)


def test_a_colleague_goes_on_from_what_he_saw(laid: Laid) -> None:
    seen = save(laid, TYPED)
    save(laid, {"body-12": "Sửa"}, actor="account:2", seen=seen, now=NOW + HOUR)
    kept = restore(laid)
    assert kept is not None
    assert kept.actor == "account:2"


@pytest.mark.parametrize("seen", [None, NOW - HOUR])
def test_nobody_overwrites_what_a_colleague_saved_meanwhile(laid: Laid, seen: Any) -> None:
    save(laid, TYPED)
    with pytest.raises(Conflict, match="08:00 07/6/2021"):
        save(laid, {"body-12": "Sửa"}, actor="account:2", seen=seen, now=NOW + HOUR)
    kept = restore(laid)
    assert kept is not None
    assert kept.actor == "account:1"


def test_a_submitted_page_leaves_no_draft(laid: Laid) -> None:
    save(laid, TYPED)
    with laid.database.write() as session:
        report_drafts.discard(session, "so-ban", laid.plan_id, "2021-H1")
    assert restore(laid) is None


TOO_MUCH = (
    {"body": "x" * 20_001},
    {"n" * 81: "x"},
    {f"f{n}": "x" for n in range(2_001)},
    dict.fromkeys("abcdefghijklmnopqrstu", "x" * 20_000),
)


@pytest.mark.parametrize("fields", TOO_MUCH)
def test_a_draft_larger_than_any_report_is_refused_in_words(laid: Laid, fields: dict[str, str]) -> None:
    with pytest.raises(BadInput, match=" / "):
        save(laid, fields)
    assert restore(laid) is None


def test_characters_that_no_database_takes_are_left_out(laid: Laid) -> None:
    save(laid, {"body": "a\0b\ud800"})
    kept = restore(laid)
    assert kept is not None
    assert kept.fields["body"].startswith("ab")
