"""The passes as a scheduled Prefect deployment, for many workers: registered once, run by any worker of the pool.

A worker makes its own system from the settings in its environment. Runs may overlap: claims keep them apart.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

from engine.errors import Unavailable
from engine.text import Text
from workflows.prefect_server import answers, environment

NAME = "every"


def deploy(home: Path, api_url: str, pool: str, every: timedelta) -> str:
    """Register the tick with a work pool of processes, made if it is not there. Returns «flow/deployment».
    Registering again changes the schedule. Raises Unavailable when no Prefect server answers."""
    if not answers(api_url, timeout=5):
        raise Unavailable(
            Text(
                f"Máy chủ Prefect {api_url} không trả lời; chạy «prefect server start» hoặc đặt "
                "DONDOC_PREFECT_API_URL.",
                f"No Prefect server answers at {api_url}; start one or set DONDOC_PREFECT_API_URL.",
            )
        )
    os.environ.update(environment(home, api_url))
    from prefect.client.orchestration import get_client
    from prefect.client.schemas.actions import WorkPoolCreate
    from prefect.exceptions import ObjectAlreadyExists
    from prefect.types.entrypoint import EntrypointType

    from workflows.flows import tick

    # A pool that somebody made before is theirs: it stays as it is.
    with get_client(sync_client=True) as client, contextlib.suppress(ObjectAlreadyExists):
        client.create_work_pool(WorkPoolCreate(name=pool, type="process"))
    made: Any = tick.to_deployment(
        NAME,
        interval=every,
        work_pool_name=pool,
        entrypoint_type=EntrypointType.MODULE_PATH,
        description="Đôn Đốc: mở việc, nhắc, tổng hợp, gửi thư. / Open, act, digest, deliver.",
        tags=["dondoc"],
    )
    _patiently(made.apply)
    return f"{tick.name}/{NAME}"


def _patiently(apply: Callable[[], object]) -> None:
    """A busy server (its own SQLite locked) answers 503: registering is done once, and may ask again."""
    from prefect.exceptions import PrefectHTTPStatusError

    for wait in (1, 2, 4, 8, None):
        try:
            apply()
        except PrefectHTTPStatusError as error:
            if wait is None or error.response.status_code < 500:
                raise
            time.sleep(wait)
        else:
            return
