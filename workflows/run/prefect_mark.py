"""The high-water mark in Prefect, where its server is another one than ours: a snapshot of the whole data folder takes
the file beside the secret back with the database (``engine.store.high_water``). A second one: whatever Prefect answers,
the file decides, and letters go on."""

from __future__ import annotations

import contextlib
import logging
from typing import Any

import httpx

from engine.store.high_water import MarkElsewhere, MarkUnreadable
from workflows.projection.prefect_api import TIMEOUT_SECONDS, PrefectApi
from workflows.run.installation import installation_id
from workflows.run.system import System

log = logging.getLogger(__name__)


def observe_in_prefect(system: System, timeout: float = TIMEOUT_SECONDS) -> None:
    """Hold the database if it is behind the mark there, else move that on. Without an answer within ``timeout`` seconds
    the file has to do; and where somebody has edited the variable, which the next audit writes again."""
    if system.delivery.mark is None or not (system.settings.prefect and system.settings.prefect_api_url):
        return
    name = f"dondoc_mark_{installation_id(system.database)}"
    try:
        with PrefectApi(system.prefect_api, system.prefect_auth, timeout) as api:
            mark = MarkElsewhere(
                system.settings.data_dir / name,
                lambda: _text(api.value(name)),
                lambda kept: api.set_value(name, {"mark": kept}),
            )
            try:
                mark.observe(system.database, system.clock())
            except MarkUnreadable:
                log.warning("Prefect's variable %s does not say how far letters were sent: it begins anew", name)
                with contextlib.suppress(httpx.HTTPError):
                    api.ask("DELETE", f"/variables/name/{name}")
    except httpx.HTTPError as error:
        log.warning("Prefect does not keep how far letters were sent (%s)", type(error).__name__)


def _text(value: Any) -> str | None:
    return None if value is None else str(value["mark"])
