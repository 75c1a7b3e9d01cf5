"""Mobile numbers of Viet Nam: validation, formatting, and masking for logs. Pure.

The rules of the numbering plan are those of the ``phonenumbers`` package (ITU national plans), so a change of
prefixes is an update of that package and not of this file.
"""

from __future__ import annotations

import re

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberType

from engine.errors import BadInput
from engine.text import Text

COUNTRY = 84
_MOBILE = (PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE)
_LONG_NUMBER = re.compile(r"\+?\d(?:[ .()-]?\d){7,14}")


def e164(written: str) -> str:
    """``0912 345 678``, ``84912345678`` or ``+84 91.234.5678`` as ``+84912345678``.

    Raises BadInput if it is not a mobile number of Viet Nam in use today: landlines receive no SMS, numbers with 11
    digits were replaced in 2018. The message does not contain the number.
    """
    try:
        number = phonenumbers.parse(written, "VN")
    except NumberParseException as error:
        raise _refused("không phải là số điện thoại", "is not a telephone number") from error
    if number.country_code != COUNTRY:
        raise _refused("không phải số của Việt Nam", "is not a number of Viet Nam")
    if re.fullmatch(r"1(2\d|6[2-9]|86|88|99)\d{7}", str(number.national_number)):
        raise _refused("là số 11 chữ số đã đổi đầu năm 2018", "has 11 digits, which were replaced in 2018")
    if not phonenumbers.is_valid_number(number):
        raise _refused("không có trong quy hoạch số", "does not exist in the numbering plan")
    if phonenumbers.number_type(number) not in _MOBILE:
        raise _refused("không phải số di động, không nhận được tin nhắn", "is not a mobile number and receives no SMS")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _refused(vi: str, en: str) -> BadInput:
    # The message does not contain the number: it is personal data, and messages are stored and exported.
    return BadInput(
        Text(f"Số điện thoại {vi}; hãy sửa trong danh bạ.", f"The number {en}; correct it in the directory.")
    )


def national(number: str) -> str:
    """``+84912345678`` as ``0912345678``, the national format, which eSMS documents."""
    return "0" + number.removeprefix(f"+{COUNTRY}")


def mask(number: str) -> str:
    """A number for logs and exports: ``+84 91****678``. Anything with fewer than 8 digits becomes ``****``."""
    digits = re.sub(r"\D", "", number)
    if len(digits) < 8:
        return "****"
    if digits.startswith("0"):
        digits = f"{COUNTRY}{digits[1:]}"
    return f"+{digits[:2]} {digits[2:4]}****{digits[-3:]}"


def masked(text: str) -> str:
    """The text with every number of 8 to 15 digits masked: messages of gateways are stored without personal data."""
    return _LONG_NUMBER.sub(lambda found: mask(found.group()), text)
