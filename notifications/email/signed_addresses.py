"""Our own mailboxes with a letter's key in them: the return address of each letter (VERP) and its reply address.

Pure. All of one kind reach one mailbox by subaddressing (RFC 5233; Postfix ``recipient_delimiter = +``) or a catch-all.
The signature proves that whoever writes there had the letter, or is the relay that could not deliver it.
"""

from __future__ import annotations

import hmac
import re
from base64 import b32encode

BOUNCE, REPLY = "bounce+", "reply+"
RETURN_ADDRESSES, REPLY_ADDRESSES = "return-addresses", "reply-addresses"
"""The uses of the keys that sign them (``engine.accounts.signed_links.Signer.secret``)."""
_SIGNATURE_CHARS = 8  # base32, i.e. 40 bits: it can be guessed only by sending mail
_MAX_LOCAL_OCTETS = 64  # RFC 5321 §4.5.3.1.1
_PLAIN = re.compile(r"[a-z0-9.-]")
_ESCAPE = re.compile(r"=([0-9a-f]{2})")
_LOCAL = re.compile(rf"(?P<mark>[a-z2-7]{{{_SIGNATURE_CHARS}}})(?P<key>(?:[a-z0-9._-]|=[0-9a-f]{{2}})+)@.+")


def signed_address(prefix: str, key: str, secret: str, domain: str) -> str:
    """The address of one letter, or "" if the key is too long for a local part of 64 octets. All in lower case, since
    relays may change the case; ``:`` is encoded as ``_``, other special characters as ``=hh``."""
    written = "".join(_encoded(character) for character in key)
    local = prefix + _signature(written, secret) + written
    return f"{local}@{domain}" if len(local) <= _MAX_LOCAL_OCTETS and key and ".." not in key and key[-1] != "." else ""


def signed_key(prefix: str, address: str, secret: str) -> str | None:
    """The letter's key encoded in the address, or None if the signature is not valid."""
    plain = address.strip().strip("<>").lower()
    found = _LOCAL.fullmatch(plain.removeprefix(prefix)) if plain.startswith(prefix) else None
    if found is None or not hmac.compare_digest(found["mark"], _signature(found["key"], secret)):
        return None
    raw = _ESCAPE.sub(lambda code: chr(int(code[1], 16)), found["key"].replace("_", ":"))
    try:
        return raw.encode("latin-1").decode()
    except UnicodeDecodeError:
        return None


def _encoded(character: str) -> str:
    if _PLAIN.fullmatch(character):
        return character
    return "_" if character == ":" else "".join(f"={octet:02x}" for octet in character.encode())


def _signature(written: str, secret: str) -> str:
    return b32encode(hmac.digest(secret.encode(), written.encode(), "sha256"))[:_SIGNATURE_CHARS].decode().lower()
