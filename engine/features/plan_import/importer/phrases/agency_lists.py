"""Who does what: the bodies in a cell or a labelled line, nothing but names («Sở Y tế (thường trực); Công an tỉnh») or
a sentence; and in the words of a duty who leads («chủ trì»), with whom («phối hợp với»), to whom one reports.

Only explicit statements count: a duty without «chủ trì» has no lead here, and words after «phối hợp» that name no
agency («phối hợp triển khai») give no coordinating agency.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
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
from engine.rules.vietnamese import matching, spelled

_LEADS = spelled(r"(?<!\w)(?:đồng )?chủ trì(?!\w)(?! của)")
_WITH = spelled(
    r"(?<!\w)phối hợp(?:(?!\w)|(?=với))(?: chặt chẽ| thường xuyên)?(?: :)?(?:,? (?:với|cùng với|cùng|giữa))* "
    r"|(?<!\w)(?:có|với) sự (?:tham gia|phối hợp) của |(?<!\w)thành viên (?:gồm|là)(?: có)? :? "
)
HELPS = re.compile(
    r"[\s,]*(?:tham\s*gia\s*)?phối\s*hợp(?!\s*(?:với|cùng|giữa))\s*(?:thực\s*hiện|triển\s*khai|$|[.;,)])"
)
_TEAM = re.compile(
    r"(?:tổ(?! chức)|đội(?! ngũ)|đoàn(?! kết| viên)|nhóm)(?:\s[^\W\d_]+){1,3}(?=[.,;)])"
)  # «phối hợp với tổ tiêm phòng;»
_ALONGSIDE = spelled(r"(?<!\w)(?:cùng với|cùng) (?=(?:các|sở|ubnd|công an|ban|ủy ban|phòng|hội|đoàn)(?!\w))")
_TO = spelled(
    r"(?<!\w)(?:báo cáo|gửi|trình|đề xuất)(?!\w)(?: (?:kết quả|kết quả thực hiện|tình hình|đề xuất|"
    r"kịp thời|bằng văn bản|định kỳ))*"
    r"(?: (?:về|gửi|cho|với|lên|đến|tới))* "
)
_VIA = spelled(r"(?<!\w)(?:về|gửi về|gửi cho|gửi đến|gửi tới|gửi|thông qua|qua|lên) (?!\d)")
_REPORT = spelled(r"(?<!\w)(?:báo cáo|tổng hợp)(?!\w)")


@dataclass(frozen=True)
class Roles:
    """What a duty's words say of roles. Names as written, in their order."""

    lead: str
    coordinating: tuple[str, ...]
    reports_to: tuple[str, ...]


def roles_in(text: str, owners: Sequence[str]) -> Roles:
    """The roles in the words of a duty of some owners."""
    prose = Prose.of(text)
    coordinating = dict.fromkeys(name for name in _coordinating(prose) if name not in owners)
    return Roles(_lead(prose, owners), tuple(coordinating), tuple(dict.fromkeys(_reports(prose))))


def _lead(prose: Prose, owners: Sequence[str]) -> str:
    """The body that stands before the first «chủ trì», else the owners: «chủ trì» at the beginning is theirs."""
    found = _LEADS.search(prose.plain)
    if found is None:
        return ""
    for names, end in names_in(Prose(prose.text[: found.start()], prose.plain[: found.start()])):
        last = names[-1]
        if not prose.text[end : found.start()].strip(" ,(") and (last.group or last.text[0].isupper()):
            return last.text
    return ", ".join(owners)


def _coordinating(prose: Prose) -> Iterator[str]:
    for found in (*_WITH.finditer(prose.plain), *_ALONGSIDE.finditer(prose.plain)):
        if prose.plain.endswith("quy chế ", 0, found.start()):
            continue
        names = names_at(prose, found.end(), small=True)[0]
        if not names and (team := _TEAM.match(prose.text, found.end())):
            yield team[0]
        yield from (name.text for name in names)
    if _LEADS.search(prose.plain):  # «Sở Y tế chủ trì, UBND các xã phối hợp»
        yield from (name.text for names, end in names_in(prose) if HELPS.match(prose.plain, end) for name in names)


_ROLE_ALONE = spelled(
    r"(?:chủ động |thường xuyên )?(?:chủ trì|phối hợp)(?:(?:,| và)? (?:chủ trì|phối hợp))?(?: chặt chẽ)?"
    r"(?: (?:cùng )?với(?: |$))?"
)


def is_role_alone(text: str) -> bool:
    """Whether a point names its role and its partners and no work («Chủ trì, phối hợp với các sở liên quan»): what
    stands below it is the work."""
    prose = Prose.of(text.rstrip(" :."))
    found = _ROLE_ALONE.match(prose.plain)
    if found is None:
        return False
    partners = names_at(prose, found.end(), small=True)[1]
    return not prose.plain[partners:].strip()


def _reports(prose: Prose) -> Iterator[str]:
    """The bodies after «báo cáo», «gửi … về», «(qua …)», where the sentence speaks of a report."""
    for found in (*_TO.finditer(prose.plain), *_VIA.finditer(prose.plain)):
        if _REPORT.search(prose.plain[max(0, found.start() - 200) : found.end()]):
            yield from (name.text for name in names_at(prose, found.end(), small=True)[0])


_CLOSER = say.compiled(say.CLOSERS)
_THIS_PLAN = r" [^.;:]{0,20}(?:kế hoạch|quyết định|nghị quyết|chỉ thị|chương trình) này"
_IN_CHARGE = r"[^.:]{2,900} chịu trách nhiệm (?:tổ chức |triển khai )*(?:thi hành|thực hiện)"
_EVERYBODY = spelled(
    r"(?:thủ trưởng |trưởng |giám đốc |chủ tịch )?các [^.;:]{2,80} căn cứ [^.;:]{0,20}kế hoạch(?! số)"
    r"|văn phòng [^.;:,]{2,40} thông báo (?:để|đến|cho) (?:các|thủ trưởng) "
    rf"|(?:(?:thủ trưởng |trưởng |giám đốc |chủ tịch )?các [^.;:]{{2,120}} (?:triển khai|thực hiện)|{_IN_CHARGE})"
    rf"{_THIS_PLAN}"
)
CARRIED_OUT = spelled(
    r"(?<!\w)(?:có|chịu) trách nhiệm (?:thi hành|thực hiện) (?:quyết định|nghị quyết|chỉ thị)(?: này)?\W*$"
)
END = re.compile(r"[.\s]*/\s*\.?$")  # «./.», the sign that ends a document
_WHOLE = spelled(r"(?<!\w)(?:kế hoạch|quyết định|chỉ thị|chương trình|công điện|thông báo|văn bản) này\W*$")
_TIMED_TO_MANY = spelled(
    r"(?:định kỳ|hằng|hàng|trước|chậm nhất)[^,;:.]{2,60}, (?:đề nghị )?(?:thủ trưởng )?(?:các|những) "
)
_ORDERS = re.compile(r"(?:yêu\s*cầu|đề\s*nghị|giao)(?!\w)")
_ISSUER_ASKS = spelled(
    r"(?:chủ tịch |ban )?(?:ubnd|ủy ban nhân dân|ban thường vụ|thường trực)[^,.;:]{0,60} "
    r"(?:yêu cầu|đề nghị|giao|chỉ đạo)(?!\w)"
)
_TASK = spelled(
    r"(?:chủ trì|theo dõi|đôn đốc|kiểm tra|giám sát|tổng hợp|(?:là|làm) đầu mối|(?:có|chịu) trách nhiệm|"
    r"có nhiệm vụ)(?!\w)"
)
_OF_MANY = spelled(r"(?<!\w)(?:yêu cầu|đề nghị) (?:các|thủ trưởng|lãnh đạo)(?!\w)")


def has_task(text: str) -> bool:
    """Whether what is said of a body is a task of its own: «… có trách nhiệm kiểm tra», «… theo dõi, đôn đốc việc thực
    hiện», and no request to many."""
    plain = matching(text)
    return _TASK.match(plain) is not None and _OF_MANY.search(plain) is None


def closes_plan(text: str) -> bool:
    """Whether a paragraph is of the kind that only closes a plan: «Trên đây là …», «Trong quá trình thực hiện …»."""
    return speaks_to_all(text) and _ORDERS.match(matching(text)) is None


_LONGEST_ADDRESS = 400
_CARRIES_OUT = spelled(
    r"(?:(?:căn cứ|trên cơ sở|trong quá trình) |(?:thủ trưởng |giám đốc )?các [^.;:]{2,80} căn cứ )[^.;:]{0,40}"
    rf"(?:kế hoạch(?! số)|chương trình|thực hiện)|{_IN_CHARGE}{_THIS_PLAN}"
)
_GIVES_MORE = spelled(r"[.;] (?:giao|yêu cầu|đề nghị) ")
_OFFICES = spelled(
    r"(?<!\w)(?:các|giám đốc|thủ trưởng|chủ tịch)"
    r"(?: các)? (?:bộ|sở|ban|ngành|cơ quan|đơn vị|phòng|địa phương|huyện|xã|phường|ubnd|ủy ban)(?!\w)"
)


def asks_all(text: str) -> bool:
    """Whether a numbered sentence only asks everybody to carry out the plan: it names no day by which."""
    plain = matching(text)
    told = _CARRIES_OUT.match(plain) and _OFFICES.search(plain[:_LONGEST_ADDRESS])
    return bool(told) and not (_GIVES_MORE.search(plain) or is_dated(text))


def speaks_to_all(text: str) -> bool:
    """Whether a paragraph is of the kind that closes a plan: «Trên đây là …», «UBND tỉnh yêu cầu …», «… ./.»."""
    plain = matching(text)
    if END.search(plain[-12:]) and (
        _TIMED_TO_MANY.match(plain) or _WHOLE.search(plain[-30:]) or not (opens_duty(text) or "có trách nhiệm" in plain)
    ):
        return True
    return any(pattern.match(plain) for pattern in (_CLOSER, _EVERYBODY, _ISSUER_ASKS))


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
