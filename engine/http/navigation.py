"""The navigation bar: only the pages that the user may see."""

from __future__ import annotations

from typing import Protocol

from engine.accounts.permissions import Actor, Permission


class Reader(Protocol):
    """Of a request, what the navigation bar depends on."""

    @property
    def language(self) -> str: ...
    @property
    def home(self) -> str: ...
    @property
    def actor(self) -> Actor: ...
    def may(self, permission: Permission, agency_id: str = "") -> bool: ...


PAGES: tuple[tuple[str, str, str, tuple[Permission, ...]], ...] = (
    ("/", "Bảng theo dõi", "Board", (Permission.SEE_BOARD,)),
    ("/overdue", "Quá hạn", "Overdue", (Permission.SEE_BOARD,)),
    ("/assignments", "Phần việc", "Assignments", (Permission.SEE_ASSIGNMENT,)),
    ("/agencies", "Cơ quan", "Agencies", (Permission.SEE_BOARD,)),
    ("/plans", "Kế hoạch", "Plans", (Permission.SEE_PLANS,)),
    ("/papers", "Văn bản", "Papers", (Permission.SEE_PAPERS,)),
    ("/leadership", "Lãnh đạo", "Leadership", (Permission.SEE_STANDING,)),
    ("/year", "Năm", "Year", (Permission.SEE_STANDING,)),
    ("/incoming", "Thư đến", "Incoming", (Permission.HANDLE_MESSAGES,)),
    ("/letters", "Thư", "Letters", (Permission.SEE_LETTERS,)),
    ("/health", "Hệ thống", "Health", (Permission.SEE_HEALTH,)),
    ("/admin", "Quản trị", "Administration", (Permission.KEEP_CONTACTS, Permission.SEE_SETTINGS)),
)
"""Path, name in both languages, and the permissions of which one is needed, within one's own agency at least."""


BAR: tuple[tuple[str, str, str], ...] = (
    ("/", "Bảng", "Board"),
    ("/overdue", "Quá hạn", "Overdue"),
    ("/plans", "Kế hoạch", "Plans"),
    ("/leadership", "Lãnh đạo", "Leadership"),
)
"""The pages of the bar at the bottom of a telephone, with names that fit there; «Thêm» opens all of them."""


def bar_of(ctx: Reader) -> list[tuple[str, str]]:
    """(path, short name) of the telephone's bar: those of ``BAR`` that the user may see, their own desk first."""
    seen = dict(pages_of(ctx))
    short = {path: (vi, en)[ctx.language == "en"] for path, vi, en in BAR}
    own = [] if ctx.home in short else [(ctx.home, ("Việc", "Desk")[ctx.language == "en"])]
    return own + [(path, name) for path, name in short.items() if path in seen]


def pages_of(ctx: Reader) -> list[tuple[str, str]]:
    """(path, name) in the user's language; an owner agency's own desk comes first."""
    index = 1 if ctx.language == "en" else 0
    seen = [
        (path, (vi, en)[index])
        for path, vi, en, permissions in PAGES
        if any(ctx.may(permission, ctx.actor.agency_id) for permission in permissions)
    ]
    return seen if ctx.home == "/" else [(ctx.home, ("Bàn làm việc", "My desk")[index]), *seen]
