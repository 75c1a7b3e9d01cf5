"""Factories: small made-up plans and the real one, loaded into a database with the production functions.

    laid = lay(database, now=at("2021-04-07"))           loaded, activated, opened
    assignment = laid.assignment("IV.1.1", "so-ban")     its id

The made-up province: ``tinh`` (leadership, monitor), ``so-chinh`` (the supervising department, itself an owner),
``so-ban`` (a department), ``huyen-a`` and ``huyen-b`` (group ``cac-huyen``), ``mat-tran`` (gets requests, not orders).
Its plan, 12/KH-UBND of 7 April 2021: IV.1.1 so-ban and IV.2.1 cac-huyen owe a half-year and a year report on the 17th;
IV.3.1 is a request to mat-tran; IV.4.1 so-chinh consolidates the others' reports by the 20th.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from functools import cache
from typing import Any

from ground.paths import CONFIG as CONFIG
from ground.remembered import once
from sqlalchemy import insert, select

from engine.agencies.directory_loading import load_directory as store_directory
from engine.assignments import lifecycle
from engine.assignments.escalation import EscalationResult, run_escalations
from engine.assignments.lifecycle import ReportText
from engine.assignments.opening import Choices, activate, open_due
from engine.assignments.promise_rows import PromiseText
from engine.files.calendar import load_calendar_file
from engine.files.directory import DirectoryFile, load_directory
from engine.files.plan import PlanFile
from engine.files.plan import load_plan as read_plan
from engine.files.yaml_reader import read
from engine.plans.loading import load_days, load_plan, load_policy
from engine.rules.calendar import DayException, instant
from engine.rules.policy import Policy
from engine.rules.situation import LEADS_TO, Action
from engine.store.database import Database, table
from engine.store.records import Agency, Assignment, Contact, Duty, Event, Letter, Notice
from engine.store.rulebook import read_rulebook
from engine.terms import Outcome, PastPeriods, Role, State

ISSUED = date(2021, 4, 7)


def at(day: str, wall: str = "08:00") -> datetime:
    """An instant from a local ISO date and a wall time: ``at("2021-06-17", "23:59")``."""
    return instant(date.fromisoformat(day), time.fromisoformat(wall))


def contact(agency: str, role: Role, **more: Any) -> dict[str, Any]:
    return {"role": role, "email": f"{role}@{agency}.example"} | more


def agency(name: str, *roles: Role, **more: Any) -> dict[str, Any]:
    """An agency with a mailbox for each role: ``coordinator@so-ban.example``."""
    told = {"id": name, "names": [{"name": name.replace("-", " ").capitalize()}], "level": name.split("-")[0]}
    return told | {"contacts": [contact(name, role) for role in roles]} | more


def directory(**agencies: dict[str, Any]) -> DirectoryFile:
    """The made-up province; a keyword (``so_ban={"contacts": []}``) changes or adds an agency."""
    bodies = {
        "tinh": agency("tinh", Role.MONITOR, Role.LEADERSHIP),
        "so-chinh": agency("so-chinh", Role.COORDINATOR, Role.HEAD, Role.MONITOR, parent="tinh"),
        "so-ban": agency("so-ban", Role.COORDINATOR, Role.HEAD, parent="tinh"),
        "huyen-a": agency("huyen-a", Role.COORDINATOR, Role.HEAD, parent="tinh"),
        "huyen-b": agency("huyen-b", Role.COORDINATOR, Role.HEAD, parent="tinh"),
        "mat-tran": agency("mat-tran", Role.COORDINATOR, Role.HEAD),
    }
    for key, changes in agencies.items():
        name = key.replace("_", "-")
        bodies[name] = bodies.get(name, agency(name)) | changes
    groups = [{"id": "cac-huyen", "name": "Các huyện", "members": ["huyen-a", "huyen-b"]}]
    return DirectoryFile.model_validate(
        {"schema": "dondoc/directory@1", "id": "nho", "name": "Nhỏ", "agencies": [*bodies.values()], "groups": groups}
    )


def policy(**changes: Any) -> Policy:
    """The shipped policy, with changes."""
    return Policy.model_validate(_shipped().model_dump(by_alias=True) | changes)


@cache
def _shipped() -> Policy:
    return read(CONFIG / "policies" / "default.yaml", Policy)


def item(no: int, *owners: str, request: bool = False, **more: Any) -> dict[str, Any]:
    """A numbered item with one duty."""
    duty = {"citation": f"IV.{no}.1", "text": f"Việc thứ {no}.", "cadence": ["half_year", "year"], "rule": "gui-so"}
    return {"no": no, "heading": f"Mục {no}", "owners": owners, "request": request, "duties": [duty | more]}


ITEMS = (
    item(1, "so-ban"),
    item(2, "cac-huyen"),
    item(3, "mat-tran", request=True),
    item(4, "so-chinh", rule="gui-tinh", waits_for=("IV.1.1", "IV.2.1")),
)


def plan_file(*, items: tuple[dict[str, Any], ...] = ITEMS, **changes: Any) -> PlanFile:
    """The made-up plan, with changes; ``items`` are those of its section IV."""
    rules = {
        "gui-so": {"source": "local", "to": "so-chinh", "due_day": 17},
        "gui-tinh": {"source": "local", "to": "tinh", "due_day": 20},
        "mot-lan": {"source": "plan", "to": "so-chinh", "on": date(2021, 6, 30)},
    }
    body = {
        "schema": "dondoc/plan@1",
        "number": "12/KH-UBND",
        "issuer": "tinh",
        "issued_on": ISSUED,
        "year": 2021,
        "title": "Kế hoạch nhỏ",
        "short_title": "Kế hoạch 12 năm 2021",
        "sms_name": "KH12",
        "supervisor": "so-chinh",
        "directory": "nho",
        "report_rules": rules,
        "sections": [{"roman": "IV", "heading": "Tổ chức thực hiện", "kind": "assignments", "items": items}],
    }
    return PlanFile.model_validate(body | changes)


@dataclass(frozen=True)
class Laid:
    """A plan in a database."""

    database: Database
    plan_id: int

    def assignment(self, citation: str, agency_id: str, period: str = "2021-H1") -> int:
        a, d = table(Assignment), table(Duty)
        wanted = (a.c.plan_id == self.plan_id, a.c.agency_id == agency_id, a.c.period == period)
        chosen = select(a.c.id).join(d, d.c.id == a.c.duty_id).where(*wanted, d.c.citation == citation)
        with self.database.read() as session:
            return int(session.connection().scalars(chosen).one())


def store(
    database: Database,
    *,
    now: datetime,
    plan: PlanFile | None = None,
    bodies: DirectoryFile | None = None,
    rules: Policy | None = None,
    days: tuple[DayException, ...] = (),
) -> Laid:
    """Load directory, policy, calendar days and plan without activating it."""

    def load() -> int:
        with database.write() as session:
            store_directory(session, bodies or directory(), actor="cli:test", now=now)
            load_policy(session, rules or policy(), actor="cli:test", now=now)
            load_days(session, days, actor="cli:test", now=now)
            return load_plan(session, plan or plan_file(), actor="cli:test", now=now)

    return Laid(database, once(database, ("stored", now, plan, bodies, rules, days), load))


def begin(laid: Laid, *, now: datetime, past: PastPeriods = PastPeriods.EXTEND) -> Laid:
    """Activate the plan and open what is due to open."""
    with laid.database.write() as session:
        activate(session, laid.plan_id, actor="cli:test", now=now, choices=Choices(past=past))
    opened(laid.database, now)
    return laid


def opened(database: Database, now: datetime) -> None:
    """Open what is due to open by then."""
    while _open(database, now) >= 0:
        pass


def _open(database: Database, now: datetime) -> int:
    with database.write() as session:
        return open_due(session, now)


def lay(database: Database, *, now: datetime, past: PastPeriods = PastPeriods.EXTEND, **files: Any) -> Laid:
    """A plan loaded, activated and opened; the made-up one unless ``plan``, ``bodies`` or ``rules`` say otherwise."""

    def fill() -> int:
        return begin(store(database, now=now, **files), now=now, past=past).plan_id

    return Laid(database, once(database, ("laid", now, past, files), fill))


def laid_once(database: Database, name: str, fill: Callable[[Database], Laid]) -> Laid:
    """``fill(database)``, for fixtures; the second time its rows are copied. ``name`` is unlike every other."""
    return Laid(database, once(database, name, lambda: fill(database).plan_id))


def real_plan(database: Database, *, now: datetime) -> Laid:
    """Plan 188/KH-UBND with its directory, policy and calendar, as they ship; loaded, not yet active."""
    bodies = load_directory(CONFIG / "agencies" / "nghe-an-2021.yaml")
    calendar = load_calendar_file(CONFIG / "calendars" / "vn.yaml").calendar()
    plan = read_plan(CONFIG / "plans" / "188-kh-ubnd-2021.yaml", bodies)
    return store(database, now=now, plan=plan, bodies=bodies, days=tuple(calendar.exceptions.values()))


def swept(database: Database, now: datetime, *, limit: int = 1000) -> EscalationResult:
    """Run one batch of escalations."""
    with database.write() as session:
        return run_escalations(session, read_rulebook(session), now, limit=limit)


# The actions that bring a new assignment into each state.
WAYS: Mapping[State, tuple[Action, ...]] = {
    State.ASSIGNED: (),
    State.ACKNOWLEDGED: (Action.ACKNOWLEDGE,),
    State.REPORTED: (Action.REPORT,),
    State.RETURNED: (Action.REPORT, Action.RETURN),
    State.ACCEPTED: (Action.REPORT, Action.ACCEPT),
    State.CANCELLED: (Action.CANCEL,),
    State.TRANSFERRED: (Action.TRANSFER,),
}
assert set(LEADS_TO.values()) <= set(WAYS)


def do(database: Database, action: Action, assignment_id: int, *, now: datetime, actor: str = "contact:1") -> Any:
    """Perform one action in one transaction, with default texts where it needs any."""
    acts = {
        Action.ACKNOWLEDGE: (lifecycle.acknowledge, {}),
        Action.REPORT: (lifecycle.report, {"text": ReportText(body="Đã làm.")}),
        Action.ACCEPT: (lifecycle.accept, {}),
        Action.RETURN: (lifecycle.return_report, {"reason": "Thiếu số liệu."}),
        Action.CANCEL: (lifecycle.cancel, {"reason": "Nhập nhầm."}),
        Action.TRANSFER: (lifecycle.transfer, {"to_agency": "huyen-b", "reason": "Sáp nhập."}),
    }
    act, words = acts[action]
    with database.write() as session:
        return act(session, assignment_id, actor=actor, now=now, **words)  # type: ignore[operator]


def report_partly(database: Database, assignment_id: int, *, now: datetime, promised: date | None = None) -> None:
    """A report that leaves the task unfinished, with a promised day or none."""
    promise = PromiseText(on=promised)
    text = ReportText(outcome=Outcome.PARTLY, body="Đã làm 3 xã.", reason="Chờ kinh phí.", promise=promise)
    with database.write() as session:
        lifecycle.report(session, assignment_id, text, actor="contact:1", now=now)


def lay_with_two_reports(database: Database) -> Laid:
    """The made-up plan: so-ban reported in time, huyen-a a day late; huyen-b has not reported, nor has mat-tran, which
    is only asked."""
    laid = lay(database, now=at("2021-04-07"))
    do(database, Action.REPORT, laid.assignment("IV.1.1", "so-ban"), now=at("2021-06-16"))
    do(database, Action.REPORT, laid.assignment("IV.2.1", "huyen-a"), now=at("2021-06-18"))
    return laid


def bring_to(database: Database, state: State, assignment_id: int, *, now: datetime) -> None:
    """Bring a new assignment into a state."""
    for action in WAYS[state]:
        do(database, action, assignment_id, now=now)


def rows(database: Database, model: type, **equal: Any) -> list[Any]:
    """Rows of a table filtered by column values, ordered by id."""
    columns = table(model)
    chosen = select(columns).where(*(columns.c[name] == value for name, value in equal.items()))
    with database.read() as session:
        return list(session.connection().execute(chosen.order_by(*columns.primary_key)))


def row(database: Database, model: type, **equal: Any) -> Any:
    """The single row of a table with the given column values."""
    (found,) = rows(database, model, **equal)
    return found


def told(database: Database, day: date | None = None) -> list[tuple[str, str, str]]:
    """(mailbox, rung or kind, citation and agency) of every line in every letter (of ``day``, if given), sorted."""
    n, m, c, a, d = map(table, (Notice, Letter, Contact, Assignment, Duty))
    chosen = (
        select(c.c.email, n.c.rung, n.c.kind, d.c.citation, a.c.agency_id)
        .join(m, m.c.id == n.c.letter_id)
        .join(c, c.c.id == m.c.contact_id)
        .join(a, a.c.id == n.c.assignment_id)
        .join(d, d.c.id == a.c.duty_id)
    )
    if day is not None:
        chosen = chosen.where(m.c.day == day)
    with database.read() as session:
        found = session.connection().execute(chosen).all()
    return sorted((email, rung or kind.value, f"{citation} {owner}") for email, rung, kind, citation, owner in found)


def happened(database: Database, **equal: Any) -> list[str]:
    """The kinds of the events, in order of their id."""
    return [each.kind.value for each in rows(database, Event, **equal)]


def add_contact(database: Database, agency_id: str, role: Role, **more: Any) -> int:
    """One more contact; returns its id."""
    values = {
        "agency_id": agency_id,
        "role": role,
        "label": "",
        "email": f"{role}2@{agency_id}.example",
        "phone": "",
        "language": "vi",
        "suppressed": {},
    } | more
    with database.write() as session:
        made = session.connection().execute(insert(table(Contact)).values(**values))
        return int(made.inserted_primary_key[0])  # type: ignore[index]


def add_letters(laid: Laid, count: int, day: date | None = None) -> None:
    """So many more letters, copies of the newest, each to a coordinator of their own. ``day``: of all of them."""
    template, line = rows(laid.database, Letter)[-1], rows(laid.database, Notice)[-1]
    day = day or template.day
    with laid.database.write() as session:
        connection = session.connection()
        names = [f"xa-{n}" for n in range(count)]
        agency = {"level": "xa", "aliases": []}
        connection.execute(
            insert(table(Agency)), [agency | {"id": n, "name": n, "short": n, "names": [{"name": n}]} for n in names]
        )
        contact = {"role": Role.COORDINATOR, "label": "", "phone": "", "language": "vi", "suppressed": {}}
        people = [contact | {"agency_id": n, "email": f"coordinator@{n}.example"} for n in names]
        connection.execute(insert(table(Contact)), people)
        c, m = table(Contact), table(Letter)
        ids = connection.execute(select(c.c.id, c.c.agency_id).where(c.c.agency_id.in_(names)).order_by(c.c.id)).all()
        common = dict(template._mapping)
        del common["id"]
        letters = [
            common
            | {"key": f"letter:{each.id}:email:{day}", "contact_id": each.id, "agency_id": each.agency_id, "day": day}
            for each in ids
        ]
        connection.execute(insert(m), letters)
        made = connection.execute(select(m.c.id, m.c.key).where(m.c.key.in_([each["key"] for each in letters]))).all()
        notice = dict(line._mapping) | {"kind": "reminder"}
        del notice["id"]
        connection.execute(
            insert(table(Notice)), [notice | {"key": f"many:{row.id}", "letter_id": row.id} for row in made]
        )
