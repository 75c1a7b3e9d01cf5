"""What asks for a page, in our words alone."""

from __future__ import annotations

import pytest

from engine.accounts.sign_in import device_words

APPLE = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/14 Safari/605"
EDGE = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/91.0 Safari/537.36 Edg/91.0"
PHONE = "Mozilla/5.0 (Linux; Android 10) AppleWebKit/537.36 Chrome/91.0 Mobile Safari/537.36"
ZALO = "Mozilla/5.0 (iPhone; CPU iPhone OS 14_6 like Mac OS X) AppleWebKit/605.1.15 Mobile Zalo iOS/430"


@pytest.mark.parametrize(
    ("agent", "vi", "en"),
    [
        (APPLE, "Safari trên macOS", "Safari on macOS"),
        (EDGE, "Edge trên Windows", "Edge on Windows"),
        (PHONE, "Chrome trên Android", "Chrome on Android"),
        (ZALO, "Zalo trên iPhone", "Zalo on iPhone"),
        ("curl/8.5", "", ""),
        ("Linux", "Linux", "Linux"),
        ("", "", ""),
        ("https://evil.example\n<b>", "", ""),
    ],
)
def test_a_browser_is_named_with_its_system(agent: str, vi: str, en: str) -> None:
    assert (device_words(agent, "vi"), device_words(agent, "en")) == (vi, en)
