"""What people answer is kept: text, files, what was done, and why it waits."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
WAITS = sa.text("waits IS NOT NULL AND settled_at IS NULL")


def upgrade() -> None:
    op.create_table(
        "incoming_message",
        sa.Column("incoming_id", BIG, autoincrement=False, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("channel", sa.String(length=16), nullable=False),
        sa.Column("letter_id", BIG, nullable=True),
        sa.Column("contact_id", sa.Integer(), nullable=True),
        sa.Column("agency_id", sa.String(length=64), nullable=True),
        sa.Column("supervisor_id", sa.String(length=64), nullable=True),
        sa.Column("sender", sa.String(length=254), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("own_text", sa.Text(), nullable=False),
        sa.Column("raw_text", sa.Text(), nullable=False),
        sa.Column("rest", sa.Text(), nullable=False),
        sa.Column("files", sa.JSON(), nullable=False),
        sa.Column("about", sa.JSON(), nullable=False),
        sa.Column("done", sa.JSON(), nullable=False),
        sa.Column("waits", sa.String(length=32), nullable=True),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("settled_by", sa.String(length=96), nullable=False),
        sa.PrimaryKeyConstraint("incoming_id", name=op.f("pk_incoming_message")),
    )
    op.create_index("ix_incoming_message_agency_id", "incoming_message", ["agency_id", "incoming_id"])
    op.create_index("ix_incoming_message_supervisor_id", "incoming_message", ["supervisor_id", "incoming_id"])
    op.create_index(
        "ix_incoming_message_waiting",
        "incoming_message",
        ["supervisor_id", "agency_id"],
        sqlite_where=WAITS,
        postgresql_where=WAITS,
    )


def downgrade() -> None:
    op.drop_table("incoming_message")
