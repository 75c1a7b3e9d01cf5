"""Every number that is a link, on pages and in letters, against the list that it opens."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain

from ground.office import Office
from lxml.html import fromstring

LISTS = re.compile(r"/(assignments|overdue|accept|extensions|leadership/frozen/[0-9]+/rows)(\?|$)")
CELL = re.compile(r"^[0-9.]+/([0-9.]+) · [0-9.]+")
NUMBER = re.compile(r"[0-9][0-9.]*")
LEAD = ".//*[@class='lead']"
COUNTED = re.compile(
    r"([0-9][0-9.]*) (?:(?:overdue )?tasks?|assignments?|reports?|requests?|rows?|việc|phần|báo cáo|đề nghị|dòng)"
)
"""What a list says of itself, in its title or below it."""
CITATION = re.compile(r"[IVX]+(\.\w+)+$")


@dataclass
class Numbers:
    """``checked``: how many numbers were followed; ``wrong``: those whose list has another number of rows."""

    office: Office
    checked: int = 0
    wrong: list[str] = field(default_factory=list)
    _known: dict[str, int] = field(default_factory=dict)

    def walk(self, where: str, html: str) -> None:
        """Follow the numbers of one page or letter."""
        for shown, address in numbers_in(html):
            self.checked += 1
            rows = self._rows(address)
            if shown != rows:
                self.wrong.append(f"{where}: {shown}, but {address} has {rows}")

    def pages(self, paths: Iterable[str]) -> None:
        for path in paths:
            answer = self.office.get(path)
            assert answer.status_code == 200, path
            self.walk(path, answer.text)

    def _rows(self, address: str) -> int:
        if address not in self._known:
            answer = self.office.get(address)
            assert answer.status_code == 200, address
            page = fromstring(answer.text)
            said = (("".join(each.itertext()) for each in page.iterfind(path)) for path in (".//h1", LEAD))
            found = next((match for each in chain(*said) if (match := COUNTED.search(each))), None)
            self._known[address] = _integer(found[1]) if found else 0
        return self._known[address]


def numbers_in(html: str) -> Iterator[tuple[int, str]]:
    """(number, address of its list); of a cell «đã báo cáo / phải báo cáo · hoàn thành» the second is what it opens."""
    for link in fromstring(html).iterfind(".//a[@href]"):
        address = re.sub(r"^https?://[^/]+", "", link.get("href", ""))
        text = " ".join(" ".join(link.itertext()).split())
        cell, number = CELL.match(text), NUMBER.search(text)
        calls = "gọi điện" in text or "to telephone" in text  # agencies, of a list of tasks
        if LISTS.match(address) and number is not None and not CITATION.match(text) and not calls:
            yield _integer(cell[1] if cell else number[0]), address


def _integer(text: str) -> int:
    return int(text.replace(".", ""))
