"""What a department sets for its papers stands in every draft; its own letterhead wins."""

from __future__ import annotations

import io
from datetime import timedelta
from pathlib import Path

import docx
import pytest
from bs4 import BeautifulSoup
from ground.factory import rows
from ground.office import NOW, Office, as_role
from httpx import Response

from engine.features.papers import letterhead
from engine.features.papers.facts import IssuerSettings
from engine.features.papers.settings_page import save
from engine.store.database import Database
from engine.store.records import Event, PaperSettings
from engine.terms import EventKind

PAGE = "/papers/settings/so-chinh"
FIELDS = {"name": "Sở Nội vụ", "place": "Vinh", "sign": "SNV-VP", "report_sign": "SNV", "unit": "VP"}


def upload(office: Office, body: bytes) -> Response:
    data = {"token": office.token(PAGE)} | FIELDS
    return office.client.post(PAGE, data=data, files={"letterhead": ("mau.docx", body)})


def head(body: bytes) -> str:
    document = docx.Document(io.BytesIO(body))
    return " ".join(cell.text for row in document.tables[0].rows for cell in row.cells)


def test_what_is_set_stands_in_all_three_papers(office: Office) -> None:
    answer = office.post(PAGE, page=PAGE, quick_signer="GIÁM ĐỐC", leader="Chủ tịch UBND tỉnh", **FIELDS)
    assert answer.status_code == 303
    dispatch = head(office.get("/papers/dispatch?plan=1&file=docx").content)
    assert "SỞ NỘI VỤ" in dispatch
    assert "/SNV-VP" in dispatch
    assert "Vinh, ngày" in dispatch
    for path in ("/plans/1/report.docx?period=2021-H1", "/leadership/report.docx?plan=1"):
        body = office.get(path).content
        assert "/BC-SNV" in head(body), path
        assert "- Lưu: VT, VP." in " ".join(
            cell.text for table_ in docx.Document(io.BytesIO(body)).tables for row in table_.rows for cell in row.cells
        )
    document = docx.Document(io.BytesIO(body))
    assert "Kính gửi: Chủ tịch UBND tỉnh" in [each.text for each in document.paragraphs]
    assert EventKind.PAPER_SETTINGS in {each.kind for each in rows(office.context.database, Event)}


@pytest.mark.parametrize(("name", "value"), [("sign", "sldtbxh"), ("report_sign", "BC/SL"), ("dispatch_signer", "Tôi")])
def test_what_cannot_stand_in_a_paper_is_said_beside_its_field(office: Office, name: str, value: str) -> None:
    answer = office.post(PAGE, page=PAGE, **(FIELDS | {name: value}))
    page = BeautifulSoup(answer.text, "lxml")
    assert answer.status_code == 422
    assert page.select_one(f"[name={name}][aria-invalid=true]")
    assert page.title is not None
    assert page.title.text.startswith("Lỗi:")
    assert rows(office.context.database, PaperSettings) == []


def test_the_departments_own_letterhead_wins_until_it_is_dropped(office: Office) -> None:
    own = docx.Document(io.BytesIO(letterhead.example()))
    own.add_paragraph("Mẫu của Sở: {{ subject }}; {{ overdue | length }} việc")
    file = io.BytesIO()
    own.save(file)
    assert upload(office, file.getvalue()).status_code == 303
    filled = docx.Document(io.BytesIO(office.get("/papers/dispatch?plan=1&file=docx").content))
    said = [each.text for each in filled.paragraphs]
    assert any(each.startswith("Mẫu của Sở: V/v đôn đốc") for each in said)
    assert any(each.startswith("Thực hiện Kế hoạch số 12/KH-UBND") for each in said)
    assert not any("{" in each for each in said)
    assert office.get(f"{PAGE}/letterhead.docx").content == file.getvalue()
    assert office.post(PAGE, page=PAGE, drop="1", **FIELDS).status_code == 303
    built_in = docx.Document(io.BytesIO(office.get("/papers/dispatch?plan=1&file=docx").content))
    assert not any("Mẫu của Sở" in each.text for each in built_in.paragraphs)


@pytest.mark.parametrize(
    "placeholder",
    [
        "{{ nobody }}",
        "{{ subject",
        "{{ ''.__class__.__mro__ }}",
        "{{ paragraphs.append('x') }}",
        "{{ 'a' * 10**9 }}",
        "{{ 1 / 0 }}",
        "{{ level + 'x' }}",
    ],
)
def test_a_form_that_cannot_be_filled_or_reaches_out_is_refused(office: Office, placeholder: str) -> None:
    own = docx.Document()
    own.add_paragraph(placeholder)
    file = io.BytesIO()
    own.save(file)
    answer = upload(office, file.getvalue())
    assert answer.status_code == 422
    assert "f-letterhead-said" in answer.text
    assert rows(office.context.database, PaperSettings) == []


@pytest.mark.parametrize("kind", ["docx", "zip"])
def test_a_form_that_fails_for_a_real_letter_alone_is_refused_with_its_place(office: Office, kind: str) -> None:
    own = docx.Document()
    own.add_paragraph("{% if '12/KH-UBND' in plan %}{{ 1 / 0 }}{% endif %}")
    file = io.BytesIO()
    own.save(file)
    with office.context.database.write() as session:
        save(session, "so-chinh", IssuerSettings(), form=("mau.docx", file.getvalue()), actor="account:1", now=NOW)
    answer = office.get(f"/papers/dispatch?plan=1&file={kind}")
    assert (answer.status_code, "ZeroDivisionError" in answer.text, "{{ 1 /" in answer.text) == (400, True, True)


def test_the_sixth_form_of_an_account_within_ten_minutes_waits_and_other_settings_are_saved(office: Office) -> None:
    answers = [upload(office, b"not a document") for _ in range(6)]
    assert [each.status_code for each in answers] == [422] * 5 + [429]
    assert 0 < int(answers[-1].headers["retry-after"]) <= 600
    assert office.post(PAGE, page=PAGE, **FIELDS).status_code == 303
    office.clock.now += timedelta(minutes=10, seconds=1)
    assert upload(office, letterhead.example()).status_code == 303


@pytest.mark.parametrize("body", [b"not a document", b"PK\x05\x06" + b"\0" * 18])
def test_what_is_no_word_document_is_refused(office: Office, body: bytes) -> None:
    answer = upload(office, body)
    assert answer.status_code == 422
    assert ".docx" in answer.text


@pytest.mark.parametrize(
    ("role", "agency"), [("coordinator", "huyen-b"), ("leadership", "tinh"), ("monitor", "so-ban")]
)
def test_only_the_departments_monitors_set_them(lived: Database, tmp_path: Path, role: str, agency: str) -> None:
    office = as_role(lived, tmp_path, role, agency)
    assert office.get(PAGE).status_code == 403
    assert office.get(f"{PAGE}/letterhead.docx").status_code == 403
