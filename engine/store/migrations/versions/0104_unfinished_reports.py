"""why a task is not done is found by its report"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0104"
down_revision = "0103"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("report", schema=None) as batch_op:
        batch_op.create_index(
            "ix_report_unfinished",
            ["assignment_id"],
            unique=False,
            sqlite_where=sa.text("reason_code <> '' AND returned_at IS NULL AND superseded_at IS NULL"),
            postgresql_where=sa.text("reason_code <> '' AND returned_at IS NULL AND superseded_at IS NULL"),
        )
