"""Random keys that are given out once and stored as digests: cookies, sign-in links, API tokens, calendar feeds.

They are 256 random bits, so a plain SHA-256 is enough: they cannot be guessed, and a lookup needs no salt.
"""

from __future__ import annotations

import hashlib
import secrets

MAX_KEY_CHARS = 200
"""Longer input cannot be one of our keys and is cut before hashing."""


def new_key(prefix: str = "") -> tuple[str, str]:
    """A new random key and the digest to store."""
    key = prefix + secrets.token_urlsafe(32)
    return key, digest_of(key)


def digest_of(key: str) -> str:
    return hashlib.sha256(key[:MAX_KEY_CHARS].encode("utf-8", "replace")).hexdigest()
