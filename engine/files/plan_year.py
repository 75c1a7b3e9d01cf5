"""The year that a plan is for, with its first and last period, as it is said before the plan is used. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from engine.files.plan import PlanFile, cycle_periods
from engine.rules.words import period_words
from engine.text import LANGUAGES, Text


@dataclass(frozen=True)
class PlanYear:
    """``first`` and ``last``: keys of the first and the last periodic report; None where there is none."""

    year: int
    first: str | None = None
    last: str | None = None

    @property
    def text(self) -> Text:
        """«Kế hoạch của năm 2027: kỳ đầu quý I/2027, kỳ cuối năm 2027»."""
        if self.first is None or self.last is None:
            return Text(
                f"Kế hoạch của năm {self.year}, không có báo cáo định kỳ",
                f"Plan of {self.year}, without periodic reports",
            )
        first, last = ({each: period_words(key, each) for each in LANGUAGES} for key in (self.first, self.last))
        return Text(
            f"Kế hoạch của năm {self.year}: kỳ đầu {first['vi']}, kỳ cuối {last['vi']}",
            f"Plan of {self.year}: first period {first['en']}, last period {last['en']}",
        )


def plan_year(plan: PlanFile) -> PlanYear:
    """Of periods that close on one day the shorter is first and the longer last: the year after its fourth quarter."""
    found = {each for placed in plan.duties.values() for each in cycle_periods(plan, placed.duty)}
    if not found:
        return PlanYear(plan.year)
    first = min(found, key=lambda each: (each.end, (each.end - each.start).days))
    last = max(found, key=lambda each: (each.end, (each.end - each.start).days))
    return PlanYear(plan.year, first.key, last.key)
