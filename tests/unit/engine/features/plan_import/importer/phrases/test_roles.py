"""Who helps in a duty, by the words around its name."""

import pytest

from engine.features.plan_import.importer.phrases.agency_lists import roles_in

HELPERS = [
    ("Truy quét; có sự tham gia của Công an và Dân quân các xã.", ("Công an và Dân quân các xã",)),
    ("Nhốt vật nuôi, phối hợp với tổ tiêm phòng; nộp tiền.", ("tổ tiêm phòng",)),
    ("Ký quy chế phối hợp quản lý rừng với các địa phương liền kề.", ()),
    ("Phối hợp tổ chức hội nghị, phối hợp với đội ngũ cộng tác.", ()),
]


@pytest.mark.parametrize(("text", "coordinating"), HELPERS)
def test_who_helps_is_named(text, coordinating):
    assert roles_in(text, ()).coordinating == coordinating
