"""One text in every format gives the same plan: plain, wrapped, Word, web page with entities, law-site copy."""

import html
import re
import textwrap
from functools import cache

import pytest
from ground.paths import DATA
from import_figures.kinds import samples

from engine.errors import BadInput
from engine.features.plan_import.importer import read_document
from engine.rules.vietnamese import squashed

KINDS = DATA / "import" / "kinds"


@cache
def texts():
    return [
        each
        for half in ("open", "heldback", "second", "third", "fourth", "fifth")
        for each in samples(KINDS / f"{half}.yaml")
        if "html" not in each.label and each.kind not in ("tables", "law-site")
    ]


def read_as(plan):
    return [
        (duty.citation, squashed(duty.text), tuple(owner.name for owner in item.owners), len(duty.deadlines))
        for item in plan.items
        for duty in item.duties
    ], [squashed(each.text) for each in plan.instructions]


@cache
def as_it_stands(raw):
    """What is read from the text itself, which every form of it is compared with."""
    return read_as(read_document(raw, "x"))


def entities(text):
    """As Word writes a Vietnamese page: windows-1252, every letter beyond it as an entity."""
    return "".join(each if ord(each) < 256 else f"&#{ord(each)};" for each in html.escape(text, quote=False))


def word_page(text):
    head = '<meta http-equiv=Content-Type content="text/html; charset=windows-1252">'
    body = "".join(f"<p class=MsoNormal>{entities(line)}</p>" for line in text.split("\n"))
    return f"<html><head>{head}</head><body>{body}</body></html>".encode("cp1252")


def markdown(text):
    """As an assistant or an editor gives it back: titles, bold names and numbers, rules, stars for dashes."""
    return "# Văn bản\n\n" + "\n\n".join(_marked(line) for line in text.split("\n"))


def _marked(line):
    number, sign, rest = line.partition(". ")
    if line.isupper() and len(line) > 6:
        return f"---\n\n## **{line}**"
    if number.isdigit() and sign:
        return f"**{number}\\. {rest}**"
    label, colon, rest = line.partition(":")
    return f"**{label}:**{rest}" if colon and 0 < len(label) < 40 and label[0].isupper() else re.sub("^- ", "* ", line)


FORMS = {
    "double spaced": lambda text: text.replace("\n", "\n\n").encode(),
    "law site": lambda text: f"Trang chủ\nĐăng nhập\n{text}\nVăn bản liên quan\nBình luận".encode(),
    "markdown": lambda text: markdown(text).encode(),
    "word page": word_page,
    "utf-16": lambda text: text.encode("utf-16"),
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_a_text_gives_the_same(form):
    for sample in texts():
        made = FORMS[form](sample.raw.decode())
        assert read_as(read_document(made, "x")) == as_it_stands(sample.raw), sample.name


def test_a_word_document_gives_the_same(word):
    for sample in texts():
        made = word(sample.raw.decode().split("\n"))
        assert read_as(read_document(made, "x.docx")) == as_it_stands(sample.raw), sample.name


def test_wrapping_at_eighty_columns_changes_next_to_nothing():
    """A wrapped line that ends where a heading could is read by its neighbours; the docs say how many differ."""
    differ = []
    for sample in texts():
        text = "\n".join(textwrap.fill(line, 80) or line for line in sample.raw.decode().split("\n"))
        wrapped = read_document(text.encode(), "x")
        told = any(each.code == "two_readings" for each in wrapped.warnings)
        if read_as(wrapped) != as_it_stands(sample.raw) and not told:
            differ.append(sample.name)
    assert len(differ) <= 1, differ


def test_a_page_of_word_declares_windows_1252_and_keeps_its_vietnamese(text_188, plan_188, nghe_an):
    plan = read_document(word_page(text_188), "188.htm", directory=nghe_an)
    assert read_as(plan) == read_as(plan_188)
    assert not [each for each in plan.warnings if each.code in ("strange_letters", "converted")]


def test_impossible_syllables_are_doubted_whatever_the_way_they_came(text_188):
    spoilt = text_188.replace("ã", "ă").replace("ò", "̣h")
    told = [each.message for each in read_document(spoilt.encode(), "x").warnings if each.code == "strange_letters"]
    assert len(told) == 1
    assert "«xă»" in told[0]


def test_a_text_of_mostly_impossible_syllables_is_refused(text_188):
    spoilt = "".join("ąęłżč"[n % 5] if each in "àáảãạăâđêôơưếệộớ" else each for n, each in enumerate(text_188))
    with pytest.raises(BadInput, match="Chữ trong tệp không đọc được"):
        read_document(spoilt.encode(), "x")
