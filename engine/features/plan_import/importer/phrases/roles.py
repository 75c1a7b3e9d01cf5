"""Who does what in the words of a duty: who leads («chủ trì»), with whom («phối hợp với»), to whom one reports.

Only explicit statements count: a duty without «chủ trì» has no lead here, and words after «phối hợp» that name no
agency («phối hợp triển khai») give no coordinating agency.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from engine.features.plan_import.importer.phrases import lexicon as say
from engine.features.plan_import.importer.phrases.deadlines import is_dated
from engine.features.plan_import.importer.phrases.name_words import Prose, opens_duty
from engine.features.plan_import.importer.phrases.names import names_at, names_in
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
