"""Which reminders to send for one assignment, and when. Pure: (facts, ladder, calendar, today) -> Decision.

No law sets the number or the timing of reminders, so a policy is a file (``config/policies/*.yaml``) that the operator
may edit. Each assignment keeps the ladder it was opened with; the dates of its rungs follow from the due date.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, time
from enum import StrEnum
from functools import cached_property, lru_cache
from typing import Annotated, Literal, Self, TypeVar, assert_never

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema, model_validator
from pydantic.json_schema import SkipJsonSchema

from engine.rules.calendar import EVERY_DAY, ONE_DAY, WorkCalendar
from engine.rules.situation import is_behind, lacks_report
from engine.terms import NoticeKind, Quiet, Role, State
from engine.text import Text


def _wall_time(value: object) -> object:
    """YAML 1.1 parses an unquoted 07:30 as a base-60 number; turn it back into a time."""
    return time(*divmod(value, 60)) if isinstance(value, int) and 0 <= value < 24 * 60 else value


WallTime = Annotated[
    time,
    BeforeValidator(_wall_time),
    WithJsonSchema({"type": "string", "pattern": r"^\d{2}:\d{2}(:\d{2})?$", "examples": ["07:30"]}),
]
"""Local wall time; the JSON Schema format «time» requires an offset (RFC 3339), which a wall time does not have."""


MAX_LEVEL = 3
"""The last level of «đôn đốc lần n»."""
_Value = TypeVar("_Value")


def for_role(role: Role, *, owner: _Value, supervisor: _Value, issuer: _Value) -> _Value:
    """The agency whose people a role means for an assignment: its owner, the department above it, or the issuer of its
    plan. The three may be ids, columns, or whatever else the caller keeps for each of them."""
    match role:
        case Role.COORDINATOR | Role.HEAD | Role.DEPUTY:
            return owner
        case Role.MONITOR | Role.DIRECTOR:
            return supervisor
        case Role.LEADERSHIP:
            return issuer
        case _:
            assert_never(role)


def audience(role: Role) -> Role:
    """The role that stands for all roles at the same agency: coordinator, monitor or leadership."""
    return for_role(role, owner=Role.COORDINATOR, supervisor=Role.MONITOR, issuer=Role.LEADERSHIP)


Way = Literal["usual", "other", "every"]
"""Channels of a notice. ``usual``: those of the policy. ``other``: one that the policy does not use, if the contact has
one; for when nobody responded. ``every``: all that reach the contact."""


def is_report(roles: Collection[Role]) -> bool:
    """A letter to these alone reports to those above and chases nobody: «báo cáo lãnh đạo», not «đôn đốc lần 3»."""
    return bool(roles) and set(roles) <= {Role.DIRECTOR, Role.LEADERSHIP}


class Rung(BaseModel):
    """One reminder: ``due`` or ``opened`` working days from the due date or the opening, its audience and its kind."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    rung: str = Field(min_length=1, max_length=16, pattern=r"^[A-Za-z0-9+\-]+$")
    due: int | None = Field(default=None, ge=-120, le=120)
    opened: int | None = Field(default=None, ge=0, le=120)
    to: tuple[Role, ...] = Field(min_length=1)
    kind: NoticeKind
    level: int = Field(default=0, ge=0, le=MAX_LEVEL)
    """Escalation level («đôn đốc lần n»): how often the agency has been chased once this rung is sent."""
    unless_acknowledged: bool = False
    by: Way = "usual"
    dispatch: bool = False
    """Also ask the monitor to issue a chasing letter on paper (công văn đôn đốc)."""

    @model_validator(mode="after")
    def _one_anchor(self) -> Self:
        if (self.due is None) == (self.opened is None):
            raise ValueError(Text("ghi đúng một trong «due» và «opened»", "give exactly one of “due” and “opened”"))
        return self

    def on(self, opened_on: date, due_on: date | None, calendar: WorkCalendar) -> date | None:
        """The local date of the rung; None when it depends on a due date that does not exist."""
        if self.opened is not None:
            return calendar.shift(calendar.on_or_after(opened_on), self.opened)
        return None if due_on is None or self.due is None else calendar.shift(due_on, self.due)

    @property
    def tier(self) -> int:
        """Highest rank of the audience once late: 0 the agency, 1 the monitor above it, 2 that department's head, 3 the
        leadership."""
        return max(2 if role is Role.DIRECTOR else for_role(role, owner=0, supervisor=1, issuer=3) for role in self.to)

    @property
    def to_agency(self) -> bool:
        """True if the agency that owes the report is written to."""
        return any(audience(role) is Role.COORDINATOR for role in self.to)


PROMISED = "H"
"""Begins the names of rungs that are counted from a promised day («ngày hẹn»): «H-1», «H+3»."""
PROMISE_REMINDER_DAYS = 3
"""Working days before a promised day in which its coordinator is reminded, by the rungs that lie in them."""


def _due(rung: Rung) -> int:
    assert rung.due is not None
    return rung.due


def _raised(rung: Rung, first: Rung, broken: int) -> Rung:
    """An escalation after broken promises. ``first``: of its ladder."""
    changes: dict[str, object] = {"level": min(rung.level + broken, MAX_LEVEL)}
    if broken and rung is first and Role.DIRECTOR not in rung.to:
        changes["to"] = (*rung.to, Role.DIRECTOR)
    if broken > 1 and set(rung.to) == {Role.LEADERSHIP}:
        changes["due"] = _due(first) + 1
    return rung.model_copy(update=changes)


def _counted_from_promise(rungs: Iterable[Rung]) -> Iterator[Rung]:
    """The rungs with the names that they have after a promise; «H+3b» for a second one of the same day."""
    names: set[str] = set()
    for rung in rungs:
        name = f"{PROMISED}{rung.due:+d}"
        while name in names:
            name += "b"
        names.add(name)
        yield rung.model_copy(update={"rung": name})


class Ladder(BaseModel):
    """The rungs of one assignment in the order of the policy file; fixed when the assignment is opened."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    name: str
    rungs: tuple[Rung, ...]
    every_day: SkipJsonSchema[bool] = Field(default=False, exclude_if=lambda value: not value)
    """Offsets count every day, and nothing waits for a working one. Set for the assignments of an urgent plan."""

    def days(self, calendar: WorkCalendar) -> WorkCalendar:
        """The days that the offsets count."""
        return EVERY_DAY if self.every_day else calendar

    @cached_property
    def after_promises(self) -> tuple[Ladder, ...]:
        """The ladders that are counted from a promised day, by how many promises were broken before it: none, one, two
        or more. The same objects each time (``_RulesKey``)."""
        return tuple(self._after_promises(broken) for broken in range(MAX_LEVEL))

    def _after_promises(self, broken: int) -> Ladder:
        """Reminders of the last days, then the chasing: with one promise broken before, its first escalation is also
        for the head of the department above; with two, the leadership hears on the working day after it."""
        counted = [rung for rung in self.rungs if rung.due is not None and rung.due >= -PROMISE_REMINDER_DAYS]
        first = min((rung for rung in counted if rung.level), key=_due, default=None)
        rungs = [_raised(rung, first, broken) if first and rung.level else rung for rung in counted]
        return Ladder(
            name=self.name,
            rungs=tuple(_counted_from_promise(sorted(rungs, key=_due))),
            every_day=self.every_day,
        )

    def find(self, name: str) -> Rung | None:
        """The rung of this name, also of a ladder that is counted from a promised day."""
        ladders = (self, *self.after_promises) if name.startswith(PROMISED) else (self,)
        return next((rung for ladder in ladders for rung in ladder.rungs if rung.rung == name), None)

    @model_validator(mode="after")
    def _unique(self) -> Self:
        names = [rung.rung for rung in self.rungs]
        duplicates = {name for name in names if names.count(name) > 1}
        if duplicates:
            raise ValueError(Text(f"mốc nhắc trùng tên: {', '.join(sorted(duplicates))}", "duplicate rung name"))
        return self


class Reason(BaseModel):
    """One of the reasons that people choose from where a task is late or a report is returned. ``agency``: another
    agency is waited for, which is named with it. ``returns``: offered only where a report is returned."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    code: str = Field(pattern=r"^[a-z][a-z0-9-]*$", max_length=32)
    vi: str = Field(min_length=1, max_length=120)
    en: str = Field(min_length=1, max_length=120)
    agency: bool = False
    returns: bool = False

    @property
    def text(self) -> Text:
        return Text(self.vi, self.en)


OTHER_REASON = "khac"
"""Stands for whatever nobody has chosen a code for; every policy has it."""
REASONS = (
    Reason(code="huong-dan", vi="chờ hướng dẫn của cấp trên", en="waiting for instructions from above"),
    Reason(code="phoi-hop", vi="chờ cơ quan phối hợp", en="waiting for another agency", agency=True),
    Reason(code="kinh-phi", vi="kinh phí", en="funds"),
    Reason(code="nhan-luc", vi="nhân lực", en="staff"),
    Reason(code="thien-tai", vi="thời tiết, thiên tai", en="weather, disaster"),
    Reason(code="quy-dinh", vi="vướng quy định", en="a rule stands in the way"),
    Reason(code="thieu-san-pham", vi="thiếu sản phẩm, minh chứng", en="the output or evidence lacks", returns=True),
    Reason(code="so-lieu", vi="số liệu thiếu hoặc chưa khớp", en="figures lack or do not agree", returns=True),
    Reason(code=OTHER_REASON, vi="lý do khác", en="another reason"),
)


class SendWindow(BaseModel):
    """Local wall times between which letters of non-urgent plans are sent, on working days."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)
    opens: WallTime = time(7, 0)
    closes: WallTime = time(21, 0)


NEVER_STOPPED = frozenset({NoticeKind.OVERDUE, NoticeKind.ESCALATION, NoticeKind.CHASE, NoticeKind.RETURNED})
"""Notices that a recipient cannot unsubscribe from."""


class Policy(BaseModel):
    """A policy file. ``decide_at``: when the letters of a day are decided. ``send_at``: when they are sent; in the half
    hour between, every pass can add its lines to the same letter."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)
    format: Literal["dondoc/policy@1"] = Field(alias="schema")
    id: str = Field(pattern=r"^[a-z0-9-]+$", max_length=64)
    name: str
    source: Literal["local", "law", "plan"] = "local"
    note: str = ""
    decide_at: WallTime = time(7, 0)
    send_at: WallTime = time(7, 30)
    window: SendWindow = SendWindow()
    digest_weekday: int = Field(default=0, ge=0, le=6)
    open_days_before: int = Field(default=92, ge=1, le=400)
    due_soon_days: int = Field(default=3, ge=0, le=60)
    backlog_days: int = Field(default=10, ge=1, le=120)
    """Working days after which the department's head is told of a report not accepted or a request not decided."""
    past_days: int = Field(default=60, ge=0, le=1_000)
    """Days after a plan's last due date from which its overdue tasks alone bring nobody a weekly letter; its department
    is asked to end it."""
    cut_off_days: int = Field(default=1, ge=0, le=120)
    """Days after the last due date of a period on which its figures are published by themselves; 0: never."""
    resubmit_days: int = Field(default=5, ge=1, le=60)
    """Working days in which a returned report is to be resubmitted, unless the monitor chooses a date."""
    promise_days: int = Field(default=10, ge=1, le=60)
    """Working days after which a task that was reported unfinished is promised, unless the agency names a day."""
    promise_max_days: int = Field(default=40, ge=1, le=250)
    """Working days ahead up to which a promise counts without the monitor's agreement."""
    promises_alone: int = Field(default=2, ge=1, le=20)
    """How many promises of one task count without the monitor's agreement."""
    reasons: tuple[Reason, ...] = REASONS
    """Why a task is late or a report is returned: what people choose from."""
    channels: tuple[str, ...] = ("email",)
    urgent_per_day: int = Field(default=3, ge=1, le=24)
    """Urgent letters per person, channel and day at most; notices that are not urgent share one letter a day."""
    may_stop: tuple[NoticeKind, ...] = (NoticeKind.REMINDER,)
    """Notices that a recipient may get weekly instead of at once. Never overdue notices or returned reports."""
    ladders: dict[Literal["order", "request"], Ladder]

    def ladder(self, *, request: bool, urgent: bool) -> Ladder:
        """The ladder with which an assignment opens. A plan that is marked khẩn, thượng khẩn or hỏa tốc acts when its
        moment comes, also on closed days."""
        return (self.urgent_ladders if urgent else self.ladders)["request" if request else "order"]

    @cached_property
    def urgent_ladders(self) -> Mapping[str, Ladder]:
        """Those of urgent plans, the same objects each time: dates of rungs are cached by them (``_RulesKey``)."""
        return {name: ladder.model_copy(update={"every_day": True}) for name, ladder in self.ladders.items()}

    @property
    def late_reasons(self) -> tuple[Reason, ...]:
        """Those that are offered where a task is late."""
        return tuple(each for each in self.reasons if not each.returns)

    def reason(self, code: str) -> Reason | None:
        return next((each for each in self.reasons if each.code == code), None)

    def resubmission(self, returned_on: date, due_on: date | None, calendar: WorkCalendar) -> date:
        """By when a report returned on a day is proposed to be resubmitted: never before its due date."""
        proposed = calendar.shift(returned_on, self.resubmit_days)
        return proposed if due_on is None else max(proposed, due_on)

    @model_validator(mode="after")
    def _coherent(self) -> Self:
        if set(self.ladders) != {"order", "request"}:
            raise ValueError(
                Text("cần cả hai thang «order» và «request»", "both ladders are needed: “order” and “request”")
            )
        if any(ladder.every_day for ladder in self.ladders.values()):
            raise ValueError(
                Text("every_day theo độ khẩn của kế hoạch, không ghi ở đây", "every_day follows the plan's urgency")
            )
        codes = [each.code for each in self.reasons]
        if len(set(codes)) < len(codes) or OTHER_REASON not in codes:
            raise ValueError(
                Text(
                    f"mã lý do phải khác nhau và có «{OTHER_REASON}»",
                    f"codes of reasons must differ, and “{OTHER_REASON}” be among them",
                )
            )
        if not self.window.opens <= self.decide_at <= self.send_at <= self.window.closes:
            raise ValueError(
                Text("giờ phải theo thứ tự", "times must run: window.opens ≤ decide_at ≤ send_at ≤ window.closes")
            )
        late = sorted(set(self.may_stop) & NEVER_STOPPED)
        if late:
            raise ValueError(
                Text(
                    f"việc quá hạn không ai được hoãn: bỏ {', '.join(late)} khỏi may_stop",
                    f"overdue notices cannot be postponed: remove {', '.join(late)} from may_stop",
                )
            )
        above = [rung.rung for rung in self.ladders["request"].rungs if rung.tier > 1]
        if above:
            raise ValueError(
                Text(
                    f"việc đề nghị chỉ báo bộ phận theo dõi, không báo lên lãnh đạo: sửa mốc {', '.join(above)}",
                    f"requests are not escalated to the leadership: fix rung {', '.join(above)}",
                )
            )
        return self


class Skip(StrEnum):
    """Why a rung was not fired. Recorded in the event of each skipped rung."""

    BEFORE_OPENING = "before_opening"
    ACKNOWLEDGED = "acknowledged"
    OVERTAKEN = "overtaken"
    """A later rung for the same audience was due in the same pass; only that one is sent."""


@dataclass(frozen=True, slots=True)
class Facts:
    """Input of a decision. ``acted_until``: all rungs up to and including this date have been handled. After a return
    ``due_on`` is the resubmission date, ``acted_until`` at least the day of the return, and only rungs relative to the
    due date apply. ``promised_on``: the day that the agency has promised, kept or not; ``broken``: how many promises of
    the task were broken before it."""

    state: State
    opened_on: date
    due_on: date | None
    acted_until: date | None
    promised_on: date | None = None
    broken: int = 0

    @property
    def on_promise(self) -> bool:
        """The ladder is counted from the promised day; one before the due date leaves the due date's ladder."""
        return is_behind(self.promised_on, self.due_on)

    @property
    def chased_from(self) -> date | None:
        """The day from which rungs relative to the due date are counted: the later of that and a promised day."""
        return self.promised_on if self.on_promise else self.due_on

    @property
    def again(self) -> bool:
        """The ladder has begun again, with a return or a promise, or a report is in: only rungs relative to the due
        date apply."""
        return self.on_promise or self.state is State.RETURNED or not lacks_report(self.state)


@dataclass(frozen=True, slots=True)
class Fired:
    """A rung to send today, dated ``on``, to ``roles``: its audience less the roles that a later rung also reaches."""

    rung: Rung
    on: date
    roles: tuple[Role, ...]


@dataclass(frozen=True, slots=True)
class Decision:
    """What to do now and when to check again (a local date); ``quiet`` says why there is no next check."""

    fired: tuple[Fired, ...]
    skipped: tuple[tuple[Rung, date, Skip], ...]
    acted_until: date | None
    next_on: date | None
    quiet: Quiet | None


@dataclass(frozen=True, slots=True, eq=False)
class _RulesKey:
    """A ladder and a calendar as a cache key, compared by identity: both are frozen and parsed once for a text
    (``engine.store.rulebook``), and hashing their content would cost more than the cache saves."""

    ladder: Ladder
    calendar: WorkCalendar

    def __hash__(self) -> int:
        return hash((id(self.ladder), id(self.calendar)))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _RulesKey) and self.ladder is other.ladder and self.calendar is other.calendar


@lru_cache(maxsize=4096)
def _dated_rungs(rules: _RulesKey, opened_on: date, due_on: date | None) -> tuple[tuple[date, Rung], ...]:
    dated = ((rung.on(opened_on, due_on, rules.calendar), rung) for rung in rules.ladder.rungs)
    return tuple(sorted(((on, rung) for on, rung in dated if on is not None), key=lambda each: each[0]))


def dates(ladder: Ladder, opened_on: date, due_on: date | None, calendar: WorkCalendar) -> Sequence[tuple[date, Rung]]:
    """The rungs of an assignment with their local dates, in order of date."""
    return _dated_rungs(_RulesKey(ladder, ladder.days(calendar)), opened_on, due_on)


def current(ladder: Ladder, facts: Facts) -> Ladder:
    """The ladder that runs: the assignment's own, or the one that is counted from a promised day."""
    return ladder.after_promises[min(facts.broken, MAX_LEVEL - 1)] if facts.on_promise else ladder


def applicable(ladder: Ladder, facts: Facts, calendar: WorkCalendar) -> Sequence[tuple[date, Rung]]:
    """``dates`` of the rungs that apply: after a return, a promise or a report only those relative to the due date."""
    dated = dates(current(ladder, facts), facts.opened_on, facts.chased_from, calendar)
    return [(on, rung) for on, rung in dated if rung.opened is None] if facts.again else dated


def _is_ahead(on: date, facts: Facts) -> bool:
    return facts.acted_until is None or on > facts.acted_until


def decide(ladder: Ladder, facts: Facts, calendar: WorkCalendar, today: date) -> Decision:
    """The rungs to fire for one open assignment today, coalesced.

    1. Rungs dated after ``acted_until`` and up to today are due; those dated before the opening are skipped.
    2. A person gets only the latest due rung for their role, not the whole ladder.
    3. Once late, the agency is notified before the department above it, and that before the leadership: when several
       rungs became due together (after downtime or a returned report) the higher ones wait for the next working day;
       those of an urgent plan for the next day.
    """
    ahead = [each for each in applicable(ladder, facts, calendar) if _is_ahead(each[0], facts)]
    due = [each for each in ahead if each[0] <= today]
    held_from = _held_from(due, facts)
    if held_from is not None:
        due = [each for each in due if each[0] < held_from]
        acted_until = held_from - ONE_DAY
        next_on: date | None = ladder.days(calendar).shift(today, 1)
    else:
        acted_until = max(today, facts.acted_until or today)
        next_on = next((on for on, rung in ahead if on > today and not _not_needed(rung, facts)), None)
    fired, skipped = _coalesce(due, facts)
    quiet = None
    if next_on is None:
        quiet = Quiet.NO_DEADLINE if facts.due_on is None else Quiet.LADDER_ENDED
    return Decision(tuple(fired), tuple(skipped), acted_until, next_on, quiet)


def next_look(ladder: Ladder, facts: Facts, calendar: WorkCalendar) -> tuple[date | None, Quiet | None]:
    """When to check an assignment next, from its facts alone; may be in the past (catch-up)."""
    first = next(upcoming(ladder, facts, calendar), None)
    if first is not None:
        return first[0], None
    return None, Quiet.NO_DEADLINE if facts.due_on is None else Quiet.LADDER_ENDED


def _not_needed(rung: Rung, facts: Facts) -> bool:
    return rung.unless_acknowledged and facts.state is not State.ASSIGNED


def _held_from(due: Sequence[tuple[date, Rung]], facts: Facts) -> date | None:
    """Date from which due rungs are held back: the first late rung with a higher tier than those of the first late
    day. None if there is none."""
    firing = [(on, rung) for on, rung in due if _skip_reason(on, rung, facts) is None]
    late = [(on, rung.tier) for on, rung in firing if rung.due is not None and rung.due > 0]
    if not late:
        return None
    first = late[0][0]
    first_tier = max(tier for on, tier in late if on == first)
    return next((on for on, tier in late if on > first and tier > first_tier), None)


def _coalesce(due: Sequence[tuple[date, Rung]], facts: Facts) -> tuple[list[Fired], list[tuple[Rung, date, Skip]]]:
    fired: list[Fired] = []
    skipped: list[tuple[Rung, date, Skip]] = []
    notified: set[Role] = set()
    for on, rung in reversed(due):
        reason = _skip_reason(on, rung, facts)
        roles = tuple(role for role in rung.to if role not in notified)
        if reason is None and not roles:
            reason = Skip.OVERTAKEN
        if reason is not None:
            skipped.append((rung, on, reason))
            continue
        notified.update(roles)
        fired.append(Fired(rung, on, roles))
    return fired[::-1], skipped[::-1]


def _skip_reason(on: date, rung: Rung, facts: Facts) -> Skip | None:
    if on < facts.opened_on:
        return Skip.BEFORE_OPENING
    return Skip.ACKNOWLEDGED if _not_needed(rung, facts) else None


def upcoming(ladder: Ladder, facts: Facts, calendar: WorkCalendar) -> Iterator[tuple[date, Rung]]:
    """The remaining rungs with their dates, if nothing changes."""
    for on, rung in applicable(ladder, facts, calendar):
        if _is_ahead(on, facts) and not _not_needed(rung, facts):
            yield on, rung
