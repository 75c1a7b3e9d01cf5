"""Register the flows as Prefect deployments, run by any workers of one pool, with what Prefect does beside them.

``dondoc-tick`` opens, acts, makes digests and starts runs of ``dondoc-deliver`` as letters are owed; ``dondoc-duty``
acts on one assignment. Runs may overlap, since claims keep them apart; of ticks at most ``TICKS_AT_ONCE``, so that a
worker has a place left for letters. A worker creates its own System from the settings in its environment, and refuses
to run on another installation's database or with another secret.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any, TypeVar

import httpx

from config.settings import Settings, SettingSource
from engine.admin.settings_view import describe_settings
from engine.errors import Unavailable
from engine.text import Text
from workflows.projection.prefect_api import PrefectApi
from workflows.projection.shown_runs import FLOW
from workflows.run.prefect_automations import read, register
from workflows.run.prefect_rate import LIMIT, slots_of
from workflows.run.prefect_server import answers, status_for

T = TypeVar("T")
ZONE = "Asia/Ho_Chi_Minh"
TICKS_AT_ONCE = 2
"""Over all machines. One that is due while so many go on is cancelled, also of those that were due while nobody worked;
a dead one gives its place back in a minute."""
DUTIES_AT_ONCE = 2
"""Those that are due meanwhile wait."""
BEFORE = "dondoc-deliver/every"
"""Of releases up to 0.1, in which it was started by the clock."""
PAUSES_SECONDS = (1, 2, 4, 8, None)
REFUSED = Text(
    "Máy chủ Prefect không nhận chuỗi đăng nhập của máy này: PREFECT_SERVER_API_AUTH_STRING của nó phải là chuỗi mà "
    "«dondoc prefect key» in ra, hoặc ghi vào DONDOC_PREFECT_API_URL.",
    "The Prefect server refuses this machine's string: its PREFECT_SERVER_API_AUTH_STRING must be what “dondoc prefect "
    "key” prints, or stand in DONDOC_PREFECT_API_URL.",
)
OF_ONE_MACHINE = ("DONDOC_DATA_DIR", "DONDOC_HOST", "DONDOC_PORT")


def require_prefect(prefect: Mapping[str, str]) -> None:
    """``prefect``: Prefect's own variables. Raises Unavailable if no server of it responds, or not to us."""
    api_url = prefect["PREFECT_API_URL"]
    if not answers(api_url, timeout=5):
        raise Unavailable(
            Text(
                f"Máy chủ Prefect {api_url} không trả lời; chạy «prefect server start» hoặc đặt "
                "DONDOC_PREFECT_API_URL.",
                f"No Prefect server answers at {api_url}; start one or set DONDOC_PREFECT_API_URL.",
            )
        )
    if status_for(api_url, prefect["PREFECT_API_AUTH_STRING"], timeout=5) in (401, 403):
        raise Unavailable(REFUSED)


def deploy(
    api: PrefectApi,
    pool: str,
    every: timedelta,
    installation: str,
    alarm_url: str = "",
    *,
    per_minute: int = 0,
    more: Sequence[tuple[Any, str]] = (),
) -> list[str]:
    """Register the flows with a work pool of type process, created if missing. Returns «flow/deployment» of each.
    Prefect's own variables are in the environment. ``alarm_url``: what the automations call. ``per_minute``: letters
    that the relay takes of all machines together; 0: no limit. ``more``: further flows, that of a duty among them, each
    with its schedule as cron in the time of ``ZONE``, or empty. Registering again changes what differs."""
    from prefect.client.schemas.objects import ConcurrencyLimitConfig, ConcurrencyLimitStrategy
    from prefect.schedules import Cron, Interval
    from prefect.types.entrypoint import EntrypointType

    from workflows.run.flows import ON_DEMAND, deliver, tick

    few = ConcurrencyLimitConfig(limit=TICKS_AT_ONCE, collision_strategy=ConcurrencyLimitStrategy.CANCEL_NEW)
    in_turn = ConcurrencyLimitConfig(limit=DUTIES_AT_ONCE, collision_strategy=ConcurrencyLimitStrategy.ENQUEUE)
    flows: list[tuple[Any, str, Any, Any]] = [(tick, "every", Interval(every), few), (deliver, ON_DEMAND, None, None)]
    for flow, cron in more:
        schedule = Cron(cron, timezone=ZONE) if cron else None
        flows.append((flow, ON_DEMAND, schedule, in_turn if flow.name == FLOW else None))
    if api.find(f"/work_pools/{pool}") is None:
        api.ask("POST", "/work_pools/", {"name": pool, "type": "process"})
    ids = {}
    for flow, name, schedule, limit in flows:
        deployment = flow.to_deployment(
            name,
            schedule=schedule,
            work_pool_name=pool,
            parameters={"installation": installation},
            concurrency_limit=limit,
            entrypoint_type=EntrypointType.MODULE_PATH,
            description=flow.description,
            tags=["dondoc"],
        )
        ids[flow.name] = str(deployment.apply())
    if (before := api.find(f"/deployments/name/{BEFORE}")) is not None:
        api.ask("DELETE", f"/deployments/{before['id']}")
    _limit_rate(api, per_minute)
    told = read(ids, installation)
    register(api, [*told["alarms"], *told["workers"]], alarm_url)
    return [f"{flow.name}/{name}" for flow, name, *_ in flows]


def _limit_rate(api: PrefectApi, per_minute: int) -> None:
    """The global limit that every sending process asks (``prefect_rate``); none for a relay that takes any number."""
    slots, per_second = slots_of(per_minute)
    if api.find(f"/v2/concurrency_limits/{LIMIT}") is not None:
        api.ask("DELETE", f"/v2/concurrency_limits/{LIMIT}")
    if per_minute:
        limit = {"name": LIMIT, "limit": slots, "slot_decay_per_second": per_second}
        api.ask("POST", "/v2/concurrency_limits/", limit)


def worker_environment(settings: Settings, prefect: Mapping[str, str]) -> dict[str, str]:
    """The variables of a worker's machine: what is set here, what must be the same everywhere, and Prefect's. A secret
    is named, not shown; an SQLite file and a folder are those of this machine."""
    set_here = {
        each.name: f"<{each.name}>" if each.hidden else each.value
        for each in describe_settings(settings)
        if each.source is not SettingSource.DEFAULT and each.name not in OF_ONE_MACHINE
    }
    same = {
        "DONDOC_DATABASE_URL": settings.database_url or f"sqlite:///{settings.data_dir.resolve()}/dondoc.db",
        "DONDOC_SECRET": set_here.get("DONDOC_SECRET", f"<{settings.data_dir}/secret>"),
        "DONDOC_FILES_DIR": str(settings.files.resolve()),
        "DONDOC_BASE_URL": settings.base_url,
    }
    if settings.database_url:
        same["DONDOC_DATABASE_URL"] = "<database_url>"
    if "@" in settings.prefect_api_url:
        same["DONDOC_PREFECT_API_URL"] = "<prefect_api_url>"
    return {**set_here, **same, **prefect, "PREFECT_API_AUTH_STRING": "<dondoc prefect key>"}


def with_retries(ask: Callable[[], T]) -> T:
    """The answer, asked for again while the server is busy (its SQLite is locked: 503) or slow; a deployment that could
    not be applied is a RuntimeError because of that. Raises Unavailable."""
    for wait in PAUSES_SECONDS:
        try:
            return ask()
        except (httpx.HTTPError, RuntimeError) as error:
            answer = getattr(error.__cause__ or error, "response", None)
            if wait is None or (answer is not None and answer.status_code < 500):
                told = f"{answer.status_code} {answer.text[:200]}" if answer is not None else str(error)[:200]
                raise Unavailable(
                    Text(f"Máy chủ Prefect từ chối: {told}", f"The Prefect server refused: {told}")
                ) from error
            time.sleep(wait)
    raise AssertionError
