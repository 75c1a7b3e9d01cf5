"""tasks of plans that have ended say since when nobody is asked"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0108"
down_revision = "0107"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """The day of the act, in Vietnam; of a plan without its event, the day after its last due date."""
    connection = op.get_bind()
    sqlite = connection.dialect.name == "sqlite"
    local = "date(at, '+7 hours')" if sqlite else "CAST(at AT TIME ZONE 'Asia/Ho_Chi_Minh' AS date)"
    ended = f"SELECT {local} FROM event e WHERE e.plan_id = assignment.plan_id AND e.kind = 'plan_ended'"
    plans = "SELECT id FROM plan WHERE state = 'ended'"
    connection.execute(
        sa.text(
            f"UPDATE assignment SET not_asked_on = ({ended} ORDER BY e.id DESC LIMIT 1) "
            f"WHERE not_asked_on IS NULL AND plan_id IN ({plans})"
        )
    )
