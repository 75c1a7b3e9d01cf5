"""Plans on the command line: read a document, check, load, activate, compare two texts, renew for another year."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from sqlalchemy import select

from config import DATA
from engine.assignments import opening
from engine.cli.context import day, opened
from engine.errors import BadInput
from engine.files.calendar import load_calendar, load_calendar_file
from engine.files.directory import load_directory
from engine.files.plan import load_plan
from engine.files.plan_check import check
from engine.files.plan_diff import compare
from engine.files.plan_renewal import plan_number, renew
from engine.plans import loading
from engine.plans.closing import end, preview_end
from engine.store.database import table
from engine.store.records import Plan
from engine.text import Text

if TYPE_CHECKING:
    from engine.importer import ImportedPlan

plans = typer.Typer(no_args_is_help=True, help="Kế hoạch: đọc văn bản, kiểm tra, nạp, kích hoạt. / Plans.")

At = Annotated[str, typer.Option(help="ISO instant to take for now.")]
Json = Annotated[bool, typer.Option("--json", help="For machines.")]
Directory = Annotated[Path, typer.Option(help="Directory file.")]
Calendar = Annotated[Path, typer.Option(help="Calendar file.")]
Language = Annotated[str, typer.Option(help="vi or en.")]
Out = Annotated[str, typer.Option("-o", "--output", help="Write here instead of to the screen.")]
DIRECTORY, CALENDAR = DATA / "agencies/nghe-an.yaml", DATA / "calendars/vn.yaml"


@plans.command("import")
def plan_import(
    document: Annotated[Path, typer.Argument(metavar="DOCUMENT", help="Plain text, HTML, DOCX or PDF.")],
    output: Out = "",
    as_json_: Json = False,
    directory: Directory = DIRECTORY,
) -> None:
    """Read a plan document into a draft plan file; what a person must confirm is marked, and said on stderr."""
    from engine.importer import as_json, as_plan_yaml, read_document  # Word, PDF and HTML readers: only when used

    bodies = load_directory(directory)
    found = read_document(document, document.name, directory=bodies)
    said = json.dumps(as_json(found), ensure_ascii=False) + "\n" if as_json_ else as_plan_yaml(found, bodies)
    _give(said, output)
    _doubts(found)


def _doubts(found: ImportedPlan) -> None:
    duties, items = sum(1 for _ in found.duties), sum(1 for _ in found.items)
    typer.echo(
        Text(
            f"{items} mục, {duties} nhiệm vụ, {len(found.warnings)} điều cần soát.",
            f"{items} items, {duties} duties, {len(found.warnings)} things to check.",
        ),
        err=True,
    )
    for doubt in found.warnings:
        message = " ".join(doubt.message.split())
        named = message if message.startswith(doubt.place) else f"{doubt.place}: {message}"
        typer.echo(f"! {named}", err=True)


def _give(text: str, output: str) -> None:
    """To a file, or to the screen."""
    if not output:
        typer.echo(text, nl=False)
        return
    try:
        Path(output).write_text(text, encoding="utf-8")
    except OSError as error:
        why = error.strerror or str(error)
        raise BadInput(Text(f"Không ghi được «{output}»: {why}.", f"“{output}” cannot be written.")) from None
    typer.echo(Text("Đã ghi", f"written: {output}"), err=True)


@plans.command("check")
def plan_check(
    file: Annotated[Path, typer.Argument(help="A plan file (YAML).")],
    as_json_: Json = False,
    directory: Directory = DIRECTORY,
    calendar: Calendar = CALENDAR,
    language: Language = "vi",
) -> None:
    """Say what a plan file holds: items, gaps, duties, owners, assignments per period, due dates and their sums."""
    bodies = load_directory(directory)
    report = check(load_plan(file, bodies), bodies, load_calendar(calendar))
    typer.echo(json.dumps(report.json(), ensure_ascii=False) if as_json_ else report.text(language))


@plans.command("diff")
def plan_diff(
    before: Annotated[Path, typer.Argument(metavar="A", help="The plan file as it was.")],
    after: Annotated[Path, typer.Argument(metavar="B", help="The plan file as it will be.")],
    as_json_: Json = False,
    directory: Directory = DIRECTORY,
    calendar: Calendar = CALENDAR,
    language: Language = "vi",
) -> None:
    """Say what changes for whom when a plan is amended."""
    bodies = load_directory(directory)
    found = compare(load_plan(before, bodies), load_plan(after, bodies), bodies, load_calendar(calendar))
    typer.echo(json.dumps(found.json(), ensure_ascii=False) if as_json_ else found.text(language), nl=as_json_)


@plans.command("renew")
def plan_renew(
    plan: Annotated[Path, typer.Argument(metavar="PLAN", help="This year's plan file.")],
    year: Annotated[int, typer.Option(help="The new plan's year.", min=2000, max=2100)],
    number: Annotated[str, typer.Option(help="The new plan's number, as 25/KH-UBND.")],
    issued: Annotated[str, typer.Option(help="Its date, as 2022-01-20; the same day of the year if not given.")] = "",
    output: Out = "",
    calendar: Calendar = CALENDAR,
    language: Language = "vi",
) -> None:
    """Next year's plan from this one, its dates moved by the calendar; what to confirm is listed on stderr."""
    old, days = load_plan(plan), load_calendar_file(calendar)
    issued_on = day(issued) if issued else date(year, old.issued_on.month, min(old.issued_on.day, 28))
    if issued_on.year != year:
        raise BadInput(Text(f"Ngày ban hành {issued_on} không thuộc năm {year}.", f"{issued_on} is not in {year}."))
    text, points = renew(
        old,
        year=year,
        number=plan_number(number),
        issued_on=issued_on,
        calendar=days.calendar(),
        known_until=days.known_until,
    )
    _give(text, output)
    typer.echo(Text(f"{len(points)} điều cần xác nhận:", f"{len(points)} things to confirm:"), err=True)
    for point in points:
        typer.echo(f"! {point.said(language)}", err=True)


@plans.command("load")
def plan_load(file: Annotated[Path, typer.Argument(help="A plan file (YAML).")], at: At = "") -> None:
    """Store a plan. It stands still until it is activated; a changed file replaces it until then."""
    _, database, now, actor = opened(at)
    with database.write() as session:
        plan_id = loading.load_plan(session, load_plan(file), actor=actor, now=now)
    typer.echo(Text(f"Đã nạp kế hoạch số {plan_id}.", f"Loaded plan {plan_id}."))


@plans.command("activate")
def plan_activate(
    plan: Annotated[int, typer.Argument(metavar="PLAN", help="The plan's number, as `plan list` shows it.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    at: At = "",
) -> None:
    """Set a plan going, after showing what would be sent at once."""
    _, database, now, actor = opened(at)
    would = opening.rehearse(database, plan, now)
    periods = ", ".join(f"{period}: {count}" for period, count in sorted(would.assignments.items())) or "0"
    typer.echo(Text("Sẽ mở", f"would open: {periods}. Quá hạn ngay / overdue at once: {would.overdue}."))
    typer.echo(
        Text(
            f"Sẽ gửi {would.letters} thư cho {would.people} người.",
            f"Letters: {would.letters}, people: {would.people}.",
        )
    )
    if not yes and not typer.confirm("Kích hoạt? / Activate?"):
        raise typer.Exit(1)
    with database.write() as session:
        opening.activate(session, plan, actor=actor, now=now)
    typer.echo(Text("Đã kích hoạt.", "Activated."))


@plans.command("end")
def plan_end(
    plan: Annotated[int, typer.Argument(metavar="PLAN", help="The plan's number, as `plan list` shows it.")],
    reason: Annotated[str, typer.Option(help="Why, as the log will say.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    at: At = "",
) -> None:
    """End an active plan: nothing more opens, nobody is reminded; what is open stays and may still be reported."""
    _, database, now, actor = opened(at)
    with database.read() as session:
        left = preview_end(session, plan, now)
    typer.echo(
        Text(
            f"Còn mở {left.open}, quá hạn {left.overdue}, chưa mở {left.to_open}.",
            f"Open {left.open}, overdue {left.overdue}, never to open {left.to_open}.",
        )
    )
    if not yes and not typer.confirm("Kết thúc? / End it?"):
        raise typer.Exit(1)
    with database.write() as session:
        end(session, plan, reason=reason, actor=actor, now=now)
    typer.echo(Text("Đã kết thúc.", "Ended."))


@plans.command("list")
def plan_list() -> None:
    """Every plan: id, number, year, state, short title."""
    _, database, _, _ = opened()
    p = table(Plan)
    with database.read() as session:
        for row in session.connection().execute(select(p).order_by(p.c.year, p.c.number)):
            typer.echo(f"{row.id:5} {row.number:16} {row.year} {row.state:8} {row.short_title}")
