"""Công văn đôn đốc (paper A): a letter of the supervising department to agencies that are late, with an annex; and the
letter to bodies that are only asked, which has words of its own (no order, no «quá hạn», no consequence)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from engine.features.papers.document import BLANK, AnnexColumn, Paper
from engine.features.papers.facts import Dispatch, DutyRow, counted, full_committee, long_moment, shortened
from engine.rules.calendar import day_digits, local_date
from engine.rules.policy import MAX_LEVEL

MANY_COLUMNS = (
    AnnexColumn("STT", 12, True),
    AnnexColumn("Mục", 20, True),
    AnnexColumn("Nội dung nhiệm vụ", 70),
    AnnexColumn("Cơ quan, đơn vị", 74),
    AnnexColumn("Hạn hoàn thành", 24, True),
    AnnexColumn("Số ngày làm việc quá hạn", 18, True),
    AnnexColumn("Tình trạng", 29),
)
"""A line is what several owe alike: a duty of twenty districts is written once."""
ONE_COLUMNS = (
    AnnexColumn("STT", 12, True),
    AnnexColumn("Mục", 20, True),
    AnnexColumn("Nội dung nhiệm vụ", 62),
    AnnexColumn("Hạn hoàn thành", 24, True),
    AnnexColumn("Số ngày quá hạn", 16, True),
    AnnexColumn("Tình trạng", 26),
)
MAX_NAMED = 7
MAX_TOGETHER = 30
"""Agencies in one line of the annex, which may not be longer than a page."""
COMMITTEE = re.compile(r"(UBND|Ủy ban nhân dân) (huyện|thị xã|thành phố|xã|phường|thị trấn|đặc khu) (.+)")
NOT_ASKED = {"Số ngày làm việc quá hạn", "Số ngày quá hạn"}
"""Columns that a letter to those who are only asked does not have."""


def dispatch_docx(facts: Dispatch) -> bytes:
    """The letter as .docx. Number, day and month are blank: they are given after signing (art. 15.2)."""
    paper = Paper(_title(facts), facts.issuer.name, facts.as_of)
    year = local_date(facts.as_of).year
    paper.head(
        facts.issuer.parent,
        facts.issuer.name,
        f"Số: {BLANK}/{facts.issuer.sign}",
        f"{facts.issuer.place}, ngày {BLANK[:6]}tháng {BLANK[:6]}năm {year}",
        subject_line(facts),
    )
    paper.addressees(addressed(facts))
    paragraphs = text_of(facts)
    for number, text in enumerate(paragraphs, 1):
        paper.body(text, keep=number >= len(paragraphs) - 1)
    copies = ["UBND tỉnh (để b/c)"] if facts.level >= MAX_LEVEL and not facts.request else []
    paper.sign_off(["Như trên", *copies], facts.issuer.unit, facts.issuer.signer.split("/"))
    _annex(paper, facts)
    paper.source(facts.source)
    return paper.save()


def subject_line(facts: Dispatch) -> str:
    """«V/v …», without words of the plan's subject: registers copy it."""
    if facts.request:
        return f"V/v phối hợp cung cấp kết quả thực hiện nội dung tại {facts.plan.reference}"
    mark = f" (lần {facts.level})" if facts.level > 1 else ""
    return f"V/v đôn đốc thực hiện nhiệm vụ tại {facts.plan.reference}{mark}"


END = "./."


@dataclass(frozen=True)
class Part:
    """A paragraph as it is proposed. ``point``: one of those that are numbered, once it is known which stay."""

    key: str
    text: str
    point: bool = False


def text_of(facts: Dispatch) -> list[str]:
    """The paragraphs of the letter, in the office's own words where it wrote some; what is left empty is left out. The
    points are numbered without gaps, and the last word is followed by «./.» once."""
    found: list[str] = []
    number = 0
    for part in proposed(facts):
        lines = [line.strip() for line in facts.wording.get(part.key, part.text).splitlines() if line.strip()]
        if part.point and lines:
            number += 1
            lines[0] = f"{number}. {lines[0]}"
        found += [f"{line.removesuffix(END).rstrip()}." if line.endswith(END) else line for line in lines]
    return [*found[:-1], f"{found[-1].rstrip('.')}{END}"] if found else []


def proposed(facts: Dispatch) -> list[Part]:
    """The paragraphs that the facts give, and ``more``: an empty place for one of the office's own."""
    return list(_asked_text(facts) if facts.request else _ordered_text(facts))


def for_one(facts: Dispatch, agency_id: str) -> Dispatch:
    """The letter to one agency alone. A written paragraph stays where the same one is proposed to it; one that names
    the common letter's numbers or addressees does not."""
    one = facts.only(agency_id)
    common, own = ({part.key: part.text for part in proposed(each)} for each in (facts, one))
    kept = {key: text for key, text in facts.wording.items() if own.get(key) == common.get(key)}
    return replace(one, wording=kept)


def _ordered_text(facts: Dispatch) -> Iterator[Part]:
    issuer, one = facts.issuer.name, len(facts.addressees) == 1
    yield Part("basis", _basis(facts, "theo dõi, tổng hợp kết quả thực hiện."))
    if facts.overdue:
        unreported = sum(not row.reported for row in facts.overdue)
        among = f", trong đó {counted(unreported)} nhiệm vụ chưa gửi báo cáo" if unreported else ""
        late = f"{counted(len(facts.overdue))} nhiệm vụ quá hạn{among} (Phụ lục kèm theo)."
        agencies = len({row.agency_id for row in facts.overdue})
        who = "quý cơ quan còn" if one else f"còn {counted(agencies)} cơ quan, đơn vị với"
        yield Part("state", f"Tính đến {long_moment(facts.as_of)}, {who} {late}")
    whom = "quý cơ quan" if one else "các cơ quan, đơn vị có tên tại Phụ lục"
    yield Part("ask", f"Để kịp thời tổng hợp, báo cáo {facts.reports_to}, {issuer} đề nghị {whom}:")
    through = f" (qua {facts.issuer.unit})" if facts.issuer.unit else ""
    if facts.overdue:
        report = (
            "Khẩn trương thực hiện các nhiệm vụ quá hạn nêu tại Phụ lục, gửi báo cáo kết quả về "
            f"{issuer}{through} chậm nhất ngày {day_digits(facts.answer_by)}."
        )
        yield Part("report", report, True)
        difficulty = "Trường hợp có khó khăn, vướng mắc, nêu rõ lý do và đề xuất thời hạn hoàn thành."
        yield Part("difficulty", difficulty, True)
    if facts.upcoming:
        where = "mục II Phụ lục" if facts.overdue else "Phụ lục kèm theo"
        upcoming = (
            f"Chủ động thực hiện {counted(len(facts.upcoming))} nhiệm vụ đến hạn đến ngày "
            f"{day_digits(facts.horizon)} ({where})."
        )
        yield Part("upcoming", upcoming, True)
    yield Part("more", "")
    if facts.level >= MAX_LEVEL:
        yield Part("consequence", f"Quá thời hạn trên, {issuer} sẽ tổng hợp, báo cáo Ủy ban nhân dân tỉnh.")
    yield Part("close", f"Trân trọng{END}")


def _asked_text(facts: Dispatch) -> Iterator[Part]:
    issuer = facts.issuer.name
    yield Part("basis", _basis(facts, "tổng hợp kết quả thực hiện."))
    rows = len(facts.overdue) + len(facts.upcoming)
    whom = "quý cơ quan" if len(facts.addressees) == 1 else "các cơ quan, tổ chức có tên tại Phụ lục"
    yield Part(
        "ask",
        f"Để có đủ thông tin tổng hợp, báo cáo {facts.reports_to}, {issuer} trân trọng đề nghị {whom} quan tâm, "
        f"phối hợp cung cấp kết quả thực hiện {counted(rows)} nội dung nêu tại Phụ lục kèm theo, gửi về {issuer} "
        f"chậm nhất ngày {day_digits(facts.answer_by)}.",
    )
    yield Part("more", "")
    yield Part("close", f"{issuer} trân trọng cảm ơn sự phối hợp của quý cơ quan{END}")


def _basis(facts: Dispatch, without: str) -> str:
    """The basis, and the letters issued before by number and date."""
    issuer = facts.issuer.name
    if not facts.prior:
        return f"Thực hiện {facts.plan.in_full}, {issuer} {without}"
    papers = ", ".join(f"Công văn số {each.number} ngày {day_digits(each.on)}" for each in facts.prior)
    return f"Thực hiện {facts.plan.in_full}, {issuer} đã có {papers} đề nghị gửi báo cáo kết quả thực hiện."


def addressed(facts: Dispatch) -> list[str]:
    """Who stands after «Kính gửi»: agencies by name; of a group of more than ``MAX_NAMED`` the group, with its list in
    the annex (never the whole group where some were in time)."""
    groups: dict[str, list[str]] = {}
    for row in (*facts.overdue, *facts.upcoming):
        names, name = groups.setdefault(row.group or row.agency, []), full_committee(row.agency)
        if name not in names:
            names.append(name)
    found: list[str] = []
    for group, names in groups.items():
        found += names if len(names) <= MAX_NAMED else [f"{group} (theo danh sách tại Phụ lục)"]
    return found


def _title(facts: Dispatch) -> str:
    """Neutral, for the file's properties."""
    return f"{'Đề nghị phối hợp' if facts.request else 'Công văn đôn đốc'} {facts.plan.reference}"


def _annex(paper: Paper, facts: Dispatch) -> None:
    one = len(facts.addressees) == 1
    titles = ("NHIỆM VỤ QUÁ HẠN, SẮP ĐẾN HẠN", "NỘI DUNG ĐỀ NGHỊ PHỐI HỢP")
    title = titles[1] if facts.request else titles[0] if facts.upcoming else "NHIỆM VỤ QUÁ HẠN"
    year = local_date(facts.as_of).year
    number, day = f"{BLANK}/{facts.issuer.sign}", f"ngày {BLANK[:5]}tháng {BLANK[:5]}năm {year}"
    note = f"(Kèm theo Công văn số {number} {day} của {facts.issuer.name})"
    paper.annex(title, note, landscape=not one)
    if facts.request:
        _rows(paper, facts, [*facts.overdue, *facts.upcoming])
    else:
        both = bool(facts.overdue and facts.upcoming)
        for heading, rows in (("I. NHIỆM VỤ QUÁ HẠN", facts.overdue), ("II. NHIỆM VỤ SẮP ĐẾN HẠN", facts.upcoming)):
            if rows:
                if both:
                    paper.section_heading(heading)
                _rows(paper, facts, rows)
    paper.end_annex()


def _rows(paper: Paper, facts: Dispatch, rows: Sequence[DutyRow]) -> None:
    one = len(facts.addressees) == 1
    columns = ONE_COLUMNS if one else MANY_COLUMNS
    kept = [index for index, each in enumerate(columns) if not (facts.request and each.heading in NOT_ASKED)]
    shown = [columns[index] for index in kept]
    if facts.request:
        shown = [
            AnnexColumn("Thời gian đề nghị", each.width_mm, True) if each.heading == "Hạn hoàn thành" else each
            for each in shown
        ]
    paper.table(shown, [[line[index] for index in kept] for line in _lines(rows, one=one)])


def _lines(rows: Sequence[DutyRow], *, one: bool) -> Iterator[tuple[str, ...]]:
    """The cells of the annex. What several agencies owe alike is one line, or one for each ``MAX_TOGETHER``."""
    alike: dict[tuple[str, str, str, str, str], list[str]] = {}
    for row in rows:
        status = row.status if one or not row.note else f"{row.status}. {row.note}"
        what = (row.citation, shortened(row.text), _due(row), str(row.late) if row.late else "", status)
        alike.setdefault(what, []).append(row.agency)
    for number, ((citation, text, *rest), agencies) in enumerate(alike.items(), 1):
        for first in range(0, len(agencies), MAX_TOGETHER):
            begins = (str(number), citation, text) if not first else ("", citation, "(tiếp theo)")
            whose = () if one else (_together(agencies[first : first + MAX_TOGETHER]),)
            yield (*begins, *whose, *rest)


def _together(agencies: Sequence[str]) -> str:
    """Their names, with how many there are: the sum is the number that the text says. Committees of one kind are named
    by their places: «Ủy ban nhân dân các huyện: A, B»."""
    if len(agencies) == 1:
        return agencies[0]
    kinds: dict[str, list[str]] = {}
    for name in agencies:
        found = COMMITTEE.match(name)
        kinds.setdefault(f"{found[1]} các {found[2]}: " if found else "", []).append(found[3] if found else name)
    named = "; ".join(kind + (", " if kind else "; ").join(names) for kind, names in kinds.items())
    return f"{counted(len(agencies))} cơ quan: {named}"


def _due(row: DutyRow) -> str:
    """The due date, with the first one where it was moved."""
    if row.due_on is None:
        return ""
    moved = row.original_due_on is not None and row.original_due_on != row.due_on
    first = f" (hạn gốc {day_digits(row.original_due_on)})" if moved and row.original_due_on else ""
    return day_digits(row.due_on) + first
