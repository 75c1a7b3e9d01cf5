"""The settings for display: each with its value, source and purpose, on a page and in the two files that name every
setting, ``docs/settings.md`` and ``packaging/.env.example``. ``python -m engine.admin.settings_view`` writes the
files.

Pure. Secrets are never shown, not even in part or by length; URLs that may contain a secret are hidden.

``python -m engine.admin.settings_view`` writes them; a test compares them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from pydantic import SecretStr
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from config.about import SECTIONS
from config.removed_settings import REMOVED
from config.settings import ABOUT, HIDDEN, Settings, SettingSource, setting_sources, still_set
from engine.text import Text

MASK = "**********"
OFFICE: Mapping[str, Text] = {
    "base_url": Text("Địa chỉ của hệ thống", "The system's address"),
    "smtp_host": Text("Máy chủ gửi thư", "Mail server"),
    "mail_from": Text("Hộp thư gửi đi", "Sender's mailbox"),
    "mail_from_name": Text("Tên người gửi", "Sender's name"),
    "reply_to": Text("Hộp thư nhận trả lời", "Mailbox for replies"),
    "sms_gateway": Text("Cổng tin nhắn", "SMS gateway"),
    "sms_sender": Text("Tên người gửi tin nhắn", "Sender of SMS"),
    "operator_email": Text("Hộp thư người vận hành", "Operator's mailbox"),
    "operator_phone": Text("Điện thoại người vận hành", "Operator's telephone"),
    "second_factor_roles": Text("Vai trò phải có lớp xác thực thứ hai", "Roles that must have a second factor"),
}
"""What an office decides; the others are its host's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingLine:
    """One setting. ``value`` is empty when it is not set or ``hidden``; ``is_set`` distinguishes the two. ``page``:
    where it may be entered; ``title``: of one that an office decides."""

    name: str
    group: str
    value: str
    hidden: bool
    is_set: bool
    source: SettingSource
    vi: str
    en: str
    page: str
    title: Text | None


def describe_settings(settings: Settings) -> tuple[SettingLine, ...]:
    """Every setting, by group."""
    sources = setting_sources(settings)
    return tuple(_describe(settings, name, sources[name]) for name in Settings.model_fields)


def removed_lines(entered: Iterable[str]) -> tuple[Text, ...]:
    """What is still set of earlier versions, a line each: that it has no effect, and what holds instead. ``entered``:
    the names of what was entered on pages."""
    return tuple(
        Text(
            f"DONDOC_{name.upper()} không còn tác dụng; nay: {REMOVED[name][0]}.",
            f"DONDOC_{name.upper()} has no effect any more; now: {REMOVED[name][1]}.",
        )
        for name in still_set(entered)
    )


def masked_values(settings: Settings) -> dict[str, str]:
    """Field name -> value for the command line: secrets as stars, URLs without what may be a key in them."""
    lines = {line.name.removeprefix("DONDOC_").lower(): line for line in describe_settings(settings)}
    values = {name: MASK if line.hidden and line.is_set else line.value for name, line in lines.items()}
    database = {"database_url": without_password(settings.database)}
    return {name: values[name] for name in Settings.model_fields} | database


def _describe(settings: Settings, name: str, source: SettingSource) -> SettingLine:
    value: object = getattr(settings, name)
    plain = value.get_secret_value() if isinstance(value, SecretStr) else value
    about, hidden = ABOUT[name], name in HIDDEN
    return SettingLine(
        name=f"DONDOC_{name.upper()}",
        group=about.section,
        value="" if hidden else without_password(str(plain)) if about.url else plain_words(plain),
        hidden=hidden,
        is_set=plain not in ("", None),
        source=source,
        vi=about.vi,
        en=about.en,
        page=about.page,
        title=OFFICE.get(name),
    )


def plain_words(value: object) -> str:
    """A value as it is written into ``.env``; a secret's default is empty."""
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(value.as_posix() if isinstance(value, Path) else value)


def without_password(address: str) -> str:
    """The URL without user, password and parameters; «…» if it cannot be parsed."""
    if not address:
        return ""
    try:
        url = make_url(address)
    except (ArgumentError, ValueError):
        return "…"
    return URL.create(url.drivername, host=url.host, port=url.port, database=url.database).render_as_string()


_ENV_HEAD = """\
# Chép thành .env, bỏ dấu # ở dòng cần đặt. Tệp có mật khẩu: chmod 600.
# Copy to .env and remove the # of what you set. It holds passwords: chmod 600.
"""
_PAGE_HEAD = """\
# Settings

In the environment or in `.env`. `dondoc settings` shows what is in force, secrets masked. A name of an earlier version
has no effect: `serve` and `dondoc doctor` say what holds instead.

What has a page may be entered there by an administrator instead (*Settings › Address*, *Outgoing mail*, *SMS*); what
the environment gives, wins. Entered values take effect at the next letter in every process, without a restart; cookies
follow an address at the next start.

This file is made from the fields of `config/settings.py` by `python -m engine.admin.settings_view`.
"""
_ROOT = Path(__file__).parents[2]


def documents() -> Mapping[str, str]:
    """Path in the repository -> the text of the file."""
    page, env = [_PAGE_HEAD], [_ENV_HEAD]
    for section, members in groupby(Settings.model_fields, lambda name: ABOUT[name].section):
        vi, en = SECTIONS[section]
        env.append(f"\n# --- {vi} / {en} ---\n")
        page.append(f"\n## {en}\n\n| setting | default | example | page | what it is |\n|---|---|---|---|---|\n")
        for name in members:
            about, default = ABOUT[name], plain_words(Settings.model_fields[name].default)
            variable = f"DONDOC_{name.upper()}"
            example = f" (vd / e.g. {about.example})" if about.example else ""
            env.append(f"# {about.vi} / {about.en}{example}\n# {variable}={default}\n")
            cells = (_code(variable), _code(default), _code(about.example), about.page, about.en)
            page.append("|".join(("", *(f" {cell} " if cell else " " for cell in cells), "\n")))
    return {"docs/settings.md": "".join(page), "packaging/.env.example": "".join(env)}


def _code(words: str) -> str:
    return f"`{words}`" if words else ""


if __name__ == "__main__":
    for path, text in documents().items():
        (_ROOT / path).write_text(text)
