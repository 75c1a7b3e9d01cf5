"""answers that take long"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "pending_answer",
        sa.Column("ticket", sa.String(length=64), nullable=False),
        sa.Column("owner", sa.String(length=96), nullable=False),
        sa.Column("words", sa.JSON(), nullable=False),
        sa.Column("runner", sa.String(length=32), nullable=False),
        sa.Column("began_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("beat_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("seen", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("status", sa.Integer(), server_default="0", nullable=False),
        sa.Column("location", sa.Text(), server_default="", nullable=False),
        sa.Column("page_vi", sa.LargeBinary(), nullable=True),
        sa.Column("page_en", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("ticket", name=op.f("pk_pending_answer")),
    )
    with op.batch_alter_table("pending_answer", schema=None) as batch_op:
        batch_op.create_index("ix_pending_answer_began_at", ["began_at"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("pending_answer", schema=None) as batch_op:
        batch_op.drop_index("ix_pending_answer_began_at")

    op.drop_table("pending_answer")
