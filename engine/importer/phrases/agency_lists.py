"""The bodies in a cell or a labelled line, where nothing but names stands: «Sở Y tế (thường trực); Công an tỉnh»."""

from __future__ import annotations

import re
from dataclasses import replace

from engine.importer.phrases.labels import Label, label_of_line
from engine.importer.phrases.names import Name, Prose, begins_name, names_at

_PIECES = re.compile(r"\s*[;\n]\s*")
_BULLET = re.compile(r"^(?:[-–+*•]|\d{1,2}[.)]|[a-zđ]\))\s*")
_REST_OF_NAME = re.compile(r"\s+\w[^,;()\n]*")
_NOTE = re.compile(r"\s*\([^()]{0,200}\)")


def bodies_in(text: str) -> list[Name]:
    """The names in a text that holds nothing else; what is no known form of name is kept as it stands."""
    found: list[Name] = []
    for piece in _PIECES.split(text):
        rest = _BULLET.sub("", piece.strip()).strip(" .,:")
        while re.search(r"\w", rest):
            prose = Prose.of(rest)
            if begins_name(prose, 0, small=True):
                names, end = names_at(prose, 0, small=True)
                more = _REST_OF_NAME.match(rest, end)
                if more and names:  # a cell holds nothing but names: what is left goes on with the last
                    last = names.pop()
                    end = more.end()
                    names.append(replace(last, text=f"{last.text} {more.group().strip()}", end=end))
                found += names
                rest = re.sub(r"^và\s+", "", rest[end:].strip(" ,.-–/"))
            else:
                name, _, rest = rest.partition(",")
                name = _NOTE.sub("", name).strip(" .")
                if name:
                    found.append(Name(name, 0, len(name)))
                rest = rest.strip()
            if len(found) > 200:
                return found
    return found


def labelled(text: str) -> dict[Label, str]:
    """A cell that holds several facts under labels («Chủ trì: …», «Phối hợp: …»); empty if it holds none."""
    found: dict[Label, str] = {}
    last: Label | None = None
    for line in text.split("\n"):
        parts = label_of_line(_BULLET.sub("", line.strip()))
        if parts:
            last = parts[0]
            found[last] = f"{found[last]}\n{parts[1]}" if last in found else parts[1]
        elif last is not None:
            found[last] += f"\n{line}"
    return found
