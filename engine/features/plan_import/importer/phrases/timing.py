"""Converts the words about time in a duty to the cadence and report rule of a plan file, without adding to them. Each
reading records whether it comes from the document (``source: plan``) or from the office's defaults, and what a person
has to confirm. «trước ngày X» is X − 1 (DOMAIN: the wording stands beside the date).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from engine.features.plan_import.importer.base.model import Deadline
from engine.rules.vietnamese import matching, spelled

ORDER = ("once", "month", "quarter", "half_year", "nine_month", "year", "ad_hoc")
_POINT = re.compile(r"(?P<y>\d{4}|-)-(?:Q(?P<q>[1-4])|(?P<m>\d{2})(?:-(?P<d>\d{2}))?)")
_DAY = re.compile(r"(?:^|-)\d{2}$")
_RANGE = re.compile(r"(?i)(?<!\w)từ .+ đến ")
_LAST_MONTH = spelled(r"(?<!\w)(?:tháng )?cuối(?: cùng)?(?: của)?(?: mỗi)? (?:quý|kỳ)(?!\w)|(?<!\w)tháng cuối(?!\w)")
_LAST_MONTHS = {"quarter": (3, 6, 9, 12), "half_year": (6, 12), "nine_month": (9,), "year": (12,)}
_USUAL_DAY = 16  # of a cycle's last month, where the document names none; the common rule has 17


@dataclass(frozen=True, kw_only=True)
class Timing:
    """When a duty is due: ``cadence`` of the plan file; ``on`` for a single act; ``due_day`` for cycles. ``wording`` is
    the document's, empty when it says nothing and the default is meant. ``confirm``: why to look. ``in_last_month``:
    the day is one of the period's last month, by the document's words."""

    cadence: tuple[str, ...]
    wording: str = ""
    on: date | None = None
    due_day: int | None = None
    confirm: str = ""
    in_last_month: bool = False


def timing_of(deadlines: Sequence[Deadline], year: int) -> Timing:
    """The timing of one duty: a last day, cycles, or both («trước ngày 15/3/2026; định kỳ 6 tháng»). A duty without
    words about time has no report of its own."""
    cadence = tuple(name for name in ORDER if any(name in each.cadence for each in deadlines))
    wording = "; ".join(each.text for each in deadlines)
    days = _days(deadlines)
    if not set(cadence) - {"ad_hoc"}:
        return _single(days, year, cadence, wording)
    cycles = _cycles(deadlines, cadence, wording)
    single = [(each, point) for each, point in days if _is_single(each, point)]
    if not single:
        return cycles
    once = _single(single, year, cadence, wording)
    doubts = "; ".join(filter(None, (once.confirm, cycles.confirm)))
    due_day = cycles.due_day or (_USUAL_DAY if once.on else None)
    return replace(cycles, cadence=once.cadence, on=once.on, due_day=due_day, confirm=doubts)


def _cycles(deadlines: Sequence[Deadline], cadence: tuple[str, ...], wording: str) -> Timing:
    """The cycles that words name, and the day on which each is reported, where they name one."""
    named = _reported(_days(deadlines))
    in_last_month = lies_in_last_month(deadlines, [name for name in cadence if name != "ad_hoc"])
    if not named:
        doubt = "văn bản nêu chu kỳ nhưng không nêu ngày gửi"
        return Timing(cadence=cadence, wording=wording, confirm=doubt, in_last_month=in_last_month)
    day, before = int(named[0][1][-2:]), named[0][0].before
    doubt = ""
    if in_last_month and day == 1 and before:
        doubt = "«trước ngày 01 của tháng cuối» là ngày cuối của tháng trước: đặt lại ngày gửi"
    due_day = day - 1 or 31 if before else day
    return Timing(cadence=cadence, wording=wording, due_day=due_day, confirm=doubt, in_last_month=in_last_month)


_Points = Sequence[tuple[Deadline, str]]


def _days(deadlines: Sequence[Deadline]) -> _Points:
    return [(each, point) for each in deadlines for point in _points(each)]


def _is_single(deadline: Deadline, point: str) -> bool:
    """A last day of its own, beside the cycles."""
    return not deadline.cadence and re.match(r"\d{4}-", point) is not None


def _reported(days: _Points) -> _Points:
    """The days on which cycles are reported."""
    return [(each, point) for each, point in days if not _is_single(each, point) and _DAY.search(point)]


def lies_in_last_month(deadlines: Sequence[Deadline], cycles: Sequence[str]) -> bool:
    """Whether the days on which cycles are reported lie in the last month of their periods: «ngày 10 của tháng cuối
    quý», or «trước 15/6 và 15/12» of half-years and years."""
    named = _reported(_days(deadlines))
    if not named:
        return False
    if _LAST_MONTH.search(matching(named[0][0].text)):
        return True
    months = {int(point[2:4]) for _, point in named if not point.startswith("---")}
    return bool(months) and months <= {month for cycle in cycles for month in _LAST_MONTHS.get(cycle, ())}


def _points(deadline: Deadline) -> tuple[str, ...]:
    """The days named; of a time «từ … đến …» the last."""
    return deadline.days[-1:] if _RANGE.search(deadline.text) else deadline.days


def _single(days: Sequence[tuple[Deadline, str]], year: int, cadence: tuple[str, ...], wording: str) -> Timing:
    """A last day, where one can be read; else nothing regular."""
    for each, point in days:
        on, doubt = _day(each, point, year)
        if on is not None:
            more = "văn bản nêu nhiều mốc, mới lấy mốc đầu" if len(days) > 1 else ""
            return Timing(
                cadence=("once", *cadence), wording=wording, on=on, confirm="; ".join(filter(None, (doubt, more)))
            )
    if cadence:
        return Timing(cadence=cadence, wording=wording)
    doubt = "lời về thời gian không cho ra một ngày" if wording else "văn bản không nêu thời hạn: không báo cáo riêng"
    return Timing(cadence=("ad_hoc",), wording=wording, confirm=doubt)


def _day(deadline: Deadline, point: str, year: int) -> tuple[date | None, str]:
    """The last day that a point means, and what was added to read it so."""
    found = _POINT.fullmatch(point)
    if found is None:
        return None, ""
    of = int(found["y"]) if found["y"] != "-" else year
    month = int(found["m"]) if found["m"] else 3 * int(found["q"])
    try:
        day = date(of, month, int(found["d"] or 1))
    except ValueError:
        return None, "ngày không có thật"
    doubts = [f"văn bản không ghi năm, lấy năm {year}"] if found["y"] == "-" else []
    doubts += [] if found["d"] else ["lấy ngày cuối của thời gian nêu trong văn bản"]
    doubts += ["văn bản nêu ngày bắt đầu, không nêu hạn"] if _begins(deadline) else []
    if not found["d"]:
        day = date(of + month // 12, month % 12 + 1, 1)
    return (day - timedelta(days=1) if deadline.before or not found["d"] else day), "; ".join(doubts)


def _begins(deadline: Deadline) -> bool:
    """Whether the words name when something begins («từ tháng 5»), not until when."""
    if deadline.text.lower().startswith("từ ") and not _RANGE.search(deadline.text):
        return True
    return re.search(rf"(?<!\w)từ {re.escape(deadline.text)}", deadline.sentence) is not None
