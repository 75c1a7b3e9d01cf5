"""Block network access of tests to addresses outside this machine.

An audit hook sees every ``connect``, ``sendto`` and name lookup of Python in this process, from any library; nothing is
patched. Reserved names (RFC 2606, RFC 6761) fail as in a real resolver, without a query.
"""

from __future__ import annotations

import socket
import sys

RESERVED_DOMAINS = (".example", ".invalid", ".test", ".example.com", ".example.org", ".example.net")


class OutsideWorld(RuntimeError):
    """A test tried to access an address outside this machine."""


def refuse_the_outside() -> None:
    """Install the audit hook for the rest of this process."""
    sys.addaudithook(_audit_hook)


def _audit_hook(what: str, arguments: tuple[object, ...]) -> None:
    if what in ("socket.connect", "socket.sendto"):
        address = arguments[1]
        if isinstance(address, tuple) and not _is_local(address[0]):
            raise OutsideWorld(f"{what} to {address}: tests speak to 127.0.0.1 and ::1 alone.")
    elif what in ("socket.getaddrinfo", "socket.gethostbyname"):
        name = _text(arguments[0])
        if f".{name.rstrip('.')}".endswith(RESERVED_DOMAINS):
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        if not _is_local(name):
            raise OutsideWorld(f"{what} of {name!r}: tests look up no names of the outside.")


def _is_local(host: object) -> bool:
    name = _text(host)
    local = ("", "localhost", "::1", "0.0.0.0", "::", socket.gethostname())
    return name in local or name.startswith(("127.", "::ffff:127.")) or name.endswith(".localhost")


def _text(host: object) -> str:
    if host is None:
        return ""
    return host.decode("ascii", "replace") if isinstance(host, bytes | bytearray) else str(host)
