"""The letters' templates in the browser: tried with real data, refused with their line, saved, taken back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ground.office import Office, open_office
from httpx import Response
from sqlalchemy import select

from engine.accounts.signed_links import Signer
from engine.store.database import Database, table
from engine.store.records import Event
from engine.terms import EventKind
from notifications.letters.template_check import EDITED, samples
from workflows.run import channel_wiring

HERE = "/admin/templates/vi/duties"


def texts(office: Office, **changes: str) -> dict[str, str]:
    assert office.context.wording is not None
    found = {each.part: each.text for each in office.context.wording.files("vi", "duties")}
    return found | {name.replace("_", "."): text for name, text in changes.items()}


def sent(office: Office, act: str, path: str = HERE, **changes: str) -> Response:
    page = office.get(HERE).text
    seen = page.partition('name="seen" value="')[2].partition('"')[0]
    return office.post(path, page=HERE, act=act, **({"seen": seen} | texts(office, **changes)))


def test_every_kind_in_every_language_can_be_opened_from_the_list(office: Office) -> None:
    page = office.get("/admin/templates").text
    for kind in EDITED:
        for language in ("vi", "en"):
            assert f'href="/admin/templates/{language}/{kind}"' in page
            assert office.get(f"/admin/templates/{language}/{kind}").status_code == 200


def test_what_is_there_passes_its_own_check_and_is_shown_with_real_data(office: Office) -> None:
    page = sent(office, "check", subject_txt="[Sở] {{ facts.items|length }} việc, {{ facts.agency }}")
    assert page.status_code == 200
    assert "[Sở] 1 việc, " in page.text
    assert "12/KH-UBND IV." in page.text
    assert "Chưa lưu" in page.text


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{{ letter.tga }}", "hông có tên «tga»"),
        ("{% if letter.digest %}x", "Unexpected end of template"),
        ("Phòng, chống mại dâm", "có từ ngữ nhạy cảm của lĩnh vực"),
        ("{{ ''.__class__.__mro__ }}", "unsafe"),
        ("{{ 'a' * 5000000000 }}", "would make too much"),
        ("{{ 'a'|center(5000000000) }}", "MemoryError"),
        ("x" * 60_000, "dài quá 50000 ký tự"),
        ("a\x00b", "ký tự điều khiển"),
        ("", "ừ 1 đến 160"),
    ],
)
@pytest.mark.parametrize("act", ["check", "save"])
def test_a_template_with_a_fault_is_not_saved_and_keeps_what_was_typed(
    office: Office, act: str, text: str, said: str
) -> None:
    page = sent(office, act, subject_txt=text)
    assert page.status_code in (400, 422)
    assert said in page.text
    assert 'aria-invalid="true"' in page.text or page.status_code == 400
    assert not list(Path(office.context.settings.templates).rglob("*"))


def test_a_saved_one_is_what_letters_are_made_from_and_the_log_keeps_what_stood_before(
    office: Office, lived: Database
) -> None:
    before = texts(office)["subject.txt"]
    assert sent(office, "save", subject_txt="[Sở] việc mới").headers["location"] == f"{HERE}?said=saved"

    settings, facts = office.context.settings, next(iter(samples("vi", "duties")))
    letter = channel_wiring.letter_renderer(settings, Signer("k" * 20)).render(facts, office.clock.now)
    assert letter.subject == "[Sở] việc mới"
    assert "đã sửa" in office.get("/admin/templates").text
    with lived.read() as session:
        e = table(Event)
        told: Any = session.connection().scalars(select(e.c.detail).where(e.c.kind == EventKind.TEMPLATE_CHANGED)).one()
    assert told == {"name": "vi/duties/subject.txt", "was": before}


def test_going_back_to_what_ships_leaves_no_file(office: Office) -> None:
    sent(office, "save", subject_txt="[Sở] việc mới")
    assert office.post(f"{HERE}/reset", page=HERE).headers["location"] == f"{HERE}?said=reset"
    assert "việc mới" not in office.get(HERE).text
    assert not [path for path in office.context.settings.templates.rglob("*") if path.is_file()]


def test_what_somebody_else_saved_meanwhile_is_not_overwritten_unread(office: Office) -> None:
    stale = office.get(HERE).text.partition('name="seen" value="')[2].partition('"')[0]
    sent(office, "save", subject_txt="[Sở] của đồng nghiệp")
    page = office.post(HERE, page=HERE, act="save", seen=stale, **texts(office, subject_txt="[Sở] của tôi"))
    assert page.status_code == 409
    assert "[Sở] của tôi" in page.text
    assert "của đồng nghiệp" in texts(office)["subject.txt"]


def test_the_html_is_shown_in_a_frame_that_may_do_nothing(office: Office) -> None:
    frame = sent(office, "", f"{HERE}/html")
    assert frame.headers["content-security-policy"].startswith("sandbox; default-src 'none'")
    assert "Kính gửi" in frame.text
    assert sent(office, "", f"{HERE}/html", body_html="{{ nobody }}").status_code == 422


@pytest.mark.parametrize("path", ["/fr/duties", "/vi/invoice", "/vi/base.html"])
def test_a_kind_that_is_none_is_not_found(lived: Database, tmp_path: Path, path: str) -> None:
    assert open_office(lived, tmp_path).get(f"/admin/templates{path}").status_code == 404
