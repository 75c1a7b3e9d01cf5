"""What every command needs: settings, database, current time, actor, agencies; and parsing of dates and instants.

On a terminal: a sign that long work goes on. Nothing where the output goes into a file.
"""

from __future__ import annotations

import getpass
import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar, cast

import typer

from config import DATA
from engine.errors import BadInput
from engine.rules.calendar import PLAN_TIME
from engine.text import Text

if TYPE_CHECKING:
    from sqlmodel import Session

    from config.settings import Settings
    from engine.accounts.permissions import Acting
    from engine.files.directory import DirectoryFile
    from engine.rules.calendar import WorkCalendar
    from engine.store.database import Database


EXAMPLE_DIRECTORY, SHIPPED_CALENDAR = DATA / "agencies/nghe-an-2021.yaml", DATA / "calendars/vn.yaml"
DIRECTORY_HELP = "Directory file; default: the agencies loaded here, or the example's where there are none."
CALENDAR_HELP = "Calendar file; default: the calendar kept here, or the shipped one where there is none."


Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Row = TypeVar("Row")


def show_list(found: Iterable[Row], line: Callable[[Row], str], *, as_json: bool) -> None:
    """A line a row, or one JSON list of the same rows (dataclasses, or rows of a table); an empty list says so."""
    rows = list(found)
    if as_json:
        plain = [dict(row._mapping) if hasattr(row, "_mapping") else asdict(cast(Any, row)) for row in rows]
        typer.echo(json.dumps(plain, ensure_ascii=False, default=str))
    elif not rows:
        typer.echo(Text("Chưa có mục nào.", "None yet."))
    else:
        typer.echo("\n".join(map(line, rows)))


def write_text(text: str, output: str) -> None:
    """Write to a file, or to the screen. Raises BadInput."""
    if not output:
        typer.echo(text, nl=False)
        return
    try:
        Path(output).write_text(text, encoding="utf-8")
    except OSError as error:
        why = error.strerror or str(error)
        raise BadInput(Text(f"Không ghi được «{output}»: {why}.", f"“{output}” cannot be written.")) from None
    typer.echo(Text("Đã ghi", f"written: {output}"), err=True)


def moment(at: str) -> datetime:
    """Parse an ISO instant; plan time if it has no zone. Raises BadInput."""
    try:
        parsed = datetime.fromisoformat(at)
    except ValueError:
        raise BadInput(
            Text(
                f"«{at}» không phải thời điểm; viết như 2021-06-07T08:00.",
                f"“{at}” is not an instant; write it like 2021-06-07T08:00.",
            )
        ) from None
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=PLAN_TIME)


@dataclass(frozen=True)
class CommandContext:
    settings: Settings
    database: Database
    by: Acting

    @property
    def now(self) -> datetime:
        return self.by["now"]


def open_context(at: str = "") -> CommandContext:
    """``at``: the time to act at, by default now."""
    from config.settings import read_settings
    from engine.store.clock import DemoClock, system_clock
    from engine.store.database import Database

    settings = read_settings()
    database = Database(settings.database)
    database.require_made()
    now = moment(at) if at else (DemoClock(database)() if settings.demo else system_clock())
    return CommandContext(settings, database, {"actor": operator_name(), "now": now})


def operator_name() -> str:
    """The actor of what is done on the command line: «cli:root»."""
    return f"cli:{getpass.getuser()}"


def rules_of_place(directory: Path | None, calendar: Path | None) -> tuple[DirectoryFile, WorkCalendar]:
    """Agencies and calendar: of the files that are named, else of this installation, else the shipped example's, so
    that a plan file can be looked at before anything is set up."""
    from engine.agencies.directory_loading import read_directory
    from engine.files.calendar import load_calendar
    from engine.files.directory import load_directory
    from engine.store.rulebook import read_calendar

    if directory is None or calendar is None:
        with _installed() as session:
            if session is not None:
                return (
                    load_directory(directory) if directory else read_directory(session, contacts=True),
                    load_calendar(calendar) if calendar else read_calendar(session),
                )
    return load_directory(directory or EXAMPLE_DIRECTORY), load_calendar(calendar or SHIPPED_CALENDAR)


@contextmanager
def _installed() -> Iterator[Session | None]:
    """A session on the database of the settings, None if it holds no agency. Creates nothing."""
    from sqlalchemy import inspect, make_url, select

    from config.settings import read_settings
    from engine.store.database import Database, table
    from engine.store.records import Agency

    address = make_url(read_settings().database)
    if address.get_backend_name() == "sqlite" and not Path(address.database or "").is_file():
        yield None
        return
    database = Database(read_settings().database)
    try:
        with database.read() as session:
            there = inspect(session.connection()).has_table(table(Agency).name)
            yield session if there and session.connection().scalar(select(table(Agency).c.id).limit(1)) else None
    finally:
        database.dispose()


@contextmanager
def working(words: Text) -> Iterator[Callable[[float], None]]:
    """While the block runs, a moving bar and the time that has passed, on the error stream. What is given is told the
    share that is done, from 0 to 1, where that is known."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    console = Console(stderr=True)
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TimeElapsedColumn(),
        console=console,
        disable=not console.is_terminal,
        transient=True,
    ) as progress:
        task = progress.add_task(str(words), total=None)
        yield lambda share: progress.update(task, total=1.0, completed=share)
