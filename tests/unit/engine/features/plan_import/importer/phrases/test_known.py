"""Names that are known while a document is read: those of the office's own directory."""

import pytest
from ground.plan_documents import owned
from import_figures.own_directory import directory_of

from engine.features.plan_import.importer import read_document
from engine.features.plan_import.importer.phrases.agency_lists import bodies_in
from engine.features.plan_import.importer.phrases.labels import KnownNames, knowing, known_names
from engine.features.plan_import.importer.phrases.name_words import Prose
from engine.features.plan_import.importer.phrases.names import names_at
from engine.features.plan_import.importer.phrases.owners import Form, owner_line
from engine.rules.vietnamese import matching

NAMES = (
    "Sở Y tế",
    "Cục Hộ tịch, quốc tịch, chứng thực",
    "Phòng Kế hoạch, Tài chính",
    "Quỹ Trợ vốn cho công nhân lao động nghèo tự tạo việc làm",
    "Mạng lưới tình nguyện viên",
    "Ủy ban nhân dân các xã vùng đệm",
    "Phòng Kinh tế",
    "Công an phường",
    "Xây dựng",
    "Vinh",
    "Nam Đàn",
)


@pytest.mark.parametrize(
    ("text", "known"),
    [
        ("sở y tế chủ trì", "sở y tế"),
        ("sở  y tế, công an", "sở  y tế"),
        ("phòng kế hoạch - tài chính rà soát", "phòng kế hoạch - tài chính"),
        ("ubnd các xã vùng đệm trồng rừng", "ubnd các xã vùng đệm"),
        ("sở y. tế", None),
        ("sở", None),
        ("", None),
    ],
)
def test_the_longest_known_name_at_a_place_ends_whatever_signs_are_in_it(text, known):
    end = KnownNames(NAMES).end(matching(text), 0)
    assert (text[:end] if end else None) == known


def test_names_are_known_within_a_reading_alone():
    with knowing(["Sở Y tế"]):
        with knowing(["Công an tỉnh"]):
            assert known_names().end("sở y tế", 0) == 7
        assert known_names().end("công an tỉnh", 0) is None
    assert known_names().end("sở y tế", 0) is None


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("Cục Hộ tịch, quốc tịch, chứng thực rà soát", ["Cục Hộ tịch, quốc tịch, chứng thực"]),
        ("Phòng Kế hoạch, Tài chính cấp kinh phí", ["Phòng Kế hoạch, Tài chính"]),
        ("Mạng lưới tình nguyện viên vận động", ["Mạng lưới tình nguyện viên"]),
        ("Phòng Kinh tế - Công an phường rà soát", ["Phòng Kinh tế", "Công an phường"]),
        ("Phòng Kinh tế và Hạ tầng rà soát", ["Phòng Kinh tế và Hạ tầng"]),
        ("Xây dựng nhà ở", []),
        ("Vinh danh các tập thể", []),
        ("Sở Y tế các tỉnh, thành phố rà soát", ["Sở Y tế các tỉnh, thành phố"]),
        ("Ủy ban nhân dân các xã vùng đệm có chợ rà soát", ["Ủy ban nhân dân các xã vùng đệm có chợ"]),
        ("Nam Đàn là huyện điểm", []),
        ("mạng lưới tình nguyện viên vận động", ["mạng lưới tình nguyện viên"]),
    ],
)
def test_a_name_of_the_directory_is_one_to_its_end_and_no_verb_is_a_name(text, names):
    with knowing(NAMES):
        assert [name.text for name in names_at(Prose.of(text), 0, small=True)[0]] == names


def test_what_a_known_body_does_is_no_part_of_its_name():
    with knowing(["Phòng Quản trị", "Khoa Truyền nhiễm"]):
        names = bodies_in("Phòng Quản trị cải tạo phòng bệnh; Khoa Truyền nhiễm tiếp nhận, vận hành")
    assert [name.text for name in names] == ["Phòng Quản trị", "Khoa Truyền nhiễm"]


def test_whatever_a_known_body_does_its_sentence_is_an_order():
    assert owner_line("Mạng lưới tình nguyện viên thăm các hộ neo đơn.") is None
    with knowing(NAMES):
        line = owner_line("Mạng lưới tình nguyện viên thăm các hộ neo đơn.")
    assert (line.written, line.form) == ("Mạng lưới tình nguyện viên", Form.INLINE)


def test_a_plan_is_read_with_the_names_of_the_office_s_directory():
    body = (
        "ỦY BAN NHÂN DÂN\nTỈNH AN LẠC\nSố: 1/KH-UBND\nAn Lạc, ngày 02 tháng 3 năm 2022\nKẾ HOẠCH\nCÔNG TÁC NĂM 2022\n"
        "IV. TỔ CHỨC THỰC HIỆN\n1. Giao Phòng Tài chính, quản trị mạng cấp kinh phí.\n2. Sở Y tế\n- Khám bệnh.\n"
    ).encode()
    label = {"duties": [{"o": ["Phòng Tài chính, quản trị mạng", "Sở Y tế"]}]}
    assert owned(read_document(body, "x.txt", directory=directory_of([label]))) == [
        ("IV.1", ["Phòng Tài chính, quản trị mạng"]),
        ("IV.2.1", ["Sở Y tế"]),
    ]
    assert owned(read_document(body, "x.txt"))[0] != ("IV.1", ["Phòng Tài chính, quản trị mạng"]), "by words alone"


def test_the_same_names_are_set_out_once():
    with knowing(["Sở Y tế"]):
        first = known_names()
    with knowing(("Sở Y tế",)):
        assert known_names() is first
        with knowing(["Phòng Vận tải"]):
            assert known_names() is not first
