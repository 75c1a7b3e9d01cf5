"""The draft of a công văn on its page and as a file, and its number recorded after issue."""

from __future__ import annotations

import asyncio
import io
import zipfile
from pathlib import Path

import docx
import pytest
from bs4 import BeautifulSoup
from ground.factory import at, directory, lay, rows, swept
from ground.office import Office, as_role, everything, open_office
from ground.post import post_office

from engine.store.database import Database
from engine.store.records import Event
from engine.terms import EventKind
from workflows.run import passes

PAGE = "/papers/dispatch?plan=1"


def words(page: str) -> str:
    return " ".join(BeautifulSoup(page, "lxml").main.get_text(" ").split())  # type: ignore[union-attr]


def recorded(office: Office, page: str = PAGE, **fields: str) -> tuple[int, str]:
    form = BeautifulSoup(office.get(page).text, "lxml").select("form[method=post] input[type=hidden]")
    hidden = {str(each["name"]): str(each["value"]) for each in form if each["name"] not in ("token", "id")}
    ids = [str(each["value"]) for each in form if each["name"] == "id"]
    answer = office.post("/papers/dispatch", page=page, id=ids, **(hidden | fields))
    return answer.status_code, answer.text


def test_the_draft_counts_what_the_overdue_list_shows_and_changes_nothing(office: Office, lived: Database) -> None:
    before = everything(lived)
    page = BeautifulSoup(office.get("/overdue?plan=1").text, "lxml")
    # The department addresses not itself.
    overdue = page.select('tr:not(:has([href="/agencies/so-chinh"])) .codes a[href^="/assignments/"]')
    document = docx.Document(io.BytesIO(office.get(f"{PAGE}&file=docx").content))
    assert len(document.tables[-1].rows) - 1 == len(overdue) > 0
    assert f"{len(overdue):02d} nhiệm vụ quá hạn" in words(office.get(PAGE).text)
    assert everything(lived) == before


def test_the_file_is_named_without_the_plans_subject_and_takes_the_adjustments(office: Office) -> None:
    answer = office.get(f"{PAGE}&agency=huyen-b&file=docx&sign=SC-VP&place=Vinh&unit=VP&answer_by=2021-07-05")
    assert 'filename="cv-don-doc_12-KH-UBND-2021_moi-ky_lan' in answer.headers["content-disposition"]
    document = docx.Document(io.BytesIO(answer.content))
    head = " ".join(cell.text for row in document.tables[0].rows for cell in row.cells)
    assert "/SC-VP" in head
    assert "Vinh, ngày" in head
    assert any("chậm nhất ngày 05/7/2021" in each.text for each in document.paragraphs)


def test_each_agency_may_get_a_letter_of_its_own(office: Office) -> None:
    page = BeautifulSoup(office.get(PAGE).text, "lxml")
    addressees = [str(each["value"]) for each in page.select("input[name=agency]")]
    answer = office.get(f"{PAGE}&file=zip" + "".join(f"&agency={each}" for each in addressees))
    if len(addressees) > 1:
        with zipfile.ZipFile(io.BytesIO(answer.content)) as file:
            assert [name.rpartition("_")[2] for name in file.namelist()] == [f"{each}.docx" for each in addressees]


def test_those_who_are_only_asked_are_never_in_the_letter_to_those_who_are_ordered(office: Office) -> None:
    assert "Mat tran" not in words(office.get(PAGE).text)
    assert "Huyen b" not in words(office.get(f"{PAGE}&request=yes").text)


def test_the_number_is_recorded_once_and_stands_in_the_story_and_in_the_next_draft(
    office: Office, lived: Database
) -> None:
    assert recorded(office, number="412/SC", on="21/6/2021")[0] == 303
    assert recorded(office, number="412/SC", on="21/6/2021")[0] == 303
    events = rows(lived, Event, kind=EventKind.PAPER_RECORDED)
    assert len(events) == len({each.assignment_id for each in events}) > 0
    assert "Công văn số 412/SC ngày 21/6/2021" in words(office.get(PAGE).text)
    story = words(office.get(f"/assignments/{events[0].assignment_id}").text)
    assert "Đã phát hành công văn đôn đốc: số 412/SC, thứ Hai, 21/6/2021" in story


@pytest.mark.parametrize(
    ("fields", "status", "said"),
    [
        ({"number": "412", "on": "21/6/2021"}, 422, "Số và ký hiệu viết như"),
        ({"number": "412/SC", "on": "25/6/2021"}, 422, "không thể ở tương lai"),
        ({"number": "412/SC", "on": ""}, 422, "Cần ghi ngày"),
    ],
)
def test_what_cannot_be_recorded_is_said_beside_its_field(
    office: Office, lived: Database, fields: dict[str, str], status: int, said: str
) -> None:
    code, page = recorded(office, **fields)
    assert (code, said in page) == (status, True)
    assert not rows(lived, Event, kind=EventKind.PAPER_RECORDED)


def test_a_number_has_one_date(office: Office) -> None:
    recorded(office, number="412/SC", on="21/6/2021")
    assert recorded(office, number="412/SC", on="22/6/2021")[0] == 409


@pytest.mark.parametrize(("role", "agency"), [("coordinator", "so-ban"), ("leadership", "tinh")])
def test_drafting_is_for_those_who_chase(lived: Database, tmp_path: Path, role: str, agency: str) -> None:
    assert as_role(lived, tmp_path, role, agency).get(PAGE).status_code == 403
    monitor = as_role(lived, tmp_path, "monitor", "so-chinh")
    assert monitor.get(PAGE).status_code == 200
    assert "/papers/dispatch" in monitor.get("/overdue").text


@pytest.mark.parametrize("query", ["plan=99", "plan=1&file=pdf", "plan=1&answer_by=x"])
def test_what_does_not_exist_is_refused(office: Office, query: str) -> None:
    assert office.get(f"/papers/dispatch?{query}").status_code in (400, 404, 422)


def subject(office: Office, page: str) -> str:
    document = docx.Document(io.BytesIO(office.get(f"{page}&file=docx").content))
    return " ".join(cell.text for row in document.tables[0].rows for cell in row.cells)


def test_a_paper_names_only_the_level_at_which_every_addressee_was_chased(database: Database, tmp_path: Path) -> None:
    """huyen-a has no mailbox: nobody there was ever chased."""
    laid = lay(database, now=at("2021-04-07"), bodies=directory(huyen_a={"contacts": []}))
    for day in ("2021-04-07", "2021-06-18", "2021-06-22", "2021-06-28", "2021-07-08"):
        swept(database, at(day, "07:00"))
        asyncio.run(passes.deliver(database, at(day, "08:00"), post_office()))
    assert laid.plan_id == 1
    office = open_office(database, tmp_path, now=at("2021-07-08", "09:00"))
    assert "(lần 3)" in subject(office, f"{PAGE}&agency=huyen-b")
    for page in (PAGE, f"{PAGE}&agency=huyen-a&agency=huyen-b", f"{PAGE}&agency=huyen-a"):
        assert "(lần" not in subject(office, page)
    with zipfile.ZipFile(io.BytesIO(office.get(f"{PAGE}&agency=huyen-a&agency=huyen-b&file=zip").content)) as parts:
        texts = [docx.Document(io.BytesIO(parts.read(name))) for name in sorted(parts.namelist())]
    heads = ["".join(cell.text for row in each.tables[0].rows for cell in row.cells) for each in texts]
    assert ["(lần 3)" in each for each in heads] == [False, True]
