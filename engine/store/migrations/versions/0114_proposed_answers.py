"""what an answer proposes, and what a person did with it"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0114"
down_revision = "0113"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for name in ("proposed", "undo"):
        op.add_column("incoming_message", sa.Column(name, sa.JSON(), nullable=False, server_default="[]"))
    op.add_column("incoming_message", sa.Column("handled", sa.String(length=32), nullable=True))
