"""What asks for a page, in words that are ours: a browser may call itself anything, and a letter must not repeat it."""

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
"""Mark and name, the more particular first: Edge calls itself Chrome too, and Chrome Safari."""
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
    """«Chrome trên Android» out of a User-Agent; empty when it names nothing known."""
    said = agent.lower()
    browser, system = (next((name for mark, name in marks if mark in said), "") for marks in (BROWSERS, SYSTEMS))
    if browser and system:
        return f"{browser} on {system}" if language == "en" else f"{browser} trên {system}"
    return browser or system
