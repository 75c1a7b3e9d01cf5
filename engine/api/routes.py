"""The API's routes."""

from __future__ import annotations

from fastapi import APIRouter

from engine.api import (
    account,
    assignments,
    desk,
    directory,
    figures,
    incoming,
    lists,
    monitoring,
    rules,
)

ROUTERS: tuple[APIRouter, ...] = tuple(
    room.router for room in (lists, account, desk, assignments, incoming, monitoring, figures, rules, directory)
)
"""Of the rooms, in the order in which the document has them."""
