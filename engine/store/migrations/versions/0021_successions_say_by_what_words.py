"""successions say by what words a duty is known to be theirs, which of several reports, and what is inferred; plans
know who followed whom"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("succession", schema=None) as batch_op:
        batch_op.add_column(sa.Column("words", sa.JSON(), nullable=False, server_default="[]"))
        batch_op.add_column(sa.Column("seat", sa.Boolean(), nullable=False, server_default=sa.false()))
        batch_op.add_column(sa.Column("inferred", sa.Boolean(), nullable=False, server_default=sa.false()))
    with op.batch_alter_table("plan", schema=None) as batch_op:
        batch_op.add_column(sa.Column("followed", sa.JSON(), nullable=False, server_default="{}"))


def downgrade() -> None:
    with op.batch_alter_table("plan", schema=None) as batch_op:
        batch_op.drop_column("followed")
    with op.batch_alter_table("succession", schema=None) as batch_op:
        batch_op.drop_column("inferred")
        batch_op.drop_column("seat")
        batch_op.drop_column("words")
