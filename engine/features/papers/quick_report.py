"""Báo cáo nhanh (paper C): the leadership's page on one sheet, with the ranking as its annex; and that annex alone, of
published figures. Bodies that are only asked stand on a line of their own and are never ranked.

The facts of the leadership's page as a paper: today's standing, what has changed since the weekly report, and who is
furthest behind.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby

from sqlalchemy import select
from sqlmodel import Session

from engine.assignments.told import Since
from engine.features.papers.document import BLANK, AnnexColumn, Paper
from engine.features.papers.facts import (
    Issuer,
    PaperKind,
    counted,
    issuer_of,
    long_moment,
    settings_of,
    short_committee,
    tally,
)
from engine.queries.figures.outlook import Behind, Coming, NextDate, outlook
from engine.queries.figures.plan_progress import Standing
from engine.queries.time_class import Today
from engine.rules.calendar import day_digits, local_date
from engine.rules.words import name_order, period_words
from engine.store.database import table
from engine.store.records import Agency
from engine.store.stored_rows import StoredPlan

RANK_COLUMNS = (
    AnnexColumn("Hạng", 13, True),
    AnnexColumn("Cơ quan", 41),
    AnnexColumn("Tổng", 13, True),
    AnnexColumn("Xong đúng hạn", 16, True),
    AnnexColumn("Xong quá hạn", 16, True),
    AnnexColumn("Đang làm trong hạn", 17, True),
    AnnexColumn("Đang làm quá hạn", 17, True),
    AnnexColumn("Tỷ lệ %", 14, True),
    AnnexColumn("BC đúng hạn %", 13, True),
)
FORMULA = (
    "Tỷ lệ = số nhiệm vụ hoàn thành đúng hạn / (hoàn thành đúng hạn + hoàn thành quá hạn + đang thực hiện quá hạn). "
    "Tỷ lệ cố định theo hạn: nhiệm vụ đã quá hạn, hoàn thành sau không làm tăng tỷ lệ. "
    "Hạng theo số nhiệm vụ quá hạn, rồi số hoàn thành quá hạn; cơ quan không quá hạn không xếp hạng. "
    "Nội dung đề nghị phối hợp không tính."
)


@dataclass(frozen=True, kw_only=True)
class RankRow:
    """The ordered tasks of an agency in the four boxes, and its reports."""

    agency: str
    on_time: int
    late: int
    in_term: int
    overdue: int
    reports: int
    reports_on_time: int

    @property
    def total(self) -> int:
        return self.on_time + self.late + self.in_term + self.overdue

    @property
    def rate(self) -> float | None:
        judged = self.on_time + self.late + self.overdue
        return 100 * self.on_time / judged if judged else None


@dataclass(frozen=True)
class Worst:
    """An agency with the longest overdue task: how many, and for how many working days. ``tied``: so many agencies of
    which none is further behind, all ``since`` the same due date; then ``agency`` is empty."""

    agency: str
    overdue: int
    days: int
    tied: int = 1
    since: date | None = None

    @property
    def words(self) -> str:
        if self.tied > 1 and self.since is not None:
            who = f"{counted(self.tied)} cơ quan, đều có hạn ngày {day_digits(self.since)}"
            return f"{who} ({counted(self.overdue)} nhiệm vụ, {self.days} ngày làm việc)"
        return f"{self.agency} ({counted(self.overdue)} nhiệm vụ, lâu nhất {self.days} ngày làm việc)"


@dataclass(frozen=True, kw_only=True)
class QuickReport:
    """``subject``: «Kế hoạch số 188/KH-UBND», or the plans together. ``since``: against the weekly report of the week
    before; None where there was none."""

    issuer: Issuer
    leader: str
    subject: str
    as_of: datetime
    rows: Sequence[RankRow]
    worst: Sequence[Worst]
    asked: int = 0
    asked_done: int = 0
    since: Since | None = None
    next_dates: Sequence[NextDate] = ()
    past_plans: int = 0
    past_unfinished: int = 0
    """Plans past their last date and what is unfinished of them: in none of the other figures."""
    not_asked: int = 0
    """Tasks of agencies that have ended, in none of the other figures either."""
    source: str = ""

    def sum_of(self, name: str) -> int:
        return sum(getattr(row, name) for row in self.rows)


def quick_report_docx(facts: QuickReport) -> bytes:
    """One page to sign, and the ranking behind it."""
    paper = Paper(f"Báo cáo nhanh {facts.subject}", facts.issuer.name, facts.as_of)
    year = local_date(facts.as_of).year
    number = f"Số: {BLANK}/{facts.issuer.report_code}"
    place = f"{facts.issuer.place}, ngày {BLANK[:6]}tháng {BLANK[:6]}năm {year}"
    paper.head(facts.issuer.parent, facts.issuer.name, number, place)
    paper.title("BÁO CÁO", f"Nhanh tình hình thực hiện nhiệm vụ tại {facts.subject}")
    paper.addressees([facts.leader])
    paragraphs = list(text_of(facts))
    for place_in, text in enumerate(paragraphs, 1):
        paper.body(text, keep=place_in >= len(paragraphs) - 1)
    paper.sign_off(["Như trên"], facts.issuer.unit, facts.issuer.signer.split("/"))
    note = f"(Kèm theo Báo cáo số {BLANK}/{facts.issuer.report_code} của {facts.issuer.name})"
    _ranking(paper, facts.rows, note)
    paper.source(facts.source)
    return paper.save()


def ranking_docx(
    issuer: str, subject: str, cut_off: date, at: datetime, rows: Sequence[RankRow], source: str = ""
) -> bytes:
    """The ranking of published figures, to be attached to a paper or put up: «chốt ngày 17/6/2021»."""
    paper = Paper(f"Xếp hạng {subject}", issuer, at)
    _ranking(paper, rows, f"({subject}, số liệu chốt đến hết ngày {day_digits(cut_off)})", first=True)
    paper.source(source)
    return paper.save()


def text_of(facts: QuickReport) -> Iterator[str]:
    """At most twelve lines; what has nothing to say is left out."""
    total = facts.sum_of("total")
    yield f"{facts.issuer.name} kính báo cáo tình hình đến {long_moment(facts.as_of)}:"
    boxes = "; ".join(
        f"{tally(words, facts.sum_of(name))}{_share(facts.sum_of(name), total)}"
        for words, name in (
            ("hoàn thành đúng hạn", "on_time"),
            ("hoàn thành quá hạn", "late"),
            ("đang thực hiện trong hạn", "in_term"),
            ("đang thực hiện quá hạn", "overdue"),
        )
    )
    asked = f" Đề nghị phối hợp (tính riêng): {facts.asked_done}/{facts.asked} có kết quả." if facts.asked else ""
    points = [f"{_week(facts)} Trong tổng số {counted(total)} nhiệm vụ: {boxes}.{asked}"]
    reports = facts.sum_of("reports")
    points.append(
        f"Chế độ báo cáo: {tally('đã gửi', reports)}, {tally('đúng hạn', facts.sum_of('reports_on_time'))}"
        f"{_share(facts.sum_of('reports_on_time'), reports)}."
    )
    if facts.worst:
        points.append(f"Quá hạn lâu nhất: {'; '.join(each.words for each in facts.worst)}.")
    if facts.next_dates:
        points.append(f"Mốc tới: {'; '.join(map(_coming, facts.next_dates))}.")
    if facts.past_plans:
        left = f"{counted(facts.past_plans)} kế hoạch đã quá ngày cuối, chờ kết thúc"
        points.append(f"{left}; {tally('số việc còn lại', facts.past_unfinished)} (không tính vào số liệu trên).")
    if facts.not_asked:
        ended = f"{counted(facts.not_asked)} nhiệm vụ của cơ quan đã kết thúc hoạt động"
        points.append(f"Không còn yêu cầu báo cáo: {ended} (không tính vào số liệu trên).")
    points.append("Đề xuất: [Cán bộ soạn thảo ghi; nếu không có thì ghi «Không».]")
    yield from (f"{number}. {point}" for number, point in enumerate(points, 1))
    yield "Xếp hạng theo cơ quan tại Phụ lục kèm theo./."


def _coming(each: NextDate) -> str:
    """«ngày 08/7/2021 đôn đốc lần 3 (9 cơ quan)»."""
    on = f"ngày {day_digits(each.on)}"
    if each.what is Coming.DUE:
        return f"{on} đến hạn {period_words(each.period, 'vi')} ({counted(each.tasks)} nhiệm vụ)"
    what = {Coming.CHASED: f"đôn đốc lần {each.level}", Coming.REPORTED: "báo cáo lãnh đạo"}
    reported = f"; ngày {day_digits(each.reported_on)} báo cáo lãnh đạo" if each.reported_on else ""
    return f"{on} {what.get(each.what, 'nhắc nhiệm vụ quá hạn')} ({counted(each.agencies)} cơ quan){reported}"


def _week(facts: QuickReport) -> str:
    """What is done and what is overdue, each with its change since the weekly report."""
    done, overdue = facts.sum_of("on_time") + facts.sum_of("late"), facts.sum_of("overdue")
    if facts.since is None:
        return f"{_done(done)}; {tally('quá hạn', overdue)} (chưa có báo cáo tuần trước để so sánh)."
    return (
        f"{_done(done)}; {tally('quá hạn', overdue)}. So với báo cáo tuần ngày {day_digits(facts.since.on)}: "
        f"hoàn thành {_moved(facts.since.done)}, quá hạn {_moved(facts.since.overdue)}."
    )


def _done(number: int) -> str:
    return f"Đã hoàn thành {counted(number)} nhiệm vụ" if number else "Chưa hoàn thành nhiệm vụ nào"


def ranked(rows: Sequence[RankRow]) -> list[tuple[str, RankRow]]:
    """(rank, row) by overdue, then late; equals share a rank, and who is not overdue stands below without one."""
    behind = sorted(rows, key=lambda row: (-row.overdue, -row.late, name_order(row.agency)))
    places = [(row.overdue, row.late) for row in behind]
    return [(str(places.index((row.overdue, row.late)) + 1) if row.overdue else "", row) for row in behind]


def _ranking(paper: Paper, rows: Sequence[RankRow], note: str, *, first: bool = False) -> None:
    paper.annex("XẾP HẠNG KẾT QUẢ THỰC HIỆN THEO CƠ QUAN", note, landscape=False, first=first)
    lines = [
        (
            rank,
            row.agency,
            str(row.total),
            str(row.on_time),
            str(row.late),
            str(row.in_term),
            str(row.overdue),
            _percent(row.rate),
            _percent(100 * row.reports_on_time / row.reports if row.reports else None),
        )
        for rank, row in ranked(rows)
    ]
    paper.table(RANK_COLUMNS, lines, compact=True)
    paper.line(FORMULA, where=paper.document, size=12, italic=True, before=4)
    paper.end_annex()


def _percent(rate: float | None) -> str:
    return "–" if rate is None else f"{rate:.1f}".replace(".", ",")


def _share(part: int, whole: int) -> str:
    return f" ({100 * part / whole:.1f}%)".replace(".", ",") if part and whole else ""


def _moved(change: int) -> str:
    if not change:
        return "không đổi"
    return f"{'tăng' if change > 0 else 'giảm'} {counted(abs(change))}"


NAMED = 3


def quick_report(
    session: Session, today: Today, plan_row: StoredPlan, period: str, *, whole_plans: bool
) -> QuickReport:
    """``plan_row`` names the issuer; with ``whole_plans`` the figures are those of every running plan."""
    plan_id = None if whole_plans else plan_row.id
    found = outlook(session, today, plan_id=plan_id, period=period)
    now = found.now
    subject = "các kế hoạch đang thực hiện" if whole_plans else f"Kế hoạch số {plan_row.number}"
    if period:
        subject += f" {period_words(period, 'vi')}"
    g = table(Agency)
    province = session.connection().scalar(select(g.c.name).where(g.c.id == plan_row.issuer_id)) or ""
    leader = settings_of(session, plan_row.supervisor_id).leader or f"Lãnh đạo {province}"
    return QuickReport(
        issuer=issuer_of(session, plan_row, PaperKind.QUICK),
        leader=leader,
        subject=subject,
        as_of=today.now,
        rows=rank_rows(now),
        worst=_worst(found.behind),
        next_dates=found.next_dates,
        past_plans=len(found.past),
        past_unfinished=found.past_unfinished,
        not_asked=now.total.not_asked,
        asked=now.asked_total.expected,
        asked_done=now.asked_total.on_time + now.asked_total.late,
        since=found.since,
    )


def rank_rows(standing: Standing) -> tuple[RankRow, ...]:
    """The agencies of a standing as rows of the ranking."""
    return tuple(
        RankRow(
            agency=each.name,
            on_time=each.tally.on_time,
            late=each.tally.late,
            in_term=each.tally.in_term + each.tally.no_deadline,
            overdue=each.tally.overdue,
            reports=each.tally.reported,
            reports_on_time=each.tally.reported_on_time,
        )
        for each in standing.agencies
    )


def _worst(behind: Sequence[Behind]) -> tuple[Worst, ...]:
    """The agencies whose overdue orders are the oldest. Those that have been overdue for equally long are named all, or
    told as so many: none of them is further behind than the others."""
    found: list[Worst] = []
    for due, tied in groupby(behind, key=lambda each: each.since):
        agencies = list(tied)
        if len(found) + len(agencies) > NAMED:
            return (*found, Worst("", sum(each.overdue for each in agencies), agencies[0].late, len(agencies), due))
        found += [Worst(short_committee(each.name), each.overdue, each.late) for each in agencies]
        if len(found) == NAMED:
            break
    return tuple(found)
