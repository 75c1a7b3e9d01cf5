"""What takes long, as plain functions of the system and of parameters that a person can type in Prefect's pages. Each
returns a sentence of what it did. A mistake in the parameters raises DondocError, and the run is Failed by that."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

from pydantic import TypeAdapter

from engine.accounts.permissions import Acting
from engine.agencies.stored_directory import read_directory
from engine.errors import Unavailable
from engine.files.plan import PlanFile
from engine.plans.simulated_year import SimulatedYear
from engine.rules.calendar import local_date
from engine.terms import PassName, Scenario
from engine.text import Text
from workflows.longwork.handover import Handover
from workflows.run.system import System

ACTOR = "prefect"
YEARS = TypeAdapter(SimulatedYear)


class FindingsLeft(Unavailable):
    """The audit found what a person has to look at."""

    default = Text("Tự kiểm tra thấy điều phải xem.", "The audit found what a person has to look at.")


def by(system: System, actor: str = ACTOR) -> Acting:
    return {"actor": actor, "now": system.clock()}


def import_document(system: System, document: str = "", name: str = "", actor: str = ACTOR, handed: str = "") -> str:
    """Read a plan document into a draft to be reviewed. ``document``: a path on the worker's machine; or ``handed``,
    the word of what a page has handed over."""
    from engine.features.plan_import.drafts.reading import draft_of
    from engine.features.plan_import.drafts.stored import make_draft
    from engine.features.plan_import.importer.limited import read_limited

    handover, path = Handover(system.settings.handover), Path(document)
    source = handover.given(handed) if handed else path
    with system.database.read() as session:
        directory = read_directory(session)
    draft = draft_of(read_limited(source, name or path.name, directory), directory)
    with system.database.write() as session:
        draft_id = make_draft(session, draft, **by(system, actor))
    if handed:
        handover.answer(handed, str(draft_id).encode())
    return f"draft {draft_id}: {system.settings.base_url}/plans/drafts/{draft_id}"


def simulate(
    system: System,
    plan_id: int = 0,
    first: str = "",
    until: str = "",
    scenario: Scenario = Scenario.SILENT,
    handed: str = "",
) -> str:
    """Every letter that a plan would send, on the stored directory, policy and calendar. ``plan_id``: of a stored plan;
    or ``handed``: the word of a plan file. Without dates: from the plan's issue to the end of next January."""
    from engine.queries.stored_plans import plan_of
    from engine.store.recipients import unset_channels
    from engine.store.rulebook import read_rulebook
    from workflows.simulation import simulation

    handover = Handover(system.settings.handover)
    with system.database.read() as session:
        body = handover.given(handed) if handed else None
        plan = PlanFile.model_validate_json(body) if body else PlanFile.model_validate(plan_of(session, plan_id).file)
        agencies, book = read_directory(session, contacts=True), read_rulebook(session)
        unset = unset_channels(session)
    year = simulation.simulate(
        [plan],
        agencies,
        book.policy(plan.policy),
        book.calendar,
        start=date.fromisoformat(first) if first else plan.issued_on,
        until=date.fromisoformat(until) if until else date(plan.final_year + 1, 1, 31),
        scenario=Scenario(scenario),
        tell=_teller(handover, handed),
        unset=unset,
    )
    if handed:
        handover.answer(handed, YEARS.dump_json(year))
    return f"{len(year.messages)} letters for {year.assignments} assignments in {year.days} days"


def _teller(handover: Handover, handed: str) -> Callable[[float], None]:
    """Writes the share to a page that waits, each hundredth once."""
    told = -1

    def tell(share: float) -> None:
        nonlocal told
        if handed and int(share * 100) > told:
            told = int(share * 100)
            handover.tell(handed, share)

    return tell


def publish(system: System, plan_id: int, period: str = "", cut_off: str = "") -> str:
    """Publish a plan's figures for a day (default: today); ``period`` empty: all."""
    from engine.admin.published_figures import publish_figures

    acting = by(system)
    day = date.fromisoformat(cut_off) if cut_off else local_date(acting["now"])
    with system.database.write() as session:
        number = publish_figures(session, plan_id, period, day, **acting)
    return f"published figures {number}: {system.settings.base_url}/leadership/frozen/{number}"


def backup(system: System, to: str = "", proof: bool = True) -> str:
    """Copy everything into a new folder below ``to`` (default: backups in the data folder), and unless ``proof`` is
    False restore it into a place of its own and compare."""
    from workflows.operation import backup as copying
    from workflows.operation.drill import prove

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


def report(system: System, plan_id: int, period: str, to: str = "") -> str:
    """Write a period's consolidated report as a draft to be signed (.docx) below ``to`` (default: reports in the data
    folder)."""
    from engine.features.papers.period_report import period_report
    from engine.features.papers.report import report_docx, report_name
    from engine.queries.stored_plans import plan_of
    from engine.queries.time_class import read_day
    from engine.store.atomic_file import atomic_write

    with system.database.read() as session:
        row = plan_of(session, plan_id)
        facts = period_report(session, read_day(session, local_date(system.clock())), row, period)
    folder = Path(to) if to else system.settings.data_dir / "reports"
    path = folder / report_name(row.number, row.issued_on.year, period)
    atomic_write(path, report_docx(facts), 0o600)
    return str(path)


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
