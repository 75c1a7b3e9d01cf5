"""a tally of what running plans owe"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "tally",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("agency_id", sa.String(length=64), nullable=False),
        sa.Column("policy_id", sa.String(length=64), nullable=False),
        sa.Column("period", sa.String(length=16), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=True),
        sa.Column("timing", sa.String(length=32), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tally")),
    )
    op.create_table(
        "tally_change",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("plan_id", sa.Integer(), nullable=False),
        sa.Column("agency_id", sa.String(length=64), nullable=False),
        sa.Column("period", sa.String(length=16), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=True),
        sa.Column("timing", sa.String(length=32), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tally_change")),
    )
    # What stands there already is counted; from then on engine.assignments.lifecycle keeps it.
    op.execute("""
        INSERT INTO tally (agency_id, policy_id, period, due_on, timing, n)
        SELECT agency_id, policy_id, period, due_on, timing, count(*) FROM (
            SELECT a.agency_id, p.policy_id, a.period, a.due_on,
                CASE WHEN a.reported_on IS NULL THEN 'open' WHEN a.reported_on > a.due_on THEN 'late'
                     ELSE 'on_time' END AS timing
            FROM assignment a JOIN plan p ON p.id = a.plan_id
            WHERE p.state = 'active' AND a.state IN ('assigned','acknowledged','returned','reported','accepted')
        ) AS counted GROUP BY agency_id, policy_id, period, due_on, timing
    """)


def downgrade() -> None:
    op.drop_table("tally_change")
    op.drop_table("tally")
