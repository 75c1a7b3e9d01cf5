"""Plans on the command line: check, compare, renew, load, activate, end, list."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from engine.cli.context import (
    CALENDAR_HELP,
    DIRECTORY_HELP,
    Json,
    open_context,
    rules_of_place,
    show_list,
    working,
    write_text,
)
from engine.errors import BadInput
from engine.rules.typed_day import iso_day
from engine.rules.words import moment
from engine.terms import PastPeriods, PlanState
from engine.text import Text

if TYPE_CHECKING:
    from engine.assignments.opening import Departure
    from engine.files.directory import DirectoryFile
    from engine.files.plan import PlanFile
    from engine.files.plan_renewal import EndedName, Point
    from engine.rules.periods import Cadence

plans = typer.Typer(no_args_is_help=True, help="Kế hoạch: đọc văn bản, kiểm tra, nạp, kích hoạt. / Plans.")

At = Annotated[str, typer.Option(help="Run as if now were this ISO instant.")]
Directory = Annotated[Path | None, typer.Option(help=DIRECTORY_HELP)]
Calendar = Annotated[Path | None, typer.Option(help=CALENDAR_HELP)]
Language = Annotated[str, typer.Option(help="vi or en.")]
Out = Annotated[str, typer.Option("-o", "--output", help="Write to this file instead of the screen.")]


@plans.command("check")
def plan_check(
    file: Annotated[Path, typer.Argument(help="A plan file (YAML).")],
    as_json_: Json = False,
    directory: Directory = None,
    calendar: Calendar = None,
    language: Language = "vi",
) -> None:
    """Check a plan file and show items, gaps, duties, owners, assignments per period, due dates and totals."""
    from engine.files.plan import load_plan
    from engine.files.plan_check import check

    agencies, days = rules_of_place(directory, calendar)
    report = check(load_plan(file, agencies), agencies, days)
    typer.echo(json.dumps(report.json(), ensure_ascii=False) if as_json_ else report.text(language))


@plans.command("diff")
def plan_diff(
    before: Annotated[Path, typer.Argument(metavar="A", help="The old plan file.")],
    after: Annotated[Path, typer.Argument(metavar="B", help="The new plan file.")],
    as_json_: Json = False,
    directory: Directory = None,
    calendar: Calendar = None,
    language: Language = "vi",
) -> None:
    """Compare two plan files: what changes for which agency."""
    from engine.files.plan import load_plan
    from engine.files.plan_diff import compare

    agencies, days = rules_of_place(directory, calendar)
    changes = compare(load_plan(before, agencies), load_plan(after, agencies), agencies, days)
    typer.echo(json.dumps(changes.json(), ensure_ascii=False) if as_json_ else changes.text(language), nl=as_json_)


@plans.command("renew")
def plan_renew(
    plan: Annotated[
        str,
        typer.Argument(metavar="PLAN", help="This year's plan file, or a loaded plan's number in «dondoc plan list»."),
    ],
    year: Annotated[int, typer.Option(help="The new plan's year.", min=2000, max=2100)],
    number: Annotated[str, typer.Option(help="The new plan's number, such as 25/KH-UBND.")],
    issued: Annotated[
        str, typer.Option(help="Its date, such as 2022-01-20; by default the same day of the year.")
    ] = "",
    succeed: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ENDED=SUCCESSORS|all",
            help="Confirm who stands in an ended owner's place, like so-ldtbxh=so-y-te; several with commas; "
            "all: everyone else as proposed. May be repeated.",
        ),
    ] = None,
    output: Out = "",
    calendar: Calendar = None,
    directory: Directory = None,
    language: Language = "vi",
) -> None:
    """Draft next year's plan from this one, with dates moved by the calendar; points to confirm are listed on
    stderr, owners that have ended with their successors among them. Nobody is replaced unless --succeed says so.
    A loaded plan is taken as it is today: with its supervisor, successors, added and changed duties, as on its page."""
    from engine.files.plan_renewal import (
        ended_names,
        plan_number,
        renew,
        require_issue_for,
        require_later,
        same_day,
        with_successors,
    )
    from engine.queries.system.policies import known_until

    agencies, days = rules_of_place(directory, calendar)
    old, changed = _renewed_plan(plan, agencies)
    issued_on = iso_day(issued) if issued else same_day(old, year)
    require_later(old, year)
    require_issue_for(issued_on, year)
    ended = ended_names(old.model_copy(update={"issued_on": issued_on}), agencies)
    text, points = renew(
        with_successors(old, agencies, _confirmed(succeed or [], ended)),
        year=year,
        number=plan_number(number),
        issued_on=issued_on,
        calendar=days,
        known_until=known_until(days, year),
        directory=agencies,
        changed=changed,
    )
    write_text(text, output)
    typer.echo(Text(f"{len(points)} điều cần xác nhận:", f"{len(points)} things to confirm:"), err=True)
    for point in points:
        typer.echo(f"! {point.said(language)}", err=True)


def _renewed_plan(plan: str, agencies: DirectoryFile) -> tuple[PlanFile, tuple[Point, ...]]:
    """A plan file, or a loaded plan as it is today with what was changed since."""
    from engine.files.plan import load_plan
    from engine.plans.plan_today import plan_today

    if plan.isdecimal() and not Path(plan).exists():
        with open_context().database.read() as session:
            return plan_today(session, int(plan), agencies)
    return load_plan(Path(plan)), ()


def _confirmed(typed: list[str], ended: tuple[EndedName, ...]) -> dict[str, tuple[str, ...]]:
    """Ended owner -> who stands in its place. Raises BadInput for a name that has not ended."""
    proposed = {each.id: each.proposed for each in ended}
    chosen: dict[str, tuple[str, ...]] = {}
    for words in typed:
        name, _, heirs = words.partition("=")
        if words == "all":
            chosen = {key: found for key, found in proposed.items() if found} | chosen
        elif name not in proposed or not heirs:
            known = ", ".join(proposed) or "—"
            raise BadInput(
                Text(
                    f"--succeed {words}: viết CŨ=MỚI hoặc all; đã kết thúc: {known}.",
                    f"--succeed {words}: write OLD=NEW or all; ended are: {known}.",
                )
            )
        else:
            chosen[name] = tuple(heirs.split(","))
    return chosen


@plans.command("load")
def plan_load(file: Annotated[Path, typer.Argument(help="A plan file (YAML).")], at: At = "") -> None:
    """Store a plan. Nothing opens until it is activated; until then a changed file replaces it."""
    from engine.files.plan import load_plan
    from engine.plans import loading

    ctx = open_context(at)
    with working(Text("Đang nạp kế hoạch", "Loading the plan")), ctx.database.write() as session:
        plan = load_plan(file)
        plan_id = loading.load_plan(session, plan, **ctx.by)
        stored = loading.find_plan(session, plan)
    typer.echo(Text(f"Đã nạp kế hoạch số {plan_id}.", f"Loaded plan {plan_id}."))
    if stored == (plan_id, PlanState.LOADED):
        then = f"dondoc plan activate {plan_id}"
        typer.echo(Text(f"Tiếp theo: «{then}» (hỏi trước khi gửi).", f"Next: “{then}”, which asks before it sends."))


@plans.command("activate")
def plan_activate(
    plan: Annotated[int, typer.Argument(metavar="PLAN", help="The plan's number, as `plan list` shows it.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    cadence: Annotated[
        list[str] | None,
        typer.Option(metavar="MỤC=CHU_KỲ", help="Where the plan leaves a choice, like IV.15.1=month; may be repeated."),
    ] = None,
    day: Annotated[
        list[str] | None,
        typer.Option(
            metavar="QUY_TẮC=NGÀY", help="Where the document names no day, like hoi-ngay-quarter=17; may be repeated."
        ),
    ] = None,
    past: Annotated[
        PastPeriods, typer.Option(help="Periods already over: skip them, extend (new due dates), or overdue at once.")
    ] = PastPeriods.EXTEND,
    at: At = "",
) -> None:
    """Activate a plan, after showing what would be sent at once."""
    from engine.assignments import opening

    ctx = open_context(at)
    days = {name: typed for name, _, typed in (each.partition("=") for each in day or [])}
    choices = opening.Choices(cadences=_cadences(cadence or []), days=days, past=past)
    with working(Text("Đang tính những gì sẽ gửi", "Computing what would be sent")):
        would = opening.rehearse(ctx.database, plan, ctx.now, choices)
    typer.echo(would.year.text)
    periods = ", ".join(f"{period}: {count}" for period, count in sorted(would.assignments.items())) or "0"
    if would.past:
        typer.echo(Text(f"Thuộc kỳ đã qua hạn: {would.past} ({past}).", f"Of periods already over: {would.past}."))
    typer.echo(Text("Sẽ mở", f"would open: {periods}. Quá hạn ngay / overdue at once: {would.overdue}."))
    typer.echo(
        Text(
            f"Gửi ngay {would.letters} thư cho {would.people} người.",
            f"Letters at once: {would.letters}, people: {would.people}.",
        )
    )
    if would.next is not None:
        typer.echo(_departure(would.next))
    if not yes and not typer.confirm("Kích hoạt? / Activate?"):
        raise typer.Exit(1)
    with working(Text("Đang kích hoạt", "Activating")), ctx.database.write() as session:
        opening.activate(session, plan, choices=choices, **ctx.by)
    typer.echo(Text("Đã kích hoạt.", "Activated."))


def _departure(departure: Departure) -> Text:
    at = Text(moment(departure.at, "vi"), moment(departure.at, "en"))
    words = Text("{at}: {letters} thư cho {people} người.", "{at}: letters {letters}, people {people}.")
    return words.filled(at=at, letters=departure.letters, people=departure.people)


def _cadences(chosen: list[str]) -> dict[str, Cadence]:
    """«IV.15.1=month» as citation and cadence. Raises BadInput."""
    from engine.rules.periods import Cadence

    found = {}
    for citation, _, name in (each.partition("=") for each in chosen):
        if name not in tuple(Cadence):
            raise BadInput(Text(f"Chu kỳ «{name}» không có.", f"There is no cadence “{name}”."))
        found[citation] = Cadence(name)
    return found


@plans.command("year")
def plan_correct_year(
    plan: Annotated[int, typer.Argument(metavar="PLAN", help="The plan's number, as `plan list` shows it.")],
    year: Annotated[str, typer.Argument(metavar="YEAR", help="The right year, like 2027, or 2026-2030.")],
    reason: Annotated[str, typer.Option(help="The reason, recorded in the log and told to agencies.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    at: At = "",
) -> None:
    """Correct the year of a plan, after showing what that cancels, opens and sends."""
    from engine.files.plan_renewal import YEARS_AS, read_years
    from engine.plans.plan_today import correct_years, rehearse_years

    ctx = open_context(at)
    years = read_years(year)
    if years is None:
        raise BadInput(YEARS_AS)
    with working(Text("Đang tính những gì sẽ gửi", "Computing what would be sent")):
        would = rehearse_years(ctx.database, plan, years, now=ctx.now)
    typer.echo(would.becomes.text)
    typer.echo(
        Text(
            f"Hủy {would.cancelled} việc, mở {would.opened}, gửi {would.letters} thư.",
            f"Assignments cancelled {would.cancelled}, opened {would.opened}, letters {would.letters}.",
        )
    )
    if not yes and not typer.confirm("Sửa năm? / Correct it?"):
        raise typer.Exit(1)
    with ctx.database.write() as session:
        correct_years(session, plan, years, reason=reason, **ctx.by)
    typer.echo(Text("Đã sửa năm.", "Corrected."))


@plans.command("end")
def plan_end(
    plan: Annotated[int, typer.Argument(metavar="PLAN", help="The plan's number, as `plan list` shows it.")],
    reason: Annotated[str, typer.Option(help="The reason, recorded in the log.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    at: At = "",
) -> None:
    """End an active plan: nothing more opens, nobody is reminded; open assignments stay and may still be reported."""
    from engine.plans.closing import end, preview_end

    ctx = open_context(at)
    with ctx.database.read() as session:
        left = preview_end(session, plan, ctx.now)
    typer.echo(
        Text(
            f"Còn mở {left.open}, quá hạn {left.overdue}, chưa mở {left.to_open}.",
            f"Open {left.open}, overdue {left.overdue}, never to open {left.to_open}.",
        )
    )
    if not yes and not typer.confirm("Kết thúc? / End it?"):
        raise typer.Exit(1)
    with ctx.database.write() as session:
        end(session, plan, reason=reason, **ctx.by)
    typer.echo(Text("Đã kết thúc.", "Ended."))


@plans.command("follow")
def plan_follow(
    plan: Annotated[int, typer.Argument(metavar="PLAN", help="The plan's number, as `plan list` shows it.")],
    agency: Annotated[str, typer.Argument(metavar="AGENCY", help="Id of the department that follows it from now on.")],
    basis: Annotated[str, typer.Option(help="The legal basis, recorded in the log.")],
    at: At = "",
) -> None:
    """Let another department follow an active plan: open work, letters, links and what opens later."""
    from engine.plans import following

    ctx = open_context(at)
    with ctx.database.write() as session:
        followed = following.change_supervisor(session, plan, agency, basis=basis, **ctx.by)
    typer.echo(Text(f"Theo dõi {followed} việc.", f"Follows {followed} assignments."))


@plans.command("succeed")
def plan_succeed(
    plan: Annotated[int, typer.Argument(metavar="PLAN", help="The plan's number, as `plan list` shows it.")],
    ended: Annotated[str, typer.Option(help="Id of one owner that has ended; default: list them all.")] = "",
    to: Annotated[list[str] | None, typer.Option(help="Successor: an agency or a group; may be repeated.")] = None,
    basis: Annotated[str, typer.Option(help="The legal basis; default: that of the recorded succession.")] = "",
    at: At = "",
) -> None:
    """List the owners of an active plan that have ended, with their successors; with --ended, put them in its place."""
    from engine.plans import following

    ctx = open_context(at)
    with ctx.database.read() as session:
        found = following.proposed_replacements(session, plan, ctx.now)
    if not ended:
        for each in found:
            typer.echo(f"{each.ended.agency_id}: {each.ended.text} [{', '.join(each.citations)}]")
        if not found:
            typer.echo(Text("Mọi cơ quan trong kế hoạch đều còn hoạt động.", "Every owner of the plan goes on."))
        return
    proposed = next((each for each in found if each.ended.agency_id == ended), None)
    heirs = to or list(proposed.heirs if proposed else ())
    with ctx.database.write() as session:
        done = following.replace_owner(
            session, plan, ended, heirs, basis=basis or (proposed.basis if proposed else ""), **ctx.by
        )
    typer.echo(
        Text(
            f"Chuyển {done.moved}, nhập {done.merged}, mở mới {done.opened}, hủy {done.cancelled}, "
            f"giữ trong số liệu {done.kept}.",
            f"Moved {done.moved}, merged {done.merged}, opened {done.opened}, cancelled {done.cancelled}, "
            f"kept in the figures {done.kept}.",
        )
    )


@plans.command("list")
def plan_list(as_json: Json = False) -> None:
    """List every plan: id, number, year, state, short title."""
    from sqlalchemy import select

    from engine.store.database import table
    from engine.store.records import Plan

    ctx = open_context()
    p = table(Plan)
    columns = (p.c.id, p.c.number, p.c.year, p.c.state, p.c.short_title)
    with ctx.database.read() as session:
        found = session.connection().execute(select(*columns).order_by(p.c.year, p.c.number)).all()
    show_list(found, lambda row: "{:5} {:16} {} {:8} {}".format(*row), as_json=as_json)
