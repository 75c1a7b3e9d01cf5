"""Digest of a JSON value, independent of the order of its keys."""

from __future__ import annotations

import hashlib
import json


def content_digest(body: object) -> str:
    """SHA-256 of the value as JSON with sorted keys, in hexadecimal."""
    return hashlib.sha256(json.dumps(body, sort_keys=True, ensure_ascii=False).encode()).hexdigest()
