"""The high-water mark in Prefect, where its server is another one than ours: a snapshot of the whole data folder takes
the file beside the secret back with the database (``engine.store.high_water``). A second one: whatever Prefect answers,
the file decides, and letters go on."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx

from engine.errors import Unavailable
from engine.store.high_water import MarkElsewhere, MarkUnreadable
from workflows.projection.prefect_api import PrefectApi
from workflows.run.installation import installation_id
from workflows.run.system import System

log = logging.getLogger(__name__)


def observe_in_prefect(system: System) -> None:
    """Hold the database if it is behind the mark there, else move that on. Without an answer, and where somebody has
    edited the variable, the file has to do."""
    if not _is_kept(system):
        return
    try:
        with _mark_of(system) as mark:
            mark.observe(system.database, system.clock())
    except MarkUnreadable:
        log.warning("Prefect's variable %s does not say how far letters were sent: delete it there", name_of(system))
    except httpx.HTTPError as error:
        log.warning("Prefect does not keep how far letters were sent (%s)", type(error).__name__)


def is_unreadable(system: System) -> bool:
    """Whether somebody has edited the variable; False where Prefect does not answer. Writes nothing."""
    try:
        if _is_kept(system):
            with _mark_of(system) as mark:
                mark.stored()
    except MarkUnreadable:
        return True
    except (httpx.HTTPError, Unavailable):
        pass  # said by the other lines of the doctor
    return False


def name_of(system: System) -> str:
    """Of the variable."""
    return f"dondoc_mark_{installation_id(system.database)}"


def _is_kept(system: System) -> bool:
    return system.delivery.mark is not None and bool(system.settings.prefect and system.settings.prefect_api_url)


@contextmanager
def _mark_of(system: System) -> Iterator[MarkElsewhere]:
    name = name_of(system)
    with PrefectApi(system.prefect_api, system.prefect_auth) as api:
        yield MarkElsewhere(
            system.settings.data_dir / name,
            lambda: _text(api.value(name)),
            lambda kept: api.set_value(name, {"mark": kept}),
        )


def _text(value: Any) -> str | None:
    return None if value is None else str(value["mark"])
