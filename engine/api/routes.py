"""The API's routes."""

from __future__ import annotations

from fastapi import APIRouter

from engine.api import account, assignments, desk, directory, incoming, lists, monitoring, rules

ROUTERS: tuple[APIRouter, ...] = (
    lists.router,
    account.router,
    desk.router,
    assignments.router,
    incoming.router,
    monitoring.router,
    monitoring.figures_router,
    rules.router,
    directory.router,
)
"""Of the rooms, in the order in which the document has them."""
