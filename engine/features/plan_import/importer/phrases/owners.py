"""Whether a line names the bodies that are to do something, in any of the forms met in plans, and what is left of it.

«Sở Y tế» alone; «Sở Y tế: …»; «Sở Y tế chủ trì …»; «Giao Sở Y tế …»; «Đề nghị Ủy ban MTTQ …»; «Trách nhiệm của Sở
Y tế»; «Sở Y tế có trách nhiệm: …»; «Định kỳ 6 tháng, các sở, ngành báo cáo …».
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import lru_cache
from typing import Protocol

from engine.features.plan_import.importer.base.model import Origin, Owner
from engine.features.plan_import.importer.phrases import lexicon as say
from engine.features.plan_import.importer.phrases.labels import KnownNames, known_names
from engine.features.plan_import.importer.phrases.name_words import OPENER, STRONG, Prose, begins_name, opens_duty
from engine.features.plan_import.importer.phrases.names import Name, ends_name, is_body, names_at
from engine.rules.vietnamese import matching, phrase, spelled


class Directory(Protocol):
    """The interface of a directory of agencies."""

    @property
    def id(self) -> str:
        """The directory's own id; empty for no directory."""

    @property
    def name(self) -> str:
        """The province that it is of; empty for none."""

    def find(self, name: str) -> str | None:
        """The id of the body or group of a name, however written."""

    def members(self, name: str) -> tuple[str, ...]:
        """The ids behind an id: itself, or those of a group."""

    @property
    def every_name(self) -> Iterable[str]:
        """All names of all bodies, as they are written."""


class NullDirectory:
    """A directory without entries: there is none, or it is that of another province than the plan's."""

    id = ""
    name = ""

    def find(self, name: str) -> str | None:
        return None

    def members(self, name: str) -> tuple[str, ...]:
        return ()

    every_name: Iterable[str] = ()


class Form(StrEnum):
    """How an owner line goes on: not at all, after a colon, or straight into the duty."""

    ALONE = "alone"
    COLON = "colon"
    INLINE = "inline"


@dataclass(frozen=True, kw_only=True)
class OwnerLine:
    """The names in a line, whether they are asked rather than told, and the words after them."""

    written: str
    names: tuple[Name, ...]
    rest: str = ""
    form: Form = Form.INLINE
    start: int = 0
    request: bool = False
    origin: Origin = Origin.HEADING

    @property
    def alone(self) -> bool:
        return self.form is Form.ALONE

    @property
    def inline(self) -> bool:
        return self.form is Form.INLINE


_ADDRESSES = tuple(
    (re.compile(rf"{say.compiled(words).pattern}(?=[ :])[\s:]*"), request)
    for words, request in ((say.REQUESTS, True), (say.ORDERS, False))
)
_TEAM = re.compile(r"(?:Đoàn|Tổ|Đội|Nhóm)(?: kiểm tra)?(?: số)? \d{1,2}")
_COLON = re.compile(
    rf"[\s,]*(?:\([^()]{{0,200}}\)\s*)?(?:{say.any_of(say.BOUND)})?"
    rf"(?:{phrase(' (?:sau|sau đây|như sau|cụ thể|chính)')})*\s*(?::|-\s)\s*-?\s*"
)
_BOUND_ALONE = re.compile(rf"[\s,]*{say.any_of(say.BOUND)}[\s.]*$")
_DONE = re.compile(r"\s*(?:\([^()]{0,200}\))?[\s.:;,/]*$")
_CLAUSE = say.compiled(say.CLAUSES)
_CLAUSE_LENGTH = 260
_COMMA = re.compile(r"[,:;.]\s+")


_HANDS_ON = spelled(r"(?<!\w)(?:giao|yêu cầu|đề nghị|quyết định|quyết nghị|kết luận)(?: như sau)? ?:$")
"""«Hội đồng nhân dân tỉnh giao:» names who gives, not who does."""


def owner_line(text: str, *, clauses: bool = False, headed: bool = False) -> OwnerLine | None:
    """The owner line that a text is; None if it begins with no body. ``clauses`` also looks behind a clause that
    comes before the body («Căn cứ Kế hoạch này, các sở …»). ``headed``: duties stand below it, so that a short line
    is a name to its end («Phòng Kế hoạch tổng hợp»)."""
    return _owner_line(text, clauses, headed, known_names())


@lru_cache(maxsize=2048)
def _owner_line(text: str, clauses: bool, headed: bool, known: KnownNames) -> OwnerLine | None:
    prose = Prose.of(text)
    if _HANDS_ON.search(prose.plain[-60:]):
        return None
    over = _given_over(prose) if headed or text.endswith(":") else None
    found = over or _straight(prose, 0, headed=headed)
    if found is None and clauses and _CLAUSE.match(prose.plain):
        lines = (_straight(prose, comma.end()) for comma in _COMMA.finditer(prose.plain[:_CLAUSE_LENGTH]))
        found = next((line for line in lines if line and line.inline), None)
        # The clause before it is no order.
        return replace(found, start=0, origin=Origin.SENTENCE) if found else None
    return found


_GIVES = "yêu cầu|đề nghị|giao|phân công"
_ASKS = spelled(rf"(?<!\w)(?:{_GIVES}|chỉ đạo)(?: cho)?(?!\w)")
_GIVEN = spelled(rf"(?<!\w)(?:{_GIVES})(?: cho)?(?!\w)")
"""Who directs others does the work; who gives it to others does not."""


def _given_over(prose: Prose) -> OwnerLine | None:
    """Whom a heading gives what stands below it («5. Ban Thường vụ giao đồng chí Chủ tịch UBND xã»)."""
    given = _GIVEN.search(prose.plain)
    if given is None or not begins_name(prose, 0) or names_at(prose, 0)[1] < given.start() - 1:
        return None
    names, end = names_at(prose, given.end() + 1, small=True)
    alone = names and is_body(names[0].text) and _DONE.match(prose.text, end)
    return (
        OwnerLine(
            written=prose.text[given.end() + 1 : end].strip(),
            names=tuple(names),
            form=Form.ALONE,
            origin=Origin.SENTENCE,
        )
        if alone
        else None
    )


def singular(name: str) -> str:
    """A name for comparing: «các Cục Thuế» is «Cục Thuế»."""
    return spelled_out(name).removeprefix("các ")


def is_of_another(line: OwnerLine | None, own: set[str]) -> bool:
    """Whether a sentence begins with bodies, none of which is one of its own."""
    others = {singular(name.text) for name in line.names if name.text[0].isupper()} if line else set()
    return bool(line and not line.alone and others and not others & {singular(name) for name in own})


_IN_DETAIL = re.compile(r"[.;]\s+[Cc]ụ thể[^.;:]{0,20}:$")


def asks(line: OwnerLine) -> bool:
    """Whether the body that a sentence begins with gives others something to do («UBND tỉnh đề nghị các sở …»)."""
    return _ASKS.match(matching(line.rest)) is not None


def addressees(text: str) -> OwnerLine | None:
    """Whom a paragraph that ends in a colon asks to do what follows («…, Thủ tướng Chính phủ yêu cầu các bộ, ngành:»,
    «… đề nghị UBND các xã thực hiện một số nội dung sau:»)."""
    if not text.endswith(":"):
        return None
    prose = Prose.of(_IN_DETAIL.sub(":", text))
    for found in reversed([*_ASKS.finditer(prose.plain)]):
        start = found.end() + 1
        names, end = names_at(prose, start, small=True)
        if names and any(is_body(name.text) for name in names) and not re.search(r"[.;]", prose.text[end:]):
            return OwnerLine(written=text[start:end].strip(), names=tuple(names), origin=Origin.ABOVE)
    return None


def asked_by(issuer: str, text: str) -> OwnerLine | None:
    """Whom the issuer, as ``spelled_out``, asks in a sentence, by the beginning of its name («…, UBND tỉnh đề nghị các
    sở …»)."""
    prose = Prose.of(text)
    words = issuer.split()
    for found in _GIVEN.finditer(prose.plain) if words else ():
        before = spelled_out(text[: found.start()]).rstrip()
        if any(before.endswith(" ".join(words[:n])) for n in range(2, len(words) + 1)):
            names, end = names_at(prose, found.end() + 1, small=True)
            if names and is_body(names[0].text):
                return OwnerLine(
                    written=text[found.end() + 1 : end],
                    names=tuple(names),
                    rest=text[end:].strip(),
                    start=1,
                    origin=Origin.SENTENCE,
                )
    return None


def spelled_out(text: str) -> str:
    """A text for matching, in which «UBND» is written as it is read."""
    return matching(text).replace("ubnd", "ủy ban nhân dân").replace("hđnd", "hội đồng nhân dân")


def bodies_alone(text: str, *, headed: bool = False) -> OwnerLine | None:
    """The owner line of a text that holds nothing but bodies."""
    line = owner_line(text, headed=headed)
    return line if line is not None and line.alone else None


_REGARDING = spelled(r"(?:riêng )?(?:đối với|về phía)(?!\w)")


def _straight(prose: Prose, at: int, *, headed: bool = False) -> OwnerLine | None:
    start, request, ordered = _address(prose, at)
    names, end = names_at(prose, start, small=True)
    if not names:
        return None
    names = _to_its_end(prose, names, end, headed=headed)
    end = max(end, names[-1].end)
    if not any(is_body(name.text) for name in names):
        return None
    written = prose.text[start : names[-1].end].strip()
    line = OwnerLine(written=written, names=tuple(names), start=start, request=request)
    if start and _REGARDING.match(prose.plain, at):
        line = replace(line, origin=Origin.REGARDING)
    if _DONE.match(prose.text, end) or (headed and _BOUND_ALONE.match(prose.plain, end)):
        return replace(line, form=Form.ALONE, origin=Origin.HEADING)
    if colon := _COLON.match(prose.plain, end):
        return _after_colon(line, prose.text[colon.end() :].strip(), headed=headed)
    rest = prose.text[end:].lstrip(" ,;.)")
    if opens_duty(rest) and rest[0].isupper():
        return replace(line, rest=rest, form=Form.COLON)  # a heading and its text run together
    return replace(line, rest=rest) if ordered or names[-1].sure or opens_duty(rest) else None


def _after_colon(line: OwnerLine, rest: str, *, headed: bool) -> OwnerLine | None:
    """The owner line of names before a colon: they, or the bodies after it, which they only call together."""
    inner = _straight(Prose.of(rest), 0, headed=headed)
    if inner and inner.inline and _TEAM.fullmatch(line.names[0].text):
        return None  # «Đoàn số 1: Sở Y tế chủ trì …»
    listed = line.names[-1].group and inner is not None and inner.inline and inner.start == 0
    if inner and (inner.alone if headed else listed):
        return inner  # «Lực lượng vũ trang: Công an tỉnh, Bộ Chỉ huy Quân sự tỉnh»
    return replace(line, rest=rest, form=Form.COLON if rest else Form.ALONE)


_BROAD = spelled(r"(?:ban chỉ đạo|ban điều hành|hội đồng|tổ công tác|ban tổ chức|tiểu ban) ")
_ROLES = spelled(
    r"(?:(?:đồng )?chủ trì|(?:tham gia )?phối hợp|tham mưu|(?:có|chịu) trách nhiệm|có nhiệm vụ|thực hiện|triển khai|"
    r"căn cứ|là)(?!\w)"
)
"""What alone ends a name over duties: «Ban Quản lý xây dựng nông thôn mới xã» is one."""
_TO_COLON = re.compile(r"[^:.()]{1,120}(?=:)")
_TO_END = re.compile(r"[^:.()]{1,120}(?=:|$)")
_PART = re.compile(r"\s*;\s*|(?:\s*,|\s+và)\s+")
_ACRONYM = re.compile(r"[A-ZĐ]{3,8}(?= [A-ZĐÀ-Ỹ][^\W\d_A-Z])")  # «Bưu điện tỉnh, PVI Trà Lũng»
_LONG = re.compile(r"(?:\w+ ){3,}\w+\s*(?:[,;:]|$)")


def _to_its_end(prose: Prose, names: list[Name], end: int, *, headed: bool) -> list[Name]:
    """The names with all that stands before a colon, or to the end where duties stand below, whatever it is called
    («Phòng Kế hoạch kiểm soát», «…, các chủ hồ thủy điện:»), if no part of it begins like a duty: verbs that do not
    only begin duties may stand in a name."""
    tail = (_TO_END if headed else _TO_COLON).match(prose.plain, end)
    first = re.search(r"\w|[-/]", tail.group()) if tail else None
    if tail is None or first is None or first.group() in "-/" or _says_what(tail.group().strip()):
        return names
    last, started = names[-1], end + first.start()
    parts = split_names(prose.text[: tail.end()], last.start, end, listed=not headed)
    starts = [started, *(each.start for each in parts[1:] if each.start > started)]
    verb = _ROLES if headed and tail.end() == len(prose.plain) else STRONG
    starts = starts[_BROAD.match(prose.plain) is not None :]
    ends = any(ends_name(prose, each) or verb.match(prose.plain, each) for each in starts)
    if ends and not _is_verbal(tail.group().strip(), headed=headed):
        return names
    return [*names[:-1], *(replace(each, group=last.group) for each in parts)]


def _says_what(words: str) -> bool:
    """Whether words after a name are a sentence, and no part of it («… thực hiện các nội dung sau:»)."""
    return words.endswith(" sau") and not _ASKS.search(words)


def _is_verbal(words: str, *, headed: bool) -> bool:
    """Whether the rest of a name is a verb («Viện Quy hoạch xây dựng: …»)."""
    return OPENER.fullmatch(words) is not None and not (headed or _ROLES.match(words))


def split_names(text: str, start: int = 0, known: int = 0, *, listed: bool = False) -> list[Name]:
    """The names in a line of an unknown body from ``start`` on, of which one is ``known`` up to a place: cut at a
    semicolon, before every other body that begins like one, before «các», in a list at a comma before many words."""
    prose = Prose.of(text)
    cuts = [(start, start)] + [
        each.span()
        for each in _PART.finditer(text, max(start, known))
        if ";" in each.group()
        or begins_name(prose, each.end())
        or prose.plain.startswith("các ", each.end())
        or _ACRONYM.match(text, each.end())
        or (listed and "," in each.group() and _LONG.match(prose.plain, each.end()))
    ]
    ends = [*(start for start, _ in cuts[1:]), len(text)]
    return [Name(text[a:b].strip(), a, b) for (_, a), b in zip(cuts, ends, strict=True)]


def _address(prose: Prose, at: int) -> tuple[int, bool, bool]:
    """Where the name begins after «Đề nghị», «Giao», «Trách nhiệm của»; whether it is a request; whether addressed."""
    for pattern, request in _ADDRESSES:
        if found := pattern.match(prose.plain, at):
            return found.end(), request, True
    return at, False, False


def unaddressed(text: str) -> str:
    """A text without «Đối với», «Đề nghị», «Trách nhiệm của» before it."""
    start, _, _ = _address(Prose.of(text), 0)
    return text[start:]


_POST = spelled(
    r"(?:phó |chánh )?(?:giám đốc|thủ trưởng|trưởng|chủ tịch|lãnh đạo|đồng chí|người đứng đầu|chánh|hiệu trưởng) "
)


def owner_of(name: Name, directory: Directory) -> Owner:
    """A name with what the directory knows of it: «Giám đốc Sở Y tế» is found as «Sở Y tế»."""
    post = _POST.match(matching(name.text))
    found = directory.find(name.text) or (directory.find(name.text[post.end() :]) if post else None)
    if found:
        members = len(directory.members(found))
        return Owner(name.text, found, members, members != 1)
    return Owner(name.text, group=name.group, members=0 if name.group else 1)
