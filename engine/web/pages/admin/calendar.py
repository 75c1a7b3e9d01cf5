"""The working calendar of a year; a change is previewed with everything that it moves, then saved.

The preview is a GET: its URL contains the whole change, so it can be sent to a colleague before saving.
"""

from __future__ import annotations

from calendar import Calendar
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from itertools import groupby
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from fastapi.responses import Response

from engine.accounts.permissions import Permission
from engine.assignments import calendar_change
from engine.assignments.calendar_change import CalendarChange, Move, Preview
from engine.errors import BadInput, Conflict, DondocError
from engine.files.calendar import MAX_BASIS_CHARS, MAX_NAME_CHARS, DayList, read_days
from engine.http.forms import Form, clean, parse_day
from engine.http.request_context import PostedForm, RequestContext, SignedIn
from engine.queries.system.policies import calendar_year
from engine.rules.calendar import FIRST_YEAR, LAST_YEAR, DayException, DayKind, WorkCalendar
from engine.text import Text

router = APIRouter(include_in_schema=False)
MAX_LIST_CHARS = 8_000
MAX_REMOVED_DAYS = 100
YearNumber = Annotated[int | None, Query(ge=FIRST_YEAR, le=LAST_YEAR)]
Count = Annotated[int, Query(ge=0, le=1_000_000)]
Short = Annotated[str, Query(max_length=400)]


@dataclass(frozen=True, kw_only=True)
class Typed:
    """A change as typed: a pasted list, a single day, and days ticked to be dropped."""

    list: str = ""
    day: str = ""
    kind: str = ""
    name: str = ""
    basis: str = ""
    drop: tuple[str, ...] = ()


@dataclass
class ParsedChange:
    """The parsed change, or the errors by field."""

    change: CalendarChange = field(default_factory=CalendarChange)
    listed: DayList = field(default_factory=DayList)
    wrong: dict[str, DondocError] = field(default_factory=dict)

    @property
    def refused(self) -> bool:
        return bool(self.wrong or self.listed.problems)


def _typed(
    list: Annotated[str, Query(max_length=MAX_LIST_CHARS)] = "",
    day: Short = "",
    kind: Short = "",
    name: Short = "",
    basis: Short = "",
    drop: Annotated[Sequence[str], Query(max_length=MAX_REMOVED_DAYS)] = (),
) -> Typed:
    return Typed(list=list, day=day, kind=kind, name=name, basis=basis, drop=tuple(drop))


def _sent(form: Form) -> Typed:
    one = {each: form.raw(each) for each in ("list", "day", "kind", "name", "basis")}
    return Typed(**one, drop=tuple(form.fields.get("drop", ())))


@router.get("/admin/calendar")
def show(
    ctx: SignedIn,
    year: YearNumber = None,
    day: Short = "",
    list: Annotated[str, Query(max_length=MAX_LIST_CHARS)] = "",
    days: Count = 0,
    moved: Count = 0,
    told: Count = 0,
) -> Response:
    """The year; ``day`` fills the form with one of its days, ``list`` with the list typed before."""
    ctx.require(Permission.SEE_CALENDAR)
    with ctx.reading() as (_, today):
        entry = today.calendar.exceptions.get(_day_or_none(day, ctx.today) or date.min)
    typed = Typed(list=list, day=day)
    if entry is not None:
        typed = Typed(list=list, day=day, kind=entry.kind.value, name=entry.name, basis=entry.basis)
    saved = {"days": days, "moved": moved, "told": told} if days else None
    return _year(ctx, year or (entry.day.year if entry else ctx.today.year), typed, saved=saved)


@router.get("/admin/calendar/preview")
def look(ctx: SignedIn, typed: Annotated[Typed, Depends(_typed)], year: YearNumber = None) -> Response:
    """Preview of a change."""
    ctx.require(Permission.KEEP_CALENDAR)
    return _preview(ctx, typed, year or ctx.today.year)


@router.post("/admin/calendar")
def save(ctx: SignedIn, form: PostedForm) -> Response:
    """Save the previewed change; if the result would differ by now, show the new preview instead."""
    ctx.require(Permission.KEEP_CALENDAR)
    typed = _sent(form)
    with ctx.reading() as (_, today):
        parsed = parse_change(typed, today.calendar, today.day)
    if parsed.refused:
        return _year(ctx, ctx.today.year, typed, parsed)
    change = parsed.change
    try:
        with ctx.writing() as session:
            done = calendar_change.apply(session, change, previewed=form.text("previewed", 64) or "-", **ctx.by)
    except Conflict as error:
        return _preview(ctx, typed, ctx.today.year, error)
    changed_days = [*change.drop, *(entry.day for entry in change.set)]
    return ctx.go(
        "/admin/calendar",
        year=min(changed_days).year,
        days=len(changed_days),
        moved=len(done.moves),
        told=done.agencies,
    )


def parse_change(typed: Typed, calendar: WorkCalendar, today: date) -> ParsedChange:
    """Parse a typed change. Pure."""
    result = ParsedChange()
    try:
        result.listed = read_days(clean(typed.list, MAX_LIST_CHARS), calendar)
    except BadInput as error:
        result.wrong["list"] = error
    single = _single(typed, result, today)
    dropped = [day for each in typed.drop if (day := _day_or_none(each, today)) in calendar.exceptions]
    result.change = CalendarChange(
        (*result.listed.set, *single), tuple(dict.fromkeys([*result.listed.drop, *(day for day in dropped if day)]))
    )
    if not result.refused:
        try:
            calendar_change.validate_change(result.change)
        except BadInput as error:
            result.wrong["list"] = error
    return result


def _single(typed: Typed, result: ParsedChange, today: date) -> Iterable[DayException]:
    if not (typed.name.strip() or typed.basis.strip()) and typed.day.strip() in ("", *typed.drop):
        return ()
    try:
        day = parse_day(typed.day, today)
    except BadInput as error:
        result.wrong["day"], day = error, date.min
    if typed.kind not in tuple(DayKind):
        result.wrong["kind"] = BadInput(Text("Chưa chọn nghỉ hay làm bù.", "Choose a day off or a working day."))
    name, basis = typed.name, typed.basis
    try:
        name, basis = clean(typed.name, MAX_NAME_CHARS), clean(typed.basis, MAX_BASIS_CHARS)
    except BadInput as error:
        result.wrong["name"] = error
    if not name.strip():
        result.wrong["name"] = BadInput(Text("Cần một tên gọi, như «Nghỉ bù Quốc khánh».", "The day needs a name."))
    if result.wrong:
        return ()
    return (DayException(day, DayKind(typed.kind), name, basis),)


def _day_or_none(text: str, today: date) -> date | None:
    try:
        return parse_day(text, today)
    except BadInput:
        return None


def _year(
    ctx: RequestContext,
    year: int,
    typed: Typed,
    parsed: ParsedChange | None = None,
    saved: dict[str, int] | None = None,
) -> Response:
    with ctx.reading() as (_, today):
        found = calendar_year(today.calendar, year)
        last_quarter = ctx.today.month >= 10 and year == ctx.today.year
        ahead = year + 1 if last_quarter and not calendar_year(today.calendar, year + 1).known else None
        months = [_month(today.calendar, year, month) for month in range(1, 13)]
    wrong = {} if parsed is None else {k: each.said(ctx.language) for k, each in parsed.wrong.items()}
    problems = () if parsed is None else parsed.listed.problems
    return ctx.page(
        "admin/calendar.html",
        422 if parsed else 200,
        today=today,
        found=found,
        months=months,
        typed=typed,
        wrong=wrong,
        problems=problems,
        saved=saved,
        ahead=ahead,
        first=FIRST_YEAR,
        last=LAST_YEAR,
        this_or_next=ctx.today.year <= year <= ctx.today.year + 1,
    )


def _month(calendar: WorkCalendar, year: int, month: int) -> tuple[date, list[list[date | None]], int]:
    """(first day, weeks from Monday, working days); None for days of other months."""
    weeks = [
        [day if day.month == month else None for day in week] for week in Calendar().monthdatescalendar(year, month)
    ]
    working = sum(day is not None and calendar.is_working(day) for week in weeks for day in week)
    return date(year, month, 1), weeks, working


@dataclass(frozen=True)
class Alike:
    """Due dates that move from the same day to the same day for the same reason."""

    was: date
    due: date
    why: str
    moves: tuple[Move, ...]

    @property
    def agencies(self) -> int:
        return len({move.agency_id for move in self.moves})


def alike(moves: Iterable[Move], language: str) -> list[Alike]:
    def key(move: Move) -> tuple[date, date, str]:
        return move.was, move.due, move.why[language]

    return [Alike(*group_key, tuple(each)) for group_key, each in groupby(sorted(moves, key=key), key)]


def _preview(ctx: RequestContext, typed: Typed, year: int, stale: Conflict | None = None) -> Response:
    with ctx.reading() as (session, today):
        parsed = parse_change(typed, today.calendar, today.day)
        if parsed.refused:
            return _year(ctx, year, typed, parsed)
        found: Preview = calendar_change.preview(session, parsed.change, ctx.now)
    change = replace(parsed.change, set=tuple(sorted(parsed.change.set, key=lambda each: each.day)))
    return ctx.page(
        "admin/calendar_preview.html",
        stale.status if stale else 200,
        today=today,
        change=change,
        found=found,
        moves=alike(found.moves, ctx.language),
        stay=alike(found.stay, ctx.language),
        typed=typed,
        year=year,
        before={entry.day: entry for entry in found.replaces},
        becomes={day: change.applied(today.calendar).is_working(day) for day in change.drop},
        stale=stale.said(ctx.language) if stale else "",
        most=40,
    )
