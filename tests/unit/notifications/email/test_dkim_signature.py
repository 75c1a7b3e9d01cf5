"""DKIM signatures, checked by dkimpy against the public key that would stand in the DNS."""

from __future__ import annotations

import base64
import re
from dataclasses import replace
from datetime import UTC, datetime

import dkim
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from engine.errors import BadInput
from notifications.channel import Outgoing
from notifications.email.dkim_signature import Seal
from notifications.email.mime import Sender, compose

KEY = rsa.generate_private_key(65537, 1024)
PRIVATE = {
    form: KEY.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()).decode()
    for form in (serialization.PrivateFormat.PKCS8, serialization.PrivateFormat.TraditionalOpenSSL)
}
PEM = PRIVATE[serialization.PrivateFormat.PKCS8]
PUBLIC = KEY.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
LETTER = Outgoing(
    key="assignment:418:T-3",
    to="Văn thư huyện Diễn Châu <vanthu@huyen.example>",
    subject="[KH 188/KH-UBND] 3 nhiệm vụ đến hạn thứ Năm 17/6/2021",
    text="Kính gửi",
    html="<p>Kính gửi</p>",
    at=datetime(2021, 6, 14, 1, tzinfo=UTC),
    unsubscribe="https://dondoc.example/u/1",
)


def records(name: bytes, timeout: int = 5) -> bytes:
    assert name == b"thu2021._domainkey.so.example."
    return b"v=DKIM1; k=rsa; p=" + base64.b64encode(PUBLIC)


def sealed(pem: str = PEM) -> bytes:
    return compose(LETTER, Sender("nhacviec@so.example", "Đôn Đốc", Seal("so.example", "thu2021", pem)))[1]


@pytest.mark.parametrize("form", PRIVATE)
def test_a_sealed_letter_is_verified(form: serialization.PrivateFormat) -> None:
    assert dkim.verify(sealed(PRIVATE[form]), dnsfunc=records)
    assert dkim.verify(sealed(PRIVATE[form].replace("\n", "\r\n")), dnsfunc=records)


@pytest.mark.parametrize(
    "change", [(b"17/6", b"18/6"), (b"Date: Mon", b"Date: Tue"), (b"/u/1", b"/u/2"), (b"S8", b"S9")]
)
def test_a_changed_letter_is_not(change: tuple[bytes, bytes]) -> None:
    content = re.sub(rb"=\?utf-8\?B\?.*\?=", b"17/6", sealed())
    assert not dkim.verify(content.replace(*change), dnsfunc=records)


@pytest.mark.parametrize("line", [b"From: other@so.example", b"Subject: other", b"To: other@so.example"])
def test_a_second_header_breaks_the_seal(line: bytes) -> None:
    assert not dkim.verify(line + b"\r\n" + sealed(), dnsfunc=records)


def test_the_seal_of_the_same_letter_is_the_same_and_bears_its_time() -> None:
    assert sealed() == sealed()
    assert b"t=1623632400" in re.sub(rb"\s", b"", sealed())


def test_no_line_of_a_seal_is_too_long() -> None:
    assert max(map(len, sealed().split(b"\r\n"))) <= 78


@pytest.mark.parametrize("facts", [{"key": "none"}, {"key": ""}, {"domain": ""}, {"selector": ""}])
def test_a_key_that_is_none_is_a_mistake_in_the_settings(facts: dict[str, str]) -> None:
    with pytest.raises(BadInput, match="DKIM"):
        replace(Seal("so.example", "thu2021", PEM), **facts)


def test_the_key_is_not_shown() -> None:
    assert "PRIVATE" not in repr(Seal("so.example", "thu2021", PEM))
