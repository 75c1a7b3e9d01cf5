"""The bodies in a cell or a labelled line: nothing but names («Sở Y tế (thường trực); Công an tỉnh»), or a sentence
that says who leads and who helps («Sở Y tế chủ trì, phối hợp với Công an tỉnh»)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from itertools import islice

from engine.features.plan_import.importer.base.model import Origin
from engine.features.plan_import.importer.phrases import lexicon as say
from engine.features.plan_import.importer.phrases.deadlines import deadlines_in, is_dated
from engine.features.plan_import.importer.phrases.labels import (
    Label,
    known_names,
    label_of_column,
    labels_at_end,
    labels_in,
)
from engine.features.plan_import.importer.phrases.name_words import Prose, begins_name, opens_duty
from engine.features.plan_import.importer.phrases.names import NOTE, Name, ends_name, is_body, names_at, names_in
from engine.features.plan_import.importer.phrases.owners import Form, OwnerLine, owner_line, unaddressed
from engine.features.plan_import.importer.phrases.roles import HELPS, roles_in
from engine.rules.vietnamese import matching, spelled

_PIECES = re.compile(r"\s*(?:\n|;(?![^()\n]*\)))\s*")
_BULLET = re.compile(r"^(?:[-–+*•]|\d{1,2}[.)]|[a-zđ]\))\s*")
_REST_OF_NAME = re.compile(r"\s+\w[^,;()\n]*")
_WHICH = re.compile(r"\s+(?:có|tại|trên|ở|trong|thuộc|nơi)(?!\w)")


def bodies_in(text: str) -> list[Name]:
    """The names in a text that holds nothing else; what is no known form of name is kept as it stands."""
    found: list[Name] = []
    for piece in _PIECES.split(text):
        rest = _BULLET.sub("", piece.strip()).strip(" .,:")
        while re.search(r"\w", rest):
            named = begins_name(Prose.of(rest), 0, small=True)
            rest = _take_names(rest, found) if named else _take_words(rest, found)
            if len(found) > 200:
                return found
    return found


def _take_names(text: str, found: list[Name]) -> str:
    """Adds the names that a text begins with; what is left to read."""
    prose = Prose.of(text)
    names, end = names_at(prose, 0, small=True)
    more = _REST_OF_NAME.match(text, end)
    known = bool(names) and known_names().end(prose.plain, names[-1].start) == names[-1].end
    if names and more and _is_part_of_name(prose, end, known=known):
        last = names.pop()  # a cell holds nothing but names: what is left goes on with the last
        names.append(replace(last, text=f"{last.text} {more.group().strip()}", end=more.end()))
    found += (name for name in names if is_body(name.text))
    if known and more and opens_duty(more.group().strip()):
        return ""  # what it does is no name
    end = more.end() if more else end  # «theo chức năng» is no name and no part of one
    return re.sub(r"^và\s+", "", text[end:].strip(" ,.-–/"))


def _is_part_of_name(prose: Prose, at: int, *, known: bool) -> bool:
    """Whether words after a name are part of it: which of many, or any word that a name holds."""
    return _WHICH.match(prose.plain, at) is not None or not (known or ends_name(prose, at))


def _take_words(text: str, found: list[Name]) -> str:
    """Adds the words before a comma as a name, or to the list that the last name is; what is left to read."""
    name, _, rest = map(str.strip, text.partition(","))
    name = NOTE.sub("", name).strip(" .")
    if name and not is_dated(name):
        before = found[-1].text if found else ""
        listed = before.startswith("Các ") or before[1:].islower()  # «khoa lâm sàng, cận lâm sàng»
        if listed and name[0].islower() and not name.startswith("các "):
            found[-1] = replace(found[-1], text=f"{found[-1].text}, {name}")
        else:
            found.append(Name(name, 0, len(name)))
    return rest


VERB = spelled(r"(?<!\w)(?:chủ trì|phối hợp|tham mưu|thực hiện|triển khai|tổ chức|hướng dẫn)(?!\w)")
_CHIEF = re.compile(r"(?<!\w)chủ\s*trì(?!\w)")


def lead_of(text: str) -> tuple[list[Name], list[Name]]:
    """(who leads, who helps) in the value of a label «Cơ quan chủ trì» or «Cơ quan thực hiện»."""
    text = unaddressed(text.strip())
    plain = matching(text)
    if VERB.search(plain) is None:
        return bodies_in(text), []
    chief = _CHIEF.search(plain) is not None
    leads: list[Name] = []
    helping: list[str] = []
    for piece in _PIECES.split(text):
        prose = Prose.of(piece.strip())
        helping += roles_in(prose.text, ()).coordinating
        rows = _leading_rows(prose, helping)
        if rows and (not (leads and chief) or not prose.text[rows[0][1] :].strip(" .,")):
            leads += [name for name in rows[0][0] if is_body(name.text)]
    return leads, [Name(text, 0, len(text)) for text in dict.fromkeys(helping)]


def _leading_rows(prose: Prose, helping: list[str]) -> list[tuple[list[Name], int]]:
    """The rows of names that do not help; those of which it is said are added to ``helping``."""
    rows = [(row, end) for row, end in names_in(prose) if row[0].text not in helping]
    helping += [name.text for row, end in rows if HELPS.match(prose.plain, end) for name in row]
    return [(row, end) for row, end in rows if not HELPS.match(prose.plain, end)]


_BY = re.compile(r"\s*(?:chủ\s*trì|thực\s*hiện|tổ\s*chức|phụ\s*trách|đảm\s*nhiệm)(?!\w)")
_TOPIC = re.compile(r"(?:(?:Về|Đối với)\s(?:[^:.]|\.(?=\d)){3,400}|[^:.]{3,120}):\s*(?=\S)")
_GIVEN = re.compile(r"(?<!đã)\s(?:giao|giao\s*cho|yêu\s*cầu)$")
_LATER = re.compile(r"[.(]\s*(?=\w)")


def doer_in(text: str) -> OwnerLine | None:
    """Who is to do a task whose words begin with something else: «… Đơn vị chủ trì: X», «Tuyên truyền: X viết bài»,
    «Diễn tập. X tổ chức», «Kiểm tra (X thực hiện)», «Tập huấn; X chủ trì». Its ``rest`` is the whole text."""
    leads = lead_of(labels_at_end(text).get(Label.LEAD, ""))[0]
    return _inline(leads, text) if leads else _doer_of_clause(text) or _doer_given(text)


def _doer_of_clause(text: str) -> OwnerLine | None:
    """Who stands first after the topic of a text, or in a later sentence of it."""
    topic = _TOPIC.match(text)
    line = owner_line(text[topic.end() :] if topic else text, clauses=True)
    if line is not None:
        tasked = topic is not None and opens_duty(text)  # «Rà soát chợ: Sở Công Thương»
        return replace(line, form=Form.INLINE, rest=text, origin=Origin.SENTENCE) if not line.alone or tasked else None
    for found in islice(_LATER.finditer(text), 20):
        line = owner_line(text[found.end() :])
        if line is not None and line.inline and not _is_about(text, found, line):
            return replace(line, rest=text, origin=Origin.BRACKET if found[0][0] == "(" else Origin.SENTENCE)
    return None


def _is_about(text: str, found: re.Match[str], line: OwnerLine) -> bool:
    """Whether a bracket tells of the words before it and gives nobody work: «Nội dung kiểm tra (Đối với UBND các xã):»,
    or a part of a body that helps («phối hợp với Sở Y tế (Chi cục … chủ trì)»)."""
    if found[0][0] != "(":
        return False
    named = names_in(Prose.of(text[: found.start()].rstrip()))
    return line.origin is Origin.REGARDING or any(end == len(text[: found.start()].rstrip()) for _, end in named)


def _doer_given(text: str) -> OwnerLine | None:
    """Who is given the task («… giao X rà soát»), or by whom it is done («… do X chủ trì»)."""
    prose = Prose.of(text)
    for row, end in names_in(prose):
        before = prose.plain[: row[0].start].rstrip()
        given = _GIVEN.search(before[-20:]) and opens_duty(prose.text[end:].lstrip(" ,"))
        if given or (before.endswith(" do") and _BY.match(prose.plain, end)):
            return replace(_inline(row, text), start=row[0].start, origin=Origin.SENTENCE)
    return None


def _inline(names: Sequence[Name], text: str) -> OwnerLine:
    return OwnerLine(written="; ".join(name.text for name in names), names=tuple(names), rest=text)


_SENTENCE_NAME = re.compile(r"[^.;:()]{4,140}")
_SMALL_WORD = re.compile(r"(?<=[\w,] )(?=[^\W\d_])")
NO_BODY = say.compiled(say.NO_BODIES)


def placed_owner(text: str) -> OwnerLine | None:
    """The bodies that a sentence among sentences of bodies begins with, whatever they are called and whatever verb
    follows: all before the first small word that begins a duty («Trường Chính trị tỉnh đưa nội dung …»)."""
    text = unaddressed(text)
    prose = Prose.of(text)
    if not text[:1].isupper() or opens_duty(text) or NO_BODY.match(prose.plain):
        return None
    names, end = names_at(prose, 0, small=True)
    if names and is_body(names[0].text) and text[end:].strip(" ,"):
        return OwnerLine(written=text[:end], names=tuple(names), rest=text[end:].strip(" ,"))
    at = _first_verb(prose)
    written = text[:at].strip(" ,")
    proper = written[1:] != written[1:].lower() or prose.plain.startswith(("các ", "mỗi "))
    if not _SENTENCE_NAME.fullmatch(written) or not proper:
        return None
    return OwnerLine(written=written, names=tuple(bodies_in(written)), rest=text[at:])


def _first_verb(prose: Prose) -> int:
    """Where the first small word stands that begins a duty or that no name holds; 0 for none."""
    starts = (each.start() for each in _SMALL_WORD.finditer(prose.text, 0, 200))
    small = (at for at in starts if prose.text[at].islower())
    return next((at for at in small if opens_duty(prose.text, at) or ends_name(prose, at)), 0)


def unknown_label(text: str) -> list[tuple[Label, str]]:
    """A label that no table knows says who leads before nothing but bodies («Chủ đầu tư: Ban Quản lý dự án»; who helps
    where its words end so: «Khoa, phòng phối hợp»), and until when before nothing but a time («Xong trước:
    30/6/2026»)."""
    words, _, value = text[:400].partition(":")
    if not _may_be_label(words):
        return []
    said = label_of_column(words)
    if said not in (None, Label.LEAD, Label.COORDINATING):
        return []
    if line := owner_line(value.strip(" .")):
        return [(said or Label.LEAD, value.strip())] if line.alone else []
    value = value.strip(" .;")
    found = deadlines_in(value, column=True) if len(value) < 60 else ()
    timed = any(each.days and len(each.text) + 8 >= len(value) for each in found)
    return [(Label.DEADLINE, value)] if timed else []


def _may_be_label(words: str) -> bool:
    """Whether words may be a role or a time: few, with one capital, neither a group nor a duty."""
    if len(words.split()) > 6 or not words[:1].isupper() or not words[1:].islower():
        return False
    return not matching(words).startswith(("các ", "những ")) and not opens_duty(words)


def labelled(text: str) -> dict[Label, str]:
    """A cell that holds several facts under labels («Chủ trì: …», «Phối hợp: …»); empty if it holds none."""
    found: dict[Label, str] = {}
    last: Label | None = None
    for line in text.split("\n"):
        parts = labels_in(_BULLET.sub("", line.strip()))
        for label, value in parts or ([(last, line)] if last else ()):
            last = label
            found[last] = f"{found[last]}\n{value}" if last in found else value
    return found
