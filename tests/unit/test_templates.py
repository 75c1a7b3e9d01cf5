"""Templates of pages and letters that a person can review: short lines, and indentation that costs a page nothing."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from ground.paths import ROOT
from jinja2 import DictLoader, Environment

from engine.http.render import ENGINE, TEMPLATE_FOLDERS, WEB_DIR
from engine.template_cache import FastEnvironment
from engine.text import LANGUAGES
from notifications.letters.renderer import TEMPLATES, exported

MAX_COLUMNS = 120
HOOKS = {"common", "large", "plan-fields", "secret"}
"""Classes by which tests find a part that looks like any other."""
MADE = {
    *"ostdl",
    "fired",
    "later",
    "skipped",
    "better",
    "rl-sent",
    "rl-chased",
    "rl-next",
    *(f"h{n}" for n in range(1, 6)),
}
"""Classes that a template takes from a value: a mark, a state, a number."""
FOLDERS = (*TEMPLATE_FOLDERS, TEMPLATES, ROOT / "workflows/simulation/templates")
GRAMMAR = {"vi": {"times", "chased_times"}, "en": {"things", "nth"}}
"""Words that only the sentences of one language are made with: plurals, ordinals."""


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.relative_to(ROOT).as_posix())
def test_a_line_of_an_html_template_fits_a_screen(folder: Path) -> None:
    long = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in sorted(folder.rglob("*.html"))
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if len(line) > MAX_COLUMNS
    ]
    assert long == []


def test_the_layout_of_an_html_template_is_no_part_of_the_page_and_that_of_a_text_is() -> None:
    source = (
        "<ul>\n  {% for n in range(2) %}\n    <li>\n      {{ n }}\n    </li>\n  {% endfor %}\n</ul>\n"
        "<p>a {% if 1 %} <b>b</b>{% endif %} c\n  d</p>"
    )
    environment = FastEnvironment(
        loader=DictLoader({"list.html": source, "list.txt": source}), trim_blocks=True, lstrip_blocks=True
    )
    page = environment.get_template("list.html").render()
    assert page == "<ul><li>0</li>\n<li>1</li>\n</ul>\n<p>a  <b>b</b> c\nd</p>"
    assert "    <li>\n      0" in environment.get_template("list.txt").render()


def test_no_page_names_a_variable_of_the_server_but_the_list_of_them_and_that_of_the_api() -> None:
    pages = [path for folder in TEMPLATE_FOLDERS for path in folder.rglob("*.html")]
    assert [path.name for path in pages if "DONDOC_" in path.read_text()] == ["api_reference.html"]


def styles() -> str:
    return re.sub(r"/\*.*?\*/", "", "".join(path.read_text() for path in WEB_DIR.glob("static/*.css")), flags=re.S)


def test_each_class_of_a_page_has_a_style_and_each_style_a_page() -> None:
    styled = set(re.findall(r"\.([a-z][a-z0-9-]*)", re.sub(r"\{[^{}]*\}", "{}", styles())))
    source = "".join(path.read_text() for folder in TEMPLATE_FOLDERS for path in folder.rglob("*.html"))
    markup = re.sub(r"\{[{%].*?[%}]\}", "", source, flags=re.S)
    worn = {name for value in re.findall(r'class="([^"]*)"', markup) for name in value.split()}
    assert worn - styled - {"h"} == HOOKS
    written = re.findall(r'class="((?:[^"{]|\{\{.*?\}\}|\{%.*?%\})*)"', source, re.S)
    drawn = "".join(ENGINE.joinpath("views", name).read_text() for name in ("svg_charts.py", "next_step.py"))
    used = set(re.findall(r"[a-z][a-z0-9-]*", " ".join([*written, drawn])))
    assert styled - used - MADE == set()


def test_type_has_twelve_sizes() -> None:
    assert len(set(re.findall(r"--[a-z-]+: ([\d.]+p[xt])", styles()))) <= 12
    asked = re.findall(r"(?:font-size|font): *([^;\s/]+)", styles())
    assert {value for value in asked if not value.startswith("var(")} <= {"inherit", "0"}


def test_an_error_in_an_html_template_is_told_by_its_line() -> None:
    environment = FastEnvironment(loader=DictLoader({"page.html": "<p>\n  <b>\n    {{ 1 / 0 }}\n  </b>\n</p>"}))
    with pytest.raises(ZeroDivisionError) as failed:
        environment.get_template("page.html").render()
    assert failed.traceback[-1].lineno == 2


def test_both_languages_have_words_for_the_same_names() -> None:
    names = {
        language: exported(Environment().parse((TEMPLATES / language / "words.txt").read_text())).keys()
        for language in LANGUAGES
    }
    assert all(names[language] >= GRAMMAR[language] for language in LANGUAGES)
    assert names["vi"] - GRAMMAR["vi"] == names["en"] - GRAMMAR["en"]
