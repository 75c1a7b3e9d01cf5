"""Templates that an office edits: what is wrong is said before they are saved, and a bad one holds up no letter."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from ground.factory import Laid, at, lay, swept
from ground.post import KEY, LetterBox
from jinja2 import TemplateRuntimeError

from engine.accounts.signed_links import Signer
from engine.store.database import Database
from engine.text import LANGUAGES
from notifications.delivery import DeliveryContext, deliver
from notifications.letters.renderer import TEMPLATES, LetterRenderer, RendererSettings
from notifications.letters.template_check import (
    EDITED,
    check_folder,
    check_template,
    samples,
)

NOW = at("2021-04-07", "08:00")
BASE = "https://dondoc.example"


def test_a_frame_that_drops_what_the_plain_text_says_is_found() -> None:
    """As an own layout without the line whom to ask: the reader of the HTML part would miss its telephone number."""
    shipped = (TEMPLATES / "watch" / "body.html").read_text(encoding="utf8")
    line = '<p class="m">{{ words.enquiries(facts.enquiries) }}</p>'
    assert line in shipped
    found = check_template({"body.html": shipped.replace(line, "")}, "vi", "watch")
    assert {problem.what.vi for problem in found} == {
        "thiếu «+84900000000» mà bản chữ có",
        "thiếu «theodoi@so.example» mà bản chữ có",
    }


@pytest.mark.parametrize("kind", EDITED)
@pytest.mark.parametrize("language", LANGUAGES)
def test_what_ships_has_nothing_wrong(language: str, kind: str) -> None:
    assert check_template({}, language, kind) == []


@pytest.mark.parametrize(
    ("kind", "part", "text", "line", "what"),
    [
        ("watch", "subject.txt", "{{ letter.tga }}", 1, "no name “tga”"),
        ("duties", "body.txt", "a\n\n{{ nobody.name }}", 3, "no name “nobody”"),
        ("duties", "body.txt", "{% for item in facts.items %}{{ item.due }}{% endfor %}", 1, "no name “due”"),
        ("watch", "subject.txt", "{% if letter.digest %}x", 1, "Unexpected end of template"),
        ("watch", "subject.txt", "Phòng, chống mại dâm", 1, "names the subject"),
        ("leadership", "subject.txt", "Phong chong MAI DAM", 1, "names the subject"),
        ("sms", "sms.txt", "HIV: {{ facts.items|length }}", 1, "names the subject"),
        ("sms", "sms.txt", "dài " * 200, 0, "parts"),
        ("sms", "sms.txt", "", 0, "0 parts"),
        ("watch", "subject.txt", "", 0, "characters"),
        ("watch", "subject.txt", "dài " * 60, 0, "characters"),
        ("duties", "body.txt", "Có việc mới.", 0, "no way to answer"),
        ("watch", "body.html", "<p>x</p>\n<img src='https://theo-doi.example/1.png'>", 2, "would be downloaded"),
        ("watch", "body.html", "<script>1</script>", 1, "would be downloaded"),
        ("duties", "body.txt", "{{ ''.__class__.__mro__ }}", 1, "unsafe"),
        ("duties", "body.txt", "{{ 'a' * 5000000000 }}", 1, "would make too much"),
        ("duties", "body.txt", "{{ 9 ** 999999999 }}", 1, "would make too much"),
        ("duties", "boddy.txt", "x", 0, "no template has this name"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(kind: str, part: str, text: str, line: int, what: str) -> None:
    problems = check_template({part: text}, "vi", kind)
    assert any(problem.line == line and what in str(problem.what) for problem in problems), problems
    assert {problem.file.rpartition("/")[2] for problem in problems} == {part}
    assert all(problem.fix for problem in problems)


def test_an_office_s_folder_is_checked_file_by_file(tmp_path: Path) -> None:
    home = tmp_path / "vi" / "watch"
    home.mkdir(parents=True)
    (home / "subject.txt").write_text("[Sở] {{ letter.nothing }}")
    (tmp_path / "en").mkdir()
    (tmp_path / "en" / "sms.txt").write_text("HIV")
    assert {problem.file for problem in check_folder(tmp_path)} == {"vi/watch/subject.txt", "en/sms.txt"}


def test_the_shipped_folder_as_an_office_s_has_nothing_wrong() -> None:
    assert check_folder(TEMPLATES) == []


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("vi/wacth/subject.txt", b"x", "no template has this name"),
        ("sms.txt", b"x", "no template has this name"),
        ("vi/watch/subjcet.txt", b"x", "no template has this name"),
        ("vi/sms.txt", b"Nh\xbe n\xed", "UTF-8"),
    ],
)
def test_a_file_that_no_letter_would_be_written_with_is_said(tmp_path: Path, name: str, text: bytes, said: str) -> None:
    (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / name).write_bytes(text)
    (tmp_path / ".kept").write_text("x")
    (problem,) = check_folder(tmp_path)
    assert problem.file == name
    assert said in str(problem.what)


def test_the_frame_of_all_mail_is_tried_with_every_kind(tmp_path: Path) -> None:
    frame = tmp_path / "base.html"
    frame.write_text((TEMPLATES / "base.html").read_text())
    assert check_folder(tmp_path) == []
    frame.write_text(f"{frame.read_text()}\n{{{{ nobody.name }}}}")
    assert {(each.file, each.line > 1) for each in check_folder(tmp_path)} == {("base.html", True)}


OF_0_1_0 = (
    '{% extends "base.html" %}{% block body %}{% from "vi/lines.html" import line, rest %}'
    '{% from "vi/words.txt" import opening, enquiries %}<p><b>{{ opening(letter) }}</b></p>'
    '<p><a class="b" href="{{ letter.acknowledge_url }}">Xác nhận</a></p>'
    "<ul>{% for item in facts.items %}{{ line(item) }}{% endfor %}</ul>{{ rest(2, letter.base_url) }}"
    "<p>{{ enquiries(facts.enquiries) }}</p>{% endblock %}"
)


def test_an_own_template_that_names_the_language_s_folder_is_rendered(tmp_path: Path) -> None:
    (tmp_path / "vi" / "duties").mkdir(parents=True)
    (tmp_path / "vi" / "duties" / "body.html").write_text(OF_0_1_0)
    assert check_folder(tmp_path) == []
    html = html_of(tmp_path, "vi")
    assert "Xác nhận</a>" in html
    assert "… và 2 việc khác" in html
    assert html_of(tmp_path, "en") == html_of(tmp_path / "none", "en")


def test_an_own_template_is_for_both_languages_or_stands_before_it_for_one(tmp_path: Path) -> None:
    for place, said in (("duties", "both"), ("vi/duties", "one")):
        (tmp_path / place).mkdir(parents=True)
        asked = "{{ letter.acknowledge_url }} {{ facts.enquiries.phone }} {{ facts.enquiries.email }}"
        (tmp_path / place / "body.html").write_text(f"<p>{said}</p>{asked}")
    assert check_folder(tmp_path) == []
    assert [html_of(tmp_path, language)[:10] for language in ("vi", "en")] == ["<p>one</p>", "<p>both</p"]
    (tmp_path / "duties" / "body.html").write_text("{{ nobody.name }}")
    assert {each.file for each in check_folder(tmp_path)} == {"duties/body.html"}


def test_own_words_of_an_earlier_version_stand_beside_the_shipped_ones_that_came_later(tmp_path: Path) -> None:
    (tmp_path / "vi").mkdir()
    own = "{% macro enquiries(who) %}Gọi số 1080.{% endmacro %}{% macro attached(item) %}; kèm tệp{% endmacro %}"
    (tmp_path / "vi" / "words.txt").write_text(own)
    assert check_folder(tmp_path) == []
    html, shipped = html_of(tmp_path, "vi"), html_of(tmp_path / "none", "vi")
    assert "Gọi số 1080." in html
    assert "“Đã nhận”; kèm tệp</li>" in html  # of the shipped «told», which asks the own «attached»
    assert html.partition("<h2>")[0] == shipped.partition("<h2>")[0]  # the opening, of the shipped words
    assert html_of(tmp_path, "en") == html_of(tmp_path / "none", "en")


def test_an_error_in_own_words_is_said_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "vi").mkdir()
    (tmp_path / "vi" / "words.txt").write_text("\n{% macro enquiries(who) %}{{ who.nothing }}{% endmacro %}")
    assert {(each.file, each.line) for each in check_folder(tmp_path)} == {("vi/words.txt", 2)}
    (tmp_path / "vi" / "words.txt").write_text("\n{% macro enquiries(who) %}")
    assert {(each.file, each.line) for each in check_folder(tmp_path)} == {("vi/words.txt", 2)}


def html_of(folder: Path, language: str) -> str:
    renderer = LetterRenderer(Signer(KEY), RendererSettings(BASE), custom_folder=folder)
    custom, shipped = renderer.templates()
    return renderer.render_with(custom or shipped, next(iter(samples(language, "duties"))), NOW).html


@pytest.fixture
def laid(sqlite_database: Database) -> Laid:
    laid = lay(sqlite_database, now=NOW)
    swept(sqlite_database, NOW)
    return laid


def office_with(folder: Path, box: LetterBox, seconds: float = 5.0) -> DeliveryContext:
    renderer = LetterRenderer(Signer(KEY), RendererSettings(BASE), custom_folder=folder, render_seconds=seconds)
    return DeliveryContext(channels={"email": box}, renderer=renderer)


def test_an_office_s_own_template_stands_before_the_shipped_one_from_when_it_is_saved(
    laid: Laid, tmp_path: Path
) -> None:
    box = LetterBox()
    office = office_with(tmp_path, box)
    home = tmp_path / "vi" / "duties"
    home.mkdir(parents=True)
    (home / "subject.txt").write_text("[Sở] {{ facts.items|length }} việc mới")
    asyncio.run(deliver(laid.database, NOW, office))
    assert {each.subject for each in box.letters} == {"[Sở] 1 việc mới"}
    assert all("Kính gửi" in each.text for each in box.letters)


def test_one_that_is_saved_while_letters_leave_is_seen_by_the_next(laid: Laid, tmp_path: Path) -> None:
    facts = next(iter(samples("vi", "duties")))
    stationery = office_with(tmp_path, LetterBox()).renderer
    before = stationery.render(facts, NOW)
    (tmp_path / "vi" / "duties").mkdir(parents=True)
    during = stationery.render(facts, NOW)
    (tmp_path / "vi" / "duties" / "subject.txt").write_text("[Sở] việc mới")
    assert (before.subject, during.subject) == (before.subject, before.subject)
    assert stationery.render(facts, NOW).subject == "[Sở] việc mới"


def test_what_no_own_file_takes_part_in_is_rendered_without_the_sandbox(tmp_path: Path) -> None:
    renderer = office_with(tmp_path, LetterBox()).renderer
    (tmp_path / "vi").mkdir()
    (tmp_path / "vi" / "lines.html").write_text("{{ ''.__class__ }}" + (TEMPLATES / "lines.html").read_text())
    custom, shipped = renderer.templates()
    assert custom is not None
    plain = renderer.render_with(shipped, next(iter(samples("en", "duties"))), NOW)
    assert renderer.render_with(custom, next(iter(samples("en", "duties"))), NOW) == plain
    with pytest.raises(TemplateRuntimeError, match="unsafe"):  # body.html imports it
        renderer.render_with(custom, next(iter(samples("vi", "duties"))), NOW)


def test_letters_rendered_together_use_the_templates_that_stood_when_they_began(tmp_path: Path) -> None:
    facts = next(iter(samples("vi", "duties")))
    renderer = office_with(tmp_path, LetterBox()).renderer
    (tmp_path / "vi" / "duties").mkdir(parents=True)
    own = tmp_path / "vi" / "duties" / "subject.txt"
    own.write_text("[A]")
    began = renderer.templates()
    assert renderer.render(facts, NOW, began).subject == "[A]"
    own.write_text("[BB]")
    assert renderer.render(facts, NOW, began).subject == "[A]"
    assert renderer.render(facts, NOW).subject == "[BB]"


@pytest.mark.parametrize(
    "text",
    [
        "{{ letter.nothing }}",
        "{{ 1 + 'a' }}",
        "{{ 1 / 0 }}",
        "{% include '/etc/hostname' %}",
        "{% include '../../letters.py' %}",
        "{{ {}.pop('x') }}",
    ],
)
def test_an_office_s_template_that_fails_holds_up_no_letter(laid: Laid, tmp_path: Path, text: str) -> None:
    home = tmp_path / "vi" / "duties"
    home.mkdir(parents=True)
    (home / "subject.txt").write_text(text)
    box = LetterBox()
    asyncio.run(deliver(laid.database, NOW, office_with(tmp_path, box)))
    assert len(box.letters) == 5
    assert all("xác nhận" in each.subject for each in box.letters)


LOOP = "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}"
HUGE = "{{ 'a'|center(5000000000) }}"


@pytest.mark.parametrize("text", [HUGE, LOOP])
def test_one_that_would_take_for_ever_or_all_memory_holds_up_no_letter(laid: Laid, tmp_path: Path, text: str) -> None:
    home = tmp_path / "vi" / "duties"
    home.mkdir(parents=True)
    (home / "subject.txt").write_text(text)
    box = LetterBox()
    asyncio.run(deliver(laid.database, NOW, office_with(tmp_path, box, seconds=0.2)))
    assert len(box.letters) == 5
    assert all("xác nhận" in each.subject for each in box.letters)
