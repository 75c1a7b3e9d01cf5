"""The DKIM seal of an outgoing message (RFC 6376): who signs, with which key, over what.

A relay that signs by itself needs none. With one, the same letter gives the same signature: the time in it is the
letter's own, and RSA PKCS#1 v1.5 has no chance in it. dkimpy signs in Python: a key of 2048 bits costs 5 ms a
letter, two hundred times the letter itself, so let the relay sign where it can.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any

import dkim
from dkim.canonicalization import CanonicalizationPolicy
from dkim.crypto import UnparsableKeyError, parse_pem_private_key

from engine.errors import BadInput
from engine.text import Text

# dkimpy has no type hints; everything of it passes through these three.
_DKIM: Any = dkim.DKIM
_read_key: Any = parse_pem_private_key
_policy: Any = CanonicalizationPolicy.from_c_value

# Each is named once more than it occurs where a second one, added on the way, would change what the reader sees.
_SIGNED = (b"from", b"to", b"subject", b"date", b"message-id", b"auto-submitted", b"content-language")
_ALSO = (b"mime-version", b"content-type", b"content-transfer-encoding", b"reply-to", b"in-reply-to", b"references")
_LISTS = (b"list-unsubscribe", b"list-unsubscribe-post")
_FROZEN = (b"from", b"to", b"subject", b"date", b"message-id")


@dataclass(frozen=True)
class Seal:
    """``key`` is an RSA private key in PEM (PKCS#1 or PKCS#8), whose public half stands in the DNS at
    ``selector._domainkey.domain``."""

    domain: str
    selector: str
    key: str = field(repr=False)

    def __post_init__(self) -> None:
        if not self.domain or not self.selector:
            raise BadInput(
                Text(
                    "Chữ ký DKIM cần cả tên miền và selector; hãy điền đủ.", "DKIM needs both a domain and a selector."
                )
            )
        assert self._private

    @cached_property
    def _private(self) -> dict[str, int]:
        """dkimpy's own form of an RSA key, read once: reading it costs as much as signing."""
        try:
            key: dict[str, int] = _read_key(self.key.replace("\r\n", "\n").strip().encode())
        except (UnparsableKeyError, ValueError) as error:
            raise BadInput(
                Text(
                    "Khóa DKIM không đọc được; cần khóa riêng RSA dạng PEM.",
                    "The DKIM key cannot be read; an RSA private key in PEM is needed.",
                )
            ) from error
        return key

    def sign(self, content: bytes, at: datetime) -> bytes:
        """The ``DKIM-Signature:`` header line of a whole message, CRLF included, to be put before it."""
        signer = _DKIM(content)
        signer.hasher = hashlib.sha256
        policy = _policy(b"relaxed/simple")
        present = [name.lower() for name, _ in signer.headers]
        names = [name for name in present if name in _SIGNED + _ALSO + _LISTS] + list(_FROZEN)
        body = hashlib.sha256(policy.canonicalize_body(signer.body)).digest()
        fields = [
            (b"v", b"1"),
            (b"a", b"rsa-sha256"),
            (b"c", policy.to_c_value()),
            (b"d", self.domain.encode("ascii")),
            (b"q", b"dns/txt"),
            (b"s", self.selector.encode("ascii")),
            (b"t", str(int(at.timestamp())).encode()),
            (b"h", b" : ".join(names)),
            (b"bh", base64.b64encode(body)),
            (b"b", b"0" * 60),
        ]
        # Not dkim.sign(): that one writes the time of the machine's clock into the signature.
        signed: bytes = signer.gen_header(fields, names, policy, b"DKIM-Signature", self._private)
        return b"DKIM-Signature: " + signed
