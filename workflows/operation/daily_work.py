"""What Prefect starts by the clock or from its pages, as plain functions of the system. Each returns a sentence of what
it did; an error makes the run Failed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from engine.errors import Unavailable
from engine.terms import PassName
from engine.text import Text
from workflows.run.system import System

SCHEDULES: Mapping[str, str] = {"audit": "", "backup": "15 2 * * *", "digest": "5 7 * * *"}
"""By the flow's name in ``daily_flows``, as cron in Vietnam's time; empty: on demand alone. A digest is owed once a
week by the policy's own hour; asked daily it comes also after a closed Monday."""


def flows() -> list[tuple[Any, str]]:
    """The flows with their schedules. Imports Prefect."""
    from workflows.operation import daily_flows

    return [(getattr(daily_flows, name), cron) for name, cron in SCHEDULES.items()]


class FindingsLeft(Unavailable):
    """The audit found what a person has to look at."""

    default = Text("Tự kiểm tra thấy điều phải xem.", "The audit found what a person has to look at.")


def backup(system: System, to: str = "", proof: bool = True) -> str:
    """Copy everything into a new folder below ``to`` (default: backups in the data folder), and unless ``proof`` is
    False restore it into a place of its own and compare."""
    from workflows.operation import backup as copying
    from workflows.operation.backup import prove

    folder = copying.backup(system, Path(to) if to else system.settings.data_dir / "backups")
    if not proof:
        return f"{folder}"
    proved = prove(folder, system.database)
    if not proved.good:
        wrong = ", ".join((*proved.differing, *(each[:12] for each in proved.lost))[:5])
        raise Unavailable(
            Text(f"Bản sao lưu không khôi phục được trọn vẹn: {wrong}", f"The backup does not come back whole: {wrong}")
        )
    return f"{folder}: comes back whole, {proved.rows} rows, {proved.files} files"


def audit(system: System) -> str:
    """The self-audit, as the heartbeat runs it. Raises FindingsLeft where it finds what a person has to look at."""
    from workflows.serving.runs import run_pass

    found = run_pass(system, PassName.AUDIT, system.clock())
    if any(count for name, count in found.counts.items() if name != "unknown_letters"):
        raise FindingsLeft(Text(f"Tự kiểm tra: {found}", str(found)))
    return str(found)


def digest(system: System) -> str:
    """The week's digests, where they are owed: the same as a tick makes, also where ticks do not go on."""
    from workflows.run.passes import DATABASE_PASSES

    return str(DATABASE_PASSES[PassName.DIGEST](system.database, system.clock()))
