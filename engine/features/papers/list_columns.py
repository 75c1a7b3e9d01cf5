"""The columns of the list of papers: the drafts that wait to be issued, then what was issued. Pure."""

from __future__ import annotations

from engine.features.papers.drafts import IssuedPaper, WaitingDraft
from engine.http.lists.listing import Column, Listing
from engine.text import Text
from engine.views.spreadsheets import Kind

PaperLine = WaitingDraft | IssuedPaper
WAITS, ISSUED = Text("dự thảo chờ ban hành", "draft to be issued"), Text("đã phát hành", "issued")


def _state(row: PaperLine, language: str) -> str:
    return (WAITS if isinstance(row, WaitingDraft) else ISSUED).said(language)


PAPER_LIST: Listing[PaperLine] = Listing(
    file_name="van-ban",
    title=Text("Văn bản đôn đốc", "Dispatches"),
    columns=(
        Column(Text("Kế hoạch", "Plan"), lambda row, _: row.plan, width=18),
        Column(Text("Tình trạng", "State"), _state, width=24),
        Column(
            Text("Số công văn", "Number"), lambda row, _: row.number if isinstance(row, IssuedPaper) else None, width=24
        ),
        Column(
            Text("Ngày ban hành", "Issued on"),
            lambda row, _: row.on if isinstance(row, IssuedPaper) else None,
            Kind.DAY,
            12,
        ),
        Column(Text("Số phần việc", "Assignments"), lambda row, _: row.assignments, Kind.NUMBER, 12),
        Column(Text("Số cơ quan", "Agencies"), lambda row, _: row.agencies, Kind.NUMBER, 12),
        Column(
            Text("Đã đôn đốc bằng thư từ", "Chased by letter since"),
            lambda row, _: row.since if isinstance(row, WaitingDraft) else None,
            Kind.DAY,
            14,
        ),
    ),
)
