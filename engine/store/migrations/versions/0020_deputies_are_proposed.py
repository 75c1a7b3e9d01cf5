"""Deputies named through the link of a letter are proposed; those there are count as before."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("contact", schema=None) as batch_op:
        batch_op.add_column(sa.Column("proposed", sa.Boolean(), nullable=False, server_default=sa.false()))


def downgrade() -> None:
    op.execute(sa.text("UPDATE contact SET valid_until = valid_from WHERE proposed"))
    with op.batch_alter_table("contact", schema=None) as batch_op:
        batch_op.drop_column("proposed")
