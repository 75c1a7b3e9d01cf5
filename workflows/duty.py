"""The workflow of a duty, as Prefect runs it: act on one assignment now, say what was done and what comes next, and be
there again when that is due.

An assignment of a duty lives without any process, as the ladder of its policy says: ``run/passes.py`` acts on all that
are due, ``serving/`` calls that by the clock, ``run/flows.py`` on workers. ``projection/`` keeps a flow run of this
flow for each of them, with its deadline, owner and story; ``run/prefect_deployments.py`` starts one of these when such
a run becomes Late. So the owner's heads, its department and the leadership are told by whoever is first, by the same
pass with the same keys: no letter is made twice.

``dondoc prefect deploy`` registers it. Imported where Prefect is used.
"""

from __future__ import annotations

import asyncio
from typing import Any

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.context import get_run_context
from prefect.deployments import arun_deployment
from prefect.states import Completed

from workflows.projection.shown_runs import FLOW
from workflows.run.flows import HOW, ON_DEMAND, worker_system
from workflows.run.passes import act_on_one


def _run_name() -> str:
    run: Any = get_run_context().flow_run  # type: ignore[union-attr]
    return f"{FLOW} {run.parameters.get('assignment')}"


@flow(name=FLOW, description="Act on one assignment now.", flow_run_name=_run_name, **HOW)
async def duty(assignment: int, installation: str = "") -> State[str]:
    """``assignment``: its number, as in the address of its page. Whoever starts it, one run waits for its next rung."""
    system = worker_system(installation)
    done = await asyncio.to_thread(act_on_one, system.database, system.clock(), assignment)
    if done.next_at is not None:
        await arun_deployment(
            f"{FLOW}/{ON_DEMAND}",
            parameters={"assignment": assignment, "installation": installation},
            scheduled_time=done.next_at,
            idempotency_key=f"{installation}:rung:{assignment}:{done.next_at.isoformat()}",
            timeout=0,
            as_subflow=False,
        )
    return Completed(message=done.said)
