"""An office's own form is filled in a child of bounded time and memory; what cannot be filled is refused in words."""

from __future__ import annotations

import io
import resource
import zipfile
from collections.abc import Callable

import docx
import pytest

from engine.errors import BadInput
from engine.features.papers.letterhead import example, fill, fill_each, sample

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 40


def form(*paragraphs: str, header: str = "") -> bytes:
    own = docx.Document()
    for each in ("Kính gửi:", *paragraphs, "Trân trọng."):
        own.add_paragraph(each)
    if header:
        own.sections[0].header.paragraphs[0].text = header
    file = io.BytesIO()
    own.save(file)
    return file.getvalue()


def repacked(change: Callable[[str, bytes], bytes | None], more: dict[str, bytes] | None = None) -> bytes:
    """The example with its parts changed; ``None`` leaves one out."""
    file = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(example())) as old,
        zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for name in old.namelist():
            if (body := change(name, old.read(name))) is not None:
                new.writestr(name, body)
        for name, body in (more or {}).items():
            new.writestr(name, body)
    return file.getvalue()


def test_a_good_form_is_filled() -> None:
    filled = docx.Document(io.BytesIO(fill(form("Về việc: {{ subject }}"), sample())))
    assert any(each.text.startswith("Về việc: V/v đôn đốc") for each in filled.paragraphs)


@pytest.mark.parametrize(
    "placeholder",
    [
        "{{ 'a' * 10**9 }}",
        "{{ 1 / 0 }}",
        "{{ level + 'x' }}",
        "{{ subject.nothing.more }}",
        "{{ ''.__class__.__mro__ }}",
        "{{ overdue[99].no }}",
        "{{ '%99999999999d' | format(1) }}",
        "{{ range(10**9) }}",
        "{{ self._TemplateReference__context }}",
        "{{ nobody }}",
        "{{ subject | nofilter }}",
    ],
)
def test_an_error_in_a_placeholder_is_a_refusal_that_names_the_place(placeholder: str) -> None:
    with pytest.raises(BadInput) as refused:
        fill(form("Về việc trên", placeholder), sample())
    assert f"«{placeholder}»" in refused.value.text.vi
    assert "Kính gửi" not in refused.value.text.vi


def test_a_placeholder_of_the_header_is_named_as_such() -> None:
    with pytest.raises(BadInput, match="header") as refused:
        fill(form("{{ subject }}", header="{{ nobody }}"), sample())
    assert "«{{ nobody }}»" in refused.value.text.vi


@pytest.mark.parametrize(
    "loop",
    [
        "{% for a in range(90000) %}{% for b in range(90000) %}{% endfor %}{% endfor %}",
        "{% macro m() %}{% for a in range(9) %}{{ m() }}{% endfor %}{% endmacro %}{{ m() }}",
    ],
)
def test_what_never_ends_is_stopped(loop: str) -> None:
    with pytest.raises(BadInput):
        fill(form(loop), sample(), seconds=2.0)
    assert fill(example(), sample())


def test_what_grows_without_bound_is_refused_and_costs_this_process_nothing() -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for body in ("{% for a in range(90000) %}{{ 'đ' * 9000 }}{% endfor %}", "{{ ['a' * 9000000] * 99 }}"):
        with pytest.raises(BadInput):
            fill(form(body), sample())
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 60_000  # KiB


@pytest.mark.parametrize(
    "broken",
    [
        b"",
        b"not a document",
        b"PK\x05\x06" + b"\0" * 18,
        repacked(lambda name, body: None if name == "word/document.xml" else body),
        repacked(lambda name, body: None if name == "[Content_Types].xml" else body),
        repacked(lambda name, body: None if name == "_rels/.rels" else body),
        repacked(lambda name, body: b"<w:document" if name == "word/document.xml" else body),
        repacked(lambda name, body: b"<x/>" if name == "word/document.xml" else body),
        repacked(lambda name, body: b"\xff\xfe" * 9 if name == "word/document.xml" else body),
        repacked(lambda name, body: b"<!DOCTYPE x" if name == "[Content_Types].xml" else body),
        repacked(lambda name, body: body, {"word/media/x.bin": b"\0" * 30_000_000}),
    ],
)
def test_what_is_no_word_document_or_a_bomb_is_refused(broken: bytes) -> None:
    with pytest.raises(BadInput, match="mẫu"):
        fill(broken, sample())


def test_a_length_that_lies_is_refused() -> None:
    body = bytearray(example())
    at = body.rindex(b"PK\x01\x02")
    body[at + 24 : at + 28] = (10).to_bytes(4, "little")
    with pytest.raises(BadInput):
        fill(bytes(body), sample())


def test_a_broken_picture_stays_what_it_is() -> None:
    types = b'<Default Extension="png" ContentType="image/png"/></Types>'

    def changed(name: str, body: bytes) -> bytes:
        return body.replace(b"</Types>", types) if name == "[Content_Types].xml" else body

    assert fill(repacked(changed, {"word/media/image1.png": PNG}), sample())


def test_letters_of_one_form_share_their_time() -> None:
    slow = form("{% for a in range(3000) %}{% for b in range(1000) %}{% endfor %}{% endfor %}")
    with pytest.raises(BadInput):
        list(fill_each(slow, [sample()] * 1_000, seconds=1.0))
    assert len(list(fill_each(example(), [sample()] * 3))) == 3
