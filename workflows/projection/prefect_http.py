"""Prefect's API over plain HTTP, as an installation asks it: with its string, past proxies of the environment. The
client of Prefect's own costs 1.5 s and 80 MiB."""

from __future__ import annotations

import httpx


def prefect_client(
    api_url: str, auth: str, timeout: float, transport: httpx.BaseTransport | None = None
) -> httpx.Client:
    """``auth``: «user:password» that the API asks for, in place of what its address holds; empty: as a stranger.
    ``timeout`` in seconds. Raises httpx.InvalidURL."""
    user, _, password = auth.partition(":")
    return httpx.Client(
        base_url=httpx.URL(api_url).copy_with(userinfo=b""),
        auth=(user, password) if auth else None,
        timeout=timeout,
        trust_env=False,
        transport=transport,
    )
