"""What an answer asks, by mail, SMS or Zalo. Pure.

Sure: the whole text, greeting and signature apart, is of a closed grammar: the office's own acknowledgement, all of
whose words are in the lists below, and the words that the letters teach (XN, GH, CHUA, KK, HOI, TL). It acts.

Proposed: anything else in which an act, a day or a citation is found. It has no effect before a person presses; what
looks like one thing and may say another («khỏi gia hạn») costs them a look, and nobody else anything.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date

from engine.correspondence.message_acts import DAYS, ENTRIES, Request
from engine.rules.typed_day import MAX_NEXT_YEAR_LEAD, FoundDay, days_in, read_typed_day
from engine.rules.vietnamese import matching, without_marks
from engine.terms import Ask
from engine.text import Text
from notifications.sms.replies import NO_DATE, NO_REASON, NO_WORDS, normalise

MAX_REASON_CHARS, MAX_SAID_CHARS = 300, 2_000
MAX_CLAUSE_CHARS = 300
MAX_CLAUSES = 60
NO_PROMISE = Text(
    "Không đọc được ngày hẹn hoàn thành hoặc lý do; ghi như: CHUA 30/6 do …",
    "The promised day or the reason could not be read; write it like: CHUA 30/6 because …",
)
NO_EXTENSION = Text(
    "Không đọc được ngày xin gia hạn hoặc lý do; ghi như: GH 30/6 do …",
    "The date or the reason of the extension could not be read; write it like: GH 30/6 because …",
)


@dataclass(frozen=True, slots=True)
class ReadReply:
    """``sure``: the text says that and nothing else; else ``proposed``, for a person to confirm. ``problem``: what is
    missing in what was begun in the taught words. ``rest``: what is said, without greeting and signature."""

    sure: tuple[Request, ...] = ()
    proposed: tuple[Request, ...] = ()
    problem: Text | None = None
    rest: str = ""


# --- the closed grammar ---------------------------------------------------------------------------------------------


def _words(phrases: str) -> str:
    """A pattern for whole phrases, each word with its marks or without any. Atomic: a text that could be taken apart in
    many ways would be tried in all of them."""
    longest_first = sorted(phrases.split("|"), key=len, reverse=True)
    return rf"(?>(?:{'|'.join(map(_spelled, longest_first))})(?!\w))"


def _spelled(words: str) -> str:
    spelled = (matching(word) for word in words.split())
    return " ".join(w if w.isascii() else f"(?:{w}|{without_marks(w)})" for w in map(re.escape, spelled))


CITATION = r"(?:[ivxlc]+(?:\.[0-9]+){1,2}|bs\.[0-9]+)(?!\w|\.\w)"
_SEPARATED = r"[\s,.!:-]+"
_WRITER = "đơn vị|cơ quan|văn phòng|phòng|chúng tôi|chúng em|tôi|mình|em|our office|we|i"
_COURTESY_WORDS = (
    "dạ|vâng|xin|kính|kính báo|cảm ơn|cám ơn|cảm ơn sở|cám ơn sở|trân trọng|thông báo|báo cáo sở|thank you|thanks|"
    f"with thanks|hi|hello|yes|được rồi|rồi|nhé|nha|ạ|a|ah|anh|chị|oi|ơi|{_WRITER}"
)
_COURTESY = _words(_COURTESY_WORDS)
_RECEIVED = _words(
    "xn|ack|acknowledged|confirm|confirmed|received|noted|ok|oke|okay|okie|đã rõ|rõ|xác nhận|xác nhận đã nhận|"
    "xác nhận là đã nhận|xác nhận đã tiếp nhận|xác nhận nhận|đã nhận|vừa nhận|đã tiếp nhận|nhận được|nhận đủ"
)
_OBJECT_WORDS = _words(
    "được|đủ|đầy đủ|rồi|hết|thư|thư nhắc|thư nhắc việc|e-mail|email|mail|tin nhắn|tin|văn bản|thông tin|thông báo|"
    "nhiệm vụ|nội dung|việc|được giao|giao|của sở|nêu trên|trên|này|cả|các|một|hai|ba|bốn|mục|và|this|the|letter|"
    "message"
)
_OBJECT = rf"(?:{_OBJECT_WORDS}|[0-9]{{1,3}}(?!\w)|{CITATION})"
_COMPLIANCE = _words(
    "tổ chức|triển khai|thực hiện|làm|báo cáo|nghiêm túc|kịp thời|đầy đủ|ngay|đúng thời hạn|đúng hạn|theo quy định|"
    "nhiệm vụ"
)
_COMPLIES = rf"(?:{_words(f'và|{_WRITER}')} )*{_words('sẽ')}(?: {_COMPLIANCE})+"
_COURTEOUS = re.compile(rf"(?:{_COURTESY}(?:{_SEPARATED}|$))*")
_SENDING = _words(
    "kính|gửi|xin|bc|báo cáo|sở|anh|chị|em|kèm|theo|đính|văn bản|tệp|file|ảnh|chụp|quý|tháng|năm|6|đầu|kết quả|"
    "thực hiện|của|đơn vị|xã|phòng|đã|ký|đây|ạ|a|có|nộp|lại|và"
)
_SENDS = re.compile(rf"(?:{_SENDING}(?:[\s,.:()]+|$))+")
"""What only says that a file is sent."""
_COUNTED = re.compile(r"(?<![\w/.])(?P<n>[0-9]{1,3}|mot|hai|ba|bon) (?:nhiem vu|viec|noi dung|muc|bao cao)\b")
_NUMBERS = re.compile(r"(?<![\w/.])(?P<n>[0-9]{1,3}|mot|hai|ba|bon)(?![\w/.])")
_COUNTS = {"mot": 1, "hai": 2, "ba": 3, "bon": 4}
_EVERY = re.compile(r"\b(?:ca|tat ca|toan bo|cac) (?:\w+ )?(?:nhiem vu|viec|noi dung|muc|bao cao)\b")
_CITATIONS = re.compile(rf"(?<![\w.])({CITATION})")
_GAP = r"[\s:.,;-]*"
_DAYED = re.compile(
    rf"(?:(?P<extends>gh|gia han|extend)|chua)(?!\w){_GAP}(?:(?:muc|nhiem vu|va)?{_GAP}{CITATION}{_GAP})*"
    rf"(?(extends)(?:(?:den|toi|sang|ngay|to|until|het(?= ngay| \d))(?!\w){_GAP})*)(?P<rest>.*)"
)
_SAID = re.compile(
    rf"(?:(?P<short>kk|tl)\b|(?P<long>kho khan(?:,? vuong mac)?|vuong mac|tra loi|(?:(?:cho|xin|em|toi) )*hoi)"
    rf"(?P<colon>\s*:)?)(?![\w]){_GAP}(?P<cited>{CITATION})?{_GAP}(?P<text>.*)"
)
_NOTHING = re.compile(r"(?:hien )?(?:khong|chua)(?: co)?(?: gi)?(?: a)?\W*")
"""«Khó khăn: không»."""
FREE = (*ENTRIES, Ask.ANSWER)
_SAID_ASKS = {"tl": Ask.ANSWER, "tra loi": Ask.ANSWER}
_REASON = re.compile(
    r"[\s,.:;-]*(?:(?:ly do|nguyen nhan)(?: la(?!\w))?[\s,.:;-]*(?P<named>.*)"
    r"|(?P<plain>(?:do|vi|boi vi|de|cho|doi|thieu|because|waiting) .*))"
)
_TURNS = re.compile(
    r"\b(?:nhung|tuy|khoi|roi|xong|neu|thoi|huy|khong can|khong phai|da bao cao|gia han|gh|chua \d|hen|xn|kk|de nghi|"
    r"not|but)\b|[?]"
)
"""In a reason they may say the opposite, or ask something else."""


def _sure_clause(typed: str, names: str, today: date, *, taught: bool, asked: bool) -> Request | Text | None:
    """What a clause says as a whole; the problem of one that begins in the taught words; None for any other.
    ``taught``: it came with the code of an SMS, so it is an answer to its words; ``asked``: it ends in «?»."""
    if asked:
        return _said(typed, without_marks(typed), taught=taught)
    normal = matching(typed)
    before = rf"(?:(?:{_COURTESY}|{names}){_SEPARATED})*"
    found = re.fullmatch(
        rf"{before}{_RECEIVED}(?:[\s,]+(?:{_OBJECT}|{_RECEIVED}))*(?:{_SEPARATED}(?:{_COMPLIES}|{_COURTESY}))*", normal
    )
    folded = without_marks(typed)
    if found and len(typed) <= MAX_CLAUSE_CHARS:
        return Request(ask=Ask.ACKNOWLEDGE, citations=_cited(folded), count=_number(_NUMBERS.search(folded)))
    return _said(typed, folded, taught=taught) or _dayed(typed, folded, today, taught=taught)


def _said(typed: str, folded: str, *, taught: bool) -> Request | Text | None:
    found = _SAID.fullmatch(folded)
    if found is None or (found["long"] and not taught and not found["colon"] and not found["cited"]):
        return None
    word = found["short"] or found["long"]
    ask = Ask.QUESTION if word.endswith("hoi") else _SAID_ASKS.get(word, Ask.DIFFICULTY)
    text = typed[found.start("text") :].strip()[:MAX_SAID_CHARS]
    if not any(map(str.isalpha, text)):
        return NO_WORDS
    if _NOTHING.fullmatch(found["text"]):
        return None
    return Request(ask=ask, citations=(found["cited"].upper(),) if found["cited"] else (), text=text)


def _dayed(typed: str, folded: str, today: date, *, taught: bool) -> Request | Text | None:
    found = _DAYED.fullmatch(folded)
    if found is None:
        return None
    ask = Ask.DAY if found["extends"] else Ask.NOT_YET
    start, days = found.start("rest"), days_in(typed, today)
    if not days or days[0].start != start:
        return _why_no_day(found["rest"], today, ask, taught=taught)
    end = days[0].end
    reason = _REASON.fullmatch(folded, end)
    text = _reason_text(typed, end if reason is None else _reason_start(reason))
    if not any(map(str.isalpha, text)) or without_marks(text) == "ly do":
        return NO_REASON if taught else _ASK_BACK[ask]
    if len(days) > 1 or _TURNS.search(folded, end) or (reason is None and not taught):
        return None
    return Request(ask=ask, citations=_cited(folded[:start]), on=days[0].on, text=text)


def _reason_start(found: re.Match[str]) -> int:
    return found.start("plain" if found["named"] is None else "named")


def _reason_text(typed: str, start: int, end: int | None = None) -> str:
    return typed[start:end].strip(" :.,;-")[:MAX_REASON_CHARS].strip()


_ASK_BACK = {Ask.DAY: NO_EXTENSION, Ask.NOT_YET: NO_PROMISE}
_DIGITS = re.compile(r"(?:20\d\d-)?\d{1,2}(?:[/.-]| thang )\d{1,2}(?:(?:[/.-]| nam )\d{2,4})?")


def _why_no_day(said: str, today: date, ask: Ask, *, taught: bool) -> Text | None:
    shown = _DIGITS.match(said)
    if not taught:
        return _ASK_BACK[ask] if shown is not None else None
    if shown is None:
        return NO_DATE
    on = read_typed_day(shown[0], today)
    dated = len(re.findall(r"\d+", shown[0])) == 3
    if on is None or (not dated and on.year > today.year + 1):
        return Text.same(f"Ngay {shown[0]} khong co trong lich. Soan: GH 4821 25/6 ly do")
    passed = on < today or (not dated and on > today + MAX_NEXT_YEAR_LEAD)
    return Text.same(f"Ngay {shown[0]} {'da qua' if passed else 'qua xa, xem lai nam'}. Soan: GH 4821 25/6 ly do")


def _own_names(names: Iterable[str]) -> str:
    """A pattern for how an office calls itself: its names of the directory, the beginning of each («Sở», «UBND xã»),
    and what of it is its own («Nậm Cắn»)."""
    found: set[str] = set()
    for name in names:
        words = matching(name).split()
        for own in (words, _without_council(words), ["ủy", "ban", "nhân", "dân", *_without_council(words)]):
            found |= {" ".join(own[:n]) for n in range(1, len(own) + 1)}
            found |= {" ".join(own[n:]) for n in range(len(own) - 1)}
    found = {each for each in found if any(map(str.isalpha, each))}
    return _words("|".join(each.replace("|", " ") for each in found)) if found else r"(?!)"


def _without_council(words: Sequence[str]) -> Sequence[str]:
    if words[:4] == ["ủy", "ban", "nhân", "dân"]:
        return words[4:]
    return words[1:] if words[:1] == ["ubnd"] else words


def _cited(folded: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(each.upper() for each in _CITATIONS.findall(folded)))


def _number(found: re.Match[str] | None) -> int:
    """How many duties a writer says that they mean; 0 if they do not say."""
    number = found["n"] if found else "0"
    return _COUNTS.get(number) or int(number)


# --- what is judged -------------------------------------------------------------------------------------------------

_CLOSING = re.compile(
    r"(?:.*[,.!] *)?(?:xin )?(?:tran trong|kinh thu|kinh bao|thanks|regards|best regards|yours)\b.{0,24}"
)
_GREETING = re.compile(r"(?:kinh gui|kinh chao|kinh thua|xin chao|chao|dear|hi|hello)\b[^,.;!?:]{0,80}(?:[,.;!:]+|$)")
_GREETED_NEXT = re.compile(r"kinh gui *: *[^.;!?]{0,80}[.;!,]*")
_SIGNATURE_WORDS = 9
_UNIT = re.compile(r"(?:phong|van phong|ban|so|ubnd|hdnd|uy ban|trung tam|chi cuc|to|bo phan|dt|tel|email|sdt)\b")
"""«Phòng Tổng hợp», «ĐT: 0238 …» begin with these; other words of a signature begin with a capital."""
_TITLES = set(without_marks("phó chánh trưởng phòng văn viên chuyên công chức cán bộ thư giám đốc chủ tịch").split())
_SAYS = re.compile(
    r"\b(?:khong|chua|xin|de nghi|kho khan|vuong|gia han|bao cao|gui|kem|chuyen|tham quyen|nhung|tuy nhien|se|"
    r"can(?! bo)|duoc|xac nhan|nhan(?! dan)|hen|sai|nham|khoi|huy|not|but|please|will|cannot)\b"
)
"""A line that says something is no greeting, closing or signature."""
_FOOTER = re.compile(
    r"(?:confidential|disclaimer|thong bao bao mat|luu y bao mat|this (?:e-?mail|message) (?:and|is|may|contains)|"
    r"(?:thu|email|e-mail|thong diep|thu dien tu) nay.{0,80}(?:bao mat|mat|nguoi nhan|tuyet mat)\b)"
)


def _said_lines(text: str) -> Iterator[str]:
    """The lines that say something: no greeting, closing, signature or footer."""
    closed = False
    for line in text.split("\n"):
        folded = without_marks(normalise(line))
        if _FOOTER.match(folded):
            return
        if not folded or _COURTEOUS.fullmatch(matching(normalise(line))):
            closed = closed or bool(_CLOSING.fullmatch(folded))
            continue
        if closed and _is_signature(line, folded):
            continue
        closing = _CLOSING.fullmatch(folded)
        closed = closed or closing is not None
        if closing is not None and not _SAYS.search(folded) and folded.startswith(("tran trong", "kinh thu", "thanks")):
            continue
        yield _without_greeting(line)


def _is_signature(line: str, folded: str) -> bool:
    """Below the closing: names, positions, numbers; no sentence."""
    words = [word for word in normalise(line).split() if any(map(str.isalpha, word))]
    if len(words) > _SIGNATURE_WORDS or _SAYS.search(folded):
        return False
    return bool(_UNIT.match(folded)) or all(w[:1].isupper() or without_marks(w) in _TITLES or "@" in w for w in words)


def _without_greeting(line: str) -> str:
    """«Kính gửi Sở, đơn vị xin …» goes on after its greeting; «Kính gửi báo cáo» greets nobody."""
    folded = without_marks(line)
    start = len(line) - len(line.lstrip())
    greeting = _GREETED_NEXT.match(folded, start) or _GREETING.match(folded, start)
    if greeting is None or _SAYS.search(greeting.group().partition(" ")[2].removeprefix("gui")):
        return line
    return line[greeting.end() :]


_SENTENCE_END = re.compile(r"(?<=[!?…])\s+(?=\S)|(?<=\D\.)\s+(?=\S)|(?<=\d\.)\s+(?=[^\W\d])|;\s*")


def _clauses(lines: Iterable[str]) -> list[str]:
    parts = (part.strip() for line in lines for part in _parts(line.replace("./.", ".").strip()))
    return [part for part in parts if normalise(part)]


def _parts(line: str) -> list[str]:
    """Its sentences, and parts between semicolons; what follows «KK:» is one."""
    parts = _SENTENCE_END.split(line)
    for n, part in enumerate(parts):
        found = _SAID.fullmatch(without_marks(normalise(part)))
        if found is not None and (found["short"] or found["colon"]):
            return [*parts[:n], line[line.index(part) :]]
    return parts


def read_requests(
    text: str,
    today: date,
    names: Iterable[str] = (),
    *,
    since: date | None = None,
    taught: bool = False,
    files: bool = False,
) -> ReadReply:
    """``today``: the day on which it was written. ``names``: of the writer's office. ``since``: the due date, which
    «thêm 1 tuần» is counted from. ``taught``: it came with the code of an SMS. ``files``: files came with
    it, so that «gửi kèm báo cáo» asks nothing. Never raises."""
    clauses = _clauses(_said_lines(text))
    if files:
        clauses = [kept for each in clauses if (kept := _without_sending(each))]
    if not clauses or len(clauses) > MAX_CLAUSES:
        return ReadReply(rest="\n".join(clauses))
    sure, problem = _sure(clauses, _own_names(names), today, taught=taught)
    if sure:
        return ReadReply(sure=tuple(dict.fromkeys(sure)))
    proposed = _proposed(clauses, today, since, lacks=problem is not None)
    return ReadReply(proposed=proposed, problem=problem or _what_lacks(proposed), rest="\n".join(clauses))


def _typed(clause: str) -> str:
    """Without what a list or a thumb puts before it."""
    return normalise(clause).lstrip("+•·👍 ")


def _sure(clauses: Sequence[str], names: str, today: date, *, taught: bool) -> tuple[list[Request], Text | None]:
    """What all clauses say; nothing, and the first problem, where one says something else."""
    found: list[Request] = []
    problem: Text | None = None
    certain = True
    for clause in clauses:
        typed = _typed(clause)
        asks = _sure_clause(typed, names, today, taught=taught, asked=clause.endswith("?"))
        if isinstance(asks, Request):
            found.append(asks)
        elif isinstance(asks, Text):
            problem, certain = problem or asks, False
        elif found and found[-1].ask in FREE and not _is_begun(clause, typed, today):
            found[-1] = replace(found[-1], text=f"{found[-1].text} {clause}"[:MAX_SAID_CHARS])
        else:
            certain = certain and _COURTEOUS.fullmatch(matching(typed)) is not None
    return (found if certain else []), problem


def _what_lacks(proposed: Sequence[Request]) -> Text | None:
    return next((_ASK_BACK[each.ask] for each in proposed if each.ask in DAYS and each.on is None), None)


# --- what is proposed -----------------------------------------------------------------------------------------------

_NOT = r"(?<!khoi )(?<!khong )(?<!khong xin )(?<!khong can )(?<!dong y )(?<!da duoc )(?<!duoc so )"
_EXTENDS = re.compile(
    rf"{_NOT}\b(?:gia han|gh|(?:lui|gian|doi|dieu chinh)(?: \w+)? (?:thoi )?(?:han|gian|ngay)|keo dai|them thoi gian|"
    r"xin them|cho them|cham (?:nop|gui|bao cao)|(?:nop|gui|bao cao) (?:cham|muon)|extend|extension|"
    r"(?:cho|xin|de nghi)(?: \w+){0,3} (?:den|toi(?= (?:thu|ngay|het|cuoi|[0-9]))|muon|cham|lui|"
    r"phep(?: duoc)? (?:gui|nop)|gui (?:b/c|bao cao)))\b"
)
_NOT_DONE = re.compile(
    r"\bchua (?:the |kip )?(?:xong|hoan thanh|thuc hien|bao cao|lam|trien khai|tong hop|gui|nop|co bao cao|duoc)\b|"
    r"\bhen\b"
)
_WILL = re.compile(r"\b(?:se|cam ket|du kien|phan dau|hua|hoan thanh|nop|gui|xong|bao cao|bao lai)\b")
_DECLINES = re.compile(
    r"\b(?:khong|ko|k|hk) (?:thuoc|phai|dung)(?: la| ve| cua)?\b.{0,30}?\b(?:tham quyen|chuc nang|nhiem vu|trach nhiem|"
    r"pham vi|linh vuc|viec|don vi|co quan|phong|xa|ben)\b|\bkhong (?:duoc giao|giao cho|con la)\b|"
    r"\bviec nay (?:la )?(?:cua|thuoc)\b|\bde nghi (?:so )?chuyen\b|"
    r"\b(?:gui|giao) nham|\b(?:nham|sai) (?:co quan|don vi|dia chi)"
)
_ACKNOWLEDGES = re.compile(
    r"\b(?:(?:da|vua)(?: tiep)? nhan|xac nhan|(?<!mong )nhan (?:duoc|dc|roi|du)|nam (?:duoc|dc|ro)|tiep nhan|xn|da ro|"
    r"da (?:xem|doc)|ghi nhan|tiep thu|dong y|nhat tri|thong nhat|received|noted|acknowledged?)\b|"
    r"(?:ok|oke|ro|vang|da vang)(?: \w+){0,3}$"
)
_TURNED = re.compile(
    r"\b(?:khong|ko|k|hk|chua|(?<!da )neu(?! tren)|nhung|giup|lai|tham du|hoan thanh|ban giao|nham|phan anh|not|ai|"
    r"sau khi)\b"
)
_DIFFICULT = re.compile(
    r"\b(?:(?<!khong co )kho khan(?!.*\bkhong$)|vuong(?!.*\bkhong$)|thieu|"
    r"(?:chua|khong) co (?:kinh phi|can bo|bien che|nguoi|xe|bieu mau|huong dan)|"
    r"mat dien|kho (?:qua|lam|thuc hien)|(?:ko|k) co|chua bo tri|khong (?:lam|thuc hien) duoc|huong dan|trung voi)\b"
)
_AWAY = re.compile(r"\b(?:nghi phep|di cong tac|tra loi tu dong|out of office)\b")
"""Days of an absence are none of the work's."""
_STUCK = re.compile(r"\bgap (?:phai )?(?:nhieu |mot so )?(?:kho khan|vuong mac)\b")
"""Said so outright, what is not done yet is why."""
_ASKED = re.compile(
    r"(?:(?:cho|xin|em|toi) )*hoi\b|.*\b(?:the nao|o dau|khi nao|may gio|mau nao|la ai|hay khong|co phai)\b|.*\d hay\b"
)
_WHY = re.compile(
    r"\b(?:ly do|nguyen nhan)(?: la(?!\w))?[\s,.:;-]*(?P<named>.+)"
    r"|\b(?P<plain>(?:do|(?<!don )vi|boi vi|de(?! nghi)|cho(?! phep| don vi| gia)|doi|thieu|because|waiting) .+)"
)


def _is_begun(clause: str, typed: str, today: date) -> bool:
    folded = without_marks(typed)
    return bool(_asks_of(clause, folded, _days(typed, folded, today)))


def _asks_of(clause: str, folded: str, days: Sequence[FoundDay]) -> list[tuple[Ask, str]]:
    return [(Ask.QUESTION, folded)] if clause.endswith("?") else _asks_in(folded, days)


def _proposed(clauses: Sequence[str], today: date, since: date | None, *, lacks: bool) -> tuple[Request, ...]:
    """``lacks``: the writer is asked for what is missing, so a reason is not made up."""
    found: list[Request] = []
    for clause in clauses:
        typed = _typed(clause)
        folded = without_marks(typed)
        days = _days(typed, folded, today, since)
        last = found[-1] if found else None
        asks = _asks_of(clause, folded, days)
        if last and last.ask in DAYS and _goes_on(last, folded, [ask for ask, _ in asks]):
            on = last.on or (days[-1].on if days else None)
            why = _why(typed, folded, days)
            found[-1] = replace(last, on=on, text=why or last.text)
            continue
        for ask, about in asks:
            request = _request(ask, typed, about, folded, days, lacks=lacks)
            if not _is_in_time(request, folded, since):
                found += _a_day_each(request, folded, days) if ask in DAYS else [request]
    return _once_each(found)


def _is_in_time(request: Request, folded: str, since: date | None) -> bool:
    """«Sẽ gửi trước ngày 15/6» promises nothing later than the due date."""
    if request.ask is not Ask.NOT_YET or request.on is None or since is None:
        return False
    return request.on <= since and not _NOT_DONE.search(folded)


def _once_each(found: Sequence[Request]) -> tuple[Request, ...]:
    """Without what only says why, «Đơn vị chưa tổng hợp xong.», beside a sentence that names the day."""
    merged = {(each.ask, each.citations, each.on): each for each in reversed(found)}
    dated = any(each.on for each in found if each.ask in DAYS)
    asked = reversed(merged.values())
    return tuple(each for each in asked if each.on or each.citations or not dated or each.ask not in DAYS)


def _a_day_each(request: Request, folded: str, days: Sequence[FoundDay]) -> list[Request]:
    """«IV.2.1 đến 25/6, IV.2.2 đến 30/6»: a day for each task."""
    starts = [0, *(day.end for day in days)]
    named = [_cited(folded[start : day.end]) for start, day in zip(starts, days, strict=False)]
    if len(days) < 2 or not all(named):
        return [request]
    return [replace(request, citations=cited, on=day.on) for cited, day in zip(named, days, strict=True)]


_OF_PAPER = re.compile(
    r"\b(?:so:? ?[0-9]+\s?/\S*|cong van|quyet dinh|ke hoach|thong bao|to trinh|giay moi)(?: \w+){0,3}? (?:ngay )?$"
)


def _days(typed: str, folded: str, today: date, since: date | None = None) -> list[FoundDay]:
    """The days that a sentence names, without those of papers: «Báo cáo số 45/BC-UBND ngày 14/6/2021»; and beside a
    later one without the due date itself: «gia hạn thêm 1 tuần so với hạn 17/6»."""
    found = [day for day in days_in(typed, today, since=since) if not _OF_PAPER.search(folded[: day.start])]
    return [day for day in found if since is None or day.on > since] or found


def _goes_on(last: Request, folded: str, asks: Sequence[Ask]) -> bool:
    """A sentence that only says the day or the reason of the one before it."""
    if _cited(folded) and _cited(folded) != last.citations:
        return False
    begins = re.match(r"(?:ly do|nguyen nhan|do|vi|hen|xin hen|boi vi|du kien|se)\b", folded)
    return begins is not None and not {Ask.DECLINE, Ask.ACKNOWLEDGE, Ask.QUESTION} & set(asks)


def _asks_in(folded: str, days: Sequence[FoundDay]) -> list[tuple[Ask, str]]:
    """What a sentence asks, each with the part of it that says so."""
    found: list[tuple[Ask, str]] = []
    rest = folded
    for part in re.split(r", | va (?=se|dang|xin)", folded):
        received = _ACKNOWLEDGES.search(part)
        if received is not None and not _TURNED.search(part) and not _EXTENDS.search(part[: received.start()]):
            found.append((Ask.ACKNOWLEDGE, part))
            rest = folded.replace(part, "", 1)
            break
    other = _other_ask(rest, days, alone=not found)
    return [*found, (other, rest)] if other is not None else found


def _other_ask(folded: str, days: Sequence[FoundDay], *, alone: bool) -> Ask | None:
    if _AWAY.search(folded):
        return None
    if _ASKED.match(folded):
        return Ask.QUESTION
    if _DECLINES.search(folded):
        return Ask.DECLINE
    if _EXTENDS.search(folded):
        return Ask.DAY
    if not days and _STUCK.search(folded):
        return Ask.DIFFICULTY
    if _NOT_DONE.search(folded) or (days and _WILL.search(folded)):
        return Ask.NOT_YET
    if _DIFFICULT.search(folded) or (_cited(folded) and alone):
        return Ask.DIFFICULTY
    return Ask.DAY if days and alone else None


def _request(ask: Ask, typed: str, about: str, folded: str, days: Sequence[FoundDay], *, lacks: bool) -> Request:
    cited, count = _cited(about), _number(_COUNTED.search(about))
    if ask is Ask.ACKNOWLEDGE:
        return Request(ask=ask, citations=cited, count=count)
    if ask not in DAYS:
        said = _said(typed, folded, taught=True) if ask in ENTRIES else None
        text = said.text if isinstance(said, Request) else typed[:MAX_SAID_CHARS]
        return Request(ask=ask, citations=cited, text=text)
    why = _why(typed, folded, days) or ("" if lacks else typed[:MAX_REASON_CHARS])
    on = days[-1].on if days else None
    return Request(ask=ask, citations=cited, on=on, text=why, count=count, every=bool(_EVERY.search(about)))


def _why(typed: str, folded: str, days: Sequence[FoundDay]) -> str:
    """The reason behind the day, else before it."""
    behind = _WHY.search(folded, days[-1].end) if days else None
    found = behind or _WHY.search(folded)
    if found is None:
        return ""
    end = len(typed) if behind else next((n for n in [folded.find(", ", found.start())] if n > 0), len(typed))
    return _reason_text(typed, _reason_start(found), end)


def _without_sending(clause: str) -> str:
    """Without the end that only says that a file is sent: «Đã nhận, gửi kèm báo cáo» is «Đã nhận»."""
    for cut in (0, *(found.end() for found in re.finditer(r", ", clause))):
        if _SENDS.fullmatch(matching(normalise(clause[cut:]))):
            return clause[:cut].rstrip(", ")
    return clause


def citations_in(words: Sequence[str]) -> tuple[str, ...]:
    """The duties that free words name."""
    return _cited(" ".join(map(without_marks, words)))
