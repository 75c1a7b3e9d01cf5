"""Settings that earlier versions had: what holds in their place. Whoever still sets one is told at the start and by
``dondoc doctor``; it has no effect."""

from __future__ import annotations

from collections.abc import Mapping

REMOVED: Mapping[str, tuple[str, str]] = {
    "smtp_connections": (
        "4 kết nối tới máy chủ gửi thư",
        "4 connections to the relay",
    ),
    "smtp_messages_per_connection": (
        "không giới hạn số thư một kết nối; tốc độ đặt ở DONDOC_SMTP_PER_MINUTE",
        "no limit of letters on a connection; DONDOC_SMTP_PER_MINUTE sets the rate",
    ),
    "smtp_timeout": (
        "chờ máy chủ gửi thư 30 giây",
        "the relay is waited for 30 seconds",
    ),
    "bounce_domain": (
        "địa chỉ trả về bounce+…@ dùng tên miền của DONDOC_REPLY_DOMAIN",
        "return addresses bounce+…@ use the domain of DONDOC_REPLY_DOMAIN",
    ),
    "imap_port": (
        "993; cổng khác ghi trong DONDOC_IMAP_HOST: may-chu:143",
        "993; another port stands in DONDOC_IMAP_HOST: host:143",
    ),
    "imap_security": (
        "cổng 143 dùng STARTTLS, cổng khác dùng TLS; trên chính máy này chỉ 993 mã hóa",
        "port 143 uses STARTTLS, every other TLS; on this machine only 993 is encrypted",
    ),
    "imap_folder": (
        "thư mục INBOX",
        "the folder INBOX",
    ),
    "imap_ca_file": (
        "DONDOC_SMTP_CA_FILE, cho cả hai máy chủ thư",
        "DONDOC_SMTP_CA_FILE, for both mail servers",
    ),
    "receive_seconds": (
        "60 giây lấy thư trả lời một lần",
        "replies are fetched every 60 seconds",
    ),
    "hsts_subdomains": (
        "HSTS chỉ áp dụng cho tên máy của base_url; cần cho cả tên miền con thì đặt ở máy chủ trung gian",
        "HSTS is for the host of base_url alone; for its subdomains set it at the proxy",
    ),
    "language": (
        "trang mở bằng tiếng Việt, mỗi tài khoản chọn ngôn ngữ của mình",
        "pages begin in Vietnamese, and every account chooses its language",
    ),
    "demo": (
        "bản trình diễn mở bằng lệnh dondoc demo",
        "the demonstration is started by dondoc demo",
    ),
    "oidc_name": (
        "nút đăng nhập ghi «hệ thống đăng nhập chung»",
        "the button says “the single sign-on”",
    ),
    "oidc_role_claim": (
        "vai trò là vai trò của tài khoản; ai thôi việc thì khóa tài khoản ở đây hoặc ở hệ thống đăng nhập chung",
        "the role is that of the account; who has left is closed here or at the single sign-on",
    ),
    "sms_part_price": (
        "số phần tin nhắn được đếm, giá thì không",
        "parts of SMS are counted, not priced",
    ),
    "sms_marks": (
        "tin nhắn không dấu, 160 ký tự một phần",
        "SMS have no diacritics: 160 characters a part",
    ),
    "callback_secret": (
        "suy ra từ khóa bí mật; nhập lại ở cổng tin nhắn các địa chỉ mà dondoc callbacks in ra",
        "derived from the secret; enter at the gateways what dondoc callbacks prints",
    ),
    "processes": (
        "máy từ hai bộ xử lý: trang và thư ở hai tiến trình",
        "with two processors or more, pages and letters are two processes",
    ),
    "tick_seconds": (
        "20 giây xem việc đến hạn một lần",
        "what is due is looked for every 20 seconds",
    ),
    "lease_seconds": (
        "300 giây",
        "300 seconds",
    ),
    "give_up_days": (
        "thư không gửi được hết hạn sau 5 ngày",
        "a letter that could not be sent expires after 5 days",
    ),
    "link_days": (
        "liên kết trong thư dùng được 45 ngày, của thư mới nhất lâu hơn",
        "a link in a letter works for 45 days, in the newest one longer",
    ),
    "templates_dir": (
        "mẫu thư riêng ở thư mục templates của DONDOC_DATA_DIR; hãy chép chúng vào đó",
        "customised letters are in the folder templates of DONDOC_DATA_DIR; copy them there",
    ),
    "prefect_auth": (
        "ghi trong DONDOC_PREFECT_API_URL: http://người:mật-khẩu@máy:4200/api",
        "it stands in DONDOC_PREFECT_API_URL: http://user:password@host:4200/api",
    ),
    "prefect_alarm_url": (
        "dondoc prefect deploy --alarm ĐỊA-CHỈ",
        "dondoc prefect deploy --alarm URL",
    ),
    "prefect_runs": (
        "kỳ trên 2.000 phần việc: Prefect hiện mỗi nhiệm vụ một lượt",
        "of more than 2,000 assignments in a period Prefect shows a run a duty",
    ),
    "prefect_days": (
        "Prefect trên máy này giữ 90 ngày",
        "the local Prefect server keeps 90 days",
    ),
    "prefect_port": (
        "cổng của Prefect trên máy này là cổng của hệ thống trừ 4000: 4188",
        "the local Prefect server's port is ours less 4000: 4188",
    ),
}
"""Name -> what holds instead, in Vietnamese and in English."""
