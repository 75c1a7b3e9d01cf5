"""The year that a plan is for, with its first and last period, as it is said before the plan is used. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

from engine.files.plan import PlanFile, cycle_periods
from engine.rules.words import period_words
from engine.text import LANGUAGES, Text

_YEARS = re.compile(r"(?P<first>20\d\d)(?:\s*[-–—]\s*(?P<last>20\d\d))?")


@dataclass(frozen=True)
class Years:
    """The years of a plan; ``last`` of a programme of several."""

    first: int
    last: int | None = None


def read_years(text: str) -> Years | None:
    """«2027» or «2026–2030» as a person types it; None for anything else."""
    found = _YEARS.fullmatch(text.strip())
    return found and Years(int(found["first"]), int(found["last"]) if found["last"] else None)


YEARS_AS = Text("năm viết như 2027 hoặc 2026–2030", "a year like 2027, or 2026–2030")


@dataclass(frozen=True)
class PlanYear:
    """``first`` and ``last``: keys of the first and the last periodic report; None where there is none."""

    year: int
    first: str | None = None
    last: str | None = None
    last_year: int | None = None

    @property
    def head(self) -> Text:
        """«Kế hoạch của năm 2027»; «Kế hoạch của các năm 2026–2030»."""
        if self.last_year is None:
            return Text(f"Kế hoạch của năm {self.year}", f"Plan of {self.year}")
        years = f"{self.year}–{self.last_year}"
        return Text(f"Kế hoạch của các năm {years}", f"Plan of {years}")

    @property
    def text(self) -> Text:
        """«Kế hoạch của năm 2027: kỳ đầu quý I/2027, kỳ cuối năm 2027»."""
        if self.first is None or self.last is None:
            return Text(
                f"{self.head.vi}, không có báo cáo định kỳ",
                f"{self.head.en}, without periodic reports",
            )
        first, last = ({each: period_words(key, each) for each in LANGUAGES} for key in (self.first, self.last))
        return Text(
            f"{self.head.vi}: kỳ đầu {first['vi']}, kỳ cuối {last['vi']}",
            f"{self.head.en}: first period {first['en']}, last period {last['en']}",
        )


def plan_year(plan: PlanFile) -> PlanYear:
    """Of periods that close on one day the shorter is first and the longer last: the year after its fourth quarter."""
    found = {each for placed in plan.duties.values() for each in cycle_periods(plan, placed.duty)}
    if not found:
        return PlanYear(plan.year, last_year=plan.last_year)
    first = min(found, key=lambda each: (each.end, (each.end - each.start).days))
    last = max(found, key=lambda each: (each.end, (each.end - each.start).days))
    return PlanYear(plan.year, first.key, last.key, plan.last_year)
