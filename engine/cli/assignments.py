"""Assignments on the command line (list, acknowledge, report, accept …), files to load, the database, letter links."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from engine.cli.accounts import accounts_app
from engine.cli.context import Json, open_context, show_list
from engine.cli.plans import plans
from engine.errors import BadInput
from engine.rules.calendar import day_digits, local_date, written
from engine.rules.typed_day import iso_day
from engine.terms import Outcome
from engine.text import Text

if TYPE_CHECKING:
    from engine.agencies.contact_import import RowResult
    from engine.plans.loading import FileDays

assignments = typer.Typer(no_args_is_help=True, help="Phần việc: xác nhận, báo cáo, tiếp nhận … / Assignments.")
files = typer.Typer(no_args_is_help=True, help="Danh bạ, chính sách, lịch. / Directory, policy and calendar files.")
database_app = typer.Typer(no_args_is_help=True, help="Cơ sở dữ liệu. / The database.")
contacts_app = typer.Typer(no_args_is_help=True, help="Người nhận thư. / Contacts.")
links = typer.Typer(no_args_is_help=True, help="Liên kết trong thư. / Links in letters.")

AssignmentId = Annotated[int, typer.Argument(metavar="ASSIGNMENT", help="The assignment's id.")]
Reason = Annotated[str, typer.Option(help="The reason, in words.")]
Promise = Annotated[str, typer.Option(help="The promised day, such as 2021-06-30; without it none is promised.")]
ReasonCode = Annotated[str, typer.Option(help="Why, by a code of the policy: kinh-phi, nhan-luc, phoi-hop …")]
WaitsFor = Annotated[str, typer.Option(help="The id of the agency that is waited for.")]
At = Annotated[str, typer.Option(help="Run as if now were this ISO instant.")]


def add_commands(app: typer.Typer) -> None:
    """Add the engine's commands to the root command."""
    for name, commands in (
        ("plan", plans),
        ("assignment", assignments),
        ("load", files),
        ("db", database_app),
        ("links", links),
        ("contact", contacts_app),
        ("account", accounts_app),
    ):
        app.add_typer(commands, name=name)


@assignments.command("list")
def assignment_list(
    agency: Annotated[str, typer.Option(help="Only this agency.")] = "",
    period: Annotated[str, typer.Option(help="Only this period.")] = "",
    limit: Annotated[int, typer.Option(help="Maximum number of lines.", min=1, max=10000)] = 200,
    as_json: Json = False,
) -> None:
    """List assignments by due date: id, citation, period, agency, state, due date."""
    from sqlalchemy import select

    from engine.store.database import table
    from engine.store.records import Assignment, Duty

    ctx = open_context()
    a, d = table(Assignment), table(Duty)
    columns = (a.c.id, d.c.citation, a.c.period, a.c.agency_id, a.c.state, a.c.due_on)
    statement = select(*columns).join(d, d.c.id == a.c.duty_id)
    if agency:
        statement = statement.where(a.c.agency_id == agency)
    if period:
        statement = statement.where(a.c.period == period)
    with ctx.database.read() as session:
        found = session.connection().execute(statement.order_by(a.c.due_on, a.c.id).limit(limit)).all()

    def line(row: Any) -> str:
        due = "—" if row.due_on is None else written(row.due_on)
        return f"{row.id:6} {row.citation:8} {row.period:8} {row.agency_id:32} {row.state:12} {due}"

    show_list(found, line, as_json=as_json)


@assignments.command()
def acknowledge(assignment: AssignmentId, at: At = "") -> None:
    """Acknowledge an assignment for its owner."""
    from engine.assignments import lifecycle

    ctx = open_context(at)
    with ctx.database.write() as session:
        changed = lifecycle.acknowledge(session, assignment, **ctx.by)
    typer.echo(
        Text("Đã xác nhận.", "Acknowledged.")
        if changed
        else Text("Đã được xác nhận từ trước.", "Already acknowledged.")
    )


@assignments.command()
def report(
    assignment: AssignmentId,
    outcome: Annotated[Outcome, typer.Option(help="The outcome.")] = Outcome.DONE,
    body: Annotated[str, typer.Option(help="What was done.")] = "",
    reason: Reason = "",
    promise: Promise = "",
    reason_code: ReasonCode = "",
    waits_for: WaitsFor = "",
    owed: Annotated[str, typer.Option(help="What is still to be done.")] = "",
    output: Annotated[str, typer.Option(help="The output that is owed: a paper's number, or a figure.")] = "",
    output_on: Annotated[str, typer.Option(help="The day of that paper or event, such as 2021-06-30.")] = "",
    at: At = "",
) -> None:
    """Submit a report about one assignment. One that is not done may carry a promise: by when it will be."""
    from engine.assignments import lifecycle
    from engine.assignments.promise_rows import PromiseText
    from engine.assignments.reports.submission import TypedOutput, read_typed_output

    ctx = open_context(at)
    on = iso_day(promise) if promise else None
    promised = PromiseText(on=on, reason_code=reason_code, waits_for=waits_for, owed=owed)
    with ctx.database.write() as session:
        due = lifecycle.output_of_assignment(session, assignment)
        given, problems = read_typed_output(TypedOutput(output, output_on), due, local_date(ctx.now))
        for problem in problems.values():
            raise BadInput(problem)
        text = lifecycle.ReportText(outcome=outcome, body=body, reason=reason, promise=promised, output=given)
        number = lifecycle.report(session, assignment, text, **ctx.by)
    typer.echo(Text(f"Đã gửi báo cáo số {number}.", f"Report {number} submitted."))


@assignments.command()
def accept(
    assignment: AssignmentId,
    complete: Annotated[bool, typer.Option("--complete", help="The output that is owed is there.")] = False,
    reason: Annotated[str, typer.Option(help="Why it is accepted without its output.")] = "",
    at: At = "",
) -> None:
    """Accept the report."""
    from engine.assignments import lifecycle

    ctx = open_context(at)
    with ctx.database.write() as session:
        lifecycle.accept(session, assignment, complete=complete, reason=reason, **ctx.by)
    typer.echo(Text("Đã tiếp nhận.", "Accepted."))


@assignments.command("return")
def return_(
    assignment: AssignmentId,
    reason: Reason,
    reason_code: ReasonCode = "",
    until: Annotated[
        str, typer.Option(help="By when to resubmit, such as 2021-07-12; by default the policy's working days.")
    ] = "",
    at: At = "",
) -> None:
    """Send the report back, with a reason and a date by which to resubmit it."""
    from engine.assignments import lifecycle

    ctx = open_context(at)
    with ctx.database.write() as session:
        resubmit_on = lifecycle.return_report(
            session,
            assignment,
            reason=reason,
            reason_code=reason_code,
            until=iso_day(until) if until else None,
            **ctx.by,
        )
    typer.echo(
        Text(
            f"Đã trả lại; đề nghị bổ sung chậm nhất {written(resubmit_on)}.",
            f"Returned; to be resubmitted by {written(resubmit_on, 'en')}.",
        )
    )


@assignments.command()
def extend(
    assignment: AssignmentId,
    until: Annotated[str, typer.Option(help="The new due date, such as 2021-06-25; of a late task the promised day.")],
    reason: Reason,
    reason_code: ReasonCode = "",
    waits_for: WaitsFor = "",
    grant: Annotated[bool, typer.Option("--grant", help="Grant it immediately.")] = False,
    at: At = "",
) -> None:
    """Request a later due date (and grant it with --grant); of a task that is late already, promise that day."""
    from engine.assignments import lifecycle
    from engine.assignments.promise_rows import PromiseText
    from engine.assignments.promises import ask_for_day
    from engine.queries.work.todo import waiting_extensions

    ctx = open_context(at)
    text = PromiseText(on=iso_day(until), reason=reason, reason_code=reason_code, waits_for=waits_for)
    with ctx.database.write() as session:
        ask_for_day(session, assignment, text, **ctx.by)
        asked = waiting_extensions(session, [assignment]).get(assignment)
        if asked is not None and grant:
            lifecycle.decide_extension(session, asked.id, granted=True, **ctx.by)
    typer.echo(
        Text(f"Đề nghị gia hạn số {asked.id}.", f"Extension request {asked.id}.")
        if asked is not None
        else Text("Đã quá hạn: đã ghi lời hẹn.", "It is late already: the promise is recorded.")
    )


@assignments.command()
def cancel(assignment: AssignmentId, reason: Reason, at: At = "") -> None:
    """Cancel an assignment."""
    from engine.assignments import lifecycle

    ctx = open_context(at)
    with ctx.database.write() as session:
        lifecycle.cancel(session, assignment, reason=reason, **ctx.by)
    typer.echo(Text("Đã hủy.", "Cancelled."))


@assignments.command()
def transfer(
    assignment: AssignmentId,
    to: Annotated[str, typer.Option(help="The id of the receiving agency.")],
    reason: Reason,
    at: At = "",
) -> None:
    """Transfer an assignment to another agency."""
    from engine.agencies import directory_loading
    from engine.assignments import lifecycle

    ctx = open_context(at)
    with ctx.database.write() as session:
        directory_loading.expand_owners(session, [to])
        new_id = lifecycle.transfer(session, assignment, to_agency=to, reason=reason, **ctx.by)
    typer.echo(Text(f"Đã chuyển; việc mới số {new_id}.", f"Transferred; the new assignment is {new_id}."))


@files.command("directory")
def load_directory_file(file: Path, at: At = "") -> None:
    """Load agencies, groups and contacts from a file."""
    from engine.agencies import directory_loading
    from engine.files.directory import load_directory

    ctx = open_context(at)
    with ctx.database.write() as session:
        directory_loading.load_directory(session, load_directory(file), **ctx.by)
    typer.echo(Text("Đã nạp danh bạ.", "Directory loaded."))


@files.command("contacts")
def load_contacts_file(
    file: Path,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    wrong: Annotated[
        Path | None, typer.Option(help="Where to write the rows that are wrong, with the reasons (.xlsx).")
    ] = None,
    at: At = "",
) -> None:
    """Load agencies and contacts from a spreadsheet (.xlsx, .ods, CSV) after showing what each row would do."""
    from engine.agencies import contact_import
    from engine.agencies.contact_import import RowFate
    from engine.files.contact_sheet import read_contact_sheet, write_wrong_rows

    ctx = open_context(at)
    with ctx.database.read() as session:
        choices = contact_import.kept_choices(session)
        sheet = read_contact_sheet(file.read_bytes(), choices)
        found = contact_import.compare(session, sheet.rows, ctx.now, choices)
    _tell_rows(row for row in found.rows if row.fate not in (RowFate.SAME, RowFate.EMPTY))
    if wrong is not None and found.wrong:
        wrong.write_bytes(write_wrong_rows(sheet, [(row.row, row.reason.vi) for row in found.wrong], "vi"))
    if found.applicable:
        if not yes and not typer.confirm("Lưu các thay đổi này? / Save these changes?"):
            raise typer.Exit(1)
        with ctx.database.write() as session:
            contact_import.apply(session, sheet.rows, choices=choices, previewed=found.mark, **ctx.by)
        new, changed, ended = (found.count(fate) for fate in (RowFate.NEW, RowFate.CHANGED, RowFate.ENDED))
        added = len(found.new_agencies)
        typer.echo(
            Text(
                f"Đã thêm {new}, đổi {changed}, kết thúc {ended}; cơ quan mới: {added}.",
                f"Added: {new}; changed: {changed}; ended: {ended}; new agencies: {added}.",
            )
        )
    elif not found.wrong:
        typer.echo(Text("Không có gì thay đổi.", "Nothing would change."))
    if found.wrong:
        count = len(found.wrong)
        raise BadInput(Text(f"{count} dòng sai, chưa nạp.", f"Rows that are wrong and were not loaded: {count}."))


def _tell_rows(rows: Iterable[RowResult]) -> None:
    for row in rows:
        fields = ", ".join(row.changes)  # telephone numbers do not belong in a terminal's history
        kind = f" [{row.new_agency}]" if row.new_agency else ""
        typer.echo(f"{row.number:5} {row.fate:8} {row.agency}{kind}{f' ({fields})' if fields else ''}")
        for problem in row.problems:
            typer.echo(f"      {problem.cell}: {problem.what}")


@files.command("policy")
def load_policy_file(file: Path, at: At = "") -> None:
    """Load a policy and make it the current one of its id."""
    from engine.files.yaml_reader import read
    from engine.plans import loading
    from engine.rules.policy import Policy

    ctx = open_context(at)
    with ctx.database.write() as session:
        loading.load_policy(session, read(file, Policy), **ctx.by)
    typer.echo(Text("Đã nạp chính sách.", "Policy loaded."))


@files.command("calendar")
def load_calendar_file(
    file: Path,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    drop: Annotated[bool, typer.Option("--drop", help="Drop days of its years that the file no longer has.")] = False,
    at: At = "",
) -> None:
    """Load a calendar file: days that are new or changed in it, after showing which due dates they move. Days edited in
    the application are kept and named."""
    from engine.files.calendar import load_calendar
    from engine.plans import loading

    days = load_calendar(file).exceptions.values()
    ctx = open_context(at)
    with ctx.database.read() as session:
        found = loading.file_days(session, days, drop=drop)
        preview = loading.preview_file_days(session, found, ctx.now)
    for said in _about_days(found):
        typer.echo(said)
    for (was, due), count in sorted(Counter((move.was, move.due) for move in preview.moves).items()):
        typer.echo(Text(f"{count} hạn chuyển: {written(was)} → {written(due)}.", f"{count}: {was} → {due}"))
    if preview.stay:
        typer.echo(
            Text(
                f"{len(preview.stay)} hạn giữ nguyên vì sẽ rơi vào quá khứ.",
                f"Due dates that stay, since they would fall into the past: {len(preview.stay)}.",
            )
        )
    if not found.anything:
        typer.echo(Text("Lịch không thay đổi.", "The calendar stays as it is."))
        return
    asks = preview.moves or found.changed or found.change.drop
    if asks and not yes and not typer.confirm("Lưu lịch và chuyển các hạn này? / Save and move these?"):
        raise typer.Exit(1)
    with ctx.database.write() as session:
        loading.load_file_days(session, found, previewed=preview.mark, **ctx.by)
    changed, dropped = len(found.changed), len(found.change.drop)
    typer.echo(
        Text(
            f"Đã thêm {found.added}, sửa {changed}, bỏ {dropped} ngày; "
            f"chuyển {len(preview.moves)} hạn, báo {preview.agencies} cơ quan.",
            f"Days added: {found.added}, changed: {changed}, dropped: {dropped}; "
            f"due dates moved: {len(preview.moves)}; agencies told: {preview.agencies}.",
        )
    )


def _about_days(found: FileDays) -> Iterator[Text]:
    """Each kind of stored day that the file changes, or would."""

    def named(days: Sequence[date]) -> str:
        return ", ".join(map(day_digits, days))

    if found.changed:
        n, which = len(found.changed), named(found.changed)
        yield Text(f"Sẽ sửa {n} ngày: {which}.", f"To be changed: {which}.")
    if found.change.drop:
        n, which = len(found.change.drop), named(found.change.drop)
        yield Text(f"Sẽ bỏ {n} ngày: {which}.", f"To be dropped: {which}.")
    elif found.missing:
        n, which = len(found.missing), named(found.missing)
        yield Text(
            f"Tệp không còn {n} ngày đã nạp: {which}. Chưa bỏ; thêm --drop để bỏ.",
            f"No longer in the file: {which}. They stay; --drop drops them.",
        )
    if found.kept:
        n, which = len(found.kept), named(found.kept)
        yield Text(
            f"Giữ nguyên {n} ngày đã sửa trên trang Lịch làm việc, khác với tệp: {which}.",
            f"Edited in the application and kept, though the file differs: {which}.",
        )


@database_app.command()
def copy(
    to: Annotated[str, typer.Option(help="URL of an empty database, as postgresql://user:password@host/name.")],
) -> None:
    """Copy everything into another, empty database, as when moving to PostgreSQL. Stop «serve» first."""
    from config.settings import read_settings
    from engine.store.database import Database
    from engine.store.database_copy import copy_database

    settings = read_settings()
    source, target = Database(settings.database), Database(to)
    copied = copy_database(source, target, lambda name, rows: typer.echo(f"{name:24} {rows:>10,}"))
    typer.echo(
        Text(
            f"Đã chép {sum(copied.values())} dòng; đặt DONDOC_DATABASE_URL sang cơ sở mới rồi chạy lại.",
            "Copied; set DONDOC_DATABASE_URL to the new database and start again. Secret and files stay.",
        )
    )


@links.command()
def revoke(contact: Annotated[int, typer.Argument(help="The contact's id.")], at: At = "") -> None:
    """Revoke every link sent to a contact until now."""
    from engine.agencies.contacts import revoke_links

    ctx = open_context(at)
    with ctx.database.write() as session:
        revoke_links(session, contact, **ctx.by)
    typer.echo(Text("Đã thu hồi.", "Revoked."))


@contacts_app.command()
def lift(
    first: Annotated[str, typer.Option("--from", help="First day, as 2021-06-25.")],
    last: Annotated[str, typer.Option("--to", help="Last day.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be lifted; change nothing.")] = False,
    at: At = "",
) -> None:
    """Write again to addresses that refusals or bounces silenced on these days. What people asked for stays."""
    from engine.agencies.preferences import lift_suppressions

    ctx = open_context(at)
    with ctx.database.rehearse() if dry_run else ctx.database.write() as session:
        lifted = lift_suppressions(session, iso_day(first), iso_day(last), **ctx.by)
    for each in lifted:
        typer.echo(f"{each.contact_id:>6}  {each.agency_id:24} {each.channel:6} {written(each.on)}  {each.reason}")
    typer.echo(
        Text(f"{len(lifted)} địa chỉ sẽ được gửi lại.", f"{len(lifted)} addresses would be written to again.")
        if dry_run
        else Text(f"{len(lifted)} địa chỉ được gửi lại.", f"{len(lifted)} addresses are written to again.")
    )
