"""All settings in one frozen object, created once in the composition root. Nothing else reads the environment.

Each field is set by ``DONDOC_<NAME>`` in the environment or in the file ``.env``. A test compares the table in
docs/settings.md with these fields.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from enum import StrEnum
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Any, Literal, Self, get_args
from urllib.parse import urlsplit

from pydantic import (
    BeforeValidator,
    Field,
    PrivateAttr,
    SecretStr,
    TypeAdapter,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, DotEnvSettingsSource, SettingsConfigDict

from config import SettingsRefused

SmsGateway = Literal["", "kannel", "gammu", "esms", "speedsms"]
SMS_GATEWAYS: tuple[SmsGateway, ...] = get_args(SmsGateway)
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
RELAY = ("smtp_host", "smtp_port", "smtp_security", "smtp_username", "smtp_password")
GATEWAY = ("sms_gateway", "sms_url", "sms_username", "sms_password")
ENTERED: Mapping[str, tuple[str, ...]] = {
    "mail": (*RELAY, "mail_from", "mail_from_name"),
    "sms": (*GATEWAY, "sms_sender", "sms_part_price", "sms_marks", "sms_answers", "sms_production"),
    "address": ("base_url",),
}
"""Settings that an administrator may enter on a page, by page; where the environment gives them, it wins."""
CREDENTIALS: Mapping[str, tuple[str, ...]] = {
    "smtp_password": RELAY,
    "sms_url": GATEWAY,
    "sms_username": GATEWAY,
    "sms_password": GATEWAY,
}
"""Credential -> the settings that say where it is sent. Where the environment gives the credential, a page changes none
of them: it would be sent to whatever host is entered there."""


def is_guarded(url: str) -> bool:
    """True if traffic to a URL cannot be read by others: https, or http to this machine."""
    try:
        parts = urlsplit(url)
        return bool(parts.hostname) and (
            parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK)
        )
    except ValueError:
        return False


def _refuse_apprise(value: object) -> object:
    """Name what replaces the gateway that earlier versions had."""
    if value == "apprise":
        raise ValueError(
            "không còn dùng apprise: đặt DONDOC_SMS_GATEWAY là kannel, gammu, esms hoặc speedsms; trống: không gửi SMS"
            " / apprise is not supported any more: set DONDOC_SMS_GATEWAY to kannel, gammu, esms or speedsms; "
            "empty: no SMS"
        )
    return value


class ArrivalProof(StrEnum):
    DAILY = "daily"
    """A letter a day comes back to our own mailbox."""
    WEEKLY = "weekly"
    """The operator confirms a letter a week."""


class Settings(BaseSettings):
    """The settings of an installation."""

    model_config = SettingsConfigDict(env_prefix="DONDOC_", env_file=".env", frozen=True, extra="ignore")

    _entered: frozenset[str] = PrivateAttr(default=frozenset())

    data_dir: Path = Field(Path("var"), description="folder of the database, the Maildir, files and the secret")
    database_url: str = Field("", description="empty: SQLite in data_dir; or postgresql://user:password@host/name")
    base_url: str = Field(
        "http://127.0.0.1:8188",
        description="URL that people open; begins links in letters; other host names are refused; follows the port",
    )
    host: str = Field("127.0.0.1", description="address to listen on")
    port: int = Field(8188, ge=0, le=65535, description="port to listen on")
    trusted_proxies: str = Field(
        "127.0.0.1,::1", description="proxies (addresses or networks, comma-separated) whose X-Forwarded-For is trusted"
    )
    hsts_subdomains: bool = Field(
        False, description="browsers are told to use https for every subdomain of base_url's host too (HSTS)"
    )
    secret: SecretStr = Field(
        SecretStr(""), description="signs links; empty: generated once and stored in data_dir/secret"
    )
    second_factor_roles: str = Field(
        "", description="roles that must have a second factor, comma-separated: administrator, monitor …"
    )
    language: Literal["vi", "en"] = Field("vi", description="default language of the pages")
    demo: bool = Field(False, description="demo mode: the clock is advanced by buttons; nothing is sent to the outside")

    oidc_issuer: str = Field("", description="OpenID Connect: issuer or discovery URL; empty: no single sign-on")
    oidc_client_id: str = Field("", validate_default=True, description="client id at the single sign-on")
    oidc_client_secret: SecretStr = Field(
        SecretStr(""), description="client secret at the single sign-on; empty: a public client"
    )
    oidc_name: str = Field("", description="name of the single sign-on, shown on the button")
    oidc_domains: str = Field(
        "", description="mail domains trusted where the single sign-on says nothing of email_verified, comma-separated"
    )
    oidc_role_claim: str = Field(
        "", description="claim of the single sign-on that must name the account's role, like groups; empty: not asked"
    )

    mail_from: str = Field("dondoc@localhost.example", description="sender's mailbox")
    mail_from_name: str = Field("Theo dõi nhiệm vụ", description="sender's name")
    smtp_host: str = Field("", description="mail relay; empty: letters are only written to the Maildir in data_dir")
    smtp_port: int = Field(587, ge=1, le=65535, description="587 with starttls, 465 with tls, 25 with none")
    smtp_security: Literal["starttls", "tls", "none"] = Field(
        "starttls", description="required encryption: starttls, tls or none; never downgraded"
    )
    smtp_username: str = Field("", description="empty: no authentication")
    smtp_password: SecretStr = Field(SecretStr(""), description="the password of smtp_username")
    smtp_ca_file: Path | None = Field(None, description="a private authority's certificate")
    smtp_connections: int = Field(4, ge=1, le=32, description="connections kept open to the relay")
    smtp_messages_per_connection: int = Field(0, ge=0, description="0: no limit")
    smtp_per_minute: int = Field(0, ge=0, description="letters a minute; 0: no limit")
    smtp_timeout: float = Field(30.0, gt=0, description="seconds to wait for a reply of the relay")
    reply_to: str = Field("", description="mailbox for replies to letters; empty: mail_from")
    reply_domain: str = Field(
        "", description="domain of the reply addresses reply+…@, one a letter; empty: replies must quote the letter"
    )
    bounce_domain: str = Field(
        "", description="domain of the return addresses bounce+…@; empty: mail_from, and bounces are only told"
    )

    imap_host: str = Field("", description="IMAP server of replies and bounces; empty: not fetched")
    imap_port: int = Field(993, ge=1, le=65535, description="993 with tls, 143 with starttls")
    imap_security: Literal["tls", "starttls", "none"] = Field(
        "tls", description="required encryption: tls, starttls, or none (only on this machine)"
    )
    imap_username: str = Field("", description="account of the mailbox")
    imap_password: SecretStr = Field(SecretStr(""), description="the password of imap_username")
    imap_folder: str = Field("INBOX", description="folder to read")
    imap_authserv_id: str = Field(
        "", description="server whose Authentication-Results must pass; empty: by mail only acknowledgements act"
    )
    imap_ca_file: Path | None = Field(None, description="a private authority's certificate")
    receive_seconds: int = Field(60, ge=5, le=3600, description="seconds between fetches of replies")

    sms_gateway: Annotated[SmsGateway, BeforeValidator(_refuse_apprise)] = Field(
        "", description="gateway that sends SMS; empty: no SMS"
    )
    sms_url: str = Field("", description="kannel: sendsms URL")
    sms_username: str = Field("", description="kannel: user name; esms: ApiKey")
    sms_password: SecretStr = Field(SecretStr(""), description="kannel: password; esms: SecretKey; speedsms: token")
    sms_sender: str = Field("DONDOC", description="sender: brand name (at most 11 letters) or number")
    sms_part_price: Annotated[int, BeforeValidator(lambda typed: typed or 0)] = Field(
        0, ge=0, le=100_000, description="price of one part of an SMS in dong, for estimates; 0: not known"
    )
    sms_marks: bool = Field(False, description="keep Vietnamese diacritics: 70 characters a part instead of 160")
    sms_gammu_dir: Path | None = Field(None, description="folder with gammu-smsd's outbox, sent, error and inbox")
    sms_answers: bool = Field(
        False, description="replies by SMS are received (kannel, gammu): put a short code into SMS"
    )
    sms_production: bool = Field(False, description="really send SMS; else esms only checks, speedsms refuses")

    zalo_app_id: str = Field("", description="Zalo application that sends ZNS before SMS; empty: no Zalo")
    zalo_app_secret: SecretStr = Field(SecretStr(""), description="the application's secret key")
    zalo_refresh_token: SecretStr = Field(
        SecretStr(""), description="refresh token of the Official Account; used once, what follows is stored sealed"
    )
    zalo_templates: str = Field(
        "",
        description='ZNS templates by kind of letter, as JSON: {"*": {"id": "230001", "parameters": {"han": "due"}}}',
    )
    zalo_oa_secret: SecretStr = Field(
        SecretStr(""),
        description="secret key of the OA's webhook, by which answers by Zalo are received; empty: none are",
    )

    callback_secret: SecretStr = Field(
        SecretStr(""), description="secret in callback URLs of gateways; empty: derived from secret"
    )
    webhook_hosts: str = Field(
        "", description="hosts and networks of the office that webhooks may call although they are private, or by http"
    )
    operator_email: str = Field(
        "", description="mailbox for alarms, and for the weekly test letter where replies are not fetched"
    )
    operator_phone: str = Field("", description="phone number for alarms by SMS when e-mail is down")
    metrics_token: SecretStr = Field(
        SecretStr(""),
        description="bearer token of /metrics; empty: /metrics is off (in the demonstration: for this machine)",
    )
    templates_dir: Path | None = Field(
        None, description="customised letter templates, which override the shipped ones; empty: templates in data_dir"
    )

    files_dir: Path | None = Field(
        None, description="folder of evidence files, shared by all servers and workers; empty: files in data_dir"
    )

    processes: int = Field(
        0,
        ge=0,
        le=2,
        description="of serve: 1: pages and letters in one; 2: apart; 0: by the machine",
    )
    tick_seconds: int = Field(20, ge=1, le=3600, description="seconds between checks for what is due")
    lease_seconds: int = Field(300, ge=10, description="seconds for which a worker claims a letter")
    give_up_days: int = Field(5, ge=1, description="days after which a letter that could not be sent expires")
    keep_bodies_days: int = Field(400, ge=1, description="days after which the texts of letters are deleted")
    link_days: int = Field(45, ge=1, description="days for which a link in a letter works; in the newest one longer")
    log: Literal["text", "json"] = Field(
        "text", description="log of serve: text, or json: one object a line, requests too, with their ids"
    )
    heartbeat_url: str = Field("", description="URL pinged after every clean audit; empty: none")

    prefect: bool = Field(True, description="show passes as Prefect flow runs when its server answers")
    prefect_api_url: str = Field("", description="URL of a Prefect API; empty: `serve` starts a local server")
    prefect_auth: SecretStr = Field(
        SecretStr(""),
        description="user:password that a Prefect API asks for; empty: made from the secret, locally at random",
    )
    prefect_alarm_url: str = Field(
        "", description="called by Prefect's automations when something is missing; empty: they call nobody"
    )
    prefect_runs: int = Field(
        2000,
        ge=1,
        description="of a plan with more assignments in a period, a Prefect run is a duty, not each owner's",
    )
    prefect_days: int = Field(90, ge=1, description="days for which the local Prefect server keeps events and runs")
    prefect_port: int = Field(4188, ge=1, le=65535, description="port of the local Prefect server")

    @field_validator("base_url")
    @classmethod
    def _without_slash(cls, value: str) -> str:
        if not value.startswith(("http://", "https://")):
            raise ValueError("phải bắt đầu bằng http:// hoặc https:// / must begin with http:// or https://")
        return value.rstrip("/")

    @field_validator("trusted_proxies")
    @classmethod
    def _networks(cls, value: str) -> str:
        """Normalise the networks; reject 0.0.0.0/0 and ::/0, since a trusted proxy sets the address that rate limits
        use."""
        networks = [each.strip() for each in value.split(",") if each.strip()]
        try:
            wide = [each for each in networks if ip_network(each, strict=False).prefixlen == 0]
        except ValueError:
            raise ValueError("viết như 127.0.0.1,10.0.0.0/8 / write it like 127.0.0.1,10.0.0.0/8") from None
        if wide:
            raise ValueError("không tin mọi địa chỉ được / not every address can be trusted")
        return ",".join(str(ip_network(each, strict=False)) for each in networks)

    @field_validator("webhook_hosts")
    @classmethod
    def _hosts(cls, value: str) -> str:
        try:
            for each in value.split(","):
                if "/" in each:
                    ip_network(each.strip(), strict=False)
        except ValueError:
            raise ValueError("viết như esb.tinh.example,10.20.0.0/16 / like esb.tinh.example,10.20.0.0/16") from None
        return value

    @field_validator("oidc_issuer")
    @classmethod
    def _require_guarded(cls, value: str) -> str:
        if value and not is_guarded(value):
            raise ValueError("phải bắt đầu bằng https:// / must begin with https://")
        return value

    @field_validator("oidc_client_id")
    @classmethod
    def _required_with_issuer(cls, value: str, info: ValidationInfo) -> str:
        if info.data.get("oidc_issuer") and not value:
            raise ValueError("cần khi có DONDOC_OIDC_ISSUER / is required with DONDOC_OIDC_ISSUER")
        return value

    @model_validator(mode="after")
    def _derive(self) -> Self:
        """Unless it is set, ``base_url`` follows host and port. A demonstration pings nobody and signs with a key of
        its own, whatever the environment says."""
        if "base_url" not in self.model_fields_set and self.port:
            host = self.host if self.host in LOOPBACK else "127.0.0.1"
            object.__setattr__(self, "base_url", f"http://{host}:{self.port}")
        if self.demo:
            object.__setattr__(self, "heartbeat_url", "")
            object.__setattr__(self, "secret", SecretStr(""))
        return self

    @property
    def entered(self) -> frozenset[str]:
        """The fields whose values were entered on a page."""
        return self._entered

    @property
    def decided(self) -> frozenset[str]:
        """Of the fields that may be entered on a page, those that environment, ``.env`` or command line decide."""
        given = self.model_fields_set - self._entered
        bound = {name for credential, names in CREDENTIALS.items() if credential in given for name in names}
        return frozenset(name for names in ENTERED.values() for name in names if name in given | bound)

    def with_entered(self, values: Mapping[str, object]) -> Self:
        """The settings with what was entered on a page, in place of what was entered before; fields that are decided
        elsewhere keep their value. Raises ValidationError for the first value that will not do."""
        may = {name for names in ENTERED.values() for name in names} - self.decided
        update = {name: type(self).model_fields[name].default for name in self._entered}
        entered = frozenset(may & values.keys())
        for name in sorted(entered):
            info = type(self).model_fields[name]
            kind: Any = Annotated[info.annotation, *info.metadata] if info.metadata else info.annotation
            update[name] = TypeAdapter(kind).validate_python(values[name])
        changed = self.model_copy(update=update)
        given = (self.model_fields_set - self._entered) | entered
        object.__setattr__(changed, "__pydantic_fields_set__", set(given))
        changed._entered = entered
        return changed

    @property
    def database(self) -> str:
        return self.database_url or f"sqlite:///{self.data_dir}/dondoc.db"

    @property
    def keeps_letters(self) -> bool:
        """No relay is configured: letters are only put into a folder of this machine. In the demonstration that is
        where they are read."""
        return not self.smtp_host and not self.demo

    @property
    def arrival_proof(self) -> ArrivalProof | None:
        """How letters are proved to arrive; None: not, or none is sent."""
        if not self.smtp_host:
            return None
        if self.imap_host:
            return ArrivalProof.DAILY
        return ArrivalProof.WEEKLY if self.operator_email else None

    @property
    def apart(self) -> bool:
        """Whether serve sends letters in a process beside that of the pages."""
        usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        return not self.demo and (self.processes or min(usable, 2)) == 2

    @property
    def needs_second_factor(self) -> frozenset[str]:
        return frozenset(each.strip() for each in self.second_factor_roles.split(",") if each.strip())

    @property
    def maildir(self) -> Path:
        return self.data_dir / "maildir"

    @property
    def files(self) -> Path:
        """The folder of evidence files."""
        return self.files_dir or self.data_dir / "files"

    @property
    def prefect_home(self) -> Path:
        return self.data_dir / "prefect"

    @property
    def prefect_key(self) -> Path:
        """What the Prefect server beside ``serve`` asks for: another string at each start."""
        return self.prefect_home / "key"

    @property
    def prefect_key_command(self) -> str:
        """Prints what Prefect's pages ask for."""
        return "dondoc prefect key" if self.prefect_api_url else f"cat {self.prefect_key.resolve()}"

    @property
    def templates(self) -> Path:
        return self.templates_dir or self.data_dir / "templates"

    def signing_key(self) -> str:
        """The secret, created on first use. The file is created atomically, readable only by its owner."""
        if self.secret.get_secret_value():
            return self.secret.get_secret_value()
        path = self.data_dir / "secret"
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            temporary = path.with_name(f"secret.{secrets.token_hex(4)}")
            temporary.touch(mode=0o600)
            temporary.write_text(secrets.token_urlsafe(48))
            try:
                path.hardlink_to(temporary)
            except FileExistsError:
                pass  # another process created it first: use that one
            finally:
                temporary.unlink()
        return path.read_text().strip()


class SettingSource(StrEnum):
    """The source of a setting's value, in order of precedence."""

    STARTED = "started"
    """Given on the command line."""
    ENVIRONMENT = "environment"
    FILE = "file"
    PAGE = "page"
    """Entered by an administrator."""
    DEFAULT = "default"


def setting_sources(settings: Settings) -> Mapping[str, SettingSource]:
    """Field name -> source of its value, determined from the current environment and ``.env``."""
    environment = {name.upper() for name in os.environ}
    from_file = {name.upper() for name in DotEnvSettingsSource(Settings).env_vars}

    def source(name: str) -> SettingSource:
        if name not in settings.model_fields_set:
            return SettingSource.DEFAULT
        if name in settings.entered:
            return SettingSource.PAGE
        variable = f"DONDOC_{name.upper()}"
        return (
            SettingSource.ENVIRONMENT
            if variable in environment
            else SettingSource.FILE
            if variable in from_file
            else SettingSource.STARTED
        )

    return {name: source(name) for name in Settings.model_fields}


def read_settings(**overrides: object) -> Settings:
    """Read the settings from the environment and ``.env``. Raises SettingsRefused, which lists all errors."""
    try:
        return Settings(**overrides)  # type: ignore[arg-type]
    except ValidationError as error:
        raise settings_refused(error) from None


def settings_refused(error: ValidationError) -> SettingsRefused:
    lines = (f"{'_'.join(('DONDOC', *map(str, each['loc']))).upper()}: {each['msg']}" for each in error.errors())
    return SettingsRefused("\n".join(lines))


def settings_environment(settings: Settings) -> dict[str, str]:
    """The variables by which a process in any other folder reads the same settings: those of ``.env`` and of the
    environment, with paths made absolute."""
    given = {**DotEnvSettingsSource(Settings).env_vars, **os.environ}
    ours = {name.upper(): value for name, value in given.items() if value is not None}
    paths = {name: value for name in Settings.model_fields if isinstance(value := getattr(settings, name), Path)}
    return {
        **{name: value for name, value in ours.items() if name.startswith("DONDOC_")},
        **{f"DONDOC_{name.upper()}": str(path.resolve()) for name, path in paths.items()},
    }
