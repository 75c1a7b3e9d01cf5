"""What is said of a simulated letter: what it is, and of which assignments it tells."""

from __future__ import annotations

from engine.plans.simulated_year import SimulatedLetter, SimulatedYear
from engine.rules.words import period_words, rung_words
from engine.terms import NoticeKind
from engine.text import Text
from engine.views.labels import label


def letter_words(letter: SimulatedLetter, language: str) -> str:
    """«nhắc trước hạn: trước hạn 10 ngày làm việc»; of a weekly digest its name alone."""
    if letter.kind == "digest":
        return Text("tổng hợp tuần", "weekly digest").said(language)
    kind = label(NoticeKind(letter.kind), language)
    return f"{kind}: {rung_words(letter.rung, language, every_day=letter.every_day)}" if letter.rung else kind


def assignment_words(year: SimulatedYear, coded_one: str, language: str) -> str:
    """«188/KH-UBND IV.16.1 UBND huyện Kỳ Sơn, 6 tháng đầu năm 2021»."""
    number, citation, agency_id, period = coded_one.split(" ")
    return f"{number} {citation} {year.name(agency_id)}, {period_words(period, language)}"
