"""The directory kept by hand: new agencies, new names from a day on, and who took over what."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from ground.factory import at, directory, happened, row, rows
from ground.remembered import once

from engine.agencies import agencies
from engine.agencies.directory_loading import load_directory, read_directory
from engine.assignments.handover import agencies_with_work_left
from engine.errors import BadInput, Conflict, FieldsRefused, NotFound
from engine.rules.calendar import local_date
from engine.store.database import Database
from engine.store.records import Agency, AgencyGroup, Event, Succession

NOW, TODAY = at("2021-06-07"), date(2021, 6, 7)


@pytest.fixture
def laid(database: Database) -> Database:
    def fill() -> None:
        with database.write() as session:
            load_directory(session, directory(), actor="cli:test", now=NOW)

    once(database, ("directory alone", NOW), fill)
    return database


def do(database: Database, deed: Any, *given: Any, now: Any = NOW, **more: Any) -> Any:
    with database.write() as session:
        return deed(session, *given, actor="account:1", now=now, **more)


def add(database: Database, agency_id: str = "so-moi", **more: Any) -> None:
    do(database, agencies.add_agency, agency_id, **{"name": "Sở Mới", "level": "so"} | more)


def succeed(database: Database, from_id: str, to_id: str, **more: Any) -> int:
    made: int = do(database, agencies.succeed, from_id, to_id, **{"on": TODAY, "basis": "NQ 27"} | more)
    return made


def rename(database: Database, name: str, on: date, **more: Any) -> None:
    do(database, agencies.rename, "so-ban", name=name, on=on, **more)


def test_a_new_agency_stands_in_the_directory_and_in_its_groups(laid: Database) -> None:
    add(laid, "huyen-c", name="UBND huyện C", level="huyen", parent="tinh", groups=("cac-huyen",), since=TODAY)
    with laid.read() as session:
        found = read_directory(session)
    assert (found.by_id["huyen-c"].parent, found.name_on("huyen-c", TODAY)) == ("tinh", "UBND huyện C")
    assert row(laid, AgencyGroup, id="cac-huyen").members == ["huyen-a", "huyen-b", "huyen-c"]
    assert row(laid, Event, kind="agency_changed").actor == "account:1"


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"agency_id": "Sở Mới"}, "id"),
        ({"agency_id": "a" * 65}, "id"),
        ({"name": " "}, "name"),
        ({"name": "x" * 201}, "name"),
        ({"level": ""}, "level"),
        ({"parent": "ai-do"}, "parent"),
        ({"groups": ("nhom-la",)}, "groups"),
        ({"code": "1" * 17}, "code"),
    ],
)
def test_what_cannot_be_an_agency_is_said_field_by_field(laid: Database, more: dict[str, Any], field: str) -> None:
    with pytest.raises(FieldsRefused) as refused:
        add(laid, **more)
    assert list(refused.value.fields) == [field]
    assert happened(laid, kind="agency_changed") == []


def test_an_id_is_given_once(laid: Database) -> None:
    add(laid)
    with pytest.raises(Conflict, match="so-moi"):
        add(laid)


def test_a_new_name_begins_where_the_old_one_ends_and_both_stay_known(laid: Database) -> None:
    rename(laid, "Sở Ban mới", TODAY, short="SBM")
    with laid.read() as session:
        found = read_directory(session)
    assert found.name_on("so-ban", date(2021, 6, 6)) == "So ban"
    assert found.name_on("so-ban", TODAY) == "Sở Ban mới"
    assert (row(laid, Agency, id="so-ban").name, row(laid, Agency, id="so-ban").short) == ("Sở Ban mới", "SBM")


def test_a_name_of_a_later_day_is_taken_up_when_its_day_comes(laid: Database) -> None:
    rename(laid, "Sở Ban mới", date(2021, 7, 1))
    assert row(laid, Agency, id="so-ban").name == "So ban"
    for now, count in ((NOW, 0), (at("2021-07-01", "00:01"), 1), (at("2021-07-01", "00:02"), 0)):
        with laid.write() as session:
            assert agencies.apply_current_names(session, now) == count
    assert row(laid, Agency, id="so-ban").name == "Sở Ban mới"


def test_a_name_that_does_not_follow_is_refused(laid: Database) -> None:
    rename(laid, "Sở Ban mới", TODAY)
    for name, on, field in (
        ("Sở Khác", TODAY, "on"),
        ("Sở Ban mới", date(2022, 1, 1), "name"),
        ("", date(2022, 1, 1), "name"),
    ):
        with pytest.raises(FieldsRefused) as refused:
            rename(laid, name, on)
        assert list(refused.value.fields) == [field]
    with pytest.raises(NotFound):
        do(laid, agencies.rename, "ai-do", name="X", on=TODAY)


def test_a_succession_is_kept_with_its_day_and_basis(laid: Database) -> None:
    made = succeed(laid, "so-ban", "so-chinh", function=" du  lịch ")
    edge = row(laid, Succession, id=made)
    assert (edge.from_id, edge.to_id, edge.on, edge.function, edge.basis) == (
        "so-ban",
        "so-chinh",
        TODAY,
        "du lịch",
        "NQ 27",
    )
    assert row(laid, Event, kind="agency_changed").detail["what"] == "succeeded"


@pytest.mark.parametrize(
    ("given", "field"),
    [
        (("so-ban", "so-ban"), "to"),
        (("so-ban", "ai-do"), "to"),
        (("huyen-b", "so-ban"), "to"),
    ],
)
def test_a_succession_onto_itself_into_nothing_or_round_in_a_circle_is_refused_in_words(
    laid: Database, given: tuple[str, str], field: str
) -> None:
    succeed(laid, "so-ban", "huyen-a")
    succeed(laid, "huyen-a", "huyen-b")
    with pytest.raises(FieldsRefused, match=" / ") as refused:
        succeed(laid, *given)
    assert list(refused.value.fields) == [field]
    assert len(rows(laid, Succession)) == 2


def test_a_circle_is_told_by_the_names_it_goes_through(laid: Database) -> None:
    succeed(laid, "so-ban", "huyen-a")
    succeed(laid, "huyen-a", "huyen-b")
    with pytest.raises(FieldsRefused, match="Huyen b → So ban → Huyen a → Huyen b"):
        succeed(laid, "huyen-b", "so-ban")
    assert succeed(laid, "huyen-b", "so-ban", function="du lịch") == 3


def test_the_same_succession_is_recorded_once_and_needs_a_basis(laid: Database) -> None:
    succeed(laid, "so-ban", "so-chinh")
    with pytest.raises(Conflict):
        succeed(laid, "so-ban", "so-chinh")
    with pytest.raises(BadInput, match="căn cứ"):
        succeed(laid, "so-ban", "huyen-a", basis=" ")


def test_a_succession_entered_by_mistake_is_taken_back(laid: Database) -> None:
    made = succeed(laid, "so-ban", "so-chinh")
    with pytest.raises(NotFound):
        do(laid, agencies.withdraw, "so-chinh", made)
    do(laid, agencies.withdraw, "so-ban", made)
    assert rows(laid, Succession) == []
    with laid.read() as session:
        assert agencies_with_work_left(session, local_date(NOW)) == ()


@pytest.mark.parametrize("name", ["Sở Mới", "  SỞ MỚI ", "Sở\u00a0Mới", "Sở Mơ\u0301i"])
def test_two_agencies_of_one_parent_do_not_bear_one_name(laid: Database, name: str) -> None:
    add(laid, "so-moi", parent="tinh")
    with pytest.raises(FieldsRefused, match="tên này"):
        add(laid, "so-moi-2", name=name, parent="tinh")
    with pytest.raises(FieldsRefused, match="tên này"):
        do(laid, agencies.rename, "so-ban", name=name, on=TODAY)
    add(laid, "xa-moi", name="Sở Mới", parent="huyen-a")  # of another parent: as communes of one name
    with pytest.raises(FieldsRefused, match="tên này"):
        add(laid, "so-moi-3", name=name)  # without a parent nothing tells it apart


def test_a_letter_that_only_looks_like_one_of_ours_is_refused(laid: Database) -> None:
    with pytest.raises(FieldsRefused, match="không phải chữ cái tiếng Việt"):
        add(laid, "so-gia", name="Sở Tài сhính")  # with a Cyrillic «с»
