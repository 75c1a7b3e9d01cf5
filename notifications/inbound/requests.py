"""What an answer in free words asks: every clause that says one thing and nothing else, and what is left over.

Pure. A clause is read only if nothing in it can turn its meaning: «Không xác nhận», «tôi sẽ xác nhận sau khi hỏi lại»
and «đã nhận nhưng không đồng ý» are left for a person. Codes are empty: the letter says what its answer is about.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date

from engine.text import Text
from notifications.sms.replies import (
    DATE,
    Acknowledge,
    Decline,
    Extend,
    MailReply,
    NotUnderstood,
    NotYet,
    dated,
    normalise,
    say,
    without_marks,
)

MAX_CLAUSE_CHARS = 300
MAX_CLAUSES = 60
NO_PROMISE = Text(
    "Không đọc được ngày hẹn hoàn thành hoặc lý do; ghi như: CHUA 30/6 lý do.",
    "The promised day or the reason could not be read; write it like: CHUA 30/6 reason.",
)
NO_DATE = Text(
    "Không đọc được ngày xin gia hạn hoặc lý do.", "The date or the reason of the extension could not be read."
)

CITATION = r"(?:[ivxlc]+(?:\.[0-9]+){1,2}|bs\.[0-9]+)"
_CITATIONS = re.compile(rf"(?<![\w.])({CITATION})(?![\w])")
_POLITE = (
    r"(?:da|vang|xin|kinh|cam on|tran trong|cam on so|thong bao|bao cao so|thanks?|thank you|with|hi|hello|we|i|hereby|"
    r"yes|roi|nhe|nha|a|ah|anh|chi|em|so|oi|duoc roi)"
)
_AGENT = (
    r"(?:ubnd|uy ban|uy ban nhan dan|so|phong|van phong|vp|don vi|co quan|xa|phuong|huyen|thi xa|thanh pho|tinh|ban|"
    r"toi|em|minh|chung toi|chung em|anh|chi|trung tam|chi cuc|cong an|bo chi huy|mat tran|truong|we|our office)"
)
_TURNS = (
    r"(?:khong|ko|chua|chang|dung|neu|nhung|tuy|lai|giup|ho|ai|gi|sao|nao|se|de nghi|khi|sau|hay|can|phai|hoi|cho|not|"
    r"if|but|will|cannot|please)"
)
"""Words that turn the meaning of a clause: with one of them in it, it is not what it looks like."""
_TURNS_AS_WRITTEN = "không chưa chẳng đừng nếu nhưng tuy lại giúp hộ gì sao nào sẽ đề nghị hãy cần phải hỏi hay"
_WITH_MARKS = frozenset(_TURNS_AS_WRITTEN.split(" "))
_LIKE_THEM = frozenset(without_marks(word) for word in _WITH_MARKS)
_RECEIVED = (
    r"(?:xn|ack|acknowledged?|confirm(?:ed)?|received|noted|ok(?:ay|e|ie)?|(?:da )?ro|"
    r"xac nhan(?: la)?(?: da)?(?: (?:tiep )?nhan)?(?: duoc| du| day du| roi| het)*|"
    r"(?:da|vua) (?:tiep )?nhan(?: duoc| du| day du| roi| het)*|(?:tiep )?nhan(?: duoc| du| day du| roi| het)+)"
)
_OBJECT = (
    r"(?:thu(?: nhac(?: viec)?)?|e-?mail|mail|tin(?: nhan)?|van ban|cong van|thong tin|thong bao|nhiem vu|noi dung|"
    r"ke hoach|viec|duoc giao|giao|cua so|tren|nay|ca|cac|du|het|day du|da nhan|[0-9]{1,3}|mot|hai|ba|bon|muc|va|it|"
    rf"this|the|letter|message|{CITATION})"
)
_ACK = re.compile(
    rf"(?:{_POLITE}[\s,.!:-]+)*(?:{_AGENT}(?: (?!{_TURNS}\b)[\w&/().-]+){{0,9}}? )?{_RECEIVED}"
    rf"(?:[\s,]+{_OBJECT})*(?:[\s,.!:-]+{_POLITE})*"
)
_COUNTED = re.compile(r"(?<![\w/.])(?P<n>[0-9]{1,3}|mot|hai|ba|bon) (?:nhiem vu|viec|noi dung)\b")
_NUMBERS = {"mot": 1, "hai": 2, "ba": 3, "bon": 4}
_COMPLIES = re.compile(
    r"(?:va |em |don vi |xa |ubnd xa |phong |chung toi |toi |so )*"
    r"(?:se|dang|da giao|giao|to chuc|trien khai|chuyen|nghiem tuc)\b(?P<what>.*)"
)
_SENDS = re.compile(
    rf"(?:{_POLITE}[\s,.!:-]+)*(?:{_AGENT}(?: (?!{_TURNS}\b)[\w&/().-]+){{0,9}}? )?(?:kinh |bc\s*:?\s*)*"
    r"(?:gui(?: kem)?|kem theo|dinh kem|bao cao day)\b(?P<what>.{0,160})"
)
_COMPLIES_NOT = re.compile(
    r"\b(?:khong|chua|nhung|de nghi|xin|gia han|kho khan|vuong|sau|neu|cham|lai|not|but)\b|[0-9][/.-][0-9]|ngay [0-9]"
)
"""In what somebody is going to do: something the monitor has to read."""
_CONDITIONS = re.compile(r"(?:nhung|tuy nhien|tuy|song|neu|khi|sau khi|voi dieu kien|but|if|however)\b")
_JOINS = re.compile(r"(?:ly do|vi|do|boi vi|nguyen nhan|hen|xin hen)\b")
"""Begins a sentence that goes on with the one before it."""
_OPEN_ENDED = re.compile(r"\b(?:gia han|gh|lui (?:thoi )?han|chua|extend)\b")

_EXTEND = re.compile(
    r"(?P<lead>.*?)\b(?:gia han|gh|lui (?:thoi )?han|extend|extension)\b"
    r"(?P<fill>(?:[\s,:.-]+|thoi gian|thoi han|bao cao|nop|nhiem vu|muc|viec|cua|them|cho|het|han|va|to\b|until|"
    rf"toi da|{CITATION}|(?:den|toi) (?=het|muc))*)(?P<rest>.*)"
)
_EXTEND_NOT = re.compile(r"\b(?:khong|chua|neu|da duoc|da xin|da gui|da co|not)\b")
_BECAUSE = re.compile(r"(?:do|vi|boi vi)\s+(?P<reason>[^,]+),")
_REASON = re.compile(r"[\s,.:;-]*(?:(?:nhe|nha|a|ah|ly do|la)\b[\s,.:;-]*)*")
_NOT_YET = re.compile(
    rf"(?P<lead>(?:(?:bc|bao cao|muc|nhiem vu|viec|va|{CITATION})[\s,:-]*)*"
    rf"(?:{_AGENT}(?: (?!{_TURNS}\b)[\w&/().-]+){{0,9}}? )?)chua\b"
    r"(?P<verb>(?:(?: lam)? (?:xong|thuc hien|hoan thanh|trien khai|bao cao|lam)(?: xong| duoc)*)*)(?P<rest>.*)"
)
_PROMISED = re.compile(
    r"\b(?:xin )?hen\b(?: lai| hoan thanh| bao cao| xong| gui| thuc hien| truoc| vao| den het| ngay(?= ))*\s*[:,]?\s*"
)
_DIRECTLY = re.compile(rf"(?:[\s:.,-]+|muc|va|{CITATION})*")
_DECLINE = re.compile(
    rf"(?P<lead>(?:(?:nhiem vu|viec|noi dung|cong viec|muc|day|theo|{_AGENT}|{CITATION})\b.{{0,80}}?)?)"
    r"\bkhong (?:thuoc (?:ve )?(?:tham quyen|chuc nang|nhiem vu|pham vi|trach nhiem|linh vuc)"
    r"|phai (?:la )?(?:nhiem vu|viec|trach nhiem|cong viec) cua)\b.*"
)
_SAY = re.compile(
    rf"(?:(?P<short>kk|tl)\b[\s:]*|(?P<long>kho khan(?:,? vuong mac)?|vuong mac|tra loi)\s*:"
    rf"|(?:cho |xin |em |toi )*(?P<asks>hoi)\s*(?:(?={CITATION})|:))\s*(?=\S)"
)
_TAGS = {"vuong mac": "kho khan"}
_CLOSING = re.compile(r"(?:tran trong|kinh thu|thanks|regards|best regards|yours)\b.{0,40}")
_GREETING = re.compile(r"(?:kinh gui|kinh chao|kinh thua|xin chao|chao|dear|hi|hello)\b[^,.;!?]{0,80}[,.;!:]*")
_COURTESY = re.compile(rf"(?:(?:{_POLITE}|toi|minh|chung toi|don vi|co quan|phong)[\s,.!;:-]*)+")
_SIGNATURE_WORDS = 8
_SAYS = re.compile(
    r"\b(?:khong|chua|xin|de nghi|kho khan|vuong|gia han|bao cao|gui|kem|chuyen|tham quyen|nhung|tuy nhien|se|can|duoc|"
    r"xac nhan|nhan|not|but|please|will|cannot)\b"
)
"""Below the closing these words tell something that is said from a name, a position or a telephone number."""
_SENTENCE_END = re.compile(r"(?<=[.!?…])\s+(?=\S)|;\s*")


@dataclass(frozen=True, slots=True)
class ReadReply:
    """``requests``: in the order of the text; ``NotUnderstood`` is one that was begun and cannot be carried out.
    ``rest``: what says something else, a line for each clause, without greeting and signature."""

    requests: tuple[MailReply, ...] = ()
    rest: str = ""


_Reader = Callable[[str, str, date], MailReply | None]


@dataclass
class _Reading:
    today: date
    requests: list[MailReply] = field(default_factory=list)
    rest: list[str] = field(default_factory=list)


def read_requests(text: str, today: date) -> ReadReply:
    """``today``: completes a date without a year. Never raises."""
    reading = _Reading(today)
    clauses = _clauses(_said_lines(text))
    for clause in clauses[:MAX_CLAUSES]:
        _read_clause(reading, clause)
    reading.rest += clauses[MAX_CLAUSES:]
    return ReadReply(tuple(dict.fromkeys(reading.requests)), "\n".join(reading.rest))


# --- lines and clauses ----------------------------------------------------------------------------------------------


def _said_lines(text: str) -> Iterator[tuple[str, bool]]:
    """The lines that say something: no greeting, closing or signature; and whether they stand below the closing."""
    closed = False
    for line in text.split("\n"):
        folded = _folded(line)
        if _CLOSING.fullmatch(folded) and not _SAYS.search(folded):
            closed = True
            continue
        if not folded or _COURTESY.fullmatch(folded):
            continue
        if closed and len(folded.split()) <= _SIGNATURE_WORDS and not _SAYS.search(folded):
            continue
        yield _without_greeting(line), closed


def _without_greeting(line: str) -> str:
    """«Kính gửi Sở, đơn vị xin …» goes on after its greeting; «Kính gửi báo cáo» greets nobody."""
    folded = without_marks(line)
    start = len(line) - len(line.lstrip())
    greeting = _GREETING.match(folded, start)
    if greeting is None or _SAYS.search(greeting.group().partition(" ")[2].removeprefix("gui")):
        return line
    return line[greeting.end() :]


def _clauses(lines: Iterable[tuple[str, bool]]) -> list[str]:
    """Sentences, and parts between semicolons; free words go on over the lines that follow, up to the closing."""
    clauses: list[str] = []
    free = False
    for line, closed in lines:
        parts = _parts(line)
        if free and parts and not closed and not _is_request(parts[0]):
            clauses[-1] = f"{clauses[-1]} {line.strip()}"
            continue
        for part in parts:
            if clauses and _JOINS.match(_folded(part)) and _OPEN_ENDED.search(_folded(clauses[-1])) and not free:
                clauses[-1] = f"{clauses[-1].rstrip('. ')}, {part}"
            else:
                clauses.append(part)
        free = bool(clauses) and _SAY.match(_folded(clauses[-1])) is not None
    return clauses


def _parts(line: str) -> list[str]:
    """The clauses of one line; what follows «KK:» is one."""
    found: list[str] = []
    rest = line.strip()
    while rest:
        if _SAY.match(_folded(rest)):
            return [*found, rest]
        end = _SENTENCE_END.search(rest)
        if end is None:
            return [*found, rest]
        found.append(rest[: end.start()].strip())
        rest = rest[end.end() :].strip()
    return [each for each in found if each]


def _is_request(clause: str) -> bool:
    folded = _folded(clause)
    return any(pattern.match(folded) for pattern in (_SAY, _EXTEND, _NOT_YET, _DECLINE)) or bool(_ACK.fullmatch(folded))


def _folded(text: str) -> str:
    return _told_apart(normalise(text))


def _told_apart(typed: str) -> str:
    """Without diacritics, each letter at its place. A word that only without them is one that turns a meaning, as the
    name «Cắn» is «cần», is not taken for it."""
    folded = without_marks(typed)
    for word in re.finditer(r"\w+", typed):
        plain = folded[word.start() : word.end()]
        if plain in _LIKE_THEM and not word.group().isascii() and word.group().casefold() not in _WITH_MARKS:
            folded = f"{folded[: word.start()]}{'z' * len(plain)}{folded[word.end() :]}"
    return folded


# --- one clause -----------------------------------------------------------------------------------------------------


def _read_clause(reading: _Reading, clause: str) -> None:
    typed = normalise(clause).lstrip("+•·👍 ")
    folded = _told_apart(typed)
    if clause.rstrip().endswith("?"):
        readers: tuple[_Reader, ...] = (_said,)
    elif _acknowledges(reading, typed, folded):
        return
    else:
        readers = (_said, _extension, _not_yet, _declined)
    for read in readers:
        found = read(typed, folded, reading.today)
        if found is not None:
            reading.requests.append(found)
            return
    if folded and not _COURTESY.fullmatch(folded):
        reading.rest.append(clause.strip())


def _said(typed: str, folded: str, today: date) -> MailReply | None:
    del today
    found = _SAY.match(folded)
    if found is None:
        return None
    what = (found["short"] or found["long"] or found["asks"]).replace(",", "")
    return say("", _TAGS.get(what, what), typed[found.end() :], folded[found.end() :])


def _extension(typed: str, folded: str, today: date) -> MailReply | None:
    found = _EXTEND.fullmatch(folded) if len(folded) <= 2 * MAX_CLAUSE_CHARS else None
    if found is None or _EXTEND_NOT.search(found["lead"]):
        return None
    day = DATE.match(folded, found.start("rest"))
    if day is None:
        return NotUnderstood(NO_DATE, typed)
    because = _BECAUSE.search(found["lead"])
    before = typed[because.start("reason") : because.end("reason")] if because else ""
    read = dated(day, _reason(typed, folded, day.end()) or before, today)
    if isinstance(read, Text) or _CITATIONS.match(_told_apart(read[1])):  # the next task, with a day of its own
        return NotUnderstood(NO_DATE, typed)
    return Extend("", *read, _cited(folded[: day.start()]))


def _not_yet(typed: str, folded: str, today: date) -> MailReply | None:
    """The report that a task is not done, with its day. «Chưa nhận được công văn ngày 30/6» is none."""
    found = _NOT_YET.fullmatch(folded) if len(folded) <= 2 * MAX_CLAUSE_CHARS else None
    promised = _PROMISED.search(folded)
    if found is None:
        alone = promised is not None and promised.start() == 0
        return NotUnderstood(NO_PROMISE, typed) if alone else None
    start = found.start("rest")
    day = DATE.match(folded, _after(_DIRECTLY, folded, start))
    if day is None and promised is not None and (found["verb"] or promised.start() <= _after(_DIRECTLY, folded, start)):
        day = DATE.match(folded, promised.end())
        if day is None:
            return NotUnderstood(NO_PROMISE, typed)
    if day is None:
        return None
    read = dated(day, _reason(typed, folded, day.end()), today)
    return NotUnderstood(NO_PROMISE, typed) if isinstance(read, Text) else NotYet(*read, _cited(folded[: day.start()]))


def _declined(typed: str, folded: str, today: date) -> MailReply | None:
    del today
    found = _DECLINE.fullmatch(folded) if len(folded) <= MAX_CLAUSE_CHARS else None
    if found is None or re.search(rf"\b{_TURNS}\b", found["lead"]) or re.search(r"\b(?:nhung|tuy|neu)\b", folded):
        return None
    return Decline(typed, _cited(folded))


def _acknowledges(reading: _Reading, typed: str, folded: str) -> bool:
    """An acknowledgement, perhaps with what the office is going to do, or with another request behind a comma."""
    if len(folded) > MAX_CLAUSE_CHARS or _SAY.match(folded):
        return False
    if _ACK.fullmatch(folded):
        reading.requests.append(_received(folded))
        return True
    for cut in re.finditer(r",\s*| (?=va (?:se|dang) )", folded):
        first, after = folded[: cut.start()], folded[cut.end() :]
        if not _ACK.fullmatch(first) or _CONDITIONS.match(after):
            continue
        reading.requests.append(_received(first))
        complies = _COMPLIES.fullmatch(after)
        if complies is None or _COMPLIES_NOT.search(complies["what"]):
            _read_clause(reading, typed[cut.end() :])
        return True
    return False


def _received(folded: str) -> Acknowledge:
    counted = _COUNTED.search(folded)
    number = counted["n"] if counted else "0"
    return Acknowledge("", _cited(folded), _NUMBERS.get(number) or (int(number) if number.isdigit() else 0))


def _after(pattern: re.Pattern[str], folded: str, start: int) -> int:
    found = pattern.match(folded, start)
    return found.end() if found else start


def _reason(typed: str, folded: str, start: int) -> str:
    return typed[_after(_REASON, folded, start) :]


def _cited(folded: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(each.upper() for each in _CITATIONS.findall(folded)))


def without_sending(rest: str) -> str:
    """What was left over, without lines that only say that a file is sent: «Gửi Sở báo cáo 6 tháng»."""
    return "\n".join(line for line in rest.split("\n") if not _only_sends(line))


def _only_sends(line: str) -> bool:
    found = _SENDS.fullmatch(_folded(line))
    turned = rf"\b(?:{_TURNS}|xin|kho khan|vuong)\b"
    return found is not None and "?" not in line and re.search(turned, found["what"]) is None


def citations_in(words: Sequence[str]) -> tuple[str, ...]:
    """The duties that free words name."""
    return _cited(" ".join(map(_folded, words)))
