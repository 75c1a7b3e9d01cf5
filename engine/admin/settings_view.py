"""The settings for display: each with its value, source and purpose.

Pure. Secrets are never shown, not even in part or by length; URLs that may contain a secret are hidden.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import SecretStr
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from config.settings import Settings, SettingSource, setting_sources

HIDDEN = frozenset({"sms_url", "sms_username", "heartbeat_url"})
"""Not secrets by type, but gateways and monitors put keys into them."""
URLS = frozenset({"database_url", "prefect_api_url", "prefect_alarm_url", "base_url", "oidc_issuer"})
"""Shown without user, password and parameters."""

MASK = "**********"
GROUPS: Mapping[str, tuple[str, str]] = {
    "": ("Máy chủ và dữ liệu", "Server and data"),
    "signin": ("Đăng nhập chung", "Single sign-on"),
    "mail": ("Thư điện tử gửi đi", "Outgoing mail"),
    "imap": ("Thư trả lời", "Incoming mail"),
    "sms": ("Tin nhắn", "SMS"),
    "passes": ("Chu kỳ xử lý và lưu giữ", "Schedule and retention"),
    "watch": ("Theo dõi vận hành", "Operation"),
}
# Field -> (group, purpose in Vietnamese). The English purpose is the field's description.
PURPOSES: Mapping[str, tuple[str, str]] = {
    "data_dir": ("", "nơi để cơ sở dữ liệu, hộp thư Maildir, tệp kèm theo và khóa ký"),
    "database_url": ("", "để trống: SQLite trong data_dir; hoặc địa chỉ PostgreSQL"),
    "base_url": ("", "địa chỉ mà liên kết trong thư bắt đầu bằng"),
    "host": ("", "địa chỉ mạng mà máy chủ nghe"),
    "port": ("", "cổng mà máy chủ nghe"),
    "trusted_proxies": ("", "máy chủ trung gian (địa chỉ hoặc mạng) được tin X-Forwarded-For"),
    "oidc_issuer": ("signin", "đăng nhập chung: địa chỉ nơi cấp (OpenID Connect); để trống: không dùng"),
    "oidc_client_id": ("signin", "mã của cơ quan này tại hệ thống đăng nhập chung"),
    "oidc_client_secret": ("signin", "khóa bí mật của mã ấy; để trống: không có"),
    "oidc_name": ("signin", "tên hệ thống đăng nhập chung trên nút bấm"),
    "oidc_domains": ("signin", "tên miền thư được tin khi hệ thống đăng nhập chung không ghi email_verified"),
    "oidc_role_claim": ("signin", "thông tin của đăng nhập chung phải ghi vai trò của tài khoản; để trống: không xét"),
    "hsts_subdomains": ("", "trình duyệt dùng https cho cả mọi tên miền con (HSTS)"),
    "secret": ("", "khóa ký liên kết; để trống: tự tạo một lần, giữ trong data_dir/secret"),
    "second_factor_roles": ("signin", "vai trò phải có lớp xác thực thứ hai: administrator, monitor …"),
    "language": ("", "ngôn ngữ ban đầu của các trang"),
    "demo": ("", "bản trình diễn: đồng hồ đứng yên, không gì gửi ra ngoài"),
    "mail_from": ("mail", "hộp thư gửi đi"),
    "mail_from_name": ("mail", "tên người gửi"),
    "smtp_host": ("mail", "máy chủ gửi thư; để trống: thư nằm trong Maildir, không rời máy này"),
    "smtp_port": ("mail", "587 với starttls, 465 với tls, 25 với none"),
    "smtp_security": ("mail", "cách mã hóa; không bao giờ lặng lẽ hạ xuống"),
    "smtp_username": ("mail", "tên đăng nhập; để trống: không đăng nhập"),
    "smtp_password": ("mail", "mật khẩu của smtp_username"),
    "smtp_ca_file": ("mail", "chứng thư của tổ chức cấp chứng thư riêng"),
    "smtp_connections": ("mail", "số kết nối giữ mở tới máy chủ gửi thư"),
    "smtp_messages_per_connection": ("mail", "số thư một kết nối; 0: không giới hạn"),
    "smtp_per_minute": ("mail", "số thư một phút; 0: không giới hạn"),
    "smtp_timeout": ("mail", "số giây chờ máy chủ gửi thư trả lời"),
    "reply_to": ("mail", "hộp thư nhận trả lời; để trống: mail_from"),
    "reply_domain": (
        "mail",
        "tên miền của địa chỉ trả lời reply+…@ riêng từng thư; để trống: phải trích thư",
    ),
    "bounce_domain": ("mail", "tên miền nhận thư bị trả về; để trống: mail_from, thư bị trả về chỉ được báo lại"),
    "imap_host": ("imap", "máy chủ lấy thư trả lời và thư bị trả về; để trống: không lấy"),
    "imap_port": ("imap", "993 với tls, 143 với starttls"),
    "imap_security": ("imap", "cách mã hóa; none: chỉ trên chính máy này"),
    "imap_username": ("imap", "tài khoản của hộp thư"),
    "imap_password": ("imap", "mật khẩu của imap_username"),
    "imap_folder": ("imap", "thư mục được đọc"),
    "imap_authserv_id": (
        "imap",
        "máy chủ mà Authentication-Results phải đạt thì mới xử lý thư; để trống: qua thư chỉ tự ghi nhận việc xác nhận",
    ),
    "imap_ca_file": ("imap", "chứng thư của tổ chức cấp chứng thư riêng"),
    "receive_seconds": ("imap", "bao nhiêu giây lấy thư một lần"),
    "sms_gateway": ("sms", "cổng gửi tin nhắn; để trống: không gửi tin nhắn"),
    "sms_url": ("sms", "kannel: địa chỉ sendsms"),
    "sms_username": ("sms", "kannel: tên đăng nhập; esms: ApiKey"),
    "sms_password": ("sms", "kannel: mật khẩu; esms: SecretKey; speedsms: token"),
    "sms_sender": ("sms", "tên thương hiệu (nhiều nhất 11 chữ) hoặc số gửi"),
    "sms_part_price": ("sms", "giá một phần tin nhắn, đồng, để ước tính; 0: chưa biết"),
    "sms_marks": ("sms", "giữ dấu tiếng Việt: 70 ký tự một phần thay vì 160"),
    "sms_gammu_dir": ("sms", "các thư mục của gammu-smsd: outbox, sent, error, inbox"),
    "sms_answers": ("sms", "nhận tin trả lời (kannel, gammu): mỗi tin có một mã ngắn"),
    "sms_production": ("sms", "gửi thật; nếu không: esms chỉ kiểm tra, speedsms từ chối"),
    "zalo_app_id": ("sms", "ứng dụng Zalo gửi ZNS trước tin nhắn; để trống: không dùng Zalo"),
    "zalo_app_secret": ("sms", "khóa bí mật của ứng dụng Zalo"),
    "zalo_refresh_token": ("sms", "mã làm mới của OA; dùng một lần, mã sau được lưu mã hóa"),
    "zalo_oa_secret": ("sms", "khóa bí mật webhook của OA, để nhận câu trả lời qua Zalo; để trống: không nhận"),
    "zalo_templates": ("sms", "mẫu ZNS theo loại thư, dạng JSON"),
    "callback_secret": ("sms", "nằm trong địa chỉ mà cổng tin nhắn gọi về; để trống: tự suy ra"),
    "webhook_hosts": ("watch", "máy và mạng của cơ quan mà webhook được gọi dù là nội bộ, hoặc bằng http"),
    "operator_email": ("watch", "ai được báo lỗi, và nhận thư thử hằng tuần khi không lấy thư trả lời"),
    "operator_phone": ("watch", "như trên, bằng tin nhắn khi thư điện tử hỏng"),
    "metrics_token": ("watch", "khóa của /metrics; để trống: không mở"),
    "files_dir": ("", "thư mục tệp minh chứng, mọi máy chủ cùng dùng"),
    "templates_dir": ("mail", "mẫu thư riêng của cơ quan, dùng trước mẫu có sẵn"),
    "processes": ("passes", "tiến trình của serve: 1: trang và thư chung; 2: riêng; 0: tùy máy"),
    "tick_seconds": ("passes", "bao nhiêu giây xem việc đến hạn một lần"),
    "lease_seconds": ("passes", "số giây một thư thuộc về tiến trình đã nhận nó"),
    "give_up_days": ("passes", "thư không gửi được trong chừng ấy ngày thì hết hạn gửi"),
    "keep_bodies_days": ("passes", "nội dung thư được xóa sau chừng ấy ngày"),
    "link_days": ("passes", "liên kết trong thư dùng được bao nhiêu ngày"),
    "log": ("watch", "nhật ký của serve: text; hoặc json: mỗi dòng một đối tượng, có cả từng yêu cầu và mã của nó"),
    "heartbeat_url": ("watch", "được gọi sau mỗi lần tự kiểm tra sạch; để trống: không gọi"),
    "prefect": ("watch", "hiện các lần xử lý tự động trong Prefect khi máy chủ Prefect trả lời"),
    "prefect_api_url": ("watch", "để trống: serve tự mở Prefect trên máy này; hoặc địa chỉ Prefect sẵn có"),
    "prefect_auth": (
        "watch",
        "người:mật-khẩu mà Prefect hỏi; để trống: làm từ khóa bí mật (dondoc prefect key), trên máy này thì ngẫu nhiên",
    ),
    "prefect_alarm_url": ("watch", "địa chỉ mà Prefect gọi khi thiếu điều phải có; để trống: không gọi ai"),
    "prefect_runs": (
        "watch",
        "kỳ có nhiều phần việc hơn số này: Prefect hiện một lượt mỗi nhiệm vụ, không theo từng cơ quan",
    ),
    "prefect_days": ("watch", "số ngày Prefect trên máy này giữ sự kiện và lượt chạy đã xong"),
    "prefect_port": ("watch", "cổng của Prefect trên máy này"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingLine:
    """One setting. ``value`` is empty when it is not set or ``hidden``; ``is_set`` distinguishes the two."""

    name: str
    group: str
    value: str
    hidden: bool
    is_set: bool
    source: SettingSource
    vi: str
    en: str


def describe_settings(settings: Settings) -> tuple[SettingLine, ...]:
    """Every setting, by group."""
    sources = setting_sources(settings)
    lines = [_describe(settings, name, sources[name]) for name in Settings.model_fields]
    order = list(GROUPS)
    return tuple(sorted(lines, key=lambda each: order.index(each.group)))


def masked_values(settings: Settings) -> dict[str, str]:
    """Field name -> value for the command line: secrets as stars, URLs without what may be a key in them."""
    lines = {line.name.removeprefix("DONDOC_").lower(): line for line in describe_settings(settings)}
    values = {name: MASK if line.hidden and line.is_set else line.value for name, line in lines.items()}
    database = {"database_url": without_password(settings.database)}
    return {name: values[name] for name in Settings.model_fields} | database


def _describe(settings: Settings, name: str, source: SettingSource) -> SettingLine:
    value: object = getattr(settings, name)
    plain = value.get_secret_value() if isinstance(value, SecretStr) else value
    hidden = isinstance(value, SecretStr) or name in HIDDEN
    group, vi = PURPOSES[name]
    shown = "" if hidden else without_password(str(plain)) if name in URLS else _shown(plain)
    en = Settings.model_fields[name].description or ""
    return SettingLine(
        name=f"DONDOC_{name.upper()}",
        group=group,
        value=shown,
        hidden=hidden,
        is_set=plain not in ("", None),
        source=source,
        vi=vi,
        en=en,
    )


def _shown(value: object) -> str:
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
