"""The pages that stand in every page's head: only those that the visitor may see."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.accounts.permissions import Permission

if TYPE_CHECKING:
    from engine.http.request_context import RequestContext

PAGES: tuple[tuple[str, str, str, Permission], ...] = (
    ("/", "Bảng theo dõi", "Board", Permission.SEE_BOARD),
    ("/overdue", "Quá hạn", "Overdue", Permission.SEE_BOARD),
    ("/assignments", "Phần việc", "Assignments", Permission.SEE_ASSIGNMENT),
    ("/agencies", "Cơ quan", "Agencies", Permission.SEE_BOARD),
    ("/plans", "Kế hoạch", "Plans", Permission.SEE_PLANS),
    ("/leadership", "Lãnh đạo", "Leadership", Permission.SEE_STANDING),
    ("/letters", "Thư", "Letters", Permission.SEE_LETTERS),
    ("/health", "Hệ thống", "Health", Permission.SEE_HEALTH),
    ("/admin", "Quản trị", "Administration", Permission.KEEP_CONTACTS),
)
"""Path, its name in both languages, and the deed that it takes; within one's own body is enough."""


def pages_of(ctx: RequestContext) -> list[tuple[str, str]]:
    """(path, name) in the visitor's language; an owner's own desk comes first."""
    at = 1 if ctx.language == "en" else 0
    seen = [(path, (vi, en)[at]) for path, vi, en, deed in PAGES if ctx.may(deed, ctx.actor.agency_id)]
    return seen if ctx.home == "/" else [(ctx.home, ("Bàn làm việc", "My desk")[at]), *seen]
