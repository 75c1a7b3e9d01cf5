"""Reads Authentication-Results (RFC 8601): whether our own relay found that a message comes from its From domain.

Pure. Anything malformed counts as not authenticated, and so does a result of another server: only the relay that the
operator names is believed, since the sender can write such headers too.
"""

from __future__ import annotations

import re

_QUOTED = re.compile(r'"(?:\\.|[^"\\])*"')
_COMMENT = re.compile(r"\([^()]*\)")
_RESULT = re.compile(r"(?P<method>[a-z0-9-]+)(?:/\d+)?=(?P<result>[a-z]+)(?P<properties>(?:\s.*)?)")
_PROPERTY = re.compile(r"(?<!\S)([a-z]+\.[a-z0-9-]+)=(\S+)")


def is_authenticated(results: str, authserv_id: str, sender: str) -> bool:
    """Whether the topmost header ``results`` is of the server ``authserv_id`` and says that the domain of ``sender``
    passes DMARC, or, where it says nothing of DMARC, SPF or DKIM aligned with that domain."""
    domain = sender.rpartition("@")[2].lower()
    plain = _without_comments(_QUOTED.sub('""', results.lower()))
    if not domain or plain is None:
        return False
    server, *found = (" ".join(each.split()) for each in plain.split(";"))
    if server.partition(" ")[0] != authserv_id.lower():
        return False
    checks = [(each["method"], each["result"], dict(_PROPERTY.findall(each["properties"]))) for each in _results(found)]
    dmarc = [(result, properties) for method, result, properties in checks if method == "dmarc"]
    if dmarc and dmarc[0][0] != "none":
        return all(result == "pass" and properties.get("header.from") == domain for result, properties in dmarc)
    return any(
        result == "pass" and _is_aligned(_identity(method, properties), domain) for method, result, properties in checks
    )


def _without_comments(text: str) -> str | None:
    """None if quotes or parentheses are not balanced: what they hide cannot be told."""
    while (shorter := _COMMENT.sub(" ", text)) != text:
        text = shorter
    return None if any(mark in text.replace('""', "") for mark in '"()') else text


def _results(parts: list[str]) -> list[re.Match[str]]:
    return [found for each in parts if (found := _RESULT.fullmatch(each))]


def _identity(method: str, properties: dict[str, str]) -> str:
    if method == "spf":
        return properties.get("smtp.mailfrom", "")
    return properties.get("header.d", "") or properties.get("header.i", "") if method == "dkim" else ""


def _is_aligned(identity: str, domain: str) -> bool:
    """Whether the identity's domain is the sender's or one above it of at least two labels."""
    proven = identity.rpartition("@")[2]
    return "." in proven and (domain == proven or domain.endswith(f".{proven}"))
