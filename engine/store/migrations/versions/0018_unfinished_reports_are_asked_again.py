"""Unfinished reports are asked again.

Tasks of running plans that were reported unfinished before were never chased. They are asked again two weeks after this
step, whenever they were reported: so nobody gets a whole ladder on the day of the upgrade. Each keeps its own ladder.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


DAYS_FROM_NOW = {
    "sqlite": ("date('now', '+7 hours', '+14 days')", "datetime('now', '+14 days')"),
    "postgresql": (
        "(now() AT TIME ZONE 'Asia/Ho_Chi_Minh')::date + 14",
        "now() + interval '14 days'",
    ),
}
ASK_AGAIN = """
UPDATE assignment SET asked_again_on = {day}, next_action_at = {moment}, quiet = NULL
WHERE state IN ('reported', 'accepted') AND outcome IN ('partly', 'not_yet') AND done_on IS NULL
    AND due_on IS NOT NULL AND plan_id IN (SELECT id FROM plan WHERE state = 'active')
"""
NOT_AGAIN = """
UPDATE assignment SET next_action_at = NULL, quiet = CASE WHEN state = 'reported' THEN 'awaiting_acceptance' END
WHERE asked_again_on IS NOT NULL AND state IN ('reported', 'accepted')
"""


def upgrade() -> None:
    with op.batch_alter_table("assignment", schema=None) as batch_op:
        batch_op.add_column(sa.Column("asked_again_on", sa.Date(), nullable=True))

    day, moment = DAYS_FROM_NOW[op.get_bind().dialect.name]
    op.execute(sa.text(ASK_AGAIN.format(day=day, moment=moment)))


def downgrade() -> None:
    op.execute(sa.text(NOT_AGAIN))
    with op.batch_alter_table("assignment", schema=None) as batch_op:
        batch_op.drop_column("asked_again_on")
