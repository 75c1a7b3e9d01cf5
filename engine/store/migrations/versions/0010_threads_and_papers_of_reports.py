"""threads and papers of reports"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "thread_entry",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("key", sa.String(length=160), nullable=False),
        sa.Column("assignment_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("whole_plan", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("agency_id", sa.String(length=64), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("expected_on", sa.Date(), nullable=True),
        sa.Column("files", sa.JSON(), nullable=False),
        sa.Column("answers_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("actor", sa.String(length=96), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["agency_id"], ["agency.id"], name=op.f("fk_thread_entry_agency_id_agency")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_thread_entry")),
        sa.UniqueConstraint("key", name=op.f("uq_thread_entry_key")),
    )
    with op.batch_alter_table("thread_entry", schema=None) as batch_op:
        batch_op.create_index("ix_thread_entry_assignment_id", ["assignment_id"], unique=False)
        batch_op.create_index(
            "ix_thread_entry_unanswered",
            ["assignment_id", "id"],
            unique=False,
            sqlite_where=sa.text("answered_at IS NULL AND kind IN ('difficulty','question','ad_hoc')"),
            postgresql_where=sa.text("answered_at IS NULL AND kind IN ('difficulty','question','ad_hoc')"),
        )

    with op.batch_alter_table("extension", schema=None) as batch_op:
        batch_op.add_column(sa.Column("files", sa.JSON(), server_default="[]", nullable=False))

    with op.batch_alter_table("report", schema=None) as batch_op:
        batch_op.add_column(sa.Column("paper_number", sa.String(length=80), server_default="", nullable=False))
        batch_op.add_column(sa.Column("paper_on", sa.Date(), nullable=True))
        batch_op.add_column(sa.Column("paper_key", sa.String(length=80), server_default="", nullable=False))
        batch_op.create_index(
            "ix_report_paper_key",
            ["paper_key"],
            unique=False,
            sqlite_where=sa.text("paper_key <> ''"),
            postgresql_where=sa.text("paper_key <> ''"),
        )


def downgrade() -> None:
    with op.batch_alter_table("report", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_report_paper_key", sqlite_where=sa.text("paper_key <> ''"), postgresql_where=sa.text("paper_key <> ''")
        )
        batch_op.drop_column("paper_key")
        batch_op.drop_column("paper_on")
        batch_op.drop_column("paper_number")

    with op.batch_alter_table("extension", schema=None) as batch_op:
        batch_op.drop_column("files")

    with op.batch_alter_table("thread_entry", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_thread_entry_unanswered",
            sqlite_where=sa.text("answered_at IS NULL AND kind IN ('difficulty','question','ad_hoc')"),
            postgresql_where=sa.text("answered_at IS NULL AND kind IN ('difficulty','question','ad_hoc')"),
        )
        batch_op.drop_index("ix_thread_entry_assignment_id")

    op.drop_table("thread_entry")
