"""What the importer found, as the tests compare it."""

from __future__ import annotations

from engine.importer import ImportedPlan


def found(plan: ImportedPlan) -> list[tuple[str, list[str], list[str]]]:
    """Of each item its number, its owners and its duties' words."""
    return [
        (item.no, [owner.name for owner in item.owners], [duty.text for duty in item.duties]) for item in plan.items
    ]


def said(plan: ImportedPlan) -> list[tuple[str, list[str], str]]:
    """Of each duty its citation, its owners and its words."""
    return [
        (duty.citation, [*(each.name for each in item.owners)], duty.text)
        for item in plan.items
        for duty in item.duties
    ]


def owned(plan: ImportedPlan) -> list[tuple[str, list[str]]]:
    """Of each duty its citation and its owners."""
    return [(citation, owners) for citation, owners, _ in said(plan)]
