"""Working days of a plan: which days are open, and how a due date rolls forward.

Pure. A calendar is the public holidays of Viet Nam (package ``holidays``) overlaid with the operator's file
``config/calendars/*.yaml``, which takes precedence. Sources: Decision 188/1999/QĐ-TTg (Monday to Friday), Labour
Code 2019 arts 111–112 (holidays and days off in lieu), Civil Code 2015 arts 146–148 (roll-forward of terms).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from functools import cache
from importlib.util import module_from_spec, spec_from_file_location
from itertools import accumulate
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

PLAN_TIME = ZoneInfo("Asia/Ho_Chi_Minh")
ONE_DAY = timedelta(days=1)
FIRST_YEAR, LAST_YEAR = 2000, 2100
WEEKDAYS = {
    "vi": ("Thứ Hai", "Thứ Ba", "Thứ Tư", "Thứ Năm", "Thứ Sáu", "Thứ Bảy", "Chủ nhật"),
    "en": ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
}


class DayKind(StrEnum):
    """The three kinds of exception that an operator may enter."""

    HOLIDAY = "holiday"
    DAY_OFF = "day_off"
    WORKED = "worked"


@dataclass(frozen=True)
class DayException:
    """An exception to the weekday rule. ``name`` is shown to users; ``basis`` is the number of the decision."""

    day: date
    kind: DayKind
    name: str
    basis: str = ""


@dataclass(frozen=True)
class Due:
    """A due date: ``nominal`` by the rule, ``on`` after rolling, ``why`` the explanation by language."""

    nominal: date
    on: date
    why: Mapping[str, str]


@cache
def _viet_nam() -> Any:
    """The country class of ``holidays``, loaded from its own file: importing it by name reads 250 countries, which
    takes 20 MiB and most of a second."""
    import holidays

    path = Path(holidays.__file__).parent / "countries" / "vietnam.py"
    spec = spec_from_file_location("holidays_of_viet_nam", path)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.Vietnam


@cache
def _public_holidays(year: int) -> Mapping[date, DayException]:
    """Public holidays of one year by the ``holidays`` package, with days off in lieu and worked Saturdays."""
    known = _viet_nam()(years=year, language="vi")
    days = {day: DayException(day, DayKind.HOLIDAY, name) for day, name in known.items()}
    for day in getattr(known, "weekend_workdays", ()) or ():
        if day.year == year:
            days[day] = DayException(day, DayKind.WORKED, "Làm bù")
    return days


@dataclass(frozen=True)
class WorkCalendar:
    """Working days and closed days. ``exceptions`` are the operator's and take precedence over public holidays."""

    exceptions: Mapping[date, DayException] = field(default_factory=dict)
    public: bool = True
    _working: dict[date, bool] = field(default_factory=dict, repr=False, compare=False)
    _worked: dict[int, list[int]] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def of(cls, exceptions: Iterable[DayException], *, public: bool = True) -> WorkCalendar:
        return cls({entry.day: entry for entry in exceptions}, public)

    def exception(self, day: date) -> DayException | None:
        """The operator's entry for the day, else the public holiday, else None."""
        own = self.exceptions.get(day)
        if own is None and self.public:
            return _public_holidays(day.year).get(day)
        return own

    def is_working(self, day: date) -> bool:
        working = self._working.get(day)
        if working is None:
            entry = self.exception(day)
            working = day.weekday() < 5 if entry is None else entry.kind is DayKind.WORKED
            self._working[day] = working
        return working

    def closed_because(self, day: date, language: str = "vi") -> str:
        """Why the day is closed: the name of the holiday or of the weekday. Empty on a working day."""
        if self.is_working(day):
            return ""
        entry = self.exception(day)
        return entry.name if entry is not None else WEEKDAYS[language][day.weekday()]

    def on_or_after(self, day: date) -> date:
        """The day itself if it is a working day, else the next one (Civil Code 2015 art. 148.5)."""
        while not self.is_working(day):
            day += ONE_DAY
        return day

    def shift(self, day: date, working_days: int) -> date:
        """The n-th working day after (n > 0) or before (n < 0) ``day``, which itself is not counted
        (Civil Code 2015 art. 147.2). ``shift(day, 0)`` is ``day``."""
        step = ONE_DAY if working_days > 0 else -ONE_DAY
        for _ in range(abs(working_days)):
            day += step
            while not self.is_working(day):
                day += step
        return day

    def distance(self, start: date, end: date) -> int:
        """Working days from ``start`` (not counted) to ``end`` (counted); negative when ``end`` is earlier."""
        if end < start:
            return -self.distance(end, start)
        whole_years = sum(self._days_worked(year)[-1] for year in range(start.year, end.year))
        return whole_years + self._worked_by(end) - self._worked_by(start)

    def _worked_by(self, day: date) -> int:
        """Working days of its year until the end of a day."""
        return self._days_worked(day.year)[day.timetuple().tm_yday]

    def _days_worked(self, year: int) -> list[int]:
        """Working days from New Year until the end of each day, begun with none; pages ask for thousands of
        distances."""
        if year not in self._worked:
            first = date(year, 1, 1)
            days = (first + timedelta(n) for n in range((date(year, 12, 31) - first).days + 1))
            self._worked[year] = [*accumulate(map(self.is_working, days), initial=0)]
        return self._worked[year]

    def due(self, nominal: date, *, roll: bool = True) -> Due:
        """The due date for a nominal date. ``roll=False`` is for dates that a special law fixes."""
        on = self.on_or_after(nominal) if roll else nominal
        if on == nominal:
            return Due(nominal, on, {language: written(on, language) for language in WEEKDAYS})
        closed, closed_en = self.closed_because(nominal), self.closed_because(nominal, "en")
        named = closed if closed in WEEKDAYS["vi"] else f"ngày nghỉ ({closed})"
        reasons = {
            "vi": f"ngày {day_digits(nominal)} là {in_sentence(named)}, hạn chuyển sang {written(on)}",
            "en": f"{day_digits(nominal)} is closed ({closed_en}), so it moves to {written(on, 'en')}",
        }
        return Due(nominal, on, reasons)


@dataclass(frozen=True)
class _EveryDay(WorkCalendar):
    def is_working(self, day: date) -> bool:
        return True


EVERY_DAY: WorkCalendar = _EveryDay()
"""Counts every day: for the reminders of an urgent plan, never for a due date."""


def written(day: date, language: str = "vi") -> str:
    """A date inside a sentence: «thứ Hai, 07/6/2021», "Monday, 07/6/2021" (Decree 30/2020/NĐ-CP, annex II, V.8c)."""
    return f"{in_sentence(WEEKDAYS[language][day.weekday()])}, {day_digits(day)}"


def in_sentence(name: str) -> str:
    """The name of a weekday inside a sentence: «thứ Năm», but «Chủ nhật»."""
    return name.replace("Thứ", "thứ", 1) if name.startswith("Thứ ") else name


def day_digits(day: date) -> str:
    """A date in digits, with a zero before days below 10 and before months 1 and 2: «07/6/2021», «17/02/2021»."""
    month = f"0{day.month}" if day.month < 3 else str(day.month)
    return f"{day.day:02d}/{month}/{day.year}"


def tells_of_move(why: str) -> bool:
    """True if the explanation of a due date says more than the date: that it was moved (older rows write it with an
    arrow), that it is owed in the place of another agency, or that it was given after the day."""
    return any(mark in why for mark in _TELLING)


_TELLING = ("chuyển sang", "moves to", "→", "thay cho", "in place of", "sau hạn", "after the due date")


def local_date(now: datetime) -> date:
    """The local date of the plan at an instant. Viet Nam has had no daylight saving time since 1975."""
    return now.astimezone(PLAN_TIME).date()


def instant(day: date, at: time) -> datetime:
    """A local date and wall time as an aware instant in UTC."""
    return datetime.combine(day, at, PLAN_TIME).astimezone(ZoneInfo("UTC"))


def add_months(day: date, months: int) -> date:
    """The same day of the month ``months`` later, or the last day of that month (Civil Code 2015 art. 147.3)."""
    index = day.year * 12 + day.month - 1 + months
    year, month = divmod(index, 12)
    following = date(year + (month == 11), (month + 1) % 12 + 1, 1)
    return date(year, month + 1, min(day.day, (following - ONE_DAY).day))


def distance_words(days: int | None, language: str = "vi") -> str:
    """Working days until a due date: «còn 3 ngày làm việc», «đến hạn hôm nay», «quá hạn 2 ngày làm việc».
    ``days`` comes from ``WorkCalendar.distance(today, due)``; None when there is no due date."""
    if language == "en":
        plural = "" if days is not None and abs(days) == 1 else "s"
        if days is None:
            return "no due date"
        if days == 0:
            return "due today"
        return f"{days} working day{plural} left" if days > 0 else f"{-days} working day{plural} overdue"
    if days is None:
        return "không có thời hạn"
    if days == 0:
        return "đến hạn hôm nay"
    return f"còn {days} ngày làm việc" if days > 0 else f"quá hạn {-days} ngày làm việc"
