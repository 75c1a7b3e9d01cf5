"""The root command: runs the system. Includes the engine's commands (plans, assignments …).

Every command imports inside itself what it needs, so that ``dondoc --help`` answers at once.
"""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import signal
import sys
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from config import DATA, SettingsRefused
from engine.cli import assignments
from engine.cli.context import CALENDAR_HELP, DIRECTORY_HELP, moment, operator_name, rules_of_place, working
from engine.cli.plans import plans as plans_app
from engine.errors import BadInput, DondocError, Unavailable
from engine.features.plan_import.command import plan_import
from engine.features.webhooks.command import webhooks_app
from engine.rules.calendar import PLAN_TIME, local_date, written
from engine.rules.typed_day import iso_day
from engine.terms import PassName, Scenario
from engine.text import Text
from workflows.operation import commands as operation
from workflows.run.private_files import create_privately
from workflows.simulation.examples import EXAMPLES, Example, load_example

if TYPE_CHECKING:
    from config.settings import Settings

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Đôn Đốc: theo dõi, đôn đốc nhiệm vụ được giao. / Tracks that assigned public duties are done on time.",
)
plans_app.command("import")(plan_import)
assignments.add_commands(app)
app.add_typer(webhooks_app, name="webhook")
operation.add_commands(app)
prefect_app = typer.Typer(no_args_is_help=True, help="Prefect: xử lý trên nhiều máy. / The passes on many workers.")
app.add_typer(prefect_app, name="prefect")
templates_app = typer.Typer(no_args_is_help=True, help="Mẫu thư riêng của cơ quan. / The office's own templates.")
app.add_typer(templates_app, name="templates")


def _print_version(wanted: bool) -> None:
    if wanted:
        from engine.store.version import version_line

        typer.echo(f"dondoc {version_line('en')}")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version and exit.", callback=_print_version, is_eager=True)
    ] = False,
) -> None:
    """Đôn Đốc: theo dõi, đôn đốc nhiệm vụ được giao. / Tracks that assigned public duties are done on time."""


@app.command()
def serve(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "",
    port: Annotated[int, typer.Option(help="Port to listen on.")] = 0,
    prefect: Annotated[bool, typer.Option(help="Show passes in a local Prefect server.")] = True,
    every: Annotated[int, typer.Option(hidden=True, help="Seconds between two ticks, for tests.")] = 0,
) -> None:
    """Run everything: pages, beside them the process that sends, and a Prefect server."""
    _serve(_settings(host, port, prefect), every)


@app.command()
def demo(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "",
    port: Annotated[int, typer.Option(help="Port to listen on.")] = 0,
    prefect: Annotated[bool, typer.Option(help="Show passes in a local Prefect server.")] = True,
    example: Annotated[Example | None, typer.Option(help="Which example; asked in a terminal.")] = None,
) -> None:
    """An example plan with the clock stopped behind its first due date, and buttons to advance it. Nothing leaves the
    machine."""
    from config.settings import DemoSettings, read_settings

    base = read_settings()
    example = example or _choose_example()
    folder = base.data_dir / ("demo" if example is Example.NGHE_AN_2021 else f"demo-{example}")
    settings = _settings(host, port, prefect, DemoSettings, data_dir=folder, database_url="")
    from workflows.run.system import compose
    from workflows.simulation.demo import prepare

    system = compose(settings)
    if prepare(system, example):
        data = EXAMPLES[example]
        day = local_date(data.clock_start)
        typer.echo(
            Text(
                f"{data.plan_name} đã sẵn sàng, đồng hồ ở {written(day)}.",
                f"The plan is ready; the clock is at {written(day, 'en')}.",
            )
        )
    _serve(settings)


def _choose_example() -> Example:
    """Asked where somebody sits at a terminal; else plan 188 of 2021."""
    if not sys.stdin.isatty():
        return Example.NGHE_AN_2021
    for number, name in enumerate(Example, 1):
        typer.echo(f"{number}. {EXAMPLES[name].what}")
    typed = typer.prompt("1/2", default="1", show_default=True).strip()
    return Example.NGHE_AN_2025 if typed == "2" else Example.NGHE_AN_2021


@app.command()
def once(
    name: Annotated[str, typer.Argument(metavar="PASS", help=f"{' | '.join(PassName)} | tick")],
    at: Annotated[str, typer.Option(help="ISO timestamp to use as the current time, for tests.")] = "",
) -> None:
    """Run one pass (or a whole tick) and print what it did. Running it again changes nothing."""
    import asyncio

    from workflows.run import clock_guard
    from workflows.run.system import compose_installed
    from workflows.serving.runs import run_pass, tick

    if name not in (*PassName, "tick"):
        raise BadInput(
            Text(
                f"Không có lần xử lý «{name}»; hãy chọn {', '.join(PassName)} hoặc tick.", f"There is no pass “{name}”."
            )
        )
    given = moment(at) if at else None
    system = compose_installed()
    now = given or system.clock()
    if given is None:
        clock_guard.go_by_clock(system)
    reports = asyncio.run(tick(system, now)) if name == "tick" else [run_pass(system, PassName(name), now)]
    for report in reports:
        typer.echo(str(report))


@app.command()
def clock(
    confirm: Annotated[bool, typer.Option("--confirm", help="Say that the clock is right; the passes go on.")] = False,
) -> None:
    """Show whether the server's clock is believed, and confirm it where no second clock can."""
    from workflows.operation.restore import held
    from workflows.run import clock_guard
    from workflows.run.clock_guard import database_clock
    from workflows.run.system import compose_existing

    system = compose_existing()
    typer.echo(f"{system.clock().astimezone(PLAN_TIME):%Y-%m-%d %H:%M:%S}")
    if (there := database_clock(system.database)) is not None:
        typer.echo(f"{there.astimezone(PLAN_TIME):%Y-%m-%d %H:%M:%S} PostgreSQL")
    if confirm:
        clock_guard.confirm(system, actor=operator_name())
        if held(system.database, system.clock()) is not None:  # after a working day without a sign
            typer.echo(Text("Thư được giữ lại: xem «dondoc release».", "Letters are held: see “dondoc release”."))
    clock_guard.require_belief(system)


@app.command()
def repair(at: Annotated[str, typer.Option(help="ISO timestamp to use as the current time, for tests.")] = "") -> None:
    """Recompute what the audit found wrong: next actions, the digest's week, letters dated far ahead, the search index.

    Sends nothing."""
    from workflows.checks.log_checks import unreadable_rows
    from workflows.checks.repair import repair as repair_database
    from workflows.run.system import compose_existing

    system = compose_existing()
    counts = repair_database(system.database, moment(at) if at else system.clock())
    if not any(counts.values()):
        typer.echo(str(Text("Không có gì phải sửa.", "There was nothing to correct.")))
    for name, count in counts.items():
        if count > 0:
            typer.echo(f"{name}: {count}")
    for row in unreadable_rows(system.database):
        typer.echo(Text(f"Không đọc được: {row}; lấy lại từ bản sao lưu.", f"Cannot be read: {row}; see a backup."))


@app.command("callbacks")
def show_callbacks() -> None:
    """The addresses to enter at SMS gateways, with their secret; for Kannel the groups of its kannel.conf."""
    from workflows.run.channel_wiring import callback_addresses
    from workflows.run.system import compose_existing

    system = compose_existing()
    for what, address in callback_addresses(system.settings, system.signer).items():
        typer.echo(f"# {what}\n{address}" if "\n" in address else f"# {what}: {address}\n")


@app.command()
def init(
    example: Annotated[Example | None, typer.Option(help="Load this example's agencies and contacts too.")] = None,
) -> None:
    """Create the database with the working calendar and the default policy. Asks nothing; again: changes nothing."""
    from config.settings import read_settings
    from engine.admin.settings_view import without_password
    from workflows.operation.upgrade import upgrade
    from workflows.run.installation import establish, load_defaults, require_own_or_new
    from workflows.run.private_files import make_private
    from workflows.run.system import announce_setup_code, compose

    require_own_or_new(read_settings())
    make_private(read_settings())
    system = compose()
    upgrade(system)
    make_private(system.settings)
    load_defaults(system.database, system.clock())
    if example is not None:
        load_example(system.database, example, system.clock())
    establish(system)
    typer.echo(Text(f"Đã sẵn sàng: {without_password(system.settings.database)}", "ready"))
    announce_setup_code(system)


@app.command()
def simulate(
    plan: Annotated[list[Path], typer.Argument(help="Plan files (YAML), simulated together.")],
    start: Annotated[
        str, typer.Option("--from", help="First day, as 2021-04-07; default: the plan's date of issue.")
    ] = "",
    until: Annotated[str, typer.Option(help="Last day; default: the end of next January.")] = "",
    scenario: Annotated[Scenario, typer.Option(help="How the agencies behave.")] = Scenario.SILENT,
    seed: Annotated[int, typer.Option(help="Seed of the scenario «mixed».")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object per line.")] = False,
    as_csv: Annotated[bool, typer.Option("--csv")] = False,
    as_ics: Annotated[bool, typer.Option("--ics")] = False,
    as_html: Annotated[bool, typer.Option("--html", help="A page with a heat map.")] = False,
    directory: Annotated[Path | None, typer.Option(help=DIRECTORY_HELP)] = None,
    policy: Annotated[Path, typer.Option(help="Policy file.")] = DATA / "policies/default.yaml",
    calendar: Annotated[Path | None, typer.Option(help=CALENDAR_HELP)] = None,
    language: Annotated[str, typer.Option(help="vi or en.")] = "vi",
) -> None:
    """List every message that a plan would send, before it is activated: the live passes run on a simulated clock."""
    from engine.files.plan import load_plan
    from engine.files.yaml_reader import read
    from engine.rules.policy import Policy
    from workflows.simulation.simulation import FORMS
    from workflows.simulation.simulation import simulate as simulate_year

    agencies, days = rules_of_place(directory, calendar)
    plans = [load_plan(file, agencies) for file in plan]
    first = iso_day(start) if start else min(each.issued_on for each in plans)
    last = iso_day(until) if until else date(max(each.final_year for each in plans) + 1, 1, 31)
    if last < first:
        raise BadInput(Text(f"Ngày cuối {last} trước ngày đầu {first}.", "The last day is before the first."))
    with working(Text("Đang tính thư của cả năm", "Computing the year's letters")) as tell:
        year = simulate_year(
            plans,
            agencies,
            read(policy, Policy),
            days,
            start=first,
            until=last,
            scenario=scenario,
            seed=seed,
            tell=tell,
        )
    formats = {"json": as_json, "csv": as_csv, "ics": as_ics, "html": as_html}
    format_name = next((name for name, wanted in formats.items() if wanted), "text")
    typer.echo(FORMS[format_name](year, "en" if language == "en" else "vi"))


@prefect_app.callback()
def with_prefect() -> None:
    from workflows.run.prefect_server import require_installed

    require_installed()


@prefect_app.command()
def deploy(
    pool: Annotated[str, typer.Option(help="Work pool of type process; created if missing.")],
    every: Annotated[int, typer.Option(help="Seconds between two runs.", min=10, max=86400)] = 60,
    alarm: Annotated[str, typer.Option(help="URL that the automations call; default: ours, for the operator.")] = "",
) -> None:
    """Register the passes as scheduled Prefect deployments, with the automations, and print what a worker's machine
    needs."""
    from config.settings import read_settings
    from workflows.operation.daily_work import flows
    from workflows.projection.prefect_api import PrefectApi
    from workflows.run.channel_wiring import alarm_address
    from workflows.run.installation import installation_id
    from workflows.run.prefect_deployments import deploy as register
    from workflows.run.prefect_deployments import require_prefect, with_retries, worker_environment
    from workflows.run.system import announce_removed_settings, compose_installed

    system = compose_installed()
    announce_removed_settings(system)
    require_prefect(system.prefect)
    os.environ.update(system.prefect)  # before Prefect is imported
    from workflows.duty import duty

    alarm = alarm or alarm_address(system.settings, system.signer, system.settings.base_url)
    wanted = pool, timedelta(seconds=every), installation_id(system.database), alarm
    more, most = [(duty, ""), *flows()], system.settings.smtp_per_minute
    with PrefectApi(system.prefect_api, system.prefect_auth) as api:
        names = with_retries(lambda: register(api, *wanted, per_minute=most, more=more))
    typer.echo(
        Text(
            f"Đã đăng ký {', '.join(names)}; lượt xử lý cách nhau {every} giây. Trên mỗi máy chạy:",
            f"Registered, one run every {every} s. On each worker machine:",
        )
    )
    for name, value in worker_environment(read_settings(), system.prefect).items():
        typer.echo(f"export {name}={shlex.quote(value)}")
    typer.echo(f"dondoc prefect worker --pool {shlex.quote(pool)}")


@prefect_app.command()
def worker(
    pool: Annotated[str, typer.Option(help="Work pool that «deploy» has registered.")],
    runs: Annotated[int, typer.Option(help="Flow runs at once, a process each.", min=3, max=100)] = 5,
) -> None:
    """Run a Prefect worker on this machine until SIGTERM; its flow runs then settle what is on the wire."""
    from config.settings import settings_environment
    from workflows.run.prefect_server import run_worker
    from workflows.run.system import announce_removed_settings, compose_installed

    system = compose_installed()
    announce_removed_settings(system)
    raise typer.Exit(run_worker(pool, settings_environment(system.settings), system.prefect, runs))


@prefect_app.command()
def key() -> None:
    """Print the string that a Prefect server of your own is to ask for, and workers show."""
    from workflows.run.prefect_server import auth_of
    from workflows.run.system import compose_installed

    system = compose_installed()
    typer.echo(auth_of(system.settings, system.signer))


@templates_app.command("check")
def check_templates(
    folder: Annotated[
        Path | None, typer.Argument(help="Folder of customised templates; default: that of the settings.")
    ] = None,
) -> None:
    """Check the customised templates on every kind of letter. Prints problems with file and line, exit code 1."""
    from config.settings import read_settings
    from notifications.letters.template_check import check_folder

    folder_in_use = folder or read_settings().templates
    if folder is not None and not folder.is_dir():
        raise BadInput(Text(f"Không có thư mục «{folder}».", f"There is no folder “{folder}”."))
    problems = check_folder(folder_in_use)
    for problem in problems:
        typer.echo(f"{folder_in_use}/{problem}")
    if problems:
        raise typer.Exit(1)
    typer.echo(
        Text(f"Mẫu thư trong {folder_in_use} không có gì sai.", "The templates there have no problems.")
        if folder_in_use.is_dir()
        else Text(f"Chưa có mẫu thư riêng ({folder_in_use}): dùng mẫu đi kèm.", "The shipped templates are in use.")
    )


@app.command("settings")
def show_settings(as_json: Annotated[bool, typer.Option("--json")] = False) -> None:
    """Every setting with its value; secrets are masked."""
    from config.settings import ABOUT, read_settings
    from engine.admin.settings_view import masked_values
    from workflows.run.installation import require_installation
    from workflows.run.system import compose

    settings = read_settings()
    if settings.database_url or (settings.data_dir / "dondoc.db").exists():
        with contextlib.suppress(Unavailable):  # not set up yet: nothing was entered
            require_installation(settings)
            settings = compose(settings).settings
    values = masked_values(settings)
    if as_json:
        typer.echo(json.dumps(values, ensure_ascii=False))
        return
    for name, about in ABOUT.items():
        typer.echo(f"DONDOC_{name.upper():30} {values[name]:40} {about.en}")


def _settings(host: str, port: int, prefect: bool, kind: type[Settings] | None = None, **more: object) -> Settings:
    from config import settings

    given: dict[str, object] = {"host": host or None, "port": port or None, "prefect": None if prefect else False}
    chosen = {name: value for name, value in given.items() if value is not None}
    return settings.read_settings(kind or settings.Settings, **chosen, **more)


def _serve(settings: Settings, tick_seconds: int = 0) -> None:
    # Before anything that takes time: as process 1 of a container nothing else ends it. uvicorn raises the signal again
    # after its shutdown, so that ``serve`` leaves by its finally block.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    from workflows.server import serve as serve_now
    from workflows.serving.sending import configure_logging

    configure_logging(settings.log)
    serve_now(settings, tick_seconds)


def main() -> None:
    """The command line. Errors that the user can correct are one message and exit code 2, never a traceback."""
    code: int | str | None = 0
    create_privately()
    try:
        app()
    except SystemExit as ended:
        code = ended.code
    except (DondocError, SettingsRefused) as error:
        typer.echo(str(error), err=True)
        code = 2
    except OSError as error:  # a folder that cannot be made, a full disk
        what = f"«{error.filename}»: {error.strerror}" if error.filename else str(error)
        typer.echo(
            Text(
                f"Không đọc hoặc ghi được {what}. Hãy xem đường dẫn, quyền và chỗ trống trên đĩa.",
                "It cannot be read or written; check path, permissions and free space.",
            ),
            err=True,
        )
        code = 2
    sys.exit(code)
