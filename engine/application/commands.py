"""The commands of the engine: those of its rooms, and of what hangs on them."""

from __future__ import annotations

import typer

from engine.cli import assignments
from engine.cli.plan_import import plan_import
from engine.cli.plans import plans
from engine.cli.webhooks import webhooks_app

plans.command("import")(plan_import)


def add_commands(app: typer.Typer) -> None:
    """Add the engine's commands to the root command."""
    assignments.add_commands(app)
    app.add_typer(webhooks_app, name="webhook")
