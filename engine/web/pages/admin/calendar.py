"""The working calendar of a year; a change is looked at with all that it moves, then saved.

The preview is a GET: its address is the whole change, so that it can be sent to a colleague before anybody saves it.
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
from engine.assignments.calendar_change import Change, Move, Preview
from engine.errors import BadInput, Conflict, DondocError
from engine.files.pasted_days import MAX_BASIS_CHARS, MAX_NAME_CHARS, DayList, read_days
from engine.http.forms import Form, clean, written_day
from engine.http.request_context import PostedForm, RequestContext, SignedIn
from engine.queries.system.calendar import calendar_year
from engine.rules.calendar import FIRST_YEAR, LAST_YEAR, DayException, DayKind, WorkCalendar
from engine.text import Text

router = APIRouter()
MAX_LIST_CHARS = 8_000
MAX_REMOVED_DAYS = 100
YearNumber = Annotated[int | None, Query(ge=FIRST_YEAR, le=LAST_YEAR)]
Count = Annotated[int, Query(ge=0, le=1_000_000)]
Short = Annotated[str, Query(max_length=400)]


@dataclass(frozen=True)
class Typed:
    """A change as typed: a pasted list, one day by itself, and days that were ticked to be dropped."""

    list: str = ""
    day: str = ""
    kind: str = ""
    name: str = ""
    basis: str = ""
    drop: tuple[str, ...] = ()


@dataclass
class Understood:
    """The change, or what is wrong by field."""

    change: Change = field(default_factory=Change)
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
    return Typed(list, day, kind, name, basis, tuple(drop))


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
    """The year; ``day`` puts one of its days into the form, to be changed, ``list`` what was typed before."""
    ctx.require(Permission.KEEP_CALENDAR)
    with ctx.reading() as (_, today):
        entry = today.calendar.exceptions.get(_day_or_none(day) or date.min)
    typed = Typed(list, day)
    if entry is not None:
        typed = Typed(list, day, kind=entry.kind.value, name=entry.name, basis=entry.basis)
    saved = {"days": days, "moved": moved, "told": told} if days else None
    return _year(ctx, year or (entry.day.year if entry else ctx.today.year), typed, saved=saved)


@router.get("/admin/calendar/preview")
def look(ctx: SignedIn, typed: Annotated[Typed, Depends(_typed)], year: YearNumber = None) -> Response:
    """What a change would do, before anybody saves it."""
    ctx.require(Permission.KEEP_CALENDAR)
    return _preview(ctx, typed, year or ctx.today.year)


@router.post("/admin/calendar")
def save(ctx: SignedIn, form: PostedForm) -> Response:
    """Save what was previewed; if it would come out otherwise by now, show that instead."""
    ctx.require(Permission.KEEP_CALENDAR)
    typed = _sent(form)
    with ctx.reading() as (_, today):
        understood = understand(typed, today.calendar)
    if understood.refused:
        return _year(ctx, ctx.today.year, typed, understood)
    change = understood.change
    try:
        with ctx.writing() as session:
            done = calendar_change.apply(
                session, change, actor=ctx.actor.name, now=ctx.now, previewed=form.text("previewed", 64) or "-"
            )
    except Conflict as error:
        return _preview(ctx, typed, ctx.today.year, error)
    touched = [*change.drop, *(entry.day for entry in change.set)]
    return ctx.go(
        "/admin/calendar", year=min(touched).year, days=len(touched), moved=len(done.moves), told=done.agencies
    )


def understand(typed: Typed, calendar: WorkCalendar) -> Understood:
    """The change that was typed. Pure."""
    out = Understood()
    try:
        out.listed = read_days(clean(typed.list, MAX_LIST_CHARS), calendar)
    except BadInput as error:
        out.wrong["list"] = error
    single = _single(typed, out)
    dropped = [day for each in typed.drop if (day := _day_or_none(each)) in calendar.exceptions]
    out.change = Change(
        (*out.listed.set, *single), tuple(dict.fromkeys([*out.listed.drop, *(day for day in dropped if day)]))
    )
    if not out.refused:
        try:
            calendar_change.validate_change(out.change)
        except BadInput as error:
            out.wrong["list"] = error
    return out


def _single(typed: Typed, out: Understood) -> Iterable[DayException]:
    if not (typed.name.strip() or typed.basis.strip()) and typed.day.strip() in ("", *typed.drop):
        return ()
    try:
        day = written_day(typed.day)
    except BadInput as error:
        out.wrong["day"], day = error, date.min
    if typed.kind not in tuple(DayKind):
        out.wrong["kind"] = BadInput(Text("Chưa chọn nghỉ hay làm bù.", "Choose whether closed or worked."))
    name, basis = typed.name, typed.basis
    try:
        name, basis = clean(typed.name, MAX_NAME_CHARS), clean(typed.basis, MAX_BASIS_CHARS)
    except BadInput as error:
        out.wrong["name"] = error
    if not name.strip():
        out.wrong["name"] = BadInput(Text("Cần một tên gọi, như «Nghỉ bù Quốc khánh».", "The day needs a name."))
    if out.wrong:
        return ()
    return (DayException(day, DayKind(typed.kind), name, basis),)


def _day_or_none(text: str) -> date | None:
    try:
        return written_day(text)
    except BadInput:
        return None


def _year(
    ctx: RequestContext,
    year: int,
    typed: Typed,
    understood: Understood | None = None,
    saved: dict[str, int] | None = None,
) -> Response:
    with ctx.reading() as (_, today):
        found = calendar_year(today.calendar, year)
        last_quarter = ctx.today.month >= 10 and year == ctx.today.year
        ahead = year + 1 if last_quarter and not calendar_year(today.calendar, year + 1).known else None
        months = [_month(today.calendar, year, month) for month in range(1, 13)]
    wrong = {} if understood is None else {k: each.said(ctx.language) for k, each in understood.wrong.items()}
    problems = () if understood is None else understood.listed.problems
    return ctx.page(
        "admin/calendar.html",
        422 if understood else 200,
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
    """(first day, weeks from Monday, number of working days); None where a week reaches into another month."""
    weeks = [
        [day if day.month == month else None for day in week] for week in Calendar().monthdatescalendar(year, month)
    ]
    working = sum(day is not None and calendar.is_working(day) for week in weeks for day in week)
    return date(year, month, 1), weeks, working


@dataclass(frozen=True)
class Alike:
    """Due dates that move alike: from one day to another for one reason."""

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

    return [Alike(*same, tuple(each)) for same, each in groupby(sorted(moves, key=key), key)]


def _preview(ctx: RequestContext, typed: Typed, year: int, stale: Conflict | None = None) -> Response:
    with ctx.reading() as (session, today):
        understood = understand(typed, today.calendar)
        if understood.refused:
            return _year(ctx, year, typed, understood)
        found: Preview = calendar_change.preview(session, understood.change, ctx.now)
    change = replace(understood.change, set=tuple(sorted(understood.change.set, key=lambda each: each.day)))
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
