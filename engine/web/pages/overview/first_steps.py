"""The first page of an installation without a running plan: seven measured steps, instead of an empty board."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlmodel import Session

from engine.accounts.permissions import Permission
from engine.admin.first_steps import CheckLine, Mark, first_steps
from engine.http.request_context import RequestContext
from engine.queries.system.setup_state import setup_state
from engine.queries.time_class import Today
from engine.store.facts import mail_tried
from engine.text import Text

TITLES: Mapping[str, tuple[Text, str]] = {
    "address": (Text("Địa chỉ của hệ thống", "The system's address"), "/admin/settings/address"),
    "smtp": (Text("Thư đi", "Outgoing mail"), "/admin/settings/mail"),
    "agencies": (Text("Danh bạ cơ quan", "Directory of agencies"), "/admin/contact-sheet"),
    "contacts": (Text("Đầu mối nhận thư", "Contacts who get letters"), "/admin/contact-sheet"),
    "calendar": (Text("Lịch nghỉ", "Holidays"), "/admin/calendar"),
    "plan": (Text("Kế hoạch", "Plan"), "/plans/import"),
    "watch": (Text("Ai được báo khi hệ thống ngừng", "Who hears when it stops"), "/admin/settings"),
}
"""Name of a line -> what the step is called and the page where it is done."""


@dataclass(frozen=True)
class Step:
    """``next``: the first step that is not done."""

    title: Text
    path: str
    line: CheckLine
    next: bool

    @property
    def done(self) -> bool:
        return self.line.mark is Mark.WELL


def steps_of(ctx: RequestContext, session: Session, today: Today) -> list[Step]:
    """Empty while a plan runs, and for who cannot set anything up."""
    if not ctx.may(Permission.SEE_SETTINGS):
        return []
    state, settings = setup_state(session, today), ctx.app.settings_now
    if state.active_plans:
        return []
    paths = {name: path for name, (_, path) in TITLES.items()}
    if state.loaded_plans:
        paths["plan"] = "/plans"
    lines = first_steps(settings, state, mail_tried(session, settings.smtp_host), ctx.now)
    first = next((line.name for line in lines if line.mark is not Mark.WELL), "")
    return [Step(TITLES[line.name][0], paths[line.name], line, line.name == first) for line in lines]
