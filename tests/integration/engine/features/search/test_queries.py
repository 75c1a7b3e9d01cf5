"""What is found, by which words, and by whom not."""

from __future__ import annotations

from datetime import date

import pytest
from ground.factory import at, item, lay, plan_file, row
from sqlalchemy import select, update

from engine.assignments import lifecycle
from engine.assignments.chasing import record_paper
from engine.assignments.lifecycle import ReportText, SignedPaper
from engine.features.search.queries import SHOWN, Kind, Sight, search
from engine.queries.time_class import read_today
from engine.store.database import Database, table
from engine.store.records import Agency, Assignment, Duty

NOW = at("2021-04-07")
ALL: Sight = dict.fromkeys(Kind)


@pytest.fixture
def filled(database: Database) -> Database:
    lay(database, now=NOW)
    with database.write() as session:
        do = session.connection().execute
        duty, agency = table(Duty), table(Agency)
        words = "Xây dựng mô hình thí điểm hỗ trợ hòa nhập tại Đô Lương"
        do(update(duty).where(duty.c.citation == "IV.1.1").values(text=words))
        was = [
            {"name": "Sở Lao động", "short": "Sở LĐ", "from": None, "until": "2020-12-31"},
            {"name": "So ban", "short": "So ban", "from": "2021-01-01", "until": None},
        ]
        do(update(agency).where(agency.c.id == "so-ban").values(names=was))
        ids = session.connection().scalars(select(table(Assignment).c.id)).all()
        about = {"number": "412/SLĐTBXH-PCTNXH", "on": NOW.date(), "actor": "cli", "now": NOW}
        record_paper(session, "so-chinh", 1, ids, **about)
    return database


def found(database: Database, words: str, sight: Sight = ALL, only: Kind | None = None) -> dict[str, list[str]]:
    with database.read() as session:
        return {
            each.kind: [hit.title for hit in each.hits]
            for each in search(session, read_today(session, NOW), words, sight, only)
        }


@pytest.mark.parametrize(
    "words",
    ["mô hình thí điểm", "MO HINH thi diem", "diem do luong", "mo hinh thi d", "IV.1.1", "hòa nhập", "hoà nhập"],
)
def test_a_duty_by_its_words_or_citation_with_or_without_marks(filled: Database, words: str) -> None:
    assert found(filled, words)[Kind.DUTY] == ["IV.1.1"]


@pytest.mark.parametrize(
    ("words", "kind", "title"),
    [
        ("12/KH-UBND", Kind.PLAN, "12/KH-UBND"),
        ("12", Kind.PLAN, "12/KH-UBND"),
        ("so lao dong", Kind.AGENCY, "So ban"),
        ("coordinator@so-ban.example", Kind.CONTACT, "coordinator@so-ban.example"),
        ("412/sldtbxh", Kind.PAPER, "412/SLĐTBXH-PCTNXH"),
        ("412", Kind.PAPER, "412/SLĐTBXH-PCTNXH"),
    ],
)
def test_numbers_old_names_and_addresses(filled: Database, words: str, kind: Kind, title: str) -> None:
    assert found(filled, words)[kind] == [title]


@pytest.mark.parametrize("on", [date(2021, 6, 15), None])
def test_a_report_is_found_by_the_number_of_its_signed_paper(filled: Database, on: date | None) -> None:
    assignment = row(filled, Assignment, agency_id="so-ban", period="2021-H1").id
    said = ReportText(body="Đã làm.", paper=SignedPaper("45/BC - UBND", on))
    with filled.write() as session:
        lifecycle.report(session, assignment, said, actor="contact:1", now=NOW)
    assert found(filled, "45/bc-ubnd")[Kind.PAPER] == ["45/BC - UBND"]


def test_an_agency_found_by_an_old_name_says_so(filled: Database) -> None:
    with filled.read() as session:
        (group,) = search(session, read_today(session, NOW), "sở lao động", {Kind.AGENCY: None})
    assert group.hits[0].was == "Sở Lao động"


def test_what_one_may_not_see_is_not_found(filled: Database) -> None:
    own: Sight = {Kind.AGENCY: {"huyen-a"}, Kind.CONTACT: {"huyen-a"}, Kind.PAPER: {"huyen-a"}}
    assert found(filled, "so-ban", own) == {}
    assert found(filled, "huyen-b", own) == {}
    assert set(found(filled, "huyen-a", own)) == {Kind.AGENCY, Kind.CONTACT}
    assert found(filled, "412", own) == {Kind.PAPER: ["412/SLĐTBXH-PCTNXH"]}
    assert found(filled, "412", {Kind.PAPER: set()}) == {}


def test_a_duty_opens_the_only_assignment_that_the_reader_may_see(filled: Database) -> None:
    def path(words: str, within: set[str] | None) -> str:
        with filled.read() as session:
            groups = search(session, read_today(session, NOW), words, {Kind.DUTY: None, Kind.AGENCY: within})
        return groups[0].hits[0].path

    assert path("IV.2.1", None).startswith("/assignments?plan=1&duty=IV.2.1")
    assert path("IV.2.1", {"so-ban"}) == "/plans/1#IV.2.1"
    with filled.read() as session:
        a = table(Assignment)
        per_agency = session.connection().scalars(select(a.c.id).where(a.c.agency_id == "huyen-a")).all()
    expected = f"/assignments/{per_agency[0]}" if len(per_agency) == 1 else "/assignments?plan=1&duty=IV.2.1"
    assert path("IV.2.1", {"huyen-a"}).startswith(expected)


def test_the_page_of_all_kinds_shows_some_and_that_of_one_kind_all(database: Database) -> None:
    lay(database, now=NOW, plan=plan_file(items=tuple(item(n, "so-ban") for n in range(1, 12))))
    with database.read() as session:
        (some,) = search(session, read_today(session, NOW), "việc thứ", {Kind.DUTY: None, Kind.AGENCY: None})
        (every,) = search(
            session, read_today(session, NOW), "việc thứ", {Kind.DUTY: None, Kind.AGENCY: None}, Kind.DUTY
        )
    assert (len(some.hits), some.more) == (SHOWN, True)
    assert (len(every.hits), every.more) == (11, False)


@pytest.mark.parametrize("words", ["", " ", "«»", '"', "AND", "* OR", "(", ":*", "'", "a" * 500, "%", "x y z " * 30])
def test_any_words_are_only_words(filled: Database, words: str) -> None:
    found(filled, words)


@pytest.fixture
def districts(filled: Database) -> Database:
    """Two districts whose names differ by their marks, and a duty that holds the words without being of either."""
    with filled.write() as session:
        do = session.connection().execute
        duty, agency = table(Duty), table(Agency)
        for key, name in (("huyen-a", "UBND huyện Kỷ Sơn"), ("huyen-b", "UBND huyện Kỳ Sơn")):
            do(update(agency).where(agency.c.id == key).values(name=name, names=[{"name": name, "short": name}]))
        do(update(duty).where(duty.c.citation == "IV.2.1").values(text="Mở lớp kỹ sơn mài cho thanh niên"))
        do(update(duty).where(duty.c.citation == "IV.4.1").values(text="Tổ chức tại kỳ sơn một lớp"))
    return filled


def test_an_agency_that_bears_the_words_comes_before_plans_and_duties(districts: Database) -> None:
    assert next(iter(found(districts, "Kỳ Sơn"))) == Kind.AGENCY
    assert next(iter(found(districts, "ky son"))) == Kind.AGENCY
    assert next(iter(found(districts, "hòa nhập"))) == Kind.DUTY


def test_what_has_other_marks_says_so_and_what_has_another_order_does_not(districts: Database) -> None:
    def alike(words: str) -> dict[str, bool]:
        with districts.read() as session:
            groups = search(session, read_today(session, NOW), words, {Kind.AGENCY: None, Kind.DUTY: None})
        return {hit.title: hit.alike for group in groups for hit in group.hits}

    assert alike("Kỳ Sơn") == {
        "UBND huyện Kỳ Sơn": False,
        "UBND huyện Kỷ Sơn": True,
        "IV.4.1": False,
        "IV.2.1": True,
    }
    assert set(alike("ky son").values()) == {False}
    assert alike("mài sơn kỹ") == {"IV.2.1": False}


def test_words_typed_with_marks_come_before_those_that_only_sound_alike(districts: Database) -> None:
    seen = found(districts, "Kỳ Sơn")
    assert seen[Kind.AGENCY] == ["UBND huyện Kỳ Sơn", "UBND huyện Kỷ Sơn"]
    assert seen[Kind.DUTY] == ["IV.4.1", "IV.2.1"]
    assert found(districts, "Kỷ Sơn")[Kind.AGENCY] == ["UBND huyện Kỷ Sơn", "UBND huyện Kỳ Sơn"]
    assert set(found(districts, "kỹ sơn mài")[Kind.DUTY]) == {"IV.2.1"}


def test_the_overdue_come_first_with_their_number_and_a_single_owner(database: Database) -> None:
    lay(database, now=NOW)
    duty, assignment = table(Duty), table(Assignment)
    with database.write() as session:
        do = session.connection().execute
        do(update(duty).values(text="Kiểm tra liên ngành"))
        late = select(duty.c.id).where(duty.c.citation == "IV.2.1").scalar_subquery()
        do(update(assignment).where(assignment.c.duty_id == late).values(due_on=date(2021, 4, 6)))
        (group,) = search(
            session, read_today(session, NOW), "kiem tra lien nganh", {Kind.DUTY: None, Kind.AGENCY: None}
        )
        (one,) = search(
            session, read_today(session, NOW), "kiem tra lien nganh", {Kind.DUTY: None, Kind.AGENCY: {"huyen-a"}}
        )
    assert (group.hits[0].title, group.hits[0].late, group.hits[0].count) == ("IV.2.1", 2, 2)
    assert not any(hit.late for hit in group.hits[1:])
    assert {bool(hit.agency) for hit in group.hits if hit.count == 1} == {True}
    assert not group.hits[0].agency
    assert (one.hits[0].title, one.hits[0].late, one.hits[0].agency) == ("IV.2.1", 1, "Huyen a")
