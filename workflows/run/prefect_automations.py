"""Registers what ``automations.yaml`` holds: Prefect calls an address when what should happen does not, even
where the process that would have noticed is gone; and has a worker do what is to follow.

Over plain HTTP: ``serve`` registers the alarms at the server beside it, ``dondoc prefect deploy`` all of them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from string import Template
from typing import Any

import yaml

from config.settings import KEPT_RUN, TEN_YEARS_SECONDS
from workflows.projection.prefect_api import PrefectApi
from workflows.projection.shown_runs import FLOW

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
