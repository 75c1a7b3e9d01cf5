"""How a plan's times are read: by the days that would be asked for, not by the words that are found.

    PYTHONPATH=tests python -m import_figures.times FILE.table

A file of sentences with the days meant (``tests/data/import/days/times.table`` says how they are written) is one plan,
drafted, and asked for its days. ``right``: they are those meant. ``marked``: they are not, and the review has a doubt
of this duty. ``shown``: no doubt, but the page asks a question of it, or says that it names no time. ``silent``: none.
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from ground.plan_documents import EVERYBODY

from engine.features.plan_import.drafts.model import DutyPlace
from engine.features.plan_import.drafts.plan_data import reviewed
from engine.features.plan_import.drafts.reading import draft_of
from engine.features.plan_import.importer import read_document
from engine.files.plan import CYCLES, PlanFile, due_periods
from engine.files.yaml_reader import dump_plain, read
from engine.rules.calendar import EVERY_DAY
from engine.rules.periods import Cadence, numbered_day

ISSUED = date(2026, 1, 15)
YEAR = 2026
CODES = {
    "W": Cadence.WEEK,
    "HM": Cadence.HALF_MONTH,
    "M": Cadence.MONTH,
    "Q": Cadence.QUARTER,
    "H": Cadence.HALF_YEAR,
    "9M": Cadence.NINE_MONTH,
    "Y": Cadence.YEAR,
}
HEAD = ("ỦY BAN NHÂN DÂN", "TỈNH AN LẠC", "Số: 12/KH-UBND", "An Lạc, ngày 15 tháng 01 năm 2026", "KẾ HOẠCH")
_TOKEN = re.compile(r"(?P<code>M|Q|HM|W|H)(?P<next>\+1)?:(?P<days>[\d,]+)")


@dataclass(frozen=True)
class Asked:
    """What would be asked for: last days, and the cadences whose day a person still has to name."""

    days: frozenset[date]
    open: frozenset[Cadence]


@dataclass(frozen=True)
class Row:
    """A sentence, what it may mean (None: only a person can say it), and what was made of it."""

    text: str
    meant: Sequence[Asked | None]
    repeated: bool
    found: Asked
    doubts: Sequence[str]
    shown: bool

    @property
    def outcome(self) -> str:
        if any(self._is(each) for each in self.meant):
            return "right"
        return "marked" if self.doubts else "shown" if self.shown else "silent"

    def _is(self, meant: Asked | None) -> bool:
        if meant is None:
            return bool(self.doubts)
        first, last = date(YEAR, 3, 1), date(YEAR, 12, 31)
        days = [{day for day in each.days if not self.repeated or first <= day <= last} for each in (meant, self.found)]
        return days[0] == days[1] and meant.open == self.found.open


def rows_of(path: Path) -> list[Row]:
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")]
    sentences = [[part.strip() for part in line.split("|")] for line in lines]
    found = _read([text for text, *_ in sentences])
    return [
        Row(text, [*_alternatives(meant)], ":" in meant, *found.get(text, (Asked(frozenset(), frozenset()), (), False)))
        for text, meant, *_ in sentences
    ]


def _read(texts: Sequence[str]) -> dict[str, tuple[Asked, Sequence[str], bool]]:
    """What is made of each sentence as a duty of its own."""
    body = [
        line for n, text in enumerate(texts, 1) for line in (f"{n}. Sở Y tế", f"- Chủ trì việc thứ {n}.", f"- {text}")
    ]
    lines = [*HEAD, "Công tác trọng tâm năm 2026", "I. TỔ CHỨC THỰC HIỆN", *body, "Nơi nhận:", "- Lưu: VT."]
    draft = draft_of(read_document("\n".join(lines).encode(), "times.txt"), EVERYBODY)
    plan = read(dump_plain(reviewed(draft, EVERYBODY).data), PlanFile)
    under: dict[int, list[DutyPlace]] = {}
    n = 0
    for place in draft.places():
        n = int(found[0]) if (found := re.search(r"(?<=việc thứ )\d+", place.duty.text)) else n
        under.setdefault(n, []).append(place)
    made: dict[str, tuple[Asked, Sequence[str], bool]] = {}
    for n, text in enumerate(texts, 1):
        places = under.get(n, [])
        duties = [plan.duties[place.citation].duty for place in places]
        days = frozenset(each.due.nominal for duty in duties for each in due_periods(plan, duty, EVERY_DAY))
        asks = [cadence for duty in duties if plan.rule_of(duty).ask_day for cadence in duty.cadence]
        doubts = [doubt.message for place in places for doubt in place.duty.open_doubts]
        undated = len(places) > 1 and not places[-1].duty.deadlines
        made[text] = Asked(days, frozenset(CYCLES & set(asks))), doubts, bool(asks) or undated
    return made


def _alternatives(text: str) -> Iterator[Asked | None]:
    for part in text.split(" or "):
        yield None if part.strip() == "?" else _asked(part.split())


def _asked(tokens: Iterable[str]) -> Asked:
    days, open_ = set[date](), set[Cadence]()
    for token in tokens:
        if token in CODES:
            open_.add(CODES[token])
        elif found := _TOKEN.fullmatch(token):
            days |= set(_repeated(found["code"], bool(found["next"]), [int(day) for day in found["days"].split(",")]))
        elif token != "-":
            day, month, *year = map(int, token.split("/"))
            days.add(date(year[0] if year else YEAR, month, day))
    return Asked(frozenset(days), frozenset(open_))


def _repeated(code: str, following: bool, days: Sequence[int]) -> Iterator[date]:
    """Of the year; «thứ Sáu» is 6."""
    if code == "W":
        every = (date(YEAR, 1, 1) + timedelta(days=n) for n in range(365))
        yield from (day for day in every if day.weekday() + 2 == days[0])
    months = {"M": range(1, 13), "HM": range(1, 13), "Q": range(3, 13, 3), "H": (6, 12), "W": ()}[code]
    for month in months:
        first = date(YEAR, month, 1)
        first = first if not following else (first + timedelta(days=31)).replace(day=1)
        yield from (numbered_day(first, day) for day in days)


def figures(rows: Sequence[Row]) -> str:
    counts = Counter(row.outcome for row in rows)
    asked = sum(bool(row.doubts) for row in rows)
    said = ", ".join(f"{name} {counts[name]}" for name in ("right", "marked", "shown", "silent"))
    return f"{len(rows)} times: {said} (right {100 * counts['right'] / len(rows):.1f} %); with a doubt {asked}"


if __name__ == "__main__":
    all_rows = rows_of(Path(sys.argv[1]))
    print(figures(all_rows))
    for row in all_rows:
        if row.outcome != "right":
            found = [f"{day:%d/%m/%Y}" for day in sorted(row.found.days)[:6]]
            print(f"{row.outcome}: {row.text}\n    {found} {sorted(row.found.open)} {row.doubts}")
