"""Register the tick as a scheduled Prefect deployment, run by any worker of the pool.

A worker creates its own System from the settings in its environment. Runs may overlap: claims prevent conflicts.
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
    """Register the tick with a work pool of type process, created if missing. Returns «flow/deployment». Registering
    again updates the schedule. Raises Unavailable if no Prefect server responds."""
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

    # An existing pool is left unchanged.
    with get_client(sync_client=True) as client, contextlib.suppress(ObjectAlreadyExists):
        client.create_work_pool(WorkPoolCreate(name=pool, type="process"))
    deployment: Any = tick.to_deployment(
        NAME,
        interval=every,
        work_pool_name=pool,
        entrypoint_type=EntrypointType.MODULE_PATH,
        description="Đôn Đốc: mở việc, nhắc, tổng hợp, gửi thư. / Open, act, digest, deliver.",
        tags=["dondoc"],
    )
    _with_retries(deployment.apply)
    return f"{tick.name}/{NAME}"


def _with_retries(apply: Callable[[], object]) -> None:
    """Call ``apply``, retrying on 5xx: a busy Prefect server (its SQLite locked) answers 503."""
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
