"""The settings for display: each with its value, source and purpose, on a page and in the two files that name every
setting, ``docs/settings.md`` and ``packaging/.env.example``: ``python -m engine.admin.settings_view`` writes them, a
test compares them.

Secrets are never shown, not even in part or by length; URLs that may contain a secret are hidden.

Settings that an administrator enters on a page (mail, SMS, the address): sealed as one value in the database.

``read_entered`` is the one way they are read, by the composition root. A credential is never shown again, and is only
kept while the server it is sent to stays the same: otherwise whoever may change the server could read the credential.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from pathlib import Path
from typing import Any

from pydantic import SecretStr, ValidationError
from sqlalchemy import delete
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError
from sqlmodel import Session

from config.about import REMOVED, SECTIONS
from config.settings import ABOUT, CREDENTIALS, ENTERED, HIDDEN, Settings, SettingSource, setting_sources, still_set
from engine.accounts.signed_links import SealBroken, Signer
from engine.errors import FieldsRefused, Unavailable
from engine.queries.system.health import PREFIX
from engine.store.database import Database, table
from engine.store.event_log import record
from engine.store.facts import fact_if_made, read_fact, write_fact
from engine.store.records import Fact
from engine.terms import EventKind
from engine.text import Text

FACT, USE, TRIED = "entered_settings", "settings", "settings.tried"
MAX_CHARS = 500
_NUMBERS: Mapping[str, Text] = {
    "smtp_port": Text("Ghi số từ 1 đến 65535.", "Give a number from 1 to 65535."),
}
_CHOOSE = Text("Chọn trong danh sách.", "Choose from the list.")
_UNUSABLE = Text("Giá trị này không dùng được.", "This value cannot be used.")
CHANNELS: Mapping[str, str] = {"mail": "email", "sms": "sms"}


@dataclass(frozen=True, slots=True)
class Entered:
    """``sealed``: as stored, to see whether it has changed; empty if nothing was entered."""

    sealed: str
    values: Mapping[str, object]


def read_entered(database: Database, signer: Signer) -> Entered:
    """What is stored. Nothing in a database without tables, which is not created here. Raises Unavailable."""
    return _opened(fact_if_made(database, FACT), signer)


def entered(session: Session, signer: Signer) -> Entered:
    """As ``read_entered``, in a session. Raises Unavailable where the value was sealed by another secret."""
    return _opened(read_fact(session, FACT), signer)


def _opened(sealed: str | None, signer: Signer) -> Entered:
    if not sealed:
        return Entered("", {})
    try:
        return Entered(sealed, signer.unseal(USE, sealed))
    except SealBroken:
        raise Unavailable(
            Text(
                "Thiết lập thư và tin nhắn không giải mã được: khóa bí mật đã đổi.",
                "The settings of mail and SMS cannot be decrypted: the secret was changed.",
            )
        ) from None


def typed_settings(
    settings: Settings,
    stored: Mapping[str, object],
    channel: str,
    typed: Mapping[str, object],
    known: Mapping[str, object],
) -> tuple[Settings, dict[str, Any]]:
    """The settings with what was typed for a channel, and all entered values to be stored. Empty credentials are kept
    from what is stored, or from ``known`` (what was just tried), if they belong to the same server. Raises
    FieldsRefused."""
    may = [name for name in ENTERED[channel] if name not in settings.decided]
    secrets = [name for name in may if name in HIDDEN]
    values = {name: typed[name] for name in may if name in typed and name not in secrets}
    if secrets:
        values |= _given(secrets, typed) or _kept_credentials(settings, (known, stored), values, secrets)
    too_long = [name for name, value in values.items() if len(str(value)) > MAX_CHARS]
    if too_long:
        text = Text(f"Nhiều nhất {MAX_CHARS} ký tự.", f"{MAX_CHARS} characters at most.")
        raise FieldsRefused(dict.fromkeys(too_long, text))
    entered_now = {name: value for name, value in stored.items() if name not in ENTERED[channel]} | values
    changed = _validated(settings, entered_now, values)
    if "smtp_password" in secrets and changed.smtp_username and not changed.smtp_password.get_secret_value():
        words = Text(
            "Nhập mật khẩu; máy chủ hoặc tên đăng nhập đổi thì phải nhập lại.",
            "Enter the password; after a change of server or user it has to be entered again.",
        )
        raise FieldsRefused({"smtp_password": words})
    return changed, entered_now


def save(
    session: Session,
    signer: Signer,
    before: Settings,
    after: Settings,
    values: Mapping[str, object],
    *,
    actor: str,
    now: datetime,
) -> bool:
    """Store them; the log says what changed, of credentials only that they did. What is known of a channel's trouble
    was of the old settings, so that letters are tried at once. False if nothing changed."""
    changed = [
        name
        for names in ENTERED.values()
        for name in names
        if getattr(before, name) != getattr(after, name) or (name in before.entered) != (name in after.entered)
    ]
    if not changed:
        return False
    write_fact(session, FACT, signer.seal(USE, dict(values)))
    forgotten = [f"{PREFIX}{channel}" for page, channel in CHANNELS.items() if set(ENTERED[page]) & set(changed)]
    session.connection().execute(delete(table(Fact)).where(table(Fact).c.name.in_(forgotten)))
    said = [name if name in HIDDEN else f"{name}={getattr(after, name)}" for name in changed]
    record(session, EventKind.SETTINGS_CHANGED, now, actor=actor, changes=", ".join(said))
    return True


def seal_tried(signer: Signer, values: Mapping[str, object], actor: str) -> str:
    """Values that were tried and not saved, so that a password need not be typed again to save them."""
    return signer.seal(TRIED, {"actor": actor, "values": dict(values)})


def open_tried(signer: Signer, sealed: str, actor: str) -> Mapping[str, Any]:
    """Empty if it is another's or was changed."""
    try:
        found = signer.unseal(TRIED, sealed) if sealed else {}
    except SealBroken:
        return {}
    values: Mapping[str, object] = found.get("values", {}) if found.get("actor") == actor else {}
    return values


def _given(names: Iterable[str], values: Mapping[str, object]) -> dict[str, object]:
    return {name: values[name] for name in names if values.get(name)}


def _kept_credentials(
    settings: Settings, earlier: Iterable[Mapping[str, object]], values: Mapping[str, object], secrets: Sequence[str]
) -> dict[str, object]:
    """The first of the earlier ones that belong to the server that is entered now."""
    kept = ((before, _given(secrets, before)) for before in earlier)
    return next((given for before, given in kept if given and _same_server(settings, before, values, secrets[0])), {})


def _validated(settings: Settings, entered_now: Mapping[str, object], names: Iterable[str]) -> Settings:
    """Raises FieldsRefused for the first of the names whose value will not do."""
    try:
        return settings.with_entered(entered_now)
    except ValidationError as error:
        name = next(name for name in names if not _holds(settings, name, entered_now[name]))
        words = _CHOOSE if error.errors()[0]["type"] == "literal_error" else _NUMBERS.get(name, _UNUSABLE)
        raise FieldsRefused({name: words}) from None


def _same_server(
    settings: Settings, before: Mapping[str, object], values: Mapping[str, object], credential: str
) -> bool:
    names = [name for name in CREDENTIALS[credential] if name not in HIDDEN and name not in settings.decided]
    default = {name: Settings.model_fields[name].default for name in names}
    return all(str(values.get(name, default[name])) == str(before.get(name, default[name])) for name in names)


def _holds(settings: Settings, name: str, value: object) -> bool:
    try:
        settings.with_entered({name: value})
    except ValidationError:
        return False
    return True


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

By name, with the default in round brackets. What names a page in square ones may be entered there instead (*Settings ›
Address*, *Outgoing mail*, *SMS*), in force at the next letter (cookies: at the next start); what the environment gives,
wins.

Made from the fields of `config/settings.py` by `python -m engine.admin.settings_view`.
"""
_ROOT = Path(__file__).parents[2]


def documents() -> Mapping[str, str]:
    """Path in the repository -> the text of the file."""
    page, env = [_PAGE_HEAD], [_ENV_HEAD]
    for section, members in groupby(Settings.model_fields, lambda name: ABOUT[name].section):
        vi, en = SECTIONS[section]
        env.append(f"\n# --- {vi} / {en} ---\n")
        page.append(f"\n## {en}\n\n")
        for name in members:
            about, default = ABOUT[name], plain_words(Settings.model_fields[name].default)
            variable = f"DONDOC_{name.upper()}"
            example = f" (vd / e.g. {about.example})" if about.example else ""
            env.append(f"# {about.vi} / {about.en}{example}\n# {variable}={default}\n")
            notes = (about.en, about.example and f"(e.g. `{about.example}`)", about.page and f"[{about.page}]")
            page.append(f"- `{variable}`{f' (`{default}`)' if default else ''}: {' '.join(filter(None, notes))}\n")
    return {"docs/settings.md": "".join(page), "packaging/.env.example": "".join(env)}


if __name__ == "__main__":
    for path, text in documents().items():
        (_ROOT / path).write_text(text)
