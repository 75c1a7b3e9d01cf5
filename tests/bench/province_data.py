"""Data of a province in the middle of the year, for benchmarks of the pages: 1,000 active plans and 150 agencies.

Plans, duties, agencies and policy are loaded with the production functions; assignments and their history are inserted
by a few set-based statements (PostgreSQL). Half the plans report by half-year, a fifth by quarter, a fifth once on a
day of their own, a tenth by month. In each plan, one duty belongs to every agency and three to ten agencies each.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping
from datetime import date, time, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

from sqlalchemy import Column, Date, Integer, MetaData, String, Table, insert, select, text, update
from sqlmodel import Session

from engine.agencies.directory_loading import load_directory
from engine.assignments import lifecycle
from engine.assignments.lifecycle import ReportText
from engine.assignments.weekly_digest import LAST_LOOK, week_day
from engine.files.directory import DirectoryFile
from engine.files.plan import PlanFile, due_periods
from engine.files.yaml_reader import read
from engine.plans.loading import load_plan, load_policy
from engine.rules.calendar import WorkCalendar, instant
from engine.rules.policy import Policy
from engine.store.database import Database, table
from engine.store.records import Assignment, Duty, Fact, Plan
from engine.store.rulebook import read_rulebook, store_ladder
from engine.terms import PlanState, State

CONFIG = Path(__file__).parents[2] / "config"
TODAY = date(2026, 6, 24)
NOW = instant(TODAY, time(8, 0))
ISSUED = date(2026, 1, 5)
PLANS, DEPARTMENTS, COMMUNES = 1_000, 20, 130
AGENCIES = DEPARTMENTS + COMMUNES
FEW = 10
"""Number of agencies for each duty that not all agencies have."""
CHANGES_SINCE = 1_000
"""What the morning's reports leave."""
HORIZON = timedelta(days=92)
WORDS = "Rà soát, tổng hợp tình hình thực hiện nhiệm vụ được giao trên địa bàn; báo cáo kết quả, khó khăn, kiến nghị."

own = MetaData()
opened_rounds = Table(
    "bench_round",
    own,
    Column("duty_id", Integer),
    Column("period", String),
    Column("window_start", Date),
    Column("window_end", Date),
    Column("due_on", Date),
    Column("opened_on", Date),
)

# ``lot`` is a deterministic pseudo-random number per assignment, 0–999; most old assignments are done.
ASSIGNMENTS = """
INSERT INTO assignment (plan_id, duty_id, agency_id, supervisor_id, period, window_start, window_end, nominal_due,
    original_due_on, due_on, due_why, ladder_id, state, opened_at, opened_on, acknowledged_at, reported_at, reported_on,
    outcome, done_on, first_reported_on, accepted_at, acted_until, next_action_at, quiet, level)
SELECT plan_id, duty_id, agency_id, supervisor_id, period, window_start, window_end, due_on, due_on, due_on, {why},
    {ladder}, state, opened_on + time '00:00', opened_on,
    CASE WHEN state IN ('acknowledged','returned','reported','accepted') THEN opened_on + 2 + time '02:00' END,
    reported_on + time '03:00', reported_on,
    CASE WHEN reported_on IS NOT NULL THEN 'done' END, reported_on, reported_on,
    CASE WHEN state = 'accepted' THEN least(reported_on + 2, {today}) + time '04:00' END,
    {today} - 1,
    CASE WHEN state IN ('assigned','acknowledged','returned') AND due_on > {today} - 25
         THEN {today} + 1 + lot % 20 + time '00:00' END,
    CASE WHEN state = 'reported' THEN 'awaiting_acceptance'
         WHEN state IN ('assigned','acknowledged','returned') AND due_on <= {today} - 25 THEN 'ladder_ended' END,
    CASE WHEN state NOT IN ('assigned','acknowledged','returned') THEN 0
         WHEN due_on < {today} - 21 THEN 3 WHEN due_on < {today} - 10 THEN 2 WHEN due_on < {today} - 4 THEN 1 ELSE 0 END
FROM (
    SELECT drawn.*,
        CASE WHEN state NOT IN ('reported','accepted') THEN NULL
             WHEN lot % 10 = 9 THEN least(due_on + 1 + lot % 9, {today})
             ELSE greatest(opened_on, least(due_on, {today}) - lot % 12) END AS reported_on
    FROM (
        SELECT placed.*,
            CASE WHEN lot = 999 THEN 'cancelled' WHEN lot = 998 THEN 'transferred'
                 WHEN due_on < {today} - 45 AND lot < 990 OR due_on < {today} AND lot < 840 THEN 'accepted'
                 WHEN due_on < {today} AND lot < 890 THEN 'reported' WHEN due_on < {today} AND lot < 900 THEN 'returned'
                 WHEN due_on < {today} AND lot < 960 THEN 'acknowledged' WHEN due_on < {today} THEN 'assigned'
                 WHEN lot < 120 THEN 'accepted' WHEN lot < 160 THEN 'reported' WHEN lot < 165 THEN 'returned'
                 WHEN lot < 700 THEN 'acknowledged' ELSE 'assigned' END AS state
        FROM (
            SELECT d.plan_id, r.duty_id, o.agency_id, p.supervisor_id, r.period, r.window_start, r.window_end, r.due_on,
                r.opened_on, (hashtext(r.duty_id || o.agency_id || r.period) & 2147483647) % 1000 AS lot
            FROM bench_round r JOIN duty d ON d.id = r.duty_id JOIN plan p ON p.id = d.plan_id
            CROSS JOIN LATERAL json_array_elements_text(d.owners) AS o(agency_id)
            ORDER BY r.opened_on, r.duty_id
        ) placed
    ) drawn
) reported
"""
EVENTS = """
INSERT INTO event (at, kind, actor, plan_id, assignment_id, detail, key)
SELECT at, kind, actor, plan_id, id, '{}', key FROM (
    SELECT opened_at AS at, 'opened' AS kind, 'system' AS actor, plan_id, id, 'assignment:' || id || ':opened' AS key
    FROM assignment
    UNION ALL SELECT opened_at, 'rung_fired', 'system', plan_id, id, 'assignment:' || id || ':open:fired'
    FROM assignment
    UNION ALL SELECT due_on - 14 + time '00:00', 'rung_fired', 'system', plan_id, id,
        'assignment:' || id || ':T-10:fired'
    FROM assignment WHERE due_on - 14 BETWEEN opened_on AND {today} AND coalesce(reported_on, {today}) > due_on - 14
    UNION ALL SELECT due_on + 1 + time '00:00', 'rung_fired', 'system', plan_id, id,
        'assignment:' || id || ':T+1:fired'
    FROM assignment WHERE due_on < {today} AND coalesce(reported_on, {today}) > due_on + 1
    UNION ALL SELECT acknowledged_at, 'acknowledged', 'agency:' || agency_id, plan_id, id, NULL FROM assignment
    WHERE acknowledged_at IS NOT NULL
    UNION ALL SELECT reported_at, 'reported', 'agency:' || agency_id, plan_id, id, NULL FROM assignment
    WHERE reported_at IS NOT NULL
    UNION ALL SELECT accepted_at, 'accepted', 'desk', plan_id, id, NULL FROM assignment WHERE accepted_at IS NOT NULL
    UNION ALL SELECT opened_at + interval '3 days', 'declined', 'agency:' || agency_id, plan_id, id, NULL
    FROM assignment WHERE id % 401 = 0
    UNION ALL SELECT opened_at + interval '5 days', 'chased', 'desk', plan_id, id, NULL
    FROM assignment WHERE id % 802 = 0
) happened ORDER BY at, id
"""
REPORTS = """
INSERT INTO report (assignment_id, number, submitted_at, actor, outcome, reason, body, figures, files, returned_reason)
SELECT id, 1, coalesce(reported_at, opened_at + interval '9 days'), 'agency:' || agency_id, 'done', '', {words}, '{}',
    '[]', CASE WHEN state = 'returned' THEN 'Thiếu số liệu.' ELSE '' END
FROM assignment WHERE reported_at IS NOT NULL OR state = 'returned'
"""
EXTENSIONS = """
INSERT INTO extension (assignment_id, asked_at, actor, until, reason, decided_at, decided_by, granted, answer)
SELECT id, opened_at + interval '7 days', 'agency:' || agency_id, due_on + 14, 'Chờ số liệu của cơ sở.',
    CASE WHEN id % 97 > 0 THEN opened_at + interval '8 days' END, CASE WHEN id % 97 > 0 THEN 'desk' ELSE '' END,
    CASE WHEN id % 97 > 0 THEN false END, ''
FROM assignment WHERE id % 31 = 0 AND state IN ('assigned','acknowledged','returned') OR
    id % 97 = 0 AND state IN ('assigned','acknowledged') AND due_on > {today}
"""
LINES = """
CREATE TABLE bench_line AS
SELECT a.id AS assignment_id, c.id AS contact_id, c.agency_id, c.role, told.day, told.kind, told.rung, told.level
FROM assignment a
CROSS JOIN LATERAL (VALUES
    (a.opened_on, 'assigned', 'open', 0, 'coordinator'), (a.due_on - 14, 'reminder', 'T-10', 0, 'coordinator'),
    (a.due_on - 5, 'reminder', 'T-3', 0, 'coordinator'), (a.due_on + 1, 'overdue', 'T+1', 0, 'coordinator'),
    (a.due_on + 4, 'escalation', 'T+3', 1, 'monitor'), (a.due_on + 10, 'escalation', 'T+7', 2, 'monitor'),
    (a.due_on + 4, 'escalation', 'T+3', 1, 'coordinator'), (a.due_on + 10, 'escalation', 'T+7', 2, 'coordinator')
) AS told(day, kind, rung, level, role)
JOIN contact c ON c.role = told.role
    AND c.agency_id = CASE told.role WHEN 'monitor' THEN a.supervisor_id ELSE a.agency_id END
WHERE told.day BETWEEN a.opened_on AND {today} AND (told.rung = 'open' OR coalesce(a.reported_on, {today}) >= told.day)
"""
LETTERS = """
INSERT INTO letter (key, contact_id, agency_id, role, channel, day, urgent, send_after, state, reason, leased_by,
    attempts, receipt, created_at, sent_at, settled_at)
SELECT 'letter:' || contact_id || ':email:' || day, contact_id, agency_id, role, 'email', day, false,
    day + time '00:30', CASE WHEN contact_id % 50 = 0 THEN 'bounced_hard' ELSE 'accepted' END, '', '', 1, '',
    day + time '00:00', day + time '00:31', day + time '00:31'
FROM (SELECT DISTINCT contact_id, agency_id, role, day FROM bench_line) one ORDER BY day, contact_id
"""
NOTICES = """
INSERT INTO notice (key, letter_id, assignment_id, kind, rung, level, detail, moot)
SELECT 'assignment:' || l.assignment_id || ':' || l.day || ':' || l.rung || ':' || l.contact_id || ':email', m.id,
    l.assignment_id, l.kind, l.rung, l.level, '{}', ''
FROM bench_line l JOIN letter m ON m.contact_id = l.contact_id AND m.day = l.day ORDER BY l.day, m.id
"""
BODIES = """
INSERT INTO letter_body (letter_id, subject, text, html)
SELECT id, 'Nhắc việc ngày ' || day, '\\x00'::bytea || convert_to(repeat({words}, 12), 'UTF8'), {html} FROM letter
"""
DELIVERIES = """
INSERT INTO delivery (letter_id, attempt, at, fate, code, reply, receipt)
SELECT id, 1, sent_at, state, '250', '2.0.0 Ok: queued', '' FROM letter
"""
FOR_FILLING = ("session_replication_role = replica", "timezone = 'UTC'", "work_mem = '256MB'")
"""Skip foreign key checks; sort in memory."""
LAID = (ASSIGNMENTS, EVENTS, REPORTS, EXTENSIONS, LINES, LETTERS, NOTICES, BODIES, DELIVERIES)
COUNTED = (
    "plan",
    "duty",
    "agency",
    "contact",
    "assignment",
    "event",
    "report",
    "extension",
    "letter",
    "notice",
    "delivery",
)


def lay(database: Database, plans: int = PLANS) -> dict[str, int]:
    """Fill a migrated, empty PostgreSQL database; returns how many rows each table has."""
    with database.write() as session:
        policy = read(CONFIG / "policies" / "default.yaml", Policy)
        load_policy(session, policy, actor="bench", now=NOW)
        load_directory(session, directory(), actor="bench", now=NOW)
        ladder = store_ladder(session, policy.ladders["order"])
        connection = session.connection()
        own.create_all(connection)
        for n in range(plans):
            load_plan(session, plan_file(n), actor="bench", now=NOW)
        running = {"state": PlanState.ACTIVE, "activated_at": instant(ISSUED, time(8, 0))}
        connection.execute(update(table(Plan)).values(**running))
        connection.execute(insert(opened_rounds), list(_rounds(session, plans)))
        connection.execute(insert(table(Fact)), [{"name": LAST_LOOK, "value": week_day(TODAY)}])
        for setting in FOR_FILLING:
            connection.execute(text(f"SET LOCAL {setting}"))
        for sql in LAID:
            connection.exec_driver_sql(*_filled(sql, ladder))
        connection.execute(text("DROP TABLE bench_line, bench_round"))
    _reports_come_in(database, CHANGES_SINCE // 2)
    with database.bind.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE"))
        return {name: int(connection.scalar(text(f"SELECT count(*) FROM {name}")) or 0) for name in COUNTED}


def _reports_come_in(database: Database, number: int) -> None:
    """So many reports, each a transaction."""
    a = table(Assignment)
    owed = select(a.c.id).where(a.c.state == State.ASSIGNED).order_by(a.c.period, a.c.duty_id, a.c.id).limit(number)
    with database.read() as session:
        ids = session.connection().scalars(owed).all()
    for assignment_id in ids:
        with database.write() as session:
            lifecycle.report(session, assignment_id, ReportText(), actor="bench", now=NOW)


def _filled(sql: str, ladder: int) -> tuple[str, dict[str, Any]]:
    """A statement for the driver, and the values that it uses."""
    html = zlib.compress(("<p>" + WORDS + "</p>").encode() * 40)
    values = {"today": TODAY, "ladder": ladder, "words": WORDS, "html": html, "why": '{"vi": "hạn theo kế hoạch"}'}
    sql = sql.replace("%", "%%")
    for name in values:
        sql = sql.replace(f"{{{name}}}", f"%({name})s" + ("::date" if name == "today" else ""))
    return sql, {name: value for name, value in values.items() if f"%({name})s" in sql}


def directory() -> DirectoryFile:
    """The leadership, 20 departments (each also a supervisor), 130 communes; a coordinator and a head each."""
    bodies = [_body("tinh", "Ủy ban nhân dân tỉnh", "tinh", "monitor", "leadership")]
    bodies += [
        _body(f"so-{n}", f"Sở chuyên ngành số {n}", "so", "coordinator", "head", "monitor")
        for n in range(1, DEPARTMENTS + 1)
    ]
    bodies += [
        _body(f"xa-{n}", f"Ủy ban nhân dân xã Tân Lập {n}", "xa", "coordinator", "head") for n in range(1, COMMUNES + 1)
    ]
    groups = [{"id": "cac-co-quan", "name": "Các cơ quan, địa phương", "members": owners()}]
    told = {"schema": "dondoc/directory@1", "id": "tinh-lon", "name": "Tỉnh", "agencies": bodies, "groups": groups}
    return DirectoryFile.model_validate(told)


def owners() -> list[str]:
    departments = [f"so-{n}" for n in range(1, DEPARTMENTS + 1)]
    return departments + [f"xa-{n}" for n in range(1, COMMUNES + 1)]


def _body(key: str, name: str, level: str, *roles: str) -> dict[str, Any]:
    contacts = [{"role": role, "label": "Theo chức danh", "email": f"{role}@{key}.example"} for role in roles]
    return {
        "id": key,
        "names": [{"name": name}],
        "level": level,
        "contacts": contacts,
        "parent": None if level == "tinh" else "tinh",
    }


def plan_file(n: int) -> PlanFile:
    """The n-th plan."""
    supervisor, days = f"so-{n % DEPARTMENTS + 1}", n % 14 + 15
    cadence = (
        "half_year",
        "half_year",
        "half_year",
        "half_year",
        "half_year",
        "quarter",
        "quarter",
        "once",
        "once",
        "month",
    )[n % 10]
    by_cycle: Mapping[str, Any] = {"source": "plan", "to": supervisor, "due_day": days}
    on = date(2026, 1, 20) + timedelta(days=n * 7 % 330)
    rule = {"source": "plan", "to": supervisor, "on": on} if cadence == "once" else by_cycle
    everybody = owners()
    few = [[everybody[(n * 31 + k * 50 + step) % AGENCIES] for step in range(FEW)] for k in range(3)]
    items = [_item(no, cadence, who) for no, who in enumerate([["cac-co-quan"], *few], start=1)]
    sections = [{"roman": "IV", "heading": "Tổ chức thực hiện", "kind": "assignments", "items": items}]
    return PlanFile.model_validate(
        {
            "schema": "dondoc/plan@1",
            "number": f"{n + 1}/KH-UBND",
            "issuer": "tinh",
            "issued_on": ISSUED,
            "year": 2026,
            "title": f"Kế hoạch triển khai nhiệm vụ số {n + 1} năm 2026",
            "short_title": f"Kế hoạch {n + 1} năm 2026",
            "sms_name": f"KH{n + 1}",
            "supervisor": supervisor,
            "directory": "tinh-lon",
            "report_rules": {"han-bao-cao": rule},
            "sections": sections,
        }
    )


def _item(no: int, cadence: str, who: list[str]) -> dict[str, Any]:
    duty = {"citation": f"IV.{no}.1", "text": f"{WORDS} (mục {no})", "cadence": [cadence], "rule": "han-bao-cao"}
    return {"no": no, "heading": f"Nhóm nhiệm vụ {no}", "owners": who, "duties": [duty]}


def _rounds(session: Session, plans: int) -> Iterator[dict[str, Any]]:
    """Every reporting period that has opened by today."""
    calendar: WorkCalendar = read_rulebook(session).calendar
    d = table(Duty)
    duties = iter(session.connection().execute(d.select().order_by(d.c.plan_id, d.c.position)).all())
    for n in range(plans):
        plan = plan_file(n)
        each = list(islice(duties, len(plan.duties)))
        for duty in each:
            for found in due_periods(plan, plan.duties[duty.citation].duty, calendar):
                opened_on = max(ISSUED, found.due.on - HORIZON)
                if opened_on <= TODAY:
                    once = found.period.key == "once"
                    yield {
                        "duty_id": duty.id,
                        "period": found.period.key,
                        "due_on": found.due.on,
                        "opened_on": opened_on,
                        "window_start": None if once else found.period.start,
                        "window_end": None if once else found.period.end,
                    }
