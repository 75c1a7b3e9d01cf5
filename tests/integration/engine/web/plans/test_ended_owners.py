"""A plan that names agencies which have ended: renewed, checked or imported, each is named with who took over, and only
what a person confirms is replaced. Plan 188 of Nghệ An, after 1 July 2025."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from ground.factory import CONFIG, at, row, rows
from ground.office import Office, everything, open_office
from ground.paths import DATA
from ground.province import load_province
from httpx import Response

from engine.agencies.directory_loading import load_directory as store_directory
from engine.assignments.handover import ended_owners
from engine.files.directory import load_directory
from engine.files.plan import PlanFile
from engine.files.yaml_reader import read
from engine.store.database import Database
from engine.store.records import Duty, Plan

NOW = at("2026-03-02", "09:00")
NEXT = {"year": "2026", "number": "25/KH-UBND", "issued_on": "2/3/2026"}


@pytest.fixture
def office(sqlite_database: Database, tmp_path: Path) -> Office:
    load_province(sqlite_database, at("2021-04-07"))
    office = open_office(sqlite_database, tmp_path, now=at("2021-04-07", "10:00"))
    text = (CONFIG / "plans/188-kh-ubnd-2021.yaml").read_text()
    send(office, "/plans/load", text, do="save")
    with sqlite_database.write() as session:
        store_directory(session, load_directory(CONFIG / "agencies/nghe-an-2025.yaml"), actor="cli:test", now=NOW)
    office.clock.now = NOW
    return office


def send(office: Office, path: str, text: str, **fields: str) -> Response:
    form = {"token": office.token("/plans/load"), "text": text} | fields
    return office.client.post(path, files=[(name, (None, value)) for name, value in form.items()])


def carried(answer: Response) -> str:
    return str(BeautifulSoup(answer.text, "lxml").select_one('#load input[name="text"]')["value"])  # type: ignore[index]


def ended(answer: Response) -> dict[str, bool]:
    """Id of each owner that the page says has ended -> whether it is ticked."""
    ticks = BeautifulSoup(answer.text, "lxml").select("input[name=ended]")
    return {str(each["value"]): each.has_attr("checked") for each in ticks}


def plan_of(answer: Response) -> PlanFile:
    return read(carried(answer), PlanFile)


def test_the_renewed_plan_names_each_with_function_and_basis_and_replaces_what_is_confirmed(office: Office) -> None:
    answer = office.post("/plans/1/renew", page="/plans/1/renew", **NEXT)
    found = ended(answer)
    assert found["so-ldtbxh"] is False, "two functions: a person chooses"
    assert "phòng, chống tệ nạn xã hội" in answer.text
    assert "Nghị định 42/2025/NĐ-CP" in answer.text
    before = everything(office.context.database)
    assert send(office, "/plans/load/ended", carried(answer), do="ticked").status_code == 400

    one = send(
        office,
        "/plans/load/ended",
        carried(answer),
        do="ticked",
        **{"ended": "so-ldtbxh", "to-so-ldtbxh": "so-y-te"},
    )
    assert plan_of(one).supervisor == "so-y-te"
    assert set(ended(one)) == set(found) - {"so-ldtbxh"}
    both = send(office, "/plans/load/ended", carried(answer), do="all")
    assert both.status_code == 400, "two departments cannot follow the plan: it is asked which"
    assert "chọn đúng một cơ quan" in both.text
    assert set(ended(both)) == set(found)
    assert everything(office.context.database) == before, "nothing is saved on the way"

    done = send(office, "/plans/load/ended", carried(one), do="all")
    assert ended(done) == {}
    saved = send(office, "/plans/load", carried(done), do="save")
    assert saved.headers["location"] == "/plans/2?said=loaded"
    database = office.context.database
    with database.read() as session:
        assert ended_owners(session, 2, date(2026, 3, 2)) == ()
    owners = {name for each in rows(database, Duty) if each.plan_id == 2 for name in each.owners}
    assert not owners & {"so-ldtbxh", "ubnd-huyen-yen-thanh", "ubnd-tx-cua-lo"}
    assert row(database, Plan, id=1).supervisor_id == "so-ldtbxh", "the old plan keeps the names of its time"


def test_a_plan_of_the_time_of_its_agencies_asks_nothing(office: Office) -> None:
    text = (CONFIG / "plans/188-kh-ubnd-2021.yaml").read_text().replace("188/KH-UBND", "189/KH-UBND")
    assert ended(send(office, "/plans/load", text, do="check")) == {}


def test_an_imported_document_is_not_saved_before_they_are_confirmed(office: Office) -> None:
    raw = (DATA / "188-kh-ubnd-2021.txt").read_text().replace("năm 2021", "năm 2026").encode()
    began = office.client.post(
        "/plans/import",
        data={"token": office.token("/plans/import")},
        files={"document": ("188.txt", raw), "x": (None, "")},
    )
    review = str(began.headers["location"])
    page = office.get(review)
    typed: dict[str, str] = {"issued_on": "2/3/2026", "number": "26/KH-UBND"}
    for each in BeautifulSoup(page.text, "lxml").select("#review input[name], #review textarea[name]"):
        name, kind = str(each["name"]), each.get("type")
        if kind == "radio" and each["value"] not in ("", "+", "="):  # the document's name means two: the nearest one
            typed.setdefault(name, str(each["value"]))
        elif kind not in ("checkbox", "radio"):
            typed.setdefault(name, str(each.get("value") or each.get_text()))
    saved = office.client.post(review, data=typed | {"do": "save"})
    assert saved.status_code == 200
    assert "so-ldtbxh" in ended(saved)
    assert len(rows(office.context.database, Plan)) == 1
    assert "Cơ quan kết thúc trước ngày ban hành" in saved.text
    assert "Cơ quan kết thúc trước ngày ban hành" in office.get(review).text, "the draft stays until that is settled"


def test_filters_offer_the_levels_of_the_plan_s_time(office: Office) -> None:
    def levels(path: str) -> set[str]:
        return {
            str(each["value"]) for each in BeautifulSoup(office.get(path).text, "lxml").select("[name=kind] option")
        }

    office.clock.now = at("2021-06-24")
    office.post("/plans/1/activate", page="/plans/1/activate")
    office.clock.now = NOW
    for path in ("/", "/overdue"):
        assert "huyen" in levels(f"{path}?plan=1")
        assert "xa" not in levels(f"{path}?plan=1"), "the plan's year was over when the communes began"
        assert "xa" in levels(path)
    owners = BeautifulSoup(office.get("/plans/1/duties/new").text, "lxml").select(
        '[value="so-ldtbxh"], [value="so-y-te"]'
    )
    assert {str(each["value"]) for each in owners} == {"so-y-te"}
