"""The commands of an operator: examine, try, back up, restore."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from engine.admin.checklist import Mark


def add_commands(app: typer.Typer) -> None:
    """Add them to the root command."""
    for command in (doctor, send_test):
        app.command()(command)


def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="One JSON list.")] = False,
    connections: Annotated[bool, typer.Option(help="Also connect to relay, mailbox, SMS gateway and Prefect.")] = True,
) -> None:
    """Examine this installation: one line each with the remedy. Exit code 1 if anything is wrong. Changes nothing."""
    from workflows.operation.doctor import examine
    from workflows.system import compose

    lines = examine(compose(), connections=connections)
    if as_json:
        found = [
            {
                "name": line.name,
                "mark": line.mark,
                "vi": line.what.vi,
                "en": line.what.en,
                "remedy_vi": line.remedy.vi if line.remedy else "",
                "remedy_en": line.remedy.en if line.remedy else "",
            }
            for line in lines
        ]
        typer.echo(json.dumps(found, ensure_ascii=False))
    else:
        for line in lines:
            typer.echo(f"{line.sign} {line.name:13} {line.what}")
            if line.remedy is not None:
                typer.echo(f"  → {line.remedy}")
    if any(line.mark is Mark.WRONG for line in lines):
        raise typer.Exit(1)


def send_test(
    to: Annotated[str, typer.Option(help="A mailbox, or a telephone number for an SMS.")],
    language: Annotated[str, typer.Option(help="vi or en.")] = "vi",
) -> None:
    """Send a test letter or SMS at once; say what the relay or gateway answered. Exit code 1 if it did not take it."""
    from workflows.operation.trial_letter import send_test as send
    from workflows.system import compose

    accepted, answer = send(compose(), to, language)
    typer.echo(str(answer))
    if not accepted:
        raise typer.Exit(1)
