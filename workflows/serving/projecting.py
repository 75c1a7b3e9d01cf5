"""The projector as a job of the heartbeat: one sentence in the log when Prefect does not answer, and one when it does
again."""

from __future__ import annotations

import logging
import secrets

import httpx

from workflows.projection.projector import Projector
from workflows.projection.turn import take_turn
from workflows.run.installation import installation_id
from workflows.run.system import System

log = logging.getLogger(__name__)


def projector(system: System) -> Projector:
    """The projector of this installation; a demonstration has a clock of its own."""
    settings = system.settings
    return Projector(
        database=system.database,
        api_url=system.prefect_api,
        auth=system.prefect_auth,
        installation=installation_id(system.database) or "demo",
        base_url=settings.base_url,
        own_clock=settings.demo,
    )


class Projecting:
    def __init__(self, system: System) -> None:
        self._system, self._holder = system, secrets.token_hex(8)
        self._projector: Projector | None = None
        self._silent = False

    def run(self) -> None:
        """One pass, if it is this process's turn and Prefect answers."""
        system = self._system
        if not system.prefect_answers() or not take_turn(system.database, self._holder):
            return
        self._projector = self._projector or projector(system)
        self._projector.auth = system.prefect_auth  # another one since our server was started again
        try:
            done = self._projector.run(system.clock())
        except httpx.HTTPError as error:
            if not self._silent:
                log.warning("Prefect does not take the picture (%s); it is tried again and again", error)
            self._silent = True
            return
        if self._silent:
            log.info("Prefect takes the picture again")
        self._silent = False
        if done.runs or done.events:
            log.info("Prefect shows %d runs and %d events more, by %d calls", done.runs, done.events, done.calls)
