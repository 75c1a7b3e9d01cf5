import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import BadInput
from notifications.sms.text import BASIC, EXTENSION, MAX_PARTS, Coding, Size, brand, fit, measure, plain, subject_words


def test_the_gsm_alphabet_has_127_characters_beside_its_escape():
    assert len(BASIC) == 127
    assert len(EXTENSION) == 10
    assert not BASIC & EXTENSION


@pytest.mark.parametrize(
    ("text", "bare"),
    [
        ("Đôn đốc nhiệm vụ", "Don doc nhiem vu"),
        ("ỦY BAN NHÂN DÂN TỈNH NGHỆ AN", "UY BAN NHAN DAN TINH NGHE AN"),
        ("Quỳ Hợp – Quỳ Châu — “gấp”…", 'Quy Hop - Quy Chau - "gap"...'),
        ("«XN 4821»\u00a0\u00a0trước\t30/6", '"XN 4821" truoc 30/6'),
        ("dòng một\r\n\r\n  dòng hai  ", "dong mot\ndong hai"),
        ("\u200bẩn\ufeff", "an"),
        ("cười 🙂", "cuoi ?"),
        ("½ №5 `x`", "1/2 No5 'x'"),
    ],
)
def test_a_text_loses_its_marks_and_keeps_its_letters(text, bare):
    assert plain(text) == bare


@pytest.mark.parametrize(
    ("length", "parts", "left"),
    [(0, 0, 160), (1, 1, 159), (160, 1, 0), (161, 2, 145), (306, 2, 0), (307, 3, 152), (459, 3, 0), (460, 4, 152)],
)
def test_without_marks_160_306_459_characters_take_one_two_three_parts(length, parts, left):
    assert measure("a" * length) == Size(Coding.GSM7, parts, left)


@pytest.mark.parametrize(("length", "parts", "left"), [(70, 1, 0), (71, 2, 63), (134, 2, 0), (135, 3, 66)])
def test_with_marks_70_then_67_characters_make_a_part(length, parts, left):
    assert measure("đ" * length) == Size(Coding.UCS2, parts, left)


def test_an_extension_character_takes_two_places_and_is_not_split_between_parts():
    assert measure("[" * 80) == Size(Coding.GSM7, 1, 0)
    assert measure("a" * 152 + "[" + "a" * 152) == Size(Coding.GSM7, 3, 152)


def test_a_picture_takes_two_places_of_ucs2_and_is_not_split_between_parts():
    assert measure("🙂" * 35) == Size(Coding.UCS2, 1, 0)
    assert measure("đ" * 66 + "🙂" + "đ" * 66).parts == 3


@given(st.text(max_size=400))
def test_a_text_without_marks_always_travels_in_the_gsm_alphabet(text):
    bare = plain(text)
    assert plain(bare) == bare
    assert bare.isascii()
    assert measure(bare).coding is Coding.GSM7


def test_a_text_that_fits_is_not_touched():
    fitted = fit("Nhiệm vụ IV.2.1 còn 3 ngày")
    assert fitted.text == "Nhiem vu IV.2.1 con 3 ngay"
    assert not fitted.cut


def test_a_long_text_is_cut_at_a_word_and_says_so():
    fitted = fit("nhiệm vụ IV.2.1 quá hạn; " * 40)
    assert fitted.cut
    assert fitted.size.parts == 2
    assert fitted.text.endswith("... (con nua)")
    assert fitted.text.split("...")[0].rsplit(" ", 1)[1] in {"nhiem", "vu", "IV.2.1", "qua", "han;"}


def test_a_text_kept_with_its_marks_is_cut_to_134_characters():
    fitted = fit("Đôn đốc " * 40, marks=True)
    assert fitted.size == Size(Coding.UCS2, 2, fitted.size.left)
    assert fitted.text.endswith(" Đôn… (còn nữa)")
    assert len(fitted.text) <= 134


def test_a_text_in_english_ends_in_english():
    assert fit("overdue " * 60, language="en").text.endswith("overdue... (more)")


def test_one_endless_word_is_cut_inside():
    fitted = fit("x" * 900)
    assert fitted.text.endswith("xxx... (con nua)")
    assert fitted.size == Size(Coding.GSM7, 2, 0)


@given(st.text(max_size=700), st.booleans())
def test_whatever_is_written_fits(text, marks):
    fitted = fit(text, marks=marks)
    assert fitted.size.parts <= MAX_PARTS
    assert fitted.size == measure(fitted.text)


@pytest.mark.parametrize("name", ["DONDOC", "UBND N.AN", "KH188", "8099", "+84912345678", "SO-LDTBXH"])
def test_a_sender_a_network_can_show_is_taken(name):
    assert brand(name) == name


@pytest.mark.parametrize("name", ["", "DONDOCNGHEAN", "ĐÔN ĐỐC", "12", " DD", "1" * 16, "DON\nDOC", "12.34"])
def test_a_sender_no_network_can_show_is_refused(name):
    with pytest.raises(BadInput, match="sender name"):
        brand(name)


@pytest.mark.parametrize(
    "text", ["phòng, chống mại dâm", "MAI DAM", "ma tuý", "ma  túy", "mại-dâm", "HIV/AIDS", "h.i.v", "ma\u200b túy"]
)
def test_a_subject_word_is_seen_however_it_is_typed(text):
    assert subject_words(text)


@pytest.mark.parametrize("text", ["ngày mai đảm bảo đủ", "chiva", "ma trận túi", "Kế hoạch 188", "mãi đám", ""])
def test_an_innocent_text_has_no_subject_words(text):
    assert subject_words(text) == ()


@given(st.text(max_size=100))
def test_looking_for_subject_words_never_fails(text):
    assert set(subject_words(text + " HIV")) >= {"HIV"}
