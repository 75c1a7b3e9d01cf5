"""How pages have long work done on workers: the reading of a document, the simulation of a year."""

from __future__ import annotations

from datetime import date

from engine.files.plan import PlanFile
from engine.http.app_context import ReadElsewhere
from engine.plans.simulated_year import SimulatedYear, TellShare
from engine.terms import Scenario
from workflows.longwork.elsewhere import Elsewhere
from workflows.longwork.works import YEARS
from workflows.simulation.simulation import SimulateElsewhere

SMALLEST_BYTES = 50_000
"""A smaller document is read before a worker has begun its run."""


def reading(workers: Elsewhere) -> ReadElsewhere:
    def read(document: bytes, name: str, actor: str) -> int | None:
        if len(document) < SMALLEST_BYTES:
            return None
        answer = workers.do("import", document, {"name": name, "actor": actor})
        return None if answer is None else int(answer)

    return read


def simulating(workers: Elsewhere) -> SimulateElsewhere:
    def simulate(plan: PlanFile, first: date, last: date, scenario: Scenario, tell: TellShare) -> SimulatedYear | None:
        asked = {"first": first.isoformat(), "until": last.isoformat(), "scenario": scenario.value}
        answer = workers.do("simulate", plan.model_dump_json(by_alias=True).encode(), asked, tell)
        return None if answer is None else YEARS.validate_json(answer)

    return simulate
