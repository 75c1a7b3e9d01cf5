"""tasks of agencies that have ended say since when nobody is asked"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0107"
down_revision = "0106"
branch_labels = None
depends_on = None

COUNTED = ["plan_id", "period", "agency_id", "state", "due_on", "done_on"]
COUNTED += ["first_reported_on", "first_due_on", "outcome", "request", "opened_on"]
UNFINISHED = ("due_on", "agency_id", "plan_id", "id", "period", "request")
DROPPED = sa.text("state IN ('cancelled','transferred')")
OPEN = sa.text("done_on IS NULL AND state NOT IN ('cancelled','transferred')")


def upgrade() -> None:
    with op.batch_alter_table("assignment", schema=None) as batch_op:
        batch_op.add_column(sa.Column("not_asked_on", sa.Date(), nullable=True))
        batch_op.drop_index("ix_assignment_counted")
        batch_op.create_index("ix_assignment_counted", [*COUNTED, "not_asked_on"])
        batch_op.drop_index("ix_assignment_unfinished")
        batch_op.create_index(
            "ix_assignment_unfinished", [*UNFINISHED, "not_asked_on"], sqlite_where=OPEN, postgresql_where=OPEN
        )
        batch_op.create_index("ix_assignment_dropped", ["id"], sqlite_where=DROPPED, postgresql_where=DROPPED)
    _fill()


def _fill() -> None:
    """The day of the act, in Vietnam: the last event of its kind."""
    connection = op.get_bind()
    sqlite = connection.dialect.name == "sqlite"
    local = "date(at, '+7 hours')" if sqlite else "CAST(at AT TIME ZONE 'Asia/Ho_Chi_Minh' AS date)"
    followed = "SELECT assignment_id FROM event WHERE kind = 'followed'"
    last = f"SELECT {local} FROM event e WHERE e.assignment_id = assignment.id AND kind = 'followed' ORDER BY e.id DESC"
    connection.execute(sa.text(f"UPDATE assignment SET not_asked_on = ({last} LIMIT 1) WHERE id IN ({followed})"))
