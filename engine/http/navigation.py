"""What leads to the pages: seven entries for whoever follows plans, fewer for others, each with the pages that stand
under it, and the menu of the account. Only what the reader may see.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from engine.accounts.permissions import Actor, ActorRole, Permission
from engine.queries.work.todo import MESSAGES
from engine.terms import Waiting
from engine.text import Text

OVERDUE_COUNT = "overdue"


class Reader(Protocol):
    """Of a request, what the entries depend on. ``counts``: what waits there, by ``Leaf.counts``."""

    @property
    def language(self) -> str: ...
    @property
    def home(self) -> str: ...
    @property
    def actor(self) -> Actor: ...
    @property
    def counts(self) -> Mapping[str, int]: ...
    def may(self, permission: Permission, agency_id: str = "") -> bool: ...
    def stands_at(self, address: str) -> bool: ...


@dataclass(frozen=True)
class Leaf:
    """A page. ``needs``: the permissions of which one is needed, within one's own agency at least. ``counts``: the name
    of what waits there, if the entry says how much."""

    path: str
    name: Text
    needs: tuple[Permission, ...]
    counts: str = ""


@dataclass(frozen=True)
class Entry:
    """``short``: its name in a telephone's bar, if that is another. Of several pages the first that the reader may see
    opens."""

    name: Text
    leaves: tuple[Leaf, ...]
    short: Text | None = None


def _one(path: str, name: Text, needs: Permission, counts: str = "", short: Text | None = None) -> Entry:
    return Entry(name, (Leaf(path, name, (needs,), counts),), short)


BOARD = _one("/", Text("Bảng theo dõi", "Board"), Permission.SEE_BOARD, short=Text("Bảng", "Board"))
WAITING = Entry(
    Text("Chờ xử lý", "To decide"),
    (
        Leaf("/queue", Text("Tất cả", "All"), (Permission.ACCEPT,)),
        Leaf("/accept", Text("Báo cáo", "Reports"), (Permission.ACCEPT,), Waiting.ACCEPT),
        Leaf("/incoming/waiting", Text("Thư trả lời", "Answers"), (Permission.HANDLE_MESSAGES,), MESSAGES),
        Leaf("/extensions", Text("Gia hạn", "Extensions"), (Permission.DECIDE_EXTENSION,), Waiting.EXTENSION),
        Leaf("/promises", Text("Lời hẹn", "Promises"), (Permission.DECIDE_EXTENSION,), Waiting.PROMISE),
        Leaf("/assignments?waiting=raised", Text("Câu hỏi", "Questions"), (Permission.ANSWER,), Waiting.RAISED),
        Leaf(
            "/assignments?waiting=declined",
            Text("Không thuộc nhiệm vụ", "Declined"),
            (Permission.ACCEPT,),
            Waiting.DECLINED,
        ),
    ),
)
OVERDUE = _one("/overdue", Text("Quá hạn", "Overdue"), Permission.SEE_BOARD, OVERDUE_COUNT)
PLANS = _one("/plans", Text("Kế hoạch", "Plans"), Permission.SEE_PLANS)
AGENCIES = _one("/agencies", Text("Cơ quan", "Agencies"), Permission.SEE_BOARD)
MAIL = Entry(
    Text("Thư, văn bản", "Mail, papers"),
    (
        Leaf("/letters", Text("Thư đã gửi", "Letters sent"), (Permission.SEE_LETTERS,)),
        Leaf("/incoming", Text("Thư đến", "Incoming"), (Permission.HANDLE_MESSAGES,)),
        Leaf("/papers", Text("Văn bản", "Papers"), (Permission.SEE_PAPERS,)),
    ),
    short=Text("Thư", "Mail"),
)
LEADERSHIP = Entry(
    Text("Lãnh đạo", "Leadership"),
    (
        Leaf("/leadership", Text("Tình hình", "Standing"), (Permission.SEE_STANDING,)),
        Leaf("/year", Text("Cả năm", "The year"), (Permission.SEE_STANDING,)),
    ),
)
ENTRIES: Sequence[Entry] = (BOARD, WAITING, OVERDUE, PLANS, AGENCIES, MAIL, LEADERSHIP)
OF_LEADERS: Sequence[Entry] = (LEADERSHIP, OVERDUE, AGENCIES, PLANS, MAIL)
DESK, DESK_SHORT = Text("Việc của tôi", "My tasks"), Text("Việc", "Tasks")
MENU = (
    Leaf("/admin", Text("Quản trị", "Administration"), (Permission.KEEP_CONTACTS, Permission.SEE_SETTINGS)),
    Leaf("/health", Text("Hệ thống", "Health"), (Permission.SEE_HEALTH,)),
)
"""Under the name of the account, besides the account itself."""


@dataclass(frozen=True)
class Shown:
    """In the reader's language, with how much waits, if that is counted. ``here``: the reader stands at it, or below
    it."""

    path: str
    name: str
    n: int | None
    here: bool


@dataclass(frozen=True)
class ShownEntry(Shown):
    """``path``: of the page that opens. ``under``: its pages where there are several; of those that count, the ones
    where something waits."""

    short: str
    under: tuple[Shown, ...]


def entries_of(ctx: Reader) -> list[ShownEntry]:
    """Of an owner agency its own desk comes first."""
    entries = OF_LEADERS if ctx.actor.role is ActorRole.LEADERSHIP else ENTRIES
    if ctx.home != "/":
        entries = (Entry(DESK, (Leaf(ctx.home, DESK, ()),), DESK_SHORT), PLANS, MAIL)
    return [shown for entry in entries if (shown := _shown(ctx, entry)) is not None]


def menu_of(ctx: Reader) -> list[Shown]:
    return _seen(ctx, MENU)


def _shown(ctx: Reader, entry: Entry) -> ShownEntry | None:
    leaves = _seen(ctx, entry.leaves)
    if not leaves:
        return None
    under = tuple(each for each in leaves if each.n != 0 or each.here)
    return ShownEntry(
        path=leaves[0].path,
        name=entry.name.said(ctx.language),
        n=sum(each.n or 0 for each in leaves),
        here=any(each.here for each in leaves),
        short=(entry.short or entry.name).said(ctx.language),
        under=under if len(under) > 1 else (),
    )


def _here(ctx: Reader, leaf: Leaf) -> bool:
    """Of a page below another («/incoming/waiting») only the nearer one."""
    below = (each.path for entry in ENTRIES for each in entry.leaves if each.path.startswith(f"{leaf.path}/"))
    return ctx.stands_at(leaf.path) and not any(map(ctx.stands_at, below))


def _counted(ctx: Reader, leaf: Leaf) -> int | None:
    return ctx.counts.get(leaf.counts, 0) if leaf.counts else None


def _seen(ctx: Reader, leaves: tuple[Leaf, ...]) -> list[Shown]:
    return [
        Shown(leaf.path, leaf.name.said(ctx.language), _counted(ctx, leaf), _here(ctx, leaf))
        for leaf in leaves
        if not leaf.needs or any(ctx.may(permission, ctx.actor.agency_id) for permission in leaf.needs)
    ]
