"""letters on the wire"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("letter", schema=None) as batch_op:
        batch_op.add_column(sa.Column("on_wire", sa.Boolean(), server_default=sa.false(), nullable=False))
        batch_op.add_column(sa.Column("lost_leases", sa.Integer(), server_default="0", nullable=False))


def downgrade() -> None:
    with op.batch_alter_table("letter", schema=None) as batch_op:
        batch_op.drop_column("lost_leases")
        batch_op.drop_column("on_wire")
