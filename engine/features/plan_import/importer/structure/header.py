"""The head of a document by Decree 30/2020/NĐ-CP: number and sign, place and date, issuer, title; and «Nơi nhận».

Works on the lines as they stand, before paragraphs are joined, since the head is a table of two columns that every
format flattens in its own way. What is not there stays empty and becomes a doubt.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import partial
from itertools import islice, takewhile

from engine.features.plan_import.importer.base.model import Doubt, Found, Place
from engine.features.plan_import.importer.phrases import lexicon as say
from engine.features.plan_import.importer.phrases.marks import Rank, mark_of
from engine.features.plan_import.importer.phrases.name_words import Prose, begins_name
from engine.features.plan_import.importer.phrases.names import nameless, names_at, names_in
from engine.features.plan_import.importer.reading.pdf import BAR, Table, TextLine
from engine.rules.vietnamese import is_capital, matching, phrase, spelled

_HEAD_LINES = 140
_NUMBER = re.compile(
    r"(?<!\w)(?:số|so|sổ|s6|sô)\s*[:.]?\s*(?P<number>\d[\d .]{0,6}[a-z]?|[….\s_]{0,40})?\s*"
    r"(?P<first>[-/]|(?<=\d )(?=[a-z]{2,5}/))\s*"
    r"(?P<sign>(?:20\d\d\s*/\s*)?[a-zđ][\wđ&]{0,14}(?:\s?[-–/]\s?[\wđ&]{1,20}){0,5})"
)
_DATE = re.compile(
    r"ngày\s*(?P<day>\d{1,2})?[\s.…_]*(?:tháng|[/.-])\s*(?P<month>\d{1,2})?[\s.…_]*(?:năm|[/.-])\s*"
    r"(?P<year>(?:19|20)\d\d)?(?!\d)"
)
_DATED = re.compile(rf"(?:^|,)\s*{_DATE.pattern}")
_NOISE = re.compile(
    phrase(r"cộng hòa xã hội chủ nghĩa việt nam|độc lập ?[-–] ?tự do ?[-–] ?hạnh phúc|đảng cộng sản việt nam")
    + r"|[-–—_=]{2,}|\*+|\||\(?\bdự thảo\b\)?|\bthượng khẩn\b|\bhỏa tốc\b"
)
_TITLE = re.compile(rf"(?:{say.any_of(say.TITLES)})(?!\w)(?!\s*(?:và|số))")
_TITLE_ENDS = re.compile(rf"{say.any_of(say.TITLE_ENDS)}|[-–_*(]")
_ABOUT = re.compile(r"(?:số\s*:?\s*[^\s|]+\s+(?=v\s*/\s*v))?(?:v\s*/\s*v|về\s+việc)\s*:?\s*(?P<about>[^|]+)", re.DOTALL)
_ADDRESS = re.compile(r"kính gửi.{0,191}$|.* điện:$", re.DOTALL)
_RECIPIENTS = re.compile(r"n[ơo]i\s*nhận\s*:?\s*")
_FOR = r"(?:tm|kt|tl|tuq|q)\s*\."
_SIGNERS = re.compile(rf"{_FOR}|thừa lệnh\s*\.|(?:phó )?chủ tịch$|giám đốc$|chánh văn phòng$|bộ trưởng$|thứ trưởng$")
_SIGNED = re.compile(rf"{_FOR}\s*\w")
_DECIDED = spelled(r"quyết (?:định|nghị) ?:$")
_RESUMES = say.compiled(say.RESUMES)
_STRONG = say.compiled(say.ISSUERS)
_BELOW = re.compile(r"^(?:ubnd|ủy ban nhân dân)\s.*?\s(?P<name>(?:sở|phòng|trường|ban quản lý|trung tâm)\s.+)")


@dataclass(frozen=True, kw_only=True)
class Parts:
    """A document cut into its head (lines before the title's end), its body, and its foot."""

    number: Found
    date: date | None
    date_words: Found
    issuer: Found
    title: Found
    province: str
    doubts: tuple[Doubt, ...]
    head: tuple[TextLine, ...]
    body: tuple[TextLine | Table, ...]
    foot: Foot


def parts_of(blocks: Sequence[TextLine | Table]) -> Parts:
    """The document in parts; every line is in exactly one."""
    lines = list(islice((line for block in blocks for line in block.lines()), _HEAD_LINES))
    title, after = _title(lines)
    if not title:
        title, after = _about(lines)
        top = lines[: max(after, 40)]
        after = _after_address(lines, after)
    else:
        top = lines[:after]
    title, after = replace(title, text=nameless(title.text)), _after_preamble(lines, after)
    number, number_doubts = _number(_Top(top))
    words, day, date_doubts = _date(_Top(top))
    issuer = _issuer(lines[: next((n for n, x in enumerate(lines) if x.place == title.place), 20)]) or _asking(lines)
    doubts = [*number_doubts, *date_doubts]
    for code, found, name in (("issuer_missing", issuer, "cơ quan ban hành"), ("title_missing", title, "tên văn bản")):
        if not found:
            doubts.append(Doubt(code, f"Không tìm thấy {name} ở đầu văn bản.", "đầu văn bản"))
    before, rest = _cut(blocks, after)
    foot = Foot()
    body = tuple(_without_foot(rest, foot))
    return Parts(
        number=number,
        date=day,
        date_words=words,
        issuer=issuer,
        title=title,
        province=_province(top, issuer),
        doubts=tuple(doubts),
        head=tuple(before),
        body=body,
        foot=foot,
    )


def _cut(blocks: Sequence[TextLine | Table], taken: int) -> tuple[list[TextLine], list[TextLine | Table]]:
    """The first ``taken`` lines, tables counted by their cells' lines, and the blocks after them."""
    head: list[TextLine] = []
    body: list[TextLine | Table] = []
    for block in blocks:
        if len(head) >= taken:
            body.append(block)
            continue
        lines = list(block.lines())
        room = taken - len(head)
        head += lines[:room]
        body += lines[room:]
    return head, body


class _Top:
    """Lines as one text, with where each place of it stands."""

    def __init__(self, lines: Sequence[TextLine]) -> None:
        self.text = "\n".join(line.text for line in lines)
        self.plain = matching(self.text)
        self.places = [line.place for line in lines]

    def place(self, at: int) -> Place:
        return self.places[self.text.count("\n", 0, at)]


def _number(top: _Top) -> tuple[Found, list[Doubt]]:
    for found in _NUMBER.finditer(top.plain):
        cut = slice(found.start("sign"), found.end("sign"))
        sign = re.sub(r"\s*([-–/])\s*", r"\1", re.split(r"\n(?![-–/])(?<![-–/]\n)", top.text[cut])[0]).strip()
        place = top.place(found.start())
        digits = re.sub(r"\D*$|\s", "", found["number"] or "")
        if not digits:
            said = f"Số văn bản để trống (ký hiệu {sign})."
            return Found("", place), [Doubt("number_missing", said, str(place))]
        return Found(f"{digits}{found['first']}{sign}", place), []
    return Found(), [Doubt("number_missing", "Không tìm thấy số, ký hiệu ở đầu văn bản.", "đầu văn bản")]


def _date(top: _Top) -> tuple[Found, date | None, list[Doubt]]:
    """The first date that follows a place and a comma, else the first one at all in the head."""
    for found in sorted(
        _DATE.finditer(top.plain), key=lambda each: not re.search(r"[^\W\d_],\s*$", top.plain[: each.start()][-40:])
    ):
        words = Found(" ".join(top.text[slice(*found.span())].split()).strip(" ,"), top.place(found.start()))
        try:
            day = date(int(found["year"]), int(found["month"]), int(found["day"]))
        except (TypeError, ValueError):
            said = f"Ngày ban hành không đủ ngày, tháng, năm: «{words.text}»."
            return words, None, [Doubt("date_incomplete", said, str(words.place))]
        return words, day, []
    return Found(), None, [Doubt("date_missing", "Không tìm thấy ngày ban hành.", "đầu văn bản")]


def _issuer(lines: Sequence[TextLine]) -> Found:
    """The last body named in capitals above the number; its name in small letters where the document shows how."""
    top = _Top(lines)
    rows = _capital_rows(top)
    if not rows:
        return Found()
    strong = [n for n, (_, row) in enumerate(rows) if _STRONG.match(matching(row))]
    words = [row for _, row in rows[strong[-1] if strong else 0 :]]
    if len(strong) > 1 and matching(words[0]) == "ban thường trực":  # of the committee above it
        words += (row for _, row in rows[strong[-2] : strong[-1]])
    joined = re.sub(r"[\s.,;:]+$", "", " ".join(words))
    if not begins_name(Prose.of(joined), 0):
        return Found()
    inner = _BELOW.search(matching(joined))
    name = joined[inner.start("name") :] if inner else joined
    return Found(_uncapitalised(name), top.place(rows[0][0]))


def _capital_rows(top: _Top) -> list[tuple[int, str]]:
    """The lines in capitals above the number, with where each begins; short ones may be the rest of a name."""
    number = _NUMBER.search(top.plain)
    before = top.text[: number.start()] if number else top.text
    for noise in _NOISE.finditer(matching(before)):
        before = before[: noise.start()] + " " * len(noise.group()) + before[noise.end() :]
    rows = ((each.start(), " ".join(each.group().split())) for each in re.finditer(r"[^\n]+", before))
    return [(at, row) for at, row in rows if row and (is_capital(row) or len(row) < 4)]


_ASKS = re.compile(r"\s*(?:yêu\s*cầu|đề\s*nghị)(?!\w)|\s*\)")
_OF_PAPER = re.compile(r"kèm\s*theo[^()]{5,200}\scủa\s+")


def _asking(lines: Sequence[TextLine]) -> Found:
    """Who issued a document that was copied without its head: «(Kèm theo … của Chính phủ)», «… UBND tỉnh yêu cầu:»."""
    for line in lines:
        prose = Prose.of(line.text)
        paper = _OF_PAPER.search(prose.plain)
        rows = names_in(prose) if prose.plain.endswith(":") else iter(())
        for names, end in [names_at(prose, paper.end())] if paper else rows:
            if names and _ASKS.match(prose.plain, end):
                return Found(names[-1].text, line.place)
    return Found()


_PROVINCE = re.compile(
    r"(?<!\w)(?:tỉnh(?:\s*ủy)?|tp\.?|thành\s*phố(?=\s*(?:hà\s*nội|hồ\s*chí\s*minh|đà\s*nẵng|hải\s*phòng|cần\s*thơ|huế)))"
    r"\s+(?P<name>[^\d\W][\w .]{1,40}?)\s*(?=$|\n|[-–_|,])"
)


def _province(head: Sequence[TextLine], issuer: Found) -> str:
    """The province that the head of a document names: its issuer's, or that of the committee above it."""
    for text in (issuer.text, *(line.text for line in head if is_capital(line.text))):
        found = _PROVINCE.search(matching(text))
        if found and not matching(text).startswith("đảng"):
            return text[found.start("name") : found.end("name")].strip(" .")
    return ""


_PROPER = re.compile(
    r"(?<!\w)(?:tỉnh\s*ủy|thành\s*ủy|huyện\s*ủy|thị\s*ủy|tỉnh|thành\s*phố|huyện|quận|thị\s*xã|xã|phường|thị\s*trấn)\s+(?P<name>[^,;.()]+)$",
    re.IGNORECASE,
)
_FIELD = re.compile(rf"(?<=\s){say.any_of(say.FIELDS)}(?!\w)")


def _uncapitalised(name: str) -> str:
    """«SỞ GIÁO DỤC VÀ ĐÀO TẠO» as «Sở Giáo dục và Đào tạo»; a body of no known field or place as it stands."""
    small = matching(name)
    place, field = _PROPER.search(small), _FIELD.search(small)
    if _STRONG.match(small) and not (place or field):
        return name
    if place:
        small = small[: place.start("name")] + place["name"].title() + small[place.end("name") :]
    if field:
        raised = re.sub(r"(?:^|(?<= - )|(?<=, )|(?<= và ))\w", lambda each: each.group().upper(), field.group())
        small = small[: field.start()] + raised + small[field.end() :]
    small = re.sub(r"(?<!\w)(?:ubnd|hđnd|mttq|ubmttq|bcđ|bch)(?!\w)", lambda each: each.group().upper(), small)
    return small[:1].upper() + small[1:]


def _title(lines: Sequence[TextLine]) -> tuple[Found, int]:
    """The title and the index of the line after it: «KẾ HOẠCH» and the lines that belong to it."""
    for n, line in enumerate(lines):
        first = _capitals(line.text)
        if not _TITLE.match(matching(" ".join(each.text for each in lines[n : n + 2]))) or len(first) < 4:
            continue
        words, after = [first], n + 1
        if len(first) < len(line.text) - 1:
            return Found(first, line.place), n
        capital = any(is_capital(_capitals(each.text)) for each in lines[n + 1 : n + 2])
        following = lines[n + 1 : n + 9]
        named = 1 if not capital and following and _names_what(following[0]) else 0
        for each in [*following[:named], *takewhile(partial(_goes_on, capital=capital), following[named:])]:
            words.append(_capitals(each.text) if capital else each.text)
            if len(words[-1]) < len(each.text) - 1:
                break
            after += 1
        return Found(" ".join(words), line.place), after
    return Found(), 0


def _after_preamble(lines: Sequence[TextLine], after: int) -> int:
    """Where the articles of a decision begin: after «QUYẾT ĐỊNH:» in capitals below its reasons."""
    ends = (
        n
        for n, line in enumerate(lines)
        if n >= after and is_capital(line.text) and _DECIDED.match(matching(line.text))
    )
    return next(ends, after - 1) + 1


_CARRIES_OUT = re.compile(r"(?:triển khai )?thực hiện\b.*[^.,;:]$")


def _names_what(line: TextLine) -> bool:
    """Whether the line under «KẾ HOẠCH» is its title though it could begin the text: «Thực hiện Chương trình … giai
    đoạn 2026 - 2030»; of a text it is a clause, with a date or a comma."""
    plain = matching(line.text)
    return _CARRIES_OUT.match(plain) is not None and "," not in plain and _DATED.search(plain) is None


def _goes_on(line: TextLine, *, capital: bool = False) -> bool:
    plain = matching(line.text)
    if not re.search(r"\w", plain) or mark_of(line.text) is not None:
        return False
    if capital:
        return is_capital(_capitals(line.text))
    return not (is_capital(line.text) or _DATED.search(plain) or _TITLE_ENDS.match(plain) or plain.endswith((":", ".")))


def _capitals(text: str) -> str:
    """The words in capitals at the beginning of a text."""
    words = text.split(" ")
    count = next((n for n, word in enumerate(words) if any(each.islower() for each in word)), len(words))
    return " ".join(words[:count])


def _about(lines: Sequence[TextLine]) -> tuple[Found, int]:
    """An official letter has no title but a line «V/v …»."""
    for n, line in enumerate(lines[:60]):
        if found := _ABOUT.match(matching(line.text)):
            more = [each.text for each in takewhile(_goes_on, lines[n + 1 : n + 6])]
            return Found(" ".join([line.text[found.start("about") :], *more]), line.place), n + 1 + len(more)
    return Found(), 0


def _after_address(lines: Sequence[TextLine], after: int) -> int:
    """Where the text of a letter begins: after «Kính gửi: …» with the list under it, unless the text goes on in the
    same line, else after its «V/v …»."""
    address = next((n for n, line in enumerate(lines[:60], 1) if _ADDRESS.match(matching(line.text))), 0)
    if not address:
        return after
    return address + sum(1 for _ in takewhile(lambda line: re.match(r"[-–+*•|]", line.text), lines[address:]))


_SIGNATURE_LINES = 8
"""How many lines after a signer's title may still be the signature."""


@dataclass
class Foot:
    """What stands after the text of a document, in its order: «Nơi nhận» and its names, the signature, which holds a
    person's name, and what stands after it."""

    named: list[TextLine] = field(default_factory=list)
    signed: list[TextLine] = field(default_factory=list)
    after: list[TextLine] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)
    open: int = -1  # lines of the signature that may still come; -1 before it

    def add(self, line: TextLine) -> None:
        if line.text == BAR or _SIGNERS.match(matching(line.text)):
            self.open = _SIGNATURE_LINES
        if self.open < 0:
            self.named.append(line)
            self.recipients += _recipients(line.text)
        elif self.open > 0:
            self.signed.append(line)
            self.open -= 1
        else:
            self.after.append(line)


def _without_foot(blocks: Sequence[TextLine | Table], foot: Foot) -> Iterator[TextLine | Table]:
    """The body without «Nơi nhận», the signature and what follows, up to an annex, the plan itself, or a table."""
    inside = False
    waiting = list(reversed([each for block in blocks for each in _opened(block)]))
    while waiting:
        block = waiting.pop()
        if isinstance(block, Table):
            inside = False
        elif inside:
            inside = not _resumes(block.text)
        elif (start := _foot_at(block, waiting[-1] if waiting else None)) >= 0:
            inside, foot.open = True, -1
            if before := block.text[:start].strip():
                yield replace(block, text=before)
            block = replace(block, text=block.text[start:])
        if inside and isinstance(block, TextLine):
            foot.add(block)
        else:
            yield block


def _opened(block: TextLine | Table) -> Iterable[TextLine | Table]:
    """A table; or its lines, where «Nơi nhận» and the signature stand in one."""
    lines = list(block.lines()) if isinstance(block, Table) else []
    return lines if any(_RECIPIENTS.match(matching(line.text)) for line in lines) else [block]


def _foot_at(line: TextLine, following: TextLine | Table | None) -> int:
    """Where the foot begins in a line: at «Nơi nhận», or at a signature in a document without it; -1 if it does not."""
    two = f"{line.text} {following.text}" if isinstance(following, TextLine) else line.text
    start = _recipients_at(matching(two), len(line.text))
    if start < 0 and is_capital(line.text) and _SIGNED.match(matching(line.text)):
        return 0
    return start


def _recipients_at(plain: str, length: int) -> int:
    """Where «Nơi nhận» begins in a line: at its start, or after the end of the text («./. Nơi nhận:»); else -1."""
    at_start = _RECIPIENTS.match(plain)
    if at_start and (length < 200 or ":" in at_start.group()):
        return 0
    found = re.search(r"(?<=[./;:)\s])nơi\s*nhận\s*:", plain)
    return found.start() if found and found.start() < length else -1


def _resumes(text: str) -> bool:
    mark = mark_of(text)
    part = mark is not None and mark.rank in (Rank.ANNEX, Rank.PART)
    return part or (is_capital(text) and _RESUMES.match(matching(text)) is not None)


def _recipients(text: str) -> Iterator[str]:
    text = re.sub(r"(?i)^(?:nơi\s*)?(?:nhận\s*:?)?\s*", "", text)
    for part in re.split(r";\s*(?=[-–+])|;\s*$|^\s*[-–+]\s*|(?<=;)\s*[-–+]\s*", text):
        name = part.strip(" -–+;.:")
        if name and not re.match(r"(?i)nhận\b|như trên$|lưu\b", name):
            yield name
