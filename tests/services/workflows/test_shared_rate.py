"""The relay's rate over two machines, at a real Prefect server with the limit that ``dondoc prefect deploy`` makes."""

from __future__ import annotations

import asyncio
import os
import subprocess
import time
from pathlib import Path

import httpx
import pytest
from ground.serving import AUTH, DONDOC, letting_in, prefect_serving, shown

from workflows.run.prefect_rate import LIMIT, PrefectRate, slots_of

pytestmark = [pytest.mark.prefect, pytest.mark.deep]
PER_MINUTE, SECONDS, CONNECTIONS = 300, 6.0, 3


async def sent(machines: list[PrefectRate], seconds: float) -> int:
    """Letters that left in this time on several connections of each machine."""
    count, until = 0, time.monotonic() + seconds

    async def connection(shared: PrefectRate) -> None:
        nonlocal count
        while time.monotonic() < until:
            await shared.wait()
            count += time.monotonic() < until
            await asyncio.sleep(0.01)  # the relay

    sending = [asyncio.create_task(connection(each)) for each in machines for _ in range(CONNECTIONS)]
    await asyncio.wait(sending, timeout=seconds + 1)
    for each in sending:
        each.cancel()
    return count


def test_two_machines_together_send_no_faster_than_the_relay_takes(migrated: Path, tmp_path: Path) -> None:
    home = tmp_path / "prefect"
    home.mkdir()
    with prefect_serving(home, migrated) as server:
        told = {
            "DONDOC_DATA_DIR": str(tmp_path / "var"),
            "DONDOC_PREFECT_API_URL": letting_in(server.api_url),
            "DONDOC_SMTP_PER_MINUTE": str(PER_MINUTE),
        }
        for words in (["init"], ["prefect", "deploy", "--pool", "van-phong", "--every", "86400"]):
            subprocess.run([DONDOC, *words], env=os.environ | told, cwd=tmp_path, check=True, capture_output=True)
        slots, per_second = slots_of(PER_MINUTE)
        with httpx.Client(base_url=server.api_url, auth=shown(), timeout=60) as http:
            limit = http.get(f"/v2/concurrency_limits/{LIMIT}").raise_for_status().json()
        assert (limit["limit"], limit["slot_decay_per_second"]) == (slots, per_second)
        machines = [PrefectRate(api_url=server.api_url, auth=AUTH) for _ in range(2)]
        count = asyncio.run(sent(machines, SECONDS))
        print(f"{count} letters in {SECONDS} s at {PER_MINUTE} a minute")
        assert slots <= count <= slots + per_second * SECONDS
    gone = [PrefectRate(api_url=server.api_url, auth=AUTH)]
    assert asyncio.run(sent(gone, 2)) > 100
