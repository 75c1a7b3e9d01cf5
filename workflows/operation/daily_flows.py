"""Backup, audit and digests as Prefect flows: they take what its form asks for. Imported only when Prefect is used.

A run does its work in a thread, in one transaction or by none: one that is killed leaves nothing half.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.states import Completed

from workflows.operation import daily_work
from workflows.run.flows import HOW, worker_system


async def _done(installation: str, work: Callable[..., str], **parameters: Any) -> State[str]:
    """The state in which the run ends: Completed with a sentence of what was done; an error makes it Failed."""
    system = worker_system(installation)
    try:
        return Completed(message=await asyncio.to_thread(work, system, **parameters))
    finally:
        system.database.dispose()


@flow(name="dondoc-backup", description="Back up, then restore the copy elsewhere and compare.", **HOW)
async def backup(to: str = "", proof: bool = True, installation: str = "") -> State[str]:
    return await _done(installation, daily_work.backup, to=to, proof=proof)


@flow(name="dondoc-audit", description="The self-audit; Failed where it finds what a person has to look at.", **HOW)
async def audit(installation: str = "") -> State[str]:
    return await _done(installation, daily_work.audit)


@flow(name="dondoc-digest", description="The week's digests, where they are owed.", **HOW)
async def digest(installation: str = "") -> State[str]:
    return await _done(installation, daily_work.digest)
