"""What the tests' Prefect servers ask for."""

from __future__ import annotations

AUTH = "dondoc:a-word-for-tests-alone"


def shown() -> tuple[str, str]:
    """It, as httpx shows it."""
    user, _, password = AUTH.partition(":")
    return user, password
