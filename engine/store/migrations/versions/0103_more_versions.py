"""plans, accounts and what readers keep have versions of their own"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0103"
down_revision = "0102"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for topic in ("plans", "accounts"):
        op.add_column("data_version", sa.Column(topic, sa.String(length=16), server_default="", nullable=False))
