"""Pages kept as they were sent, for the reader who asked for them.

A page is kept by its address and all cookies, so with its reader's rights, language and form token. It is given again
until a topic that it is made of has another version, and for a minute at most, since it says when it was made.

What a reader has is not sent again (RFC 9110, 13.1.2): calendars are asked for each hour, lists by other systems.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from fastapi import Response

from engine.store.data_versions import Topic, Versions

MOST_BYTES = 16 * 1024 * 1024
ENTRY_BYTES, PAGE_BYTES = 2_500, 3_300
"""What an entry costs besides its texts, and its page besides the body (headers, versions, what it is made of). Of an
entry as the process grew by it over 20,000 requests (Python 3.11, 14,205 entries); tracemalloc alone finds 500."""

Key = tuple[str, bytes, tuple[bytes, ...]]
"""Path, query, cookies."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What is stored, and the minute that pages say they are of."""

    versions: Mapping[Topic, Versions]
    at: datetime

    @property
    def minute(self) -> datetime:
        return self.at.replace(second=0, microsecond=0)


@dataclass(frozen=True, slots=True)
class KeptPage:
    """``topics``: what it is made of. ``moment``: from before it was made. ``until``: of the process's clock.
    ``ends_at``: of its reader's session. ``route``: for the log of requests."""

    topics: frozenset[Topic]
    moment: Snapshot
    until: float
    ends_at: datetime | None
    headers: Sequence[tuple[bytes, bytes]]
    body: bytes
    route: object

    def holds(self, now: Snapshot) -> bool:
        was = self.moment
        same = all(was.versions[topic] == now.versions[topic] for topic in self.topics)
        signed_in = self.ends_at is None or now.at < self.ends_at
        return same and signed_in and was.minute == now.minute and time.monotonic() < self.until


class PageStore:
    """At most ``most_bytes``; what was unused for longest goes first. An address is known from the first time that a
    page which may be kept was sent for it; the page itself is kept from the second. For the event loop alone."""

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self.most_bytes = most_bytes
        self._kept: OrderedDict[Key, KeptPage | None] = OrderedDict()
        self._size = 0

    def __contains__(self, key: Key) -> bool:
        return key in self._kept

    def find(self, key: Key, now: Snapshot) -> KeptPage | None:
        page = self._kept.get(key)
        if page is None or not page.holds(now):
            return None
        self._kept.move_to_end(key)
        return page

    def keep(self, key: Key, page: KeptPage | None) -> None:
        """None: only the address."""
        self._size -= _size(key, self._kept.pop(key)) if key in self._kept else 0
        self._kept[key] = page
        self._size += _size(key, page)
        while self._size > self.most_bytes:
            self._size -= _size(*self._kept.popitem(last=False))


def _size(key: Key, page: KeptPage | None) -> int:
    return ENTRY_BYTES + len(key[1]) + sum(map(len, key[2])) + (PAGE_BYTES + len(page.body) if page else 0)


def unless_known(asked: Mapping[str, str], response: Response) -> Response:
    """The response with an ETag of its body; 304 and no body where the request ``asked`` with that. ``asked``: its
    headers."""
    etag = f'"{sha256(response.body).hexdigest()[:32]}"'
    response.headers["etag"] = etag
    known = {each.strip().removeprefix("W/") for each in asked.get("if-none-match", "").split(",")}
    if response.status_code != 200 or not known & {etag, "*"}:
        return response
    kept = {name: value for name, value in response.headers.items() if name not in ("content-length", "content-type")}
    return Response(status_code=304, headers=kept)
