"""Every paper through LibreOffice: what a clerk checks on the printed sheet (Decree 30/2020/NĐ-CP, annex I)."""

from __future__ import annotations

import io
import re
import subprocess
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime
from itertools import pairwise
from pathlib import Path

import docx
import pytest
from lxml import etree
from services.libreoffice import as_pdf

from engine.assignments.situations import Boxes
from engine.assignments.told import Since
from engine.features.papers.dispatch import dispatch_docx
from engine.features.papers.facts import Dispatch, DutyRow, Issuer, PlanFacts
from engine.features.papers.quick_report import QuickReport, RankRow, Worst, quick_report_docx, ranked, ranking_docx
from engine.features.papers.report import Difficulty, DutyFacts, FigureFacts, PeriodReport, report_docx
from engine.rules.calendar import PLAN_TIME

ISSUER = Issuer(
    parent="UBND tỉnh Nghệ An",
    name="Sở Lao động - Thương binh và Xã hội",
    sign="SLĐTBXH-PCTNXH",
    place="Nghệ An",
    unit="PCTNXH",
)
PLAN = PlanFacts("188/KH-UBND", date(2021, 4, 7), "UBND tỉnh Nghệ An", "Kế hoạch phòng, chống mại dâm năm 2021")
AS_OF = datetime(2021, 6, 24, 8, 0, tzinfo=PLAN_TIME)
SOURCE = "https://dondoc.example/overdue?plan=1"
MM = 72 / 25.4
SENSITIVE = ("mại dâm", "HIV", "ma túy")


def dispatch(agencies: int) -> bytes:
    rows = [
        DutyRow(
            agency_id=f"a-{n}",
            agency=f"UBND huyện thứ {n}",
            citation="IV.16.1",
            text="Xây dựng kế hoạch triển khai thực hiện. " * 6,
            due_on=date(2021, 6, 17),
            original_due_on=date(2021, 6, 17),
            late=5,
            reported=False,
            status="Chưa gửi báo cáo",
        )
        for n in range(1, agencies + 1)
    ]
    return dispatch_docx(
        Dispatch(
            issuer=ISSUER,
            plan=PLAN,
            reports_to="UBND tỉnh Nghệ An",
            overdue=rows,
            upcoming=(),
            as_of=AS_OF,
            answer_by=date(2021, 7, 1),
            horizon=date(2021, 7, 8),
            level=2,
            source=SOURCE,
        )
    )


def report() -> bytes:
    duty = DutyFacts(
        citation="IV.16.1",
        text="Xây dựng kế hoạch. " * 20,
        agency="UBND huyện Anh Sơn",
        due_on=date(2021, 6, 17),
        result="Quá hạn",
        summary="Đã làm",
        sent_on=None,
        timing="Chưa gửi",
    )
    late = [f"UBND huyện thứ {n}" for n in range(1, 22)]
    duties = [replace(duty, citation=f"IV.{n}.1", agency=f"Sở thứ {n}") for n in range(1, 47)]
    duties += [replace(duty, citation=f"V.{n}", agency=agency) for n in range(1, 5) for agency in late]
    figure = FigureFacts(name="Số xã, phường, thị trấn", unit="số lượng", target="460", value="", given=0, asked=21)
    return report_docx(
        PeriodReport(
            issuer=ISSUER,
            plan=PLAN,
            period="6 tháng đầu năm 2021",
            to=("Ủy ban nhân dân tỉnh Nghệ An",),
            as_of=AS_OF,
            done_on_time=61,
            done_late=49,
            open_in_time=1,
            open_overdue=19,
            reports_on_time=61,
            reports_in=112,
            reports_expected=130,
            missing=("UBND huyện Anh Sơn",),
            figures=(figure,) * 11,
            duties=duties,
            difficulties=(Difficulty("UBND huyện Anh Sơn", "IV.16.1", "Chờ"),),
            source=SOURCE,
        )
    )


def ranks(count: int) -> list[RankRow]:
    return [
        RankRow(
            agency=f"UBND huyện thứ {n}",
            on_time=100 - n,
            late=n % 7,
            in_term=3,
            overdue=n % 5,
            reports=100,
            reports_on_time=100 - n,
        )
        for n in range(1, count + 1)
    ]


def quick(agencies: int = 40) -> bytes:
    worst = [Worst(f"Ban Quản lý Khu kinh tế và các khu công nghiệp thứ {n}", 14, 105) for n in range(3)]
    return quick_report_docx(
        QuickReport(
            issuer=ISSUER,
            leader="Lãnh đạo Ủy ban nhân dân tỉnh Nghệ An",
            subject="Kế hoạch số 188/KH-UBND 6 tháng đầu năm 2021",
            as_of=AS_OF,
            rows=ranks(agencies),
            worst=worst,
            asked=2,
            asked_done=1,
            since=Since(on=date(2021, 6, 21), was=Boxes(overdue=69), now=Boxes(late=49, overdue=21), agencies=()),
            source=SOURCE,
        )
    )


def ranking() -> bytes:
    return ranking_docx(ISSUER.name, "Kế hoạch số 188/KH-UBND", date(2021, 6, 17), AS_OF, ranks(60), SOURCE)


PAPERS: dict[str, Callable[[], bytes]] = {
    "dispatch to 1": lambda: dispatch(1),
    "dispatch to 7": lambda: dispatch(7),
    "dispatch to 21": lambda: dispatch(21),
    "dispatch to 130": lambda: dispatch(130),
    "report": report,
    "quick": quick,
    "ranking": ranking,
}


@dataclass(frozen=True)
class Word:
    """A word on a page, in millimetres from its upper left corner."""

    text: str
    left: float
    top: float
    right: float
    bottom: float


@dataclass(frozen=True)
class Printed:
    file: bytes
    pages: list[list[Word]]
    sizes: list[tuple[float, float]]

    def text(self, page: int) -> str:
        return " ".join(word.text for word in self.pages[page])

    @property
    def whole(self) -> str:
        return " ".join(self.text(page) for page in range(len(self.pages)))

    def find(self, page: int, *words: str) -> Word:
        """The first word of a run of words."""
        texts = [word.text for word in self.pages[page]]
        at = next(n for n in range(len(texts)) if tuple(texts[n : n + len(words)]) == words)
        return self.pages[page][at]


@pytest.fixture(scope="module")
def printed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Printed]:
    """All papers, by one start of LibreOffice."""
    folder = tmp_path_factory.mktemp("papers")
    files = {name: make() for name, make in PAPERS.items()}
    documents = [folder / f"{number}.docx" for number in range(len(files))]
    for document, body in zip(documents, files.values(), strict=True):
        document.write_bytes(body)
    pdfs = as_pdf(*documents)
    return {name: _read(pdf, body) for pdf, (name, body) in zip(pdfs, files.items(), strict=True)}


def _read(pdf: Path, file: bytes) -> Printed:
    xml = subprocess.run(["pdftotext", "-bbox", str(pdf), "-"], check=True, capture_output=True).stdout
    root = etree.fromstring(xml, etree.XMLParser(recover=True))
    pages, sizes = [], []
    for page in root.iter("{*}page"):
        sizes.append((float(page.get("width")) / MM, float(page.get("height")) / MM))
        pages.append(
            [
                Word(word.text or "", *(float(word.get(edge)) / MM for edge in ("xMin", "yMin", "xMax", "yMax")))
                for word in page.iter("{*}word")
            ]
        )
    return Printed(file, pages, sizes)


@pytest.mark.parametrize("name", PAPERS)
def test_pages_are_a4_and_nothing_leaves_the_margins(printed: dict[str, Printed], name: str) -> None:
    paper = printed[name]
    for words, (width, height) in zip(paper.pages, paper.sizes, strict=True):
        assert sorted((round(width), round(height))) == [210, 297]
        assert min(word.left for word in words) > 29.5
        assert max(word.right for word in words) < width - 19.5
        assert max(word.bottom for word in words) < height - 19


@pytest.mark.parametrize("name", [each for each in PAPERS if each != "ranking"])
def test_the_head_stands_on_its_lines(printed: dict[str, Printed], name: str) -> None:
    paper = printed[name]
    nation, end = paper.find(0, "CỘNG", "HÒA"), paper.find(0, "NAM")
    assert abs(nation.top - end.top) < 1
    motto, last = paper.find(0, "Độc", "lập"), paper.find(0, "phúc")
    assert abs(motto.top - last.top) < 1
    assert abs((motto.left + last.right) / 2 - (nation.left + end.right) / 2) < 1
    number, day = paper.find(0, "Số:"), paper.find(0, "Nghệ", "An,")
    assert abs(number.bottom - day.bottom) < 1.5
    sign = next(word for word in paper.pages[0] if word.text.startswith("/"))
    assert abs(sign.bottom - number.bottom) < 0.5
    assert sign.left - number.right > 8, "room for four digits"
    assert paper.text(0).index("UBND TỈNH NGHỆ AN") < paper.text(0).index("XÃ HỘI")


@pytest.mark.parametrize("name", PAPERS)
def test_page_one_has_no_number_page_two_has_and_the_annex_begins_again(printed: dict[str, Printed], name: str) -> None:
    paper = printed[name]

    def number(page: int) -> str:
        return " ".join(word.text for word in paper.pages[page] if word.bottom < 19)

    starts = [0] + [n for n in range(1, len(paper.pages)) if paper.text(n).startswith("Phụ lục")]
    for start, end in zip(starts, [*starts[1:], len(paper.pages)], strict=True):
        assert [number(page) for page in range(start, end)] == ["", *map(str, range(2, end - start + 1))]
    for page in set(range(len(paper.pages))) - set(starts):
        word = paper.pages[page][0]
        text_middle = (30 + paper.sizes[page][0] - 20) / 2
        assert abs((word.left + word.right) / 2 - text_middle) < 1


@pytest.mark.parametrize("name", [each for each in PAPERS if each != "ranking"])
def test_the_end_is_marked_and_the_signature_is_whole(printed: dict[str, Printed], name: str) -> None:
    paper = printed[name]
    page = next(n for n, words in enumerate(paper.pages) if any(word.text == "nhận:" for word in words))
    body = " ".join(paper.text(n) for n in range(page + 1))
    assert body.count("./.") == 1
    sent, signer = paper.find(page, "Nơi", "nhận:"), paper.find(page, "KT.", "GIÁM")
    assert abs(sent.top - signer.top) < 3
    assert "- Như trên;" in body
    assert re.search(r"- Lưu: VT, PCTNXH\.", body)
    above = [word for word in paper.pages[page] if 19 < word.top < sent.top]
    assert len({round(word.top) for word in above}) >= 2


@pytest.mark.parametrize("name", PAPERS)
def test_nothing_is_missing_doubled_or_broken(printed: dict[str, Printed], name: str) -> None:
    paper = printed[name]
    for wrong in ("{{", "None", "nan", " 00 nhiệm", " 00 chỉ tiêu", "  "):
        assert wrong not in paper.whole
    document = docx.Document(io.BytesIO(paper.file))
    empty = [not each.text.strip() and not each._p.xpath(".//w:pBdr | .//w:drawing") for each in document.paragraphs]
    assert not any(first and second for first, second in pairwise(empty))
    assert not any("  " in each.text.replace("\u00a0", "_") for each in document.paragraphs)


@pytest.mark.parametrize("name", PAPERS)
def test_the_plans_subject_is_in_the_body_alone(printed: dict[str, Printed], name: str) -> None:
    paper = printed[name]
    with zipfile.ZipFile(io.BytesIO(paper.file)) as archive:
        names = " ".join(archive.namelist())
        properties = archive.read("docProps/core.xml").decode()
    assert not [each for each in SENSITIVE if each in names + properties]
    assert "python-docx" not in properties
    assert "Sở Lao động" in properties


def test_the_report_of_a_province_is_twelve_pages_with_every_duty_and_agency_once(printed: dict[str, Printed]) -> None:
    """46 duties of a department each and 4 of 21 districts: by assignments its annexes took 26."""
    paper = printed["report"]
    assert len(paper.pages) <= 12
    annex = paper.whole.partition("TIẾN ĐỘ THỰC HIỆN NHIỆM VỤ")[2]
    assert all(
        annex.split().count(f"IV.{n}.1") == 2 for n in range(1, 47)
    )  # its row, and its department's missing reports
    assert annex.count("Quá hạn: 21/21") == 4


def test_the_quick_report_is_one_page_and_its_annex_follows(printed: dict[str, Printed]) -> None:
    paper = printed["quick"]
    assert paper.text(1).startswith("Phụ lục XẾP HẠNG")
    assert len([word for word in paper.pages[0] if word.text == "nhận:"]) == 1


@pytest.mark.parametrize("name", ["quick", "ranking"])
def test_no_number_or_heading_of_the_ranking_is_broken(printed: dict[str, Printed], name: str) -> None:
    words = [word.text for page in printed[name].pages[-2:] for word in page]
    assert not [word for word in words if re.fullmatch(r"\d+,", word)]
    assert {"Hạng", "Tổng"} <= set(words)


def test_only_who_is_overdue_has_a_rank_and_ties_share_it() -> None:
    first, tied, idle = (
        RankRow(agency="Đồng Tiến", on_time=0, late=0, in_term=0, overdue=4, reports=4, reports_on_time=0),
        RankRow(agency="Vũ Quang", on_time=2, late=0, in_term=0, overdue=4, reports=6, reports_on_time=2),
        RankRow(agency="C", on_time=0, late=0, in_term=4, overdue=0, reports=0, reports_on_time=0),
    )
    last, late = replace(first, agency="D", overdue=1), replace(idle, agency="E", late=4)
    assert [(rank, row.agency) for rank, row in ranked([idle, late, last, tied, first])] == [
        ("1", "Đồng Tiến"),
        ("1", "Vũ Quang"),
        ("3", "D"),
        ("", "E"),
        ("", "C"),
    ]
