"""Long work registered with a work pool: on demand, digest and backup by the clock of Vietnam."""

from __future__ import annotations

from dataclasses import dataclass

ON_DEMAND = "on-demand"
QUEUE, AT_ONCE = "long-work", 2
"""A queue of the pool of its own: so many at once over all machines, so that ticks and letters find a place."""
ZONE = "Asia/Ho_Chi_Minh"


@dataclass(frozen=True, slots=True)
class LongDeployment:
    """``flow``: its name in ``flows``. ``cron``: by the clock of Vietnam; empty: on demand."""

    flow: str
    cron: str = ""


DEPLOYMENTS = (
    LongDeployment("import_document"),
    LongDeployment("simulate"),
    LongDeployment("publish"),
    LongDeployment("report"),
    LongDeployment("audit"),
    LongDeployment("backup", "15 2 * * *"),
    LongDeployment("digest", "5 7 * * *"),
)
"""A digest is owed once a week by the policy's own hour; asked daily it comes also after a closed Monday."""


def register(pool: str, installation: str) -> list[str]:
    """Returns «flow/deployment» of each. Registering again updates schedules."""
    from prefect.client.orchestration import get_client
    from prefect.exceptions import ObjectNotFound
    from prefect.schedules import Cron
    from prefect.types.entrypoint import EntrypointType

    from workflows.longwork import flows

    with get_client(sync_client=True) as client:
        try:
            queue = client.read_work_queue_by_name(QUEUE, pool)
        except ObjectNotFound:
            queue = client.create_work_queue(QUEUE, work_pool_name=pool, concurrency_limit=AT_ONCE)
        client.update_work_queue(queue.id, concurrency_limit=AT_ONCE)
    names = []
    for each in DEPLOYMENTS:
        flow = getattr(flows, each.flow)
        deployment = flow.to_deployment(
            ON_DEMAND,
            schedule=Cron(each.cron, timezone=ZONE) if each.cron else None,
            work_pool_name=pool,
            work_queue_name=QUEUE,
            parameters={"installation": installation},
            entrypoint_type=EntrypointType.MODULE_PATH,
            description=flow.description,
            tags=["dondoc"],
        )
        deployment.apply()
        names.append(f"{flow.name}/{ON_DEMAND}")
    return names
