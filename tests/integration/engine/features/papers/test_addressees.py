"""Papers are addressed, and say that they report, to whom the plan names."""

from __future__ import annotations

import io

import docx
from ground.office import Office

from engine.store.database import Database, table
from engine.store.records import Duty


def test_papers_go_to_the_ministry_that_the_plan_names(office: Office, lived: Database) -> None:
    d = table(Duty)
    text = "Định kỳ tổng hợp, báo cáo UBND tỉnh và Bộ Tài chính kết quả thực hiện."
    with lived.write() as session:
        session.connection().execute(d.update().where(d.c.citation == "IV.4.1").values(text=text))
    paper = docx.Document(io.BytesIO(office.get("/plans/1/report.docx?period=2021-H1").content))
    words = [each.text for each in paper.paragraphs]
    addressed = words[words.index("Kính gửi:") + 1 :][:2]
    assert addressed == ["- Tinh;", "- Bộ Tài chính."]
    letter = docx.Document(io.BytesIO(office.get("/papers/dispatch?plan=1&file=docx").content))
    assert any("báo cáo Tinh và Bộ Tài chính" in each.text for each in letter.paragraphs)
