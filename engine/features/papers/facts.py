"""What a paper says, as data: the issuer, the addressees, the rows of the annex. Pure.

What every paper of a plan reads of the database.

The office's own words in a draft dispatch, kept until its number is recorded or they are taken back.

Who issues a paper: what the department has set, over the defaults that its name gives.

The ministries that a plan has its reports sent to, found in the words of its duties. Pure.

Names as they are and as plans of the last ten years have them; a plan may name one that has ended since.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import delete, insert, select
from sqlmodel import Session

from engine.errors import FieldsRefused
from engine.rules.calendar import PLAN_TIME, day_digits, local_date
from engine.rules.privacy import PRIVATE_WORDS, looks_private
from engine.store.database import table
from engine.store.records import Agency, DispatchWording, Duty, PaperSettings, Plan
from engine.store.stored_rows import AnyRow, StoredPlan
from engine.text import Text

MAX_DUTY_CHARS = 200
"""A duty longer than this is cut at a sentence or word in an annex; it is never reworded."""
DEFAULT_SIGNER = "KT. GIÁM ĐỐC/PHÓ GIÁM ĐỐC"
SIGNERS: dict[str, Text] = {
    "KT. GIÁM ĐỐC/PHÓ GIÁM ĐỐC": Text("Phó Giám đốc ký thay", "deputy director, for the director"),
    "GIÁM ĐỐC": Text("Giám đốc", "director"),
    "Q. GIÁM ĐỐC": Text("Quyền Giám đốc", "acting director"),
    "TL. GIÁM ĐỐC/TRƯỞNG PHÒNG": Text("Trưởng phòng thừa lệnh", "head of division, by order"),
    "TM. ỦY BAN NHÂN DÂN/KT. CHỦ TỊCH/PHÓ CHỦ TỊCH": Text("Phó Chủ tịch UBND", "deputy chair of the committee"),
    "TM. ỦY BAN NHÂN DÂN/CHỦ TỊCH": Text("Chủ tịch UBND", "chair of the committee"),
}
"""Lines above a signature, separated by «/» (articles 13, I.II.7)."""


@dataclass(frozen=True, kw_only=True)
class Issuer:
    """Who issues a paper. ``sign``: the part of the number after «/»; ``unit``: the drafting unit, may be empty;
    ``signer``: a key of ``SIGNERS``."""

    parent: str
    name: str
    sign: str
    place: str
    unit: str = ""
    signer: str = DEFAULT_SIGNER
    report_sign: str = ""
    """The abbreviation in a report's sign; empty: the first part of ``sign``."""

    @property
    def report_code(self) -> str:
        """«BC-SLĐTBXH» (I.II.3.b)."""
        return f"BC-{self.report_sign or self.sign.partition('-')[0]}"


class PaperKind(StrEnum):
    DISPATCH = "dispatch"
    REPORT = "report"
    QUICK = "quick"
    """The leadership's page."""


@dataclass(frozen=True, kw_only=True)
class IssuerSettings:
    """What a department has set for its papers. An empty field means the default that its name gives."""

    parent: str = ""
    name: str = ""
    place: str = ""
    sign: str = ""
    report_sign: str = ""
    unit: str = ""
    dispatch_signer: str = ""
    report_signer: str = ""
    quick_signer: str = ""
    leader: str = ""
    """To whom the leadership's page is addressed, by post: «Lãnh đạo Ủy ban nhân dân tỉnh Nghệ An»."""

    def issuer(self, department: str, province: str, kind: PaperKind) -> Issuer:
        """``department`` issues, ``province`` is the body above it; both as named on the letter's day."""
        signer = getattr(self, f"{kind}_signer")
        return Issuer(
            parent=self.parent or short_committee(province),
            name=self.name or department,
            sign=self.sign or initials(department),
            place=self.place or place_of(province),
            unit=self.unit,
            signer=signer if signer in SIGNERS else DEFAULT_SIGNER,
            report_sign=self.report_sign,
        )


@dataclass(frozen=True)
class PlanFacts:
    number: str
    issued_on: date
    issuer: str
    title: str

    @property
    def reference(self) -> str:
        """«Kế hoạch số 188/KH-UBND»."""
        return f"Kế hoạch số {self.number}"

    @property
    def in_full(self) -> str:
        """The first citation: type, number, date, issuer and subject (I.II.6.b)."""
        subject = re.sub(r"^kế hoạch\s+", "", self.title.strip(), flags=re.IGNORECASE)
        return f"{self.reference} ngày {day_digits(self.issued_on)} của {self.issuer} về {lower_first(subject)}"


@dataclass(frozen=True, kw_only=True)
class DutyRow:
    """A row of an annex. ``late``: working days overdue; 0 in the list of what comes due. ``level``: how often the
    agency was chased about it, by deliveries."""

    agency_id: str
    agency: str
    citation: str
    text: str
    due_on: date | None
    original_due_on: date | None
    late: int
    reported: bool
    status: str
    note: str = ""
    group: str = ""
    """What agencies of its kind are called together; empty where they are always named."""
    level: int = 0


@dataclass(frozen=True)
class PriorPaper:
    """A paper that was issued and recorded before: «số 412/SLĐTBXH ngày 21/6/2021»."""

    number: str
    on: date


@dataclass(frozen=True, kw_only=True)
class Dispatch:
    """A công văn đôn đốc, or a letter to those who are only asked (``request``). ``overdue`` and ``upcoming`` are in
    the order of the annex. ``level``: how often every addressee was chased, by deliveries; ``answer_by``: the new
    date."""

    issuer: Issuer
    plan: PlanFacts
    reports_to: str
    overdue: Sequence[DutyRow]
    upcoming: Sequence[DutyRow]
    as_of: datetime
    answer_by: date
    horizon: date
    level: int
    prior: Sequence[PriorPaper] = ()
    request: bool = False
    source: str = ""
    """The address of the page with these rows."""
    wording: Mapping[str, str] = field(default_factory=dict)
    """What the office wrote in place of a proposed paragraph, by its key; empty: the paragraph is dropped."""

    @property
    def addressees(self) -> tuple[str, ...]:
        """The agencies by name, once each, in the order of the annex."""
        return tuple(dict.fromkeys(row.agency for row in (*self.overdue, *self.upcoming)))

    def only(self, agency_id: str) -> Dispatch:
        """The letter to one of the agencies alone."""
        overdue = tuple(row for row in self.overdue if row.agency_id == agency_id)
        fields = {
            "overdue": overdue,
            "level": max(self.level, common_level(overdue)),
            "upcoming": tuple(row for row in self.upcoming if row.agency_id == agency_id),
        }
        return Dispatch(**(self.__dict__ | fields))


def common_level(overdue: Iterable[DutyRow]) -> int:
    """How often every agency of these rows was chased: the lowest of them counts, about whichever of its duties."""
    levels: dict[str, int] = {}
    for row in overdue:
        levels[row.agency_id] = max(row.level, levels.get(row.agency_id, 0))
    return min(levels.values(), default=0)


def long_day(day: date) -> str:
    """«ngày 07 tháng 4 năm 2021»."""
    month = f"{day.month:02d}" if day.month < 3 else str(day.month)
    return f"ngày {day.day:02d} tháng {month} năm {day.year}"


def long_moment(at: datetime) -> str:
    """«17 giờ 00 phút ngày 28 tháng 6 năm 2021», local time."""
    local = at.astimezone(PLAN_TIME)
    return f"{local.hour:02d} giờ {local.minute:02d} phút {long_day(local_date(at))}"


def counted(number: int) -> str:
    """A count in running text: 01 … 09. Of none: ``tally``."""
    return f"{number:02d}"


def tally(words: str, number: int) -> str:
    """«hoàn thành quá hạn 05»; of none «hoàn thành quá hạn: không», never «00»."""
    return f"{words} {counted(number)}" if number else f"{words}: không"


def out_of(part: int, whole: int) -> str:
    """«05/21», «0/21»."""
    return f"{counted(part) if part else 0}/{counted(whole)}"


def lower_first(text: str) -> str:
    return text[:1].lower() + text[1:]


def shortened(text: str, most: int = MAX_DUTY_CHARS) -> str:
    """The text, or its beginning up to the last sentence or word within ``most`` characters."""
    plain = " ".join(text.split())
    if len(plain) <= most:
        return plain
    head = plain[:most]
    sentence = head.rfind(". ")
    return head[: sentence + 1] if sentence > most // 2 else f"{head[: most - 1].rpartition(' ')[0].rstrip(' ,;:.')}…"


def short_committee(name: str) -> str:
    """«UBND» for «Ủy ban nhân dân», as a parent body may be shortened (I.II.2)."""
    return re.sub(r"(?i)^[uủ][ỷy] ban nhân dân", "UBND", name)


def full_committee(name: str) -> str:
    """«Ủy ban nhân dân huyện Anh Sơn» after «Kính gửi»: an addressee is not shortened (I.II.9)."""
    return re.sub(r"^UBND(?=\s)", "Ủy ban nhân dân", name)


def initials(name: str) -> str:
    """A default for an issuer's abbreviation: «Sở Lao động - Thương binh và Xã hội» -> «SLĐTBXH»."""
    if short_committee(name) != name:
        return "UBND"
    return "".join(word[0].upper() for word in re.findall(r"\w+", name) if word.lower() not in ("và", "của", "các"))


def place_of(issuer: str) -> str:
    """A default for the place of issue: the province in a committee's name, else empty."""
    found = re.search(r"(?i)\b(?:tỉnh|thành phố|huyện|thị xã|xã|phường)\s+(.+)$", issuer)
    return found.group(1).strip() if found else ""


def plan_duties(session: Session, plan_id: int) -> Sequence[AnyRow]:
    """Rows of ``id``, ``position`` and ``text``."""
    d = table(Duty)
    return session.connection().execute(select(d.c.id, d.c.position, d.c.text).where(d.c.plan_id == plan_id)).all()


MAX_PARAGRAPH_CHARS = 3_000
MOMENT = re.compile(r"\d\d giờ \d\d phút ngày \d\d tháng \d{1,2} năm \d{4}")
"""The moment at which a draft was opened: another one is no other proposal."""


@dataclass(frozen=True)
class DraftKey:
    """Which draft: of a plan and period, to those who are ordered or asked, to all that are late ("") or to some."""

    plan_id: int
    period: str
    request: bool
    addressees: str = ""

    @staticmethod
    def chosen(agency_ids: Iterable[str]) -> str:
        return hashlib.sha256("\n".join(sorted(agency_ids)).encode()).hexdigest()[:32]


@dataclass(frozen=True)
class Wording:
    """By paragraph: (as it was proposed when it was written, as it was written)."""

    texts: Mapping[str, tuple[str, str]] = field(default_factory=dict)

    @property
    def written(self) -> dict[str, str]:
        return {key: text for key, (_, text) in self.texts.items()}

    def outdated(self, proposed: Mapping[str, str]) -> tuple[str, ...]:
        """The written paragraphs of which another text would be proposed by now."""
        now = {key: MOMENT.sub("", text) for key, text in proposed.items()}
        return tuple(key for key, (then, _) in self.texts.items() if MOMENT.sub("", then) != now.get(key, ""))


def read_wording(session: Session, key: DraftKey) -> Wording:
    texts = session.connection().scalar(select(table(DispatchWording).c.texts).where(*_same(key)))
    return Wording({name: (then, text) for name, (then, text) in (texts or {}).items()})


def keep_wording(
    session: Session,
    key: DraftKey,
    proposed: Mapping[str, str],
    written: Mapping[str, str],
    *,
    actor: str,
    now: datetime,
) -> None:
    """Keep the paragraphs that differ from what is proposed, in place of those that were kept. Raises FieldsRefused for
    text that looks like personal data, and for a letter without words."""
    wrong: dict[str, Text] = {}
    for name, text in written.items():
        for found in looks_private(text)[:1]:
            vi, en = PRIVATE_WORDS[found.what]
            wrong[name] = Text(f"Nội dung {vi} ({found.masked}).", f"This text {en} ({found.masked}).")
    if not any(written.get(name, text).strip() for name, text in proposed.items()):
        wrong[next(iter(written))] = Text("Công văn cần có nội dung.", "A dispatch needs words.")
    if wrong:
        raise FieldsRefused(wrong)
    texts = {name: [proposed[name], text] for name, text in written.items() if text.split() != proposed[name].split()}
    drop_wording(session, key)
    if texts:
        session.connection().execute(
            insert(table(DispatchWording)).values(**key.__dict__, texts=texts, actor=actor, at=now)
        )


def drop_wording(session: Session, key: DraftKey) -> None:
    """The proposed text stands again."""
    session.connection().execute(delete(table(DispatchWording)).where(*_same(key)))


def _same(key: DraftKey) -> list[Any]:
    columns = table(DispatchWording).c
    return [columns[name] == value for name, value in key.__dict__.items()]


def issuer_of(session: Session, plan_row: StoredPlan, kind: PaperKind) -> Issuer:
    """The plan's supervising department, under the body that issued the plan. Two queries."""
    g = table(Agency)
    statement = select(g.c.id, g.c.name).where(g.c.id.in_((plan_row.supervisor_id, plan_row.issuer_id)))
    names: dict[str, str] = {row[0]: row[1] for row in session.connection().execute(statement)}
    department, province = plan_row.supervisor_id, plan_row.issuer_id
    return settings_of(session, department).issuer(
        names.get(department, department), names.get(province, province), kind
    )


def settings_of(session: Session, agency_id: str) -> IssuerSettings:
    """What the department has set; empty fields otherwise."""
    row = session.get(PaperSettings, agency_id)
    known = {each.name for each in fields(IssuerSettings)}
    return IssuerSettings(**{name: value for name, value in (row.body if row else {}).items() if name in known})


def letterhead_of(session: Session, agency_id: str) -> tuple[str, bytes] | None:
    """(file name, form) of the department's own letterhead, if it has one."""
    s = table(PaperSettings)
    statement = select(s.c.letterhead_name, s.c.letterhead).where(s.c.agency_id == agency_id)
    row = session.connection().execute(statement.where(s.c.letterhead.is_not(None))).first()
    return None if row is None else (row.letterhead_name, bytes(row.letterhead))


def departments_of(session: Session) -> tuple[tuple[str, str], ...]:
    """(id, name) of the departments that supervise a plan."""
    g, p = table(Agency), table(Plan)
    statement = select(g.c.id, g.c.name).where(g.c.id.in_(select(p.c.supervisor_id))).order_by(g.c.name)
    return tuple((row[0], row[1]) for row in session.connection().execute(statement))


NAMES = (
    "Quốc phòng",
    "Công an",
    "Ngoại giao",
    "Nội vụ",
    "Tư pháp",
    "Kế hoạch và Đầu tư",
    "Tài chính",
    "Công Thương",
    "Nông nghiệp và Phát triển nông thôn",
    "Nông nghiệp và Môi trường",
    "Giao thông vận tải",
    "Xây dựng",
    "Tài nguyên và Môi trường",
    "Thông tin và Truyền thông",
    "Lao động - Thương binh và Xã hội",
    "Văn hóa, Thể thao và Du lịch",
    "Khoa học và Công nghệ",
    "Giáo dục và Đào tạo",
    "Y tế",
    "Dân tộc và Tôn giáo",
)
NAMED = re.compile("Bộ (" + "|".join(sorted(map(re.escape, NAMES), key=len, reverse=True)) + r")\b")
REPORTED = re.compile(r"\bbáo cáo\b[^.;]*", re.IGNORECASE)
"""The clause that says to whom is reported."""
NOT_TO = re.compile(r"\b(?:của|theo|do)\s+$")
"""Before a name that is no recipient: «theo hướng dẫn của Bộ …»."""


def ministries(texts: Iterable[str]) -> tuple[str, ...]:
    """«Bộ Lao động - Thương binh và Xã hội» where a duty says that reports go to it too, each once."""
    found: dict[str, None] = {}
    for text in texts:
        for clause in REPORTED.findall(" ".join(text.split())):
            for name in NAMED.finditer(clause):
                if not NOT_TO.search(clause[: name.start()]):
                    found[name.group()] = None
    return tuple(found)
