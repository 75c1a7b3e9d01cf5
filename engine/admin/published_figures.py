"""Published figures: fixed at a cut-off date and never changed; later knowledge is shown as a restatement.

The definitions they were computed by are stored with them, by number: of 1, a task was done when its report was in and
requests were counted among orders; of 2, see ``engine.assignments.situations``. Figures are shown, and restated, by
their own.

Results rank agencies, so a printed number must stay as printed. A row is written once and never updated; its digest is
in the event log, so a later change of the row is detectable. A restatement is the same computation for the same day
with what is known now, with the events that made the difference.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, case, false, func, literal, select, type_coerce
from sqlmodel import Session

from engine.assignments import situations
from engine.assignments.situations import TIME_CLASS, Boxes, done_on_day, report_timing_column
from engine.errors import BadInput, Conflict, NotFound
from engine.queries.figures.plan_progress import (
    AgencyStanding,
    Cell,
    PeriodStanding,
    Standing,
    boxes_of_one,
    counted_on,
    from_cells,
)
from engine.queries.work.ladder_steps import EventLine
from engine.rules.calendar import local_date, written
from engine.store.data_versions import Topic, depends_on
from engine.store.database import insert_new, table
from engine.store.event_log import content_digest, record
from engine.store.records import Agency, Assignment, Duty, Event, Plan, PublishedFigures
from engine.store.stored_rows import AnyRow, object_of, objects
from engine.terms import EventKind, PlanState, TimeClass, Timing
from engine.text import Text

DEFINITIONS = 2
"""The definitions by which figures are published now."""
EXPLAINING_EVENTS = (
    EventKind.REPORTED,
    EventKind.RETURNED,
    EventKind.UNDONE,
    EventKind.EXTENSION_GRANTED,
    EventKind.DUE_MOVED,
    EventKind.CANCELLED,
    EventKind.TRANSFERRED,
    EventKind.OPENED,
)


@dataclass(frozen=True, kw_only=True)
class Published:
    """Published figures. ``intact``: the row matches the digest in its event."""

    id: int
    plan_id: int
    plan: str
    period: str
    cut_off: date
    at: datetime
    actor: str
    standing: Standing
    intact: bool
    definitions: int


@dataclass(frozen=True, kw_only=True)
class PublishedRow:
    """One assignment as it was counted. ``reporting``, ``done`` and ``stands`` are None by definitions 1."""

    assignment_id: int
    agency_id: str
    citation: str
    period: str
    time_class: TimeClass
    request: bool = False
    reporting: Timing | None = None
    done: bool | None = None
    stands: bool | None = None

    @property
    def undone(self) -> bool:
        """A report was in, and the task was not finished."""
        return self._reported and bool(self.stands) and not self.done

    @property
    def returned(self) -> bool:
        return self._reported and not self.stands

    @property
    def _reported(self) -> bool:
        return self.reporting not in (None, Timing.OPEN)


@dataclass(frozen=True, kw_only=True)
class Restated:
    """One assignment whose class differs from the published one; a class is None where it is not counted."""

    assignment_id: int
    citation: str
    period: str
    was: TimeClass | None
    now: TimeClass | None
    events: tuple[EventLine, ...]


@dataclass(frozen=True)
class Restatement:
    """One agency whose figures differ from the published ones, with the assignments that explain it."""

    agency_id: str
    agency: str
    was: Boxes
    now: Boxes
    assignments: tuple[Restated, ...]


def publish_figures(session: Session, plan_id: int, period: str, cut_off: date, *, actor: str, now: datetime) -> int:
    """Publish a plan's figures for a day that is not in the future; ``period`` "" means all. Returns the row's id.
    Raises BadInput, NotFound, and Conflict when these figures have already been published."""
    if cut_off > local_date(now):
        raise BadInput(Text(f"Ngày chốt {written(cut_off)} chưa tới.", "The cut-off day is in the future."))
    p = table(Plan)
    plan = session.connection().execute(select(p.c.number, p.c.state).where(p.c.id == plan_id)).first()
    if plan is None or plan.state is PlanState.LOADED:
        raise NotFound(Text(f"Không có kế hoạch đang thực hiện số {plan_id}.", f"There is no running plan {plan_id}."))
    rows = _rows(session, plan_id, period, cut_off, DEFINITIONS)
    if not rows:
        raise BadInput(Text("Kỳ này chưa có việc nào để chốt.", "This period has no assignments to publish."))
    last = session.connection().scalar(select(func.max(table(Event).c.id))) or 0
    body = {
        "definitions": DEFINITIONS,
        "standing": _stored(from_cells(cut_off, _cells(rows))),
        "after_event": last,
        "plan": plan.number,
        "classes": {
            str(row.id): [
                row.agency_id,
                row.time_class.value,
                row.citation,
                row.period,
                bool(row.request),
                row.reporting,
                bool(row.done),
                bool(row.stands),
            ]
            for row in rows
        },
    }
    row = {"plan_id": plan_id, "period": period, "cut_off": cut_off, "body": body, "actor": actor, "at": now}
    if insert_new(session, PublishedFigures, [row]) == 0:
        raise Conflict(
            Text(
                f"Số liệu này đã chốt đến {written(cut_off)} và không thay đổi nữa.",
                "These figures have been published for that day and do not change.",
            )
        )
    f = table(PublishedFigures)
    key = (f.c.plan_id == plan_id, f.c.period == period, f.c.cut_off == cut_off)
    frozen_id = int(session.connection().scalars(select(f.c.id).where(*key)).one())
    record(
        session,
        EventKind.FIGURES_FROZEN,
        now,
        actor=actor,
        plan_id=plan_id,
        key=f"frozen:{frozen_id}",
        period=period,
        cut_off=cut_off.isoformat(),
        digest=content_digest(body),
    )
    return frozen_id


def published(session: Session, frozen_id: int) -> Published:
    """Published figures as they were published. Raises NotFound."""
    return _published(session, _row(session, frozen_id))


def published_rows(session: Session, frozen_id: int) -> tuple[PublishedRow, ...]:
    """The assignments that published figures count, in order of citation. Raises NotFound."""
    classes: Mapping[str, Sequence[Any]] = _row(session, frozen_id).body["classes"]
    rows = (_published_row(int(key), values) for key, values in classes.items())
    return tuple(sorted(rows, key=lambda row: (row.citation, row.period, row.assignment_id)))


def _published_row(assignment_id: int, values: Sequence[Any]) -> PublishedRow:
    """``values``: eight as ``_rows`` stores them, or the first four by definitions 1."""
    agency_id, time_class, citation, period, *rest = values
    request, reporting, done, stands = rest or (False, None, None, None)
    return PublishedRow(
        assignment_id=assignment_id,
        agency_id=agency_id,
        citation=citation,
        period=period,
        time_class=TimeClass(time_class),
        request=request,
        reporting=None if reporting is None else Timing(reporting),
        done=done,
        stands=stands,
    )


@depends_on(Topic.WORK, Topic.LOG)
def list_published(session: Session, plan_id: int | None = None) -> tuple[Published, ...]:
    """Newest first; two queries."""
    f = table(PublishedFigures)
    statement = select(f).order_by(f.c.cut_off.desc(), f.c.id.desc())
    if plan_id is not None:
        statement = statement.where(f.c.plan_id == plan_id)
    rows = session.connection().execute(statement).all()
    digests = _digests(session, [row.id for row in rows])
    return tuple(_published(session, row, digests) for row in rows)


def restatements(session: Session, frozen_id: int) -> tuple[Restatement, ...]:
    """Differences between present knowledge about the cut-off day and the published figures, by agency; four queries.
    Raises NotFound."""
    row = _row(session, frozen_id)
    was: Mapping[str, Sequence[str]] = row.body["classes"]
    definitions = row.body.get("definitions", 1)
    rows = {str(each.id): each for each in _rows(session, row.plan_id, row.period, row.cut_off, definitions)}
    changed = [key for key in {**was, **rows} if _class_then(was, key) != _class_now(rows, key)]
    if not changed:
        return ()
    events = _events(session, [int(key) for key in changed], int(row.body["after_event"]))
    by_agency: dict[str, list[Restated]] = {}
    for key in sorted(changed, key=int):
        agency_id = str(was[key][0]) if key in was else rows[key].agency_id
        citation, period = (was[key][2], was[key][3]) if key in was else (rows[key].citation, rows[key].period)
        by_agency.setdefault(agency_id, []).append(
            Restated(
                assignment_id=int(key),
                citation=citation,
                period=period,
                was=_class_then(was, key),
                now=_class_now(rows, key),
                events=events.get(int(key), ()),
            )
        )
    then, today = (
        {each.id: each for each in (*found.asked, *found.agencies)}
        for found in (_loaded(row.body["standing"]), from_cells(row.cut_off, _cells(list(rows.values()))))
    )
    return tuple(
        Restatement(
            agency_id,
            (then.get(agency_id) or today[agency_id]).name,
            _tally(then, agency_id),
            _tally(today, agency_id),
            tuple(found),
        )
        for agency_id, found in sorted(by_agency.items())
    )


def _tally(agencies: Mapping[str, AgencyStanding], agency_id: str) -> Boxes:
    return agencies[agency_id].tally if agency_id in agencies else Boxes()


def _class_then(was: Mapping[str, Sequence[str]], key: str) -> TimeClass | None:
    return TimeClass(was[key][1]) if key in was else None


def _class_now(rows: Mapping[str, _Row], key: str) -> TimeClass | None:
    return rows[key].time_class if key in rows else None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    """An assignment that is counted, with its agency and what it counts as."""

    id: int
    agency_id: str
    name: str
    level: str
    period: str
    citation: str
    due_on: date | None
    time_class: TimeClass
    reporting: str
    done: bool
    stands: bool
    request: bool


def _rows(session: Session, plan_id: int, period: str, cut_off: date, definitions: int) -> Sequence[_Row]:
    """The assignments counted on the day, with their class and, by the present definitions, the other measures."""
    a, d, p, g = table(Assignment), table(Duty), table(Plan), table(Agency)
    first = definitions == 1
    measured = (
        (_first_class_on(cut_off) if first else situations.class_on(cut_off)).label("time_class"),
        (literal(Timing.OPEN.value) if first else report_timing_column(cut_off)).label("reporting"),
        (false() if first else done_on_day(cut_off)).label("done"),
        (false() if first else a.c.outcome.is_not(None)).label("stands"),
        (false() if first else a.c.request).label("request"),
    )
    statement = (
        select(
            a.c.id,
            a.c.agency_id,
            g.c.name,
            g.c.level,
            a.c.period,
            d.c.citation,
            a.c.due_on,
            *measured,
        )
        .join(p, p.c.id == a.c.plan_id)
        .join(g, g.c.id == a.c.agency_id)
        .join(d, d.c.id == a.c.duty_id)
        .where(*counted_on(cut_off, plan_id, period))
        .order_by(a.c.id)
    )
    return objects(_Row, session.connection().execute(statement))


def _first_class_on(cut_off: date) -> ColumnElement[TimeClass]:
    """``class_on`` by definitions 1: done means that a report was in, whatever it said, and a returned report
    was late by the first due date."""
    a = table(Assignment)
    reported = case((a.c.returns == 0, a.c.first_reported_on), else_=a.c.reported_on)
    due_on = func.coalesce(a.c.first_due_on, a.c.due_on)
    statement = case(
        (due_on.is_(None), literal(TimeClass.NO_DEADLINE.value)),
        ((reported <= cut_off) & (reported <= due_on), literal(TimeClass.DONE_ON_TIME.value)),
        (reported <= cut_off, literal(TimeClass.DONE_LATE.value)),
        (due_on < cut_off, literal(TimeClass.OPEN_OVERDUE.value)),
        else_=literal(TimeClass.OPEN_IN_TIME.value),
    )
    return type_coerce(statement, TIME_CLASS)


def _cells(rows: Sequence[_Row]) -> list[Cell]:
    return [
        Cell(
            agency_id=row.agency_id,
            name=row.name,
            level=row.level,
            period=row.period,
            request=bool(row.request),
            due_on=row.due_on,
            boxes=boxes_of_one(row.time_class, Timing(row.reporting), done=bool(row.done), stands=bool(row.stands)),
        )
        for row in rows
    ]


def _row(session: Session, frozen_id: int) -> AnyRow:
    figures = table(PublishedFigures)
    row = session.connection().execute(select(figures).where(figures.c.id == frozen_id)).first()
    if row is None:
        raise NotFound(
            Text(f"Không có bảng số liệu đã chốt số {frozen_id}.", f"There are no published figures {frozen_id}.")
        )
    return row


def _published(session: Session, row: AnyRow, digests: Mapping[int, str] | None = None) -> Published:
    digest = (digests if digests is not None else _digests(session, [row.id])).get(row.id, "")
    return object_of(
        Published,
        row,
        plan=row.body["plan"],
        standing=_loaded(row.body["standing"]),
        intact=digest == content_digest(row.body),
        definitions=row.body.get("definitions", 1),
    )


def _digests(session: Session, ids: Sequence[int]) -> dict[int, str]:
    """Id -> digest in the publishing event."""
    e = table(Event)
    keys = {f"frozen:{frozen_id}": frozen_id for frozen_id in ids}
    rows = session.connection().execute(select(e.c.key, e.c.detail).where(e.c.key.in_(keys)))
    return {keys[key]: str(detail.get("digest", "")) for key, detail in rows}


def _events(session: Session, assignment_ids: Sequence[int], after: int) -> dict[int, tuple[EventLine, ...]]:
    e = table(Event)
    statement = select(e.c.assignment_id, e.c.at, e.c.kind, e.c.actor, e.c.detail, e.c.key).where(
        e.c.assignment_id.in_(assignment_ids), e.c.id > after, e.c.kind.in_(EXPLAINING_EVENTS)
    )
    found: dict[int, tuple[EventLine, ...]] = {}
    for row in session.connection().execute(statement.order_by(e.c.id)):
        found[row.assignment_id] = (*found.get(row.assignment_id, ()), object_of(EventLine, row))
    return found


def _stored(each: Standing) -> dict[str, Any]:
    found = asdict(each)
    found["as_of"] = each.as_of.isoformat()
    for period in found["periods"]:
        period["due_on"] = None if period["due_on"] is None else period["due_on"].isoformat()
    return found


def _loaded(body: Mapping[str, Any]) -> Standing:
    def parse_day(text: str | None) -> date | None:
        return None if text is None else date.fromisoformat(text)

    def agencies(rows: Sequence[Mapping[str, Any]]) -> tuple[AgencyStanding, ...]:
        return tuple(AgencyStanding(each["id"], each["name"], each["level"], Boxes(**each["tally"])) for each in rows)

    return Standing(
        as_of=date.fromisoformat(body["as_of"]),
        total=Boxes(**body["total"]),
        agencies=agencies(body["agencies"]),
        periods=tuple(
            PeriodStanding(each["period"], parse_day(each["due_on"]), Boxes(**each["tally"]))
            for each in body["periods"]
        ),
        asked_total=Boxes(**body.get("asked_total", {})),
        asked=agencies(body.get("asked", ())),
    )
