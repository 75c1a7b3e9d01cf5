"""Plans are known by their date of issue: the year that they plan may be the one after it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("plan", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("uq_plan_number_issuer_id_year"), type_="unique")
        batch_op.create_unique_constraint(
            batch_op.f("uq_plan_number_issuer_id_issued_on"), ["number", "issuer_id", "issued_on"]
        )


YEAR_OF_ISSUE = {"sqlite": "CAST(strftime('%Y', issued_on) AS INTEGER)", "postgresql": "EXTRACT(YEAR FROM issued_on)"}


def downgrade() -> None:
    op.execute(sa.text(f"UPDATE plan SET year = {YEAR_OF_ISSUE[op.get_bind().dialect.name]}"))
    with op.batch_alter_table("plan", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("uq_plan_number_issuer_id_issued_on"), type_="unique")
        batch_op.create_unique_constraint(batch_op.f("uq_plan_number_issuer_id_year"), ["number", "issuer_id", "year"])
