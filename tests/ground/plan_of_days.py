"""A plan with one duty of each kind of days, and its year as a person wrote it down beforehand."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from ground.factory import item, plan_file

from engine.files.plan import PlanFile

RULES: Mapping[str, dict[str, Any]] = {
    "mot-lan": {"on": date(2021, 6, 30)},
    "nam": {"due_on": ["29/11"], "wording": "trước 30/11 hằng năm"},
    "hai-ngay": {"due_on": ["31/5", "14/11"], "wording": "trước ngày 01/6 và 15/11 hằng năm"},
    "quy": {"due_day": 14, "in_last_month": True, "wording": "trước ngày 15 tháng cuối quý"},
    "thang": {"due_day": 5, "in_next_month": True, "wording": "ngày 05 tháng sau"},
    "nua-thang": {"due_days": [15, 30], "wording": "ngày 15 và ngày 30 hằng tháng"},
    "tuan": {"weekday": "friday", "wording": "thứ Sáu hằng tuần"},
    "nam-sau": {"due_on": ["15/01 năm sau"], "wording": "ngày 15/01 năm sau"},
}
CADENCES = ("once", "year", "half_year", "quarter", "month", "half_month", "week", "year")


def plan_of_days(**changes: Any) -> PlanFile:
    rules = {name: {"source": "plan", "to": "so-chinh"} | rule for name, rule in RULES.items()}
    items = tuple(
        item(n, "so-ban", rule=name, cadence=[cadence])
        for n, (name, cadence) in enumerate(zip(RULES, CADENCES, strict=True), 1)
    )
    return plan_file(**{"items": items, "report_rules": rules} | changes)


def _on(*days: str) -> list[date]:
    return [date(int(year), int(month), int(day)) for day, month, year in (each.split("/") for each in days)]


_FRIDAYS = [date(2021, 4, 9) + timedelta(weeks=n) for n in range(39)]
_MOVED = {date(2021, 4, 30): date(2021, 5, 4), date(2021, 9, 3): date(2021, 9, 6)}
YEAR: Mapping[str, list[date]] = {
    "IV.1.1": _on("30/6/2021"),
    "IV.2.1": _on("29/11/2021"),
    "IV.3.1": _on("31/5/2021", "15/11/2021"),
    "IV.4.1": _on("14/6/2021", "14/9/2021", "14/12/2021"),
    "IV.5.1": _on(
        *("5/5/2021", "7/6/2021", "5/7/2021", "5/8/2021", "6/9/2021", "5/10/2021", "5/11/2021", "6/12/2021", "5/1/2022")
    ),
    "IV.6.1": _on(
        *("15/4/2021", "4/5/2021", "17/5/2021", "31/5/2021", "15/6/2021", "30/6/2021", "15/7/2021", "30/7/2021"),
        *("16/8/2021", "30/8/2021", "15/9/2021", "30/9/2021", "15/10/2021", "1/11/2021", "15/11/2021", "30/11/2021"),
        *("15/12/2021", "30/12/2021"),
    ),
    "IV.7.1": [_MOVED.get(each, each) for each in _FRIDAYS],
    "IV.8.1": _on("17/1/2022"),
}
"""The due dates by duty, written down with a calendar of 2021 in hand: 30 April and 3 May, 2 and 3 September are days
off. The plan is issued on Wednesday, 7 April."""
