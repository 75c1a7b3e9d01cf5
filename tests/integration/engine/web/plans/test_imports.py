"""A plan document by the browser: what is refused and how, what is kept, and what comes of what was typed."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from pathlib import Path

import httpx
import pytest
from bs4 import BeautifulSoup, Tag
from ground.factory import CONFIG, at, happened, row, rows, store
from ground.office import Office, open_office
from ground.paths import DATA
from ground.province import load_province
from import_figures.kinds import samples
from itsdangerous import URLSafeSerializer

from engine.errors import BadInput, FileRefused
from engine.files.directory import load_directory
from engine.files.plan import PlanFile, directory_mistakes
from engine.files.yaml_reader import read
from engine.importer import read_document
from engine.importer.reading.limits import LIMITS
from engine.store.database import Database
from engine.store.records import Plan
from engine.terms import PlanState
from engine.web.pages.plans.import_review import checked, fields_of, reviewed
from engine.web.pages.plans.import_sheet import sheet_of
from workflows.simulation.simulation import cached_simulation

TEXT = DATA / "188-kh-ubnd-2021.txt"
DIRECTORY = CONFIG / "agencies/nghe-an-2021.yaml"
ITEM = "sections[0].items[{}]"
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


def fields(page: str) -> Pairs:
    """What a browser would send of the review form."""
    found: Pairs = []
    for each in BeautifulSoup(page, "lxml").select("form#review input, form#review textarea"):
        if each.name == "textarea":
            found.append((str(each["name"]), each.get_text().removeprefix("\n")))
        elif each.get("type") not in ("checkbox", "radio") or each.has_attr("checked"):
            found.append((str(each["name"]), str(each.get("value", ""))))
    return found


def changed(typed: Pairs, **changes: str | Sequence[str]) -> Pairs:
    """With the values of some fields replaced; a name's dots and brackets stand as written in ``changes``."""
    kept = [(name, value) for name, value in typed if name not in changes]
    new = [(name, each) for name, said in changes.items() for each in ([said] if isinstance(said, str) else said)]
    return kept + new


def send(desk: Office, typed: Pairs, do: str = "save") -> httpx.Response:
    return desk.client.post("/plans/review", files=[(name, (None, value)) for name, value in [*typed, ("do", do)]])


def every_page(desk: Office, answer: httpx.Response) -> list[httpx.Response]:
    """The review turned page by page, from the one that is shown."""
    pages = [answer]
    while f'value="page:{len(pages)}"' in pages[-1].text:
        pages.append(send(desk, fields(pages[-1].text), f"page:{len(pages)}"))
    return pages


def select(pages: Sequence[httpx.Response], css: str) -> list[Tag]:
    return [found for page in pages for found in BeautifulSoup(page.text, "lxml").select(css)]


@pytest.fixture(scope="module")
def read_once() -> dict[str, Pairs]:
    return {}


@pytest.fixture
def typed(desk: Office, read_once: dict[str, Pairs]) -> Pairs:
    """The review form of plan 188 as it first comes, with this visitor's token. Read once for all tests here."""
    if not read_once:
        read_once["188"] = fields(upload(desk, TEXT.read_bytes()).text)
    return changed(read_once["188"], token=desk.token("/plans/import"))


def opened(desk: Office, typed: Pairs, item: int) -> httpx.Response:
    """The review with an item's first duty open."""
    return send(desk, typed, f"open:{ITEM.format(item)}.duties[0]")


def test_the_review_shows_a_line_a_duty_and_what_was_found(desk: Office, typed: Pairs) -> None:
    pages = every_page(desk, upload(desk, TEXT.read_bytes()))
    lines = select(pages, ".line.found")
    assert len(lines) == 28
    assert "định kỳ" in lines[-2].get_text()
    assert "dòng 11" in select(pages, 'label[for="number"]')[0].get_text()
    assert [each.get_text() for each in select(pages[:1], ".doubts li > b")] == ["1 nhiệm vụ", "IV.6.1", "IV.14"]
    assert select([opened(desk, typed, 11)], "[id='IV.12.1'] [name$='.request']")[0].has_attr("checked")
    assert "6 tháng, 01 năm" in select([opened(desk, typed, 0)], "[id='IV.1.1'] .times")[0].get_text()


def test_lines_left_out_stand_in_their_place_and_one_tap_makes_a_duty(desk: Office, typed: Pairs) -> None:
    pages = every_page(desk, upload(desk, TEXT.read_bytes()))
    shown = select(pages, ".line.left")
    assert any("Các cơ quan truyền thông của tỉnh" in each.get_text() for each in shown)
    place = next(str(each["id"]) for each in shown if "Các cơ quan truyền thông của tỉnh" in each.get_text())
    send(desk, changed(typed, **{f"{place}.take": "1", f"{place}.owners": "Báo Nghệ An"}))
    section = row(desk.context.database, Plan).file["sections"][-1]
    assert (section["roman"], section["items"][0]["owners"]) == ("II", ["bao-nghe-an"])
    assert section["items"][0]["duties"][0]["text"].startswith("Các cơ quan truyền thông của tỉnh")
    refused = send(desk, changed(typed, **{f"{place}.take": "1"}))
    assert refused.status_code == 422
    assert "chưa có cơ quan chủ trì" in refused.text


DATED = (
    "ỦY BAN NHÂN DÂN\nTỈNH NGHỆ AN\nSố: 9/KH-UBND\nNghệ An, ngày 05 tháng 4 năm 2021\nKẾ HOẠCH\nCÔNG TÁC NĂM 2021\n"
    "I. MỤC TIÊU\n1. Nâng cao nhận thức của người dân.\n2. Khám cho 100% học sinh trước ngày 16/6/2021.\n"
    "3. Giảm số vụ vi phạm.\n4. Bảo đảm việc tuần tra, có báo cáo trước ngày 15 hằng tháng.\n"
    "IV. TỔ CHỨC THỰC HIỆN\n1. Sở Y tế\n- Khám bệnh trước ngày 30/6/2021.\n2. Công an tỉnh\n- Tuần tra.\n"
)


def test_a_line_left_out_that_is_taken_keeps_the_day_that_its_words_name(desk: Office) -> None:
    answer = upload(desk, DATED.encode())
    typed = changed(fields(answer.text), short_title="Kế hoạch 9", sms_name="KH9", supervisor="Sở Y tế")
    places = [str(each["id"]) for each in select([answer], ".line.left") if "trước ngày" in each.get_text()]
    taken = changed(
        typed,
        **{f"{place}.take": "1" for place in places},
        **{f"{places[0]}.owners": "Sở Y tế", f"{places[1]}.owners": "Công an tỉnh"},
    )
    assert send(desk, taken).status_code == 303
    file = row(desk.context.database, Plan).file
    once, monthly = (item["duties"][0] for item in file["sections"][-1]["items"])
    assert (once["cadence"], monthly["cadence"]) == (["once"], ["month"])
    first, second = (file["report_rules"][duty["rule"]] for duty in (once, monthly))
    assert (str(first["on"]), first["wording"], first["source"]) == ("2021-06-15", "trước ngày 16/6/2021", "plan")
    assert (second["due_day"], second["wording"]) == (14, "trước ngày 15 hằng tháng")


def test_the_line_of_the_plan_has_no_comma_for_what_the_document_does_not_say(desk: Office) -> None:
    document = "CHỈ THỊ\nVỀ CHỢ\nThủ tướng Chính phủ yêu cầu các bộ, ngành:\n1. Rà soát chợ.\n2. Báo cáo kết quả.\n"
    line = BeautifulSoup(upload(desk, document.encode()).text, "lxml").select_one("details.plan-fields summary span")
    assert line is not None
    assert line.text == "Thủ tướng Chính phủ"


def test_a_number_that_became_no_duty_is_not_said_to_be_missing(desk: Office) -> None:
    told = "2. Căn cứ Kế hoạch này, các sở, ngành xây dựng kế hoạch của mình.\n"
    body = DATED.replace("2. Công an tỉnh\n", f"{told}3. Công an tỉnh\n")
    pages = every_page(desk, upload(desk, body.encode()))
    assert "văn bản không có số này" not in "".join(page.text for page in pages)
    shown = [each for each in select(pages, ".line.left") if "yêu cầu chung" in each.get_text()]
    assert "Căn cứ Kế hoạch này" in shown[0].get_text()
    gap = every_page(desk, upload(desk, body.replace(told, "").encode()))
    assert [each["id"] for each in select(gap, "p.note[id]") if "không có số này" in each.get_text()] == ["IV.2"]


def test_duties_without_words_about_time_have_one_choice_for_all(desk: Office, typed: Pairs) -> None:
    page = BeautifulSoup(upload(desk, TEXT.read_bytes()).text, "lxml")
    assert len(page.select("select#undated")) == 1
    send(desk, typed)
    alone = row(desk.context.database, Plan).file
    assert alone["sections"][0]["items"][6]["duties"][0]["cadence"] == ["ad_hoc"]
    send(desk, changed(typed, undated="half_year year"))
    both = row(desk.context.database, Plan).file
    assert both["sections"][0]["items"][6]["duties"][0]["cadence"] == ["half_year", "year"]
    assert both["sections"][1]["items"][0]["duties"][0]["cadence"] == ["half_year", "year", "ad_hoc"]


ELSEWHERE = (
    "ỦY BAN NHÂN DÂN\nTỈNH AN LẠC\nSố: 9/KH-UBND\nAn Lạc, ngày 05 tháng 4 năm 2021\nKẾ HOẠCH\nCÔNG TÁC NĂM 2021\n"
    "IV. TỔ CHỨC THỰC HIỆN\n1. Sở Y tế\n- Khám bệnh trước ngày 30/6/2021.\n2. Trung tâm Cứu hộ\n- Trực cứu hộ.\n"
)


def test_a_plan_of_another_province_says_so_first_and_matches_nobody(desk: Office) -> None:
    page = BeautifulSoup(upload(desk, ELSEWHERE.encode()).text, "lxml")
    assert "danh bạ đang dùng là của Nghệ An" in page.select("[role=alert]")[0].get_text()
    bodies = page.select("fieldset.body")
    assert [each.legend.get_text().strip().split("\n")[0].split(" 1 ")[0] for each in bodies] == [
        "Sở Y tế",
        "Trung tâm Cứu hộ",
    ]  # type: ignore[union-attr]
    assert next(each["value"] for each in bodies[0].select("input")) == "Sở Y tế"


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
    answer = upload(
        desk, TEXT.read_bytes() if name == "188" else path.read_bytes() if name in OWN else own_province(name)
    )
    page, typed, edits = BeautifulSoup(answer.text, "lxml"), fields(answer.text), 0
    for body in page.select("fieldset.body"):
        choices = [str(each["value"]) for each in body.select("input") if each["value"]]
        typed = changed(typed, **{str(body["id"]): "+" if "+" in choices else choices[0]})
        edits += 1
    saved = send(desk, typed)
    assert saved.status_code == 303, BeautifulSoup(saved.text, "lxml").select_one("#problems")
    assert edits <= 5
    file = row(desk.context.database, Plan).file
    duties = sum(len(item["duties"]) for each in file["sections"] for item in each["items"])
    assert duties == OWN[name] if name in OWN else duties
    assert edits <= 1 or name not in OWN


def test_an_unknown_body_is_chosen_once_or_added_to_the_directory(desk: Office) -> None:
    raw = ELSEWHERE.replace("TỈNH AN LẠC", "TỈNH NGHỆ AN").encode()
    typed = fields(upload(desk, raw).text)
    fixed = changed(typed, issuer="UBND tỉnh", supervisor="Sở Y tế", short_title="Kế hoạch 9", sms_name="KH9")
    assert send(desk, fixed).status_code == 422
    answer = send(desk, changed(fixed, **{"body[0]": "+"}))
    assert answer.status_code == 303, BeautifulSoup(answer.text, "lxml").select_one("#problems")
    file = row(desk.context.database, Plan).file
    assert file["sections"][0]["items"][1]["owners"] == ["trung-tam-cuu-ho"]
    assert "/admin/agencies/trung-tam-cuu-ho" in desk.get("/admin/agencies?q=Trung tâm Cứu hộ").text


def test_a_spelling_that_was_chosen_is_kept_in_the_directory_where_somebody_asks_for_it(desk: Office) -> None:
    raw = ELSEWHERE.replace("TỈNH AN LẠC", "TỈNH NGHỆ AN").encode()
    page = upload(desk, raw)
    (body,) = select([page], "fieldset.body")
    written = body.legend.get_text().split(" 1 nhiệm vụ")[0] if body.legend else ""
    typed = changed(
        fields(page.text), issuer="UBND tỉnh", supervisor="Sở Y tế", short_title="Kế hoạch 9", sms_name="KH9"
    )
    chosen = changed(typed, **{"body[0]": "=", "body[0].as": "Công an tỉnh"})
    shown = send(desk, chosen, "look")
    assert ("body[0]", "Công an tỉnh") in fields(shown.text), "it is shown among the choices"
    assert send(desk, changed(fields(shown.text), remember="1")).status_code == 303
    file = row(desk.context.database, Plan).file
    assert file["sections"][0]["items"][1]["owners"] == ["cong-an-tinh"]
    assert written in desk.get("/admin/agencies/cong-an-tinh/aliases").text
    again = upload(desk, raw.replace("Số: 9".encode(), "Số: 10".encode()))
    assert select([again], "fieldset.body") == [], "the next document that writes so is matched"


def test_without_being_asked_nothing_is_kept_in_the_directory(desk: Office) -> None:
    raw = ELSEWHERE.replace("TỈNH AN LẠC", "TỈNH NGHỆ AN").encode()
    typed = fields(upload(desk, raw).text)
    typed = changed(typed, issuer="UBND tỉnh", supervisor="Sở Y tế", short_title="Kế hoạch 9", sms_name="KH9")
    assert send(desk, changed(typed, **{"body[0]": "Công an tỉnh"})).status_code == 303
    assert len(select([upload(desk, raw)], "fieldset.body")) == 1


def test_no_page_of_the_review_is_over_50_kb_and_opening_and_turning_lose_nothing(desk: Office, typed: Pairs) -> None:
    kept = changed(typed, **{f"{ITEM.format(0)}.duties[0].text": "Đã sửa.", "sms_name": "KHX"})
    pages = every_page(desk, send(desk, kept, "look"))
    first = opened(desk, fields(pages[-1].text), 0)
    assert len(first.content) < 50_000
    assert dict(fields(first.text))[f"{ITEM.format(0)}.duties[0].text"] == "Đã sửa."
    typed = [(name, value) for name, value in fields(first.text) if not name.endswith(".cadence")]
    duty = f"{ITEM.format(0)}.duties[0]"
    folded = send(desk, changed(typed, **{f"{duty}.cadence": "quarter"}), f"close:{ITEM.format(0)}.duties[0]")
    assert f"{duty}.text" not in dict(fields(folded.text))
    again = fields(opened(desk, fields(folded.text), 0).text)
    assert [value for name, value in again if name == f"{duty}.cadence"] == ["quarter"]
    for n in range(1, 17):
        again_page = opened(desk, again, n)
        again = fields(again_page.text)
        assert len(again_page.content) < 50_000
    assert all(len(page.content) < 50_000 for page in pages)
    answer = send(desk, [(name, value) for name, value in again if not name.endswith(".cadence")], "save")
    assert answer.status_code == 422, "the open duties have no cycle any more"
    assert "chưa chọn chu kỳ" in answer.text


def test_a_duty_is_on_the_page_that_is_shown_however_often_it_is_parted(desk: Office, typed: Pairs) -> None:
    text = f"{ITEM.format(4)}.duties[0].text"
    page, turned = opened(desk, typed, 4), 0
    for _ in range(16):
        sent = changed(fields(page.text), **{text: "Rà soát, thống kê. Tổ chức tập huấn cho cán bộ cơ sở."})
        page = send(desk, sent, f"part:{ITEM.format(4)}.duties[0]:19")
        assert text in dict(fields(page.text))
        assert len(page.content) < 50_000
        turned += "number" not in dict(fields(page.text))
    assert turned, "eight duties above it do not fit beside the plan's own fields"


def test_what_is_saved_unchanged_has_every_item_and_duty_and_waits(desk: Office, typed: Pairs) -> None:
    answer = send(desk, typed)
    plan = row(desk.context.database, Plan)
    assert answer.headers["location"] == f"/plans/{plan.id}?said=loaded"
    assert plan.state is PlanState.LOADED
    assert [len(section["items"]) for section in plan.file["sections"]] == [15, 2]
    assert [gap["citation"] for gap in plan.file["gaps"]] == ["IV.14"]
    assert happened(desk.context.database, plan_id=plan.id) == ["plan_loaded"]


def test_saving_twice_is_saving_once(desk: Office, typed: Pairs) -> None:
    first, second = send(desk, typed), send(desk, typed)
    assert first.headers["location"] == second.headers["location"]
    assert len(rows(desk.context.database, Plan)) == 1


def test_corrections_reach_the_plan(desk: Office, typed: Pairs) -> None:
    duty = ITEM.format(1) + ".duties[0]"
    more = {
        f"{ITEM.format(9)}.owners": ["Sở Văn hoá và Thể thao", "UBND TP Vinh"],
        f"{duty}.text": "Một.\n\nHai.",
        f"{duty}.due": "15",
        f"{duty}.wording": "trước ngày 16",
        f"{duty}.cadence": ["quarter"],
        f"{duty}.coordinating": "Sở Y tế; Công an tỉnh",
        f"{ITEM.format(6)}.drop": "1",
        "supervisor": "UBND tỉnh",
        "due_day": "20",
    }
    send(desk, changed(typed, **more))
    file = row(desk.context.database, Plan).file
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
        (f"{ITEM.format(2)}.owners", "Sở Bịa Đặt", "danh bạ không có «Sở Bịa Đặt»"),
        (f"{ITEM.format(2)}.owners", "", "chưa có cơ quan chủ trì"),
        (f"{ITEM.format(2)}.duties[0].text", " ", "để trống"),
        (f"{ITEM.format(2)}.duties[0].cadence", "", "chưa chọn chu kỳ"),
        (f"{ITEM.format(2)}.duties[0].due", "31/2/2021", "Không đọc được ngày"),
        (f"{ITEM.format(2)}.duties[0].due", "45", "từ 1 đến 31"),
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
    desk: Office, typed: Pairs, name: str, value: str, said: str
) -> None:
    sent = changed(typed, **{name: value, f"{ITEM.format(0)}.duties[0].text": "Đã sửa."})
    answer = send(desk, sent)
    page = BeautifulSoup(answer.text, "lxml")
    assert answer.status_code == 422
    assert said in page.find(id=f"{name}-said").get_text()  # type: ignore[union-attr]
    first = fields(opened(desk, fields(answer.text), 0).text)
    assert (f"{ITEM.format(0)}.duties[0].text", "Đã sửa.") in first
    assert dict(fields(send(desk, first, "page:0").text)).get("number") == dict(sent).get("number")
    assert rows(desk.context.database, Plan) == []


@pytest.mark.parametrize(
    ("wording", "cadence", "lies"),
    [
        ("trước ngày 10 của tháng cuối quý", ["quarter"], True),
        ("trước ngày 10/6 và 10/12", ["half_year", "year"], True),
        ("trước ngày 10 hằng tháng", ["month"], False),
        ("", ["quarter"], False),
    ],
)
def test_a_day_of_the_last_month_stays_one_through_the_review(
    desk: Office, typed: Pairs, wording: str, cadence: list[str], lies: bool
) -> None:
    duty = ITEM.format(1) + ".duties[0]"
    send(desk, changed(typed, **{f"{duty}.due": "9", f"{duty}.wording": wording, f"{duty}.cadence": cadence}))
    file = row(desk.context.database, Plan).file
    rule = file["report_rules"][file["sections"][0]["items"][1]["duties"][0]["rule"]]
    assert (rule["due_day"], rule.get("in_last_month", False)) == (9, lies)


def test_the_common_day_is_one_of_the_periods_last_month_as_the_form_says(desk: Office, typed: Pairs) -> None:
    send(desk, changed(typed, due_day="10"))
    rule = row(desk.context.database, Plan).file["report_rules"]["mac-dinh"]
    assert (rule["due_day"], rule["in_last_month"]) == (10, True)
    assert rule["basis"].endswith("ngày 10 của tháng cuối kỳ")


def test_the_year_of_a_plan_is_shown_and_may_be_another_than_that_of_its_issue(desk: Office, typed: Pairs) -> None:
    assert dict(typed)["year"] == "2021"
    send(desk, changed(typed, year="2022", issued_on="20/11/2021"))
    plan = row(desk.context.database, Plan)
    assert (plan.year, plan.issued_on.year, plan.file["year"]) == (2022, 2021, 2022)


def test_a_programme_is_of_several_years(desk: Office, typed: Pairs) -> None:
    send(desk, changed(typed, year="2021 - 2025"))
    plan = row(desk.context.database, Plan)
    assert (plan.year, plan.file["last_year"]) == (2021, 2025)
    answer = send(desk, changed(typed, year="2021-2020", number="189/KH-UBND"))
    beside = BeautifulSoup(answer.text, "lxml").find(id="year-said")
    assert "năm cuối 2020 không phải năm sau 2021" in beside.get_text()  # type: ignore[union-attr]


def test_a_mistake_after_a_dropped_item_still_stands_beside_its_own_field(desk: Office, typed: Pairs) -> None:
    wrong = f"{ITEM.format(4)}.duties[1].cadence"
    answer = send(desk, changed(typed, **{f"{ITEM.format(1)}.drop": "1", wrong: "once"}))
    beside = BeautifulSoup(answer.text, "lxml").find(id=f"{ITEM.format(4)}.duties[1].due-said")
    assert "không có ngày cho việc làm một lần" in beside.get_text()  # type: ignore[union-attr]


def test_a_plan_that_runs_already_is_not_replaced(desk: Office, typed: Pairs) -> None:
    number = send(desk, typed).headers["location"].partition("?")[0].rpartition("/")[2]
    desk.post(f"/plans/{number}/activate", page=f"/plans/{number}/activate")
    answer = send(desk, changed(typed, title="Tên khác"))
    assert answer.status_code == 409
    assert "đang thực hiện nên không thay bằng tệp khác được" in answer.text
    assert dict(fields(answer.text))["title"] == "Tên khác"


def test_the_draft_is_given_as_a_file_and_nothing_is_stored(desk: Office, typed: Pairs) -> None:
    answer = send(desk, typed, do="file")
    assert answer.headers["content-disposition"] == 'attachment; filename="188-kh-ubnd.yaml"'
    assert answer.text.startswith("schema: dondoc/plan@1")
    assert rows(desk.context.database, Plan) == []


def test_an_unfinished_draft_is_given_too_with_what_is_wrong_at_its_head(desk: Office, typed: Pairs) -> None:
    answer = send(desk, changed(typed, **{f"{ITEM.format(2)}.owners": "Sở Bịa Đặt"}), do="file")
    assert answer.status_code == 200
    assert answer.text.startswith("# CÒN SỬA / TO FIX: sections[0].items[2].owners: danh bạ không có «Sở Bịa Đặt»")
    with pytest.raises(FileRefused):
        read(answer.text, PlanFile, also=lambda plan: directory_mistakes(plan, load_directory(DIRECTORY)))


def test_pasted_text_is_read_like_a_file(desk: Office) -> None:
    data = {"token": desk.token("/plans/import"), "text": TEXT.read_text()}
    assert len(select(every_page(desk, desk.client.post("/plans/import", data=data)), ".line.found")) == 28


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
    assert upload(desk, TEXT.read_bytes()).status_code == 200


def test_a_huge_file_is_refused_before_it_is_read(desk: Office) -> None:
    headers = {"content-length": str(200_000_000), "content-type": "multipart/form-data; boundary=x"}
    answer = desk.client.post("/plans/import", content=b"--x--", headers=headers)
    assert answer.status_code == 413
    assert "26 MB" in answer.text


@pytest.mark.parametrize("sheet", ["", "x", "eyJhIjoxfQ.abc"])
@pytest.mark.parametrize("field", ["sheet", "aside"])
def test_a_draft_that_this_system_did_not_make_is_refused(desk: Office, typed: Pairs, field: str, sheet: str) -> None:
    assert send(desk, changed(typed, **{field: sheet})).status_code == 400


def test_a_form_that_was_open_over_an_upgrade_is_asked_for_again(desk: Office, typed: Pairs) -> None:
    """Its draft had no place for lines that were taken."""
    key = desk.context.settings.signing_key()
    old = URLSafeSerializer(key, salt="dondoc.import").dumps(["188.txt", {"duties": [], "left": []}, {"sections": []}])
    answer = send(desk, changed(typed, sheet=old))
    assert answer.status_code == 400
    assert "tải lại văn bản" in answer.text


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
    assert "Chưa cài máy chủ thư đi" in alone.get(path).text
    assert "đã qua hạn từ trước hôm nay" in late.get(path).text
    assert row(sqlite_database, Plan).state is PlanState.LOADED
    assert soon.post(path, page=path).headers["location"] == f"/plans/{laid.plan_id}?said=activated"
    assert row(sqlite_database, Plan).state is PlanState.ACTIVE
    assert soon.get(path).status_code == 303


SET = sorted(each for each in (TEXT.parent / "import").rglob("*") if each.suffix in (".txt", ".html"))


@pytest.mark.parametrize("folder", sorted({each.parent for each in SET}), ids=lambda folder: folder.name)
def test_every_labelled_text_comes_to_a_form_whose_mistakes_stand_beside_their_fields(folder: Path) -> None:
    directory = load_directory(DIRECTORY)
    for file in (each for each in SET if each.parent == folder):
        try:
            sheet = sheet_of(read_document(file, file.name, directory=directory), directory)
        except BadInput:
            continue
        shown = fields_of(sheet, directory)
        out = reviewed(sheet, shown, directory)
        checked(out, directory)
        assert {name for name in out.problems if name not in shown} == set(), file.name


def test_the_buttons_of_a_review_part_a_duty_and_join_it_again(desk: Office) -> None:
    body = DATED.replace("- Tuần tra.", "- Tuần tra. Trung tâm Cứu hộ Bắc Sơn trực cứu hộ trước ngày 15/8/2021.")
    page = upload(desk, body.replace("- Tuần tra. T", "- Tuần tra; t").encode())
    typed = fields(page.text)
    found = opened(desk, typed, 1)
    place = f"{ITEM.format(1)}.duties[0]"
    text = dict(fields(found.text))[f"{place}.text"].replace("; t", ". T")
    found = send(desk, changed(fields(found.text), **{f"{place}.text": text}), "look")
    (button,) = select([found], "button[value^='part:']")
    parted = send(desk, fields(found.text), str(button["value"]))
    now = dict(fields(parted.text))
    assert (now[f"{ITEM.format(1)}.duties[1].text"], now[f"{ITEM.format(1)}.duties[1].due"]) == (
        "Trung tâm Cứu hộ Bắc Sơn trực cứu hộ trước ngày 15/8/2021.",
        "14/8/2021",
    )
    assert "Trung tâm Cứu hộ Bắc Sơn" in select([parted], "fieldset.body legend")[0].get_text()
    folded = send(desk, fields(parted.text), f"close:{ITEM.format(1)}.duties[0]")
    assert f"{place}.text" not in dict(fields(folded.text))
    settled = changed(fields(folded.text), short_title="Kế hoạch 9", sms_name="KH9", supervisor="Sở Y tế")
    assert send(desk, changed(settled, **{"body[0]": "+"})).status_code == 303
    duties = row(desk.context.database, Plan).file["sections"][0]["items"][1]["duties"]
    assert [each["owners"] for each in duties] == [[], ["trung-tam-cuu-ho-bac-son"]]
    (button,) = select([parted], f"button[value='join:{ITEM.format(1)}.duties[1]']")
    joined = send(desk, fields(parted.text), str(button["value"]))
    assert dict(fields(joined.text))[f"{place}.text"].endswith(
        "Tuần tra.\nTrung tâm Cứu hộ Bắc Sơn trực cứu hộ trước ngày 15/8/2021."
    )
    assert select([joined], "fieldset.body") == [], "no duty bears the name any more"


def test_the_buttons_of_a_review_take_lines_together_and_drop_a_duty_or_a_section(desk: Office) -> None:
    aims = "II. CHỈ TIÊU\n- Giảm nghèo.\n- Công an tỉnh xử lý 100% vi phạm.\n- Kẻ vạch đường.\n"
    page = upload(desk, DATED.replace("IV. TỔ CHỨC", aims + "IV. TỔ CHỨC", 1).encode())
    button = select([page], "button[value^='take:']")[-1]
    first = str(button["value"]).removeprefix("take:").partition("-")[0]
    typed = changed(fields(page.text), **{f"left[{first}].run": "Sở Tài chính"})
    taken = send(desk, typed, str(button["value"]))
    who = [each.get_text() for each in select([taken], ".line.found .who")]
    assert who[-3:] == ["Sở Tài chính", "Công an tỉnh", "Sở Tài chính"]
    (button,) = select([taken], "h3 button[value='drop:sections[1]']")
    assert button.get_text() == "bỏ cả phần"
    dropped = send(desk, fields(taken.text), str(button["value"]))
    assert len(select([dropped], ".line.found.dropped")) == 3
    (button,) = select([dropped], "h3 button[value='drop:sections[1]']")
    assert button.get_text() == "lấy lại cả phần"
    one = send(desk, fields(dropped.text), str(select([dropped], ".line.found .drop")[-1]["value"]))
    assert len(select([one], ".line.found.dropped")) == 2


def test_owners_read_in_sentences_are_marked_and_one_button_confirms_all_of_a_kind(desk: Office) -> None:
    body = "IV. TỔ CHỨC THỰC HIỆN\n1. Khám bệnh (Sở Y tế chủ trì).\n2. Sở Tài chính bố trí kinh phí.\n"
    head = "ỦY BAN NHÂN DÂN\nTỈNH NGHỆ AN\nSố: 9/KH-UBND\nNghệ An, ngày 05 tháng 4 năm 2021\nKẾ HOẠCH\nY TẾ 2021\n"
    page = upload(desk, (head + body).encode(), "plan.txt").text
    lines = [line.get_text() for line in BeautifulSoup(page, "lxml").select(".line.found")]
    assert ["XÁC NHẬN: cơ quan đọc trong câu" in line for line in lines] == [True, False]
    after = send(desk, fields(page), "sure:bracket").text
    assert 'value="sure:bracket"' in page
    assert "cơ quan đọc trong câu" not in after
