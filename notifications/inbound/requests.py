"""What an answer in free words asks: every clause that says one thing and nothing else, and what is left over.

Pure. A clause is read only as a whole, and but for the reason of a day all its words are in the lists below: «khỏi gia
hạn», «đã nhận, gửi nhầm» and «5 đơn không thuộc thẩm quyền» are left for a person. Codes are empty: the letter says
what its answer is about.
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
MIN_NAME_CHARS = 3
MAX_CLAUSES = 60
NO_PROMISE = Text(
    "Không đọc được ngày hẹn hoàn thành hoặc lý do; ghi như: CHUA 30/6 do …",
    "The promised day or the reason could not be read; write it like: CHUA 30/6 because …",
)
NO_DATE = Text(
    "Không đọc được ngày xin gia hạn hoặc lý do; ghi như: GH 30/6 do …",
    "The date or the reason of the extension could not be read; write it like: GH 30/6 because …",
)


def _one_of(words: str) -> str:
    """A pattern for whole words, of several that begin alike the longest first. Atomic: a text that could be taken
    apart in many ways would be tried in all of them."""
    return rf"(?>(?:{words})(?!\w))"


CITATION = r"(?:[ivxlc]+(?:\.[0-9]+){1,2}|bs\.[0-9]+)"
_CITATIONS = re.compile(rf"(?<![\w.])({CITATION})(?![\w])")
_NAME = "\x02"
"""Stands for each character of the office's own name."""
_POLITE_WORDS = (
    r"da|vang|xin|kinh|cam on so|cam on|tran trong|thong bao|bao cao so|thank you|thanks?|with|hi|hello|we|i|hereby|"
    r"yes|duoc roi|roi|nhe|nha|a|ah|anh|chi|em|so|oi"
)
_OFFICE_WORDS = (
    rf"{_NAME}+|ubnd|hdnd|uy ban nhan dan|uy ban|so|phong|van phong|vp|don vi|co quan|xa|phuong|huyen|thi xa|thi tran|"
    r"thanh pho|tinh|ban|chung toi|chung em|toi|em|minh|anh|chi|trung tam|chi cuc|truong|our office|we"
)
_DUTY_WORDS = rf"nhiem vu|viec|noi dung|cong viec|bao cao|bc|muc|nay|tren|day|va|{CITATION}"
_SEPARATED = r"[\s,.!:-]+"
_POLITE = _one_of(_POLITE_WORDS)
_OFFICE = rf"{_one_of(_OFFICE_WORDS)}(?:[\s-]+{_one_of(_OFFICE_WORDS)})*"
_BEFORE = rf"(?:{_one_of(f'{_POLITE_WORDS}|{_OFFICE_WORDS}')}{_SEPARATED})*"
_ABOUT = rf"(?:{_one_of(f'{_POLITE_WORDS}|{_OFFICE_WORDS}|{_DUTY_WORDS}')}{_SEPARATED})*"
_BEHIND = rf"(?:{_SEPARATED}{_POLITE})*"
_TURNS = (
    r"(?:khong|ko|chua|chang|dung|neu|nhung|tuy|lai|giup|ho|ai|gi|sao|nao|se|de nghi|khi|sau|hay|can|phai|hoi|cho|not|"
    r"if|but|will|cannot|please)"
)
"""Words that turn the meaning of a clause: with one of them in it, it is not what it looks like."""
_TURNS_AS_WRITTEN = "không chưa chẳng đừng nếu nhưng tuy lại giúp hộ gì sao nào sẽ đề nghị hãy cần phải hỏi hay"
_WITH_MARKS = frozenset(f"{_TURNS_AS_WRITTEN} đúng do vì vị để chờ lý lí thiếu".split(" "))
_LIKE_THEM = frozenset(without_marks(word) for word in _WITH_MARKS)
_RECEIVED = (
    r"(?:xn|ack|acknowledged?|confirm(?:ed)?|received|noted|ok(?:ay|e|ie)?|(?:da )?ro|"
    r"xac nhan(?: la)?(?: da)?(?: (?:tiep )?nhan)?(?: duoc| du| day du| roi| het)*|"
    r"(?:da|vua) (?:tiep )?nhan(?: duoc| du| day du| roi| het)*|(?:tiep )?nhan(?: duoc| du| day du| roi| het)+)"
)
_OBJECT = _one_of(
    r"thu nhac viec|thu nhac|thu|e-?mail|mail|tin nhan|tin|van ban|cong van|thong tin|thong bao|nhiem vu|noi dung|"
    r"ke hoach|viec|duoc giao|giao|cua so|tren|nay|ca|cac|du|het|day du|da nhan|[0-9]{1,3}|mot|hai|ba|bon|muc|va|it|"
    rf"this|the|letter|message|{CITATION}"
)
_ACK = re.compile(rf"{_BEFORE}{_RECEIVED}(?:[\s,]+{_OBJECT})*{_BEHIND}")
_COUNTED = re.compile(r"(?<![\w/.])(?P<n>[0-9]{1,3}|mot|hai|ba|bon) (?:nhiem vu|viec|noi dung)\b")
_NUMBERS = {"mot": 1, "hai": 2, "ba": 3, "bon": 4}
_COMPLIES = re.compile(
    rf"(?:va )?{_BEFORE}(?:(?:se|dang) )?(?:"
    + _one_of(
        r"to chuc|trien khai|thuc hien|lam|bao cao|nghiem tuc|kip thoi|day du|ngay|dung thoi han|dung han|"
        r"theo quy dinh|nhiem vu|nhe|a"
    )
    + r"(?: |$))+"
)
_ENCLOSES = re.compile(rf"{_BEFORE}gui(?: {_one_of('kem|theo|so|anh|bao cao|van ban|tep|day|a')})*")
_SENDS = re.compile(
    rf"{_BEFORE}(?:{_OFFICE} (?:(?!{_TURNS}\b)[\w&/().-]+ ){{0,9}}?)?(?:kinh |bc\s*:?\s*)*"
    r"(?:gui(?: kem)?|kem theo|dinh kem|bao cao day)\b(?P<what>.{0,160})"
)
_JOINS = re.compile(r"(?:ly do|vi|do|boi vi|nguyen nhan|hen|xin hen)\b")
"""Begins a sentence that goes on with the one before it."""
_OPEN_ENDED = re.compile(r"\b(?:gia han|gh|lui (?:thoi )?han|chua|extend)\b")

_EXTEND = re.compile(
    rf"(?:(?:muc |nhiem vu )?{CITATION}{_SEPARATED}(?:va )?)*"
    rf"(?:(?:(?:do|vi|boi vi) (?P<before>[^,]+), ?)?{_ABOUT}(?:xin phep|xin|de nghi|de xuat|please)"
    r"(?: (?:quy|so|cho|duoc|phep))* )?"
    r"(?:gia han|gh|lui (?:thoi )?han|extend|extension)(?!\w)"
    r"(?:[\s,:.-]|thoi gian|thoi han|bao cao|nop|nhiem vu|muc|viec|cua|them|cho|het|han|va|to\b|until|"
    rf"toi da|{CITATION}|(?:den|toi) (?=het|muc))*(?P<rest>.*)"
)
_NOT_YET = re.compile(
    rf"{_ABOUT}chua(?!\w)(?P<verb>(?: (?:lam|xong|thuc hien|hoan thanh|trien khai|bao cao|duoc)(?!\w))*)"
    rf"(?:[\s:.,-]|{_one_of(f'muc|va|{CITATION}|{_POLITE_WORDS}')})*"
    r"(?P<promise>hen(?!\w)(?: lai| hoan thanh| bao cao| xong| gui| thuc hien| truoc| vao| den het| ngay(?= ))*"
    r"[\s:,]*)?(?P<rest>.*)"
)
_PROMISES = re.compile(r"(?:xin )?hen\b")
_REASON = re.compile(
    r"[\s,.:;-]*(?:(?:nhe|nha|a|ah|em|anh|chi)(?!\w)[\s,.:;-]*)*"
    r"(?:(?:ly do|nguyen nhan)(?!\w)(?: la(?!\w))?[\s,.:;-]*(?P<named>.*)"
    r"|(?P<plain>(?:do|vi|boi vi|de(?! nghi)|cho|thieu|because|waiting) .*))?"
)
"""What may follow a day: nothing, or why."""
_DECLINE = re.compile(
    rf"{_ABOUT}khong (?:thuoc(?: ve)?(?:,? {_one_of('tham quyen|chuc nang|nhiem vu|pham vi|trach nhiem|linh vuc|va')})+"
    rf"|phai(?: la)? (?:nhiem vu|viec|trach nhiem|cong viec)(?= cua))(?: cua {_OFFICE})?{_BEHIND}"
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
    names: re.Pattern[str]
    requests: list[MailReply] = field(default_factory=list)
    rest: list[str] = field(default_factory=list)

    def folded(self, typed: str) -> str:
        return self.names.sub(lambda found: _NAME * len(found.group()), _told_apart(typed))


def read_requests(text: str, today: date, names: Iterable[str] = ()) -> ReadReply:
    """``today``: completes a date without a year. ``names``: of the writer's office. Never raises."""
    reading = _Reading(today, _pattern_of(names))
    clauses = _clauses(reading, _said_lines(text.replace("./.", ".")))
    for clause in clauses[:MAX_CLAUSES]:
        _read_clause(reading, clause)
    reading.rest += clauses[MAX_CLAUSES:]
    return ReadReply(tuple(dict.fromkeys(reading.requests)), "\n".join(reading.rest))


def _pattern_of(names: Iterable[str]) -> re.Pattern[str]:
    """The names, and what of each is the office's own: «Nậm Cắn», «Tư pháp»."""
    whole = [_folded(name) for name in names]
    own = [re.sub(rf"{_OFFICE}[\s-]+", "", name, count=1) if re.match(_OFFICE, name) else name for name in whole]
    parts = sorted({part for part in (*whole, *own) if len(part) >= MIN_NAME_CHARS}, key=len, reverse=True)
    return re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, parts))})(?!\w)" if parts else r"(?!)")


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


def _clauses(reading: _Reading, lines: Iterable[tuple[str, bool]]) -> list[str]:
    """Sentences, and parts between semicolons; free words go on over the lines that follow, up to the closing."""
    clauses: list[str] = []
    free = False
    for line, closed in lines:
        parts = _parts(line)
        if free and parts and not closed and not _is_request(reading.folded(normalise(parts[0]))):
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


def _is_request(folded: str) -> bool:
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
    folded = reading.folded(typed)
    if clause.rstrip().endswith("?"):
        readers: Sequence[_Reader] = (_said,)
    elif _acknowledges(reading, typed, folded):
        return
    else:
        readers = _READERS
    found = _first(readers, typed, folded, reading.today)
    if found is not None:
        reading.requests.append(found)
    elif folded and not _COURTESY.fullmatch(folded):
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
    if found is None:
        return None
    day = DATE.match(folded, found.start("rest"))
    before = typed[found.start("before") : found.end("before")] if found["before"] else ""
    read = _dated(typed, folded, day, today, before)
    return NotUnderstood(NO_DATE, typed) if read is None else Extend("", *read, _cited(folded[: found.start("rest")]))


def _not_yet(typed: str, folded: str, today: date) -> MailReply | None:
    """The report that a task is not done, with its day. «Chưa nhận được công văn ngày 30/6» is none."""
    found = _NOT_YET.fullmatch(folded) if len(folded) <= 2 * MAX_CLAUSE_CHARS else None
    if found is None:
        return NotUnderstood(NO_PROMISE, typed) if _PROMISES.match(folded) else None
    if not found["promise"] and (found["verb"] or not found["rest"][:1].isdigit()):
        return None
    read = _dated(typed, folded, DATE.match(folded, found.start("rest")), today)
    return NotUnderstood(NO_PROMISE, typed) if read is None else NotYet(*read, _cited(folded[: found.start("rest")]))


def _dated(
    typed: str, folded: str, day: re.Match[str] | None, today: date, before: str = ""
) -> tuple[date, str] | None:
    """A day with the reason behind or ``before`` it; None if one is missing or something else follows."""
    behind = _REASON.fullmatch(folded, day.end()) if day is not None else None
    if day is None or behind is None:
        return None
    start = behind.start("named") if behind["named"] else behind.start("plain") if behind["plain"] else len(typed)
    read = dated(day, typed[start:] or before, today)
    return None if isinstance(read, Text) else read


def _declined(typed: str, folded: str, today: date) -> MailReply | None:
    del today
    found = _DECLINE.fullmatch(folded) if len(folded) <= MAX_CLAUSE_CHARS else None
    return Decline(typed, _cited(folded)) if found is not None else None


_READERS: Sequence[_Reader] = (_said, _extension, _not_yet, _declined)


def _first(readers: Sequence[_Reader], typed: str, folded: str, today: date) -> MailReply | None:
    return next((found for read in readers if (found := read(typed, folded, today)) is not None), None)


def _acknowledges(reading: _Reading, typed: str, folded: str) -> bool:
    """An acknowledgement, perhaps with what the office is going to do, or with another request behind a comma."""
    if len(folded) > MAX_CLAUSE_CHARS or _SAY.match(folded):
        return False
    if _ACK.fullmatch(folded):
        reading.requests.append(_received(folded))
        return True
    for cut in re.finditer(r",\s*| (?=va (?:se|dang) )", folded):
        first, after = folded[: cut.start()], folded[cut.end() :]
        if not _ACK.fullmatch(first):
            continue
        asked = _first(_READERS, typed[cut.end() :], after, reading.today)
        if isinstance(asked, NotUnderstood):
            reading.requests.append(asked)
            return True
        if asked is None and not (_COMPLIES.fullmatch(after) or _ENCLOSES.fullmatch(after)):
            continue
        reading.requests += [_received(first)] if asked is None else [_received(first), asked]
        reading.rest += [typed[cut.end() :]] if _ENCLOSES.fullmatch(after) else []
        return True
    return False


def _received(folded: str) -> Acknowledge:
    counted = _COUNTED.search(folded)
    number = counted["n"] if counted else "0"
    return Acknowledge("", _cited(folded), _NUMBERS.get(number) or (int(number) if number.isdigit() else 0))


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
