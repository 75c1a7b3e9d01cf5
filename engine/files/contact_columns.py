"""Which column of an office's list of contacts holds what, and what its words for roles and kinds of agency mean.

Everything here is a guess from headings, names and words; a person's choice, given or kept from the sheet before, goes
first. A choice has a key: ``column:thu dien tu``, ``role:chanh van phong``, ``level:khoi dang``, ``kind:so``. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest

from engine.files.directory import fold
from engine.files.spreadsheet import Table, column_letters
from engine.rules.words import LEVELS, ROLES
from engine.terms import Role
from engine.text import LANGUAGES, Text

HEADING_LINES = 20
"""The headings stand in one of the first lines: above them letterhead, title and date."""
PERSONS = (1, 2, 3)
"""A line may name several contacts of its agency side by side."""
MAX_HEADING_CHARS = 60
NOT_TAKEN = "-"
Choices = Mapping[str, str]

COLUMNS: Mapping[str, Text] = {
    "contact": Text("Số", "No."),
    "agency": Text("Cơ quan", "Agency"),
    "level": Text("Loại cơ quan", "Kind of agency"),
    "role": Text("Vai trò", "Role"),
    "label": Text("Chức danh, phòng", "Post, office"),
    "email": Text("Hộp thư", "Mailbox"),
    "phone": Text("Điện thoại", "Telephone"),
    "language": Text("Ngôn ngữ", "Language"),
    "valid_from": Text("Từ ngày", "From"),
    "valid_until": Text("Đến ngày", "Until"),
}
"""Field -> heading. ``contact``: the number that the program gave; empty for a new contact."""
OF_PERSON = ("role", "label", "email", "phone")
"""Fields that a line may hold several times: ``email``, ``email:2``."""
_EXACT = {fold(heading.said(language)): field for field, heading in COLUMNS.items() for language in LANGUAGES}
_UNIT = r"(?:co quan|don vi|so|ban|nganh|dia phuong|to chuc|xa|phuong|dac khu|huyen|thanh pho|thi xa|doan the|hoi)"
# Heading -> field, the whole heading; "" is a column that is known and not taken: names of persons are not stored.
_HEADINGS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("number", re.compile(r"stt|tt|so tt|so thu tu|thu tu")),
    ("", re.compile(r"ho (?:va )?ten.*|ho ten.*|ghi chu|ly do.*|dia chi(?: tru so| co quan| don vi)?|fax|website")),
    ("level", re.compile(rf"(?:loai|khoi|nhom|cap)(?: {_UNIT}| hanh chinh)*")),
    ("agency", re.compile(rf"(?:ten )?(?:cac )?{_UNIT}(?: va)?(?: {_UNIT}| chu tri| thuc hien| cong tac)*|ten goi")),
    ("role", re.compile(r"vai tro.*|phan cong.*|nhiem vu.*|trach nhiem.*|role")),
    ("valid_from", re.compile(r"(?:tu|bat dau) ngay|ngay bat dau")),
    ("valid_until", re.compile(r"den ngay|ngay ket thuc")),
)
# The heading's own words of a field; what stands beside them may name the person: «Email lãnh đạo».
_WORDS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("email", re.compile(r"\b(?:dia chi )?(?:thu dien tu|thu cong vu|hop thu|hom thu|e ?mail|g?mail)\b(?: cong vu)?")),
    (
        "phone",
        re.compile(r"\b(?:so )?(?:dien thoai|dt|sdt|dtdd|di dong|phone|telephone|mobile|tel)\b(?: di dong| lien he)?"),
    ),
    ("label", re.compile(r"\b(?:chuc (?:vu|danh)|phong(?: ban)?|bo phan|vi tri(?: cong tac)?)\b")),
)
_MOBILE = re.compile(r"\b(?:di dong|dtdd|mobile)\b")
_ROLES: tuple[tuple[Role, re.Pattern[str]], ...] = (
    (Role.DEPUTY, re.compile(r"\b(?:thay dau moi|nguoi thay|du phong|duoc uy quyen|deputy)\b")),
    (Role.COORDINATOR, re.compile(r"\b(?:dau moi|chuyen vien|van thu|can bo|cong chuc|nhan vien|chanh van phong)\b")),
    (Role.COORDINATOR, re.compile(r"\b(?:truong|pho)(?: truong)? phong\b|\bthu ky\b")),
    (
        Role.HEAD,
        re.compile(
            r"\b(?:lanh dao|thu truong|giam doc|chu tich|cuc truong|vien truong|chanh an|chanh thanh tra|bi thu|"
            r"chi huy truong|truong (?:ban|doan)|tong bien tap|chu nhiem|dung dau|head)\b"
        ),
    ),
    (Role.MONITOR, re.compile(r"\b(?:theo doi|don doc|giam sat|monitor)\b")),
)
# The beginning of a name -> the agency's kind; the first that fits.
_PEOPLES = r"(?:ubnd|uy ban nhan dan|hdnd|hoi dong nhan dan)"
_KINDS: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (level, re.compile(rf"(?:{words})\b"))
    for level, words in (
        ("xa", rf"(?:{_PEOPLES} )?(?:xa|phuong|thi tran|dac khu)"),
        ("huyen", rf"(?:{_PEOPLES} )?(?:huyen|h|quan|thanh pho|tp|thi xa|tx)"),
        ("doan_the", r"tinh doan|doan thanh nien|doan tncs"),
        ("tinh", rf"{_PEOPLES}(?: tinh)?|tinh uy|thanh uy|doan dbqh|doan dai bieu quoc hoi"),
        ("mat_tran", r"(?:ban thuong truc )?(?:uy ban |ub ?)?(?:mttq|mat tran)"),
        ("luc_luong", r"cong an|bo chi huy|bo tu lenh|bo doi|bch quan su|bch bo doi"),
        ("ngan_hang", r"ngan hang"),
        ("bao_chi", r"bao(?! hiem| tang| ve)|dai (?:phat thanh|truyen hinh|pt)|tap chi|co quan bao chi"),
        ("doan_the", r"hoi(?! dong)|lien hiep|lien doan|lien minh"),
        ("so", r"so|ban|van phong|cuc|chi cuc|thanh tra|kho bac|bao hiem xa hoi|bhxh|thue|toa an|tand|vien kiem sat"),
    )
)
_SEVERAL = re.compile(r"(?:ubnd |uy ban nhan dan )?(?:cac|khoi)\b.*|[ivx]+|tong (?:so|cong).*|cong")
"""A line that stands above others or below them: «Các sở, ban, ngành»."""
_PHONE = re.compile(r"[+0-9 .()-]{9,20}")
_LEVEL_WORDS = {
    "doan the chinh tri xa hoi": "doan_the",
    "to chuc chinh tri xa hoi": "doan_the",
    "so nganh": "so",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Heading:
    """A column: index, heading as written («Cột D» without one), key of its choice, and the field it holds ("" if
    none). ``person``: the word of the contact to whom it belongs, where a line names several."""

    at: int
    text: str
    key: str
    field: str = ""
    person: str = ""


@dataclass(frozen=True, slots=True)
class Layout:
    """How a sheet is read: the line of its first row below the headings (from 0) and its columns; ``number``: index of
    the column that counts the rows, None without one."""

    first: int
    headings: tuple[Heading, ...]
    number: int | None = None

    def at(self, field: str) -> int | None:
        return next((each.at for each in self.headings if each.field == field), None)

    def person(self, nth: int) -> str:
        """The word of the nth contact of a line: «Lãnh đạo phụ trách»."""
        fields = {numbered(field, nth) for field in OF_PERSON}
        return next((each.person for each in self.headings if each.field in fields and each.person), "")

    def goes_on(self, cells: Sequence[str]) -> bool:
        """Whether rows are numbered and this one is not: it may belong to the one above."""
        return self.number is not None and not self._count(cells)

    def is_uncounted(self, cells: Sequence[str]) -> bool:
        """Whether rows are numbered and this one is not, or «I», «A»: the heading of a part, a total, a signature."""
        return self.number is not None and not self._count(cells)[:1].isdigit()

    def _count(self, cells: Sequence[str]) -> str:
        return cells[self.number] if self.number is not None and self.number < len(cells) else ""


def numbered(field: str, nth: int) -> str:
    """«email» of the first contact of a line, «email:2» of the second."""
    return field if nth == 1 else f"{field}:{nth}"


def field_words(field: str) -> Text:
    """«Hộp thư», «Hộp thư (người thứ 2)»."""
    name, _, nth = field.partition(":")
    words = COLUMNS[name]
    return Text(f"{words.vi} (người thứ {nth})", f"{words.en} (person {nth})") if nth else words


FIELDS: tuple[str, ...] = (
    *COLUMNS,
    *(numbered(field, nth) for nth in PERSONS[1:] for field in OF_PERSON),
)
"""What a column may be chosen to hold."""


_BY_CONTENT: Mapping[str, Callable[[str], bool]] = {
    "email": lambda cell: "@" in cell,
    "phone": lambda cell: _PHONE.fullmatch(cell) is not None,
    "agency": lambda cell: guess_kind(cell)[1] != "",
    "label": lambda cell: guess_role(cell) is not None,
}


def layout_of(table: Table, choices: Choices) -> Layout:
    """The columns of a sheet by its headings, and by its cells where no heading says what it needs."""
    first, texts, groups = _heading_lines(table)
    width = max(map(len, table.rows), default=0)
    texts = [*texts, *[""] * (width - len(texts))]
    found = [_heading(at, text, groups) for at, text in enumerate(texts)]
    missing = {*_BY_CONTENT} - {each.field for each in found}
    for at, text in enumerate(texts):
        if _field_of(text)[0] is None and (held := _held(table.rows[first:], at)) in missing:
            found[at] = replace(found[at], field=held)
    number = next((each.at for each in found if each.field == "number"), None)
    headings = [replace(each, field="") if each.field == "number" else each for each in found]
    return replace(_chosen(headings, first, choices), number=number)


def guess_role(word: str) -> Role | None:
    """What an office's word for a role or a post means; None if it says nothing of it."""
    plain = _plain(word)
    return next((role for role, words in _ROLES if words.search(plain)), None)


_FORMER_ROLES = {"theo doi, don doc": Role.MONITOR, "lanh dao": Role.LEADERSHIP}
"""As sheets made before 0.2.0 call them."""
_STORED_ROLES = _FORMER_ROLES | {fold(word): key for key, each in ROLES.items() for word in (key, each.vi, each.en)}


def stored_role(word: str) -> Role | None:
    """The role that is called so in the program, in either language, or was so before."""
    return _STORED_ROLES.get(fold(word))


def stored_level(word: str) -> str:
    """The kind of agency that is called so in the program, or its key; empty if there is none."""
    wanted = fold(word)
    return next((key for key, each in LEVELS.items() if wanted in (key, fold(each.vi), fold(each.en))), "")


def guess_kind(name: str) -> tuple[str, str]:
    """The beginning of an agency's name that tells its kind, and the kind: («UBND xã», "xa"); the whole name and ""
    where nothing tells it."""
    words = name.split()
    plain = " ".join(_plain(word) or "-" for word in words)
    for level, beginning in _KINDS:
        if match := beginning.match(plain):
            return " ".join(words[: match[0].count(" ") + 1]), level
    return name, ""


def guess_level(word: str) -> str:
    """What an office's word for a kind of agency means; empty if unknown."""
    plain = re.sub(r"^(?:khoi|cap|nhom|loai|cac) ", "", _plain(word))
    return stored_level(word) or _LEVEL_WORDS.get(plain, "") or stored_level(plain) or guess_kind(plain)[1]


def names_several(name: str) -> bool:
    """Whether it is no agency but the name of many, or of none: «Khối Đảng», «Tổng số»."""
    return _SEVERAL.fullmatch(_plain(name)) is not None


def choice_key(kind: str, word: str) -> str:
    """The key of a choice: ``role:chanh van phong``."""
    return f"{kind}:{fold(word)[:120]}"


def _plain(text: str) -> str:
    return " ".join(re.findall(r"[a-z0-9]+", fold(text)))


def _field_of(text: str) -> tuple[str | None, str]:
    """The field that a heading names (None: it names none), and the words beside it."""
    plain = _plain(text)
    if not plain or len(plain) > MAX_HEADING_CHARS:
        return None, ""
    if field := _EXACT.get(fold(text)):
        return field, ""
    for field, whole in _HEADINGS:
        if whole.fullmatch(plain):
            return field, ""
    for field, words in _WORDS:
        if words.search(plain):
            return field, words.sub("", plain)
    return None, ""


def _heading_lines(table: Table) -> tuple[int, list[str], list[str]]:
    """The line below the headings, the headings, and what stands above each; of headings in two lines the lower one
    counts. (0, [], []) if no line looks like headings."""
    best, found = 0, (0, list[str](), list[str]())
    for line in range(min(HEADING_LINES, len(table.rows))):
        pairs = list(zip_longest(table.spread(line), table.spread(line - 1), fillvalue=""))
        lower, both = [below for below, _ in pairs], [below or above for below, above in pairs]
        for texts in (lower, both):
            known = _known_headings(texts)
            if known > best:
                best, found = known, (line + 1, texts, _groups(pairs))
    return found if best else _strange_headings(table)


def _known_headings(texts: Sequence[str]) -> int:
    """How many fields a line names; one alone is a title, unless the line has no other cell."""
    fields = {field for field, _ in map(_field_of, texts) if field is not None}
    return len(fields) if len(fields) > 1 or sum(map(bool, texts)) == 1 else 0


def _groups(pairs: Sequence[tuple[str, str]]) -> list[str]:
    """What stands above each heading; CSV knows no merged cells, so that it stands above the first one alone."""
    groups: list[str] = []
    for below, above in pairs:
        groups.append(above or (groups[-1] if groups and below else ""))
    return groups


def _strange_headings(table: Table) -> tuple[int, list[str], list[str]]:
    """The first line of several cells, if it does not look like a row of the list."""
    for line, cells in enumerate(table.rows[:HEADING_LINES], 1):
        filled = [cell for cell in cells if cell]
        if len(filled) > 1:
            row = any(holds(cell) for cell in filled for holds in _BY_CONTENT.values())
            return (0, [], []) if row else (line, list(cells), [])
    return 0, [], []


def _heading(at: int, text: str, groups: Sequence[str]) -> Heading:
    field, beside = _field_of(text)
    group = groups[at] if at < len(groups) and groups[at] != text else ""
    person = group if guess_role(group) else ""
    if field in OF_PERSON and not person and (role := guess_role(beside)):
        person = ROLES[role].vi
    words = f"{person} {text}".strip() if person == group else text
    key = choice_key("column", words) if text else choice_key("column", _nameless(at))
    return Heading(at=at, text=text or _nameless(at), key=key, field=field or "", person=person)


def _chosen(found: Sequence[Heading], first: int, choices: Choices) -> Layout:
    """With persons numbered, one column a field, and what a person chose instead."""
    persons = _persons(found)
    headings: list[Heading] = []
    keys: set[str] = set()
    for each in found:
        nth = persons.index(each.person) + 1 if each.person in persons else 1
        field = numbered(each.field, nth) if each.field in OF_PERSON else each.field
        key = each.key if each.key not in keys else f"{each.key} {column_letters(each.at)}"
        keys.add(key)
        chosen = choices.get(key, field)
        person = each.person if each.person in persons else ""
        headings.append(replace(each, key=key, field=chosen if chosen in FIELDS else "", person=person))
    return Layout(first, tuple(_once(headings, choices)))


def _persons(found: Sequence[Heading]) -> list[str]:
    """The words of the contacts that a line names side by side. What stands over the agency's column too is a title."""
    titles = {each.person for each in found if each.field == "agency"}
    return list(
        dict.fromkeys(each.person for each in found if each.field in OF_PERSON and each.person not in titles | {""})
    )


def _once(headings: Sequence[Heading], choices: Choices) -> Iterator[Heading]:
    """Each field in one column: the one that a person chose, of two telephones the mobile one, else the first."""

    def rank(heading: Heading) -> tuple[bool, bool, int]:
        return heading.key not in choices, not _MOBILE.search(_plain(heading.text)), heading.at

    best: dict[str, Heading] = {}
    for each in sorted(headings, key=rank):
        best.setdefault(each.field, each)
    for each in headings:
        yield each if best[each.field] is each else replace(each, field="")


def _held(rows: Sequence[Sequence[str]], at: int) -> str:
    """What most cells of a column look like."""
    cells = [row[at] for row in rows if at < len(row) and row[at]]
    return next((field for field, holds in _BY_CONTENT.items() if sum(map(holds, cells)) * 2 > len(cells)), "")


def _nameless(at: int) -> str:
    return f"Cột {column_letters(at)}"
