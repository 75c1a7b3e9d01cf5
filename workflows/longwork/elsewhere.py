"""Long work of a page, done by a worker where there are workers; the page that waits follows the run. Where there are
none, or the run does not get to its end, the process does it itself, as without Prefect."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from workflows.longwork.deployments import ON_DEMAND
from workflows.longwork.handover import Handover
from workflows.projection.prefect_http import prefect_client
from workflows.run.system import System

log = logging.getLogger(__name__)
ASK_SECONDS, POLL_SECONDS = 2.0, 0.5
BEGIN_SECONDS = 30.0
"""A run that no worker has begun by then is done here."""
MOST_SECONDS = 900.0
ENDED = frozenset({"COMPLETED", "FAILED", "CRASHED", "CANCELLED"})
WAITING = frozenset({"SCHEDULED", "PENDING"})
CANCELLED = {"type": "CANCELLED", "name": "Cancelled", "message": "The page did it itself."}


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """The workers of an installation, as pages see them."""

    system: System

    def do(
        self,
        work: str,
        given: bytes,
        parameters: Mapping[str, Any],
        tell: Callable[[float], None] = lambda share: None,
    ) -> bytes | None:
        """What a worker answered to ``given``; None where it is to be done here. Raises BadInput if the worker says
        that what was given is no good."""
        handover = Handover(self.system.settings.handover)
        word = handover.give(given)
        try:
            with prefect_client(self.system.prefect_api, self.system.prefect_auth, ASK_SECONDS) as http:
                ended = self._follow(http, f"dondoc-{work}", {**parameters, "handed": word}, tell, handover)
            if ended == "FAILED" and (refused := handover.refused(word)) is not None:
                raise refused
            return handover.answered(word) if ended == "COMPLETED" else None
        except httpx.HTTPError as error:
            log.warning("%s is done here, Prefect does not answer (%s)", work, type(error).__name__)
            return None
        finally:
            handover.take_back(word)

    def _follow(
        self,
        http: httpx.Client,
        flow: str,
        parameters: Mapping[str, Any],
        tell: Callable[[float], None],
        handover: Handover,
    ) -> str:
        """The type of the state in which the run ended; empty where no worker is, or none has begun it in time."""
        found = http.get(f"/deployments/name/{flow}/{ON_DEMAND}")
        if found.is_error or found.json()["status"] != "READY":
            return ""
        asked = {"parameters": {**found.json()["parameters"], **parameters}, "state": {"type": "SCHEDULED"}}
        made = http.post(f"/deployments/{found.json()['id']}/create_flow_run", json=asked).raise_for_status().json()
        began = time.monotonic()
        while (passed := time.monotonic() - began) < MOST_SECONDS:
            time.sleep(POLL_SECONDS)
            state: str = http.get(f"/flow_runs/{made['id']}").raise_for_status().json()["state_type"]
            if state in ENDED:
                return state
            if state in WAITING and passed > BEGIN_SECONDS:
                break
            if (share := handover.share(parameters["handed"])) is not None:
                tell(share)
        http.post(f"/flow_runs/{made['id']}/set_state", json={"state": CANCELLED, "force": True})
        return ""


def workers_of(system: System) -> Elsewhere | None:
    """None where this installation has no Prefect server for workers."""
    settings = system.settings
    return Elsewhere(system) if settings.prefect and settings.prefect_api_url and not settings.demo else None
