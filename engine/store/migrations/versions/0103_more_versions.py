"""plans, counters and accounts have versions of their own, and changes say whose work they are about"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0103"
down_revision = "0102"
branch_labels = None
depends_on = None


def upgrade() -> None:
    changes = sa.Column("changes", sa.String(length=1_800), server_default="", nullable=False)
    op.add_column("data_version", changes)
    for topic in ("plans", "counters", "accounts"):
        op.add_column("data_version", sa.Column(topic, sa.String(length=16), server_default="", nullable=False))
