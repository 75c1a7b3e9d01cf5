"""wording of dispatches"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


CHASED = sa.text("level > 0 AND done_on IS NULL AND state NOT IN ('cancelled','transferred')")


def upgrade() -> None:
    op.create_table(
        "dispatch_wording",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("plan_id", sa.Integer(), nullable=False),
        sa.Column("period", sa.String(length=16), nullable=False),
        sa.Column("request", sa.Boolean(), nullable=False),
        sa.Column("addressees", sa.String(length=64), nullable=False),
        sa.Column("texts", sa.JSON(), nullable=False),
        sa.Column("actor", sa.String(length=96), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["plan_id"], ["plan.id"], name=op.f("fk_dispatch_wording_plan_id_plan")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dispatch_wording")),
        sa.UniqueConstraint(
            "plan_id",
            "period",
            "request",
            "addressees",
            name=op.f("uq_dispatch_wording_plan_id_period_request_addressees"),
        ),
    )
    op.create_index(
        "ix_assignment_chased", "assignment", ["plan_id", "due_on"], sqlite_where=CHASED, postgresql_where=CHASED
    )


def downgrade() -> None:
    op.drop_index("ix_assignment_chased", table_name="assignment")
    op.drop_table("dispatch_wording")
