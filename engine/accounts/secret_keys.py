"""Secrets that are handed out once and kept as digests: cookies, sign-in links, API tokens, calendar addresses.

They are 256 random bits, so a plain SHA-256 is enough: there is nothing to guess, and no salt is needed to look one up.
"""

from __future__ import annotations

import hashlib
import secrets

MAX_KEY_CHARS = 200
"""A longer key was not made by us and is not worth hashing."""


def fresh_key(prefix: str = "") -> tuple[str, str]:
    """A new key for its holder, and the digest to keep."""
    key = prefix + secrets.token_urlsafe(32)
    return key, digest_of(key)


def digest_of(key: str) -> str:
    return hashlib.sha256(key[:MAX_KEY_CHARS].encode("utf-8", "replace")).hexdigest()
