from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import BadInput
from notifications.sms.gateway import e164, mask, masked, national


@pytest.mark.parametrize(
    "written", ["0912345678", "0912 345 678", "84912345678", "+84 91.234.5678", "(091) 2345678", "0084912345678"]
)
def test_a_mobile_number_is_read_however_it_is_written(written):
    assert e164(written) == "+84912345678"


@pytest.mark.parametrize(
    ("written", "why"),
    [
        ("02383844444", "not a mobile number"),
        ("+14155552671", "not a number of Viet Nam"),
        ("01234567890", "11 digits, which were replaced in 2018"),
        ("01689123456", "11 digits, which were replaced in 2018"),
        ("0912345", "not exist in the numbering plan"),
        ("1900", "not exist in the numbering plan"),
        ("coordinator@so.example", "not a telephone number"),
        ("", "not a telephone number"),
    ],
)
def test_a_number_that_receives_no_sms_is_refused_in_words_without_repeating_it(written, why):
    with pytest.raises(BadInput, match=why) as refused:
        e164(written)
    assert not written or written not in str(refused.value)


@given(st.text(max_size=40))
def test_reading_a_number_gives_a_number_or_bad_input(text):
    with suppress(BadInput):
        assert e164(text).startswith("+84")


@pytest.mark.parametrize("number", ["+84912345678", "0912345678", "84912345678", "0912 345 678"])
def test_a_number_in_a_log_shows_who_may_know_it_and_nobody_else(number):
    assert mask(number) == "+84 91****678"


def test_what_is_no_number_shows_nothing_in_a_log():
    assert mask("113") == mask("") == mask("so@ubnd.example") == "****"


def test_numbers_inside_a_sentence_are_masked_and_dates_are_not():
    said = masked("invalidPhone 84912345678, 0912.345.678 before 12/6/2021, tranId 123456")
    assert said == "invalidPhone +84 91****678, +84 91****678 before 12/6/2021, tranId 123456"


def test_the_national_form_has_a_leading_zero():
    assert national("+84912345678") == "0912345678"
