"""Outputs: what proves a duty done, what a report gives of it, and whether the monitor found it complete. What returned
reports lacked is found by its code, and what was promised by its day."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

JUDGED = sa.text("output_complete IS NOT NULL")
RETURNED_FOR = sa.text("returned_code <> ''")
PROMISED = sa.text("promised_on IS NOT NULL")


def upgrade() -> None:
    with op.batch_alter_table("duty", schema=None) as batch_op:
        batch_op.add_column(sa.Column("output", sa.JSON(none_as_null=True), nullable=True))
    with op.batch_alter_table("report", schema=None) as batch_op:
        batch_op.add_column(sa.Column("output", sa.JSON(none_as_null=True), nullable=True))
        batch_op.add_column(sa.Column("output_complete", sa.Boolean(), nullable=True))
    columns = ["assignment_id", "output_complete"]
    op.create_index("ix_report_output", "report", columns, sqlite_where=JUDGED, postgresql_where=JUDGED)
    columns = ["promised_on", "plan_id"]
    op.create_index("ix_assignment_promised", "assignment", columns, sqlite_where=PROMISED, postgresql_where=PROMISED)
    one = ["assignment_id"]
    op.create_index("ix_report_returned", "report", one, sqlite_where=RETURNED_FOR, postgresql_where=RETURNED_FOR)


def downgrade() -> None:
    op.drop_index("ix_assignment_promised", "assignment")
    op.drop_index("ix_report_returned", "report")
    op.drop_index("ix_report_output", "report")
    with op.batch_alter_table("report", schema=None) as batch_op:
        batch_op.drop_column("output_complete")
        batch_op.drop_column("output")
    with op.batch_alter_table("duty", schema=None) as batch_op:
        batch_op.drop_column("output")
