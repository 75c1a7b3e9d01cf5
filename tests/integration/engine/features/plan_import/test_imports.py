"""A plan document by the browser: what is refused and how, what is kept, and what comes of what was typed."""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from bs4 import BeautifulSoup, Tag
from ground.factory import CONFIG, at, happened, row, rows, store
from ground.office import Office, everything, open_office
from ground.paths import DATA
from ground.province import load_province
from import_figures.kinds import samples

from engine.application.daily_cleanup import delete_expired
from engine.errors import BadInput, FileRefused
from engine.features.plan_import.drafts.plan_data import checked, reviewed
from engine.features.plan_import.drafts.reading import draft_of
from engine.features.plan_import.drafts.rows import pages_of
from engine.features.plan_import.drafts.stored import make_draft
from engine.features.plan_import.importer import read_document
from engine.features.plan_import.importer.reading.pdf import LIMITS
from engine.files.directory import load_directory
from engine.files.plan import PlanFile, directory_mistakes
from engine.files.yaml_reader import read
from engine.store.database import Database
from engine.store.records import Event, Plan, PlanDraft
from engine.terms import EventKind, PlanState
from workflows.simulation.simulation import cached_simulation

TEXT = DATA / "188-kh-ubnd-2021.txt"
DIRECTORY = CONFIG / "agencies/nghe-an-2021.yaml"
Pairs = list[tuple[str, str]]


@pytest.fixture
def desk(sqlite_database: Database, tmp_path: Path) -> Office:
    """The shipped province on 7 April 2021, no plan yet."""
    load_province(sqlite_database, at("2021-04-07"))
    return open_office(sqlite_database, tmp_path, now=at("2021-04-07", "10:00"))


def upload(desk: Office, raw: bytes, name: str = "188.txt") -> httpx.Response:
    return desk.client.post(
        "/plans/import", data={"token": desk.token("/plans/import")}, files={"document": (name, raw)}
    )


def begun(desk: Office, raw: bytes, name: str = "188.txt") -> str:
    """The address of the review of a document."""
    answer = upload(desk, raw, name)
    assert answer.status_code == 303, BeautifulSoup(answer.text, "lxml").select_one(".wrong")
    return str(answer.headers["location"])


def fields(page: str, form: str = "form#review") -> Pairs:
    """What a browser would send of a form."""
    found: Pairs = []
    for each in BeautifulSoup(page, "lxml").select(f"{form} input, {form} textarea, {form} select"):
        if each.name == "textarea":
            found.append((str(each["name"]), each.get_text().removeprefix("\n")))
        elif each.name == "select":
            option = each.select_one("option[selected]") or each.select_one("option")
            found.append((str(each["name"]), str(option["value"])))  # type: ignore[index]
        elif each.get("type") not in ("checkbox", "radio") or each.has_attr("checked"):
            found.append((str(each["name"]), str(each.get("value", ""))))
    return found


def changed(typed: Pairs, **changes: str | Sequence[str]) -> Pairs:
    """With the values of some fields replaced; a name's dots and brackets stand as written in ``changes``."""
    kept = [(name, value) for name, value in typed if name not in changes]
    new = [(name, each) for name, said in changes.items() for each in ([said] if isinstance(said, str) else said)]
    return kept + new


def send(desk: Office, path: str, typed: Pairs, do: str) -> httpx.Response:
    body = urlencode([*typed, ("do", do)])
    headers = {"content-type": "application/x-www-form-urlencoded"}
    return desk.client.post(path.partition("?")[0], content=body, headers=headers)


def correct(desk: Office, path: str, do: str = "keep", **changes: str | Sequence[str]) -> httpx.Response:
    """The review's form as its page has it, with changes, sent by a button."""
    return send(desk, path, changed(fields(desk.get(path).text), **changes), do)


def correct_duty(desk: Office, path: str, key: int, do: str = "save", **changes: str | Sequence[str]) -> httpx.Response:
    duty = f"{path}/duties/{key}"
    return send(desk, duty, changed(fields(desk.get(duty).text, f'form[action="{duty}"]'), **changes), do)


def every_page(desk: Office, path: str) -> list[httpx.Response]:
    pages = [desk.get(path)]
    while re.search(rf'page[:=]{len(pages) + 1}"', pages[-1].text):
        pages.append(desk.get(f"{path}?page={len(pages) + 1}"))
    return pages


def select(pages: Sequence[httpx.Response], css: str) -> list[Tag]:
    return [found for page in pages for found in BeautifulSoup(page.text, "lxml").select(css)]


def saved_file(desk: Office, path: str, **changes: str | Sequence[str]) -> Any:
    answer = correct(desk, path, "save", **changes)
    assert answer.status_code == 303, BeautifulSoup(answer.text, "lxml").select_one("#problems")
    return row(desk.context.database, Plan).file


def marked(desk: Office, path: str) -> list[str]:
    """The values of a draft's file that are to be confirmed, each with the reason."""
    lines = desk.get(f"{path}/file.yaml").text.splitlines()
    found = [re.match(r" *(?:- )?([\w-]+):.*?# XÁC NHẬN: (.*)", line) for line in lines]
    return [f"{each[1]}: {each[2]}" for each in found if each]


DOUBTED = (
    "ỦY BAN NHÂN DÂN\nTỈNH NGHỆ AN\nSố: 9/KH-UBND\nNghệ An, ngày 05 tháng 4 năm 2021\nKẾ HOẠCH\nCÔNG TÁC NĂM 2021\n"
    "IV. TỔ CHỨC THỰC HIỆN\n1. Sở Y tế\n- Báo cáo trước ngày 31/11 hằng năm.\n"
    "2. Tuần tra thường xuyên (Công an tỉnh chủ trì).\n"
)
_DIRECTORY = load_directory(DIRECTORY)
_DRAFT = draft_of(read_document(TEXT, "188.txt", directory=_DIRECTORY), _DIRECTORY)


def store_draft(desk: Office) -> str:
    with desk.context.database.write() as session:
        draft_id = make_draft(session, _DRAFT.model_copy(deep=True), actor="desk", now=desk.clock.now)
    return f"/plans/drafts/{draft_id}"


@pytest.fixture
def review(desk: Office) -> str:
    """The review of plan 188 as it first comes."""
    return store_draft(desk)


def test_the_review_shows_whole_duties_and_what_became_of_each_paragraph(desk: Office) -> None:
    path = begun(desk, TEXT.read_bytes())
    pages = every_page(desk, path)
    duties = select(pages, ".found")
    assert len(duties) == 28
    assert [each.select_one(".what").get_text(strip=True) for each in duties] == [each.text for each in _DRAFT.duties]  # type: ignore[union-attr]
    assert len(select(pages, ".par")) == len(_DRAFT.document)
    assert any("→ IV.1.1" in " ".join(each.get_text().split()) for each in select(pages, ".par"))
    assert "dòng 11" in select(pages, 'label[for="number"]')[0].get_text()
    assert [each.get_text() for each in select(pages[:1], ".doubts li > b")] == [
        "1 nhiệm vụ",
        "IV.6.1",
        "IV.14",
    ]
    assert "6 tháng, 01 năm" in select([desk.get(f"{path}/duties/{_DRAFT.duties[0].key}")], ".times")[0].get_text()
    asked = next(each.duty.key for each in _DRAFT.places() if each.citation == "IV.12.1")
    assert select([desk.get(f"{path}/duties/{asked}")], "[name=request]")[0].has_attr("checked")


def test_closing_the_browser_loses_nothing_and_each_correction_is_one_event(desk: Office, review: str) -> None:
    key = _DRAFT.duties[1].key
    assert correct_duty(desk, review, key, text="Đã sửa.", due="15").headers["location"].endswith(f"#d{key}")
    correct(desk, review, f"drop:{_DRAFT.duties[2].key}")
    correct(desk, review, sms_name="KHX")
    desk.client.cookies.clear()
    page = desk.get(f"{review}/duties/{key}").text
    assert dict(fields(page, "main form"))["text"] == "Đã sửa."
    assert dict(fields(desk.get(review).text))["sms_name"] == "KHX"
    events = rows(desk.context.database, Event, kind=EventKind.PLAN_DRAFT_CORRECTED)
    assert [each.detail["what"] for each in events] == ["draft_duty", "draft_drop", "draft_head"]
    assert "Đã sửa" not in str([each.detail for each in events]), "an event says what was done, not the words"


def test_a_second_reader_changes_nothing_that_was_not_touched(desk: Office, review: str) -> None:
    stale, keys = fields(desk.get(review).text), [each.key for each in _DRAFT.duties]
    correct_duty(desk, review, keys[0], text="Một.\n\nHai.")
    correct(desk, review, title="Tên đã sửa")
    assert send(desk, review, changed(stale, sms_name="KHX"), f"drop:{keys[3]}").status_code == 303
    head = dict(fields(desk.get(review).text))
    assert (head["title"], head["sms_name"]) == ("Tên đã sửa", "KHX")
    state = row(desk.context.database, PlanDraft).state
    duties = [duty for section in state["sections"] for item in section["items"] for duty in item["duties"]]
    assert [duty["text"] for duty in duties[:2]] == ["Một.", "Hai."]
    assert [duty["key"] for duty in duties if duty["dropped"]] == [keys[3]]


def test_two_who_correct_the_same_field_are_told_and_both_texts_are_there(desk: Office, review: str) -> None:
    stale = fields(desk.get(review).text)
    correct(desk, review, title="Tên thứ nhất")
    answer = send(desk, review, changed(stale, title="Tên thứ hai"), "keep")
    assert answer.status_code == 409
    assert dict(fields(answer.text))["title"] == "Tên thứ hai"
    assert dict(fields(answer.text))["was.title"] == "Tên thứ nhất"
    key = _DRAFT.duties[0].key
    duty = f"{review}/duties/{key}"
    old = fields(desk.get(duty).text, f'form[action="{duty}"]')
    correct_duty(desk, review, key, text="Một.")
    again = send(desk, duty, changed(old, text="Hai."), "save")
    assert again.status_code == 409
    assert dict(fields(again.text, "main form"))["text"] == "Hai."
    replaced = send(desk, duty, fields(again.text, f'form[action="{duty}"]'), "save")
    assert replaced.status_code == 303
    assert dict(fields(desk.get(duty).text, "main form"))["text"] == "Hai."


def test_turning_the_page_keeps_what_was_typed(desk: Office, review: str) -> None:
    key = _DRAFT.duties[0].key
    for do, where in (("page:2", "?page=2"), (f"duty:{key}", f"/duties/{key}"), ("line:26", "/lines/26")):
        turned = correct(desk, review, do, sms_name=f"K{len(do)}")
        assert turned.headers["location"] == review + where
        assert desk.get(review + where).status_code == 200
        assert dict(fields(desk.get(review).text))["sms_name"] == f"K{len(do)}"


def test_drafts_are_listed_with_who_and_how_far_and_one_that_is_saved_is_done_with(desk: Office, review: str) -> None:
    listed = select([desk.get("/plans/import")], "#drafts ~ ul li, section[aria-labelledby=drafts] li")
    words = " ".join(listed[0].get_text().split())
    assert "188/KH-UBND" in words
    assert "28 nhiệm vụ; còn 4 chỗ cần xem" in words
    assert "bộ phận theo dõi" in words
    saved = correct(desk, review, "save")
    plan = row(desk.context.database, Plan)
    assert saved.headers["location"] == f"/plans/{plan.id}?said=loaded"
    assert rows(desk.context.database, PlanDraft) == []
    assert desk.get(review).status_code == 404
    (ended,) = rows(desk.context.database, Event, kind=EventKind.PLAN_DRAFT_ENDED)
    assert (ended.plan_id, ended.detail["what"]) == (plan.id, "draft_saved")


def test_a_draft_is_discarded_and_an_unused_one_goes_after_half_a_year(desk: Office, review: str) -> None:
    assert correct(desk, review, "discard").headers["location"] == "/plans/import?said=discarded"
    other = store_draft(desk)
    with desk.context.database.write() as session:
        assert delete_expired(session, desk.clock.now + timedelta(days=179))["plan_drafts"] == 0
    assert desk.get(other).status_code == 200
    with desk.context.database.write() as session:
        assert delete_expired(session, desk.clock.now + timedelta(days=181))["plan_drafts"] == 1
    assert desk.get(other).status_code == 404
    said = [each.detail["what"] for each in rows(desk.context.database, Event, kind=EventKind.PLAN_DRAFT_ENDED)]
    assert said == ["draft_discarded", "draft_expired"]


def test_lines_left_out_stand_in_their_place_and_one_tap_makes_a_duty(desk: Office, review: str) -> None:
    shown = select(every_page(desk, review), ".par")
    line = next(each for each in shown if "Các cơ quan truyền thông của tỉnh" in each.get_text())
    n = str(line["id"]).removeprefix("p")
    nobody = paragraph_with(desk, review, "Tăng cường sự đồng thuận")
    assert correct(desk, review, f"take:{nobody}-{nobody}").status_code == 400, "nobody is named"
    form = f"{review}/lines/{n}"
    send(desk, review, changed(fields(desk.get(form).text, "main form"), owners="Báo Nghệ An"), f"take:{n}-{n}")
    section = saved_file(desk, review)["sections"][-1]
    assert (section["roman"], section["items"][0]["owners"]) == ("II", ["bao-nghe-an"])
    assert section["items"][0]["duties"][0]["text"].startswith("Các cơ quan truyền thông của tỉnh")


DATED = (
    "ỦY BAN NHÂN DÂN\nTỈNH NGHỆ AN\nSố: 9/KH-UBND\nNghệ An, ngày 05 tháng 4 năm 2021\nKẾ HOẠCH\nCÔNG TÁC NĂM 2021\n"
    "I. MỤC TIÊU\n1. Nâng cao nhận thức của người dân.\n2. Khám cho 100% học sinh trước ngày 16/6/2021.\n"
    "3. Giảm số vụ vi phạm.\n4. Bảo đảm việc tuần tra, có báo cáo trước ngày 15 hằng tháng.\n"
    "IV. TỔ CHỨC THỰC HIỆN\n1. Sở Y tế\n- Khám bệnh trước ngày 30/6/2021.\n2. Công an tỉnh\n- Tuần tra.\n"
)


def paragraph_with(desk: Office, path: str, words: str) -> str:
    """The number of the paragraph that has some words."""
    shown = select(every_page(desk, path), ".par")
    return next(str(each["id"]).removeprefix("p") for each in shown if words in each.get_text())


def take(desk: Office, path: str, line: str, owner: str) -> None:
    typed = fields(desk.get(f"{path}/lines/{line}").text, f'form[action="{path}"]')
    assert send(desk, path, changed(typed, owners=owner), f"take:{line}-{line}").status_code == 303


def test_a_line_left_out_that_is_taken_keeps_the_day_that_its_words_name(desk: Office) -> None:
    path = begun(desk, DATED.encode())
    take(desk, path, paragraph_with(desk, path, "trước ngày 16/6/2021"), "Sở Y tế")
    take(desk, path, paragraph_with(desk, path, "trước ngày 15 hằng tháng"), "Công an tỉnh")
    file = saved_file(desk, path, short_title="Kế hoạch 9", sms_name="KH9", supervisor="Sở Y tế")
    once, monthly = (item["duties"][0] for item in file["sections"][-1]["items"])
    assert (once["cadence"], monthly["cadence"]) == (["once"], ["month"])
    first, second = (file["report_rules"][duty["rule"]] for duty in (once, monthly))
    assert (str(first["on"]), first["wording"], first["source"]) == ("2021-06-15", "trước ngày 16/6/2021", "plan")
    assert (second["due_day"], second["wording"]) == (14, "trước ngày 15 hằng tháng")


def test_a_lead_in_that_names_a_body_and_what_it_does_is_marked_and_taken_at_one_tap(desk: Office) -> None:
    led = "1. Sở Y tế chủ trì, phối hợp với các đơn vị thực hiện các nhiệm vụ sau:\n"
    path = begun(desk, DATED.replace("1. Sở Y tế\n", led).encode())
    (line,) = [each for each in select(every_page(desk, path), ".par.serious") if "phối hợp" in each.get_text()]
    assert "câu dẫn nêu cơ quan và việc" in line.get_text()
    (button,) = line.select("button[value^='take:']")
    assert "Lấy làm nhiệm vụ của Sở Y tế" in " ".join(button.get_text().split())
    assert correct(desk, path, str(button["value"])).status_code == 303
    assert not [each for each in select(every_page(desk, path), ".par.serious") if "phối hợp" in each.get_text()]


def test_the_line_of_the_plan_has_no_comma_for_what_the_document_does_not_say(desk: Office) -> None:
    document = "CHỈ THỊ\nVỀ CHỢ\nThủ tướng Chính phủ yêu cầu các bộ, ngành:\n1. Rà soát chợ.\n2. Báo cáo kết quả.\n"
    (line,) = select([desk.get(begun(desk, document.encode()))], "details.plan-fields summary span")
    assert line.text == "Thủ tướng Chính phủ"


def test_the_issuer_is_asked_among_the_unknown_bodies_and_can_be_created_there(desk: Office) -> None:
    body = DATED.replace("ỦY BAN NHÂN DÂN\nTỈNH NGHỆ AN\n", "BAN CHỈ ĐẠO PHÒNG DỊCH\n").encode()
    path = begun(desk, body)
    asked = select([desk.get(path)], "fieldset.body")
    assert "cơ quan ban hành" in asked[0].get_text()
    name = str(asked[0]["id"])
    file = saved_file(
        desk, path, **{name: "+", "short_title": "Kế hoạch 9", "sms_name": "KH9", "supervisor": "Sở Y tế"}
    )
    assert file["issuer"] == "ban-chi-dao-phong-dich"
    assert desk.get("/admin/agencies/ban-chi-dao-phong-dich").status_code == 200


def test_a_number_that_became_no_duty_is_not_said_to_be_missing(desk: Office) -> None:
    told = "2. Căn cứ Kế hoạch này, các sở, ngành xây dựng kế hoạch của mình.\n"
    body = DATED.replace("2. Công an tỉnh\n", f"{told}3. Công an tỉnh\n")
    pages = every_page(desk, begun(desk, body.encode()))
    assert "văn bản không có số này" not in "".join(page.text for page in pages)
    shown = [each for each in select(pages, ".par.serious") if "yêu cầu chung" in each.get_text()]
    assert "Căn cứ Kế hoạch này" in shown[0].get_text()
    gap = every_page(desk, begun(desk, body.replace(told, "").encode()))
    assert [each["id"] for each in select(gap, "p.note[id]") if "không có số này" in each.get_text()] == ["IV.2"]


def test_duties_without_words_about_time_have_one_choice_for_all(desk: Office) -> None:
    alone = saved_file(desk, store_draft(desk))
    assert alone["sections"][0]["items"][6]["duties"][0]["cadence"] == ["ad_hoc"]
    both = saved_file(desk, store_draft(desk), undated="half_year year")
    assert both["sections"][0]["items"][6]["duties"][0]["cadence"] == ["half_year", "year"]
    assert both["sections"][1]["items"][0]["duties"][0]["cadence"] == ["half_year", "year", "ad_hoc"]


ELSEWHERE = (
    "ỦY BAN NHÂN DÂN\nTỈNH AN LẠC\nSố: 9/KH-UBND\nAn Lạc, ngày 05 tháng 4 năm 2021\nKẾ HOẠCH\nCÔNG TÁC NĂM 2021\n"
    "IV. TỔ CHỨC THỰC HIỆN\n1. Sở Y tế\n- Khám bệnh trước ngày 30/6/2021.\n2. Trung tâm Cứu hộ\n- Trực cứu hộ.\n"
)
HERE = ELSEWHERE.replace("TỈNH AN LẠC", "TỈNH NGHỆ AN").encode()
NINE = {"issuer": "UBND tỉnh", "supervisor": "Sở Y tế", "short_title": "Kế hoạch 9", "sms_name": "KH9"}


def test_a_plan_of_another_province_says_so_first_and_matches_nobody(desk: Office) -> None:
    page = desk.get(begun(desk, ELSEWHERE.encode()))
    assert "danh bạ đang dùng là của Nghệ An" in select([page], "[role=alert]")[0].get_text()
    asked = select([page], "fieldset.body")
    bodies = {each.legend.get_text(" ", strip=True).partition(" 1 ")[0]: each for each in asked}  # type: ignore[union-attr]
    assert {"Sở Y tế", "Trung tâm Cứu hộ"} <= set(bodies)
    assert "Sở Y tế" in [each["value"] for each in bodies["Sở Y tế"].select("input[type=radio]")]


def own_province(name: str) -> bytes:
    """A labelled text of the second set, as a plan of the directory's own province."""
    sample = next(each for each in samples(TEXT.parent / "import/kinds/second.yaml") if each.name == name)
    return sample.raw.decode().replace("AN LẠC", "NGHỆ AN").replace("An Lạc", "Nghệ An").encode()


OWN = {"epidemic": 26, "traffic": 25, "poverty": 25}  # duties


@pytest.mark.parametrize(
    "name",
    ["188", "traffic-year", "land-fund", "epidemic", "digital-year", "traffic", "poverty"],
)
def test_a_document_becomes_a_loaded_plan_in_at_most_five_edits(desk: Office, name: str) -> None:
    """Edits are what a person changes in the form: a choice for an unknown body, a field that is wrong."""
    path = TEXT.parent / "import" / "own" / f"{name}.txt"
    raw = TEXT.read_bytes() if name == "188" else path.read_bytes() if name in OWN else own_province(name)
    review, choices = begun(desk, raw), {}
    for body in select([desk.get(review)], "fieldset.body"):
        if not body.select("input[value][checked]:not([value=''])"):
            offered = [str(each["value"]) for each in body.select("input[type=radio]") if each["value"]]
            choices[str(body["id"])] = "+" if "+" in offered else offered[0]
    file = saved_file(desk, review, **choices)
    assert len(choices) <= 5
    duties = sum(len(item["duties"]) for each in file["sections"] for item in each["items"])
    assert duties == OWN[name] if name in OWN else duties
    assert len(choices) <= 1 or name not in OWN


def test_an_unknown_body_is_chosen_once_or_added_to_the_directory(desk: Office) -> None:
    path = begun(desk, HERE)
    assert correct(desk, path, "save", **NINE).status_code == 422
    file = saved_file(desk, path, **{"name[0]": "+"})
    assert file["sections"][0]["items"][1]["owners"] == ["trung-tam-cuu-ho"]
    assert "/admin/agencies/trung-tam-cuu-ho" in desk.get("/admin/agencies?q=Trung tâm Cứu hộ").text


def test_a_spelling_that_was_chosen_is_kept_in_the_directory_where_somebody_asks_for_it(desk: Office) -> None:
    path = begun(desk, HERE)
    correct(desk, path, **NINE, **{"name[0]": "=", "name[0].as": "Công an tỉnh"})
    assert ("name[0]", "Công an tỉnh") in fields(desk.get(path).text), "it is shown among the choices"
    file = saved_file(desk, path, remember="1")
    assert file["sections"][0]["items"][1]["owners"] == ["cong-an-tinh"]
    assert "Trung tâm Cứu hộ" in desk.get("/admin/agencies/cong-an-tinh/aliases").text
    again = begun(desk, HERE.replace("Số: 9".encode(), "Số: 10".encode()))
    assert select([desk.get(again)], "fieldset.body") == [], "the next document that writes so is matched"


def test_without_being_asked_nothing_is_kept_in_the_directory(desk: Office) -> None:
    saved_file(desk, begun(desk, HERE), **NINE, **{"name[0]": "Công an tỉnh"})
    assert len(select([desk.get(begun(desk, HERE))], "fieldset.body")) == 1


def test_likeness_weighs_whole_words(desk: Office) -> None:
    raw = HERE.replace("Trung tâm Cứu hộ".encode(), "Hiệp hội Doanh nghiệp tỉnh".encode())
    (body,) = select([desk.get(begun(desk, raw))], "fieldset.body")
    offered = {str(each["value"]) for each in body.select("input[type=radio]")}
    assert offered == {"+", "=", ""}, "«Hội Nông dân» is not like it"


LONG = sorted((TEXT.parent / "import").rglob("*.txt"), key=lambda each: -each.stat().st_size)[:3]


@pytest.mark.parametrize("file", [TEXT, *LONG], ids=lambda file: file.name)
def test_no_page_of_the_review_is_over_50_kb(desk: Office, file: Path) -> None:
    path = begun(desk, file.read_bytes(), file.name)
    pages = every_page(desk, path)
    assert max(len(page.content) for page in pages) < 50_000
    longest = max(select(pages, ".found"), key=lambda each: len(each.get_text()))
    assert len(desk.get(f"{path}/duties/{str(longest['id'])[1:]}").content) < 50_000


def test_what_is_saved_unchanged_has_every_item_and_duty_and_waits(desk: Office, review: str) -> None:
    answer = correct(desk, review, "save")
    plan = row(desk.context.database, Plan)
    assert answer.headers["location"] == f"/plans/{plan.id}?said=loaded"
    assert plan.state is PlanState.LOADED
    assert [len(section["items"]) for section in plan.file["sections"]] == [15, 2]
    assert [gap["citation"] for gap in plan.file["gaps"]] == ["IV.14"]
    assert happened(desk.context.database, plan_id=plan.id) == ["plan_loaded", "plan_draft_ended"]


def test_reading_twice_and_saving_twice_is_one_plan(desk: Office) -> None:
    first, second = (correct(desk, store_draft(desk), "save") for _ in range(2))
    assert first.headers["location"] == second.headers["location"]
    assert len(rows(desk.context.database, Plan)) == 1


def duty_key(item: int, duty: int = 0) -> int:
    return _DRAFT.sections[0].items[item].duties[duty].key


def test_corrections_reach_the_plan(desk: Office, review: str) -> None:
    correct_duty(desk, review, duty_key(9), owners=["Sở Văn hoá và Thể thao", "UBND TP Vinh"])
    correct_duty(
        desk,
        review,
        duty_key(1),
        text="Một.\n\nHai.",
        due="15",
        wording="trước ngày 16",
        cadence=["quarter"],
        coordinating="Sở Y tế; Công an tỉnh",
    )
    correct(desk, review, f"drop:{duty_key(6)}")
    file = saved_file(desk, review, supervisor="UBND tỉnh", due_day="20")
    items = {item["no"]: item for item in file["sections"][0]["items"]}
    assert items[10]["owners"] == ["so-van-hoa-the-thao", "ubnd-tp-vinh"]
    assert [duty["citation"] for duty in items[2]["duties"]] == [f"IV.2.{n}" for n in range(1, 6)]
    assert [duty["text"] for duty in items[2]["duties"][:2]] == ["Một.", "Hai."]
    rule = file["report_rules"][items[2]["duties"][1]["rule"]]
    assert (rule["due_day"], rule["wording"], rule["source"], rule["to"]) == (15, "trước ngày 16", "plan", "ubnd-tinh")
    assert items[2]["duties"][0]["coordinating"] == ["so-y-te", "cong-an-tinh"]
    assert 7 not in items
    assert file["report_rules"]["mac-dinh"]["due_day"] == 20


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("number", "188", "viết sai dạng"),
        ("issued_on", "hôm qua", "Không đọc được ngày"),
        ("year", "27", "năm viết như 2027"),
        ("year", "2024", "không phải năm ban hành (2021-04-07) hay năm sau đó"),
        ("short_title", "Kế hoạch phòng, chống mại dâm", "có từ ngữ nhạy cảm của lĩnh vực"),
        ("sms_name", "Kế hoạch 188", "viết sai dạng"),
        ("supervisor", "Sở Không Có", "danh bạ không có"),
        ("issuer", "", "để trống"),
    ],
)
def test_a_mistake_is_said_beside_its_field_and_what_was_typed_stays(
    desk: Office, review: str, name: str, value: str, said: str
) -> None:
    answer = correct(desk, review, "save", **{name: value})
    assert answer.status_code == 422
    assert said in BeautifulSoup(answer.text, "lxml").find(id=f"{name}-said").get_text()  # type: ignore[union-attr]
    assert dict(fields(answer.text))[name] == value
    assert dict(fields(desk.get(review).text))[name] == value
    assert rows(desk.context.database, Plan) == []


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("owners", "Sở Bịa Đặt", "danh bạ không có «Sở Bịa Đặt»"),
        ("owners", "", "chưa có cơ quan chủ trì"),
        ("text", " ", "để trống"),
        ("cadence", "", "chưa chọn chu kỳ"),
        ("due", "31/2/2021", "Không đọc được ngày"),
        ("due", "45", "15, 30; thứ Sáu"),
    ],
)
def test_a_mistake_of_a_duty_is_said_beside_its_field_and_in_the_list_of_all(
    desk: Office, review: str, name: str, value: str, said: str
) -> None:
    key = duty_key(2)
    kept = correct_duty(desk, review, key, **{name: value})
    assert kept.status_code == 303
    form = BeautifulSoup(desk.get(f"{review}/duties/{key}").text, "lxml")
    assert said in form.find(id=f"{name}-said").get_text()  # type: ignore[union-attr]
    answer = correct(desk, review, "save")
    assert answer.status_code == 422
    listed = BeautifulSoup(answer.text, "lxml").select("#problems a")
    assert any(said in each.get_text() and str(each["href"]).endswith(f"/duties/{key}") for each in listed)
    assert rows(desk.context.database, Plan) == []


@pytest.mark.parametrize(
    ("due", "wording", "cadence", "said"),
    [
        ("9", "trước ngày 10 của tháng cuối quý", ["quarter"], {"due_day": 9, "in_last_month": True}),
        ("9", "trước ngày 10/6 và 10/12", ["half_year", "year"], {"due_on": ["09/6", "09/12"]}),
        ("9", "trước ngày 10 hằng tháng", ["month"], {"due_day": 9}),
        ("9", "", ["quarter"], {"due_day": 9}),
        ("20 tháng sau", "", ["quarter"], {"due_day": 20, "in_next_month": True}),
        ("29/11", "", ["year"], {"due_on": ["29/11"]}),
        ("15, 30", "", ["half_month"], {"due_days": [15, 30]}),
        ("thứ Sáu", "", ["week"], {"weekday": "friday"}),
        ("", "hằng quý", ["quarter"], {"ask_day": True}),
        ("31.1.2022", "", ["once"], {"on": date(2022, 1, 31)}),
    ],
)
def test_days_are_typed_in_the_review_as_people_type_them(
    desk: Office, review: str, due: str, wording: str, cadence: list[str], said: dict[str, object]
) -> None:
    correct_duty(desk, review, duty_key(1), due=due, wording=wording, cadence=cadence)
    file = PlanFile.model_validate(saved_file(desk, review))
    rule = file.rule_of(file.sections[0].items[1].duties[0])
    asked = rule.model_dump(exclude_defaults=True, exclude={"source", "basis", "to", "wording"}, mode="python")
    assert {name: list(value) if isinstance(value, tuple) else value for name, value in asked.items()} == said


def test_the_common_day_is_one_of_the_periods_last_month_as_the_form_says(desk: Office, review: str) -> None:
    rule = saved_file(desk, review, due_day="10")["report_rules"]["mac-dinh"]
    assert (rule["due_day"], rule["in_last_month"]) == (10, True)
    assert rule["basis"].endswith("ngày 10 của tháng cuối kỳ")


def test_the_year_of_a_plan_is_shown_and_may_be_another_than_that_of_its_issue(desk: Office, review: str) -> None:
    assert dict(fields(desk.get(review).text))["year"] == "2021"
    saved_file(desk, review, year="2022", issued_on="20/11/2021")
    plan = row(desk.context.database, Plan)
    assert (plan.year, plan.issued_on.year, plan.file["year"]) == (2022, 2021, 2022)


def test_a_programme_is_of_several_years(desk: Office, review: str) -> None:
    saved_file(desk, review, year="2021 - 2025")
    plan = row(desk.context.database, Plan)
    assert (plan.year, plan.file["last_year"]) == (2021, 2025)
    answer = correct(desk, store_draft(desk), "save", year="2021-2020", number="189/KH-UBND")
    beside = BeautifulSoup(answer.text, "lxml").find(id="year-said")
    assert "năm cuối 2020 không phải năm sau 2021" in beside.get_text()  # type: ignore[union-attr]


def test_a_mistake_after_a_dropped_duty_still_stands_beside_its_own_field(desk: Office, review: str) -> None:
    key = duty_key(4, 1)
    correct(desk, review, f"drop:{duty_key(1)}")
    correct_duty(desk, review, key, cadence="once")
    answer = correct(desk, review, "save")
    (found,) = BeautifulSoup(answer.text, "lxml").select("#problems a")
    assert "không có ngày cho việc làm một lần" in found.get_text()
    assert str(found["href"]).endswith(f"/duties/{key}")


def test_a_plan_that_runs_already_is_not_replaced_and_the_draft_stays(desk: Office, review: str) -> None:
    number = correct(desk, review, "save").headers["location"].partition("?")[0].rpartition("/")[2]
    desk.post(f"/plans/{number}/activate", page=f"/plans/{number}/activate", **{"day-hoi-ngay-half-year-year": "17"})
    other = store_draft(desk)
    answer = correct(desk, other, "save", title="Tên khác")
    assert answer.status_code == 409
    assert "đang thực hiện nên không thay bằng tệp khác được" in answer.text
    assert dict(fields(desk.get(other).text))["title"] == "Tên khác"
    assert f'href="/plans/{number}"' in desk.get("/plans/import").text, "the list says that such a plan is stored"


def test_the_draft_is_given_as_a_file_and_no_plan_is_stored(desk: Office, review: str) -> None:
    answer = desk.get(f"{review}/file.yaml")
    assert answer.headers["content-disposition"] == 'attachment; filename="188-kh-ubnd.yaml"'
    assert "schema: dondoc/plan@1" in answer.text.splitlines()
    read(answer.text, PlanFile, also=lambda plan: directory_mistakes(plan, load_directory(DIRECTORY)))
    assert rows(desk.context.database, Plan) == []


def test_the_file_of_a_review_marks_what_nobody_has_settled_yet(desk: Office) -> None:
    path = begun(desk, DOUBTED.encode(), "plan.txt")
    before = marked(desk, path)
    assert before == [
        "short_title: tên trung tính, không có chữ của lĩnh vực",
        "sms_name: nhiều nhất 11 ký tự không dấu",
        "supervisor: cơ quan theo dõi, đôn đốc; đoán theo nơi nhận báo cáo",
        "hoi-ngay-year: ghi due_day ở đây, hoặc để hỏi khi kích hoạt",
        "cadence: ngày không có thật",
        "owners: cơ quan đọc trong câu, ở trong ngoặc",
        "cadence: văn bản không nêu thời hạn: không báo cáo riêng",
    ]
    correct(desk, path, "sure:bracket", sms_name="KH09", due_day="20", undated="quarter")
    correct(desk, path, "times:1")
    assert marked(desk, path) == [before[0], before[2]]
    assert 'basis: "Đặt khi soát văn bản: ngày 20 của tháng cuối kỳ"' in desk.get(f"{path}/file.yaml").text


def test_a_draft_of_the_version_before_its_doubts_were_kept_opens_and_is_saved(desk: Office) -> None:
    state = json.loads((DATA / "upgrade/plan-draft.json").read_text(encoding="utf-8"))
    now = desk.clock.now
    with desk.context.database.write() as session:
        made = {"made_at": now, "made_by": "desk", "changed_at": now, "changed_by": "desk"}
        stored = PlanDraft(name="plan.txt", number="9/KH-UBND", state=state, duties=3, to_settle=0, **made)
        session.add(stored)
        session.flush()
        path = f"/plans/drafts/{stored.id}"
    assert "trước 30/11" in desk.get(path).text
    assert "năm của ngày ban hành" not in desk.get(f"{path}/file.yaml").text
    file = saved_file(desk, path)
    assert [section["roman"] for section in file["sections"]] == ["IV"]


def test_an_unfinished_draft_is_given_too_with_what_is_wrong_at_its_head(desk: Office, review: str) -> None:
    key = duty_key(2)
    correct_duty(desk, review, key, owners="Sở Bịa Đặt")
    answer = desk.get(f"{review}/file.yaml")
    assert answer.status_code == 200
    assert answer.text.startswith(f"# CÒN SỬA / TO FIX: duty.{key}.owners: danh bạ không có «Sở Bịa Đặt»")
    with pytest.raises(FileRefused):
        read(answer.text, PlanFile, also=lambda plan: directory_mistakes(plan, load_directory(DIRECTORY)))


def test_pasted_text_is_read_like_a_file(desk: Office) -> None:
    data = {"token": desk.token("/plans/import"), "text": TEXT.read_text()}
    path = str(desk.client.post("/plans/import", data=data).headers["location"])
    assert len(select(every_page(desk, path), ".found")) == 28


def bomb() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr("word/document.xml", b"<a>" + b" " * LIMITS.unpacked_bytes)
    return out.getvalue()


@pytest.mark.parametrize(
    ("raw", "name"),
    [
        (b"", "empty.txt"),
        ("Chào bạn, thư này không giao việc.".encode(), "<img src=x onerror=alert(1)>.txt"),
        (b"\x89PNG\r\n\x1a\n" + bytes(range(256)), "scan.png"),
        (b"PK\x03\x04 not a zip", "broken.docx"),
        (b"%PDF-1.7 nothing", "broken.pdf"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, "old.doc"),
        (bytes(range(256)) * 8, "noise"),
    ],
)
def test_what_is_no_plan_brings_the_form_back_with_a_reason(desk: Office, raw: bytes, name: str) -> None:
    answer = upload(desk, raw, name)
    page = BeautifulSoup(answer.text, "lxml")
    assert 400 <= answer.status_code < 500
    assert page.select_one(".wrong").get_text().strip()  # type: ignore[union-attr]
    assert page.select_one("input[type=file]")
    assert "<img" not in answer.text


def test_a_zip_bomb_is_refused_in_words(desk: Office) -> None:
    answer = upload(desk, bomb(), "bomb.docx")
    assert answer.status_code == 400
    assert "bomb.docx" in answer.text


def test_deeply_nested_xml_is_refused_in_words_and_the_server_goes_on(desk: Office) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("word/document.xml", "<a>" * 200_000 + "</a>" * 200_000)
    assert upload(desk, out.getvalue(), "deep.docx").status_code == 400
    assert upload(desk, TEXT.read_bytes()).status_code == 303


def test_a_huge_file_is_refused_before_it_is_read(desk: Office) -> None:
    headers = {"content-length": str(200_000_000), "content-type": "multipart/form-data; boundary=x"}
    answer = desk.client.post("/plans/import", content=b"--x--", headers=headers)
    assert answer.status_code == 413
    assert "26 MB" in answer.text


@pytest.mark.parametrize(
    "do", ["", "look", "part:", "part:1:x", "drop:x", "take:9", "sure:", "section:", "join:0", "times:9-9"]
)
def test_a_button_that_means_nothing_changes_nothing(desk: Office, review: str, do: str) -> None:
    before = everything(desk.context.database)
    assert correct(desk, review, do).status_code in (303, 400)
    assert everything(desk.context.database) == before


@pytest.mark.parametrize("place", ["duties/999", "lines/0", "lines/9999", "names/0", "../999"])
def test_a_place_that_a_draft_does_not_have_is_not_found(desk: Office, review: str, place: str) -> None:
    assert desk.get(f"{review}/{place}").status_code == 404


def test_the_year_ahead_is_shown_by_week_and_person(sqlite_database: Database, tmp_path: Path) -> None:
    laid = store(sqlite_database, now=at("2021-04-07"))
    desk = open_office(
        sqlite_database, tmp_path, now=at("2021-04-07", "10:00"), simulate=cached_simulation(sqlite_database)
    )
    page = BeautifulSoup(desk.get(f"/plans/{laid.plan_id}/simulate?scenario=late&until=2021-06-18").text, "lxml")
    heat = page.select("table.heat tbody tr")
    figures = [int(each.get_text()) for line in heat for each in line.select("td[class^=h]")]
    sums = [int(line.select("td.num")[0].get_text()) for line in heat]
    assert sum(figures) == sum(sums) > 20
    assert f"{sum(sums)} thư" in page.select_one(".lead").get_text()  # type: ignore[union-attr]
    assert "ngày 20/6/2021 là Chủ nhật, hạn chuyển sang thứ Hai, 21/6/2021" in page.get_text()


@pytest.mark.parametrize("dates", ["from=2021-06-01&until=2021-05-01", "from=2021-01-01&until=2024-01-01", "from=x"])
def test_days_that_make_no_year_are_said_and_the_form_stays(
    sqlite_database: Database, tmp_path: Path, dates: str
) -> None:
    laid = store(sqlite_database, now=at("2021-04-07"))
    desk = open_office(sqlite_database, tmp_path, simulate=cached_simulation(sqlite_database))
    answer = desk.get(f"/plans/{laid.plan_id}/simulate?{dates}")
    assert answer.status_code == 400
    assert 'role="alert"' in answer.text
    assert 'name="until"' in answer.text


def test_activation_asks_in_figures_and_an_old_plan_warns(sqlite_database: Database, tmp_path: Path) -> None:
    laid = store(sqlite_database, now=at("2021-04-07"))
    soon = open_office(sqlite_database, tmp_path, now=at("2021-04-07", "10:00"), smtp_host="relay.example")
    alone = open_office(sqlite_database, tmp_path, now=at("2021-04-07", "10:00"))
    late = open_office(sqlite_database, tmp_path, now=at("2022-03-01", "10:00"))
    path = f"/plans/{laid.plan_id}/activate"
    asked = " ".join(soon.get(path).text.split())
    assert "Gửi 5 thư cho 5 người và bắt đầu nhắc theo lịch?" in asked
    assert "Kế hoạch của năm 2021: kỳ đầu 6 tháng đầu năm 2021, kỳ cuối năm 2021" in asked
    kept = "Để lại trên máy chủ 5 thư cho 5 người, chưa gửi, và bắt đầu nhắc theo lịch?"
    assert kept in " ".join(alone.get(path).text.split())
    assert "Chưa đặt máy chủ thư đi" in alone.get(path).text
    assert "thuộc kỳ đã qua hạn trước hôm nay" in late.get(path).text
    assert row(sqlite_database, Plan).state is PlanState.LOADED
    assert soon.post(path, page=path).headers["location"] == f"/plans/{laid.plan_id}?said=activated"
    assert row(sqlite_database, Plan).state is PlanState.ACTIVE
    assert soon.get(path).status_code == 303


SET = sorted(each for each in (TEXT.parent / "import").rglob("*") if each.suffix in (".txt", ".html"))


@pytest.mark.parametrize("folder", sorted({each.parent for each in SET}), ids=lambda folder: folder.name)
def test_every_labelled_text_comes_to_a_draft_whose_mistakes_stand_beside_their_fields(folder: Path) -> None:
    directory = load_directory(DIRECTORY)
    for file in (each for each in SET if each.parent == folder):
        try:
            draft = draft_of(read_document(file, file.name, directory=directory), directory)
        except BadInput:
            continue
        out = reviewed(draft, directory)
        checked(out, directory)
        places = {f"duty.{each.key}" for each in draft.duties} | {"head"}
        assert {name for name in out.problems if name.rpartition(".")[0] not in places} == set(), file.name
        rows_shown = [each for page in pages_of(draft) for each in page]
        assert [n for row in rows_shown for n in row.paragraphs] == list(range(len(draft.document))), file.name
        assert sorted(p.duty.key for row in rows_shown for p in row.places) == sorted(d.key for d in draft.duties)


def test_the_buttons_of_a_review_part_a_duty_and_join_it_again(desk: Office) -> None:
    body = DATED.replace("- Tuần tra.", "- Tuần tra; trung tâm Cứu hộ Bắc Sơn trực cứu hộ trước ngày 15/8/2021.")
    path = begun(desk, body.encode())
    key = int(str(select([desk.get(path)], ".found")[1]["id"])[1:])
    duty = f"{path}/duties/{key}"
    text = dict(fields(desk.get(duty).text, "main form"))["text"].replace("; t", ". T")
    correct_duty(desk, path, key, text=text)
    (button,) = select([desk.get(duty)], "button[value^='part:']")
    correct_duty(desk, path, key, str(button["value"]))
    shown = select([desk.get(path)], ".found")
    lower = int(str(shown[2]["id"])[1:])
    now = dict(fields(desk.get(f"{path}/duties/{lower}").text, "main form"))
    assert now["text"] == "Trung tâm Cứu hộ Bắc Sơn trực cứu hộ trước ngày 15/8/2021."
    assert now["due"] == "14/8/2021"
    assert "Trung tâm Cứu hộ Bắc Sơn" in select([desk.get(path)], "fieldset.body legend")[0].get_text()
    correct(desk, path, short_title="Kế hoạch 9", sms_name="KH9", supervisor="Sở Y tế")
    joined = correct(desk, path, f"join:{lower}")
    assert joined.headers["location"] == path + "#duties"
    assert dict(fields(desk.get(duty).text, "main form"))["text"].endswith(
        "Tuần tra.\nTrung tâm Cứu hộ Bắc Sơn trực cứu hộ trước ngày 15/8/2021."
    )
    assert select([desk.get(path)], "fieldset.body") == [], "no duty bears the name any more"


def test_the_buttons_of_a_review_take_lines_together_and_drop_a_duty_or_a_section(desk: Office) -> None:
    aims = "II. CHỈ TIÊU\n- Giảm nghèo.\n- Công an tỉnh xử lý 100% vi phạm.\n- Kẻ vạch đường.\n"
    path = begun(desk, DATED.replace("IV. TỔ CHỨC", aims + "IV. TỔ CHỨC", 1).encode())
    first = paragraph_with(desk, path, "Giảm nghèo")
    form = desk.get(f"{path}/lines/{first}")
    (button,) = [each for each in select([form], "button[value^='take:']") if "Lấy cả" in each.get_text()]
    typed = changed(fields(form.text, f'form[action="{path}"]'), owners="Sở Tài chính")
    send(desk, path, typed, str(button["value"]))
    taken = [each for each in select([desk.get(path)], ".found") if each.get_text(strip=True).startswith("II.")]
    assert [each.select_one(".who").get_text(strip=True) for each in taken] == [  # type: ignore[union-attr]
        "Sở Tài chính",
        "Công an tỉnh",
        "Sở Tài chính",
    ]
    (button,) = select([desk.get(path)], "h3 button[value='section:II']")
    assert button.get_text() == "bỏ cả phần"
    correct(desk, path, "section:II")
    assert len(select([desk.get(path)], ".found.dropped")) == 3
    (button,) = select([desk.get(path)], "h3 button[value='section:II']")
    assert button.get_text() == "lấy lại cả phần"
    correct(desk, path, str(taken[0].select_one("button.drop")["value"]))  # type: ignore[index]
    assert len(select([desk.get(path)], ".found.dropped")) == 2


def test_owners_read_in_sentences_are_marked_and_one_button_confirms_all_of_a_kind(desk: Office) -> None:
    body = "IV. TỔ CHỨC THỰC HIỆN\n1. Khám bệnh (Sở Y tế chủ trì).\n2. Sở Tài chính bố trí kinh phí.\n"
    head = "ỦY BAN NHÂN DÂN\nTỈNH NGHỆ AN\nSố: 9/KH-UBND\nNghệ An, ngày 05 tháng 4 năm 2021\nKẾ HOẠCH\nY TẾ 2021\n"
    path = begun(desk, (head + body).encode(), "plan.txt")
    lines = [each.get_text() for each in select([desk.get(path)], ".found")]
    assert ["XÁC NHẬN: cơ quan đọc trong câu" in line for line in lines] == [True, False]
    assert 'value="sure:bracket"' in desk.get(path).text
    assert correct(desk, path, "sure:bracket").headers["location"] == f"{path}#doubts"
    assert "cơ quan đọc trong câu" not in desk.get(path).text


def test_what_is_doubtful_of_a_duty_s_time_stands_beside_it_until_it_is_confirmed_or_changed(desk: Office) -> None:
    body = (
        "IV. TỔ CHỨC THỰC HIỆN\n1. Sở Y tế\n- Báo cáo ngày 05, 15 và 25 hằng tháng.\n- Thống kê 10 ngày/lần.\n"
        "- Kiểm tra thường xuyên.\n2. Sở Tài chính\n- Quyết toán 10 ngày/lần.\n- Tổng kết trước ngày 31/11 hằng năm.\n"
    )
    head = "ỦY BAN NHÂN DÂN\nTỈNH NGHỆ AN\nSố: 9/KH-UBND\nNghệ An, ngày 05 tháng 4 năm 2021\nKẾ HOẠCH\nY TẾ 2021\n"
    path = begun(desk, (head + body).encode(), "plan.txt")

    def asked(address: str = path) -> list[str]:
        return [each.get_text().partition("Đúng")[0].strip() for each in select([desk.get(address)], ".found .doubt")]

    thrice = "XÁC NHẬN: văn bản nêu nhiều ngày báo cáo (05, 15, 25), chưa hỏi theo ngày nào"
    often = "XÁC NHẬN: hệ thống không có chu kỳ như văn bản nêu"
    yearly = "XÁC NHẬN: ngày không có thật"
    assert [each.partition(": nên tách")[0] for each in asked()] == [thrice, often, often, yearly]
    listed = [each.get_text(" ", strip=True) for each in select([desk.get(path)], ".doubts > li")]
    assert any(often in each and "IV.1.2" in each and "IV.2.1" in each for each in listed)
    first, _, _, _, last = (int(str(each["id"])[1:]) for each in select([desk.get(path)], ".found"))
    assert thrice in desk.get(f"{path}/duties/{first}").text
    (button,) = [each for each in select([desk.get(path)], ".doubts button[value^='times:']") if "-0" in each["value"]][
        1:2
    ]
    assert correct(desk, path, str(button["value"])).headers["location"] == f"{path}#doubts"
    assert [each.partition(": nên tách")[0] for each in asked()] == [thrice, yearly]
    assert "there is no such day" in desk.get(f"{path}?lang=en").text
    desk.get(f"{path}?lang=vi")
    assert correct(desk, path, f"times:{first}").headers["location"] == f"{path}#d{first}"
    correct_duty(desk, path, last, cadence=["once"], due="29/11/2021")
    assert asked() == []
    events = rows(desk.context.database, Event, kind=EventKind.PLAN_DRAFT_CORRECTED)
    assert [each.detail["what"] for each in events] == ["draft_times", "draft_times", "draft_duty"]


OPEN_DAYS = (
    "IV. TỔ CHỨC THỰC HIỆN\n1. Sở Y tế\n- Báo cáo trước ngày 30/11 hằng năm.\n"
    "- Gửi kế hoạch trước ngày 20/5/2021 và báo cáo kết quả trước ngày 30/9/2021.\n"
    "- Hoàn thành trước mùa mưa bão.\n- Kiểm tra trước khai giảng.\n- Thống kê hằng quý.\n- Khám bệnh thường xuyên.\n"
)


def test_what_is_sure_is_folded_and_what_is_to_be_looked_at_stands_open(desk: Office) -> None:
    page = every_page(desk, begun(desk, TEXT.read_bytes()))
    folded = {str(each["id"]) for each in select(page, "details .found")}
    asked = {str(each["id"]) for each in select(page, ".found") if each.select_one(".doubt, .pill, .said")}
    assert folded
    assert asked
    assert not folded & asked
    sure = [" ".join(each.get_text(" ").split()) for each in select(page, "details > summary")]
    assert sum(int(found[1]) for each in sure if (found := re.match(r"Đã chắc: (\d+) nhiệm vụ, I?V", each))) == len(
        folded
    )
    assert select(page, "h1")[0].get_text(" ", strip=True).startswith("28 nhiệm vụ, ")


def test_the_review_shows_the_days_that_will_be_asked_for_and_each_doubt_is_answered_at_one_press(desk: Office) -> None:
    head = "ỦY BAN NHÂN DÂN\nTỈNH NGHỆ AN\nSố: 9/KH-UBND\nNghệ An, ngày 05 tháng 4 năm 2021\nKẾ HOẠCH\nY TẾ 2021\n"
    path = begun(desk, (head + OPEN_DAYS).encode(), "plan.txt")

    def asked() -> list[str]:
        return [each.get_text(" ", strip=True) for each in select([desk.get(path)], ".found .when b")]

    assert asked() == [
        "thứ Hai, 29/11/2021",
        "thứ Tư, 19/5/2021",
        "không hỏi báo cáo riêng",
        "không hỏi báo cáo riêng",
        "không nêu ngày: hỏi khi kích hoạt",
        "không hỏi báo cáo riêng",
    ]
    listed = [" ".join(each.get_text(" ").split()) for each in select([desk.get(path)], ".asked-days li")]
    assert listed[0].startswith("“trước ngày 30/11 hằng năm” : 29/11 hằng năm · thứ Hai, 29/11/2021")
    assert "thường xuyên, khi phát sinh, không nêu thời gian : không hỏi báo cáo riêng IV.1.3" in listed[-1]
    keys = [str(each["id"])[1:] for each in select([desk.get(path)], ".found")]
    correct(desk, path, f"answer:{keys[2]}-due", **{f"due-{keys[2]}": "30/5"})
    correct(desk, path, f"answer:{keys[3]}-none")
    correct(desk, path, f"answer:{keys[1]}-part")
    assert asked()[1:5] == ["thứ Tư, 19/5/2021", "thứ Tư, 29/9/2021", _MONDAY, "không hỏi báo cáo riêng"]
    assert select([desk.get(path)], ".doubts button[value^='times:']") == []
    wrong = correct(desk, path, f"answer:{keys[3]}-due", **{f"due-{keys[3]}": "hôm nào"})
    assert (wrong.status_code, "Không đọc được ngày «hôm nào»" in wrong.text) == (400, True)


_MONDAY = "thứ Hai, 31/5/2021 (30/5/2021: Chủ nhật)"
