"""deputies end with who named them"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("contact", schema=None) as batch_op:
        batch_op.add_column(sa.Column("named_by", sa.Integer(), nullable=True))
        batch_op.create_foreign_key(batch_op.f("fk_contact_named_by_contact"), "contact", ["named_by"], ["id"])


def downgrade() -> None:
    with op.batch_alter_table("contact", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("fk_contact_named_by_contact"), type_="foreignkey")
        batch_op.drop_column("named_by")
