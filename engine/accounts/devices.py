"""Name of the browser and system of a request, in our own words: a User-Agent is untrusted and never quoted."""

from __future__ import annotations

BROWSERS = (
    ("zalo", "Zalo"),
    ("coc_coc", "Cốc Cốc"),
    ("edg", "Edge"),
    ("opr/", "Opera"),
    ("samsungbrowser", "Samsung Internet"),
    ("firefox", "Firefox"),
    ("fxios", "Firefox"),
    ("crios", "Chrome"),
    ("chrome", "Chrome"),
    ("safari", "Safari"),
)
"""Marker and name, the more specific first: Edge's User-Agent also contains Chrome, and Chrome's also Safari."""
SYSTEMS = (
    ("android", "Android"),
    ("iphone", "iPhone"),
    ("ipad", "iPad"),
    ("windows", "Windows"),
    ("mac os x", "macOS"),
    ("cros", "ChromeOS"),
    ("linux", "Linux"),
)


def device_words(agent: str, language: str) -> str:
    """«Chrome trên Android» from a User-Agent; empty if it is not recognised."""
    lowered = agent.lower()
    browser, system = (next((name for mark, name in marks if mark in lowered), "") for marks in (BROWSERS, SYSTEMS))
    if browser and system:
        return f"{browser} on {system}" if language == "en" else f"{browser} trên {system}"
    return browser or system
