"""Long work as Prefect flows: what they take is what Prefect's form asks for. Imported only when Prefect is used.

A run does its work in a thread, in one transaction or by none: one that is killed leaves nothing half.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.states import Completed

from engine.errors import DondocError
from workflows.longwork import works
from workflows.longwork.handover import Handover
from workflows.run import clock_guard
from workflows.run.installation import check_installation
from workflows.run.system import System

HOW: dict[str, Any] = {"persist_result": False, "validate_parameters": False}


async def _done(installation: str, work: Callable[..., str], handed: str = "", **parameters: Any) -> State[str]:
    """The state in which the run ends: Completed with a sentence of what was done; an error makes it Failed."""

    def run() -> str:
        system = _system()
        check_installation(system.database, installation)
        clock_guard.require_agreement(system.database, system.clock())
        more = {"handed": handed} if handed else {}
        try:
            return work(system, **parameters, **more)
        except DondocError as error:
            if handed:
                Handover(system.settings.handover).refuse(handed, error)
            raise
        finally:
            system.database.dispose()

    return Completed(message=await asyncio.to_thread(run))


def _system() -> System:
    from workflows.run.private_files import create_privately
    from workflows.run.system import compose_installed

    create_privately()
    return compose_installed()


@flow(name="dondoc-import", description="Read a plan document into a draft to be reviewed.", **HOW)
async def import_document(
    document: str = "", name: str = "", actor: str = works.ACTOR, handed: str = "", installation: str = ""
) -> State[str]:
    return await _done(installation, works.import_document, handed, document=document, name=name, actor=actor)


@flow(name="dondoc-simulate", description="Every letter that a plan would send in a year.", **HOW)
async def simulate(
    plan_id: int = 0,
    first: str = "",
    until: str = "",
    scenario: str = "silent",
    handed: str = "",
    installation: str = "",
) -> State[str]:
    asked = {"plan_id": plan_id, "first": first, "until": until, "scenario": scenario}
    return await _done(installation, works.simulate, handed, **asked)


@flow(name="dondoc-publish", description="Publish a plan's figures for a day.", **HOW)
async def publish(plan_id: int, period: str = "", cut_off: str = "", installation: str = "") -> State[str]:
    return await _done(installation, works.publish, plan_id=plan_id, period=period, cut_off=cut_off)


@flow(name="dondoc-backup", description="Back up, then restore the copy elsewhere and compare.", **HOW)
async def backup(to: str = "", proof: bool = True, installation: str = "") -> State[str]:
    return await _done(installation, works.backup, to=to, proof=proof)


@flow(name="dondoc-report", description="Write a period's consolidated report as a document to be signed.", **HOW)
async def report(plan_id: int, period: str, to: str = "", installation: str = "") -> State[str]:
    return await _done(installation, works.report, plan_id=plan_id, period=period, to=to)


@flow(name="dondoc-audit", description="The self-audit; Failed where it finds what a person has to look at.", **HOW)
async def audit(installation: str = "") -> State[str]:
    return await _done(installation, works.audit)


@flow(name="dondoc-digest", description="The week's digests, where they are owed.", **HOW)
async def digest(installation: str = "") -> State[str]:
    return await _done(installation, works.digest)
