"""What an answer by mail or SMS asks (``Request``) and does, whether the system reads it or a person on «Thư đến».

``perform`` acts on duties of one agency (``MessageDuty``), in the caller's transaction, and returns what was done.
Raises what the actions raise. ``duties_for`` says which duties a request is about. Permissions are the caller's.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import exists, select
from sqlmodel import Session

from engine.assignments import lifecycle, situations
from engine.assignments.lifecycle import ReportText
from engine.assignments.promise_rows import OPEN, PromiseText
from engine.assignments.promises import ask_for_day
from engine.correspondence import entries
from engine.correspondence.entries import NewEntry
from engine.errors import BadInput, DondocError
from engine.rules.calendar import local_date
from engine.rules.situation import OWES, is_past, is_unfinished, lacks_report
from engine.rules.words import period_text
from engine.store.database import among, table
from engine.store.records import Assignment, Duty, Extension, Plan, Promise
from engine.store.rulebook import read_calendar
from engine.store.stored_rows import objects
from engine.terms import Ask, EntryKind, MessageAct, Outcome, State, Urgency
from engine.text import Text

NO_SUCH_DUTY = Text("Thư này không nêu nhiệm vụ ấy.", "This letter does not name that duty.")
WHICH_DUTY = Text(
    "Thư nêu nhiều nhiệm vụ; đề nghị ghi rõ mục, như: GH IV.1.2 30/6 do …, CHUA IV.1.2 30/6 do …",
    "The letter names several duties; say which, like: GH IV.1.2 30/6 because …, CHUA IV.1.2 30/6 because …",
)

WHICH_PERIOD = Text(
    "Mục {citation} chưa hoàn thành ở nhiều kỳ ({periods}); đề nghị mở liên kết trong thư để chọn kỳ.",
    "{citation} is unfinished for several periods ({periods}); open the link in the letter to choose one.",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageDuty:
    """An assignment that a message is about. ``beside_others``: other periods of it are unfinished, too."""

    id: int
    agency_id: str
    supervisor_id: str
    plan_id: int
    period: str
    state: State
    done_on: date | None
    due_on: date | None
    citation: str
    policy_id: str
    urgency: Urgency
    beside_others: bool

    @property
    def unfinished(self) -> bool:
        return is_unfinished(self.state, self.done_on)

    def overdue(self, today: date) -> bool:
        return is_past(self.due_on, today)


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """One act. ``periods``: one a citation, "" where the duty has no other that is open. ``on``: the day that was asked
    for or promised. ``files``: names."""

    act: MessageAct
    ids: tuple[int, ...] = ()
    citations: tuple[str, ...] = ()
    periods: tuple[str, ...] = ()
    on: date | None = None
    files: tuple[str, ...] = ()

    @property
    def as_entry(self) -> dict[str, object]:
        return {
            "act": self.act.value,
            "ids": list(self.ids),
            "citations": list(self.citations),
            "periods": list(self.periods),
            "on": self.on.isoformat() if self.on else None,
            "files": list(self.files),
        }

    @classmethod
    def of(cls, entry: Mapping[str, Any]) -> Done:
        """An act as it was stored."""
        return cls(
            act=MessageAct(entry["act"]),
            ids=tuple(entry["ids"]),
            citations=tuple(entry["citations"]),
            periods=tuple(entry.get("periods") or [""] * len(entry["citations"])),
            on=date.fromisoformat(entry["on"]) if entry["on"] else None,
            files=tuple(entry["files"]),
        )

    @classmethod
    def about(
        cls, act: MessageAct, duties: Sequence[MessageDuty], *, on: date | None = None, files: tuple[str, ...] = ()
    ) -> Done:
        """An act on these duties."""
        named = dict.fromkeys((duty.citation, duty.period if duty.beside_others else "") for duty in duties)
        citations, periods = (tuple(pair[n] for pair in named) for n in (0, 1))
        return cls(act=act, ids=tuple(d.id for d in duties), citations=citations, periods=periods, on=on, files=files)


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One thing that a message asks. ``on``: the day that it names; ``text``: the reason, or free words; ``count``: how
    many duties the writer says that they mean, ``every``: all of them. ``ids``: once it is known, of which
    assignments."""

    ask: Ask
    citations: tuple[str, ...] = ()
    on: date | None = None
    text: str = ""
    count: int = 0
    every: bool = False
    ids: tuple[int, ...] = ()

    @property
    def whole(self) -> bool:
        """Nothing of it is left to be chosen."""
        return bool(self.ids) and ((self.on is not None and bool(self.text)) or self.ask not in DAYS)

    @property
    def as_entry(self) -> dict[str, object]:
        return {"ask": self.ask.value, "ids": list(self.ids), "on": self.on and self.on.isoformat(), "text": self.text}

    @classmethod
    def of(cls, entry: Mapping[str, Any]) -> Request:
        """A proposal as it was stored."""
        on = date.fromisoformat(entry["on"]) if entry["on"] else None
        return cls(ask=Ask(entry["ask"]), ids=tuple(entry["ids"]), on=on, text=entry["text"])

    def about(self, duties: Sequence[MessageDuty], today: date) -> Request:
        """With the assignments that it is about; without any where they are not certain."""
        with suppress(BadInput):
            return replace(self, ids=tuple(duty.id for duty in duties_for(self, duties, today)))
        return self


DAYS = (Ask.DAY, Ask.NOT_YET)
"""They name a day and a reason."""
ENTRIES = {Ask.DIFFICULTY: EntryKind.DIFFICULTY, Ask.QUESTION: EntryKind.QUESTION}


def duties_for(request: Request, duties: Sequence[MessageDuty], today: date) -> Sequence[MessageDuty]:
    """Which of a writer's duties a request is about. What is not done, or promised, is the period that is overdue; an
    extension is of one that is not. Raises BadInput where that is not certain."""
    if request.ask is Ask.ACKNOWLEDGE or request.ask in ENTRIES:
        named = _named(duties, request.citations)
        if not named:
            raise BadInput(NO_SUCH_DUTY)
        if request.ask is Ask.ACKNOWLEDGE and request.count not in (0, len(named)) and not request.citations:
            raise BadInput(WHICH_DUTY)
        return named
    open_ones = [duty for duty in duties if duty.unfinished]
    if not request.citations and open_ones and (request.every or request.count == len(open_ones)):
        return open_ones
    late = request.ask is Ask.NOT_YET
    fits = None if request.ask is Ask.DECLINE else lambda duty: duty.overdue(today) is late
    return chosen_duties(duties, request.citations, fits)


def perform(
    session: Session,
    request: Request,
    duties: Sequence[MessageDuty],
    *,
    files: tuple[Mapping[str, object], ...] = (),
    actor: str,
    now: datetime,
) -> Done | None:
    """Do what a request asks on these duties; None if nothing of it is new. ``files``: that go with a difficulty."""
    if request.ask is Ask.ACKNOWLEDGE:
        return acknowledge(session, duties, actor=actor, now=now)
    if request.ask is Ask.DECLINE:
        return decline(session, duties, request.text, actor=actor, now=now)
    if request.ask in ENTRIES:
        new = NewEntry(ENTRIES[request.ask], request.text, files=files)
        return raise_entry(session, duties, new, actor=actor, now=now)
    new_ones = [duty for duty in duties if not _has_day(session, duty, request.on)]
    if not new_ones:
        return None
    text = PromiseText(on=request.on, reason=request.text)
    act = ask_day if request.ask is Ask.DAY else report_not_yet
    return act(session, new_ones, text, actor=actor, now=now)


def _has_day(session: Session, duty: MessageDuty, on: date | None) -> bool:
    """The same day was promised or asked for before, and still counts or waits."""
    if on is None:
        return False
    day = read_calendar(session).due(on).on
    p, x = table(Promise), table(Extension)
    promised = (p.c.assignment_id == duty.id, p.c.promised_on == day, p.c.state.in_(OPEN))
    asked = (x.c.assignment_id == duty.id, x.c.until.in_((on, day)), x.c.decided_at.is_(None))
    found = select(exists().where(*promised) | exists().where(*asked))
    return bool(session.connection().scalar(found))


def duties_of(session: Session, ids: Collection[int]) -> tuple[MessageDuty, ...]:
    """The assignments with these ids, in their order."""
    if not ids:
        return ()
    a, d, p = table(Assignment), table(Duty), table(Plan)
    other = a.alias()
    same = (other.c.duty_id == a.c.duty_id, other.c.agency_id == a.c.agency_id, other.c.id != a.c.id)
    beside = exists().where(*same, situations.where(OWES, of=other))
    query = (
        select(a.c.id, a.c.agency_id, a.c.supervisor_id, a.c.plan_id, a.c.period, a.c.state, a.c.done_on, a.c.due_on)
        .add_columns(d.c.citation, p.c.policy_id, p.c.urgency, beside.label("beside_others"))
        .join(d, d.c.id == a.c.duty_id)
        .join(p, p.c.id == a.c.plan_id)
        .where(among(session, a.c.id, ids))
    )
    rows = {row.id: row for row in objects(MessageDuty, session.connection().execute(query))}
    return tuple(rows[each] for each in dict.fromkeys(ids) if each in rows)


def acknowledge(session: Session, duties: Sequence[MessageDuty], *, actor: str, now: datetime) -> Done | None:
    """None if all were acknowledged before."""
    waiting = [duty for duty in duties if duty.state is State.ASSIGNED and duty.done_on is None]
    changed = [duty for duty in waiting if lifecycle.acknowledge(session, duty.id, actor=actor, now=now)]
    return Done.about(MessageAct.ACKNOWLEDGED, changed) if changed else None


def ask_day(session: Session, duties: Sequence[MessageDuty], text: PromiseText, *, actor: str, now: datetime) -> Done:
    """Ask for a later day: an extension, and behind the due date a promise."""

    def ask(duty: MessageDuty) -> None:
        ask_for_day(session, duty.id, text, actor=actor, now=now)

    changed = _each(duties, ask)
    late = all(duty.overdue(local_date(now)) for duty in changed)
    return Done.about(MessageAct.PROMISED if late else MessageAct.EXTENSION_ASKED, changed, on=text.on)


def report_not_yet(
    session: Session, duties: Sequence[MessageDuty], text: PromiseText, *, actor: str, now: datetime
) -> Done:
    """Report that tasks are not done, with the day that is promised."""
    said = ReportText(outcome=Outcome.NOT_YET, reason=text.reason, promise=PromiseText(on=text.on))

    def report(duty: MessageDuty) -> None:
        lifecycle.report(session, duty.id, said, actor=actor, now=now)

    return Done.about(MessageAct.PROMISED, _each(duties, report), on=text.on)


def decline(session: Session, duties: Sequence[MessageDuty], reason: str, *, actor: str, now: datetime) -> Done:
    """The duties are not the agency's: the department above decides."""

    def refuse(duty: MessageDuty) -> None:
        lifecycle.decline(session, duty.id, actor=actor, now=now, reason=reason)

    return Done.about(MessageAct.DECLINED, _each(duties, refuse))


def raise_entry(
    session: Session, duties: Sequence[MessageDuty], new: NewEntry, *, actor: str, now: datetime
) -> Done | None:
    """A difficulty or a question, in the thread of the first open duty: about the plan as a whole if there are several.
    None if the same was said today before."""
    duty = next((each for each in duties if lacks_report(each.state)), duties[0])
    entry = NewEntry(new.kind, new.text, len(duties) > 1, files=new.files)
    if not entries.write(session, duty.id, entry, actor=actor, now=now):
        return None
    act = MessageAct.DIFFICULTY if new.kind is EntryKind.DIFFICULTY else MessageAct.QUESTION
    return Done.about(act, duties if entry.whole_plan else [duty])


def chosen_duties(
    duties: Sequence[MessageDuty], citations: Collection[str], fits: Callable[[MessageDuty], bool] | None = None
) -> Sequence[MessageDuty]:
    """The named duties; where none is named, the only one that is unfinished. Of several open periods of a duty the one
    that ``fits``. Raises BadInput where that is not one."""
    if citations:
        return [_one_period(_named(duties, (citation,)), fits) for citation in citations]
    open_ones = [duty for duty in duties if duty.unfinished]
    if not open_ones:
        raise BadInput(NO_SUCH_DUTY)
    if len(open_ones) > 1:
        raise BadInput(WHICH_DUTY)
    return open_ones


def _one_period(periods: Sequence[MessageDuty], fits: Callable[[MessageDuty], bool] | None) -> MessageDuty:
    if not periods:
        raise BadInput(NO_SUCH_DUTY)
    open_ones = [duty for duty in periods if duty.unfinished] or periods[-1:]
    fitting = [duty for duty in open_ones if len(open_ones) == 1 or fits is None or fits(duty)]
    if len(fitting) != 1:
        names = Text.joined(", ", [period_text(duty.period) for duty in open_ones])
        raise BadInput(WHICH_PERIOD.filled(citation=periods[0].citation, periods=names))
    return fitting[0]


def _named(duties: Sequence[MessageDuty], citations: Collection[str]) -> list[MessageDuty]:
    return [duty for duty in duties if not citations or duty.citation in citations]


def _each(duties: Sequence[MessageDuty], act: Callable[[MessageDuty], None]) -> list[MessageDuty]:
    """Those on which the act was done. Acts check before they write, so a refused one changes nothing; if none was
    possible, raises the first reason."""
    changed: list[MessageDuty] = []
    problem: DondocError | None = None
    for duty in duties:
        try:
            act(duty)
        except DondocError as error:
            problem = problem or error
        else:
            changed.append(duty)
    if not changed and problem is not None:
        raise problem
    return changed
