"""The commands of the engine: those of its rooms, and of what hangs on them."""

from __future__ import annotations

import typer

from engine.cli import assignments
from engine.cli.plans import plans
from engine.features.plan_import.command import plan_import
from engine.features.webhooks.command import webhooks_app

plans.command("import")(plan_import)


def add_commands(app: typer.Typer) -> None:
    """Add the engine's commands to the root command."""
    assignments.add_commands(app)
    app.add_typer(webhooks_app, name="webhook")
