"""what changed is told as rows"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0106"
down_revision = "0105"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "changed_work",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("slot", sa.Integer(), nullable=False),
        sa.Column("topic", sa.String(length=16), nullable=False),
        sa.Column("before", sa.String(length=16), nullable=False),
        sa.Column("version", sa.String(length=16), nullable=False),
        sa.Column("agency_id", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_changed_work")),
    )
    with op.batch_alter_table("changed_work", schema=None) as batch_op:
        batch_op.create_index("ix_changed_work_before", ["slot", "topic", "before"], unique=False)

    with op.batch_alter_table("data_version", schema=None) as batch_op:
        batch_op.add_column(sa.Column("reminders", sa.String(length=16), server_default="", nullable=False))
