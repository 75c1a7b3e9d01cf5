"""The engine on the command line: acknowledge, report, accept; look things up."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy import select, update

from config.settings import read_settings
from engine.agencies import directory_loading
from engine.assignments import lifecycle
from engine.cli.accounts import accounts_app
from engine.cli.context import day, opened
from engine.cli.plans import plans
from engine.errors import NotFound
from engine.files.calendar import load_calendar
from engine.files.directory import load_directory
from engine.files.yaml_reader import read
from engine.plans import loading
from engine.rules.calendar import written
from engine.rules.policy import Policy
from engine.store import event_log
from engine.store.database import Database, table
from engine.store.records import Assignment, Contact, Duty
from engine.terms import EventKind, Outcome
from engine.text import Text

assignments = typer.Typer(no_args_is_help=True, help="Phần việc: xác nhận, báo cáo, tiếp nhận … / Assignments.")
files = typer.Typer(no_args_is_help=True, help="Danh bạ, chính sách, lịch. / Directory, policy and calendar files.")
database_app = typer.Typer(no_args_is_help=True, help="Cơ sở dữ liệu. / The database.")
links = typer.Typer(no_args_is_help=True, help="Liên kết trong thư. / Links in letters.")

AssignmentId = Annotated[int, typer.Argument(metavar="ASSIGNMENT", help="The assignment's number.")]
Reason = Annotated[str, typer.Option(help="The reason, in words.")]
At = Annotated[str, typer.Option(help="ISO instant to take for now.")]


def add_commands(app: typer.Typer) -> None:
    """Hang the engine's commands below the root command."""
    for name, commands in (
        ("plan", plans),
        ("assignment", assignments),
        ("load", files),
        ("db", database_app),
        ("links", links),
        ("account", accounts_app),
    ):
        app.add_typer(commands, name=name)


@assignments.command("list")
def assignment_list(
    agency: Annotated[str, typer.Option(help="Only of this agency.")] = "",
    period: Annotated[str, typer.Option(help="Only of this period.")] = "",
    limit: Annotated[int, typer.Option(help="At most so many.", min=1, max=10000)] = 200,
) -> None:
    """Assignments by due date: id, citation, period, agency, state, due."""
    _, database, _, _ = opened()
    a, d = table(Assignment), table(Duty)
    columns = (a.c.id, d.c.citation, a.c.period, a.c.agency_id, a.c.state, a.c.due_on)
    statement = select(*columns).join(d, d.c.id == a.c.duty_id)
    if agency:
        statement = statement.where(a.c.agency_id == agency)
    if period:
        statement = statement.where(a.c.period == period)
    with database.read() as session:
        for row in session.connection().execute(statement.order_by(a.c.due_on, a.c.id).limit(limit)):
            due = "—" if row.due_on is None else written(row.due_on)
            typer.echo(f"{row.id:6} {row.citation:8} {row.period:8} {row.agency_id:32} {row.state:12} {due}")


@assignments.command()
def acknowledge(assignment: AssignmentId, at: At = "") -> None:
    """The owner has seen it."""
    _, database, now, actor = opened(at)
    with database.write() as session:
        news = lifecycle.acknowledge(session, assignment, actor=actor, now=now)
    typer.echo(Text("Đã xác nhận.", "Acknowledged.") if news else Text("Đã được xác nhận từ trước.", "It was already."))


@assignments.command()
def report(
    assignment: AssignmentId,
    outcome: Annotated[Outcome, typer.Option(help="What came of it.")] = Outcome.DONE,
    body: Annotated[str, typer.Option(help="What was done.")] = "",
    reason: Reason = "",
    at: At = "",
) -> None:
    """Submit a report about one assignment."""
    _, database, now, actor = opened(at)
    with database.write() as session:
        said = lifecycle.ReportText(outcome, body, reason)
        number = lifecycle.report(session, assignment, said, actor=actor, now=now)
    typer.echo(Text(f"Đã gửi báo cáo số {number}.", f"Report {number} submitted."))


@assignments.command()
def accept(assignment: AssignmentId, at: At = "") -> None:
    """The monitor takes the report."""
    _, database, now, actor = opened(at)
    with database.write() as session:
        lifecycle.accept(session, assignment, actor=actor, now=now)
    typer.echo(Text("Đã tiếp nhận.", "Accepted."))


@assignments.command("return")
def return_(assignment: AssignmentId, reason: Reason, at: At = "") -> None:
    """Send the report back, with a reason."""
    _, database, now, actor = opened(at)
    with database.write() as session:
        lifecycle.return_report(session, assignment, reason=reason, actor=actor, now=now)
    typer.echo(Text("Đã trả lại.", "Returned."))


@assignments.command()
def extend(
    assignment: AssignmentId,
    until: Annotated[str, typer.Option(help="The new due date, as 2021-06-25.")],
    reason: Reason,
    grant: Annotated[bool, typer.Option("--grant", help="Grant it at once.")] = False,
    at: At = "",
) -> None:
    """Ask for a later due date (and grant it at once)."""
    _, database, now, actor = opened(at)
    with database.write() as session:
        asked = lifecycle.ask_extension(session, assignment, until=day(until), reason=reason, actor=actor, now=now)
        if grant:
            lifecycle.decide_extension(session, asked, granted=True, actor=actor, now=now)
    typer.echo(Text(f"Đề nghị gia hạn số {asked}.", f"Extension request {asked}."))


@assignments.command()
def cancel(assignment: AssignmentId, reason: Reason, at: At = "") -> None:
    """It is no longer owed."""
    _, database, now, actor = opened(at)
    with database.write() as session:
        lifecycle.cancel(session, assignment, reason=reason, actor=actor, now=now)
    typer.echo(Text("Đã hủy.", "Cancelled."))


@assignments.command()
def transfer(
    assignment: AssignmentId,
    to: Annotated[str, typer.Option(help="The agency that takes it over (id).")],
    reason: Reason,
    at: At = "",
) -> None:
    """Give it to another agency."""
    _, database, now, actor = opened(at)
    with database.write() as session:
        directory_loading.expand_owners(session, [to])
        made = lifecycle.transfer(session, assignment, to_agency=to, reason=reason, actor=actor, now=now)
    typer.echo(Text(f"Đã chuyển; phần việc mới số {made}.", f"Transferred; the new assignment is {made}."))


@files.command("directory")
def load_directory_file(file: Path, at: At = "") -> None:
    """Add or rename agencies, groups and contacts."""
    _, database, now, actor = opened(at)
    with database.write() as session:
        directory_loading.load_directory(session, load_directory(file), actor=actor, now=now)
    typer.echo(Text("Đã nạp danh bạ.", "Directory loaded."))


@files.command("policy")
def load_policy_file(file: Path, at: At = "") -> None:
    """Make this the current policy of its id."""
    _, database, now, actor = opened(at)
    with database.write() as session:
        loading.load_policy(session, read(file, Policy), actor=actor, now=now)
    typer.echo(Text("Đã nạp chính sách.", "Policy loaded."))


@files.command("calendar")
def load_calendar_file(file: Path) -> None:
    """Add the operator's days that are not known yet."""
    _, database, _, _ = opened()
    with database.write() as session:
        count = loading.load_days(session, load_calendar(file).exceptions.values())
    typer.echo(Text(f"Đã thêm {count} ngày.", f"{count} days added."))


@database_app.command()
def upgrade() -> None:
    """Bring the schema to this version's. Safe to run at every start."""
    settings = read_settings()
    Database(settings.database).upgrade()
    typer.echo(Text("Cơ sở dữ liệu đã cập nhật.", "The database is up to date."))


@links.command()
def revoke(contact: Annotated[int, typer.Argument(help="The contact's number.")], at: At = "") -> None:
    """Make every link sent to a contact until now useless."""
    _, database, now, actor = opened(at)
    contacts = table(Contact)
    with database.write() as session:
        changed = session.connection().execute(update(contacts).where(contacts.c.id == contact).values(links_since=now))
        if changed.rowcount == 0:
            raise NotFound(Text(f"Không có liên hệ số {contact}.", f"There is no contact {contact}."))
        event_log.append(session, [event_log.event(EventKind.LINKS_REVOKED, now, actor=actor, contact=contact)])
    typer.echo(Text("Đã thu hồi.", "Revoked."))
