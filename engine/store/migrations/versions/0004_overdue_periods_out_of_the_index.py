"""the overdue list knows its periods out of the index"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("assignment", schema=None) as batch_op:
        batch_op.drop_index(
            batch_op.f("ix_assignment_open_due_on"),
            sqlite_where=sa.text("state IN ('assigned','acknowledged','returned')"),
        )
        batch_op.create_index(
            "ix_assignment_open_due_on",
            ["due_on", "agency_id", "plan_id", "id", "period"],
            unique=False,
            sqlite_where=sa.text("state IN ('assigned','acknowledged','returned')"),
            postgresql_where=sa.text("state IN ('assigned','acknowledged','returned')"),
        )


def downgrade() -> None:
    with op.batch_alter_table("assignment", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_assignment_open_due_on",
            sqlite_where=sa.text("state IN ('assigned','acknowledged','returned')"),
            postgresql_where=sa.text("state IN ('assigned','acknowledged','returned')"),
        )
        batch_op.create_index(
            batch_op.f("ix_assignment_open_due_on"),
            ["due_on", "agency_id", "plan_id", "id"],
            unique=False,
            sqlite_where=sa.text("state IN ('assigned','acknowledged','returned')"),
            postgresql_where=sa.text("state IN ('assigned','acknowledged','returned')"),
        )
