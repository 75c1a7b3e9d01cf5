"""Files meant to do harm, or simply not plans, are refused in words before they cost time or memory."""

import io
import zipfile

import pypdf
import pytest

from engine.errors import BadInput
from engine.features.plan_import.importer import read_document
from engine.features.plan_import.importer.reading.pdf import Limits

PACKAGE = '<?xml version="1.0"?><w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main">'
SMALL = Limits(file_bytes=200_000, unpacked_bytes=2_000_000, part_bytes=1_000_000, entries=50, lines=2_000, cells=2_000)


def package(document="<w:body/>", **others):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("word/document.xml", document if "<?xml" in document else f"{PACKAGE}{document}</w:document>")
        for name, content in others.items():
            made.writestr(name.replace("__", "/"), content)
    return file.getvalue()


def refusal(raw, name="x", limits=SMALL):
    with pytest.raises(BadInput) as refused:
        read_document(raw, name, limits=limits)
    return str(refused.value)


def test_a_zip_bomb_is_refused_by_what_it_would_unpack_to():
    assert "giải nén" in refusal(package(word__media="0" * 3_000_000))


def test_a_huge_part_is_refused_even_if_the_directory_of_the_zip_lies():
    assert "giải nén" in refusal(package(f"<w:body>{' ' * 1_500_000}</w:body>"))


def test_two_hundred_megabytes_are_refused_after_the_limit_is_read(tmp_path):
    path = tmp_path / "big.docx"
    with path.open("wb") as file:
        file.truncate(200_000_000)
    assert "lớn quá 25 MB" in refusal(path, limits=Limits())


@pytest.mark.parametrize("element", ["sdt", "tbl"])
def test_deep_nesting_in_word_is_refused(element):
    deep = f"<w:{element}>" * 500 + f"</w:{element}>" * 500
    assert "lồng nhau quá sâu" in refusal(package(f"<w:body>{deep}</w:body>"))


def test_external_entities_are_refused_and_never_read(tmp_path):
    secret = tmp_path / "secret.txt"
    secret.write_text("IV. TỔ CHỨC THỰC HIỆN\n1. Sở Y tế\n- bí mật", encoding="utf-8")
    evil = f'<?xml version="1.0"?><!DOCTYPE d [<!ENTITY e SYSTEM "file://{secret}">]>' + PACKAGE[21:]
    said = refusal(package(f"{evil}<w:body><w:p><w:r><w:t>&e;</w:t></w:r></w:p></w:body></w:document>"))
    assert "DOCTYPE" in said


def test_entities_that_multiply_are_refused():
    lol = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 10))
    evil = f'<?xml version="1.0"?><!DOCTYPE d [<!ENTITY a0 "ha">{lol}]>' + PACKAGE[21:]
    assert "DOCTYPE" in refusal(package(f"{evil}<w:body><w:p><w:r><w:t>&a9;</w:t></w:r></w:p></w:body></w:document>"))


def test_macros_are_refused():
    assert "macro" in refusal(package(word__vbaProject_bin="x").replace(b"_bin", b".bin"))


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"", "không có chữ"),
        (b"   \n ", "không có chữ"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"0" * 600, "Word cũ"),
        (b"PK\x03\x04 broken", "hỏng"),
        (b"{\\rtf1 x}", "rtf"),
        (b"\x89PNG\r\n", "png"),
        (b"%PDF-1.4 nothing here", "hỏng"),
        (b"a\0b" + b"c" * 100, "không phải văn bản"),
    ],
)
def test_what_is_no_document_is_refused_in_words(raw, said):
    assert said in refusal(raw)


def test_a_zip_that_is_no_word_document_is_refused():
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as made:
        made.writestr("a.txt", "x")
    assert "zip" in refusal(file.getvalue())


def test_a_pdf_of_pictures_says_so(request):
    path = request.config.rootpath / "tests" / "data" / "import" / "files" / "pictures.pdf"
    assert "chỉ có hình ảnh" in refusal(path)


def test_a_pdf_with_a_password_says_so():
    writer, file = pypdf.PdfWriter(), io.BytesIO()
    writer.add_blank_page(200, 200)
    writer.encrypt("mật khẩu")
    writer.write(file)
    assert "mật khẩu" in refusal(file.getvalue())


def test_a_page_with_cells_without_end_is_refused():
    raw = b"<table>" + b"<tr><td rowspan=200 colspan=200>x</td></tr>" * 500
    assert "quá dài" in refusal(raw)


def test_a_page_nested_without_end_has_no_text_and_does_no_harm():
    assert "không có chữ" in refusal(b"<html>" + b"<div>" * 30_000)


def test_too_many_lines_are_refused():
    assert "quá dài" in refusal(b"a\n" * 3_000)


def test_a_missing_file_is_said_in_words(tmp_path):
    assert "Không mở được" in refusal(tmp_path / "none.txt")


def test_a_document_without_duties_is_refused_clearly():
    said = refusal("BÁO CÁO\nI. KẾT QUẢ\n1. Đã trồng 500 ha rừng.\n2. Thu ngân sách đạt 90%.".encode())
    assert "không có mục nào giao nhiệm vụ" in said
    assert "has no section that assigns duties" in said
