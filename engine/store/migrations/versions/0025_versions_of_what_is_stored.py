"""What is stored has versions, by topic."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0023"
branch_labels = None
depends_on = None

TOPICS = ("work", "letters", "messages", "directory", "calendar", "rules", "log")


def upgrade() -> None:
    op.create_table(
        "data_version",
        sa.Column("slot", sa.Integer(), autoincrement=False, nullable=False),
        *(sa.Column(topic, sa.String(length=16), server_default="", nullable=False) for topic in TOPICS),
        sa.PrimaryKeyConstraint("slot", name=op.f("pk_data_version")),
    )


def downgrade() -> None:
    op.drop_table("data_version")
