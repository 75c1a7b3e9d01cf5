"""Tests speak to this machine alone: any other address is refused before a packet leaves.

An audit hook sees every ``connect``, ``sendto`` and name look-up that Python makes in this process, whatever library
asks; nothing is patched. Names that can never exist (RFC 2606, RFC 6761) get the resolver's own answer, without asking.
"""

from __future__ import annotations

import socket
import sys

NEVER = (".example", ".invalid", ".test", ".example.com", ".example.org", ".example.net")


class OutsideWorld(RuntimeError):
    """A test reached for an address that is not this machine's."""


def refuse_the_outside() -> None:
    """From now on, for this whole process."""
    sys.addaudithook(_look)


def _look(what: str, arguments: tuple[object, ...]) -> None:
    if what in ("socket.connect", "socket.sendto"):
        address = arguments[1]
        if isinstance(address, tuple) and not _here(address[0]):
            raise OutsideWorld(f"{what} to {address}: tests speak to 127.0.0.1 and ::1 alone.")
    elif what in ("socket.getaddrinfo", "socket.gethostbyname"):
        name = _text(arguments[0])
        if f".{name.rstrip('.')}".endswith(NEVER):
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        if not _here(name):
            raise OutsideWorld(f"{what} of {name!r}: tests look up no names of the outside.")


def _here(host: object) -> bool:
    name = _text(host)
    local = ("", "localhost", "::1", "0.0.0.0", "::", socket.gethostname())
    return name in local or name.startswith(("127.", "::ffff:127.")) or name.endswith(".localhost")


def _text(host: object) -> str:
    if host is None:
        return ""
    return host.decode("ascii", "replace") if isinstance(host, bytes | bytearray) else str(host)
