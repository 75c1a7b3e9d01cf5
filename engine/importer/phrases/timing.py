"""From the words about time in a duty to the cadence and report rule of a plan file, without saying more than they do.

Each reading tells whether the document said it (``source: plan``) or the office's defaults did, and what a person has
to confirm. «trước ngày X» is X − 1 (DOMAIN: the wording stands beside the date).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from engine.importer.model import Deadline

ORDER = ("once", "month", "quarter", "half_year", "nine_month", "year", "ad_hoc")
_POINT = re.compile(r"(?P<y>\d{4}|-)-(?:Q(?P<q>[1-4])|(?P<m>\d{2})(?:-(?P<d>\d{2}))?)")
_DAY = re.compile(r"(?:^|-)\d{2}$")
_RANGE = re.compile(r"(?i)(?<!\w)từ .+ đến ")
_USUAL_DAY = 16  # of a cycle's last month, where the document names none; the common rule has 17


@dataclass(frozen=True)
class Timing:
    """When a duty is owed: ``cadence`` of the plan file; ``on`` for a single act; ``due_day`` for cycles.
    ``wording`` is the document's, empty when it says nothing and the default is meant. ``confirm``: why to look."""

    cadence: tuple[str, ...]
    wording: str = ""
    on: date | None = None
    due_day: int | None = None
    confirm: str = ""


def timing_of(deadlines: Sequence[Deadline], year: int) -> Timing:
    """What the words about time of one duty come to: a last day, cycles, or both («trước ngày 15/3/2026; định kỳ 6
    tháng»). A duty without words about time has no report of its own."""
    cadence = tuple(name for name in ORDER if any(name in each.cadence for each in deadlines))
    wording = "; ".join(each.text for each in deadlines)
    cycles = [name for name in cadence if name != "ad_hoc"]
    days = [(each, point) for each in deadlines for point in _points(each)]
    if not cycles:
        return _single(days, year, cadence, wording)
    single = [(each, point) for each, point in days if not each.cadence and re.match(r"\d{4}-", point)]
    named = [(each, point) for each, point in days if (each, point) not in single and _DAY.search(point)]
    day = int(named[0][1][-2:]) if named else None
    due_day = day - 1 or 31 if day is not None and named[0][0].before else day
    doubt = "" if day is not None else "văn bản nêu chu kỳ nhưng không nêu ngày gửi"
    if not single:
        return Timing(cadence, wording, due_day=due_day, confirm=doubt)
    once = _single(single, year, cadence, wording)
    doubts = "; ".join(filter(None, (once.confirm, doubt)))
    return Timing(once.cadence, wording, once.on, due_day or (_USUAL_DAY if once.on else None), doubts)


def _points(deadline: Deadline) -> tuple[str, ...]:
    """The days named; of a time «từ … đến …» the last."""
    return deadline.days[-1:] if _RANGE.search(deadline.text) else deadline.days


def _single(days: Sequence[tuple[Deadline, str]], year: int, cadence: tuple[str, ...], wording: str) -> Timing:
    """A last day, where one can be read; else nothing regular."""
    for each, point in days:
        on, doubt = _day(each, point, year)
        if on is not None:
            more = "văn bản nêu nhiều mốc, mới lấy mốc đầu" if len(days) > 1 else ""
            return Timing(("once", *cadence), wording, on=on, confirm="; ".join(filter(None, (doubt, more))))
    if cadence:
        return Timing(cadence, wording)
    doubt = "lời về thời gian không cho ra một ngày" if wording else "văn bản không nêu thời hạn: không báo cáo riêng"
    return Timing(("ad_hoc",), wording, confirm=doubt)


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
    begins = deadline.text.lower().startswith("từ ") and not _RANGE.search(deadline.text)
    if begins or re.search(rf"(?<!\w)từ {re.escape(deadline.text)}", deadline.sentence):
        doubts.append("văn bản nêu ngày bắt đầu, không nêu hạn")
    if not found["d"]:
        day = date(of + month // 12, month % 12 + 1, 1)
    return (day - timedelta(days=1) if deadline.before or not found["d"] else day), "; ".join(doubts)
