"""Every setting, in one frozen object made once in the composition root. Nothing else reads the environment.

Each field is ``DONDOC_<NAME>`` in the environment or in the file ``.env``; the README's table is tested against this.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from enum import StrEnum
from ipaddress import ip_network
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, DotEnvSettingsSource, SettingsConfigDict

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


def is_guarded(url: str) -> bool:
    """Whether what is said to an address stays between the two: https, or this very machine."""
    try:
        parts = urlsplit(url)
        return bool(parts.hostname) and (
            parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK)
        )
    except ValueError:
        return False


class Settings(BaseSettings):
    """What an operator may set."""

    model_config = SettingsConfigDict(env_prefix="DONDOC_", env_file=".env", frozen=True, extra="ignore")

    data_dir: Path = Field(Path("var"), description="where the database, the Maildir, files and the secret live")
    database_url: str = Field("", description="empty: SQLite in data_dir; or postgresql://user:password@host/name")
    base_url: str = Field("http://127.0.0.1:8188", description="the address that links in letters begin with")
    host: str = Field("127.0.0.1", description="address to listen on")
    port: int = Field(8188, ge=0, le=65535, description="port to listen on")
    trusted_proxies: str = Field(
        "127.0.0.1,::1", description="proxies (addresses or networks, by comma) whose X-Forwarded-For is believed"
    )
    secret: SecretStr = Field(SecretStr(""), description="signs links; empty: made once and kept in data_dir/secret")
    language: Literal["vi", "en"] = Field("vi", description="first language of the pages")
    demo: bool = Field(False, description="the clock stands still and a bar steps it; nothing is sent to the outside")

    oidc_issuer: str = Field("", description="OpenID Connect: issuer or discovery address; empty: no single sign-on")
    oidc_client_id: str = Field("", validate_default=True, description="what the single sign-on knows this office as")
    oidc_client_secret: SecretStr = Field(SecretStr(""), description="its secret there; empty: a public client")
    oidc_name: str = Field("", description="the single sign-on's name on the button")

    mail_from: str = Field("dondoc@localhost.example", description="sender's mailbox")
    mail_from_name: str = Field("Đôn Đốc", description="sender's name")
    smtp_host: str = Field("", description="empty: letters go to the Maildir in data_dir and leave nothing")
    smtp_port: int = Field(587, ge=1, le=65535, description="587 with starttls, 465 with tls, 25 with none")
    smtp_security: Literal["starttls", "tls", "none"] = Field("starttls", description="never downgraded in silence")
    smtp_username: str = Field("", description="empty: no authentication")
    smtp_password: SecretStr = Field(SecretStr(""), description="the password of smtp_username")
    smtp_ca_file: Path | None = Field(None, description="a private authority's certificate")
    smtp_connections: int = Field(4, ge=1, le=32, description="connections kept open to the relay")
    smtp_messages_per_connection: int = Field(0, ge=0, description="0: no limit")
    smtp_per_minute: int = Field(0, ge=0, description="letters a minute; 0: no limit")
    smtp_timeout: float = Field(30.0, gt=0, description="seconds to wait for the relay's answer")
    reply_to: str = Field("", description="mailbox that answers to letters come to; empty: mail_from")
    bounce_domain: str = Field("", description="each letter's return address is bounce+…@ this; empty: mail_from")

    imap_host: str = Field("", description="where answers and bounces are fetched from; empty: nowhere")
    imap_port: int = Field(993, ge=1, le=65535, description="993 with tls, 143 with starttls")
    imap_security: Literal["tls", "starttls", "none"] = Field("tls", description="none: on this machine alone")
    imap_username: str = Field("", description="account of the mailbox")
    imap_password: SecretStr = Field(SecretStr(""), description="the password of imap_username")
    imap_folder: str = Field("INBOX", description="the folder that is read")
    imap_ca_file: Path | None = Field(None, description="a private authority's certificate")
    receive_seconds: int = Field(60, ge=5, le=3600, description="how often answers are fetched")

    sms_gateway: Literal["", "kannel", "gammu", "esms", "speedsms", "apprise"] = Field(
        "", description="what sends SMS; empty: no SMS"
    )
    sms_url: str = Field("", description="kannel: its sendsms address; apprise: its URL with {to} in it")
    sms_username: str = Field("", description="kannel: user name; esms: ApiKey")
    sms_password: SecretStr = Field(SecretStr(""), description="kannel: password; esms: SecretKey; speedsms: token")
    sms_sender: str = Field("DONDOC", description="brand name (at most 11 letters) or number that sends")
    sms_marks: bool = Field(False, description="keep Vietnamese marks: 70 characters a part instead of 160")
    sms_gammu_dir: Path | None = Field(None, description="gammu-smsd's folders: outbox, sent, error and inbox in it")
    sms_answers: bool = Field(False, description="answers by SMS come back (kannel, gammu): put a short code into SMS")
    sms_production: bool = Field(False, description="really send; else esms checks only, speedsms and apprise refuse")

    callback_secret: SecretStr = Field(SecretStr(""), description="in the addresses gateways call; empty: derived")
    operator_email: str = Field("", description="who is told when another channel is down")
    operator_phone: str = Field("", description="the same by SMS when e-mail is down")
    metrics_token: SecretStr = Field(SecretStr(""), description="bearer token of /metrics; empty: this machine alone")
    templates_dir: Path | None = Field(
        None, description="the office's own templates, each before the shipped one; empty: templates in data_dir"
    )

    tick_seconds: int = Field(20, ge=1, le=3600, description="how often the heartbeat looks for what is due")
    lease_seconds: int = Field(300, ge=10, description="seconds a claimed letter belongs to the worker that took it")
    give_up_days: int = Field(5, ge=1, description="a letter that could not be sent for so long expires")
    keep_bodies_days: int = Field(400, ge=1, description="letters' texts are pruned after this")
    link_days: int = Field(45, ge=1, description="how long a link in a letter works")
    heartbeat_url: str = Field("", description="pinged after every clean audit; empty: nobody")

    prefect: bool = Field(True, description="show passes as Prefect flow runs when its server answers")
    prefect_api_url: str = Field("", description="empty: `serve` starts a local server; or the address of yours")
    prefect_port: int = Field(4188, ge=1, le=65535, description="port of the local Prefect server")

    @field_validator("base_url")
    @classmethod
    def _no_slash(cls, value: str) -> str:
        if not value.startswith(("http://", "https://")):
            raise ValueError("phải bắt đầu bằng http:// hoặc https:// / must begin with http:// or https://")
        return value.rstrip("/")

    @field_validator("trusted_proxies")
    @classmethod
    def _networks(cls, value: str) -> str:
        """Everybody is no proxy: whoever is believed says what his address is, and limits are counted by it."""
        said = [each.strip() for each in value.split(",") if each.strip()]
        try:
            wide = [each for each in said if ip_network(each, strict=False).prefixlen == 0]
        except ValueError:
            raise ValueError("viết như 127.0.0.1,10.0.0.0/8 / write it like 127.0.0.1,10.0.0.0/8") from None
        if wide:
            raise ValueError("không tin mọi địa chỉ được / not every address can be trusted")
        return ",".join(str(ip_network(each, strict=False)) for each in said)

    @field_validator("oidc_issuer")
    @classmethod
    def _guarded(cls, value: str) -> str:
        if value and not is_guarded(value):
            raise ValueError("phải bắt đầu bằng https:// / must begin with https://")
        return value

    @field_validator("oidc_client_id")
    @classmethod
    def _known_there(cls, value: str, said: ValidationInfo) -> str:
        if said.data.get("oidc_issuer") and not value:
            raise ValueError("cần khi có DONDOC_OIDC_ISSUER / is needed beside DONDOC_OIDC_ISSUER")
        return value

    @property
    def database(self) -> str:
        return self.database_url or f"sqlite:///{self.data_dir}/dondoc.db"

    @property
    def maildir(self) -> Path:
        return self.data_dir / "maildir"

    @property
    def files(self) -> Path:
        """Where the bytes of evidence lie."""
        return self.data_dir / "files"

    @property
    def templates(self) -> Path:
        return self.templates_dir or self.data_dir / "templates"

    def signing_key(self) -> str:
        """The secret, made on first use. The file is created whole or not at all, readable by its owner alone."""
        if self.secret.get_secret_value():
            return self.secret.get_secret_value()
        path = self.data_dir / "secret"
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            fresh = path.with_name(f"secret.{secrets.token_hex(4)}")
            fresh.touch(mode=0o600)
            fresh.write_text(secrets.token_urlsafe(48))
            try:
                path.hardlink_to(fresh)
            except FileExistsError:
                pass  # another process made it first: theirs counts
            finally:
                fresh.unlink()
        return path.read_text().strip()


class SettingSource(StrEnum):
    """Where a setting's value was found, the first of these that has it."""

    STARTED = "started"
    """Given on the command line when the program was started."""
    ENVIRONMENT = "environment"
    FILE = "file"
    DEFAULT = "default"


def setting_sources(settings: Settings) -> Mapping[str, SettingSource]:
    """Field name -> where its value came from, as far as the environment and ``.env`` still say so."""
    environment = {name.upper() for name in os.environ}
    written = {name.upper() for name in DotEnvSettingsSource(Settings).env_vars}

    def found(name: str) -> SettingSource:
        if name not in settings.model_fields_set:
            return SettingSource.DEFAULT
        known = f"DONDOC_{name.upper()}"
        return (
            SettingSource.ENVIRONMENT
            if known in environment
            else SettingSource.FILE
            if known in written
            else SettingSource.STARTED
        )

    return {name: found(name) for name in Settings.model_fields}


class SettingsRefused(ValueError):
    """A setting cannot be used; the message has one line a mistake: name, what is wrong."""


def read_settings(**overrides: object) -> Settings:
    """Settings from the environment and ``.env``. Raises SettingsRefused with every mistake at once."""
    try:
        return Settings(**overrides)  # type: ignore[arg-type]
    except ValidationError as error:
        lines = (f"DONDOC_{'_'.join(map(str, each['loc'])).upper()}: {each['msg']}" for each in error.errors())
        raise SettingsRefused("\n".join(lines)) from None
