"""indexes of pages"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

INDEXES = {
    "ix_assignment_opened_on": ("assignment", "opened_on", None),
    "ix_assignment_done_on": ("assignment", "done_on", sa.text("done_on IS NOT NULL")),
    "ix_assignment_first_reported_on": (
        "assignment",
        "first_reported_on",
        sa.text("first_reported_on IS NOT NULL"),
    ),
    "ix_event_paper_settled": ("event", "assignment_id", sa.text("kind IN ('paper_recorded','paper_dropped')")),
}


def upgrade() -> None:
    for name, (table, column, where) in INDEXES.items():
        op.create_index(name, table, [column], sqlite_where=where, postgresql_where=where)


def downgrade() -> None:
    for name, (table, _, _) in reversed(INDEXES.items()):
        op.drop_index(name, table)
