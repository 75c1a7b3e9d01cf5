"""The pages that stand in every page's head: only those that the visitor may see."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.accounts.permissions import Deed

if TYPE_CHECKING:
    from engine.http.request_context import Visit

PAGES: tuple[tuple[str, str, str, Deed], ...] = (
    ("/", "Bảng theo dõi", "Board", Deed.SEE_BOARD),
    ("/overdue", "Quá hạn", "Overdue", Deed.SEE_BOARD),
    ("/assignments", "Phần việc", "Assignments", Deed.SEE_ASSIGNMENT),
    ("/agencies", "Cơ quan", "Agencies", Deed.SEE_BOARD),
    ("/plans", "Kế hoạch", "Plans", Deed.SEE_PLANS),
    ("/leadership", "Lãnh đạo", "Leadership", Deed.SEE_STANDING),
    ("/letters", "Thư", "Letters", Deed.SEE_LETTERS),
    ("/health", "Hệ thống", "Health", Deed.SEE_HEALTH),
    ("/admin", "Quản trị", "Administration", Deed.KEEP_CONTACTS),
)
"""Path, its name in both languages, and the deed that it takes; within one's own body is enough."""


def pages_of(visit: Visit) -> list[tuple[str, str]]:
    """(path, name) in the visitor's language; an owner's own desk comes first."""
    at = 1 if visit.language == "en" else 0
    seen = [(path, (vi, en)[at]) for path, vi, en, deed in PAGES if visit.may(deed, visit.actor.agency_id)]
    return seen if visit.home == "/" else [(visit.home, ("Bàn làm việc", "My desk")[at]), *seen]
