"""Benchmark of the simulation: the year of plan 188 with silent agencies, alone and with other plans of its size.

    python -m tests.bench.simulation [--plans 1 10 100]

Prints CPU seconds of this process, assignment-days per second (one assignment simulated for one day), and the time of
several plans relative to that of one plan times their number.
"""

from __future__ import annotations

import argparse
import gc
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from config import DATA
from engine.files.calendar import load_calendar
from engine.files.directory import load_directory
from engine.files.plan import PlanFile, load_plan
from engine.files.yaml_reader import read
from engine.plans.simulated_year import SimulatedYear
from engine.rules.policy import Policy
from workflows.simulation.simulation import simulate

FIRST, LAST = date(2021, 4, 7), date(2022, 1, 31)
PLANS = (1, 10, 30)
MOST = 1.1
"""Maximum time of several plans, relative to one plan times their number."""


@dataclass(frozen=True)
class Cost:
    plans: int
    seconds: float
    letters: int
    assignment_days: int

    def against(self, one: Cost) -> float:
        return self.seconds / (self.plans * one.seconds)


def alike(plan: PlanFile, count: int) -> Iterator[PlanFile]:
    """Copies of the plan with different numbers."""
    for n in range(count):
        yield plan if n == 0 else plan.model_copy(update={"number": f"{1000 + n}/KH-UBND", "sms_name": f"KH{1000 + n}"})


def cost(count: int) -> Cost:
    bodies = load_directory(DATA / "agencies/nghe-an-2021.yaml")
    policy, calendar = read(DATA / "policies/default.yaml", Policy), load_calendar(DATA / "calendars/vn.yaml")
    plans = list(alike(load_plan(DATA / "plans/188-kh-ubnd-2021.yaml", bodies), count))
    gc.collect()
    began = time.process_time()
    year: SimulatedYear = simulate(plans, bodies, policy, calendar, start=FIRST, until=LAST)
    return Cost(count, time.process_time() - began, len(year.messages), year.assignments * year.days)


def measure(counts: Sequence[int]) -> None:
    cost(1)  # imports, templates
    one = min((cost(1) for _ in range(2)), key=lambda each: each.seconds)
    print("simulate: plan 188's year, silent\n  plans  CPU s  letters  assignment-days/s  against as many times one")
    for count in counts:
        each = one if count == 1 else cost(count)
        rate = each.assignment_days / each.seconds
        told = (
            ""
            if count == 1
            else f"{each.against(one):.2f} ({'within' if each.against(one) <= MOST else 'OVER'} {MOST})"
        )
        print(f"{count:>7,} {each.seconds:>6.2f} {each.letters:>8,} {rate:>18,.0f}  {told}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--plans", type=int, nargs="+", default=PLANS)
    measure(parser.parse_args().plans)


if __name__ == "__main__":
    main()
