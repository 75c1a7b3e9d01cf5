"""Which addresses the server may call on an administrator's word: never its own machine or the network behind it.

Whoever may enter an address could otherwise read what only this server reaches (SSRF): databases, the metadata service
of a cloud, printers. The name is checked when it is entered, the resolved address again at every call. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from urllib.parse import urlsplit

from engine.errors import FieldsRefused
from engine.text import Text

MAX_URL_CHARS = 500
PORTS = {"https": 443, "http": 80}
_VISIBLE_ASCII = re.compile("[!-\x7f]+")
NAT64 = (ip_network("64:ff9b::/96"), ip_network("64:ff9b:1::/48"))
NOT_GLOBAL = tuple(
    ip_network(each)
    for each in ("192.0.0.0/24", "192.88.99.0/24", "100::/64", "2001::/23", "3fff::/20", "5f00::/16", "fec0::/10")
)
"""Special-purpose addresses (IANA's registries, RFC 6890) that ``is_global`` of Python 3.11 lets pass: protocol
assignments, the former 6to4 relay, discard-only, documentation, segment routing, the former site-local ones."""
OF_THE_CLOUD = frozenset({IPv4Address("168.63.129.16")})
"""Global by its number, and answered by the host of a machine in Azure: its certificates and metadata."""
NEVER_PORTS = frozenset({22, 23, 25, 465, 587})
"""What listens there is no receiver: SSH, Telnet, mail."""
Address = IPv4Address | IPv6Address


@dataclass(frozen=True)
class Allowed:
    """Hosts and networks of the office that may be called although they are private, and by http. Loopback may be named
    (a receiver on this machine); link-local and multicast addresses are refused whatever is named."""

    names: frozenset[str] = frozenset()
    networks: tuple[str, ...] = ()

    @classmethod
    def of(cls, setting: str) -> Allowed:
        """From a setting: «esb.tinh.example, 10.20.0.0/16». Raises ValueError for a network that is not one."""
        names, networks = set(), []
        for each in (part.strip().lower() for part in setting.split(",")):
            if each and ("/" in each or _literal(each) is not None):
                networks.append(str(ip_network(each, strict=False)))
            elif each:
                names.add(each)
        return cls(frozenset(names), tuple(networks))

    def named(self, host: str) -> bool:
        address = _literal(host)
        return host.lower() in self.names or (address is not None and self._within(address))

    def takes(self, host: str, address: Address) -> bool:
        """Whether a call of ``host`` may go to the address that it resolves to."""
        inner = embedded(address)
        both = {address, inner}
        if both & OF_THE_CLOUD or any(each.is_link_local or each.is_multicast or each.is_unspecified for each in both):
            return False
        if host.lower() in self.names or self._within(inner):
            return True
        if any(each in network for each in (address, inner) for network in NOT_GLOBAL):
            return False
        return address.is_global and inner.is_global and not inner.is_reserved

    def _within(self, address: Address) -> bool:
        return any(address in ip_network(each) for each in self.networks)


def embedded(address: Address) -> Address:
    """The IPv4 address inside an IPv6 one (mapped, 6to4, Teredo, NAT64); else the address itself."""
    if isinstance(address, IPv4Address):
        return address
    inner = address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None)
    if inner is None and any(address in network for network in NAT64):
        inner = IPv4Address(int(address) & 0xFFFFFFFF)
    return inner or address


def _literal(host: str) -> Address | None:
    try:
        return ip_address(host.strip("[]"))
    except ValueError:
        return None


@dataclass(frozen=True, slots=True)
class Target:
    """A URL taken apart. ``host`` in ASCII, without brackets."""

    url: str
    scheme: str
    host: str
    port: int
    path: str

    @property
    def authority(self) -> str:
        """The ``Host`` header."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == PORTS[self.scheme] else f"{host}:{self.port}"


def read_target(url: str, allowed: Allowed) -> Target:
    """Check an address as it is entered. Raises FieldsRefused for the field ``url``."""
    malformed = _refused("Viết như https://may-chu/duong-dan.", "Write it like https://host/path.")
    try:
        parts = urlsplit(url)
        usual_port = PORTS[parts.scheme]
        port = parts.port or usual_port
        host = (parts.hostname or "").encode("idna").decode()
    except (KeyError, ValueError):
        raise malformed from None
    if not host or not _VISIBLE_ASCII.fullmatch(url):
        raise malformed
    if port in NEVER_PORTS:
        raise _refused(f"Cổng {port} không dùng cho nơi nhận webhook.", f"Port {port} is not one of a receiver.")
    if "@" in parts.netloc or parts.fragment:
        raise _refused(
            "Không ghi tên đăng nhập, mật khẩu hoặc dấu # trong địa chỉ; nơi nhận kiểm tra bằng chữ ký.",
            "No user name, password or # in the address; the receiver checks the signature.",
        )
    if len(url) > MAX_URL_CHARS:
        raise _refused(f"Địa chỉ dài quá {MAX_URL_CHARS} ký tự.", f"The address is over {MAX_URL_CHARS} characters.")
    if parts.scheme == "http" and not allowed.named(host):
        raise _refused(
            "Phải là https://; http:// chỉ dùng cho máy có trong DONDOC_WEBHOOK_HOSTS.",
            "It must be https://; http:// is for hosts in DONDOC_WEBHOOK_HOSTS alone.",
        )
    if not _may_be_called(host, allowed):
        raise _refused(
            "Địa chỉ này ở ngay máy chủ hoặc trong mạng nội bộ; nếu đúng là máy của cơ quan, thêm nó vào "
            "DONDOC_WEBHOOK_HOSTS.",
            "This address is this machine or the network behind it; if it is the office's own, add it to "
            "DONDOC_WEBHOOK_HOSTS.",
        )
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(url, parts.scheme, host, port, path)


def _may_be_called(host: str, allowed: Allowed) -> bool:
    """As far as the name itself says; what it resolves to is checked at every call."""
    address = _literal(host)
    if address is not None:
        return allowed.takes(host, address)
    return host.lower().rstrip(".") != "localhost" or allowed.named(host)


def choose(target: Target, allowed: Allowed, resolved: Iterable[str]) -> Address | None:
    """The address to connect to; None unless every resolved one may be called, so that a name with a public and a
    private address is refused whichever comes first."""
    addresses = [ip_address(each.partition("%")[0]) for each in resolved]
    if not addresses or not all(allowed.takes(target.host, each) for each in addresses):
        return None
    return addresses[0]


def _refused(vi: str, en: str) -> FieldsRefused:
    return FieldsRefused({"url": Text(vi, en)})
