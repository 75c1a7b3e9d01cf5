"""Amendments of a running plan: adding a duty, or changing one, by a dispatch with a number.

The plan's file stays the document word for word. An added duty is a row marked as such (``Duty.added``), numbered
«BS.1», «BS.2» …, owed once; its assignments open at once. The previous values of a changed duty are kept in the event.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sqlalchemy import func, insert, select, update
from sqlmodel import Session

from engine.agencies.directory_loading import exists_on, expand_owners
from engine.assignments import situations
from engine.assignments.calendar_change import due_moved_line
from engine.assignments.lifecycle import cancel, move_due, open_new, supervisor_of
from engine.assignments.opening import not_past
from engine.assignments.outbox import NoticeLine, post
from engine.errors import BadInput, Conflict, ForbiddenMove, NotFound
from engine.files.plan import ONCE
from engine.rules.calendar import Due, WorkCalendar, local_date, written
from engine.rules.outputs import Output, read_output
from engine.store.database import table
from engine.store.event_log import record
from engine.store.recipients import read_recipients
from engine.store.records import Agency, Assignment, Duty, Plan
from engine.store.rulebook import Rulebook, read_rulebook, store_ladder
from engine.store.stored_rows import (
    AssignmentOfPlan,
    StoredPlan,
    columns_for,
    object_of,
    objects,
    select_assignments,
    select_plans,
)
from engine.terms import EventKind, NoticeKind, PlanState, Role, State
from engine.text import Text

ADDED = "added"
PREFIX = "BS"
MAX_TEXT_CHARS = 8_000
MAX_NAMED = 5
MAX_TOLD_CHARS = 300
"""Of the old and the new words of a duty in a letter."""
"""How many agencies are named in one sentence."""


@dataclass(frozen=True, kw_only=True)
class NewDuty:
    """Input for a new duty. ``owners`` and ``coordinating``: agency or group ids; ``basis``: the dispatch that orders
    it; ``fixed`` keeps a due date on a closed day; ``ad_hoc``: an ad hoc report (V.1 of a plan), of which agencies that
    the plan only asks are asked too."""

    text: str
    owners: tuple[str, ...]
    due: date
    basis: str
    heading: str = "Nhiệm vụ bổ sung"
    reason: str = ""
    coordinating: tuple[str, ...] = ()
    request: bool = False
    fixed: bool = False
    ad_hoc: bool = False
    output: Output | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Duty:
    """A duty as it is stored."""

    id: int
    plan_id: int
    citation: str
    heading: str
    text: str
    request: bool
    owners: list[str]
    coordinating: list[str]
    output: dict[str, str] | None


@dataclass(frozen=True, kw_only=True)
class Amendment:
    """Changes of a duty; None leaves a field as it is. ``owners``: all owners from now on. ``due``: period -> new
    date. ``output``: one without words means that none is owed any more."""

    basis: str
    text: str | None = None
    heading: str | None = None
    owners: tuple[str, ...] | None = None
    coordinating: tuple[str, ...] | None = None
    due: Mapping[str, date] = field(default_factory=dict)
    output: Output | None = None


@dataclass(frozen=True, slots=True)
class Amended:
    """Number of assignments that were opened, cancelled, and given another due date."""

    opened: int = 0
    cancelled: int = 0
    moved: int = 0


def add_duty(session: Session, plan_id: int, new: NewDuty, *, actor: str, now: datetime) -> int:
    """Add a duty to an active plan and open its assignments; returns the duty's id. Owners are notified in the next
    pass. Raises BadInput, also for owners that do not exist now or at its due date; NotFound, ForbiddenMove."""
    _require_text(new.text, Text("nội dung nhiệm vụ", "what the duty is"))
    _require_text(new.basis, Text("căn cứ, như số công văn", "its basis, such as the number of a dispatch"))
    if new.due < local_date(now):
        raise BadInput(Text(f"Hạn {written(new.due)} đã qua.", "The due date has passed."))
    plan = active_plan(session, plan_id)
    owners = expand_owners(session, new.owners, local_date(now))
    if not owners:
        raise BadInput(Text("Chọn ít nhất một cơ quan chủ trì.", "Choose at least one owner."))
    require_existing(session, owners, local_date(now), new.due)
    book = read_rulebook(session)
    duty = {
        **_next_position(session, plan_id),
        "plan_id": plan_id,
        "heading": new.heading.strip()[:200],
        "text": new.text.strip(),
        "request": new.request,
        "kind": ADDED,
        "cadence": [ONCE],
        "rule": "",
        "owners": list(owners),
        "coordinating": list(expand_owners(session, new.coordinating)),
        "waits_for": [],
        "output": new.output.stored if new.output else None,
        "added": {
            "due": new.due.isoformat(),
            "roll": not new.fixed,
            "basis": new.basis.strip(),
            "reason": new.reason.strip(),
            "by": actor,
            "on": local_date(now).isoformat(),
        },
    }
    inserted = session.connection().execute(insert(table(Duty)).values(**duty))
    duty_id = int((inserted.inserted_primary_key or (0,))[0])
    due = book.calendar.due(new.due, roll=not new.fixed)
    asked = owners if new.request else only_asked(session, plan_id, owners) if new.ad_hoc else ()
    for request in (False, True):
        concerned = [owner for owner in owners if (owner in asked) is request]
        _open(
            session,
            book,
            plan,
            duty_id=duty_id,
            request=request,
            owners=concerned,
            periods=[_OpenPeriod(ONCE, due)],
            now=now,
        )
    record(
        session,
        EventKind.DUTY_ADDED,
        now,
        actor=actor,
        plan_id=plan_id,
        duty=duty_id,
        citation=duty["citation"],
        basis=new.basis,
        owners=list(owners),
    )
    return duty_id


def require_existing(session: Session, owners: Iterable[str], *days: date) -> None:
    """Raises BadInput that names the owners which do not exist on one of these days: nobody there would be written to,
    and what they owe would escalate unseen."""
    g = table(Agency)
    found = session.connection().execute(select(g.c.name, g.c.names).where(g.c.id.in_(list(owners))).order_by(g.c.name))
    gone = [row.name for row in found if not all(exists_on(row.names, day) for day in days)]
    if gone:
        more = f" … (+{len(gone) - MAX_NAMED})" if len(gone) > MAX_NAMED else ""
        names, on = ", ".join(gone[:MAX_NAMED]) + more, " – ".join(dict.fromkeys(map(written, days)))
        raise BadInput(
            Text(
                f"Có cơ quan không tồn tại trong thời gian {on}: {names}. Hãy bỏ chọn hoặc chọn cơ quan kế thừa.",
                f"Agencies that do not exist at the time ({on}): {names}. Leave them out or choose their successors.",
            )
        )


def ad_hoc_report(due: date, basis: str, owners: tuple[str, ...], text: str = "") -> NewDuty:
    """The duty of an ad hoc report: its due date and the paper that asks for it are enough."""
    said = text.strip() or f"Báo cáo đột xuất theo {basis.strip().rstrip('.')}."
    return NewDuty(text=said, owners=owners, due=due, basis=basis, heading="Báo cáo đột xuất", ad_hoc=True)


def only_asked(session: Session, plan_id: int, owners: Iterable[str]) -> set[str]:
    """Those of ``owners`` whose every assignment in the plan is a request, not an order."""
    a = table(Assignment)
    of_plan = (a.c.plan_id == plan_id, a.c.agency_id.in_(list(owners)))
    found = session.connection().execute(select(a.c.agency_id, a.c.request).where(*of_plan).distinct()).all()
    return {agency for agency, request in found if request} - {agency for agency, request in found if not request}


def amend_duty(session: Session, duty_id: int, change: Amendment, *, actor: str, now: datetime) -> Amended:
    """Change a duty of an active plan. A new owner gets every period that is still open with any owner; the open
    assignments of a removed owner are cancelled, with a notice; another due date moves the open ones of that period.
    Raises BadInput, NotFound, ForbiddenMove."""
    _require_text(change.basis, Text("căn cứ, như số công văn", "its basis, such as the number of a dispatch"))
    duty = _locked_duty(session, duty_id)
    plan = active_plan(session, duty.plan_id)
    values = _changed(session, duty, change, local_date(now))
    if not values and not change.due:
        raise BadInput(Text("Không có gì thay đổi.", "Nothing changes."))
    book = read_rulebook(session)
    moved = _move(session, duty, change, book, actor, now)
    opened = cancelled = 0
    if "owners" in values:
        periods = _open_periods(session, duty_id)
        added = [each for each in values["owners"] if each not in duty.owners]
        opened = _open(
            session, book, plan, duty_id=duty_id, request=duty.request, owners=added, periods=periods, now=now
        )
        cancelled = _cancel(session, duty, values["owners"], change.basis, actor, now)
    if values:
        session.connection().execute(update(table(Duty)).where(table(Duty).c.id == duty_id).values(**values))
    _tell_changed(session, duty, plan, values, change.basis, book, now)
    was = {name: getattr(duty, name) for name in values}
    due = {period: day.isoformat() for period, day in change.due.items()}
    record(
        session,
        EventKind.DUTY_AMENDED,
        now,
        actor=actor,
        plan_id=duty.plan_id,
        duty=duty_id,
        citation=duty.citation,
        basis=change.basis,
        was=was,
        became=values,
        due=due,
    )
    return Amended(opened, cancelled, moved)


def drop_duty(session: Session, duty_id: int, *, basis: str, actor: str, now: datetime) -> int:
    """Drop a duty of an active plan: what its owners still owe is cancelled, with a notice, and nothing of it opens any
    more. What was reported stays. Returns how many assignments were cancelled. Raises BadInput, NotFound, Conflict."""
    _require_text(basis, Text("căn cứ, như số công văn", "its basis, such as the number of a dispatch"))
    duty = _locked_duty(session, duty_id)
    active_plan(session, duty.plan_id)
    if not duty.owners:
        raise Conflict(Text("Nhiệm vụ này đã bỏ rồi.", "This duty was dropped before."))
    cancelled = _cancel(session, duty, (), basis, actor, now, why="Bỏ nhiệm vụ")
    session.connection().execute(update(table(Duty)).where(table(Duty).c.id == duty_id).values(owners=[]))
    record(
        session,
        EventKind.DUTY_DROPPED,
        now,
        actor=actor,
        plan_id=duty.plan_id,
        duty=duty_id,
        citation=duty.citation,
        basis=basis,
        owners=duty.owners,
        cancelled=cancelled,
    )
    return cancelled


def _locked_duty(session: Session, duty_id: int) -> _Duty:
    statement = select(*columns_for(_Duty, table(Duty))).where(table(Duty).c.id == duty_id).with_for_update()
    row = session.connection().execute(statement).first()
    if row is None:
        raise NotFound(Text(f"Không có nhiệm vụ số {duty_id}.", f"There is no duty {duty_id}."))
    return object_of(_Duty, row)


def _tell_changed(
    session: Session,
    duty: _Duty,
    plan: StoredPlan,
    values: Mapping[str, Any],
    basis: str,
    book: Rulebook,
    now: datetime,
) -> None:
    """Tell the owners who go on of changed words or a changed output, with the old and the new ones."""
    if not {"text", "output"} & values.keys():
        return
    a = table(Assignment)
    going_on = [owner for owner in duty.owners if owner in values.get("owners", duty.owners)]
    owed = select(a.c.id, a.c.agency_id).where(a.c.duty_id == duty.id, a.c.agency_id.in_(going_on), situations.owed())
    detail = {"basis": basis.strip()}
    if "text" in values:
        detail |= {"was": _first_words(duty.text), "became": _first_words(values["text"])}
    if "output" in values:
        before, after = read_output(duty.output), read_output(values["output"])
        detail |= {"output_was": before.what if before else "", "output": after.what if after else ""}
    told: dict[str, NoticeLine] = {}
    for row in session.connection().execute(owed.order_by(a.c.due_on, a.c.id)):
        line = NoticeLine(
            effect=f"duty:{duty.id}:amended:{now.isoformat()}:{row.agency_id}",
            assignment_id=row.id,
            agency_id=row.agency_id,
            role=Role.COORDINATOR,
            kind=NoticeKind.AMENDED,
            policy=book.policy(plan.policy_id),
            urgent=plan.urgency.urgent,
            detail=detail,
        )
        told.setdefault(row.agency_id, line)
    post(session, told.values(), read_recipients(session, told), book, now)


def _first_words(text: str) -> str:
    return text if len(text) <= MAX_TOLD_CHARS else f"{text[:MAX_TOLD_CHARS].rsplit(' ', 1)[0]} …"


@dataclass(frozen=True, slots=True)
class _OpenPeriod:
    """One period of a duty, with the dates of its assignments."""

    period: str
    due: Due | None
    window_start: date | None = None
    window_end: date | None = None
    original: date | None = None


def active_plan(session: Session, plan_id: int, *, lock: bool = False) -> StoredPlan:
    """The plan; with ``lock`` nobody else changes it until the end of the transaction. Raises NotFound,
    ForbiddenMove."""
    statement = select_plans().where(table(Plan).c.id == plan_id)
    row = session.connection().execute(statement.with_for_update() if lock else statement).first()
    if row is None:
        raise NotFound(Text(f"Không có kế hoạch số {plan_id}.", f"There is no plan {plan_id}."))
    plan = object_of(StoredPlan, row)
    if plan.state is not PlanState.ACTIVE:
        raise ForbiddenMove(Text("Kế hoạch chưa chạy hoặc đã kết thúc.", "The plan is not active."))
    return plan


def _next_position(session: Session, plan_id: int) -> dict[str, Any]:
    """The next position and number of an added duty."""
    d = table(Duty)
    last = session.connection().scalar(select(func.max(d.c.position)).where(d.c.plan_id == plan_id))
    added = session.connection().scalar(
        select(func.count()).select_from(d).where(d.c.plan_id == plan_id, d.c.kind == ADDED)
    )
    return {"position": (last or 0) + 1, "citation": f"{PREFIX}.{(added or 0) + 1}"}


def _open(
    session: Session,
    book: Rulebook,
    plan: StoredPlan,
    *,
    duty_id: int,
    request: bool,
    owners: Iterable[str],
    periods: Iterable[_OpenPeriod],
    now: datetime,
) -> int:
    """Open assignments; existing ones are left unchanged. Returns how many are new. A new owner of a period whose due
    date has passed gets the time of a returned report."""
    policy, today = book.policy(plan.policy_id), local_date(now)
    ladder_id = store_ladder(session, policy.ladder(request=request, urgent=plan.urgency.urgent))
    owners = list(owners)
    rows = [
        {
            "plan_id": plan.id,
            "duty_id": duty_id,
            "agency_id": owner,
            "supervisor_id": supervisor_of(owner, plan.supervisor_id, plan.issuer_id),
            "period": each.period,
            "window_start": each.window_start,
            "window_end": each.window_end,
            "nominal_due": each.due.nominal if each.due else None,
            "original_due_on": each.original or (each.due.on if each.due else None),
            "due_on": due.on if due else None,
            "due_why": dict(due.why) if due else {},
            "ladder_id": ladder_id,
            "state": State.ASSIGNED,
            "opened_at": now,
            "opened_on": local_date(now),
            "next_action_at": now,
            "level": 0,
            "request": request,
        }
        for each in periods
        for due in [each.due and not_past(each.due, policy, book.calendar, today)]
        for owner in owners
    ]
    return open_new(session, rows, now)


def _changed(session: Session, duty: _Duty, change: Amendment, on: date) -> dict[str, Any]:
    """The columns that change, with their new values."""
    values: dict[str, Any] = {}
    for name, text in (("text", change.text), ("heading", change.heading)):
        if text is not None:
            _require_text(text, Text("nội dung", "the text"))
            values[name] = text.strip()
    for name, agencies in (("owners", change.owners), ("coordinating", change.coordinating)):
        if agencies is not None:
            values[name] = list(expand_owners(session, agencies, on))
            if name == "owners":
                require_existing(session, [each for each in values[name] if each not in duty.owners], on)
    values |= _output(change)
    if values.get("owners") == []:
        raise BadInput(Text("Chọn ít nhất một cơ quan chủ trì.", "Choose at least one owner."))
    return {name: value for name, value in values.items() if value != getattr(duty, name)}


def _output(change: Amendment) -> dict[str, Any]:
    if change.output is None:
        return {}
    return {"output": change.output.stored if change.output.what else None}


def _open_periods(session: Session, duty_id: int) -> list[_OpenPeriod]:
    """The periods that any owner still owes. If dates differ, the assignment with the earliest due date counts."""
    a = table(Assignment)
    owed = (a.c.duty_id == duty_id, situations.owed())
    statement = select(a).where(*owed).order_by(a.c.due_on.desc(), a.c.id)
    periods: dict[str, _OpenPeriod] = {}
    for row in session.connection().execute(statement):
        due = None if row.due_on is None else Due(row.nominal_due or row.due_on, row.due_on, row.due_why)
        periods[row.period] = _OpenPeriod(row.period, due, row.window_start, row.window_end, row.original_due_on)
    return list(periods.values())


def _move(session: Session, duty: _Duty, change: Amendment, book: Rulebook, actor: str, now: datetime) -> int:
    a, p = table(Assignment), table(Plan)
    statement = (
        select_assignments()
        .add_columns(p.c.urgency, p.c.policy_id)
        .join(p, p.c.id == a.c.plan_id)
        .where(a.c.duty_id == duty.id, a.c.period.in_(change.due), situations.owed())
        .order_by(a.c.id)
        .with_for_update(of=a)
    )
    rows = objects(AssignmentOfPlan, session.connection().execute(statement))
    missing = set(change.due) - {row.period for row in rows}
    if missing:
        raise BadInput(
            Text(
                f"Không còn cơ quan nào phải báo cáo kỳ {', '.join(sorted(missing))}.", "That period is no longer owed."
            )
        )
    lines: list[NoticeLine] = []
    for row in rows:
        line = move_by_dispatch(session, row, change.due[row.period], change.basis, book, actor=actor, now=now)
        if line is not None:
            lines.append(line)
    post(session, lines, read_recipients(session, (line.agency_id for line in lines)), book, now)
    return len(lines)


def move_by_dispatch(
    session: Session, row: AssignmentOfPlan, day: date, basis: str, book: Rulebook, *, actor: str, now: datetime
) -> NoticeLine | None:
    """Set another due date for one assignment, by a paper. The line that tells
    its agency, or None when nothing changes. Raises BadInput for a past date."""
    due = _due_by_dispatch(book.calendar, day, basis, local_date(now))
    resubmitting = row.state is State.RETURNED and row.due_on is not None and due.on < row.due_on
    if due.on == row.due_on or resubmitting:  # a returned report keeps the time that it was given
        return None
    move_due(session, row, due, now, book=book, anew=True)
    was = None if row.due_on is None else row.due_on.isoformat()
    record(session, EventKind.DUE_MOVED, now, row, actor=actor, was=was, due=due.on.isoformat(), basis=basis)
    return due_moved_line(row, row.due_on, due.on, book.policy(row.policy_id), now, basis)


def _due_by_dispatch(calendar: WorkCalendar, day: date, basis: str, today: date) -> Due:
    """A due date set by a dispatch, with its explanation. Raises BadInput for a past date."""
    if day < today:
        raise BadInput(Text(f"Hạn {written(day)} đã qua.", "The due date has passed."))
    due = calendar.due(day)
    words = {"vi": "theo", "en": "by"}
    return Due(
        due.nominal, due.on, {language: f"{why} ({words[language]} {basis})" for language, why in due.why.items()}
    )


def _cancel(
    session: Session,
    duty: _Duty,
    owners: Iterable[str],
    basis: str,
    actor: str,
    now: datetime,
    *,
    why: str = "Không còn chủ trì",
) -> int:
    """Cancel what former owners still owe, accepted but unfinished included; returns how many."""
    a = table(Assignment)
    removed = [each for each in duty.owners if each not in set(owners)]
    statement = select(a.c.id).where(a.c.duty_id == duty.id, a.c.agency_id.in_(removed), situations.owed())
    ids = list(session.connection().scalars(statement.order_by(a.c.id)))
    for assignment_id in ids:
        cancel(session, assignment_id, reason=f"{why}, theo {basis}.", actor=actor, now=now)
    return len(ids)


def _require_text(text: str, what: Text) -> None:
    if not text.strip():
        raise BadInput(Text(f"Cần ghi {what.vi}.", f"Give {what.en}."))
    if len(text) > MAX_TEXT_CHARS:
        raise BadInput(Text(f"Dài quá {MAX_TEXT_CHARS} ký tự.", f"Longer than {MAX_TEXT_CHARS} characters."))
