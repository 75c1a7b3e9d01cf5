"""All settings in one frozen object, created once in the composition root. Nothing else reads the environment.

Each field is set by ``DONDOC_<NAME>`` in the environment or in the file ``.env``. What is said of it anywhere is said
here (``config.about``); a value that no office, host or mail administrator has to choose is a constant where it is
used.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterable, Mapping
from datetime import timedelta
from enum import StrEnum
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self, get_args
from urllib.parse import quote, urlsplit

from pydantic import (
    BeforeValidator,
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
from config.about import (
    REMOVED,
    About,
    at_sign_in,
    by_phone,
    in_operation,
    of_gateway,
    of_mail,
    of_mailbox,
    of_relay,
    on_server,
)

SmsGateway = Literal["", "kannel", "gammu", "esms", "speedsms"]
SMS_GATEWAYS: tuple[SmsGateway, ...] = get_args(SmsGateway)
IMAPS_PORT = 993
NO_SECRET = SecretStr("")
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
KEPT_RUN = "phần việc"
"""The tag of the runs that Prefect shows of assignments; no run that a worker does has it."""
TEN_YEARS_SECONDS = 10 * 365 * 24 * 3600


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

    demo: ClassVar[bool] = False
    """The clock is advanced by buttons, and nothing is sent to the outside (``DemoSettings``)."""
    model_config = SettingsConfigDict(env_prefix="DONDOC_", env_file=".env", frozen=True, extra="ignore")

    _entered: frozenset[str] = PrivateAttr(default=frozenset())

    data_dir: Path = on_server(
        "nơi để cơ sở dữ liệu, hộp thư Maildir, tệp kèm theo và khóa ký",
        "folder of the database, the Maildir, files and the secret",
        default=Path("var"),
    )
    database_url: str = on_server(
        "để trống: SQLite trong data_dir; hoặc địa chỉ PostgreSQL",
        "empty: SQLite in data_dir; or postgresql://user:password@host/name",
        url=True,
        example="postgresql://dondoc:MAT-KHAU@db.tinh.example/dondoc",
    )
    base_url: str = on_server(
        "địa chỉ mà liên kết trong thư bắt đầu bằng",
        "URL that people open; begins links in letters; other host names are refused; follows the port",
        default="http://127.0.0.1:8188",
        page="address",
        url=True,
    )
    host: str = on_server("địa chỉ mạng mà máy chủ nghe", "address to listen on", default="127.0.0.1")
    port: int = on_server("cổng mà máy chủ nghe", "port to listen on", default=8188, ge=0, le=65535)
    trusted_proxies: str = on_server(
        "máy chủ trung gian (địa chỉ hoặc mạng) được tin X-Forwarded-For",
        "proxies (addresses or networks, comma-separated) whose X-Forwarded-For is trusted",
        default="127.0.0.1,::1",
    )
    secret: SecretStr = on_server(
        "khóa ký liên kết; để trống: tự tạo một lần, giữ trong data_dir/secret",
        "signs links; empty: generated once and stored in data_dir/secret",
        default=NO_SECRET,
    )
    files_dir: Path | None = on_server(
        "thư mục tệp minh chứng, mọi máy chủ cùng dùng",
        "folder of evidence files, shared by all servers and workers; empty: files in data_dir",
        default=None,
    )

    clamd: str = on_server(
        "máy quét mã độc ClamAV của cơ quan: máy:cổng hoặc đường dẫn ổ cắm; tệp minh chứng được quét trước khi tải "
        "xuống; để trống: không quét",
        "the office's ClamAV (clamd): host:port or the path of its socket; evidence is scanned before it is "
        "downloaded; empty: it is not",
        example="127.0.0.1:3310",
    )
    second_factor_roles: str = at_sign_in(
        "vai trò phải có lớp xác thực thứ hai: administrator, monitor …",
        "roles that must have a second factor, comma-separated: administrator, monitor …",
    )
    session_idle_hours: int = at_sign_in(
        "số giờ không thao tác thì phải đăng nhập lại, nhiều nhất 12; máy dùng chung ở bộ phận một cửa nên ngắn hơn",
        "hours without an action after which one signs in again, 12 at most; fewer where desks share a computer",
        default=12,
        ge=1,
        le=12,
    )
    session_days: int = at_sign_in(
        "số ngày một lần đăng nhập có hiệu lực dù vẫn dùng, nhiều nhất 14; ngắn hơn nếu quy chế của cơ quan yêu cầu",
        "days that one sign-in lasts however it is used, 14 at most; fewer where the office's rules ask for it",
        default=14,
        ge=1,
        le=14,
    )
    second_administrator: bool = at_sign_in(
        "tài khoản quản trị mới hoặc đã khóa chỉ dùng được khi một quản trị viên khác mở",
        "a new or closed administrator's account works once another administrator has let it in",
        default=False,
    )
    oidc_issuer: str = at_sign_in(
        "đăng nhập chung: địa chỉ nơi cấp (OpenID Connect); để trống: không dùng",
        "OpenID Connect: issuer or discovery URL; empty: no single sign-on",
        url=True,
        example="https://sso.tinh.example/realms/can-bo",
    )
    oidc_client_id: str = at_sign_in(
        "mã của cơ quan này tại hệ thống đăng nhập chung", "client id at the single sign-on", validate_default=True
    )
    oidc_client_secret: SecretStr = at_sign_in(
        "khóa bí mật của mã ấy; để trống: không có",
        "client secret at the single sign-on; empty: a public client",
        default=NO_SECRET,
    )
    oidc_domains: str = at_sign_in(
        "tên miền thư được tin khi hệ thống đăng nhập chung không ghi email_verified",
        "mail domains trusted where the single sign-on says nothing of email_verified, comma-separated",
    )

    smtp_host: str = of_relay(
        "máy chủ gửi thư; để trống: thư nằm trong Maildir, không rời máy này",
        "mail relay; empty: letters are only written to the Maildir in data_dir",
    )
    smtp_port: int = of_relay(
        "587 với starttls, 465 với tls, 25 với none",
        "587 with starttls, 465 with tls, 25 with none",
        default=587,
        ge=1,
        le=65535,
    )
    smtp_security: Literal["starttls", "tls", "none"] = of_relay(
        "cách mã hóa; không bao giờ lặng lẽ hạ xuống",
        "required encryption: starttls, tls or none; never downgraded",
        default="starttls",
    )
    smtp_username: str = of_relay("tên đăng nhập; để trống: không đăng nhập", "empty: no authentication")
    smtp_password: SecretStr = of_relay(
        "mật khẩu của smtp_username", "the password of smtp_username", default=NO_SECRET
    )
    mail_from: str = of_mail("hộp thư gửi đi", "sender's mailbox", default="dondoc@localhost.example", page="mail")
    mail_from_name: str = of_mail("tên người gửi", "sender's name", default="Theo dõi nhiệm vụ", page="mail")
    smtp_ca_file: Path | None = of_mail(
        "chứng thư của tổ chức cấp chứng thư riêng, cho máy chủ gửi và hộp thư trả lời",
        "a private authority's certificate, for the relay and the mailbox",
        default=None,
    )
    smtp_per_minute: int = of_mail(
        "số thư một phút; 0: không giới hạn", "letters a minute; 0: no limit", default=0, ge=0
    )
    reply_to: str = of_mail(
        "hộp thư nhận trả lời; để trống: mail_from", "mailbox for replies to letters; empty: mail_from"
    )
    reply_domain: str = of_mail(
        "tên miền của địa chỉ reply+…@ và bounce+…@ riêng từng thư; để trống: trả lời phải trích thư, thư bị trả "
        "về chỉ được báo lại",
        "domain of each letter's addresses reply+…@ and bounce+…@; empty: replies must quote the letter, and "
        "bounces are only told",
        example="so.example",
    )

    imap_host: str = of_mailbox(
        "máy chủ IMAP lấy thư trả lời và thư bị trả về, có thể kèm cổng: 993 (TLS) nếu không ghi, 143 dùng "
        "STARTTLS; để trống: không lấy",
        "IMAP server of replies and bounces, with a port if it is not 993 (TLS); 143 uses STARTTLS; empty: not fetched",
    )
    imap_username: str = of_mailbox("tài khoản của hộp thư", "account of the mailbox")
    imap_password: SecretStr = of_mailbox(
        "mật khẩu của imap_username", "the password of imap_username", default=NO_SECRET
    )
    imap_authserv_id: str = of_mailbox(
        "máy chủ mà Authentication-Results phải đạt thì mới xử lý thư; để trống: qua thư chỉ tự ghi nhận việc xác nhận",
        "server whose Authentication-Results must pass; empty: by mail only acknowledgements act",
        example="mail.so.example",
    )

    sms_gateway: Annotated[SmsGateway, BeforeValidator(_refuse_apprise)] = of_gateway(
        "cổng gửi tin nhắn; để trống: không gửi tin nhắn", "gateway that sends SMS; empty: no SMS"
    )
    sms_url: str = of_gateway(
        "kannel: địa chỉ sendsms", "kannel: sendsms URL", hidden=True, example="http://127.0.0.1:13013/cgi-bin/sendsms"
    )
    sms_username: str = of_gateway(
        "kannel: tên đăng nhập; esms: ApiKey", "kannel: user name; esms: ApiKey", hidden=True
    )
    sms_password: SecretStr = of_gateway(
        "kannel: mật khẩu; esms: SecretKey; speedsms: token",
        "kannel: password; esms: SecretKey; speedsms: token",
        default=NO_SECRET,
    )
    sms_sender: str = by_phone(
        "tên thương hiệu (nhiều nhất 11 chữ) hoặc số gửi",
        "sender: brand name (at most 11 letters) or number",
        default="DONDOC",
        page="sms",
    )
    sms_gammu_dir: Path | None = by_phone(
        "các thư mục của gammu-smsd: outbox, sent, error, inbox",
        "folder with gammu-smsd's outbox, sent, error and inbox",
        default=None,
        example="/var/spool/gammu",
    )
    sms_answers: bool = by_phone(
        "nhận tin trả lời (kannel, gammu): mỗi tin có một mã ngắn",
        "replies by SMS are received (kannel, gammu): put a short code into SMS",
        default=False,
        page="sms",
    )
    sms_production: bool = by_phone(
        "gửi thật; nếu không: esms chỉ kiểm tra, speedsms từ chối",
        "really send SMS; else esms only checks, speedsms refuses",
        default=False,
        page="sms",
    )
    zalo_app_id: str = by_phone(
        "ứng dụng Zalo gửi ZNS trước tin nhắn; để trống: không dùng Zalo",
        "Zalo application that sends ZNS before SMS; empty: no Zalo",
    )
    zalo_app_secret: SecretStr = by_phone(
        "khóa bí mật của ứng dụng Zalo", "the application's secret key", default=NO_SECRET
    )
    zalo_refresh_token: SecretStr = by_phone(
        "mã làm mới của OA; dùng một lần, mã sau được lưu mã hóa",
        "refresh token of the Official Account; used once, what follows is stored sealed",
        default=NO_SECRET,
    )
    zalo_templates: str = by_phone(
        "mẫu ZNS theo loại thư, dạng JSON",
        "ZNS templates by kind of letter, as JSON",
        example='{"*": {"id": "230001", "parameters": {"han": "due"}}}',
    )
    zalo_oa_secret: SecretStr = by_phone(
        "khóa bí mật webhook của OA, để nhận câu trả lời qua Zalo; để trống: không nhận",
        "secret key of the OA's webhook, by which answers by Zalo are received; empty: none are",
        default=NO_SECRET,
    )

    keep_bodies_days: int = in_operation(
        "nội dung thư được xóa sau chừng ấy ngày",
        "days after which the texts of letters are deleted",
        default=400,
        ge=1,
    )
    webhook_hosts: str = in_operation(
        "máy và mạng của cơ quan mà webhook được gọi dù là nội bộ, hoặc bằng http",
        "hosts and networks of the office that webhooks may call although they are private, or by http",
        example="esb.tinh.example,10.20.0.0/16",
    )
    operator_email: str = in_operation(
        "ai được báo lỗi, và nhận thư thử hằng tuần khi không lấy thư trả lời",
        "mailbox for alarms, and for the weekly test letter where replies are not fetched",
    )
    operator_phone: str = in_operation(
        "như trên, bằng tin nhắn khi thư điện tử hỏng", "phone number for alarms by SMS when e-mail is down"
    )
    metrics_token: SecretStr = in_operation(
        "khóa của /metrics; để trống: không mở",
        "bearer token of /metrics; empty: /metrics is off (in the demonstration: for this machine)",
        default=NO_SECRET,
    )
    log: Literal["text", "json"] = in_operation(
        "nhật ký của serve: text; hoặc json: mỗi dòng một đối tượng, có cả từng yêu cầu và mã của nó",
        "log of serve: text, or json: one object a line, requests too, with their ids",
        default="text",
    )
    heartbeat_url: str = in_operation(
        "được gọi sau mỗi lần tự kiểm tra sạch; để trống: không gọi",
        "URL pinged after every clean audit; empty: none",
        hidden=True,
    )
    prefect: bool = in_operation(
        "hiện các lần xử lý tự động trong Prefect khi máy chủ Prefect trả lời",
        "show passes as Prefect flow runs when its server answers",
        default=True,
    )
    prefect_api_url: str = in_operation(
        "để trống: serve tự mở Prefect trên máy này; hoặc địa chỉ Prefect sẵn có",
        "URL of a Prefect API; empty: `serve` starts a local server",
        url=True,
        example="http://prefect.tinh.example:4200/api",
    )

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

    @field_validator("imap_host")
    @classmethod
    def _host_and_port(cls, value: str) -> str:
        try:
            named = not value or bool(urlsplit(f"//{value}").hostname and urlsplit(f"//{value}").port != 0)
        except ValueError:
            named = False
        if not named:
            raise ValueError("viết như imap.tinh.example hoặc imap.tinh.example:143 / like imap.tinh.example:143")
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
        """Unless it is set, ``base_url`` follows host and port."""
        if "base_url" not in self.model_fields_set and self.port:
            host = self.host if self.host in LOOPBACK else "127.0.0.1"
            object.__setattr__(self, "base_url", f"http://{host}:{self.port}")
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
    def mailbox_server(self) -> tuple[str, int]:
        """Host and port of ``imap_host``."""
        parts = urlsplit(f"//{self.imap_host}")
        return parts.hostname or "", parts.port or IMAPS_PORT

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
        """Whether serve sends letters in a process beside that of the pages: where there are two processors (decision
        0023)."""
        usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        return not self.demo and usable > 1

    @property
    def session_ends(self) -> tuple[timedelta, timedelta]:
        """After so long without an action, and after so long in any case."""
        return timedelta(hours=self.session_idle_hours), timedelta(days=self.session_days)

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
    def prefect_port(self) -> int:
        """Of the Prefect server beside ``serve``: 4188 beside 8188. Two installations of one machine have two."""
        return self.port - 4000 if self.port > 5023 else self.port + 4000

    @property
    def prefect_home(self) -> Path:
        return self.data_dir / "prefect"

    @property
    def prefect_key(self) -> Path:
        """What the Prefect server beside ``serve`` asks for: another string at each start."""
        return self.prefect_home / "key"

    @property
    def prefect_pages(self) -> str:
        """Where Prefect's pages are, without a password."""
        if not self.prefect_api_url:
            return f"http://127.0.0.1:{self.prefect_port}"
        parts = urlsplit(self.prefect_api_url)
        return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"

    @property
    def prefect_overdue(self) -> str:
        """The page of Prefect that lists the runs of what is overdue, however long it has been."""
        return f"{self.prefect_pages}/runs?type=span&seconds={-TEN_YEARS_SECONDS}&state=Late&tag={quote(KEPT_RUN)}"

    @property
    def prefect_key_command(self) -> str:
        """Prints what Prefect's pages ask for."""
        return "dondoc prefect key" if self.prefect_api_url else f"cat {self.prefect_key.resolve()}"

    @property
    def templates(self) -> Path:
        """The folder of customised letters, which override the shipped ones."""
        return self.data_dir / "templates"

    def signing_key(self) -> str:
        """The secret, created on first use. The file is created atomically, readable only by its owner."""
        if self.secret.get_secret_value():
            return self.secret.get_secret_value()
        path = self.data_dir / "secret"
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            temporary = path.with_name(f"secret.{secrets.token_hex(4)}")
            temporary.touch(mode=0o600)
            temporary.write_text(new_secret())
            try:
                path.hardlink_to(temporary)
            except FileExistsError:
                pass  # another process created it first: use that one
            finally:
                temporary.unlink()
        return path.read_text().strip()


def new_secret() -> str:
    return secrets.token_urlsafe(48)


class DemoSettings(Settings):
    """Of ``dondoc demo``. It pings nobody and signs with a key of its own, whatever the environment says."""

    demo: ClassVar[bool] = True

    @model_validator(mode="after")
    def _keep_apart(self) -> Self:
        object.__setattr__(self, "heartbeat_url", "")
        object.__setattr__(self, "secret", SecretStr(""))
        return self


ABOUT: Mapping[str, About] = {
    name: next(each for each in field.metadata if isinstance(each, About))
    for name, field in Settings.model_fields.items()
}
HIDDEN = frozenset(
    name for name, field in Settings.model_fields.items() if field.annotation is SecretStr or ABOUT[name].hidden
)
"""Settings whose value is never shown."""
ENTERED: Mapping[str, tuple[str, ...]] = {
    page: tuple(name for name, about in ABOUT.items() if about.page == page) for page in ("mail", "sms", "address")
}
"""Settings that an administrator may enter on a page, by page; where the environment gives them, it wins."""
CREDENTIALS: Mapping[str, tuple[str, ...]] = {
    name: tuple(other for other in names if ABOUT[other].server)
    for names in ENTERED.values()
    for name in names
    if name in HIDDEN
}
"""Credential -> the settings that say where it is sent. Where the environment gives the credential, a page changes none
of them: it would be sent to whatever host is entered there."""


class SettingSource(StrEnum):
    """The source of a setting's value, in order of precedence."""

    STARTED = "started"
    """Given on the command line."""
    ENVIRONMENT = "environment"
    FILE = "file"
    PAGE = "page"
    """Entered by an administrator."""
    DEFAULT = "default"


def _given() -> tuple[set[str], set[str]]:
    """The names of the variables of the environment and of ``.env``."""
    return {name.upper() for name in os.environ}, {name.upper() for name in DotEnvSettingsSource(Settings).env_vars}


def still_set(entered: Iterable[str]) -> tuple[str, ...]:
    """The settings of earlier versions that environment or ``.env`` still name, or that were ``entered`` on a page."""
    environment, from_file = _given()
    names = environment | from_file | {f"DONDOC_{name.upper()}" for name in entered}
    return tuple(name for name in REMOVED if f"DONDOC_{name.upper()}" in names)


def setting_sources(settings: Settings) -> Mapping[str, SettingSource]:
    """Field name -> source of its value, determined from the current environment and ``.env``."""
    environment, from_file = _given()

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


def read_settings(kind: type[Settings] = Settings, **overrides: object) -> Settings:
    """Read the settings from the environment and ``.env``. Raises SettingsRefused, which lists all errors."""
    try:
        return kind(**overrides)  # type: ignore[arg-type]
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
