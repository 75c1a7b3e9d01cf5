"""The bodies in a cell or a labelled line: nothing but names («Sở Y tế (thường trực); Công an tỉnh»), or a sentence
that says who leads and who helps («Sở Y tế chủ trì, phối hợp với Công an tỉnh»)."""

from __future__ import annotations

import re
from dataclasses import replace

from engine.importer.phrases.labels import Label, label_of_line
from engine.importer.phrases.names import Name, Prose, begins_name, ends_name, names_at, names_in
from engine.importer.phrases.owners import unaddressed
from engine.importer.phrases.roles import roles_in

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
                if (
                    more and names and not ends_name(prose, end)
                ):  # a cell holds nothing but names: what is left goes on with the last
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


_VERB = re.compile(r"(?<!\w)(?:chủ\s*trì|phối\s*hợp|tham\s*mưu|thực\s*hiện|triển\s*khai)(?!\w)")
_HELPS = re.compile(
    r"[\s,]*(?:tham\s*gia\s*)?phối\s*hợp(?!\s*(?:với|cùng|giữa))\s*(?:thực\s*hiện|triển\s*khai|$|[.;,)])"
)


def lead_of(text: str) -> tuple[list[Name], list[Name]]:
    """(who leads, who helps) in the value of a label «Cơ quan chủ trì» or «Cơ quan thực hiện»."""
    text = unaddressed(text.strip())
    prose = Prose.of(text)
    if _VERB.search(prose.plain) is None:
        return [name for name in bodies_in(text) if is_body(name.text)], []
    helping = list(roles_in(text, ()).coordinating)
    leads: list[Name] = []
    for row, end in names_in(prose):
        row = [name for name in row if is_body(name.text) and name.text not in helping]
        if _HELPS.match(prose.plain, end) and row:
            apart = [n for n, name in enumerate(row) if n and text[row[n - 1].end : name.start].strip() == ";"]
            cut = apart[-1] if apart else 0 if leads else len(row)
            helping += [name.text for name in row[cut:]]
            row = row[:cut]
        leads = leads or row
    return leads, [Name(text, 0, len(text)) for text in dict.fromkeys(helping)]


_COMMON = re.compile(r"(?:cơ|đơn|địa|bộ|trưởng|địa)\s(?:quan|vị|phương|phận|đoàn|điểm)(?!\w)", re.IGNORECASE)


def is_body(name: str) -> bool:
    """Whether a text can be a body: not one common word («ban», «ngành», «đơn vị»), no post without its body."""
    words = name.split()
    if len(words) == 1 and not (name.isupper() and len(name) > 2):
        return not name.islower() and len(name) > 3
    return bool(words) and (_COMMON.match(name) is None or (len(words) > 2 and not name.lower().startswith("địa điểm")))


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
