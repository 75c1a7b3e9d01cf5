"""Register the flows as Prefect deployments, run by any workers of one pool, with what Prefect does beside them.

``dondoc-tick`` opens, acts, makes digests and starts runs of ``dondoc-deliver`` as letters are owed; ``dondoc-duty``
acts on one assignment. Runs may overlap, since claims keep them apart; of ticks at most ``TICKS_AT_ONCE``, so that a
worker has a place left for letters. A worker creates its own System from the settings in its environment, and refuses
to run on another installation's database or with another secret.

Registers what ``automations.yaml`` holds: Prefect calls an address when what should happen does not, even
where the process that would have noticed is gone; and has a worker do what is to follow.

Over plain HTTP: ``serve`` registers the alarms at the server beside it, ``dondoc prefect deploy`` all of them.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from string import Template
from typing import Any, TypeVar

import httpx
import yaml

from config.settings import KEPT_RUN, TEN_YEARS_SECONDS, Settings, SettingSource
from engine.admin.settings_view import describe_settings
from engine.errors import Unavailable
from engine.text import Text
from workflows.projection.prefect_api import PrefectApi
from workflows.projection.shown_runs import FLOW
from workflows.run.prefect_rate import LIMIT, slots_of
from workflows.run.prefect_server import answers, status_for

FILE = Path(__file__).with_name("automations.yaml")
ALARM_BLOCK = "dondoc-alarm"


def read(deployments: Mapping[str, str] | None = None, installation: str = "") -> dict[str, list[dict[str, Any]]]:
    """What the file holds, by its parts. ``deployments``: ids by flow."""
    ids = deployments or {FLOW: ""}
    filled = {"flows": ", ".join(sorted(ids)), "duty": ids[FLOW], "installation": installation, "tag": KEPT_RUN}
    text = Template(FILE.read_text(encoding="utf8")).safe_substitute(filled, ten_years=TEN_YEARS_SECONDS)
    found: dict[str, list[dict[str, Any]]] = yaml.safe_load(text)
    return found


def prepare(api: PrefectApi, alarm_url: str, *, alarms: bool) -> None:
    """The saved views, and where they are missing the alarms of a server that has no deployments."""
    for view in read()["views"]:
        api.ask("PUT", "/saved_searches/", view)
    if alarms:
        register(api, read()["alarms"], alarm_url, renew=False)


def register(api: PrefectApi, wanted: Iterable[Mapping[str, Any]], alarm_url: str, *, renew: bool = True) -> list[str]:
    """Make automations. ``alarm_url``: called by POST with a JSON body; empty: an automation that fires is an event of
    Prefect and nothing more. ``renew``: change those that are there, too; their times begin again. Returns their names.
    Raises httpx.HTTPError."""
    there = {each["name"]: each["id"] for each in api.ask("POST", "/automations/filter", {"limit": 200})}
    block, names = _alarm_block(api, alarm_url) if alarm_url else "", []
    for automation in wanted:
        call = {"type": "call-webhook", "block_document_id": block, "payload": _payload(automation)}
        body = {"actions": [call if block else {"type": "do-nothing"}], **automation}
        names.append(body["name"])
        if names[-1] not in there:
            api.ask("POST", "/automations/", body)
        elif renew:
            api.ask("PUT", f"/automations/{there[names[-1]]}", body)
    return names


def _payload(automation: Mapping[str, Any]) -> str:
    """What an address is told: of the resource its id, of an assignment its name, too."""
    about = {name: f"{{{{ event.resource.{name} or '' }}}}" for name in ("id", "name")}
    body = {"name": automation["name"], "what": automation["description"], "resource": about["id"]}
    return json.dumps({**body, "about": about["name"]}, ensure_ascii=False)


def _alarm_block(api: PrefectApi, url: str) -> str:
    """The id of the block that calls an address."""
    data = {"method": "POST", "url": url}
    there = api.find(f"/block_types/slug/webhook/block_documents/name/{ALARM_BLOCK}")
    if there is not None:
        api.ask("PATCH", f"/block_documents/{there['id']}", {"data": data})
        return str(there["id"])
    kind = api.ask("GET", "/block_types/slug/webhook")["id"]
    asked = {"block_schemas": {"block_type_id": {"any_": [kind]}}, "limit": 1}
    (schema,) = api.ask("POST", "/block_schemas/filter", asked)
    body = {"name": ALARM_BLOCK, "block_type_id": kind, "block_schema_id": schema["id"], "data": data}
    return str(api.ask("POST", "/block_documents/", body)["id"])


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
