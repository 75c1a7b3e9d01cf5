"""``dondoc plan import``: a plan document to a draft plan file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from engine.cli.context import Json, rules_of_place, working, write_text
from engine.cli.plans import Directory, Out
from engine.text import Text

if TYPE_CHECKING:
    from engine.features.plan_import.importer import ImportedPlan


def plan_import(
    document: Annotated[Path, typer.Argument(metavar="DOCUMENT", help="Plain text, HTML, DOCX or PDF.")],
    output: Out = "",
    as_json_: Json = False,
    directory: Directory = None,
) -> None:
    """Convert a plan document to a draft plan file; points to confirm are marked, and listed on stderr."""
    # These import Word, PDF and HTML readers: only when used.
    from engine.features.plan_import.drafts.plan_text import as_plan_yaml
    from engine.features.plan_import.importer import as_json, read_limited

    agencies, _ = rules_of_place(directory, None)
    with working(Text("Đang đọc văn bản", "Reading the document")):
        imported = read_limited(document, document.name, agencies)
    text = json.dumps(as_json(imported), ensure_ascii=False) + "\n" if as_json_ else as_plan_yaml(imported, agencies)
    write_text(text, output)
    _print_summary(imported)


def _print_summary(found: ImportedPlan) -> None:
    duties, items = sum(1 for _ in found.duties), sum(1 for _ in found.items)
    typer.echo(
        Text(
            f"{items} mục, {duties} nhiệm vụ, {len(found.warnings)} điều cần soát.",
            f"{items} items, {duties} duties, {len(found.warnings)} things to check.",
        ),
        err=True,
    )
    undated = [doubt for doubt in found.warnings if doubt.code == "no_due_date"]
    if undated:
        said = f"{len(undated)} nhiệm vụ không nêu thời hạn: không báo cáo riêng, trừ khi sửa trong tệp."
        typer.echo(Text(f"! {said}", f"{len(undated)} duties name no time: no report of their own."), err=True)
    for doubt in (each for each in found.warnings if each.code != "no_due_date"):
        message = " ".join(doubt.message.split())
        named = message if message.startswith(doubt.place) else f"{doubt.place}: {message}"
        typer.echo(f"! {named}", err=True)
