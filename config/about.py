"""What a setting is, said once at its field: settings page, docs/settings.md, packaging/.env.example, and what may be
entered on a page are made of it.

And the settings that earlier versions had. Whoever still sets one is told at the start and by ``dondoc doctor``; it has
no effect.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import Any

from pydantic import Field

from config import DATA


class Section(StrEnum):
    """In the order of the fields."""

    SERVER = ""
    SIGN_IN = "signin"
    MAIL = "mail"
    MAILBOX = "imap"
    PHONE = "sms"
    OPERATION = "watch"


SECTIONS: Mapping[Section, tuple[str, str]] = {
    Section.SERVER: ("Máy chủ và dữ liệu", "Server and data"),
    Section.SIGN_IN: ("Đăng nhập", "Sign-in"),
    Section.MAIL: ("Thư điện tử gửi đi", "Outgoing mail"),
    Section.MAILBOX: ("Thư trả lời", "Incoming mail"),
    Section.PHONE: ("Tin nhắn", "SMS"),
    Section.OPERATION: ("Theo dõi vận hành và lưu giữ", "Operation and retention"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """``page``: where an administrator may enter it; empty: on the server alone. ``server``: it says where credentials
    of that page are sent, or is one. ``hidden``: not a secret by its type, but services put keys into it. ``url``:
    shown without user, password and parameters."""

    section: Section
    vi: str
    en: str
    page: str = ""
    server: bool = False
    hidden: bool = False
    url: bool = False
    example: str = ""


def _setting(
    section: Section,
    vi: str,
    en: str,
    *,
    default: Any = "",
    page: str = "",
    server: bool = False,
    hidden: bool = False,
    url: bool = False,
    example: str = "",
    **checks: Any,
) -> Any:
    """A field; ``checks`` as of pydantic's Field."""
    field = Field(default, **checks)
    field.metadata.append(
        About(section=section, vi=vi, en=en, page=page, server=server, hidden=hidden, url=url, example=example)
    )
    return field


on_server, at_sign_in, of_mail, of_mailbox, by_phone, in_operation = (partial(_setting, section) for section in Section)
of_relay = partial(of_mail, page="mail", server=True)
of_gateway = partial(by_phone, page="sms", server=True)

_LINES = (DATA / "removed_settings.txt").read_text(encoding="utf-8").splitlines()[1:]
REMOVED: Mapping[str, tuple[str, str]] = {name: (vi, en) for name, vi, en in (line.split(" | ") for line in _LINES)}
"""Name -> what holds instead, in Vietnamese and in English."""
