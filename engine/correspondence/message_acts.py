"""What an answer by mail or SMS does, whether the system reads it or a person on the page «Thư đến»: a function an act.

Every function acts on duties of one agency (``MessageDuty``), in the caller's transaction, and returns what was done.
``citations`` choose duties; () means all for an acknowledgement, and the only unfinished one for anything else. Raises
BadInput when that is not one, and what the actions raise. Permissions are the caller's.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import select
from sqlmodel import Session

from engine.assignments import lifecycle
from engine.assignments.lifecycle import ReportText
from engine.assignments.measures import is_unfinished
from engine.assignments.promise_rows import PromiseText
from engine.assignments.promises import ask_for_day
from engine.correspondence import entries
from engine.correspondence.entries import NewEntry
from engine.errors import BadInput, DondocError
from engine.rules.calendar import local_date
from engine.store.database import among, table
from engine.store.named_rows import objects
from engine.store.records import Assignment, Duty, Plan
from engine.terms import OPEN_STATES, EntryKind, MessageAct, Outcome, State, Urgency
from engine.text import Text

NO_SUCH_DUTY = Text("Thư này không nêu nhiệm vụ ấy.", "This letter does not name that duty.")
WHICH_DUTY = Text(
    "Thư nêu nhiều nhiệm vụ; đề nghị ghi rõ mục, như: GH IV.1.2 30/6 lý do, CHUA IV.1.2 30/6 lý do.",
    "The letter names several duties; say which, like: GH IV.1.2 30/6 reason, CHUA IV.1.2 30/6 reason.",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageDuty:
    """An assignment that a message is about."""

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

    @property
    def unfinished(self) -> bool:
        return is_unfinished(self.state, self.done_on)


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """One act. ``on``: the day that was asked for or promised. ``files``: names."""

    act: MessageAct
    ids: tuple[int, ...] = ()
    citations: tuple[str, ...] = ()
    on: date | None = None
    files: tuple[str, ...] = ()

    @property
    def as_entry(self) -> dict[str, object]:
        return {
            "act": self.act.value,
            "ids": list(self.ids),
            "citations": list(self.citations),
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
            on=date.fromisoformat(entry["on"]) if entry["on"] else None,
            files=tuple(entry["files"]),
        )


def duties_of(session: Session, ids: Collection[int]) -> tuple[MessageDuty, ...]:
    """The assignments with these ids, in their order."""
    if not ids:
        return ()
    a, d, p = table(Assignment), table(Duty), table(Plan)
    query = (
        select(a.c.id, a.c.agency_id, a.c.supervisor_id, a.c.plan_id, a.c.period, a.c.state, a.c.done_on, a.c.due_on)
        .add_columns(d.c.citation, p.c.policy_id, p.c.urgency)
        .join(d, d.c.id == a.c.duty_id)
        .join(p, p.c.id == a.c.plan_id)
        .where(among(session, a.c.id, ids))
    )
    rows = {row.id: row for row in objects(MessageDuty, session.connection().execute(query))}
    return tuple(rows[each] for each in dict.fromkeys(ids) if each in rows)


def acknowledge(
    session: Session, duties: Sequence[MessageDuty], citations: Collection[str], *, actor: str, now: datetime
) -> Done | None:
    """None if all were acknowledged before."""
    named = _named(duties, citations)
    if citations and not named:
        raise BadInput(NO_SUCH_DUTY)
    waiting = [duty for duty in named if duty.state is State.ASSIGNED and duty.done_on is None]
    changed = [duty for duty in waiting if lifecycle.acknowledge(session, duty.id, actor=actor, now=now)]
    return _done(MessageAct.ACKNOWLEDGED, changed) if changed else None


def ask_day(
    session: Session,
    duties: Sequence[MessageDuty],
    citations: Collection[str],
    text: PromiseText,
    *,
    actor: str,
    now: datetime,
) -> Done:
    """Ask for a later day: an extension, and behind the due date a promise."""
    chosen = chosen_duties(duties, citations)

    def ask(duty: MessageDuty) -> None:
        ask_for_day(session, duty.id, text, actor=actor, now=now)

    changed = _each(chosen, ask)
    late = all(duty.due_on is not None and duty.due_on < local_date(now) for duty in changed)
    return _done(MessageAct.PROMISED if late else MessageAct.EXTENSION_ASKED, changed, text.on)


def report_not_yet(
    session: Session,
    duties: Sequence[MessageDuty],
    citations: Collection[str],
    text: PromiseText,
    *,
    actor: str,
    now: datetime,
) -> Done:
    """Report that tasks are not done, with the day that is promised."""
    said = ReportText(outcome=Outcome.NOT_YET, reason=text.reason, promise=PromiseText(on=text.on))

    def report(duty: MessageDuty) -> None:
        lifecycle.report(session, duty.id, said, actor=actor, now=now)

    return _done(MessageAct.PROMISED, _each(chosen_duties(duties, citations), report), text.on)


def decline(
    session: Session,
    duties: Sequence[MessageDuty],
    citations: Collection[str],
    reason: str,
    *,
    actor: str,
    now: datetime,
) -> Done:
    """The duties are not the agency's: the department above decides."""

    def refuse(duty: MessageDuty) -> None:
        lifecycle.decline(session, duty.id, actor=actor, now=now, reason=reason)

    return _done(MessageAct.DECLINED, _each(chosen_duties(duties, citations), refuse))


def raise_entry(
    session: Session,
    duties: Sequence[MessageDuty],
    citations: Collection[str],
    new: NewEntry,
    *,
    actor: str,
    now: datetime,
) -> Done | None:
    """A difficulty or a question, in the thread of the named duty, else of the first open one: about the plan as a
    whole if there are several. None if the same was said today before."""
    named = _named(duties, citations)
    duty = next((each for each in named if each.state in OPEN_STATES), next(iter(named), None))
    if duty is None:
        raise BadInput(NO_SUCH_DUTY)
    entry = NewEntry(new.kind, new.text, len(named) > 1, files=new.files)
    if not entries.write(session, duty.id, entry, actor=actor, now=now):
        return None
    act = MessageAct.DIFFICULTY if new.kind is EntryKind.DIFFICULTY else MessageAct.QUESTION
    return _done(act, named if entry.whole_plan else [duty])


def chosen_duties(duties: Sequence[MessageDuty], citations: Collection[str]) -> Sequence[MessageDuty]:
    """The named duties; where none is named, the only one that is unfinished. Raises BadInput."""
    if citations:
        named = _named(duties, citations)
        if {duty.citation for duty in named} != set(citations):
            raise BadInput(NO_SUCH_DUTY)
        return named
    open_ones = [duty for duty in duties if duty.unfinished]
    if not open_ones:
        raise BadInput(NO_SUCH_DUTY)
    if len(open_ones) > 1:
        raise BadInput(WHICH_DUTY)
    return open_ones


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


def _done(act: MessageAct, duties: Iterable[MessageDuty], on: date | None = None) -> Done:
    chosen = list(duties)
    citations = tuple(dict.fromkeys(duty.citation for duty in chosen))
    return Done(act=act, ids=tuple(duty.id for duty in chosen), citations=citations, on=on)
