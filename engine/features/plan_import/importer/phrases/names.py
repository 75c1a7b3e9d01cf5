"""Names of agencies in running text: where one begins, where it ends, and which form a list.

A name begins with a word from a table («Sở», «UBND», «Các đơn vị») and ends at a sign, at a small word that no name
holds, or where a duty begins. «Sở Văn hóa, Thể thao và Du lịch» is one name, «Sở Y tế, Tài chính» are two: the fields
of departments are known, and nothing is cut at a comma or «và» that a known field or a group spans.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from engine.features.plan_import.importer.phrases.labels import known_names
from engine.features.plan_import.importer.phrases.name_walk import NameWalk
from engine.features.plan_import.importer.phrases.name_words import (
    BARE,
    BESIDE,
    FIELD,
    HEAD,
    KIND_OF_PLACE,
    LEVEL,
    PROPER,
    STOP,
    SUFFIX,
    WHOLE,
    Prose,
    begins_name,
)
from engine.rules.vietnamese import matching, spelled

_STOP_NEXT = re.compile(rf"[\s,]*{STOP.pattern}")
_SHARED = spelled(
    r"(?:(?:thủ trưởng |giám đốc |lãnh đạo )?(?:các )?(?P<head>sở|bộ|phòng|ngành|cục)(?:, ban)?(?:, ngành)? ?:? )"
)
_WHICH_OF = spelled(r"(?:các|những|có|nơi|ở|tại|trên|thuộc|trong)(?!\w)")  # «Sở Y tế các tỉnh», «UBND xã có chợ»
_BETWEEN = re.compile(rf"\s*(?:(?:,|;|và|cùng\s*với|cùng|hoặc|&|\+|/|-)\s*|(?={BESIDE.pattern}))")
_POST = spelled(
    r"(?:phó |chánh |phó chánh )?(?:giám đốc|trưởng|chủ tịch|văn phòng|hiệu trưởng|cục trưởng|viện trưởng|"
    r"bí thư)(?!\w)"
)
_POSTS = re.compile(rf"{_POST.pattern}(?:(?:\s*,\s*|\s+và\s+){_POST.pattern})+")
_STANDING = spelled(r"cơ quan thường trực(?! các)(?!\w)")
"""What the body before it is («Sở Tài chính - Cơ quan thường trực Ban Chỉ đạo»)."""
NOTE = re.compile(r"\s*\([^()]{0,200}\)")


@dataclass(frozen=True)
class Name:
    """A name in a text, from ``start`` to ``end``. ``text`` has the shared first word put before it. ``sure``: it has
    ended with a known field, a level («tỉnh») or a place."""

    text: str
    start: int
    end: int
    group: bool = False
    sure: bool = False


def names_at(prose: Prose, at: int, *, small: bool = False) -> tuple[list[Name], int]:
    """The names that stand in a row from a place on, and where the row ends. An empty list if none begins there."""
    found: list[Name] = []
    end = at
    while begins_name(prose, at, small=small):
        row = next((row for row in (_shared(prose, at), _placed(prose, at)) if len(row) > 1), [])
        found += row
        end = row[-1].end if row else _add_name(prose, at, found)
        note = NOTE.match(prose.text, end)
        after = note.end() if note else end
        between = _BETWEEN.match(prose.plain, after)
        if between is None or len(found) > 80:
            return found, after
        at, end = between.end(), after
    return found, end


def _add_name(prose: Prose, at: int, found: list[Name]) -> int:
    """Adds the single name at a place to those before it, and gives where it ends."""
    end, group, sure = _end(prose, at)
    name = re.sub(r"\s+(?=[,;])", "", prose.text[at:end].strip(" ,;-&\n"))
    standing = bool(found) and _STANDING.match(prose.plain, at) is not None
    if not standing and nameless(f"{name},")[-2:] != "…,":
        found.append(Name(name, at, end, group, sure))
    return end


_PLACES = spelled(
    r"(?P<head>(?:[^,;:.()]{2,40}? )?)(?:các|\d{1,3}) "
    r"(?P<level>xã|phường|đặc khu|thôn|huyện(?! ủy)|quận(?! ủy)|thị trấn) ?:? "
)
_OF_PLACE = spelled(r"(?:(?P<level>xã|phường|đặc khu|thị trấn|thôn|huyện|quận|thành phố) )?")


def _row(prose: Prose, place: int, part: Callable[[int], Name | None]) -> list[Name]:
    """The names that the parts of a row give, each at the place after a comma or «và»."""
    found: list[Name] = []
    while name := part(place):
        found.append(name)
        between = _BETWEEN.match(prose.plain, name.end)
        if between is None:
            break
        place = between.end()
    return found


def _placed(prose: Prose, at: int) -> list[Name]:
    """«UBND các xã: Hòa Minh, Tân Lập và phường Tây Hồ» as three names."""
    head = _PLACES.match(prose.plain, at)
    if head is None:
        return []

    def place(at_: int) -> Name | None:
        level = _OF_PLACE.match(prose.plain, at_)
        proper = PROPER.match(prose.text, level.end()) if level else None
        if level is None or proper is None or re.match(r"[A-ZĐ]{3,}(?: |$)", proper.group()):
            return None  # «UBND các huyện A, B và UBND thành phố C»
        body = BESIDE.match(prose.plain, at_) or HEAD.match(prose.plain, at_)
        if body and not level["level"] and not prose.text[at_ : body.end()].istitle():
            return None  # «UBND các xã Hội Sơn, Tân Lập, Tổng công ty C»
        text = f"{prose.text[at : head.end('head')]}{level['level'] or head['level']} {proper.group()}"
        return Name(text, at_, proper.end(), sure=True)

    return _row(prose, head.end(), place)


def _shared(prose: Prose, at: int) -> list[Name]:
    """«Các sở: Y tế, Tài chính» as «Sở Y tế», «Sở Tài chính»."""
    head = _SHARED.match(prose.plain, at)
    if head is None or WHOLE.match(prose.plain, at):
        return []

    def field(place: int) -> Name | None:
        found = FIELD.match(prose.plain, place)
        if found is None or (HEAD.match(prose.plain, place) and LEVEL.match(prose.plain, found.end() + 1)):
            return None  # «Phòng Kinh tế, Công an xã»
        return Name(f"{head['head'].capitalize()} {prose.text[place : found.end()]}", place, found.end())

    return _row(prose, head.end(), field)


def _end(prose: Prose, at: int) -> tuple[int, bool, bool]:
    """Where the name that begins at a place ends, whether it is a group, whether its end is sure."""
    plain = prose.plain
    posts = _POSTS.match(plain, at)
    if posts is not None:  # «Giám đốc, Phó Giám đốc Sở Y tế» is one name: the last post goes on
        return _end(prose, max(each.start() for each in _POST.finditer(plain, at, posts.end())))
    walk = NameWalk.begun(prose, at)
    closed = walk.closed
    end = walk.run()
    known = known_names().end(plain, at)
    if known and (known > end or _goes_beyond(prose, at, known, end)):
        return known, walk.grouped or walk.plural, True
    return end, walk.grouped or walk.plural, walk.closed or closed


def _goes_beyond(prose: Prose, start: int, known: int, end: int) -> bool:
    """Whether a name was read with small words after a known one, which are none of a group or place, or with another
    known one after a dash."""
    more = prose.text[known:end].lstrip()
    dash = re.match(r"[-–]\s*", more)
    if dash:
        return known_names().end(prose.plain, end - len(more) + dash.end()) is not None
    if re.match(r"và [A-ZĐÀ-Ỹ]", more):
        return False  # «Phòng Kinh tế và Hạ tầng» is another than «Phòng Kinh tế»
    proper = prose.text[start + 1 : known]
    kinds = (SUFFIX, KIND_OF_PLACE, LEVEL, _WHICH_OF)
    named = not proper.islower() or proper.count(" ") >= 3  # «các trường» may go on
    return more[:1].islower() and named and not any(kind.match(matching(more)) for kind in kinds)


def ends_name(prose: Prose, at: int) -> bool:
    """Whether the word after a place is a small one that no name holds."""
    return _STOP_NEXT.match(prose.plain, at) is not None


_OFFICIAL = re.compile(
    r"(?<!\w)((?i:phó\s+chủ\s+tịch|chủ\s+tịch|bí\s+thư|giám\s+đốc|bộ\s+trưởng|thứ\s+trưởng)(?!\w)[^,.;:\n]{0,40}?\s)"
    r"((?:[A-ZĐÀ-Ỹ][^\W\d_]*\s+){2,3}[A-ZĐÀ-Ỹ][^\W\d_]*)(?=\s+(?:tại|chủ trì|kết luận)(?!\w))"
)
_PERSON = re.compile(r"(?<!\w)((?i:đồng\s+chí|đ/c|ông|bà)\s+)((?:[^\W\d_]+\s+){1,3}[^\W\d_]+)(?=\s*,)")


def nameless(text: str) -> str:
    """A text with «…» for the name of a person («đồng chí …, Phó Chủ tịch», «Phó Chủ tịch UBND tỉnh … tại cuộc họp»);
    a province of three words at such a place is hidden, too."""

    def hidden(found: re.Match[str]) -> str:
        named = all(word[0].isupper() for word in found[2].split()) and not _POST.match(matching(found[2]))
        return f"{found[1]}…" if named else found[0]

    return _OFFICIAL.sub(hidden, _PERSON.sub(hidden, text))


_COMMON = re.compile(r"(?:cơ|đơn|địa|bộ|trưởng)\s(?:quan|vị|phương|phận|đoàn|điểm)(?!\w)", re.IGNORECASE)


def is_body(name: str) -> bool:
    """Whether a text can be a body: not one common word («ban», «ngành», «đơn vị»), no post without its body. A code
    of a department («P4») can."""
    words = name.split()
    plain = matching(name)
    if BARE.fullmatch(plain) or plain == "thường trực":
        return False
    if len(words) == 1 and not _is_code(name):
        return not name.islower() and len(name) > 3
    return bool(words) and (_COMMON.match(name) is None or len(words) > 2)


def _is_code(name: str) -> bool:
    return name.isupper() and (len(name) > 2 or name[-1].isdigit())


def names_in(prose: Prose) -> Iterator[tuple[list[Name], int]]:
    """Every row of names in a text, from left to right, with where it ends."""
    at = 0
    for word in re.finditer(r"(?<!\w)\w", prose.plain):
        if word.start() >= at and begins_name(prose, word.start(), small=True):
            found, at = names_at(prose, word.start(), small=True)
            if found:
                yield found, at
