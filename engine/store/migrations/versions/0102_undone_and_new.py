"""lists say what is new, and acts can be undone"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0102"
down_revision = "0101"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "list_mark",
        sa.Column("owner", sa.String(length=96), nullable=False),
        sa.Column("path", sa.String(length=60), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("owner", "path", name=op.f("pk_list_mark")),
    )
    op.create_table(
        "undoable_act",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("actor", sa.String(length=96), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("place", sa.String(length=120), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("parts", sa.JSON(), nullable=False),
        sa.Column("undone_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_undoable_act")),
    )
    with op.batch_alter_table("undoable_act", schema=None) as batch_op:
        batch_op.create_index("ix_undoable_act_actor_until", ["actor", "until"], unique=False)
