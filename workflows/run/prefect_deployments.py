"""Register the passes as scheduled Prefect deployments, run by any workers of one pool.

``dondoc-tick`` opens, acts and makes digests; ``dondoc-deliver`` sends. Runs of both may overlap, since claims keep
them apart; of ticks at most ``TICKS_AT_ONCE``, so that a worker has a place left for letters. A worker creates its own
System from the settings in its environment, and refuses to run on another installation's database or with another
secret.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from config.settings import Settings, SettingSource
from engine.admin.settings_view import describe_settings
from engine.errors import Unavailable
from engine.text import Text
from workflows.run import prefect_automations
from workflows.run.prefect_rate import LIMIT, slots_of
from workflows.run.prefect_server import answers, status_for

NAME = "every"
TICKS_AT_ONCE = 2
"""Over all machines. One that is due while so many go on is cancelled; a dead one gives its place back in a minute."""
CRASH_ZOMBIES = "dondoc: a run that is no longer alive has crashed"
ZOMBIE_AFTER = timedelta(seconds=95)
"""Three heartbeats of a flow run (``PREFECT_FLOWS_HEARTBEAT_FREQUENCY``)."""
REFUSED = Text(
    "Máy chủ Prefect không nhận chuỗi đăng nhập của máy này: PREFECT_SERVER_API_AUTH_STRING của nó phải là chuỗi mà "
    "«dondoc prefect key» in ra, hoặc ghi vào DONDOC_PREFECT_API_URL.",
    "The Prefect server refuses this machine's string: its PREFECT_SERVER_API_AUTH_STRING must be what “dondoc prefect "
    "key” prints, or stand in DONDOC_PREFECT_API_URL.",
)
OF_ONE_MACHINE = ("DONDOC_DATA_DIR", "DONDOC_HOST", "DONDOC_PORT")


def deploy(
    prefect: Mapping[str, str],
    pool: str,
    every: timedelta,
    installation: str,
    alarm_url: str = "",
    *,
    per_minute: int = 0,
    more: Callable[[str, str], list[str]] = lambda pool, installation: [],
) -> list[str]:
    """Register the flows with a work pool of type process, created if missing. Returns «flow/deployment» of each.
    ``prefect``: Prefect's own variables. ``alarm_url``: what the automations call. ``per_minute``: letters that the
    relay takes of all machines together; 0: no limit. ``more`` registers what else the pool is to do. Registering
    again updates schedules and automations. Raises Unavailable if no Prefect server responds, or not to us."""
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
    os.environ.update(prefect)
    from prefect.client.orchestration import get_client
    from prefect.client.schemas.actions import WorkPoolCreate
    from prefect.client.schemas.objects import ConcurrencyLimitConfig, ConcurrencyLimitStrategy
    from prefect.exceptions import ObjectAlreadyExists
    from prefect.types.entrypoint import EntrypointType

    from workflows.run.flows import deliver, tick

    # An existing pool is left unchanged.
    with get_client(sync_client=True) as client, contextlib.suppress(ObjectAlreadyExists):
        client.create_work_pool(WorkPoolCreate(name=pool, type="process"))
    names = []
    few = ConcurrencyLimitConfig(limit=TICKS_AT_ONCE, collision_strategy=ConcurrencyLimitStrategy.CANCEL_NEW)
    registered: list[tuple[Any, dict[str, Any], Any]] = [(tick, {"letters": False}, few), (deliver, {}, None)]
    for flow, parameters, limit in registered:
        deployment: Any = flow.to_deployment(
            NAME,
            interval=every,
            work_pool_name=pool,
            parameters={**parameters, "installation": installation},
            concurrency_limit=limit,
            entrypoint_type=EntrypointType.MODULE_PATH,
            description=flow.description,
            tags=["dondoc"],
        )
        _with_retries(deployment.apply)
        names.append(f"{flow.name}/{NAME}")
    _with_retries(lambda: names.extend(more(pool, installation)))
    flows = [name.partition("/")[0] for name in names]
    _with_retries(lambda: _register_crash_zombies(flows))
    _with_retries(lambda: _limit_rate(per_minute))
    _with_retries(lambda: prefect_automations.register(alarm_url))
    return names


def _register_crash_zombies(names: list[str]) -> None:
    """An automation for the flows of these names: a run that has said that it is alive, and then neither that nor its
    end, is Crashed. Without it the runs of a machine that lost its power would be *Running* for ever."""
    from prefect.client.orchestration import get_client
    from prefect.client.schemas.objects import StateType
    from prefect.events.actions import ChangeFlowRunState
    from prefect.events.schemas.automations import AutomationCore, EventTrigger, Posture
    from prefect.events.schemas.events import ResourceSpecification

    ends = {f"prefect.flow-run.{state}" for state in ("Completed", "Failed", "Cancelled", "Crashed")}
    automation = AutomationCore(
        name=CRASH_ZOMBIES,
        trigger=EventTrigger(
            after={"prefect.flow-run.heartbeat"},
            expect={"prefect.flow-run.heartbeat", *ends},
            match=ResourceSpecification({"prefect.resource.id": ["prefect.flow-run.*"]}),
            match_related=ResourceSpecification({"prefect.resource.role": ["flow"], "prefect.resource.name": names}),
            for_each={"prefect.resource.id"},
            posture=Posture.Proactive,
            threshold=1,
            within=ZOMBIE_AFTER,
        ),
        actions=[ChangeFlowRunState(state=StateType.CRASHED, message="No sign of life: its process is gone.")],
    )
    with get_client(sync_client=True) as client:
        for each in client.read_automations_by_name(CRASH_ZOMBIES):
            client.delete_automation(each.id)
        client.create_automation(automation)


def _limit_rate(per_minute: int) -> None:
    """The global limit that every sending process asks (``prefect_rate``); none for a relay that takes any number."""
    from prefect.client.orchestration import get_client
    from prefect.client.schemas.actions import GlobalConcurrencyLimitCreate
    from prefect.exceptions import ObjectNotFound

    slots, per_second = slots_of(per_minute)
    with get_client(sync_client=True) as client:
        with contextlib.suppress(ObjectNotFound):
            client.delete_global_concurrency_limit_by_name(LIMIT)
        if per_minute:
            client.create_global_concurrency_limit(
                GlobalConcurrencyLimitCreate(name=LIMIT, limit=slots, slot_decay_per_second=per_second)
            )


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


def _with_retries(apply: Callable[[], object]) -> None:
    """Call ``apply``, retrying on 5xx: a busy Prefect server (its SQLite locked) answers 503. Raises Unavailable."""
    from prefect.exceptions import PrefectHTTPStatusError

    for wait in (1, 2, 4, 8, None):
        try:
            apply()
        except PrefectHTTPStatusError as error:
            if wait is None or error.response.status_code < 500:
                told = f"{error.response.status_code} {error.response.text[:200]}"
                raise Unavailable(
                    Text(f"Máy chủ Prefect từ chối: {told}", f"The Prefect server refused: {told}")
                ) from error
            time.sleep(wait)
        else:
            return
