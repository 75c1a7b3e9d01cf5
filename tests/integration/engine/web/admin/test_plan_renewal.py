"""A plan file in the browser: renewed for next year, checked, saved, activated; and a plan's end."""

from __future__ import annotations

from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from ground.factory import CONFIG, at, lay, plan_file, row, rows
from ground.office import Office, as_role, everything, open_office
from ground.province import load_province
from httpx import Response

from engine.files.yaml_reader import dump
from engine.store.database import Database
from engine.store.records import Plan
from engine.terms import PlanState

NEXT = {"year": "2022", "number": "25/KH-UBND", "issued_on": "20/1/2022"}


@pytest.fixture
def office(sqlite_database: Database, tmp_path: Path) -> Office:
    lay(sqlite_database, now=at("2021-04-07"))
    return open_office(sqlite_database, tmp_path, now=at("2021-12-20", "10:00"))


def send(office: Office, text: str, do: str = "check", name: str = "") -> Response:
    files = [("document", (name, text.encode()))] if name else [("text", (None, text))]
    return office.client.post(
        "/plans/load", data={"token": office.token("/plans/load"), "do": do}, files=[*files, ("x", (None, ""))]
    )


def words(answer: Response) -> str:
    return " ".join(BeautifulSoup(answer.text, "lxml").main.get_text(" ").split())  # type: ignore[union-attr]


def carried(answer: Response) -> str:
    """The text that the check's form carries."""
    return str(BeautifulSoup(answer.text, "lxml").select_one('#load input[name="text"]')["value"])  # type: ignore[index]


def renew(office: Office, **typed: str) -> Response:
    return office.post("/plans/1/renew", page="/plans/1/renew", **(NEXT | typed))


def test_a_renewed_draft_lists_what_to_confirm_and_saves_nothing(office: Office) -> None:
    before = everything(office.context.database)
    answer = renew(office)
    said = words(answer)
    assert "25/KH-UBND: đã kiểm tra, chưa lưu" in said
    assert "chưa nhập lịch nghỉ Tết và hoán đổi năm 2022" in said
    assert "ngày 17/12/2022 là thứ Bảy, hạn chuyển sang thứ Hai, 19/12/2022" in said
    assert "4 mục phân công, 4 nhiệm vụ, 10 việc trong năm" in said
    assert "Kế hoạch của năm 2022: kỳ đầu 6 tháng đầu năm 2022, kỳ cuối năm 2022." in said
    assert everything(office.context.database) == before


def test_a_renewed_draft_is_saved_and_activated_beside_the_old_plan(office: Office) -> None:
    answer = send(office, carried(renew(office)), "save")
    assert answer.headers["location"] == "/plans/2?said=loaded"
    assert "Đã lưu kế hoạch" in words(office.get("/plans/2?said=loaded"))
    office.clock.now = at("2022-04-07", "10:00")
    assert office.post("/plans/2/activate", page="/plans/2/activate").status_code == 303
    assert [(each.year, each.state) for each in rows(office.context.database, Plan)] == [
        (2021, PlanState.ACTIVE),
        (2022, PlanState.ACTIVE),
    ]


def test_a_renewal_keeps_what_only_the_file_says(sqlite_database: Database, tmp_path: Path) -> None:
    load_province(sqlite_database, at("2021-04-07"))
    office = open_office(sqlite_database, tmp_path, now=at("2021-04-07", "10:00"))
    send(office, (CONFIG / "plans/188-kh-ubnd-2021.yaml").read_text(), "save", name="188.yaml")
    send(office, carried(renew(office)), "save")
    old, new = (each.file for each in rows(sqlite_database, Plan))
    assert (new["indicators"], new["focus_areas"], new["gaps"]) == (old["indicators"], old["focus_areas"], old["gaps"])
    assert new["sections"] == old["sections"]


@pytest.mark.parametrize(
    ("field", "typed", "said"),
    [
        ("number", "25", "viết như 25/KH-UBND"),
        ("year", "2021", "phải sau 2021"),
        ("year", "x", "phải sau 2021"),
        ("issued_on", "20/1/2023", "phải thuộc năm 2022"),
        ("issued_on", "sang năm", "Không đọc được ngày"),
    ],
)
def test_a_mistake_stands_beside_its_field_and_the_rest_stays(
    office: Office, field: str, typed: str, said: str
) -> None:
    answer = renew(office, **{field: typed})
    page = BeautifulSoup(answer.text, "lxml")
    assert answer.status_code == 422
    assert said in page.select_one(f"#{field}-said").get_text()  # type: ignore[union-attr]
    assert {each["name"]: each["value"] for each in page.select("main input[type=text]")} == NEXT | {field: typed}


def test_a_file_is_checked_then_saved(office: Office) -> None:
    text = dump(plan_file(number="13/KH-UBND"))
    answer = send(office, text, name="13.yaml")
    assert answer.status_code == 200
    assert "13/KH-UBND: đã kiểm tra, chưa lưu" in words(answer)
    assert len(rows(office.context.database, Plan)) == 1
    assert send(office, carried(answer), "save").status_code == 303
    assert len(rows(office.context.database, Plan)) == 2


def test_mistakes_of_a_file_are_told_by_line_and_its_text_stays(office: Office) -> None:
    text = dump(plan_file(number="13/KH-UBND")).replace("- so-ban", "- so-bna")
    answer = send(office, text, name="13.yaml")
    page = BeautifulSoup(answer.text, "lxml")
    assert answer.status_code == 422
    assert "danh bạ «nho» không có «so-bna»" in page.select_one("#text-said li").get_text()  # type: ignore[union-attr]
    assert page.select_one("#text").get_text().strip() == text.strip()  # type: ignore[union-attr]


def test_a_running_plan_is_not_replaced(office: Office) -> None:
    text = dump(plan_file(title="Tên khác"))
    assert "Kế hoạch này đang thực hiện, không thay bằng tệp khác được" in words(send(office, text))
    answer = send(office, text, "save")
    assert answer.status_code == 409
    assert "đang thực hiện nên không thay bằng tệp khác được" in words(answer)


@pytest.mark.parametrize("text", ["", "không phải kế hoạch", "a: [", "x\x00", "- 1", "schema: dondoc/plan@1"])
def test_what_is_no_plan_file_is_refused_in_words(office: Office, text: str) -> None:
    answer = send(office, text)
    assert 400 <= answer.status_code < 500
    assert BeautifulSoup(answer.text, "lxml").select_one("#text-said")


def test_a_plan_is_ended_with_a_reason_in_the_browser(office: Office) -> None:
    asked = words(office.get("/plans/1/end"))
    assert "Kết thúc kế hoạch, ngừng nhắc 5 việc còn mở?" in asked
    refused = office.post("/plans/1/end", page="/plans/1/end", reason=" ")
    assert refused.status_code == 422
    assert "Cần ghi lý do" in BeautifulSoup(refused.text, "lxml").select_one("#reason-said").get_text()  # type: ignore[union-attr]
    answer = office.post("/plans/1/end", page="/plans/1/end", reason="Đã tổng kết năm 2021.")
    assert answer.headers["location"] == "/plans/1?said=ended"
    assert "Đã kết thúc kế hoạch" in words(office.get("/plans/1?said=ended"))
    assert row(office.context.database, Plan).state is PlanState.ENDED
    assert office.get("/plans/1/end").status_code == 409


@pytest.mark.parametrize(("role", "agency"), [("monitor", "so-chinh"), ("head", "so-ban"), ("coordinator", "huyen-a")])
def test_plans_are_run_by_administrators_alone(office: Office, tmp_path: Path, role: str, agency: str) -> None:
    somebody = as_role(office.context.database, tmp_path, role, agency)
    for path in ("/plans/load", "/plans/1/renew", "/plans/1/end"):
        assert somebody.get(path).status_code == 403
    for path in ("/plans/1/renew", "/plans/1/end"):
        assert somebody.post(path, page="/account", reason="x").status_code == 403
    token = somebody.token("/account")
    assert somebody.client.post("/plans/load", data={"token": token}, files=[("text", (None, "x"))]).status_code == 403
    page = somebody.get("/plans/1").text
    assert not any(f'href="/plans/1/{deed}"' in page for deed in ("renew", "end"))


def test_the_year_of_a_plan_is_corrected_after_a_look(office: Office) -> None:
    page = "/plans/1/years"
    before = everything(office.context.database)
    looked = office.post(page, page=page, years="2021-2023", reason="Chương trình nhiều năm.", do="check")
    assert "Kế hoạch của các năm 2021–2023: kỳ đầu 6 tháng đầu năm 2021, kỳ cuối năm 2023" in words(looked)
    assert everything(office.context.database) == before
    assert "Hiện là kế hoạch của năm 2021" in words(office.client.get(page))
    done = office.post(page, page=page, years="2021-2023", reason="Chương trình nhiều năm.", do="save")
    assert done.status_code == 303
    assert row(office.context.database, Plan).file["last_year"] == 2023


def test_a_year_that_does_not_fit_stands_with_its_reason(office: Office) -> None:
    answer = office.post("/plans/1/years", page="/plans/1/years", years="hai mốt", reason="Nhầm.", do="check")
    assert answer.status_code == 422
    assert "năm viết như 2027 hoặc 2026–2030" in words(answer)
    assert 'value="hai mốt"' in answer.text
