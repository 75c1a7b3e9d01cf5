"""Báo cáo kết quả thực hiện (paper B): the consolidated report of a plan's period, by targets, by duty and on the
reporting itself. What an agency wrote enters in brackets as a draft for the officer; no figure is made up."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from engine.features.papers.document import BLANK, AnnexColumn, Paper
from engine.features.papers.facts import Issuer, PlanFacts, counted, long_moment, out_of, shortened, tally
from engine.rules.calendar import day_digits, local_date

FIGURE_COLUMNS = (
    AnnexColumn("STT", 12, True),
    AnnexColumn("Chỉ tiêu", 58),
    AnnexColumn("Đơn vị tính", 18, True),
    AnnexColumn("Kế hoạch", 18, True),
    AnnexColumn("Thực hiện", 20, True),
    AnnexColumn("Số cơ quan báo cáo", 18, True),
    AnnexColumn("Ghi chú", 16),
)
DUTY_COLUMNS = (
    AnnexColumn("STT", 11, True),
    AnnexColumn("Mục", 18, True),
    AnnexColumn("Nhiệm vụ", 84),
    AnnexColumn("Cơ quan chủ trì", 38),
    AnnexColumn("Hạn", 23, True),
    AnnexColumn("Kết quả", 39),
    AnnexColumn("Tóm tắt", 34),
)
"""One row a duty."""
TIMING_COLUMNS = (
    AnnexColumn("STT", 10, True),
    AnnexColumn("Cơ quan", 36),
    AnnexColumn("Phải gửi", 12, True),
    AnnexColumn("Đúng hạn", 13, True),
    AnnexColumn("Chậm (mục, ngày gửi)", 28),
    AnnexColumn("Chưa gửi (mục)", 25),
    AnnexColumn("Giữ hẹn", 14, True),
    AnnexColumn("Ngày xác nhận/ báo cáo/ tiếp nhận", 22, True),
)
"""One row an agency."""
MAX_SUMMARY_CHARS, MAX_QUOTED = 160, 12
"""Characters of an agency's summary in the annex; difficulties quoted in the text, the others counted."""
MAX_OWNERS, MAX_SUMMARIES = 3, 2
"""Owners of a duty that are named, and of whom the summary is quoted; more are counted."""
UNFINISHED = ("Quá hạn", "Chưa có kết quả")
"""Results of which the agencies are named, unless it is all of them."""
RESULT_ORDER = ("Hoàn thành đúng hạn", "Hoàn thành quá hạn", "Đang thực hiện", "Quá hạn", "Chưa có kết quả")


@dataclass(frozen=True, kw_only=True)
class FigureFacts:
    """One target: ``value`` empty while nothing is in; ``given`` of ``asked`` agencies have reported."""

    name: str
    unit: str
    target: str
    value: str
    given: int
    asked: int
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class DutyFacts:
    citation: str
    text: str
    agency: str
    due_on: date | None
    result: str
    summary: str
    sent_on: date | None
    timing: str


@dataclass(frozen=True, kw_only=True)
class ConductFacts:
    """``kept`` of ``promises``; ``complete`` of ``outputs``; ``days``: to acknowledge, to report, to accept, medians of
    working days, None without one."""

    promises: int = 0
    kept: int = 0
    outputs: int = 0
    complete: int = 0
    days: tuple[float | None, float | None, float | None] = (None, None, None)

    @property
    def kept_words(self) -> str:
        return f"{self.kept}/{self.promises}" if self.promises else ""

    @property
    def days_words(self) -> str:
        """«2/40/3,5»; empty without any."""
        said = ("–" if each is None else f"{each:g}".replace(".", ",") for each in self.days)
        return "/".join(said) if any(each is not None for each in self.days) else ""


@dataclass(frozen=True)
class Difficulty:
    """A difficulty that an agency raised, or the reason it gave for what is not finished. ``citation`` is empty for the
    plan as a whole; ``answer``: what the department answered."""

    agency: str
    citation: str
    words: str
    answer: str = ""


@dataclass(frozen=True, kw_only=True)
class PeriodReport:
    """``to``: to whom it is owed. The counts are of ordered tasks; ``asked``: what bodies that are only asked did."""

    issuer: Issuer
    plan: PlanFacts
    period: str
    to: Sequence[str]
    as_of: datetime
    done_on_time: int
    done_late: int
    open_in_time: int
    open_overdue: int
    reports_on_time: int
    reports_in: int
    reports_expected: int
    missing: Sequence[str]
    figures: Sequence[FigureFacts]
    duties: Sequence[DutyFacts]
    difficulties: Sequence[Difficulty]
    causes: Sequence[tuple[str, int]] = ()
    """Why ordered tasks are not finished, with how many."""
    not_asked: int = 0
    """Of agencies that have ended."""
    conduct: ConductFacts = ConductFacts()
    """Of what is ordered."""
    conduct_by_agency: Mapping[str, ConductFacts] = field(default_factory=dict)
    """By name."""
    asked: int = 0
    asked_done: int = 0
    source: str = ""
    """The address of the page with these figures."""

    @property
    def total(self) -> int:
        return self.done_on_time + self.done_late + self.open_in_time + self.open_overdue + self.not_asked


def report_name(number: str, year: int, period: str) -> str:
    """The name of its file: «bao-cao_188-KH-UBND-2021_2021-H1.docx»."""
    plan = re.sub(r"[^A-Za-z0-9]+", "-", f"{number.replace('Đ', 'D')}-{year}")
    return f"bao-cao_{plan}_{re.sub(r'[^A-Za-z0-9-]', '', period)}.docx"


def report_docx(facts: PeriodReport) -> bytes:
    """The report as .docx, with annexes I (targets, where there are any), II and III."""
    paper = Paper(f"Báo cáo kết quả thực hiện {facts.plan.reference}", facts.issuer.name, facts.as_of)
    year = local_date(facts.as_of).year
    paper.head(
        facts.issuer.parent,
        facts.issuer.name,
        f"Số: {BLANK}/{facts.issuer.report_code}",
        f"{facts.issuer.place}, ngày {BLANK[:6]}tháng {BLANK[:6]}năm {year}",
    )
    paper.title("BÁO CÁO", f"Kết quả thực hiện {facts.plan.reference} {facts.period}")
    paper.addressees(facts.to)
    for text, heading in text_of(facts):
        paper.body(text, heading=heading)
    paper.sign_off(["Như trên"], facts.issuer.unit, facts.issuer.signer.split("/"))
    _annexes(paper, facts)
    paper.source(facts.source)
    return paper.save()


def text_of(facts: PeriodReport) -> Iterator[tuple[str, bool]]:
    """(paragraph, whether it is a heading)."""
    issuer = facts.issuer.name
    yield (
        f"Thực hiện {facts.plan.in_full}, {issuer} báo cáo kết quả thực hiện {facts.period} "
        f"(số liệu tính đến {long_moment(facts.as_of)}) như sau:",
        False,
    )
    yield "I. CÔNG TÁC CHỈ ĐẠO, TRIỂN KHAI", True
    yield "[Cán bộ soạn thảo ghi các văn bản đã ban hành.]", False
    yield "II. KẾT QUẢ THỰC HIỆN", True
    part = 0
    if facts.figures:
        part += 1
        full = sum(each.given == each.asked for each in facts.figures)
        yield f"{part}. Các chỉ tiêu", True
        which = f"{counted(full)} chỉ tiêu, số liệu đã" if full else "chưa chỉ tiêu, số liệu nào"
        yield (
            f"Kế hoạch theo dõi {counted(len(facts.figures))} chỉ tiêu, số liệu; {which} có báo cáo của mọi cơ quan "
            "được hỏi (Phụ lục I).",
            False,
        )
    yield f"{part + 1}. Tiến độ thực hiện nhiệm vụ", True
    ended = f"; {tally('không còn yêu cầu, cơ quan đã kết thúc', facts.not_asked)}" if facts.not_asked else ""
    yield (
        f"{_total(facts.total)}: {tally('hoàn thành đúng hạn', facts.done_on_time)}; "
        f"{tally('hoàn thành quá hạn', facts.done_late)}; {tally('đang thực hiện trong hạn', facts.open_in_time)}; "
        f"{tally('đang thực hiện quá hạn', facts.open_overdue)}{ended} (Phụ lục {_annex_number(facts, 1)}).",
        False,
    )
    if facts.asked:
        answered = f"trong đó {counted(facts.asked_done)} nội dung đã" if facts.asked_done else "chưa nội dung nào"
        yield f"Ngoài ra, {counted(facts.asked)} nội dung đề nghị phối hợp, {answered} có kết quả.", False
    yield f"{part + 2}. Chế độ báo cáo", True
    yield (
        f"Đã gửi {out_of(facts.reports_in, facts.reports_expected)} báo cáo, "
        f"{tally('trong đó đúng hạn', facts.reports_on_time)} (Phụ lục {_annex_number(facts, 2)}).",
        False,
    )
    yield from ((each, False) for each in _conduct(facts.conduct))
    yield "III. TỒN TẠI, HẠN CHẾ VÀ NGUYÊN NHÂN", True
    yield from ((each, False) for each in _shortcomings(facts))
    yield "IV. PHƯƠNG HƯỚNG, NHIỆM VỤ KỲ TIẾP THEO", True
    yield "[Cán bộ soạn thảo ghi.]", False
    yield "V. KIẾN NGHỊ, ĐỀ XUẤT", True
    yield "[Cán bộ soạn thảo ghi; nếu không có thì ghi «Không».]", False
    yield (
        f"Trên đây là báo cáo kết quả thực hiện {facts.plan.reference} {facts.period}, {issuer} kính báo cáo./.",
        False,
    )


def _total(number: int) -> str:
    return f"Tổng số {counted(number)} nhiệm vụ đến kỳ" if number else "Chưa có nhiệm vụ nào đến kỳ"


def _conduct(conduct: ConductFacts) -> Iterator[str]:
    """Promises kept, outputs and the time taken, of which there is something to say."""
    if conduct.promises:
        yield f"Giữ đúng {out_of(conduct.kept, conduct.promises)} lời hẹn đã đến ngày."
    if conduct.outputs:
        yield (
            f"Trong {counted(conduct.outputs)} nhiệm vụ hoàn thành phải có sản phẩm đã tiếp nhận, "
            f"{tally('đủ sản phẩm', conduct.complete)}."
        )
    if conduct.days_words:
        yield f"Số ngày làm việc xác nhận/báo cáo/tiếp nhận (trung vị): {conduct.days_words}."


def _shortcomings(facts: PeriodReport) -> Iterator[str]:
    """Whose reports are missing, by name; and, in brackets, the difficulties that agencies raised with their answers,
    and the reasons they gave."""
    if facts.missing:
        yield f"Còn {counted(len(facts.missing))} cơ quan chưa gửi đủ báo cáo: {', '.join(facts.missing)}."
    if facts.causes:
        named = "; ".join(f"{words} ({counted(tasks)} nhiệm vụ)" for words, tasks in facts.causes)
        yield f"Nguyên nhân các nhiệm vụ chưa hoàn thành: {named}."
    for each in facts.difficulties[:MAX_QUOTED]:
        about = f"mục {each.citation}" if each.citation else "cả kế hoạch"
        answered = f"; đã trả lời: [«{' '.join(each.answer.split())}»]" if each.answer else ""
        yield f"- {each.agency} ({about}): [«{' '.join(each.words.split())}»]{answered}"
    more = len(facts.difficulties) - MAX_QUOTED
    if more > 0:
        yield f"- Và {counted(more)} lý do khác nêu tại Phụ lục {_annex_number(facts, 1)}."
    if not facts.missing and not facts.difficulties:
        yield "Không."


def _annex_number(facts: PeriodReport, following: int) -> str:
    """Annex I holds the targets; without any, the numbers begin with the duties."""
    return ("I", "II", "III")[following if facts.figures else following - 1]


def _annexes(paper: Paper, facts: PeriodReport) -> None:
    note = f"(Kèm theo Báo cáo số {BLANK}/{facts.issuer.report_code} của {facts.issuer.name})"
    if facts.figures:
        paper.annex("CÁC CHỈ TIÊU", note, landscape=False, word="Phụ lục I")
        paper.table(
            FIGURE_COLUMNS,
            [
                (str(n), each.name, each.unit, each.target, each.value, f"{each.given}/{each.asked}", each.note)
                for n, each in enumerate(facts.figures, 1)
            ],
        )
        paper.end_annex()
    paper.annex("TIẾN ĐỘ THỰC HIỆN NHIỆM VỤ", note, landscape=True, word=f"Phụ lục {_annex_number(facts, 1)}")
    paper.table(DUTY_COLUMNS, duty_rows(facts.duties), compact=True)
    paper.end_annex()
    paper.annex("CHẾ ĐỘ BÁO CÁO", note, landscape=False, word=f"Phụ lục {_annex_number(facts, 2)}")
    paper.table(TIMING_COLUMNS, timing_rows(facts.duties, facts.conduct_by_agency), compact=True)
    paper.end_annex()


def duty_rows(duties: Sequence[DutyFacts]) -> list[tuple[str, ...]]:
    """A row a duty: its text once, its owners, what came of it, who is not finished by name."""
    by_duty: dict[str, list[DutyFacts]] = {}
    for each in duties:
        by_duty.setdefault(each.citation, []).append(each)
    return [
        (
            str(n),
            citation,
            shortened(parts[0].text),
            _some([each.agency for each in parts], MAX_OWNERS),
            _due(parts),
            _result(parts),
            _summaries(parts),
        )
        for n, (citation, parts) in enumerate(by_duty.items(), 1)
    ]


def timing_rows(
    duties: Sequence[DutyFacts], conduct: Mapping[str, ConductFacts] | None = None
) -> list[tuple[str, ...]]:
    """A row an agency: how many reports it owes, how many were in on time, which came late and which are missing; the
    promises that it kept, and the time that it takes."""
    by_agency: dict[str, list[DutyFacts]] = {}
    for each in duties:
        by_agency.setdefault(each.agency, []).append(each)
    rows: list[tuple[str, ...]] = []
    for n, agency in enumerate(sorted(by_agency), 1):
        parts = by_agency[agency]
        came: dict[str, list[str]] = {}
        for each in parts:
            if each.timing == "Chậm":
                came.setdefault(_day(each.sent_on), []).append(each.citation)
        late = [f"{', '.join(citations)} ({day})" for day, citations in came.items()]
        missing = [each.citation for each in parts if each.timing == "Chưa gửi"]
        on_time = sum(each.timing == "Đúng hạn" for each in parts)
        own = (conduct or {}).get(agency, ConductFacts())
        timing = (str(n), agency, str(len(parts)), str(on_time), "; ".join(late), ", ".join(missing))
        rows.append((*timing, own.kept_words, own.days_words))
    return rows


def _some(names: Sequence[str], most: int) -> str:
    return ", ".join(names) if len(names) <= most else f"{len(names)} cơ quan"


def _due(parts: Sequence[DutyFacts]) -> str:
    """The due date that most have, and how many have another."""
    days = Counter(each.due_on for each in parts)
    (day, same), *others = days.most_common()
    return _day(day) + (f" ({len(parts) - same} cơ quan có hạn khác)" if others else "")


def _result(parts: Sequence[DutyFacts]) -> str:
    if len(parts) == 1:
        return parts[0].result
    counts = Counter(each.result for each in parts)
    said = []
    for result in sorted(counts, key=lambda each: RESULT_ORDER.index(each) if each in RESULT_ORDER else -1):
        late = [each.agency for each in parts if each.result == result]
        named = f" ({', '.join(late)})" if result in UNFINISHED and len(late) < len(parts) else ""
        said.append(f"{result}: {counts[result]}/{len(parts)}{named}")
    return "; ".join(said)


def _summaries(parts: Sequence[DutyFacts]) -> str:
    """What agencies wrote, each text once."""
    by_text: dict[str, list[str]] = {}
    for each in parts:
        if each.summary:
            by_text.setdefault(" ".join(each.summary.split()), []).append(each.agency)
    most = MAX_SUMMARY_CHARS // min(max(len(by_text), 1), MAX_SUMMARIES)
    quoted = [
        (f"{_some(agencies, 1)}: " if len(parts) > 1 else "") + f"[{shortened(text, most)}]"
        for text, agencies in list(by_text.items())[:MAX_SUMMARIES]
    ]
    more = len(by_text) - MAX_SUMMARIES
    return "; ".join([*quoted, *([f"và {more} báo cáo khác"] if more > 0 else [])])


def _day(day: date | None) -> str:
    return "" if day is None else day_digits(day)
