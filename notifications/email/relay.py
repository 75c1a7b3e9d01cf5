"""Settings of the mail relay: address, login, TLS, limits. Validated when constructed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from config.settings import LOOPBACK
from engine.errors import BadInput
from engine.text import Text
from notifications.email.mime import Sender

_LABEL = r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
_HOST = re.compile(rf"{_LABEL}(?:\.{_LABEL})*|[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*")


class Security(StrEnum):
    """How the connection to relay or mailbox is encrypted. The chosen level is required; there is no downgrade."""

    NONE = "none"
    STARTTLS = "starttls"
    TLS = "tls"


@dataclass(frozen=True, kw_only=True)
class Relay:
    """One relay. ``timeout``: seconds for each reply. ``connections``: kept open to it. ``per_minute``:
    letters a minute by this process; 0 means no limit. ``pause``: seconds without connection
    attempts after the relay could not be reached (ten times as long after a refused login, so that a wrong password
    does not lock the account). ``hostname``: our name in EHLO, the sender's domain if empty. With ``bounce_domain``
    and ``bounce_secret`` each letter has its own return address (see signed_addresses.py).

    Raises BadInput for invalid or contradictory settings.
    """

    host: str
    sender: Sender
    port: int = 587
    security: Security = Security.STARTTLS
    username: str = ""
    password: str = field(default="", repr=False)
    ca_file: str = ""
    verify: bool = True
    timeout: float = 30.0
    connections: int = 4
    per_minute: int = 0
    hostname: str = ""
    bounce_domain: str = ""
    bounce_secret: str = field(default="", repr=False)
    pause: float = 30.0

    def __post_init__(self) -> None:
        mistakes = list(self._mistakes())
        if mistakes:
            raise BadInput(Text.joined("\n", mistakes))

    def _mistakes(self) -> Iterator[Text]:
        hosts = [host for host in (self.host, self.hostname, self.bounce_domain) if host]
        if not self.host or not all(map(_HOST.fullmatch, hosts)):
            yield Text(
                "Tên máy chủ thư trống hoặc có ký tự lạ.",
                "A host name of the relay is empty or has invalid characters.",
            )
        if not 0 < self.port < 65536:
            yield Text(
                f"Cổng {self.port} không có thật.", f"{self.port} is not a valid port; 587, 465 and 25 are usual."
            )
        if self.timeout <= 0 or self.connections < 1 or min(self.per_minute, self.pause) < 0:
            yield Text(
                "Giới hạn không được âm.", "Limits must not be negative; time-out and connections are above zero."
            )
        if self.username and self.security is Security.NONE and self.host not in LOOPBACK:
            yield Text(
                "Mật khẩu sẽ đi qua mạng không mã hóa; hãy đặt security là starttls hoặc tls.",
                "The password would cross the network in the clear; set security to starttls or tls.",
            )
        if bool(self.bounce_domain) != bool(self.bounce_secret):
            yield Text(
                "Địa chỉ nhận thư trả lại cần cả tên miền và khóa bí mật.",
                "Return addresses need both bounce_domain and bounce_secret.",
            )
