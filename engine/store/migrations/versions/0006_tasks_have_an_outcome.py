"""Tasks have an outcome; a returned report has a date of its own.

Reports that say «một phần» or «chưa làm» were counted as done: from here on their tasks are open. Published figures are
not touched: they say by which definitions they were published.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


OF_DUTIES = "UPDATE assignment SET request = (SELECT d.request FROM duty d WHERE d.id = assignment.duty_id)"
LOCAL_DAY = {
    "sqlite": "date(min(r.submitted_at), '+7 hours')",
    "postgresql": "(min(r.submitted_at) AT TIME ZONE 'Asia/Ho_Chi_Minh')::date",
}
FIRST_REPORTS = """
UPDATE assignment SET first_reported_on = coalesce(
    (SELECT {local} FROM report r WHERE r.assignment_id = assignment.id), reported_on)
"""
OUTCOMES = """
UPDATE assignment SET outcome = coalesce(
    (SELECT r.outcome FROM report r WHERE r.assignment_id = assignment.id AND r.returned_at IS NULL
     ORDER BY r.number DESC LIMIT 1), 'done')
WHERE reported_on IS NOT NULL
"""
DONE = "UPDATE assignment SET done_on = reported_on WHERE outcome = 'done'"
RETURNS = """
UPDATE assignment SET returns =
    (SELECT count(*) FROM report r WHERE r.assignment_id = assignment.id AND r.returned_at IS NOT NULL)
"""
COUNTED = """
INSERT INTO tally (agency_id, policy_id, period, due_on, timing, reporting, outcome, request, n)
SELECT agency_id, policy_id, period, due_on,
    CASE WHEN done_on IS NULL THEN 'open' WHEN late OR done_on > due_on THEN 'late' ELSE 'on_time' END AS timing,
    CASE WHEN first_reported_on IS NULL THEN 'open' WHEN late THEN 'late' ELSE 'on_time' END AS reporting,
    outcome, request, count(*)
FROM (
    SELECT a.*, p.policy_id, coalesce(a.first_reported_on > a.due_on, false) AS late
    FROM assignment a JOIN plan p ON p.id = a.plan_id
    WHERE p.state = 'active' AND a.state NOT IN ('cancelled', 'transferred')
) AS each GROUP BY agency_id, policy_id, period, due_on, 5, 6, outcome, request
"""
COUNTED_BEFORE = """
INSERT INTO tally (agency_id, policy_id, period, due_on, timing, n)
SELECT agency_id, policy_id, period, due_on, timing, count(*) FROM (
    SELECT a.agency_id, p.policy_id, a.period, a.due_on,
        CASE WHEN a.reported_on IS NULL THEN 'open' WHEN a.reported_on > a.due_on THEN 'late'
             ELSE 'on_time' END AS timing
    FROM assignment a JOIN plan p ON p.id = a.plan_id
    WHERE p.state = 'active' AND a.state NOT IN ('cancelled', 'transferred')
) AS counted GROUP BY agency_id, policy_id, period, due_on, timing
"""


def upgrade() -> None:
    with op.batch_alter_table("assignment", schema=None) as batch_op:
        batch_op.add_column(sa.Column("outcome", sa.String(length=32), nullable=True))
        batch_op.add_column(sa.Column("done_on", sa.Date(), nullable=True))
        batch_op.add_column(sa.Column("first_reported_on", sa.Date(), nullable=True))
        batch_op.add_column(sa.Column("first_due_on", sa.Date(), nullable=True))
        batch_op.add_column(sa.Column("returns", sa.Integer(), server_default="0", nullable=False))
        batch_op.add_column(sa.Column("request", sa.Boolean(), server_default=sa.false(), nullable=False))

    with op.batch_alter_table("report", schema=None) as batch_op:
        batch_op.add_column(sa.Column("resubmit_on", sa.Date(), nullable=True))
        batch_op.add_column(sa.Column("superseded_at", sa.DateTime(timezone=True), nullable=True))

    op.execute(sa.text(OF_DUTIES))
    local = LOCAL_DAY[op.get_bind().dialect.name]
    for step in (
        FIRST_REPORTS.format(local=local),
        OUTCOMES,
        DONE,
        RETURNS,
        "DELETE FROM tally",
        "DELETE FROM tally_change",
    ):
        op.execute(sa.text(step))
    with op.batch_alter_table("assignment", schema=None) as batch_op:
        batch_op.drop_index(
            batch_op.f("ix_assignment_open_due_on"),
            sqlite_where=sa.text("state IN ('assigned','acknowledged','returned')"),
        )
        batch_op.drop_index(batch_op.f("ix_assignment_counted"))
        batch_op.create_index(
            "ix_assignment_counted",
            [
                "plan_id",
                "period",
                "agency_id",
                "state",
                "due_on",
                "done_on",
                "first_reported_on",
                "first_due_on",
                "outcome",
                "request",
                "opened_on",
            ],
            unique=False,
        )
        batch_op.create_index(
            "ix_assignment_unfinished",
            ["due_on", "agency_id", "plan_id", "id", "period", "request"],
            unique=False,
            sqlite_where=sa.text("done_on IS NULL AND state NOT IN ('cancelled','transferred')"),
            postgresql_where=sa.text("done_on IS NULL AND state NOT IN ('cancelled','transferred')"),
        )

    with op.batch_alter_table("tally", schema=None) as batch_op:
        batch_op.add_column(sa.Column("reporting", sa.String(length=32), nullable=False))
        batch_op.add_column(sa.Column("outcome", sa.String(length=32), nullable=True))
        batch_op.add_column(sa.Column("request", sa.Boolean(), nullable=False))

    with op.batch_alter_table("tally_change", schema=None) as batch_op:
        batch_op.add_column(sa.Column("reporting", sa.String(length=32), nullable=False))
        batch_op.add_column(sa.Column("outcome", sa.String(length=32), nullable=True))
        batch_op.add_column(sa.Column("request", sa.Boolean(), nullable=False))
    op.execute(sa.text(COUNTED))


def downgrade() -> None:
    op.execute(sa.text("DELETE FROM tally"))
    op.execute(sa.text("DELETE FROM tally_change"))
    with op.batch_alter_table("tally_change", schema=None) as batch_op:
        batch_op.drop_column("request")
        batch_op.drop_column("outcome")
        batch_op.drop_column("reporting")

    with op.batch_alter_table("tally", schema=None) as batch_op:
        batch_op.drop_column("request")
        batch_op.drop_column("outcome")
        batch_op.drop_column("reporting")

    with op.batch_alter_table("report", schema=None) as batch_op:
        batch_op.drop_column("superseded_at")
        batch_op.drop_column("resubmit_on")

    with op.batch_alter_table("assignment", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_assignment_unfinished",
            sqlite_where=sa.text("done_on IS NULL AND state NOT IN ('cancelled','transferred')"),
            postgresql_where=sa.text("done_on IS NULL AND state NOT IN ('cancelled','transferred')"),
        )
        batch_op.drop_index("ix_assignment_counted")
        batch_op.create_index(
            batch_op.f("ix_assignment_counted"),
            ["plan_id", "period", "agency_id", "state", "due_on", "reported_on", "opened_on"],
            unique=False,
        )
        batch_op.create_index(
            batch_op.f("ix_assignment_open_due_on"),
            ["due_on", "agency_id", "plan_id", "id", "period"],
            unique=False,
            sqlite_where=sa.text("state IN ('assigned','acknowledged','returned')"),
        )
        batch_op.drop_column("request")
        batch_op.drop_column("returns")
        batch_op.drop_column("first_due_on")
        batch_op.drop_column("first_reported_on")
        batch_op.drop_column("done_on")
        batch_op.drop_column("outcome")
    op.execute(sa.text(COUNTED_BEFORE))
