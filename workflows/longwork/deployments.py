"""Backup, audit and digests registered with a work pool: on demand, digest and backup by the clock of Vietnam."""

from __future__ import annotations

from dataclasses import dataclass

ON_DEMAND = "on-demand"
ZONE = "Asia/Ho_Chi_Minh"


@dataclass(frozen=True, slots=True)
class LongDeployment:
    """``flow``: its name in ``flows``. ``cron``: by the clock of Vietnam; empty: on demand."""

    flow: str
    cron: str = ""


DEPLOYMENTS = (
    LongDeployment("audit"),
    LongDeployment("backup", "15 2 * * *"),
    LongDeployment("digest", "5 7 * * *"),
)
"""A digest is owed once a week by the policy's own hour; asked daily it comes also after a closed Monday."""


def register(pool: str, installation: str) -> list[str]:
    """Returns «flow/deployment» of each. Registering again updates schedules."""
    from prefect.schedules import Cron
    from prefect.types.entrypoint import EntrypointType

    from workflows.longwork import flows

    names = []
    for each in DEPLOYMENTS:
        flow = getattr(flows, each.flow)
        deployment = flow.to_deployment(
            ON_DEMAND,
            schedule=Cron(each.cron, timezone=ZONE) if each.cron else None,
            work_pool_name=pool,
            parameters={"installation": installation},
            entrypoint_type=EntrypointType.MODULE_PATH,
            description=flow.description,
            tags=["dondoc"],
        )
        deployment.apply()
        names.append(f"{flow.name}/{ON_DEMAND}")
    return names
